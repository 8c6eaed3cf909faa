"""HTTP/1.x on the wire: heads and bodies, for HTTP.sys's side towards clients and WinHTTP's side towards backends.

Header names and values stay as they came, in order; both are latin-1 text.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable

Headers = list[tuple[str, str]]

READ_SIZE = 65536
MAX_CHUNK_LINE = 4096

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class ProtocolError(Exception):
    """The peer's bytes are not HTTP. `reason` is HTTP.sys's word for it: Verb, URL, Header, Hostname, ..."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Head:
    """The headers of a message, with look-up without case."""

    __slots__ = ("headers", "index")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        index: dict[str, str] = {}
        for name, value in headers:
            key = name.lower()
            index[key] = f"{index[key]}, {value}" if key in index else value
        self.index = index

    def get(self, name: str, default: str = "") -> str:
        """The value; several headers of one name are joined with ", "."""
        return self.index.get(name, default)

    def tokens(self, name: str) -> list[str]:
        """The comma-separated tokens of a header, lower case."""
        value = self.index.get(name)
        return [t.strip().lower() for t in value.split(",") if t.strip()] if value else []


class RequestHead(Head):
    __slots__ = ("method", "size", "target", "version")

    def __init__(self, method: str, target: str, version: tuple[int, int], headers: Headers, size: int = 0) -> None:
        super().__init__(headers)
        self.size = size
        self.method = method
        self.target = target
        self.version = version

    @property
    def keep_alive(self) -> bool:
        connection = self.tokens("connection")
        return "close" not in connection if self.version >= (1, 1) else "keep-alive" in connection


class ResponseHead(Head):
    __slots__ = ("reason", "status", "version")

    def __init__(self, status: int, reason: str, version: tuple[int, int], headers: Headers) -> None:
        super().__init__(headers)
        self.status = status
        self.reason = reason
        self.version = version

    @property
    def keep_alive(self) -> bool:
        connection = self.tokens("connection")
        return "close" not in connection if self.version >= (1, 1) else "keep-alive" in connection


def parse_request(data: bytes, max_field: int = 16384) -> RequestHead:
    """The head of a request, up to and with its empty line. ProtocolError where HTTP.sys answers 400."""
    lines = data.split(b"\r\n")
    parts = lines[0].split(b" ")
    if not _TOKEN.fullmatch(parts[0]):
        raise ProtocolError("Verb")
    if len(parts) != 3 or not parts[1]:
        raise ProtocolError("BadRequest")
    version = parts[2]
    if version == b"HTTP/1.1":
        number = (1, 1)
    elif version == b"HTTP/1.0":
        number = (1, 0)
    elif re.fullmatch(rb"HTTP/\d+\.\d+", version):
        raise ProtocolError("Version_N/S")
    else:
        raise ProtocolError("BadRequest")
    if len(parts[1]) > max_field:
        raise ProtocolError("URL_Length")
    headers = _parse_headers(lines, max_field)
    return RequestHead(parts[0].decode("ascii"), parts[1].decode("latin-1"), number, headers, len(data))


def parse_response(data: bytes) -> ResponseHead:
    """The head of a response. ProtocolError when it is none."""
    lines = data.split(b"\r\n")
    match = re.fullmatch(rb"HTTP/(\d)\.(\d) +(\d{3})(?: (.*))?", lines[0])
    if not match:
        raise ProtocolError("BadResponse")
    headers = _parse_headers(lines, 1 << 20)
    reason = (match[4] or b"").decode("latin-1").strip()
    return ResponseHead(int(match[3]), reason, (int(match[1]), int(match[2])), headers)


def _parse_headers(lines: list[bytes], max_field: int) -> Headers:
    headers: Headers = []
    for line in lines[1:]:
        if not line:
            continue
        if line[0] in b" \t" and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip().decode('latin-1')}")
            continue
        if len(line) > max_field:
            raise ProtocolError("FieldLength")
        raw_name, colon, raw_value = line.partition(b":")
        raw_name = raw_name.rstrip(b" \t")
        raw_value = raw_value.strip(b" \t")
        if not colon or not _TOKEN.fullmatch(raw_name) or _BAD_VALUE.search(raw_value):
            raise ProtocolError("Header")
        headers.append((raw_name.decode("ascii"), raw_value.decode("latin-1")))
    return headers


