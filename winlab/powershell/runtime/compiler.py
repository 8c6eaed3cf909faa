"""From the syntax tree to Python closures: an expression becomes ``f(frame) -> value``, a statement ``f(frame, out)``.

``out`` takes each object that the statement puts out, as it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from winlab.powershell import ast
from winlab.powershell.ast import RedirectionStream, StringConstantType, SwitchFlags, TokenKind
from winlab.powershell.dotnet.core import NetType, get_type, type_of
from winlab.powershell.errors import (
    BreakException,
    ContinueException,
    ErrorRecord,
    ExitException,
    LabUnsupported,
    NetException,
    ReturnException,
    TerminatingError,
    runtime_error,
)
from winlab.powershell.objects import (
    AutomationNull,
    Hashtable,
    NetObject,
    OrderedDictionary,
    PSArray,
    PSMember,
    PSObject,
    PSReference,
    ScriptBlock,
)
from winlab.powershell.runtime import conversion, members, operators
from winlab.powershell.runtime.binder import Argument
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_bool, to_string

K = TokenKind
Evaluate = Callable[[Any], Any]
Run = Callable[[Any, Callable[[Any], None]], None]

_CONSTANTS = {"true": True, "false": False, "null": None}
_AUTOMATIC = frozenset(
    [
        "args",
        "input",
        "myinvocation",
        "psboundparameters",
        "pscmdlet",
        "psscriptroot",
        "pscommandpath",
        "this",
        "foreach",
        "switch",
    ]
)


def collected(items: list[Any]) -> Any:
    """Output as a value: nothing, the one object, or an array."""
    if not items:
        return AutomationNull
    if len(items) == 1:
        return items[0]
    return PSArray(items)


def _enumerate(value: Any, out: Callable[[Any], None]) -> None:
    """Put a value out, collections element by element."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        out(value)
    elif value is AutomationNull:
        return
    elif kind is PSArray:
        for item in value:
            out(item)
    elif is_enumerable(value):
        for item in iterate(value):
            out(item)
    else:
        out(value)


# ------------------------------------------------------------------------------------------------------- expressions


def expression(node: ast.Ast) -> Evaluate:
    """Compile an expression."""
    handler = _EXPRESSIONS.get(type(node))
    if handler is None:
        return _unsupported(node)
    return handler(node)


def _unsupported(node: ast.Ast) -> Any:
    name = type(node).__name__.removesuffix("Ast")

    def fail(frame: Any, out: Any = None) -> Any:
        raise LabUnsupported(f"the language element {name}", node.extent)

    return fail


def _constant(node: ast.ConstantExpressionAst) -> Evaluate:
    value = node.value
    return lambda frame: value


def _expandable(node: ast.ExpandableStringExpressionAst) -> Evaluate:
    pieces: list[Any] = [p if isinstance(p, str) else expression(p) for p in node.pieces]
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        only = pieces[0]
        return lambda frame: to_string(only(frame))

    def run(frame: Any) -> str:
        return "".join([p if type(p) is str else to_string(p(frame)) for p in pieces])

    return run


def _variable(node: ast.VariableExpressionAst) -> Evaluate:
    path = node.variable_path
    extent = node.extent
    if path.drive_name is not None:
        return _drive_variable(path, extent)
    name = path.unqualified_path.lower()
    if path.scope is not None:
        return _scoped_variable(path, name, extent)
    if name in _CONSTANTS:
        value = _CONSTANTS[name]
        return lambda frame: value
    if name == "?":
        return lambda frame: frame.runtime.success
    if name in _AUTOMATIC:
        return lambda frame: frame.runtime.automatic(frame, name, extent)
    if name == "psitem":
        name = "_"

    def run(frame: Any) -> Any:
        scope = frame.scope
        found = scope.vars.get(name)
        if found is None:
            found = scope.find(name)
            if found is None:
                return frame.runtime.undefined(frame, name, path.user_path)
        return found.value

    return run


def _scoped_variable(path: ast.VariablePath, name: str, extent: Any) -> Evaluate:
    which = path.scope
    if which in ("using", "workflow"):

        def fail(frame: Any) -> Any:
            if which == "using":
                raise runtime_error(
                    "UsingWithoutInvokeCommand",
                    "A Using variable cannot be retrieved. A Using variable can be used only with Invoke-Command, Start-Job, or "
                    "InlineScript in the script workflow. When it is used with Invoke-Command, the Using variable is valid only if the "
                    "script block is invoked on a remote computer.",
                )
            raise LabUnsupported("$workflow: variables", extent)

        return fail

    def run(frame: Any) -> Any:
        scope = scope_named(frame, which)
        found = scope.vars.get(name) if which != "global" else scope.find(name)
        if found is None and which == "script":
            found = scope.vars.get(name)
        if found is None and which in ("local", "private") and name in _AUTOMATIC:
            return frame.runtime.automatic(frame, name, extent)
        if found is None:
            return frame.runtime.undefined(frame, name, path.user_path)
        return found.value

    return run


def scope_named(frame: Any, which: str | None) -> Any:
    """The scope that ``global:``, ``script:``, ``local:``, ``private:`` mean."""
    if which == "global":
        return frame.scope.top()
    if which == "script":
        return frame.scope.script()
    return frame.scope


def _drive_variable(path: ast.VariablePath, extent: Any) -> Evaluate:
    drive = (path.drive_name or "").lower()
    name = path.unqualified_path
    if drive == "env":
        return lambda frame: frame.runtime.get_env(name)
    if drive == "variable":
        lower = name.lower()

        def read(frame: Any) -> Any:
            found = frame.scope.find(lower)
            return None if found is None else found.value

        return read
    return lambda frame: frame.runtime.get_drive_item(drive, name, extent)


def _array_literal(node: ast.ArrayLiteralAst) -> Evaluate:
    parts = [expression(e) for e in node.elements]

    def run(frame: Any) -> PSArray:
        return PSArray([None if (v := p(frame)) is AutomationNull else v for p in parts])

    return run


def _array_expression(node: ast.ArrayExpressionAst) -> Evaluate:
    statements = node.sub_expression.statements
    if not statements:
        return lambda frame: PSArray()
    if len(statements) == 1 and isinstance(statements[0], ast.PipelineAst) and not node.sub_expression.traps:
        pure = statements[0].get_pure_expression()
        if pure is not None:
            evaluate = expression(pure)
            extent = statements[0].extent

            def one(frame: Any) -> PSArray:
                value = evaluate(frame)
                frame.runtime.success = True
                if type(value) is PSArray and isinstance(pure, ast.ArrayLiteralAst):
                    return value
                if value is AutomationNull:
                    return PSArray()
                if is_enumerable(value):
                    return PSArray(iterate(value))
                return PSArray([value])

            return _guarded_value(one, extent, PSArray)
    run = statement_block(node.sub_expression)

    def many(frame: Any) -> PSArray:
        items: list[Any] = []
        run(frame, items.append)
        return PSArray(items)

    return many


def _guarded_value(evaluate: Evaluate, extent: Any, empty: Callable[[], Any]) -> Evaluate:
    """An expression inside ``@()`` or ``$()``: its failure is one of a statement there."""

    def run(frame: Any) -> Any:
        try:
            return evaluate(frame)
        except (NetException, TerminatingError, RecursionError) as error:
            frame.runtime.statement_failed(frame, error, extent)
            return empty()

    return run


def _paren(node: ast.ParenExpressionAst) -> Evaluate:
    return value_of(node.pipeline)


def _sub_expression(node: ast.SubExpressionAst) -> Evaluate:
    run = statement_block(node.sub_expression)

    def evaluate(frame: Any) -> Any:
        items: list[Any] = []
        run(frame, items.append)
        return collected(items)

    return evaluate


