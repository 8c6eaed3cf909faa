"""The numeric types, Boolean, Math, Convert, BitConverter, Random and BigInteger."""

from __future__ import annotations

import base64
import binascii
import math
import random as _random
import struct
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from winlab.powershell.errors import NetException
from winlab.powershell.objects import (
    Byte,
    Char,
    EnumValue,
    Int16,
    Int64,
    NetObject,
    SByte,
    Single,
    UInt16,
    UInt32,
    UInt64,
)

from . import numberformat
from .core import ctor, method, net_type, static, static_prop, type_of
from .declare import (
    argument,
    format_exception,
    invalid_cast,
    need,
    net_errors,
    out_of_range,
    overflow,
    overloads,
)
from .values import net_compare, net_hash, net_string, number_info

INTEGERS: dict[str, tuple[type[int], int, int]] = {
    "Byte": (Byte, 0, 0xFF),
    "SByte": (SByte, -0x80, 0x7F),
    "Int16": (Int16, -0x8000, 0x7FFF),
    "UInt16": (UInt16, 0, 0xFFFF),
    "Int32": (int, -(2**31), 2**31 - 1),
    "UInt32": (UInt32, 0, 2**32 - 1),
    "Int64": (Int64, -(2**63), 2**63 - 1),
    "UInt64": (UInt64, 0, 2**64 - 1),
}
_TYPE_CODES = {
    "Boolean": 3,
    "Char": 4,
    "SByte": 5,
    "Byte": 6,
    "Int16": 7,
    "UInt16": 8,
    "Int32": 9,
    "UInt32": 10,
    "Int64": 11,
    "UInt64": 12,
}
_TYPE_CODES |= {"Single": 13, "Double": 14, "Decimal": 15, "DateTime": 16, "String": 18}
INTERFACES = ("IComparable", "IFormattable", "IConvertible")


def overflow_text(name: str) -> str:
    """The message of an OverflowException for an integer type."""
    if name == "Byte":
        return "Value was either too large or too small for an unsigned byte."
    if name == "SByte":
        return "Value was either too large or too small for a signed byte."
    article = "an" if name.startswith("I") else "a"
    return f"Value was either too large or too small for {article} {name}."


def _parse_arguments(arguments: tuple[Any, ...], default: int) -> tuple[int, numberformat.NumberFormat]:
    style, provider = default, None
    for item in arguments:
        if isinstance(item, EnumValue):
            style = item.value
        else:
            provider = item
    return style, number_info(provider)


def _common(name: str, parse: Callable[..., Any]) -> dict[str, Any]:
    """The members that every number type has."""
    full = f"System.{name}"

    def compare_to(self: Any, other: Any) -> int:
        if other is not None and type(other) is not type(self):
            raise argument(f"Object must be of type {name}.")
        return net_compare(self, other)

    def equals(self: Any, other: Any) -> bool:
        return type(self) is type(other) and bool(self == other)

    def to_string(self: Any, *arguments: Any) -> str:
        fmt = next((item for item in arguments if isinstance(item, str)), None)
        provider = next((item for item in arguments if item is not None and not isinstance(item, str)), None)
        return net_string(self, fmt, provider)

    def parse_text(text: str | None, *arguments: Any) -> Any:
        with net_errors():
            return parse(need(text, "s"), *arguments)

    def try_parse(text: str | None, *arguments: Any) -> bool:
        result = arguments[-1]
        try:
            result.value = parse(text, *arguments[:-1]) if text is not None else parse("0")
            return text is not None
        except (numberformat.FormatError, numberformat.NumberOverflow):
            result.value = parse("0")
            return False

    return {
        "compare_to": overloads(full, "CompareTo")(compare_to),
        "equals": overloads(full, "Equals", skip=("Decimal,Decimal",))(equals),
        "get_hash_code": method("GetHashCode() : Int32")(net_hash),
        "get_type_code": method("GetTypeCode() : TypeCode")(lambda self: _TYPE_CODES[name]),
        "to_string": overloads(full, "ToString")(to_string),
        "parse": overloads(full, "Parse")(parse_text),
        "try_parse": overloads(full, "TryParse")(try_parse),
    }


def _declare_integer(name: str) -> None:
    kind, low, high = INTEGERS[name]

    def parse(text: str, *arguments: Any) -> int:
        style, info = _parse_arguments(arguments, numberformat.STYLE_INTEGER)
        return kind(numberformat.parse_integer(text, low, high, name, style, info))

    members = _common(name, parse)
    members["max_value"] = static_prop(f"MaxValue : {name}")(lambda: kind(high))
    members["min_value"] = static_prop(f"MinValue : {name}")(lambda: kind(low))
    members["__doc__"] = f"System.{name}"
    generic = (f"IComparable`1<{name}>", f"IEquatable`1<{name}>")
    net_type(f"System.{name}", python=kind, interfaces=(*INTERFACES, *generic))(type(name, (), members))


