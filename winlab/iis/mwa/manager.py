"""ServerManager, Configuration and the section declarations."""

from __future__ import annotations

from typing import Any

from winlab.iis.config import ConfigStore, Configuration, Section, Session
from winlab.iis.configfile import SectionDefinition, SectionGroup
from winlab.iis.errors import ConfigError
from winlab.iis.mwa.elements import (
    wrap,
    wrap_collection,
)
from winlab.iis.mwa.typed import (
    ApplicationDefaults,
    ApplicationPoolCollection,
    ApplicationPoolDefaults,
    SiteCollection,
    SiteDefaults,
    VirtualDirectoryDefaults,
    WorkerProcessCollection,
)
from winlab.iis.mwa.values import (
    COLLECTION,
    Sequence,
    item_at,
    mwa_type,
    needed,
    net_exception,
    no_metadata,
    refusals,
)
from winlab.powershell.dotnet import context
from winlab.powershell.dotnet.core import ctor, get_type, indexer, method, prop, static
from winlab.powershell.errors import LabUnsupported
from winlab.powershell.objects import NetObject, PSArray


@mwa_type("SectionDefinition")
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


@mwa_type("SectionDefinitionCollection", interfaces=COLLECTION)
class SectionDefinitionCollection(Sequence):
    def __init__(self, configuration: Configuration, group: str):
        self._configuration = configuration
        self._group = group

    def _items(self) -> list[Any]:
        group = _group_at(self._configuration, self._group)
        return [SectionDefinitionNet(self._configuration, s) for s in group.sections] if group else []

    @indexer("Item[int] : SectionDefinition get")
    def at(self, index: int) -> Any:
        return item_at(self._items(), index)

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


@mwa_type("SectionGroup")
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


@mwa_type("SectionGroupCollection", interfaces=COLLECTION)
class SectionGroupCollection(Sequence):
    def __init__(self, configuration: Configuration, group: str):
        self._configuration = configuration
        self._group = group

    def _items(self) -> list[Any]:
        group = _group_at(self._configuration, self._group)
        return [SectionGroupNet(self._configuration, g.path) for g in group.groups] if group else []

    @indexer("Item[int] : SectionGroup get")
    def at(self, index: int) -> Any:
        return item_at(self._items(), index)

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


@mwa_type("Configuration")
class ConfigurationNet(NetObject):
    def __init__(self, configuration: Configuration):
        self.configuration = configuration

    @method("GetSection(string) : ConfigurationSection")
    def get_section(self, path: str) -> Any:
        with refusals():
            return self._checked(needed(path, "sectionPath"), None)

    @method("GetSection(string,string) : ConfigurationSection")
    def get_section_at(self, path: str, location: str) -> Any:
        with refusals():
            return self._checked(needed(path, "sectionPath"), location or None)

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
        return no_metadata(name)

    @prop("RootSectionGroup : SectionGroup get")
    def root_section_group(self) -> Any:
        return SectionGroupNet(self.configuration, "")


def _section(manager: ServerManager, path: str) -> Section:
    return manager.session.apphost().section(path)


@mwa_type("ServerManager", interfaces=("IDisposable",))
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
        return no_metadata(name)

    @method("SetMetadata(string,object) : void")
    def set_metadata(self, name: str, value: Any) -> None:
        no_metadata(name)

    @static("OpenRemote(string) : ServerManager")
    def open_remote(server: str) -> Any:
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
        return ConfigurationNet(self.session.web(needed(site, "siteName")))

    @method("GetWebConfiguration(string,string) : Configuration")
    def get_web_configuration_at(self, site: str, path: str) -> Any:
        return ConfigurationNet(self.session.web(needed(site, "siteName"), path or "/"))

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
