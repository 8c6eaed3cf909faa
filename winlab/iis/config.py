r"""The configuration system of IIS: a hierarchy of files under a schema, with inheritance, locking and edits that leave a file's other text alone.

Levels, outermost first: the schema's defaults; applicationHost.config (with its `<location path="">`); for each part of `Site/app/dir` the location tags
for it in the files above and then the web.config of its folder. `ConfigStore.reader()` answers what is in effect for a path; `ConfigStore.session()` is what
one ServerManager sees: a snapshot that can be edited and committed.

Terms as in Microsoft's documentation: a section is stored *locally* when the file (and location) that is being edited holds it; it is *locked* when a file
above says so (overrideModeDefault, overrideMode of a location tag); locks never bind other parts of the same file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from winlab.iis.errors import (
    E_ALREADY_EXISTS,
    E_BAD_DATA,
    E_BAD_INDEX,
    E_FILE_NOT_FOUND,
    E_INVALID_ARGUMENT,
    E_LOCK_VIOLATION,
    E_NOT_SUPPORTED,
    E_SHARING_VIOLATION,
    LOCK_VIOLATION,
    SECTION_LOCKED,
    ConfigError,
    read_only_error,
)
from winlab.iis.schema import AttributeSchema, CollectionSchema, ElementSchema, Schema, Value
from winlab.iis.xmltext import XmlDocument, XmlElement, XmlError

CONFIG_DIR = r"C:\Windows\system32\inetsrv\config"
APPHOST = CONFIG_DIR + r"\applicationHost.config"
APPHOST_PATH = "MACHINE/WEBROOT/APPHOST"

_LOCK_ATTRIBUTES = ("lockAttributes", "lockElements", "lockAllAttributesExcept", "lockAllElementsExcept", "lockItem")
MODES = ("Inherit", "Allow", "Deny")


class Files(Protocol):
    """What the configuration system needs of a server's disk. Paths are absolute Windows paths."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, None when there is no such file. Raises ConfigError (0x80070005) when it may not be read."""

    def write(self, path: str, data: bytes) -> None:
        """Replaces the file in one step. Raises ConfigError when that is not possible."""

    def signature(self, path: str) -> object:
        """Something cheap that changes when the file does (None for no file)."""

    def expand(self, text: str) -> str:
        """Environment variables of the machine put in."""


class Secrets(Protocol):
    """Encryption of attributes that the schema marks as encrypted."""

    def encrypt(self, provider: str, text: str) -> str: ...

    def decrypt(self, stored: str) -> str: ...


class Runtime(Protocol):
    """What the running service knows: attributes and methods that the schema gives an `extension`."""

    def get(self, element: Element, name: str) -> Value: ...

    def items(self, element: Element) -> list[dict[str, Value]]: ...

    def invoke(self, element: Element, method: str, arguments: dict[str, Value]) -> dict[str, Value]: ...


# -- one file


class ConfigFile:
    """A configuration file as it was read, and as it is after edits in memory."""

    def __init__(self, path: str, data: bytes | None, failure: ConfigError | None = None):
        self.path = path
        self.original = data
        self._failure = failure
        self._document: XmlDocument | None = None

    @property
    def exists(self) -> bool:
        return self.original is not None or self._failure is not None

    @property
    def is_apphost(self) -> bool:
        return self.path.lower().endswith("\\applicationhost.config")

    @property
    def root(self) -> XmlElement:
        """The <configuration> element; an empty one where there is no file.

        Raises:
            ConfigError: the file cannot be read or is not well-formed.
        """
        if self._failure:
            raise self._failure
        if self._document is None:
            self._document = self._parse()
        return self._document.root

    def _parse(self) -> XmlDocument:
        if self.original is None:
            return XmlDocument.empty("configuration")
        try:
            document = XmlDocument.parse(self.original)
        except XmlError as error:
            self._failure = ConfigError(E_BAD_DATA, "Configuration file is not well-formed XML", self.path, error.line)
            raise self._failure from error
        if document.root.name != "configuration":
            text = f"Unrecognized element '{document.root.name}'"
            self._failure = ConfigError(E_BAD_DATA, text, self.path, document.root.line)
            raise self._failure
        return document

    def changed(self) -> bytes | None:
        """The bytes to be written, None when the file is as it was."""
        if self._document is None:
            return None
        if self.original is None and self._document.root.holds_nothing:
            return None
        data = self._document.to_bytes()
        return None if data == self.original else data

    def locations(self) -> list[XmlElement]:
        return [e for e in self.root.elements if e.name == "location"]


def location_path(element: XmlElement) -> str:
    """The path of a location tag; "." and "" both mean the file's own level."""
    path = (element.get("path") or "").strip("/")
    return "" if path == "." else path


def location_mode(element: XmlElement | None) -> str:
    if element is None or element.name != "location":
        return "Inherit"
    if (element.get("allowOverride") or "").lower() == "false":
        return "Deny"
    mode = element.get("overrideMode") or "Inherit"
    return next((m for m in MODES if m.lower() == mode.lower()), "Inherit")


def _find_in_groups(container: XmlElement, parts: list[str]) -> list[XmlElement]:
    found = [container]
    for part in parts:
        found = [child for element in found for child in element.elements if child.name == part]
    return found


# -- section declarations


@dataclass
class SectionDefinition:
    """A <section> of configSections."""

    path: str
    xml: XmlElement

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def override_mode_default(self) -> str:
        return self.xml.get("overrideModeDefault") or "Allow"

    @property
    def allow_definition(self) -> str:
        return self.xml.get("allowDefinition") or "Everywhere"

    @property
    def allow_location(self) -> bool:
        return (self.xml.get("allowLocation") or "true").lower() != "false"


@dataclass
class SectionGroup:
    """A <sectionGroup>, or the whole of configSections (name "")."""

    path: str
    xml: XmlElement | None
    groups: list[SectionGroup] = field(default_factory=list)
    sections: list[SectionDefinition] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def walk(self) -> Iterator[SectionDefinition]:
        yield from self.sections
        for group in self.groups:
            yield from group.walk()

    def group_paths(self) -> Iterator[str]:
        if self.path:
            yield self.path
        for group in self.groups:
            yield from group.group_paths()


def declared(file: ConfigFile) -> SectionGroup:
    """The declarations in a file's configSections."""
    return _declared(file.root.find("configSections"), "")


def _declared(xml: XmlElement | None, path: str) -> SectionGroup:
    group = SectionGroup(path, xml)
    for child in xml.elements if xml is not None else ():
        name = child.get("name") or ""
        inner = f"{path}/{name}" if path else name
        if child.name == "sectionGroup":
            group.groups.append(_declared(child, inner))
        elif child.name == "section":
            group.sections.append(SectionDefinition(inner, child))
    return group


class Declarations:
    """The section declarations in force at a level: those of the files from the machine down to it."""

    def __init__(self, files: list[ConfigFile]):
        self._sections: dict[str, SectionDefinition] = {}
        self._groups: set[str] = set()
        for file in files:
            group = declared(file)
            for definition in group.walk():
                if definition.path.lower() in self._sections:
                    text = f"There is a duplicate '{definition.path}' section defined"
                    raise ConfigError(E_ALREADY_EXISTS, text, file.path, definition.xml.line)
                self._sections[definition.path.lower()] = definition
            self._groups |= {p.lower() for p in group.group_paths()}

    def section(self, path: str) -> SectionDefinition | None:
        return self._sections.get(path.lower())

    def is_group(self, path: str) -> bool:
        return path.lower() in self._groups


# -- levels


