"""PowerShell's conversions: to text, to truth, to numbers, to any type, and how good a conversion is (for overloads).

Sources: "about_Type_Conversion", "about_Booleans", and the behaviour recorded from the real engine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from winlab.powershell.dotnet import numberformat, values
from winlab.powershell.dotnet.core import ACCELERATOR_BY_TYPE, NetType, get_type, type_of
from winlab.powershell.errors import ErrorRecord, NetException, runtime_error
from winlab.powershell.objects import (
    INT32_MAX,
    INT32_MIN,
    AutomationNull,
    Byte,
    ByteArray,
    Char,
    Delegate,
    Dictionary,
    EnumValue,
    Hashtable,
    Int16,
    Int64,
    MultiArray,
    NetObject,
    NullString,
    OrderedDictionary,
    PSArray,
    PSCustomObject,
    PSMember,
    PSObject,
    PSReference,
    SByte,
    ScriptBlock,
    Single,
    SizedInt,
    SwitchParameter,
    UInt16,
    UInt32,
    UInt64,
    unwrap,
)
from winlab.powershell.runtime.context import current, current_or_none

OBJECT = get_type("System.Object")

INTEGER_CLASSES: dict[str, type] = {
    "System.Int32": int,
    "System.Byte": Byte,
    "System.SByte": SByte,
    "System.Int16": Int16,
    "System.UInt16": UInt16,
    "System.UInt32": UInt32,
    "System.Int64": Int64,
    "System.UInt64": UInt64,
}
INTEGER_RANGES: dict[str, tuple[int, int]] = {
    name: (INT32_MIN, INT32_MAX) if cls is int else (cls.minimum, cls.maximum)  # type: ignore[attr-defined]
    for name, cls in INTEGER_CLASSES.items()
}
NUMERIC_TYPES = frozenset({*INTEGER_CLASSES, "System.Double", "System.Single", "System.Decimal"})


# ------------------------------------------------------------------------------------------------------------ text


def format_double(value: float) -> str:
    """A double as .NET Framework shows it: 15 significant digits; negative zero is 0."""
    if value == int(value) if -1e15 < value < 1e15 else False:
        return str(int(value))
    return numberformat.format_double(value, None, numberformat.INVARIANT)


def is_enumerable(value: Any) -> bool:
    """Whether the pipeline takes the value apart: arrays, collections and enumerators, but no text, dictionary or XML node."""
    kind = type(value)
    if kind is PSArray or kind is ByteArray:
        return True
    if kind is str or kind is int or kind is bool:
        return False
    if isinstance(value, (Dictionary, PSCustomObject)):
        return False
    if kind is PSObject:
        return is_enumerable(value.base)
    if isinstance(value, MultiArray):
        return True
    return isinstance(value, NetObject) and hasattr(value, "__iter__") and not getattr(value, "not_enumerated", False)


def iterate(value: Any) -> Any:
    """The elements of a value for which :func:`is_enumerable` holds."""
    if type(value) is PSObject:
        value = value.base
    if isinstance(value, MultiArray):
        return iter(value.items)
    return iter(value)


def to_string(value: Any) -> str:
    """``[string]$x`` and ``"$x"``."""
    kind = type(value)
    if kind is str:
        return value
    if value is None or value is AutomationNull:
        return ""
    if kind is bool:
        return "True" if value else "False"
    if kind is int:
        return str(value)
    if kind is float:
        return format_double(value)
    if kind is Char:
        return str.__str__(value)
    if isinstance(value, SizedInt):
        return int.__repr__(value)
    if kind is Single:
        return numberformat.format_single(value, None, numberformat.INVARIANT)
    if kind is Decimal:
        return format(value, "f")
    if kind is PSArray or kind is ByteArray:
        return _joined(value)
    if kind is PSCustomObject:
        return _custom_to_string(value)
    if kind is PSObject:
        method = value.ps_members.get("tostring")
        if method is not None:
            return to_string(current().invoke_script_method(value, method, []))
        return to_string(value.base)
    return _object_to_string(value)


def separator() -> str:
    """``$OFS``, a blank when it is not set."""
    runtime = current_or_none()
    if runtime is None:
        return " "
    found = runtime.find_variable("ofs")
    if found is None:
        return " "
    return "" if found.value is None else to_string(found.value)


def _joined(value: Any) -> str:
    return separator().join([element_text(item) for item in value])


def element_text(item: Any) -> str:
    """An element of a collection that is shown as text: collections within show their type only."""
    if type(item) is str:
        return item
    base = item.base if type(item) is PSObject else item
    if is_enumerable(base):
        return str(type_of(base).full_name) if "`" not in type_of(base).full_name else type_display(type_of(base))
    return to_string(item)


def _custom_to_string(value: PSCustomObject) -> str:
    method = value.ps_members.get("tostring")
    if method is not None and method.kind in ("ScriptMethod", "CodeMethod"):
        return to_string(current().invoke_script_method(value, method, []))
    parts = []
    for member in value.ps_members.values():
        if member.kind.endswith("Method"):
            continue
        item = member.value if member.kind == "NoteProperty" else current().get_member_value(value, member)
        text = _nested_text(item)
        parts.append(f"{member.name}={text}")
    return "@{" + "; ".join(parts) + "}" if parts else ""


def _nested_text(value: Any) -> str:
    value = unwrap(value)
    if type(value) is PSCustomObject:
        return ""
    if is_enumerable(value) and not isinstance(value, str):
        return type_of(value).full_name
    return to_string(value)


def _object_to_string(value: Any) -> str:
    if isinstance(value, NetType):
        return ACCELERATOR_BY_TYPE.get(value.full_name, type_display(value))
    if isinstance(value, EnumValue):
        return value.name
    if isinstance(value, ScriptBlock):
        return value.text
    if isinstance(value, SwitchParameter):
        return "True" if value.is_present else "False"
    if isinstance(value, ErrorRecord):
        return value.message
    members = getattr(value, "ps_members", None)
    if members:
        method = members.get("tostring")
        if method is not None:
            return to_string(current().invoke_script_method(value, method, []))
    if isinstance(value, NetObject) and is_enumerable(value):
        return separator().join([element_text(item) for item in iterate(value)])
    return call_to_string(value)


def type_display(t: NetType) -> str:
    """A type as PowerShell writes it: C# style names of generic arguments."""
    if t.element_type is not None:
        inner = ACCELERATOR_BY_TYPE.get(t.element_type.full_name, type_display(t.element_type))
        return f"{inner}[{',' * (t.rank - 1)}]"
    if t.definition is not None:
        head = t.definition.full_name.partition("`")[0]
        inner = ",".join(ACCELERATOR_BY_TYPE.get(a.full_name, type_display(a)) for a in t.arguments)
        return f"{head}[{inner}]"
    return t.full_name