def format_head(start: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a head: start line, headers, empty line."""
    lines = [start]
    lines.extend([f"{name}: {value}" for name, value in headers])
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class Body:
    """The body of an incoming message, read piece by piece.

    Args:
        reader: the connection's stream.
        length: its Content-Length, None for chunked coding, -1 for "until the connection closes".
        on_first_read: called once before the first read (sends "100 Continue").
    """

    def __init__(
        self, reader: asyncio.StreamReader, length: int | None, on_first_read: Callable[[], None] | None = None
    ) -> None:
        self._reader = reader
        self.length = length
        self._left = length or 0
        self._on_first_read = on_first_read
        self.received = 0
        self.done = length == 0

    @property
    def chunked(self) -> bool:
        return self.length is None

    @property
    def present(self) -> bool:
        return self.length != 0

    async def read(self) -> bytes:
        """The next piece, b'' at the end. ConnectionError when the peer leaves early, ProtocolError for bad chunks."""
        if self.done:
            return b""
        if self._on_first_read is not None:
            self._on_first_read()
            self._on_first_read = None
        if self.length is None:
            data = await self._read_chunk()
        elif self.length < 0:
            data = await self._reader.read(READ_SIZE)
            self.done = not data
        else:
            data = await self._reader.read(min(READ_SIZE, self._left))
            if not data:
                raise ConnectionResetError("the peer closed the connection inside a body")
            self._left -= len(data)
            self.done = self._left == 0
        self.received += len(data)
        return data

    async def _read_chunk(self) -> bytes:
        if self._left == 0:
            size = await self._chunk_size()
            if size == 0:
                while await self._line():
                    pass
                self.done = True
                return b""
            self._left = size
        data = await self._reader.read(min(READ_SIZE, self._left))
        if not data:
            raise ConnectionResetError("the peer closed the connection inside a chunk")
        self._left -= len(data)
        if self._left == 0 and await self._line():
            raise ProtocolError("BadRequest")
        return data

    async def _chunk_size(self) -> int:
        text = (await self._line()).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", text):
            raise ProtocolError("BadRequest")
        return int(text, 16)

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the peer closed the connection inside a chunk") from error
        except asyncio.LimitOverrunError as error:
            raise ProtocolError("BadRequest") from error
        if len(line) > MAX_CHUNK_LINE:
            raise ProtocolError("BadRequest")
        return line[:-2]

    async def drain(self, limit: int) -> bool:
        """Reads and drops the rest, at most `limit` bytes; False when more is left."""
        if self._on_first_read is not None and not self.done:
            return False
        dropped = 0
        while not self.done:
            dropped += len(await self.read())
            if dropped > limit:
                return False
        return True


def request_body_length(head: RequestHead) -> int | None:
    """Content-Length of a request, None for chunked, 0 for none. ProtocolError for anything ambiguous."""
    coding = head.tokens("transfer-encoding")
    if coding:
        if coding != ["chunked"]:
            raise ProtocolError("Not_Implemented")
        return None
    text = head.index.get("content-length")
    if text is None:
        return 0
    values = {v.strip() for v in text.split(",")}
    if len(values) != 1 or not re.fullmatch(r"\d{1,18}", next(iter(values))):
        raise ProtocolError("BadRequest")
    return int(next(iter(values)))


def response_body_length(head: ResponseHead, method: str) -> int | None:
    """Length of a response's body: a count, None for chunked, -1 for until close."""
    if method == "HEAD" or head.status in (204, 304) or 100 <= head.status < 200:
        return 0
    if "chunked" in head.tokens("transfer-encoding"):
        return None
    text = head.index.get("content-length")
    if text is None:
        return -1
    first = text.split(",")[0].strip()
    if not first.isdigit():
        raise ProtocolError("BadResponse")
    return int(first)