for _name in INTEGERS:
    _declare_integer(_name)


def _declare_float(name: str, kind: type[float], limit: float, epsilon: float) -> None:
    def parse(text: str, *arguments: Any) -> float:
        style, info = _parse_arguments(arguments, numberformat.STYLE_FLOAT_THOUSANDS)
        return kind(numberformat.parse_double(text, style, info, name))

    members = _common(name, parse)
    constants = {
        "MaxValue": limit,
        "MinValue": -limit,
        "Epsilon": epsilon,
        "NaN": math.nan,
        "PositiveInfinity": math.inf,
        "NegativeInfinity": -math.inf,
    }
    for constant, value in constants.items():
        members[constant] = static_prop(f"{constant} : {name}")(lambda value=value: kind(value))
    tests: dict[str, Callable[[float], bool]] = {
        "IsNaN": math.isnan,
        "IsInfinity": math.isinf,
        "IsPositiveInfinity": lambda value: value == math.inf,
        "IsNegativeInfinity": lambda value: value == -math.inf,
    }
    for test, function in tests.items():
        members[test] = static(f"{test}({name}) : Boolean")(lambda value, function=function: function(value))
    members["__doc__"] = f"System.{name}"
    generic = (f"IComparable`1<{name}>", f"IEquatable`1<{name}>")
    net_type(f"System.{name}", python=kind, interfaces=(*INTERFACES, *generic))(type(name, (), members))


_declare_float("Double", float, 1.7976931348623157e308, 5e-324)
_declare_float("Single", Single, 3.4028234663852886e38, 1.401298464324817e-45)


# ------------------------------------------------------------------------------------------------------------ Decimal


def _parse_decimal(text: str, *arguments: Any) -> Decimal:
    style, info = _parse_arguments(arguments, numberformat.STYLE_NUMBER)
    return numberformat.parse_decimal(text, style, info)


def fit(value: Decimal | Fraction | int) -> Decimal:
    with net_errors():
        return numberformat.fit_decimal(value)


def decimal_from_double(value: float, digits: int = 15) -> Decimal:
    """`(decimal)double`: 15 significant digits (7 of a Single)."""
    if value != value or value in (math.inf, -math.inf):
        raise overflow("Value was either too large or too small for a Decimal.")
    return fit(Decimal(f"{value:.{digits}g}").normalize() + 0 if value else Decimal(0))


def round_decimal(value: Decimal, digits: int = 0, away: bool = False) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= digits:
        return value
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP if away else ROUND_HALF_EVEN)


def divide_decimal(left: Decimal, right: Decimal) -> Decimal:
    """Quotient with up to 28 significant digits, without trailing zeros where the division is exact."""
    if right == 0:
        raise NetException("System.DivideByZeroException", "Attempted to divide by zero.")
    result = fit(Fraction(left) / Fraction(right))
    exact = Fraction(result) == Fraction(left) / Fraction(right)
    if exact:
        sign, digits, _ = result.as_tuple()
        scale, least = _scale(result), max(0, _scale(left) - _scale(right))
        while scale > least and digits and digits[-1] == 0:
            digits, scale = digits[:-1] or (0,), scale - 1
        result = Decimal((sign, digits, -scale))
    return result


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _rounding(arguments: tuple[Any, ...]) -> tuple[int, bool]:
    digits, away = 0, False
    for item in arguments:
        if isinstance(item, EnumValue):
            away = item.value == 1
        else:
            digits = int(item)
    return digits, away


def _decimal_members() -> dict[str, Any]:
    members = _common("Decimal", _parse_decimal)
    for constant, value in {
        "Zero": Decimal(0),
        "One": Decimal(1),
        "MinusOne": Decimal(-1),
        "MaxValue": Decimal(numberformat.DECIMAL_MAX),
        "MinValue": Decimal(-numberformat.DECIMAL_MAX),
    }.items():
        members[constant] = static_prop(f"{constant} : Decimal")(lambda value=value: value)
    operations: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
        "Add": lambda left, right: fit(left + right),
        "Subtract": lambda left, right: fit(left - right),
        "Multiply": lambda left, right: fit(left * right),
        "Divide": divide_decimal,
        "Remainder": lambda left, right: left % right,
    }
    for operation, function in operations.items():
        members[operation] = static(f"{operation}(Decimal,Decimal) : Decimal")(
            lambda left, right, function=function: function(left, right)
        )
    for name, (kind, low, high) in INTEGERS.items():

        def convert(value: Decimal, name: str = name, kind: type[int] = kind, low: int = low, high: int = high) -> int:
            whole = int(value)
            if not low <= whole <= high:
                raise overflow(overflow_text(name))
            return kind(whole)

        members["To" + name] = static(f"To{name}(Decimal) : {name}")(convert)
    return members


