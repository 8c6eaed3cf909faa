"""How connections end: idle, Ctrl-C, a killed client, a reboot."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host

from tests.labkit import BIN, Lab

from .conftest import PWSH

pytestmark = pytest.mark.skipif(bool(PWSH), reason="needs the simulated process list")


def processes(host: Host) -> int:
    """PowerShell processes on the server beside ours."""
    _, output = host.run_shell_command("@(Get-Process -Name powershell).Count - 1")
    return int(output.stdout)


@pytest.fixture
def start(lab: Lab, tmp_path: Path) -> Callable[[], subprocess.Popen[bytes]]:
    """A pyinfra run in the middle of a long command."""
    (tmp_path / "inventory.py").write_text(
        f"hosts = (['@winrm/{lab.addresses[0]}'], {{'winrm_user': {lab.status['user']!r}, 'winrm_idle_timeout': 3, 'winrm_operation_timeout': 2}})\n"
    )

    def run() -> subprocess.Popen[bytes]:
        before = lab.stats()["actions"].get("Send", {}).get("requests", 0)
        found = subprocess.Popen(
            [str(BIN / "pyinfra"), "-y", "inventory.py", "exec", "--", "Start-Sleep -Seconds 60"],
            cwd=tmp_path, env={**os.environ, "WINRM_PASSWORD": lab.password}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        limit = time.monotonic() + 30
        while lab.stats()["actions"].get("Send", {}).get("requests", 0) < before + 2 and time.monotonic() < limit:
            time.sleep(0.3)
        time.sleep(1)
        return found

    return run


def test_ctrl_c_leaves_nothing_on_the_server(
    lab: Lab, host: Host, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run = start()
    assert processes(host) == 1
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=30)
    assert lab.password.encode() not in output
    time.sleep(0.5)
    assert processes(host) == 0


def test_a_killed_client_leaves_nothing_after_the_idle_timeout(
    lab: Lab, host: Host, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run = start()
    run.kill()
    run.communicate(timeout=30)
    assert processes(host) == 1
    limit = time.monotonic() + 45
    while processes(host) and time.monotonic() < limit:
        time.sleep(1)
    assert processes(host) == 0


def test_an_idle_connection(lab: Lab, new_host: Callable[..., Host]) -> None:
    for keep_alive in (0, 1):
        host = new_host(winrm_keep_alive=keep_alive)
        host.connect(raise_exceptions=True)
        lab.winlab("set", "connection-idle=1")
        time.sleep(2)
        before = lab.stats()["powershell_starts"]
        status, output = host.run_shell_command("'still here'")
        assert status and output.stdout == "still here"
        assert lab.stats()["powershell_starts"] == before
        lab.winlab("set", "clear")


def test_a_reboot_is_waited_for_as_pyinfra_does(lab: Lab, host: Host) -> None:
    lab.winlab("reboot", "--seconds", "2", lab.name(lab.addresses[0]))
    host.disconnect()
    limit = time.monotonic() + 30
    while not host.connected and time.monotonic() < limit:
        host.connect(show_errors=False)
        time.sleep(0.5)
    assert host.run_shell_command("'up'")[1].stdout == "up"


def test_a_reboot_in_the_middle_of_a_command(lab: Lab, new_host: Callable[..., Host]) -> None:
    host = new_host(winrm_reconnect_timeout=10, winrm_operation_timeout=3)
    host.connect(raise_exceptions=True)
    lab.winlab("set", "reboot=action:Receive,nth:2,seconds:2")
    status, output = host.run_shell_command("Start-Sleep -Seconds 20")
    assert not status
    assert "not run again" in output.stderr and len(output.stderr_lines) == 1
    limit = time.monotonic() + 20
    while not host.run_shell_command("'up'")[0] and time.monotonic() < limit:
        time.sleep(0.5)
    assert host.run_shell_command("'up'")[1].stdout == "up"


def test_a_server_that_is_down(lab: Lab, new_host: Callable[..., Host]) -> None:
    host = new_host(winrm_port=5999)
    with pytest.raises(ConnectError, match="not reachable"):
        host.connect(show_errors=False, raise_exceptions=True)
