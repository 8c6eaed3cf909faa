"""Cmdlets over providers: items, their properties and contents, locations and paths (Microsoft.PowerShell.Management)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from winlab.powershell.commands.core import Cmdlet, SetInfo, cmdlet, parameter, switch
from winlab.powershell.dotnet.encodings import ANSI, OEM, decode_text, detect, encode_text
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import (
    AutomationNull,
    Byte,
    ByteArray,
    Int64,
    PSArray,
    PSCustomObject,
    PSMember,
    PSObject,
    unwrap,
)
from winlab.powershell.providers import (
    Child,
    Drives,
    ItemError,
    Location,
    drive_object,
    drives_of,
    path_not_found,
    provider_object,
    texts,
)
from winlab.powershell.providers.filesystem import FileSystemProvider
from winlab.powershell.providers.memory import EnvironmentProvider
from winlab.powershell.runtime.members import set_member
from winlab.powershell.runtime.psobjects import PathInfo
from winlab.powershell.runtime.wildcard import has_wildcards, wildcard

MODULE = "Microsoft.PowerShell.Management"
_BY_PATH = ("Path",)
_BY_LITERAL = ("LiteralPath",)


def path_parameter(
    mandatory: bool = True, position: int | None = 0, kind: str = "String[]", literal_sets: tuple[str, ...] = _BY_PATH
) -> Any:
    """-Path, with wildcards."""
    return parameter(
        "Path", kind, position=position, mandatory=mandatory, pipeline=True, by_name=True, sets=literal_sets
    )


def literal_parameter(kind: str = "String[]") -> Any:
    """-LiteralPath, taken as it is."""
    return parameter("LiteralPath", kind, mandatory=True, by_name=True, sets=_BY_LITERAL, aliases=("PSPath",))


class ItemCmdlet(Cmdlet):
    """What these share: locations from -Path and -LiteralPath, -Include and -Exclude, errors of providers as records."""

    path: Any = None
    literal_path: Any = None
    include: Any = None
    exclude: Any = None
    filter: Any = None

    @property
    def drives(self) -> Drives:
        """The session's drives."""
        return drives_of(self.runtime)

    def report(self, error: ItemError) -> None:
        """Write a provider's refusal as a non-terminating error."""
        self.write_error(error.record)

    def locations(self, must_exist: bool = True) -> Iterator[Location]:
        """What -Path or -LiteralPath name; what does not exist is reported."""
        if self.literal_path is not None:
            named = [(text, False) for text in texts(self.literal_path, self.runtime)]
        else:
            named = [(text, True) for text in texts(self.path if self.path is not None else ["."], self.runtime)]
        for text, globbing in named:
            try:
                found = self.drives.expand(text) if globbing else [self.drives.resolve(text)]
            except ItemError as error:
                self.report(error)
                continue
            for location in found:
                if must_exist and not location.provider.exists(location.path):
                    self.report(location.provider.missing(location))
                elif self.selected(location):
                    yield location

    def selected(self, location: Location) -> bool:
        """Whether -Include, -Exclude and -Filter let an item through."""
        name = location.provider.leaf(location.path)
        include, exclude = texts(self.include, self.runtime), texts(self.exclude, self.runtime)
        if include and not any(wildcard(pattern)(name) for pattern in include):
            return False
        if exclude and any(wildcard(pattern)(name) for pattern in exclude):
            return False
        return self.filter is None or _filter_matches(self.runtime.to_string(self.filter), name)

    def shown(self, location: Location, value: Any = None) -> Any:
        """An item's object with PSPath and the like; the path as the item itself spells it."""
        stored = Location(location.provider, location.provider.stored(location.path), location.drive)
        return self.drives.show(stored, location.provider.item(stored.path) if value is None else value)


def _filter_matches(pattern: str, name: str) -> bool:
    """-Filter, as the file system matches it: `*.*` is everything."""
    return pattern in ("*.*", "") or wildcard(pattern.replace("[", "`["))(name)


class _Selecting(ItemCmdlet):
    """Parameters of most item cmdlets."""

    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    filter = parameter("Filter", "String")


# --------------------------------------------------------------------------------------------------------------------- items


@cmdlet("Get-Item", module=MODULE, default_set="Path", aliases=("gi",))
class GetItem(_Selecting):
    """Items by path."""

    path = path_parameter()
    literal_path = literal_parameter()
    force = switch("Force")

    def process(self) -> None:
        for location in self.locations():
            try:
                self.write(self.shown(location))
            except ItemError as error:
                self.report(error)


