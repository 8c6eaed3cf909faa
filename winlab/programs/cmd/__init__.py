"""cmd.exe: the command processor."""

from __future__ import annotations

from winlab.programs.cmd.shell import main

__all__ = ["main"]
