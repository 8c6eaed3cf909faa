"""Wheels for servers without an index, collected by the real tools from a folder of wheels and from an index over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.release import requirements, wheels
from pyinfra_iis.release.project import DjangoProject, ProjectError
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects
from tests.pyinfra_iis.release.index import Index, serve, wheel_bytes


def wheel(folder: Path, name: str, tag: str, *requires: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}-1.0-{tag}.whl").write_bytes(wheel_bytes(name, "1.0", tag, *requires))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    pure = "py3-none-any"
    wheel(folder, "django", pure, 'tzdata; sys_platform == "win32"', 'unixonly; sys_platform != "win32"')
    wheel(folder, "compiled", "cp314-cp314-win_amd64")
    wheel(folder, "linuxonly", "cp314-cp314-manylinux_2_17_x86_64")
    for name in ("tzdata", "uvicorn", "whitenoise"):
        wheel(folder, name, pure)
    return folder


@pytest.fixture
def index() -> Iterator[Index]:
    index = Index()
    for name, version in (("django", "5.2.8"), ("uvicorn", "0.40"), ("whitenoise", "6.5")):
        index.add(name, version)
    with serve(index):
        yield index


@pytest.fixture(autouse=True)
def own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))


def project_of(tmp_path: Path, needs: str, *options: str, **values: Any) -> DjangoProject:
    folder = projects.make(tmp_path / "project", **{"requirements.txt": needs})
    given = {"project": folder, "packages": "offline", "pip_options": options, **values}
    return DjangoProject(build(given, DjangoSettings))


def collect(tmp_path: Path, project: DjangoProject) -> list[str]:
    return [found.name for found in wheels.collect(project, requirements.read(project), tmp_path / "cache")]


def refusal(tmp_path: Path, project: DjangoProject) -> str:
    with pytest.raises(ProjectError) as caught:
        collect(tmp_path, project)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []
    return str(caught.value)


def from_folder(tmp_path: Path, folder: Path, needs: str) -> DjangoProject:
    return project_of(tmp_path, needs + "\nuvicorn\nwhitenoise\n", "--no-index", "--find-links", str(folder))


def test_what_windows_needs_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    assert collect(tmp_path, from_folder(tmp_path, folder, "django\ncompiled")) == [
        "compiled-1.0-cp314-cp314-win_amd64.whl",
        "django-1.0-py3-none-any.whl",
        "tzdata-1.0-py3-none-any.whl",
        "uvicorn-1.0-py3-none-any.whl",
        "whitenoise-1.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize("name", ["linuxonly", "missing"])
def test_a_package_without_a_windows_wheel_is_named(tmp_path: Path, folder: Path, name: str) -> None:
    said = refusal(tmp_path, from_folder(tmp_path, folder, f"django\n{name}"))
    assert "cannot be collected for Windows: " in said and name in said


def test_packages_of_every_source_of_requirements(tmp_path: Path, folder: Path) -> None:
    """Constraints limit; texts of pyproject.toml and of the deploy go along; a wheel of the project's own is one of them."""
    (folder / "tzdata-2.0-py3-none-any.whl").write_bytes(wheel_bytes("tzdata", "2.0", "py3-none-any"))
    project = project_of(
        tmp_path,
        "./lib/own-3.0-py3-none-any.whl\n",
        *("--no-index", "--find-links", str(folder)),
        requirements=["requirements.txt", "pyproject.toml"],
        constraints="limits.txt",
        server="command",
        command=["x"],
    )
    root = tmp_path / "project"
    (root / "lib").mkdir()
    (root / "lib/own-3.0-py3-none-any.whl").write_bytes(wheel_bytes("own", "3.0", "py3-none-any", "tzdata"))
    (root / "limits.txt").write_text("tzdata<2\n")
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'x'\ndependencies = [\"whitenoise==1.0; os_name == 'nt'\", 'uvicorn']\n"
    )
    object.__setattr__(project, "added_requirements", ())
    assert [name.split("-")[:2] for name in collect(tmp_path, project)] == [
        ["own", "3.0"],
        ["tzdata", "1.0"],
        ["uvicorn", "1.0"],
        ["whitenoise", "1.0"],
    ]


def test_what_an_index_offers(tmp_path: Path, index: Index) -> None:
    index.add("x", "1.0")
    index.add("x", "2.0", yanked="broken")
    index.add("x", "3.0", "cp311-cp311-win_amd64")
    index.add("x", "4.0", requires_python=">=3.99")
    project = project_of(tmp_path, "django\nx\n", "--index-url", index.url)
    assert [name for name in collect(tmp_path, project) if name.startswith("x")] == ["x-1.0-py3-none-any.whl"]
    index.asked.clear()
    collect(tmp_path, project)
    assert index.asked == []


