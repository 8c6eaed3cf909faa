"""Runaway scripts on a simulated server end, and say so; the server goes on."""

from __future__ import annotations

import pytest

from tests.winlab.lab.conftest import LabCommand
from tests.winlab.lab.test_commands import run


@pytest.mark.parametrize(
    ("switch", "script", "says"),
    [
        ("powershell-timeout=1", "while ($true) { $x = 1 }", "ran longer than 1 second"),
        (
            "powershell-memory=60",
            "$a = 'x' * 1MB; $all = @(); while ($true) { $all += ($a + $all.Count) }",
            "more than 60 MB",
        ),
    ],
)
def test_runaways(running_lab: LabCommand, switch: str, script: str, says: str) -> None:
    running_lab("set", "SRV2", switch)
    try:
        protocol = running_lab.protocol(2)
        _, err, code = run(protocol, f'powershell -NoProfile -Command "{script}"')
        assert says in " ".join(err.split())
        assert code == 1
    finally:
        running_lab("set", "clear")
    assert run(protocol, 'powershell -NoProfile -Command "40 + 2"')[0] == "42\r\n"
