"""The registry: keys and typed values, persisted as one JSON document per server.

Names compare without case and keep theirs. `HKCR` is HKLM\\SOFTWARE\\Classes; `HKCU` is the caller's hive below HKU.
"""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any

from winlab.windows.errors import WindowsError
from winlab.windows.store import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from winlab.windows.accounts import Token
    from winlab.windows.machine import Machine

HIVES = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_USERS": "HKU",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
FULL_NAMES = {short: full for full, short in HIVES.items()}
KINDS = ("String", "ExpandString", "Binary", "DWord", "MultiString", "QWord", "None")
REG_NAMES = {
    "String": "REG_SZ",
    "ExpandString": "REG_EXPAND_SZ",
    "Binary": "REG_BINARY",
    "DWord": "REG_DWORD",
    "MultiString": "REG_MULTI_SZ",
    "QWord": "REG_QWORD",
    "None": "REG_NONE",
}
Value = str | int | bytes | list[str]
_ADMIN_ONLY = ("HKLM", "HKU", "HKCC", "HKCR")


class RegistryKey:
    """An open key. Values: name -> (data, kind); String and ExpandString hold str, DWord and QWord int, Binary bytes, MultiString list[str]."""

    def __init__(self, registry: Registry, path: str, node: dict[str, Any], user: Token | None) -> None:
        self.registry = registry
        self.path = path
        self._node = node
        self._user = user

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("\\")[2]

    @property
    def full_name(self) -> str:
        """`HKEY_LOCAL_MACHINE\\SOFTWARE\\...`"""
        hive, _, rest = self.path.partition("\\")
        return FULL_NAMES[hive] + ("\\" + rest if rest else "")

    def subkeys(self) -> list[str]:
        """Names of the keys below, sorted as the registry keeps them."""
        return sorted((child["n"] for child in self._node.get("k", {}).values()), key=str.upper)

    def value_names(self) -> list[str]:
        """Names of the values in the order they were made; '' is the default value."""
        return [value[0] for value in self._node.get("v", {}).values()]

    def get(self, name: str = "", default: Any = None) -> Any:
        """The data of a value."""
        found = self._node.get("v", {}).get(name.upper())
        return default if found is None else _decode(found)

    def kind(self, name: str = "") -> str:
        """String, ExpandString, Binary, DWord, MultiString, QWord or None. WindowsError 2 when there is no such value."""
        found = self._node.get("v", {}).get(name.upper())
        if found is None:
            raise WindowsError(2, path=f"{self.path}\\{name}")
        return str(found[1])

    def has(self, name: str) -> bool:
        return name.upper() in self._node.get("v", {})

    def values(self) -> dict[str, Any]:
        return {value[0]: _decode(value) for value in self._node.get("v", {}).values()}

    def set(self, name: str, data: Value, kind: str | None = None) -> None:
        """Writes a value; the kind follows from the data's type unless given. WindowsError 5 without the right, 87 for data that does not fit."""
        self.registry.require_write(self.path, self._user)
        kind = kind or _kind_of(data)
        values = self._node.setdefault("v", {})
        stored = values[name.upper()][0] if name.upper() in values else name
        values[name.upper()] = [stored, kind, _encode(data, kind)]
        self.registry.save()

    def delete_value(self, name: str) -> None:
        """WindowsError 2 when there is no such value."""
        self.registry.require_write(self.path, self._user)
        if name.upper() not in self._node.get("v", {}):
            raise WindowsError(2, path=f"{self.path}\\{name}")
        del self._node["v"][name.upper()]
        self.registry.save()


def _kind_of(data: Value) -> str:
    if isinstance(data, bool | int):
        return "DWord"
    if isinstance(data, bytes):
        return "Binary"
    return "MultiString" if isinstance(data, list) else "String"


def _encode(data: Value, kind: str) -> Any:
    if kind not in KINDS:
        raise WindowsError(87)
    if kind in ("DWord", "QWord"):
        bits = 32 if kind == "DWord" else 64
        if not isinstance(data, int) or not -(1 << (bits - 1)) <= data < 1 << bits:
            raise WindowsError(87)
        return data & ((1 << bits) - 1)
    if kind in ("Binary", "None"):
        return base64.b64encode(data if isinstance(data, bytes) else b"").decode()
    if kind == "MultiString":
        return [str(item) for item in data] if isinstance(data, list) else [str(data)]
    return str(data)


def _decode(stored: list[Any]) -> Any:
    if stored[1] in ("Binary", "None"):
        return base64.b64decode(stored[2])
    return list(stored[2]) if isinstance(stored[2], list) else stored[2]


