"""A small package index over HTTP (PEP 503, with `data-requires-python` and `data-yanked`), and wheels for it."""

from __future__ import annotations

import hashlib
import html
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def wheel_bytes(name: str, version: str, tag: str, *requires: str, requires_python: str = "") -> bytes:
    """A wheel that holds one empty module."""
    info = f"{name}-{version}.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    lines += [f"Requires-Python: {requires_python}\n"] * bool(requires_python) + [
        f"Requires-Dist: {one}\n" for one in requires
    ]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, text in (
            (f"{name}.py", ""),
            (f"{info}/METADATA", "".join(lines)),
            (f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"),
            (f"{info}/RECORD", ""),
        ):
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return stream.getvalue()


class Index:
    """What the index offers; it can change while it is served."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.notes: dict[str, str] = {}
        self.sums: dict[str, str] = {}
        self.url = ""
        self.asked: list[str] = []
        self.credentials: set[str | None] = set()

    def add(
        self,
        name: str,
        version: str = "1.0",
        tag: str = "py3-none-any",
        *requires: str,
        requires_python: str = "",
        yanked: str | None = None,
    ) -> str:
        """Offer a wheel; returns its SHA-256."""
        file = f"{name}-{version}-{tag}.whl"
        self.files[file] = wheel_bytes(name, version, tag, *requires, requires_python=requires_python)
        attributes = f' data-requires-python="{html.escape(requires_python)}"' if requires_python else ""
        self.notes[file] = attributes + (f' data-yanked="{html.escape(yanked)}"' if yanked is not None else "")
        self.sums[file] = hashlib.sha256(self.files[file]).hexdigest()
        return self.sums[file]

    def add_source(self, name: str, version: str = "1.0") -> None:
        """Offer only a source archive."""
        file = f"{name}-{version}.tar.gz"
        self.files[file], self.notes[file], self.sums[file] = (
            b"no archive",
            "",
            hashlib.sha256(b"no archive").hexdigest(),
        )

    def page(self, name: str) -> bytes | None:
        """The page of a package."""
        own = [file for file in self.files if file.rpartition("-")[0].split("-")[0].replace("_", "-").lower() == name]
        links = [f'<a href="/files/{file}#sha256={self.sums[file]}"{self.notes[file]}>{file}</a>' for file in own]
        return ("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>").encode() if own else None


@contextmanager
def serve(index: Index) -> Iterator[Index]:
    """Serve an index on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            index.credentials.add(self.headers.get("Authorization"))
            kind, _, name = self.path.strip("/").partition("/")
            content = index.page(name.strip("/")) if kind == "simple" else index.files.get(name)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Type", "text/html" if kind == "simple" else "application/octet-stream")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def do_HEAD(self) -> None:
            content = index.files.get(self.path.rpartition("/")[2])
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
