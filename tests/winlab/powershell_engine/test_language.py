"""The language: what scripts put out. Expected values are those of Windows PowerShell 5.1."""

from __future__ import annotations

import pytest

from .conftest import run_script

CASES = {
    # numbers
    "integer overflow gives a double": ("(2147483647 + 1).GetType().Name; 2147483647 + 1", "Double|2147483648"),
    "division stays whole when it can": ("6/2; 5/2; (6/2).GetType().Name", "3|2.5|Int32"),
    "casts round half to even": ("[int]2.5; [int]3.5; [int]-2.5", "2|4|-2"),
    "the sign of a remainder is the dividend's": ("-7 % 3; 7 % -3", "-1|1"),
    "doubles show 15 digits": ("0.1 + 0.2; 1/3; 1e15; 1e20", "0.3|0.333333333333333|1E+15|1E+20"),
    "literals take suffixes": ("1kb; 0xff; 5l.GetType().Name; 1.5d.GetType().Name", "1024|255|Int64|Decimal"),
    "a string on the right becomes a number": ("1 + '2.5'; '5' - 2; '3' * 2", "3.5|3|33"),
    "bits": ("5 -band 3; 5 -bor 3; 5 -bxor 3; -bnot 5; 1 -shl 4; -16 -shr 2", "1|7|6|-6|16|-4"),
    # comparison
    "the left side decides": ("1 -eq '1'; '01' -eq 1; 1 -eq '01'; $null -eq ''", "True|False|True|False"),
    "truth and numbers": ("$true -eq 2; 2 -eq $true; $null -lt 0", "True|False|True"),
    "arrays on the left filter": ("(1,2,3 -gt 1) -join ','; @(1,2) -eq 3 | % { 'none' }", "2,3"),
    "case": ("'abc' -eq 'ABC'; 'abc' -ceq 'ABC'; 'a' -clike 'A*'", "True|False|False"),
    # text
    "composite format": ("'{0:N1}|{1,5}|{2,-3}|' -f 1234.56, 'ab', 'c'", "1,234.6|   ab|c  |"),
    "match fills $Matches": ("$null = 'k=v' -match '(?<n>\\w)=(\\w)'; $Matches.n; $Matches[1]", "k|v"),
    "a failed match leaves $Matches": ("$null = 'a1' -match '\\d'; $null = 'b' -match '\\d'; $Matches[0]", "1"),
    "split": ("('a,b,c' -split ',', 2) -join '|'; (-split ' a  b ') -join '|'", "a|b,c|a|b"),
    "a script block as replacement is text": ("'abc' -replace 'b', { 'x' }", "a 'x' c"),
    "nested arrays in strings show their type": ('"$(1, (2, 3))"; "$(,@(1,2))"', "1 System.Object[]|1 2"),
    # arrays and dictionaries
    "indexes": ("$a = 1..5; $a[-1]; $a[1..2] -join ','; $a[0,-1] -join ','; $null -eq $a[9]", "5|2,3|1,5|True"),
    "a scalar is a collection of one": ("$x = 5; $x[0]; $x[-1]; $x.Count; $null -eq $x[1]", "5|5|1|True"),
    "ordered tables": ("$o = [ordered]@{b=1; a=2}; $o.Keys -join ','; $o[0]; $o['A']", "b,a|1|2"),
    "keys know their type": ("$h = @{1='i'}; $h['1'] -eq $null; $h[1]", "True|i"),
    "member enumeration": ("$l = @{v=1}, @{v=2}; $l.v -join ','; (1,2).Length", "1,2|2"),
    "multiple assignment": ('$a, $b, $c = 1, 2; "$a-$b-$c"; $a, $b = 1, 2, 3; "$a|$b"', "1-2-|1|2 3"),
    # flow
    "labels": (':o foreach ($i in 1..3) { foreach ($j in 1..3) { if ($j -eq 2) { continue o }; "$i$j" } }', "11|21|31"),
    "switch tries every clause": ("switch (3) { {$_ -gt 2} {'big'} 3 {'three'} default {'none'} }", "big|three"),
    "switch forms": (
        "switch -Wildcard ('abc') { 'a*' {'w'} }; switch -Regex ('a1') { '(\\d)' { $Matches[1] } }; switch -CaseSensitive ('A') { 'a' {1} 'A' {2} }",
        "w|1|2",
    ),
    "break leaves the caller's loop": ("function f { break }; foreach ($i in 1..3) { if ($i -eq 2) { f }; $i }", "1"),
    "$foreach": ("foreach ($x in 1..4) { $x; if ($x -eq 2) { $null = $foreach.MoveNext() } }", "1|2|4"),
    # functions and scopes
    "dynamic scope": ("function a { $v = 'l'; b }; function b { $v }; $v = 'g'; a; b", "l|g"),
    "closures": ("$y = 1; $c = { $y }.GetNewClosure(); $y = 2; & $c", "1"),
    "a compound assignment makes a local": ("$x = 1; function F { $x += 10; $x }; F; $x", "10|1"),
    "splatting": ('function f($a, $b) { "$a-$b" }; $h = @{b=2; a=1}; f @h; $l = 3, 4; f @l', "1-2|3-4"),
    "unbound arguments": ("function f { $args -join '|' }; f -a 1 -b:2 c", "-a|1|-b:|2|c"),
    "begin, process, end": ("function f { begin {'b'} process {$_} end {'e'} }; 1,2 | f", "b|1|2|e"),
    "what begin writes comes after the next one's begin": (
        "function a { begin {'A'} }; function b { begin {'b'} process { \"<$_>\" } end {'e'} }; a | b",
        "b|<A>|e",
    ),
    "a cmdlet that writes while it begins": (
        "New-Object psobject | % { 1 } -End { 2 }; New-Object psobject | select -First 1 | % { 3 } -Begin { 4 }",
        "1|2|4|3",
    ),
    "the default set counts, also when it lacks something that another does not need": (
        "function g { [CmdletBinding(DefaultParameterSetName='N')] param([Parameter(ParameterSetName='N',Mandatory,ValueFromPipeline)]$n,"
        "[Parameter(ParameterSetName='I',ValueFromPipeline)]$i) process { 'ran' } }; try { g } catch { $_.FullyQualifiedErrorId }",
        "MissingMandatoryParameter,g",
    ),
    "return unrolls": ("function f { return ,@(1,2) }; (f).Count; function g { return @() }; $null -eq (g)", "2|True"),
    "nothing stays nothing": ("$r = & {}; @($r).Count; @($null).Count", "0|1"),
    "[ref]": ("function f([ref]$r) { $r.Value = 7 }; $z = 1; f ([ref]$z); $z", "7"),
    "filters": ("filter d { $_ * 2 }; 1,2 | d", "2|4"),
    # classes
    "classes": (
        "class A { [int]$n = 1; A([int]$x) { $this.n = $x } [int] Twice() { 'dropped'; return $this.n * 2 } static [string] S() { return 's' } }\n"
        "class B : A { B() : base(5) {} [int] Twice() { return ([A]$this).Twice() + 1 } }\n"
        "[A]::new('4').Twice(); [B]::new().Twice(); [A]::S(); [B]::new() -is [A]",
        "8|11|s|True",
    ),
    "enums": ("enum E { A; B = 5; C }; [int][E]::C; [E]'b'; [E]::A -eq 0", "6|B|True"),
}


