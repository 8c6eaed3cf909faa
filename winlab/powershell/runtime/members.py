"""Members of objects as scripts see them: PowerShell's own ones, adapters, .NET's, and member enumeration over collections.

A Python class may bring an adapter of its own (as XML does): ``ps_get(name)`` returns the value or ``NotImplemented``, ``ps_set(name, value)`` returns
False when it has no such property, ``ps_names()`` lists the names. Properties that PowerShell's type files add to .NET types (``BaseName`` of a
file, say) are registered with :func:`extend_type`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from winlab.powershell.dotnet.core import NetType, get_type, type_of
from winlab.powershell.errors import LabUnsupported, NetException, TerminatingError, runtime_error
from winlab.powershell.objects import (
    AutomationNull,
    ByteArray,
    Delegate,
    Dictionary,
    NetObject,
    PSArray,
    PSCustomObject,
    PSMember,
    PSObject,
    ScriptBlock,
)
from winlab.powershell.runtime import conversion, invoke
from winlab.powershell.runtime.context import current
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]

_extensions: dict[str, dict[str, PSMember]] = {}
_extension_cache: dict[NetType, dict[str, PSMember]] = {}


def extend_type(
    full_name: str, name: str, getter: Getter | str, setter: Setter | None = None, kind: str = "ScriptProperty"
) -> None:
    """A property that Windows PowerShell's type files add to a .NET type; ``getter`` a function of the object, or the name an alias is for."""
    if isinstance(getter, str):
        kind = "AliasProperty"
    _extensions.setdefault(full_name, {})[name.lower()] = PSMember(kind, name, getter, setter)
    _extension_cache.clear()


def extensions_of(t: NetType) -> dict[str, PSMember]:
    """What the type files add to a type, its bases and interfaces included."""
    found = _extension_cache.get(t)
    if found is None:
        found = {}
        for base in [*t.bases(), *t.interfaces()]:
            for key, member in _extensions.get((base.definition or base).full_name, {}).items():
                found.setdefault(key, member)
        _extension_cache[t] = found
    return found


extend_type("System.Array", "Count", "Length")
extend_type("System.Collections.DictionaryEntry", "Name", "Key")


def _base_name(item: Any) -> str:
    """A file's name without its last extension."""
    name = to_string(get_member(item, "Name"))
    head, dot, _ = name.rpartition(".")
    return head if dot else name


extend_type("System.IO.FileInfo", "BaseName", _base_name)
extend_type("System.IO.DirectoryInfo", "BaseName", lambda item: to_string(get_member(item, "Name")))


# ------------------------------------------------------------------------------------------------- PSObject and friends


class PSPropertyInfo(NetObject):
    """One property of an object, as ``$o.PSObject.Properties`` lists them."""

    def __init__(
        self,
        owner: Any,
        name: str,
        kind: str,
        getter: Callable[[], Any],
        setter: Callable[[Any], None] | None,
        member: Any = None,
    ) -> None:
        self.owner = owner
        self.name = name
        self.kind = kind
        self.getter = getter
        self.setter = setter
        self.member = member
        self.type_text: str | None = None


class PSMethodInfo(NetObject):
    """A method without its call, as ``'abc'.Substring`` gives it."""

    def __init__(
        self, owner: Any, name: str, group: Any = None, member: PSMember | None = None, is_static: bool = False
    ) -> None:
        self.owner = owner
        self.name = name
        self.group = group
        self.member = member
        self.is_static = is_static


class PSMemberCollection(NetObject):
    """``.Properties``, ``.Methods``, ``.Members``."""

    def __init__(self, owner: Any, which: str) -> None:
        self.owner = owner
        self.which = which

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items())

    def __len__(self) -> int:
        return len(self.items())

    def items(self) -> list[Any]:
        found: list[Any] = []
        if self.which in ("Properties", "Members"):
            found.extend(properties(self.owner))
        if self.which in ("Methods", "Members"):
            found.extend(methods(self.owner))
        return found

    def find(self, name: str) -> Any:
        lower = name.lower()
        for item in self.items():
            if item.name.lower() == lower:
                return item
        return None


class PSObjectView(NetObject):
    """``$o.PSObject``."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner


class PSBaseView(NetObject):
    """``$o.PSBase``: the object without PowerShell's additions and adapters."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner


def base_of(value: Any) -> Any:
    """The .NET object below a PSObject."""
    return value.base if type(value) is PSObject else value


def own_members(value: Any) -> dict[str, PSMember] | None:
    """What was added to this very object."""
    return getattr(value, "ps_members", None)


