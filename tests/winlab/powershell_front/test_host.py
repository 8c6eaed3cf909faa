"""powershell.exe: its command line, its streams, its exit codes."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from winlab.powershell import clixml
from winlab.powershell.conformance import Outcome, Result, main
from winlab.powershell.host import decode_script, exit_code_of
from winlab.powershell.hostargs import BAD_START, UsageError, parse_arguments
from winlab.windows.machine import Machine
from winlab.windows.pipes import Pipe
from winlab.windows.processes import Console


def encoded(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode("ascii")


# --- the command line ---------------------------------------------------------------------------------------------------


def test_parameters_by_prefix() -> None:
    found = parse_arguments(["-NoP", "-NonI", "-ex", "bypass", "-o", "t", "-c", "a", "b c"])
    assert (found.no_profile, found.non_interactive, found.execution_policy, found.output_format) == (
        True,
        True,
        "Bypass",
        "Text",
    )
    assert found.command == "a b c"


@pytest.mark.parametrize("name", ["-EncodedCommand", "-enc", "-e", "-ec", "/e"])
def test_encoded_command(name: str) -> None:
    found = parse_arguments([name, encoded("exit 3")])
    assert (found.command, found.encoded) == ("exit 3", True)


def test_what_is_no_parameter_begins_the_command() -> None:
    assert parse_arguments(["-NoProfile", "Get-Date", "-Format", "o"]).command == "Get-Date -Format o"
    assert parse_arguments(["-foo", "x"]).command == "-foo x"


def test_file_takes_the_rest() -> None:
    found = parse_arguments(["-File", "a.ps1", "-Name", "x y", "-Switch"])
    assert (found.file, found.file_arguments) == ("a.ps1", ["-Name", "x y", "-Switch"])


def test_command_from_stdin() -> None:
    assert parse_arguments(["-Command", "-"]).from_stdin
    with pytest.raises(UsageError):
        parse_arguments(["-Command", "-", "x"])


@pytest.mark.parametrize("argv", [["-EncodedCommand", "***"], ["-ExecutionPolicy", "Nope"], ["-Command"], ["-File"]])
def test_refused_command_lines(argv: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_arguments(argv)
    assert caught.value.code == BAD_START


@pytest.mark.parametrize(("value", "code"), [(None, 0), (3, 3), ("7", 7), ("abc", 0), (True, 1), (-1, -1)])
def test_exit_codes(value: Any, code: int) -> None:
    assert exit_code_of(value) == code


def test_script_files_without_a_mark_are_ansi() -> None:
    assert decode_script("é€".encode("cp1252")) == "é€"
    assert decode_script(b"\xef\xbb\xbf" + "é".encode()) == "é"
    assert decode_script(b"\xff\xfe" + "é".encode("utf-16-le")) == "é"


# --- CLIXML ---------------------------------------------------------------------------------------------------------------


def test_control_characters_are_escaped() -> None:
    assert clixml.escape('a\r\n<b> & "c" _x000D_') == "a_x000D__x000A_&lt;b&gt; &amp; &quot;c&quot; _x005F_x000D_"
    assert clixml.unescape("a_x000D__x000A_ _x005F_x000D_") == "a\r\n _x000D_"


def test_progress_names_its_types_once() -> None:
    writer = clixml.ProgressWriter()
    text = writer.record("Preparing modules for first use.", completed=True) + writer.record("b")
    assert text.count("<TN ") == 1
    ElementTree.fromstring(f"<a>{text}</a>")


# --- on a server ------------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    code: int | None
    out: str
    err: str


class Server:
    def __init__(self, folder: Path) -> None:
        self.machine = Machine("SRV1", "2016", "127.0.0.1", folder)

    def run(self, arguments: str, stdin: str = "") -> Answer:
        pipes = [Pipe(None), Pipe(None), Pipe(None)]
        pipes[0].write(stdin.encode())
        pipes[0].close_write()
        process = self.machine.processes.start(
            f"powershell.exe -NoProfile -NonInteractive {arguments}",
            cwd="C:\\",
            user=self.machine.accounts.token("Administrator"),
            stdin=pipes[0],
            stdout=pipes[1],
            stderr=pipes[2],
            console=Console(65001),
        )
        code = process.wait(60)
        return Answer(code, pipes[1].read_available().decode(), pipes[2].read_available().decode())

    def file(self, script: str, arguments: str = "", stdin: str = "") -> Answer:
        self.machine.fs.write_bytes("C:\\script.ps1", script.encode())
        return self.run(f"-ExecutionPolicy Bypass -File C:\\script.ps1 {arguments}", stdin)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.machine.shutdown()


@pytest.mark.parametrize(
    ("script", "out", "code"),
    [
        ('"a"', "a\r\n", 0),
        ("exit 3", "", 3),
        ("throw 'x'", "", 1),
        ("Write-Error e", "", 1),
        ("Write-Error e; 'after'", "after\r\n", 0),
        ("nosuchcommand", "", 1),
        ("nosuchcommand; 'x'", "x\r\n", 0),
        ("if (", "", 1),
        ("$ErrorActionPreference = 'Stop'; Write-Error e; 'after'", "", 1),
        ("[Console]::Error.WriteLine('E'); 'o'", "o\r\n", 0),
        ("$host.SetShouldExit(9); 'x'", "x\r\n", 9),
        ("exit 'abc'", "", 0),
        ("cmd /c exit 4", "", 1),
        ("cmd /c exit 4; 'x'", "x\r\n", 0),
        ("cmd /c exit 4; exit $LASTEXITCODE", "", 4),
    ],
)
def test_exit_code_of_a_command(server: Server, script: str, out: str, code: int) -> None:
    answer = server.run(f'-Command "{script}"' if '"' not in script else f"-EncodedCommand {encoded(script)}")
    assert (answer.out, answer.code) == (out, code)


@pytest.mark.parametrize(
    ("script", "out", "code"),
    [
        ("exit 3", "", 3),
        ("'a'; throw 'x'; 'b'", "a\r\n", 1),
        ("Write-Error e; 'after'", "after\r\n", 0),
        ("cmd /c exit 4", "", 0),
        ("if (", "", 1),
        ('param($Name, [switch]$Loud) "$Name $Loud $args"', "x y True 5\r\n", 0),
    ],
)
def test_exit_code_of_a_file(server: Server, script: str, out: str, code: int) -> None:
    answer = server.file(script, '-Name "x y" -Loud 5' if "param" in script else "")
    assert (answer.out, answer.code) == (out, code)


def test_missing_file(server: Server) -> None:
    answer = server.run("-File C:\\nothing.ps1")
    assert answer.code == BAD_START
    assert "-File parameter does not exist" in answer.err


def test_errors_are_clixml_with_encoded_command(server: Server) -> None:
    script = "throw 'x'"
    answer = server.run(f"-EncodedCommand {encoded(script)}")
    assert answer.code == 1
    assert answer.err.startswith("#< CLIXML\r\n<Objs ")
    root = ElementTree.fromstring(answer.err.partition("\r\n")[2])
    texts = [clixml.unescape(e.text or "") for e in root if e.get("S") == "Error"]
    assert texts[0] == "x\r\n"
    assert texts[1] == "At line:1 char:1\r\n"
    assert texts[-1] == " \r\n"


def test_progress_is_clixml_with_encoded_command(server: Server) -> None:
    answer = server.run(f"-EncodedCommand {encoded('Write-Host x')}")
    assert "Preparing modules for first use." in answer.err
    silent = "$ProgressPreference = 'SilentlyContinue'; Write-Host x"
    assert server.run(f"-EncodedCommand {encoded(silent)}").err == ""
    assert server.run("-Command Write-Host x").err == ""


def test_errors_are_text_otherwise(server: Server) -> None:
    answer = server.run("-Command \"throw 'x'\"")
    assert answer.err.startswith("x\r\nAt line:1 char:1\r\n+ throw 'x'\r\n+ ~~~~~~~~~\r\n")
    assert "    + FullyQualifiedErrorId : x\r\n" in answer.err


def test_errors_of_a_script_itself_name_it(server: Server) -> None:
    answer = server.file("Write-Error e")
    assert answer.err.startswith("C:\\script.ps1 : e\r\n    + CategoryInfo ")
    assert "WriteErrorExceptio \r\n   n,script.ps1\r\n" in answer.err
    assert server.file("$MyInvocation.MyCommand.Path").out == "C:\\script.ps1\r\n"


def test_nobody_is_asked(server: Server) -> None:
    answer = server.run("-Command Read-Host x")
    assert (answer.out, answer.code) == ("", 1)
    assert "is in NonInteractive mode" in answer.err


def test_objects_survive_clixml(server: Server) -> None:
    script = """
