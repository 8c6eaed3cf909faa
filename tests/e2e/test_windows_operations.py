"""Every Windows operation and its properties: applied, applied again, undone by hand as an administrator would, found, shown, repaired, taken away.

A handful of runs with all cases of windows_cases.py in each; the tests look at what the runs left. Server 2016 with all of them, Windows 11 with what is
different there; `WINDOWS_MATRIX` names versions (with commas between) to run all cases on.
"""

from __future__ import annotations

import json
import os
import platform
import random
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.windows_cases import CASES, Case, downloads
from tests.labkit import ROOT, Lab, Run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("windows-operations"), pytest.mark.timeout(900)]

CLIENTS = ("10", "11")
MATRIX = [name for name in os.environ.get("WINDOWS_MATRIX", "").split(",") if name]
VERSIONS = {"2016": CASES, "11": [case for case in CASES if case.name == "Features"]} | dict.fromkeys(MATRIX, CASES)
PAGE = (
    (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## Windows\n")[2].partition("\n## ")[0]
)
DEPLOY = "tests/e2e/windows_operations.py"
ARTIFACT = "httpPlatformHandler_amd64.msi"


@dataclass
class Story:
    """What happened to one server."""

    lab: Lab
    folder: Path
    cases: list[Case]
    runs: dict[str, Run] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    hashes: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    page: Run | None = None

    def run(self, name: str, *options: str, **data: Any) -> None:
        """One run of all cases."""
        record = self.folder / f"{name}.json"
        sums = self.lab.artifact_sums()
        self.runs[name] = self.lab.pyinfra(
            options=("--diff", *options),
            deploy=DEPLOY,
            changes_file=record,
            artifacts=self.lab.status["artifacts"],
            artifact=ARTIFACT,
            artifact_sum=sums[ARTIFACT],
            cases=",".join(names(self.cases)),
            **data,
        )
        self.records[name] = json.loads(record.read_text())["changes"] if record.exists() else []
        self.hashes[name] = self.lab.hash(self.lab.addresses[0])

    def printed(self, name: str, case: Case) -> list[str]:
        """What the diff of a run says about a case, without host."""
        wanted = {line(change) for change in self.records[name] if change["operation"] == case.name}
        prefix = f"[@winrm/{self.lab.addresses[0]}]   "
        lines = [text.strip().removeprefix(prefix) for text in self.runs[name].output.splitlines()]
        return [text for text in lines if text in wanted]


def line(change: dict[str, Any]) -> str:
    """A change of a record as the diff prints it."""
    old, new = (
        ", ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else value
        for value in (change["old"], change["new"])
    )
    if old is None:
        return f"+ {change['what']}: {new}"
    return f"- {change['what']}: {old}" if new is None else f"~ {change['what']}: {old} -> {new}"


@pytest.fixture(scope="module", params=list(VERSIONS))
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("windows")
    lab = Lab(folder / "lab", f"127.{random.randint(20, 29)}.{random.randint(1, 250)}", 1, "--windows", request.param)
    lab.environment["WINLAB_WINDOWS"] = request.param
    made = Story(lab, folder, list(VERSIONS[request.param]))
    if made.cases == CASES:
        made.cases += downloads(lab.status["artifacts"], lab.artifact_sums())
    try:
        made.hashes["bare"] = lab.hash(lab.addresses[0])
        if request.param not in CLIENTS:
            made.page = examples(made)
        made.run("announced", "--dry")
        made.run("applied", "-y")
        if made.cases != VERSIONS["11"]:
            made.run("again", "-y")
            made.lists["applied"] = access_lists(lab)
        lab.powershell(lab.addresses[0], "\n".join(case.by_hand for case in made.cases))
        made.hashes["by hand"] = lab.hash(lab.addresses[0])
        made.run("found", "--dry")
        made.run("repaired", "-y")
        if made.cases != VERSIONS["11"]:
            made.lists["repaired"] = access_lists(lab)
        made.run("removed", "-y", undo=True)
        if made.cases != VERSIONS["11"]:
            made.run("removed again", "--dry", undo=True)
        yield made
    finally:
        lab.down()


def examples(story: Story) -> Run:
    """The examples of the documentation as one deploy, on a bare server."""
    deploy = story.folder / "examples.py"
    deploy.write_text("\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)))
    files = {
        kind: json.dumps(step["file"])
        for kind, step in (("handler", handler(story, "1.2")), ("python", server_python(story)))
    }
    return story.lab.pyinfra(options=("--dry", "--diff"), deploy=str(deploy), **files)


def test_the_page_shows_what_its_examples_do(story: Story) -> None:
    if story.page is None:
        pytest.skip("the page shows the names of a server")
    assert story.page.code == 0, story.page.output
    prefix = f"[@winrm/{story.lab.addresses[0]}]   "
    said = [text.strip().removeprefix(prefix) for text in story.page.output.splitlines()]
    assert "s3cret" not in story.page.output
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for expected in block.splitlines() if not kind else ():
            start, dots, _ = expected.partition("...")
            assert any(text.startswith(start) if dots else text == expected for text in said), expected


def access_lists(lab: Lab) -> list[str]:
    """Owner and entries of every folder that the cases make."""
    script = r"Get-ChildItem C:\Example -ErrorAction SilentlyContinue | ForEach-Object { $_.Name + '=' + (Get-Acl -LiteralPath $_.FullName).Sddl }; exit 0"
    return lab.powershell(lab.addresses[0], script).splitlines()


def places(lab: Lab) -> dict[str, str]:
    """What the cases leave open, because it is another thing on each server."""
    is_client = lab.environment["WINLAB_WINDOWS"] in CLIENTS
    more = "" if is_client else "; CreateFiles, AppendData (this folder, subfolders only) (inherited)"
    return {
        "server": lab.name(lab.addresses[0]),
        "telnet": "TelnetClient" if is_client else "Telnet-Client",
        "creator": "nobody" if is_client else "CREATOR OWNER: FullControl (subfolders, files only) (inherited)",
        "users": f"ReadAndExecute (inherited){more}",
    }


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


def test_what_is_announced_is_done(story: Story) -> None:
    assert story.hashes["announced"] == story.hashes["bare"], "a dry run changed something"
    assert plain(story.records["announced"]) == plain(story.records["applied"])
    assert {change["outcome"] for change in story.records["announced"]} == {"announced"}
    assert {change["outcome"] for change in story.records["applied"]} == {"done"}
    assert set(names(story.cases)) == {change["operation"] for change in story.records["applied"]}


def test_again_nothing_changes(story: Story) -> None:
    assert story.runs["applied"].code == 0, story.runs["applied"].output
    if "again" not in story.runs:
        pytest.skip("the same as on a server")
    assert story.records["again"] == []
    assert not story.runs["again"].changed
    assert story.hashes["again"] == story.hashes["applied"]


@pytest.mark.parametrize("name", [*names(CASES), "Download"])
def test_what_was_undone_by_hand_is_found_shown_and_repaired(story: Story, name: str) -> None:
    case = next((case for case in story.cases if case.name == name), None)
    if case is None:
        pytest.skip("the same as on a server; WINDOWS_MATRIX=11 runs all cases there")
    names_there = places(story.lab)
    lines = [text.format_map(names_there) if "{" in text else text for text in case.shown]
    expected = [text for text in lines if not text.endswith("nobody")]
    for run in ("found", "repaired"):
        assert [line(change) for change in story.records[run] if change["operation"] == name] == expected
        assert story.printed(run, case) == expected


def test_only_that_is_repaired(story: Story) -> None:
    assert story.hashes["by hand"] != story.hashes["applied"]
    assert story.hashes["found"] == story.hashes["by hand"], "a dry run changed something"
    applied, repaired = story.hashes["applied"]["durable"], story.hashes["repaired"]["durable"]
    others = {key for key in applied.keys() | repaired.keys() if applied.get(key) != repaired.get(key)}
    # A list that was written is a file's own even where it says what would be inherited; so these are compared by what they say.
    assert {key for key in others if not key.endswith("/acl")} == set()
    others = set(story.lists.get("applied", [])) ^ set(story.lists.get("repaired", []))
    # Entries that an administrator made a folder's own stay its own when it inherits again; nobody asked to take them away.
    assert {text.split("=")[0] for text in others} <= {"inheriting"}


def test_what_was_made_is_taken_away(story: Story) -> None:
    assert story.runs["removed"].code == 0, story.runs["removed"].output
    removable = {case.name for case in story.cases if case.removed is not None}
    assert {change["operation"] for change in story.records["removed"]} == removable
    if "removed again" in story.runs:
        assert story.records["removed again"] == []
        assert story.hashes["removed again"] == story.hashes["removed"]


def installers(story: Story, *steps: dict[str, Any], options: tuple[str, ...] = ("-y",)) -> tuple[Run, list[str]]:
    """One run of windows_installers.py; what it says, without the files that are fetched."""
    (story.folder / "steps.json").write_text(json.dumps(steps))
    record = story.folder / "installers.json"
    run = story.lab.pyinfra(
        options=("--diff", *options),
        deploy="tests/e2e/windows_installers.py",
        steps=story.folder / "steps.json",
        changes_file=record,
    )
    changes = json.loads(record.read_text())["changes"]
    return run, [line(change) for change in changes if "SHA-256" not in str(change["new"])]


def handler(story: Story, version: str, replace: bool = False, **arguments: Any) -> dict[str, Any]:
    name = ARTIFACT if version == "1.2" else "httpbridge_x64.msi"
    file = {"version": version, "url": story.lab.status["artifacts"] + name, "sha256": story.lab.artifact_sums()[name]}
    return {"kind": "handler", "file": {**file, "replace": replace}, "arguments": arguments}


def server_python(story: Story, **arguments: Any) -> dict[str, Any]:
    version = platform.python_version()
    name = f"python-{version}-amd64.zip"
    file = {"version": version, "url": story.lab.status["artifacts"] + name, "sha256": story.lab.artifact_sums()[name]}
    return {"kind": "python", "file": file, "arguments": {"path": r"C:\Python\first", **arguments}}


OTHER_SITE = r"""
$appcmd = "$env:windir\System32\inetsrv\appcmd.exe"
& $appcmd add site /name:Other /bindings:http/*:8099: /physicalPath:C:\inetpub\wwwroot
$handler = "[name='x',path='*.x',verb='*',modules='httpPlatformHandler',resourceType='Unspecified']"
& $appcmd set config Other /section:system.webServer/handlers "/+$handler" /commit:apphost
"""


def test_the_handler_and_python_are_installed_replaced_repaired_and_taken_off(story: Story) -> None:
    if story.cases != CASES and len(story.cases) == 1:
        pytest.skip("the same as on a server")
    lab, address = story.lab, story.lab.addresses[0]
    containers = {"server": ["Containers"], "client": ["SMB1Protocol"], "reboot": True}
    run, said = installers(
        story, handler(story, "1.2"), server_python(story), {"kind": "features", "arguments": containers}
    )
    assert run.code == 0, run.output
    assert said[:2] == ["+ HttpPlatformHandler: 1.2", rf"+ C:\Python\first: Python {platform.python_version()}"]
    assert said[-1] == "+ restart: when Windows needs it for these features"
    lab.powershell(address, OTHER_SITE)

    before = lab.hash(address)
    run, said = installers(story, handler(story, "2.0"), options=("--dry",))
    assert "1.2, but 2.0 is wanted" in run.output and "these use it too: Other" in run.output
    assert said == [] and lab.hash(address) == before

    run, said = installers(story, handler(story, "2.0", replace=True, site="Mine"))
    assert said[0] == "~ site Other uses HttpPlatformHandler: 1.2 -> 2.0"
    assert said[1].startswith("- ") and said[2:] == ["+ HttpPlatformHandler: 2.0"]
    schema = lab.powershell(address, r"Get-Content C:\Windows\System32\inetsrv\config\schema\httpplatform_schema.xml")
    assert "startupRetryCount" not in schema

    lab.powershell(
        address,
        r"""
        Remove-Item C:\Windows\System32\inetsrv\config\schema\httpplatform_schema.xml
        Set-Content C:\Python\first\pyinfra-iis.json '{"version": "3.0.0", "sha256": "x", "kind": "zip"}'
        Set-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\MpsSvc Start 4
        """,
    )
    lab.winlab("reboot", lab.name(address))
    wait_for(address)
    lab.powershell(
        address,
        r"[IO.Directory]::CreateDirectory('C:\apps\shop\venvs\abc'); Set-Content C:\apps\shop\venvs\abc\pyvenv.cfg 'home = C:\Python\first'",
    )
    run, said = installers(
        story,
        handler(story, "2.0"),
        server_python(story),
        {"kind": "firewall", "arguments": {"rule": "x", "ports": [80]}},
        handler(story, "2.0", replace=True, present=False),
        server_python(story, present=False, applications=[r"C:\apps"]),
    )
    assert "~ HttpPlatformHandler schema: missing -> installed" in said
    assert rf"~ C:\Python\first: Python 3.0.0 of another distribution -> Python {platform.python_version()}" in said
    assert "does not run Windows Firewall's service" in run.output
    assert "~ site Other uses HttpPlatformHandler: 2.0 -> None" not in said
    assert "- site Other uses HttpPlatformHandler: 2.0" in said
    assert r"is not removed: the Python of C:\apps\shop\venvs\abc lives there" in run.output
    run, said = installers(story, server_python(story, present=False, applications=[]))
    assert said == [rf"- C:\Python\first: Python {platform.python_version()}"]
    assert lab.powershell(address, r"Test-Path C:\Python\first, HKLM:\SOFTWARE\Nothing").split() == ["False", "False"]


def wait_for(address: str) -> None:
    """Until a server that restarts listens again."""
    limit = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((address, 5985), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < limit
            time.sleep(0.2)


def test_no_secret_is_seen(story: Story) -> None:
    said = json.dumps(story.records) + "".join(run.output for run in story.runs.values())
    assert "hunter" not in said


def plain(record: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in change.items() if key != "outcome"} for change in record]