def ensure_members(value: Any) -> tuple[Any, dict[str, PSMember]]:
    """A place for members on an object: itself where it can carry them, a PSObject around it where not."""
    if isinstance(value, (PSObject, PSArray, ByteArray, NetObject, NetException)):
        if value.ps_members is None:
            value.ps_members = {}
        return value, value.ps_members
    wrapped = PSObject(value)
    return wrapped, wrapped.ps_members


def type_names(value: Any) -> list[str]:
    """``PSTypeNames``: what was set, else the .NET classes from the nearest to Object."""
    named = getattr(value, "ps_type_names", None)
    if named is not None:
        return list(named)
    if isinstance(value, PSCustomObject):
        return ["System.Management.Automation.PSCustomObject", "System.Object"]
    base = base_of(value)
    custom = getattr(base, "ps_base_type_names", None)
    if custom is not None:
        return list(custom())
    return [t.full_name for t in type_of(base).bases()]


def add_type_name(value: Any, name: str) -> Any:
    """Put a type name first; the object (wrapped where it cannot carry it) is returned."""
    target, _ = ensure_members(value)
    names = type_names(target)
    target.ps_type_names = [name, *names]
    return target


def properties(value: Any) -> list[PSPropertyInfo]:
    """All properties in PowerShell's order: the object's own, the type files', the adapter's or .NET's."""
    found: dict[str, PSPropertyInfo] = {}
    members = own_members(value)
    if members:
        for key, member in members.items():
            if not member.kind.endswith("Method") and member.kind not in ("MemberSet", "PropertySet"):
                found[key] = _own_property(value, member)
    base = base_of(value)
    if base is None or isinstance(base, PSCustomObject):
        return list(found.values())
    t = type_of(base)
    for key, member in extensions_of(t).items():
        if key not in found:
            found[key] = _extended_property(value, base, member)
    names = getattr(base, "ps_names", None)
    if names is not None:
        for name in names():
            if name.lower() not in found:
                found[name.lower()] = _adapted_property(value, base, name)
        return list(found.values())
    for item in declared_properties(t):
        key = item.name.lower()
        if key not in found and key not in t.hidden:
            found[key] = _net_property(value, base, item, t)
    return list(found.values())


def _adapted_property(value: Any, base: Any, name: str) -> PSPropertyInfo:
    def getter() -> Any:
        return base.ps_get(name)

    def setter(new: Any) -> None:
        _adapter_set(base, name, new)

    return PSPropertyInfo(value, name, "Property", getter, setter)


def _net_property(value: Any, base: Any, item: Any, t: NetType) -> PSPropertyInfo:
    def getter() -> Any:
        return read_property(base, item, t)

    def setter(new: Any) -> None:
        invoke.set_property(base, item, t, new)

    made = PSPropertyInfo(value, item.name, "Property", getter, setter if item.fset is not None else None)
    made.type_text = item.type_text
    return made


def declared_properties(t: NetType) -> list[Any]:
    """The declared properties of a type in the order of the reference list, then the rest."""
    order: dict[str, int] = {}
    for base in t.bases():
        for key in base.api_members():
            order.setdefault(key, len(order))
    return sorted(t.all_props(), key=lambda p: order.get(p.name.lower(), 10_000))


def _adapter_set(base: Any, name: str, value: Any) -> None:
    if base.ps_set(name, value) is False:
        raise _cannot_set(name)


def _own_property(value: Any, member: PSMember) -> PSPropertyInfo:
    def getter() -> Any:
        return member_value(value, member)

    def setter(new: Any) -> None:
        set_member_value(value, member, new)

    return PSPropertyInfo(value, member.name, member.kind, getter, setter, member)


def _extended_property(value: Any, base: Any, member: PSMember) -> PSPropertyInfo:
    def getter() -> Any:
        return member_value(value, member)

    setter = None
    if member.second is not None:

        def setter(new: Any) -> None:
            member.second(base, new)

    return PSPropertyInfo(value, member.name, member.kind, getter, setter, member)


def methods(value: Any) -> list[PSMethodInfo]:
    """The methods of an object, script methods included."""
    found: dict[str, PSMethodInfo] = {}
    members = own_members(value)
    for key, member in (members or {}).items():
        if member.kind.endswith("Method"):
            found[key] = PSMethodInfo(value, member.name, member=member)
    base = base_of(value)
    if base is not None:
        t = type_of(base)
        for name in t.method_names():
            if name.lower() not in found:
                found[name.lower()] = PSMethodInfo(value, name, invoke.method_group(t, name))
    return list(found.values())


