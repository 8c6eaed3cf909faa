"""A connection to one server: its shell, the PowerShell process in it, and requests to that process.

A request is sent in numbered frames, so a frame that we send again because its answer was lost is dropped on the server; a reply
comes in numbered frames, so what was lost on the way back is asked for again. Only when the process itself is gone is a request
given up, and run again only if nobody can have seen it run or it is marked safe to repeat."""

from __future__ import annotations

import base64
import gzip
import logging
import secrets as random_secrets
import string
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TypeVar

from . import errors, frames
from .errors import (
    Dropped,
    Fault,
    Garbled,
    LoopLost,
    MayHaveRun,
    OperationTimeout,
    ReplyLost,
    TooLarge,
    Unauthorized,
    Undecipherable,
    Unreachable,
    WireError,
)
from .frames import Reply, ReplyParser
from .settings import Settings
from .wire import Received, Wire

logger = logging.getLogger("pyinfra")
T = TypeVar("T")

POWERSHELL = "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Unrestricted"

#: A process is not recycled for its memory before it has served so many requests.
LEAST_REQUESTS = 20

#: Called with the stream's name ("stdout", "stderr") and bytes, as they arrive and in order.
OnOutput = Callable[[str, bytes], None]


@dataclass
class Result:
    """What a request came to. ``head`` holds the loop's own values (exit code, error, ...)."""

    head: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        return int(self.head.get("exit", "0"))


@cache
def loop_text() -> str:
    """The loop without its comments, as it is sent."""
    text = resources.files(__package__).joinpath("loop.ps1").read_text("ascii")
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("#")) + "\n"


@cache
def packed_loop() -> bytes:
    """The loop as the loader reads it: only letters that every console code page leaves alone."""
    return base64.b64encode(gzip.compress(loop_text().encode("ascii"), 9, mtime=0))


def loader(size: int, token: str) -> str:
    """The command line that starts PowerShell: it reads ``size`` bytes of stdin, a packed script, and runs it."""
    script = (
        f"$Token='{token}';$ErrorActionPreference='Stop';"
        "$i=[Console]::OpenStandardInput();"
        f"$b=New-Object byte[] {size};$n=0;"
        "while($n -lt $b.Length){$r=$i.Read($b,$n,$b.Length-$n);if($r -lt 1){exit 90};$n+=$r};"
        "$m=New-Object IO.MemoryStream (,[Convert]::FromBase64String([Text.Encoding]::ASCII.GetString($b)));"
        "$z=New-Object IO.Compression.GZipStream $m,([IO.Compression.CompressionMode]::Decompress);"
        ". ([scriptblock]::Create((New-Object IO.StreamReader $z).ReadToEnd()))"
    )
    return f'{POWERSHELL} -Command "{script}"'


class NoLoop(WireError):
    """PowerShell started but the loop did not answer its handshake."""

    delivered = False

    def sentence(self, host: str) -> str:
        return f"{host}: PowerShell does not start as it should: {self.what}"


