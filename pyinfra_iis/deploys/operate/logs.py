"""The logs of an application on all its servers, together by time."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from pyinfra import logger
from pyinfra.api import DeployError, Host, State
from pyinfra.api.output import echo
from pyinfra.context import ctx_host

from pyinfra_iis.deploys.operate.ask import NoAnswer, answer_of, running_settings
from pyinfra_iis.deploys.operate.entries import Entry, merged, of_answer, parse_time, stamp
from pyinfra_iis.deploys.operate.report import Answers, Report, report, wants_json
from pyinfra_iis.facts.operate import Logs
from pyinfra_iis.settings import WebSettings

NAME = "Logs"
EVERY = 2.0
"""Seconds between two questions to a server that is followed."""
LINES = 100
BYTES = 1 << 18
BYTES_SINCE = 1 << 22
"""At most so much of the end of each file is read: without and with a time."""
PATIENCE = 5.0
"""Seconds for a question under way when following ends."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def logs(lines: int | None = None, since: str = "", follow: bool = False, status: int = 500, **options: Any) -> None:
    """Print log lines of all hosts by time: the process's output, the application's own logs, failed requests, HTTP.sys's errors, Windows' events.

    Nothing is changed. With pyinfra's `--json` the same lines as JSON, see `report`; while following, one JSON object a line.

    Args:
        lines: how many lines in all; default 100, with `since` all.
        since: `30s`, `10m`, `2h`, `1d`, or a time in UTC (`2026-11-22T15:00`): nothing older.
        follow: go on with what comes, until Ctrl-C.
        status: which requests of IIS's log: those with this status code and above, 400 or 500.
        options: as for `running_settings`.

    Raises:
        DeployError: settings or arguments that cannot be used.
    """
    settings = running_settings(options)
    request = _request(settings, lines, since, follow, status)
    host = ctx_host.get()
    found = report(NAME, partial(_Found, lines=request["lines"], follow=follow))
    if not follow:
        found.add_to_json()
    try:
        answer = answer_of(host, Logs, request)
    except NoAnswer as error:
        is_last = found.add_silent(host, str(error))
    else:
        found.positions[host] = (request, answer["position"])
        is_last = found.add(host, _told(host, request, answer))
    if follow and is_last:
        # The last host's turn is everybody's: pyinfra may load fewer hosts at a time than there are.
        _Follower(found).follow()


def _request(settings: WebSettings, lines: int | None, since: str, follow: bool, status: int) -> dict[str, Any]:
    if lines is not None and (isinstance(lines, bool) or not isinstance(lines, int) or lines < 1):
        raise DeployError(f"lines is {lines}; say how many lines, at least 1.")
    if status not in (400, 500):
        raise DeployError(f"status is {status}; say 400 or 500.")
    seconds, moment = _since(str(since))
    return {
        "root": settings.root,
        "site": settings.site_name,
        "pool": settings.app,
        "lines": (0 if since else LINES) if lines is None else lines,
        "seconds": seconds,
        "since": moment,
        "bytes": BYTES_SINCE if since else BYTES,
        "status": status,
        "position": None,
        "follow": follow,
    }


