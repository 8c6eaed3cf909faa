"""PowerShell's operators with its coercions: arithmetic, comparison, text, containment, types, bits, formatting.

The left operand decides. Sources: "about_Operators" and its sub-pages, and the behaviour recorded from the real engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

from winlab.powershell.dotnet import regexes, values
from winlab.powershell.dotnet.core import NetType, get_type, type_of
from winlab.powershell.errors import LabUnsupported, NetException, TerminatingError, runtime_error
from winlab.powershell.objects import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    AutomationNull,
    BigInteger,
    ByteArray,
    Char,
    Dictionary,
    EnumValue,
    Hashtable,
    Int64,
    NetObject,
    OrderedDictionary,
    PSArray,
    PSCustomObject,
    PSObject,
    ScriptBlock,
    Single,
    SizedInt,
    SwitchParameter,
    UInt32,
    UInt64,
    unwrap,
)
from winlab.powershell.runtime import conversion
from winlab.powershell.runtime.context import current
from winlab.powershell.runtime.conversion import (
    convert,
    fit_decimal,
    is_enumerable,
    iterate,
    string_failure,
    to_bool,
    to_string,
)

INT32 = get_type("System.Int32")
INT64 = get_type("System.Int64")
DOUBLE = get_type("System.Double")
DECIMAL = get_type("System.Decimal")

_SMALL = ("Byte", "SByte", "Int16", "UInt16")


def _plain(value: Any) -> Any:
    """The value behind wrappers that operators look through."""
    kind = type(value)
    if kind is PSObject:
        return value.base
    if value is AutomationNull:
        return None
    if kind is SwitchParameter:
        return value.is_present
    return value


def is_number(value: Any) -> bool:
    kind = type(value)
    if kind is int or kind is float or kind is Decimal:
        return True
    return kind is not bool and isinstance(value, (SizedInt, Single))


def _text_to_number(text: str, like: NetType = INT32) -> Any:
    """A string as the number a script would write it as; empty text is 0."""
    stripped = text.strip()
    if stripped == "":
        return 0
    lower = stripped.lower()
    multiplier = 1
    for suffix, factor in (("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40), ("pb", 1 << 50)):
        if lower.endswith(suffix):
            lower, multiplier = lower[:-2], factor
            break
    is_long = (lower.endswith("l") and not lower.startswith("0x")) or (lower.startswith("0x") and lower.endswith("l"))
    is_decimal = lower.endswith("d") and not lower.startswith(("0x", "-0x", "+0x"))
    if is_long or is_decimal:
        lower = lower[:-1]
    try:
        if is_decimal:
            return fit_decimal(Decimal(lower) * multiplier)
        if conversion._HEX.match(lower):
            number = int(lower, 16) * multiplier
            if not is_long and INT32_MAX < number <= 0xFFFFFFFF and multiplier == 1:
                number -= 1 << 32
            return narrow(number, is_long)
        if conversion._INTEGER.match(lower):
            return narrow(int(lower) * multiplier, is_long)
        if conversion._REAL.match(lower) and "," not in lower:
            return float(lower) * multiplier
    except (ValueError, ArithmeticError):
        pass
    raise string_failure(
        text,
        like,
        "InvalidCastFromStringToInteger",
        "Input string was not in a correct format.",
        "System.FormatException",
    )


def narrow(number: int, is_long: bool = False) -> Any:
    """The smallest of Int32, Int64, Decimal and Double that an integer literal takes."""
    if not is_long and INT32_MIN <= number <= INT32_MAX:
        return number
    if INT64_MIN <= number <= INT64_MAX:
        return Int64(number)
    if abs(number) <= conversion.DECIMAL_MAX:
        return Decimal(number)
    return float(number)


def _numeric(value: Any, like: Any = None) -> Any:
    """An operand of arithmetic as a number; NetException when it is none."""
    kind = type(value)
    if kind is bool:
        return 1 if value else 0
    if value is None:
        return 0
    if kind is Char:
        return ord(value[0])
    if kind is str:
        return _text_to_number(value)
    if isinstance(value, EnumValue):
        return value.value
    return value


# ------------------------------------------------------------------------------------------------------ arithmetic


def _kind_of(a: Any, b: Any) -> str:
    """Which of PowerShell's arithmetics two numbers use: int, uint, long, ulong, decimal, double."""
    ta, tb = type(a), type(b)
    if ta is Decimal or tb is Decimal:
        return "decimal"
    if isinstance(a, float) or isinstance(b, float):
        return "double"
    if ta is BigInteger or tb is BigInteger:
        return "big"
    level = max(_LEVELS[ta], _LEVELS[tb])
    if level == 0:
        return "int"
    if level == 1:
        other = b if ta is UInt32 else a
        return "long" if int(other) < 0 and type(other) is not UInt32 else "uint"
    if level == 2:
        return "long"
    if (ta is not UInt64 and int(a) < 0) or (tb is not UInt64 and int(b) < 0):
        return "decimal"
    return "ulong"


