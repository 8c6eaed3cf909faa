"""Tests that share a lab run one after the other in one process, or each process sets a lab of its own up."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
@pytest.mark.xdist_group("together")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@together")
