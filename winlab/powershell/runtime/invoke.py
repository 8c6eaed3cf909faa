"""Calling .NET members: which overload PowerShell picks, how it converts the arguments, and what its failures look like.

The ranking follows the engine's documented order of conversions: identity, assignable, numeric widening, ... down to ToString(); the overload whose
arguments convert better wins, the more specific parameter types break ties, then the smaller number of parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from winlab.powershell.dotnet.core import (
    NetIndexer,
    NetProperty,
    NetType,
    Overload,
    get_type,
    resolve_signature_type,
    type_of,
)
from winlab.powershell.errors import LabUnsupported, NetException, TerminatingError, runtime_error
from winlab.powershell.objects import (
    BYTES,
    AutomationNull,
    ByteArray,
    Char,
    Dictionary,
    MultiArray,
    NetObject,
    NullString,
    PSArray,
    PSCustomObject,
    PSObject,
    PSReference,
    Single,
)
from winlab.powershell.runtime import conversion
from winlab.powershell.runtime.conversion import INTEGER_CLASSES, NUMERIC_TYPES, convert

NONE = 0
UNRELATED_ARRAYS = 0x0F
TO_STRING = 0x1F
ICONVERTIBLE = 0x3F
IMPLICIT_CAST = 0x4F
CONSTRUCTOR = 0x6F
CREATE = 0x73
PARSE = 0x7F
PSOBJECT = 0x8F
LANGUAGE = 0x9F
NULL_TO_VALUE = 0xAF
NULL_TO_REF = 0xBF
NUMERIC_EXPLICIT = 0xCF
NUMERIC_STRING = 0xEF
NUMERIC_IMPLICIT = 0xFF
ASSIGNABLE = 0x10F
STRING_TO_CHARS = 0x11A
IDENTITY = 0x11F

# Widening conversions of C# between numbers (PowerShell's NumericImplicit).
_WIDENING: dict[str, frozenset[str]] = {
    "System.SByte": frozenset(["Int16", "Int32", "Int64", "Single", "Double", "Decimal"]),
    "System.Byte": frozenset(["Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Single", "Double", "Decimal"]),
    "System.Int16": frozenset(["Int32", "Int64", "Single", "Double", "Decimal"]),
    "System.UInt16": frozenset(["Int32", "UInt32", "Int64", "UInt64", "Single", "Double", "Decimal"]),
    "System.Int32": frozenset(["Int64", "Single", "Double", "Decimal"]),
    "System.UInt32": frozenset(["Int64", "UInt64", "Single", "Double", "Decimal"]),
    "System.Int64": frozenset(["Single", "Double", "Decimal"]),
    "System.UInt64": frozenset(["Single", "Double", "Decimal"]),
    "System.Single": frozenset(["Double"]),
    "System.Double": frozenset(),
    "System.Decimal": frozenset(),
}

_STRING_LANGUAGE = frozenset(
    {
        "System.Text.RegularExpressions.Regex",
        "System.Type",
        "System.Char",
        "System.Management.Automation.ScriptBlock",
        "System.Uri",
        "System.Xml.XmlDocument",
    }
)

_rank_cache: dict[tuple[NetType | None, NetType], int] = {}


def type_rank(source: NetType | None, target: NetType) -> int:
    """How well values of a type convert to another (0: not at all). ``source`` None is null."""
    key = (source, target)
    rank = _rank_cache.get(key)
    if rank is None:
        rank = _rank_cache[key] = _type_rank(source, target)
    return rank


def _type_rank(source: NetType | None, target: NetType) -> int:
    name = target.full_name
    if source is None:
        if target.is_value_type:
            nullable = target.definition is not None and target.definition.full_name == "System.Nullable`1"
            if nullable:
                return NULL_TO_REF
            return NULL_TO_VALUE if name in NUMERIC_TYPES or name in ("System.Boolean", "System.Char") else NONE
        return NULL_TO_REF
    if source is target:
        return IDENTITY
    if name == "System.Management.Automation.PSObject":
        return PSOBJECT
    if target.is_assignable_from(source):
        return ASSIGNABLE
    if target.definition is not None and target.definition.full_name == "System.Nullable`1":
        return type_rank(source, target.arguments[0])
    from_name = source.full_name
    if from_name in NUMERIC_TYPES:
        if name in NUMERIC_TYPES:
            return NUMERIC_IMPLICIT if name[7:] in _WIDENING[from_name] else NUMERIC_EXPLICIT
        if name == "System.String":
            return NUMERIC_STRING
        if name == "System.Char":
            return ICONVERTIBLE
    if from_name == "System.String":
        if name in NUMERIC_TYPES:
            return NUMERIC_STRING
        if target.is_array and target.element_type is not None:
            if target.element_type.full_name == "System.Char":
                return STRING_TO_CHARS
        elif target.is_enum or name in _STRING_LANGUAGE:
            return LANGUAGE
    if name == "System.Boolean":
        return LANGUAGE
    if name == "System.Void":
        return NONE
    if target.is_enum:
        return LANGUAGE if from_name in INTEGER_CLASSES or source.is_array else ICONVERTIBLE if source.is_enum else NONE
    if source.is_enum and name in NUMERIC_TYPES:
        return NUMERIC_EXPLICIT
    if from_name in ("System.Boolean", "System.Char") and name in NUMERIC_TYPES:
        return LANGUAGE if from_name == "System.Boolean" else ICONVERTIBLE
    if target.is_array and target.element_type is not None:
        if source.is_array:
            return UNRELATED_ARRAYS
        if _enumerable_type(source):
            return UNRELATED_ARRAYS
        element = type_rank(source, target.element_type)
        return element - 8 if element else NONE
    if name == "System.Array":
        return ASSIGNABLE - 8
    if source.is_array and _wants_collection(target):
        return CONSTRUCTOR
    if target.is_delegate and source.definition is not None and source.definition is target.definition:
        return LANGUAGE if same_delegate(source, target) else NONE
    if target.is_delegate:
        return LANGUAGE if from_name == "System.Management.Automation.ScriptBlock" else NONE
    if name == "System.String":
        return TO_STRING
    if name == "System.Management.Automation.PSReference":
        return LANGUAGE
    return _created_rank(source, target)


def same_delegate(source: NetType, target: NetType) -> bool:
    """Whether a delegate fits where a generic method asks for one: unbound type parameters (Object here) take any type."""
    return source.definition is target.definition and all(
        wanted is given or wanted.full_name == "System.Object"
        for given, wanted in zip(source.arguments, target.arguments, strict=True)
    )


def _enumerable_type(t: NetType) -> bool:
    return t.cls is not None and hasattr(t.cls, "__iter__") and not issubclass(t.cls, (Dictionary, str))


def _wants_collection(target: NetType) -> bool:
    definition = target.definition
    return definition is not None and definition.full_name in (
        "System.Collections.Generic.IEnumerable`1",
        "System.Collections.Generic.ICollection`1",
        "System.Collections.Generic.IList`1",
        "System.Collections.Generic.IReadOnlyList`1",
        "System.Collections.Generic.IReadOnlyCollection`1",
    )


def _created_rank(source: NetType, target: NetType) -> int:
    if source.full_name == "System.String" and any(
        o.params == ["String"] or o.params == ["String", "IFormatProvider"] for o in target.methods("parse", True)
    ):
        return PARSE
    if target.cls is not None and hasattr(target.cls, "convert_from"):
        return IMPLICIT_CAST
    for overload in target.ctors():
        if len(overload.params) == 1 and overload.fn is not None:
            try:
                parameter = resolve_signature_type(overload.params[0], target.environment, target)
            except KeyError:
                continue
            if parameter.is_assignable_from(source) or (
                source.is_array and (parameter.is_array or _wants_collection(parameter))
            ):
                return CONSTRUCTOR
    if source.full_name in ("System.Collections.Hashtable", "System.Management.Automation.PSCustomObject") and any(
        not o.params for o in target.ctors()
    ):
        return CREATE
    return NONE


def value_type(value: Any) -> NetType | None:
    """The type an argument counts as; None for null."""
    if value is None or value is AutomationNull:
        return None
    if value is NullString:
        return get_type("System.String")
    return type_of(value)


def argument_rank(value: Any, target: NetType) -> int:
    """How well a value converts to a parameter type."""
    return type_rank(value_type(value), target)


# ------------------------------------------------------------------------------------------------------ overloads


class _Shape:
    """An overload's parameter types, resolved for a (closed) type."""

    __slots__ = ("by_ref", "element", "overload", "types")

    def __init__(self, overload: Overload, types: list[NetType], by_ref: list[bool]) -> None:
        self.overload = overload
        self.types = types
        self.by_ref = by_ref
        self.element = types[-1].element_type if overload.is_params and types else None


