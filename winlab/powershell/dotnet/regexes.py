""".NET regular expressions on the `regex` package.

A .NET pattern is translated construct by construct: named groups are numbered after the unnamed ones, `\\Z` allows a final newline, inline options
act to the end of their group, quantifiers that .NET rejects are rejected. RightToLeft, balancing groups and conditions on an expression are refused.
Source: "Regular Expression Language - Quick Reference" of the .NET documentation.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import regex

from winlab.powershell.errors import LabUnsupported

IGNORE_CASE, MULTILINE, EXPLICIT_CAPTURE, COMPILED = 1, 2, 4, 8
SINGLELINE, IGNORE_WHITESPACE, RIGHT_TO_LEFT, ECMASCRIPT, CULTURE_INVARIANT = 16, 32, 64, 256, 512

_INLINE = {"i": IGNORE_CASE, "m": MULTILINE, "n": EXPLICIT_CAPTURE, "s": SINGLELINE, "x": IGNORE_WHITESPACE}
_SPECIAL = frozenset("\\*+?|{[()^$.# \t\n\f\r")


class RegexError(ValueError):
    """The ArgumentException of a pattern that does not parse; the text is .NET's."""


class MatchTimeout(Exception):
    """A match took longer than its limit."""


@dataclass
class Compiled:
    """A pattern ready to match. `numbers` are the group numbers of .NET, each with its Python group in `groups`."""

    pattern: str
    options: int
    program: Any
    numbers: list[int] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)

    def number_of(self, name: str) -> int:
        """The number of a group by name (`1`, `year`); -1 when there is none."""
        for number, own in self.names.items():
            if own == name:
                return number
        return -1

    def search(self, text: str, start: int = 0, end: int | None = None) -> Any:
        """The next match at or after `start`, or None. Anchors see the whole text up to `end`."""
        if end is None:
            return self.program.search(text, start)
        return self.program.search(text, start, end)

    def find_all(self, text: str, start: int = 0) -> list[Any]:
        """All matches as .NET steps through them: after an empty match the search moves on by one character."""
        found = []
        position = start
        while position <= len(text):
            match = self.program.search(text, position)
            if match is None:
                break
            found.append(match)
            position = match.end() if match.end() > match.start() else match.end() + 1
        return found

    def group(self, match: Any, number: int) -> str | None:
        value: str | None = match.group(self.groups[number])
        return value

    def captures(self, match: Any, number: int) -> list[tuple[int, str]]:
        """Every capture of a group as `(index, text)`."""
        index = self.groups[number]
        return [(begin, match.string[begin:end]) for begin, end in match.spans(index)]

    def expand(self, match: Any, template: list[str | int]) -> str:
        """A replacement pattern, parsed by :func:`parse_replacement`, filled in for one match."""
        out: list[str] = []
        for piece in template:
            if isinstance(piece, str):
                out.append(piece)
            elif piece >= 0:
                out.append(self.group(match, piece) or "")
            elif piece == WHOLE_INPUT:
                out.append(match.string)
            elif piece == BEFORE:
                out.append(match.string[: match.start()])
            elif piece == AFTER:
                out.append(match.string[match.end() :])
            elif piece == LAST_GROUP:
                out.append(self.group(match, self.numbers[-1]) or "" if len(self.numbers) > 1 else "")
        return "".join(out)

    def replace(self, text: str, replacement: str, count: int = -1, start: int = 0) -> str:
        template = parse_replacement(self, replacement)
        out: list[str] = []
        position = 0
        for match in self.find_all(text, start):
            if count == 0:
                break
            count -= 1
            out.append(text[position : match.start()])
            out.append(self.expand(match, template))
            position = match.end()
        out.append(text[position:])
        return "".join(out)

    def split(self, text: str, count: int = 0, start: int = 0) -> list[str]:
        """`[regex]::Split`: captured groups are part of the result."""
        if count == 1:
            return [text]
        out: list[str] = []
        position = 0
        for match in self.find_all(text, start):
            out.append(text[position : match.start()])
            position = match.end()
            for number in self.numbers[1:]:
                value = self.group(match, number)
                if value is not None:
                    out.append(value)
            count -= 1
            if count == 1:
                break
        out.append(text[position:])
        return out


