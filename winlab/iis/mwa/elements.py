"""ConfigurationElement, its attributes, methods, locks and collections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from winlab.iis import schema as schemas
from winlab.iis.config import Section
from winlab.iis.elements import Collection, Element
from winlab.iis.mwa.schemas import ConfigurationAttributeSchema, ConfigurationElementSchema
from winlab.iis.mwa.values import (
    COLLECTION,
    MWA,
    Sequence,
    enum,
    from_net,
    item_at,
    mwa_type,
    needed,
    no_metadata,
    refusals,
    to_net,
)
from winlab.powershell.dotnet.core import DeclaredProperty, get_type, indexer, method, prop
from winlab.powershell.dotnet.declare import argument, argument_null
from winlab.powershell.objects import NetObject, PSArray, PSObject

W = TypeVar("W", bound="ConfigurationElementNet")


@mwa_type("ConfigurationAttribute")
class ConfigurationAttribute(NetObject):
    def __init__(self, element: Element, schema: schemas.AttributeSchema):
        self._element = element
        self._schema = schema

    @prop("Name : string get")
    def name(self) -> str:
        return self._schema.name

    @prop("Value : object")
    def value(self) -> Any:
        with refusals():
            return to_net(self._schema, self._element.get(self._schema.name))

    @value.setter
    def value(self, value: Any) -> None:
        with refusals():
            self._element.set(self._schema.name, from_net(value))

    @prop("IsInheritedFromDefaultValue : bool get")
    def is_default(self) -> bool:
        return not self._element.is_set(self._schema.name)

    @prop("IsProtected : bool get")
    def is_protected(self) -> bool:
        return self._schema.encrypted

    @prop("Schema : ConfigurationAttributeSchema get")
    def schema(self) -> Any:
        return ConfigurationAttributeSchema(self._schema)

    @method("Delete() : void")
    def delete(self) -> None:
        with refusals():
            self._element.unset(self._schema.name)

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        return no_metadata(name)

    @method("SetMetadata(string,object) : void")
    def set_metadata(self, name: str, value: Any) -> Any:
        return no_metadata(name)


@mwa_type("ConfigurationAttributeCollection", interfaces=COLLECTION)
class ConfigurationAttributeCollection(Sequence):
    def __init__(self, element: Element):
        self._element = element

    def _items(self) -> list[Any]:
        return [ConfigurationAttribute(self._element, a) for a in self._element.schema.attributes.values()]

    @indexer("Item[int] : ConfigurationAttribute get")
    def at(self, index: int) -> Any:
        return item_at(self._items(), index)

    @indexer("Item[string] : ConfigurationAttribute get")
    def named(self, name: str) -> Any:
        with refusals():
            return ConfigurationAttribute(self._element, self._element.attribute_schema(name))

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._items())


@mwa_type("ConfigurationChildElementCollection", interfaces=COLLECTION)
class ConfigurationChildElementCollection(Sequence):
    def __init__(self, element: Element):
        self._element = element

    def _items(self) -> list[Any]:
        return [wrap(e) for e in self._element.children()]

    @indexer("Item[int] : ConfigurationElement get")
    def at(self, index: int) -> Any:
        return item_at(self._items(), index)

    @indexer("Item[string] : ConfigurationElement get")
    def named(self, name: str) -> Any:
        with refusals():
            return wrap(self._element.child(name))

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._element.schema.children)


@mwa_type("ConfigurationLockCollection", interfaces=COLLECTION)
class ConfigurationLockCollection(Sequence):
    def __init__(self, element: Element, attribute: str):
        self._element = element
        self._attribute = attribute

    def _items(self) -> list[Any]:
        return self._element.lock_list(self._attribute)

    @method("Add(string) : void")
    def add(self, name: str) -> None:
        with refusals():
            self._element.set_lock_list(self._attribute, [*self._own(), name])

    @method("Remove(string) : void")
    def remove(self, name: str) -> None:
        with refusals():
            self._element.set_lock_list(self._attribute, [n for n in self._own() if n != name])

    @method("Clear() : void")
    def clear(self) -> None:
        with refusals():
            self._element.set_lock_list(self._attribute, [])

    @method("Contains(string) : bool")
    def contains(self, name: str) -> bool:
        return name in self._items()

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._items())

    def _own(self) -> list[str]:
        own = self._element.own
        text = own.get(self._attribute) if own is not None else None
        return [n.strip() for n in (text or "").split(",") if n.strip()]


@mwa_type("ConfigurationMethodInstance")
class ConfigurationMethodInstance(NetObject):
    def __init__(self, element: Element, schema: schemas.MethodSchema):
        self._element = element
        self._schema = schema
        self._input = _free_element(schema.input, element) if schema.input else None
        self._output: Any = None

    @prop("Input : ConfigurationElement get")
    def input(self) -> Any:
        return wrap(self._input) if self._input is not None else None

    @prop("Output : ConfigurationElement get")
    def output(self) -> Any:
        return self._output

    @method("Execute() : void")
    def execute(self) -> None:
        arguments = {} if self._input is None else {n: self._input.get(n) for n in self._input.schema.attributes}
        with refusals():
            results = self._element.section.store.invoke(self._element, self._schema.name, arguments)
        if self._schema.output is not None:
            output = _free_element(self._schema.output, self._element)
            output.runtime_values = results
            self._output = wrap(output)


def _free_element(schema: schemas.ElementSchema, of: Element) -> Element:
    """An element outside of any file, for a method's arguments and results."""
    from winlab.iis.xmltext import XmlElement

    element = Element(schema, schema.name, of._section, None, [])
    element._own = XmlElement(schema.name)
    return element