def member_value(owner: Any, member: PSMember) -> Any:
    """Read a member of PowerShell's own."""
    kind = member.kind
    if kind == "NoteProperty":
        return member.value
    if kind == "AliasProperty":
        return get_member(owner, member.value)
    if kind in ("ScriptProperty", "CodeProperty", "Property"):
        if isinstance(member.value, ScriptBlock):
            try:
                return current().call_block(member.value, this=owner)
            except (NetException, TerminatingError):
                return None
        if member.value is None:
            return None
        try:
            return member.value(base_of(owner))
        except NetException:
            return None
    return PSMethodInfo(owner, member.name, member=member)


def set_member_value(owner: Any, member: PSMember, value: Any) -> None:
    """Write a member of PowerShell's own."""
    kind = member.kind
    if kind == "NoteProperty":
        member.value = None if value is AutomationNull else value
    elif kind == "AliasProperty":
        set_member(owner, member.value, value)
    elif kind in ("ScriptProperty", "CodeProperty"):
        if member.second is None:
            raise _set_failure(member.name, f'Set accessor for property "{member.name}" is unavailable.')
        if isinstance(member.second, ScriptBlock):
            try:
                current().call_block(member.second, value, this=owner)
            except TerminatingError as error:
                raise _set_failure(member.name, error.record.exception.message, error.record.exception) from None
        else:
            member.second(base_of(owner), value)
    else:
        raise _set_failure(member.name, 'Cannot set the Value property for PSMemberInfo object of type "PSMethod".')


def _set_failure(name: str, reason: str, inner: NetException | None = None) -> NetException:
    return NetException(
        "System.Management.Automation.SetValueInvocationException",
        f'Exception setting "{name}": "{reason}"',
        inner or NetException("System.Management.Automation.SetValueException", reason),
        error_id="ExceptionWhenSetting",
    )


def read_property(base: Any, item: Any, t: NetType) -> Any:
    """A .NET property; a getter that throws reads as null."""
    try:
        return invoke.get_property(base, item, t)
    except NetException as error:
        if error.type_name == "System.Management.Automation.RuntimeException":
            raise
        return None


MISSING = object()


def find_member(value: Any, name: str) -> Any:
    """The value of a property (or a method object); MISSING when there is none. Collections are not entered."""
    kind = type(value)
    lower = name.lower()
    if kind is PSCustomObject or kind is PSObject:
        member = value.ps_members.get(lower)
        if member is not None:
            return member.value if member.kind == "NoteProperty" else member_value(value, member)
        if kind is PSCustomObject:
            return _intrinsic(value, lower, name)
        base = value.base
    else:
        base = value
        members = getattr(value, "ps_members", None)
        if members:
            member = members.get(lower)
            if member is not None:
                return member_value(value, member)
    if isinstance(base, Dictionary):
        if name in base:
            return base[name]
    adapter = getattr(base, "ps_get", None)
    if adapter is not None:
        found = adapter(name)
        if found is not NotImplemented:
            return found
    t = type_of(base)
    extension = extensions_of(t).get(lower)
    if extension is not None:
        return member_value(value, extension)
    item = t.find_prop(name)
    if item is not None and lower not in t.hidden | set():
        return read_property(base, item, t)
    if isinstance(base, NetException):
        found = _exception_property(base, t, lower)
        if found is not MISSING:
            return found
    return _intrinsic(value, lower, name)


def _exception_property(error: NetException, t: NetType, lower: str) -> Any:
    """A property of an exception's own class: what it was raised with; null where nothing was said."""
    for key, item in error.properties.items():
        if key.lower() == lower:
            return item
    return None if t.real_member(lower, is_static=False, kinds="P") is not None else MISSING


def stands_for_net_object(value: PSCustomObject) -> bool:
    """Whether an object is the lab's for one of a .NET class that is not declared (a LocalUser, say). Custom objects and CIM
    instances have no Count of their own in 5.1; those objects do."""
    name = (value.ps_type_names or ("",))[0]
    return name.startswith(("Microsoft.", "System.")) and not name.startswith(
        (
            "Microsoft.Powershell.Utility.FileHash",
            "Microsoft.Management.Infrastructure.CimInstance",
            "System.Management.Automation.PSCustomObject",
        )
    )


