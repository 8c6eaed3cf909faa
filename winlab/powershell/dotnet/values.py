"""What .NET does with any value: ToString, Equals, GetHashCode, CompareTo, composite formatting, and the order of strings."""

from __future__ import annotations

import functools
import unicodedata
from decimal import Decimal
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import (
    BigInteger,
    ByteArray,
    Char,
    EnumValue,
    NetObject,
    PSArray,
    PSCustomObject,
    PSObject,
    Single,
    SizedInt,
    unwrap,
)

from . import numberformat, timeformat
from .core import NetType, type_of
from .declare import argument, argument_null, format_exception, net_errors

_BITS = {"Byte": 8, "SByte": 8, "Int16": 16, "UInt16": 16, "UInt32": 32, "Int64": 64, "UInt64": 64}


def type_text(kind: NetType) -> str:
    """What ToString() of a type gives: ``System.Collections.Generic.List`1[System.String]``."""
    if kind.element_type is not None:
        return f"{type_text(kind.element_type)}[{',' * (kind.rank - 1)}]"
    if kind.definition is not None:
        inner = ",".join(type_text(one) for one in kind.arguments)
        return f"{kind.definition.full_name}[{inner}]"
    if kind.is_generic_definition:
        return f"{kind.full_name}[{','.join(kind.parameter_names)}]"
    return kind.full_name


# ------------------------------------------------------------------------------------------------------------ cultures


def number_info(provider: Any = None) -> numberformat.NumberFormat:
    """The NumberFormat behind an IFormatProvider; null means the current culture (en-US)."""
    if provider is None:
        return numberformat.EN_US
    found = getattr(provider, "number_info", None)
    return found if isinstance(found, numberformat.NumberFormat) else numberformat.EN_US


def date_info(provider: Any = None) -> timeformat.DateFormat:
    """The DateFormat behind an IFormatProvider; null means the current culture (en-US)."""
    if provider is None:
        return timeformat.EN_US
    found = getattr(provider, "date_info", None)
    return found if isinstance(found, timeformat.DateFormat) else timeformat.EN_US


class _Invariant:
    number_info = numberformat.INVARIANT
    date_info = timeformat.INVARIANT


INVARIANT = _Invariant()


# ------------------------------------------------------------------------------------------------------------ ToString


def net_string(value: Any, fmt: str | None = None, provider: Any = None) -> str:
    """``value.ToString(fmt, provider)``; null gives an empty text. Raises FormatException for a format the type does not know."""
    kind = type(value)
    if kind is str or kind is Char:
        return str(value)
    if value is None:
        return ""
    with net_errors():
        if kind is bool:
            return "True" if value else "False"
        if kind is int:
            return numberformat.format_integer(value, fmt, 32, number_info(provider))
        if kind is float:
            return numberformat.format_double(value, fmt, number_info(provider))
        if kind is Decimal:
            return numberformat.format_decimal(value, fmt, number_info(provider))
        if kind is Single:
            return numberformat.format_single(value, fmt, number_info(provider))
        if isinstance(value, BigInteger):
            return numberformat.format_bigint(value, fmt, number_info(provider))
        if isinstance(value, SizedInt):
            return numberformat.format_integer(int(value), fmt, _BITS[kind.__name__], number_info(provider))
        if isinstance(value, EnumValue):
            return enum_string(value, fmt)
        formatter = getattr(value, "format_net", None)
        if formatter is not None:
            return str(formatter(fmt, provider))
    if kind is PSObject:
        return net_string(value.base, fmt, provider)
    if isinstance(value, NetException):
        return exception_string(value)
    if kind is PSCustomObject:
        return ""
    if isinstance(value, NetType):
        return type_text(value)
    if isinstance(value, (PSArray, ByteArray)):
        return type_text(type_of(value))
    if kind.__str__ is not object.__str__:
        return str(value)
    if isinstance(value, NetObject):
        for overload in type_of(value).methods("ToString"):
            if not overload.params and overload.fn is not None and overload.declaring.full_name != "System.Object":
                return str(overload.fn(value))
    return type_text(type_of(value))


