"""Operations that let a release go live over a fleet in waves.

pyinfra runs each operation on all hosts at once and goes on when all are done. So the gate between two waves is the end of an operation: going live is
added once per wave on every host, and a host outside the wave yields nothing. What the hosts must know of each other is in one `Fleet`
(`pyinfra_iis.rollout.fleet`), and what is done in a host's turn in `pyinfra_iis.rollout.turn`. A host that fails in its turn fails in pyinfra's eyes at
the end of the rollout, so that nothing keeps those that were switched from being put back.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain

from pyinfra import host, state
from pyinfra.api import FunctionCommand, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import FactError

from pyinfra_iis.operations import refusal
from pyinfra_iis.operations import release as releases
from pyinfra_iis.release.release import Release
from pyinfra_iis.rollout import turn
from pyinfra_iis.rollout.fleet import NO_WAIT, Fleet, Member
from pyinfra_iis.rollout.joining import join
from pyinfra_iis.rollout.quiet import hush
from pyinfra_iis.rollout.record import GOOD


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
        fleet.stop(NO_WAIT)
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
    if release.id == there["live"] or releases.is_refused(release, there) or fleet.is_stopped:
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
        hush(member.host)
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
    yield FunctionCommand(turn.take_turn, [fleet, member, chain([first], commands)], {})


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
        hush(member.host)
        return
    yield FunctionCommand(turn.look_again, [fleet, member, number], {})


@operation()
def ended(fleet: Fleet) -> Generator[PyinfraCommand, None, None]:
    """The end of a rollout: when it was stopped, hosts are put back where that is wanted; hosts that do not run the new release then drop out.

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
    if mine or entry.outcome not in GOOD:
        yield FunctionCommand(turn.end, [fleet, member, mine], {})
    else:
        hush(member.host)


def _own(fleet: Fleet) -> None:
    """The steps of this operation are recorded one by one."""
    if host.current_op_hash:
        fleet.own_operations.add(host.current_op_hash)


def _live(member: Member) -> str:
    return str(releases._look(member.settings, member.release.id)["live"])


__all__ = ["Fleet", "Member", "begun", "ended", "join", "migrated", "stayed_healthy", "tried", "went_live"]
