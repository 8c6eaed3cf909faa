"""Every failure mode of the table: status, HRESULT and event."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.winlab.iis_http.failure_table import CASES, Case, run


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_failure(case: Case, tmp_path: Path) -> None:
    row = run(case, tmp_path / "server")
    assert (row.reply.code, row.reply.hresult) == (case.code, case.hresult)
    if case.event is not None:
        assert case.event in row.events
