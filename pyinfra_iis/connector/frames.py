"""The frames that travel between us and the loop on the server (``loop.ps1``).

To the loop: magic, sequence number, kind, flags, length (five little endian 32 bit numbers), then a body: length of its head, the
head (lines ``name=base64 of UTF-8``), data. From the loop: the connection's token, kind, flags, id of the request, index within
its reply, length, body. Whatever lies between two frames was written by a program straight to the process's stdout."""

from __future__ import annotations

import base64
import binascii
import gzip
import struct
from dataclasses import dataclass

MAGIC = b"WLV1"
MORE, PACKED = 1, 2

RUN, EXEC, PUT_OPEN, PUT_DATA, PUT_CHECK, PUT_COMMIT, GET, AGAIN, PUT_ABORT = range(1, 10)
LINES, STDOUT, STDERR, DONE, DATA, GONE = range(1, 7)

HEAD_SIZE = 20
_REPLY = struct.Struct("<5i")


def frame(sequence: int, kind: int, flags: int, body: bytes) -> bytes:
    return MAGIC + struct.pack("<4i", sequence, kind, flags, len(body)) + body


def body(head: dict[str, str], data: bytes = b"") -> bytes:
    lines = "\n".join(
        f"{name}={base64.b64encode(value.encode('utf-8', 'replace')).decode()}" for name, value in head.items()
    )
    encoded = lines.encode()
    return struct.pack("<i", len(encoded)) + encoded + data


def pack(data: bytes) -> tuple[bytes, int]:
    """Data packed and the flag for it, or as they are where that does not pay."""
    if len(data) > 1024:
        packed = gzip.compress(data, 6, mtime=0)
        if len(packed) < len(data) * 9 // 10:
            return packed, PACKED
    return data, 0


@dataclass
class Reply:
    kind: int
    id: int
    index: int
    body: bytes

    def head(self) -> dict[str, str]:
        """The named values of a DONE frame."""
        values = {}
        for line in self.body.decode("ascii", "replace").split("\n"):
            name, _, value = line.partition("=")
            if name:
                values[name] = base64.b64decode(value).decode("utf-8", "replace")
        return values


class ReplyParser:
    """Finds the loop's frames in the bytes of stdout."""

    def __init__(self, token: bytes, as_lines: bool = False) -> None:
        self.token = token
        self.as_lines = as_lines
        self._buffer = bytearray()
        self._stray = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Reply | bytes]:
        """Frames, and what lay between them as bytes, in order."""
        self._buffer += data
        found: list[Reply | bytes] = []
        while True:
            reply = self._next_line() if self.as_lines else self._next()
            if self._stray:
                found.append(bytes(self._stray))
                self._stray.clear()
            if reply is None:
                return found
            found.append(reply)

    def lost(self) -> None:
        """Some bytes never arrived: a frame that has begun is not one any more, and what comes up to the next one is its rest."""
        self._buffer.clear()
        self._skipping = True

    def _next(self) -> Reply | None:
        at = self._buffer.find(self.token)
        if at < 0:
            # A token may begin at the end of what has come so far.
            keep = len(self.token) - 1
            if len(self._buffer) > keep and not self._tail_may_begin_token():
                self._between(self._buffer)
                self._buffer.clear()
            return None
        self._between(self._buffer[:at])
        del self._buffer[:at]
        self._skipping = False
        start = len(self.token) + _REPLY.size
        if len(self._buffer) < start:
            return None
        kind, flags, number, index, length = _REPLY.unpack_from(self._buffer, len(self.token))
        if len(self._buffer) < start + length:
            return None
        content = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return Reply(kind, number, index, gzip.decompress(content) if flags & PACKED else content)

    def _next_line(self) -> Reply | None:
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                return None
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            at = line.find(self.token)
            if at < 0:
                self._between(line)
                continue
            self._between(line[:at])
            self._skipping = False
            try:
                raw = base64.b64decode(line[at + len(self.token) :].strip(), validate=True)
            except binascii.Error:
                continue
            kind, flags, number, index, length = _REPLY.unpack_from(raw, len(self.token))
            content = raw[len(self.token) + _REPLY.size :][:length]
            return Reply(kind, number, index, gzip.decompress(content) if flags & PACKED else content)

    def _between(self, data: bytes | bytearray) -> None:
        if not self._skipping:
            self._stray += data

    def _tail_may_begin_token(self) -> bool:
        return any(self._buffer.endswith(self.token[:n]) for n in range(len(self.token) - 1, 0, -1))