def _hashtable(node: ast.HashtableAst, ordered: bool = False) -> Evaluate:
    pairs = [(_key(k), value_of(v)) for k, v in node.key_value_pairs]
    make = OrderedDictionary if ordered else Hashtable

    def run(frame: Any) -> Any:
        table = make()
        for key, value in pairs:
            k = key(frame)
            if type(k) is PSObject:
                k = k.base
            if k is None or k is AutomationNull:
                raise runtime_error("InvalidNullKey", "A null key is not allowed in a hash literal.")
            if k in table:
                raise runtime_error(
                    "DuplicateKeyInHashLiteral", f"Duplicate keys '{to_string(k)}' are not allowed in hash literals."
                )
            v = value(frame)
            table[k] = None if v is AutomationNull else v
        return table

    return run


def _key(node: ast.ExpressionAst) -> Evaluate:
    if isinstance(node, ast.StringConstantExpressionAst):
        value = node.value
        return lambda frame: value
    return expression(node)


def _script_block(node: ast.ScriptBlockExpressionAst) -> Evaluate:
    body = node.script_block

    def run(frame: Any) -> ScriptBlock:
        return ScriptBlock(body, frame.scope.session, frame.file)

    return run


def resolve_type(frame: Any, type_name: Any, extent: Any) -> NetType:
    """A type by name; TypeNotFound as PowerShell reports it."""
    found = frame.runtime.resolve_type(
        type_name.full_name if hasattr(type_name, "full_name") else str(type_name), frame
    )
    if found is None:
        raise type_missing(type_name.full_name)
    return found


def type_missing(name: str) -> NetException:
    return runtime_error("TypeNotFound", f"Unable to find type [{name}].", target=name)


def _type_getter(type_name: Any, extent: Any) -> Callable[[Any], NetType]:
    cache: dict[Any, NetType] = {}

    from winlab.powershell.runtime.setup import is_part_of_windows

    def get(frame: Any) -> NetType:
        runtime = frame.runtime
        world = runtime.type_world
        found = cache.get(world) if world.common else world.types.get(get)
        if found is None:
            found = resolve_type(frame, type_name, extent)
            world = runtime.type_world  # an assembly's name in the type's may have loaded it
            if not world.common:
                world.types[get] = found
            elif is_part_of_windows(found.assembly):
                cache[world] = found
        return found

    return get


def _type_expression(node: ast.TypeExpressionAst) -> Evaluate:
    return _type_getter(node.type_name, node.extent)


def _convert(node: ast.ConvertExpressionAst) -> Evaluate:
    type_name = node.type.type_name
    name = type_name.full_name.lower()
    if isinstance(node.child, ast.HashtableAst):
        if name == "ordered":
            return _hashtable(node.child, True)
        if name == "pscustomobject":
            table = _hashtable(node.child, True)
            return lambda frame: conversion.custom_object(table(frame))
    if name == "ref":
        return _reference(node.child)
    child = expression(node.child)
    if name == "ordered":

        def ordered(frame: Any) -> Any:
            value = child(frame)
            if isinstance(value, (Hashtable, OrderedDictionary)):
                return OrderedDictionary(value.items())
            raise conversion.cast_error(
                "OrderedAttributeOnlyOnHashLiteralNode",
                "The ordered attribute can be specified only on a hash literal node.",
            )

        return ordered
    if name == "pscustomobject":
        return lambda frame: conversion.cast(child(frame), get_type("System.Management.Automation.PSObject"))
    if name == "void":

        def void(frame: Any) -> Any:
            child(frame)
            return AutomationNull

        return void
    get = _type_getter(type_name, node.extent)

    def run(frame: Any) -> Any:
        value = child(frame)
        return conversion.cast(value, get(frame))

    return run


def _reference(node: ast.ExpressionAst) -> Evaluate:
    while isinstance(node, ast.ParenExpressionAst):
        inner = node.pipeline
        pure = inner.get_pure_expression() if isinstance(inner, ast.PipelineAst) else None
        if pure is None:
            break
        node = pure
    if isinstance(node, ast.VariableExpressionAst) and node.variable_path.drive_name is None:
        path = node.variable_path
        name = path.unqualified_path.lower()
        if name in _CONSTANTS:
            return lambda frame: PSReference(_CONSTANTS[name])

        def run(frame: Any) -> PSReference:
            scope = scope_named(frame, path.scope)
            found = scope.find(name)
            if found is None:
                raise runtime_error(
                    "NonExistingVariableReference",
                    "[ref] cannot be applied to a variable that does not exist.",
                )

            def get() -> Any:
                return found.value

            def put(value: Any) -> None:
                found.assign(value)

            return PSReference(None, get, put)

        return run
    child = expression(node)
    return lambda frame: PSReference(child(frame))


def _attributed(node: ast.AttributedExpressionAst) -> Evaluate:
    return expression(node.child)


def _member(node: ast.MemberExpressionAst) -> Evaluate:
    target = expression(node.expression)
    name = _member_name(node.member)
    if node.static:

        def static(frame: Any) -> Any:
            owner = target(frame)
            key = name if type(name) is str else to_string(name(frame))
            t = owner if isinstance(owner, NetType) else _static_owner(owner)
            return members.get_static(t, key, frame.scope.strict_version())

        return static
    if type(name) is str:
        lower = name.lower()

        def run(frame: Any) -> Any:
            value = target(frame)
            kind = type(value)
            if kind is Hashtable:
                entry = value.entries.get(lower) if value.ignore_case else None
                if entry is not None:
                    return entry[1]
            return members.get_member(value, name, frame.scope.strict_version())

        return run

    def dynamic(frame: Any) -> Any:
        value = target(frame)
        key = name(frame)
        if isinstance(value, (Hashtable, OrderedDictionary)) and key in value:
            return value[key]
        return members.get_member(value, to_string(key), frame.scope.strict_version())

    return dynamic


def _static_owner(owner: Any) -> NetType:
    if owner is None or owner is AutomationNull:
        raise runtime_error("InvokeMethodOnNull", "You cannot call a method on a null-valued expression.")
    return type_of(owner)


def _member_name(node: ast.CommandElementAst) -> Any:
    if isinstance(node, ast.StringConstantExpressionAst):
        return node.value
    return expression(node)


def _invoke(node: ast.InvokeMemberExpressionAst) -> Evaluate:
    if isinstance(node, ast.BaseCtorInvokeMemberExpressionAst):
        return lambda frame: AutomationNull  # called before the constructor's body
    target = expression(node.expression)
    name = _member_name(node.member)
    arguments = [expression(a) for a in node.arguments]
    extent = node.extent
    is_base_call = _casts_this(node.expression)

    def run(frame: Any) -> Any:
        value = target(frame)
        key = name if type(name) is str else name(frame)
        if type(key) is not str:
            if isinstance(key, members.PSMethodInfo):
                return members.call_method_info(key, [a(frame) for a in arguments])
            if isinstance(key, ScriptBlock):
                return frame.runtime.call_block(key, *[a(frame) for a in arguments], this=value)
            key = to_string(key)
        args = [a(frame) for a in arguments]
        runtime = frame.runtime
        try:
            if is_base_call and isinstance(value, NetObject) and frame.this is value:
                return _base_method(node, frame, value, key, args)
            if node.static:
                return members.invoke_static(value if isinstance(value, NetType) else _static_owner(value), key, args)
            return members.invoke_member(value, key, args)
        except LabUnsupported as unsupported:
            unsupported.extent = unsupported.extent or extent
            raise
        finally:
            runtime.frame = frame

    return run


