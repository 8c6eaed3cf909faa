"""The views of common types: which properties are shown, as a table or a list, under which headings.

Source: the format.ps1xml files of Windows PowerShell 5.1.
"""

from __future__ import annotations

import ntpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from winlab.powershell.objects import unwrap

Value = str | Callable[[Any], Any]


@dataclass
class Column:
    """A column of a table or a line of a list. `value`: a property's name, or a function of the object."""

    label: str
    value: Value
    width: int = 0  # 0: shared out among the columns without one
    align: str = ""  # "left", "right", "center"; "": numbers right, all else left
    format: str | None = None


@dataclass
class TableView:
    columns: list[Column]
    auto_size: bool = False
    wrap: bool = False
    hide_headers: bool = False
    group_by: Value | None = None
    group_label: str = ""
    group_text: Callable[[Any], str] | None = None


@dataclass
class ListView:
    items: list[Column] | None = None  # None: every property
    group_by: Value | None = None
    group_label: str = ""
    group_text: Callable[[Any], str] | None = None


@dataclass
class WideView:
    value: Value
    columns: int = 2
    auto_size: bool = False
    group_by: Value | None = None
    group_label: str = ""


@dataclass
class CustomView:
    """Lines of text; written between blank lines as the view has them."""

    lines: Callable[[Any, Any], list[str]] = field(default=lambda value, runtime: [])


View = TableView | ListView | WideView | CustomView


def _get(value: Any, name: str) -> Any:
    from winlab.powershell.runtime.members import get_member

    return get_member(value, name)


def _columns(*specs: tuple[Any, ...]) -> list[Column]:
    """A view's columns: to the left unless they say otherwise, whatever their values are."""
    columns = [Column(*spec) for spec in specs]
    for column in columns:
        column.align = column.align or "left"
    return columns


def _names(*names: str) -> list[Column]:
    return [Column(name, name) for name in names]


# --- values that views compute ----------------------------------------------------------------------------------------


def _gigabytes(name: str) -> Callable[[Any], Any]:
    """A property's bytes in GB with two digits; nothing for drives that have none."""

    def value(item: Any) -> Any:
        found = unwrap(_get(item, name))
        return f"{found / 2**30:,.2f}" if isinstance(found, int) else None

    return value


def _mode_of(value: Any) -> Any:
    return _get(value, "Mode")


def _file_time(value: Any) -> str:
    from winlab.powershell.dotnet.values import net_string

    time = _get(value, "LastWriteTime")
    return f"{net_string(time, 'd'):>10}  {net_string(time, 't'):>8}"


def _file_length(value: Any) -> Any:
    return _get(value, "Length") if "FileInfo" in _type_name(value) else None


def _type_name(value: Any) -> str:
    from winlab.powershell.dotnet.core import type_of

    return type_of(unwrap(value)).full_name


def _parent_folder(value: Any) -> Any:
    path = str(_get(value, "FullName") or "")
    return ntpath.dirname(path.rstrip("\\"))


def _parent_of_path(value: Any) -> str:
    return ntpath.dirname(str(_get(value, "Path") or "").rpartition("::")[2])


def _memory(name: str) -> Callable[[Any], Any]:
    return lambda value: int((_get(value, name) or 0) / 1024)


def _processor_seconds(value: Any) -> Any:
    seconds = _get(value, "CPU")
    return f"{seconds:.2f}" if isinstance(seconds, (int, float)) and seconds != 0 else ""


def _no_version(value: Any) -> str:
    return "File:             " + str(_get(value, "FullName"))


def _registry_properties(value: Any) -> Any:
    from winlab.powershell.runtime.conversion import is_enumerable, iterate

    names = _get(value, "Property")
    if names is None or not is_enumerable(names):
        return ""
    return "{" + ", ".join(str(name) for name in iterate(names)) + "}"


def _provider_parent(value: Any) -> str:
    parent = str(_get(value, "PSParentPath") or "")
    return parent.partition("::")[2] or parent


def _member_definition_type(value: Any) -> Any:
    return _get(value, "TypeName")


def _text(value: Any) -> str:
    from winlab.powershell.runtime.conversion import to_string

    return to_string(value)


def _entry_key(value: Any) -> Any:
    return unwrap(value).key


def _entry_value(value: Any) -> Any:
    return unwrap(value).value


