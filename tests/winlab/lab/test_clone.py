"""Servers that are copies of another one."""

from __future__ import annotations

from pathlib import Path

from tests.winlab.lab.conftest import LabCommand


def _run(lab: LabCommand, number: int, line: str) -> str:
    protocol = lab.protocol(number)
    shell = protocol.open_shell()
    output, _, code = protocol.get_command_output(shell, protocol.run_command(shell, line))
    protocol.close_shell(shell)
    assert code == 0
    return output.decode().replace("\r\n", "\n").strip()


def _file(lab: LabCommand, number: int, path: str) -> Path:
    return lab.state / "hosts" / f"SRV{number}" / "C" / path


def test_copies(lab: LabCommand) -> None:
    assert "no server 'SRV1'" in lab("up", "--hosts", "2", "--like", "SRV1", code=1)
    lab("up", "--hosts", "1", "--windows", "2019")
    _run(lab, 1, "mkdir C:\\data & echo one> C:\\data\\a.txt & mklink /h C:\\data\\b.txt C:\\data\\a.txt")
    _run(
        lab,
        1,
        "mkdir C:\\tools & echo x> C:\\tools\\t.txt & net user deploy Abcdef-123456 /add & reg add HKLM\\Software\\A /d 1",
    )
    _run(lab, 1, "icacls C:\\data\\a.txt /grant Guests:R")
    assert "no folder C:\\none" in lab("up", "--hosts", "2", "--like", "srv1", "--share", "C:\\none", code=1)
    assert "is a Windows 2019" in lab("up", "--hosts", "2", "--like", "SRV1", "--windows", "2022", code=1)

    lab("up", "--hosts", "3", "--like", f"{lab.network}.1", "--share", "c:\\TOOLS")
    status = lab.json("status")
    assert [host["windows"] for host in status["hosts"]] == ["2019"] * 3
    assert [lab.hostname(number) for number in (1, 2, 3)] == ["SRV1", "SRV2", "SRV3"]
    entries = _run(lab, 1, "icacls C:\\data\\a.txt")
    assert "Guests" in entries
    for number in (2, 3):
        assert _run(lab, number, "icacls C:\\data\\a.txt") == entries
        assert _run(lab, number, "echo %COMPUTERNAME%& type C:\\data\\a.txt") == f"SRV{number}\none"
        assert "deploy" in _run(lab, number, "net user")
        assert "REG_SZ" in _run(lab, number, "reg query HKLM\\Software\\A /ve")
    # Each has its own data, and what is linked within a server is linked within its copy; shared folders are one.
    _run(lab, 2, "echo two> C:\\data\\b.txt")
    assert [_run(lab, number, "type C:\\data\\a.txt") for number in (1, 2, 3)] == ["one", "two", "one"]
    assert _file(lab, 2, "tools/t.txt").samefile(_file(lab, 1, "tools/t.txt"))
    assert not _file(lab, 2, "data/a.txt").samefile(_file(lab, 1, "data/a.txt"))


def test_copies_are_there_after_a_restart(lab: LabCommand) -> None:
    lab("up", "--hosts", "1")
    lab("down")
    lab("up", "--hosts", "2", "--like", "SRV1")
    lab("down")
    lab("up")
    assert lab.hostname(2) == "SRV2"
    _file(lab, 2, "kept.txt").write_text("kept")
    lab("up", "--hosts", "3", "--like", "SRV2")
    assert _file(lab, 3, "kept.txt").read_text() == "kept"