@cmdlet(
    "Get-ChildItem",
    module=MODULE,
    default_set="Items",
    aliases=("gci", "dir", "ls"),
    dynamic=(
        "CodeSigningCert",
        "DocumentEncryptionCert",
        "DnsName",
        "Eku",
        "SSLServerAuthentication",
        "ExpiringInDays",
    ),
)
class GetChildItem(ItemCmdlet):
    """The items below containers."""

    path = parameter("Path", "String[]", position=0, pipeline=True, by_name=True, sets=("Items",))
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("LiteralItems",), aliases=("PSPath",)
    )
    filter = parameter("Filter", "String", position=1)
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    recurse = switch("Recurse", aliases=("s",))
    depth = parameter("Depth", "UInt32")
    force = switch("Force")
    name = switch("Name")
    directory = switch("Directory", aliases=("ad", "d"))
    file = switch("File", aliases=("af",))
    hidden = switch("Hidden", aliases=("ah", "h"))
    read_only = switch("ReadOnly", aliases=("ar",))
    system = switch("System", aliases=("as",))

    def process(self) -> None:
        include, self_filter = self.include, self.filter
        self.include = self.filter = None
        exclude, self.exclude = self.exclude, None
        starts = list(self._starts())
        self.include, self.filter, self.exclude = include, self_filter, exclude
        for location, listed in starts:
            if listed and location.provider.is_container(location.path):
                limit = int(self.depth) if self.depth is not None else (1 << 30 if self.recurse else 0)
                # -Include looks at the leaf of the path itself unless the listing goes down or the path ends in a wildcard.
                if self.include is not None and not (self.recurse or self.depth is not None):
                    continue
                self._list(location, limit, "")
            else:
                self._emit(location, self._child_of(location), location.provider.leaf(location.path))

    def _starts(self) -> Iterator[tuple[Location, bool]]:
        """The places to list, and whether their children are meant (not themselves, as with a wildcard)."""
        if self.literal_path is not None or self.path is None:
            for location in self.locations():
                yield location, True
            return
        for text in texts(self.path, self.runtime):
            self.path = [text]
            matched = has_wildcards(text)
            if matched and (self.recurse or self.depth is not None):
                yield from self._recursive_start(text)
                continue
            for location in self.locations():
                yield location, not matched or self._wild_container(text, location)

    @staticmethod
    def _wild_container(text: str, location: Location) -> bool:
        # dir C:\x\* shows what matches; PowerShell lists below matches only when the wildcard stands before the last part.
        return (
            False
            if has_wildcards(text.rstrip("\\/").replace("/", "\\").rpartition("\\")[2])
            else location.provider.is_container(location.path)
        )

    def _recursive_start(self, text: str) -> Iterator[tuple[Location, bool]]:
        """With -Recurse a wildcard in the last part selects what is found below the folder."""
        head, _, last = text.replace("/", "\\").rpartition("\\")
        if not has_wildcards(last):
            for location in self.locations():
                yield location, True
            return
        self.path = [head or "."]
        for location in self.locations():
            if not location.provider.is_container(location.path):
                continue
            matches = wildcard(last)
            for child in location.provider.children(location.path):
                if matches(child.name):
                    yield location.child(child.name), child.is_container and last == "*"
                    if child.is_container and last == "*":
                        continue

    def _child_of(self, location: Location) -> Child:
        provider = location.provider
        if isinstance(provider, FileSystemProvider):
            entry = provider.fs.stat(location.path, provider.user)
            return Child(entry.name, entry.is_dir)
        return Child(provider.leaf(location.path), provider.is_container(location.path))

    def _list(self, place: Location, depth: int, prefix: str) -> None:
        self.check()
        try:
            children = place.provider.children(place.path)
        except ItemError as error:
            self.report(error)
            return
        containers = []
        for child in children:
            if child.hidden and not (self.force or self.hidden or self.system):
                continue
            self._emit(place.child(child.name), child, prefix + child.name)
            if child.is_container and depth > 0:
                containers.append(child)
        for child in containers:
            self._list(place.child(child.name), depth - 1, prefix + child.name + "\\")

    def _emit(self, location: Location, child: Child, relative: str) -> None:
        if not self.selected(location) or not self._wanted(location, child):
            return
        if self.name:
            self.write(relative)
            return
        try:
            self.write(self.shown(location))
        except ItemError as error:
            self.report(error)

    def _wanted(self, location: Location, child: Child) -> bool:
        if self.directory and not child.is_container:
            return False
        if self.file and child.is_container:
            return False
        for given, bit in ((self.hidden, 0x2), (self.read_only, 0x1), (self.system, 0x4)):
            if given and isinstance(location.provider, FileSystemProvider):
                attributes = location.provider.fs.attributes(location.path, self.user)
                if not attributes & bit:
                    return False
        return True


@cmdlet("New-Item", module=MODULE, should_process=True, default_set="pathSet", aliases=("ni",))
class NewItem(ItemCmdlet):
    """Makes items."""

    path = parameter(
        "Path",
        "String[]",
        roles={
            "pathSet": SetInfo(position=0, mandatory=True, by_name=True),
            "nameSet": SetInfo(position=0, by_name=True),
        },
    )
    name = parameter(
        "Name", "String", mandatory=True, by_name=True, sets=("nameSet",), allow_null=True, allow_empty_string=True
    )
    item_type = parameter("ItemType", "String", by_name=True, aliases=("Type",))
    value = parameter("Value", "Object", pipeline=True, by_name=True, aliases=("Target",))
    force = switch("Force")

    def process(self) -> None:
        for text in texts(self.path if self.path is not None else ["."], self.runtime):
            if self.name:
                text = text.rstrip("\\") + "\\" + str(self.name) if not text.endswith(":") else text + str(self.name)
            try:
                location = self.drives.resolve(text)
                if not self.should_process(f"Destination: {location.shown}", f"Create {self._kind()}"):
                    continue
                made = location.provider.new(location.path, str(self.item_type or ""), self.value, bool(self.force))
                if made is not None:
                    self.write(self.shown(location, made))
            except ItemError as error:
                self.report(error)

    def _kind(self) -> str:
        return str(self.item_type or "File").capitalize()


@cmdlet(
    "Remove-Item",
    module=MODULE,
    should_process=True,
    default_set="Path",
    aliases=("ri", "rm", "rmdir", "del", "erase", "rd"),
)
class RemoveItem(_Selecting):
    """Removes items; a container with children needs -Recurse, since nobody answers the question."""

    path = path_parameter()
    literal_path = literal_parameter()
    recurse = switch("Recurse")
    force = switch("Force")

    def process(self) -> None:
        for location in list(self.locations()):
            provider = location.provider
            try:
                if provider.is_container(location.path) and not self.recurse and provider.children(location.path):
                    self.throw(
                        self.error(
                            "System.Management.Automation.PSInvalidOperationException",
                            "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
                            "InvalidOperation",
                            "InvalidOperation",
                        )
                    )
                what = "Remove Directory" if provider.is_container(location.path) else "Remove File"
                if self.should_process(location.shown, what):
                    provider.remove(location.path, bool(self.recurse), bool(self.force))
            except ItemError as error:
                self.report(error)


