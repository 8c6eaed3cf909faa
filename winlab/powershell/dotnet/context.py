"""Which runspace the running thread evaluates for: how static .NET members reach the server, the identity and the current directory."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported


def current() -> Any:
    """The runtime of this thread, or None."""
    from winlab.powershell.runtime import context as engine

    return engine.current_or_none()


def runtime() -> Any:
    """The runtime of this thread; LabUnsupported outside of a runspace."""
    found = current()
    if found is None:
        raise LabUnsupported("this member outside of a PowerShell process")
    return found


def machine() -> Any:
    """The simulated server."""
    return runtime().machine


def user() -> Any:
    """The token that file access and the like is checked against."""
    return runtime().user


def check() -> None:
    """Raises when the process is being killed or the pipeline stopped; called from every waiting loop."""
    found = current()
    if found is not None:
        found.check()


def process_directory() -> str:
    """The current directory of the process, which is what relative paths of .NET mean (not PowerShell's location)."""
    found = runtime()
    directory = getattr(found, "process_directory", None)
    if directory:
        return str(directory)
    return "C:\\Windows\\system32"


def set_process_directory(path: str) -> None:
    runtime().process_directory = path


def shared(name: str, factory: Any) -> Any:
    """An object that belongs to the simulated server as a whole (named mutexes and the like), made on first use."""
    server = machine()
    with server.lock:
        table = server.__dict__.setdefault("_dotnet_shared", {})
        if name not in table:
            table[name] = factory()
        return table[name]


def per_process(name: str, factory: Any) -> Any:
    """An object that belongs to this PowerShell process (static state of .NET), made on first use."""
    found = runtime()
    holder = getattr(found, "process_state", None)
    table = holder if isinstance(holder, dict) else found.__dict__.setdefault("_dotnet_state", {})
    if name not in table:
        table[name] = factory()
    return table[name]