@mwa_type("ConfigurationMethod")
class ConfigurationMethod(NetObject):
    def __init__(self, element: Element, schema: schemas.MethodSchema):
        self._element = element
        self._schema = schema

    @prop("Name : string get")
    def name(self) -> str:
        return self._schema.name

    @method("CreateInstance() : ConfigurationMethodInstance")
    def create(self) -> Any:
        return ConfigurationMethodInstance(self._element, self._schema)


@mwa_type("ConfigurationMethodCollection", interfaces=COLLECTION)
class ConfigurationMethodCollection(Sequence):
    def __init__(self, element: Element):
        self._element = element

    def _items(self) -> list[Any]:
        return [ConfigurationMethod(self._element, m) for m in self._element.schema.methods.values()]

    @indexer("Item[int] : ConfigurationMethod get")
    def at(self, index: int) -> Any:
        return item_at(self._items(), index)

    @indexer("Item[string] : ConfigurationMethod get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._element.schema.methods)


@mwa_type("ConfigurationElement")
class ConfigurationElementNet(NetObject):
    """ConfigurationElement. One wrapper per element and class, so that scripts may compare them."""

    def __init__(self, element: Element):
        self.element = element

    @indexer("Item[string] : object", setter="_set_item")
    def item(self, name: str) -> Any:
        return self.get_attribute_value(name)

    def _set_item(self, name: str, value: Any) -> None:
        self.set_attribute_value(name, value)

    @method("GetAttribute(string) : ConfigurationAttribute")
    def get_attribute(self, name: str) -> Any:
        with refusals():
            return ConfigurationAttribute(self.element, self.element.attribute_schema(needed(name, "attributeName")))

    @method("GetAttributeValue(string) : object")
    def get_attribute_value(self, name: str) -> Any:
        with refusals():
            return to_net(self.element.attribute_schema(needed(name, "attributeName")), self.element.get(name))

    @method("SetAttributeValue(string,object) : void")
    def set_attribute_value(self, name: str, value: Any) -> None:
        with refusals():
            self.element.set(needed(name, "attributeName"), from_net(value))

    @method("GetChildElement(string) : ConfigurationElement")
    def get_child_element(self, name: str) -> Any:
        with refusals():
            return wrap(self.element.child(needed(name, "elementName")))

    @method("GetCollection() : ConfigurationElementCollection")
    def get_collection(self) -> Any:
        with refusals():
            return wrap_collection(self.element.collection)

    @method("GetCollection(string) : ConfigurationElementCollection")
    def get_named_collection(self, name: str) -> Any:
        with refusals():
            return wrap_collection(self.element.child(needed(name, "collectionName")).collection)

    @method("Delete() : void")
    def delete(self) -> None:
        with refusals():
            self.element.delete()

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        own = self.element.own
        if name == "lockItem":
            return own is not None and (own.get("lockItem") or "").lower() == "true"
        return no_metadata(name)

    @method("SetMetadata(string,object) : void")
    def set_metadata(self, name: str, value: Any) -> None:
        if name != "lockItem":
            no_metadata(name)
        with refusals():
            self.element.section.check_writable()
            self.element._make_own().set("lockItem", "true" if from_net(value) in (True, "true", "True") else "false")

    @prop("Attributes : ConfigurationAttributeCollection get")
    def attributes(self) -> Any:
        return ConfigurationAttributeCollection(self.element)

    @prop("ChildElements : ConfigurationChildElementCollection get")
    def child_elements(self) -> Any:
        return ConfigurationChildElementCollection(self.element)

    @prop("ElementTagName : string get")
    def element_tag_name(self) -> str:
        return self.element.tag

    @prop("IsLocallyStored : bool get")
    def is_locally_stored(self) -> bool:
        return self.element.is_locally_stored

    @prop("LockAllAttributesExcept : ConfigurationLockCollection get")
    def lock_all_attributes_except(self) -> Any:
        return ConfigurationLockCollection(self.element, "lockAllAttributesExcept")

    @prop("LockAllElementsExcept : ConfigurationLockCollection get")
    def lock_all_elements_except(self) -> Any:
        return ConfigurationLockCollection(self.element, "lockAllElementsExcept")

    @prop("LockAttributes : ConfigurationLockCollection get")
    def lock_attributes(self) -> Any:
        return ConfigurationLockCollection(self.element, "lockAttributes")

    @prop("LockElements : ConfigurationLockCollection get")
    def lock_elements(self) -> Any:
        return ConfigurationLockCollection(self.element, "lockElements")

    @prop("Methods : ConfigurationMethodCollection get")
    def methods(self) -> Any:
        return ConfigurationMethodCollection(self.element)

    @prop("Schema : ConfigurationElementSchema get")
    def schema(self) -> Any:
        return ConfigurationElementSchema(self.element.schema)


def wrap(element: Element, cls: type[W] | None = None) -> Any:
    """The API object of an element, always the same one per class."""
    chosen: Any = cls or (ConfigurationSection if isinstance(element, Section) else ConfigurationElementNet)
    table: dict[Any, Any] = element.__dict__.setdefault("_net", {})
    if chosen not in table:
        table[chosen] = chosen(element)
    return table[chosen]


@mwa_type("ConfigurationSection", MWA + "ConfigurationElement")
class ConfigurationSection(ConfigurationElementNet):
    element: Section

    @prop("SectionPath : string get")
    def section_path(self) -> str:
        return self.element.path

    @prop("OverrideMode : OverrideMode")
    def override_mode(self) -> Any:
        return enum("OverrideMode", get_type(MWA + "OverrideMode").enum_values[self.element.override_mode])

    @override_mode.setter
    def override_mode(self, value: Any) -> None:
        name = str(value)
        if name not in ("Inherit", "Allow", "Deny"):
            raise argument("Value does not fall within the expected range.")
        with refusals():
            self.element.set_override_mode(name)

    @prop("OverrideModeEffective : OverrideMode get")
    def override_mode_effective(self) -> Any:
        return enum("OverrideMode", get_type(MWA + "OverrideMode").enum_values[self.element.override_mode_effective])

    @prop("IsLocked : bool get")
    def is_locked(self) -> bool:
        return self.element.is_locked

    @method("RevertToParent() : void")
    def revert_to_parent(self) -> None:
        with refusals():
            self.element.revert_to_parent()


class CollectionMembers(ConfigurationElementNet):
    """What every collection has. `item_class` wraps its items."""

    item_class: type[ConfigurationElementNet] = ConfigurationElementNet
    is_list = False

    def __init__(self, element: Element):
        super().__init__(element)
        self.collection: Collection = element.collection

    def __iter__(self) -> Iterator[Any]:
        with refusals():
            items = list(self.collection.items)
        return iter([wrap(i, self.item_class) for i in items])

    def __len__(self) -> int:
        with refusals():
            return len(self.collection)

    def _item_at(self, index: int) -> Any:
        with refusals():
            items = self.collection.items
        return wrap(item_at(items, index), self.item_class)

    def _added(self, element: Any, index: int | None) -> Any:
        with refusals():
            self.collection.add(element_of(element), index)
        return element

    @indexer("Item[int] : T get")
    def at(self, index: int) -> Any:
        return self._item_at(index)

    @indexer("Item[string] : object", setter="_set_item")
    def attribute(self, name: str) -> Any:
        return self.get_attribute_value(name)

    @method("Add(T) : T")
    def add(self, element: Any) -> Any:
        return self._added(element, None)

    @method("AddAt(int,T) : T")
    def add_at(self, index: int, element: Any) -> Any:
        return self._added(element, index)

    @method("Clear() : void")
    def clear(self) -> None:
        with refusals():
            self.collection.clear()

    @method("CreateElement() : T")
    def create_element(self) -> Any:
        with refusals():
            return wrap(self.collection.create(), self.item_class)

    @method("CreateElement(string) : T")
    def create_named_element(self, tag: str) -> Any:
        with refusals():
            return wrap(self.collection.create(tag), self.item_class)

    @method("IndexOf(T) : int")
    def index_of(self, element: Any) -> int:
        wanted = element_of(element)
        return next((n for n, i in enumerate(self.collection.items) if i is wanted), -1)

    @method("Remove(T) : void")
    def remove(self, element: Any) -> None:
        with refusals():
            self.collection.remove(element_of(element))

    @method("RemoveAt(int) : void")
    def remove_at(self, index: int) -> None:
        with refusals():
            self.collection.remove_at(index)

    @method("CopyTo(Array,int) : void")
    def copy_to(self, array: PSArray, index: int) -> None:
        for n, item in enumerate(self):
            array[index + n] = item

    @prop("Count : int get")
    def count(self) -> int:
        return len(self)

    @prop("AllowsAdd : bool get")
    def allows_add(self) -> bool:
        return bool(self.collection.schema.add_names)

    @prop("AllowsClear : bool get")
    def allows_clear(self) -> bool:
        return bool(self.collection.schema.clear_name)

    @prop("AllowsRemove : bool get")
    def allows_remove(self) -> bool:
        return bool(self.collection.schema.remove_name)

    @prop("IsSynchronized : bool get")
    def is_synchronized(self) -> bool:
        return False

    @prop("SyncRoot : object get")
    def sync_root(self) -> Any:
        return self


def element_of(value: Any) -> Element:
    if type(value) is PSObject:
        value = value.base
    if value is None:
        raise argument_null("element")
    if not isinstance(value, ConfigurationElementNet):
        raise argument("The element is not of the collection's type.")
    return value.element


def collection_type(name: str, item: str) -> Callable[[Any], Any]:
    """Declares a collection class whose T is the item type."""

    def apply(cls: Any) -> Any:
        declared = mwa_type(name, MWA + "ConfigurationElement", interfaces=COLLECTION)(_rebound(cls, item))
        return declared

    return apply


def _rebound(cls: Any, item: str) -> Any:
    """Puts the item type in the place of T in the signatures of the members that every collection has."""
    import types

    for attribute, value in list(vars(CollectionMembers).items()):
        declared = getattr(value, "__net__", None)
        if isinstance(value, DeclaredProperty) and attribute not in vars(cls):
            setattr(cls, attribute, value)
        elif declared and attribute not in vars(cls):
            twin = types.FunctionType(
                value.__code__, value.__globals__, value.__name__, value.__defaults__, value.__closure__
            )
            twin.__net__ = []  # type: ignore[attr-defined]
            for entry in declared:
                text = entry.text
                for old, new in ((" T", f" {item}"), ("(T)", f"({item})"), (",T)", f",{item})")):
                    text = text.replace(old, new)
                twin.__net__.append(type(entry)(entry.kind, text, entry.options))  # type: ignore[attr-defined]
            setattr(cls, attribute, twin)
    return cls


@collection_type("ConfigurationElementCollection", "ConfigurationElement")
class ConfigurationElementCollection(CollectionMembers):
    pass


def wrap_collection(collection: Collection, cls: Any = None) -> Any:
    """The API object of a collection. Its items are read now, so that what is wrong with them shows here and not in a property."""
    _ = collection.items
    return wrap(collection.owner, cls or ConfigurationElementCollection)
