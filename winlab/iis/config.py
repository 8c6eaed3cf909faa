r"""The configuration system of IIS: a hierarchy of files under a schema, with inheritance, locking and edits that leave a file's other text alone.

Levels, outermost first: the schema's defaults; applicationHost.config (with its `<location path="">`); for each part of `Site/app/dir` the location tags
for it in the files above and then the web.config of its folder. `ConfigStore.reader()` answers what is in effect for a path; `ConfigStore.session()` is what
one ServerManager sees: a snapshot that can be edited and committed.

Terms as in Microsoft's documentation: a section is stored *locally* when the file (and location) that is being edited holds it; it is *locked* when a file
above says so (overrideModeDefault, overrideMode of a location tag); locks never bind other parts of the same file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from winlab.iis.configfile import (
    ConfigFile,
    Declarations,
    Layer,
    SectionDefinition,
    SectionGroup,
    Source,
    declared,
    find_in_groups,
    location_mode,
    location_path,
    segments_of,
)
from winlab.iis.elements import Collection as Collection
from winlab.iis.elements import Element
from winlab.iis.errors import (
    E_FILE_NOT_FOUND,
    E_LOCK_VIOLATION,
    E_NOT_SUPPORTED,
    E_PATH_NOT_FOUND,
    E_SHARING_VIOLATION,
    SECTION_LOCKED,
    ConfigError,
    read_only_error,
)
from winlab.iis.reader import Reader
from winlab.iis.schema import AttributeSchema, ElementSchema, Schema, Value
from winlab.iis.validation import check_content, is_dot_net, validate_element
from winlab.iis.xmltext import XmlElement

CONFIG_DIR = r"C:\Windows\system32\inetsrv\config"
APPHOST = CONFIG_DIR + r"\applicationHost.config"
APPHOST_PATH = "MACHINE/WEBROOT/APPHOST"


class Files(Protocol):
    """What the configuration system needs of a server's disk. Paths are absolute Windows paths."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, None when there is no such file. Raises ConfigError (0x80070005) when it may not be read."""

    def write(self, path: str, data: bytes) -> None:
        """Replaces the file in one step. Raises ConfigError when that is not possible."""

    def is_dir(self, path: str) -> bool:
        """Whether there is a folder."""

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

    @property
    def is_locally_stored(self) -> bool:
        return self.file_is_root or self._own is not None or self._stored_for_exact_path

    def _load(self) -> None:
        """Walks the layers from the machine down, checking content and locks, and sets what is inherited and what is local."""
        effective = self.definition.override_mode_default
        locked_by: ConfigFile | None = None if effective == "Allow" else self.configuration.apphost_file
        found: list[tuple[Source, str]] = []
        self._stored_for_exact_path = False
        self.inherited_mode = effective
        own_layers = self.configuration.own_layers(self.layers)
        for layer in self.layers:
            xml, mode = layer.find(self.path)
            if xml is None:
                continue
            locked = effective == "Deny" and locked_by is not None and self._binds(layer.file, locked_by)
            if locked or not self._allowed_in(layer.file):
                raise ConfigError(E_LOCK_VIOLATION, SECTION_LOCKED, layer.file.path, xml.line)
            if mode != "Inherit":
                effective, locked_by = mode, layer.file
            above = [source for source, _ in reversed(found)]
            validate_element(xml, self.schema, layer.file, above)
            found.append((Source(xml, layer.file), mode))
            if layer not in own_layers:
                self.inherited_mode = effective
                exact = layer.location is not None and layer.location.lower() == self.configuration.site_path.lower()
                self._stored_for_exact_path |= exact and not self.configuration.is_apphost
        locked = effective == "Deny" and locked_by is not None and self._binds(self.file, locked_by)
        self._locked = locked or not self._allowed_in(self.file)
        if found and self._is_own(found[-1][0], own_layers):
            source, mode = found.pop()
            self._own, self.override_mode = source.xml, mode
        else:
            self.override_mode = "Inherit"
        self.inherited = [source for source, _ in reversed(found)]

    def _allowed_in(self, file: ConfigFile) -> bool:
        """Whether allowDefinition lets a file hold the section, whatever its override mode."""
        allowed = self.definition.allow_definition
        if allowed in ("AppHostOnly", "MachineOnly"):
            return file.is_apphost
        return allowed != "MachineToApplication" or not file.below_application

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

    def delete(self) -> None:
        self.revert_to_parent()

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
        return "/".join([self.site, *segments_of(self.path)])

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
        if definition is None and is_dot_net(path):
            raise ConfigError(E_NOT_SUPPORTED, f"The lab does not keep the section '{path}' of the .NET Framework")
        if definition is None:
            text = f"The configuration section '{path}' cannot be read because it is missing a section declaration"
            raise ConfigError(E_NOT_SUPPORTED, text, self.file.path)
        if schema is None:
            text = f"The configuration section '{path}' cannot be read because it is missing schema"
            raise ConfigError(E_FILE_NOT_FOUND, text, self.file.path)
        return Section(self, definition.path, schema, layers, definition)

    def _layers(self, location: str | None) -> list[Layer]:
        location = None if location is None else location.strip("/")
        if self.is_apphost:
            file = self.session.apphost_file
            layers = [Layer(file, None), Layer(file, "")]
            if location:
                self.session.require_site(file, location.split("/")[0])
                layers += [Layer(file, prefix) for prefix in prefixes(location)]
            return layers
        layers = self.session.chain(self.site, self.path, self.file)
        if location:
            layers += [Layer(self.file, prefix) for prefix in prefixes(location)]
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


