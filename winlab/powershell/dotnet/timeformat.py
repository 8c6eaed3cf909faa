"""Dates and time spans to text and back as .NET Framework 4.6.2 does it, on plain tick counts (100 ns since 0001-01-01).

Source: "Standard/Custom date and time format strings", "Standard/Custom TimeSpan format strings" of the .NET documentation.
"""

from __future__ import annotations

import datetime as _dt
import re
from dataclasses import dataclass

from .numberformat import FormatError, NumberOverflow

TICKS_PER_MILLISECOND = 10_000
TICKS_PER_SECOND = 10_000_000
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_HOUR = 60 * TICKS_PER_MINUTE
TICKS_PER_DAY = 24 * TICKS_PER_HOUR
MAX_TICKS = 3155378975999999999
UNIX_EPOCH_TICKS = 621355968000000000

UNSPECIFIED, UTC, LOCAL = 0, 1, 2

BAD_DATE = "String was not recognized as a valid DateTime."
BAD_SPAN = "String was not recognized as a valid TimeSpan."

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class DateFormat:
    """What DateTimeFormatInfo holds that differs between the invariant culture and en-US."""

    short_date: str
    long_date: str
    short_time: str
    long_time: str
    month_day: str
    year_month: str
    era: str = "A.D."


INVARIANT = DateFormat("MM/dd/yyyy", "dddd, dd MMMM yyyy", "HH:mm", "HH:mm:ss", "MMMM dd", "yyyy MMMM")
EN_US = DateFormat("M/d/yyyy", "dddd, MMMM d, yyyy", "h:mm tt", "h:mm:ss tt", "MMMM d", "MMMM yyyy")


@dataclass(frozen=True)
class Fields:
    """A point in time taken apart; `ticks` is the fraction of the second."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    ticks: int
    day_of_week: int


def to_fields(ticks: int) -> Fields:
    days, rest = divmod(ticks, TICKS_PER_DAY)
    date = _dt.date.fromordinal(days + 1)
    hour, rest = divmod(rest, TICKS_PER_HOUR)
    minute, rest = divmod(rest, TICKS_PER_MINUTE)
    second, rest = divmod(rest, TICKS_PER_SECOND)
    return Fields(date.year, date.month, date.day, hour, minute, second, rest, date.isoweekday() % 7)


def from_fields(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, millisecond: int = 0
) -> int:
    """Ticks of a date; ValueError when a part is out of range."""
    days = _dt.date(year, month, day).toordinal() - 1
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 and 0 <= millisecond < 1000):
        raise ValueError("time out of range")
    return (
        days * TICKS_PER_DAY
        + hour * TICKS_PER_HOUR
        + minute * TICKS_PER_MINUTE
        + second * TICKS_PER_SECOND
        + millisecond * TICKS_PER_MILLISECOND
    )


def from_python(value: _dt.datetime) -> int:
    """Ticks of an aware (taken in UTC) or naive datetime."""
    if value.tzinfo is not None:
        value = value.astimezone(_dt.UTC).replace(tzinfo=None)
    delta = value - _dt.datetime(1, 1, 1)
    return (delta.days * 86400 + delta.seconds) * TICKS_PER_SECOND + delta.microseconds * 10


def to_python(ticks: int) -> _dt.datetime:
    return _dt.datetime(1, 1, 1) + _dt.timedelta(microseconds=ticks // 10)


def local_offset(ticks: int) -> int:
    """Ticks to add to UTC for local time. The lab's servers keep UTC."""
    return 0


# --- dates to text ----------------------------------------------------------------------------------------------------

_ROUND_TRIP = "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"
_STANDARD_FIXED = {
    "O": _ROUND_TRIP,
    "o": _ROUND_TRIP,
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
}


