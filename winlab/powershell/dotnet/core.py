"""Declaring .NET types to the interpreter, and finding them by name.

A type is a Python class under ``@net_type(full name)``; its members carry signatures exactly as the reference list of .NET Framework 4.6.2 (or of
Microsoft.Web.Administration) writes them. Types of Python's own (``str``, ``int``, ``PSArray`` ...) are declared by a class that is only a
namespace: ``@net_type("System.String", python=str)``; its functions get the value as ``self``.

What a declared function receives and returns:

- Arguments arrive converted to the declared parameter types (``Int32`` -> ``int``, ``Int64`` -> :class:`~winlab.powershell.objects.Int64`, ``Byte[]`` ->
  :class:`~winlab.powershell.objects.ByteArray`, other arrays -> ``PSArray``, enums -> ``EnumValue``, delegates -> a callable). A ``T&`` parameter is a
  :class:`~winlab.powershell.objects.PSReference`: set its ``value``.
- Plain results are put into the declared return type: an ``int`` for ``Int64`` or ``Byte`` or an enum, ``bytes`` for ``Byte[]``, a ``list`` for any array,
  the name of an enum's value for the enum. ``Void`` gives no output.
- Constructors (``@ctor``) are called on a fresh instance (``__init__`` is not run), or, for types of Python's own and for ``static`` namespaces, as
  plain functions that return the value.

The reference list travels with the package (``data/netfx.json.gz``), so that a real member which nobody declared is refused by name and one that
does not exist fails as in PowerShell. All enums and all exception classes of the list work without a declaration.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from winlab.powershell import objects
from winlab.powershell.errors import NetException
from winlab.powershell.objects import EnumValue, NetObject

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

# Assemblies that powershell.exe 5.1 has loaded from the start; types of others need Add-Type -AssemblyName (or LoadFrom) first.
DEFAULT_ASSEMBLIES = frozenset(
    name.lower()
    for name in [
        "mscorlib",
        "System",
        "System.Core",
        "System.Xml",
        "System.Management",
        "System.Configuration",
        "System.Numerics",
        "System.Data",
        "System.DirectoryServices",
        "System.Transactions",
        "System.Management.Automation",
        "Microsoft.PowerShell.Commands.Utility",
        "Microsoft.PowerShell.Commands.Management",
        "Microsoft.PowerShell.Security",
        "Microsoft.PowerShell.ConsoleHost",
        "Microsoft.WSMan.Management",
        "Microsoft.Management.Infrastructure",
    ]
)

# ----------------------------------------------------------------------------------------------------------------- the reference list


class ApiType:
    """One type of the reference list: its kind, base and member lines (kept as text until somebody asks)."""

    __slots__ = ("assembly", "base", "full_name", "kind", "lines")

    def __init__(self, full_name: str, raw: dict[str, Any]) -> None:
        self.full_name = full_name
        self.kind: str = raw["k"]
        self.assembly: str = raw["a"]
        self.base: str = raw["b"]
        self.lines: list[str] = raw["m"]


@cache
def _api() -> tuple[dict[str, ApiType], dict[str, str]]:
    packed = (files("winlab.powershell") / "data" / "netfx.json.gz").read_bytes()
    raw = json.loads(gzip.decompress(packed))
    types = {name: ApiType(name, entry) for name, entry in raw.items()}
    return types, {name.lower(): name for name in types}


def api_type(full_name: str) -> ApiType | None:
    """A type of the reference list by its exact full name (nested types with ``+``, generic ones with a back-tick and the count)."""
    return _api()[0].get(full_name)


def api_name(name: str) -> str | None:
    """The exact full name of a type of the reference list, found without regard to case."""
    return _api()[1].get(name.lower())


# ---------------------------------------------------------------------------------------------------------------------- signatures


def split_arguments(text: str) -> list[str]:
    """Split at commas that stand outside of ``<>``, ``[]`` and ``()``."""
    parts: list[str] = []
    depth = start = 0
    for i, ch in enumerate(text):
        if ch in "<[(":
            depth += 1
        elif ch in ">])":
            depth -= 1
        elif ch == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    tail = text[start:].strip()
    if tail or parts:
        parts.append(tail)
    return parts


_PARAMETER = re.compile(r"^(?:(?:ref|out|params|this) )?(.+?)(?: [A-Za-z_@]\w*)?$")


class Overload:
    """One signature of a method or constructor, with the function that implements it (None: real, but not in the lab)."""

    __slots__ = (
        "_plan",
        "declaring",
        "fn",
        "is_params",
        "is_static",
        "name",
        "param_names",
        "params",
        "returns",
        "signature",
    )

    def __init__(
        self,
        name: str,
        params: list[str],
        returns: str,
        fn: Callable[..., Any] | None,
        is_static: bool,
        is_params: bool,
        declaring: NetType,
        signature: str,
    ) -> None:
        self.name = name
        self.params = params
        self.returns = returns
        self.fn = fn
        self.is_static = is_static
        self.is_params = is_params
        self.declaring = declaring
        self.signature = signature
        self._plan: Any = None

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(self.params)


def parse_parameters(text: str) -> list[str]:
    """Parameter types of ``(A,B)``; names, where a list gives them, are dropped."""
    types = []
    for part in split_arguments(text):
        match = _PARAMETER.match(part)
        types.append(match.group(1) if match else part)
    return types


_METHOD = re.compile(r"^(static )?([\w.`]+)\((.*)\)(?: : (.+))?$")
_PROPERTY = re.compile(r"^(static )?(\w+)(?:\[(.*)\])? : (.+?)( get)?( set)?$")


class _Declared:
    """What a decorator leaves on a function until ``@net_type`` collects it."""

    __slots__ = ("kind", "options", "text")

    def __init__(self, kind: str, text: str, options: dict[str, Any]) -> None:
        self.kind = kind
        self.text = text
        self.options = options


def _declare(kind: str, text: str, **options: Any) -> Callable[[F], F]:
    def mark(fn: F) -> F:
        target: Any = fn
        if not hasattr(target, "__net__"):
            target.__net__ = []
        target.__net__.append(_Declared(kind, text, options))
        return fn

    return mark


def ctor(signature: str, *, params: bool = False) -> Callable[[F], F]:
    """A constructor: ``@ctor("(String,Int32)")``. ``params``: the last parameter is a ``params`` array."""
    return _declare("ctor", signature, params=params)


def method(signature: str, *, params: bool = False) -> Callable[[F], F]:
    """An instance method: ``@method("Append(String) : Text.StringBuilder")``. May be stacked for several overloads."""
    return _declare("method", signature, params=params)


def static(signature: str, *, params: bool = False) -> Callable[[F], F]:
    """A static method: ``@static("Combine(String,String) : String")`` on a function without ``self``; a leading ``static`` is allowed."""
    return _declare("static", signature.removeprefix("static "), params=params)


class DeclaredProperty(property):
    """An instance property: ``@prop("Length : Int32")``, ``@prop("Count : Int32 get")``; ``@name.setter`` follows where it is settable.

    For Python code it is an ordinary property.
    """

    signature: str = ""

    def __new__(cls, signature: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(signature, str):

            def wrap(fn: Callable[[Any], Any]) -> DeclaredProperty:
                made: DeclaredProperty = super(DeclaredProperty, cls).__new__(cls)
                property.__init__(made, fn)
                made.signature = signature
                return made

            return wrap
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and not isinstance(args[0], str):
            super().__init__(*args, **kwargs)

    def setter(self, fset: Callable[[Any, Any], None]) -> DeclaredProperty:
        made: DeclaredProperty = property.__new__(DeclaredProperty)
        property.__init__(made, self.fget, fset)
        made.signature = self.signature
        return made


if TYPE_CHECKING:
    # For a type checker it is an ordinary property, made by a decorator with an argument.
    def prop(signature: str) -> Callable[[Callable[[Any], Any]], property]: ...

else:
    prop = DeclaredProperty


def static_prop(signature: str, *, setter: Callable[[Any], None] | None = None) -> Callable[[F], F]:
    """A static property, on a function without arguments: ``@static_prop("UtcNow : DateTime get")``."""
    return _declare("static_prop", signature.removeprefix("static "), setter=setter)


def field(signature: str, value: Any = None) -> Callable[[F], F]:
    """A static field or constant, on a function without arguments that gives its value: ``@field("MaxValue : Int32")``."""
    return _declare("static_prop", signature.removeprefix("static "), setter=None)


def indexer(signature: str, *, setter: str | None = None) -> Callable[[F], F]:
    """An indexer: ``@indexer("Item[Int32] : Object")``; ``setter`` names the method of the class that sets (``self, index, value``)."""
    return _declare("indexer", signature, setter=setter)


# --------------------------------------------------------------------------------------------------------------------------- types


class NetProperty:
    """A property or field as the engine uses it."""

    __slots__ = ("declaring", "fget", "fset", "is_static", "name", "type_text")

    def __init__(
        self,
        name: str,
        type_text: str,
        fget: Callable[..., Any] | None,
        fset: Callable[..., Any] | None,
        is_static: bool,
        declaring: NetType,
    ) -> None:
        self.name = name
        self.type_text = type_text
        self.fget = fget
        self.fset = fset
        self.is_static = is_static
        self.declaring = declaring


class NetIndexer:
    __slots__ = ("declaring", "fget", "fset", "params", "type_text")

    def __init__(
        self,
        params: list[str],
        type_text: str,
        fget: Callable[..., Any] | None,
        fset: Callable[..., Any] | None,
        declaring: NetType,
    ) -> None:
        self.params = params
        self.type_text = type_text
        self.fget = fget
        self.fset = fset
        self.declaring = declaring


class NetType(NetObject):
    """A .NET type: what ``[type]`` is in a script, and what the engine knows about it.

    ``cls`` is the declaring Python class or None when the reference list alone knows the type (``known_only``).
    """

    def __init__(
        self, full_name: str, kind: str = "class", base: NetType | None = None, assembly: str = "mscorlib"
    ) -> None:
        self.full_name = full_name
        self.kind = kind
        self.assembly = assembly
        self.cls: type | None = None
        self.python: type | None = None
        self.element_type: NetType | None = None
        self.rank = 0
        self.definition: NetType | None = None
        self.arguments: tuple[NetType, ...] = ()
        self.parameter_names: tuple[str, ...] = ()
        self.flags = False
        self.script_class: Any = None  # a class or enum that a script defined
        self.hidden: set[str] = set()
        self._base = base
        self._interfaces: list[NetType] = []
        self._interface_names: tuple[str, ...] = ()
        self._array: NetType | None = None
        self._by_ref: NetType | None = None
        self._closed: dict[tuple[NetType, ...], NetType] = {}
        self._enum_values: dict[str, int] | None = None
        self._enum_objects: dict[int, EnumValue] = {}
        self._methods: dict[str, list[Overload]] = {}
        self._static_methods: dict[str, list[Overload]] = {}
        self._ctors: list[Overload] = []
        self._props: dict[str, NetProperty] = {}
        self._static_props: dict[str, NetProperty] = {}
        self._indexers: list[NetIndexer] = []
        self._api_members: dict[str, list[str]] | None = None
        self._merged: dict[tuple[str, str], Any] = {}

    def __repr__(self) -> str:
        return f"[{self.full_name}]"

    # -- names

    @property
    def name(self) -> str:
        if self.element_type is not None:
            return self.element_type.name + "[" + "," * (self.rank - 1) + "]"
        return self.full_name.partition("[")[0].rpartition(".")[2].rpartition("+")[2]

    @property
    def namespace(self) -> str:
        if self.element_type is not None:
            return self.element_type.namespace
        return self.full_name.partition("[")[0].rpartition(".")[0]

    @property
    def generic_args(self) -> tuple[NetType, ...]:
        return self.arguments

    # -- kinship

    @property
    def base(self) -> NetType | None:
        return self._base

    @property
    def is_enum(self) -> bool:
        return self.kind == "enum"

    @property
    def is_interface(self) -> bool:
        return self.kind == "interface"

    @property
    def is_value_type(self) -> bool:
        return self.kind in ("struct", "enum")

    @property
    def is_array(self) -> bool:
        return self.element_type is not None

    @property
    def is_delegate(self) -> bool:
        return self.is_subclass_of("System.MulticastDelegate")

    @property
    def known_only(self) -> bool:
        return self.cls is None and not self.is_array and not self.is_enum and self.script_class is None

    def bases(self) -> Iterable[NetType]:
        """This type and its base classes, nearest first."""
        current: NetType | None = self
        while current is not None:
            yield current
            current = current._base

    def is_subclass_of(self, full_name: str) -> bool:
        return any(t.full_name == full_name for t in self.bases())

    def interfaces(self) -> list[NetType]:
        """All interfaces, those of the bases included."""
        cached: list[NetType] | None = self._merged.get(("interfaces", ""))
        if cached is not None:
            return cached
        found: dict[str, NetType] = {}

        def add(t: NetType) -> None:
            if t.full_name not in found:
                found[t.full_name] = t
                for parent in t.interfaces():
                    add(parent)

        for t in self.bases():
            for name in t._interface_names:
                resolved = self._resolve_in(t, name)
                if resolved is not None:
                    add(resolved)
            for resolved in t._interfaces:
                add(resolved)
        result = list(found.values())
        self._merged[("interfaces", "")] = result
        return result

    def _resolve_in(self, t: NetType, name: str) -> NetType | None:
        environment = t.environment
        try:
            return resolve_signature_type(name, environment)
        except KeyError:
            return None

    def is_assignable_from(self, other: NetType) -> bool:
        """Whether a value of the other type may stand where this type is asked for, without conversion."""
        if other is self or self.full_name == "System.Object":
            return True
        if self.is_interface:
            return any(t is self for t in other.interfaces())
        if self.element_type is not None and other.element_type is not None:
            mine, theirs = self.element_type, other.element_type
            return not theirs.is_value_type and not mine.is_value_type and mine.is_assignable_from(theirs)
        return any(t is self for t in other.bases())

    # -- generics and arrays

    @property
    def environment(self) -> dict[str, NetType]:
        if self.definition is None:
            return {}
        return dict(zip(self.definition.parameter_names, self.arguments, strict=False))

    @property
    def is_generic_definition(self) -> bool:
        return "`" in self.full_name and self.definition is None and not self.is_array

    def make_generic(self, arguments: Sequence[NetType]) -> NetType:
        """The closed type, always the same object for the same arguments."""
        key = tuple(arguments)
        closed = self._closed.get(key)
        if closed is None:
            inner = ",".join(f"[{a.full_name}, {a.assembly}]" for a in key)
            closed = NetType(f"{self.full_name}[{inner}]", self.kind, self._base, self.assembly)
            closed.definition = self
            closed.arguments = key
            closed.cls = self.cls
            closed.python = self.python
            closed._interface_names = self._interface_names
            closed._methods = self._methods
            closed._static_methods = self._static_methods
            closed._ctors = self._ctors
            closed._props = self._props
            closed._static_props = self._static_props
            closed._indexers = self._indexers
            self._closed[key] = closed
        return closed

    @property
    def array(self) -> NetType:
        """The one-dimensional array type of this element type."""
        if self._array is None:
            made = NetType(self.full_name + "[]", "class", get_type("System.Array"), self.assembly)
            made.element_type = self
            made.rank = 1
            made._interface_names = (
                f"Collections.Generic.IList`1<{self.full_name}>",
                f"Collections.Generic.IEnumerable`1<{self.full_name}>",
                f"Collections.Generic.ICollection`1<{self.full_name}>",
                f"Collections.Generic.IReadOnlyList`1<{self.full_name}>",
            )
            self._array = made
        return self._array

    @property
    def api(self) -> ApiType | None:
        return api_type((self.definition or self).full_name)

    # -- enums

    @property
    def enum_values(self) -> dict[str, int]:
        if self._enum_values is None:
            values: dict[str, int] = {}
            entry = self.api
            for line in entry.lines if entry else ():
                if line.startswith("E "):
                    for item in line[2:].split(","):
                        name, _, number = item.partition("=")
                        values[name.strip()] = int(number)
            self._enum_values = values
        return self._enum_values

    @property
    def is_flags(self) -> bool:
        """Whether the enum is declared [Flags] (the reference list does not say; told from its name and values)."""
        if self.flags:
            return True
        if self.name.endswith(
            ("Flags", "Options", "Attributes", "Rights", "Styles", "ProtocolType", "FileShare", "FileAccess")
        ):
            return True
        values = {v for v in self.enum_values.values() if v > 0}
        singles = {v for v in values if v & (v - 1) == 0}
        return len(singles) >= 3 and max(singles) >= 4 and not any(v in values and v not in singles for v in (5, 6))

    def enum(self, value: int | str) -> EnumValue:
        """The value of this enum by number or exact name."""
        number = self.enum_values[value] if isinstance(value, str) else int(value)
        made = self._enum_objects.get(number)
        if made is None:
            made = self._enum_objects[number] = EnumValue(self, number)
        return made

    def enum_text(self, number: int) -> str:
        """What ToString() gives: the name, names of flags joined by a comma, or the number."""
        for name, value in self.enum_values.items():
            if value == number:
                return name
        if self.is_flags and number:
            rest, names = number, []
            for name, value in sorted(self.enum_values.items(), key=lambda item: -item[1]):
                if value > 0 and rest & value == value:
                    names.append(name)
                    rest &= ~value
            if rest == 0:
                return ", ".join(reversed(names))
        return str(number)

    # -- members

    def api_members(self) -> dict[str, list[str]]:
        """Lines of the reference list for this type (not its bases) by lower-case member name; constructors under ``.ctor``."""
        if self._api_members is None:
            members: dict[str, list[str]] = {}
            entry = self.api
            for line in entry.lines if entry else ():
                kind, _, rest = line.partition(" ")
                if kind == "C":
                    members.setdefault(".ctor", []).append(line)
                elif kind == "I":
                    members.setdefault("item", []).append(line)
                elif kind in "MPF":
                    name = re.split(r"[(\[ ]", rest.removeprefix("static "), maxsplit=1)[0]
                    members.setdefault(name.lower(), []).append(line)
            self._api_members = members
        return self._api_members

    def real_member(self, name: str, *, is_static: bool | None = None, kinds: str = "MPF") -> str | None:
        """The reference list's line for a member of this type or its bases, None when the real type has none of that name."""
        lower = name.lower()
        for t in self.bases():
            for line in t.api_members().get(lower, ()):
                if line[0] in kinds and (is_static is None or line[2:].startswith("static ") == is_static):
                    return line
        return None

    def methods(self, name: str, is_static: bool = False) -> list[Overload]:
        """All overloads of a method by name (any case), declared ones and those that only the reference list knows."""
        key = ("static" if is_static else "method", name.lower())
        cached: list[Overload] | None = self._merged.get(key)
        if cached is None:
            cached = self._merge(key[1], is_static)
            self._merged[key] = cached
        return cached

    def _merge(self, lower: str, is_static: bool) -> list[Overload]:
        """Declared overloads of this type and its bases first: an override that only the list knows is the base's declaration."""
        result: list[Overload] = []
        seen: set[tuple[str, ...]] = set()
        for t in self.bases():
            table = t._static_methods if is_static else t._methods
            for overload in table.get(lower, ()):
                if overload.key not in seen:
                    seen.add(overload.key)
                    result.append(overload)
        for t in self.bases():
            for line in t.api_members().get(lower, ()):
                if line[0] != "M" or line[2:].startswith("static ") != is_static:
                    continue
                match = _METHOD.match(line[2:])
                if match is None:
                    continue
                params = parse_parameters(match.group(3))
                if tuple(params) not in seen:
                    seen.add(tuple(params))
                    result.append(Overload(match.group(2), params, match.group(4), None, is_static, False, t, line[2:]))
        return result

    def ctors(self) -> list[Overload]:
        cached: list[Overload] | None = self._merged.get(("ctor", ""))
        if cached is None:
            cached = list(self._ctors)
            seen = {o.key for o in cached}
            for line in self.api_members().get(".ctor", ()):
                params = parse_parameters(line[2:].strip()[1:-1])
                if tuple(params) not in seen:
                    cached.append(Overload(".ctor", params, "", None, True, False, self, line[2:].strip()))
            self._merged[("ctor", "")] = cached
        return cached

    def find_prop(self, name: str, is_static: bool = False) -> NetProperty | None:
        lower = name.lower()
        for t in self.bases():
            found = (t._static_props if is_static else t._props).get(lower)
            if found is not None:
                return found
        return None

    def all_props(self, is_static: bool = False) -> list[NetProperty]:
        """Declared properties, those of the type itself first."""
        found: dict[str, NetProperty] = {}
        for t in self.bases():
            for key, item in (t._static_props if is_static else t._props).items():
                found.setdefault(key, item)
        return list(found.values())

    def find_indexers(self) -> list[NetIndexer]:
        found: list[NetIndexer] = []
        for t in self.bases():
            found.extend(t._indexers)
            if t._indexers:
                break
        return found

    def method_names(self, is_static: bool = False) -> list[str]:
        """Names of the declared methods, own first."""
        found: dict[str, str] = {}
        for t in self.bases():
            for key, overloads in (t._static_methods if is_static else t._methods).items():
                found.setdefault(key, overloads[0].name)
        return list(found.values())