def _date_time(value: Any, runtime: Any) -> list[str]:
    from winlab.powershell.commands.dates import long_text

    return [long_text(value)]


_TIME_SPAN = (
    "Days",
    "Hours",
    "Minutes",
    "Seconds",
    "Milliseconds",
    "Ticks",
    "TotalDays",
    "TotalHours",
    "TotalMinutes",
    "TotalSeconds",
    "TotalMilliseconds",
)

_FILES = TableView(
    _columns(
        ("Mode", _mode_of, 7, "left"),
        ("LastWriteTime", _file_time, 25, "right"),
        ("Length", _file_length, 14, "right"),
        ("Name", "Name"),
    ),
    group_by=_parent_folder,
    group_text=lambda value: "    Directory: " + str(_parent_folder(value)),
)
_REGISTRY = TableView(
    _columns(("Name", "PSChildName", 30), ("Property", _registry_properties)),
    wrap=True,
    group_by=_provider_parent,
    group_text=lambda value: "    Hive: " + _provider_parent(value),
)
_MEMBERS = TableView(
    _names("Name", "MemberType", "Definition"),
    auto_size=True,
    group_by=_member_definition_type,
    group_label="TypeName",
)
_COMMANDS = TableView(
    _columns(("CommandType", "CommandType", 15), ("Name", "Name", 50), ("Version", "Version", 10), ("Source", "Source"))
)

