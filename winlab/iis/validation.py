"""Checks of what a configuration file holds: against the schema, the declarations and the locks of the files above it."""

from __future__ import annotations

from typing import Any

from winlab.iis.configfile import ConfigFile, Declarations, Source
from winlab.iis.errors import (
    E_BAD_DATA,
    E_LOCK_VIOLATION,
    E_NOT_SUPPORTED,
    LOCK_VIOLATION,
    ConfigError,
)
from winlab.iis.schema import CollectionSchema, ElementSchema, Schema
from winlab.iis.xmltext import XmlElement

_LOCK_ATTRIBUTES = ("lockAttributes", "lockElements", "lockAllAttributesExcept", "lockAllElementsExcept", "lockItem")


def name_list(text: str | None) -> list[str]:
    return [n.strip() for n in (text or "").split(",") if n.strip()]


def is_true(text: str | None) -> bool:
    return (text or "").strip().lower() == "true"


def _locks(xml: XmlElement, listed: str, except_: str, name: str) -> bool:
    names = name_list(xml.get(listed))
    if name in names or "*" in names:
        return True
    allowed = xml.get(except_)
    return allowed is not None and name not in name_list(allowed)


def locks_attribute(xml: XmlElement, name: str) -> bool:
    return _locks(xml, "lockAttributes", "lockAllAttributesExcept", name)


def locks_element(xml: XmlElement, name: str) -> bool:
    return _locks(xml, "lockElements", "lockAllElementsExcept", name)


def validate_element(xml: XmlElement, schema: ElementSchema, file: ConfigFile, above: list[Source]) -> None:
    """Checks one element of a file against the schema and the locks of other files above it."""
    foreign = [s for s in above if s.file is not file]
    if any(is_true(s.xml.get("lockItem")) for s in foreign):
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
        if any(locks_attribute(s.xml, name) for s in foreign):
            raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, xml.line)
    for attribute in known.values():
        if attribute.required and attribute.name not in present:
            raise ConfigError(E_BAD_DATA, f"Missing required attribute '{attribute.name}'", file.path, xml.line)


def _check_other_attribute(name: str, text: str, xml: XmlElement, schema: ElementSchema, file: ConfigFile) -> None:
    if name in ("lockAttributes", "lockAllAttributesExcept"):
        for listed in name_list(text):
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
    if any(locks_element(s.xml, child.name) for s in foreign):
        raise ConfigError(E_LOCK_VIOLATION, LOCK_VIOLATION, file.path, child.line)
    collection = schema.collection
    if collection and child.name in collection.add_names:
        validate_element(child, collection.item, file, [])
    elif collection and collection.remove_name and child.name == collection.remove_name:
        _validate_remove(child, collection, file)
    elif collection and collection.clear_name and child.name == collection.clear_name:
        for name, _ in child.attributes():
            raise ConfigError(E_BAD_DATA, f"Unrecognized attribute '{name}'", file.path, child.line)
    elif child.name in schema.children and not schema.children[child.name].dynamic:
        inner = [Source(x, s.file) for s in above if (x := s.xml.find(child.name)) is not None]
        validate_element(child, schema.children[child.name], file, inner)
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
        if schema.section(path) is None and not is_dot_net(path):
            raise ConfigError(E_BAD_DATA, "", file.path)
        return
    if declarations.is_group(path):
        for child in xml.elements:
            _check_known(child, f"{path}/{child.name}", file, declarations, schema)
        return
    if is_dot_net(path):
        return
    if "/" in path or file.is_apphost:
        raise ConfigError(E_BAD_DATA, "", file.path)
    text = f"The configuration section '{path}' cannot be read because it is missing a section declaration"
    raise ConfigError(E_NOT_SUPPORTED, text, file.path, xml.line)


def is_dot_net(path: str) -> bool:
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
