"""pyinfra's command, with something that happens to the deploy just when its Nth command is sent (`CRASH_AT`, `CRASH_HOW`: a switch of
the lab, or `client killed`); prints each command's name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

from pyinfra_cli.main import main  # first: it prepares gevent

from pyinfra_iis.connector.winrm import WinRMConnector

_seen = 0


def before_command(name: str) -> None:
    """Count a command, and let happen what is to happen."""
    global _seen
    _seen += 1
    print(f"command {_seen}: {name}", file=sys.stderr, flush=True)
    if _seen != int(os.environ.get("CRASH_AT", "0")):
        return
    how = os.environ["CRASH_HOW"]
    if how == "client killed":
        # Once it has been sent, so that the server is in the middle of it.
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()
    else:
        subprocess.run(
            [sys.executable, "-m", "winlab", "set", os.environ["CRASH_HOST"], how],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _counted(name: str) -> None:
    original = getattr(WinRMConnector, name)

    def wrapper(self: WinRMConnector, command: Any, *arguments: Any, **more: Any) -> Any:
        before_command(getattr(command, "name", name))
        return original(self, command, *arguments, **more)

    setattr(WinRMConnector, name, wrapper)


if __name__ == "__main__":
    _counted("run_shell_command")
    _counted("put_file")
    sys.exit(main())
