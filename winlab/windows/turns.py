"""Turns at this machine's processors for the threads of simulated processes.

Hundreds of threads that all have something to compute spend most of their time on taking Python's lock from one another. Here only a few
have their turn; the others stand in a queue, which costs nothing. A thread gives its turn up while it waits for something (`aside`) and, when
others queue, after it has had it for a while (`pass_on`). A turn is no lock that anything may rely on: who has had one for long without a sign,
because it waits for something without saying so, is counted out, and the next in the queue goes ahead.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType

COUNT = 2
"""How many at a time: more than one, since reading files and the like gives Python's lock up too."""
PATIENCE = 0.25
"""Seconds without a sign of who has a turn, until it counts no more."""
LOOK = 0.02
"""Seconds for each in the queue between its looks at whether somebody is to be counted out."""
SLICE = 0.02
"""Seconds that a thread keeps its turn while others queue."""


class Turn:
    """One turn: since when, and whether somebody waits for it still (then its gate is shut)."""

    __slots__ = ("gate", "since")

    def __init__(self) -> None:
        self.since = 0.0
        self.gate: threading.Lock | None = None


class Turns:
    """So many turns, given out in the order of asking."""

    def __init__(self, count: int = COUNT, patience: float = PATIENCE) -> None:
        self._lock = threading.Lock()
        self._count = count
        self._patience = patience
        self._current: set[Turn] = set()
        self._queue: deque[Turn] = deque()

    def take(self) -> Turn:
        """Waits for a turn."""
        turn = Turn()
        with self._lock:
            if len(self._current) < self._count and not self._queue:
                self._begin(turn)
                return turn
            turn.gate = threading.Lock()
            turn.gate.acquire()
            self._queue.append(turn)
        # The longer the queue, the less often each looks: all of them together as often as a few.
        while not turn.gate.acquire(timeout=max(self._patience, LOOK * len(self._queue))):
            self._count_out()
        return turn

    def give(self, turn: Turn) -> None:
        """Gives a turn up: the first in the queue has one."""
        with self._lock:
            self._current.discard(turn)
            self._serve()

    def _begin(self, turn: Turn) -> None:
        turn.since = time.monotonic()
        self._current.add(turn)

    def _serve(self) -> None:
        while self._queue and len(self._current) < self._count:
            turn = self._queue.popleft()
            self._begin(turn)
            assert turn.gate is not None
            turn.gate.release()

    def _count_out(self) -> None:
        with self._lock:
            long_ago = time.monotonic() - self._patience
            self._current = {turn for turn in self._current if turn.since > long_ago}
            self._serve()

    @property
    def wanted(self) -> bool:
        """Whether anyone queues."""
        return bool(self._queue)


class _Thread(threading.local):
    turn: Turn | None = None
    """That of this thread, if it takes part and has one."""


_turns = Turns()
_thread = _Thread()


def enter() -> None:
    """From here on this thread computes only when it has a turn."""
    if _thread.turn is None:
        _thread.turn = _turns.take()


def leave() -> None:
    """This thread does not take part any more."""
    if _thread.turn is not None:
        turn, _thread.turn = _thread.turn, None
        _turns.give(turn)


def pass_on() -> None:
    """Lets others have a turn who queue, when this thread has had its own for a while."""
    turn = _thread.turn
    if turn is not None and _turns.wanted and time.monotonic() - turn.since > SLICE:
        leave()
        enter()


class aside:
    """`with aside():` around a wait. Not while holding a lock that others may want: the end of it may be another wait."""

    __slots__ = ("_had",)

    def __enter__(self) -> None:
        self._had = _thread.turn is not None
        if self._had:
            leave()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._had:
            enter()
