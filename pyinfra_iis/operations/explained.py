"""Commands that wait for an application to get healthy: when it does not, what deploys/diagnose.py would say of it stands beside their own words.

What is judged is the failed release itself, not the one that was put back: the command tells what it saw while the failed one was live, and what only a
look at the server tells is asked for afterwards, in one request. While all is well nothing is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyinfra import logger
from pyinfra.api import Host, State
from pyinfra.api.arguments import ConnectorArguments
from pyinfra.api.output import format_text
from pyinfra.connectors.util import CommandOutput, OutputLine

from pyinfra_iis.diagnosis import Diagnosis, Kind, examine
from pyinfra_iis.diagnosis.failed import of_site, of_start
from pyinfra_iis.diagnosis.text import lines
from pyinfra_iis.facts.diagnosis import Questions
from pyinfra_iis.operations.trust import tell_sent
from pyinfra_iis.powershell import Batch, Script

if TYPE_CHECKING:
    from pyinfra_iis.operations.iis import HealthCheck

LONGEST = 180
"""Seconds that a server has to tell what is wrong."""

_PATIENCE = 15
"""Seconds to wait for an answer of a site that still is the failed one."""

_IN_A_DEPLOY = {"deploy-running", "release-half-done", "release-bad", "draining"}
"""What is true while a deploy runs, and no news to it."""

_START = re.compile(r"^release \S+ (?P<problem>.*); it was not made live\.$")
_MANAGE = re.compile(r"^\S+ manage\.py (?P<problem>\S+ .*)\.$")


class WaitingScript(Script):
    """A script that waits for a site.

    Args:
        name: the script; its `$Request` holds the check, or has it as `health`.
        request: its arguments, the check aside.
        check: how the site is asked.
        folder: whose failure it is, when the script may put another one back; empty: the site's own.
    """

    def __init__(self, name: str, request: Mapping[str, Any], check: HealthCheck, folder: str = "") -> None:
        health = {**check.request, "status": check.status, "timeout": check.timeout, "explain": True}
        # Certificates are only judged where one is sent.
        skipped = () if check.address.startswith("https:") else ("iis/certificate_faults",)
        super().__init__(name, {**request, "health": health} if request else health, skipped=skipped)
        self.check = check
        self.folder = folder

    def execute(self, state: State, host: Host, connector_arguments: ConnectorArguments) -> tuple[bool, CommandOutput]:
        """Run it, as pyinfra does."""
        status, output = super().execute(state, host, connector_arguments)
        if status:
            tell_sent(host, self.check.site, output)
            return status, output
        seen, output = _taken(output)
        return status, with_causes(state, host, output, lambda: self._diagnose(host, seen))

    def _diagnose(self, host: Host, seen: Mapping[str, Any]) -> Diagnosis | None:
        if not seen:
            return None  # it has not come as far as asking the site
        check = self.check
        name = check.host.partition(":")[0]
        questions = Questions(
            check.site, check.application, check.path, name=name, timeout=_PATIENCE, folder=self.folder
        )
        ok, output = host.run_shell_command(Batch(questions.calls), _timeout=LONGEST)
        if not ok:
            raise ValueError("; ".join(output.stderr_lines) or "the server tells nothing")
        told = questions.told(json.loads("".join(output.stdout_lines)))
        return examine(of_site(told, seen, check.address, check.host), check.status)


def start_causes(state: State, host: Host, output: CommandOutput, started: Mapping[str, Any]) -> CommandOutput:
    """Put causes beside what a helper's command printed that has failed with the application's own code: its output says all there is to know.

    Args:
        state, host: pyinfra's.
        output: what it printed.
        started: what was to be started: `pool`, `program`, `arguments`, `environment`, `timeout` (seconds).
    """

    def diagnose() -> Diagnosis | None:
        printed = output.stderr_lines
        sentence = printed[-1] if printed else ""
        start, manage = _START.match(sentence), _MANAGE.match(sentence)
        if not start and not manage:
            return None
        problem = (start or manage)["problem"]  # type: ignore[index]
        found = examine(of_start(started, "\n".join(printed[:-1]), problem, served=bool(start)))
        # What is only general is said by the command itself.
        return replace(found, causes=tuple(cause for cause in found.causes if cause.kind is Kind.CAUSE))

    return with_causes(state, host, output, diagnose)


def with_causes(
    state: State, host: Host, output: CommandOutput, diagnose: Callable[[], Diagnosis | None]
) -> CommandOutput:
    """What a failed command printed, with the causes before its last line, which says what was done about it.

    Args:
        state, host: pyinfra's.
        output: what it printed.
        diagnose: finds the causes; whatever goes wrong in it is a line, too, and hides nothing.
    """
    try:
        said = list(_said(diagnose()))
    except Exception as error:
        said = [f"What is wrong could not be looked into: {type(error).__name__}: {error}"]
    if state.print_output:  # the rest was printed as it came
        for line in said:
            logger.error(f"{host.print_prefix}{format_text(line, 'red')}")
    printed = list(output.combined_lines)
    last = max((index for index, line in enumerate(printed) if line.buffer_name == "stderr"), default=len(printed))
    printed[last:last] = [OutputLine("stderr", line) for line in said]
    return CommandOutput(printed)


def _said(found: Diagnosis | None) -> Iterable[str]:
    if found is None:
        return
    answer = found.to_dict()
    answer["notices"] = [notice for notice in answer["notices"] if notice["rule"] not in _IN_A_DEPLOY]
    yield from lines(answer)


def _taken(output: CommandOutput) -> tuple[dict[str, Any], CommandOutput]:
    """What a script has seen of the site that did not get healthy, and its output without that."""
    seen: dict[str, Any] = {}
    kept = []
    for line in output.combined_lines:
        if line.buffer_name == "stdout" and line.line.startswith('{"seen":'):
            # The first is of the release that failed; a second one of the release that was put back.
            seen = seen or json.loads(line.line)["seen"]
        else:
            kept.append(line)
    return seen, CommandOutput(kept)
