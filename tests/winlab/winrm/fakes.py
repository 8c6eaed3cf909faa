"""A server with next to nothing behind it, so that the protocol is tested apart from the simulated Windows.

Its programs: `echo TEXT`, `exit N`, `set`, `cat` (stdin to stdout), `count` (bytes of stdin), `flood N` (N bytes of output),
`both` (both streams in turn), `sleep SECONDS`, `deaf SECONDS` (never reads its input).
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pypsrp.wsman import WSMan
from spnego._ntlm_raw.crypto import ntowfv1
from winrm import Protocol

from winlab.stats import Stats
from winlab.switches import Switches
from winlab.windows.errors import WindowsError
from winlab.winrm.auth import Identity
from winlab.winrm.config import WinRMConfig
from winlab.winrm.http import Endpoint
from winlab.winrm.service import Service
from winlab.winrm.shell import Command

USERS = {"Administrator": "S3cret!pass", "Ünïcode": "pässwörd", "guestuser": "Guest!1"}
CMD = r"C:\Windows\system32\cmd.exe"


@dataclass(frozen=True)
class FakeToken:
    username: str
    elevated: bool


class Process:
    """A program in a thread."""

    def __init__(self, main: Callable[[Process], int], command: Command) -> None:
        self.stdin, self.stdout, self.stderr = command.stdin, command.stdout, command.stderr
        self.killed = threading.Event()
        self.children: list[Process] = []
        self._code: int | None = None
        self._main = main
        self.stdout.add_writer()
        self.stderr.add_writer()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            code = self._main(self)
        except WindowsError:
            code = 1
        if self._code is None:
            self._code = code
        self._end()

    def _end(self) -> None:
        self.stdin.close_read()
        self.stdout.close_write()
        self.stderr.close_write()

    @property
    def alive(self) -> bool:
        return self._code is None

    def wait(self, timeout: float | None = None) -> int | None:
        return self._code

    def kill(self, tree: bool = False, exit_code: int = 1) -> None:
        if self._code is None:
            self._code = exit_code
            self.killed.set()
            self._end()


def _program(line: str, env: dict[str, str], cwd: str) -> Callable[[Process], int]:
    words = shlex.split(line, posix=False)
    name, rest = words[0].lower(), words[1:]

    def main(process: Process) -> int:
        def out(text: str) -> None:
            process.stdout.write((text + "\r\n").encode())

        if name == "echo":
            out(" ".join(rest))
        elif name == "exit":
            return int(rest[0])
        elif name == "set":
            for key, value in env.items():
                out(f"{key}={value}")
        elif name == "cd":
            out(cwd)
        elif name == "cat":
            while data := process.stdin.read(65536):
                process.stdout.write(data)
        elif name == "count":
            total = 0
            while data := process.stdin.read(65536):
                total += len(data)
            out(str(total))
        elif name == "flood":
            left = int(rest[0])
            block = bytes(range(256)) * 256
            while left > 0:
                process.stdout.write(block[:left])
                left -= len(block)
        elif name == "both":
            for number in range(int(rest[0])):
                process.stdout.write(f"o{number};".encode())
                process.stderr.write(f"e{number};".encode())
        elif name in ("sleep", "deaf"):
            if process.killed.wait(float(rest[0])):
                return 1
            out("slept")
        else:
            process.stderr.write(f"'{name}' is not recognized\r\n".encode())
            return 1
        return 0

    return main


@dataclass
class FakeLogon:
    started: list[str] = field(default_factory=list)
    admins: set[str] = field(default_factory=lambda: {"Administrator", "Ünïcode"})

    def nt_hash(self, domain: str, user: str) -> tuple[str, bytes] | None:
        for name, password in USERS.items():
            if name.lower() == user.lower():
                return name, ntowfv1(password)
        return None

    def check_password(self, domain: str, user: str, password: str) -> str | None:
        return next((n for n, p in USERS.items() if n.lower() == user.lower() and p == password), None)

    def token(self, identity: Identity) -> Any:
        return FakeToken(identity.name, identity.name in self.admins)

    def environment(self, token: Any, profile: bool) -> dict[str, str]:
        home = r"C:\Users\vagrant" if profile else r"C:\Users\Default"
        return {"ComSpec": CMD, "USERPROFILE": home, "Path": r"C:\Windows\system32"}

    def directory(self, token: Any, profile: bool) -> str:
        return r"C:\Users\vagrant" if profile else r"C:\Windows"

    def start(self, command_line: str, *, image: str | None, cwd: str, env: dict[str, str], token: Any, command: Command,
              codepage: int) -> Any:  # fmt: skip
        self.started.append(command_line)
        line = command_line
        if line.startswith(f'{CMD} /C "') and image == CMD:
            line = line[len(CMD) + 5 : -1]
            while line.lower().startswith(("cmd.exe /c ", "cmd /c ")):
                line = line.split(None, 2)[2]
        elif "\\" not in (image or ""):
            raise WindowsError(2)
        else:
            line = "echo " + line.split(None, 1)[1]
        return Process(_program(line, env, cwd), command)


@dataclass
class FakeServer:
    """A WinRM endpoint on the loopback, in a loop of its own thread."""

    logon: FakeLogon
    service: Service
    endpoint: Endpoint
    switches: Switches
    stats: Stats
    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/wsman"

    def config(self, **values: Any) -> None:
        self.service.config.update(values)

    def on_loop(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function on the server's loop."""

        async def call() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)

    def protocol(self, user: str = "Administrator", password: str | None = None, **options: Any) -> Protocol:
        """A pywinrm client: NTLM, sealed messages, unless told otherwise."""
        options = {"transport": "ntlm", **options}
        return Protocol(self.url, username=user, password=password or USERS[user], **options)

    def wsman(self, user: str = "Administrator", **options: Any) -> WSMan:
        """A pypsrp client."""
        options = {"auth": "ntlm", "ssl": False, **options}
        return WSMan("127.0.0.1", port=self.port, username=user, password=USERS[user], **options)


@contextlib.contextmanager
def serve(version: str = "2022", address: str = "127.0.0.1") -> Iterator[FakeServer]:
    """A fake server for the time of a test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    logon, switches, stats = FakeLogon(), Switches(), Stats()
    service = Service(WinRMConfig.for_version(version), logon, "10.0.20348")
    service.slow_done = lambda: switches["slow-done"] / 1000
    endpoint = Endpoint("FAKE", service, logon, switches, stats)

    async def start() -> int:
        await endpoint.start(address, 0)
        return int(endpoint._listeners[0].sockets[0].getsockname()[1])

    async def stop() -> None:
        service.close()
        await endpoint.stop()

    port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield FakeServer(logon, service, endpoint, switches, stats, port, loop)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