ENCODED = [
    "django\r\nabi\r\n".encode("utf-16"),
    "django\r\nabi\r\n".encode("utf-8-sig"),
    b"# caf\xe9\ndjango\nabi; sys_platform == 'win32'\nunixonly; sys_platform != 'win32'\n",
]


@pytest.mark.parametrize("content", ENCODED, ids=["UTF-16", "UTF-8 with a mark", "Latin-1"])
def test_a_file_as_windows_programs_write_it(tmp_path: Path, index: Index, content: bytes) -> None:
    index.add("abi", "1.0", "cp39-abi3-win_amd64")
    project = project_of(tmp_path, "", "--index-url", index.url)
    (tmp_path / "project/requirements.txt").write_bytes(content)
    assert [name.partition("-")[0] for name in collect(tmp_path, project)] == ["abi", "django", "uvicorn", "whitenoise"]


def test_an_index_that_the_file_names(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes in the place of the one that is set; a folder counts from the file's own; earlier versions that are not final count where the file says so."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    index.add("early", "1.0")
    index.add("early", "2.0a1")
    url = index.url.replace("://", "://me:hush-hush@")
    lines = f"--index-url {url} --pre\n-f ../lib\ndjango\nearly\nMy_Own[more]>=3\n"
    project = project_of(tmp_path, "-r req/base.txt\n", "--index-url", "http://127.0.0.1:9/simple")
    root = tmp_path / "project"
    for path, content in (
        ("req/base.txt", lines.encode()),
        ("lib/my_own-3.0-py3-none-any.whl", wheel_bytes("my_own", "3.0", "py3-none-any")),
    ):
        (root / path).parent.mkdir()
        (root / path).write_bytes(content)
    assert [name.split("-")[:2] for name in collect(tmp_path, project)][:3] == [
        ["django", "5.2.8"],
        ["early", "2.0a1"],
        ["my_own", "3.0"],
    ]
    kept = (path for path in (tmp_path / "cache").rglob("*.txt"))
    assert all("hush" not in path.read_text() for path in kept)


@pytest.mark.parametrize(
    "line", [r".\lib\my_own-3.0-py3-none-any.whl", "lib/my_own-3.0-py3-none-any.whl ; os_name == 'nt'", "my-own @ lib/my_own-3.0-py3-none-any.whl"]
)  # fmt: skip
def test_a_wheel_of_the_project_by_a_path_of_windows(tmp_path: Path, index: Index, line: str) -> None:
    project = project_of(tmp_path, f"django\n{line}\n", "--index-url", index.url)
    (tmp_path / "project/lib").mkdir()
    wheel = tmp_path / "project/lib/my_own-3.0-py3-none-any.whl"
    wheel.write_bytes(wheel_bytes("my_own", "3.0", "py3-none-any"))
    assert wheel.name in collect(tmp_path, project)


def test_a_source_archive_is_said_to_be_one(tmp_path: Path, index: Index) -> None:
    index.add_source("source")
    assert refusal(tmp_path, project_of(tmp_path, "django\nsource\n", "--index-url", index.url)).endswith(
        "source==1.0 has no wheel, only source archives; where it is pure Python, make a wheel of it here (pip wheel --no-deps source==1.0), "
        "put that into the project and name it by its path in the requirements."
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("arm", "arm==1.0 has no wheels with a matching platform tag (e.g., `win_amd64`)"),
        ("bits32", "bits32==1.0 has no wheels with a matching platform tag (e.g., `win_amd64`)"),
        ("source", "source"),
        ("old==1.0", "old==1.0 has no wheels with a matching Python ABI tag (e.g., `cp314`)"),
        ("new==1.0", "Python>=3.99"),
        ("linux==1.0", "linux"),
        ("gone==7", "gone==7"),
    ],
)
def test_what_no_server_can_have_is_named(tmp_path: Path, index: Index, asked: str, said: str) -> None:
    index.add_source("source")
    index.add("arm", "1.0", "cp314-cp314-win_arm64")
    index.add("bits32", "1.0", "cp314-cp314-win32")
    index.add("old", "1.0", "cp311-cp311-win_amd64")
    index.add("new", "1.0", requires_python=">=3.99")
    index.add("linux", "1.0", "cp314-cp314-manylinux_2_17_x86_64")
    index.add("gone", "1.0")
    sentence = refusal(tmp_path, project_of(tmp_path, f"django\n{asked}\n", "--index-url", index.url))
    assert said in sentence, sentence
    assert sentence.endswith(".")