class Session:
    """The PowerShell process of one server. Made without a connection; :meth:`open` or the first request makes one.

    Attributes:
        facts: what the loop said of itself: version, pid, powershell, directory, stdin_aside, codepage.
        starts: PowerShell processes started so far.
    """

    def __init__(self, settings: Settings, wire: Wire | None = None) -> None:
        self.settings = settings
        self.wire = wire or Wire(settings)
        self.lock = threading.RLock()
        self.facts: dict[str, str] = {}
        self.starts = 0
        self.shell: str | None = None
        self.command: str | None = None
        self._dirty = False
        self.pinned = False  # a transfer is under way in this process: not the time to start a new one
        self._reset_loop()

    # -- life -----------------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self.command is not None

    def open(self) -> None:
        """Opens shell and PowerShell process where there is none.

        Raises:
            WireError: the server cannot be reached or refuses us.
            NoLoop: PowerShell runs but does not answer; its own words are in the exception.
        """
        if self._dirty or self._worn_out():
            self.close()
        if self.command is not None:
            return
        self.wire.refresh()
        try:
            self.shell = self.shell or self._patiently(self._create)
            token = "".join(random_secrets.choice(string.ascii_letters) for _ in range(16))
            self.command = self._patiently(lambda: self.wire.command(self._shell, loader(len(packed_loop()), token)))
            self.starts += 1
            self._shake_hands(token.encode(), packed_loop())
        except BaseException:
            self._dirty = True
            self.close()
            raise

    def close(self) -> None:
        """Ends the process and removes the shell, as far as the server can still be reached. Never raises a WireError."""
        # A run that is broken off closes the connection while another greenlet still waits for an answer on it.
        ours = self.lock.acquire(blocking=False)
        try:
            wire = self.wire if ours else Wire(self.settings)
            shell, self.shell, self.command = self.shell, None, None
            if ours and self._dirty:
                wire.reset()
            self._reset_loop()
            if shell is not None:
                self._remove(wire, shell)
            wire.reset()
        finally:
            if ours:
                self.lock.release()

    def _remove(self, wire: Wire, shell: str) -> None:
        for _ in range(2):
            try:
                wire.delete(shell)
                return
            except (Undecipherable, Unauthorized, Dropped):
                wire.reset()
            except WireError as error:
                logger.debug("%s: removing the shell: %s", self.settings.name, error.what)
                return

    def spoil(self) -> None:
        """The exchange was cut off in the middle: the next request starts with a new process."""
        self._dirty = True

    # -- requests -------------------------------------------------------------------------------------------------------

    def request(
        self,
        kind: int,
        head: dict[str, str],
        data: bytes = b"",
        flags: int = 0,
        on_output: OnOutput | None = None,
        on_data: Callable[[bytes], None] | None = None,
        on_restart: Callable[[], None] | None = None,
        deadline: float | None = None,
        safe: bool = False,
        attempts: int = 3,
    ) -> Result:
        """One request and its reply.

        Args:
            kind: what is asked for (``frames.RUN`` ...).
            head: named values of the request.
            data: its data; ``flags`` says whether they are packed.
            on_output: gets output as it comes.
            on_data: gets the bytes of a file.
            on_restart: called when the request is run again from its beginning.
            deadline: time (``time.monotonic``) after which the process is ended.
            safe: may be run again when it is not known whether it has run.
            attempts: how often to try in all when the process is lost.

        Raises:
            TimeoutError: the deadline has passed; the process and all its children have been ended.
            MayHaveRun: process or server were lost after the request had been sent.
            WireError: anything else that keeps the server from doing it.
        """
        with self.lock:
            for attempt in range(attempts):
                tries = _Delivery()
                try:
                    self.open()
                    self.wire.refresh()
                    number = self._send_message(kind, flags, frames.body(head, data), tries)
                    return self._await_reply(number, on_output, on_data, deadline)
                except ReplyLost as error:
                    # The process is well and has done what was asked; only its answer is gone.
                    if not safe:
                        raise self._may_have_run(error) from None
                    raise
                except (WireError, TimeoutError) as error:
                    if isinstance(error, TooLarge):
                        raise
                    self.spoil()
                    if isinstance(error, TimeoutError):
                        self.close()
                        raise
                    started = tries.complete and (tries.certain or tries.unknown)
                    if not isinstance(error, LoopLost):
                        if started and not safe:
                            raise self._may_have_run(error) from None
                        raise
                    if attempt == attempts - 1 or (started and not safe):
                        raise (self._may_have_run(error) if started and not safe else error) from None
                    if on_restart:
                        on_restart()
                    logger.debug("%s: %s; starting anew", self.settings.name, error.what)
                except BaseException:
                    self.spoil()
                    raise
        raise AssertionError("not reached")

    def send_only(self, kind: int, head: dict[str, str], data: bytes = b"", flags: int = 0) -> None:
        """A request without a reply (pieces of a file)."""
        with self.lock:
            try:
                self._send_message(kind, flags, frames.body(head, data), _Delivery())
            except BaseException:
                self.spoil()
                raise

    def hold_back(self, kind: int, head: dict[str, str], data: bytes = b"", flags: int = 0) -> None:
        """Like :meth:`send_only`, but together with the next request."""
        self._sequence += 1
        self._held += frames.frame(self._sequence, kind, flags, frames.body(head, data))

    def room(self) -> int:
        """The most bytes of data that fit in one more frame of the next Send."""
        if self.shell is None or self.command is None:
            raise LoopLost("there is no PowerShell process")
        room = self.wire.room(self.shell, self.command)
        if self._in_mode != "RAW":
            room = (room - 4) // 4 * 3
        return room - len(self._held) - frames.HEAD_SIZE - 64

    # -- opening --------------------------------------------------------------------------------------------------------

    @property
    def _shell(self) -> str:
        assert self.shell is not None
        return self.shell

    @property
    def _command(self) -> str:
        assert self.command is not None
        return self.command

    def _reset_loop(self) -> None:
        self._dirty = False
        self._sequence = 0
        self._held = b""
        self._count = 0
        self._memory = 0
        self._in_mode = "RAW"
        self._preface = b""
        self._parser = ReplyParser(b"")
        self._stderr_tail = bytearray()

    def _worn_out(self) -> bool:
        if self.command is None or self.pinned:
            return False
        grown = self._memory > self.settings.recycle_memory << 20 and self._count >= LEAST_REQUESTS
        return grown or self._count >= self.settings.recycle_after

    def _create(self) -> str:
        try:
            return self.wire.create(idle_timeout=self.settings.idle_timeout)
        except Fault as fault:
            if fault.code in (errors.BUSY, errors.TOO_MANY_SHELLS, errors.TOO_MANY_OPERATIONS, errors.ACCESS_DENIED):
                raise
            logger.debug("%s: %s; opening a shell without an idle timeout", self.settings.name, fault.what)
            return self.wire.create()

    def _patiently(self, call: Callable[[], T]) -> T:
        """For requests that may be repeated: over a stale or broken connection once more, when busy after a pause."""
        pauses = iter((0.0, 0.5, 1.0, 2.0, 4.0))
        while True:
            try:
                return call()
            except (Undecipherable, Unauthorized, Dropped, OperationTimeout) as error:
                pause = next(pauses, None)
                if pause is None or (pause and isinstance(error, Unauthorized | Undecipherable)):
                    raise
                if isinstance(error, Unauthorized) and not self.wire.last_used:
                    raise  # no connection can have gone stale, and each try counts towards a lockout of the account
                self.wire.reset()
            except TooLarge:
                if not self.wire.shrink():
                    raise
                continue
            except Fault as fault:
                pause = next(pauses, None)
                if fault.code != errors.BUSY or pause is None:
                    raise
            time.sleep(pause)

    def _shake_hands(self, token: bytes, script: bytes) -> None:
        """Sends the loop and a table of all bytes, and reads what it says of both."""
        table = bytes(range(256))
        self._send_script(script + table + token + b"\n")
        deadline = time.monotonic() + self.settings.start_timeout
        seen, stderr = bytearray(), bytearray()
        lost = 0
        while True:
            if time.monotonic() > deadline:
                raise NoLoop(f"it did not answer within {self.settings.start_timeout} s. {_tail(stderr)}".strip())
            try:
                received = self.wire.receive(self._shell, self._command, deadline - time.monotonic())
            except OperationTimeout:
                if lost:
                    raise LoopLost("the connection broke while PowerShell was starting") from None
                continue
            except (Dropped, Undecipherable, Unauthorized, Unreachable) as error:
                lost += 1
                if lost > 2 or isinstance(error, Unreachable):
                    raise
                self.wire.reset()
                continue
            except Fault as fault:
                if fault.code in errors.GONE:
                    raise NoLoop(f"its process ended at once. {_tail(stderr)}".strip()) from None
                if fault.code != errors.BUSY:
                    raise
                time.sleep(0.5)
                continue
            for name, piece in received.pieces:
                (seen if name == "stdout" else stderr).extend(piece)
            hello = seen.find(token + b" HELLO ")
            line_end = seen.find(b"\n", hello)
            if hello >= 0 and line_end >= 0:
                end = seen.find(token, line_end)
                if end >= 0:
                    self._begin(token, table, bytes(seen[hello:line_end]), bytes(seen[line_end + 1 : end]))
                    return
            if received.done:
                words = _tail(stderr) or _tail(seen)
                raise NoLoop(f"it ended with exit code {received.exit_code}. {words}".strip())

    def _send_script(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            piece = data[at : at + self.wire.room(self._shell, self._command)]
            try:
                self.wire.send(self._shell, self._command, piece)
            except OperationTimeout:
                pass
            except TooLarge:
                if not self.wire.shrink():
                    raise
                continue
            except (Undecipherable, Unauthorized):
                self.wire.reset()
                self.wire.send(self._shell, self._command, piece)
            except Dropped as error:
                # Whether the bytes arrived cannot be known, and there is no loop yet to tell a repetition: a new process.
                raise LoopLost("the connection broke while PowerShell was starting") from error
            except Fault as fault:
                if fault.code in errors.GONE:
                    return  # what it wrote before it ended is read next
                raise
            at += len(piece)

    def _begin(self, token: bytes, table: bytes, hello: bytes, echo: bytes) -> None:
        text = base64.b64decode(hello.split(b" HELLO ", 1)[1]).decode("utf-8", "replace")
        self.facts = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
        arrived = base64.b64decode(self.facts.pop("probe", ""))
        self._in_mode = "RAW" if arrived.startswith(table + token) else "B64"
        out_mode = "RAW" if echo == table else "B64"
        self._parser = ReplyParser(token, as_lines=out_mode != "RAW")
        self._preface = f"{self._in_mode} {out_mode}\n".encode()
        logger.debug(
            "%s: PowerShell %s, process %s, requests %s, replies %s",
            self.settings.name, self.facts.get("powershell"), self.facts.get("pid"), self._in_mode, out_mode,
        )  # fmt: skip

    # -- sending ----------------------------------------------------------------------------------------------------------

    def _send_message(self, kind: int, flags: int, body: bytes, tries: _Delivery) -> int:
        """Sends a message in as many frames as it needs; returns its number, that of its last frame."""
        at = 0
        while True:
            room = max(1024, self.room())
            piece = body[at : at + room]
            last = at + len(piece) >= len(body)
            number = self._sequence + 1
            held = self._held
            encoded = held + frames.frame(number, kind, flags | (0 if last else frames.MORE), piece)
            tries.complete = last
            try:
                self._deliver(encoded, tries)
            except TooLarge:
                smaller = self.wire.shrink()
                if held:
                    # What was to go along cannot be cut any more: the caller begins again with smaller pieces.
                    self._sequence -= sum(1 for _ in _split(held))
                    self._held = b""
                    raise
                if not smaller:
                    raise
                continue
            self._held = b""
            self._sequence = number
            at += len(piece)
            if last:
                return number

    def _deliver(self, encoded: bytes, tries: _Delivery) -> None:
        """One Send, again after a broken connection: the loop drops frames that it knows."""
        if self._in_mode != "RAW":
            encoded = b"".join(base64.b64encode(one) + b"\n" for one in _split(encoded))
        encoded = self._preface + encoded
        give_up = None
        pause = 0.0
        while True:
            try:
                self.wire.send(self._shell, self._command, encoded)
                break
            except OperationTimeout:
                break  # the bytes are in the pipe
            except Fault as fault:
                if fault.code in errors.GONE:
                    raise LoopLost("the PowerShell process or its shell on the server is gone") from None
                if fault.code == errors.TOO_MANY_OPERATIONS:
                    # Operations that a shell has leaked go only with the shell.
                    raise LoopLost(fault.what, fault.todo) from None
                if fault.code != errors.BUSY:
                    raise
                give_up = give_up or time.monotonic() + self.settings.reconnect_timeout
                if time.monotonic() > give_up:
                    raise
                pause = min(max(0.25, pause * 2), 5)
            except TooLarge:
                raise
            except (Undecipherable, Unauthorized, Dropped, Unreachable, Garbled) as error:
                if error.delivered is None:
                    tries.unknown = True
                pause = self._pause_after(error, pause, give_up)
                give_up = give_up or time.monotonic() + self.settings.reconnect_timeout
                self.wire.reset()
            time.sleep(pause)
        tries.certain = True
        self._preface = b""

    def _pause_after(self, error: WireError, pause: float, give_up: float | None) -> float:
        """How long to wait before the next try; raises the error when it has been long enough."""
        if give_up is not None and time.monotonic() > give_up:
            raise error
        if isinstance(error, errors.NameUnknown | errors.CertificateRefused):
            raise error
        if (isinstance(error, Unauthorized) and pause) or (
            isinstance(error, Undecipherable | Garbled) and pause >= 0.4
        ):
            raise error
        return min(max(0.05, pause * 3), 5)

    # -- receiving --------------------------------------------------------------------------------------------------------

    def _await_reply(
        self, number: int, on_output: OnOutput | None, on_data: Callable[[bytes], None] | None, deadline: float | None
    ) -> Result:
        self._count += 1
        expected = 0
        waiting: dict[int, Reply] = {}
        lost = False
        give_up: float | None = None
        pause = 0.0
        while True:
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            wait = float(self.settings.operation_timeout)
            if deadline is not None:
                wait = min(wait, max(0.5, deadline - time.monotonic()))
            asked = time.monotonic()
            try:
                received = self.wire.receive(self._shell, self._command, wait)
            except OperationTimeout:
                # Said before the time was over: output may have been taken from the command and lost on the way.
                if lost or time.monotonic() - asked < wait * 0.8:
                    lost = True
                    self._parser.lost()
                    self._ask_again(number, expected)
                continue
            except Fault as fault:
                if fault.code in errors.GONE:
                    raise LoopLost("the PowerShell process or its shell on the server is gone") from None
                if fault.code not in (errors.BUSY, errors.TOO_MANY_OPERATIONS):
                    raise
                give_up = give_up or time.monotonic() + self.settings.reconnect_timeout
                if time.monotonic() > give_up:
                    raise
                pause = min(max(0.25, pause * 2), 5)
                time.sleep(pause)
                continue
            except (Undecipherable, Unauthorized, Dropped, Unreachable, Garbled) as error:
                pause = self._pause_after(error, pause, give_up)
                give_up = give_up or time.monotonic() + self.settings.reconnect_timeout
                self.wire.reset()
                time.sleep(pause)
                if error.delivered is None:
                    lost = True
                    self._parser.lost()
                    self._ask_again(number, expected)
                continue
            give_up, pause = None, 0.0
            for item in self._items(received, on_output):
                if item.id == number and item.index >= expected:
                    waiting[item.index] = item
                while expected in waiting:
                    reply = waiting.pop(expected)
                    expected += 1
                    if reply.kind == frames.GONE:
                        raise ReplyLost("a part of the answer was lost on the way and is not kept on the server")
                    if reply.kind == frames.DONE:
                        result = Result(reply.head())
                        self._memory = int(result.head.get("memory") or 0)
                        return result
                    _hand_over(reply, on_output, on_data)
            if received.done:
                raise LoopLost(f"the PowerShell process on the server ended (exit code {received.exit_code})")
            if waiting and not lost:
                lost = True
                self._ask_again(number, expected)

    def _items(self, received: Received, on_output: OnOutput | None) -> Iterable[Reply]:
        """The frames of a Receive; what programs wrote past the loop goes to ``on_output`` in its place."""
        for name, piece in received.pieces:
            if name != "stdout":
                if on_output:
                    on_output("stderr", piece)
                continue
            for item in self._parser.feed(piece):
                if isinstance(item, Reply):
                    yield item
                elif on_output:
                    on_output("stdout", item)

    def _ask_again(self, number: int, index: int) -> None:
        self._send_message(frames.AGAIN, 0, frames.body({"id": str(number), "index": str(index)}), _Delivery())

    def _may_have_run(self, error: WireError) -> MayHaveRun:
        return MayHaveRun(
            f"{error.what}; the command may have run, wholly or in part, and is not run again",
            "look at the server, then run the deploy again",
        )


@dataclass
class _Delivery:
    """What is known of a message on its way: its last frame was tried, and arrived for certain or perhaps."""

    complete: bool = False
    certain: bool = False
    unknown: bool = False


def _hand_over(reply: Reply, on_output: OnOutput | None, on_data: Callable[[bytes], None] | None) -> None:
    if reply.kind == frames.DATA:
        if on_data:
            on_data(reply.body)
    elif on_output is None:
        return
    elif reply.kind == frames.LINES:
        for line in reply.body.split(b"\n")[:-1]:
            on_output("stderr" if line[:1] == b"E" else "stdout", line[1:] + b"\n")
    elif reply.kind in (frames.STDOUT, frames.STDERR):
        on_output("stdout" if reply.kind == frames.STDOUT else "stderr", reply.body)


def _split(encoded: bytes) -> Iterable[bytes]:
    """The single frames of a Send."""
    at = 0
    while at < len(encoded):
        length = int.from_bytes(encoded[at + 16 : at + 20], "little")
        yield encoded[at : at + frames.HEAD_SIZE + length]
        at += frames.HEAD_SIZE + length


def _tail(data: bytes | bytearray) -> str:
    """The last words of a process, on one line."""
    text = " ".join(bytes(data[-2000:]).decode("utf-8", "replace").split())
    return f"It says: {text[-300:]}" if text else ""