def _casts_this(node: ast.Ast) -> bool:
    """``([Base]$this).Method()`` calls the base class's method."""
    while isinstance(node, ast.ParenExpressionAst):
        pure = node.pipeline.get_pure_expression() if isinstance(node.pipeline, ast.PipelineAst) else None
        if pure is None:
            return False
        node = pure
    return (
        isinstance(node, ast.ConvertExpressionAst)
        and isinstance(node.child, ast.VariableExpressionAst)
        and node.child.variable_path.user_path.lower() == "this"
    )


def _base_method(node: ast.InvokeMemberExpressionAst, frame: Any, value: Any, name: str, args: list[Any]) -> Any:
    from winlab.powershell.runtime import invoke

    cast: Any = node.expression
    while isinstance(cast, ast.ParenExpressionAst):
        cast = cast.pipeline.get_pure_expression()  # type: ignore[attr-defined]
    owner = resolve_type(frame, cast.type.type_name, cast.extent)
    group = invoke.method_group(owner, name)
    if group is None:
        raise invoke.method_not_found(owner, name)
    return group.call(value, args)


def _index(node: ast.IndexExpressionAst) -> Evaluate:
    target = expression(node.target)
    if isinstance(node.index, ast.ArrayLiteralAst) and len(node.index.elements) > 1:
        parts = [expression(e) for e in node.index.elements]

        def several(frame: Any) -> Any:
            value = target(frame)
            keys = [p(frame) for p in parts]
            return members.get_index(value, _spread(value, keys), frame.scope.strict_version())

        return several
    index = expression(node.index)

    def run(frame: Any) -> Any:
        value = target(frame)
        key = index(frame)
        if type(value) is PSArray and type(key) is int and -len(value) <= key < len(value):
            return list.__getitem__(value, key)
        return members.get_index(value, [key], frame.scope.strict_version())

    return run


def _spread(value: Any, keys: list[Any]) -> list[Any]:
    """``$a[1, 2]`` picks several elements, nested lists of indexes included; rectangular arrays take all keys at once."""
    flat: list[Any] = []
    for key in keys:
        if is_enumerable(key):
            flat.extend(iterate(key))
        else:
            flat.append(key)
    return flat


_BINARY: dict[TokenKind, Callable[[Any, Any], Any]] = {
    K.Plus: operators.add,
    K.Minus: operators.subtract,
    K.Multiply: operators.multiply,
    K.Divide: operators.divide,
    K.Rem: operators.remainder,
    K.Band: operators.band,
    K.Bor: operators.bor,
    K.Bxor: operators.bxor,
    K.Shl: operators.shift_left,
    K.Shr: operators.shift_right,
    K.Ieq: operators.eq,
    K.Ine: operators.ne,
    K.Igt: operators.gt,
    K.Ige: operators.ge,
    K.Ilt: operators.lt,
    K.Ile: operators.le,
    K.Ceq: lambda a, b: operators.eq(a, b, False),
    K.Cne: lambda a, b: operators.ne(a, b, False),
    K.Cgt: lambda a, b: operators.gt(a, b, False),
    K.Cge: lambda a, b: operators.ge(a, b, False),
    K.Clt: lambda a, b: operators.lt(a, b, False),
    K.Cle: lambda a, b: operators.le(a, b, False),
    K.Ilike: operators.like,
    K.Inotlike: operators.notlike,
    K.Clike: lambda a, b: operators.like(a, b, False),
    K.Cnotlike: lambda a, b: operators.notlike(a, b, False),
    K.Imatch: operators.match,
    K.Inotmatch: operators.notmatch,
    K.Cmatch: lambda a, b: operators.match(a, b, False),
    K.Cnotmatch: lambda a, b: operators.notmatch(a, b, False),
    K.Ireplace: operators.replace,
    K.Creplace: lambda a, b: operators.replace(a, b, False),
    K.Icontains: operators.contains,
    K.Inotcontains: lambda a, b: not operators.contains(a, b),
    K.Ccontains: lambda a, b: operators.contains(a, b, False),
    K.Cnotcontains: lambda a, b: not operators.contains(a, b, False),
    K.Iin: lambda a, b: operators.contains(b, a),
    K.Inotin: lambda a, b: not operators.contains(b, a),
    K.Cin: lambda a, b: operators.contains(b, a, False),
    K.Cnotin: lambda a, b: not operators.contains(b, a, False),
    K.Isplit: operators.split,
    K.Csplit: lambda a, b: operators.split(a, b, False),
    K.Join: operators.join,
    K.Format: operators.format_operator,
    K.DotDot: operators.range_operator,
    K.Is: operators.is_type,
    K.IsNot: lambda a, b: not operators.is_type(a, b),
    K.As: operators.as_type,
}


def _binary(node: ast.BinaryExpressionAst) -> Evaluate:
    kind = node.operator
    left, right = expression(node.left), expression(node.right)
    if kind is K.And:
        return lambda frame: to_bool(left(frame)) and to_bool(right(frame))
    if kind is K.Or:
        return lambda frame: to_bool(left(frame)) or to_bool(right(frame))
    if kind is K.Xor:
        return lambda frame: to_bool(left(frame)) != to_bool(right(frame))
    if kind in (K.As, K.Is, K.IsNot) and isinstance(node.right, ast.TypeExpressionAst):
        type_node = node.right
        if kind is K.As and type_node.type_name.full_name.lower() == "ref":
            return _unsupported(node)
        if type_node.type_name.full_name.lower() == "pscustomobject":
            custom = get_type("System.Management.Automation.PSCustomObject")
            if kind is K.Is:
                return lambda frame: _is_custom(left(frame), custom)
            if kind is K.IsNot:
                return lambda frame: not _is_custom(left(frame), custom)
    operation = _BINARY.get(kind)
    if operation is None:
        return _unsupported(node)
    op = operation

    def run(frame: Any) -> Any:
        return op(left(frame), right(frame))

    return run


def _is_custom(value: Any, custom: NetType) -> bool:
    """``-is [pscustomobject]`` means PSObject: whatever a PSObject wraps."""
    return isinstance(value, PSObject)


def _unary(node: ast.UnaryExpressionAst) -> Evaluate:
    kind = node.token_kind
    if kind in (K.PlusPlus, K.MinusMinus, K.PostfixPlusPlus, K.PostfixMinusMinus):
        return _increment(node)
    child = expression(node.child)
    if kind in (K.Not, K.Exclaim):
        return lambda frame: not to_bool(child(frame))
    if kind is K.Minus:
        if isinstance(node.child, ast.ConstantExpressionAst) and type(node.child.value) is int:
            value = -node.child.value
            return lambda frame: value
        return lambda frame: operators.negate(child(frame))
    if kind is K.Plus:
        return lambda frame: operators.plus(child(frame))
    if kind is K.Bnot:
        return lambda frame: operators.bnot(child(frame))
    if kind is K.Join:
        return lambda frame: operators.unary_join(child(frame))
    if kind in (K.Isplit, K.Csplit):
        return lambda frame: operators.unary_split(child(frame))
    if kind is K.Comma:
        return lambda frame: PSArray([child(frame)])
    return _unsupported(node)


def _increment(node: ast.UnaryExpressionAst) -> Evaluate:
    """As a value: prefix gives the new one, postfix the old one (null reads as 0)."""
    kind = node.token_kind
    by = 1 if kind in (K.PlusPlus, K.PostfixPlusPlus) else -1
    postfix = kind in (K.PostfixPlusPlus, K.PostfixMinusMinus)
    get, put = place(node.child)

    def run(frame: Any) -> Any:
        old = get(frame)
        new = operators.increment(old, by)
        put(frame, new)
        if postfix:
            return 0 if old is None or old is AutomationNull else old
        return new

    return run


