from __future__ import annotations

import pytest

from winlab.windows import current, msi, web
from winlab.windows.errors import ProcessKilled, WindowsError
from winlab.windows.machine import Machine


@pytest.fixture
def packages(machine: Machine) -> Machine:
    for name in ("1.2", "2.0"):
        machine.fs.write_bytes(f"C:\\{name}.msi", msi.build_package(f"httpplatformhandler-{name}"))
    return machine


def run(machine: Machine, command: str, user=None) -> int:
    return (
        machine.processes.start(command, user=user or machine.accounts.token("Administrator"), cwd="C:\\").wait(30) or 0
    )


def test_packages_are_the_same_each_time() -> None:
    assert msi.build_package("httpplatformhandler-1.2") == msi.build_package("httpPlatformHandler")
    with pytest.raises(KeyError):
        msi.build_package("word")


def test_it_needs_iis(packages: Machine) -> None:
    assert run(packages, "msiexec /i 1.2.msi /qn") == 1603
    assert not packages.installer.products
    assert any(event.event_id == 11708 for event in packages.eventlog.entries("Application"))


def test_install_repair_remove(packages: Machine) -> None:
    packages.features.install(["Web-Server"])
    product = "{49FE726A-F8A3-426F-9448-337D47E355FA}"
    assert run(packages, "msiexec.exe /i C:\\1.2.msi /qn /norestart /l*v C:\\install.log") == 0
    assert packages.fs.is_file("C:\\Windows\\System32\\inetsrv\\httpPlatformHandler.dll")
    key = packages.registry.open(f"{msi.UNINSTALL}\\{product}")
    assert key.get("DisplayName") == "Microsoft HTTP Platform Handler 1.2" and key.get("WindowsInstaller") == 1
    assert "MainEngineThread is returning 0" in packages.fs.read_bytes("C:\\install.log").decode("utf-16")
    assert run(packages, "msiexec /i C:\\1.2.msi /quiet") == 0
    assert run(packages, f"msiexec /fa {product} /qn") == 0
    assert run(packages, f"msiexec /x {product} /qn") == 0
    assert not packages.registry.exists(f"{msi.UNINSTALL}\\{product}")
    assert run(packages, f"msiexec /x {product} /qn") == 1605


def test_codes(packages: Machine, pool) -> None:
    packages.features.install(["Web-Server"])
    packages.fs.write_bytes("C:\\real.msi", bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 100)
    packages.fs.write_bytes("C:\\other.msi", msi.build_package("httpplatformhandler-1.2", ProductVersion="1.2.1958"))
    assert run(packages, "msiexec /i missing.msi /qn") == 1619
    assert run(packages, "msiexec /i real.msi /qn") == 1620
    assert run(packages, "msiexec /bogus") == 1639
    assert run(packages, "msiexec /i 1.2.msi /qn", pool) == 1603
    assert run(packages, "msiexec /i 1.2.msi /qn") == 0
    assert run(packages, "msiexec /i other.msi /qn") == 1638
    with packages.installer.execution:
        assert run(packages, "msiexec /i 2.0.msi /qn") == 1618


def test_version_two_unlocks_and_says_so_in_the_registry(packages: Machine) -> None:
    packages.features.install(["Web-Server"])
    assert run(packages, "msiexec /i 2.0.msi /qn") == 0
    key = packages.registry.open("HKLM\\SOFTWARE\\Microsoft\\IIS Extensions\\IIS HttpPlatformHandler Module V2")
    assert key.get("Install") == 1
    packages.fs.write_bytes(
        "C:\\newer.msi",
        msi.build_package("httpbridge", ProductVersion="9.0.0.0", ProductCode="{11111111-1111-1111-1111-111111111111}"),
    )
    assert run(packages, "msiexec /i newer.msi /qn") == 0
    assert list(packages.installer.products) == ["{11111111-1111-1111-1111-111111111111}"]
    assert run(packages, "msiexec /i 2.0.msi /qn") == 1603


def test_only_the_labs_own_packages() -> None:
    for data in (b"", b"MZ", msi.MAGIC + b"{}", msi.MAGIC + b"nonsense"):
        with pytest.raises(WindowsError) as caught:
            msi.Package.read(data)
        assert caught.value.code == 1620


def test_packed_codes() -> None:
    assert msi.packed("{01234567-89AB-CDEF-0123-456789ABCDEF}") == "76543210BA98FEDC1032547698BADCFE"


def test_without_room_nothing_is_begun(packages: Machine) -> None:
    """Setup undoes what it cannot end: what is left is as before."""
    packages.fs.free_limit = 1000
    with pytest.raises(WindowsError) as caught:
        packages.features.install(["Web-Server"])
    assert caught.value.code == 112
    assert not packages.fs.exists("C:\\inetpub")
    packages.fs.free_limit = None
    packages.features.install(["Web-Server"])
    packages.fs.free_limit = 1000
    assert run(packages, "msiexec /i 1.2.msi /qn") == 1603
    assert not packages.fs.exists("C:\\Windows\\System32\\inetsrv\\config\\schema\\httpplatform_schema.xml")
    packages.fs.free_limit = None
    assert run(packages, "msiexec /i 1.2.msi /qn") == 0


@pytest.mark.parametrize("what", ["feature", "package"])
def test_setup_ends_also_when_who_asked_for_it_is_gone(packages: Machine, what: str) -> None:
    """The work is done by services of Windows: TrustedInstaller, Windows Installer."""
    process = packages.processes.create_service_process("C:\\a.exe", "a.exe", packages.accounts.system)
    if what == "package":
        packages.features.install(["Web-Server"])
    write = packages.fs.write_bytes

    def killed(*arguments, **more) -> None:
        process.killed = True
        write(*arguments, **more)

    packages.fs.write_bytes = killed
    current.enter(process)
    try:
        if what == "feature":
            packages.features.install(["Web-Server"])
        else:
            assert packages.installer.install("C:\\1.2.msi").code == 0
        assert process.killed
        with pytest.raises(ProcessKilled):
            current.check_killed()
    finally:
        current.enter(None)
        del packages.fs.write_bytes
    assert web.is_installed(packages)
    assert packages.fs.is_file("C:\\Windows\\System32\\inetsrv\\appcmd.exe")
    assert bool(packages.installer.products) == (what == "package")
