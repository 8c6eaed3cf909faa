"""HTTP.sys: listeners, routing by address, port and host name, the protocol's limits, and what it answers by itself.

Its answers carry "Server: Microsoft-HTTPAPI/2.0" and never reach a site's log; they are noted in the HTTP error log
(HTTPERR).
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate

from winlab.iis.http11 import (
    Body,
    Headers,
    ProtocolError,
    RequestHead,
    format_head,
    parse_request,
    request_body_length,
)
from winlab.iis.model import Binding
from winlab.iis.urls import Url, cook

MAX_REQUEST_BYTES = 16384
STREAM_LIMIT = 131072
LINGER_BYTES = 1 << 20
LOW_PORT_OFFSET = 8000

E_ALREADY_EXISTS = 0x800700B7
E_SHARING_VIOLATION = 0x80070020
E_ACCESS_DENIED = 0x80070005
E_INVALID_PARAMETER = 0x80070057

KERNEL_SERVER = "Microsoft-HTTPAPI/2.0"

# reason (as HTTPERR names it) -> status, reason phrase, headline, sentence
_KERNEL_ANSWERS: dict[str, tuple[int, str, str, str]] = {
    "BadRequest": (400, "Bad Request", "Bad Request", "HTTP Error 400. The request is badly formed."),
    "Verb": (400, "Bad Request", "Bad Request - Invalid Verb", "HTTP Error 400. The request verb is invalid."),
    "URL": (400, "Bad Request", "Bad Request - Invalid URL", "HTTP Error 400. The request URL is invalid."),
    "Header": (
        400,
        "Bad Request",
        "Bad Request - Invalid Header",
        "HTTP Error 400. The request has an invalid header name.",
    ),
    "Hostname": (
        400,
        "Bad Request",
        "Bad Request - Invalid Hostname",
        "HTTP Error 400. The request hostname is invalid.",
    ),
    "FieldLength": (
        400,
        "Bad Request",
        "Bad Request - Header Field Too Long",
        "HTTP Error 400. A request header field is too long.",
    ),
    "RequestLength": (
        400,
        "Bad Request",
        "Bad Request - Request Too Long",
        "HTTP Error 400. The size of the request headers is too long.",
    ),
    "URL_Length": (414, "Request-URI Too Long", "URL Too Long", "HTTP Error 414. The request URL is too long."),
    "LengthRequired": (
        411,
        "Length Required",
        "Length Required",
        "HTTP Error 411. The request must be chunked or have a content length.",
    ),
    "Not_Implemented": (
        501,
        "Not Implemented",
        "Not Implemented",
        "HTTP Error 501. The request transfer encoding type is not supported.",
    ),
    "Version_N/S": (
        505,
        "HTTP Version Not Supported",
        "HTTP Version Not Supported",
        "HTTP Error 505. The HTTP version is not supported.",
    ),
    "NotFound": (404, "Not Found", "Not Found", "HTTP Error 404. The requested resource is not found."),
    "Unavailable": (
        503,
        "Service Unavailable",
        "Service Unavailable",
        "HTTP Error 503. The service is unavailable.",
    ),
}


def kernel_page(reason: str) -> tuple[int, str, bytes]:
    """(status, reason phrase, body) of HTTP.sys's own answer; unknown reasons (AppOffline, QueueFull, ...) are 503."""
    status, phrase, headline, sentence = _KERNEL_ANSWERS.get(reason, _KERNEL_ANSWERS["Unavailable"])
    title = phrase if status != 414 else "Request-URI Too Long"
    body = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
        f"<HTML><HEAD><TITLE>{title}</TITLE>\r\n"
        '<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
        f"<BODY><h2>{headline}</h2>\r\n"
        f"<hr><p>{sentence}</p>\r\n"
        "</BODY></HTML>\r\n"
    )
    return status, phrase, body.encode("ascii")


class ClientGone(ConnectionError):
    """The client closed its connection before the answer was complete."""


_date_cache: tuple[int, str] = (0, "")


def http_date() -> str:
    """The Date header of this second."""
    global _date_cache
    now = int(time.time())
    if _date_cache[0] != now:
        _date_cache = (now, formatdate(now, usegmt=True))
    return _date_cache[1]


