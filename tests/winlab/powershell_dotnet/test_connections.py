"""Where a script's own connections come from, and what its clock says."""

from __future__ import annotations

import datetime
from pathlib import Path

from tests.winlab.powershell_dotnet.conftest import run_on, web_server
from winlab.windows.machine import Machine


def test_a_request_to_the_server_itself_comes_from_its_own_address(tmp_path: Path) -> None:
    """Otherwise IIS would not take it for a local one."""
    machine = Machine("SRV", "2022", "127.0.0.2", tmp_path)
    with web_server(machine) as port:
        script = f"(New-Object Net.WebClient).DownloadString('http://localhost:{port}/')"
        assert run_on(machine, script) == ["127.0.0.2"]


def test_who_listens_is_told_until_the_process_ends(tmp_path: Path) -> None:
    machine = Machine("SRV", "2022", "127.0.0.3", tmp_path)
    process = machine.processes.create_service_process(
        "C:\\apache.exe", "apache.exe", machine.accounts.token("Administrator")
    )
    listen = """
$Listener = New-Object Net.Sockets.TcpListener ([Net.IPAddress]::Any), 0
$Listener.Start()
$Listener.LocalEndpoint.Port
"""
    (port,) = run_on(machine, listen, process)
    look = f"""
Get-NetTCPConnection -State Listen -LocalPort {port} -ErrorAction SilentlyContinue | ForEach-Object {{ "$($_.LocalAddress) $($_.OwningProcess)" }}
foreach ($End in [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpListeners()) {{ if ($End.Port -eq {port}) {{ "$End" }} }}
"""
    assert run_on(machine, look) == [f"0.0.0.0 {process.pid}", f"0.0.0.0:{port}"]
    process.finish(0)
    assert run_on(machine, look) == []


def test_the_clock_of_a_script_is_the_servers(tmp_path: Path) -> None:
    machine = Machine("SRV", "2022", "127.0.0.2", tmp_path)
    machine.clock_skew = datetime.timedelta(days=2)
    (difference,) = run_on(machine, "[int] ([DateTime]::UtcNow - [DateTime]::Parse('" + _now() + "')).TotalHours")
    assert difference == "48"
    (difference,) = run_on(machine, "[int] ((Get-Date) - [DateTime]::Parse('" + _now() + "')).TotalHours")
    assert difference == "48"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
