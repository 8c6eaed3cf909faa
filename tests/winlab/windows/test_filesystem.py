from __future__ import annotations

import datetime
import os
import time
from pathlib import Path

import pytest

from winlab.windows import acl, filesystem
from winlab.windows.acl import Ace, Acl
from winlab.windows.birth import birth_time
from winlab.windows.errors import WindowsError
from winlab.windows.machine import Machine


def code(action) -> int:
    with pytest.raises(WindowsError) as caught:
        action()
    return caught.value.code


@pytest.mark.parametrize(
    ("path", "cwd", "full"),
    [
        ("a.txt", "C:\\x", "C:\\x\\a.txt"),
        ("..\\a", "C:\\x\\y", "C:\\x\\a"),
        ("\\a", "C:\\x", "C:\\a"),
        ("C:a", "C:\\x", "C:\\x\\a"),
        ("C:", "C:\\x", "C:\\x"),
        (".", "C:\\x", "C:\\x"),
        ("..", "C:\\x", "C:\\"),
        ("a\\", "C:\\x", "C:\\x\\a\\"),
        ("c:/a/./b/../c", "C:\\", "C:\\a\\c"),
        ("C:\\a\\b. ", "C:\\", "C:\\a\\b"),
        ("C:\\a...\\b", "C:\\", "C:\\a\\b"),
        ("nul", "C:\\x", "\\\\.\\NUL"),
        ("C:\\x\\com1.txt", "C:\\", "\\\\.\\COM1"),
        ("C:\\..\\..\\a", "C:\\", "C:\\a"),
        ("\\\\?\\C:\\a.", "C:\\", "\\\\?\\C:\\a."),
    ],
)
def test_resolve(machine: Machine, path: str, cwd: str, full: str) -> None:
    assert machine.fs.resolve(path, cwd) == full


def test_names_keep_case_and_match_without(machine: Machine) -> None:
    fs = machine.fs
    fs.mkdir("C:\\Some\\Folder", parents=True)
    fs.write_bytes("c:\\SOME\\folder\\File.TXT", b"x")
    assert fs.stat("C:\\some\\FOLDER\\file.txt").name == "File.TXT"
    assert fs.stored_path("c:\\some\\folder\\FILE.txt") == "C:\\Some\\Folder\\File.TXT"
    fs.write_bytes("C:\\some\\folder\\FILE.txt", b"yy")
    assert [entry.name for entry in fs.listdir("C:\\Some\\Folder")] == ["File.TXT"]
    fs.move("C:\\Some\\Folder\\file.txt", "C:\\Some\\Folder\\FILE.txt")
    assert [entry.name for entry in fs.listdir("C:\\Some\\Folder")] == ["FILE.txt"]


def test_refusals_of_names(machine: Machine) -> None:
    fs = machine.fs
    for bad in ('C:\\a"b', "C:\\a<b", "C:\\a|b", "C:\\a*b", "C:\\a\tb"):
        assert code(lambda bad=bad: fs.write_bytes(bad, b"")) == 123
    assert code(lambda: fs.write_bytes("C:\\file.txt:stream", b"")) == 50
    assert code(lambda: fs.write_bytes("D:\\file.txt", b"")) == 3
    assert code(lambda: fs.read_bytes("\\\\server\\share\\x")) == 53


def test_missing_file_and_missing_folder(machine: Machine) -> None:
    assert code(lambda: machine.fs.read_bytes("C:\\no.txt")) == 2
    assert code(lambda: machine.fs.read_bytes("C:\\no\\no.txt")) == 3
    assert code(lambda: machine.fs.listdir("C:\\no")) == 3
    assert code(lambda: machine.fs.listdir("C:\\Windows\\win.ini")) == 267


