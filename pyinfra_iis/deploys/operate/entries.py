"""Log lines of many sources with the time of each, so that they can be read together.

Times: `stdout` and the application's own files have those that the application writes, in the server's time zone unless a line says which; a line without a
time (a traceback's, or what uvicorn prints) has that of the line before it, at the beginning of a file that of the file's creation. IIS and HTTP.sys
write UTC (https://www.w3.org/TR/WD-logfile.html, https://learn.microsoft.com/iis/configuration/system.applicationhost/sites/site/logfile/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

LEVELS = {1: "CRITICAL", 2: "ERROR", 3: "WARNING", 4: "INFO", 5: "DEBUG"}
"""Names of the event log's levels; 0 is information too."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FRACTION = r"(?:[.,](?P<fraction>\d{1,9}))?"
_ZONE = r"(?:\s?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}))?(?!\d)"
_TIMES = (
    re.compile(
        rf"(?<!\d)(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d){_FRACTION}{_ZONE}"
    ),
    re.compile(
        rf"(?<!\d)(?P<day>\d\d)/(?P<month>{'|'.join(_MONTHS)})/(?P<year>\d{{4}})[: ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d){_FRACTION}{_ZONE}"
    ),
)
_WITHIN = 100
"""A line's own time stands among its first characters."""


@dataclass(frozen=True, order=True)
class Entry:
    """One line of a log, or one event.

    Attributes:
        time: when, in UTC.
        host: pyinfra's name of the server.
        source: `stdout`, the name of the application's log file, `requests`, `http.sys`, or `event`.
        text: the line, or an event's message with its source and number; lines that follow without a time of their own are entries of their own.
    """

    time: datetime
    host: str
    source: str
    text: str

    def to_json(self) -> dict[str, str]:
        """The entry for programs."""
        return {"time": stamp(self.time), "host": self.host, "source": self.source, "text": self.text}


def stamp(time: datetime) -> str:
    """A time as it is shown, UTC in ISO 8601 with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def merged(batches: Iterable[Sequence[Entry]]) -> list[Entry]:
    """Entries of several logs by time; within a log they stay in the order in which they stand there.

    A log's clock may jump back (a setting, the end of summer time); its lines then count as written when the line before was.
    """
    timed: list[tuple[datetime, int, int, Entry]] = []
    for number, batch in enumerate(batches):
        latest = datetime.min.replace(tzinfo=UTC)
        for position, entry in enumerate(batch):
            latest = max(latest, entry.time)
            timed.append((latest, number, position, entry))
    timed.sort(key=lambda item: item[:3])
    return [item[3] for item in timed]


def of_answer(host: str, answer: Mapping[str, Any]) -> list[list[Entry]]:
    """The entries of one server's answer, a list for each log.

    Args:
        host: pyinfra's name of the server.
        answer: what the fact `Logs` told.
    """
    batches = []
    for file in answer["files"]:
        match file["source"]:
            case "requests":
                batches.append(list(_requests(host, file["text"])))
            case "http.sys":
                batches.append(list(_http_sys(host, file["text"], str(answer["site_id"]), answer["ports"])))
            case source:
                name = source if source == "stdout" else file["path"].rpartition("\\")[2]
                zone = timezone(timedelta(minutes=file["zone"]))
                batches.append(list(lines(host, name, file["text"], parse_time(file["created"]), zone)))
    batches.append([_event(host, event) for event in answer["events"]])
    return batches


def lines(host: str, source: str, text: str, first: datetime, zone: timezone) -> Iterator[Entry]:
    """The lines of an application's own log.

    Args:
        host: pyinfra's name of the server.
        source: the log's name.
        text: its lines.
        first: the time of lines before the first that has one.
        zone: the zone of times that name none.
    """
    time = first
    for line in text.splitlines():
        if line.strip():
            time = line_time(line, zone) or time
            yield Entry(time, host, source, line.rstrip())


def line_time(line: str, zone: timezone) -> datetime | None:
    """The time that a line of a log carries, or None.

    Args:
        line: the line; Django's, Python's, uvicorn's, hypercorn's and Apache's ways to write a time are known, and ISO 8601.
        zone: the zone of a time that names none.
    """
    for pattern in _TIMES:
        if not (match := pattern.search(line[:_WITHIN])):
            continue
        month = match["month"]
        number = int(month) if month.isdecimal() else _MONTHS.index(month) + 1
        fraction = (match["fraction"] or "").ljust(6, "0")[:6]
        try:
            return datetime(
                *(int(match["year"]), number, int(match["day"])),
                *(int(match["hour"]), int(match["minute"]), int(match["second"]), int(fraction)),
                tzinfo=_zone(match["zone"], zone),
            ).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _zone(text: str | None, default: timezone) -> timezone:
    if not text:
        return default
    if text in ("Z", "UTC"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _w3c(text: str) -> Iterator[tuple[datetime, dict[str, str]]]:
    """The lines of a log in W3C's extended format, with their fields by name."""
    names: list[str] = []
    for line in text.splitlines():
        if line.startswith("#Fields:"):
            names = line.split()[1:]
        if line.startswith("#") or not line.strip():
            continue
        fields = dict(zip(names, line.split(), strict=False))
        time = line_time(f"{fields.get('date', '')} {fields.get('time', '')}", UTC)
        if time:
            yield time, {name: value for name, value in fields.items() if value != "-"}


def _requests(host: str, text: str) -> Iterator[Entry]:
    for time, fields in _w3c(text):
        status = ".".join(filter(None, (fields.get("sc-status"), fields.get("sc-substatus"))))
        code = int(fields["sc-win32-status"]) if fields.get("sc-win32-status", "").isdecimal() else 0
        parts = [status, fields.get("cs-method", ""), _url(fields), f"win32 0x{code:08x}" if code else ""]
        taken = fields.get("time-taken", "")
        parts += [f"{taken} ms" if taken else "", _client(fields)]
        yield Entry(time, host, "requests", "  ".join(filter(None, parts)))


def _http_sys(host: str, text: str, site: str, ports: Sequence[str]) -> Iterator[Entry]:
    """What HTTP.sys answered by itself: for this site, or for none on one of its ports; connections that were only idle are no news."""
    for time, fields in _w3c(text):
        reason = fields.get("s-reason", "")
        found = fields.get("s-siteid")
        is_ours = found == site if found else fields.get("s-port") in ports
        if not is_ours or reason == "Timer_ConnectionIdle":
            continue
        uri = fields.get("cs-uri") or fields.get("cs-uri-stem", "")
        parts = [fields.get("sc-status", ""), reason, fields.get("cs-method", ""), uri, _client(fields)]
        yield Entry(time, host, "http.sys", "  ".join(filter(None, parts)))


def _url(fields: Mapping[str, str]) -> str:
    query = fields.get("cs-uri-query")
    return fields.get("cs-uri-stem", "") + (f"?{query}" if query else "")


def _client(fields: Mapping[str, str]) -> str:
    return f"from {fields['c-ip']}" if "c-ip" in fields else ""


def _event(host: str, event: Mapping[str, Any]) -> Entry:
    message = " | ".join(part.strip() for part in event["message"].splitlines() if part.strip())
    level = LEVELS.get(event["level"], "INFO")
    return Entry(parse_time(event["time"]), host, "event", f"{level} {event['source']} {event['id']}: {message}")


def parse_time(text: str) -> datetime:
    """A time as .NET writes it in its round-trip format, with seven digits of a second."""
    time = line_time(text, UTC)
    if time is None:
        raise ValueError(f"'{text}' is no time")
    return time