@dataclass(frozen=True)
class Layer:
    """A place where a section can stand: a file's root (location None) or its location tags of one path."""

    file: ConfigFile
    location: str | None

    def find(self, section: str) -> tuple[XmlElement | None, str]:
        """The section's element here and the override mode of the location tag around it."""
        parts = section.split("/")
        if self.location is None:
            return self._single(_find_in_groups(self.file.root, parts), section), "Inherit"
        found: list[XmlElement] = []
        mode = "Inherit"
        for tag in self.file.locations():
            if location_path(tag).lower() == self.location.lower():
                inside = _find_in_groups(tag, parts)
                if inside:
                    found += inside
                    mode = location_mode(tag)
        return self._single(found, section), mode

    def _single(self, found: list[XmlElement], section: str) -> XmlElement | None:
        if len(found) > 1:
            raise ConfigError(
                E_ALREADY_EXISTS, f"There is a duplicate '{section}' section defined", self.file.path, found[1].line
            )
        return found[0] if found else None


@dataclass(frozen=True)
class Source:
    """An element above the one looked at, and the file it is in."""

    xml: XmlElement
    file: ConfigFile


# -- elements


class Element:
    """A configuration element as it is in effect at one level: what is set locally over what is inherited.

    Reading: `get(name)`, `child(name)`, `collection`, iteration over `collection`. Names of attributes are found without regard to case.
    Every refusal is a ConfigError.
    """

    def __init__(
        self, schema: ElementSchema, tag: str, section: Section | None, parent: Element | None, inherited: list[Source]
    ):
        self.schema = schema
        self.tag = tag
        self.parent = parent
        self.inherited = inherited
        self.container: Collection | None = None
        self._section = section
        self._own: XmlElement | None = None
        self._children: dict[str, Element] = {}
        self._collection: Collection | None = None
        self._default_elements: list[Element] | None = None
        self.runtime_values: dict[str, Value] | None = None

    # -- where it stands

    @property
    def section(self) -> Section:
        assert self._section is not None
        return self._section

    @property
    def own(self) -> XmlElement | None:
        """The element in the file (and location) being looked at, None when it has nothing there."""
        if self._own is not None or self.container is not None or self.parent is None:
            return self._own
        above = self.parent.own
        return above.find(self.tag) if above is not None else None

    @property
    def is_locally_stored(self) -> bool:
        if self.container is not None:
            return self._own is not None
        return self.section.file_is_root or self.own is not None

    @property
    def line(self) -> int:
        own = self.own
        if own is not None:
            return own.line
        if self.inherited:
            return self.inherited[0].xml.line
        return self.parent.line if self.parent is not None and self.container is None else 0

    def _make_own(self) -> XmlElement:
        """The element in the file, created where it is not there yet."""
        own = self.own
        if own is not None:
            return own
        if self.container is not None:
            return self.container._localise(self)
        assert self.parent is not None
        above = self.parent._make_own()
        element = XmlElement(self.tag)
        above.append(element)
        return element

    # -- attributes

    def attribute_schema(self, name: str) -> AttributeSchema:
        schema = self.schema.attribute(name)
        if schema is None:
            if self.schema.allow_unrecognized_attributes:
                return AttributeSchema(name, "string")
            raise ConfigError(E_BAD_DATA, f"Unrecognized attribute '{name}'", self.section.file.path, self.line)
        return schema

    def stored_text(self, name: str) -> str | None:
        """The text of an attribute where it is set: here, above, or in the defaults element of its collection."""
        own = self.own
        if own is not None and (text := own.get(name)) is not None:
            return text
        for source in self.inherited:
            if (text := source.xml.get(name)) is not None:
                return text
        for element in self.defaults:
            if element.schema.attribute(name) is not None and (text := element.stored_text(name)) is not None:
                return text
        return None

    def is_set(self, name: str) -> bool:
        """Whether a value other than the schema's default stands anywhere."""
        return self.stored_text(self.attribute_schema(name).name) is not None

    def get(self, name: str) -> Value:
        """The value in effect.

        Raises:
            ConfigError: 0x8007000D for an attribute that the schema does not know.
        """
        schema = self.attribute_schema(name)
        if self.runtime_values is not None:
            return self.runtime_values.get(schema.name, schema.default)
        if schema.dynamic:
            return self.section.store.runtime_value(self, schema)
        text = self.stored_text(schema.name)
        if text is None:
            return schema.default
        if schema.encrypted:
            return self.section.store.reveal(text)
        return schema.parse(text, validate=False)

    def __getitem__(self, name: str) -> Value:
        return self.get(name)

    def text(self, name: str) -> str:
        """The value in effect, as it is written in a file (enums by name)."""
        return self.attribute_schema(name).format(self.get(name))

    def expanded(self, name: str) -> str:
        """A string value with the machine's environment variables put in."""
        return self.section.store.files.expand(str(self.get(name)))

    def set(self, name: str, value: object) -> None:
        """Sets an attribute locally (in memory).

        Raises:
            ConfigError: unknown, of the wrong type, out of range, locked above, or the object is read only.
        """
        self.section.check_writable()
        schema = self.attribute_schema(name)
        checked = schema.check(value)
        if self._is_attribute_locked(schema.name):
            raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION)
        if schema.dynamic:
            raise ConfigError(E_NOT_SUPPORTED, "The request is not supported.", bare=True)
        text = schema.format(checked)
        if schema.encrypted:
            text = self.section.store.conceal(schema.encryption_provider, text)
        self._make_own().set(schema.name, text)

    def unset(self, name: str) -> None:
        """Takes the local value of an attribute away; the element stays even when that was its last attribute."""
        self.section.check_writable()
        schema = self.attribute_schema(name)
        own = self.own
        if own is not None:
            own.unset(schema.name)

    # -- children

    def child(self, name: str) -> Element:
        """A child element by name.

        Raises:
            ConfigError: the schema has no such child.
        """
        schema = self.schema.children.get(name) or next(
            (s for n, s in self.schema.children.items() if n.lower() == name.lower()), None
        )
        if schema is None:
            raise ConfigError(E_INVALID_ARGUMENT, f"Unrecognized element '{name}'", self.section.file.path, self.line)
        found = self._children.get(schema.name)
        if found is None:
            above = [Source(x, s.file) for s in self.inherited if (x := s.xml.find(schema.name)) is not None]
            found = self._children[schema.name] = Element(schema, schema.name, self._section, self, above)
        return found

    def children(self) -> list[Element]:
        return [self.child(name) for name in self.schema.children]

    @property
    def collection(self) -> Collection:
        """The element's collection.

        Raises:
            ConfigError: the element has none.
        """
        if self.schema.collection is None:
            raise ConfigError(E_INVALID_ARGUMENT, "The element does not have a collection", bare=True)
        if self._collection is None:
            self._collection = Collection(self, self.schema.collection)
        return self._collection

    @property
    def has_collection(self) -> bool:
        return self.schema.collection is not None

    @property
    def defaults(self) -> list[Element]:
        """Elements such as applicationPoolDefaults that give this one its defaults, nearest first."""
        if self._default_elements is None:
            self._default_elements = self._find_defaults()
        return self._default_elements

    def _find_defaults(self) -> list[Element]:
        if self.container is None:
            if self.parent is None or self.schema.is_collection_default:
                return []
            return [e.child(self.tag) for e in self.parent.defaults if self.tag in e.schema.children]
        name = self.container.schema.default_element
        found = []
        holder: Element | None = self.container.owner if name else None
        while holder is not None:
            if name in holder.schema.children:
                found.append(holder.child(name))
            holder = holder.parent if holder.container is None else holder.container.owner
        return found

    # -- locks

    def _is_attribute_locked(self, name: str) -> bool:
        return any(_locks_attribute(s.xml, name) for s in self.inherited if s.file is not self.section.file)

    def lock_list(self, name: str) -> list[str]:
        """Names in lockAttributes, lockElements, ... stored here or above."""
        names: list[str] = []
        own = self.own
        for xml in ([own] if own is not None else []) + [s.xml for s in self.inherited]:
            names += [n for n in _names(xml.get(name)) if n not in names]
        return names

    def set_lock_list(self, name: str, names: list[str]) -> None:
        self.section.check_writable()
        own = self._make_own()
        if names:
            own.set(name, ",".join(names))
        else:
            own.unset(name)

    @property
    def is_locked_item(self) -> bool:
        """lockItem on a collection item, or on an element as a whole, by a file above."""
        return any(_true(s.xml.get("lockItem")) for s in self.inherited if s.file is not self.section.file)

    def delete(self) -> None:
        """Removes what is set locally: of an item the item itself."""
        self.section.check_writable()
        if self.container is not None and self in self.container.items:
            self.container.remove(self)
            return
        own = self.own
        if own is not None and own.parent is not None:
            own.parent.remove(own)