def _using(node: ast.UsingExpressionAst) -> Evaluate:
    def fail(frame: Any) -> Any:
        raise runtime_error(
            "UsingWithoutInvokeCommand",
            "A Using variable cannot be retrieved. A Using variable can be used only with Invoke-Command, Start-Job, or InlineScript in "
            "the script workflow. When it is used with Invoke-Command, the Using variable is valid only if the script block is invoked "
            "on a remote computer.",
        )

    return fail


_EXPRESSIONS: dict[type, Callable[[Any], Evaluate]] = {
    ast.ConstantExpressionAst: _constant,
    ast.StringConstantExpressionAst: _constant,
    ast.ExpandableStringExpressionAst: _expandable,
    ast.VariableExpressionAst: _variable,
    ast.ArrayLiteralAst: _array_literal,
    ast.ArrayExpressionAst: _array_expression,
    ast.ParenExpressionAst: _paren,
    ast.SubExpressionAst: _sub_expression,
    ast.HashtableAst: _hashtable,
    ast.ScriptBlockExpressionAst: _script_block,
    ast.TypeExpressionAst: _type_expression,
    ast.ConvertExpressionAst: _convert,
    ast.AttributedExpressionAst: _attributed,
    ast.MemberExpressionAst: _member,
    ast.InvokeMemberExpressionAst: _invoke,
    ast.BaseCtorInvokeMemberExpressionAst: _invoke,
    ast.IndexExpressionAst: _index,
    ast.BinaryExpressionAst: _binary,
    ast.UnaryExpressionAst: _unary,
    ast.UsingExpressionAst: _using,
}


# -------------------------------------------------------------------------------------------------------- assignment


def place(node: ast.Ast) -> tuple[Evaluate, Callable[[Any, Any], None]]:
    """How to read and to write what stands on the left of an assignment."""
    if isinstance(node, ast.ParenExpressionAst):
        pure = node.pipeline.get_pure_expression() if isinstance(node.pipeline, ast.PipelineAst) else None
        if pure is not None:
            return place(pure)
    if isinstance(node, ast.VariableExpressionAst):
        return _variable(node), _variable_setter(node)
    if isinstance(node, ast.MemberExpressionAst):
        return _member_place(node)
    if isinstance(node, ast.IndexExpressionAst):
        return _index_place(node)
    if isinstance(node, ast.AttributedExpressionAst):
        return _typed_place(node)
    if isinstance(node, (ast.ArrayLiteralAst, ast.ArrayExpressionAst)):
        return _several_places(node)
    fail = _unsupported(node)
    return fail, fail


def _variable_setter(node: ast.VariableExpressionAst) -> Callable[[Any, Any], None]:
    path = node.variable_path
    name = path.unqualified_path
    lower = name.lower()
    extent = node.extent
    if path.drive_name is not None:
        drive = path.drive_name.lower()
        if drive == "env":
            return lambda frame, value: frame.runtime.set_env(name, value)
        if drive == "variable":
            return lambda frame, value: frame.runtime.assign_variable(frame.scope, name, value)
        return lambda frame, value: frame.runtime.set_drive_item(drive, name, value, extent)
    if lower in _CONSTANTS or lower in ("?",):
        from winlab.powershell.runtime.scopes import not_writable

        def fail(frame: Any, value: Any) -> None:
            if lower == "null":
                return
            raise not_writable(name)

        return fail
    which = path.scope
    if which is not None:

        def scoped(frame: Any, value: Any) -> None:
            scope = scope_named(frame, which)
            found = scope.vars.get(lower)
            if found is not None:
                found.assign(value)
            else:
                made = scope.put(name, value)
                if which == "private":
                    made.private = True

        return scoped
    if lower == "psitem":
        lower = name = "_"

    def run(frame: Any, value: Any) -> None:
        scope = frame.scope
        found = scope.vars.get(lower)
        if found is not None:
            if found.constraint is None and not found.read_only and not found.constant:
                found.value = value
            else:
                found.assign(value)
            return
        scope.set(name, value)

    return run


def _member_place(node: ast.MemberExpressionAst) -> tuple[Evaluate, Callable[[Any, Any], None]]:
    target = expression(node.expression)
    name = _member_name(node.member)

    def key_of(frame: Any) -> Any:
        return name if type(name) is str else name(frame)

    if node.static:

        def put_static(frame: Any, value: Any) -> None:
            owner = target(frame)
            members.set_static(
                owner if isinstance(owner, NetType) else _static_owner(owner), to_string(key_of(frame)), value
            )

        return _member(node), put_static

    def put(frame: Any, value: Any) -> None:
        owner = target(frame)
        key = key_of(frame)
        if type(owner) is PSObject and owner.base is not None and key.lower() not in owner.ps_members:
            owner = owner.base
        if isinstance(owner, (Hashtable, OrderedDictionary)) and not owner.ps_members:
            members.set_index(owner, [key], value) if type(owner) is Hashtable else owner.__setitem__(
                key, None if value is AutomationNull else value
            )
            return
        try:
            members.set_member(owner, to_string(key), value)
        except LabUnsupported as unsupported:
            unsupported.extent = unsupported.extent or node.extent
            raise

    return _member(node), put


def _index_place(node: ast.IndexExpressionAst) -> tuple[Evaluate, Callable[[Any, Any], None]]:
    target = expression(node.target)
    keys = (
        [expression(e) for e in node.index.elements]
        if isinstance(node.index, ast.ArrayLiteralAst) and len(node.index.elements) > 1
        else [expression(node.index)]
    )

    def put(frame: Any, value: Any) -> None:
        owner = target(frame)
        if type(owner) is PSArray and len(keys) == 1 and owner._element_type is None:
            key = keys[0](frame)
            if type(key) is int and -len(owner) <= key < len(owner):
                list.__setitem__(owner, key, None if value is AutomationNull else value)
                return
            members.set_index(owner, [key], value)
            return
        members.set_index(owner, [k(frame) for k in keys], value)

    return _index(node), put


def _typed_place(node: ast.AttributedExpressionAst) -> tuple[Evaluate, Callable[[Any, Any], None]]:
    """``[int]$x = ...``: the variable keeps the conversion."""
    attributes: list[ast.AttributeBaseAst] = []
    child: ast.Ast = node
    while isinstance(child, ast.AttributedExpressionAst):
        attributes.append(child.attribute)
        child = child.child
    if not isinstance(child, ast.VariableExpressionAst):
        get, put = place(child)
        first = attributes[-1]
        if isinstance(first, ast.TypeConstraintAst):
            getter = _type_getter(first.type_name, node.extent)
            return get, lambda frame, value: put(frame, conversion.cast(value, getter(frame)))
        return get, put
    path = child.variable_path
    name = path.unqualified_path

    def set_typed(frame: Any, value: Any) -> None:
        constraint = frame.runtime.make_constraint(frame, attributes, name)
        scope = scope_named(frame, path.scope)
        found = scope.vars.get(name.lower())
        if found is not None and (found.read_only or found.constant):
            found.assign(value)
        converted = constraint(value)
        made = scope.put(name, converted)
        made.constraint = constraint

    return _variable(child), set_typed


