"""WebSockets through HttpPlatformHandler: passed where the feature is installed, an ordinary request where it is not."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from collections.abc import Callable

import pytest

from tests.winlab.iis_http.harness import PORT, Web

# An echo server of the base protocol in the standard library; "compress" answers with a frame that has a reserved bit.
SERVER = """
import asyncio, base64, hashlib, sys

async def serve(reader, writer):
    head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode("latin-1")
    headers = {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in head.split("\\r\\n")[1:])}
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in headers.get("connection", "").lower():
        body = ("plain " + headers.get("upgrade", "-")).encode()
        writer.write(b"HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
        await writer.drain()
        writer.close()
        return
    key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    writer.write(f"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: {accept}\\r\\n\\r\\n".encode())
    while True:
        first, second = await reader.readexactly(2)
        length = second & 127
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await reader.readexactly(8), "big")
        mask = await reader.readexactly(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(length)))
        first = first | 0x40 if data == b"compress" else first
        size = bytes([length]) if length < 126 else b"\\x7e" + length.to_bytes(2, "big") if length < 65536 else b"\\x7f" + length.to_bytes(8, "big")
        writer.write(bytes([first]) + size + data)
        await writer.drain()
        if first & 15 == 8:
            writer.close()
            return

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


def frame(opcode: int, data: bytes) -> bytes:
    mask = os.urandom(4)
    size = len(data)
    length = (
        bytes([0x80 | size])
        if size < 126
        else b"\xfe" + size.to_bytes(2, "big")
        if size < 65536
        else b"\xff" + size.to_bytes(8, "big")
    )
    return bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


class Socket:
    """A client's WebSocket, of the base protocol."""

    def __init__(self, web: Web) -> None:
        self.connection = socket.create_connection((web.address, PORT), 10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.file = self.connection.makefile("rb")
        self.status = self.file.readline().decode().strip()
        self.headers = {}
        while line := self.file.readline().decode().strip():
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.accepted = self.headers.get("sec-websocket-accept") == base64.b64encode(digest).decode()

    def send(self, opcode: int, data: bytes) -> None:
        self.connection.sendall(frame(opcode, data))

    def receive(self) -> tuple[int, bytes]:
        head = self.file.read(2)
        if len(head) < 2:
            return -1, b""
        length = head[1] & 127
        if length > 125:
            length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
        return head[0] & 15, self.file.read(length)

    def close(self) -> None:
        self.file.close()
        self.connection.close()


@pytest.mark.parametrize("platform", ["1.2", "2"])
def test_messages_pass_both_ways(make_web: Callable[..., Web], platform: str) -> None:
    web = make_web(platform=platform, features=("Web-WebSockets",))
    web.python_site(script=SERVER)
    web.start()
    client = Socket(web)
    assert client.status == "HTTP/1.1 101 Switching Protocols" and client.accepted
    for size in (0, 5, 200, 70000):
        client.send(2, b"m" * size)
        assert client.receive() == (2, b"m" * size)
    client.send(9, b"ping")
    assert client.receive() == (9, b"ping")
    client.send(8, b"\x03\xe8")
    assert client.receive() == (8, b"\x03\xe8")
    assert client.receive() == (-1, b"")
    client.close()


def test_compressed_frames_break_the_connection(make_web: Callable[..., Web]) -> None:
    """IIS and WinHTTP know no extensions: what a backend compresses never arrives."""
    web = make_web(features=("Web-WebSockets",))
    web.python_site(script=SERVER)
    web.start()
    client = Socket(web)
    client.send(1, b"compress")
    assert client.receive() == (-1, b"")
    client.close()


@pytest.mark.parametrize("how", ["feature not installed", "switched off"])
def test_without_websockets_the_request_is_an_ordinary_one(make_web: Callable[..., Web], how: str) -> None:
    web = make_web(features=() if how == "feature not installed" else ("Web-WebSockets",))
    if how == "switched off":
        web.edit(lambda c: c.section("system.webServer/webSocket").set("enabled", False))
    web.python_site(script=SERVER)
    web.start()
    client = Socket(web)
    assert client.status == "HTTP/1.1 426 Upgrade Required"
    assert client.file.read(int(client.headers["content-length"])) == b"plain websocket"
    client.close()


def test_ends_when_the_worker_does(make_web: Callable[..., Web]) -> None:
    web = make_web(features=("Web-WebSockets",))
    web.python_site(script=SERVER)
    web.start()
    client = Socket(web)
    web.processes("python.exe")[0].kill()
    assert client.receive() == (-1, b"")
    client.close()
