"""The tokenizer of Windows PowerShell 5.1.

PowerShell has no token stream of its own: what a character means depends on the mode the parser is in. In command mode
`a-b` and `7z` are words, in expression mode `-` ends the word; type names have a mode of their own. So the parser sets
`mode` and pulls one token at a time, and may set the tokenizer back to read the same text again in another mode.

Offsets: `pos` of a token counts in the text being scanned, which for `$(...)` inside a string is that piece alone;
`start` and `end` count in the whole script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from winlab.powershell.ast import VariablePath
from winlab.powershell.objects import Int64
from winlab.powershell.tokens import Extent, ScriptSource, TokenKind

if TYPE_CHECKING:
    from winlab.powershell.parser import Parser

COMMAND, EXPRESSION, TYPE_NAME, SIGNATURE = range(4)

_SPACES = " \t\f\v\u00a0\u0085\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DASHES = "-\u2013\u2014\u2015"
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
_DOUBLE_QUOTES = '"\u201c\u201d\u201e'
_WHITESPACE = re.compile(f"[{_SPACES}]+")
_SPACE_SET = frozenset(char for char in map(chr, range(0x3001)) if _WHITESPACE.match(char))
# What ends a word whatever the mode.
_TOKEN_END = f"\\0\\t\\n\\v\\f\\r &(),;{{|}}{_SPACES}"
_GENERIC_CHUNK = re.compile(f"[^{_TOKEN_END}`${_SINGLE_QUOTES}{_DOUBLE_QUOTES}]+")
_TOKEN_ENDS = frozenset("\0\t\n\v\f\r &(),;{|}") | _SPACE_SET
_SINGLE_CHUNK = re.compile(f"[^{_SINGLE_QUOTES}]*")
_DOUBLE_CHUNK = re.compile(f"[^{_DOUBLE_QUOTES}$`]*")
_HERE_CHUNK = re.compile(r"[^\r\n$`]*")
_HERE_SINGLE_END = re.compile(f"(?:\\r\\n|\\r|\\n)[{_SINGLE_QUOTES}]@")
_HERE_SINGLE_FALSE_END = re.compile(f"(?:\\r\\n|\\r|\\n)[{_SPACES}]+([{_SINGLE_QUOTES}]@)")
_LINE_END = re.compile(r"[\r\n]|\Z")
_IDENTIFIER = re.compile(r"\w+")
_TYPE_NAME = re.compile(r"[\w.`+#\\]+")
_VARIABLE = re.compile(r"[\w?]+")
_PARAMETER_LETTERS = re.compile(r"[A-Za-z]+")
_NUMBER_START = re.compile(r"[0-9]")
_DECIMAL_DIGITS = re.compile(r"[0-9]*")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]*")
_SUBEXPRESSION_CHUNK = re.compile(f"[^()`{_DOUBLE_QUOTES}]*")
_SUBEXPRESSION_CHUNK_HERE = re.compile(r"[^()]*")
_AFTER_NUMBER = frozenset("!#%*+-./<=>]\u2013\u2014\u2015")
_ASSEMBLY_NAME_END = re.compile(f"[\\0\\t\\n\\v\\f\\r ,=\\]{_SPACES}]|\\Z")
_REQUIRES = re.compile(r"requires", re.IGNORECASE)
_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MULTIPLIERS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_SIGNATURE_START = "sig#beginsignatureblock\n"
_SIGNATURE_COUNT = Counter(_SIGNATURE_START)
_SIGNATURE_SIMILARITY = 10

_KEYWORD_NAMES = (
    "elseif if else switch foreach from in for while until do try catch finally trap data return continue break exit throw "
    "begin process end dynamicparam function filter param class define var using workflow parallel sequence inlinescript "
    "configuration public private static interface enum namespace module type assembly command hidden base"
)
KEYWORDS = {name: TokenKind(name) for name in _KEYWORD_NAMES.split()}

_OTHER_OPERATORS = "bnot not isnot is as f and band or bor xor bxor join shl shr"
_COMPARISONS = "eq ne ge gt lt le like notlike match notmatch replace contains notcontains in notin split"
OPERATORS: dict[str, TokenKind] = {name: TokenKind(f"-{name}") for name in f"{_OTHER_OPERATORS} {_COMPARISONS}".split()}
for _name in _COMPARISONS.split():
    OPERATORS[f"i{_name}"] = TokenKind(f"-{_name}")
    OPERATORS[f"c{_name}"] = TokenKind(f"-c{_name}")


class Token:
    """A token. `value` depends on the kind: variable path, number, parameter name, string or label text, redirection."""

    __slots__ = ("end", "kind", "pieces", "pos", "source", "start", "value")

    def __init__(
        self, kind: TokenKind, source: ScriptSource, pos: int, start: int, end: int, value: Any, pieces: Any
    ) -> None:
        self.kind = kind
        self.source = source
        self.pos = pos
        self.start = start
        self.end = end
        self.value = value
        self.pieces = pieces  # expandable strings: texts and nested tokens; parameters: True when a colon follows

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def extent(self) -> Extent:
        return Extent(self.source, self.start, self.end)

    def __repr__(self) -> str:
        return f"Token({self.kind.name}, {self.text!r})"


class SubExpressionText:
    """`$(...)` inside an expandable string: the text, to be parsed later, and where its characters come from."""

    __slots__ = ("adjust", "offsets", "text")

    def __init__(self, text: str, adjust: int, offsets: list[int] | None) -> None:
        self.text = text
        self.adjust = adjust
        self.offsets = offsets


def is_whitespace(char: str) -> bool:
    """Whether the character separates tokens (line ends do not count)."""
    return char in _SPACE_SET


def is_variable_start(char: str) -> bool:
    """Whether a variable's name may begin so without braces."""
    return char in "$:?^_" or char.isalnum()