def _several_places(node: ast.Ast) -> tuple[Evaluate, Callable[[Any, Any], None]]:
    if isinstance(node, ast.ArrayExpressionAst):
        only = node.sub_expression.statements[0]
        pure = only.get_pure_expression() if isinstance(only, ast.PipelineAst) else None
        if pure is None:
            fail = _unsupported(node)
            return fail, fail
        node = pure
        if not isinstance(node, ast.ArrayLiteralAst):
            return place(node)
    assert isinstance(node, ast.ArrayLiteralAst)
    setters = [place(e)[1] for e in node.elements]

    def put(frame: Any, value: Any) -> None:
        if is_enumerable(value):
            items = list(iterate(value))
        elif value is AutomationNull or value is None:
            items = []
        else:
            items = [value]
        last = len(setters) - 1
        for i, setter in enumerate(setters):
            if i < last:
                setter(frame, items[i] if i < len(items) else None)
            else:
                rest = items[i:]
                setter(frame, None if not rest else rest[0] if len(rest) == 1 else PSArray(rest))

    return expression(node), put


_COMPOUND: dict[TokenKind, Callable[[Any, Any], Any]] = {
    K.PlusEquals: operators.add,
    K.MinusEquals: operators.subtract,
    K.MultiplyEquals: operators.multiply,
    K.DivideEquals: operators.divide,
    K.RemainderEquals: operators.remainder,
}


def assignment(node: ast.AssignmentStatementAst) -> Evaluate:
    """Assign; the value is what was assigned."""
    right = value_of(node.right)
    get, put = place(node.left)
    operation = _COMPOUND.get(node.operator)
    if operation is None:

        def assign(frame: Any) -> Any:
            value = right(frame)
            put(frame, value)
            return value

        return assign
    op = operation
    if isinstance(node.left, ast.VariableExpressionAst) and _is_local_slot(node):
        get = _local_variable(node.left)

    def compound(frame: Any) -> Any:
        old = get(frame)
        value = op(old, right(frame))
        put(frame, value)
        return value

    return compound


def _is_local_slot(node: ast.AssignmentStatementAst) -> bool:
    """Whether ``$x += 1`` reads a variable of its own script block: the engine keeps one there when nothing reads it before."""
    assert isinstance(node.left, ast.VariableExpressionAst)
    path = node.left.variable_path
    if path.scope is not None or path.drive_name is not None:
        return False
    owner: Any = node.parent
    while owner is not None and not isinstance(owner, ast.ScriptBlockAst):
        owner = owner.parent
    if owner is None or owner.parent is None:
        return False
    name = path.unqualified_path.lower()
    targets = {
        id(getattr(n, "left", None)) for n in owner.find_all(lambda n: isinstance(n, ast.AssignmentStatementAst), True)
    }
    found: Any
    for found in owner.find_all(lambda n: isinstance(n, ast.VariableExpressionAst), True):
        if found.extent.start_offset >= node.left.extent.start_offset:
            break
        if found.variable_path.user_path.lower() == name:
            return id(found) in targets
    return True


def _local_variable(node: ast.VariableExpressionAst) -> Evaluate:
    """A variable of the running scope alone (or of the scopes above a block that runs in its caller's scope)."""
    name = node.variable_path.unqualified_path.lower()
    general = _variable(node)

    def run(frame: Any) -> Any:
        found = frame.scope.vars.get(name)
        if found is not None:
            return found.value
        above = frame.scope.find(name)
        if above is not None and "AllScope" in above.options:
            return above.value
        if frame.scope.strict_version() is not None:
            return general(frame)
        return None

    return run


# -------------------------------------------------------------------------------------------------------- statements


def value_of(node: ast.Ast) -> Evaluate:
    """A statement as a value: what it puts out, collected; expressions as they are."""
    if isinstance(node, ast.PipelineAst):
        pure = node.get_pure_expression()
        if pure is not None:
            evaluate = expression(pure)

            def run(frame: Any) -> Any:
                value = evaluate(frame)
                frame.runtime.success = True
                return value

            return run
    if isinstance(node, ast.AssignmentStatementAst):
        return assignment(node)
    if isinstance(node, ast.CommandExpressionAst) and not node.redirections:
        return expression(node.expression)
    if isinstance(node, ast.ExpressionAst):
        return expression(node)
    statement_run = statement(node)

    def collect(frame: Any) -> Any:
        items: list[Any] = []
        statement_run(frame, items.append)
        return collected(items)

    return collect


def statement(node: ast.Ast) -> Run:
    """Compile a statement."""
    handler = _STATEMENTS.get(type(node))
    if handler is None:
        return _unsupported(node)
    return handler(node)


def statement_block(node: Any) -> Run:
    """Compile the statements of a block, each guarded: a failing one is reported and the next one runs, unless it unwinds."""
    items = [(statement(s), s.extent) for s in node.statements]
    if node.traps:
        return _trapped(items, node.traps)
    if len(items) == 1:
        only, only_extent = items[0]

        def one(frame: Any, out: Callable[[Any], None]) -> None:
            try:
                only(frame, out)
            except (NetException, TerminatingError, RecursionError) as error:
                frame.runtime.statement_failed(frame, error, only_extent)
            except LabUnsupported as unsupported:
                unsupported.extent = unsupported.extent or only_extent
                raise

        return one

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        for execute, extent in items:
            try:
                execute(frame, out)
            except (NetException, TerminatingError, RecursionError) as error:
                frame.runtime.statement_failed(frame, error, extent)
            except LabUnsupported as unsupported:
                unsupported.extent = unsupported.extent or extent
                raise

    return run


def _trapped(items: list[tuple[Run, Any]], traps: list[ast.TrapStatementAst]) -> Run:
    compiled = [
        (t.trap_type, _type_getter(t.trap_type.type_name, t.extent) if t.trap_type else None, statement_block(t.body))
        for t in traps
    ]

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        runtime = frame.runtime
        for execute, extent in items:
            saved = runtime.propagate
            runtime.propagate = True
            try:
                execute(frame, out)
            except (NetException, TerminatingError, RecursionError) as error:
                runtime.propagate = saved
                _run_traps(frame, out, error, extent, compiled)
            finally:
                runtime.propagate = saved

    return run


def _run_traps(frame: Any, out: Any, error: Any, extent: Any, traps: list[Any]) -> None:
    runtime = frame.runtime
    failure = runtime.terminating(error, frame, extent)
    if getattr(failure, "leave", None) is not None:
        raise failure
    for _, get, body in traps:
        record = runtime.matching_record(failure, [get(frame)] if get is not None else [])
        if record is None:
            continue
        runtime.add_error(record)
        saved = frame.scope.vars.get("_")
        frame.scope.put("_", record)
        try:
            body(frame, out)
        except BreakException:
            raise failure from None
        except ContinueException:
            return
        finally:
            if saved is not None:
                frame.scope.vars["_"] = saved
        runtime.report(record, frame)
        return
    runtime.statement_failed(frame, failure, extent)


def _pipeline(node: ast.PipelineAst) -> Run:
    elements = node.pipeline_elements
    if len(elements) == 1:
        only = elements[0]
        if isinstance(only, ast.CommandExpressionAst) and not only.redirections:
            return _expression_statement(only.expression)
        if isinstance(only, ast.CommandAst):
            return _single_command(only)
    builders = [element(e) for e in elements]

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        from winlab.powershell.runtime.commands import run_pipeline

        runtime = frame.runtime
        runtime.check()
        processors = []
        for i, build in enumerate(builders):
            processor = build(frame)
            processor.expecting_input = i > 0
            processor.position, processor.length = i + 1, len(builders)
            processors.append(processor)
        runtime.run(frame, processors, out, run_pipeline)

    return run


