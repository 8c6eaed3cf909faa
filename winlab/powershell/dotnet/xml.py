"""System.Xml: the document object model with PowerShell's view of it, XPath (through lxml), XmlWriter and XmlTextWriter.

PowerShell shows attributes and child elements of a node as properties; an element with nothing but one text reads as that text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import Char, EnumValue, NetObject, PSArray

from .collections import generic_dictionary
from .core import ctor, get_type, indexer, method, net_type, prop
from .declare import argument, invalid_operation, need, overloads
from .encodings import _NAMES, Encoding, detect, make_encoding
from .streams import FileStream, Stream, StreamWriter, StringWriter, TextReader, TextWriter
from .strings import StringBuilder
from .system import Enumerator, copy_array
from .values import INVARIANT, net_string

ELEMENT, ATTRIBUTE, TEXT, CDATA, PI, COMMENT, DOCUMENT, DOCTYPE, FRAGMENT = 1, 2, 3, 4, 7, 8, 9, 10, 11
WHITESPACE, SIGNIFICANT_WHITESPACE, DECLARATION = 13, 14, 17
XML_NS, XMLNS_NS = "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"
_SPACE = " \t\r\n"
_NAME = re.compile(r"[^\W\d][\w.\-·]*(?::[^\W\d][\w.\-·]*)?")


def xml_error(message: str, line: int = 0, position: int = 0) -> NetException:
    text = f"{message} Line {line}, position {position}." if line else message
    return NetException("System.Xml.XmlException", text, LineNumber=line, LinePosition=position)


def check_name(name: str) -> str:
    if not need(name, "name"):
        raise argument("The local name for elements or attributes cannot be null or an empty string.")
    found = _NAME.match(name)
    if not found or found.end() != len(name):
        at = found.end() if found else 0
        raise xml_error(
            f"The '{name[at]}' character, hexadecimal value 0x{ord(name[at]):02X}, cannot be included in a name."
        )
    return name


# ------------------------------------------------------------------------------------------------------------ nodes


@net_type("System.Xml.XmlNode", interfaces=("Collections.IEnumerable", "ICloneable"))
class XmlNode(NetObject):
    """Base of nodes. Elements and documents have `children`; the others a `text`."""

    kind = 0
    not_enumerated = True  # by the pipeline and by foreach
    parent: Any = None
    document: Any = None
    children: list[Any]
    text: str | None = None

    def __init__(self, document: Any) -> None:
        self.document = document
        self.children = []

    def __str__(self) -> str:
        """The node's local name, by PowerShell's type file."""
        return str(self.local)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.children))

    __hash__ = object.__hash__

    @property
    def node_name(self) -> str:
        return ""

    @property
    def local(self) -> str:
        return self.node_name

    # -- PowerShell's adapter

    def _named(self, name: str) -> list[Any]:
        lower = name.lower()
        found: list[Any] = []
        if isinstance(self, XmlElement):
            found += [item for item in self.attribute_list if item.local.lower() == lower]
        found += [
            item
            for item in self.children
            if item.kind not in (WHITESPACE, SIGNIFICANT_WHITESPACE) and item.local.lower() == lower
        ]
        return found

    def ps_names(self) -> list[str]:
        names: dict[str, str] = {}
        if isinstance(self, XmlElement):
            for item in self.attribute_list:
                names.setdefault(item.local.lower(), item.local)
        for item in self.children:
            if item.kind not in (WHITESPACE, SIGNIFICANT_WHITESPACE):
                names.setdefault(item.local.lower(), item.local)
        return list(names.values())

    def ps_get(self, name: str) -> Any:
        found = self._named(name)
        if not found:
            return NotImplemented
        if len(found) == 1:
            return shown(found[0])
        return PSArray([shown(item) for item in found])

    def ps_set(self, name: str, value: Any) -> Any:
        found = self._named(name)
        if not found:
            return False
        if len(found) > 1:
            raise NetException(
                "System.Management.Automation.SetValueException",
                f'The property "{name}" cannot be set because more than one node has that name.',
            )
        if not isinstance(value, str):
            raise NetException(
                "System.Management.Automation.SetValueException",
                f'Cannot set "{name}" because only strings can be used as values to set XmlNode properties.',
            )
        node = found[0]
        if isinstance(node, XmlElement):
            if not node.children:
                if node.attribute_list:
                    raise _restricted(name)
                node.append(XmlText(self.document, value))
                return True
            if len(node.children) == 1 and node.children[0].kind == TEXT and not node.attribute_list:
                node.children[0].text = value
                return True
            raise _restricted(name)
        node.text = value
        return True

    # -- tree

    def append(self, node: Any, index: int | None = None) -> Any:
        if node.parent is not None:
            node.parent.children.remove(node)
        node.parent = self
        if index is None:
            self.children.append(node)
        else:
            self.children.insert(index, node)
        return node

    def position(self, node: Any) -> int:
        for index, own in enumerate(self.children):
            if own is node:
                return index
        raise argument("The reference node is not a child of this node.")

    def _place(self, node: Any, index: int | None) -> Any:
        if need(node, "newChild") is self or any(node is one for one in self.ancestors()):
            raise argument("Cannot insert a node or any ancestor of that node as a child of itself.")
        owner = self if isinstance(self, XmlDocument) else self.document
        if node.document is not owner:
            raise argument("The node to be inserted is from a different document context.")
        if self.kind not in (ELEMENT, DOCUMENT, FRAGMENT) or node.kind in (ATTRIBUTE, DOCUMENT):
            raise invalid_operation(
                "The specified node cannot be inserted as the valid child of this node, because the specified node is the wrong type."
            )
        if (
            self.kind == DOCUMENT
            and node.kind == ELEMENT
            and any(one.kind == ELEMENT and one is not node for one in self.children)
        ):
            raise invalid_operation("This document already has a 'DocumentElement' node.")
        if node.kind == FRAGMENT:
            for child in list(node.children):
                self.append(child, index)
                index = None if index is None else index + 1
            return node
        return self.append(node, index)

    def ancestors(self) -> Iterator[Any]:
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def inner_text(self) -> str:
        if self.kind in (ELEMENT, DOCUMENT, FRAGMENT):
            return "".join(
                child.inner_text() for child in self.children if child.kind not in (COMMENT, PI, DECLARATION, DOCTYPE)
            )
        return self.text or ""

    def walk(self) -> Iterator[Any]:
        for child in list(self.children):
            yield child
            yield from child.walk()

    def copy(self, deep: bool, document: Any) -> Any:
        made = type(self).__new__(type(self))
        made.__dict__.update(
            {key: value for key, value in self.__dict__.items() if key not in ("parent", "children", "ps_members")}
        )
        made.document = document
        made.children = []
        if deep:
            for child in self.children:
                made.append(child.copy(True, document))
        return made

    # -- members

    @prop("Name : String get")
    def name(self) -> str:
        return self.node_name

    @prop("LocalName : String get")
    def local_name(self) -> str:
        return self.local

    @prop("Prefix : String")
    def prefix(self) -> str:
        head, colon, _ = self.node_name.partition(":")
        return head if colon and self.kind in (ELEMENT, ATTRIBUTE) else ""

    @prop("NamespaceURI : String get")
    def namespace_uri(self) -> str:
        return str(getattr(self, "namespace", ""))

    @prop("NodeType : Xml.XmlNodeType get")
    def node_type(self) -> int:
        return self.kind

    @prop("Value : String")
    def value(self) -> str | None:
        return None if self.kind in (ELEMENT, DOCUMENT, FRAGMENT, DOCTYPE) else self.text

    @value.setter
    def value(self, text: str | None) -> None:
        if self.kind in (ELEMENT, DOCUMENT, FRAGMENT, DOCTYPE):
            raise invalid_operation(
                f"Cannot set a value on node type '{get_type('System.Xml.XmlNodeType').enum(self.kind).name}'."
            )
        self.text = text or ""

    @prop("InnerText : String")
    def get_inner_text(self) -> str:
        return self.inner_text()

    @get_inner_text.setter
    def get_inner_text(self, text: str | None) -> None:
        if self.kind in (ELEMENT, FRAGMENT):
            for child in self.children:
                child.parent = None
            self.children = []
            if isinstance(self, XmlElement):
                self.empty = False
            self.append(XmlText(self.document, text or ""))
        elif self.kind == DOCUMENT:
            raise invalid_operation("The 'InnerText' of a 'Document' node is read-only and cannot be set.")
        else:
            self.text = text or ""

    @prop("InnerXml : String")
    def inner_xml(self) -> str:
        writer = Writer(StringSink())
        for child in self.children:
            write_node(child, writer, top=False)
        if self.kind == ATTRIBUTE:
            return escape_attribute(self.text or "")
        return writer.sink.text

    @inner_xml.setter
    def inner_xml(self, text: str) -> None:
        if isinstance(self, XmlDocument):
            self.load_text(text)
            return
        if self.kind not in (ELEMENT, FRAGMENT):
            raise invalid_operation(
                "Cannot set the 'InnerXml' for the current node because it is either read-only or cannot have children."
            )
        for child in self.children:
            child.parent = None
        self.children = []
        scope = dict(in_scope(self))
        declarations = "".join(
            f' xmlns{":" + prefix if prefix else ""}="{escape_attribute(uri)}"'
            for prefix, uri in scope.items()
            if prefix != "xml"
        )
        holder = parse_text(f"<x{declarations}>{text}</x>", True, self.document)
        root = next(node for node in holder if node.kind == ELEMENT)
        for child in list(root.children):
            self.append(child)
        if isinstance(self, XmlElement):
            self.empty = False

    @prop("OuterXml : String get")
    def outer_xml(self) -> str:
        writer = Writer(StringSink())
        write_node(self, writer, top=False)
        return writer.sink.text

    @prop("Attributes : Xml.XmlAttributeCollection get")
    def attributes(self) -> Any:
        return None

    @prop("ChildNodes : Xml.XmlNodeList get")
    def child_nodes(self) -> XmlNodeList:
        return XmlNodeList(self.children)

    @prop("HasChildNodes : Boolean get")
    def has_child_nodes(self) -> bool:
        return bool(self.children)

    @prop("FirstChild : Xml.XmlNode get")
    def first_child(self) -> Any:
        return self.children[0] if self.children else None

    @prop("LastChild : Xml.XmlNode get")
    def last_child(self) -> Any:
        return self.children[-1] if self.children else None

    @prop("NextSibling : Xml.XmlNode get")
    def next_sibling(self) -> Any:
        return self._sibling(1)

    @prop("PreviousSibling : Xml.XmlNode get")
    def previous_sibling(self) -> Any:
        return self._sibling(-1)

    def _sibling(self, step: int) -> Any:
        if self.parent is None or self.kind == ATTRIBUTE:
            return None
        index = self.parent.position(self) + step
        return self.parent.children[index] if 0 <= index < len(self.parent.children) else None

    @prop("ParentNode : Xml.XmlNode get")
    def parent_node(self) -> Any:
        return None if self.kind == ATTRIBUTE else self.parent

    @prop("OwnerDocument : Xml.XmlDocument get")
    def owner_document(self) -> Any:
        return None if self.kind == DOCUMENT else self.document

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self) -> bool:
        return False

    @prop("BaseURI : String get")
    def base_uri(self) -> str:
        return ""

    @indexer("Item[String] : Xml.XmlElement")
    def item(self, name: str) -> Any:
        return next((child for child in self.children if child.kind == ELEMENT and child.node_name == name), None)

    @indexer("Item[String,String] : Xml.XmlElement")
    def item_ns(self, name: str, uri: str) -> Any:
        return next(
            (
                child
                for child in self.children
                if child.kind == ELEMENT and child.local == name and child.namespace == uri
            ),
            None,
        )

    @method("AppendChild(Xml.XmlNode) : Xml.XmlNode")
    def append_child(self, node: Any) -> Any:
        return self._place(node, None)

    @method("PrependChild(Xml.XmlNode) : Xml.XmlNode")
    def prepend_child(self, node: Any) -> Any:
        return self._place(node, 0)

    @method("InsertBefore(Xml.XmlNode,Xml.XmlNode) : Xml.XmlNode")
    def insert_before(self, node: Any, reference: Any) -> Any:
        if reference is None:
            return self._place(node, None)
        if node is reference:
            return node
        if node.parent is self:
            self.children.remove(node)
            node.parent = None
        return self._place(node, self.position(reference))

    @method("InsertAfter(Xml.XmlNode,Xml.XmlNode) : Xml.XmlNode")
    def insert_after(self, node: Any, reference: Any) -> Any:
        if reference is None:
            return self._place(node, 0)
        if node is reference:
            return node
        if node.parent is self:
            self.children.remove(node)
            node.parent = None
        return self._place(node, self.position(reference) + 1)

    @method("RemoveChild(Xml.XmlNode) : Xml.XmlNode")
    def remove_child(self, node: Any) -> Any:
        if need(node, "oldChild").parent is not self:
            raise argument("The node to be removed is not a child of this node.")
        del self.children[self.position(node)]
        node.parent = None
        return node

    @method("ReplaceChild(Xml.XmlNode,Xml.XmlNode) : Xml.XmlNode")
    def replace_child(self, node: Any, old: Any) -> Any:
        index = self.position(old)
        self.remove_child(old)
        self._place(node, index)
        return old

    @method("RemoveAll() : Void")
    def remove_all(self) -> None:
        for child in self.children:
            child.parent = None
        self.children = []
        if isinstance(self, XmlElement):
            self.attribute_list.clear()

    @method("CloneNode(Boolean) : Xml.XmlNode")
    def clone_node(self, deep: bool) -> Any:
        return self.copy(deep, self.document)

    @method("Clone() : Xml.XmlNode")
    def clone(self) -> Any:
        return self.copy(True, self.document)

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self.children)

    @method("GetNamespaceOfPrefix(String) : String")
    def get_namespace_of_prefix(self, prefix: str) -> str:
        return in_scope(self).get(prefix, "")

    @method("GetPrefixOfNamespace(String) : String")
    def get_prefix_of_namespace(self, uri: str) -> str:
        return next((prefix for prefix, own in in_scope(self).items() if own == uri), "")

    @method("Normalize() : Void")
    def normalize(self) -> None:
        merged: list[Any] = []
        for child in self.children:
            if child.kind == TEXT and merged and merged[-1].kind == TEXT:
                merged[-1].text += child.text
            elif child.kind != TEXT or child.text:
                merged.append(child)
            child.normalize()
        self.children = merged

    @method("SelectNodes(String) : Xml.XmlNodeList")
    @method("SelectNodes(String,Xml.XmlNamespaceManager) : Xml.XmlNodeList")
    def select_nodes(self, path: str, manager: Any = None) -> XmlNodeList:
        return XPathNodeList(select(self, need(path, "xpath"), manager))

    @method("SelectSingleNode(String) : Xml.XmlNode")
    @method("SelectSingleNode(String,Xml.XmlNamespaceManager) : Xml.XmlNode")
    def select_single_node(self, path: str, manager: Any = None) -> Any:
        found = select(self, need(path, "xpath"), manager)
        return found[0] if found else None

    @method("WriteTo(Xml.XmlWriter) : Void")
    def write_to(self, writer: Any) -> None:
        write_node(self, need(writer, "w").core, top=False)

    @method("WriteContentTo(Xml.XmlWriter) : Void")
    def write_content_to(self, writer: Any) -> None:
        for child in self.children:
            write_node(child, need(writer, "w").core, top=False)

    @method("CreateNavigator() : Xml.XPath.XPathNavigator")
    def create_navigator(self) -> Any:
        raise LabUnsupported("XPathNavigator")


def _restricted(name: str) -> NetException:
    return NetException(
        "System.Management.Automation.SetValueException",
        f'Cannot set "{name}" because only strings can be used as values to set XmlNode properties, and the element has attributes or '
        "child elements.",
    )


def shown(node: Any) -> Any:
    """How PowerShell shows a node that it reached by name: texts and attributes as strings, simple elements as their text."""
    if node.kind in (TEXT, CDATA, ATTRIBUTE, COMMENT):
        return node.text or ""
    if isinstance(node, XmlElement) and node.attribute_list:
        return node
    if not node.children:
        return node.inner_text()
    if len(node.children) == 1 and node.children[0].kind == TEXT:
        return node.children[0].text
    return node


@net_type("System.Xml.XmlLinkedNode")
class XmlLinkedNode(XmlNode):
    pass


class _Named:
    """Elements and attributes: a qualified name and a namespace."""

    qualified: str
    namespace: str

    @property
    def node_name(self) -> str:
        return self.qualified

    @property
    def local(self) -> str:
        return self.qualified.rpartition(":")[2]


@net_type("System.Xml.XmlElement")
class XmlElement(_Named, XmlLinkedNode):
    kind = ELEMENT
    empty: bool
    attribute_list: list[Any]

    def __init__(self, document: Any, qualified: str, namespace: str = "") -> None:
        super().__init__(document)
        self.qualified = qualified
        self.namespace = namespace
        self.attribute_list = []
        self.empty = True

    def append(self, node: Any, index: int | None = None) -> Any:
        self.empty = False
        return super().append(node, index)

    def copy(self, deep: bool, document: Any) -> Any:
        made = super().copy(deep, document)
        made.attribute_list = []
        for item in self.attribute_list:
            own = item.copy(True, document)
            own.parent = made
            made.attribute_list.append(own)
        made.empty = self.empty if not self.children else not deep
        return made

    def find_attribute(self, name: str, uri: str | None = None) -> Any:
        for item in self.attribute_list:
            if (uri is None and item.qualified == name) or (
                uri is not None and item.local == name and item.namespace == uri
            ):
                return item
        return None

    def put_attribute(self, name: str, value: str, uri: str | None = None) -> XmlAttribute:
        found = self.find_attribute(name.rpartition(":")[2] if uri is not None else name, uri)
        if found is None:
            found = XmlAttribute(self.document, name, uri if uri is not None else attribute_namespace(name, self))
            found.parent = self
            self.attribute_list.append(found)
        found.text = value
        return found

    @prop("Attributes : Xml.XmlAttributeCollection get")
    def attributes(self) -> Any:
        return XmlAttributeCollection(self)

    @prop("HasAttributes : Boolean get")
    def has_attributes(self) -> bool:
        return bool(self.attribute_list)

    @prop("IsEmpty : Boolean")
    def is_empty(self) -> bool:
        return self.empty and not self.children

    @is_empty.setter
    def is_empty(self, value: bool) -> None:
        if value:
            self.children = []
        self.empty = value

    @method("GetAttribute(String) : String")
    def get_attribute(self, name: str) -> str:
        found = self.find_attribute(name)
        return found.text if found is not None else ""

    @method("GetAttribute(String,String) : String")
    def get_attribute_ns(self, name: str, uri: str) -> str:
        found = self.find_attribute(name, uri or "")
        return found.text if found is not None else ""

    @method("GetAttributeNode(String) : Xml.XmlAttribute")
    def get_attribute_node(self, name: str) -> Any:
        return self.find_attribute(name)

    @method("HasAttribute(String) : Boolean")
    def has_attribute(self, name: str) -> bool:
        return self.find_attribute(name) is not None

    @method("HasAttribute(String,String) : Boolean")
    def has_attribute_ns(self, name: str, uri: str) -> bool:
        return self.find_attribute(name, uri or "") is not None

    @method("SetAttribute(String,String) : Void")
    def set_attribute(self, name: str, value: str | None) -> None:
        self.put_attribute(check_name(name), value or "")

    @method("SetAttribute(String,String,String) : String")
    def set_attribute_ns(self, name: str, uri: str, value: str | None) -> str:
        self.put_attribute(check_name(name), value or "", uri or "")
        return value or ""

    @method("SetAttributeNode(Xml.XmlAttribute) : Xml.XmlAttribute")
    def set_attribute_node(self, node: XmlAttribute) -> Any:
        old = self.find_attribute(node.qualified)
        if old is not None:
            self.attribute_list.remove(old)
            old.parent = None
        node.parent = self
        self.attribute_list.append(node)
        return old

    @method("RemoveAttribute(String) : Void")
    def remove_attribute(self, name: str) -> None:
        found = self.find_attribute(name)
        if found is not None:
            self.attribute_list.remove(found)
            found.parent = None

    @method("RemoveAttribute(String,String) : Void")
    def remove_attribute_ns(self, name: str, uri: str) -> None:
        found = self.find_attribute(name, uri or "")
        if found is not None:
            self.attribute_list.remove(found)

    @method("RemoveAttributeNode(Xml.XmlAttribute) : Xml.XmlAttribute")
    def remove_attribute_node(self, node: XmlAttribute) -> Any:
        self.attribute_list.remove(node)
        node.parent = None
        return node

    @method("RemoveAllAttributes() : Void")
    def remove_all_attributes(self) -> None:
        self.attribute_list = []

    @method("GetElementsByTagName(String) : Xml.XmlNodeList")
    def get_elements_by_tag_name(self, name: str) -> XmlNodeList:
        return XmlNodeList([node for node in self.walk() if node.kind == ELEMENT and name in (node.node_name, "*")])


@net_type("System.Xml.XmlAttribute")
class XmlAttribute(_Named, XmlNode):
    kind = ATTRIBUTE

    def __init__(self, document: Any, qualified: str, namespace: str = "", text: str = "") -> None:
        super().__init__(document)
        self.qualified = qualified
        self.namespace = namespace
        self.text = text

    @prop("OwnerElement : Xml.XmlElement get")
    def owner_element(self) -> Any:
        return self.parent

    @prop("Specified : Boolean get")
    def specified(self) -> bool:
        return True


@net_type("System.Xml.XmlCharacterData")
class XmlCharacterData(XmlLinkedNode):
    def __init__(self, document: Any, text: str) -> None:
        super().__init__(document)
        self.text = text

    @prop("Data : String")
    def data(self) -> str:
        return self.text or ""

    @data.setter
    def data(self, value: str) -> None:
        self.text = value

    @prop("Length : Int32 get")
    def length(self) -> int:
        return len(self.text or "")

    @method("AppendData(String) : Void")
    def append_data(self, text: str) -> None:
        self.text = (self.text or "") + (text or "")


@net_type("System.Xml.XmlText")
class XmlText(XmlCharacterData):
    kind = TEXT
    node_name = "#text"


@net_type("System.Xml.XmlCDataSection")
class XmlCDataSection(XmlCharacterData):
    kind = CDATA
    node_name = "#cdata-section"


@net_type("System.Xml.XmlComment")
class XmlComment(XmlCharacterData):
    kind = COMMENT
    node_name = "#comment"


@net_type("System.Xml.XmlWhitespace")
class XmlWhitespace(XmlCharacterData):
    kind = WHITESPACE
    node_name = "#whitespace"


@net_type("System.Xml.XmlSignificantWhitespace")
class XmlSignificantWhitespace(XmlCharacterData):
    kind = SIGNIFICANT_WHITESPACE
    node_name = "#significant-whitespace"


@net_type("System.Xml.XmlProcessingInstruction")
class XmlProcessingInstruction(XmlLinkedNode):
    kind = PI

    def __init__(self, document: Any, target: str, text: str) -> None:
        super().__init__(document)
        self.target_name = target
        self.text = text

    @property
    def node_name(self) -> str:
        return self.target_name

    @prop("Target : String get")
    def target(self) -> str:
        return self.target_name

    @prop("Data : String")
    def data(self) -> str:
        return self.text or ""

    @data.setter
    def data(self, value: str) -> None:
        self.text = value


@net_type("System.Xml.XmlDeclaration")
class XmlDeclaration(XmlLinkedNode):
    kind = DECLARATION
    node_name = "xml"

    def __init__(self, document: Any, version: str, encoding: str = "", standalone: str = "") -> None:
        super().__init__(document)
        self.version_text, self.encoding_name, self.standalone_text = version, encoding or "", standalone or ""

    @property
    def text(self) -> str:  # type: ignore[override]
        parts = [f'version="{self.version_text}"']
        if self.encoding_name:
            parts.append(f'encoding="{self.encoding_name}"')
        if self.standalone_text:
            parts.append(f'standalone="{self.standalone_text}"')
        return " ".join(parts)

    @prop("Version : String get")
    def version(self) -> str:
        return self.version_text

    @prop("Encoding : String")
    def encoding(self) -> str:
        return self.encoding_name

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self.encoding_name = value or ""

    @prop("Standalone : String")
    def standalone(self) -> str:
        return self.standalone_text

    @standalone.setter
    def standalone(self, value: str | None) -> None:
        self.standalone_text = value or ""


@net_type("System.Xml.XmlDocumentType")
class XmlDocumentType(XmlLinkedNode):
    kind = DOCTYPE

    def __init__(self, document: Any, name: str, public: str | None, system: str | None, subset: str | None) -> None:
        super().__init__(document)
        self.root_name, self.public, self.system, self.subset = name, public, system, subset

    @property
    def node_name(self) -> str:
        return self.root_name


@net_type("System.Xml.XmlDocumentFragment")
class XmlDocumentFragment(XmlNode):
    kind = FRAGMENT
    node_name = "#document-fragment"


@net_type("System.Xml.XmlNodeList", interfaces=("Collections.IEnumerable",))
class XmlNodeList(NetObject):
    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("ItemOf[Int32] : Xml.XmlNode")
    def item_of(self, index: int) -> Any:
        return self.items[index] if 0 <= index < len(self.items) else None

    @method("Item(Int32) : Xml.XmlNode")
    def item(self, index: int) -> Any:
        return self.item_of(index)

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self.items)


class XPathNodeList(XmlNodeList):
    pass


net_type("System.Xml.XPath.XPathNodeList", base="System.Xml.XmlNodeList", kind="class", assembly="System.Xml")(
    XPathNodeList
)


@net_type("System.Xml.XmlNamedNodeMap", interfaces=("Collections.IEnumerable",))
class XmlNamedNodeMap(NetObject):
    def __init__(self, element: XmlElement) -> None:
        self.element = element

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.element.attribute_list))

    def __len__(self) -> int:
        return len(self.element.attribute_list)

    def __bool__(self) -> bool:
        return True

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.element.attribute_list)

    @method("Item(Int32) : Xml.XmlNode")
    def item(self, index: int) -> Any:
        items = self.element.attribute_list
        return items[index] if 0 <= index < len(items) else None

    @method("GetNamedItem(String) : Xml.XmlNode")
    def get_named_item(self, name: str) -> Any:
        return self.element.find_attribute(name)

    @method("RemoveNamedItem(String) : Xml.XmlNode")
    def remove_named_item(self, name: str) -> Any:
        found = self.element.find_attribute(name)
        if found is not None:
            self.element.attribute_list.remove(found)
            found.parent = None
        return found

    @method("SetNamedItem(Xml.XmlNode) : Xml.XmlNode")
    def set_named_item(self, node: Any) -> Any:
        self.element.set_attribute_node(node)
        return node

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(list(self.element.attribute_list))


@net_type("System.Xml.XmlAttributeCollection", interfaces=("Collections.ICollection",))
class XmlAttributeCollection(XmlNamedNodeMap):
    @indexer("ItemOf[Int32] : Xml.XmlAttribute")
    def item_of(self, index: int) -> Any:
        items = self.element.attribute_list
        if not 0 <= index < len(items):
            raise NetException("System.IndexOutOfRangeException", "The index being passed in is out of range.")
        return items[index]

    @indexer("ItemOf[String] : Xml.XmlAttribute")
    def item_named(self, name: str) -> Any:
        return self.element.find_attribute(name)

    @indexer("ItemOf[String,String] : Xml.XmlAttribute")
    def item_ns(self, name: str, uri: str) -> Any:
        return self.element.find_attribute(name, uri)

    @method("Append(Xml.XmlAttribute) : Xml.XmlAttribute")
    def append(self, node: XmlAttribute) -> XmlAttribute:
        self.element.set_attribute_node(node)
        return node

    @method("Prepend(Xml.XmlAttribute) : Xml.XmlAttribute")
    def prepend(self, node: XmlAttribute) -> XmlAttribute:
        self.element.set_attribute_node(node)
        self.element.attribute_list.insert(0, self.element.attribute_list.pop())
        return node

    @method("Remove(Xml.XmlAttribute) : Xml.XmlAttribute")
    def remove(self, node: XmlAttribute) -> Any:
        if node not in self.element.attribute_list:
            return None
        return self.element.remove_attribute_node(node)

    @method("RemoveAt(Int32) : Xml.XmlAttribute")
    def remove_at(self, index: int) -> Any:
        items = self.element.attribute_list
        return self.element.remove_attribute_node(items[index]) if 0 <= index < len(items) else None

    @method("RemoveAll() : Void")
    def remove_all(self) -> None:
        self.element.attribute_list = []

    @method("CopyTo(Xml.XmlAttribute[],Int32) : Void")
    def copy_to(self, target: Any, index: int) -> None:
        copy_array(PSArray(self.element.attribute_list), 0, target, index, len(self.element.attribute_list))


# ------------------------------------------------------------------------------------------------------------ XmlDocument


def in_scope(node: Any) -> dict[str, str]:
    """Namespace prefixes in scope at a node."""
    scope: dict[str, str] = {"xml": XML_NS}
    chain = [one for one in node.ancestors() if one.kind == ELEMENT][::-1]
    if node.kind == ELEMENT:
        chain.append(node)
    for element in chain:
        for item in element.attribute_list:
            if item.qualified == "xmlns":
                scope[""] = item.text or ""
            elif item.qualified.startswith("xmlns:"):
                scope[item.local] = item.text or ""
        head, colon, _ = element.qualified.partition(":")
        scope.setdefault(head if colon else "", element.namespace)
    return scope


def attribute_namespace(name: str, element: Any) -> str:
    head, colon, _ = name.partition(":")
    if name == "xmlns" or head == "xmlns":
        return XMLNS_NS
    return in_scope(element).get(head, "") if colon else ""


@net_type("System.Xml.XmlDocument")
class XmlDocument(XmlNode):
    kind = DOCUMENT
    node_name = "#document"

    def __init__(self) -> None:
        super().__init__(None)
        self.document = self
        self.preserve = False

    @staticmethod
    def default() -> XmlDocument:
        return XmlDocument()

    def copy(self, deep: bool, document: Any) -> Any:
        made = XmlDocument()
        made.preserve = self.preserve
        if deep:
            for child in self.children:
                made.append(child.copy(True, made))
        return made

    @property
    def root(self) -> Any:
        return next((child for child in self.children if child.kind == ELEMENT), None)

    def load_text(self, text: str) -> None:
        nodes = parse_text(text, self.preserve, self)
        for child in self.children:
            child.parent = None
        self.children = []
        for node in nodes:
            self.append(node)

    @ctor("()")
    @ctor("(Xml.XmlNameTable)")
    def new(self, table: Any = None) -> None:
        self.__init__()

    @prop("DocumentElement : Xml.XmlElement get")
    def document_element(self) -> Any:
        return self.root

    @prop("PreserveWhitespace : Boolean")
    def preserve_whitespace(self) -> bool:
        return self.preserve

    @preserve_whitespace.setter
    def preserve_whitespace(self, value: bool) -> None:
        self.preserve = value

    @prop("NameTable : Xml.XmlNameTable get")
    def name_table(self) -> NameTable:
        return NameTable()

    @prop("XmlResolver : Xml.XmlResolver")
    def xml_resolver(self) -> Any:
        return None

    @xml_resolver.setter
    def xml_resolver(self, value: Any) -> None:
        if value is not None:
            raise LabUnsupported("XmlResolver")

    @prop("DocumentType : Xml.XmlDocumentType get")
    def document_type(self) -> Any:
        return next((child for child in self.children if child.kind == DOCTYPE), None)

    @method("LoadXml(String) : Void")
    def load_xml(self, text: str) -> None:
        self.load_text(need(text, "xml"))

    @method("Load(String) : Void")
    def load(self, path: str) -> None:
        if re.match(r"https?://", need(path, "filename")):
            raise LabUnsupported("XmlDocument.Load from a URL")
        stream = FileStream(path[8:].replace("/", "\\") if path.startswith("file:///") else path)
        try:
            self.load_text(decode_xml(stream.read_all()))
        finally:
            stream.close()

    @method("Load(IO.Stream) : Void")
    def load_stream(self, stream: Stream) -> None:
        self.load_text(decode_xml(need(stream, "inStream").read_all()))

    @method("Load(IO.TextReader) : Void")
    def load_reader(self, reader: TextReader) -> None:
        self.load_text(need(reader, "txtReader").read_to_end())

    def _encoding(self) -> Encoding | None:
        declaration = self.children[0] if self.children and self.children[0].kind == DECLARATION else None
        if declaration is None or not declaration.encoding_name:
            return None
        page = _NAMES.get(declaration.encoding_name.lower())
        if page is None:
            raise argument(f"'{declaration.encoding_name}' is not a supported encoding name.")
        return make_encoding(page)

    @method("Save(String) : Void")
    def save(self, path: str) -> None:
        self._check_root()
        stream = FileStream(path, 2, 2, 1)
        try:
            self.save_stream(stream)
        finally:
            stream.close()

    def _check_root(self) -> None:
        if self.root is None:
            raise xml_error("Invalid XML document. The document does not have a root element.")

    @method("Save(IO.Stream) : Void")
    def save_stream(self, stream: Stream) -> None:
        writer = Writer(
            EncodedSink(need(stream, "outStream"), self._encoding() or make_encoding(65001, False)),
            indent=not self.preserve,
        )
        write_node(self, writer, top=False)
        writer.sink.flush()

    @method("Save(IO.TextWriter) : Void")
    def save_writer(self, target: TextWriter) -> None:
        self._save(
            Writer(TextSink(need(target, "writer")), indent=not self.preserve, omit_declaration=False),
            target.get_encoding.header_name,
        )

    @method("Save(Xml.XmlWriter) : Void")
    def save_xml_writer(self, writer: Any) -> None:
        self._save(writer.core, None)

    def _save(self, core: Writer, encoding: str | None) -> None:
        nodes = list(self.children)
        if core.fresh and not core.omit_declaration:
            standalone = ""
            if nodes and nodes[0].kind == DECLARATION:
                standalone = nodes.pop(0).standalone_text
            core.declaration(encoding or core.encoding_name, standalone)
        for node in nodes:
            if node.kind != DECLARATION or not core.omit_declaration:
                write_node(node, core, top=False)
        core.sink.flush()

    @overloads("System.Xml.XmlDocument", "CreateElement")
    def create_element(self, *parts: str) -> XmlElement:
        if len(parts) == 3:
            qualified, uri = (f"{parts[0]}:{parts[1]}" if parts[0] else parts[1]), parts[2]
        else:
            qualified, uri = parts[0], parts[1] if len(parts) > 1 else ""
        return XmlElement(self, check_name(qualified), uri or "")

    @overloads("System.Xml.XmlDocument", "CreateAttribute")
    def create_attribute(self, *parts: str) -> XmlAttribute:
        if len(parts) == 3:
            qualified, uri = (f"{parts[0]}:{parts[1]}" if parts[0] else parts[1]), parts[2]
        else:
            qualified, uri = parts[0], parts[1] if len(parts) > 1 else ""
        if not uri and (qualified == "xmlns" or qualified.startswith("xmlns:")):
            uri = XMLNS_NS
        return XmlAttribute(self, check_name(qualified), uri or "")

    @method("CreateTextNode(String) : Xml.XmlText")
    def create_text_node(self, text: str | None) -> XmlText:
        return XmlText(self, text or "")

    @method("CreateCDataSection(String) : Xml.XmlCDataSection")
    def create_cdata_section(self, text: str | None) -> XmlCDataSection:
        return XmlCDataSection(self, text or "")

    @method("CreateComment(String) : Xml.XmlComment")
    def create_comment(self, text: str | None) -> XmlComment:
        return XmlComment(self, text or "")

    @method("CreateWhitespace(String) : Xml.XmlWhitespace")
    def create_whitespace(self, text: str) -> XmlWhitespace:
        if text.strip(_SPACE):
            raise argument("The string for white space contains an invalid character.")
        return XmlWhitespace(self, text)

    @method("CreateSignificantWhitespace(String) : Xml.XmlSignificantWhitespace")
    def create_significant_whitespace(self, text: str) -> XmlSignificantWhitespace:
        return XmlSignificantWhitespace(self, text)

    @method("CreateProcessingInstruction(String,String) : Xml.XmlProcessingInstruction")
    def create_processing_instruction(self, target: str, data: str) -> XmlProcessingInstruction:
        return XmlProcessingInstruction(self, target, data or "")

    @method("CreateXmlDeclaration(String,String,String) : Xml.XmlDeclaration")
    def create_xml_declaration(self, version: str, encoding: str | None, standalone: str | None) -> XmlDeclaration:
        if version != "1.0":
            raise argument(
                "Wrong XML version information. The XML must match production \"VersionNum ::= '1.' [0-9]+\"."
            )
        return XmlDeclaration(self, version, encoding or "", standalone or "")

    @method("CreateDocumentFragment() : Xml.XmlDocumentFragment")
    def create_document_fragment(self) -> XmlDocumentFragment:
        return XmlDocumentFragment(self)

    @method("CreateNode(Xml.XmlNodeType,String,String) : Xml.XmlNode")
    def create_node(self, kind: EnumValue, name: str, uri: str | None) -> Any:
        if kind.value == ELEMENT:
            return XmlElement(self, check_name(name), uri or "")
        if kind.value == ATTRIBUTE:
            return XmlAttribute(self, check_name(name), uri or "")
        makers: dict[int, Callable[..., Any]] = {
            TEXT: XmlText,
            CDATA: XmlCDataSection,
            COMMENT: XmlComment,
            WHITESPACE: XmlWhitespace,
        }
        if kind.value in makers:
            return makers[kind.value](self, "")
        raise argument("Cannot create node of type " + kind.name + ".")

    @method("CreateNode(String,String,String) : Xml.XmlNode")
    def create_node_named(self, kind: str, name: str, uri: str | None) -> Any:
        number = {
            "element": ELEMENT,
            "attribute": ATTRIBUTE,
            "text": TEXT,
            "cdatasection": CDATA,
            "comment": COMMENT,
        }.get(kind)
        if number is None:
            raise argument(f"'{kind}' does not represent any 'XmlNodeType'.")
        return self.create_node(get_type("System.Xml.XmlNodeType").enum(number), name, uri)

    @method("ImportNode(Xml.XmlNode,Boolean) : Xml.XmlNode")
    def import_node(self, node: Any, deep: bool) -> Any:
        if need(node, "node").kind == DOCUMENT:
            raise invalid_operation("Cannot import nodes of type 'Document'.")
        return node.copy(deep, self)

    @method("GetElementsByTagName(String) : Xml.XmlNodeList")
    def get_elements_by_tag_name(self, name: str) -> XmlNodeList:
        return XmlNodeList([node for node in self.walk() if node.kind == ELEMENT and name in (node.node_name, "*")])

    @method("GetElementById(String) : Xml.XmlElement")
    def get_element_by_id(self, name: str) -> Any:
        return None  # without a DTD no attribute is an ID


@net_type("System.Xml.XmlNameTable")
class NameTable(NetObject):
    @method("Add(String) : String")
    def add(self, name: str) -> str:
        return name

    @method("Get(String) : String")
    def get(self, name: str) -> str:
        return name


@net_type("System.Xml.NameTable", base="System.Xml.XmlNameTable")
class OwnNameTable(NameTable):
    @ctor("()")
    def new(self) -> None:
        pass


@net_type("System.Xml.XmlNamespaceManager", interfaces=("Collections.IEnumerable",))
class XmlNamespaceManager(NetObject):
    def __init__(self) -> None:
        self.scopes: list[dict[str, str]] = [{}]

    def __iter__(self) -> Iterator[Any]:
        yield from ["xml", "xmlns", *self.all()]

    def all(self) -> dict[str, str]:
        merged: dict[str, str] = {}
        for scope in self.scopes:
            merged.update(scope)
        return merged

    @ctor("(Xml.XmlNameTable)")
    def new(self, table: Any) -> None:
        self.__init__()

    @prop("DefaultNamespace : String get")
    def default_namespace(self) -> str:
        return self.all().get("", "")

    @prop("NameTable : Xml.XmlNameTable get")
    def name_table(self) -> NameTable:
        return NameTable()

    @method("AddNamespace(String,String) : Void")
    def add_namespace(self, prefix: str, uri: str) -> None:
        need(prefix, "prefix")
        if prefix in ("xml", "xmlns"):
            raise argument(f'Prefix "{prefix}" is reserved for use by XML.')
        self.scopes[-1][prefix] = need(uri, "uri")

    @method("RemoveNamespace(String,String) : Void")
    def remove_namespace(self, prefix: str, uri: str) -> None:
        for scope in self.scopes:
            if scope.get(prefix) == uri:
                del scope[prefix]

    @method("HasNamespace(String) : Boolean")
    def has_namespace(self, prefix: str) -> bool:
        return prefix in self.scopes[-1]

    @method("LookupNamespace(String) : String")
    def lookup_namespace(self, prefix: str) -> str | None:
        return {"xml": XML_NS, "xmlns": XMLNS_NS, "": "", **self.all()}.get(prefix)

    @method("LookupPrefix(String) : String")
    def lookup_prefix(self, uri: str) -> str | None:
        return next((prefix for prefix, own in self.all().items() if own == uri), None)

    @method("PushScope() : Void")
    def push_scope(self) -> None:
        self.scopes.append({})

    @method("PopScope() : Boolean")
    def pop_scope(self) -> bool:
        if len(self.scopes) == 1:
            return False
        self.scopes.pop()
        return True

    @method("GetNamespacesInScope(Xml.XmlNamespaceScope) : Collections.Generic.IDictionary`2<String,String>")
    def get_namespaces_in_scope(self, scope: Any) -> Any:
        return generic_dictionary("System.String", "System.String", self.all().items())

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


# ------------------------------------------------------------------------------------------------------------ parsing


def decode_xml(data: bytes) -> str:
    """The text of an XML file by its byte order mark or declaration."""
    found = detect(data)
    if found is not None:
        return make_encoding(found[0]).decode(data[found[1] :])
    declared = re.match(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._\-]+)", data)
    name = declared.group(1).decode("ascii") if declared else "utf-8"
    page = _NAMES.get(name.lower())
    if page is None:
        raise xml_error(f"System does not support '{name}' encoding.", 1, 31)
    return make_encoding(page).decode(data)


class _Builder:
    """Builds nodes from expat's events."""

    def __init__(self, text: str, preserve: bool, document: Any) -> None:
        self.document = document
        self.preserve = preserve
        self.top: list[Any] = []
        self.stack: list[XmlElement] = []
        self.scopes: list[dict[str, str]] = [{"xml": XML_NS, "": ""}]
        self.starts: list[tuple[str, int, int]] = []
        self.space: list[bool] = [False]
        self.cdata: list[str] | None = None
        self.pending: list[str] = []
        self.seen_root = False
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.CommentHandler = lambda data: self.add(XmlComment(document, data))
        parser.ProcessingInstructionHandler = lambda target, data: self.add(
            XmlProcessingInstruction(document, target, data)
        )
        parser.XmlDeclHandler = self.declaration
        parser.StartCdataSectionHandler = self.start_cdata
        parser.EndCdataSectionHandler = self.end_cdata
        parser.StartDoctypeDeclHandler = lambda name, system, public, subset: self.add(
            XmlDocumentType(document, name, public, system, None)
        )
        self.parser = parser
        self.text = text

    def run(self) -> list[Any]:
        if not self.text.strip(_SPACE):
            raise xml_error("Root element is missing.")
        try:
            self.parser.Parse(self.text.encode("utf-8", "surrogatepass"), True)
        except expat.ExpatError as error:
            raise self.failure(error) from None
        return self.top

    def failure(self, error: expat.ExpatError) -> NetException:
        line, column = error.lineno, error.offset + 1
        message = expat.ErrorString(error.code) or "not well-formed"
        if "mismatched tag" in message and self.starts:
            found = re.match(
                r"</?\s*([^\s>/]+)", self.text.splitlines()[line - 1][error.offset - 2 :] if error.offset >= 2 else ""
            )
            end = found.group(1) if found else "?"
            name, at_line, at_column = self.starts[-1]
            return xml_error(
                f"The '{name}' start tag on line {at_line} position {at_column} does not match the end tag of '{end}'.",
                line,
                column,
            )
        if "no element found" in message:
            if self.starts:
                name, at_line, at_column = self.starts[-1]
                return xml_error(
                    f"Unexpected end of file has occurred. The following elements are not closed: {', '.join(n for n, _, _ in reversed(self.starts))}.",
                    line,
                    column,
                )
            return xml_error("Root element is missing.")
        if "duplicate attribute" in message:
            return xml_error("Duplicate attribute name.", line, column)
        if "undefined entity" in message:
            return xml_error("Reference to undeclared entity.", line, column)
        if "junk after document element" in message:
            return xml_error("There are multiple root elements.", line, column)
        if "XML or text declaration not at start" in message:
            return xml_error(
                "Unexpected XML declaration. The XML declaration must be the first node in the document, and no white space characters are "
                "allowed to appear before it.",
                line,
                column,
            )
        if not self.seen_root:
            return xml_error("Data at the root level is invalid.", line, column)
        return xml_error("An error occurred while parsing: " + message + ".", line, column)

    def add(self, node: Any) -> None:
        self.flush()
        if self.stack:
            self.stack[-1].append(node)
        else:
            self.top.append(node)

    def flush(self) -> None:
        if not self.pending:
            return
        text = "".join(self.pending)
        self.pending = []
        if text.strip(_SPACE):
            if self.stack:
                self.stack[-1].append(XmlText(self.document, text))
            return
        if self.space[-1] and self.stack:
            self.stack[-1].append(XmlSignificantWhitespace(self.document, text))
        elif self.preserve:
            node = XmlWhitespace(self.document, text)
            if self.stack:
                self.stack[-1].append(node)
            else:
                self.top.append(node)

    def declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self.add(XmlDeclaration(self.document, version, encoding or "", {1: "yes", 0: "no"}.get(standalone, "")))

    def start(self, name: str, attributes: list[str]) -> None:
        self.flush()
        self.seen_root = True
        scope = self.scopes[-1]
        pairs = list(zip(attributes[::2], attributes[1::2], strict=True))
        own = {key: value for key, value in pairs if key == "xmlns" or key.startswith("xmlns:")}
        if own:
            scope = dict(scope)
            for key, value in own.items():
                scope[key[6:] if key != "xmlns" else ""] = value
        self.scopes.append(scope)
        element = XmlElement(self.document, name, self.resolve(name, scope, True))
        for key, value in pairs:
            uri = XMLNS_NS if key in own else self.resolve(key, scope, False)
            item = XmlAttribute(self.document, key, uri, value)
            item.parent = element
            element.attribute_list.append(item)
        space = dict(pairs).get("xml:space")
        self.space.append(self.space[-1] if space is None else space == "preserve")
        if self.stack:
            self.stack[-1].append(element)
        else:
            self.top.append(element)
        self.stack.append(element)
        position = self.parser.CurrentByteIndex
        element_end = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 2
        self.starts.append((name, *element_end))
        raw = (
            self.text.encode("utf-8", "surrogatepass")[position : position + 65536] if len(self.text) < 1 << 16 else b""
        )
        close = _tag_end(raw)
        element.empty = close > 0 and raw[close - 1 : close] == b"/"

    def resolve(self, name: str, scope: dict[str, str], element: bool) -> str:
        head, colon, _ = name.partition(":")
        if not colon:
            return scope.get("", "") if element else ""
        if head not in scope:
            raise xml_error(
                f"'{head}' is an undeclared prefix.", self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 2
            )
        return scope[head]

    def end(self, name: str) -> None:
        self.flush()
        element = self.stack.pop()
        if not element.children and len(self.text) >= 1 << 16:
            element.empty = True
        self.scopes.pop()
        self.space.pop()
        self.starts.pop()

    def characters(self, data: str) -> None:
        if self.cdata is not None:
            self.cdata.append(data)
        else:
            self.pending.append(data)

    def start_cdata(self) -> None:
        self.flush()
        self.cdata = []

    def end_cdata(self) -> None:
        text = "".join(self.cdata or [])
        self.cdata = None
        self.add(XmlCDataSection(self.document, text))


