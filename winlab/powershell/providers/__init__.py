"""PowerShell's providers: what stands behind drives such as `C:`, `HKLM:` and `Env:`, and how paths name it.

Sources: about_Providers, about_Path_Syntax and the errors that the real cmdlets report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from winlab.powershell.errors import ErrorRecord, LabUnsupported, NetException
from winlab.powershell.objects import PSCustomObject, PSMember, PSObject
from winlab.powershell.runtime.members import ensure_members
from winlab.powershell.runtime.wildcard import has_wildcards, unescape, wildcard

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

NOT_SIMULATED = ("wsman",)
"""Drives that every Windows has and the lab lacks, in small letters."""


@dataclass(frozen=True)
class Drive:
    """A drive: its name, its provider, and what its root is for the provider."""

    name: str
    provider: Provider
    root: str
    description: str = ""


@dataclass(frozen=True)
class Location:
    """One resolved path.

    Attributes:
        provider: who stands behind it.
        path: as the provider takes it (`C:\\Windows`, `HKEY_LOCAL_MACHINE\\SOFTWARE`, `PATH`).
        drive: the drive it was reached by, None for a provider-qualified path.
    """

    provider: Provider
    path: str
    drive: Drive | None = None

    @property
    def shown(self) -> str:
        """The path as a user writes it, with the drive."""
        if self.drive is None:
            return self.provider.qualified(self.path)
        return self.provider.with_drive(self.drive, self.path)

    def child(self, name: str) -> Location:
        """The path of an item below this one."""
        return Location(self.provider, self.provider.join(self.path, name), self.drive)


@dataclass(frozen=True)
class Child:
    """An item of a listing."""

    name: str
    is_container: bool
    hidden: bool = False


class ItemError(Exception):
    """A refusal of a provider: becomes an error record of the cmdlet."""

    def __init__(self, exception: NetException, error_id: str, category: str, target: Any = None) -> None:
        super().__init__(exception.message)
        self.record = ErrorRecord(exception, error_id, category, target)


class Provider:
    """What a provider can do; the base refuses by name what a provider lacks."""

    name = ""
    module = "Microsoft.PowerShell.Core"
    has_content = False
    has_properties = False

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    # -- paths

    def join(self, path: str, name: str) -> str:
        """A child's path."""
        return path.rstrip("\\") + "\\" + name if path else name

    def parent(self, path: str) -> str:
        """The path above, or empty at the root."""
        return path.rpartition("\\")[0]

    def leaf(self, path: str) -> str:
        """The last part of a path."""
        return path.rstrip("\\").rpartition("\\")[2]

    def normalize(self, root: str, rest: str) -> str:
        """A path from a drive's root and what follows the drive, with `.` and `..` folded."""
        parts: list[str] = []
        for part in rest.replace("/", "\\").split("\\"):
            if part == "..":
                if parts:
                    parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "\\".join([root, *parts]) if root else "\\".join(parts)

    def with_drive(self, drive: Drive, path: str) -> str:
        """`HKLM:\\SOFTWARE` for HKEY_LOCAL_MACHINE\\SOFTWARE."""
        rest = path[len(drive.root) :].lstrip("\\") if drive.root else path
        return f"{drive.name}:\\{rest}"

    def qualified(self, path: str) -> str:
        """`Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\SOFTWARE`"""
        return f"{self.module}\\{self.name}::{path}"

    # -- items

    def exists(self, path: str) -> bool:
        """Whether there is an item."""
        raise NotImplementedError

    def is_container(self, path: str) -> bool:
        """Whether the item can have children."""
        raise NotImplementedError

    def stored(self, path: str) -> str:
        """The path as the item's own name has it."""
        return path

    def item(self, path: str) -> Any:
        """The item's object."""
        raise NotImplementedError

    def children(self, path: str) -> list[Child]:
        """The items below a container, in the provider's order."""
        raise NotImplementedError

    def new(self, path: str, kind: str, value: Any, force: bool) -> Any:
        """Make an item; returns what New-Item prints."""
        self.refuse("New-Item")

    def remove(self, path: str, recurse: bool, force: bool) -> None:
        """Remove an item."""
        self.refuse("Remove-Item")

    def copy(self, path: str, target: str, recurse: bool, force: bool) -> Iterator[str]:
        """Copy an item; yields the paths that were made."""
        self.refuse("Copy-Item")

    def move(self, path: str, target: str, force: bool) -> str:
        """Move an item; returns the new path."""
        self.refuse("Move-Item")

    def rename(self, path: str, name: str, force: bool) -> str:
        """Rename an item; returns the new path."""
        self.refuse("Rename-Item")

    def set(self, path: str, value: Any) -> Any:
        """Change an item's value."""
        self.refuse("Set-Item")

    def clear(self, path: str) -> None:
        """Empty an item."""
        self.refuse("Clear-Item")

    # -- properties

    def get_properties(self, path: str, names: list[str] | None) -> Any:
        """The object that Get-ItemProperty prints."""
        self.refuse("Get-ItemProperty")

    def set_property(self, path: str, name: str, value: Any, kind: str | None) -> None:
        """Change or make a property."""
        self.refuse("Set-ItemProperty")

    def new_property(self, path: str, name: str, value: Any, kind: str | None, force: bool) -> None:
        """Make a property."""
        self.refuse("New-ItemProperty")

    def remove_property(self, path: str, name: str) -> None:
        """Remove a property."""
        self.refuse("Remove-ItemProperty")

    def clear_property(self, path: str, name: str) -> None:
        """Empty a property."""
        self.refuse("Clear-ItemProperty")

    # -- errors

    def refuse(self, what: str) -> NoReturn:
        """This provider cannot do that."""
        raise ItemError(
            NetException(
                "System.Management.Automation.PSNotSupportedException",
                "Cannot use interface. The IPropertyCmdletProvider interface is not supported by this provider."
                if "Property" in what
                else "Provider operation stopped because the provider does not support this operation.",
            ),
            "NotSupported",
            "NotImplemented",
        )

    def missing(self, location: Location) -> ItemError:
        """There is no such item."""
        return path_not_found(location.shown)