def _expression_statement(node: ast.ExpressionAst) -> Run:
    if isinstance(node, ast.UnaryExpressionAst) and node.token_kind in (
        K.PlusPlus,
        K.MinusMinus,
        K.PostfixPlusPlus,
        K.PostfixMinusMinus,
    ):
        silent = _increment(node)

        def bump(frame: Any, out: Callable[[Any], None]) -> None:
            silent(frame)
            frame.runtime.success = True

        return bump
    evaluate = expression(node)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        value = evaluate(frame)
        frame.runtime.success = True
        kind = type(value)
        if kind is str or kind is int or kind is bool:
            out(value)
        else:
            _enumerate(value, out)

    return run


def _single_command(node: ast.CommandAst) -> Run:
    build = element(node)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        from winlab.powershell.runtime.commands import run_pipeline

        frame.runtime.check()
        frame.runtime.run(frame, [build(frame)], out, run_pipeline)

    return run


def element(node: ast.CommandBaseAst) -> Callable[[Any], Any]:
    """A pipeline element as a function that builds its processor."""
    redirect = redirections(node.redirections)
    if isinstance(node, ast.CommandExpressionAst):
        from winlab.powershell.runtime.commands import ExpressionProcessor

        evaluate = expression(node.expression)

        def build_expression(frame: Any) -> Any:
            made = ExpressionProcessor(frame.runtime, frame, evaluate, node.extent)
            if redirect is not None:
                redirect(frame, made)
            return made

        return build_expression
    assert isinstance(node, ast.CommandAst)
    build = command(node)
    if redirect is None:
        return build

    def build_redirected(frame: Any) -> Any:
        made = build(frame)
        redirect(frame, made)
        return made

    return build_redirected


def command(node: ast.CommandAst) -> Callable[[Any], Any]:
    """A command as a function that builds its processor."""
    elements = node.command_elements
    first = elements[0]
    name = _command_name(first)
    arguments = command_arguments(elements[1:])
    dotted = node.invocation_operator is K.Dot
    called = node.invocation_operator is K.Ampersand
    extent = node.extent
    parens = (
        len(elements) == 2
        and isinstance(elements[1], ast.ParenExpressionAst)
        and isinstance(first, ast.StringConstantExpressionAst)
        and first.string_constant_type is StringConstantType.BareWord
        and elements[1].extent.start_offset == first.extent.end_offset
        and _several_arguments(elements[1])
    )

    def build(frame: Any) -> Any:
        target = name if type(name) is str else name(frame)
        runtime = frame.runtime
        if parens:
            strict = frame.scope.strict_version()
            if strict is not None and strict >= 2:
                raise runtime_error(
                    "StrictModeFunctionCallWithParens",
                    "The function or command was called as if it were a method. Parameters should be separated by spaces. For "
                    "information about parameters, see the about_Parameters Help topic.",
                )
        return runtime.make_processor(frame, target, arguments(frame), extent, dotted, first.extent, called)

    return build


def _several_arguments(node: ast.ParenExpressionAst) -> bool:
    pipeline = node.pipeline
    pure = pipeline.get_pure_expression() if isinstance(pipeline, ast.PipelineAst) else None
    return isinstance(pure, ast.ArrayLiteralAst)


def _command_name(node: ast.Ast) -> Any:
    if isinstance(node, ast.StringConstantExpressionAst):
        return node.value
    return expression(node)


def command_arguments(elements: list[ast.CommandElementAst]) -> Callable[[Any], list[Argument]]:
    """The arguments of a command as a function that evaluates them."""
    makers: list[Callable[[Any, list[Argument]], None]] = [_argument(e) for e in elements]
    if not makers:
        return lambda frame: []

    def run(frame: Any) -> list[Argument]:
        result: list[Argument] = []
        for make in makers:
            make(frame, result)
        return result

    return run


def _argument(node: ast.CommandElementAst) -> Callable[[Any, list[Argument]], None]:
    extent = node.extent
    if isinstance(node, ast.CommandParameterAst):
        name = node.parameter_name
        text = node.extent.text
        if node.argument is None:
            return lambda frame, into: into.append(Argument(name, None, False, extent, text))
        value = _argument_value(node.argument)
        label = f"-{name}:"
        return lambda frame, into: into.append(Argument(name, value(frame), True, extent, label))
    if isinstance(node, ast.VariableExpressionAst) and node.splatted:
        variable = _variable(node)

        def splat(frame: Any, into: list[Argument]) -> None:
            into.extend(splatted(variable(frame), extent))

        return splat
    if isinstance(node, ast.UsingExpressionAst):
        inner = expression(node)
        return lambda frame, into: into.append(Argument(None, inner(frame), True, extent))
    value = _argument_value(node)
    return lambda frame, into: into.append(Argument(None, value(frame), True, extent))


def splatted(value: Any, extent: Any = None) -> list[Argument]:
    """``@args``: a dictionary gives named arguments, a list positional ones."""
    from winlab.powershell.objects import Dictionary

    if type(value) is PSObject:
        value = value.base
    if value is None or value is AutomationNull:
        return []
    if isinstance(value, Dictionary):
        return [Argument(to_string(k), v, True, extent, f"-{to_string(k)}:", True) for k, v in value.items()]
    marked = getattr(value, "named_marks", None)
    if marked is not None:
        return list(marked)
    if is_enumerable(value):
        result: list[Argument] = []
        items = list(iterate(value))
        for item in items:
            parameter = members.own_members(item) if type(item) is PSObject else None
            if parameter and "<commandparametername>" in parameter:
                name = parameter["<commandparametername>"].value
                result.append(Argument(name, None, False, extent, to_string(item)))
            else:
                result.append(Argument(None, item, True, extent))
        return result
    return [Argument(None, value, True, extent)]


def parameter_text(argument: Argument) -> PSObject:
    """An unbound ``-name`` in ``$args``: text that is still known as a parameter when it is splatted on."""
    made = PSObject(argument.text or f"-{argument.name}")
    made.ps_members["<commandparametername>"] = PSMember("NoteProperty", "<CommandParameterName>", argument.name)
    return made


def _argument_value(node: ast.Ast) -> Evaluate:
    """An argument: a number keeps the text it was written with."""
    if isinstance(node, ast.ConstantExpressionAst) and not isinstance(node, ast.StringConstantExpressionAst):
        value = node.value
        text = node.extent.text
        if text != to_string(value) and isinstance(value, (int, float, Decimal)):

            def make(frame: Any) -> PSObject:
                made = PSObject(value)
                made.ps_members["tostring"] = PSMember("CodeMethod", "ToString", lambda base: text)
                return made

            return make
        return lambda frame: value
    if (
        isinstance(node, ast.UnaryExpressionAst)
        and node.token_kind is K.Minus
        and isinstance(node.child, ast.ConstantExpressionAst)
    ):
        return expression(node)
    evaluate = expression(node)

    def run(frame: Any) -> Any:
        value = evaluate(frame)
        return None if value is AutomationNull else value

    return run


_STREAM_NAMES = {
    RedirectionStream.Error: "error",
    RedirectionStream.Warning: "warning",
    RedirectionStream.Verbose: "verbose",
    RedirectionStream.Debug: "debug",
    RedirectionStream.Information: "information",
}


def redirections(nodes: list[ast.RedirectionAst]) -> Callable[[Any, Any], None] | None:
    """Redirections as a function that changes a processor's streams."""
    if not nodes:
        return None
    plan: list[Callable[[Any, Any], None]] = []
    for node in nodes:
        if isinstance(node, ast.MergingRedirectionAst):
            plan.append(_merge(node))
        else:
            assert isinstance(node, ast.FileRedirectionAst)
            plan.append(_to_file(node))

    def run(frame: Any, processor: Any) -> None:
        processor.streams = processor.streams.copy()
        for step in plan:
            step(frame, processor)

    return run


