"""An old Django and the newest that this machine's Python can run; `DJANGO_MATRIX=full` tries all in between, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.django_versions import REASONS, deploy, make_project, runnable
from tests.labkit import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("variants")]

CHOSEN = runnable() if os.environ.get("DJANGO_MATRIX") == "full" else ["3.2", runnable()[-1]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("django") / "versions")


@pytest.mark.parametrize("version", CHOSEN)
def test_a_project_is_served_by_this_django(lab: Lab, project: Path, version: str) -> None:
    result = deploy(lab, lab.addresses[0], project, version)
    assert result.wrong == ""
    assert {*result.warnings} <= {*REASONS}
