"""XML that can be edited without touching a character outside the edit.

An administrator's applicationHost.config or web.config holds comments, blank lines, attribute order and quoting that a configuration system has to leave
alone. The tree kept here is made of the file's own text: every node holds its raw characters, so writing an untouched tree gives the bytes that were read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from xml.parsers import expat

DEFAULT_UNIT = "    "
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'

_TOKEN = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<!DOCTYPE[^>]*>|</[^>]*>|<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|[^<]+",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(\s+)([^\s=/>]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_WHITE_SPACE = re.compile(r"\r\n|[\r\n\t]")
_ENTITY = re.compile(r"&(#x[0-9A-Fa-f]+|#[0-9]+|\w+);")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


class XmlError(Exception):
    """The text is not well-formed XML.

    Attributes:
        line: number of the line (from 1) at which the parser gave up.
    """

    def __init__(self, message: str, line: int):
        super().__init__(message)
        self.line = line


def unescape(text: str) -> str:
    """The value that a raw attribute or text stands for."""

    def entity(match: re.Match[str]) -> str:
        name = match.group(1)
        if name.startswith("#x"):
            return chr(int(name[2:], 16))
        if name.startswith("#"):
            return chr(int(name[1:]))
        return _NAMED[name]

    return _ENTITY.sub(entity, text) if "&" in text else text


def escape(value: str) -> str:
    """A value as it stands between the double quotes of an attribute."""
    text = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return re.sub(r"[\t\r\n]", lambda m: f"&#x{ord(m.group()):X};", text)


class Raw:
    """Text, comment, processing instruction or CDATA: kept as it is."""

    __slots__ = ("text",)

    def __init__(self, text: str):
        self.text = text

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    def write(self, out: list[str]) -> None:
        out.append(self.text)


class _Attribute:
    """An attribute; never changed, so that copies of an element share it."""

    __slots__ = ("_value", "equals", "name", "quoted", "space")

    def __init__(self, space: str, name: str, equals: str, quoted: str):
        self.space, self.name, self.equals, self.quoted = space, name, equals, quoted
        self._value: str | None = None

    @property
    def value(self) -> str:
        if self._value is None:
            raw = self.quoted[1:-1]
            self._value = unescape(_WHITE_SPACE.sub(" ", raw)) if raw else ""
        return self._value

    def with_value(self, value: str) -> _Attribute:
        return _Attribute(self.space, self.name, self.equals, f'"{escape(value)}"')


class XmlElement:
    """An element with its raw start tag, children and end tag.

    Attributes:
        line: line of its start tag in the file it was read from; 0 when it was made in memory.
    """

    __slots__ = ("_attributes", "_before_close", "children", "document", "end_tag", "line", "name", "parent")

    def __init__(self, name: str, line: int = 0):
        self.name = name
        self.line = line
        self._attributes: list[_Attribute] = []
        self._before_close = " "
        self.end_tag: str | None = None
        self.children: list[Node] = []
        self.parent: XmlElement | None = None
        self.document: XmlDocument | None = None

    # -- attributes

    def attributes(self) -> Iterator[tuple[str, str]]:
        for attribute in self._attributes:
            yield attribute.name, attribute.value

    def get(self, name: str) -> str | None:
        for attribute in self._attributes:
            if attribute.name == name:
                return attribute.value
        return None

    def set(self, name: str, value: str) -> None:
        """Gives an attribute a value: in place where it stands, behind the others when it is new."""
        for at, attribute in enumerate(self._attributes):
            if attribute.name == name:
                if attribute.value != value:
                    self._attributes[at] = attribute.with_value(value)
                return
        self._attributes.append(_Attribute(" ", name, "=", "").with_value(value))

    def unset(self, name: str) -> None:
        self._attributes = [a for a in self._attributes if a.name != name]

    # -- children

    @property
    def elements(self) -> list[XmlElement]:
        return [c for c in self.children if isinstance(c, XmlElement)]

    def find(self, name: str) -> XmlElement | None:
        return next((e for e in self.elements if e.name == name), None)

    @property
    def holds_nothing(self) -> bool:
        """True when there is neither attribute, element nor comment in it."""
        return not self._attributes and all(isinstance(c, Raw) and c.blank for c in self.children)

    def append(self, element: XmlElement) -> None:
        """Adds an element behind the last one, on a line of its own."""
        elements = self.elements
        if elements:
            at = self.children.index(elements[-1]) + 1
            self.children[at:at] = [Raw(self._newline() + self._child_indent()), element]
        else:
            while self.children and isinstance(self.children[-1], Raw) and self.children[-1].blank:
                self.children.pop()
            newline = self._newline()
            self.children += [Raw(newline + self._child_indent()), element, Raw(newline + self.indent())]
            if self.end_tag is None:
                self.end_tag = f"</{self.name}>"
                self._before_close = ""
        self._adopt(element)

    def insert_before(self, element: XmlElement, sibling: XmlElement) -> None:
        """Adds an element on a line of its own right before a sibling."""
        at = self.children.index(sibling)
        self.children[at:at] = [element, Raw(self._newline() + self._child_indent())]
        self._adopt(element)

    def insert_first(self, element: XmlElement) -> None:
        elements = self.elements
        if elements:
            self.insert_before(element, elements[0])
        else:
            self.append(element)

    def remove(self, element: XmlElement) -> None:
        """Takes an element out together with the line break and indentation before it."""
        at = self.children.index(element)
        del self.children[at]
        if at > 0 and isinstance(before := self.children[at - 1], Raw) and before.blank and "\n" in before.text:
            del self.children[at - 1]
        element.parent = None
        if all(isinstance(c, Raw) and c.blank for c in self.children):
            self.children.clear()
            self.end_tag = None
            self._before_close = " "

    def copy(self) -> XmlElement:
        """A detached copy, to be laid out anew where it is inserted."""
        twin = XmlElement(self.name)
        for name, value in self.attributes():
            twin.set(name, value)
        for child in self.children:
            if isinstance(child, XmlElement):
                twin._attach_raw(child.copy())
            elif not child.blank:
                twin.children.append(Raw(child.text))
        if twin.children:
            twin.end_tag = f"</{twin.name}>"
            twin._before_close = ""
        return twin

    def duplicate(self) -> XmlElement:
        """A copy that is the same to the last character; attributes and text, which never change, are shared."""
        twin = XmlElement(self.name, self.line)
        twin._attributes = self._attributes.copy()
        twin._before_close = self._before_close
        twin.end_tag = self.end_tag
        for child in self.children:
            if isinstance(child, XmlElement):
                child = child.duplicate()
                child.parent = twin
            twin.children.append(child)
        return twin

    def _attach_raw(self, child: XmlElement) -> None:
        child.parent = self
        self.children.append(child)

    def _adopt(self, element: XmlElement) -> None:
        element.parent = self
        element._lay_out()

    def _lay_out(self) -> None:
        """Gives new content the indentation of its place. Elements read from a file keep theirs."""
        if not self.children:
            return
        newline = self._newline()
        inner = [c for c in self.children if isinstance(c, XmlElement) or not c.blank]
        indent = self.indent()
        unit = self._unit()
        self.children = []
        for child in inner:
            self.children += [Raw(newline + indent + unit), child]
        self.children.append(Raw(newline + indent))
        for child in inner:
            if isinstance(child, XmlElement):
                child._lay_out()

    # -- layout

    def root(self) -> XmlElement:
        element = self
        while element.parent is not None:
            element = element.parent
        return element

    def indent(self) -> str:
        """White space between the start of the line and this element."""
        if self.parent is None:
            return ""
        at = self.parent.children.index(self)
        if at > 0 and isinstance(before := self.parent.children[at - 1], Raw) and before.blank and "\n" in before.text:
            return before.text.rpartition("\n")[2]
        return self.parent.indent() + self.parent._unit()

    def _child_indent(self) -> str:
        for child in self.elements:
            at = self.children.index(child)
            if at > 0 and isinstance(before := self.children[at - 1], Raw) and before.blank and "\n" in before.text:
                return before.text.rpartition("\n")[2]
        return self.indent() + self._unit()

    def _unit(self) -> str:
        document = self.root().document
        return document.unit if document else DEFAULT_UNIT

    def _newline(self) -> str:
        document = self.root().document
        return document.newline if document else "\n"

    def write(self, out: list[str]) -> None:
        out.append(f"<{self.name}")
        for a in self._attributes:
            out.append(f"{a.space}{a.name}{a.equals}{a.quoted}")
        if self.end_tag is None:
            out.append(f"{self._before_close}/>")
            return
        out.append(f"{self._before_close}>")
        for child in self.children:
            child.write(out)
        out.append(self.end_tag)


Node = Raw | XmlElement


class XmlDocument:
    """A file's text as a tree. `XmlDocument.parse(data).to_bytes() == data`."""

    def __init__(
        self, root: XmlElement, before: list[Raw], after: list[Raw], encoding: str = "utf-8", bom: bytes = b""
    ):
        self.root = root
        self.before, self.after = before, after
        self.encoding, self.bom = encoding, bom
        self.newline = "\r\n"
        self.unit = DEFAULT_UNIT
        root.document = self

    @classmethod
    def empty(cls, root_name: str, newline: str = "\r\n") -> XmlDocument:
        """A new document: declaration and an empty root element."""
        document = cls(XmlElement(root_name), [Raw(DECLARATION), Raw(newline)], [])
        document.newline = newline
        return document

    @classmethod
    def parse(cls, data: bytes) -> XmlDocument:
        """Reads a file's bytes.

        Raises:
            XmlError: the bytes are not a well-formed document without a document type.
        """
        read = _read(data)
        document = cls(read.root.duplicate(), read.before.copy(), read.after.copy(), read.encoding, read.bom)
        document.newline, document.unit = read.newline, read.unit
        return document

    def to_bytes(self) -> bytes:
        out: list[str] = []
        for node in self.before:
            node.write(out)
        self.root.write(out)
        for node in self.after:
            node.write(out)
        return self.bom + "".join(out).encode(self.encoding, "xmlcharrefreplace")