def _merge(node: ast.MergingRedirectionAst) -> Callable[[Any, Any], None]:
    names = (
        list(_STREAM_NAMES.values()) if node.from_stream is RedirectionStream.All else [_STREAM_NAMES[node.from_stream]]
    )

    def run(frame: Any, processor: Any) -> None:
        for name in names:
            setattr(processor.streams, name, processor.write)
        processor.merged = getattr(processor, "merged", frozenset()) | set(names)

    return run


def _to_file(node: ast.FileRedirectionAst) -> Callable[[Any, Any], None]:
    location = expression(node.location)
    everything = node.from_stream is RedirectionStream.All
    is_output = node.from_stream is RedirectionStream.Output or everything
    names = (
        list(_STREAM_NAMES.values())
        if everything
        else []
        if node.from_stream is RedirectionStream.Output
        else [_STREAM_NAMES[node.from_stream]]
    )
    append = node.append

    def run(frame: Any, processor: Any) -> None:
        path = location(frame)
        if path is None or path is AutomationNull:
            from winlab.powershell.runtime.commands import discard

            sink = discard
        else:
            sink = frame.runtime.open_redirection(frame, to_string(path), append, processor)
        for name in names:
            setattr(processor.streams, name, sink)
        if is_output:
            processor.redirect_output(sink) if hasattr(processor, "redirect_output") else _redirect_output(
                processor, sink
            )

    return run


def _redirect_output(processor: Any, sink: Callable[[Any], None]) -> None:
    def write(value: Any) -> None:
        if value is not AutomationNull:
            sink(value)

    processor.write = write


# ----------------------------------------------------------------------------------------------------- flow control


def _assignment_statement(node: ast.AssignmentStatementAst) -> Run:
    assign = assignment(node)
    is_expression = isinstance(node.right, ast.PipelineAst) and node.right.get_pure_expression() is not None

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        assign(frame)
        if is_expression:
            frame.runtime.success = True

    return run


def _if(node: ast.IfStatementAst) -> Run:
    clauses = [(value_of(c), statement_block(b)) for c, b in node.clauses]
    otherwise = statement_block(node.else_clause) if node.else_clause is not None else None

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        for condition, body in clauses:
            value = condition(frame)
            if value is True or (value is not False and to_bool(value)):
                body(frame, out)
                return
        if otherwise is not None:
            otherwise(frame, out)

    return run


def _while(node: ast.WhileStatementAst) -> Run:
    condition = value_of(node.condition)
    body = statement_block(node.body)
    label = (node.label or "").lower()

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        check = frame.runtime.check
        while to_bool(condition(frame)):
            check()
            try:
                body(frame, out)
            except BreakException as stop:
                if stop.label and stop.label != label:
                    raise
                break
            except ContinueException as go:
                if go.label and go.label != label:
                    raise

    return run


def _do(node: Any, until: bool) -> Run:
    condition = value_of(node.condition)
    body = statement_block(node.body)
    label = (node.label or "").lower()

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        check = frame.runtime.check
        while True:
            check()
            try:
                body(frame, out)
            except BreakException as stop:
                if stop.label and stop.label != label:
                    raise
                break
            except ContinueException as go:
                if go.label and go.label != label:
                    raise
            if to_bool(condition(frame)) == until:
                break

    return run


def _for(node: ast.ForStatementAst) -> Run:
    start = _silent(node.initializer)
    condition = value_of(node.condition) if node.condition is not None else None
    step = _silent(node.iterator)
    body = statement_block(node.body)
    label = (node.label or "").lower()

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        check = frame.runtime.check
        if start is not None:
            start(frame)
        while condition is None or to_bool(condition(frame)):
            check()
            try:
                body(frame, out)
            except BreakException as stop:
                if stop.label and stop.label != label:
                    raise
                break
            except ContinueException as go:
                if go.label and go.label != label:
                    raise
            if step is not None:
                step(frame)

    return run


def _silent(node: ast.PipelineBaseAst | None) -> Evaluate | None:
    """The parts of a ``for``: run for what they do, their output dropped."""
    return None if node is None else value_of(node)


def _foreach(node: ast.ForEachStatementAst) -> Run:
    if node.flags or node.throttle_limit is not None:
        return _unsupported(node)
    values = value_of(node.condition)
    put = _variable_setter(node.variable)
    body = statement_block(node.body)
    label = (node.label or "").lower()
    if node.body.find_all(
        lambda n: isinstance(n, ast.VariableExpressionAst) and n.variable_path.user_path.lower() == "foreach"
    ):
        return _foreach_enumerator(values, put, body, label)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        check = frame.runtime.check
        value = values(frame)
        if value is None or value is AutomationNull:
            return
        for item in iterate(value) if is_enumerable(value) else (value,):
            check()
            put(frame, item)
            try:
                body(frame, out)
            except BreakException as stop:
                if stop.label and stop.label != label:
                    raise
                break
            except ContinueException as go:
                if go.label and go.label != label:
                    raise

    return run


def _foreach_enumerator(values: Evaluate, put: Callable[[Any, Any], None], body: Run, label: str) -> Run:
    """A loop whose body uses ``$foreach``, the enumerator itself."""

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        from winlab.powershell.dotnet.system import Enumerator

        value = values(frame)
        if value is None or value is AutomationNull:
            return
        items = list(iterate(value)) if is_enumerable(value) else [value]
        enumerator = Enumerator(items)
        scope = frame.scope
        saved = scope.vars.get("foreach")
        scope.put("foreach", enumerator)
        try:
            while enumerator.move_next():
                frame.runtime.check()
                put(frame, enumerator.value)
                try:
                    body(frame, out)
                except BreakException as stop:
                    if stop.label and stop.label != label:
                        raise
                    break
                except ContinueException as go:
                    if go.label and go.label != label:
                        raise
        finally:
            if saved is not None:
                scope.vars["foreach"] = saved
            else:
                scope.vars.pop("foreach", None)

    return run


def _switch(node: ast.SwitchStatementAst) -> Run:
    condition = value_of(node.condition)
    flags = node.flags
    ignore_case = not flags & SwitchFlags.CaseSensitive
    clauses = [(test, _clause(test, flags, ignore_case), statement_block(body)) for test, body in node.clauses]
    default = statement_block(node.default) if node.default is not None else None
    label = (node.label or "").lower()

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        runtime = frame.runtime
        value = condition(frame)
        if flags & SwitchFlags.File:
            items: Any = runtime.read_lines(to_string(value))
        elif value is AutomationNull:
            return
        else:
            items = iterate(value) if is_enumerable(value) else (value,)
        scope = frame.scope
        saved = scope.vars.get("_")
        try:
            for item in items:
                runtime.check()
                scope.vars.pop("_", None)
                scope.put("_", item)
                try:
                    matched = False
                    for _, test, body in clauses:
                        if test(frame, item):
                            matched = True
                            body(frame, out)
                    if not matched and default is not None:
                        default(frame, out)
                except ContinueException as go:
                    if go.label and go.label != label:
                        raise
        except BreakException as stop:
            if stop.label and stop.label != label:
                raise
        finally:
            if saved is not None:
                scope.vars["_"] = saved
            else:
                scope.vars.pop("_", None)

    return run