class _ToDestination(_Selecting):
    """-Path to -Destination."""

    path = path_parameter()
    literal_path = literal_parameter()
    destination = parameter("Destination", "String", position=1, by_name=True)
    force = switch("Force")
    pass_thru = switch("PassThru")

    def target(self) -> Location:
        """Where it goes."""
        text = self.runtime.to_string(self.destination) if self.destination is not None else "."
        found = self.drives.expand(text) if has_wildcards(text) else [self.drives.resolve(text)]
        if len(found) != 1:
            raise path_not_found(text)
        return found[0]


@cmdlet("Copy-Item", module=MODULE, should_process=True, default_set="Path", aliases=("copy", "cp", "cpi"))
class CopyItem(_ToDestination):
    """Copies items; a folder's contents only with -Recurse."""

    container = switch("Container")
    recurse = switch("Recurse")

    def process(self) -> None:
        for location in list(self.locations()):
            try:
                target = self.target()
                if not self.should_process(f"Item: {location.shown} Destination: {target.shown}", "Copy File"):
                    continue
                for made in location.provider.copy(location.path, target.path, bool(self.recurse), bool(self.force)):
                    if self.pass_thru:
                        self.write(self.shown(Location(target.provider, made, target.drive)))
            except ItemError as error:
                self.report(error)


@cmdlet("Move-Item", module=MODULE, should_process=True, default_set="Path", aliases=("mi", "move", "mv"))
class MoveItem(_ToDestination):
    """Moves items."""

    def process(self) -> None:
        for location in list(self.locations()):
            try:
                target = self.target()
                if not self.should_process(f"Item: {location.shown} Destination: {target.shown}", "Move File"):
                    continue
                made = location.provider.move(location.path, target.path, bool(self.force))
                if self.pass_thru:
                    self.write(self.shown(Location(target.provider, made, target.drive)))
            except ItemError as error:
                self.report(error)


@cmdlet("Rename-Item", module=MODULE, should_process=True, default_set="ByPath", aliases=("rni", "ren"))
class RenameItem(ItemCmdlet):
    """Renames one item."""

    path = parameter("Path", "String", position=0, mandatory=True, pipeline=True, by_name=True, sets=("ByPath",))
    literal_path = parameter(
        "LiteralPath", "String", mandatory=True, by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",)
    )
    new_name = parameter("NewName", "String", position=1, mandatory=True, by_name=True)
    force = switch("Force")
    pass_thru = switch("PassThru")

    def process(self) -> None:
        text = str(self.literal_path if self.literal_path is not None else self.path)
        try:
            location = self.drives.resolve(text)
            if not location.provider.exists(location.path):
                self.throw(
                    self.error(
                        "System.Management.Automation.PSInvalidOperationException",
                        f"Cannot rename because item at '{text}' does not exist.",
                        "InvalidOperation",
                        "InvalidOperation",
                    )
                )
            if not self.should_process(f"Item: {location.shown} Destination: {self.new_name}", "Rename File"):
                return
            made = location.provider.rename(location.path, str(self.new_name), bool(self.force))
            if self.pass_thru:
                self.write(self.shown(Location(location.provider, made, location.drive)))
        except ItemError as error:
            self.report(error)


@cmdlet("Set-Item", module=MODULE, should_process=True, default_set="Path", aliases=("si",))
class SetItem(_Selecting):
    """Changes the value of items (variables, environment variables, functions, aliases)."""

    path = parameter("Path", "String[]", position=0, mandatory=True, by_name=True, sets=_BY_PATH)
    literal_path = literal_parameter()
    value = parameter("Value", "Object", position=1, pipeline=True, by_name=True)
    force = switch("Force")
    pass_thru = switch("PassThru")

    def process(self) -> None:
        for location in self.locations(must_exist=False):
            try:
                if self.should_process(
                    f"Item: {location.shown} Value: {self.runtime.to_string(self.value)}", "Set Item"
                ):
                    made = location.provider.set(location.path, self.value)
                    if self.pass_thru and made is not None:
                        self.write(self.shown(location, made))
            except ItemError as error:
                self.report(error)


@cmdlet("Clear-Item", module=MODULE, should_process=True, default_set="Path", aliases=("cli",))
class ClearItem(_Selecting):
    """Empties items."""

    path = path_parameter()
    literal_path = literal_parameter()
    force = switch("Force")

    def process(self) -> None:
        for location in self.locations():
            try:
                if self.should_process(f"Item: {location.shown}", "Clear Item"):
                    location.provider.clear(location.path)
            except ItemError as error:
                self.report(error)


# ---------------------------------------------------------------------------------------------------------------- properties


@cmdlet("Get-ItemProperty", module=MODULE, default_set="Path", aliases=("gp",))
class GetItemProperty(_Selecting):
    """The properties of items: a key's values, a file's or folder's own object."""

    path = path_parameter()
    literal_path = literal_parameter()
    name = parameter("Name", "String[]", position=1, aliases=("PSProperty",))

    def process(self) -> None:
        names = texts(self.name, self.runtime) if self.name is not None else None
        for location in self.locations():
            try:
                value = location.provider.get_properties(location.path, names)
                shown = self.shown(location, value)
                if isinstance(value, PSCustomObject):
                    value.ps_members.pop("psiscontainer", None)
                    if len(value.ps_members) <= 4 and names is None:
                        continue
                self.write(shown)
            except ItemError as error:
                self.report(error)


