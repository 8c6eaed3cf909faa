"""What a diagnosis says, and the tables of rules that say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from pyinfra_iis.diagnosis.evidence import Evidence


class Kind(Enum):
    """When a rule's finding counts.

    CAUSE: it explains why the site fails. GENERAL: it does so too, but says less; it only counts when no CAUSE was found. NOTICE: it is wrong or
    worth knowing, whether the site answers or not.
    """

    CAUSE = "cause"
    GENERAL = "general"
    NOTICE = "notice"


@dataclass(frozen=True)
class Explanation:
    """What one rule has found: a sentence each.

    Attributes:
        cause: what is wrong.
        evidence: where that is seen.
        fix: what to do.
        commands: command lines for cmd.exe on the server that do it, where there are such; the fix names them.
    """

    cause: str
    evidence: str
    fix: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding(Explanation):
    """An explanation with the rule that gave it; `docs/failures` has a page of that name."""

    rule: str = ""
    kind: Kind = Kind.CAUSE

    def to_dict(self) -> dict[str, Any]:
        """In JSON's terms."""
        return {**asdict(self), "kind": self.kind.value, "commands": list(self.commands)}


Function = Callable[[Evidence], Explanation | None]


@dataclass(frozen=True)
class Rule:
    """One failure that is known: `function` looks at the evidence and explains it, or says nothing."""

    name: str
    kind: Kind
    function: Function

    def apply(self, evidence: Evidence) -> Finding | None:
        """The finding, if this failure is there."""
        said = self.function(evidence)
        if said is None:
            return None
        cause, proof, fix = (f"{text.strip().rstrip('.')}." for text in (said.cause, said.evidence, said.fix))
        return Finding(cause, proof, fix, said.commands, self.name, self.kind)


@dataclass
class Rules:
    """A table of rules, in the order in which they are defined: the most specific first."""

    table: list[Rule] = field(default_factory=list)

    def cause(self, name: str) -> Callable[[Function], Function]:
        """Adds a rule of the kind CAUSE."""
        return self._adder(name, Kind.CAUSE)

    def general(self, name: str) -> Callable[[Function], Function]:
        """Adds a rule of the kind GENERAL."""
        return self._adder(name, Kind.GENERAL)

    def notice(self, name: str) -> Callable[[Function], Function]:
        """Adds a rule of the kind NOTICE."""
        return self._adder(name, Kind.NOTICE)

    def _adder(self, name: str, kind: Kind) -> Callable[[Function], Function]:
        def add(function: Function) -> Function:
            self.table.append(Rule(name, kind, function))
            return function

        return add

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.table)
