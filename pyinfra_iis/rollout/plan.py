"""Which hosts go live in which wave. Pure: names in, waves out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

Share = int | str
"""A number of hosts (`5`), or a part of the fleet (`"25%"`)."""

_PERCENT = re.compile(r"(?P<number>\d{1,3}(\.\d+)?)\s*%")


class PlanError(ValueError):
    """A fleet that cannot be divided so; the text is one sentence."""


@dataclass(frozen=True)
class Wave:
    """Hosts that go live together.

    Attributes:
        number: 1 for the first.
        hosts: their names, in the order of the inventory.
        canary: whether it is the one that the others wait for whatever the budget says.
    """

    number: int
    hosts: tuple[str, ...]
    canary: bool = False

    @property
    def title(self) -> str:
        """How people see it: `wave 1 (canary)`."""
        return f"wave {self.number}{' (canary)' if self.canary else ''}"


def check_share(value: Share, least: int = 1) -> Share:
    """A share as it was given, if it is one.

    Raises:
        ValueError: it is neither a number of hosts nor a percentage.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} is neither a number of hosts nor a percentage such as '25%'")
    if isinstance(value, str):
        match = _PERCENT.fullmatch(value.strip())
        if match is None and not value.strip().isdecimal():
            raise ValueError(f"'{value}' is neither a number of hosts nor a percentage such as '25%'")
        if match is not None:
            percent = float(match["number"])
            if percent > 100 or percent == 0 < least:
                raise ValueError(f"'{value}' is not between {'1%' if least else '0%'} and 100%")
            return value
        value = int(value)
    if value < least:
        raise ValueError(f"{value} is less than {least}")
    return value


def count(share: Share, total: int, up: bool = True) -> int:
    """How many of `total` hosts a share is; part of a host counts as one, or with `up` off not at all."""
    if isinstance(share, int):
        return share
    match = _PERCENT.fullmatch(share.strip())
    if match is None:
        return int(share)
    exact = round(float(match["number"]) * total / 100, 9)
    return math.ceil(exact) if up else math.floor(exact)


def plan(hosts: Sequence[str], canary: int | Sequence[str] = 0, sizes: Sequence[Share] = ()) -> list[Wave]:
    """Divide a fleet.

    Args:
        hosts: the names of all, in the order of the inventory.
        canary: how many go first, or which (names as in the inventory, with or without the connector before the slash).
        sizes: of the waves after that; the last one is repeated until all hosts have their turn, none at all means all in one. Percentages are of the
            whole fleet.

    Raises:
        PlanError: a named canary is not among the hosts.
    """
    first = hosts[:canary] if isinstance(canary, int) else _named(hosts, canary)
    waves = [Wave(1, tuple(first), canary=True)] if first else []
    rest = [name for name in hosts if name not in first]
    steps = [max(1, count(size, len(hosts))) for size in sizes] or [len(hosts)]
    while rest:
        size = steps.pop(0) if len(steps) > 1 else steps[0]
        waves.append(Wave(len(waves) + 1, tuple(rest[:size])))
        rest = rest[size:]
    return waves


def _named(hosts: Sequence[str], names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if not any(is_called(host, name) for host in hosts)]
    if unknown:
        raise PlanError(
            f"the canary {unknown[0]} is not among the hosts of this run; name one of {_few(hosts)}, or a number."
        )
    return [host for host in hosts if any(is_called(host, name) for name in names)]


def is_called(host: str, name: str) -> bool:
    """Whether a host of pyinfra's is meant by a name: `@winrm/web1` by `web1` too."""
    return name in (host, host.rpartition("/")[2])


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def allowed_failures(budget: Share, total: int) -> int:
    """How many of `total` hosts may fail before a rollout stops."""
    return count(budget, total, up=False)


def describe(waves: Sequence[Wave]) -> list[str]:
    """The plan as lines for people, hosts without their connector's name."""
    return [f"{wave.title}: {', '.join(host.rpartition('/')[2] for host in wave.hosts)}" for wave in waves]
