"""Rollouts as pyinfra runs them, over servers that only answer as servers would."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from pyinfra.api import DeployError, State

from pyinfra_iis.deploys import web
from pyinfra_iis.rollout import interrupt
from pyinfra_iis.rollout.hooks import Event
from pyinfra_iis.rollout.watch import OF_RELEASE, not_undone
from tests.pyinfra_iis.rollout.servers import LATER, OLD, PREPARE, Run, Server

SWITCH = "release/go_live"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Run:
    return Run(tmp_path, monkeypatch, caplog)


def turns(run: Run) -> list[str]:
    """The servers that were switched or tried to be."""
    return [name for name, server in run.servers.items() if SWITCH in server.ran]


def failing(*names: str, at: str = SWITCH) -> Callable[[dict[str, Server]], None]:
    """Some servers fail in a script."""

    def prepare(servers: dict[str, Server]) -> None:
        for name in names:
            servers[name].fails[at] = ["first line", "it answers 500"]

    return prepare


def dying(name: str, at: str) -> Callable[[dict[str, Server]], None]:
    """A server goes away during a script."""
    return lambda servers: setattr(servers[name], "dies_at", at)


def ok(run: Run, name: str) -> bool:
    return next(host["succeeded"] for host in run.document()["hosts"] if host["name"].endswith(name))


def test_all_goes_well(run: Run) -> None:
    fleet = run(4, canary=1, waves=[2])
    assert run.error == "" and run.failed == []
    assert run.outcomes(fleet) == ["live"] * 4
    assert {server.live for server in run.servers.values()} == {fleet.record.host("@winrm/web1").new}
    assert run.document()["verdict"] == "Complete (4 hosts live)."


# -- what pyinfra counts as failed --------------------------------------------------------------------------------------


def test_every_host_without_the_release_fails_for_pyinfra_and_nothing_is_done_there_afterwards(run: Run) -> None:
    fleet = run(5, prepare=failing("web3"), waves=[2, 1, 2])
    assert run.outcomes(fleet) == ["back", "back", "failed", "untouched", "untouched"]
    assert run.failed == ["web1", "web2", "web3", "web4", "web5"]
    assert run.error == "No hosts remaining!"
    assert not [name for name, server in run.servers.items() if LATER in server.ran]
    assert {server.live for server in run.servers.values()} == {OLD}
    document = run.document()
    assert [host["succeeded"] for host in document["hosts"]] == [False] * 5
    assert document["stopped"] == "1 host failed in its turn, 0 may"
    # The result is told before pyinfra ends the run.
    assert any("was switched, and put back" in line for line in run.lines)


def test_hosts_that_keep_the_release_go_on(run: Run) -> None:
    fleet = run(4, prepare=failing("web3"), waves=[2, 1], on_failure="keep")
    assert run.outcomes(fleet) == ["kept", "kept", "failed", "untouched"]
    assert run.failed == ["web3", "web4"]
    assert [name for name, server in run.servers.items() if LATER in server.ran] == ["web1", "web2"]


def test_a_failure_within_the_budget_fails_that_host_only(run: Run) -> None:
    fleet = run(4, prepare=failing("web2"), waves=[1], budget=1)
    assert run.outcomes(fleet) == ["live", "failed", "live", "live"]
    assert run.failed == ["web2"]
    assert "within the budget" in run.document()["verdict"]


# -- pyinfra's options --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "stops"), [(19, True), (20, False)])
def test_fail_percent_stops_when_it_is_exceeded(run: Run, percent: int, stops: bool) -> None:
    fleet = run(5, prepare=failing("web2"), waves=[2, 1], budget=5, fail_percent=percent)
    assert (fleet.record.stopped == f"over {percent}% of hosts failed") is stops
    rest = ["untouched"] * 3 if stops else ["live"] * 3
    assert run.outcomes(fleet) == ["back" if stops else "live", "failed", *rest]
    # pyinfra ends the run once hosts have been put back.
    assert ("hosts failed" in run.error or "No hosts" in run.error) is stops
    assert (run.servers["web1"].live == OLD) is stops


def test_fail_percent_counts_hosts_that_dropped_out_before_their_turn(run: Run) -> None:
    def prepare(servers: dict[str, Server]) -> None:
        failing("web5", at=PREPARE)(servers)
        failing("web1")(servers)

    fleet = run(5, prepare=prepare, waves=[1], budget=5, fail_percent=20)
    assert fleet.record.stopped == "over 20% of hosts failed"
    assert run.outcomes(fleet) == ["failed", "untouched", "untouched", "untouched", "dropped"]


def test_fail_percent_exceeded_while_preparing_ends_the_run_with_nothing_switched(run: Run) -> None:
    fleet = run(4, prepare=failing("web1", "web2", at=PREPARE), canary=1, fail_percent=25)
    assert run.error == "Over 25% of hosts failed (50%)"
    assert turns(run) == []
    assert run.outcomes(fleet) == ["dropped", "dropped", "untouched", "untouched"]
    document = run.document()
    assert document["verdict"].startswith("Stopped: the run ended before every host had had its turn (")
    assert [host["runs"] for host in document["hosts"]] == [OLD] * 4


def test_fail_percent_does_not_count_what_could_not_be_reached(run: Run) -> None:
    def before(servers: dict[str, Server]) -> None:
        servers["web4"].is_there = False

    fleet = run(4, at_first=before, prepare=failing("web1"), waves=[1], budget=4, fail_percent=33)
    assert fleet.record.stopped == "over 33% of hosts failed"  # one of three, not of four
    assert len(fleet.planned) == 3


def test_a_host_that_could_not_be_reached_is_in_the_record_and_in_no_wave(run: Run) -> None:
    def before(servers: dict[str, Server]) -> None:
        servers["web1"].is_there = False

    fleet = run(5, at_first=before, canary=1, waves=["50%"], limit=["web1", "web2", "web3"])
    assert [wave.hosts for wave in fleet.waves] == [("@winrm/web2",), ("@winrm/web3",)]
    assert run.outcomes(fleet) == ["dropped", "live", "live"]
    assert run.failed == ["web1"]
    last = run.document()["hosts"][-1]
    assert (last["name"], last["wave"], last["runs"], last["succeeded"]) == ("@winrm/web1", 0, None, False)
    assert last["reason"] == "it could not be reached"


def test_where_pyinfra_asks_the_user_the_budget_decides_in_between(run: Run) -> None:
    """Without `-y` pyinfra asks at every failure; it does so by a percentage of 0 and a question."""
    asked: list[int] = []

    def ask(state: State) -> bool:
        asked.append(len(state.failed_hosts))
        return False

    def before_run(state: State) -> None:
        state.should_raise_failed_hosts = ask

    fleet = run(4, prepare=failing("web1"), waves=[1], budget=1, fail_percent=0, before_run=before_run)
    assert run.outcomes(fleet) == ["failed", "live", "live", "live"]
    assert asked == [1]


def test_serial_goes_host_by_host_in_the_order_of_the_plan(run: Run) -> None:
    order: list[str] = []

    def prepare(servers: dict[str, Server]) -> None:
        for server in servers.values():
            server.does[SWITCH] = lambda request, name=server.name: order.append(name)  # type: ignore[misc]
            server.does[PREPARE] = lambda request, name=server.name: order.append(f"prepare {name}")  # type: ignore[misc]

    fleet = run(3, serial=True, prepare=prepare, canary=["web2"], waves=[2])
    assert order == ["prepare web2", "web2", "prepare web1", "web1", "prepare web3", "web3"]
    assert run.outcomes(fleet) == ["live"] * 3 and run.failed == []


def test_with_serial_hosts_after_a_stop_are_not_touched_at_all(run: Run) -> None:
    fleet = run(4, serial=True, prepare=failing("web2"), waves=[1])
    assert run.outcomes(fleet) == ["back", "failed", "untouched", "untouched"]
    assert PREPARE not in run.servers["web3"].ran and PREPARE not in run.servers["web4"].ran
    assert run.failed == ["web1", "web2", "web3", "web4"]
    assert run.servers["web1"].live == OLD


def test_limit_makes_the_fleet(run: Run) -> None:
    fleet = run(8, limit=["web2", "web3", "web5", "web7"], waves=["50%"])
    assert [wave.hosts for wave in fleet.waves] == [("@winrm/web2", "@winrm/web3"), ("@winrm/web5", "@winrm/web7")]
    assert [name for name, server in run.servers.items() if server.ran] == ["web2", "web3", "web5", "web7"]


@pytest.mark.parametrize(("parallel", "most"), [(2, 2), (0, 6)])
def test_parallel_is_how_many_switch_at_the_same_time(run: Run, parallel: int, most: int) -> None:
    now = [0]
    seen: list[int] = []

    def switching(request: dict[str, Any]) -> None:
        now[0] += 1
        gevent.sleep(0.02)
        seen.append(now[0])
        now[0] -= 1

    def prepare(servers: dict[str, Server]) -> None:
        for server in servers.values():
            server.does[SWITCH] = switching

    fleet = run(6, parallel=parallel, prepare=prepare)
    assert run.outcomes(fleet) == ["live"] * 6
    assert max(seen) == most


def test_with_parallel_a_stop_spares_the_rest_of_the_wave(run: Run) -> None:
    fleet = run(6, parallel=2, prepare=failing("web1"))
    assert run.outcomes(fleet)[2:] == ["untouched"] * 4
    assert turns(run)[:1] == ["web1"] and len(turns(run)) <= 2


def test_dry_prints_the_plan_and_only_looks(run: Run) -> None:
    fleet = run(4, dry=True, canary=1, waves=["50%"])
    assert [line for line in run.lines if line.startswith("wave ")] == ["wave 1 (canary): web1", "wave 2: web2, web3", "wave 3: web4"]  # fmt: skip
    assert {script for server in run.servers.values() for script in server.ran} <= {
        "release/state",
        "release/wheels",
        "iis/health",
    }
    assert not (run.folder / "records").exists()
    # What each wave would change is announced on its hosts only.
    changing = {host.name[-4:]: run.state.meta[host].ops_change for host in run.state.inventory}
    assert changing == {"web1": 4, "web2": 4, "web3": 4, "web4": 4}
    assert run.outcomes(fleet) == ["waiting"] * 4


def test_without_waiting_nothing_is_switched(run: Run) -> None:
    fleet = run(3, no_wait=True, canary=1)
    assert turns(run) == [] and {server.live for server in run.servers.values()} == {OLD}
    assert "--no-wait" in fleet.record.stopped
    assert run.outcomes(fleet) == ["untouched"] * 3


def test_retry_repeats_what_comes_before_a_turn_and_no_turn(run: Run) -> None:
    def prepare(servers: dict[str, Server]) -> None:
        def second_time(request: dict[str, Any]) -> None:
            if servers["web2"].ran.count(PREPARE) > 1:
                servers["web2"].fails.clear()

        failing("web1")(servers)
        failing("web2", at=PREPARE)(servers)
        servers["web2"].does[PREPARE] = second_time

    fleet = run(3, prepare=prepare, retries=1, budget=1)
    assert run.servers["web1"].ran.count(SWITCH) == 1
    assert run.servers["web2"].ran.count(PREPARE) == 2
    assert run.outcomes(fleet) == ["failed", "live", "live"]
    assert run.failed == ["web1"]


# -- the database -------------------------------------------------------------------------------------------------------


def test_the_database_is_migrated_once_before_any_host_switches(run: Run) -> None:
    seen: list[str] = []

    def prepare(servers: dict[str, Server]) -> None:
        for server in servers.values():
            for script in ("migrate", SWITCH):
                server.does[script] = lambda request, script=script: seen.append(script)  # type: ignore[misc]

    fleet = run(5, migrates=True, prepare=prepare, canary=1, waves=[2])
    assert seen == ["migrate"] + [SWITCH] * 5
    assert [server.migrated for server in run.servers.values()] == [1, 0, 0, 0, 0]
    assert run.outcomes(fleet) == ["live"] * 5


def test_a_failing_migration_stops_the_run_with_nothing_switched(run: Run) -> None:
    fleet = run(5, migrates=True, prepare=failing("web1", at="migrate"), canary=1)
    assert turns(run) == []
    assert fleet.record.stopped == "the database was not migrated on web1"
    assert run.outcomes(fleet) == ["dropped"] + ["untouched"] * 4
    assert run.document()["hosts"][0]["reason"] == "'Migrate' failed: it answers 500"
    assert len(run.failed) == 5


def test_a_host_that_goes_away_in_its_migration_stops_the_run_too(run: Run) -> None:
    fleet = run(3, migrates=True, prepare=dying("web1", "migrate"))
    assert turns(run) == [] and fleet.record.stopped == "the database was not migrated on web1"
    assert sum(server.migrated for server in run.servers.values()) == 0


@pytest.mark.parametrize("serial", [False, True])
def test_when_the_first_host_drops_out_before_it_the_next_one_migrates(run: Run, serial: bool) -> None:
    fleet = run(4, migrates=True, prepare=failing("web1", at=PREPARE), waves=[2], serial=serial)
    assert [server.migrated for server in run.servers.values()] == [0, 1, 0, 0]
    assert run.outcomes(fleet) == ["dropped", "live", "live", "live"]


def test_a_migration_is_not_undone_and_the_record_says_so(run: Run) -> None:
    run(3, migrates=True, prepare=failing("web2"), waves=[1])
    assert {"what": "shop database", "hosts": ["web1"]} in run.document()["not_undone"]
    assert any("Not undone on web1: shop database" in line for line in run.lines)


# -- mishaps ------------------------------------------------------------------------------------------------------------


def test_a_host_that_goes_away_while_it_drains_is_unknown_and_stops_nobody_else(run: Run) -> None:
    fleet = run(3, prepare=dying("web2", SWITCH), waves=[1], budget=1, drain=0.01)
    assert run.outcomes(fleet) == ["live", "unknown", "live"]
    document = run.document()
    assert document["hosts"][1]["runs"] is None and "does not answer any more" in document["hosts"][1]["reason"]
    # Nobody could end its drain; it holds for a time, and that is over by itself.
    assert 60 < run.servers["web2"].draining < 600
    assert run.servers["web1"].draining == run.servers["web3"].draining == 0


def test_a_drain_that_does_not_begin_switches_nothing(run: Run) -> None:
    fleet = run(2, prepare=failing("web1", at="rollout/drain"), waves=[1], drain=0.01)
    assert run.outcomes(fleet) == ["failed", "untouched"] and turns(run) == []
    assert run.document()["hosts"][0]["runs"] == OLD


@pytest.mark.parametrize("at", ["release/state", "release/wheels"])
def test_a_host_that_tells_nothing_while_it_is_prepared_stops_nobody_else(run: Run, at: str) -> None:
    """A fact that cannot be read ends pyinfra's run; a fleet goes on without that host."""
    fleet = run(3, prepare=dying("web2", at), canary=1)
    assert run.error == ""
    assert run.outcomes(fleet) == ["live", "dropped", "live"]
    assert run.failed == ["web2"]


