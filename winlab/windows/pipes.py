"""Byte pipes between simulated processes, and between them and the lab's services."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from winlab.windows import turns
from winlab.windows.current import check_killed
from winlab.windows.errors import WindowsError

DEFAULT_CAPACITY = 1 << 20
_NOT_WAITING = contextlib.nullcontext()


class Pipe:
    """A thread-safe byte pipe.

    Write ends are counted: a process that was given the pipe as stdout or stderr holds one until it ends, so the reader sees the end of file when
    the last holder is gone (or at once after `close_write`). `write` blocks while `capacity` bytes wait to be read. Listeners are called,
    from whichever thread made the change, after data arrived, after the write side closed and after data was taken.
    """

    def __init__(self, capacity: int | None = DEFAULT_CAPACITY) -> None:
        self._condition = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._capacity = capacity
        self._writers = 0
        self._readers = 0
        self._write_closed = False
        self._read_closed = False
        self._listeners: list[Callable[[], None]] = []

    # -- ends -------------------------------------------------------------------------------------------------------------------

    def add_writer(self) -> None:
        """Takes a write end; give it back with `release_writer`."""
        with self._condition:
            self._writers += 1

    def release_writer(self) -> None:
        """Gives a write end back; the last one closes the write side."""
        with self._condition:
            self._writers -= 1
            last = self._writers <= 0
        if last:
            self.close_write()

    def add_reader(self) -> None:
        """Takes a read end; give it back with `release_reader`."""
        with self._condition:
            self._readers += 1

    def release_reader(self) -> None:
        """Gives a read end back; the last one closes the read side."""
        with self._condition:
            self._readers -= 1
            last = self._readers <= 0
        if last:
            self.close_read()

    def close_write(self) -> None:
        """Ends the stream: readers get what is left, then b''."""
        with self._condition:
            self._write_closed = True
            self._condition.notify_all()
        self._notify()

    def close_read(self) -> None:
        """Nobody will read any more: what waits is dropped and writers get error 232."""
        with self._condition:
            self._read_closed = True
            self._chunks.clear()
            self._size = 0
            self._condition.notify_all()
        self._notify()

    # -- data -------------------------------------------------------------------------------------------------------------------

    def write(self, data: bytes, timeout: float | None = None) -> int:
        """Writes all of `data`, waiting for room. WindowsError 232 (109 after `close_write`) when that end is closed, 121 on timeout (seconds)."""
        if not data:
            return 0
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._waiting(self._capacity is not None and self._size >= self._capacity), self._condition:
            while True:
                if self._read_closed:
                    raise WindowsError(232)
                if self._write_closed:
                    raise WindowsError(109)
                if self._capacity is None or self._size < self._capacity:
                    break
                self._wait(deadline)
            self._chunks.append(bytes(data))
            self._size += len(data)
            self._condition.notify_all()
        self._notify()
        return len(data)

    def _wait(self, deadline: float | None) -> None:
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise WindowsError(121)
        self._condition.wait(remaining)
        check_killed()

    @staticmethod
    def _waiting(likely: bool) -> AbstractContextManager[None]:
        """Around what may wait: outside the lock, which nobody may hold while waiting for a turn."""
        return turns.aside() if likely else _NOT_WAITING

    def wake(self) -> None:
        """Makes waiting threads look around: those of a terminated process leave."""
        with self._condition:
            self._condition.notify_all()

    def read(self, n: int = 65536, timeout: float | None = None) -> bytes:
        """Up to n bytes, waiting for the first one; b'' at the end of file. TimeoutError after `timeout` seconds without data."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._waiting(not self._chunks), self._condition:
            while not self._chunks:
                if self._write_closed or self._read_closed:
                    return b""
                remaining = None if deadline is None else deadline - time.monotonic()
                if remaining is not None and remaining <= 0:
                    raise TimeoutError("no data in the pipe")
                self._condition.wait(remaining)
                check_killed()
            data = self._take(n)
            self._condition.notify_all()
        self._notify()
        return data

    def read_available(self, n: int | None = None) -> bytes:
        """What is there now (up to n bytes) without waiting; b'' when nothing is."""
        with self._condition:
            if not self._chunks:
                return b""
            data = self._take(self._size if n is None else n)
            self._condition.notify_all()
        self._notify()
        return data

    def read_all(self, timeout: float | None = None) -> bytes:
        """Everything up to the end of file. TimeoutError when that does not come within `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        parts: list[bytes] = []
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            data = self.read(1 << 20, remaining)
            if not data:
                return b"".join(parts)
            parts.append(data)

    def unread(self, data: bytes) -> None:
        """Puts bytes back in front of what waits: a reader took them and did not use them."""
        with self._condition:
            if self._read_closed or not data:
                return
            self._chunks.appendleft(data)
            self._size += len(data)
            self._condition.notify_all()
        self._notify()

    def readline(self, timeout: float | None = None) -> bytes:
        """One line with its line feed, or what is left before the end of file."""
        deadline = None if timeout is None else time.monotonic() + timeout
        parts: list[bytes] = []
        while True:
            with self._waiting(not self._chunks), self._condition:
                while not self._chunks:
                    if self._write_closed or self._read_closed:
                        return b"".join(parts)
                    remaining = None if deadline is None else deadline - time.monotonic()
                    if remaining is not None and remaining <= 0:
                        if parts:
                            self._chunks.appendleft(b"".join(parts))
                            self._size += len(self._chunks[0])
                        raise TimeoutError("no complete line in the pipe")
                    self._condition.wait(remaining)
                    check_killed()
                end = self._chunks[0].find(b"\n")
                parts.append(self._take(len(self._chunks[0]) if end < 0 else end + 1))
                self._condition.notify_all()
            if end >= 0:
                self._notify()
                return b"".join(parts)

    def _take(self, n: int) -> bytes:
        if n <= 0:
            return b""
        parts: list[bytes] = []
        while self._chunks and n > 0:
            chunk = self._chunks.popleft()
            if len(chunk) > n:
                self._chunks.appendleft(chunk[n:])
                chunk = chunk[:n]
            parts.append(chunk)
            n -= len(chunk)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._size -= len(data)
        return data

    # -- state ------------------------------------------------------------------------------------------------------------------

    @property
    def available(self) -> int:
        """Bytes that wait to be read."""
        return self._size

    @property
    def at_eof(self) -> bool:
        """True when the write side is closed and nothing is left to read."""
        with self._condition:
            return (self._write_closed and not self._chunks) or self._read_closed

    @property
    def write_closed(self) -> bool:
        return self._write_closed

    @property
    def read_closed(self) -> bool:
        return self._read_closed

    def add_listener(self, callback: Callable[[], None]) -> None:
        """Calls `callback` after each change, from the changing thread (use loop.call_soon_threadsafe inside)."""
        self._listeners.append(callback)

    def remove_listener(self, callback: Callable[[], None]) -> None:
        if callback in self._listeners:
            self._listeners.remove(callback)

    def _notify(self) -> None:
        for listener in list(self._listeners):
            listener()