def path_not_found(path: str) -> ItemError:
    """There is no item at a path."""
    return ItemError(
        NetException(
            "System.Management.Automation.ItemNotFoundException",
            f"Cannot find path '{path}' because it does not exist.",
        ),
        "PathNotFound",
        "ObjectNotFound",
        path,
    )


class Drives:
    """The drives and providers of one runspace."""

    def __init__(self, runtime: Runtime) -> None:
        from winlab.powershell.providers.filesystem import FileSystemProvider
        from winlab.powershell.providers.memory import (
            AliasProvider,
            CertificateProvider,
            EnvironmentProvider,
            FunctionProvider,
            VariableProvider,
        )
        from winlab.powershell.providers.registry import RegistryProvider

        self.runtime = runtime
        self.file_system = FileSystemProvider(runtime)
        registry = RegistryProvider(runtime)
        self.providers: dict[str, Provider] = {
            provider.name.lower(): provider
            for provider in (
                registry,
                AliasProvider(runtime),
                EnvironmentProvider(runtime),
                self.file_system,
                FunctionProvider(runtime),
                VariableProvider(runtime),
                CertificateProvider(runtime),
            )
        }
        drives = [
            Drive(
                "Alias",
                self.providers["alias"],
                "",
                "Drive that contains a view of the aliases stored in a session state",
            ),
            Drive("C", self.file_system, "C:\\"),
            Drive("Cert", self.providers["certificate"], "", "X509 Certificate Provider"),
            Drive(
                "Env",
                self.providers["environment"],
                "",
                "Drive that contains a view of the environment variables for the process.",
            ),
            Drive(
                "Function",
                self.providers["function"],
                "",
                "Drive that contains a view of the functions stored in a session state",
            ),
            Drive("HKCU", registry, "HKEY_CURRENT_USER", "The software settings for the current user"),
            Drive("HKLM", registry, "HKEY_LOCAL_MACHINE", "The configuration settings for the local computer"),
            Drive(
                "Variable",
                self.providers["variable"],
                "",
                "Drive that contains a view of those variables stored in a session state",
            ),
        ]
        self.drives = {drive.name.lower(): drive for drive in drives}
        self.stacks: dict[str, list[str]] = {}
        self.remembered: dict[str, str] = {}
        """Where each drive was last."""

    def resolve(self, text: str) -> Location:
        """What a path without wildcards names.

        Raises:
            ItemError: no such drive or provider.
        """
        provider_text, separator, rest = text.partition("::")
        if separator and ":" not in provider_text:
            provider = self.providers.get(provider_text.rpartition("\\")[2].lower())
            if provider is None:
                raise ItemError(
                    NetException(
                        "System.Management.Automation.ProviderNotFoundException",
                        f"Cannot find a provider with the name '{provider_text}'.",
                    ),
                    "ProviderNotFound",
                    "ObjectNotFound",
                    provider_text,
                )
            if provider is self.file_system:
                return self._file(rest, None)
            return Location(provider, provider.normalize("", rest))
        if text.startswith(("\\\\", "//")):
            return self._file(text.replace("/", "\\"), None)
        name, colon, rest = text.partition(":")
        if colon and name and not any(mark in name for mark in "\\/"):
            return self._on_drive(self.drive(name), rest)
        if text == "~" or text.startswith(("~\\", "~/")):
            home = self.runtime.get_env("USERPROFILE") or "C:\\"
            return self.resolve(home + text[1:])
        current, _, here = self.runtime.location.partition(":")
        drive = self.drive(current)
        if text.startswith(("\\", "/")):
            return self._on_drive(drive, text)
        return self._on_drive(drive, here.rstrip("\\") + "\\" + text)

    def drive(self, name: str) -> Drive:
        """A drive by its name."""
        found = self.drives.get(name.lower())
        if found is None and name.lower() in NOT_SIMULATED:
            raise LabUnsupported(f"the drive {name}:")
        if found is None:
            raise ItemError(
                NetException(
                    "System.Management.Automation.DriveNotFoundException",
                    f"Cannot find drive. A drive with the name '{name}' does not exist.",
                ),
                "DriveNotFound",
                "ObjectNotFound",
                name,
            )
        return found

    def _on_drive(self, drive: Drive, rest: str) -> Location:
        if drive.provider is self.file_system:
            if rest and not rest.startswith(("\\", "/")):
                here = self.remembered.get(drive.name.lower(), drive.root)
                if self.runtime.location[:1].lower() == drive.name.lower():
                    here = self.runtime.location
                rest = here[2:].rstrip("\\") + "\\" + rest
            return self._file(f"{drive.name}:{rest or self._here(drive)[2:]}", drive)
        return Location(drive.provider, drive.provider.normalize(drive.root, rest), drive)

    def _here(self, drive: Drive) -> str:
        if self.runtime.location[:1].lower() == drive.name.lower():
            return self.runtime.location
        return self.remembered.get(drive.name.lower(), drive.root)

    def _file(self, path: str, drive: Drive | None) -> Location:
        return Location(self.file_system, self.file_system.full(path), drive)

    def expand(self, text: str) -> list[Location]:
        """What a path with wildcards names; without any, the path itself, whether there is something or not.

        Raises:
            ItemError: no such drive.
        """
        if not has_wildcards(text):
            return [self.resolve(unescape(text))]
        head, parts = self._split(text)
        found = [self.resolve(head)] if head else [self.resolve(".")]
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            found = [match for place in found for match in self._matches(place, part, last)]
        return found

    @staticmethod
    def _split(text: str) -> tuple[str, list[str]]:
        """The leading part without wildcards, and the components after it."""
        pieces = text.replace("/", "\\").split("\\")
        for index, piece in enumerate(pieces):
            if has_wildcards(piece):
                head = "\\".join(pieces[:index])
                if index and (head.endswith(":") or not head):
                    head += "\\"
                return unescape(head), [part for part in pieces[index:] if part]
        raise AssertionError("no wildcard")

    def _matches(self, place: Location, part: str, last: bool) -> list[Location]:
        provider = place.provider
        if not has_wildcards(part):
            child = place.child(unescape(part))
            return [child] if provider.exists(child.path) else []
        if not provider.is_container(place.path):
            return []
        matches = wildcard(part)
        return [
            place.child(child.name)
            for child in provider.children(place.path)
            if matches(child.name) and (last or child.is_container)
        ]

    def show(self, location: Location, value: Any) -> Any:
        """An item's object with what tells where it comes from (PSPath and the like)."""
        provider = location.provider
        holder, members = ensure_members(value)
        parent = provider.parent(location.path)
        notes: list[tuple[str, Any]] = [
            ("PSPath", provider.qualified(location.path)),
            ("PSParentPath", provider.qualified(parent) if parent else ""),
            ("PSChildName", provider.leaf(location.path) or location.path),
        ]
        if location.drive is not None:
            notes.append(("PSDrive", drive_object(location.drive)))
        notes += [
            ("PSProvider", provider_object(provider)),
            ("PSIsContainer", provider.is_container(location.path)),
        ]
        for name, content in notes:
            members[name.lower()] = PSMember("NoteProperty", name, content)
        return holder


