"""What a server tells about one of its sites when something is wrong with it. Everything here only looks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyinfra.api import Host
from pyinfra.api.exceptions import FactProcessError

from pyinfra_iis.facts import Calls, Several

HANDLERS = "httpplatform/state"


def look(
    host: Host,
    site: str,
    *,
    application: str = "/",
    path: str = "",
    name: str = "",
    timeout: int = 60,
    hours: int = 24,
) -> dict[str, Any]:
    """Everything that a diagnosis rests on, gathered in one request.

    The site is asked through its own bindings, on the server; that may start its process, as any visitor's request does.

    Args:
        host: pyinfra's host.
        site: the site's name in IIS; it may have been made by anybody.
        application: the path of the application in it.
        path: what is asked for, starting with `/`; default the application's own path.
        name: the host name that visitors use; default the bindings' own.
        timeout: seconds to wait for an answer.
        hours: how far back the event logs are read.

    Returns:
        By name of the script: what it told, or `{"error": sentence}`; and `asked`, the arguments with the time here (`before`, `after`).

    Raises:
        FactProcessError: the server told nothing.
    """
    where = {"site": site, "application": application}
    asked = {**where, "path": path or application.rstrip("/") + "/", "host": name, "timeout": timeout, "most": 8}
    calls = Calls(
        [
            ("diagnose/site", where),
            ("diagnose/configuration", where),
            ("diagnose/request", asked),
            ("diagnose/logs", {**where, "hours": hours}),
            ("diagnose/files", where),
            (HANDLERS, {}),
            ("diagnose/server", {}),
        ]
    )
    before = datetime.now(UTC)
    answers = host.get_fact(Several, calls=calls)
    after = datetime.now(UTC)
    if not answers:
        raise FactProcessError(f"{host.name} did not tell what it knows of the site {site}.")
    told = {
        "handlers" if script == HANDLERS else script.rpartition("/")[2]: answer.get("result", answer)
        for (script, _), answer in zip(calls, answers, strict=True)
    }
    return {**told, "asked": {**asked, "before": before.isoformat(), "after": after.isoformat()}}
