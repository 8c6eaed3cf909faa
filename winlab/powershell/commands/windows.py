"""Cmdlets that administrate Windows: ServerManager, Dism, NetSecurity, LocalAccounts and PKI.

Sources: the parameter list of Server 2016 (`data/commands.json.gz`) and, for ServerManager, which is not in it, Microsoft's reference.
Properties and error texts follow what the real commands print; enumerations that only formatting shows are texts here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from winlab.powershell.commands.core import Cmdlet, cmdlet, parameter, switch
from winlab.powershell.dotnet.access import SecurityIdentifier
from winlab.powershell.objects import PSArray, PSCustomObject
from winlab.powershell.runtime.binder import binding_error
from winlab.powershell.runtime.conversion import to_string, type_of
from winlab.powershell.runtime.wildcard import has_wildcards, wildcard
from winlab.windows.errors import WindowsError
from winlab.windows.features import Feature, FeatureError, FeatureResult
from winlab.windows.firewall import Rule

SERVER_MANAGER = "ServerManager"
DISM = "Dism"
_RULE = "Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetFirewallRule"
NET_SECURITY = "NetSecurity"
LOCAL_ACCOUNTS = "Microsoft.PowerShell.LocalAccounts"


def _array(items: Iterable[Any]) -> PSArray:
    return PSArray(items)


# ------------------------------------------------------------------------------------------------------------- ServerManager


class _ServerManagerCmdlet(Cmdlet):
    """What these share: they exist on servers only, and ask for an administrator."""

    def begin(self) -> None:
        if not self.machine.windows.is_server:
            self.throw(
                self.error(
                    "System.Exception",
                    "The target of the specified cmdlet cannot be a Windows client-based operating system.",
                    "Client_Sku",
                    "InvalidOperation",
                )
            )

    def require_administrator(self) -> None:
        if not self.user.elevated:
            self.throw(
                self.error(
                    "System.UnauthorizedAccessException",
                    "You do not have adequate user rights to make changes to the target computer. Verify that you are a member of the "
                    "Administrators group on the target computer, then try again.",
                    "UnauthorizedAccess",
                    "PermissionDenied",
                )
            )

    def features(self, names: Iterable[Any]) -> list[Feature]:
        """The features of some names; an unknown one ends the command."""
        found = []
        for name in names:
            text = getattr(name, "get_note", lambda _: None)("Name") or str(name)
            feature = self.machine.features.find(text)
            if feature is None or not feature.name:
                self.throw(
                    self.error(
                        "System.Exception",
                        "ArgumentNotValid: The role, role service, or feature name is not valid: "
                        f"'{text}'. The name was not found.",
                        "NameDoesNotExist",
                        "InvalidArgument",
                        text,
                    )
                )
            found.append(feature)
        return found

    def show(self, feature: Feature) -> PSCustomObject:
        """A feature as Get-WindowsFeature gives it."""
        features = self.machine.features
        installed = features.is_installed(feature)
        return PSCustomObject.of(
            {
                "Name": feature.name,
                "DisplayName": feature.display_name,
                "Description": feature.description,
                "Installed": installed,
                "InstallState": features.state(feature),
                "FeatureType": feature.kind,
                "Path": features.path(feature),
                "Depth": features.depth(feature),
                "DependsOn": _array(feature.depends),
                "Parent": feature.parent or None,
                "ServerComponentDescriptor": "ServerComponent_" + feature.name.replace("-", "_"),
                "SubFeatures": _array(child.name for child in features.children(feature)),
                "SystemService": _array(()),
                "Notification": _array(()),
                "BestPracticesModelId": None,
                "EventQuery": None,
                "PostConfigurationNeeded": False,
                "AdditionalInfo": None,
            },
            "Microsoft.Windows.ServerManager.Commands.Feature",
        )

    def show_result(self, result: FeatureResult) -> PSCustomObject:
        """What the installing cmdlets give."""
        if result.restart_needed:
            self.write_warning("You must restart this server to finish the installation process.")
        return PSCustomObject.of(
            {
                "Success": result.success,
                "RestartNeeded": "Yes" if result.restart_needed else "No",
                "FeatureResult": _array(
                    PSCustomObject.of(
                        {
                            "Id": index,
                            "Name": feature.name,
                            "DisplayName": feature.display_name,
                            "Success": True,
                            "RestartNeeded": feature.restart,
                            "Message": _array(()),
                            "SkipReason": "NotSkipped",
                        },
                        "Microsoft.Windows.ServerManager.Commands.FeatureResult",
                    )
                    for index, feature in enumerate(result.changed, 1)
                ),
                "ExitCode": result.exit_code,
            },
            "Microsoft.Windows.ServerManager.Commands.FeatureOperationResult",
        )

    def failed(self, error: FeatureError, what: str) -> None:
        """Report that setup refused."""
        self.write_error(
            self.error(
                "System.Exception",
                f"The request to {what} features on the specified server failed.\n{what.capitalize()}ation of one or more roles, role services, "
                f"or features failed.\nError: 0x{error.code_hresult:08x} : {error.message}",
                f"DISMAPI_Error__Cbs_Download_Failure,{self.command_name}"
                if error.code_hresult == 0x800F081F
                else "DISMAPI_Error",
                "InvalidOperation",
            )
        )
        self.write(
            PSCustomObject.of(
                {"Success": False, "RestartNeeded": "No", "FeatureResult": _array(()), "ExitCode": "Failed"},
                "Microsoft.Windows.ServerManager.Commands.FeatureOperationResult",
            )
        )


@cmdlet(
    "Get-WindowsFeature",
    module=SERVER_MANAGER,
    kind="Function",
    dynamic=("Vhd", "ComputerName", "Credential", "LogPath"),
)
class GetWindowsFeature(_ServerManagerCmdlet):
    """Lists features; names may have wildcards, and one that matches nothing gives nothing."""

    name = parameter("Name", "String[]", position=0, pipeline=True)

    def process(self) -> None:
        patterns = [wildcard(str(name)) for name in self.name or ["*"]]
        for feature in self.machine.features.all():
            if feature.name and any(pattern(feature.name) for pattern in patterns):
                self.write(self.show(feature))


@cmdlet(
    "Install-WindowsFeature",
    module=SERVER_MANAGER,
    kind="Function",
    should_process=True,
    aliases=("Add-WindowsFeature",),
    dynamic=("Vhd", "ConfigurationFilePath", "ComputerName", "Credential", "LogPath"),
)
class InstallWindowsFeature(_ServerManagerCmdlet):
    """Installs features with the ones above them and those they depend on."""

    name = parameter("Name", "Object[]", position=0, mandatory=True, pipeline=True)
    include_all_sub_feature = switch("IncludeAllSubFeature")
    include_management_tools = switch("IncludeManagementTools")
    restart = switch("Restart")
    source = parameter("Source", "String[]")

    def process(self) -> None:
        self.require_administrator()
        features = self.features(self.name)
        if not self.should_process("localhost", "Install"):
            return
        try:
            result = self.machine.features.install(
                [feature.name for feature in features],
                include_subfeatures=bool(self.include_all_sub_feature),
                include_management_tools=bool(self.include_management_tools),
                source=str(self.source[0]) if self.source else None,
            )
        except FeatureError as error:
            self.failed(error, "install")
            return
        self.write(self.show_result(result))
        if self.restart and result.restart_needed:
            self.machine.reboot()


@cmdlet(
    "Uninstall-WindowsFeature",
    module=SERVER_MANAGER,
    kind="Function",
    should_process=True,
    confirm_impact="High",
    aliases=("Remove-WindowsFeature",),
    dynamic=("Vhd", "ComputerName", "Credential", "LogPath"),
)
class UninstallWindowsFeature(_ServerManagerCmdlet):
    """Removes features with those below them and those that depend on them."""

    name = parameter("Name", "Object[]", position=0, mandatory=True, pipeline=True)
    include_management_tools = switch("IncludeManagementTools")
    remove = switch("Remove")
    restart = switch("Restart")

    def process(self) -> None:
        self.require_administrator()
        features = self.features(self.name)
        if not self.should_process("localhost", "Uninstall"):
            return
        names = [feature.name for feature in features]
        if self.include_management_tools:
            names += [tool for feature in features for tool in feature.tools]
        result = self.machine.features.uninstall(names, remove_payload=bool(self.remove))
        self.write(self.show_result(result))
        if self.restart and result.restart_needed:
            self.machine.reboot()


# ---------------------------------------------------------------------------------------------------------------------- Dism


class _DismCmdlet(Cmdlet):
    """What these share: an administrator, the running system, and DISM's way to report errors."""

    online = switch("Online")

    def begin(self) -> None:
        if not self.user.elevated:
            self.refuse(0x800702E4, "The requested operation requires elevation.")

    def refuse(self, hresult: int, message: str) -> None:
        """End the command as DISM does."""
        self.throw(
            self.error(
                "System.Runtime.InteropServices.COMException",
                message,
                f"Microsoft.Dism.Commands.{self._noun()}",
                "NotSpecified",
            )
        )

    def _noun(self) -> str:
        return self.command_name.replace("-", "") + "Command"

    def find(self, name: str) -> Feature:
        """An optional feature by its name."""
        feature = self.machine.features.find(name)
        if feature is None or not feature.dism:
            self.refuse(0x800F080C, f"Feature name {name} is unknown.")
        assert feature is not None
        return feature