def enum_string(value: EnumValue, fmt: str | None = None) -> str:
    """An enum's text: G (name), D (number), X (hexadecimal), F (as flags)."""
    letter = (fmt or "G").upper()
    if letter == "G":
        return value.net_type.enum_text(value.value)
    if letter == "D":
        return str(value.value)
    if letter == "X":
        return f"{value.value & 0xFFFFFFFF:08X}"
    if letter == "F":
        return flags_text(value.net_type, value.value)
    raise format_exception('Format String can be only "G", "g", "X", "x", "F", "f", "D" or "d".')


def flags_text(kind: NetType, number: int) -> str:
    names = []
    rest = number
    for name, bits in sorted(kind.enum_values.items(), key=lambda item: -item[1]):
        if bits == number:
            return name
        if bits and rest & bits == bits:
            names.append(name)
            rest &= ~bits
    return str(number) if rest or not names else ", ".join(reversed(names))


def exception_string(error: NetException) -> str:
    """``Exception.ToString()``: type, message, inner exceptions (there are no stack frames of .NET here)."""
    text = f"{error.type_name}: {error.message}" if error.message else error.type_name
    if error.inner is not None:
        text += f" ---> {exception_string(error.inner)}\r\n   --- End of inner exception stack trace ---"
    if error.stack_trace:
        text += f"\r\n{error.stack_trace}"
    return text


# ------------------------------------------------------------------------------------------------------------ composite formats

BAD_FORMAT = "Input string was not in a correct format."
BAD_INDEX = "Index (zero based) must be greater than or equal to zero and less than the size of the argument list."


def format_composite(template: str, arguments: list[Any], provider: Any = None) -> str:
    """``[string]::Format``: ``{index,alignment:format}`` items filled in."""
    if template is None:
        raise argument_null("format")
    out: list[str] = []
    index, length = 0, len(template)
    while index < length:
        char = template[index]
        index += 1
        if char == "}":
            if template[index : index + 1] != "}":
                raise format_exception(BAD_FORMAT)
            out.append("}")
            index += 1
            continue
        if char != "{":
            out.append(char)
            continue
        if template[index : index + 1] == "{":
            out.append("{")
            index += 1
            continue
        start = index
        while index < length and template[index] in "0123456789":
            index += 1
        if index == start:
            raise format_exception(BAD_FORMAT)
        number = int(template[start:index])
        while template[index : index + 1] == " ":
            index += 1
        width = 0
        if template[index : index + 1] == ",":
            index += 1
            while template[index : index + 1] == " ":
                index += 1
            left = template[index : index + 1] == "-"
            index += left
            start = index
            while index < length and template[index] in "0123456789":
                index += 1
            if index == start:
                raise format_exception(BAD_FORMAT)
            width = int(template[start:index]) * (-1 if left else 1)
            while template[index : index + 1] == " ":
                index += 1
        fmt = ""
        if template[index : index + 1] == ":":
            index += 1
            while True:
                if index >= length:
                    raise format_exception(BAD_FORMAT)
                char = template[index]
                if char in "{}":
                    if template[index + 1 : index + 2] == char:
                        fmt += char
                        index += 2
                        continue
                    if char == "{":
                        raise format_exception(BAD_FORMAT)
                    break
                fmt += char
                index += 1
        if template[index : index + 1] != "}":
            raise format_exception(BAD_FORMAT)
        index += 1
        if number >= len(arguments):
            raise format_exception(BAD_INDEX)
        text = net_string(unwrap(arguments[number]), fmt or None, provider)
        out.append(text.rjust(width) if width > 0 else text.ljust(-width))
    return "".join(out)


# ------------------------------------------------------------------------------------------------------------ equality and order


def net_equals(left: Any, right: Any) -> bool:
    """``Object.Equals``: the types count, numbers of different types are never equal; arrays and plain objects by identity."""
    left, right = unwrap(left), unwrap(right)
    if left is right:
        return True
    if left is None or right is None:
        return False
    if type(left) is not type(right):
        return False
    if isinstance(left, (PSArray, ByteArray)):
        return False
    if isinstance(left, float) and left != left and right != right:
        return True
    return bool(left == right)


