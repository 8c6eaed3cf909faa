"""Cmdlets of the IISAdministration module, and the plain ones of WebAdministration.

IISAdministration keeps one ServerManager per PowerShell process (`Get-IISServerManager`); its changing cmdlets commit at once unless
`Start-IISCommitDelay` is in force. Parameters as in Microsoft's documentation of both modules.
"""

from __future__ import annotations

from typing import Any

from winlab.iis import mwa
from winlab.iis.elements import Collection, Element
from winlab.powershell.commands.core import Cmdlet, cmdlet, parameter, switch
from winlab.powershell.dotnet import context
from winlab.powershell.errors import ErrorRecord, LabUnsupported, NetException
from winlab.powershell.objects import Dictionary, PSCustomObject, PSObject

IIS = "IISAdministration"
WEB = "WebAdministration"
_CLASSES = "Microsoft.IIS.Powershell.Commands."


class _State:
    """The module's own: its ServerManager and whether commits wait."""

    def __init__(self) -> None:
        self.manager: Any = None
        self.delayed = False

    def get(self) -> Any:
        if self.manager is None:
            self.manager = mwa.ServerManager()
        return self.manager

    def commit(self) -> None:
        if not self.delayed:
            self.get().commit_changes()

    def reset(self) -> None:
        self.manager = None
        self.delayed = False


def _state() -> _State:
    state: _State = context.per_process("IISAdministration", _State)
    return state


class _IISCmdlet(Cmdlet):
    """Common to the cmdlets: the configuration system's refusals as errors of the command."""

    def fail(self, error: NetException, target: Any = None) -> None:
        self.throw(ErrorRecord(error, f"{error.type_name}", "NotSpecified", target))

    def invalid(self, message: str, target: Any = None) -> None:
        self.throw(self.error("System.ArgumentException", message, "ArgumentException", "InvalidArgument", target))

    def not_found(self, message: str, target: Any) -> None:
        self.write_error(self.error("System.ArgumentException", message, "InvalidArgument", "InvalidArgument", target))


def _element(value: Any) -> Element:
    if type(value) is PSObject:
        value = value.base
    if not isinstance(value, mwa.ConfigurationElementNet):
        raise NetException("System.ArgumentException", "The value is not a configuration element.")
    return value.element


def _collection(value: Any) -> Collection:
    with mwa.refusals():
        return _element(value).collection


def _values(table: Dictionary) -> dict[str, Any]:
    return {str(k): mwa.from_net(v) for k, v in table.items()}


def _convert(element: Element, name: str, value: Any) -> Any:
    """These cmdlets take text for every type, as PowerShell users write it."""
    if isinstance(value, str):
        schema = element.attribute_schema(name)
        return schema.parse(value, validate=False)
    return value


def _matching(collection: Collection, values: dict[str, Any]) -> Element | None:
    for item in collection:
        if all(item.attribute_schema(n).same(item.get(n), _convert(item, n, v)) for n, v in values.items()):
            return item
    return None


# -- the manager


@cmdlet("Get-IISServerManager", module=IIS, type_name=_CLASSES + "GetIISServerManagerCommand")
class GetIISServerManager(_IISCmdlet):
    def end(self) -> None:
        self.write(_state().get())


@cmdlet("Reset-IISServerManager", module=IIS, should_process=True, type_name=_CLASSES + "ResetIISServerManagerCommand")
class ResetIISServerManager(_IISCmdlet):
    def end(self) -> None:
        if self.should_process("ServerManager", "Reset"):
            _state().reset()


@cmdlet("Start-IISCommitDelay", module=IIS, type_name=_CLASSES + "StartIISCommitDelayCommand")
class StartIISCommitDelay(_IISCmdlet):
    def end(self) -> None:
        _state().delayed = True


