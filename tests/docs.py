"""Runs what a page of the documentation tells its readers to do: the commands of its `console` blocks and the files that its other blocks name.

A `console` block holds lines `$ command`, each followed by lines that its output must contain, in that order; a line `...` stands for any lines. A code
block whose first line is a comment with a path (`# shop/views.py`, `{# ... #}`, `<!-- ... -->`) is that file, written as it stands.
"""

from __future__ import annotations

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


def plain_commands(page: Path, *programs: str) -> list[str]:
    """The commands of a page's blocks that have no kind, without their comments.

    Args:
        page: the page.
        programs: how such a line begins.
    """
    texts = [match["text"] for match in _BLOCK.finditer(page.read_text(encoding="utf-8")) if not match["kind"]]
    lines = [line for text in texts for line in text.splitlines() if line.startswith(programs)]
    return [re.sub(r"\s{2,}#.*", "", line) for line in lines]


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