def _shape(overload: Overload, t: NetType) -> _Shape | None:
    types = []
    for text in overload.params:
        try:
            types.append(resolve_signature_type(text, _environment(overload, t), overload.declaring))
        except KeyError:
            return None
    return _Shape(overload, types, [text.endswith("&") for text in overload.params])


def _environment(overload: Overload, t: NetType) -> dict[str, NetType]:
    if t.arguments:
        return t.environment
    for base in t.bases():
        if base.definition is overload.declaring:
            return base.environment
    return {}


class _Choice:
    __slots__ = ("adapt", "converters", "expanded", "fn", "shape")

    def __init__(self, shape: _Shape, types: list[NetType], expanded: bool, adapt: Any) -> None:
        self.shape = shape
        self.expanded = expanded
        self.converters = types
        self.fn = shape.overload.fn
        self.adapt = adapt


class MethodGroup:
    """All overloads of one name on one type, with the choices already made for argument types."""

    __slots__ = ("choices", "is_static", "name", "shapes", "type")

    def __init__(self, t: NetType, name: str, overloads: Sequence[Overload], is_static: bool) -> None:
        self.type = t
        self.name = name
        self.is_static = is_static
        self.shapes = [s for s in (_shape(o, t) for o in overloads) if s is not None]
        self.choices: dict[tuple[Any, ...], _Choice] = {}

    def choose(self, args: Sequence[Any]) -> _Choice:
        key = tuple([value_type(a) for a in args])
        choice = self.choices.get(key)
        if choice is None:
            choice = self._choose(args)
            self.choices[key] = choice
        return choice

    def _choose(self, args: Sequence[Any]) -> _Choice:
        count = len(args)
        shapes = self.shapes
        if len(shapes) == 1 and shapes[0].element is None and len(shapes[0].types) == count:
            return self._made(shapes[0], shapes[0].types, False)
        candidates: list[tuple[_Shape, list[NetType], bool, list[int]]] = []
        for shape in shapes:
            found = self._candidate(shape, args, count)
            if found is not None:
                candidates.append(found)
        if not candidates:
            raise self._no_overload(count)
        best = [candidates[0]]
        for candidate in candidates[1:]:
            result = _compare(candidate, best[0], args)
            if result > 0:
                best = [candidate]
            elif result == 0:
                best.append(candidate)
        if len(best) > 1:
            implemented = [c for c in best if c[0].overload.fn is not None]
            best = implemented or best
        shape, types, expanded, _ = best[0]
        return self._made(shape, types, expanded)

    def _candidate(
        self, shape: _Shape, args: Sequence[Any], count: int
    ) -> tuple[_Shape, list[NetType], bool, list[int]] | None:
        types = shape.types
        if shape.element is None:
            if len(types) != count:
                return None
            ranks = self._ranks(shape, types, args)
            return None if ranks is None else (shape, types, False, ranks)
        if count < len(types) - 1:
            return None
        if count == len(types):
            as_array = argument_rank(args[-1], types[-1])
            as_element = argument_rank(args[-1], shape.element)
            if as_array >= as_element and as_array:
                ranks = self._ranks(shape, types, args)
                return None if ranks is None else (shape, types, False, ranks)
        expanded = types[:-1] + [shape.element] * (count - len(types) + 1)
        ranks = self._ranks(shape, expanded, args)
        return None if ranks is None else (shape, expanded, True, ranks)

    @staticmethod
    def _ranks(shape: _Shape, types: list[NetType], args: Sequence[Any]) -> list[int] | None:
        ranks = []
        for i, (value, t) in enumerate(zip(args, types, strict=True)):
            if i < len(shape.by_ref) and shape.by_ref[i]:
                if not isinstance(value, PSReference):
                    return None
                ranks.append(LANGUAGE)
                continue
            if isinstance(value, PSReference) and t.full_name != "System.Management.Automation.PSReference":
                value = value.value
            rank = argument_rank(value, t)
            if rank == NONE:
                return None
            ranks.append(rank)
        return ranks

    def _made(self, shape: _Shape, types: list[NetType], expanded: bool) -> _Choice:
        overload = shape.overload
        return _Choice(shape, types, expanded, result_adapter(overload.returns, overload, self.type))

    def _no_overload(self, count: int) -> NetException:
        if self.name == ".ctor":
            return runtime_error(
                "MethodCountCouldNotFindBest",
                f'Cannot find an overload for "{self.type.name.partition("`")[0]}" and the argument count: "{count}".',
                kind="MethodException",
                category="NotSpecified",
            )
        return runtime_error(
            "MethodCountCouldNotFindBest",
            f'Cannot find an overload for "{self.name}" and the argument count: "{count}".',
            kind="MethodException",
            category="NotSpecified",
        )

    # -- the call

    def call(self, target: Any, args: Sequence[Any]) -> Any:
        """Choose, convert, call; failures come as PowerShell's MethodException and MethodInvocationException."""
        choice = self.choose(args)
        fn = choice.fn
        if fn is None:
            raise LabUnsupported(self._unsupported(choice.shape.overload))
        converted = self.convert(choice, args)
        try:
            if self.is_static:
                result = fn(*converted)
            else:
                result = fn(target, *converted)
        except NetException as error:
            raise self.failure(error, len(args)) from None
        except TerminatingError as error:
            if getattr(error, "leave", None) is not None or getattr(error, "by_preference", False):
                raise
            raise self.failure(error.record.exception, len(args), error.record) from None
        adapt = choice.adapt
        return result if adapt is None else adapt(result)

    def _unsupported(self, overload: Overload) -> str:
        where = self.type.full_name.partition("[")[0]
        if overload.name == ".ctor":
            return f"the constructor {where}({','.join(overload.params)})"
        return f"the method {where}.{overload.name}({','.join(overload.params)})"

    def convert(self, choice: _Choice, args: Sequence[Any]) -> list[Any]:
        converted = []
        by_ref = choice.shape.by_ref
        for i, (value, t) in enumerate(zip(args, choice.converters, strict=True)):
            if i < len(by_ref) and by_ref[i]:
                if not isinstance(value, PSReference):
                    raise runtime_error(
                        "NonRefArgumentToRefParameterMsg",
                        f"Argument: '{i + 1}' should be a System.Management.Automation.PSReference. Use [ref].",
                        kind="MethodException",
                        category="NotSpecified",
                    )
                converted.append(value)
                continue
            try:
                converted.append(convert_argument(value, t))
            except NetException as error:
                reason = error.message
                raise NetException(
                    "System.Management.Automation.MethodException",
                    f'Cannot convert argument "{i}", with value: "{conversion.to_string(value)}", for '
                    f'"{self._shown_name}" to type "{t.full_name}": "{reason}"',
                    error,
                    error_id="MethodArgumentConversionInvalidCastArgument",
                ) from None
        if choice.expanded:
            fixed = len(choice.shape.types) - 1
            element = choice.shape.element
            assert element is not None
            converted[fixed:] = [conversion.make_array(converted[fixed:], element)]
        return converted

    @property
    def _shown_name(self) -> str:
        return self.type.name if self.name == ".ctor" else self.name

    def failure(self, error: NetException, count: int, record: Any = None) -> NetException:
        made = NetException(
            "System.Management.Automation.MethodInvocationException",
            f'Exception calling "{self.name}" with "{count}" argument(s): "{error.message}"',
            error,
            error_id=error.short_name,
        )
        return made