def call_to_string(value: Any) -> str:
    """The value's own ToString() in the invariant culture; its type's name when it has none."""
    if getattr(value, "net_type", None) is not None and value.net_type.script_class is not None:
        from winlab.powershell.runtime.invoke import call_method

        return to_string(call_method(value, "ToString", []))
    return values.net_string(value, None, values.INVARIANT)


# ----------------------------------------------------------------------------------------------------------- truth


def to_bool(value: Any) -> bool:
    """``[bool]$x``, and the truth of a condition."""
    kind = type(value)
    if kind is bool:
        return value
    if value is None or value is AutomationNull:
        return False
    if kind is str:
        return value != ""
    if kind is int or kind is float or kind is Decimal:
        return value != 0
    if kind is PSArray:
        count = len(value)
        if count == 0:
            return False
        if count > 1:
            return True
        first = value[0]
        if is_list(first):
            return len(unwrap(first)) >= 1
        return to_bool(first)
    if kind is ByteArray:
        return len(value) > 1 or (len(value) == 1 and value[0] != 0)
    if kind is Char:
        return value != "\0"
    if isinstance(value, (int, float)):
        return value != 0
    if kind is PSObject:
        return to_bool(value.base)
    if kind is SwitchParameter:
        return value.is_present
    if isinstance(value, EnumValue):
        return value.value != 0
    if is_list(value):
        items = list(iterate(value))
        return len(items) > 1 or (len(items) == 1 and to_bool(items[0]))
    return True