@cmdlet("Get-ItemPropertyValue", module=MODULE, default_set="Path", aliases=("gpv",))
class GetItemPropertyValue(_Selecting):
    """The values of properties."""

    path = parameter("Path", "String[]", position=0, pipeline=True, by_name=True, sets=_BY_PATH)
    literal_path = literal_parameter()
    name = parameter("Name", "String[]", position=1, mandatory=True, aliases=("PSProperty",))

    def process(self) -> None:
        from winlab.powershell.runtime.members import get_member

        for location in self.locations():
            for name in texts(self.name, self.runtime):
                try:
                    self.write(get_member(location.provider.get_properties(location.path, [name]), name))
                except ItemError as error:
                    self.report(error)


class _PropertyCmdlet(_Selecting):
    """One property of items."""

    path = parameter("Path", "String[]", position=0, mandatory=True, by_name=True, pipeline=True, sets=_BY_PATH)
    literal_path = literal_parameter()
    force = switch("Force")

    def change(self, location: Location) -> None:
        """Do it to one item."""
        raise NotImplementedError

    def process(self) -> None:
        for location in self.locations():
            try:
                if self.should_process(f"Item: {location.shown}", self.command_name.partition("-")[0] + " Property"):
                    self.change(location)
            except ItemError as error:
                self.report(error)

    def give(self, location: Location, name: str) -> None:
        """Write the property that was changed."""
        self.write(self.shown(location, location.provider.get_properties(location.path, [name])))


@cmdlet(
    "Set-ItemProperty",
    module=MODULE,
    should_process=True,
    default_set="propertyValuePathSet",
    aliases=("sp",),
    dynamic=("Type",),
)
class SetItemProperty(_PropertyCmdlet):
    """Changes a property, or makes it (registry)."""

    path = parameter(
        "Path",
        "String[]",
        position=0,
        mandatory=True,
        by_name=True,
        sets=("propertyValuePathSet", "propertyPSObjectPathSet"),
    )
    literal_path = parameter(
        "LiteralPath",
        "String[]",
        mandatory=True,
        by_name=True,
        sets=("propertyValueLiteralPathSet",),
        aliases=("PSPath",),
    )
    name = parameter(
        "Name",
        "String",
        position=1,
        mandatory=True,
        by_name=True,
        sets=("propertyValuePathSet", "propertyValueLiteralPathSet"),
        aliases=("PSProperty",),
    )
    value = parameter(
        "Value",
        "Object",
        position=2,
        mandatory=True,
        by_name=True,
        allow_null=True,
        sets=("propertyValuePathSet", "propertyValueLiteralPathSet"),
    )
    value_kind = parameter("Type", "String")
    pass_thru = switch("PassThru")

    def change(self, location: Location) -> None:
        kind = str(self.value_kind) if self.value_kind is not None else None
        location.provider.set_property(location.path, str(self.name), self.value, kind)
        if self.pass_thru:
            self.give(location, str(self.name))


@cmdlet("New-ItemProperty", module=MODULE, should_process=True, default_set="Path")
class NewItemProperty(_PropertyCmdlet):
    """Makes a property (registry)."""

    path = parameter("Path", "String[]", position=0, mandatory=True, sets=_BY_PATH)
    name = parameter("Name", "String", position=1, mandatory=True, by_name=True, aliases=("PSProperty",))
    property_type = parameter("PropertyType", "String", by_name=True, aliases=("Type",))
    value = parameter("Value", "Object", by_name=True)

    def change(self, location: Location) -> None:
        kind = str(self.property_type) if self.property_type is not None else None
        location.provider.new_property(location.path, str(self.name), self.value, kind, bool(self.force))
        self.give(location, str(self.name))


@cmdlet("Remove-ItemProperty", module=MODULE, should_process=True, default_set="Path", aliases=("rp",))
class RemoveItemProperty(_PropertyCmdlet):
    """Removes properties (registry)."""

    name = parameter("Name", "String[]", position=1, mandatory=True, by_name=True, aliases=("PSProperty",))

    def change(self, location: Location) -> None:
        for name in texts(self.name, self.runtime):
            location.provider.remove_property(location.path, name)


@cmdlet("Clear-ItemProperty", module=MODULE, should_process=True, default_set="Path", aliases=("clp",))
class ClearItemProperty(_PropertyCmdlet):
    """Empties a property (registry)."""

    name = parameter("Name", "String", position=1, mandatory=True, by_name=True)

    def change(self, location: Location) -> None:
        location.provider.clear_property(location.path, str(self.name))


# -------------------------------------------------------------------------------------------------------------------- content

_ENCODINGS = {
    "unknown": 1200,
    "string": 1200,
    "unicode": 1200,
    "bigendianunicode": 1201,
    "utf8": 65001,
    "utf7": 65000,
    "utf32": 12000,
    "bigendianutf32": 12001,
    "ascii": 20127,
    "default": ANSI,
    "oem": OEM,
}
_MARKS = {
    1200: b"\xff\xfe",
    1201: b"\xfe\xff",
    65001: b"\xef\xbb\xbf",
    12000: b"\xff\xfe\x00\x00",
    12001: b"\x00\x00\xfe\xff",
}


def code_page(name: str | None, default: int = ANSI) -> int | None:
    """The code page that -Encoding names in Windows PowerShell; None for Byte."""
    if name is None:
        return default
    lowered = name.lower()
    return None if lowered == "byte" else _ENCODINGS[lowered]


