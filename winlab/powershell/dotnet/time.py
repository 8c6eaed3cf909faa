"""System.DateTime, DateTimeOffset, TimeSpan, TimeZoneInfo and Diagnostics.Stopwatch."""

from __future__ import annotations

import calendar
import datetime as _dt
import time as _time
from collections.abc import Callable
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, Int64, NetObject

from . import context
from . import timeformat as tf
from .core import ctor, get_type, method, net_type, prop, static, static_prop
from .declare import argument, need, net_errors, out_of_range, overflow, overloads
from .values import date_info, net_hash

_RANGE = "The added or subtracted value results in an un-representable DateTime."
_PARTS = "Year, Month, and Day parameters describe an un-representable DateTime."


def now_ticks() -> int:
    """The server's clock in UTC ticks; this machine's outside of a runspace."""
    runtime = context.current()
    skew = runtime.machine.clock_skew if runtime is not None and runtime.machine is not None else None
    ahead = int(skew.total_seconds() * 10_000_000) if skew else 0
    return tf.UNIX_EPOCH_TICKS + _time.time_ns() // 100 + ahead


class _Ordered(NetObject):
    """Comparison by `key`."""

    key: Any

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.key == self.key

    def __lt__(self, other: Any) -> bool:
        return bool(self.key < other.key) if type(other) is type(self) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return bool(self.key > other.key) if type(other) is type(self) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return bool(self.key <= other.key) if type(other) is type(self) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return bool(self.key >= other.key) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def order(self, other: Any) -> int:
        if other is None:
            return 1
        if type(other) is not type(self):
            raise argument(f"Object must be of type {self.net_type.name}.")
        return int(self.key > other.key) - int(self.key < other.key)

    compare_to = order


# ------------------------------------------------------------------------------------------------------------ TimeSpan

_SPAN_MIN, _SPAN_MAX = -(2**63), 2**63 - 1
_SPAN_OVERFLOW = "TimeSpan overflowed because the duration is too long."