def is_list(value: Any) -> bool:
    """Whether a value is an IList (arrays, ArrayList, List[T] ...)."""
    value = unwrap(value)
    if type(value) is PSArray or type(value) is ByteArray:
        return True
    if not isinstance(value, NetObject) or isinstance(value, (Dictionary, PSObject, NetType)):
        return False
    return bool(getattr(value, "is_list", False)) or any(
        t.full_name in ("System.Collections.IList",) for t in type_of(value).interfaces()
    )


# --------------------------------------------------------------------------------------------------------- numbers

_INTEGER = re.compile(r"^\s*[+-]?\d+\s*$")
_HEX = re.compile(r"^\s*([+-]?)0[xX]([0-9a-fA-F]+)\s*$")
_REAL = re.compile(r"^\s*[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")


def cast_error(error_id: str, message: str, inner: NetException | None = None) -> NetException:
    return NetException(
        "System.Management.Automation.PSInvalidCastException",
        message,
        inner,
        error_id=error_id,
        category="InvalidArgument",
    )


def _quoted(value: Any) -> str:
    return to_string(value)


def string_failure(text: str, t: NetType, error_id: str, reason: str, inner: str) -> NetException:
    return cast_error(
        error_id,
        f'Cannot convert value "{text}" to type "{t.full_name}". Error: "{reason}"',
        NetException(inner, reason),
    )


def to_integer(value: Any, t: NetType) -> Any:
    """Convert to one of .NET's integer types; reals round half to even."""
    name = t.full_name
    cls = INTEGER_CLASSES[name]
    low, high = INTEGER_RANGES[name]
    kind = type(value)
    if kind is str:
        return _integer_from_text(value, t, cls, low, high)
    if kind is bool:
        number = 1 if value else 0
    elif kind is Char:
        number = ord(value[0]) if value else 0
    elif isinstance(value, int):
        number = int(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _iconvertible(value, t)
        number = int(Decimal(value).to_integral_value(ROUND_HALF_EVEN))
    elif kind is Decimal:
        number = int(value.to_integral_value(ROUND_HALF_EVEN))
    elif isinstance(value, EnumValue):
        number = value.value
    else:
        raise _final(value, t)
    if not low <= number <= high:
        raise _iconvertible(value, t)
    return number if cls is int else cls(number)


def _iconvertible(value: Any, t: NetType) -> NetException:
    reason = f"Value was either too large or too small for {_article(t)}."
    return string_failure(to_string(value), t, "InvalidCastIConvertible", reason, "System.OverflowException")


def _article(t: NetType) -> str:
    return {
        "System.Byte": "an unsigned byte",
        "System.SByte": "a signed byte",
        "System.Decimal": "a Decimal",
        "System.Char": "a character",
    }.get(t.full_name, ("an " if t.name[0] in "IU" else "a ") + t.name)


def _integer_from_text(text: str, t: NetType, cls: type, low: int, high: int) -> Any:
    if text == "":
        return cls(0)
    number: int
    hexadecimal = _HEX.match(text)
    if hexadecimal:
        number = int(hexadecimal.group(2), 16)
        bits = (high - low).bit_length()
        if low < 0 and number > high and number < 1 << bits:
            number -= 1 << bits
        if hexadecimal.group(1) == "-":
            number = -number
    elif _INTEGER.match(text):
        number = int(text)
    elif _REAL.match(text):
        number = int(Decimal(text.strip().replace(",", "")).to_integral_value(ROUND_HALF_EVEN))
    else:
        raise string_failure(
            text,
            t,
            "InvalidCastFromStringToInteger",
            "Input string was not in a correct format.",
            "System.FormatException",
        )
    if not low <= number <= high:
        raise string_failure(
            text,
            t,
            "InvalidCastFromStringToInteger",
            f"Value was either too large or too small for {_article(t)}.",
            "System.OverflowException",
        )
    return number if cls is int else cls(number)


def to_double(value: Any, t: NetType) -> Any:
    """Convert to Double or Single."""
    cls = float if t.full_name == "System.Double" else Single
    kind = type(value)
    if kind is str:
        if value == "":
            return cls(0.0)
        hexadecimal = _HEX.match(value)
        if hexadecimal:
            return cls(float(int(value.strip(), 16)))
        text = value.strip()
        special = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "∞": math.inf, "-∞": -math.inf}
        if text in special:
            return cls(special[text])
        if not _REAL.match(value):
            raise string_failure(
                value,
                t,
                "InvalidCastFromStringToDoubleOrSingle",
                "Input string was not in a correct format.",
                "System.FormatException",
            )
        return cls(float(text.replace(",", "")))
    if kind is bool:
        return cls(1.0 if value else 0.0)
    if kind is Char:
        raise _final(value, t)
    if isinstance(value, (int, float)) or kind is Decimal:
        return cls(float(value))
    if isinstance(value, EnumValue):
        return cls(float(value.value))
    raise _final(value, t)


