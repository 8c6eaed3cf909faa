"""How objects become text: the views of Windows PowerShell 5.1, tables, lists, and the commands that choose between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

DEFAULT_WIDTH = 79
"""Columns of a console of 80 columns: the last one stays empty, so that no line wraps by itself."""


def render(values: Iterable[Any], runtime: Runtime, width: int = DEFAULT_WIDTH) -> list[str]:
    """The lines (without line ends) that Out-Default would write for the objects."""
    from winlab.powershell.formatting.output import Formatter

    lines: list[str] = []
    formatter = Formatter(runtime, lines.append, width)
    for value in values:
        formatter.write(value)
    formatter.finish()
    return lines
