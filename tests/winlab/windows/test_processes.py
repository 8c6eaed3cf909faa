from __future__ import annotations

import threading
import time

import pytest

from winlab.windows import cmdline
from winlab.windows.environment import Environment
from winlab.windows.errors import WindowsError
from winlab.windows.images import program_stub
from winlab.windows.machine import Machine
from winlab.windows.pipes import Pipe
from winlab.windows.processes import Console, Job, ProgramContext


def code(action) -> int:
    with pytest.raises(WindowsError) as caught:
        action()
    return caught.value.code


def test_a_program_runs_and_ends(machine: Machine, admin) -> None:
    out = Pipe()
    process = machine.processes.start("hostname", user=admin, stdout=out)
    assert process.pid % 4 == 0
    assert process.wait(5) == 0
    assert out.read_all(5) == b"SRV1\r\n"
    assert machine.processes.get(process.pid) is None
    assert machine.processes.started["hostname.exe"] == 1


def test_starting_is_quick(machine: Machine, admin) -> None:
    machine.processes.start("hostname", user=admin).wait(5)
    best = 1.0
    for _ in range(20):
        begin = time.perf_counter()
        machine.processes.start("hostname", user=admin).wait(5)
        best = min(best, time.perf_counter() - begin)
    assert best < 0.005


def test_the_image_is_told_by_its_content(machine: Machine) -> None:
    machine.fs.mkdir("C:\\my tools")
    machine.fs.copy("C:\\Windows\\System32\\hostname.exe", "C:\\my tools\\who.exe")
    process = machine.processes.start("C:\\my tools\\who arg")
    assert process.name == "who.exe" and process.wait(5) == 1
    assert machine.processes.start('"C:\\my tools\\who.exe"').wait(5) == 0
    machine.fs.write_bytes("C:\\text.exe", b"hello")
    machine.fs.write_bytes("C:\\other.exe", b"MZ something else")
    assert code(lambda: machine.processes.start("C:\\text.exe")) == 193
    assert code(lambda: machine.processes.start("C:\\other.exe")) == 193
    assert code(lambda: machine.processes.start("nothing-here")) == 2
    assert code(lambda: machine.processes.start("hostname", cwd="C:\\nope")) == 267


def test_search_order(machine: Machine) -> None:
    machine.fs.mkdir("C:\\bin")
    machine.fs.write_bytes("C:\\bin\\tool.exe", program_stub("hostname"))
    env = machine.env
    assert machine.processes.find_image("tool", "C:\\", env) is None
    env["Path"] += ";C:\\bin"
    assert machine.processes.find_image("tool", "C:\\", env) == "C:\\bin\\tool.exe"
    assert machine.processes.find_image("TOOL.EXE", "C:\\bin", {}) == "C:\\bin\\tool.exe"


def test_rights_to_execute(machine: Machine, pool) -> None:
    machine.fs.copy("C:\\Windows\\System32\\hostname.exe", "C:\\Users\\Administrator\\mine.exe")
    assert code(lambda: machine.processes.start("C:\\Users\\Administrator\\mine.exe", user=pool)) == 5


def test_kill_wakes_a_waiting_program(machine: Machine) -> None:
    stdin = Pipe()
    process = machine.processes.start("more", stdin=stdin)
    assert process.wait(0.05) is None
    process.kill(exit_code=77)
    assert process.wait(1) == 77


def test_tree_and_job(machine: Machine) -> None:
    process = machine.processes.start('cmd /c "ping -n 60 127.0.0.1"')
    while not process.children:
        time.sleep(0.005)
    child = process.children[0]
    assert child.parent is process and process.tree == [process, child]
    process.kill(tree=True)
    assert not child.alive and child.exit_code == 1
    job = Job()
    process = machine.processes.start('cmd /c "ping -n 60 127.0.0.1"', job=job)
    while len(job.processes) < 2:
        time.sleep(0.005)
    job.close()
    assert not process.alive and not job.processes