def to_decimal(value: Any, t: NetType) -> Any:
    """Convert to Decimal (28 significant digits; doubles keep 15)."""
    kind = type(value)
    if kind is Decimal:
        return value
    if kind is str:
        if value == "":
            return Decimal(0)
        text = value.strip().replace(",", "")
        hexadecimal = _HEX.match(value)
        if hexadecimal:
            return Decimal(int(value.strip(), 16))
        try:
            if not _REAL.match(value):
                raise InvalidOperation
            return fit_decimal(Decimal(text))
        except InvalidOperation:
            raise string_failure(
                value,
                t,
                "InvalidCastFromStringToDecimal",
                "Input string was not in a correct format.",
                "System.FormatException",
            ) from None
    if kind is bool:
        return Decimal(1 if value else 0)
    if kind is Char:
        raise _final(value, t)
    if isinstance(value, int):
        return fit_decimal(Decimal(int(value)))
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) >= 7.92281625142643e28:
            raise _iconvertible(value, t)
        return fit_decimal(Decimal(f"{float(value):.{7 if kind is Single else 15}g}"))
    if isinstance(value, EnumValue):
        return Decimal(value.value)
    raise _final(value, t)


DECIMAL_MAX = Decimal(2**96 - 1)


def fit_decimal(value: Decimal) -> Decimal:
    """A decimal in the 96 bits and 28 places of System.Decimal."""
    if abs(value) > DECIMAL_MAX:
        raise NetException("System.OverflowException", "Value was either too large or too small for a Decimal.")
    return numberformat.fit_decimal(value)


# ------------------------------------------------------------------------------------------------------- conversion


def _final(value: Any, t: NetType) -> NetException:
    """The message of last resort: no conversion exists."""
    return cast_error(
        "ConvertToFinalInvalidCastException",
        f'Cannot convert the "{_quoted(value)}" value of type "{type_of(value).full_name}" to type "{t.full_name}".',
    )


def null_failure(t: NetType) -> NetException:
    return cast_error("nullToObjectInvalidCast", f'Cannot convert null to type "{t.full_name}".')