def _intrinsic(value: Any, lower: str, name: str) -> Any:
    if lower == "psobject":
        return PSObjectView(value)
    if lower == "pstypenames":
        from winlab.powershell.runtime.psobjects import TypeNameList

        return TypeNameList(value)
    if lower == "psbase":
        return PSBaseView(value)
    if lower in ("psextended", "psadapted"):
        return PSBaseView(value)
    base = base_of(value)
    if isinstance(base, PSCustomObject):
        if lower in ("tostring", "gettype", "equals", "gethashcode"):
            return PSMethodInfo(value, name, invoke.method_group(get_type("System.Object"), name))
        if lower in ("count", "length") and stands_for_net_object(base):
            return 1
        return MISSING
    t = type_of(base)
    group = invoke.method_group(t, name)
    if group is not None:
        return PSMethodInfo(value, group.name, group)
    if not is_enumerable(base) and lower in ("count", "length"):
        line = t.real_member(name, is_static=False, kinds="P")
        if line is None:
            return 1
    return MISSING


def get_member(value: Any, name: str, strict: Any = None, extent: Any = None) -> Any:
    """``$value.name``: with member enumeration; null (or a strict mode's error) when there is no such property."""
    if value is None or value is AutomationNull:
        if name.lower() in ("count", "length") and value is not None:
            return 0
        if name.lower() in ("count", "length"):
            return 0
        if strict is not None and strict >= 2:
            raise property_missing(name)
        return None
    found = find_member(value, name)
    if found is not MISSING:
        return found
    base = base_of(value)
    if is_enumerable(base):
        return _enumerate_member(base, name, strict)
    return _missing(base, name, strict)


def _missing(base: Any, name: str, strict: Any) -> Any:
    if not isinstance(base, PSCustomObject):
        refuse_if_real(type_of(base), name)
    if strict is not None and strict >= 2:
        raise property_missing(name)
    return None


def refuse_if_real(t: NetType, name: str, is_static: bool | None = False, kinds: str = "PF") -> None:
    """LabUnsupported when the real type has a member of that name which nobody declared."""
    line = t.real_member(name, is_static=is_static, kinds=kinds)
    if line is not None:
        shown = line[2:].partition(" ")[0] if not line[2:].startswith("static ") else line[9:].partition(" ")[0]
        raise LabUnsupported(f"the property {t.full_name.partition('[')[0]}.{shown}")


def _enumerate_member(base: Any, name: str, strict: Any) -> Any:
    results: list[Any] = []
    hit = False
    for element in iterate(base):
        if element is None or element is AutomationNull:
            continue
        found = find_member(element, name)
        if found is MISSING:
            inner = base_of(element)
            if is_enumerable(inner):
                found = _enumerate_member(inner, name, None)
                if found is None or found is AutomationNull:
                    continue
            else:
                if isinstance(inner, Dictionary):
                    continue
                if not isinstance(inner, PSCustomObject):
                    refuse_if_real(type_of(inner), name)
                if strict is None or strict < 2:
                    results.append(None)
                continue
        hit = True
        if is_enumerable(found) and type(found) is not PSCustomObject:
            results.extend(iterate(found))
        else:
            results.append(found)
    if not hit:
        if strict is not None and strict >= 2:
            raise property_missing(name)
        if not results:
            return None
    if len(results) == 1:
        return results[0]
    return PSArray(results)


def property_missing(name: str) -> NetException:
    """Strict mode's complaint."""
    return runtime_error(
        "PropertyNotFoundStrict",
        f"The property '{name}' cannot be found on this object. Verify that the property exists.",
        kind="PropertyNotFoundException",
        category="NotSpecified",
    )


def _cannot_set(name: str) -> NetException:
    return runtime_error(
        "PropertyNotFound",
        f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.",
    )


def set_member(value: Any, name: str, new: Any) -> None:
    """``$value.name = new``."""
    if value is None or value is AutomationNull:
        raise runtime_error(
            "PropertyNotFound",
            f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.",
        )
    lower = name.lower()
    if new is AutomationNull:
        new = None
    members = own_members(value)
    if members:
        member = members.get(lower)
        if member is not None:
            set_member_value(value, member, new)
            return
    base = base_of(value)
    if isinstance(base, PSCustomObject):
        raise _set_failure(
            name,
            f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.",
        )
    if isinstance(base, Dictionary):
        setter = getattr(base, "set_item", None)
        if setter is not None:
            setter(name, new)
        else:
            base[name] = new
        return
    t = type_of(base)
    adapter = getattr(base, "ps_set", None)
    if adapter is not None:
        done = adapter(name, new)
        if done is not False:
            return
    extension = extensions_of(t).get(lower)
    if extension is not None and adapter is None:
        if extension.kind == "AliasProperty":
            set_member(value, extension.value, new)
            return
        if extension.second is None:
            raise invoke.read_only(extension.name)
        extension.second(base, new)
        return
    item = t.find_prop(name)
    if item is not None:
        invoke.set_property(base, item, t, new)
        return
    if adapter is not None:
        raise _set_failure(
            name,
            f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.",
        )
    refuse_if_real(t, name)
    if is_enumerable(base):
        raise runtime_error(
            "PropertyAssignmentException",
            f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.",
        )
    raise _cannot_set(name)


