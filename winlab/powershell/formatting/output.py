"""Writes objects as text: chooses a shape for what comes, and lays it out.

A table that tells no width of its first column is fitted to the objects of its first 0.3 seconds, with -AutoSize to all of
them; else the columns without a width share what is left of the line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from winlab.powershell.errors import ErrorRecord, NetException, TerminatingError
from winlab.powershell.formatting import DEFAULT_WIDTH
from winlab.powershell.formatting.cells import ENUMERATION_LIMIT, cell, is_number, scalar
from winlab.powershell.formatting.text import fit, truncate_at_newline, wrap
from winlab.powershell.formatting.views import (
    Column,
    CustomView,
    ListView,
    TableView,
    Value,
    View,
    WideView,
    display_properties,
    find_view,
)
from winlab.powershell.objects import (
    AutomationNull,
    Dictionary,
    DictionaryEntry,
    EnumValue,
    NetObject,
    PSCustomObject,
    unwrap,
)

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

_GATHER_SECONDS = 0.3
WriteLine = Callable[[str], Any]


class FormatEntry(NetObject):
    """What Format-* commands send down the pipeline: an object with the shape it is to be written in.

    All entries of one command share `run`, by which a formatter sees where another begins.
    """

    def __init__(self, value: Any, view: View, run: object) -> None:
        self.value = value
        self.view = view
        self.run = run


def is_scalar(value: Any) -> bool:
    """Whether the object is written as its own text."""
    return isinstance(value, (str, bool, int, float, Decimal, EnumValue))


class Formatter:
    """Writes objects one by one. Call `finish` at the end.

    Args:
        runtime: whose $FormatEnumerationLimit and script blocks count.
        write_line: takes each line, without line end.
        width: columns of a line.
    """

    def __init__(self, runtime: Runtime, write_line: WriteLine, width: int = DEFAULT_WIDTH) -> None:
        self.runtime = runtime
        self.write_line = write_line
        self.width = width
        self._shape: _Shape | None = None
        self._run: object | None = None
        self._types: list[str] = []

    def write(self, value: Any) -> None:
        """Write an object; collections element by element."""
        from winlab.powershell.runtime.conversion import is_enumerable, iterate

        base = unwrap(value)
        if base is None or base is AutomationNull:
            return
        if isinstance(base, FormatEntry):
            self._entry(base)
        elif is_scalar(base):
            self._beside([scalar(value)])
        elif isinstance(base, Dictionary):
            for key, item in list(base.items()):
                self._object(DictionaryEntry(key, item))
        elif isinstance(base, ErrorRecord):
            self._error(base)
        elif not isinstance(base, PSCustomObject) and is_enumerable(base) and _enumerates(base):
            for item in list(iterate(base)):
                self.write(item)
        else:
            self._object(value)

    def finish(self) -> None:
        """Complete what was begun."""
        shape, self._shape = self._shape, None
        self._run = None
        if shape is not None:
            shape.finish()

    def _error(self, record: ErrorRecord) -> None:
        from winlab.powershell.formatting.errorview import error_text

        self._beside(wrap(error_text(record, self.runtime, self.width + 1), self.width))

    def _entry(self, entry: FormatEntry) -> None:
        if self._run is not entry.run:
            self.finish()
            self._run = entry.run
            self._shape = _shape(self, entry.view)
        assert self._shape is not None
        self._shape.add(entry.value)

    def _object(self, value: Any) -> None:
        from winlab.powershell.runtime.members import type_names

        names = type_names(value)
        if self._run is not None:
            self.finish()
        if self._shape is None:
            view = find_view(names) or default_view(value, names)
            if view is None:
                self.write_line(scalar(value))
                return
            self._start(view, names)
        if not self._takes(names):
            lines = list_lines(self, own_list(value), value)
            self._beside(["", *lines, ""] if lines else [scalar(value)])
        elif self._shape is not None:
            self._shape.add(value)

    def _beside(self, lines: list[str]) -> None:
        """Write lines between the objects of the shape, if one is being written."""
        if self._shape is None:
            for line in lines:
                self.write_line(line)
        else:
            self._shape.beside(lines)

    def _takes(self, names: list[str]) -> bool:
        """Whether the shape that is being written takes objects of such types: its view's own, all without a view."""
        view = find_view(self._types)
        return view is None or view is find_view(names)

    def _start(self, view: View, names: list[str]) -> None:
        self._types = names
        self._shape = _shape(self, view)

    def text(self, value: Any, format_string: str | None = None) -> str:
        """The text of a property's value."""
        if format_string and value is not None:
            from winlab.powershell.dotnet.values import net_string

            base = unwrap(value)
            if "{" in format_string:
                from winlab.powershell.dotnet.values import format_composite

                return str(format_composite(format_string, [base]))
            return net_string(base, format_string)
        return cell(value, self._limit())

    def _limit(self) -> int:
        found = self.runtime.find_variable("FormatEnumerationLimit")
        value = getattr(found, "value", None)
        return value if isinstance(value, int) else ENUMERATION_LIMIT