def _tag_end(raw: bytes) -> int:
    """Where the `>` of the start tag at the beginning of `raw` stands."""
    quote = 0
    for index, byte in enumerate(raw):
        if quote:
            if byte == quote:
                quote = 0
        elif byte in b"\"'":
            quote = byte
        elif byte == 62:
            return index
    return -1


def parse_text(text: str, preserve: bool, document: Any) -> list[Any]:
    """The top-level nodes of an XML text; XmlException when it is not well-formed."""
    return _Builder(text.lstrip("\ufeff"), preserve, document).run()


# ------------------------------------------------------------------------------------------------------------ XPath


def select(node: Any, path: str, manager: Any) -> list[Any]:
    """XPath 1.0 from a node, in document order."""
    from lxml import etree

    document = node if node.kind == DOCUMENT else node.document
    top = node
    while top.parent is not None:
        top = top.parent
    mapping: dict[Any, Any] = {}
    back: dict[int, Any] = {}
    root_node = top.root if top.kind == DOCUMENT else top if top.kind == ELEMENT else None
    if top.kind == FRAGMENT or (root_node is None and top.kind != DOCUMENT):
        raise LabUnsupported("XPath on a node outside of a document")
    if root_node is None:
        return []
    root = _to_lxml(root_node, None, mapping, back, etree)
    if top.kind == DOCUMENT:
        seen = False
        for child in top.children:
            if child is root_node:
                seen = True
            elif child.kind == COMMENT:
                made = etree.Comment(child.text)
                (root.addnext if seen else root.addprevious)(made)
                back[id(made)] = child
                mapping[child] = made
    start: Any = root.getroottree() if node is top and node.kind == DOCUMENT else mapping.get(node)
    attribute = None
    if node.kind == ATTRIBUTE:
        start, attribute = mapping.get(node.parent), node
    if node.kind in (TEXT, CDATA):
        start = mapping.get(node.parent)
        path = f"text()/{path}" if not path.startswith("/") else path
    namespaces = {
        prefix: uri for prefix, uri in (manager.all() if manager is not None else {}).items() if prefix and uri
    }
    if attribute is not None and path in (".", "self::node()"):
        return [attribute]
    try:
        evaluator = etree.XPath(path, namespaces=namespaces or None)
        found = evaluator(start)
    except etree.XPathError as error:
        text = str(error)
        if "Undefined namespace prefix" in text:
            raise _xpath_error(
                "Namespace Manager or XsltContext needed. This query has a prefix, variable, or user-defined function."
            ) from None
        raise _xpath_error(f"'{path}' has an invalid token.") from None
    if not isinstance(found, list):
        raise _xpath_error("Expression must evaluate to a node-set.")
    del document
    results: list[Any] = []
    for item in found:
        mapped = _from_lxml(item, back, top, etree)
        if mapped is not None and not any(mapped is one for one in results):
            results.append(mapped)
    return results


