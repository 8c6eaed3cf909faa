"""Hashes of a project's files, kept between runs: a file is read again only when its time, size or inode has changed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from pathlib import Path
from typing import Any

_FORMAT = 4
_RACY = 2_000_000_000
"""Nanoseconds: a file changed this shortly before it was read may change again without its time telling (as git has it)."""

_STATE = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")
_LENGTH = 64
"""Characters of a SHA-256."""

Folder = tuple[str, list[int | None], str]
"""What is kept of the files of one folder, in the order of their names: the names with `/` between them, a mark for each (none where a file
had changed too shortly before), and their SHA-256, one after the other."""


def cache_folder() -> Path:
    """Where this user keeps what can be found out again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pyinfra-iis"


class Hashes:
    """The kept hashes of one project.

    Args:
        root: the project's folder.
        cache: the folder for what is kept; default `pyinfra-iis` in the user's cache folder.
    """

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        folder = cache or cache_folder()
        self._path = folder / f"files-{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}.json"
        self._before: dict[str, Folder] = self._load()
        self._now: dict[str, Folder] = {}
        # From before any file is looked at: one that changes while it is read has a later time.
        self._settled = time.time_ns() - _RACY

    def _load(self) -> dict[str, Folder]:
        try:
            kept = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(kept, dict) or kept.get("format") != _FORMAT or not isinstance(kept.get("folders"), dict):
            return {}
        return {folder: found for folder, found in kept["folders"].items() if _is_whole(found)}

    def sha256(
        self, folder: str, path: str, names: Sequence[str], statuses: Sequence[os.stat_result]
    ) -> tuple[list[str], dict[str, OSError]]:
        """The SHA-256 of a folder's files, hexadecimal; empty for those that cannot be read.

        Args:
            folder: its name in the project; each is asked for once.
            path: where it is.
            names: of its files, sorted.
            statuses: what `os.lstat` says of each.

        Returns:
            The hashes in the same order, and why files cannot be read, by name.
        """
        # A hash of numbers is the same in every process.
        marks: list[int | None] = list(map(hash, map(_STATE, statuses)))
        text = "/".join(names)
        kept = self._before.get(folder)
        if kept is not None and kept[1] == marks and kept[0] == text:
            self._now[folder] = kept
            return _split(kept[2]), {}
        known = dict(zip(kept[0].split("/"), zip(kept[1], _split(kept[2]), strict=True), strict=True)) if kept else {}
        digests: list[str] = []
        unreadable: dict[str, OSError] = {}
        for index, name in enumerate(names):
            mark, digest = known.get(name, (None, ""))
            if mark is None or mark != marks[index]:
                digest = ""
                try:
                    digest = _read(os.path.join(path, name))
                except OSError as error:
                    unreadable[name] = error
                status = statuses[index]
                if not digest or max(status.st_mtime_ns, status.st_ctime_ns) >= self._settled:
                    marks[index] = None
            digests.append(digest)
        self._now[folder] = (text, marks, "".join(digest or "0" * _LENGTH for digest in digests))
        return digests, unreadable

    def save(self) -> None:
        """Keep what was learnt; a cache that cannot be written is no error."""
        if self._now.keys() == self._before.keys() and all(map(_same, self._now.items(), repeat(self._before))):
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps({"format": _FORMAT, "folders": self._now}), encoding="utf-8")
            partial.replace(self._path)
        except OSError:
            pass


def _same(item: tuple[str, Folder], before: dict[str, Folder]) -> bool:
    return item[1] is before[item[0]]


def _is_whole(kept: Any) -> bool:
    match kept:
        case [str(names), list(marks), str(digests)]:
            return len(marks) * _LENGTH == len(digests) and len(marks) == (names.count("/") + 1 if names else 0)
    return False


def _split(digests: str) -> list[str]:
    return [digests[start : start + _LENGTH] for start in range(0, len(digests), _LENGTH)]


def _read(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