def _image_object(restart: bool) -> PSCustomObject:
    return PSCustomObject.of(
        {
            "Path": "",
            "Online": True,
            "WinPath": "",
            "SysDrivePath": "",
            "RestartNeeded": restart,
            "LogPath": "C:\\Windows\\Logs\\DISM\\dism.log",
            "ScratchDirectory": "",
            "LogLevel": "WarningsInfo",
        },
        "Microsoft.Dism.Commands.ImageObject",
    )


@cmdlet("Get-WindowsOptionalFeature", module=DISM, type_name="Microsoft.Dism.Commands.GetWindowsOptionalFeatureCommand")
class GetWindowsOptionalFeature(_DismCmdlet):
    """One optional feature in full, or all of them by name and state; a name that does not exist gives nothing."""

    feature_name = parameter("FeatureName", "String", pipeline=True, by_name=True)

    def process(self) -> None:
        features = self.machine.features
        wanted = str(self.feature_name) if self.feature_name else ""
        if wanted and not has_wildcards(wanted):
            feature = features.find(wanted)
            if feature is not None and feature.dism:
                self.write(self._full(feature))
            return
        pattern = wildcard(wanted or "*")
        for feature in features.all():
            if feature.dism and pattern(feature.dism):
                self.write(
                    PSCustomObject.of(
                        {"FeatureName": feature.dism, "State": features.optional_state(feature)},
                        "Microsoft.Dism.Commands.BasicFeatureObject",
                    )
                )

    def _full(self, feature: Feature) -> PSCustomObject:
        return PSCustomObject.of(
            {
                "FeatureName": feature.dism,
                "DisplayName": feature.display_name,
                "Description": feature.description,
                "RestartRequired": "Required" if feature.restart else "Possible",
                "State": self.machine.features.optional_state(feature),
                "CustomProperties": "",
                "Path": "",
                "Online": True,
                "RestartNeeded": False,
            },
            "Microsoft.Dism.Commands.AdvancedFeatureObject",
        )


