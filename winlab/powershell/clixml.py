"""CLIXML: PowerShell's serialisation (MS-PSRP, section 2.2.5), as on stderr of -EncodedCommand, Export-Clixml and PSSerializer."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from winlab.powershell.errors import NetException, TerminatingError
from winlab.powershell.objects import (
    AutomationNull,
    Byte,
    ByteArray,
    Char,
    Dictionary,
    EnumValue,
    Hashtable,
    Int16,
    Int64,
    OrderedDictionary,
    PSCustomObject,
    PSMember,
    PSObject,
    SByte,
    ScriptBlock,
    SecureString,
    Single,
    SwitchParameter,
    UInt16,
    UInt32,
    UInt64,
    unwrap,
)

NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
HEADER = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">'
PREAMBLE = "#< CLIXML\r\n"
FOOTER = "</Objs>"
_DEFAULT_DEPTH = 2
_CUSTOM_OBJECT = ("System.Management.Automation.PSCustomObject", "System.Object")

_NUMBERS: dict[type, str] = {
    int: "I32",
    Int64: "I64",
    Byte: "By",
    SByte: "SB",
    Int16: "I16",
    UInt16: "U16",
    UInt32: "U32",
    UInt64: "U64",
}
_TEXT_ESCAPES = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def escape(text: str) -> str:
    """A string as it stands in CLIXML: control characters as `_x000A_`, XML's own as entities."""

    def one(match: re.Match[str]) -> str:
        found = match.group()
        return f"_x{ord(found):04X}_" if len(found) == 1 else "_x005F_" + found[1:]

    text = _TEXT_ESCAPES.sub(one, text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def unescape(text: str) -> str:
    """The inverse of what `escape` does to control characters."""
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)


def stream_text(text: str, stream: str) -> str:
    """A line of a stream (`Error`, `warning`, `verbose`, `debug`) as an element of CLIXML."""
    return f'<S S="{stream}">{escape(text)}</S>'


class ProgressWriter:
    """Progress records as elements of one CLIXML document; the type names are written once."""

    def __init__(self) -> None:
        self._count = 0

    def record(
        self,
        activity: str,
        status: str = "",
        *,
        activity_id: int = 0,
        current_operation: str | None = None,
        parent_id: int = -1,
        percent: int = -1,
        seconds: int = -1,
        completed: bool = False,
        source_id: int = 1,
    ) -> str:
        """One record; `percent` -1 and `seconds` -1 mean unknown."""
        names = "".join(f"<T>{name}</T>" for name in _CUSTOM_OBJECT)
        types = f'<TN RefId="0">{names}</TN>' if self._count == 0 else '<TNRef RefId="0" />'
        operation = "<Nil />" if not current_operation else f"<S>{escape(current_operation)}</S>"
        kind = "Completed" if completed else "Processing"
        text = (
            f'<Obj S="progress" RefId="{self._count}">{types}<MS><I64 N="SourceId">{source_id}</I64><PR N="Record">'
            f"<AV>{escape(activity)}</AV><AI>{activity_id}</AI>{operation}<PI>{parent_id}</PI><PC>{percent}</PC>"
            f"<T>{kind}</T><SR>{seconds}</SR><SD>{escape(status) or ' '}</SD></PR></MS></Obj>"
        )
        self._count += 1
        return text


def serialize(value: Any, depth: int = _DEFAULT_DEPTH) -> str:
    """A whole CLIXML document with one object, as [PSSerializer]::Serialize gives it (lines of its own, indented)."""
    return serialize_all([value], depth)


def serialize_all(values: list[Any], depth: int = _DEFAULT_DEPTH) -> str:
    """A whole CLIXML document with several objects, indented as Export-Clixml does."""
    writer = _Serializer(depth)
    root = ElementTree.Element("Objs", {"Version": "1.1.0.1", "xmlns": NAMESPACE})
    for value in values:
        writer.write(root, value, depth, None)
    return _indented(root)


class ElementWriter:
    """Objects one by one as elements of one document, without indentation."""

    def __init__(self, depth: int = _DEFAULT_DEPTH) -> None:
        self._serializer = _Serializer(depth)

    def element(self, value: Any) -> str:
        root = ElementTree.Element("Objs")
        self._serializer.write(root, value, self._serializer.depth, None)
        return "".join(line.strip() for child in root for line in _lines(child))


