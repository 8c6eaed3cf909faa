"""The continuous integration on hosted Windows runners cannot run here; its file is checked by linters for workflows."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"],
        [str(Path(sys.executable).parent / "zizmor"), "--offline", "--quiet", "--no-progress"],
    ],
    ids=["schema", "security"],
)
def test_workflows_satisfy_their_linters(command: list[str]) -> None:
    there = importlib.util.find_spec("check_jsonschema") if command[1] == "-m" else Path(command[0]).exists()
    if not there:
        pytest.skip("the linter is not installed")
    assert WORKFLOWS
    run = subprocess.run([*command, *map(str, WORKFLOWS)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_the_workflow_runs_is_there() -> None:
    text = WORKFLOWS[0].read_text(encoding="utf-8")
    paths = [
        ".github/prepare-winrm.ps1",
        "tests/pyinfra_iis/connector",
        "tests/windows/inventory.py",
        "deploys/django_iis.py",
        "tests/windows",
    ]
    assert [path for path in paths if path not in text or not (ROOT / path).exists()] == []
