"""Smaller cmdlets over .NET: New-Guid, New-TemporaryFile, Select-Xml, Get-WinEvent and Get-NetTCPConnection."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from winlab.powershell.ast import HashtableAst
from winlab.powershell.commands.core import Cmdlet, SetInfo, ValidateRange, cmdlet, parameter, switch
from winlab.powershell.commands.management import local_only, texts
from winlab.powershell.commands.security import _PathCmdlet
from winlab.powershell.dotnet.core import get_type
from winlab.powershell.dotnet.diagnostics import EventLogRecord
from winlab.powershell.dotnet.files import FileInfo, decode, read_file
from winlab.powershell.dotnet.identity import Guid
from winlab.powershell.dotnet.paths import Path
from winlab.powershell.dotnet.time import DateTime
from winlab.powershell.dotnet.xml import XmlDocument, XmlNamespaceManager, decode_xml, select
from winlab.powershell.errors import ErrorRecord, LabUnsupported, NetException
from winlab.powershell.objects import PSCustomObject, PSMember, UInt16, UInt32, unwrap
from winlab.powershell.parser import parse
from winlab.powershell.runtime.conversion import convert
from winlab.powershell.runtime.members import ensure_members
from winlab.powershell.runtime.wildcard import has_wildcards, wildcard
from winlab.powershell.safevalue import safe_value
from winlab.windows.native import listening_sockets, shown_address

UTILITY = "Microsoft.PowerShell.Utility"


@cmdlet("New-Guid", module=UTILITY, kind="Function")
class NewGuid(Cmdlet):
    """A random Guid."""

    def end(self) -> None:
        self.write(Guid(uuid.uuid4()))


@cmdlet("New-TemporaryFile", module=UTILITY, kind="Function", should_process=True)
class NewTemporaryFile(Cmdlet):
    """An empty file in the user's folder for temporary files."""

    def end(self) -> None:
        if self.should_process(self.runtime.get_env("TEMP") or "", "New-TemporaryFile"):
            made = Path.get_temp_file_name()
            self.write(FileInfo(made, made))


@cmdlet("Import-PowerShellDataFile", module=UTILITY, kind="Function", default_set="ByPath")
class ImportPowerShellDataFile(_PathCmdlet):
    """The hashtable of a .psd1 file; nothing of it is run."""

    path = parameter("Path", "String[]", roles={"ByPath": SetInfo(position=0)})
    literal_path = parameter("LiteralPath", "String[]", by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",))

    def process(self) -> None:
        for place in self.places():
            full = self.need_file_system(place, "data files")
            try:
                tree, _, errors = parse(decode(read_file(full)), full)
            except NetException as error:
                self.write_error(self.error(error.type_name, error.message, "", "NotSpecified"))
                continue
            tables = [] if errors else tree.find_all(lambda node: isinstance(node, HashtableAst), False)
            if not tables:
                self.bad_data(full, "" if errors else "NoHashtableRoot")
                continue
            try:
                self.write(safe_value(tables[0]))
            except NetException as error:
                outer = NetException(
                    "System.Management.Automation.MethodInvocationException",
                    f'Exception calling "SafeGetValue" with "0" argument(s): "{error.message}"',
                    error,
                )
                self.write_error(ErrorRecord(outer, "InvalidOperationException", "NotSpecified", None))

    def bad_data(self, path: str, more: str) -> None:
        self.write_error(
            self.error(
                "System.InvalidOperationException",
                f"Could not parse '{path}' as a PowerShell Data File.",
                f"CouldNotParseAsPowerShellDataFile{more}",
                "InvalidData",
            )
        )


# ------------------------------------------------------------------------------------------------------------ Select-Xml


@cmdlet("Select-Xml", module=UTILITY, default_set="Xml")
class SelectXml(_PathCmdlet):
    """Nodes of XML by XPath."""

    xpath = parameter("XPath", "String", position=0, mandatory=True)
    xml = parameter(
        "Xml",
        "Xml.XmlNode[]",
        roles={"Xml": SetInfo(position=1, mandatory=True, pipeline=True, by_name=True)},
        aliases=("Node",),
    )
    path = parameter("Path", "String[]", roles={"Path": SetInfo(position=1, mandatory=True, by_name=True)})
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("LiteralPath",), aliases=("PSPath",)
    )
    content = parameter("Content", "String[]", mandatory=True, pipeline=True, sets=("Content",))
    namespace = parameter("Namespace", "Collections.Hashtable")

    def process(self) -> None:
        manager = None
        if self.namespace is not None:
            manager = XmlNamespaceManager()
            for prefix, uri in self.namespace.items():
                manager.add_namespace(str(prefix), str(uri))
        if self.parameter_set == "Xml":
            for node in self.xml:
                self.find(unwrap(node), "InputStream", manager)
            return
        if self.parameter_set == "Content":
            for text in texts(self.content):
                self.find(self.load(text, text), "InputStream", manager)
            return
        for place in self.places():
            full = self.need_file_system(place, "XML files")
            document = None
            try:
                document = self.load(decode_xml(read_file(full)), full)
            except NetException as error:
                self.bad_file(full, error)
            if document is not None:
                self.find(document, full, manager)

    def bad_file(self, path: str, error: NetException) -> None:
        self.write_error(
            self.error(
                "System.ArgumentException",
                f"Cannot access the file '{path}' because of the following error: {error.message}",
                "ProcessingFile",
                "InvalidArgument",
                path,
                error,
            )
        )

    def load(self, text: str, what: str) -> Any:
        document = XmlDocument()
        try:
            document.load_xml(text)
        except NetException as error:
            if self.parameter_set != "Content":
                raise
            self.throw(
                self.error(
                    "System.Management.Automation.PSInvalidCastException",
                    f'Cannot convert value "{what}" to type "System.Xml.XmlDocument". Error: "{error.message}"',
                    "InvalidCastToXmlDocument",
                    "InvalidData",
                    what,
                    error,
                )
            )
        return document

    def find(self, node: Any, path: str, manager: Any) -> None:
        for found in select(node, self.xpath, manager):
            self.write(
                PSCustomObject.of(
                    {"Node": found, "Path": path, "Pattern": self.xpath}, "Microsoft.PowerShell.Commands.SelectXmlInfo"
                )
            )