def _xpath_error(message: str) -> NetException:
    return NetException("System.Xml.XPath.XPathException", message)


def _to_lxml(node: Any, parent: Any, mapping: dict[Any, Any], back: dict[int, Any], etree: Any) -> Any:
    tag = f"{{{node.namespace}}}{node.local}" if node.namespace else node.local
    scope = {
        (item.local if item.qualified != "xmlns" else None): item.text
        for item in node.attribute_list
        if item.namespace == XMLNS_NS and item.text
    }
    made = (
        etree.Element(tag, nsmap=scope or None)
        if parent is None
        else etree.SubElement(parent, tag, nsmap=scope or None)
    )
    mapping[node] = made
    back[id(made)] = node
    for item in node.attribute_list:
        if item.namespace != XMLNS_NS:
            made.set(f"{{{item.namespace}}}{item.local}" if item.namespace else item.local, item.text or "")
    last = None
    for child in node.children:
        if child.kind == ELEMENT:
            last = _to_lxml(child, made, mapping, back, etree)
        elif child.kind in (COMMENT, PI):
            last = (
                etree.Comment(child.text)
                if child.kind == COMMENT
                else etree.ProcessingInstruction(child.node_name, child.text)
            )
            made.append(last)
            mapping[child] = last
            back[id(last)] = child
        elif child.kind in (TEXT, CDATA, WHITESPACE, SIGNIFICANT_WHITESPACE):
            if last is None:
                made.text = (made.text or "") + (child.text or "")
            else:
                last.tail = (last.tail or "") + (child.text or "")
    return made


