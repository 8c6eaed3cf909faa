"""What a server told about a site (`pyinfra_iis.facts.diagnosis.look`), in the terms that rules are written in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html import unescape
from typing import Any

READ = 0x1
WRITE = 0x2
APPEND = 0x4
EXECUTE = 0x20
RUN = READ | EXECUTE
MODIFY = READ | WRITE | APPEND

PORT = "%HTTP_PLATFORM_PORT%"
AGENT = "pyinfra-iis"
"""How the user agents begin that ask for the deploy, its diagnosis and its other commands."""

E_FILE_NOT_FOUND = 0x80070002
E_PATH_NOT_FOUND = 0x80070003
E_ACCESS_DENIED = 0x80070005
E_BAD_DATA = 0x8007000D
E_LOCKED = 0x80070021
E_SHARING = 0x80070020
E_ALREADY_EXISTS = 0x800700B7
E_BAD_EXE = 0x800700C1
E_DIRECTORY = 0x8007010B
E_FAIL = 0x80004005
E_SERVER_DISABLED = 0x8007053D
E_TIMEOUT = 0x800705B4
E_CREATE_FAILED = 0x8007065F
E_ACTIVATION_TIMED_OUT = 0x8027025A
E_ACTIVATION_EXEC_FAILURE = 0x8027025B
_WINHTTP = range(0x80072EE0, 0x80073000)
_NO_DATA: dict[str, Any] = {}

_TITLE = re.compile(r"<title>[^<]*?\b(\d{3})\.(\d+)\b[^<]*</title>", re.IGNORECASE)
_HRESULT = re.compile(r"\b0x([0-9a-fA-F]{8})\b")
_ROW = re.compile(r"<th>\s*([^<]*?)\s*</th>\s*<td>(.*?)</td>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
# "Filename: ...", "Line number: ...", "Error: ...", in the server's language.
_MESSAGE = re.compile(
    r"^[^:\n]+: *(?P<file>\\\\\?\\.*?|MACHINE/.*?)?\s*$(?:\s*^[^:\n]+: *(?P<line>\d+)\s*$)?\s*^[^:\n]+: *(?P<text>.*)",
    re.M | re.S,
)
_SIGNED = re.compile(r"-\d{9,10}\b")


@dataclass(frozen=True)
class Page:
    """An error page that IIS or its handler made itself.

    Attributes:
        status, substatus: such as 500 and 19.
        code: the HRESULT, or None.
        rows: what the detailed page tells more (`Config Error`, `Config File`, ...), by IIS's English names.
    """

    status: int
    substatus: int
    code: int | None
    rows: Mapping[str, str]


@dataclass(frozen=True)
class ConfigurationError:
    """What IIS's configuration system refuses.

    Attributes:
        code: the HRESULT.
        text: IIS's own sentence.
        file: the file at fault, or empty.
        line: the line in it, 0 when it is not told.
        section: which section was read (`handlers`), or empty.
    """

    code: int
    text: str
    file: str
    line: int
    section: str

    @property
    def place(self) -> str:
        """File and line for people."""
        return self.file + (f", line {self.line}" if self.line else "")


@dataclass(frozen=True)
class Event:
    """An entry of an event log; `text` is as Windows words it."""

    time: datetime
    source: str
    id: int
    text: str

    def __str__(self) -> str:
        return f"{self.source} {self.id}"

    @property
    def code(self) -> int | None:
        """The HRESULT that the text names."""
        if found := _SIGNED.findall(self.text):
            return int(found[-1]) & 0xFFFFFFFF
        found = [value for value in _HRESULT.findall(self.text) if value[0] in "89aA"]
        return int(found[-1], 16) if found else None


@dataclass(frozen=True)
class Item:
    """A file or folder that the site needs, and what its identity may do there (`access`: an access mask, -1 when it is not known)."""

    role: str
    path: str
    exists: bool
    kind: str
    access: int

    def lacks(self, rights: int) -> bool:
        """It is there, and the identity has not all of these rights."""
        return self.exists and self.access >= 0 and self.access & rights != rights


@dataclass(frozen=True)
class Listener:
    """A TCP port that somebody listens on."""

    address: str
    port: int
    process: int
    name: str


@dataclass(frozen=True)
class Logged:
    """A request in the site's log that was answered so (`code`: sc-win32-status)."""

    at: datetime
    method: str
    path: str
    status: int
    substatus: int
    code: int
    agent: str


