"""WinRM's HTTP side: what http.sys and the service do before and after a WS-Management message.

One `Endpoint` per server. It authenticates per TCP connection, opens and seals messages, keeps http.sys's limits, adds the
costs and faults of the server's switches, counts, and logs one line per exchange (never a body, never a credential).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, NoReturn

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from winlab.stats import Stats
from winlab.switches import Fault as ArmedFault
from winlab.switches import Link, Switches
from winlab.winrm import faults
from winlab.winrm.auth import (
    AccountSource,
    AuthenticationFailed,
    Identity,
    NtlmExchange,
    Undecryptable,
    basic_credentials,
    is_sealed,
    seal_body,
    unseal_body,
)
from winlab.winrm.envelope import Request, fault_envelope, parse_request
from winlab.winrm.service import Service

log = logging.getLogger("winlab.winrm")

SOAP = "application/soap+xml;charset=UTF-8"
FRAME_OVERHEAD = 2048
"""Bytes that sealing may add to an envelope."""
LARGEST_DRAIN = 16 << 20
HANDSHAKE = "Authenticate"
"""How an exchange without a message counts."""
CERTIFICATE_PROFILE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_PROXY_PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><h1>502 Bad Gateway</h1><p>The proxy could not reach the server.</p></body></html>"
)


class _Dropped(Exception):
    """The connection was cut: there is nobody to answer."""


class _Reply(Exception):
    """An answer below WS-Management."""

    def __init__(
        self, status: int, headers: list[tuple[str, str]] | None = None, body: bytes = b"", close: bool = False
    ):
        super().__init__(status)
        self.status = status
        self.headers = headers or []
        self.body = body
        self.close = close


class Connection(RequestHandler):
    """One TCP connection: who speaks on it and with which keys."""

    def __init__(self, endpoint: Endpoint, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.endpoint = endpoint
        self.pending: NtlmExchange | None = None
        self.exchange: NtlmExchange | None = None
        self.fresh = True
        self.lost = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.endpoint.stats.connection()
        self.endpoint.connections.add(self)
        self.rest()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set()
        self.endpoint.connections.discard(self)
        self.work()
        super().connection_lost(exc)

    def work(self) -> None:
        """A request is being worked on: the connection is not idle."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def rest(self) -> None:
        """The connection waits for a request, and not for ever."""
        self.work()
        self._idle = asyncio.get_running_loop().call_later(self.endpoint.connection_idle, self.drop, False)

    def drop(self, hard: bool = True) -> None:
        """Cuts the connection: a reset, or after what has been written."""
        transport = self.transport
        if transport is None:
            return
        if hard and isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        else:
            transport.close()


