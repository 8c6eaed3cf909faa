"""System.Globalization: the invariant culture and English ones; others are refused by name."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import Char, EnumValue, NetObject

from . import context, numberformat, timeformat
from .core import ctor, method, net_type, prop, static, static_prop
from .declare import need, overloads
from .strings import lower, upper
from .values import culture_compare, net_hash, ordinal_compare

# name -> (LCID, English name, three-letter Windows name, short date, long date, short time, long time, currency)
_CULTURES: dict[str, tuple[int, str, str, timeformat.DateFormat, numberformat.NumberFormat]] = {
    "": (127, "Invariant Language (Invariant Country)", "IVL", timeformat.INVARIANT, numberformat.INVARIANT),
    "en": (9, "English", "ENU", timeformat.EN_US, numberformat.EN_US),
    "en-US": (1033, "English (United States)", "ENU", timeformat.EN_US, numberformat.EN_US),
    "en-GB": (
        2057,
        "English (United Kingdom)",
        "ENG",
        timeformat.DateFormat("dd/MM/yyyy", "dd MMMM yyyy", "HH:mm", "HH:mm:ss", "d MMMM", "MMMM yyyy", "A.D."),
        numberformat.NumberFormat(
            currency_symbol="£", currency_negative="-$n", percent_positive="n%", percent_negative="-n%"
        ),
    ),
}
_KNOWN = {name.lower(): name for name in _CULTURES}


@net_type("System.Globalization.NumberFormatInfo", interfaces=("IFormatProvider", "ICloneable"))
class NumberFormatInfo(NetObject):
    def __init__(self, info: numberformat.NumberFormat = numberformat.INVARIANT) -> None:
        self.number_info = info

    @ctor("()")
    def new(self) -> None:
        self.number_info = numberformat.INVARIANT

    @static_prop("InvariantInfo : Globalization.NumberFormatInfo get")
    def invariant_info() -> NumberFormatInfo:
        return NumberFormatInfo()

    @static_prop("CurrentInfo : Globalization.NumberFormatInfo get")
    def current_info() -> NumberFormatInfo:
        return NumberFormatInfo(numberformat.EN_US)

    @method("Clone() : Object")
    def clone(self) -> NumberFormatInfo:
        return NumberFormatInfo(self.number_info)


def _number_property(name: str, kind: str, attribute: str) -> Any:
    import dataclasses

    def read(self: Any) -> Any:
        return getattr(self.number_info, attribute)

    def write(self: Any, value: Any) -> None:
        self.number_info = dataclasses.replace(self.number_info, **{attribute: value})

    made: Any = prop(f"{name} : {kind}")(read).setter(write)
    return made


for _name, _kind, _attribute in (
    ("NumberDecimalSeparator", "String", "decimal_separator"),
    ("NumberGroupSeparator", "String", "group_separator"),
    ("NumberDecimalDigits", "Int32", "decimal_digits"),
    ("NegativeSign", "String", "negative_sign"),
    ("PositiveSign", "String", "positive_sign"),
    ("NaNSymbol", "String", "nan_symbol"),
    ("PositiveInfinitySymbol", "String", "positive_infinity"),
    ("NegativeInfinitySymbol", "String", "negative_infinity"),
    ("CurrencySymbol", "String", "currency_symbol"),
    ("CurrencyDecimalDigits", "Int32", "currency_decimal_digits"),
    ("PercentDecimalDigits", "Int32", "percent_decimal_digits"),
    ("PercentSymbol", "String", "percent_symbol"),
    ("PerMilleSymbol", "String", "per_mille_symbol"),
):
    setattr(NumberFormatInfo, _name, _number_property(_name, _kind, _attribute))
net_type("System.Globalization.NumberFormatInfo", interfaces=("IFormatProvider", "ICloneable"))(NumberFormatInfo)


@net_type("System.Globalization.DateTimeFormatInfo", interfaces=("IFormatProvider", "ICloneable"))
class DateTimeFormatInfo(NetObject):
    def __init__(self, info: timeformat.DateFormat = timeformat.INVARIANT) -> None:
        self.date_info = info

    @ctor("()")
    def new(self) -> None:
        self.date_info = timeformat.INVARIANT

    @static_prop("InvariantInfo : Globalization.DateTimeFormatInfo get")
    def invariant_info() -> DateTimeFormatInfo:
        return DateTimeFormatInfo()

    @static_prop("CurrentInfo : Globalization.DateTimeFormatInfo get")
    def current_info() -> DateTimeFormatInfo:
        return DateTimeFormatInfo(timeformat.EN_US)

    @prop("ShortDatePattern : String")
    def short_date_pattern(self) -> str:
        return self.date_info.short_date

    @prop("LongDatePattern : String")
    def long_date_pattern(self) -> str:
        return self.date_info.long_date

    @prop("ShortTimePattern : String")
    def short_time_pattern(self) -> str:
        return self.date_info.short_time

    @prop("LongTimePattern : String")
    def long_time_pattern(self) -> str:
        return self.date_info.long_time

    @prop("FullDateTimePattern : String")
    def full_date_time_pattern(self) -> str:
        return f"{self.date_info.long_date} {self.date_info.long_time}"

    @prop("MonthNames : String[]")
    def month_names(self) -> list[str]:
        return [*timeformat.MONTHS, ""]

    @prop("AbbreviatedMonthNames : String[]")
    def abbreviated_month_names(self) -> list[str]:
        return [*(name[:3] for name in timeformat.MONTHS), ""]

    @prop("DayNames : String[]")
    def day_names(self) -> list[str]:
        return list(timeformat.DAYS)

    @prop("AbbreviatedDayNames : String[]")
    def abbreviated_day_names(self) -> list[str]:
        return [name[:3] for name in timeformat.DAYS]

    @prop("DateSeparator : String")
    def date_separator(self) -> str:
        return "/"

    @prop("TimeSeparator : String")
    def time_separator(self) -> str:
        return ":"

    @method("GetMonthName(Int32) : String")
    def get_month_name(self, month: int) -> str:
        return timeformat.MONTHS[month - 1] if 1 <= month <= 12 else ""

    @method("GetAbbreviatedMonthName(Int32) : String")
    def get_abbreviated_month_name(self, month: int) -> str:
        return self.get_month_name(month)[:3]

    @method("GetDayName(DayOfWeek) : String")
    def get_day_name(self, day: EnumValue) -> str:
        return timeformat.DAYS[day.value]


@net_type("System.Globalization.CultureInfo", interfaces=("IFormatProvider", "ICloneable"))
class CultureInfo(NetObject):
    def __init__(self, name: str = "en-US") -> None:
        found = _KNOWN.get(name.lower())
        if found is None:
            if not all(part.isalnum() for part in name.split("-")) or len(name.split("-")[0]) > 3:
                raise NetException(
                    "System.Globalization.CultureNotFoundException",
                    f"Culture is not supported.\r\nParameter name: name\r\n{name} is an invalid culture identifier.",
                    ParamName="name",
                    InvalidCultureName=name,
                )
            raise LabUnsupported(f"the culture '{name}'")
        self.culture = found
        self.lcid, self.english, self.windows_name, self.date_info, self.number_info = _CULTURES[found]

    def __str__(self) -> str:
        return self.culture

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CultureInfo) and other.culture == self.culture

    def __hash__(self) -> int:
        return hash(self.culture)

    @ctor("(String)")
    @ctor("(String,Boolean)")
    def new(self, name: str, override: bool = True) -> None:
        self.__init__(need(name, "name"))

    @ctor("(Int32)")
    @ctor("(Int32,Boolean)")
    def new_lcid(self, lcid: int, override: bool = True) -> None:
        name = next((key for key, entry in _CULTURES.items() if entry[0] == lcid), None)
        if name is None:
            raise LabUnsupported(f"the culture {lcid}")
        self.__init__(name)

    def _set_current(value: CultureInfo) -> None:
        if value.culture not in ("en-US", ""):
            raise LabUnsupported("setting the current culture to anything but en-US")

    @static_prop("CurrentCulture : Globalization.CultureInfo", setter=_set_current)
    @static_prop("CurrentUICulture : Globalization.CultureInfo", setter=_set_current)
    @static_prop("InstalledUICulture : Globalization.CultureInfo get")
    def current_culture() -> CultureInfo:
        return CultureInfo("en-US")

    @static_prop("InvariantCulture : Globalization.CultureInfo get")
    def invariant_culture() -> CultureInfo:
        return CultureInfo("")

    @prop("Name : String get")
    def name(self) -> str:
        return self.culture

    @prop("DisplayName : String get")
    def display_name(self) -> str:
        return self.english

    @prop("EnglishName : String get")
    def english_name(self) -> str:
        return self.english

    @prop("NativeName : String get")
    def native_name(self) -> str:
        return self.english

    @prop("IetfLanguageTag : String get")
    def ietf_language_tag(self) -> str:
        return self.culture

    @prop("LCID : Int32 get")
    def get_lcid(self) -> int:
        return self.lcid

    @prop("KeyboardLayoutId : Int32 get")
    def keyboard_layout_id(self) -> int:
        return self.lcid

    @prop("IsNeutralCulture : Boolean get")
    def is_neutral_culture(self) -> bool:
        return self.culture == "en"

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self) -> bool:
        return True

    @prop("Parent : Globalization.CultureInfo get")
    def parent(self) -> CultureInfo:
        return CultureInfo("en" if "-" in self.culture else "")

    @prop("TwoLetterISOLanguageName : String get")
    def two_letter(self) -> str:
        return "en" if self.culture else "iv"

    @prop("ThreeLetterISOLanguageName : String get")
    def three_letter(self) -> str:
        return "eng" if self.culture else "ivl"

    @prop("ThreeLetterWindowsLanguageName : String get")
    def three_letter_windows(self) -> str:
        return self.windows_name

    @prop("UseUserOverride : Boolean get")
    def use_user_override(self) -> bool:
        return False

    @prop("NumberFormat : Globalization.NumberFormatInfo")
    def number_format(self) -> NumberFormatInfo:
        return NumberFormatInfo(self.number_info)

    @prop("DateTimeFormat : Globalization.DateTimeFormatInfo")
    def date_time_format(self) -> DateTimeFormatInfo:
        return DateTimeFormatInfo(self.date_info)

    @prop("TextInfo : Globalization.TextInfo get")
    def text_info(self) -> TextInfo:
        return TextInfo(self)

    @prop("CompareInfo : Globalization.CompareInfo get")
    def compare_info(self) -> CompareInfo:
        return CompareInfo(self)

    @method("Clone() : Object")
    def clone(self) -> CultureInfo:
        return CultureInfo(self.culture)

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(self.culture)

    @static("GetCultureInfo(String) : Globalization.CultureInfo")
    @static("CreateSpecificCulture(String) : Globalization.CultureInfo")
    @static("GetCultureInfoByIetfLanguageTag(String) : Globalization.CultureInfo")
    def get_culture_info(name: str) -> CultureInfo:
        return CultureInfo(need(name, "name"))

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.culture


@net_type("System.Globalization.TextInfo")
class TextInfo(NetObject):
    def __init__(self, culture: CultureInfo) -> None:
        self.culture = culture

    @prop("ANSICodePage : Int32 get")
    def ansi_code_page(self) -> int:
        return 1252

    @prop("OEMCodePage : Int32 get")
    def oem_code_page(self) -> int:
        return 437

    @prop("CultureName : String get")
    def culture_name(self) -> str:
        return self.culture.culture

    @prop("LCID : Int32 get")
    def lcid(self) -> int:
        return self.culture.lcid

    @prop("ListSeparator : String")
    def list_separator(self) -> str:
        return ","

    @overloads("System.Globalization.TextInfo", "ToLower")
    def to_lower(self, text: str) -> str:
        return Char(lower(text)) if isinstance(text, Char) else lower(need(text, "str"))

    @overloads("System.Globalization.TextInfo", "ToUpper")
    def to_upper(self, text: str) -> str:
        return Char(upper(text)) if isinstance(text, Char) else upper(need(text, "str"))

    @method("ToTitleCase(String) : String")
    def to_title_case(self, text: str) -> str:
        import re

        def title(found: re.Match[str]) -> str:
            word = found.group()
            return word if word.isupper() and len(word) > 1 else word[0].upper() + word[1:].lower()

        return re.sub(r"[^\W\d_][\w']*", title, need(text, "str"))


@net_type("System.Globalization.CompareInfo")
class CompareInfo(NetObject):
    def __init__(self, culture: CultureInfo) -> None:
        self.culture = culture

    @prop("Name : String get")
    def name(self) -> str:
        return self.culture.culture

    @method("Compare(String,String) : Int32")
    @method("Compare(String,String,Globalization.CompareOptions) : Int32")
    def compare(self, left: str | None, right: str | None, options: EnumValue | None = None) -> int:
        flags = options.value if options is not None else 0
        if flags & 0x40000000:
            return ordinal_compare(left, right)
        if flags & 0x10000000:
            return ordinal_compare(left, right, True)
        return culture_compare(left, right, bool(flags & 1))


def current() -> Any:
    """The culture of the running thread."""
    context.current()
    return CultureInfo("en-US")
