"""Cmdlets that turn objects into text and back: JSON, CSV, CLIXML, XML, HTML, hashes, files (Microsoft.PowerShell.Utility)."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Iterator
from typing import Any

from winlab.powershell import clixml, json_text
from winlab.powershell.commands.core import (
    Cmdlet,
    SetInfo,
    ValidateNotNullOrEmpty,
    ValidateRange,
    ValidateSet,
    cmdlet,
    parameter,
    switch,
)
from winlab.powershell.dotnet.core import method, net_type, prop
from winlab.powershell.dotnet.declare import path_error
from winlab.powershell.dotnet.encodings import ANSI, OEM, decode_text, detect, encode_text
from winlab.powershell.errors import ErrorRecord, LabUnsupported, NetException, TerminatingError
from winlab.powershell.formatting import DEFAULT_WIDTH
from winlab.powershell.formatting.cells import scalar
from winlab.powershell.formatting.output import Formatter
from winlab.powershell.formatting.properties import columns_of
from winlab.powershell.objects import (
    AutomationNull,
    ByteArray,
    Dictionary,
    EnumValue,
    Hashtable,
    Int64,
    NetObject,
    PSArray,
    PSCustomObject,
    SizedInt,
    UInt64,
    unwrap,
)
from winlab.powershell.providers import ItemError, drives_of
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
from winlab.powershell.runtime.members import extensions_of, member_value, properties, type_names
from winlab.powershell.runtime.wildcard import wildcard
from winlab.windows.errors import WindowsError

MODULE = "Microsoft.PowerShell.Utility"
_EPOCH_TICKS = 621_355_968_000_000_000


# --- files ------------------------------------------------------------------------------------------------------------

_CODE_PAGES = {
    "unicode": 1200,
    "unknown": 1200,
    "string": 1200,
    "bigendianunicode": 1201,
    "utf8": 65001,
    "utf7": 65000,
    "utf32": 12000,
    "ascii": 20127,
    "default": ANSI,
    "oem": OEM,
}
_MARKS = {1200: b"\xff\xfe", 1201: b"\xfe\xff", 65001: b"\xef\xbb\xbf", 12000: b"\xff\xfe\x00\x00"}
_FILE_ENCODINGS = (
    "Unknown",
    "String",
    "Unicode",
    "BigEndianUnicode",
    "UTF8",
    "UTF7",
    "UTF32",
    "ASCII",
    "Default",
    "OEM",
)
_CSV_ENCODINGS = ("Unicode", "UTF7", "UTF8", "ASCII", "UTF32", "BigEndianUnicode", "Default", "OEM")


def read_text(command: Cmdlet, path: str, encoding: str | None = None, default: str = "default") -> str:
    """A file's text: by its byte order mark, else in the encoding. Ends the command when it cannot be read."""
    try:
        data = command.machine.fs.read_bytes(path, user=command.user)
    except WindowsError as error:
        raise _open_failure(command, error, path) from None
    mark = detect(data)
    if mark is not None:
        return decode_text(data[mark[1] :], mark[0])
    return decode_text(data, _CODE_PAGES[(encoding or default).lower()])


def _open_failure(command: Cmdlet, error: WindowsError, path: str) -> TerminatingError:
    record = ErrorRecord(path_error(error, path), "FileOpenFailure", "OpenError", None)
    command.processor.decorate(record)
    return TerminatingError(record)


def resolve_file(command: Cmdlet, path: Any) -> str:
    """The file system path that a text names; ends the command when there is no such drive."""
    try:
        return str(drives_of(command.runtime).resolve(to_string(path)).path)
    except ItemError as error:
        command.throw(error.record)


def find_files(command: Cmdlet, path: Any, literal_path: Any) -> Iterator[str]:
    """The files that -Path (with wildcards) and -LiteralPath name; what is missing is an error of the command."""
    drives = drives_of(command.runtime)
    for texts, globbing in ((path, True), (literal_path, False)):
        for text in texts or ():
            try:
                found = drives.expand(to_string(text)) if globbing else [drives.resolve(to_string(text))]
            except ItemError as error:
                command.write_error(error.record)
                continue
            for location in found:
                if not location.provider.exists(location.path):
                    command.write_error(location.provider.missing(location).record)
                else:
                    yield str(location.path)


class TextFile:
    """A file that a command writes lines to: opened at the first line, shared for reading."""

    def __init__(
        self,
        command: Cmdlet,
        path: str,
        encoding: str,
        *,
        append: bool = False,
        no_clobber: bool = False,
        force: bool = False,
    ) -> None:
        self.page = _CODE_PAGES[encoding.lower()]
        fs = command.machine.fs
        exists = fs.is_file(path)
        if no_clobber and exists and not append:
            message = f"The file '{path}' already exists."
            record = command.error("System.IO.IOException", message, "NoClobber", "ResourceExists", path)
            command.throw(record)
        try:
            if force and exists and fs.attributes(path) & 1:
                fs.set_attributes(path, fs.attributes(path) & ~1)
            mode = "Append" if append else "Create"
            self._handle = fs.open(path, mode, "Write", "Read", user=command.user)
        except WindowsError as error:
            raise _open_failure(command, error, path) from None
        command.processor.closers.append(self.close)
        empty = not append or not exists or fs.stat(path).size == 0
        if empty:
            mark = _MARKS.get(self.page)
            if mark is not None:
                self._handle.write(mark)

    def write(self, text: str) -> None:
        self._handle.write(encode_text(text, self.page))

    def close(self) -> None:
        if not self._handle.closed:
            self._handle.close()


