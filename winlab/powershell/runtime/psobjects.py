"""The types of System.Management.Automation that scripts meet, declared to the interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from winlab.powershell.dotnet.core import (
    NetType,
    ctor,
    define_interface,
    get_type,
    indexer,
    lookup,
    method,
    net_enum,
    net_type,
    prop,
    register_dynamic,
    static,
    static_prop,
)
from winlab.powershell.errors import SMA, ErrorRecord, LabUnsupported, NetException, TerminatingError
from winlab.powershell.objects import (
    AutomationNull,
    Hashtable,
    NetObject,
    PSArray,
    PSCustomObject,
    PSMember,
    PSObject,
    PSReference,
    ScriptBlock,
    SwitchParameter,
    unwrap,
)
from winlab.powershell.runtime import commands, conversion, members, wildcard
from winlab.powershell.runtime.context import current
from winlab.powershell.runtime.conversion import to_string
from winlab.powershell.runtime.engine import PSBoundParametersDictionary, folder_of
from winlab.powershell.runtime.members import (
    PSMemberCollection,
    PSMethodInfo,
    PSObjectView,
    PSPropertyInfo,
)
from winlab.powershell.runtime.modules import ModuleInfo
from winlab.powershell.runtime.scopes import Variable

# ------------------------------------------------------------------------------------------------------------ enums

net_enum(
    SMA + "ActionPreference", {"SilentlyContinue": 0, "Stop": 1, "Continue": 2, "Inquire": 3, "Ignore": 4, "Suspend": 5}
)
net_enum(SMA + "ConfirmImpact", {"None": 0, "Low": 1, "Medium": 2, "High": 3})
net_enum(SMA + "SwitchParameter+Dummy", {"None": 0})
net_enum(
    SMA + "ErrorCategory",
    {
        name: i
        for i, name in enumerate(
            [
                "NotSpecified",
                "OpenError",
                "CloseError",
                "DeviceError",
                "DeadlockDetected",
                "InvalidArgument",
                "InvalidData",
                "InvalidOperation",
                "InvalidResult",
                "InvalidType",
                "MetadataError",
                "NotImplemented",
                "NotInstalled",
                "ObjectNotFound",
                "OperationStopped",
                "OperationTimeout",
                "SyntaxError",
                "ParserError",
                "PermissionDenied",
                "ResourceBusy",
                "ResourceExists",
                "ResourceUnavailable",
                "ReadError",
                "WriteError",
                "FromStdErr",
                "SecurityError",
                "ProtocolError",
                "ConnectionError",
                "AuthenticationError",
                "LimitsExceeded",
                "QuotaExceeded",
                "NotEnabled",
            ]
        )
    },
)
net_enum(
    SMA + "PSMemberTypes",
    {
        "AliasProperty": 1,
        "CodeProperty": 2,
        "Property": 4,
        "NoteProperty": 8,
        "ScriptProperty": 16,
        "Properties": 31,
        "PropertySet": 32,
        "Method": 64,
        "CodeMethod": 128,
        "ScriptMethod": 256,
        "Methods": 448,
        "ParameterizedProperty": 512,
        "MemberSet": 1024,
        "Event": 2048,
        "Dynamic": 4096,
        "All": 8191,
    },
    flags=True,
)
net_enum(SMA + "PSMemberViewTypes", {"Extended": 1, "Adapted": 2, "Base": 4, "All": 7}, flags=True)
net_enum(
    SMA + "CommandTypes",
    {
        "Alias": 1,
        "Function": 2,
        "Filter": 4,
        "Cmdlet": 8,
        "ExternalScript": 16,
        "Application": 32,
        "Script": 64,
        "Workflow": 128,
        "Configuration": 256,
        "All": 511,
    },
    flags=True,
)
net_enum(
    SMA + "ScopedItemOptions",
    {"None": 0, "ReadOnly": 1, "Constant": 2, "Private": 4, "AllScope": 8, "Unspecified": 16},
    flags=True,
)
net_enum(SMA + "CommandOrigin", {"Runspace": 0, "Internal": 1})
net_enum(
    SMA + "PSLanguageMode", {"FullLanguage": 0, "RestrictedLanguage": 1, "NoLanguage": 2, "ConstrainedLanguage": 3}
)
net_enum(SMA + "SessionStateEntryVisibility", {"Public": 0, "Private": 1})
net_enum(SMA + "WildcardOptions", {"None": 0, "Compiled": 1, "IgnoreCase": 2, "CultureInvariant": 4}, flags=True)
net_enum(
    SMA + "WhereOperatorSelectionMode", {"Default": 0, "First": 1, "Last": 2, "SkipUntil": 3, "Until": 4, "Split": 5}
)
net_enum(
    SMA + "SplitOptions",
    {
        "SimpleMatch": 1,
        "RegexMatch": 2,
        "CultureInvariant": 4,
        "IgnorePatternWhitespace": 8,
        "Multiline": 16,
        "Singleline": 32,
        "IgnoreCase": 64,
        "ExplicitCapture": 128,
    },
    flags=True,
)
net_enum(SMA + "ModuleType", {"Script": 0, "Binary": 1, "Manifest": 2, "Cim": 3, "Workflow": 4})
net_enum(SMA + "ProgressRecordType", {"Processing": 0, "Completed": 1})
net_enum(SMA + "VariableAccessMode", {"Read": 0, "Write": 1, "ReadWrite": 2})
net_enum(
    "Microsoft.PowerShell.ExecutionPolicy",
    {"Unrestricted": 0, "RemoteSigned": 1, "AllSigned": 2, "Restricted": 3, "Default": 3, "Bypass": 4, "Undefined": 5},
)
net_enum(
    "Microsoft.PowerShell.ExecutionPolicyScope",
    {"Process": 0, "CurrentUser": 1, "LocalMachine": 2, "UserPolicy": 3, "MachinePolicy": 4},
)

# ------------------------------------------------------------------------------------------------------- exceptions

_EXCEPTIONS = """
RuntimeException System.SystemException
CmdletInvocationException RuntimeException
CmdletProviderInvocationException CmdletInvocationException
ActionPreferenceStopException RuntimeException
ParameterBindingException RuntimeException
ParameterBindingValidationException ParameterBindingException
ParameterBindingArgumentTransformationException ParameterBindingException
CommandNotFoundException RuntimeException
ApplicationFailedException RuntimeException
ExtendedTypeSystemException RuntimeException
MethodException ExtendedTypeSystemException
MethodInvocationException MethodException
GetValueException ExtendedTypeSystemException
GetValueInvocationException GetValueException
PropertyNotFoundException ExtendedTypeSystemException
SetValueException ExtendedTypeSystemException
SetValueInvocationException SetValueException
PSInvalidCastException System.InvalidCastException
PSInvalidOperationException System.InvalidOperationException
PSNotSupportedException System.NotSupportedException
PSNotImplementedException System.NotImplementedException
PSArgumentException System.ArgumentException
PSArgumentNullException System.ArgumentNullException
PSArgumentOutOfRangeException System.ArgumentOutOfRangeException
PSObjectDisposedException System.ObjectDisposedException
PSSecurityException RuntimeException
ParseException RuntimeException
IncompleteParseException ParseException
PipelineStoppedException RuntimeException
PipelineClosedException RuntimeException
PipelineDepthException System.SystemException
ScriptCallDepthException System.SystemException
HaltCommandException System.SystemException
SessionStateException RuntimeException
SessionStateUnauthorizedAccessException SessionStateException
SessionStateOverflowException SessionStateException
ItemNotFoundException SessionStateException
ProviderNotFoundException SessionStateException
DriveNotFoundException SessionStateException
ProviderInvocationException RuntimeException
WildcardPatternException RuntimeException
MetadataException RuntimeException
ValidationMetadataException MetadataException
ArgumentTransformationMetadataException MetadataException
ParsingMetadataException MetadataException
RemoteException RuntimeException
ScriptRequiresException RuntimeException
ScriptBlockToPowerShellNotSupportedException RuntimeException
InvalidPowerShellStateException System.SystemException
PSInvalidCastExceptionDummy PSInvalidCastException
Host.HostException RuntimeException
Host.PromptingException Host.HostException
Runspaces.InvalidRunspaceStateException System.SystemException
Runspaces.InvalidRunspacePoolStateException System.SystemException
Runspaces.InvalidPipelineStateException System.SystemException
Runspaces.RunspaceOpenModuleLoadException RuntimeException
Runspaces.PSConsoleLoadException System.SystemException
Remoting.PSRemotingTransportException RuntimeException
Remoting.PSRemotingDataStructureException RuntimeException
"""


def _declare_exceptions() -> None:
    for line in _EXCEPTIONS.strip().splitlines():
        name, base = line.split()
        if name.endswith("Dummy"):
            continue
        parent = lookup(base) if base.startswith("System.") else lookup(SMA + base)
        register_dynamic(NetType(SMA + name, "class", parent, "System.Management.Automation"))
    for name in ("WriteErrorException", "ServiceCommandException", "ProcessCommandException"):
        register_dynamic(
            NetType(
                f"Microsoft.PowerShell.Commands.{name}",
                "class",
                lookup("System.SystemException"),
                "Microsoft.PowerShell.Commands.Management",
            )
        )


_declare_exceptions()

define_interface(SMA + "IContainsErrorRecord")


# ----------------------------------------------------------------------------------------------------------- objects


@net_type(SMA + "PSObject", python=(), base="System.Object")
class PSObjectType:
    """Members of ``[psobject]`` itself."""

    @ctor("()")
    def new() -> PSCustomObject:
        return PSCustomObject()

    @ctor("(Object)")
    def of(value: Any) -> Any:
        if isinstance(value, PSObject):
            return value
        return PSObject(value)

    @static("AsPSObject(Object) : Management.Automation.PSObject")
    def as_object(value: Any) -> Any:
        return value if isinstance(value, PSObject) else PSObject(value)


@net_type(SMA + "PSCustomObject", python=PSCustomObject, base="System.Object")
class PSCustomObjectType:
    @method("ToString() : String")
    def text(self: Any) -> str:
        return ""


@net_type(SMA + "PSMemberSet", base="System.Object")
class _ViewType(PSObjectView):
    pass


class TypeNameList(NetObject):
    """``PSTypeNames``: a list that writes through to the object."""

    is_list = True

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    @property
    def names(self) -> list[str]:
        return members.type_names(self.owner)

    def change(self, names: list[str]) -> None:
        target, _ = members.ensure_members(self.owner)
        if target is self.owner:
            self.owner.ps_type_names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@net_type("System.Collections.ObjectModel.Collection`1")
class _CollectionPlaceholder(NetObject):
    """Replaced by the .NET room's class when that is loaded first."""

    def __init__(self, items: Any = ()) -> None:
        self.items = list(items)