def _compare(
    one: tuple[_Shape, list[NetType], bool, list[int]],
    two: tuple[_Shape, list[NetType], bool, list[int]],
    args: Sequence[Any],
) -> int:
    """Above 0: the first overload is better, below: the second, 0: neither."""
    better = 0
    multiplier = len(args)
    for i, (a, b) in enumerate(zip(one[3], two[3], strict=True)):
        if a < b:
            better -= multiplier
        elif a > b:
            better += multiplier
        elif a == UNRELATED_ARRAYS:
            better += multiplier * _compare_elements(one[1][i], two[1][i], args[i])
        multiplier -= 1
    if better == 0:
        multiplier = len(args)
        for i, (a, b) in enumerate(zip(one[3], two[3], strict=True)):
            if a >= NULL_TO_VALUE and b >= NULL_TO_VALUE and (a >= NUMERIC_IMPLICIT) == (b >= NUMERIC_IMPLICIT):
                forward = type_rank(one[1][i], two[1][i])
                backward = type_rank(two[1][i], one[1][i])
                if a >= NUMERIC_IMPLICIT:
                    better += multiplier * ((forward > backward) - (forward < backward))
                else:
                    better -= multiplier * ((forward > backward) - (forward < backward))
            multiplier -= 1
    if better == 0:
        better = _specificity(one[1], two[1])
    if better == 0 and one[2] != two[2]:
        better = -1 if one[2] else 1
    if better == 0 and one[2] and two[2]:
        better = len(one[0].types) - len(two[0].types)
    return better


