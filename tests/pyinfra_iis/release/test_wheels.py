"""Wheels for servers without an index, collected by the real tools from a local folder of wheels."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.release import requirements, wheels
from pyinfra_iis.release.project import DjangoProject, ProjectError
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects


def wheel(folder: Path, name: str, tag: str, *requires: str) -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(
        f"Requires-Dist: {one}\n" for one in requires
    )
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    pure = "py3-none-any"
    wheel(folder, "django", pure, 'tzdata; sys_platform == "win32"', 'unixonly; sys_platform != "win32"')
    wheel(folder, "compiled", "cp314-cp314-win_amd64")
    wheel(folder, "linuxonly", "cp314-cp314-manylinux_2_17_x86_64")
    for name in ("tzdata", "uvicorn", "whitenoise"):
        wheel(folder, name, pure)
    return folder


def collect(tmp_path: Path, index: Path, needs: str) -> list[str]:
    project = projects.make(tmp_path / "project", **{"requirements.txt": needs + "\nuvicorn\nwhitenoise\n"})
    options: dict[str, Any] = {"packages": "offline", "pip_options": ["--no-index", "--find-links", str(index)]}
    read = DjangoProject(build({"project": project, **options}, DjangoSettings))
    return [found.name for found in wheels.collect(read, requirements.read(read), tmp_path / "cache")]


def test_what_windows_needs_and_nothing_else(tmp_path: Path, index: Path) -> None:
    assert collect(tmp_path, index, "django\ncompiled") == [
        "compiled-1.0-cp314-cp314-win_amd64.whl",
        "django-1.0-py3-none-any.whl",
        "tzdata-1.0-py3-none-any.whl",
        "uvicorn-1.0-py3-none-any.whl",
        "whitenoise-1.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize("name", ["linuxonly", "missing"])
def test_a_package_without_a_windows_wheel_is_named(tmp_path: Path, index: Path, name: str) -> None:
    with pytest.raises(ProjectError, match=rf"cannot be collected for Windows: .*{name}") as caught:
        collect(tmp_path, index, f"django\n{name}")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []
