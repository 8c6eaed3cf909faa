"""Event logs: entries are appended to one JSON-lines file per log."""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from winlab.windows.errors import WindowsError
from winlab.windows.store import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from winlab.windows.machine import Machine

LEVELS = {"Critical": 1, "Error": 2, "Warning": 3, "Information": 4, "Verbose": 5, "SuccessAudit": 0, "FailureAudit": 0}
LOGS = (
    "Application",
    "HardwareEvents",
    "Internet Explorer",
    "Key Management Service",
    "Security",
    "System",
    "Windows PowerShell",
)
_SOURCES = {
    "Application": (
        "Application", "Application Error", "Application Hang", "Microsoft-Windows-CAPI2", "MsiInstaller", "IIS AspNetCore Module",
        "IIS AspNetCore Module V2", "IIS-W3SVC-WP", "Microsoft-Windows-IIS-W3SVC-WP", "Windows Error Reporting",
        "VSS", "ESENT", "Winlogon", "WSH", ".NET Runtime",
    ),
    "System": (
        "EventLog", "Service Control Manager", "Microsoft-Windows-WAS", "Microsoft-Windows-IIS-W3SVC", "Microsoft-Windows-HttpEvent",
        "Microsoft-Windows-HttpService",
        "USER32", "Microsoft-Windows-Kernel-General", "Microsoft-Windows-Kernel-Power", "Microsoft-Windows-WinRM", "Microsoft-Windows-Time-Service",
        "Microsoft-Windows-DNS-Client", "Microsoft-Windows-WindowsUpdateClient", "WAS", "W3SVC",
    ),
    "Windows PowerShell": ("PowerShell",),
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One entry. time: UTC; level: a key of LEVELS; data: the insertion strings or binary data as text."""

    log: str
    record_id: int
    time: datetime.datetime
    source: str
    event_id: int
    level: str
    message: str
    computer: str
    category: int = 0
    user: str | None = None
    pid: int = 0
    data: list[str] = field(default_factory=list)

    @property
    def level_number(self) -> int:
        return LEVELS[self.level]


class EventLog:
    """The logs of one server."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.folder = machine.state_dir / "eventlog"
        self._document = Document(machine.state_dir / "eventlog.json", {"logs": {}, "sources": {}, "next": {}})
        self._events: dict[str, list[Event]] = {}

    @property
    def logs(self) -> list[str]:
        """Names of the logs, sorted."""
        return sorted({*LOGS, *self._document.data["logs"]}, key=str.lower)

    def find_log(self, name: str) -> str | None:
        """The log's name as written; None when there is none."""
        return next((log for log in self.logs if log.lower() == name.lower()), None)

    def sources(self, log: str) -> list[str]:
        """Names of the sources that write to a log."""
        own = [source for source, target in self._document.data["sources"].items() if target.lower() == log.lower()]
        return sorted({*_SOURCES.get(log, ()), *own}, key=str.lower)

    def source_log(self, source: str) -> str | None:
        """The log that a source writes to; None when it is not registered."""
        for log in self.logs:
            if any(item.lower() == source.lower() for item in self.sources(log)):
                return log
        return None

    def description(self, event: Event) -> str | None:
        """What an event says; None where no registered source brings words for it: only its program's own strings are there then."""
        return None if self.source_log(event.source) is None else event.message

    def create_source(self, source: str, log: str = "Application") -> None:
        """Registers a source (and the log where it is new). WindowsError 183 when the source exists."""
        if self.source_log(source) is not None:
            raise WindowsError(183, f"The source {source} is already registered.")
        if self.find_log(log) is None:
            self._document.data["logs"][log] = {}
        self._document.data["sources"][source] = self.find_log(log) or log
        self._document.save()

    def delete_source(self, source: str) -> None:
        """WindowsError 2 for one that is not registered or belongs to Windows."""
        for name in list(self._document.data["sources"]):
            if name.lower() == source.lower():
                del self._document.data["sources"][name]
                self._document.save()
                return
        raise WindowsError(2)

    def write(
        self,
        log: str,
        source: str,
        event_id: int,
        level: str,
        message: str,
        *,
        category: int = 0,
        user: str | None = None,
        pid: int = 0,
        data: list[str] | None = None,
    ) -> Event:
        """Appends an entry. level: Information, Warning, Error, ... WindowsError 15007-like 2 for a log that does not exist."""
        name = self.find_log(log)
        if name is None:
            raise WindowsError(2, f"The event log {log} does not exist.")
        with self.machine.lock:
            events = self._load(name)
            number = int(self._document.data["next"].get(name, events[-1].record_id + 1 if events else 1))
            event = Event(
                name,
                number,
                self.machine.now(),
                source,
                event_id,
                level,
                message,
                self.machine.name,
                category,
                user,
                pid,
                data or [],
            )
            events.append(event)
            self.folder.mkdir(exist_ok=True)
            with open(self.folder / f"{name}.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps({**asdict(event), "time": event.time.timestamp()}, ensure_ascii=False) + "\n")
            if name in self._document.data["next"]:
                del self._document.data["next"][name]
                self._document.save()
        return event

    def _load(self, log: str) -> list[Event]:
        if log not in self._events:
            events: list[Event] = []
            path = self.folder / f"{log}.jsonl"
            if path.exists():
                for line in path.read_text("utf-8").splitlines():
                    record: dict[str, Any] = json.loads(line)
                    record["time"] = datetime.datetime.fromtimestamp(record["time"], datetime.UTC)
                    events.append(Event(**record))
            self._events[log] = events
        return self._events[log]

    def entries(self, log: str) -> list[Event]:
        """Entries of a log, oldest first. WindowsError 2 when the log does not exist."""
        name = self.find_log(log)
        if name is None:
            raise WindowsError(2, f"The event log {log} does not exist.")
        with self.machine.lock:
            return list(self._load(name))

    def newest(self, log: str) -> Iterator[Event]:
        """Entries of a log, newest first."""
        return reversed(self.entries(log))

    def clear(self, log: str) -> None:
        """Removes the entries of a log; numbering goes on."""
        entries = self.entries(log)
        name = self.find_log(log) or log
        with self.machine.lock:
            self._document.data["next"][name] = entries[-1].record_id + 1 if entries else 1
            self._document.save()
            self._events[name] = []
            (self.folder / f"{name}.jsonl").unlink(missing_ok=True)