# --- JSON -------------------------------------------------------------------------------------------------------------


# Properties in the order of their declaration, which reflection gives and the reference lists do not keep.
_DECLARED_ORDER = {
    "System.Version": ("Major", "Minor", "Build", "Revision", "MajorRevision", "MinorRevision"),
    "System.TimeSpan": (
        "Ticks",
        "Days",
        "Hours",
        "Milliseconds",
        "Minutes",
        "Seconds",
        "TotalDays",
        "TotalHours",
        "TotalMilliseconds",
        "TotalMinutes",
        "TotalSeconds",
    ),
}


@cmdlet("ConvertTo-Json", module=MODULE)
class ConvertToJson(Cmdlet):
    input_object = parameter("InputObject", "Object", position=0, mandatory=True, pipeline=True, allow_null=True)
    depth = parameter("Depth", "Int32", default=2, validate=(ValidateRange(1, 2**31 - 1),))
    compress = switch("Compress")
    _LIMIT = 100

    def begin(self) -> None:
        self.items: list[Any] = []
        self.piped = False
        if self.depth > self._LIMIT:
            message = f"The value {self.depth} is larger than the maximum allowed depth, {self._LIMIT}."
            record = self.error(
                "System.InvalidOperationException", message, "ReachedMaximumDepthAllowed", "InvalidOperation"
            )
            self.throw(record)

    def process(self) -> None:
        self.items.append(self.input_object)

    def end(self) -> None:
        if not self.items or (len(self.items) == 1 and self.items[0] is None):
            return
        piped = self.processor.expecting_input if hasattr(self.processor, "expecting_input") else False
        if len(self.items) == 1:
            value = self._value(self.items[0], 0, piped)
        else:
            value = [self._value(item, 1, True) for item in self.items]
        self.write(json_text.compact(value) if self.compress else json_text.pretty(value))

    def _value(self, item: Any, depth: int, wrapped: bool) -> Any:
        """What JSON can hold of a value. `wrapped`: it came as a PSObject, whose added properties count."""
        base = unwrap(item)
        if base is None or base is AutomationNull:
            return None
        plain = self._plain(base)
        if plain is None:
            if depth > int(self.depth):
                return to_string(item)
            plain, custom = self._structure(base, depth)
        else:
            custom = False
        return self._with_added(item, base, plain, depth, wrapped, custom)

    def _plain(self, base: Any) -> Any:
        if isinstance(base, EnumValue):
            return base.value
        if isinstance(base, (str, bool, int, float, SizedInt)) or type(base).__name__ == "Decimal":
            return base
        name = type(base).__name__
        if name == "DateTime":
            return json_text.Raw(f'"\\/Date({_milliseconds(base)})\\/"')
        if name in ("Guid", "Uri"):
            return to_string(base)
        return None

    def _structure(self, base: Any, depth: int) -> tuple[Any, bool]:
        if isinstance(base, Dictionary):
            return self._dictionary(base, depth), False
        if not isinstance(base, PSCustomObject) and is_enumerable(base):
            return [self._value(item, depth + 1, False) for item in iterate(base)], False
        found: dict[str, Any] = {}
        if isinstance(base, PSCustomObject):
            for item in properties(base):
                found[item.name] = self._value(_read(item), depth + 1, False)
        else:
            extended = set(extensions_of(_type_of(base))) | set(getattr(base, "ps_members", None) or {})
            items = [item for item in properties(base) if item.name.lower() not in extended]
            order = _DECLARED_ORDER.get(_type_of(base).full_name, ())
            items.sort(key=lambda item: order.index(item.name) if item.name in order else len(order))
            for item in items:
                found[item.name] = self._value(_read(item), depth + 1, False)
        return found, True

    def _dictionary(self, base: Dictionary, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in base.items():
            name = unwrap(key)
            if not isinstance(name, str):
                message = (
                    f"The type '{_type_of(base).full_name}' is not supported for serialization or deserialization of a dictionary. "
                    "Keys must be strings."
                )
                record = self.error(
                    "System.InvalidOperationException", message, "NonStringKeyInDictionary", "InvalidOperation", base
                )
                self.throw(record)
            found[str.__str__(name)] = self._value(item, depth + 1, False)
        return found

    def _with_added(self, item: Any, base: Any, plain: Any, depth: int, wrapped: bool, custom: bool) -> Any:
        """The value with the properties that PowerShell added to the object (notes, those of type files)."""
        members = None if isinstance(base, PSCustomObject) else getattr(item, "ps_members", None)
        if not members and not wrapped:
            return plain
        if isinstance(base, PSCustomObject):
            return plain
        added = dict(members or {})
        for key, member in extensions_of(_type_of(base)).items():
            added.setdefault(key, member)
        if isinstance(base, str):
            added.pop("length", None)
        found = plain if isinstance(plain, dict) else {"value": plain}
        for member in added.values():
            if member.kind.endswith("Method") or member.name in found:
                continue
            try:
                value = member_value(item, member)
            except (NetException, TerminatingError):
                value = None
            found[member.name] = self._value(value, depth + 1, False)
        if not isinstance(plain, dict) and len(found) == 1:
            return plain
        return found


def _type_of(value: Any) -> Any:
    from winlab.powershell.dotnet.core import type_of

    return type_of(value)


def _read(item: Any) -> Any:
    try:
        return item.getter()
    except (NetException, TerminatingError):
        return None


def _milliseconds(date: Any) -> int:
    """Milliseconds from 1970 to a date, in UTC."""
    from winlab.powershell.runtime.invoke import call_method

    return (int(call_method(date, "ToUniversalTime", []).ticks) - _EPOCH_TICKS) // 10_000


@cmdlet("ConvertFrom-Json", module=MODULE)
class ConvertFromJson(Cmdlet):
    input_object = parameter(
        "InputObject", "String", position=0, mandatory=True, pipeline=True, allow_empty_string=True
    )

    def begin(self) -> None:
        self.texts: list[str] = []

    def process(self) -> None:
        self.texts.append(to_string(self.input_object))

    def end(self) -> None:
        if not self.texts:
            return
        if len(self.texts) == 1:
            self._convert(self.texts[0])
            return
        try:
            first = json_text.loads(self.texts[0])
        except json_text.JsonError:
            first = None
            whole = True
        else:
            whole = self.texts[0].strip() == ""
        if whole:
            self._convert("\r\n".join(self.texts))
            return
        self._emit(first)
        for text in self.texts[1:]:
            self._convert(text)

    def _convert(self, text: str) -> None:
        try:
            value = json_text.loads(text)
        except json_text.JsonError as error:
            # An exception of the cmdlet's own code: its id is the exception's type.
            record = ErrorRecord(
                NetException("System.ArgumentException", str(error)), "System.ArgumentException", "NotSpecified"
            )
            self.throw(record)
        if text.strip() == "":
            return
        self._emit(value)

    def _emit(self, value: Any) -> None:
        self.write(self._object(value))

    def _object(self, value: Any) -> Any:
        if isinstance(value, json_text.JsonObject):
            return self._custom(value)
        if isinstance(value, list):
            return PSArray([self._object(item) for item in value])
        if isinstance(value, json_text.Date):
            from winlab.powershell.dotnet.core import get_type
            from winlab.powershell.runtime.invoke import construct

            kind = get_type("System.DateTimeKind").enum("Utc")
            return construct(get_type("System.DateTime"), [Int64(_EPOCH_TICKS + value.milliseconds * 10_000), kind])
        return value

    def _custom(self, value: json_text.JsonObject) -> PSCustomObject:
        if "" in value:
            message = (
                "The provided JSON includes a property whose name is an empty string, this is only supported using the "
                "-AsHashTable switch."
            )
            self.throw(
                self.error("System.InvalidOperationException", message, "EmptyKeyInJsonString", "InvalidOperation")
            )
        for first, second in value.repeated:
            if first != second:
                message = (
                    "Cannot convert the JSON string because a dictionary that was converted from the string contains the duplicated "
                    f"keys '{first}' and '{second}'."
                )
                self.throw(
                    self.error(
                        "System.InvalidOperationException", message, "DuplicateKeysInJsonString", "InvalidOperation"
                    )
                )
        return PSCustomObject.of((name, self._object(item)) for name, item in value.items())


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_text(value: Any) -> str | None:
    """A property's value in CSV; None for null, which has no quotes."""
    base = unwrap(value)
    if base is None or base is AutomationNull:
        return None
    if not isinstance(base, (str, PSCustomObject, Dictionary)) and is_enumerable(base):
        return str(_type_of(base).full_name)
    return scalar(value)


def _csv_cell(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'


class _CsvWriter:
    """Lines of CSV of the objects given; the first one tells the columns."""

    def __init__(self, delimiter: str, type_information: bool, names: list[str] | None = None) -> None:
        self.delimiter = delimiter
        self.type_information = type_information
        self.names = names

    def lines(self, value: Any) -> Iterator[str]:
        found = {item.name.lower(): item for item in properties(value)}
        if self.names is None:
            self.names = [item.name for item in found.values()]
            if self.type_information:
                yield "#TYPE " + type_names(value)[0]
            yield self.delimiter.join(_csv_cell(name) for name in self.names)
        cells = []
        for name in self.names:
            item = found.get(name.lower())
            cells.append(_csv_cell(_csv_text(_read(item)) if item is not None else None))
        yield self.delimiter.join(cells)


class _ToCsv(Cmdlet):
    delimiter_given: Any = None
    use_culture_given: Any = False

    def separator(self) -> str:
        given = self.bound.get("delimiter")
        return to_string(given) if given is not None else ","


_DELIMITER_SETS = {"Delimiter": SetInfo(position=1)}


@cmdlet("ConvertTo-Csv", module=MODULE, default_set="Delimiter")
class ConvertToCsv(_ToCsv):
    input_object = parameter(
        "InputObject", "Management.Automation.PSObject", position=0, mandatory=True, pipeline=True, by_name=True
    )
    delimiter = parameter("Delimiter", "Char", roles=_DELIMITER_SETS)
    use_culture = switch("UseCulture", sets=("CulturePath",))
    no_type_information = switch("NoTypeInformation", aliases=("NTI",))

    def begin(self) -> None:
        self.writer = _CsvWriter(self.separator(), not self.no_type_information)

    def process(self) -> None:
        for line in self.writer.lines(self.input_object):
            self.write(line)


@cmdlet("Export-Csv", module=MODULE, default_set="Delimiter", should_process=True, aliases=("epcsv",))
class ExportCsv(_ToCsv):
    input_object = parameter(
        "InputObject", "Management.Automation.PSObject", mandatory=True, pipeline=True, by_name=True
    )
    path = parameter("Path", "String", position=0)
    literal_path = parameter("LiteralPath", "String", aliases=("PSPath",))
    delimiter = parameter("Delimiter", "Char", roles=_DELIMITER_SETS)
    use_culture = switch("UseCulture", sets=("UseCulture",))
    force = switch("Force")
    no_clobber = switch("NoClobber", aliases=("NoOverwrite",))
    encoding = parameter("Encoding", "String", default="ASCII", validate=(ValidateSet(*_CSV_ENCODINGS),))
    append = switch("Append")
    no_type_information = switch("NoTypeInformation", aliases=("NTI",))

    def begin(self) -> None:
        self.file: TextFile | None = None
        self.writer: _CsvWriter | None = None
        if self.path is None and self.literal_path is None:
            message = "You must specify either the -Path or -LiteralPath parameters, but not both."
            self.throw(
                self.error(
                    "System.InvalidOperationException", message, "CannotSpecifyPathAndLiteralPath", "InvalidArgument"
                )
            )
        self.target = resolve_file(self, self.path if self.path is not None else self.literal_path)
        self.skipped = not self.should_process(self.target)

    def process(self) -> None:
        if self.skipped:
            return
        if self.writer is None:
            self._open()
        assert self.writer is not None and self.file is not None
        for line in self.writer.lines(self.input_object):
            self.file.write(line + "\r\n")

    def _open(self) -> None:
        names: list[str] | None = None
        if self.append and self.machine.fs.is_file(self.target):
            text = read_text(self, self.target, to_string(self.encoding))
            rows = list(parse_csv(text, self.separator()))
            rows = [row for row in rows if not (row and row[0].startswith("#TYPE"))]
            if rows:
                names = list(rows[0])
        self.file = TextFile(
            self,
            self.target,
            to_string(self.encoding),
            append=bool(self.append),
            no_clobber=bool(self.no_clobber),
            force=bool(self.force),
        )
        self.writer = _CsvWriter(self.separator(), not self.no_type_information, names)

    def end(self) -> None:
        if self.file is not None:
            self.file.close()


def parse_csv(text: str, delimiter: str) -> Iterator[list[str]]:
    """The records of CSV text: quoted fields may hold delimiters, doubled quotes and line ends; blanks around a field are dropped."""
    i, n = 0, len(text)
    while i < n:
        row: list[str] = []
        while True:
            while i < n and text[i] in " \t" and text[i] != delimiter:
                i += 1
            if i < n and text[i] == '"':
                i += 1
                parts: list[str] = []
                while i < n:
                    end = text.find('"', i)
                    if end < 0:
                        parts.append(text[i:])
                        i = n
                        break
                    parts.append(text[i:end])
                    i = end + 1
                    if i < n and text[i] == '"':
                        parts.append('"')
                        i += 1
                    else:
                        break
                field = "".join(parts)
                while i < n and text[i] != delimiter and text[i] not in "\r\n":
                    i += 1
            else:
                begin = i
                while i < n and text[i] != delimiter and text[i] not in "\r\n":
                    i += 1
                field = text[begin:i].rstrip(" \t")
            row.append(field)
            if i < n and text[i] == delimiter:
                i += 1
                continue
            break
        if i < n and text[i] == "\r":
            i += 1
        if i < n and text[i] == "\n":
            i += 1
        yield row


class _FromCsv(_ToCsv):
    """Reading: the first record names the properties, unless -Header does."""

    header: Any = None

    def rows_to_objects(self, text: str) -> Iterator[PSCustomObject]:
        type_name: str | None = None
        names = [to_string(name) for name in self.header] if self.header is not None else None
        for row in parse_csv(text, self.separator()):
            if names is None or (type_name is None and row and row[0].startswith("#TYPE ")):
                if row and row[0].startswith("#TYPE "):
                    type_name = "CSV:" + ",".join(row)[len("#TYPE ") :]
                    continue
            if names is None:
                if row == [""]:
                    continue
                names = self._names(row)
                continue
            if row == [""]:
                continue
            values = [*row, *[None] * (len(names) - len(row))]
            yield PSCustomObject.of(zip(names, values, strict=False), type_name)

    def _names(self, row: list[str]) -> list[str]:
        names: list[str] = []
        unnamed = 1
        for name in row:
            if not name:
                name = f"H{unnamed}"
                unnamed += 1
            if name.lower() in (other.lower() for other in names):
                message = f'The member "{name}" is already present.'
                self.throw(
                    self.error(
                        "System.Management.Automation.ExtendedTypeSystemException",
                        message,
                        "AlreadyPresentPSMemberInfoInternalCollectionAdd",
                    )
                )
            names.append(name)
        if unnamed > 1:
            self.write_warning(
                'One or more headers were not specified. Default names starting with "H" have been used in place of any missing headers.'
            )
        return names


@cmdlet("ConvertFrom-Csv", module=MODULE, default_set="Delimiter")
class ConvertFromCsv(_FromCsv):
    input_object = parameter(
        "InputObject", "Management.Automation.PSObject[]", position=0, mandatory=True, pipeline=True, by_name=True
    )
    delimiter = parameter("Delimiter", "Char", roles=_DELIMITER_SETS)
    use_culture = switch("UseCulture", sets=("UseCulture",))
    header = parameter("Header", "String[]", validate=(ValidateNotNullOrEmpty(),))

    def begin(self) -> None:
        self.lines: list[str] = []

    def process(self) -> None:
        self.lines.extend(to_string(line) for line in self.input_object)

    def end(self) -> None:
        for found in self.rows_to_objects("\n".join(self.lines)):
            self.write(found)


@cmdlet("Import-Csv", module=MODULE, default_set="Delimiter", aliases=("ipcsv",))
class ImportCsv(_FromCsv):
    path = parameter("Path", "String[]", position=0, pipeline=True)
    literal_path = parameter("LiteralPath", "String[]", by_name=True, aliases=("PSPath",))
    delimiter = parameter("Delimiter", "Char", roles=_DELIMITER_SETS)
    use_culture = switch("UseCulture", sets=("UseCulture",))
    header = parameter("Header", "String[]", validate=(ValidateNotNullOrEmpty(),))
    encoding = parameter("Encoding", "String", validate=(ValidateSet(*_CSV_ENCODINGS),))

    def process(self) -> None:
        if self.path is None and self.literal_path is None:
            message = "You must specify either the -Path or -LiteralPath parameters, but not both."
            self.throw(
                self.error(
                    "System.InvalidOperationException", message, "CannotSpecifyPathAndLiteralPath", "InvalidArgument"
                )
            )
        for text in self.path or ():
            if any(char in to_string(text) for char in "*?["):
                for path in find_files(self, [text], None):
                    self._import(path)
            else:
                self._import(resolve_file(self, text))
        for text in self.literal_path or ():
            self._import(resolve_file(self, text))

    def _import(self, path: str) -> None:
        encoding = to_string(self.encoding) if self.encoding is not None else None
        for found in self.rows_to_objects(read_text(self, path, encoding, "utf8")):
            self.write(found)


# --- text to files ----------------------------------------------------------------------------------------------------


@cmdlet("Out-File", module=MODULE, default_set="ByPath", should_process=True)
class OutFile(Cmdlet):
    file_path = parameter("FilePath", "String", position=0, mandatory=True, sets=("ByPath",))
    literal_path = parameter(
        "LiteralPath", "String", mandatory=True, by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",)
    )
    encoding = parameter("Encoding", "String", position=1, default="unicode", validate=(ValidateSet(*_FILE_ENCODINGS),))
    append = switch("Append")
    force = switch("Force")
    no_clobber = switch("NoClobber", aliases=("NoOverwrite",))
    width = parameter("Width", "Int32", validate=(ValidateRange(2, 2**31 - 1),))
    no_newline = switch("NoNewline")
    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)

    def begin(self) -> None:
        target = resolve_file(self, self.file_path if self.file_path is not None else self.literal_path)
        self.file: TextFile | None = None
        if not self.should_process(target, "Output to File"):
            return
        self.file = TextFile(
            self,
            target,
            to_string(self.encoding),
            append=bool(self.append),
            no_clobber=bool(self.no_clobber),
            force=bool(self.force),
        )
        self.end_of_line = "" if self.no_newline else "\r\n"
        self.formatter = Formatter(self.runtime, self._line, int(self.width or DEFAULT_WIDTH))

    def _line(self, text: str) -> None:
        assert self.file is not None
        self.file.write(text + self.end_of_line)

    def process(self) -> None:
        if self.file is not None:
            self.formatter.write(self.input_object)

    def end(self) -> None:
        if self.file is not None:
            self.formatter.finish()
            self.file.close()


@cmdlet("Tee-Object", module=MODULE, default_set="File", aliases=("tee",))
class TeeObject(Cmdlet):
    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)
    file_path = parameter("FilePath", "String", position=0, mandatory=True, sets=("File",))
    literal_path = parameter("LiteralPath", "String", mandatory=True, sets=("LiteralFile",), aliases=("PSPath",))
    append = switch("Append", sets=("File",))
    variable = parameter("Variable", "String", mandatory=True, sets=("Variable",))

    def begin(self) -> None:
        self.kept: list[Any] = []
        self.file: TextFile | None = None
        if self.variable is None:
            target = resolve_file(self, self.file_path if self.file_path is not None else self.literal_path)
            self.file = TextFile(self, target, "unicode", append=bool(self.append))
            file = self.file
            self.formatter = Formatter(self.runtime, lambda line: file.write(line + "\r\n"))

    def process(self) -> None:
        if self.file is not None:
            self.formatter.write(self.input_object)
        else:
            self.kept.append(self.input_object)
        self.write(self.input_object)

    def end(self) -> None:
        if self.file is not None:
            self.formatter.finish()
            self.file.close()
        else:
            value = self.kept[0] if len(self.kept) == 1 else PSArray(self.kept) if self.kept else None
            self.runtime.set_variable(to_string(self.variable), value)


