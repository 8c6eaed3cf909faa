"""cmd.exe: expansion, operators, redirection, FOR, batch files, built-in commands."""

from __future__ import annotations

import pytest

NOT_FOUND = "'nosuch' is not recognized as an internal or external command,\noperable program or batch file.\n"


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("echo hi", "hi\n"),
        ("echo.", "\n"),
        ("echo(x", "x\n"),
        ("echo %OS%", "Windows_NT\n"),
        ("echo %os:~0,3% %OS:~-2% %OS:~1,-3% %OS:NT=xx% %OS:*_=%", "Win NT indows Windows_xx NT\n"),
        ("echo %NOPE% 100% %", "%NOPE% 100% %\n"),
        ('echo "a & b" ^& c ^^ ^| d', '"a & b" & c ^ | d\n'),
        ("echo a&echo b", "a\nb\n"),
        ("(echo a&echo b)", "a\nb\n"),
        ("echo a & (echo b & (echo c))", "a \nb \nc\n"),
        ("cd", "C:\\work\n"),
        ("echo %CD% %CMDEXTVERSION%", "C:\\work 2\n"),
        ('"echo "quoted" text"', '"quoted" text\n'),
        ('"hostname"', "SRV1\n"),
        ('"C:\\Windows\\System32\\hostname.exe"', "SRV1\n"),
        ("hostname && echo yes || echo no", "SRV1\nyes \n"),
        ("ver", "\nMicrosoft Windows [Version 10.0.14393]\n"),
        ("set /a (7+3)*2%3", "2"),
        ("set /a 0x10+010,5/-2", "-2"),
        ("set /a \"~5 ^ 3\"", "-7"),
        ("if a==a (echo y) else (echo n)", "y\n"),
        ("if /i A==a echo y", "y\n"),
        ("if not 1==2 echo y & echo z", "y \nz\n"),
        ("if 10 gtr 9 echo num", "num\n"),
        ("if abc lss abd echo str", "str\n"),
        ("if exist C:\\Windows\\*.ini echo y", "y\n"),
        ("if not exist nope echo y", "y\n"),
        ("if defined OS echo y", "y\n"),
        ("for %i in (a b,c) do @echo %i", "a\nb\nc\n"),
        ("for /l %i in (3,-1,1) do @echo %i", "3\n2\n1\n"),
        ('for /f "tokens=1,3 delims=," %a in ("x,y,z") do @echo %a-%b', "x-z\n"),
        ('for /f "tokens=1*" %a in ("one two three") do @echo %b', "two three\n"),
        ('for /f "usebackq delims=" %a in (`echo a b`) do @echo [%a]', "[a b]\n"),
        ("for /f %a in ('hostname') do @echo %a", "SRV1\n"),
        ('for %f in ("C:\\Windows\\win.ini") do @echo %~nf %~xf %~dpf %~f', "win .ini C:\\Windows\\ C:\\Windows\\win.ini\n"),
        ("echo b& echo a|sort", "b\na\n"),
        ("(echo b& echo a)|sort", "a\nb\n"),
        ("hostname|findstr /n SRV", "1:SRV1\n"),
        ("echo x>nul", ""),
        ("echo x 2>nul 1>&2", ""),
        ("call echo %^OS%", "Windows_NT\n"),
    ],
)  # fmt: skip
def test_prints(run, line: str, out: str) -> None:
    result = run.cmd(line)
    assert (result.out, result.err) == (out, "")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("exit 7", 7),
        ("exit /b 5", 5),
        ("echo x", 0),
        ("hostname -s", 1),
        ("hostname -s & echo x", 0),
        ("hostname -s || echo x", 0),
        ("hostname -s && echo x", 1),
        ("cmd /c exit 3", 3),
        ("cmd /c exit -1", -1),
        ("type nosuch", 1),
        ("del nosuch", 0),
        ("cd nosuch", 1),
        ("rd nosuch", 2),
        ("rd C:\\Windows", 145),
        ("set nosuch", 1),
        ("dir nosuch", 1),
        ("md C:\\Windows", 1),
        ("if 1==2 exit 3", 0),
    ],
)
def test_exit_codes(run, line: str, code: int) -> None:
    assert run.cmd(line).code == code


