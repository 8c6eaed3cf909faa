"""Facts: what a server is like now.

Each fact is one script that prints one JSON document. pyinfra does not keep facts, so `read` does: a fact that was read is not read again
unless something has run on that host since, and `prefetch` reads many facts in one request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from gevent.hub import Hub
from pyinfra.api import FactBase, Host, StringCommand
from pyinfra.api.exceptions import FactProcessError, PyinfraError

from pyinfra_iis.powershell import Batch, Script

# A fact that cannot be read while operations run ends the run with pyinfra's own sentence, which is enough: no traceback of gevent's before it.
Hub.NOT_ERROR = (*Hub.NOT_ERROR, PyinfraError)


class ScriptFact(FactBase[dict[str, Any]]):
    """A fact that a script of `pyinfra_iis.powershell` tells.

    Class attributes:
        script: the script's name.
    """

    abstract = True
    script: ClassVar[str]

    def command(self, **request: Any) -> StringCommand:
        """The script with its arguments."""
        return Script(self.script, request, safe_to_repeat=True)

    def process(self, output: list[str]) -> dict[str, Any]:
        """The JSON document that the script printed."""
        return _parse(output)


class Calls(list[tuple[str, dict[str, Any]]]):
    """Scripts with their arguments; in pyinfra's messages only the scripts' names."""

    def __repr__(self) -> str:
        return ", ".join(dict.fromkeys(name for name, _ in self))

    __str__ = __repr__


class Several(FactBase[list[Any]]):
    """Many facts in one request; used by `prefetch`."""

    abstract = True

    def command(self, calls: Calls) -> StringCommand:
        """The scripts with their arguments."""
        return Batch(calls)

    def process(self, output: list[str]) -> list[Any]:
        """What each script printed."""
        return _parse(output)


def _parse(output: list[str]) -> Any:
    try:
        return json.loads("".join(output))
    except ValueError:
        raise FactProcessError(f"the server printed no JSON: {''.join(output)[:200]!r}") from None


class _Known:
    """What was read of one host, and when: the connector counts what runs there."""

    def __init__(self) -> None:
        self.activity: int | None = None
        self.answers: dict[str, Any] = {}


_known: WeakKeyDictionary[Host, _Known] = WeakKeyDictionary()


def _fresh(host: Host) -> _Known:
    known = _known.setdefault(host, _Known())
    if known.activity is None or known.activity != _activity(host):
        known.answers.clear()
    return known


def _activity(host: Host) -> int | None:
    return getattr(host.connector, "activity", None)


def _key(fact: type[ScriptFact], request: Mapping[str, Any]) -> str:
    return f"{fact.script} {json.dumps(request, sort_keys=True)}"


def read(host: Host, fact: type[ScriptFact], /, **request: Any) -> dict[str, Any]:
    """A fact of a host, from memory when nothing has run there since it was read.

    Args:
        host: pyinfra's host.
        fact: which fact.
        request: its arguments, in JSON's terms.

    Raises:
        FactProcessError: the server could not tell.
    """
    return _read_all(host, [(fact, request)])[0]


def prefetch(host: Host, wanted: Iterable[tuple[type[ScriptFact], Mapping[str, Any]]]) -> None:
    """Read facts that operations will ask for, all in one request.

    Args:
        host: pyinfra's host.
        wanted: facts with their arguments, as `read` gets them.
    """
    _read_all(host, list(wanted), report=False)


def _read_all(
    host: Host, wanted: list[tuple[type[ScriptFact], Mapping[str, Any]]], report: bool = True
) -> list[dict[str, Any]]:
    known = _fresh(host)
    missing = [(fact, request) for fact, request in wanted if _key(fact, request) not in known.answers]
    if missing:
        calls = Calls((fact.script, dict(request)) for fact, request in missing)
        answers = host.get_fact(Several, calls=calls)
        if not answers:
            raise FactProcessError(f"{host.name} did not tell its state.")
        for (fact, request), answer in zip(missing, answers, strict=True):
            known.answers[_key(fact, request)] = answer
        known.activity = _activity(host)
    results = []
    for fact, request in wanted:
        answer = known.answers[_key(fact, request)]
        if report and "error" in answer:
            raise FactProcessError(f"{host.name} did not tell its state ({fact.script}): {answer['error']}")
        results.append(answer.get("result"))
    return results
