"""What Windows' operations compare: rights as sets of bits with what is inherited, ports and addresses however they are written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api import FunctionCommand, HiddenValue
from pyinfra.context import ctx_host

from pyinfra_iis.operations import access, windows
from pyinfra_iis.operations.access import Access, AccessError

FOLDER = r"C:\shared"
POOL = r"IIS AppPool\shop"
SID = access.app_pool_sid(POOL)
USERS, ADMINISTRATORS = "S-1-5-32-545", "S-1-5-32-544"

FULL, MODIFY, READ_AND_EXECUTE, READ, WRITE = 0x1F01FF, 0x1301BF, 0x1200A9, 0x120089, 0x100116


def entry(rights: int, sid: str = SID, **more: Any) -> dict[str, Any]:
    return {"sid": sid, "rights": rights, "allow": True, "inherited": False, "inheritance": 3, "propagation": 0, **more}


def fact(*entries: dict[str, Any], exists: bool = True, protected: bool = False, known: bool = True) -> dict[str, Any]:
    folder = {"path": FOLDER, "exists": exists, "protected": protected, "owner": ADMINISTRATORS, "entries": [*entries]}
    return {
        "folders": [folder],
        "identities": {POOL: SID if known else None, "Users": USERS, "Administrators": ADMINISTRATORS},
        "accounts": {SID: POOL, USERS: r"BUILTIN\Users", ADMINISTRATORS: r"BUILTIN\Administrators"},
    }


def plan(there: dict[str, Any], wanted: Access | dict[str, str | None]) -> tuple[list[tuple[str, Any, Any]], Any]:
    changes, request = access.plan(FOLDER, wanted if isinstance(wanted, Access) else Access(wanted), there)
    return [(change.what.removeprefix(FOLDER).strip(), change.old, change.new) for change in changes], request


@pytest.mark.parametrize(
    "entries",
    [
        [entry(MODIFY)],
        [entry(MODIFY, inherited=True)],
        [entry(FULL, inherited=True)],
        [entry(READ_AND_EXECUTE), entry(WRITE), entry(0x10000)],
        [entry(READ_AND_EXECUTE, inherited=True), entry(MODIFY)],
        [entry(MODIFY, inheritance=0), entry(MODIFY, propagation=2)],
        [entry(0x10000000, inherited=True)],
        [entry(MODIFY), entry(WRITE, allow=False, inherited=True)],
        [entry(MODIFY), entry(0x40000, allow=False)],
    ],
    ids=[
        "own",
        "inherited",
        "more inherited",
        "in several entries",
        "partly inherited",
        "here and below apart",
        "generic",
        "own before an inherited denial",
        "another right denied",
    ],
)
def test_enough_is_left_alone(entries: list[dict[str, Any]]) -> None:
    assert plan(fact(*entries), {POOL: "Modify"}) == ([], None)


def test_a_name_in_another_case_is_the_same_identity() -> None:
    there = fact(entry(MODIFY), entry(READ, sid=USERS, inherited=True))
    assert plan(there, Access({POOL.upper(): "Modify", "USERS": "Read"}, owner="administrators")) == ([], None)


@pytest.mark.parametrize(
    ("entries", "old", "remove", "rights"),
    [
        ([], None, [], MODIFY),
        ([entry(READ_AND_EXECUTE)], "ReadAndExecute", ["Allow"], MODIFY),
        ([entry(FULL)], "FullControl", ["Allow"], MODIFY),
        ([entry(FULL), entry(MODIFY, inherited=True)], "FullControl; Modify (inherited)", ["Allow"], 0),
        ([entry(MODIFY, inheritance=0)], "Modify (this folder only)", ["Allow"], MODIFY),
        ([entry(MODIFY, inheritance=1)], "Modify (this folder, subfolders only)", ["Allow"], MODIFY),
        ([entry(MODIFY), entry(WRITE, allow=False)], "Modify; deny Write", ["Allow", "Deny"], MODIFY),
        (
            [entry(MODIFY, inherited=True), entry(WRITE, allow=False, inherited=True)],
            "Modify (inherited); deny Write (inherited)",
            [],
            MODIFY,
        ),
    ],
)
def test_what_is_not_is_shown_and_brought_there(
    entries: list[dict[str, Any]], old: str | None, remove: list[str], rights: int
) -> None:
    changes, request = plan(fact(*entries), {POOL: "Modify"})
    after = "Modify" if rights else "Modify (inherited)"
    assert changes == [(POOL, old, after)]
    assert request["entries"] == [{"identity": POOL, "remove": remove, "rights": rights & 0xF01FF}]
    assert request["protect"] is None and request["owner"] == ""


def test_an_app_pools_sid_follows_from_its_name() -> None:
    known = "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415"
    assert (
        access.app_pool_sid(r"IIS AppPool\DefaultAppPool")
        == access.app_pool_sid(r"iis apppool\defaultapppool")
        == known
    )
    assert access.app_pool_sid(r"BUILTIN\Users") == ""
    # Its grants outlive the pool.
    assert plan(fact(entry(MODIFY), known=False), {POOL: "Modify"}) == ([], None)


def test_a_folder_that_an_earlier_operation_makes_is_not_announced() -> None:
    changes, request = plan(fact(exists=False), Access({POOL: "RX"}, made_before=True))
    assert changes == [(POOL, None, "ReadAndExecute")] and request["path"] == FOLDER


def test_an_identity_that_comes_with_its_pool_is_granted() -> None:
    changes, request = plan(fact(known=False), {POOL: "RX"})
    assert changes == [(POOL, None, "ReadAndExecute")]
    assert request["entries"][0]["rights"] == READ_AND_EXECUTE & 0xF01FF


def test_a_folder_that_is_not_there_gets_everything() -> None:
    changes, request = plan(fact(exists=False), Access({POOL: "M"}, inherit=False, owner="Administrators"))
    assert changes == [
        ("", None, "folder"),
        ("inheritance", "on", "off"),
        ("owner", None, "Administrators"),
        (POOL, None, "Modify"),
    ]
    assert request["protect"] is True


def test_grants_are_taken_away_and_inherited_ones_cannot_be() -> None:
    changes, request = plan(fact(entry(MODIFY), entry(READ, USERS)), {POOL: None})
    assert changes == [(POOL, "Modify", None)]
    assert request["entries"] == [{"identity": POOL, "remove": ["Allow"], "rights": 0}]
    assert plan(fact(entry(READ, USERS)), {POOL: None}) == ([], None)
    with pytest.raises(AccessError, match="by inheritance"):
        plan(fact(entry(MODIFY, inherited=True)), {POOL: None})


def test_inheritance() -> None:
    there = [entry(READ, USERS, inherited=True), entry(FULL, ADMINISTRATORS, inherited=True)]
    kept, request = plan(fact(*there), Access({"Administrators": "F"}, inherit=False))
    assert kept == [("inheritance", "on", "off, inherited entries stay as its own")]
    assert request["protect"] is True and request["keep"] is True and request["entries"] == []
    dropped, request = plan(fact(*there), Access({"Administrators": "F"}, inherit=False, keep=False))
    assert dropped == [
        ("inheritance", "on", "off"),
        (r"BUILTIN\Users", "Read (inherited)", None),
        ("Administrators", None, "FullControl"),
    ]
    assert request["keep"] is False
    assert plan(fact(protected=True), Access(inherit=True))[0] == [("inheritance", "off", "on")]
    assert plan(fact(protected=True), Access(inherit=False)) == ([], None)
    with pytest.raises(AccessError, match="nobody would have access"):
        plan(fact(*there), Access(inherit=False, keep=False))


def test_only_those_named() -> None:
    changes, request = plan(
        fact(entry(MODIFY), entry(READ, USERS), entry(FULL, ADMINISTRATORS, inherited=True)),
        Access({POOL: "M"}, only=True),
    )
    assert changes == [(r"BUILTIN\Users", "Read", None)]
    assert request["entries"] == [{"identity": USERS, "remove": ["Allow", "Deny"], "rights": 0}]


def test_owners_are_compared_as_identities() -> None:
    assert plan(fact(), Access(owner="Administrators")) == ([], None)
    changes, request = plan(fact(), Access(owner=POOL))
    assert changes == [("owner", r"BUILTIN\Administrators", POOL)]
    assert request["owner"] == POOL


@pytest.mark.parametrize(
    ("rights", "text"),
    [
        ("Modify", "Modify"),
        ("rx, w", "ReadAndExecute, Write"),
        ("ReadAndExecute, Write, Delete", "Modify"),
        ("ListDirectory", "ReadData"),
        ("F", "FullControl"),
    ],
)
def test_names_of_rights(rights: str, text: str) -> None:
    assert access.names(access.bits(rights)) == text


def test_a_right_that_does_not_exist() -> None:
    with pytest.raises(AccessError, match="'Rwx' is no right"):
        access.bits("Read, Rwx")


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("ports", [80, 443], ["443", "80"]),
        ("ports", ["5000-5002"], ["5000", "5001-5002"]),
        ("remote_addresses", ["10.0.0.0/8", "localsubnet"], ["LocalSubnet", "10.0.0.0/255.0.0.0"]),
        ("remote_addresses", ["10.0.0.5"], ["10.0.0.5/255.255.255.255"]),
        ("remote_addresses", ["10.0.0.1 - 10.0.0.9"], ["10.0.0.1-10.0.0.9"]),
        ("profiles", ["Public", "Domain", "Private"], "Any"),
        ("profiles", ["domain", "private"], "Private, Domain"),
        ("program", r"c:\a\B.exe", r"C:\A\b.exe"),
    ],
)
def test_firewall_properties_that_mean_the_same(name: str, wanted: Any, found: Any) -> None:
    assert windows._same(name, wanted, found)


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("ports", [80], ["80", "81"]),
        ("ports", [80], ["Any"]),
        ("remote_addresses", ["10.0.0.0/8"], ["10.0.0.0/255.255.0.0"]),
        ("profiles", ["Domain"], "Any"),
        ("title", "Shop", "shop"),
        ("enabled", True, False),
    ],
)
def test_firewall_properties_that_differ(name: str, wanted: Any, found: Any) -> None:
    assert not windows._same(name, wanted, found)


@pytest.mark.parametrize(
    "path",
    [
        "C:\\",
        "D:",
        "c:/Windows",
        r"C:\Windows\System32\drivers",
        r"C:\shop\..\WINDOWS",
        r"c:\program files",
        r"C:\inetpub\\",
        r"shop\data",
        r"\\server\share",
        "",
    ],
)
def test_folders_of_windows_are_never_removed(path: str) -> None:
    assert windows.is_protected(path)
    assert not windows.is_protected(r"C:\inetpub\shop") and not windows.is_protected(r"D:\Windows.old\x")


def commands(monkeypatch: pytest.MonkeyPatch, operation: Any, answer: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """What an operation yields for a server that tells `answer`."""
    monkeypatch.setattr(windows.facts, "read", lambda *_, **__: answer)
    with ctx_host.use(SimpleNamespace(name="web1", print_prefix="")):
        return list(operation._inner(*args, **kwargs))


def test_a_feature_that_windows_does_not_know_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = {"kind": "Server", "features": {"Web-Nope": False}, "states": {"Web-Nope": ""}}
    (command,) = commands(monkeypatch, windows.features, answer, ["Web-Nope"], [])
    assert isinstance(command, FunctionCommand)
    assert "web1 knows no Windows feature Web-Nope" in command.args[0]
    assert commands(monkeypatch, windows.features, answer, ["Web-Nope"], [], present=False) == []


@pytest.mark.parametrize(
    ("kind", "value", "found", "same"),
    [
        ("DWord", 1, 1, True),
        ("DWord", 4294967295, -1, True),
        ("DWord", -1, -1, True),
        ("QWord", 2**63, -(2**63), True),
        ("DWord", 1, 0, False),
        ("MultiString", ["a"], ["a"], True),
        ("MultiString", "a", ["a", "b"], False),
        ("Binary", b"\x0a", "0a", True),
        ("String", "", "", True),
        ("ExpandString", "%X%", "%x%", False),
    ],
)
def test_registry_values(monkeypatch: pytest.MonkeyPatch, kind: str, value: Any, found: Any, same: bool) -> None:
    answer = {"exists": True, "type": kind, "value": found}
    assert (commands(monkeypatch, windows.registry_value, answer, r"HKLM\X", "x", value, kind) == []) is same


@pytest.mark.parametrize(("kind", "value"), [("DWord", "1"), ("DWord", 2**32), ("String", 1), ("QWord", -(2**64))])
def test_a_registry_value_of_another_type_is_refused(monkeypatch: pytest.MonkeyPatch, kind: str, value: Any) -> None:
    (command,) = commands(monkeypatch, windows.registry_value, {"exists": False}, r"HKLM\X", "x", value, kind)
    assert f"no value of the type {kind}" in command.args[0]


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        ((r"HKLM\X", "Api Token", "hunter2!"), {}),
        ((r"HKLM\X", "Plain", "hunter2!"), {"secret": True}),
        ((r"HKLM\X", "Plain"), {"value": HiddenValue("hunter2!")}),
        ((r"HKLM\X",), {"value_name": "Password", "value": "hunter2!"}),
    ],
)
def test_secret_arguments_are_not_printed(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[Any, ...], more: dict[str, Any]
) -> None:
    seen: list[Any] = []

    @windows._discreet("value_name")
    def operation(key: str, value_name: str, value: Any = "", secret: bool = False) -> None:
        seen.extend([key, value_name, value, secret])

    operation(*arguments, **more)
    assert "hunter2!" not in str(seen) and seen[2].unmask() == "hunter2!"
    (command,) = commands(
        monkeypatch, windows.registry_value, {"exists": False}, *seen[:2], value=seen[2], secret=seen[3]
    )
    assert "hunter2!" not in command.get_masked_value() and "hunter2!" not in command.text