class Registry:
    """`path`: `HKLM\\SOFTWARE\\...` with the hive's short or full name, with or without `Registry::` or a drive's colon (`HKLM:\\`)."""

    def __init__(self, machine: Machine, bare: dict[str, dict[str, Any]]) -> None:
        self.machine = machine
        self._document = Document(machine.state_dir / "registry.json", None)
        self._filling = False
        if self._document.data is None:
            self._document.data = {"n": "", "k": {}}
            # nothing is written until something changes: it would be the same again
            self._filling = True
            self._fill(bare)
            self._filling = False

    def _fill(self, bare: dict[str, dict[str, Any]]) -> None:
        for path, values in bare.items():
            key = self.create(path)
            for name, data in values.items():
                if isinstance(data, tuple):
                    key.set(name, data[0], data[1])
                else:
                    key.set(name, data)

    def normalize(self, path: str, user: Token | None = None) -> str:
        """`HKLM\\SOFTWARE\\X`: short hive name, HKCU and HKCR as themselves. WindowsError 2 for a hive that there is not."""
        text = path.replace("/", "\\") if path.startswith("HK") and "/" in path.split("\\")[0] else path
        for prefix in ("Registry::", "Microsoft.PowerShell.Core\\Registry::"):
            if text.lower().startswith(prefix.lower()):
                text = text[len(prefix) :]
        parts = [part for part in text.split("\\") if part]
        if not parts:
            raise WindowsError(2, path=path)
        hive = parts[0].rstrip(":").upper()
        hive = HIVES.get(hive, hive)
        if hive not in FULL_NAMES:
            raise WindowsError(2, path=path)
        if any(len(part) > 255 for part in parts):
            raise WindowsError(87, path=path)
        return "\\".join((hive, *parts[1:]))

    def _physical(self, path: str, user: Token | None) -> list[str]:
        hive, *rest = path.split("\\")
        if hive == "HKCR":
            return ["HKLM", "SOFTWARE", "Classes", *rest]
        if hive == "HKCU":
            sid = user.sid if user is not None else "S-1-5-18"
            return ["HKU", ".DEFAULT" if sid == "S-1-5-18" else sid, *rest]
        return [hive, *rest]

    def _find(self, path: str, user: Token | None) -> dict[str, Any] | None:
        node: dict[str, Any] = self._document.data
        for part in self._physical(path, user):
            child = node.get("k", {}).get(part.upper())
            if child is None:
                return None
            node = child
        return node

    def exists(self, path: str, user: Token | None = None) -> bool:
        try:
            path = self.normalize(path)
        except WindowsError:
            return False
        return self._find(path, user) is not None or "\\" not in path

    def open(self, path: str, user: Token | None = None) -> RegistryKey:
        """WindowsError 2 when the key is not there."""
        path = self.normalize(path)
        node = self._find(path, user)
        if node is None:
            if "\\" not in path:
                return self.create(path, None)
            raise WindowsError(2, path=path)
        return RegistryKey(self, self._stored(path, user), node, user)

    def _stored(self, path: str, user: Token | None) -> str:
        """The path as its keys are written."""
        hive, *rest = path.split("\\")
        physical = self._physical(path, user)
        node: dict[str, Any] = self._document.data
        names = []
        for part in physical:
            node = node["k"][part.upper()]
            names.append(node["n"])
        return "\\".join((hive, *names[len(names) - len(rest) :])) if rest else hive

    def create(self, path: str, user: Token | None = None) -> RegistryKey:
        """Opens a key, making it and the keys above where they are missing. WindowsError 5 without the right."""
        path = self.normalize(path)
        with self.machine.lock:
            node: dict[str, Any] = self._document.data
            changed = False
            for index, part in enumerate(self._physical(path, user)):
                children = node.setdefault("k", {})
                if part.upper() not in children:
                    if index:
                        self.require_write(path, user)
                    children[part.upper()] = {"n": part}
                    changed = True
                node = children[part.upper()]
            if changed:
                self.save()
        return RegistryKey(self, self._stored(path, user), node, user)

    def delete(self, path: str, recursive: bool = False, user: Token | None = None) -> None:
        """WindowsError 2 when it is not there, 5 for a hive or without the right, 5 too for a key with keys below unless `recursive`."""
        path = self.normalize(path)
        with self.machine.lock:
            node = self._find(path, user)
            if node is None:
                raise WindowsError(2, path=path)
            self.require_write(path, user)
            if "\\" not in path:
                raise WindowsError(5, path=path)
            if node.get("k") and not recursive:
                raise WindowsError(5, path=path)
            *above, last = self._physical(path, user)
            parent: dict[str, Any] = self._document.data
            for part in above:
                parent = parent["k"][part.upper()]
            del parent["k"][last.upper()]
            self.save()

    def walk(self, path: str, user: Token | None = None) -> Iterator[RegistryKey]:
        """The key and all below it."""
        key = self.open(path, user)
        yield key
        for name in key.subkeys():
            yield from self.walk(f"{key.path}\\{name}", user)

    def get(self, path: str, name: str = "", default: Any = None) -> Any:
        """The data of a value; `default` when key or value are missing."""
        node = self._find(self.normalize(path), None)
        return default if node is None else RegistryKey(self, path, node, None).get(name, default)

    def require_write(self, path: str, user: Token | None) -> None:
        """WindowsError 5 for writing to the machine's hives without being an administrator."""
        if user is not None and not user.elevated and not user.is_system and path.split("\\")[0] in _ADMIN_ONLY:
            raise WindowsError(5, path=path)

    def batch(self) -> contextlib.AbstractContextManager[None]:
        """Many changes, written once at the end."""
        return self._document.batch()

    def save(self) -> None:
        if self._filling:
            return
        with self.machine.lock:
            self._document.save()
