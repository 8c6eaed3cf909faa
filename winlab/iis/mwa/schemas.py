"""The schema as Microsoft.Web.Administration shows it."""

from __future__ import annotations

from typing import Any

from winlab.iis import schema as schemas
from winlab.iis.mwa.values import (
    COLLECTION,
    Sequence,
    item_at,
    mwa_type,
    no_metadata,
    to_net,
)
from winlab.powershell.dotnet.core import indexer, method, prop
from winlab.powershell.objects import NetObject


@mwa_type("ConfigurationEnumValue")
class ConfigurationEnumValue(NetObject):
    def __init__(self, name: str, value: int):
        self._name, self._value = name, value

    @prop("Name : string get")
    def name(self) -> str:
        return self._name

    @prop("Value : long get")
    def value(self) -> int:
        return self._value


@mwa_type("ConfigurationEnumValueCollection", interfaces=COLLECTION)
class ConfigurationEnumValueCollection(Sequence):
    def __init__(self, values: list[tuple[str, int]]):
        self._values = [ConfigurationEnumValue(n, v) for n, v in values]

    def _items(self) -> list[Any]:
        return self._values

    @indexer("Item[int] : ConfigurationEnumValue get")
    def at(self, index: int) -> Any:
        return item_at(self._values, index)

    @indexer("Item[string] : ConfigurationEnumValue get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @method("GetName(long) : string")
    def get_name(self, value: int) -> str | None:
        return next((v.name for v in self._values if v.value == value), None)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._values)


@mwa_type("ConfigurationAttributeSchema")
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
        return no_metadata(name)


@mwa_type("ConfigurationAttributeSchemaCollection", interfaces=COLLECTION)
class ConfigurationAttributeSchemaCollection(Sequence):
    def __init__(self, attributes: list[schemas.AttributeSchema]):
        self._attributes = [ConfigurationAttributeSchema(a) for a in attributes]

    def _items(self) -> list[Any]:
        return self._attributes

    @indexer("Item[int] : ConfigurationAttributeSchema get")
    def at(self, index: int) -> Any:
        return item_at(self._attributes, index)

    @indexer("Item[string] : ConfigurationAttributeSchema get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._attributes)


@mwa_type("ConfigurationElementSchema")
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
        return no_metadata(name)


@mwa_type("ConfigurationElementSchemaCollection", interfaces=COLLECTION)
class ConfigurationElementSchemaCollection(Sequence):
    def __init__(self, elements: list[schemas.ElementSchema]):
        self._elements = [ConfigurationElementSchema(e) for e in elements]

    def _items(self) -> list[Any]:
        return self._elements

    @indexer("Item[int] : ConfigurationElementSchema get")
    def at(self, index: int) -> Any:
        return item_at(self._elements, index)

    @indexer("Item[string] : ConfigurationElementSchema get")
    def named(self, name: str) -> Any:
        return self._by_name(name)

    @prop("Count : int get")
    def count(self) -> int:
        return len(self._elements)


@mwa_type("ConfigurationCollectionSchema")
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
        return no_metadata(name)