def test_hosts_that_were_put_back_keep_what_is_no_part_of_the_release(run: Run) -> None:
    live = "Python web application on IIS | Go live, wave 1"
    change = {"host": "@winrm/web1", "operation": live, "old": "*:80:", "new": "*:81:", "outcome": "done"}
    fleet = run(2, prepare=failing("web2"), waves=[1])
    changes = [
        {**change, "what": "site shop bindings"},
        {**change, "what": "site shop release"},
        {**change, "what": "main.py", "operation": "Python web application on IIS | Prepare the release"},
        {**change, "what": "app pool shop queueLength", "outcome": "announced"},
    ]
    assert not_undone("shop", fleet.record.hosts, changes) == [{"what": "site shop bindings", "hosts": ["web1"]}]


def test_the_operations_that_belong_to_a_release_are_called_so_by_the_deploy() -> None:
    text = Path(web.__file__).read_text(encoding="utf-8")
    assert [name for name in OF_RELEASE if f'"{name}"' not in text] == []


def test_a_record_that_cannot_be_written_is_refused_before_anything_is_done(run: Run) -> None:
    file = run.folder / "file"
    file.write_text("")
    with pytest.raises(DeployError, match=r"web_rollout\.record: .*file/records cannot be made: .*file is no folder"):
        run(2, record=str(file / "records"))
    assert not any(PREPARE in server.ran for server in run.servers.values())


