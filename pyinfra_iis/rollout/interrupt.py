"""Ctrl-C in a rollout, or SIGTERM: once, and no further host is touched; twice, and the run ends as it stands."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType
from typing import Any

import pyinfra
from pyinfra import logger

from pyinfra_iis.rollout.fleet import Fleet


class Interrupts:
    """What Ctrl-C does while hosts of some fleets have their turns; before and after that it does what it always does, but makes the exit code 1.

    SIGTERM, by which schedulers and build servers end a run, does the same from then on.

    Attributes:
        fleets: those of one run of pyinfra that have not ended.
    """

    def __init__(self) -> None:
        self.fleets: list[Fleet] = []
        self._before: Any = None
        self._before_term: Any = None

    def heed(self) -> None:
        """Be asked from now on; only within pyinfra's own command."""
        before = signal.getsignal(signal.SIGINT)
        if not self.fleets or self._before is not None or not pyinfra.is_cli or not callable(before):
            return
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGINT, self.came)
            self._before = before
            self._before_term = signal.signal(signal.SIGTERM, self.came)

    def forget(self, fleet: Fleet) -> None:
        """A fleet's rollout has ended."""
        if fleet in self.fleets:
            self.fleets.remove(fleet)
        if not self.fleets and self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            signal.signal(signal.SIGTERM, self._before_term)
            self._before = None

    def came(self, number: int, frame: FrameType | None) -> None:
        """Somebody has pressed Ctrl-C, or wants the run to end."""
        if any(fleet.has_begun for fleet in self.fleets) and not any(fleet.is_interrupted for fleet in self.fleets):
            for fleet in self.fleets:  # at first: the second one may come while this one is told
                fleet.is_interrupted = True
            logger.warning("Hosts in their turn end it, no further host is touched; Ctrl-C again ends the run at once.")
            for fleet in self.fleets:
                fleet.stop("the user has interrupted it")
            return
        for fleet in self.fleets:  # while pyinfra disconnects, other hosts' turns would begin
            fleet.stop("the user has ended the run")
        try:
            self._before(signal.SIGINT, frame)
        except SystemExit:
            # pyinfra's is 0; but hosts do not run what they should.
            raise SystemExit(1) from None
