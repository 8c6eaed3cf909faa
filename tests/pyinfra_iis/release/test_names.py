"""Names that Windows cannot hold or takes for one, each named before anything is sent."""

from __future__ import annotations

import os
import socket
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyinfra_iis.release import names, tree
from pyinfra_iis.release.scan import Hashes
from pyinfra_iis.release.tree import ProjectError


def refusal(tmp_path: Path, *files: str, longest: int = 200) -> str:
    root = tmp_path / "project"
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = tree.read(root, Hashes(root, tmp_path / "cache"), longest)
    try:
        found.refuse("PROJECT")
    except ProjectError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("aux", "aux"),
        ("AUX.py", "AUX.py"),
        ("sub/con.tar.gz", "con.tar.gz"),
        ("nul/x.txt", "nul"),
        ("com1.txt", "com1.txt"),
        ("lpt³", "lpt³"),
        ("prn .txt", "prn .txt"),
        ("CONIN$", "CONIN$"),
        ("dot.", "dot."),
        ("dot./x", "dot."),
        ("space ", "space "),
        ("a:b", "a:b"),
        ('quo"te', 'quo"te'),
        ("back\\slash", "back\\slash"),
        ("pipe|x", "pipe|x"),
        ("tab\tx", "tab\\tx"),
    ],
)
def test_names_that_windows_cannot_hold(tmp_path: Path, name: str, part: str) -> None:
    said = refusal(tmp_path, "fine.txt", name)
    assert said.startswith(name.replace("\t", "\\t") + " in PROJECT cannot exist on Windows because of '"), said
    assert part in said


@pytest.mark.parametrize(
    "name", ["com.txt", "com10", "auxiliary.py", "console/x", ".hidden", "a.b.c", "nul_", "x y", "lpt/x"]
)
def test_names_that_only_look_like_it(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, name) == ""


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "project") + b"/caf\xe9.txt")).touch()
    assert refusal(tmp_path) == "caf\\xe9.txt in PROJECT has a name that is no UTF-8; rename it."


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Views.py", "views.py"),
        ("ÄRGER.txt", "ärger.txt"),
        ("a/Ω", "a/ω"),
        ("static", "Static/x"),
        ("Lib/x.py", "lib/y.py"),
    ],
)
def test_names_that_are_one_on_windows(tmp_path: Path, first: str, second: str) -> None:
    assert "are one name on Windows; rename one." in refusal(tmp_path, first, second)


@pytest.mark.parametrize(
    ("first", "second"), [("Maße", "MASSE"), ("ı", "I"), ("ſ", "S"), ("𐐀", "𐐨"), ("ß", "ẞ"), ("a/X", "b/x")]
)
def test_names_that_ntfs_keeps_apart(tmp_path: Path, first: str, second: str) -> None:
    assert refusal(tmp_path, first, second) == ""


def test_names_that_look_the_same(tmp_path: Path) -> None:
    said = refusal(tmp_path, "café.txt", unicodedata.normalize("NFD", "café.txt"))
    assert "look the same, but their accents are other characters (NFC and NFD); rename one." in said


def test_a_folder_without_files_collides_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "project/Media").mkdir(parents=True)
    (tmp_path / "project/logs/__pycache__").mkdir(parents=True)
    assert refusal(tmp_path, "media/x", "LOGS") == ""


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    os.symlink("nowhere", root / "link")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(root, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{folder}/sock")
        os.close(folder)
    assert refusal(tmp_path, "aux.py", "A", "a", "d" * 150 + "/" + "e" * 60).splitlines() == [
        "6 files in PROJECT cannot be deployed:",
        "  A and a are one name on Windows; rename one.",
        "  aux.py cannot exist on Windows because of 'aux.py'; rename it.",
        f"  {'d' * 150}/{'e' * 60} would be a path of 270 characters on the server, Windows takes 259; set root to a shorter folder, or long_paths.",
        "  link is a symbolic link; put the file itself there or keep it out.",
        "  pipe is no ordinary file; keep it out of the project.",
        "  sock is no ordinary file; keep it out of the project.",
    ]


def test_ten_problems_are_told_one_by_one(tmp_path: Path) -> None:
    lines = refusal(tmp_path, *[f"x{index:02}." for index in range(23)]).splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("23 files in PROJECT cannot be deployed:", 12, "  And 13 more.")


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pyinfra_iis.release.scan._read", refuse)
    assert refusal(tmp_path, "sub/a") == "sub/a in PROJECT cannot be read: Permission denied."


def test_what_others_leave_behind_is_no_problem(tmp_path: Path) -> None:
    """An editor's lock is a link to nowhere; a virtual environment may be a link too."""
    root = tmp_path / "project"
    root.mkdir()
    os.symlink("me@here.1:2", root / ".#views.py")
    os.symlink("/usr", root / "venv")
    assert refusal(tmp_path, ".git", "x.swo", "desktop.ini") == ""


def test_surrogate_pairs_count_twice(tmp_path: Path) -> None:
    assert refusal(tmp_path, "𝄞" * 30, longest=60) == ""
    assert "a path of 261 characters" in refusal(tmp_path, "𝄞" * 31, longest=60)


CHARS = st.sampled_from("aAbBäÄßſı́éÉ𐐀. :1")
NAME = st.text(CHARS, min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))


@settings(max_examples=60, deadline=None)
@given(st.sets(NAME, max_size=5), st.sets(NAME, max_size=3))
def test_the_quick_look_finds_what_the_exact_one_does(files: set[str], below: set[str]) -> None:
    """What the tree says equals the rules applied to each name by itself."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        (root / "sub").mkdir(parents=True)
        for path in [*files, *(f"sub/{name}" for name in below)]:
            (root / path).touch()
        found = tree.read(root, Hashes(root, Path(folder) / "cache"), 200)
    ignored = {name for name in files | below if name.startswith(".env")}
    assert not ignored
    paths = [*files, *(f"sub/{name}" for name in below)]
    unfit = {path for path in paths if names.unfit(path)}
    alike = {
        (first, second)
        for group in (files | ({"sub"} if below else set()), below)
        for first in group
        for second in group
        if first < second and names.folded(first) == names.folded(second)
    }
    assert {path for path, text in found.problems if "cannot exist" in text} == unfit
    assert bool(alike) == any("rename one" in text for _, text in found.problems)


@given(st.text(max_size=4), st.text(max_size=4))
def test_one_name_on_windows_is_an_equivalence_that_looks_contain(first: str, second: str) -> None:
    assert names.upper(names.upper(first)) == names.upper(first)
    if names.upper(first) == names.upper(second):
        assert names.folded(first) == names.folded(second)