class _ContentCmdlet(_Selecting):
    """Contents of files, and of variables and the like."""

    def encoding(self, given: Any) -> str | None:
        """-Encoding, completed as an enumeration's name."""
        if given is None:
            return None
        text = self.runtime.to_string(given)
        names = [*_ENCODINGS, "byte"]
        found = [name for name in names if name == text.lower()] or [
            name for name in names if name.startswith(text.lower())
        ]
        if len(found) != 1:
            shown = "Unknown,String,Unicode,Byte,BigEndianUnicode,UTF8,UTF7,UTF32,Ascii,Default,Oem,BigEndianUTF32"
            self.throw(
                self.error(
                    "System.Management.Automation.ParameterBindingException",
                    f"Cannot bind parameter 'Encoding'. Cannot convert value \"{text}\" to type "
                    '"Microsoft.PowerShell.Commands.FileSystemCmdletProviderEncoding". Error: "Unable to match the identifier name '
                    f'{text} to a valid enumerator name. Specify one of the following enumerator names and try again:\r\n{shown.replace(",", ", ")}"',
                    "CannotConvertArgumentNoMessage",
                    "InvalidArgument",
                )
            )
        return found[0]


@cmdlet("Get-Content", module=MODULE, default_set="Path", aliases=("gc", "cat", "type"))
class GetContent(_ContentCmdlet):
    """The lines of files, or all of one as one text."""

    path = path_parameter()
    literal_path = literal_parameter()
    read_count = parameter("ReadCount", "Int64", by_name=True, default=1)
    total_count = parameter("TotalCount", "Int64", by_name=True, default=-1, aliases=("First", "Head"))
    tail = parameter("Tail", "Int32", by_name=True, default=-1, aliases=("Last",))
    force = switch("Force")
    raw = switch("Raw")
    delimiter = parameter("Delimiter", "String")
    encoding_name = parameter("Encoding", "String")

    def process(self) -> None:
        if self.total_count >= 0 and self.tail >= 0:
            self.throw(
                self.error(
                    "System.InvalidOperationException",
                    "The parameters TotalCount and Tail cannot be used together. Please specify only one parameter.",
                    "TailAndHeadCannotCoexist",
                    "InvalidOperation",
                )
            )
        name = self.encoding(self.encoding_name)
        for location in self.locations():
            try:
                units = self._units(location, name)
            except ItemError as error:
                self.report(error)
                continue
            if self.tail >= 0:
                units = units[len(units) - min(int(self.tail), len(units)) :]
            if self.total_count >= 0:
                units = units[: int(self.total_count)]
            self._write(location, units)

    def _units(self, location: Location, name: str | None) -> list[Any]:
        provider = location.provider
        if isinstance(provider, FileSystemProvider):
            data = provider.read(location.path)
            if name == "byte":
                return [ByteArray(data)] if self.raw else [Byte(value) for value in data]
            text = decode(data, code_page(name))
            if self.raw:
                return [text] if text else []
            return split_lines(text) if self.delimiter is None else split_at(text, str(self.delimiter))
        value = getattr(provider, "value", None)
        if value is None:
            raise ItemError(
                NetException(
                    "System.Management.Automation.PSNotSupportedException",
                    "Cannot use interface. The IContentCmdletProvider interface is not implemented by this provider.",
                ),
                "NotSupported",
                "NotImplemented",
            )
        found = value(location.path)
        return list(found) if isinstance(unwrap(found), list) else [found]

    def _write(self, location: Location, units: list[Any]) -> None:
        size = int(self.read_count)
        if size == 1:
            shared = self._notes(location)
            for count, unit in enumerate(units, 1):
                self.check()
                self.write(_noted(unit, shared, count))
        elif units:
            step = size if size > 0 else len(units)
            for start in range(0, len(units), step):
                self.write(PSArray(units[start : start + step]))

    def _notes(self, location: Location) -> list[PSMember]:
        provider = location.provider
        notes = [
            ("PSPath", provider.qualified(location.path)),
            ("PSParentPath", provider.qualified(provider.parent(location.path))),
            ("PSChildName", provider.leaf(location.path)),
        ]
        members = [PSMember("NoteProperty", name, value) for name, value in notes]
        if location.drive is not None:
            members.append(PSMember("NoteProperty", "PSDrive", drive_object(location.drive)))
        return [*members, PSMember("NoteProperty", "PSProvider", provider_object(provider))]


def _noted(unit: Any, shared: list[PSMember], count: int) -> Any:
    """A line with what tells where it comes from, as Get-Content adds it."""
    if not isinstance(unit, str):
        return unit
    holder = PSObject(unit)
    holder.ps_members = {member.name.lower(): member for member in shared}
    holder.ps_members["readcount"] = PSMember("NoteProperty", "ReadCount", count)
    return holder


def decode(data: bytes, page: int | None) -> str:
    """A file's text: a byte order mark counts before the code page."""
    mark = detect(data)
    if mark is not None:
        return decode_text(data[mark[1] :], mark[0])
    return decode_text(data, page if page is not None else ANSI)