def convert(value: Any, t: NetType) -> Any:
    """``[t]$value`` without what only a cast expression does (``[pscustomobject]@{}``, ``[ordered]``). Raises PSInvalidCastException."""
    name = t.full_name
    kind = type(value)
    # the commonest first
    if name == "System.Object":
        return None if value is AutomationNull else value
    if name == "System.String":
        if kind is str:
            return value
        if value is NullString:
            return None
        return to_string(value)
    if name == "System.Int32" and kind is int:
        return value
    if name == "System.Boolean":
        return to_bool(value)
    if value is AutomationNull:
        value = None
    if kind is PSObject:
        if name == "System.Management.Automation.PSObject":
            return value
        value = value.base
        kind = type(value)
    if value is None:
        return _from_null(t)
    if name in INTEGER_CLASSES:
        return _number(value, t, to_integer)
    if name in ("System.Double", "System.Single"):
        return _number(value, t, to_double)
    if name == "System.Decimal":
        return _number(value, t, to_decimal)
    converter = _CONVERTERS.get(name)
    if converter is not None:
        return converter(value, t)
    if t.is_assignable_from(type_of(value)):
        return value
    if t.is_array:
        return _to_array(value, t)
    if t.is_enum:
        return to_enum(value, t)
    if t.definition is not None and t.definition.full_name == "System.Nullable`1":
        return convert(value, t.arguments[0])
    if isinstance(value, ScriptBlock) and t.is_delegate:
        return make_delegate(value, t)
    if isinstance(value, Delegate) and t.definition is not None and value.net_type.definition is t.definition:
        from winlab.powershell.runtime.invoke import same_delegate

        if same_delegate(value.net_type, t):
            return value
    return _to_object(value, t)


def _from_null(t: NetType) -> Any:
    name = t.full_name
    if name in INTEGER_CLASSES:
        cls = INTEGER_CLASSES[name]
        return cls(0)
    if name == "System.Double":
        return 0.0
    if name == "System.Single":
        return Single(0.0)
    if name == "System.Decimal":
        return Decimal(0)
    if name == "System.Char":
        return Char("\0")
    if name == "System.Management.Automation.SwitchParameter":
        return SwitchParameter(False)
    if name == "System.Management.Automation.PSReference":
        return PSReference(None)
    if t.definition is not None and t.definition.full_name == "System.Nullable`1":
        return None
    if t.is_value_type:
        raise null_failure(t)
    return None


def _number(value: Any, t: NetType, how: Callable[[Any, NetType], Any]) -> Any:
    if isinstance(value, (str, int, float, Decimal, EnumValue)):
        return how(value, t)
    if isinstance(value, PSReference):
        return convert(value.value, t)
    if isinstance(value, SwitchParameter):
        raise _final(value, t)
    return _to_object(value, t)


def _to_char(value: Any, t: NetType) -> Any:
    kind = type(value)
    if kind is Char:
        return value
    if kind is str:
        if len(value) == 1:
            return Char(value)
        raise string_failure(
            value,
            t,
            "InvalidCastIConvertible",
            "String must be exactly one character long.",
            "System.FormatException",
        )
    if kind is bool or isinstance(value, float) or kind is Decimal:
        raise cast_error(
            "InvalidCastIConvertible",
            f'Cannot convert value "{to_string(value)}" to type "System.Char". Error: "Invalid cast from '
            f"'{type_of(value).name}' to 'Char'.\"",
            NetException("System.InvalidCastException", f"Invalid cast from '{type_of(value).name}' to 'Char'."),
        )
    if isinstance(value, int):
        if not 0 <= value <= 0xFFFF:
            raise _iconvertible(value, t)
        return Char(chr(value))
    if isinstance(value, EnumValue):
        return Char(chr(value.value))
    raise _final(value, t)


def _to_psobject(value: Any, t: NetType) -> Any:
    return value


def _to_array_type(value: Any, t: NetType) -> Any:
    """``[array]``: any array as it is, other collections and single values as object[]."""
    if type(value) in (PSArray, ByteArray) or isinstance(value, MultiArray):
        return value
    if is_enumerable(value):
        return PSArray(iterate(value))
    return PSArray([value])


def _to_hashtable(value: Any, t: NetType) -> Any:
    if isinstance(value, Hashtable):
        return value
    if isinstance(value, Dictionary):
        return Hashtable(value.items(), ignore_case=False)
    raise _final(value, t)


def _to_ordered(value: Any, t: NetType) -> Any:
    if isinstance(value, OrderedDictionary):
        return value
    if isinstance(value, Hashtable):
        return OrderedDictionary(value.items())
    raise _final(value, t)


