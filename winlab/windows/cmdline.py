"""Command lines: how Windows programs split theirs (CommandLineToArgvW and the C runtime since 2008) and how callers build one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable


def split(command_line: str) -> list[str]:
    """The arguments of a command line, the program's name first."""
    if not command_line.strip():
        return []
    first, position = _program(command_line.lstrip(" \t"))
    return [first, *_arguments(command_line.lstrip(" \t")[position:])]


def _program(text: str) -> tuple[str, int]:
    """The first argument: quotes group, backslashes mean nothing."""
    result: list[str] = []
    quoted = False
    for index, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char in " \t" and not quoted:
            return "".join(result), index
        else:
            result.append(char)
    return "".join(result), len(text)


def _arguments(text: str) -> list[str]:
    arguments: list[str] = []
    index, length = 0, len(text)
    while True:
        while index < length and text[index] in " \t":
            index += 1
        if index >= length:
            return arguments
        current: list[str] = []
        quoted = False
        while index < length:
            char = text[index]
            if char == "\\":
                start = index
                while index < length and text[index] == "\\":
                    index += 1
                count = index - start
                if index < length and text[index] == '"':
                    current.append("\\" * (count // 2))
                    if count % 2:
                        current.append('"')
                        index += 1
                else:
                    current.append("\\" * count)
                continue
            if char == '"':
                if quoted and index + 1 < length and text[index + 1] == '"':
                    current.append('"')
                    index += 2
                    continue
                quoted = not quoted
            elif char in " \t" and not quoted:
                break
            else:
                current.append(char)
            index += 1
        arguments.append("".join(current))


def join(arguments: Iterable[str]) -> str:
    """A command line that `split` takes apart into the same arguments."""
    return subprocess.list2cmdline(list(arguments))
