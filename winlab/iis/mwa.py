"""Microsoft.Web.Administration as a script sees it: the configuration system of `config.py` under the names of Microsoft's API.

A thin skin: every object holds one `Element`, `Collection` or `Session` of the configuration system, converts values to the .NET types that the real
assembly boxes (enum -> Int32, uint -> Int64) and turns `ConfigError` into the exception that .NET makes of its HRESULT.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from winlab.iis import schema as schemas
from winlab.iis.config import ConfigStore, Configuration, Section, Session
from winlab.iis.configfile import SectionDefinition, SectionGroup
from winlab.iis.elements import Collection, Element
from winlab.iis.errors import ConfigError, invalid_index
from winlab.iis.reader import parse_binding
from winlab.powershell.dotnet import context
from winlab.powershell.dotnet.core import ctor, get_type, indexer, method, net_enum, net_type, prop, static
from winlab.powershell.dotnet.declare import argument, argument_null
from winlab.powershell.dotnet.time import TimeSpan
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import ByteArray, EnumValue, Int64, NetObject, PSArray, PSObject

ASSEMBLY = "Microsoft.Web.Administration"
DLL = r"C:\Windows\system32\inetsrv\Microsoft.Web.Administration.dll"
MWA = ASSEMBLY + "."

W = TypeVar("W", bound="ConfigurationElementNet")

# -- errors

_EXCEPTIONS = {
    0x80070002: "System.IO.FileNotFoundException",
    0x80070003: "System.IO.DirectoryNotFoundException",
    0x80070005: "System.UnauthorizedAccessException",
    0x80070020: "System.IO.FileLoadException",
    0x80070021: "System.IO.FileLoadException",
    0x80070057: "System.ArgumentException",
    0x80004002: "System.InvalidCastException",
    0x80131509: "System.InvalidOperationException",
}


def net_exception(error: ConfigError) -> NetException:
    """The exception .NET makes of an HRESULT of the configuration system."""
    name = _EXCEPTIONS.get(error.hresult, "System.Runtime.InteropServices.COMException")
    signed = error.hresult - (1 << 32) if error.hresult >= 1 << 31 else error.hresult
    properties: dict[str, Any] = {"HResult": signed}
    if name.endswith("COMException"):
        properties["ErrorCode"] = signed
    return NetException(name, error.message, **properties)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Lets what the configuration system refuses arrive as .NET exceptions."""
    try:
        yield
    except ConfigError as error:
        raise net_exception(error) from None


# -- values


def to_net(schema: schemas.AttributeSchema, value: schemas.Value) -> Any:
    """A value as the real assembly boxes it."""
    if isinstance(value, timedelta):
        return timespan(value)
    if schema.type in ("uint", "int64"):
        return Int64(value)
    return value


