"""Which name a request over TLS asks for, and which one the certificate must have."""

from __future__ import annotations

from pathlib import Path

from tests.winlab.powershell_dotnet.conftest import run_on, web_server
from winlab.windows.machine import Machine


def test_a_host_header_of_ones_own_is_the_name(tmp_path: Path) -> None:
    """HttpWebRequest makes its TLS stream for the host of the Host header where one was set (Connection.CompleteConnection)."""
    machine = Machine("SRV", "2022", "127.0.0.3", tmp_path / "machine")
    own = machine.certificates.create_self_signed(["www.example.com"])
    machine.certificates.add(own, "Root")
    names: list[str] = []
    with web_server(machine, own.thumbprint, names) as port:
        ask = "[Net.ServicePointManager]::SecurityProtocol = 'Tls12'; "
        ask += f"$q = [Net.WebRequest]::Create('https://localhost:{port}/')"
        answer = "try { [int] $q.GetResponse().StatusCode } catch { $_.Exception.InnerException.Status }"
        assert run_on(machine, f"{ask}; $q.Host = 'www.example.com:{port}'; {answer}") == ["200"]
        assert run_on(machine, f"{ask}; {answer}") == ["TrustFailure"]
    assert names == ["www.example.com", "localhost"]