VIEWS: dict[str, View] = {
    "System.IO.FileInfo": _FILES,
    "System.IO.DirectoryInfo": _FILES,
    "Microsoft.Win32.RegistryKey": _REGISTRY,
    "System.Diagnostics.Process": TableView(
        _columns(
            ("Handles", "HandleCount", 7, "right"),
            ("NPM(K)", _memory("NonpagedSystemMemorySize64"), 7, "right"),
            ("PM(K)", _memory("PagedMemorySize64"), 8, "right"),
            ("WS(K)", _memory("WorkingSet64"), 10, "right"),
            ("CPU(s)", _processor_seconds, 10, "right"),
            ("Id", "Id", 6, "right"),
            ("SI", "SessionId", 3, "right"),
            ("ProcessName", "ProcessName"),
        )
    ),
    "System.ServiceProcess.ServiceController": TableView(
        _columns(("Status", "Status", 8), ("Name", "Name", 18), ("DisplayName", "DisplayName", 38))
    ),
    "System.DateTime": CustomView(_date_time),
    "System.TimeSpan": ListView(_names(*_TIME_SPAN)),
    "System.Collections.DictionaryEntry": TableView(_columns(("Name", _entry_key, 30), ("Value", _entry_value))),
    "System.Collections.Generic.KeyValuePair`2": TableView(_names("Key", "Value")),
    "System.Guid": TableView(_columns(("Guid", _text, 36))),
    "System.Version": TableView(
        _columns(("Major", "Major", 6), ("Minor", "Minor", 6), ("Build", "Build", 6), ("Revision", "Revision", 8))
    ),
    "System.Type": TableView(
        _columns(
            ("IsPublic", "IsPublic", 8),
            ("IsSerial", "IsSerial", 8),
            ("Name", "Name", 40),
            ("BaseType", "BaseType"),
        )
    ),
    "System.Management.Automation.PathInfo": TableView(_columns(("Path", "Path"))),
    "System.Management.Automation.PSVariable": TableView(_columns(("Name", "Name", 30), ("Value", "Value"))),
    "System.Management.Automation.PSDriveInfo": TableView(
        _columns(
            ("Name", "Name", 10),
            ("Used (GB)", _gigabytes("Used"), 13, "right"),
            ("Free (GB)", _gigabytes("Free"), 13, "right"),
            ("Provider", lambda value: _get(_get(value, "Provider"), "Name"), 13),
            ("Root", "Root", 35),
            ("CurrentLocation", "CurrentLocation", 0, "right"),
        )
    ),
    "System.Management.Automation.ProviderInfo": TableView(
        _columns(("Name", "Name", 20), ("Capabilities", "Capabilities", 60), ("Drives", "Drives"))
    ),
    "System.Management.Automation.CommandInfo": _COMMANDS,
    "System.Management.Automation.AliasInfo": TableView(
        _columns(
            ("CommandType", "CommandType", 15),
            ("Name", "DisplayName", 50),
            ("Version", "Version", 10),
            ("Source", "Source"),
        )
    ),
    "System.Management.Automation.PSModuleInfo": TableView(
        _columns(
            ("ModuleType", "ModuleType", 10),
            ("Version", "Version", 10),
            ("Name", "Name", 35),
            ("ExportedCommands", lambda value: _get(_get(value, "ExportedCommands"), "Keys")),
        )
    ),
    "Microsoft.PowerShell.Commands.MemberDefinition": _MEMBERS,
    "Microsoft.PowerShell.Commands.GroupInfo": TableView(
        _columns(("Count", "Count", 5, "right"), ("Name", "Name", 25), ("Group", "Group"))
    ),
    "Microsoft.PowerShell.Commands.GroupInfoNoElement": TableView(
        _columns(("Count", "Count", 5, "right"), ("Name", "Name", 25))
    ),
    "Microsoft.PowerShell.Commands.GenericMeasureInfo": ListView(
        _names("Count", "Average", "Sum", "Maximum", "Minimum", "Property")
    ),
    "Microsoft.PowerShell.Commands.TextMeasureInfo": TableView(_names("Lines", "Words", "Characters", "Property")),
    "Microsoft.Powershell.Utility.FileHash": TableView(
        _columns(("Algorithm", "Algorithm", 15), ("Hash", "Hash", 70), ("Path", "Path"))
    ),
    "Microsoft.PowerShell.Commands.MatchInfo": CustomView(
        lambda value, runtime: unwrap(value).text_from(runtime.file_location).split("\r\n")
    ),
    "System.Diagnostics.EventLogEntry": TableView(
        _columns(
            ("Index", "Index", 8, "right"),
            ("Time", lambda value: _short_time(_get(value, "TimeGenerated")), 13),
            ("EntryType", "EntryType", 11),
            ("Source", "Source", 20),
            ("InstanceID", "InstanceID", 12, "right"),
            ("Message", "Message"),
        )
    ),
    "System.Diagnostics.Eventing.Reader.EventLogRecord": TableView(
        _columns(
            ("TimeCreated", "TimeCreated", 26),
            ("Id", "Id", 8, "right"),
            ("LevelDisplayName", "LevelDisplayName", 16),
            ("Message", "Message"),
        ),
        group_by=lambda value: _get(value, "ProviderName"),
        group_text=lambda value: "   ProviderName: " + str(_get(value, "ProviderName") or ""),
    ),
    "System.Security.Cryptography.X509Certificates.X509Certificate2": TableView(
        _columns(("Thumbprint", "Thumbprint", 41), ("Subject", "Subject")),
        group_by=lambda value: _get(value, "PSParentPath"),
        group_text=lambda value: "   PSParentPath: " + str(_get(value, "PSParentPath") or ""),
    ),
    "System.Security.AccessControl.ObjectSecurity": TableView(
        _columns(
            ("Path", lambda value: ntpath.basename(str(_get(value, "Path") or ""))),
            ("Owner", "Owner"),
            ("Access", "AccessToString"),
        ),
        group_by=_parent_of_path,
        group_text=lambda value: "    Directory: " + _parent_of_path(value),
    ),
    "System.Globalization.CultureInfo": TableView(
        _columns(("LCID", "LCID", 16), ("Name", "Name", 16), ("DisplayName", "DisplayName"))
    ),
}

_FILE_LIST = ("CreationTime", "LastWriteTime", "LastAccessTime", "Mode", "LinkType", "Target")
LISTS: dict[str, ListView] = {
    "System.IO.FileInfo": ListView(
        [*_names("Name", "Length", *_FILE_LIST), Column("VersionInfo", _no_version)],
        group_by=_parent_folder,
        group_text=_FILES.group_text,
    ),
    "System.IO.DirectoryInfo": ListView(
        _names("Name", *_FILE_LIST), group_by=_parent_folder, group_text=_FILES.group_text
    ),
    "System.Diagnostics.Process": ListView(
        _columns(("Id", "Id"), ("Handles", "HandleCount"), ("CPU", "CPU"), ("SI", "SessionId"), ("Name", "ProcessName"))
    ),
    "System.ServiceProcess.ServiceController": ListView(
        _names(
            "Name",
            "DisplayName",
            "Status",
            "DependentServices",
            "ServicesDependedOn",
            "CanPauseAndContinue",
            "CanShutdown",
            "CanStop",
            "ServiceType",
        )
    ),
    "System.Collections.DictionaryEntry": ListView(_columns(("Name", _entry_key), ("Value", _entry_value))),
    "System.Management.Automation.CommandInfo": ListView(_names("CommandType", "Name", "Version", "Source")),
    "System.Diagnostics.EventLogEntry": ListView(
        _names(
            "Index",
            "EntryType",
            "InstanceId",
            "Message",
            "Category",
            "CategoryNumber",
            "ReplacementStrings",
            "Source",
            "TimeGenerated",
            "TimeWritten",
            "UserName",
        )
    ),
}
"""What Format-List shows of a type."""

