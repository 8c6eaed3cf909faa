"""Commands of manage.py that a deploy runs on the server, run here by this machine's Django."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from pyinfra_iis.release import helper, release
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects

PLAIN = projects.SETTINGS.replace(', "django.contrib.staticfiles"', "")
COLLECT = ("collectstatic", "--noinput", "--verbosity", "0")


def unpack(root: Path, settings: str) -> release.Release:
    """A release on the disk, below `root`."""
    made = release.make(build({"project": projects.make(root / "project", settings=settings)}, DjangoSettings))
    place = root / "releases" / made.id
    for path, file in made.files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(file.read())
    return made


def manage(root: Path, monkeypatch: pytest.MonkeyPatch, settings: str, *arguments: str) -> Path:
    """Run a command in a release; returns the release's folder."""
    made = unpack(root, settings)
    monkeypatch.chdir(root)
    monkeypatch.setattr(helper, "interpreter", lambda _: sys.executable)
    helper.manage(made.id, "key", *arguments)
    return root / "releases" / made.id


def test_static_files_are_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = projects.SETTINGS.replace('"django.contrib.auth"', '"django.contrib.auth", "django.contrib.admin"')
    place = manage(tmp_path, monkeypatch, settings, *COLLECT)
    assert (place / "collected_static" / "staticfiles.json").is_file()


def test_a_project_without_static_files_has_nothing_to_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manage(tmp_path, monkeypatch, PLAIN, *COLLECT)


def test_another_unknown_command_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(helper.Failure, match=r"manage\.py tidy failed with exit code 1"):
        manage(tmp_path, monkeypatch, PLAIN, "tidy")


def test_the_plan_of_migrations_comes_through_whatever_settings_print_or_look_at(tmp_path: Path) -> None:
    settings = projects.SETTINGS.replace("django-insecure-x", "own") + (
        'import sys\nprint("settings are read")\nTESTING = sys.argv[1] == "test"\n'
    )
    made = unpack(tmp_path, settings)
    folder = tmp_path / "shared" / "data"
    folder.mkdir(parents=True)
    (folder / "db.sqlite3").touch()
    program = resources.files("pyinfra_iis.release").joinpath("migration_plan.py").read_text(encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-"],
        input=program,
        cwd=tmp_path / "releases" / made.id,
        env={**os.environ, **made.variables},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(run.stdout)
    assert answer["problem"] == ""
    assert answer["plan"][0][0] == "contenttypes.0001_initial"
    assert answer["plan"][0][1][0] == "Create model ContentType"
