"""Forwarding of one request to an application's process, with WinHTTP's manners."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from winlab.iis.context import HttpError, RequestContext
from winlab.iis.http11 import (
    Body,
    Headers,
    ProtocolError,
    ResponseHead,
    format_head,
    parse_response,
    response_body_length,
)
from winlab.iis.httpsys import ClientGone
from winlab.iis.urls import escape_path
from winlab.iis.websocket import relay

if TYPE_CHECKING:
    from winlab.iis.httpplatform import Backend, PlatformApplication

MODULE = "httpPlatformHandler"
HEAD_LIMIT = 65536
MAX_IDLE = 64

ERROR_TIMEOUT = 0x80072EE2
ERROR_CANNOT_CONNECT = 0x80072EFD
ERROR_CONNECTION = 0x80072EFE
ERROR_INVALID_RESPONSE = 0x80072F78

_TEXTS = {
    ERROR_TIMEOUT: "The operation timed out",
    ERROR_CANNOT_CONNECT: "A connection with the server could not be established",
    ERROR_CONNECTION: "The connection with the server was terminated abnormally",
    ERROR_INVALID_RESPONSE: "The server returned an invalid or unrecognized response",
}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def gateway_error(hresult: int) -> HttpError:
    return HttpError(502, 3, hresult, module=MODULE, text=_TEXTS.get(hresult, ""))


class _Stale(Exception):
    """A kept connection turned out to be closed before anything came back on it."""


async def forward(context: RequestContext, application: PlatformApplication, backend: Backend) -> None:
    """Sends the request to `backend` and its answer to the client.

    Raises:
        HttpError: 502.3 when the backend cannot be reached, breaks off or takes too long, and nothing has been answered yet.
    """
    exchange = context.exchange
    seconds = application.settings.request_seconds
    websocket = application.websockets and exchange.head.get("upgrade").lower() == "websocket"
    head = _request_head(context, application, backend, websocket)
    # a request without a body may be sent again when a kept connection has been closed meanwhile
    if not exchange.body.present:
        while backend.idle:
            streams = backend.idle.pop()
            if streams[0].at_eof() or streams[1].is_closing():
                streams[1].transport.abort()
                continue
            try:
                await _exchange(context, application, backend, streams, head, seconds, websocket, reused=True)
                return
            except _Stale:
                continue
    streams = await _connect(backend, seconds)
    await _exchange(context, application, backend, streams, head, seconds, websocket, reused=False)


async def _connect(backend: Backend, seconds: float) -> Streams:
    try:
        async with asyncio.timeout(seconds or None):
            return await asyncio.open_connection("127.0.0.1", backend.port, limit=HEAD_LIMIT)
    except TimeoutError as error:
        raise gateway_error(ERROR_TIMEOUT) from error
    except OSError as error:
        raise gateway_error(ERROR_CANNOT_CONNECT) from error


def _request_head(
    context: RequestContext, application: PlatformApplication, backend: Backend, websocket: bool
) -> bytes:
    """The request's own headers with Connection taken out and the forwarding headers put in."""
    exchange = context.exchange
    connection = exchange.connection
    dropped = {"x-forwarded-for", "x-forwarded-proto", "transfer-encoding", "content-length"}
    if not websocket:
        dropped |= {"connection", "keep-alive", "proxy-connection"}
    headers: Headers = []
    for name, value in exchange.head.headers:
        lower = name.lower()
        if lower in dropped or (application.version.token and lower.startswith("ms-aspnetcore")):
            continue
        headers.append((name, value))
    if not websocket:
        headers.insert(0, ("Connection", "Keep-Alive"))
    if "host" not in exchange.head.index:
        headers.append(("Host", f"127.0.0.1:{backend.port}"))
    peer = f"[{connection.client}]" if ":" in connection.client else connection.client
    headers.append(("X-Forwarded-For", _appended(context, "x-forwarded-for", f"{peer}:{connection.client_port}")))
    scheme = "https" if connection.secure else "http"
    headers.append(("X-Forwarded-Proto", _appended(context, "x-forwarded-proto", scheme)))
    if application.version.token:
        headers.append(("MS-ASPNETCORE-TOKEN", backend.token))
    if exchange.body.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    elif exchange.body.present or "content-length" in exchange.head.index:
        headers.append(("Content-Length", str(exchange.body.length)))
    query = exchange.url.query
    target = escape_path(exchange.url.path) + ("" if query is None else f"?{query}")
    version = "HTTP/{}.{}".format(*exchange.head.version)
    return format_head(f"{exchange.method} {target} {version}", headers)


def _appended(context: RequestContext, name: str, value: str) -> str:
    sent = context.exchange.head.index.get(name)
    return f"{sent}, {value}" if sent is not None else value