def _compare_elements(a: NetType, b: NetType, value: Any) -> int:
    elements = [t.element_type for t in (a, b)]
    if elements[0] is None or elements[1] is None:
        return (elements[0] is not None) - (elements[1] is not None)
    source = type_of(value).element_type if value is not None else None
    if source is None:
        return 0
    one, two = type_rank(source, elements[0]), type_rank(source, elements[1])
    return (one > two) - (one < two)


def _specificity(a: list[NetType], b: list[NetType]) -> int:
    one = two = False
    for x, y in zip(a, b, strict=True):
        if x is y:
            continue
        if y.is_assignable_from(x):
            one = True
        elif x.is_assignable_from(y):
            two = True
    return (one and not two) - (two and not one)


def convert_argument(value: Any, t: NetType) -> Any:
    """An argument as the parameter's type: null stays null for references and becomes an empty string for String."""
    if value is AutomationNull:
        value = None
    name = t.full_name
    if name == "System.Object":
        if type(value) is PSObject:
            return value.base if not isinstance(value, PSCustomObject) else value
        return None if value is NullString else value
    if value is None:
        if name == "System.String":
            return ""
        if not t.is_value_type:
            return None
    if value is NullString:
        return None
    if isinstance(value, PSReference) and name != "System.Management.Automation.PSReference":
        value = value.value
    if _wants_collection(t):
        base = value.base if type(value) is PSObject else value
        if isinstance(base, (PSArray, ByteArray)) and not t.is_assignable_from(type_of(base)):
            return convert(base, t.arguments[0].array)
    return convert(value, t)


