"""What a command tells, for people and for programs.

People get text on stdout, when all hosts have answered. Under pyinfra's `--json`, stdout holds pyinfra's one JSON document and nothing else; there
the answer is the only argument of the command's operation: `.plan[0].args[0]`.
"""

from __future__ import annotations

import atexit
import json
import sys
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import pyinfra
from pyinfra import logger
from pyinfra.api import Host, State, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta
from pyinfra.api.output import echo, format_text
from pyinfra.context import ctx_host, ctx_state

from pyinfra_iis.operations.changes import recorded

Answers = dict[str, Any]
"""What hosts told, by their names in pyinfra."""


def wants_json() -> bool:
    """Whether stdout belongs to pyinfra's JSON document. pyinfra keeps that option to itself, so its command line is asked."""
    return pyinfra.is_cli and "--json" in sys.argv[1:]


class Report:
    """The answers of all hosts to one command.

    Args:
        run: pyinfra's state.
        name: the command.
        text: makes text of the answers; without it nothing is printed.
        document: makes what programs get of them.
        absent: makes an answer for a host that could not be asked, of the reason; without it such hosts are left out.
    """

    def __init__(
        self,
        run: State,
        name: str,
        text: Callable[[Answers], str] | None = None,
        document: Callable[[Answers], Any] = dict,
        absent: Callable[[str], Any] | None = None,
    ) -> None:
        self.run = run
        self.name = name
        self.text = text
        self.document = document
        self.absent = absent
        self.answers: Answers = {}
        self.silent: dict[Host, str] = {}
        self._printed = False
        if pyinfra.is_cli:
            # A host that fails elsewhere, or that the user's file leaves out, never answers: what there is, is printed all the same.
            atexit.register(self._at_the_end)

    def to_json(self) -> Any:
        """What pyinfra's JSON document has."""
        self._printed = True
        return self.document(self.ordered())

    def __str__(self) -> str:
        # pyinfra shows it as part of the operation's name, while answers are still coming.
        return "answers"

    def ordered(self) -> Answers:
        """The answers in the inventory's order, with those of hosts that could not be asked."""
        found = {}
        for host in self.run.inventory:
            if host.name in self.answers:
                found[host.name] = self.answers[host.name]
            elif self.absent and (reason := self._absence(host)):
                found[host.name] = self.absent(reason)
        return found

    def _absence(self, host: Host) -> str:
        if host in self.silent:
            return self.silent[host]
        return f"{host.name} cannot be reached." if host in self.run.failed_hosts else ""

    def add(self, host: Host, answer: Any) -> bool:
        """Take the answer of a host; returns whether it was the last one, after which they are printed."""
        self.answers[host.name] = answer
        return self._when_complete()

    def add_later(self, host: Host, answer: Any) -> None:
        """Take what a host told when its operation ran: for programs; people have seen it already."""
        self.answers[host.name] = answer

    def add_silent(self, host: Host, reason: str) -> bool:
        """Take a host that could not be asked; it fails when all others have answered."""
        logger.error(f"{host.print_prefix}{format_text(reason, 'red')}")
        self.silent[host] = reason
        return self._when_complete()

    @property
    def is_complete(self) -> bool:
        """Whether all hosts of the run have answered."""
        told = {*self.answers, *[host.name for host in self.silent]}
        return all(host.name in told for host in self.run.inventory.get_active_hosts())

    def _when_complete(self) -> bool:
        if not self.is_complete:
            return False
        self._print()
        if self.silent:
            self.run.fail_hosts({host for host in self.silent if host in self.run.active_hosts})
        return True

    def attach(self, made: OperationMeta) -> None:
        """Let pyinfra's JSON document show the answers with an operation."""
        if not wants_json():
            return
        shown: list[Any] = self.run.get_op_meta(made._hash).args
        if not any(item is self for item in shown):
            shown.append(self)

    def add_to_json(self) -> None:
        """The same, for a command that does nothing: with an operation that is only there for that."""
        if wants_json():
            self.attach(_answered(name=self.name))

    def leave_out(self) -> None:
        """The answers are no part of pyinfra's document: they have been printed in another way."""
        self._printed = True

    def _print(self) -> None:
        if not self._printed and self.text and (self.answers or self.silent) and not wants_json():
            self._printed = True
            if text := self.text(self.ordered()):
                echo(text)

    def _at_the_end(self) -> None:
        self._print()
        if self._printed or not wants_json():
            return
        # When the last host fails, pyinfra ends without its document; here is one of the same form.
        told = {"name": self.name, "names": [self.name], "args": [self.to_json()]}
        failed = sorted(host.name for host in self.run.failed_hosts)
        echo(json.dumps({"plan": [told], "results": {"operations": [told], "failed_hosts": failed}}))


class Actions(Report):
    """What a command that changes something did, or would do: for each host what it told, and `changes` as `pyinfra_iis.operations.changes` records them."""

    def __init__(self, run: State, name: str) -> None:
        super().__init__(run, name, document=self._with_changes)

    def _with_changes(self, answers: Answers) -> Answers:
        found: Answers = {}
        for host in self.run.inventory:
            if host in self.run.activated_hosts:
                found[host.name] = {**answers.get(host.name, {}), "changes": []}
        for change in recorded(self.run):
            kept = {key: value for key, value in change.items() if key != "host"}
            found.setdefault(change["host"], {"changes": []})["changes"].append(kept)
        return found


@operation()
def _answered() -> Generator[PyinfraCommand, None, None]:
    """Nothing is done; pyinfra's document of a run tells of operations only."""
    yield from ()


AnyReport = TypeVar("AnyReport", bound=Report)

_reports: WeakKeyDictionary[State, dict[tuple[str, int], Report]] = WeakKeyDictionary()
_asked: WeakKeyDictionary[State, Counter[tuple[str, str]]] = WeakKeyDictionary()


def report(name: str, make: Callable[[State, str], AnyReport]) -> AnyReport:
    """The one report of a command in this run, whichever host asks first; a host that gives the command twice (for two applications) has two.

    Args:
        name: the command.
        make: makes the report.
    """
    run = ctx_state.get()
    asked = _asked.setdefault(run, Counter())
    asked[name, ctx_host.get().name] += 1
    key = (name, asked[name, ctx_host.get().name])
    known: dict[tuple[str, int], Any] = _reports.setdefault(run, {})
    if key not in known:
        known[key] = make(run, name)
    return cast(AnyReport, known[key])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns of equal width; the first row is the heading. Columns without any content are left out."""
    filled = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
    widths = [max(len(row[index]) for row in rows) for index in filled]
    lines = [
        "  ".join(row[index].ljust(width) for index, width in zip(filled, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(lines)
