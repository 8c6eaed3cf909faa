"""The value of an expression of constants (`Ast.SafeGetValue()`, data files): nothing of it is run."""

from __future__ import annotations

from typing import Any

from winlab.powershell import ast
from winlab.powershell.errors import NetException
from winlab.powershell.objects import Hashtable, PSArray
from winlab.powershell.tokens import TokenKind

_CONSTANTS = {"true": True, "false": False, "null": None}


def unsafe() -> NetException:
    """What an expression raises that more than reads constants."""
    return NetException(
        "System.InvalidOperationException",
        "Cannot generate a PowerShell object for a ScriptBlock evaluating dynamic expressions.",
    )


def safe_value(node: Any) -> Any:
    """Constants, arrays, hashtables, signs and $true, $false, $null; InvalidOperationException for anything else."""
    if isinstance(node, ast.ConstantExpressionAst):
        return node.value
    if isinstance(node, ast.ExpandableStringExpressionAst):
        if node.nested_expressions:
            return "".join(piece if isinstance(piece, str) else _text(safe_value(piece)) for piece in node.pieces)
        return node.value
    if isinstance(node, ast.VariableExpressionAst):
        name = node.variable_path.user_path.lower()
        if name in _CONSTANTS and not node.splatted:
            return _CONSTANTS[name]
        raise unsafe()
    if isinstance(node, ast.HashtableAst):
        made = Hashtable(ignore_case=True)
        for key, value in node.key_value_pairs:
            made[safe_value(key)] = safe_value(value)
        return made
    if isinstance(node, ast.ArrayLiteralAst):
        return PSArray([safe_value(item) for item in node.elements])
    if isinstance(node, ast.ArrayExpressionAst):
        items: list[Any] = []
        for statement in node.sub_expression.statements:
            value = safe_value(statement)
            items += list(value) if isinstance(value, PSArray) else [value]
        return PSArray(items)
    if isinstance(node, ast.UnaryExpressionAst) and node.token_kind in (TokenKind.Minus, TokenKind.Plus):
        value = safe_value(node.child)
        if isinstance(value, bool) or not hasattr(value, "__neg__"):
            raise unsafe()
        return type(value)(-value) if node.token_kind is TokenKind.Minus else value
    if isinstance(node, ast.ParenExpressionAst):
        return safe_value(node.pipeline)
    if isinstance(node, ast.PipelineAst) and len(node.pipeline_elements) == 1:
        return safe_value(node.pipeline_elements[0])
    if isinstance(node, ast.CommandExpressionAst) and not node.redirections:
        return safe_value(node.expression)
    if isinstance(node, ast.StatementBlockAst) and len(node.statements) == 1:
        return safe_value(node.statements[0])
    raise unsafe()


def _text(value: Any) -> str:
    from winlab.powershell.dotnet.values import net_string

    return net_string(value)