# --- hashes -----------------------------------------------------------------------------------------------------------

_ALGORITHMS: dict[str, Callable[..., Any]] = {
    "SHA1": hashlib.sha1,
    "SHA256": hashlib.sha256,
    "SHA384": hashlib.sha384,
    "SHA512": hashlib.sha512,
    "MD5": hashlib.md5,
}


@cmdlet("Get-FileHash", module=MODULE, default_set="Path", kind="Function")
class GetFileHash(Cmdlet):
    path = parameter("Path", "String[]", position=0, mandatory=True, pipeline=True, by_name=True, sets=("Path",))
    literal_path = parameter(
        "LiteralPath", "String[]", position=0, mandatory=True, by_name=True, sets=("LiteralPath",), aliases=("PSPath",)
    )
    input_stream = parameter("InputStream", "IO.Stream", position=0, mandatory=True, sets=("Stream",))
    algorithm = parameter(
        "Algorithm",
        "String",
        default="SHA256",
        validate=(ValidateSet("SHA1", "SHA256", "SHA384", "SHA512", "MACTripleDES", "MD5", "RIPEMD160"),),
    )

    def process(self) -> None:
        name = to_string(self.algorithm).upper()
        if name not in _ALGORITHMS:
            raise LabUnsupported(f"Get-FileHash -Algorithm {name}")
        if self.input_stream is not None:
            self._write(name, _stream_bytes(self.input_stream), None)
            return
        for path in find_files(self, self.path, self.literal_path):
            if self.machine.fs.is_dir(path):
                continue
            try:
                handle = self.machine.fs.open(path, "Open", "Read", "Read", user=self.user)
            except WindowsError as error:
                self.write_error(self._read_error(path, path_error(error, path)))
                continue
            self._write(name, _handle_bytes(handle), path)

    def _read_error(self, path: str, error: NetException) -> ErrorRecord:
        message = f"The file '{path}' cannot be read: {error.message}"
        return self.error("System.IO.FileLoadException", message, "FileReadError", "ReadError", path, error)

    def _write(self, name: str, chunks: Iterator[bytes], path: str | None) -> None:
        digest = _ALGORITHMS[name]()
        for chunk in chunks:
            self.check()
            digest.update(chunk)
        pairs = {"Algorithm": name, "Hash": digest.hexdigest().upper(), "Path": path}
        self.write(PSCustomObject.of(pairs, "Microsoft.Powershell.Utility.FileHash"))


