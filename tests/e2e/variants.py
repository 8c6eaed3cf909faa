"""Every server package behind every version of the handler, every kind of Python and both handlers from every source: `python -m tests.e2e.variants`
deploys them all and prints tables (`--write` puts them into docs/django-versions.md)."""

from __future__ import annotations

import argparse
import http.client
import json
import platform
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlretrieve

from tests.e2e import tables
from tests.labkit import Lab, Run
from tests.pyinfra_iis import projects

SERVERS = ("uvicorn", "waitress", "hypercorn", "granian", "runserver", "command")
SOURCES = ("zip", "nuget", "installer", "existing")
HANDLERS = ("1.2", "1.2 replaced by 2.0", "2.0")
ORIGINS = ("address", "mirror that redirects", "local file")
MSI = {"1.2": "httpPlatformHandler_amd64.msi", "2.0": "httpbridge_x64.msi"}
EXISTING = r"C:\Apps\Python"
"""Where somebody else has put a Python."""
COMMAND = ["-m", "uvicorn", "shop.asgi:application", "--host", "127.0.0.1", "--port", "%HTTP_PLATFORM_PORT%"]
"""A command line of the user's own."""

WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
"""
URLS = """\
from django.http import JsonResponse
from django.urls import path
def seen(request):
    return JsonResponse({"secure": request.is_secure(), "client": request.META.get("REMOTE_ADDR", ""), "host": request.get_host()})
urlpatterns = [path("", seen)]
"""
FORGED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.66", "Forwarded": "for=192.0.2.66;proto=https"}


@dataclass(frozen=True)
class Variant:
    """One application on a server of the lab.

    Attributes:
        server: which program serves it.
        source: where its Python comes from.
        port: of its http binding; https is 500 above.
    """

    server: str
    source: str
    port: int

    @property
    def name(self) -> str:
        return f"{self.server}-{self.source}"


def variants(chosen: Iterable[tuple[str, str]]) -> list[Variant]:
    """The variants for pairs of server and source."""
    return [Variant(server, source, 8100 + index) for index, (server, source) in enumerate(chosen)]


def make_project(folder: Path) -> Path:
    """A project that tells what it sees of a request."""
    return projects.make(
        folder, **{"shop/wsgi.py": WSGI, "shop/urls.py": URLS, "requirements.txt": "Django~=5.2.0\nuvicorn>=0.36\n"}
    )


def make_certificate(lab: Lab, address: str) -> str:
    """A certificate in the server's store; its thumbprint."""
    made = r"(New-SelfSignedCertificate -DnsName shop.example -CertStoreLocation Cert:\LocalMachine\My).Thumbprint"
    return lab.powershell(address, made).strip()


def deploy(
    lab: Lab, address: str, project: Path, variant: Variant, thumbprint: str, origin: str = "", **more: Any
) -> Run:
    """Deploy a variant; `origin` is what stands before the name of Python's file (default: the address of the lab's own)."""
    values: dict[str, Any] = {
        "django_project": project,
        "django_app": variant.name,
        "django_server": variant.server,
        "django_python": json.dumps(python(lab, variant.source, origin)),
        "django_bindings": json.dumps([f"*:{variant.port}:", f"https://*:{variant.port + 500}:"]),
        "django_certificate": json.dumps({"thumbprint": thumbprint}),
        "django_secure_cookies": True,
    }
    if variant.server == "command":
        values["django_command"] = json.dumps(COMMAND)
    return lab.pyinfra(address, **{**values, **more})


def python(lab: Lab, source: str, origin: str = "") -> dict[str, str]:
    """The setting `python` for a source."""
    version = platform.python_version()
    if source == "existing":
        return {"kind": "existing", "version": version, "path": EXISTING}
    ending = {"zip": "amd64.zip", "nuget": ".nupkg", "installer": ".exe"}[source]
    sums = lab.artifact_sums()
    (name,) = [name for name in sums if name.endswith(ending) and "ython" in name]
    url = (origin or lab.status["artifacts"]) + name
    return {"kind": source, "version": version, "url": url, "sha256": sums[name]}


def put_python(lab: Lab, address: str) -> None:
    """Unpack a Python by hand, as an administrator does who knows nothing of this deploy."""
    url = python(lab, "zip")["url"]
    lab.powershell(
        address,
        "$ErrorActionPreference = 'Stop'; Add-Type -AssemblyName System.IO.Compression.FileSystem; "
        rf"[void] [IO.Directory]::CreateDirectory('C:\Apps'); (New-Object Net.WebClient).DownloadFile('{url}', 'C:\Apps\python.zip'); "
        rf"[IO.Compression.ZipFile]::ExtractToDirectory('C:\Apps\python.zip', '{EXISTING}')",
    )