def standard_pattern(letter: str, info: DateFormat) -> str:
    """The custom format behind a one-letter format; FormatError when there is none."""
    if letter in _STANDARD_FIXED:
        return _STANDARD_FIXED[letter]
    patterns = {
        "d": info.short_date,
        "D": info.long_date,
        "f": f"{info.long_date} {info.short_time}",
        "F": f"{info.long_date} {info.long_time}",
        "g": f"{info.short_date} {info.short_time}",
        "G": f"{info.short_date} {info.long_time}",
        "m": info.month_day,
        "M": info.month_day,
        "t": info.short_time,
        "T": info.long_time,
        "U": f"{info.long_date} {info.long_time}",
        "y": info.year_month,
        "Y": info.year_month,
    }
    if letter not in patterns:
        raise FormatError("Input string was not in a correct format.")
    return patterns[letter]


def format_offset(offset: int, width: int) -> str:
    """`+2`, `+02` or `+02:00` for a UTC offset in ticks."""
    sign = "-" if offset < 0 else "+"
    minutes = abs(offset) // TICKS_PER_MINUTE
    if width == 1:
        return f"{sign}{minutes // 60}"
    if width == 2:
        return f"{sign}{minutes // 60:02d}"
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def format_date(
    ticks: int, kind: int = UNSPECIFIED, fmt: str | None = None, info: DateFormat = EN_US, offset: int | None = None
) -> str:
    """A DateTime (or, with `offset` in ticks, a DateTimeOffset whose local clock shows `ticks`)."""
    if not fmt:
        fmt = f"{info.short_date} {info.long_time}" + (" zzz" if offset is not None else "")
    if len(fmt) == 1:
        letter = fmt
        if letter == "U":
            if offset is not None:
                raise FormatError("Input string was not in a correct format.")
            if kind != UTC:
                ticks -= local_offset(ticks)
            kind = UTC
        elif letter in "Rru" and offset is not None:
            ticks -= offset
            offset = 0
        if letter in "RrOosu":
            info = INVARIANT
        fmt = standard_pattern(letter, info)
        if letter in "Oo" and offset is not None:
            fmt = fmt.replace("K", "zzz")
    return _format_custom(ticks, kind, fmt, info, offset)


def _format_custom(ticks: int, kind: int, fmt: str, info: DateFormat, offset: int | None) -> str:
    at = to_fields(ticks)
    out: list[str] = []
    index = 0
    if len(fmt) == 2 and fmt[0] == "%":
        fmt = fmt[1:]
    while index < len(fmt):
        char = fmt[index]
        run = 1
        while index + run < len(fmt) and fmt[index + run] == char:
            run += 1
        if char == "h":
            out.append(f"{at.hour % 12 or 12:0{min(run, 2)}d}")
        elif char == "H":
            out.append(f"{at.hour:0{min(run, 2)}d}")
        elif char == "m":
            out.append(f"{at.minute:0{min(run, 2)}d}")
        elif char == "s":
            out.append(f"{at.second:0{min(run, 2)}d}")
        elif char in "fF":
            if run > 7:
                raise FormatError("Input string was not in a correct format.")
            digits = f"{at.ticks:07d}"[:run]
            if char == "F":
                digits = digits.rstrip("0")
                if not digits and out and out[-1] == ".":
                    out.pop()
            out.append(digits)
        elif char == "t":
            mark = "AM" if at.hour < 12 else "PM"
            out.append(mark[0] if run == 1 else mark)
        elif char == "d":
            if run <= 2:
                out.append(f"{at.day:0{run}d}")
            else:
                name = DAYS[at.day_of_week]
                out.append(name[:3] if run == 3 else name)
        elif char == "M":
            if run <= 2:
                out.append(f"{at.month:0{run}d}")
            else:
                name = MONTHS[at.month - 1]
                out.append(name[:3] if run == 3 else name)
        elif char == "y":
            out.append(f"{at.year % 100:0{run}d}" if run <= 2 else f"{at.year:0{run}d}")
        elif char == "g":
            out.append(info.era)
        elif char == "z":
            shift = offset if offset is not None else (0 if kind == UTC else local_offset(ticks))
            out.append(format_offset(shift, run))
        elif char == "K":
            run = 1
            if offset is not None:
                out.append(format_offset(offset, 3))
            elif kind == UTC:
                out.append("Z")
            elif kind == LOCAL:
                out.append(format_offset(local_offset(ticks), 3))
        elif char in ":/":
            run = 1
            out.append(char)
        elif char in "'\"":
            text, run = _quoted(fmt, index)
            out.append(text)
        elif char == "%":
            if index + 1 >= len(fmt) or fmt[index + 1] == "%":
                raise FormatError("Input string was not in a correct format.")
            out.append(_format_custom(ticks, kind, fmt[index + 1], info, offset))
            run = 2
        elif char == "\\":
            if index + 1 >= len(fmt):
                raise FormatError("Input string was not in a correct format.")
            out.append(fmt[index + 1])
            run = 2
        else:
            run = 1
            out.append(char)
        index += run
    return "".join(out)