def _handle_bytes(handle: Any) -> Iterator[bytes]:
    try:
        while chunk := handle.read(1 << 20):
            yield chunk
    finally:
        handle.close()


def _stream_bytes(stream: Any) -> Iterator[bytes]:
    from winlab.powershell.runtime.invoke import call_method

    buffer = ByteArray(1 << 16)
    while count := int(call_method(stream, "Read", [buffer, 0, len(buffer)])):
        yield bytes(bytearray(buffer)[:count])


# --- CLIXML -----------------------------------------------------------------------------------------------------------


@cmdlet("Export-Clixml", module=MODULE, default_set="ByPath", should_process=True)
class ExportClixml(Cmdlet):
    depth = parameter("Depth", "Int32", default=2, validate=(ValidateRange(1, 2**31 - 1),))
    path = parameter("Path", "String", position=0, mandatory=True, sets=("ByPath",))
    literal_path = parameter("LiteralPath", "String", mandatory=True, sets=("ByLiteralPath",), aliases=("PSPath",))
    input_object = parameter(
        "InputObject", "Management.Automation.PSObject", mandatory=True, pipeline=True, allow_null=True
    )
    force = switch("Force")
    no_clobber = switch("NoClobber", aliases=("NoOverwrite",))
    encoding = parameter("Encoding", "String", default="Unicode", validate=(ValidateSet(*_CSV_ENCODINGS),))

    def begin(self) -> None:
        self.items: list[Any] = []

    def process(self) -> None:
        self.items.append(self.input_object)

    def end(self) -> None:
        target = resolve_file(self, self.path if self.path is not None else self.literal_path)
        if not self.should_process(target):
            return
        file = TextFile(
            self, target, to_string(self.encoding), no_clobber=bool(self.no_clobber), force=bool(self.force)
        )
        file.write(clixml.serialize_all(self.items, int(self.depth)))
        file.close()