@net_type("System.TimeSpan", interfaces=("IComparable", "IFormattable"))
class TimeSpan(_Ordered):
    def __init__(self, ticks: int = 0) -> None:
        if not _SPAN_MIN <= ticks <= _SPAN_MAX:
            raise overflow(_SPAN_OVERFLOW)
        self.ticks = int(ticks)

    @property
    def key(self) -> int:
        return self.ticks

    @staticmethod
    def default() -> TimeSpan:
        return TimeSpan(0)

    @staticmethod
    def of_seconds(seconds: float) -> TimeSpan:
        """A span for Python code."""
        return TimeSpan(round(seconds * tf.TICKS_PER_SECOND))

    @property
    def seconds(self) -> float:
        return self.ticks / tf.TICKS_PER_SECOND

    def __str__(self) -> str:
        return tf.format_span(self.ticks)

    def format_net(self, fmt: str | None, provider: Any) -> str:
        return tf.format_span(self.ticks, fmt)

    def __add__(self, other: Any) -> TimeSpan:
        return TimeSpan(self.ticks + other.ticks) if isinstance(other, TimeSpan) else NotImplemented

    def __sub__(self, other: Any) -> TimeSpan:
        return TimeSpan(self.ticks - other.ticks) if isinstance(other, TimeSpan) else NotImplemented

    def __neg__(self) -> TimeSpan:
        return TimeSpan(-self.ticks)

    @ctor("(Int64)")
    def new(self, ticks: int) -> None:
        self.ticks = int(ticks)

    @ctor("(Int32,Int32,Int32)")
    def new_time(self, hours: int, minutes: int, seconds: int) -> None:
        self.new_parts(0, hours, minutes, seconds)

    @ctor("(Int32,Int32,Int32,Int32)")
    @ctor("(Int32,Int32,Int32,Int32,Int32)")
    def new_parts(self, days: int, hours: int, minutes: int, seconds: int, milliseconds: int = 0) -> None:
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        self.__init__(total * tf.TICKS_PER_SECOND + milliseconds * tf.TICKS_PER_MILLISECOND)

    def _part(self, unit: int, size: int | None = None) -> int:
        value = abs(self.ticks) // unit
        if size:
            value %= size
        return -value if self.ticks < 0 else value

    @prop("Days : Int32 get")
    def days(self) -> int:
        return self._part(tf.TICKS_PER_DAY)

    @prop("Hours : Int32 get")
    def hours(self) -> int:
        return self._part(tf.TICKS_PER_HOUR, 24)

    @prop("Minutes : Int32 get")
    def minutes(self) -> int:
        return self._part(tf.TICKS_PER_MINUTE, 60)

    @prop("Seconds : Int32 get")
    def seconds_part(self) -> int:
        return self._part(tf.TICKS_PER_SECOND, 60)

    @prop("Milliseconds : Int32 get")
    def milliseconds(self) -> int:
        return self._part(tf.TICKS_PER_MILLISECOND, 1000)

    @prop("Ticks : Int64 get")
    def get_ticks(self) -> int:
        return self.ticks

    @prop("TotalDays : Double get")
    def total_days(self) -> float:
        return self.ticks / tf.TICKS_PER_DAY

    @prop("TotalHours : Double get")
    def total_hours(self) -> float:
        return self.ticks / tf.TICKS_PER_HOUR

    @prop("TotalMinutes : Double get")
    def total_minutes(self) -> float:
        return self.ticks / tf.TICKS_PER_MINUTE

    @prop("TotalSeconds : Double get")
    def total_seconds(self) -> float:
        return self.ticks / tf.TICKS_PER_SECOND

    @prop("TotalMilliseconds : Double get")
    def total_milliseconds(self) -> float:
        return self.ticks / tf.TICKS_PER_MILLISECOND

    for _name, _value in {
        "TicksPerMillisecond": tf.TICKS_PER_MILLISECOND,
        "TicksPerSecond": tf.TICKS_PER_SECOND,
        "TicksPerMinute": tf.TICKS_PER_MINUTE,
        "TicksPerHour": tf.TICKS_PER_HOUR,
        "TicksPerDay": tf.TICKS_PER_DAY,
    }.items():
        locals()[f"static_{_name}"] = static_prop(f"{_name} : Int64")(lambda _value=_value: _value)
    del _name, _value

    @static_prop("Zero : TimeSpan")
    def zero() -> TimeSpan:
        return TimeSpan(0)

    @static_prop("MaxValue : TimeSpan")
    def max_value() -> TimeSpan:
        return TimeSpan(_SPAN_MAX)

    @static_prop("MinValue : TimeSpan")
    def min_value() -> TimeSpan:
        return TimeSpan(_SPAN_MIN)

    @method("Add(TimeSpan) : TimeSpan")
    def add(self, other: TimeSpan) -> TimeSpan:
        return self + other

    @method("Subtract(TimeSpan) : TimeSpan")
    def subtract(self, other: TimeSpan) -> TimeSpan:
        return self - other

    @method("Negate() : TimeSpan")
    def negate(self) -> TimeSpan:
        return -self

    @method("Duration() : TimeSpan")
    def duration(self) -> TimeSpan:
        return TimeSpan(abs(self.ticks))

    @static("Compare(TimeSpan,TimeSpan) : Int32")
    def compare(left: TimeSpan, right: TimeSpan) -> int:
        return left.order(right)

    @overloads("System.TimeSpan", "CompareTo")
    def net_compare_to(self, other: Any) -> int:
        return self.order(other)

    @overloads("System.TimeSpan", "Equals", skip=("TimeSpan,TimeSpan",))
    def equals(self, other: Any) -> bool:
        return self == other

    @static("Equals(TimeSpan,TimeSpan) : Boolean")
    def both_equal(left: TimeSpan, right: TimeSpan) -> bool:
        return left == right

    @static("FromDays(Double) : TimeSpan")
    def from_days(value: float) -> TimeSpan:
        return _interval(value, 86_400_000)

    @static("FromHours(Double) : TimeSpan")
    def from_hours(value: float) -> TimeSpan:
        return _interval(value, 3_600_000)

    @static("FromMinutes(Double) : TimeSpan")
    def from_minutes(value: float) -> TimeSpan:
        return _interval(value, 60_000)

    @static("FromSeconds(Double) : TimeSpan")
    def from_seconds(value: float) -> TimeSpan:
        return _interval(value, 1000)

    @static("FromMilliseconds(Double) : TimeSpan")
    def from_milliseconds(value: float) -> TimeSpan:
        return _interval(value, 1)

    @static("FromTicks(Int64) : TimeSpan")
    def from_ticks(value: int) -> TimeSpan:
        return TimeSpan(value)

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(Int64(self.ticks))

    @overloads("System.TimeSpan", "Parse")
    def parse(text: str | None, provider: Any = None) -> TimeSpan:
        with net_errors():
            return TimeSpan(tf.parse_span(need(text, "input")))

    @overloads("System.TimeSpan", "ParseExact")
    def parse_exact(text: str | None, fmt: Any, provider: Any, styles: Any = None) -> TimeSpan:
        negative = styles is not None and styles.value == 1
        formats = [fmt] if isinstance(fmt, str) else list(fmt)
        with net_errors():
            for index, one in enumerate(formats):
                try:
                    return TimeSpan(tf.parse_span_exact(need(text, "input"), one, negative))
                except tf.FormatError:
                    if index == len(formats) - 1:
                        raise
        raise out_of_range("formats")

    @overloads("System.TimeSpan", "TryParse")
    def try_parse(text: str | None, *arguments: Any) -> bool:
        return _attempt(lambda: TimeSpan.parse(text), arguments[-1], TimeSpan(0))

    @overloads("System.TimeSpan", "TryParseExact")
    def try_parse_exact(text: str | None, fmt: Any, provider: Any, *arguments: Any) -> bool:
        return _attempt(lambda: TimeSpan.parse_exact(text, fmt, provider, *arguments[:-1]), arguments[-1], TimeSpan(0))

    @overloads("System.TimeSpan", "ToString")
    def to_string(self, fmt: str | None = None, provider: Any = None) -> str:
        with net_errors():
            return self.format_net(fmt, provider)


