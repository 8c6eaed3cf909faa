from __future__ import annotations

import contextlib
import io
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from winrm import Protocol

from winlab import cli

HOSTNAME = r"C:\Windows\System32\hostname.exe"


@dataclass
class LabCommand:
    """The `winlab` command on a state folder and a network of its own."""

    state: Path
    network: str

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What the command printed; both streams."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            result = cli.main(list(arguments))
        assert result == code, output.getvalue()
        return output.getvalue()

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def protocol(self, number: int = 1, **options: Any) -> Protocol:
        """A pywinrm client of a server."""
        status = self.json("status")
        options = {"transport": "ntlm", "username": status["user"], "password": status["password"], **options}
        return Protocol(status["hosts"][number - 1]["winrm"], **options)

    def hostname(self, number: int = 1) -> str:
        """The name that a server says it has."""
        protocol = self.protocol(number)
        shell = protocol.open_shell()
        command = protocol.run_command(shell, HOSTNAME, skip_cmd_shell=True)
        name = protocol.get_command_output(shell, command)[0].decode().strip()
        protocol.close_shell(shell)
        return name


def free_network() -> str:
    """Three numbers that no other lab on this machine is likely to use."""
    return f"127.{random.randrange(20, 250)}.{random.randrange(1, 200)}"


@pytest.fixture
def network() -> str:
    return free_network()


def make_lab(state: Path, network: str) -> Iterator[LabCommand]:
    saved = {name: os.environ.get(name) for name in ("WINLAB_STATE", "WINLAB_NETWORK", "WINLAB_PASSWORD")}
    os.environ.pop("WINLAB_PASSWORD", None)
    os.environ |= {"WINLAB_STATE": str(state), "WINLAB_NETWORK": network}
    try:
        yield LabCommand(state, network)
    finally:
        cli.main(["down"])
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture
def lab(tmp_path: Path, network: str) -> Iterator[LabCommand]:
    """A lab that is not up yet."""
    yield from make_lab(tmp_path / "state", network)


@pytest.fixture(scope="module")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCommand]:
    """A lab of two servers, shared by a module's tests."""
    for command in make_lab(tmp_path_factory.mktemp("lab"), free_network()):
        command("up", "--hosts", "2")
        yield command
