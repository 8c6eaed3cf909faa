"""The files of a folder on the controlling machine that belong to a release, and everything about them that Windows would not take."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pathspec

from pyinfra_iis.release import names
from pyinfra_iis.release.scan import Hashes

IGNORE_FILE = ".deployignore"
"""A file of the project with patterns as git's .gitignore has them: what they match does not go along."""

IGNORED_DIRECTORIES = frozenset(
    {
        ".git", ".hg", ".svn", ".idea", ".vscode", ".vs", ".tox", ".nox", ".venv", "venv", ".direnv", "__pycache__", "node_modules",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
    }
)  # fmt: skip
"""Folders that are no part of a release, wherever they stand in the project."""

IGNORED_FILES = (
    IGNORE_FILE, ".git", "*.pyc", "*.pyo", "*~", "*.swp", "*.swo", ".#*", ".DS_Store", "Thumbs.db", "desktop.ini", ".coverage",
)  # fmt: skip
"""Files that are no part of a release: what Python, editors and file managers leave behind, and the file `.git` of a work tree or submodule."""

PRIVATE_FILES = ("*.sqlite3", "*.sqlite", "*.sqlite3-*", "*.sqlite-*", ".env", ".env.*", ".envrc")
"""Files that stay on the controlling machine too, but with a warning: a user may have meant them to go along."""

SHOWN = 10
"""How many problems are told one by one."""

_IGNORED = re.compile("|".join(map(fnmatch.translate, IGNORED_FILES)))
_PRIVATE = re.compile("|".join(map(fnmatch.translate, PRIVATE_FILES)))
_TRACES = tuple(dict.fromkeys(pattern.strip("*").removesuffix(".") for pattern in (*IGNORED_FILES, *PRIVATE_FILES)))
"""Parts of names without which no file is ignored or private."""

_NAME = attrgetter("name")
_SIZE = attrgetter("st_size")
_BY_DESCRIPTOR = os.scandir in os.supports_fd
"""Whether a folder can be looked through by its descriptor: the way to each file is shorter then."""


class ProjectError(Exception):
    """A project that cannot be deployed; the text is one sentence that names file and fix, or such a sentence for each file."""


class ProjectFile(NamedTuple):
    """One file of a release.

    Attributes:
        path: relative to the release, with `/`.
        sha256: of the content, hexadecimal.
        size: bytes.
        source: the file on this machine, or None when `content` holds it.
        content: the bytes of a file that the deploy renders.
    """

    path: str
    sha256: str
    size: int
    source: str | None = None
    content: bytes | None = None

    def __repr__(self) -> str:
        return f"ProjectFile({self.path!r}, {self.sha256!r}, {self.size})"

    @classmethod
    def rendered(cls, path: str, text: str) -> ProjectFile:
        """A file whose content the deploy made."""
        content = text.encode()
        return cls(path, hashlib.sha256(content).hexdigest(), len(content), content=content)

    def read(self) -> bytes:
        """The content."""
        if self.content is not None:
            return self.content
        assert self.source is not None
        with open(self.source, "rb") as stream:
            return stream.read()


@dataclass
class Tree:
    """What was found.

    Attributes:
        files: by their path.
        folders: that hold a file.
        problems: why files cannot be deployed: a path, and what is wrong with it and what to do (`is a symbolic link; ...`).
        private: files that stay here although they might be missed.
    """

    files: dict[str, ProjectFile] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    private: list[str] = field(default_factory=list)

    def refuse(self, place: str) -> None:
        """Name every problem.

        Args:
            place: what the reader knows the folder by.

        Raises:
            ProjectError: there is one.
        """
        sentences = [(names.visible(path), text) for path, text in sorted(self.problems)]
        if len(sentences) == 1:
            path, text = sentences[0]
            raise ProjectError(f"{path} in {place} {text}.")
        if sentences:
            header = f"{len(sentences)} files in {place} cannot be deployed"
            raise ProjectError(listed(header, [f"{path} {text}" for path, text in sentences]))


def listed(header: str, problems: Sequence[str]) -> str:
    """Problems under a header; one alone is one sentence with it, and of many only the first are told.

    Args:
        header: a sentence without a full stop.
        problems: such sentences too.
    """
    if len(problems) == 1:
        return f"{header}: {problems[0]}."
    shown = [f"\n  {problem}." for problem in problems[:SHOWN]]
    rest = f"\n  And {len(problems) - SHOWN} more." if len(problems) > SHOWN else ""
    return f"{header}:{''.join(shown)}{rest}"


def read(root: Path, hashes: Hashes, longest: int) -> Tree:
    """Look through a project.

    Args:
        root: its folder.
        hashes: what is known of the files' content.
        longest: UTF-16 units that a file's path in the project may have.

    Raises:
        ProjectError: the file of patterns cannot be read.
    """
    tree = Tree()
    ignored = Ignored(root)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            waiting += _read_folder(tree, root, folder, ignored, hashes)
        except OSError as error:
            tree.problems.append((folder.rstrip("/") or ".", f"cannot be read: {error.strerror}"))
    _check_names(tree, longest)
    if not tree.problems:
        hashes.save()
    return tree


