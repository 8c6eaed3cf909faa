"""A new process for an application."""

from __future__ import annotations

from typing import Any

from pyinfra_iis.deploys.operate.ask import running_settings
from pyinfra_iis.deploys.operate.report import Actions, report
from pyinfra_iis.operations import operate


def restart(stop: bool = False, **options: Any) -> None:
    """Recycle the app pool and wait until the site is healthy; the run says old process -> new process.

    Args:
        stop: stop the pool and start it instead of recycling it.
        options: as for `running_settings`.

    Raises:
        DeployError: settings that cannot be used.
    """
    settings = running_settings(options)
    answers = report("Restart", Actions)
    answers.attach(
        operate.restarted(name=f"Restart {settings.app}", settings=settings, stop=stop, tell=answers.add_later)
    )