# ----------------------------------------------------------------------------------------------------------- methods


def invoke_member(value: Any, name: str, args: Sequence[Any]) -> Any:
    """``$value.name(args)``."""
    lower = name.lower()
    if value is None or value is AutomationNull:
        raise runtime_error("InvokeMethodOnNull", "You cannot call a method on a null-valued expression.")
    if lower == "gettype" and not args and not isinstance(value, NetType):
        return type_of(value)
    members = own_members(value)
    if members:
        member = members.get(lower)
        if member is not None:
            if member.kind in ("ScriptMethod", "CodeMethod"):
                return call_script_method(value, member, args)
            if isinstance(member.value, Delegate) and lower == "invoke":
                return member.value(*args)
            if isinstance(member.value, PSMethodInfo):
                return call_method_info(member.value, args)
    base = base_of(value)
    if isinstance(base, PSCustomObject):
        return _custom_object_method(value, base, lower, name, args)
    caller = getattr(base, "ps_invoke", None)
    if caller is not None:
        result = caller(name, args)
        if result is not NotImplemented:
            return result
    if isinstance(base, Delegate) and lower in ("invoke", "dynamicinvoke"):
        return base(*args)
    t = type_of(base)
    group = invoke.method_group(t, name)
    if group is not None:
        return group.call(base, args)
    if lower == "foreach" and args:
        return method_foreach(value, args)
    if lower == "where" and args:
        return method_where(value, args)
    extension = extensions_of(t).get(lower)
    if extension is not None and extension.kind in ("ScriptMethod", "CodeMethod"):
        if isinstance(extension.value, ScriptBlock):
            return call_script_method(value, extension, args)
        return extension.value(base, *args)
    if is_enumerable(base):
        return _enumerate_method(base, name, args)
    prop = find_member(value, name)
    if prop is not MISSING and isinstance(prop, (PSMethodInfo,)):
        return call_method_info(prop, args)
    raise invoke.method_not_found(t, name)


def _custom_object_method(value: Any, base: Any, lower: str, name: str, args: Sequence[Any]) -> Any:
    if lower == "tostring" and not args:
        return ""  # unlike its conversion to text, which lists the properties
    if lower in ("equals", "gethashcode"):
        return (value is args[0]) if args else id(value) & 0x7FFFFFFF
    raise invoke.method_not_found(get_type("System.Management.Automation.PSCustomObject"), name)


def call_script_method(value: Any, member: PSMember, args: Sequence[Any]) -> Any:
    """A script method: ``$this`` is the object; its failure is a MethodInvocationException."""
    if not isinstance(member.value, ScriptBlock):
        return member.value(base_of(value), *args)
    try:
        result = current().call_block(member.value, *args, this=value)
    except TerminatingError as error:
        inner = error.record.exception
        raise NetException(
            "System.Management.Automation.MethodInvocationException",
            f'Exception calling "{member.name}" with "{len(args)}" argument(s): "{inner.message}"',
            inner,
            error_id="ScriptMethodRuntimeException",
        ) from None
    except NetException as error:
        raise NetException(
            "System.Management.Automation.MethodInvocationException",
            f'Exception calling "{member.name}" with "{len(args)}" argument(s): "{error.message}"',
            error,
            error_id="ScriptMethodRuntimeException",
        ) from None
    return result


def call_method_info(method: PSMethodInfo, args: Sequence[Any]) -> Any:
    """``$m.Invoke(...)`` of a method object."""
    if method.member is not None:
        return call_script_method(method.owner, method.member, args)
    return method.group.call(None if method.is_static else base_of(method.owner), args)


def _enumerate_method(base: Any, name: str, args: Sequence[Any]) -> Any:
    results: list[Any] = []
    elements = list(iterate(base))
    if not elements:
        raise invoke.method_not_found(type_of(base), name)
    for element in elements:
        if element is None:
            raise runtime_error("InvokeMethodOnNull", "You cannot call a method on a null-valued expression.")
        result = invoke_member(element, name, args)
        if result is AutomationNull:
            continue
        if is_enumerable(result):
            results.extend(iterate(result))
        else:
            results.append(result)
    if not results:
        return AutomationNull
    return results[0] if len(results) == 1 else PSArray(results)


