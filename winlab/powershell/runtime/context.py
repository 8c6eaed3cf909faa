"""Which runspace the current thread runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

_local = threading.local()


def current() -> Runtime:
    """The Runtime (runspace) that this thread runs; RuntimeError when it runs none."""
    runtime: Runtime | None = getattr(_local, "runtime", None)
    if runtime is None:
        raise RuntimeError("no PowerShell runspace on this thread")
    return runtime


def current_or_none() -> Runtime | None:
    """As :func:`current`, None instead of an error."""
    return getattr(_local, "runtime", None)


def set_current(runtime: Runtime | None) -> Runtime | None:
    """Make this the thread's runspace; the former one is returned for the caller to put back."""
    old: Runtime | None = getattr(_local, "runtime", None)
    _local.runtime = runtime
    return old