def test_a_record_that_cannot_be_written_any_more_is_an_error_line_and_the_rollout_stands(run: Run) -> None:
    def prepare(servers: dict[str, Server]) -> None:
        servers["web2"].does[SWITCH] = lambda request: (run.folder / "records").write_text("in the way")

    fleet = run(2, prepare=prepare)
    assert run.outcomes(fleet) == ["live", "live"] and run.failed == []
    assert sum("The record of the rollout cannot be written to" in line for line in run.lines) == 1


def test_hosts_that_are_live_are_asked_anew_after_each_wave(run: Run) -> None:
    """The first host falls ill after it was looked at once."""

    def prepare(servers: dict[str, Server]) -> None:
        servers["web2"].does[SWITCH] = lambda request: servers["web1"].fails.update(
            {"iis/await_health": ["it answers 500"]}
        )

    fleet = run(4, prepare=prepare, waves=[1], pause=0.001)
    assert run.outcomes(fleet) == ["failed", "back", "untouched", "untouched"]
    first = run.document()["hosts"][0]
    assert first["reason"] == "after the pause: it answers 500. It was put back."
    assert run.servers["web1"].live == OLD


def test_what_was_put_back_is_no_change_that_was_done(run: Run) -> None:
    fleet = run(3, prepare=failing("web3"), waves=[2, 1])
    switches = [
        change
        for host in run.document()["hosts"]
        for change in host["changes"]
        if change["what"] == "site shop release"
    ]
    assert [(change["old"], change["outcome"]) for change in switches] == [(OLD, "put back")] * 3
    run(2, waves=[1])
    switches = [
        change
        for host in run.document()["hosts"]
        for change in host["changes"]
        if change["what"] == "site shop release"
    ]
    assert [(change["new"], change["outcome"]) for change in switches] == [
        (fleet.record.host("@winrm/web1").new, "done")
    ] * 2


