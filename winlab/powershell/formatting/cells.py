"""The text of one value in a table or list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from winlab.powershell.errors import NetException, TerminatingError
from winlab.powershell.objects import AutomationNull, Dictionary, EnumValue, PSCustomObject, PSObject, SizedInt, unwrap

ENUMERATION_LIMIT = 4
"""$FormatEnumerationLimit, when the script has not set another."""


def is_number(value: Any) -> bool:
    """Whether tables without a view align the value to the right: numbers, and enums, whose type code is a number's."""
    value = unwrap(value)
    return isinstance(value, (int, float, Decimal, SizedInt, EnumValue)) and not isinstance(value, bool)


def cell(value: Any, limit: int = ENUMERATION_LIMIT) -> str:
    """A property's value as tables and lists show it; collections as `{a, b, c...}` up to `limit` elements."""
    from winlab.powershell.runtime.conversion import is_enumerable, iterate

    base = unwrap(value)
    if base is None or base is AutomationNull:
        return ""
    if isinstance(base, str):
        return str.__str__(base)
    if isinstance(base, Dictionary):
        return _collection(base.keys(), limit)
    if is_enumerable(base):
        return _collection(iterate(base), limit)
    return scalar(value)


def _collection(items: Any, limit: int) -> str:
    texts: list[str] = []
    for item in items:
        if 0 <= limit <= len(texts):
            return "{" + ", ".join(texts) + "...}"
        texts.append(scalar(item))
    return "{" + ", ".join(texts) + "}"


def scalar(value: Any) -> str:
    """A value's ToString() in the current culture."""
    from winlab.powershell.dotnet import values
    from winlab.powershell.runtime.conversion import to_string

    base = unwrap(value)
    if base is None or base is AutomationNull:
        return ""
    if isinstance(base, PSCustomObject) or (isinstance(value, PSObject) and "tostring" in (value.ps_members or {})):
        return to_string(value)
    if isinstance(base, (str, bool)):
        return to_string(base)
    if getattr(base, "ps_members", None):
        return to_string(base)
    if getattr(getattr(base, "net_type", None), "script_class", None) is not None:
        return to_string(base)
    try:
        if isinstance(base, (float, int, Decimal)) or type(base).__name__ in ("DateTime", "DateTimeOffset"):
            return values.net_string(base)
        return to_string(base)
    except (NetException, TerminatingError):
        return ""