def _names(text: str | None) -> list[str]:
    return [n.strip() for n in (text or "").split(",") if n.strip()]


def _true(text: str | None) -> bool:
    return (text or "").strip().lower() == "true"


def _locks(xml: XmlElement, listed: str, except_: str, name: str) -> bool:
    names = _names(xml.get(listed))
    if name in names or "*" in names:
        return True
    allowed = xml.get(except_)
    return allowed is not None and name not in _names(allowed)


def _locks_attribute(xml: XmlElement, name: str) -> bool:
    return _locks(xml, "lockAttributes", "lockAllAttributesExcept", name)


def _locks_element(xml: XmlElement, name: str) -> bool:
    return _locks(xml, "lockElements", "lockAllElementsExcept", name)


# -- collections


class Collection:
    """The items of an element's collection in effect, and its editing.

    Items of files above come first and own ones behind them, or the other way round where the schema says mergeAppend="false".
    """

    def __init__(self, owner: Element, schema: CollectionSchema):
        self.owner = owner
        self.schema = schema
        self._items: list[Element] | None = None

    @property
    def items(self) -> list[Element]:
        if self._items is None:
            self._items = self._runtime_items() if self._is_runtime else self._merge()
        return self._items

    @property
    def _is_runtime(self) -> bool:
        return self.owner.schema.dynamic or self.owner.runtime_values is not None

    def _runtime_items(self) -> list[Element]:
        result = []
        for values in self.owner.section.store.runtime_items(self.owner):
            item = self._item(None, [])
            item.runtime_values = values
            result.append(item)
        return result

    def __iter__(self) -> Iterator[Element]:
        return iter(list(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Element:
        return self.items[index]

    def find(self, **keys: Value) -> Element | None:
        """The first item whose attributes have the given values, compared as the schema compares keys."""
        for item in self.items:
            if all(item.attribute_schema(n).same(item.get(n), v) for n, v in keys.items()):
                return item
        return None

    # -- reading

    def _merge(self) -> list[Element]:
        items: list[Element] = []
        own = self.owner.own
        layers = list(reversed(self.owner.inherited))
        for source in layers:
            items = self._apply(items, source.xml, source.file, local=False)
        if own is not None:
            items = self._apply(items, own, self.owner.section.file, local=True)
        return items

    def _apply(self, items: list[Element], xml: XmlElement, file: ConfigFile, local: bool) -> list[Element]:
        schema = self.schema
        added: list[Element] = []
        for child in xml.elements:
            if schema.clear_name and child.name == schema.clear_name:
                self._check_unlocked(items, file, child.line)
                items, added = [], []
            elif schema.remove_name and child.name == schema.remove_name:
                match = self._with_key_of(child, items + added)
                if match is not None:
                    self._check_unlocked([match], file, child.line)
                    items = [i for i in items if i is not match]
                    added = [i for i in added if i is not match]
            elif child.name in schema.add_names:
                item = self._item(child, []) if local else self._item(None, [Source(child, file)], child.name)
                self._check_duplicate(item, items + added, file, child.line)
                added.append(item)
        return items + added if schema.merge_append else added + items

    def _item(self, own: XmlElement | None, inherited: list[Source], tag: str | None = None) -> Element:
        name = own.name if own is not None else tag or self.schema.item.name
        item = Element(self.schema.item, name, self.owner._section, self.owner, inherited)
        item.container = self
        item._own = own
        return item

    def _check_unlocked(self, items: list[Element], file: ConfigFile, line: int) -> None:
        for item in items:
            if any(_true(s.xml.get("lockItem")) and s.file is not file for s in item.inherited):
                raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, line)

    def _with_key_of(self, directive: XmlElement, items: list[Element]) -> Element | None:
        for item in items:
            if all(k.same(item.get(k.name), _value_of(directive, k)) for k in self.schema.keys):
                return item
        return None

    def _check_duplicate(self, item: Element, others: list[Element], file: ConfigFile | None, line: int | None) -> None:
        if self.schema.allow_duplicates:
            return
        for key in self.schema.unique_keys:
            value = item.get(key.name)
            if any(key.same(other.get(key.name), value) for other in others):
                text = (
                    f"Cannot add duplicate collection entry of type '{item.tag}' with unique key attribute "
                    f"'{key.name}' set to '{key.format(value)}'"
                )
                raise ConfigError(E_ALREADY_EXISTS, text, file.path if file else "", line)
        keys = self.schema.combined_keys
        if keys and any(all(k.same(o.get(k.name), item.get(k.name)) for k in keys) for o in others):
            text = (
                f"Cannot add duplicate collection entry of type '{item.tag}' with combined key attributes "
                f"'{', '.join(k.name for k in keys)}' respectively set to '{', '.join(item.text(k.name) for k in keys)}'"
            )
            raise ConfigError(E_ALREADY_EXISTS, text, file.path if file else "", line)

    # -- writing

    def create(self, tag: str | None = None) -> Element:
        """A new item, not yet part of the collection.

        Raises:
            ConfigError: the collection has no such add element.
        """
        name = tag or (self.schema.add_names[0] if self.schema.add_names else "")
        if name not in self.schema.add_names:
            raise ConfigError(
                E_INVALID_ARGUMENT, f"Unrecognized element '{name}'", self.owner.section.file.path, self.owner.line
            )
        return self._item(XmlElement(name), [])

    def add(self, item: Element, index: int | None = None) -> Element:
        """Puts a new item at an index, or at the end.

        Raises:
            ConfigError: required attributes missing, a duplicate, or locked.
        """
        self._check_writable()
        if index is not None and not 0 <= index <= len(self.items):
            raise ConfigError(E_BAD_INDEX, "Invalid index.", bare=True, cause="index")
        missing = [
            a.name for a in self.schema.item.attributes.values() if a.required and item.stored_text(a.name) is None
        ]
        if missing:
            text = f"Element is missing required attributes {','.join(missing)}"
            raise ConfigError(E_FILE_NOT_FOUND, text, "", None, cause="required")
        if any(item is other for other in self.items):
            raise ConfigError(E_ALREADY_EXISTS, "The element is already in the collection", bare=True)
        self._check_duplicate(item, self.items, None, None)
        at = len(self.items) if index is None else index
        self._place(item, at)
        self.items.insert(at, item)
        return item

    def remove(self, item: Element) -> None:
        """Takes an item out: an own one from the file, an inherited one by a remove directive.

        Raises:
            ConfigError: the item is locked above, or the collection knows no way to remove.
        """
        self._check_writable()
        if all(item is not other for other in self.items):
            raise ConfigError(E_FILE_NOT_FOUND, "Element not found in the collection", "", None)
        if item._own is not None:
            parent = item._own.parent
            assert parent is not None
            parent.remove(item._own)
            self._prune(parent)
        else:
            if item.is_locked_item:
                raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION)
            self._remove_inherited(item)
        self.items[:] = [i for i in self.items if i is not item]

    def remove_at(self, index: int) -> None:
        if not 0 <= index < len(self.items):
            raise ConfigError(E_BAD_INDEX, "Invalid index.", bare=True, cause="index")
        self.remove(self.items[index])

    def clear(self) -> None:
        """Removes all items; inherited ones by a clear directive.

        Raises:
            ConfigError: an inherited item is locked, or the schema has no clear element while there are inherited items.
        """
        self._check_writable()
        inherited = [i for i in self.items if i._own is None]
        if any(i.is_locked_item for i in inherited):
            raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION)
        if inherited and not self.schema.clear_name:
            raise ConfigError(E_NOT_SUPPORTED, "The request is not supported.", bare=True)
        own = self.owner.own
        if own is not None:
            self._drop_directives(own)
        if self.schema.clear_name:
            self.owner._make_own().insert_first(XmlElement(self.schema.clear_name))
        self.items.clear()

    def _check_writable(self) -> None:
        self.owner.section.check_writable(wrapped=True)

    def _drop_directives(self, own: XmlElement) -> None:
        names = {*self.schema.add_names, self.schema.remove_name, self.schema.clear_name}
        for child in [c for c in own.elements if c.name in names]:
            own.remove(child)

    def _place(self, item: Element, at: int) -> None:
        """Writes a new item so that it comes to stand at an index of the merged collection."""
        assert item._own is not None
        items = self.items
        first_own = next((n for n, i in enumerate(items) if i._own is not None), None)
        inherited = [n for n, i in enumerate(items) if i._own is None]
        reachable = (
            not inherited
            or (self.schema.merge_append and at > inherited[-1])
            or (not self.schema.merge_append and at <= inherited[0])
        )
        if not reachable:
            self._copy_inherited()
            first_own = 0
        own = self.owner._make_own()
        if first_own is None:
            self._append_item(own, item._own)
            return
        follower = next((i._own for i in items[at:] if i._own is not None), None)
        if follower is not None:
            own.insert_before(item._own, follower)
        else:
            self._append_item(own, item._own)

    def _append_item(self, own: XmlElement, new: XmlElement) -> None:
        """Behind the last directive of this collection, so that defaults elements and the like stay where they are."""
        names = {*self.schema.add_names, self.schema.remove_name, self.schema.clear_name}
        elements = own.elements
        last = max((n for n, e in enumerate(elements) if e.name in names), default=None)
        if last is None:
            defaults = next((e for e in elements if self._is_defaults(e)), None)
            if defaults is not None:
                own.insert_before(new, defaults)
                return
        if last is None or last == len(elements) - 1:
            own.append(new)
        else:
            own.insert_before(new, elements[last + 1])

    def _is_defaults(self, element: XmlElement) -> bool:
        child = self.owner.schema.children.get(element.name)
        return child is not None and child.is_collection_default

    def _copy_inherited(self) -> None:
        """Starts the own list anew with a clear directive and copies of what was inherited, as IIS does where an item cannot be put otherwise."""
        if not self.schema.clear_name or any(i.is_locked_item for i in self.items):
            raise ConfigError(E_LOCK_VIOLATION, SECTION_LOCKED)
        own = self.owner._make_own()
        copies = [(i, (i._own if i._own is not None else i.inherited[0].xml).copy()) for i in self.items]
        self._drop_directives(own)
        own.append(XmlElement(self.schema.clear_name))
        for item, copy in copies:
            self._append_item(own, copy)
            item._own = copy
            item.inherited = []
            item._children.clear()
            item._collection = None

    def _remove_inherited(self, item: Element) -> None:
        if not self.schema.remove_name or not self.schema.keys:
            # Without a remove element the list has to be started anew.
            self._copy_inherited()
            assert item._own is not None and item._own.parent is not None
            item._own.parent.remove(item._own)
            return
        directive = XmlElement(self.schema.remove_name)
        for key in self.schema.keys:
            directive.set(key.name, key.format(item.get(key.name)))
        own = self.owner._make_own()
        first_add = next((c for c in own.elements if c.name in self.schema.add_names), None)
        if first_add is not None:
            own.insert_before(directive, first_add)
        else:
            self._append_item(own, directive)

    def _localise(self, item: Element) -> XmlElement:
        """Makes an inherited item an own one, to be changed here: removed and added again."""
        if item.is_locked_item:
            raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION)
        if not item.inherited:
            raise ConfigError(E_NOT_SUPPORTED, "The request is not supported.", bare=True)
        source = item.inherited[0].xml
        can_remove = bool(self.schema.remove_name and self.schema.keys)
        if not can_remove:
            self._copy_inherited()
            assert item._own is not None
            return item._own
        self._remove_inherited(item)
        copy = source.copy()
        self._append_item(self.owner._make_own(), copy)
        item._own = copy
        item.inherited = []
        item._children.clear()
        item._collection = None
        return copy

    def _prune(self, xml: XmlElement) -> None:
        """An element that lost its last item and has nothing else goes as well."""
        while xml.holds_nothing and xml.parent is not None and xml.name not in ("configuration", "location"):
            above = xml.parent
            above.remove(xml)
            if xml is self.owner.section._own_here():
                return
            xml = above