def test_the_timeline_has_each_thing_once(run: Run) -> None:
    run(2, prepare=failing("web2"), waves=[1], before=lambda event: None, drain=0.001, pause=0.001)
    first = run.document()["hosts"][0]["steps"]
    names = [step["name"] for step in first]
    assert names[:3] == ["Prepare", "Try the release", "hook before"]
    assert [name.split(" r0")[0].split(" r2")[0] for name in names[3:5]] == ["drain", "switch"]
    assert not [step["name"] for step in first if step["result"] not in ("done", "unchanged")]
    assert not [name for name in names if name.startswith(("Go live", "Begin", "End", "Pause"))]


# -- Ctrl-C -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What pyinfra's own command would have made of Ctrl-C; it ends a run with exit code 0."""
    seen: list[str] = []

    def interrupted(number: int, frame: object) -> None:
        seen.append("pyinfra")
        raise SystemExit(0)

    before = signal.signal(signal.SIGINT, interrupted)
    terminated = signal.getsignal(signal.SIGTERM)
    yield seen
    assert signal.getsignal(signal.SIGINT) is interrupted, "it is not as it was before the rollout"
    assert signal.getsignal(signal.SIGTERM) is terminated, "it is not as it was before the rollout"
    signal.signal(signal.SIGINT, before)


