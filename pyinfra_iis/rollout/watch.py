"""What happens in a run of pyinfra, kept in a rollout's record, and what people see of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import gevent
from pyinfra import logger
from pyinfra.api import Host, State
from pyinfra.api.output import format_text
from pyinfra.api.state import BaseStateCallback

from pyinfra_iis.operations.changes import recorded
from pyinfra_iis.rollout import report
from pyinfra_iis.rollout.fleet import Fleet
from pyinfra_iis.rollout.plan import describe
from pyinfra_iis.rollout.record import HostRecord, Step
from pyinfra_iis.rollout.table import Table


class Watch(BaseStateCallback):
    """pyinfra tells it what happens; it completes the record of a fleet, shows it and writes it down.

    Args:
        fleet: the fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.record = fleet.record
        self.record.changed = self._show
        self.table = Table(self.record)
        self._operations: dict[tuple[str, str], Step] = {}
        self._plan_told = False
        self._result_told = False
        self._written = False

    # -- what pyinfra tells ---------------------------------------------------------------------------------------------

    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        """pyinfra calls this only where it waits for all hosts after each operation."""
        self.fleet.mode = "together"

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        if not self.fleet.mode:
            self.fleet.mode = "no-wait" if gevent.getcurrent() in state.pool else "serial"
        self.table.start()
        if host.name in self.fleet.members and op_hash not in self.fleet.own_operations and op_hash in state.ops[host]:
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
        if op_hash in self.fleet.last_operations:
            self.tell_result()

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
        self._complete()
        self.table.stop()
        logger.info(f"--> Rollout of {format_text(self.record.app, bold=True)}: {self.record.verdict()}")
        for line in self.record.summary():
            logger.info(line)

    def _complete(self) -> None:
        """What the operations themselves did not see: who dropped out when, and what of it was nothing to do."""
        self.record.ended = time.time()
        for (name, op_hash), step in self._operations.items():
            meta = self.fleet.run.ops[self.fleet.members[name].host][op_hash].operation_meta
            if step.result == "done" and meta.is_complete() and not meta.did_change():
                step.result = "unchanged"
            if step.result == "failed" and meta.is_complete() and meta.stderr_lines:
                self.record.host(name).detail = [self.fleet.mask(line) for line in meta.stderr_lines[-20:]]
        for name in self.fleet.planned:
            entry = self.record.host(name)
            if entry.outcome == "turn":
                self.record.settle(name, "unknown", None, "the run ended in the middle of its turn")
            if entry.outcome == "waiting":
                self._complete_waiting(entry)

    def _complete_waiting(self, entry: HostRecord) -> None:
        if self.fleet.is_active(entry.name) and self.record.stopped:
            self.record.settle(entry.name, "untouched", entry.old)
        elif self.fleet.is_active(entry.name):
            self.record.settle(entry.name, "untouched", entry.old, "the run ended before its turn")
        elif entry.name not in self.fleet.members:
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
        changes = recorded(self.fleet.run)
        happened = any(entry.outcome != "unchanged" for entry in self.record.hosts.values()) or changes
        if not self.fleet.rollout.record or not happened:
            return
        made = datetime.fromtimestamp(self.record.started, UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = (
            Path(self.fleet.run.cwd or ".") / Path(self.fleet.rollout.record).expanduser() / f"{made}-{self.record.app}"
        )
        try:
            first, _ = report.write(folder, self.record.document(changes))
        except Exception as error:  # whatever it is, it must not keep pyinfra from disconnecting
            logger.error(f"The record of the rollout cannot be written to {folder}: {error}.")
            return
        if not self._written:
            logger.info(f"Record of the rollout: {first.with_suffix('.html')}")
        self._written = True
