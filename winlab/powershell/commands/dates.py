"""Get-Date, New-TimeSpan, Set-Date, Get-TimeZone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from winlab.powershell.commands.core import Cmdlet, ValidateRange, cmdlet, parameter, switch
from winlab.powershell.dotnet.core import get_type, net_enum
from winlab.powershell.dotnet.time import DateTime, TimeSpan, now_ticks
from winlab.powershell.dotnet.timeformat import LOCAL, local_offset
from winlab.powershell.dotnet.values import net_string
from winlab.powershell.errors import LabUnsupported
from winlab.powershell.objects import PSMember, PSObject, unwrap
from winlab.powershell.runtime.conversion import iterate, to_string
from winlab.powershell.runtime.invoke import call_method, call_static
from winlab.powershell.runtime.members import extend_type, get_member
from winlab.powershell.runtime.wildcard import wildcard

MODULE = "Microsoft.PowerShell.Utility"
_SECOND = 10_000_000
_EPOCH_TICKS = 621_355_968_000_000_000

net_enum("Microsoft.PowerShell.Commands.DisplayHintType", {"Date": 0, "Time": 1, "DateTime": 2})


def long_text(date: Any) -> str:
    """A date as PowerShell shows it (its property DateTime): day and time, or what DisplayHint asks for."""
    base = unwrap(date)
    members = getattr(date, "ps_members", None) or {}
    hint = members.get("displayhint")
    shown = to_string(hint.value).lower() if hint is not None else "datetime"
    if shown == "date":
        return net_string(base, "D")
    if shown == "time":
        return net_string(base, "T")
    return f"{net_string(base, 'D')} {net_string(base, 'T')}"


extend_type("System.DateTime", "DateTime", long_text)


def local_now() -> DateTime:
    """The server's clock."""
    ticks = now_ticks()
    return DateTime(ticks + local_offset(ticks), LOCAL)


_FORMATS = {
    "filedate": ("yyyyMMdd", False),
    "filedateuniversal": ("yyyyMMdd'Z'", True),
    "filedatetime": ("yyyyMMdd'T'HHmmssffff", False),
    "filedatetimeuniversal": ("yyyyMMdd'T'HHmmssffff'Z'", True),
}


@cmdlet("Get-Date", module=MODULE, default_set="net")
class GetDate(Cmdlet):
    date = parameter("Date", "DateTime", position=0, pipeline=True, by_name=True, aliases=("LastWriteTime",))
    year = parameter("Year", "Int32", validate=(ValidateRange(1, 9999),))
    month = parameter("Month", "Int32", validate=(ValidateRange(1, 12),))
    day = parameter("Day", "Int32", validate=(ValidateRange(1, 31),))
    hour = parameter("Hour", "Int32", validate=(ValidateRange(0, 23),))
    minute = parameter("Minute", "Int32", validate=(ValidateRange(0, 59),))
    second = parameter("Second", "Int32", validate=(ValidateRange(0, 59),))
    millisecond = parameter("Millisecond", "Int32", validate=(ValidateRange(0, 999),))
    display_hint = parameter("DisplayHint", "Microsoft.PowerShell.Commands.DisplayHintType")
    u_format = parameter("UFormat", "String", sets=("UFormat",))
    format = parameter("Format", "String", sets=("net",))

    def process(self) -> None:
        date = unwrap(self.date) if self.date is not None else local_now()
        date = self._replaced(date)
        if self.u_format is not None:
            self.write(unix_format(date, to_string(self.u_format)))
        elif self.format is not None:
            text, universal = _FORMATS.get(to_string(self.format).lower(), (to_string(self.format), False))
            if universal:
                date = call_method(date, "ToUniversalTime", [])
            self.write(net_string(date, text))
        else:
            shown = PSObject(date)
            hint = self.display_hint
            if hint is None:
                hint = get_type("Microsoft.PowerShell.Commands.DisplayHintType").enum("DateTime")
            shown.ps_members["displayhint"] = PSMember("NoteProperty", "DisplayHint", hint)
            self.write(shown)

    def _replaced(self, date: Any) -> Any:
        """The date with the parts that were given: each is moved to, as 5.1 does."""
        for given, part, move in (
            (self.year, "Year", "AddYears"),
            (self.month, "Month", "AddMonths"),
            (self.day, "Day", "AddDays"),
            (self.hour, "Hour", "AddHours"),
            (self.minute, "Minute", "AddMinutes"),
            (self.second, "Second", "AddSeconds"),
            (self.millisecond, "Millisecond", "AddMilliseconds"),
        ):
            if given is not None:
                date = call_method(date, move, [int(given) - int(get_member(date, part))])
        if self.millisecond is not None:
            date = DateTime(date.ticks - date.ticks % 10_000, date.kind)
        return date


def _week(date: Any) -> int:
    return int(get_member(date, "DayOfYear")) // 7


def _unix_seconds(date: Any) -> str:
    return f"{(date.ticks - _EPOCH_TICKS) / _SECOND:.5f}".rstrip("0").rstrip(".")


def _net(text: str) -> Callable[[Any], str]:
    return lambda date: net_string(date, text)