def handler(lab: Lab, version: str = "2.0", origin: str = "") -> dict[str, str]:
    """The setting `handler` for a version, in the place of another one."""
    name = MSI[version]
    value = {
        "version": version,
        "url": (origin or lab.status["artifacts"]) + name,
        "sha256": lab.artifact_sums()[name],
        "replace": True,
    }
    return {"django_handler": json.dumps(value)}


@contextmanager
def mirror(folder: Path, address: str) -> Iterator[str]:
    """An address of a mirror that sends whoever asks to another one, as repositories with a store behind them do."""

    class Mirror(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self) -> None:
            if self.path.startswith("/store/"):
                self.path = self.path.removeprefix("/store")
                super().do_GET()
            else:
                self.send_response(302)
                self.send_header("Location", "/store" + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{address}:{server.server_port}/"
        finally:
            server.shutdown()


def fetch_artifacts(lab: Lab, folder: Path) -> None:
    """Put what the lab's own server offers into a folder."""
    folder.mkdir()
    for name in lab.artifact_sums():
        urlretrieve(lab.status["artifacts"] + name, folder / name)


def faults(address: str, variant: Variant) -> list[str]:
    """What is wrong with what a variant answers: nothing."""
    client = address.rpartition(".")[0] + ".200"
    plain, forged, over_tls = (
        ask(address, variant.port, client),
        ask(address, variant.port, client, FORGED),
        ask(address, variant.port + 500, client, tls=True),
    )
    found = [f"{what} answers {answer}" for what, answer in (("http", plain), ("https", over_tls)) if answer[0] != 200]
    if found:
        return found
    # A forged header may be refused, or not believed.
    if forged[0] == 200 and (forged[1]["secure"] or forged[1]["client"] != client):
        found.append(f"it believes forged headers: {forged[1]}")
    if plain[1]["secure"] or not over_tls[1]["secure"]:
        found.append("it does not tell http from https")
    if {plain[1]["client"], over_tls[1]["client"]} != {client}:
        found.append(f"it takes {plain[1]['client']} for the visitor's address")
    if variant.server != "command" and not (plain[2] or "").startswith("r"):
        found.append("it does not tell its release")
    return found


def ask(
    address: str, port: int, client: str, headers: dict[str, str] | None = None, tls: bool = False
) -> tuple[int, Any, str | None]:
    """A request from the address of a visitor: status, what the application saw, the release."""
    deadline = time.monotonic() + 30
    while True:
        kind: Any = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        more = {"context": ssl._create_unverified_context()} if tls else {}
        connection = kind(address, port, timeout=60, source_address=(client, 0), **more)
        try:
            connection.request("GET", "/", headers={"X-Release-Probe": "1", **(headers or {})})
            response = connection.getresponse()
            body = response.read()
            return (
                response.status,
                json.loads(body) if response.status == 200 else body,
                response.getheader("X-Release"),
            )
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        finally:
            connection.close()


@dataclass
class Found:
    """What is wrong, for everything that was tried: nothing, mostly.

    Attributes:
        servers: by server package and handler.
        pythons: by kind of Python and where its file came from.
        handlers: by version and where its file came from.
        deploys: how many there were.
    """

    servers: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    pythons: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    handlers: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    deploys: int = 0

    @property
    def all(self) -> list[str]:
        """All that is wrong."""
        return [
            fault
            for found in (self.servers, self.pythons, self.handlers)
            for faults in found.values()
            for fault in faults
        ]


class Trial:
    """Deploys to the servers of a lab; four are used.

    1. bare: all server packages, all kinds of Python, handler 1.2, from the lab's address.
    2. bare: all server packages, all kinds of Python, handler 2.0, from a mirror.
    3. bare: all kinds of Python from local files, handler 1.2, then 2.0, then 1.2 from the mirror.
    4. a copy of the first, where handler 2.0 replaces 1.2 for all sites.
    """

    def __init__(self, lab: Lab, folder: Path, mirror: str) -> None:
        self.lab = lab
        self.project = make_project(folder / "shop")
        self.origins = dict(zip(ORIGINS, ("", mirror, f"{folder / 'artifacts'}/"), strict=True))
        self.found = Found()
        self.thumbprints: dict[str, str] = {}

    def deploy(self, address: str, variant: Variant, origin: str, **more: Any) -> list[str]:
        """What is wrong with a variant once it is deployed."""
        if address not in self.thumbprints:
            self.thumbprints[address] = make_certificate(self.lab, address)
        started = time.monotonic()
        run = deploy(self.lab, address, self.project, variant, self.thumbprints[address], self.origins[origin], **more)
        self.found.deploys += 1
        wrong = faults(address, variant) if run.code == 0 else [run.output[-1000:]]
        seconds = time.monotonic() - started
        print(f"{address} {variant.name}, {origin}: {seconds:.0f} s {wrong or 'ok'}", file=sys.stderr, flush=True)
        return wrong

    def handler(self, version: str, origin: str) -> dict[str, str]:
        """The setting `handler`."""
        return handler(self.lab, version, self.origins[origin])

    def run(self) -> Found:
        """Deploy all."""
        for server, version, origin in ((0, "1.2", ORIGINS[0]), (1, "2.0", ORIGINS[1])):
            self.run_servers(self.lab.addresses[server], version, origin)
        self.run_local_files(self.lab.addresses[2])
        self.run_replaced()
        return self.found

    def run_servers(self, address: str, version: str, origin: str) -> None:
        """All server packages, then the other kinds of Python with one of them."""
        more = self.handler(version, origin)
        for variant in variants((server, "zip") for server in SERVERS):
            self.found.servers[variant.server, version] = self.deploy(address, variant, origin, **more)
        first = self.found.servers[SERVERS[0], version]
        self.found.handlers[version, origin] = self.found.pythons["zip", origin] = first
        for index, source in enumerate(SOURCES[1:], 1):
            if source == "existing":
                if origin != ORIGINS[0]:
                    continue
                put_python(self.lab, address)
            variant = Variant(SERVERS[0], source, 8120 + index)
            self.found.pythons[source, origin] = self.deploy(address, variant, origin, **more)

    def run_local_files(self, address: str) -> None:
        """All kinds of Python, and both handlers one after the other."""
        origin = ORIGINS[2]
        for index, source in enumerate(SOURCES[:3]):
            variant = Variant(SERVERS[0], source, 8120 + index)
            self.found.pythons[source, origin] = self.deploy(address, variant, origin, **self.handler("1.2", origin))
        self.found.handlers["1.2", origin] = self.found.pythons["zip", origin]
        first = Variant(SERVERS[0], SOURCES[0], 8120)
        for version, place in (("2.0", origin), ("1.2", ORIGINS[1])):
            self.found.handlers[version, place] = self.deploy(address, first, origin, **self.handler(version, place))

    def run_replaced(self) -> None:
        """One deploy replaces the handler for all sites of a server."""
        self.lab.environment["WINLAB_HOSTS"] = "4"
        self.lab.winlab("up", "--hosts", "4", "--like", self.lab.name(self.lab.addresses[0]))
        self.lab.status = json.loads(self.lab.winlab("status", "--json"))
        address = self.lab.addresses[3]
        self.thumbprints[address] = self.thumbprints[self.lab.addresses[0]]
        chosen = variants((server, "zip") for server in SERVERS)
        wrong = self.deploy(address, chosen[0], ORIGINS[0], **self.handler("2.0", ORIGINS[0]))
        self.found.handlers["2.0", ORIGINS[0]] = wrong
        for variant in chosen:
            self.found.servers[variant.server, HANDLERS[1]] = wrong or faults(address, variant)


def text_of(found: Found) -> str:
    """What was found, as Markdown."""
    return "\n\n".join(
        [
            table("server", SERVERS, [f"behind {name}" for name in HANDLERS], HANDLERS, found.servers),
            table("Python", SOURCES, [f"from {name}" for name in _with_article()], ORIGINS, found.pythons),
            table("handler", tuple(MSI), [f"from {name}" for name in _with_article()], ORIGINS, found.handlers),
        ]
    )


def _with_article() -> list[str]:
    return [f"{'an' if name[0] == 'a' else 'a'} {name}" for name in ORIGINS]


def table(
    what: str,
    rows: Iterable[str],
    titles: Sequence[str],
    columns: Sequence[str],
    found: Mapping[tuple[str, str], list[str]],
) -> str:
    """One table; what was not tried stays empty."""
    lines = [f"| {what} | " + " | ".join(titles) + " |", "|---" * (1 + len(columns)) + "|"]
    for row in rows:
        cells = [
            " ".join("; ".join(found[row, name]).split()) or "ok" if (row, name) in found else "" for name in columns
        ]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Deploy all of them and print the tables; exit code 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="127.0.64", help="of the lab")
    parser.add_argument("--write", action="store_true", help="put the tables into the documentation")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lab = Lab(folder / "lab", given.network, 3)
        try:
            fetch_artifacts(lab, folder / "artifacts")
            with mirror(folder / "artifacts", f"{given.network}.250") as address:
                found = Trial(lab, folder, address).run()
        finally:
            lab.down()
    text = text_of(found)
    print(text)
    print(f"\n{found.deploys} deploys, {time.monotonic() - started:.0f} s.", file=sys.stderr)
    if given.write and not found.all:
        tables.put("variants", text)
    return int(bool(found.all))


if __name__ == "__main__":
    sys.exit(main())
