"""A release that did not get healthy in a deploy, in the terms of `pyinfra_iis.facts.diagnosis.Questions.told`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pyinfra_iis.diagnosis.evidence import PORT

_ANSWER = re.compile(r"answers (\d+) to ")


def of_site(told: Mapping[str, Any], seen: Mapping[str, Any], address: str, host: str) -> dict[str, Any]:
    """What a server told of a site after its release has failed, with what was seen while that was live.

    Args:
        told: what the server told.
        seen: by the script that waited: `began`, `ended`, `answer` (the last one), `log` (file) and `output` (its end).
        address: the URL that was asked.
        host: the Host header that was sent, or empty.
    """
    if told.get("request"):
        return dict(told)  # it is still there, and was asked anew
    answer = seen["answer"]
    request = {
        "url": address,
        "host": host,
        "binding": "",
        "seconds": 0.0,
        "status": answer["status"],
        "problem": answer["problem"],
        "failure": answer.get("failure", ""),
        "headers": {"Server": answer.get("server", "")},
        "body": answer.get("body", ""),
        "certificate": answer.get("certificate", []),
    }
    written = {**(told.get("logs") or {}), "output": []}
    if seen["log"]:
        written["output"] = [{"path": seen["log"], "time": seen["ended"], "text": seen["output"]}]
    return {
        **told,
        "asked": {**told["asked"], "until": seen["ended"]},
        "request": {
            "began": seen["began"],
            "ended": seen["ended"],
            "requests": [request],
            "fresh": seen["output"],
            "seen": [],
            "now": {"workers": [], "processes": []},
        },
        "logs": written,
    }


def of_start(started: Mapping[str, Any], output: str, problem: str, served: bool) -> dict[str, Any]:
    """A process of a release that was started without IIS, on a spare port or for a command of manage.py, and failed.

    Args:
        started: `pool`, `program`, `arguments` (a list), `environment` (names and values), `timeout` (seconds).
        output: the end of what it printed.
        problem: what was wrong with it (`answers 500 to GET /`).
        served: it was to serve requests.
    """
    arguments: Sequence[str] = started["arguments"] if served else ()
    environment: Mapping[str, str] = started["environment"]
    return {
        "asked": {"site": started["pool"]},
        "start": {"problem": problem, "pool": started["pool"], "served": served, "timeout": started["timeout"]},
        "configuration": {
            "platform": {
                "source": "deploy",
                "processPath": started["program"],
                "values": {"processPath": started["program"], "arguments": " ".join(arguments)},
                "environment": list(environment),
                "port_variables": [name for name, value in environment.items() if PORT in value],
            }
        },
        "request": {"fresh": output, "requests": [_answer(problem)] if _ANSWER.match(problem) else []},
    }


def _answer(problem: str) -> dict[str, Any]:
    status = _ANSWER.match(problem)[1]  # type: ignore[index]
    return {"url": "", "host": "", "status": int(status), "problem": "", "failure": "", "headers": {}, "body": ""}
