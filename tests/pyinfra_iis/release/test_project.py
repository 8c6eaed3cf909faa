"""What belongs to a project, and what is found before anything is sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.release import requirements
from pyinfra_iis.release.project import DjangoProject, ProjectError
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects


def read(folder: Path, **values: Any) -> DjangoProject:
    return DjangoProject(build({"project": folder, **values}, DjangoSettings))


def test_what_manage_py_says(tmp_path: Path) -> None:
    project = read(projects.make(tmp_path))
    assert project.settings_module == "shop.settings"
    assert project.application == "shop.asgi:application"


def test_wsgi_where_there_is_no_asgi(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, **{"shop/wsgi.py": projects.ASGI})
    (folder / "shop/asgi.py").unlink()
    assert read(folder).application == "shop.wsgi:application"


@pytest.mark.parametrize(
    "line",
    [
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")',
        'os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"',
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", os.getenv("DJANGO_SETTINGS_MODULE", "shop.settings"))',
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", config("DJANGO_SETTINGS_MODULE", default="shop.settings"))',
    ],
)
def test_the_ways_to_name_a_settings_module(tmp_path: Path, line: str) -> None:
    folder = projects.make(tmp_path, **{"manage.py": f"import os\n{line}\n"})
    assert read(folder).settings_module == "shop.settings"


def test_a_settings_module_that_is_computed_has_to_be_set(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, **{"manage.py": 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = choose()\n'})
    with pytest.raises(ProjectError, match="set django_settings_module"):
        read(folder).check()


@pytest.mark.parametrize(
    ("module", "place", "found"),
    [
        ("shop.settings", "shop/wsgi.py", "shop.wsgi:application"),
        ("shop.config.settings.production", "shop/config/wsgi.py", "shop.config.wsgi:application"),
        ("shop.config.settings.production", "shop/wsgi.py", "shop.wsgi:application"),
        ("settings", "wsgi.py", "wsgi:application"),
        ("shop.settings", "asgi.py", "asgi:application"),
    ],
)
def test_where_the_application_may_be(tmp_path: Path, module: str, place: str, found: str) -> None:
    settings = f"{module.replace('.', '/')}.py"
    folder = projects.make(tmp_path, **{settings: projects.SETTINGS, place: projects.ASGI})
    (folder / "shop/asgi.py").unlink()
    assert read(folder, settings_module=module).application == found


def test_settings_for_developers_in_manage_py_are_told(tmp_path: Path) -> None:
    files = {"shop/production.py": projects.SETTINGS, "shop/asgi.py": projects.ASGI.replace(".settings", ".production")}
    project = read(projects.make(tmp_path, **files))
    project.check()
    assert project.warnings == [
        "manage.py names the settings shop.settings, shop/asgi.py names shop.production: the site gets the former; "
        "set django_settings_module to choose."
    ]
    chosen = read(tmp_path, settings_module="shop.production")
    chosen.check()
    assert chosen.warnings == []


def test_what_stays_here_says_where_it_goes(tmp_path: Path) -> None:
    project = read(projects.make(tmp_path, **{"db.sqlite3": "", "shop/.env.local": "A=1"}))
    assert project.files
    assert project.warnings == [
        "db.sqlite3 stays here: databases do not belong to a release, and the site has its own on the server.",
        "shop/.env.local stays here: what the site needs of its variables goes into the setting environment.",
    ]


def test_only_what_belongs_to_it(tmp_path: Path) -> None:
    folder = projects.make(
        tmp_path,
        **{
            ".git/config": "",
            "env311/pyvenv.cfg": "",
            "env311/Lib/x.py": "",
            "shop/__pycache__/x.pyc": "",
            "db.sqlite3": "data",
            ".env": "SECRET=1",
            "shop/templates/home.html": "<p>",
        },
    )
    project = read(folder)
    assert sorted(project.files) == [
        "manage.py",
        "requirements.txt",
        "shop/__init__.py",
        "shop/asgi.py",
        "shop/settings.py",
        "shop/templates/home.html",
        "shop/urls.py",
    ]
    assert [warning.split()[0] for warning in project.warnings] == [".env", "db.sqlite3"]


def test_deployignore_has_gits_rules(tmp_path: Path) -> None:
    ignore = "docs/\n*.psd\n!logo.psd\n/shop/local.py\n"
    names = ["docs/index.md", "a.psd", "shop/logo.psd", "shop/local.py", "shop/sub/local.py"]
    project = read(projects.make(tmp_path, **{".deployignore": ignore, **dict.fromkeys(names, "")}))
    assert {"shop/logo.psd", "shop/sub/local.py"} < set(project.files)
    assert not {".deployignore", "docs/index.md", "a.psd", "shop/local.py"} & set(project.files)


@pytest.mark.parametrize(
    ("name", "part"),
    [("shop/aux.py", "aux.py"), ("shop/what?.txt", "what?.txt"), ("shop/dot.", "dot."), ("shop/x /y", "x ")],
)
def test_names_that_windows_cannot_hold(tmp_path: Path, name: str, part: str) -> None:
    with pytest.raises(ProjectError, match="cannot exist on Windows") as caught:
        _ = read(projects.make(tmp_path, **{name: ""})).files
    assert f"'{part}'" in str(caught.value)


def test_names_that_are_one_on_windows(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="are one name on Windows"):
        _ = read(projects.make(tmp_path, **{"shop/Views.py": "", "shop/views.py": ""})).files


def test_paths_that_are_too_long(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="Windows takes 259"):
        _ = read(projects.make(tmp_path, **{f"{'d' * 100}/{'e' * 100}/{'f' * 100}.txt": ""})).files


def test_symbolic_links_are_named(tmp_path: Path) -> None:
    folder = projects.make(tmp_path)
    os.symlink("urls.py", folder / "shop/link.py")
    with pytest.raises(ProjectError, match=r"shop/link.py in .* is a symbolic link"):
        _ = read(folder).files


def test_a_syntax_error_in_the_settings_is_found_here(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, settings="DEBUG = True\nX = (\n")
    python = {"version": "3.11.0", "url": "http://mirror.example/python.zip", "sha256": "0" * 64}
    with pytest.raises(ProjectError, match=r"Syntax error in .*settings.py, line 2: '\(' was never closed\."):
        read(folder, python=python).check()


def test_syntax_that_a_newer_python_may_know_is_left_to_the_server(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, settings="DEBUG = True\nX = (\n")
    python = {"version": "3.99.0", "url": "http://mirror.example/python.zip", "sha256": "0" * 64}
    project = read(folder, python=python)
    project.check()
    assert "line 2" in project.warnings[0]


def test_requirements_name_what_the_environment_holds(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, **{"requirements.txt": "-r more.txt\nUvicorn==0.40\n", "more.txt": "Django\n"})
    first = requirements.read(read(folder))
    assert first.arguments == ("-r", "requirements.txt", "whitenoise>=6")
    (folder / "more.txt").write_text("Django==5.2\n")
    assert requirements.read(read(folder)).key != first.key


def test_a_project_without_requirements_gets_the_django_that_made_it(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, settings="# by 'django-admin startproject' using Django 4.2.7.\n")
    (folder / "requirements.txt").unlink()
    assert requirements.read(read(folder)).arguments[0] == "Django~=4.2.0"


def test_without_any_word_of_django_it_says_so(tmp_path: Path) -> None:
    folder = projects.make(tmp_path)
    (folder / "requirements.txt").unlink()
    with pytest.raises(ProjectError, match=r"has no requirements\.txt"):
        requirements.read(read(folder))


def test_a_missing_requirements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"The requirements file deploy\.txt is not in"):
        requirements.read(read(projects.make(tmp_path), requirements="deploy.txt"))
