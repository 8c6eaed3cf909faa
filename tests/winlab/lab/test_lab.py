"""The `winlab` command and its background process."""

from __future__ import annotations

import concurrent.futures
import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from winrm.exceptions import InvalidCredentialsError, WSManFaultError

from tests.winlab.lab.conftest import HOSTNAME, LabCommand
from winlab.cli import _is_zombie
from winlab.lab import LabError, _cannot_listen, address_of, check_network


def wait_for(lab: LabCommand, condition: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if lab.json("status")["hosts"][0]["state"] == condition:
            return
        time.sleep(0.02)
    raise AssertionError(f"not {condition} within {seconds} s")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


# -- life -------------------------------------------------------------------------------------------------------------------------------


def test_up_status_down(lab: LabCommand) -> None:
    assert "No lab runs" in lab("status", code=3)
    assert "no lab is running" in lab("down")
    printed = lab("up", "--hosts", "2", "--windows", "2019")
    status = lab.json("status")
    assert f"{lab.network}.1" in printed and status["password"] in printed
    assert [host["windows"] for host in status["hosts"]] == ["2019", "2019"]
    assert lab.hostname(1) == "SRV1" and lab.hostname(2) == "SRV2"
    assert "2 servers down" in lab("down")
    with pytest.raises(requests.ConnectionError):
        requests.post(status["hosts"][0]["winrm"], timeout=2)
    assert not is_alive(status["pid"])


def test_up_again_is_harmless_and_grows(lab: LabCommand) -> None:
    first = lab.json("up")
    again = lab.json("up")
    assert again["pid"] == first["pid"] and len(again["hosts"]) == 1
    grown = lab.json("up", "--hosts", "3")
    assert grown["pid"] == first["pid"] and len(grown["hosts"]) == 3
    assert lab.hostname(3) == "SRV3"
    assert "already runs with 3 servers" in lab("up", "--hosts", "2", code=1)
    assert "already runs in" in lab("up", "--network", "127.5.5", code=1)
    assert "is a Windows 2022, not 2016" in lab("up", "--windows", "2016", code=1)


def test_state_survives_a_restart_and_reset_empties_it(lab: LabCommand) -> None:
    before = lab.json("up")
    drive = lab.state / "hosts" / "SRV1" / "C"
    (drive / "note.txt").write_text("kept")
    hashed = lab("state-hash", "SRV1")
    lab("down")
    assert lab.json("up")["password"] == before["password"]
    assert lab("state-hash", "SRV1") == hashed
    assert lab.hostname() == "SRV1"
    lab("reset", "srv1")
    assert not (drive / "note.txt").exists()
    assert lab.hostname() == "SRV1"
    lab("down")
    lab("reset")
    assert not (lab.state / "hosts").exists()


def test_two_ups_at_once_start_one_lab(lab: LabCommand) -> None:
    def up() -> int:
        return subprocess.run(
            [sys.executable, "-m", "winlab.cli", "up", "--hosts", "2"], capture_output=True, check=True, timeout=60
        ).returncode

    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda _: up(), range(3))) == [0, 0, 0]
    assert (lab.state / "lab.log").read_text().count("servers up") == 1


def test_a_killed_lab_starts_again_and_leaves_nothing_behind(lab: LabCommand) -> None:
    """What `kill -9` leaves: a socket that nobody answers, and real processes of the simulated servers."""
    pid = lab.json("up")["pid"]
    image = lab.state / "hosts" / "SRV1" / "C" / "python.exe"
    child = subprocess.Popen(["sleep", "60"], env={**os.environ, "WINLAB_IMAGE": str(image)})
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, "WINLAB_IMAGE": "/elsewhere/hosts/SRV1/C/python.exe"})
    try:
        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):
            time.sleep(0.01)
        assert "No lab runs" in lab("status", code=3)
        assert lab.json("up")["pid"] != pid
        assert lab.hostname() == "SRV1"
        assert child.wait(5) == -signal.SIGKILL
        orphan = subprocess.Popen(["sleep", "60"], env={**os.environ, "WINLAB_IMAGE": str(image)})
        lab("down")
        assert orphan.wait(5) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (child, other):
            process.kill()
            process.wait()


