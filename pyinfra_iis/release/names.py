"""Which names Windows can hold, and which it takes for one.

Sources: "Naming Files, Paths, and Namespaces" of Microsoft's documentation; NTFS compares names by upper case, one UTF-16 unit at a time, and never
normalizes them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST_PATH = 259
"""UTF-16 units of a path, without `LongPathsEnabled`."""

LONGEST_LONG_PATH = 32766
"""The same with it."""

_DEVICE = r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])"
_UNFIT = re.compile(
    rf"(?:^|(?<=/))(?:{_DEVICE} *(?:\.[^/]*)?|[^/]*[. ])(?=/|$)|[^/]*[<>:\"\\|?*\x00-\x1f][^/]*", re.IGNORECASE
)
"""A part of a path that Windows cannot hold: a device's name, a dot or space at the end, a forbidden character."""

_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f\ud800-\udfff]')
_DEVICES = re.compile("/(?:con|prn|aux|nul|com|lpt)")


def may_be_unfit(names: str) -> bool:
    """Finds quickly that some name of many, with `/` between them, may not fit."""
    text = f"/{names}/"
    return (
        "./" in text or " /" in text or _FORBIDDEN.search(text) is not None or _DEVICES.search(text.lower()) is not None
    )


def unfit(path: str) -> str:
    """What is wrong with a relative path, as `cannot exist on Windows because of 'aux.py'`; empty when Windows can hold it.

    Args:
        path: with `/` between its parts.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        return "has a name that is no UTF-8"
    if match := _UNFIT.search(path):
        return f"cannot exist on Windows because of '{visible(match[0])}'"
    return ""


def length(path: str) -> int:
    """UTF-16 units, as Windows counts them."""
    return len(path) if path.isascii() else len(path.encode("utf-16-le", "surrogatepass")) // 2


def upper(name: str) -> str:
    """A name as NTFS compares it: letters of one unit that have one upper case letter of one unit, which is ASCII only for ASCII."""
    return name.upper() if name.isascii() else "".join(map(_upper, name))


def _upper(char: str) -> str:
    if char > "\uffff":
        return char
    found = char.upper()
    return found if len(found) == 1 and found <= "\uffff" and (char < "\x80" or found >= "\x80") else char


def folded(name: str) -> str:
    """The same for names that only look alike too: an accent may be a letter's own or a sign of its own."""
    return name.upper() if name.isascii() else unicodedata.normalize("NFC", upper(unicodedata.normalize("NFC", name)))


def may_collide(names: str, count: int) -> bool:
    """Finds quickly that some of `count` names, with `/` between them, may be one."""
    return not names.isascii() or len(set(names.upper().split("/"))) != count


def collisions(names: Iterable[str]) -> list[tuple[str, str, bool]]:
    """Names of one folder that are one on Windows, or look like it: the first, another, and whether Windows takes them for one."""
    seen: dict[str, str] = {}
    found = []
    for name in names:
        other = seen.setdefault(folded(name), name)
        if other is not name:
            found.append((other, name, upper(other) == upper(name)))
    return found


def visible(text: str) -> str:
    """A name for the reader: what does not print, such as bytes that are no UTF-8, as an escape."""
    shown = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return "".join(shown).replace("\\udc", "\\x")