@cmdlet("Import-Clixml", module=MODULE, default_set="ByPath")
class ImportClixml(Cmdlet):
    path = parameter("Path", "String[]", position=0, mandatory=True, pipeline=True, by_name=True, sets=("ByPath",))
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",)
    )
    first = parameter("First", "UInt64", default=UInt64(2**64 - 1))
    skip = parameter("Skip", "UInt64", default=UInt64(0))

    def process(self) -> None:
        for text in self.path if self.path is not None else self.literal_path:
            path = resolve_file(self, text)
            found = clixml.deserialize_all(read_text(self, path))
            for item in found[int(self.skip) : int(self.skip) + int(self.first)]:
                self.write(item)


# --- other texts ------------------------------------------------------------------------------------------------------

_STRING_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "a": "\a", "f": "\f", "v": "\v", "0": "\0"}


@cmdlet("ConvertFrom-StringData", module=MODULE)
class ConvertFromStringData(Cmdlet):
    string_data = parameter("StringData", "String", position=0, mandatory=True, pipeline=True, allow_empty_string=True)

    def process(self) -> None:
        found = Hashtable()
        for line in to_string(self.string_data).split("\n"):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, equals, value = text.partition("=")
            if not equals:
                message = f"Data line '{text}' is not in 'name=value' format. "
                self.throw(
                    self.error(
                        "System.Management.Automation.PSInvalidOperationException",
                        message,
                        "InvalidOperation",
                        "InvalidOperation",
                    )
                )
            name = name.strip()
            if name in found:
                message = f"Data item '{name}' in line '{text}' is already defined. "
                self.throw(
                    self.error(
                        "System.Management.Automation.PSInvalidOperationException",
                        message,
                        "InvalidOperation",
                        "InvalidOperation",
                    )
                )
            found[name] = _unescape(value.strip())
        self.write(found)


