"""Wildcard patterns: ``*``, ``?``, ``[a-z]``, with the back-tick as escape (about_Wildcards)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


def to_regex(pattern: str) -> str:
    """The regular expression (Python's) that a wildcard pattern means, anchored at both ends."""
    out: list[str] = []
    i, length = 0, len(pattern)
    while i < length:
        ch = pattern[i]
        i += 1
        if ch == "`" and i < length:
            out.append(re.escape(pattern[i]))
            i += 1
        elif ch == "*":
            out.append(".*")
        elif ch == "?":
            out.append(".")
        elif ch == "[":
            end = i
            body: list[str] = []
            while end < length and pattern[end] != "]":
                if pattern[end] == "`" and end + 1 < length:
                    end += 1
                    body.append(re.escape(pattern[end]))
                elif pattern[end] == "-" and body and end + 1 < length and pattern[end + 1] != "]":
                    body.append("-")
                else:
                    body.append(re.escape(pattern[end]))
                end += 1
            if end >= length or not body:
                raise BadPattern(pattern)
            out.append("[" + "".join(body) + "]")
            i = end + 1
        else:
            out.append(re.escape(ch))
    return "".join(out)


class BadPattern(ValueError):
    """A pattern with an unclosed bracket."""


@lru_cache(maxsize=2048)
def wildcard(pattern: str, ignore_case: bool = True) -> Callable[[str], bool]:
    """A test for texts against a pattern. WildcardPatternException when it does not parse."""
    from winlab.powershell.errors import NetException

    try:
        source = to_regex(pattern)
        program = re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    except (BadPattern, re.error):
        raise NetException(
            "System.Management.Automation.WildcardPatternException",
            f"The specified wildcard character pattern is not valid: {pattern}",
            error_id="RuntimeException",
        ) from None
    return lambda text: program.fullmatch(text) is not None


def has_wildcards(text: str) -> bool:
    """Whether a text contains an unescaped wildcard character."""
    i = 0
    while i < len(text):
        if text[i] == "`":
            i += 2
            continue
        if text[i] in "*?[":
            return True
        i += 1
    return False


def escape(text: str) -> str:
    """The pattern that matches exactly this text."""
    return "".join("`" + ch if ch in "*?[]" else ch for ch in text)


def unescape(text: str) -> str:
    """A pattern's text with its back-tick escapes taken out."""
    out: list[str] = []
    i = 0
    while i < len(text):
        if text[i] == "`" and i + 1 < len(text) and text[i + 1] in "*?[]":
            i += 1
        out.append(text[i])
        i += 1
    return "".join(out)
