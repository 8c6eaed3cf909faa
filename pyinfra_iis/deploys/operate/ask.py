"""Questions to servers that may be in any state. pyinfra takes a host out of the run when a fact fails; here that is an answer, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyinfra.api import Host

from pyinfra_iis.facts import ScriptFact
from pyinfra_iis.powershell import Batch


class NoAnswer(Exception):
    """The server did not tell; the text is one sentence."""


def ask(host: Host, questions: Sequence[tuple[type[ScriptFact], Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Several facts of a host in one request, with `{"result": ...}` or `{"error": sentence}` for each.

    Args:
        host: pyinfra's host, connected.
        questions: facts with their arguments.

    Raises:
        NoAnswer: the server could not be asked, or what it said is no answer.
    """
    try:
        answered, output = host.run_shell_command(Batch([(fact.script, request) for fact, request in questions]))
    except (OSError, TimeoutError) as error:
        raise NoAnswer(f"{host.name} does not answer: {error}") from None
    if not answered:
        raise NoAnswer(next(iter(output.stderr_lines), "") or f"{host.name} did not tell its state.")
    try:
        return list(json.loads(output.stdout))
    except ValueError:
        raise NoAnswer(f"{host.name} printed no JSON: {output.stdout[:200]!r}") from None


def answer_of(host: Host, fact: type[ScriptFact], request: Mapping[str, Any]) -> dict[str, Any]:
    """One fact of a host.

    Raises:
        NoAnswer: the server could not tell.
    """
    (answer,) = ask(host, [(fact, request)])
    if "error" in answer:
        raise NoAnswer(f"{host.name} did not tell ({fact.script}): {answer['error']}")
    return dict(answer["result"])
