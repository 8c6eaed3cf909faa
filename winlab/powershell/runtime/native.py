"""Programs: how a name is found on PATH, and how they run in a pipeline."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported
from winlab.powershell.runtime.commands import CommandProcessor


def find(runtime: Any, name: str) -> Any:
    return None


class NativeProcessor(CommandProcessor):
    def __init__(self, runtime: Any, frame: Any, info: Any, arguments: Any, extent: Any) -> None:
        super().__init__(runtime, frame, info, extent)
        raise LabUnsupported("programs")
