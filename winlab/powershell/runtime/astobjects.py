"""System.Management.Automation.Language: the parser and the syntax tree as scripts see them."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported


def wrap(node: Any) -> Any:
    raise LabUnsupported("the syntax tree (ScriptBlock.Ast)")


def extent_object(extent: Any) -> Any:
    raise LabUnsupported("script extents as objects")


def error_object(error: Any) -> Any:
    raise LabUnsupported("ParseError as an object")