# ------------------------------------------------------------------------------------------------------------------------ registry

_types: dict[str, NetType] = {}  # exact full name -> type
_lower_names: dict[str, str] = {}
_python_types: dict[type, NetType] = {}
_accelerators: dict[str, str] = {}

# The type accelerators of 5.1 (lower case) and what they stand for.
_ACCELERATORS = {
    "adsi": "System.DirectoryServices.DirectoryEntry",
    "adsisearcher": "System.DirectoryServices.DirectorySearcher",
    "alias": "System.Management.Automation.AliasAttribute",
    "allowemptycollection": "System.Management.Automation.AllowEmptyCollectionAttribute",
    "allowemptystring": "System.Management.Automation.AllowEmptyStringAttribute",
    "allownull": "System.Management.Automation.AllowNullAttribute",
    "argumentcompleter": "System.Management.Automation.ArgumentCompleterAttribute",
    "array": "System.Array",
    "bigint": "System.Numerics.BigInteger",
    "bool": "System.Boolean",
    "byte": "System.Byte",
    "char": "System.Char",
    "cimclass": "Microsoft.Management.Infrastructure.CimClass",
    "cimconverter": "Microsoft.Management.Infrastructure.CimConverter",
    "ciminstance": "Microsoft.Management.Infrastructure.CimInstance",
    "cimsession": "Microsoft.Management.Infrastructure.CimSession",
    "cimtype": "Microsoft.Management.Infrastructure.CimType",
    "cmdletbinding": "System.Management.Automation.CmdletBindingAttribute",
    "cultureinfo": "System.Globalization.CultureInfo",
    "datetime": "System.DateTime",
    "decimal": "System.Decimal",
    "double": "System.Double",
    "dscresource": "System.Management.Automation.DscResourceAttribute",
    "float": "System.Single",
    "single": "System.Single",
    "guid": "System.Guid",
    "hashtable": "System.Collections.Hashtable",
    "int": "System.Int32",
    "int32": "System.Int32",
    "int16": "System.Int16",
    "long": "System.Int64",
    "int64": "System.Int64",
    "initialsessionstate": "System.Management.Automation.Runspaces.InitialSessionState",
    "ipaddress": "System.Net.IPAddress",
    "ipendpoint": "System.Net.IPEndPoint",
    "mailaddress": "System.Net.Mail.MailAddress",
    "nullstring": "System.Management.Automation.Language.NullString",
    "objectsecurity": "System.Security.AccessControl.ObjectSecurity",
    "outputtype": "System.Management.Automation.OutputTypeAttribute",
    "parameter": "System.Management.Automation.ParameterAttribute",
    "physicaladdress": "System.Net.NetworkInformation.PhysicalAddress",
    "powershell": "System.Management.Automation.PowerShell",
    "pscredential": "System.Management.Automation.PSCredential",
    "pscustomobject": "System.Management.Automation.PSObject",
    "psdefaultvalue": "System.Management.Automation.PSDefaultValueAttribute",
    "pslistmodifier": "System.Management.Automation.PSListModifier",
    "psmoduleinfo": "System.Management.Automation.PSModuleInfo",
    "psobject": "System.Management.Automation.PSObject",
    "psprimitivedictionary": "System.Management.Automation.PSPrimitiveDictionary",
    "pstypenameattribute": "System.Management.Automation.PSTypeNameAttribute",
    "psvariable": "System.Management.Automation.PSVariable",
    "ref": "System.Management.Automation.PSReference",
    "regex": "System.Text.RegularExpressions.Regex",
    "runspace": "System.Management.Automation.Runspaces.Runspace",
    "runspacefactory": "System.Management.Automation.Runspaces.RunspaceFactory",
    "sbyte": "System.SByte",
    "scriptblock": "System.Management.Automation.ScriptBlock",
    "securestring": "System.Security.SecureString",
    "string": "System.String",
    "supportswildcards": "System.Management.Automation.SupportsWildcardsAttribute",
    "switch": "System.Management.Automation.SwitchParameter",
    "timespan": "System.TimeSpan",
    "type": "System.Type",
    "uint16": "System.UInt16",
    "uint32": "System.UInt32",
    "uint64": "System.UInt64",
    "uri": "System.Uri",
    "validatecount": "System.Management.Automation.ValidateCountAttribute",
    "validatedrive": "System.Management.Automation.ValidateDriveAttribute",
    "validatelength": "System.Management.Automation.ValidateLengthAttribute",
    "validatenotnull": "System.Management.Automation.ValidateNotNullAttribute",
    "validatenotnullorempty": "System.Management.Automation.ValidateNotNullOrEmptyAttribute",
    "validatepattern": "System.Management.Automation.ValidatePatternAttribute",
    "validaterange": "System.Management.Automation.ValidateRangeAttribute",
    "validatescript": "System.Management.Automation.ValidateScriptAttribute",
    "validateset": "System.Management.Automation.ValidateSetAttribute",
    "validateuserdrive": "System.Management.Automation.ValidateUserDriveAttribute",
    "version": "System.Version",
    "void": "System.Void",
    "wildcardpattern": "System.Management.Automation.WildcardPattern",
    "wmi": "System.Management.ManagementObject",
    "wmiclass": "System.Management.ManagementClass",
    "wmisearcher": "System.Management.ManagementObjectSearcher",
    "x500distinguishedname": "System.Security.Cryptography.X509Certificates.X500DistinguishedName",
    "x509certificate": "System.Security.Cryptography.X509Certificates.X509Certificate",
    "xml": "System.Xml.XmlDocument",
}
_accelerators.update(_ACCELERATORS)

