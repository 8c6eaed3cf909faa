"""JSON as .NET Framework's JavaScriptSerializer reads and writes it, and the layout of 5.1's ConvertTo-Json.

Pure text and Python values: dictionaries (string keys), lists, strings, numbers, booleans, None; reading makes dates of `"\\/Date(0)\\/"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from winlab.powershell.objects import Char, Int64, Single

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_TO_ESCAPE = re.compile("[\x00-\x1f\"\\\\'<>&\x85\u2028\u2029]")
_INDENT = 4


@dataclass(frozen=True)
class Raw:
    """Text that is written as it stands (dates)."""

    text: str


@dataclass(frozen=True)
class Date:
    """A date that was read: milliseconds since 1970, UTC."""

    milliseconds: int


# --- writing ----------------------------------------------------------------------------------------------------------


def quote(text: str) -> str:
    """A string as JavaScriptSerializer writes it: `<`, `>`, `&` and `'` escaped as well."""
    return '"' + _TO_ESCAPE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def write_number(value: float | int | Decimal) -> str:
    """A number in the invariant culture, doubles with the digits that read back the same."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return int.__repr__(int(value))
    return _single(value) if isinstance(value, Single) else _double(value)


def _double(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return _net_exponent(f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value))


def _single(value: Single) -> str:
    for digits in range(7, 10):
        text = f"{float(value):.{digits}g}"
        if Single(float(text)) == value:
            return _net_exponent(text)
    return _net_exponent(repr(float(value)))


def _net_exponent(text: str) -> str:
    """Python's notation as .NET's: an exponent from 15 digits on and below 0.0001, as `E+15`."""
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        mantissa = mantissa.removesuffix(".0")
        digits = mantissa.lstrip("-").partition(".")[0]
        if len(digits) <= 15:
            return "0" if mantissa == "-0" else mantissa
        shift = len(digits) - 1
        sign = "-" if mantissa.startswith("-") else ""
        rest = digits[1:].rstrip("0")
        return f"{sign}{digits[0]}{'.' + rest if rest else ''}E+{shift}"
    number = int(exponent)
    return f"{mantissa.removesuffix('.0')}E{'+' if number >= 0 else '-'}{abs(number):02d}"


def compact(value: Any) -> str:
    """The value without white space."""
    parts: list[str] = []
    _compact(value, parts.append)
    return "".join(parts)


def _compact(value: Any, out: Callable[[str], Any]) -> None:
    if isinstance(value, dict):
        out("{")
        for index, (key, item) in enumerate(value.items()):
            out(("," if index else "") + quote(key) + ":")
            _compact(item, out)
        out("}")
    elif isinstance(value, list):
        out("[")
        for index, item in enumerate(value):
            if index:
                out(",")
            _compact(item, out)
        out("]")
    else:
        out(_scalar(value))


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, str):
        if isinstance(value, Char) and value == "\0":
            return "null"
        return quote(str.__str__(value))
    return write_number(value)


def pretty(value: Any) -> str:
    """The value as 5.1's ConvertTo-Json lays it out: four blanks more per level, counted from where the bracket stands."""
    if not isinstance(value, (dict, list)):
        return _scalar(value)
    parts: list[str] = []
    _pretty(value, 0, parts.append)
    return "".join(parts)


def _pretty(value: Any, column: int, out: Callable[[str], Any]) -> None:
    inner = column + _INDENT
    pad = " " * inner
    if isinstance(value, dict):
        out("{\r\n")
        for index, (key, item) in enumerate(value.items()):
            head = quote(key) + ":  "
            out((",\r\n" if index else "") + pad + head)
            _pretty_item(item, inner + len(head), out)
        out("\r\n" + " " * column + "}")
    else:
        out("[\r\n")
        for index, item in enumerate(value):
            out((",\r\n" if index else "") + pad)
            _pretty_item(item, inner, out)
        out("\r\n" + " " * column + "]")


def _pretty_item(item: Any, column: int, out: Callable[[str], Any]) -> None:
    if isinstance(item, (dict, list)):
        _pretty(item, column, out)
    else:
        out(_scalar(item))


# --- reading ----------------------------------------------------------------------------------------------------------


def _paired(text: str) -> str:
    """Two escapes that make one character together (`\\ud83c\\udf89`) as that character: texts are characters here, not UTF-16."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


_SPACE = " \t\r\n\f\v\u00a0\u0085\u2028\u2029\ufeff"
_DATE = re.compile(r'^"\\/Date\((?P<ticks>-?[0-9]+)(?:[a-zA-Z]|(?:\+|-)[0-9]{4})?\)\\/"')
_CHUNK = re.compile(r"""[^"'\\]*""")
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_MAX_DEPTH = 1024


class JsonError(ValueError):
    """Text that JavaScriptSerializer refuses, in its words (with the offset and the text behind them)."""


def loads(text: str, max_depth: int = _MAX_DEPTH) -> Any:
    """Read JSON: objects as dictionaries (of pairs as written), arrays as lists, numbers as Int32, Int64, Decimal or Double."""
    reader = _Reader(text, max_depth)
    value = reader.value(0)
    if reader.next_nonspace() is not None:
        raise JsonError(f"Invalid JSON primitive: {text[reader.index - 1 :]}.")
    return value


