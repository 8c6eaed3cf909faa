"""Deploys about releases that are on the servers already: go back, list."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pyinfra import host
from pyinfra.api import DeployError, deploy
from pyinfra.context import ctx_host

from pyinfra_iis import facts
from pyinfra_iis.deploys.operate.ask import NoAnswer, answer_of, running_settings
from pyinfra_iis.deploys.operate.report import Report, report, table
from pyinfra_iis.facts.release import Records, Releases
from pyinfra_iis.operations import release
from pyinfra_iis.operations.iis import Site
from pyinfra_iis.operations.release import health_check, previous_good


@deploy("Roll back")
def rollback(to: str = "", **options: Any) -> None:
    """Make an earlier release live again.

    Args:
        to: which release; empty for the good one before the live one. The live one is then marked as bad.
        options: as for `running_settings`.

    Raises:
        DeployError: there is no such release on the server, or its virtual environment is gone.
    """
    settings = running_settings(options)
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
        settings.site_name,
        rf"{settings.root}\releases\{target}",
        settings.app,
        settings.bindings,
        settings.certificate,
        application=settings.site_path,
    )
    release.rolled_back(
        name=f"Go back to release {target}",
        settings=settings,
        target=target,
        site=site,
        check=health_check(settings),
        mark=not to,
    )


def list_releases(**options: Any) -> None:
    """Tell which releases each server holds, the latest first: who made them, when, from which commit. Changes nothing.

    A table; with pyinfra's `--json` the same as JSON: by host, `app` and `releases`, each with `release`, `live`, `bad`, `target` (rollback goes
    there), `live_since`, `made`, `by`, `commit`, `ref`, `size` (bytes, or null) and `environment`.

    Args:
        options: as for `running_settings`.

    Raises:
        DeployError: settings that cannot be used.
    """
    settings = running_settings(options)
    answers = report("List releases", partial(Report, text=_table))
    answers.add_to_json()
    try:
        held = answer_of(host, Releases, release.state_request(settings))
        records = answer_of(host, Records, {"root": settings.root})["records"]
    except NoAnswer as error:
        answers.add_silent(ctx_host.get(), str(error))
    else:
        answers.add(ctx_host.get(), {"app": settings.app, "releases": _releases(held, records)})


def _releases(state: Mapping[str, Any], records: Mapping[str, Any]) -> list[dict[str, Any]]:
    times = {name: time for time, name in map(str.split, state["history"])}
    environments = dict(line.split() for line in state["index"])
    target = previous_good(state)
    found = []
    for name in state["releases"]:
        record = records.get(name, {})
        found.append(
            {
                "release": name,
                "live": name == state["live"],
                "bad": name in state["bad"],
                "target": name == target,
                "live_since": times.get(name, ""),
                **{key: record.get(key, "") for key in ("made", "by", "commit", "ref")},
                "size": record.get("size"),
                "environment": environments.get(name, ""),
            }
        )
    return sorted(found, key=lambda item: (item["live_since"], item["made"], item["release"]), reverse=True)


def _table(answers: Mapping[str, Any]) -> str:
    rows: list[tuple[str, ...]] = [
        ("host", "release", "live since", "made", "by", "commit", "size", "environment", "notes")
    ]
    for name, answer in answers.items():
        for item in answer["releases"]:
            notes = [
                word for word, key in (("live", "live"), ("bad", "bad"), ("back goes here", "target")) if item[key]
            ]
            commit = item["commit"][:12] + "+" * item["commit"].endswith("+")
            rows.append(
                (
                    *(name, item["release"], item["live_since"], item["made"], item["by"]),
                    f"{commit} ({item['ref']})" if item["ref"] else commit,
                    _size(item["size"]),
                    *(item["environment"], ", ".join(notes)),
                )
            )
        if not answer["releases"]:
            rows.append((name, "none", *[""] * 7))
    return table(rows)


def _size(number: int | None) -> str:
    if number is None:
        return ""
    return f"{number / 1_000_000:.1f} MB" if number >= 1_000_000 else f"{number / 1000:.1f} KB"
