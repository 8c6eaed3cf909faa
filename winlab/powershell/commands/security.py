"""Microsoft.PowerShell.Security (Acl, SecureString, credentials, execution policy), archives and Unblock-File."""

from __future__ import annotations

from typing import Any

from winlab.powershell.commands.core import (
    Cmdlet,
    SetInfo,
    ValidateNotNullOrEmpty,
    ValidateSet,
    cmdlet,
    parameter,
    switch,
)
from winlab.powershell.commands.management import NOT_EMPTY, texts
from winlab.powershell.dotnet import files, paths
from winlab.powershell.dotnet.access import FileSystemSecurity, security_of
from winlab.powershell.dotnet.core import get_type
from winlab.powershell.dotnet.cryptography import open_secure_string, seal_secure_string
from winlab.powershell.dotnet.files import ZipArchive, add_to_archive, create_directory, extract_entry, walk
from winlab.powershell.dotnet.streams import FileStream
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import PSCustomObject, SecureString, unwrap
from winlab.powershell.providers import ItemError, Location, drives_of
from winlab.windows.errors import WindowsError

SECURITY = "Microsoft.PowerShell.Security"
ARCHIVE = "Microsoft.PowerShell.Archive"


class _PathCmdlet(Cmdlet):
    """-Path and -LiteralPath resolved by the session's drives."""

    path: Any
    literal_path: Any

    def places(self, must_exist: bool = True) -> list[Location]:
        drives = drives_of(self.runtime)
        found: list[Location] = []
        if self.literal_path is not None:
            named = [(text, False) for text in texts(self.literal_path)]
        else:
            named = [(text, True) for text in texts(self.path)]
        for text, globbing in named:
            try:
                matches = drives.expand(text) if globbing else [drives.resolve(text)]
            except ItemError as error:
                self.write_error(error.record)
                continue
            for place in matches:
                if must_exist and not place.provider.exists(place.path):
                    self.write_error(place.provider.missing(place).record)
                else:
                    found.append(place)
        return found

    def need_file_system(self, place: Location, what: str) -> str:
        if place.provider.name != "FileSystem":
            raise LabUnsupported(f"{self.command_name} on the {place.provider.name} provider ({what})")
        return place.path


@cmdlet("Get-Acl", module=SECURITY, default_set="ByPath")
class GetAcl(_PathCmdlet):
    """Security descriptors of files and folders."""

    path = parameter(
        "Path", "String[]", roles={"ByPath": SetInfo(position=0, pipeline=True, by_name=True)}, default=(".",)
    )
    literal_path = parameter("LiteralPath", "String[]", by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",))
    input_object = parameter("InputObject", "Management.Automation.PSObject", mandatory=True, sets=("ByInputObject",))
    audit = switch("Audit")

    def process(self) -> None:
        if self.input_object is not None:
            item = unwrap(self.input_object)
            if not hasattr(item, "full"):
                raise LabUnsupported("Get-Acl -InputObject for anything but files and folders")
            self.write(security_of(item.full))
            return
        if self.audit:
            raise LabUnsupported("Get-Acl -Audit")
        places = self.places()
        for place in places:
            full = self.need_file_system(place, "access control")
            try:
                self.write(security_of(full))
            except NetException as error:
                self.write_error(self.error(error.type_name, error.message, error.type_name, "PermissionDenied", full))


@cmdlet("Set-Acl", module=SECURITY, default_set="ByPath", should_process=True)
class SetAcl(_PathCmdlet):
    """Gives files and folders a security descriptor."""

    path = parameter(
        "Path", "String[]", roles={"ByPath": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)}
    )
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",)
    )
    input_object = parameter(
        "InputObject",
        "Management.Automation.PSObject",
        roles={"ByInputObject": SetInfo(position=0, mandatory=True, by_name=True)},
    )
    acl_object = parameter(
        "AclObject",
        "Object",
        roles={
            "ByPath": SetInfo(position=1, mandatory=True, pipeline=True, by_name=True),
            "ByLiteralPath": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True),
            "ByInputObject": SetInfo(position=1, mandatory=True, pipeline=True, by_name=True),
        },
    )
    pass_through = switch("Passthru")

    def process(self) -> None:
        descriptor = unwrap(self.acl_object)
        if not isinstance(descriptor, FileSystemSecurity):
            self.throw(
                self.error("System.ArgumentException", "AclObject", "SetAcl_AclObject", "InvalidArgument", descriptor)
            )
        if self.input_object is not None:
            targets = [unwrap(self.input_object).full]
        else:
            targets = [self.need_file_system(place, "access control") for place in self.places()]
        for full in targets:
            if not self.should_process(full, "Set-Acl"):
                continue
            source = descriptor.path
            descriptor.path = None  # Set-Acl writes everything, whatever was changed
            try:
                descriptor.dacl_changed = True
                descriptor.write(full)
                if self.pass_through:
                    self.write(security_of(full))
            except NetException as error:
                self.write_error(self.error(error.type_name, error.message, error.type_name, "PermissionDenied", full))
            finally:
                descriptor.path = source