@cmdlet("Stop-IISCommitDelay", module=IIS, type_name=_CLASSES + "StopIISCommitDelayCommand")
class StopIISCommitDelay(_IISCmdlet):
    commit = parameter("Commit", "Boolean", position=0, default=True)

    def end(self) -> None:
        state = _state()
        state.delayed = False
        if self.commit:
            state.commit()
        else:
            state.reset()


# -- sites and pools


@cmdlet("Get-IISSite", module=IIS, type_name=_CLASSES + "GetIISSiteCommand")
class GetIISSite(_IISCmdlet):
    name = parameter("Name", "String[]", position=0, pipeline=True)

    def process(self) -> None:
        sites = _state().get().sites
        if not self.name:
            self.write_all(sites)
            return
        for name in self.name:
            found = sites._named(name)
            if found is None:
                self.write_warning(f"Site '{name}' does not exist.")
            else:
                self.write(found)


@cmdlet("Get-IISAppPool", module=IIS, type_name=_CLASSES + "GetIISAppPoolCommand")
class GetIISAppPool(_IISCmdlet):
    name = parameter("Name", "String[]", position=0, pipeline=True)

    def process(self) -> None:
        pools = _state().get().application_pools
        if not self.name:
            self.write_all(pools)
            return
        for name in self.name:
            found = pools._named(name)
            if found is None:
                self.write_warning(f"Application pool '{name}' does not exist.")
            else:
                self.write(found)


@cmdlet("New-IISSite", module=IIS, should_process=True, type_name=_CLASSES + "NewIISSiteCommand")
class NewIISSite(_IISCmdlet):
    name = parameter("Name", "String", position=0, mandatory=True)
    physical_path = parameter("PhysicalPath", "String", position=1, mandatory=True)
    binding = parameter("BindingInformation", "String", position=2, mandatory=True)
    protocol = parameter("Protocol", "String", default="http")
    thumbprint = parameter("CertificateThumbPrint", "String")
    ssl_flag = parameter("SslFlag", "Microsoft.Web.Administration.SslFlags")
    store = parameter("CertStoreLocation", "String")
    force = switch("Force")
    passthru = switch("Passthru")

    def end(self) -> None:
        state = _state()
        sites = state.get().sites
        if sites._named(self.name) is not None:
            self.invalid(f"Site '{self.name}' already exists.", self.name)
        hash_ = bytes.fromhex(self.thumbprint) if self.thumbprint else None
        store = (self.store or "MY").rpartition("\\")[2]
        flags = int(self.ssl_flag) if self.ssl_flag is not None else 0
        site = sites._add_site(self.name, self.protocol, self.binding, self.physical_path, hash_, store, flags)
        state.commit()
        if self.passthru:
            self.write(state.get().sites._named(self.name) or site)


@cmdlet(
    "Remove-IISSite",
    module=IIS,
    should_process=True,
    confirm_impact="High",
    type_name=_CLASSES + "RemoveIISSiteCommand",
)
class RemoveIISSite(_IISCmdlet):
    name = parameter("Name", "String[]", position=0, mandatory=True, pipeline=True)

    def process(self) -> None:
        state = _state()
        for name in self.name:
            found = state.get().sites._named(name)
            if found is None:
                self.write_warning(f"Site '{name}' does not exist.")
            elif self.should_process(name, "Remove-IISSite"):
                state.get().sites.remove(found)
                state.commit()


@cmdlet("Start-IISSite", module=IIS, should_process=True, type_name=_CLASSES + "StartIISSiteCommand")
class StartIISSite(_IISCmdlet):
    name = parameter("Name", "String[]", position=0, mandatory=True, pipeline=True)

    def process(self) -> None:
        for name in self.name:
            found = _state().get().sites._named(name)
            if found is None:
                self.write_warning(f"Site '{name}' does not exist.")
            elif self.should_process(name, "Start"):
                found.start()


