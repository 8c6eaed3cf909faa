"""The static file, default document and directory listing modules, as the handler "StaticFile" runs them."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from typing import Any

from winlab.iis.context import REASONS, HttpError, RequestContext
from winlab.iis.http11 import Headers
from winlab.iis.model import Node
from winlab.iis.threads import in_thread
from winlab.iis.urls import escape_path

MODULE = "StaticFileModule"
CHUNK = 262144
ALLOW = "GET, HEAD, OPTIONS, TRACE"

_EPOCH_1601 = datetime(1601, 1, 1, tzinfo=UTC)


def file_error(error: Any, module: str = "IIS Web Core", notification: str = "MapRequestHandler") -> HttpError:
    """What a request meets whose file cannot be had: 404.0, 401.3 or 500.0 with the Win32 code.

    Args:
        error: a WindowsError of the simulated file system.
    """
    hresult = 0x80070000 | error.code
    if error.code in (2, 3, 123, 161, 206, 267):
        return HttpError(404, 0, hresult, module=module, notification=notification)
    if error.code == 5:
        return HttpError(401, 3, hresult, module=module, notification="AuthenticateRequest")
    return HttpError(500, 0, hresult, module=module, notification=notification)


async def redirect_to_folder(context: RequestContext) -> None:
    """A folder asked for without its slash: 301 to the same with one."""
    url = context.exchange.url
    query = "" if url.query is None else f"?{url.query}"
    scheme = "https" if context.exchange.connection.secure else "http"
    location = f"{scheme}://{context.exchange.host}{escape_path(url.path)}/{query}"
    body = (
        "<head><title>Document Moved</title></head>\n"
        f'<body><h1>Object Moved</h1>This document may be found <a HREF="{escape(location)}">here</a></body>'
    )
    headers = [("Content-Type", "text/html; charset=UTF-8"), ("Location", location)]
    await context.respond(301, headers, body.encode("utf-8"))


def default_document(context: RequestContext, fs: Any) -> str | None:
    """Name of the first default document that the folder has, None when it has none."""
    section = context.section("system.webServer/defaultDocument")
    if not section.get("enabled", True):
        return None
    folder = context.physical_path.rstrip("\\")
    for item in section.child("files").items:
        if fs.is_file(f"{folder}\\{item['value']}"):
            return str(item["value"])
    return None


async def list_folder(context: RequestContext, fs: Any) -> None:
    """The folder's listing where directoryBrowse is on, else 403.14."""
    section = context.section("system.webServer/directoryBrowse")
    if not section.get("enabled", False):
        raise HttpError(403, 14, 0, module="DirectoryListingModule")
    entries = fs.listdir(context.physical_path, user=context.user)
    here = context.path
    title = f"{context.exchange.host} - {here}"
    rows = []
    if here.rstrip("/"):
        parent = here.rstrip("/").rpartition("/")[0] + "/"
        rows.append(f'<A HREF="{escape(escape_path(parent))}">[To Parent Directory]</A><br><br>')
    for entry in entries:
        stamp = entry.modified.strftime("%m/%d/%Y %I:%M %p")
        size = "&lt;dir&gt;" if entry.is_dir else str(entry.size)
        href = escape(escape_path(here + entry.name + ("/" if entry.is_dir else "")))
        rows.append(f'{stamp:>20} {size:>12} <A HREF="{href}">{escape(entry.name)}</A><br>')
    body = (
        f"<html><head><title>{escape(title)}</title></head><body><H1>{escape(title)}</H1><hr>\r\n\r\n<pre>"
        + "".join(rows)
        + "</pre><hr></body></html>"
    )
    await context.respond(200, [("Content-Type", "text/html; charset=UTF-8")], body.encode("utf-8"))


@dataclass(frozen=True)
class _File:
    """What the headers of an answer need of a file."""

    size: int
    modified: datetime

    @property
    def etag(self) -> str:
        ticks = (self.modified - _EPOCH_1601) // (self.modified.resolution) * 10
        return f'"{ticks:x}:0"'

    @property
    def last_modified(self) -> str:
        return format_datetime(self.modified.replace(microsecond=0), usegmt=True)


async def serve(context: RequestContext, fs: Any) -> None:
    """Answers with the file at the physical path: conditions, ranges, caching headers.

    Raises:
        HttpError: 405 for other verbs than GET and HEAD, 404.3 without a MIME type, 401.3, 404.0.
    """
    from winlab.windows.errors import WindowsError

    if context.method not in ("GET", "HEAD"):
        raise HttpError(405, 0, 0x80070001, module=MODULE, headers=(("Allow", ALLOW),))
    content = context.section("system.webServer/staticContent")
    mime = _mime_type(content, context.physical_path)
    try:
        handle = fs.open(context.physical_path, share="Read, Write, Delete", user=context.user)
    except WindowsError as error:
        raise file_error(error) from error
    try:
        info = os.fstat(handle.fileno())
        file = _File(info.st_size, datetime.fromtimestamp(info.st_mtime, UTC))
        await _answer(context, handle, file, mime, content.child("clientCache"))
    finally:
        handle.close()


