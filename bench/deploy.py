"""What a whole deploy costs: requests, PowerShell processes, time at a realistic distance, and how a fleet scales."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.labkit import Lab

FLEET = 20
FILE_ACTIONS = "Send"


def run() -> dict[str, Any]:
    """The figures by key; see `docs/benchmarks.md`."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder), "127.0.61", FLEET)
        try:
            return _measure(lab)
        finally:
            lab.down()


def _measure(lab: Lab) -> dict[str, Any]:
    one = lab.addresses[0]
    _clean(lab)
    _deploy(lab, one)
    first = lab.stats(one)
    _clean(lab)
    _deploy(lab, one)
    noop = lab.stats(one)

    lab.winlab("set", "rtt=30", "powershell-start=700")
    seconds = _deploy(lab, one)
    lab.winlab("set", "clear")

    _deploy(lab)
    alone = min(_deploy(lab, one) for _ in range(2))
    together = min(_deploy(lab) for _ in range(2))
    return {
        "deploy.noop.requests": noop["requests"],
        "deploy.noop.powershell_starts": noop["powershell_starts"],
        "deploy.first.requests": first["requests"],
        "deploy.noop.seconds": round(seconds, 2),
        "deploy.noop.fleet20_ratio": round(together / alone, 2),
    }


def _clean(lab: Lab) -> None:
    lab.winlab("stats", "--reset")


def _deploy(lab: Lab, *addresses: str) -> float:
    """Deploy the example; returns the seconds it took."""
    started = time.monotonic()
    result = lab.pyinfra(*addresses, options=["-y"])
    if result.code:
        raise RuntimeError(result.output)
    return time.monotonic() - started