_LEVELS: dict[type, int] = {int: 0, UInt32: 1, Int64: 2, UInt64: 3}


class _Levels(dict[type, int]):
    def __missing__(self, key: type) -> int:
        return 0


_LEVELS = _Levels(_LEVELS)


def _fit(number: int, kind: str) -> Any:
    if kind == "int":
        return number if INT32_MIN <= number <= INT32_MAX else float(number)
    if kind == "uint":
        return UInt32(number) if 0 <= number <= 0xFFFFFFFF else float(number)
    if kind == "long":
        return Int64(number) if INT64_MIN <= number <= INT64_MAX else float(number)
    if kind == "ulong":
        return UInt64(number) if 0 <= number < 1 << 64 else float(number)
    return BigInteger(number)


def _decimal_operation(a: Any, b: Any, how: Callable[[Decimal, Decimal], Decimal]) -> Decimal:
    one, two = conversion.to_decimal(a, DECIMAL), conversion.to_decimal(b, DECIMAL)
    with localcontext() as context:
        context.prec = 40
        try:
            return fit_decimal(how(one, two))
        except NetException as error:
            raise wrap(error) from None


def wrap(error: NetException) -> NetException:
    """A .NET exception of the engine's own arithmetic as the RuntimeException that scripts see."""
    return NetException(
        "System.Management.Automation.RuntimeException",
        error.message,
        error,
        error_id="RuntimeException",
        category="NotSpecified",
    )


def divide_by_zero() -> NetException:
    return wrap(NetException("System.DivideByZeroException", "Attempted to divide by zero."))


def _float_divide(a: float, b: float) -> float:
    if b == 0:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def no_operator(left: Any, name: str) -> NetException:
    """The operand's type has no such operator."""
    shown = type_of(left).full_name if left is not None else "null"
    if left is not None and "`" in shown:
        shown = conversion.type_display(type_of(left))
    return runtime_error(
        "MethodNotFound", f"Method invocation failed because [{shown}] does not contain a method named '{name}'."
    )


def add(left: Any, right: Any) -> Any:
    """``+``."""
    if type(left) is int and type(right) is int:
        result = left + right
        return result if INT32_MIN <= result <= INT32_MAX else float(result)
    if type(left) is str:
        return left + (right if type(right) is str else to_string(right))
    left, right = _plain(left), _plain(right)
    kind = type(left)
    if left is None:
        return right
    if kind is str:
        return left + to_string(right)
    if is_number(left) or kind is bool:
        return _add_numbers(left, right)
    if kind is Char:  # a character adds as text
        return str(left) + to_string(right)
    if kind is PSArray or kind is ByteArray or (isinstance(left, NetObject) and conversion.is_list(left)):
        items = list(iterate(left))
        if is_enumerable(right):
            items.extend(iterate(right))
        else:
            items.append(right)
        return PSArray(items)
    if isinstance(left, Dictionary):
        if isinstance(right, Dictionary):
            return _merge(left, right)
        if not isinstance(right, Dictionary):
            raise runtime_error(
                "AddHashTableToNonHashTable",
                "A hash table can only be added to another hash table.",
                category="InvalidOperation",
            )
    if isinstance(left, EnumValue):
        return _add_numbers(left.value, right)
    return _overloaded(left, right, "__add__", "op_Addition")


def _merge(left: Dictionary, right: Dictionary) -> Any:
    made: Dictionary = OrderedDictionary() if isinstance(left, OrderedDictionary) else Hashtable()
    made.ignore_case = left.ignore_case
    for key, value in left.items():
        made[key] = value
    for key, value in right.items():
        if key in made:
            raise NetException(
                "System.ArgumentException",
                f"Item has already been added. Key in dictionary: '{to_string(key)}'  Key being added: '{to_string(key)}'",
                error_id="System.ArgumentException",
            )
        made[key] = value
    return made