def _to_scriptblock(value: Any, t: NetType) -> Any:
    if isinstance(value, ScriptBlock):
        return value
    raise _final(value, t)


def _to_switch(value: Any, t: NetType) -> Any:
    if isinstance(value, SwitchParameter):
        return value
    if isinstance(value, (bool, int, float, Decimal)) and not isinstance(value, Char):
        return SwitchParameter(to_bool(value))
    raise _final(value, t)


def _to_reference(value: Any, t: NetType) -> Any:
    if isinstance(value, PSReference):
        return value
    return PSReference(value)


def _to_type(value: Any, t: NetType) -> Any:
    if isinstance(value, NetType):
        return value
    if isinstance(value, str):
        from winlab.powershell.dotnet.core import find_type

        runtime = current_or_none()
        found = runtime.resolve_type(value) if runtime is not None else find_type(value)
        if found is not None:
            return found
        raise cast_error(
            "ConvertToFinalInvalidCastException",
            f'Cannot convert the "{value}" value of type "System.String" to type "System.Type".',
        )
    raise _final(value, t)


_CONVERTERS: dict[str, Callable[[Any, NetType], Any]] = {
    "System.Char": _to_char,
    "System.Management.Automation.PSObject": _to_psobject,
    "System.Array": _to_array_type,
    "System.Collections.Hashtable": _to_hashtable,
    "System.Collections.Specialized.OrderedDictionary": _to_ordered,
    "System.Management.Automation.ScriptBlock": _to_scriptblock,
    "System.Management.Automation.SwitchParameter": _to_switch,
    "System.Management.Automation.PSReference": _to_reference,
    "System.Type": _to_type,
}


def register_converter(full_name: str, converter: Callable[[Any, NetType], Any]) -> None:
    """A conversion of its own for a type: ``converter(value, type)`` returns the value or raises PSInvalidCastException.

    Called for values that are no null; for a type with a constructor of one argument or a Parse method none is needed.
    """
    _CONVERTERS[full_name] = converter


def _to_array(value: Any, t: NetType) -> Any:
    element = t.element_type
    assert element is not None
    if element.full_name == "System.Byte" and t.rank == 1:
        if type(value) is ByteArray:
            return value
        if isinstance(value, (bytes, bytearray)):
            return ByteArray(value)
        items = iterate(value) if is_enumerable(value) else (value,)
        return ByteArray(convert(item, element) for item in items)
    if is_enumerable(value):
        return PSArray([convert(item, element) for item in iterate(value)], element)
    if isinstance(value, str) and type(value) is str and element.full_name == "System.Char":
        return PSArray([Char(ch) for ch in value], element)
    return PSArray([convert(value, element)], element)


def make_array(items: list[Any], element: NetType) -> Any:
    """An array of this element type from values that have it already."""
    if element.full_name == "System.Byte":
        return ByteArray(items)
    return PSArray(items, element)


def default_of(t: NetType) -> Any:
    """What a fresh array element or field of the type holds."""
    name = t.full_name
    if name in NUMERIC_TYPES or name == "System.Char":
        return _from_null(t)
    if name == "System.Boolean":
        return False
    if t.is_enum:
        return t.enum(0)
    if t.kind == "struct" and not t.known_only:
        from winlab.powershell.runtime.invoke import construct_default

        return construct_default(t)
    return None


def to_enum(value: Any, t: NetType) -> Any:
    """A value of an enum by name (unique beginnings count), by comma list, by number."""
    if isinstance(value, EnumValue) and value.net_type is t:
        return value
    if type(value) is str:
        return _enum_from_text(value, t)
    if is_enumerable(value):
        return _enum_from_text(",".join(to_string(v) for v in iterate(value)), t)
    if isinstance(value, bool):
        raise _final(value, t)
    if isinstance(value, EnumValue):
        return _checked_enum(value.value, value, t)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, Char):
        return _checked_enum(to_integer(value, get_type("System.Int64")), value, t)
    raise _final(value, t)