def _interval(value: float, scale: int) -> TimeSpan:
    """`TimeSpan.FromX`: rounded to the millisecond."""
    if value != value:
        raise argument("TimeSpan does not accept floating point Not-a-Number values.")
    milliseconds = value * scale
    rounded = milliseconds + (0.5 if value >= 0 else -0.5)
    if not abs(rounded) <= _SPAN_MAX / tf.TICKS_PER_MILLISECOND:
        raise overflow(_SPAN_OVERFLOW)
    return TimeSpan(int(rounded) * tf.TICKS_PER_MILLISECOND)


def _attempt(parse: Callable[[], Any], result: Any, fallback: Any) -> bool:
    try:
        result.value = parse()
        return True
    except NetException:
        result.value = fallback
        return False


# ------------------------------------------------------------------------------------------------------------ DateTime


@net_type("System.DateTime", interfaces=("IComparable", "IFormattable", "IConvertible"))
class DateTime(_Ordered):
    """`ticks` of the clock it shows; `kind` 0 unspecified, 1 UTC, 2 local."""

    def __init__(self, ticks: int = 0, kind: int = tf.UNSPECIFIED) -> None:
        self.ticks = int(ticks)
        self.kind = kind

    @property
    def key(self) -> int:
        return self.ticks

    @staticmethod
    def default() -> DateTime:
        return DateTime(0)

    @staticmethod
    def of(value: _dt.datetime, local: bool = True) -> DateTime:
        """A DateTime for an aware Python datetime, in local time unless told otherwise."""
        ticks = tf.from_python(value)
        return DateTime(ticks + tf.local_offset(ticks), tf.LOCAL) if local else DateTime(ticks, tf.UTC)

    @property
    def utc_ticks(self) -> int:
        return self.ticks if self.kind == tf.UTC else self.ticks - tf.local_offset(self.ticks)

    def to_python(self) -> _dt.datetime:
        return tf.to_python(self.utc_ticks).replace(tzinfo=_dt.UTC)

    def __str__(self) -> str:
        return tf.format_date(self.ticks, self.kind)

    def format_net(self, fmt: str | None, provider: Any) -> str:
        return tf.format_date(self.ticks, self.kind, fmt, date_info(provider))

    def moved(self, ticks: int) -> DateTime:
        total = self.ticks + ticks
        if not 0 <= total <= tf.MAX_TICKS:
            raise out_of_range("value", _RANGE)
        return DateTime(total, self.kind)

    def __add__(self, other: Any) -> DateTime:
        return self.moved(other.ticks) if isinstance(other, TimeSpan) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, TimeSpan):
            return self.moved(-other.ticks)
        if isinstance(other, DateTime):
            return TimeSpan(self.ticks - other.ticks)
        return NotImplemented

    @property
    def fields(self) -> tf.Fields:
        return tf.to_fields(self.ticks)

    @ctor("(Int64)")
    @ctor("(Int64,DateTimeKind)")
    def new_ticks(self, ticks: int, kind: EnumValue | None = None) -> None:
        if not 0 <= ticks <= tf.MAX_TICKS:
            raise out_of_range("ticks", "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.")
        self.ticks = int(ticks)
        self.kind = kind.value if kind is not None else tf.UNSPECIFIED

    @overloads("System.DateTime", ".ctor", only="Int32,Int32,Int32", skip=("Calendar",))
    def new_parts(self, *arguments: Any) -> None:
        self.kind = tf.UNSPECIFIED
        parts = [int(item) for item in arguments if not isinstance(item, EnumValue)]
        if isinstance(arguments[-1], EnumValue):
            self.kind = arguments[-1].value
        try:
            self.ticks = tf.from_fields(*parts)
        except ValueError:
            if len(parts) > 3 and not all(
                low <= value < high
                for value, (low, high) in zip(parts[3:], ((0, 24), (0, 60), (0, 60), (0, 1000)), strict=False)
            ):
                if len(parts) == 7 and not 0 <= parts[6] < 1000:
                    raise out_of_range("millisecond", "Valid values are between 0 and 999, inclusive.") from None
                raise NetException(
                    "System.ArgumentOutOfRangeException",
                    "Hour, Minute, and Second parameters describe an un-representable DateTime.",
                ) from None
            raise NetException("System.ArgumentOutOfRangeException", _PARTS) from None

    @prop("Date : DateTime get")
    def date(self) -> DateTime:
        return DateTime(self.ticks - self.ticks % tf.TICKS_PER_DAY, self.kind)

    @prop("Day : Int32 get")
    def day(self) -> int:
        return self.fields.day

    @prop("DayOfWeek : DayOfWeek get")
    def day_of_week(self) -> int:
        return self.fields.day_of_week

    @prop("DayOfYear : Int32 get")
    def day_of_year(self) -> int:
        fields = self.fields
        return _dt.date(fields.year, fields.month, fields.day).timetuple().tm_yday

    @prop("Hour : Int32 get")
    def hour(self) -> int:
        return self.fields.hour

    @prop("Kind : DateTimeKind get")
    def get_kind(self) -> int:
        return self.kind

    @prop("Millisecond : Int32 get")
    def millisecond(self) -> int:
        return self.fields.ticks // tf.TICKS_PER_MILLISECOND

    @prop("Minute : Int32 get")
    def minute(self) -> int:
        return self.fields.minute

    @prop("Month : Int32 get")
    def month(self) -> int:
        return self.fields.month

    @prop("Second : Int32 get")
    def second(self) -> int:
        return self.fields.second

    @prop("Ticks : Int64 get")
    def get_ticks(self) -> int:
        return self.ticks

    @prop("TimeOfDay : TimeSpan get")
    def time_of_day(self) -> TimeSpan:
        return TimeSpan(self.ticks % tf.TICKS_PER_DAY)

    @prop("Year : Int32 get")
    def year(self) -> int:
        return self.fields.year

    @static_prop("Now : DateTime get")
    def now() -> DateTime:
        ticks = now_ticks()
        return DateTime(ticks + tf.local_offset(ticks), tf.LOCAL)

    @static_prop("UtcNow : DateTime get")
    def utc_now() -> DateTime:
        return DateTime(now_ticks(), tf.UTC)

    @static_prop("Today : DateTime get")
    def today() -> DateTime:
        ticks = now_ticks()
        ticks += tf.local_offset(ticks)
        return DateTime(ticks - ticks % tf.TICKS_PER_DAY, tf.LOCAL)

    @static_prop("MinValue : DateTime")
    def min_value() -> DateTime:
        return DateTime(0)

    @static_prop("MaxValue : DateTime")
    def max_value() -> DateTime:
        return DateTime(tf.MAX_TICKS)

    @method("Add(TimeSpan) : DateTime")
    def add(self, span: TimeSpan) -> DateTime:
        return self.moved(span.ticks)

    def scaled(self, value: float, scale: int) -> DateTime:
        """Added `value` units of `scale` milliseconds, rounded to the millisecond as the .NET Framework does."""
        if value != value:
            raise argument("Value to add was out of range.", "value")
        milliseconds = value * scale + (0.5 if value >= 0 else -0.5)
        if not -315537897600000 < milliseconds < 315537897600000:
            raise out_of_range("value", "Value to add was out of range.")
        return self.moved(int(milliseconds) * tf.TICKS_PER_MILLISECOND)

    @method("AddDays(Double) : DateTime")
    def add_days(self, value: float) -> DateTime:
        return self.scaled(value, 86_400_000)

    @method("AddHours(Double) : DateTime")
    def add_hours(self, value: float) -> DateTime:
        return self.scaled(value, 3_600_000)

    @method("AddMinutes(Double) : DateTime")
    def add_minutes(self, value: float) -> DateTime:
        return self.scaled(value, 60_000)

    @method("AddSeconds(Double) : DateTime")
    def add_seconds(self, value: float) -> DateTime:
        return self.scaled(value, 1000)

    @method("AddMilliseconds(Double) : DateTime")
    def add_milliseconds(self, value: float) -> DateTime:
        return self.scaled(value, 1)

    @method("AddTicks(Int64) : DateTime")
    def add_ticks(self, value: int) -> DateTime:
        return self.moved(value)

    @method("AddMonths(Int32) : DateTime")
    def add_months(self, months: int) -> DateTime:
        if not -120000 <= months <= 120000:
            raise out_of_range("months", "Months value must be between +/-120000.")
        fields = self.fields
        year, month = divmod(fields.year * 12 + fields.month - 1 + months, 12)
        if not 1 <= year <= 9999:
            raise out_of_range("months", _RANGE)
        day = min(fields.day, calendar.monthrange(year, month + 1)[1])
        return DateTime(tf.from_fields(year, month + 1, day) + self.ticks % tf.TICKS_PER_DAY, self.kind)

    @method("AddYears(Int32) : DateTime")
    def add_years(self, years: int) -> DateTime:
        if not -10000 <= years <= 10000:
            raise out_of_range("years", "Years value must be between +/-10000.")
        return self.add_months(years * 12)

    @static("Compare(DateTime,DateTime) : Int32")
    def compare(left: DateTime, right: DateTime) -> int:
        return left.order(right)

    @overloads("System.DateTime", "CompareTo")
    def net_compare_to(self, other: Any) -> int:
        return self.order(other)

    @overloads("System.DateTime", "Equals", skip=("DateTime,DateTime",))
    def equals(self, other: Any) -> bool:
        return self == other

    @static("Equals(DateTime,DateTime) : Boolean")
    def both_equal(left: DateTime, right: DateTime) -> bool:
        return left == right

    @static("DaysInMonth(Int32,Int32) : Int32")
    def days_in_month(year: int, month: int) -> int:
        if not 1 <= month <= 12:
            raise out_of_range("month", "Month must be between one and twelve.")
        _check_year(year)
        return calendar.monthrange(year, month)[1]

    @static("IsLeapYear(Int32) : Boolean")
    def is_leap_year(year: int) -> bool:
        _check_year(year)
        return calendar.isleap(year)

    @static("FromFileTime(Int64) : DateTime")
    def from_file_time(value: int) -> DateTime:
        return DateTime.from_file_time_utc(value).to_local_time()

    @static("FromFileTimeUtc(Int64) : DateTime")
    def from_file_time_utc(value: int) -> DateTime:
        ticks = value + 504911232000000000
        if value < 0 or ticks > tf.MAX_TICKS:
            raise out_of_range("fileTime", "Not a valid Win32 FileTime.")
        return DateTime(ticks, tf.UTC)

    @static("FromOADate(Double) : DateTime")
    def from_oa_date(value: float) -> DateTime:
        return DateTime(599264352000000000).add_milliseconds(value * 86_400_000)

    @static("FromBinary(Int64) : DateTime")
    def from_binary(value: int) -> DateTime:
        unsigned = value & (2**64 - 1)
        kind = unsigned >> 62
        ticks = unsigned & (2**62 - 1)
        return DateTime(ticks, tf.LOCAL if kind >= 2 else kind)

    @method("ToBinary() : Int64")
    def to_binary(self) -> int:
        value = (self.utc_ticks if self.kind == tf.LOCAL else self.ticks) | self.kind << 62
        return value - 2**64 if value >= 2**63 else value

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(Int64(self.ticks))

    @method("GetTypeCode() : TypeCode")
    def get_type_code(self) -> int:
        return 16

    @method("IsDaylightSavingTime() : Boolean")
    def is_daylight_saving_time(self) -> bool:
        return False

    @overloads("System.DateTime", "GetDateTimeFormats")
    def get_date_time_formats(self, *arguments: Any) -> list[str]:
        letters = next((str(item) for item in arguments if isinstance(item, str)), "dDfFgGmorstTuUy")
        return [self.format_net(letter, None) for letter in letters]

    @overloads("System.DateTime", "Parse")
    def parse(text: str | None, provider: Any = None, styles: Any = None) -> DateTime:
        return parse_datetime(text, provider, styles)

    @overloads("System.DateTime", "ParseExact")
    def parse_exact(text: str | None, fmt: Any, provider: Any, styles: Any = None) -> DateTime:
        need(text, "s")
        need(fmt, "format")
        if fmt == "":
            raise NetException("System.FormatException", "Format specifier was invalid.")
        formats = [fmt] if isinstance(fmt, str) else list(fmt)
        flags = styles.value if styles is not None else 0
        with net_errors():
            for index, one in enumerate(formats):
                try:
                    ticks, kind, _ = tf.parse_exact(text or "", one, now_ticks(), date_info(provider), flags)
                    return DateTime(ticks, kind)
                except tf.FormatError:
                    if index == len(formats) - 1:
                        raise
        raise NetException("System.FormatException", tf.BAD_DATE)

    @overloads("System.DateTime", "TryParse")
    def try_parse(text: str | None, *arguments: Any) -> bool:
        return _attempt(lambda: DateTime.parse(text, *arguments[:-1]), arguments[-1], DateTime(0))

    @overloads("System.DateTime", "TryParseExact")
    def try_parse_exact(text: str | None, fmt: Any, provider: Any, styles: Any, result: Any) -> bool:
        return _attempt(lambda: DateTime.parse_exact(text, fmt, provider, styles), result, DateTime(0))

    @static("SpecifyKind(DateTime,DateTimeKind) : DateTime")
    def specify_kind(value: DateTime, kind: EnumValue) -> DateTime:
        return DateTime(value.ticks, kind.value)

    @method("Subtract(DateTime) : TimeSpan")
    @method("Subtract(TimeSpan) : DateTime")
    def subtract(self, other: Any) -> Any:
        return self - other

    @method("ToFileTime() : Int64")
    @method("ToFileTimeUtc() : Int64")
    def to_file_time(self) -> int:
        value = self.utc_ticks - 504911232000000000
        if value < 0:
            raise NetException("System.ArgumentOutOfRangeException", "Not a valid Win32 FileTime.")
        return value

    @method("ToLocalTime() : DateTime")
    def to_local_time(self) -> DateTime:
        if self.kind == tf.LOCAL:
            return self
        return DateTime(self.ticks + tf.local_offset(self.ticks), tf.LOCAL)

    @method("ToUniversalTime() : DateTime")
    def to_universal_time(self) -> DateTime:
        return DateTime(self.utc_ticks, tf.UTC)

    @method("ToOADate() : Double")
    def to_oa_date(self) -> float:
        return (self.ticks - 599264352000000000) // tf.TICKS_PER_MILLISECOND / 86_400_000

    @method("ToLongDateString() : String")
    def to_long_date_string(self) -> str:
        return self.format_net("D", None)

    @method("ToLongTimeString() : String")
    def to_long_time_string(self) -> str:
        return self.format_net("T", None)

    @method("ToShortDateString() : String")
    def to_short_date_string(self) -> str:
        return self.format_net("d", None)

    @method("ToShortTimeString() : String")
    def to_short_time_string(self) -> str:
        return self.format_net("t", None)

    @overloads("System.DateTime", "ToString")
    def to_string(self, *arguments: Any) -> str:
        fmt = next((item for item in arguments if isinstance(item, str)), None)
        provider = next((item for item in arguments if item is not None and not isinstance(item, str)), None)
        with net_errors():
            return self.format_net(fmt, provider)


