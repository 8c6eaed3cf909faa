"""What the scripts do on a server where something is in use, in the way, or written in a way of its own."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pyinfra_iis.powershell import literal, source
from tests.winlab.powershell_dotnet.conftest import run_on, web_server
from winlab.windows import msi, python
from winlab.windows.machine import Machine
from winlab.windows.processes import Process

ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine("SRV", "2016", "127.0.0.1", tmp_path_factory.mktemp("server"))
    yield made
    made.shutdown()


def call(machine: Machine, name: str, /, **request: Any) -> Any:
    """What a script returns; the text of what ended it."""
    body = f"param($Request)\n$ErrorActionPreference = 'Stop'\n{source(name)}"
    (line,) = run_on(
        machine,
        f"ConvertTo-Json -Compress -Depth 10 -InputObject (& {{\n{body}\n}} (ConvertFrom-Json {literal(request)}))",
    ) or ["null"]
    return line if line.startswith("!") else json.loads(line)


def invoke(machine: Machine, call: str) -> Any:
    """What a program's run tells."""
    (line,) = run_on(machine, f"{source('windows/run_program')}\nConvertTo-Json -Compress ({call})")
    return line if line.startswith("!") else json.loads(line)


def running(machine: Machine, image: str) -> Process:
    machine.fs.mkdir(image.rpartition("\\")[0], parents=True)
    machine.fs.copy(r"C:\Windows\System32\ping.exe", image)
    return machine.processes.start(f"{image} -n 60 127.0.0.1", cwd="C:\\")


def test_a_program_that_does_not_read_what_it_is_given_tells_why_itself(machine: Machine) -> None:
    ran = invoke(
        machine,
        r"Invoke-Program C:\Windows\System32\cmd.exe '/c echo broken>&2& exit 3' 'C:\' @{} ('x' * 300000)",
    )
    assert ran == {"exit_code": 3, "output": "", "errors": "broken\r\n"}


def test_a_variable_of_any_name_reaches_a_program(machine: Machine) -> None:
    ran = invoke(
        machine,
        r"Invoke-Program C:\Windows\System32\cmd.exe '/c echo %KEYS%%OTHER%' 'C:\' @{ KEYS = 'a'; OTHER = 'b' } ''",
    )
    assert ran["output"].strip() == "ab"


@pytest.mark.parametrize(("before", "after"), [("ExpandString", "ExpandString"), ("String", "String"), ("", "String")])
def test_a_variable_that_refers_to_others_goes_on_doing_so(machine: Machine, before: str, after: str) -> None:
    key = machine.registry.create(ENVIRONMENT)
    key.delete_value("Example") if key.has("Example") else None
    if before:
        key.set("Example", r"%SystemRoot%\a", before)
    assert call(machine, "windows/set_environment", name="Example", value=r"%SystemRoot%\b", present=True) is None
    assert (key.get("Example"), key.kind("Example")) == (r"%SystemRoot%\b", after)
    assert call(machine, "windows/set_environment", name="Example", value="", present=False) is None
    assert not key.has("Example")


def test_a_folder_that_a_program_runs_from_stays_whole(machine: Machine) -> None:
    process = running(machine, r"C:\tools\bin\p.exe")
    machine.fs.write_bytes(r"C:\tools\a.txt", b"")
    machine.fs.set_attributes(r"C:\tools\a.txt", 1)
    told = call(machine, "windows/remove_directories", paths=["C:\\tools"])
    assert "C:\\tools on SRV was not removed, because something in it is in use" in told
    assert machine.fs.is_file(r"C:\tools\a.txt") and not machine.fs.exists("C:\\tools.removed")
    process.kill()
    assert call(machine, "windows/remove_directories", paths=["C:\\tools"]) is None
    assert not machine.fs.exists("C:\\tools") and not machine.fs.exists("C:\\tools.removed")


@pytest.mark.parametrize("content", [b"127.0.0.1", b"something else"])
def test_a_download_that_is_being_scanned(machine: Machine, content: bytes) -> None:
    sha256, path = hashlib.sha256(content).hexdigest(), rf"C:\downloads\{len(content)}.txt"
    held: list[Any] = []

    def scan(changed: str) -> None:
        if changed == f"{path}.partial" and not held:
            held.append(machine.fs.open(changed, "Open", "Read", "ReadWrite"))
            threading.Timer(0.3, held[0].close).start()

    machine.fs.on_change.append(scan)
    with web_server(machine) as port:
        url = f"http://127.0.0.1:{port}/"
        told = call(machine, "windows/download", files=[{"url": url, "path": path, "sha256": sha256}])
    machine.fs.on_change.remove(scan)
    # The server answers with the address that asked.
    right = content == b"127.0.0.1"
    assert held and machine.fs.exists(path) is right
    assert (told is None) if right else (f"but {sha256} was expected; nothing was installed on SRV" in told)


def test_an_installer_waits_for_another_one(machine: Machine) -> None:
    machine.features.install(["Web-Server"])
    machine.fs.write_bytes(r"C:\handler.msi", msi.build_package("httpplatformhandler-1.2"))
    machine.installer.execution.acquire()
    threading.Timer(0.5, machine.installer.execution.release).start()
    told = call(machine, "windows/install_msi", path=r"C:\handler.msi", log=r"C:\handler.log")
    assert told == {"restart_needed": False} and not machine.fs.exists(r"C:\handler.log")


