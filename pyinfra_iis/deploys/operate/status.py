"""How an application does on each server just now."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from pyinfra.context import ctx_host

from pyinfra_iis.deploys.operate.ask import NoAnswer, ask, running_settings
from pyinfra_iis.deploys.operate.report import Report, report, table
from pyinfra_iis.facts import ScriptFact
from pyinfra_iis.facts.iis import Health, HttpPlatformHandler
from pyinfra_iis.facts.operate import Operation
from pyinfra_iis.facts.release import Releases
from pyinfra_iis.facts.windows import Server
from pyinfra_iis.operations import httpplatform
from pyinfra_iis.operations.operate import operation_request
from pyinfra_iis.operations.release import health_check, previous_good, state_request
from pyinfra_iis.settings import WebSettings

NAME = "Status"
SOON = 30
"""Days before a certificate's end that are worth a mark."""
FULL = 1 << 30
"""Free bytes below which a disk is worth a mark."""
_HEADING = (
    *("host", "app", "state", "release", "live since", "previous", "process", "up", "health"),
    *("Python", "handler", "certificate", "disk free", "notes"),
)


def status(**options: Any) -> None:
    """Tell how an application does on each server: one request per host, nothing is changed.

    A table for several hosts, all details for one; with pyinfra's `--json` the same as JSON, see `report`.

    Args:
        options: as for `running_settings`.

    Raises:
        DeployError: settings that cannot be used.
    """
    settings = running_settings(options)
    answers = report(NAME, partial(Report, text=show, absent=partial(_absent, settings.app)))
    answers.add_to_json()
    try:
        answer = _answer(settings)
    except NoAnswer as error:
        answers.add_silent(ctx_host.get(), str(error))
    else:
        answers.add(ctx_host.get(), answer)


def _absent(app: str, reason: str) -> dict[str, Any]:
    return {"state": "no answer", "app": app, "problems": [reason]}


def _answer(settings: WebSettings) -> dict[str, Any]:
    check = health_check(settings)
    wanted: list[tuple[type[ScriptFact], dict[str, Any]]] = [
        (Server, {}),
        (HttpPlatformHandler, {}),
        (Releases, state_request(settings)),
        (Operation, operation_request(settings)),
        (Health, check.request),
    ]
    found: dict[type[ScriptFact], dict[str, Any]] = {}
    problems: list[str] = []
    for (fact, _), answer in zip(wanted, ask(ctx_host.get(), wanted), strict=True):
        # One thing that cannot be told hides nothing of the rest.
        found[fact] = answer.get("result") or {}
        if "error" in answer:
            problems.append(f"{fact.script}: {answer['error']}")
    operation, health, releases = found[Operation], found[Health], found[Releases]
    problems += operation.get("problems", [])
    live = releases.get("live", "")
    since = next((line.split()[0] for line in reversed(releases.get("history", [])) if line.split()[-1] == live), "")
    told: dict[str, Any] = {
        "app": settings.app,
        "server": {key: found[Server].get(key, "") for key in ("name", "product")},
        "time": operation.get("time", ""),
        "release": live,
        "live_since": since if live else "",
        "previous": previous_good(releases) if releases else "",
        "site": operation.get("site", ""),
        "pool": operation.get("pool", ""),
        "processes": operation.get("processes", []),
        "health": {
            "status": health.get("status", 0),
            "healthy": bool(health) and check.accepts(health["status"]),
            "problem": health.get("problem", ""),
            "address": check.address,
        },
        "python": operation.get("python", ""),
        "handler": httpplatform.installed_version(found[HttpPlatformHandler].get("products", [])),
        "certificates": operation.get("certificates", []),
        "disk": operation.get("disk"),
        "maintenance": operation.get("maintenance"),
        "draining": operation.get("draining", False),
        "deploying": operation.get("deploying"),
        "problems": problems,
    }
    return {"state": _state(told, operation.get("installed", False)), **told}


def _state(answer: dict[str, Any], installed: bool) -> str:
    """One word for a server: what a visitor gets."""
    if not installed:
        return "bare"
    if not answer["site"]:
        return "not deployed"
    if answer["site"] != "Started" or answer["pool"] != "Started":
        return "stopped"
    if not answer["health"]["healthy"]:
        return "unhealthy"
    if answer["maintenance"]:
        return "maintenance"
    return "draining" if answer["draining"] else "healthy"