def _value_of(xml: XmlElement, key: AttributeSchema) -> Value:
    text = xml.get(key.name)
    return key.default if text is None else key.parse(text, validate=False)


# -- sections


class Section(Element):
    """A section at one level: the file and location it is stored in, and what it inherits.

    Attributes:
        path: "system.webServer/handlers".
        override_mode: "Inherit", "Allow" or "Deny" as said by the location tag it is stored in.
        override_mode_effective: "Allow" or "Deny" for the levels below (for the level itself where it is a web.config).
        is_locked: a file above forbids the section here.
    """

    def __init__(
        self,
        configuration: Configuration,
        path: str,
        schema: ElementSchema,
        layers: list[Layer],
        definition: SectionDefinition,
    ):
        super().__init__(schema, path, None, None, [])
        self._section = self
        self.path = path
        self.configuration = configuration
        self.definition = definition
        self.layers = layers
        self.store = configuration.store
        self.file = layers[-1].file
        self.location = configuration.location_of(layers)
        self._load()

    @property
    def file_is_root(self) -> bool:
        return self.configuration.is_apphost

    @property
    def own(self) -> XmlElement | None:
        return self._own

    def _own_here(self) -> XmlElement | None:
        return self._own

    @property
    def is_locally_stored(self) -> bool:
        return self.file_is_root or self._own is not None or self._stored_for_exact_path

    def _load(self) -> None:
        """Walks the layers from the machine down, checking content and locks, and sets what is inherited and what is local."""
        effective = self.definition.override_mode_default
        locked_by: ConfigFile | None = None if effective == "Allow" else self.configuration.apphost_file
        host_only = self.definition.allow_definition in ("AppHostOnly", "MachineOnly")
        found: list[tuple[Source, str]] = []
        self._stored_for_exact_path = False
        self.inherited_mode = effective
        own_layers = self.configuration.own_layers(self.layers)
        for layer in self.layers:
            xml, mode = layer.find(self.path)
            if xml is None:
                continue
            locked = effective == "Deny" and locked_by is not None and self._binds(layer.file, locked_by)
            if locked or (host_only and not layer.file.is_apphost):
                raise ConfigError(E_LOCK_VIOLATION, SECTION_LOCKED, layer.file.path, xml.line)
            if mode != "Inherit":
                effective, locked_by = mode, layer.file
            above = [source for source, _ in reversed(found)]
            _validate(xml, self.schema, layer.file, above)
            found.append((Source(xml, layer.file), mode))
            if layer not in own_layers:
                self.inherited_mode = effective
                exact = layer.location is not None and layer.location.lower() == self.configuration.site_path.lower()
                self._stored_for_exact_path |= exact and not self.configuration.is_apphost
        locked = effective == "Deny" and locked_by is not None and self._binds(self.file, locked_by)
        self._locked = locked or (host_only and not self.file.is_apphost)
        if found and self._is_own(found[-1][0], own_layers):
            source, mode = found.pop()
            self._own, self.override_mode = source.xml, mode
        else:
            self.override_mode = "Inherit"
        self.inherited = [source for source, _ in reversed(found)]

    def _is_own(self, source: Source, own_layers: list[Layer]) -> bool:
        return any(layer.find(self.path)[0] is source.xml for layer in own_layers)

    def _binds(self, file: ConfigFile, locker: ConfigFile) -> bool:
        """A lock binds the files below the one that holds it."""
        return file is not locker and not self.configuration.is_apphost

    @property
    def override_mode_effective(self) -> str:
        return self.inherited_mode if self.override_mode == "Inherit" else self.override_mode

    @property
    def is_locked(self) -> bool:
        return self._locked

    def check_writable(self, wrapped: bool = False) -> None:
        """Refuses an edit of a locked section or of an object from before a commit."""
        if self.configuration.read_only:
            raise read_only_error()
        if self.is_locked:
            raise ConfigError(E_LOCK_VIOLATION, SECTION_LOCKED, "", None, bare=not wrapped)

    def _make_own(self) -> XmlElement:
        if self._own is None:
            self._own = XmlElement(self.path.rpartition("/")[2])
            container = _container(self.file.root, self.location, "Inherit")
            _group(container, self.path).append(self._own)
        return self._own

    def set_override_mode(self, mode: str) -> None:
        """Moves the section below a location tag with the mode ("Inherit" moves it out of one).

        Raises:
            ConfigError: locked above, or read only.
        """
        self.check_writable()
        if mode == self.override_mode:
            return
        xml = self._own if self._own is not None else XmlElement(self.path.rpartition("/")[2])
        if xml.parent is not None:
            above = xml.parent
            above.remove(xml)
            _drop_empty(above)
        location = self.location if mode == "Inherit" else self.location or ""
        _group(_container(self.file.root, location, mode), self.path).append(xml)
        self._own = xml
        self.override_mode = mode

    def revert_to_parent(self) -> None:
        """Removes everything that is set locally."""
        self.check_writable()
        if self._own is not None and self._own.parent is not None:
            above = self._own.parent
            above.remove(self._own)
            _drop_empty(above)
        self._own = None
        self.override_mode = "Inherit"
        self._children.clear()
        self._collection = None

    def validate(self) -> None:
        """Reads every collection, so that duplicates and locked items are met now and not later."""
        _visit_collections(self)


