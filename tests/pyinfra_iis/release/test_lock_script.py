"""The lock of an application's deploys, as the scripts on the server take and read it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from pyinfra_iis.powershell import Script
from winlab.scratch import run_powershell

ROOT = r"C:\inetpub\shop"
LEFT = rf"""
[void] [IO.Directory]::CreateDirectory('{ROOT}')
$Process = @(Get-Process -Name NAME)[0]
if ('NAME' -eq 'powershell') {{ $Process = [Diagnostics.Process]::Start('powershell.exe', '-Command Start-Sleep 30') }}
$Started = 'another'
if ($SAME) {{ $Started = $Process.StartTime.ToUniversalTime().ToString('o') }}
$Note = @{{ by = 'somebody'; run = 'r1'; since = '2026-01-01T00:00:00Z'; process = $Process.Id; started = $Started }}
[IO.File]::WriteAllText('{ROOT}\deploy.lock', (ConvertTo-Json -Compress $Note))
"""


def run(left_by: str, script: str, request: dict[str, Any], same: bool = False) -> tuple[int, str, str]:
    """Run a script where a deploy has left its note: the process of that number has another program's name now, or is that deploy (`same`)."""
    before = LEFT.replace("NAME", left_by).replace("$SAME", f"${same}")
    after = "\nif ('NAME' -eq 'powershell') { $Process.Kill() }".replace("NAME", left_by)
    out, err = io.BytesIO(), io.BytesIO()
    code = run_powershell(before + Script(script, request).text + after, "2016", out, err)
    return code, out.getvalue().decode(), err.getvalue().decode()


LOCK = {"root": ROOT, "by": {"user": "me", "run": "r2", "ended": []}}


@pytest.mark.parametrize("program", ["svchost", "csrss"])
def test_the_number_of_a_dead_deploys_process_may_be_any_programs_now(program: str) -> None:
    # Of csrss, as of a virus scanner's process, nobody learns when it started.
    code, _, errors = run(program, "operate/lock", LOCK)
    assert (code, errors) == (0, "")


def test_a_running_deploy_is_named() -> None:
    code, _, errors = run("powershell", "operate/lock", LOCK, same=True)
    assert code == 1
    assert "somebody has been deploying to" in errors


@pytest.mark.parametrize(
    ("program", "same", "told"), [("svchost", False, ""), ("csrss", False, ""), ("powershell", True, "somebody")]
)
def test_the_status_tells_of_a_running_deploy_only(program: str, same: bool, told: str) -> None:
    request = {"root": ROOT, "site": "shop", "application": "/", "pool": "shop"}
    code, output, errors = run(program, "operate/status", request, same)
    assert (code, errors) == (0, "")
    state = json.loads(output)
    assert state["problems"] == []
    assert (state["deploying"] or {"by": ""})["by"] == told