def test_running_images_and_directories_are_in_use(machine: Machine) -> None:
    fs = machine.fs
    fs.mkdir("C:\\app\\bin", parents=True)
    fs.copy("C:\\Windows\\System32\\ping.exe", "C:\\app\\bin\\p.exe")
    process = machine.processes.start("C:\\app\\bin\\p.exe -n 60 127.0.0.1", cwd="C:\\app")
    assert code(lambda: fs.remove("C:\\app\\bin\\p.exe")) == 5
    assert code(lambda: fs.write_bytes("C:\\app\\bin\\p.exe", b"")) == 32
    assert code(lambda: fs.move("C:\\app", "C:\\app2")) == 32
    # What runs is mapped, and no handle is left open: a folder above it gets another name, but does not go away.
    fs.move("C:\\app\\bin", "C:\\app\\bin2")
    assert code(lambda: fs.rmtree("C:\\app\\bin2")) == 5
    fs.move("C:\\app\\bin2\\p.exe", "C:\\app\\bin2\\old.exe")
    process.kill()
    fs.rmtree("C:\\app")


def test_files_of_an_ended_process_are_closed(machine: Machine) -> None:
    def entry(ctx: ProgramContext) -> int:
        ctx.machine.fs.open("C:\\held", "Create", "Write", "None")
        ctx.sleep(60)
        return 0

    process = machine.processes.start("cmd", entry=entry)
    while not machine.fs.exists("C:\\held"):
        time.sleep(0.005)
    assert code(lambda: machine.fs.read_bytes("C:\\held")) == 32
    process.kill()
    machine.fs.remove("C:\\held")


def test_a_dead_thread_changes_nothing_more(machine: Machine) -> None:
    gate, done = threading.Event(), threading.Event()

    def entry(ctx: ProgramContext) -> int:
        try:
            gate.wait(5)
            ctx.machine.fs.write_bytes("C:\\late", b"")
        finally:
            done.set()
        return 0

    process = machine.processes.start("cmd", entry=entry)
    process.kill()
    gate.set()
    assert done.wait(5) and not machine.fs.exists("C:\\late")


def test_environment_and_directory_come_from_the_parent(machine: Machine, admin) -> None:
    out = Pipe()
    env = machine.environment_for(admin)
    env["my_var"] = "x"
    process = machine.processes.start(
        'cmd /c "cmd /c echo %MY_VAR% %CD% %USERNAME%"', user=admin, env=env, cwd="C:\\Users", stdout=out
    )
    process.wait(5)
    assert out.read_all(5) == b"x C:\\Users Administrator\r\n"


def test_code_page(machine: Machine) -> None:
    for codepage, expected in ((437, b"\x81\r\n"), (65001, "ü\r\n".encode())):
        out = Pipe()
        machine.processes.start("cmd /c echo ü", stdout=out, console=Console(codepage)).wait(5)
        assert out.read_all(5) == expected


def test_exit_codes_are_signed() -> None:
    from winlab.windows.processes import signed32

    assert signed32(0xC000013A) == -1073741510 and signed32(3) == 3


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ('a "b c" d', ["a", "b c", "d"]),
        ('a "b\\"c" \\\\"d e\\\\"', ["a", 'b"c', "\\d e\\"]),
        ('"C:\\p q\\x.exe" \\\\server\\s', ["C:\\p q\\x.exe", "\\\\server\\s"]),
        ('a "" "x""y"', ["a", "", 'x"y']),
    ],
)
def test_command_lines(line: str, arguments: list[str]) -> None:
    assert cmdline.split(line) == arguments


def test_command_lines_round_trip() -> None:
    arguments = ["a.exe", "", "b c", 'q"q', "back\\", 'b\\"', "tab\there"]
    assert cmdline.split(cmdline.join(arguments)) == arguments


def test_environment_names_have_no_case() -> None:
    env = Environment({"Path": "a"})
    env["PATH"] = "b"
    assert dict(env) == {"Path": "b"} and "path" in env
    assert env.expand("%path%;%NOPE%") == "b;%NOPE%"