def method_foreach(value: Any, args: Sequence[Any]) -> Any:
    """The ``.ForEach()`` method: a script block, a type, or a member with arguments."""
    items = list(iterate(value)) if is_enumerable(value) else [value]
    what = args[0]
    results: list[Any] = []

    def take(result: Any) -> None:
        if result is AutomationNull:
            return
        if is_enumerable(result):
            results.extend(iterate(result))
        else:
            results.append(result)

    if isinstance(what, ScriptBlock):
        for item in items:
            current().block_into(what, results.append, args[1:], underscore=item, new_scope=False)
    elif isinstance(what, NetType):
        for item in items:
            results.append(conversion.convert(item, what))
    else:
        name = to_string(what)
        for item in items:
            found = find_member(item, name)
            if isinstance(found, PSMethodInfo):
                take(invoke_member(item, name, list(args[1:])))
            elif len(args) > 1:
                set_member(item, name, args[1])
            elif found is not MISSING:
                take(found)
    from winlab.powershell.runtime.psobjects import collection

    return collection(results)


def method_where(value: Any, args: Sequence[Any]) -> Any:
    """The ``.Where()`` method with its modes Default, First, Last, SkipUntil, Until, Split."""
    from winlab.powershell.runtime.psobjects import collection

    items = list(iterate(value)) if is_enumerable(value) else [value]
    block = args[0]
    if not isinstance(block, ScriptBlock):
        block = conversion.convert(block, get_type("System.Management.Automation.ScriptBlock"))
    mode = to_string(args[1]).lower() if len(args) > 1 else "default"
    count = int(conversion.convert(args[2], get_type("System.Int32"))) if len(args) > 2 else 0

    def test(item: Any) -> bool:
        return conversion.to_bool(current().call_block(block, underscore=item, new_scope=False))

    chosen: list[Any] = []
    rest: list[Any] = []
    if mode in ("default", "first"):
        limit = count or (1 if mode == "first" else 0)
        for item in items:
            if test(item):
                chosen.append(item)
                if limit and len(chosen) >= limit:
                    break
    elif mode == "last":
        chosen = [item for item in items if test(item)][-(count or 1) :]
    elif mode == "skipuntil":
        for i, item in enumerate(items):
            if test(item):
                chosen = items[i : i + count] if count else items[i:]
                break
    elif mode == "until":
        for item in items:
            if test(item) or (count and len(chosen) >= count):
                break
            chosen.append(item)
    elif mode == "split":
        for item in items:
            (chosen if test(item) and (not count or len(chosen) < count) else rest).append(item)
        return PSArray([collection(chosen), collection(rest)])
    else:
        raise conversion.cast_error(
            "InvalidCastFromStringToEnum",
            f'Cannot convert value "{mode}" to type "System.Management.Automation.WhereOperatorSelectionMode".',
        )
    return collection(chosen)


# ------------------------------------------------------------------------------------------------------------ static


def get_static(t: NetType, name: str, strict: Any = None) -> Any:
    """``[type]::name``."""
    if t.is_enum:
        lower = name.lower()
        for known in t.enum_values:
            if known.lower() == lower:
                return t.enum(known)
    item = t.find_prop(name, True)
    if item is not None:
        try:
            return invoke.get_property(None, item, t)
        except NetException as error:
            raise NetException(
                "System.Management.Automation.GetValueInvocationException",
                f'Exception getting "{item.name}": "{error.message}"',
                error,
                error_id="ExceptionWhenGetting",
            ) from None
    group = invoke.method_group(t, name, True)
    if group is not None:
        return PSMethodInfo(t, group.name, group, is_static=True)
    refuse_if_real(t, name, is_static=True)
    if t.known_only and t.api is None:
        raise LabUnsupported(f"the type {t.full_name.partition('[')[0]}")
    # a type literal is an object too: [int]::FullName does not exist, but its own properties do not show here
    if strict is not None and strict >= 2:
        raise property_missing(name)
    return None


def set_static(t: NetType, name: str, value: Any) -> None:
    """``[type]::name = value``."""
    item = t.find_prop(name, True)
    if item is not None:
        invoke.set_property(None, item, t, value)
        return
    refuse_if_real(t, name, is_static=True)
    raise _cannot_set(name)


def invoke_static(t: NetType, name: str, args: Sequence[Any]) -> Any:
    """``[type]::name(args)``; ``new`` constructs."""
    if name.lower() == "new":
        if t.is_interface or (
            t.known_only
            and not t.ctors()
            and t.api is not None
            and t.kind == "class"
            and not t.is_subclass_of("System.Exception")
        ):
            raise invoke.method_not_found(t, name)
        return invoke.construct(t, args)
    group = invoke.method_group(t, name, True)
    if group is None:
        if t.known_only and t.api is None:
            raise LabUnsupported(f"the type {t.full_name.partition('[')[0]}")
        found = t.find_prop(name, True)
        value = invoke.get_property(None, found, t) if found is not None else None
        if isinstance(value, Delegate):
            return value(*args)
        raise invoke.method_not_found(t, name)
    return group.call(None, args)


