"""The syntax tree of Windows PowerShell 5.1.

Classes and properties are those of System.Management.Automation.Language, the properties in snake_case. Every node has
`extent` (where it stands in the script) and `parent` (set by the parser when the tree is complete).

A few properties are additions for the evaluator's sake and have no counterpart in .NET; they are marked so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import Any, ClassVar

from winlab.powershell.tokens import Extent, TokenFlags, TokenKind

__all__ = ["Extent", "TokenFlags", "TokenKind"]  # completed at the end of the module


# --- enumerations -----------------------------------------------------------------------------------------------------


class StringConstantType(Enum):
    SingleQuoted = 0
    SingleQuotedHereString = 1
    DoubleQuoted = 2
    DoubleQuotedHereString = 3
    BareWord = 4


class RedirectionStream(Enum):
    All = 0
    Output = 1
    Error = 2
    Warning = 3
    Verbose = 4
    Debug = 5
    Information = 6


class SwitchFlags(IntFlag):
    NoFlags = 0
    File = 1
    Regex = 2
    Wildcard = 4
    Exact = 8
    CaseSensitive = 16
    Parallel = 32


class ForEachFlags(IntFlag):
    NoFlags = 0
    Parallel = 1


class TypeAttributes(IntFlag):
    NoFlags = 0
    Class = 1
    Interface = 2
    Enum = 4


class PropertyAttributes(IntFlag):
    NoFlags = 0
    Public = 1
    Private = 2
    Static = 16
    Literal = 32
    Hidden = 64


class MethodAttributes(IntFlag):
    NoFlags = 0
    Public = 1
    Private = 2
    Static = 16
    Hidden = 64


class UsingStatementKind(Enum):
    Assembly = 0
    Command = 1
    Module = 2
    Namespace = 3
    Type = 4


class ConfigurationType(Enum):
    Resource = 0
    Meta = 1


# --- names ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class VariablePath:
    """What stands behind `$`: scope or drive and name, taken apart as PowerShell does."""

    user_path: str
    scope: str | None = None  # addition: "global", "local", "private", "script", "using", "workflow" or None
    drive_name: str | None = None
    unqualified_path: str = ""  # name without scope and drive

    @property
    def is_global(self) -> bool:
        return self.scope == "global"

    @property
    def is_local(self) -> bool:
        return self.scope == "local"

    @property
    def is_private(self) -> bool:
        return self.scope == "private"

    @property
    def is_script(self) -> bool:
        return self.scope == "script"

    @property
    def is_unqualified(self) -> bool:
        return self.scope is None and self.drive_name is None

    @property
    def is_unscoped_variable(self) -> bool:
        return self.is_variable and self.scope is None

    @property
    def is_variable(self) -> bool:
        """True unless the path names an item of a drive ($env:PATH, ${function:f}); `variable:` counts as a drive."""
        return self.drive_name is None

    @property
    def is_drive_qualified(self) -> bool:
        return self.drive_name is not None


@dataclass(slots=True, eq=False)
class TypeName:
    """A plain type name as written, such as `int` or `System.IO.File`."""

    extent: Extent
    name: str
    assembly_name: str | None = None
    is_array: ClassVar[bool] = False
    is_generic: ClassVar[bool] = False

    @property
    def full_name(self) -> str:
        return self.name if self.assembly_name is None else f"{self.name},{self.assembly_name}"

    def __str__(self) -> str:
        return self.full_name


@dataclass(slots=True, eq=False)
class GenericTypeName:
    """`Dictionary[string, int]`."""

    extent: Extent
    type_name: TypeName
    generic_arguments: list[ITypeName]
    is_array: ClassVar[bool] = False
    is_generic: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"{self.type_name.name}[{','.join(a.full_name for a in self.generic_arguments)}]"

    @property
    def assembly_name(self) -> str | None:
        return self.type_name.assembly_name

    @property
    def full_name(self) -> str:
        assembly = self.type_name.assembly_name
        return self.name if assembly is None else f"{self.name},{assembly}"

    def __str__(self) -> str:
        return self.full_name


@dataclass(slots=True, eq=False)
class ArrayTypeName:
    """`int[]`, `int[,]` (rank 2); arrays of arrays nest."""

    extent: Extent
    element_type: ITypeName
    rank: int = 1
    is_array: ClassVar[bool] = True
    is_generic: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"{self.element_type.name}[{',' * (self.rank - 1)}]"

    @property
    def assembly_name(self) -> str | None:
        return self.element_type.assembly_name

    @property
    def full_name(self) -> str:
        assembly = self.assembly_name
        return self.name if assembly is None else f"{self.name},{assembly}"

    def __str__(self) -> str:
        return self.full_name


ITypeName = TypeName | GenericTypeName | ArrayTypeName


# --- the base ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Ast:
    """A node of the tree."""

    extent: Extent
    parent: Ast | None = field(init=False, default=None)

    def children(self) -> Iterator[Ast]:
        """The nodes directly below this one, in the order of their fields."""
        for name in _fields_of(type(self)):
            yield from _nodes_in(getattr(self, name))

    def find_all(self, predicate: Callable[[Ast], bool], search_nested_script_blocks: bool = True) -> list[Ast]:
        """Every node at or below this one for which the predicate holds, in source order of the tree."""
        found: list[Ast] = []
        todo: list[Ast] = [self]
        while todo:
            node = todo.pop()
            if predicate(node):
                found.append(node)
            nested = node is not self and isinstance(node, (ScriptBlockExpressionAst, FunctionDefinitionAst))
            if nested and not search_nested_script_blocks:
                continue
            todo.extend(reversed(list(node.children())))
        return found

    def __repr__(self) -> str:
        parts = [f"{name}={getattr(self, name)!r}" for name in _fields_of(type(self))]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        return self.extent.text


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields_of(cls: type[Ast]) -> tuple[str, ...]:
    names = _FIELDS.get(cls)
    if names is None:
        names = tuple(n for n in cls.__dataclass_fields__ if n not in ("extent", "parent"))
        _FIELDS[cls] = names
    return names


def _nodes_in(value: Any) -> Iterator[Ast]:
    if isinstance(value, Ast):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _nodes_in(item)


class StatementAst(Ast):
    """Anything that can stand as a statement."""

    __slots__ = ()


class PipelineBaseAst(StatementAst):
    """A pipeline or an assignment."""

    __slots__ = ()


class CommandBaseAst(StatementAst):
    """One element of a pipeline; subclasses have `redirections`."""

    __slots__ = ()
    redirections: list[RedirectionAst]


class CommandElementAst(Ast):
    """Anything that can stand in a command: parameters and expressions."""

    __slots__ = ()


class ExpressionAst(CommandElementAst):
    """Anything that has a value."""

    __slots__ = ()


class RedirectionAst(Ast):
    __slots__ = ()


class AttributeBaseAst(Ast):
    __slots__ = ()


class MemberAst(Ast):
    """A member of a class or an enum."""

    __slots__ = ()


# --- errors -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class ErrorStatementAst(PipelineBaseAst):
    kind: TokenKind | None = None
    nested_ast: list[Ast] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class ErrorExpressionAst(ExpressionAst):
    nested_ast: list[Ast] = field(default_factory=list)


# --- script blocks ----------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class ScriptRequirements:
    """What `#requires` lines ask for. Modules and snap-ins as (name, version or None)."""

    required_ps_version: str | None = None
    required_modules: list[Any] = field(default_factory=list)
    required_application_id: str | None = None
    required_assemblies: list[str] = field(default_factory=list)
    is_elevation_required: bool = False
    required_ps_editions: list[str] = field(default_factory=list)
    requires_ps_snap_ins: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class ScriptBlockAst(Ast):
    attributes: list[AttributeAst] = field(default_factory=list)
    using_statements: list[UsingStatementAst] = field(default_factory=list)
    param_block: ParamBlockAst | None = None
    begin_block: NamedBlockAst | None = None
    process_block: NamedBlockAst | None = None
    end_block: NamedBlockAst | None = None
    dynamic_param_block: NamedBlockAst | None = None
    script_requirements: ScriptRequirements | None = None
    is_configuration: bool = False
    is_filter: bool = False  # a filter's only block is its process block
    cache: Any = None  # addition: whatever the evaluator keeps with the script (compiled form)


@dataclass(slots=True, eq=False, repr=False)
class ParamBlockAst(Ast):
    attributes: list[AttributeAst]
    parameters: list[ParameterAst]


@dataclass(slots=True, eq=False, repr=False)
class NamedBlockAst(Ast):
    block_kind: TokenKind  # Begin, Process, End or Dynamicparam
    unnamed: bool  # True for the end (or process) block that is the whole body
    statements: list[StatementAst]
    traps: list[TrapStatementAst]


@dataclass(slots=True, eq=False, repr=False)
class StatementBlockAst(Ast):
    statements: list[StatementAst]
    traps: list[TrapStatementAst]


@dataclass(slots=True, eq=False, repr=False)
class NamedAttributeArgumentAst(Ast):
    argument_name: str
    argument: ExpressionAst
    expression_omitted: bool


@dataclass(slots=True, eq=False, repr=False)
class AttributeAst(AttributeBaseAst):
    type_name: ITypeName
    positional_arguments: list[ExpressionAst]
    named_arguments: list[NamedAttributeArgumentAst]


@dataclass(slots=True, eq=False, repr=False)
class TypeConstraintAst(AttributeBaseAst):
    type_name: ITypeName


@dataclass(slots=True, eq=False, repr=False)
class ParameterAst(Ast):
    attributes: list[AttributeBaseAst]
    name: VariableExpressionAst
    default_value: ExpressionAst | None = None


# --- definitions ------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class FunctionDefinitionAst(StatementAst):
    is_filter: bool
    is_workflow: bool
    name: str
    parameters: list[ParameterAst] | None  # those in `function f($a, $b)`; a param block is in body.param_block
    body: ScriptBlockAst


@dataclass(slots=True, eq=False, repr=False)
class TypeDefinitionAst(StatementAst):
    name: str
    attributes: list[AttributeAst]
    base_types: list[TypeConstraintAst]
    members: list[MemberAst]
    type_attributes: TypeAttributes

    @property
    def is_class(self) -> bool:
        return bool(self.type_attributes & TypeAttributes.Class)

    @property
    def is_enum(self) -> bool:
        return bool(self.type_attributes & TypeAttributes.Enum)

    @property
    def is_interface(self) -> bool:
        return bool(self.type_attributes & TypeAttributes.Interface)


@dataclass(slots=True, eq=False, repr=False)
class PropertyMemberAst(MemberAst):
    name: str
    property_type: TypeConstraintAst | None
    attributes: list[AttributeAst]
    property_attributes: PropertyAttributes
    initial_value: ExpressionAst | None

    @property
    def is_static(self) -> bool:
        return bool(self.property_attributes & PropertyAttributes.Static)

    @property
    def is_hidden(self) -> bool:
        return bool(self.property_attributes & PropertyAttributes.Hidden)


@dataclass(slots=True, eq=False, repr=False)
class FunctionMemberAst(MemberAst):
    function_definition: FunctionDefinitionAst
    attributes: list[AttributeAst]
    return_type: TypeConstraintAst | None
    method_attributes: MethodAttributes

    @property
    def name(self) -> str:
        return self.function_definition.name

    @property
    def parameters(self) -> list[ParameterAst]:
        return self.function_definition.parameters or []

    @property
    def body(self) -> ScriptBlockAst:
        return self.function_definition.body

    @property
    def is_static(self) -> bool:
        return bool(self.method_attributes & MethodAttributes.Static)

    @property
    def is_hidden(self) -> bool:
        return bool(self.method_attributes & MethodAttributes.Hidden)

    @property
    def is_constructor(self) -> bool:
        """True when the name is the class's own."""
        return isinstance(self.parent, TypeDefinitionAst) and self.parent.name.lower() == self.name.lower()


