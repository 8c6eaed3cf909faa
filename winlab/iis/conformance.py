"""Runs recorded edits of IIS configuration (the file's `about` says how they were made) on scratch servers and compares.

`run_case(case, document)` is what `winlab conformance` calls for files of this kind. A case that carries `doubt` is compared like the others; whoever counts
may leave it out.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from winlab.iis.config import APPHOST
from winlab.iis.files import SCHEMA_FOLDER
from winlab.iis.mwa import DLL
from winlab.iis.schema import SCHEMA_DIR

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

SITE_FOLDERS = {
    "Default Web Site": r"C:\inetpub\wwwroot",
    "Tools": r"C:\sites\tools",
    "Tools/api": r"C:\sites\tools\api",
}
_SCHEMAS = {
    "v2": ("IIS_schema.xml", "rscaext.xml", "httpplatform_schema.v2.xml"),
    "v1.2": ("IIS_schema.xml", "rscaext.xml", "httpplatform_schema.v1.2.xml"),
}


@dataclass
class CaseResult:
    """status: "same", "refused" (`details` names what the lab lacks) or "wrong" (`details` says where)."""

    name: str
    topic: str
    status: str
    doubt: str = ""
    details: list[str] = field(default_factory=list)


def is_iis_document(document: dict[str, Any]) -> bool:
    """Whether a file of recorded cases is one of these."""
    return "configs" in document and "prelude" in document


def run_case(case: dict[str, Any], document: dict[str, Any]) -> CaseResult:
    """Runs one case on a scratch server of its own."""
    result = CaseResult(case["name"], case["topic"], "same", case.get("doubt", ""))
    state = tempfile.mkdtemp(prefix="winlab-iis-")
    try:
        machine = _machine(state, document["configs"][case["config"]], case.get("schema", "v2"))
        before = _files(machine)
        try:
            lines, error = _run(machine, document["prelude"], case["script"])
        except _Refused as refusal:
            return CaseResult(case["name"], case["topic"], "refused", result.doubt, [str(refusal)])
        result.details = _compare(case, lines, error, before, _files(machine))
    finally:
        shutil.rmtree(state, ignore_errors=True)
    if result.details:
        result.status = "wrong"
    return result


def _machine(state: str, config: dict[str, Any], schema: str) -> Machine:
    from winlab.windows.machine import Machine

    machine = Machine("SCRATCH", "2016", state_dir=state)
    fs = machine.fs
    for folder in (SCHEMA_FOLDER, *SITE_FOLDERS.values()):
        fs.mkdir(folder, parents=True)
    for name in _SCHEMAS[schema]:
        fs.write_bytes(f"{SCHEMA_FOLDER}\\{name}", (SCHEMA_DIR / name).read_bytes())
    fs.write_bytes(DLL, b"")
    fs.write_bytes(APPHOST, config["applicationHost.config"].encode())
    for site, files in config["sites"].items():
        for name, text in files.items():
            fs.write_bytes(SITE_FOLDERS[site] + "\\" + name.replace("/", "\\"), text.encode())
    return machine


def _files(machine: Machine) -> dict[str, str | None]:
    paths = {"applicationHost.config": APPHOST} | {
        f"{site}/web.config": f"{folder}\\web.config" for site, folder in SITE_FOLDERS.items()
    }
    return {
        key: machine.fs.read_bytes(path).decode("utf-8-sig") if machine.fs.is_file(path) else None
        for key, path in paths.items()
    }


_SETUP = r"""
$ErrorActionPreference = 'Stop'
[void][Reflection.Assembly]::LoadFrom("$env:windir\system32\inetsrv\Microsoft.Web.Administration.dll")
$sm = New-Object Microsoft.Web.Administration.ServerManager
$sm2 = New-Object Microsoft.Web.Administration.ServerManager
$appHostPath = "$env:windir\system32\inetsrv\config\applicationHost.config"
$webConfigPath = 'C:\inetpub\wwwroot\web.config'
"""
_SCRIPT = r"C:\conformance\case.ps1"


class _Refused(Exception):
    """The case needs something that the lab names as lacking."""


def _run(machine: Machine, prelude: str, script: str) -> tuple[list[str], dict[str, str] | None]:
    """Printed lines, and the innermost exception that ended the script."""
    from winlab.powershell.conformance import Run

    machine.fs.mkdir(r"C:\conformance", parents=True)
    machine.fs.write_bytes(_SCRIPT, b"\xef\xbb\xbf" + (_SETUP + prelude + script).encode())
    run = Run(machine, r"C:\conformance\work", f"-File {_SCRIPT}", None)
    machine.shutdown()
    if run.refusal:
        raise _Refused(run.refusal)
    if "the lab failed" in run.stderr:
        return run.lines, {"type": "", "message": run.stderr.strip()}
    if run.end is None:
        return run.lines, None
    exception = run.end.exception
    while exception.inner is not None:
        exception = exception.inner
    return run.lines, {"type": exception.type_name, "message": exception.message}


# -- comparison


def _compare(
    case: dict[str, Any],
    lines: list[str],
    error: dict[str, str] | None,
    before: dict[str, str | None],
    after: dict[str, str | None],
) -> list[str]:
    details: list[str] = []
    expected = case["stdout"].splitlines() if isinstance(case["stdout"], str) else list(case["stdout"])
    if lines != expected:
        details.append(f"stdout: expected {expected!r}, got {lines!r}")
    if (error or None) != (case["error"] or None):
        details.append(f"error: expected {case['error']!r}, got {error!r}")
    for key, text in after.items():
        wanted = case["files_after"].get(key)
        wanted = before[key] if wanted is None else wanted
        difference = xml_difference(wanted, text)
        if difference:
            details.append(f"{key}: {difference}")
    return details


def xml_difference(expected: str | None, actual: str | None) -> str:
    """Where two files differ as XML ("" when they do not): elements in order, attributes as a set, values, comments.

    An element whose name is alone among its siblings may stand anywhere: where new ones are put is not fixed.
    """
    if expected is None or actual is None:
        return "" if expected == actual else f"expected {'no file' if expected is None else 'a file'}"
    if expected == actual:
        return ""
    try:
        one, other = etree.fromstring(expected.encode()), etree.fromstring(actual.encode())
    except etree.XMLSyntaxError as error:
        return f"not compared as XML ({error}) and not the same text"
    if [c.text for c in _outside(one)] != [c.text for c in _outside(other)]:
        return "comments outside the root differ"
    return _element_difference(one, other, str(one.tag))


def _outside(root: Any) -> list[Any]:
    return [*reversed(list(root.itersiblings(preceding=True))), *root.itersiblings()]


def _element_difference(one: Any, other: Any, path: str) -> str:
    if one.tag is etree.Comment or other.tag is etree.Comment:
        same = one.tag is other.tag and (one.text or "").strip() == (other.text or "").strip()
        return "" if same else f"{path}: comments differ"
    if one.tag != other.tag:
        return f"{path}: expected <{one.tag}>, got <{other.tag}>"
    if dict(one.attrib) != dict(other.attrib):
        return f"{path}: attributes expected {dict(one.attrib)}, got {dict(other.attrib)}"
    mine, theirs = _ordered(one), _ordered(other)
    for a, b in zip(mine, theirs, strict=False):
        difference = _element_difference(a, b, f"{path}/{_label(a)}")
        if difference:
            return difference
    if len(mine) != len(theirs):
        return f"{path}: expected children {[_label(e) for e in mine]}, got {[_label(e) for e in theirs]}"
    return ""


def _ordered(element: Any) -> list[Any]:
    """Children in order, those with a name of their own behind the others, by name."""
    children = list(element)
    names = [c.tag for c in children]
    alone = [
        c
        for c in children
        if names.count(c.tag) == 1 and c.tag not in ("add", "remove", "clear") and isinstance(c.tag, str)
    ]
    return [c for c in children if c not in alone] + sorted(alone, key=lambda c: str(c.tag))


def _label(element: Any) -> str:
    return "comment" if element.tag is etree.Comment else f"{element.tag}{sorted(element.attrib.items())[:2]}"


__all__ = ["CaseResult", "is_iis_document", "run_case", "xml_difference"]
