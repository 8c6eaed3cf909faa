"""A lab of its own for tests and benchmarks, and the deploy as a user runs it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import winrm

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@dataclass
class Run:
    """One run of pyinfra."""

    code: int
    output: str

    def __post_init__(self) -> None:
        # Without the spinner's and the colours' control sequences.
        self.output = "\n".join(line.rsplit("\r", 1)[-1] for line in self.output.splitlines())

    @property
    def changed(self) -> list[str]:
        """What the summary counts as changed, per operation: names of operations that ran."""
        return [line for line in self.output.splitlines() if "] Success" in line]


class Lab:
    """Simulated servers, controlled by the `winlab` command."""

    def __init__(self, state: Path, network: str, hosts: int, *switches: str) -> None:
        self.state = state
        self.environment = {
            **os.environ,
            "WINLAB_STATE": str(state),
            "WINLAB_NETWORK": network,
            "WINLAB_HOSTS": str(hosts),
            "NO_COLOR": "1",
            "PYINFRA_PROGRESS": "off",
        }
        self.winlab("up", "--hosts", str(hosts), *switches)
        self.status = json.loads(self.winlab("status", "--json"))

    @property
    def addresses(self) -> list[str]:
        return [host["address"] for host in self.status["hosts"]]

    @property
    def password(self) -> str:
        return self.status["password"]

    def winlab(self, *arguments: str) -> str:
        run = subprocess.run(
            [sys.executable, "-m", "winlab", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def stats(self, *addresses: str) -> dict[str, Any]:
        """Counters since the last reset, summed over servers (default: all)."""
        return json.loads(self.winlab("stats", "--json", *[self.name(address) for address in addresses]))["total"]

    def artifact_sums(self) -> dict[str, str]:
        """The SHA-256 of what the lab's mirror serves, by file name."""
        with urlopen(self.status["artifacts"] + "SHA256SUMS") as answer:
            return dict(reversed(line.split()) for line in answer.read().decode().splitlines())

    def cmd(self, address: str, command: str) -> str:
        """Run a command line on a server as an administrator would, over WinRM with a client of somebody else."""
        session = winrm.Session(address, auth=("Administrator", self.password), transport="ntlm")
        result = session.run_cmd(command)
        assert result.status_code == 0, result.std_out + result.std_err
        return result.std_out.decode("utf-8", "replace")

    def powershell(self, address: str, script: str) -> str:
        """Run PowerShell on a server, the same way."""
        session = winrm.Session(address, auth=("Administrator", self.password), transport="ntlm")
        result = session.run_ps(script)
        assert result.status_code == 0, result.std_out + result.std_err
        return result.std_out.decode("utf-8", "replace")

    def down(self) -> None:
        """Stop it."""
        self.winlab("down")

    def name(self, address: str) -> str:
        return next(host["name"] for host in self.status["hosts"] if host["address"] == address)

    def hash(self, address: str) -> dict[str, Any]:
        """Everything that a server holds, as hashes."""
        return json.loads(self.winlab("state-hash", self.name(address), "--json"))

    def pyinfra(
        self,
        *addresses: str,
        options: Sequence[str] = ("-y",),
        deploy: str = "deploys/django_iis.py",
        example: str = "mysite",
        **data: Any,
    ) -> Run:
        """Run a deploy as a user does.

        Args:
            addresses: the servers; none means all.
            options: of pyinfra's command line.
            deploy: the file.
            example: which application the inventory is about.
            data: host data that overrides the inventory's.
        """
        limit = [item for address in addresses for item in ("--limit", f"@winrm/{address}")]
        given = [item for key, value in data.items() for item in ("--data", f"{key}={value}")]
        run = subprocess.run(
            [str(BIN / "pyinfra"), "inventories/lab.py", deploy, *limit, *given, *options],
            env={**self.environment, "WINLAB_EXAMPLE": example},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=280,
        )
        return Run(run.returncode, run.stdout)


def get(
    address: str, path: str, port: int = 8014, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    """A plain HTTP request: status, headers, body."""
    connection = http.client.HTTPConnection(address, port, timeout=60)
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read().decode("utf-8", "replace")