@cmdlet(
    "Stop-IISSite", module=IIS, should_process=True, confirm_impact="High", type_name=_CLASSES + "StopIISSiteCommand"
)
class StopIISSite(_IISCmdlet):
    name = parameter("Name", "String[]", position=0, mandatory=True, pipeline=True)

    def process(self) -> None:
        for name in self.name:
            found = _state().get().sites._named(name)
            if found is None:
                self.write_warning(f"Site '{name}' does not exist.")
            elif self.should_process(name, "Stop"):
                found.stop()


# -- configuration


@cmdlet("Get-IISConfigSection", module=IIS, type_name=_CLASSES + "GetIISConfigSectionCommand")
class GetIISConfigSection(_IISCmdlet):
    section_path = parameter("SectionPath", "String", position=0, mandatory=True)
    location = parameter("Location", "String")
    commit_path = parameter("CommitPath", "String")

    def end(self) -> None:
        session = _state().get().session
        commit = str(self.commit_path or "").strip("/")
        if commit.upper().startswith("MACHINE/WEBROOT/APPHOST"):
            commit = commit[len("MACHINE/WEBROOT/APPHOST") :].strip("/")
        location: Any = self.location
        with mwa.refusals():
            if commit:
                site, _, rest = commit.partition("/")
                section = session.web(site, "/" + rest).section(self.section_path, location or None)
            else:
                section = session.apphost().section(self.section_path, location or None)
        self.write(mwa.wrap(section))


@cmdlet("Get-IISConfigElement", module=IIS, type_name=_CLASSES + "GetIISConfigElementCommand")
class GetIISConfigElement(_IISCmdlet):
    element = parameter(
        "ConfigElement", "Microsoft.Web.Administration.ConfigurationElement", position=0, mandatory=True, pipeline=True
    )
    child = parameter("ChildElementName", "String", position=1, mandatory=True)

    def process(self) -> None:
        with mwa.refusals():
            self.write(mwa.wrap(_element(self.element).child(self.child)))


@cmdlet("Get-IISConfigCollection", module=IIS, type_name=_CLASSES + "GetIISConfigCollectionCommand")
class GetIISConfigCollection(_IISCmdlet):
    element = parameter(
        "ConfigElement", "Microsoft.Web.Administration.ConfigurationElement", position=0, mandatory=True, pipeline=True
    )
    name = parameter("CollectionName", "String", position=1)

    def process(self) -> None:
        with mwa.refusals():
            element = _element(self.element)
            owner = element.child(self.name) if self.name else element
            self.write(mwa.wrap_collection(owner.collection))


@cmdlet("Get-IISConfigCollectionElement", module=IIS, type_name=_CLASSES + "GetIISConfigCollectionElementCommand")
class GetIISConfigCollectionElement(_IISCmdlet):
    collection = parameter(
        "ConfigCollection",
        "Microsoft.Web.Administration.ConfigurationElementCollection",
        position=0,
        mandatory=True,
        pipeline=True,
    )
    attribute = parameter("ConfigAttribute", "Collections.Hashtable", position=1)

    def process(self) -> None:
        collection = _collection(self.collection)
        with mwa.refusals():
            for item in collection:
                if self.attribute is None or _matching_one(item, _values(self.attribute)):
                    self.write(mwa.wrap(item))


def _matching_one(item: Element, values: dict[str, Any]) -> bool:
    return all(item.attribute_schema(n).same(item.get(n), _convert(item, n, v)) for n, v in values.items())


@cmdlet(
    "New-IISConfigCollectionElement",
    module=IIS,
    should_process=True,
    type_name=_CLASSES + "NewIISConfigCollectionElementCommand",
)
class NewIISConfigCollectionElement(_IISCmdlet):
    collection = parameter(
        "ConfigCollection",
        "Microsoft.Web.Administration.ConfigurationElementCollection",
        position=0,
        mandatory=True,
        pipeline=True,
    )
    attribute = parameter("ConfigAttribute", "Collections.Hashtable", position=1, mandatory=True)
    add_at = parameter("AddAt", "UInt32")
    passthru = switch("Passthru")

    def process(self) -> None:
        collection = _collection(self.collection)
        with mwa.refusals():
            item = collection.create()
            for name, value in _values(self.attribute).items():
                item.set(name, _convert(item, name, value))
            collection.add(item, None if self.add_at is None else int(self.add_at))
        _state().commit()
        if self.passthru:
            self.write(mwa.wrap(item))


