"""Microsoft.Win32.Registry and RegistryKey, and the environment that the registry holds."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import NetException
from winlab.powershell.objects import ByteArray, EnumValue, Int64, NetObject, PSArray, unwrap
from winlab.windows.errors import WindowsError

from . import context
from .core import get_type, method, net_type, prop, static, static_prop
from .declare import argument, io_exception, need, overloads
from .system import expand_variables
from .values import net_string

_HIVES = {
    "ClassesRoot": "HKCR",
    "CurrentUser": "HKCU",
    "LocalMachine": "HKLM",
    "Users": "HKU",
    "CurrentConfig": "HKCC",
}
_KINDS = {1: "String", 2: "ExpandString", 3: "Binary", 4: "DWord", 7: "MultiString", 11: "QWord", -1: "None"}
_NUMBERS = {name: number for number, name in _KINDS.items()}


def to_script(value: Any, kind: str, expand: bool = True) -> Any:
    """Registry data as a script sees it."""
    if kind == "DWord":
        number = int(value)
        return number - (1 << 32) if number >= 1 << 31 else number
    if kind == "QWord":
        number = int(value)
        return Int64(number - (1 << 64) if number >= 1 << 63 else number)
    if kind in ("Binary", "None"):
        return ByteArray(value)
    if kind == "MultiString":
        return PSArray(list(value), get_type("System.String"))
    if kind == "ExpandString" and expand:
        found = context.current()
        return expand_variables(str(value), found.env.get) if found is not None and found.env is not None else value
    return value


def from_script(value: Any, kind: str | None) -> tuple[Any, str]:
    """`(data, kind)` for the registry; the kind follows from the value when none is given. ArgumentException when it does not fit."""
    value = unwrap(value)
    if kind is None or kind == "Unknown":
        if isinstance(value, int) and not isinstance(value, (bool, Int64)) and type(value) is int:
            kind = "DWord"
        elif isinstance(value, ByteArray):
            kind = "Binary"
        elif isinstance(value, PSArray):
            kind = "MultiString"
        else:
            kind = "String"
    bad = argument(
        "The type of the value object did not match the specified RegistryValueKind or the object could not be properly converted."
    )
    try:
        if kind in ("DWord", "QWord"):
            number = int(str(value)) if isinstance(value, str) else int(value)
            bits = 32 if kind == "DWord" else 64
            if not -(1 << (bits - 1)) <= number < 1 << bits:
                raise bad
            return number, kind
        if kind in ("Binary", "None"):
            return bytes(bytearray(int(item) for item in value)), kind
        if kind == "MultiString":
            items = value if isinstance(value, (PSArray, list)) else [value]
            return [net_string(item) for item in items], kind
        if isinstance(value, (PSArray, ByteArray)):
            raise bad
        return net_string(value), kind
    except (TypeError, ValueError):
        raise bad from None


@net_type("Microsoft.Win32.RegistryKey", interfaces=("IDisposable",))
class RegistryKey(NetObject):
    """An open key; `key` is the model's, `path` starts with the short hive name (`HKLM\\...`)."""

    def __init__(self, path: str, key: Any = None, writable: bool = False) -> None:
        self.path = path
        self.writable = writable
        self.closed = False
        self.key = key if key is not None else context.machine().registry.open(path, context.user())

    def __str__(self) -> str:
        return str(self.key.full_name)

    def alive(self) -> Any:
        if self.closed:
            raise NetException(
                "System.ObjectDisposedException",
                f"Cannot access a closed registry key.\r\nObject name: '{self.key.full_name}'.",
            )
        return self.key

    def need_writable(self) -> Any:
        if not self.writable:
            raise NetException("System.UnauthorizedAccessException", "Cannot write to the registry key.")
        return self.alive()

    @prop("Name : String get")
    def name(self) -> str:
        return str(self.alive().full_name)

    @prop("SubKeyCount : Int32 get")
    def sub_key_count(self) -> int:
        return len(self.alive().subkeys())

    @prop("ValueCount : Int32 get")
    def value_count(self) -> int:
        return len(self.alive().value_names())

    @prop("View : Microsoft.Win32.RegistryView get")
    def view(self) -> str:
        return "Default"

    @method("GetSubKeyNames() : String[]")
    def get_sub_key_names(self) -> list[str]:
        return list(self.alive().subkeys())

    @method("GetValueNames() : String[]")
    def get_value_names(self) -> list[str]:
        return list(self.alive().value_names())

    @method("GetValue(String) : Object")
    @method("GetValue(String,Object) : Object")
    @method("GetValue(String,Object,Microsoft.Win32.RegistryValueOptions) : Object")
    def get_value(self, name: str | None, default: Any = None, options: EnumValue | None = None) -> Any:
        key = self.alive()
        if not key.has(name or ""):
            return default
        return to_script(key.get(name or ""), key.kind(name or ""), options is None or options.value != 1)

    @method("GetValueKind(String) : Microsoft.Win32.RegistryValueKind")
    def get_value_kind(self, name: str | None) -> int:
        key = self.alive()
        if not key.has(name or ""):
            raise io_exception("The specified registry key does not exist.")
        return _NUMBERS[key.kind(name or "")]

    @method("SetValue(String,Object) : Void")
    @method("SetValue(String,Object,Microsoft.Win32.RegistryValueKind) : Void")
    def set_value(self, name: str | None, value: Any, kind: EnumValue | None = None) -> None:
        need(value, "value")
        data, chosen = from_script(value, kind.name if kind is not None else None)
        _guard(lambda: self.need_writable().set(name or "", data, chosen), self.key.full_name)

    @method("DeleteValue(String) : Void")
    @method("DeleteValue(String,Boolean) : Void")
    def delete_value(self, name: str, throw: bool = True) -> None:
        key = self.need_writable()
        if not key.has(name or ""):
            if throw:
                raise argument("No value exists with that name.")
            return
        _guard(lambda: key.delete_value(name or ""), key.full_name)

    def _child(self, name: str) -> str:
        return f"{self.path.rstrip(chr(92))}\\{name.strip(chr(92))}" if name else self.path

    @overloads("Microsoft.Win32.RegistryKey", "OpenSubKey")
    def open_sub_key(self, name: str, access: Any = False) -> RegistryKey | None:
        need(name, "name")
        self.alive()
        writable = (
            access
            if isinstance(access, bool)
            else (access.net_type.name == "RegistryKeyPermissionCheck" and access.value == 2)
        )
        if isinstance(access, EnumValue) and access.net_type.name == "RegistryRights":
            writable = bool(access.value & 6)
        registry, user = context.machine().registry, context.user()
        path = self._child(name)
        if not registry.exists(path, user):
            return None
        if writable:
            try:
                registry.require_write(registry.normalize(path), user)
            except WindowsError:
                raise NetException(
                    "System.Security.SecurityException", "Requested registry access is not allowed."
                ) from None
        return RegistryKey(path, registry.open(path, user), writable)

    @overloads("Microsoft.Win32.RegistryKey", "CreateSubKey", skip=("RegistrySecurity",))
    def create_sub_key(self, name: str, *arguments: Any) -> RegistryKey:
        need(name, "subkey")
        self.need_writable()
        path = self._child(name)
        made = _guard(lambda: context.machine().registry.create(path, context.user()), f"{self.key.full_name}\\{name}")
        return RegistryKey(path, made, True)

    @method("DeleteSubKey(String) : Void")
    @method("DeleteSubKey(String,Boolean) : Void")
    def delete_sub_key(self, name: str, throw: bool = True) -> None:
        self.need_writable()
        registry, path = context.machine().registry, self._child(need(name, "subkey"))
        if not registry.exists(path, context.user()):
            if throw:
                raise argument("Cannot delete a subkey tree because the subkey does not exist.")
            return
        if registry.open(path, context.user()).subkeys():
            raise NetException(
                "System.InvalidOperationException",
                "Registry key has subkeys and recursive removes are not supported by this method.",
            )
        _guard(lambda: registry.delete(path, False, context.user()), path)

    @method("DeleteSubKeyTree(String) : Void")
    @method("DeleteSubKeyTree(String,Boolean) : Void")
    def delete_sub_key_tree(self, name: str, throw: bool = True) -> None:
        self.need_writable()
        registry, path = context.machine().registry, self._child(need(name, "subkey"))
        if not registry.exists(path, context.user()):
            if throw:
                raise argument("Cannot delete a subkey tree because the subkey does not exist.")
            return
        _guard(lambda: registry.delete(path, True, context.user()), path)

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.closed = "\\" in self.path

    @method("Flush() : Void")
    def flush(self) -> None:
        pass

    @static("OpenBaseKey(Microsoft.Win32.RegistryHive,Microsoft.Win32.RegistryView) : Microsoft.Win32.RegistryKey")
    def open_base_key(hive: EnumValue, view: EnumValue) -> RegistryKey:
        return base_key(hive.name)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self.alive().full_name)