class _DecimalBase:
    """System.Decimal: `self` is a decimal.Decimal."""

    @overloads("System.Decimal", ".ctor", skip=("Int32[]", "Boolean"))
    def new(value: Any) -> Decimal:
        if isinstance(value, Single):
            return decimal_from_double(value, 7)
        if isinstance(value, float):
            return decimal_from_double(value)
        return Decimal(int(value))

    @ctor("(Int32[])")
    def from_bits(bits: Any) -> Decimal:
        low, middle, high, flags = (int(item) & 0xFFFFFFFF for item in bits)
        coefficient = low | middle << 32 | high << 64
        digits = tuple(int(digit) for digit in str(coefficient))
        return Decimal((flags >> 31, digits, -((flags >> 16) & 0xFF)))

    @ctor("(Int32,Int32,Int32,Boolean,Byte)")
    def from_parts(low: int, middle: int, high: int, negative: bool, scale: int) -> Decimal:
        coefficient = (low & 0xFFFFFFFF) | (middle & 0xFFFFFFFF) << 32 | (high & 0xFFFFFFFF) << 64
        return Decimal((int(negative), tuple(int(digit) for digit in str(coefficient)), -int(scale)))

    @static("GetBits(Decimal) : Int32[]")
    def get_bits(value: Decimal) -> list[int]:
        sign, digits, _ = value.as_tuple()
        coefficient = int("".join(map(str, digits)))
        words = [coefficient & 0xFFFFFFFF, coefficient >> 32 & 0xFFFFFFFF, coefficient >> 64]
        words.append(sign << 31 | _scale(value) << 16)
        return [word - (1 << 32) if word & 0x80000000 else word for word in words]

    @static("Ceiling(Decimal) : Decimal")
    def ceiling(value: Decimal) -> Decimal:
        return Decimal(math.ceil(value))

    @static("Floor(Decimal) : Decimal")
    def floor(value: Decimal) -> Decimal:
        return Decimal(math.floor(value))

    @static("Truncate(Decimal) : Decimal")
    def truncate(value: Decimal) -> Decimal:
        return Decimal(int(value))

    @static("Negate(Decimal) : Decimal")
    def negate(value: Decimal) -> Decimal:
        return -value

    @static("Compare(Decimal,Decimal) : Int32")
    def compare(left: Decimal, right: Decimal) -> int:
        return int(left > right) - int(left < right)

    @static("Equals(Decimal,Decimal) : Boolean")
    def equal(left: Decimal, right: Decimal) -> bool:
        return left == right

    @overloads("System.Decimal", "Round")
    def round(value: Decimal, *arguments: Any) -> Decimal:
        digits, away = _rounding(arguments)
        if not 0 <= digits <= 28:
            raise out_of_range("decimals", "Decimal can only round to between 0 and 28 digits of precision.")
        return round_decimal(value, digits, away)

    @static("ToDouble(Decimal) : Double")
    def to_double(value: Decimal) -> float:
        return float(value)

    @static("ToSingle(Decimal) : Single")
    def to_single(value: Decimal) -> Single:
        return Single(float(value))


net_type("System.Decimal", python=Decimal, interfaces=(*INTERFACES, "IComparable`1<Decimal>"))(
    type(
        "DecimalType",
        (),
        {**{k: v for k, v in vars(_DecimalBase).items() if k not in ("__dict__", "__weakref__")}, **_decimal_members()},
    )
)


# ------------------------------------------------------------------------------------------------------------ Boolean


def parse_bool(text: str) -> bool:
    stripped = text.strip(" \t\r\n\0").lower()
    if stripped not in ("true", "false"):
        raise numberformat.FormatError("String was not recognized as a valid Boolean.")
    return stripped == "true"