def _from_lxml(item: Any, back: dict[int, Any], top: Any, etree: Any) -> Any:
    if isinstance(item, str):
        parent = item.getparent()  # type: ignore[attr-defined]
        own = back.get(id(parent))
        if getattr(item, "is_attribute", False):
            name = item.attrname  # type: ignore[attr-defined]
            uri, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
            return own.find_attribute(local, uri) if own is not None else None
        if own is None:
            return None
        if getattr(item, "is_tail", False):
            siblings = own.parent.children
            index = own.parent.position(own) + 1
        else:
            siblings, index = own.children, 0
        for node in siblings[index:]:
            if node.kind in (TEXT, CDATA, WHITESPACE, SIGNIFICANT_WHITESPACE):
                return node
            return None
        return None
    if isinstance(item, etree._Element):
        return back.get(id(item))
    if isinstance(item, etree._ElementTree):
        return top
    if isinstance(item, tuple):
        return None
    return top


# ------------------------------------------------------------------------------------------------------------ writing


class StringSink:
    def __init__(self) -> None:
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def write(self, text: str) -> None:
        self.parts.append(text)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class TextSink:
    def __init__(self, writer: TextWriter) -> None:
        self.writer = writer

    def write(self, text: str) -> None:
        self.writer.put(text)

    def flush(self) -> None:
        self.writer.flush_text()

    def close(self) -> None:
        self.writer.close()