@cmdlet(
    "Enable-WindowsOptionalFeature",
    module=DISM,
    type_name="Microsoft.Dism.Commands.EnableWindowsOptionalFeatureCommand",
)
class EnableWindowsOptionalFeature(_DismCmdlet):
    """Enables optional features; without -All the one above each must be enabled already."""

    feature_name = parameter("FeatureName", "String[]", mandatory=True, pipeline=True, by_name=True)
    all_parents = switch("All")
    limit_access = switch("LimitAccess")
    source = parameter("Source", "String[]")
    no_restart = switch("NoRestart")

    def process(self) -> None:
        features = self.machine.features
        wanted = [self.find(str(name)).dism for name in self.feature_name]
        try:
            result = features.install(
                wanted, source=str(self.source[0]) if self.source else None, parents=bool(self.all_parents)
            )
        except FeatureError as error:
            self.refuse(error.code_hresult, error.message)
            return
        if result.restart_needed and self.no_restart:
            self.write_warning("Restart is suppressed because NoRestart is specified.")
        self.write(_image_object(result.restart_needed))


@cmdlet(
    "Disable-WindowsOptionalFeature",
    module=DISM,
    type_name="Microsoft.Dism.Commands.DisableWindowsOptionalFeatureCommand",
)
class DisableWindowsOptionalFeature(_DismCmdlet):
    """Disables optional features and those below them."""

    feature_name = parameter("FeatureName", "String[]", mandatory=True, pipeline=True, by_name=True)
    remove = switch("Remove")
    no_restart = switch("NoRestart")

    def process(self) -> None:
        names = [self.find(str(name)).dism for name in self.feature_name]
        result = self.machine.features.uninstall(names, remove_payload=bool(self.remove))
        self.write(_image_object(result.restart_needed))