@net_type("System.Boolean", python=bool, interfaces=("IComparable", "IConvertible"))
class Boolean:
    """System.Boolean"""

    @static_prop("TrueString : String")
    def true_string() -> str:
        return "True"

    @static_prop("FalseString : String")
    def false_string() -> str:
        return "False"

    @overloads("System.Boolean", "CompareTo")
    def compare_to(self: bool, other: Any) -> int:
        if other is None:
            return 1
        if not isinstance(other, bool):
            raise argument("Object must be of type Boolean.")
        return int(self) - int(other)

    @overloads("System.Boolean", "Equals")
    def equals(self: bool, other: Any) -> bool:
        return isinstance(other, bool) and bool(self) == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self: bool) -> int:
        return int(self)

    @method("GetTypeCode() : TypeCode")
    def get_type_code(self: bool) -> int:
        return 3

    @static("Parse(String) : Boolean")
    def parse(text: str | None) -> bool:
        with net_errors():
            return parse_bool(need(text, "value"))

    @static("TryParse(String,Boolean&) : Boolean")
    def try_parse(text: str | None, result: Any) -> bool:
        try:
            result.value = parse_bool(text or "")
            return True
        except numberformat.FormatError:
            result.value = False
            return False

    @overloads("System.Boolean", "ToString")
    def to_string(self: bool, provider: Any = None) -> str:
        return "True" if self else "False"


# ------------------------------------------------------------------------------------------------------------ Math


def round_double(value: float, digits: int = 0, away: bool = False) -> float:
    """`[math]::Round`: the .NET Framework scales by a power of ten, rounds and scales back."""
    if not math.isfinite(value) or abs(value) >= 1e16:
        return value
    power = 10.0**digits
    scaled = value * power
    if away:
        whole = math.trunc(scaled)
        fraction = scaled - whole
        if abs(fraction) >= 0.5:
            whole += 1 if fraction > 0 else -1
        return whole / power
    return float(round(scaled)) / power


def _mathematics(function: Callable[[float], float]) -> Callable[[float], float]:
    def run(value: float) -> float:
        try:
            return function(value)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return run


