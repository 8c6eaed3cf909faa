"""A whole run with every verbosity and under faults never shows the password or a hidden value."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.labkit import BIN, Lab

from .conftest import PWSH

HIDDEN = "h1dden-v4lue-7391"

DEPLOY = f"""
import io
from pyinfra import host
from pyinfra.api import HiddenValue
from pyinfra.operations import files, python, server

server.shell(name="env", commands=["'length ' + $env:HIDDEN_TOKEN.Length"], _env={{"HIDDEN_TOKEN": HiddenValue("{HIDDEN}")}})
files.put(name="file", src=io.BytesIO(b"x" * 100000), dest="{{folder}}/x.bin", force=True)
server.shell(name="fails", commands=["throw 'on purpose'"], _env={{"HIDDEN_TOKEN": HiddenValue("{HIDDEN}")}}, _ignore_errors=True)
server.shell(name="slow", commands=["Start-Sleep 30"], _timeout=1, _env={{"HIDDEN_TOKEN": HiddenValue("{HIDDEN}")}}, _ignore_errors=True)
"""

INVENTORY = """
import os
hosts = (["@winrm/" + os.environ["T_ADDRESS"]], {"winrm_user": os.environ["T_USER"], "winrm_password": open(os.environ["T_PASSWORD"]).read()})
"""

FAULTS = [
    "", "drop-before=action:Send,nth:4", "drop-after=action:Receive,nth:4", "http-400=action:Send,nth:5", "http-401=action:Send,nth:4,count:9",
    "proxy-html=action:Receive,nth:5", "busy=2", "shell-gone=action:Receive,nth:5", "process-killed=action:Receive,nth:4",
    "quota-shells=action:Create", "http-401=action:Create,count:9", "http-500=action:Command,count:9",
]  # fmt: skip

if not os.environ.get("WINRM_FAULT_MATRIX"):  # all of it takes a minute
    FAULTS = FAULTS[::4]


@pytest.fixture
def run(lab: Lab, tmp_path: Path):  # type: ignore[no-untyped-def]
    password = tmp_path / "password"
    password.write_text(lab.password)
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / "deploy.py").write_text(DEPLOY.replace("{folder}", str(there) if PWSH else "C:/Windows/Temp"))
    (tmp_path / "inventory.py").write_text(INVENTORY)
    environment = {
        **os.environ, "T_ADDRESS": lab.addresses[0], "T_USER": lab.status["user"], "T_PASSWORD": str(password), "PYINFRA_PROGRESS": "off",
    }  # fmt: skip

    def pyinfra(*arguments: str) -> str:
        done = subprocess.run(
            [str(BIN / "pyinfra"), *arguments], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done.stdout

    yield pyinfra
    lab.winlab("set", "clear")


@pytest.mark.parametrize("fault", FAULTS, ids=[fault or "none" for fault in FAULTS])
def test_a_run(lab: Lab, run, fault: str) -> None:  # type: ignore[no-untyped-def]
    lab.winlab("set", "clear")
    if fault:
        lab.winlab("set", fault)
    shown = run("-vvv", "--debug", "-y", "inventory.py", "deploy.py")
    assert lab.password not in shown and HIDDEN not in shown
    assert "pyinfra_iis/connector" not in shown  # no traceback through us
    if not fault:
        assert f"length {len(HIDDEN)}" in shown
        assert "on purpose" in shown and "timed out" in shown


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ([], ["debug-inventory"]),
        (["--json"], ["debug-inventory"]),
        (["--debug-all", "-vvv", "-y"], ["exec", "--", "'a'"]),
        (["--json", "-y"], ["exec", "--", "'a'"]),
        (["--debug-operations"], ["deploy.py"]),
    ],
)
def test_dumps(lab: Lab, run, options: list[str], command: list[str]) -> None:  # type: ignore[no-untyped-def]
    lab.winlab("set", "clear")
    shown = run(*options, "inventory.py", *command)
    assert "127.11." in shown
    assert lab.password not in shown and HIDDEN not in shown


LOOK = """
Get-CimInstance Win32_Process | ForEach-Object { $_.CommandLine }
Get-WinEvent -LogName Application -MaxEvents 50 -ErrorAction SilentlyContinue | ForEach-Object { $_.Message }
"""


@pytest.mark.skipif(bool(PWSH), reason="needs the simulated process list")
def test_command_lines_on_the_server(lab: Lab, run) -> None:  # type: ignore[no-untyped-def]
    lab.winlab("set", "clear")
    shown = run("-vvv", "-y", "inventory.py", "exec", "--", LOOK)
    assert "powershell.exe -NoLogo" in shown
    assert lab.password not in shown and HIDDEN not in shown