@cmdlet(
    "Remove-IISConfigCollectionElement",
    module=IIS,
    should_process=True,
    confirm_impact="High",
    type_name=_CLASSES + "RemoveIISConfigCollectionElementCommand",
)
class RemoveIISConfigCollectionElement(_IISCmdlet):
    collection = parameter(
        "ConfigCollection",
        "Microsoft.Web.Administration.ConfigurationElementCollection",
        position=0,
        mandatory=True,
        pipeline=True,
    )
    attribute = parameter("ConfigAttribute", "Collections.Hashtable", position=1, mandatory=True)

    def process(self) -> None:
        collection = _collection(self.collection)
        with mwa.refusals():
            found = _matching(collection, _values(self.attribute))
        if found is None:
            self.invalid("Collection element does not exist.", self.attribute)
        elif self.should_process("collection element", "Remove"):
            with mwa.refusals():
                collection.remove(found)
            _state().commit()


@cmdlet(
    "Clear-IISConfigCollection",
    module=IIS,
    should_process=True,
    confirm_impact="High",
    type_name=_CLASSES + "ClearIISConfigCollectionCommand",
)
class ClearIISConfigCollection(_IISCmdlet):
    collection = parameter(
        "ConfigCollection",
        "Microsoft.Web.Administration.ConfigurationElementCollection",
        position=0,
        mandatory=True,
        pipeline=True,
    )

    def process(self) -> None:
        if self.should_process("collection", "Clear"):
            with mwa.refusals():
                _collection(self.collection).clear()
            _state().commit()


@cmdlet("Get-IISConfigAttributeValue", module=IIS, type_name=_CLASSES + "GetIISConfigAttributeValueCommand")
class GetIISConfigAttributeValue(_IISCmdlet):
    element = parameter(
        "ConfigElement", "Microsoft.Web.Administration.ConfigurationElement", position=0, mandatory=True, pipeline=True
    )
    name = parameter("AttributeName", "String", position=1, mandatory=True)

    def process(self) -> None:
        element = _element(self.element)
        with mwa.refusals():
            schema = element.attribute_schema(self.name)
            value = element.get(self.name)
        # Enums and flags come by name here, unlike from the API.
        self.write(schema.format(value) if schema.type in ("enum", "flags") else mwa.to_net(schema, value))


@cmdlet(
    "Set-IISConfigAttributeValue",
    module=IIS,
    should_process=True,
    type_name=_CLASSES + "SetIISConfigAttributeValueCommand",
)
class SetIISConfigAttributeValue(_IISCmdlet):
    element = parameter(
        "ConfigElement", "Microsoft.Web.Administration.ConfigurationElement", position=0, mandatory=True, pipeline=True
    )
    name = parameter("AttributeName", "String", position=1, mandatory=True)
    value = parameter("AttributeValue", "Object", position=2, mandatory=True, allow_empty_string=True)
    force = switch("Force")

    def process(self) -> None:
        element = _element(self.element)
        with mwa.refusals():
            element.set(self.name, _convert(element, self.name, mwa.from_net(self.value)))
        _state().commit()


@cmdlet(
    "Remove-IISConfigAttribute",
    module=IIS,
    should_process=True,
    confirm_impact="High",
    type_name=_CLASSES + "RemoveIISConfigAttributeCommand",
)
class RemoveIISConfigAttribute(_IISCmdlet):
    element = parameter(
        "ConfigElement", "Microsoft.Web.Administration.ConfigurationElement", position=0, mandatory=True, pipeline=True
    )
    name = parameter("AttributeName", "String", position=1, mandatory=True)

    def process(self) -> None:
        if self.should_process(self.name, "Remove"):
            with mwa.refusals():
                _element(self.element).unset(self.name)
            _state().commit()


