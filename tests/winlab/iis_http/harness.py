"""A scratch server with IIS on a loopback address of its own, real HTTP requests to it, small backends for HttpPlatformHandler."""

from __future__ import annotations

import asyncio
import atexit
import functools
import http.client
import io
import itertools
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winlab.iis import install
from winlab.iis.config import Configuration, Element
from winlab.iis.files import machine_store
from winlab.iis.server import IISService
from winlab.windows.acl import Acl
from winlab.windows.machine import Machine
from winlab.windows.python import build_distribution

FEATURES = (
    "Web-WebServer",
    "Web-Static-Content",
    "Web-Default-Doc",
    "Web-Dir-Browsing",
    "Web-Http-Errors",
    "Web-Http-Logging",
    "Web-Filtering",
    "Web-Http-Redirect",
)
SITE = r"C:\inetpub\site"
PYTHON = r"C:\Python\python.exe"
PORT = 8000
HANDLER = '<handlers><add name="python" path="*" verb="*" modules="httpPlatformHandler" resourceType="Unspecified" /></handlers>'
# each worker of pytest-xdist has a network of its own
_network = 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_addresses = (f"127.{_network}.{n // 250}.{n % 250 + 1}" for n in itertools.count())

# Answers with what it was asked and what it was started with; /die, /slow?N, /big?N, /status?N, /stream and /upload do what they say.
BACKEND = """
import http.server, json, os, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *parts):
        print("request", self.path, flush=True)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        count = int(query) if query.isdigit() else 0
        if path == "/die":
            os._exit(3)
        if path == "/hangup":
            self.close_connection = True
            return
        if path == "/slow":
            time.sleep(count)
        if path == "/garbage":
            self.wfile.write(b"not http at all\\r\\n\\r\\n")
            self.close_connection = True
            return
        if path == "/big":
            self.send_response(200)
            self.send_header("Content-Length", str(count))
            self.end_headers()
            while count > 0:
                piece = min(count, 65536)
                self.wfile.write(b"x" * piece)
                count -= piece
            return
        if path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(count):
                self.wfile.write(b"5\\r\\nabcde\\r\\n")
                self.wfile.flush()
                time.sleep(0.3)
            self.wfile.write(b"0\\r\\n\\r\\n")
            return
        received = self.read_body()
        answer = json.dumps({
            "method": self.command, "path": self.path, "headers": self.headers.items(), "received": received, "pid": os.getpid(),
            "argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.path.basename(os.getcwd()),
        }).encode()
        self.send_response(count if path == "/status" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def read_body(self):
        received = 0
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                received += len(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return received
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            received += len(piece)
            left -= len(piece)
        return received

    do_POST = do_PUT = do_HEAD = do_DELETE = do_GET

print("starting", flush=True)
server = http.server.ThreadingHTTPServer((os.environ.get("BIND", "127.0.0.1"), int(sys.argv[1])), Handler)
server.daemon_threads = True
server.serve_forever()
"""


@functools.cache
def _python_files() -> list[tuple[str, bytes]]:
    """The lab's Python distribution without pip."""
    with zipfile.ZipFile(io.BytesIO(build_distribution())) as archive:
        return [(n, archive.read(n)) for n in archive.namelist() if "site-packages" not in n and not n.endswith("/")]


@functools.cache
def _template(platform: str, version: str, features: tuple[str, ...], without: tuple[str, ...]) -> Path:
    """A server's state to be copied: features, a Python, a site on port 8000 with detailed errors for everybody, handlers unlocked."""
    folder = tempfile.TemporaryDirectory(prefix="winlab-template-")
    atexit.register(folder.cleanup)
    machine = Machine("WEB1", version, "127.0.8.255", folder.name)
    for feature in (*FEATURES, *features):
        if feature not in without:
            install.feature_installed(machine, feature)
    if platform:
        install.install_platform_handler(machine, platform)
    machine.fs.mkdir(SITE, parents=True)
    home = PYTHON.rpartition("\\")[0]
    for name, data in _python_files():
        path = f"{home}\\{name}".replace("/", "\\")
        machine.fs.mkdir(path.rpartition("\\")[0], parents=True)
        machine.fs.write_bytes(path, data)

    def first(c: Configuration) -> None:
        sites = c.section("system.applicationHost/sites").collection
        sites.remove(sites[0])
        c.section("system.webServer/httpErrors").set("errorMode", "Detailed")
        c.section("system.webServer/handlers").set_override_mode("Allow")
        _add_site(c, "Site", 1, (f"*:{PORT}:",), SITE, "DefaultAppPool", {})

    edit(machine, first)
    return Path(folder.name)


