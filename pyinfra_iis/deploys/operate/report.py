"""What a command tells, for people and for programs.

People get text on stdout, when all hosts have answered. Under pyinfra's `--json`, stdout holds pyinfra's one JSON document and nothing else; there the answer is the only argument of the
command's operation: `.plan[0].args[0]`, an object with an entry for each host.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pyinfra
from pyinfra import host
from pyinfra.api import State, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta
from pyinfra.api.output import echo
from pyinfra.context import ctx_state


def wants_json() -> bool:
    """Whether stdout belongs to pyinfra's JSON document. pyinfra keeps that option to itself, so its command line is asked."""
    return pyinfra.is_cli and "--json" in sys.argv[1:]


def say(text: str) -> None:
    """Print an answer for people."""
    if not wants_json():
        echo(text)


class Report:
    """The answers of all hosts to one command.

    Args:
        run: pyinfra's state.
        name: the command.
        show: makes text of the answers by host, once all are there.
    """

    def __init__(self, run: State, name: str, show: Callable[[dict[str, Any]], str] | None = None) -> None:
        self.run = run
        self.name = name
        self.show = show
        self.answers: dict[str, Any] = {}
        self._shown = False
        if pyinfra.is_cli:
            # A host that fails elsewhere, or that the user's file leaves out, never answers: what there is, is printed all the same.
            atexit.register(self._print)

    def to_json(self) -> dict[str, Any]:
        """The answers, as pyinfra's JSON document has them."""
        return {name: self.answers[name] for name in self.order()}

    def __str__(self) -> str:
        # Part of the operation's name, where pyinfra shows that with arguments.
        return f"{len(self.answers)} hosts"

    def order(self) -> list[str]:
        """The hosts that have answered, in the inventory's order."""
        return [item.name for item in self.run.inventory if item.name in self.answers]

    def add(self, answer: Any) -> None:
        """The answer of the host in context; after the last one, all are printed."""
        self.answers[host.name] = answer
        if self.answers.keys() >= {item.name for item in self.run.inventory.get_active_hosts()}:
            self._print()

    def attach(self, made: OperationMeta) -> None:
        """Let pyinfra's JSON document show the answers with an operation."""
        shown = self.run.get_op_meta(made._hash).args
        if not any(item is self for item in shown):
            shown.append(self)

    def add_to_json(self) -> None:
        """The same, for a command that does nothing: with an operation that is only there for that."""
        if wants_json():
            self.attach(_answered(name=self.name))

    def _print(self) -> None:
        if not self._shown and self.answers and self.show and not wants_json():
            self._shown = True
            echo(self.show(self.to_json()))


@operation()
def _answered() -> Generator[PyinfraCommand, None, None]:
    """Nothing is done; pyinfra's document of a run tells of operations only."""
    yield from ()


_reports: WeakKeyDictionary[State, dict[str, Report]] = WeakKeyDictionary()


def report(name: str, show: Callable[[dict[str, Any]], str] | None = None) -> Report:
    """The one report of a command in this run, whichever host asks first.

    Args:
        name: the command.
        show: makes text of the answers by host.
    """
    run = ctx_state.get()
    known = _reports.setdefault(run, {})
    if name not in known:
        known[name] = Report(run, name, show)
    return known[name]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns of equal width; the first row is the heading. Columns without any content are left out."""
    filled = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
    widths = [max(len(row[index]) for row in rows) for index in filled]
    lines = [
        "  ".join(row[index].ljust(width) for index, width in zip(filled, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(lines)
