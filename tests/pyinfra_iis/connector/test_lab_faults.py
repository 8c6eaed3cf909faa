"""The fault matrix: every fault of the lab, at every request, met by a command, an upload and a download.

Each either is survived or ends in one sentence; a command never runs twice; a file is the old one or the new one; nothing stays behind.
A part of it runs by itself; with WINRM_FAULT_MATRIX=FILE all of it, and the outcomes are written there as a table (that is how
docs/connector-faults.md is made)."""

from __future__ import annotations

import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host

from tests.labkit import Lab

from .conftest import PWSH, make_host

OLD, NEW = b"old content", os.urandom(900_000)

#: Fault, the request it meets, and whether it must be survived ("survived"), or may end in a sentence as well ("either").
FAULTS = [
    *[(f"{fault}=action:{action}", "survived") for action in ("Send", "Receive") for fault in (
        "drop-before", "drop-after", "drop-during", "http-400", "http-401", "http-500", "http-503", "proxy-html", "busy", "timeout",
        "delay",
    )],
    *[(f"{fault}=action:{action},count:3", "survived") for action in ("Send", "Receive") for fault in ("drop-before", "drop-after")],
    ("http-413=action:Send", "survived"),
    ("quota-operations=action:Send", "survived"),
    ("quota-operations=action:Receive", "either"),
    ("shell-gone=action:Send", "survived"),
    ("shell-gone=action:Receive", "either"),
    ("process-killed=action:Send", "survived"),
    ("process-killed=action:Receive", "either"),
    ("reboot=action:Send,seconds:1", "either"),
    ("reboot=action:Receive,seconds:1", "either"),
    ("http-401=action:Send,count:9", "either"),
    ("http-503=action:Receive,count:200", "either"),
]  # fmt: skip
CONNECTING = [
    *[(f"{fault}=action:{action}", "survived") for action in ("Create", "Command", "Receive") for fault in (
        "drop-before", "drop-after", "http-400", "busy", "timeout",
    )],
    ("http-401=action:Create", "either"), ("quota-shells=action:Create", "either"), ("quota-operations=action:Command", "either"),
    ("proxy-html=action:Create", "either"), ("http-503=action:Create", "either"), ("http-500=action:Create", "either"),
    ("drop-before=action:Send", "either"), ("process-killed=action:Receive", "either"), ("shell-gone=action:Send", "either"),
]  # fmt: skip

if not os.environ.get("WINRM_FAULT_MATRIX"):  # all of it takes minutes
    FAULTS = [*FAULTS[::5], *[row for row in FAULTS if row[0].startswith(("shell-gone", "process-killed"))]]
    CONNECTING = CONNECTING[::5]

outcomes: dict[str, dict[str, str]] = defaultdict(dict)


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    if target := os.environ.get("WINRM_FAULT_MATRIX"):
        Path(target).write_text(_table())


@pytest.fixture(scope="module")
def shared(lab: Lab) -> Iterator[Host]:
    """One connection for all: what a fault leaves behind meets the next one."""
    lab.winlab("set", "clear")
    host = make_host(lab, winrm_reconnect_timeout=4, winrm_operation_timeout=3)
    host.connect(raise_exceptions=True)
    yield host
    lab.winlab("set", "clear")
    host.disconnect()


def _meet(lab: Lab, fault: str) -> None:
    lab.winlab("set", "clear")
    name, _, value = fault.partition("=")
    if name == "delay":
        value += ",ms:300"
    lab.winlab("set", f"{name}={value}")


def _sentence(texts: list[str]) -> str:
    """One sentence: what happened, which host, what to do."""
    assert len(texts) == 1, texts
    assert "127.11." in texts[0] and "Traceback" not in texts[0]
    return texts[0]


@pytest.mark.parametrize(("fault", "must"), FAULTS)
def test_a_command(lab: Lab, shared: Host, folder: str, fault: str, must: str) -> None:
    assert _retry(shared, f"[void][IO.Directory]::CreateDirectory('{folder}')")
    _meet(lab, fault)
    status, output = shared.run_shell_command(f"[IO.File]::AppendAllText('{folder}runs', 'x'); 'done'")
    lab.winlab("set", "clear")
    runs = len(_content(shared, f"{folder}runs"))
    outcomes[fault]["command"] = (
        f"survived, ran {runs}x" if status else f"{_sentence(output.stderr_lines)} (ran {runs}x)"
    )
    assert runs == 1 if status else runs <= 1
    if status:
        assert output.stdout_lines == ["done"]
    assert status or must == "either", output.output