_OPERATING_SYSTEM = (
    "SystemDirectory",
    "Organization",
    "BuildNumber",
    "RegisteredUser",
    "SerialNumber",
    "Version",
)
_COMPUTER_SYSTEM = (
    "Name",
    "PrimaryOwnerName",
    "Domain",
    "TotalPhysicalMemory",
    "Model",
    "Manufacturer",
)
_SERVICE = (
    "ProcessId",
    "Name",
    "StartMode",
    "State",
    "Status",
    "ExitCode",
)
DISPLAY_PROPERTIES: dict[str, tuple[str, ...]] = {
    "System.Diagnostics.Process": ("Id", "Handles", "CPU", "SI", "Name"),
    "System.ServiceProcess.ServiceController": ("Status", "Name", "DisplayName"),
    "System.IO.FileInfo": ("LastWriteTime", "Length", "Name"),
    "System.IO.DirectoryInfo": ("Name",),
    "System.Management.ManagementObject#root\\cimv2\\Win32_OperatingSystem": _OPERATING_SYSTEM,
    "System.Management.ManagementObject#root\\cimv2\\Win32_ComputerSystem": _COMPUTER_SYSTEM,
    "System.Management.ManagementObject#root\\cimv2\\Win32_Service": _SERVICE,
    "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem": _OPERATING_SYSTEM,
    "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_ComputerSystem": _COMPUTER_SYSTEM,
    "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_Service": _SERVICE,
    "Microsoft.PowerShell.Commands.LocalUser": ("Name", "Enabled", "Description"),
    "Microsoft.PowerShell.Commands.LocalGroup": ("Name", "Description"),
}
"""DefaultDisplayPropertySet of types: shown of those without a view, and of objects amid those of another view."""


def _short_time(time: Any) -> str:
    from winlab.powershell.dotnet.values import net_string

    return net_string(time, "MMM dd HH:mm")


_BY_NAME = {name.lower(): view for name, view in VIEWS.items()}
_LISTS_BY_NAME = {name.lower(): view for name, view in LISTS.items()}
_SETS_BY_NAME = {name.lower(): names for name, names in DISPLAY_PROPERTIES.items()}


def find_view(type_names: list[str]) -> View | None:
    """The view of the first type name that has one."""
    for name in type_names:
        view = _BY_NAME.get(_plain(name))
        if view is not None:
            return view
    return None


def find_list(type_names: list[str]) -> ListView:
    """The list view of the first type name that has one, else one of the properties shown by default."""
    for name in type_names:
        plain = _plain(name)
        found = _LISTS_BY_NAME.get(plain) or _BY_NAME.get(plain)
        if isinstance(found, ListView):
            return ListView(found.items, found.group_by, found.group_label, found.group_text)
    shown = display_properties(type_names)
    return ListView([Column(name, name) for name in shown] if shown is not None else None)


def display_properties(type_names: list[str]) -> tuple[str, ...] | None:
    """The properties that are shown of a type by default, where its type file says so."""
    for name in type_names:
        found = _SETS_BY_NAME.get(_plain(name))
        if found is not None:
            return found
    return None


def _plain(name: str) -> str:
    lower = name.lower().removeprefix("deserialized.")
    return lower.partition("[")[0] if "`" in lower else lower


def register_view(type_name: str, view: View) -> None:
    """Give a type a view (commands of other rooms bring theirs)."""
    VIEWS[type_name] = view
    _BY_NAME[type_name.lower()] = view