@dataclass(slots=True, eq=False, repr=False)
class ConfigurationDefinitionAst(StatementAst):
    body: ScriptBlockExpressionAst
    configuration_type: ConfigurationType
    instance_name: ExpressionAst


@dataclass(slots=True, eq=False, repr=False)
class DynamicKeywordStatementAst(StatementAst):
    command_elements: list[CommandElementAst]


@dataclass(slots=True, eq=False, repr=False)
class UsingStatementAst(StatementAst):
    using_statement_kind: UsingStatementKind
    name: StringConstantExpressionAst | None = None
    alias: StringConstantExpressionAst | None = None
    module_specification: HashtableAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class DataStatementAst(StatementAst):
    variable: str | None
    commands_allowed: list[ExpressionAst]
    body: StatementBlockAst


# --- statements -------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class IfStatementAst(StatementAst):
    clauses: list[tuple[PipelineBaseAst, StatementBlockAst]]
    else_clause: StatementBlockAst | None = None


class LabeledStatementAst(StatementAst):
    """Loops and switch: `label` (without the colon, or None) and `condition`."""

    __slots__ = ()
    label: str | None
    condition: PipelineBaseAst | None


class LoopStatementAst(LabeledStatementAst):
    """Loops: `body`."""

    __slots__ = ()
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class ForEachStatementAst(LoopStatementAst):
    label: str | None
    flags: ForEachFlags
    throttle_limit: ExpressionAst | None
    variable: VariableExpressionAst
    condition: PipelineBaseAst  # what is enumerated
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class ForStatementAst(LoopStatementAst):
    label: str | None
    initializer: PipelineBaseAst | None
    condition: PipelineBaseAst | None
    iterator: PipelineBaseAst | None
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class DoWhileStatementAst(LoopStatementAst):
    label: str | None
    condition: PipelineBaseAst
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class DoUntilStatementAst(LoopStatementAst):
    label: str | None
    condition: PipelineBaseAst
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class WhileStatementAst(LoopStatementAst):
    label: str | None
    condition: PipelineBaseAst
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class SwitchStatementAst(LabeledStatementAst):
    label: str | None
    condition: PipelineBaseAst
    flags: SwitchFlags
    clauses: list[tuple[ExpressionAst, StatementBlockAst]]
    default: StatementBlockAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class CatchClauseAst(Ast):
    catch_types: list[TypeConstraintAst]
    body: StatementBlockAst

    @property
    def is_catch_all(self) -> bool:
        return not self.catch_types