class EncodedSink(TextSink):
    def __init__(self, stream: Stream, encoding: Encoding) -> None:
        super().__init__(StreamWriter(stream, encoding, leave_open=True))


def escape_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_attribute(text: str, tabs: bool = False) -> str:
    text = escape_text(text).replace('"', "&quot;").replace("\r", "&#xD;").replace("\n", "&#xA;")
    return text.replace("\t", "&#x9;") if tabs else text


class Writer:
    """What XmlTextWriter and the writers of XmlWriter.Create share: a sink, indentation, open elements."""

    def __init__(
        self,
        sink: Any,
        indent: bool = False,
        indent_text: str = "  ",
        new_line: str = "\r\n",
        replace_lines: bool = False,
        omit_declaration: bool = True,
        encoding_name: str = "utf-16",
        end_empty: bool = True,
    ) -> None:
        self.sink = sink
        self.indent = indent
        self.indent_text = indent_text
        self.new_line = new_line
        self.replace_lines = replace_lines
        self.omit_declaration = omit_declaration
        self.encoding_name = encoding_name
        self.open: list[list[Any]] = []  # [qualified name, mixed, has children, start tag open, namespaces]
        self.fresh = True
        self.attribute: list[str] | None = None
        self.quote = '"'

    def _finish_start(self) -> None:
        if self.open and self.open[-1][3]:
            self.sink.write(">")
            self.open[-1][3] = False

    def _line(self, end: bool = False) -> None:
        if not self.indent:
            return
        if not self.open:
            if not self.fresh:
                self.sink.write(self.new_line)
        elif not self.open[-1][1]:
            depth = len(self.open) - (1 if end else 0)
            self.sink.write(self.new_line + self.indent_text * depth)

    def _child(self) -> None:
        self._finish_start()
        self._line()
        if self.open:
            self.open[-1][2] = True
        self.fresh = False

    def declaration(self, encoding: str | None, standalone: str = "") -> None:
        text = '<?xml version="1.0"'
        if encoding:
            text += f' encoding="{encoding}"'
        if standalone:
            text += f' standalone="{standalone}"'
        self.sink.write(text + "?>")
        self.fresh = False

    def start_element(self, qualified: str, uri: str | None = None) -> None:
        self._child()
        self.sink.write(f"<{qualified}")
        scope = dict(self.open[-1][4]) if self.open else {"": "", "xml": XML_NS}
        self.open.append([qualified, False, False, True, scope])
        head, colon, _ = qualified.partition(":")
        prefix = head if colon else ""
        if uri is not None and scope.get(prefix) != uri:
            self.write_attribute(f"xmlns:{prefix}" if prefix else "xmlns", uri)

    def write_attribute(self, qualified: str, value: str, tabs: bool = False) -> None:
        if not self.open or not self.open[-1][3]:
            raise invalid_operation("Token StartAttribute in state Content would result in an invalid XML document.")
        if qualified == "xmlns":
            self.open[-1][4][""] = value
        elif qualified.startswith("xmlns:"):
            self.open[-1][4][qualified[6:]] = value
        self.sink.write(f' {qualified}="{escape_attribute(value, self.replace_lines)}"')

    def end_element(self, full: bool = False) -> None:
        if not self.open:
            raise invalid_operation("There was no XML start tag open.")
        name, mixed, has_children, is_open, _ = self.open[-1]
        if is_open and not full:
            self.sink.write(" />")
        else:
            self._finish_start()
            if has_children and not mixed:
                self._line(end=True)
            self.sink.write(f"</{name}>")
        self.open.pop()

    def raw(self, text: str) -> None:
        self._finish_start()
        if self.open:
            self.open[-1][1] = True
        self.fresh = False
        self.sink.write(text)

    def string(self, text: str) -> None:
        if self.attribute is not None:
            self.attribute.append(text)
            return
        body = escape_text(text)
        if self.replace_lines:
            body = re.sub(r"\r\n|\r|\n", self.new_line, body)
        self.raw(body)

    def cdata(self, text: str) -> None:
        self.raw(f"<![CDATA[{text}]]>")

    def comment(self, text: str) -> None:
        self._child()
        self.sink.write(f"<!--{text}-->")

    def instruction(self, target: str, text: str) -> None:
        self._child()
        self.sink.write(f"<?{target} {text}?>" if text else f"<?{target}?>")

    def doctype(self, name: str, public: str | None, system: str | None, subset: str | None) -> None:
        self._child()
        text = f"<!DOCTYPE {name}"
        if public:
            text += f' PUBLIC "{public}" "{system or ""}"'
        elif system:
            text += f' SYSTEM "{system}"'
        if subset:
            text += f"[{subset}]"
        self.sink.write(text + ">")

    def close(self) -> None:
        while self.open:
            self.end_element()
        self.sink.flush()


