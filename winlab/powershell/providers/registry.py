"""The Registry provider."""

from __future__ import annotations

import re
from typing import Any

from winlab.powershell.dotnet.core import get_type
from winlab.powershell.errors import NetException
from winlab.powershell.objects import ByteArray, Int64, PSArray, PSCustomObject, PSMember, unwrap
from winlab.powershell.providers import Child, ItemError, Provider
from winlab.powershell.providers.filesystem import no_property
from winlab.powershell.runtime.conversion import convert
from winlab.powershell.runtime.members import ensure_members, get_static, invoke_member
from winlab.windows.errors import WindowsError

_FIELDS = {
    "HKEY_LOCAL_MACHINE": "LocalMachine",
    "HKEY_CURRENT_USER": "CurrentUser",
    "HKEY_CLASSES_ROOT": "ClassesRoot",
    "HKEY_USERS": "Users",
    "HKEY_CURRENT_CONFIG": "CurrentConfig",
}
_SHORT = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER", "HKCR": "HKEY_CLASSES_ROOT", "HKU": "HKEY_USERS"}
KINDS = {
    kind.lower(): kind
    for kind in ("String", "ExpandString", "Binary", "DWord", "MultiString", "QWord", "Unknown", "None")
}
DEFAULT = "(default)"


class RegistryProvider(Provider):
    """Keys as items, values as their properties."""

    name = "Registry"
    has_properties = True

    @property
    def registry(self) -> Any:
        return self.runtime.machine.registry

    def normalize(self, root: str, rest: str) -> str:
        path = super().normalize(root, rest)
        head, separator, tail = path.partition("\\")
        return _SHORT.get(head.upper(), head) + separator + tail

    def exists(self, path: str) -> bool:
        if not path:
            return True
        try:
            return self.registry.exists(path, self.runtime.user)
        except WindowsError:
            return False

    def is_container(self, path: str) -> bool:
        return self.exists(path)

    def _open(self, path: str) -> Any:
        try:
            return self.registry.open(path, self.runtime.user)
        except WindowsError as error:
            raise _denied(error, path) from None

    def stored(self, path: str) -> str:
        return self._open(path).full_name if path else path

    def item(self, path: str) -> Any:
        """The key as .NET's RegistryKey, with the names of its values."""
        key = self._open(path)
        hive, _, rest = key.full_name.partition("\\")
        net = get_static(get_type("Microsoft.Win32.Registry"), _FIELDS[hive])
        if rest:
            net = invoke_member(net, "OpenSubKey", [rest])
        holder, members = ensure_members(net)
        names = PSArray([name or DEFAULT for name in key.value_names()], get_type("System.String"))
        members["property"] = PSMember("NoteProperty", "Property", names)
        return holder

    def children(self, path: str) -> list[Child]:
        if not path:
            return [Child(name, True) for name in _FIELDS]
        return [Child(name, True) for name in self._open(path).subkeys()]

    def new(self, path: str, kind: str, value: Any, force: bool) -> Any:
        if self.exists(path):
            if not force:
                raise ItemError(
                    NetException("System.IO.IOException", "A key in this path already exists."),
                    "System.IO.IOException",
                    "ResourceExists",
                    path,
                )
            self.registry.delete(path, True, self.runtime.user)
        elif not force and not self.exists(self.parent(path)):
            raise ItemError(
                NetException("System.IO.IOException", "The registry key at the specified path does not exist."),
                "System.IO.IOException",
                "InvalidArgument",
                path,
            )
        try:
            key = self.registry.create(path, self.runtime.user)
            if value is not None:
                key.set("", *_stored(value, None, self.runtime))
        except WindowsError as error:
            raise _denied(error, path) from None
        return self.item(path)

    def remove(self, path: str, recurse: bool, force: bool) -> None:
        try:
            self.registry.delete(path, recurse, self.runtime.user)
        except WindowsError as error:
            raise _denied(error, path) from None

    def rename(self, path: str, name: str, force: bool) -> str:
        target = self.join(self.parent(path), name)
        self._copy(path, target)
        self.remove(path, True, force)
        return target

    def _copy(self, path: str, target: str) -> None:
        source = self._open(path)
        made = self.registry.create(target, self.runtime.user)
        for name in source.value_names():
            made.set(name, source.get(name), source.kind(name))
        for name in source.subkeys():
            self._copy(self.join(path, name), self.join(target, name))

    # -- properties

    def get_properties(self, path: str, names: list[str] | None) -> Any:
        from winlab.powershell.runtime.wildcard import wildcard

        key = self._open(path)
        found: dict[str, Any] = {}
        for pattern in names or ["*"]:
            matches = wildcard(pattern)
            hits = [name for name in key.value_names() if matches(name or DEFAULT)]
            if not hits and names is not None and "*" not in pattern:
                raise no_property(pattern, key.full_name)
            for name in hits:
                found[name or DEFAULT] = self.shown(key, name)
        return PSCustomObject.of(found)

    def shown(self, key: Any, name: str) -> Any:
        """A value as .NET gives it, environment variables expanded."""
        kind, data = key.kind(name), key.get(name)
        match kind:
            case "ExpandString":
                return _expand(data, self.runtime)
            case "DWord":
                return data - (1 << 32) if data >= 1 << 31 else data
            case "QWord":
                return Int64(data - (1 << 64) if data >= 1 << 63 else data)
            case "MultiString":
                return PSArray(data, get_type("System.String"))
            case "Binary" | "None":
                return ByteArray(data or b"")
        return data

    def set_property(self, path: str, name: str, value: Any, kind: str | None) -> None:
        key = self._open(path)
        real = "" if name.lower() == DEFAULT else name
        if kind is None and key.has(real):
            kind = key.kind(real)
        try:
            key.set(real, *_stored(value, kind, self.runtime))
        except WindowsError as error:
            raise _denied(error, path) from None

    def new_property(self, path: str, name: str, value: Any, kind: str | None, force: bool) -> None:
        key = self._open(path)
        if key.has("" if name.lower() == DEFAULT else name) and not force:
            raise ItemError(
                NetException("System.IO.IOException", "The property already exists."),
                "System.IO.IOException",
                "ResourceExists",
                path,
            )
        self.set_property(path, name, "" if value is None else value, kind)

    def remove_property(self, path: str, name: str) -> None:
        key = self._open(path)
        try:
            key.delete_value("" if name.lower() == DEFAULT else name)
        except WindowsError as error:
            if error.code == 2:
                raise no_property(name, key.full_name) from None
            raise _denied(error, path) from None

    def clear_property(self, path: str, name: str) -> None:
        key = self._open(path)
        if not key.has(name):
            raise no_property(name, key.full_name)
        empty: dict[str, Any] = {"DWord": 0, "QWord": 0, "Binary": b"", "MultiString": []}
        key.set(name, empty.get(key.kind(name), ""), key.kind(name))


