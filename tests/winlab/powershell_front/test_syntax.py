"""What PowerShell's own parser said of thousands of scripts, and rules of 5.1 that those do not show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from winlab.powershell import ast
from winlab.powershell.parser import parse

DATA = Path(__file__).parents[2] / "data"

# Scripts that only PowerShell 7 accepts: a pipe at the start of a line continues the pipeline (7.0), and generic methods (7.3).
NEWER_THAN_5_1 = ("\n| ", "\n | Add-Member", ".Count[bool](")


def first_error(script: str) -> str | None:
    errors = parse(script)[2]
    return errors[0].error_id if errors else None


@pytest.fixture(scope="module")
def syntax_cases() -> list[dict]:
    return json.loads((DATA / "powershell-syntax.json").read_text(encoding="utf-8"))["cases"]


def test_accepts_and_rejects_what_powershell_does(syntax_cases: list[dict]) -> None:
    wrong = [case["script"] for case in syntax_cases if case["valid"] != (not parse(case["script"])[2])]
    unexplained = [script for script in wrong if not any(mark in script for mark in NEWER_THAN_5_1)]
    assert unexplained == []
    assert len(wrong) <= 4


def test_names_the_first_error_and_its_line(syntax_cases: list[dict]) -> None:
    invalid = [case for case in syntax_cases if not case["valid"]]
    same = 0
    for case in invalid:
        errors = parse(case["script"])[2]
        if errors and errors[0].error_id == case["errors"][0]["id"]:
            same += errors[0].extent.start_line_number == case["errors"][0]["line"]
    assert same / len(invalid) > 0.99


def test_all_recorded_scripts_parse() -> None:
    cases = json.loads((DATA / "powershell-vectors.json").read_text(encoding="utf-8"))["cases"]
    assert [case["name"] for case in cases if parse(case["script"])[2]] == []


@pytest.mark.parametrize(
    ("script", "error_id"),
    [
        ("$a ? 1 : 2", "UnexpectedToken"),
        ("$a ?? 1", "UnexpectedToken"),
        ("a && b", "InvalidEndOfLine"),
        ("a || b", "InvalidEndOfLine"),
        ("Start-Sleep 1 &", "AmpersandNotAllowed"),
        ("${a}?.b", "UnexpectedToken"),
        ("if (", "IfStatementMissingCondition"),
        ("cat < file", "RedirectionNotSupported"),
        ("from x", "ReservedKeywordNotAllowed"),
        ("function f($a, $A) {}", "DuplicateFormalParameter"),
        ("@{a=1; A=2}", "DuplicateKeyInHashLiteral"),
        ("try {} finally { return }", "ControlLeavingFinally"),
        ("foreach -parallel ($i in 1) {}", "KeywordParameterReservedForFutureUse"),
        ("dir 2>&1 2>x", "StreamAlreadyRedirected"),
        ("@'\na\n '@", "WhitespaceBeforeHereStringFooter"),
        ("@'x\n'@", "UnexpectedCharactersAfterHereStringHeader"),
        ('"${a"', "IncompleteDollarVariableReference"),
        ('"$(1"', "IncompleteDollarSubexpressionReference"),
        ('"$a: b"', "InvalidVariableReferenceWithDrive"),
        ("99999999999999999999999999999999999999gb * 1", None),
        ("0xFFFFFFFFFFFFFFFFF + 1", "BadNumericConstant"),
        ("class A { [int] F() { } }", "MethodHasCodePathNotReturn"),
        ("class A { A() { } [string] $s = 'x'; static [void] F([int]$a) { return } }", None),
        ("enum E { A; B = 3 }", None),
        ("workflow w { parallel { a } }", None),
        ("#requires -version x", "RequiresVersionInvalid"),
    ],
)
def test_rules_of_5_1(script: str, error_id: str | None) -> None:
    assert first_error(script) == error_id


def expression(script: str) -> ast.ExpressionAst:
    tree, _, errors = parse(script)
    assert errors == []
    assert tree.end_block is not None
    pipeline = tree.end_block.statements[0]
    assert isinstance(pipeline, ast.PipelineAst)
    found = pipeline.get_pure_expression()
    assert found is not None
    return found


def test_precedence() -> None:
    plus = expression("1, 2 + 3 * 4")
    assert isinstance(plus, ast.BinaryExpressionAst)
    assert isinstance(plus.left, ast.ArrayLiteralAst)
    assert isinstance(plus.right, ast.BinaryExpressionAst)
    both = expression("$a -or $b -and $c")
    assert isinstance(both, ast.BinaryExpressionAst)
    assert both.operator is ast.TokenKind.And


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0xFF", 255),
        ("0xFFFFFFFF", -1),
        ("1kb", 1024),
        ("1.5kb", 1536.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2147483648", 2147483648),
    ],
)
def test_numbers(text: str, value: object) -> None:
    node = expression(text)
    assert isinstance(node, ast.ConstantExpressionAst)
    assert node.value == value


def test_strings_keep_where_their_expressions_stand() -> None:
    script = '"a $b $("x" + $c[0]) ""d"" $($e -join "","")"'
    node = expression(script)
    assert isinstance(node, ast.ExpandableStringExpressionAst)
    assert [n.extent.text for n in node.nested_expressions] == ["$b", '$("x" + $c[0])', '$($e -join "","")']
    assert node.pieces[0] == "a "
    assert node.pieces[4] == ' "d" '


def test_words_of_commands() -> None:
    tree, _, errors = parse("a-b 7z $x-y c:\\d\\*.txt a=1 -n:5 -- -x 010 --% raw | more %PATH%")
    assert errors == []
    command = tree.end_block.statements[0].pipeline_elements[0]  # type: ignore[union-attr]
    kinds = [type(e).__name__.removesuffix("ExpressionAst") for e in command.command_elements]
    assert kinds[:5] == ["StringConstant", "StringConstant", "ExpandableString", "StringConstant", "StringConstant"]
    assert [e.extent.text for e in command.command_elements[5:]] == ["-n:5", "--", "-x", "010", "--%", "raw "]


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    tree, _, errors = parse("(" * 100_000)
    assert errors
    assert tree.end_block is not None


def test_large_scripts_parse_quickly() -> None:
    script = "$a = @{ x = 'y'; z = 1..3 | ForEach-Object { $_ * 2 } }\n" * 5_000
    assert parse(script)[2] == []