def _quoted(fmt: str, index: int) -> tuple[str, int]:
    """The text of a quoted literal at `index` and how many characters of the format it takes."""
    quote = fmt[index]
    out = ""
    position = index + 1
    while position < len(fmt):
        char = fmt[position]
        if char == quote:
            return out, position + 1 - index
        if char == "\\" and position + 1 < len(fmt):
            position += 1
            char = fmt[position]
        out += char
        position += 1
    raise FormatError("Input string was not in a correct format.")


# --- text to dates ----------------------------------------------------------------------------------------------------

STYLE_ALLOW_WHITE = 7
STYLE_NO_CURRENT_DATE = 8
STYLE_ADJUST_TO_UNIVERSAL = 16
STYLE_ASSUME_LOCAL = 32
STYLE_ASSUME_UNIVERSAL = 64
STYLE_ROUNDTRIP = 128

_TIME = re.compile(
    r"(?P<h>\d{1,2})(?::(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d+))?)?)?\s*(?P<ap>[AaPp]\.?(?:[Mm]\.?)?(?![A-Za-z]))?(?!\d)"
)
_ZONE = re.compile(r"(?P<z>[Zz]|GMT|gmt|UTC)(?!\w)|(?P<sign>[+-])(?P<oh>\d{1,2})(?::?(?P<om>\d{2}))?(?!\d)")
_MONTH_INDEX = {name.lower(): number for number, name in enumerate(MONTHS, 1)} | {
    name[:3].lower(): number for number, name in enumerate(MONTHS, 1)
}
_DAY_INDEX = {name.lower(): number for number, name in enumerate(DAYS)} | {
    name[:3].lower(): number for number, name in enumerate(DAYS)
}


@dataclass
class Parsed:
    """What a text said: local clock `ticks`, its kind, and the UTC offset in ticks when the text had one."""

    ticks: int
    kind: int
    offset: int | None


def apply_styles(ticks: int, offset: int | None, zulu: bool, styles: int) -> tuple[int, int]:
    """`(ticks, kind)` of a DateTime for what a text said and DateTimeStyles."""
    if offset is not None:
        utc = ticks - offset
        if not 0 <= utc <= MAX_TICKS:
            raise FormatError("The DateTime represented by the string is out of range.")
        if styles & STYLE_ADJUST_TO_UNIVERSAL or (styles & STYLE_ROUNDTRIP and zulu):
            return utc, UTC
        return utc + local_offset(utc), LOCAL
    if styles & STYLE_ASSUME_UNIVERSAL:
        return (ticks, UTC) if styles & STYLE_ADJUST_TO_UNIVERSAL else (ticks + local_offset(ticks), LOCAL)
    if styles & STYLE_ASSUME_LOCAL:
        if styles & STYLE_ADJUST_TO_UNIVERSAL:
            return ticks - local_offset(ticks), UTC
        return ticks, LOCAL
    return ticks, UNSPECIFIED