def split_variable_path(path: str) -> VariablePath:
    """Take a variable's name apart: scope, drive, name."""
    colon = path.find(":")
    if colon <= 0:
        return VariablePath(path, None, None, path)
    prefix, rest = path[:colon], path[colon + 1 :]
    scope = prefix.lower()
    if scope in ("global", "local", "private", "script"):
        return VariablePath(path, scope, None, rest)
    if scope == "variable":
        return VariablePath(path, None, None, rest)
    return VariablePath(path, None, prefix, rest)


class Tokenizer:
    """Reads tokens of one script for one parser."""

    def __init__(self, parser: Parser, source: ScriptSource) -> None:
        self.parser = parser
        self.source = source
        self.mode = COMMAND
        self.allow_signed_numbers = False
        self.want_simple_name = False
        self.in_workflow = False
        self.tokens: list[Token] | None = []
        self.requires: list[Token] = []
        self.signature_start: int | None = None
        self._set_text(source.text, 0, None)
        self.i = 0
        self.start = 0

    def _set_text(self, text: str, adjust: int, offsets: list[int] | None) -> None:
        self.script = text
        self.s = text + "\0\0\0"  # so that looking ahead needs no bounds
        self.n = len(text)
        self.adjust = adjust
        self.offsets = offsets

    # --- positions ----------------------------------------------------------------------------------------------------

    def absolute(self, index: int) -> int:
        """The offset in the whole script of an index into the text being scanned."""
        if self.offsets is None:
            return index + self.adjust
        return self.offsets[min(index, len(self.offsets) - 1)]

    def begin_nested(self, nested: SubExpressionText) -> tuple[Any, ...]:
        """Scan the text of a `$(...)`; returns the state to give back to `end_nested`."""
        state = (self.script, self.s, self.n, self.adjust, self.offsets, self.i, self.start, self.tokens, self.mode)
        self._set_text(nested.text, nested.adjust, nested.offsets)
        self.i = self.start = 0
        self.tokens = None
        return state

    def end_nested(self, state: tuple[Any, ...]) -> None:
        (self.script, self.s, self.n, self.adjust, self.offsets, self.i, self.start, self.tokens, self.mode) = state

    def resync(self, pos: int) -> None:
        """Go back to an index, forgetting the tokens behind it."""
        self.i = pos
        tokens = self.tokens
        if tokens:
            while tokens and tokens[-1].pos >= pos:
                tokens.pop()
        if self.requires and self.tokens is not None:
            while self.requires and self.requires[-1].pos >= pos:
                self.requires.pop()

    def error(self, start: int, end: int, error_id: str, *arguments: str) -> None:
        self.parser.report(self.absolute(start), self.absolute(end), error_id, *arguments)

    def incomplete(self, start: int, error_id: str, *arguments: str) -> None:
        self.parser.report_incomplete(self.absolute(start), self.absolute(self.i), error_id, *arguments)

    def only_blank_after(self, offset: int) -> bool:
        """Whether nothing but white space and comments follows an offset of the whole script.

        Line ends count as something, as in PowerShell.
        """
        text = self.source.text
        n = len(text)
        i = offset
        while i < n:
            if text[i] == "#":
                match = _LINE_END.search(text, i)
                i = match.start() if match else n
            elif text.startswith("<#", i):
                closing = text.find("#>", i + 2)
                i = n if closing < 0 else closing + 2
            elif is_whitespace(text[i]):
                i += 1
            else:
                return False
        return True

    # --- making tokens ------------------------------------------------------------------------------------------------

    def _new(self, kind: TokenKind, value: Any = None, pieces: Any = None) -> Token:
        pos, end = self.start, self.i
        if self.offsets is None:
            adjust = self.adjust
            token = Token(kind, self.source, pos, pos + adjust, end + adjust, value, pieces)
        else:
            token = Token(kind, self.source, pos, self.absolute(pos), self.absolute(end), value, pieces)
        if self.tokens is not None:
            self.tokens.append(token)
        return token

    # --- skipping -----------------------------------------------------------------------------------------------------

    def skip_newlines(self, skip_semicolons: bool = False) -> None:
        s = self.s
        i = self.i
        while True:
            c = s[i]
            if c == " " or c == "\n" or c == "\t" or c == "\r" or (c == ";" and skip_semicolons):
                i += 1
            elif c == "#":
                self.start, self.i = i, i + 1
                self._line_comment()
                i = self.i
            elif c == "<" and s[i + 1] == "#":
                self.start, self.i = i, i + 2
                self._block_comment()
                i = self.i
            elif c == "`":
                following = s[i + 1]
                if following == "\r" and s[i + 2] == "\n":
                    i += 3
                elif following in "\r\n" or (following.isspace()):
                    i += 2
                else:
                    break
            elif is_whitespace(c):
                i += 1
            else:
                break
        self.i = i

    def _line_comment(self) -> None:
        match = _LINE_END.search(self.script, self.i)
        end = match.start() if match else self.n
        body = self.script[self.i : end]
        self.i = end
        token = self._new(TokenKind.Comment)
        if _REQUIRES.match(body) and self.tokens is not None:
            self.requires.append(token)
        elif self.tokens is not None and _looks_like_signature(body):
            self.signature_start = token.start

    def _block_comment(self) -> None:
        closing = self.script.find("#>", self.i)
        if closing < 0:
            begin = self.i - 2
            self.i = self.n
            self.incomplete(begin, "MissingTerminatorMultiLineComment")
        else:
            self.i = closing + 2
        self._new(TokenKind.Comment)

    # --- the next token -----------------------------------------------------------------------------------------------

    def next_token(self) -> Token:
        s = self.s
        while True:
            i = self.i
            c = s[i]
            if c == " ":
                i += 1
                c = s[i]
                if c == " ":
                    match = _WHITESPACE.match(s, i)
                    assert match is not None
                    i = match.end()
                    c = s[i]
            self.start = i
            self.i = i + 1
            scan = _SCANNERS.get(c)
            if scan is None:
                scan = Tokenizer._scan_other
            token = scan(self, c)
            if token is not None:
                return token

    def _scan_other(self, c: str) -> Token | None:
        if c == "\0":
            if self.start >= self.n:
                self.start = self.i = self.n
                return self._new(TokenKind.EndOfInput)
            return self._generic(c)
        if is_whitespace(c):
            self._scan_space(c)
            return None
        if c.isalpha():
            return self._scan_identifier(c)
        return self._generic(c)

    def _scan_space(self, c: str) -> None:
        match = _WHITESPACE.match(self.s, self.i)
        if match:
            self.i = match.end()

    def _scan_comment(self, c: str) -> None:
        self._line_comment()

    def _scan_newline(self, c: str) -> Token:
        if c == "\r" and self.s[self.i] == "\n":
            self.i += 1
        return self._new(TokenKind.NewLine)

    def _scan_backtick(self, c: str) -> Token | None:
        following = self.s[self.i]
        if following == "\0" and self.i >= self.n:
            self.incomplete(self.i, "IncompleteString")
            return None
        self.i += 1
        if following == "\r" and self.s[self.i] == "\n":
            self.i += 1
        if following in "\r\n":
            self._new(TokenKind.LineContinuation)
            return None
        if following.isspace():
            return None
        return self._generic(_ESCAPES.get(following, following))

    def _punctuation(self, kind: TokenKind) -> Token:
        return self._new(kind)

    def _operator(self, kind: TokenKind) -> Token:
        """An operator, which in command mode is only one when the word ends here."""
        if self.mode == COMMAND and not self._token_ends(self.i):
            return self._generic(self.s[self.start : self.i])
        return self._new(kind)

    def _token_ends(self, index: int) -> bool:
        return self.s[index] in _TOKEN_ENDS

    def _scan_single_quote(self, c: str) -> Token:
        text = self._string_literal()
        return self._new(TokenKind.StringLiteral, text)

    def _scan_double_quote(self, c: str) -> Token:
        parts: list[str] = []
        pieces: list[Any] = []
        self._string_expandable(parts, pieces)
        return self._expandable_token(TokenKind.StringExpandable, parts, pieces)

    def _expandable_token(self, kind: TokenKind, parts: list[str], pieces: list[Any]) -> Token:
        nested = any(not isinstance(piece, str) for piece in pieces)
        return self._new(kind, "".join(parts), pieces if nested else None)

    def _scan_at(self, c: str) -> Token:
        following = self.s[self.i]
        if following == "{":
            self.i += 1
            return self._new(TokenKind.AtCurly)
        if following == "(":
            self.i += 1
            return self._new(TokenKind.AtParen)
        if following in _SINGLE_QUOTES:
            self.i += 1
            return self._here_string_literal()
        if following in _DOUBLE_QUOTES:
            self.i += 1
            return self._here_string_expandable()
        if is_variable_start(following):
            return self._variable(splatted=True, in_string=False)
        self.error(self.i - 1, self.i, "UnrecognizedToken")
        return self._new(TokenKind.Unknown)

    def _scan_equals(self, c: str) -> Token:
        return self._operator(TokenKind.Equals)

    def _scan_plus(self, c: str) -> Token:
        following = self.s[self.i]
        if following == "+":
            self.i += 1
            return self._operator(TokenKind.PlusPlus)
        if following == "=":
            self.i += 1
            return self._operator(TokenKind.PlusEquals)
        if self.allow_signed_numbers and (following.isdecimal() or following == "."):
            return self._number(c)
        return self._operator(TokenKind.Plus)

    def _scan_dash(self, c: str) -> Token:
        following = self.s[self.i]
        if following in _DASHES:
            self.i += 1
            return self._operator(TokenKind.MinusMinus)
        if following == "=":
            self.i += 1
            return self._operator(TokenKind.MinusEquals)
        if following.isalpha() or following == "_" or following == "?":
            return self._parameter()
        if self.allow_signed_numbers and (following.isdecimal() or following == "."):
            return self._number(c)
        return self._operator(TokenKind.Minus)

    def _scan_star(self, c: str) -> Token:
        following = self.s[self.i]
        if following == "=":
            self.i += 1
            return self._operator(TokenKind.MultiplyEquals)
        if following == ">":
            self.i += 1
            return self._redirection_to(0, False)
        return self._operator(TokenKind.Multiply)

    def _scan_slash(self, c: str) -> Token:
        if self.s[self.i] == "=":
            self.i += 1
            return self._operator(TokenKind.DivideEquals)
        return self._operator(TokenKind.Divide)

    def _scan_percent(self, c: str) -> Token:
        if self.s[self.i] == "=":
            self.i += 1
            return self._operator(TokenKind.RemainderEquals)
        return self._operator(TokenKind.Rem)

    def _scan_dollar(self, c: str) -> Token:
        if self.s[self.i] == "(":
            self.i += 1
            return self._new(TokenKind.DollarParen)
        return self._variable(splatted=False, in_string=False)

    def _scan_less(self, c: str) -> Token | None:
        if self.s[self.i] == "#":
            self.i += 1
            self._block_comment()
            return None
        return self._new(TokenKind.RedirectInStd)

    def _scan_greater(self, c: str) -> Token:
        append = self.s[self.i] == ">"
        if append:
            self.i += 1
        return self._file_redirection(1, append, False)

    def _redirection_to(self, stream: int, explicit: bool) -> Token:
        """What follows `2>`: `>` (append), `&1` (merge) or nothing of it."""
        following = self.s[self.i]
        if following == ">":
            self.i += 1
            return self._file_redirection(stream, True, explicit)
        if following == "&":
            target = self.s[self.i + 1]
            if target == "1" or (target == "2" and explicit):
                self.i += 2
                return self._new(TokenKind.Redirection, ("merge", stream, int(target)))
        return self._file_redirection(stream, False, explicit)

    def _file_redirection(self, stream: int, append: bool, explicit: bool) -> Token:
        if explicit and self.mode == EXPRESSION:
            self.i -= 2 if append else 1  # 1>2 in an expression: the number ends before the operator
            return self._new(TokenKind.Number, stream)
        return self._new(TokenKind.Redirection, ("file", stream, append))

    def _scan_digit(self, c: str) -> Token:
        if self.s[self.i] == ">" and "1" <= c <= "6":
            self.i += 1
            return self._redirection_to(int(c), True)
        return self._number(c)

    def _scan_bracket(self, c: str) -> Token:
        if self.mode == COMMAND and not self._token_ends(self.i):
            return self._generic("[")
        return self._new(TokenKind.LBracket)

    def _scan_dot(self, c: str) -> Token:
        following = self.s[self.i]
        if following == ".":
            if self.mode == COMMAND and not self._token_ends(self.i + 1):
                return self._generic(".")
            self.i += 1
            return self._new(TokenKind.DotDot)
        if "0" <= following <= "9":
            return self._number(c)
        if self.mode == COMMAND and following not in "$\"'" and not self._token_ends(self.i):
            return self._generic(".")
        return self._new(TokenKind.Dot)

    def _scan_ampersand(self, c: str) -> Token:
        if self.s[self.i] == "&":
            self.i += 1
            return self._new(TokenKind.AndAnd)
        return self._new(TokenKind.Ampersand)

    def _scan_bar(self, c: str) -> Token:
        if self.s[self.i] == "|":
            self.i += 1
            return self._new(TokenKind.OrOr)
        return self._new(TokenKind.Pipe)

    def _scan_exclaim(self, c: str) -> Token:
        following = self.s[self.i]
        if self.mode == COMMAND and not self._token_ends(self.i):
            return self._generic("!")
        if self.mode == EXPRESSION and (following.isalpha() or following == "_"):
            return self._generic("!")
        return self._new(TokenKind.Exclaim)

    def _scan_colon(self, c: str) -> Token:
        if self.s[self.i] == ":":
            self.i += 1
            if self.mode == COMMAND and not self.want_simple_name and not self._token_ends(self.i):
                return self._generic("::")
            return self._new(TokenKind.ColonColon)
        if self.mode == COMMAND:
            return self._label()
        return self._new(TokenKind.Colon)

    def _label(self) -> Token:
        s = self.s
        first = s[self.i]
        if not (first.isalpha() or first == "_"):
            return self._generic(":")
        match = _IDENTIFIER.match(s, self.i)
        assert match is not None
        name = match.group()
        self.i = match.end()
        if self.mode == COMMAND and not self._token_ends(self.i):
            return self._generic(":" + name)
        return self._new(TokenKind.Label, name)

    def _scan_identifier(self, c: str) -> Token:
        s = self.s
        mode = self.mode
        if mode == TYPE_NAME:
            match = _TYPE_NAME.match(s, self.start)
            assert match is not None
            self.i = match.end()
            return self._new(TokenKind.Identifier)
        match = _IDENTIFIER.match(s, self.start)
        assert match is not None
        self.i = end = match.end()
        if not self.want_simple_name:
            if mode == COMMAND:
                following = s[end]
                if following not in _TOKEN_ENDS:
                    return self._generic(match.group())
            if mode in (COMMAND, SIGNATURE):
                kind = KEYWORDS.get(match.group().lower())
                if kind is not None and (kind is not TokenKind.InlineScript or self.in_workflow):
                    return self._new(kind)
        return self._new(TokenKind.Identifier)

    # --- words --------------------------------------------------------------------------------------------------------

    def _generic(self, prefix: str) -> Token:
        """A word: a command's name or a bare argument. `prefix` is what was read of it already."""
        s = self.s
        parts: list[str] = [prefix] if prefix else []
        pieces: list[Any] = [prefix] if prefix else []
        while True:
            match = _GENERIC_CHUNK.match(s, self.i)
            if match:
                chunk = match.group()
                self.i = match.end()
                parts.append(chunk)
                pieces.append(chunk)
            c = s[self.i]
            if c == "`":
                following = s[self.i + 1]
                if following == "\0":
                    self.i += 1
                    text = c
                else:
                    self.i += 2
                    text = _ESCAPES.get(following, following)
                parts.append(text)
                pieces.append(text)
            elif c == "$":
                self.i += 1
                if not self._dollar_in_string(False, parts, pieces):
                    parts.append("$")
                    pieces.append("$")
            elif c != "\0" and c in _SINGLE_QUOTES:
                self.i += 1
                text = self._string_literal()
                parts.append(text)
                pieces.append(text)
            elif c != "\0" and c in _DOUBLE_QUOTES:
                self.i += 1
                self._string_expandable(parts, pieces)
            else:
                break
        return self._expandable_token(TokenKind.Generic, parts, pieces)

    def _parameter(self) -> Token:
        """`-name`: a parameter, or in expression mode an operator."""
        s = self.s
        command = self.mode == COMMAND
        begin = self.i
        colon = False
        i = begin
        while True:
            match = _PARAMETER_LETTERS.match(s, i)
            if match:
                i = match.end()
            c = s[i]
            if c in "{}();,|&.[\r\n\0" or is_whitespace(c):
                break
            if c == ":":
                colon = True
                break
            if c in _SINGLE_QUOTES or c in _DOUBLE_QUOTES:
                if command:
                    self.i = i
                    return self._generic(s[self.start : i])
                break
            if not command:
                break
            i += 1
        name = s[begin:i]
        self.i = i + 1 if colon and command else i
        if self.mode == EXPRESSION:
            kind = OPERATORS.get(name.lower())
            if kind is not None:
                return self._new(kind)
        if not name:
            return self._new(TokenKind.Minus)
        return self._new(TokenKind.Parameter, name, colon)

    # --- strings ------------------------------------------------------------------------------------------------------

    def verbatim_argument(self) -> Token:
        """What follows `--%`, up to the line's end or a pipe."""
        s = self.s
        match = _WHITESPACE.match(s, self.i)
        if match:
            self.i = match.end()
        self.start = self.i
        quoted = False
        i = self.i
        while i < self.n:
            c = s[i]
            if c in "\r\n":
                break
            if c in _DOUBLE_QUOTES:
                quoted = not quoted
            elif not quoted and (c == "|" or (c == "&" and s[i + 1] == "&")):
                break
            i += 1
        self.i = i
        return self._new(TokenKind.Generic, s[self.start : i])

    def _string_literal(self) -> str:
        """The text of a string whose opening quote was read."""
        s = self.s
        begin = self.i - 1
        parts: list[str] = []
        i = self.i
        while True:
            match = _SINGLE_CHUNK.match(s, i)
            assert match is not None
            i = match.end()
            if i >= self.n:
                parts.append(self.script[match.start() :])
                self.i = self.n
                self.incomplete(begin, "TerminatorExpectedAtEndOfString", "'")
                break
            parts.append(match.group())
            if s[i + 1] not in _SINGLE_QUOTES:
                self.i = i + 1
                break
            parts.append(s[i + 1])
            i += 2
        return "".join(parts)

    def _string_expandable(self, parts: list[str], pieces: list[Any]) -> None:
        """Read up to the closing quote; texts and nested tokens go to both lists."""
        s = self.s
        begin = self.i - 1
        while True:
            match = _DOUBLE_CHUNK.match(s, self.i)
            assert match is not None
            i = match.end()
            chunk = match.group()
            if i >= self.n:
                chunk = self.script[match.start() :]
            if chunk:
                parts.append(chunk)
                pieces.append(chunk)
            self.i = i
            if i >= self.n:
                self.i = self.n
                self.incomplete(begin, "TerminatorExpectedAtEndOfString", '"')
                return
            c = s[i]
            if c == "$":
                self.i = i + 1
                if not self._dollar_in_string(False, parts, pieces):
                    parts.append("$")
                    pieces.append("$")
            elif c == "`":
                text = self._escape()
                parts.append(text)
                pieces.append(text)
            else:
                following = s[i + 1]
                if following == "\0" or following not in _DOUBLE_QUOTES:
                    self.i = i + 1
                    return
                parts.append(following)
                pieces.append(following)
                self.i = i + 2

    def _escape(self) -> str:
        """The character that a backtick and what follows it stand for; the backtick is at the current index."""
        following = self.s[self.i + 1]
        if following == "\0":
            self.i += 1
            return "`"
        self.i += 2
        return _ESCAPES.get(following, following)

    def _dollar_in_string(self, here_string: bool, parts: list[str], pieces: list[Any]) -> bool:
        """Read the variable or subexpression behind a `$` that was read; False when the `$` is just a character."""
        s = self.s
        dollar = self.i - 1
        following = s[self.i]
        saved = (self.start, self.mode, self.tokens)
        nested: Any
        self.mode = EXPRESSION
        self.tokens = None
        if following == "(":
            self.i += 1
            nested = self._sub_expression(here_string)
        elif following == "{" or (following != "\0" and is_variable_start(following)):
            self.start = dollar
            nested = self._variable(splatted=False, in_string=True)
        else:
            nested = None
        self.start, self.mode, self.tokens = saved
        if nested is None:
            return False
        parts.append(s[dollar : self.i])
        pieces.append(nested)
        return True

    def _sub_expression(self, here_string: bool) -> SubExpressionText:
        """The text of `$(...)` in a string. Parentheses are counted as they come, in strings and comments too."""
        s = self.s
        begin = self.i - 2
        chunk_of = _SUBEXPRESSION_CHUNK_HERE if here_string else _SUBEXPRESSION_CHUNK
        depth = 1
        i = self.i
        skipped: list[int] = []
        while True:
            match = chunk_of.match(s, i)
            assert match is not None
            i = match.end()
            if i >= self.n:
                self.i = self.n
                self.incomplete(begin, "IncompleteDollarSubexpressionReference")
                i = self.n
                break
            c = s[i]
            if c == "(":
                depth += 1
            elif c == ")":
                depth -= 1
                if depth == 0:
                    i += 1
                    break
            elif s[i + 1] != "\0" and s[i + 1] in _DOUBLE_QUOTES:
                skipped.append(i)  # a doubled or escaped quote stands for one quote of the subexpression
                i += 1
            i += 1
        self.i = i
        if not skipped and self.offsets is None:
            return SubExpressionText(s[begin:i], begin + self.adjust, None)
        dropped = set(skipped)
        kept = [k for k in range(begin, i) if k not in dropped]
        offsets = [self.absolute(k) for k in kept] + [self.absolute(i)]
        return SubExpressionText("".join(s[k] for k in kept), 0, offsets)

    def _after_here_string_header(self, quotes: str, terminator: str) -> bool:
        """Read the rest of a here-string's first line. False (and an error) when there is more than white space."""
        s = self.s
        header = self.i - 2
        match = _WHITESPACE.match(s, self.i)
        if match:
            self.i = match.end()
        c = s[self.i]
        if c == "\r" or c == "\n":
            return True  # the line end stays: the terminator may follow it directly
        if self.i >= self.n:
            self.incomplete(header, "TerminatorExpectedAtEndOfString", terminator)
            return False
        self.error(self.i, self.i + 1, "UnexpectedCharactersAfterHereStringHeader")
        i = self.i
        while i < self.n and s[i] not in "\r\n":
            if s[i] == quotes[0] and s[i + 1] == "@":
                i += 2
                break
            i += 1
        self.i = i
        return False

    def _here_string_literal(self) -> Token:
        s = self.s
        header = self.i - 2
        if not self._after_here_string_header(_SINGLE_QUOTES, "'@"):
            return self._new(TokenKind.HereStringLiteral, "")
        line_end = self.i
        first = line_end + (2 if s.startswith("\r\n", line_end) else 1)
        match = _HERE_SINGLE_END.search(self.script, line_end)
        if match:
            self.i = match.end()
            return self._new(TokenKind.HereStringLiteral, s[first : max(first, match.start())])
        false_end = _HERE_SINGLE_FALSE_END.search(self.script, line_end)
        self.i = self.n
        if false_end:
            self.incomplete(false_end.start(1), "WhitespaceBeforeHereStringFooter")
        else:
            self.incomplete(header, "TerminatorExpectedAtEndOfString", "'@")
        return self._new(TokenKind.HereStringLiteral, s[first : self.n])

    def _here_string_expandable(self) -> Token:
        s = self.s
        header = self.i - 2
        if not self._after_here_string_header(_DOUBLE_QUOTES, '"@'):
            return self._new(TokenKind.HereStringExpandable, "")
        parts: list[str] = []
        pieces: list[Any] = []
        false_end = -1
        first = True
        while True:
            match = _HERE_CHUNK.match(s, self.i)
            assert match is not None
            chunk = match.group() if match.end() <= self.n else self.script[match.start() :]
            if chunk:
                parts.append(chunk)
                pieces.append(chunk)
            self.i = min(match.end(), self.n)
            if self.i >= self.n:
                if false_end >= 0:
                    self.incomplete(false_end, "WhitespaceBeforeHereStringFooter")
                else:
                    self.incomplete(header, "TerminatorExpectedAtEndOfString", '"@')
                break
            c = s[self.i]
            if c == "$":
                self.i += 1
                if not self._dollar_in_string(True, parts, pieces):
                    parts.append("$")
                    pieces.append("$")
            elif c == "`":
                text = self._escape()
                parts.append(text)
                pieces.append(text)
            else:
                newline = "\r\n" if s.startswith("\r\n", self.i) else c
                self.i += len(newline)
                following = s[self.i]
                if following != "\0" and following in _DOUBLE_QUOTES and s[self.i + 1] == "@":
                    self.i += 2
                    break
                if false_end < 0:
                    blank = _WHITESPACE.match(s, self.i)
                    if blank and s[blank.end()] in _DOUBLE_QUOTES and s[blank.end() + 1] == "@":
                        false_end = blank.end()
                if not first:
                    parts.append(newline)
                    pieces.append(newline)
                first = False
        return self._expandable_token(TokenKind.HereStringExpandable, parts, pieces)

    # --- variables ----------------------------------------------------------------------------------------------------

    def _variable(self, splatted: bool, in_string: bool) -> Token:
        """A variable whose `$` or `@` was read."""
        s = self.s
        c = s[self.i]
        if c == "{":
            return self._braced_variable(in_string)
        if c == "\0" or not is_variable_start(c):
            return self._generic("$")
        begin = self.i
        if c in "$?^":
            self.i += 1
            if self.mode == COMMAND and not self._token_ends(self.i):
                return self._rescan_as_generic()
        else:
            i = begin
            while True:
                match = _VARIABLE.match(s, i)
                if match:
                    i = match.end()
                if s[i] != ":" or s[i + 1] == ":":
                    break
                i += 1
            if i == begin:  # $::x
                i += 1
            self.i = i
            following = s[i]
            if self.mode == COMMAND and following not in ".[=:" and not self._token_ends(i):
                return self._rescan_as_generic()
        path = split_variable_path(s[begin : self.i])
        if not path.unqualified_path or path.unqualified_path == ":":
            with_drive = path.is_drive_qualified
            self.error(
                self.start, self.i, "InvalidVariableReferenceWithDrive" if with_drive else "InvalidVariableReference"
            )
        return self._new(TokenKind.SplattedVariable if splatted else TokenKind.Variable, path)

    def _rescan_as_generic(self) -> Token:
        self.i = self.start
        return self._generic("")

    def _braced_variable(self, in_string: bool) -> Token:
        s = self.s
        begin = self.i
        i = begin + 1
        name: list[str] = []
        closed = False
        while i < self.n:
            c = s[i]
            i += 1
            if c == "}":
                closed = True
                break
            if c == "`":
                if i >= self.n:
                    break
                c = _ESCAPES.get(s[i], s[i])
                i += 1
            elif c in _DOUBLE_QUOTES and in_string:
                if i >= self.n:
                    break
                if s[i] in _DOUBLE_QUOTES:
                    c = s[i]
                    i += 1
            elif c == "{":
                self.error(i, i + 1, "OpenBraceNeedsToBeBackTickedInVariableName")
            name.append(c)
        self.i = i
        text = "".join(name)
        if not closed:
            self.incomplete(begin, "IncompleteDollarVariableReference")
        if not text:
            if closed:
                self.error(i - 1, i, "EmptyVariableReference")
            text = ":Error:"
        if self.mode == COMMAND and s[i] not in ".[" and not self._token_ends(i):
            return self._rescan_as_generic()
        path = split_variable_path(text)
        if not path.unqualified_path:
            self.error(self.start, self.i, "InvalidBracedVariableReference")
        return self._new(TokenKind.Variable, path)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _number(self, first: str) -> Token:
        parsed = self._number_parts(first)
        if parsed is None:
            return self._rescan_as_generic()
        value = number_value(*parsed)
        if value is None:
            if self.mode != EXPRESSION:
                return self._rescan_as_generic()
            self.error(self.i, self.i + 1, "BadNumericConstant", self.s[self.start : self.i])
            value = 0
        return self._new(TokenKind.Number, value)

    def _number_parts(self, first: str) -> tuple[str, bool, bool, str, int] | None:
        """Digits with sign, whether hexadecimal, whether real, suffix, multiplier; None when this is a word."""
        s = self.s
        i = self.start
        sign = ""
        if s[i] in _DASHES or s[i] == "+":
            sign = "-" if s[i] in _DASHES else ""
            i += 1
        hexadecimal = real = False
        if s[i] == "0" and s[i + 1] in "xX":
            match = _HEX_DIGITS.match(s, i + 2)
            assert match is not None
            digits = match.group()
            i = match.end()
            hexadecimal = True
            if not digits:
                return None
        else:
            begin = i
            match = _DECIMAL_DIGITS.match(s, i)
            assert match is not None
            i = match.end()
            if s[i] == "." and s[i + 1] != ".":
                real = True
                match = _DECIMAL_DIGITS.match(s, i + 1)
                assert match is not None
                if i == begin and not match.group():
                    return None
                i = match.end()
            if s[i] in "eE":
                real = True
                i += 1
                if s[i] == "+" or s[i] in _DASHES:
                    i += 1
                match = _DECIMAL_DIGITS.match(s, i)
                assert match is not None
                if not match.group():
                    return None
                i = match.end()
            digits = s[begin:i]
        suffix = ""
        if s[i] in "lLdD":
            suffix = s[i].lower()
            i += 1
        multiplier = 1
        if s[i] in "kKmMgGtTpP":
            if s[i + 1] not in "bB":
                return None
            multiplier = _MULTIPLIERS[s[i].lower()]
            i += 2
        following = s[i]
        if not self._token_ends(i) and not (self.mode == EXPRESSION and following in _AFTER_NUMBER):
            return None
        self.i = i
        for dash in "\u2013\u2014\u2015":
            digits = digits.replace(dash, "-")
        return sign + digits, hexadecimal, real, suffix, multiplier

    # --- tokens the parser asks for by position ------------------------------------------------------------------------

    def member_access_operator(self, allow_bracket: bool) -> Token | None:
        """`.`, `::` or `[` that follows without white space; block comments may stand between."""
        s = self.s
        c = s[self.i]
        while c == "<" and s[self.i + 1] == "#":
            self.start = self.i
            self.i += 2
            self._block_comment()
            c = s[self.i]
        if c == ".":
            following = s[self.i + 1]
            if following == "." or (self.mode == COMMAND and (following in "\0\r\n" or is_whitespace(following))):
                return None
            self.start = self.i
            self.i += 1
            return self._new(TokenKind.Dot)
        if c == ":":
            if s[self.i + 1] != ":":
                return None
            following = s[self.i + 2]
            if self.mode == COMMAND and (following in "\0\r\n" or is_whitespace(following)):
                return None
            self.start = self.i
            self.i += 2
            return self._new(TokenKind.ColonColon)
        if c == "[" and allow_bracket:
            self.start = self.i
            self.i += 1
            return self._new(TokenKind.LBracket)
        return None

    def invoke_member_open(self) -> Token | None:
        """`(` or `{` directly behind a member's name."""
        c = self.s[self.i]
        if c != "(" and c != "{":
            return None
        self.start = self.i
        self.i += 1
        return self._new(TokenKind.LParen if c == "(" else TokenKind.LCurly)

    def left_bracket(self) -> Token | None:
        """`[` where an attribute or type may begin; white space and comments are skipped."""
        s = self.s
        begin = self.i
        resync = False
        while True:
            self.start = self.i
            c = s[self.i]
            if c == "[":
                self.i += 1
                return self._new(TokenKind.LBracket)
            if c == "#":
                resync = True
                self.i += 1
                self._line_comment()
            elif c == "<" and s[self.i + 1] == "#":
                resync = False
                self.i += 2
                self._block_comment()
            elif is_whitespace(c):
                resync = True
                match = _WHITESPACE.match(s, self.i)
                assert match is not None
                self.i = match.end()
            else:
                if c in ".:" and resync:
                    self.resync(begin)
                return None

    def assembly_name(self) -> str:
        """The assembly's name behind a type's comma, with its properties."""
        parts = [self._assembly_token()]
        while self.s[self.i] == ",":
            self.i += 1
            parts.append(", " + self._assembly_token())
            if self.s[self.i] == "=":
                self.i += 1
                parts.append("=" + self._assembly_token())
        return "".join(parts)

    def _assembly_token(self) -> str:
        self._scan_space("")
        self.start = self.i
        match = _ASSEMBLY_NAME_END.search(self.s, self.i)
        assert match is not None
        self.i = match.start()
        text = self.s[self.start : self.i]
        self._new(TokenKind.Identifier)
        self._scan_space("")
        return text


