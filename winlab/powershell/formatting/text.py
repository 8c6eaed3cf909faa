"""Fitting text into columns and lines, as PowerShell's StringManipulationHelper does."""

from __future__ import annotations

from collections.abc import Iterator

_ELLIPSIS = "..."
_SOFT_HYPHEN = "\u00ad"


def split_lines(text: str) -> list[str]:
    """The lines of a text; CRLF, LF and lone CR all end one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _words(line: str) -> Iterator[str]:
    """The line in pieces behind each of which it may break; each but the last ends in its blank."""
    begin = 0
    for index, char in enumerate(line):
        if char in " \t" + _SOFT_HYPHEN:
            yield line[begin : index + 1]
            begin = index + 1
    yield line[begin:]


def wrap(text: str, first_width: int, following_width: int | None = None) -> list[str]:
    """Break a text into lines: at blanks, which stay at the end of their line, or inside words that are too long."""
    following = first_width if following_width is None else following_width
    found: list[str] = []
    for line in split_lines(text):
        if len(line) <= first_width:
            found.append(line)
            continue
        width = left = first_width
        current = ""
        for word in _words(line):
            if len(word) > width:
                for char in word:
                    if left < 1:
                        found.append(current)
                        current = ""
                        width = left = max(following, 1)
                    current += char
                    left -= 1
            else:
                if len(word) > left:
                    found.append(current)
                    current = ""
                    width = left = max(following, 1)
                current += word
                left -= len(word)
        found.append(current)
    return found


def truncate_at_newline(text: str) -> str:
    """The first line of a text, with dots when there are more."""
    for index, char in enumerate(text):
        if char in "\r\n":
            return text[:index] + _ELLIPSIS
    return text


def fit(text: str, width: int, right: bool, center: bool = False) -> str:
    """A cell's text cut to the column's width (dots where it was cut) and padded."""
    if len(text) > width:
        if width <= len(_ELLIPSIS):
            return text[-width:] if right else text[:width]
        keep = width - len(_ELLIPSIS)
        return _ELLIPSIS + text[-keep:] if right else text[:keep] + _ELLIPSIS
    if center:
        before = (width - len(text)) // 2
        return " " * before + text + " " * (width - len(text) - before)
    return text.rjust(width) if right else text.ljust(width)
