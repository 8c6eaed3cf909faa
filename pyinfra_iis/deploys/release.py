"""Deploys about releases that are on the servers already: go back, list."""

from __future__ import annotations

from typing import Any

from pyinfra import host, logger
from pyinfra.api import DeployError, deploy

from pyinfra_iis import facts
from pyinfra_iis.deploys.kinds import any_settings
from pyinfra_iis.facts.release import Releases
from pyinfra_iis.operations import release
from pyinfra_iis.operations.iis import Site
from pyinfra_iis.operations.release import health_check, previous_good


@deploy("Roll back")
def rollback(to: str = "", **options: Any) -> None:
    """Make an earlier release live again.

    Args:
        to: which release; empty for the good one before the live one. The live one is then marked as bad.
        options: as for `any_settings`.

    Raises:
        DeployError: there is no such release on the server, or its virtual environment is gone.
    """
    settings = any_settings(options)
    state = facts.read(host, Releases, **release.state_request(settings))
    target = to or previous_good(state)
    if not target:
        raise DeployError(
            f"{host.name} holds no good release of {settings.app} before the live one ({state['live'] or 'none'})."
        )
    if target not in state["releases"]:
        raise DeployError(
            f"{host.name} holds no release {target} of {settings.app}; it has {', '.join(state['releases']) or 'none'}."
        )
    environment = dict(line.split() for line in state["index"]).get(target)
    if environment not in state["environments"]:
        raise DeployError(
            f"The virtual environment {environment} of release {target} is gone from {host.name}; deploy it again."
        )
    site = Site(
        settings.app, rf"{settings.root}\releases\{target}", settings.app, settings.bindings, settings.certificate
    )
    release.rolled_back(
        name=f"Go back to release {target}",
        settings=settings,
        target=target,
        site=site,
        check=health_check(settings),
        mark=not to,
    )


@deploy("List releases")
def list_releases(**options: Any) -> None:
    """Print the releases that a server holds; changes nothing.

    Args:
        options: as for `any_settings`.
    """
    settings = any_settings(options)
    state = facts.read(host, Releases, **release.state_request(settings))
    times: dict[str, str] = {}
    for line in state["history"]:
        time, name = line.split()
        times[name] = time
    environments = dict(line.split() for line in state["index"])
    for name in sorted(state["releases"], key=lambda name: times.get(name, "")):
        notes = [note for note, true in (("live", name == state["live"]), ("bad", name in state["bad"])) if true]
        logger.info(
            f"{host.print_prefix}{name}  live since {times.get(name, 'never'):20}  environment {environments.get(name, '?')}  "
            + ", ".join(notes)
        )
