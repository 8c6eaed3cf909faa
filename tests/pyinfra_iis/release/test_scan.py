"""Kept hashes: never an old one for new content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pyinfra_iis.release.scan import Hashes


def digest(root: Path, cache: Path, name: str) -> str:
    hashes = Hashes(root, cache)
    found = hashes.sha256(name, root / name, (root / name).stat())
    hashes.save()
    return found


OLD = os.stat_result((0, 7, 0, 0, 0, 0, 3, 0, 0, 0, 0.0, 0.0, 0.0, 1, 1, 1))


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    hashes = Hashes(tmp_path, tmp_path / "cache")
    first = hashes.sha256("a", file, OLD)
    hashes.save()
    file.write_text("two")
    assert Hashes(tmp_path, tmp_path / "cache").sha256("a", file, OLD) == first


def test_other_content_of_the_same_size_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    digest(tmp_path, tmp_path / "cache", "a")
    (tmp_path / "a").write_text("two")
    assert digest(tmp_path, tmp_path / "cache", "a") == hashlib.sha256(b"two").hexdigest()


def test_a_damaged_cache_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    hashes = Hashes(tmp_path, tmp_path / "cache")
    hashes.sha256("a", file, OLD)
    hashes.save()
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_text("{")
    assert Hashes(tmp_path, tmp_path / "cache").sha256("a", file, OLD) == hashlib.sha256(b"one").hexdigest()