# ------------------------------------------------------------------------------------------------------------- index


def get_index(value: Any, index: list[Any], strict: Any = None) -> Any:
    """``$value[index]``."""
    if value is None or value is AutomationNull:
        raise runtime_error("NullArray", "Cannot index into a null array.")
    base = base_of(value)
    kind = type(base)
    key = index[0] if len(index) == 1 else None
    if kind is PSArray or kind is ByteArray:
        if len(index) > 1:
            return PSArray([get_index(base, [i], strict) for i in index])
        return _array_index(base, key, strict)
    if isinstance(base, Dictionary):
        return _dictionary_index(base, index)
    if kind is str or isinstance(base, str):
        if len(index) > 1:
            return PSArray([get_index(base, [i], strict) for i in index])
        return _string_index(base, key, strict)
    getter = getattr(base, "get_index", None)
    if getter is not None:
        return getter(index)
    t = type_of(base)
    if hasattr(base, "lengths"):  # rectangular arrays
        numbers = tuple(
            conversion.to_integer(base_of(i), get_type("System.Int32"))
            for i in (iterate(key) if len(index) == 1 and is_enumerable(key) else index)
        )
        try:
            return base.items[base.offset(numbers)]
        except (IndexError, ValueError):
            return None
    indexers = t.find_indexers()
    if indexers:
        if len(index) == 1 and is_enumerable(key):
            return PSArray([get_index(base, [i], strict) for i in iterate(key)])
        found = invoke.find_indexer(t, index)
        if found is None and len(index) > 1:
            return PSArray([get_index(base, [i], strict) for i in index])
        if found is None:
            raise _no_indexer(base)
        item, converted = found
        if conversion.is_list(base) and type(converted[0]) is int and converted[0] < 0:
            converted[0] += len(base)
        try:
            result = item.fget(base, *converted) if item.fget else None
        except NetException as error:
            if strict is not None and strict >= 3:
                raise _out_of_range(error) from None
            return None
        adapt = invoke.type_adapter(item.type_text, invoke._prop_environment(item, t), item.declaring)
        return result if adapt is None else adapt(result)
    if t.real_member("Item", is_static=False, kinds="P") or t.real_member("item", kinds="I"):
        raise LabUnsupported(f"the indexer of {t.full_name.partition('[')[0]}")
    return _scalar_index(value, index, strict)


def _scalar_index(value: Any, index: list[Any], strict: Any) -> Any:
    """A value without an indexer counts as a collection of one: ``[0]`` and ``[-1]`` are the value itself."""
    if len(index) == 1:
        try:
            number = conversion.convert(base_of(index[0]), get_type("System.Int32"))
        except NetException:
            number = None
        if number in (0, -1):
            return value
    if strict is not None and strict >= 3:
        raise index_out_of_range()
    return AutomationNull


def _no_indexer(base: Any) -> NetException:
    return runtime_error("CannotIndex", f"Unable to index into an object of type {type_of(base).full_name}.")


def _out_of_range(error: NetException) -> NetException:
    return error


def _array_index(base: Any, key: Any, strict: Any) -> Any:
    if type(key) is not int:
        key = base_of(key)
        if is_enumerable(key):
            found = []
            for i in iterate(key):
                if type(i) is int and -len(base) <= i < len(base):
                    found.append(base[i])
                elif type(i) is not int:
                    found.append(_array_index(base, i, strict))
            return PSArray(found)
        if key is None:
            raise runtime_error("NullArrayIndex", "Index operation failed; the array index evaluated to null.")
        try:
            key = int(conversion.convert(key, get_type("System.Int32")))
        except NetException as error:
            raise error
    size = len(base)
    if -size <= key < size:
        return base[key]
    if strict is not None and strict >= 3:
        raise index_out_of_range()
    return None


def index_out_of_range() -> NetException:
    return NetException(
        "System.IndexOutOfRangeException",
        "Index was outside the bounds of the array.",
        error_id="System.IndexOutOfRangeException",
        category="OperationStopped",
    )


def _string_index(base: str, key: Any, strict: Any) -> Any:
    from winlab.powershell.objects import Char

    if is_enumerable(key):
        return PSArray([c for c in (_string_index(base, i, strict) for i in iterate(key)) if c is not None])
    if key is None:
        raise runtime_error("NullArrayIndex", "Index operation failed; the array index evaluated to null.")
    number = key if type(key) is int else int(conversion.convert(key, get_type("System.Int32")))
    if -len(base) <= number < len(base):
        return Char(base[number])
    if strict is not None and strict >= 3:
        raise index_out_of_range()
    return None