def _log(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


def _math_members() -> dict[str, Any]:
    members: dict[str, Any] = {"__doc__": "System.Math"}
    functions: dict[str, Callable[[float], float]] = {
        "Acos": math.acos,
        "Asin": math.asin,
        "Atan": math.atan,
        "Cos": math.cos,
        "Cosh": math.cosh,
        "Exp": math.exp,
        "Log10": lambda value: -math.inf if value == 0 else math.log10(value),
        "Sin": math.sin,
        "Sinh": math.sinh,
        "Sqrt": math.sqrt,
        "Tan": math.tan,
        "Tanh": math.tanh,
    }
    for name, function in functions.items():
        members[name] = static(f"{name}(Double) : Double")(_mathematics(function))
    return members


class _MathBase:
    @static_prop("PI : Double")
    def pi() -> float:
        return math.pi

    @static_prop("E : Double")
    def e() -> float:
        return math.e

    @overloads("System.Math", "Abs")
    def abs(value: Any) -> Any:
        kind: Any = type(value)
        if isinstance(value, (float, Decimal)):
            return kind(abs(value))
        low = -(2**31) if kind is int else kind.minimum
        if value == low and low < 0:
            raise overflow("Negating the minimum value of a twos complement number is invalid.")
        return kind(abs(int(value)))

    @overloads("System.Math", "Max")
    def max(left: Any, right: Any) -> Any:
        if isinstance(left, float) and (left != left or right != right):
            return type(left)(math.nan)
        return left if left >= right else right

    @overloads("System.Math", "Min")
    def min(left: Any, right: Any) -> Any:
        if isinstance(left, float) and (left != left or right != right):
            return type(left)(math.nan)
        return left if left <= right else right

    @overloads("System.Math", "Sign")
    def sign(value: Any) -> int:
        if value != value:
            raise NetException(
                "System.ArithmeticException", "Function does not accept floating point Not-a-Number values."
            )
        return int(value > 0) - int(value < 0)

    @static("Atan2(Double,Double) : Double")
    def atan2(y: float, x: float) -> float:
        return math.atan2(y, x)

    @static("BigMul(Int32,Int32) : Int64")
    def big_mul(left: int, right: int) -> int:
        return left * right

    @overloads("System.Math", "Ceiling")
    def ceiling(value: Any) -> Any:
        if isinstance(value, Decimal):
            return Decimal(math.ceil(value))
        return float(math.ceil(value)) if math.isfinite(value) else value

    @overloads("System.Math", "Floor")
    def floor(value: Any) -> Any:
        if isinstance(value, Decimal):
            return Decimal(math.floor(value))
        return float(math.floor(value)) if math.isfinite(value) else value

    @overloads("System.Math", "Truncate")
    def truncate(value: Any) -> Any:
        if isinstance(value, Decimal):
            return Decimal(math.trunc(value))
        return float(math.trunc(value)) if math.isfinite(value) else value

    @overloads("System.Math", "DivRem")
    def div_rem(left: Any, right: Any, rest: Any) -> Any:
        if right == 0:
            raise NetException("System.DivideByZeroException", "Attempted to divide by zero.")
        quotient = abs(int(left)) // abs(int(right)) * (1 if (left < 0) == (right < 0) else -1)
        rest.value = type(left)(int(left) - quotient * int(right))
        return type(left)(quotient)

    @static("IEEERemainder(Double,Double) : Double")
    def ieee_remainder(left: float, right: float) -> float:
        return math.remainder(left, right) if right else math.nan

    @static("Log(Double) : Double")
    def log(value: float) -> float:
        return _mathematics(_log)(value)

    @static("Log(Double,Double) : Double")
    def log_base(value: float, base: float) -> float:
        if base == 1 or value < 0 or base <= 0:
            return math.nan
        return _mathematics(_log)(value) / math.log(base)

    @static("Pow(Double,Double) : Double")
    def pow(left: float, right: float) -> float:
        try:
            return math.pow(left, right)
        except OverflowError:
            return math.inf if left > 0 or right % 2 == 0 else -math.inf
        except ValueError:
            return math.inf if left == 0 else math.nan

    @overloads("System.Math", "Round")
    def round(value: Any, *arguments: Any) -> Any:
        digits, away = _rounding(arguments)
        if isinstance(value, Decimal):
            if not 0 <= digits <= 28:
                raise out_of_range("decimals", "Decimal can only round to between 0 and 28 digits of precision.")
            return round_decimal(value, digits, away)
        if not 0 <= digits <= 15:
            raise out_of_range("digits", "Rounding digits must be between 0 and 15, inclusive.")
        return round_double(value, digits, away)


net_type("System.Math")(
    type(
        "Math",
        (),
        {**{k: v for k, v in vars(_MathBase).items() if k not in ("__dict__", "__weakref__")}, **_math_members()},
    )
)


# ------------------------------------------------------------------------------------------------------------ Convert


def change_integer(value: Any, name: str) -> int:
    """`[Convert]::ToInt32` and the like: rounds half to even, range checked."""
    kind, low, high = INTEGERS[name]
    if value is None:
        return kind(0)
    if isinstance(value, Char):
        number = ord(value)
    elif isinstance(value, str):
        with net_errors():
            return kind(numberformat.parse_integer(str(value), low, high, name))
    elif isinstance(value, bool):
        number = int(value)
    elif isinstance(value, float):
        if value != value or value in (math.inf, -math.inf):
            raise overflow(overflow_text(name))
        number = round(value)
    elif isinstance(value, Decimal):
        number = int(round_decimal(value))
    elif isinstance(value, (int, EnumValue)):
        number = int(value)
    else:
        raise invalid_cast(f"Unable to cast object of type '{type_of(value).full_name}' to type 'System.IConvertible'.")
    if not low <= number <= high:
        raise overflow(overflow_text(name))
    return kind(number)


def change_double(value: Any, name: str = "Double") -> float:
    kind = float if name == "Double" else Single
    if value is None:
        return kind(0)
    if isinstance(value, Char) or not isinstance(value, (str, int, float, Decimal, EnumValue)):
        raise invalid_cast(f"Invalid cast from '{type_of(value).name}' to '{name}'.")
    if isinstance(value, str):
        with net_errors():
            return kind(numberformat.parse_double(value, type_name=name))
    return kind(float(int(value)) if isinstance(value, EnumValue) else float(value))


def change_decimal(value: Any) -> Decimal:
    if value is None:
        return Decimal(0)
    if isinstance(value, Char):
        raise invalid_cast("Invalid cast from 'Char' to 'Decimal'.")
    if isinstance(value, str):
        with net_errors():
            return numberformat.parse_decimal(value)
    if isinstance(value, Single):
        return decimal_from_double(value, 7)
    if isinstance(value, float):
        return decimal_from_double(value)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, (int, EnumValue)):
        return Decimal(int(value))
    raise invalid_cast(f"Unable to cast object of type '{type_of(value).full_name}' to type 'System.IConvertible'.")


def change_bool(value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, Char):
        raise invalid_cast("Invalid cast from 'Char' to 'Boolean'.")
    if isinstance(value, str):
        with net_errors():
            return parse_bool(value)
    if isinstance(value, (int, float, Decimal)):
        return value != 0
    raise invalid_cast(f"Unable to cast object of type '{type_of(value).full_name}' to type 'System.IConvertible'.")