# Names that the accelerators of 5.1 show a type by (what "$type" and error messages of PowerShell print).
ACCELERATOR_BY_TYPE = {
    "System.Int32": "int",
    "System.Int64": "long",
    "System.String": "string",
    "System.Boolean": "bool",
    "System.Byte": "byte",
    "System.Char": "char",
    "System.Double": "double",
    "System.Single": "float",
    "System.Decimal": "decimal",
    "System.DateTime": "datetime",
    "System.TimeSpan": "timespan",
    "System.Guid": "guid",
    "System.Uri": "uri",
    "System.Version": "version",
    "System.Xml.XmlDocument": "xml",
    "System.Collections.Hashtable": "hashtable",
    "System.Management.Automation.ScriptBlock": "scriptblock",
    "System.Management.Automation.SwitchParameter": "switch",
    "System.Management.Automation.PSObject": "psobject",
    "System.Type": "type",
    "System.Text.RegularExpressions.Regex": "regex",
    "System.Array": "array",
}

# Generic types whose parameters are not called T.
_GENERIC_NAMES = {
    "Dictionary`2": ("TKey", "TValue"),
    "IDictionary`2": ("TKey", "TValue"),
    "IReadOnlyDictionary`2": ("TKey", "TValue"),
    "SortedDictionary`2": ("TKey", "TValue"),
    "SortedList`2": ("TKey", "TValue"),
    "ConcurrentDictionary`2": ("TKey", "TValue"),
    "ReadOnlyDictionary`2": ("TKey", "TValue"),
    "KeyValuePair`2": ("TKey", "TValue"),
    "KeyCollection": ("TKey", "TValue"),
    "ValueCollection": ("TKey", "TValue"),
    "Task`1": ("TResult",),
    "Lazy`1": ("T",),
}


