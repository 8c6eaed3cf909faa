"""One configuration file: its text as a tree, the section declarations and location tags in it, and the places where a section may stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from winlab.iis.errors import (
    E_ALREADY_EXISTS,
    E_BAD_DATA,
    ConfigError,
)
from winlab.iis.xmltext import XmlDocument, XmlElement, XmlError

MODES = ("Inherit", "Allow", "Deny")


class ConfigFile:
    """A configuration file as it was read, and as it is after edits in memory."""

    def __init__(self, path: str, data: bytes | None, failure: ConfigError | None = None):
        self.path = path
        self.original = data
        self.below_application = False
        """Whether it is the web.config of a folder inside an application (set when the hierarchy is walked)."""
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
        sections = document.root.find("configSections")
        if sections is not None and document.root.elements[0] is not sections:
            text = "Only one <configSections> element allowed.  It must be the first child element of the root <configuration> element   "
            self._failure = ConfigError(E_BAD_DATA, text, self.path, sections.line)
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


def find_in_groups(container: XmlElement, parts: list[str]) -> list[XmlElement]:
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
            return self._single(find_in_groups(self.file.root, parts), section), "Inherit"
        found: list[XmlElement] = []
        mode = "Inherit"
        for tag in self.file.locations():
            if location_path(tag).lower() == self.location.lower():
                inside = find_in_groups(tag, parts)
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


def segments_of(path: str) -> list[str]:
    return [s for s in path.split("/") if s]