class _Server(web.Server):
    def __init__(self, endpoint: Endpoint, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        # Connections are ended by the endpoint's own timer.
        super().__init__(handler, access_log=None, keepalive_timeout=86400.0)
        self._endpoint = endpoint

    def __call__(self) -> RequestHandler:
        return Connection(self._endpoint, self, loop=self._loop, **self._kwargs)


class Endpoint:
    """WinRM on one server's address.

    Args:
        name: the server's name, for the log.
        service: what answers.
        accounts: who may log on.
        certificates: local account of a client certificate (DER), or None.
        reboot: takes the server down for so many seconds.
    """

    def __init__(
        self,
        name: str,
        service: Service,
        accounts: AccountSource,
        switches: Switches,
        stats: Stats,
        *,
        certificates: Callable[[bytes], str | None] = lambda certificate: None,
        reboot: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.name = name
        self.service = service
        self.accounts = accounts
        self.switches = switches
        self.stats = stats
        self.certificates = certificates
        self.reboot = reboot
        self.link = Link(switches)
        self.connections: set[Connection] = set()
        self._server: _Server | None = None
        self._listeners: list[asyncio.Server] = []

    async def start(self, address: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listens; call again for another port. OSError when the port is taken."""
        if self._server is None:
            self._server = _Server(self, self._handle)
        loop = asyncio.get_running_loop()
        self._listeners.append(
            await loop.create_server(self._server, address, port, ssl=tls, backlog=512, reuse_address=True)
        )

    async def stop(self) -> None:
        """Stops listening and cuts every connection, as a machine that goes down does."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for connection in list(self.connections):
            connection.drop()
        if self._server is not None:
            await self._server.shutdown(0)
            self._server = None

    @property
    def connection_idle(self) -> float:
        return float(self.switches["connection-idle"] or self.service.config.connection_idle_seconds)

    # -- one exchange -----------------------------------------------------------------------------------------------------------

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        connection = http.protocol
        assert isinstance(connection, Connection)
        connection.work()
        exchange = _Exchange(self, connection, http)
        started = time.monotonic()
        try:
            response = await exchange.run()
        except _Dropped:
            response = web.Response(status=500)
            exchange.status = 0
        finally:
            if not connection.lost.is_set():
                connection.rest()
            self.stats.request(exchange.action, exchange.bytes_in, exchange.bytes_out, exchange.status)
            log.info(
                "%s %s %s %s %s in=%d out=%d %.0fms%s",
                self.name,
                http.remote or "-",
                exchange.identity.name if exchange.identity else "-",
                exchange.action,
                exchange.status or "dropped",
                exchange.bytes_in,
                exchange.bytes_out,
                (time.monotonic() - started) * 1000,
                f" {exchange.note}" if exchange.note else "",
            )
        return response


class _Exchange:
    """One HTTP request and what becomes of it."""

    def __init__(self, endpoint: Endpoint, connection: Connection, http: web.BaseRequest) -> None:
        self.endpoint = endpoint
        self.connection = connection
        self.http = http
        self.action = HANDSHAKE
        self.identity: Identity | None = None
        self.bytes_in = 0
        self.bytes_out = 0
        self.status = 0
        self.note = ""
        self._sealed_with: tuple[NtlmExchange, str] | None = None
        self._auth_headers: list[tuple[str, str]] = []
        self._cut_reply = False

    @property
    def config(self) -> Any:
        return self.endpoint.service.config

    @property
    def encrypted(self) -> bool:
        return self.http.secure

    async def run(self) -> web.StreamResponse:
        try:
            self._check_target()
            body = await self._read()
            await self._travel_in()
            anonymous = self._anonymous_identify(body)
            if anonymous is not None:
                return await self._respond(200, anonymous)
            await self._authenticate(body)
            plaintext = self._open(body)
            if not plaintext:
                await self._meet_handshake_faults()
                return await self._respond(200, b"")
            return await self._answer(plaintext)
        except _Reply as reply:
            return await self._respond_raw(reply)

    def _check_target(self) -> None:
        path = self.http.path.lower().rstrip("/")
        if path not in ("/wsman", "/wsman-anon/identify"):
            raise _Reply(404)
        if self.http.method != "POST":
            raise _Reply(405, [("Allow", "POST")])

    async def _read(self) -> bytes:
        limit = self.config.max_envelope_size + FRAME_OVERHEAD
        if self.http.headers.get("Expect", "").lower() == "100-continue" and self.http.transport is not None:
            self.http.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts: list[bytes] = []
        try:
            async for chunk in self.http.content.iter_any():
                self.bytes_in += len(chunk)
                if self.bytes_in <= limit:
                    parts.append(chunk)
                elif self.bytes_in > LARGEST_DRAIN:
                    break
        except (ConnectionError, web.RequestPayloadError, web.PayloadAccessError) as error:
            raise _Dropped from error
        if self.bytes_in > limit:
            self._too_large()
        return b"".join(parts)

    def _too_large(self) -> None:
        # The message was not opened, so the keys on both sides have parted: the connection is of no use any more.
        self.note = "above MaxEnvelopeSizekb"
        raise _Reply(413, close=True)

    async def _travel_in(self) -> None:
        link = self.endpoint.link
        if self.connection.fresh:
            self.connection.fresh = False
            await link.round_trip()  # the TCP handshake
            if self.encrypted:
                await link.round_trip()
        await link.round_trip()
        await link.carry(self.bytes_in, "in")

    def _anonymous_identify(self, body: bytes) -> bytes | None:
        if self.http.headers.get("WSMANIDENTIFY", "").lower() != "unauthenticated":
            return None
        try:
            if parse_request(body).action != "Identify":
                return None
        except faults.Fault:
            return None
        self.action = "Identify"
        return self.endpoint.service.identify(False)

    # -- authentication -----------------------------------------------------------------------------------------------------------

    async def _authenticate(self, body: bytes) -> None:
        header = self.http.headers.get("Authorization", "")
        scheme, _, rest = header.partition(" ")
        scheme = scheme.lower()
        if scheme == "negotiate" and self.config.auth_negotiate:
            self._negotiate(rest.strip())
        elif scheme == "basic" and self.config.auth_basic:
            self._basic(header)
        elif header.strip() == CERTIFICATE_PROFILE and self.config.auth_certificate and self.encrypted:
            self._certificate()
        elif header:
            self._unauthorized(f"{scheme} is not accepted")
        elif self.connection.exchange is not None:
            self.identity = self.connection.exchange.identity
        elif is_sealed(self._content_type):
            self.note = "sealed for another connection"
            raise _Reply(400, close=True)
        else:
            self._unauthorized("no credentials")

    @property
    def _content_type(self) -> str:
        return self.http.headers.get("Content-Type", "")

    def _negotiate(self, encoded: str) -> None:
        connection = self.connection
        try:
            token = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            self._unauthorized("broken Negotiate token")
        # A first token on an authenticated connection starts over: some clients do that before every message.
        exchange = connection.pending
        if exchange is None:
            exchange = connection.pending = NtlmExchange(self.endpoint.accounts)
            connection.exchange = None
        try:
            reply = exchange.step(token)
        except AuthenticationFailed as error:
            connection.pending = None
            self._unauthorized(str(error))
        header = [("WWW-Authenticate", f"Negotiate {base64.b64encode(reply).decode()}")] if reply else []
        if not exchange.complete:
            raise _Reply(401, header or [("WWW-Authenticate", "Negotiate")])
        connection.exchange, connection.pending = exchange, None
        self.identity = exchange.identity
        self._auth_headers = header

    def _basic(self, header: str) -> None:
        try:
            domain, user, password = basic_credentials(header)
        except AuthenticationFailed as error:
            self._unauthorized(str(error))
        name = self.endpoint.accounts.check_password(domain, user, password)
        if name is None:
            self._unauthorized("wrong user name or password")
        self.identity = Identity(name)

    def _certificate(self) -> None:
        transport = self.http.transport
        tls = transport.get_extra_info("ssl_object") if transport is not None else None
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        name = self.endpoint.certificates(der) if der else None
        if name is None:
            self._unauthorized("no account is mapped to the client's certificate")
        self.identity = Identity(name)

    def _unauthorized(self, why: str) -> NoReturn:
        self.note = f"({why.splitlines()[0] if why else 'refused'})"
        offers = []
        if self.config.auth_negotiate:
            offers += [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "Kerberos")]
        if self.config.auth_basic:
            offers.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        self.connection.exchange = None
        raise _Reply(401, offers)

    # -- messages -----------------------------------------------------------------------------------------------------------------

    def _open(self, body: bytes) -> bytes:
        """The plaintext of the body."""
        if not body:
            return b""
        plaintext = body
        if is_sealed(self._content_type):
            exchange = self.connection.exchange
            try:
                plaintext, protocol = unseal_body(exchange, body)
            except Undecryptable as error:
                self.note = f"({error})".splitlines()[0]
                self.connection.exchange = None
                raise _Reply(400, close=True) from error
            assert exchange is not None
            self._sealed_with = (exchange, protocol)
        elif not self.encrypted and not self.config.allow_unencrypted:
            self.note = "(unencrypted messages are not allowed)"
            raise _Reply(500)
        if len(plaintext) > self.config.max_envelope_size:
            self._too_large()
        return plaintext

    async def _answer(self, plaintext: bytes) -> web.StreamResponse:
        request = Request("Invalid")
        service = self.endpoint.service
        try:
            request = parse_request(plaintext)
            self.action = request.action if "/" not in request.action else "Other"
            if request.action == "Identify":
                return await self._respond(200, service.identify(True))
            for fault in self.endpoint.switches.meeting(self.action):
                await self._meet(fault, request)
            slow = self.endpoint.switches["slow-server"] / 1000
            if slow > 0:
                await asyncio.sleep(slow)
            reply = await self._work(request)
        except faults.Fault as fault:
            request = getattr(fault, "request", request)
            self.note = f"fault {fault.code}"
            self.endpoint.stats.fault(fault.code)
            return await self._respond(500, fault_envelope(request, fault, self._called_by_name()))
        return await self._respond(200, reply)

    def _called_by_name(self) -> str:
        return (self.http.host or "").rpartition(":")[0] or self.endpoint.name

    async def _work(self, request: Request) -> bytes:
        assert self.identity is not None
        client = self.http.remote or ""
        handled = self.endpoint.service.handle(request, self.identity, client)
        if request.action != "Receive":
            return await handled
        # Whoever waits for output and goes away takes none with him.
        work = asyncio.ensure_future(handled)
        lost = asyncio.ensure_future(self.connection.lost.wait())
        try:
            await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise _Dropped
            return work.result()
        finally:
            lost.cancel()
            if not work.done():
                work.cancel()

    # -- switches -----------------------------------------------------------------------------------------------------------------

    async def _meet_handshake_faults(self) -> None:
        for fault in self.endpoint.switches.meeting(HANDSHAKE, handshake=True):
            await self._meet(fault, Request(HANDSHAKE))

    async def _meet(self, fault: ArmedFault, request: Request) -> None:
        """Lets an armed fault happen to this request."""
        service = self.endpoint.service
        self.note = f"switch {fault.kind}"
        match fault.kind:
            case "drop-before":
                self.connection.drop()
                raise _Dropped
            case "drop-after":
                await self._work_unheard(request)
                self.connection.drop()
                raise _Dropped
            case "drop-during":
                self._cut_reply = True
            case "http-400":
                self.connection.exchange = None
                raise _Reply(400, close=True)
            case "http-401":
                self._unauthorized("switch")
            case "http-413":
                raise _Reply(413, close=True)
            case "http-500":
                raise _Reply(500)
            case "http-503":
                raise _Reply(503)
            case "proxy-html":
                raise _Reply(502, [("Content-Type", "text/html"), ("Via", "1.1 proxy")], _PROXY_PAGE)
            case "busy":
                raise faults.busy()
            case "timeout":
                if request.action != "Receive":
                    await self._work_unheard(request)
                raise faults.timed_out()
            case "quota-shells":
                raise faults.shells_quota(service.config.max_shells_per_user)
            case "quota-operations":
                raise faults.operations_quota(service.config.max_concurrent_operations_per_user)
            case "shell-gone":
                service.lose_shell(request)
            case "process-killed":
                service.kill_processes(request)
            case "delay":
                await asyncio.sleep(fault.parameters.get("ms", 1000) / 1000)
            case "reboot":
                self.endpoint.reboot(fault.parameters.get("seconds", 5))
                self.connection.drop()
                raise _Dropped

    async def _work_unheard(self, request: Request) -> None:
        """The request is worked on, but its reply is lost: faults too."""
        assert self.identity is not None
        try:
            await self.endpoint.service.handle(request, self.identity, self.http.remote or "")
        except faults.Fault:
            pass

    # -- replies ------------------------------------------------------------------------------------------------------------------

    async def _respond(self, status: int, plaintext: bytes) -> web.StreamResponse:
        headers = list(self._auth_headers)
        body = plaintext
        if plaintext:
            content_type = SOAP
            if self._sealed_with is not None:
                exchange, protocol = self._sealed_with
                body, content_type = seal_body(exchange, plaintext, protocol)
            headers.append(("Content-Type", content_type))
        return await self._respond_raw(_Reply(status, headers, body))

    async def _respond_raw(self, reply: _Reply) -> web.StreamResponse:
        await self.endpoint.link.carry(len(reply.body), "out")
        self.status = reply.status
        self.bytes_out = len(reply.body)
        response = web.Response(status=reply.status, body=reply.body)
        response.headers.popall("Content-Type", None)
        for name, value in reply.headers:
            response.headers.add(name, value)
        response.headers["Server"] = "Microsoft-HTTPAPI/2.0"
        response.headers["Date"] = formatdate(time.time() + self.endpoint.switches["clock-skew"], usegmt=True)
        if reply.close:
            response.force_close()
        if self._cut_reply:
            self._send_half(reply)
        return response

    def _send_half(self, reply: _Reply) -> None:
        transport = self.http.transport
        if transport is not None:
            lines = [f"HTTP/1.1 {reply.status} OK", f"Content-Length: {len(reply.body)}"]
            lines += [f"{name}: {value}" for name, value in reply.headers]
            head = "\r\n".join(lines).encode() + b"\r\n\r\n"
            transport.write(head + reply.body[: len(reply.body) // 2])
            self.connection.drop(hard=False)
        raise _Dropped