class Exchange:
    """One request and its answer, sent by `respond`, or by `start`, `write`, `end`, or by `continue_websocket`."""

    def __init__(
        self, connection: Connection, head: RequestHead, url: Url, body: Body, site: int, host: str, binding: Binding
    ) -> None:
        self.connection = connection
        self.head = head
        self.url = url
        self.body = body
        self.site = site
        self.host = host
        self.binding = binding
        self.began = time.monotonic()
        self.status = 0
        self.bytes_sent = 0
        self.started = False
        self.finished = False
        self.taken = False
        self._chunked = False
        self._bodyless = False
        self.close = not head.keep_alive

    @property
    def method(self) -> str:
        return self.head.method

    @property
    def bytes_received(self) -> int:
        return self.head.size + self.body.received

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self.began) * 1000)

    async def respond(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        """Sends a complete answer."""
        await self.start(status, reason, headers, len(body), body)
        await self.end()

    async def start(
        self, status: int, reason: str, headers: Headers, length: int | None = None, first: bytes = b""
    ) -> None:
        """Sends the head. `length` None means unknown: chunked for HTTP/1.1, else up to the end of the connection.

        A Server header among `headers` is sent as it is, none when its value is empty. Date, Connection and the framing
        are added here.
        """
        self.status = status
        self.started = True
        # an answer to HEAD tells the length of what GET would send, and 204 and 304 have no body
        self._bodyless = self.method == "HEAD" or status in (204, 304) or status < 200
        lines = [(n, v) for n, v in headers if not (n.lower() == "server" and not v)]
        lines.append(("Date", http_date()))
        if length is None:
            if self.head.version >= (1, 1):
                self._chunked = not self._bodyless
                if self._chunked:
                    lines.append(("Transfer-Encoding", "chunked"))
            elif not self._bodyless:
                self.close = True
        elif status >= 200 and status not in (204, 304):
            lines.append(("Content-Length", str(length)))
        if self.close:
            lines.append(("Connection", "close"))
        elif self.head.version < (1, 1):
            lines.append(("Connection", "keep-alive"))
        data = format_head(f"HTTP/1.1 {status} {reason}", lines)
        if first and not self._bodyless:
            data += self._framed(first)
        await self._send(data)

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body."""
        if data and not self._bodyless:
            await self._send(self._framed(data))

    async def end(self) -> None:
        """Completes the answer."""
        self.finished = True
        if self._chunked:
            await self._send(b"0\r\n\r\n")

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    async def _send(self, data: bytes) -> None:
        writer = self.connection.writer
        if writer.transport.is_closing():
            raise ClientGone("the client has closed its connection")
        self.bytes_sent += len(data)
        try:
            writer.write(data)
            if writer.transport.get_write_buffer_size() > 0:
                await writer.drain()
        except (ConnectionError, ssl.SSLError, RuntimeError) as error:
            raise ClientGone(str(error)) from error

    async def continue_websocket(self, status: int, reason: str, headers: Headers) -> Connection:
        """Sends the head of a 101 answer; the connection then belongs to the caller."""
        self.status = status
        self.started = self.finished = self.taken = self.close = True
        await self._send(format_head(f"HTTP/1.1 {status} {reason}", [*headers, ("Date", http_date())]))
        return self.connection

    async def kernel_answer(self, reason: str) -> None:
        """Answers for HTTP.sys itself and notes `reason` in the HTTP error log."""
        status, phrase, body = kernel_page(reason)
        if status in (400, 414, 411, 501, 505) or self.body.present:
            self.close = True
        headers = [("Content-Type", "text/html; charset=us-ascii"), ("Server", KERNEL_SERVER)]
        self.connection.httpsys.note_error(
            self.connection, self.method, self.url.raw, status, reason, self.site, self.head
        )
        await self.respond(status, phrase, headers, body)

    def abort(self) -> None:
        """Cuts the connection: an answer that has begun cannot be completed."""
        self.close = True
        self.connection.writer.transport.abort()


class Connection:
    """A client's connection."""

    __slots__ = ("client", "client_port", "httpsys", "local", "port", "reader", "secure", "server", "writer")

    def __init__(
        self,
        httpsys: HttpSys,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        endpoint: Endpoint,
    ) -> None:
        self.httpsys = httpsys
        self.reader = reader
        self.writer = writer
        peer = writer.get_extra_info("peername") or ("", 0)
        self.client: str = peer[0]
        self.client_port: int = peer[1]
        self.server = httpsys.address
        self.port = endpoint.port
        self.secure = endpoint.secure
        self.local = self.client == httpsys.address


@dataclass
class Endpoint:
    """One TCP port with everything bound to it: (ip, host) -> site id and binding."""

    port: int
    secure: bool
    routes: dict[tuple[str, str], tuple[int, Binding]] = field(default_factory=dict)
    server: asyncio.AbstractServer | None = None
    listening_port: int = 0

    def find(self, address: str, host: str) -> tuple[int, Binding] | None:
        """The binding for a request: address and name, name, name by wildcard, address, anything."""
        routes = self.routes
        for key in ((address, host), ("*", host)):
            if host and key in routes:
                return routes[key]
        _, dot, domain = host.partition(".")
        while dot:
            for key in ((address, f"*.{domain}"), ("*", f"*.{domain}")):
                if key in routes:
                    return routes[key]
            _, dot, domain = domain.partition(".")
        return routes.get((address, "")) or routes.get(("*", ""))


Dispatch = Callable[[Exchange], Awaitable[None]]
ErrorNote = Callable[[str], None]


class HttpSys:
    """The listeners of one server.

    Args:
        address: the server's IP address.
        dispatch: called with each request that belongs to a site.
        ssl_context: gives the TLS context of an endpoint.
        error_log: takes the lines of the HTTP error log.
    """

    def __init__(
        self,
        address: str,
        dispatch: Dispatch,
        ssl_context: Callable[[Endpoint], ssl.SSLContext],
        error_log: ErrorNote | None = None,
    ) -> None:
        self.address = address
        self.endpoints: dict[int, Endpoint] = {}
        self._dispatch = dispatch
        self._ssl_context = ssl_context
        self._error_log = error_log
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._idle: set[asyncio.Task[None]] = set()
        self.idle_timeout = 120.0

    # -- registration -------------------------------------------------------------------------------------------------

    async def register(self, site: int, bindings: Iterable[Binding]) -> tuple[int, Binding | None]:
        """Binds a site. (0, None), or the HRESULT and the binding that could not be had; nothing is bound then."""
        bindings = list(bindings)
        for binding in bindings:
            code = self._claim(site, binding)
            if code == 0:
                code = await self._listen(self.endpoints[binding.port])
            if code:
                await self.unregister(site)
                return code, binding
        return 0, None

    def _claim(self, site: int, binding: Binding) -> int:
        if not 0 < binding.port < 65536:
            return E_INVALID_PARAMETER
        key = self._key(binding)
        if key is None:
            return 0x80070032 if ":" in binding.ip else 0x80072741
        endpoint = self.endpoints.get(binding.port)
        if endpoint is None:
            endpoint = self.endpoints[binding.port] = Endpoint(binding.port, binding.secure)
        elif endpoint.secure != binding.secure:
            return E_SHARING_VIOLATION
        holder = endpoint.routes.get(key)
        if holder is not None and holder[0] != site:
            return E_ALREADY_EXISTS
        endpoint.routes[key] = (site, binding)
        return 0

    def _key(self, binding: Binding) -> tuple[str, str] | None:
        """Routing key; None for an address that this server does not have."""
        ip = binding.ip
        if ip in ("*", "0.0.0.0", ""):
            ip = "*"
        elif ip not in (self.address, "127.0.0.1"):
            return None
        return ip, binding.host

    async def _listen(self, endpoint: Endpoint) -> int:
        if endpoint.server is not None:
            return 0
        context = self._ssl_context(endpoint) if endpoint.secure else None

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(reader, writer, endpoint)

        for port in self._candidate_ports(endpoint.port):
            try:
                endpoint.server = await asyncio.start_server(
                    connected, self.address, port, ssl=context, limit=STREAM_LIMIT, backlog=1024
                )
            except OSError as error:
                if error.errno == errno.EACCES:
                    continue
                return E_SHARING_VIOLATION
            endpoint.listening_port = port
            return 0
        return E_ACCESS_DENIED

    @staticmethod
    def _candidate_ports(port: int) -> list[int]:
        """Ports below 1024 are not ours to take everywhere; then 80 is served on 8080, 443 on 8443."""
        return [port] if port >= 1024 else [port, port + LOW_PORT_OFFSET]

    async def unregister(self, site: int) -> None:
        """Frees what a site has bound; ports that nothing is bound to any more are closed."""
        for port, endpoint in list(self.endpoints.items()):
            endpoint.routes = {k: v for k, v in endpoint.routes.items() if v[0] != site}
            if not endpoint.routes:
                del self.endpoints[port]
                if endpoint.server is not None:
                    endpoint.server.close()
                for task in list(self._idle):
                    if self._connections[task].port == port:
                        task.cancel()

    async def close(self) -> None:
        for endpoint in self.endpoints.values():
            if endpoint.server is not None:
                endpoint.server.close()
        self.endpoints.clear()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2)

    # -- connections --------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, endpoint: Endpoint) -> None:
        connection = Connection(self, reader, writer, endpoint)
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = connection
        taken = False
        try:
            while True:
                self._idle.add(task)
                try:
                    data = await self._next_head(reader)
                except ProtocolError as error:
                    await self._refuse(connection, endpoint, None, error.reason)
                    break
                finally:
                    self._idle.discard(task)
                if data is None:
                    break
                exchange = await self._accept(connection, endpoint, data)
                if exchange is None:
                    break
                await self._dispatch(exchange)
                taken = exchange.taken
                if exchange.close or not await exchange.body.drain(LINGER_BYTES):
                    break
        except (ConnectionError, ProtocolError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.pop(task, None)
            if not taken:
                await _close(writer)

    async def _next_head(self, reader: asyncio.StreamReader) -> bytes | None:
        """The next request's head, None at the end of the connection or after the idle time."""
        try:
            async with asyncio.timeout(self.idle_timeout):
                data = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial.strip():
                raise ProtocolError("BadRequest") from error
            return None
        except asyncio.LimitOverrunError as error:
            raise ProtocolError("RequestLength") from error
        except TimeoutError:
            return None
        data = data.lstrip(b"\r\n")
        return data if data else await self._next_head(reader)

    async def _accept(self, connection: Connection, endpoint: Endpoint, data: bytes) -> Exchange | None:
        """The request as an exchange; None when HTTP.sys has refused it."""
        head: RequestHead | None = None
        try:
            if len(data) > MAX_REQUEST_BYTES:
                line = data.split(b"\r\n", 1)[0]
                raise ProtocolError("URL_Length" if len(line) > MAX_REQUEST_BYTES else "RequestLength")
            head = parse_request(data)
            length = request_body_length(head)
            if length == 0 and head.method in ("POST", "PUT") and "content-length" not in head.index:
                raise ProtocolError("LengthRequired")
            url = cook(head.target, head.method)
            host = self._host(head, url)
            route = endpoint.find(connection.server, host.split(":")[0].lower() if host[:1] != "[" else host)
            if route is None:
                raise ProtocolError("Hostname")
        except ProtocolError as error:
            await self._refuse(connection, endpoint, head, error.reason)
            return None
        body = Body(connection.reader, length, self._continue(connection, head))
        return Exchange(connection, head, url, body, route[0], host, route[1])

    @staticmethod
    def _host(head: RequestHead, url: Url) -> str:
        values = [v for n, v in head.headers if n.lower() == "host"]
        if len(values) > 1 or (not values and head.version >= (1, 1)):
            raise ProtocolError("Hostname")
        host = url.host or (values[0] if values else "")
        if any(c in host for c in " /\\?#@<>\"'%,;") or (head.version >= (1, 1) and not host):
            raise ProtocolError("Hostname")
        return host

    @staticmethod
    def _continue(connection: Connection, head: RequestHead) -> Callable[[], None] | None:
        if "100-continue" not in head.get("expect").lower():
            return None
        return lambda: connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _refuse(self, connection: Connection, endpoint: Endpoint, head: RequestHead | None, reason: str) -> None:
        status, phrase, body = kernel_page(reason)
        method = head.method if head else "-"
        self.note_error(connection, method, head.target if head else "-", status, reason, None, head)
        headers = [
            ("Content-Type", "text/html; charset=us-ascii"),
            ("Server", KERNEL_SERVER),
            ("Date", http_date()),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
        ]
        content = b"" if method == "HEAD" else body
        connection.writer.write(format_head(f"HTTP/1.1 {status} {phrase}", headers) + content)
        await connection.writer.drain()

    def note_error(
        self,
        connection: Connection,
        method: str,
        url: str,
        status: int,
        reason: str,
        site: int | None,
        head: RequestHead | None,
    ) -> None:
        """Adds a line to the HTTP error log."""
        if self._error_log is None:
            return
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        version = "HTTP/{}.{}".format(*head.version) if head else "-"
        self._error_log(
            f"{now} {connection.client} {connection.client_port} {connection.server} {connection.port} {version} "
            f"{method} {url} - {status} {site if site is not None else '-'} {reason} -"
        )


async def _close(writer: asyncio.StreamWriter) -> None:
    try:
        writer.close()
        async with asyncio.timeout(2):
            await writer.wait_closed()
    except (ConnectionError, ssl.SSLError, TimeoutError, RuntimeError, OSError):
        writer.transport.abort()