# --------------------------------------------------------------------------------------------------------------- NetSecurity


def _show_rule(rule: Rule) -> PSCustomObject:
    return PSCustomObject.of(
        {
            "Name": rule.name,
            "DisplayName": rule.display_name,
            "Description": rule.description or None,
            "DisplayGroup": rule.display_group or None,
            "Group": rule.group or None,
            "Enabled": "True" if rule.enabled else "False",
            "Profile": ", ".join(rule.profiles),
            "Platform": _array(()),
            "Direction": rule.direction,
            "Action": rule.action,
            "EdgeTraversalPolicy": rule.edge_traversal,
            "LooseSourceMapping": False,
            "LocalOnlyMapping": False,
            "Owner": None,
            "PrimaryStatus": "OK",
            "Status": "The rule was parsed successfully from the store. (65536)",
            "EnforcementStatus": "NotApplicable",
            "PolicyStoreSource": "PersistentStore",
            "PolicyStoreSourceType": "Local",
            "InstanceID": rule.name,
        },
        _RULE,
    )


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value]


class _FirewallCmdlet(Cmdlet):
    def begin(self) -> None:
        # The provider behind these commands talks to the firewall's service.
        if not self.machine.firewall.is_running:
            self.throw(
                self.error(
                    "Microsoft.Management.Infrastructure.CimException",
                    "There are no more endpoints available from the endpoint mapper. ",
                    "Windows System Error 1753",
                    "NotSpecified",
                )
            )

    def not_found(self, kind: str, value: str) -> None:
        """No rule has that name."""
        self.write_error(
            self.error(
                "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                f"No MSFT_NetFirewallRule objects found with property '{kind}' equal to '{value}'.  Verify the value of the property and retry.",
                f"CmdletizationQuery_NotFound_{kind}",
                "ObjectNotFound",
                value,
            )
        )

    def require_administrator(self) -> bool:
        if self.user.elevated:
            return True
        self.write_error(
            self.error(
                "Microsoft.Management.Infrastructure.CimException",
                "Access is denied. ",
                "Windows System Error 5",
                "PermissionDenied",
            )
        )
        return False

    def selected(self, name: Any, display_name: Any) -> Iterator[Rule]:
        """Rules by -Name or -DisplayName, with wildcards; one that names nothing is an error."""
        kind, values = ("DisplayName", display_name) if display_name else ("InstanceID", name)
        for value in _texts(values or []):
            pattern = wildcard(value)
            found = [
                rule
                for rule in self.machine.firewall.rules
                if pattern(rule.display_name if display_name else rule.name)
            ]
            if not found and not has_wildcards(value):
                self.not_found(kind, value)
            yield from found

    def update(self, rule: Rule) -> None:
        """Put what was given into a rule."""
        for attribute in ("description", "group", "direction", "action", "protocol", "program", "service"):
            value = getattr(self, attribute, None)
            if value is not None:
                setattr(rule, attribute, str(value))
        if (enabled := getattr(self, "enabled", None)) is not None:
            rule.enabled = str(enabled) == "True"
        if (profile := getattr(self, "profile", None)) is not None:
            rule.profiles = [part.strip() for item in _texts(profile) for part in item.split(",")]
        for attribute in ("local_port", "remote_port", "local_address", "remote_address"):
            if (value := getattr(self, attribute, None)) is not None:
                setattr(rule, attribute, _texts(value))


