"""Ctrl-C in a rollout: once, and no further host is touched; twice, and the run ends as it stands."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import pyinfra
from pyinfra import logger

from pyinfra_iis.rollout.fleet import Fleet


class Interrupts:
    """What Ctrl-C does while hosts of some fleets have their turns; before and after that it does what it always does, but makes the exit code 1.

    Attributes:
        fleets: those of one run of pyinfra that have not ended.
    """

    def __init__(self) -> None:
        self.fleets: list[Fleet] = []
        self._before: Any = None

    def heed(self) -> None:
        """Be asked from now on; only within pyinfra's own command."""
        if self._before is not None or not pyinfra.is_cli or threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGINT)
        if callable(before):
            self._before = before
            signal.signal(signal.SIGINT, self.came)

    def forget(self, fleet: Fleet) -> None:
        """A fleet's rollout has ended."""
        if fleet in self.fleets:
            self.fleets.remove(fleet)
        if not self.fleets and self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def came(self, number: int, frame: FrameType | None) -> None:
        """Somebody has pressed Ctrl-C."""
        if any(fleet.has_begun for fleet in self.fleets) and not any(fleet.is_interrupted for fleet in self.fleets):
            logger.warning("Hosts in their turn end it, no further host is touched; Ctrl-C again ends the run at once.")
            for fleet in self.fleets:
                fleet.is_interrupted = True
                fleet.stop("the user has interrupted it")
            return
        try:
            self._before(number, frame)
        except SystemExit:
            # pyinfra's is 0; but hosts do not run what they should.
            raise SystemExit(1) from None