def _visit_collections(element: Element) -> None:
    if element.schema.dynamic:
        return
    if element.has_collection:
        for item in element.collection:
            _visit_collections(item)
    for child in element.children():
        _visit_collections(child)


def _container(root: XmlElement, location: str | None, mode: str) -> XmlElement:
    """The root itself, or the location tag of a path and mode, made at the end of the file where there is none."""
    if location is None:
        return root
    for tag in root.elements:
        if tag.name == "location" and location_path(tag).lower() == location.lower() and location_mode(tag) == mode:
            return tag
    tag = XmlElement("location")
    tag.set("path", location)
    if mode != "Inherit":
        tag.set("overrideMode", mode)
    root.append(tag)
    return tag


def _group(container: XmlElement, section: str) -> XmlElement:
    for part in section.split("/")[:-1]:
        groups = [e for e in container.elements if e.name == part]
        if not groups:
            groups = [XmlElement(part)]
            container.append(groups[0])
        container = groups[-1]
    return container


def _drop_empty(xml: XmlElement) -> None:
    """Section groups and location tags that were left empty by a move go too."""
    while xml.parent is not None and not xml.elements and (xml.holds_nothing or xml.name == "location"):
        above = xml.parent
        above.remove(xml)
        xml = above


# -- validation of a file's content


def _validate(xml: XmlElement, schema: ElementSchema, file: ConfigFile, above: list[Source]) -> None:
    """Checks one element of a file against the schema and the locks of other files above it."""
    foreign = [s for s in above if s.file is not file]
    if any(_true(s.xml.get("lockItem")) for s in foreign):
        raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, xml.line)
    _validate_attributes(xml, schema, file, schema.attributes.values(), foreign)
    for child in xml.elements:
        _validate_child(child, schema, file, above, foreign)


def _validate_attributes(
    xml: XmlElement, schema: ElementSchema, file: ConfigFile, known: Any, foreign: list[Source]
) -> None:
    present = dict(xml.attributes())
    known = {a.name: a for a in known}
    for name, text in present.items():
        attribute = known.get(name)
        if attribute is None:
            _check_other_attribute(name, text, xml, schema, file)
            continue
        if attribute.encrypted and text.startswith("[enc:"):
            continue
        try:
            attribute.parse(text)
        except ConfigError as error:
            sentence = f"The '{name}' attribute is invalid.  {error.text}\r\n"
            raise ConfigError(E_BAD_DATA, sentence, file.path, xml.line) from error
        if any(_locks_attribute(s.xml, name) for s in foreign):
            raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, xml.line)
    for attribute in known.values():
        if attribute.required and attribute.name not in present:
            raise ConfigError(E_BAD_DATA, f"Missing required attribute '{attribute.name}'", file.path, xml.line)


def _check_other_attribute(name: str, text: str, xml: XmlElement, schema: ElementSchema, file: ConfigFile) -> None:
    if name in ("lockAttributes", "lockAllAttributesExcept"):
        for listed in _names(text):
            if listed != "*" and listed not in schema.attributes:
                sentence = f"{name} contains unknown attribute '{listed}'"
                raise ConfigError(E_BAD_DATA, sentence, file.path, xml.line)
    elif name == "configSource" and not file.is_apphost:
        sentence = "The lab does not support the attribute 'configSource'"
        raise ConfigError(E_NOT_SUPPORTED, sentence, file.path, xml.line)
    elif name in _LOCK_ATTRIBUTES or name.startswith(("xmlns", "xdt:")):
        return
    elif not schema.allow_unrecognized_attributes:
        raise ConfigError(E_BAD_DATA, f"Unrecognized attribute '{name}'", file.path, xml.line)


def _validate_child(
    child: XmlElement, schema: ElementSchema, file: ConfigFile, above: list[Source], foreign: list[Source]
) -> None:
    if any(_locks_element(s.xml, child.name) for s in foreign):
        raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, child.line)
    collection = schema.collection
    if collection and child.name in collection.add_names:
        _validate(child, collection.item, file, [])
    elif collection and collection.remove_name and child.name == collection.remove_name:
        _validate_remove(child, collection, file)
    elif collection and collection.clear_name and child.name == collection.clear_name:
        for name, _ in child.attributes():
            raise ConfigError(E_BAD_DATA, f"Unrecognized attribute '{name}'", file.path, child.line)
    elif child.name in schema.children and not schema.children[child.name].dynamic:
        inner = [Source(x, s.file) for s in above if (x := s.xml.find(child.name)) is not None]
        _validate(child, schema.children[child.name], file, inner)
    else:
        raise ConfigError(E_BAD_DATA, f"Unrecognized element '{child.name}'", file.path, child.line)


def _validate_remove(child: XmlElement, collection: CollectionSchema, file: ConfigFile) -> None:
    keys = {k.name: k for k in collection.keys}
    for name, _ in child.attributes():
        if name not in keys:
            raise ConfigError(E_BAD_DATA, f"Unrecognized attribute '{name}'", file.path, child.line)
    for key in keys.values():
        if key.required and child.get(key.name) is None:
            raise ConfigError(E_BAD_DATA, f"Missing required attribute '{key.name}'", file.path, child.line)