# ------------------------------------------------------------------------------------------------------------ SecureString, credentials


def _key(value: Any, secure: Any) -> bytes | None:
    if value is not None:
        data = bytes(bytearray(int(item) for item in value))
    elif secure is not None:
        data = secure.text.encode("utf-16-le")
    else:
        return None
    if len(data) not in (16, 24, 32):
        raise NetException(
            "System.ArgumentException",
            "The specified key is not valid. Valid key length settings are either 128 bits, 192 bits, or 256 bits.",
            error_id="Argument",
        )
    return data


@cmdlet("ConvertTo-SecureString", module=SECURITY, default_set="Secure")
class ConvertToSecureString(Cmdlet):
    """Text, or what ConvertFrom-SecureString wrote, as a SecureString."""

    string = parameter("String", "String", position=0, mandatory=True, pipeline=True)
    secure_key = parameter("SecureKey", "Security.SecureString", position=1, sets=("Secure",))
    key = parameter("Key", "Byte[]", sets=("Open",))
    plain = switch("AsPlainText", sets=("PlainText",))
    force = switch("Force", sets=("PlainText",))

    def process(self) -> None:
        if self.plain:
            if not self.force:
                self.throw(
                    self.error(
                        "System.ArgumentException",
                        "The system cannot protect plain text input. To suppress this warning and convert the plain text to a SecureString, "
                        "reissue the command specifying the Force parameter. For more information ,type: get-help ConvertTo-SecureString.",
                        "ImportSecureString_ForceRequired",
                        "InvalidArgument",
                    )
                )
            made = SecureString(self.string)
            made.__dict__["read_only"] = True
            self.write(made)
            return
        try:
            made = open_secure_string(self.string, _key(self.key, self.secure_key))
        except NetException as error:
            self.write_error(
                self.error(
                    error.type_name,
                    error.message,
                    "ImportSecureString_InvalidArgument_CryptographicError"
                    if error.type_name.endswith("CryptographicException")
                    else "ImportSecureString_InvalidArgument",
                    "InvalidArgument",
                )
            )
            return
        made.__dict__["read_only"] = True
        self.write(made)


@cmdlet("ConvertFrom-SecureString", module=SECURITY, default_set="Secure")
class ConvertFromSecureString(Cmdlet):
    """A SecureString as text sealed for this user, or with a key."""

    secure_string = parameter("SecureString", "Security.SecureString", position=0, mandatory=True, pipeline=True)
    secure_key = parameter("SecureKey", "Security.SecureString", position=1, sets=("Secure",))
    key = parameter("Key", "Byte[]", sets=("Open",))

    def process(self) -> None:
        self.write(seal_secure_string(self.secure_string, _key(self.key, self.secure_key)))


# ------------------------------------------------------------------------------------------------------------ execution policy

_SCOPES = ("MachinePolicy", "UserPolicy", "Process", "CurrentUser", "LocalMachine")
_POLICY_KEYS = {
    "MachinePolicy": r"HKLM\SOFTWARE\Policies\Microsoft\Windows\PowerShell",
    "UserPolicy": r"HKCU\Software\Policies\Microsoft\Windows\PowerShell",
    "CurrentUser": r"HKCU\Software\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell",
    "LocalMachine": r"HKLM\SOFTWARE\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell",
}
_POLICY_VARIABLE = "PSExecutionPolicyPreference"