class Evidence:
    """Everything a rule may look at. What the server could not tell is empty, so that rules need not ask for it first.

    Args:
        told: what `look` returned.
        status: the status code that means healthy; 0 accepts every answer of the application below 500 except 400.
    """

    def __init__(self, told: Mapping[str, Any], status: int = 0) -> None:
        self.told = told
        self.expected = status
        self.asked = self._part("asked")
        self.name: str = self.asked.get("site", "")
        self.application: str = self.asked.get("application", "/")

    def _part(self, name: str) -> Mapping[str, Any]:
        part = self.told.get(name) or _NO_DATA
        return _NO_DATA if "error" in part else part

    @property
    def blind(self) -> dict[str, str]:
        """The parts that the server could not tell, and why."""
        return {
            name: part["error"] for name, part in self.told.items() if isinstance(part, Mapping) and "error" in part
        }

    @property
    def start(self) -> Mapping[str, Any]:
        """A start without IIS that has failed (`pyinfra_iis.diagnosis.failed.of_start`); empty for a site."""
        return self._part("start")

    # -- IIS ----------------------------------------------------------------------------------------------------------------------------

    @property
    def installed(self) -> bool:
        return bool(self._part("site").get("installed"))

    @property
    def services(self) -> Mapping[str, str]:
        return self._part("site").get("services", _NO_DATA)

    @property
    def sites(self) -> list[Mapping[str, Any]]:
        return self._part("site").get("sites", [])

    @cached_property
    def site(self) -> Mapping[str, Any]:
        """The site itself; empty when there is none of that name."""
        return next((site for site in self.sites if site["name"].lower() == self.name.lower()), _NO_DATA)

    @property
    def target(self) -> Mapping[str, Any]:
        return self._part("site").get("target") or _NO_DATA

    @property
    def pool(self) -> Mapping[str, Any]:
        return self._part("site").get("pool") or _NO_DATA

    @property
    def pool_name(self) -> str:
        return self.target.get("pool") or self.start.get("pool", "")

    @property
    def folder(self) -> str:
        return self.target.get("folder", "")

    @property
    def bindings(self) -> list[Mapping[str, Any]]:
        return self.site.get("bindings", [])

    @property
    def certificates(self) -> list[Mapping[str, Any]]:
        return self._part("site").get("certificates", [])

    @property
    def configuration(self) -> Mapping[str, Any]:
        return self._part("configuration")

    @property
    def web_config(self) -> Mapping[str, Any]:
        return self.configuration.get("web_config", _NO_DATA)

    @property
    def handlers(self) -> list[Mapping[str, Any]]:
        return self.configuration.get("handlers", [])

    @property
    def images(self) -> list[Mapping[str, Any]]:
        """HttpPlatformHandler as IIS has it in its list of native modules."""
        return self.configuration.get("images", [])

    @property
    def products(self) -> list[Mapping[str, Any]]:
        return self._part("handlers").get("products", [])

    @property
    def schema(self) -> list[str]:
        """The attributes and elements of `httpPlatform` that the installed handler knows."""
        return [name for schema in self.configuration.get("schemas", []) for name in schema["names"]]

    @property
    def handler_version(self) -> int:
        """1 or 2, told by the module's DLL; 0 when there is none."""
        for image in self.images:
            name = image["image"].rpartition("\\")[2].lower()
            return 2 if name.startswith(("httpplatformhandlerv2", "httpbridge")) else 1
        return 0

    @cached_property
    def configuration_errors(self) -> list[ConfigurationError]:
        """What the request met, then what reading the sections one by one met."""
        found: list[ConfigurationError] = []
        if self.page and (self.page.status, self.page.substatus) == (500, 19) and self.page.code is not None:
            rows = self.page.rows
            line = re.search(r"\d+", rows.get("Config Line", ""))
            found.append(
                ConfigurationError(
                    self.page.code,
                    rows.get("Config Error", ""),
                    rows.get("Config File", "").removeprefix("\\\\?\\"),
                    int(line[0]) if line else 0,
                    "",
                )
            )
        for error in self.configuration.get("errors", []):
            fault = error["fault"]
            parts = _MESSAGE.search(fault["message"].replace("\r\n", "\n"))
            text = parts["text"].strip() if parts else fault["message"].strip()
            file = (parts["file"] or "").removeprefix("\\\\?\\") if parts else ""
            line_number = int(parts["line"] or 0) if parts else 0
            found.append(ConfigurationError(fault["code"] & 0xFFFFFFFF, text, file, line_number, error["section"]))
        return found

    def refusal(self, code: int) -> ConfigurationError | None:
        """The configuration error with this HRESULT that tells most: one with a line and a section."""
        fitting = [error for error in self.configuration_errors if error.code == code]
        return max(fitting, key=lambda error: (bool(error.line), bool(error.section), bool(error.text)), default=None)

    # -- HttpPlatformHandler ------------------------------------------------------------------------------------------------------------

    @property
    def platform(self) -> Mapping[str, Any]:
        return self.configuration.get("platform") or _NO_DATA

    def setting(self, name: str) -> str:
        """An attribute of `httpPlatform`, as text."""
        return str(self.platform.get("values", _NO_DATA).get(name) or "")

    @property
    def is_platform(self) -> bool:
        """The site is meant to be served by HttpPlatformHandler."""
        modules = [handler.get("modules", "") for handler in [*self.handlers, *self.web_config.get("handlers", [])]]
        return any("httpplatformhandler" in module.lower() for module in modules) or bool(self.setting("processPath"))

    @property
    def program(self) -> str:
        return self.platform.get("processPath", "")

    @property
    def arguments(self) -> str:
        return self.setting("arguments")

    @property
    def log_base(self) -> str:
        return self.platform.get("stdoutLogFile", "")

    @property
    def logs_output(self) -> bool:
        return self.setting("stdoutLogEnabled").lower() == "true"

    @property
    def is_python(self) -> bool:
        return "python" in self.program.rpartition("\\")[2].lower()

    @property
    def environment(self) -> Mapping[str, str]:
        """The virtual environment that the program belongs to: `path`, `home`, `version`; empty when it is none."""
        return self._part("files").get("environment") or _NO_DATA

    # -- requests -----------------------------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        return self._part("request").get("requests", [])

    @cached_property
    def request(self) -> Mapping[str, Any]:
        """The request that the diagnosis is about: the first that was not answered well, else the first."""
        return next(
            (request for request in self.requests if not self._is_good(request)), next(iter(self.requests), _NO_DATA)
        )

    @property
    def healthy(self) -> bool:
        """Every binding was asked and answered well."""
        return not self.start and bool(self.requests) and all(self._is_good(request) for request in self.requests)

    def _is_good(self, request: Mapping[str, Any]) -> bool:
        status = request["status"]
        if self.expected:
            return bool(status == self.expected) or self._goes_to_https(request)
        if status >= 400 and (page_of(request) or self._by_kernel(request)):
            return False
        return 100 <= status < 500 and status != 400

    def _goes_to_https(self, request: Mapping[str, Any]) -> bool:
        """Sent from http to https, where the site answers for itself."""
        return (
            request["binding"].startswith("http/")
            and 300 < request["status"] < 400
            and request["headers"].get("Location", "").lower().startswith("https://")
            and any(other["binding"].startswith("https/") for other in self.requests)
        )

    @staticmethod
    def _by_kernel(request: Mapping[str, Any]) -> bool:
        return request["headers"].get("Server", "").startswith("Microsoft-HTTPAPI")

    @property
    def by_kernel(self) -> bool:
        """HTTP.sys itself has answered."""
        return bool(self.request) and self._by_kernel(self.request)

    @property
    def status(self) -> int:
        return self.request.get("status", 0)

    @property
    def timed_out(self) -> bool:
        return bool(self.request.get("failure") == "Timeout")

    @cached_property
    def page(self) -> Page | None:
        """IIS's own error page; where it hides the details from everybody, the site's log has them."""
        if not self.request:
            return None
        if page := page_of(self.request):
            return page
        if self.status < 400 or self.by_kernel:
            return None
        own = [entry for entry in self.log if entry.agent.startswith(AGENT) and self.began <= entry.at <= self.until]
        if own and own[-1].status == self.status and (own[-1].substatus or own[-1].code):
            return Page(own[-1].status, own[-1].substatus, _hresult(own[-1].code), _NO_DATA)
        return None

    @property
    def code(self) -> int | None:
        return self.page.code if self.page else None

    @property
    def answer(self) -> str:
        """How the request was answered, for people."""
        request = self.request
        if self.start:
            return f"{'its start on a spare port' if self.start['served'] else 'manage.py'}: {self.start['problem']}"
        if not request:
            return "the site was not asked"
        if self.page:
            code = f", 0x{self.page.code:08X}" if self.page.code else ""
            return f"{request['url']} answers {self.page.status}.{self.page.substatus}{code}"
        if request["status"]:
            return f"{request['url']} answers {request['status']}"
        if self.timed_out:
            return f"{request['url']} does not answer within {request['seconds']:.0f} seconds"
        return f"{request['url']} does not answer: {request['problem'].rstrip('.')}"

    @property
    def began(self) -> datetime:
        return _time(self._part("request").get("began", ""))

    @property
    def until(self) -> datetime:
        """What was written later is about something else."""
        return _time(self.asked["until"]) if self.asked.get("until") else datetime.max.replace(tzinfo=UTC)

    @cached_property
    def processes(self) -> list[Mapping[str, Any]]:
        """The processes below the pool's worker processes: those seen while waiting for answers, and those that run now."""
        part = self._part("request")
        found = {process["id"]: process for process in part.get("seen", [])}
        for process in part.get("now", _NO_DATA).get("processes", []):
            if process["listens"] or process["id"] not in found:
                found[process["id"]] = process
        return list(found.values())

    @property
    def running(self) -> list[Mapping[str, Any]]:
        return self._part("request").get("now", _NO_DATA).get("processes", [])

    @property
    def heard(self) -> list[Listener]:
        """The ports that the site's processes listen on."""
        return [
            Listener(port["address"], port["port"], process["id"], process["name"])
            for process in self.processes
            for port in process["listens"]
        ]

    # -- what was written ---------------------------------------------------------------------------------------------------------------

    @cached_property
    def events(self) -> list[Event]:
        """Newest first."""
        listed = [
            Event(_time(item["time"]), item["source"], item["id"], item["text"])
            for item in self._part("logs").get("events", [])
        ]
        listed = [event for event in listed if event.time <= self.until]
        return sorted(listed, key=lambda event: event.time, reverse=True)

    def find_events(
        self, source: str, *ids: int, since: timedelta = timedelta(hours=24), about: str = "", current: bool = False
    ) -> list[Event]:
        """Newest first.

        Args:
            source: part of the source's name.
            ids: event ids; none means all.
            since: how far back from the request.
            about: must be in the text.
            current: only those after which the site has not worked any more.
        """
        first = max(self.began - since, self.worked) if current else self.began - since
        return [
            event
            for event in self.events
            if source.lower() in event.source.lower()
            and (not ids or event.id in ids)
            and about.lower() in event.text.lower()
            and event.time >= first
        ]

    @cached_property
    def worked(self) -> datetime:
        """When the site last answered somebody well, as far as its log tells."""
        good = [entry.at for entry in self.log if 100 <= entry.status < 500 and entry.at < self.began]
        return max(good, default=_time(""))

    @cached_property
    def start_failures(self) -> list[Event]:
        """HttpPlatformHandler's reports of processes that did not start, newest first.

        Those of this request; after too many failures it tries no more for a while, then those of the last minutes.
        """
        found = self.find_events("HttpPlatformHandler", 1000, 1020, since=timedelta(minutes=5))
        found += self.find_events("HTTP Bridge", 1000, 1020, since=timedelta(minutes=5))
        found = [event for event in found if self.handler_version != 2 or self._is_about(event)]
        return [event for event in found if event.time >= self.began] or found

    def starts(self, since: timedelta) -> list[Event]:
        """HttpPlatformHandler's reports of processes that started well, newest first."""
        found = self.find_events("HttpPlatformHandler", 1001, since=since)
        return [event for event in found if self.handler_version != 2 or self._is_about(event)]

    def _is_about(self, event: Event) -> bool:
        """Version 2 names the application in its events."""
        path = f"APPHOST/{self.name}{self.application.rstrip('/')}"
        return "APPHOST/" not in event.text.upper() or f"{path}'".upper() in event.text.upper()

    @property
    def start_codes(self) -> list[int]:
        """Why the process did not start, newest first."""
        own = [self.code] if self.code not in (None, E_SERVER_DISABLED) and self.start_failed else []
        return [code for code in [*own, *(event.code for event in self.start_failures)] if code is not None]

    @cached_property
    def start_failed(self) -> bool:
        """The process behind the site does not come up."""
        if self.start:
            return not self.status
        if not self.is_platform or self.healthy:
            return False
        if self.page and self.page.status == 502:
            return self.page.code not in _WINHTTP
        if self.status == 502:
            return any(event.time >= self.began for event in self.start_failures)
        return self.timed_out and not self.heard_on_its_port

    @property
    def heard_on_its_port(self) -> bool:
        started = self.starts(timedelta(hours=24))
        ports = {int(port) for event in started[:5] for port in re.findall(r"port '(\d+)'", event.text)}
        return any(listener.port in ports for listener in self.heard)

    @cached_property
    def output(self) -> str:
        """What the site's process printed: during the request, else most recently; in version 2's event where there is no log."""
        files = self._part("logs").get("output", [])
        text = self._part("request").get("fresh", "") or (files[0]["text"] if files else "")
        text = text or next((_captured(event.text) for event in self.start_failures if event.id == 1020), "")
        return text.replace("\r\n", "\n")

    @property
    def fresh_output(self) -> str:
        """What the process printed during the request."""
        return self._part("request").get("fresh", "")

    @property
    def output_file(self) -> str:
        """Where `output` stands, for people."""
        if self.start:
            return "its output"
        files = self._part("logs").get("output", [])
        if files:
            return files[0]["path"]
        return "the event log" if self.output else "no log"

    @property
    def last_lines(self) -> str:
        """The end of the output in one line, for people."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return " | ".join(lines[-3:])[-600:]

    def said(self, pattern: str) -> re.Match[str] | None:
        """The last place in the output that a pattern (multiline) fits."""
        return _last(pattern, self.output)

    def said_before(self, pattern: str) -> re.Match[str] | None:
        """The same, also in what visitors' requests have left in the newest log before this one."""
        files = self._part("logs").get("output", [])
        return self.said(pattern) or (_last(pattern, files[0]["text"].replace("\r\n", "\n")) if files else None)

    @cached_property
    def log(self) -> list[Logged]:
        """The site's log, oldest first. Query strings are left out: they may hold secrets."""
        part = self._part("logs")
        names = part.get("fields", "").removeprefix("#Fields:").split()
        found = []
        for line in part.get("requests", "").splitlines():
            values = line.split(" ")
            if line.startswith("#") or len(values) != len(names):
                continue
            row = dict(zip(names, values, strict=True))
            found.append(
                Logged(
                    _time(f"{row['date']}T{row['time']}Z" if {"date", "time"} <= row.keys() else ""),
                    row.get("cs-method", ""),
                    row.get("cs-uri-stem", ""),
                    _number(row.get("sc-status")),
                    _number(row.get("sc-substatus")),
                    _number(row.get("sc-win32-status")),
                    row.get("cs(User-Agent)", ""),
                )
            )
        return found

    def refused(self, status: int, substatus: int) -> list[Logged]:
        """Requests of visitors, not of this diagnosis, that were answered so, newest first."""
        return [
            entry
            for entry in reversed(self.log)
            if (entry.status, entry.substatus) == (status, substatus) and not entry.agent.startswith(AGENT)
        ]

    @property
    def kernel_reasons(self) -> list[str]:
        """Why HTTP.sys refused requests for this site's pool, newest first (`AppOffline`, `QueueFull`, ...)."""
        found = []
        for line in reversed(self._part("logs").get("refused", "").splitlines()):
            words = line.split()
            if not line.startswith("#") and len(words) >= 3 and words[-1].lower() == self.pool_name.lower():
                found.append(words[-2])
        return found

    # -- files and server ---------------------------------------------------------------------------------------------------------------

    @property
    def identity(self) -> str:
        return self._part("files").get("identity", "")

    @property
    def identity_known(self) -> bool:
        return bool(self._part("files").get("identity_known", True))

    @cached_property
    def items(self) -> list[Item]:
        return [
            Item(item["role"], item["path"], item["exists"], item["kind"], item["access"])
            for item in self._part("files").get("paths", [])
        ]

    def item(self, role: str) -> Item | None:
        return next((item for item in self.items if item.role == role), None)

    def items_of(self, roles: Iterable[str]) -> list[Item]:
        return [item for item in self.items if item.role in set(roles)]

    @property
    def release(self) -> Mapping[str, Any]:
        """What lies around a release of the deploy; empty for other sites."""
        return self._part("files").get("release") or _NO_DATA

    @property
    def server(self) -> Mapping[str, Any]:
        return self._part("server")

    @property
    def listeners(self) -> list[Listener]:
        return [
            Listener(item["address"], item["port"], item["process"], item["name"])
            for item in self.server.get("listeners", [])
        ]

    @property
    def disks(self) -> list[Mapping[str, Any]]:
        return self.server.get("disks", [])

    @property
    def clock_difference(self) -> timedelta:
        """How far the server's clock is ahead of the one here."""
        if "time" not in self.server or "before" not in self.asked:
            return timedelta()
        there, before, after = _time(self.server["time"]), _time(self.asked["before"]), _time(self.asked["after"])
        if there < before:
            return there - before
        return there - after if there > after else timedelta()


def _captured(text: str) -> str:
    """What version 2's event tells of a process's output, behind what it says itself."""
    return re.split(r"logs from multiple retries:", text)[-1].lstrip()


def _last(pattern: str, text: str) -> re.Match[str] | None:
    return next(reversed(list(re.finditer(pattern, text, re.MULTILINE))), None)


def page_of(request: Mapping[str, Any]) -> Page | None:
    """IIS's own error page, as it answered a request."""
    body = request.get("body", "")
    title = _TITLE.search(body)
    if not title or int(title[1]) != request["status"] or request["status"] < 400:
        return None
    codes = _HRESULT.findall(body)
    rows = {unescape(name): unescape(_TAG.sub("", value)).strip() for name, value in _ROW.findall(body)}
    return Page(int(title[1]), int(title[2]), int(codes[0], 16) if codes else None, rows)


def _hresult(code: int) -> int | None:
    """The HRESULT of sc-win32-status, which is either one or a Win32 code."""
    if not code:
        return None
    return code if code > 0xFFFF else 0x80070000 | code


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _time(text: str) -> datetime:
    """A time as the scripts print it; .NET prints seven digits of a second."""
    if not text:
        return datetime.fromtimestamp(0, UTC)
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00"))
    return datetime.fromisoformat(text)
