"""System.Reflection: assemblies, as far as scripts load them and ask for their names and types."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import NetObject
from winlab.powershell.runtime.context import current
from winlab.powershell.runtime.setup import known_assembly

from .core import NetType, ctor, method, net_type, prop, static, static_prop
from .declare import need
from .identity import Version

_TOKENS = {"ecma": "b77a5c561934e089", "framework": "b03f5f7f11d50a3a", "windows": "31bf3856ad364e35"}
_ECMA = {
    "mscorlib", "System", "System.Core", "System.Data", "System.Xml", "System.Xml.Linq", "System.Windows.Forms", "System.Numerics",
    "System.Runtime.Serialization", "System.ServiceModel", "System.Transactions", "System.IO.Compression", "System.IO.Compression.FileSystem",
}  # fmt: skip
_WINDOWS = {
    "System.Management.Automation": "3.0.0.0",
    "Microsoft.PowerShell.ConsoleHost": "3.0.0.0",
    "Microsoft.Web.Administration": "7.0.0.0",
    "System.Web.Extensions": "4.0.0.0",
    "WindowsBase": "4.0.0.0",
    "PresentationCore": "4.0.0.0",
    "PresentationFramework": "4.0.0.0",
}
_PLACES = {"Microsoft.Web.Administration": r"C:\Windows\system32\inetsrv\Microsoft.Web.Administration.dll"}


def full_name(name: str) -> str:
    """An assembly's display name."""
    token = _TOKENS["windows" if name in _WINDOWS else "ecma" if name in _ECMA else "framework"]
    return f"{name}, Version={_WINDOWS.get(name, '4.0.0.0')}, Culture=neutral, PublicKeyToken={token}"


def location(name: str) -> str:
    """The file of an assembly; most are in the global assembly cache."""
    if name in _PLACES:
        return _PLACES[name]
    if name == "mscorlib":
        return r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\mscorlib.dll"
    token = full_name(name).rpartition("=")[2]
    return (
        rf"C:\Windows\Microsoft.Net\assembly\GAC_MSIL\{name}\v4.0_{_WINDOWS.get(name, '4.0.0.0')}__{token}\{name}.dll"
    )


@net_type("System.Reflection.AssemblyName")
class AssemblyName(NetObject):
    """The parts of an assembly's display name."""

    def __init__(self, text: str) -> None:
        name, *parts = [part.strip() for part in text.split(",")]
        self.simple = name
        self.parts = {key.strip().lower(): value.strip() for key, _, value in (part.partition("=") for part in parts)}

    @ctor("(String)")
    def new(self, assembly_name: str) -> None:
        need(assembly_name, "assemblyName")
        AssemblyName.__init__(self, assembly_name)

    @prop("Name : String")
    def name(self) -> str:
        return self.simple

    @prop("Version : Version")
    def version(self) -> Any:
        text = self.parts.get("version")
        return Version(*(int(part) for part in text.split("."))) if text else None

    @prop("FullName : String get")
    def full(self) -> str:
        return ", ".join(
            [self.simple, *(f"{_PARTS[key]}={value}" for key, value in self.parts.items() if key in _PARTS)]
        )

    @method("ToString() : String")
    def to_text(self) -> str:
        return str(self.full)


_PARTS = {"version": "Version", "culture": "Culture", "publickeytoken": "PublicKeyToken"}