def split_lines(text: str) -> list[str]:
    """Lines as StreamReader.ReadLine gives them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return lines


def split_at(text: str, delimiter: str) -> list[str]:
    """Pieces that end with a delimiter, which 5.1 takes away."""
    pieces = text.split(delimiter)
    if pieces and pieces[-1] == "":
        pieces.pop()
    return pieces


class _WritingCmdlet(_ContentCmdlet):
    """Set-Content and Add-Content: everything that comes is written when the command ends."""

    append = False

    path = parameter("Path", "String[]", position=0, mandatory=True, by_name=True, sets=_BY_PATH)
    literal_path = literal_parameter()
    value = parameter(
        "Value",
        "Object[]",
        position=1,
        mandatory=True,
        pipeline=True,
        by_name=True,
        allow_null=True,
        allow_empty_collection=True,
    )
    force = switch("Force")
    pass_thru = switch("PassThru")
    no_newline = switch("NoNewline")
    encoding_name = parameter("Encoding", "String")

    def begin(self) -> None:
        self._values: list[Any] = []

    def process(self) -> None:
        for item in self.value if self.value is not None else ():
            base = unwrap(item)
            if isinstance(base, list):
                self._values += list(base)
            elif base is not AutomationNull:
                self._values.append(item)

    def end(self) -> None:
        name = self.encoding(self.encoding_name)
        for location in self.locations(must_exist=False):
            try:
                if self.should_process(f"Path: {location.shown}", self.command_name.replace("-", " ")):
                    self._put(location, name)
            except ItemError as error:
                self.report(error)
        if self.pass_thru:
            for value in self._values:
                self.write(value)

    def _put(self, location: Location, name: str | None) -> None:
        provider = location.provider
        if not isinstance(provider, FileSystemProvider):
            value = self._values[0] if len(self._values) == 1 else PSArray(self._values)
            if isinstance(provider, EnvironmentProvider):
                value = "\r\n".join(self.runtime.to_string(item) for item in self._values)
            provider.set(location.path, value)
            return
        if name == "byte":
            provider.write(location.path, bytes(self._bytes()), self.append, bool(self.force))
            return
        ending = "" if self.no_newline else "\r\n"
        text = "".join(self.runtime.to_string(item) + ending for item in self._values)
        page = code_page(name)
        assert page is not None
        start = b""
        if self.append and provider.exists(location.path) and provider.fs.stat(location.path, self.user).size:
            if name is None:
                mark = detect(provider.read(location.path))
                page = mark[0] if mark is not None else page
        else:
            start = _MARKS.get(page, b"")
        provider.write(location.path, start + encode_text(text, page), self.append, bool(self.force))

    def _bytes(self) -> Iterable[int]:
        for item in self._values:
            base = unwrap(item)
            if isinstance(base, bool) or not isinstance(base, int) or not 0 <= base <= 255:
                self.throw(
                    self.error(
                        "System.ArgumentException",
                        "Cannot proceed with byte encoding. When using byte encoding the content must be of type byte.",
                        "GetContentWriterArgumentError",
                        "InvalidArgument",
                    )
                )
            yield int(base)


@cmdlet("Set-Content", module=MODULE, should_process=True, default_set="Path", aliases=("sc",))
class SetContent(_WritingCmdlet):
    """Replaces contents."""


@cmdlet("Add-Content", module=MODULE, should_process=True, default_set="Path", aliases=("ac",))
class AddContent(_WritingCmdlet):
    """Appends to contents."""

    append = True


@cmdlet("Clear-Content", module=MODULE, should_process=True, default_set="Path", aliases=("clc",))
class ClearContent(_Selecting):
    """Empties files."""

    path = path_parameter()
    literal_path = literal_parameter()
    force = switch("Force")

    def process(self) -> None:
        for location in self.locations():
            try:
                if not self.should_process(f"Item: {location.shown}", "Clear Content"):
                    continue
                if isinstance(location.provider, FileSystemProvider):
                    location.provider.write(location.path, b"", False, bool(self.force))
                else:
                    location.provider.clear(location.path)
            except ItemError as error:
                self.report(error)


# ---------------------------------------------------------------------------------------------------------------------- paths


@cmdlet("Test-Path", module=MODULE, default_set="Path")
class TestPath(_Selecting):
    """Whether there is an item."""

    path = path_parameter()
    literal_path = literal_parameter()
    path_type = parameter("PathType", "String", aliases=("Type",))
    is_valid = switch("IsValid")

    def process(self) -> None:
        literal = self.literal_path is not None
        for text in texts(self.literal_path if literal else self.path, self.runtime):
            if self.is_valid:
                self.write(not any(mark in text.partition(":")[2] for mark in '<>"|\0'))
                continue
            if not text.strip():
                self.write(False)
                continue
            try:
                found = [self.drives.resolve(text)] if literal else self.drives.expand(text)
            except ItemError:
                self.write(False)
                continue
            self.write(any(self._fits(location) for location in found))

    def _fits(self, location: Location) -> bool:
        if not location.provider.exists(location.path) or not self.selected(location):
            return False
        wanted = str(self.path_type or "Any").lower()
        container = location.provider.is_container(location.path)
        return {"container": container, "leaf": not container}.get(wanted, True)


@cmdlet("Join-Path", module=MODULE)
class JoinPath(ItemCmdlet):
    """A path and a child path as one."""

    path = parameter("Path", "String[]", position=0, mandatory=True, pipeline=True, by_name=True, aliases=("PSPath",))
    child_path = parameter(
        "ChildPath", "String", position=1, mandatory=True, by_name=True, allow_null=True, allow_empty_string=True
    )
    resolve = switch("Resolve")

    def process(self) -> None:
        for text in texts(self.path, self.runtime):
            child = self.runtime.to_string(self.child_path).replace("/", "\\")
            base = text.replace("/", "\\")
            if ":" in base and not base.startswith("\\") and "::" not in base:
                try:
                    self.drives.drive(base.partition(":")[0])
                except ItemError as error:
                    self.report(error)
                    continue
            joined = base if base.endswith("\\") else base + "\\"
            joined += child.lstrip("\\")
            if not self.resolve:
                self.write(joined)
                continue
            try:
                for location in self.drives.expand(joined):
                    if not location.provider.exists(location.path):
                        raise location.provider.missing(location)
                    self.write(location.shown)
            except ItemError as error:
                self.report(error)


@cmdlet("Split-Path", module=MODULE, default_set="ParentSet")
class SplitPath(ItemCmdlet):
    """A part of a path."""

    path = parameter(
        "Path",
        "String[]",
        position=0,
        mandatory=True,
        pipeline=True,
        by_name=True,
        sets=("ParentSet", "LeafSet", "QualifierSet", "NoQualifierSet", "IsAbsoluteSet"),
    )
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("LiteralPathSet",), aliases=("PSPath",)
    )
    parent = switch("Parent", sets=("ParentSet",))
    leaf = switch("Leaf", sets=("LeafSet",))
    qualifier = switch("Qualifier", sets=("QualifierSet",))
    no_qualifier = switch("NoQualifier", sets=("NoQualifierSet",))
    is_absolute = switch("IsAbsolute", sets=("IsAbsoluteSet",))
    resolve = switch("Resolve")

    def process(self) -> None:
        for text in texts(self.literal_path if self.literal_path is not None else self.path, self.runtime):
            if self.resolve:
                try:
                    for location in self.drives.expand(text):
                        self._give(location.shown)
                except ItemError as error:
                    self.report(error)
            else:
                self._give(text)

    def _give(self, text: str) -> None:
        qualifier, rest = _qualifier(text)
        if self.qualifier:
            if not qualifier:
                self.write_error(
                    self.error(
                        "System.FormatException",
                        f"Cannot parse path because path '{text}' does not have a qualifier specified.",
                        "ParsePathFormatError",
                        "InvalidArgument",
                        text,
                    )
                )
                return
            self.write(qualifier)
        elif self.no_qualifier:
            self.write(rest)
        elif self.is_absolute:
            self.write(bool(qualifier) or text.startswith(("\\\\", "//")))
        elif self.leaf:
            self.write(_leaf(text))
        else:
            self.write(_parent(text))


def _qualifier(text: str) -> tuple[str, str]:
    provider, separator, rest = text.partition("::")
    if separator:
        return provider + "::", rest
    drive, colon, rest = text.partition(":")
    if colon and drive and "\\" not in drive and "/" not in drive:
        return drive + ":", rest
    return "", text


def _leaf(text: str) -> str:
    cleaned = text.replace("/", "\\")
    stripped = cleaned.rstrip("\\")
    if not stripped or stripped.endswith(":"):
        return cleaned if stripped else cleaned[:1]
    return stripped.rpartition("\\")[2]


def _parent(text: str) -> str:
    cleaned = text.replace("/", "\\")
    stripped = cleaned.rstrip("\\")
    if not stripped or stripped.endswith(":"):
        return ""
    head, separator, _ = stripped.rpartition("\\")
    if not separator:
        qualifier, _ = _qualifier(stripped)
        return qualifier + "\\" if qualifier and not qualifier.endswith("::") else ""
    if head.endswith(":") or not head:
        return head + "\\"
    return head


@cmdlet("Resolve-Path", module=MODULE, default_set="Path", aliases=("rvpa",))
class ResolvePath(ItemCmdlet):
    """Paths with their wildcards resolved."""

    path = path_parameter()
    literal_path = literal_parameter()
    relative = switch("Relative")

    def process(self) -> None:
        for location in self.locations():
            stored = Location(location.provider, location.provider.stored(location.path), location.drive)
            if self.relative:
                self.write(_relative(stored.shown, self.runtime.location))
            else:
                self.write(path_info(stored))


def _relative(path: str, base: str) -> str:
    wanted, here = path.split("\\"), base.rstrip("\\").split("\\")
    if wanted[0].lower() != here[0].lower():
        return path
    common = 0
    while common < min(len(wanted), len(here)) and wanted[common].lower() == here[common].lower():
        common += 1
    up = len(here) - common
    return "\\".join([*([".."] * up or ["."]), *wanted[common:]])


@cmdlet("Convert-Path", module=MODULE, default_set="Path", aliases=("cvpa",))
class ConvertPath(ItemCmdlet):
    """Paths as their provider has them."""

    path = path_parameter()
    literal_path = literal_parameter()

    def process(self) -> None:
        for location in self.locations():
            self.write(location.provider.stored(location.path))


def path_info(location: Location) -> PathInfo:
    """A location's object."""
    return PathInfo(
        location.shown,
        location.path,
        drive_object(location.drive) if location.drive else None,
        provider_object(location.provider),
    )