def _indented(root: ElementTree.Element) -> str:
    return "\r\n".join(_lines(root))


def _lines(root: ElementTree.Element) -> list[str]:
    lines: list[str] = []

    def emit(element: ElementTree.Element, indent: int) -> None:
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
        pad = "  " * indent
        if len(element):
            lines.append(f"{pad}<{element.tag}{attributes}>")
            for child in element:
                emit(child, indent + 1)
            lines.append(f"{pad}</{element.tag}>")
        elif element.text:
            lines.append(f"{pad}<{element.tag}{attributes}>{element.text}</{element.tag}>")
        elif element.tag in ("Nil", "Ref", "TNRef"):
            lines.append(f"{pad}<{element.tag}{attributes} />")
        else:
            lines.append(f"{pad}<{element.tag}{attributes}></{element.tag}>")

    emit(root, 0)
    return lines


class _Serializer:
    """Writes values as elements. Texts in the tree are escaped already."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.next_object = 0
        self.objects: dict[int, int] = {}
        self.type_names: dict[tuple[str, ...], int] = {}
        self.keep: list[Any] = []  # so that ids stay unique

    def _add(self, parent: ElementTree.Element, tag: str, text: str | None, name: str | None) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, tag)
        if name is not None:
            element.set("N", name)
        element.text = text
        return element

    def write(self, parent: ElementTree.Element, value: Any, depth: int, name: str | None) -> None:
        base = unwrap(value)
        primitive = _primitive(base)
        if primitive is not None and not (isinstance(value, PSObject) and value.ps_members):
            self._add(parent, primitive[0], primitive[1], name)
            return
        if base is None or base is AutomationNull:
            self._add(parent, "Nil", None, name)
            return
        if isinstance(base, SecureString):
            from winlab.powershell.dotnet.cryptography import seal_secure_string

            self._add(parent, "SS", seal_secure_string(base, None), name)
            return
        if type(base).__name__ == "XmlDocument":
            from winlab.powershell.runtime.conversion import to_string
            from winlab.powershell.runtime.members import get_member

            self._add(parent, "XD", escape(to_string(get_member(base, "OuterXml"))), name)
            return
        self._object(parent, value, base, depth, name)

    def _object(self, parent: ElementTree.Element, value: Any, base: Any, depth: int, name: str | None) -> None:
        from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
        from winlab.powershell.runtime.members import properties, type_names

        known = self.objects.get(id(value))
        if known is not None:
            reference = self._add(parent, "Ref", None, name)
            reference.set("RefId", str(known))
            return
        if depth < 0 or (depth == 0 and not isinstance(base, (PSCustomObject, Dictionary))):
            self._add(parent, "S", escape(to_string(value)), name)
            return
        element = self._add(parent, "Obj", None, name)
        reference_id = self.next_object
        self.next_object += 1
        element.set("RefId", str(reference_id))
        self.objects[id(value)] = reference_id
        self.keep.append(value)
        self._type_names(element, tuple(type_names(value)))
        primitive = _primitive(base)
        if primitive is not None:
            self._add(element, primitive[0], primitive[1], None)
        elif isinstance(base, Dictionary):
            self._dictionary(element, base, depth)
        elif isinstance(base, EnumValue):
            self._add(element, "ToString", escape(to_string(base)), None)
            self._add(element, "I32", str(base.value), None)
        elif not isinstance(base, PSCustomObject) and is_enumerable(base):
            items = ElementTree.SubElement(element, "LST")
            for item in iterate(base):
                self.write(items, item, depth - 1, None)
        else:
            self._properties(element, value, base, depth, properties(value))

    def _type_names(self, element: ElementTree.Element, names: tuple[str, ...]) -> None:
        known = self.type_names.get(names)
        if known is not None:
            ElementTree.SubElement(element, "TNRef", {"RefId": str(known)})
            return
        number = len(self.type_names)
        self.type_names[names] = number
        listed = ElementTree.SubElement(element, "TN", {"RefId": str(number)})
        for name in names:
            ElementTree.SubElement(listed, "T").text = escape(name)

    def _dictionary(self, element: ElementTree.Element, base: Dictionary, depth: int) -> None:
        entries = ElementTree.SubElement(element, "DCT")
        for key, item in base.items():
            entry = ElementTree.SubElement(entries, "En")
            self.write(entry, key, depth - 1, "Key")
            self.write(entry, item, depth - 1, "Value")

    def _properties(self, element: ElementTree.Element, value: Any, base: Any, depth: int, items: list[Any]) -> None:
        from winlab.powershell.runtime.conversion import to_string

        custom = isinstance(base, PSCustomObject)
        if not custom:
            self._add(element, "ToString", escape(to_string(base)), None)
        own = ElementTree.SubElement(element, "MS" if custom else "Props")
        for item in items:
            try:
                found = item.getter()
            except (NetException, TerminatingError):
                continue
            self.write(own, found, depth - 1, escape(item.name))
        if not len(own):
            element.remove(own)


def _primitive(base: Any) -> tuple[str, str] | None:
    """The tag and text of a value that CLIXML knows as such."""
    kind = type(base)
    if kind is str:
        return "S", escape(base)
    if kind is bool:
        return "B", "true" if base else "false"
    tag = _NUMBERS.get(kind)
    if tag is not None:
        return tag, str(int(base))
    if kind is float:
        return "Db", _double(base)
    if kind is Single:
        return "Sg", _double(base)
    if kind is Decimal:
        return "D", format(base, "f")
    if kind is Char:
        return "C", str(ord(base))
    if kind is ByteArray:
        return "BA", base64.b64encode(bytes(bytearray.__iter__(base))).decode("ascii")
    if kind is ScriptBlock:
        return "SBK", escape(base.text)
    if kind is SwitchParameter:
        return None
    return _net_primitive(base)


def _net_primitive(base: Any) -> tuple[str, str] | None:
    name = type(base).__name__
    tag = {"DateTime": "DT", "TimeSpan": "TS", "Guid": "G", "Version": "Version", "Uri": "URI"}.get(name)
    if tag is None:
        return None
    from winlab.powershell.dotnet import values

    if name == "DateTime":
        text = values.net_string(base, "o", values.INVARIANT)
        return tag, re.sub(r"(\.\d*?)0+(?=[Z+-]|$)", lambda found: found[1].rstrip("."), text)
    if name == "TimeSpan":
        return tag, _duration(base)
    return tag, escape(values.net_string(base))


def _double(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "INF" if value > 0 else "-INF"
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text.replace("e", "E")


def _duration(span: Any) -> str:
    """A TimeSpan as an XML duration."""
    ticks = int(span.ticks)
    sign = "-" if ticks < 0 else ""
    seconds, rest = divmod(abs(ticks), 10_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    text = f"{days}D" if days else ""
    clock = (f"{hour}H" if hour else "") + (f"{minute}M" if minute else "")
    if second or rest:
        clock += f"{second}" + (f".{rest:07d}".rstrip("0") if rest else "") + "S"
    if clock:
        text += "T" + clock
    return f"{sign}P{text or 'T0S'}"


# --- reading ----------------------------------------------------------------------------------------------------------


def deserialize_all(text: str) -> list[Any]:
    """The objects of a CLIXML document. NetException (XmlException) when it is not one."""
    begin = text.find("<Objs")
    try:
        root = ElementTree.fromstring(text[begin:] if begin >= 0 else text)
    except ElementTree.ParseError as error:
        raise NetException("System.Xml.XmlException", str(error)) from None
    reader = _Deserializer()
    return [reader.read(child) for child in root]


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


_CREDENTIAL = "System.Management.Automation.PSCredential"
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")


class _Deserializer:
    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.type_names: dict[str, list[str]] = {}

    def read(self, element: ElementTree.Element) -> Any:
        tag = _local(element)
        if tag == "Obj":
            return self._object(element)
        if tag == "Ref":
            return self.objects.get(element.get("RefId", ""))
        convert = _READERS.get(tag)
        if convert is not None:
            return convert(element.text or "")
        return _net_value(tag, element.text or "")

    def _object(self, element: ElementTree.Element) -> Any:
        names: list[str] = []
        base: Any = None
        found = False
        members: list[tuple[str, Any]] = []
        text: str | None = None
        made: Any = None
        for child in element:
            tag = _local(child)
            if tag in ("TN", "TNRef"):
                names = self._names(child, tag)
            elif tag in ("LST", "QUE", "STK", "IE"):
                base, found = _list([self.read(item) for item in child]), True
            elif tag == "DCT":
                base, found = self._dictionary(child, names), True
            elif tag in ("MS", "Props"):
                members.extend((unescape(item.get("N", "")), self.read(item)) for item in child)
            elif tag == "ToString":
                text = unescape(child.text or "")
            else:
                base, found = self.read(child), True
        if found and not members and text is None:
            made = base
        elif names[:1] == [_CREDENTIAL]:
            made = _credential(dict(members))
        else:
            made = PSObject(base) if found else PSCustomObject()
            for name, value in members:
                made.ps_members[name.lower()] = PSMember("NoteProperty", name, value)
            if names and not (found and text is None) and tuple(names) != _CUSTOM_OBJECT:
                made.ps_type_names = ["Deserialized." + name for name in names]
            if text is not None:
                made.ps_members["tostring"] = _to_string_member(text)
        self.objects[element.get("RefId", "")] = made
        return made

    def _names(self, element: ElementTree.Element, tag: str) -> list[str]:
        if tag == "TNRef":
            return self.type_names.get(element.get("RefId", ""), [])
        names = [unescape(item.text or "") for item in element]
        self.type_names[element.get("RefId", "")] = names
        return names

    def _dictionary(self, element: ElementTree.Element, names: list[str]) -> Dictionary:
        ordered = any(name.endswith("OrderedDictionary") for name in names)
        table: Dictionary = OrderedDictionary() if ordered else Hashtable()
        for entry in element:
            pair = {item.get("N"): self.read(item) for item in entry}
            table[pair.get("Key")] = pair.get("Value")
        return table


def _to_string_member(text: str) -> PSMember:
    return PSMember("CodeMethod", "ToString", lambda value, *arguments: text)


_READERS: dict[str, Callable[[str], Any]] = {
    "S": unescape,
    "Nil": lambda text: None,
    "B": lambda text: text.strip().lower() == "true",
    "I32": int,
    "I64": lambda text: Int64(int(text)),
    "By": lambda text: Byte(int(text)),
    "SB": lambda text: SByte(int(text)),
    "I16": lambda text: Int16(int(text)),
    "U16": lambda text: UInt16(int(text)),
    "U32": lambda text: UInt32(int(text)),
    "U64": lambda text: UInt64(int(text)),
    "Db": lambda text: float(text.replace("INF", "inf")),
    "Sg": lambda text: Single(float(text.replace("INF", "inf"))),
    "D": Decimal,
    "C": lambda text: Char(chr(int(text))),
    "BA": lambda text: ByteArray(base64.b64decode(text)),
}


def _net_value(tag: str, text: str) -> Any:
    """Dates, spans, identifiers: made by their .NET types."""
    from winlab.powershell.dotnet.core import get_type
    from winlab.powershell.runtime.conversion import convert

    if tag == "TS":
        return _span(text)
    if tag == "SS":
        from winlab.powershell.dotnet.cryptography import open_secure_string

        return open_secure_string(text, None)
    names = {
        "DT": "System.DateTime",
        "G": "System.Guid",
        "Version": "System.Version",
        "URI": "System.Uri",
        "SBK": "System.String",
        "XD": "System.Xml.XmlDocument",
    }
    name = names.get(tag)
    return convert(unescape(text), get_type(name)) if name else unescape(text)


def _span(text: str) -> Any:
    """An XML duration as a TimeSpan."""
    from winlab.powershell.dotnet.time import TimeSpan

    found = _DURATION.fullmatch(text)
    if found is None:
        raise NetException("System.FormatException", f"The string '{text}' is not a valid TimeSpan value.")
    sign, days, hours, minutes, seconds = found.groups()
    ticks = (int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)
    ticks = ticks * 600_000_000 + int(Decimal(seconds or 0) * 10_000_000)
    return TimeSpan(-ticks if sign else ticks)


def _credential(members: dict[str, Any]) -> Any:
    from winlab.powershell.dotnet.core import get_type
    from winlab.powershell.runtime.invoke import construct

    return construct(get_type(_CREDENTIAL), [members.get("UserName"), members.get("Password")])


def _list(items: list[Any]) -> Any:
    from winlab.powershell.dotnet.collections import ArrayList

    return ArrayList(items)
