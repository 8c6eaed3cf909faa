"""Commands of manage.py that a deploy runs on the server, run here by this machine's Django."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyinfra_iis.release import helper, release
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects

PLAIN = projects.SETTINGS.replace(', "django.contrib.staticfiles"', "")
COLLECT = ("collectstatic", "--noinput", "--verbosity", "0")


def manage(root: Path, monkeypatch: pytest.MonkeyPatch, settings: str, *arguments: str) -> Path:
    """Run a command in a release; returns the release's folder."""
    made = release.make(build({"project": projects.make(root / "project", settings=settings)}, DjangoSettings))
    place = root / "releases" / made.id
    for path, file in made.files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(file.read())
    monkeypatch.chdir(root)
    monkeypatch.setattr(helper, "interpreter", lambda _: sys.executable)
    helper.manage(made.id, "key", *arguments)
    return place


def test_static_files_are_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = projects.SETTINGS.replace('"django.contrib.auth"', '"django.contrib.auth", "django.contrib.admin"')
    place = manage(tmp_path, monkeypatch, settings, *COLLECT)
    assert (place / "collected_static" / "staticfiles.json").is_file()


def test_a_project_without_static_files_has_nothing_to_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manage(tmp_path, monkeypatch, PLAIN, *COLLECT)


def test_another_unknown_command_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(helper.Failure, match=r"manage\.py tidy failed with exit code 1"):
        manage(tmp_path, monkeypatch, PLAIN, "tidy")
