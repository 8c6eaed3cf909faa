"""Every section of the schema, whatever it is called: each attribute set and read back, each collection given an item and relieved of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from winlab.iis.config import APPHOST, ConfigStore
from winlab.iis.elements import Element
from winlab.iis.schema import SCHEMA_DIR, AttributeSchema, ElementSchema, Schema, Value

_NAMES = {
    "applicationPoolName": "Some Pool",
    "siteName": "Some Site",
    "applicationPath": "/some",
    "virtualDirectoryPath": "/some",
}
_SCHEMA = Schema.load(
    [(SCHEMA_DIR / "IIS_schema.xml").read_bytes(), (SCHEMA_DIR / "httpplatform_schema.v2.xml").read_bytes()]
)
# Sections of other files than applicationHost.config.
_ELSEWHERE = {
    "configPaths",
    "moduleProviders",
    "modules",
    "administratorsProviders",
    "administrators",
    "configurationRedirection",
}
_SECTIONS = sorted(
    p for p in _SCHEMA.sections if p not in _ELSEWHERE and not p.startswith("system.webServer/management/")
)


def _valid(attribute: AttributeSchema) -> Value:
    """A value that the schema allows and that is not the default."""
    if attribute.type == "bool":
        return not attribute.default
    if attribute.type in ("enum", "flags"):
        return next((number for _, number in reversed(attribute.values) if number != attribute.default), 0)
    parts = attribute.validation_parameter.split(",")
    if attribute.type == "timeSpan":
        if attribute.validation_type != "timeSpanRange":
            return timedelta(hours=3)
        low, high, step = (int(p) for p in parts[:3])
        value = max(low, step)
        value = value if timedelta(seconds=value) != attribute.default else value + step
        assert value <= high
        return timedelta(seconds=value)
    if attribute.type == "string":
        return _NAMES.get(attribute.validation_type, "some text")
    if attribute.validation_type == "integerRange":
        low, high = int(parts[0]), int(parts[1])
        if len(parts) > 2:
            return high + 7
        return next(n for n in range(low, high + 1) if n != attribute.default)
    return 77


def _elements(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children():
        if not child.schema.dynamic:
            yield from _elements(child)


def _names(schema: ElementSchema) -> list[str]:
    return [n for n, a in schema.attributes.items() if not a.dynamic and not a.encrypted]


@pytest.fixture
def store(make_store: Callable[..., ConfigStore]) -> ConfigStore:
    return make_store("delegated")


def _ready(store: ConfigStore, path: str) -> None:
    group, _, name = path.rpartition("/")
    session = store.session()
    if all(d.path != path for d in session.apphost().sections().walk()):
        session.apphost().add_section_definition(group, name)
        session.commit()


@pytest.mark.parametrize("path", _SECTIONS)
def test_each_attribute_keeps_what_it_is_given(store: ConfigStore, path: str) -> None:
    _ready(store, path)
    session = store.session()
    wanted: list[tuple[str, Value]] = []
    for element in _elements(session.apphost().section(path)):
        for name in _names(element.schema):
            if element.schema.is_collection_default and name in ("name", "id", "path"):
                continue
            value = _valid(element.schema.attributes[name])
            element.set(name, value)
            wanted.append((name, value))
    session.commit()
    again = store.session().apphost().section(path)
    again.validate()
    found = [
        (name, element.get(name))
        for element in _elements(again)
        for name in _names(element.schema)
        if not (element.schema.is_collection_default and name in ("name", "id", "path"))
    ]
    assert found == wanted


@pytest.mark.parametrize("path", _SECTIONS)
def test_each_collection_takes_an_item_and_gives_it_back(store: ConfigStore, path: str) -> None:
    _ready(store, path)
    before = store.files.read(APPHOST)
    owners = [e for e in _elements(store.session().apphost().section(path)) if e.has_collection]
    for number in range(len(owners)):
        session = store.session()
        owner = [e for e in _elements(session.apphost().section(path)) if e.has_collection][number]
        count = len(owner.collection)
        item = owner.collection.create()
        for name in _names(item.schema):
            item.set(name, _valid(item.schema.attributes[name]))
        owner.collection.add(item)
        session.commit()
        session = store.session()
        owner = [e for e in _elements(session.apphost().section(path)) if e.has_collection][number]
        assert len(owner.collection) == count + 1
        added = owner.collection[count]
        assert [added.get(n) for n in _names(added.schema)] == [
            _valid(added.schema.attributes[n]) for n in _names(added.schema)
        ]
        owner.collection.remove(added)
        session.commit()
        assert (
            len([e for e in _elements(store.session().apphost().section(path)) if e.has_collection][number].collection)
            == count
        )
    if all(e.own is not None for e in owners):
        assert store.files.read(APPHOST) == before