def _generic_parameter_names(full_name: str) -> tuple[str, ...]:
    short = full_name.rpartition(".")[2]
    if short in _GENERIC_NAMES:
        return _GENERIC_NAMES[short]
    match = re.search(r"`(\d+)", short)
    count = int(match.group(1)) if match else 0
    if short.startswith("Func`"):
        return (*(("T",) if count == 2 else tuple(f"T{i}" for i in range(1, count))), "TResult")
    if count == 1:
        return ("T",)
    return tuple(f"T{i}" for i in range(1, count + 1))


def _register(t: NetType) -> NetType:
    _types[t.full_name] = t
    _lower_names[t.full_name.lower()] = t.full_name
    if "`" in t.full_name and not t.parameter_names:
        t.parameter_names = _generic_parameter_names(t.full_name)
    return t


def net_type(
    full_name: str,
    *,
    base: str | None = None,
    interfaces: Sequence[str] = (),
    python: type | Sequence[type] | None = None,
    kind: str | None = None,
    generic: Sequence[str] = (),
    flags: bool = False,
    assembly: str | None = None,
    accelerator: str | None = None,
) -> Callable[[C], C]:
    """Declare a .NET type.

    Args:
        full_name: as the reference list writes it (``System.Collections.Generic.List`1``).
        base: full name of the base class; the reference list's when left out, else System.Object.
        interfaces: names as signatures write them (``Collections.IList``, ``Collections.Generic.IList`1<T>``).
        python: the Python type(s) whose values are of this type, when the class is only a namespace of functions.
        kind: ``class``, ``struct``, ``enum``, ``interface``; the reference list's when left out.
        generic: names of the type parameters where they are not ``T`` / ``TKey, TValue``.
        flags: for enums: [Flags].
        assembly: for types that the reference list does not have.
        accelerator: a further short name.
    """

    def apply(cls: C) -> C:
        entry = api_type(full_name)
        base_name = base or (entry.base if entry else "") or "System.Object"
        made_kind = kind or (entry.kind if entry else "class")
        existing = _types.get(full_name)
        t = existing or NetType(full_name, made_kind)
        t.kind = made_kind
        t.assembly = assembly or (entry.assembly if entry else "System.Management.Automation")
        t.cls = cls
        t.flags = flags
        if generic:
            t.parameter_names = tuple(generic)
        t._interface_names = tuple(interfaces)
        if full_name != "System.Object" and made_kind != "interface":
            t._base = _lazy_base(base_name)
        _register(t)
        pythons = () if python is None else (python,) if isinstance(python, type) else tuple(python)
        for p in pythons:
            _python_types[p] = t
        t.python = pythons[0] if pythons else None
        if python is None and isinstance(cls, type) and issubclass(cls, NetObject):
            cls.net_type = t
        _collect(t, cls, factory=python is not None or not issubclass(cls, (NetObject, NetException)))
        if accelerator:
            _accelerators[accelerator] = full_name
        return cls

    return apply


