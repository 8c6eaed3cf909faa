"""System.Reflection.Assembly and AssemblyName: the assemblies of the global cache and those that modules of the lab stand for."""

from __future__ import annotations

import re
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import NetObject

from . import context
from .core import NetType, ctor, find_type, method, net_type, prop, static, static_prop
from .declare import need
from .identity import Version

_ECMA, _MICROSOFT, _MANAGEMENT = "b77a5c561934e089", "b03f5f7f11d50a3a", "31bf3856ad364e35"
_TOKENS = {
    "mscorlib": _ECMA,
    "System": _ECMA,
    "System.Core": _ECMA,
    "System.Data": _ECMA,
    "System.Xml": _ECMA,
    "System.Xml.Linq": _ECMA,
    "System.Numerics": _ECMA,
    "System.Transactions": _ECMA,
    "System.Windows.Forms": _ECMA,
    "System.IO.Compression": _ECMA,
    "System.IO.Compression.FileSystem": _ECMA,
    "System.Runtime.Serialization": _ECMA,
    "System.ServiceModel": _ECMA,
    "System.Management.Automation": _MANAGEMENT,
    "System.Web.Extensions": _MANAGEMENT,
    "Microsoft.Web.Administration": _MANAGEMENT,
}
_VERSIONS = {"System.Management.Automation": "3.0.0.0", "Microsoft.Web.Administration": "7.0.0.0"}


def assembly_full_name(name: str) -> str:
    """`mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089`"""
    if name.startswith(("Microsoft.PowerShell", "Microsoft.WSMan")):
        return f"{name}, Version=3.0.0.0, Culture=neutral, PublicKeyToken={_MANAGEMENT}"
    return f"{name}, Version={_VERSIONS.get(name, '4.0.0.0')}, Culture=neutral, PublicKeyToken={_TOKENS.get(name, _MICROSOFT)}"


def location_of(name: str) -> str:
    if name == "mscorlib":
        return "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\mscorlib.dll"
    if name == "Microsoft.Web.Administration":
        return f"C:\\Windows\\assembly\\GAC_MSIL\\{name}\\7.0.0.0__{_MANAGEMENT}\\{name}.dll"
    version, token = _VERSIONS.get(name, "4.0.0.0"), _TOKENS.get(name, _MICROSOFT)
    return f"C:\\Windows\\Microsoft.Net\\assembly\\GAC_MSIL\\{name}\\v4.0_{version}__{token}\\{name}.dll"


@net_type("System.Reflection.Assembly")
class Assembly(NetObject):
    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return assembly_full_name(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Assembly) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    @prop("FullName : String get")
    def full_name(self) -> str:
        return assembly_full_name(self.name)

    @prop("Location : String get")
    def location(self) -> str:
        return location_of(self.name)

    @prop("CodeBase : String get")
    def code_base(self) -> str:
        return "file:///" + location_of(self.name).replace("\\", "/")

    @prop("GlobalAssemblyCache : Boolean get")
    def global_assembly_cache(self) -> bool:
        return True

    @prop("ImageRuntimeVersion : String get")
    def image_runtime_version(self) -> str:
        return "v2.0.50727" if self.name == "Microsoft.Web.Administration" else "v4.0.30319"

    @prop("IsDynamic : Boolean get")
    def is_dynamic(self) -> bool:
        return False

    @method("GetName() : Reflection.AssemblyName")
    def get_name(self) -> AssemblyName:
        return AssemblyName(assembly_full_name(self.name))

    @method("GetType(String) : Type")
    @method("GetType(String,Boolean) : Type")
    @method("GetType(String,Boolean,Boolean) : Type")
    def get_type_named(self, name: str, throw: bool = False, ignore_case: bool = False) -> NetType | None:
        found = find_type(need(name, "name"))
        if found is not None and (
            found.assembly.lower() != self.name.lower() or (not ignore_case and found.full_name != name)
        ):
            found = None
        if found is None and throw:
            raise NetException("System.TypeLoadException", f"Could not load type '{name}' from assembly '{self}'.")
        return found

    @method("CreateInstance(String) : Object")
    def create_instance(self, name: str) -> Any:
        found = self.get_type_named(name)
        if found is None:
            return None
        from .system import _construct

        return _construct(found, [])

    @static("Load(String) : Reflection.Assembly")
    def load(name: str) -> Assembly:
        return load_assembly(need(name, "assemblyString"))

    @static("LoadWithPartialName(String) : Reflection.Assembly")
    def load_with_partial_name(name: str) -> Assembly | None:
        try:
            return load_assembly(need(name, "partialName"))
        except NetException:
            return None

    @static("LoadFrom(String) : Reflection.Assembly")
    @static("LoadFile(String) : Reflection.Assembly")
    @static("UnsafeLoadFrom(String) : Reflection.Assembly")
    def load_from(path: str) -> Assembly:
        from . import paths

        full = paths.full_path(need(path, "assemblyFile"))
        if not context.machine().fs.is_file(full):
            raise NetException(
                "System.IO.FileNotFoundException",
                f"Could not load file or assembly '{full}' or one of its dependencies. The system cannot find the file specified.",
                FileName=full,
            )
        return load_assembly(paths.file_name(full).rpartition(".")[0])

    @static("GetAssembly(Type) : Reflection.Assembly")
    def get_assembly(kind: NetType) -> Assembly:
        return assembly_of(need(kind, "type"))

    @static("GetExecutingAssembly() : Reflection.Assembly")
    def get_executing_assembly() -> Assembly:
        return Assembly("System.Management.Automation")

    @static("GetEntryAssembly() : Reflection.Assembly")
    def get_entry_assembly() -> Any:
        return Assembly("powershell")

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


