"""A diagnosis as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def lines(answer: Mapping[str, Any]) -> Iterable[str]:
    """What is wrong: cause, evidence and fix of each finding, a line each.

    Args:
        answer: a diagnosis in JSON's terms (`Diagnosis.to_dict`).
    """
    for finding in answer["causes"]:
        yield from _finding("Cause", finding)
    for finding in answer["notices"]:
        yield from _finding("Notice", finding)
    for part, problem in answer["blind"].items():
        yield f"Not known: the part '{part}': {problem}"


def _finding(title: str, finding: Mapping[str, Any]) -> Iterable[str]:
    yield f"{title + ':':10} {finding['cause']}"
    yield f"Evidence:  {finding['evidence']}"
    yield f"Fix:       {finding['fix']}  (docs/failures/{finding['rule']}.md)"
