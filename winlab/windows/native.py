"""Real children of this machine behind simulated processes: start, streams, end, what they keep in use."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from winlab.windows.errors import WindowsError
from winlab.windows.pipes import Pipe

if TYPE_CHECKING:
    from winlab.windows.machine import Machine
    from winlab.windows.processes import Process, Stream, Usage

STATUS_CONTROL_C_EXIT = 0xC000013A
_SIGNAL_CODES = {
    signal.SIGTERM: STATUS_CONTROL_C_EXIT,
    signal.SIGINT: STATUS_CONTROL_C_EXIT,
    signal.SIGSEGV: 0xC0000005,
    signal.SIGBUS: 0xC0000005,
    signal.SIGILL: 0xC000001D,
    signal.SIGFPE: 0xC0000094,
    signal.SIGABRT: 3,
}

_PRIORITY_OF_WORK = 10
"""Niceness of processes that serve nobody."""


class NativeChild:
    """The real process of a simulated one. It leads a process group of its own, which ends with it where that is asked for."""

    def __init__(self, process: Process, arguments: list[str], env: dict[str, str], cwd: str, umask: int = -1) -> None:
        self.process = process
        self._unwritten = b""
        stdin_read, self._stdin_write = _input(process.stdin)
        self._stdin_read = stdin_read
        stdout_read, stdout_write = _output(process.stdout)
        same = process.stderr is process.stdout and process.stdout is not None
        stderr_read, stderr_write = (None, stdout_write) if same else _output(process.stderr)
        try:
            self.popen = subprocess.Popen(
                arguments,
                env=env,
                cwd=cwd,
                stdin=stdin_read,
                stdout=stdout_write,
                stderr=stderr_write,
                process_group=0,
                umask=umask,
            )
        finally:
            for descriptor in {stdout_write, stderr_write}:
                if descriptor >= 0:
                    os.close(descriptor)
        # each pump gives back the write ends that the process held on its pipe
        self._stop_input = threading.Event()
        # before any thread runs that may end the process
        process.native = self
        if stdout_read is not None and isinstance(process.stdout, Pipe):
            self._spawn(self._pump_out, stdout_read, process.stdout, 2 if same else 1)
        if stderr_read is not None and isinstance(process.stderr, Pipe):
            self._spawn(self._pump_out, stderr_read, process.stderr, 1)
        self._input_thread: threading.Thread | None = None
        if self._stdin_write is not None and isinstance(process.stdin, Pipe):
            self._input_thread = self._spawn(self._pump_in, process.stdin)
        self._spawn(self._reap)

    def _spawn(self, target: object, *args: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True, name=f"native:{self.process.pid}")  # type: ignore[arg-type]
        thread.start()
        return thread

    @property
    def pid(self) -> int:
        """The host's process id."""
        return self.popen.pid

    def step_back(self) -> None:
        """Let others have this machine's processors first: real servers have their own, so what is done on one does not slow the sites of another."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.popen.pid, _PRIORITY_OF_WORK)

    # -- streams --------------------------------------------------------------------------------------------------------------------

    def _pump_out(self, descriptor: int, pipe: Pipe, ends: int) -> None:
        try:
            while data := os.read(descriptor, 65536):
                pipe.write(data)
        except (OSError, WindowsError):
            pass
        finally:
            os.close(descriptor)
            for _ in range(ends):
                pipe.release_writer()

    def _pump_in(self, pipe: Pipe) -> None:
        """Feeds standard input. What the child has not read when it ends goes back to the pipe, for who reads there next."""
        write = self._stdin_write
        assert write is not None
        pending = b""
        try:
            while not self._stop_input.is_set():
                if not pending:
                    try:
                        pending = pipe.read(8192, timeout=0.05)
                    except TimeoutError:
                        continue
                    if not pending:
                        break
                ready = select.select([], [write], [], 0.05)[1]
                if ready:
                    try:
                        pending = pending[os.write(write, pending) :]
                    except BlockingIOError:
                        continue
        except (OSError, ValueError):
            pass
        finally:
            with contextlib.suppress(OSError):
                os.close(write)
            self._unwritten = pending

    def _unread(self) -> bytes:
        """What stands in the pipe to the child and was never read."""
        descriptor = self._stdin_read
        if not isinstance(descriptor, int) or descriptor < 0 or self._stdin_write is None:
            return b""
        parts = []
        os.set_blocking(descriptor, False)
        try:
            while data := os.read(descriptor, 65536):
                parts.append(data)
        except OSError:
            pass
        return b"".join(parts)

    def _reap(self) -> None:
        code = self.popen.wait()
        self._stop_input.set()
        if self._input_thread is not None:
            self._input_thread.join()
        if isinstance(self.process.stdin, Pipe):
            left = self._unread() + self._unwritten
            if left:
                self.process.stdin.unread(left)
        if self._stdin_read >= 0 and self._stdin_write is not None:
            os.close(self._stdin_read)
        if isinstance(self.process.stdin, Pipe):
            self.process.stdin.release_reader()
        if code < 0:
            code = _SIGNAL_CODES.get(signal.Signals(-code), 1)
        self.process.finish(code)

    # -- the end ----------------------------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """Ends the process and all that it has started, and waits until they are gone."""
        pids = self.descendants()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 2
        while self.popen.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        while any(_is_running(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.002)

    def interrupt(self) -> None:
        """CTRL_BREAK: Python's handler for SIGBREAK is taken to be the one for SIGTERM here."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    # -- looking at it ------------------------------------------------------------------------------------------------------------------

    def descendants(self) -> list[int]:
        """Host pids of what it has started and that still runs."""
        children = _children()
        result: list[int] = []
        queue = [self.pid]
        while queue:
            for child in children(queue.pop()):
                result.append(child)
                queue.append(child)
        return result

    def add_usage(self, usage: Usage) -> None:
        """Files it has open or mapped, and directories it stands in."""
        for pid in (self.pid, *self.descendants()):
            base = f"/proc/{pid}"
            with contextlib.suppress(OSError):
                usage.directories.add(os.readlink(base + "/cwd"))
            with contextlib.suppress(OSError):
                for descriptor in os.listdir(base + "/fd"):
                    with contextlib.suppress(OSError):
                        target = os.readlink(f"{base}/fd/{descriptor}")
                        if target.startswith("/") and os.path.isfile(target):
                            usage.native_open.add(target)
            with contextlib.suppress(OSError), open(base + "/maps", encoding="utf-8", errors="surrogateescape") as maps:
                for line in maps:
                    target = line[73:].rstrip("\n")
                    if target.startswith("/"):
                        usage.mapped.add(target)

    def listening(self) -> list[tuple[str, int]]:
        """(address, port) of TCP sockets on which it or a descendant listens."""
        inodes: set[str] = set()
        for pid in (self.pid, *self.descendants()):
            with contextlib.suppress(OSError):
                for descriptor in os.listdir(f"/proc/{pid}/fd"):
                    with contextlib.suppress(OSError):
                        target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                        if target.startswith("socket:["):
                            inodes.add(target[8:-1])
        if not inodes:
            return []
        return [(address, port) for inode, address, port in _listeners() if inode in inodes]


