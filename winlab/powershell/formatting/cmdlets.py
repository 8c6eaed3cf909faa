"""Format-Table, Format-List, Format-Wide, Format-Custom, Out-String, Out-Default, Out-Host."""

from __future__ import annotations

from typing import Any

from winlab.powershell.commands.core import Cmdlet, cmdlet, parameter, switch
from winlab.powershell.dotnet.core import net_type
from winlab.powershell.formatting import DEFAULT_WIDTH
from winlab.powershell.formatting.cells import scalar
from winlab.powershell.formatting.output import FormatEntry, Formatter, default_view, is_scalar
from winlab.powershell.formatting.properties import columns_of
from winlab.powershell.formatting.views import (
    Column,
    CustomView,
    ListView,
    TableView,
    View,
    WideView,
    display_properties,
    find_list,
    find_view,
)
from winlab.powershell.objects import AutomationNull, Dictionary, DictionaryEntry, PSCustomObject, unwrap

_UTILITY = "Microsoft.PowerShell.Utility"
_CORE = "Microsoft.PowerShell.Core"

net_type("Microsoft.PowerShell.Commands.Internal.Format.FormatEntryData", assembly="System.Management.Automation")(
    FormatEntry
)


class _FormatCommand(Cmdlet):
    """What the Format-* commands share: objects come in, FormatEntry goes out."""

    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)
    group_by = parameter("GroupBy", "Object")
    force = switch("Force")
    show_error = switch("ShowError")
    display_error = switch("DisplayError")

    def begin(self) -> None:
        self.view: View | None = None
        self.run = object()

    def process(self) -> None:
        for value in _objects(self.input_object):
            if is_scalar(unwrap(value)):
                self.write(value)  # strings and numbers pass as they are
                continue
            if self.view is None:
                self.view = self.make_view(value)
                self._group(value)
            self.write(FormatEntry(value, self.view, self.run))

    def make_view(self, value: Any) -> View:
        raise NotImplementedError

    def _group(self, value: Any) -> None:
        if self.group_by is None or isinstance(self.view, CustomView) or self.view is None:
            return
        column = columns_of([self.group_by], value, self.runtime)[0]
        self.view.group_by = column.value
        self.view.group_label = column.label
        if isinstance(self.view, TableView):
            self.view.group_text = None


def _objects(value: Any) -> list[Any]:
    """An input object as what is to be formatted: collections element by element, dictionaries entry by entry."""
    from winlab.powershell.runtime.conversion import is_enumerable, iterate

    base = unwrap(value)
    if base is None or base is AutomationNull:
        return []
    if isinstance(base, Dictionary):
        return [DictionaryEntry(key, item) for key, item in base.items()]
    if isinstance(base, (str, PSCustomObject)) or not is_enumerable(base):
        return [value]
    return list(iterate(base))


def _default_columns(value: Any) -> list[Column]:
    from winlab.powershell.runtime.members import properties, type_names

    shown = display_properties(type_names(value))
    names = list(shown) if shown is not None else [item.name for item in properties(value)]
    return [Column(name, name) for name in names]


@cmdlet("Format-Table", module=_UTILITY, aliases=("ft",))
class FormatTable(_FormatCommand):
    property_ = parameter("Property", "Object[]", position=0)
    auto_size = switch("AutoSize")
    wrap = switch("Wrap")
    hide_headers = switch("HideTableHeaders")

    def make_view(self, value: Any) -> TableView:
        from winlab.powershell.runtime.members import type_names

        if self.property_:
            view = TableView(columns_of(list(self.property_), value, self.runtime))
        else:
            known = find_view(type_names(value))
            if isinstance(known, TableView):
                view = TableView(
                    list(known.columns),
                    known.auto_size,
                    known.wrap,
                    False,
                    known.group_by,
                    known.group_label,
                    known.group_text,
                )
            else:
                view = TableView(_default_columns(value))
        view.auto_size = view.auto_size or bool(self.auto_size)
        view.wrap = view.wrap or self.wrap
        view.hide_headers = self.hide_headers
        return view


