"""What a deployment downloads, served by the lab as a mirror would: the HttpPlatformHandler packages and a Python distribution.

The bytes are made from this machine and the lab's own code, the same each time, and published with their SHA-256 sums
(`SHA256SUMS` in sha256sum's format, `index.json`).
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import platform
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

PORT = 8080


def _package(kind: str) -> Callable[[], bytes]:
    def build() -> bytes:
        from winlab.windows import msi

        return msi.build_package(kind)

    return build


def _python(kind: str) -> Callable[[], bytes]:
    def build() -> bytes:
        from winlab.windows import python

        return {"zip": python.build_distribution, "nupkg": python.build_nuget, "exe": python.build_installer}[kind]()

    return build


def builders() -> dict[str, Callable[[], bytes]]:
    """File name -> what makes its bytes."""
    return {
        "httpPlatformHandler_amd64.msi": _package("httpplatformhandler-1.2"),
        "httpbridge_x64.msi": _package("httpplatformhandler-2.0"),
        f"python-{platform.python_version()}-amd64.zip": _python("zip"),
        f"python.{platform.python_version()}.nupkg": _python("nupkg"),
        f"python-{platform.python_version()}-amd64.exe": _python("exe"),
    }


class Artifacts:
    """The files, made when first asked for and kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._builders = builders()
        self._sums: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._runner: web.AppRunner | None = None

    @property
    def names(self) -> list[str]:
        return list(self._builders)

    async def sum(self, name: str) -> str:
        """The SHA-256 of a file, which is made first where needed. KeyError when there is none of that name."""
        build = self._builders[name]
        async with self._lock:
            if name not in self._sums:
                self._sums[name] = await asyncio.to_thread(self._make, name, build)
        return self._sums[name]

    def _make(self, name: str, build: Callable[[], bytes]) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = build()
        partial = self.folder / f".{name}.partial"
        partial.write_bytes(content)
        partial.replace(self.folder / name)
        return hashlib.sha256(content).hexdigest()

    # -- the mirror -----------------------------------------------------------------------------------------------------------------

    async def serve(self, address: str, port: int = PORT) -> None:
        """Listens on address:port. OSError when that is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/SHA256SUMS", self._sums_file),
                web.get("/index.json", self._json),
                web.get("/{name}", self._file),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()

    async def close(self) -> None:
        """Stops serving."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _index(self, request: web.Request) -> web.Response:
        rows = "".join(f'<li><a href="{html.escape(name)}">{html.escape(name)}</a></li>' for name in self.names)
        page = (
            f"<!DOCTYPE html><title>winlab artifacts</title><ul>{rows}</ul><p><a href='SHA256SUMS'>SHA256SUMS</a></p>"
        )
        return web.Response(text=page, content_type="text/html")

    async def _sums_file(self, request: web.Request) -> web.Response:
        lines = [f"{await self.sum(name)}  {name}\n" for name in self.names]
        return web.Response(text="".join(lines))

    async def _json(self, request: web.Request) -> web.Response:
        entries = [
            {"name": name, "sha256": await self.sum(name), "size": (self.folder / name).stat().st_size}
            for name in self.names
        ]
        return web.Response(text=json.dumps(entries, indent=1), content_type="application/json")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        try:
            await self.sum(name)
        except KeyError:
            raise web.HTTPNotFound from None
        return web.FileResponse(self.folder / name)