def _since(text: str) -> tuple[int, str]:
    """Seconds before now, or a time in UTC; neither when nothing is said."""
    if not text:
        return 0, ""
    if match := re.fullmatch(r"(\d{1,9})\s*([smhd])", text.strip()):
        return int(match[1]) * _UNITS[match[2]], ""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise DeployError(
            f"since is '{text}'; write 30s, 10m, 2h or 1d, or a time in UTC such as 2026-11-22T15:00."
        ) from None
    return 0, (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _oldest(request: dict[str, Any], answer: dict[str, Any]) -> datetime:
    """The time before which lines are not wanted, by the server's clock."""
    if request["since"]:
        return parse_time(request["since"])
    if request["seconds"]:
        return datetime.fromtimestamp(parse_time(answer["now"]).timestamp() - request["seconds"], UTC)
    return datetime.min.replace(tzinfo=UTC)


def _told(host: Host, request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What a host told: `logs`, the lines of each, and `problems`."""
    oldest = _oldest(request, answer)
    batches = of_answer(host.name, answer)
    # All lines from a time on were asked for, but only so much of each file is read.
    short = [
        file["path"]
        for file, batch in zip(answer["files"], batches, strict=False)
        if file["cut"] and not request["lines"] and (not batch or batch[0].time >= oldest)
    ]
    problems = [f"{path} is longer than the {BYTES_SINCE >> 20} MiB of its end that were read." for path in short]
    kept = [[entry for entry in batch if entry.time >= oldest] for batch in batches]
    return {"logs": kept, "problems": [*answer["problems"], *problems]}


class _Found(Report):
    """The lines of all hosts.

    Args:
        lines: at most so many are shown; 0: all.
        follow: there is more to come.
    """

    def __init__(self, run: State, name: str, lines: int, follow: bool) -> None:
        super().__init__(run, name, text=self._text, document=self._document, absent=self._absent)
        self.lines = lines
        self.follow = follow
        self.positions: dict[Host, tuple[dict[str, Any], dict[str, Any]]] = {}

    def entries(self, answers: Answers) -> list[Entry]:
        """The lines by time."""
        found = merged(batch for answer in answers.values() for batch in answer["logs"])
        return found[-self.lines :] if self.lines else found

    def _document(self, answers: Answers) -> dict[str, Any]:
        problems = {name: answer["problems"] for name, answer in answers.items() if answer["problems"]}
        return {"lines": [entry.to_json() for entry in self.entries(answers)], "problems": problems}

    def _text(self, answers: Answers) -> str:
        lines = [text_of(entry) for entry in self.entries(answers)]
        for name, answer in answers.items():
            for problem in answer["problems"]:
                echo(f"{name}: {problem}", err=True)
        return "\n".join(lines) or ("" if self.follow else "There are no log lines.")

    @staticmethod
    def _absent(reason: str) -> dict[str, Any]:
        return {"logs": [], "problems": [reason]}


def text_of(entry: Entry) -> str:
    """A line as it is printed."""
    return f"{stamp(entry.time)}  {entry.host.removeprefix('@winrm/')}  {entry.source}  {entry.text}"


class _Follower:
    """Asks all hosts again and again for what has come, and prints that together.

    Args:
        found: what they told first.
    """

    def __init__(self, found: _Found) -> None:
        self.found = found
        self.stop = Event()
        self.waiting: list[list[Entry]] = []

    def follow(self) -> None:
        """Goes on until Ctrl-C."""
        self.found.leave_out()
        if wants_json():
            self._print(self.found.entries(self.found.ordered()))
        asking = [gevent.spawn(self._follow, host, *start) for host, start in self.found.positions.items()]
        with self._until_interrupted():
            while not self.stop.wait(EVERY):
                self._print_waiting()
        gevent.joinall(asking, timeout=PATIENCE)
        gevent.killall(asking)
        self._print_waiting()

    def _follow(self, host: Host, request: dict[str, Any], position: dict[str, Any]) -> None:
        lost = False
        while not self.stop.wait(EVERY):
            try:
                answer = answer_of(host, Logs, {**request, "position": position})
            except NoAnswer as error:
                if not lost:
                    logger.warning(f"{host.print_prefix}{error} It is asked again until it answers.")
                lost = True
                continue
            lost = False
            position = answer["position"]
            self.waiting += of_answer(host.name, answer)

    def _print_waiting(self) -> None:
        entries, self.waiting = merged(self.waiting), []
        self._print(entries)

    @staticmethod
    def _print(entries: list[Entry]) -> None:
        for entry in entries:
            echo(json.dumps(entry.to_json(), ensure_ascii=False) if wants_json() else text_of(entry))

    @contextmanager
    def _until_interrupted(self) -> Iterator[None]:
        """The first Ctrl-C ends the following, and the run goes on to its end; a second one ends all as pyinfra does."""
        before = signal.getsignal(signal.SIGINT)

        def stop(*_: object) -> None:
            signal.signal(signal.SIGINT, before)
            self.stop.set()

        signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


__all__ = ["logs", "text_of"]
