"""How the hosts of one run find each other: those that get the same application are one fleet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import pyinfra
from pyinfra import host
from pyinfra.api import DeployError, Host, State

from pyinfra_iis.operations.iis import HealthCheck, Site
from pyinfra_iis.release.origin import describe as describe_origin
from pyinfra_iis.release.release import Release
from pyinfra_iis.rollout import report
from pyinfra_iis.rollout.fleet import NO_WAIT, Fleet, Member
from pyinfra_iis.rollout.interrupt import Interrupts
from pyinfra_iis.rollout.plan import PlanError
from pyinfra_iis.rollout.watch import Watch
from pyinfra_iis.settings import Rollout, WebSettings

_watches: WeakKeyDictionary[State, dict[str, Watch]] = WeakKeyDictionary()
_interrupts: WeakKeyDictionary[State, Interrupts] = WeakKeyDictionary()


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
        raise DeployError(f"{settings.prefix}rollout: {NO_WAIT}")
    watches = _watches.setdefault(run, {})
    if settings.root not in watches:
        # All hosts come here at once: nothing may wait for anything until the fleet is known.
        try:
            alike = _alike(run, settings)
            fleet = Fleet(run, settings, rollout, [other for other in alike if other in run.activated_hosts])
        except PlanError as error:
            raise DeployError(f"{settings.prefix}rollout: {error}") from None
        if rollout.record and (problem := report.why_not(fleet.records)):
            raise DeployError(f"{settings.prefix}rollout.record: {fleet.records} cannot be made: {problem}.")
        for other in alike:
            if other not in run.activated_hosts:
                fleet.record.settle(other.name, "dropped", None, "it could not be reached")
        watches[settings.root] = Watch(fleet, _interrupts.setdefault(run, Interrupts()))
        run.add_callback_handler(watches[settings.root])
        _put_in_order(run)
        fleet.record.commit = describe_origin(wanted.project)["commit"]
    watch = watches[settings.root]
    fleet = watch.fleet
    if fleet.rollout != rollout:
        raise DeployError(
            f"{host.name}: {settings.prefix}rollout is not the same as on the other hosts of {fleet.app}."
        )
    fleet.join(Member(host.inventory.get_host(host.name), wanted, site, check))
    if fleet.is_complete:
        watch.tell_plan()
    return fleet


def _alike(run: State, settings: WebSettings) -> list[Host]:
    """The hosts that, as their data say, shall get the same application in this run; in the order of the inventory."""
    keys = [f"{settings.prefix}{name}" for name in ("project", "app", "root")]
    mine = [host.data.get(key) for key in keys]
    return [
        other
        for other in run.inventory
        if run.is_host_in_limit(other) and [other.data.get(key) for key in keys] == mine
    ]


def _put_in_order(run: State) -> None:
    ordered = _InOrder(run.active_hosts)
    names = [name for watch in _watches[run].values() for name in watch.fleet.planned]
    ordered.order = {name: index for index, name in enumerate(names)}
    run.active_hosts = ordered
