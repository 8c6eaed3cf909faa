"""Operations on the server's Python."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.python import Distribution, Environments
from pyinfra_iis.operations import refusal
from pyinfra_iis.operations.changes import Change, show
from pyinfra_iis.operations.windows import stored_path
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Python


@operation()
def installed(
    python: Python, path: str, present: bool = True, applications: Sequence[str] = (r"C:\inetpub",)
) -> Generator[PyinfraCommand, None, None]:
    """Unpack a Python distribution, which `windows.downloads` has brought, into a folder of its own; or remove it.

    Args:
        python: which one.
        path: the folder; versions stand beside each other.
        present: False removes it, when this operation made it and no virtual environment uses it.
        applications: folders with applications, whose virtual environments are looked at before a removal.

    A server without the Python that should exist fails, or with another version of it, or with one that cannot make virtual environments, as the embeddable
    package; so does removing one that something uses.
    """
    state = facts.read(host, Distribution, path=path, sha256=python.sha256)
    if not present:
        yield from _removed(python, path, state, applications)
        return
    if python.kind == "existing":
        if problem := _unfit(python, path, state):
            yield refusal(problem)
        return
    if state["present"]:
        return
    show([Change(path, _found(state), f"Python {python.version}")])
    yield Script(
        "python/install",
        {
            "archive": stored_path(python),
            "kind": python.kind,
            "path": path,
            "version": python.version,
            "sha256": python.sha256,
        },
    )


def _unfit(python: Python, path: str, state: Mapping[str, Any]) -> str:
    """Why a Python that stood there already cannot be used, or nothing."""
    if not state["executable"]:
        return f"{path} on {host.name} holds no python.exe; name the folder of an installed Python {python.version}."
    if state["problem"]:
        return f"The Python in {path} on {host.name} cannot make virtual environments: {state['problem']}"
    found = state["version"] or state["found"]
    if found != python.version:
        return f"{path} on {host.name} holds Python {found}, but {python.version} is wanted; set the version to {found}, or name another folder."
    return ""


def _found(state: Mapping[str, Any]) -> str | None:
    """What stands in the folder, for people."""
    if state["version"] and state["executable"]:
        return f"Python {state['version']} of another distribution"
    if state["version"]:
        return f"damaged Python {state['version']}"
    return "something else" if state["exists"] else None


def _removed(
    python: Python, path: str, state: Mapping[str, Any], applications: Sequence[str]
) -> Generator[PyinfraCommand, None, None]:
    if not state["exists"]:
        return
    if python.kind == "existing" or not state["version"]:
        yield refusal(f"{path} on {host.name} was not made by this operation, so it is not removed.")
        return
    if users := facts.read(host, Environments, path=path, below=list(applications))["environments"]:
        yield refusal(f"{path} on {host.name} is not removed: the Python of {', '.join(users)} lives there.")
        return
    show([Change(path, f"Python {state['version']}", None)])
    if state["kind"] == "installer":
        yield Script("python/uninstall", {"archive": stored_path(python), "path": path})
    else:
        yield Script("windows/remove_directories", {"paths": [path]})