def number_value(digits: str, hexadecimal: bool, real: bool, suffix: str, multiplier: int) -> Any:
    """A number literal's value in 5.1's types (Int32, Int64, Decimal, Double); None when it does not fit any."""
    if hexadecimal:
        negative = digits.startswith("-")
        number = int(digits.lstrip("-"), 16)
        if number < 1 << 32 and suffix != "l":
            number -= (number & 0x80000000) << 1
        elif number < 1 << 64:
            number -= (number & 0x8000000000000000) << 1
        else:
            return None
        number *= -multiplier if negative else multiplier
        return _integer(number, suffix == "l")
    if suffix == "d":
        return _decimal(digits, multiplier)
    if real:
        try:
            double = float(digits) * multiplier
        except OverflowError:
            return None
        if double in (float("inf"), float("-inf")):
            return None
        if suffix == "l":
            return _integer(round(double), True)
        return double
    number = int(digits) * multiplier
    value = _integer(number, suffix == "l")
    if value is not None or suffix == "l":
        return value
    value = _decimal(digits, multiplier)
    if value is not None:
        return value
    double = float(number) if abs(number) < 1 << 1024 else float("inf")
    return None if double == float("inf") else double


def _integer(number: int, is_long: bool) -> Any:
    if not is_long and -(1 << 31) <= number < 1 << 31:
        return number
    if -(1 << 63) <= number < 1 << 63:
        return Int64(number)
    return None