def show(answers: dict[str, Any]) -> str:
    """The answers as text.

    Args:
        answers: by host.
    """
    if len(answers) == 1:
        name, answer = next(iter(answers.items()))
        return _details(name, answer)
    lines = [table([_HEADING, *[_row(name, answer) for name, answer in answers.items()]])]
    lines += [f"{name}: {problem}" for name, answer in answers.items() for problem in answer["problems"]]
    return "\n".join(lines)


def _row(name: str, answer: dict[str, Any]) -> list[str]:
    if "server" not in answer:
        return [name, answer["app"], answer["state"], *[""] * 11]
    return [
        name,
        answer["app"],
        answer["state"],
        answer["release"],
        answer["live_since"],
        answer["previous"],
        ", ".join(str(process["id"]) for process in answer["processes"]),
        ", ".join(_span(process["seconds"]) for process in answer["processes"]),
        _health(answer, brief=True),
        answer["python"],
        answer["handler"],
        ", ".join(_certificate(item) for item in answer["certificates"]),
        _size(answer["disk"]["free"]) if answer["disk"] else "",
        ", ".join(_notes(answer)),
    ]


def _details(name: str, answer: dict[str, Any]) -> str:
    rows: list[tuple[str, str]] = [("host", name), ("application", answer["app"]), ("state", answer["state"])]
    if "server" in answer:
        server, disk = answer["server"], answer["disk"]
        rows += [
            ("server", ", ".join(filter(None, server.values()))),
            ("release", " since ".join(filter(None, (answer["release"], answer["live_since"])))),
            ("previous good", answer["previous"]),
            ("site", answer["site"]),
            ("app pool", answer["pool"]),
            *[
                ("process", f"{item['id']} in worker {item['worker']}, up {_span(item['seconds'])}")
                for item in answer["processes"]
            ],
            ("health", _health(answer)),
            ("Python", answer["python"]),
            ("HttpPlatformHandler", answer["handler"]),
            *[("certificate", f"{item['binding']} {_certificate(item)}") for item in answer["certificates"]],
            ("disk", f"{disk['drive']} {_size(disk['free'])} of {_size(disk['total'])} free" if disk else ""),
            ("notes", ", ".join(_notes(answer))),
        ]
    rows += [("problem", problem) for problem in answer["problems"]]
    return "\n".join(f"{what + ':':21}{text}" for what, text in rows if text)


def _notes(answer: dict[str, Any]) -> list[str]:
    notes = []
    if answer["maintenance"]:
        notes.append(f"maintenance since {answer['maintenance']['since']}")
    if answer["draining"]:
        notes.append("draining")
    if deploying := answer["deploying"]:
        notes.append(f"{deploying['by'] or 'somebody'} deploys since {deploying['since'] or 'just now'}")
    if any(item["days"] is None or item["days"] < SOON for item in answer["certificates"]):
        notes.append("certificate ends soon")
    faults = [
        fault
        for item in answer["certificates"]
        for fault in item.get("faults", ())
        if not fault.startswith("has expired")
    ]
    notes += [f"certificate {fault}" for fault in dict.fromkeys(faults)]
    if answer["disk"] and answer["disk"]["free"] < FULL:
        notes.append("disk nearly full")
    return notes


def _health(answer: dict[str, Any], brief: bool = False) -> str:
    if not answer["site"]:
        return ""
    health = answer["health"]
    if health["status"]:
        word = "" if health["healthy"] else " (not healthy)"
        return f"{health['status']}{word}" if brief else f"{health['status']}{word} at {health['address']}"
    return "no answer" if brief else f"no answer: {health['problem'] or 'it could not be asked'}"


def _certificate(item: dict[str, Any]) -> str:
    if item["days"] is None:
        return "not in the store" if item["thumbprint"] else "none"
    return f"{item['days']} days" if item["days"] >= 0 else "expired"


def _span(seconds: int) -> str:
    """A time span as people say it, in its two largest units."""
    span = timedelta(seconds=max(0, seconds))
    hours, rest = divmod(span.seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(span.days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    while len(parts) > 2 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{value}{unit}" for value, unit in parts[:2] if value or unit == "s") or "0s"


def _size(number: int) -> str:
    return f"{number / (1 << 30):.1f} GiB"


__all__ = ["show", "status"]
