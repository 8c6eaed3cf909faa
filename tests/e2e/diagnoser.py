"""A connection to a server for tests that look and break again and again: it is opened once."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.labkit import ROOT


class Diagnoser:
    """`on_server.py` in a process beside the tests."""

    def __init__(self, address: str, password: str) -> None:
        self.address = address
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.on_server", address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask(password=password)

    def powershell(self, script: str) -> str:
        """Run a script on the server, as an administrator would."""
        return str(self._ask(powershell=script))

    def cmd(self, line: str) -> str:
        """Run a command line of cmd.exe there."""
        return str(self._ask(cmd=line))

    def look(self, site: str, **options: Any) -> dict[str, Any]:
        """What the server tells about a site."""
        return dict(self._ask(look=site, options=options))

    def close(self) -> None:
        """End the connection."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)

    def _ask(self, **request: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "it has ended"}')
        assert "error" not in answer, answer["error"]
        return answer["result"]
