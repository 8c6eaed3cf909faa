"""System.Reflection.MethodInfo: a method found by its name and types, called, or bound to a delegate."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import Delegate, PSArray, unwrap

from . import core
from .core import NetType, Overload, get_type, method, net_type, prop, type_of
from .declare import argument, need
from .system import MemberInfo

_UNFIT = "Cannot bind to the target method because its signature or security transparency is not compatible with that of the delegate type."


def delegate_signature(kind: NetType) -> tuple[list[NetType], NetType | None]:
    """The types of a delegate's parameters and of its value, None for void.

    Raises:
        LabUnsupported: the reference list does not tell how it is called.
    """
    entry = core.api_type((kind.definition or kind).full_name)
    line = next((line for line in entry.lines if line.startswith("M Invoke(")), "") if entry else ""
    if not line:
        raise LabUnsupported(f"the signature of the delegate {kind.full_name}")
    head, _, returned = line.removeprefix("M Invoke(").rpartition(") : ")
    known = kind.environment if kind.arguments else {}
    found = None if returned == "Void" else core.resolve_signature_type(returned, known)
    return [core.resolve_signature_type(text, known) for text in core.split_arguments(head) if text], found


def fits(value: NetType, target: NetType) -> bool:
    """By reference conversion only: a number is not boxed by itself."""
    if value is target:
        return True
    if value.is_value_type or target.is_value_type:
        return False
    return bool(target.is_assignable_from(value))


@net_type("System.Reflection.MethodBase")
class MethodBase(MemberInfo):
    """`of` is the type that the method was asked for, `overload` the one signature."""

    member_kind = "Method"

    def __init__(self, of: NetType, overload: Overload) -> None:
        self.of, self.overload = of, overload
        self.member_name = overload.name

    @property
    def types(self) -> list[NetType]:
        known = self.of.environment if self.of.arguments else {}
        return [core.resolve_signature_type(text, known, self.overload.declaring) for text in self.overload.params]

    @prop("IsStatic : Boolean get")
    def is_static(self) -> bool:
        return self.overload.is_static

    @prop("IsPublic : Boolean get")
    def is_public(self) -> bool:
        return True

    @prop("DeclaringType : Type get")
    def declaring_type(self) -> NetType:
        return self.overload.declaring

    @method("Invoke(Object,Object[]) : Object")
    def invoke(self, target: Any, arguments: Any) -> Any:
        given = list(arguments or ())
        if len(given) != len(self.overload.params):
            raise NetException("System.Reflection.TargetParameterCountException", "Parameter count mismatch.")
        if not self.overload.is_static:
            if target is None:
                raise NetException("System.Reflection.TargetException", "Non-static method requires a target.")
            if not self.overload.declaring.is_assignable_from(type_of(target)):
                raise NetException("System.Reflection.TargetException", "Object does not match target type.")
        for value, wanted in zip(given, self.types, strict=True):
            if value is not None and not wanted.is_assignable_from(type_of(value)):
                raise argument(
                    f"Object of type '{type_of(value).full_name}' cannot be converted to type '{wanted.full_name}'."
                )
        try:
            return self._call(target, given)
        except NetException as error:
            raise NetException(
                "System.Reflection.TargetInvocationException",
                "Exception has been thrown by the target of an invocation.",
                error,
            ) from None

    def _call(self, target: Any, arguments: list[Any]) -> Any:
        if self.overload.fn is None:
            raise LabUnsupported(f"the method {self.of.full_name}.{self.overload.name}")
        return self.overload.fn(*arguments) if self.overload.is_static else self.overload.fn(target, *arguments)


@net_type("System.Reflection.MethodInfo")
class MethodInfo(MethodBase):
    """A method."""

    @property
    def returns(self) -> NetType | None:
        text = self.overload.returns
        known = self.of.environment if self.of.arguments else {}
        return None if text == "Void" else core.resolve_signature_type(text, known, self.overload.declaring)

    @prop("ReturnType : Type get")
    def return_type(self) -> NetType:
        return self.returns or get_type("System.Void")

    @method("CreateDelegate(Type) : Delegate")
    def create_delegate(self, kind: NetType) -> Delegate:
        """A static method, or an instance's whose object is the first argument."""
        wanted, returned = self._delegate(kind)
        own = self.types if self.overload.is_static else [self.overload.declaring, *self.types]
        self._check(wanted, returned, own)
        if self.overload.is_static:
            return Delegate(kind, lambda *arguments: self._call(None, list(arguments)))
        return Delegate(kind, lambda target, *arguments: self._call(target, list(arguments)))

    @method("CreateDelegate(Type,Object) : Delegate")
    def create_bound_delegate(self, kind: NetType, target: Any) -> Delegate:
        """An instance's method with its object, or a static one with its first argument."""
        if target is None:
            return self.create_delegate(kind)
        wanted, returned = self._delegate(kind)
        own = self.types
        if self.overload.is_static:
            if not own or not fits(type_of(target), own[0]):
                raise argument(_UNFIT)
            self._check(wanted, returned, own[1:])
            return Delegate(kind, lambda *arguments: self._call(None, [target, *arguments]))
        if not self.overload.declaring.is_assignable_from(type_of(target)):
            raise argument(_UNFIT)
        self._check(wanted, returned, own)
        return Delegate(kind, lambda *arguments: self._call(target, list(arguments)))

    @staticmethod
    def _delegate(kind: NetType) -> tuple[list[NetType], NetType | None]:
        need(kind, "delegateType")
        if not kind.is_delegate or kind.full_name in ("System.Delegate", "System.MulticastDelegate"):
            raise argument("Type must derive from Delegate.", "delegateType")
        return delegate_signature(kind)

    def _check(self, wanted: list[NetType], returned: NetType | None, own: list[NetType]) -> None:
        """What the delegate is given must be what the method takes, and what the method returns what the delegate promises."""
        if len(wanted) != len(own) or not all(fits(given, taken) for given, taken in zip(wanted, own, strict=True)):
            raise argument(_UNFIT)
        mine = self.returns
        if (mine is None) != (returned is None) or (
            mine is not None and returned is not None and not fits(mine, returned)
        ):
            raise argument(_UNFIT)

    @method("ToString() : String")
    def to_text(self) -> str:
        shown = ", ".join(_shown(one) for one in self.types)
        return f"{_shown(self.returns or get_type('System.Void'))} {self.overload.name}({shown})"


def _shown(kind: NetType) -> str:
    """Simple types stand in a signature without their namespace."""
    simple = kind.full_name.startswith("System.") and kind.full_name.count(".") == 1
    return (
        kind.name
        if simple and (kind.is_value_type or kind.full_name == "System.Void") and not kind.is_enum
        else kind.full_name
    )


def find_method(of: NetType, name: str, types: Any = None) -> MethodInfo | None:
    """A public method by its name in the same case, and by its parameters' types where they are given.

    Raises:
        NetException: AmbiguousMatchException, several of that name.
    """
    need(name, "name")
    both = [*of.methods(name), *of.methods(name, is_static=True)]
    found = [MethodInfo(of, one) for one in both if one.name == name and (not one.is_static or one.declaring is of)]
    if types is not None:
        exact = [unwrap(one) for one in (types if isinstance(types, (list, PSArray)) else [types])]
        found = [one for one in found if one.types == exact]
    if len(found) > 1:
        raise NetException("System.Reflection.AmbiguousMatchException", "Ambiguous match found.")
    return found[0] if found else None
