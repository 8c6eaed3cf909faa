"""What a server tells about one of its sites when something is wrong with it. Everything here only looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pyinfra.api import Host
from pyinfra.api.exceptions import FactProcessError

from pyinfra_iis.facts import Calls, Several

HANDLERS = "httpplatform/state"


@dataclass(frozen=True)
class Questions:
    """Everything that a diagnosis rests on; a server is asked it in one request.

    The site is asked through its own bindings, on the server; that may start its process, as any visitor's request does.

    Attributes:
        site: the site's name in IIS; it may have been made by anybody.
        application: the path of the application in it.
        path: what is asked for, starting with `/`; default the application's own path.
        name: the host name that visitors use; default the bindings' own.
        timeout: seconds to wait for an answer.
        hours: how far back the event logs are read.
        folder: whose failure it is, where the site may have another physical path by now; then the site is not asked, since somebody else would answer.
    """

    site: str
    application: str = "/"
    path: str = ""
    name: str = ""
    timeout: int = 60
    hours: int = 24
    folder: str = ""
    began: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)

    @property
    def where(self) -> dict[str, str]:
        """The arguments of all scripts."""
        return {"site": self.site, "application": self.application, "folder": self.folder}

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments of the script that asks the site."""
        path = self.path or self.application.rstrip("/") + "/"
        return {**self.where, "path": path, "host": self.name, "timeout": self.timeout, "most": 8}

    @property
    def calls(self) -> Calls:
        """The scripts with their arguments."""
        return Calls(
            [
                ("diagnose/site", self.where),
                ("diagnose/configuration", self.where),
                ("diagnose/request", self.asked),
                ("diagnose/logs", {**self.where, "hours": self.hours}),
                ("diagnose/files", self.where),
                (HANDLERS, {}),
                ("diagnose/server", {}),
            ]
        )

    def told(self, answers: list[Mapping[str, Any]]) -> dict[str, Any]:
        """What the server answered, right after it did.

        Args:
            answers: of the scripts, in their order.

        Returns:
            By name of the script: what it told, or `{"error": sentence}`; and `asked`, the arguments with the time here (`before`, `after`).
        """
        told = {
            "handlers" if script == HANDLERS else script.rpartition("/")[2]: answer.get("result", answer)
            for (script, _), answer in zip(self.calls, answers, strict=True)
        }
        times = {"before": self.began.isoformat(), "after": datetime.now(UTC).isoformat()}
        return {**told, "asked": {**self.asked, **times}}


def look(host: Host, site: str, **more: Any) -> dict[str, Any]:
    """Ask a server everything that a diagnosis rests on.

    Args:
        host: pyinfra's host.
        site: the site's name in IIS.
        more: further attributes of `Questions`.

    Returns:
        As `Questions.told`.

    Raises:
        FactProcessError: the server told nothing.
    """
    questions = Questions(site, **more)
    answers = host.get_fact(Several, calls=questions.calls)
    if not answers:
        raise FactProcessError(f"{host.name} did not tell what it knows of the site {site}.")
    return questions.told(answers)