def check_content(file: ConfigFile, declarations: Declarations, schema: Schema) -> None:
    """Looks at the section groups and sections that stand in a file, whatever they hold.

    Raises:
        ConfigError: 0x8007000D without a text for an element inside a known group that is not declared there; 0x80070032 for one outside any group.
    """
    for child in file.root.elements:
        if child.name == "configSections":
            continue
        if child.name == "location":
            for inner in child.elements:
                _check_known(inner, inner.name, file, declarations, schema)
        else:
            _check_known(child, child.name, file, declarations, schema)


def _check_known(xml: XmlElement, path: str, file: ConfigFile, declarations: Declarations, schema: Schema) -> None:
    if declarations.section(path) is not None:
        if schema.section(path) is None and not _is_dot_net(path):
            raise ConfigError(E_BAD_DATA, "", file.path)
        return
    if declarations.is_group(path):
        for child in xml.elements:
            _check_known(child, f"{path}/{child.name}", file, declarations, schema)
        return
    if _is_dot_net(path):
        return
    if "/" in path or file.is_apphost:
        raise ConfigError(E_BAD_DATA, "", file.path)
    text = f"The configuration section '{path}' cannot be read because it is missing a section declaration"
    raise ConfigError(E_NOT_SUPPORTED, text, file.path, xml.line)


def _is_dot_net(path: str) -> bool:
    """Sections that the .NET Framework's machine.config declares; the lab's servers keep none of their content."""
    top = path.split("/", maxsplit=1)[0]
    return top in _DOT_NET_SECTIONS


_DOT_NET_SECTIONS = frozenset(
    [
        "appSettings",
        "assemblyBinding",
        "connectionStrings",
        "mscorlib",
        "runtime",
        "startup",
        "system.codedom",
        "system.data",
        "system.data.dataset",
        "system.diagnostics",
        "system.net",
        "system.runtime.caching",
        "system.runtime.remoting",
        "system.runtime.serialization",
        "system.serviceModel",
        "system.serviceModel.activation",
        "system.transactions",
        "system.web",
        "system.web.extensions",
        "system.windows.forms",
        "system.xaml.hosting",
        "system.xml.serialization",
        "windows",
        "uri",
        "configProtectedData",
        "satelliteassemblies",
    ]
)


# -- configurations


class Configuration:
    """One level of the hierarchy, opened for editing: applicationHost.config, or the web.config of a path.

    Attributes:
        site, path: "" for applicationHost.config, otherwise the site's name and the path below it ("/", "/app/dir").
        read_only: True once a commit has gone through.
    """

    def __init__(self, session: Session, site: str = "", path: str = "/"):
        self.session = session
        self.store = session.store
        self.site = site
        self.path = path
        self.read_only = False
        self.is_apphost = not site
        self._sections: dict[tuple[str, str | None], Section] = {}
        self._file: ConfigFile | None = None

    @property
    def site_path(self) -> str:
        """`Site/app`, as a location tag of applicationHost.config names this level."""
        return "/".join([self.site, *_segments(self.path)])

    @property
    def apphost_file(self) -> ConfigFile:
        return self.session.apphost_file if self.is_apphost else self.session.snapshot(self.store.apphost)

    @property
    def file(self) -> ConfigFile:
        """The file that edits go to.

        Raises:
            ConfigError: the site does not exist or has no root application.
        """
        if self.is_apphost:
            return self.session.apphost_file
        if self._file is None:
            self._file = self.session.web_file(self.site, self.path)
        return self._file

    def section(self, path: str, location: str | None = None) -> Section:
        """A section, for this level or for a location below it.

        Raises:
            ConfigError: no such section or location, or the files in effect for it are not right.
        """
        path = path.strip("/")
        key = (path.lower(), None if location is None else location.strip("/").lower())
        found = self._sections.get(key)
        if found is None:
            found = self._sections[key] = self._open(path, location)
        return found

    def _open(self, path: str, location: str | None) -> Section:
        layers = self._layers(location)
        files: list[ConfigFile] = []
        for layer in layers:
            if layer.file not in files:
                files.append(layer.file)
        declarations = Declarations(files)
        for file in files:
            check_content(file, declarations, self.store.schema)
        definition = declarations.section(path)
        schema = self.store.schema.section(path)
        if definition is None:
            text = f"The configuration section '{path}' cannot be read because it is missing a section declaration"
            raise ConfigError(E_NOT_SUPPORTED, text, self.file.path)
        if schema is None:
            raise ConfigError(E_BAD_DATA, "", self.file.path)
        return Section(self, definition.path, schema, layers, definition)

    def _layers(self, location: str | None) -> list[Layer]:
        location = None if location is None else location.strip("/")
        if self.is_apphost:
            file = self.session.apphost_file
            layers = [Layer(file, None), Layer(file, "")]
            if location:
                self.session.require_site(file, location.split("/")[0])
                layers += [Layer(file, prefix) for prefix in _prefixes(location)]
            return layers
        layers = self.session.chain(self.site, self.path, self.file)
        if location:
            layers += [Layer(self.file, prefix) for prefix in _prefixes(location)]
        return layers

    def own_layers(self, layers: list[Layer]) -> list[Layer]:
        """The layers that edits go to: the last one, and for a file's own level both ways to write it."""
        last = layers[-1]
        if last.location == "":
            return [layer for layer in layers if layer.file is last.file and layer.location in (None, "")]
        return [last]

    def location_of(self, layers: list[Layer]) -> str | None:
        location = layers[-1].location
        return None if location == "" else location

    def sections(self) -> SectionGroup:
        """The declarations in the file of this level, for reading and editing."""
        return declared(self.file)

    def location_paths(self) -> list[str]:
        """Paths of the location tags in the file, in order, each once."""
        paths: list[str] = []
        for tag in self.file.locations():
            if location_path(tag) not in paths:
                paths.append(location_path(tag))
        return paths

    def remove_location(self, path: str) -> None:
        """Removes all location tags of a path. Raises ConfigError when read only."""
        self.check_writable()
        for tag in self.file.locations():
            if location_path(tag).lower() == path.strip("/").lower():
                self.file.root.remove(tag)
        self._sections.clear()

    def rename_location(self, path: str, new_path: str) -> None:
        self.check_writable()
        for tag in self.file.locations():
            if location_path(tag).lower() == path.strip("/").lower():
                tag.set("path", new_path)
        self._sections.clear()

    def check_writable(self) -> None:
        if self.read_only:
            raise read_only_error()

    def add_section_group(self, group_path: str, name: str) -> XmlElement:
        """Adds a <sectionGroup> to a group of configSections (or gives the one that is there)."""
        self.check_writable()
        return self._section_group(f"{group_path}/{name}")

    def add_section_definition(self, group_path: str, name: str) -> SectionDefinition:
        """Adds a <section> to a group of configSections, making the group where it is missing."""
        self.check_writable()
        holder = self._section_group(group_path)
        section = XmlElement("section")
        section.set("name", name)
        last = [e for e in holder.elements if e.name == "section"]
        after = holder.elements[holder.elements.index(last[-1]) + 1 :] if last else []
        if after:
            holder.insert_before(section, after[0])
        else:
            holder.append(section)
        self._sections.clear()
        return SectionDefinition(f"{group_path}/{name}".strip("/"), section)

    def _section_group(self, path: str) -> XmlElement:
        root = self.file.root
        holder = root.find("configSections")
        if holder is None:
            holder = XmlElement("configSections")
            root.insert_first(holder)
        for part in filter(None, path.split("/")):
            inner = next((e for e in holder.elements if e.name == "sectionGroup" and e.get("name") == part), None)
            if inner is None:
                inner = XmlElement("sectionGroup")
                inner.set("name", part)
                holder.append(inner)
            holder = inner
        return holder


def _segments(path: str) -> list[str]:
    return [s for s in path.split("/") if s]


