"""Takes an application off a server; IIS, HttpPlatformHandler and everything of others stay."""

from __future__ import annotations

from typing import Any

from pyinfra import logger
from pyinfra.api.operation import OperationMeta
from pyinfra.context import ctx_host

from pyinfra_iis import facts
from pyinfra_iis.deploys.operate.ask import running_settings
from pyinfra_iis.deploys.operate.report import Actions, report
from pyinfra_iis.deploys.web import fail_host
from pyinfra_iis.facts.operate import Operation, Removal
from pyinfra_iis.facts.windows import FirewallRule
from pyinfra_iis.operations import iis, operate, windows
from pyinfra_iis.settings import WebSettings


def remove(purge: bool = False, **options: Any) -> None:
    """Remove site, app pool, certificate bindings, firewall rule, releases and virtual environments, and the Python when nobody else uses it.

    What people made stays: data, media and logs, unless `purge`. A second run changes nothing; a deploy afterwards works.

    Args:
        purge: remove data, media and logs too.
        options: as for `running_settings`.

    Raises:
        DeployError: settings that cannot be used; something that the deploy did not make stands in the way.
    """
    settings = running_settings(options)
    host = ctx_host.get()
    request = {**operate.operation_request(settings), "python": settings.python_directory, "purge": purge}
    rule = f"pyinfra-iis-{settings.app}"
    facts.prefetch(
        host,
        [
            (Removal, request),
            (Operation, operate.operation_request(settings)),
            (FirewallRule, {"name": rule}),
        ],
    )
    there = facts.read(host, Removal, **request)
    now = facts.read(host, Operation, **operate.operation_request(settings))
    if sentence := _obstacle(settings, there):
        fail_host(f"{host.name}: {sentence}")
        return
    if deploying := now["deploying"]:
        # Whether it really is under way is found out when the lock is taken, before anything is removed.
        since = f" since {deploying['since']}" if deploying["since"] else ""
        logger.warning(f"{host.print_prefix}{deploying['by'] or 'somebody'} deploys {settings.app} just now{since}.")
    keeps_pool = bool(there["pool_users"])
    if keeps_pool:
        logger.warning(f"{host.print_prefix}app pool {settings.app} stays: {', '.join(there['pool_users'])} uses it.")
    answers = report("Remove", Actions)
    is_there = bool(there["folders"] or there["files"] or now["site"] or (now["pool"] and not keeps_pool))
    made = [operate.locked(name=f"Keep deploys of {settings.app} out", settings=settings, needed=is_there)]
    python = there["python"]
    takes_python = (
        python["exists"] and python["made"] and not python["users"] and settings.python.kind in ("zip", "nuget")
    )
    if python["exists"] and not takes_python and now["pool"] and not keeps_pool:
        # Only while the pool is there does Windows know its identity's name.
        made.append(
            windows.directories(
                name="Take back access to Python",
                folders={settings.python_directory: {rf"IIS AppPool\{settings.app}": None}},
            )
        )
    if settings.path:
        # The site is somebody else's, and may be gone.
        edits = [iis.edits.application(settings.site, settings.path, present=False)] if there["path"] else []
    else:
        edits = [iis.edits.site(settings.app, present=False)]
    edits += [] if keeps_pool else [iis.edits.app_pool(settings.app, present=False)]
    made.append(
        iis.configuration(name=f"Remove {'application' if settings.path else 'site'} {settings.app}", more=edits)
    )
    made.append(windows.firewall_rule(name="Close the firewall", rule=rule, present=False))
    made.append(
        operate.files_removed(
            name=f"Remove the files of {settings.app}",
            settings=settings,
            folders=there["folders"],
            files=there["files"],
            was_locked=is_there,
        )
    )
    if takes_python:
        folders: dict[str, dict[str, str | None]] = {settings.python_directory: {}}
        made.append(windows.directories(name="Remove its Python", folders=folders, present=False))
    _tell(answers, made, settings, there, takes_python)


def _obstacle(settings: WebSettings, there: dict[str, Any]) -> str:
    root = settings.root.lower() + "\\"
    if there["path"] and not (there["path"].lower() + "\\").startswith(root):
        return f"the site {settings.title} serves {there['path']}, which is none of this deploy's folders; nothing is removed."
    if there["applications"]:
        names = ", ".join(there["applications"])
        return f"the site {settings.app} holds {names}, which this deploy did not make; remove that first."
    return ""


def _tell(
    answers: Actions, made: list[OperationMeta], settings: WebSettings, there: dict[str, Any], takes_python: bool
) -> None:
    host = ctx_host.get()
    stays = []
    if there["shared"]:
        stays.append(f"{there['shared']} (data, media, logs; --data purge=1 removes it)")
    python = there["python"]
    if python["exists"] and not takes_python:
        why = f"used by {', '.join(python['users'])}" if python["users"] else "not made by a deploy as a folder"
        stays.append(f"{settings.python_directory} ({why})")
    for text in stays:
        logger.info(f"{host.print_prefix}stays: {text}")
    answers.attach(made[0])
    answers.add_later(host, {"stays": stays})


__all__ = ["remove"]