def test_long_paths_need_the_prefix(machine: Machine) -> None:
    fs = machine.fs
    fs.mkdir("C:\\" + "d" * 100 + "\\" + "e" * 100, parents=True)
    long = "C:\\" + "d" * 100 + "\\" + "e" * 100 + "\\" + "f" * 80
    assert code(lambda: fs.write_bytes(long, b"")) == 206
    fs.write_bytes("\\\\?\\" + long, b"there")
    assert fs.read_bytes("\\\\?\\" + long) == b"there"


def test_open_modes(machine: Machine) -> None:
    fs = machine.fs
    with fs.open("C:\\f", "CreateNew", "Write") as handle:
        handle.write(b"one")
    assert code(lambda: fs.open("C:\\f", "CreateNew", "Write")) == 80
    with fs.open("C:\\f", "Append", "Write") as handle:
        handle.write(b"two")
    with fs.open("C:\\f", "Open", "ReadWrite") as handle:
        assert handle.read() == b"onetwo"
        handle.seek(0)
        handle.write(b"ONE")
        handle.truncate(4)
        assert handle.length == 4
    assert fs.read_bytes("C:\\f") == b"ONEt"
    assert code(lambda: fs.open("C:\\Windows", "Open", "Read")) == 5
    assert code(lambda: fs.open("C:\\f", "Create", "Read")) == 87


def test_sharing(machine: Machine) -> None:
    fs = machine.fs
    fs.write_bytes("C:\\f", b"x")
    with fs.open("C:\\f", "Open", "Read", "Read"):
        fs.open("C:\\f", "Open", "Read", "Read").close()
        assert code(lambda: fs.write_bytes("C:\\f", b"y")) == 32
        assert code(lambda: fs.remove("C:\\f")) == 32
        assert code(lambda: fs.move("C:\\f", "C:\\g")) == 32
    with fs.open("C:\\f", "Open", "Read", "Read, Delete"):
        fs.move("C:\\f", "C:\\g")
        fs.remove("C:\\g")
    with fs.open("C:\\h", "Create", "Write", "None"):
        assert code(lambda: fs.open("C:\\h", "Open", "Read", "ReadWrite")) == 32


def test_open_files_hold_their_folder(machine: Machine) -> None:
    fs = machine.fs
    fs.mkdir("C:\\d\\e", parents=True)
    with fs.open("C:\\d\\e\\f", "Create", "Write"):
        assert code(lambda: fs.move("C:\\d", "C:\\d2")) == 5
    fs.move("C:\\d", "C:\\d2")
    assert fs.is_file("C:\\d2\\e\\f")


def test_move_and_replace(machine: Machine) -> None:
    fs = machine.fs
    fs.write_bytes("C:\\a", b"a")
    fs.write_bytes("C:\\b", b"b")
    assert code(lambda: fs.move("C:\\a", "C:\\b")) == 183
    fs.move("C:\\a", "C:\\b", replace=True)
    assert fs.read_bytes("C:\\b") == b"a"
    fs.mkdir("C:\\dir")
    assert code(lambda: fs.move("C:\\b", "C:\\dir", replace=True)) == 5
    assert code(lambda: fs.move("C:\\dir", "C:\\dir\\below")) == 32
    assert code(lambda: fs.rmdir("C:\\Windows")) == 145


def test_readonly_files_stay(machine: Machine) -> None:
    fs = machine.fs
    fs.write_bytes("C:\\f", b"x")
    fs.set_attributes("C:\\f", filesystem.READONLY | filesystem.HIDDEN)
    assert fs.attributes("C:\\f") & filesystem.HIDDEN
    assert code(lambda: fs.remove("C:\\f")) == 5
    assert code(lambda: fs.write_bytes("C:\\f", b"y")) == 5
    fs.set_attributes("C:\\f", filesystem.NORMAL)
    fs.remove("C:\\f")


def test_hard_links_share_content(machine: Machine) -> None:
    fs = machine.fs
    fs.write_bytes("C:\\a", b"one")
    fs.link("C:\\b", "C:\\a")
    with fs.open("C:\\a", "Open", "Write", "None") as handle:
        handle.write(b"two")
        assert code(lambda: fs.read_bytes("C:\\b")) == 32
    assert fs.read_bytes("C:\\b") == b"two"
    assert fs.stat("C:\\b").links == 2