def policy_of(runtime: Any, scope: str) -> str:
    """The execution policy of one scope; Undefined when none is set."""
    if scope == "Process":
        return str(runtime.get_env(_POLICY_VARIABLE) or "Undefined")
    registry = runtime.machine.registry
    path = _POLICY_KEYS[scope]
    if not registry.exists(path, runtime.user):
        return "Undefined"
    return str(registry.open(path, runtime.user).get("ExecutionPolicy") or "Undefined")


def effective_policy(runtime: Any) -> str:
    for scope in _SCOPES:
        found = policy_of(runtime, scope)
        if found != "Undefined":
            return found
    return "RemoteSigned" if runtime.machine.windows.is_server else "Restricted"


@cmdlet("Get-ExecutionPolicy", module=SECURITY)
class GetExecutionPolicy(Cmdlet):
    """The policy that holds, or each scope's."""

    scope = parameter("Scope", "Microsoft.PowerShell.ExecutionPolicyScope", position=0, by_name=True)
    all_scopes = switch("List")

    def process(self) -> None:
        policy = get_type("Microsoft.PowerShell.ExecutionPolicy")
        if self.all_scopes:
            kind = get_type("Microsoft.PowerShell.ExecutionPolicyScope")
            for scope in _SCOPES:
                self.write(
                    PSCustomObject.of(
                        {"Scope": kind.enum(scope), "ExecutionPolicy": policy.enum(policy_of(self.runtime, scope))}
                    )
                )
            return
        name = policy_of(self.runtime, self.scope.name) if self.scope is not None else effective_policy(self.runtime)
        self.write(policy.enum(name))


@cmdlet("Set-ExecutionPolicy", module=SECURITY, should_process=True)
class SetExecutionPolicy(Cmdlet):
    """Sets a scope's policy."""

    policy = parameter(
        "ExecutionPolicy", "Microsoft.PowerShell.ExecutionPolicy", position=0, mandatory=True, by_name=True
    )
    scope = parameter("Scope", "Microsoft.PowerShell.ExecutionPolicyScope", position=1, by_name=True)
    force = switch("Force")

    def process(self) -> None:
        scope = self.scope.name if self.scope is not None else "LocalMachine"
        if not self.should_process(self.policy.name, "Set-ExecutionPolicy"):
            return
        if scope in ("MachinePolicy", "UserPolicy"):
            self.throw(
                self.error(
                    "System.InvalidOperationException",
                    "Cannot set execution policy. Execution policies at the MachinePolicy or UserPolicy scopes must be set through Group "
                    "Policy.",
                    "CantSetGroupPolicy",
                    "InvalidOperation",
                )
            )
        name = "" if self.policy.name == "Undefined" else self.policy.name
        if scope == "Process":
            self.runtime.set_env(_POLICY_VARIABLE, name or None)
            return
        try:
            key = self.machine.registry.create(_POLICY_KEYS[scope], self.user)
            if name:
                key.set("ExecutionPolicy", name)
            elif key.has("ExecutionPolicy"):
                key.delete_value("ExecutionPolicy")
        except WindowsError:
            self.throw(
                self.error(
                    "System.UnauthorizedAccessException",
                    "Access to the registry key 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\PowerShell\\1\\ShellIds\\Microsoft.PowerShell' is denied. "
                    'To change the execution policy for the default (LocalMachine) scope, start Windows PowerShell with the "Run as '
                    'administrator" option. To change the execution policy for the current user, run "Set-ExecutionPolicy -Scope CurrentUser".',
                    "System.UnauthorizedAccessException",
                    "PermissionDenied",
                )
            )
        if effective_policy(self.runtime) not in (self.policy.name,):
            self.throw(
                self.error(
                    "System.Security.SecurityException",
                    "Windows PowerShell updated your execution policy successfully, but the setting is overridden by a policy defined at a "
                    f"more specific scope. Due to the override, your shell will retain its current effective execution policy of "
                    f'{effective_policy(self.runtime)}. Type "Get-ExecutionPolicy -List" to view your execution policy settings. For more '
                    'information please see "Get-Help Set-ExecutionPolicy".',
                    "ExecutionPolicyOverride",
                    "PermissionDenied",
                )
            )