def test_unknown_command(run) -> None:
    result = run.cmd("nosuch")
    assert (result.code, result.out, result.err) == (1, "", NOT_FOUND)
    assert run("cmd /v:on /c nosuch & echo !errorlevel!").out == "9009\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("& echo x", "& was unexpected at this time.\n"),
        ("echo a | | echo b", "| was unexpected at this time.\n"),
        ("echo a >", "The syntax of the command is incorrect.\n"),
        ("if a", "The syntax of the command is incorrect.\n"),
        ("for %i in (a) echo", "echo was unexpected at this time.\n"),
    ],
)
def test_syntax_errors(run, line: str, message: str) -> None:
    result = run.cmd(line)
    assert result.err == message and result.code != 0 and result.out == ""


def test_redirection(run) -> None:
    fs = run.machine.fs
    run.cmd("echo one>a.txt & echo two>>a.txt")
    assert fs.read_bytes("C:\\work\\a.txt") == b"one \r\ntwo\r\n"
    assert run.cmd("sort <a.txt").out == "one \ntwo\n"
    run.cmd("nosuch >both.txt 2>&1")
    assert b"not recognized" in fs.read_bytes("C:\\work\\both.txt")
    run.cmd("(echo a & nosuch) >o.txt 2>e.txt")
    assert fs.read_bytes("C:\\work\\o.txt") == b"a \r\n" and b"nosuch" in fs.read_bytes("C:\\work\\e.txt")
    run.cmd(">first.txt echo x")
    assert fs.read_bytes("C:\\work\\first.txt") == b"x\r\n"
    result = run.cmd("echo x > C:\\nope\\f")
    assert (result.code, result.err) == (1, "The system cannot find the path specified.\n")
    with fs.open("C:\\work\\a.txt", "Open", "Read", "Read"):
        assert "used by another process" in run.cmd("echo x > a.txt").err


def test_line_limit(run) -> None:
    assert run.cmd("echo " + "x" * 8000).code == 0
    result = run.cmd("echo " + "x" * 8300)
    assert (result.code, result.err) == (1, "The command line is too long.\n")


def test_delayed_expansion(run) -> None:
    line = 'cmd /v:on /c "set A=1& for %i in (1 2) do @(set /a A*=3 >nul & echo !A! %A%)"'
    assert run(line).out.split() == ["3", "%A%", "9", "%A%"]
    assert run("cmd /c echo !OS!").out == "!OS!\n"


def test_unicode_output(run) -> None:
    run("cmd /u /c echo hi>u.txt")
    assert run.machine.fs.read_bytes("C:\\work\\u.txt") == "hi\r\n".encode("utf-16-le")
    assert run.cmd("type C:\\work\\nosuch").code == 1


def test_batch_arguments(run) -> None:
    result = run.batch("echo %0 %1 [%2] %~2 %*\nshift\necho %1 %~nx0 %~dp0\necho 100%% %NOPE%.\n", '1 "two words" 3')
    assert result.out == 't.cmd 1 ["two words"] two words 1 "two words" 3\n"two words" t.cmd C:\\work\\\n100% .\n'


def test_batch_flow(run) -> None:
    text = """setlocal enabledelayedexpansion
set N=0
:again
set /a N+=1
if !N! lss 3 goto again
echo %N%
call :sub a b
echo %errorlevel%
for /l %%i in (1,1,9) do (
  if %%i==2 goto out
  echo loop %%i
)
:out
endlocal & set KEEP=%N%
echo %KEEP%
exit /b 4
:sub
echo sub %1 %2
exit /b 9
"""
    result = run.batch(text)
    assert result.out == "3\nsub a b\n9\nloop 1\n3\n"
    assert result.code == 4


def test_batch_calls_and_chains(run) -> None:
    run.machine.fs.write_text("C:\\work\\inner.bat", "@echo inner %1\r\n@exit /b 2\r\n")
    result = run.batch("call inner one\necho back %errorlevel%\ninner two\necho never\n")
    assert (result.code, result.out) == (2, "inner one\nback 2\ninner two\n")


