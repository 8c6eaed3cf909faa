"""Keeps one connection to a server and does there what it is told, a JSON document a line. A script, so that pyinfra's gevent stays out of pytest."""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Reads requests from standard input, writes an answer each to standard output."""
    from gevent import monkey

    monkey.patch_all()
    from pyinfra.api import Config, Inventory, State
    from pyinfra.api.connect import connect_all, disconnect_all

    from pyinfra_iis.facts.diagnosis import look

    password = json.loads(sys.stdin.readline())["password"]
    inventory = Inventory(([f"@winrm/{sys.argv[1]}"], {"winrm_user": "Administrator", "winrm_password": password}))
    state = State(inventory, Config())
    connect_all(state)
    host = next(iter(inventory))
    _say(result="connected")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "look" in request:
                _say(result=look(host, request["look"], **request["options"]))
                continue
            shell = "cmd" if "cmd" in request else "ps"
            ok, output = host.run_shell_command(request.get("cmd") or request["powershell"], _shell_executable=shell)
            _say(result=output.stdout) if ok else _say(error=f"{request}: {output.stdout} {output.stderr}")
        except Exception as error:
            _say(error=f"{type(error).__name__}: {error}")
    disconnect_all(state)


def _say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