def parse_date(text: str, today: int, info: DateFormat = EN_US, styles: int = 0) -> tuple[int, int, int | None]:
    """`[datetime]::Parse`: `(ticks, kind, offset)`; `today` is used where the text has no date. FormatError else."""
    ticks, offset, zulu = _parse_free(text, today, styles)
    result, kind = apply_styles(ticks, offset, zulu, styles)
    return result, kind, offset


def parse_offset_date(text: str, today: int, styles: int = 0) -> tuple[int, int]:
    """`[datetimeoffset]::Parse`: `(local clock ticks, offset ticks)`."""
    ticks, offset, _ = _parse_free(text, today, styles)
    if offset is None:
        offset = 0 if styles & STYLE_ASSUME_UNIVERSAL else local_offset(ticks)
    return ticks, offset


def _parse_free(text: str, today: int, styles: int) -> tuple[int, int | None, bool]:
    rest = text.strip(" \t\r\n\0")
    if not rest:
        raise FormatError(BAD_DATE)
    time: tuple[int, int, int, int] | None = None
    offset: int | None = None
    zulu = False
    weekday: int | None = None
    month_name: int | None = None
    numbers: list[tuple[str, str]] = []
    separators: list[str] = []
    date_done = False
    while rest:
        if rest[0] in " ,\t":
            rest = rest[1:]
            continue
        word = re.match(r"[A-Za-z]+\.?", rest)
        if word:
            token = word.group().rstrip(".").lower()
            if token in _MONTH_INDEX and month_name is None and token != "t":
                month_name = _MONTH_INDEX[token]
                separators.append("M")
                rest = rest[word.end() :]
                rest = rest[1:] if rest[:1] in ("-", "/") else rest
                continue
            if token in _DAY_INDEX and weekday is None:
                weekday = _DAY_INDEX[token]
                rest = rest[word.end() :]
                continue
            if token == "t" and numbers and time is None:
                found = _TIME.match(rest[1:])
                if not found or found.group("m") is None:
                    raise FormatError(BAD_DATE)
                rest = rest[1:]
                date_done = True
                time = _clock(found)
                rest = rest[found.end() :]
                continue
            iso = re.match(r"[Tt](?=\d)", rest)
            if iso and numbers:
                rest = rest[1:]
                continue
            zone = _ZONE.match(rest)
            if zone and time is not None and offset is None:
                offset, zulu = 0, True
                rest = rest[zone.end() :]
                continue
            raise FormatError(BAD_DATE)
        if time is not None and offset is None and rest[0] in "+-":
            zone = _ZONE.match(rest)
            if not zone:
                raise FormatError(BAD_DATE)
            hours, minutes = int(zone.group("oh")), int(zone.group("om") or 0)
            if hours > 14 or minutes > 59:
                raise FormatError(BAD_DATE)
            offset = (hours * 60 + minutes) * TICKS_PER_MINUTE * (-1 if zone.group("sign") == "-" else 1)
            rest = rest[zone.end() :]
            continue
        found = _TIME.match(rest)
        if found and time is None and (found.group("m") is not None or found.group("ap")):
            time = _clock(found)
            rest = rest[found.end() :]
            continue
        digits = re.match(r"\d+", rest)
        if not digits or date_done:
            raise FormatError(BAD_DATE)
        rest = rest[digits.end() :]
        separator = rest[:1] if rest[:1] in ("/", "-", ".") else ""
        numbers.append((digits.group(), separator))
        separators.append("n")
        if separator:
            rest = rest[1:]
            if not rest or not (rest[0].isdigit() or rest[0].isalpha()):
                raise FormatError(BAD_DATE)
    ticks = _assemble(numbers, separators, month_name, time, today, styles)
    if weekday is not None and to_fields(ticks).day_of_week != weekday:
        raise FormatError("String was not recognized as a valid DateTime because the day of week was incorrect.")
    return ticks, offset, zulu


