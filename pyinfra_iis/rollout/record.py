"""What became of each host in a rollout: kept while it runs, written down afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pyinfra_iis.rollout.plan import Wave

FORMAT = 1
"""The form of rollout.json; a new number when something is taken away or means something else."""

Outcome = Literal[
    "waiting", "turn", "live", "unchanged", "failed", "unknown", "back", "kept", "untouched", "dropped", "refused"
]

BETWEEN = ("pause", "look again")
"""Steps between waves."""

MEANING: dict[Outcome, str] = {
    "waiting": "has not had its turn",
    "turn": "is being switched",
    "live": "runs the new release",
    "unchanged": "ran this release before",
    "failed": "failed in its turn",
    "unknown": "failed in its turn, and did not tell what it runs now",
    "back": "was switched, and put back",
    "kept": "was switched, and keeps the new release",
    "untouched": "was not switched",
    "dropped": "dropped out before its turn",
    "refused": "refused the release",
}

BAD: frozenset[Outcome] = frozenset({"failed", "unknown", "dropped", "refused"})
"""Outcomes of hosts that count as failed for the budget, or dropped out before their turn."""

GOOD: frozenset[Outcome] = frozenset({"live", "unchanged", "kept"})
"""Outcomes of hosts that run the release that they should get and are well; all others fail in pyinfra's eyes, too."""


@dataclass
class Step:
    """One thing done on one host.

    Attributes:
        name: `Install Python`, `switch`, `drain`.
        started: seconds since 1970.
        ended: the same, or None while it runs.
        result: `running`, `done`, `unchanged` or `failed`.
        turn: whether it belongs to the host's turn in its wave.
    """

    name: str
    started: float
    ended: float | None = None
    result: str = "running"
    turn: bool = False


@dataclass
class HostRecord:
    """One host.

    Attributes:
        name: pyinfra's name of it.
        wave: the number of its wave, 0 when it has none.
        old: the release that was live before, or empty.
        new: the release that it should get.
        runs: the release that is live as far as is known, None when it is not.
        outcome: see `MEANING`.
        reason: why, one or two sentences; empty where nothing needs explaining.
        detail: the last lines that the failing command printed.
        steps: what was done, in order.
    """

    name: str
    wave: int = 0
    old: str = ""
    new: str = ""
    runs: str | None = None
    outcome: Outcome = "waiting"
    reason: str = ""
    detail: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def short(self) -> str:
        """Its name without the connector's."""
        return self.name.rpartition("/")[2]

    @property
    def current(self) -> str:
        """The step that runs now, or the last one."""
        return self.steps[-1].name if self.steps else ""

    @property
    def seconds(self) -> float | None:
        """How long its turn took, or takes so far; without pauses between waves."""
        turn = [step for step in self.steps if step.turn and step.name not in BETWEEN]
        return sum((step.ended or time.time()) - step.started for step in turn) if turn else None


@dataclass
class Record:
    """A rollout.

    Attributes:
        app: the application's name.
        by: who runs it, `user@machine`.
        commit: where the release comes from, or empty.
        settings: what was asked for, in words.
        waves: the plan.
        hosts: by pyinfra's names, in the order of the plan.
        mask: takes secrets out of texts that servers and hooks printed.
        stopped: why no further host was touched, or empty.
        not_undone: what was changed on hosts that do not run the new release, besides the release: `what`, and `hosts` (their names).
        changed: called after each change; for whoever shows it.
    """

    app: str
    by: str = ""
    commit: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    waves: list[Wave] = field(default_factory=list)
    hosts: dict[str, HostRecord] = field(default_factory=dict)
    mask: Callable[[str], str] = str
    stopped: str = ""
    not_undone: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    ended: float | None = None
    changed: Callable[[HostRecord, Step | None], None] = lambda host, step: None

    def host(self, name: str) -> HostRecord:
        """The record of a host, made when there is none."""
        return self.hosts.setdefault(name, HostRecord(name))

    def begin(self, name: str, step: str, turn: bool = False) -> Step:
        """A host begins a step."""
        host = self.host(name)
        made = Step(step, time.time(), turn=turn)
        host.steps.append(made)
        self.changed(host, made)
        return made

    def end(self, name: str, step: Step, result: str) -> None:
        """A host has ended a step: `done`, `unchanged` or `failed`."""
        step.ended, step.result = time.time(), result
        self.changed(self.host(name), step)

    def settle(
        self, name: str, outcome: Outcome, runs: str | None, reason: str = "", detail: Sequence[str] = ()
    ) -> None:
        """What has become of a host.

        Args:
            name: pyinfra's name of it.
            outcome: see `MEANING`.
            runs: the release that is live there, None when nobody knows.
            reason: why; what was known before stays when this is empty.
            detail: lines that a command printed.
        """
        host = self.host(name)
        host.outcome, host.runs = outcome, runs
        host.reason = self.mask(reason) or host.reason
        host.detail = [self.mask(line) for line in detail] or host.detail
        self.changed(host, None)

    def counts(self) -> dict[str, int]:
        """How many hosts came to which outcome."""
        found = Counter(host.outcome for host in self.hosts.values())
        return {outcome: found[outcome] for outcome in MEANING if found[outcome]}

    def summary(self) -> list[str]:
        """Which host runs what and why, one line each."""
        width = max((len(host.short) for host in self.hosts.values()), default=0)
        lines = []
        for host in self.hosts.values():
            runs = "unknown" if host.runs is None else host.runs or "nothing"
            lines.append(
                f"{host.short:{width}}  runs {runs:14}  {MEANING[host.outcome]}{': ' + host.reason if host.reason else ''}"
            )
        return lines

    def verdict(self) -> str:
        """The whole in one sentence."""
        found = self.counts()
        told = ", ".join(
            f"{number} {'host' if number == 1 else 'hosts'} {outcome}" for outcome, number in found.items()
        )
        if self.stopped:
            return f"Stopped: {self.stopped} ({told})"
        if any(outcome in found for outcome in BAD):
            return f"Ended with failures within the budget ({told})."
        return f"Complete ({told})."

    def document(self, changes: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """All of it in JSON's terms.

        Args:
            changes: what operations have changed, as `operations.changes.recorded` tells.
        """
        hosts = []
        for host in self.hosts.values():
            steps = [
                {
                    **asdict(step),
                    "started": moment(step.started),
                    "ended": step.ended and moment(step.ended),
                    "seconds": step.ended and round(step.ended - step.started, 3),
                }
                for step in host.steps
            ]
            hosts.append(
                {
                    **asdict(host),
                    "steps": steps,
                    "meaning": MEANING[host.outcome],
                    "succeeded": host.outcome in GOOD,
                    "seconds": None if host.seconds is None else round(host.seconds, 3),
                    "changes": [
                        {key: value for key, value in change.items() if key != "host"}
                        for change in changes
                        if change["host"] == host.name
                    ],
                }
            )
        return {
            "format": FORMAT,
            "app": self.app,
            "by": self.by,
            "commit": self.commit,
            "started": moment(self.started),
            "ended": moment(self.ended or time.time()),
            "verdict": self.verdict(),
            "stopped": self.stopped,
            "not_undone": self.not_undone,
            "settings": self.settings,
            "waves": [{"number": wave.number, "canary": wave.canary, "hosts": list(wave.hosts)} for wave in self.waves],
            "hosts": hosts,
        }


def moment(seconds: float) -> str:
    """Seconds since 1970 as UTC, ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