# --------------------------------------------------------------------------------------------------------- results


def result_adapter(returns: str, overload: Overload, t: NetType) -> Callable[[Any], Any] | None:
    """What turns a plain Python result into the declared return type; None when nothing is to be done."""
    return type_adapter(returns, _environment(overload, t), overload.declaring)


_adapters: dict[tuple[str, int], Callable[[Any], Any] | None] = {}


def type_adapter(text: str, environment: dict[str, NetType], near: NetType) -> Callable[[Any], Any] | None:
    """As :func:`result_adapter`, for any type text."""
    key = (text, id(near)) if not environment else None
    if key is not None and key in _adapters:
        return _adapters[key]
    made = _type_adapter(text, environment, near)
    if key is not None:
        _adapters[key] = made
    return made


def _type_adapter(text: str, environment: dict[str, NetType], near: NetType) -> Callable[[Any], Any] | None:
    text = text.removesuffix(" get").removesuffix(" set").removesuffix(" get")
    if text in ("Void", "void"):
        return lambda value: AutomationNull
    try:
        t = resolve_signature_type(text, environment, near)
    except KeyError:
        return None
    name = t.full_name
    if name == "System.Byte":
        return lambda value: BYTES[value] if type(value) is int and 0 <= value < 256 else value
    if name in INTEGER_CLASSES and name != "System.Int32":
        cls = INTEGER_CLASSES[name]
        return lambda value: cls(value) if type(value) is int else value
    if name == "System.Char":
        return lambda value: Char(value) if type(value) is str else value
    if name == "System.Single":
        return lambda value: Single(value) if type(value) is float else value
    if name == "System.Double":
        return lambda value: float(value) if type(value) is int else value
    if t.is_enum:
        return lambda value: t.enum(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else value
    if t.is_array and t.element_type is not None:
        element = t.element_type
        if element.full_name == "System.Byte":
            return lambda value: ByteArray(value) if type(value) in (bytes, bytearray, list, tuple) else value
        return lambda value: PSArray(value, element) if type(value) in (list, tuple) else value
    return None


# ------------------------------------------------------------------------------------------------------ entry points

_groups: dict[tuple[NetType, str, bool], MethodGroup | None] = {}


def method_group(t: NetType, name: str, is_static: bool = False) -> MethodGroup | None:
    """The method of a type by name (any case), None when the type has none of that name, real or declared."""
    key = (t, name.lower(), is_static)
    if key in _groups:
        return _groups[key]
    overloads = t.methods(name, is_static)
    group = MethodGroup(t, overloads[0].name, overloads, is_static) if overloads else None
    _groups[key] = group
    return group


def call_method(target: Any, name: str, args: Sequence[Any]) -> Any:
    """Call an instance method of .NET by name."""
    t = type_of(target)
    if type(target) is PSObject:
        target = target.base
    group = method_group(t, name)
    if group is None:
        raise method_not_found(t, name)
    return group.call(target, args)


def call_static(t: NetType, name: str, args: Sequence[Any]) -> Any:
    """Call a static method of .NET by name."""
    group = method_group(t, name, True)
    if group is None:
        raise method_not_found(t, name)
    return group.call(None, args)


def method_not_found(t: NetType, name: str) -> NetException:
    return runtime_error(
        "MethodNotFound",
        f"Method invocation failed because [{t.full_name if '`' not in t.full_name else conversion.type_display(t)}] "
        f"does not contain a method named '{name}'.",
    )


def _is_exception(t: NetType) -> bool:
    return t.is_subclass_of("System.Exception")


_ctor_groups: dict[NetType, MethodGroup] = {}


def construct(t: NetType, args: Sequence[Any]) -> Any:
    """A new object; failures as for ``[type]::new(...)``."""
    if t.script_class is not None:
        return t.script_class.construct(t, args)
    if t.is_array:
        return _construct_array(t, args)
    if t.cls is None:
        return _construct_undeclared(t, args)
    if t.kind == "struct" and not args and not any(not o.params for o in t.ctors()):
        return construct_default(t)
    group = _ctor_groups.get(t)
    if group is None:
        group = _ctor_groups[t] = MethodGroup(t, ".ctor", t.ctors(), True)
    if not group.shapes:
        if t.is_subclass_of("System.Exception"):
            return _construct_exception(t, args)
        raise runtime_error(
            "MethodCountCouldNotFindBest" if t.ctors() else "MethodNotFound",
            f'Cannot find an overload for "{t.name}" and the argument count: "{len(args)}".',
            kind="MethodException",
            category="NotSpecified",
        )
    choice = group.choose(args)
    fn = choice.fn
    if fn is None:
        if _is_exception(t):
            return _construct_exception(t, args)
        raise LabUnsupported(group._unsupported(choice.shape.overload))
    converted = group.convert(choice, args)
    try:
        if t.python is not None or not issubclass(t.cls, NetObject):
            return fn(*converted)
        made = t.cls.__new__(t.cls)
        if t.definition is not None:
            made.net_type = t
        result = fn(made, *converted)
        return made if result is None else result
    except NetException as error:
        raise group.failure(error, len(args)) from None
    except TerminatingError as error:
        raise group.failure(error.record.exception, len(args)) from None


def construct_default(t: NetType) -> Any:
    """The zero value of a struct."""
    for overload in t.ctors():
        if not overload.params and overload.fn is not None:
            return construct(t, [])
    default = getattr(t.cls, "default", None)
    if default is not None:
        return default()
    if t.full_name in NUMERIC_TYPES or t.full_name in ("System.Boolean", "System.Char"):
        return False if t.full_name == "System.Boolean" else conversion._from_null(t)
    raise LabUnsupported(f"the default value of {t.full_name}")


def _construct_undeclared(t: NetType, args: Sequence[Any]) -> Any:
    if _is_exception(t):
        return _construct_exception(t, args)
    if t.is_enum:
        return t.enum(0)
    name = t.full_name
    if name in NUMERIC_TYPES or name in ("System.Boolean", "System.Char"):
        return conversion.default_of(t)
    raise LabUnsupported(f"the type {t.full_name.partition('[')[0]}")


def _construct_exception(t: NetType, args: Sequence[Any]) -> NetException:
    shapes = {len(o.params) for o in t.ctors()} or {0, 1, 2}
    if len(args) > 2 or (len(args) not in shapes and len(args) > 0):
        raise runtime_error(
            "MethodCountCouldNotFindBest",
            f'Cannot find an overload for "{t.name}" and the argument count: "{len(args)}".',
            kind="MethodException",
            category="NotSpecified",
        )
    message = conversion.to_string(args[0]) if args else f"Exception of type '{t.full_name}' was thrown."
    inner = args[1] if len(args) > 1 and isinstance(args[1], NetException) else None
    if len(args) > 1 and inner is None and args[1] is not None:
        more = conversion.to_string(args[1])
        if t.full_name in ("System.ArgumentException",):
            return NetException(t.full_name, f"{message}\r\nParameter name: {more}", ParamName=more)
        if t.is_subclass_of("System.ArgumentException"):  # (paramName, message)
            return NetException(t.full_name, f"{more}\r\nParameter name: {message}", ParamName=message)
        if t.full_name == "System.IO.FileNotFoundException":
            return NetException(t.full_name, message, FileName=more)
    if len(args) == 1 and t.full_name in ("System.ArgumentNullException", "System.ArgumentOutOfRangeException"):
        text = (
            "Value cannot be null."
            if t.full_name == "System.ArgumentNullException"
            else "Specified argument was out of the range of valid values."
        )
        return NetException(t.full_name, f"{text}\r\nParameter name: {message}", ParamName=message)
    made = NetException(t.full_name, message, inner)
    return made


def _construct_array(t: NetType, args: Sequence[Any]) -> Any:
    element = t.element_type
    assert element is not None
    lengths = [conversion.to_integer(a, get_type("System.Int32")) for a in args]
    if len(lengths) != t.rank:
        raise runtime_error(
            "MethodCountCouldNotFindBest",
            f'Cannot find an overload for "{t.name}" and the argument count: "{len(args)}".',
            kind="MethodException",
            category="NotSpecified",
        )
    return new_array(element, lengths)


def new_array(element: NetType, lengths: Sequence[int]) -> Any:
    """A fresh array of default values."""
    if any(n < 0 for n in lengths):
        raise NetException("System.OverflowException", "Arithmetic operation resulted in an overflow.")
    if len(lengths) > 1:
        return MultiArray(tuple(lengths), element, conversion.default_of(element))
    if element.full_name == "System.Byte":
        return ByteArray(lengths[0])
    return PSArray([conversion.default_of(element)] * lengths[0], element)


# ------------------------------------------------------------------------------------------------------- properties


def get_property(target: Any, item: NetProperty, t: NetType) -> Any:
    """Read a declared property, put into its declared type."""
    assert item.fget is not None
    value = item.fget() if item.is_static else item.fget(target)
    adapt = type_adapter(item.type_text, _prop_environment(item, t), item.declaring)
    return value if adapt is None else adapt(value)


def _prop_environment(item: NetProperty | NetIndexer, t: NetType) -> dict[str, NetType]:
    if t.arguments:
        return t.environment
    for base in t.bases():
        if base.definition is item.declaring:
            return base.environment
    return {}


def set_property(target: Any, item: NetProperty, t: NetType, value: Any) -> None:
    """Write a declared property; the value is converted to its type."""
    if item.fset is None:
        raise read_only(item.name)
    try:
        wanted = resolve_signature_type(item.type_text, _prop_environment(item, t), item.declaring)
    except KeyError:
        wanted = get_type("System.Object")
    try:
        converted = convert_argument(value, wanted) if value is not None else _null_for(wanted)
        if item.is_static:
            item.fset(converted)
        else:
            item.fset(target, converted)
    except NetException as error:
        raise NetException(
            "System.Management.Automation.SetValueInvocationException",
            f'Exception setting "{item.name}": "{error.message}"',
            error,
            error_id="ExceptionWhenSetting",
        ) from None


def _null_for(t: NetType) -> Any:
    if t.full_name == "System.String":
        return ""
    return convert(None, t) if t.is_value_type else None


def read_only(name: str) -> NetException:
    return runtime_error("PropertyAssignmentException", f"'{name}' is a ReadOnly property.")


# --------------------------------------------------------------------------------------------------------- indexers


def find_indexer(t: NetType, args: Sequence[Any]) -> tuple[NetIndexer, list[Any]] | None:
    """The indexer that takes these arguments best, and the arguments converted."""
    best: tuple[int, NetIndexer, list[NetType]] | None = None
    for item in t.find_indexers():
        if len(item.params) != len(args):
            continue
        try:
            types = [resolve_signature_type(p, _prop_environment(item, t), item.declaring) for p in item.params]
        except KeyError:
            continue
        ranks = [argument_rank(a, p) for a, p in zip(args, types, strict=True)]
        if all(ranks) and (best is None or sum(ranks) > best[0]):
            best = (sum(ranks), item, types)
    if best is None:
        return None
    return best[1], [convert_argument(a, p) for a, p in zip(args, best[2], strict=True)]
