"""Shells and the commands that run in them: a WinRS shell holds an environment, each command a process tree and three pipes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from winlab.windows.errors import WindowsError
from winlab.windows.pipes import Pipe
from winlab.winrm import faults
from winlab.winrm.envelope import new_id

STDIN_BUFFER = 4096
"""Bytes that may wait in a process's standard input before its sender does (an anonymous pipe's default size)."""
OUTPUT_BUFFER = 1 << 20
"""Bytes of output that the shell takes from a command ahead of the client; then the command waits."""
MERGED_CHUNK = 32768
GATHERING = 0.002
"""Seconds that a reply waits for more once there is output."""
STREAM_OVERHEAD = 160
"""Bytes of an envelope that one rsp:Stream element costs besides its base64 text."""
CONTROL_C_EXIT = 0xC000013A
TERMINATED_EXIT = 1


@dataclass(frozen=True)
class Chunk:
    """Output in the order in which it was written."""

    stream: str
    data: bytes


class Command:
    """One command of a shell."""

    def __init__(self, loop: asyncio.AbstractEventLoop, command_id: str | None = None, console: bool = False) -> None:
        self.id = command_id or new_id()
        self.console = console
        self.stdin = Pipe(capacity=None)
        self.stdout = Pipe(OUTPUT_BUFFER)
        self.stderr = Pipe(OUTPUT_BUFFER)
        self.process: Any = None
        self.job: Any = None
        """Job object that holds the process and all that it starts, where the server has such things."""
        self.exit_code: int | None = None
        self.delivered = False
        """The client has been told that the command is done."""
        self.aborted = False
        self._loop = loop
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self._lock = threading.RLock()
        self._changed = asyncio.Event()
        self._waiters: set[asyncio.Event] = set()
        self._wake_scheduled = False
        self._taking = False
        self._exit_watch: asyncio.Task[None] | None = None
        self.slow_done = 0.0
        """Seconds between the end of the process and the news of it."""
        for name, pipe in (("stdout", self.stdout), ("stderr", self.stderr)):
            pipe.add_listener(lambda name=name, pipe=pipe: self._output(name, pipe))  # type: ignore[misc]
        self.stdin.add_listener(self._wake)

    # -- output ---------------------------------------------------------------------------------------------------------------

    def _output(self, name: str, pipe: Pipe) -> None:
        """Takes output out of the pipe on the writer's own thread, which is what keeps both streams in order."""
        with self._lock:
            if self._size < OUTPUT_BUFFER:
                self._take(name, pipe)
        self._wake()

    def _take(self, name: str, pipe: Pipe) -> None:
        # Reading tells the pipe's listeners, who come here again: what is left must not overtake what was read.
        if self._taking:
            return
        self._taking = True
        try:
            self._take_all(name, pipe)
        finally:
            self._taking = False

    def _take_all(self, name: str, pipe: Pipe) -> None:
        while pipe.available and self._size < OUTPUT_BUFFER:
            data = pipe.read_available(OUTPUT_BUFFER)
            if not data:
                return
            self._size += len(data)
            last = self._chunks[-1] if self._chunks else None
            # What is written faster than it is fetched arrives in one piece, as through any pipe.
            if last is not None and last.stream == name and len(last.data) + len(data) <= MERGED_CHUNK:
                self._chunks[-1] = Chunk(name, last.data + data)
            else:
                self._chunks.append(Chunk(name, data))

    def _wake(self) -> None:
        if self._wake_scheduled or self._loop.is_closed():
            return
        self._wake_scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._woken)
        except RuntimeError:  # the loop has just been closed: nobody waits any more
            pass

    def _woken(self) -> None:
        self._wake_scheduled = False
        for event in self._waiters:
            event.set()

    @property
    def _drained(self) -> bool:
        with self._lock:
            self._take("stdout", self.stdout)
            self._take("stderr", self.stderr)
            return not self._chunks and self.stdout.at_eof and self.stderr.at_eof

    @property
    def done(self) -> bool:
        """All output has been handed over and the process has ended."""
        return self.exit_code is not None and self._drained

    @property
    def running(self) -> bool:
        """The command counts against the quota for processes."""
        return self.exit_code is None and not self.aborted

    def started(self, process: Any) -> None:
        """The process is there: its end is watched from now on."""
        self.process = process
        self._exit_watch = self._loop.create_task(self._watch_exit())

    async def _watch_exit(self) -> None:
        """Notes the exit code once no process holds an output handle any more and the first process has ended."""
        ended = asyncio.Event()
        self._waiters.add(ended)
        try:
            while not (self.stdout.write_closed and self.stderr.write_closed):
                await ended.wait()
                ended.clear()
        finally:
            self._waiters.discard(ended)
        pause = 0.001
        while (code := self.process.wait(0)) is None:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)
        if self.slow_done:
            await asyncio.sleep(self.slow_done)
        self.exit_code = code & 0xFFFFFFFF
        self._woken()

    async def receive(self, streams: Iterable[str], timeout: float, limit: int) -> tuple[list[Chunk], bool]:
        """Output, as much as fits into `limit` bytes of envelope, as soon as there is some; and whether that was all.

        Raises:
            Fault: nothing came within `timeout` seconds, or the command went away.
        """
        deadline = time.monotonic() + timeout
        wanted = set(streams)
        event = asyncio.Event()
        self._waiters.add(event)
        try:
            while True:
                if self.aborted:
                    raise faults.aborted()
                chunks = self._pop(wanted, limit)
                if chunks and sum(len(chunk.data) for chunk in chunks) < limit // 2 and not self.done:
                    # Recorded replies hold output and the end of the command together: the service looks twice.
                    await asyncio.sleep(min(GATHERING, max(0.0, deadline - time.monotonic())))
                    used = sum(STREAM_OVERHEAD + (len(chunk.data) + 2) // 3 * 4 for chunk in chunks)
                    chunks += self._pop(wanted, limit - used)
                if chunks or self.done:
                    return chunks, self.done
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise faults.timed_out()
                try:
                    await asyncio.wait_for(event.wait(), remaining)
                except TimeoutError:
                    continue
                event.clear()
        finally:
            self._waiters.discard(event)

    def _pop(self, wanted: set[str], limit: int) -> list[Chunk]:
        taken: list[Chunk] = []
        kept: list[Chunk] = []
        room = limit
        with self._lock:
            self._take("stdout", self.stdout)
            self._take("stderr", self.stderr)
            while self._chunks:
                chunk = self._chunks.popleft()
                if chunk.stream not in wanted:
                    kept.append(chunk)
                    continue
                fits = (room - STREAM_OVERHEAD) // 4 * 3
                if fits <= 0:
                    self._chunks.appendleft(chunk)
                    break
                if len(chunk.data) > fits:
                    self._chunks.appendleft(Chunk(chunk.stream, chunk.data[fits:]))
                    chunk = Chunk(chunk.stream, chunk.data[:fits])
                room -= STREAM_OVERHEAD + (len(chunk.data) + 2) // 3 * 4
                self._size -= len(chunk.data)
                taken.append(chunk)
            self._chunks.extendleft(reversed(kept))
        return taken

    def give_back(self, chunks: list[Chunk]) -> None:
        """Puts output back in front: the client went away before it could be sent."""
        with self._lock:
            self._chunks.extendleft(reversed(chunks))
            self._size += sum(len(chunk.data) for chunk in chunks)
        self._wake()

    # -- input ----------------------------------------------------------------------------------------------------------------

    async def send(self, data: bytes, end: bool, timeout: float) -> None:
        """Input for the process; returns when the process has taken all but a pipe's worth of it.

        Raises:
            Fault: earlier input still waits (170), the process is gone (109), or it did not read within `timeout` seconds:
                the input then stands in the pipe all the same.
        """
        if self.stdin.read_closed or self.exit_code is not None or not self._alive():
            raise faults.pipe_ended()
        if self.stdin.available > STDIN_BUFFER:
            raise faults.busy()
        try:
            self.stdin.write(data)
        except WindowsError as error:
            raise faults.pipe_ended() from error
        # A console has no end of file: there, End only says that the client sends no more.
        if end and not self.console:
            self.stdin.close_write()
        deadline = time.monotonic() + timeout
        event = asyncio.Event()
        self._waiters.add(event)
        try:
            while self.stdin.available > STDIN_BUFFER and not self.stdin.read_closed and self.exit_code is None:
                if self.aborted:
                    raise faults.aborted()
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise faults.timed_out()
                try:
                    await asyncio.wait_for(event.wait(), remaining)
                except TimeoutError:
                    continue
                event.clear()
        finally:
            self._waiters.discard(event)

    def _alive(self) -> bool:
        return self.process is None or bool(getattr(self.process, "alive", True))

    # -- end ------------------------------------------------------------------------------------------------------------------

    def kill(self, exit_code: int) -> None:
        """Ends the process and all that it started, whoever is their parent by now."""
        if self.process is not None:
            self.process.kill(tree=True, exit_code=exit_code)
        if self.job is not None:
            self.job.terminate(exit_code)

    def interrupt(self, kind: str) -> None:
        """Ctrl+C or Ctrl+Break for every process of the console: whoever does not handle it ends with its code."""
        handler = getattr(self.process, "send_ctrl_break" if kind == "ctrl_break" else "send_ctrl_c", None)
        if handler is not None:
            handler()
        else:
            self.kill(CONTROL_C_EXIT)

    def abort(self) -> None:
        """The command goes away with its processes; waiting operations end with fault 995."""
        self.aborted = True
        self.kill(TERMINATED_EXIT)
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close_read()
        if self._exit_watch is not None:
            self._exit_watch.cancel()
        self._woken()


@dataclass
class Shell:
    """A WinRS shell."""

    id: str
    owner: str
    token: Any
    client_ip: str
    resource_uri: str
    environment: dict[str, str]
    """The whole environment block of its processes."""
    variables: dict[str, str]
    """What the client asked for on top, echoed as asked."""
    working_directory: str
    requested_directory: str | None
    idle_timeout: float
    lifetime: str | None = None
    name: str | None = None
    codepage: int = 437
    profile: bool = True
    input_streams: str = "stdin"
    output_streams: str = "stdout stderr"
    created: float = field(default_factory=time.monotonic)
    last_used: float = field(default_factory=time.monotonic)
    commands: dict[str, Command] = field(default_factory=dict)
    operations: int = 0
    """Commands started so far: they count against the user's operations until the shell goes (MS-WSMV note 118)."""
    in_flight: int = 0
    idle_timer: asyncio.TimerHandle | None = None

    def command(self, command_id: str | None) -> Command:
        """The command with this id.

        Raises:
            Fault: there is none.
        """
        command = self.commands.get((command_id or "").upper())
        if command is None:
            raise faults.unknown_command()
        return command

    def touch(self) -> None:
        """Someone has used the shell."""
        self.last_used = time.monotonic()

    def watch_idle(self, loop: asyncio.AbstractEventLoop, expired: Callable[[Shell], None]) -> None:
        """Calls `expired` once nobody has used the shell for its idle timeout."""
        remaining = self.last_used + self.idle_timeout - time.monotonic()
        if self.in_flight:
            remaining = self.idle_timeout
        if remaining <= 0:
            expired(self)
            return
        self.idle_timer = loop.call_later(remaining, self.watch_idle, loop, expired)

    def close(self) -> None:
        """Ends every process of the shell."""
        if self.idle_timer is not None:
            self.idle_timer.cancel()
        for command in self.commands.values():
            command.abort()
        self.commands.clear()