def test_the_password(lab: LabCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINLAB_PASSWORD", "Given!Pass1")
    assert lab.json("up")["password"] == "Given!Pass1"
    assert stat.S_IMODE((lab.state / "password").stat().st_mode) == 0o600
    assert lab.hostname() == "SRV1"
    with pytest.raises(InvalidCredentialsError):
        lab.protocol(password="other").open_shell()
    monkeypatch.setenv("WINLAB_PASSWORD", "Another!Pass1")
    assert "another password" in lab("up", code=1)
    lab("down")
    lab("up")
    assert lab.hostname() == "SRV1"
    log = (lab.state / "lab.log").read_text()
    assert "Given!Pass1" not in log and "Another!Pass1" not in log


def test_a_taken_address_is_said_in_one_sentence(lab: LabCommand, tmp_path: Path) -> None:
    lab("up")
    message = lab("up", "--state", str(tmp_path / "second"), code=1)
    assert "taken" in message and "--network" in message and "Traceback" not in message
    # Another network, and they run beside each other.
    third = ".".join([*lab.network.split(".")[:2], str(int(lab.network.split(".")[2]) + 40)])
    try:
        lab("up", "--state", str(tmp_path / "second"), "--network", third)
        assert lab.hostname() == "SRV1"
    finally:
        lab("down", "--state", str(tmp_path / "second"))


def test_a_state_folder_with_a_long_path(lab: LabCommand, tmp_path: Path) -> None:
    state = tmp_path / ("long" * 30)
    try:
        lab("up", "--state", str(state))
        assert "SRV1" in lab("status", "--state", str(state))
    finally:
        lab("down", "--state", str(state))


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--hosts", "0"),
        ("up", "rtt=fast"),
        ("up", "colour=red"),
        ("up", "--network", "10.0.0"),
        ("up", "--powershell", "/nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(lab: LabCommand, arguments: tuple[str, ...]) -> None:
    assert lab(*arguments, code=1).startswith("winlab: ")
    assert "No lab runs" in lab("status", code=3)


def test_why_a_listener_does_not_come_up() -> None:
    def told(number: int) -> str:
        return _cannot_listen("SRV1", "127.0.1.1", 5985, OSError(number, os.strerror(number)))

    assert "ifconfig lo0 alias 127.0.1.1" in told(errno.EADDRNOTAVAIL)
    assert "--network" in told(errno.EADDRINUSE)
    assert "Permission denied" in told(errno.EACCES) and "--network" not in told(errno.EACCES)


def test_addresses() -> None:
    assert address_of("127.0.1", 0) == "127.0.1.1"
    assert address_of("127.0.1", 252) == "127.0.1.253"
    assert address_of("127.0.1", 253) == "127.0.2.1"
    with pytest.raises(LabError):
        address_of("127.0.255", 253)
    for wrong in ("127.0", "10.0.1", "127.0.256", "127.0.x"):
        with pytest.raises(LabError):
            check_network(wrong)


# -- a running lab ------------------------------------------------------------------------------------------------------------------------


def test_stats_count_and_reset(running_lab: LabCommand) -> None:
    lab = running_lab
    lab("stats", "--reset")
    lab.hostname(2)
    stats = lab.json("stats", "--reset")
    assert stats["hosts"]["SRV1"]["requests"] == 0
    counted = stats["hosts"]["SRV2"]
    actions = {action: counts["requests"] for action, counts in counted["actions"].items()}
    receives = actions.pop("Receive")  # as many as it took
    assert actions == {"Authenticate": 3, "Create": 1, "Command": 1, "Delete": 1} and receives >= 1
    assert counted["programs"] == {"hostname.exe": 1} and counted["processes"] == 1
    assert counted["bytes_in"] > 5000 and counted["connections"] == 1
    assert stats["total"]["requests"] == 6 + receives
    assert lab.json("stats")["total"]["requests"] == 0
    assert "SRV2" in lab("stats")


def test_switches_per_server_and_for_all(running_lab: LabCommand) -> None:
    lab = running_lab
    assert lab.json("set", "SRV2", "rtt=5", "busy=action:Command") == {
        "SRV2": {"rtt": 5.0, "busy": "action:Command,count:1"}
    }
    try:
        assert lab.hostname(1) == "SRV1"
        with pytest.raises(WSManFaultError):
            lab.hostname(2)
        assert lab.json("set", "clear") == {"SRV1": {}, "SRV2": {}}
        assert lab.json("set", "SRV2", "basic", "busy") == {"SRV2": {"basic": True, "busy": "count:1"}}
        assert lab.json("set", "clear") == {"SRV1": {}, "SRV2": {}}
        assert "no server 'srv9'" in lab("set", "srv9", "rtt=1", code=1)
        assert "no switch" in lab("set", "nothing=1", code=1)
        assert "drop-after" in lab("set", "--list")
    finally:
        lab("set", "clear")


def test_https(running_lab: LabCommand) -> None:
    lab = running_lab
    lab("set", "SRV1", "https=on")
    try:
        host = lab.json("status")["hosts"][0]
        protocol = lab.protocol()
        secure = type(protocol)(
            host["winrm_https"],
            transport="ntlm",
            username="Administrator",
            password=lab.json("status")["password"],
            server_cert_validation="ignore",
        )
        shell = secure.open_shell()
        command = secure.run_command(shell, HOSTNAME, skip_cmd_shell=True)
        assert secure.get_command_output(shell, command)[0] == b"SRV1\r\n"
        sealed = type(protocol)(
            host["winrm_https"],
            transport="ntlm",
            username="Administrator",
            password=lab.json("status")["password"],
            server_cert_validation="ignore",
            message_encryption="always",
        )
        assert sealed.open_shell()
        trusting = type(protocol)(
            host["winrm_https"],
            transport="ntlm",
            username="Administrator",
            password=lab.json("status")["password"],
            ca_trust_path=str(lab.state / "hosts" / "SRV1" / "winrm-https.pem"),
        )
        assert trusting.open_shell()
        for kind, says in (("wrong-name", "doesn't match|not valid for"), ("expired", "expired")):
            lab("set", "SRV1", f"https-certificate={kind}")
            pem = lab.state / "hosts" / "SRV1" / f"winrm-https-{kind}.pem"
            with pytest.raises(requests.exceptions.SSLError, match=says):
                requests.post(host["winrm_https"], timeout=2, verify=str(pem))
    finally:
        lab("set", "clear")
    with pytest.raises(requests.ConnectionError):
        requests.post(host["winrm_https"], timeout=2, verify=False)


def test_client_certificates(running_lab: LabCommand, tmp_path: Path) -> None:
    lab = running_lab
    key, pem = make_client_certificate(tmp_path)
    assert "operator@localhost logs on to SRV2 as Administrator" in lab(
        "map-certificate", "SRV2", "Administrator", str(pem)
    )
    other = tmp_path / "other"
    other.mkdir()
    other_key, other_pem = make_client_certificate(other)
    try:
        url = lab.json("status")["hosts"][1]["winrm_https"]
        options = {"transport": "certificate", "server_cert_validation": "ignore"}
        protocol = type(lab.protocol())(url, cert_pem=str(pem), cert_key_pem=str(key), **options)
        assert protocol.open_shell()
        stranger = type(lab.protocol())(url, cert_pem=str(other_pem), cert_key_pem=str(other_key), **options)
        with pytest.raises((requests.ConnectionError, InvalidCredentialsError)):
            stranger.open_shell()
    finally:
        lab("set", "clear")


def make_client_certificate(folder: Path) -> tuple[Path, Path]:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator")])
    now = datetime.datetime.now(datetime.UTC)
    principal = b"\x0c" + bytes([len("operator@localhost")]) + b"operator@localhost"
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), principal)]), False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    key_path, pem_path = folder / "key.pem", folder / "cert.pem"
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    pem_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_path, pem_path