def _from_base(text: str | None, base: int, name: str) -> int:
    kind, low, high = INTEGERS[name]
    if base not in (2, 8, 10, 16):
        raise argument("Invalid Base.")
    if text is None:
        return kind(0)
    body = text
    if not body:
        raise out_of_range(
            "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection."
        )
    if base == 10:
        with net_errors():
            return kind(numberformat.parse_integer(body, low, high, name, numberformat.ALLOW_LEADING_SIGN))
    if body.startswith("-"):
        raise argument("String cannot contain a minus sign if the base is not 10.")
    if base == 16 and body[:2].lower() == "0x":
        body = body[2:]
    digits = "0123456789abcdef"[:base]
    if not body or body[0].lower() not in digits:
        raise format_exception("Could not find any recognizable digits.")
    if any(char.lower() not in digits for char in body):
        raise format_exception("Additional non-parsable characters are at the end of the string.")
    number = int(body, base)
    bits = (high - low + 1).bit_length() - 1
    if number >= 1 << bits:
        raise overflow(overflow_text(name) if name not in ("Int32", "Int64") else overflow_text("U" + name))
    if low < 0 and number > high:
        number -= 1 << bits
    return kind(number)


BASE64_ERROR = "Invalid length for a Base-64 char array or string."
BASE64_BAD = (
    "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an "
    "illegal character among the padding characters. "
)


def from_base64(text: str) -> bytes:
    """Base-64 with white space allowed; FormatException as .NET words it."""
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        raise format_exception(BASE64_BAD) from None
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        pass
    body = raw.translate(None, b" \t\r\n")
    if len(body) % 4:
        raise format_exception(BASE64_ERROR if not body.translate(None, _BASE64_ALPHABET) else BASE64_BAD)
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise format_exception(BASE64_BAD) from None


_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def _convert_members() -> dict[str, Any]:
    members: dict[str, Any] = {"__doc__": "System.Convert"}
    for name in INTEGERS:

        def to_integer(value: Any, *rest: Any, name: str = name) -> int:
            if rest and type(rest[0]) is int:
                return _from_base(value, rest[0], name)
            return change_integer(value, name)

        members["To" + name] = overloads("System.Convert", "To" + name)(to_integer)
    members["ToDouble"] = overloads("System.Convert", "ToDouble")(lambda value, provider=None: change_double(value))
    members["ToSingle"] = overloads("System.Convert", "ToSingle")(
        lambda value, provider=None: change_double(value, "Single")
    )
    members["ToDecimal"] = overloads("System.Convert", "ToDecimal")(lambda value, provider=None: change_decimal(value))
    members["ToBoolean"] = overloads("System.Convert", "ToBoolean")(lambda value, provider=None: change_bool(value))
    return members