def test_batch_recursion_ends(run) -> None:
    result = run.batch("call %0\necho no\n")
    assert result.code == 1 and "R E C U R S I O N" in result.err and result.out == ""
    process = run.machine.processes.start("cmd /c loop.cmd", cwd="C:\\work")
    assert process.wait(5) == 1
    run.machine.fs.write_text("C:\\work\\loop.cmd", "@loop.cmd\r\n")
    process = run.machine.processes.start("cmd /c loop.cmd", cwd="C:\\work")
    assert process.wait(0.3) is None
    process.kill()


def test_batch_echo_and_labels(run) -> None:
    run.machine.fs.write_text("C:\\work\\e.bat", "echo hi\r\n@echo off\r\necho quiet\r\ngoto nowhere\r\necho never\r\n")
    result = run.cmd("e.bat")
    assert (
        result.out == "\nC:\\work>echo hi \nhi\n\nC:\\work>quiet\n".replace("\nC:\\work>quiet", "quiet")
        and result.code == 1
    )
    assert result.err == "The system cannot find the batch label specified - nowhere\n"


def test_setlocal_ends_with_the_file(run) -> None:
    run.machine.fs.write_text("C:\\work\\inner.cmd", "@setlocal\r\n@set X=inner\r\n@cd \\\r\n")
    assert run.batch("set X=outer\ncall inner\necho %X% %CD%\n").out == "outer C:\\work\n"


def test_lines_go_on(run) -> None:
    assert run.batch("echo one ^\ntwo\nif 1==1 (\n  echo a\n) else (\n  echo b\n)\n").out == "one two\na\n"


def test_for_echoes_what_it_repeats(run) -> None:
    assert run.cmd("for %i in (1 2) do echo %i").out == "\nC:\\work>echo 1 \n1\n\nC:\\work>echo 2 \n2\n"
    assert run("cmd /q /c for %i in (1 2) do echo %i").out == "1\n2\n"
    assert run.batch("for %%i in (1 2) do echo %%i").out == "1\n2\n"


def test_for_over_files(run) -> None:
    fs = run.machine.fs
    fs.mkdir("C:\\work\\d\\e", parents=True)
    for name in ("a.txt", "b.txt", "d\\c.txt", "d\\e\\f.txt"):
        fs.write_text(f"C:\\work\\{name}", f"; comment\r\n{name},1\r\n\r\n")
    assert run.cmd("for %f in (*.txt) do @echo %f").out == "a.txt\nb.txt\n"
    assert run.cmd("for /r %f in (*.txt) do @echo %~nf").out == "a\nb\nc\nf\n"
    assert run.cmd("for /d %d in (*) do @echo %d").out == "d\n"
    assert run.cmd('for /f "delims=, tokens=1,2" %a in (a.txt b.txt) do @echo %b %a').out == "1 a.txt\n1 b.txt\n"
    assert run.cmd("for /f %a in (nosuch.txt) do @echo %a").err == "The system cannot find the file nosuch.txt.\n"


def test_interactive_from_a_pipe(run) -> None:
    result = run("cmd", stdin="set X=5\necho %X%\nexit 3\n")
    assert result.code == 3
    assert result.out.startswith(
        "Microsoft Windows [Version 10.0.14393]\n(c) 2016 Microsoft Corporation. All rights reserved.\n\nC:\\work>set X=5\n\nC:\\work>echo %X%\n5\n"
    )
    assert run("cmd /q /k echo hi", stdin="echo there\n").out == "hi\nthere\n"