def _decimal(digits: str, multiplier: int) -> Decimal | None:
    with localcontext() as context:
        context.prec = 60
        value = Decimal(digits) * multiplier
    return value if abs(value) < Decimal(1 << 96) else None


def _looks_like_signature(comment: str) -> bool:
    """Whether a comment line resembles the start of a signature block, behind which no code may stand."""
    text = re.sub(f"[{_SPACES}]", "", comment).lower() + "\n"
    if not 14 <= len(text) <= 34:
        return False
    common = sum((Counter(text) & _SIGNATURE_COUNT).values())
    if max(len(text), len(_SIGNATURE_START)) - common >= _SIGNATURE_SIMILARITY:
        return False
    previous = list(range(len(_SIGNATURE_START) + 1))
    for row, char in enumerate(text, 1):
        current = [row]
        for column, other in enumerate(_SIGNATURE_START, 1):
            cost = previous[column - 1] + (char != other)
            current.append(min(cost, previous[column] + 1, current[column - 1] + 1))
        previous = current
    return previous[-1] < _SIGNATURE_SIMILARITY


_Scanner = Callable[[Tokenizer, str], "Token | None"]


def _punctuation_scanner(kind: TokenKind) -> _Scanner:
    return lambda tokenizer, _: tokenizer._new(kind)


