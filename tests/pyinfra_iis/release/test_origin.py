"""Who deploys, and which earlier runs on this machine are over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyinfra_iis.release import origin


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    origin.run_note.cache_clear()
    (tmp_path / "pyinfra-iis").mkdir()
    return tmp_path / "pyinfra-iis/runs.json"


def test_a_run_whose_process_is_gone_has_ended(runs: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runs.write_text(json.dumps([["dead", gone.pid], ["alive", os.getpid()]]))
    note = origin.run_note()
    assert note["ended"] == ["dead"]
    assert json.loads(runs.read_text())[-1] == [note["run"], os.getpid()]
    assert origin.run_note() is note


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[["x"]]'])
def test_a_broken_list_is_an_empty_one(runs: Path, text: str) -> None:
    runs.write_text(text)
    assert origin.run_note()["ended"] == []
