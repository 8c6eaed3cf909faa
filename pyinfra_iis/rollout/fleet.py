"""The hosts of a rollout: whose turn it is, what became of each, and when no further one is touched."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gevent.event import Event
from gevent.lock import BoundedSemaphore
from pyinfra import logger
from pyinfra.api import Host, State
from pyinfra.api.output import format_text

from pyinfra_iis.connector.secret import scrub
from pyinfra_iis.operations.changes import sounds_secret
from pyinfra_iis.operations.iis import HealthCheck, Site
from pyinfra_iis.release.origin import deployer
from pyinfra_iis.release.release import Release
from pyinfra_iis.rollout import hooks
from pyinfra_iis.rollout.plan import allowed_failures, plan
from pyinfra_iis.rollout.record import BAD, Outcome, Record
from pyinfra_iis.settings import Rollout, WebSettings

NO_WAIT = "with --no-wait no host waits for another, so nothing can be gated; run it without"

_URL_PASSWORD = re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+@")


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


class Fleet:
    """The hosts that one application goes live on in this run, and how far that is.

    Attributes:
        run: pyinfra's state.
        app: the application's name.
        rollout: how to go live.
        waves: the plan.
        members: the hosts whose deploy is prepared, by name.
        planned: the names of all hosts of the plan, in its order.
        allowed: how many may fail in their turn.
        at_once: as many hosts as the largest wave has; putting back takes no more.
        record: what became of each.
        mode: how pyinfra runs its operations, as soon as it does.
        wave_ended: when a host of a wave was last settled, seconds since 1970.
        own_operations: pyinfra's operations whose steps are recorded one by one.
        last_operations: those after which the rollout has ended.
        stopping: set when no further host is touched, for those who wait.
        is_interrupted: whether the user has asked for the end.
    """

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
            self.app, by=deployer(), settings=_words(rollout, self.allowed), waves=self.waves, mask=self.mask
        )
        self.mode: Literal["", "together", "serial", "no-wait"] = ""
        self.wave_ended: dict[int, float] = {}
        self.own_operations: set[str] = set()
        self.last_operations: set[str] = set()
        self.stopping = Event()
        self.is_interrupted = False
        self._numbers = {name: wave.number for wave in self.waves for name in wave.hosts}
        self._hook_secrets = _hook_secrets(rollout)
        self._stand_ins: tuple[str, ...] = ()
        self._elected: Host | None = None
        self._unmigrated = False
        for name in self.planned:
            self.record.host(name).wave = self._numbers[name]

    @property
    def records(self) -> Path:
        """The folder for records of rollouts."""
        return Path(self.run.cwd or ".") / Path(self.rollout.record).expanduser()

    # -- who goes live when ---------------------------------------------------------------------------------------------

    def join(self, member: Member) -> None:
        """A host's deploy is being prepared."""
        name = member.host.name
        self.members[name] = member
        if name not in self._numbers:
            self._numbers[name] = len(self.waves) or 1
        entry = self.record.host(name)
        entry.wave, entry.new = self._numbers[name], member.release.id

    @property
    def is_complete(self) -> bool:
        """Whether every host that is still there has joined."""
        return all(name in self.members or not self.is_active(name) for name in self.planned)

    @property
    def is_stopped(self) -> bool:
        """Whether no further host is touched."""
        return self._unmigrated or bool(self.record.stopped)

    @property
    def has_begun(self) -> bool:
        """Whether a host has had its turn or has it now."""
        return any(entry.outcome not in ("waiting", "dropped") for entry in self.record.hosts.values())

    def number_of(self, name: str) -> int:
        """The wave of a host; it may come earlier than planned when all canaries have dropped out."""
        return 1 if name in self._stand_ins else self._numbers[name]

    def has_turn(self, member: Member, number: int) -> bool:
        """Whether a host goes live now, in this wave."""
        if self._unmigrated:
            on = f" on {short(self._elected.name)}" if self._elected else ""
            self.stop(f"the database was not migrated{on}")
        self._replace_canaries()
        name = member.host.name
        if self.record.stopped or self.number_of(name) != number or self.record.host(name).outcome != "waiting":
            return False
        waiting = [
            other
            for other in self.members
            if self.number_of(other) < number
            and self.is_active(other)
            and self.record.host(other).outcome in ("waiting", "turn")
        ]
        if waiting:
            self.stop(f"it is {short(name)}'s turn, but {short(waiting[0])} of an earlier wave has not had its own")
        return not waiting

    def _replace_canaries(self) -> None:
        """When all canaries have dropped out before their turn, the next hosts take their place; named ones cannot be replaced."""
        if not self.waves or not self.waves[0].canary or self._stand_ins:
            return
        if any(self.is_active(name) or self.record.host(name).outcome != "waiting" for name in self.waves[0].hosts):
            return
        if not isinstance(self.rollout.canary, int):
            self.stop("no canary is left: all have dropped out before their turn")
            return
        alive = [name for name in self.planned if self.is_active(name) and name in self.members]
        self._stand_ins = tuple(alive[: self.rollout.canary])
        for name in self._stand_ins:
            self.record.host(name).wave = 1

    def is_active(self, name: str) -> bool:
        """Whether pyinfra has a host still in the run."""
        return any(host.name == name for host in self.run.active_hosts)

    def is_canary(self, name: str) -> bool:
        """Whether a host is one that the others wait for whatever the budget says."""
        return bool(self.waves) and self.waves[0].canary and self.number_of(name) == 1

    def elect(self, member: Host) -> bool:
        """Whether a host does what is done once for the fleet: the first one that is still there."""
        if self._elected is None:
            there = [name for name in self.planned if name in self.members and self.is_active(name)]
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
            self.stop(f"the canary {short(name)} failed")
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
            self.record.stopped = self.mask(reason)
            self.stopping.set()
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
        return hooks.Event(when, short(name), to, at, self.app, self.number_of(name), outcome, member.host)

    def mask(self, text: str) -> str:
        """A text of a server or a hook without the secrets that this run knows."""
        known = set(self._hook_secrets)
        for member in self.members.values():
            known.update(member.settings.secret_values)
            known.update(value for name, value in member.settings.environment.items() if sounds_secret(name))
            known.update(getattr(getattr(member.host.connector, "settings", None), "secrets", ()))
        return _URL_PASSWORD.sub(r"\1***@", scrub(text, [secret for secret in known if len(secret) >= 4]))


