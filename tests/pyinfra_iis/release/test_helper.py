"""The helper that runs on the server, run here by this machine's Python."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pyinfra_iis.release import release
from pyinfra_iis.release.release import Release
from pyinfra_iis.settings import build
from tests.pyinfra_iis import projects


@pytest.fixture
def made(tmp_path: Path) -> Release:
    return release.make(build({"project": projects.make(tmp_path / "project", **{"shop/templates/ä b.html": "<p>"})}))


@pytest.fixture
def root(tmp_path: Path, made: Release) -> Path:
    folder = tmp_path / "root"
    (folder / "incoming").mkdir(parents=True)
    (folder / "incoming/release.zip").write_bytes(made.archive())
    return folder


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "utf8", "incoming/release.zip", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_is_assembled_and_completed(root: Path, made: Release) -> None:
    assert run(root, "assemble").returncode == 0
    assert not (root / "releases" / made.id).exists()
    assert run(root, "complete").stdout == f"releases/{made.id} is complete\n"
    assert files(root / "releases" / made.id) == {path: file.read() for path, file in made.files.items()}
    assert not (root / "incoming").exists()


def test_what_a_crash_left_is_done_again(root: Path, made: Release) -> None:
    stale = root / "releases" / f"{made.id}.partial" / "stale.txt"
    stale.parent.mkdir(parents=True)
    stale.touch()
    assert run(root, "assemble").returncode == 0
    assert not stale.exists()


def test_a_file_that_is_not_the_manifests_stops_it(root: Path, made: Release, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(root / "incoming/release.zip") as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"other" if name == "files/shop/urls.py" else source.read(name))
    broken.replace(root / "incoming/release.zip")
    result = run(root, "assemble")
    assert result.returncode == 1
    assert result.stderr == "shop/urls.py did not arrive whole: its SHA-256 is not the manifest's.\n"
    assert not (root / "releases" / made.id).exists()


def test_discard_leaves_nothing(root: Path, made: Release) -> None:
    run(root, "assemble")
    assert run(root, "discard").returncode == 0
    assert files(root) == {}


def test_the_same_project_makes_the_same_archive(tmp_path: Path, made: Release) -> None:
    again = release.make(made.settings)
    assert (again.id, again.archive()) == (made.id, made.archive())


def test_one_changed_byte_makes_another_release(tmp_path: Path, made: Release) -> None:
    (made.settings.project / "shop/urls.py").write_text("urlpatterns = [] \n")
    assert release.make(made.settings).id != made.id
