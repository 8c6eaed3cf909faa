"""What commands and files cost over `@winrm`, with plain pywinrm on the same lab beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import winrm
from pyinfra.api import Config, Inventory, State
from pyinfra.api.host import Host

from tests.labkit import BIN, Lab

COMMANDS = 100
BESIDE = 10
MIB = 1 << 20
FILE = 32 * MIB
LARGE = 512 * MIB
RTT = 0.03
FLEET = 100

# A process of its own, so that its memory is the connector's alone: how much its peak grows while it sends a large file.
PUT_LARGE = """
import json, sys
from bench.connector import connect, peak
address, user, password, name = json.loads(sys.argv[1])
host = connect(address, user, password)
host.put_file(name + ".small", "C:\\\\small.bin")
before = peak()
assert host.put_file(name, "C:\\\\large.bin")
print((peak() - before) / 1024)
host.disconnect()
"""


def run() -> dict[str, Any]:
    """The figures by key; see `docs/benchmarks.md`."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "lab", "127.0.62", 1)
        try:
            figures = {**_commands(lab), **_files(lab, Path(folder)), **_time(lab), **_memory(lab, Path(folder))}
        finally:
            lab.down()
    return {**figures, **_fleet()}


def _fleet() -> dict[str, Any]:
    """A hundred servers in one pyinfra run: connect, run a command, disconnect."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "lab", "127.0.63", FLEET)
        try:
            inventory = Path(folder) / "inventory.py"
            hosts = [f"@winrm/{address}" for address in lab.addresses]
            inventory.write_text(f"hosts = ({hosts!r}, {{'winrm_user': {lab.status['user']!r}}})\n")
            start = time.monotonic()
            done = subprocess.run(
                [str(BIN / "pyinfra"), "-y", str(inventory), "exec", "--", "[Environment]::MachineName"],
                env={**os.environ, "WINRM_PASSWORD": lab.password}, capture_output=True, text=True, check=False, timeout=600,
            )  # fmt: skip
            assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
            return {
                "connector.fleet_hosts": FLEET,
                "connector.fleet_seconds": round(time.monotonic() - start, 1),
                "connector.fleet_powershell_starts": lab.stats()["powershell_starts"],
            }
        finally:
            lab.down()


def connect(address: str, user: str, password: str) -> Host:
    """A host of pyinfra, connected."""
    inventory = Inventory(([f"@winrm/{address}"], {"winrm_user": user, "winrm_password": password}))
    State(inventory, Config())
    host = inventory.get_host(f"@winrm/{address}")
    host.connect(raise_exceptions=True)
    return host


def peak() -> int:
    """The most memory that this process has had in use, in KiB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def _connect(lab: Lab) -> Host:
    return connect(lab.addresses[0], lab.status["user"], lab.password)


def _run(host: Host, count: int) -> None:
    for number in range(count):
        status, output = host.run_shell_command(f"'number {number}'")
        assert status and output.stdout == f"number {number}", output.output


def _commands(lab: Lab) -> dict[str, Any]:
    lab.winlab("stats", "--reset")
    host = _connect(lab)
    before = lab.stats()["requests"]
    _run(host, COMMANDS)
    stats = lab.stats()
    host.disconnect()
    return {
        "connector.requests_per_command": (stats["requests"] - before) / COMMANDS,
        "connector.powershell_starts_100_commands": stats["powershell_starts"],
    }


def _files(lab: Lab, folder: Path) -> dict[str, Any]:
    (folder / "random").write_bytes(os.urandom(FILE))
    host = _connect(lab)
    lab.winlab("stats", "--reset")
    assert host.put_file(str(folder / "random"), "C:\\random.bin")
    put = lab.stats()
    lab.winlab("stats", "--reset")
    assert host.get_file("C:\\random.bin", str(folder / "back"))
    got = lab.stats()
    host.disconnect()
    assert (folder / "back").read_bytes() == (folder / "random").read_bytes()
    return {
        "connector.requests_per_mib_put": put["requests"] / (FILE / MIB),
        "connector.requests_per_mib_get": got["requests"] / (FILE / MIB),
        "connector.put_overhead": round((put["bytes_in"]) / FILE, 4),
    }


def _time(lab: Lab) -> dict[str, Any]:
    lab.winlab("set", f"rtt={RTT * 1000:g}")
    host = _connect(lab)
    seconds = []
    for _ in range(3):  # the least of three: other work of this machine only ever adds
        start = time.monotonic()
        _run(host, COMMANDS)
        seconds.append(time.monotonic() - start)
    ratio = min(seconds) / (COMMANDS * RTT)
    host.disconnect()

    lab.winlab("set", "powershell-start=700")
    ours = _beside(lab, _ours)
    plain = _beside(lab, _pywinrm)
    lab.winlab("set", "clear")
    return {
        "connector.command_rtt_ratio": round(ratio, 3),
        **{f"connector.beside.{key}": value for key, value in ours.items()},
        **{f"connector.beside.pywinrm_{key}": value for key, value in plain.items()},
    }


def _beside(lab: Lab, what: Any) -> dict[str, Any]:
    """A few commands from connecting to disconnecting, at 30 ms and 700 ms for a start of PowerShell."""
    lab.winlab("stats", "--reset")
    start = time.monotonic()
    what(lab)
    seconds = time.monotonic() - start
    stats = lab.stats()
    return {
        f"requests_{BESIDE}_commands": stats["requests"],
        f"powershell_starts_{BESIDE}_commands": stats["powershell_starts"],
        f"seconds_{BESIDE}_commands": round(seconds, 2),
    }


def _ours(lab: Lab) -> None:
    host = _connect(lab)
    _run(host, BESIDE)
    host.disconnect()


def _pywinrm(lab: Lab) -> None:
    session = winrm.Session(lab.addresses[0], auth=(lab.status["user"], lab.password), transport="ntlm")
    for number in range(BESIDE):
        assert session.run_ps(f"'number {number}'").std_out.decode().strip() == f"number {number}"


def _memory(lab: Lab, folder: Path) -> dict[str, Any]:
    block = os.urandom(MIB)
    with open(folder / "large", "wb") as file:
        for number in range(LARGE // MIB):
            file.write(number.to_bytes(8, "big") + block[8:])
    (folder / "large.small").write_bytes(block)
    arguments = [lab.addresses[0], lab.status["user"], lab.password, str(folder / "large")]
    done = subprocess.run(
        [sys.executable, "-c", PUT_LARGE, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return {"connector.put_memory_mib": round(float(done.stdout), 1)}


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:55} {value}")
