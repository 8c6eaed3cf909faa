"""Operations on an application that runs already: a new process, a page for visitors, management commands."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from subprocess import list2cmdline
from typing import Any

from pyinfra import host, logger
from pyinfra.api import FunctionCommand, Host, State, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.output import format_text
from pyinfra.context import ctx_host

from pyinfra_iis import facts
from pyinfra_iis.facts.operate import Operation
from pyinfra_iis.operations import refusal
from pyinfra_iis.operations.changes import Change, show
from pyinfra_iis.operations.explained import WaitingScript
from pyinfra_iis.operations.release import health_check
from pyinfra_iis.powershell import Script
from pyinfra_iis.release.origin import run_note
from pyinfra_iis.settings import WebSettings

Tell = Callable[[Host, dict[str, Any]], None]
"""Takes what a command told, by host; `error` when it failed."""

_ENDING = 120
"""Seconds for the processes of an application that is removed: an app pool gives them 90."""
_ENDED = re.compile(r"manage\.py ended with exit code (?P<code>-?\d+) on \S+\.")


def operation_request(settings: WebSettings) -> dict[str, str]:
    """The arguments of the fact that these operations read."""
    return {
        "root": settings.root,
        "site": settings.site_name,
        "application": settings.site_path,
        "pool": settings.app,
    }


def _health(settings: WebSettings) -> dict[str, Any]:
    check = health_check(settings)
    return {**check.request, "status": check.status, "timeout": check.timeout}


def _refusal(sentence: str, tell: Tell | None) -> FunctionCommand:
    if tell:
        tell(ctx_host.get(), {"error": sentence})
    return refusal(sentence)


def _undeployed(settings: WebSettings, now: Mapping[str, Any]) -> str:
    return "" if now["site"] and now["pool"] else f"{host.name} has no application {settings.app}; deploy it first."


@operation(is_idempotent=False, idempotent_notice="Each run makes a new process.")
def restarted(
    settings: WebSettings, stop: bool = False, tell: Tell | None = None
) -> Generator[PyinfraCommand, None, None]:
    """Give an application a new process, and wait until its site is healthy; nothing else is touched.

    The pool is recycled: requests under way are finished by the old worker process while a new one starts.

    Args:
        settings: the deploy's settings.
        stop: stop the pool and start it instead; visitors get 503 in between. For a process that two of must not run at once.
        tell: takes `was` (the pool's state), `before` and `after` (processes, as in the fact), `status`, `seconds`.
    """
    now = facts.read(host, Operation, **operation_request(settings))
    if sentence := _undeployed(settings, now):
        yield _refusal(sentence, tell)
        return
    show([Change(f"app pool {settings.app} process", _ids(now["processes"]) or "none", "a new one")])
    request = {"site": settings.site_name, "pool": settings.app, "stop": stop}

    def done(on: Host, answer: dict[str, Any]) -> None:
        if tell:
            tell(on, answer)
        if "error" in answer:
            return
        logger.info(
            f"{on.print_prefix}process {_ids(answer['before']) or 'none'} -> {_ids(answer['after']) or 'none'}, "
            f"healthy ({answer['status']}) after {answer['seconds']} s"
        )

    yield _telling(WaitingScript("operate/restart", request, health_check(settings)), done)


def _ids(processes: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(process["id"]) for process in processes)


@operation()
def maintenance(
    settings: WebSettings, on: bool, retry_after: int = 600, page: str = "", tell: Tell | None = None
) -> Generator[PyinfraCommand, None, None]:
    """Show visitors a page with status 503 instead of the application, or the application again. Nothing restarts for it; other sites stay as they are.

    It outlives deploys: their own requests get through to the application, visitors do not.

    Args:
        settings: the deploy's settings.
        on: whether visitors get the page.
        retry_after: seconds after which clients may ask again, in the header Retry-After.
        page: the page, HTML.
        tell: takes `status`, what a visitor gets.
    """
    now = facts.read(host, Operation, **operation_request(settings))
    current = now["maintenance"]
    wanted = {"retry_after": retry_after, "page": hashlib.sha256(page.encode()).hexdigest()}
    if not on and not current:
        return
    if on and current and {key: current[key] for key in wanted} == wanted:
        return
    if sentence := _undeployed(settings, now) or (_ungated(settings) if on and not now["gate"] else ""):
        yield _refusal(sentence, tell)
        return
    what = f"site {settings.app} maintenance"
    show([Change(what, _described(current), _described(wanted) if on else "off")])
    request = {"site": settings.site_name, "root": settings.root, "on": on}
    if on:
        yield _telling(
            Script(
                "operate/maintenance",
                {**request, "retry_after": retry_after, "health": _health(settings)},
                hidden={"page": page},
                secrets={"token": secrets.token_urlsafe(24)},
            ),
            tell,
        )
    else:
        yield _telling(WaitingScript("operate/maintenance", request, health_check(settings)), tell)


def _described(notice: Mapping[str, Any] | None) -> str:
    return f"retry after {notice['retry_after']} s, page {notice['page'][:12]}" if notice else "off"


def _ungated(settings: WebSettings) -> str:
    if settings.server == "command":
        hint = "its server is a command of your own, which has to serve pyinfra_iis_gate:application; see docs/operating.md"
    else:
        hint = "it was deployed by an earlier version of this module; deploy again first"
    return f"The live release of {settings.app} on {host.name} cannot show a page of maintenance: {hint}."


@operation(is_idempotent=False, idempotent_notice="Each run runs the command.")
def managed(
    settings: WebSettings,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    tell: Tell | None = None,
) -> Generator[PyinfraCommand, None, None]:
    """Run manage.py of the live release, with its Python and the variables of its app pool; the output is printed as it comes.

    Args:
        settings: the deploy's settings.
        arguments: what follows `manage.py`; each arrives as it is.
        environment: further environment variables for the command; shown nowhere.
        tell: takes `exit_code`, `stdout` and `stderr` (lines).
    """
    where = {"site": settings.site_name, "application": settings.site_path, "pool": settings.app}
    request = {**where, "arguments": list2cmdline(arguments)}
    script = Script("operate/manage", request, secrets=dict(environment or {}))
    yield FunctionCommand(_run_manage, [script, tell], {})


def _run_manage(state: State, host: Host, script: Script, tell: Tell | None) -> bool:
    succeeded, output = host.run_shell_command(
        script, print_output=True, print_input=state.print_input, **script.connector_arguments
    )
    lines = output.stderr_lines
    ended = _ENDED.fullmatch(lines[-1]) if lines and not succeeded else None
    if tell:
        code = 0 if succeeded else int(ended["code"]) if ended else None
        tell(host, {"exit_code": code, "stdout": output.stdout_lines, "stderr": lines[:-1] if ended else lines})
    return succeeded


def _telling(script: Script, tell: Tell | None) -> FunctionCommand:
    """A command that runs a script and hands on what it told."""
    return FunctionCommand(_run_script, [script, tell], {})


def _run_script(state: State, host: Host, script: Script, tell: Tell | None) -> bool:
    succeeded, output = script.execute(state, host, {})
    if not succeeded:
        if not state.print_output:
            for line in output.stderr_lines:
                logger.error(f"{host.print_prefix}{format_text(line, 'red')}")
        if tell:
            tell(host, {"error": output.stderr})
        return False
    if tell:
        tell(host, json.loads(output.stdout))
    return True


@operation()
def locked(settings: WebSettings, needed: bool = True) -> Generator[PyinfraCommand, None, None]:
    """Keep deploys of an application out until this run ends; fails when one is under way.

    Args:
        settings: the deploy's settings.
        needed: False does nothing.
    """
    if needed:
        yield Script("operate/lock", {"root": settings.root, "by": run_note()})


@operation()
def files_removed(
    settings: WebSettings, folders: Sequence[str], files: Sequence[str], was_locked: bool = False
) -> Generator[PyinfraCommand, None, None]:
    """Remove folders and files of an application that is served no more; waits for its processes to end.

    Args:
        settings: the deploy's settings.
        folders: paths of folders; they go with all that they hold.
        files: paths of files.
        was_locked: `locked` has made a note there, which goes too.
    """
    if not folders and not files and not was_locked:
        return
    show(Change(path, "folder", None) for path in folders)
    show(Change(path, "file", None) for path in files)
    request = {"root": settings.root, "folders": list(folders), "files": list(files), "timeout": _ENDING}
    yield Script("operate/remove_files", request)
