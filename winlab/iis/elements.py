"""Configuration elements and collections as they are in effect at one level, and their editing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from winlab.iis.configfile import ConfigFile, Source
from winlab.iis.errors import (
    E_ALREADY_EXISTS,
    E_BAD_DATA,
    E_FILE_NOT_FOUND,
    E_INVALID_ARGUMENT,
    E_LOCK_VIOLATION,
    E_NOT_SUPPORTED,
    LOCK_VIOLATION,
    SECTION_LOCKED,
    ConfigError,
    invalid_index,
)
from winlab.iis.schema import AttributeSchema, CollectionSchema, ElementSchema, Value
from winlab.iis.validation import is_true, locks_attribute, name_list
from winlab.iis.xmltext import XmlElement

if TYPE_CHECKING:
    from winlab.iis.config import Section


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
            raise invalid_index()
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
        return any(locks_attribute(s.xml, name) for s in self.inherited if s.file is not self.section.file)

    def lock_list(self, name: str) -> list[str]:
        """Names in lockAttributes, lockElements, ... stored here or above."""
        names: list[str] = []
        own = self.own
        for xml in ([own] if own is not None else []) + [s.xml for s in self.inherited]:
            names += [n for n in name_list(xml.get(name)) if n not in names]
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
        return any(is_true(s.xml.get("lockItem")) for s in self.inherited if s.file is not self.section.file)

    def delete(self) -> None:
        """Removes what is set locally: of an item the item itself."""
        self.section.check_writable()
        if self.container is not None and self in self.container.items:
            self.container.remove(self)
            return
        own = self.own
        if own is not None and own.parent is not None:
            own.parent.remove(own)
        self._children.clear()
        self._collection = None


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
        taken = {key for item in items for key in self._keys_of(item)}
        for child in xml.elements:
            if schema.clear_name and child.name == schema.clear_name:
                self._check_unlocked(items, file, child.line)
                items, added = [], []
                taken.clear()
            elif schema.remove_name and child.name == schema.remove_name:
                match = self._with_key_of(child, items + added)
                if match is not None:
                    self._check_unlocked([match], file, child.line)
                    items = [i for i in items if i is not match]
                    added = [i for i in added if i is not match]
                    taken.difference_update(self._keys_of(match))
            elif child.name in schema.add_names:
                item = self._item(child, []) if local else self._item(None, [Source(child, file)], child.name)
                keys = self._keys_of(item)
                if not taken.isdisjoint(keys):
                    self._check_duplicate(item, items + added, file, child.line)
                taken.update(keys)
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
            if any(is_true(s.xml.get("lockItem")) and s.file is not file for s in item.inherited):
                raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, line)

    def _with_key_of(self, directive: XmlElement, items: list[Element]) -> Element | None:
        for item in items:
            if all(k.same(item.get(k.name), _value_of(directive, k)) for k in self.schema.keys):
                return item
        return None

    def _keys_of(self, item: Element) -> list[tuple[object, ...]]:
        """What no other item of the collection may have: each unique key, and the combined one."""
        keys: list[tuple[object, ...]] = [(k.name, k.folded(item.get(k.name))) for k in self.schema.unique_keys]
        combined = self.schema.combined_keys
        if combined:
            keys.append(tuple(k.folded(item.get(k.name)) for k in combined))
        return keys

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
            raise invalid_index()
        return self._item(XmlElement(name), [])

    def add(self, item: Element, index: int | None = None) -> Element:
        """Puts a new item at an index, or at the end.

        Raises:
            ConfigError: required attributes missing, a duplicate, or locked.
        """
        self._check_writable()
        if self._is_runtime:
            raise ConfigError(
                E_NOT_SUPPORTED, "The request is not supported. (Exception from HRESULT: 0x80070032)", bare=True
            )
        if index is not None and not 0 <= index <= len(self.items):
            raise invalid_index()
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
            raise invalid_index()
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
        """Elements that were made for an item alone go with it; what stood in the file stays, empty as it may be."""
        while xml.line == 0 and xml.parent is not None and (xml.holds_nothing or _is_empty_location(xml)):
            above = xml.parent
            above.remove(xml)
            if xml is self.owner.section._own:
                self.owner.section._own = None
            xml = above


def _is_empty_location(xml: XmlElement) -> bool:
    return xml.name == "location" and not xml.elements


def _value_of(xml: XmlElement, key: AttributeSchema) -> Value:
    text = xml.get(key.name)
    return key.default if text is None else key.parse(text, validate=False)