def _check_year(year: int) -> None:
    if not 1 <= year <= 9999:
        raise out_of_range("year", "Year must be between 1 and 9999.")


def parse_datetime(text: str | None, provider: Any = None, styles: Any = None) -> DateTime:
    """`[datetime]::Parse` in a culture (en-US when null)."""
    with net_errors():
        ticks, kind, _ = tf.parse_date(
            need(text, "s"), now_ticks(), date_info(provider), styles.value if styles is not None else 0
        )
    return DateTime(ticks, kind)


# ------------------------------------------------------------------------------------------------------------ DateTimeOffset


def _clock_part(clock: DateTime, name: str) -> Any:
    found = get_type("System.DateTime").find_prop(name)
    assert found is not None and found.fget is not None
    return found.fget(clock)


@net_type("System.DateTimeOffset", interfaces=("IComparable", "IFormattable"))
class DateTimeOffset(_Ordered):
    """`ticks` of the local clock and its `offset` from UTC, both in ticks."""

    def __init__(self, ticks: int = 0, offset: int = 0) -> None:
        self.ticks = int(ticks)
        self.offset = offset

    @property
    def key(self) -> int:
        return self.ticks - self.offset

    @staticmethod
    def default() -> DateTimeOffset:
        return DateTimeOffset()

    def __str__(self) -> str:
        return self.format_net(None, None)

    def format_net(self, fmt: str | None, provider: Any) -> str:
        return tf.format_date(self.ticks, 0, fmt, date_info(provider), self.offset)

    def __add__(self, other: Any) -> DateTimeOffset:
        return DateTimeOffset(self.ticks + other.ticks, self.offset) if isinstance(other, TimeSpan) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, TimeSpan):
            return DateTimeOffset(self.ticks - other.ticks, self.offset)
        return TimeSpan(self.key - other.key) if isinstance(other, DateTimeOffset) else NotImplemented

    @ctor("(Int64,TimeSpan)")
    def new(self, ticks: int, offset: TimeSpan) -> None:
        self.ticks, self.offset = int(ticks), offset.ticks

    @ctor("(DateTime)")
    def new_date(self, value: DateTime) -> None:
        self.ticks = value.ticks
        self.offset = 0 if value.kind == tf.UTC else tf.local_offset(value.ticks)

    @ctor("(DateTime,TimeSpan)")
    def new_date_offset(self, value: DateTime, offset: TimeSpan) -> None:
        if value.kind == tf.UTC and offset.ticks != 0:
            raise argument("The UTC Offset for Utc DateTime instances must be 0.", "offset")
        if value.kind == tf.LOCAL and offset.ticks != tf.local_offset(value.ticks):
            raise argument(
                "The UTC Offset of the local dateTime parameter does not match the offset argument.", "offset"
            )
        self.ticks, self.offset = value.ticks, offset.ticks

    @ctor("(Int32,Int32,Int32,Int32,Int32,Int32,TimeSpan)")
    @ctor("(Int32,Int32,Int32,Int32,Int32,Int32,Int32,TimeSpan)")
    def new_parts(self, *arguments: Any) -> None:
        try:
            self.ticks = tf.from_fields(*arguments[:-1])
        except ValueError:
            raise NetException("System.ArgumentOutOfRangeException", _PARTS) from None
        self.offset = arguments[-1].ticks

    @property
    def clock(self) -> DateTime:
        return DateTime(self.ticks)

    for _name, _type in {
        "Day": "Int32",
        "DayOfWeek": "DayOfWeek",
        "DayOfYear": "Int32",
        "Hour": "Int32",
        "Millisecond": "Int32",
        "Minute": "Int32",
        "Month": "Int32",
        "Second": "Int32",
        "Ticks": "Int64",
        "TimeOfDay": "TimeSpan",
        "Year": "Int32",
        "Date": "DateTime",
    }.items():
        locals()[f"part_{_name}"] = prop(f"{_name} : {_type} get")(
            lambda self, _name=_name: _clock_part(self.clock, _name)
        )
    del _name, _type

    @prop("DateTime : DateTime get")
    def date_time(self) -> DateTime:
        return DateTime(self.ticks)

    @prop("LocalDateTime : DateTime get")
    def local_date_time(self) -> DateTime:
        return DateTime(self.key + tf.local_offset(self.key), tf.LOCAL)

    @prop("UtcDateTime : DateTime get")
    def utc_date_time(self) -> DateTime:
        return DateTime(self.key, tf.UTC)

    @prop("Offset : TimeSpan get")
    def get_offset(self) -> TimeSpan:
        return TimeSpan(self.offset)

    @prop("UtcTicks : Int64 get")
    def utc_ticks(self) -> int:
        return self.key

    @static_prop("Now : DateTimeOffset get")
    def now() -> DateTimeOffset:
        ticks = now_ticks()
        return DateTimeOffset(ticks + tf.local_offset(ticks), tf.local_offset(ticks))

    @static_prop("UtcNow : DateTimeOffset get")
    def utc_now() -> DateTimeOffset:
        return DateTimeOffset(now_ticks(), 0)

    @static_prop("MinValue : DateTimeOffset")
    def min_value() -> DateTimeOffset:
        return DateTimeOffset(0, 0)

    @static_prop("MaxValue : DateTimeOffset")
    def max_value() -> DateTimeOffset:
        return DateTimeOffset(tf.MAX_TICKS, 0)

    for _name, _text in {
        "add_days": "AddDays(Double)",
        "add_hours": "AddHours(Double)",
        "add_milliseconds": "AddMilliseconds(Double)",
        "add_minutes": "AddMinutes(Double)",
        "add_seconds": "AddSeconds(Double)",
        "add_ticks": "AddTicks(Int64)",
        "add_months": "AddMonths(Int32)",
        "add_years": "AddYears(Int32)",
    }.items():
        locals()[_name] = method(f"{_text} : DateTimeOffset")(
            lambda self, value, _name=_name: DateTimeOffset(getattr(self.clock, _name)(value).ticks, self.offset)
        )
    del _name, _text

    @method("Add(TimeSpan) : DateTimeOffset")
    def add(self, span: TimeSpan) -> DateTimeOffset:
        return self + span

    @method("Subtract(TimeSpan) : DateTimeOffset")
    @method("Subtract(DateTimeOffset) : TimeSpan")
    def subtract(self, other: Any) -> Any:
        return self - other

    @static("Compare(DateTimeOffset,DateTimeOffset) : Int32")
    def compare(left: DateTimeOffset, right: DateTimeOffset) -> int:
        return left.order(right)

    @method("CompareTo(DateTimeOffset) : Int32")
    def net_compare_to(self, other: Any) -> int:
        return self.order(other)

    @overloads("System.DateTimeOffset", "Equals", skip=("DateTimeOffset,DateTimeOffset",))
    def equals(self, other: Any) -> bool:
        return self == other

    @method("EqualsExact(DateTimeOffset) : Boolean")
    def equals_exact(self, other: DateTimeOffset) -> bool:
        return self == other and self.offset == other.offset

    @static("FromFileTime(Int64) : DateTimeOffset")
    def from_file_time(value: int) -> DateTimeOffset:
        return DateTimeOffset(value + 504911232000000000, 0)

    @static("FromUnixTimeSeconds(Int64) : DateTimeOffset")
    def from_unix_seconds(value: int) -> DateTimeOffset:
        return DateTimeOffset(tf.UNIX_EPOCH_TICKS + value * tf.TICKS_PER_SECOND, 0)

    @static("FromUnixTimeMilliseconds(Int64) : DateTimeOffset")
    def from_unix_milliseconds(value: int) -> DateTimeOffset:
        return DateTimeOffset(tf.UNIX_EPOCH_TICKS + value * tf.TICKS_PER_MILLISECOND, 0)

    @method("ToUnixTimeSeconds() : Int64")
    def to_unix_seconds(self) -> int:
        return (self.key - tf.UNIX_EPOCH_TICKS) // tf.TICKS_PER_SECOND

    @method("ToUnixTimeMilliseconds() : Int64")
    def to_unix_milliseconds(self) -> int:
        return (self.key - tf.UNIX_EPOCH_TICKS) // tf.TICKS_PER_MILLISECOND

    @method("ToFileTime() : Int64")
    def to_file_time(self) -> int:
        return self.key - 504911232000000000

    @method("ToLocalTime() : DateTimeOffset")
    def to_local_time(self) -> DateTimeOffset:
        return DateTimeOffset(self.key + tf.local_offset(self.key), tf.local_offset(self.key))

    @method("ToUniversalTime() : DateTimeOffset")
    def to_universal_time(self) -> DateTimeOffset:
        return DateTimeOffset(self.key, 0)

    @method("ToOffset(TimeSpan) : DateTimeOffset")
    def to_offset(self, offset: TimeSpan) -> DateTimeOffset:
        return DateTimeOffset(self.key + offset.ticks, offset.ticks)

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(Int64(self.key))

    @overloads("System.DateTimeOffset", "Parse")
    def parse(text: str | None, provider: Any = None, styles: Any = None) -> DateTimeOffset:
        with net_errors():
            ticks, offset = tf.parse_offset_date(
                need(text, "input"), now_ticks(), styles.value if styles is not None else 0
            )
        return DateTimeOffset(ticks, offset)

    @overloads("System.DateTimeOffset", "ParseExact")
    def parse_exact(text: str | None, fmt: Any, provider: Any, styles: Any = None) -> DateTimeOffset:
        formats = [need(fmt, "format")] if isinstance(fmt, str) else list(need(fmt, "formats"))
        flags = styles.value if styles is not None else 0
        with net_errors():
            for index, one in enumerate(formats):
                try:
                    ticks, kind, offset = tf.parse_exact(
                        need(text, "input"), one, now_ticks(), date_info(provider), flags & 7
                    )
                except tf.FormatError:
                    if index == len(formats) - 1:
                        raise
                    continue
                if offset is None:
                    own = 0 if flags & tf.STYLE_ASSUME_UNIVERSAL else tf.local_offset(ticks)
                    return DateTimeOffset(ticks, own)
                local = (
                    ticks
                    if kind == tf.UNSPECIFIED
                    else ticks - (tf.local_offset(ticks) if kind == tf.LOCAL else 0) + offset
                )
                return DateTimeOffset(local, offset)
        raise NetException("System.FormatException", tf.BAD_DATE)

    @overloads("System.DateTimeOffset", "TryParse")
    def try_parse(text: str | None, *arguments: Any) -> bool:
        return _attempt(lambda: DateTimeOffset.parse(text, *arguments[:-1]), arguments[-1], DateTimeOffset())

    @overloads("System.DateTimeOffset", "TryParseExact")
    def try_parse_exact(text: str | None, fmt: Any, provider: Any, styles: Any, result: Any) -> bool:
        return _attempt(lambda: DateTimeOffset.parse_exact(text, fmt, provider, styles), result, DateTimeOffset())

    @overloads("System.DateTimeOffset", "ToString")
    def to_string(self, *arguments: Any) -> str:
        fmt = next((item for item in arguments if isinstance(item, str)), None)
        provider = next((item for item in arguments if item is not None and not isinstance(item, str)), None)
        with net_errors():
            return self.format_net(fmt, provider)


