"""Which name a request over TLS asks for, and which one the certificate must have."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.winlab.powershell_dotnet.conftest import run_on
from winlab.windows.machine import Machine


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_host_header_of_ones_own_is_the_name(tmp_path: Path) -> None:
    """HttpWebRequest makes its TLS stream for the host of the Host header where one was set (Connection.CompleteConnection)."""
    machine = Machine("SRV", "2022", "127.0.0.3", tmp_path / "machine")
    own = machine.certificates.create_self_signed(["www.example.com"])
    machine.certificates.add(own, "Root")
    pem = tmp_path / "own.pem"
    pem.write_bytes(machine.certificates.pem(own.thumbprint) or b"")
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda connection, name, _: names.append(name or "")
    server = HTTPServer(("127.0.0.3", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        ask = "[Net.ServicePointManager]::SecurityProtocol = 'Tls12'; "
        ask += f"$q = [Net.WebRequest]::Create('https://localhost:{server.server_port}/')"
        answer = "try { [int] $q.GetResponse().StatusCode } catch { $_.Exception.InnerException.Status }"
        assert run_on(machine, f"{ask}; $q.Host = 'www.example.com:{server.server_port}'; {answer}") == ["200"]
        assert run_on(machine, f"{ask}; {answer}") == ["TrustFailure"]
        assert names == ["www.example.com", "localhost"]
    finally:
        server.shutdown()