def _prefixes(path: str) -> list[str]:
    parts = _segments(path)
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


# -- sessions


class Session:
    """What one ServerManager sees: the files as they were when first looked at, with the edits made since."""

    def __init__(self, store: ConfigStore):
        self.store = store
        self._data: dict[str, tuple[bytes | None, ConfigError | None]] = {}
        self._snapshots: dict[str, ConfigFile] = {}
        self._writable: dict[str, ConfigFile] = {}
        self._configurations: dict[tuple[str, str], Configuration] = {}
        self._after_commit: list[tuple[Element, str, dict[str, Value]]] = []

    # -- files

    def _load(self, path: str) -> ConfigFile:
        key = path.lower()
        if key not in self._data:
            try:
                self._data[key] = (self.store.files.read(path), None)
            except ConfigError as error:
                self._data[key] = (None, error)
        data, failure = self._data[key]
        return ConfigFile(path, data, failure)

    def snapshot(self, path: str) -> ConfigFile:
        """A file as it was on disk."""
        key = path.lower()
        if key not in self._snapshots:
            self._snapshots[key] = self._load(path)
        return self._snapshots[key]

    def writable(self, path: str) -> ConfigFile:
        key = path.lower()
        if key not in self._writable:
            self._writable[key] = self._load(path)
        return self._writable[key]

    @property
    def apphost_file(self) -> ConfigFile:
        file = self.writable(self.store.apphost)
        if not file.exists:
            raise ConfigError(E_FILE_NOT_FOUND, "Cannot read configuration file", file.path)
        return file

    # -- levels

    def apphost(self) -> Configuration:
        return self._configuration("", "/")

    def web(self, site: str, path: str = "/") -> Configuration:
        """The web.config level of a site's path. Whether the site exists shows when a section is asked for."""
        return self._configuration(site, "/" + "/".join(_segments(path)))

    def _configuration(self, site: str, path: str) -> Configuration:
        key = (site.lower(), path.lower())
        if key not in self._configurations:
            self._configurations[key] = Configuration(self, site, path)
        return self._configurations[key]

    def require_site(self, file: ConfigFile, name: str) -> XmlElement:
        """The <site> element of a name.

        Raises:
            ConfigError: 0x80070002 "Unrecognized configuration path".
        """
        found = _find_site(file, name)
        if found is None:
            raise ConfigError(E_FILE_NOT_FOUND, f"Unrecognized configuration path '{APPHOST_PATH}/{name}'")
        return found

    def web_file(self, site: str, path: str) -> ConfigFile:
        directory = self.physical_path(site, path)
        return self.writable(directory.rstrip("\\") + "\\web.config")

    def physical_path(self, site: str, path: str) -> str:
        """The folder of a site's path by its virtual directories, environment variables expanded.

        Raises:
            ConfigError: no such site, or it has no root application.
        """
        apphost = self.snapshot(self.store.apphost)
        element = self.require_site(apphost, site)
        directory = _physical_path(element, path)
        if directory is None:
            raise ConfigError(
                E_FILE_NOT_FOUND, f"Unrecognized configuration path '{APPHOST_PATH}/{site}{path.rstrip('/')}'"
            )
        return self.store.files.expand(directory)

    def chain(self, site: str, path: str, target: ConfigFile) -> list[Layer]:
        """All layers for a site's path, the target's own last."""
        apphost = self.snapshot(self.store.apphost)
        layers = [Layer(apphost, None), Layer(apphost, "")]
        above: list[tuple[ConfigFile, int]] = []
        segments = _segments(path)
        for depth in range(len(segments) + 1):
            layers.append(Layer(apphost, "/".join([site, *segments[:depth]])))
            layers += [Layer(file, "/".join(segments[at:depth])) for file, at in above]
            if depth == len(segments):
                file = target
            else:
                file = self.snapshot(
                    self.physical_path(site, "/" + "/".join(segments[:depth])).rstrip("\\") + "\\web.config"
                )
            layers += [Layer(file, None), Layer(file, "")]
            above.append((file, depth))
        return layers

    # -- commit

    def commit(self) -> list[str]:
        """Writes the files that were edited, all or none, and starts the session anew. Returns the paths written.

        Raises:
            ConfigError: 0x80070020 when one of them is not on disk as it was read; 0x80070005 or the like when it cannot be written.
        """
        with self.store.lock:
            changes = [(file, data) for file in self._writable.values() if (data := file.changed()) is not None]
            if not changes:
                return []
            for file, _ in changes:
                if self.store.files.read(file.path) != file.original:
                    text = "Cannot commit configuration changes because the file has changed on disk"
                    raise ConfigError(E_SHARING_VIOLATION, text, file.path)
            self._write(changes)
        for configuration in self._configurations.values():
            configuration.read_only = True
        calls, self._after_commit = self._after_commit, []
        for element, method, arguments in calls:
            self.store.invoke(element, method, arguments)
        self.reset()
        paths = [file.path for file, _ in changes]
        self.store.committed(paths)
        return paths

    def after_commit(self, element: Element, method: str, arguments: dict[str, Value]) -> None:
        """Has a method of the service called once the commit has gone through (certificates of new bindings)."""
        self._after_commit.append((element, method, arguments))

    def _write(self, changes: list[tuple[ConfigFile, bytes]]) -> None:
        done: list[ConfigFile] = []
        try:
            for file, data in changes:
                self.store.files.write(file.path, data)
                done.append(file)
        except ConfigError:
            for file in done:
                if file.original is not None:
                    self.store.files.write(file.path, file.original)
            raise

    def reset(self) -> None:
        """Forgets snapshot and edits; the next access reads the files again."""
        self._data.clear()
        self._snapshots.clear()
        self._writable.clear()
        self._configurations.clear()


def _find_site(file: ConfigFile, name: str) -> XmlElement | None:
    for sites in _find_in_groups(file.root, ["system.applicationHost", "sites"]):
        for site in sites.elements:
            if site.name == "site" and (site.get("name") or "").lower() == name.lower():
                return site
    return None


def _physical_path(site: XmlElement, path: str) -> str | None:
    """By the longest application path, then the longest virtual directory path in it."""
    wanted = "/" + "/".join(_segments(path))
    application = _longest(site, "application", wanted)
    if application is None:
        return None
    inside = "/" + "/".join(_segments(wanted)[len(_segments(application.get("path") or "")) :])
    directory = _longest(application, "virtualDirectory", inside)
    if directory is None:
        return None
    rest = _segments(inside)[len(_segments(directory.get("path") or "")) :]
    return "\\".join([(directory.get("physicalPath") or "").rstrip("\\"), *rest])


def _longest(parent: XmlElement, tag: str, path: str) -> XmlElement | None:
    segments = [s.lower() for s in _segments(path)]
    best: XmlElement | None = None
    best_length = -1
    for element in parent.elements:
        parts = [s.lower() for s in _segments(element.get("path") or "")]
        if element.name == tag and segments[: len(parts)] == parts and len(parts) > best_length:
            best, best_length = element, len(parts)
    return best


# -- the store