def base_key(name: str) -> RegistryKey:
    return RegistryKey(_HIVES[name], writable=True)


def _guard(action: Any, shown: str) -> Any:
    try:
        return action()
    except WindowsError as error:
        if error.code == 5:
            raise NetException(
                "System.UnauthorizedAccessException", f"Access to the registry key '{shown}' is denied."
            ) from None
        raise io_exception(f"{error.message}\r\n", error.hresult) from None


@net_type("Microsoft.Win32.Registry")
class Registry:
    """Microsoft.Win32.Registry"""

    for _name in _HIVES:
        locals()[f"hive_{_name}"] = static_prop(f"{_name} : Microsoft.Win32.RegistryKey")(
            lambda _name=_name: base_key(_name)
        )
    del _name

    @static("GetValue(String,String,Object) : Object")
    def get_value(path: str, name: str | None, default: Any) -> Any:
        registry = context.machine().registry
        _check_hive(path)
        if not registry.exists(path, context.user()):
            return None
        return RegistryKey(registry.normalize(path), registry.open(path, context.user())).get_value(name, default)

    @static("SetValue(String,String,Object) : Void")
    @static("SetValue(String,String,Object,Microsoft.Win32.RegistryValueKind) : Void")
    def set_value(path: str, name: str | None, value: Any, kind: EnumValue | None = None) -> None:
        _check_hive(path)
        registry = context.machine().registry
        made = _guard(lambda: registry.create(path, context.user()), path)
        RegistryKey(registry.normalize(path), made, True).set_value(name, value, kind)


def _check_hive(path: str) -> None:
    if not need(path, "keyName").upper().startswith("HKEY_"):
        raise argument("Registry key name must start with a valid base key name.", "keyName")


# ------------------------------------------------------------------------------------------------------------ environment


def environment_values(path: str, runtime: Any) -> dict[str, str]:
    """The variables a registry key holds, expanded."""
    registry = runtime.machine.registry
    if not registry.exists(path, runtime.user):
        return {}
    key = registry.open(path, runtime.user)
    return {name: str(to_script(key.get(name), key.kind(name))) for name in key.value_names()}


def store_environment_value(path: str, name: str, value: str | None, runtime: Any) -> None:
    def run() -> None:
        key = runtime.machine.registry.create(path, runtime.user)
        if value:
            # .NET's SetValue makes a REG_SZ of any text, also of a variable that was a REG_EXPAND_SZ: what it names is not expanded any more.
            key.set(name, value, "String")
        elif key.has(name):
            key.delete_value(name)

    try:
        run()
    except WindowsError:
        raise NetException("System.Security.SecurityException", "Requested registry access is not allowed.") from None