async def _exchange(
    context: RequestContext,
    application: PlatformApplication,
    backend: Backend,
    streams: Streams,
    head: bytes,
    seconds: float,
    websocket: bool,
    reused: bool,
) -> None:
    reader, writer = streams
    keep = False
    try:
        try:
            writer.write(head)
            await _send_body(context, writer, seconds)
            response = await _response_head(reader, seconds)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if reused and not getattr(error, "partial", b""):
                raise _Stale from error
            raise gateway_error(ERROR_CONNECTION) from error
        except TimeoutError as error:
            raise gateway_error(ERROR_TIMEOUT) from error
        except (ProtocolError, asyncio.LimitOverrunError) as error:
            raise gateway_error(ERROR_INVALID_RESPONSE) from error
        if websocket and response.status == 101:
            await _upgrade(context, response, streams)
            return
        keep = await _answer(context, application, response, reader, seconds)
    finally:
        if keep and backend.ready and len(backend.idle) < MAX_IDLE:
            backend.idle.append(streams)
        else:
            writer.transport.abort() if not keep else writer.close()


async def _send_body(context: RequestContext, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Passes the client's body on as it comes."""
    exchange = context.exchange
    body = exchange.body
    if not body.present:
        return
    limit = context.body_limit
    while True:
        try:
            data = await body.read()
        except (ConnectionError, ProtocolError, asyncio.IncompleteReadError) as error:
            raise ClientGone(str(error)) from error
        if limit is not None and body.received > limit:
            exchange.close = True
            raise HttpError(404, 13, 0, module="RequestFilteringModule")
        if not data:
            break
        writer.write(b"%x\r\n%b\r\n" % (len(data), data) if body.chunked else data)
        async with asyncio.timeout(seconds or None):
            await writer.drain()
        if body.done and not body.chunked:
            break
    if body.chunked:
        writer.write(b"0\r\n\r\n")


async def _response_head(reader: asyncio.StreamReader, seconds: float) -> ResponseHead:
    while True:
        async with asyncio.timeout(seconds or None):
            response = parse_response(await reader.readuntil(b"\r\n\r\n"))
        if response.status >= 200 or response.status == 101:
            return response


async def _answer(
    context: RequestContext,
    application: PlatformApplication,
    response: ResponseHead,
    reader: asyncio.StreamReader,
    seconds: float,
) -> bool:
    """Sends the answer to the client; True when the backend's connection can serve another request."""
    exchange = context.exchange
    try:
        length = response_body_length(response, exchange.method)
    except ProtocolError as error:
        raise gateway_error(ERROR_INVALID_RESPONSE) from error
    body = Body(reader, length)
    replaced = response.status >= 400 and context.replaces_errors
    if replaced:
        raise HttpError(response.status, 0, 0, module=MODULE, headers=tuple(_passed(response)))
    declared = length
    if exchange.method == "HEAD" and "content-length" in response.index:
        declared = int(response.get("content-length").split(",")[0])
    headers = context.response_headers(_passed(response), server=None)
    known = declared if declared is not None and declared >= 0 else None
    held = application.version.buffer
    try:
        first = await _read(body, held, seconds)
        await exchange.start(response.status, response.reason, headers, known, first)
        while not body.done:
            await exchange.write(await _read(body, held, seconds))
        await exchange.end()
    except ClientGone:
        raise
    except (ConnectionError, ProtocolError, asyncio.IncompleteReadError, TimeoutError) as error:
        if exchange.started:
            exchange.abort()
            return False
        raise gateway_error(ERROR_TIMEOUT if isinstance(error, TimeoutError) else ERROR_CONNECTION) from error
    return response.keep_alive and length != -1


async def _read(body: Body, held: int, seconds: float) -> bytes:
    """The next piece of a body; with `held`, so many bytes at least unless it ends."""
    async with asyncio.timeout(seconds or None):
        data = await body.read()
        while len(data) < held and not body.done:
            data += await body.read()
    return data


def _passed(response: ResponseHead) -> Headers:
    """The backend's headers without those that HTTP.sys makes itself."""
    result: Headers = []
    for name, value in response.headers:
        lower = name.lower()
        if lower in ("date", "connection", "content-length", "keep-alive"):
            continue
        if lower == "transfer-encoding" and value.lower() == "chunked":
            continue
        result.append((name, value))
    return result


async def _upgrade(context: RequestContext, response: ResponseHead, streams: Streams) -> None:
    """Hands both connections to the WebSocket relay."""
    exchange = context.exchange
    headers = [(n, v) for n, v in response.headers if n.lower() not in ("date", "content-length", "transfer-encoding")]
    connection = await exchange.continue_websocket(101, response.reason or "Switching Protocols", headers)
    await relay((connection.reader, connection.writer), streams)