def test_full_disk(machine: Machine) -> None:
    fs = machine.fs
    fs.write_bytes("C:\\old", b"x" * 100)
    fs.free_limit = 10
    fs.write_bytes("C:\\a", b"12345678")
    assert code(lambda: fs.write_bytes("C:\\b", b"123")) == 112
    fs.remove("C:\\old")
    fs.write_bytes("C:\\b", b"123")


def test_times_and_attributes_survive_a_restart(machine: Machine) -> None:
    when = datetime.datetime(2020, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    machine.fs.write_bytes("C:\\f", b"")
    machine.fs.set_times("C:\\f", created=when, modified=when)
    machine.fs.set_attributes("C:\\f", filesystem.HIDDEN)
    again = Machine("SRV1", "2016", "127.0.0.1", machine.state_dir).fs.stat("c:\\F")
    assert (again.created, again.modified) == (when, when)
    assert again.attributes & filesystem.HIDDEN


def test_writing_to_a_file_does_not_change_when_it_was_made(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "probe").touch()
    if birth_time(str(tmp_path / "probe")) is None:
        pytest.skip("this machine's file system does not tell when a file was made")
    before = datetime.datetime.now(datetime.UTC)
    machine.fs.write_bytes("C:\\log", b"one")
    first = machine.fs.stat("C:\\log")
    assert abs(first.created - before) < datetime.timedelta(seconds=5)
    time.sleep(0.05)
    with open(machine.fs.host_path("C:\\log"), "ab") as stream:
        stream.write(b"two")
    again = machine.fs.stat("C:\\log")
    assert again.created == first.created
    assert again.modified > first.modified


def test_rights_follow_the_folder(machine: Machine, pool) -> None:
    fs = machine.fs
    fs.mkdir("C:\\site")
    fs.write_bytes("C:\\site\\page", b"x")
    assert fs.read_bytes("C:\\site\\page", pool) == b"x"
    assert code(lambda: fs.write_bytes("C:\\site\\page", b"y", pool)) == 5
    fs.set_acl("C:\\site", Acl.from_sddl("D:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"))
    assert code(lambda: fs.read_bytes("C:\\site\\page", pool)) == 5
    assert code(lambda: fs.listdir("C:\\site", pool)) == 5
    granted = fs.get_acl("C:\\site")
    modify = Ace(pool.sid, acl.MODIFY, object_inherit=True, container_inherit=True)
    fs.set_acl("C:\\site", Acl(granted.owner, (*granted.aces, modify), protected=True))
    fs.write_bytes("C:\\site\\page", b"z", pool)
    fs.write_bytes("C:\\site\\new", b"z", pool)
    assert fs.get_acl("C:\\site\\new").owner == pool.sid
    fs.remove("C:\\site\\page", pool)


def test_system_folders_are_closed_to_users_and_partly_to_administrators(machine: Machine, pool, admin) -> None:
    fs = machine.fs
    assert code(lambda: fs.write_bytes("C:\\Windows\\System32\\x.dll", b"", pool)) == 5
    assert code(lambda: fs.write_bytes("C:\\x.txt", b"", pool)) == 5
    fs.write_bytes("C:\\Windows\\System32\\x.dll", b"", admin)
    assert code(lambda: fs.listdir("C:\\Users\\Administrator", pool)) == 5


def test_moved_objects_keep_the_rights_of_their_old_folder(machine: Machine, pool) -> None:
    fs = machine.fs
    fs.mkdir("C:\\private")
    fs.set_acl("C:\\private", Acl.from_sddl("D:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"))
    fs.mkdir("C:\\private\\pkg")
    fs.write_bytes("C:\\private\\pkg\\f", b"x")
    fs.mkdir("C:\\public")
    fs.move("C:\\private\\pkg", "C:\\public\\pkg")
    assert code(lambda: fs.read_bytes("C:\\public\\pkg\\f", pool)) == 5
    fs.reset_acl("C:\\public\\pkg")
    assert fs.read_bytes("C:\\public\\pkg\\f", pool) == b"x"


def test_copied_files_take_the_rights_of_the_new_folder(machine: Machine, pool) -> None:
    fs = machine.fs
    fs.mkdir("C:\\private")
    fs.write_bytes("C:\\private\\f", b"x")
    fs.set_acl("C:\\private", Acl.from_sddl("D:PAI(A;OICI;FA;;;BA)"))
    fs.mkdir("C:\\public")
    fs.copy("C:\\private\\f", "C:\\public\\f")
    assert fs.read_bytes("C:\\public\\f", pool) == b"x"
    assert (
        code(
            lambda: (
                fs.copy("C:\\public\\f", "C:\\public\\g", user=pool) or fs.copy("C:\\private\\f", "C:\\h", user=pool)
            )
        )
        == 5
    )


def test_a_name_used_again_has_nothing_of_the_one_before(machine: Machine) -> None:
    fs = machine.fs
    fs.mkdir("C:\\d")
    fs.set_acl("C:\\d", Acl.from_sddl("D:PAI(A;OICI;FA;;;BA)"))
    host = fs.host_path("C:\\d")
    host.rename(host.with_name("elsewhere"))
    host.mkdir()
    assert not fs.get_acl("C:\\d").protected


def test_wildcards() -> None:
    assert filesystem.wildcard("*.*")("name")
    assert filesystem.wildcard("a*.tx?")("Abc.TXT")
    assert not filesystem.wildcard("a?")("abc")
    assert filesystem.wildcard("[x]")("[X]")


def test_junctions_are_followed_and_removed_alone(machine: Machine, admin) -> None:
    fs = machine.fs
    fs.mkdir("C:\\target")
    fs.write_bytes("C:\\target\\f", b"x")
    fs.symlink("C:\\link", "C:\\target", admin)
    assert fs.read_bytes("C:\\link\\f") == b"x"
    assert fs.stat("C:\\link").link_target == "C:\\target"
    fs.rmtree("C:\\link")
    assert fs.is_file("C:\\target\\f")


def test_links_to_nothing(machine: Machine, admin) -> None:
    fs = machine.fs
    fs.symlink("C:\\link", "C:\\nothing", admin)
    for action in (
        lambda: fs.read_bytes("C:\\link"),
        lambda: fs.copy("C:\\link", "C:\\x"),
        lambda: fs.write_bytes("C:\\link", b""),
    ):
        assert code(action) in (2, 3)
    fs.remove("C:\\link")


def test_what_another_process_made_just_before_a_file_of_ours_is_seen(tmp_path: Path) -> None:
    names = filesystem._Names()
    assert names.find(str(tmp_path), "ours") is None
    (tmp_path / "Theirs").mkdir()
    (tmp_path / "ours").touch()
    names.created(f"{tmp_path}/ours")
    assert names.find(str(tmp_path), "Theirs") == "Theirs"


def test_what_another_process_made_within_a_tick_of_the_clock_is_seen_soon(machine: Machine) -> None:
    fs = machine.fs
    fs.mkdir("C:\\folder")
    folder = Path(fs.host_path("C:\\folder"))
    assert not fs.exists("C:\\folder\\asked before")
    before = folder.stat()
    (folder / "Theirs").mkdir()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert fs.is_dir("C:\\folder\\Theirs")
    deadline = time.monotonic() + 5
    (folder / "Others").mkdir()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
    while not fs.is_dir("C:\\folder\\OTHERS"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_file_is_open_after_a_restart(machine: Machine) -> None:
    machine.fs.write_bytes("C:\\log.txt", b"")
    machine.fs.open("C:\\log.txt", mode="Open", access="Write", share="Read")
    assert code(lambda: machine.fs.remove("C:\\log.txt")) == 32
    machine.reboot()
    machine.fs.remove("C:\\log.txt")