async def _answer(context: RequestContext, handle: Any, file: _File, mime: str, cache: Node) -> None:
    head = context.exchange.head
    headers: Headers = []
    with_etag = cache.get("setEtag", True)
    validators: Headers = [("Last-Modified", file.last_modified), ("Accept-Ranges", "bytes")]
    if with_etag:
        validators.append(("ETag", file.etag))
    validators += _cache_headers(cache)
    verdict = _precondition(head.get, file)
    if verdict == 412:
        raise HttpError(412, 0, 0, module=MODULE)
    if verdict == 304:
        await context.exchange.start(304, REASONS[304], context.response_headers(validators), 0)
        await context.exchange.end()
        return
    ranges = _ranges(head.get("range"), file.size) if _range_applies(head.get("if-range"), file) else None
    if ranges == []:
        content_range = ("Content-Range", f"bytes */{file.size}")
        raise HttpError(416, 0, 0, module=MODULE, headers=(content_range,))
    if ranges is None:
        headers = [("Content-Type", mime), *validators]
        await _stream(context, handle, 200, headers, [(b"", 0, file.size)], b"")
    elif len(ranges) == 1:
        first, last = ranges[0]
        headers = [("Content-Type", mime), *validators, ("Content-Range", f"bytes {first}-{last}/{file.size}")]
        await _stream(context, handle, 206, headers, [(b"", first, last - first + 1)], b"")
    else:
        boundary = f"<q1w2e3r4t5y6u7i8o9p0{secrets.token_hex(6)}>"
        headers = [("Content-Type", f"multipart/byteranges; boundary={boundary}"), *validators]
        pieces = []
        for index, (first, last) in enumerate(ranges):
            part = f"--{boundary}\r\nContent-Type: {mime}\r\nContent-Range: bytes {first}-{last}/{file.size}\r\n\r\n"
            pieces.append((("\r\n" if index else "") + part, first, last - first + 1))
        encoded = [(text.encode("latin-1"), first, count) for text, first, count in pieces]
        await _stream(context, handle, 206, headers, encoded, f"\r\n--{boundary}--\r\n".encode("latin-1"))


async def _stream(
    context: RequestContext,
    handle: Any,
    status: int,
    headers: Headers,
    pieces: list[tuple[bytes, int, int]],
    tail: bytes,
) -> None:
    exchange = context.exchange
    length = sum(len(prefix) + count for prefix, _, count in pieces) + len(tail)
    sent_headers = context.response_headers(headers)
    only = pieces[0]
    if len(pieces) == 1 and not only[0] and only[2] <= CHUNK and context.method != "HEAD":
        handle.seek(only[1])
        await exchange.start(status, REASONS[status], sent_headers, length, handle.read(only[2]))
        await exchange.end()
        return
    await exchange.start(status, REASONS[status], sent_headers, length)
    if context.method != "HEAD":
        for prefix, first, count in pieces:
            await exchange.write(prefix)
            handle.seek(first)
            while count > 0:
                data = await in_thread(handle.read, min(CHUNK, count))
                if not data:
                    exchange.abort()
                    return
                await exchange.write(data)
                count -= len(data)
        await exchange.write(tail)
    await exchange.end()


def _mime_type(content: Node, path: str) -> str:
    name = path.rpartition("\\")[2]
    _, dot, last = name.rpartition(".")
    extension = f".{last}".lower() if dot else "."
    fallback = None
    for item in content.items:
        known = item["fileExtension"].lower()
        if known == extension:
            return str(item["mimeType"])
        if known in (".*", "*"):
            fallback = str(item["mimeType"])
    if fallback is None:
        raise HttpError(404, 3, 0x80070032, module=MODULE)
    return fallback


def _cache_headers(cache: Node) -> Headers:
    mode = cache.get("cacheControlMode", "NoControl")
    custom = cache.get("cacheControlCustom", "")
    values = [custom] if custom else []
    headers: Headers = []
    if mode == "DisableCache":
        values.append("no-cache")
    elif mode == "UseMaxAge":
        values.append(f"max-age={int(cache['cacheControlMaxAge'].total_seconds())}")
    elif mode == "UseExpires":
        headers.append(("Expires", cache.get("httpExpires", "")))
    if values:
        headers.append(("Cache-Control", ",".join(values)))
    return headers


def _precondition(get: Any, file: _File) -> int:
    """412 or 304 where a condition of the request decides, else 0."""
    match = get("if-match")
    if match and match.strip() != "*" and file.etag not in _tags(match):
        return 412
    unmodified = _date(get("if-unmodified-since"))
    if unmodified and file.modified.replace(microsecond=0) > unmodified:
        return 412
    none_match = get("if-none-match")
    if none_match:
        return 304 if none_match.strip() == "*" or file.etag in _tags(none_match) else 0
    since = _date(get("if-modified-since"))
    if since and file.modified.replace(microsecond=0) <= since:
        return 304
    return 0


def _tags(text: str) -> list[str]:
    return [t.strip().removeprefix("W/") for t in text.split(",")]


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        value = parsedate_to_datetime(text.split(";")[0])
    except (TypeError, ValueError):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _range_applies(if_range: str, file: _File) -> bool:
    if not if_range:
        return True
    if if_range.startswith('"'):
        return if_range == file.etag
    return if_range == file.last_modified


def _ranges(text: str, size: int) -> list[tuple[int, int]] | None:
    """First and last byte of each range; None for no (usable) range header, [] for one that cannot be satisfied."""
    if not text.lower().startswith("bytes="):
        return None
    result = []
    for part in text[6:].split(","):
        match = re.fullmatch(r"(\d*)-(\d*)", part.strip())
        if not match or not (match[1] or match[2]):
            return None
        if not match[1]:
            count = int(match[2])
            first, last = max(0, size - count), size - 1
            if count == 0:
                continue
        else:
            first = int(match[1])
            last = min(int(match[2]), size - 1) if match[2] else size - 1
            if match[2] and int(match[2]) < first:
                return None
        if first < size and first <= last:
            result.append((first, last))
    return result