def write_node(node: Any, writer: Writer, top: bool = True) -> None:
    """A node with all below it, as XmlNode.WriteTo writes it."""
    kind = node.kind
    if kind in (DOCUMENT, FRAGMENT):
        for child in node.children:
            write_node(child, writer)
    elif kind == ELEMENT:
        scope = writer.open[-1][4] if writer.open else {"": "", "xml": XML_NS}
        writer.start_element(node.qualified)
        own = {item.qualified for item in node.attribute_list}
        head, colon, _ = node.qualified.partition(":")
        prefix = head if colon else ""
        declared = f"xmlns:{prefix}" if prefix else "xmlns"
        if scope.get(prefix, "") != node.namespace and declared not in own:
            writer.write_attribute(declared, node.namespace)
        for item in node.attribute_list:
            if item.namespace and item.namespace not in (XMLNS_NS, XML_NS) and ":" in item.qualified:
                item_prefix = item.qualified.partition(":")[0]
                if writer.open[-1][4].get(item_prefix) != item.namespace and f"xmlns:{item_prefix}" not in own:
                    writer.write_attribute(f"xmlns:{item_prefix}", item.namespace)
            writer.write_attribute(item.qualified, item.text or "")
        for child in node.children:
            write_node(child, writer)
        writer.end_element(full=not node.children and not node.empty)
    elif kind == TEXT:
        writer.string(node.text or "")
    elif kind in (WHITESPACE, SIGNIFICANT_WHITESPACE):
        writer.raw(node.text or "")
    elif kind == CDATA:
        writer.cdata(node.text or "")
    elif kind == COMMENT:
        writer.comment(node.text or "")
    elif kind == PI:
        writer.instruction(node.node_name, node.text or "")
    elif kind == DECLARATION:
        writer._child()
        writer.sink.write(f"<?xml {node.text}?>")
    elif kind == DOCTYPE:
        writer.doctype(node.root_name, node.public, node.system, node.subset)
    elif kind == ATTRIBUTE:
        if writer.open:
            writer.write_attribute(node.qualified, node.text or "")
        else:
            writer.sink.write(f'{node.qualified}="{escape_attribute(node.text or "")}"')