class Ignored:
    """What a project's file of patterns keeps out.

    Args:
        root: its folder.

    Raises:
        ProjectError: the file cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self._patterns: pathspec.GitIgnoreSpec | None = None
        try:
            lines = (root / IGNORE_FILE).read_text(encoding="utf-8-sig").splitlines()
            self._patterns = pathspec.GitIgnoreSpec.from_lines(lines)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise ProjectError(f"{IGNORE_FILE} of the project cannot be read: {error}.") from None

    def without(self, folder: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
        """The entries of a folder that are not kept out by a pattern."""
        if self._patterns is None:
            return entries
        matches = self._patterns.match_file
        return [entry for entry in entries if not matches(folder + entry.name + _slash(entry))]

    def covers(self, path: str) -> bool:
        """Whether a path is kept out, or a folder that it is in: by a pattern or because of its name."""
        parts = path.split("/")
        above = ["/".join(parts[:count]) + "/" for count in range(1, len(parts) + 1)]
        return (
            not IGNORED_DIRECTORIES.isdisjoint(parts)
            or _IGNORED.fullmatch(parts[-1]) is not None
            or (self._patterns is not None and any(map(self._patterns.match_file, [path, *above])))
        )


def _read_folder(tree: Tree, root: Path, folder: str, ignored: Ignored, hashes: Hashes) -> list[str]:
    """Add one folder's files; returns the folders in it."""
    path = os.path.join(root, folder)
    descriptor = os.open(path, os.O_RDONLY) if _BY_DESCRIPTOR else None
    try:
        with os.scandir(path if descriptor is None else descriptor) as found:
            entries = ignored.without(folder, sorted(found, key=_NAME))
        files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
        folders = []
        if len(files) < len(entries):
            folders = list(_folders(tree, path, folder, entries))
        text = "/".join(map(_NAME, files))
        if any(trace in text for trace in _TRACES):
            files = list(_without_private(tree, folder, files))
        _add(tree, path, folder, files, hashes)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return folders


def _slash(entry: os.DirEntry[str]) -> str:
    return "/" if entry.is_dir(follow_symlinks=False) else ""


def _folders(tree: Tree, path: str, folder: str, entries: Iterable[os.DirEntry[str]]) -> Iterator[str]:
    """The folders to look through; what is neither folder nor file is a problem."""
    for entry in entries:
        if entry.is_file(follow_symlinks=False) or entry.name in IGNORED_DIRECTORIES:
            continue
        if entry.is_dir(follow_symlinks=False):
            if not os.path.isfile(os.path.join(path, entry.name, "pyvenv.cfg")):
                yield f"{folder}{entry.name}/"
        elif not _IGNORED.fullmatch(entry.name):
            link = entry.is_symlink()
            problem = "a symbolic link; put the file itself there" if link else "no ordinary file; keep it out"
            tree.problems.append(
                (folder + entry.name, f"is {problem}{' or keep it out' if link else ' of the project'}")
            )


def _without_private(tree: Tree, folder: str, files: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    for entry in files:
        if _IGNORED.fullmatch(entry.name):
            continue
        if _PRIVATE.fullmatch(entry.name):
            tree.private.append(folder + entry.name)
        else:
            yield entry


def _add(tree: Tree, path: str, folder: str, files: list[os.DirEntry[str]], hashes: Hashes) -> None:
    try:
        statuses = [entry.stat(follow_symlinks=False) for entry in files]
    except FileNotFoundError:
        # A file that is gone in this moment, such as an editor's.
        files, statuses = _still_there(files)
    if not files:
        return
    tree.folders.append(folder.rstrip("/"))
    found = list(map(_NAME, files))
    digests, unreadable = hashes.sha256(folder, path, found, statuses)
    for name, error in unreadable.items():
        tree.problems.append((folder + name, f"cannot be read: {error.strerror}"))
    paths = [folder + name for name in found]
    start = os.path.join(path, "")
    sources = [start + name for name in found]
    # Without a call for each: a project may have many files.
    made = map(tuple.__new__, repeat(ProjectFile), zip(paths, digests, map(_SIZE, statuses), sources, repeat(None)))
    tree.files.update(zip(paths, made, strict=True))


def _still_there(files: Iterable[os.DirEntry[str]]) -> tuple[list[os.DirEntry[str]], list[os.stat_result]]:
    there: list[os.DirEntry[str]] = []
    statuses: list[os.stat_result] = []
    for entry in files:
        try:
            statuses.append(entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            continue
        there.append(entry)
    return there, statuses


def _check_names(tree: Tree, longest: int) -> None:
    paths = tree.files
    text = "/".join(paths)
    if names.may_be_unfit(text):
        tree.problems += [(path, f"{why}; rename it") for path in paths if (why := names.unfit(path))]
    if max(map(len, paths), default=0) * (1 if text.isascii() else 2) > longest:
        for path in paths:
            if (excess := names.length(path) - longest) > 0:
                long = f"would be a path of {names.LONGEST_PATH + excess} characters on the server, Windows takes {names.LONGEST_PATH}"
                tree.problems.append((path, f"{long}; set root to a shorter folder, or long_paths"))
    folders = _parents(tree.folders)
    everything = "\0".join([*paths, *folders])
    if not everything.isascii() or len(set(everything.upper().split("\0"))) < len(paths) + len(folders):
        _check_collisions(tree, [*paths, *folders])


def _parents(folders: Iterable[str]) -> set[str]:
    """Folders and those that they are in."""
    found: set[str] = set()
    for folder in folders:
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _check_collisions(tree: Tree, paths: Iterable[str]) -> None:
    siblings: dict[str, list[str]] = {}
    for path in sorted(paths):
        parent, slash, name = path.rpartition("/")
        siblings.setdefault(parent + slash, []).append(name)
    for parent, found in siblings.items():
        for first, other, same in names.collisions(found):
            look = "look the same, but their accents are other characters (NFC and NFD)"
            problem = f"{'are one name on Windows' if same else look}; rename one"
            tree.problems.append((f"{parent}{first} and {parent}{other}", problem))
