"""One host's turn: out of the balancer, switched, back in; and the same when it is put back.

What fails is kept in the fleet's record; nothing here ends the run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, Literal

import gevent
from pyinfra import logger
from pyinfra.api import FunctionCommand, Host, State
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.output import format_text
from pyinfra.api.util import log_host_command_error, print_host_combined_output
from pyinfra.context import ctx_host

from pyinfra_iis.facts.release import Releases
from pyinfra_iis.operations import release as releases
from pyinfra_iis.powershell import Script
from pyinfra_iis.rollout import hooks
from pyinfra_iis.rollout.fleet import Fleet, Member
from pyinfra_iis.rollout.quiet import hush_error
from pyinfra_iis.rollout.record import BAD, GOOD, Outcome

_DRAIN_ENDS_AFTER = 60
"""Seconds for which a drain goes on by itself beyond what a switch may take."""


class _Failed(Exception):
    """A step of a turn failed; the text is the cause."""

    def __init__(self, sentence: str, lines: Iterable[str] = ()) -> None:
        super().__init__(sentence)
        self.lines = list(lines)


def take_turn(state: State, host: Host, fleet: Fleet, member: Member, commands: Iterator[PyinfraCommand]) -> bool:
    """Switch a host to the release that it shall run; whether it serves that, well.

    Args:
        state: pyinfra's.
        host: pyinfra's host.
        fleet: the fleet.
        member: the host.
        commands: what `live` would do there, at least one.
    """
    entry = fleet.record.host(host.name)
    entry.outcome = "turn"
    first = next(commands)
    commands = chain([first], commands)
    if isinstance(first, FunctionCommand):  # the release is refused here
        ok, lines = _execute(state, host, first)
        fleet.settle(member, "refused", entry.old, lines[-1] if lines else "", ())
        return ok
    if fleet.record.stopped:  # while it was looked at
        fleet.settle(member, "untouched", entry.old)
        return True
    try:
        with _away(fleet, member, entry.new, entry.old):
            _switch(state, fleet, member, commands)
    except _Failed as failure:
        _settle_failure(state, fleet, member, failure)
        return False
    except Exception as error:  # a host that is not settled would keep the waves after it waiting
        logger.debug("%s: its turn ended unexpectedly", host.name, exc_info=True)
        entry.runs = what_runs(state, member)
        _settle_failure(state, fleet, member, _Failed(f"{type(error).__name__}: {error}"))
        return False
    fleet.settle(member, *(("live", entry.new) if member.switched else ("untouched", entry.old)))
    return True


def _switch(state: State, fleet: Fleet, member: Member, commands: Iterable[PyinfraCommand]) -> None:
    entry = fleet.record.host(member.host.name)
    if fleet.record.stopped:  # while it was drained
        return
    name = f"switch {entry.old or 'nothing'} -> {entry.new}" if entry.old != entry.new else "repair"
    with _step(fleet, member, name):
        try:
            for command in commands:
                _must(state, member.host, command, "the switch failed")
        except PyinfraError as error:
            raise _Failed(str(error)) from None
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
        runs = what_runs(fleet.run, member)
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
            _print(fleet, member, error.lines)
            raise _Failed(f"{error}.", error.lines) from None
        if fleet.run.print_output:
            _print(fleet, member, lines)


def _print(fleet: Fleet, member: Member, lines: Iterable[str]) -> None:
    for line in lines:
        member.host.log(fleet.mask(line))


@contextmanager
def _drained(fleet: Fleet, member: Member) -> Iterator[None]:
    seconds = fleet.rollout.drain
    is_put_back = member.switched
    if not seconds or (fleet.record.stopped and not is_put_back):
        yield
        return
    limit = seconds + 2 * member.check.timeout + _DRAIN_ENDS_AFTER
    try:
        with _step(fleet, member, "drain"):
            _must(fleet.run, member.host, _drain(member, limit), "the drain did not begin")
            # A turn that will not come is not waited for.
            gevent.sleep(seconds) if is_put_back else fleet.stopping.wait(seconds)
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
        return what_runs(state, member)
    return fleet.record.host(member.host.name).old


def _switch_back(state: State, fleet: Fleet, member: Member) -> None:
    entry = fleet.record.host(member.host.name)
    with _step(fleet, member, f"put back {entry.new} -> {entry.old}"):
        command = releases.switch(member.settings, entry.old, member.site, member.check)
        _must(state, member.host, command, "it was not put back")
    member.switched = False
    entry.runs = entry.old
    releases._note_live(member.settings, entry.old)


def look_again(state: State, host: Host, fleet: Fleet, member: Member, number: int) -> bool:
    """Let the pause after a wave pass and ask a host that is live once more; whether it is well.

    Args:
        state: pyinfra's.
        host: pyinfra's host.
        fleet: the fleet.
        member: the host.
        number: of the wave that has ended.
    """
    left = max(fleet.wave_ended.values()) + fleet.rollout.pause - time.time()
    if left > 0:
        with _step(fleet, member, "pause"):
            fleet.stopping.wait(left)
    check = member.check
    # No fact: those are remembered for as long as nothing has run on the host.
    ask = Script("iis/await_health", {**check.request, "status": check.status, "timeout": check.timeout})
    try:
        with _step(fleet, member, "look again"):
            _must(state, host, ask, "its site is not healthy any more")
    except _Failed as failure:
        runs = what_runs(state, member)
        outcome: Outcome = "unknown" if runs is None else "failed"
        fleet.settle(member, outcome, runs, f"after the pause: {failure}", failure.lines[-20:])
        return False
    return True


def end(state: State, host: Host, fleet: Fleet, member: Member, back: list[Member]) -> bool:
    """Put hosts back to the release before; whether the host in context runs the release that it should get, and well.

    Args:
        state: pyinfra's.
        host: pyinfra's host.
        fleet: the fleet.
        member: the host.
        back: which hosts to put back.
    """
    for other in back:
        with ctx_host.use(other.host):
            _put_back(state, fleet, other)
        if other is not member:
            # It has had its last operation, with success.
            state.failed_hosts.add(other.host)
            state.active_hosts.discard(other.host)
    entry = fleet.record.host(host.name)
    if entry.outcome in BAD:
        logger.error(f"{host.print_prefix}{format_text(entry.reason, 'red')}")
    elif entry.outcome not in GOOD:
        hush_error(host)  # the result says it of all of them
    return entry.outcome in GOOD


def _put_back(state: State, fleet: Fleet, member: Member) -> None:
    entry = fleet.record.host(member.host.name)
    before = entry.outcome
    with fleet.at_once:
        entry.outcome = "turn"
        try:
            with _away(fleet, member, entry.old, entry.new):
                _switch_back(state, fleet, member)
        except _Failed as failure:
            runs = what_runs(state, member)
            member.switched = runs == entry.new
            outcome: Outcome = "unknown" if runs is None else "failed"
            fleet.settle(member, outcome, runs, f"it was to be put back, but {failure}", failure.lines[-20:])
            return
    if before in BAD:
        fleet.settle(member, before, entry.old, f"{entry.reason.removesuffix('.')}. It was put back.")
    else:
        fleet.settle(member, "back", entry.old, fleet.record.stopped)


def what_runs(state: State, member: Member) -> str | None:
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
