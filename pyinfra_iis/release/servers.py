"""The programs that can serve a Python web application behind HttpPlatformHandler, and how each is started there.

All of them bind to IPv4 loopback on the port that the handler chose, in one process: the handler only waits for a listener that is its own
child. Sources: the servers' documentation and code, as gathered from uvicorn 0.36+, waitress 3, hypercorn 0.18, granian 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

PORT = "%HTTP_PLATFORM_PORT%"
"""What HttpPlatformHandler replaces by the port."""


@dataclass(frozen=True)
class Server:
    """One way to serve an application.

    Attributes:
        interface: `asgi`, `wsgi`, or `either`.
        packages: requirements that it adds to the project's.
        command: the application (`module:object`), its interface, whether it may want ASGI's lifespan events -> arguments of python.exe.
        behind_proxy: whether it understands the handler's X-Forwarded headers by itself; else the gate in front of the application does.
    """

    interface: Literal["asgi", "wsgi", "either"]
    packages: tuple[str, ...]
    command: Callable[[str, str, bool], tuple[str, ...]]
    behind_proxy: bool = True


def _uvicorn(application: str, interface: str, lifespan: bool) -> tuple[str, ...]:
    # The selector loop: Windows' default one loses its listener on a broken connection (cpython issue 93821). uvicorn takes the scheme from
    # the handler's header only when it is one value, so a client that forges the header is seen as plain HTTP.
    options = (
        "--lifespan",
        "auto" if lifespan else "off",
        "--loop",
        "asyncio:SelectorEventLoop",
        "--timeout-graceful-shutdown",
        "8",
    )
    spoken = "wsgi" if interface == "wsgi" else "asgi3"
    # IIS logs requests itself, and visitors need not know the server's name.
    quiet = ("--no-access-log", "--no-server-header")
    return (
        "-m",
        "uvicorn",
        application,
        "--interface",
        spoken,
        "--host",
        "127.0.0.1",
        "--port",
        PORT,
        *options,
        *quiet,
    )


def _waitress(application: str, _interface: str, _lifespan: bool) -> tuple[str, ...]:
    trust = ("--trusted-proxy=127.0.0.1", "--trusted-proxy-headers=x-forwarded-for x-forwarded-proto")
    return ("-m", "waitress", "--ident=", f"--listen=127.0.0.1:{PORT}", "--threads=8", *trust, application)


def _hypercorn(application: str, _interface: str, _lifespan: bool) -> tuple[str, ...]:
    return ("-m", "hypercorn", "--bind", f"127.0.0.1:{PORT}", "--workers", "1", application)


def _granian(application: str, _interface: str, _lifespan: bool) -> tuple[str, ...]:
    return (
        "-m",
        "granian",
        "--interface",
        "asginl",
        "--host",
        "127.0.0.1",
        "--port",
        PORT,
        "--workers",
        "1",
        application,
    )


def _runserver(_application: str, _interface: str, _lifespan: bool) -> tuple[str, ...]:
    return ("manage.py", "runserver", "--noreload", f"127.0.0.1:{PORT}")


def _nothing(_application: str, _interface: str, _lifespan: bool) -> tuple[str, ...]:
    return ()


SERVERS: dict[str, Server] = {
    # 0.36 is the first uvicorn that takes an event loop by name.
    "uvicorn": Server("either", ("uvicorn>=0.36",), _uvicorn),
    "waitress": Server("wsgi", ("waitress>=3",), _waitress),
    "hypercorn": Server("asgi", ("hypercorn>=0.17",), _hypercorn, behind_proxy=False),
    "granian": Server("asgi", ("granian>=2",), _granian, behind_proxy=False),
    "runserver": Server("wsgi", (), _runserver, behind_proxy=False),
    "command": Server("either", (), _nothing),
}
