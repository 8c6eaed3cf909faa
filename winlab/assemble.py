"""A server from its rooms: the simulated Windows, with IIS attached where its service exists."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

from winlab.windows.machine import Machine


def machine(
    name: str, version: str, address: str, folder: Path, loop: asyncio.AbstractEventLoop | None = None
) -> Machine:
    """The server kept in `folder`, made bare when there is none.

    Args:
        version: key of Windows' versions, e.g. `2022`.
        loop: the loop of services that listen; None for a scratch server.
    """
    made = Machine(name, version, address, folder, loop=loop)
    attach = getattr(importlib.import_module("winlab.iis.server"), "attach", None)
    if attach is not None:
        attach(made)
    return made