# ------------------------------------------------------------------------------------------------------------ Get-WinEvent


@cmdlet("Get-WinEvent", module="Microsoft.PowerShell.Diagnostics", default_set="GetLogSet")
class GetWinEvent(Cmdlet):
    """Events of the classic logs, newest first."""

    log_name = parameter("LogName", "String[]", roles={"GetLogSet": SetInfo(position=0, pipeline=True, by_name=True)})
    provider_name = parameter(
        "ProviderName",
        "String[]",
        roles={"GetProviderSet": SetInfo(position=0, mandatory=True, by_name=True)},
    )
    filter_hashtable = parameter(
        "FilterHashtable",
        "Collections.Hashtable[]",
        roles={"HashQuerySet": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)},
    )
    max_events = parameter("MaxEvents", "Int64", validate=(ValidateRange(1, 2**63 - 1),))
    oldest = switch("Oldest")
    force = switch("Force")
    computer_name = parameter("ComputerName", "String", aliases=("Cn",))

    def process(self) -> None:
        local_only(self, [self.computer_name] if self.computer_name else None)
        if self.filter_hashtable is not None:
            queries = [self.query(item) for item in self.filter_hashtable]
        elif self.provider_name is not None:
            queries = [self.query({"ProviderName": self.provider_name})]
        else:
            queries = [self.query({"LogName": self.log_name or ["*"]})]
        found = [event for wanted in queries if wanted is not None for event in self.select(wanted)]
        found.sort(key=lambda event: (event.time, event.record_id), reverse=not self.oldest)
        if not found:
            if any(wanted is not None for wanted in queries):
                self.fail(
                    "No events were found that match the specified selection criteria.", "NoMatchingEventsFound", None
                )
            return
        for event in found[: self.max_events] if self.max_events is not None else found:
            self.check()
            record = EventLogRecord(event)
            _, members = ensure_members(record)
            members["message"] = PSMember("NoteProperty", "Message", self.machine.eventlog.description(event))
            self.write(record)

    def fail(self, message: str, error_id: str, target: Any) -> None:
        self.write_error(self.error("System.Exception", message, error_id, "ObjectNotFound", target))

    def query(self, table: Any) -> dict[str, Any] | None:
        """A filter's keys in lower case, with the logs' stored names; None after an error."""
        known = {"logname", "providername", "id", "level", "starttime", "endtime", "data", "userid"}
        wanted = {str(key).lower(): unwrap(value) for key, value in table.items()}
        for key in wanted:
            if key not in known:
                raise LabUnsupported(f"Get-WinEvent -FilterHashtable with the key {key}")
        log = self.machine.eventlog
        names: list[str] = []
        for pattern in texts(_many(wanted.get("logname", "*"))):
            matches = [name for name in log.logs if wildcard(pattern)(name)]
            if not matches and not has_wildcards(pattern):
                self.fail(
                    f'There is not an event log on the localhost computer that matches "{pattern}".',
                    "NoMatchingLogsFound",
                    pattern,
                )
            names += [name for name in matches if name not in names]
        if "providername" in wanted:
            sources = {name.lower() for item in log.logs for name in log.sources(item)}
            kept = []
            for pattern in texts(_many(wanted["providername"])):
                if any(wildcard(pattern)(name) for name in sources):
                    kept.append(pattern)
                else:
                    self.fail(
                        f'There is not an event provider on the localhost computer that matches "{pattern}".',
                        "NoMatchingProvidersFound",
                        pattern,
                    )
            if not kept:
                return None
            wanted["providername"] = kept
        wanted["logname"] = names
        return wanted if names else None

    def select(self, wanted: dict[str, Any]) -> Iterator[Any]:
        moment = {
            key: convert(wanted[key], get_type("System.DateTime")) for key in ("starttime", "endtime") if key in wanted
        }
        providers = [wildcard(item) for item in texts(_many(wanted.get("providername", "*")))]
        ids = {int(item) for item in _many(wanted["id"])} if "id" in wanted else None
        levels = {int(item) for item in _many(wanted["level"])} if "level" in wanted else None
        data = {str(item) for item in _many(wanted["data"])} if "data" in wanted else None
        user = None
        if "userid" in wanted:
            user = self.machine.accounts.sid_of(str(wanted["userid"]))
        for name in wanted["logname"]:
            for event in self.machine.eventlog.newest(name):
                time: Any = DateTime.of(event.time)
                if "starttime" in moment and time.ticks < moment["starttime"].ticks:
                    continue
                if "endtime" in moment and time.ticks > moment["endtime"].ticks:
                    continue
                if not any(matches(event.source) for matches in providers):
                    continue
                if ids is not None and event.event_id not in ids:
                    continue
                if levels is not None and event.level_number not in levels:
                    continue
                if data is not None and not data & set(event.data or [event.message]):
                    continue
                if user is not None and (not event.user or self.machine.accounts.sid_of(event.user) != user):
                    continue
                yield event