def prefixes(path: str) -> list[str]:
    parts = segments_of(path)
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


# -- sessions


class Session:
    """What one ServerManager sees: the files as they were when first looked at, with the edits made since.

    Args:
        signatures: filled with how each file looked when it was read, for who wants to know whether it changed.
    """

    def __init__(self, store: ConfigStore, signatures: dict[str, object] | None = None):
        self.store = store
        self.read_only = False
        self._signatures = signatures
        self._data: dict[str, tuple[bytes | None, ConfigError | None]] = {}
        self._snapshots: dict[str, ConfigFile] = {}
        self._writable: dict[str, ConfigFile] = {}
        self._configurations: dict[tuple[str, str], Configuration] = {}
        self._after_commit: list[tuple[Element, str, dict[str, Value]]] = []

    # -- files

    def _load(self, path: str) -> ConfigFile:
        key = path.lower()
        if key not in self._data:
            if self._signatures is not None:
                self._signatures[path] = self.store.files.signature(path)
            try:
                if key == self.store.apphost.lower():
                    # What IIS opens first, and so what it names to who may not read the folder.
                    self.store.files.read(CONFIG_DIR + r"\redirection.config")
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
        return self._configuration(site, "/" + "/".join(segments_of(path)))

    def _configuration(self, site: str, path: str) -> Configuration:
        key = (site.lower(), path.lower())
        if key not in self._configurations:
            self._configurations[key] = Configuration(self, site, path)
            self._configurations[key].read_only = self.read_only
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
        return self.writable(self._web_config_path(site, path))

    def _web_config_path(self, site: str, path: str) -> str:
        """The web.config of a path.

        Raises:
            ConfigError: 0x80070003 when the folder of a virtual directory is not there.
        """
        directory = self.physical_path(site, path).rstrip("\\")
        file = directory + "\\web.config"
        if not self.store.files.is_dir(directory + "\\") and self._is_directory_root(site, path):
            raise ConfigError(E_PATH_NOT_FOUND, "Cannot read configuration file", file)
        return file

    def _is_directory_root(self, site: str, path: str) -> bool:
        element = self.require_site(self.snapshot(self.store.apphost), site)
        return virtual_directory_root(element, path)

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
        segments = segments_of(path)
        for depth in range(len(segments) + 1):
            layers.append(Layer(apphost, "/".join([site, *segments[:depth]])))
            layers += [Layer(file, "/".join(segments[at:depth])) for file, at in above]
            if depth == len(segments):
                file = target
            else:
                file = self.snapshot(self._web_config_path(site, "/" + "/".join(segments[:depth])))
            file.below_application = not is_application(self.require_site(apphost, site), "/".join(segments[:depth]))
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
    for sites in find_in_groups(file.root, ["system.applicationHost", "sites"]):
        for site in sites.elements:
            if site.name == "site" and (site.get("name") or "").lower() == name.lower():
                return site
    return None


def is_application(site: XmlElement, path: str) -> bool:
    """Whether an application has just this path."""
    wanted = [s.lower() for s in segments_of(path)]
    return any(
        e.name == "application" and [s.lower() for s in segments_of(e.get("path") or "")] == wanted
        for e in site.elements
    )


def virtual_directory_root(site: XmlElement, path: str) -> bool:
    """Whether a path is that of a virtual directory itself, not of a folder in one."""
    found = _virtual_directory(site, path)
    return found is not None and not found[1]


def _physical_path(site: XmlElement, path: str) -> str | None:
    found = _virtual_directory(site, path)
    if found is None:
        return None
    directory, rest = found
    return "\\".join([(directory.get("physicalPath") or "").rstrip("\\"), *rest])


def _virtual_directory(site: XmlElement, path: str) -> tuple[XmlElement, list[str]] | None:
    """By the longest application path, then the longest virtual directory path in it; and the segments below."""
    wanted = "/" + "/".join(segments_of(path))
    application = _longest(site, "application", wanted)
    if application is None:
        return None
    inside = "/" + "/".join(segments_of(wanted)[len(segments_of(application.get("path") or "")) :])
    directory = _longest(application, "virtualDirectory", inside)
    if directory is None:
        return None
    return directory, segments_of(inside)[len(segments_of(directory.get("path") or "")) :]


def _longest(parent: XmlElement, tag: str, path: str) -> XmlElement | None:
    segments = [s.lower() for s in segments_of(path)]
    best: XmlElement | None = None
    best_length = -1
    for element in parent.elements:
        parts = [s.lower() for s in segments_of(element.get("path") or "")]
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

    def session(self, signatures: dict[str, object] | None = None) -> Session:
        return Session(self, signatures)

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
            text = "The service has not been started. (Exception from HRESULT: 0x80070426)"
            raise ConfigError(0x80070426, text, bare=True)
        return self.runtime.invoke(element, method, arguments)
