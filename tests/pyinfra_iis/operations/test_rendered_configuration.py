"""Every web.config that a release can have is valid by IIS's schema and by that of both handlers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.release import release as releases
from pyinfra_iis.settings import DjangoSettings, WebSettings, build
from tests.pyinfra_iis import projects
from winlab.iis.configfile import ConfigFile
from winlab.iis.errors import ConfigError
from winlab.iis.schema import SCHEMA_DIR, Schema
from winlab.iis.validation import validate_element
from winlab.iis.xmltext import XmlElement

PYTHON = {"url": "http://mirror.example/python.zip", "sha256": "0" * 64}
SERVERS: list[dict[str, Any]] = [
    {"server": name} for name in ("uvicorn", "waitress", "hypercorn", "granian", "runserver")
] + [{"server": "command", "command": ("-c", "print(\"a & b < c > 'd'\")", "%HTTP_PLATFORM_PORT%")}]
OPTIONS: list[dict[str, Any]] = [
    {"handlers": "unlock"},
    {"handlers": "location", "preload": True, "max_content_length": 5},
    {"bindings": ["https://*:443:www.example.com"], "certificate": {"subject": "www.example.com"}, "hsts": 60},
]


@pytest.fixture(scope="module", params=["httpplatform_schema.v1.2.xml", "httpplatform_schema.v2.xml"])
def schema(request: pytest.FixtureRequest) -> Schema:
    return Schema.load([(SCHEMA_DIR / name).read_bytes() for name in ("IIS_schema.xml", request.param)])


@pytest.mark.parametrize(
    ("server", "options"),
    list(itertools.product(SERVERS, OPTIONS)),
    ids=lambda given: "-".join(map(str, given.values()))[:30],
)
def test_web_config(tmp_path: Path, schema: Schema, server: dict[str, Any], options: dict[str, Any]) -> None:
    if server["server"] == "runserver" and "certificate" in options:
        pytest.skip("Django's development server has no business with TLS")
    project = projects.make(tmp_path / "shop & co", **{"shop/wsgi.py": projects.ASGI.replace("asgi", "wsgi")})
    values = {"project": project, "app": "shop", "root": r"C:\Sites & more\shop", "python": PYTHON, **server, **options}
    text = web_config(build({**values, "python": {**PYTHON, "version": "3.12.1"}}, DjangoSettings))
    check(text, schema)
    assert ("<handlers>" in text) is (options.get("handlers") != "location")


def test_web_config_of_any_application(tmp_path: Path, schema: Schema) -> None:
    (tmp_path / "main.py").write_text("async def app(scope, receive, send): ...\n")
    (tmp_path / "requirements.txt").write_text("")
    check(web_config(build({"project": tmp_path, "app": "api", "application": "main:app"}, WebSettings)), schema)


def test_the_check_finds_what_is_wrong(schema: Schema) -> None:
    with pytest.raises(ConfigError, match="Unrecognized attribute 'nonsense'"):
        check(
            '<configuration><system.webServer><httpPlatform nonsense="1" /></system.webServer></configuration>', schema
        )
    with pytest.raises(ConfigError, match="processesPerApplication"):
        text = '<httpPlatform processPath="x" processesPerApplication="1000" />'
        check(f"<configuration><system.webServer>{text}</system.webServer></configuration>", schema)


def web_config(settings: WebSettings) -> str:
    made = releases.make(settings)
    return made.files["web.config"].read().decode("utf-8")


def check(text: str, schema: Schema) -> None:
    """Validates each section that stands in a configuration file."""
    file = ConfigFile("C:\\web.config", text.encode())

    def walk(node: XmlElement, path: str) -> None:
        if section := schema.section(path):
            validate_element(node, section, file, [])
            return
        assert node.elements, f"{path} is no section of this IIS"
        for child in node.elements:
            walk(child, f"{path}/{child.name}")

    assert file.root.elements
    for child in file.root.elements:
        walk(child, child.name)
