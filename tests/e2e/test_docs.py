"""What the documentation tells a reader to do, done word for word on a lab of its own."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import docs
from tests.labkit import BIN, ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("docs"), pytest.mark.timeout(600)]

PAGES = ["tutorial.md"]
"""Pages whose reader is in a checkout with a lab; the commands of the others are run by tests beside their subjects, which name the page."""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A reader's checkout, set up already, and the environment of his shell."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for entry in (
        "pyinfra_iis",
        "winlab",
        "deploys",
        "inventories",
        "templates",
        "examples",
        "pyproject.toml",
        "Makefile",
        ".venv",
    ):
        if (ROOT / entry).exists():
            (folder / entry).symlink_to(ROOT / entry)
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PYINFRA_PROGRESS": "off",
        "WINLAB_STATE": str(tmp_path / "lab"),
        "WINLAB_NETWORK": f"127.{random.randint(20, 29)}.{random.randint(1, 250)}",
    }
    yield folder, environment
    subprocess.run([str(BIN / "winlab"), "down"], env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_gets_what_the_page_promises(checkout: tuple[Path, dict[str, str]], page: str) -> None:
    folder, environment = checkout
    replacements = {
        "127.0.1.": environment["WINLAB_NETWORK"] + ".",
        "inventories/prod.py": "inventories/lab.py",
        "make setup": "test -x .venv/bin/python || test -n '" + str(BIN) + "'",
        ". .venv/bin/activate": "true",
    }
    done = docs.run(ROOT / "docs" / page, folder, environment, replacements)
    assert len(done) >= 10


def test_every_page_with_commands_is_run_by_a_test() -> None:
    with_commands = {page.name for page in (ROOT / "docs").glob("*.md") if list(docs.steps(page))}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    assert [page for page in sorted(with_commands) if not any(re.search(rf'"{page}"', text) for text in sources)] == []