def _clock(found: re.Match[str]) -> tuple[int, int, int, int]:
    hour, minute, second = int(found.group("h")), int(found.group("m") or 0), int(found.group("s") or 0)
    fraction = found.group("f") or ""
    mark = (found.group("ap") or "")[:1].lower()
    if mark:
        if not 0 <= hour <= 12:
            raise FormatError(BAD_DATE)
        hour = hour % 12 + (12 if mark == "p" else 0)
    ticks = round(int(fraction) * 10**7 / 10 ** len(fraction)) if fraction else 0
    if len(fraction) <= 7 and fraction:
        ticks = int(fraction.ljust(7, "0"))
    if hour > 24 or minute > 59 or second > 59:
        raise FormatError(BAD_DATE)
    return hour, minute, second, ticks


def expand_year(text: str) -> int:
    """A year as written; two digits mean 1930 to 2029, as the .NET Framework's calendar has it."""
    year = int(text)
    if len(text) <= 2:
        return year + (2000 if year <= 29 else 1900)
    return year


def _assemble(
    numbers: list[tuple[str, str]],
    order: list[str],
    month_name: int | None,
    time: tuple[int, int, int, int] | None,
    today: int,
    styles: int,
) -> int:
    values = [number for number, _ in numbers]
    now = to_fields(today)
    try:
        if month_name is not None:
            if len(values) == 2:
                if order[:2] == ["n", "n"] or (len(values[0]) > 2 and order[0] == "n") or len(values[0]) > 2:
                    year, day = values
                else:
                    day, year = values
                date = (expand_year(year), month_name, int(day))
            elif len(values) == 1:
                if len(values[0]) > 2 or int(values[0]) > 31:
                    date = (expand_year(values[0]), month_name, 1)
                else:
                    date = (now.year, month_name, int(values[0]))
            else:
                raise FormatError(BAD_DATE)
        elif len(values) == 3:
            if len(values[0]) > 2:
                date = (int(values[0]), int(values[1]), int(values[2]))
            else:
                date = (expand_year(values[2]), int(values[0]), int(values[1]))
        elif len(values) == 2:
            if len(values[0]) > 2:
                date = (int(values[0]), int(values[1]), 1)
            elif len(values[1]) > 2:
                date = (int(values[1]), int(values[0]), 1)
            else:
                date = (now.year, int(values[0]), int(values[1]))
        elif not values and time is not None:
            date = (1, 1, 1) if styles & STYLE_NO_CURRENT_DATE else (now.year, now.month, now.day)
        else:
            raise FormatError(BAD_DATE)
        hour, minute, second, ticks = time or (0, 0, 0, 0)
        extra = 0
        if hour == 24:
            if minute or second or ticks:
                raise FormatError(BAD_DATE)
            hour, extra = 0, TICKS_PER_DAY
        return from_fields(*date, hour, minute, second) + ticks + extra
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            "The DateTime represented by the string is not supported in calendar System.Globalization.GregorianCalendar."
            if values and any(len(v) > 4 for v in values)
            else BAD_DATE
        ) from None


