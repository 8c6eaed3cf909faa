"""System.String, System.Char, StringComparer and System.Text.StringBuilder."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from winlab.powershell.errors import NetException
from winlab.powershell.objects import Char, EnumValue, NetObject, PSArray

from .core import ctor, indexer, method, net_type, prop, static, static_prop
from .declare import argument, argument_null, format_exception, index_out_of_range, need, out_of_range, overloads
from .values import culture_compare, format_composite, net_hash, net_string, ordinal_compare

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_COUNT = "Count must be positive and count must refer to a location within the string/array/collection."


def upper(text: str) -> str:
    """Upper case character by character: the length never changes (``ß`` stays)."""
    if text.isascii():
        return text.upper()
    return "".join(char.upper() if len(char.upper()) == 1 else char for char in text)


def lower(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def split_options(arguments: tuple[Any, ...]) -> tuple[Any, int, bool]:
    """`(separator, count, remove empty)` of the Split overloads; count -1 means all."""
    separator, count, remove = arguments[0], -1, False
    for item in arguments[1:]:
        if isinstance(item, EnumValue):
            remove = item.value == 1
        else:
            count = int(item)
            if count < 0:
                raise out_of_range("count", "Count cannot be less than zero.")
    return separator, count, remove


def split_text(text: str, separators: list[str], count: int, remove: bool) -> list[str]:
    """`String.Split`: by any of the separators, the earliest and then the first listed one."""
    if count == 0 or (remove and not text):
        return []
    if count == 1:
        return [text]
    chars = {separator for separator in separators if len(separator) == 1}
    only_chars = len(chars) == len([separator for separator in separators if separator])
    pieces: list[tuple[int, int]] = []
    position = 0
    while position < len(text):
        length = 0
        if only_chars:
            length = 1 if text[position] in chars else 0
        else:
            for separator in separators:
                if separator and text.startswith(separator, position):
                    length = len(separator)
                    break
        if length:
            pieces.append((position, length))
            position += length
        else:
            position += 1
    out: list[str] = []
    start = 0
    for index, (at, length) in enumerate(pieces):
        piece = text[start:at]
        if piece or not remove:
            if count > 0 and len(out) == count - 1:
                # the last piece takes the rest; with RemoveEmptyEntries it starts at the next text that is not empty
                break
            out.append(piece)
        start = at + length
        if remove and count > 0 and len(out) == count - 1:
            following = index + 1
            while following < len(pieces) and pieces[following][0] == start:
                start += pieces[following][1]
                following += 1
            break
    rest = text[start:]
    if rest or not remove:
        out.append(rest)
    return out


def _comparison(value: Any) -> tuple[bool, bool]:
    """`(ordinal, ignore case)` of a StringComparison."""
    number = value.value
    if not 0 <= number <= 5:
        raise argument("The string comparison type passed in is currently not supported.", "comparisonType")
    return number >= 4, bool(number & 1)


def _find(text: str, value: str, start: int, end: int, ignore: bool) -> int:
    if ignore:
        return lower(text).find(lower(value), start, end)
    return text.find(value, start, end)


def _index_arguments(arguments: tuple[Any, ...]) -> tuple[Any, list[int], bool]:
    value = arguments[0]
    numbers: list[int] = []
    ignore = False
    for item in arguments[1:]:
        if isinstance(item, EnumValue):
            ignore = _comparison(item)[1]
        else:
            numbers.append(int(item))
    return value, numbers, ignore


@net_type(
    "System.String",
    python=str,
    interfaces=(
        "IComparable",
        "Collections.IEnumerable",
        "ICloneable",
        "IConvertible",
        "Collections.Generic.IEnumerable`1<Char>",
    ),
)
class String:
    """System.String: `self` is a str."""

    @ctor("(Char[],Int32,Int32)")
    def from_part(value: Any, start: int, length: int) -> str:
        need(value, "value")
        if start < 0:
            raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
        if length < 0:
            raise out_of_range("length", "Length cannot be less than zero.")
        if start > len(value) - length:
            raise out_of_range(
                "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection."
            )
        return "".join(value[start : start + length])

    @ctor("(Char[])")
    def from_chars(value: Any) -> str:
        return "".join(value or ())

    @ctor("(Char,Int32)")
    def repeated(char: str, count: int) -> str:
        if count < 0:
            raise out_of_range("count", "'count' must be non-negative.")
        return str(char) * count

    @prop("Length : Int32 get")
    def length(self: str) -> int:
        return len(self)

    @indexer("Chars[Int32] : Char")
    def chars(self: str, index: int) -> Char:
        if not 0 <= index < len(self):
            raise NetException("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
        return Char(self[index])

    @static_prop("Empty : String")
    def empty() -> str:
        return ""

    @method("Clone() : Object")
    def clone(self: str) -> str:
        return self

    @overloads("System.String", "Compare")
    def compare(*arguments: Any) -> int:
        rest = list(arguments)
        if len(rest) > 2 and type(rest[1]) is int:
            left, start, right, other, length = rest[:5]
            if length < 0:
                raise out_of_range("length", "Length cannot be less than zero.")
            if start < 0 or other < 0:
                raise out_of_range(
                    "indexA" if start < 0 else "indexB",
                    "Index was out of range. Must be non-negative and less than the size of the collection.",
                )
            left = None if left is None else left[start : start + length]
            right = None if right is None else right[other : other + length]
            rest = rest[5:]
        else:
            left, right = rest[:2]
            rest = rest[2:]
        for item in rest:
            if isinstance(item, EnumValue):
                if item.net_type.name == "StringComparison":
                    ordinal, ignore = _comparison(item)
                    return ordinal_compare(left, right, ignore) if ordinal else culture_compare(left, right, ignore)
                if item.value & 0x40000000:
                    return ordinal_compare(left, right)
                if item.value & 0x10000000:
                    return ordinal_compare(left, right, True)
                return culture_compare(left, right, bool(item.value & 1))
            if isinstance(item, bool):
                return culture_compare(left, right, item)
        return culture_compare(left, right)

    @overloads("System.String", "CompareOrdinal")
    def compare_ordinal(*arguments: Any) -> int:
        if len(arguments) == 2:
            return ordinal_compare(arguments[0], arguments[1])
        left, start, right, other, length = arguments
        return ordinal_compare(left[start : start + length], right[other : other + length])

    @method("CompareTo(String) : Int32")
    def compare_to(self: str, other: str | None) -> int:
        return culture_compare(self, other)

    @method("CompareTo(Object) : Int32")
    def compare_to_object(self: str, other: Any) -> int:
        if other is not None and not isinstance(other, str):
            raise argument("Object must be of type String.")
        return culture_compare(self, other)

    @overloads("System.String", "Concat", params=True)
    def concat(*values: Any) -> str:
        if (
            len(values) == 1
            and values[0] is not None
            and not isinstance(values[0], str)
            and hasattr(values[0], "__iter__")
        ):
            values = tuple(values[0])
        return "".join(net_string(value) for value in values)

    @method("Contains(String) : Boolean")
    def contains(self: str, value: str) -> bool:
        return need(value, "value") in self

    @static("Copy(String) : String")
    def copy(text: str) -> str:
        return need(text, "str")

    @method("CopyTo(Int32,Char[],Int32,Int32) : Void")
    def copy_to(self: str, start: int, target: Any, index: int, count: int) -> None:
        need(target, "destination")
        if count < 0 or start < 0 or count > len(self) - start or index < 0 or index > len(target) - count:
            raise out_of_range("count", "Index and count must refer to a location within the string.")
        for offset in range(count):
            target[index + offset] = Char(self[start + offset])

    @overloads("System.String", "Equals", skip=("String,String)", "String,String,"))
    def equals(self: str, other: Any, comparison: Any = None) -> bool:
        if not isinstance(other, str) or isinstance(other, Char):
            return False
        if comparison is None:
            return str(self) == other
        ordinal, ignore = _comparison(comparison)
        return (ordinal_compare if ordinal else culture_compare)(self, other, ignore) == 0

    @static("Equals(String,String) : Boolean")
    def equal_texts(left: str | None, right: str | None) -> bool:
        return left == right

    @static("Equals(String,String,StringComparison) : Boolean")
    def equal_texts_as(left: str | None, right: str | None, comparison: Any) -> bool:
        ordinal, ignore = _comparison(comparison)
        return (ordinal_compare if ordinal else culture_compare)(left, right, ignore) == 0

    @overloads("System.String", "Format", params=True, skip=("IFormatProvider",))
    def format(template: str, *arguments: Any) -> str:
        need(template, "format")
        return format_composite(template, _flat(arguments))

    @overloads("System.String", "Format", params=True, only="IFormatProvider")
    def format_with(provider: Any, template: str, *arguments: Any) -> str:
        need(template, "format")
        return format_composite(template, _flat(arguments), provider)

    @method("GetEnumerator() : CharEnumerator")
    def get_enumerator(self: str) -> CharEnumerator:
        return CharEnumerator(self)

    @method("GetHashCode() : Int32")
    def get_hash_code(self: str) -> int:
        return net_hash(str(self))

    @method("GetTypeCode() : TypeCode")
    def get_type_code(self: str) -> int:
        return 18

    @overloads("System.String", "IndexOf")
    def index_of(self: str, *arguments: Any) -> int:
        value, numbers, ignore = _index_arguments(arguments)
        need(value, "value")
        start = numbers[0] if numbers else 0
        if not 0 <= start <= len(self):
            raise index_out_of_range("startIndex")
        end = len(self)
        if len(numbers) > 1:
            if numbers[1] < 0 or start > len(self) - numbers[1]:
                raise out_of_range("count", _COUNT)
            end = start + numbers[1]
        return _find(str(self), str(value), start, end, ignore)

    @overloads("System.String", "LastIndexOf")
    def last_index_of(self: str, *arguments: Any) -> int:
        value, numbers, ignore = _index_arguments(arguments)
        need(value, "value")
        text, value = str(self), str(value)
        if not text:
            return 0 if not value else -1
        start = numbers[0] if numbers else len(text) - 1
        if not -1 <= start <= len(text):
            raise index_out_of_range("startIndex")
        start = min(start, len(text) - 1)
        low = 0
        if len(numbers) > 1:
            low = start - numbers[1] + 1
            if numbers[1] < 0 or low < 0:
                raise out_of_range("count", _COUNT)
        if not value:
            return start
        if ignore:
            text, value = lower(text), lower(value)
        return text.rfind(value, low, start + 1)

    @overloads("System.String", "IndexOfAny")
    def index_of_any(self: str, chars: Any, start: int = 0, count: int | None = None) -> int:
        need(chars, "anyOf")
        if not 0 <= start <= len(self):
            raise index_out_of_range("startIndex")
        end = len(self) if count is None else start + count
        if end > len(self) or end < start:
            raise out_of_range("count", _COUNT)
        wanted = {str(char) for char in chars}
        return next((index for index in range(start, end) if self[index] in wanted), -1)

    @overloads("System.String", "LastIndexOfAny")
    def last_index_of_any(self: str, chars: Any, start: int | None = None, count: int | None = None) -> int:
        need(chars, "anyOf")
        if not self:
            return -1
        start = len(self) - 1 if start is None else start
        if not 0 <= start < len(self):
            raise index_out_of_range("startIndex")
        low = 0 if count is None else start - count + 1
        if low < 0:
            raise out_of_range("count", _COUNT)
        wanted = {str(char) for char in chars}
        return next((index for index in range(start, low - 1, -1) if self[index] in wanted), -1)

    @method("Insert(Int32,String) : String")
    def insert(self: str, start: int, value: str) -> str:
        need(value, "value")
        if not 0 <= start <= len(self):
            raise out_of_range("startIndex")
        return self[:start] + value + self[start:]

    @static("Intern(String) : String")
    def intern(text: str) -> str:
        return need(text, "str")

    @static("IsInterned(String) : String")
    def is_interned(text: str) -> str:
        return need(text, "str")

    @overloads("System.String", "IsNormalized")
    def is_normalized(self: str, form: Any = None) -> bool:
        return unicodedata.is_normalized(_form(form), str(self))

    @static("IsNullOrEmpty(String) : Boolean")
    def is_null_or_empty(value: str | None) -> bool:
        return not value

    @static("IsNullOrWhiteSpace(String) : Boolean")
    def is_null_or_white_space(value: str | None) -> bool:
        return value is None or not value.strip(WHITE_SPACE)

    @overloads("System.String", "Join", params=True, skip=("Int32,Int32",))
    def join(separator: str | None, *values: Any) -> str:
        if (
            len(values) == 1
            and values[0] is not None
            and not isinstance(values[0], str)
            and hasattr(values[0], "__iter__")
        ):
            items = list(values[0])
        elif len(values) == 1 and values[0] is None:
            raise argument_null("values")
        else:
            items = list(values)
        return (separator or "").join(net_string(item) for item in items)

    @static("Join(String,String[],Int32,Int32) : String")
    def join_part(separator: str | None, values: Any, start: int, count: int) -> str:
        need(values, "value")
        if start < 0:
            raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
        if count < 0:
            raise out_of_range("count", "Count cannot be less than zero.")
        if start > len(values) - count:
            raise out_of_range("startIndex", "Index and count must refer to a location within the buffer.")
        return (separator or "").join(item or "" for item in values[start : start + count])

    @overloads("System.String", "Normalize")
    def normalize(self: str, form: Any = None) -> str:
        return unicodedata.normalize(_form(form), str(self))

    @overloads("System.String", "PadLeft")
    def pad_left(self: str, width: int, char: str = " ") -> str:
        if width < 0:
            raise out_of_range("totalWidth", "Non-negative number required.")
        return str(self).rjust(width, char)

    @overloads("System.String", "PadRight")
    def pad_right(self: str, width: int, char: str = " ") -> str:
        if width < 0:
            raise out_of_range("totalWidth", "Non-negative number required.")
        return str(self).ljust(width, char)

    @method("Remove(Int32) : String")
    def remove_from(self: str, start: int) -> str:
        if start < 0:
            raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
        if start >= len(self):
            raise out_of_range("startIndex", "startIndex must be less than length of string.")
        return self[:start]

    @method("Remove(Int32,Int32) : String")
    def remove_part(self: str, start: int, count: int) -> str:
        if start < 0:
            raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
        if count < 0:
            raise out_of_range("count", "Count cannot be less than zero.")
        if count > len(self) - start:
            raise out_of_range("count", "Index and count must refer to a location within the string.")
        return self[:start] + self[start + count :]

    @method("Replace(Char,Char) : String")
    def replace_char(self: str, old: str, new: str) -> str:
        return str(self).replace(old, new)

    @method("Replace(String,String) : String")
    def replace(self: str, old: str, new: str | None) -> str:
        if not need(old, "oldValue"):
            raise argument("String cannot be of zero length.", "oldValue")
        return str(self).replace(old, new or "")

    @method("Split(Char[]) : String[]", params=True)
    @method("Split(Char[],Int32) : String[]")
    @method("Split(Char[],StringSplitOptions) : String[]")
    @method("Split(Char[],Int32,StringSplitOptions) : String[]")
    @method("Split(String[],StringSplitOptions) : String[]")
    @method("Split(String[],Int32,StringSplitOptions) : String[]")
    def split(self: str, *arguments: Any) -> list[str]:
        separator, count, remove = split_options(arguments)
        listed = [str(item) for item in separator or () if item]
        return split_text(str(self), listed or list(WHITE_SPACE), count, remove)

    @method("Substring(Int32) : String")
    def substring_from(self: str, start: int) -> str:
        return substring(str(self), start, len(self) - start)

    @method("Substring(Int32,Int32) : String")
    def substring_part(self: str, start: int, length: int) -> str:
        return substring(str(self), start, length)

    @overloads("System.String", "ToCharArray")
    def to_char_array(self: str, start: int = 0, length: int | None = None) -> list[Char]:
        if length is None:
            length = len(self) - start
        if start < 0 or length < 0 or start > len(self) - length:
            raise index_out_of_range("startIndex")
        return [Char(char) for char in self[start : start + length]]

    @overloads("System.String", "ToLower", "ToLowerInvariant")
    def to_lower(self: str, culture: Any = None) -> str:
        return lower(str(self))

    @overloads("System.String", "ToUpper", "ToUpperInvariant")
    def to_upper(self: str, culture: Any = None) -> str:
        return upper(str(self))

    @overloads("System.String", "ToString")
    def to_string(self: str, provider: Any = None) -> str:
        return str(self)

    @method("Trim() : String")
    @method("Trim(Char[]) : String", params=True)
    def trim(self: str, chars: Any = None) -> str:
        return str(self).strip(_trim_set(chars))

    @method("TrimStart(Char[]) : String", params=True)
    def trim_start(self: str, chars: Any = None) -> str:
        return str(self).lstrip(_trim_set(chars))

    @method("TrimEnd(Char[]) : String", params=True)
    def trim_end(self: str, chars: Any = None) -> str:
        return str(self).rstrip(_trim_set(chars))

    @overloads("System.String", "StartsWith")
    def starts_with(self: str, value: str, *more: Any) -> bool:
        need(value, "value")
        if _ignores_case(more):
            return lower(str(self)).startswith(lower(value))
        return str(self).startswith(value)

    @overloads("System.String", "EndsWith")
    def ends_with(self: str, value: str, *more: Any) -> bool:
        need(value, "value")
        if _ignores_case(more):
            return lower(str(self)).endswith(lower(value))
        return str(self).endswith(value)


def _ignores_case(arguments: tuple[Any, ...]) -> bool:
    for item in arguments:
        if isinstance(item, EnumValue):
            return _comparison(item)[1]
        if isinstance(item, bool):
            return item
    return False


def _flat(arguments: tuple[Any, ...]) -> list[Any]:
    """The arguments of Format, also when they came as one array."""
    if len(arguments) == 1 and isinstance(arguments[0], PSArray) and arguments[0].is_object_array:
        return list(arguments[0])
    if len(arguments) == 1 and arguments[0] is None:
        return [None]
    return list(arguments)


def _form(form: Any) -> Any:
    return {1: "NFC", 2: "NFD", 5: "NFKC", 6: "NFKD"}[form.value if form is not None else 1]


def _trim_set(chars: Any) -> str:
    return "".join(chars) if chars else WHITE_SPACE


def substring(text: str, start: int, length: int) -> str:
    if start < 0:
        raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
    if start > len(text):
        raise out_of_range("startIndex", "startIndex cannot be larger than length of string.")
    if length < 0:
        raise out_of_range("length", "Length cannot be less than zero.")
    if start > len(text) - length:
        raise out_of_range("length", "Index and length must refer to a location within the string.")
    return text[start : start + length]


@net_type("System.CharEnumerator", interfaces=("Collections.IEnumerator", "IDisposable"))
class CharEnumerator(NetObject):
    def __init__(self, text: str) -> None:
        self.text = text
        self.index = -1

    def __iter__(self) -> Iterator[Char]:
        while self.move_next():
            yield Char(self.text[self.index])

    @prop("Current : Char get")
    def current(self) -> Char:
        if not 0 <= self.index < len(self.text):
            raise NetException("System.InvalidOperationException", "Enumeration has not started. Call MoveNext.")
        return Char(self.text[self.index])

    @method("MoveNext() : Boolean")
    def move_next(self) -> bool:
        self.index = min(self.index + 1, len(self.text))
        return self.index < len(self.text)

    @method("Reset() : Void")
    def reset(self) -> None:
        self.index = -1

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass

    @method("Clone() : Object")
    def clone(self) -> CharEnumerator:
        made = CharEnumerator(self.text)
        made.index = self.index
        return made


# ------------------------------------------------------------------------------------------------------------ Char

_CATEGORIES = {
    name: number
    for number, name in enumerate(
        [
            "Lu",
            "Ll",
            "Lt",
            "Lm",
            "Lo",
            "Mn",
            "Mc",
            "Me",
            "Nd",
            "Nl",
            "No",
            "Zs",
            "Zl",
            "Zp",
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Pc",
            "Pd",
            "Ps",
            "Pe",
            "Pi",
            "Pf",
            "Po",
            "Sm",
            "Sc",
            "Sk",
            "So",
            "Cn",
        ]
    )
}


def _one(arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 2:
        text, index = arguments
        need(text, "s")
        if not 0 <= index < len(text):
            raise out_of_range("index")
        return str(text[index])
    return str(arguments[0])


def _is(*prefixes: str) -> Any:
    def test(*arguments: Any) -> bool:
        return unicodedata.category(_one(arguments)).startswith(prefixes)

    return test


@net_type("System.Char", python=Char, interfaces=("IComparable", "IConvertible"))
class CharType:
    """System.Char: `self` is a Char."""

    @static_prop("MaxValue : Char")
    def max_value() -> Char:
        return Char("\uffff")

    @static_prop("MinValue : Char")
    def min_value() -> Char:
        return Char("\0")

    @overloads("System.Char", "CompareTo")
    def compare_to(self: str, other: Any) -> int:
        if other is None:
            return 1
        if not isinstance(other, Char):
            raise argument("Object must be of type Char.")
        return ord(self) - ord(other)

    @static("ConvertFromUtf32(Int32) : String")
    def from_utf32(code: int) -> str:
        if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise out_of_range(
                "utf32",
                "A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and should not include surrogate codepoint "
                "values (0x00d800 ~ 0x00dfff).",
            )
        return chr(code)

    @overloads("System.Char", "ConvertToUtf32")
    def to_utf32(first: Any, second: Any) -> int:
        if isinstance(first, Char):
            pair = (first + second).encode("utf-16-le", "surrogatepass")
            try:
                return ord(pair.decode("utf-16-le"))
            except (UnicodeDecodeError, TypeError):
                raise out_of_range(
                    "highSurrogate", "A valid high surrogate character is between 0xd800 and 0xdbff, inclusive."
                ) from None
        if not 0 <= second < len(first):
            raise index_out_of_range()
        return ord(first[second])

    @overloads("System.Char", "Equals")
    def equals(self: str, other: Any) -> bool:
        return isinstance(other, Char) and str(self) == str(other)

    @method("GetHashCode() : Int32")
    def get_hash_code(self: str) -> int:
        return ord(self) | (ord(self) << 16)

    @method("GetTypeCode() : TypeCode")
    def get_type_code(self: str) -> int:
        return 4

    @overloads("System.Char", "GetNumericValue")
    def get_numeric_value(*arguments: Any) -> float:
        return float(unicodedata.numeric(_one(arguments), -1.0))

    @overloads("System.Char", "GetUnicodeCategory")
    def get_unicode_category(*arguments: Any) -> int:
        return _CATEGORIES[unicodedata.category(_one(arguments))]

    is_control = overloads("System.Char", "IsControl")(_is("Cc"))
    is_digit = overloads("System.Char", "IsDigit")(_is("Nd"))
    is_letter = overloads("System.Char", "IsLetter")(_is("L"))
    is_letter_or_digit = overloads("System.Char", "IsLetterOrDigit")(_is("L", "Nd"))
    is_lower = overloads("System.Char", "IsLower")(_is("Ll"))
    is_number = overloads("System.Char", "IsNumber")(_is("N"))
    is_punctuation = overloads("System.Char", "IsPunctuation")(_is("P"))
    is_separator = overloads("System.Char", "IsSeparator")(_is("Z"))
    is_symbol = overloads("System.Char", "IsSymbol")(_is("S"))
    is_upper = overloads("System.Char", "IsUpper")(_is("Lu"))
    is_surrogate = overloads("System.Char", "IsSurrogate")(_is("Cs"))

    @overloads("System.Char", "IsHighSurrogate")
    def is_high(*arguments: Any) -> bool:
        return "\ud800" <= _one(arguments) <= "\udbff"

    @overloads("System.Char", "IsLowSurrogate")
    def is_low(*arguments: Any) -> bool:
        return "\udc00" <= _one(arguments) <= "\udfff"

    @overloads("System.Char", "IsWhiteSpace")
    def is_white_space(*arguments: Any) -> bool:
        return _one(arguments) in WHITE_SPACE

    @static("Parse(String) : Char")
    def parse(text: str) -> Char:
        need(text, "s")
        if len(text) != 1:
            raise format_exception("String must be exactly one character long.")
        return Char(text)

    @static("TryParse(String,Char&) : Boolean")
    def try_parse(text: str | None, result: Any) -> bool:
        good = text is not None and len(text) == 1
        result.value = Char(text) if good and text is not None else Char("\0")
        return good

    @overloads("System.Char", "ToLower", "ToLowerInvariant")
    def to_lower(char: str, culture: Any = None) -> Char:
        return Char(lower(str(char)))

    @overloads("System.Char", "ToUpper", "ToUpperInvariant")
    def to_upper(char: str, culture: Any = None) -> Char:
        return Char(upper(str(char)))

    @overloads("System.Char", "ToString")
    def to_string(self: str, provider: Any = None) -> str:
        return str(self)


# ------------------------------------------------------------------------------------------------------------ StringComparer


@net_type(
    "System.StringComparer",
    interfaces=(
        "Collections.IComparer",
        "Collections.IEqualityComparer",
        "Collections.Generic.IComparer`1<String>",
        "Collections.Generic.IEqualityComparer`1<String>",
    ),
)
class StringComparer(NetObject):
    def __init__(self, ordinal: bool, ignore_case: bool) -> None:
        self.ordinal = ordinal
        self.ignore_case = ignore_case

    @static_prop("CurrentCulture : StringComparer get")
    def current_culture() -> StringComparer:
        return StringComparer(False, False)

    @static_prop("CurrentCultureIgnoreCase : StringComparer get")
    def current_culture_ignore_case() -> StringComparer:
        return StringComparer(False, True)

    @static_prop("InvariantCulture : StringComparer get")
    def invariant_culture() -> StringComparer:
        return StringComparer(False, False)

    @static_prop("InvariantCultureIgnoreCase : StringComparer get")
    def invariant_culture_ignore_case() -> StringComparer:
        return StringComparer(False, True)

    @static_prop("Ordinal : StringComparer get")
    def ordinal_comparer() -> StringComparer:
        return StringComparer(True, False)

    @static_prop("OrdinalIgnoreCase : StringComparer get")
    def ordinal_ignore_case() -> StringComparer:
        return StringComparer(True, True)

    @static("Create(Globalization.CultureInfo,Boolean) : StringComparer")
    def create(culture: Any, ignore_case: bool) -> StringComparer:
        return StringComparer(False, ignore_case)

    @overloads("System.StringComparer", "Compare")
    def compare(self, left: Any, right: Any) -> int:
        return (ordinal_compare if self.ordinal else culture_compare)(left, right, self.ignore_case)

    @overloads("System.StringComparer", "Equals")
    def equals(self, left: Any, right: Any) -> bool:
        return bool(self.compare(left, right) == 0)

    @overloads("System.StringComparer", "GetHashCode")
    def get_hash_code(self, value: Any) -> int:
        return net_hash(upper(value) if self.ignore_case and isinstance(value, str) else value)


# ------------------------------------------------------------------------------------------------------------ StringBuilder


@net_type("System.Text.StringBuilder")
class StringBuilder(NetObject):
    def __init__(self, text: str = "", capacity: int = 16) -> None:
        self.parts: list[str] = [text] if text else []
        self.cap = max(capacity, len(text), 16)
        self.maximum = 0x7FFFFFFF

    @property
    def text(self) -> str:
        if len(self.parts) > 1:
            self.parts = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    @text.setter
    def text(self, value: str) -> None:
        self.parts = [value] if value else []

    def __str__(self) -> str:
        return self.text

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @ctor("(Int32)")
    def new_capacity(self, capacity: int) -> None:
        if capacity < 0:
            raise out_of_range("capacity", "'capacity' must be greater than zero.")
        self.__init__("", capacity)

    @ctor("(Int32,Int32)")
    def new_limited(self, capacity: int, maximum: int) -> None:
        self.__init__("", capacity)
        self.maximum = maximum

    @ctor("(String)")
    def new_text(self, text: str | None) -> None:
        self.__init__(text or "")

    @ctor("(String,Int32)")
    def new_text_capacity(self, text: str | None, capacity: int) -> None:
        self.__init__(text or "", capacity)

    @ctor("(String,Int32,Int32,Int32)")
    def new_part(self, text: str | None, start: int, length: int, capacity: int) -> None:
        self.__init__(substring(text or "", start, length), capacity)

    @prop("Length : Int32 get set")
    def length(self) -> int:
        return len(self.text)

    @length.setter
    def length(self, value: int) -> None:
        if value < 0:
            raise out_of_range("value", "Length cannot be less than zero.")
        self.text = self.text[:value].ljust(value, "\0")

    @prop("Capacity : Int32 get set")
    def capacity(self) -> int:
        size = len(self.text)
        while self.cap < size:
            self.cap *= 2
        return self.cap

    @capacity.setter
    def capacity(self, value: int) -> None:
        if value < len(self.text):
            raise out_of_range("value", "capacity was less than the current size.")
        self.cap = value

    @prop("MaxCapacity : Int32 get")
    def max_capacity(self) -> int:
        return self.maximum

    @method("EnsureCapacity(Int32) : Int32")
    def ensure_capacity(self, value: int) -> int:
        self.cap = max(self.cap, value)
        return self.cap

    @indexer("Chars[Int32] : Char", setter="set_char")
    def get_char(self, index: int) -> Char:
        if not 0 <= index < len(self.text):
            raise NetException("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
        return Char(self.text[index])

    def set_char(self, index: int, value: str) -> None:
        text = self.text
        if not 0 <= index < len(text):
            raise index_out_of_range()
        self.text = text[:index] + str(value) + text[index + 1 :]

    def _add(self, text: str) -> StringBuilder:
        if text:
            self.parts.append(text)
        return self

    @overloads("System.Text.StringBuilder", "Append", skip=("Char,Int32", "Char[],Int32", "String,Int32"))
    def append(self, value: Any) -> StringBuilder:
        if isinstance(value, PSArray) and value.element_type.full_name == "System.Char":
            return self._add("".join(value))
        return self._add(net_string(value))

    @method("Append(Char,Int32) : Text.StringBuilder")
    def append_repeated(self, char: str, count: int) -> StringBuilder:
        if count < 0:
            raise out_of_range("repeatCount", "Count cannot be less than zero.")
        return self._add(str(char) * count)

    @method("Append(Char[],Int32,Int32) : Text.StringBuilder")
    @method("Append(String,Int32,Int32) : Text.StringBuilder")
    def append_part(self, value: Any, start: int, count: int) -> StringBuilder:
        text = "".join(value or ())
        if start < 0 or count < 0 or start > len(text) - count:
            raise index_out_of_range("startIndex")
        return self._add(text[start : start + count])

    @overloads("System.Text.StringBuilder", "AppendLine")
    def append_line(self, value: str | None = None) -> StringBuilder:
        return self._add((value or "") + "\r\n")

    @overloads("System.Text.StringBuilder", "AppendFormat", params=True, skip=("IFormatProvider",))
    def append_format(self, template: str, *arguments: Any) -> StringBuilder:
        return self._add(format_composite(need(template, "format"), _flat(arguments)))

    @overloads("System.Text.StringBuilder", "AppendFormat", params=True, only="IFormatProvider")
    def append_format_with(self, provider: Any, template: str, *arguments: Any) -> StringBuilder:
        return self._add(format_composite(need(template, "format"), _flat(arguments), provider))

    @method("Clear() : Text.StringBuilder")
    def clear(self) -> StringBuilder:
        self.parts = []
        return self

    @method("CopyTo(Int32,Char[],Int32,Int32) : Void")
    def copy_to(self, start: int, target: Any, index: int, count: int) -> None:
        for offset, char in enumerate(self.text[start : start + count]):
            target[index + offset] = Char(char)

    @method("Equals(Text.StringBuilder) : Boolean")
    def equals(self, other: Any) -> bool:
        return isinstance(other, StringBuilder) and other.text == self.text

    @overloads("System.Text.StringBuilder", "Insert", skip=("Char[],Int32", "String,Int32"))
    def insert(self, index: int, value: Any) -> StringBuilder:
        text = self.text
        if not 0 <= index <= len(text):
            raise index_out_of_range()
        if isinstance(value, PSArray) and value.element_type.full_name == "System.Char":
            added = "".join(value)
        else:
            added = net_string(value)
        self.text = text[:index] + added + text[index:]
        return self

    @method("Insert(Int32,String,Int32) : Text.StringBuilder")
    def insert_repeated(self, index: int, value: str | None, count: int) -> StringBuilder:
        return self.insert(index, (value or "") * count)

    @method("Remove(Int32,Int32) : Text.StringBuilder")
    def remove(self, start: int, count: int) -> StringBuilder:
        text = self.text
        if start < 0:
            raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
        if count < 0:
            raise out_of_range("length", "Length cannot be less than zero.")
        if count > len(text) - start:
            raise index_out_of_range()
        self.text = text[:start] + text[start + count :]
        return self

    @overloads("System.Text.StringBuilder", "Replace")
    def replace(self, old: str, new: str | None, start: int = 0, count: int | None = None) -> StringBuilder:
        if not need(old, "oldValue"):
            raise argument("Empty name is not legal.", "oldValue")
        text = self.text
        end = len(text) if count is None else start + count
        if start < 0 or end > len(text):
            raise index_out_of_range("startIndex")
        self.text = text[:start] + text[start:end].replace(str(old), new or "") + text[end:]
        return self

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.text

    @method("ToString(Int32,Int32) : String")
    def to_string_part(self, start: int, length: int) -> str:
        return substring(self.text, start, length)
