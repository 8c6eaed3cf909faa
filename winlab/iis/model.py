"""What the HTTP side of IIS needs to know of its configuration, free of how it is stored.

`Configuration` is the narrow interface between this side (server, pools, handlers) and the configuration system
(schema, config files, locks). Attribute values are Python's: bool, int, str, `timedelta`; an enum is its name, flags
are a frozenset of names.
"""

from __future__ import annotations

import ntpath
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

DEFAULT_DOCUMENTS = ("Default.htm", "Default.asp", "index.htm", "index.html", "iisstart.htm")


@dataclass(frozen=True)
class Node:
    """One configuration element with defaults and inheritance already applied.

    Attributes:
        attributes: values by attribute name.
        elements: child elements by name.
        items: the collection's elements in effective order.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    elements: Mapping[str, Node] = field(default_factory=dict)
    items: Sequence[Node] = ()

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    def get(self, name: str, default: Any = None) -> Any:
        value = self.attributes.get(name)
        return default if value is None else value

    def child(self, name: str) -> Node:
        return self.elements.get(name, EMPTY)


EMPTY = Node()


@dataclass(frozen=True)
class Binding:
    """One http or https binding: `information` is "ip:port:host" as stored."""

    protocol: str
    information: str
    ssl_flags: int = 0

    @property
    def parts(self) -> tuple[str, str, str]:
        """(ip, port, host); an IPv6 address keeps its brackets."""
        rest, _, host = self.information.rpartition(":")
        ip, _, port = rest.rpartition(":")
        return ip, port, host

    @property
    def ip(self) -> str:
        return self.parts[0] or "*"

    @property
    def port(self) -> int:
        text = self.parts[1]
        return int(text) if text.isdigit() else 0

    @property
    def host(self) -> str:
        return self.parts[2].lower()

    @property
    def secure(self) -> bool:
        return self.protocol.lower() == "https"

    @property
    def sni(self) -> bool:
        return bool(self.ssl_flags & 1)


@dataclass(frozen=True)
class VirtualDirectory:
    path: str
    physical_path: str
    user_name: str = ""
    password: str = ""


@dataclass(frozen=True)
class Application:
    path: str
    pool: str
    directories: tuple[VirtualDirectory, ...] = ()
    preload: bool = False
    protocols: str = "http"

    @property
    def root(self) -> VirtualDirectory | None:
        return next((d for d in self.directories if d.path == "/"), None)

    @property
    def physical_path(self) -> str:
        return self.root.physical_path if self.root else ""


@dataclass(frozen=True)
class Site:
    name: str
    id: int
    bindings: tuple[Binding, ...] = ()
    applications: tuple[Application, ...] = ()
    auto_start: bool = True
    connection_timeout: timedelta = timedelta(minutes=2)
    max_connections: int = 4294967295
    max_url_segments: int = 32
    log: Node = EMPTY
    hsts: Node = EMPTY

    @property
    def http_bindings(self) -> list[Binding]:
        return [b for b in self.bindings if b.protocol.lower() in ("http", "https")]

    def application_at(self, path: str) -> Application | None:
        """The application whose path is the longest prefix of the URL path, by whole segments."""
        return _longest(self.applications, path)


def directory_at(application: Application, path: str) -> VirtualDirectory | None:
    """The virtual directory of the application for a URL path (given from the site's root)."""
    below = path if application.path == "/" else path[len(application.path) :] or "/"
    return _longest(application.directories, below)


def _longest(things: Sequence[Any], path: str) -> Any:
    lower = path.lower()
    best = None
    for thing in things:
        prefix = thing.path.lower().rstrip("/")
        if (lower == prefix or lower.startswith(prefix + "/")) and (best is None or len(thing.path) > len(best.path)):
            best = thing
    return best


def map_path(application: Application, directory: VirtualDirectory, path: str) -> str:
    """The physical path of a URL path (decoded, from the site's root)."""
    virtual = application.path.rstrip("/") + directory.path.rstrip("/")
    rest = path[len(virtual) :].replace("/", "\\").lstrip("\\")
    base = directory.physical_path.rstrip("\\")
    if len(base) == 2 and base.endswith(":"):
        base += "\\"
    return ntpath.join(base, rest) if rest else base


@dataclass(frozen=True)
class Pool:
    """An application pool: `settings` is its element with processModel, recycling, failure, environmentVariables."""

    name: str
    settings: Node = EMPTY

    def setting(self, group: str, name: str, default: Any) -> Any:
        return self.settings.child(group).get(name, default) if group else self.settings.get(name, default)

    @property
    def auto_start(self) -> bool:
        return bool(self.setting("", "autoStart", True))

    @property
    def always_running(self) -> bool:
        return self.setting("", "startMode", "OnDemand") == "AlwaysRunning"

    @property
    def queue_length(self) -> int:
        return int(self.setting("", "queueLength", 1000))

    @property
    def identity_type(self) -> str:
        return str(self.setting("processModel", "identityType", "ApplicationPoolIdentity"))

    @property
    def environment(self) -> dict[str, str]:
        return {item["name"]: item["value"] for item in self.settings.child("environmentVariables").items}


@dataclass(frozen=True)
class Host:
    """All of system.applicationHost at one moment."""

    sites: tuple[Site, ...] = ()
    pools: Mapping[str, Pool] = field(default_factory=dict)

    def pool(self, name: str) -> Pool | None:
        found = self.pools.get(name)
        if found is None:
            found = next((p for n, p in self.pools.items() if n.lower() == name.lower()), None)
        return found


class Sections(Protocol):
    """The effective configuration of one URL path."""

    def section(self, name: str) -> Node:
        """The section by its path, e.g. "system.webServer/handlers". ConfigError where a file on the way is refused."""
        ...


class Configuration(Protocol):
    """The configuration system as the HTTP side sees it. All of it may block on files; it is called in threads."""

    def stamp(self) -> Hashable:
        """Differs from an earlier answer once applicationHost.config has changed. Cheap."""
        ...

    def host(self) -> Host:
        """Sites and pools. ConfigError when applicationHost.config cannot be read."""
        ...

    def application_stamp(self, site: Site, application: Application) -> Hashable:
        """Differs once a web.config between the site's root and the application has changed. Cheap."""
        ...

    def server_section(self, name: str) -> Node:
        """A section at the server's level (applicationHost.config)."""
        ...

    def cached(self, site: Site, path: str, reader: Any) -> Sections | None:
        """What `sections` would answer, where that is known without looking at files."""
        ...

    @property
    def version(self) -> int:
        """Counts changes of configuration files that the configuration has been told of."""
        ...

    def sections(self, site: Site, application: Application, path: str, reader: Any) -> Sections:
        """The effective configuration of `path` (from the site's root), read with the rights of `reader` (a Token).

        ConfigError with hresult 0x80070005 when a web.config on the way may not be read, 0x8007000d when it is
        malformed, and so on.
        """
        ...