class JsonObject(dict[str, Any]):
    """An object that was read. `repeated` holds keys that came more than once, or twice but for their case."""

    __slots__ = ("repeated",)

    def __init__(self) -> None:
        super().__init__()
        self.repeated: list[tuple[str, str]] = []


class _Reader:
    def __init__(self, text: str, max_depth: int) -> None:
        self.text = text
        self.index = 0
        self.max_depth = max_depth

    def error(self, message: str) -> JsonError:
        return JsonError(f"{message} ({self.index}): {self.text}")

    def next_nonspace(self) -> str | None:
        text, n = self.text, len(self.text)
        i = self.index
        while i < n and text[i] in _SPACE:
            i += 1
        if i >= n:
            self.index = n
            return None
        self.index = i + 1
        return text[i]

    def back(self) -> None:
        self.index -= 1

    def value(self, depth: int) -> Any:
        if depth > self.max_depth:
            raise JsonError("RecursionLimit exceeded.")
        char = self.next_nonspace()
        if char is None:
            return None
        self.back()
        date = _DATE.match(self.text[self.index : self.index + 64]) if char == '"' else None
        if date is not None:
            self.index += date.end()
            return Date(int(date.group("ticks")))
        if char == "{":
            return self.object(depth)
        if char == "[":
            return self.list(depth)
        if char in "\"'":
            return self.string()
        return self.primitive()

    def object(self, depth: int) -> JsonObject:
        found = JsonObject()
        lower: dict[str, str] = {}
        self.index += 1
        char = self.next_nonspace()
        while char is not None:
            self.back()
            if char == ":":
                raise self.error("Invalid object passed in, member name expected.")
            name: str | None = None
            if char != "}":
                name = self.member_name()
                if self.next_nonspace() != ":":
                    raise self.error("Invalid object passed in, ':' or '}' expected.")
            if name is None:
                if len(found):
                    raise self.error("Invalid object passed in, member name expected.")
                if self.next_nonspace() != "}":
                    raise self.error("Invalid object passed in, ':' or '}' expected.")
                return found
            item = self.value(depth + 1)
            earlier = lower.get(name.lower())
            if earlier is not None:
                found.repeated.append((earlier, name))
            lower[name.lower()] = name
            found[name] = item
            char = self.next_nonspace()
            if char == "}":
                return found
            if char != ",":
                raise self.error("Invalid object passed in, ':' or '}' expected.")
            char = self.next_nonspace()
        raise self.error("Invalid object passed in, ':' or '}' expected.")

    def member_name(self) -> str:
        char = self.text[self.index]
        if char in "\"'":
            return self.string()
        token = self.token()
        if not token:
            raise self.error("Invalid object passed in, member name expected.")
        return token

    def list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.index += 1
        expects = False
        while True:
            char = self.next_nonspace()
            if char is None or char == "]":
                break
            self.back()
            found.append(self.value(depth + 1))
            expects = False
            char = self.next_nonspace()
            if char == "]":
                break
            expects = True
            if char != ",":
                raise self.error("Invalid array passed in, ',' expected.")
        if expects:
            raise self.error("Invalid array passed in, extra trailing ','.")
        if char != "]":
            raise self.error("Invalid array passed in, ']' expected.")
        return found

    def string(self) -> str:
        text = self.text
        quote_char = text[self.index]
        i = self.index + 1
        parts: list[str] = []
        while True:
            match = _CHUNK.match(text, i)
            assert match is not None
            parts.append(match.group())
            i = match.end()
            if i >= len(text):
                self.index = i
                raise self.error("Unterminated string passed in.")
            char = text[i]
            if char == quote_char:
                self.index = i + 1
                return _paired("".join(parts))
            i += 1
            if char != "\\":
                parts.append(char)
                continue
            if i >= len(text):
                self.index = i
                raise self.error("Unterminated string passed in.")
            escape = text[i]
            i += 1
            if escape in "\"'/\\":
                parts.append(escape)
            elif escape in _SIMPLE:
                parts.append(_SIMPLE[escape])
            elif escape == "u":
                digits = text[i : i + 4]
                if not re.fullmatch("[0-9A-Fa-f]{4}", digits):
                    self.index = i
                    raise self.error("Unrecognized escape sequence.")
                parts.append(chr(int(digits, 16)))
                i += 4
            else:
                self.index = i
                raise self.error("Unrecognized escape sequence.")

    def token(self) -> str:
        match = re.compile(r"[\w.+-]*").match(self.text, self.index)
        assert match is not None
        self.index = match.end()
        return match.group()

    def primitive(self) -> Any:
        token = self.token()
        if token == "null":
            return None
        if token == "true":
            return True
        if token == "false":
            return False
        value = _number(token)
        if value is None:
            raise JsonError(f"Invalid JSON primitive: {token}.")
        return value


def _number(token: str) -> Any:
    exponent = "e" in token.lower()
    if not exponent and "." not in token:
        if re.fullmatch(r"[+-]?[0-9]+", token):
            number = int(token)
            if -(1 << 31) <= number < 1 << 31:
                return number
            if -(1 << 63) <= number < 1 << 63:
                return Int64(number)
    if not exponent and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", token):
        decimal = Decimal(token)
        if abs(decimal) < 1 << 96:
            return decimal
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", token):
        return float(token)
    return None
