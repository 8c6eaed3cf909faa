"""Which program runs a command, and its command line as Windows splits it."""

from __future__ import annotations

import ntpath
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program file (as Windows finds it on PATH) and its raw command line arguments."""

    file: str
    arguments: str


def quote(argument: str) -> str:
    """An argument that ``CommandLineToArgvW`` reads back as it is."""
    if argument and not any(c in argument for c in ' \t\n\v"'):
        return argument
    quoted, backslashes = '"', 0
    for char in argument:
        if char == "\\":
            backslashes += 1
            continue
        quoted += "\\" * (backslashes * 2 + 1 if char == '"' else backslashes) + char
        backslashes = 0
    return quoted + "\\" * (backslashes * 2) + '"'


def program_for(shell_executable: str | None, command: str) -> Program | None:
    """The program of ``_shell_executable`` with the command; None for PowerShell in our own process.

    pyinfra's own default, ``sh``, means "the usual shell", which is PowerShell here. ``cmd`` takes the command as cmd.exe reads it;
    any other program gets ``-c`` and the command as one argument, as pyinfra does everywhere (``pwsh`` its ``-Command``)."""
    shell = (shell_executable or "ps").strip()
    name = ntpath.basename(shell).lower().removesuffix(".exe")
    if shell.lower() in ("ps", "sh", "powershell", "powershell.exe"):
        return None
    if name == "cmd":
        return Program("cmd.exe" if shell.lower() == "cmd" else shell, f'/d /s /c "{command}"')
    if name in ("pwsh", "powershell"):
        return Program(shell, f"-NoLogo -NoProfile -NonInteractive -Command {quote(command)}")
    return Program(shell, f"-c {quote(command)}")