@dataclass(slots=True, eq=False, repr=False)
class TryStatementAst(StatementAst):
    body: StatementBlockAst
    catch_clauses: list[CatchClauseAst]
    finally_: StatementBlockAst | None = None  # .NET: Finally


@dataclass(slots=True, eq=False, repr=False)
class TrapStatementAst(StatementAst):
    trap_type: TypeConstraintAst | None
    body: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class BreakStatementAst(StatementAst):
    label: ExpressionAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class ContinueStatementAst(StatementAst):
    label: ExpressionAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class ReturnStatementAst(StatementAst):
    pipeline: PipelineBaseAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class ExitStatementAst(StatementAst):
    pipeline: PipelineBaseAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class ThrowStatementAst(StatementAst):
    pipeline: PipelineBaseAst | None = None


@dataclass(slots=True, eq=False, repr=False)
class BlockStatementAst(StatementAst):
    """`parallel { }` and `sequence { }` of workflows."""

    kind: TokenKind
    body: StatementBlockAst


# --- pipelines and commands -------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class PipelineAst(PipelineBaseAst):
    pipeline_elements: list[CommandBaseAst]

    def get_pure_expression(self) -> ExpressionAst | None:
        """The expression, when the pipeline is nothing but one without redirections."""
        if len(self.pipeline_elements) == 1:
            element = self.pipeline_elements[0]
            if isinstance(element, CommandExpressionAst) and not element.redirections:
                return element.expression
        return None