def _declare_type_names() -> None:
    @net_type(
        SMA + "PSTypeNameCollection", base="System.Object", interfaces=("Collections.IList", "Collections.IEnumerable")
    )
    class _Names(TypeNameList):
        @prop("Count : Int32 get")
        def count(self) -> int:
            return len(self.names)

        @indexer("Item[Int32] : String", setter="put")
        def item(self, index: int) -> str:
            return self.names[index]

        def put(self, index: int, value: str) -> None:
            names = self.names
            names[index] = value
            self.change(names)

        @method("Insert(Int32,String) : Void")
        def insert(self, index: int, value: str) -> None:
            names = self.names
            names.insert(index, value)
            self.change(names)

        @method("Add(String) : Void")
        def add(self, value: str) -> None:
            self.change([*self.names, value])

        @method("Clear() : Void")
        def clear(self) -> None:
            self.change([])

        @method("Contains(String) : Boolean")
        def contains(self, value: str) -> bool:
            return any(n == value for n in self.names)

        @method("Remove(String) : Boolean")
        def remove(self, value: str) -> bool:
            names = self.names
            if value not in names:
                return False
            names.remove(value)
            self.change(names)
            return True

    TypeNameList.net_type = _Names.net_type


def collection(items: list[Any]) -> Any:
    """A Collection[PSObject], as .ForEach() and .Where() return it."""
    from winlab.powershell.dotnet import collections as dotnet_collections

    return dotnet_collections.make(dotnet_collections.Collection, get_type(SMA + "PSObject"), items=items)


@net_type(SMA + "PSMemberInfoCollection", base="System.Object", interfaces=("Collections.IEnumerable",))
class _Members(PSMemberCollection):
    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items())

    @indexer("Item[String] : Object")
    def item(self, name: str) -> Any:
        return self.find(name)

    @method("Match(String) : Object")
    def match(self, pattern: str) -> Any:
        test = wildcard.wildcard(pattern)
        return PSArray([m for m in self.items() if test(m.name)])

    @method("Add(Object) : Void")
    def add(self, member: Any) -> None:
        add_member_info(self.owner, member)

    @method("Add(Object,Boolean) : Void")
    def add_checked(self, member: Any, validated: bool) -> None:
        add_member_info(self.owner, member)

    @method("Remove(String) : Void")
    def remove(self, name: str) -> None:
        own = members.own_members(self.owner)
        if own is not None:
            own.pop(name.lower(), None)


PSMemberCollection.net_type = _Members.net_type


def add_member_info(owner: Any, member: Any) -> None:
    """Add a PSNoteProperty and its kin to an object."""
    member = unwrap(member)
    if isinstance(member, PSPropertyInfo):
        member = PSMember("NoteProperty", member.name, member.getter()) if member.member is None else member.member
    if isinstance(member, MemberInfo):
        member = member.member
    if not isinstance(member, PSMember):
        raise NetException("System.ArgumentException", "The member cannot be added.")
    _, own = members.ensure_members(owner)
    if member.name.lower() in own:
        raise NetException(
            SMA + "ExtendedTypeSystemException",
            f'Cannot add a member with the name "{member.name}" because a member with that name already exists.',
        )
    own[member.name.lower()] = member


class MemberInfo(NetObject):
    """PSNoteProperty, PSScriptProperty, PSAliasProperty, PSScriptMethod as values of their own."""

    def __init__(self, member: PSMember) -> None:
        self.member = member


def _member_type(full_name: str, kind: str, signatures: dict[str, int]) -> None:
    class _Info(MemberInfo):
        @prop("Name : String get")
        def name(self) -> str:
            return self.member.name

        @prop("Value : Object")
        def value(self) -> Any:
            return self.member.value

        @value.setter
        def value(self, new: Any) -> None:
            self.member.value = new

        @prop("MemberType : Management.Automation.PSMemberTypes get")
        def member_type(self) -> str:
            return kind

    def new(self: Any, name: str, value: Any = None, second: Any = None) -> None:
        self.member = PSMember(kind, name, value, second)

    for signature in signatures:
        ctor(signature)(new)
    _Info.new = new  # type: ignore[attr-defined]
    net_type(full_name, base="System.Object")(_Info)


_member_type(SMA + "PSNoteProperty", "NoteProperty", {"(String,Object)": 2})
_member_type(SMA + "PSAliasProperty", "AliasProperty", {"(String,String)": 2})
_member_type(
    SMA + "PSScriptProperty",
    "ScriptProperty",
    {
        "(String,Management.Automation.ScriptBlock)": 2,
        "(String,Management.Automation.ScriptBlock,Management.Automation.ScriptBlock)": 3,
    },
)
_member_type(SMA + "PSScriptMethod", "ScriptMethod", {"(String,Management.Automation.ScriptBlock)": 2})


@net_type(SMA + "PSMemberView", base="System.Object")
class _View(PSObjectView):
    @prop("Properties : Object get")
    def properties(self) -> Any:
        return PSMemberCollection(self.owner, "Properties")

    @prop("Methods : Object get")
    def methods(self) -> Any:
        return PSMemberCollection(self.owner, "Methods")

    @prop("Members : Object get")
    def members(self) -> Any:
        return PSMemberCollection(self.owner, "Members")

    @prop("TypeNames : Object get")
    def type_names(self) -> Any:
        return TypeNameList(self.owner)

    @prop("BaseObject : Object get")
    def base_object(self) -> Any:
        return members.base_of(self.owner)

    @prop("ImmediateBaseObject : Object get")
    def immediate(self) -> Any:
        return members.base_of(self.owner)

    @method("Copy() : Object")
    def copy(self) -> Any:
        return copy_object(self.owner)

    @method("ToString() : String")
    def text(self) -> str:
        return to_string(self.owner)