class Command:
    """pyinfra as its own command, for those who ask; operations are to be made as without."""

    def __init__(self) -> None:
        self.is_cli = True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_a_turn_lets_it_end_and_touches_nobody_else(
    run: Run, pressed: list[str], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(interrupt, "pyinfra", Command())

    def prepare(servers: dict[str, Server]) -> None:
        servers["web2"].does[SWITCH] = lambda request: signal.raise_signal(number)

    fleet = run(4, prepare=prepare, waves=[1], on_failure="keep")
    assert pressed == []
    assert run.outcomes(fleet) == ["kept", "kept", "untouched", "untouched"]
    assert fleet.record.stopped == "the user has interrupted it"
    assert run.failed == ["web3", "web4"]
    assert "interrupted" in run.error
    assert not [name for name, server in run.servers.items() if LATER in server.ran]


def test_a_run_that_ends_while_hosts_are_put_back_says_what_is_not_known(
    run: Run, pressed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupt, "pyinfra", Command())

    def twice(request: dict[str, Any]) -> None:
        if request["release"] == OLD:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    def prepare(servers: dict[str, Server]) -> None:
        servers["web1"].does[SWITCH] = twice
        failing("web3")(servers)

    with pytest.raises(SystemExit) as end:
        run(4, prepare=prepare, waves=[2, 1], parallel=1)
    assert end.value.code == 1
    hosts = run.document()["hosts"]
    assert [host["outcome"] for host in hosts] == ["unknown", "kept", "failed", "untouched"]
    assert hosts[0]["runs"] is None and "in the middle of its turn (put back" in hosts[0]["reason"]
    assert hosts[1]["reason"] == "it was to be put back, but the run ended first"


def test_ctrl_c_before_the_first_turn_and_a_second_one_end_the_run(
    run: Run, pressed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupt, "pyinfra", Command())
    fleet = run(2)
    heeded = interrupt.Interrupts()
    heeded.fleets.append(fleet)
    heeded.heed()
    fleet.record.hosts.clear()
    with pytest.raises(SystemExit) as end:
        signal.raise_signal(signal.SIGINT)
    assert end.value.code == 1 and pressed == ["pyinfra"]
    heeded.forget(fleet)

    fleet = run(2)
    heeded = interrupt.Interrupts()
    heeded.fleets.append(fleet)
    heeded.heed()
    signal.raise_signal(signal.SIGINT)
    assert fleet.is_interrupted and pressed == ["pyinfra"]
    with pytest.raises(SystemExit) as end:
        signal.raise_signal(signal.SIGINT)
    assert end.value.code == 1 and pressed == ["pyinfra"] * 2
    heeded.forget(fleet)


# -- hooks --------------------------------------------------------------------------------------------------------------


def refusing(event: Event) -> None:
    if event.host == "web2":
        raise ConnectionError("the balancer does not answer")


def leaving(event: Event) -> None:
    if event.host == "web2":
        raise SystemExit(4)


def hanging(event: Event) -> None:
    if event.host == "web2":
        gevent.sleep(30)


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (refusing, "the hook refusing failed: ConnectionError: the balancer does not answer."),
        (leaving, "the hook leaving ended with 4."),
        (hanging, "the hook hanging did not end within 1 s."),
    ],
)
def test_a_function_that_fails_keeps_its_host_as_it_is_and_the_others_go_on(run: Run, hook: Any, reason: str) -> None:
    began = time.monotonic()
    fleet = run(3, before=hook, hook_timeout=1, budget=1)
    assert time.monotonic() - began < 10
    assert run.outcomes(fleet) == ["live", "failed", "live"]
    assert run.document()["hosts"][1]["reason"] == reason
    assert run.servers["web2"].live == OLD