def test_a_folder_that_is_being_scanned_goes_a_moment_later(machine: Machine) -> None:
    machine.fs.mkdir("C:\\scanned")
    machine.fs.write_bytes(r"C:\scanned\a.txt", b"")
    held: list[Any] = []

    def scan(path: str) -> None:
        if path == "C:\\scanned.removed" and not held:
            held.append(machine.fs.open(r"C:\scanned.removed\a.txt", "Open", "Read", "ReadWrite"))
            threading.Timer(0.1, held[0].close).start()

    machine.fs.on_change.append(scan)
    told = call(machine, "windows/remove_directories", paths=["C:\\scanned"])
    machine.fs.on_change.remove(scan)
    assert held and told is None and not machine.fs.exists("C:\\scanned.removed")


@pytest.fixture(scope="module")
def distribution(machine: Machine) -> str:
    """A Python without pip as an archive on the server."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(python.build_distribution())) as whole, zipfile.ZipFile(made, "w") as archive:
        for name in whole.namelist():
            if not name.startswith("Lib/site-packages/pip"):
                archive.writestr(name, whole.read(name))
        archive.writestr("scanned.txt", "")
    machine.fs.write_bytes(r"C:\python.zip", made.getvalue())
    return r"C:\python.zip"


SUMS = itertools.count()
"""Each installation is of another distribution."""


def install(machine: Machine, archive: str, path: str, version: str = python.VERSION, sha256: str = "") -> Any:
    kind = "installer" if archive.endswith(".exe") else "zip"
    sha256 = sha256 or f"{next(SUMS):02x}"
    return call(machine, "python/install", archive=archive, kind=kind, path=path, version=version, sha256=sha256)


def sleeping(machine: Machine, interpreter: str) -> Process:
    return machine.processes.start(f'{interpreter} -c "import time; time.sleep(60)"', cwd="C:\\")


@pytest.mark.parametrize("note", [b"", bytes(80), b'{"version": "3.1'])
def test_half_a_note_counts_as_none(machine: Machine, distribution: str, note: bytes) -> None:
    assert install(machine, distribution, r"C:\Half") == {"version": python.VERSION}
    machine.fs.write_bytes(r"C:\Half\pyinfra-iis.json", note)
    told = call(machine, "python/state", path=r"C:\Half", sha256="00")
    assert (told["present"], told["version"], told["found"]) == (False, "", python.VERSION)


def test_two_runs_that_install_the_same_python_take_turns(machine: Machine, distribution: str) -> None:
    """Of two applications, or one run whose client was killed and the next."""
    unpacked: list[str] = []
    machine.fs.on_change.append(unpacked.append)
    with ThreadPoolExecutor(2) as both:
        runs = [both.submit(install, machine, distribution, r"C:\Shared", sha256="ff") for _ in range(2)]
        told = [run.result() for run in runs]
    machine.fs.on_change.remove(unpacked.append)
    assert told == [{"version": python.VERSION}] * 2
    assert unpacked.count(r"C:\Shared\pyinfra-iis.json") + unpacked.count(r"C:\Shared.partial\pyinfra-iis.json") == 1


def test_what_still_runs_of_an_old_python_does_not_fail_its_successor(machine: Machine, distribution: str) -> None:
    assert install(machine, distribution, r"C:\Python") == {"version": python.VERSION}
    process = sleeping(machine, r"C:\Python\python.exe")
    assert install(machine, distribution, r"C:\Python") == {"version": python.VERSION}
    assert "still runs from C:\\Python.old" in install(machine, distribution, r"C:\Python")
    assert machine.fs.is_file(r"C:\Python\pyinfra-iis.json")
    process.kill()
    assert install(machine, distribution, r"C:\Python") == {"version": python.VERSION}
    assert not machine.fs.exists(r"C:\Python.old")


def test_a_python_that_cannot_be_replaced_stays(machine: Machine, distribution: str) -> None:
    assert install(machine, distribution, r"C:\Stays") == {"version": python.VERSION}
    held: list[Any] = []

    def scan(path: str) -> None:
        if path == r"C:\Stays.old" and not held:
            held.append(machine.fs.open(r"C:\Stays.partial\scanned.txt", "Open", "Read", "ReadWrite"))

    machine.fs.on_change.append(scan)
    told = install(machine, distribution, r"C:\Stays")
    machine.fs.on_change.remove(scan)
    assert held and told.startswith("!!") and machine.fs.is_file(r"C:\Stays\python.exe")
    held[0].close()


def test_why_a_python_is_none_is_told_although_something_of_it_is_held(machine: Machine, distribution: str) -> None:
    held: list[Any] = []

    def scan(path: str) -> None:
        if path == r"C:\Other.partial\scanned.txt" and not held:
            held.append(machine.fs.open(r"C:\Other.partial\python.exe", "Open", "Read", "ReadWrite"))

    machine.fs.on_change.append(scan)
    told = install(machine, distribution, r"C:\Other", version="3")
    machine.fs.on_change.remove(scan)
    assert held and f"holds Python {python.VERSION}, but 3 was expected" in told
    held[0].close()


def test_a_python_in_use_never_restarts_the_server(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    restarts: list[Any] = []
    monkeypatch.setattr(machine, "schedule_shutdown", lambda *given, **_: restarts.append(given))
    setup, path = r"C:\setup.exe", r"C:\Py"
    machine.fs.write_bytes(setup, python.build_installer())
    assert install(machine, setup, path) == {"version": python.VERSION}
    running = [sleeping(machine, rf"{path}\python.exe")]
    assert install(machine, setup, path) == {"version": python.VERSION}
    running.append(sleeping(machine, rf"{path}\python.exe"))
    assert call(machine, "python/uninstall", archive=setup, path=path) is None
    for process in running:
        process.kill()
    assert restarts == [] and not machine.fs.exists(path)