net_type("System.Reflection.RuntimeAssembly", base="System.Reflection.Assembly", kind="class", assembly="mscorlib")(
    type("RuntimeAssembly", (Assembly,), {})
)


def assembly_of(kind: NetType) -> Assembly:
    return Assembly(kind.assembly)


def load_assembly(name: str) -> Assembly:
    """An assembly by display name: known to the lab, or FileNotFoundException."""
    short = name.partition(",")[0].strip()
    runtime = context.runtime()
    loader = getattr(runtime, "load_assembly", None)
    if loader is None:
        raise LabUnsupported("loading an assembly")
    if not loader(short):
        raise NetException(
            "System.IO.FileNotFoundException",
            f"Could not load file or assembly '{name}' or one of its dependencies. The system cannot find the file specified.",
            FileName=name,
        )
    from winlab.powershell.runtime.setup import known_assembly

    return Assembly(str(known_assembly(short) or short))


@net_type("System.Reflection.AssemblyName", interfaces=("ICloneable",))
class AssemblyName(NetObject):
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    @ctor("(String)")
    def new(self, text: str) -> None:
        self.text = need(text, "assemblyName")

    @prop("Name : String")
    def name(self) -> str:
        return self.text.partition(",")[0].strip()

    @prop("FullName : String get")
    def full_name(self) -> str:
        return self.text

    @prop("Version : Version")
    def version(self) -> Any:
        found = re.search(r"Version=([\d.]+)", self.text)
        return Version(*map(int, found.group(1).split("."))) if found else None

    @prop("CultureName : String")
    def culture_name(self) -> str:
        return ""

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.text


@net_type("System.AppDomain")
class AppDomain(NetObject):
    @static("GetCurrentThreadId() : Int32")
    def get_current_thread_id() -> int:
        import threading

        return threading.get_ident() & 0x7FFF

    @static_prop("CurrentDomain : AppDomain get")
    def current_domain() -> AppDomain:
        return AppDomain()

    @method("GetAssemblies() : Reflection.Assembly[]")
    def get_assemblies(self) -> list[Assembly]:
        shared = getattr(context.runtime(), "shared", None)
        loaded = getattr(shared, "assemblies", set())
        from winlab.powershell.runtime.setup import known_assembly

        return [Assembly(str(known_assembly(name) or name)) for name in sorted(loaded)]

    @prop("FriendlyName : String get")
    def friendly_name(self) -> str:
        return "DefaultDomain"

    @prop("BaseDirectory : String get")
    def base_directory(self) -> str:
        return "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\"