_UNIX: dict[str, Callable[[Any], str]] = {
    "A": _net("dddd"),
    "a": _net("ddd"),
    "B": _net("MMMM"),
    "b": _net("MMM"),
    "h": _net("MMM"),
    "C": lambda date: str(int(get_member(date, "Year")) // 100),
    "c": lambda date: net_string(date, "ddd MMM dd HH:mm:ss yyyy"),
    "D": _net("MM/dd/yy"),
    "d": _net("dd"),
    "e": lambda date: f"{int(get_member(date, 'Day')):>2}",
    "H": _net("HH"),
    "I": _net("hh"),
    "j": lambda date: f"{int(get_member(date, 'DayOfYear')):03d}",
    "k": lambda date: f"{int(get_member(date, 'Hour')):>2}",
    "l": lambda date: f"{(int(get_member(date, 'Hour')) + 11) % 12 + 1:>2}",
    "M": _net("mm"),
    "m": _net("MM"),
    "n": lambda date: "\n",
    "p": _net("tt"),
    "R": _net("HH:mm"),
    "r": _net("hh:mm:ss tt"),
    "S": _net("ss"),
    "s": _unix_seconds,
    "T": _net("HH:mm:ss"),
    "X": _net("HH:mm:ss"),
    "t": lambda date: "\t",
    "U": lambda date: str(_week(date)),
    "V": lambda date: str(_week(date) + 1),
    "W": lambda date: str(_week(date)),
    "G": _net("yyyy"),
    "g": _net("yy"),
    "u": lambda date: str(int(get_member(date, "DayOfWeek"))),
    "w": lambda date: str(int(get_member(date, "DayOfWeek"))),
    "x": _net("MM/dd/yy"),
    "Y": _net("yyyy"),
    "y": _net("yy"),
    "Z": lambda date: net_string(date, "zzz").partition(":")[0],
    "%": lambda date: "%",
}


def unix_format(date: Any, pattern: str) -> str:
    """-UFormat: `%Y-%m-%d`; a leading `+` counts for nothing. LabUnsupported for a letter that is no part of it."""
    pattern = pattern.removeprefix("+")
    parts: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char != "%" or index >= len(pattern):
            parts.append(char)
            continue
        make = _UNIX.get(pattern[index])
        if make is None:
            raise LabUnsupported(f"Get-Date -UFormat %{pattern[index]}")
        parts.append(make(date))
        index += 1
    return "".join(parts)


@cmdlet("New-TimeSpan", module=MODULE, default_set="Date")
class NewTimeSpan(Cmdlet):
    start = parameter(
        "Start", "DateTime", position=0, pipeline=True, by_name=True, sets=("Date",), aliases=("LastWriteTime",)
    )
    end_date = parameter("End", "DateTime", position=1, by_name=True, sets=("Date",))
    days = parameter("Days", "Int32", sets=("Time",), default=0)
    hours = parameter("Hours", "Int32", sets=("Time",), default=0)
    minutes = parameter("Minutes", "Int32", sets=("Time",), default=0)
    seconds = parameter("Seconds", "Int32", sets=("Time",), default=0)

    def process(self) -> None:
        if any(name in self.bound for name in ("days", "hours", "minutes", "seconds")):
            seconds = ((int(self.days) * 24 + int(self.hours)) * 60 + int(self.minutes)) * 60 + int(self.seconds)
            self.write(TimeSpan(seconds * _SECOND))
            return
        now = local_now()
        start = unwrap(self.start) if self.start is not None else now
        end = unwrap(self.end_date) if self.end_date is not None else now
        self.write(TimeSpan(end.ticks - start.ticks))


@cmdlet("Get-TimeZone", module="Microsoft.PowerShell.Management", default_set="Name", aliases=("gtz",))
class GetTimeZone(Cmdlet):
    name = parameter("Name", "String[]", position=0, pipeline=True, by_name=True, sets=("Name",))
    id = parameter("Id", "String[]", mandatory=True, by_name=True, sets=("Id",))
    list_available = switch("ListAvailable", sets=("ListAvailable",))

    def process(self) -> None:
        zones = get_type("System.TimeZoneInfo")
        if self.list_available:
            self.write_all(call_static(zones, "GetSystemTimeZones", []))
        elif self.id is not None:
            for text in self.id:
                self.write(call_static(zones, "FindSystemTimeZoneById", [to_string(text)]))
        elif self.name is not None:
            for text in self.name:
                self._by_name(zones, to_string(text))
        else:
            from winlab.powershell.runtime.members import get_static

            self.write(get_static(zones, "Local"))

    def _by_name(self, zones: Any, text: str) -> None:
        matches = wildcard(text)
        found = [
            zone
            for zone in iterate(call_static(zones, "GetSystemTimeZones", []))
            if matches(to_string(get_member(zone, "StandardName")))
            or matches(to_string(get_member(zone, "DaylightName")))
        ]
        if not found:
            message = f"The time zone ID '{text}' was not found on the local computer."
            record = self.error("System.TimeZoneNotFoundException", message, "TimeZoneNotFound", "ObjectNotFound", text)
            self.write_error(record)
        for zone in found:
            self.write(zone)
