"""rollout.json and rollout.html: the record of a rollout, fit for a change ticket."""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pyinfra_iis.rendering import render
from pyinfra_iis.rollout.record import BAD

_KINDS = {"switch": "switch", "drain": "drain", "put back": "back", "pause": "pause"}
_LANE = 26
_WIDTH = 900


def write(folder: Path, document: Mapping[str, Any]) -> list[Path]:
    """Write both files; one that is there is replaced in one step.

    Args:
        folder: where; made when it is missing.
        document: what `Record.document` gives.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "rollout.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        "rollout.html": html(document),
    }
    paths = []
    for name, text in texts.items():
        path = folder / name
        partial = folder / f"{name}.partial"
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
        paths.append(path)
    return paths


def why_not(folder: Path) -> str:
    """Why no record can be written below a folder, in a few words, or nothing; looks, and makes nothing."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        return f"{there} is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"nothing may be written to {there}"


def html(document: Mapping[str, Any]) -> str:
    """The report as one page that needs nothing else: no scripts, no fonts, no requests."""
    return render(
        "rollout.html.j2",
        record=document,
        timeline=timeline(document),
        changes=together(document["hosts"]),
        failures=[host for host in document["hosts"] if host["outcome"] in BAD or host["detail"]],
        serving=serving(document["hosts"]),
        counts=Counter(host["outcome"] for host in document["hosts"]),
        took=_clock(round(_seconds(document["ended"]) - _seconds(document["started"]), 1)),
        spent=_spent,
        kind_of_line=_kind_of_line,
        when=_when,
    )


def serving(hosts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Which releases are live now: for each `release` (None: not known, empty: none), `hosts` (names) and whether it is `wanted` there; most hosts first."""
    found: dict[tuple[str | None, bool], list[str]] = {}
    for host in hosts:
        key = (host["runs"], host["runs"] == host["new"] != "")
        found.setdefault(key, []).append(host["name"].rpartition("/")[2])
    return [
        {"release": release, "wanted": wanted, "hosts": names}
        for (release, wanted), names in sorted(found.items(), key=lambda item: -len(item[1]))
    ]


def timeline(document: Mapping[str, Any]) -> dict[str, Any]:
    """Bars for a drawing: one lane per host, in pixels; and the ticks of the time axis."""
    begin, end = _seconds(document["started"]), _seconds(document["ended"])
    span = max(end - begin, 0.001)

    def at(seconds: float) -> float:
        return round(min(max((seconds - begin) / span, 0), 1) * _WIDTH, 2)

    lanes: list[dict[str, Any]] = []
    for host in sorted(document["hosts"], key=lambda host: host["wave"] or math.inf):
        bars = []
        for step in host["steps"]:
            left = at(_seconds(step["started"]))
            right = at(_seconds(step["ended"]) if step["ended"] else end)
            bars.append(
                {
                    "left": left,
                    "width": round(max(right - left, 1.5), 2),
                    "kind": "failed" if step["result"] == "failed" else _kind(step),
                    "title": f"{step['name']}: {_spent(step['seconds'])}, {step['result']}",
                }
            )
        begins_wave = bool(lanes) and lanes[-1]["host"]["wave"] != host["wave"]
        lanes.append({"host": host, "bars": bars, "begins_wave": begins_wave})
    return {
        "lanes": lanes,
        "ticks": [{"left": at(begin + tick), "title": _clock(tick)} for tick in _ticks(span)],
        "lane": _LANE,
        "width": _WIDTH,
        "height": _LANE * len(lanes),
    }


def _kind(step: Mapping[str, Any]) -> str:
    if step["turn"]:
        return next((kind for word, kind in _KINDS.items() if step["name"].startswith(word)), "turn")
    return "unchanged" if step["result"] == "unchanged" else "prepare"


def _ticks(span: float, most: int = 10) -> list[float]:
    """Round numbers of seconds."""
    steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30]
    steps += [60.0 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440)]
    step = next((step for step in steps if span / step <= most), span / most)
    return [round(number * step, 3) for number in range(int(span / step) + 1)]


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _spent(seconds: float | None) -> str:
    return "not ended" if seconds is None else f"{seconds:.1f} s"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def together(hosts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What changed, each change once with all hosts that it was made on: a fleet changes alike."""
    found: dict[str, dict[str, Any]] = {}
    for host in hosts:
        for change in host["changes"]:
            # The same change is another operation's in another wave.
            alike = {name: value for name, value in change.items() if name != "operation"}
            key = json.dumps(alike, sort_keys=True, default=str)
            entry = found.setdefault(key, {"diff": [], **alike, "hosts": []})
            entry["hosts"].append(host["name"].rpartition("/")[2])
    return list(found.values())


def _when(text: str) -> str:
    return re.sub(r"^(\S+)T(\S{8}).*", r"\1 \2 UTC", text)


def _kind_of_line(line: str) -> str:
    return {"+": "plus", "-": "minus", "@": "place"}.get(line[:1], "same")
