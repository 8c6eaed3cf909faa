"""Script blocks compiled: their parameters as the binder knows them, and their named blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from winlab.powershell import ast
from winlab.powershell.commands import core as declaration
from winlab.powershell.commands.core import ALL_SETS, CommandMetadata, ParameterInfo, SetInfo
from winlab.powershell.dotnet.core import NetType, get_type
from winlab.powershell.errors import LabUnsupported, NetException, ReturnException
from winlab.powershell.objects import (
    AutomationNull,
    ByteArray,
    Char,
    PSArray,
    SwitchParameter,
    unwrap,
)
from winlab.powershell.runtime import compiler, conversion
from winlab.powershell.runtime.conversion import to_bool, to_string

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Frame

SWITCH = "System.Management.Automation.SwitchParameter"


class ScriptCode:
    """One script block, ready to run."""

    def __init__(self, tree: ast.ScriptBlockAst, parameters: list[ast.ParameterAst] | None = None) -> None:
        self.tree = tree
        block = tree.param_block
        self.parameter_nodes: list[ast.ParameterAst] = list(
            parameters or (block.parameters if block is not None else [])
        )
        self.attribute_nodes: list[ast.AttributeAst] = list(block.attributes) if block is not None else []
        if tree.dynamic_param_block is not None:
            self.dynamic = True
        else:
            self.dynamic = False
        self.begin = _body(tree.begin_block)
        self.process = _body(tree.process_block)
        self.end = _body(tree.end_block)
        self.types = [
            s
            for b in (tree.begin_block, tree.process_block, tree.end_block)
            if b
            for s in b.statements
            if isinstance(s, ast.TypeDefinitionAst)
        ]
        self.usings = tree.using_statements
        self.simple = not self.parameter_nodes and not self.attribute_nodes

    def prepare(self, frame: Frame) -> ScriptMetadata:
        """The parameters, their types resolved where the script block is used.

        Runspaces share trees and what is compiled of them (see `parser.parse`), not this: a class of one is no type of another.
        """
        if self.simple:
            return _SIMPLE
        runtime = frame.runtime
        found: ScriptMetadata | None = runtime.prepared.get(self)
        if found is None or found.epoch != runtime.type_epoch:
            found = runtime.prepared[self] = _build_metadata(self, frame)
            found.epoch = runtime.type_epoch
        return found


class ScriptMetadata(CommandMetadata):
    """What a script block takes, in one runspace."""

    def __init__(self) -> None:
        super().__init__("", cmdlet_binding=False)
        self.order: list[ParameterInfo] = []
        self.epoch = -1


_SIMPLE = ScriptMetadata()


def _body(block: ast.NamedBlockAst | None) -> Callable[[Any, Callable[[Any], None]], None] | None:
    if block is None:
        return None
    run = compiler.statement_block(block)

    def body(frame: Any, out: Callable[[Any], None]) -> None:
        try:
            run(frame, out)
        except ReturnException:
            pass

    return body


def function_parameters(tree: ast.ScriptBlockAst) -> list[ast.ParameterAst] | None:
    """The parameters between the parentheses of ``function f($a)``."""
    parent = tree.parent
    if isinstance(parent, ast.FunctionDefinitionAst):
        return parent.parameters
    return None


# ----------------------------------------------------------------------------------------------------------- attributes


def _attribute_name(node: ast.AttributeBaseAst) -> str:
    name = node.type_name.name.lower()  # type: ignore[attr-defined]
    for prefix in ("system.management.automation.",):
        name = name.removeprefix(prefix)
    return name.removesuffix("attribute")


def _arguments(node: ast.AttributeAst, frame: Frame) -> tuple[list[Any], dict[str, Any]]:
    positional = [compiler.expression(a)(frame) for a in node.positional_arguments]
    named = {
        a.argument_name.lower(): True if a.expression_omitted else compiler.expression(a.argument)(frame)
        for a in node.named_arguments
    }
    return positional, named


# Attributes that a script may carry without any effect on how it runs.
_WITHOUT_EFFECT = frozenset(
    [
        "outputtype",
        "alias",
        "argumentcompleter",
        "supportswildcards",
        "psdefaultvalue",
        "diagnostics.codeanalysis.suppressmessage",
        "suppressmessage",
        "system.diagnostics.codeanalysis.suppressmessage",
        "pstypename",
        "obsolete",
        "credential",
        "system.obsolete",
        "hidden",
        "validatedrive",
        "dontshow",
        "validateuserdrive",
    ]
)


def _build_metadata(code: ScriptCode, frame: Frame) -> ScriptMetadata:
    metadata = ScriptMetadata()
    for node in code.attribute_nodes:
        name = _attribute_name(node)
        if name == "cmdletbinding":
            _, named = _arguments(node, frame)
            metadata.cmdlet_binding = True
            metadata.default_set = to_string(named.get("defaultparametersetname", ALL_SETS)) or ALL_SETS
            metadata.supports_should_process = to_bool(named.get("supportsshouldprocess", False))
            metadata.confirm_impact = to_string(named.get("confirmimpact", "Medium"))
            metadata.positional_binding = to_bool(named.get("positionalbinding", True))
    order: list[ParameterInfo] = []
    for parameter_node in code.parameter_nodes:
        info, is_advanced = _parameter(parameter_node, frame)
        if is_advanced:
            metadata.cmdlet_binding = True
        order.append(info)
        metadata.parameters[info.name.lower()] = info
    for info in order:
        _finish_types(info, metadata.cmdlet_binding)
    _positions(order, metadata)
    metadata.order = order
    if metadata.cmdlet_binding:
        metadata.add_common()
    return metadata


def _positions(order: list[ParameterInfo], metadata: CommandMetadata) -> None:
    explicit = any(role.position is not None for info in order for role in info.sets.values())
    if explicit or not metadata.positional_binding:
        return
    position = 0
    for info in order:
        if info.is_switch or any(role.remaining for role in info.sets.values()):
            if not info.is_switch and not metadata.cmdlet_binding:
                pass
            continue
        for role in info.sets.values():
            role.position = position
        position += 1


def _parameter(node: ast.ParameterAst, frame: Frame) -> tuple[ParameterInfo, bool]:
    name = node.name.variable_path.unqualified_path
    info = ParameterInfo(name)
    info.extent = node.extent
    advanced = False
    validators: list[declaration.Validator] = []
    types: list[NetType] = []
    for attribute in node.attributes:
        if isinstance(attribute, ast.TypeConstraintAst):
            types.append(compiler.resolve_type(frame, _constraint_name(attribute), attribute.extent))
            continue
        assert isinstance(attribute, ast.AttributeAst)
        kind = _attribute_name(attribute)
        positional, named = _arguments(attribute, frame)
        if kind == "parameter":
            advanced = True
            _role(info, named)
        elif kind == "alias":
            info.aliases = tuple(to_string(a) for a in positional)
        elif kind == "allownull":
            info.allow_null = True
        elif kind == "allowemptystring":
            info.allow_empty_string = True
        elif kind == "allowemptycollection":
            info.allow_empty_collection = True
        elif kind in _VALIDATORS:
            validators.append(_VALIDATORS[kind](positional, named))
        elif kind not in _WITHOUT_EFFECT:
            raise LabUnsupported(f"the attribute [{attribute.type_name.name}]", attribute.extent)
    info.validators = tuple(validators)
    info.resolved = types[0] if types else get_type("System.Object")
    info.attributes = tuple(types)
    if not info.sets:
        info.sets[ALL_SETS] = SetInfo()
    if node.default_value is not None:
        info.default_code = compiler.expression(node.default_value)
    return info, advanced


def _constraint_name(node: ast.TypeConstraintAst) -> Any:
    return node.type_name


def _role(info: ParameterInfo, named: dict[str, Any]) -> None:
    set_name = to_string(named.get("parametersetname", ALL_SETS)) or ALL_SETS
    position = named.get("position")
    role = SetInfo(
        None if position is None or int(position) < 0 else int(position),
        to_bool(named.get("mandatory", False)),
        to_bool(named.get("valuefrompipeline", False)),
        to_bool(named.get("valuefrompipelinebypropertyname", False)),
        to_bool(named.get("valuefromremainingarguments", False)),
        to_string(named.get("helpmessage", "")),
    )
    info.dont_show = to_bool(named.get("dontshow", False))
    info.sets[set_name] = role


def _validate_set(positional: list[Any], named: dict[str, Any]) -> declaration.Validator:
    return declaration.ValidateSet(
        *[to_string(p) for p in positional], ignore_case=to_bool(named.get("ignorecase", True))
    )


_VALIDATORS: dict[str, Callable[[list[Any], dict[str, Any]], declaration.Validator]] = {
    "validateset": _validate_set,
    "validaterange": lambda p, n: declaration.ValidateRange(p[0], p[1]),
    "validatelength": lambda p, n: declaration.ValidateLength(int(p[0]), int(p[1])),
    "validatecount": lambda p, n: declaration.ValidateCount(int(p[0]), int(p[1])),
    "validatepattern": lambda p, n: declaration.ValidatePattern(
        to_string(p[0]), to_string(n.get("options", "IgnoreCase"))
    ),
    "validatescript": lambda p, n: declaration.ValidateScript(p[0]),
    "validatenotnull": lambda p, n: declaration.ValidateNotNull(),
    "validatenotnullorempty": lambda p, n: declaration.ValidateNotNullOrEmpty(),
}


def _finish_types(info: ParameterInfo, cmdlet_binding: bool) -> None:
    types: tuple[NetType, ...] = info.attributes
    info.attributes = tuple(_converter(t, cmdlet_binding) for t in types if t.full_name != "System.Object")


def _converter(t: NetType, cmdlet_binding: bool) -> Callable[[Any], Any]:
    name = t.full_name
    if name == "System.String":

        def text(value: Any) -> Any:
            base = unwrap(value)
            if cmdlet_binding and type(base) in (PSArray, ByteArray):
                raise conversion.cast_error(
                    "InvalidCastFromAnyTypeToString", "Cannot convert value to type System.String."
                )
            return conversion.convert(value, t)

        return text
    if name in ("System.Boolean", SWITCH):

        def truth(value: Any) -> Any:
            base = unwrap(value)
            is_number = isinstance(base, (bool, int, float)) or type(base).__name__ == "Decimal"
            if base is None or isinstance(base, Char) or not (is_number or isinstance(base, SwitchParameter)):
                shown = "" if base is None else to_string(value)
                raise conversion.cast_error(
                    "InvalidBooleanArgument",
                    f'Cannot convert value "{shown}" to type "{name}". Boolean parameters accept only Boolean values and numbers, '
                    "such as $True, $False, 1 or 0.",
                )
            return conversion.convert(value, t)

        return truth
    return lambda value: conversion.cast(value, t)


def make_constraint(frame: Frame, attributes: list[ast.AttributeBaseAst], name: str) -> Callable[[Any], Any]:
    """What ``[int]$x`` or ``[ValidateRange(1, 5)]$x`` does to each value that is assigned."""
    steps: list[Callable[[Any], Any]] = []
    runtime = frame.runtime
    for attribute in reversed(attributes):
        if isinstance(attribute, ast.TypeConstraintAst):
            lower = attribute.type_name.full_name.lower()
            if lower in ("ordered", "pscustomobject") or lower == "ref":
                continue
            t = compiler.resolve_type(frame, attribute.type_name, attribute.extent)
            steps.append(lambda value, t=t: conversion.cast(value, t))  # type: ignore[misc]
        elif isinstance(attribute, ast.AttributeAst):
            kind = _attribute_name(attribute)
            if kind in _VALIDATORS:
                steps.append(_validation(_VALIDATORS[kind](*_arguments(attribute, frame)), name, runtime))
            elif kind not in _WITHOUT_EFFECT:
                raise LabUnsupported(f"the attribute [{attribute.type_name.name}]", attribute.extent)

    def constraint(value: Any) -> Any:
        for step in steps:
            value = _transformed(step, value)
        return value

    return constraint


def _transformed(step: Callable[[Any], Any], value: Any) -> Any:
    """A value that a typed variable does not take is a failed argument transformation."""
    try:
        return step(value)
    except NetException as error:
        if error.type_name != "System.Management.Automation.PSInvalidCastException":
            raise
        raise NetException(
            "System.Management.Automation.ArgumentTransformationMetadataException",
            error.message,
            error,
            error_id="RuntimeException",
            category="MetadataError",
        ) from None


def _validation(validator: declaration.Validator, name: str, runtime: Any) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        try:
            if validator.each and conversion.is_enumerable(value):
                for item in conversion.iterate(value):
                    validator.check(item, runtime)
            else:
                validator.check(value, runtime)
        except declaration.ValidationError:
            raise NetException(
                "System.Management.Automation.ValidationMetadataException",
                f"The variable cannot be validated because the value {to_string(value)} is not a valid value for the {name} variable.",
                error_id="ValidateSetFailure",
                category="MetadataError",
            ) from None
        return value

    return check


def parameter_constraint(info: ParameterInfo, runtime: Any) -> Callable[[Any], Any] | None:
    """The lasting constraint of a typed parameter's variable."""
    if not info.attributes and not info.validators:
        return None
    types = info.attributes

    def constraint(value: Any) -> Any:
        if value is AutomationNull:
            value = None
        if info.resolved is not None and types:
            resolved = info.resolved
            if resolved.full_name != "System.Object":
                value = _transformed(lambda v: conversion.convert(v, resolved), value)
        for validator in info.validators:
            value = _validation(validator, info.name, runtime)(value)
        return value

    return constraint


def unbound_default(info: ParameterInfo) -> Any:
    """The value of a parameter that was not given and has no default."""
    t = info.net_type
    name = t.full_name
    if name == SWITCH:
        return SwitchParameter(False)
    if name == "System.String":
        return ""
    if name == "System.Boolean":
        return False
    if name in conversion.NUMERIC_TYPES or name == "System.Char":
        return conversion._from_null(t)
    return None