PSObjectView.net_type = _View.net_type


@net_type(SMA + "PSInternalMemberSet", base="System.Object")
class _BaseView(members.PSBaseView):
    def ps_get(self, name: str) -> Any:
        base = members.base_of(self.owner)
        if isinstance(base, PSCustomObject):
            return NotImplemented
        t = conversion.type_of(base)
        item = t.find_prop(name)
        return members.read_property(base, item, t) if item is not None else NotImplemented

    def ps_set(self, name: str, value: Any) -> Any:
        from winlab.powershell.runtime import invoke

        base = members.base_of(self.owner)
        t = conversion.type_of(base)
        item = t.find_prop(name)
        if item is None:
            return False
        invoke.set_property(base, item, t, value)
        return True

    def ps_names(self) -> list[str]:
        return [p.name for p in conversion.type_of(members.base_of(self.owner)).all_props()]

    def ps_invoke(self, name: str, args: Any) -> Any:
        from winlab.powershell.runtime import invoke

        return invoke.call_method(members.base_of(self.owner), name, args)


members.PSBaseView.net_type = _BaseView.net_type
for _name in ("ps_get", "ps_set", "ps_names", "ps_invoke"):
    setattr(members.PSBaseView, _name, getattr(_BaseView, _name))


def copy_object(value: Any) -> Any:
    """PSObject.Copy(): members copied, the base shared (dictionaries cloned)."""
    if isinstance(value, PSCustomObject):
        made: PSObject = PSCustomObject()
    else:
        made = PSObject(members.base_of(value))
    own = members.own_members(value) or {}
    made.ps_members = {k: m.copy() for k, m in own.items()}
    names = getattr(value, "ps_type_names", None)
    made.ps_type_names = list(names) if names is not None else None
    return made


@net_type(SMA + "PSPropertyInfo", base="System.Object")
class _Property(PSPropertyInfo):
    @prop("Name : String get")
    def prop_name(self) -> str:
        return self.name

    @prop("Value : Object")
    def value(self) -> Any:
        return self.getter()

    @value.setter
    def value(self, new: Any) -> None:
        if self.setter is None:
            raise NetException(SMA + "SetValueException", f"'{self.name}' is a ReadOnly property.")
        self.setter(new)

    @prop("MemberType : Management.Automation.PSMemberTypes get")
    def member_type(self) -> str:
        return self.kind

    @prop("IsSettable : Boolean get")
    def is_settable(self) -> bool:
        return self.setter is not None

    @prop("IsGettable : Boolean get")
    def is_gettable(self) -> bool:
        return True

    @prop("IsInstance : Boolean get")
    def is_instance(self) -> bool:
        return self.member is not None

    @prop("TypeNameOfValue : String get")
    def type_name(self) -> str:
        value = unwrap(self.getter())
        return "System.Object" if value is None else str(conversion.type_of(value).full_name)

    @method("ToString() : String")
    def text(self) -> str:
        value = self.getter()
        return f"{conversion.to_string(conversion.type_of(unwrap(value))) if unwrap(value) is not None else 'System.Object'} {self.name}={to_string(value)}"

    @method("Copy() : Object")
    def copied(self) -> Any:
        return self


PSPropertyInfo.net_type = _Property.net_type
_NOTE = register_dynamic(NetType(SMA + "PSNotePropertyView", "class", _Property.net_type))


@net_type(SMA + "PSMethod", base="System.Object")
class _Method(PSMethodInfo):
    @prop("Name : String get")
    def method_name(self) -> str:
        return self.name

    @prop("MemberType : Management.Automation.PSMemberTypes get")
    def member_type(self) -> str:
        return "ScriptMethod" if self.member is not None else "Method"

    @prop("OverloadDefinitions : Object get")
    def definitions(self) -> Any:
        return PSArray(overload_definitions(self), get_type("System.String"))

    @prop("TypeNameOfValue : String get")
    def type_name(self) -> str:
        return SMA + "PSMethod"

    @prop("IsInstance : Boolean get")
    def is_instance(self) -> bool:
        return not self.is_static

    def ps_invoke(self, name: str, args: Any) -> Any:
        if name.lower() == "invoke":
            return members.call_method_info(self, args)
        return NotImplemented

    @method("ToString() : String")
    def text(self) -> str:
        return "\n".join(overload_definitions(self))


PSMethodInfo.net_type = _Method.net_type
PSMethodInfo.ps_invoke = _Method.ps_invoke  # type: ignore[attr-defined]


def overload_definitions(method_info: PSMethodInfo) -> list[str]:
    """Signatures as PowerShell writes them: ``string Substring(int startIndex)`` (names of parameters are not known here)."""
    from winlab.powershell.dotnet.core import ACCELERATOR_BY_TYPE

    if method_info.member is not None:
        return [f"System.Object {method_info.name}();"]
    result = []
    for shape in method_info.group.shapes:
        overload = shape.overload
        shown = ", ".join(ACCELERATOR_BY_TYPE.get(t.full_name, conversion.type_display(t)) for t in shape.types)
        try:
            returns = conversion.resolve_parameter(overload.returns, method_info.group.type)
            text = ACCELERATOR_BY_TYPE.get(returns.full_name, conversion.type_display(returns))
        except KeyError:
            text = overload.returns
        text = "void" if text == "System.Void" else text
        result.append(f"{'static ' if method_info.is_static else ''}{text} {overload.name}({shown})")
    return result


@net_type(SMA + "PSReference", python=PSReference, base="System.Object")
class PSReferenceType:
    @ctor("(Object)")
    def new(value: Any) -> PSReference:
        return PSReference(value)

    @prop("Value : Object")
    def value(self: Any) -> Any:
        return self.value

    @value.setter
    def value(self: Any, new: Any) -> None:
        self.value = new


@net_type(SMA + "SwitchParameter", python=SwitchParameter, base="System.ValueType", kind="struct")
class SwitchParameterType:
    @ctor("(Boolean)")
    def new(value: bool) -> SwitchParameter:
        return SwitchParameter(value)

    @prop("IsPresent : Boolean get")
    def is_present(self: Any) -> bool:
        return bool(self.is_present)

    @static_prop("Present : Management.Automation.SwitchParameter get")
    def present() -> SwitchParameter:
        return SwitchParameter(True)

    @method("ToBool() : Boolean")
    def to_bool(self: Any) -> bool:
        return bool(self.is_present)

    @method("ToString() : String")
    def text(self: Any) -> str:
        return "True" if self.is_present else "False"


@net_type(SMA + "ScriptBlock", python=ScriptBlock, base="System.Object")
class ScriptBlockType:
    @static("Create(String) : Management.Automation.ScriptBlock")
    def create(text: str) -> ScriptBlock:
        runtime = current()
        block = runtime.parse(text)
        block.session = runtime.frame.session
        return block

    @method("Invoke(Object[]) : Object", params=True)
    def invoke(self: Any, args: Any) -> Any:
        items: list[Any] = []
        current().block_into(self, items.append, args)
        return collection(items)

    @method("InvokeReturnAsIs(Object[]) : Object", params=True)
    def invoke_as_is(self: Any, args: Any) -> Any:
        return current().call_block(self, *args)

    @method("InvokeWithContext(Object,Object,Object[]) : Object", params=True)
    def invoke_with_context(self: Any, functions: Any, variables: Any, args: Any) -> Any:
        raise LabUnsupported("ScriptBlock.InvokeWithContext")

    @method("GetNewClosure() : Management.Automation.ScriptBlock")
    def closure(self: Any) -> ScriptBlock:
        from winlab.powershell.runtime.modules import closure_of

        return closure_of(self, current().frame)

    @method("ToString() : String")
    def text(self: Any) -> str:
        return str(self.text)

    @method("GetSteppablePipeline() : Object")
    def steppable(self: Any) -> Any:
        raise LabUnsupported("ScriptBlock.GetSteppablePipeline")

    @method("CheckRestrictedLanguage(Object,Object,Boolean) : Void")
    def restricted(self: Any, a: Any, b: Any, c: bool) -> None:
        raise LabUnsupported("ScriptBlock.CheckRestrictedLanguage")

    @prop("Ast : Object get")
    def tree(self: Any) -> Any:
        from winlab.powershell.runtime.astobjects import wrap

        return wrap(self.ast)

    @prop("File : String get")
    def file(self: Any) -> Any:
        return self.file

    @prop("IsFilter : Boolean")
    def is_filter(self: Any) -> bool:
        return bool(self.is_filter)

    @prop("Module : Object get")
    def module(self: Any) -> Any:
        return self.session.module if self.session is not None else None

    @prop("Attributes : Object get")
    def attributes(self: Any) -> Any:
        return PSArray()

    @prop("StartPosition : Object get")
    def start_position(self: Any) -> Any:
        from winlab.powershell.runtime.astobjects import extent_object

        return extent_object(self.ast.extent)


