"""A scratch server per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from winlab.windows.accounts import Token
from winlab.windows.machine import Machine


@pytest.fixture
def machine(tmp_path: Path):
    made = Machine("SRV1", "2016", "127.0.0.1", tmp_path / "srv1")
    yield made
    made.shutdown()


@pytest.fixture
def admin(machine: Machine) -> Token:
    return machine.accounts.token("Administrator")


@pytest.fixture
def pool(machine: Machine) -> Token:
    return machine.accounts.token("IIS AppPool\\web")
