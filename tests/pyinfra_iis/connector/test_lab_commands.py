"""Commands on a server of the lab (or on a real PowerShell, see conftest)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pyinfra.api import HiddenValue
from pyinfra.api.host import Host

from tests.labkit import Lab

from .conftest import PWSH

windows_only = pytest.mark.skipif(bool(PWSH), reason="needs Windows behind PowerShell")


def ps(host: Host, script: str, **arguments: object) -> tuple[bool, list[str], list[str]]:
    status, output = host.run_shell_command(script, **arguments)
    return status, output.stdout_lines, output.stderr_lines


def code(host: Host, script: str, **arguments: object) -> int:
    """The exit code, found by asking for it."""
    for expected in (0, 1, 2, 3, 4, 5, 7, -1, 3010, 259):
        if host.run_shell_command(script, _success_exit_codes=[expected], **arguments)[0]:
            return expected
    raise AssertionError("another exit code")


def test_output_and_requests(lab: Lab, host: Host) -> None:
    ps(host, "'warm'")
    before = lab.stats()
    for number in range(20):
        assert ps(host, f"'a{number}'; 'ü€😀'; {number} + 1") == (True, [f"a{number}", "ü€😀", str(number + 1)], [])
    after = lab.stats()
    assert after["requests"] - before["requests"] == 40
    assert after["powershell_starts"] == before["powershell_starts"]


def test_streams_in_order(host: Host) -> None:
    status, output = host.run_shell_command(
        "'one'; Write-Error 'bad'; Write-Host 'two'; Write-Warning 'careful'; 'three'; [Console]::Out.WriteLine('four')"
    )
    assert status
    assert output.stdout_lines == ["one", "two", "three", "four"]
    assert "bad" in output.stderr and "WARNING: careful" in output.stderr_lines
    kinds = [(line.buffer_name, line.line) for line in output]
    assert (
        kinds.index(("stdout", "one"))
        < next(i for i, k in enumerate(kinds) if "bad" in k[1])
        < kinds.index(("stdout", "two"))
    )


def test_objects_are_shown_as_powershell_shows_them(host: Host) -> None:
    _, out, _ = ps(host, "[pscustomobject]@{ Name = 'a'; Size = 12 }")
    text = "\n".join(out)
    assert "Name" in text and "Size" in text and "12" in text


@pytest.mark.parametrize(
    ("script", "expected"),
    [("'a'", 0), ("exit 3", 3), ("EXIT 3", 3), ("if ($true) { exit 5 }", 5), ("throw 'x'", 1), ("Write-Error e", 1), ("Write-Error e; 'after'", 0),
     ("nosuchcommand", 1), ("nosuchcommand; 'x'", 0), ("if (", 1), ("$ErrorActionPreference='Stop'; Write-Error e; 'after'", 1),
     ("function f { exit 4 }; f; 'not here'", 4), ("try { throw 'x' } catch { exit 7 }", 7), ("$code = 3010; exit $code", 3010)],
)  # fmt: skip
def test_exit_codes(host: Host, script: str, expected: int) -> None:
    assert code(host, script) == expected


def test_exit_ends_the_script_and_not_the_loop(lab: Lab, host: Host) -> None:
    before = lab.stats()["powershell_starts"]
    assert ps(host, "'a'; exit 2; 'b'")[:2] == (False, ["a"])
    assert ps(host, "'c'")[1] == ["c"]
    assert lab.stats()["powershell_starts"] == before


def test_errors_say_what_and_where(host: Host) -> None:
    status, _, err = ps(host, "$x = 1\nthrow 'this went wrong'")
    assert not status and any("this went wrong" in line for line in err)
    status, _, err = ps(host, "Get-Item -LiteralPath ./no-such-thing -ErrorAction Stop")
    assert not status and "no-such-thing" in " ".join(err)


def test_nothing_leaks_from_one_command_to_the_next(host: Host) -> None:
    ps(
        host,
        "$leak = 1; function leaked { 'x' }; $env:LEAK = 'x'; Set-Alias la Get-Date; [Environment]::CurrentDirectory = [IO.Path]::GetTempPath()",
    )
    here = ps(host, "[Environment]::CurrentDirectory")[1]
    _, out, _ = ps(host, '"[$leak][$env:LEAK]"; [bool](Get-Command leaked, la -ErrorAction SilentlyContinue)')
    assert out == ["[][]", "False"]
    assert here == ps(host, "[Environment]::CurrentDirectory")[1]


def test_environment_and_folder(host: Host, folder: str) -> None:
    ps(host, f"[void][IO.Directory]::CreateDirectory('{folder}with [x]')")
    _, out, _ = ps(
        host,
        "$env:A; $env:B; (Get-Location).Path",
        _env={"A": "1 'x' \"y\"", "B": HiddenValue("ü")},
        _chdir=f"{folder}with [x]",
    )
    assert out == ["1 'x' \"y\"", "ü", f"{folder}with [x]"]


def test_a_folder_that_is_not_there(host: Host, folder: str) -> None:
    status, _, err = ps(host, "'x'", _chdir=f"{folder}nowhere")
    assert not status and err
    assert ps(host, "'x'") == (True, ["x"], [])


def test_stdin_is_input(host: Host) -> None:
    assert ps(host, '$input | ForEach-Object { "got $_" }', _stdin="a\nb")[1] == ["got a", "got b"]
    assert ps(host, "[Console]::In.ReadLine(); [Console]::In.ReadToEnd().Length", _stdin=["a", "bc"])[1] == ["a", "3"]
    assert ps(host, "[Console]::In.ReadToEnd().Length")[1] == ["0"]


def test_large_output_and_large_scripts(host: Host) -> None:
    status, out, _ = ps(host, "'x' * 3000000")
    assert status and len(out) == 1 and len(out[0]) == 3_000_000
    padding = "\n".join(f"# line {n} {'=' * 90}" for n in range(20_000))
    assert ps(host, padding + "\n'end'")[1] == ["end"]
    assert len(ps(host, '1..3000 | ForEach-Object { "line $_" }')[1]) == 3000


def test_output_streams_while_it_runs(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyinfra_iis.connector import winrm

    seen: list[tuple[float, str]] = []
    monkeypatch.setattr(winrm, "echo", lambda text, **_: seen.append((time.monotonic(), text)))
    status, output = host.run_shell_command("'first'; Start-Sleep -Seconds 2; 'last'", print_output=True)
    assert status and output.stdout_lines == ["first", "last"]
    times = {text.split()[-1]: at for at, text in seen}
    assert times["last"] - times["first"] > 1


@pytest.mark.parametrize("script", ["Start-Sleep -Seconds 60", "while ($true) { }", "[Threading.Thread]::Sleep(60000)"])
def test_timeout_ends_the_command_and_the_host_goes_on(host: Host, script: str) -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        host.run_shell_command(script, _timeout=2)
    assert time.monotonic() - start < 20
    assert ps(host, "'fine'") == (True, ["fine"], [])


def test_recycling(lab: Lab, new_host: Callable[..., Host]) -> None:
    host = new_host(winrm_recycle_after=4)
    before = lab.stats()["powershell_starts"]
    for number in range(9):
        assert ps(host, f"{number}")[1] == [str(number)]
    assert lab.stats()["powershell_starts"] - before == 3


@windows_only
def test_cmd_is_cmd(host: Host) -> None:
    assert ps(host, "echo a&& echo b& exit 3", _shell_executable="cmd", _success_exit_codes=[3])[:2] == (
        True,
        ["a", "b"],
    )
    assert ps(host, "echo %A% & cd", _shell_executable="cmd", _env={"A": "x y"}, _chdir="C:\\Windows")[1] == [
        "x y ",
        "C:\\Windows",
    ]
    status, out, err = ps(host, "echo out& echo err 1>&2", _shell_executable="cmd")
    assert (status, out, [line.strip() for line in err]) == (True, ["out"], ["err"])
    assert code(host, "exit 7", _shell_executable="cmd") == 7


@windows_only
def test_a_program_as_the_shell(host: Host) -> None:
    status, _, err = ps(host, "x", _shell_executable="C:\\no\\such.exe")
    assert not status and err


@windows_only
def test_natives_in_powershell(host: Host) -> None:
    assert ps(host, "cmd /c echo hi; cmd /c exit 4")[1] == ["hi"]
    assert code(host, "cmd /c exit 4") == 4
    assert code(host, "cmd /c exit 4; 'x'") == 0
    assert code(host, "cmd /c exit 4; exit $LASTEXITCODE") == 4
    _, output = host.run_shell_command("cmd /c 'echo e 1>&2'; 'after'")
    assert output.stdout_lines == ["after"] and output.stderr.strip() == "e"


@windows_only
def test_what_a_program_writes_to_stderr_is_no_failure(host: Host) -> None:
    assert code(host, "cmd /c 'echo e 1>&2'") == 0
    assert code(host, "cmd /c 'echo e 1>&2' 2>$null") == 0
    assert code(host, "cmd /c 'echo e 1>&2 & exit 4'") == 4
    assert code(host, "cmd /c 'echo e 1>&2'; Get-Item nosuch -ErrorAction SilentlyContinue") == 1
    assert code(host, "Get-Item nosuch -ErrorAction SilentlyContinue; cmd /c 'echo e 1>&2'") == 0


@windows_only
def test_programs_write_utf8_whatever_the_last_command_did_to_the_console(host: Host) -> None:
    for change, shell in (
        ("", "ps"),
        ("[Console]::OutputEncoding = [Text.Encoding]::GetEncoding(850)", "ps"),
        ("chcp 850", "cmd"),
    ):
        ps(host, change, _shell_executable=shell)
        assert ps(host, "echo ü", _shell_executable="cmd")[1] == ["ü"]
        assert ps(host, "cmd /c 'echo ü'; cmd /c chcp")[1] == ["ü", "Active code page: 65001"]


@windows_only
def test_programs_find_an_empty_stdin(host: Host) -> None:
    assert ps(host, "findstr x; 'after'", _timeout=20)[1] == ["after"]
    assert ps(host, "cmd /c 'findstr x'; 'after'", _timeout=20)[1] == ["after"]
    assert ps(host, "findstr x", _shell_executable="cmd", _stdin="axb\nc", _timeout=20)[1] == ["axb"]


@windows_only
def test_process_per_command(lab: Lab, new_host: Callable[..., Host]) -> None:
    host = new_host(winrm_process_per_command=True)
    before = lab.stats()["powershell_starts"]
    assert ps(host, "'a'; exit 3", _success_exit_codes=[3])[:2] == (True, ["a"])
    assert ps(host, "$env:X", _env={"X": "ü"})[1] == ["ü"]
    assert ps(host, 'echo "a & b"& echo c& exit 3', _shell_executable="cmd", _success_exit_codes=[3])[:2] == (
        True,
        ['"a & b"', "c"],
    )
    with pytest.raises(TimeoutError):
        host.run_shell_command("Start-Sleep 60", _timeout=2)
    assert ps(host, "'b'")[1] == ["b"]
    assert lab.stats()["powershell_starts"] - before == 4