# ------------------------------------------------------------------------------------------------------------ TimeZoneInfo


@net_type("System.TimeZoneInfo")
class TimeZoneInfo(NetObject):
    """The lab's servers keep UTC; other zones are refused by name."""

    def __str__(self) -> str:
        return "(UTC) Coordinated Universal Time"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeZoneInfo)

    def __hash__(self) -> int:
        return hash("UTC")

    @static_prop("Local : TimeZoneInfo get")
    @static_prop("Utc : TimeZoneInfo get")
    def utc() -> TimeZoneInfo:
        return TimeZoneInfo()

    @prop("BaseUtcOffset : TimeSpan get")
    def base_utc_offset(self) -> TimeSpan:
        return TimeSpan(0)

    @prop("Id : String get")
    def id(self) -> str:
        return "UTC"

    @prop("DisplayName : String get")
    def display_name(self) -> str:
        return str(self)

    @prop("StandardName : String get")
    def standard_name(self) -> str:
        return "Coordinated Universal Time"

    @prop("DaylightName : String get")
    def daylight_name(self) -> str:
        return "Coordinated Universal Time"

    @prop("SupportsDaylightSavingTime : Boolean get")
    def supports_daylight_saving_time(self) -> bool:
        return False

    @static("FindSystemTimeZoneById(String) : TimeZoneInfo")
    def find(name: str) -> TimeZoneInfo:
        if need(name, "id").upper() in ("UTC", "COORDINATED UNIVERSAL TIME"):
            return TimeZoneInfo()
        raise LabUnsupported(f"the time zone '{name}'")

    @overloads("System.TimeZoneInfo", "GetUtcOffset")
    def get_utc_offset(self, value: Any) -> TimeSpan:
        return TimeSpan(0)

    @overloads("System.TimeZoneInfo", "IsDaylightSavingTime", "IsAmbiguousTime", "IsInvalidTime")
    def is_daylight_saving_time(self, value: Any) -> bool:
        return False

    @static("ConvertTimeFromUtc(DateTime,TimeZoneInfo) : DateTime")
    def convert_from_utc(value: DateTime, zone: TimeZoneInfo) -> DateTime:
        return DateTime(value.ticks, tf.UTC)

    @overloads("System.TimeZoneInfo", "ConvertTimeToUtc")
    def convert_to_utc(value: DateTime, zone: Any = None) -> DateTime:
        return DateTime(value.utc_ticks, tf.UTC)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