class _ConvertBase:
    @static_prop("DBNull : Object")
    def db_null() -> Any:
        return DB_NULL

    @overloads("System.Convert", "IsDBNull")
    def is_db_null(value: Any) -> bool:
        return value is DB_NULL

    @overloads("System.Convert", "ToChar")
    def to_char(value: Any, provider: Any = None) -> Char:
        if value is None:
            return Char("\0")
        if isinstance(value, str):
            if len(value) != 1:
                raise format_exception("String must be exactly one character long.")
            return Char(value)
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value <= 0xFFFF:
                raise overflow("Value was either too large or too small for a character.")
            return Char(chr(value))
        raise invalid_cast(f"Invalid cast from '{type_of(value).name}' to 'Char'.")

    @overloads("System.Convert", "ToDateTime")
    def to_date_time(value: Any, provider: Any = None) -> Any:
        from .time import DateTime, parse_datetime

        if value is None:
            return DateTime(0)
        if isinstance(value, DateTime):
            return value
        if isinstance(value, str):
            return parse_datetime(value, provider)
        raise invalid_cast(f"Invalid cast from '{type_of(value).name}' to 'DateTime'.")

    @overloads("System.Convert", "ToString")
    def to_string(value: Any, *rest: Any) -> str | None:
        if rest and type(rest[0]) is int and isinstance(value, int) and not isinstance(value, bool):
            base = rest[0]
            if base not in (2, 8, 10, 16):
                raise argument("Invalid Base.")
            if base == 10:
                return str(int(value))
            bits = {"Byte": 8, "Int16": 16, "Int64": 64}.get(type(value).__name__, 32)
            return format(int(value) & ((1 << bits) - 1), {2: "b", 8: "o", 16: "x"}[base])
        return net_string(value, None, rest[0] if rest else None)

    @overloads("System.Convert", "ChangeType")
    def change_type(value: Any, target: Any, provider: Any = None) -> Any:
        if isinstance(target, EnumValue):
            name = next(key for key, code in {**_TYPE_CODES, "Object": 1}.items() if code == target.value)
        else:
            name = need(target, "conversionType").name
            if target.is_assignable_from(type_of(value)) if value is not None else False:
                return value
        if name in INTEGERS:
            if value is None:
                raise invalid_cast("Null object cannot be converted to a value type.")
            return change_integer(value, name)
        converters: dict[str, Callable[[Any], Any]] = {
            "Double": change_double,
            "Single": lambda item: change_double(item, "Single"),
            "Decimal": change_decimal,
            "Boolean": change_bool,
            "String": lambda item: None if item is None else net_string(item),
            "Char": _ConvertBase.to_char,
            "DateTime": _ConvertBase.to_date_time,
        }
        if name not in converters:
            raise invalid_cast(
                f"Invalid cast from '{type_of(value).full_name}' to '{getattr(target, 'full_name', name)}'."
            )
        return converters[name](value)

    @static("GetTypeCode(Object) : TypeCode")
    def get_type_code(value: Any) -> int:
        if value is None:
            return 0
        return 2 if value is DB_NULL else _TYPE_CODES.get(type_of(value).name, 1)

    @overloads("System.Convert", "ToBase64String")
    def to_base64_string(data: Any, *rest: Any) -> str:
        need(data, "inArray")
        start, length, breaks = 0, None, False
        numbers = []
        for item in rest:
            if isinstance(item, EnumValue):
                breaks = item.value == 1
            else:
                numbers.append(int(item))
        if numbers:
            start, length = numbers
            if start < 0 or length < 0 or start > len(data) - length:
                raise out_of_range("offset", "Offset and length must refer to a position in the string.")
        part = bytes(memoryview(data)[start : len(data) if length is None else start + length])
        text = base64.b64encode(part).decode("ascii")
        if breaks:
            text = "\r\n".join(text[index : index + 76] for index in range(0, len(text), 76))
        return text

    @static("FromBase64String(String) : Byte[]")
    def from_base64_string(text: str | None) -> bytes:
        return from_base64(need(text, "s"))

    @static("FromBase64CharArray(Char[],Int32,Int32) : Byte[]")
    def from_base64_chars(chars: Any, start: int, length: int) -> bytes:
        return from_base64("".join(need(chars, "inArray")[start : start + length]))


net_type("System.Convert")(
    type(
        "Convert",
        (),
        {**{k: v for k, v in vars(_ConvertBase).items() if k not in ("__dict__", "__weakref__")}, **_convert_members()},
    )
)


@net_type("System.DBNull")
class DBNull(NetObject):
    def __str__(self) -> str:
        return ""

    @static_prop("Value : DBNull")
    def value() -> DBNull:
        return DB_NULL

    @overloads("System.DBNull", "ToString")
    def to_string(self, provider: Any = None) -> str:
        return ""

    @method("GetTypeCode() : TypeCode")
    def get_type_code(self) -> int:
        return 2


DB_NULL = DBNull()


# ------------------------------------------------------------------------------------------------------------ BitConverter

_PACK = {
    "Int16": "<h",
    "UInt16": "<H",
    "Int32": "<i",
    "UInt32": "<I",
    "Int64": "<q",
    "UInt64": "<Q",
    "Single": "<f",
    "Double": "<d",
}
_KINDS: dict[str, Callable[[Any], Any]] = {
    "Int16": Int16,
    "UInt16": UInt16,
    "Int32": int,
    "UInt32": UInt32,
    "Int64": Int64,
    "UInt64": UInt64,
    "Single": Single,
    "Double": float,
}


def _unpack(name: str) -> Callable[[Any, int], Any]:
    size = struct.calcsize(_PACK[name])

    def read(data: Any, start: int) -> Any:
        need(data, "value")
        if not 0 <= start < len(data):
            raise out_of_range(
                "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection."
            )
        if start > len(data) - size:
            raise argument(
                "Destination array is not long enough to copy all the items in the collection. Check array index and length."
            )
        return _KINDS[name](struct.unpack_from(_PACK[name], data, start)[0])

    return read


def _bit_converter_members() -> dict[str, Any]:
    members: dict[str, Any] = {"__doc__": "System.BitConverter"}
    for name, code in _PACK.items():
        members["Get" + name] = static(f"GetBytes({name}) : Byte[]")(lambda value, code=code: struct.pack(code, value))
        members["To" + name] = static(f"To{name}(Byte[],Int32) : {name}")(_unpack(name))
    return members


