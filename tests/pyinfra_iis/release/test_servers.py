"""How each server is started behind HttpPlatformHandler."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pyinfra_iis.release import release
from pyinfra_iis.release.project import ProjectError
from pyinfra_iis.settings import DjangoSettings, WebSettings, build
from tests.pyinfra_iis import projects


@pytest.mark.parametrize(
    ("values", "application"),
    [
        ({"server": "uvicorn"}, "pyinfra_iis_gate:application --interface asgi3"),
        (
            {"server": "uvicorn", "application": "shop.wsgi:application"},
            "pyinfra_iis_gate:application --interface wsgi",
        ),
        ({"server": "waitress"}, "pyinfra_iis_gate:application"),
        ({"server": "hypercorn"}, "pyinfra_iis_gate:application"),
        ({"server": "granian"}, "pyinfra_iis_gate:application"),
        ({"server": "command", "command": ["serve.py", "a b", "%HTTP_PLATFORM_PORT%"]}, '"a b"'),
        ({"server": "runserver"}, "--noreload"),
    ],
)
def test_web_config_starts_it_on_the_handlers_port(tmp_path: Path, values: dict[str, Any], application: str) -> None:
    made = release.make(
        build({"project": projects.make(tmp_path, **{"shop/wsgi.py": projects.ASGI}), **values}, DjangoSettings)
    )
    platform = ElementTree.fromstring(made.files["web.config"].read()).find(".//httpPlatform")
    assert platform is not None
    arguments = platform.attrib["arguments"]
    assert application in arguments
    assert arguments.count("%HTTP_PLATFORM_PORT%") == 1
    assert arguments == made.arguments


def test_a_server_does_not_get_an_application_of_the_other_interface(tmp_path: Path) -> None:
    project = projects.make(tmp_path)
    with pytest.raises(ProjectError, match="waitress serves WSGI applications, not ASGI ones"):
        release.make(
            build(
                {"project": project, "server": "waitress", "application": "shop.asgi:application", "interface": "asgi"},
                DjangoSettings,
            )
        )


def test_only_an_application_that_is_not_django_may_want_lifespan_events(tmp_path: Path) -> None:
    project = projects.make(tmp_path, **{"main.py": "app = None\n"})
    django = release.make(build({"project": project}, DjangoSettings))
    other = release.make(build({"project": project, "application": "main:app"}, WebSettings))
    assert ("--lifespan off" in django.arguments, "--lifespan auto" in other.arguments) == (True, True)
    assert other.preparation == []
    assert not [path for path in other.files if "settings" in path and path not in django.project.files]


def test_an_application_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"main\.py does not exist"):
        release.make(build({"project": tmp_path, "application": "main:app"}, WebSettings))