# ------------------------------------------------------------------------------------------------------------ Stopwatch


@net_type("System.Diagnostics.Stopwatch")
class Stopwatch(NetObject):
    def __init__(self) -> None:
        self.total = 0
        self.started: int | None = None

    @property
    def elapsed_ticks(self) -> int:
        running = _time.perf_counter_ns() - self.started if self.started is not None else 0
        return (self.total + running) // 100

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @prop("Elapsed : TimeSpan get")
    def elapsed(self) -> TimeSpan:
        return TimeSpan(self.elapsed_ticks)

    @prop("ElapsedMilliseconds : Int64 get")
    def elapsed_milliseconds(self) -> int:
        return self.elapsed_ticks // tf.TICKS_PER_MILLISECOND

    @prop("ElapsedTicks : Int64 get")
    def get_elapsed_ticks(self) -> int:
        return self.elapsed_ticks

    @prop("IsRunning : Boolean get")
    def is_running(self) -> bool:
        return self.started is not None

    @static_prop("Frequency : Int64")
    def frequency() -> int:
        return tf.TICKS_PER_SECOND

    @static_prop("IsHighResolution : Boolean")
    def is_high_resolution() -> bool:
        return True

    @static("GetTimestamp() : Int64")
    def get_timestamp() -> int:
        return int(context.machine().uptime * tf.TICKS_PER_SECOND)

    @method("Start() : Void")
    def start(self) -> None:
        if self.started is None:
            self.started = _time.perf_counter_ns()

    @method("Stop() : Void")
    def stop(self) -> None:
        if self.started is not None:
            self.total += _time.perf_counter_ns() - self.started
            self.started = None

    @method("Reset() : Void")
    def reset(self) -> None:
        self.total, self.started = 0, None

    @method("Restart() : Void")
    def restart(self) -> None:
        self.total, self.started = 0, _time.perf_counter_ns()

    @static("StartNew() : Diagnostics.Stopwatch")
    def start_new() -> Stopwatch:
        made = Stopwatch()
        made.start()
        return made