def _format_category(record: ErrorRecord) -> str:
    target = record.target_name if record.target_name is not None else _target_text(record.target)
    kind = record.target_type if record.target_type is not None else _target_type(record.target)
    return f"{record.category}: ({_short(target)}:{kind}) [{record.activity}], {record.reason or record.exception.short_name}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:17] + "..." + text[-20:]


def _target_text(target: Any) -> str:
    return "" if unwrap(target) is None else to_string(target)


def _target_type(target: Any) -> str:
    base = unwrap(target)
    return "" if base is None else str(conversion.type_of(base).name)


class CategoryInfo(NetObject):
    def __init__(self, record: ErrorRecord) -> None:
        self.record = record


@net_type(SMA + "ErrorCategoryInfo", base="System.Object")
class _CategoryInfo(CategoryInfo):
    @prop("Category : Management.Automation.ErrorCategory get")
    def category(self) -> str:
        return self.record.category

    @prop("Activity : String")
    def activity(self) -> str:
        return self.record.activity

    @activity.setter
    def activity(self, value: str) -> None:
        self.record.activity = value

    @prop("Reason : String")
    def reason(self) -> str:
        return self.record.reason or self.record.exception.short_name

    @reason.setter
    def reason(self, value: str) -> None:
        self.record.reason = value

    @prop("TargetName : String")
    def target_name(self) -> str:
        record = self.record
        return record.target_name if record.target_name is not None else _target_text(record.target)

    @target_name.setter
    def target_name(self, value: str) -> None:
        self.record.target_name = value

    @prop("TargetType : String")
    def target_type(self) -> str:
        record = self.record
        return record.target_type if record.target_type is not None else _target_type(record.target)

    @target_type.setter
    def target_type(self, value: str) -> None:
        self.record.target_type = value

    @method("GetMessage() : String")
    def message(self) -> str:
        return _format_category(self.record)

    @method("ToString() : String")
    def text(self) -> str:
        return _format_category(self.record)


CategoryInfo.net_type = _CategoryInfo.net_type


class ErrorDetails(NetObject):
    message: str = ""
    action: str = ""


@net_type(SMA + "ErrorDetails", base="System.Object")
class _ErrorDetails(ErrorDetails):
    @ctor("(String)")
    def new(self, message: str) -> None:
        self.message = message
        self.action = ""

    @prop("Message : String get")
    def text_of(self) -> str:
        return self.message

    @prop("RecommendedAction : String")
    def recommended(self) -> str:
        return self.action

    @recommended.setter
    def recommended(self, value: str) -> None:
        self.action = value

    @method("ToString() : String")
    def text(self) -> str:
        return self.message


@net_type(SMA + "ErrorRecord", python=ErrorRecord, base="System.Object")
class ErrorRecordType:
    @ctor("(Exception,String,Management.Automation.ErrorCategory,Object)")
    def new(exception: Any, error_id: str, category: Any, target: Any) -> ErrorRecord:
        if exception is None:
            raise NetException(
                SMA + "PSArgumentNullException",
                'Cannot process argument because the value of argument "exception" is null.',
            )
        return ErrorRecord(exception, error_id or "", category.name, target)

    @ctor("(Management.Automation.ErrorRecord,Exception)")
    def copy(record: ErrorRecord, exception: Any) -> ErrorRecord:
        made = ErrorRecord(exception, record.error_id, record.category, record.target)
        made.__dict__.update({k: v for k, v in record.__dict__.items() if k != "exception"})
        return made

    @prop("Exception : Exception get")
    def exception(self: Any) -> Any:
        return self.exception

    @prop("TargetObject : Object get")
    def target(self: Any) -> Any:
        return self.target

    @prop("CategoryInfo : Management.Automation.ErrorCategoryInfo get")
    def category_info(self: Any) -> Any:
        return _CategoryInfo(self)

    @prop("FullyQualifiedErrorId : String get")
    def full_id(self: Any) -> str:
        return str(self.fully_qualified_error_id)

    @prop("ErrorDetails : Object")
    def details(self: Any) -> Any:
        if self.details is None:
            return None
        made = _ErrorDetails()
        made.message = self.details
        made.action = self.recommended_action
        return made

    @details.setter
    def details(self: Any, value: Any) -> None:
        value = unwrap(value)
        if isinstance(value, ErrorDetails):
            self.details = value.message
            self.recommended_action = value.action
        else:
            self.details = None if value is None else to_string(value)

    @prop("InvocationInfo : Management.Automation.InvocationInfo get")
    def invocation(self: Any) -> Any:
        return self.invocation_info

    @prop("ScriptStackTrace : String get")
    def stack(self: Any) -> Any:
        return self.script_stack_trace

    @prop("PipelineIterationInfo : Object get")
    def iteration(self: Any) -> Any:
        return PSArray([], get_type("System.Int32"))

    @method("ToString() : String")
    def text(self: Any) -> str:
        return str(self.message)


def _exception_error_record(error: Any) -> Any:
    record = error.error_record
    if record is None:
        record = ErrorRecord(error, error.error_id or error.short_name, error.category or "NotSpecified", error.target)
        error.error_record = record
    return record


def declare_exception_members() -> None:
    """``ErrorRecord`` of the exceptions that carry one, and the few properties of their own."""
    members.extend_type(SMA + "RuntimeException", "ErrorRecord", _exception_error_record, kind="Property")
    for name in (
        "PSInvalidCastException",
        "PSArgumentException",
        "PSInvalidOperationException",
        "PSNotSupportedException",
    ):
        members.extend_type(SMA + name, "ErrorRecord", _exception_error_record, kind="Property")
    members.extend_type(
        SMA + "CommandNotFoundException", "CommandName", lambda e: e.properties.get("CommandName"), kind="Property"
    )
    members.extend_type(
        SMA + "ParameterBindingException", "ParameterName", lambda e: e.properties.get("ParameterName"), kind="Property"
    )
    members.extend_type(SMA + "ParameterBindingException", "ErrorId", lambda e: e.error_id, kind="Property")
    members.extend_type(
        SMA + "RuntimeException",
        "WasThrownFromThrowStatement",
        lambda e: e.properties.get("thrown", False),
        kind="Property",
    )
    members.extend_type(SMA + "ParseException", "Errors", _parse_errors, kind="Property")


def _parse_errors(error: Any) -> Any:
    from winlab.powershell.runtime.astobjects import error_object

    return PSArray([error_object(e) for e in error.properties.get("Errors", ())])


declare_exception_members()