_SETTINGS: tuple[tuple[str, str, Any], ...] = (
    ("Indent", "Boolean", False),
    ("IndentChars", "String", "  "),
    ("NewLineChars", "String", "\r\n"),
    ("NewLineOnAttributes", "Boolean", False),
    ("OmitXmlDeclaration", "Boolean", False),
    ("CloseOutput", "Boolean", False),
    ("CheckCharacters", "Boolean", True),
    ("Async", "Boolean", False),
    ("WriteEndDocumentOnClose", "Boolean", True),
)


def _setting(name: str, kind: str) -> Any:
    def read(self: Any) -> Any:
        return self.values[name]

    def write(self: Any, value: Any) -> None:
        if name == "NewLineOnAttributes" and value:
            raise LabUnsupported("XmlWriterSettings.NewLineOnAttributes")
        self.values[name] = value

    made: Any = prop(f"{name} : {kind}")(read).setter(write)
    return made


@net_type("System.Xml.XmlWriterSettings")
class XmlWriterSettings(NetObject):
    for _name, _kind, _ in _SETTINGS:
        locals()[f"setting_{_name}"] = _setting(_name, _kind)
    del _name, _kind, _

    def __init__(self) -> None:
        self.values: dict[str, Any] = {name: default for name, _, default in _SETTINGS}
        self.encoding_value: Encoding = make_encoding(65001)
        self.enums: dict[str, Any] = {}

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @prop("Encoding : Text.Encoding")
    def encoding(self) -> Encoding:
        return self.encoding_value

    @encoding.setter
    def encoding(self, value: Encoding) -> None:
        self.encoding_value = value

    @prop("ConformanceLevel : Xml.ConformanceLevel")
    def conformance_level(self) -> Any:
        return self.enums.get("ConformanceLevel", "Document")

    @conformance_level.setter
    def conformance_level(self, value: EnumValue) -> None:
        self.enums["ConformanceLevel"] = value

    @prop("NewLineHandling : Xml.NewLineHandling")
    def new_line_handling(self) -> Any:
        return self.enums.get("NewLineHandling", "Replace")

    @new_line_handling.setter
    def new_line_handling(self, value: EnumValue) -> None:
        self.enums["NewLineHandling"] = value