_SCANNERS: dict[str, _Scanner] = {
    "#": Tokenizer._scan_comment,
    "\n": Tokenizer._scan_newline,
    "\r": Tokenizer._scan_newline,
    "`": Tokenizer._scan_backtick,
    "@": Tokenizer._scan_at,
    "=": Tokenizer._scan_equals,
    "+": Tokenizer._scan_plus,
    "*": Tokenizer._scan_star,
    "/": Tokenizer._scan_slash,
    "%": Tokenizer._scan_percent,
    "$": Tokenizer._scan_dollar,
    "<": Tokenizer._scan_less,
    ">": Tokenizer._scan_greater,
    "[": Tokenizer._scan_bracket,
    ".": Tokenizer._scan_dot,
    "&": Tokenizer._scan_ampersand,
    "|": Tokenizer._scan_bar,
    "!": Tokenizer._scan_exclaim,
    ":": Tokenizer._scan_colon,
    "_": Tokenizer._scan_identifier,
    "(": _punctuation_scanner(TokenKind.LParen),
    ")": _punctuation_scanner(TokenKind.RParen),
    "]": _punctuation_scanner(TokenKind.RBracket),
    "{": _punctuation_scanner(TokenKind.LCurly),
    "}": _punctuation_scanner(TokenKind.RCurly),
    ";": _punctuation_scanner(TokenKind.Semi),
    ",": _punctuation_scanner(TokenKind.Comma),
}
for _chars, _scanner in (
    (" \t\f\v\u00a0\u0085", Tokenizer._scan_space),
    (_SINGLE_QUOTES, Tokenizer._scan_single_quote),
    (_DOUBLE_QUOTES, Tokenizer._scan_double_quote),
    (_DASHES, Tokenizer._scan_dash),
    ("0123456789", Tokenizer._scan_digit),
    ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", Tokenizer._scan_identifier),
):
    for _char in _chars:
        _SCANNERS[_char] = _scanner