@net_type(SMA + "InvocationInfo", base="System.Object")
class _InvocationInfo(commands.InvocationInfo):
    @prop("MyCommand : Object get")
    def my_command(self) -> Any:
        return self.command

    @prop("BoundParameters : Object get")
    def bound(self) -> Any:
        return self.bound_parameters if self.bound_parameters is not None else PSBoundParametersDictionary()

    @prop("UnboundArguments : Object get")
    def unbound(self) -> Any:
        return PSArray(self.unbound_arguments)

    @prop("ScriptLineNumber : Int32 get")
    def line_number(self) -> int:
        return self.extent.start_line_number if self.extent is not None else 0

    @prop("OffsetInLine : Int32 get")
    def offset(self) -> int:
        return self.extent.start_column_number if self.extent is not None else 0

    @prop("HistoryId : Int64 get")
    def history(self) -> int:
        return 1

    @prop("ScriptName : String get")
    def script_name(self) -> Any:
        if self.extent is not None:
            return self.extent.file or ""
        return ""

    @prop("Line : String get")
    def line(self) -> str:
        if self.extent is None:
            return ""
        source = self.extent.source
        number = self.extent.start_line_number
        text = source.line(number)
        return text + ("\n" if number < len(source.line_starts) else "")

    @prop("PositionMessage : String get")
    def position(self) -> str:
        return self.position_message()

    @prop("PSScriptRoot : String get")
    def root(self) -> str:
        file = self.extent.file if self.extent is not None else None
        return folder_of(file) if file else ""

    @prop("PSCommandPath : String get")
    def command_path(self) -> Any:
        return self.extent.file if self.extent is not None else None

    @prop("InvocationName : String get")
    def name(self) -> str:
        return self.invocation_name

    @prop("PipelineLength : Int32 get")
    def length(self) -> int:
        return self.pipeline_length

    @prop("PipelinePosition : Int32 get")
    def place(self) -> int:
        return self.pipeline_position

    @prop("ExpectingInput : Boolean get")
    def expecting(self) -> bool:
        return self.expecting_input

    @prop("CommandOrigin : Management.Automation.CommandOrigin get")
    def command_origin(self) -> str:
        return self.origin

    @prop("DisplayScriptPosition : Object")
    def display(self) -> Any:
        from winlab.powershell.runtime.astobjects import extent_object

        return extent_object(self.extent) if self.extent is not None else None


commands.InvocationInfo.net_type = _InvocationInfo.net_type


# --------------------------------------------------------------------------------------------------- stream records


def _record_type(cls: type, full_name: str) -> None:
    class _Record(cls):
        @prop("Message : String")
        def text_of(self) -> str:
            return self.message

        @prop("InvocationInfo : Object get")
        def invocation(self) -> Any:
            return self.invocation_info

        @method("ToString() : String")
        def text(self) -> str:
            return self.message

    def new(self: Any, message: str) -> None:
        self.__init__(message)

    ctor("(String)")(new)
    _Record.new = new
    net_type(full_name, base="System.Object")(_Record)
    cls.net_type = _Record.net_type  # type: ignore[attr-defined]


_record_type(commands.WarningRecord, SMA + "WarningRecord")
_record_type(commands.VerboseRecord, SMA + "VerboseRecord")
_record_type(commands.DebugRecord, SMA + "DebugRecord")


@net_type(SMA + "InformationRecord", base="System.Object")
class _InformationRecord(commands.InformationRecord):
    @ctor("(Object,String)")
    def new(self, data: Any, source: str) -> None:
        self.data = data
        self.source = source
        self.tags = []

    @prop("MessageData : Object get")
    def message_data(self) -> Any:
        return self.data

    @prop("Source : String")
    def source_of(self) -> str:
        return self.source

    @prop("Tags : Object get")
    def tag_list(self) -> Any:
        return PSArray(self.tags, get_type("System.String"))

    @method("ToString() : String")
    def text(self) -> str:
        return to_string(self.data)


commands.InformationRecord.net_type = _InformationRecord.net_type


@net_type(SMA + "HostInformationMessage", base="System.Object")
class _HostMessage(commands.HostInformationMessage):
    @prop("Message : String")
    def message_of(self) -> str:
        return self.message

    @prop("NoNewLine : Object")
    def no_new_line(self) -> Any:
        return self.no_newline

    @prop("ForegroundColor : Object")
    def fore(self) -> Any:
        return self.foreground

    @prop("BackgroundColor : Object")
    def back(self) -> Any:
        return self.background

    @method("ToString() : String")
    def text(self) -> str:
        return self.message


commands.HostInformationMessage.net_type = _HostMessage.net_type


# ------------------------------------------------------------------------------------------------------ command infos


@net_type(SMA + "CommandInfo", base="System.Object")
class _CommandInfo(commands.CommandInfo):
    @prop("Name : String get")
    def name_of(self) -> str:
        return self.name

    @prop("CommandType : Management.Automation.CommandTypes get")
    def kind(self) -> str:
        return self.command_type

    @prop("Source : String get")
    def source(self) -> str:
        return getattr(self, "path", None) or self.module_name

    @prop("ModuleName : String get")
    def module_of(self) -> str:
        return self.module_name

    @prop("Module : Object get")
    def module(self) -> Any:
        return current().modules.get(self.module_name.lower())

    @prop("Version : Object get")
    def version(self) -> Any:
        return None

    @prop("Visibility : Management.Automation.SessionStateEntryVisibility")
    def visible(self) -> str:
        return self.visibility

    @prop("Parameters : Object get")
    def parameters(self) -> Any:
        return command_parameters(self)

    @prop("ParameterSets : Object get")
    def sets(self) -> Any:
        raise LabUnsupported("the property CommandInfo.ParameterSets")

    @prop("Definition : String get")
    def definition_of(self) -> Any:
        if isinstance(self, (commands.FunctionInfo, commands.ScriptInfo)):
            return self.block.text
        if isinstance(self, commands.AliasInfo):
            return self.definition
        if isinstance(self, (commands.ApplicationInfo, commands.ExternalScriptInfo)):
            return self.path
        return ""

    @method("ToString() : String")
    def text(self) -> str:
        return self.name


commands.CommandInfo.net_type = _CommandInfo.net_type


def command_parameters(info: Any) -> Any:
    """Parameter metadata of a command by name."""
    from winlab.powershell.dotnet.core import get_type as type_by_name

    if isinstance(info, commands.CmdletInfo):
        metadata = info.cls.metadata
    elif isinstance(info, commands.FunctionInfo):
        runtime = current()
        metadata = runtime.compile_block(info.block).prepare(runtime.frame)
    else:
        return None
    table = Hashtable()
    for parameter in metadata.parameters.values():
        table[parameter.name] = PSCustomObject.of(
            [
                ("Name", parameter.name),
                ("ParameterType", parameter.net_type if parameter.supported else type_by_name("System.Object")),
                ("Aliases", PSArray(parameter.aliases, type_by_name("System.String"))),
                ("SwitchParameter", parameter.is_switch),
            ],
            SMA + "ParameterMetadata",
        )
    return table


def _command_type(cls: type, short: str) -> None:
    class _Info(cls):
        pass

    if cls in (commands.FunctionInfo, commands.ScriptInfo):

        @prop("ScriptBlock : Object get")
        def block_of(self: Any) -> Any:
            return self.block

        _Info.block_of = block_of
    if cls in (commands.ApplicationInfo, commands.ExternalScriptInfo):

        @prop("Path : String get")
        def path_of(self: Any) -> Any:
            return self.path

        @prop("Extension : String get")
        def extension(self: Any) -> str:
            name = self.path.rpartition("\\")[2]
            return "." + name.rpartition(".")[2] if "." in name else ""

        _Info.path_of = path_of
        _Info.extension = extension
    if cls is commands.AliasInfo:

        @prop("ResolvedCommandName : String get")
        def resolved_name(self: Any) -> Any:
            found = current().resolve_command(self.definition)
            return found.name if found is not None else None

        @prop("ResolvedCommand : Object get")
        def resolved(self: Any) -> Any:
            return current().resolve_command(self.definition)

        @prop("ReferencedCommand : Object get")
        def referenced(self: Any) -> Any:
            return current().resolve_command(self.definition)

        @prop("DisplayName : String get")
        def display(self: Any) -> str:
            return f"{self.name} -> {self.definition}"

        for item in (
            ("resolved_name", resolved_name),
            ("resolved", resolved),
            ("referenced", referenced),
            ("display", display),
        ):
            setattr(_Info, item[0], item[1])
    if cls is commands.CmdletInfo:

        @prop("Verb : String get")
        def verb(self: Any) -> str:
            return str(self.name.partition("-")[0])

        @prop("Noun : String get")
        def noun(self: Any) -> str:
            return str(self.name.partition("-")[2])

        _Info.verb = verb
        _Info.noun = noun
    net_type(SMA + short, base=SMA + "CommandInfo")(_Info)
    cls.net_type = _Info.net_type  # type: ignore[attr-defined]