def test_a_withdrawn_package_that_is_pinned_comes_with_a_warning(tmp_path: Path, index: Index) -> None:
    index.add("x", "2.0", yanked="eats data")
    project = project_of(tmp_path, "django\nx==2.0\n", "--index-url", index.url)
    assert "x-2.0-py3-none-any.whl" in collect(tmp_path, project)
    assert project.warnings == ["x==2.0 has been withdrawn by its authors: eats data."]


def test_what_arrives_is_what_the_index_said(tmp_path: Path, index: Index) -> None:
    index.sums["django-5.2.8-py3-none-any.whl"] = "0" * 64
    said = refusal(tmp_path, project_of(tmp_path, "django\n", "--index-url", index.url))
    assert "django" in said and said.endswith("does not have the hash that it must have; somebody may have changed it.")


def locked(index: Index, **others: str) -> str:
    sums = {name.split("-")[0]: value for name, value in index.sums.items()} | others
    versions = {name.split("-")[0]: name.split("-")[1] for name in index.sums}
    return "".join(f"{name}=={versions[name]} --hash=sha256:{sums[name]}\n" for name in versions)


def test_a_lock_with_hashes(tmp_path: Path, index: Index) -> None:
    project = project_of(tmp_path, locked(index), "--index-url", index.url)
    found = wheels.collect(project, requirements.read(project), tmp_path / "cache")
    assert {wheel.sha256 for wheel in found} == set(index.sums.values())
    assert wheels.arguments(found)[:3] == ["--no-index", "--no-deps", "../../wheels/django-5.2.8-py3-none-any.whl"]


@pytest.mark.parametrize("kind", ["sha384", "sha512"])
def test_hashes_of_other_kinds_count_too(tmp_path: Path, index: Index, kind: str) -> None:
    name = "django-5.2.8-py3-none-any.whl"
    true, wrong = hashlib.new(kind, index.files[name]).hexdigest(), hashlib.new(kind, b"").hexdigest()
    text = locked(index).replace(f"sha256:{index.sums[name]}", f"{kind}:HERE")
    project = project_of(tmp_path, text.replace("HERE", true), "--index-url", index.url)
    assert name in collect(tmp_path, project)
    (tmp_path / "project/requirements.txt").write_text(text.replace("HERE", wrong))
    project = DjangoProject(project.settings)
    with pytest.raises(ProjectError, match=r"which is not among those that .* has locked for django 5\.2\.8"):
        collect(tmp_path, project)


def test_a_lock_whose_hash_is_another(tmp_path: Path, index: Index) -> None:
    project = project_of(tmp_path, locked(index, django="0" * 64), "--index-url", index.url)
    assert "django" in refusal(tmp_path, project)


def test_credentials_of_an_index_are_used_and_never_shown(tmp_path: Path, index: Index) -> None:
    url = index.url.replace("://", "://me:hush-hush@")
    assert "hush" not in refusal(tmp_path, project_of(tmp_path, "django\nmissing\n", "--index-url", url))
    project = project_of(tmp_path, "django\n", "--index-url", url)
    assert len(collect(tmp_path, project)) == 3
    assert any(value and value.startswith("Basic ") for value in index.credentials)
    kept = (path for path in (tmp_path / "cache").rglob("*.txt"))
    assert all("hush" not in path.read_text() for path in kept)


def test_the_hash_is_that_of_the_file(tmp_path: Path, folder: Path) -> None:
    project = from_folder(tmp_path, folder, "django")
    for found in wheels.collect(project, requirements.read(project), tmp_path / "cache"):
        assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_kept_wheels_that_are_not_whole_are_fetched_again(tmp_path: Path, index: Index, damage: str) -> None:
    project = project_of(tmp_path, "django\n", "--index-url", index.url)
    collect(tmp_path, project)
    (file,) = (tmp_path / "cache").glob("*/django-*.whl")
    file.write_bytes(b"changed") if damage == "changed" else file.unlink()
    wheels._wheels.cache_clear()
    assert collect(tmp_path, project)[0] == "django-5.2.8-py3-none-any.whl"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == index.sums[file.name]


def test_indexes_of_this_machines_pip_count_where_none_are_set(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.add("only_here")
    assert "only_here-1.0-py3-none-any.whl" in collect(tmp_path, project_of(tmp_path, "django\nonly-here\n"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    given = project_of(tmp_path, "django==5.2.8\n", "--index-url", index.url)
    assert "django-5.2.8-py3-none-any.whl" in collect(tmp_path, given)
    # A folder of wheels comes to them.
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    wheel(tmp_path / "more", "in_folder", "py3-none-any")
    further = project_of(tmp_path, "django>=5\nin-folder\n", "--find-links", str(tmp_path / "more"))
    assert {"in_folder-1.0-py3-none-any.whl", "django-5.2.8-py3-none-any.whl"} <= {*collect(tmp_path, further)}