def _unescape(text: str) -> str:
    """Regex.Unescape for what such data hold: `\\n`, `\\t`, `\\\\`, `\\u0041`."""
    if "\\" not in text:
        return text
    parts: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        i += 1
        if char != "\\" or i >= len(text):
            parts.append(char)
            continue
        escape = text[i]
        i += 1
        if escape == "u":
            parts.append(chr(int(text[i : i + 4], 16)))
            i += 4
        else:
            parts.append(_STRING_ESCAPES.get(escape, escape))
    return "".join(parts)


@cmdlet("ConvertTo-Html", module=MODULE, default_set="Page")
class ConvertToHtml(Cmdlet):
    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)
    property_ = parameter("Property", "Object[]", position=0)
    body = parameter("Body", "String[]", position=3, sets=("Page",))
    head = parameter("Head", "String[]", position=1, sets=("Page",))
    title = parameter("Title", "String", position=2, sets=("Page",))
    as_ = parameter("As", "String", default="Table", validate=(ValidateSet("Table", "List"),))
    css_uri = parameter("CssUri", "Uri", sets=("Page",), aliases=("cu", "uri"))
    fragment = switch("Fragment", sets=("Fragment",))
    post_content = parameter("PostContent", "String[]")
    pre_content = parameter("PreContent", "String[]")

    def begin(self) -> None:
        self.columns: list[Any] | None = None
        if not self.fragment:
            self.write(
                '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"  "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
            )
            self.write('<html xmlns="http://www.w3.org/1999/xhtml">')
            self.write("<head>")
            head = self.head if self.head is not None else [f"<title>{to_string(self.title or 'HTML TABLE')}</title>"]
            for line in head:
                self.write(to_string(line))
            if self.css_uri is not None:
                self.write(f'<link rel="stylesheet" type="text/css" href="{to_string(self.css_uri)}" />')
            self.write("</head><body>")
            for line in self.body or ():
                self.write(to_string(line))
        for line in self.pre_content or ():
            self.write(to_string(line))
        self.write("<table>")

    def process(self) -> None:
        value = self.input_object
        if value is None or value is AutomationNull:
            return
        first = self.columns is None
        if self.columns is None:
            specs = list(self.property_) if self.property_ is not None else ["*"]
            self.columns = columns_of(specs, value, self.runtime)
        cells = [html.escape(self._text(value, column)) for column in self.columns]
        labels = [html.escape(column.label) for column in self.columns]
        if to_string(self.as_).lower() == "list":
            if not first:
                self.write("<tr><td><hr></td></tr>")
            for label, cell in zip(labels, cells, strict=True):
                self.write(f"<tr><td>{label}:</td><td>{cell}</td></tr>")
            return
        if first:
            self.write("<colgroup>" + "<col/>" * len(labels) + "</colgroup>")
            self.write("<tr>" + "".join(f"<th>{label}</th>" for label in labels) + "</tr>")
        self.write("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")

    def _text(self, value: Any, column: Any) -> str:
        from winlab.powershell.formatting.output import read

        return _csv_text(read(value, column.value)) or ""

    def end(self) -> None:
        self.write("</table>")
        for line in self.post_content or ():
            self.write(to_string(line))
        if not self.fragment:
            self.write("</body></html>")