def _lazy_base(name: str) -> NetType:
    found = lookup(name)
    if found is None:  # declared later, or a type outside the list: a placeholder that its declaration fills
        generic = re.sub(r"<.*", "", name)
        found = lookup(generic) or _register(
            NetType(name, "class", None if name == "System.Object" else get_type("System.Object"))
        )
    return found


def _collect(t: NetType, cls: type, factory: bool) -> None:
    for attribute, value in list(vars(cls).items()):
        if isinstance(value, DeclaredProperty):
            _add_prop(t, value)
            continue
        fn = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        declared: list[_Declared] = getattr(fn, "__net__", None) or []
        for item in reversed(declared):
            _add_member(t, cls, attribute, fn, item)
    del factory


def _add_prop(t: NetType, value: DeclaredProperty) -> None:
    match = _PROPERTY.match(value.signature)
    if match is None:
        raise ValueError(f"{t.full_name}: cannot read the property signature {value.signature!r}")
    _, name, _, type_text, _, _ = match.groups()
    t._props[name.lower()] = NetProperty(name, type_text, value.fget, value.fset, False, t)


def _add_member(t: NetType, cls: type, attribute: str, fn: Callable[..., Any], item: _Declared) -> None:
    if item.kind == "ctor":
        text = item.text.strip().removeprefix("C ").strip()
        t._ctors.append(Overload(".ctor", parse_parameters(text[1:-1]), "", fn, True, item.options["params"], t, text))
        return
    if item.kind in ("method", "static"):
        match = _METHOD.match(item.text)
        if match is None:
            raise ValueError(f"{t.full_name}: cannot read the signature {item.text!r}")
        is_static = item.kind == "static"
        overload = Overload(
            match.group(2),
            parse_parameters(match.group(3)),
            match.group(4) or "Void",
            fn,
            is_static,
            item.options["params"],
            t,
            item.text,
        )
        table = t._static_methods if is_static else t._methods
        table.setdefault(overload.name.lower(), []).append(overload)
        return
    match = _PROPERTY.match(item.text)
    if match is None:
        if item.kind == "indexer" and item.text.startswith("this["):
            match = _PROPERTY.match("Item" + item.text[4:])
        if match is None:
            raise ValueError(f"{t.full_name}: cannot read the signature {item.text!r}")
    _, name, index, type_text, _, _ = match.groups()
    if item.kind == "indexer":
        setter = getattr(cls, item.options["setter"]) if item.options.get("setter") else None
        t._indexers.append(NetIndexer(parse_parameters(index or ""), type_text, fn, setter, t))
    else:
        t._static_props[name.lower()] = NetProperty(name, type_text, fn, item.options.get("setter"), True, t)


