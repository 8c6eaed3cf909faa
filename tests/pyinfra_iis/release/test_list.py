"""The list of releases, from what records say."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.deploys.release import _releases, _table
from pyinfra_iis.powershell import Script, literal
from pyinfra_iis.release import helper, origin, release
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects
from winlab.scratch import run_powershell

FIRST, SECOND, THIRD = (f"r{digit * 15}" for digit in "123")
STATE = {
    "releases": [FIRST, SECOND, THIRD],
    "environments": ["k1"],
    "bad": [SECOND],
    "index": [f"{FIRST} k1", f"{SECOND} k1"],
    "history": [f"2026-01-01T10:00:00Z {FIRST}", f"2026-01-02T10:00:00Z {SECOND}", f"2026-01-03T10:00:00Z {FIRST}"],
    "live": FIRST,
}
RECORDS = {
    FIRST: {"made": "2026-01-01T09:00:00Z", "by": "me@here", "commit": "a" * 40 + "+", "size": 20_400_000},
    SECOND: {"made": "2026-01-02T09:00:00Z", "by": "me@here", "commit": "b" * 40, "ref": "v2", "size": 1},
}


def test_the_latest_first() -> None:
    found = _releases(STATE, RECORDS)
    assert [item["release"] for item in found] == [FIRST, SECOND, THIRD]
    assert found[0] == {
        "release": FIRST,
        "live": True,
        "bad": False,
        "target": False,
        "live_since": "2026-01-03T10:00:00Z",
        "made": "2026-01-01T09:00:00Z",
        "by": "me@here",
        "commit": "a" * 40 + "+",
        "ref": "",
        "size": 20_400_000,
        "environment": "k1",
    }
    assert found[2]["target"] is False and found[2]["size"] is None


def test_as_a_table() -> None:
    answers = {"web1": {"app": "x", "releases": _releases(STATE, RECORDS)}, "web2": {"app": "x", "releases": []}}
    heading, *lines = _table(answers).splitlines()
    assert heading.split()[:2] == ["host", "release"]
    assert f"{'a' * 12}+ " in lines[0] and "20.4 MB" in lines[0] and lines[0].endswith("live")
    assert f"{'b' * 12} (v2)" in lines[1] and lines[1].endswith("bad")
    assert lines[3].split() == ["web2", "none"]


def records(texts: dict[str, str]) -> dict[str, Any]:
    """What the script tells about records with these texts, on the lab."""
    lines = [
        "[void] [IO.Directory]::CreateDirectory('C:\\app\\releases')\n",
        *(
            f"[IO.File]::WriteAllText('C:\\app\\releases\\{name}', (ConvertFrom-Json {literal([text])})[0])\n"
            for name, text in texts.items()
        ),
    ]
    out, errors = io.BytesIO(), io.BytesIO()
    script = "".join(lines) + Script("release/records", {"root": r"C:\app"}).get_raw_value()
    assert run_powershell(script, "2022", out, errors) == 0, errors.getvalue()
    return json.loads(out.getvalue())["records"]


def test_what_a_record_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "deployer", lambda: 'EX\\jürgen "j" müller@home')
    made = release.make(
        build({"project": projects.make(tmp_path / "p", **{"size": "1", "made/by": "x", "by": ""})}, DjangoSettings)
    )
    about = {**origin.describe(made.project), "size": 123}
    record = json.dumps({**about, "id": made.id, "environment": "k", "files": made.entries}, sort_keys=True)
    found = records({f"{made.id}.json": record, "r1.json": "{", "r2.json.partial": record, "r3.json": '{"by": "x'})
    assert found[made.id] == about
    assert found["r1"] == found["r3"] == {}
    assert set(found) == {made.id, "r1", "r3"}


def test_a_server_without_releases() -> None:
    out, errors = io.BytesIO(), io.BytesIO()
    script = Script("release/records", {"root": r"C:\nothing"}).get_raw_value()
    assert run_powershell(script, "2022", out, errors) == 0, errors.getvalue()
    assert json.loads(out.getvalue()) == {"records": {}}


def test_the_record_of_a_release_knows_its_size(tmp_path: Path) -> None:
    made = release.make(build({"project": projects.make(tmp_path / "p")}, DjangoSettings))
    with zipfile.ZipFile(io.BytesIO(made.archive())) as archive:
        about = json.loads(archive.read("delta.json"))["about"]
    assert about["size"] == sum(len(file.read()) for file in made.files.values())
    assert helper.release_id(made.requirements.key, made.entries) == made.id