def _dictionary_index(base: Dictionary, index: list[Any]) -> Any:
    from winlab.powershell.objects import OrderedDictionary

    if len(index) > 1:
        return PSArray([_dictionary_index(base, [i]) for i in index])
    key = base_of(index[0])
    if key is None or key is AutomationNull:
        raise runtime_error("NullArrayIndex", "Index operation failed; the array index evaluated to null.")
    if is_enumerable(key) and key not in base:
        return PSArray([_dictionary_index(base, [i]) for i in iterate(key)])
    getter = getattr(base, "get_item", None)
    if getter is not None:
        try:
            return getter(key)
        except NetException:
            return None
    if type(base) is OrderedDictionary and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(base):
            return base.entries[base.key_at(key)][1]
        return None
    return base.get(key)


def set_index(value: Any, index: list[Any], new: Any) -> None:
    """``$value[index] = new``."""
    if value is None or value is AutomationNull:
        raise runtime_error("NullArray", "Cannot index into a null array.")
    if new is AutomationNull:
        new = None
    base = base_of(value)
    kind = type(base)
    if kind is PSArray or kind is ByteArray:
        _set_array(base, index, new)
        return
    if isinstance(base, Dictionary):
        _set_dictionary(base, index, new)
        return
    setter = getattr(base, "set_index", None)
    if setter is not None:
        setter(index, new)
        return
    if hasattr(base, "lengths"):
        try:
            numbers = tuple(conversion.to_integer(base_of(i), get_type("System.Int32")) for i in index)
            base.items[base.offset(numbers)] = conversion.convert(new, base.element_type)
        except (IndexError, ValueError):
            raise index_out_of_range() from None
        return
    t = type_of(base)
    found = invoke.find_indexer(t, index)
    if found is None:
        if isinstance(base, str) or not t.find_indexers():
            raise _no_indexer(base)
        raise _no_indexer(base)
    item, converted = found
    if item.fset is None:
        raise runtime_error("CannotIndex", f"Unable to assign to an index into an object of type {t.full_name}.")
    if conversion.is_list(base) and type(converted[0]) is int and converted[0] < 0:
        converted[0] += len(base)
    from winlab.powershell.dotnet.core import resolve_signature_type

    try:
        wanted = resolve_signature_type(
            item.type_text.removesuffix(" get"), invoke._prop_environment(item, t), item.declaring
        )
        item.fset(base, *converted, invoke.convert_argument(new, wanted))
    except NetException as error:
        if error.type_name.startswith("System.Management.Automation."):
            raise
        raise NetException(
            error.type_name, error.message, error.inner, error_id=error.type_name, category="OperationStopped"
        ) from None


def _set_array(base: Any, index: list[Any], new: Any) -> None:
    key = base_of(index[0])
    if len(index) > 1:
        raise runtime_error(
            "ArraySliceAssignmentFailed",
            "Array assignment failed because index is a slice.",
        )
    if is_enumerable(key):
        raise runtime_error(
            "ArraySliceAssignmentFailed",
            f"Array assignment to [{','.join(to_string(i) for i in iterate(key))}] failed because assignment to slices is not supported.",
        )
    number = key if type(key) is int else conversion.convert(key, get_type("System.Int32"))
    size = len(base)
    if not -size <= number < size:
        raise index_out_of_range()
    if type(base) is ByteArray:
        bytearray.__setitem__(base, int(number), int(conversion.convert(new, base.element_type)))
    else:
        list.__setitem__(base, int(number), new if base.is_object_array else conversion.convert(new, base.element_type))


def _set_dictionary(base: Dictionary, index: list[Any], new: Any) -> None:
    from winlab.powershell.objects import OrderedDictionary

    key = base_of(index[0])
    if key is None or key is AutomationNull:
        raise runtime_error("NullArrayIndex", "Index operation failed; the array index evaluated to null.")
    setter = getattr(base, "set_item", None)
    if setter is not None:
        setter(key, new)
        return
    if type(base) is OrderedDictionary and isinstance(key, int) and not isinstance(key, bool):
        if not 0 <= key < len(base):
            raise NetException(
                "System.ArgumentOutOfRangeException",
                "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index",
                error_id="System.ArgumentOutOfRangeException",
                category="OperationStopped",
            )
        normal = base.key_at(key)
        base.entries[normal] = (base.entries[normal][0], new)
        return
    base[key] = new