def net_enum(full_name: str, values: dict[str, int] | None = None, *, flags: bool = False) -> NetType:
    """Declare an enum that the reference list lacks (``values`` given), or say that one of the list is [Flags]."""
    t = lookup(full_name)
    if t is None:
        t = _register(NetType(full_name, "enum", get_type("System.Enum"), "System.Management.Automation"))
    t.flags = flags
    if values is not None:
        t._enum_values = dict(values)
    return t


def define_interface(full_name: str, *bases: str) -> NetType:
    """Declare an interface that values are tested against; ``bases`` as signatures write them."""
    entry = api_type(full_name)
    t = _types.get(full_name) or NetType(full_name, "interface", None, entry.assembly if entry else "mscorlib")
    t._interface_names = bases
    return _register(t)


def register_dynamic(t: NetType) -> NetType:
    """Add a type made at run time (a test's, or one that a module of the lab builds by rule)."""
    return _register(t)


def lookup(name: str) -> NetType | None:
    """A type by exact full name: declared, or of the reference list; None when there is none."""
    found = _types.get(name)
    if found is not None:
        return found
    entry = api_type(name)
    if entry is None:
        return None
    t = NetType(name, entry.kind, None, entry.assembly)
    _types[name] = t
    _lower_names[name.lower()] = name
    if "`" in name:
        t.parameter_names = _generic_parameter_names(name)
    if entry.base:
        t._base = _lazy_base(entry.base)
    elif entry.kind != "interface" and name != "System.Object":
        t._base = get_type("System.Object")
    return t


