"""The same text is parsed and compiled once for all runspaces; what one of them has made of it is not the others'."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from winlab.powershell.parser import _Parsed, parse

from .conftest import run_script

FUNCTION = """
Invoke-Expression @'
function Get-It([ValidateScript({ $_ -ne $script:Wrong })][string]$Name = $named) { "$Name-$named" }
Get-It
Get-It c
'@
"""

CLASS = """
class Thing { [string] Name() { return "$Given" } }
function Show([Thing]$It) { $It.Name() }
Show ([Thing]::new())
Show 'no thing'
"""


def test_the_same_text_is_the_same_tree() -> None:
    first, tokens, _ = parse("Get-Item 'C:\\shared'")
    second, more_tokens, _ = parse("Get-Item 'C:\\shared'")
    assert first is second
    assert tokens == more_tokens and tokens is not more_tokens
    assert parse("Get-Item 'C:\\shared'", "C:\\a.ps1")[0] is not first


def test_defaults_and_validation_are_those_of_the_runspace() -> None:
    for name in ("a", "b"):
        assert run_script(f"$named = '{name}'\n{FUNCTION}").lines == [f"{name}-{name}", f"c-{name}"]
        refused = run_script(f"$Wrong = 'c'\n$named = '{name}'\n{FUNCTION}")
        assert refused.lines == [f"{name}-{name}"]
        assert refused.errors == ["ParameterArgumentValidationError,Get-It"]


def test_a_class_is_that_of_its_runspace() -> None:
    for _ in range(3):
        result = run_script(CLASS)
        assert result.lines == [""]
        assert result.errors == ["ParameterArgumentTransformationError,Show"]
    assert "TypeNotFound" in run_script("Invoke-Expression '[Thing]'").errors


def test_names_mean_what_the_runspace_has_loaded() -> None:
    used = "Invoke-Expression '[System.IO.Compression.ZipFile].Name'"
    without = run_script(used)
    assert without.errors == ["TypeNotFound"]
    assert run_script("Add-Type -AssemblyName System.IO.Compression.FileSystem\n" + used).text == "ZipFile"
    assert run_script(used).errors == ["TypeNotFound"]


def test_many_runspaces_at_once() -> None:
    script = """
    function Add([int]$A, [int]$B = 2) { if ($A -gt 0) { Add ($A - 1) ($B + 1) } else { $B } }
    foreach ($i in 1..20) { Add $i }
    """
    expected = "|".join(str(i + 2) for i in range(1, 21))
    with ThreadPoolExecutor(6) as pool:
        assert {result.text for result in pool.map(run_script, [script] * 12)} == {expected}


def test_old_trees_are_let_go() -> None:
    parsed = _Parsed()
    parsed.LIMIT = 100  # type: ignore[misc]
    for number in range(10):
        parsed.put(f"{number:020}", None, parse("1"))
    assert parsed.get(f"{0:020}", None) is None
    assert parsed.get(f"{9:020}", None) is not None
    parsed.get(f"{5:020}", None)
    parsed.put("x" * 20, None, parse("1"))
    assert parsed.get(f"{5:020}", None) is not None
    assert parsed.get(f"{6:020}", None) is None
