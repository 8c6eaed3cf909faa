"""Classes and enums that scripts define (PowerShell 5), and what ``using`` brings.

Source: "about_Classes", "about_Classes_Methods", "about_Classes_Inheritance", "about_Enum".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from winlab.powershell import ast
from winlab.powershell.dotnet.core import NetProperty, NetType, Overload, get_type
from winlab.powershell.errors import (
    LabUnsupported,
    NetException,
    ReturnException,
    TerminatingError,
    runtime_error,
)
from winlab.powershell.objects import AutomationNull, NetObject
from winlab.powershell.runtime import compiler, conversion, invoke
from winlab.powershell.runtime.scopes import Scope, Variable

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Frame, Runtime


class ScriptObject(NetObject):
    """An instance of a class that a script defined. ``fields`` by lower-case name."""

    def __init__(self, net_type: NetType) -> None:
        self.net_type = net_type
        self.fields: dict[str, Any] = {}

    def __str__(self) -> str:
        return conversion.to_string(invoke.call_method(self, "ToString", []))


class ScriptException(NetException):
    """An instance of a script class that derives from an exception of .NET."""

    fields: dict[str, Any]


def define(runtime: Runtime, frame: Frame, code: Any) -> None:
    """Take ``using`` statements into account and define the types of a script, all names before any body."""
    for using in code.usings:
        _using(runtime, using)
    made: list[ScriptClass] = []
    for node in code.types:
        if node.is_enum:
            _define_enum(runtime, frame, node)
        elif node.is_interface:
            raise LabUnsupported("interfaces in scripts", node.extent)
        else:
            made.append(_declare_class(runtime, frame, node))
    for one in made:
        one.resolve_base()
    for one in made:
        one.build()


def _using(runtime: Runtime, using: ast.UsingStatementAst) -> None:
    kind = using.using_statement_kind.name
    name = str(using.name.value) if using.name is not None else ""
    if kind == "Namespace":
        if name not in runtime.namespaces:
            runtime.namespaces.append(name)
    elif kind == "Assembly":
        runtime.load_assembly(name)
    else:
        raise LabUnsupported(f"using {kind.lower()}", using.extent)


def _define_enum(runtime: Runtime, frame: Frame, node: ast.TypeDefinitionAst) -> None:
    t = NetType(node.name, "enum", get_type("System.Enum"), "PowerShell Class Assembly")
    values: dict[str, int] = {}
    following = 0
    for member in node.members:
        assert isinstance(member, ast.PropertyMemberAst)
        if member.initial_value is not None:
            following = int(
                conversion.convert(compiler.expression(member.initial_value)(frame), get_type("System.Int64"))
            )
        values[member.name] = following
        following += 1
    t._enum_values = values
    t.flags = any(a.type_name.name.lower() in ("flags", "system.flags") for a in node.attributes)
    runtime.script_types[node.name.lower()] = t
    runtime.shared.type_epoch += 1


def _declare_class(runtime: Runtime, frame: Frame, node: ast.TypeDefinitionAst) -> ScriptClass:
    t = NetType(node.name, "class", get_type("System.Object"), "PowerShell Class Assembly")
    made = ScriptClass(runtime, frame, node, t)
    t.script_class = made
    runtime.script_types[node.name.lower()] = t
    runtime.shared.type_epoch += 1
    return made


class ScriptClass:
    """A class of a script: its properties, methods and constructors."""

    def __init__(self, runtime: Runtime, frame: Frame, node: ast.TypeDefinitionAst, net_type: NetType) -> None:
        self.runtime = runtime
        self.frame = frame
        self.node = node
        self.net_type = net_type
        self.name = node.name
        self.base: ScriptClass | None = None
        self.exception = False
        self.constructors: list[ast.FunctionMemberAst] = []
        self.fields: list[ast.PropertyMemberAst] = []
        self.statics: dict[str, Any] = {}

    # -- definition

    def resolve_base(self) -> None:
        for constraint in self.node.base_types:
            found = compiler.resolve_type(self.frame, constraint.type_name, constraint.extent)
            if found.is_interface:
                self.net_type._interfaces.append(found)
                continue
            self.net_type._base = found
            if found.script_class is not None:
                self.base = found.script_class
            elif found.is_subclass_of("System.Exception"):
                self.exception = True
            elif found.full_name != "System.Object":
                raise LabUnsupported(f"a class derived from {found.full_name}", constraint.extent)

    @property
    def derives_exception(self) -> bool:
        return self.exception or (self.base is not None and self.base.derives_exception)

    def build(self) -> None:
        t = self.net_type
        for member in self.node.members:
            if isinstance(member, ast.PropertyMemberAst):
                self._property(member)
            elif isinstance(member, ast.FunctionMemberAst):
                self._method(member)
        self._default_methods()
        if not self.constructors:
            t._ctors.append(Overload(".ctor", [], "", lambda: self.construct(t, []), True, False, t, "()"))
        for member in self.constructors:
            params = [self._parameter_type(p) for p in member.parameters]
            t._ctors.append(Overload(".ctor", params, "", lambda *a: None, True, False, t, f"({','.join(params)})"))
        for member in self.fields:
            if member.is_static:
                self.statics[member.name.lower()] = self._initial(member, None)

    def _type_text(self, constraint: ast.TypeConstraintAst | None) -> NetType:
        if constraint is None:
            return get_type("System.Object")
        return compiler.resolve_type(self.frame, constraint.type_name, constraint.extent)

    def _property(self, member: ast.PropertyMemberAst) -> None:
        t = self.net_type
        key = member.name.lower()
        wanted = self._type_text(member.property_type)
        self.fields.append(member)
        text = wanted.full_name
        _remember(wanted)
        if member.is_static:
            t._static_props[key] = NetProperty(
                member.name,
                text,
                lambda: self.statics.get(key),
                lambda v: self.statics.__setitem__(key, self._checked(member, wanted, v)),
                True,
                t,
            )
        else:
            t._props[key] = NetProperty(
                member.name,
                text,
                lambda o: o.fields.get(key),
                lambda o, v: o.fields.__setitem__(key, self._checked(member, wanted, v)),
                False,
                t,
            )
        if member.is_hidden:
            t.hidden_members = {*getattr(t, "hidden_members", set()), key}  # type: ignore[attr-defined]

    def _checked(self, member: ast.PropertyMemberAst, wanted: NetType, value: Any) -> Any:
        converted = conversion.convert(value, wanted) if wanted.full_name != "System.Object" else value
        if member.attributes:
            from winlab.powershell.runtime.script import make_constraint

            converted = make_constraint(self.frame, list(member.attributes), member.name)(converted)
        return None if converted is AutomationNull else converted

    def _initial(self, member: ast.PropertyMemberAst, instance: Any) -> Any:
        wanted = self._type_text(member.property_type)
        if member.initial_value is None:
            return conversion.default_of(wanted)
        frame = self._own_frame(instance)
        value = compiler.expression(member.initial_value)(frame)
        return self._checked(member, wanted, value)

    def _parameter_type(self, parameter: ast.ParameterAst) -> str:
        for attribute in parameter.attributes:
            if isinstance(attribute, ast.TypeConstraintAst):
                wanted = compiler.resolve_type(self.frame, attribute.type_name, attribute.extent)
                _remember(wanted)
                return wanted.full_name
        return "System.Object"

    def _method(self, member: ast.FunctionMemberAst) -> None:
        if member.is_constructor:
            if member.is_static:
                self.statics[".cctor"] = member
                self._run(member, None, [])
            else:
                self.constructors.append(member)
            return
        t = self.net_type
        params = [self._parameter_type(p) for p in member.parameters]
        returns = self._type_text(member.return_type) if member.return_type is not None else get_type("System.Object")
        is_void = member.return_type is not None and returns.full_name == "System.Void"
        table = t._static_methods if member.is_static else t._methods
        is_static = member.is_static

        def call(*args: Any) -> Any:
            instance, values = (None, args) if is_static else (args[0], args[1:])
            result = self._run(member, instance, list(values))
            if is_void:
                return AutomationNull
            if returns.full_name != "System.Object":
                return conversion.convert(None if result is AutomationNull else result, returns)
            return None if result is AutomationNull else result

        _remember(returns)
        table.setdefault(member.name.lower(), []).append(
            Overload(
                member.name, params, "Void" if is_void else returns.full_name, call, is_static, False, t, member.name
            )
        )

    def _default_methods(self) -> None:
        t = self.net_type
        if "tostring" not in t._methods and self.base is None and not self.derives_exception:
            t._methods["tostring"] = [
                Overload("ToString", [], "String", lambda o: o.net_type.name, False, False, t, "ToString()")
            ]
        if "equals" not in t._methods and self.base is None:
            t._methods["equals"] = [
                Overload(
                    "Equals", ["Object"], "Boolean", lambda o, other: o is other, False, False, t, "Equals(Object)"
                )
            ]

    # -- instances

    def construct(self, t: NetType, args: Sequence[Any]) -> Any:
        """``[Class]::new(...)``."""
        if self.derives_exception:
            instance: Any = ScriptException(self.name, f"Exception of type '{self.name}' was thrown.")
            instance._net_type = t
            instance.fields = {}
        else:
            instance = ScriptObject(t)
        self._initialise(instance)
        self._construct(instance, args)
        return instance

    def _initialise(self, instance: Any) -> None:
        if self.base is not None:
            self.base._initialise(instance)
        for member in self.fields:
            if not member.is_static:
                instance.fields[member.name.lower()] = None
        for member in self.fields:
            if not member.is_static:
                instance.fields[member.name.lower()] = self._initial(member, instance)

    def _construct(self, instance: Any, args: Sequence[Any]) -> None:
        if not self.constructors:
            if args:
                raise runtime_error(
                    "MethodCountCouldNotFindBest",
                    f'Cannot find an overload for "{self.name}" and the argument count: "{len(args)}".',
                    kind="MethodException",
                    category="NotSpecified",
                )
            self._construct_base(instance, [])
            return
        member, values = self._pick(args)
        call = _base_call(member)
        try:
            self._run(
                member,
                instance,
                values,
                before=lambda frame: self._construct_base(instance, [compiler.expression(a)(frame) for a in call]),
            )
        except (NetException, TerminatingError) as error:
            if getattr(error, "leave", None) is not None:
                raise
            inner = error.record.exception if isinstance(error, TerminatingError) else error
            raise NetException(
                "System.Management.Automation.MethodInvocationException",
                f'Exception calling ".ctor" with "{len(args)}" argument(s): "{inner.message}"',
                inner,
                error_id=inner.error_id or inner.short_name,
            ) from None

    def _construct_base(self, instance: Any, args: Sequence[Any]) -> None:
        if self.base is not None:
            self.base._construct(instance, args)
        elif self.exception and args:
            instance.message = conversion.to_string(args[0])
            instance.args = (instance.message,)
            if len(args) > 1 and isinstance(args[1], NetException):
                instance.inner = args[1]

    def _pick(self, args: Sequence[Any]) -> tuple[ast.FunctionMemberAst, list[Any]]:
        overloads = []
        for i, member in enumerate(self.constructors):
            params = [self._parameter_type(p) for p in member.parameters]
            overloads.append(Overload(".ctor", params, "", lambda i=i: i, True, False, self.net_type, ""))
        group = invoke.MethodGroup(self.net_type, ".ctor", overloads, True)
        choice = group.choose(args)
        index = overloads.index(choice.shape.overload)
        return self.constructors[index], group.convert(choice, args)

    # -- running

    def _own_frame(self, instance: Any) -> Any:
        from winlab.powershell.runtime.engine import Frame

        session = self.frame.session
        frame = Frame(self.runtime, Scope(session.top, session), self.runtime.frame)
        frame.this = instance
        frame.file = self.frame.file
        frame.scope.frame = frame
        if instance is not None:
            frame.scope.vars["this"] = Variable("this", instance)
        return frame

    def _run(self, member: ast.FunctionMemberAst, instance: Any, args: list[Any], before: Any = None) -> Any:
        """The body of a method: only ``return`` gives a value, errors unwind."""
        runtime = self.runtime
        frame = self._own_frame(instance)
        frame.name = member.name
        frame.call_extent = None
        for parameter, value in zip(member.parameters, args, strict=False):
            frame.scope.put(parameter.name.variable_path.unqualified_path, value)
        body = _method_body(member)
        saved = (runtime.frame, runtime.streams, runtime.propagate)
        runtime.frame = frame
        runtime.propagate = True  # a method has no statement-terminating errors: they leave it
        runtime.depth += 1
        if runtime.depth > runtime.max_depth:
            runtime.depth -= 1
            runtime.frame, runtime.streams, runtime.propagate = saved
            raise runtime.depth_overflow()
        runtime.check()
        result: list[Any] = []
        try:
            if before is not None:
                before(frame)
            body(frame, _Returns(result))
        except ReturnException:
            pass
        finally:
            runtime.depth -= 1
            runtime.frame, runtime.streams, runtime.propagate = saved
        return compiler.collected(result)


class _Returns:
    """Output inside a method goes nowhere; what ``return`` puts out is kept."""

    def __init__(self, result: list[Any]) -> None:
        self.result = result

    def __call__(self, value: Any) -> None:
        """Dropped."""


def _method_body(member: ast.FunctionMemberAst) -> Any:
    cached = member.body.cache
    if cached is None:
        block = member.body.end_block
        cached = member.body.cache = compiler.statement_block(block) if block is not None else (lambda frame, out: None)
    return cached


def _base_call(member: ast.FunctionMemberAst) -> list[ast.ExpressionAst]:
    """The arguments of ``: base(...)``; the call itself is the first statement of the body."""
    block = member.body.end_block
    if block is None or not block.statements:
        return []
    first = block.statements[0]
    pure = first.expression if isinstance(first, ast.CommandExpressionAst) else None
    if pure is None and isinstance(first, ast.PipelineAst):
        pure = first.get_pure_expression()
    if isinstance(pure, ast.BaseCtorInvokeMemberExpressionAst):
        return pure.arguments
    return []


def _remember(t: NetType) -> None:
    """Types of scripts are found by full name when signatures are resolved."""
    from winlab.powershell.dotnet import core

    base = t
    while base.element_type is not None:
        base = base.element_type
    if base.script_class is not None or base.assembly == "PowerShell Class Assembly":
        core._types[base.full_name] = base
    elif t.definition is not None and t.full_name not in core._types:
        core._types[t.full_name] = t


__all__ = ["ScriptClass", "ScriptException", "ScriptObject", "define"]
