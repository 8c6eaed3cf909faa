"""What the user lets run on the controlling machine before and after a host is switched, for a load balancer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import gevent

Hook = str | Sequence[str] | Callable[..., Any]

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>\S*)")
_NAMED = re.compile(
    r"(?<!\S)(?:--?(?P<option>[A-Za-z][\w-]*)(?:=|\s+)|(?P<variable>[A-Za-z_]\w*)=)(?P<value>\"[^\"]*\"|'[^']*'|[^\s;&|()]+)"
)


class HookError(Exception):
    """A hook that failed; the text is one sentence.

    Attributes:
        lines: what it printed.
    """

    def __init__(self, sentence: str, lines: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.lines = list(lines)


@dataclass(frozen=True)
class Event:
    """What a hook is told; a command finds it in its environment, the names in capitals after `PYINFRA_IIS_`.

    Attributes:
        when: `before` or `after` the switch.
        host: the host's name as in the inventory, without `@winrm/`.
        release: the release that the host gets: the new one, or the one before when it is put back.
        previous: the release that is live there before the switch, or empty.
        app: the application's name.
        wave: the number of the host's wave.
        outcome: after: `live` (it serves `release`) or `failed` (it does not, but serves `previous` as before); empty before.
        data: pyinfra's host; for Python functions only.
    """

    when: Literal["before", "after"]
    host: str
    release: str
    previous: str
    app: str
    wave: int
    outcome: str = ""
    data: Any = field(default=None, compare=False)

    @property
    def environment(self) -> dict[str, str]:
        """The event as environment variables."""
        names = ("when", "host", "release", "previous", "app", "wave", "outcome")
        return {f"PYINFRA_IIS_{name.upper()}": str(getattr(self, name)) for name in names}


def name(hook: Hook) -> str:
    """What a hook is called: a function's name, or the program without its arguments, which may hold a password."""
    if callable(hook):
        return getattr(hook, "__name__", "a function")
    words = hook.split() if isinstance(hook, str) else list(hook)
    # A text for the shell may begin with variables.
    return next((word for word in words if not isinstance(hook, str) or not _ASSIGNMENT.fullmatch(word)), "a command")


def secrets(hook: Hook | None, sounds_secret: Callable[[str], bool]) -> set[str]:
    """Values in a hook's command that stand behind a name which sounds secret: `TOKEN=abc`, `--password abc`.

    Args:
        hook: the hook.
        sounds_secret: whether a name says that its value is a secret.
    """
    if hook is None or callable(hook):
        return set()
    text = hook if isinstance(hook, str) else " ".join(hook)
    return {
        match["value"].strip("\"'")
        for match in _NAMED.finditer(text)
        if sounds_secret(match["option"] or match["variable"])
    }


def run(hook: Hook, event: Event, timeout: float) -> list[str]:
    """Run a hook; returns what it printed.

    Args:
        hook: a text for the shell, a list of arguments, or a function that gets the event; it fails by an exception or by returning False.
        event: what it is told.
        timeout: seconds until it is given up; a command is ended then with all that it started.

    Raises:
        HookError: it failed.
    """
    if callable(hook):
        return _call(hook, event, timeout)
    return _command(hook, event, timeout)


def _call(hook: Callable[..., Any], event: Event, timeout: float) -> list[str]:
    called = name(hook)
    limit = TimeoutError()
    try:
        with gevent.Timeout(timeout, exception=limit):
            answer = hook(event)
    except TimeoutError as error:
        if error is not limit:
            raise HookError(f"the hook {called} failed: {type(error).__name__}: {error}") from error
        raise HookError(f"the hook {called} did not end within {timeout:g} s") from None
    except SystemExit as end:
        if end.code not in (None, 0):
            raise HookError(f"the hook {called} ended with {end.code}") from None
        return []
    except Exception as error:
        raise HookError(f"the hook {called} failed: {type(error).__name__}: {error}") from error
    if answer is False:
        raise HookError(f"the hook {called} said no")
    return []


def _command(hook: str | Sequence[str], event: Event, timeout: float) -> list[str]:
    command = hook if isinstance(hook, str) else list(hook)
    called = name(hook)
    try:
        # A group of its own, so that everything that it started can be ended with it.
        process = subprocess.Popen(
            command, shell=isinstance(command, str), env={**os.environ, **event.environment}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise HookError(f"the hook '{called}' cannot be run: {error.strerror}") from None
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _end(process)
        output, _ = process.communicate()
        raise HookError(
            f"the hook '{called}' did not end within {timeout:g} s and was ended", output.splitlines()
        ) from None
    lines = output.splitlines()
    if process.returncode:
        last = f": {lines[-1]}" if lines else ""
        raise HookError(f"the hook '{called}' ended with exit code {process.returncode}{last}", lines)
    return lines


def _end(process: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
