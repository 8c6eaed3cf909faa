"""An error as text: NormalView (and CategoryView) of Windows PowerShell 5.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from winlab.powershell.errors import ErrorRecord

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

_NATIVE = "NativeCommandErrorMessage"
_INDENT = 4
_LONGEST = 40  # longer parts of the category line keep only their ends
_KEPT = 15
_MOST_ERRORS = 10
_LINE_LIMIT = 69  # so that nothing wraps on a console of 80 columns
_CONTEXT_BEFORE, _CONTEXT_AFTER = 12, 8


def error_text(record: ErrorRecord, runtime: Runtime | None, buffer_width: int = 80) -> str:
    """The text of an error, before it is broken into lines of the console.

    Args:
        record: the error.
        runtime: whose $ErrorView counts; None for NormalView.
        buffer_width: columns of the console; the last two lines are cut to them.
    """
    if record.fully_qualified_error_id == _NATIVE:
        return record.exception.message
    if _category_view(runtime):
        return category_line(record)
    text = _command_prefix(record) + record.message
    position = _position_of(record)
    if position:
        text += "\n" + position
    width = buffer_width - _INDENT - 2
    for line in (
        "+ CategoryInfo          : " + category_line(record),
        "+ FullyQualifiedErrorId : " + record.fully_qualified_error_id,
    ):
        pieces = [line[begin : begin + width] for begin in range(0, len(line), width)]
        text += "\n" + "".join(" " * _INDENT + piece for piece in pieces)
    return text + "\n "


def _category_view(runtime: Runtime | None) -> bool:
    if runtime is None:
        return False
    found = runtime.find_variable("ErrorView")
    return str(getattr(found, "value", "") or "").lower() == "categoryview"


def _command_prefix(record: ErrorRecord) -> str:
    """`Get-Item : `: the command as it was called; a script by its path."""
    info = record.invocation_info
    if info is None:
        return ""
    command = info.command
    called = str(info.invocation_name or "")
    if command is None:
        return f"{called} : " if called else ""
    if command.command_type == "ExternalScript":
        return f"{command.path} : " if command.path else ""
    if command.command_type == "Script":
        return f"{command.block.text} : "
    name = command.name if called in ("", "&", ".") else called
    return f"{name} : " if name else ""


def _position_of(record: ErrorRecord) -> str:
    info = record.invocation_info
    if info is None or (info.command is None and record.category == "ParserError"):
        return ""
    return position_message(info.extent)


def category_line(record: ErrorRecord) -> str:
    """CategoryInfo's text: `ObjectNotFound: (x:String) [Get-Item], ItemNotFoundException`."""
    target = _shorten(target_name(record))
    kind = _shorten(target_type(record))
    reason = _shorten(record.reason or record.exception.short_name)
    return f"{record.category}: ({target}:{kind}) [{_shorten(record.activity)}], {reason}"


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_KEPT]}...{text[-_KEPT:]}"


def target_name(record: ErrorRecord) -> str:
    """CategoryInfo.TargetName."""
    if record.target_name is not None:
        return record.target_name
    if record.target is None:
        return ""
    from winlab.powershell.runtime.conversion import to_string

    try:
        return to_string(record.target)
    except Exception:  # a ToString() of the script's own may fail; PowerShell shows nothing then
        return ""


def target_type(record: ErrorRecord) -> str:
    """CategoryInfo.TargetType."""
    if record.target_type is not None:
        return record.target_type
    if record.target is None:
        return ""
    from winlab.powershell.dotnet.core import type_of
    from winlab.powershell.objects import unwrap

    found: Any = type_of(unwrap(record.target))
    return str(found.name)


def parse_error_text(errors: list[Any]) -> str:
    """The message of a ParseException: place and message of each error, of ten at most."""
    shown = [f"{position_message(error.extent)}\n{error.message}" for error in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        shown.append("Not all parse errors were reported.  Correct the reported errors and try again.")
    return "\n".join(shown)


def position_message(extent: Any) -> str:
    """`At line:1 char:3` with the line and the place marked under it, as $_.InvocationInfo.PositionMessage gives it."""
    if extent is None:
        return ""
    number = extent.start_line_number
    line = extent.source.line(number).rstrip() if number <= len(extent.source.line_starts) else ""
    marked = _marked_line(extent, line) if line else ""
    return f"At {extent.file or 'line'}:{number} char:{extent.start_column_number}\n+ {marked}"


def _marked_line(extent: Any, line: str) -> str:
    """The line and, under it, tildes below the extent; of a long line only what is around the extent."""
    before = extent.start_column_number - 1
    if extent.start_line_number == extent.end_line_number and extent.end_column_number <= len(line) + 1:
        length = extent.end_column_number - extent.start_column_number
    else:
        length = len(line) - before
    length = max(length, 0)
    parts = [
        part.replace("\t", "    ") for part in (line[:before], line[before : before + length], line[before + length :])
    ]
    before, length = len(parts[0]), len(parts[1])
    line = "".join(parts)
    dots_before = dots_after = False
    if len(line) > _LINE_LIMIT:
        after = len(line) - before - length
        prefix, suffix = min(before, _CONTEXT_BEFORE), min(after, _CONTEXT_AFTER)
        spare = _LINE_LIMIT - prefix - length - suffix
        if spare < 0:
            suffix = 0
            length = min(length, _LINE_LIMIT - prefix)
        else:
            more = min(spare, before - prefix)
            prefix += more
            suffix += min(spare - more, after - suffix)
        dots_before, dots_after = prefix < before, before + length + suffix < len(line)
        line = line[before - prefix : before + length + suffix]
        before = prefix
    marks = " " * (before + (4 if dots_before else 0)) + "~" * max(length, 1)
    return f"{'... ' if dots_before else ''}{line}{' ...' if dots_after else ''}\n+ {marks}"
