"""Every server package with every source of Python, behind every version of the handler: `python -m tests.e2e.variants` deploys them all and prints a table."""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import platform
import ssl
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.labkit import Lab, Run
from tests.pyinfra_iis import projects

SERVERS = ("uvicorn", "waitress", "hypercorn", "granian", "runserver", "command")
SOURCES = ("zip", "nuget", "installer", "existing")
HANDLERS = ("1.2", "1.2 replaced by 2.0", "2.0")
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


def deploy(lab: Lab, address: str, project: Path, variant: Variant, thumbprint: str, **more: Any) -> Run:
    """Deploy a variant."""
    values: dict[str, Any] = {
        "django_project": project,
        "django_app": variant.name,
        "django_server": variant.server,
        "django_python": json.dumps(python(lab, variant.source)),
        "django_bindings": json.dumps([f"*:{variant.port}:", f"https://*:{variant.port + 500}:"]),
        "django_certificate": json.dumps({"thumbprint": thumbprint}),
        "django_secure_cookies": True,
    }
    if variant.server == "command":
        values["django_command"] = json.dumps(COMMAND)
    return lab.pyinfra(address, **values, **more)


def python(lab: Lab, source: str) -> dict[str, str]:
    """The setting `python` for a source; `existing` is what the zip has brought."""
    version = platform.python_version()
    ending = {"zip": "amd64.zip", "existing": "amd64.zip", "nuget": ".nupkg", "installer": ".exe"}[source]
    sums = lab.artifact_sums()
    (name,) = [name for name in sums if name.endswith(ending) and "ython" in name]
    if source == "existing":
        return {"kind": "existing", "version": version, "path": rf"C:\Python\{version}-{sums[name][:8]}"}
    return {"kind": source, "version": version, "url": lab.status["artifacts"] + name, "sha256": sums[name]}


def handler(lab: Lab) -> dict[str, str]:
    """The setting `handler` for version 2.0, in the place of another one."""
    name = "httpbridge_x64.msi"
    value = {
        "version": "2.0",
        "url": lab.status["artifacts"] + name,
        "sha256": lab.artifact_sums()[name],
        "replace": True,
    }
    return {"django_handler": json.dumps(value)}


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


def matrix(lab: Lab, folder: Path, chosen: Sequence[Variant]) -> dict[tuple[Variant, str], list[str]]:
    """What is wrong with each variant behind each handler."""
    found: dict[tuple[Variant, str], list[str]] = {}
    project = make_project(folder / "shop")
    first, second = lab.addresses[:2]
    for address, name, more in ((first, "1.2", {}), (second, "2.0", handler(lab))):
        thumbprint = make_certificate(lab, address)
        for variant in chosen:
            run = deploy(lab, address, project, variant, thumbprint, **more)
            found[variant, name] = faults(address, variant) if run.code == 0 else [run.output[-1000:]]
            print(f"{variant.name} behind {name}: {found[variant, name] or 'ok'}", file=sys.stderr, flush=True)
        if name == "1.2":
            # One deploy replaces it for all sites of the server.
            run = deploy(lab, address, project, chosen[0], thumbprint, **handler(lab))
            for variant in chosen:
                found[variant, HANDLERS[1]] = faults(address, variant) if run.code == 0 else [run.output[-1000:]]
    return found


def table(found: dict[tuple[Variant, str], list[str]]) -> str:
    """The matrix as Markdown."""
    lines = ["| server | Python from | " + " | ".join(HANDLERS) + " |", "|---" * (2 + len(HANDLERS)) + "|"]
    for variant in dict.fromkeys(variant for variant, _ in found):
        cells = ["; ".join(found[variant, name]) or "ok" for name in HANDLERS]
        lines.append(f"| {variant.server} | {variant.source} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Deploy all of them and print the table; exit code 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="127.0.64", help="of the lab")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "lab", given.network, 2)
        try:
            # The zip comes first: it brings what `existing` uses.
            found = matrix(
                lab, Path(folder), variants((server, source) for source, server in itertools.product(SOURCES, SERVERS))
            )
        finally:
            lab.down()
    print(table(found))
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
