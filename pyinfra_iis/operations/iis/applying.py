"""From a description of what is wanted to commands: the server compares, the changes are shown, one script makes them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Generator, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from pyinfra import host
from pyinfra.api import HiddenValue
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import Configuration
from pyinfra_iis.operations import refusal
from pyinfra_iis.operations.changes import MASK, Change, show, sounds_secret
from pyinfra_iis.operations.iis.edits import Edits, announced, is_secret
from pyinfra_iis.powershell import Script

F = TypeVar("F", bound=Callable[..., Any])

_STATE_NAMES = {"pool": "app pool", "site": "site"}


def bring(edits: Edits) -> Generator[PyinfraCommand, None, None]:
    """Bring IIS to what is wanted, in one commit, and wait for the states.

    Args:
        edits: what is wanted.
    """
    answer = facts.read(host, Configuration, **edits.request)
    if answer["problems"]:
        yield refusal(f"{host.name}: {' '.join(answer['problems'])}")
        return
    changes = differences(edits, answer)
    if not changes:
        return
    show(changes)
    yield Script("iis/apply", edits.request, secrets=edits.secrets)


def differences(edits: Edits, answer: Mapping[str, Any]) -> list[Change]:
    """What would change on a server that gave an answer.

    Args:
        edits: what is wanted.
        answer: the fact `Configuration` about it.
    """
    if not answer["installed"]:
        return [
            *announced(edits.sections),
            *[
                Change(_binding_certificate(item), None, item["wanted"]["thumbprint"] or item["wanted"]["subject"])
                for item in edits.certificates
            ],
            *[Change(_state(item), None, "Stopped") for item in edits.states if item["state"] == "Stopped"],
        ]
    changes = [change for item in answer["changes"] if (change := _change(item, edits.secrets))]
    missing = [entry for entry in edits.sections if _name(entry) in answer["missing"]]
    changes += announced(missing)
    for wanted, found in zip(edits.states, answer["states"], strict=True):
        state = found["state"]
        if state is None and wanted["state"] == "Started":
            continue  # It is made by this, and starts.
        if state not in (wanted["state"], {"Started": "Starting", "Stopped": "Stopping"}[wanted["state"]]):
            changes.append(Change(_state(wanted), state, wanted["state"]))
    return changes


def _state(wanted: Mapping[str, str]) -> str:
    return f"{_STATE_NAMES[wanted['kind']]} {wanted['name']} state"


def _name(entry: Mapping[str, Any]) -> str:
    """A section as the server names one that it misses."""
    return f"{entry.get('section')} {entry.get('location', '')}".rstrip()


def _binding_certificate(item: Mapping[str, Any]) -> str:
    return f"site {item['site']} binding https {item['information']} certificate"


def _change(item: Mapping[str, Any], secrets: Mapping[str, str]) -> Change | None:
    """One entry of the server's answer; None for a secret that is right already."""
    if "secret" not in item:
        return Change(item["what"], item["old"], item["new"], secret=MASK in (item["old"], item["new"]))
    if item["hash"]:
        salt = base64.b64decode(item["salt"])
        found = hashlib.pbkdf2_hmac("sha1", secrets[item["secret"]].encode(), salt, 1000)
        if base64.b64encode(found).decode() == item["hash"]:
            return None
    return Change(item["what"], item["old"], item["new"], secret=True)


def discreet(operation: F) -> F:
    """Keep secrets out of what pyinfra prints of an operation's arguments."""

    @wraps(operation)
    def call(*args: Any, **kwargs: Any) -> Any:
        return operation(*args, **{name: _hidden(name, value) for name, value in kwargs.items()})

    return cast(F, call)


class _HiddenMapping(dict[str, Any]):
    """A mapping that prints without the values of its secrets."""

    def __init__(self, values: Mapping[str, Any], everything: bool) -> None:
        super().__init__(values)
        self.everything = everything

    def __repr__(self) -> str:
        return repr({name: MASK if self.everything else value for name, value in self.items()})

    __str__ = __repr__


def _hidden(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        everything = name.startswith("secret")
        return _HiddenMapping(
            {key: item if everything else _hidden(str(key), item) for key, item in value.items()}, everything
        )
    if isinstance(value, str) and (sounds_secret(name) or is_secret(name, value)):
        return HiddenValue(value)
    return value
