"""Scripts run on a scratch server; their output comes back as texts."""

from __future__ import annotations

import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from winlab.powershell.errors import LabUnsupported, NetException, TerminatingError
from winlab.powershell.runtime.commands import Streams, discard
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
from winlab.powershell.runtime.engine import Runtime, run_in_thread
from winlab.windows.machine import Machine
from winlab.windows.processes import Process

Run = Callable[[str], list[str]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A bare Windows Server 2016 without listeners."""
    folder: Path = tmp_path_factory.mktemp("server")
    return Machine("SCRATCH", "2016", "127.0.0.1", folder)


def _show(value: Any, into: list[str]) -> None:
    if is_enumerable(value):
        for item in iterate(value):
            _show(item, into)
    elif value is not None:
        into.append(to_string(value))


def run_on(machine: Machine, script: str, process: Process | None = None) -> list[str]:
    """A script's output; error records as `! id: message`, what ended it as `!! id: message`, a refusal as `? text`."""
    lines: list[str] = []

    def body() -> None:
        user = machine.accounts.token("Administrator")
        runtime = Runtime(machine, user=user, location="C:\\Users\\Administrator", process=process)
        runtime.streams = Streams(
            lambda record: lines.append(f"! {record.fully_qualified_error_id}: {record.message}"),
            lambda record: lines.append(f"warning: {record.message}"),
            discard,
            discard,
            discard,
        )
        try:
            runtime.run_block(runtime.parse(script), lambda value: _show(value, lines))
        except TerminatingError as error:
            lines.append(f"!! {error.record.fully_qualified_error_id}: {error.record.message}")
        except NetException as error:
            lines.append(f"!! {error.error_id}: {error.message}")
        except LabUnsupported as unsupported:
            lines.append(f"? {unsupported.message}")

    thread = run_in_thread(body, "test")
    thread.join(60)
    assert not thread.is_alive(), "the script did not end"
    return lines


@pytest.fixture
def run(server: Machine) -> Run:
    return lambda script: run_on(server, script)


class _Handler(BaseHTTPRequestHandler):
    """Answers each GET with the address that asked."""

    def do_GET(self) -> None:
        body = self.client_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def web_server(machine: Machine, certificate: str = "", names: list[str] | None = None) -> Iterator[int]:
    """A web server beside a machine, at its address; gives its port.

    Args:
        machine: the machine.
        certificate: the thumbprint of one of the machine's own, for TLS 1.2 and later.
        names: gets the name that each client asks for.
    """
    server = HTTPServer((machine.address, 0), _Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(machine.certificates.pem(certificate) or b"")
            pem.flush()
            context.load_cert_chain(pem.name)
        if names is not None:
            context.sni_callback = lambda connection, name, _: names.append(name or "")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
