"""Roles, role services and features: Server Manager's names on servers, optional features (DISM's names) on every version.

One feature can have both names (`Web-Static-Content`, `IIS-StaticContent`). Sources: the tables of role services in the IIS documentation, the output of
Get-WindowsFeature on Server 2016 to 2025, and DISM's documentation for error codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from winlab.windows import web
from winlab.windows.current import by_service
from winlab.windows.errors import WindowsError, system_message
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

E_SOURCE_NOT_FOUND = 0x800F081F
E_UNKNOWN_FEATURE = 0x800F080C
E_PARENT_DISABLED = 0x800F0826
E_DISK_FULL = 0x80070070
_SETUP_BYTES = 4 << 20
"""What setup wants to be free before it begins; it undoes what it cannot end, so here it does not begin."""


class FeatureError(WindowsError):
    """A refusal of setup. hresult: as DISM and Server Manager report it (unsigned); names: the features concerned."""

    def __init__(self, hresult: int, message: str, names: Iterable[str] = ()) -> None:
        super().__init__(hresult & 0xFFFF, message)
        self.code_hresult = hresult
        self.names = list(names)


@dataclass(frozen=True)
class Feature:
    """One role, role service or feature.

    name: Server Manager's name ('' for a purely optional feature); dism: the optional feature's name ('' when it has none); parent: a name;
    depends: names; default: comes along when its parent is asked for; kind: Role, Role Service or Feature; restart: takes effect after a restart;
    payload: False when the files are not on the disk (a source is needed)."""

    name: str
    dism: str
    display_name: str
    parent: str = ""
    depends: tuple[str, ...] = ()
    default: bool = False
    kind: str = "Role Service"
    installed_at_setup: bool = False
    restart: bool = False
    payload: bool = True
    description: str = ""
    tools: tuple[str, ...] = ()
    """What -IncludeManagementTools adds."""

    @property
    def key(self) -> str:
        return self.name or self.dism


@dataclass
class FeatureResult:
    """What an installation or removal did. exit_code: Success, NoChangeNeeded, SuccessRestartRequired or Failed."""

    exit_code: str = "NoChangeNeeded"
    changed: list[Feature] = field(default_factory=list)

    @property
    def success(self) -> bool:
        return self.exit_code != "Failed"

    @property
    def restart_needed(self) -> bool:
        return self.exit_code == "SuccessRestartRequired"


def _web(net: str) -> list[Feature]:
    """The web server role; net: the version of .NET in display names."""
    f = Feature
    return [
        f("Web-Server", "IIS-WebServerRole", "Web Server (IIS)", kind="Role", tools=("Web-Mgmt-Tools", "Web-Mgmt-Console"),
          description="Web Server (IIS) provides a reliable, manageable, and scalable Web application infrastructure."),
        f("Web-WebServer", "IIS-WebServer", "Web Server", "Web-Server", default=True),
        f("Web-Common-Http", "IIS-CommonHttpFeatures", "Common HTTP Features", "Web-WebServer", default=True),
        f("Web-Default-Doc", "IIS-DefaultDocument", "Default Document", "Web-Common-Http", default=True),
        f("Web-Dir-Browsing", "IIS-DirectoryBrowsing", "Directory Browsing", "Web-Common-Http", default=True),
        f("Web-Http-Errors", "IIS-HttpErrors", "HTTP Errors", "Web-Common-Http", default=True),
        f("Web-Static-Content", "IIS-StaticContent", "Static Content", "Web-Common-Http", default=True),
        f("Web-Http-Redirect", "IIS-HttpRedirect", "HTTP Redirection", "Web-Common-Http"),
        f("Web-DAV-Publishing", "IIS-WebDAV", "WebDAV Publishing", "Web-Common-Http", ("Web-Filtering", "Web-Static-Content")),
        f("Web-Health", "IIS-HealthAndDiagnostics", "Health and Diagnostics", "Web-WebServer", default=True),
        f("Web-Http-Logging", "IIS-HttpLogging", "HTTP Logging", "Web-Health", default=True),
        f("Web-Custom-Logging", "IIS-CustomLogging", "Custom Logging", "Web-Health"),
        f("Web-Log-Libraries", "IIS-LoggingLibraries", "Logging Tools", "Web-Health"),
        f("Web-ODBC-Logging", "IIS-ODBCLogging", "ODBC Logging", "Web-Health", ("Web-Custom-Logging",)),
        f("Web-Request-Monitor", "IIS-RequestMonitor", "Request Monitor", "Web-Health"),
        f("Web-Http-Tracing", "IIS-HttpTracing", "Tracing", "Web-Health"),
        f("Web-Performance", "IIS-Performance", "Performance", "Web-WebServer", default=True),
        f("Web-Stat-Compression", "IIS-HttpCompressionStatic", "Static Content Compression", "Web-Performance", default=True),
        f("Web-Dyn-Compression", "IIS-HttpCompressionDynamic", "Dynamic Content Compression", "Web-Performance"),
        f("Web-Security", "IIS-Security", "Security", "Web-WebServer", default=True),
        f("Web-Filtering", "IIS-RequestFiltering", "Request Filtering", "Web-Security", default=True),
        f("Web-Basic-Auth", "IIS-BasicAuthentication", "Basic Authentication", "Web-Security"),
        f("Web-CertProvider", "IIS-CertProvider", "Centralized SSL Certificate Support", "Web-Security"),
        f("Web-Client-Auth", "IIS-ClientCertificateMappingAuthentication", "Client Certificate Mapping Authentication", "Web-Security"),
        f("Web-Digest-Auth", "IIS-DigestAuthentication", "Digest Authentication", "Web-Security"),
        f("Web-Cert-Auth", "IIS-IISCertificateMappingAuthentication", "IIS Client Certificate Mapping Authentication", "Web-Security"),
        f("Web-IP-Security", "IIS-IPSecurity", "IP and Domain Restrictions", "Web-Security"),
        f("Web-Url-Auth", "IIS-URLAuthorization", "URL Authorization", "Web-Security"),
        f("Web-Windows-Auth", "IIS-WindowsAuthentication", "Windows Authentication", "Web-Security"),
        f("Web-App-Dev", "IIS-ApplicationDevelopment", "Application Development", "Web-WebServer"),
        f("Web-Net-Ext", "IIS-NetFxExtensibility", ".NET Extensibility 3.5", "Web-App-Dev", ("NET-Framework-Core", "Web-Filtering")),
        f("Web-Net-Ext45", "IIS-NetFxExtensibility45", f".NET Extensibility {net}", "Web-App-Dev", ("NET-Framework-45-Core", "Web-Filtering")),
        f("Web-AppInit", "IIS-ApplicationInit", "Application Initialization", "Web-App-Dev"),
        f("Web-ASP", "IIS-ASP", "ASP", "Web-App-Dev", ("Web-ISAPI-Ext", "Web-Filtering")),
        f("Web-Asp-Net", "IIS-ASPNET", "ASP.NET 3.5", "Web-App-Dev",
          ("NET-Framework-Core", "Web-Default-Doc", "Web-ISAPI-Ext", "Web-ISAPI-Filter", "Web-Net-Ext", "Web-Filtering")),
        f("Web-Asp-Net45", "IIS-ASPNET45", f"ASP.NET {net}", "Web-App-Dev",
          ("NET-Framework-45-ASPNET", "Web-Default-Doc", "Web-ISAPI-Ext", "Web-ISAPI-Filter", "Web-Net-Ext45", "Web-Filtering")),
        f("Web-CGI", "IIS-CGI", "CGI", "Web-App-Dev"),
        f("Web-ISAPI-Ext", "IIS-ISAPIExtensions", "ISAPI Extensions", "Web-App-Dev"),
        f("Web-ISAPI-Filter", "IIS-ISAPIFilter", "ISAPI Filters", "Web-App-Dev"),
        f("Web-Includes", "IIS-ServerSideIncludes", "Server Side Includes", "Web-App-Dev"),
        f("Web-WebSockets", "IIS-WebSockets", "WebSocket Protocol", "Web-App-Dev"),
        f("Web-Ftp-Server", "IIS-FTPServer", "FTP Server", "Web-Server"),
        f("Web-Ftp-Service", "IIS-FTPSvc", "FTP Service", "Web-Ftp-Server", default=True),
        f("Web-Ftp-Ext", "IIS-FTPExtensibility", "FTP Extensibility", "Web-Ftp-Server", ("Web-Ftp-Service",)),
        f("Web-Mgmt-Tools", "IIS-WebServerManagementTools", "Management Tools", "Web-Server"),
        f("Web-Mgmt-Console", "IIS-ManagementConsole", "IIS Management Console", "Web-Mgmt-Tools", default=True),
        f("Web-Mgmt-Compat", "IIS-IIS6ManagementCompatibility", "IIS 6 Management Compatibility", "Web-Mgmt-Tools"),
        f("Web-Metabase", "IIS-Metabase", "IIS 6 Metabase Compatibility", "Web-Mgmt-Compat", default=True),
        f("Web-Lgcy-Mgmt-Console", "IIS-LegacySnapIn", "IIS 6 Management Console", "Web-Mgmt-Compat"),
        f("Web-Lgcy-Scripting", "IIS-LegacyScripts", "IIS 6 Scripting Tools", "Web-Mgmt-Compat", ("Web-Metabase", "Web-WMI")),
        f("Web-WMI", "IIS-WMICompatibility", "IIS 6 WMI Compatibility", "Web-Mgmt-Compat", ("Web-Metabase",)),
        f("Web-Scripting-Tools", "IIS-ManagementScriptingTools", "IIS Management Scripts and Tools", "Web-Mgmt-Tools"),
        f("Web-Mgmt-Service", "IIS-ManagementService", "Management Service", "Web-Mgmt-Tools", ("NET-Framework-45-ASPNET",)),
        f("Web-WHC", "IIS-HostableWebCore", "IIS Hostable Web Core", kind="Feature"),
    ]  # fmt: skip


def _others(net: str) -> list[Feature]:
    """A selection of what else Server Manager lists."""
    f = Feature

    def role(name: str, display: str, dism: str = "", restart: bool = False) -> Feature:
        return f(name, dism, display, kind="Role", restart=restart)

    def feature(name: str, display: str, dism: str = "", parent: str = "", on: bool = False, **more: object) -> Feature:
        return Feature(name, dism, display, parent, kind="Feature", installed_at_setup=on, **more)  # type: ignore[arg-type]

    return [
        role("AD-Certificate", "Active Directory Certificate Services", "CertificateServices"),
        role("AD-Domain-Services", "Active Directory Domain Services", "DirectoryServices-DomainController"),
        role("DHCP", "DHCP Server", "DHCPServer"),
        role("DNS", "DNS Server", "DNS-Server-Full-Role"),
        f("FileAndStorage-Services", "File-Services", "File and Storage Services", kind="Role", installed_at_setup=True),
        f("Storage-Services", "Storage-Services", "Storage Services", "FileAndStorage-Services", installed_at_setup=True),
        f("File-Services", "FileServerVSSAgent", "File and iSCSI Services", "FileAndStorage-Services"),
        f("FS-FileServer", "CoreFileServer", "File Server", "File-Services"),
        role("Hyper-V", "Hyper-V", "Microsoft-Hyper-V", restart=True),
        role("Print-Services", "Print and Document Services", "Printing-Server-Role"),
        role("Remote-Desktop-Services", "Remote Desktop Services", "Remote-Desktop-Services"),
        feature("NET-Framework-Features", ".NET Framework 3.5 Features"),
        feature("NET-Framework-Core", ".NET Framework 3.5 (includes .NET 2.0 and 3.0)", "NetFx3", "NET-Framework-Features", default=True, payload=False),
        feature("NET-HTTP-Activation", "HTTP Activation", "WCF-HTTP-Activation", "NET-Framework-Features", depends=("NET-Framework-Core",)),
        feature("NET-Framework-45-Features", f".NET Framework {net} Features", "NetFx4ServerFeatures", on=True),
        feature("NET-Framework-45-Core", f".NET Framework {net}", "NetFx4", "NET-Framework-45-Features", on=True),
        feature("NET-Framework-45-ASPNET", f"ASP.NET {net}", "NetFx4Extended-ASPNET45", "NET-Framework-45-Features"),
        feature("NET-WCF-Services45", "WCF Services", "WCF-Services45", "NET-Framework-45-Features", on=True),
        feature("NET-WCF-HTTP-Activation45", "HTTP Activation", "WCF-HTTP-Activation45", "NET-WCF-Services45",
                depends=("Web-Asp-Net45", "WAS-Process-Model", "WAS-Config-APIs")),
        feature("NET-WCF-TCP-PortSharing45", "TCP Port Sharing", "WCF-TCP-PortSharing45", "NET-WCF-Services45", on=True),
        feature("BitLocker", "BitLocker Drive Encryption", "BitLocker", restart=True),
        feature("Containers", "Containers", "Containers", restart=True),
        feature("Failover-Clustering", "Failover Clustering", "FailoverCluster-FullServer", restart=True),
        feature("GPMC", "Group Policy Management", "Microsoft-Windows-GroupPolicy-ServerAdminTools-Update"),
        feature("MSMQ", "Message Queuing"),
        feature("MSMQ-Server", "Message Queuing Server", "MSMQ-Server", "MSMQ"),
        feature("Multipath-IO", "Multipath I/O", "MultipathIo", restart=True),
        feature("NLB", "Network Load Balancing", "NetworkLoadBalancingFullServer"),
        feature("RSAT", "Remote Server Administration Tools"),
        feature("SMTP-Server", "SMTP Server", "Smtpsvc-Admin-Update-Name"),
        feature("SNMP-Service", "SNMP Service", "SNMP"),
        feature("FS-SMB1", "SMB 1.0/CIFS File Sharing Support", "SMB1Protocol", on=True, restart=True),
        feature("Telnet-Client", "Telnet Client", "TelnetClient"),
        feature("TFTP-Client", "TFTP Client", "TFTP"),
        feature("Windows-Defender", "Windows Defender", "Windows-Defender", on=True, restart=True),
        feature("PowerShellRoot", "Windows PowerShell", "MicrosoftWindowsPowerShellRoot", on=True),
        feature("PowerShell", "Windows PowerShell 5.1", "MicrosoftWindowsPowerShell", "PowerShellRoot", on=True),
        feature("PowerShell-V2", "Windows PowerShell 2.0 Engine", "MicrosoftWindowsPowerShellV2", "PowerShellRoot"),
        feature("PowerShell-ISE", "Windows PowerShell ISE", "MicrosoftWindowsPowerShellISE", "PowerShellRoot", on=True),
        feature("WAS", "Windows Process Activation Service", "WAS-WindowsActivationService"),
        feature("WAS-Process-Model", "Process Model", "WAS-ProcessModel", "WAS"),
        feature("WAS-NET-Environment", ".NET Environment 3.5", "WAS-NetFxEnvironment", "WAS", depends=("NET-Framework-Core",)),
        feature("WAS-Config-APIs", "Configuration APIs", "WAS-ConfigurationAPI", "WAS"),
        feature("WinRM-IIS-Ext", "WinRM IIS Extension", "WinRM-IIS-Ext", depends=("Web-Server",)),
        feature("WINS", "WINS Server", "WINSRuntime"),
        feature("WoW64-Support", "WoW64 Support", "ServerCore-WOW64", on=True),
    ]  # fmt: skip


def _client_others() -> list[Feature]:
    def feature(dism: str, display: str, on: bool = False, parent: str = "", **more: object) -> Feature:
        return Feature("", dism, display, parent, kind="Feature", installed_at_setup=on, **more)  # type: ignore[arg-type]

    return [
        feature("NetFx3", ".NET Framework 3.5 (includes .NET 2.0 and 3.0)", payload=False),
        feature("NetFx4-AdvSrvs", ".NET Framework 4.8 Advanced Services", True),
        feature("NetFx4Extended-ASPNET45", "ASP.NET 4.8", parent="NetFx4-AdvSrvs"),
        feature("WCF-Services45", "WCF Services", True, "NetFx4-AdvSrvs"),
        feature("WCF-TCP-PortSharing45", "TCP Port Sharing", True, "WCF-Services45"),
        feature("Microsoft-Hyper-V-All", "Hyper-V", restart=True),
        feature("Microsoft-Windows-Subsystem-Linux", "Windows Subsystem for Linux", restart=True),
        feature("MicrosoftWindowsPowerShellV2Root", "Windows PowerShell 2.0", True),
        feature("SMB1Protocol", "SMB 1.0/CIFS File Sharing Support", restart=True),
        feature("TelnetClient", "Telnet Client"),
        feature("TFTP", "TFTP Client"),
        feature("WAS-WindowsActivationService", "Windows Process Activation Service"),
        feature("WAS-ProcessModel", "Process Model", parent="WAS-WindowsActivationService"),
        feature("WAS-ConfigurationAPI", "Configuration API", parent="WAS-WindowsActivationService"),
    ]


_CLIENT_NAMES = {
    "IIS-WebServerRole": "Internet Information Services",
    "IIS-WebServer": "World Wide Web Services",
    "IIS-ApplicationDevelopment": "Application Development Features",
    "IIS-Performance": "Performance Features",
    "IIS-WebServerManagementTools": "Web Management Tools",
    "IIS-HostableWebCore": "Internet Information Services Hostable Web Core",
}
_CLIENT_DEPENDS = {
    "NET-Framework-Core": "NetFx3",
    "NET-Framework-45-Core": "NetFx4-AdvSrvs",
    "NET-Framework-45-ASPNET": "NetFx4Extended-ASPNET45",
}


def _client_features() -> list[Feature]:
    """The web features under their DISM names, as Windows 10 and 11 have them."""
    web_features = _web("4.8")
    dism = {feature.name: feature.dism for feature in web_features} | _CLIENT_DEPENDS
    result = []
    for feature in web_features:
        result.append(
            Feature(
                "",
                feature.dism,
                _CLIENT_NAMES.get(feature.dism, feature.display_name),
                dism.get(feature.parent, ""),
                tuple(dism[item] for item in feature.depends),
                feature.default,
                "Feature",
            )
        )
    return [*result, *_client_others()]


class Features:
    """What a server can have and has. Names compare without case; either kind of name finds a feature."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        if machine.windows.is_server:
            net = {"2016": "4.6", "2019": "4.7"}.get(machine.version, "4.8")
            web_features, others = _web(net), _others(net)
            roles = [feature for feature in others if feature.kind != "Feature"]
            found = [*roles, *web_features, *(feature for feature in others if feature.kind == "Feature")]
            if machine.version != "2016":
                found = [
                    f if f.name != "FS-SMB1" else Feature(**{**f.__dict__, "installed_at_setup": False}) for f in found
                ]
        else:
            found = _client_features()
        self._features = found
        self._by_name: dict[str, Feature] = {}
        for feature in found:
            if feature.dism:
                self._by_name.setdefault(feature.dism.lower(), feature)
        self._by_name |= {feature.name.lower(): feature for feature in found if feature.name}
        self._document = Document(machine.state_dir / "features.json", None)
        if self._document.data is None:
            self._document.data = {
                "installed": [feature.key for feature in found if feature.installed_at_setup],
                "removed": [],
                "pending": [],
            }

    # -- looking up -----------------------------------------------------------------------------------------------------------------

    def all(self) -> list[Feature]:
        """In the order of Server Manager's tree: parents before children."""
        return list(self._features)

    def find(self, name: str) -> Feature | None:
        """By either name."""
        return self._by_name.get(name.lower())

    def get(self, name: str) -> Feature:
        """FeatureError when there is none of that name."""
        feature = self.find(name)
        if feature is None:
            raise FeatureError(E_UNKNOWN_FEATURE, f"Feature name {name} is unknown.", [name])
        return feature

    def is_installed(self, feature: Feature | str) -> bool:
        found = self.find(feature) if isinstance(feature, str) else feature
        return found is not None and found.key in self._document.data["installed"]

    def state(self, feature: Feature) -> str:
        """Server Manager's InstallState: Installed, Available, Removed, InstallPending or UninstallPending."""
        if feature.key in self._document.data["pending"]:
            return "InstallPending" if self.is_installed(feature) else "UninstallPending"
        if self.is_installed(feature):
            return "Installed"
        return "Available" if self.has_payload(feature) else "Removed"

    def optional_state(self, feature: Feature) -> str:
        """DISM's state: Enabled, Disabled, DisabledWithPayloadRemoved, EnablePending or DisablePending."""
        names = {
            "Installed": "Enabled",
            "Available": "Disabled",
            "Removed": "DisabledWithPayloadRemoved",
            "InstallPending": "EnablePending",
            "UninstallPending": "DisablePending",
        }
        return names[self.state(feature)]

    def has_payload(self, feature: Feature) -> bool:
        return feature.payload and feature.key not in self._document.data["removed"]

    def children(self, feature: Feature) -> list[Feature]:
        return [item for item in self._features if item.parent and item.parent.lower() == feature.key.lower()]

    def depth(self, feature: Feature) -> int:
        """1 for a role or feature at the top."""
        return 1 + (self.depth(self.get(feature.parent)) if feature.parent else 0)

    def path(self, feature: Feature) -> str:
        """`Web Server (IIS)\\Web Server\\Security`"""
        above = self.path(self.get(feature.parent)) + "\\" if feature.parent else ""
        return above + feature.display_name

    @property
    def restart_pending(self) -> bool:
        return bool(self._document.data["pending"])

    # -- changing -----------------------------------------------------------------------------------------------------------------------

    def plan(
        self,
        names: Iterable[str],
        include_subfeatures: bool = False,
        include_management_tools: bool = False,
        parents: bool = True,
    ) -> list[Feature]:
        """What installing `names` would add, in order. FeatureError for an unknown name, or (without `parents`) when a parent is not installed."""
        wanted: dict[str, Feature] = {}

        def add(feature: Feature, asked: bool) -> None:
            if feature.key in wanted:
                return
            if feature.parent:
                parent = self.get(feature.parent)
                if not self.is_installed(parent) and parent.key not in wanted:
                    if not parents:
                        raise FeatureError(
                            E_PARENT_DISABLED,
                            "One or several parent features are disabled so current feature can not be enabled.",
                            [feature.key],
                        )
                    add(parent, False)
            for dependency in feature.depends:
                add(self.get(dependency), False)
            wanted[feature.key] = feature
            if asked:
                for child in self.children(feature):
                    if child.default or include_subfeatures:
                        add(child, True)

        for name in names:
            feature = self.get(name)
            add(feature, True)
            if include_management_tools:
                for tool in feature.tools:
                    add(self.get(tool), False)
        return [feature for feature in self._features if feature.key in wanted and not self.is_installed(feature)]

    @by_service()
    def install(
        self,
        names: Iterable[str],
        include_subfeatures: bool = False,
        include_management_tools: bool = False,
        source: str | None = None,
        parents: bool = True,
    ) -> FeatureResult:
        """Installs features with what they need. source: a folder with their files, for those that have none on the disk.

        FeatureError: unknown name, missing parent (0x800f0826), no source files (0x800f081f)."""
        with self.machine.lock:
            changed = self.plan(names, include_subfeatures, include_management_tools, parents)
            missing = [feature for feature in changed if not self.has_payload(feature)]
            if missing and not self._source_has(source):
                raise FeatureError(
                    E_SOURCE_NOT_FOUND,
                    (
                        'The source files could not be found. Use the "Source" option to specify the location of the files that '
                        "are required to restore the feature."
                    ),
                    [feature.key for feature in missing],
                )
            if not changed:
                return FeatureResult()
            if self.machine.fs.free_bytes < _SETUP_BYTES:
                raise FeatureError(E_DISK_FULL, system_message(112), [feature.key for feature in changed])
            for feature in changed:
                # in Windows' own order: what was installed first is no state
                self._document.data["installed"] = [
                    item.key for item in self._features if self.is_installed(item) or item.key == feature.key
                ]
                if feature.key in self._document.data["removed"]:
                    self._document.data["removed"].remove(feature.key)
                if feature.restart:
                    self._document.data["pending"].append(feature.key)
            self._document.save()
            for feature in changed:
                self._set_up(feature)
        if any(_is_web(feature) for feature in changed):
            web.start_services(self.machine)
        return FeatureResult("SuccessRestartRequired" if any(f.restart for f in changed) else "Success", changed)

    def _source_has(self, source: str | None) -> bool:
        """A source folder counts when it is there and is not empty (`sources\\sxs` of an installation medium)."""
        if source is None:
            return False
        path = source.rstrip("\\")
        return self.machine.fs.is_dir(path) and bool(self.machine.fs.listdir(path))

    def _set_up(self, feature: Feature) -> None:
        if _is_web(feature):
            web.feature_installed(self.machine, feature.key)
        self.machine.hooks.fire("feature-installed", feature)

    def plan_removal(self, names: Iterable[str]) -> list[Feature]:
        """What removing `names` takes away: children, and what depends on them."""
        gone: dict[str, Feature] = {}

        def drop(feature: Feature) -> None:
            if feature.key in gone or not self.is_installed(feature):
                return
            gone[feature.key] = feature
            for other in self._features:
                if other.parent.lower() == feature.key.lower() or feature.key in other.depends:
                    drop(other)

        for name in names:
            drop(self.get(name))
        return [feature for feature in reversed(self._features) if feature.key in gone]

    @by_service()
    def uninstall(self, names: Iterable[str], remove_payload: bool = False) -> FeatureResult:
        """Removes features. The web server role needs a restart to be gone completely. remove_payload: its files leave the disk too."""
        with self.machine.lock:
            changed = self.plan_removal(names)
            for feature in changed:
                self._document.data["installed"].remove(feature.key)
                if remove_payload:
                    self._document.data["removed"].append(feature.key)
                if feature.restart or feature.key in ("Web-Server", "IIS-WebServerRole"):
                    self._document.data["pending"].append(feature.key)
            if remove_payload:
                for name in names:
                    key = self.get(name).key
                    if key not in self._document.data["removed"]:
                        self._document.data["removed"].append(key)
            self._document.save()
            for feature in changed:
                if _is_web(feature):
                    web.feature_removed(self.machine, feature.key)
                self.machine.hooks.fire("feature-removed", feature)
        if not changed:
            return FeatureResult()
        restart = any(feature.key in self._document.data["pending"] for feature in changed)
        return FeatureResult("SuccessRestartRequired" if restart else "Success", changed)

    def rebooted(self) -> None:
        """What was pending is done."""
        if self._document.data["pending"]:
            self._document.data["pending"] = []
            self._document.save()


def _is_web(feature: Feature) -> bool:
    return feature.key.startswith(("Web-", "IIS-"))