@net_type("System.Xml.XmlWriter", interfaces=("IDisposable",))
class XmlWriter(NetObject):
    """`core` does the writing."""

    core: Writer
    close_output = False
    started = False

    def setup(self, core: Writer) -> None:
        self.core = core
        self.pending_attribute: str | None = None
        self.started = False
        self.close_output = False

    @overloads("System.Xml.XmlWriter", "Create")
    def create(target: Any, settings: XmlWriterSettings | None = None) -> XmlWriter:
        options = settings or XmlWriterSettings()
        made = WellFormedWriter()
        close = bool(options.values["CloseOutput"])
        if isinstance(target, str):
            stream = FileStream(target, 2, 2, 1)
            sink: Any = TextSink(StreamWriter(stream, options.encoding_value))
            name, close = options.encoding_value.web_name, True
        elif isinstance(target, Stream):
            sink, name = EncodedSink(target, options.encoding_value), options.encoding_value.web_name
        elif isinstance(target, StringBuilder):
            sink, name = TextSink(StringWriter(target)), "utf-16"
        elif isinstance(target, TextWriter):
            sink, name = TextSink(target), target.get_encoding.web_name
        else:
            raise LabUnsupported("XmlWriter.Create over another XmlWriter")
        handling = options.new_line_handling
        replace = (handling if isinstance(handling, str) else handling.name) == "Replace"
        made.setup(
            Writer(
                sink,
                options.values["Indent"],
                options.values["IndentChars"],
                options.values["NewLineChars"],
                replace,
                options.values["OmitXmlDeclaration"],
                name,
            )
        )
        made.close_output = close
        return made

    def begin(self) -> None:
        """The declaration that writers of XmlWriter.Create put first by themselves."""
        if not self.started:
            self.started = True
            if isinstance(self, WellFormedWriter) and not self.core.omit_declaration and self.core.fresh:
                self.core.declaration(self.core.encoding_name)

    @method("WriteStartDocument() : Void")
    @method("WriteStartDocument(Boolean) : Void")
    def write_start_document(self, standalone: bool | None = None) -> None:
        if self.started:
            raise invalid_operation("WriteStartDocument needs to be the first call.")
        self.started = True
        if not self.core.omit_declaration or not isinstance(self, WellFormedWriter):
            self.core.declaration(self.core.encoding_name, {None: "", True: "yes", False: "no"}[standalone])

    @method("WriteEndDocument() : Void")
    def write_end_document(self) -> None:
        while self.core.open:
            self.core.end_element()

    def _qualified(self, prefix: str | None, name: str) -> str:
        return f"{prefix}:{name}" if prefix else name

    @method("WriteStartElement(String) : Void")
    def write_start_element(self, name: str) -> None:
        self.begin()
        self.core.start_element(check_name(name))

    @method("WriteStartElement(String,String) : Void")
    def write_start_element_ns(self, name: str, uri: str | None) -> None:
        self.begin()
        self.core.start_element(check_name(name), uri)

    @method("WriteStartElement(String,String,String) : Void")
    def write_start_element_prefix(self, prefix: str | None, name: str, uri: str | None) -> None:
        self.begin()
        self.core.start_element(self._qualified(prefix, check_name(name)), uri)

    @method("WriteEndElement() : Void")
    def write_end_element(self) -> None:
        self.core.end_element()

    @method("WriteFullEndElement() : Void")
    def write_full_end_element(self) -> None:
        self.core.end_element(full=True)

    @overloads("System.Xml.XmlWriter", "WriteElementString")
    def write_element_string(self, *parts: Any) -> None:
        self.begin()
        if len(parts) == 2:
            name, value, uri, prefix = parts[0], parts[1], None, None
        elif len(parts) == 3:
            name, uri, value, prefix = parts[0], parts[1], parts[2], None
        else:
            prefix, name, uri, value = parts
        self.core.start_element(self._qualified(prefix, check_name(name)), uri)
        if value:
            self.core.string(value)
        self.core.end_element()

    @overloads("System.Xml.XmlWriter", "WriteAttributeString")
    def write_attribute_string(self, *parts: Any) -> None:
        if len(parts) == 2:
            self.core.write_attribute(check_name(parts[0]), parts[1] or "")
            return
        prefix, name, uri, value = parts if len(parts) == 4 else (None, parts[0], parts[1], parts[2])
        if prefix == "xmlns" or (prefix is None and name == "xmlns"):
            self.core.write_attribute(self._qualified(prefix, name), value or "")
            return
        if uri and not prefix:
            scope = self.core.open[-1][4]
            prefix = next((key for key, own in scope.items() if own == uri and key), None)
            if prefix is None:
                prefix = f"d{len(self.core.open)}p1"
        if prefix and uri and self.core.open[-1][4].get(prefix) != uri:
            self.core.write_attribute(f"xmlns:{prefix}", uri)
        self.core.write_attribute(self._qualified(prefix, name), value or "")

    @overloads("System.Xml.XmlWriter", "WriteStartAttribute")
    def write_start_attribute(self, *parts: Any) -> None:
        name = parts[0] if len(parts) < 3 else self._qualified(parts[0], parts[1])
        self.pending_attribute = name
        self.core.attribute = []

    @method("WriteEndAttribute() : Void")
    def write_end_attribute(self) -> None:
        if self.pending_attribute is None:
            raise invalid_operation("Token EndAttribute in state Content would result in an invalid XML document.")
        text = "".join(self.core.attribute or [])
        self.core.attribute = None
        self.core.write_attribute(self.pending_attribute, text)
        self.pending_attribute = None

    @method("WriteString(String) : Void")
    def write_string(self, text: str | None) -> None:
        if text:
            self.core.string(text)

    @overloads("System.Xml.XmlWriter", "WriteValue")
    def write_value(self, value: Any) -> None:
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, float):
            text = net_string(value, "R", INVARIANT)
        elif hasattr(value, "utc_ticks"):
            text = net_string(value, "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", INVARIANT)
        else:
            text = net_string(value, None, INVARIANT)
        self.core.string(text)

    @method("WriteRaw(String) : Void")
    def write_raw(self, text: str) -> None:
        self.begin()
        self.core.raw(text)

    @method("WriteCData(String) : Void")
    def write_cdata(self, text: str | None) -> None:
        self.core.cdata(text or "")

    @method("WriteComment(String) : Void")
    def write_comment(self, text: str | None) -> None:
        self.begin()
        self.core.comment(text or "")

    @method("WriteWhitespace(String) : Void")
    def write_whitespace(self, text: str | None) -> None:
        self.core.raw(text or "")

    @method("WriteProcessingInstruction(String,String) : Void")
    def write_processing_instruction(self, name: str, text: str) -> None:
        if name.lower() != "xml":
            self.begin()
        else:
            self.started = True
        self.core.instruction(name, text)

    @method("WriteDocType(String,String,String,String) : Void")
    def write_doc_type(self, name: str, public: str | None, system: str | None, subset: str | None) -> None:
        self.begin()
        self.core.doctype(name, public, system, subset)

    @method("Flush() : Void")
    def flush(self) -> None:
        self.core._finish_start()
        self.core.sink.flush()

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.core.close()
        if self.close_output:
            self.core.sink.close()


class WellFormedWriter(XmlWriter):
    pass


net_type("System.Xml.XmlWellFormedWriter", base="System.Xml.XmlWriter", kind="class", assembly="System.Xml")(
    WellFormedWriter
)


@net_type("System.Xml.XmlTextWriter")
class XmlTextWriter(XmlWriter):
    def build(self, sink: Any, encoding: str | None, close: bool) -> None:
        self.setup(Writer(sink, omit_declaration=False, encoding_name=encoding or ""))
        self.close_output = close
        self.width, self.char = 2, " "

    @ctor("(IO.TextWriter)")
    def new_writer(self, target: TextWriter) -> None:
        self.build(TextSink(need(target, "w")), target.get_encoding.web_name, True)

    @ctor("(IO.Stream,Text.Encoding)")
    def new_stream(self, stream: Stream, encoding: Encoding | None) -> None:
        self.build(TextSink(StreamWriter(stream, encoding)), encoding.web_name if encoding else None, True)

    @ctor("(String,Text.Encoding)")
    def new_path(self, path: str, encoding: Encoding | None) -> None:
        self.build(
            TextSink(StreamWriter(FileStream(path, 2, 2, 1), encoding)), encoding.web_name if encoding else None, True
        )

    @prop("Formatting : Xml.Formatting")
    def formatting(self) -> int:
        return 1 if self.core.indent else 0

    @formatting.setter
    def formatting(self, value: EnumValue) -> None:
        self.core.indent = value.value == 1

    @prop("Indentation : Int32")
    def indentation(self) -> int:
        return self.width

    @indentation.setter
    def indentation(self, value: int) -> None:
        if value < 0:
            raise argument("Indentation value must be greater than 0.")
        self.width = value
        self.core.indent_text = self.char * value

    @prop("IndentChar : Char")
    def indent_char(self) -> Char:
        return Char(self.char)

    @indent_char.setter
    def indent_char(self, value: str) -> None:
        self.char = str(value)
        self.core.indent_text = self.char * self.width

    @prop("QuoteChar : Char")
    def quote_char(self) -> Char:
        return Char('"')


# ------------------------------------------------------------------------------------------------------------ casts


def to_document(value: Any, target: Any) -> Any:
    """`[xml]`: text becomes a document; PowerShell's error carries XmlException's text."""
    from winlab.powershell.runtime import conversion

    if isinstance(value, XmlDocument):
        return value
    if isinstance(value, PSArray):
        value = "\n".join(net_string(item) for item in value)
    if isinstance(value, XmlNode):
        made = XmlDocument()
        made.load_text(value.outer_xml)
        return made
    if not isinstance(value, str):
        value = net_string(value)
    made = XmlDocument()
    try:
        made.load_text(value)
    except NetException as error:
        raise conversion.cast_error(
            "InvalidCastToXmlDocument",
            f'Cannot convert value "{value}" to type "System.Xml.XmlDocument". Error: "{error.message}"',
            error,
        ) from None
    return made


def _register() -> None:
    from winlab.powershell.runtime import conversion

    conversion.register_converter("System.Xml.XmlDocument", to_document)


_register()
