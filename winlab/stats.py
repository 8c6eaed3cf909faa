"""What a server has been asked and what it cost: requests, bytes, processes, by action, since the start or the last reset."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Stats:
    """Counters of one server. Thread-safe: processes start in threads of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Everything back to zero."""
        with self._lock:
            self.requests: Counter[str] = Counter()
            self.bytes_in: Counter[str] = Counter()
            self.bytes_out: Counter[str] = Counter()
            self.statuses: Counter[int] = Counter()
            self.faults: Counter[int] = Counter()
            self.programs: Counter[str] = Counter()
            self.connections = 0

    def request(self, action: str, bytes_in: int, bytes_out: int, status: int) -> None:
        """One HTTP exchange; bytes are those of the bodies on the wire."""
        with self._lock:
            self.requests[action] += 1
            self.bytes_in[action] += bytes_in
            self.bytes_out[action] += bytes_out
            self.statuses[status] += 1

    def fault(self, code: int) -> None:
        """A WS-Management fault was sent."""
        with self._lock:
            self.faults[code] += 1

    def connection(self) -> None:
        """A TCP connection was opened."""
        with self._lock:
            self.connections += 1

    def add_programs(self, started: Counter[str]) -> None:
        """Processes were started: how many, by the executable's file name in lower case."""
        with self._lock:
            self.programs.update(started)

    def to_json(self) -> dict[str, Any]:
        """All counters as plain data."""
        with self._lock:
            return {
                "requests": self.requests.total(),
                "bytes_in": self.bytes_in.total(),
                "bytes_out": self.bytes_out.total(),
                "connections": self.connections,
                "processes": self.programs.total(),
                "powershell_starts": self.programs["powershell.exe"],
                "actions": {
                    action: {"requests": count, "bytes_in": self.bytes_in[action], "bytes_out": self.bytes_out[action]}
                    for action, count in sorted(self.requests.items())
                },
                "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
                "faults": {str(code): count for code, count in sorted(self.faults.items())},
                "programs": dict(sorted(self.programs.items())),
            }


def total(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The sum of several servers' counters."""
    result: dict[str, Any] = {}
    for part in parts:
        _add(result, part)
    return result


def _add(into: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict):
            _add(into.setdefault(key, {}), value)
        else:
            into[key] = into.get(key, 0) + value
