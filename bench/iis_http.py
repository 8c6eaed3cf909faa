"""Requests per second through the lab's IIS and HttpPlatformHandler to the example site, which one Python process serves.

Three processes share the machine: the lab (this one), the site's python.exe (Django behind a small threaded WSGI server of the standard library) and the
client. The same client also asks the site's process directly, which tells what IIS costs.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from winlab.iis import install
from winlab.iis.config import Configuration
from winlab.iis.files import machine_store
from winlab.iis.server import IISService
from winlab.windows.machine import Machine
from winlab.windows.python import build_distribution

ROOT = Path(__file__).parents[1]
ADDRESS, PORT = "127.0.9.1", 8014
SITE = r"C:\inetpub\mysite"
SECONDS = 5.0
CONNECTIONS = 8
FEATURES = (
    "Web-WebServer",
    "Web-Static-Content",
    "Web-Default-Doc",
    "Web-Http-Errors",
    "Web-Http-Logging",
    "Web-Filtering",
)

SERVE = """
import os, socketserver, sys
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

os.environ["DJANGO_SETTINGS_MODULE"] = "bench_settings"
from django.core.wsgi import get_wsgi_application

class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet

    def log_message(self, *parts):
        pass

    def handle(self):
        self.close_connection = False
        while not self.close_connection:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                return
            handler = Answer(self.rfile, self.wfile, self.get_stderr(), self.get_environ(), multithread=True)
            handler.request_handler = self
            handler.run(self.server.get_app())
            self.wfile.flush()

class Answer(ServerHandler):
    http_version = "1.1"

class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
server.set_app(get_wsgi_application())
server.serve_forever()
"""
SETTINGS = "from mysite.settings import *\nDEBUG = False\nALLOWED_HOSTS = ['*']\n"

CLIENT = """
import asyncio, json, sys, time

async def ask(address, port, path, until, counts):
    reader, writer = await asyncio.open_connection(address, port)
    request = f"GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n".encode()
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        lower = head.lower()
        if b"\\r\\ntransfer-encoding: chunked" in lower:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            await reader.readexactly(int(lower.split(b"\\r\\ncontent-length:")[1].split(b"\\r\\n")[0]))
        counts.append((head[9:12].decode(), time.perf_counter() - began))

async def main(address, port, path, seconds, connections):
    counts = []
    until = time.perf_counter() + float(seconds)
    await asyncio.gather(*(ask(address, int(port), path, until, counts) for _ in range(int(connections))))
    good = sorted(taken for status, taken in counts if status == "200")
    print(json.dumps({"rate": len(good) / float(seconds), "errors": len(counts) - len(good), "p95": good[int(len(good) * 0.95)] * 1000 if good else 0}))

asyncio.run(main(*sys.argv[1:]))
"""


class _Server:
    """A scratch server with the example site in IIS, its loop in a thread."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.machine = Machine("BENCH", "2022", ADDRESS, folder, self.loop)
        for feature in FEATURES:
            install.feature_installed(self.machine, feature)
        install.install_platform_handler(self.machine, "1.2")
        self._files()
        self._configure()
        self.service = IISService(self.machine)
        self.machine.iis = self.service

    def _files(self) -> None:
        fs = self.machine.fs
        fs.mkdir(r"C:\Python", parents=True)
        with zipfile.ZipFile(BytesIO(build_distribution())) as archive:
            archive.extractall(fs.host_path(r"C:\Python"))
        fs.copy_host_tree(ROOT / "examples" / "mysite", SITE)
        fs.write_bytes(SITE + r"\serve.py", SERVE.encode())
        fs.write_bytes(SITE + r"\bench_settings.py", SETTINGS.encode())
        packages = next(p for p in sys.path if p.endswith("site-packages"))
        config = (
            '<configuration><system.webServer><handlers><add name="python" path="*" verb="*" modules="httpPlatformHandler" '
            'resourceType="Unspecified" /></handlers><httpPlatform processPath="C:\\Python\\python.exe" arguments="serve.py '
            f'%HTTP_PLATFORM_PORT%" startupTimeLimit="60"><environmentVariables><environmentVariable name="PYTHONPATH" value="{packages}" />'
            "</environmentVariables></httpPlatform></system.webServer></configuration>"
        )
        fs.write_bytes(SITE + r"\web.config", config.encode())

    def _configure(self) -> None:
        session = machine_store(self.machine).session()
        apphost: Configuration = session.apphost()
        apphost.section("system.webServer/handlers").set_override_mode("Allow")
        site = apphost.section("system.applicationHost/sites").collection[0]
        site.child("bindings").collection[0].set("bindingInformation", f"*:{PORT}:")
        site.collection[0].collection[0].set("physicalPath", SITE)
        session.commit()

    def close(self) -> None:
        self.service.stop()
        self.machine.shutdown()
        self.loop.call_soon_threadsafe(self.loop.stop)


def _measure(address: str, port: int, path: str, seconds: float, connections: int) -> dict[str, Any]:
    command = [sys.executable, "-c", CLIENT, address, str(port), path, str(seconds), str(connections)]
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def run() -> dict[str, object]:
    """Measures the login page of Django's admin through IIS and without it, and a static file of IIS."""
    with tempfile.TemporaryDirectory(prefix="winlab-bench-") as folder:
        server = _Server(Path(folder))
        try:
            server.service.start()
            _measure(ADDRESS, PORT, "/admin/login/", 1.0, 2)
            used = _cpu()
            through = _measure(ADDRESS, PORT, "/admin/login/", SECONDS, CONNECTIONS)
            used = _cpu() - used
            (backend,) = [
                b for p in server.service.worker_processes() for a in p.applications.values() for b in a.running
            ]
            direct = _measure("127.0.0.1", backend.port, "/admin/login/", SECONDS, CONNECTIONS)
            static = _static(server)
        finally:
            server.close()
    asked = through["rate"] * SECONDS
    return {
        "iis_http.requests_per_second": round(through["rate"]),
        "iis_http.errors": through["errors"],
        "iis_http.milliseconds_95th_percentile": round(through["p95"], 1),
        "iis_http.requests_per_second_without_iis": round(direct["rate"]),
        "iis_http.share_of_direct_speed": round(through["rate"] / direct["rate"], 2) if direct["rate"] else None,
        "iis_http.lab_cpu_milliseconds_per_request": round(used / asked * 1000, 2) if asked else None,
        "iis_http.static_requests_per_second": round(static["rate"]),
        "iis_http.static_errors": static["errors"],
    }


def _static(server: _Server) -> dict[str, Any]:
    fs = server.machine.fs
    fs.write_bytes(SITE + r"\a.txt", b"x" * 2000)
    handlers = '<handlers><clear /><add name="StaticFile" path="*" verb="*" modules="StaticFileModule" resourceType="Either" requireAccess="Read" /></handlers>'
    fs.write_bytes(
        SITE + r"\web.config",
        f"<configuration><system.webServer>{handlers}</system.webServer></configuration>".encode(),
    )
    return _measure(ADDRESS, PORT, "/a.txt", SECONDS / 2, CONNECTIONS)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    began = time.monotonic()
    for name, value in run().items():
        print(f"{name:45} {value}")
    print(f"{'seconds':45} {time.monotonic() - began:.1f}")
