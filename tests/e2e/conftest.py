"""A lab of its own for the end-to-end tests."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.labkit import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Four bare servers, on a network that no other lab of this machine is likely to use."""
    network = f"127.{random.randint(10, 19)}.{random.randint(1, 250)}"
    made = Lab(tmp_path_factory.mktemp("lab"), network, hosts=4)
    yield made
    made.down()