def from_net(value: Any) -> Any:
    """A value of a script for the configuration system. What it has no type for stays and is refused there."""
    if type(value) is PSObject:
        value = value.base
    if isinstance(value, EnumValue):
        return int(value)
    if isinstance(value, TimeSpan):
        return timedelta(microseconds=value.ticks // 10) if value.ticks < 2**63 - 8 else schemas.TIMESPAN_MAX
    return value


def timespan(value: timedelta) -> Any:
    return TimeSpan(2**63 - 1 if value == schemas.TIMESPAN_MAX else (value // timedelta(microseconds=1)) * 10)


def _construct(type_name: str, params: list[str], *arguments: Any) -> Any:
    """Calls a constructor of a .NET type that another module declares."""
    t = get_type(type_name)
    overload = next(o for o in t.ctors() if o.params == params and o.fn is not None)
    assert overload.fn is not None
    if t.cls is not None and t.python is None and issubclass(t.cls, NetObject):
        made = t.cls.__new__(t.cls)
        result = overload.fn(made, *arguments)
        return made if result is None else result
    return overload.fn(*arguments)


# -- enums

for _name, _values in {
    "AuthenticationLogonMethod": "Interactive Batch Network ClearText",
    "CustomLogFieldSourceType": "RequestHeader ResponseHeader ServerVariable",
    "IdleTimeoutAction": "Terminate Suspend",
    "LoadBalancerCapabilities": {"TcpLevel": 1, "HttpLevel": 2},
    "LogFormat": "Iis Ncsa W3c Custom",
    "LogTargetW3C": {"File": 1, "ETW": 2},
    "LoggingRolloverPeriod": "MaxSize Daily Weekly Monthly Hourly",
    "ManagedPipelineMode": "Integrated Classic",
    "ObjectState": "Starting Started Stopping Stopped Unknown",
    "OverrideMode": "Unknown Inherit Allow Deny",
    "ProcessModelIdentityType": "LocalSystem LocalService NetworkService SpecificUser ApplicationPoolIdentity",
    "ProcessModelLogEventOnProcessModel": {"None": 0, "IdleTimeout": 1},
    "ProcessorAction": "NoAction KillW3wp Throttle ThrottleUnderLoad",
    "RecyclingLogEventOnRecycle": {
        "None": 0,
        "Time": 1,
        "Requests": 2,
        "Schedule": 4,
        "Memory": 8,
        "IsapiUnhealthy": 16,
        "OnDemand": 32,
        "ConfigChange": 64,
        "PrivateMemory": 128,
    },
    "SslFlags": {"None": 0, "Sni": 1, "CentralCertStore": 2},
    "StartMode": "OnDemand AlwaysRunning",
    "WorkerProcessState": "Starting Running Stopping Unknown",
    "PipelineState": {
        "Unknown": 0,
        "BeginRequest": 1,
        "AuthenticateRequest": 2,
        "AuthorizeRequest": 4,
        "ResolveRequestCache": 8,
        "MapRequestHandler": 16,
        "AcquireRequestState": 32,
        "PreExecuteRequestHandler": 64,
        "ExecuteRequestHandler": 128,
        "ReleaseRequestState": 256,
        "UpdateRequestCache": 512,
        "LogRequest": 1024,
        "EndRequest": 2048,
        "SendResponse": 536870912,
    },
    "LogExtFileFlags": {
        name: 1 << bit
        for bit, name in enumerate(
            [
                "Date",
                "Time",
                "ClientIP",
                "UserName",
                "SiteName",
                "ComputerName",
                "ServerIP",
                "Method",
                "UriStem",
                "UriQuery",
                "HttpStatus",
                "Win32Status",
                "BytesSent",
                "BytesRecv",
                "TimeTaken",
                "ServerPort",
                "UserAgent",
                "Cookie",
                "Referer",
                "ProtocolVersion",
                "Host",
                "HttpSubStatus",
            ]
        )
    },
}.items():
    _numbers = _values if isinstance(_values, dict) else {n: i for i, n in enumerate(str(_values).split())}
    _flags = _name in (
        "LogExtFileFlags",
        "LogTargetW3C",
        "RecyclingLogEventOnRecycle",
        "SslFlags",
        "ProcessModelLogEventOnProcessModel",
    )
    net_enum(MWA + _name, _numbers, flags=_flags).assembly = ASSEMBLY


def enum(name: str, value: int) -> EnumValue:
    return get_type(MWA + name).enum(value)


def _type(name: str, base: str = "System.Object", **more: Any) -> Callable[[Any], Any]:
    return net_type(MWA + name, base=base, assembly=ASSEMBLY, kind="class", **more)


_COLLECTION = ("Collections.ICollection", "Collections.IEnumerable")


class _Sequence(NetObject):
    """Count, index and enumeration for the API's small read-only collections. Subclasses give `_items()`."""

    def _items(self) -> list[Any]:
        raise NotImplementedError

    def _by_name(self, name: str) -> Any:
        return next((i for i in self._items() if i.name.lower() == name.lower()), None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __len__(self) -> int:
        return len(self._items())


def _at(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise net_exception(invalid_index())
    return items[index]


# -- schema


@_type("ConfigurationEnumValue")
class ConfigurationEnumValue(NetObject):
    def __init__(self, name: str, value: int):
        self._name, self._value = name, value

    @prop("Name : string get")
    def name(self) -> str:
        return self._name

    @prop("Value : long get")
    def value(self) -> int:
        return self._value


@_type("ConfigurationEnumValueCollection", interfaces=_COLLECTION)
class ConfigurationEnumValueCollection(_Sequence):
    def __init__(self, values: list[tuple[str, int]]):
        self._values = [ConfigurationEnumValue(n, v) for n, v in values]

    def _items(self) -> list[Any]:
        return self._values

    @indexer("Item[int] : ConfigurationEnumValue get")
    def at(self, index: int) -> Any:
        return _at(self._values, index)

    @indexer("Item[string] : ConfigurationEnumValue get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @method("GetName(long) : string")
    def get_name(self, value: int) -> str | None:
        return next((v.name for v in self._values if v.value == value), None)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._values)


@_type("ConfigurationAttributeSchema")
class ConfigurationAttributeSchema(NetObject):
    def __init__(self, schema: schemas.AttributeSchema):
        self.schema = schema

    @prop("Name : string get")
    def name(self) -> str:
        return self.schema.name

    @prop("Type : string get")
    def type(self) -> str:
        return self.schema.type

    @prop("DefaultValue : object get")
    def default_value(self) -> Any:
        return to_net(self.schema, self.schema.default)

    @prop("IsRequired : bool get")
    def is_required(self) -> bool:
        return self.schema.required

    @prop("IsUniqueKey : bool get")
    def is_unique_key(self) -> bool:
        return self.schema.is_unique_key

    @prop("IsCombinedKey : bool get")
    def is_combined_key(self) -> bool:
        return self.schema.is_combined_key

    @prop("IsCaseSensitive : bool get")
    def is_case_sensitive(self) -> bool:
        return self.schema.case_sensitive

    @prop("IsEncrypted : bool get")
    def is_encrypted(self) -> bool:
        return self.schema.encrypted

    @prop("IsExpanded : bool get")
    def is_expanded(self) -> bool:
        return self.schema.expanded

    @prop("AllowInfinite : bool get")
    def allow_infinite(self) -> bool:
        return self.schema.allow_infinite

    @prop("TimeSpanFormat : string get")
    def timespan_format(self) -> str:
        return self.schema.timespan_format

    @prop("ValidationType : string get")
    def validation_type(self) -> str:
        return self.schema.validation_type

    @prop("ValidationParameter : string get")
    def validation_parameter(self) -> str:
        return self.schema.validation_parameter

    @method("GetEnumValues() : ConfigurationEnumValueCollection")
    def enum_values(self) -> Any:
        return ConfigurationEnumValueCollection(self.schema.values) if self.schema.values else None

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        return _no_metadata(name)


@_type("ConfigurationAttributeSchemaCollection", interfaces=_COLLECTION)
class ConfigurationAttributeSchemaCollection(_Sequence):
    def __init__(self, attributes: list[schemas.AttributeSchema]):
        self._attributes = [ConfigurationAttributeSchema(a) for a in attributes]

    def _items(self) -> list[Any]:
        return self._attributes

    @indexer("Item[int] : ConfigurationAttributeSchema get")
    def at(self, index: int) -> Any:
        return _at(self._attributes, index)

    @indexer("Item[string] : ConfigurationAttributeSchema get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._attributes)


@_type("ConfigurationElementSchema")
class ConfigurationElementSchema(NetObject):
    def __init__(self, schema: schemas.ElementSchema, name: str | None = None):
        self.schema = schema
        self._name = schema.name if name is None else name

    @prop("Name : string get")
    def name(self) -> str:
        return self._name

    @prop("AllowUnrecognizedAttributes : bool get")
    def allow_unrecognized(self) -> bool:
        return self.schema.allow_unrecognized_attributes

    @prop("IsCollectionDefault : bool get")
    def is_collection_default(self) -> bool:
        return self.schema.is_collection_default

    @prop("AttributeSchemas : ConfigurationAttributeSchemaCollection get")
    def attribute_schemas(self) -> Any:
        return ConfigurationAttributeSchemaCollection(list(self.schema.attributes.values()))

    @prop("ChildElementSchemas : ConfigurationElementSchemaCollection get")
    def child_schemas(self) -> Any:
        return ConfigurationElementSchemaCollection(list(self.schema.children.values()))

    @prop("CollectionSchema : ConfigurationCollectionSchema get")
    def collection_schema(self) -> Any:
        return ConfigurationCollectionSchema(self.schema.collection) if self.schema.collection else None

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        return _no_metadata(name)


@_type("ConfigurationElementSchemaCollection", interfaces=_COLLECTION)
class ConfigurationElementSchemaCollection(_Sequence):
    def __init__(self, elements: list[schemas.ElementSchema]):
        self._elements = [ConfigurationElementSchema(e) for e in elements]

    def _items(self) -> list[Any]:
        return self._elements

    @indexer("Item[int] : ConfigurationElementSchema get")
    def at(self, index: int) -> Any:
        return _at(self._elements, index)

    @indexer("Item[string] : ConfigurationElementSchema get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._elements)


@_type("ConfigurationCollectionSchema")
class ConfigurationCollectionSchema(NetObject):
    def __init__(self, schema: schemas.CollectionSchema):
        self.schema = schema

    @prop("AddElementNames : string get")
    def add_names(self) -> str:
        return ",".join(self.schema.add_names)

    @prop("RemoveElementName : string get")
    def remove_name(self) -> str:
        return self.schema.remove_name

    @prop("ClearElementName : string get")
    def clear_name(self) -> str:
        return self.schema.clear_name

    @prop("AllowDuplicates : bool get")
    def allow_duplicates(self) -> bool:
        return self.schema.allow_duplicates

    @prop("IsMergeAppend : bool get")
    def is_merge_append(self) -> bool:
        return self.schema.merge_append

    @method("GetAddElementSchema(string) : ConfigurationElementSchema")
    def add_schema(self, name: str) -> Any:
        return ConfigurationElementSchema(self.schema.item, name) if name in self.schema.add_names else None

    @method("GetClearElementSchema() : ConfigurationElementSchema")
    def clear_schema(self) -> Any:
        return (
            ConfigurationElementSchema(schemas.ElementSchema(self.schema.clear_name))
            if self.schema.clear_name
            else None
        )

    @method("GetRemoveElementSchema() : ConfigurationElementSchema")
    def remove_schema(self) -> Any:
        if not self.schema.remove_name:
            return None
        keys = {k.name: k for k in self.schema.keys}
        return ConfigurationElementSchema(schemas.ElementSchema(self.schema.remove_name, keys))

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        return _no_metadata(name)


def _no_metadata(name: str) -> Any:
    raise LabUnsupported(f"the metadata '{name}' of Microsoft.Web.Administration")


# -- attributes


@_type("ConfigurationAttribute")
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
        return _no_metadata(name)

    @method("SetMetadata(string,object) : void")
    def set_metadata(self, name: str, value: Any) -> Any:
        return _no_metadata(name)


@_type("ConfigurationAttributeCollection", interfaces=_COLLECTION)
class ConfigurationAttributeCollection(_Sequence):
    def __init__(self, element: Element):
        self._element = element

    def _items(self) -> list[Any]:
        return [ConfigurationAttribute(self._element, a) for a in self._element.schema.attributes.values()]

    @indexer("Item[int] : ConfigurationAttribute get")
    def at(self, index: int) -> Any:
        return _at(self._items(), index)

    @indexer("Item[string] : ConfigurationAttribute get")
    def named(self, name: str) -> Any:
        with refusals():
            return ConfigurationAttribute(self._element, self._element.attribute_schema(name))

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._items())


@_type("ConfigurationChildElementCollection", interfaces=_COLLECTION)
class ConfigurationChildElementCollection(_Sequence):
    def __init__(self, element: Element):
        self._element = element

    def _items(self) -> list[Any]:
        return [wrap(e) for e in self._element.children()]

    @indexer("Item[int] : ConfigurationElement get")
    def at(self, index: int) -> Any:
        return _at(self._items(), index)

    @indexer("Item[string] : ConfigurationElement get")
    def named(self, name: str) -> Any:
        with refusals():
            return wrap(self._element.child(name))

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._element.schema.children)


@_type("ConfigurationLockCollection", interfaces=_COLLECTION)
class ConfigurationLockCollection(_Sequence):
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


# -- methods


@_type("ConfigurationMethodInstance")
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


@_type("ConfigurationMethod")
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


@_type("ConfigurationMethodCollection", interfaces=_COLLECTION)
class ConfigurationMethodCollection(_Sequence):
    def __init__(self, element: Element):
        self._element = element

    def _items(self) -> list[Any]:
        return [ConfigurationMethod(self._element, m) for m in self._element.schema.methods.values()]

    @indexer("Item[int] : ConfigurationMethod get")
    def at(self, index: int) -> Any:
        return _at(self._items(), index)

    @indexer("Item[string] : ConfigurationMethod get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._element.schema.methods)


# -- elements


@_type("ConfigurationElement")
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
            return ConfigurationAttribute(self.element, self.element.attribute_schema(_need(name, "attributeName")))

    @method("GetAttributeValue(string) : object")
    def get_attribute_value(self, name: str) -> Any:
        with refusals():
            return to_net(self.element.attribute_schema(_need(name, "attributeName")), self.element.get(name))

    @method("SetAttributeValue(string,object) : void")
    def set_attribute_value(self, name: str, value: Any) -> None:
        with refusals():
            self.element.set(_need(name, "attributeName"), from_net(value))

    @method("GetChildElement(string) : ConfigurationElement")
    def get_child_element(self, name: str) -> Any:
        with refusals():
            return wrap(self.element.child(_need(name, "elementName")))

    @method("GetCollection() : ConfigurationElementCollection")
    def get_collection(self) -> Any:
        with refusals():
            return wrap_collection(self.element.collection)

    @method("GetCollection(string) : ConfigurationElementCollection")
    def get_named_collection(self, name: str) -> Any:
        with refusals():
            return wrap_collection(self.element.child(_need(name, "collectionName")).collection)

    @method("Delete() : void")
    def delete(self) -> None:
        with refusals():
            self.element.delete()

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        own = self.element.own
        if name == "lockItem":
            return own is not None and (own.get("lockItem") or "").lower() == "true"
        return _no_metadata(name)

    @method("SetMetadata(string,object) : void")
    def set_metadata(self, name: str, value: Any) -> None:
        if name != "lockItem":
            _no_metadata(name)
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


def _need(value: str | None, name: str) -> str:
    if value is None or value == "":
        raise argument_null(name)
    return value


def wrap(element: Element, cls: type[W] | None = None) -> Any:
    """The API object of an element, always the same one per class."""
    chosen: Any = cls or (ConfigurationSection if isinstance(element, Section) else ConfigurationElementNet)
    table: dict[Any, Any] = element.__dict__.setdefault("_net", {})
    if chosen not in table:
        table[chosen] = chosen(element)
    return table[chosen]


@_type("ConfigurationSection", MWA + "ConfigurationElement")
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


# -- collections


class _CollectionMembers(ConfigurationElementNet):
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
        return wrap(_at(items, index), self.item_class)

    def _added(self, element: Any, index: int | None) -> Any:
        with refusals():
            self.collection.add(_element_of(element), index)
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
        wanted = _element_of(element)
        return next((n for n, i in enumerate(self.collection.items) if i is wanted), -1)

    @method("Remove(T) : void")
    def remove(self, element: Any) -> None:
        with refusals():
            self.collection.remove(_element_of(element))

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


def _element_of(value: Any) -> Element:
    if type(value) is PSObject:
        value = value.base
    if value is None:
        raise argument_null("element")
    if not isinstance(value, ConfigurationElementNet):
        raise argument("The element is not of the collection's type.")
    return value.element


def _collection_type(name: str, item: str) -> Callable[[Any], Any]:
    """Declares a collection class whose T is the item type."""

    def apply(cls: Any) -> Any:
        declared = _type(name, MWA + "ConfigurationElement", interfaces=_COLLECTION)(_rebound(cls, item))
        return declared

    return apply


def _rebound(cls: Any, item: str) -> Any:
    """Puts the item type in the place of T in the signatures of the members that every collection has."""
    import types

    for attribute, value in list(vars(_CollectionMembers).items()):
        declared = getattr(value, "__net__", None)
        if isinstance(value, prop) and attribute not in vars(cls):
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


@_collection_type("ConfigurationElementCollection", "ConfigurationElement")
class ConfigurationElementCollection(_CollectionMembers):
    pass


def wrap_collection(collection: Collection, cls: Any = None) -> Any:
    """The API object of a collection. Its items are read now, so that what is wrong with them shows here and not in a property."""
    _ = collection.items
    return wrap(collection.owner, cls or ConfigurationElementCollection)


# -- typed objects


def _read(kind: str, value: Any) -> Any:
    """A stored value as the typed property gives it."""
    if kind.startswith("enum "):
        return enum(kind[5:], int(value))
    if isinstance(value, timedelta):
        return timespan(value)
    if kind == "long":
        return Int64(value)
    if kind == "Guid":
        from uuid import UUID

        return _construct(
            "System.Guid", ["String"], str(UUID(value)) if value else "00000000-0000-0000-0000-000000000000"
        )
    return value


def _attribute(signature: str, name: str, kind: str = "", *, read_only: bool = False) -> Any:
    """A typed property over an attribute: `_attribute("AutoStart : bool", "autoStart")`."""

    def get(self: ConfigurationElementNet) -> Any:
        with refusals():
            return _read(kind or signature.rpartition(": ")[2].split()[0], self.element.get(name))

    def set_(self: ConfigurationElementNet, value: Any) -> None:
        with refusals():
            self.element.set(name, from_net(value) if signature.rpartition(": ")[2] != "Guid" else str(value))

    made = prop(signature)(get)
    return made if read_only else made.setter(set_)


def _enum_attribute(name: str, attribute: str, enum_name: str) -> Any:
    return _attribute(f"{name} : {enum_name}", attribute, "enum " + enum_name)


def _child(signature: str, name: str, cls: Callable[[], Any]) -> Any:
    def get(self: ConfigurationElementNet) -> Any:
        with refusals():
            return wrap(self.element.child(name), cls())

    return prop(signature)(get)


def _child_collection(signature: str, path: str, cls: Callable[[], Any]) -> Any:
    def get(self: ConfigurationElementNet) -> Any:
        with refusals():
            element = self.element
            for part in filter(None, path.split("/")):
                element = element.child(part)
            return wrap_collection(element.collection, cls())

    return prop(signature)(get)


_ELEMENT = MWA + "ConfigurationElement"


@_type("ApplicationPoolCpu", _ELEMENT)
class ApplicationPoolCpu(ConfigurationElementNet):
    action = _enum_attribute("Action", "action", "ProcessorAction")
    limit = _attribute("Limit : long", "limit")
    reset_interval = _attribute("ResetInterval : TimeSpan", "resetInterval")
    smp_affinitized = _attribute("SmpAffinitized : bool", "smpAffinitized")
    mask = _attribute("SmpProcessorAffinityMask : long", "smpProcessorAffinityMask")
    mask2 = _attribute("SmpProcessorAffinityMask2 : long", "smpProcessorAffinityMask2")


@_type("ApplicationPoolFailure", _ELEMENT)
class ApplicationPoolFailure(ConfigurationElementNet):
    auto_shutdown_exe = _attribute("AutoShutdownExe : string", "autoShutdownExe")
    auto_shutdown_params = _attribute("AutoShutdownParams : string", "autoShutdownParams")
    load_balancer = _enum_attribute("LoadBalancerCapabilities", "loadBalancerCapabilities", "LoadBalancerCapabilities")
    orphan_exe = _attribute("OrphanActionExe : string", "orphanActionExe")
    orphan_params = _attribute("OrphanActionParams : string", "orphanActionParams")
    orphan = _attribute("OrphanWorkerProcess : bool", "orphanWorkerProcess")
    rapid_fail = _attribute("RapidFailProtection : bool", "rapidFailProtection")
    rapid_fail_interval = _attribute("RapidFailProtectionInterval : TimeSpan", "rapidFailProtectionInterval")
    rapid_fail_crashes = _attribute("RapidFailProtectionMaxCrashes : long", "rapidFailProtectionMaxCrashes")


@_type("Schedule", _ELEMENT)
class Schedule(ConfigurationElementNet):
    time = _attribute("Time : TimeSpan", "value")


@_collection_type("ScheduleCollection", "Schedule")
class ScheduleCollection(_CollectionMembers):
    item_class = Schedule

    @method("Add(TimeSpan) : Schedule")
    def add_time(self, time: Any) -> Any:
        item = self.create_element()
        item.time = time
        return self._added(item, None)


@_type("ApplicationPoolPeriodicRestart", _ELEMENT)
class ApplicationPoolPeriodicRestart(ConfigurationElementNet):
    memory = _attribute("Memory : long", "memory")
    private_memory = _attribute("PrivateMemory : long", "privateMemory")
    requests = _attribute("Requests : long", "requests")
    time = _attribute("Time : TimeSpan", "time")
    schedule = _child_collection("Schedule : ScheduleCollection get", "schedule", lambda: ScheduleCollection)


@_type("ApplicationPoolRecycling", _ELEMENT)
class ApplicationPoolRecycling(ConfigurationElementNet):
    no_overlap = _attribute("DisallowOverlappingRotation : bool", "disallowOverlappingRotation")
    no_rotation = _attribute("DisallowRotationOnConfigChange : bool", "disallowRotationOnConfigChange")
    log_event = _enum_attribute("LogEventOnRecycle", "logEventOnRecycle", "RecyclingLogEventOnRecycle")
    periodic_restart = _child(
        "PeriodicRestart : ApplicationPoolPeriodicRestart get",
        "periodicRestart",
        lambda: ApplicationPoolPeriodicRestart,
    )


@_type("ApplicationPoolProcessModel", _ELEMENT)
class ApplicationPoolProcessModel(ConfigurationElementNet):
    identity_type = _enum_attribute("IdentityType", "identityType", "ProcessModelIdentityType")
    idle_timeout = _attribute("IdleTimeout : TimeSpan", "idleTimeout")
    idle_action = _enum_attribute("IdleTimeoutAction", "idleTimeoutAction", "IdleTimeoutAction")
    load_user_profile = _attribute("LoadUserProfile : bool", "loadUserProfile")
    log_event = _enum_attribute(
        "LogEventOnProcessModel", "logEventOnProcessModel", "ProcessModelLogEventOnProcessModel"
    )
    max_processes = _attribute("MaxProcesses : long", "maxProcesses")
    password = _attribute("Password : string", "password")
    ping_interval = _attribute("PingInterval : TimeSpan", "pingInterval")
    ping_response = _attribute("PingResponseTime : TimeSpan", "pingResponseTime")
    pinging = _attribute("PingingEnabled : bool", "pingingEnabled")
    shutdown_limit = _attribute("ShutdownTimeLimit : TimeSpan", "shutdownTimeLimit")
    startup_limit = _attribute("StartupTimeLimit : TimeSpan", "startupTimeLimit")
    user_name = _attribute("UserName : string", "userName")


class _PoolMembers(ConfigurationElementNet):
    """What a pool and applicationPoolDefaults share."""


_POOL_ATTRIBUTES = {
    "auto_start": _attribute("AutoStart : bool", "autoStart"),
    "cpu": _child("Cpu : ApplicationPoolCpu get", "cpu", lambda: ApplicationPoolCpu),
    "enable32": _attribute("Enable32BitAppOnWin64 : bool", "enable32BitAppOnWin64"),
    "failure": _child("Failure : ApplicationPoolFailure get", "failure", lambda: ApplicationPoolFailure),
    "pipeline_mode": _enum_attribute("ManagedPipelineMode", "managedPipelineMode", "ManagedPipelineMode"),
    "runtime_version": _attribute("ManagedRuntimeVersion : string", "managedRuntimeVersion"),
    "process_model": _child(
        "ProcessModel : ApplicationPoolProcessModel get", "processModel", lambda: ApplicationPoolProcessModel
    ),
    "queue_length": _attribute("QueueLength : long", "queueLength"),
    "recycling": _child("Recycling : ApplicationPoolRecycling get", "recycling", lambda: ApplicationPoolRecycling),
    "start_mode": _enum_attribute("StartMode", "startMode", "StartMode"),
}


def _with_members(members: dict[str, Any]) -> Callable[[Any], Any]:
    def apply(cls: Any) -> Any:
        for name, value in members.items():
            setattr(cls, name, value)
        return cls

    return apply


def _invoke(net: ConfigurationElementNet, name: str) -> Any:
    """Runs a method of the running service, then gives the state as it is."""
    with refusals():
        net.element.section.store.invoke(net.element, name, {})
        return enum("ObjectState", int(net.element.get("state")))  # type: ignore[arg-type]


@_type("ApplicationPoolDefaults", _ELEMENT)
@_with_members(_POOL_ATTRIBUTES)
class ApplicationPoolDefaults(_PoolMembers):
    pass


@_type("ApplicationPool", _ELEMENT)
@_with_members(_POOL_ATTRIBUTES)
class ApplicationPool(_PoolMembers):
    name = _attribute("Name : string", "name")
    state = _attribute("State : ObjectState get", "state", "enum ObjectState", read_only=True)

    @prop("WorkerProcesses : WorkerProcessCollection get")
    def worker_processes(self) -> Any:
        with refusals():
            return wrap_collection(self.element.child("workerProcesses").collection, WorkerProcessCollection)

    @method("Start() : ObjectState")
    def start(self) -> Any:
        return _invoke(self, "Start")

    @method("Stop() : ObjectState")
    def stop(self) -> Any:
        return _invoke(self, "Stop")

    @method("Recycle() : ObjectState")
    def recycle(self) -> Any:
        return _invoke(self, "Recycle")

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("name"))


def _characters(text: str) -> PSArray:
    from winlab.powershell.objects import Char

    return PSArray([Char(c) for c in text], get_type("System.Char"))


class _NamedCollection(_CollectionMembers):
    """A collection whose string index is the key of an item, not an attribute."""

    key = "name"

    def _named(self, name: str) -> Any:
        with refusals():
            found = self.collection.find(**{self.key: name})
        return None if found is None else wrap(found, self.item_class)


@_collection_type("ApplicationPoolCollection", "ApplicationPool")
class ApplicationPoolCollection(_NamedCollection):
    item_class = ApplicationPool

    @indexer("Item[string] : ApplicationPool get")
    def attribute(self, name: str) -> Any:
        return self._named(name)

    @method("Add(string) : ApplicationPool")
    def add_named(self, name: str) -> Any:
        pool = self.create_element()
        pool.name = name
        return self._added(pool, None)

    @static("InvalidApplicationPoolNameCharacters() : char[]")
    def invalid_characters() -> Any:  # type: ignore[misc]
        return _characters(schemas.APPLICATION_POOL_NAME_CHARACTERS)


@_type("VirtualDirectoryDefaults", _ELEMENT)
class VirtualDirectoryDefaults(ConfigurationElementNet):
    logon_method = _enum_attribute("LogonMethod", "logonMethod", "AuthenticationLogonMethod")
    password = _attribute("Password : string", "password")
    user_name = _attribute("UserName : string", "userName")


@_type("VirtualDirectory", _ELEMENT)
class VirtualDirectory(ConfigurationElementNet):
    logon_method = _enum_attribute("LogonMethod", "logonMethod", "AuthenticationLogonMethod")
    password = _attribute("Password : string", "password")
    path = _attribute("Path : string", "path")
    physical_path = _attribute("PhysicalPath : string", "physicalPath")
    user_name = _attribute("UserName : string", "userName")

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("path"))


@_collection_type("VirtualDirectoryCollection", "VirtualDirectory")
class VirtualDirectoryCollection(_NamedCollection):
    item_class = VirtualDirectory
    key = "path"

    @indexer("Item[string] : VirtualDirectory get")
    def attribute(self, path: str) -> Any:
        return self._named(path)

    @method("Add(string,string) : VirtualDirectory")
    def add_directory(self, path: str, physical_path: str) -> Any:
        directory = self.create_element()
        directory.path = path
        directory.physical_path = physical_path
        return self._added(directory, None)

    @static("InvalidVirtualDirectoryPathCharacters() : char[]")
    def invalid_characters() -> Any:  # type: ignore[misc]
        return _characters(schemas.PATH_CHARACTERS)


@_type("ApplicationDefaults", _ELEMENT)
class ApplicationDefaults(ConfigurationElementNet):
    pool_name = _attribute("ApplicationPoolName : string", "applicationPool")
    protocols = _attribute("EnabledProtocols : string", "enabledProtocols")


@_type("Application", _ELEMENT)
class Application(ConfigurationElementNet):
    pool_name = _attribute("ApplicationPoolName : string", "applicationPool")
    protocols = _attribute("EnabledProtocols : string", "enabledProtocols")
    path = _attribute("Path : string", "path")
    virtual_directories = _child_collection(
        "VirtualDirectories : VirtualDirectoryCollection get", "", lambda: VirtualDirectoryCollection
    )
    defaults = _child(
        "VirtualDirectoryDefaults : VirtualDirectoryDefaults get",
        "virtualDirectoryDefaults",
        lambda: VirtualDirectoryDefaults,
    )

    @method("GetWebConfiguration() : Configuration")
    def get_web_configuration(self) -> Any:
        container = self.element.container
        assert container is not None
        return _web_configuration(self.element.section, str(container.owner.get("name")), str(self.element.get("path")))

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("path"))


def _web_configuration(section: Section, site: str, path: str) -> Any:
    return ConfigurationNet(section.configuration.session.web(site, path))


@_collection_type("ApplicationCollection", "Application")
class ApplicationCollection(_NamedCollection):
    item_class = Application
    key = "path"

    @indexer("Item[string] : Application get")
    def attribute(self, path: str) -> Any:
        return self._named(path)

    @method("Add(string,string) : Application")
    def add_application(self, path: str, physical_path: str) -> Any:
        application = self.create_element()
        application.path = path
        application.virtual_directories.add_directory("/", physical_path)
        return self._added(application, None)

    @static("InvalidApplicationPathCharacters() : char[]")
    def invalid_characters() -> Any:  # type: ignore[misc]
        return _characters(schemas.PATH_CHARACTERS)


@_type("Binding", _ELEMENT)
class Binding(ConfigurationElementNet):
    information = _attribute("BindingInformation : string", "bindingInformation")
    protocol = _attribute("Protocol : string", "protocol")
    ssl_flags = _enum_attribute("SslFlags", "sslFlags", "SslFlags")
    store_name = _attribute("CertificateStoreName : string", "certificateStoreName")
    ds_mapper = _attribute("UseDsMapper : bool", "isDsMapperEnabled")

    def _parts(self) -> tuple[str, int | None, str]:
        return parse_binding(str(self.element.get("protocol")), str(self.element.get("bindingInformation")))

    @prop("Host : string get")
    def host(self) -> str:
        address, port, host = self._parts()
        return host if self._end_point_of(address, port) is not None else ""

    @prop("EndPoint : Net.IPEndPoint get")
    def end_point(self) -> Any:
        address, port, _ = self._parts()
        return self._end_point_of(address, port)

    def _end_point_of(self, address: str, port: int | None) -> Any:
        import ipaddress

        if port is None:
            return None
        try:
            ip = ipaddress.ip_address(address.strip("[]") or "0.0.0.0")
        except ValueError:
            return None
        return _end_point(str(ip), port)

    @prop("IsIPPortHostBinding : bool get")
    def is_ip_port_host(self) -> bool:
        return str(self.element.get("protocol")).lower() in ("http", "https", "ftp")

    @prop("CertificateHash : byte[]")
    def certificate_hash(self) -> Any:
        with refusals():
            text = str(self.element.get("certificateHash"))
        return ByteArray(bytes.fromhex(text)) if text else None

    @certificate_hash.setter
    def certificate_hash(self, value: Any) -> None:
        with refusals():
            self.element.section.check_writable()
            self.element.section.store.invoke(
                self.element, "SetCertificateHash", {"certificateHash": bytes(value).hex().upper() if value else ""}
            )

    @method("ToString() : string")
    def to_string(self) -> str:
        text = str(self.element.get("bindingInformation"))
        return "*" + text if text.startswith(":") else text


def _end_point(address: str, port: int) -> Any:
    parsed = next(o for o in get_type("System.Net.IPAddress").methods("Parse", is_static=True) if o.fn is not None)
    assert parsed.fn is not None
    return _construct("System.Net.IPEndPoint", ["Net.IPAddress", "Int32"], parsed.fn(address), port)


@_collection_type("BindingCollection", "Binding")
class BindingCollection(_CollectionMembers):
    item_class = Binding

    @method("Add(string,string) : Binding")
    def add_binding(self, information: str, protocol: str) -> Any:
        return self._add_binding(information, protocol)

    @method("Add(string,byte[],string) : Binding")
    def add_https(self, information: str, certificate_hash: Any, store: str) -> Any:
        return self._add_binding(information, "https", certificate_hash, store)

    @method("Add(string,byte[],string,SslFlags) : Binding")
    def add_https_flags(self, information: str, certificate_hash: Any, store: str, flags: Any) -> Any:
        return self._add_binding(information, "https", certificate_hash, store, int(flags))

    def _add_binding(
        self, information: str, protocol: str, certificate_hash: Any = None, store: str = "MY", flags: int = 0
    ) -> Any:
        binding = self.create_element()
        binding.information = information
        binding.protocol = protocol
        if flags:
            binding.element.set("sslFlags", flags)
        self._added(binding, None)
        if certificate_hash:
            arguments: dict[str, schemas.Value] = {
                "certificateHash": bytes(certificate_hash).hex().upper(),
                "certificateStoreName": store or "MY",
            }
            with refusals():
                binding.element.section.configuration.session.after_commit(
                    binding.element, "AddSslCertificate", arguments
                )
        return binding

    @method("Remove(Binding,bool) : void")
    def remove_config_only(self, binding: Any, config_only: bool) -> None:
        self.remove(binding)


@_type("SiteLimits", _ELEMENT)
class SiteLimits(ConfigurationElementNet):
    timeout = _attribute("ConnectionTimeout : TimeSpan", "connectionTimeout")
    bandwidth = _attribute("MaxBandwidth : long", "maxBandwidth")
    connections = _attribute("MaxConnections : long", "maxConnections")
    segments = _attribute("MaxUrlSegments : long", "maxUrlSegments")


@_type("CustomLogField", _ELEMENT)
class CustomLogField(ConfigurationElementNet):
    field_name = _attribute("LogFieldName : string", "logFieldName")
    source_name = _attribute("SourceName : string", "sourceName")
    source_type = _enum_attribute("SourceType", "sourceType", "CustomLogFieldSourceType")


@_collection_type("CustomLogFieldCollection", "CustomLogField")
class CustomLogFieldCollection(_CollectionMembers):
    item_class = CustomLogField

    @method("Add(string,string,CustomLogFieldSourceType) : CustomLogField")
    def add_field(self, name: str, source: str, kind: Any) -> Any:
        item = self.create_element()
        item.field_name, item.source_name, item.source_type = name, source, kind
        return self._added(item, None)


@_type("SiteLogFile", _ELEMENT)
class SiteLogFile(ConfigurationElementNet):
    custom_fields = _child_collection(
        "CustomLogFields : CustomLogFieldCollection get", "customFields", lambda: CustomLogFieldCollection
    )
    plugin = _attribute("CustomLogPluginClsid : Guid", "customLogPluginClsid")
    directory = _attribute("Directory : string", "directory")
    enabled = _attribute("Enabled : bool", "enabled")
    local_time = _attribute("LocalTimeRollover : bool", "localTimeRollover")
    flags = _enum_attribute("LogExtFileFlags", "logExtFileFlags", "LogExtFileFlags")
    format = _enum_attribute("LogFormat", "logFormat", "LogFormat")
    target = _enum_attribute("LogTargetW3C", "logTargetW3C", "LogTargetW3C")
    period = _enum_attribute("Period", "period", "LoggingRolloverPeriod")
    truncate_size = _attribute("TruncateSize : long", "truncateSize")


@_type("SiteTraceFailedRequestsLogging", _ELEMENT)
class SiteTraceFailedRequestsLogging(ConfigurationElementNet):
    directory = _attribute("Directory : string", "directory")
    enabled = _attribute("Enabled : bool", "enabled")
    max_files = _attribute("MaxLogFiles : long", "maxLogFiles")


_SITE_CHILDREN = {
    "limits": _child("Limits : SiteLimits get", "limits", lambda: SiteLimits),
    "log_file": _child("LogFile : SiteLogFile get", "logFile", lambda: SiteLogFile),
    "auto_start": _attribute("ServerAutoStart : bool", "serverAutoStart"),
    "tracing": _child(
        "TraceFailedRequestsLogging : SiteTraceFailedRequestsLogging get",
        "traceFailedRequestsLogging",
        lambda: SiteTraceFailedRequestsLogging,
    ),
}


@_type("SiteDefaults", _ELEMENT)
@_with_members(_SITE_CHILDREN)
class SiteDefaults(ConfigurationElementNet):
    pass


@_type("Site", _ELEMENT)
@_with_members(_SITE_CHILDREN)
class Site(ConfigurationElementNet):
    name = _attribute("Name : string", "name")
    id = _attribute("Id : long", "id")
    state = _attribute("State : ObjectState get", "state", "enum ObjectState", read_only=True)
    applications = _child_collection("Applications : ApplicationCollection get", "", lambda: ApplicationCollection)
    bindings = _child_collection("Bindings : BindingCollection get", "bindings", lambda: BindingCollection)
    application_defaults = _child(
        "ApplicationDefaults : ApplicationDefaults get", "applicationDefaults", lambda: ApplicationDefaults
    )
    directory_defaults = _child(
        "VirtualDirectoryDefaults : VirtualDirectoryDefaults get",
        "virtualDirectoryDefaults",
        lambda: VirtualDirectoryDefaults,
    )

    @method("GetWebConfiguration() : Configuration")
    def get_web_configuration(self) -> Any:
        return _web_configuration(self.element.section, str(self.element.get("name")), "/")

    @method("Start() : ObjectState")
    def start(self) -> Any:
        return _invoke(self, "Start")

    @method("Stop() : ObjectState")
    def stop(self) -> Any:
        return _invoke(self, "Stop")

    @method("ToString() : string")
    def to_string(self) -> str:
        return str(self.element.get("name"))


@_collection_type("SiteCollection", "Site")
class SiteCollection(_NamedCollection):
    item_class = Site

    @indexer("Item[string] : Site get")
    def attribute(self, name: str) -> Any:
        return self._named(name)

    @method("Add(string,string,int) : Site")
    def add_port(self, name: str, physical_path: str, port: int) -> Any:
        return self._add_site(name, "http", f"*:{port}:", physical_path)

    @method("Add(string,string,string,string) : Site")
    def add_protocol(self, name: str, protocol: str, information: str, physical_path: str) -> Any:
        return self._add_site(name, protocol, information, physical_path)

    @method("Add(string,string,string,byte[]) : Site")
    def add_https(self, name: str, information: str, physical_path: str, certificate_hash: Any) -> Any:
        return self._add_site(name, "https", information, physical_path, certificate_hash)

    @method("Add(string,string,string,byte[],string) : Site")
    def add_https_store(
        self, name: str, information: str, physical_path: str, certificate_hash: Any, store: str
    ) -> Any:
        return self._add_site(name, "https", information, physical_path, certificate_hash, store)

    @method("Add(string,string,string,byte[],string,SslFlags) : Site")
    def add_https_flags(
        self, name: str, information: str, physical_path: str, certificate_hash: Any, store: str, flags: Any
    ) -> Any:
        return self._add_site(name, "https", information, physical_path, certificate_hash, store, int(flags))

    def _add_site(
        self,
        name: str,
        protocol: str,
        information: str,
        physical_path: str,
        certificate_hash: Any = None,
        store: str = "MY",
        flags: int = 0,
    ) -> Any:
        site = self.create_element()
        site.name = name
        with refusals():
            site.element.set("id", max((int(s.get("id")) for s in self.collection), default=0) + 1)  # type: ignore[arg-type]
        site.bindings._add_binding(information, protocol, certificate_hash, store, flags)
        site.applications.add_application("/", physical_path)
        return self._added(site, None)

    @static("InvalidSiteNameCharacters() : char[]")
    def invalid_characters() -> Any:  # type: ignore[misc]
        return _characters(schemas.SITE_NAME_CHARACTERS)


# -- what runs


@_type("Request", _ELEMENT)
class Request(ConfigurationElementNet):
    client = _attribute("ClientIPAddr : string get", "clientIpAddress", read_only=True)
    connection = _attribute("ConnectionId : string get", "connectionId", read_only=True)
    module = _attribute("CurrentModule : string get", "currentModule", read_only=True)
    host = _attribute("HostName : string get", "hostName", read_only=True)
    local_address = _attribute("LocalIPAddress : string get", "localIpAddress", read_only=True)
    local_port = _attribute("LocalPort : int get", "localPort", read_only=True)
    pipeline_state = _attribute(
        "PipelineState : PipelineState get", "pipeLineState", "enum PipelineState", read_only=True
    )
    request_id = _attribute("RequestId : string get", "requestId", read_only=True)
    site_id = _attribute("SiteId : int get", "siteId", read_only=True)
    elapsed = _attribute("TimeElapsed : int get", "timeElapsed", read_only=True)
    time_in_module = _attribute("TimeInModule : int get", "timeInModule", read_only=True)
    time_in_state = _attribute("TimeInState : int get", "timeInState", read_only=True)
    url = _attribute("Url : string get", "url", read_only=True)
    verb = _attribute("Verb : string get", "verb", read_only=True)


@_collection_type("RequestCollection", "Request")
class RequestCollection(_CollectionMembers):
    item_class = Request


@_type("WorkerProcess", _ELEMENT)
class WorkerProcess(ConfigurationElementNet):
    pool_name = _attribute("AppPoolName : string get", "appPoolName", read_only=True)
    guid = _attribute("ProcessGuid : string get", "guid", read_only=True)
    process_id = _attribute("ProcessId : int get", "processId", read_only=True)
    state = _attribute("State : WorkerProcessState get", "state", "enum WorkerProcessState", read_only=True)

    @method("GetRequests(int) : RequestCollection")
    def get_requests(self, time_elapsed: int) -> Any:
        raise LabUnsupported("WorkerProcess.GetRequests")


@_collection_type("WorkerProcessCollection", "WorkerProcess")
class WorkerProcessCollection(_CollectionMembers):
    item_class = WorkerProcess

    @method("GetWorkerProcess(int) : WorkerProcess")
    def by_id(self, process_id: int) -> Any:
        return next((w for w in self if int(w.element.get("processId")) == process_id), None)


# -- section declarations


@_type("SectionDefinition")
class SectionDefinitionNet(NetObject):
    def __init__(self, configuration: Configuration, definition: SectionDefinition):
        self._configuration = configuration
        self._definition = definition

    def _set(self, name: str, value: str) -> None:
        with refusals():
            self._configuration.check_writable()
        self._definition.xml.set(name, value)

    @prop("Name : string get")
    def name(self) -> str:
        return self._definition.name

    @prop("AllowDefinition : string")
    def allow_definition(self) -> str:
        return self._definition.allow_definition

    @allow_definition.setter
    def allow_definition(self, value: str) -> None:
        self._set("allowDefinition", value)

    @prop("AllowLocation : string")
    def allow_location(self) -> str:
        return self._definition.xml.get("allowLocation") or "true"

    @allow_location.setter
    def allow_location(self, value: str) -> None:
        self._set("allowLocation", value)

    @prop("OverrideModeDefault : string")
    def override_mode_default(self) -> str:
        return self._definition.override_mode_default

    @override_mode_default.setter
    def override_mode_default(self, value: str) -> None:
        self._set("overrideModeDefault", value)

    @prop("Type : string")
    def type(self) -> str:
        return self._definition.xml.get("type") or ""

    @type.setter
    def type(self, value: str) -> None:
        self._set("type", value)


@_type("SectionDefinitionCollection", interfaces=_COLLECTION)
class SectionDefinitionCollection(_Sequence):
    def __init__(self, configuration: Configuration, group: str):
        self._configuration = configuration
        self._group = group

    def _items(self) -> list[Any]:
        group = _group_at(self._configuration, self._group)
        return [SectionDefinitionNet(self._configuration, s) for s in group.sections] if group else []

    @indexer("Item[int] : SectionDefinition get")
    def at(self, index: int) -> Any:
        return _at(self._items(), index)

    @indexer("Item[string] : SectionDefinition get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @method("Add(string) : SectionDefinition")
    def add(self, name: str) -> Any:
        with refusals():
            return SectionDefinitionNet(
                self._configuration, self._configuration.add_section_definition(self._group, name)
            )

    @method("Remove(string) : void")
    def remove(self, name: str) -> None:
        with refusals():
            self._configuration.check_writable()
        found = self._by_name(name)
        if found is not None:
            xml = found._definition.xml
            xml.parent.remove(xml)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._items())


def _group_at(configuration: Configuration, path: str) -> SectionGroup | None:
    with refusals():
        group: SectionGroup | None = configuration.sections()
    for part in filter(None, path.split("/")):
        group = next((g for g in group.groups if g.name == part), None) if group else None
    return group


@_type("SectionGroup")
class SectionGroupNet(NetObject):
    def __init__(self, configuration: Configuration, path: str):
        self._configuration = configuration
        self._path = path

    @prop("Name : string get")
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    @prop("SectionGroups : SectionGroupCollection get")
    def groups(self) -> Any:
        return SectionGroupCollection(self._configuration, self._path)

    @prop("Sections : SectionDefinitionCollection get")
    def sections(self) -> Any:
        return SectionDefinitionCollection(self._configuration, self._path)

    @prop("Type : string")
    def type(self) -> str:
        group = _group_at(self._configuration, self._path)
        return (group.xml.get("type") or "") if group and group.xml is not None else ""


@_type("SectionGroupCollection", interfaces=_COLLECTION)
class SectionGroupCollection(_Sequence):
    def __init__(self, configuration: Configuration, group: str):
        self._configuration = configuration
        self._group = group

    def _items(self) -> list[Any]:
        group = _group_at(self._configuration, self._group)
        return [SectionGroupNet(self._configuration, g.path) for g in group.groups] if group else []

    @indexer("Item[int] : SectionGroup get")
    def at(self, index: int) -> Any:
        return _at(self._items(), index)

    @indexer("Item[string] : SectionGroup get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @method("Add(string) : SectionGroup")
    def add(self, name: str) -> Any:
        with refusals():
            self._configuration.add_section_group(self._group, name)
        return SectionGroupNet(self._configuration, f"{self._group}/{name}".strip("/"))

    @method("Remove(string) : void")
    def remove(self, name: str) -> None:
        with refusals():
            self._configuration.check_writable()
        group = _group_at(self._configuration, f"{self._group}/{name}".strip("/"))
        if group is not None and group.xml is not None and group.xml.parent is not None:
            group.xml.parent.remove(group.xml)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._items())


# -- configurations and the manager


@_type("Configuration")
class ConfigurationNet(NetObject):
    def __init__(self, configuration: Configuration):
        self.configuration = configuration

    @method("GetSection(string) : ConfigurationSection")
    def get_section(self, path: str) -> Any:
        with refusals():
            return self._checked(_need(path, "sectionPath"), None)

    @method("GetSection(string,string) : ConfigurationSection")
    def get_section_at(self, path: str, location: str) -> Any:
        with refusals():
            return self._checked(_need(path, "sectionPath"), location or None)

    def _checked(self, path: str, location: str | None) -> Any:
        """Duplicates and locked items are met when the section is asked for, not when one of its collections is."""
        section = self.configuration.section(path, location)
        section.validate()
        return wrap(section)

    @method("GetLocationPaths() : string[]")
    def get_location_paths(self) -> Any:
        with refusals():
            return PSArray(self.configuration.location_paths(), get_type("System.String"))

    @method("RemoveLocationPath(string) : void")
    def remove_location_path(self, path: str) -> None:
        with refusals():
            self.configuration.remove_location(path)

    @method("RenameLocationPath(string,string) : void")
    def rename_location_path(self, path: str, new_path: str) -> None:
        with refusals():
            self.configuration.rename_location(path, new_path)

    @method("GetEffectiveSectionGroup() : SectionGroup")
    def get_effective_section_group(self) -> Any:
        return SectionGroupNet(self.configuration.session.apphost(), "")

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        return _no_metadata(name)

    @prop("RootSectionGroup : SectionGroup get")
    def root_section_group(self) -> Any:
        return SectionGroupNet(self.configuration, "")


def _section(manager: ServerManager, path: str) -> Section:
    return manager.session.apphost().section(path)


@_type("ServerManager", interfaces=("IDisposable",))
class ServerManager(NetObject):
    """Microsoft.Web.Administration.ServerManager of this server. `store` is given by Python code; scripts get their user's view."""

    def __init__(self, store: ConfigStore | None = None):
        if store is None:
            from winlab.iis.files import user_store

            store = user_store(context.machine(), context.user())
        self.session: Session = store.session()

    @ctor("()")
    def new(self) -> None:
        ServerManager.__init__(self)

    @ctor("(string)")
    def new_for_file(self, path: str) -> None:
        raise LabUnsupported("a ServerManager over another applicationHost.config")

    @ctor("(bool,string)")
    def new_read_only(self, read_only: bool, path: str) -> None:
        if path:
            raise LabUnsupported("a ServerManager over another applicationHost.config")
        ServerManager.__init__(self)
        self.session.read_only = read_only

    @method("GetAdministrationConfiguration() : Configuration")
    def get_administration_configuration(self) -> Any:
        raise LabUnsupported("ServerManager.GetAdministrationConfiguration")

    @method("GetRedirectionConfiguration() : Configuration")
    def get_redirection_configuration(self) -> Any:
        raise LabUnsupported("ServerManager.GetRedirectionConfiguration")

    @method("GetMetadata(string) : object")
    def get_metadata(self, name: str) -> Any:
        return _no_metadata(name)

    @method("SetMetadata(string,object) : void")
    def set_metadata(self, name: str, value: Any) -> None:
        _no_metadata(name)

    @static("OpenRemote(string) : ServerManager")
    def open_remote(server: str) -> Any:  # type: ignore[misc]
        raise net_exception(
            ConfigError(
                0x800706BA,
                "Retrieving the COM class factory for remote component with CLSID {2B72133B-3F5B-4602-8952-803546CE3344} from machine "
                f"{server} failed due to the following error: 800706ba {server}.",
                bare=True,
            )
        )

    @method("CommitChanges() : void")
    def commit_changes(self) -> None:
        with refusals():
            self.session.commit()

    @method("Dispose() : void")
    def dispose(self) -> None:
        self.session.reset()

    @method("GetApplicationHostConfiguration() : Configuration")
    def get_application_host_configuration(self) -> Any:
        return ConfigurationNet(self.session.apphost())

    @method("GetWebConfiguration(string) : Configuration")
    def get_web_configuration(self, site: str) -> Any:
        return ConfigurationNet(self.session.web(_need(site, "siteName")))

    @method("GetWebConfiguration(string,string) : Configuration")
    def get_web_configuration_at(self, site: str, path: str) -> Any:
        return ConfigurationNet(self.session.web(_need(site, "siteName"), path or "/"))

    @prop("ApplicationPools : ApplicationPoolCollection get")
    def application_pools(self) -> Any:
        with refusals():
            collection = _section(self, "system.applicationHost/applicationPools").collection
            return wrap_collection(collection, ApplicationPoolCollection)

    @prop("Sites : SiteCollection get")
    def sites(self) -> Any:
        with refusals():
            collection = _section(self, "system.applicationHost/sites").collection
            return wrap_collection(collection, SiteCollection)

    @prop("WorkerProcesses : WorkerProcessCollection get")
    def worker_processes(self) -> Any:
        with refusals():
            element = _section(self, "system.applicationHost/applicationPools").child("workerProcesses")
            return wrap_collection(element.collection, WorkerProcessCollection)

    @prop("ApplicationPoolDefaults : ApplicationPoolDefaults get")
    def application_pool_defaults(self) -> Any:
        with refusals():
            section = _section(self, "system.applicationHost/applicationPools")
            return wrap(section.child("applicationPoolDefaults"), ApplicationPoolDefaults)

    @prop("SiteDefaults : SiteDefaults get")
    def site_defaults(self) -> Any:
        with refusals():
            return wrap(_section(self, "system.applicationHost/sites").child("siteDefaults"), SiteDefaults)

    @prop("ApplicationDefaults : ApplicationDefaults get")
    def application_defaults(self) -> Any:
        with refusals():
            return wrap(
                _section(self, "system.applicationHost/sites").child("applicationDefaults"), ApplicationDefaults
            )

    @prop("VirtualDirectoryDefaults : VirtualDirectoryDefaults get")
    def virtual_directory_defaults(self) -> Any:
        with refusals():
            section = _section(self, "system.applicationHost/sites")
            return wrap(section.child("virtualDirectoryDefaults"), VirtualDirectoryDefaults)