# ------------------------------------------------------------------------------------------------------------------ locations


class _LocationCmdlet(ItemCmdlet):
    """The current location."""

    stack_name: Any = None

    def here(self) -> Location:
        """Where the session is."""
        return self.drives.resolve(self.runtime.location)

    def go(self, text: str, literal: bool) -> None:
        """Change the location.

        Raises:
            ItemError: no such container.
        """
        found = [self.drives.resolve(text)] if literal else self.drives.expand(text)
        found = [place for place in found if place.provider.exists(place.path)]
        if not found:
            raise path_not_found(self.drives.resolve(text).shown if not has_wildcards(text) else text)
        if len(found) > 1 or not found[0].provider.is_container(found[0].path):
            raise path_not_found(found[0].shown)
        place = Location(found[0].provider, found[0].provider.stored(found[0].path), found[0].drive)
        shown = place.shown
        if isinstance(place.provider, FileSystemProvider) and len(shown) > 3:
            shown = shown.rstrip("\\")
        if place.drive is not None:
            self.drives.remembered[self.runtime.location.partition(":")[0].lower()] = self.runtime.location
        self.runtime.set_location(shown)

    def stack(self) -> list[str]:
        """The stack that -StackName names."""
        return self.drives.stacks.setdefault(str(self.stack_name or "").lower(), [])