# -- WebAdministration


def _fresh() -> Any:
    """WebAdministration reads the configuration anew for each command."""
    return mwa.ServerManager()


@cmdlet("New-WebAppPool", module=WEB, type_name="Microsoft.IIs.PowerShell.Provider.NewAppPoolCommand")
class NewWebAppPool(_IISCmdlet):
    name = parameter("Name", "String", position=0, mandatory=True)
    force = switch("Force")

    def end(self) -> None:
        manager = _fresh()
        if manager.application_pools._named(self.name) is not None and not self.force:
            self.throw(
                self.error(
                    "System.Runtime.InteropServices.COMException",
                    "Filename: \r\nError: Cannot add duplicate collection entry of type 'add' with unique key attribute 'name' set to "
                    f"'{self.name}'\r\n\r\n",
                    "Filename: \r\nError: Cannot add duplicate collection entry",
                    "NotSpecified",
                )
            )
        if manager.application_pools._named(self.name) is None:
            manager.application_pools.add_named(self.name)
            manager.commit_changes()
        self.write(manager.application_pools._named(self.name))


@cmdlet("Remove-WebAppPool", module=WEB, type_name="Microsoft.IIs.PowerShell.Provider.RemoveAppPoolCommand")
class RemoveWebAppPool(_IISCmdlet):
    name = parameter("Name", "String", position=0, mandatory=True)

    def end(self) -> None:
        manager = _fresh()
        found = manager.application_pools._named(self.name)
        if found is None:
            self.invalid(f"Cannot find path 'IIS:\\AppPools\\{self.name}' because it does not exist.", self.name)
        manager.application_pools.remove(found)
        manager.commit_changes()


def _controller(verb: str, noun: str, kind: str) -> None:
    """Start-, Stop- and Restart- cmdlets for pools and sites, which take a name."""

    @cmdlet(f"{verb}-{noun}", module=WEB, type_name=f"Microsoft.IIs.PowerShell.Provider.{verb}{noun}Command")
    class Control(_IISCmdlet):
        name = parameter("Name", "String", position=0, mandatory=True, pipeline=True, by_name=True)

        def process(self) -> None:
            manager = _fresh()
            items = manager.application_pools if kind == "pool" else manager.sites
            found = items._named(self.name)
            if found is None:
                self.invalid(
                    f"Cannot find path 'IIS:\\{'AppPools' if kind == 'pool' else 'Sites'}\\{self.name}' because it does not exist."
                )
            elif verb == "Restart":
                found.recycle()
            else:
                getattr(found, verb.lower())()


for _verb in ("Start", "Stop", "Restart"):
    _controller(_verb, "WebAppPool", "pool")
for _verb in ("Start", "Stop"):
    _controller(_verb, "Website", "site")


@cmdlet("Get-WebAppPoolState", module=WEB, type_name="Microsoft.IIs.PowerShell.Provider.GetAppPoolStateCommand")
class GetWebAppPoolState(_IISCmdlet):
    name = parameter("Name", "String", position=0, mandatory=True)

    def end(self) -> None:
        found = _fresh().application_pools._named(self.name)
        if found is None:
            self.invalid(f"Cannot find path 'IIS:\\AppPools\\{self.name}' because it does not exist.")
            return
        self.write(PSCustomObject.of({"Value": str(found.state)}))


@cmdlet("Remove-Website", module=WEB, type_name="Microsoft.IIs.PowerShell.Provider.RemoveWebsiteCommand")
class RemoveWebsite(_IISCmdlet):
    name = parameter("Name", "String", position=0, mandatory=True)

    def end(self) -> None:
        manager = _fresh()
        found = manager.sites._named(self.name)
        if found is None:
            self.invalid(f"Cannot find path 'IIS:\\Sites\\{self.name}' because it does not exist.")
        manager.sites.remove(found)
        manager.commit_changes()


