"""Operations: what a server should be like. Each compares facts with what is wanted and yields only what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, State
from pyinfra.api.output import format_text

from pyinfra_iis.operations.changes import Change, show


def show_changes(changes: Iterable[tuple[str, object, object]]) -> None:
    """Show and record properties that will change, given as tuples; see `pyinfra_iis.operations.changes.show`.

    Args:
        changes: what, the old value (None: nothing there), the new value (None: taken away).
    """
    show(Change(*change) for change in changes)


def refusal(sentence: str) -> FunctionCommand:
    """A command that changes nothing and fails the host with one sentence; the other hosts go on.

    Args:
        sentence: what is wrong, on which host, what to do.
    """
    if not state.is_executing:
        _say(state, host, sentence)
    return FunctionCommand(_say, [sentence], {})


def _say(state: State, host: Host, sentence: str) -> bool:
    logger.error(f"{host.print_prefix}{format_text(sentence, 'red')}")
    return False
