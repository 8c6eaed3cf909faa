"""How each server is started behind HttpPlatformHandler."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pyinfra_iis.release import release
from pyinfra_iis.settings import build
from tests.pyinfra_iis import projects


@pytest.mark.parametrize(
    ("values", "application"),
    [
        ({"server": "uvicorn"}, "shop.asgi:application"),
        ({"server": "waitress"}, "shop.wsgi:application"),
        ({"server": "hypercorn"}, "pyinfra_iis_asgi:application"),
        ({"server": "granian"}, "pyinfra_iis_asgi:application"),
        ({"server": "command", "command": ["serve.py", "a b", "%HTTP_PLATFORM_PORT%"]}, '"a b"'),
        ({"server": "runserver"}, "--noreload"),
    ],
)
def test_web_config_starts_it_on_the_handlers_port(tmp_path: Path, values: dict[str, Any], application: str) -> None:
    made = release.make(build({"project": projects.make(tmp_path, **{"shop/wsgi.py": projects.ASGI}), **values}))
    platform = ElementTree.fromstring(made.files["web.config"].read()).find(".//httpPlatform")
    assert platform is not None
    arguments = platform.attrib["arguments"]
    assert application in arguments
    assert arguments.count("%HTTP_PLATFORM_PORT%") == 1
    assert arguments == made.arguments


def scope_seen(tmp_path: Path, headers: list[tuple[bytes, bytes]], kind: str = "http") -> dict[str, Any]:
    (tmp_path / "app_under_test.py").write_text(
        "async def app(scope, receive, send):\n    seen.update(scope)\nseen = {}\n"
    )
    text = release._render("asgi_behind_iis.py.j2", module="app_under_test", name="app")
    (tmp_path / "wrapper.py").write_text(text)
    sys.path.insert(0, str(tmp_path))
    try:
        spec = importlib.util.spec_from_file_location("wrapper", tmp_path / "wrapper.py")
        assert spec is not None and spec.loader is not None
        wrapper = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(wrapper)
        scope = {
            "type": kind,
            "scheme": "http" if kind == "http" else "ws",
            "client": ("127.0.0.1", 1),
            "headers": headers,
        }
        asyncio.run(wrapper.application(scope, None, None))
        return dict(sys.modules["app_under_test"].seen)  # type: ignore[attr-defined]
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("app_under_test", None)


def test_only_the_handlers_own_words_are_believed(tmp_path: Path) -> None:
    forged = [(b"x-forwarded-proto", b"https, http"), (b"x-forwarded-for", b"6.6.6.6, 1.2.3.4:51234")]
    seen = scope_seen(tmp_path, forged)
    assert (seen["scheme"], seen["client"]) == ("http", ("1.2.3.4", 51234))


def test_tls_of_the_visitor_is_seen(tmp_path: Path) -> None:
    seen = scope_seen(tmp_path, [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"[::1]:80")], "websocket")
    assert (seen["scheme"], seen["client"]) == ("wss", ("::1", 80))
