"""`winlab up --powershell PATH`: powershell.exe is the program at PATH, with everything that belongs to a process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.winlab.lab.conftest import LabCommand

STAND_IN = f"""#!{sys.executable}
import sys, time
arguments = sys.argv[1:]
if "sleep" in arguments:
    print("sleeping", flush=True)
    time.sleep(60)
data = sys.stdin.buffer.read() if "stdin" in arguments else b""
sys.stdout.write(repr(arguments) + "|")
sys.stdout.flush()
sys.stdout.buffer.write(data)
sys.stderr.write("to stderr")
sys.exit(42)
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    path = tmp_path / "pwsh"
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return path


def test_streams_arguments_and_exit_code(lab: LabCommand, stand_in: Path) -> None:
    assert lab.json("up", "--powershell", str(stand_in))["powershell"] == str(stand_in)
    protocol = lab.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, 'powershell.exe -NoProfile -Command "a b" stdin', console_mode_stdin=False)
    data = bytes(range(256)) * 400
    protocol.send_command_input(shell, command, data, end=True)
    out, err, code = protocol.get_command_output(shell, command)
    assert (out, err, code) == (b"['-NoProfile', '-Command', 'a b', 'stdin']|" + data, b"to stderr", 42)
    assert lab.json("stats")["hosts"]["SRV1"]["powershell_starts"] == 1


def test_ending_the_command_ends_the_real_process(lab: LabCommand, stand_in: Path) -> None:
    lab("up", "--powershell", str(stand_in))
    protocol = lab.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "powershell.exe sleep")
    assert protocol.get_command_output_raw(shell, command)[0].startswith(b"sleeping")
    protocol.close_shell(shell)
    assert ends(stand_in)


def ends(program: Path) -> bool:
    """Whether the program's processes end within seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not running(program):
            return True
        time.sleep(0.05)
    return False


def running(program: Path) -> list[str]:
    """Processes of this machine that run the program."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(program).encode() in entry.read_bytes().split(b"\0"):
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def test_the_time_a_start_takes(lab: LabCommand, stand_in: Path) -> None:
    lab("up", "--powershell", str(stand_in), "powershell-start=700")
    protocol = lab.protocol()
    shell = protocol.open_shell()
    start = time.monotonic()
    command = protocol.run_command(shell, "powershell.exe x")
    assert protocol.get_command_output(shell, command)[2] == 42
    assert 0.7 <= time.monotonic() - start < 2.5


def test_runaways_end_and_say_so(lab: LabCommand, stand_in: Path) -> None:
    lab("up", "--powershell", str(stand_in), "powershell-timeout=0.5")
    protocol = lab.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "powershell.exe sleep")
    out, err, code = protocol.get_command_output(shell, command)
    assert (out, code) == (b"sleeping\n", 1)
    assert b"ended by the lab after 0.5 s" in err
    assert ends(stand_in)


@pytest.mark.skipif(not os.environ.get("PWSH"), reason="PWSH names no PowerShell")
def test_a_real_powershell(lab: LabCommand) -> None:
    lab("up", "--powershell", os.environ["PWSH"])
    protocol = lab.protocol()
    shell = protocol.open_shell(codepage=65001)
    command = protocol.run_command(shell, 'powershell -NoProfile -Command "1 + 1; exit 3"')
    out, _, code = protocol.get_command_output(shell, command)
    assert (out.strip(), code) == (b"2", 3)
