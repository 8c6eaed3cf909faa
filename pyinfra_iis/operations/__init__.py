"""Operations: what a server should be like. Each compares facts with what is wanted and yields only what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, State
from pyinfra.api.output import echo, format_text


def show_changes(changes: Iterable[tuple[str, object, object]]) -> None:
    """Under `--diff`, print properties that will change: once, when changes are looked for, or with `-y`, when they are made.

    Args:
        changes: what, the old value (None: nothing there), the new value (None: taken away).
    """
    if not state.config.DIFF or (state.is_executing and state.should_check_for_changes()):
        return
    for what, old, new in changes:
        if old is not None:
            echo(f"{host.print_prefix}  {format_text(f'- {what}: {old}', 'red')}", err=True)
        if new is not None:
            echo(f"{host.print_prefix}  {format_text(f'+ {what}: {new}', 'green')}", err=True)


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