# --- searching --------------------------------------------------------------------------------------------------------


@net_type("Microsoft.PowerShell.Commands.MatchInfo", assembly="Microsoft.PowerShell.Commands.Utility")
class MatchInfo(NetObject):
    """What Select-String finds."""

    def __init__(self, line: str, number: int, path: str, pattern: str, matches: list[Any], ignore_case: bool) -> None:
        self.line = line
        self.line_number = number
        self.path = path
        self.pattern = pattern
        self.matches = matches
        self.ignore_case = ignore_case
        self.before: list[str] = []
        self.after: list[str] = []
        self.has_context = False

    @prop("IgnoreCase : Boolean get")
    def net_ignore_case(self) -> bool:
        return self.ignore_case

    @prop("LineNumber : Int32 get")
    def net_line_number(self) -> int:
        return self.line_number

    @prop("Line : String get")
    def net_line(self) -> str:
        return self.line

    @prop("Path : String get")
    def net_path(self) -> str:
        return self.path

    @prop("Pattern : String get")
    def net_pattern(self) -> str:
        return self.pattern

    @prop("Matches : Text.RegularExpressions.Match[] get")
    def net_matches(self) -> PSArray:
        return PSArray(self.matches)

    @method("ToString() : String")
    def net_to_string(self) -> str:
        return str(self)

    @prop("Filename : String get")
    def file_name(self) -> str:
        return self.path if self.path == "InputStream" else self.path.rpartition("\\")[2]

    def __str__(self) -> str:
        return self.text(self.path)

    def text_from(self, directory: str) -> str:
        """The text with a path that begins in a directory, as it is displayed."""
        if not self.path.lower().startswith(directory.lower()):
            return self.text(self.path)
        return self.text(self.path[len(directory) :].lstrip("\\"))

    def text(self, path: str) -> str:
        if self.path == "InputStream":
            lines = [*(f"  {x}" for x in self.before), f"> {self.line}", *(f"  {x}" for x in self.after)]
            return "\r\n".join(lines) if self.has_context else self.line
        if not self.has_context:
            return f"{path}:{self.line_number}:{self.line}"
        first = self.line_number - len(self.before)
        lines = [f"  {path}:{first + i}:{text}" for i, text in enumerate(self.before)]
        lines.append(f"> {path}:{self.line_number}:{self.line}")
        lines += [f"  {path}:{self.line_number + 1 + i}:{text}" for i, text in enumerate(self.after)]
        return "\r\n".join(lines)