@cmdlet("Get-NetFirewallRule", module=NET_SECURITY, kind="Function", default_set="GetAll")
class GetNetFirewallRule(_FirewallCmdlet):
    """Rules by name, by display name, or all."""

    name = parameter(
        "Name", "String[]", position=0, mandatory=True, by_name=True, sets=("ByName",), aliases=("ID", "InstanceID")
    )
    display_name = parameter("DisplayName", "String[]", mandatory=True, sets=("ByDisplayName",))
    all_rules = switch("All", sets=("GetAll",))

    def process(self) -> None:
        chosen = (
            self.selected(self.name, self.display_name)
            if self.name or self.display_name
            else self.machine.firewall.rules
        )
        for rule in chosen:
            self.write(_show_rule(rule))


class _RuleSettings(_FirewallCmdlet):
    """The properties that New- and Set-NetFirewallRule take."""

    description = parameter("Description", "String")
    enabled = parameter("Enabled", "String")
    profile = parameter("Profile", "String[]")
    direction = parameter("Direction", "String")
    action = parameter("Action", "String")
    protocol = parameter("Protocol", "String")
    local_port = parameter("LocalPort", "String[]")
    remote_port = parameter("RemotePort", "String[]")
    local_address = parameter("LocalAddress", "String[]", aliases=("LocalIP",))
    remote_address = parameter("RemoteAddress", "String[]", aliases=("RemoteIP",))
    program = parameter("Program", "String")
    service = parameter("Service", "String")


@cmdlet("New-NetFirewallRule", module=NET_SECURITY, kind="Function", should_process=True)
class NewNetFirewallRule(_RuleSettings):
    """Makes a rule; the same name twice is an error."""

    display_name = parameter("DisplayName", "String", mandatory=True)
    name = parameter("Name", "String", aliases=("ID",))
    group = parameter("Group", "String")

    def process(self) -> None:
        if not self.require_administrator() or not self.should_process(str(self.display_name)):
            return
        rule = Rule(str(self.name or ""), str(self.display_name))
        self.update(rule)
        if rule.local_port != ["Any"] and rule.protocol == "Any":
            self.write_error(
                self.error(
                    "Microsoft.Management.Infrastructure.CimException",
                    "The port is invalid for the protocol. Specify TCP or UDP.",
                    "HRESULT 0x80070057",
                    "InvalidArgument",
                )
            )
            return
        try:
            self.machine.firewall.add(rule)
        except WindowsError:
            self.write_error(
                self.error(
                    "Microsoft.Management.Infrastructure.CimException",
                    "Cannot create a file when that file already exists.",
                    "Windows System Error 183",
                    "ResourceExists",
                    rule.name,
                )
            )
            return
        self.write(_show_rule(rule))


@cmdlet("Set-NetFirewallRule", module=NET_SECURITY, kind="Function", should_process=True, default_set="ByName")
class SetNetFirewallRule(_RuleSettings):
    """Changes rules by name or display name."""

    name = parameter(
        "Name", "String[]", position=0, mandatory=True, by_name=True, sets=("ByName",), aliases=("ID", "InstanceID")
    )
    display_name = parameter("DisplayName", "String[]", mandatory=True, sets=("ByDisplayName",))
    new_display_name = parameter("NewDisplayName", "String")
    pass_thru = switch("PassThru")

    def process(self) -> None:
        if not self.require_administrator():
            return
        for rule in self.selected(self.name, self.display_name):
            if self.should_process(rule.name):
                self.update(rule)
                if self.new_display_name is not None:
                    rule.display_name = str(self.new_display_name)
                self.machine.firewall.save()
                if self.pass_thru:
                    self.write(_show_rule(rule))


