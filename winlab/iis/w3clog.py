"""Log files: a site's W3C log (u_exYYMMDD.log) and HTTP.sys's own error log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from winlab.iis.model import Site

if TYPE_CHECKING:
    from winlab.iis.context import RequestContext
    from winlab.iis.httpsys import Exchange

# logExtFileFlags in the order in which the fields stand in a line
_FIELDS: list[tuple[str, str]] = [
    ("Date", "date"),
    ("Time", "time"),
    ("SiteName", "s-sitename"),
    ("ComputerName", "s-computername"),
    ("ServerIP", "s-ip"),
    ("Method", "cs-method"),
    ("UriStem", "cs-uri-stem"),
    ("UriQuery", "cs-uri-query"),
    ("ServerPort", "s-port"),
    ("UserName", "cs-username"),
    ("ClientIP", "c-ip"),
    ("ProtocolVersion", "cs-version"),
    ("UserAgent", "cs(User-Agent)"),
    ("Cookie", "cs(Cookie)"),
    ("Referer", "cs(Referer)"),
    ("Host", "cs-host"),
    ("HttpStatus", "sc-status"),
    ("HttpSubStatus", "sc-substatus"),
    ("Win32Status", "sc-win32-status"),
    ("BytesSent", "sc-bytes"),
    ("BytesRecv", "cs-bytes"),
    ("TimeTaken", "time-taken"),
]
_DEFAULT_FLAGS = frozenset(
    [
        "Date",
        "Time",
        "ClientIP",
        "UserName",
        "ServerIP",
        "Method",
        "UriStem",
        "UriQuery",
        "TimeTaken",
        "HttpStatus",
        "Win32Status",
        "ServerPort",
        "UserAgent",
        "HttpSubStatus",
        "Referer",
    ]
)
HTTPERR = r"C:\Windows\System32\LogFiles\HTTPERR\httperr1.log"


def win32_status(hresult: int) -> int:
    """sc-win32-status of an HRESULT: the Win32 code where it is one."""
    return hresult & 0xFFFF if hresult & 0xFFFF0000 == 0x80070000 else hresult


class LogWriter:
    """Lines are collected and written about once a second, as HTTP.sys does it (less often)."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self._pending: dict[str, list[str]] = {}
        self._headers: dict[str, str] = {}

    def add(self, path: str, header: str, line: str) -> None:
        """Adds a line to the file at `path`; `header` precedes the first line that this service writes to it."""
        self._pending.setdefault(path, []).append(line)
        self._headers[path] = header

    @property
    def pending(self) -> bool:
        return bool(self._pending)

    def flush(self) -> None:
        """Writes what is collected. May block on the disk."""
        from winlab.windows.errors import WindowsError

        pending, self._pending = self._pending, {}
        for path, lines in pending.items():
            try:
                fs = self.machine.fs
                fs.mkdir(path.rpartition("\\")[0], parents=True)
                text = "".join(line + "\r\n" for line in lines)
                if not fs.exists(path):
                    text = self._headers[path] + text
                fs.append_bytes(path, text.encode("utf-8"))
            except WindowsError:
                continue


class SiteLog:
    """The W3C log of one site."""

    def __init__(self, writer: LogWriter, site: Site, expand: Any) -> None:
        self._writer = writer
        log = site.log
        self.enabled = bool(log.get("enabled", True)) and log.get("logFormat", "W3C") == "W3C"
        flags = log.get("logExtFileFlags", _DEFAULT_FLAGS) or _DEFAULT_FLAGS
        self._names = [(flag, field) for flag, field in _FIELDS if flag in flags]
        folder = expand(log.get("directory", r"%SystemDrive%\inetpub\logs\LogFiles"))
        self._folder = f"{folder}\\W3SVC{site.id}"
        self._site = site

    def write(self, exchange: Exchange, context: RequestContext | None, substatus: int, hresult: int) -> None:
        """Notes one request."""
        if not self.enabled:
            return
        now = self._writer.machine.now().timetuple()
        values = self._values(exchange, context, substatus, hresult, now)
        path = f"{self._folder}\\u_ex{time.strftime('%y%m%d', now)}.log"
        header = (
            "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n"
            f"#Date: {time.strftime('%Y-%m-%d %H:%M:%S', now)}\r\n"
            f"#Fields: {' '.join(field for _, field in self._names)}\r\n"
        )
        self._writer.add(path, header, " ".join(values[flag] for flag, _ in self._names))

    def _values(
        self,
        exchange: Exchange,
        context: RequestContext | None,
        substatus: int,
        hresult: int,
        now: time.struct_time,
    ) -> dict[str, str]:
        head, connection, url = exchange.head, exchange.connection, exchange.url

        def text(value: str | None) -> str:
            return value.replace(" ", "+") if value else "-"

        return {
            "Date": time.strftime("%Y-%m-%d", now),
            "Time": time.strftime("%H:%M:%S", now),
            "SiteName": f"W3SVC{self._site.id}",
            "ComputerName": self._writer.machine.name,
            "ServerIP": connection.server,
            "Method": head.method,
            "UriStem": text(url.path),
            "UriQuery": text(url.query),
            "ServerPort": str(connection.port),
            "UserName": text(context.user_name if context else ""),
            "ClientIP": connection.client,
            "ProtocolVersion": "HTTP/{}.{}".format(*head.version),
            "UserAgent": text(head.get("user-agent")),
            "Cookie": text(head.get("cookie")),
            "Referer": text(head.get("referer")),
            "Host": text(exchange.host),
            "HttpStatus": str(exchange.status),
            "HttpSubStatus": str(substatus),
            "Win32Status": str(win32_status(hresult)),
            "BytesSent": str(exchange.bytes_sent),
            "BytesRecv": str(exchange.bytes_received),
            "TimeTaken": str(exchange.elapsed_ms),
        }