def _checked_enum(number: int, value: Any, t: NetType) -> Any:
    known = t.enum_values.values()
    if number in known:
        return t.enum(number)
    if t.is_flags:
        every = 0
        for bits in known:
            every |= bits
        if number & ~every == 0:
            return t.enum(number)
    names = ",".join(t.enum_values)
    raise cast_error(
        "UndefinedIntegerToEnum",
        f'Cannot convert value "{to_string(value)}" to type "{t.full_name}" due to enumeration values that are not valid. '
        f'Specify one of the following enumeration values and try again. The possible enumeration values are "{names}".',
    )


def _enum_from_text(text: str, t: NetType) -> Any:
    total = 0
    stripped = text.strip()
    if re.fullmatch(r"[+-]?\d+", stripped):
        return _checked_enum(int(stripped), text, t)
    values = t.enum_values
    by_lower = {name.lower(): number for name, number in values.items()}
    for part in stripped.split(","):
        lower = part.strip().lower()
        if lower in by_lower:
            total |= by_lower[lower]
            continue
        matches = {n for n in by_lower if lower and n.startswith(lower)}
        if len(matches) == 1:
            total |= by_lower[matches.pop()]
            continue
        names = ", ".join(values)
        if len(matches) > 1:
            found = ", ".join(n for n in values if n.lower() in matches)
            reason = (
                f"The identifier name {part.strip()} cannot be processed due to the multiple possible matches of the "
                f"enumerator names. Specify one of the following enumerator names and try again:\n{found}"
            )
        else:
            reason = (
                f"Unable to match the identifier name {part.strip()} to a valid enumerator name. Specify one of the "
                f"following enumerator names and try again:\n{names}"
            )
        raise cast_error(
            "SubstringDisambiguationEnumParseThrewAnException",
            f'Cannot convert value "{text}" to type "{t.full_name}". Error: "{reason}"',
            NetException("System.Management.Automation.RuntimeException", reason),
        )
    return t.enum(total)


def make_delegate(block: ScriptBlock, t: NetType) -> Delegate:
    """A script block as a delegate; its parameters are the delegate's arguments, ``$_`` is the first one for a single one."""
    runtime = current()
    returns = _delegate_return(t)

    def call(*args: Any) -> Any:
        result = runtime.call_block(block, *args, underscore=args[0] if args else None, as_delegate=True)
        return result if returns is None else convert(None if result is AutomationNull else result, returns)

    return Delegate(t, call, block)


def _delegate_return(t: NetType) -> NetType | None:
    definition = (t.definition or t).full_name
    if definition.startswith("System.Func`"):
        return t.arguments[-1]
    if definition == "System.Predicate`1":
        return get_type("System.Boolean")
    if definition == "System.Converter`2":
        return t.arguments[1]
    if definition == "System.Comparison`1":
        return get_type("System.Int32")
    return None


def _to_object(value: Any, t: NetType) -> Any:
    """Parse, constructor of one argument, implicit operators, and property bags: what PowerShell tries in the end."""
    from winlab.powershell.runtime.invoke import call_static, construct

    if t.script_class is not None:
        return _by_constructor(value, t)
    if type(value) is str:
        parsers = [o for o in t.methods("parse", True) if o.fn is not None and o.params[:1] == ["String"]]
        with_provider = any(o.params == ["String", "IFormatProvider"] for o in t.methods("parse", True))
        if any(len(o.params) == 1 for o in parsers) or (parsers and with_provider):
            try:
                return call_static(t, "Parse", [value])
            except NetException as error:
                inner = error.inner or error
                raise cast_error(
                    "InvalidCastParseTargetInvocationWithFormatProvider"
                    if with_provider
                    else "InvalidCastParseTargetInvocation",
                    f'Cannot convert value "{value}" to type "{t.full_name}". Error: "{inner.message}"',
                    inner,
                ) from None
    implicit = getattr(t.cls, "convert_from", None) if t.cls is not None else None
    if implicit is not None:
        made = implicit(value)
        if made is not None:
            return made
    if isinstance(value, (Dictionary, PSCustomObject)) and any(not o.params for o in t.ctors()):
        return _from_properties(value, t, construct)
    return _by_constructor(value, t)