WHOLE_INPUT, BEFORE, AFTER, LAST_GROUP = -1, -2, -3, -4


def parse_replacement(compiled: Compiled, text: str) -> list[str | int]:
    """A replacement pattern as pieces: literal text, group numbers, or one of the negative constants."""
    out: list[str | int] = []
    literal = ""
    index = 0
    while index < len(text):
        char = text[index]
        if char != "$" or index + 1 >= len(text):
            literal += char
            index += 1
            continue
        following = text[index + 1]
        piece: int | None = None
        length = 2
        if following == "$":
            literal += "$"
            index += 2
            continue
        if following == "&":
            piece = 0
        elif following == "`":
            piece = BEFORE
        elif following == "'":
            piece = AFTER
        elif following == "+":
            piece = LAST_GROUP
        elif following == "_":
            piece = WHOLE_INPUT
        elif following in "0123456789":
            end = index + 1
            while end < len(text) and text[end] in "0123456789":
                end += 1
                if int(text[index + 1 : end]) in compiled.groups:
                    piece, length = int(text[index + 1 : end]), end - index
        elif following == "{":
            end = text.find("}", index)
            name = text[index + 2 : end] if end > 0 else ""
            if name.isascii() and name.isdigit():
                if int(name) in compiled.groups:
                    piece, length = int(name), end - index + 1
            elif name:
                number = compiled.number_of(name)
                if number >= 0:
                    piece, length = number, end - index + 1
        if piece is None:
            literal += char
            index += 1
            continue
        if literal:
            out.append(literal)
            literal = ""
        out.append(piece)
        index += length
    if literal:
        out.append(literal)
    return out


def escape(text: str) -> str:
    """`[regex]::Escape`."""
    names = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}
    return "".join(names.get(char, "\\" + char) if char in _SPECIAL else char for char in text)


def unescape(text: str) -> str:
    """`[regex]::Unescape`."""
    out: list[str] = []
    index = 0
    while index < len(text):
        if text[index] != "\\":
            out.append(text[index])
            index += 1
            continue
        value, index = _char_escape(text, text, index + 1)
        out.append(value)
    return "".join(out)


@functools.lru_cache(maxsize=1024)
def compile_pattern(pattern: str, options: int = 0) -> Compiled:
    """A .NET pattern with RegexOptions as a number. RegexError when it does not parse."""
    if options & RIGHT_TO_LEFT:
        raise LabUnsupported("RegexOptions.RightToLeft")
    if options & ECMASCRIPT and options & ~(ECMASCRIPT | IGNORE_CASE | MULTILINE | COMPILED):
        raise RegexError("Specified argument was out of the range of valid values.\r\nParameter name: options")
    return _Translator(pattern, options).compile()


def _fail(pattern: str, reason: str) -> RegexError:
    return RegexError(f'parsing "{pattern}" - {reason}')


def _char_escape(pattern: str, text: str, index: int) -> tuple[str, int]:
    """The character of an escape whose backslash is before `index`, and where to go on."""
    if index >= len(text):
        raise _fail(pattern, "Illegal \\ at end of pattern.")
    char = text[index]
    simple = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    if char in simple:
        return simple[char], index + 1
    if char == "x" or char == "u":
        width = 2 if char == "x" else 4
        digits = text[index + 1 : index + 1 + width]
        if len(digits) < width or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise _fail(pattern, "Insufficient hexadecimal digits.")
        return chr(int(digits, 16)), index + 1 + width
    if char == "c":
        control = text[index + 1 : index + 2]
        if not control:
            raise _fail(pattern, "Missing control character.")
        code = ord(control.upper()) - ord("@")
        if not 0 <= code < 32:
            raise _fail(pattern, "Unrecognized control character.")
        return chr(code), index + 2
    if char in "01234567":
        end = index
        while end < len(text) and end - index < 3 and text[end] in "01234567":
            end += 1
        return chr(int(text[index:end], 8) & 0xFF), end
    if char.isalnum() or char == "_":
        raise _fail(pattern, f"Unrecognized escape sequence \\{char}.")
    return char, index + 1


