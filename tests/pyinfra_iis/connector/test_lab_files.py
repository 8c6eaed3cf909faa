"""Files to and from a server of the lab, and pyinfra's own file operations."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.host import Host
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.facts import files as file_facts
from pyinfra.facts import server as server_facts
from pyinfra.operations import files, python, server

from pyinfra_iis.connector.posix import literal
from tests.labkit import Lab

from .conftest import PWSH, connection

RANDOM = os.urandom(2_500_000)
TEXT = "".join(f"line {n} of a file that packs well\r\n" for n in range(40_000)).encode()


@pytest.fixture
def made(host: Host, folder: str) -> str:
    assert host.run_shell_command(f"[void][IO.Directory]::CreateDirectory('{folder}')")[0]
    return folder


@pytest.mark.parametrize("data", [b"", b"x", RANDOM, TEXT], ids=["empty", "one byte", "random", "text"])
def test_there_and_back(host: Host, made: str, data: bytes) -> None:
    assert host.put_file(io.BytesIO(data), f"{made}a.bin")
    assert host.put_file(io.BytesIO(data), f"{made}a.bin")
    back = io.BytesIO()
    assert host.get_file(f"{made}a.bin", back)
    assert back.getvalue() == data
    _, output = host.run_shell_command(f"[IO.Directory]::GetFileSystemEntries('{made}').Count")
    assert output.stdout == "1"


@pytest.mark.parametrize(
    "name",
    [
        "with space.txt",
        "it's.txt",
        "[brackets] (x).txt",
        "ümläut-€-日本.txt",
        "a&b;c%d^e!.txt",
        "$env.txt",
        "n" * 150 + ".txt",
    ],
)
def test_names(host: Host, made: str, name: str) -> None:
    assert host.put_file(io.BytesIO(b"data"), made + name)
    back = io.BytesIO()
    assert host.get_file(made + name, back)
    assert back.getvalue() == b"data"
    assert host.get_fact(file_facts.File, path=made + name)["size"] == 4  # type: ignore[index]


@pytest.mark.skipif(bool(PWSH), reason="Windows' own limit")
def test_paths_over_260_characters(host: Host, made: str) -> None:
    deep = made + "\\".join(["d" * 60] * 5)
    assert host.run_shell_command(f"[void][IO.Directory]::CreateDirectory('\\\\?\\{deep}')")[0]
    assert host.put_file(io.BytesIO(b"deep"), f"{deep}\\file.txt")
    back = io.BytesIO()
    assert host.get_file(f"{deep}\\file.txt", back) and back.getvalue() == b"deep"


def test_relative_paths_start_at_chdir(host: Host, made: str) -> None:
    assert host.put_file(io.BytesIO(b"rel"), "rel.txt", _chdir=made)
    back = io.BytesIO()
    assert host.get_file(f"{made}rel.txt", back) and back.getvalue() == b"rel"


def test_what_cannot_be_written_or_read_is_one_sentence(
    host: Host, made: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not host.put_file(io.BytesIO(b"x"), f"{made}no-such-folder/x.txt")
    assert not host.get_file(f"{made}no-such-file", io.BytesIO())
    assert not host.put_file(io.BytesIO(b"x"), made.rstrip("\\/"))
    lines = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) == 3
    assert "cannot write" in lines[0] and "cannot read" in lines[1]


def test_an_existing_local_file_is_only_replaced_by_a_whole_one(host: Host, made: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_text("old")
    assert not host.get_file(f"{made}nothing", str(tmp_path / "local"))
    assert (tmp_path / "local").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("local")] == ["local"]


def test_facts(host: Host, made: str) -> None:
    assert host.get_fact(file_facts.File, path=f"{made}a") is None
    assert host.get_fact(file_facts.Directory, path=made.rstrip("\\/"))
    host.put_file(io.BytesIO(b"hello\r\nworld\r\n"), f"{made}a")
    assert host.get_fact(file_facts.Directory, path=f"{made}a") is False
    assert host.get_fact(file_facts.Sha1File, path=f"{made}a") == hashlib.sha1(b"hello\r\nworld\r\n").hexdigest()
    assert host.get_fact(file_facts.FileContents, path=f"{made}a") == ["hello", "world"]
    assert host.get_fact(file_facts.FindFiles, path=made.rstrip("\\/")) == [f"{made.rstrip(chr(92) + '/')}/a"]
    assert host.get_fact(server_facts.TmpDir)
    assert host.get_fact(server_facts.Kernel) == ("Windows_NT")
    assert host.get_fact(server_facts.Date).tzinfo


@pytest.mark.skipif(bool(PWSH), reason="needs the simulated Windows")
def test_find_does_not_go_through_links(host: Host, made: str) -> None:
    base = made.rstrip("\\")
    host.run_shell_command(
        f"""[void](New-Item -ItemType Directory {base}\\a\\b, {base}\\other)
        foreach ($file in 'a\\1', 'a\\b\\2', 'other\\3') {{ [IO.File]::WriteAllText('{made}' + $file, 'x') }}
        [void](New-Item -ItemType Junction -Path {base}\\a\\link -Value {base}\\other)"""
    )
    assert host.get_fact(file_facts.FindFiles, path=f"{base}\\a") == [f"{base}\\a/1", f"{base}\\a/b/2"]
    assert host.get_fact(file_facts.FindDirectories, path=f"{base}\\a") == [f"{base}\\a/b"]
    assert host.get_fact(file_facts.FindLinks, path=f"{base}\\a") == [f"{base}\\a/link"]


@pytest.mark.skipif(bool(PWSH), reason="needs the simulated Windows")
def test_a_log_that_is_being_written_can_be_read(
    host: Host, new_host: Callable[..., Host], made: str, folder: str
) -> None:
    name = f"{made}log"
    holder = (
        f"$log = [IO.File]::Open('{name}', 'Create', 'Write', 'Read'); $log.WriteByte(65); $log.Flush(); Start-Sleep 20"
    )
    host.run_shell_command(f"Start-Process powershell '-NoProfile', '-Command', {literal(holder)}")
    host.run_shell_command(
        f"foreach ($i in 1..50) {{ if ([IO.File]::Exists('{name}')) {{ break }}; Start-Sleep -Milliseconds 100 }}"
    )
    assert not host.run_shell_command(f"[IO.File]::ReadAllText('{name}')")[0]
    assert host.get_fact(file_facts.FileContents, path=name) == ["A"]
    for one in (host, new_host(winrm_process_per_command=True)):
        back = io.BytesIO()
        assert one.get_file(name, back)
        assert back.getvalue() == b"A"


def _state(lab: Lab) -> State:
    name = f"@winrm/{lab.addresses[0]}"
    inventory = Inventory(([name], connection(lab)))
    state = State(inventory, Config())
    state.cwd = os.getcwd()
    connect_all(state)
    return state


def test_pyinfras_own_operations(lab: Lab, host: Host, folder: str, tmp_path: Path) -> None:
    """files.put makes the folder, does nothing the second time, and files.get brings the file back."""
    (tmp_path / "source").write_bytes(RANDOM)
    called: list[str] = []
    dest = folder.replace("\\", "/") + "sub/x.bin"
    changes = []
    for _ in range(2):
        state = _state(lab)
        results = [
            add_op(state, files.put, src=str(tmp_path / "source"), dest=dest),
            add_op(state, files.get, src=dest, dest=str(tmp_path / "back")),
            add_op(state, server.shell, commands=["'hello'", "exit 0"]),
            add_op(state, python.call, function=lambda: called.append("x")),
        ]
        run_ops(state)
        assert not state.failed_hosts
        one = next(iter(state.inventory))
        changes.append([bool(meta[one].did_change()) for meta in results])
        disconnect_all(state)
    assert changes[0][0] and not changes[1][0]
    assert (tmp_path / "back").read_bytes() == RANDOM
    assert called == ["x", "x"]


def test_a_transfer_goes_on_after_the_process_was_lost(lab: Lab, host: Host, made: str) -> None:
    host.put_file(io.BytesIO(b"old"), f"{made}a.bin")
    lab.winlab("set", "process-killed=action:Send,nth:4")
    assert host.put_file(io.BytesIO(RANDOM), f"{made}a.bin")
    back = io.BytesIO()
    lab.winlab("set", "process-killed=action:Receive,nth:4")
    assert host.get_file(f"{made}a.bin", back)
    assert back.getvalue() == RANDOM


@pytest.mark.skipif(bool(PWSH), reason="needs the simulated Windows")
def test_process_per_command_moves_files_too(new_host: Callable[..., Host], made: str) -> None:
    one = new_host(winrm_process_per_command=True)
    assert one.put_file(io.BytesIO(RANDOM[:200_000]), f"{made}b.bin")
    back = io.BytesIO()
    assert one.get_file(f"{made}b.bin", back)
    assert back.getvalue() == RANDOM[:200_000]