def _many(value: Any) -> Iterable[Any]:
    """An array, or one value as one."""
    return value if isinstance(value, list | tuple) else [value]


# ------------------------------------------------------------------------------------------------------------ Get-NetTCPConnection


@cmdlet("Get-NetTCPConnection", module="NetTCPIP", kind="Function", default_set="ByName")
class GetNetTCPConnection(Cmdlet):
    """TCP sockets that listen."""

    local_address = parameter("LocalAddress", "String[]", position=0, by_name=True, aliases=("IPAddress",))
    local_port = parameter("LocalPort", "UInt16[]", position=1, by_name=True)
    state = parameter("State", "String[]", by_name=True)
    owning_process = parameter("OwningProcess", "UInt32[]", by_name=True)

    def process(self) -> None:
        rows = list(self.rows())
        for given, key in (
            (self.local_address, "LocalAddress"),
            (self.local_port, "LocalPort"),
            (self.state, "State"),
            (self.owning_process, "OwningProcess"),
        ):
            if given is None:
                continue
            kept = []
            for item in given:
                text = str(unwrap(item))
                matches = wildcard(text)
                found = [row for row in rows if matches(str(row[key]))]
                if not found and not has_wildcards(text):
                    self.write_error(
                        self.error(
                            "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                            f"No MSFT_NetTCPConnection objects found with property '{key}' equal to '{text}'.  "
                            "Verify the value of the property and retry.",
                            f"CmdletizationQuery_NotFound_{key}",
                            "ObjectNotFound",
                            unwrap(item),
                        )
                    )
                kept += found
            rows = kept
        for row in rows:
            self.write(
                PSCustomObject.of(
                    row, "Microsoft.Management.Infrastructure.CimInstance#ROOT/StandardCimv2/MSFT_NetTCPConnection"
                )
            )

    def rows(self) -> Iterator[dict[str, Any]]:
        for address, port, pid in listening_sockets(self.machine):
            shown = shown_address(address, pid)
            yield {
                "LocalAddress": shown,
                "LocalPort": UInt16(port),
                "RemoteAddress": "::" if ":" in shown else "0.0.0.0",
                "RemotePort": UInt16(0),
                "State": "Listen",
                "AppliedSetting": None,
                "OwningProcess": UInt32(pid),
                "CreationTime": None,
            }
