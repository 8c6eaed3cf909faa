"""Request targets as HTTP.sys "cooks" them: unescaped once, back slashes turned, dot segments resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from winlab.iis.http11 import ProtocolError

SEGMENT_MAX = 260
SEGMENTS_MAX = 255

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Url:
    """A request's URL.

    Attributes:
        raw_path: the path as sent, still escaped.
        path: the cooked path.
        query: as sent, without "?"; None when there is no "?".
        host: the host of a target in absolute form, else "".
    """

    raw_path: str
    path: str
    query: str | None
    host: str = ""

    @property
    def raw(self) -> str:
        return self.raw_path if self.query is None else f"{self.raw_path}?{self.query}"


def cook(target: str, method: str) -> Url:
    """The URL of a request line's target. ProtocolError("URL") where HTTP.sys answers "Bad Request - Invalid URL"."""
    host = ""
    if target == "*":
        if method != "OPTIONS":
            raise ProtocolError("URL")
        return Url("*", "*", None)
    absolute = re.match(r"https?://([^/?#]+)(.*)$", target, re.IGNORECASE | re.DOTALL)
    if absolute:
        host, target = absolute[1], absolute[2] or "/"
        if target.startswith("?"):
            target = "/" + target
    elif not target.startswith("/"):
        raise ProtocolError("URL")
    raw_path, mark, query = target.partition("?")
    if _BAD_ESCAPE.search(raw_path) or "#" in raw_path:
        raise ProtocolError("URL")
    path = unescape(raw_path)
    if _CONTROL.search(path):
        raise ProtocolError("URL")
    path = _resolve(path.replace("\\", "/"))
    return Url(raw_path, path, query if mark else None, host)


def unescape(text: str) -> str:
    """Percent escapes (and raw bytes) read as UTF-8, else as the ANSI code page."""
    raw = unquote_to_bytes(text.encode("latin-1", "replace"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _resolve(path: str) -> str:
    segments: list[str] = []
    parts = path.split("/")[1:]
    for segment in parts:
        if segment == "..":
            if segments:
                segments.pop()
        elif segment != ".":
            if len(segment) > SEGMENT_MAX:
                raise ProtocolError("URL")
            segments.append(segment)
    if parts[-1] in (".", ".."):
        segments.append("")
    if len(segments) > SEGMENTS_MAX:
        raise ProtocolError("URL")
    return "/" + "/".join(segments)


def escape_path(path: str) -> str:
    """A cooked path escaped again, as forwarding modules do it: an escaped slash reaches the backend as a plain one."""
    return quote(path, safe="/:@!$&'()*+,;=~-._", encoding="utf-8")