def drives_of(runtime: Runtime) -> Drives:
    """The drives of a runspace, made when first asked for."""
    found = runtime.state.get("drives")
    if found is None:
        found = runtime.state["drives"] = Drives(runtime)
    return found


class _Named(PSCustomObject):
    """A drive's or provider's object; as text it is its name."""

    __slots__ = ("text",)
    text: str

    def __str__(self) -> str:
        return str(self.text)


def _named(text: str, properties: dict[str, Any], type_name: str) -> _Named:
    made = _Named()
    made.text = text
    for name, value in properties.items():
        made.ps_members[name.lower()] = PSMember("NoteProperty", name, value)
    made.ps_type_names = [type_name, "System.Object"]
    return made


def drive_object(drive: Drive) -> PSObject:
    """A drive as Get-PSDrive gives it."""
    return _named(
        drive.name,
        {
            "Name": drive.name,
            "Provider": provider_object(drive.provider),
            "Root": drive.root,
            "Description": drive.description,
            "CurrentLocation": "",
        },
        "System.Management.Automation.PSDriveInfo",
    )


def provider_object(provider: Provider) -> PSObject:
    """A provider as Get-PSProvider gives it."""
    return _named(
        f"{provider.module}\\{provider.name}",
        {"Name": provider.name, "ModuleName": provider.module},
        "System.Management.Automation.ProviderInfo",
    )


def texts(values: Iterable[Any] | None, runtime: Runtime) -> list[str]:
    """Arguments as texts."""
    return [runtime.to_string(value) for value in values or ()]