@net_type("System.Reflection.Assembly")
class Assembly(NetObject):
    """A loaded assembly."""

    def __init__(self, simple: str) -> None:
        self.simple = simple

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Assembly) and other.simple == self.simple

    def __hash__(self) -> int:
        return hash(self.simple)

    @prop("FullName : String get")
    def display_name(self) -> str:
        return full_name(self.simple)

    @prop("Location : String get")
    def place(self) -> str:
        return location(self.simple)

    @prop("GlobalAssemblyCache : Boolean get")
    def in_cache(self) -> bool:
        return self.simple not in _PLACES

    @prop("ImageRuntimeVersion : String get")
    def image_version(self) -> str:
        return "v4.0.30319"

    @prop("CodeBase : String get")
    def code_base(self) -> str:
        return "file:///" + location(self.simple).replace("\\", "/")

    @method("GetName() : Reflection.AssemblyName")
    def get_name(self) -> AssemblyName:
        return AssemblyName(full_name(self.simple))

    @method("GetType(String) : Type")
    @method("GetType(String,Boolean) : Type")
    def get_type_named(self, name: str, throw: bool = False) -> NetType | None:
        found = current().resolve_type(need(name, "name"))
        if found is not None and _assembly_of(found) == self.simple:
            return found
        if throw:
            raise NetException(
                "System.TypeLoadException", f"Could not load type '{name}' from assembly '{full_name(self.simple)}'."
            )
        return None

    @method("CreateInstance(String) : Object")
    def create_instance(self, name: str) -> Any:
        from winlab.powershell.runtime.invoke import construct

        found = self.get_type_named(name)
        return construct(found, []) if found is not None else None

    @prop("IsDynamic : Boolean get")
    def is_dynamic(self) -> bool:
        return False

    @method("ToString() : String")
    def to_text(self) -> str:
        return full_name(self.simple)

    @static("Load(String) : Reflection.Assembly")
    def load(assembly_string: str) -> Assembly:
        need(assembly_string, "assemblyString")
        return _load(assembly_string, assembly_string)

    @static("Load(Reflection.AssemblyName) : Reflection.Assembly")
    def load_name(name: AssemblyName) -> Assembly:
        return _load(name.simple, str(name.full))

    @static("LoadWithPartialName(String) : Reflection.Assembly")
    def load_partial(partial_name: str) -> Assembly | None:
        need(partial_name, "partialName")
        return _known(partial_name)

    @static("LoadFrom(String) : Reflection.Assembly")
    def load_from(assembly_file: str) -> Assembly:
        need(assembly_file, "assemblyFile")
        return _load_file(assembly_file)

    @static("UnsafeLoadFrom(String) : Reflection.Assembly")
    @static("LoadFile(String) : Reflection.Assembly")
    def load_file(path: str) -> Assembly:
        need(path, "path")
        return _load_file(path)

    @static("GetAssembly(Type) : Reflection.Assembly")
    def of_type(of: NetType) -> Assembly:
        return Assembly(_assembly_of(of))


def _assembly_of(of: NetType) -> str:
    return str(getattr(of, "assembly", "") or "mscorlib")


def _known(text: str) -> Assembly | None:
    simple = known_assembly(text)
    if simple is None:
        return None
    current().load_assembly(text)
    return Assembly(simple)


def _load(text: str, shown: str) -> Assembly:
    found = _known(text)
    if found is None:
        raise _missing(shown)
    return found


def _load_file(path: str) -> Assembly:
    runtime = current()
    machine = runtime.machine
    full = machine.fs.resolve(path, runtime.process_directory) if machine is not None else path
    there = machine is not None and machine.fs.is_file(full, runtime.user)
    found = _known(full)
    if found is not None and (there or full.lower().startswith("c:\\windows\\microsoft.net\\")):
        return found
    if there:
        raise LabUnsupported(f"loading the assembly {full}")
    raise _missing(f"file:///{full}")


def _missing(shown: str) -> NetException:
    return NetException(
        "System.IO.FileNotFoundException",
        f"Could not load file or assembly '{shown}' or one of its dependencies. The system cannot find the file specified.",
        FileName=shown,
    )


def assembly_of(of: NetType) -> Any:
    """The assembly of a type, for Type.Assembly."""
    return Assembly(_assembly_of(of))


assembly_full_name = full_name


@net_type("System.AppDomain")
class AppDomain(NetObject):
    """The one application domain of powershell.exe."""

    @static_prop("CurrentDomain : AppDomain get")
    def current_domain() -> AppDomain:
        return AppDomain()

    @method("GetAssemblies() : Reflection.Assembly[]")
    def get_assemblies(self) -> list[Assembly]:
        return [Assembly(known_assembly(name) or name) for name in sorted(current().shared.assemblies)]

    @prop("FriendlyName : String get")
    def friendly_name(self) -> str:
        return "DefaultDomain"

    @prop("BaseDirectory : String get")
    def base_directory(self) -> str:
        return "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\"


@net_type("System.Runtime.InteropServices.RuntimeEnvironment")
class RuntimeEnvironment:
    """Where .NET Framework is."""

    @static("GetRuntimeDirectory() : String")
    def get_runtime_directory() -> str:
        return "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\"

    @static("GetSystemVersion() : String")
    def get_system_version() -> str:
        return "v4.0.30319"
