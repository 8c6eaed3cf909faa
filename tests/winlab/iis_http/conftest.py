"""Servers with IIS for the tests of this folder; each is closed at the end of its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.winlab.iis_http.harness import Web


@pytest.fixture
def make_web(tmp_path: Path) -> Iterator[Callable[..., Web]]:
    """Makes servers: make_web(platform="2", features=(...))."""
    made: list[Web] = []

    def make(**options: Any) -> Web:
        web = Web(tmp_path / f"server{len(made)}", **options)
        made.append(web)
        return web

    yield make
    for web in made:
        web.close()


@pytest.fixture
def web(make_web: Callable[..., Web]) -> Web:
    """A server with the common features and version 1.2 of HttpPlatformHandler, not started yet."""
    return make_web()
