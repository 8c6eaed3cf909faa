"""Variables in cmd.exe: %NAME%, !NAME!, batch arguments and FOR variables with their modifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from winlab.windows.errors import WindowsError

if TYPE_CHECKING:
    from winlab.windows.filesystem import FileSystem

Lookup = Callable[[str], str | None]
_SUBSTRING = re.compile(r"~(-?\d*)(?:,(-?\d*))?$")


def modified(value: str, modifier: str) -> str:
    """`:~start,length` and `:old=new` (without the colon) applied to a value."""
    match = _SUBSTRING.match(modifier)
    if match:
        return _substring(value, int(match[1] or 0), match[2])
    old, found, new = modifier.partition("=")
    if not found or not old:
        return value
    if old.startswith("*") and len(old) > 1:
        position = value.lower().find(old[1:].lower())
        return value if position < 0 else new + value[position + len(old) - 1 :]
    return re.sub(re.escape(old), lambda _: new, value, flags=re.IGNORECASE)


def _substring(value: str, start: int, length: str | None) -> str:
    if start < 0:
        start = max(0, len(value) + start)
    if length in (None, ""):
        return value[start:]
    count = int(length or 0)
    end = len(value) + count if count < 0 else start + count
    return value[start : max(start, end)]


def percent(line: str, lookup: Lookup, arguments: Callable[[str], str | None] | None) -> str:
    """Phase 1. arguments: for batch files, gives `%1`, `%~dp0`, `%*` by the text after the percent sign; None on the command line,
    where unknown names stay as typed."""
    batch = arguments is not None
    result: list[str] = []
    index, length = 0, len(line)
    while index < length:
        char = line[index]
        if char != "%":
            result.append(char)
            index += 1
            continue
        if batch and line.startswith("%%", index):
            result.append("%")
            index += 2
            continue
        if arguments is not None:
            match = re.compile(r"%(\*|\d|~[a-zA-Z]*(?:\$[^:%]+:[a-zA-Z]*)?\d|~\*)").match(line, index)
            if match:
                replaced = arguments(match[1])
                if replaced is not None:
                    result.append(replaced)
                    index = match.end()
                    continue
        end = line.find("%", index + 1)
        if end < 0:
            if not batch:
                result.append(char)
            index += 1
            continue
        name, colon, modifier = line[index + 1 : end].partition(":")
        value = lookup(name) if name else None
        if value is not None:
            result.append(modified(value, modifier) if colon and modifier else value)
            index = end + 1
        elif batch:
            index = end + 1
        else:
            result.append(char)
            index += 1
    return "".join(result)


def delayed(text: str, lookup: Lookup) -> str:
    """Phase 5, for text with an exclamation mark: !NAME! and `^` as an escape."""
    if "!" not in text:
        return text
    result: list[str] = []
    index, length = 0, len(text)
    while index < length:
        char = text[index]
        if char == "^":
            index += 1
            if index < length:
                result.append(text[index])
                index += 1
            continue
        if char != "!":
            result.append(char)
            index += 1
            continue
        end = text.find("!", index + 1)
        if end < 0:
            index += 1
            continue
        name, colon, modifier = text[index + 1 : end].partition(":")
        value = lookup(name) if name else None
        if value is not None:
            result.append(modified(value, modifier) if colon and modifier else value)
        index = end + 1
    return "".join(result)


def for_variables(text: str, variables: Mapping[str, str], files: Files) -> str:
    """%a and %~modifiers a of the FOR loops around a command."""
    if not variables or "%" not in text:
        return text
    result: list[str] = []
    index = 0
    while index < len(text):
        if text[index] != "%" or index + 1 >= len(text):
            result.append(text[index])
            index += 1
            continue
        following = text[index + 1]
        if following in variables:
            result.append(variables[following])
            index += 2
            continue
        match = re.compile(r"%~([a-zA-Z]*(?:\$[^:%]+:)?)").match(text, index)
        if match:
            modifiers = match[1]
            # the longest run of modifiers that leaves a variable's name
            for cut in range(len(modifiers), -1, -1):
                position = index + 2 + cut
                name = text[position] if position < len(text) else ""
                if (
                    name in variables
                    and name
                    and all(c in "fdpnxsatz" or "$" in modifiers for c in modifiers[:cut].lower())
                ):
                    result.append(files.modify(variables[name], modifiers[:cut]))
                    index = position + 1
                    break
            else:
                result.append("%")
                index += 1
            continue
        result.append("%")
        index += 1
    return "".join(result)


class Files:
    """The modifiers that look at files: f d p n x s a t z and $PATH:."""

    def __init__(self, fs: FileSystem, cwd: Callable[[], str], lookup: Lookup) -> None:
        self._fs = fs
        self._cwd = cwd
        self._lookup = lookup

    def modify(self, value: str, modifiers: str) -> str:
        value = (
            value[1:-1]
            if len(value) > 1 and value[0] == value[-1] == '"'
            else value.strip('"')
            if value.startswith('"')
            else value
        )
        if not modifiers:
            return value
        search = re.match(r"([a-zA-Z]*)\$([^:]+):", modifiers)
        if search:
            found = self._search(value, search[2])
            if found is None:
                return ""
            value, modifiers = found, search[1] or "f"
        if not value:
            return ""
        return self._parts(value, modifiers.lower())

    def _search(self, name: str, variable: str) -> str | None:
        for folder in (self._lookup(variable) or "").split(";"):
            if folder and self._fs.is_file(self._full(folder.rstrip("\\") + "\\" + name)):
                return self._full(folder.rstrip("\\") + "\\" + name)
        return None

    def _full(self, path: str) -> str:
        try:
            full = self._fs.resolve(path, self._cwd())
            return self._fs.stored_path(full) if self._fs.exists(full) else full
        except WindowsError:
            return path

    def _parts(self, value: str, modifiers: str) -> str:
        full = self._full(value)
        folder, _, name = full.rpartition("\\")
        stem, dot, extension = name.rpartition(".")
        if not dot:
            stem, extension = name, ""
        prefix = ""
        entry = self._fs.stat(full) if self._fs.exists(full) else None
        if entry is not None:
            if "a" in modifiers:
                letters = zip("drahscotl", (0x10, 0x1, 0x20, 0x2, 0x4, 0x800, 0x1000, 0x100, 0x400), strict=True)
                prefix += "".join(letter if entry.attributes & bit else "-" for letter, bit in letters) + " "
            if "t" in modifiers:
                prefix += entry.modified.strftime("%m/%d/%Y %I:%M %p") + " "
            if "z" in modifiers:
                prefix += f"{entry.size} "
        text = ""
        if "f" in modifiers:
            text = full
        else:
            text += full[:2] if "d" in modifiers else ""
            text += folder[2:] + "\\" if "p" in modifiers else ""
            text += stem if "n" in modifiers else ""
            text += "." + extension if "x" in modifiers and dot else ""
            if "s" in modifiers and not text:
                text = full
        return (prefix + text).rstrip(" ") if not text else prefix + text
