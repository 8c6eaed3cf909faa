"""What is in effect now, for the running service: sites, pools, and the sections of a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from winlab.iis.configfile import ConfigFile, Declarations, segments_of
from winlab.iis.elements import Element
from winlab.iis.schema import Schema
from winlab.iis.validation import check_content
from winlab.iis.xmltext import XmlElement

if TYPE_CHECKING:
    from winlab.iis.config import ConfigStore, Section, Session


# What a reader keeps at most before it starts anew: every folder that is asked for adds a file to look at.
_MOST_FILES = 500
_MOST_SECTIONS = 2000


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
        segments = [s.lower() for s in segments_of(path)]
        fitting = [
            a
            for a in self.applications
            if [s.lower() for s in segments_of(a.path)] == segments[: len(segments_of(a.path))]
        ]
        return max(fitting, key=lambda a: len(segments_of(a.path)), default=None)


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
            crowded = len(self._signatures) > _MOST_FILES or len(self._sections) > _MOST_SECTIONS
            if self._session is not None and not crowded and self._is_current():
                return False
            self._session = self.store.session(self._signatures)
            self._signatures.clear()
            self._sections.clear()
            self._checked.clear()
            return True

    def _is_current(self) -> bool:
        return all(self.store.files.signature(path) == known for path, known in self._signatures.items())

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
