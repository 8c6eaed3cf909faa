"""Which simulated process the running thread belongs to: how a terminated process notices that it is dead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from winlab.windows import turns
from winlab.windows.errors import ProcessKilled

if TYPE_CHECKING:
    from winlab.windows.processes import Process

_local = threading.local()


def enter(process: Process | None) -> None:
    """Says that this thread runs `process` from now on (None: no simulated process)."""
    _local.process = process
    if process is not None:
        turns.enter()
    else:
        turns.leave()


def current_process() -> Process | None:
    """The simulated process this thread runs, if any."""
    return getattr(_local, "process", None)


def check_killed() -> None:
    """Raises ProcessKilled in a thread whose process has been terminated; elsewhere nothing."""
    process = getattr(_local, "process", None)
    if process is not None and process.killed:
        raise ProcessKilled


@contextmanager
def by_service() -> Iterator[None]:
    """What a service does for its caller in here (setup's TrustedInstaller, Windows Installer): the caller's end does not stop it half way."""
    process = current_process()
    _local.process = None
    try:
        yield
    finally:
        _local.process = process