def _stored(value: Any, kind: str | None, runtime: Any) -> tuple[Any, str]:
    """A PowerShell value as the registry keeps it, with its kind."""
    base = unwrap(value)
    if kind is None:
        if isinstance(base, bool):
            kind = "String"
        elif isinstance(base, Int64):
            kind = "QWord"
        elif isinstance(base, int) and not isinstance(base, str):
            kind = "DWord"
        elif isinstance(base, ByteArray | bytes | bytearray):
            kind = "Binary"
        elif isinstance(base, list):
            kind = "MultiString"
        else:
            kind = "String"
    kind = KINDS.get(kind.lower(), kind)
    if kind in ("DWord", "QWord"):
        bits = 32 if kind == "DWord" else 64
        number = convert(base, get_type("System.Int32" if bits == 32 and _fits(base) else "System.Int64"))
        return int(number) % (1 << bits), kind
    if kind == "Binary":
        return bytes(base if isinstance(base, ByteArray | bytes | bytearray) else [int(item) for item in base]), kind
    if kind == "MultiString":
        return [runtime.to_string(item) for item in (base if isinstance(base, list) else [base])], kind
    return runtime.to_string(base), kind


def _expand(text: str, runtime: Any) -> str:
    def replace(match: re.Match[str]) -> str:
        value = runtime.get_env(match[1])
        return match[0] if value is None else value

    return re.sub(r"%([^%]+)%", replace, text)


def _fits(value: Any) -> bool:
    return not isinstance(value, int) or -(1 << 31) <= value < 1 << 31


def _denied(error: WindowsError, path: str) -> ItemError:
    if error.code == 5:
        return ItemError(
            NetException("System.Security.SecurityException", "Requested registry access is not allowed."),
            "System.Security.SecurityException",
            "PermissionDenied",
            path,
        )
    return ItemError(NetException("System.IO.IOException", error.message), "System.IO.IOException", "ReadError", path)
