"""-Property of the Format-* commands: names, wildcards, script blocks and hashtables with Name, Expression, Width, ..."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from winlab.powershell.errors import ErrorRecord, NetException, TerminatingError
from winlab.powershell.formatting.views import Column
from winlab.powershell.objects import Dictionary, ScriptBlock, unwrap

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

_KEYS = ("name", "label", "expression", "width", "alignment", "formatstring")


def columns_of(specs: list[Any], value: Any, runtime: Runtime) -> list[Column]:
    """The columns that -Property asks for, wildcards taken from the properties of the first object."""
    found: list[Column] = []
    for spec in specs:
        base = unwrap(spec)
        if isinstance(base, Dictionary):
            found.append(_calculated(base, runtime))
        elif isinstance(base, ScriptBlock):
            found.append(Column(base.text, _call(base, runtime)))
        else:
            found.extend(_named(runtime.to_string(base), value))
    return found


def _named(name: str, value: Any) -> list[Column]:
    from winlab.powershell.runtime.members import properties

    names = [item.name for item in properties(value)]
    if any(char in name for char in "*?["):
        pattern = name.lower()
        return [Column(one, one) for one in names if fnmatch.fnmatchcase(one.lower(), pattern)]
    for one in names:
        if one.lower() == name.lower():
            return [Column(one, one)]
    return [Column(name, name)]


def _call(block: ScriptBlock, runtime: Runtime) -> Callable[[Any], Any]:
    return lambda value: runtime.call_block(block, underscore=value)


def _calculated(table: Dictionary, runtime: Runtime) -> Column:
    given: dict[str, Any] = {}
    for key, item in table.items():
        name = str(unwrap(key)).lower()
        matches = [full for full in _KEYS if full.startswith(name)]
        if not matches:
            raise TerminatingError(_unknown_key(str(unwrap(key))))
        given[matches[0]] = unwrap(item)
    expression = given.get("expression")
    label = given.get("name") or given.get("label")
    column = Column(runtime.to_string(label) if label is not None else "", "")
    if isinstance(expression, ScriptBlock):
        column.value = _call(expression, runtime)
        column.label = column.label or expression.text
    else:
        column.value = runtime.to_string(expression if expression is not None else label)
        column.label = column.label or str(column.value)
    if given.get("width") is not None:
        column.width = int(given["width"])
    if given.get("alignment") is not None:
        column.align = runtime.to_string(given["alignment"]).lower()
    if given.get("formatstring") is not None:
        column.format = runtime.to_string(given["formatstring"])
    return column


def _unknown_key(key: str) -> ErrorRecord:
    message = f"The {key} key is not valid."
    record = ErrorRecord(
        NetException("System.NotSupportedException", message), "DictionaryKeyIllegal", "InvalidArgument", None
    )
    return record
