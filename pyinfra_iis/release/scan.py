"""Hashes of a project's files, kept between runs: a file is read again only when its time, size or inode has changed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

_RACY = 2_000_000_000
"""Nanoseconds: a file changed this shortly before it was read may change again without its time telling (as git has it)."""


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
        self._before: dict[str, list[Any]] = self._load()
        self._now: dict[str, list[Any]] = {}

    def _load(self) -> dict[str, list[Any]]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept["files"] if isinstance(kept, dict) and kept.get("format") == 3 else {}

    def sha256(self, relative: str, path: Path | str, status: os.stat_result) -> str:
        """A file's SHA-256, hexadecimal.

        Args:
            relative: its name in the project.
            path: the file.
            status: what `os.stat` says of it.

        Raises:
            OSError: the file cannot be read.
        """
        # A hash of numbers is the same in every process.
        mark = hash((status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino))
        kept = self._before.get(relative)
        if kept is not None and kept[0] == mark:
            self._now[relative] = kept
            return kept[1]
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if max(status.st_mtime_ns, status.st_ctime_ns) < time.time_ns() - _RACY:
            self._now[relative] = [mark, digest]
        return digest

    def save(self) -> None:
        """Keep what was learnt; a cache that cannot be written is no error."""
        if self._now == self._before:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps({"format": 3, "files": self._now}), encoding="utf-8")
            partial.replace(self._path)
        except OSError:
            pass
