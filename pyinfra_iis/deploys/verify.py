"""Drift: a server compared with what would be deployed."""

from __future__ import annotations

from typing import Any

from pyinfra import state
from pyinfra.api import deploy

from pyinfra_iis.deploys.kinds import any_settings, steps_of
from pyinfra_iis.deploys.web import add_steps, fail_host


def verify(**options: Any) -> None:
    """Compare a server with what the deploy would make of it; a difference is shown and fails the host. Changes nothing.

    Args:
        options: as for `any_settings`.

    Raises:
        DeployError: settings or a project that cannot be deployed.
    """
    _verify(**options, _if=lambda: False)


@deploy("Verify")
def _verify(**options: Any) -> None:
    state.config.DIFF = True
    # What a server should be like does not depend on how it got there.
    settings = any_settings(options).model_copy(update={"rollout": None})
    added = add_steps(steps_of(settings), settings)
    drift = [name for name, operation in added.items() if operation.will_change]
    if drift:
        fail_host(f"differs from what would be deployed: {', '.join(drift)}.")
