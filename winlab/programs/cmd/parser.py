"""Phase 2 of cmd.exe: a line (percent signs already expanded) becomes a tree of commands.

Quotes stay in the text, carets are taken off, operators and redirections are found. Sources: `cmd /?`, `if /?`, `for /?` and the phases as documented
publicly by D. Benham and J. Malecki.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

DELIMITERS = " \t,;="
_NAME_END = DELIMITERS + '&|<>()"\n'


class CmdSyntaxError(Exception):
    """The line cannot be parsed; the text is what cmd prints."""


@dataclass
class Redirection:
    """handle: 0, 1 or 2; mode: `<`, `>` or `>>`; target: a file name as typed, or `&n`."""

    handle: int
    mode: str
    target: str


@dataclass
class Node:
    redirections: list[Redirection] = field(default_factory=list)
    quiet: bool = False
    source: str = ""


@dataclass
class Simple(Node):
    text: str = ""


@dataclass
class Block(Node):
    body: list[Node] = field(default_factory=list)


@dataclass
class Binary(Node):
    operator: str = "&"
    left: Node = field(default_factory=Node)
    right: Node = field(default_factory=Node)


@dataclass
class If(Node):
    negate: bool = False
    ignore_case: bool = False
    kind: str = "=="
    left: str = ""
    right: str = ""
    then: Node = field(default_factory=Node)
    otherwise: Node | None = None


@dataclass
class For(Node):
    kind: str = ""
    options: str = ""
    variable: str = ""
    items: str = ""
    body: Node = field(default_factory=Node)


class Parser:
    """Parses one command (with the lines it goes on over). more: gives the next line, expanded, or None."""

    def __init__(self, text: str, more: Callable[[], str | None] = lambda: None) -> None:
        self._text = text
        self._pos = 0
        self._more = more
        self._depth = 0

    def parse(self) -> Node | None:
        """The command of this line; None for an empty one or a label."""
        self._skip_blanks()
        if self._at_end() or self._peek() == ":":
            return None
        if self._peek() == ")":
            return None
        start = self._pos
        node = self._sequence()
        node.source = self._text[start : self._pos]
        if not self._at_end():
            raise CmdSyntaxError(f"{self._word()} was unexpected at this time.")
        return node

    # -- characters ---------------------------------------------------------------------------------------------------------------

    def _peek(self, ahead: int = 0) -> str:
        position = self._pos + ahead
        return self._text[position] if position < len(self._text) else ""

    def _at_end(self) -> bool:
        return self._pos >= len(self._text)

    def _skip_blanks(self) -> None:
        while self._peek() and self._peek() in DELIMITERS:
            self._pos += 1

    def _extend(self) -> bool:
        """Goes on with the next line."""
        line = self._more()
        if line is None:
            return False
        self._text += "\n" + line
        return True

    def _skip_lines(self) -> bool:
        """Skips blanks and line ends inside parentheses; False when there is nothing left."""
        while True:
            while self._peek() and self._peek() in DELIMITERS + "\n":
                self._pos += 1
            if self._peek() == ":" and self._depth:
                while self._peek() not in ("", "\n"):
                    self._pos += 1
                continue
            if not self._at_end():
                return True
            if not self._extend():
                return False

    def _word(self) -> str:
        """The token at the position, for a message."""
        char = self._peek()
        if char in "&|" and self._peek(1) == char:
            return char * 2
        if char in "&|()<>":
            return char
        end = self._pos
        while end < len(self._text) and self._text[end] not in _NAME_END:
            end += 1
        return self._text[self._pos : max(end, self._pos + 1)]

    # -- operators ----------------------------------------------------------------------------------------------------------------

    def _sequence(self) -> Node:
        left = self._or()
        while self._peek() == "&" and self._peek(1) != "&":
            self._pos += 1
            self._skip_blanks()
            if self._at_end() or self._peek() in "\n)":
                return left
            left = Binary(operator="&", left=left, right=self._or())
        return left

    def _or(self) -> Node:
        left = self._and()
        while self._peek() == "|" and self._peek(1) == "|":
            self._pos += 2
            left = Binary(operator="||", left=left, right=self._and())
        return left

    def _and(self) -> Node:
        left = self._pipe()
        while self._peek() == "&" and self._peek(1) == "&":
            self._pos += 2
            left = Binary(operator="&&", left=left, right=self._pipe())
        return left

    def _pipe(self) -> Node:
        left = self._command()
        while self._peek() == "|" and self._peek(1) != "|":
            self._pos += 1
            left = Binary(operator="|", left=left, right=self._command())
        return left

    # -- commands -----------------------------------------------------------------------------------------------------------------

    def _command(self) -> Node:
        self._skip_blanks()
        start = self._pos
        quiet = False
        while self._peek() == "@":
            quiet = True
            self._pos += 1
            self._skip_blanks()
        if self._at_end() or self._peek() == "\n":
            raise CmdSyntaxError("The syntax of the command is incorrect.")
        if self._peek() in "&|)":
            raise CmdSyntaxError(f"{self._word()} was unexpected at this time.")
        leading: list[Redirection] = []
        while self._redirection_starts():
            leading.append(self._redirection(""))
            self._skip_blanks()
        word = self._word().lower()
        if self._peek() == "(":
            node = self._block()
        elif word == "if" and self._follows(2):
            node = self._if()
        elif word == "for" and self._follows(3):
            node = self._for()
        elif word == "rem" and self._follows(3):
            node = self._rem()
        else:
            node = self._simple()
        node.redirections = leading + node.redirections
        node.quiet = quiet
        node.source = self._text[start : self._pos]
        return node

    def _follows(self, length: int) -> bool:
        """The keyword ends as a word."""
        return self._peek(length) == "" or self._peek(length) in _NAME_END + "/"

    def _rem(self) -> Node:
        start = self._pos
        while self._peek() not in ("", "\n"):
            self._pos += 1
        return Simple(text=self._text[start : self._pos])

    def _block(self) -> Node:
        self._pos += 1
        self._depth += 1
        body: list[Node] = []
        while True:
            if not self._skip_lines():
                raise CmdSyntaxError("The syntax of the command is incorrect." if self._depth == 0 else "")
            if self._peek() == ")":
                self._pos += 1
                break
            body.append(self._sequence())
        self._depth -= 1
        node = Block(body=body)
        self._trailing_redirections(node)
        return node

    def _trailing_redirections(self, node: Node) -> None:
        while True:
            self._skip_blanks()
            if not self._redirection_starts():
                return
            node.redirections.append(self._redirection(""))

    def _redirection_starts(self) -> bool:
        char = self._peek()
        return char != "" and (char in "<>" or (char.isdigit() and self._peek(1) != "" and self._peek(1) in "<>"))

    def _redirection(self, digit: str) -> Redirection:
        """At `<`, `>` or a digit before one."""
        if self._peek().isdigit():
            digit = self._peek()
            self._pos += 1
        mode = self._peek()
        self._pos += 1
        if mode == ">" and self._peek() == ">":
            mode = ">>"
            self._pos += 1
        handle = int(digit) if digit else (0 if mode == "<" else 1)
        if self._peek() == "&":
            self._pos += 1
            self._skip_blanks()
            target = self._peek()
            if not target.isdigit():
                raise CmdSyntaxError(f"{self._word() or '&'} was unexpected at this time.")
            self._pos += 1
            return Redirection(handle, mode, "&" + target)
        self._skip_blanks()
        target = self._token(stop=DELIMITERS)
        if not target:
            if self._at_end() or self._peek() == "\n":
                raise CmdSyntaxError("The syntax of the command is incorrect.")
            raise CmdSyntaxError(f"{self._word()} was unexpected at this time.")
        return Redirection(handle, mode, target)

    def _token(self, stop: str) -> str:
        """A run of text up to a character of `stop` or an operator, quotes respected and kept, carets taken off."""
        result: list[str] = []
        quoted = False
        while (char := self._peek()) not in ("", "\n"):
            if char == '"':
                quoted = not quoted
            elif not quoted:
                if char == "^":
                    result.append(self._escaped())
                    continue
                if char in stop or char in "&|<>" or (char == ")" and self._depth):
                    break
            result.append(char)
            self._pos += 1
        return "".join(result)

    def _escaped(self) -> str:
        """The character after a caret; at the end of a line the next line goes on here."""
        self._pos += 1
        if self._at_end() and self._extend():
            pass
        if self._peek() == "\n":
            self._pos += 1
        char = self._peek()
        self._pos += 1
        return char

    def _simple(self) -> Node:
        node = Simple()
        result: list[str] = []
        quoted = False
        while (char := self._peek()) not in ("", "\n"):
            if char == '"':
                quoted = not quoted
            elif not quoted:
                if char == "^":
                    result.append(self._escaped())
                    continue
                if char in "&|" or (char == ")" and self._depth):
                    break
                if char in "<>":
                    digit = ""
                    if result and result[-1].isdigit() and (len(result) == 1 or result[-2] in DELIMITERS):
                        digit = result.pop()
                    node.redirections.append(self._redirection(digit))
                    continue
            result.append(char)
            self._pos += 1
        node.text = "".join(result)
        return node

    # -- if and for -----------------------------------------------------------------------------------------------------------------

    def _if(self) -> Node:
        node = If()
        self._pos += 2
        while True:
            self._skip_blanks()
            word = self._word().lower()
            if word == "/i":
                node.ignore_case = True
                self._pos += 2
            elif word == "not":
                node.negate = True
                self._pos += 3
            else:
                break
        if word in ("exist", "defined", "errorlevel", "cmdextversion"):
            node.kind = word
            self._pos += len(word)
            self._skip_blanks()
            node.left = self._argument(DELIMITERS)
        else:
            self._comparison(node)
        self._skip_blanks()
        node.then = self._branch()
        self._else(node)
        return node

    def _argument(self, stop: str) -> str:
        token = self._token(stop)
        if not token:
            raise CmdSyntaxError(
                f"{self._word()} was unexpected at this time."
                if not self._at_end()
                else "The syntax of the command is incorrect."
            )
        return token

    def _comparison(self, node: If) -> None:
        node.left = self._token(DELIMITERS + "(" if self._peek() != "(" else DELIMITERS)
        self._skip_spaces()
        if self._peek() == "=" and self._peek(1) == "=":
            self._pos += 2
            self._skip_blanks()
            node.right = self._argument(DELIMITERS)
            return
        operator = self._word().lower()
        if operator not in ("equ", "neq", "lss", "leq", "gtr", "geq"):
            raise CmdSyntaxError(
                f"{self._word()} was unexpected at this time."
                if not self._at_end()
                else "The syntax of the command is incorrect."
            )
        self._pos += 3
        self._skip_blanks()
        node.kind = operator
        node.right = self._argument(DELIMITERS)

    def _skip_spaces(self) -> None:
        while self._peek() and self._peek() in " \t":
            self._pos += 1

    def _branch(self) -> Node:
        if self._at_end() or self._peek() == "\n":
            raise CmdSyntaxError("The syntax of the command is incorrect.")
        if self._peek() == "(":
            return self._command()
        # without parentheses the branch takes the rest of the line, operators included
        return self._sequence()

    def _else(self, node: If) -> None:
        mark = self._pos
        self._skip_blanks()
        if self._word().lower() == "else" and self._follows(4) and isinstance(node.then, Block):
            self._pos += 4
            self._skip_blanks()
            node.otherwise = self._branch()
        else:
            self._pos = mark

    def _for(self) -> Node:
        node = For()
        self._pos += 3
        self._skip_blanks()
        while self._peek() == "/":
            switch = self._peek(1).lower()
            if switch not in "dflr" or not switch:
                raise CmdSyntaxError(f"{self._word()} was unexpected at this time.")
            node.kind += switch
            self._pos += 2
            self._skip_blanks()
            if switch in "fr" and self._peek() != "%":
                node.options = self._token(DELIMITERS)
                self._skip_blanks()
        if self._peek() != "%" or not self._peek(1).strip():
            raise CmdSyntaxError(
                f"{self._word()} was unexpected at this time."
                if not self._at_end()
                else "The syntax of the command is incorrect."
            )
        node.variable = self._peek(1)
        self._pos += 2
        self._skip_blanks()
        self._keyword("in")
        self._skip_blanks()
        if self._peek() != "(":
            raise CmdSyntaxError(f"{self._word()} was unexpected at this time.")
        node.items = self._set()
        self._skip_blanks()
        self._keyword("do")
        self._skip_blanks()
        start = self._pos
        node.body = self._branch()
        node.body.source = self._text[start : self._pos]
        return node

    def _keyword(self, word: str) -> None:
        if self._word().lower() != word:
            raise CmdSyntaxError(
                f"{self._word()} was unexpected at this time."
                if not self._at_end()
                else "The syntax of the command is incorrect."
            )
        self._pos += len(word)

    def _set(self) -> str:
        """The text between the parentheses of FOR."""
        self._pos += 1
        result: list[str] = []
        quoted = False
        while True:
            char = self._peek()
            if char == "":
                if not self._extend():
                    raise CmdSyntaxError("The syntax of the command is incorrect.")
                continue
            if char == '"':
                quoted = not quoted
            elif not quoted:
                if char == "^":
                    result.append(self._escaped())
                    continue
                if char == ")":
                    self._pos += 1
                    return "".join(result)
                if char in "&|<>":
                    raise CmdSyntaxError(f"{self._word()} was unexpected at this time.")
            result.append(char)
            self._pos += 1
