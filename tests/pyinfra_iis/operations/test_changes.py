"""What operations change is shown once, recorded always, and never with a secret in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from pyinfra.api import Config, HiddenValue, Inventory, State, operation, output
from pyinfra.api.connect import connect_all
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_host, ctx_state

from pyinfra_iis.operations import changes, show_changes
from pyinfra_iis.operations.changes import Change, recorded, show, text_diff


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(output, "_echo", lambda message, err: lines.append(message.split("] ", 1)[1].strip()))
    return lines


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(Inventory((["@local"], {"changes_file": str(tmp_path / "changes.json")})), Config(DIFF=True))
    made.cwd = str(tmp_path)
    with ctx_state.use(made):
        made.set_stage(StateStage.Connect)
        connect_all(made)
        made.set_stage(StateStage.Prepare)
        yield made


def add(state: State, function: Callable[[], Generator], name: str | None = None) -> None:
    for host in state.inventory:
        with ctx_host.use(host):
            operation()(function)(name=name)


def run(state: State) -> None:
    state.set_stage(StateStage.Execute)
    run_ops(state)


def shows(*given: Change) -> Callable[[], Generator]:
    def shows_changes() -> Generator:
        show(given)
        if given:
            yield "true"

    return shows_changes


def test_a_change_is_shown_when_it_is_looked_for_and_not_again_when_it_is_made(
    state: State, printed: list[str]
) -> None:
    add(state, shows(Change("rule ports", ["80"], ["80", "443"]), Change("rule", None, "made"), Change("old", 1, None)))
    expected = ["~ rule ports: 80 -> 80, 443", "+ rule: made", "- old: 1"]
    assert printed == expected
    run(state)
    assert printed == expected
    assert [entry["outcome"] for entry in recorded(state)] == ["done"] * 3


def test_what_turns_out_differently_is_shown_when_it_is_made(state: State, printed: list[str]) -> None:
    values = iter(["a", "b"])

    def changes_its_mind() -> Generator:
        show([Change("value", None, next(values))])
        yield "true"

    add(state, changes_its_mind)
    run(state)
    assert printed == ["+ value: a", "+ value: b"]
    assert [(entry["new"], entry["outcome"]) for entry in recorded(state)] == [("b", "done")]


def test_nothing_is_shown_without_diff_but_it_is_recorded(state: State, printed: list[str]) -> None:
    state.config.DIFF = False
    add(state, shows(Change("a", 1, 2)), name="Set a")
    assert printed == []
    assert recorded(state) == [
        {"host": "@local", "operation": "Set a", "what": "a", "old": 1, "new": 2, "outcome": "announced"}
    ]


def test_what_failed_or_never_ran_is_not_recorded_as_done(state: State, printed: list[str]) -> None:
    def fails() -> Generator:
        show([Change("first", None, "x")])
        yield "false"

    add(state, fails)
    add(state, shows(Change("second", None, "x")))
    with pytest.raises(Exception, match="No hosts remaining"):
        run(state)
    assert [(entry["what"], entry["outcome"]) for entry in recorded(state)] == [
        ("first", "failed"),
        ("second", "announced"),
    ]


def test_nothing_at_all_where_nothing_changes(state: State, printed: list[str]) -> None:
    add(state, shows(Change("same", "x", "x"), text_diff("web.config", "a\n", "a\n")))
    show_changes([])
    assert printed == []
    assert recorded(state) == []


def test_the_tuples_of_old_are_changes_too(state: State, printed: list[str]) -> None:
    def tuples() -> Generator:
        show_changes([("a", "1", "2"), ("b", None, "***")])
        yield "true"

    add(state, tuples)
    assert printed == ["~ a: 1 -> 2", "+ b: ***"]


@pytest.mark.parametrize(
    "change",
    [
        Change("pool x environment PLAIN", "hunter2!", "hunter3!", secret=True),
        Change("pool x environment SECRET_KEY", "hunter2!", "hunter3!"),
        Change("pool x environment DB_PASSWORD", "hunter2!", "hunter3!"),
        Change("pool x processModel.password", "hunter2!", "hunter3!"),
        Change("pool x environment DATABASE_URL", "hunter2!", "hunter3!"),
        Change("pool x environment apiKey", "hunter2!", "hunter3!"),
        Change("pool x environment PLAIN", HiddenValue("hunter2!"), HiddenValue("hunter3!")),
        Change("pool x environment", {"TOKEN": "hunter2!"}, {"TOKEN": "hunter3!"}),
        Change("index", "https://me:hunter2!@mirror.example/", "https://me:hunter3!@mirror.example/"),
    ],
)
def test_a_secret_shows_as_changed_and_not_what_it_is(state: State, printed: list[str], change: Change) -> None:
    add(state, shows(change))
    run(state)
    said = json.dumps(printed) + json.dumps(recorded(state))
    assert "hunter" not in said
    assert printed[0].count("***") == 2


def test_names_that_only_sound_alike_are_shown(state: State, printed: list[str]) -> None:
    add(
        state,
        shows(
            Change("app pool token-service startMode", "OnDemand", "AlwaysRunning"),
            Change(r"accounts\password_reset.html", "10 bytes", "12 bytes"),
            Change("httpPlatform forwardWindowsAuthToken", True, False),
            Change("registry keyboard", "1", "2"),
        ),
    )
    assert printed == [
        "~ app pool token-service startMode: OnDemand -> AlwaysRunning",
        r"~ accounts\password_reset.html: 10 bytes -> 12 bytes",
        "~ httpPlatform forwardWindowsAuthToken: true -> false",
        "~ registry keyboard: 1 -> 2",
    ]


def test_what_is_known_as_secret_is_hidden_everywhere(state: State, printed: list[str]) -> None:
    changes.hide("correct horse")
    add(state, shows(Change("motto", None, "a correct horse here"), text_diff("f", None, "x = correct horse\n")))
    assert "correct horse" not in json.dumps(printed) + json.dumps(recorded(state))


def test_text_files_are_shown_as_unified_diffs_without_secrets(state: State, printed: list[str]) -> None:
    old = '<a>\n<add name="SECRET_KEY" value="one" />\n<x stdoutLogEnabled="true" />\nSECRET = \'one\'\n</a>\n'
    new = '<a>\n<add name="SECRET_KEY" value="two" />\n<x stdoutLogEnabled="false" />\nSECRET = \'two\'\n</a>\n'
    add(state, shows(text_diff("web.config", old, new)))
    assert printed == [
        "~ web.config: 92 bytes -> 93 bytes",
        "@@ -1,5 +1,5 @@",
        "<a>",
        '-<add name="SECRET_KEY" value="***" />',
        '-<x stdoutLogEnabled="true" />',
        "-SECRET = '***'",
        '+<add name="SECRET_KEY" value="***" />',
        '+<x stdoutLogEnabled="false" />',
        "+SECRET = '***'",
        "</a>",
    ]
    assert recorded(state)[0]["diff"][0] == "@@ -1,5 +1,5 @@"


def test_a_server_cannot_move_the_cursor(state: State, printed: list[str]) -> None:
    add(state, shows(Change("title", "a\x1b[2Jb", "c\nd")))
    assert printed == [r"~ title: a\x1b[2Jb -> c\nd"]


def test_the_record_is_written_where_host_data_says(state: State, tmp_path: Path) -> None:
    add(state, shows(Change("a", 1, 2)))
    changes.write_files(state)
    announced = json.loads((tmp_path / "changes.json").read_text())
    run(state)
    changes.write_files(state)
    done = json.loads((tmp_path / "changes.json").read_text())
    assert (announced["dry"], done["dry"]) == (True, False)
    assert [announced["changes"][0]["outcome"], done["changes"][0]["outcome"]] == ["announced", "done"]
    assert done["hosts"] == ["@local"] and done["failed"] == []


def test_a_run_without_changes_leaves_a_record_too(state: State, tmp_path: Path) -> None:
    changes.write_files(state)
    assert json.loads((tmp_path / "changes.json").read_text())["changes"] == []