@cmdlet("Format-List", module=_UTILITY, aliases=("fl",))
class FormatList(_FormatCommand):
    property_ = parameter("Property", "Object[]", position=0)

    def make_view(self, value: Any) -> ListView:
        from winlab.powershell.runtime.members import type_names

        if self.property_:
            return ListView(columns_of(list(self.property_), value, self.runtime))
        return find_list(type_names(value))


@cmdlet("Format-Wide", module=_UTILITY, aliases=("fw",))
class FormatWide(_FormatCommand):
    property_ = parameter("Property", "Object", position=0)
    auto_size = switch("AutoSize")
    column = parameter("Column", "Int32")

    def make_view(self, value: Any) -> WideView:
        if self.property_ is not None:
            source = columns_of([self.property_], value, self.runtime)[0].value
        else:
            columns = _default_columns(value)
            named = [column for column in columns if column.label.lower() == "name"]
            source = (named or columns or [Column("", scalar)])[0].value
        return WideView(source, int(self.column or 2), bool(self.auto_size))


@cmdlet("Format-Custom", module=_UTILITY, aliases=("fc",))
class FormatCustom(_FormatCommand):
    property_ = parameter("Property", "Object[]", position=0)
    depth = parameter("Depth", "Int32", default=5)

    def make_view(self, value: Any) -> CustomView:
        properties = [self.runtime.to_string(item) for item in self.property_ or ()]
        return CustomView(lambda item, runtime: [*_braces(item, int(self.depth), properties), ""])


def _braces(value: Any, depth: int, only: list[str], indent: int = 0) -> list[str]:
    """A class with its properties in braces, nested objects likewise down to the depth."""
    from winlab.powershell.dotnet.core import type_of
    from winlab.powershell.formatting.output import read
    from winlab.powershell.runtime.conversion import is_enumerable, iterate
    from winlab.powershell.runtime.members import properties

    pad = " " * indent
    lines = [f"{pad}class {type_of(unwrap(value)).name}", pad + "{"]
    names = only or [item.name for item in properties(value)]
    for name in names:
        item = read(value, name)
        base = unwrap(item)
        if base is None or is_scalar(base) or depth <= 1:
            lines.append(f"{pad}  {name} = {scalar(item)}")
        elif is_enumerable(base):
            lines.append(f"{pad}  {name} = ")
            lines.append(f"{pad}    [")
            for element in iterate(base):
                if is_scalar(unwrap(element)):
                    lines.append(f"{pad}      {scalar(element)}")
                else:
                    lines.extend(_braces(element, depth - 1, [], indent + 6))
            lines.append(f"{pad}    ]")
            lines.append(f"{pad}    ")
        else:
            lines.append(f"{pad}  {name} = ")
            lines.extend(_braces(item, depth - 1, [], indent + 4))
    lines.append(pad + "}")
    if indent:
        lines.append(pad)
    return lines


@cmdlet("Out-String", module=_UTILITY)
class OutString(Cmdlet):
    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)
    stream = switch("Stream")
    width = parameter("Width", "Int32")

    def begin(self) -> None:
        self.lines: list[str] = []
        take = self.write if self.stream else self.lines.append
        self.formatter = Formatter(self.runtime, take, int(self.width or DEFAULT_WIDTH))

    def process(self) -> None:
        self.formatter.write(self.input_object)

    def end(self) -> None:
        self.formatter.finish()
        if not self.stream:
            self.write("".join(line + "\r\n" for line in self.lines))


def _nowhere(line: str) -> None:
    """A runspace without a host shows nothing."""


class _OutHost(Cmdlet):
    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)

    def begin(self) -> None:
        host = self.runtime.host
        width = int(getattr(host, "buffer_width", DEFAULT_WIDTH + 1)) - 1
        write = host.write_host if host is not None else _nowhere
        self.formatter = Formatter(self.runtime, write, width)

    def process(self) -> None:
        self.formatter.write(self.input_object)

    def end(self) -> None:
        self.formatter.finish()


@cmdlet("Out-Default", module=_CORE)
class OutDefault(_OutHost):
    transcript = switch("Transcript")


@cmdlet("Out-Host", module=_CORE, aliases=("oh",))
class OutHost(_OutHost):
    paging = switch("Paging")


__all__ = [
    "FormatCustom",
    "FormatList",
    "FormatTable",
    "FormatWide",
    "OutDefault",
    "OutHost",
    "OutString",
    "default_view",
]