@pytest.mark.parametrize(("fault", "must"), FAULTS)
def test_an_upload(
    lab: Lab, shared: Host, folder: str, fault: str, must: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert _retry(shared, f"[void][IO.Directory]::CreateDirectory('{folder}')")
    assert shared.put_file(io.BytesIO(OLD), f"{folder}file")
    _meet(lab, fault)
    caplog.clear()
    status = shared.put_file(io.BytesIO(NEW), f"{folder}file")
    lab.winlab("set", "clear")
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    outcomes[fault]["upload"] = "survived" if status else _sentence(errors)
    content = _content(shared, f"{folder}file")
    assert content == NEW if status else content in (OLD, NEW)
    assert status or must == "either", errors
    if status:
        _, output = shared.run_shell_command(f"[IO.Directory]::GetFileSystemEntries('{folder}').Count")
        assert output.stdout == "1"


@pytest.mark.parametrize(("fault", "must"), FAULTS)
def test_a_download(
    lab: Lab, shared: Host, folder: str, fault: str, must: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    assert _retry(shared, f"[void][IO.Directory]::CreateDirectory('{folder}')")
    assert shared.put_file(io.BytesIO(NEW), f"{folder}file")
    (tmp_path / "local").write_bytes(OLD)
    _meet(lab, fault)
    caplog.clear()
    status = shared.get_file(f"{folder}file", str(tmp_path / "local"))
    lab.winlab("set", "clear")
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    outcomes[fault]["download"] = "survived" if status else _sentence(errors)
    assert (tmp_path / "local").read_bytes() == (NEW if status else OLD)
    assert status or must == "either", errors


@pytest.mark.parametrize(("fault", "must"), CONNECTING)
def test_connecting(lab: Lab, fault: str, must: str) -> None:
    host = make_host(lab, winrm_reconnect_timeout=4, winrm_operation_timeout=3)
    _meet(lab, fault)
    try:
        host.connect(show_errors=False, raise_exceptions=True)
        outcomes[f"connecting: {fault}"]["command"] = "survived"
        assert host.run_shell_command("'a'")[1].stdout == "a"
    except ConnectError as error:
        outcomes[f"connecting: {fault}"]["command"] = _sentence([str(error)])
        assert must == "either", str(error)
    finally:
        lab.winlab("set", "clear")
        host.connector.disconnect()


def test_nothing_stays_behind(lab: Lab, shared: Host) -> None:
    """After all that: one PowerShell process, that of the shared connection."""
    if PWSH:
        pytest.skip("needs the simulated process list")
    assert shared.run_shell_command("'x'")[0]
    _, output = shared.run_shell_command("@(Get-Process -Name powershell).Count")
    assert output.stdout.strip() == "1"


def _retry(host: Host, script: str) -> bool:
    """For preparing: a fault may have left the connection in need of a second try."""
    return any(host.run_shell_command(script)[0] for _ in range(2))


def _content(host: Host, path: str) -> bytes:
    target = io.BytesIO()
    for _ in range(2):
        if host.get_file(path, target):
            return target.getvalue()
    return b""


def _table() -> str:
    lines = [
        "# What the connector makes of faults",
        "",
        "Written by `tests/pyinfra_iis/connector/test_lab_faults.py` (with `WINRM_FAULT_MATRIX=docs/connector-faults.md`), not by hand.",
        "Names of faults are those of `winlab set`. *ran Nx*: how often the command ran on the server.",
        "",
        "| fault | command | upload | download |",
        "|---|---|---|---|",
    ]
    for fault, cells in outcomes.items():
        row = [
            re.sub(r"127\.11\.\d+\.\d+", "HOST", cells.get(name, "")).replace("|", "/")
            for name in ("command", "upload", "download")
        ]
        lines.append(f"| `{fault}` | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"