def test_files_and_folders(run) -> None:
    fs = run.machine.fs
    assert run.cmd("md a\\b c & dir /b").out == "a\nc\n"
    assert run.cmd("md a").err == "A subdirectory or file a already exists.\n"
    fs.write_text("C:\\work\\x.txt", "x")
    fs.write_text("C:\\work\\y.txt", "y")
    assert run.cmd("copy x.txt a").out == "        1 file(s) copied.\n"
    assert run.cmd("copy *.txt c").out == "x.txt\ny.txt\n        2 file(s) copied.\n"
    assert run.cmd("copy /b x.txt+y.txt z.txt").out == "        1 file(s) copied.\n"
    assert fs.read_bytes("C:\\work\\z.txt") == b"xy"
    assert (
        run.cmd("copy x.txt y.txt", stdin="n\n").out
        == "Overwrite C:\\work\\y.txt? (Yes/No/All):         0 file(s) copied.\n"
    )
    assert run.cmd("copy /y x.txt y.txt").code == 0
    assert run.cmd("ren x.txt x2.txt").code == 0
    assert run.cmd("ren x2.txt y.txt").err == "A duplicate file name exists, or the file\ncannot be found.\n"
    assert run.cmd("move x2.txt a").out == "        1 file(s) moved.\n"
    assert run.cmd("move a moved").out == "        1 dir(s) moved.\n"
    assert run.cmd("del z.txt nosuch.txt").err == "Could Not Find C:\\work\\nosuch.txt\n"
    assert not fs.exists("C:\\work\\z.txt")
    assert run.cmd("rd moved").err == "The directory is not empty.\n"
    assert run.cmd("rd /s moved", stdin="y\n").out == "moved, Are you sure (Y/N)? "
    assert run.cmd("rd /s /q c").code == 0 and run.cmd("dir /b /ad").out == ""


def test_listing(run) -> None:
    run.machine.fs.write_text("C:\\work\\file.txt", "12345")
    run.machine.fs.mkdir("C:\\work\\sub")
    lines = run.cmd("dir").out.splitlines()
    assert lines[0] == " Volume in drive C has no label." and lines[3] == " Directory of C:\\work"
    assert lines[7].endswith("                 5 file.txt") and lines[8].endswith("    <DIR>          sub")
    assert lines[9] == "               1 File(s)              5 bytes" and lines[10].endswith(" bytes free")
    assert run.cmd("dir /s /b C:\\work").out == "C:\\work\\file.txt\nC:\\work\\sub\n"
    result = run.cmd("dir nosuch.*")
    assert result.err == "File Not Found\n" and result.code == 1
    assert run.cmd("dir /x").code == 1


def test_directories_of_the_shell(run) -> None:
    assert run.cmd("cd \\Windows & cd system32 & cd").out == "C:\\Windows\\System32\n"
    assert run.cmd("pushd \\ & cd & popd & cd").out == "C:\\\nC:\\work\n"
    assert run.cmd("cd /d D:\\").err == "The system cannot find the drive specified.\n"
    assert run.cmd("cd \\\\server\\share").code == 1
    assert run.cmd("D:").code == 1


def test_variables(run) -> None:
    assert run.cmd('set "ZA=b c" & set ZA').out == "ZA=b c\n"
    assert run.cmd("set ZA=1& set ZAB=2& set za").out == "ZA=1\nZAB=2\n"
    assert run.cmd("set nosuch").err == "Environment variable nosuch not defined\n"
    assert run("cmd /v:on /c set /p X=Name? & echo !X!", stdin="me\n").out == "Name? me\n"
    assert run.cmd("set /a 1/0").err == "Divide by zero error.\n"
    assert run.cmd("set /a 1+").err == "Missing operand.\n"


def test_start_does_not_wait(run) -> None:
    process_count = run.machine.processes.started["ping.exe"]
    assert run.cmd('start "" /b ping -n 1 127.0.0.1').code == 0
    assert run.machine.processes.started["ping.exe"] == process_count + 1
    assert run.cmd("start /wait cmd /c exit 6").code == 6


def test_links(run) -> None:
    run.machine.fs.write_text("C:\\work\\f", "x")
    run.machine.fs.mkdir("C:\\work\\dir")
    assert "Hardlink created" in run.cmd("mklink /h g f").out
    assert "Junction created" in run.cmd("mklink /j j dir").out
    assert "<JUNCTION>" in run.cmd("dir").out


def test_refusals(run) -> None:
    for line in ("assoc", "dir /q", "date", "time"):
        result = run.cmd(line)
        assert result.code == 1 and "lab" in result.err
    assert run("cmd /c wmic os").code == 1


def test_killing_a_shell_ends_its_child_with_the_job(run) -> None:
    from winlab.windows.processes import Job

    job = Job()
    process = run.machine.processes.start('cmd /c "ping -n 60 127.0.0.1 & echo no"', job=job)
    while len(job.processes) < 2:
        pass
    job.terminate(5)
    assert process.wait(2) == 5 and not job.processes