def _literal(char: str) -> str:
    result: str = regex.escape(char, special_only=False)
    return result


class _Translator:
    """One pass over a .NET pattern that writes the same in the `regex` package's syntax."""

    def __init__(self, pattern: str, options: int) -> None:
        self.pattern = pattern
        self.options = options
        self.position = 0
        self.names: dict[str, int] = {}  # of named groups: the Python group
        self.unnamed: list[int] = []  # Python groups of unnamed groups in order
        self.python_groups = 0
        self.references: list[tuple[int, str]] = []

    def compile(self) -> Compiled:
        self._survey()
        text = self._alternatives(self.options, depth=0)
        if self.position < len(self.pattern):
            raise _fail(self.pattern, "Too many )'s.")
        flags = regex.VERSION0
        if self.options & IGNORE_CASE:
            flags |= regex.IGNORECASE
        if self.options & ECMASCRIPT:
            flags |= regex.ASCII
        try:
            program = regex.compile(text, flags)
        except regex.error as error:
            raise _fail(self.pattern, f"{str(error).capitalize()}.") from None
        numbers, names, groups = self._numbering()
        return Compiled(self.pattern, self.options, program, numbers, names, groups)

    # ---- group numbers

    def _survey(self) -> None:
        """Find all groups first: references may come before them, and unnamed ones take the lower numbers."""
        options_stack = [self.options]
        options = self.options
        index = 0
        text = self.pattern
        self.order: list[str | None] = []
        while index < len(text):
            char = text[index]
            if char == "\\":
                index += 2
            elif char == "[":
                index = self._skip_class(index)
            elif char == "#" and options & IGNORE_WHITESPACE:
                end = text.find("\n", index)
                index = len(text) if end < 0 else end + 1
            elif char == "(":
                options_stack.append(options)
                kind, name, index, changed = self._open(index, options)
                if kind == "options":
                    options_stack.pop()
                    options = changed
                elif kind == "comment":
                    options_stack.pop()
                else:
                    options = changed
                    if kind == "named":
                        self.order.append(name)
                    elif kind == "capture":
                        self.order.append(None)
            elif char == ")":
                if len(options_stack) > 1:
                    options = options_stack.pop()
                index += 1
            else:
                index += 1
        unnamed = sum(1 for name in self.order if name is None)
        explicit = {int(name) for name in self.order if name is not None and name.isdigit()}
        self.unnamed_numbers: list[int] = []
        number = 1
        for _ in range(unnamed):
            while number in explicit:
                number += 1
            self.unnamed_numbers.append(number)
            number += 1
        taken = set(self.unnamed_numbers) | explicit
        self.name_numbers: dict[str, int] = {}
        for name in self.order:
            if name is None or name in self.name_numbers:
                continue
            if name.isdigit():
                self.name_numbers[name] = int(name)
                continue
            while number in taken:
                number += 1
            self.name_numbers[name] = number
            taken.add(number)
        self.all_numbers = taken
        self.unnamed_seen = 0

    def _numbering(self) -> tuple[list[int], dict[int, str], dict[int, int]]:
        groups = {0: 0}
        names = {0: "0"}
        python = 0
        seen: dict[int, int] = {}
        unnamed = iter(self.unnamed_numbers)
        for name in self.order:
            number = next(unnamed) if name is None else self.name_numbers[name]
            if number not in seen:
                python += 1
                seen[number] = python
                groups[number] = python
                names[number] = str(number) if name is None else name
        numbers = sorted(groups)
        return numbers, names, groups

    def _skip_class(self, index: int) -> int:
        text = self.pattern
        index += 1
        if text[index : index + 1] == "^":
            index += 1
        first = True
        while index < len(text):
            char = text[index]
            if char == "]" and not first:
                return index + 1
            if char == "\\":
                index += 2
            elif char == "-" and text[index + 1 : index + 2] == "[" and not first:
                index = self._skip_class(index + 1)
            elif char == "[" and text[index + 1 : index + 2] == ":":
                end = text.find(":]", index + 2)
                index = index + 1 if end < 0 else end + 2
            else:
                index += 1
            first = False
        raise _fail(self.pattern, "Unterminated [] set.")

    def _open(self, index: int, options: int) -> tuple[str, str | None, int, int]:
        """What opens at `(`: kind, name, the index behind the opening, the options inside (or from there on)."""
        text = self.pattern
        if text[index + 1 : index + 2] != "?":
            if options & EXPLICIT_CAPTURE:
                return "group", None, index + 1, options
            return "capture", None, index + 1, options
        rest = text[index + 2 :]
        if not rest:
            raise _fail(text, "Unrecognized grouping construct.")
        if rest[0] == "#":
            end = text.find(")", index)
            if end < 0:
                raise _fail(text, "Unterminated (?#...) comment.")
            return "comment", None, end + 1, options
        for opening, kind in (
            ("<=", "lookbehind"),
            ("<!", "not-lookbehind"),
            ("=", "lookahead"),
            ("!", "not-lookahead"),
        ):
            if rest.startswith(opening):
                return kind, None, index + 2 + len(opening), options
        if rest[0] == ":":
            return "group", None, index + 3, options
        if rest[0] == ">":
            return "atomic", None, index + 3, options
        if rest[0] in "<'":
            closing = ">" if rest[0] == "<" else "'"
            end = text.find(closing, index + 3)
            name = text[index + 3 : end] if end > 0 else ""
            if "-" in name:
                raise LabUnsupported("balancing groups in regular expressions")
            if not name or not all(char.isalnum() or char == "_" for char in name) or name == "0":
                raise _fail(text, "Invalid group name: Group names must begin with a word character.")
            if name[0].isdigit() and not name.isdigit():
                raise _fail(text, "Invalid group name: Group names must begin with a word character.")
            return "named", name, end + 1, options
        if rest[0] == "(":
            return "condition", None, index + 2, options
        end = index + 2
        on = True
        changed = options
        while end < len(text) and text[end] in "imnsxIMNSX+-":
            if text[end] in "+-":
                on = text[end] == "+"
            else:
                bit = _INLINE[text[end].lower()]
                changed = changed | bit if on else changed & ~bit
            end += 1
        if end < len(text) and text[end] == ")":
            return "options", None, end + 1, changed
        if end < len(text) and text[end] == ":":
            return "group", None, end + 1, changed
        raise _fail(text, "Unrecognized grouping construct.")

    # ---- translation

    def _wrap_case(self, text: str, options: int) -> str:
        """Scope a piece whose case sensitivity differs from the pattern's."""
        if not text or (options & IGNORE_CASE) == (self.options & IGNORE_CASE):
            return text
        return f"(?i:{text})" if options & IGNORE_CASE else f"(?-i:{text})"

    def _alternatives(self, options: int, depth: int) -> str:
        """Everything up to the `)` that closes this group, or the end."""
        text = self.pattern
        out: list[str] = []
        piece = ""
        last: str | None = None  # the atom a quantifier applies to, already cased

        def flush() -> None:
            nonlocal last, piece
            if last is not None:
                piece += last
                last = None

        while self.position < len(text):
            char = text[self.position]
            if char == ")":
                if depth == 0:
                    raise _fail(text, "Too many )'s.")
                break
            if char == "|":
                flush()
                out.append(piece)
                piece = ""
                self.position += 1
                continue
            if options & IGNORE_WHITESPACE:
                if char in " \t\n\r\f\v":
                    self.position += 1
                    continue
                if char == "#":
                    end = text.find("\n", self.position)
                    self.position = len(text) if end < 0 else end + 1
                    continue
            quantifier = self._quantifier(options)
            if quantifier:
                if last is None:
                    if not self._after_quantifier:
                        raise _fail(text, "Quantifier {x,y} following nothing.")
                    raise _fail(text, f"Nested quantifier {quantifier[0]}.")
                piece += last + quantifier
                last = None
                self._after_quantifier = True
                continue
            flush()
            self._after_quantifier = False
            if char == "(":
                kind, name, self.position, changed = self._open(self.position, options)
                if kind == "options":
                    options = changed
                    continue
                if kind == "comment":
                    continue
                last = self._group(kind, name, changed, depth)
                self._after_quantifier = False
                continue
            last = self._wrap_case(self._atom(options), options)
        flush()
        out.append(piece)
        self._after_quantifier = False
        return "|".join(out)

    _after_quantifier = False

    def _quantifier(self, options: int) -> str:
        """The quantifier at the position, consumed; empty when there is none."""
        text = self.pattern
        char = text[self.position]
        if char in "*+?":
            end = self.position + 1
            core = char
        elif char == "{":
            found = regex.match(r"\{(\d+)(,(\d*))?\}", text[self.position :])
            if not found:
                return ""
            low, high = int(found.group(1)), found.group(3)
            if high and int(high) < low:
                raise _fail(text, "Illegal {x,y} with x > y.")
            end = self.position + found.end()
            core = found.group(0)
        else:
            return ""
        if text[end : end + 1] == "?":
            core += "?"
            end += 1
        self.position = end
        return core

    def _group(self, kind: str, name: str | None, options: int, depth: int) -> str:
        text = self.pattern
        if kind == "condition":
            return self._condition(options, depth)
        openings = {
            "group": "(?:",
            "atomic": "(?>",
            "lookbehind": "(?<=",
            "not-lookbehind": "(?<!",
            "lookahead": "(?=",
            "not-lookahead": "(?!",
        }
        if kind == "capture":
            opening = f"(?P<g{self.unnamed_numbers[self.unnamed_seen]}>"
            self.unnamed_seen += 1
        elif kind == "named":
            assert name is not None
            opening = f"(?P<g{self.name_numbers[name]}>"
        else:
            opening = openings[kind]
        self._after_quantifier = False
        inner = self._alternatives(options, depth + 1)
        if self.position >= len(text):
            raise _fail(text, "Not enough )'s.")
        self.position += 1
        return f"{opening}{inner})"

    def _condition(self, options: int, depth: int) -> str:
        text = self.pattern
        end = text.find(")", self.position)
        name = text[self.position + 1 : end] if end > 0 else ""
        number = int(name) if name.isdigit() else self.name_numbers.get(name, -1)
        if number not in self.all_numbers:
            if name.isdigit():
                raise _fail(text, "(?(" + name + ") ) reference to undefined group.")
            raise LabUnsupported("a condition on an expression in a regular expression")
        self.position = end + 1
        inner = self._alternatives(options, depth + 1)
        if self.position >= len(text):
            raise _fail(text, "Not enough )'s.")
        self.position += 1
        return f"(?(g{number}){inner})"

    def _reference(self, name: str) -> str:
        number = int(name) if name.isdigit() else self.name_numbers.get(name, -1)
        if number == -1 or (number not in self.all_numbers and number != 0):
            what = "number" if name.isdigit() else "name"
            raise _fail(self.pattern, f"Reference to undefined group {what} {name}.")
        return f"(?P=g{number})"

    def _atom(self, options: int) -> str:
        text = self.pattern
        char = text[self.position]
        self.position += 1
        if char == ".":
            if options & SINGLELINE:
                return "(?s:.)"
            return "[^\\n]"
        if char == "^":
            return "(?m:^)" if options & MULTILINE else "\\A"
        if char == "$":
            return "(?m:$)" if options & MULTILINE else "(?=\\n?\\Z)"
        if char == "[":
            return self._class(options)
        if char != "\\":
            return _literal(char)
        if self.position >= len(text):
            raise _fail(text, "Illegal \\ at end of pattern.")
        char = text[self.position]
        if char in "wWdDsSbB":
            self.position += 1
            return "\\" + char
        if char == "A":
            self.position += 1
            return "\\A"
        if char == "G":
            self.position += 1
            return "\\G"
        if char == "Z":
            self.position += 1
            return "(?=\\n?\\Z)"
        if char == "z":
            self.position += 1
            return "\\Z"
        if char in "pP":
            return self._property()
        if char == "k":
            opening = text[self.position + 1 : self.position + 2]
            closing = {"<": ">", "'": "'"}.get(opening, "")
            end = text.find(closing, self.position + 2) if closing else -1
            if end < 0:
                raise _fail(text, "Malformed \\k<...> named back reference.")
            name = text[self.position + 2 : end]
            self.position = end + 1
            return self._reference(name)
        if char in "123456789":
            end = self.position
            while end < len(text) and text[end] in "0123456789":
                end += 1
            digits = text[self.position : end]
            if len(digits) == 1 or int(digits) in self.all_numbers:
                self.position = end
                return self._reference(digits)
            while len(digits) > 1 and int(digits) not in self.all_numbers:
                digits = digits[:-1]
            if int(digits) in self.all_numbers:
                self.position += len(digits)
                return self._reference(digits)
            if digits[0] in "89":
                raise _fail(text, f"Reference to undefined group number {digits}.")
        value, self.position = _char_escape(text, text, self.position)
        return _literal(value)

    def _property(self) -> str:
        text = self.pattern
        letter = text[self.position]
        end = text.find("}", self.position)
        if text[self.position + 1 : self.position + 2] != "{" or end < 0:
            raise _fail(text, f"Incomplete \\{letter}{{X}} character escape.")
        name = text[self.position + 2 : end]
        self.position = end + 1
        spelled = "In" + name[2:] if name.startswith("Is") else name
        try:
            regex.compile(f"\\p{{{spelled}}}")
        except regex.error:
            raise _fail(text, f"Unknown property '{name}'.") from None
        return f"\\{letter}{{{spelled}}}"

    def _class(self, options: int) -> str:
        """A character class behind its `[`; a subtraction becomes a lookahead."""
        text = self.pattern
        negated = text[self.position : self.position + 1] == "^"
        if negated:
            self.position += 1
        out: list[str] = []
        first = True
        subtracted = ""
        while True:
            if self.position >= len(text):
                raise _fail(text, "Unterminated [] set.")
            char = text[self.position]
            if char == "]" and not first:
                self.position += 1
                break
            if char == "-" and text[self.position + 1 : self.position + 2] == "[" and not first:
                self.position += 2
                subtracted = self._class(options)
                if text[self.position : self.position + 1] != "]":
                    raise _fail(text, "A subtraction must be the last element in a character class.")
                self.position += 1
                break
            first = False
            low = self._class_item()
            if (
                isinstance(low, tuple)
                or text[self.position : self.position + 1] != "-"
                or text[self.position + 1 : self.position + 2] in ("]", "[", "")
            ):
                out.append(low[0] if isinstance(low, tuple) else _literal(low))
                continue
            self.position += 1
            high = self._class_item()
            if isinstance(high, tuple):
                raise _fail(text, f"Cannot include class {high[0]} in character range.")
            if high < low:
                raise _fail(text, "[x-y] range in reverse order.")
            out.append(f"{_literal(low)}-{_literal(high)}")
        body = "[" + ("^" if negated else "") + "".join(out) + "]"
        return f"(?:(?!{subtracted}){body})" if subtracted else body

    def _class_item(self) -> str | tuple[str]:
        """A character, or a class such as `\\d` in a tuple."""
        text = self.pattern
        char = text[self.position]
        if char == "[" and text[self.position + 1 : self.position + 2] == ":":
            end = text.find(":]", self.position)
            if end > 0:
                raise LabUnsupported("POSIX classes in a regular expression")
        if char != "\\":
            self.position += 1
            return char
        following = text[self.position + 1 : self.position + 2]
        if following and following in "wWdDsS":
            self.position += 2
            return ("\\" + following,)
        if following and following in "pP":
            self.position += 1
            return (self._property(),)
        if following == "-":
            self.position += 2
            return "-"
        value, self.position = _char_escape(text, text, self.position + 1)
        return value
