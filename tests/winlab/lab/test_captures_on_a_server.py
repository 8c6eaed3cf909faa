"""The recorded requests against a whole simulated server: cmd, its `set`, PowerShell without cmd."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.winlab.lab.conftest import LabCommand
from tests.winlab.winrm.test_captures import CAPTURES, replay


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_server_answers_as_recorded(path: Path, running_lab: LabCommand) -> None:
    if "powershell" in path.read_text("utf-8") and not importlib.util.find_spec("winlab.powershell.host"):
        pytest.skip("the lab's powershell.exe is not there yet")
    lab = running_lab
    lab("set", "SRV1", "allow-unencrypted=on", "basic=on")
    try:
        status = lab.json("status")
        for tries_left in (2, 1, 0):
            try:
                replay(path, status["hosts"][0]["winrm"], status["password"])
                break
            except AssertionError:
                # On a busy machine a program's end may come later than its output, and so in a reply of its own.
                if not tries_left:
                    raise
    finally:
        lab("set", "clear")