@dataclass
class Reply:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def code(self) -> str:
        """status.substatus as the detailed error page says it, else the bare status."""
        match = re.search(r"HTTP Error (\d+\.\d+)", self.text)
        return match[1] if match else str(self.status)

    @property
    def hresult(self) -> str:
        return self.row("Error Code")

    def row(self, name: str) -> str:
        """A line of the detailed error page."""
        match = re.search(rf"{name}</th><td>([^<]*)", self.text)
        return match[1] if match else ""

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


class Web:
    """A server with IIS, its services started by `start`.

    Args:
        folder: where its state lives.
        platform: version of HttpPlatformHandler to install: "1.2", "2" or "".
        features, without: features besides FEATURES, and those of them that are not installed.
    """

    def __init__(
        self,
        folder: Path,
        platform: str = "1.2",
        version: str = "2016",
        features: tuple[str, ...] = (),
        without: tuple[str, ...] = (),
    ) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, daemon=True)
        self._thread.start()
        self.address = next(_addresses)
        shutil.copytree(_template(platform, version, features, without), folder, symlinks=True)
        self.machine = Machine("WEB1", version, self.address, folder, self.loop)
        self.logged: list[str] = []
        self.machine.on_log = self.logged.append
        self.platform = platform
        self.service = IISService(self.machine)
        self.machine.iis = self.service

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    # -- configuration ------------------------------------------------------------------------------------------------------------

    def edit(self, work: Callable[[Configuration], Any]) -> Any:
        """Edits applicationHost.config and commits."""
        return edit(self.machine, work)

    def add_site(
        self, name: str, number: int, *bindings: str, path: str = SITE, pool: str = "DefaultAppPool", **attributes: Any
    ) -> None:
        """Adds a site; bindings as "ip:port:host", with "https/" before for https."""
        if not self.machine.fs.is_dir(path):
            self.machine.fs.mkdir(path, parents=True)
        self.edit(lambda c: _add_site(c, name, number, bindings or (f"*:{PORT}:",), path, pool, attributes))

    def add_pool(self, name: str, **attributes: Any) -> None:
        """Adds a pool; attributes by dotted name with __ for the dot: processModel__identityType="NetworkService"."""

        def work(c: Configuration) -> None:
            pools = c.section("system.applicationHost/applicationPools").collection
            pool = pools.create()
            pool.set("name", name)
            set_all(pool, **attributes)
            pools.add(pool)

        self.edit(work)

    def set_pool(self, name: str = "DefaultAppPool", **attributes: Any) -> None:
        self.edit(lambda c: set_all(self.find(c, "applicationPools", name), **attributes))

    def set_site(self, name: str = "Site", **attributes: Any) -> None:
        self.edit(lambda c: set_all(self.find(c, "sites", name), **attributes))

    def set_application(self, **attributes: Any) -> None:
        self.edit(lambda c: set_all(self.find(c, "sites", "Site").collection[0], **attributes))

    def set_path(self, path: str, site: str = "Site") -> None:
        """Changes the physical path of a site's root."""
        self.edit(lambda c: self.find(c, "sites", site).collection[0].collection[0].set("physicalPath", path))

    def find(self, c: Configuration, section: str, name: str) -> Element:
        found = c.section(f"system.applicationHost/{section}").collection.find(name=name)
        assert found is not None, name
        return found

    def web_config(self, content: str, folder: str = SITE) -> None:
        """Writes a web.config around the content of system.webServer."""
        self.write(
            folder + r"\web.config", f"<configuration><system.webServer>{content}</system.webServer></configuration>"
        )

    def python_site(
        self, script: str = BACKEND, arguments: str = "app.py %HTTP_PLATFORM_PORT%", **options: Any
    ) -> None:
        """Makes the site one that HttpPlatformHandler serves by a Python script."""
        self.write(SITE + r"\app.py", script)
        self.platform_config(arguments=arguments, **options)

    def platform_config(self, folder: str = SITE, children: str = "", more: str = "", **attributes: Any) -> None:
        """Writes a web.config with the handler and an httpPlatform element."""
        values = {"processPath": PYTHON, "startupTimeLimit": 20, **attributes}
        text = " ".join(f'{name}="{value}"' for name, value in values.items())
        self.web_config(f"{HANDLER}<httpPlatform {text}>{children}</httpPlatform>{more}", folder)

    def write(self, path: str, data: str | bytes) -> None:
        self.machine.fs.write_bytes(path, data.encode("utf-8") if isinstance(data, str) else data)

    def protect(self, path: str, *sids: str, rights: str = "0x1200a9") -> None:
        """Takes inherited rights away: only the system, administrators and the given SIDs keep access."""
        entries = "".join(f"(A;OICI;{rights};;;{sid})" for sid in sids)
        self.machine.fs.set_acl(path, Acl.from_sddl(f"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA){entries}"))

    def pool_sid(self, pool: str = "DefaultAppPool") -> str:
        return str(self.machine.accounts.sid_of(f"IIS AppPool\\{pool}"))

    # -- life ---------------------------------------------------------------------------------------------------------------------

    def start(self) -> Web:
        self.service.start()
        return self

    def close(self) -> None:
        try:
            self.service.stop()
            self.machine.shutdown()
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(5)
            self.loop.close()

    def call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def settle(self) -> None:
        """Lets the services take a changed applicationHost.config in."""
        self.call(self.service.apply_async(wait=False))

    def advance(self, seconds: float) -> None:
        """Lets time pass for pools: idle time-outs and periodic recycling fall due."""
        self.call(asyncio.sleep(0))
        self.service.clock.advance(seconds)
        self.call(self.service.tick())

    def processes(self, name: str) -> list[Any]:
        return list(self.machine.processes.find(name))

    # -- requests -----------------------------------------------------------------------------------------------------------------

    def request(
        self,
        path: str = "/",
        method: str = "GET",
        *,
        port: int = PORT,
        host: str = "",
        headers: dict[str, str] | None = None,
        body: Any = None,
        local: bool = False,
        timeout: float = 60,
        encode_chunked: bool = False,
    ) -> Reply:
        """One request on a connection of its own; a `local` one comes from the server's own address."""
        source = (self.address, 0) if local else None
        connection = http.client.HTTPConnection(self.address, port, timeout=timeout, source_address=source)
        try:
            sent = dict(headers or {})
            if host:
                sent["Host"] = host
            connection.request(method, path, body=body, headers=sent, encode_chunked=encode_chunked)
            response = connection.getresponse()
            return Reply(response.status, response.reason, response.headers, response.read())
        finally:
            connection.close()

    def raw(self, data: bytes, port: int = PORT, quiet: float = 10) -> bytes:
        """What comes back for raw bytes, up to the end of the connection or a silence of so many seconds."""
        with socket.create_connection((self.address, port), 10) as connection:
            connection.sendall(data)
            connection.settimeout(quiet)
            parts = []
            try:
                while piece := connection.recv(65536):
                    parts.append(piece)
            except TimeoutError:
                pass
            return b"".join(parts)

    def events(self, source: str = "", event_id: int = 0) -> list[Any]:
        """Event log entries, oldest first, by a part of their source and by id."""
        entries = [e for log in ("Application", "System") for e in self.machine.eventlog.entries(log)]
        return [e for e in entries if source.lower() in e.source.lower() and event_id in (0, e.event_id)]

    def log_lines(self, number: int = 1) -> list[str]:
        """Lines of a site's log of today."""
        self.call(asyncio.sleep(0))
        self.service.flush_logs()
        path = rf"C:\inetpub\logs\LogFiles\W3SVC{number}\u_ex{time.strftime('%y%m%d', time.gmtime())}.log"
        return list(self.machine.fs.read_text(path).splitlines()) if self.machine.fs.exists(path) else []

    def wait_for(self, condition: Callable[[], Any], seconds: float = 10) -> Any:
        """The first true value of `condition`; fails when there is none in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"did not happen within {seconds} seconds")


def edit(machine: Machine, work: Callable[[Configuration], Any]) -> Any:
    """Edits a server's applicationHost.config and commits."""
    session = machine_store(machine).session()
    result = work(session.apphost())
    session.commit()
    return result


def _add_site(
    c: Configuration,
    name: str,
    number: int,
    bindings: tuple[str, ...],
    path: str,
    pool: str,
    attributes: dict[str, Any],
) -> None:
    sites = c.section("system.applicationHost/sites").collection
    site = sites.create()
    set_all(site, name=name, id=number, **attributes)
    for text in bindings:
        add_binding(site, text)
    application = site.collection.create()
    set_all(application, path="/", applicationPool=pool)
    directory = application.collection.create()
    set_all(directory, path="/", physicalPath=path)
    application.collection.add(directory)
    site.collection.add(application)
    sites.add(site)


def set_all(element: Element, **attributes: Any) -> None:
    """Sets attributes; "failure__rapidFailProtection" is one of the child element "failure"."""
    for name, value in attributes.items():
        *parents, last = name.split("__")
        target = element
        for parent in parents:
            target = target.child(parent)
        target.set(last, value)


def add_binding(site: Element, text: str) -> None:
    protocol, _, information = text.rpartition("/")
    bindings = site.child("bindings").collection
    binding = bindings.create()
    set_all(binding, protocol=protocol or "http", bindingInformation=information)
    bindings.add(binding)