def _clause(node: ast.ExpressionAst, flags: SwitchFlags, ignore_case: bool) -> Callable[[Any, Any], bool]:
    if isinstance(node, ast.ScriptBlockExpressionAst):
        block = _script_block(node)

        def by_block(frame: Any, item: Any) -> bool:
            return to_bool(frame.runtime.call_block(block(frame), item, underscore=item, new_scope=True))

        return by_block
    evaluate = expression(node)

    def test(frame: Any, item: Any) -> bool:
        value = evaluate(frame)
        if isinstance(value, ScriptBlock):
            return to_bool(frame.runtime.call_block(value, item, underscore=item, new_scope=True))
        if flags & SwitchFlags.Regex:
            compiled = operators.regex(value, ignore_case)
            found = compiled.search(to_string(item))
            if found is None:
                return False
            frame.runtime.set_matches(operators.matches_table(compiled, found))
            return True
        if flags & SwitchFlags.Wildcard:
            from winlab.powershell.runtime.wildcard import wildcard

            return wildcard(to_string(value), ignore_case)(to_string(item))
        if is_enumerable(item):
            return to_bool(operators.eq(item, value, ignore_case))
        return operators.equals(item, value, ignore_case)

    return test


def _try(node: ast.TryStatementAst) -> Run:
    body = statement_block(node.body)
    catches = [
        ([_type_getter(t.type_name, t.extent) for t in c.catch_types], statement_block(c.body))
        for c in node.catch_clauses
    ]
    final = statement_block(node.finally_) if node.finally_ is not None else None
    body_extent = node.body.extent

    def guarded(frame: Any, out: Callable[[Any], None]) -> None:
        runtime = frame.runtime
        saved = runtime.propagate
        runtime.propagate = True
        depth = runtime.depth
        try:
            body(frame, out)
            return
        except (NetException, TerminatingError, RecursionError) as error:
            runtime.propagate = saved
            runtime.depth = depth
            failure = runtime.terminating(error, frame, body_extent)
        finally:
            runtime.propagate = saved
        if getattr(failure, "leave", None) is not None:
            raise failure
        for types, handler in catches:
            record = runtime.matching_record(failure, [get(frame) for get in types])
            if record is not None:
                _handle(frame, out, failure, record, handler)
                return
        raise failure

    def _handle(frame: Any, out: Any, failure: TerminatingError, record: ErrorRecord, handler: Run) -> None:
        runtime = frame.runtime
        runtime.add_error(failure.record)
        runtime.success = False
        scope = frame.scope
        saved = scope.vars.pop("_", None)
        scope.put("_", record)
        caught = frame.caught
        frame.caught = failure if record is failure.record else TerminatingError(record, failure.script_terminating)
        try:
            handler(frame, out)
        finally:
            frame.caught = caught
            if saved is not None:
                scope.vars["_"] = saved
            else:
                scope.vars.pop("_", None)

    if final is None:
        return guarded
    attempt = guarded if catches else _propagating(body)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        try:
            attempt(frame, out)
        finally:
            runtime = frame.runtime
            stopping = runtime.stopping
            runtime.stopping = False
            try:
                final(frame, out)
            finally:
                runtime.stopping = stopping or runtime.stopping

    return run


def _propagating(body: Run) -> Run:
    def run(frame: Any, out: Callable[[Any], None]) -> None:
        runtime = frame.runtime
        saved = runtime.propagate
        runtime.propagate = True
        try:
            body(frame, out)
        finally:
            runtime.propagate = saved

    return run


def _label(node: ast.ExpressionAst | None) -> Evaluate | None:
    if node is None:
        return None
    if isinstance(node, ast.StringConstantExpressionAst):
        text = str(node.value).lower()
        return lambda frame: text
    evaluate = expression(node)
    return lambda frame: to_string(evaluate(frame)).lower()


def _break(node: ast.BreakStatementAst) -> Run:
    label = _label(node.label)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        raise BreakException(label(frame) if label is not None else "")

    return run


def _continue(node: ast.ContinueStatementAst) -> Run:
    label = _label(node.label)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        raise ContinueException(label(frame) if label is not None else "")

    return run


def _return(node: ast.ReturnStatementAst) -> Run:
    if node.pipeline is None:

        def bare(frame: Any, out: Callable[[Any], None]) -> None:
            raise ReturnException

        return bare
    inner = statement(node.pipeline) if not isinstance(node.pipeline, ast.AssignmentStatementAst) else None
    if inner is None:
        assign = assignment(node.pipeline)  # type: ignore[arg-type]

        def assigned(frame: Any, out: Callable[[Any], None]) -> None:
            assign(frame)
            raise ReturnException

        return assigned

    value = value_of(node.pipeline)

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        kept = getattr(out, "result", None)
        if kept is not None:  # a method of a class: its value as it is
            result = value(frame)
            if result is not AutomationNull:
                kept.append(result)
        else:
            inner(frame, out)
        raise ReturnException

    return run


def _exit(node: ast.ExitStatementAst) -> Run:
    value = value_of(node.pipeline) if node.pipeline is not None else None

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        code = value(frame) if value is not None else frame.runtime.last_exit_code()
        raise ExitException(None if code is AutomationNull else code)

    return run


def _throw(node: ast.ThrowStatementAst) -> Run:
    value = value_of(node.pipeline) if node.pipeline is not None else None
    extent = node.extent

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        if value is None:
            if frame.caught is not None:
                caught: TerminatingError = frame.caught
                caught.script_terminating = True
                raise caught
            raise frame.runtime.thrown(None, frame, extent, True)
        raise frame.runtime.thrown(value(frame), frame, extent)

    return run


def _function(node: ast.FunctionDefinitionAst) -> Run:
    if node.is_workflow:
        return _unsupported(node)
    name = node.name

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        frame.runtime.define_function(frame, name, node)

    return run


def _type_definition(node: ast.TypeDefinitionAst) -> Run:
    def run(frame: Any, out: Callable[[Any], None]) -> None:
        """Types are defined before the script runs."""

    return run


def _using_statement(node: ast.UsingStatementAst) -> Run:
    def run(frame: Any, out: Callable[[Any], None]) -> None:
        """``using`` takes effect before the script runs."""

    return run


def _data(node: ast.DataStatementAst) -> Run:
    body = statement_block(node.body)
    name = node.variable

    def run(frame: Any, out: Callable[[Any], None]) -> None:
        if name is None:
            body(frame, out)
            return
        items: list[Any] = []
        body(frame, items.append)
        frame.scope.set(name, collected(items))

    return run


def _block(node: ast.StatementBlockAst) -> Run:
    return statement_block(node)


def _trap_statement(node: ast.TrapStatementAst) -> Run:
    return lambda frame, out: None


def _pure(node: ast.CommandExpressionAst) -> Run:
    return _expression_statement(node.expression)


_STATEMENTS: dict[type, Callable[[Any], Run]] = {
    ast.PipelineAst: _pipeline,
    ast.AssignmentStatementAst: _assignment_statement,
    ast.IfStatementAst: _if,
    ast.WhileStatementAst: _while,
    ast.DoWhileStatementAst: lambda node: _do(node, False),
    ast.DoUntilStatementAst: lambda node: _do(node, True),
    ast.ForStatementAst: _for,
    ast.ForEachStatementAst: _foreach,
    ast.SwitchStatementAst: _switch,
    ast.TryStatementAst: _try,
    ast.TrapStatementAst: _trap_statement,
    ast.BreakStatementAst: _break,
    ast.ContinueStatementAst: _continue,
    ast.ReturnStatementAst: _return,
    ast.ExitStatementAst: _exit,
    ast.ThrowStatementAst: _throw,
    ast.FunctionDefinitionAst: _function,
    ast.TypeDefinitionAst: _type_definition,
    ast.UsingStatementAst: _using_statement,
    ast.DataStatementAst: _data,
    ast.StatementBlockAst: _block,
    ast.CommandExpressionAst: _pure,
    ast.CommandAst: _single_command,
}
