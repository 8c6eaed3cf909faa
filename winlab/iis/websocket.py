"""WebSocket connections between a client and a backend, frame by frame.

IIS's WebSocket module and WinHTTP both speak the base protocol only: a frame that uses an extension (a reserved bit, as compression does) is a
protocol error to them even though the handshake had agreed on it.
"""

from __future__ import annotations

import asyncio

CHUNK = 65536


class FrameError(Exception):
    """A frame that the base protocol does not know."""


async def relay(
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    backend: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Passes frames both ways until one side ends or breaks the protocol; then both connections are closed."""
    tasks = [
        asyncio.create_task(_pump(client[0], backend[1])),
        asyncio.create_task(_pump(backend[0], client[1])),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        # the other side may still answer a close frame
        await asyncio.wait(tasks, timeout=1)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, writer in (client, backend):
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies frames; returns after a close frame or at the end of the connection."""
    while True:
        try:
            head = await reader.readexactly(2)
            length = head[1] & 0x7F
            extra = {126: 2, 127: 8}.get(length, 0) + (4 if head[1] & 0x80 else 0)
            rest = await reader.readexactly(extra) if extra else b""
        except asyncio.IncompleteReadError:
            return
        opcode = head[0] & 0x0F
        if head[0] & 0x70 or opcode not in (0, 1, 2, 8, 9, 10):
            raise FrameError(f"0x{head[0]:02x}")
        if length == 126:
            length = int.from_bytes(rest[:2], "big")
        elif length == 127:
            length = int.from_bytes(rest[:8], "big")
        writer.write(head + rest)
        while length > 0:
            data = await reader.read(min(CHUNK, length))
            if not data:
                return
            writer.write(data)
            await writer.drain()
            length -= len(data)
        await writer.drain()
        if opcode == 8:
            return
