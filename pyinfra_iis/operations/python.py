"""Operations on the server's Python."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.python import Distribution
from pyinfra_iis.operations import refusal, show_changes
from pyinfra_iis.operations.windows import stored_path
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Python


@operation()
def installed(python: Python, path: str) -> Generator[PyinfraCommand, None, None]:
    """Unpack a Python distribution, which `windows.downloads` has brought, into a folder of its own.

    Args:
        python: which one.
        path: the folder; versions stand beside each other.

    A server without the Python that should exist fails.
    """
    state = facts.read(host, Distribution, path=path, sha256=python.sha256)
    if python.kind == "existing":
        if not state["executable"]:
            yield refusal(
                f"{path} on {host.name} holds no python.exe; name the folder of an installed Python {python.version}."
            )
        return
    if state["present"]:
        return
    show_changes([(path, None, f"Python {python.version}")])
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