def test_a_reboot_ends_shells_and_comes_back(running_lab: LabCommand) -> None:
    lab = running_lab
    protocol = lab.protocol()
    shell = protocol.open_shell()
    lab("reboot", "SRV1", "--seconds", "0.5")
    wait_for(lab, "down")
    with pytest.raises(requests.ConnectionError):
        lab.hostname(1)
    assert lab.hostname(2) == "SRV2"
    wait_for(lab, "running")
    protocol.transport.close_session()
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, HOSTNAME)
    assert error.value.wsman_fault_code == 2150858843
    assert lab.hostname(1) == "SRV1"


def test_a_reboot_by_switch(running_lab: LabCommand) -> None:
    lab = running_lab
    protocol = lab.protocol()
    shell = protocol.open_shell()
    lab("set", "SRV1", "reboot=action:Command,seconds:0.3")
    with pytest.raises(requests.ConnectionError):
        protocol.run_command(shell, HOSTNAME)
    wait_for(lab, "running")
    assert lab.hostname(1) == "SRV1"


def test_state_hash_tells_durable_from_volatile(running_lab: LabCommand) -> None:
    lab = running_lab
    drive = lab.state / "hosts" / "SRV1" / "C"
    assert lab.json("state-hash", "SRV1") == lab.json("state-hash", "SRV1")
    before = lab.json("state-hash", "SRV1", "--volatile")
    (drive / "Windows" / "Temp").mkdir(parents=True, exist_ok=True)
    (drive / "Windows" / "Temp" / "scratch.txt").write_text("x")
    (drive / "app.log").write_text("line")
    volatile = lab.json("state-hash", "SRV1", "--volatile")
    assert volatile["hash"] == before["hash"] and volatile["volatile_hash"] != before["volatile_hash"]
    (drive / "app.txt").write_text("content")
    after = lab.json("state-hash", "SRV1")
    assert after["hash"] != before["hash"]
    assert set(after["durable"]) - set(before["durable"]) == {"C:\\app.txt"}
    assert "C:\\app.txt" in lab("state-hash", "SRV1", "--list")
    lab("reset", "SRV1")
    assert lab.json("state-hash", "SRV1")["durable"].keys() == before["durable"].keys()


