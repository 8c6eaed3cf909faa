"""What is wanted of IIS, as the server gets it, and what its answer means."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pyinfra.api import HiddenValue
from pyinfra.api.exceptions import OperationValueError

from pyinfra_iis.operations import iis
from pyinfra_iis.operations.changes import Change
from pyinfra_iis.operations.iis import edits
from pyinfra_iis.operations.iis.applying import differences

EMPTY: dict[str, Any] = {"installed": True, "changes": [], "problems": [], "missing": [], "states": []}


def item(made: edits.Edits) -> dict[str, Any]:
    return made.sections[0]["items"][0]


@pytest.mark.parametrize(
    "properties",
    [
        {"processModel": {"idleTimeout": 60}, "startMode": "AlwaysRunning"},
        {"process_model": {"idle_timeout": timedelta(minutes=1)}, "start_mode": "AlwaysRunning"},
        {"processModel.idleTimeout": 60, "startMode": "AlwaysRunning"},
        {"process_model__idle_timeout": 60, "start_mode": "AlwaysRunning"},
    ],
)
def test_ways_to_write_properties(properties: dict[str, Any]) -> None:
    assert item(edits.app_pool("shop", **properties))["set"] == {
        "processModel": {"idleTimeout": 60},
        "startMode": "AlwaysRunning",
    }


@pytest.mark.parametrize(
    ("identity", "model"),
    [
        ("networkservice", {"identityType": "NetworkService"}),
        (r"CONTOSO\web$", {"identityType": "SpecificUser", "userName": r"CONTOSO\web$"}),
    ],
)
def test_identities(identity: str, model: dict[str, str]) -> None:
    assert item(edits.app_pool("shop", identity=identity))["set"]["processModel"] == model


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "x", True),
        ("SIGNING_KEY", "x", True),
        ("API_TOKEN", "x", True),
        ("CELERY_BROKER", "amqp://me:x@queue", True),
        ("ANYTHING", HiddenValue("x"), True),
        ("OTHER", SecretStr("x"), True),
        ("COLOUR", "x", False),
        ("HOMEPAGE", "https://www.example.com/", False),
        ("KEYBOARD", "x", False),
    ],
)
def test_which_variables_are_secret(name: str, value: Any, secret: bool) -> None:
    made = edits.app_pool("shop", environment={name: value})
    assert bool(made.secrets) is secret
    assert ("'x'" in repr(made.request)) is (not secret and value == "x")
    assert "amqp" not in repr(made.request) + repr(made)


def test_passwords_are_secret_wherever_they_stand() -> None:
    made = edits.app_pool("shop", processModel={"password": "x1"}) + edits.virtual_directory(
        "shop", "/media", password="x2"
    )
    made += edits.site("shop", virtualDirectoryDefaults={"password": "x3"})
    assert sorted(made.secrets.values()) == ["x1", "x2", "x3"]
    assert not [value for value in ("'x1'", "'x2'", "'x3'") if value in repr(made.request)]


def test_arguments_that_pyinfra_prints_hide_secrets() -> None:
    seen: dict[str, Any] = {}

    def operation(*args: Any, **kwargs: Any) -> None:
        seen.update(kwargs)

    iis.discreet(operation)(
        "shop",
        password="x1",
        environment={"DB_PASSWORD": "x2", "A": "b"},
        secret_environment={"C": "x3"},
        a={"b": {"userPassword": "x4"}},
    )
    printed = ", ".join(f"{name}={value}" for name, value in seen.items())
    assert "x1" not in printed and "x2" not in printed and "x3" not in printed and "x4" not in printed
    assert "'A': 'b'" in printed
    assert edits.plain(seen["environment"]["DB_PASSWORD"]) == "x2"


def test_bindings() -> None:
    made = edits.site("shop", bindings=["*:80:", "https://*:443:www.example.com", "https://10.0.0.1:443:"])
    assert [entry.get("set") for entry in item(made)["in"]["bindings"]["items"]] == [
        None,
        {"sslFlags": 1},
        {"sslFlags": 0},
    ]
    with pytest.raises(OperationValueError, match="'80' is not a binding"):
        edits.binding("shop", "80")


def test_which_certificate_is_meant() -> None:
    by_name = edits.binding("shop", "https://*:443:", certificate="www.example.com").certificates[0]["wanted"]
    by_hash = edits.binding("shop", "https://*:443:", certificate="ab " * 20).certificates[0]["wanted"]
    assert by_name == {"thumbprint": "", "subject": "www.example.com"}
    assert by_hash == {"thumbprint": "AB" * 20, "subject": ""}


def answer_for(made: edits.Edits, value: str) -> dict[str, Any]:
    salt = b"0123456789abcdef"
    (identifier,) = made.secrets
    found = hashlib.pbkdf2_hmac("sha1", value.encode(), salt, 1000)
    change = {"what": identifier, "old": "***", "new": "***", "secret": identifier}
    return {**EMPTY, "changes": [{**change, "hash": base64.b64encode(found), "salt": base64.b64encode(salt)}]}


def test_an_unchanged_secret_is_no_difference_a_changed_one_is() -> None:
    made = edits.app_pool("shop", environment={"DB_PASSWORD": "x"})
    same, other = answer_for(made, "x"), answer_for(made, "y")
    for answer in (same, other):
        answer["changes"][0]["hash"] = answer["changes"][0]["hash"].decode()
    assert differences(made, same) == []
    assert differences(made, other) == [Change("app pool shop environment DB_PASSWORD", "***", "***", secret=True)]


def test_a_server_without_iis_gets_the_whole_plan() -> None:
    made = (
        edits.section("system.webServer/handlers", unlocked=True)
        + edits.app_pool("shop", queueLength=10, environment={"A": "1", "DB_PASSWORD": "x"}, generated=["KEY"])
        + edits.site("shop", path="C:\\shop", pool="shop", bindings=["*:80:"], running=True)
        + edits.binding("shop", "https://*:443:", certificate="www.example.com")
        + edits.entry("system.webServer/httpProtocol", "customHeaders", {"name": "X"}, present=False)
    )
    said = [(change.what, change.old, change.new) for change in differences(made, {**EMPTY, "installed": False})]
    assert said == [
        ("section system.webServer/handlers override mode", None, "Allow"),
        ("app pool shop", None, "present"),
        ("app pool shop queueLength", None, "10"),
        ("app pool shop environment A", None, "1"),
        ("app pool shop environment DB_PASSWORD", None, "***"),
        ("app pool shop environment KEY", None, "***"),
        ("site shop", None, "present"),
        ("site shop binding", None, "http *:80:"),
        ("site shop applicationPool", None, "shop"),
        ("site shop physicalPath", None, "C:\\shop"),
        ("site shop binding", None, "https *:443:"),
        ("site shop binding https *:443: sslFlags", None, "0"),
        ("site shop binding https *:443: certificate", None, "www.example.com"),
    ]


def test_states() -> None:
    made = edits.app_pool("a", running=True) + edits.site("b", running=False) + edits.site("c", running=True)
    states = [{"state": "Starting"}, {"state": "Started"}, {"state": None}]
    assert differences(made, {**EMPTY, "states": states}) == [Change("site b state", "Started", "Stopped")]
