"""Overloads, conversions of arguments, references, delegates; the command lines of programs."""

from __future__ import annotations

import pytest

from winlab.powershell.runtime.binder import Argument
from winlab.powershell.runtime.native import LineSplitter, command_line

from .conftest import run_script

CASES = {
    "a string for char[] is taken apart": ("('a,b;c'.Split(',;')) -join '|'", "a|b|c"),
    "params arrays": ("[string]::Join('-', 'a', 'b'); [string]::Format('{0}{1}', 1, 2)", "a-b|12"),
    "numbers widen": ("[math]::Max(1, 2).GetType().Name; [math]::Max(1L, 2).GetType().Name", "Int32|Int64"),
    "arguments are converted": ("'abc'.Substring('1'); [char]::IsDigit('5')", "bc|True"),
    "enums by name": ("'AbC'.Equals('abc', 'OrdinalIgnoreCase')", "True"),
    "out parameters": ("$n = 0; [int]::TryParse('7', [ref]$n); $n", "True|7"),
    "script blocks as delegates": (
        "$l = [Collections.Generic.List[int]]@(1, 2, 3); ($l.FindAll({ $args[0] -gt 1 })) -join ','",
        "2,3",
    ),
    "delegates are called": ("[Func[int,int]]$d = { param($x) $x * 2 }; $d.Invoke(4); $d.GetType().Name", "8|Func`2"),
    "null is an empty string for String": ("[string]::IsNullOrEmpty($null); 'a'.Contains($null)", "True|True"),
    "NullString stays null": ("[string]::IsNullOrEmpty([NullString]::Value)", "True"),
    "methods as objects": ("$m = 'abc'.ToUpper; $m.Invoke(); $m.GetType().Name", "ABC|PSMethod"),
    "generic types close over their arguments": (
        "[Collections.Generic.Dictionary[string,int]]::new().GetType().Name",
        "Dictionary`2",
    ),
    "hashtables build objects": ("class P { $x = 1 }; ([P]@{ x = 5 }).x", "5"),
}


@pytest.mark.parametrize("name", CASES)
def test_calls(name: str) -> None:
    script, expected = CASES[name]
    result = run_script(script)
    assert result.refused is None
    assert result.errors == []
    assert result.text == expected


def test_types_of_other_assemblies_need_add_type() -> None:
    script = (
        "try { [System.IO.Compression.ZipFile].Name } catch { $_.FullyQualifiedErrorId }\n"
        "Add-Type -AssemblyName System.IO.Compression.FileSystem; [System.IO.Compression.ZipFile].Name"
    )
    assert run_script(script).text == "TypeNotFound|ZipFile"


def test_command_lines_are_those_of_5_1() -> None:
    """Spaces are quoted, quotes are passed on as they are, empty arguments vanish."""

    def line(*values: object) -> str:
        return command_line("C:\\p.exe", [Argument(None, v, True) for v in values])

    assert line("a b", "c") == '"C:\\p.exe" "a b" c'
    assert line('say "hi"') == '"C:\\p.exe" "say "hi""'
    assert line("", None, "x") == '"C:\\p.exe" x'
    assert line("C:\\a b\\") == '"C:\\p.exe" "C:\\a b\\\\"'
    named = [Argument("o", None, False, None, "-o"), Argument("n", "v", True, None, "-n:")]
    assert command_line("C:\\p.exe", named) == '"C:\\p.exe" -o -n:v'


def test_lines_split_anywhere() -> None:
    lines: list[str] = []
    splitter = LineSplitter("utf-8", lines.append)
    for byte in "é\r\nb\nc".encode():
        splitter.feed(bytes([byte]))
    splitter.feed(b"", True)
    assert lines == ["é", "b", "c"]