def _enumerates(base: Any) -> bool:
    """Whether a collection is written element by element; what has a view of its own is one object."""
    from winlab.powershell.runtime.members import type_names

    return find_view(type_names(base)) is None


def default_view(value: Any, names: list[str]) -> View | None:
    """The shape of an object without a view: up to four properties a table, more a list, none its text."""
    from winlab.powershell.runtime.members import properties

    shown = display_properties(names)
    labels = list(shown) if shown is not None else [item.name for item in properties(value)]
    if not labels:
        return None
    if len(labels) > 4:
        return ListView([Column(label, label) for label in shown] if shown is not None else None)
    return TableView([Column(label, label) for label in labels])


def read(value: Any, source: Value) -> Any:
    """A column's value of an object; nothing where reading fails."""
    from winlab.powershell.runtime.members import get_member

    try:
        return source(value) if callable(source) else get_member(value, source)
    except (NetException, TerminatingError):
        return None


def _shape(formatter: Formatter, view: View) -> _Shape:
    if isinstance(view, TableView):
        return _Table(formatter, view)
    if isinstance(view, WideView):
        return _Wide(formatter, view)
    if isinstance(view, ListView):
        return _List(formatter, view)
    return _Custom(formatter, view)


class _Shape:
    """Base: groups, and the blank lines around them."""

    def __init__(self, formatter: Formatter, view: Any) -> None:
        self.formatter = formatter
        self.view = view
        self.write_line = formatter.write_line
        self.started = False
        self.group: Any = None

    def add(self, value: Any) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        raise NotImplementedError

    def beside(self, lines: list[str]) -> None:
        """Write lines that are no part of the shape."""
        for line in lines:
            self.write_line(line)

    def _group_changes(self, value: Any) -> bool:
        """Note the object's group; True when it begins a new one."""
        if getattr(self.view, "group_by", None) is None:
            return not self.started
        key = read(value, self.view.group_by)
        text = cell(key)
        if self.started and text == self.group:
            return False
        self.group = text
        return True

    def _write_group_header(self, value: Any) -> None:
        if getattr(self.view, "group_by", None) is None:
            return
        text = getattr(self.view, "group_text", None)
        self.write_line("")
        if not self.started:
            self.write_line("")
        if text is not None:
            self.write_line(text(value))
            self.write_line("")
        else:
            self.write_line(f"   {self.view.group_label}: {self.group}")


class _Table(_Shape):
    view: TableView

    def __init__(self, formatter: Formatter, view: TableView) -> None:
        super().__init__(formatter, view)
        # Objects with their cells, and lines that are written between them.
        self.pending: list[tuple[Any, list[Any]] | list[str]] = []
        self.first_at = 0.0
        self.widths: list[int] = []
        self.right: list[bool] = []
        # A table whose first column has no width is fitted to what comes, as if -AutoSize had been said.
        self.fits = view.auto_size or bool(view.columns and view.columns[0].width == 0)

    def add(self, value: Any) -> None:
        row = [read(value, column.value) for column in self.view.columns]
        if self.widths:
            self._write(value, row)
            return
        if not self.pending:
            self.first_at = time.monotonic()
        self.pending.append((value, row))
        if not self.fits or self._is_late():
            self._flush()

    def beside(self, lines: list[str]) -> None:
        if not self.pending:
            super().beside(lines)
            return
        self.pending.append(lines)
        if self._is_late():
            self._flush()

    def _is_late(self) -> bool:
        return time.monotonic() - self.first_at > _GATHER_SECONDS and not self.view.auto_size

    def finish(self) -> None:
        if self.pending:
            self._flush()
        if self.started:
            self.write_line("")
            self.write_line("")

    def _flush(self) -> None:
        pending, self.pending = self.pending, []
        self._lay_out([item[1] for item in pending if isinstance(item, tuple)])
        for item in pending:
            if isinstance(item, tuple):
                self._write(*item)
            else:
                super().beside(item)

    def _lay_out(self, rows: list[list[Any]]) -> None:
        columns = self.view.columns
        self.right = []
        for index, column in enumerate(columns):
            self.right.append(column.align == "right" or (not column.align and is_number(rows[0][index])))
        if self.fits:
            widths = []
            for index, column in enumerate(columns):
                texts = [truncate_at_newline(self._text(row[index], column)) for row in rows]
                widths.append(max(len(column.label), *(len(text) for text in texts)))
        else:
            widths = [column.width for column in columns]
        self.widths = share_out(widths, self.formatter.width)

    def _text(self, value: Any, column: Column) -> str:
        return self.formatter.text(value, column.format)

    def _write(self, value: Any, row: list[Any]) -> None:
        if self._group_changes(value):
            if self.started:
                self.write_line("")
            self._write_group_header(value)
            self.write_line("")
            self._write_header()
            self.started = True
        texts = [self._text(item, column) for item, column in zip(row, self.view.columns, strict=True)]
        if self.view.wrap:
            self._write_wrapped(texts)
        else:
            self._write_cells([truncate_at_newline(text) for text in texts])

    def _write_header(self) -> None:
        if self.view.hide_headers:
            return
        labels = [column.label for column in self.view.columns]
        self._write_wrapped(labels)
        self._write_cells(["-" * min(len(label), width) for label, width in zip(labels, self.widths, strict=True)])

    def _write_cells(self, texts: list[str]) -> None:
        cells = []
        for index, text in enumerate(texts):
            if self.widths[index] > 0:
                centered = self.view.columns[index].align == "center"
                cells.append(fit(text, self.widths[index], self.right[index], centered))
        self.write_line(" ".join(cells))

    def _write_wrapped(self, texts: list[str]) -> None:
        cells = [wrap(text, width) if width > 0 else [] for text, width in zip(texts, self.widths, strict=True)]
        for line in range(max(len(lines) for lines in cells)):
            self._write_cells([lines[line].rstrip() if line < len(lines) else "" for lines in cells])