@cmdlet("Select-String", module=MODULE, default_set="File", aliases=("sls",))
class SelectString(Cmdlet):
    input_object = parameter(
        "InputObject",
        "Management.Automation.PSObject",
        mandatory=True,
        pipeline=True,
        sets=("Object",),
        allow_null=True,
        allow_empty_string=True,
    )
    pattern = parameter("Pattern", "String[]", position=0, mandatory=True)
    path = parameter("Path", "String[]", position=1, mandatory=True, by_name=True, sets=("File",))
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("LiteralFile",), aliases=("PSPath",)
    )
    simple_match = switch("SimpleMatch")
    case_sensitive = switch("CaseSensitive")
    quiet = switch("Quiet")
    list_ = switch("List")
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    not_match = switch("NotMatch")
    all_matches = switch("AllMatches")
    encoding = parameter(
        "Encoding",
        "String",
        validate=(ValidateSet("unicode", "utf7", "utf8", "utf32", "ascii", "bigendianunicode", "default", "oem"),),
    )
    context = parameter("Context", "Int32[]")

    def begin(self) -> None:
        self.lines: list[str] = []
        self.found = False
        self.stream_count = 0

    def process(self) -> None:
        if self.quiet and self.found:
            return
        if self.path is not None or self.literal_path is not None:
            for path in find_files(self, self.path, self.literal_path):
                if self._selected(path) and not self.machine.fs.is_dir(path):
                    encoding = to_string(self.encoding) if self.encoding is not None else None
                    text = read_text(self, path, encoding, "utf8")
                    self._search(_lines(text), path)
            return
        value = unwrap(self.input_object)
        if value is None:
            return
        if type(value).__name__ == "FileInfo":
            path = to_string(value.full_name if hasattr(value, "full_name") else value)
            self._search(_lines(read_text(self, path, None, "utf8")), path)
            return
        self.lines.append(to_string(self.input_object))
        if self.context is None:
            self.stream_count += 1
            self._search([self.lines.pop()], "InputStream", self.stream_count)

    def end(self) -> None:
        if self.context is not None and self.lines:
            self._search(self.lines, "InputStream")
        if self.quiet and not self.found:
            self.write(False)

    def _selected(self, path: str) -> bool:
        name = path.rpartition("\\")[2]
        include = [to_string(item) for item in self.include or ()]
        exclude = [to_string(item) for item in self.exclude or ()]
        if include and not any(wildcard(item)(name) for item in include):
            return False
        return not any(wildcard(item)(name) for item in exclude)

    def _search(self, lines: list[str], path: str, first: int = 1) -> None:
        for index, line in enumerate(lines):
            self.check()
            pattern, matches = self._match(line)
            if (pattern is not None) == bool(self.not_match):
                continue
            if self.quiet:
                if not self.found:
                    self.write(True)
                self.found = True
                return
            info = MatchInfo(
                line, first + index, path, pattern or to_string(self.pattern[0]), matches, not self.case_sensitive
            )
            if self.context is not None:
                before = int(self.context[0])
                after = int(self.context[1]) if len(self.context) > 1 else before
                info.has_context = True
                info.before = lines[max(index - before, 0) : index]
                info.after = lines[index + 1 : index + 1 + after]
            self.write(info)
            if self.list_:
                return

    def _match(self, line: str) -> tuple[str | None, list[Any]]:
        """The first pattern that matches, and its matches."""
        from winlab.powershell.dotnet.core import get_type
        from winlab.powershell.runtime.invoke import call_method, construct

        for item in self.pattern:
            text = to_string(item)
            if self.simple_match:
                inside = text in line if self.case_sensitive else text.lower() in line.lower()
                if inside:
                    return text, []
                continue
            regex_type = get_type("System.Text.RegularExpressions.Regex")
            options = get_type("System.Text.RegularExpressions.RegexOptions").enum(0 if self.case_sensitive else 1)
            try:
                regex = construct(regex_type, [text, options])
            except NetException as error:
                message = f"The string {text} is not a valid regular expression: {error.message}"
                self.throw(self.error("System.ArgumentException", message, "InvalidRegex", "InvalidArgument"))
            if not call_method(regex, "IsMatch", [line]):
                continue
            found = call_method(regex, "Matches", [line])
            matches = list(iterate(found))
            return text, matches if self.all_matches else matches[:1]
        return None, []


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return lines