def test_when_the_hook_after_fails_the_host_runs_the_release_and_has_failed(run: Run) -> None:
    fleet = run(3, after=refusing, waves=[1], on_failure="keep")
    assert run.outcomes(fleet) == ["kept", "failed", "untouched"]
    assert run.document()["hosts"][1]["runs"] == fleet.record.host("@winrm/web2").new


def test_a_hook_that_fails_while_a_host_is_put_back_is_told(run: Run) -> None:
    def after(event: Event) -> bool:
        return event.release != OLD

    fleet = run(2, prepare=failing("web2"), waves=[1], after=after)
    assert run.outcomes(fleet) == ["failed", "failed"]
    host = run.document()["hosts"][0]
    assert host["runs"] == OLD and "it was to be put back, but the hook after said no." in host["reason"]


def test_hooks_are_told_what_is_served_and_not_called_where_nobody_knows(run: Run) -> None:
    told: list[tuple[str, ...]] = []

    def hook(event: Event) -> None:
        told.append((event.host, event.when, event.release, event.previous, event.outcome))

    def prepare(servers: dict[str, Server]) -> None:
        failing("web2")(servers)
        dying("web3", SWITCH)(servers)

    fleet = run(3, before=hook, after=hook, prepare=prepare, waves=[1], budget=1)
    new = fleet.record.host("@winrm/web1").new
    assert run.outcomes(fleet) == ["back", "failed", "unknown"]
    assert [event[1:] for event in told if event[0] == "web1"] == [
        ("before", new, OLD, ""), ("after", new, OLD, "live"), ("before", OLD, new, ""), ("after", OLD, new, "live"),
    ]  # fmt: skip
    # The script has put the release before back itself.
    assert [event[1:] for event in told if event[0] == "web2"] == [
        ("before", new, OLD, ""),
        ("after", new, OLD, "failed"),
    ]
    assert [event[1] for event in told if event[0] == "web3"] == ["before"]


def test_no_more_hosts_are_put_back_at_once_than_the_largest_wave_has(run: Run) -> None:
    now, seen = [0], []

    def putting_back(request: dict[str, Any]) -> None:
        if request["release"] == OLD:
            now[0] += 1
            gevent.sleep(0.02)
            seen.append(now[0])
            now[0] -= 1

    def prepare(servers: dict[str, Server]) -> None:
        failing("web7")(servers)
        for server in servers.values():
            server.does[SWITCH] = putting_back

    fleet = run(8, prepare=prepare, waves=[2, 2, 1])
    assert run.outcomes(fleet) == ["back"] * 6 + ["failed", "untouched"]
    assert len(seen) == 6 and max(seen) == 2


def test_what_hooks_print_holds_no_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BALANCER_TOKEN", "tok-4711")
    hook = 'LB_PASSWORD=pw-0815 sh -c "echo $BALANCER_TOKEN $LB_PASSWORD https://ada:pw-2@lb/ hunter2!; exit 3" --api-key key-99'
    fleet = run(2, before=hook + "; echo pw-0815 key-99 tok-4711; exit 3")
    assert run.outcomes(fleet)[0] == "failed"
    text = (
        json.dumps(run.document()) + "\n".join(run.lines) + next((run.folder / "records").glob("*/*.html")).read_text()
    )
    assert [secret for secret in ("tok-4711", "pw-0815", "pw-2", "hunter2!", "key-99") if secret in text] == []
    assert "the hook 'sh' ended with exit code 3" in text
