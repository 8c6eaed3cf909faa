"""The table that is seen while a rollout runs, on a terminal; elsewhere there are lines."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from rich.console import Console
from rich.file_proxy import FileProxy
from rich.live import Live
from rich.markup import escape
from rich.table import Table as Grid

from pyinfra_iis.rollout.record import BAD, HostRecord, Record

_STYLES = {"live": "green", "unchanged": "green", "turn": "bold cyan", "back": "magenta", "kept": "magenta"}
_HIDDEN = 3
"""Lines of the terminal that the table leaves to others."""


class _Above(FileProxy):
    """What others write to stderr appears above the table. click, which pyinfra writes with, must not find the way around it."""

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return super().__getattr__(name)


class Table:
    """The hosts of a record at the lower end of the terminal.

    Attributes:
        is_live: whether it is shown.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.is_live = False
        self._live: Live | None = None
        self._begun = False
        self._stderr = sys.stderr

    def start(self) -> None:
        """Show it, once, when there is a terminal that can."""
        if self._begun:
            return
        self._begun = True
        console = Console(stderr=True)
        if not console.is_terminal or console.is_dumb_terminal or os.environ.get("PYINFRA_PROGRESS") == "off":
            return
        # pyinfra's spinner writes to the same place.
        os.environ["PYINFRA_PROGRESS"] = "off"
        self._live = Live(
            get_renderable=lambda: grid(self.record, console.size.height - _HIDDEN),
            console=console,
            refresh_per_second=2,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._stderr = sys.stderr
        self._live.start()
        sys.stderr = _Above(console, sys.stderr)
        self.is_live = True

    def update(self) -> None:
        """Show what has changed."""
        if self._live is not None:
            self._live.refresh()

    def stop(self) -> None:
        """Leave the last state on the terminal."""
        if self._live is not None:
            self.is_live = False
            sys.stderr.flush()
            sys.stderr = self._stderr
            self._live.stop()
            self._live = None


def grid(record: Record, most: int = 1000) -> Grid:
    """The record as a table of at most so many lines; hosts that something happens to come first when not all have room."""
    made = Grid(box=None, pad_edge=False, header_style="bold")
    for title in ("Wave", "Host", "Step", "Release", "Seconds"):
        made.add_column(title, no_wrap=True, justify="right" if title in ("Wave", "Seconds") else "left")
    hosts = sorted(record.hosts.values(), key=lambda host: host.wave)
    room = max(most - 2, 3)
    if len(hosts) > room:
        shown = sorted(hosts, key=_importance)[:room]
        hidden = len(hosts) - room
        hosts = [host for host in hosts if host in shown]
    else:
        hidden = 0
    for host in hosts:
        made.add_row(*_row(host))
    if hidden:
        made.add_row("", f"and {hidden} more", "", "", "")
    return made


def _importance(host: HostRecord) -> int:
    if host.outcome == "turn":
        return 0
    if host.outcome in BAD:
        return 1
    return 2 if host.steps and host.steps[-1].result == "running" else 3


def _row(host: HostRecord) -> tuple[str, ...]:
    running = host.steps and host.steps[-1].result == "running"
    said = host.current if running or host.outcome == "waiting" else host.outcome
    style = "red" if host.outcome in BAD else _STYLES.get(host.outcome, "dim" if not running else "default")
    change = f"{host.old or 'nothing'} → {host.new}" if host.old != host.new else host.new
    seconds = host.seconds
    if seconds is None and running:
        seconds = time.time() - host.steps[-1].started
    cells = (str(host.wave or ""), host.short, said, change, "" if seconds is None else f"{seconds:.1f}")
    return tuple(f"[{style}]{escape(cell)}[/]" if cell else "" for cell in cells)
