"""Kept hashes: never an old one for new content."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyinfra_iis.release import scan, tree
from pyinfra_iis.release.scan import Hashes


def digests(root: Path, cache: Path, *names: str) -> list[str]:
    hashes = Hashes(root, cache)
    found, _ = hashes.sha256("", str(root), names, [os.lstat(root / name) for name in names])
    hashes.save()
    return found


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


OLD = os.stat_result((0, 7, 0, 0, 0, 0, 3, 0, 0, 0, 0.0, 0.0, 0.0, 1, 1, 1))


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    hashes = Hashes(tmp_path, tmp_path / "cache")
    first = hashes.sha256("", str(tmp_path), ["a"], [OLD])
    hashes.save()
    file.write_text("two")
    assert Hashes(tmp_path, tmp_path / "cache").sha256("", str(tmp_path), ["a"], [OLD]) == first
    # Beside a file that is new, too.
    (tmp_path / "b").write_text("new")
    again, _ = Hashes(tmp_path, tmp_path / "cache").sha256("", str(tmp_path), ["a", "b"], [OLD, OLD])
    assert again == [sha256("one"), sha256("new")]


def test_other_content_of_the_same_size_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    digests(tmp_path, tmp_path / "cache", "a")
    (tmp_path / "a").write_text("two")
    assert digests(tmp_path, tmp_path / "cache", "a") == [sha256("two")]


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    # Its state is from before a change in the same moment, and reading takes longer than a file needs to settle.
    times = iter([time.time_ns(), time.time_ns() + 60_000_000_000])
    monkeypatch.setattr(scan.time, "time_ns", lambda: next(times))
    assert digests(tmp_path, tmp_path / "cache", "a") == [sha256("one")]
    kept = json.loads(next((tmp_path / "cache").iterdir()).read_text())
    assert kept["folders"][""][1] == [None]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"format": 4}',
        '{"format": 4, "folders": []}',
        '{"format": 4, "folders": {"": 1}}',
        '{"format": 4, "folders": {"": ["a", [1], "00"]}}',
        '{"format": 4, "folders": {"": ["a/b", [1], "%s"]}}' % ("0" * 64),
        '{"format": 3, "files": {"a": [1, "x"]}}',
    ],
)
def test_a_damaged_cache_is_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text("one")
    digests(tmp_path, tmp_path / "cache", "a")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_text(text)
    assert digests(tmp_path, tmp_path / "cache", "a") == [sha256("one")]


def test_what_cannot_be_read_is_named_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    hashes = Hashes(tmp_path, tmp_path / "cache")
    found, unreadable = hashes.sha256("", str(tmp_path), ["a", "gone"], [OLD, OLD])
    hashes.save()
    assert (found, list(unreadable)) == ([sha256("one"), ""], ["gone"])
    (tmp_path / "gone").write_text("back")
    assert Hashes(tmp_path, tmp_path / "cache").sha256("", str(tmp_path), ["gone"], [OLD])[0] == [sha256("back")]


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "cache").write_text("a file")
    assert digests(tmp_path, tmp_path / "cache", "a") == [sha256("one")]


NAMES = st.sampled_from(["a", "b", "sub/a", "sub/b", "sub/deep/c", "änder.txt"])
CONTENT = st.sampled_from(["one", "two", "three", ""])
STEPS = st.one_of(
    st.tuples(st.just("write"), NAMES, CONTENT),
    st.tuples(st.just("replace"), NAMES, CONTENT),
    st.tuples(st.just("write with its old time"), NAMES, CONTENT),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("swap"), NAMES, NAMES),
    st.tuples(st.just("remove"), NAMES, st.just("")),
    st.tuples(st.just("look"), st.just("a"), st.just("")),
)


def take(root: Path, step: tuple[str, str, str]) -> None:
    kind, name, other = step
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat() if path.exists() else None
    match kind:
        case "write":
            path.write_text(other)
        case "replace":
            (root / "x.tmp").write_text(other)
            (root / "x.tmp").replace(path)
        case "write with its old time":
            path.write_text(other)
            if before:
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "rename" if before and name != other:
            (root / other).parent.mkdir(parents=True, exist_ok=True)
            path.rename(root / other)
        case "swap" if before and (root / other).exists() and name != other:
            path.rename(root / "x.tmp")
            (root / other).rename(path)
            (root / "x.tmp").rename(root / other)
        case "remove":
            path.unlink(missing_ok=True)
        case "look":
            look(root)


def look(root: Path) -> dict[str, str]:
    found = tree.read(root, Hashes(root, root.parent / "cache"), 200)
    assert not found.problems
    return {path: file.sha256 for path, file in found.files.items()}


@pytest.mark.parametrize("settles", [2_000_000_000, -3600_000_000_000])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=8))
@example(steps=[("write", "a", "one"), ("look", "a", ""), ("write with its old time", "a", "two")])
@example(steps=[("write", "a", "one"), ("write", "b", "two"), ("look", "a", ""), ("swap", "a", "b")])
@example(steps=[("write", "a", "one"), ("look", "a", ""), ("rename", "a", "sub/a"), ("look", "a", "")])
def test_whatever_happens_between_two_looks(
    steps: list[tuple[str, str, str]], settles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where everything is kept at once, as if every file had been left alone long enough."""
    monkeypatch.setattr(scan, "_RACY", settles)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        root.mkdir()
        for step in steps:
            take(root, step)
            if settles < 0:
                time.sleep(0.012)  # longer than a tick of a file system's clock
        expected = {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob("*")
            if path.is_file()
        }
        assert look(root) == expected
        assert look(root) == expected