def _input(stream: Stream | None) -> tuple[int, int | None]:
    """(what the child reads, where this side writes)."""
    if stream is None:
        return subprocess.DEVNULL, None
    if isinstance(stream, Pipe):
        read, write = os.pipe()
        os.set_blocking(write, False)
        return read, write
    return stream.fileno(), None


def _output(stream: Stream | None) -> tuple[int | None, int]:
    """(where this side reads, what the child writes; both inheritable copies of the caller's to close)."""
    if stream is None:
        return None, os.open(os.devnull, os.O_WRONLY)
    if isinstance(stream, Pipe):
        read, write = os.pipe()
        return read, write
    return None, os.dup(stream.fileno())


def _children() -> Callable[[int], list[int]]:
    """Gives the children of a host process: from the kernel's own lists where it keeps them, else from one look at all processes."""
    if os.path.exists(f"/proc/self/task/{threading.get_native_id()}/children"):
        return _listed_children
    found: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            parent = _parent_of(name) if name.isdigit() else None
            if parent is not None:
                found.setdefault(parent, []).append(int(name))
    return lambda pid: found.get(pid, [])


def _listed_children(pid: int) -> list[int]:
    result: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                result.extend(int(item) for item in file.read().split())
    return result


def _parent_of(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            data = file.read()
    except OSError:
        return None
    fields = data.rpartition(b")")[2].split()
    return int(fields[1]) if fields[0] != b"Z" else None


def _is_running(pid: int) -> bool:
    return _parent_of(str(pid)) is not None


def _listeners() -> list[tuple[str, str, int]]:
    """(inode, address, port) of every listening TCP socket of this machine."""
    result: list[tuple[str, str, int]] = []
    for path, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    address, _, port = fields[1].partition(":")
                    result.append((fields[9], _address(address, family), int(port, 16)))
    return result


def _address(text: str, family: socket.AddressFamily) -> str:
    words = [struct.pack("=I", int(text[i : i + 8], 16)) for i in range(0, len(text), 8)]
    return socket.inet_ntop(family, b"".join(words))


def listening_sockets(machine: Machine) -> list[tuple[str, int, int]]:
    """(address, port, simulated pid) of what listens on a server: its own address (the services, pid 4), its processes, and their real children."""
    result: list[tuple[str, int, int]] = []
    for process in machine.processes.running():
        result.extend((address, port, process.pid) for address, port in process.listeners)
        if process.native is not None:
            result.extend((address, port, process.pid) for address, port in process.native.listening())
    known = {(machine.address if address == "0.0.0.0" else address, port) for address, port, _ in result}
    for _, address, port in _listeners():
        if address == machine.address and (address, port) not in known:
            result.append((address, port, 4))
    return sorted(result, key=lambda item: (item[1], item[0]))


def shown_address(address: str, pid: int) -> str:
    """What Windows would show: HTTP.sys (pid 4) listens on every address; where a process of the lab is on the server's own, it asked for the loopback."""
    return "::" if pid == 4 else address if address in ("0.0.0.0", "::", "::1") else "127.0.0.1"
