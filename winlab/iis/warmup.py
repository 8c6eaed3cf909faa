"""Requests that IIS makes to itself to warm an application up: no client, no connection, the answer is dropped."""

from __future__ import annotations

import asyncio
from typing import Any

from winlab.iis.http11 import Body, Headers, RequestHead
from winlab.iis.httpsys import Connection, Exchange, HttpSys
from winlab.iis.model import Binding
from winlab.iis.urls import cook

USER_AGENT = "IIS Application Initialization Warmup"


class _NoTransport:
    def abort(self) -> None: ...


class _NoWriter:
    """Stands in for a client's connection."""

    transport = _NoTransport()

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 0)


class _Endpoint:
    def __init__(self, binding: Binding) -> None:
        self.port = binding.port
        self.secure = binding.secure


class InternalExchange(Exchange):
    """A GET of a page of the server's own."""

    def __init__(self, httpsys: HttpSys, path: str, host: str, site: int, binding: Binding) -> None:
        headers: Headers = [("Host", host), ("User-Agent", USER_AGENT)]
        head = RequestHead("GET", path, (1, 1), headers)
        reader = asyncio.StreamReader()
        connection = Connection(httpsys, reader, _NoWriter(), _Endpoint(binding))  # type: ignore[arg-type]
        connection.local = True
        super().__init__(connection, head, cook(path, "GET"), Body(reader, 0), site, host, binding)

    async def _send(self, data: bytes) -> None:
        self.bytes_sent += len(data)

    def abort(self) -> None:
        self.close = True