$password = ConvertTo-SecureString secret -AsPlainText -Force
$credential = New-Object pscredential 'bob', $password
@{ d = [datetime]'2020-01-02 03:04:05.12'; t = [timespan]'1.01:00:02.5'; x = [xml]'<a>1</a>'; e = [DayOfWeek]1; l = 1, 2 } |
    Export-Clixml C:\\o.xml
$credential | Export-Clixml C:\\c.xml
$o = Import-Clixml C:\\o.xml
$o.d.ToString('o'); "$($o.t)"; $o.x.a; "$($o.e)"; $o.e.pstypenames[0]; $o.l.GetType().Name
(Import-Clixml C:\\c.xml).GetNetworkCredential().Password
"""
    assert server.file(script).out.split("\r\n") == [
        "2020-01-02T03:04:05.1200000",
        "1.01:00:02.5000000",
        "1",
        "Monday",
        "Deserialized.System.DayOfWeek",
        "ArrayList",
        "secret",
        "",
    ]


def test_host_text_goes_to_stdout(server: Server) -> None:
    script = "Write-Host 'h' -NoNewline; Write-Warning 'w'; Write-Verbose 'v' -Verbose; 'o'"
    answer = server.run(f'-Command "{script}"')
    assert answer.out == "hWARNING: w\r\nVERBOSE: v\r\no\r\n"
    assert answer.err == ""


def test_stdin_is_input(server: Server) -> None:
    script = "$input | ForEach-Object { 'got ' + $_ }"
    assert server.run(f'-Command "{script}"', "l1\nl2\n").out == "got l1\r\ngot l2\r\n"
    assert server.run(f"-EncodedCommand {encoded(script)}", "l1\nl2\n").out == "got l1\r\ngot l2\r\n"


def test_stdin_is_left_to_who_reads_it(server: Server) -> None:
    script = "[Console]::In.ReadLine(); [Console]::In.ReadLine()"
    assert server.run(f'-Command "{script}"', "l1\nl2\n").out == "l1\r\nl2\r\n"


def test_statements_from_stdin(server: Server) -> None:
    answer = server.run("-Command -", "'a'\nthrow 'x'\nif ($true) {\n'b'\n}\n\nexit 5\n'never'\n")
    assert (answer.out, answer.code) == ("a\r\nb\r\n", 5)


# --- counting -----------------------------------------------------------------------------------------------------------------


def test_conformance_counts(tmp_path: Path) -> None:
    cases = [
        {"name": "ok", "topic": "t", "script": "'a'", "stdout": ["a"], "exit": 0, "error": None, "errors": []},
        {"name": "bad", "topic": "t", "script": "'a'", "stdout": ["b"], "exit": 0, "error": None, "errors": []},
        {
            "name": "other",
            "topic": "u",
            "script": "",
            "stdout": [],
            "exit": 0,
            "error": None,
            "errors": [],
            "platform": "linux",
        },
    ]
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"cases": cases}))
    written: list[str] = []
    assert main([str(file), "--json", "--jobs", "1"], written.append) == 1
    found = json.loads(written[0])
    assert found["wrong_cases"] == ["bad"]
    assert found["total"] == {"cases": 2, "same": 1, "refused": 0, "wrong": 1, "skipped": 1}
    assert set(found["topics"]) == {"t", "u"}


def test_refusals_are_neither_same_nor_wrong() -> None:
    result = Result([Outcome("a", "t", "refused", "x"), Outcome("b", "t", "same")])
    assert result.counts() == {"cases": 2, "same": 1, "refused": 1, "wrong": 0, "skipped": 0}
    assert result.wrong_cases == []