class ConfigStore:
    """The configuration of one server.

    Args:
        files: access to its disk.
        schema: the schema, or a function that gives the one in force (asked again for each session).
        apphost: path of applicationHost.config.
        secrets: encryption of secret attributes; without it they are kept as they are.
    """

    def __init__(
        self,
        files: Files,
        schema: Schema | Callable[[], Schema],
        *,
        apphost: str = APPHOST,
        secrets: Secrets | None = None,
        lock: threading.RLock | None = None,
    ):
        self.files = files
        self._schema = schema
        self.apphost = apphost
        self.secrets = secrets
        self.runtime: Runtime | None = None
        self.lock = lock or threading.RLock()
        self.on_commit: list[Callable[[list[str]], None]] = []

    @property
    def schema(self) -> Schema:
        return self._schema if isinstance(self._schema, Schema) else self._schema()

    def session(self) -> Session:
        return Session(self)

    def reader(self) -> Reader:
        return Reader(self)

    def committed(self, paths: list[str]) -> None:
        """Tells the listeners of `on_commit` which files a commit has written."""
        for listener in self.on_commit:
            listener(paths)

    def conceal(self, provider: str, text: str) -> str:
        return self.secrets.encrypt(provider, text) if self.secrets else text

    def reveal(self, text: str) -> str:
        return self.secrets.decrypt(text) if self.secrets and text.startswith("[enc:") else text

    def runtime_value(self, element: Element, schema: AttributeSchema) -> Value:
        if self.runtime is None:
            return 4 if schema.name == "state" else schema.default  # ObjectState.Unknown
        return self.runtime.get(element, schema.name)

    def runtime_items(self, element: Element) -> list[dict[str, Value]]:
        return self.runtime.items(element) if self.runtime else []

    def invoke(self, element: Element, method: str, arguments: dict[str, Value]) -> dict[str, Value]:
        if self.runtime is None:
            raise ConfigError(0x80070426, "The service has not been started.", bare=True)
        return self.runtime.invoke(element, method, arguments)


# -- reading what is in effect


@dataclass(frozen=True)
class BindingInfo:
    """A binding: `protocol`, `information` ("ip:port:host"), its parts, and sslFlags."""

    protocol: str
    information: str
    address: str
    port: int
    host: str
    ssl_flags: int


@dataclass(frozen=True)
class ApplicationInfo:
    """An application: path ("/", "/app"), pool name, protocols, and physical paths of its virtual directories by path."""

    path: str
    pool: str
    preload: bool
    directories: dict[str, str]
    element: Element


@dataclass(frozen=True)
class SiteInfo:
    name: str
    id: int
    auto_start: bool
    bindings: list[BindingInfo]
    applications: list[ApplicationInfo]
    element: Element

    def application(self, path: str) -> ApplicationInfo | None:
        """The application that a URL path belongs to."""
        segments = [s.lower() for s in _segments(path)]
        fitting = [
            a for a in self.applications if [s.lower() for s in _segments(a.path)] == segments[: len(_segments(a.path))]
        ]
        return max(fitting, key=lambda a: len(_segments(a.path)), default=None)


class Reader:
    """What is in effect now, for the service: reads files again when they have changed on disk.

    All methods raise ConfigError, whose `status`/`substatus` (500.19), `hresult`, `text`, `config_file` and `line` are what the error page shows.
    """

    def __init__(self, store: ConfigStore):
        self.store = store
        self._session: Session | None = None
        self._signatures: dict[str, object] = {}
        self._checked: dict[tuple[str, str], None] = {}
        self._sections: dict[tuple[str, str, str], Section] = {}

    def refresh(self) -> bool:
        """Forgets what was read when a file has changed since; True when so."""
        with self.store.lock:
            if self._session is not None and all(
                self.store.files.signature(p) == s for p, s in self._signatures.items()
            ):
                return False
            self._session = _WatchingSession(self.store, self._signatures)
            self._signatures.clear()
            self._sections.clear()
            self._checked.clear()
            return True

    def _open(self) -> Session:
        if self._session is None:
            self.refresh()
        assert self._session is not None
        return self._session

    def section(self, section: str, site: str = "", path: str = "/") -> Section:
        """A section in effect for a site's path (without a site: the server's). Call `refresh()` once per request first."""
        with self.store.lock:
            key = (section.lower(), site.lower(), path.lower())
            found = self._sections.get(key)
            if found is None:
                session = self._open()
                configuration = session.web(site, path) if site else session.apphost()
                found = configuration.section(section)
                found.validate()
                self._sections[key] = found
            return found

    def check(self, site: str, path: str = "/") -> None:
        """Reads every section that stands in a web.config on the way to a path, as the modules of a request do.

        Raises:
            ConfigError: the first that is wrong: malformed XML, unknown element or attribute, bad value, duplicate, locked section.
        """
        with self.store.lock:
            key = (site.lower(), path.lower())
            if key in self._checked:
                return
            session = self._open()
            configuration = session.web(site, path)
            chain = session.chain(site, configuration.path, configuration.file)
            files: list[ConfigFile] = []
            for layer in chain:
                if layer.file not in files:
                    files.append(layer.file)
            declarations = Declarations(files)
            for file in files[1:]:
                for name in _present_sections(file, declarations, session.store.schema):
                    self.section(name, site, path)
            self.section("system.webServer/handlers", site, path)
            self._checked[key] = None

    def physical_path(self, site: str, path: str = "/") -> str:
        """The file or folder that a URL path stands for."""
        with self.store.lock:
            return self._open().physical_path(site, path)

    def sites(self) -> list[SiteInfo]:
        with self.store.lock:
            section = self.section("system.applicationHost/sites")
            return [_site_info(item) for item in section.collection]

    def site(self, name: str) -> SiteInfo | None:
        return next((s for s in self.sites() if s.name.lower() == name.lower()), None)

    def pools(self) -> list[Element]:
        """The <add> elements of applicationPools, defaults applied: `pool["name"]`, `pool.child("processModel")["identityType"]`, ..."""
        with self.store.lock:
            return list(self.section("system.applicationHost/applicationPools").collection)

    def pool(self, name: str) -> Element | None:
        return next((p for p in self.pools() if str(p["name"]).lower() == name.lower()), None)


class _WatchingSession(Session):
    """A session that notes how the files it reads looked."""

    def __init__(self, store: ConfigStore, signatures: dict[str, object]):
        super().__init__(store)
        self._signatures = signatures

    def _load(self, path: str) -> ConfigFile:
        if path.lower() not in self._data:
            self._signatures[path] = self.store.files.signature(path)
        return super()._load(path)


def _present_sections(file: ConfigFile, declarations: Declarations, schema: Schema) -> list[str]:
    check_content(file, declarations, schema)
    found: list[str] = []

    def walk(xml: XmlElement, path: str) -> None:
        if declarations.section(path) is not None:
            if schema.section(path) is not None and path not in found:
                found.append(path)
        else:
            for child in xml.elements:
                walk(child, f"{path}/{child.name}")

    for child in file.root.elements:
        if child.name == "location":
            for inner in child.elements:
                walk(inner, inner.name)
        elif child.name != "configSections":
            walk(child, child.name)
    return found


def parse_binding(protocol: str, information: str) -> tuple[str, int | None, str]:
    """Address ("" for any), port (None when there is none) and host name of an http or https binding."""
    if protocol.lower() not in ("http", "https"):
        return "", None, ""
    head, colon, host = information.rpartition(":")
    address, colon2, port = head.rpartition(":")
    if not colon or not colon2:
        return "", None, ""
    number = int(port) if port.isdigit() and 0 < int(port) <= 65535 else None
    return ("" if address == "*" else address), number, host


def _site_info(item: Element) -> SiteInfo:
    bindings = []
    for b in item.child("bindings").collection:
        protocol, information = str(b["protocol"]), str(b["bindingInformation"])
        address, port, host = parse_binding(protocol, information)
        bindings.append(BindingInfo(protocol, information, address, port or 0, host, int(b["sslFlags"])))  # type: ignore[arg-type]
    applications = []
    for a in item.collection:
        directories = {str(d["path"]): d.expanded("physicalPath") for d in a.collection}
        applications.append(
            ApplicationInfo(str(a["path"]), str(a["applicationPool"]), bool(a["preloadEnabled"]), directories, a)
        )
    return SiteInfo(str(item["name"]), int(item["id"]), bool(item["serverAutoStart"]), bindings, applications, item)  # type: ignore[arg-type]