class _Toggle(_FirewallCmdlet):
    wanted = True

    name = parameter(
        "Name", "String[]", position=0, mandatory=True, by_name=True, sets=("ByName",), aliases=("ID", "InstanceID")
    )
    display_name = parameter("DisplayName", "String[]", mandatory=True, sets=("ByDisplayName",))

    def process(self) -> None:
        if not self.require_administrator():
            return
        for rule in self.selected(self.name, self.display_name):
            if self.should_process(rule.name):
                rule.enabled = self.wanted
                self.machine.firewall.save()


@cmdlet("Enable-NetFirewallRule", module=NET_SECURITY, kind="Function", should_process=True, default_set="ByName")
class EnableNetFirewallRule(_Toggle):
    """Switches rules on."""


@cmdlet("Disable-NetFirewallRule", module=NET_SECURITY, kind="Function", should_process=True, default_set="ByName")
class DisableNetFirewallRule(_Toggle):
    """Switches rules off."""

    wanted = False


@cmdlet("Remove-NetFirewallRule", module=NET_SECURITY, kind="Function", should_process=True, default_set="ByName")
class RemoveNetFirewallRule(_FirewallCmdlet):
    """Removes rules by name or display name."""

    name = parameter(
        "Name", "String[]", position=0, mandatory=True, by_name=True, sets=("ByName",), aliases=("ID", "InstanceID")
    )
    display_name = parameter("DisplayName", "String[]", mandatory=True, sets=("ByDisplayName",))

    def process(self) -> None:
        if not self.require_administrator():
            return
        for rule in list(self.selected(self.name, self.display_name)):
            if self.should_process(rule.name):
                self.machine.firewall.remove(rule.name)


class _FilterCmdlet(_FirewallCmdlet):
    """A part of the rules that come down the pipeline."""

    rule = parameter("AssociatedNetFirewallRule", "Object", mandatory=True, pipeline=True)
    kind = ""

    def process(self) -> None:
        if not isinstance(self.rule, PSCustomObject) or _RULE not in (self.rule.ps_type_names or ()):
            raise binding_error(
                "CannotConvertArgument",
                f"Cannot bind parameter 'AssociatedNetFirewallRule'. Cannot convert the \"{to_string(self.rule)}\" value of type "
                f'"{type_of(self.rule).full_name}" to type "Microsoft.Management.Infrastructure.CimInstance".',
                ParameterName="AssociatedNetFirewallRule",
            )
        found = self.machine.firewall.find(str(self.rule.get_note("Name")))
        if found is not None:
            self.write(
                PSCustomObject.of(
                    {**self.properties(found), "InstanceID": found.name},
                    f"Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/{self.kind}",
                )
            )

    def properties(self, rule: Rule) -> dict[str, Any]:
        raise NotImplementedError


def _one_or_many(value: list[str]) -> Any:
    return value[0] if len(value) == 1 else _array(value)


@cmdlet("Get-NetFirewallPortFilter", module=NET_SECURITY, kind="Function", default_set="ByRule")
class GetNetFirewallPortFilter(_FilterCmdlet):
    """The protocol and ports of rules."""

    kind = "MSFT_NetProtocolPortFilter"

    def properties(self, rule: Rule) -> dict[str, Any]:
        return {
            "Protocol": rule.protocol,
            "LocalPort": _one_or_many(rule.local_port),
            "RemotePort": _one_or_many(rule.remote_port),
            "IcmpType": "Any",
            "DynamicTarget": "Any",
        }


