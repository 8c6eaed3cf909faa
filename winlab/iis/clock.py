"""The clock of pools and time limits: real time, which a test may move forward."""

from __future__ import annotations

import time


class Clock:
    """Seconds that only go forward. `advance` makes idle time-outs and periodic recycling fall due without waiting for them."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        return time.monotonic() + self._offset

    def wall(self) -> time.struct_time:
        """Local time of day, moved along."""
        return time.localtime(time.time() + self._offset)

    def advance(self, seconds: float) -> None:
        self._offset += seconds
