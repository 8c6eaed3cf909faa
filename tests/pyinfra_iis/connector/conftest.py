"""A lab of its own for the connector's tests. With PWSH=/path/to/pwsh its PowerShell is the real one, and files live in a temporary folder.

With WINRM_TEST_HOST, WINRM_TEST_USER and WINRM_PASSWORD (and WINRM_TEST_CA for HTTPS) the server is a real one: what only the lab can do or count skips.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import Config, Inventory, State
from pyinfra.api.host import Host

from tests.labkit import Lab

PWSH = os.environ.get("PWSH", "")
REAL = os.environ.get("WINRM_TEST_HOST", "")


class QuickLab(Lab):
    """Sets switches over the lab's socket, without starting the `winlab` command each time."""

    def winlab(self, *arguments: str) -> str:
        from winlab import daemon

        if arguments[0] == "set":
            daemon.call(self.state, "set", hosts=[], switches=list(arguments[1:]))
            return ""
        if arguments[0] == "stats":
            return json.dumps(daemon.call(self.state, "stats", hosts=[], reset="--reset" in arguments))
        return super().winlab(*arguments)


class RealServer(Lab):
    """A real Windows server in the lab's place."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self.status = {"hosts": [{"name": REAL, "address": REAL}], "user": os.environ["WINRM_TEST_USER"]}

    @property
    def password(self) -> str:
        return os.environ["WINRM_PASSWORD"]

    def winlab(self, *arguments: str) -> str:
        if arguments != ("set", "clear"):
            pytest.skip("only the lab does this, the server is a real one")
        return ""


def connection(lab: Lab) -> dict[str, str]:
    """Host data that reach one of the servers."""
    ca = os.environ.get("WINRM_TEST_CA") if REAL else None
    return {
        "winrm_user": lab.status["user"],
        "winrm_password": lab.password,
        **({"winrm_ca_file": ca} if ca else {}),
    }


def make_host(lab: Lab, number: int = 0, **data: Any) -> Host:
    """A host of pyinfra for one of the lab's servers; not connected yet."""
    name = f"@winrm/{lab.addresses[number]}"
    inventory = Inventory(([name], {**connection(lab), **data}))
    State(inventory, Config())
    return inventory.get_host(name)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if REAL:
        yield RealServer()
        return
    switches = ["--powershell", PWSH] if PWSH else []
    found = QuickLab(tmp_path_factory.mktemp("lab"), f"127.11.{os.getpid() % 250}", 1, *switches)
    yield found
    found.down()


@pytest.fixture
def host(lab: Lab) -> Iterator[Host]:
    """A connected host on a server without costs and faults."""
    lab.winlab("set", "clear")
    one = make_host(lab)
    one.connect(raise_exceptions=True)
    yield one
    lab.winlab("set", "clear")
    one.disconnect()


@pytest.fixture
def new_host(lab: Lab) -> Iterator[Callable[..., Host]]:
    """Makes hosts with data of their own."""
    lab.winlab("set", "clear")
    made: list[Host] = []

    def make(**data: Any) -> Host:
        made.append(make_host(lab, **data))
        return made[-1]

    yield make
    lab.winlab("set", "clear")
    for one in made:
        one.connector.disconnect()


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder on the server, with its last separator; not made yet."""
    return f"{tmp_path}/there/" if PWSH else f"C:\\t{uuid.uuid4().hex[:8]}\\"