@dataclass(slots=True, eq=False, repr=False)
class AssignmentStatementAst(PipelineBaseAst):
    left: ExpressionAst
    operator: TokenKind  # Equals, PlusEquals, MinusEquals, MultiplyEquals, DivideEquals, RemainderEquals
    right: StatementAst
    error_position: Extent


@dataclass(slots=True, eq=False, repr=False)
class CommandAst(CommandBaseAst):
    command_elements: list[CommandElementAst]  # the first is the name (any expression)
    invocation_operator: TokenKind  # Unknown, Ampersand or Dot
    redirections: list[RedirectionAst] = field(default_factory=list)

    def get_command_name(self) -> str | None:
        """The name, when it is written as a constant."""
        if self.command_elements:
            first = self.command_elements[0]
            if isinstance(first, StringConstantExpressionAst):
                return first.value
        return None


@dataclass(slots=True, eq=False, repr=False)
class CommandExpressionAst(CommandBaseAst):
    expression: ExpressionAst
    redirections: list[RedirectionAst] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class CommandParameterAst(CommandElementAst):
    parameter_name: str  # without the dash and the colon
    argument: ExpressionAst | None  # only in `-Name:value`
    error_position: Extent


@dataclass(slots=True, eq=False, repr=False)
class MergingRedirectionAst(RedirectionAst):
    from_stream: RedirectionStream
    to_stream: RedirectionStream