@cmdlet("Get-Location", module=MODULE, default_set="Location", aliases=("gl", "pwd"))
class GetLocation(_LocationCmdlet):
    """Where the session is."""

    stack_switch = switch("Stack", sets=("Stack",))

    def process(self) -> None:
        if self.stack_switch:
            for text in reversed(self.stack()):
                self.write(path_info(self.drives.resolve(text)))
            return
        self.write(path_info(self.here()))


@cmdlet("Set-Location", module=MODULE, default_set="Path", aliases=("sl", "cd", "chdir"))
class SetLocation(_LocationCmdlet):
    """Goes somewhere."""

    path = parameter("Path", "String", position=0, pipeline=True, by_name=True, sets=_BY_PATH)
    literal_path = literal_parameter("String")
    pass_thru = switch("PassThru")

    def process(self) -> None:
        text = self.literal_path if self.literal_path is not None else self.path
        try:
            if text:
                self.go(self.runtime.to_string(text), self.literal_path is not None)
        except ItemError as error:
            self.report(error)
            return
        if self.pass_thru:
            self.write(path_info(self.here()))


@cmdlet("Push-Location", module=MODULE, default_set="Path", aliases=("pushd",))
class PushLocation(_LocationCmdlet):
    """Remembers the location and goes somewhere."""

    path = parameter("Path", "String", position=0, pipeline=True, by_name=True, sets=_BY_PATH)
    literal_path = parameter("LiteralPath", "String", by_name=True, sets=_BY_LITERAL, aliases=("PSPath",))
    stack_name = parameter("StackName", "String", by_name=True)
    pass_thru = switch("PassThru")

    def process(self) -> None:
        before = self.runtime.location
        text = self.literal_path if self.literal_path is not None else self.path
        try:
            if text:
                self.go(self.runtime.to_string(text), self.literal_path is not None)
        except ItemError as error:
            self.report(error)
            return
        self.stack().append(before)
        if self.pass_thru:
            self.write(path_info(self.here()))


@cmdlet("Pop-Location", module=MODULE, aliases=("popd",))
class PopLocation(_LocationCmdlet):
    """Goes back to the location that was remembered last; with none it does nothing."""

    stack_name = parameter("StackName", "String", by_name=True)
    pass_thru = switch("PassThru")

    def process(self) -> None:
        stack = self.stack()
        if stack:
            try:
                self.go(stack.pop(), True)
            except ItemError as error:
                self.report(error)
        if self.pass_thru:
            self.write(path_info(self.here()))


@cmdlet("Get-PSDrive", module=MODULE, default_set="Name", aliases=("gdr",))
class GetPSDrive(ItemCmdlet):
    """The session's drives."""

    name = parameter("Name", "String[]", position=0, by_name=True, sets=("Name",))
    ps_provider = parameter("PSProvider", "String[]", by_name=True)

    def process(self) -> None:
        providers = [text.rpartition("\\")[2].lower() for text in texts(self.ps_provider, self.runtime)]
        for pattern in texts(self.name if self.name is not None else ["*"], self.runtime):
            matches = wildcard(pattern)
            found = [drive for drive in self.drives.drives.values() if matches(drive.name)]
            if not found and not has_wildcards(pattern):
                self.write_error(
                    self.error(
                        "System.Management.Automation.DriveNotFoundException",
                        f"Cannot find drive. A drive with the name '{pattern}' does not exist.",
                        "GetLocationNoMatchingDrive",
                        "ObjectNotFound",
                        pattern,
                    )
                )
            for drive in sorted(found, key=lambda drive: drive.name.upper()):
                if providers and drive.provider.name.lower() not in providers:
                    continue
                shown = drive_object(drive)
                if isinstance(drive.provider, FileSystemProvider):
                    set_member(shown, "CurrentLocation", self.runtime.file_location[3:])
                    fs = drive.provider.fs
                    shown.set_note("Free", Int64(fs.free_bytes))
                    shown.set_note("Used", Int64(fs.total_bytes - fs.free_bytes))
                self.write(shown)


@cmdlet("Get-PSProvider", module=MODULE)
class GetPSProvider(ItemCmdlet):
    """The session's providers."""

    ps_provider = parameter("PSProvider", "String[]", position=0, pipeline=True, by_name=True)

    def process(self) -> None:
        for pattern in texts(self.ps_provider if self.ps_provider is not None else ["*"], self.runtime):
            matches = wildcard(pattern)
            for provider in self.drives.providers.values():
                if matches(provider.name):
                    self.write(provider_object(provider))


def read_variable(runtime: Any, text: str) -> Any:
    """`${C:\\file}`: the lines of a file, or the value of an item."""
    drives = drives_of(runtime)
    try:
        location = drives.resolve(text)
        if not location.provider.exists(location.path):
            return None
        if isinstance(location.provider, FileSystemProvider):
            lines = split_lines(decode(location.provider.read(location.path), ANSI))
            return lines[0] if len(lines) == 1 else PSArray(lines)
        value = getattr(location.provider, "value", None)
        if value is None:
            raise LabUnsupported(f"the variable ${{{text}}}")
        return value(location.path)
    except ItemError as error:
        raise error.record.exception from None


def write_variable(runtime: Any, text: str, value: Any) -> None:
    """`${C:\\file} = value`."""
    location = drives_of(runtime).resolve(text)
    try:
        if isinstance(location.provider, FileSystemProvider):
            base = unwrap(value)
            lines = base if isinstance(base, list) else [value]
            data = encode_text("".join(runtime.to_string(line) + "\r\n" for line in lines), ANSI)
            location.provider.write(location.path, data, False, False)
        else:
            location.provider.set(location.path, value)
    except ItemError as error:
        raise error.record.exception from None
