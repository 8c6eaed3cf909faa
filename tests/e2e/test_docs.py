"""What the documentation tells a reader to do, done word for word on a lab of its own."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import docs
from tests.labkit import BIN, ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("docs"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="a reader has bash and curl"),
]

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


COMMANDS = ("README.md", "docs/failures.md", "docs/operations.md")
OTHERS_HAVE = {"--data site=Shop": "--data site=shop", "hostname=www.example.com": "hostname=localhost"}


def test_the_commands_of_reference_pages_work(checkout: tuple[Path, dict[str, str]]) -> None:
    folder, environment = checkout
    django = "pyinfra inventories/lab.py deploys/django_iis.py -y --data django_app=shop"
    code, text = docs.do(django, folder, environment)
    assert code == 0, text
    lines = [line for page in COMMANDS for line in docs.plain_commands(ROOT / page, "pyinfra inventories/prod.py")]
    assert len(lines) >= 6
    for line in dict.fromkeys(lines):
        here = line.replace("inventories/prod.py", "inventories/lab.py") + " --data django_app=shop -y"
        for theirs, ours in OTHERS_HAVE.items():
            here = here.replace(theirs, ours)
        code, text = docs.do(here, folder, environment)
        assert code == 0, f"{here}\n{text}"


def test_every_page_with_commands_is_run_by_a_test() -> None:
    with_commands = {
        page.name
        for page in (ROOT / "docs").glob("*.md")
        if any(isinstance(step, docs.Command) for step in docs.steps(page))
    }
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    assert [page for page in sorted(with_commands) if not any(re.search(rf'"{page}"', text) for text in sources)] == []