def parse_exact(
    text: str, fmt: str, today: int, info: DateFormat = EN_US, styles: int = 0
) -> tuple[int, int, int | None]:
    """`[datetime]::ParseExact`: `(ticks, kind, offset)`; FormatError when the text is not of that form."""
    letter = fmt if len(fmt) == 1 else ""
    utc_format = False
    if letter:
        if letter in "RrOosu":
            info = INVARIANT
        if letter in "Oo":
            styles = styles | STYLE_ROUNDTRIP
        utc_format = letter in "RruU"
        fmt = standard_pattern(letter, info)
    if styles & 1:
        text = text.lstrip()
    if styles & 2:
        text = text.rstrip()
    position = 0
    values: dict[str, int] = {}
    offset: int | None = None
    zulu = False
    index = 0

    def fail() -> FormatError:
        return FormatError(BAD_DATE)

    def digits(least: int, most: int) -> str:
        nonlocal position
        end = position
        while end < len(text) and end - position < most and text[end] in "0123456789":
            end += 1
        if end - position < least:
            raise fail()
        found = text[position:end]
        position = end
        return found

    def name(names: tuple[str, ...], short: bool) -> int:
        nonlocal position
        best = (-1, 0)
        for number, full in enumerate(names):
            candidate = full[:3] if short else full
            if text[position : position + len(candidate)].lower() == candidate.lower() and len(candidate) > best[1]:
                best = (number, len(candidate))
        if best[0] < 0:
            raise fail()
        position += best[1]
        return best[0]

    def put(key: str, value: int) -> None:
        if values.setdefault(key, value) != value:
            raise fail()

    if len(fmt) == 2 and fmt[0] == "%":
        fmt = fmt[1:]
    while index < len(fmt):
        char = fmt[index]
        run = 1
        while index + run < len(fmt) and fmt[index + run] == char:
            run += 1
        if styles & 4 and char not in " ":
            while position < len(text) and text[position] == " " and char not in "'\"\\":
                position += 1
        if char == "y":
            if run == 1:
                put("year", expand_year(digits(1, 2)))
            elif run == 2:
                put("year", expand_year(digits(2, 2)))
            else:
                put("year", int(digits(3 if run == 3 else run, max(run, 4))))
        elif char == "M":
            if run <= 2:
                put("month", int(digits(run, 2)))
            else:
                put("month", name(MONTHS, run == 3) + 1)
        elif char == "d":
            if run <= 2:
                put("day", int(digits(run, 2)))
            else:
                put("weekday", name(DAYS, run == 3))
        elif char in "hH":
            put("hour12" if char == "h" else "hour", int(digits(min(run, 2), 2)))
        elif char == "m":
            put("minute", int(digits(min(run, 2), 2)))
        elif char == "s":
            put("second", int(digits(min(run, 2), 2)))
        elif char == "f":
            put("fraction", int(digits(run, run).ljust(7, "0")))
        elif char == "F":
            put("fraction", int(digits(0, run).ljust(7, "0") or 0))
        elif char == "t":
            mark = text[position : position + 1].lower()
            if mark not in ("a", "p"):
                raise fail()
            if run > 1 and text[position + 1 : position + 2].lower() != "m":
                raise fail()
            position += min(run, 2)
            put("pm", int(mark == "p"))
        elif char == "z" or char == "K":
            run = 1 if char == "K" else run
            zone = _ZONE.match(text, position)
            if zone and zone.group("z") and zone.group("z") in "Zz" and (char == "K" or run >= 3):
                offset, zulu = 0, True
                position = zone.end()
            elif zone and zone.group("sign"):
                minutes = int(zone.group("oh")) * 60 + int(zone.group("om") or 0)
                offset = minutes * TICKS_PER_MINUTE * (-1 if zone.group("sign") == "-" else 1)
                position = zone.end()
            elif char == "z":
                raise fail()
        elif char in "'\"":
            literal, run = _quoted(fmt, index)
            if not text.startswith(literal, position):
                raise fail()
            position += len(literal)
        elif char == "\\":
            run = 2
            if text[position : position + 1] != fmt[index + 1 : index + 2]:
                raise fail()
            position += 1
        elif char == "%":
            run = 1
        elif char == "." and fmt[index + 1 : index + 2] == "F":
            run = 1
            if text[position : position + 1] == ".":
                position += 1
        elif char == " ":
            run = 1
            if styles & 4:
                while position < len(text) and text[position] == " ":
                    position += 1
            elif text[position : position + 1] != " ":
                raise fail()
            else:
                position += 1
        else:
            run = 1
            if text[position : position + 1] != char:
                raise fail()
            position += 1
        index += run
    if position != len(text):
        raise fail()
    ticks = _from_values(values, today, styles)
    if utc_format:
        if styles & STYLE_ADJUST_TO_UNIVERSAL:
            return ticks, UTC, 0
        if letter == "U":
            return ticks + local_offset(ticks), LOCAL, 0
        return ticks, UNSPECIFIED, None
    result, kind = apply_styles(ticks, offset, zulu, styles)
    return result, kind, offset