@cmdlet("Unblock-File", module="Microsoft.PowerShell.Utility", default_set="ByPath", should_process=True)
class UnblockFile(_PathCmdlet):
    """Takes the mark of the web off files: the lab's files never carry it."""

    path = parameter("Path", "String[]", roles={"ByPath": SetInfo(position=0, mandatory=True)})
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",)
    )

    def process(self) -> None:
        for place in self.places():
            self.need_file_system(place, "zone identifiers")


# ------------------------------------------------------------------------------------------------------------ archives


class _ArchiveCmdlet(_PathCmdlet):
    def full(self, text: str) -> str:
        try:
            return self.need_file_system(drives_of(self.runtime).resolve(text), "archives")
        except ItemError as error:
            self.throw(error.record)


@cmdlet("Expand-Archive", module=ARCHIVE, kind="Function", default_set="Path", should_process=True)
class ExpandArchive(_ArchiveCmdlet):
    """Extracts a zip file."""

    path = parameter(
        "Path",
        "String",
        roles={"Path": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)},
        validate=NOT_EMPTY,
    )
    literal_path = parameter(
        "LiteralPath", "String", mandatory=True, by_name=True, sets=("LiteralPath",), aliases=("PSPath",)
    )
    destination = parameter("DestinationPath", "String", position=1, validate=(ValidateNotNullOrEmpty(),))
    force = switch("Force")

    def places(self, must_exist: bool = True) -> list[Location]:
        self.__dict__["path"] = [self.path] if isinstance(self.path, str) else self.path
        if isinstance(self.literal_path, str):
            self.__dict__["literal_path"] = [self.literal_path]
        return super().places(must_exist)

    def process(self) -> None:
        shown = self.path or self.literal_path
        found = self.places(must_exist=False)
        if not found or not self.machine.fs.is_file(found[0].path):
            self.throw(
                self.error(
                    "System.ArgumentException",
                    f"The path '{shown}' either does not exist or is not a valid file system path.",
                    "ArchiveCmdletPathNotFound",
                    "InvalidArgument",
                    shown,
                )
            )
        if len(found) > 1:
            self.throw(
                self.error(
                    "System.ArgumentException",
                    f"The input to Path parameter '{shown}' resolves to multiple file system paths.",
                    "InvalidArchiveFilePathDestination",
                    "InvalidArgument",
                    shown,
                )
            )
        archive_path = found[0].path
        extension = paths.extension(archive_path)
        if extension.lower() != ".zip":
            self.throw(
                self.error(
                    "System.IO.IOException",
                    f"{extension} is not a supported archive file format. .zip is the only supported archive file format.",
                    "NotSupportedArchiveFileExtension",
                    "InvalidArgument",
                    extension,
                )
            )
        target = self.full(self.destination) if self.destination else self._default(archive_path)
        if not self.should_process(archive_path, "Expand-Archive"):
            return
        stream = FileStream(archive_path, 3, 1, 1)
        try:
            archive = ZipArchive(stream)
            create_directory(target)
            for entry in archive.entries:
                self.check()
                self._extract(entry, target.rstrip("\\"))
        finally:
            stream.close()

    def _default(self, archive_path: str) -> str:
        name = paths.file_name(archive_path)
        return self.full(name[: -len(paths.extension(name))])

    def _extract(self, entry: Any, root: str) -> None:
        name = entry.info.filename.replace("/", "\\")
        full = paths.full_path(f"{root}\\{name}")
        if not full.lower().startswith(root.lower() + "\\"):
            self.throw(
                self.error(
                    "System.IO.IOException",
                    f"The archive entry '{entry.info.filename}' points outside of the destination.",
                    "ArchiveEntryOutsideDestination",
                    "InvalidData",
                )
            )
        if name.endswith("\\"):
            create_directory(full.rstrip("\\"))
            return
        if self.machine.fs.is_file(full) and not self.force:
            self.write_error(
                self.error(
                    "System.IO.IOException",
                    f"Failed to create file '{full}' while expanding the archive file '{entry.info.filename}' contents as the file '{full}' "
                    "already exists. Use the -Force parameter if you want to overwrite the existing directory '"
                    f"{full}' contents when expanding the archive file.",
                    "ExpandArchiveFileExists",
                    "PermissionDenied",
                    full,
                )
            )
            return
        extract_entry(entry, full, True)