def _words(rollout: Rollout, allowed: int) -> dict[str, str]:
    canary = rollout.canary if isinstance(rollout.canary, int) else ", ".join(rollout.canary)
    asked = {
        "canary": str(canary or "none"),
        "waves": ", ".join(str(size) for size in rollout.waves) or "one",
        "pause": f"{rollout.pause:g} s" if rollout.pause else "",
        "budget": f"{rollout.budget} ({allowed} may fail)" if isinstance(rollout.budget, str) else str(rollout.budget),
        "on failure": {"back": "put back", "keep": "keep"}[rollout.on_failure],
        "drain": f"{rollout.drain:g} s" if rollout.drain else "",
        "before": hooks.name(rollout.before) if rollout.before else "",
        "after": hooks.name(rollout.after) if rollout.after else "",
    }
    return {name: value for name, value in asked.items() if value}


def _hook_secrets(rollout: Rollout) -> set[str]:
    """What hooks may print and nobody shall see: secrets in their commands, and in the environment that they get."""
    found = {value for name, value in os.environ.items() if sounds_secret(name)}
    for hook in (rollout.before, rollout.after):
        found |= hooks.secrets(hook, sounds_secret)
    return {value for value in found if value.lower() not in ("true", "false", "none")}


def short(name: str) -> str:
    """A host's name without its connector's."""
    return name.rpartition("/")[2]
