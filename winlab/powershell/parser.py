"""The parser of Windows PowerShell 5.1."""

from __future__ import annotations

from dataclasses import dataclass

from winlab.powershell.ast import ScriptBlockAst
from winlab.powershell.tokens import Extent


@dataclass(slots=True, eq=False)
class ParseError:
    """One complaint of the parser: PowerShell's id and message, and where."""

    extent: Extent
    error_id: str
    message: str
    incomplete_input: bool = False


def parse(text: str, file: str | None = None) -> tuple[ScriptBlockAst, list[object], list[ParseError]]:
    """Parse a script: its tree, its tokens, and the errors as they were found (none: the script is valid).

    `file` is the script's path as extents and error positions name it.
    """
    raise NotImplementedError("the parser is being written")