def net_hash(value: Any) -> int:
    """``GetHashCode``: integers are their own; strings differ from real ones, whose values are not documented either."""
    value = unwrap(value)
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, SizedInt) and type(value).__name__ in ("Int64", "UInt64"):
        return to_int32((int(value) & 0xFFFFFFFF) ^ ((int(value) >> 32) & 0xFFFFFFFF))
    if isinstance(value, int):
        return to_int32(int(value))
    if isinstance(value, str):
        code = 5381
        for char in value:
            code = (code * 33 ^ ord(char)) & 0xFFFFFFFF
        return to_int32(code)
    if isinstance(value, EnumValue):
        return to_int32(value.value)
    return to_int32(hash(value))


def to_int32(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def net_compare(left: Any, right: Any) -> int:
    """``IComparable.CompareTo`` through the default comparer: null first, strings in culture order, InvalidOperationException else."""
    left, right = unwrap(left), unwrap(right)
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if isinstance(left, str) and isinstance(right, str) and type(left) is type(right):
        if isinstance(left, Char):
            return ord(left) - ord(right) if left and right else 0
        return culture_compare(left, right)
    if type(left) is type(right):
        if isinstance(left, EnumValue):
            return (left.value > right.value) - (left.value < right.value)
        if isinstance(left, float) and (left != left or right != right):
            return (left == left) - (right == right)
        comparer = getattr(left, "compare_to", None)
        if comparer is not None:
            return int(comparer(right))
        try:
            return int(left > right) - int(left < right)
        except TypeError:
            pass
    elif isinstance(left, (int, float, Decimal, str)):
        name = type_of(left).name
        raise argument(f"Object must be of type {name}.")
    raise argument("At least one object must implement IComparable.")


# The order of Windows' word sort for symbols: before digits, which come before letters. Hyphen and apostrophe count only between equals.
_SYMBOLS = ' \t\n\v\f\r!"#$%&()*,./:;?@[\\]^_`{|}~¡¦¨¯´¸¿˜‘’“”«»+±<=>×÷¢£¤¥§©¬®°µ¶·…†‡•‰€™'
_SYMBOL_ORDER = {char: position for position, char in enumerate(_SYMBOLS)}
_IGNORED = {"'": 1, "-": 2, "\u00ad": 0, "\u2010": 3, "\u2011": 4}


@functools.lru_cache(maxsize=8192)
def _sort_key(text: str, ignore_case: bool) -> tuple[Any, ...]:
    first: list[tuple[int, int, str]] = []
    marks: list[int] = []
    cases: list[int] = []
    minor: list[tuple[int, int]] = []
    for char in text:
        if char in _IGNORED:
            minor.append((len(first), _IGNORED[char]))
            continue
        if char.isalnum():
            decomposed = unicodedata.normalize("NFD", char)
            base = decomposed[0]
            if char.isdigit() or base.isdigit():
                first.append((1, unicodedata.digit(base, 0), ""))
            else:
                first.append((2, 0, base.lower()))
            marks.append(sum(ord(mark) for mark in decomposed[1:]))
            cases.append(0 if ignore_case else int(char.isupper()))
        elif ord(char) == 0 or (unicodedata.category(char) in ("Cc", "Cf") and char not in _SYMBOL_ORDER):
            continue
        else:
            first.append((0, _SYMBOL_ORDER.get(char, 1000 + ord(char)), ""))
            marks.append(0)
            cases.append(0)
    return tuple(first), tuple(marks), tuple(cases), tuple(minor)


def culture_key(text: str, ignore_case: bool = False) -> Any:
    """A key that sorts strings as Windows' word sort (en-US) does."""
    return _sort_key(text, ignore_case)


def culture_compare(left: str | None, right: str | None, ignore_case: bool = False) -> int:
    """``String.Compare`` in the current culture: word sort, -1, 0 or 1; null comes first."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if left == right:
        return 0
    one, two = _sort_key(str(left), ignore_case), _sort_key(str(right), ignore_case)
    return (one > two) - (one < two)


def ordinal_compare(left: str | None, right: str | None, ignore_case: bool = False) -> int:
    """Difference by UTF-16 units, as ``CompareOrdinal`` gives it."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if ignore_case:
        left, right = left.upper(), right.upper()
    one, two = left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass")
    if one == two:
        return 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            return ord(a) - ord(b)
    return len(left) - len(right)


def unsupported(what: str) -> LabUnsupported:
    return LabUnsupported(what)
