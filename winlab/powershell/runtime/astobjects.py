"""System.Management.Automation.Language: the parser and the syntax tree as scripts see them.

The types are made from the classes of ``ast.py`` by rule: a class is a type of the same name and base, a field or property is a property
in PascalCase. What is marked there as an addition for the evaluator has no counterpart here."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from typing import Any

from winlab.powershell import ast, tokens
from winlab.powershell.dotnet.collections import collection_of
from winlab.powershell.dotnet.core import (
    NetProperty,
    NetType,
    get_type,
    method,
    net_enum,
    net_type,
    prop,
    register_dynamic,
    static,
)
from winlab.powershell.errors import SMA, LabUnsupported
from winlab.powershell.objects import NetObject, PSArray, PSReference, ScriptBlock, unwrap
from winlab.powershell.runtime.context import current
from winlab.powershell.runtime.conversion import to_bool, to_string
from winlab.powershell.safevalue import safe_value

LANGUAGE = SMA + "Language."
_ADDITIONS = {"ScriptBlockAst": {"cache"}, "VariablePath": {"scope", "unqualified_path"}}


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


# ----------------------------------------------------------------------------------------------------------------- values


def wrap(value: Any) -> Any:
    """A node, extent, name or list of such as a script sees it."""
    if value is None or (isinstance(value, (str, bool, int, float)) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, enum.Enum):
        return _enum_value(value)
    if isinstance(value, tokens.Extent):
        return extent_object(value)
    if isinstance(value, (list, tuple)):
        return collection_of(get_type("System.Object"), [wrap(item) for item in value])
    kind = _TYPES.get(type(value))
    return SyntaxObject(value, kind) if kind is not None else value


def extent_object(extent: Any) -> Any:
    return ScriptExtent(extent)


def error_object(error: Any) -> Any:
    return ParseErrorObject(error)


def _enum_value(value: enum.Enum) -> Any:
    cls = type(value)
    name = LANGUAGE + cls.__name__
    if cls not in _ENUMS:
        # kinds of tokens carry their text: they are numbered as they stand
        members = {
            m.name if m.name != "NoFlags" else "None": m.value if isinstance(m.value, int) else place
            for place, m in enumerate(cls)
        }
        _ENUMS[cls] = net_enum(name, members, flags=issubclass(cls, enum.Flag))
    return _ENUMS[cls].enum(value.name if value.name and value.name != "NoFlags" else int(value.value))


_ENUMS: dict[type, NetType] = {}
_TYPES: dict[type, NetType] = {}


class SyntaxObject(NetObject):
    """One node of the tree (or a name in it)."""

    def __init__(self, node: Any, kind: NetType) -> None:
        self.node = node
        self.net_type = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SyntaxObject) and other.node is self.node

    def __hash__(self) -> int:
        return id(self.node)

    def __str__(self) -> str:
        return str(self.node)


# ------------------------------------------------------------------------------------------------------------ declarations


@net_type(LANGUAGE + "IScriptExtent", kind="interface")
class _IScriptExtent:
    pass


@net_type(LANGUAGE + "ScriptPosition", base="System.Object")
class ScriptPosition(NetObject):
    def __init__(self, extent: Any, offset: int, line: int, column: int) -> None:
        self.extent = extent
        self.at = offset
        self.line_at = line
        self.column_at = column

    @prop("File : String get")
    def file(self) -> Any:
        return self.extent.file

    @prop("Offset : Int32 get")
    def offset(self) -> int:
        return self.at

    @prop("LineNumber : Int32 get")
    def line_number(self) -> int:
        return self.line_at

    @prop("ColumnNumber : Int32 get")
    def column_number(self) -> int:
        return self.column_at

    @prop("Line : String get")
    def line(self) -> str:
        return str(self.extent.source.line(self.line_at))


@net_type(
    LANGUAGE + "InternalScriptExtent",
    base="System.Object",
    interfaces=(LANGUAGE.removeprefix("System.") + "IScriptExtent",),
)
class ScriptExtent(NetObject):
    def __init__(self, extent: Any) -> None:
        self.extent = extent

    def __str__(self) -> str:
        return str(self.extent.text)

    @prop("File : String get")
    def file(self) -> Any:
        return self.extent.file

    @prop("Text : String get")
    def text(self) -> str:
        return str(self.extent.text)

    @prop("StartOffset : Int32 get")
    def start_offset(self) -> int:
        return int(self.extent.start_offset)

    @prop("EndOffset : Int32 get")
    def end_offset(self) -> int:
        return int(self.extent.end_offset)

    @prop("StartLineNumber : Int32 get")
    def start_line(self) -> int:
        return int(self.extent.start_line_number)

    @prop("StartColumnNumber : Int32 get")
    def start_column(self) -> int:
        return int(self.extent.start_column_number)

    @prop("EndLineNumber : Int32 get")
    def end_line(self) -> int:
        return int(self.extent.end_line_number)

    @prop("EndColumnNumber : Int32 get")
    def end_column(self) -> int:
        return int(self.extent.end_column_number)

    @prop("StartScriptPosition : Object get")
    def start_position(self) -> Any:
        return ScriptPosition(self.extent, self.start_offset, self.start_line, self.start_column)

    @prop("EndScriptPosition : Object get")
    def end_position(self) -> Any:
        return ScriptPosition(self.extent, self.end_offset, self.end_line, self.end_column)


@net_type(LANGUAGE + "ParseError", base="System.Object")
class ParseErrorObject(NetObject):
    def __init__(self, error: Any) -> None:
        self.error = error

    def __str__(self) -> str:
        return str(self.error.message)

    @prop("Extent : Object get")
    def extent(self) -> Any:
        return extent_object(self.error.extent)

    @prop("ErrorId : String get")
    def error_id(self) -> str:
        return str(self.error.error_id)

    @prop("Message : String get")
    def message(self) -> str:
        return str(self.error.message)

    @prop("IncompleteInput : Boolean get")
    def incomplete_input(self) -> bool:
        return bool(self.error.incomplete_input)


@net_type(LANGUAGE + "Token", base="System.Object")
class TokenObject(NetObject):
    def __init__(self, token: Any) -> None:
        self.token = token

    def __str__(self) -> str:
        return str(self.token.text)

    @prop("Text : String get")
    def text(self) -> str:
        return str(self.token.text)

    @prop("Kind : Object get")
    def kind(self) -> Any:
        return _enum_value(self.token.kind)

    @prop("Extent : Object get")
    def extent(self) -> Any:
        return extent_object(self.token.extent)

    @prop("HasError : Boolean get")
    def has_error(self) -> bool:
        return bool(getattr(self.token, "has_error", False))


def _predicate(test: Any) -> Callable[[Any], bool]:
    """A Func<Ast,Boolean>: a delegate, or the script block that it was made of."""
    base = unwrap(test)
    if isinstance(base, ScriptBlock):
        return lambda node: to_bool(current().call_block(base, wrap(node), new_scope=True))
    return lambda node: to_bool(base(wrap(node)))


@net_type(LANGUAGE + "Ast", base="System.Object")
class _AstMembers(SyntaxObject):
    @prop("Extent : Object get")
    def extent(self) -> Any:
        return extent_object(self.node.extent)

    @prop("Parent : Object get")
    def parent(self) -> Any:
        return wrap(self.node.parent)

    @method("FindAll(Object,Boolean) : Object")
    def find_all(self, test: Any, nested: bool) -> Any:
        found = self.node.find_all(_predicate(test), nested)
        return collection_of(get_type("System.Object"), [wrap(node) for node in found])

    @method("Find(Object,Boolean) : Object")
    def find(self, test: Any, nested: bool) -> Any:
        found = self.node.find_all(_predicate(test), nested)
        return wrap(found[0]) if found else None

    @method("Visit(Object) : Void")
    def visit(self, visitor: Any) -> None:
        raise LabUnsupported("Ast.Visit: visitors are classes of compiled code")

    @method("ToString() : String")
    def to_text(self) -> str:
        return str(self.node)

    @method("SafeGetValue() : Object")
    def safe_value(self) -> Any:
        return safe_value(self.node)


@net_type(LANGUAGE + "CommandAst", base=LANGUAGE + "CommandBaseAst")
class _CommandMembers(SyntaxObject):
    @method("GetCommandName() : String")
    def command_name(self) -> Any:
        return self.node.get_command_name()


@net_type(LANGUAGE + "ScriptBlockAst", base=LANGUAGE + "Ast")
class _ScriptBlockMembers(SyntaxObject):
    @method(f"GetScriptBlock() : {SMA}ScriptBlock")
    def script_block(self) -> Any:
        return ScriptBlock(self.node, None, self.node.extent.file)


@net_type(LANGUAGE + "Parser", base="System.Object")
class Parser(NetObject):
    @static("ParseInput(String,Object,Object) : Object")
    def parse_input(text: str, found_tokens: Any, found_errors: Any) -> Any:
        return _parse(text, None, found_tokens, found_errors)

    @static("ParseInput(String,String,Object,Object) : Object")
    def parse_named(text: str, name: str, found_tokens: Any, found_errors: Any) -> Any:
        return _parse(text, name, found_tokens, found_errors)

    @static("ParseFile(String,Object,Object) : Object")
    def parse_file(path: str, found_tokens: Any, found_errors: Any) -> Any:
        return _parse(current().read_text(to_string(path)), path, found_tokens, found_errors)


def _parse(text: str, file: str | None, found_tokens: Any, found_errors: Any) -> Any:
    from winlab.powershell.parser import parse

    tree, token_list, errors = parse(text, file)
    for target, values in (
        (found_tokens, [TokenObject(t) for t in token_list]),
        (found_errors, [ParseErrorObject(e) for e in errors]),
    ):
        reference = unwrap(target)
        if isinstance(reference, PSReference):
            reference.value = PSArray(values)
    return wrap(tree)


# ---------------------------------------------------------------------------------------------------- types from the classes


def _declare(cls: type) -> NetType:
    """The type of a class of ``ast.py``, its base first."""
    if cls in _TYPES:
        return _TYPES[cls]
    base = next((b for b in cls.__mro__[1:] if b is not object and b.__module__ == ast.__name__), None)
    parent = _declare(base) if base is not None else get_type("System.Object")
    name = LANGUAGE + cls.__name__ if cls.__name__ != "VariablePath" else SMA + "VariablePath"
    try:
        made = get_type(name)
    except KeyError:
        made = register_dynamic(NetType(name, "class", parent, "System.Management.Automation"))
    made._base = parent
    if made.cls is None:
        made.cls = SyntaxObject
    _TYPES[cls] = made
    skipped = _ADDITIONS.get(cls.__name__, set())
    names = [n for n in getattr(cls, "__annotations__", {}) if not n.startswith("_") and n not in skipped]
    names += [n for n, v in vars(cls).items() if isinstance(v, property) and n not in skipped]
    for attribute in names:
        if attribute.lower() in made._props or (attribute in ("extent", "parent") and base is None):
            continue
        shown = _pascal(attribute)
        if shown.lower() in made._props:
            continue
        made._props[shown.lower()] = NetProperty(
            shown, "Object", lambda value, a=attribute: wrap(getattr(value.node, a)), None, False, made
        )
    return made


for _cls in list(vars(ast).values()):
    if inspect.isclass(_cls) and _cls.__module__ == ast.__name__ and not issubclass(_cls, enum.Enum):
        _declare(_cls)
