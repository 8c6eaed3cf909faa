"""A lab of its own for the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.labkit import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Lab]:
    """Four bare servers."""
    number = 40 + int(worker_id.removeprefix("gw") or 0) if worker_id.startswith("gw") else 40
    made = Lab(tmp_path_factory.mktemp("lab"), f"127.0.{number}", hosts=4)
    yield made
    made.down()
