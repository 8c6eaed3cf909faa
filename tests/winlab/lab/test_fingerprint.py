"""What counts as a change of a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from winlab.fingerprint import machine_state
from winlab.windows.acl import Acl
from winlab.windows.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine("SRV1", "2022", "127.0.0.1", tmp_path)


def changed(machine: Machine, before: dict[str, dict[str, str]], kind: str = "durable") -> set[str]:
    after = machine_state(machine)
    names = set(after[kind]) | set(before[kind])
    return {name for name in names if after[kind].get(name) != before[kind].get(name)}


def test_the_same_server_twice(machine: Machine, tmp_path: Path) -> None:
    before = machine_state(machine)
    assert machine_state(machine) == before
    again = Machine("SRV1", "2022", "127.0.0.1", tmp_path)
    assert machine_state(again)["hash"] == before["hash"]


def test_files_folders_and_their_rights(machine: Machine) -> None:
    before = machine_state(machine)
    machine.fs.mkdir("C:\\app")
    machine.fs.write_bytes("C:\\app\\a.txt", b"1")
    assert changed(machine, before) == {"C:\\app", "C:\\app\\a.txt"}
    before = machine_state(machine)
    machine.fs.write_bytes("C:\\app\\a.txt", b"2")
    assert changed(machine, before) == {"C:\\app\\a.txt"}
    before = machine_state(machine)
    machine.fs.set_acl("C:\\app", Acl.from_sddl("O:SYG:SYD:PAI(A;OICI;FA;;;SY)"))
    names = changed(machine, before)
    assert names and all(name.startswith("files:/") for name in names)


@pytest.mark.parametrize(
    "path",
    [
        "C:\\app\\site.log",
        "C:\\Windows\\Temp\\x.tmp",
        "C:\\app\\__pycache__\\m.cpython-311.pyc",
        "C:\\inetpub\\logs\\a.txt",
    ],
)
def test_what_changes_by_itself(machine: Machine, path: str) -> None:
    folder = path.rpartition("\\")[0]
    machine.fs.mkdir(folder, parents=True)
    before = machine_state(machine)
    machine.fs.write_bytes(path, b"x", machine.accounts.token("Administrator"))
    machine.fs.set_acl(path, Acl.from_sddl("O:SYG:SYD:PAI(A;;FA;;;SY)"))
    assert changed(machine, before) == set()
    assert path in changed(machine, before, "volatile")


def test_registry_accounts_and_names_met(machine: Machine) -> None:
    before = machine_state(machine)
    machine.registry.create("HKLM\\SOFTWARE\\Acme").set("Level", 1)
    assert changed(machine, before) == {"registry: HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme"}
    before = machine_state(machine)
    machine.registry.open("HKLM\\SOFTWARE\\Acme").set("Level", "1")
    assert changed(machine, before) == {"registry: HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme"}
    before = machine_state(machine)
    machine.accounts.add_user("operator", "Passw0rd!")
    assert any("operator" in name for name in changed(machine, before))
    before = machine_state(machine)
    machine.accounts.token("NT AUTHORITY\\NETWORK SERVICE")
    assert changed(machine, before) == set()