@pytest.mark.parametrize("name", CASES)
def test_language(name: str) -> None:
    script, expected = CASES[name]
    result = run_script(script)
    assert result.refused is None
    assert result.ended_by is None
    assert result.errors == []
    assert result.text == expected


def test_output_streams_one_object_at_a_time() -> None:
    script = '$log = @(); 1..3 | % { $log += "a$_"; $_ } | % { $log += "b$_" }; $log -join \' \''
    assert run_script(script).text == "a1 b1 a2 b2 a3 b3"


def test_select_first_stops_what_comes_before() -> None:
    script = "$n = 0; $r = 1..1000 | % { $n++; $_ } | Select-Object -First 2; \"$n $($r -join ',')\""
    assert run_script(script).text == "2 1,2"


def test_strict_mode() -> None:
    script = "Set-StrictMode -Version 2; $nope; (1).Nope; $h = @{}; $h.nope; 'end'"
    result = run_script(script)
    assert result.errors == ["VariableIsUndefined", "PropertyNotFoundStrict", "PropertyNotFoundStrict"]
    assert result.text == "end"


def test_modules_hide_what_they_do_not_export() -> None:
    script = (
        '$m = New-Module -Name M { $s = 1; function pub { $script:s++; priv }; function priv { "p$s" }; Export-ModuleMember -Function pub }\n'
        "pub; pub; Get-Command priv -ErrorAction SilentlyContinue"
    )
    assert run_script(script).text == "p2|p3"
