"""A server for one script: made in a temporary folder, gone afterwards."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

from winlab.windows.machine import Machine
from winlab.windows.pipes import Pipe
from winlab.windows.processes import Console, Process

SCRIPT = r"C:\script.ps1"


def run_powershell(text: str, version: str, stdout: BinaryIO, stderr: BinaryIO) -> int:
    """Runs a script with powershell.exe as Administrator of a scratch server; its output goes to the given files as UTF-8.

    The script stands in a file there, so that what it says about lines and errors is what a file gives.
    """
    with tempfile.TemporaryDirectory(prefix="winlab-") as folder:
        machine = Machine("SCRATCH", version, "127.0.0.1", Path(folder))
        machine.fs.write_bytes(SCRIPT, b"\xef\xbb\xbf" + text.encode("utf-8"))
        out, err = Pipe(), Pipe()
        process = _start(machine, out, err)
        pumps = [threading.Thread(target=_pump, args=pair, daemon=True) for pair in ((out, stdout), (err, stderr))]
        for pump in pumps:
            pump.start()
        try:
            while (code := process.wait(0.5)) is None:
                pass
        except KeyboardInterrupt:
            process.kill(tree=True)
            raise
        for pump in pumps:
            pump.join()
        machine.shutdown()
    return code & 0xFF if code else 0


def _start(machine: Machine, out: Pipe, err: Pipe) -> Process:
    stdin = Pipe()
    stdin.close_write()
    return machine.processes.start(
        f"powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File {SCRIPT}",
        cwd="C:\\",
        user=machine.accounts.token("Administrator"),
        stdin=stdin,
        stdout=out,
        stderr=err,
        console=Console(65001),
    )


def _pump(pipe: Pipe, into: BinaryIO) -> None:
    while data := pipe.read():
        into.write(data)
        into.flush()
