"""Errors: ids, what unwinds and what does not, what cannot be caught."""

from __future__ import annotations

import pytest

from winlab.powershell.runtime.engine import Limits

from .conftest import run_script

IDS = {
    "1/0": "RuntimeException",
    "[int]'x'": "InvalidCastFromStringToInteger",
    "[int]1e12": "InvalidCastIConvertible",
    "[System.DayOfWeek]'Noday'": "SubstringDisambiguationEnumParseThrewAnException",
    "$null.Foo()": "InvokeMethodOnNull",
    "'a'.Nope()": "MethodNotFound",
    "'abc'.Substring(1, 2, 3)": "MethodCountCouldNotFindBest",
    "'abc'.Substring(9)": "ArgumentOutOfRangeException",
    "[No.Such]::X": "TypeNotFound",
    "nosuch-command": "CommandNotFoundException",
    "$null[0]": "NullArray",
    "$a = 1, 2; $a[5] = 1": "System.IndexOutOfRangeException",
    "throw 'text'": "text",
    "([pscustomobject]@{a=1}).b = 2": "ExceptionWhenSetting",
    "'abc'.Length = 5": "PropertyAssignmentException",
    "[int]$i = 1; $i = 'q'": "RuntimeException",
    "Get-Variable -Nope": "NamedParameterNotFound,Microsoft.PowerShell.Commands.GetVariableCommand",
    "Get-Variable a b c d e": "PositionalParameterNotFound,Microsoft.PowerShell.Commands.GetVariableCommand",
    "function f { param([Parameter(Mandatory)]$a) }; f": "MissingMandatoryParameter,f",
    "function f { param([int]$a) }; f x": "ParameterArgumentTransformationError,f",
    "function f { param([ValidateSet('a')]$a) }; f x": "ParameterArgumentValidationError,f",
    "function f { param([Parameter(Mandatory)][string]$a) }; f ''": (
        "ParameterArgumentValidationErrorEmptyStringNotAllowed,f"
    ),
    "function f { [CmdletBinding()] param($a) }; f 1 2": "PositionalParameterNotFound,f",
    "function f { f }; f": "CallDepthOverflow",
}


@pytest.mark.parametrize("script", IDS)
def test_error_ids(script: str) -> None:
    caught = run_script(f"try {{ {script} }} catch {{ $_.FullyQualifiedErrorId }}")
    assert caught.refused is None
    assert caught.text == IDS[script]


def test_a_failed_statement_does_not_end_the_script() -> None:
    result = run_script("1/0; 'next'; function f { [int]'q'; 'in f' }; f")
    assert result.errors == ["RuntimeException", "InvalidCastFromStringToInteger"]
    assert result.text == "next|in f"


def test_it_unwinds_inside_try_even_of_a_caller() -> None:
    assert run_script("function f { 1/0; 'not' }; try { f; 'nor' } catch { 'caught' }").text == "caught"


def test_throw_ends_the_script() -> None:
    result = run_script("'a'; throw 'stop'; 'b'")
    assert (result.text, result.ended_by) == ("a", "stop")


def test_preferences_decide() -> None:
    assert run_script("$ErrorActionPreference = 'Stop'; 'a'; 1/0; 'b'").text == "a"
    assert run_script("$ErrorActionPreference = 'SilentlyContinue'; throw 'x'; 'after'").text == "after"


def test_typed_catch_sees_the_inner_exception() -> None:
    script = (
        "try { [int]::Parse('x') } catch [System.FormatException] { $_.Exception.GetType().Name } catch { 'other' }"
    )
    assert run_script(script).text == "FormatException"


def test_traps() -> None:
    assert run_script("trap { 'trapped'; continue }; throw 'x'; 'next'").text == "trapped|next"


def test_finally_runs_and_exit_leaves() -> None:
    result = run_script("try { 'a'; exit 3 } finally { 'f' }; 'never'")
    assert (result.text, result.exit_code) == ("a|f", 3)


def test_error_variables_collect_what_functions_report() -> None:
    script = (
        "function f { [CmdletBinding()] param() Write-Error 'one' -ErrorId A; Write-Warning 'w' }\n"
        "f -ErrorAction SilentlyContinue -ErrorVariable e -WarningVariable w -WarningAction SilentlyContinue; "
        '$e[0].FullyQualifiedErrorId; "$($w[0])"; $?'
    )
    assert run_script(script).text == "A,f|w|True"


def test_what_the_lab_lacks_cannot_be_caught() -> None:
    result = run_script("try { Register-ObjectEvent $x Exited } catch { 'caught' } finally { 'f' }; 'after'")
    assert "caught" not in result.lines
    assert "after" not in result.lines
    assert result.refused is not None
    assert "Register-ObjectEvent" in result.refused
    assert "line 1" in result.refused


@pytest.mark.parametrize(
    "script", [r"Get-ChildItem WSMan:\localhost", r"New-Item WSMan:\localhost\Listener -Transport HTTPS"]
)
def test_a_drive_that_every_windows_has_is_refused_by_name(script: str) -> None:
    assert "the drive WSMan:" in (run_script(script).refused or "")
    assert run_script(script.replace("WSMan:", "Nope:")).refused is None


def test_real_types_members_and_parameters_are_refused_by_name() -> None:
    assert "System.Windows" not in (run_script("[System.Net.FtpWebRequest]::new()").refused or "")
    for script, name in (
        ("[System.Reflection.Emit.DynamicMethod]::new('x', [int], $null)", "DynamicMethod"),
        ("Get-Command -Syntax x", "-Syntax"),
    ):
        refused = run_script(script).refused
        assert refused is not None
        assert name in refused


def test_runaway_scripts_end() -> None:
    result = run_script("try { while ($true) { } } catch { 'caught' }", Limits(seconds=0.5))
    assert result.limit is not None
    assert "0.5 seconds" in result.limit
    assert result.lines == []