def share_out(widths: list[int], available: int) -> list[int]:
    """Column widths that fit into a line: columns without one share what is left, the last ones shrink or go (width -1)."""
    widths = list(widths)
    open_columns = [index for index, width in enumerate(widths) if width <= 0]
    if open_columns:
        left = available - sum(width for width in widths if width > 0) - (len(widths) - 1)
        each = max(left // len(open_columns), 1)
        for index in open_columns:
            widths[index] = each
    while True:
        visible = [index for index, width in enumerate(widths) if width > 0]
        excess = sum(widths[index] for index in visible) + len(visible) - 1 - available
        if excess <= 0 or not visible:
            return widths
        last = visible[-1]
        if widths[last] - excess >= 1:
            widths[last] -= excess
            return widths
        widths[last] = -1


def own_list(value: Any) -> ListView:
    """The list of an object without a view: what its type displays by default, else all of its properties."""
    from winlab.powershell.runtime.members import type_names

    shown = display_properties(type_names(value))
    return ListView([Column(label, label) for label in shown] if shown is not None else None)


def list_lines(formatter: Formatter, view: ListView, value: Any) -> list[str]:
    """The lines of an object's properties, label and text."""
    from winlab.powershell.runtime.members import properties

    items = view.items
    if items is None:
        items = [Column(item.name, item.name) for item in properties(value)]
    label_width = max((len(item.label) for item in items), default=0)
    indent = " " * (label_width + 3)
    lines = []
    for item in items:
        text = formatter.text(read(value, item.value), item.format)
        first, *more = wrap(text, max(formatter.width - len(indent), 1))
        lines += [f"{item.label.ljust(label_width)} : {first}", *(indent + line for line in more)]
    return lines


class _List(_Shape):
    view: ListView

    def add(self, value: Any) -> None:
        if self._group_changes(value):
            if self.started:
                self.write_line("")
            self._write_group_header(value)
            if not self.started or self.view.group_by is not None:
                self.write_line("")
                self.write_line("")
            self.started = True
        for line in list_lines(self.formatter, self.view, value) or [scalar(value)]:
            self.write_line(line)
        self.write_line("")

    def finish(self) -> None:
        if self.started:
            self.write_line("")
            self.write_line("")


class _Wide(_Shape):
    view: WideView

    def __init__(self, formatter: Formatter, view: WideView) -> None:
        super().__init__(formatter, view)
        self.texts: list[str] = []

    def add(self, value: Any) -> None:
        if self._group_changes(value):
            self._flush()
            self._write_group_header(value)
            self.write_line("")
            self.write_line("")
            self.started = True
        self.texts.append(truncate_at_newline(self.formatter.text(read(value, self.view.value))))

    def _flush(self) -> None:
        texts, self.texts = self.texts, []
        if not texts:
            return
        count = self.view.columns
        if self.view.auto_size:
            longest = max(len(text) for text in texts)
            count = max((self.formatter.width + 1) // (longest + 1), 1)
        width = max((self.formatter.width - (count - 1)) // count, 1)
        for begin in range(0, len(texts), count):
            self.write_line(" ".join(fit(text, width, False) for text in texts[begin : begin + count]))
        self.write_line("")

    def finish(self) -> None:
        self._flush()
        if self.started:
            self.write_line("")


class _Custom(_Shape):
    """Format-Custom: the object's properties, those of the objects in them, and so on, in braces."""

    view: CustomView

    def add(self, value: Any) -> None:
        if not self.started:
            self.write_line("")
        self.started = True
        for line in self.view.lines(value, self.formatter.runtime):
            self.write_line(line)

    def finish(self) -> None:
        if self.started:
            self.write_line("")
            self.write_line("")
