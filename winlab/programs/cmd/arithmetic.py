"""SET /A: 32-bit integer expressions."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|\d[0-9a-zA-Z]*)|([A-Za-z_#$@\[\]][\w#$@\[\].]*)|(<<=|>>=|<<|>>|[-+*/%&^|]=|[-+*/%&^|~!()=,]))"
)
_ASSIGN = {"=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "<<=", ">>="}
_LEVELS = [{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}]


class ArithmeticError_(Exception):
    """code: what ERRORLEVEL becomes; the text is what cmd prints."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def _wrap(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


class Arithmetic:
    """Evaluates one expression; get and set reach the variables."""

    def __init__(self, text: str, get: Callable[[str], str | None], set_: Callable[[str, str], None]) -> None:
        self._get, self._set = get, set_
        self._tokens = self._tokenize(text.replace('"', ""))
        self._pos = 0

    @staticmethod
    def _tokenize(text: str) -> list[str]:
        tokens, position = [], 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ArithmeticError_("Missing operator.", 1073750990)
            tokens.append(match[0].strip())
            position = match.end()
        return tokens

    def run(self) -> int:
        if not self._tokens:
            raise ArithmeticError_("The syntax of the command is incorrect.", 1)
        value = self._assignment()
        while self._next() == ",":
            self._pos += 1
            value = self._assignment()
        if self._pos < len(self._tokens):
            if self._next() == ")":
                raise ArithmeticError_("Unbalanced parenthesis.", 1073750988)
            raise ArithmeticError_("Missing operator.", 1073750990)
        return value

    def _next(self) -> str:
        return self._tokens[self._pos] if self._pos < len(self._tokens) else ""

    def _assignment(self) -> int:
        name = self._next()
        operator = self._tokens[self._pos + 1] if self._pos + 1 < len(self._tokens) else ""
        if operator in _ASSIGN and re.match(r"[A-Za-z_#$@\[\]]", name):
            self._pos += 2
            value = self._assignment()
            if operator != "=":
                value = self._apply(operator[:-1], self._variable(name), value)
            self._set(name, str(value))
            return value
        return self._level(0)

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while self._next() in _LEVELS[level]:
            operator = self._next()
            self._pos += 1
            left = self._apply(operator, left, self._level(level + 1))
        return left

    def _apply(self, operator: str, left: int, right: int) -> int:
        if operator in ("/", "%"):
            if right == 0:
                raise ArithmeticError_("Divide by zero error.", 1073750993)
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return _wrap(quotient if operator == "/" else left - quotient * right)
        operations: dict[str, Callable[[int, int], int]] = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "&": lambda a, b: a & b,
            "|": lambda a, b: a | b,
            "^": lambda a, b: a ^ b,
            "<<": lambda a, b: a << b if 0 <= b < 32 else 0,
            ">>": lambda a, b: a >> b if 0 <= b < 32 else (0 if a >= 0 else -1),
        }
        return _wrap(operations[operator](left, right))

    def _unary(self) -> int:
        token = self._next()
        if token in ("-", "+", "~", "!"):
            self._pos += 1
            value = self._unary()
            return _wrap({"-": -value, "+": value, "~": ~value, "!": int(value == 0)}[token])
        if token == "(":
            self._pos += 1
            value = self._assignment()
            if self._next() != ")":
                raise ArithmeticError_("Unbalanced parenthesis.", 1073750988)
            self._pos += 1
            return value
        if not token or token in ")," or token in _ASSIGN or any(token in level for level in _LEVELS):
            raise ArithmeticError_("Missing operand.", 1073750989)
        self._pos += 1
        return self._number(token) if token[0].isdigit() else self._variable(token)

    def _variable(self, name: str) -> int:
        match = re.match(r"\s*([-+]?)(0[xX][0-9a-fA-F]+|\d+)", self._get(name) or "")
        if not match:
            return 0
        return _wrap(self._number(match[2]) * (-1 if match[1] == "-" else 1))

    @staticmethod
    def _number(text: str) -> int:
        try:
            if text.lower().startswith("0x"):
                value = int(text, 16)
            elif len(text) > 1 and text.startswith("0"):
                value = int(text, 8)
            else:
                value = int(text)
        except ValueError:
            raise ArithmeticError_(
                "Invalid number.  Numeric constants are either decimal (17),\nhexadecimal (0x11), or octal (021).",
                1073750991,
            ) from None
        if value > 0xFFFFFFFF:
            raise ArithmeticError_("Invalid number.  Numbers are limited to 32-bits of precision.", 1073750992)
        return _wrap(value)
