"""The gate in front of the application: which release answers, maintenance, draining, and the handler's headers."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pyinfra_iis.release import release
from pyinfra_iis.settings import WebSettings, build

ASGI = """\
seen = {}
async def app(scope, receive, send):
    seen.update(scope)
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"application"})
"""
WSGI = """\
def make():
    def app(environ, start_response):
        start_response("200 OK", [("X-Own", "1")])
        return [b"application"]
    return app
"""


class Gate:
    """A release's gate, asked without a server."""

    def __init__(self, root: Path, module: ModuleType) -> None:
        self.module = module
        self.release = Path(str(module.__file__)).parent.name
        self.shared = root / "shared"
        self.shared.mkdir(exist_ok=True)

    def get(self, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
        names = {name.lower().replace("_", "-"): value for name, value in headers.items()}
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in names.items()],
        }
        if not asyncio.iscoroutinefunction(self.module.application):
            environ = {"PATH_INFO": path, **{f"HTTP_{name.upper()}": value for name, value in headers.items()}}
            started: list[Any] = []
            body = b"".join(self.module.application(environ, lambda *answer: started.extend(answer)))
            return int(started[0].split()[0]), {name.lower(): value for name, value in started[1]}, body

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.module.application(scope, None, send))
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], found, sent[1]["body"]


def gate_of(tmp_path: Path, source: str, **values: Any) -> Iterator[Gate]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app_under_test.py").write_text(source)
    settings = build({"project": project, "health": {"path": "/health"}, **values}, WebSettings)
    made = release.make(settings)
    place = tmp_path / "root" / "releases" / made.id
    place.mkdir(parents=True)
    for name, file in made.files.items():
        (place / name).write_bytes(file.read())
    sys.path.insert(0, str(place))
    try:
        spec = importlib.util.spec_from_file_location("gate", place / release.GATE)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield Gate(tmp_path / "root", module)
    finally:
        sys.path.remove(str(place))
        sys.modules.pop("app_under_test", None)


@pytest.fixture(params=["asgi", "wsgi"])
def gate(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gate]:
    if request.param == "asgi":
        yield from gate_of(tmp_path, ASGI, application="app_under_test:app")
    else:
        yield from gate_of(tmp_path, WSGI, application="app_under_test:make()", server="waitress")


@pytest.fixture
def bare_server(tmp_path: Path) -> Iterator[Gate]:
    """Behind a server that does not read the handler's headers."""
    yield from gate_of(tmp_path, ASGI, application="app_under_test:app", server="hypercorn")


def test_visitors_get_the_application(gate: Gate) -> None:
    assert gate.get() == (200, {"x-own": "1"}, b"application")


def test_the_deploys_own_requests_are_told_which_release_answers(gate: Gate) -> None:
    assert gate.get(X_Release_Probe="1")[1] == {"x-own": "1", "x-release": gate.release}


def test_in_maintenance_only_who_knows_the_token_gets_in(gate: Gate) -> None:
    notice = {"retry_after": 600, "page": "<p>back at 8 – sorry</p>", "token": "t0ken"}
    (gate.shared / "maintenance.json").write_text(json.dumps(notice), encoding="utf-8")
    for headers in ({}, {"X_Release_Probe": "1"}, {"X_Release_Probe": ""}):
        status, found, body = gate.get("/any", **headers)
        assert (status, found["retry-after"]) == (503, "600")
        assert body.decode() == notice["page"]
        assert int(found["content-length"]) == len(body)
    assert gate.get("/any", X_Release_Probe="t0ken")[0] == 200
    (gate.shared / "maintenance.json").unlink()
    assert gate.get("/any")[0] == 200


def test_a_notice_without_a_token_or_half_written_lets_nobody_in(gate: Gate) -> None:
    for text in ("{", "{}"):
        (gate.shared / "maintenance.json").write_text(text)
        assert gate.get("/", X_Release_Probe="1")[0] == 503