@cmdlet("Compress-Archive", module=ARCHIVE, kind="Function", default_set="Path", should_process=True)
class CompressArchive(_ArchiveCmdlet):
    """Makes or updates a zip file."""

    _PATH_SETS = ("Path", "PathWithForce", "PathWithUpdate")
    _LITERAL_SETS = ("LiteralPath", "LiteralPathWithForce", "LiteralPathWithUpdate")

    path = parameter(
        "Path",
        "String[]",
        roles={name: SetInfo(position=0, mandatory=True, pipeline=True, by_name=True) for name in _PATH_SETS},
        validate=NOT_EMPTY,
    )
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=_LITERAL_SETS, aliases=("PSPath",)
    )
    destination = parameter("DestinationPath", "String", position=1, mandatory=True, validate=NOT_EMPTY)
    level = parameter(
        "CompressionLevel", "String", default="Optimal", validate=(ValidateSet("Optimal", "NoCompression", "Fastest"),)
    )
    update = switch(
        "Update", roles={name: SetInfo(mandatory=True) for name in ("PathWithUpdate", "LiteralPathWithUpdate")}
    )
    force = switch("Force", roles={name: SetInfo(mandatory=True) for name in ("PathWithForce", "LiteralPathWithForce")})

    def begin(self) -> None:
        self.sources: list[str] = []

    def process(self) -> None:
        for place in self.places():
            self.sources.append(self.need_file_system(place, "archives"))

    def end(self) -> None:
        target = self.full(self.destination)
        extension = paths.extension(target)
        if not extension:
            target += ".zip"
        elif extension.lower() != ".zip":
            self.throw(
                self.error(
                    "System.IO.IOException",
                    f"{extension} is not a supported archive file format. .zip is the only supported archive file format.",
                    "NotSupportedArchiveFileExtension",
                    "InvalidArgument",
                    extension,
                )
            )
        exists = self.machine.fs.is_file(target)
        if exists and not self.update and not self.force:
            self.throw(
                self.error(
                    "System.IO.IOException",
                    f"The archive file {target} already exists. Use the -Update parameter to update the existing archive file or use the -Force "
                    "parameter to overwrite the existing archive file.",
                    "ArchiveFileExists",
                    "PermissionDenied",
                    target,
                )
            )
        if not self.sources or not self.should_process(", ".join(self.sources), "Compress-Archive"):
            return
        level = get_type("System.IO.Compression.CompressionLevel").enum(
            next(name for name in ("Optimal", "NoCompression", "Fastest") if name.lower() == str(self.level).lower())
        )
        if exists and not self.update:
            files.File.delete(target)
        stream = FileStream(target, 4, 3, 0)
        archive = ZipArchive(stream, 2 if self.update and exists else 1)
        try:
            for source in self.sources:
                self._add(archive, source, level)
        finally:
            archive.dispose()

    def _add(self, archive: ZipArchive, source: str, level: Any) -> None:
        base = source.rstrip("\\").rpartition("\\")[0]
        if self.machine.fs.is_file(source):
            self._put(archive, source, source[len(base) + 1 :], level)
            return
        found = list(walk(source, "*", True, True, True))
        if not found:
            archive.create_entry(source[len(base) + 1 :].replace("\\", "/") + "/")
        for path, entry in found:
            self.check()
            name = path[len(base) + 1 :]
            if not entry.is_dir:
                self._put(archive, path, name, level)
            elif not self.machine.fs.listdir(path):
                archive.create_entry(name + "\\")

    def _put(self, archive: ZipArchive, path: str, name: str, level: Any) -> None:
        # the module of 5.1 writes entry names with backslashes
        for own in [entry for entry in archive.entries if entry.info.filename.replace("/", "\\") == name]:
            archive.entries.remove(own)
        add_to_archive(archive, path, name, level)
