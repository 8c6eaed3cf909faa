"""What happens in a run of pyinfra, kept in a rollout's record, and what people see of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api import Host, State
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.output import format_text
from pyinfra.api.state import BaseStateCallback

from pyinfra_iis.operations import refusal
from pyinfra_iis.operations.changes import recorded
from pyinfra_iis.rollout import report
from pyinfra_iis.rollout.fleet import Fleet
from pyinfra_iis.rollout.interrupt import Interrupts
from pyinfra_iis.rollout.plan import describe
from pyinfra_iis.rollout.record import GOOD, HostRecord, Step
from pyinfra_iis.rollout.table import Table

OF_RELEASE = ("Fetch and check installers", "Prepare the release", "Remove old releases")
"""Operations of the deploy whose changes mean nothing to a host that runs the release before."""


class Watch(BaseStateCallback):
    """pyinfra tells it what happens; it completes the record of a fleet, shows it and writes it down.

    Args:
        fleet: the fleet.
        interrupts: who is asked about Ctrl-C in this run.
    """

    def __init__(self, fleet: Fleet, interrupts: Interrupts) -> None:
        self.fleet = fleet
        self.interrupts = interrupts
        interrupts.fleets.append(fleet)
        self.record = fleet.record
        self.record.changed = self._show
        self.table = Table(self.record)
        self._operations: dict[tuple[str, str], Step] = {}
        self._guarded: set[tuple[str, str]] = set()
        self._ended: set[str] = set()
        self._plan_told = False
        self._result_told = False
        self._record_told = False

    # -- what pyinfra tells ---------------------------------------------------------------------------------------------

    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        """pyinfra calls this only where it waits for all hosts after each operation."""
        self.fleet.mode = "together"

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        if not self.fleet.mode:
            self.fleet.mode = "no-wait" if gevent.getcurrent() in state.pool else "serial"
        self.table.start()
        self.interrupts.heed()
        self._guard(state, host, op_hash)
        if host.name in self.fleet.members and op_hash not in self.fleet.own_operations and op_hash in state.ops[host]:
            name = ", ".join(sorted(state.get_op_meta(op_hash).names))
            self._operations[host.name, op_hash] = self.record.begin(host.name, name.rpartition(" | ")[2])

    def _guard(self, state: State, host: Host, op_hash: str) -> None:
        """A fact that a host does not tell ends pyinfra's whole run; in a fleet it fails that host."""
        if (
            host.name not in self.fleet.members
            or op_hash not in state.ops[host]
            or (host.name, op_hash) in self._guarded
        ):
            return
        self._guarded.add((host.name, op_hash))
        operation = state.get_op_data_for_host(host, op_hash)
        operation.command_generator = _guarded(operation.command_generator)

    def operation_host_success(self, state: State, host: Host, op_hash: str, retry_count: int = 0) -> None:  # type: ignore[override]
        self._end_step(host, op_hash, "done")

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        self._end_step(host, op_hash, "failed")

    def _end_step(self, host: Host, op_hash: str, result: str) -> None:
        step = self._operations.get((host.name, op_hash))
        if step is not None and op_hash in self.fleet.own_operations:
            self._forget_step(host.name, op_hash)
        elif step is not None:
            self.record.end(host.name, step, result)
        if op_hash in self.fleet.last_operations:
            self._ended.add(host.name)
            # When nobody is left pyinfra ends the run without a word of what came of it.
            if all(name in self._ended or not self.fleet.is_active(name) for name in self.fleet.planned):
                self.tell_result()

    def _forget_step(self, name: str, op_hash: str) -> None:
        """Which operations record their steps themselves is known once the first host has begun with them."""
        self.record.host(name).steps.remove(self._operations.pop((name, op_hash)))

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        if op_hash in self.fleet.last_operations:
            self.tell_result()
            if self.fleet.is_interrupted:
                raise PyinfraError(f"The rollout of {self.record.app} was interrupted.")

    def host_disconnect(self, state: State, host: Host) -> None:  # type: ignore[override]
        """However a run ends, pyinfra disconnects from its hosts."""
        if not state.is_executing:
            self.tell_plan()
            return
        self.tell_result()
        self.write()

    # -- what is told ---------------------------------------------------------------------------------------------------

    def tell_plan(self) -> None:
        """Print the plan, once."""
        if self._plan_told:
            return
        self._plan_told = True
        asked = ", ".join(f"{name} {value}" for name, value in self.record.settings.items())
        logger.info(f"--> Rollout of {format_text(self.record.app, bold=True)}: {asked}")
        for line in describe(self.record.waves):
            logger.info(line)

    def _show(self, entry: HostRecord, step: Step | None) -> None:
        if self.table.is_live:
            self.table.update()
        elif step is not None and step.turn:
            member = self.fleet.members[entry.name]
            took = f" ({step.ended - step.started:.1f} s)" if step.ended else ""
            result = {"running": "", "done": ": done", "failed": ": failed"}.get(step.result, f": {step.result}")
            member.host.log(f"wave {self.fleet.number_of(entry.name)}, {step.name}{result}{took}")

    def tell_result(self) -> None:
        """Complete the record and print which host runs what and why, once."""
        if self._result_told:
            return
        self._result_told = True
        self.interrupts.forget(self.fleet)
        self._complete()
        self.table.stop()
        logger.info(f"--> Rollout of {format_text(self.record.app, bold=True)}: {self.record.verdict()}")
        for line in self.record.summary():
            logger.info(line)
        for item in self.record.not_undone:
            hosts = ", ".join(item["hosts"])
            logger.warning(f"Not undone on {hosts}: {item['what']}")

    def _complete(self) -> None:
        """What the operations themselves did not see: who dropped out when, and what of it was nothing to do."""
        self.record.ended = time.time()
        for name, op_hash in list(self._operations):
            if op_hash in self.fleet.own_operations:
                self._forget_step(name, op_hash)
        for (name, op_hash), step in self._operations.items():
            meta = self.fleet.run.ops[self.fleet.members[name].host][op_hash].operation_meta
            if step.result == "done" and meta.is_complete() and not meta.did_change():
                step.result = "unchanged"
            if step.result == "failed" and meta.is_complete() and meta.stderr_lines:
                self.record.host(name).detail = [self.fleet.mask(line) for line in meta.stderr_lines[-20:]]
        if not self.record.stopped and any(
            self.record.host(name).outcome in ("waiting", "turn") and self.fleet.is_active(name)
            for name in self.fleet.planned
        ):
            self.record.stopped = "the run ended before every host had had its turn"
        waiting_to_be_put_back = {member.host.name for member in self.fleet.to_put_back()}
        for name in self.fleet.planned:
            entry = self.record.host(name)
            if entry.outcome == "turn":
                self.record.settle(name, "unknown", None, f"the run ended in the middle of its turn ({entry.current})")
            elif name in waiting_to_be_put_back:
                self.record.settle(name, "kept", entry.new, "it was to be put back, but the run ended first")
            if entry.outcome == "waiting":
                self._complete_waiting(entry)
        self.record.not_undone = not_undone(self.record.app, self.record.hosts, recorded(self.fleet.run))

    def _complete_waiting(self, entry: HostRecord) -> None:
        if self.fleet.is_active(entry.name):
            self.record.settle(entry.name, "untouched", entry.runs)
        elif entry.name not in self.fleet.members:
            self.record.settle(entry.name, "dropped", None, "its deploy could not be prepared")
        else:
            failed = next((step.name for step in entry.steps if step.result == "failed"), "")
            last = next((line for line in reversed(entry.detail) if line.strip()), "")
            reason = f"'{failed}' failed" + (f": {last}" if last else "") if failed else "it cannot take the deploy"
            self.record.settle(entry.name, "dropped", entry.runs, reason)

    def write(self) -> None:
        """Write rollout.json and rollout.html, where that is wanted and something has happened."""
        changes = [self._as_it_ended(change) for change in recorded(self.fleet.run)]
        happened = any(entry.outcome != "unchanged" for entry in self.record.hosts.values()) or changes
        if not self.fleet.rollout.record or not happened:
            return
        made = datetime.fromtimestamp(self.record.started, UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = self.fleet.records / f"{made}-{self.record.app}"
        try:
            first, _ = report.write(folder, self.record.document(changes))
        except Exception as error:  # whatever it is, it must not keep pyinfra from disconnecting
            self._tell_record(logger.error, f"The record of the rollout cannot be written to {folder}: {error}.")
            return
        self._tell_record(logger.info, f"Record of the rollout: {first.with_suffix('.html')}")

    def _as_it_ended(self, change: dict[str, Any]) -> dict[str, Any]:
        """A change with what became of it afterwards: a site's release may have been put back."""
        entry = self.record.hosts.get(change["host"])
        is_switch = change["what"] == f"site {self.record.app} release" and change["outcome"] != "announced"
        if is_switch and entry is not None and entry.runs == entry.old != entry.new:
            return {**change, "outcome": "put back"}
        return change

    def _tell_record(self, log: Callable[[str], None], sentence: str) -> None:
        """It is written anew for each host that pyinfra disconnects from."""
        if not self._record_told:
            log(sentence)
        self._record_told = True


def _guarded(commands: Callable[[], Iterator[PyinfraCommand]]) -> Callable[[], Iterator[PyinfraCommand]]:
    def guarded() -> Iterator[PyinfraCommand]:
        try:
            yield from commands()
        except PyinfraError as error:
            yield refusal(str(error))

    return guarded


def not_undone(app: str, hosts: Mapping[str, HostRecord], changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What stays changed on hosts that do not run the release that they should get: all that is no part of a release.

    Args:
        app: the application's name.
        hosts: what became of each.
        changes: as `operations.changes.recorded` tells.

    Returns:
        For each change `what`, and `hosts`, their names without the connector's.
    """
    found: dict[str, list[str]] = {}
    all_good = all(entry.outcome in GOOD for entry in hosts.values())
    for change in changes:
        entry = hosts.get(change["host"])
        if entry is None or change["outcome"] == "announced":
            continue
        # The database is everybody's, whichever host has migrated it.
        if entry.outcome in GOOD and (all_good or not change["what"].startswith(f"{app} database")):
            continue
        if change["operation"].endswith(OF_RELEASE) or change["what"] == f"site {app} release":
            continue
        known = found.setdefault(change["what"], [])
        if entry.short not in known:
            known.append(entry.short)
    return [{"what": what, "hosts": names} for what, names in found.items()]
