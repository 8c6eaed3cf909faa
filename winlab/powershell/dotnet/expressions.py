"""System.Linq.Expressions: constants, parameters, and functions of them that are compiled to delegates."""

from __future__ import annotations

from typing import Any

from winlab.powershell.objects import Delegate, NetObject

from .core import NetType, get_type, method, net_type, prop, static, type_of
from .declare import argument, need
from .methods import delegate_signature, fits

SPACE = "System.Linq.Expressions"

Values = dict["ParameterExpression", Any]


@net_type(f"{SPACE}.Expression")
class Expression(NetObject):
    """`kind` is the type of its value."""

    kind: NetType
    node = ""

    def evaluate(self, values: Values) -> Any:
        raise NotImplementedError

    @prop("NodeType : Linq.Expressions.ExpressionType get")
    def node_type(self) -> str:
        return self.node

    @prop("Type : Type get")
    def own_type(self) -> NetType:
        return self.kind

    @static("Constant(Object) : Linq.Expressions.ConstantExpression")
    def constant(value: Any) -> ConstantExpression:
        return ConstantExpression(value, get_type("System.Object") if value is None else type_of(value))

    @static("Constant(Object,Type) : Linq.Expressions.ConstantExpression")
    def constant_of(value: Any, kind: NetType) -> ConstantExpression:
        need(kind, "type")
        if (value is None and kind.is_value_type) or (value is not None and not fits(type_of(value), kind)):
            raise argument("Argument types do not match")
        return ConstantExpression(value, kind)

    @static("Parameter(Type) : Linq.Expressions.ParameterExpression")
    def parameter(kind: NetType) -> ParameterExpression:
        return ParameterExpression(need(kind, "type"), None)

    @static("Parameter(Type,String) : Linq.Expressions.ParameterExpression")
    def parameter_named(kind: NetType, name: str | None) -> ParameterExpression:
        return ParameterExpression(need(kind, "type"), name)

    @static(
        "Lambda(Type,Linq.Expressions.Expression,Linq.Expressions.ParameterExpression[]) : Linq.Expressions.LambdaExpression",
        params=True,
    )
    def function(kind: NetType, body: Expression, parameters: Any) -> LambdaExpression:
        return LambdaExpression(need(kind, "delegateType"), need(body, "body"), list(parameters or ()))


@net_type(f"{SPACE}.ConstantExpression")
class ConstantExpression(Expression):
    node = "Constant"

    def __init__(self, value: Any, kind: NetType) -> None:
        self.content, self.kind = value, kind

    def evaluate(self, values: Values) -> Any:
        return self.content

    @prop("Value : Object get")
    def value(self) -> Any:
        return self.content


@net_type(f"{SPACE}.ParameterExpression")
class ParameterExpression(Expression):
    node = "Parameter"

    def __init__(self, kind: NetType, name: str | None) -> None:
        self.kind, self.own_name = kind, name

    def evaluate(self, values: Values) -> Any:
        return values[self]

    @prop("Name : String get")
    def name(self) -> str | None:
        return self.own_name


@net_type(f"{SPACE}.LambdaExpression")
class LambdaExpression(Expression):
    """A function whose parameters and value are those of its delegate type."""

    node = "Lambda"

    def __init__(self, kind: NetType, body: Expression, parameters: list[ParameterExpression]) -> None:
        if not kind.is_delegate or kind.full_name == "System.MulticastDelegate":
            raise argument("Lambda type parameter must be derived from System.Delegate")
        wanted, self.returns = delegate_signature(kind)
        if len(wanted) != len(parameters):
            raise argument("Incorrect number of parameters supplied for lambda declaration")
        for one, of_delegate in zip(parameters, wanted, strict=True):
            if not fits(of_delegate, need(one, "parameters").kind):
                raise argument(
                    f"ParameterExpression of type '{one.kind.full_name}' cannot be used for delegate parameter of type '{of_delegate.full_name}'"
                )
        if self.returns is not None and not fits(body.kind, self.returns):
            raise argument(
                f"Expression of type '{body.kind.full_name}' cannot be used for return type '{self.returns.full_name}'"
            )
        self.kind, self.content, self.own_parameters = kind, body, parameters

    @prop("Body : Linq.Expressions.Expression get")
    def body(self) -> Expression:
        return self.content

    @prop("ReturnType : Type get")
    def return_type(self) -> NetType:
        return self.returns or get_type("System.Void")

    @method("Compile() : Delegate")
    def compile(self) -> Delegate:
        """Runs on any thread: nothing of PowerShell is in it."""

        def call(*arguments: Any) -> Any:
            value = self.content.evaluate(dict(zip(self.own_parameters, arguments, strict=True)))
            return value if self.returns is not None else None

        return Delegate(self.kind, call)