def _from_values(values: dict[str, int], today: int, styles: int) -> int:
    now = to_fields(today)
    hour = values.get("hour")
    if "hour12" in values:
        twelve = values["hour12"]
        if not 0 <= twelve <= 12:
            raise FormatError(BAD_DATE)
        if "pm" in values:
            twelve = twelve % 12 + 12 * values["pm"]
        hour = twelve if hour is None else hour
    elif hour is not None and "pm" in values and (hour >= 12) != bool(values["pm"]):
        raise FormatError(BAD_DATE)
    has_date = bool({"year", "month", "day"} & values.keys())
    if has_date:
        year = values.get("year", now.year)
        month, day = values.get("month", 1), values.get("day", 1)
    elif styles & STYLE_NO_CURRENT_DATE:
        year, month, day = 1, 1, 1
    else:
        year, month, day = now.year, now.month, now.day
    try:
        ticks = from_fields(year, month, day, hour or 0, values.get("minute", 0), values.get("second", 0))
    except ValueError:
        raise FormatError(
            "The DateTime represented by the string is not supported in calendar System.Globalization.GregorianCalendar."
        ) from None
    ticks += values.get("fraction", 0)
    if "weekday" in values and to_fields(ticks).day_of_week != values["weekday"]:
        raise FormatError("String was not recognized as a valid DateTime because the day of week was incorrect.")
    return ticks


# --- time spans -------------------------------------------------------------------------------------------------------

_SPAN_MAX = (1 << 63) - 1


def format_span(ticks: int, fmt: str | None = None) -> str:
    """A TimeSpan: `c` (default), `g`, `G`, or a custom format."""
    negative = ticks < 0
    total = abs(ticks)
    days, rest = divmod(total, TICKS_PER_DAY)
    hours, rest = divmod(rest, TICKS_PER_HOUR)
    minutes, rest = divmod(rest, TICKS_PER_MINUTE)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    sign = "-" if negative else ""
    if not fmt or fmt in ("c", "t", "T"):
        text = f"{hours:02d}:{minutes:02d}:{seconds:02d}"
        if days:
            text = f"{days}.{text}"
        return sign + text + (f".{fraction:07d}" if fraction else "")
    if fmt == "g":
        text = (f"{days}:" if days else "") + f"{hours}:{minutes:02d}:{seconds:02d}"
        return sign + text + (f".{fraction:07d}".rstrip("0") if fraction else "")
    if fmt == "G":
        return f"{sign}{days}:{hours:02d}:{minutes:02d}:{seconds:02d}.{fraction:07d}"
    if len(fmt) == 1:
        raise FormatError("Input string was not in a correct format.")
    return _format_custom_span(fmt, {"d": days, "h": hours, "m": minutes, "s": seconds}, fraction)


def _format_custom_span(fmt: str, parts: dict[str, int], fraction: int) -> str:
    out: list[str] = []
    index = 0
    while index < len(fmt):
        char = fmt[index]
        run = 1
        while index + run < len(fmt) and fmt[index + run] == char:
            run += 1
        if char in parts:
            if run > (8 if char == "d" else 2):
                raise FormatError("Input string was not in a correct format.")
            out.append(f"{parts[char]:0{run}d}")
        elif char in "fF":
            if run > 7:
                raise FormatError("Input string was not in a correct format.")
            digits = f"{fraction:07d}"[:run]
            out.append(digits.rstrip("0") if char == "F" else digits)
        elif char in "'\"":
            text, run = _quoted(fmt, index)
            out.append(text)
        elif char == "%":
            if index + 1 >= len(fmt) or fmt[index + 1] == "%":
                raise FormatError("Input string was not in a correct format.")
            out.append(_format_custom_span(fmt[index + 1], parts, fraction))
            run = 2
        elif char == "\\":
            if index + 1 >= len(fmt):
                raise FormatError("Input string was not in a correct format.")
            out.append(fmt[index + 1])
            run = 2
        else:
            raise FormatError("Input string was not in a correct format.")
        index += run
    return "".join(out)


