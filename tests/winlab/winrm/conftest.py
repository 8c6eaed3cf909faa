from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.winlab.winrm.fakes import FakeServer, serve


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FakeServer]:
    with serve() as running:
        yield running


@pytest.fixture
def server(shared_server: FakeServer) -> Iterator[FakeServer]:
    """A server with default settings; shared by the tests of a module."""
    yield shared_server
    shared_server.switches.clear()
    shared_server.config(**vars(type(shared_server.service.config).for_version("2022")))
    shared_server.on_loop(shared_server.service.close)