def _by_constructor(value: Any, t: NetType) -> Any:
    from winlab.powershell.runtime import invoke
    from winlab.powershell.runtime.invoke import construct

    if isinstance(value, (Dictionary, PSCustomObject)) and t.script_class is not None:
        return _from_properties(value, t, construct)
    source = type_of(value)
    for overload in t.ctors():
        if len(overload.params) != 1 or (overload.fn is None and not t.is_subclass_of("System.Exception")):
            continue
        try:
            parameter = resolve_parameter(overload.params[0], t)
        except KeyError:
            continue
        if parameter.is_assignable_from(source) or invoke.type_rank(source, parameter) >= invoke.NUMERIC_IMPLICIT:
            argument = value
        elif parameter.definition is not None and is_enumerable(value) and _wants_elements(parameter):
            argument = _to_array(value, parameter.arguments[0].array)
        elif parameter.is_array and is_enumerable(value):
            argument = _to_array(value, parameter)
        else:
            continue
        try:
            return construct(t, [argument])
        except NetException as error:
            inner = error.inner or error
            raise cast_error(
                "InvalidCastConstructorException",
                f'Cannot convert value "{_quoted(value)}" to type "{t.full_name}". Error: "{inner.message}"',
                inner,
            ) from None
    elements = list(iterate(value)) if is_enumerable(value) else None
    if elements is not None and len(elements) == 1:
        return convert(elements[0], t)
    raise _final(value, t)


def _wants_elements(t: NetType) -> bool:
    definition = t.definition
    return (
        definition is not None
        and definition.full_name.startswith("System.Collections.Generic.I")
        and len(t.arguments) == 1
    )


def resolve_parameter(text: str, t: NetType) -> NetType:
    from winlab.powershell.dotnet.core import resolve_signature_type

    return resolve_signature_type(text, t.environment, t)


def _from_properties(value: Any, t: NetType, construct: Callable[[NetType, list[Any]], Any]) -> Any:
    runtime = current()
    made = construct(t, [])
    pairs = (
        [(to_string(k), v) for k, v in value.items()]
        if isinstance(value, Dictionary)
        else [(m.name, m.value) for m in value.ps_members.values()]
    )
    for name, item in pairs:
        try:
            runtime.set_property(made, name, item)
        except NetException as error:
            settable = ", ".join(f"[{p.name} <{p.type_text}>]" for p in t.all_props() if p.fset is not None)
            raise cast_error(
                "ObjectCreationError",
                f'Cannot create object of type "{t.full_name}". '
                + (
                    error.message
                    if error.error_id != "PropertyNotFound"
                    else f"The {name} property was not found for the {t.full_name} object. The available property is: {settable}"
                ),
                error,
            ) from None
    return made


def custom_object(value: Dictionary) -> PSCustomObject:
    """``[pscustomobject]@{...}``."""
    made = PSCustomObject()
    for key, item in value.items():
        name = to_string(key)
        if name.lower() == "pstypename" and item is not None:
            made.ps_type_names = [
                to_string(item),
                "System.Management.Automation.PSCustomObject",
                "System.Object",
            ]
            continue
        made.ps_members[name.lower()] = PSMember("NoteProperty", name, item)
    return made


def cast(value: Any, t: NetType) -> Any:
    """A cast expression ``[t]$value``."""
    if t.full_name == "System.Management.Automation.PSObject" and isinstance(value, (Hashtable, OrderedDictionary)):
        return custom_object(value)
    return convert(value, t)


def try_convert(value: Any, t: NetType) -> tuple[bool, Any]:
    """``-as``: whether it converts, and to what."""
    try:
        return True, convert(value, t)
    except NetException:
        return False, None


def runtime_failure(error_id: str, message: str, **more: Any) -> NetException:
    return runtime_error(error_id, message, **more)
