"""Why a site does not work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from pyinfra import host, state
from pyinfra.api import DeployError
from pyinfra.api.exceptions import FactError
from pyinfra.context import ctx_host

from pyinfra_iis.deploys.operate.ask import running_settings
from pyinfra_iis.deploys.operate.report import Report, report
from pyinfra_iis.diagnosis import Diagnosis, examine
from pyinfra_iis.diagnosis.text import lines
from pyinfra_iis.facts.diagnosis import look
from pyinfra_iis.operations.release import health_check

NAME = "Diagnose"


def diagnose(
    site: str = "",
    application: str = "/",
    path: str = "",
    name: str = "",
    timeout: int = 60,
    **options: Any,
) -> Diagnosis | None:
    """Look at a site as an expert would, and print what is wrong: cause, evidence, fix. A site that does not work fails the host. Changes nothing.

    Args:
        site: the site's name in IIS, made by anybody; default the one of the settings.
        application: the path of the application in it.
        path: what is asked for; default the settings' health path, else the application's own path.
        name: the host name that visitors use; default the bindings' own, else the settings'.
        timeout: seconds to wait for an answer through each binding, 1 to 3600.
        options: as for `running_settings`, where no site is named.

    Returns:
        The diagnosis; None when the server told nothing.

    Raises:
        DeployError: arguments or settings that cannot be used.
    """
    if not 1 <= timeout <= 3600:
        raise DeployError(f"{host.name}: timeout is {timeout}; say 1 to 3600 seconds.")
    status = 0
    if not site:
        check = health_check(running_settings(options))
        site, application = check.site, check.application
        path, name, status = path or check.path, name or check.host.partition(":")[0], check.status
    answers = report(NAME, partial(Report, text=show))
    answers.add_to_json()
    try:
        found = examine(look(host, site, application=application, path=path, name=name, timeout=timeout), status)
    except FactError as error:
        answers.add_silent(ctx_host.get(), str(error))
        return None
    answers.add(ctx_host.get(), found.to_dict())
    if not found.healthy:
        _fail()
    return found


def _fail() -> None:
    """The exit code says it; the host stays in the run until then, or pyinfra would end without its JSON document when it is the last one."""
    state.failed_hosts.add(ctx_host.get())


def show(answers: Mapping[str, Any]) -> str:
    """The diagnoses of all hosts as text."""
    return "\n".join(line for name, answer in answers.items() for line in _lines(name, answer))


def _lines(name: str, answer: Mapping[str, Any]) -> Iterable[str]:
    state = "is healthy" if answer["healthy"] else "does not work"
    yield f"{name}: {answer['site']} {state} ({answer['answer']})"
    yield from (f"  {line}" for line in lines(answer))