@pytest.mark.parametrize(
    ("path", "name"), [("/shop", "/shop"), ("/Shop/cart", "/Shop"), ("/shopping", ""), ("/", ""), ("/other/shop", "")]
)
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_below_a_site_it_knows_its_script_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, path: str, name: str
) -> None:
    monkeypatch.setenv("HTTP_PLATFORM_APPL_PATH", "/shop")
    wsgi = "def app(environ, start):\n    start('200 OK', [])\n    return [(environ['SCRIPT_NAME'] + '|' + environ['PATH_INFO']).encode()]\n"
    more = {"server": "waitress"} if kind == "wsgi" else {}
    for gate in gate_of(tmp_path, wsgi if kind == "wsgi" else ASGI, application="app_under_test:app", **more):
        if kind == "wsgi":
            environ = {"SCRIPT_NAME": "", "PATH_INFO": path}
            body = b"".join(gate.module.application(environ, lambda *_: None)).decode()
            assert body == f"{name}|{path[len(name) :]}"
        else:
            gate.get(path)
            seen = sys.modules["app_under_test"].seen  # type: ignore[attr-defined]
            assert (seen.get("root_path", ""), seen["path"]) == (name, path)


@pytest.mark.parametrize(
    ("path", "seen"), [("/shop", "/shop|"), ("/SHOP/Cart", "/shop|/Cart"), ("/shopping", "|/shopping")]
)
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_deployed_below_a_site_its_name_is_the_one_of_the_settings(
    tmp_path: Path, kind: str, path: str, seen: str
) -> None:
    wsgi = "def app(environ, start):\n    start('200 OK', [])\n    return [(environ.get('SCRIPT_NAME', '') + '|' + environ['PATH_INFO']).encode()]\n"
    more = {"site": "Default Web Site", "path": "/shop", **({"server": "waitress"} if kind == "wsgi" else {})}
    for gate in gate_of(tmp_path, wsgi if kind == "wsgi" else ASGI, application="app_under_test:app", **more):
        if kind == "wsgi":
            environ = {"SCRIPT_NAME": "", "PATH_INFO": path}
            assert b"".join(gate.module.application(environ, lambda *_: None)).decode() == seen
        else:
            gate.get(path)
            scope = sys.modules["app_under_test"].seen  # type: ignore[attr-defined]
            name = scope.get("root_path", "")
            assert f"{name}|{scope['path'].removeprefix(name)}" == seen
        (gate.shared / "draining").touch()
        assert (gate.get("/health")[0], gate.get("/shop/health")[0]) == (200, 503)


def test_while_it_drains_only_the_health_path_says_so(gate: Gate) -> None:
    (gate.shared / "draining").touch()
    assert gate.get("/health")[0] == 503
    assert gate.get("/health", X_Release_Probe="1")[0] == 200
    assert gate.get("/")[0] == 200


def scope_seen(gate: Gate, headers: list[tuple[bytes, bytes]], kind: str = "http") -> dict[str, Any]:
    async def send(_message: dict[str, Any]) -> None: ...

    scheme = "http" if kind == "http" else "ws"
    scope = {"type": kind, "path": "/", "scheme": scheme, "client": ("127.0.0.1", 1), "headers": headers}
    asyncio.run(gate.module.application(scope, None, send))
    return dict(sys.modules["app_under_test"].seen)  # type: ignore[attr-defined]


def test_only_the_handlers_own_words_are_believed(bare_server: Gate) -> None:
    forged = [(b"x-forwarded-proto", b"https, http"), (b"x-forwarded-for", b"6.6.6.6, 1.2.3.4:51234")]
    seen = scope_seen(bare_server, forged)
    assert (seen["scheme"], seen["client"]) == ("http", ("1.2.3.4", 51234))


def test_tls_of_the_visitor_is_seen(bare_server: Gate) -> None:
    seen = scope_seen(bare_server, [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"[::1]:80")], "websocket")
    assert (seen["scheme"], seen["client"]) == ("wss", ("::1", 80))


def test_lifespan_events_go_through(bare_server: Gate) -> None:
    asyncio.run(bare_server.module.application({"type": "lifespan"}, None, None))
    assert sys.modules["app_under_test"].seen["type"] == "lifespan"  # type: ignore[attr-defined]