class _BitConverterBase:
    @static_prop("IsLittleEndian : Boolean")
    def is_little_endian() -> bool:
        return True

    @static("GetBytes(Boolean) : Byte[]")
    def get_bool(value: bool) -> bytes:
        return bytes([int(value)])

    @static("GetBytes(Char) : Byte[]")
    def get_char(value: str) -> bytes:
        return value.encode("utf-16-le", "surrogatepass")

    @static("ToBoolean(Byte[],Int32) : Boolean")
    def to_boolean(data: Any, start: int) -> bool:
        return need(data, "value")[start] != 0

    @static("ToChar(Byte[],Int32) : Char")
    def to_char(data: Any, start: int) -> Char:
        return Char(chr(struct.unpack_from("<H", need(data, "value"), start)[0]))

    @static("DoubleToInt64Bits(Double) : Int64")
    def double_bits(value: float) -> int:
        return int(struct.unpack("<q", struct.pack("<d", value))[0])

    @static("Int64BitsToDouble(Int64) : Double")
    def bits_double(value: int) -> float:
        return float(struct.unpack("<d", struct.pack("<q", value))[0])

    @overloads("System.BitConverter", "ToString")
    def to_string(data: Any, start: int = 0, length: int | None = None) -> str:
        need(data, "value")
        end = len(data) if length is None else start + length
        if start < 0 or start > len(data) or end > len(data):
            raise out_of_range("startIndex", "StartIndex cannot be less than zero.")
        return "-".join(f"{item:02X}" for item in bytes(data[start:end]))


net_type("System.BitConverter")(
    type(
        "BitConverter",
        (),
        {
            **{k: v for k, v in vars(_BitConverterBase).items() if k not in ("__dict__", "__weakref__")},
            **_bit_converter_members(),
        },
    )
)


# ------------------------------------------------------------------------------------------------------------ Random


@net_type("System.Random")
class Random(NetObject):
    """System.Random with .NET's own subtractive generator, so that a seed gives the numbers of a real server."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed(_random.SystemRandom().randrange(2**31) if seed is None else seed)

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @ctor("(Int32)")
    def new_seed(self, seed: int) -> None:
        self.__init__(seed)

    def _seed(self, seed: int) -> None:
        maximum = 2**31 - 1
        subtraction = maximum if seed == -(2**31) else abs(seed)
        array = [0] * 56
        mj = 161803398 - subtraction
        array[55] = mj
        mk = 1
        for i in range(1, 55):
            ii = (21 * i) % 55
            array[ii] = mk
            mk = mj - mk
            if mk < 0:
                mk += maximum
            mj = array[ii]
        for _ in range(4):
            for i in range(1, 56):
                array[i] -= array[1 + (i + 30) % 55]
                array[i] = (array[i] + 2**31) % 2**32 - 2**31
                if array[i] < 0:
                    array[i] += maximum
        self.array = array
        self.inext, self.inextp = 0, 21

    def _sample(self) -> int:
        maximum = 2**31 - 1
        self.inext = self.inext % 55 + 1
        self.inextp = self.inextp % 55 + 1
        value = self.array[self.inext] - self.array[self.inextp]
        if value == maximum:
            value -= 1
        if value < 0:
            value += maximum
        self.array[self.inext] = value
        return value

    @method("Next() : Int32")
    def next(self) -> int:
        return self._sample()

    @method("Next(Int32) : Int32")
    def next_below(self, limit: int) -> int:
        if limit < 0:
            raise out_of_range("maxValue", "'maxValue' must be greater than zero.")
        return int(self._sample() * (1.0 / (2**31 - 1)) * limit)

    @method("Next(Int32,Int32) : Int32")
    def next_between(self, low: int, high: int) -> int:
        if low > high:
            raise out_of_range("minValue", "'minValue' cannot be greater than maxValue.")
        span = high - low
        if span <= 2**31 - 1:
            return int(self._sample() * (1.0 / (2**31 - 1)) * span) + low
        value = self._sample()
        if self._sample() % 2 == 0:
            value = -value
        fraction = (value + (2**31 - 2)) / (2 * (2**31 - 1) - 1)
        return int(fraction * span) + low

    @method("NextDouble() : Double")
    def next_double(self) -> float:
        return self._sample() * (1.0 / (2**31 - 1))

    @method("NextBytes(Byte[]) : Void")
    def next_bytes(self, buffer: Any) -> None:
        need(buffer, "buffer")
        for index in range(len(buffer)):
            buffer[index] = self._sample() % 256