@lru_cache(maxsize=32)
def _read(data: bytes) -> XmlDocument:
    """A file's text as a tree that nobody changes: the same file is read again and again, on many servers."""
    _check(data)
    text, encoding, bom = _decode(data)
    document = _Builder(text).build()
    document.encoding, document.bom = encoding, bom
    document.newline = "\r\n" if "\r\n" in text or "\n" not in text else "\n"
    document.unit = _indent_unit(document.root)
    return document


class _Builder:
    def __init__(self, text: str):
        self.text = text
        self.line = 1

    def build(self) -> XmlDocument:
        before: list[Raw] = []
        after: list[Raw] = []
        root: XmlElement | None = None
        current: XmlElement | None = None
        for match in _TOKEN.finditer(self.text):
            token = match.group()
            if token.startswith("</"):
                assert current is not None
                current.end_tag = token
                current = current.parent
            elif token.startswith("<") and token[1] not in "!?":
                element = self._start(token)
                if current is None:
                    root = element
                else:
                    current._attach_raw(element)
                if not token.endswith("/>"):
                    element.end_tag = ""
                    current = element
            elif current is not None:
                current.children.append(Raw(token))
            else:
                (before if root is None else after).append(Raw(token))
            self.line += token.count("\n")
        assert root is not None
        return XmlDocument(root, before, after)

    def _start(self, token: str) -> XmlElement:
        closed = token.endswith("/>")
        name = re.match(r"<([^\s/>]+)", token)
        assert name is not None
        element = XmlElement(name.group(1), self.line)
        end = name.end()
        for match in _ATTRIBUTE.finditer(token, end):
            element._attributes.append(_Attribute(*match.groups()))
            end = match.end()
        element._before_close = token[end : -2 if closed else -1]
        return element


def _check(data: bytes) -> None:
    """Leaves well-formedness to a real XML parser, so that the reader above need not know every rule."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise XmlError("a document type is not allowed", parser.CurrentLineNumber)

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(str(error), error.lineno) from error


def _decode(data: bytes) -> tuple[str, str, bytes]:
    for bom, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding), encoding, bom
    declared = re.match(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']", data)
    encoding = declared.group(1).decode("ascii") if declared else "utf-8"
    return data.decode(encoding), encoding, b""


def _indent_unit(root: XmlElement) -> str:
    for child in root.elements:
        indent = child.indent() if child.parent else ""
        at = root.children.index(child)
        if at > 0 and isinstance(before := root.children[at - 1], Raw) and "\n" in before.text and indent:
            return indent
    return DEFAULT_UNIT
