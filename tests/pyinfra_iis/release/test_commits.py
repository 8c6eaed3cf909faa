"""A release from a commit: what `git archive` gives, whatever lies in the user's own tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyinfra_iis.release import commits, origin, release
from pyinfra_iis.release.project import DjangoProject, ProjectError
from pyinfra_iis.settings import DjangoSettings, SettingsError, build
from tests.pyinfra_iis import projects


@pytest.fixture(autouse=True)
def nothing_of_this_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
    run = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return run.stdout.strip()


def commit(folder: Path, message: str = "x") -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def read(folder: Path, ref: str = "main", **values: Any) -> DjangoProject:
    return DjangoProject(build({"project": folder, "ref": ref, **values}, DjangoSettings))


def texts(project: DjangoProject) -> dict[str, str]:
    return {path: file.read().decode() for path, file in project.files.items()}


def test_a_tag_is_deployed_while_the_folder_goes_on(tmp_path: Path) -> None:
    folder = projects.make(tmp_path / "shop", **{"shop/x.txt": "one"})
    first = commit(folder)
    git(folder, "tag", "v1")
    clean = release.make(build({"project": folder}, DjangoSettings))
    (folder / "shop/x.txt").write_text("two")
    commit(folder)
    (folder / "shop/x.txt").write_text("three")
    (folder / "new.txt").write_text("new")
    before = git(folder, "status", "--porcelain")

    tagged = release.make(build({"project": folder, "ref": "v1"}, DjangoSettings))
    assert tagged.id == clean.id
    assert texts(read(folder, "v1"))["shop/x.txt"] == "one"
    assert texts(read(folder, "HEAD"))["shop/x.txt"] == "two"
    about = origin.describe(tagged.project)
    assert (about["commit"], about["ref"]) == (first, "v1")
    assert git(folder, "status", "--porcelain") == before
    assert (folder / "shop/x.txt").read_text() == "three"
    assert origin.describe(release.make(build({"project": folder}, DjangoSettings)).project)["commit"].endswith("+")


def test_a_project_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    projects.make(tmp_path / "repo/sites/shop", **{"tests/x.py": "", "keep.txt": "", "shop/drop.txt": ""})
    (tmp_path / "repo/other.txt").write_text("")
    # Attributes of the folders above count too, as for every command of git.
    (tmp_path / "repo/.gitattributes").write_text("sites/*/tests export-ignore\n")
    (tmp_path / "repo/sites/shop/.gitattributes").write_text("drop.txt export-ignore\n")
    commit(tmp_path / "repo")
    found = set(read(tmp_path / "repo/sites/shop").files)
    assert {"manage.py", "keep.txt", "shop/settings.py"} < found
    assert not {"tests/x.py", "shop/drop.txt", "other.txt", "../other.txt"} & found


def test_the_rules_of_the_project_count_too(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, **{".deployignore": "docs/\n", "docs/x": "", "db.sqlite3": "x"})
    commit(folder)
    (folder / ".deployignore").unlink()
    project = read(folder)
    assert not {"docs/x", "db.sqlite3", ".deployignore"} & set(project.files)
    assert project.warnings == [
        "db.sqlite3 stays here: databases do not belong to a release, and the site has its own on the server."
    ]


def test_a_users_own_settings_of_git_change_nothing(tmp_path: Path) -> None:
    folder = projects.make(
        tmp_path / "shop", **{"a.txt": "one\ntwo\n", "b.cmd": "one\ntwo\n", ".gitattributes": "*.cmd eol=crlf\n"}
    )
    commit(folder)
    plain = release.make(build({"project": folder, "ref": "main"}, DjangoSettings)).id
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.config/git").mkdir(parents=True)
    (tmp_path / "home/.config/git/attributes").write_text("*.txt export-ignore\n* text=auto\n")
    git(folder, "config", "core.autocrlf", "true")
    git(folder, "config", "tar.umask", "0077")
    project = read(folder)
    assert (texts(project)["a.txt"], texts(project)["b.cmd"]) == ("one\ntwo\n", "one\r\ntwo\r\n")
    assert release.make(project.settings).id == plain


def test_submodules_links_and_pointers_are_named(tmp_path: Path) -> None:
    projects.make(tmp_path / "library")
    commit(tmp_path / "library")
    folder = projects.make(tmp_path / "shop")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    (folder / "film.mp4").write_text(pointer)
    (folder / "about.txt").write_text("version https://example.com\n")
    os.symlink("manage.py", folder / "link")
    commit(folder)
    git(folder, "submodule", "--quiet", "add", str(tmp_path / "library"), "vendor/library")
    commit(folder)
    with pytest.raises(ProjectError) as caught:
        _ = read(folder).files
    assert str(caught.value).splitlines() == [
        f"3 files in {folder} at main cannot be deployed:",
        "  film.mp4 is only a pointer, because Git LFS is not set up here; set it up, or keep the file out.",
        "  link is a symbolic link; put the file itself there or keep it out.",
        "  vendor/library is a submodule, which no archive of a commit holds; keep it out, or put its files into the repository.",
    ]
    (folder / ".deployignore").write_text("vendor/\n*.mp4\n")
    (folder / ".gitattributes").write_text("link export-ignore\n")
    commit(folder)
    assert "manage.py" in read(folder).files


def test_what_cannot_be_found_is_one_sentence(tmp_path: Path) -> None:
    folder = projects.make(tmp_path / "repo/shop")
    with pytest.raises(ProjectError, match=r"There is no main of .* to deploy: not a git repository"):
        _ = read(folder).files
    (tmp_path / "repo/.gitignore").write_text("shop/\n")
    commit(tmp_path / "repo")
    with pytest.raises(ProjectError, match=r"repo/shop is not in main \(commit [0-9a-f]{12}\)\."):
        _ = read(folder).files
    with pytest.raises(
        ProjectError, match=r"'v9' names no commit in the repository of .*; fetch it, or name another\."
    ):
        _ = read(folder, "v9").files
    with pytest.raises(SettingsError, match="'--output=x' cannot be a branch, tag or commit"):
        read(folder, "--output=x")


def test_a_file_is_called_by_the_users_own_name(tmp_path: Path) -> None:
    folder = projects.make(tmp_path / "shop", settings="X = (\n")
    commit(folder)
    (folder / "shop/settings.py").write_text("X = 1\n")
    with pytest.raises(ProjectError) as caught:
        read(folder, python={"version": "3.11.0", "url": "x.zip", "sha256": "0" * 64}).check()
    assert str(caught.value).startswith(f"Syntax error in {folder}/shop/settings.py at main, line 1:")


def test_a_commit_with_a_manage_py_that_the_folder_has_not(tmp_path: Path) -> None:
    folder = projects.make(tmp_path / "shop")
    commit(folder)
    (folder / "manage.py").unlink()
    assert read(folder).settings_module == "shop.settings"
    with pytest.raises(SettingsError, match=r"holds no manage\.py"):
        read(folder, "")


def test_unpacked_once_and_forgotten_later(tmp_path: Path) -> None:
    folder = projects.make(tmp_path / "shop")
    first = commit(folder)
    snapshot = commits.unpack(folder, "main")
    assert commits.unpack(folder, first).root == snapshot.root
    os.utime(snapshot.root, (1, 1))
    (folder / "more").write_text("")
    commit(folder)
    assert commits.unpack(folder, "main").root != snapshot.root
    assert not snapshot.root.exists()
    assert len(list((tmp_path / "cache/pyinfra-iis/commits").iterdir())) == 1


NAMES = st.text(st.sampled_from("abé -*?[]!:\\\"'\n\t"), min_size=1, max_size=4).filter(
    lambda name: not name.startswith("-")
)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=2).map("/".join), st.binary(max_size=30), min_size=1, max_size=4
)


@settings(max_examples=12, deadline=None)
@given(files=TREES, below=st.sampled_from(["", "a project", "[x]*"]))
def test_a_commit_is_unpacked_as_it_was_made(files: dict[str, bytes], below: str) -> None:
    paths = {path for path in files if not any(other.startswith(path + "/") for other in files)}
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary, "repo", below)
        for path in paths:
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_bytes(files[path])
        (Path(temporary, "repo") / "beside").write_text("")
        commit(Path(temporary, "repo"))
        snapshot = commits.unpack(project, "main", Path(temporary, "cache"))
        found = {
            path.relative_to(snapshot.root).as_posix(): path for path in snapshot.root.rglob("*") if path.is_file()
        }
        assert {path: file.read_bytes() for path, file in found.items() if path != "beside"} == {
            path: files[path] for path in paths
        }
        assert ("beside" in found) is (below == "")
        assert snapshot.problems == {}