def _add_numbers(left: Any, right: Any) -> Any:
    if type(left) is bool:
        left = int(left)
    if (isinstance(right, NetObject) and not isinstance(right, EnumValue)) or type(right) in (PSArray, ByteArray):
        raise no_operator(right if type(right) in (PSArray, ByteArray) else left, "op_Addition")
    right = _numeric(right)
    if not is_number(right):
        raise no_operator(right, "op_Addition")
    kind = _kind_of(left, right)
    if kind == "double":
        return float(left) + float(right)
    if kind == "decimal":
        return _decimal_operation(left, right, lambda a, b: a + b)
    return _fit(int(left) + int(right), kind)


def _overloaded(left: Any, right: Any, dunder: str, name: str) -> Any:
    """Operators that a .NET type defines: Python's own operators of its class, or static op_ methods."""
    method = getattr(type(left), dunder, None) if isinstance(left, NetObject) else None
    if method is not None and dunder in _OVERLOADABLE:
        operand = right
        if type(right) is str:  # what the operator's type takes: a time span for dates, else its own type
            operand = _operand_for(left, right)
        result = method(left, operand)
        if result is not NotImplemented:
            return result
    if left is not None and isinstance(left, NetObject):
        t = type_of(left)
        if t.script_class is not None or t.methods(name, True):
            from winlab.powershell.runtime.invoke import call_static

            if any(o.fn is not None for o in t.methods(name, True)):
                return call_static(t, name, [left, right])
    raise no_operator(left, name)


_OVERLOADABLE = frozenset({"__add__", "__sub__", "__mul__", "__truediv__", "__mod__"})


def _operand_for(left: Any, right: str) -> Any:
    for name in ("System.TimeSpan", type_of(left).full_name):
        ok, made = conversion.try_convert(right, get_type(name))
        if ok:
            return made
    return right


def subtract(left: Any, right: Any) -> Any:
    """``-``."""
    if type(left) is int and type(right) is int:
        result = left - right
        return result if INT32_MIN <= result <= INT32_MAX else float(result)
    return _arithmetic(left, right, "__sub__", "op_Subtraction", lambda a, b: a - b)


def multiply(left: Any, right: Any) -> Any:
    """``*``: repeats strings and arrays."""
    if type(left) is int and type(right) is int:
        result = left * right
        return result if INT32_MIN <= result <= INT32_MAX else float(result)
    left, right = _plain(left), _plain(right)
    if type(left) is str:
        count = _repeat_count(right)
        _check_size(len(left) * count)
        return left * count
    if type(left) is PSArray or type(left) is ByteArray:
        count = _repeat_count(right)
        _check_size(len(left) * count * 8)
        return PSArray(list(left) * count, left.element_type if type(left) is PSArray else None)
    if left is None:
        return None
    return _arithmetic(left, right, "__mul__", "op_Multiply", lambda a, b: a * b)


def _check_size(size: int) -> None:
    """Refuse what no 5.1 process could hold, before this machine's memory goes."""
    if size > 1 << 30:
        raise NetException(
            "System.OutOfMemoryException",
            "Exception of type 'System.OutOfMemoryException' was thrown.",
            error_id="System.OutOfMemoryException",
        )


def _repeat_count(right: Any) -> int:
    count = int(convert(right, INT32))
    if count < 0:
        raise runtime_error(
            "System.ArgumentOutOfRangeException",
            "Specified argument was out of the range of valid values.\r\nParameter name: times",
            kind="System.ArgumentOutOfRangeException",
            category="OperationStopped",
        )
    return count


def _arithmetic(left: Any, right: Any, dunder: str, name: str, how: Callable[[Any, Any], Any]) -> Any:
    left, right = _plain(left), _plain(right)
    if left is None:
        left = 0
    kind = type(left)
    if kind is str or kind is bool or kind is Char or isinstance(left, EnumValue):
        left = _numeric(left)
    if not is_number(left):
        return _overloaded(left, right, dunder, name)
    if (isinstance(right, NetObject) and not isinstance(right, EnumValue)) or type(right) in (PSArray, ByteArray):
        raise no_operator(right if type(right) in (PSArray, ByteArray) else left, name)
    right = _numeric(right)
    if not is_number(right):
        raise no_operator(left, name)
    arithmetic = _kind_of(left, right)
    if arithmetic == "double":
        try:
            return float(how(float(left), float(right)))
        except OverflowError:
            return math.inf
    if arithmetic == "decimal":
        return _decimal_operation(left, right, how)
    return _fit(int(how(int(left), int(right))), arithmetic)


