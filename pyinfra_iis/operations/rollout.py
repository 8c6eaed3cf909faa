"""Operations that let a release go live over a fleet in waves.

pyinfra runs each operation on all hosts at once and goes on when all are done. So the gate between two waves is the end of an operation: going live is
added once per wave on every host, and a host outside the wave yields nothing. What the hosts must know of each other is in one `Fleet`. A host that
fails in its turn fails in pyinfra's eyes at the end of the rollout, so that nothing keeps those that were switched from being put back.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal
from weakref import WeakKeyDictionary

import gevent
import pyinfra
from gevent.lock import BoundedSemaphore
from pyinfra import host, logger, state
from pyinfra.api import DeployError, FunctionCommand, Host, State, operation
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.exceptions import FactError
from pyinfra.api.output import format_text
from pyinfra.api.state import BaseStateCallback
from pyinfra.api.util import log_host_command_error, print_host_combined_output
from pyinfra.context import ctx_host

from pyinfra_iis.connector.secret import scrub
from pyinfra_iis.facts.release import Releases
from pyinfra_iis.operations import refusal
from pyinfra_iis.operations import release as releases
from pyinfra_iis.operations.changes import recorded, sounds_secret
from pyinfra_iis.operations.iis import HealthCheck, Site, healthy
from pyinfra_iis.powershell import Script
from pyinfra_iis.release.origin import deployer
from pyinfra_iis.release.origin import describe as describe_origin
from pyinfra_iis.release.release import Release
from pyinfra_iis.rollout import hooks, report
from pyinfra_iis.rollout.plan import PlanError, allowed_failures, describe, plan
from pyinfra_iis.rollout.record import BAD, HostRecord, Outcome, Record, Step
from pyinfra_iis.rollout.table import Table
from pyinfra_iis.settings import Rollout, WebSettings

_DRAIN_ENDS_AFTER = 60
"""Seconds for which a drain goes on by itself beyond what a switch may take."""

_NO_WAIT = "with --no-wait no host waits for another, so nothing can be gated; run it without"

_URL_PASSWORD = re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+@")

_fleets: WeakKeyDictionary[State, dict[str, Fleet]] = WeakKeyDictionary()


@dataclass
class Member:
    """A host of a fleet.

    Attributes:
        host: pyinfra's.
        release: what it shall run.
        site: the site, with the release's folder as path.
        check: how the site is asked.
        switched: whether it runs the new release since its turn.
    """

    host: Host
    release: Release
    site: Site
    check: HealthCheck
    switched: bool = False

    @property
    def settings(self) -> WebSettings:
        return self.release.settings


class Fleet(BaseStateCallback):
    """The hosts that one application goes live on in this run, and how far that is."""

    def __init__(self, run: State, settings: WebSettings, rollout: Rollout, hosts: Iterable[Host]) -> None:
        self.run = run
        self.app = settings.app
        self.rollout = rollout
        self.waves = plan([host.name for host in hosts], rollout.canary, rollout.waves)
        self.members: dict[str, Member] = {}
        self.planned = [name for wave in self.waves for name in wave.hosts]
        self.allowed = allowed_failures(rollout.budget, len(self.planned))
        self.at_once = BoundedSemaphore(max((len(wave.hosts) for wave in self.waves), default=1))
        self.record = Record(
            self.app, by=deployer(), settings=_words(rollout, self.allowed), waves=self.waves, mask=self._mask
        )
        self.record.changed = self._show
        self.table = Table(self.record)
        self.mode: Literal["", "together", "serial", "no-wait"] = ""
        self.wave_ended: dict[int, float] = {}
        self.own_operations: set[str] = set()
        self.last_operations: set[str] = set()
        self._numbers = {name: wave.number for wave in self.waves for name in wave.hosts}
        self._stand_ins: tuple[str, ...] = ()
        self._elected: Host | None = None
        self._unmigrated = False
        self._operations: dict[tuple[str, str], Step] = {}
        self._plan_told = False
        self._result_told = False
        for name in self.planned:
            self.record.host(name).wave = self._numbers[name]

    # -- who goes live when ---------------------------------------------------------------------------------------------

    def join(self, member: Member) -> None:
        """A host's deploy is being prepared."""
        name = member.host.name
        self.members[name] = member
        if name not in self._numbers:
            self._numbers[name] = len(self.waves) or 1
        entry = self.record.host(name)
        entry.wave, entry.new = self._numbers[name], member.release.id
        if all(name in self.members or not self._is_active(name) for name in self.planned):
            self.tell_plan()

    @property
    def is_stopped(self) -> bool:
        """Whether no further host is touched."""
        return self._unmigrated or bool(self.record.stopped)

    def tell_plan(self) -> None:
        """Print the plan, once."""
        if self._plan_told:
            return
        self._plan_told = True
        asked = ", ".join(f"{name} {value}" for name, value in self.record.settings.items())
        logger.info(f"--> Rollout of {format_text(self.app, bold=True)}: {asked}")
        for line in describe(self.waves):
            logger.info(line)

    def number_of(self, name: str) -> int:
        """The wave of a host; it may come earlier than planned when all canaries have dropped out."""
        return 1 if name in self._stand_ins else self._numbers[name]

    def has_turn(self, member: Member, number: int) -> bool:
        """Whether a host goes live now, in this wave."""
        if self._unmigrated:
            on = f" on {_short(self._elected.name)}" if self._elected else ""
            self.stop(f"the database was not migrated{on}")
        self._replace_canaries()
        name = member.host.name
        if self.record.stopped or self.number_of(name) != number or self.record.host(name).outcome != "waiting":
            return False
        waiting = [
            other
            for other in self.members
            if self.number_of(other) < number
            and self._is_active(other)
            and self.record.host(other).outcome in ("waiting", "turn")
        ]
        if waiting:
            self.stop(f"it is {_short(name)}'s turn, but {_short(waiting[0])} of an earlier wave has not had its own")
        return not waiting

    def _replace_canaries(self) -> None:
        """When all canaries have dropped out before their turn, the next hosts take their place; named ones cannot be replaced."""
        if not self.waves or not self.waves[0].canary or self._stand_ins:
            return
        if any(self._is_active(name) or self.record.host(name).outcome != "waiting" for name in self.waves[0].hosts):
            return
        if not isinstance(self.rollout.canary, int):
            self.stop("no canary is left: all have dropped out before their turn")
            return
        alive = [name for name in self.planned if self._is_active(name) and name in self.members]
        self._stand_ins = tuple(alive[: self.rollout.canary])
        for name in self._stand_ins:
            self.record.host(name).wave = 1

    def _is_active(self, name: str) -> bool:
        return any(host.name == name for host in self.run.active_hosts)

    def is_canary(self, name: str) -> bool:
        """Whether a host is one that the others wait for whatever the budget says."""
        return bool(self.waves) and self.waves[0].canary and self.number_of(name) == 1

    def elect(self, member: Host) -> bool:
        """Whether a host does what is done once for the fleet: the first one that is still there."""
        if self._elected is None:
            there = [name for name in self.planned if name in self.members and self._is_active(name)]
            self._elected = self.members[there[0]].host if there else member
        return self._elected is member

    @contextmanager
    def migration(self) -> Iterator[None]:
        """Unless this is left by its end, the database is not migrated and no host goes live."""
        self._unmigrated = True
        yield
        self._unmigrated = False

    # -- what becomes of them -------------------------------------------------------------------------------------------

    def settle(
        self, member: Member, outcome: Outcome, runs: str | None, reason: str = "", detail: Iterable[str] = ()
    ) -> None:
        """What has become of a host; stops the rollout when the budget is spent."""
        name = member.host.name
        self.record.settle(name, outcome, runs, reason, list(detail))
        self.wave_ended[self.number_of(name)] = time.time()
        if outcome not in BAD or self.record.stopped:
            return
        failed = [entry for entry in self.record.hosts.values() if entry.outcome in BAD and entry.outcome != "dropped"]
        if self.is_canary(name):
            self.stop(f"the canary {_short(name)} failed")
        elif len(failed) > self.allowed:
            hosts = "host" if len(failed) == 1 else "hosts"
            self.stop(
                f"{len(failed)} {hosts} failed in {'its' if len(failed) == 1 else 'their'} turn, {self.allowed} may"
            )
        else:
            self._heed_fail_percent(len(failed))

    def _heed_fail_percent(self, failed: int) -> None:
        """`--fail-percent` counts the hosts that pyinfra will see as failed at the end. Where pyinfra asks the user instead, the budget decides."""
        limit = self.run.config.FAIL_PERCENT
        if limit is None or self.run.should_raise_failed_hosts is not None:
            return
        total = len(self.run.activated_hosts)
        gone = total - len(self.run.active_hosts)
        if (gone + failed) * 100 / total > limit:
            self.stop(f"over {limit}% of hosts failed")

    def stop(self, reason: str) -> None:
        """No further host is touched."""
        if not self.record.stopped:
            self.record.stopped = reason
            logger.error(f"--> {format_text(f'Rollout of {self.app} stopped: {reason}.', 'red')}")

    def to_put_back(self) -> list[Member]:
        """Hosts that run the new release and shall not."""
        if not self.record.stopped or self.rollout.on_failure == "keep":
            return []
        return [
            member for member in self.members.values() if member.switched and self.record.host(member.host.name).old
        ]

    def event(
        self, member: Member, when: Literal["before", "after"], to: str, at: str, outcome: str = ""
    ) -> hooks.Event:
        """What a hook is told."""
        name = member.host.name
        return hooks.Event(when, _short(name), to, at, self.app, self.number_of(name), outcome, member.host)

    # -- what pyinfra tells ---------------------------------------------------------------------------------------------

    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        """pyinfra calls this only where it waits for all hosts after each operation."""
        self.mode = "together"

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        if not self.mode:
            self.mode = "no-wait" if gevent.getcurrent() in state.pool else "serial"
        self.table.start()
        if host.name in self.members and op_hash not in self.own_operations and op_hash in state.ops[host]:
            name = ", ".join(sorted(state.get_op_meta(op_hash).names))
            self._operations[host.name, op_hash] = self.record.begin(host.name, name.rpartition(" | ")[2])

    def operation_host_success(self, state: State, host: Host, op_hash: str, retry_count: int = 0) -> None:  # type: ignore[override]
        self._end_step(host, op_hash, "done")

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        self._end_step(host, op_hash, "failed")

    def _end_step(self, host: Host, op_hash: str, result: str) -> None:
        step = self._operations.get((host.name, op_hash))
        if step is not None:
            self.record.end(host.name, step, result)

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        if op_hash in self.last_operations:
            self.tell_result()

    def host_disconnect(self, state: State, host: Host) -> None:  # type: ignore[override]
        """However a run ends, pyinfra disconnects from its hosts."""
        if not state.is_executing:
            self.tell_plan()
            return
        self.tell_result()
        self.write()

    # -- what is told ---------------------------------------------------------------------------------------------------

    def _show(self, entry: HostRecord, step: Step | None) -> None:
        if self.table.is_live:
            self.table.update()
        elif step is not None and step.turn:
            member = self.members[entry.name]
            took = f" ({step.ended - step.started:.1f} s)" if step.ended else ""
            result = {"running": "", "done": ": done", "failed": ": failed"}.get(step.result, f": {step.result}")
            member.host.log(f"wave {self.number_of(entry.name)}, {step.name}{result}{took}")

    def tell_result(self) -> None:
        """Complete the record and print which host runs what and why, once."""
        if self._result_told:
            return
        self._result_told = True
        self._complete()
        self.table.stop()
        logger.info(f"--> Rollout of {format_text(self.app, bold=True)}: {self.record.verdict()}")
        for line in self.record.summary():
            logger.info(line)

    def _complete(self) -> None:
        """What the operations themselves did not see: who dropped out when, and what of it was nothing to do."""
        self.record.ended = time.time()
        for (name, op_hash), step in self._operations.items():
            meta = self.run.ops[self.members[name].host][op_hash].operation_meta
            if step.result == "done" and meta.is_complete() and not meta.did_change():
                step.result = "unchanged"
            if step.result == "failed" and meta.is_complete() and meta.stderr_lines:
                self.record.host(name).detail = [self._mask(line) for line in meta.stderr_lines[-20:]]
        for name in self.planned:
            entry = self.record.host(name)
            if entry.outcome == "turn":
                self.record.settle(name, "unknown", None, "the run ended in the middle of its turn")
            if entry.outcome == "waiting":
                self._complete_waiting(entry)

    def _complete_waiting(self, entry: HostRecord) -> None:
        if self._is_active(entry.name) and self.record.stopped:
            self.record.settle(entry.name, "untouched", entry.old)
        elif self._is_active(entry.name):
            self.record.settle(entry.name, "untouched", entry.old, "the run ended before its turn")
        elif entry.name not in self.members:
            self.record.settle(
                entry.name, "dropped", None, "it could not be reached, or its deploy could not be prepared"
            )
        else:
            failed = next((step.name for step in entry.steps if step.result == "failed"), "")
            last = next((line for line in reversed(entry.detail) if line.strip()), "")
            reason = f"'{failed}' failed" + (f": {last}" if last else "") if failed else "it cannot take the deploy"
            self.record.settle(entry.name, "dropped", entry.old, reason)

    def write(self) -> None:
        """Write rollout.json and rollout.html, where that is wanted and something has happened."""
        changes = recorded(self.run)
        happened = any(entry.outcome != "unchanged" for entry in self.record.hosts.values()) or changes
        if not self.rollout.record or not happened:
            return
        made = datetime.fromtimestamp(self.record.started, UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = Path(self.run.cwd or ".") / Path(self.rollout.record).expanduser() / f"{made}-{self.app}"
        try:
            first, _ = report.write(folder, self.record.document(changes))
        except Exception as error:  # whatever it is, it must not keep pyinfra from disconnecting
            logger.error(f"The record of the rollout cannot be written to {folder}: {error}.")
            return
        if not self._written:
            logger.info(f"Record of the rollout: {first.with_suffix('.html')}")
        self._written = True

    _written = False

    def _mask(self, text: str) -> str:
        """A text of a server or a hook without the secrets that this run knows."""
        known: set[str] = set()
        for member in self.members.values():
            known.update(member.settings.secret_values)
            known.update(value for name, value in member.settings.environment.items() if sounds_secret(name))
            known.update(getattr(getattr(member.host.connector, "settings", None), "secrets", ()))
        return _URL_PASSWORD.sub(r"\1***@", scrub(text, [secret for secret in known if len(secret) >= 4]))

    # -- log lines ------------------------------------------------------------------------------------------------------

    def hush(self, host: Host) -> None:
        """pyinfra says of each host that has no turn in a wave that nothing changes there; for a fleet that is hosts times waves."""
        _Hush.expect(f"{host.print_prefix}{format_text('No changes', 'cyan')}")


class _Hush(logging.Filter):
    """Drops log lines that are expected, each once."""

    expected: ClassVar[dict[str, int]] = {}

    @classmethod
    def expect(cls, line: str) -> None:
        if not any(isinstance(item, cls) for item in logger.filters):
            logger.addFilter(cls())
        cls.expected[line] = cls.expected.get(line, 0) + 1

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and self.expected.get(record.msg):
            self.expected[record.msg] -= 1
            return False
        return True


class _InOrder(set[Host]):
    """A set of hosts that is gone through in the order of the plan; pyinfra's own sets have none, and `--serial` follows it."""

    order: dict[str, int]

    def __iter__(self) -> Iterator[Host]:
        return iter(sorted(super().__iter__(), key=lambda host: self.order.get(host.name, len(self.order))))


def join(rollout: Rollout, wanted: Release, site: Site, check: HealthCheck) -> Fleet:
    """The fleet of the host in context; it is one of its members from now on.

    Args:
        rollout: how to go live; all hosts of a fleet have the same.
        wanted: what the host shall run.
        site: the site, with the release's folder as path.
        check: how the site is asked.

    Raises:
        DeployError: a fleet that cannot be divided so.
    """
    run = host.state
    settings = wanted.settings
    # pyinfra tells operations nothing of it, and a host that fails under it makes no exit code.
    if pyinfra.is_cli and "--no-wait" in sys.argv:
        raise DeployError(f"{settings.prefix}rollout: {_NO_WAIT}")
    fleets = _fleets.setdefault(run, {})
    if settings.root not in fleets:
        # All hosts come here at once: nothing may wait for anything until the fleet is known.
        try:
            fleets[settings.root] = Fleet(run, settings, rollout, _alike(run, settings))
        except PlanError as error:
            raise DeployError(f"{settings.prefix}rollout: {error}") from None
        run.add_callback_handler(fleets[settings.root])
        _put_in_order(run)
        fleets[settings.root].record.commit = describe_origin(wanted.project)["commit"]
    fleet = fleets[settings.root]
    if fleet.rollout != rollout:
        raise DeployError(
            f"{host.name}: {settings.prefix}rollout is not the same as on the other hosts of {fleet.app}."
        )
    fleet.join(Member(host.inventory.get_host(host.name), wanted, site, check))
    return fleet


def _alike(run: State, settings: WebSettings) -> list[Host]:
    """The connected hosts that, as their data say, get the same application; in the order of the inventory."""
    keys = [f"{settings.prefix}{name}" for name in ("project", "app", "root")]
    mine = [host.data.get(key) for key in keys]
    return [
        other
        for other in run.inventory
        if other in run.activated_hosts and [other.data.get(key) for key in keys] == mine
    ]


def _put_in_order(run: State) -> None:
    ordered = _InOrder(run.active_hosts)
    names = [name for fleet in _fleets[run].values() for name in fleet.planned]
    ordered.order = {name: index for index, name in enumerate(names)}
    run.active_hosts = ordered


def _words(rollout: Rollout, allowed: int) -> dict[str, str]:
    canary = rollout.canary if isinstance(rollout.canary, int) else ", ".join(rollout.canary)
    asked = {
        "canary": str(canary or "none"),
        "waves": ", ".join(str(size) for size in rollout.waves) or "one",
        "pause": f"{rollout.pause:g} s" if rollout.pause else "",
        "budget": f"{rollout.budget} ({allowed} may fail)" if isinstance(rollout.budget, str) else str(rollout.budget),
        "on failure": {"back": "put back", "keep": "keep"}[rollout.on_failure],
        "drain": f"{rollout.drain:g} s" if rollout.drain else "",
        "before": _hook_name(rollout.before),
        "after": _hook_name(rollout.after),
    }
    return {name: value for name, value in asked.items() if value}


def _hook_name(hook: Any) -> str:
    """A hook without its arguments: they may hold a password."""
    if hook is None:
        return ""
    if callable(hook):
        return getattr(hook, "__name__", "a function")
    return hook.split()[0] if isinstance(hook, str) else hook[0]


def _short(name: str) -> str:
    return name.rpartition("/")[2]


# -- operations ---------------------------------------------------------------------------------------------------------


@operation()
def begun(fleet: Fleet) -> Generator[PyinfraCommand, None, None]:
    """Refuse a run that cannot be gated, and hosts that come when the rollout has stopped; the first operation of a rollout.

    Args:
        fleet: the fleet.
    """
    _own(fleet)
    if not state.is_executing:
        return
    if fleet.mode == "no-wait":
        fleet.stop(_NO_WAIT)
    member = fleet.members[host.name]
    entry = fleet.record.host(host.name)
    try:
        entry.old = entry.runs = _live(member)
    except FactError:
        entry.runs = None
    if fleet.record.stopped:
        fleet.settle(member, "untouched", entry.runs)
        yield refusal(f"{host.name} was not touched: {fleet.record.stopped}.")


@operation()
def migrated(fleet: Fleet, release: Release) -> Generator[PyinfraCommand, None, None]:
    """Bring the database to what a prepared release needs: on the first host of the fleet that is still there, for all.

    Args:
        fleet: the fleet; when this fails no host of it goes live.
        release: the release.
    """
    if not state.is_executing:
        if fleet.planned[:1] == [host.name]:
            yield from releases.migrated._inner(release)
        return
    member = fleet.members[host.name]
    if fleet.elect(member.host):
        with fleet.migration():
            yield from releases.migrated._inner(release)


@operation()
def tried(fleet: Fleet, release: Release) -> Generator[PyinfraCommand, None, None]:
    """Start the release on a spare port of every host, all at once, where its preparation has not done so; a turn is then only the switch.

    Args:
        fleet: the fleet.
        release: the release, prepared.
    """
    member = fleet.members[host.name]
    there = releases._look(member.settings, release.id)
    if release.id == there["live"] or release.id in there["bad"] or fleet.is_stopped:
        return
    if state.is_executing:
        if release.id not in there["tried"]:
            yield releases._helper(member.settings, releases._trial(release), as_site=True)
            there["tried"].append(release.id)
    elif release.id in there["releases"] or releases.is_migrated_first(member.settings):
        yield releases._helper(member.settings, releases._trial(release), as_site=True)


@operation()
def went_live(fleet: Fleet, number: int) -> Generator[PyinfraCommand, None, None]:
    """Make the release live on the hosts of one wave, unless the rollout has stopped.

    Args:
        fleet: the fleet.
        number: of the wave.
    """
    _own(fleet)
    member = fleet.members[host.name]
    commands = releases.live._inner(member.release, member.site, member.check)
    if not state.is_executing:
        if fleet.number_of(host.name) == number:
            fleet.record.host(host.name).old = _live(member)
            yield from commands
        return
    if not fleet.has_turn(member, number):
        fleet.hush(member.host)
        return
    entry = fleet.record.host(host.name)
    entry.old = entry.runs = _live(member)
    try:
        first = next(commands, None)
    except FactError as error:
        fleet.settle(member, "unknown", None, str(error))
        yield refusal(str(error))
        return
    if first is None:
        fleet.settle(member, "unchanged", entry.old)
        return
    yield FunctionCommand(_take_turn, [fleet, member, chain([first], commands)], {})


@operation()
def stayed_healthy(fleet: Fleet, number: int) -> Generator[PyinfraCommand, None, None]:
    """Wait between two waves, then ask the hosts that are live once more.

    Args:
        fleet: the fleet; its setting `pause` says how long.
        number: of the wave that has ended.
    """
    _own(fleet)
    member = fleet.members[host.name]
    if not state.is_executing:
        return
    if fleet.record.stopped or not member.switched:
        fleet.hush(member.host)
        return
    yield FunctionCommand(_look_again, [fleet, member, number], {})


@operation()
def ended(fleet: Fleet) -> Generator[PyinfraCommand, None, None]:
    """The end of a rollout: when it was stopped, hosts are put back where that is wanted; hosts that failed in their turn drop out here.

    Args:
        fleet: the fleet.
    """
    _own(fleet)
    if not state.is_executing:
        return
    fleet.last_operations.add(str(host.current_op_hash))
    member = fleet.members[host.name]
    entry = fleet.record.host(host.name)
    if entry.outcome == "waiting":
        there = _live(member)
        if there == entry.new:
            fleet.settle(member, "unchanged", there)
        else:
            entry.old = there
            fleet.settle(member, "untouched", there)
    back = fleet.to_put_back()
    if fleet.record.stopped and member.switched and not back and entry.outcome == "live":
        fleet.settle(member, "kept", entry.new)
    # With --serial the hosts before this one have had their last operation.
    mine = back if fleet.mode == "serial" else [other for other in back if other is member]
    if mine or entry.outcome in BAD:
        yield FunctionCommand(_end, [fleet, member, mine], {})
    else:
        fleet.hush(member.host)


def _own(fleet: Fleet) -> None:
    """The steps of this operation are recorded one by one."""
    if host.current_op_hash:
        fleet.own_operations.add(host.current_op_hash)


def _live(member: Member) -> str:
    return str(releases._look(member.settings, member.release.id)["live"])


# -- one host's turn ----------------------------------------------------------------------------------------------------


class _Failed(Exception):
    """A step of a turn failed; the text is the cause."""

    def __init__(self, sentence: str, lines: Iterable[str] = ()) -> None:
        super().__init__(sentence)
        self.lines = list(lines)


def _take_turn(state: State, host: Host, fleet: Fleet, member: Member, commands: Iterator[PyinfraCommand]) -> bool:
    entry = fleet.record.host(host.name)
    entry.outcome = "turn"
    first = next(commands)
    commands = chain([first], commands)
    if isinstance(first, FunctionCommand):  # the release is refused here
        ok, lines = _execute(state, host, first)
        fleet.settle(member, "refused", entry.old, lines[-1] if lines else "", ())
        return ok
    try:
        with _away(fleet, member, entry.new, entry.old):
            _switch(state, fleet, member, commands)
    except _Failed as failure:
        _settle_failure(state, fleet, member, failure)
        return False
    fleet.settle(member, *(("live", entry.new) if member.switched else ("untouched", entry.old)))
    return True


def _switch(state: State, fleet: Fleet, member: Member, commands: Iterable[PyinfraCommand]) -> None:
    entry = fleet.record.host(member.host.name)
    if fleet.record.stopped:  # while it was drained
        return
    name = f"switch {entry.old or 'nothing'} -> {entry.new}" if entry.old != entry.new else "repair"
    with _step(fleet, member, name):
        for command in commands:
            ok, lines = _execute(state, member.host, command)
            if not ok:
                raise _Failed(_cause(lines, "the switch failed"), lines)
    member.switched = True
    entry.runs = entry.new


@contextmanager
def _away(fleet: Fleet, member: Member, to: str, at: str) -> Iterator[None]:
    """Hooks and drain around a switch; only around one."""
    if to == at:
        yield
        return
    _hook(fleet, member, "before", to, at)
    failure: _Failed | None = None
    try:
        with _drained(fleet, member):
            yield
    except _Failed as error:
        failure = error
    if failure is not None:
        # The balancer may have it back only when it serves what it served before; whether it does is looked up.
        runs = _what_runs(fleet.run, member)
        fleet.record.host(member.host.name).runs = runs
        if runs == at and at:
            try:
                _hook(fleet, member, "after", to, at, "failed")
            except _Failed as second:
                raise _Failed(f"{failure} Then {second}", [*failure.lines, *second.lines]) from None
        raise failure
    served = fleet.record.host(member.host.name).runs
    _hook(fleet, member, "after", to, at, "live" if served == to else "failed")


def _hook(fleet: Fleet, member: Member, when: Literal["before", "after"], to: str, at: str, outcome: str = "") -> None:
    hook = fleet.rollout.before if when == "before" else fleet.rollout.after
    if hook is None:
        return
    with _step(fleet, member, f"hook {when}"):
        try:
            lines = hooks.run(hook, fleet.event(member, when, to, at, outcome), fleet.rollout.hook_timeout)
        except hooks.HookError as error:
            _print(member.host, error.lines)
            raise _Failed(f"{error}.", error.lines) from None
        if fleet.run.print_output:
            _print(member.host, lines)


def _print(host: Host, lines: Iterable[str]) -> None:
    for line in lines:
        host.log(line)


@contextmanager
def _drained(fleet: Fleet, member: Member) -> Iterator[None]:
    seconds = fleet.rollout.drain
    if not seconds:
        yield
        return
    limit = seconds + 2 * member.check.timeout + _DRAIN_ENDS_AFTER
    try:
        with _step(fleet, member, "drain"):
            _must(fleet.run, member.host, _drain(member, limit), "the drain did not begin")
            gevent.sleep(seconds)
        yield
    finally:
        # Also when it was not seen to begin. A server that does not answer ends it by itself.
        _execute(fleet.run, member.host, _drain(member, 0))


def _drain(member: Member, seconds: float) -> Script:
    return Script("rollout/drain", {"root": member.settings.root, "seconds": seconds})


@contextmanager
def _step(fleet: Fleet, member: Member, name: str) -> Iterator[None]:
    step = fleet.record.begin(member.host.name, name, turn=True)
    result = "failed"
    try:
        yield
        result = "done"
    finally:
        fleet.record.end(member.host.name, step, result)


def _settle_failure(state: State, fleet: Fleet, member: Member, failure: _Failed) -> None:
    """After a turn that failed: what runs there now, and whether it may stay."""
    entry = fleet.record.host(member.host.name)
    if member.switched:
        note = f"it runs {entry.new} and was healthy, but {failure}"
        fleet.settle(member, "failed", entry.new, note, failure.lines[-20:])
        return
    runs = entry.runs
    if runs and runs == entry.new != entry.old and entry.old and fleet.rollout.on_failure == "back":
        runs = _try_back(state, fleet, member)
    member.switched = runs == entry.new != entry.old
    fleet.settle(member, "failed" if runs is not None else "unknown", runs, str(failure), failure.lines[-20:])


def _try_back(state: State, fleet: Fleet, member: Member) -> str | None:
    try:
        _switch_back(state, fleet, member)
    except _Failed:
        return _what_runs(state, member)
    return fleet.record.host(member.host.name).old


def _switch_back(state: State, fleet: Fleet, member: Member) -> None:
    entry = fleet.record.host(member.host.name)
    with _step(fleet, member, f"put back {entry.new} -> {entry.old}"):
        command = releases.switch(member.settings, entry.old, member.site, member.check)
        _must(state, member.host, command, "it was not put back")
    member.switched = False
    entry.runs = entry.old
    releases._note_live(member.settings, entry.old)


def _look_again(state: State, host: Host, fleet: Fleet, member: Member, number: int) -> bool:
    entry = fleet.record.host(host.name)
    left = max(fleet.wave_ended.values()) + fleet.rollout.pause - time.time()
    if left > 0:
        with _step(fleet, member, "pause"):
            gevent.sleep(left)
    try:
        commands = list(healthy._inner(member.check))
    except FactError as error:
        fleet.settle(member, "unknown", None, f"it did not answer after the pause: {error}")
        return False
    for command in commands:
        with _step(fleet, member, "look again"):
            ok, lines = _execute(state, host, command)
        if not ok:
            cause = _cause(lines, "its site is not healthy any more")
            fleet.settle(member, "failed", entry.new, f"after the pause: {cause}", lines[-20:])
            return False
    return True


def _end(state: State, host: Host, fleet: Fleet, member: Member, back: list[Member]) -> bool:
    for other in back:
        with ctx_host.use(other.host):
            _put_back(state, fleet, other)
    entry = fleet.record.host(host.name)
    if entry.outcome in BAD:
        logger.error(f"{host.print_prefix}{format_text(entry.reason, 'red')}")
    return entry.outcome not in BAD


def _put_back(state: State, fleet: Fleet, member: Member) -> None:
    entry = fleet.record.host(member.host.name)
    failed_before = entry.outcome in BAD
    with fleet.at_once:
        try:
            with _away(fleet, member, entry.old, entry.new):
                _switch_back(state, fleet, member)
        except _Failed as failure:
            runs = _what_runs(state, member)
            member.switched = runs == entry.new
            outcome: Outcome = "unknown" if runs is None else "failed"
            fleet.settle(member, outcome, runs, f"it was to be put back, but {failure}", failure.lines[-20:])
            return
    if failed_before:
        fleet.settle(member, entry.outcome, entry.old, f"{entry.reason} It was put back")
    else:
        fleet.settle(member, "back", entry.old, fleet.record.stopped)


def _what_runs(state: State, member: Member) -> str | None:
    """The release that is live on a host, None when it does not tell."""
    command = Script(Releases.script, releases.state_request(member.settings), safe_to_repeat=True)
    try:
        ok, output = member.host.run_shell_command(command, **_arguments(member.host))
        return str(json.loads("".join(output.stdout_lines))["live"]) if ok else None
    except (OSError, ValueError, KeyError):
        return None


def _must(state: State, host: Host, command: PyinfraCommand, otherwise: str) -> None:
    ok, lines = _execute(state, host, command)
    if not ok:
        raise _Failed(_cause(lines, otherwise), lines)


def _cause(lines: Iterable[str], otherwise: str) -> str:
    """The last line that a failed command printed says why."""
    return next((line.strip() for line in reversed(list(lines)) if line.strip()), f"{otherwise}.")


def _execute(state: State, host: Host, command: PyinfraCommand) -> tuple[bool, list[str]]:
    """Run a command as pyinfra does; whether it succeeded, and what it printed on stderr."""
    arguments = _arguments(host)
    try:
        if isinstance(command, StringCommand):
            ok, output = command.execute(state, host, arguments)
            if not ok and not state.print_output:
                print_host_combined_output(host, output)
            return ok, list(output.stderr_lines)
        told = [str(item) for item in getattr(command, "args", ())]
        return command.execute(state, host, arguments) is not False, told
    except (TimeoutError, OSError) as error:
        log_host_command_error(host, error, timeout=arguments.get("_timeout"))
        return False, [str(error)]


def _arguments(host: Host) -> Any:
    given: Mapping[str, Any] = host.current_op_global_arguments or {}
    return {key: value for key, value in given.items() if key in CONNECTOR_ARGUMENT_KEYS}


__all__ = ["Fleet", "Member", "begun", "ended", "join", "migrated", "stayed_healthy", "tried", "went_live"]
