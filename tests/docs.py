"""Finds and runs what the pages of the documentation tell their readers to do.

Commands stand in blocks of four kinds. A `console` block holds lines `$ command`, each followed by lines that its output must contain, in that order; a line
`...` stands for any lines. An `sh` block holds commands for the reader's own shell, `powershell` and `bat` blocks those for a server. A code block whose first
line is a comment with a path (`# shop/views.py`, `{# ... #}`, `<!-- ... -->`) is that file, written as it stands.

`RUN_BY` says which test runs the commands of a page; what no test runs stands in `NOT_RUN` with the reason, what takes minutes in `LONG`.
`tests/test_docs_commands.py` sees that nothing is left out.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"(?:#|\{#|<!--|//)\s*(?P<path>[\w./-]+\.\w+)\s*(?:#\}|-->)?")


@dataclass
class Command:
    """A command of a page, and lines that it prints."""

    line: str
    expected: list[str]


KINDS = ("console", "sh", "powershell", "bat")
PROGRAMS = (
    "pyinfra",
    "make",
    "winlab",
    "winrm-doctor",
    "python",
    "pip",
    "curl",
    "export",
    ".venv/",
    "git",
    "appcmd",
    "icacls",
    "net",
)
"""How a line begins that is a command, in a block of no kind."""
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

RUN_BY = {
    ("README.md", "sh"): "tests/e2e/test_docs.py",
    ("docs/tutorial.md", "console"): "tests/e2e/test_docs.py",
    ("docs/operating.md", "console"): "tests/e2e/test_operate.py",
    ("docs/operations.md", "sh"): "tests/e2e/test_docs.py",
    ("docs/failures/index.md", "sh"): "tests/e2e/test_docs.py",
    ("docs/failures/index.md", "console"): "tests/e2e/test_docs.py",
    ("docs/failures/*.md", "bat"): "tests/e2e/test_docs.py",
    ("docs/connector.md", "sh"): "tests/e2e/test_docs.py",
    ("docs/servers.md", "powershell"): "tests/e2e/test_docs.py",
    ("docs/lab.md", "sh"): "tests/e2e/test_docs.py",
    ("docs/contributing.md", "sh"): "tests/e2e/test_docs.py",
}
"""By page (or pages) and kind of block: the test that runs these commands."""
NOT_RUN = {
    "make test": "it is what runs this test",
    "shutdown /r /t 0": "it ends the server that the test is at; the lab's own tests restart servers",
    "w32tm /query /status": "the lab refuses w32tm by name",
    "w32tm /resync": "the lab refuses w32tm by name",
    "netsh int ipv4 show excludedportrange tcp": "the lab's netsh refuses it by name",
    "Enable-PSRemoting -Force": "the lab refuses it by name; its WinRM is on",
    r"New-Item WSMan:\localhost\Listener -Transport HTTPS -Address * -CertificateThumbPrint $cert.Thumbprint -Force": (
        "the lab refuses the drive WSMan: by name; its HTTPS listener is a switch"
    ),
}
"""Commands that no test runs, and why."""
LONG = (
    "make demo",
    "make lint",
    ".venv/bin/python -m pytest tests/pyinfra_iis/test_settings.py",
    ".venv/bin/python -m pytest -m e2e --collect-only -q",
)
"""Commands that are only run with DOCS_COMMANDS=full."""


def name(page: Path) -> str:
    """A page's name, from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The code blocks of a page: kind and text."""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield match["kind"], match["text"]


def commands(page: Path, kind: str) -> list[str]:
    """All command lines of a page's blocks of a kind, without comments."""
    if kind == "console":
        return [step.line for step in steps(page) if isinstance(step, Command)]
    lines = [line for found, text in blocks(page) if found == kind for line in text.splitlines()]
    lines = [re.sub(r"\s{2,}#.*", "", line).strip() for line in lines]
    return [line for line in lines if line and not line.startswith(("#", "rem "))]


def to_run(page: str, kind: str) -> list[str]:
    """The commands of a page that a test has to run, in their order."""
    full = os.environ.get("DOCS_COMMANDS") == "full"
    found = commands(ROOT / page, kind)
    return [line for line in found if line not in NOT_RUN and (full or line not in LONG)]


@dataclass
class File:
    """A file that a page shows."""

    path: str
    text: str


def do(line: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command line; returns its exit code and what it printed."""
    result = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=280,
    )  # fmt: skip
    return result.returncode, result.stdout


def steps(page: Path) -> Iterator[Command | File]:
    """What a page does, in its order."""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if match["kind"] == "console":
            yield from _commands(match["text"])
        elif first := _PATH.fullmatch(match["text"].partition("\n")[0]):
            yield File(first["path"], match["text"].partition("\n")[2])


def _commands(text: str) -> Iterator[Command]:
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif line.strip() not in ("", "..."):
            found[-1].expected.append(line.strip())
    yield from found


def run(page: Path, folder: Path, environment: Mapping[str, str], replacements: Mapping[str, str]) -> list[str]:
    """Do what a page says.

    Args:
        page: the page.
        folder: where its reader is.
        environment: of its reader's shell.
        replacements: texts of the page that are different here, such as the lab's addresses.

    Returns:
        The commands that ran.

    Raises:
        AssertionError: a command failed, or did not print what the page shows.
    """
    done = []
    for step in steps(page):
        if isinstance(step, File):
            (folder / step.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.path).write_text(_replaced(step.text, replacements), encoding="utf-8")
            continue
        line = _replaced(step.line, replacements)
        code, text = do(line, folder, environment)
        printed = [_plain(part.rsplit("\r", 1)[-1]) for part in text.splitlines()]
        assert code == 0, f"{page.name}: {line}\n{text}"
        position = 0
        for wanted in (_plain(_replaced(text, replacements)) for text in step.expected):
            assert wanted in printed[position:], f"{page.name}: {line}\ndid not print: {wanted}\n{text}"
            position += printed[position:].index(wanted) + 1
        done.append(step.line)
    return done


def _plain(line: str) -> str:
    """A line without what the width of a terminal or of a table's column makes of it."""
    return " ".join(line.split())


def _replaced(text: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text