def divide(left: Any, right: Any) -> Any:
    """``/``: integers stay integers when nothing is left over."""
    left, right = _plain(left), _plain(right)
    if left is None:
        left = 0
    if (isinstance(left, NetObject) and not isinstance(left, EnumValue)) or type(left) in (PSArray, ByteArray):
        return _overloaded(left, right, "__truediv__", "op_Division")
    left, right = _numeric(left), _numeric(right)
    if not is_number(right):
        raise no_operator(left, "op_Division")
    arithmetic = _kind_of(left, right)
    if arithmetic == "double":
        return _float_divide(float(left), float(right))
    if arithmetic == "decimal":
        if right == 0:
            raise divide_by_zero()
        return _decimal_operation(left, right, lambda a, b: a / b)
    one, two = int(left), int(right)
    if two == 0:
        raise divide_by_zero()
    if one % two == 0:
        return _fit(one // two, arithmetic)
    return one / two


def remainder(left: Any, right: Any) -> Any:
    """``%``: the sign is the dividend's."""
    left, right = _plain(left), _plain(right)
    if left is None:
        left = 0
    if (isinstance(left, NetObject) and not isinstance(left, EnumValue)) or type(left) in (PSArray, ByteArray):
        return _overloaded(left, right, "__mod__", "op_Modulus")
    left, right = _numeric(left), _numeric(right)
    if not is_number(right):
        raise no_operator(left, "op_Modulus")
    arithmetic = _kind_of(left, right)
    if arithmetic == "double":
        if right == 0 or not math.isfinite(float(left)):
            return math.nan
        return math.fmod(float(left), float(right))
    if arithmetic == "decimal":
        if right == 0:
            raise divide_by_zero()
        return _decimal_operation(left, right, lambda a, b: a % b)
    one, two = int(left), int(right)
    if two == 0:
        raise divide_by_zero()
    rest = abs(one) % abs(two)
    return _fit(-rest if one < 0 else rest, arithmetic)


def negate(value: Any) -> Any:
    """Unary ``-``."""
    if type(value) is float:
        return -value
    value = _plain(value)
    if isinstance(value, float):
        return Single(-value) if type(value) is Single else -value
    negated = getattr(value, "__neg__", None) if isinstance(value, NetObject) else None
    if negated is not None:
        return negated()
    return subtract(0, value)


def plus(value: Any) -> Any:
    """Unary ``+``."""
    value = _plain(value)
    if is_number(value):
        return value
    return add(0, value)


def increment(value: Any, by: int) -> Any:
    """``++`` and ``--``: null counts as 0, only numbers are taken."""
    value = _plain(value)
    if type(value) is int:
        return add(value, by)
    if value is None:
        return by
    if not is_number(value) and type(value) is not Char:
        sign = "++" if by > 0 else "--"
        raise runtime_error(
            "OperatorRequiresNumber",
            f"The '{sign}' operator works only on numbers. The operand is a '{type_of(value).full_name}'.",
        )
    return add(value, by)


# ------------------------------------------------------------------------------------------------------------ bits


def _bit_operand(value: Any) -> Any:
    value = _plain(value)
    if value is None:
        return 0
    if isinstance(value, EnumValue):
        return value.value
    if type(value) is bool:
        return int(value)
    if type(value) is str:
        value = _text_to_number(value)
    if isinstance(value, float) or type(value) is Decimal:
        number = int(Decimal(value).to_integral_value()) if math.isfinite(float(value)) else 0
        if INT32_MIN <= number <= INT32_MAX:
            return number
        if INT64_MIN <= number <= INT64_MAX:
            return Int64(number)
        if 0 <= number < 1 << 64:
            return UInt64(number)
        raise conversion._iconvertible(value, get_type("System.UInt64"))
    if not is_number(value):
        raise no_operator(value, "op_BitwiseAnd")
    return value


def _bitwise(left: Any, right: Any, how: Callable[[int, int], int]) -> Any:
    plain_left = _plain(left)
    enum = plain_left.net_type if isinstance(plain_left, EnumValue) else None
    if enum is None and isinstance(_plain(right), EnumValue):
        enum = _plain(right).net_type
        if isinstance(plain_left, str):
            left = conversion.to_enum(plain_left, enum)
    elif enum is not None and isinstance(_plain(right), str):
        right = conversion.to_enum(_plain(right), enum)
    a, b = _bit_operand(left), _bit_operand(right)
    arithmetic = _kind_of(a, b)
    bits = 64 if arithmetic in ("long", "ulong", "decimal") else 32
    result = how(int(a), int(b))
    if arithmetic in ("uint", "ulong"):
        result &= (1 << bits) - 1
    if enum is not None:
        return enum.enum(result)
    if arithmetic == "decimal":
        arithmetic = "long"
    return _fit(result, arithmetic)


def band(left: Any, right: Any) -> Any:
    return _bitwise(left, right, lambda a, b: a & b)


def bor(left: Any, right: Any) -> Any:
    return _bitwise(left, right, lambda a, b: a | b)


def bxor(left: Any, right: Any) -> Any:
    return _bitwise(left, right, lambda a, b: a ^ b)


def bnot(value: Any) -> Any:
    if isinstance(_plain(value), EnumValue):
        enum = _plain(value)
        return enum.net_type.enum(~enum.value)
    number = _bit_operand(value)
    if type(number) is UInt32:
        return UInt32(~int(number) & 0xFFFFFFFF)
    if type(number) is UInt64:
        return UInt64(~int(number) & (1 << 64) - 1)
    result = ~int(number)
    return Int64(result) if type(number) is Int64 else result


def _wrapped(number: int, bits: int, signed: bool) -> int:
    number &= (1 << bits) - 1
    if signed and number >> (bits - 1):
        number -= 1 << bits
    return number


def shift_left(left: Any, right: Any) -> Any:
    return _shift(left, right, True)


def shift_right(left: Any, right: Any) -> Any:
    return _shift(left, right, False)


def _shift(left: Any, right: Any, to_left: bool) -> Any:
    value = _bit_operand(left)
    count = int(convert(right, INT32))
    kind = type(value)
    if kind in (Int64, UInt64):
        bits, signed = 64, kind is Int64
    else:
        bits, signed = 32, kind is not UInt32
    count &= bits - 1
    number = int(value) << count if to_left else int(value) >> count
    number = _wrapped(number, bits, signed)
    return kind(number) if kind in (Int64, UInt64, UInt32) else number


# ------------------------------------------------------------------------------------------------------ comparison


def equals(left: Any, right: Any, ignore_case: bool = True) -> bool:
    """Whether two single values are equal to PowerShell (``-eq``): the right one is converted to the left one's type."""
    kind = type(left)
    if kind is type(right):
        if kind is int or kind is bool:
            return left == right
        if kind is str:
            return left == right or (ignore_case and left.lower() == right.lower())
    left, right = _plain(left), _plain(right)
    if left is None:
        return right is None
    if right is None:
        return False
    kind = type(left)
    if kind is str:
        text = to_string(right)
        return left == text or (ignore_case and left.lower() == text.lower())
    if kind is bool:
        return left == to_bool(right)
    if kind is Char:
        if type(right) is str and len(right) != 1:
            return False
        ok, other = conversion.try_convert(right, get_type("System.Char"))
        return ok and (str(left) == str(other) or (ignore_case and str(left).lower() == str(other).lower()))
    if is_number(left):
        other = _comparable_number(right, left)
        return other is not None and _numbers_equal(left, other)
    if isinstance(left, EnumValue):
        if isinstance(right, EnumValue) and right.net_type is left.net_type:
            return left.value == right.value
        try:
            if isinstance(right, (str, EnumValue)):
                return conversion.to_enum(right, left.net_type).value == left.value
            return left.value == int(_numeric(right))
        except (NetException, TypeError, ValueError):
            return False
    if left is right:
        return True
    if isinstance(left, (NetType, PSCustomObject, PSArray, ByteArray, ScriptBlock)):
        return (
            isinstance(left, NetType)
            and isinstance(right, str)
            and conversion.try_convert(right, get_type("System.Type"))[1] is left
        )
    if values_equal(left, right):
        return True
    if type(right) is not type(left):
        ok, other = conversion.try_convert(right, type_of(left))
        return ok and other is not None and values_equal(left, other)
    return False


def values_equal(left: Any, right: Any) -> bool:
    """Equals() of .NET; classes of scripts may define their own."""
    t = type_of(left)
    if t.script_class is not None:
        from winlab.powershell.runtime.invoke import call_method

        return to_bool(call_method(left, "Equals", [right]))
    return values.net_equals(left, right)


def _comparable_number(value: Any, like: Any) -> Any:
    if is_number(value):
        return value
    kind = type(value)
    if kind is bool:
        return int(value)
    if kind is Char:
        return ord(value[0])
    if kind is str:
        try:
            return _text_as(value, like)
        except NetException:
            return None
    if isinstance(value, EnumValue):
        return value.value
    return None


def _text_as(text: str, like: Any) -> Any:
    """A string on the right of a number: converted to the number's type, wider when it does not fit."""
    t = type_of(like)
    if isinstance(like, float) or type(like) is Decimal:
        return convert(text, t)
    if text.strip() and conversion._REAL.match(text):
        return _text_to_number(text.replace(",", "")) if "," not in text else convert(text, t)
    return convert(text, t)


def _numbers_equal(a: Any, b: Any) -> bool:
    return compare_numbers(a, b) == 0


def compare_numbers(a: Any, b: Any) -> int:
    """Order of two numbers in their common type; 2 when one is NaN."""
    if isinstance(a, float) or isinstance(b, float):
        if type(a) is Decimal or type(b) is Decimal:
            one, two = conversion.to_decimal(a, DECIMAL), conversion.to_decimal(b, DECIMAL)
            return (one > two) - (one < two)
        x, y = float(a), float(b)
        if x != x or y != y:
            return 2
        return (x > y) - (x < y)
    return (a > b) - (a < b)


def compare(left: Any, right: Any, ignore_case: bool = True) -> int:
    """Order of two values (``-lt`` and its kin, Sort-Object): below 0, 0, above 0. NetException when they do not compare."""
    if type(left) is int and type(right) is int:
        return (left > right) - (left < right)
    left, right = _plain(left), _plain(right)
    if left is None or right is None:
        return _compare_null(left, right)
    kind = type(left)
    if kind is str:
        return values.culture_compare(left, to_string(right), ignore_case)
    if is_number(left):
        if is_number(right):
            return compare_numbers(left, right)
        other = _text_as(right, left) if type(right) is str else _numeric(right)
        if not is_number(other):
            other = convert(right, type_of(left))
        return compare_numbers(left, other)
    if kind is bool:
        return int(left) - int(to_bool(right))
    if kind is Char:
        other = convert(right, get_type("System.Char"))
        return values.culture_compare(str(left), str(other), ignore_case)
    if isinstance(left, EnumValue):
        other = conversion.to_enum(right, left.net_type)
        return (left.value > other.value) - (left.value < other.value)
    t = type_of(left)
    other = right
    if type_of(right) is not t:
        try:
            other = convert(right, t)
        except NetException as error:
            raise runtime_error(
                "ComparisonFailure",
                f'Could not compare "{to_string(left)}" to "{to_string(right)}". Error: "{error.message}"',
            ) from None
    if t.script_class is not None:
        from winlab.powershell.runtime.invoke import call_method, method_group

        if method_group(t, "CompareTo") is not None:
            return int(call_method(left, "CompareTo", [other]))
    elif getattr(left, "compare_to", None) is not None or hasattr(type(left), "__lt__"):
        try:
            return values.net_compare(left, other)
        except (TypeError, NetException):
            pass
    if equals(left, right, ignore_case):
        return 0
    raise runtime_error(
        "NotIcomparable",
        f'Cannot compare "{to_string(left)}" because it is not IComparable.',
        kind="System.Management.Automation.RuntimeException",
    )


def _compare_null(left: Any, right: Any) -> int:
    if left is None and right is None:
        return 0
    if left is None:
        return 1 if is_number(right) and right < 0 else -1
    return -1 if is_number(left) and left < 0 else 1


def _collection(value: Any) -> Any:
    """The elements of a collection on the left of a comparison, None for single values."""
    kind = type(value)
    if kind is int or kind is str or kind is bool or value is None:
        return None
    if kind is PSArray or kind is ByteArray:
        return value
    return list(iterate(value)) if is_enumerable(value) else None


def _filter(items: Any, test: Callable[[Any], bool]) -> PSArray:
    return PSArray([item for item in items if test(item)])


def eq(left: Any, right: Any, ignore_case: bool = True) -> Any:
    items = _collection(left)
    if items is not None:
        return _filter(items, lambda item: equals(item, right, ignore_case))
    return equals(left, right, ignore_case)


def ne(left: Any, right: Any, ignore_case: bool = True) -> Any:
    items = _collection(left)
    if items is not None:
        return _filter(items, lambda item: not equals(item, right, ignore_case))
    return not equals(left, right, ignore_case)


def _ordering(test: Callable[[int], bool]) -> Callable[..., Any]:
    def operator(left: Any, right: Any, ignore_case: bool = True) -> Any:
        items = _collection(left)
        if items is not None:
            return _filter(items, lambda item: test(_ordered(item, right, ignore_case)))
        return test(_ordered(left, right, ignore_case))

    return operator


def _ordered(left: Any, right: Any, ignore_case: bool) -> int:
    try:
        return compare(left, right, ignore_case)
    except NetException as error:
        if error.error_id is None:
            raise wrap(error) from None
        raise


lt = _ordering(lambda order: order < 0)
gt = _ordering(lambda order: order == 1 or order > 2)
le = _ordering(lambda order: order <= 0)
ge = _ordering(lambda order: order in (0, 1) or order > 2)


def contains(left: Any, right: Any, ignore_case: bool = True) -> bool:
    """``-contains``."""
    items = _collection(left)
    if items is None:
        items = (left,)
    return any(equals(item, right, ignore_case) for item in items)


# ------------------------------------------------------------------------------------------------------------ text


def like(left: Any, right: Any, ignore_case: bool = True) -> Any:
    from winlab.powershell.runtime.wildcard import wildcard

    matches = wildcard(to_string(right), ignore_case)
    items = _collection(left)
    if items is not None:
        return _filter(items, lambda item: matches(to_string(item)))
    return matches(to_string(left))


def notlike(left: Any, right: Any, ignore_case: bool = True) -> Any:
    from winlab.powershell.runtime.wildcard import wildcard

    matches = wildcard(to_string(right), ignore_case)
    items = _collection(left)
    if items is not None:
        return _filter(items, lambda item: not matches(to_string(item)))
    return not matches(to_string(left))


def regex(pattern: Any, ignore_case: bool = True) -> regexes.Compiled:
    """A pattern of ``-match`` and its kin, compiled; RegexError as the engine reports it."""
    pattern = _plain(pattern)
    made = getattr(pattern, "compiled", None)
    if isinstance(made, regexes.Compiled):
        return made
    try:
        return regexes.compile_pattern(to_string(pattern), regexes.IGNORE_CASE if ignore_case else 0)
    except regexes.RegexError as error:
        raise NetException(
            "System.Management.Automation.RuntimeException",
            f"The regular expression pattern {to_string(pattern)} is not valid.",
            NetException("System.ArgumentException", str(error)),
            error_id="InvalidRegularExpression",
            category="InvalidArgument",
        ) from None


def match(left: Any, right: Any, ignore_case: bool = True, negated: bool = False) -> Any:
    """``-match``: sets ``$Matches`` when a single value matches."""
    compiled = regex(right, ignore_case)
    items = _collection(left)
    if items is not None:
        return _filter(items, lambda item: (compiled.search(to_string(item)) is None) == negated)
    found = compiled.search(to_string(left))
    if found is None:
        return negated
    current().set_matches(matches_table(compiled, found))
    return not negated


def matches_table(compiled: regexes.Compiled, found: Any) -> Hashtable:
    """``$Matches``: groups that took part, by name or number."""
    table = Hashtable()
    for number in sorted(compiled.numbers, reverse=True):
        text = compiled.group(found, number)
        if text is not None:
            name = compiled.names.get(number)
            table[name if name and not name.isdigit() else number] = text
    return table


def notmatch(left: Any, right: Any, ignore_case: bool = True) -> Any:
    return match(left, right, ignore_case, True)


def replace(left: Any, right: Any, ignore_case: bool = True) -> Any:
    """``-replace`` with a pattern and a replacement (a script block counts as its text in 5.1)."""
    if type(right) is PSArray or is_enumerable(right):
        parts = list(iterate(right))
        if len(parts) > 2:
            raise runtime_error(
                "BadReplaceArgument",
                "The -ireplace operator allows only two elements to follow it, not " + str(len(parts)) + "."
                if ignore_case
                else "The -creplace operator allows only two elements to follow it, not " + str(len(parts)) + ".",
            )
        pattern = parts[0] if parts else None
        replacement = to_string(parts[1]) if len(parts) > 1 else ""
    else:
        pattern, replacement = right, ""
    compiled = regex(pattern, ignore_case)
    items = _collection(left)
    if items is not None:
        return PSArray([compiled.replace(to_string(item), replacement) for item in items])
    return compiled.replace(to_string(left), replacement)


def join(left: Any, right: Any) -> str:
    """``-join`` with a separator."""
    if not is_enumerable(left):
        return to_string(left)
    return to_string(right).join([to_string(item) for item in iterate(left)])


def unary_join(value: Any) -> str:
    return join(value, "")


def unary_split(value: Any) -> PSArray:
    """Unary ``-split``: at white space, without empty pieces."""
    texts = [to_string(v) for v in iterate(value)] if is_enumerable(value) else [to_string(value)]
    return _strings([piece for text in texts for piece in text.split()])


def _strings(items: list[str]) -> PSArray:
    return PSArray(items, get_type("System.String"))


def split(left: Any, right: Any, ignore_case: bool = True) -> PSArray:
    """``-split`` with a pattern (or script block), a limit and options."""
    parts = list(iterate(right)) if is_enumerable(right) else [right]
    pattern = _plain(parts[0]) if parts else None
    limit = int(convert(parts[1], INT32)) if len(parts) > 1 else 0
    options = to_string(parts[2]).lower() if len(parts) > 2 else ""
    texts = [to_string(v) for v in iterate(left)] if is_enumerable(left) else [to_string(left)]
    if limit < 0:
        limit = 0
    pieces: list[str] = []
    for text in texts:
        if isinstance(pattern, ScriptBlock):
            pieces.extend(_split_by_block(text, pattern, limit))
        else:
            pieces.extend(_split_by_pattern(text, to_string(pattern), limit, options, ignore_case))
    return _strings(pieces)


def _split_by_block(text: str, block: ScriptBlock, limit: int) -> list[str]:
    runtime = current()
    pieces: list[str] = []
    piece: list[str] = []
    for index, ch in enumerate(text):
        if limit and len(pieces) >= limit - 1:
            piece.append(text[index:])
            break
        if to_bool(runtime.call_block(block, ch, index, underscore=ch)):
            pieces.append("".join(piece))
            piece = []
        else:
            piece.append(ch)
    pieces.append("".join(piece))
    return pieces


_SPLIT_OPTIONS = {
    "ignorecase": regexes.IGNORE_CASE,
    "multiline": regexes.MULTILINE,
    "singleline": regexes.SINGLELINE,
    "ignorepatternwhitespace": regexes.IGNORE_WHITESPACE,
    "explicitcapture": regexes.EXPLICIT_CAPTURE,
    "cultureinvariant": 0,
    "regexmatch": 0,
}


def _split_by_pattern(text: str, pattern: str, limit: int, options: str, ignore_case: bool) -> list[str]:
    names = [name.strip() for name in options.split(",") if name.strip()]
    if "simplematch" in names:
        pattern = regexes.escape(pattern)
    flags = regexes.IGNORE_CASE if ignore_case else 0
    for name in names:
        flags |= _SPLIT_OPTIONS.get(name, 0)
    try:
        compiled = regexes.compile_pattern(pattern, flags)
    except regexes.RegexError as error:
        raise wrap(NetException("System.ArgumentException", str(error))) from None
    return compiled.split(text, limit)


def format_operator(left: Any, right: Any) -> str:
    """``-f``."""
    arguments = list(iterate(right)) if type(right) is PSArray or is_enumerable(right) else [right]
    shown = [_format_argument(a) for a in arguments]
    try:
        return values.format_composite(to_string(left), shown)
    except NetException as error:
        raise NetException(
            "System.Management.Automation.RuntimeException",
            f"Error formatting a string: {error.message}.".replace("..", "."),
            error,
            error_id="FormatError",
            category="InvalidOperation",
            target=left,
        ) from None


def _format_argument(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, (PSCustomObject, ScriptBlock)):
        return to_string(value)
    return value


# ----------------------------------------------------------------------------------------------------------- types


def is_type(left: Any, right: Any) -> bool:
    """``-is``."""
    if left is None or left is AutomationNull:
        return False
    t = right if isinstance(right, NetType) else conversion._to_type(right, get_type("System.Type"))
    name = t.full_name
    if name == "System.Management.Automation.PSObject":
        return isinstance(left, PSObject)
    if name == "System.Management.Automation.PSCustomObject":
        return isinstance(left, PSCustomObject)
    value = unwrap(left)
    if value is None:
        return False
    return bool(t.is_assignable_from(type_of(value)))


def as_type(left: Any, right: Any) -> Any:
    """``-as``: null when it does not convert."""
    t = right if isinstance(right, NetType) else conversion._to_type(right, get_type("System.Type"))
    try:
        return conversion.cast(left, t)
    except (NetException, TerminatingError):
        return None


def range_operator(left: Any, right: Any) -> PSArray:
    """``..``: whole numbers up or down."""
    a, b = _range_bound(left), _range_bound(right)
    if a <= b:
        if b - a >= 50_000_000:
            raise LabUnsupported(f"a range of {b - a + 1} elements")
        return PSArray(range(a, b + 1))
    return PSArray(range(a, b - 1, -1))


def _range_bound(value: Any) -> int:
    value = _plain(value)
    if type(value) is int:
        return value
    if value is None:
        return 0
    return int(convert(value, INT32))