@dataclass(slots=True, eq=False, repr=False)
class FileRedirectionAst(RedirectionAst):
    from_stream: RedirectionStream
    location: ExpressionAst
    append: bool


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class BinaryExpressionAst(ExpressionAst):
    left: ExpressionAst
    operator: TokenKind
    right: ExpressionAst
    error_position: Extent


@dataclass(slots=True, eq=False, repr=False)
class UnaryExpressionAst(ExpressionAst):
    token_kind: TokenKind  # Not, Exclaim, Bnot, Minus, Plus, Join, Isplit, Csplit, Comma is an ArrayLiteralAst,
    # PlusPlus, MinusMinus, PostfixPlusPlus, PostfixMinusMinus
    child: ExpressionAst


@dataclass(slots=True, eq=False, repr=False)
class AttributedExpressionAst(ExpressionAst):
    attribute: AttributeBaseAst
    child: ExpressionAst


@dataclass(slots=True, eq=False, repr=False)
class ConvertExpressionAst(AttributedExpressionAst):
    """`[int]$x`: attribute is a TypeConstraintAst."""

    @property
    def type(self) -> TypeConstraintAst:
        assert isinstance(self.attribute, TypeConstraintAst)
        return self.attribute


@dataclass(slots=True, eq=False, repr=False)
class MemberExpressionAst(ExpressionAst):
    expression: ExpressionAst
    member: CommandElementAst  # StringConstantExpressionAst for plain names
    static: bool


@dataclass(slots=True, eq=False, repr=False)
class InvokeMemberExpressionAst(MemberExpressionAst):
    arguments: list[ExpressionAst] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class BaseCtorInvokeMemberExpressionAst(InvokeMemberExpressionAst):
    """`: base(...)` of a constructor."""


@dataclass(slots=True, eq=False, repr=False)
class IndexExpressionAst(ExpressionAst):
    target: ExpressionAst
    index: ExpressionAst


@dataclass(slots=True, eq=False, repr=False)
class TypeExpressionAst(ExpressionAst):
    type_name: ITypeName


@dataclass(slots=True, eq=False, repr=False)
class VariableExpressionAst(ExpressionAst):
    variable_path: VariablePath
    splatted: bool


@dataclass(slots=True, eq=False, repr=False)
class ConstantExpressionAst(ExpressionAst):
    value: Any  # int, Int64, decimal.Decimal or float; str in the subclass


@dataclass(slots=True, eq=False, repr=False)
class StringConstantExpressionAst(ConstantExpressionAst):
    string_constant_type: StringConstantType


@dataclass(slots=True, eq=False, repr=False)
class ExpandableStringExpressionAst(ExpressionAst):
    value: str  # the text with its variables unexpanded
    string_constant_type: StringConstantType
    nested_expressions: list[ExpressionAst]
    pieces: list[str | ExpressionAst]  # addition: literal texts and nested expressions in order


@dataclass(slots=True, eq=False, repr=False)
class ArrayLiteralAst(ExpressionAst):
    elements: list[ExpressionAst]


@dataclass(slots=True, eq=False, repr=False)
class ArrayExpressionAst(ExpressionAst):
    sub_expression: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class ParenExpressionAst(ExpressionAst):
    pipeline: PipelineBaseAst


@dataclass(slots=True, eq=False, repr=False)
class SubExpressionAst(ExpressionAst):
    sub_expression: StatementBlockAst


@dataclass(slots=True, eq=False, repr=False)
class HashtableAst(ExpressionAst):
    key_value_pairs: list[tuple[ExpressionAst, StatementAst]]


@dataclass(slots=True, eq=False, repr=False)
class ScriptBlockExpressionAst(ExpressionAst):
    script_block: ScriptBlockAst


@dataclass(slots=True, eq=False, repr=False)
class UsingExpressionAst(ExpressionAst):
    sub_expression: ExpressionAst


__all__ += [name for name, value in list(globals().items()) if isinstance(value, type) and value.__module__ == __name__]
__all__ += ["ITypeName"]
