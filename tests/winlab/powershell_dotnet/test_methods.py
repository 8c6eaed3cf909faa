"""Methods found by reflection: called, and bound to delegates."""

from __future__ import annotations

from tests.winlab.powershell_dotnet.conftest import Run


def test_a_method_as_predicate_of_the_syntax_tree(run: Run) -> None:
    script = """
$Kind = [System.Management.Automation.Language.ExitStatementAst]
$Test = [type].GetMethod('IsInstanceOfType').CreateDelegate([Func[System.Management.Automation.Language.Ast, bool]], $Kind)
$Tree = [System.Management.Automation.Language.Parser]::ParseInput('if ($x) { exit 3 }; function f { exit }', [ref] $null, [ref] $null)
foreach ($Node in $Tree.FindAll($Test, $true)) { "$Node" }
"inner: $(@($Tree.FindAll($Test, $false)).Count)"
"""
    assert run(script) == ["exit 3", "exit", "inner: 1"]


def test_methods_are_found_by_name_and_types_and_called(run: Run) -> None:
    script = """
$Method = [string].GetMethod('IndexOf', [type[]] @([string]))
"$Method; $($Method.Name); $($Method.IsStatic); $($Method.ReturnType)"
$Method.Invoke('abc', @('c'))
[int].GetMethod('Parse', [type[]] @([string])).Invoke($null, @('12'))
$null -eq [string].GetMethod('indexof')
"""
    assert run(script) == ["Int32 IndexOf(System.String); IndexOf; False; int", "2", "12", "True"]


def test_what_cannot_be_found_called_or_bound_is_said(run: Run) -> None:
    script = """
$Method = [type].GetMethod('IsInstanceOfType')
$Tries = { [string].GetMethod('IndexOf') }, { $Method.CreateDelegate([Func[int, bool]], [string]) }, { $Method.CreateDelegate([string]) },
    { $Method.Invoke($null, @(1)) }, { $Method.Invoke([string], @()) }, { $Method.Invoke('text', @(1)) }
foreach ($Try in $Tries) { try { & $Try } catch { $_.Exception.InnerException.Message } }
"""
    assert run(script) == [
        "Ambiguous match found.",
        "Cannot bind to the target method because its signature or security transparency is not compatible with that of the delegate type.",
        "Type must derive from Delegate.\r\nParameter name: delegateType",
        "Non-static method requires a target.",
        "Parameter count mismatch.",
        "Object does not match target type.",
    ]