def test_disk_full(running_lab: LabCommand) -> None:
    lab = running_lab
    lab("set", "SRV2", "disk-free=1000")
    protocol = lab.protocol(2)
    shell = protocol.open_shell()
    try:
        line = f"echo {'x' * 2000}> C:\\big.txt"
        command = protocol.run_command(shell, line, console_mode_stdin=False)
        _, err, _ = protocol.get_command_output(shell, command)
        assert b"not enough space on the disk" in err
        lab("set", "SRV2", "disk-free=off")
        command = protocol.run_command(shell, line, console_mode_stdin=False)
        assert protocol.get_command_output(shell, command) == (b"", b"", 0)
    finally:
        lab("set", "clear")


def test_a_restart_from_inside(running_lab: LabCommand) -> None:
    """A script that restarts the machine takes WinRM down with it."""
    lab = running_lab
    lab("set", "boot-time=0.5")
    protocol = lab.protocol()
    shell = protocol.open_shell()
    try:
        command = protocol.run_command(shell, "shutdown /r /t 0", console_mode_stdin=False)
        try:
            if b"not simulated" in protocol.get_command_output(shell, command)[1]:
                pytest.skip("the lab's shutdown.exe is not there yet")
        except (requests.ConnectionError, WSManFaultError):
            pass
        wait_for(lab, "down")
        wait_for(lab, "running")
        assert lab.hostname(1) == "SRV1"
    finally:
        lab("set", "clear")


def test_the_log_has_no_password(running_lab: LabCommand) -> None:
    log = running_lab("log", "-n", "10000")
    assert "servers up" in log and running_lab.json("status")["password"] not in log


def test_many_servers_cost_little(lab: LabCommand) -> None:
    def memory() -> int:
        """Kilobytes that the lab's process holds."""
        status = Path(f"/proc/{lab.json('status')['pid']}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))

    lab("up")
    before = memory()
    started = time.monotonic()
    lab("up", "--hosts", "41")
    assert time.monotonic() - started < 15
    assert (memory() - before) / 40 < 10_000
    assert lab.hostname(41) == "SRV41"