for _cls, _class_name in (
    (commands.CmdletInfo, "CmdletInfo"),
    (commands.FunctionInfo, "FunctionInfo"),
    (commands.AliasInfo, "AliasInfo"),
    (commands.ApplicationInfo, "ApplicationInfo"),
    (commands.ExternalScriptInfo, "ExternalScriptInfo"),
    (commands.ScriptInfo, "ScriptInfo"),
):
    _command_type(_cls, _class_name)


# ---------------------------------------------------------------------------------------------------------- variables


@net_type(SMA + "PSVariable", python=Variable, base="System.Object")
class PSVariableType:
    @ctor("(String)")
    def new(name: str) -> Variable:
        return Variable(name)

    @ctor("(String,Object)")
    def new_with_value(name: str, value: Any) -> Variable:
        return Variable(name, value)

    @prop("Name : String get")
    def name(self: Any) -> str:
        return str(self.name)

    @prop("Value : Object")
    def value(self: Any) -> Any:
        return self.value

    @value.setter
    def value(self: Any, new: Any) -> None:
        self.assign(new)

    @prop("Description : String")
    def description(self: Any) -> str:
        return str(self.description)

    @description.setter
    def description(self: Any, text: str) -> None:
        self.description = text

    @prop("Options : Management.Automation.ScopedItemOptions")
    def options(self: Any) -> Any:
        kind = get_type(SMA + "ScopedItemOptions")
        value = (
            (1 if self.read_only else 0)
            | (2 if self.constant else 0)
            | (4 if self.private else 0)
            | (8 if "AllScope" in self.options else 0)
        )
        return kind.enum(value)

    @prop("Attributes : Object get")
    def attributes(self: Any) -> Any:
        return PSArray(self.attributes)

    @prop("ModuleName : String get")
    def module(self: Any) -> str:
        return ""

    @prop("Visibility : Management.Automation.SessionStateEntryVisibility")
    def visibility(self: Any) -> str:
        return "Public"


from winlab.powershell.dotnet.core import _python_types  # noqa: E402
from winlab.powershell.runtime.scopes import DynamicVariable  # noqa: E402

_python_types[DynamicVariable] = get_type(SMA + "PSVariable")


def default_parameter_dictionary() -> Hashtable:
    """``$PSDefaultParameterValues``."""
    return Hashtable()


@net_type(SMA + "PSBoundParametersDictionary", base="System.Collections.Generic.Dictionary`2<String,Object>")
class _BoundParameters(PSBoundParametersDictionary):
    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self)

    @prop("Keys : Object get")
    def key_list(self) -> Any:
        return PSArray(self.keys())

    @prop("Values : Object get")
    def value_list(self) -> Any:
        return PSArray(self.values())

    @method("ContainsKey(String) : Boolean")
    def contains_key(self, key: str) -> bool:
        return key in self

    @method("Contains(String) : Boolean")
    def contains(self, key: str) -> bool:
        return key in self

    @method("Add(String,Object) : Void")
    def add(self, key: str, value: Any) -> None:
        if key in self:
            raise NetException("System.ArgumentException", "An item with the same key has already been added.")
        self[key] = value

    @method("Remove(String) : Boolean")
    def remove_key(self, key: str) -> bool:
        return self.remove(key)

    @method("Clear() : Void")
    def clear_all(self) -> None:
        self.clear()

    @method("GetEnumerator() : Object")
    def enumerate_entries(self) -> Any:
        from winlab.powershell.dotnet import collections as dotnet_collections

        kinds = (get_type("System.String"), get_type("System.Object"))
        return PSArray(
            [dotnet_collections.make(dotnet_collections.KeyValuePair, *kinds, key=k, value=v) for k, v in self.items()]
        )

    @method("TryGetValue(String,Object&) : Boolean")
    def try_get(self, key: str, into: Any) -> bool:
        found = key in self
        into.value = self.get(key)
        return found


PSBoundParametersDictionary.net_type = _BoundParameters.net_type


# ----------------------------------------------------------------------------------------------------------- $PSCmdlet


class ScriptCmdlet(NetObject):
    """``$PSCmdlet``."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor


@net_type(SMA + "PSScriptCmdlet", base="System.Object")
class _ScriptCmdlet(ScriptCmdlet):
    @prop("MyInvocation : Object get")
    def invocation(self) -> Any:
        return self.processor.invocation

    @prop("ParameterSetName : String get")
    def parameter_set(self) -> str:
        return self.processor.binder.chosen if self.processor.binder is not None else "__AllParameterSets"

    @prop("CommandRuntime : Object get")
    def command_runtime(self) -> Any:
        return self

    @prop("CommandOrigin : Management.Automation.CommandOrigin get")
    def origin(self) -> str:
        return "Runspace"

    @prop("SessionState : Object get")
    def session_state(self) -> Any:
        return SessionStateObject(current())

    @prop("Host : Object get")
    def host(self) -> Any:
        return host_object(current())

    @prop("InvokeCommand : Object get")
    def invoke_command(self) -> Any:
        return InvokeCommand(current())

    @prop("Stopping : Boolean get")
    def stopping(self) -> bool:
        return current().stopping

    @method("WriteObject(Object) : Void")
    def write_object(self, value: Any) -> None:
        self.processor.write(value)

    @method("WriteObject(Object,Boolean) : Void")
    def write_objects(self, value: Any, enumerate_it: bool) -> None:
        if enumerate_it:
            current().enumerate_into(value, self.processor.write)
        else:
            self.processor.write(value)

    @method("WriteError(Management.Automation.ErrorRecord) : Void")
    def write_error(self, record: ErrorRecord) -> None:
        self.processor.write_error(record)

    @method("WriteWarning(String) : Void")
    def write_warning(self, text: str) -> None:
        self.processor.write_warning(text)

    @method("WriteVerbose(String) : Void")
    def write_verbose(self, text: str) -> None:
        self.processor.write_verbose(text)

    @method("WriteDebug(String) : Void")
    def write_debug(self, text: str) -> None:
        self.processor.write_debug(text)

    @method("WriteInformation(Object,String[]) : Void")
    def write_information(self, data: Any, tags: Any) -> None:
        record = commands.InformationRecord(data)
        record.tags = list(tags or [])
        self.processor.write_information(record)

    @method("WriteProgress(Object) : Void")
    def write_progress(self, record: Any) -> None:
        """Progress is shown nowhere."""

    @method("ThrowTerminatingError(Management.Automation.ErrorRecord) : Void")
    def throw_terminating(self, record: ErrorRecord) -> NoReturn:
        self.processor.decorate(record)
        raise LeaveFunction(record, self.processor)

    @method("ShouldProcess(String) : Boolean")
    def should_process(self, target: str) -> bool:
        return self.processor.should_process(target, self.processor.info.name)

    @method("ShouldProcess(String,String) : Boolean")
    def should_process_action(self, target: str, action: str) -> bool:
        return self.processor.should_process(target, action)

    @method("ShouldProcess(String,String,String) : Boolean")
    def should_process_verbose(self, description: str, warning: str, caption: str) -> bool:
        return self.processor.should_process_text(description)

    @method("ShouldContinue(String,String) : Boolean")
    def should_continue(self, query: str, caption: str) -> bool:
        raise LabUnsupported(f"a question of ShouldContinue ({query}): there is nobody to answer")

    @method("GetVariableValue(String) : Object")
    def variable_value(self, name: str) -> Any:
        return current().get_variable(name)

    @method("GetUnresolvedProviderPathFromPSPath(String) : String")
    def unresolved(self, path: str) -> str:
        runtime = current()
        return str(runtime.machine.fs.resolve(path, runtime.file_location))

    @method("GetResolvedProviderPathFromPSPath(String,Object&) : Object")
    def resolved(self, path: str, provider: Any) -> Any:
        raise LabUnsupported("PSCmdlet.GetResolvedProviderPathFromPSPath")


ScriptCmdlet.net_type = _ScriptCmdlet.net_type


class LeaveFunction(TerminatingError):
    """ThrowTerminatingError of an advanced function: unwinds to its caller, whose statement fails."""

    def __init__(self, record: ErrorRecord, processor: Any) -> None:
        super().__init__(record)
        self.leave = processor


# ----------------------------------------------------------------------------------------------- host, session state


class HostObject(NetObject):
    """``$Host``."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


