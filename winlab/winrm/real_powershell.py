"""powershell.exe as a real PowerShell of this machine: for scripts that need nothing of the simulated Windows."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from winlab.windows.errors import ProcessKilled, WindowsError

if TYPE_CHECKING:
    from winlab.windows.processes import ProgramContext


def program(path: str) -> Callable[[ProgramContext], int]:
    """The program that starts the PowerShell at `path` with the arguments, standard streams and exit code of the simulated process."""

    def main(ctx: ProgramContext) -> int:
        child = subprocess.Popen(
            [path, *ctx.argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"POWERSHELL_TELEMETRY_OPTOUT": "1", "NO_COLOR": "1"},
        )
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        threading.Thread(target=_feed, args=(ctx, child.stdin), daemon=True).start()
        readers = [
            threading.Thread(target=_drain, args=(source, write), daemon=True)
            for source, write in ((child.stdout, ctx.write_out), (child.stderr, ctx.write_err))
        ]
        for reader in readers:
            reader.start()
        try:
            while True:
                try:
                    code = child.wait(0.05)
                    break
                except subprocess.TimeoutExpired:
                    ctx.check()
        except ProcessKilled:
            os.killpg(child.pid, 9)
            child.wait()
            raise
        for reader in readers:
            reader.join()
        return code

    return main


def _feed(ctx: ProgramContext, into: IO[bytes]) -> None:
    stream = ctx.stdin
    try:
        while stream is not None and (data := stream.read(65536)):
            into.write(data)
            into.flush()
    except (OSError, WindowsError, ProcessKilled):
        pass
    finally:
        try:
            into.close()
        except OSError:
            pass


def _drain(source: IO[bytes], write: Callable[[bytes], None]) -> None:
    try:
        while data := os.read(source.fileno(), 65536):
            write(data)
    except (OSError, WindowsError, ProcessKilled):
        pass
