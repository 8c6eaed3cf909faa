"""Questions to servers that may be in any state. pyinfra takes a host out of the run when a fact fails; here that is an answer, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyinfra.api import Host
from pyinfra.context import ctx_host

from pyinfra_iis.deploys.kinds import KINDS, any_settings
from pyinfra_iis.facts import ScriptFact
from pyinfra_iis.powershell import Batch
from pyinfra_iis.settings import WebSettings


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


def running_settings(options: Mapping[str, Any]) -> WebSettings:
    """The settings of an application that is on the servers already; its project need not be on this machine.

    Args:
        options: as for `any_settings`.

    Raises:
        DeployError: settings that cannot be used, or of which kind they are is not clear.
    """
    if options:
        return any_settings(options)
    data = ctx_host.get().data.dict()
    kinds = [kind for kind, (model, _) in KINDS.items() if data.get(f"{model.prefix}project")]
    kind = str(data.get("kind") or (kinds[0] if len(kinds) == 1 else ""))
    if kind in kinds:
        prefix = KINDS[kind][0].prefix
        project = Path(str(data[f"{prefix}project"])).expanduser()
        if not project.exists():
            own = {key.removeprefix(prefix): value for key, value in data.items() if key.startswith(prefix)}
            return any_settings({**own, "kind": kind, "project": _stand_in(project.name)})
    return any_settings({})


@cache
def _stand_in(name: str) -> Path:
    """An empty project of that name: nothing is deployed from it."""
    folder = Path(_temporary().name) / name
    folder.mkdir(exist_ok=True)
    (folder / "manage.py").touch()
    return folder


@cache
def _temporary() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="pyinfra-iis-")