def get_type(full_name: str) -> NetType:
    """A type by its exact full name; closed generic types and arrays as signatures write them. KeyError when there is none."""
    found = _types.get(full_name) or lookup(full_name)
    if found is None:
        found = resolve_signature_type(full_name, {})
    return found


_SIGNATURE_ALIASES = {
    "string": "System.String",
    "int": "System.Int32",
    "long": "System.Int64",
    "uint": "System.UInt32",
    "ulong": "System.UInt64",
    "short": "System.Int16",
    "byte": "System.Byte",
    "bool": "System.Boolean",
    "object": "System.Object",
    "void": "System.Void",
    "char": "System.Char",
    "double": "System.Double",
    "float": "System.Single",
    "decimal": "System.Decimal",
}


def resolve_signature_type(text: str, environment: dict[str, NetType], near: NetType | None = None) -> NetType:
    """The type that a signature means; type parameters are looked up in ``environment``; an unbound one is Object. KeyError if unknown."""
    text = text.strip()
    if text.endswith(("&", "*")):
        text = text[:-1]
    if text.endswith("[]"):
        return resolve_signature_type(text[:-2], environment, near).array
    if text.endswith("?"):
        return resolve_signature_type(text[:-1], environment, near)
    bound = environment.get(text)
    if bound is not None:
        return bound
    if text.endswith(">"):
        open_at = text.index("<")
        name, arguments = text[:open_at], split_arguments(text[open_at + 1 : -1])
        if "`" not in name:
            name = f"{name}`{len(arguments)}"
        elif "." in name.partition("`")[2]:  # Collections.Generic.List`1.Enumerator<T>
            head, _, nested = name.rpartition(".")
            name = f"{head}+{nested}"
        definition = _named(name, near)
        if definition is None:
            raise KeyError(text)
        return definition.make_generic([resolve_signature_type(a, environment, near) for a in arguments])
    found = _named(text, near)
    if found is not None:
        return found
    if re.fullmatch(r"T[A-Z0-9]?\w*", text) and "." not in text:  # a type parameter of a generic method
        return get_type("System.Object")
    raise KeyError(text)


def _named(name: str, near: NetType | None = None) -> NetType | None:
    alias = _SIGNATURE_ALIASES.get(name)
    if alias:
        return lookup(alias)
    found = lookup("System." + name) or lookup(name) or lookup("Microsoft.Web.Administration." + name)
    if found is None and near is not None:
        found = lookup(f"{near.namespace}.{name}") or lookup(f"{(near.definition or near).full_name}+{name}")
    if found is None and "." in name:
        head, _, nested = name.rpartition(".")
        found = lookup(f"System.{head}+{nested}") or lookup(f"{head}+{nested}")
    return found


_PLAIN: dict[type, str] = {
    bool: "System.Boolean",
    int: "System.Int32",
    float: "System.Double",
    str: "System.String",
    Decimal: "System.Decimal",
    objects.Char: "System.Char",
    objects.Single: "System.Single",
    objects.Hashtable: "System.Collections.Hashtable",
    objects.OrderedDictionary: "System.Collections.Specialized.OrderedDictionary",
    objects.DictionaryEntry: "System.Collections.DictionaryEntry",
    objects.PSCustomObject: "System.Management.Automation.PSCustomObject",
    objects.PSReference: "System.Management.Automation.PSReference",
    objects.ScriptBlock: "System.Management.Automation.ScriptBlock",
    objects.SwitchParameter: "System.Management.Automation.SwitchParameter",
    objects.SecureString: "System.Security.SecureString",
    **{
        t: t.type_name
        for t in (
            objects.Byte,
            objects.SByte,
            objects.Int16,
            objects.UInt16,
            objects.UInt32,
            objects.Int64,
            objects.UInt64,
            objects.BigInteger,
        )
    },
}


