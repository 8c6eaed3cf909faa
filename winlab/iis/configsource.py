"""The configuration system as the HTTP side uses it: sites, pools and effective sections, read again when files change.

Files written inside the simulated server are noticed at once, others (a real process wrote them) within `POLL` seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Hashable
from typing import Any

from winlab.iis.config import APPHOST, Collection, ConfigStore, Element, Reader, location_path
from winlab.iis.errors import E_ACCESSDENIED, E_NOT_SUPPORTED, E_PATH_NOT_FOUND, ConfigError
from winlab.iis.files import MachineFiles, machine_store
from winlab.iis.model import (
    EMPTY,
    Application,
    Binding,
    Host,
    Node,
    Pool,
    Sections,
    Site,
    VirtualDirectory,
    directory_at,
)
from winlab.iis.schema import AttributeSchema
from winlab.windows.acl import LIST_DIRECTORY
from winlab.windows.errors import WindowsError

POLL = 0.25
_MACHINE_LEVEL = ("c:\\windows\\system32\\inetsrv\\", "c:\\windows\\microsoft.net\\")


class WorkerFiles(MachineFiles):
    """A worker process's view: web.config files with its identity's rights. What lies above them reaches it through WAS, whatever their ACLs."""

    def __init__(self, machine: Any, user: Any) -> None:
        super().__init__(machine, user)
        self._system = MachineFiles(machine)

    def read(self, path: str) -> bytes | None:
        if path.lower().startswith(_MACHINE_LEVEL):
            return self._system.read(path)
        return super().read(path)


def node_of(element: Element) -> Node:
    """A configuration element as plain values, without what only the running service knows."""
    attributes = {}
    for name, schema in element.schema.attributes.items():
        if not schema.dynamic:
            attributes[name] = _value(element, name, schema)
    elements = {name: node_of(element.child(name)) for name, s in element.schema.children.items() if not s.dynamic}
    items = [node_of(item) for item in element.collection] if element.has_collection else []
    return Node(attributes, elements, items)


def _value(element: Element, name: str, schema: AttributeSchema) -> Any:
    if schema.type == "enum":
        return element.text(name)
    if schema.type == "flags":
        return frozenset(part.strip() for part in element.text(name).split(",") if part.strip())
    return element.get(name)


# what every request looks at
_COMMON = (
    "system.webServer/modules",
    "system.webServer/security/requestFiltering",
    "system.webServer/security/authentication/anonymousAuthentication",
    "system.webServer/httpProtocol",
    "system.webServer/httpErrors",
)


class _PathSections:
    """Sections of one configuration path; each is read when first asked for."""

    def __init__(self, reader: Reader, site: str, path: str) -> None:
        self._reader = reader
        self._site = site
        self._path = path
        self._nodes: dict[str, Node] = {}

    def section(self, name: str) -> Node:
        found = self._nodes.get(name)
        if found is None:
            try:
                found = node_of(self._reader.section(name, self._site, self._path))
            except ConfigError as error:
                if not _undeclared(error):
                    raise
                found = Node()
            self._nodes[name] = found
        return found


def _undeclared(error: ConfigError) -> bool:
    """The section is not declared (its feature is not installed): nothing is configured, nothing is wrong."""
    return error.hresult == E_NOT_SUPPORTED


class _IdentityView:
    """What one identity reads: a reader with its caches, thrown away together when a file has changed."""

    def __init__(self, store: ConfigStore) -> None:
        self.reader = Reader(store)
        self.paths: dict[tuple[str, str], _PathSections] = {}
        self.checked_at = 0.0
        self.version = -1

    def refresh(self) -> None:
        if self.reader.refresh():
            self.paths = {}
        self.checked_at = time.monotonic()


class StoreConfiguration:
    """`model.Configuration` over a server's ConfigStore."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self._store = machine_store(machine)
        self._lock = threading.RLock()
        self._views: dict[str, _IdentityView] = {}
        self._host: Host | None = None
        self._host_stamp: Hashable = None
        self._host_path = str(machine.fs.host_path(APPHOST))
        self._server_reader = Reader(self._store)
        self._server_stamp: Hashable = None
        self._server_nodes: dict[str, Node] = {}
        self._version = 0
        self._watch_files()

    def _watch_files(self) -> None:
        def changed(path: str) -> None:
            if path.lower().endswith(".config") or "." not in path.rpartition("\\")[2]:
                self._version += 1

        self.machine.fs.on_change.append(changed)

    def stamp(self) -> Hashable:
        try:
            status = os.stat(self._host_path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def host(self) -> Host:
        with self._lock:
            stamp = self.stamp()
            if self._host is None or stamp != self._host_stamp:
                reader = Reader(self._store)
                sites = tuple(
                    _site(item, self._store) for item in reader.section("system.applicationHost/sites").collection
                )
                pools = {str(p["name"]): Pool(str(p["name"]), node_of(p)) for p in reader.pools()}
                self._host, self._host_stamp = Host(sites, pools), stamp
            return self._host

    def application_stamp(self, site: Site, application: Application) -> Hashable:
        paths = [a.physical_path for a in site.applications if _is_above(a, application)]
        stamps: list[tuple[int, int, int] | None] = []
        for folder in paths:
            try:
                status = os.stat(self.machine.fs.host_path(folder.rstrip("\\") + "\\web.config"))
                stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
            except (OSError, WindowsError):
                stamps.append(None)
        return tuple(paths), tuple(stamps)

    def server_section(self, name: str) -> Node:
        with self._lock:
            stamp = self.stamp()
            if stamp != self._server_stamp:
                self._server_reader, self._server_stamp = Reader(self._store), stamp
                self._server_nodes = {}
            if name not in self._server_nodes:
                try:
                    self._server_nodes[name] = node_of(self._server_reader.section(name))
                except ConfigError as error:
                    if not _undeclared(error):
                        raise
                    self._server_nodes[name] = Node()
            return self._server_nodes[name]

    @property
    def version(self) -> int:
        """Counts changes of configuration files made inside the simulated server."""
        return self._version

    def sections(self, site: Site, application: Application, path: str, reader: Any) -> Sections:
        cached = self.cached(site, path, reader)
        if cached is not None:
            return cached
        with self._lock:
            view = self._view(reader)
            version = self._version
            view.refresh()
            view.version = version
            try:
                return self._sections(view, site, application, path, reader)
            except ConfigError:
                # rights may have changed without the file: a refusal is never from memory
                view.reader = Reader(view.reader.store)
                view.paths = {}
                return self._sections(view, site, application, path, reader)

    def cached(self, site: Site, path: str, reader: Any) -> Sections | None:
        """What is known of a path without looking at any file; None when it has to be looked at."""
        view = self._views.get(reader.sid)
        if view is None or view.version != self._version:
            return None
        if time.monotonic() - view.checked_at > POLL:
            return None
        return view.paths.get((site.name, path.lower()))

    def _view(self, reader: Any) -> _IdentityView:
        view = self._views.get(reader.sid)
        if view is None:
            store = ConfigStore(
                WorkerFiles(self.machine, reader),
                self._store._schema,
                secrets=self._store.secrets,
                lock=self._lock,
            )
            view = self._views[reader.sid] = _IdentityView(store)
        return view

    def _sections(self, view: _IdentityView, site: Site, application: Application, path: str, reader: Any) -> Sections:
        key = (site.name, path.lower())
        found = view.paths.get(key)
        if found is None:
            directory = directory_at(application, path)
            if directory is not None:
                self._check_folder(directory.physical_path, reader)
            place = self._place(view.reader, site.name, path)
            found = view.paths.get((site.name, place)) or _PathSections(view.reader, site.name, place)
            view.reader.check(site.name, place)
            for name in _COMMON:
                found.section(name)
            view.paths[key] = view.paths[(site.name, place)] = found
            if len(view.paths) > 4096:
                view.paths = {key: found}
        return found

    def _check_folder(self, folder: str, reader: Any) -> None:
        """The folder of a virtual directory is watched for its web.config, so it must be there and be readable even without one."""
        file = folder.rstrip("\\") + "\\web.config"
        fs = self.machine.fs
        try:
            if not fs.is_dir(folder):
                raise ConfigError(E_PATH_NOT_FOUND, "Cannot read configuration file", file)
            fs.check_access(folder, LIST_DIRECTORY, reader)
        except WindowsError as error:
            if error.code != 5:
                raise ConfigError(0x80070000 | error.code, "Cannot read configuration file", file) from error
            text = "Cannot read configuration file due to insufficient permissions"
            raise ConfigError(E_ACCESSDENIED, text, file) from error

    def _place(self, reader: Reader, site: str, path: str) -> str:
        """The deepest part of a URL path that configuration can stand for: a folder of the site, or a location tag's path."""
        segments = [p for p in path.split("/") if p]
        folders = [0, *(d for d in range(1, len(segments) + 1) if self._is_folder(reader, site, segments[:d]))]
        depth = max(folders[-1], *(self._tagged(reader, site, segments, at) for at in folders))
        return "/" + "/".join(segments[:depth])

    def _is_folder(self, reader: Reader, site: str, segments: list[str]) -> bool:
        try:
            return bool(self.machine.fs.is_dir(reader.physical_path(site, "/" + "/".join(segments))))
        except (WindowsError, ConfigError):
            return False

    def _tagged(self, reader: Reader, site: str, segments: list[str], at: int) -> int:
        """How deep the location tags go that concern the path: those of applicationHost.config, and of the web.config at a depth."""
        session = reader._open()
        folder = session.physical_path(site, "/" + "/".join(segments[:at]))
        own = session.snapshot(folder.rstrip("\\") + "\\web.config")
        apphost = session.snapshot(session.store.apphost)
        deepest = 0
        for file, base, above in ((own, [], at), (apphost, [site], 0)):
            if not file.exists or (file is apphost and at):
                continue
            wanted = [s.lower() for s in [*base, *segments[above:]]]
            for tag in file.locations():
                parts = [s for s in location_path(tag).lower().split("/") if s]
                if parts and wanted[: len(parts)] == parts:
                    deepest = max(deepest, above + len(parts) - len(base))
        return deepest


def _is_above(above: Application, application: Application) -> bool:
    """An application itself, or one whose web.config it inherits from."""
    prefix = above.path.rstrip("/").lower()
    return application.path.lower() == above.path.lower() or application.path.lower().startswith(prefix + "/")


def _site(item: Element, store: ConfigStore) -> Site:
    limits = item.child("limits")
    return Site(
        name=str(item["name"]),
        id=_int(item["id"]),
        bindings=tuple(_binding(b) for b in item.child("bindings").collection),
        applications=tuple(_application(a) for a in item.collection),
        auto_start=bool(item["serverAutoStart"]),
        connection_timeout=limits["connectionTimeout"],  # type: ignore[arg-type]
        max_connections=_int(limits["maxConnections"]),
        max_url_segments=_int(limits["maxUrlSegments"]),
        log=node_of(item.child("logFile")),
        hsts=node_of(item.child("hsts")) if "hsts" in item.schema.children else EMPTY,
    )


def _binding(item: Element) -> Binding:
    return Binding(str(item["protocol"]), str(item["bindingInformation"]), _int(item["sslFlags"]))


def _application(item: Element) -> Application:
    directories: Collection = item.collection
    return Application(
        path=str(item["path"]),
        pool=str(item["applicationPool"]),
        directories=tuple(
            VirtualDirectory(str(d["path"]), d.expanded("physicalPath"), str(d["userName"]), str(d["password"]))
            for d in directories
        ),
        preload=bool(item["preloadEnabled"]),
        protocols=str(item["enabledProtocols"]),
    )


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