class HostUI(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


class RawUI(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


@net_type(SMA + "Internal.Host.InternalHost", base="System.Object")
class _HostObject(HostObject):
    @prop("Name : String get")
    def name(self) -> str:
        return getattr(self.runtime.host, "name", None) or (
            "ConsoleHost" if self.runtime.host is not None else "Default Host"
        )

    @prop("Version : Version get")
    def version(self) -> Any:
        from winlab.powershell.runtime.setup import version_table

        return version_table(self.runtime)["PSVersion"]

    @prop("InstanceId : Guid get")
    def instance(self) -> Any:
        from winlab.powershell.runtime.invoke import call_static

        table = self.runtime.process_state
        if "host-id" not in table:
            table["host-id"] = call_static(get_type("System.Guid"), "NewGuid", [])
        return table["host-id"]

    @prop("UI : Object get")
    def ui(self) -> Any:
        return HostUI(self.runtime)

    @prop("CurrentCulture : Globalization.CultureInfo get")
    def culture(self) -> Any:
        return conversion.convert("en-US", get_type("System.Globalization.CultureInfo"))

    @prop("CurrentUICulture : Globalization.CultureInfo get")
    def ui_culture(self) -> Any:
        return conversion.convert("en-US", get_type("System.Globalization.CultureInfo"))

    @prop("Runspace : Object get")
    def runspace(self) -> Any:
        from winlab.powershell.runtime.hosting import _current_runspace

        return _current_runspace(self.runtime)

    @prop("IsRunspacePushed : Boolean get")
    def pushed(self) -> bool:
        return False

    @prop("PrivateData : Object get")
    def private_data(self) -> Any:
        return None

    @method("SetShouldExit(Int32) : Void")
    def set_should_exit(self, code: int) -> None:
        host = self.runtime.host
        if host is not None and hasattr(host, "set_should_exit"):
            host.set_should_exit(code)


HostObject.net_type = _HostObject.net_type


@net_type(SMA + "Internal.Host.InternalHostUserInterface", base="System.Object")
class _HostUI(HostUI):
    @prop("RawUI : Object get")
    def raw(self) -> Any:
        return RawUI(self.runtime)

    @method("Write(String) : Void")
    def write(self, text: str) -> None:
        self.show(text, False)

    @method("WriteLine(String) : Void")
    def write_line(self, text: str) -> None:
        self.show(text, True)

    @method("WriteLine() : Void")
    def write_empty_line(self) -> None:
        self.show("", True)

    @method("WriteErrorLine(String) : Void")
    def write_error_line(self, text: str) -> None:
        if self.runtime.host is not None:
            self.runtime.host.write_error(text)

    @method("WriteWarningLine(String) : Void")
    def write_warning_line(self, text: str) -> None:
        if self.runtime.host is not None:
            self.runtime.host.write_warning(text)

    @method("WriteVerboseLine(String) : Void")
    def write_verbose_line(self, text: str) -> None:
        if self.runtime.host is not None:
            self.runtime.host.write_verbose(text)

    @method("WriteDebugLine(String) : Void")
    def write_debug_line(self, text: str) -> None:
        if self.runtime.host is not None:
            self.runtime.host.write_debug(text)

    @method("ReadLine() : String")
    def read_line(self) -> Any:
        if self.runtime.host is None:
            return None
        return self.runtime.host.read_line()

    def show(self, text: str, newline: bool) -> None:
        if self.runtime.host is not None:
            self.runtime.host.write_host(text, newline)


HostUI.net_type = _HostUI.net_type
HostUI.show = _HostUI.show  # type: ignore[attr-defined]


@net_type(SMA + "Internal.Host.InternalHostRawUserInterface", base="System.Object")
class _RawUI(RawUI):
    @prop("BufferSize : Object")
    def buffer(self) -> Any:
        return PSCustomObject.of(
            [("Width", getattr(self.runtime.host, "buffer_width", 120)), ("Height", 3000)], SMA + "Host.Size"
        )

    @buffer.setter
    def buffer(self, value: Any) -> None:
        """A console without a window keeps its size."""

    @prop("WindowSize : Object")
    def window(self) -> Any:
        return PSCustomObject.of(
            [("Width", getattr(self.runtime.host, "buffer_width", 120)), ("Height", 50)], SMA + "Host.Size"
        )

    @window.setter
    def window(self, value: Any) -> None:
        """As with the buffer."""

    @prop("WindowTitle : String")
    def title(self) -> str:
        return str(self.runtime.process_state.get("title", "Windows PowerShell"))

    @title.setter
    def title(self, value: str) -> None:
        self.runtime.process_state["title"] = value


RawUI.net_type = _RawUI.net_type


def host_object(runtime: Any) -> Any:
    found = runtime.state.get("host-object")
    if found is None:
        found = runtime.state["host-object"] = HostObject(runtime)
    return found


class PathInfo(NetObject):
    """A location (``$PWD``, Get-Location)."""

    def __init__(self, path: str, provider_path: str | None = None, drive: Any = None, provider: Any = None) -> None:
        self.path = path
        self.provider_path = provider_path if provider_path is not None else path
        self.drive = drive
        self.provider = provider


@net_type(SMA + "PathInfo", base="System.Object")
class _PathInfo(PathInfo):
    @prop("Path : String get")
    def path_of(self) -> str:
        return self.path

    @prop("ProviderPath : String get")
    def provider_path_of(self) -> str:
        return self.provider_path

    @prop("Drive : Object get")
    def drive_of(self) -> Any:
        return self.drive

    @prop("Provider : Object get")
    def provider_of(self) -> Any:
        return self.provider

    @method("ToString() : String")
    def text(self) -> str:
        return self.path


PathInfo.net_type = _PathInfo.net_type


def path_info(runtime: Any) -> PathInfo:
    """The current location as ``$PWD`` shows it."""
    hook = runtime.providers.get("path-info")
    if hook is not None:
        return hook(runtime, runtime.location)
    return PathInfo(runtime.location)


class EngineIntrinsics(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


class SessionStateObject(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


class PathIntrinsics(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


class VariableIntrinsics(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


class InvokeCommand(NetObject):
    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime


@net_type(SMA + "EngineIntrinsics", base="System.Object")
class _Engine(EngineIntrinsics):
    @prop("SessionState : Object get")
    def session_state(self) -> Any:
        return SessionStateObject(self.runtime)

    @prop("InvokeCommand : Object get")
    def invoke_command(self) -> Any:
        return InvokeCommand(self.runtime)

    @prop("Host : Object get")
    def host(self) -> Any:
        return host_object(self.runtime)


@net_type(SMA + "SessionState", base="System.Object")
class _SessionState(SessionStateObject):
    @prop("LanguageMode : Management.Automation.PSLanguageMode")
    def language_mode(self) -> str:
        return "FullLanguage"

    @prop("Path : Object get")
    def path(self) -> Any:
        return PathIntrinsics(self.runtime)

    @prop("PSVariable : Object get")
    def variables(self) -> Any:
        return VariableIntrinsics(self.runtime)

    @prop("InvokeCommand : Object get")
    def invoke_command(self) -> Any:
        return InvokeCommand(self.runtime)

    @prop("Module : Object get")
    def module(self) -> Any:
        return self.runtime.frame.session.module


@net_type(SMA + "PathIntrinsics", base="System.Object")
class _Path(PathIntrinsics):
    @prop("CurrentLocation : Object get")
    def location(self) -> Any:
        return path_info(self.runtime)

    @prop("CurrentFileSystemLocation : Object get")
    def file_location(self) -> Any:
        return PathInfo(self.runtime.file_location)

    @method("SetLocation(String) : Object")
    def set_location(self, path: str) -> Any:
        hook = self.runtime.providers.get("set-location")
        if hook is not None:
            hook(self.runtime, path)
        else:
            fs = self.runtime.machine.fs
            full = fs.resolve(path, self.runtime.file_location)
            if not fs.is_dir(full):
                raise NetException(
                    SMA + "ItemNotFoundException",
                    f"Cannot find path '{full}' because it does not exist.",
                    error_id="PathNotFound",
                )
            self.runtime.set_location(full)
        return path_info(self.runtime)

    @method("GetUnresolvedProviderPathFromPSPath(String) : String")
    def unresolved(self, path: str) -> str:
        return str(self.runtime.machine.fs.resolve(path, self.runtime.file_location))

    @method("Combine(String,String) : String")
    def combine(self, parent: str, child: str) -> str:
        return parent.rstrip("\\/") + "\\" + child.lstrip("\\/")


@net_type(SMA + "PSVariableIntrinsics", base="System.Object")
class _Variables(VariableIntrinsics):
    @method("Get(String) : Object")
    def get(self, name: str) -> Any:
        return self.runtime.frame.scope.find(name.lower())

    @method("GetValue(String) : Object")
    def get_value(self, name: str) -> Any:
        return self.runtime.get_variable(name)

    @method("GetValue(String,Object) : Object")
    def get_value_or(self, name: str, default: Any) -> Any:
        return self.runtime.get_variable(name, default)

    @method("Set(String,Object) : Void")
    def set(self, name: str, value: Any) -> None:
        self.runtime.assign_variable(self.runtime.frame.scope, name, value)

    @method("Remove(String) : Void")
    def remove(self, name: str) -> None:
        self.runtime.frame.scope.vars.pop(name.lower(), None)


@net_type(SMA + "CommandInvocationIntrinsics", base="System.Object")
class _Invoke(InvokeCommand):
    @method("ExpandString(String) : String")
    def expand(self, text: str) -> str:
        return expand_string(self.runtime, text)

    @method("InvokeScript(String) : Object")
    def invoke_script(self, text: str) -> Any:
        items: list[Any] = []
        self.runtime.block_into(self.runtime.parse(text), items.append, ())
        return collection(items)

    @method("NewScriptBlock(String) : Management.Automation.ScriptBlock")
    def new_block(self, text: str) -> Any:
        return self.runtime.parse(text)

    @method("GetCommand(String,Management.Automation.CommandTypes) : Object")
    def get_command(self, name: str, kinds: Any) -> Any:
        found = self.runtime.resolve_command(name)
        return found


def expand_string(runtime: Any, text: str) -> str:
    """A text with its variables and subexpressions filled in, as between double quotes."""
    from winlab.powershell.runtime import compiler

    quoted = '@"\n' + text + '\n"@'
    block = runtime.parse(quoted)
    pure = block.ast.end_block.statements[0].get_pure_expression()
    return to_string(compiler.expression(pure)(runtime.frame))


for _plain, _declared in (
    (EngineIntrinsics, _Engine),
    (SessionStateObject, _SessionState),
    (PathIntrinsics, _Path),
    (VariableIntrinsics, _Variables),
    (InvokeCommand, _Invoke),
):
    _plain.net_type = _declared.net_type


def engine_intrinsics(runtime: Any) -> Any:
    return EngineIntrinsics(runtime)


# ------------------------------------------------------------------------------------------------------------- others


@net_type(SMA + "WildcardPattern", base="System.Object")
class WildcardPattern(NetObject):
    pattern = ""
    ignore_case = False

    @ctor("(String)")
    def new(self, pattern: str) -> None:
        self.pattern = pattern
        self.ignore_case = False

    @ctor("(String,Management.Automation.WildcardOptions)")
    def new_with_options(self, pattern: str, options: Any) -> None:
        self.pattern = pattern
        self.ignore_case = bool(options.value & 2)

    @method("IsMatch(String) : Boolean")
    def is_match(self, text: str) -> bool:
        return wildcard.wildcard(self.pattern, self.ignore_case)(text)

    @method("ToWql() : String")
    def wql(self) -> str:
        return self.pattern.replace("*", "%").replace("?", "_")

    @static("ContainsWildcardCharacters(String) : Boolean")
    def contains(text: str) -> bool:
        return wildcard.has_wildcards(text)

    @static("Escape(String) : String")
    def escape(text: str) -> str:
        return wildcard.escape(text)

    @static("Unescape(String) : String")
    def unescape(text: str) -> str:
        return wildcard.unescape(text)

    @static("Get(String,Management.Automation.WildcardOptions) : Management.Automation.WildcardPattern")
    def get(pattern: str, options: Any) -> WildcardPattern:
        made = WildcardPattern()
        made.new_with_options(pattern, options)
        return made


@net_type(SMA + "Language.NullString", base="System.Object")
class NullStringType(NetObject):
    @static_prop("Value : Object get")
    def value() -> Any:
        from winlab.powershell.objects import NullString

        return NullString


@net_type(SMA + "Internal.AutomationNull", base="System.Object")
class AutomationNullType(NetObject):
    @static_prop("Value : Object get")
    def value() -> Any:
        return AutomationNull


@net_type(SMA + "PSCredential", base="System.Object")
class PSCredential(NetObject):
    user_name = ""
    password: Any = None

    @ctor("(String,Security.SecureString)")
    def new(self, user_name: str, password: Any) -> None:
        if not user_name:
            raise NetException(
                SMA + "PSArgumentException",
                'Cannot process argument because the value of argument "userName" is not valid. Change the value of the "userName" '
                "argument and run the operation again.",
            )
        if password is None:
            raise NetException(
                SMA + "PSArgumentNullException",
                'Cannot process argument because the value of argument "password" is null. Change the value of argument "password" to a '
                "non-null value.",
            )
        self.user_name = user_name
        self.password = password

    @prop("UserName : String get")
    def user(self) -> str:
        return self.user_name

    @prop("Password : Security.SecureString get")
    def secret(self) -> Any:
        return self.password

    @method("GetNetworkCredential() : Net.NetworkCredential")
    def network(self) -> Any:
        from winlab.powershell.runtime.invoke import construct

        name = self.user_name
        domain, backslash, short = name.partition("\\")
        args = [short, self.password.text, domain] if backslash else [name, self.password.text]
        return construct(get_type("System.Net.NetworkCredential"), args)


@net_type(SMA + "PSModuleInfo", base="System.Object")
class _ModuleInfo(ModuleInfo):
    @prop("Name : String get")
    def name_of(self) -> str:
        return self.name

    @prop("Path : String get")
    def path_of(self) -> str:
        return self.path

    @prop("ModuleBase : String get")
    def base(self) -> str:
        return folder_of(self.path) if self.path else ""

    @prop("ModuleType : Management.Automation.ModuleType get")
    def module_type(self) -> str:
        return self.kind

    @prop("Version : Version get")
    def version_of(self) -> Any:
        text = self.version if self.version.count(".") else f"{self.version}.0"
        return conversion.convert(text, get_type("System.Version"))

    @prop("ExportedFunctions : Object get")
    def functions(self) -> Any:
        return Hashtable([(f.name, f) for f in self.exported_functions.values()])

    @prop("ExportedCmdlets : Object get")
    def cmdlets(self) -> Any:
        return Hashtable([(c.name, c) for c in self.exported_cmdlets.values()])

    @prop("ExportedVariables : Object get")
    def variables(self) -> Any:
        return Hashtable([(v.name, v) for v in self.exported_variables.values()])

    @prop("ExportedAliases : Object get")
    def aliases(self) -> Any:
        return Hashtable([(a.name, a) for a in self.exported_aliases.values()])

    @prop("ExportedCommands : Object get")
    def commands_of(self) -> Any:
        every = [*self.exported_functions.values(), *self.exported_cmdlets.values(), *self.exported_aliases.values()]
        return Hashtable([(c.name, c) for c in every])

    @prop("SessionState : Object get")
    def state(self) -> Any:
        return SessionStateObject(current())

    @method("Invoke(Management.Automation.ScriptBlock,Object[]) : Object", params=True)
    def invoke(self, block: ScriptBlock, args: Any) -> Any:
        return current().call_block(ScriptBlock(block.ast, self.session, block.file), *args)

    @method("NewBoundScriptBlock(Management.Automation.ScriptBlock) : Management.Automation.ScriptBlock")
    def bound(self, block: ScriptBlock) -> Any:
        return ScriptBlock(block.ast, self.session, block.file)

    @method("ToString() : String")
    def text(self) -> str:
        return self.name


ModuleInfo.net_type = _ModuleInfo.net_type

_declare_type_names()