@cmdlet("Get-NetFirewallAddressFilter", module=NET_SECURITY, kind="Function", default_set="ByRule")
class GetNetFirewallAddressFilter(_FilterCmdlet):
    """The addresses of rules."""

    kind = "MSFT_NetAddressFilter"

    def properties(self, rule: Rule) -> dict[str, Any]:
        local, remote = _one_or_many(rule.local_address), _one_or_many(rule.remote_address)
        return {"LocalAddress": local, "RemoteAddress": remote, "LocalIP": local, "RemoteIP": remote}


@cmdlet("Get-NetFirewallApplicationFilter", module=NET_SECURITY, kind="Function", default_set="ByRule")
class GetNetFirewallApplicationFilter(_FilterCmdlet):
    """The programs of rules."""

    kind = "MSFT_NetApplicationFilter"

    def properties(self, rule: Rule) -> dict[str, Any]:
        return {"Program": rule.program, "Package": None, "AppPath": rule.program}


@cmdlet("Get-NetFirewallServiceFilter", module=NET_SECURITY, kind="Function", default_set="ByRule")
class GetNetFirewallServiceFilter(_FilterCmdlet):
    """The services of rules."""

    kind = "MSFT_NetServiceFilter"

    def properties(self, rule: Rule) -> dict[str, Any]:
        return {"Service": rule.service, "ServiceName": rule.service}


# ------------------------------------------------------------------------------------------------------------- LocalAccounts


class _AccountsCmdlet(Cmdlet):
    def missing(self, kind: str, name: str) -> None:
        """There is no such user or group."""
        self.write_error(
            self.error(
                f"Microsoft.PowerShell.Commands.{kind}NotFoundException",
                f"{kind} {name} was not found.",
                f"{kind}NotFound",
                "ObjectNotFound",
                name,
            )
        )

    def user_object(self, name: str, record: dict[str, Any]) -> PSCustomObject:
        return PSCustomObject.of(
            {
                "AccountExpires": None,
                "Description": record.get("description", ""),
                "Enabled": bool(record.get("enabled", True)),
                "FullName": record.get("full_name", ""),
                "PasswordExpires": None,
                "UserMayChangePassword": not record.get("user_may_not_change_password", False),
                "PasswordRequired": bool(record.get("password")),
                "Name": name,
                "SID": SecurityIdentifier(self.machine.accounts.user_sid(name)),
                "PrincipalSource": "Local",
                "ObjectClass": "User",
            },
            "Microsoft.PowerShell.Commands.LocalUser",
        )

    def group_object(self, name: str, record: dict[str, Any]) -> PSCustomObject:
        return PSCustomObject.of(
            {
                "Description": record.get("description", ""),
                "Name": name,
                "SID": SecurityIdentifier(self.machine.accounts.sid_of(name)),
                "PrincipalSource": "Local",
                "ObjectClass": "Group",
            },
            "Microsoft.PowerShell.Commands.LocalGroup",
        )


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    matches = wildcard(pattern)
    return [name for name in names if matches(name)]


@cmdlet("Get-LocalUser", module=LOCAL_ACCOUNTS)
class GetLocalUser(_AccountsCmdlet):
    """Local users, all or by name."""

    name = parameter("Name", "String[]", position=0, pipeline=True, by_name=True)

    def process(self) -> None:
        users = self.machine.accounts.users
        for pattern in _texts(self.name or ["*"]):
            found = _matching(pattern, users)
            if not found and not has_wildcards(pattern):
                self.missing("User", pattern)
            for name in found:
                self.write(self.user_object(name, users[name]))


@cmdlet("Get-LocalGroup", module=LOCAL_ACCOUNTS)
class GetLocalGroup(_AccountsCmdlet):
    """Local groups, all or by name."""

    name = parameter("Name", "String[]", position=0, pipeline=True, by_name=True)

    def process(self) -> None:
        groups = self.machine.accounts.groups
        for pattern in _texts(self.name or ["*"]):
            found = _matching(pattern, groups)
            if not found and not has_wildcards(pattern):
                self.missing("Group", pattern)
            for name in found:
                self.write(self.group_object(name, groups[name]))
