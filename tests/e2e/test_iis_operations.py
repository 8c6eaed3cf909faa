"""Every IIS operation and its properties: announced, applied, applied again, undone by hand as an administrator would, found, shown, repaired, taken away.

A handful of runs with all cases of iis_cases.py in each; the tests look at what the runs left.
"""

from __future__ import annotations

import datetime
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from pyinfra_iis.operations.iis import certificates
from tests.e2e.iis_cases import CASES, Case, certificate_cases
from tests.labkit import Lab, Run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("iis-operations"), pytest.mark.timeout(900)]

DEPLOY = "tests/e2e/iis_operations.py"
VERSIONS = ["2022", *[name for name in os.environ.get("IIS_MATRIX", "").split(",") if name]]


@dataclass
class Story:
    """What happened to one server."""

    lab: Lab
    folder: Path
    cases: list[Case]
    description: str
    runs: dict[str, Run] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    hashes: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, *options: str, **data: Any) -> None:
        """One run of all cases."""
        record = self.folder / f"{name}.json"
        data |= {"changes_file": record, "folder": self.folder}
        self.runs[name] = self.lab.pyinfra(options=("--diff", *options), deploy=DEPLOY, **data)
        self.records[name] = json.loads(record.read_text())["changes"] if record.exists() else []
        self.hashes[name] = self.lab.hash(self.lab.addresses[0])
        self.files[name] = self.configuration()

    def configuration(self) -> str:
        """applicationHost.config as it stands on the server's disk, or nothing."""
        path = r"C:\Windows\System32\inetsrv\config\applicationHost.config"
        return self.lab.powershell(
            self.lab.addresses[0], f"if (Test-Path '{path}') {{ [IO.File]::ReadAllText('{path}') }}"
        )

    def said(self, name: str, case: Case) -> list[str]:
        """What a run announced or did for a case."""
        return [line(change) for change in self.records[name] if change["operation"] == case.name]


def line(change: dict[str, Any]) -> str:
    """A change of a record as the diff prints it."""
    what, old, new = change["what"], change["old"], change["new"]
    if old is None:
        return f"+ {what}: {new or '(empty)'}"
    return f"- {what}: {old}" if new is None else f"~ {what}: {old or '(empty)'} -> {new or '(empty)'}"


def make_pfx(folder: Path, name: str) -> certificates.Pfx:
    """A certificate for a host name and one label below it; its file is named after the first label."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName(f"*.{name}")]), False)
        .sign(key, hashes.SHA256())
    )
    data = pkcs12.serialize_key_and_certificates(
        None, key, made, None, serialization.BestAvailableEncryption(b"hunter3")
    )
    path = folder / f"{name.split('.')[0]}.pfx"
    path.write_bytes(data)
    return certificates.read(str(path), "hunter3")


@pytest.fixture(scope="module", params=VERSIONS)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("iis")
    own = make_pfx(folder, "www.example.com")
    make_pfx(folder, "other.example.com")
    lab = Lab(folder / "lab", f"127.{random.randint(30, 39)}.{random.randint(1, 250)}", 1, "--windows", request.param)
    lab.environment["WINLAB_WINDOWS"] = request.param
    made = Story(lab, folder, [*CASES, *certificate_cases(folder)], own.description)
    try:
        made.hashes["bare"] = lab.hash(lab.addresses[0])
        made.run("announced", "--dry")
        made.run("applied", "-y")
        made.run("again", "-y")
        made.run("by hand", "-y", by_hand=True)
        made.run("found", "--dry")
        made.run("repaired", "-y")
        made.run("removed", "-y", undo=True)
        made.run("removed again", "--dry", undo=True)
        yield made
    finally:
        lab.down()


def test_a_bare_server_gets_the_whole_plan(story: Story) -> None:
    assert story.runs["announced"].code == 0, story.runs["announced"].output
    assert story.hashes["announced"] == story.hashes["bare"], "a dry run changed something"
    assert {change["operation"] for change in story.records["announced"]} >= {
        case.name for case in story.cases if case.removed is not None
    }


IN_OTHER_WORDS = {"Pool in other words", "Pool's collections", "Redirect", "Section for a path"}
"""Their values are not written as IIS writes them, which a server without IIS cannot know."""
ON_WHAT_IS_THERE = {"Site's collections", "HSTS", "Entry that goes", "Binding", "Binding's certificate"}
"""They change what the cases before them made, or what comes with IIS."""


@pytest.mark.parametrize("name", [case.name for case in CASES if case.name not in IN_OTHER_WORDS | ON_WHAT_IS_THERE])
def test_what_was_announced_for_a_bare_server_is_done(story: Story, name: str) -> None:
    def said(run: str) -> list[tuple[str, str]]:
        return [(change["what"], str(change["new"])) for change in story.records[run] if change["operation"] == name]

    assert said("announced") == said("applied") != []


def test_applied_once(story: Story) -> None:
    assert story.runs["applied"].code == 0, story.runs["applied"].output
    assert story.runs["again"].code == 0, story.runs["again"].output
    assert story.records["again"] == []
    assert story.hashes["again"] == story.hashes["applied"]


@pytest.mark.parametrize("name", [*[case.name for case in CASES if case.shown], "Other certificate"])
def test_what_was_undone_by_hand_is_found_shown_and_repaired(story: Story, name: str) -> None:
    case = next(case for case in story.cases if case.name == name)
    expected = [text.replace("{certificate}", story.description) for text in case.shown]
    for run in ("found", "repaired"):
        assert sorted(story.said(run, case)) == sorted(expected)


def test_only_that_is_repaired(story: Story) -> None:
    assert story.runs["by hand"].code == 0, story.runs["by hand"].output
    assert story.runs["found"].code == 0, story.runs["found"].output
    assert story.runs["repaired"].code == 0, story.runs["repaired"].output
    assert story.hashes["found"] == story.hashes["by hand"], "a dry run changed something"
    assert meaning(story.files["repaired"]) == meaning(story.files["applied"])


def test_what_was_made_is_taken_away(story: Story) -> None:
    assert story.runs["removed"].code == 0, story.runs["removed"].output
    assert {change["operation"] for change in story.records["removed"]} == {
        case.name for case in story.cases if case.removed is not None
    }
    assert story.records["removed again"] == []
    assert story.hashes["removed again"] == story.hashes["removed"]


def test_no_secret_is_seen(story: Story) -> None:
    said = json.dumps(story.records) + "".join(run.output for run in story.runs.values())
    assert "hunter" not in said


def meaning(text: str) -> list[str]:
    """The lines of a configuration file, without those that an administrator's own variable made; what is encrypted reads differently each time."""
    lines = re.sub(r"\[enc:.*?:enc\]", "[enc]", text).splitlines()
    return sorted(
        re.sub(r"\S+=\"[^\"]*\"", "", line.strip()) + " ".join(attributes(line))
        for line in lines
        if "FOREIGN" not in line
    )


def attributes(line: str) -> list[str]:
    """The attributes in a line; IIS puts one that it sets anew behind the others."""
    return sorted(re.findall(r"\S+=\"[^\"]*\"", line))