# -- what the lab lacks of both modules

_LACKING = {
    WEB: (
        "Add-WebConfiguration Add-WebConfigurationLock Add-WebConfigurationProperty Backup-WebConfiguration Clear-WebConfiguration "
        "ConvertTo-WebApplication Disable-WebGlobalModule Enable-WebGlobalModule Get-WebAppDomain Get-WebApplication Get-WebBinding "
        "Get-WebConfigFile Get-WebConfiguration Get-WebConfigurationBackup Get-WebConfigurationLocation Get-WebConfigurationLock "
        "Get-WebConfigurationProperty Get-WebFilePath Get-WebGlobalModule Get-WebHandler Get-WebItemState Get-WebManagedModule "
        "Get-WebRequest Get-Website Get-WebsiteState Get-WebURL Get-WebVirtualDirectory New-WebApplication New-WebBinding "
        "New-WebGlobalModule New-WebHandler New-WebManagedModule New-Website New-WebVirtualDirectory Remove-WebApplication "
        "Remove-WebBinding Remove-WebConfigurationBackup Remove-WebConfigurationLocation Remove-WebConfigurationLock "
        "Remove-WebConfigurationProperty Remove-WebGlobalModule Remove-WebHandler Remove-WebManagedModule Remove-WebVirtualDirectory "
        "Rename-WebConfigurationLocation Restart-WebItem Restore-WebConfiguration Select-WebConfiguration Set-WebBinding "
        "Set-WebConfiguration Set-WebConfigurationProperty Set-WebGlobalModule Set-WebHandler Set-WebManagedModule Start-WebCommitDelay "
        "Start-WebItem Stop-WebCommitDelay Stop-WebItem"
    ),
    IIS: (
        "Clear-IISCentralCertProvider Disable-IISCentralCertProvider Disable-IISSharedConfig Enable-IISCentralCertProvider "
        "Enable-IISSharedConfig Export-IISConfiguration Get-IISCentralCertProvider Get-IISSharedConfig Remove-IISConfigElement "
        "Set-IISCentralCertProvider Set-IISCentralCertProviderCredential"
    ),
}
_THEIR_PARAMETERS = [
    "AlwaysRunning",
    "AppDomain",
    "ApplicationPool",
    "AtElement",
    "AtIndex",
    "AtName",
    "Attribute",
    "BindingInformation",
    "CertStoreLocation",
    "Clr",
    "ConfigElement",
    "Count",
    "Destination",
    "DontCopyRemoteKeys",
    "ElementName",
    "Filter",
    "Force",
    "HostHeader",
    "Id",
    "Image",
    "InputObject",
    "IPAddress",
    "KeyEncryptionPassword",
    "Location",
    "Metadata",
    "Modules",
    "Name",
    "NewName",
    "Passthru",
    "Password",
    "Path",
    "PhysicalPath",
    "Port",
    "PreCondition",
    "Process",
    "PropertyName",
    "Protocol",
    "PSPath",
    "Recurse",
    "RequiredAccess",
    "ResourceType",
    "ScriptProcessor",
    "Site",
    "SiteName",
    "Ssl",
    "SslFlags",
    "Type",
    "Url",
    "UserName",
    "Value",
    "Verb",
    "VirtualDirectory",
]


def _declare_lacking(name: str, module: str) -> None:
    @cmdlet(name, module=module, dynamic=_THEIR_PARAMETERS)
    class Lacking(Cmdlet):
        rest = parameter("Rest", "Object[]", remaining=True)

        def begin(self) -> None:
            raise LabUnsupported(f"the command {name}")


for _module, _names in _LACKING.items():
    for _name in _names.split():
        _declare_lacking(_name, _module)