_SPAN = re.compile(
    r"(?P<sign>-)?(?:(?P<only>\d+)|(?:(?P<d>\d+)[.:])?(?P<h>\d+):(?P<m>\d+)(?::(?P<s>\d+)(?:\.(?P<f>\d{1,7}))?)?)"
)


def parse_span(text: str) -> int:
    """`[timespan]::Parse`: ticks; FormatError or NumberOverflow with .NET's texts."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise FormatError(BAD_SPAN)
    sign = -1 if found.group("sign") else 1
    if found.group("only"):
        total = int(found.group("only")) * TICKS_PER_DAY
    else:
        days, hours, minutes = int(found.group("d") or 0), int(found.group("h")), int(found.group("m"))
        seconds = int(found.group("s") or 0)
        colon_days = found.group("d") and found.group(0)[len(found.group("sign") or "") + len(found.group("d"))] == ":"
        if colon_days and found.group("s") is None:
            # `1:02:03` is hours, minutes, seconds; `24:00:00` does not fit and is read as days, hours, minutes
            if days <= 23:
                days, hours, minutes, seconds = 0, days, hours, minutes
        if hours > 23 or minutes > 59 or seconds > 59:
            raise NumberOverflow(
                "The TimeSpan could not be parsed because at least one of the numeric components is out of range or "
                "contains too many digits."
            )
        total = (
            days * TICKS_PER_DAY
            + hours * TICKS_PER_HOUR
            + minutes * TICKS_PER_MINUTE
            + seconds * TICKS_PER_SECOND
            + int((found.group("f") or "").ljust(7, "0") or 0)
        )
    total *= sign
    if not -_SPAN_MAX - 1 <= total <= _SPAN_MAX:
        raise NumberOverflow("TimeSpan overflowed because the duration is too long.")
    return total


def parse_span_exact(text: str, fmt: str, negative: bool = False) -> int:
    """`[timespan]::ParseExact` for `c`, `g`, `G` and custom formats."""
    if fmt in ("c", "t", "T", "g", "G"):
        return parse_span(text)
    totals = {"d": TICKS_PER_DAY, "h": TICKS_PER_HOUR, "m": TICKS_PER_MINUTE, "s": TICKS_PER_SECOND}
    position, index, ticks = 0, 0, 0
    while index < len(fmt):
        char = fmt[index]
        run = 1
        while index + run < len(fmt) and fmt[index + run] == char:
            run += 1
        if char in totals or char in "fF":
            most = run if char in "fF" or run > 1 else (8 if char == "d" else 2)
            found = re.compile(r"\d*").match(text, position)
            digits = (found.group() if found else "")[:most]
            if len(digits) < run and char != "F":
                raise FormatError(BAD_SPAN)
            position += len(digits)
            ticks += int(digits.ljust(7, "0") or 0) if char in "fF" else int(digits) * totals[char]
        elif char in "'\"":
            literal, run = _quoted(fmt, index)
            if not text.startswith(literal, position):
                raise FormatError(BAD_SPAN)
            position += len(literal)
        elif char == "\\":
            run = 2
            if text[position : position + 1] != fmt[index + 1 : index + 2]:
                raise FormatError(BAD_SPAN)
            position += 1
        elif char == "%":
            run = 1
        else:
            raise FormatError("Input string was not in a correct format.")
        index += run
    if position != len(text):
        raise FormatError(BAD_SPAN)
    return -ticks if negative else ticks


def format_interval(seconds: float) -> int:
    """Seconds as ticks rounded to the millisecond, as TimeSpan.FromSeconds of the .NET Framework rounds."""
    milliseconds = seconds * 1000
    rounded = int(milliseconds + (0.5 if milliseconds >= 0 else -0.5))
    return rounded * TICKS_PER_MILLISECOND