def type_of(value: Any) -> NetType:
    """The .NET type of a value. Null has none: TypeError."""
    kind = type(value)
    if kind is EnumValue or kind is objects.Delegate:
        return value.net_type
    found = _python_types.get(kind)
    if found is not None:
        return found
    name = _PLAIN.get(kind)
    if name is not None:
        found = get_type(name)
        _python_types[kind] = found
        return found
    if kind is objects.PSArray or kind is objects.ByteArray:
        return value.element_type.array
    if kind is objects.PSObject:
        return type_of(value.base)
    if isinstance(value, NetType):
        return get_type("System.RuntimeType")
    if isinstance(value, objects.MultiArray):
        return multi_array_type(value.element_type, len(value.lengths))
    if isinstance(value, (NetObject, NetException)):
        if value.net_type is not None:
            return value.net_type
        if isinstance(value, objects.PSCustomObject):
            return get_type("System.Management.Automation.PSCustomObject")
        raise TypeError(f"no .NET type is declared for {kind.__name__}")
    raise TypeError(f"not a value of PowerShell: {kind.__name__}")


def find_type(
    text: str, *, namespaces: Sequence[str] = (), assemblies: frozenset[str] | set[str] | None = None
) -> NetType | None:
    """The type that a script names: accelerators, full names with or without ``System.``, nested ``A+B``, arrays ``T[]``, generics ``List[T]``.

    ``namespaces`` come from ``using namespace``; ``assemblies`` (lower case) are the loaded ones, None means all. None: not found.
    """
    return _TypeText(text, namespaces, assemblies).parse()


class _TypeText:
    """Reads a type name as .NET and PowerShell write it."""

    def __init__(self, text: str, namespaces: Sequence[str], assemblies: frozenset[str] | set[str] | None) -> None:
        self.text = text
        self.namespaces = namespaces
        self.assemblies = assemblies
        self.at = 0

    def parse(self) -> NetType | None:
        found = self.one()
        rest = self.text[self.at :].strip()
        return found if not rest or rest.startswith(",") else None

    def one(self) -> NetType | None:
        match = re.compile(r"\s*([\w.+`]+)\s*").match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        name = match.group(1)
        found: NetType | None = None
        resolved = False
        while self.at < len(self.text) and self.text[self.at] == "[":
            array = re.compile(r"\[\s*(,*)\s*\]\s*").match(self.text, self.at)
            if array:
                if not resolved:
                    found, resolved = self.named(name), True
                if found is None:
                    return None
                found = found.array if not array.group(1) else multi_array_type(found, len(array.group(1)) + 1)
                self.at = array.end()
                continue
            if resolved:
                return None
            arguments = self.arguments()
            if arguments is None:
                return None
            definition = self.named(name if "`" in name else f"{name}`{len(arguments)}")
            if definition is None or len(definition.parameter_names) != len(arguments):
                return None
            found, resolved = definition.make_generic(arguments), True
        return found if resolved else self.named(name)

    def arguments(self) -> list[NetType] | None:
        self.at += 1
        result: list[NetType] = []
        while True:
            inner = re.compile(r"\s*\[").match(self.text, self.at)
            if inner:
                self.at = inner.end()
                one = self.one()
                while self.at < len(self.text) and self.text[self.at] != "]":  # assembly name
                    self.at += 1
                self.at += 1
            else:
                one = self.one()
            if one is None:
                return None
            result.append(one)
            tail = re.compile(r"\s*([,\]])\s*").match(self.text, self.at)
            if tail is None:
                return None
            self.at = tail.end()
            if tail.group(1) == "]":
                return result

    def named(self, name: str) -> NetType | None:
        accelerated = _accelerators.get(name.lower())
        candidates = [accelerated] if accelerated else []
        candidates += [f"{space}.{name}" for space in self.namespaces]
        candidates += [name, "System." + name]
        for candidate in candidates:
            lower = candidate.lower()
            exact = _lower_names.get(lower) or api_name(lower)
            if exact is None:
                continue
            found = lookup(exact)
            if found is not None and (self.assemblies is None or found.assembly.lower() in self.assemblies):
                return found
        return None


@cache
def multi_array_type(element: NetType, rank: int) -> NetType:
    made = NetType(f"{element.full_name}[{',' * (rank - 1)}]", "class", get_type("System.Array"), element.assembly)
    made.element_type = element
    made.rank = rank
    return made


def accelerators() -> dict[str, str]:
    return _accelerators


def declared_types() -> list[NetType]:
    """Every type that has a Python declaration, for the walk over the reference list."""
    return [t for t in _types.values() if t.cls is not None]


# ------------------------------------------------------------------------------------------------- types the engine itself stands on

for _name, _kind in (
    ("System.Object", "class"),
    ("System.ValueType", "class"),
    ("System.Enum", "class"),
    ("System.Array", "class"),
):
    lookup(_name)
for _name in ("System.Boolean", "System.Char", "System.Void", "System.Type", "System.RuntimeType", "System.Exception"):
    if lookup(_name) is None:
        _register(
            NetType(_name, "class", get_type("System.Type" if _name == "System.RuntimeType" else "System.Object"))
        )
