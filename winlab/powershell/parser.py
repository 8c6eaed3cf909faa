"""The parser of Windows PowerShell 5.1: recursive descent over tokens that it pulls from the tokenizer mode by mode.

Errors carry PowerShell's own ids and wording. Recovery follows PowerShell's as well (what is reported, what is skipped),
because the first error's id and place are what scripts and people see.
"""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from winlab.powershell import ast
from winlab.powershell.lexer import (
    COMMAND,
    EXPRESSION,
    SIGNATURE,
    TYPE_NAME,
    SubExpressionText,
    Token,
    Tokenizer,
    split_variable_path,
)
from winlab.powershell.parse_errors import STREAM_NAMES, message
from winlab.powershell.tokens import Extent, ScriptSource, TokenKind

K = TokenKind

_UNARY = frozenset(
    (K.Not, K.Bnot, K.Exclaim, K.Plus, K.Minus, K.PlusPlus, K.MinusMinus, K.Join, K.Isplit, K.Csplit, K.Comma)
)
_COMPARISON = (
    "Ieq Ine Ige Igt Ilt Ile Ilike Inotlike Imatch Inotmatch Ireplace Icontains Inotcontains Iin Inotin Isplit Ceq Cne Cge "
    "Cgt Clt Cle Clike Cnotlike Cmatch Cnotmatch Creplace Ccontains Cnotcontains Cin Cnotin Csplit Is IsNot As Join Shl Shr"
)
_PRECEDENCE: dict[TokenKind, int] = {
    **dict.fromkeys((K.And, K.Or, K.Xor), 1),
    **dict.fromkeys((K.Band, K.Bor, K.Bxor), 2),
    **dict.fromkeys((TokenKind[name] for name in _COMPARISON.split()), 3),
    **dict.fromkeys((K.Plus, K.Minus), 4),
    **dict.fromkeys((K.Multiply, K.Divide, K.Rem), 5),
    K.Format: 7,
    K.DotDot: 8,
}
_ASSIGNMENTS = frozenset((K.Equals, K.PlusEquals, K.MinusEquals, K.MultiplyEquals, K.DivideEquals, K.RemainderEquals))
# Tokens that every mode reads alike, so a change of mode need not read them again.
_SAME_IN_ALL_MODES = frozenset(
    (
        K.NewLine,
        K.EndOfInput,
        K.StringLiteral,
        K.StringExpandable,
        K.HereStringLiteral,
        K.HereStringExpandable,
        K.LParen,
        K.RParen,
        K.LCurly,
        K.RCurly,
        K.AtParen,
        K.AtCurly,
        K.DollarParen,
        K.Semi,
        K.Comma,
        K.Pipe,
        K.Ampersand,
        K.AndAnd,
        K.OrOr,
    )
)
_BLOCK_NAMES = frozenset((K.Begin, K.Process, K.End, K.Dynamicparam))
_ATTRIBUTABLE = frozenset((K.Class, K.Enum, K.Configuration))
_STATEMENT_KEYWORDS = (
    "Break Catch Continue Data Define Do Else ElseIf Exit Filter Finally For Foreach From Function If In Return Switch "
    "Throw Trap Try Until Using Var While Workflow Parallel Sequence InlineScript"
)
_KEYWORDS_WITHOUT_ATTRIBUTES = frozenset(TokenKind[name] for name in _STATEMENT_KEYWORDS.split())
_ENDS_COMMAND = frozenset((K.Pipe, K.RCurly, K.RParen, K.EndOfInput, K.NewLine, K.Semi, K.AndAnd, K.OrOr))
_NEVER_ARGUMENT = _ENDS_COMMAND | {K.Redirection, K.RedirectInStd, K.Ampersand, K.MinusMinus, K.Comma}
_PRIMARY_START = frozenset(
    (
        K.SplattedVariable,
        K.Variable,
        K.Number,
        K.HereStringExpandable,
        K.StringExpandable,
        K.HereStringLiteral,
        K.StringLiteral,
        K.LParen,
        K.DollarParen,
        K.AtParen,
        K.AtCurly,
        K.LCurly,
    )
)
_NOT_A_FUNCTION_NAME = _PRIMARY_START - {K.Number, K.DollarParen} | {
    K.Pipe,
    K.RCurly,
    K.RParen,
    K.EndOfInput,
    K.Semi,
    K.Redirection,
    K.RedirectInStd,
    K.AndAnd,
    K.OrOr,
    K.Ampersand,
}
_STRING_TYPES = {
    K.StringLiteral: ast.StringConstantType.SingleQuoted,
    K.HereStringLiteral: ast.StringConstantType.SingleQuotedHereString,
    K.StringExpandable: ast.StringConstantType.DoubleQuoted,
    K.HereStringExpandable: ast.StringConstantType.DoubleQuotedHereString,
    K.Generic: ast.StringConstantType.BareWord,
}

_LARGE = 20_000  # characters

# What an argument stands for decides how its words are read.
_NAME, _NAME_AFTER_OPERATOR, _FILE_NAME, _ARGUMENT, _SWITCH_CONDITION = range(5)


@dataclass(slots=True, eq=False)
class ParseError:
    """One complaint of the parser: PowerShell's id and message, and where."""

    extent: Extent
    error_id: str
    message: str
    incomplete_input: bool = False


class _Parsed:
    """Trees of texts that have been parsed, the latest used last, up to so many characters. Nobody changes a tree."""

    LIMIT = 2_000_000

    def __init__(self) -> None:
        self._trees: dict[tuple[str, str | None], tuple[ast.ScriptBlockAst, list[Token], list[ParseError]]] = {}
        self._size = 0
        self._lock = threading.Lock()

    def get(self, text: str, file: str | None) -> tuple[ast.ScriptBlockAst, list[Token], list[ParseError]] | None:
        with self._lock:
            found = self._trees.pop((text, file), None)
            if found is not None:
                self._trees[text, file] = found
        return found

    def put(
        self, text: str, file: str | None, result: tuple[ast.ScriptBlockAst, list[Token], list[ParseError]]
    ) -> None:
        with self._lock:
            if (text, file) in self._trees or len(text) > self.LIMIT // 4:
                return
            self._trees[text, file] = result
            self._size += len(text)
            while self._size > self.LIMIT:
                oldest = next(iter(self._trees))
                del self._trees[oldest]
                self._size -= len(oldest[0])


_PARSED = _Parsed()
_TOO_COMPLICATED = "ScriptTooComplicated"


def parse(text: str, file: str | None = None) -> tuple[ast.ScriptBlockAst, list[Token], list[ParseError]]:
    """Parse a script: its tree, its tokens, and the errors as they were found (none: the script is valid).

    The same text gives the same tree, so that servers that are sent the same script share it.
    `file` is the script's path as extents and error positions name it.
    """
    result = _PARSED.get(text, file)
    if result is None:
        result = _parse(text, file)
        if not any(error.error_id == _TOO_COMPLICATED for error in result[2]):  # that depends on who calls
            _PARSED.put(text, file, result)
    tree, tokens, errors = result
    return tree, list(tokens), list(errors)


def _parse(text: str, file: str | None) -> tuple[ast.ScriptBlockAst, list[Token], list[ParseError]]:
    from winlab.powershell.semantics import check

    source = ScriptSource(text, file, [0] + [match.end() for match in re.finditer(r"\r\n|\r|\n", text)])
    parser = Parser(source)
    pause = len(text) > _LARGE and gc.isenabled()
    if pause:
        gc.disable()  # a tree under construction has nothing to collect, and looking takes half of the time
    try:
        tree = parser.script()
        check(tree, parser)
    except RecursionError:
        empty = Extent(source, 0, 0)
        tree = ast.ScriptBlockAst(Extent(source, 0, len(text)))
        tree.end_block = ast.NamedBlockAst(empty, K.End, True, [], [])
        parser.report(0, 0, _TOO_COMPLICATED)
    finally:
        if pause:
            gc.enable()
    return tree, parser.tokenizer.tokens or [], parser.errors


def parse_type_name(text: str) -> ast.ITypeName | None:
    """A type's name as it may stand in brackets, such as `Collections.Generic.List[int]`; None when it is not one."""
    source = ScriptSource(text.strip(), None, [0])
    parser = Parser(source)
    type_name = parser.type_name()
    if parser.errors or parser._peek().kind is not K.EndOfInput:
        return None
    return type_name


def parse_expandable_string(text: str) -> ast.ExpressionAst:
    """The expression that expands a text as if it stood in double quotes ($ExecutionContext's ExpandString)."""
    source = ScriptSource('"' + text.replace('"', '""') + '"', None, [0])
    parser = Parser(source)
    return parser._expandable_string(parser.tokenizer.next_token())


def set_parents(root: ast.Ast) -> None:
    """Fill `parent` throughout a tree."""
    todo = [root]
    while todo:
        node = todo.pop()
        for child in node.children():
            child.parent = node
            todo.append(child)


class Parser:
    """Parses one script."""

    def __init__(self, source: ScriptSource) -> None:
        self.source = source
        self.errors: list[ParseError] = []
        self._reported: set[tuple[str, int, int]] = set()
        self.tokenizer = Tokenizer(self, source)
        self._ungot: Token | None = None
        self._no_comma = False

    # --- errors -------------------------------------------------------------------------------------------------------

    def report(self, start: int, end: int, error_id: str, *arguments: str) -> None:
        self._report(start, end, error_id, arguments, False)

    def report_incomplete(self, start: int, end: int, error_id: str, *arguments: str) -> bool:
        """Report an error that may be due to the script's end; True when it is."""
        return self._report_until(start, end, end, error_id, *arguments)

    def _report_until(self, start: int, end: int, detected: int, error_id: str, *arguments: str) -> bool:
        incomplete = self.tokenizer.only_blank_after(detected)
        self._report(start, end, error_id, arguments, incomplete)
        return incomplete

    def _report(self, start: int, end: int, error_id: str, arguments: tuple[str, ...], incomplete: bool) -> None:
        key = (error_id, start, end)
        if key in self._reported:  # text that is read twice complains twice
            return
        self._reported.add(key)
        self.errors.append(ParseError(self._span(start, end), error_id, message(error_id, *arguments), incomplete))

    def _incomplete_at(self, offset: int, error_id: str, *arguments: str) -> bool:
        return self._report_until(offset, offset, offset, error_id, *arguments)

    def _report_token(self, token: Token, error_id: str, *arguments: str) -> None:
        self._report(token.start, token.end, error_id, arguments, False)

    # --- tokens -------------------------------------------------------------------------------------------------------

    def _span(self, start: int, end: int) -> Extent:
        return Extent(self.source, start, end)

    def _before(self, token: Token) -> int:
        return token.start if token.kind is K.EndOfInput else max(token.start - 1, 0)

    def _next(self) -> Token:
        token = self._ungot
        if token is not None:
            self._ungot = None
            return token
        return self.tokenizer.next_token()

    def _peek(self) -> Token:
        token = self._ungot
        if token is None:
            token = self._ungot = self.tokenizer.next_token()
        return token

    def _skip(self) -> None:
        self._ungot = None

    def _unget(self, token: Token) -> None:
        self._ungot = token

    def _resync(self, pos: int) -> None:
        self._ungot = None
        self.tokenizer.resync(pos)

    def _set_mode(self, mode: int) -> int:
        """Change the tokenizer's mode; returns the mode before."""
        tokenizer = self.tokenizer
        before = tokenizer.mode
        if mode != before:
            ungot = self._ungot
            if ungot is not None and ungot.kind not in _SAME_IN_ALL_MODES:
                self._ungot = None
                tokenizer.resync(ungot.pos)
            tokenizer.mode = mode
        return before

    def _skip_newlines(self) -> None:
        ungot = self._ungot
        if ungot is None:
            self.tokenizer.skip_newlines()
        elif ungot.kind is K.NewLine:
            self._ungot = None
            self.tokenizer.skip_newlines()

    def _skip_newlines_and_semicolons(self) -> None:
        ungot = self._ungot
        if ungot is None or ungot.kind is K.NewLine or ungot.kind is K.Semi:
            self._ungot = None
            self.tokenizer.skip_newlines(True)

    def _restore_point(self) -> int:
        return self.tokenizer.i if self._ungot is None else self._ungot.pos

    def _left_bracket(self) -> Token | None:
        if self._ungot is not None:
            return self._next() if self._ungot.kind is K.LBracket else None
        return self.tokenizer.left_bracket()

    def _member_access(self, allow_bracket: bool) -> Token | None:
        return None if self._ungot is not None else self.tokenizer.member_access_operator(allow_bracket)

    def _sync(self, consume: bool, *kinds: TokenKind) -> None:
        """Skip to one of the kinds, over whatever is nested."""
        parens, curlies, brackets = K.RParen in kinds, K.RCurly in kinds, K.RBracket in kinds
        depth = {K.RParen: int(parens), K.RCurly: int(curlies), K.RBracket: int(brackets)}
        opening = {K.LParen: K.RParen, K.LCurly: K.RCurly, K.LBracket: K.RBracket}
        while True:
            token = self._next()
            kind = token.kind
            if kind in opening:
                depth[opening[kind]] += 1
            elif kind in depth:
                depth[kind] -= 1
                if depth[kind] == 0 and kind in kinds:
                    if not consume:
                        self._unget(token)
                    return
            elif kind is K.EndOfInput:
                self._unget(token)
                return
            if kind in kinds and not any(depth.values()):
                return

    # --- script blocks ------------------------------------------------------------------------------------------------

    def script(self) -> ast.ScriptBlockAst:
        """The whole script."""
        tree = self._script_block(None, False)
        if self.tokenizer.requires:
            tree.script_requirements = self._requirements()
        return tree

    def _script_block(
        self, left_curly: Token | None, is_filter: bool, predefined: ast.StatementAst | None = None
    ) -> ast.ScriptBlockAst:
        self._skip_newlines()
        usings = self._using_statements() if left_curly is None else []
        restore = self._restore_point()
        param_block = self._param_block()
        if param_block is None:
            self._resync(restore)  # attributes that belong to no param statement are casts or type literals
        self._skip_newlines_and_semicolons()
        if self._peek().kind in _BLOCK_NAMES:
            block = self._named_blocks(left_curly, param_block)
        else:
            block = self._unnamed_block(left_curly, param_block, is_filter, predefined)
        block.using_statements = usings
        return block

    def _using_statements(self) -> list[ast.UsingStatementAst]:
        found: list[ast.UsingStatementAst] = []
        while True:
            token = self._peek()
            if token.kind is not K.Using:
                self._resync(token.pos)
                return found
            self._skip()
            statement = self._using(token)
            self._skip_newlines_and_semicolons()
            if isinstance(statement, ast.UsingStatementAst):
                found.append(statement)

    def _param_block(self) -> ast.ParamBlockAst | None:
        self._skip_newlines()
        candidates = self._attributes(False)
        self._skip_newlines()
        param = self._peek()
        if param.kind is not K.Param:
            return None
        self._skip()
        self._skip_newlines()
        left = self._next()
        if left.kind is not K.LParen:
            self._unget(left)
            return None  # a command named param
        parameters = self._parameter_list()
        self._skip_newlines()
        right = self._next()
        end = right.end
        if right.kind is not K.RParen:
            self._unget(right)
            end = self._before(right)
            after = parameters[-1].extent.end_offset if parameters else left.end
            self._incomplete_at(after, "MissingEndParenthesisInFunctionParameterList")
        attributes: list[ast.AttributeAst] = []
        for attribute in candidates:
            if isinstance(attribute, ast.AttributeAst):
                attributes.append(attribute)
            elif isinstance(attribute, ast.TypeConstraintAst):
                extent = attribute.extent
                name = attribute.type_name.full_name
                self.report(extent.start_offset, extent.end_offset, "TypeNotAllowedBeforeParam", name)
        return ast.ParamBlockAst(self._span(param.start, end), attributes, parameters)

    def _parameter_list(self) -> list[ast.ParameterAst]:
        parameters: list[ast.ParameterAst] = []
        comma: Token | None = None
        while True:
            parameter = self._parameter()
            if parameter is None:
                if comma is not None:
                    self._incomplete_at(comma.end, "MissingExpressionAfterToken", ",")
                return parameters
            parameters.append(parameter)
            self._skip_newlines()
            comma = self._peek()
            if comma.kind is not K.Comma:
                return parameters
            self._skip()

    def _parameter(self) -> ast.ParameterAst | None:
        no_comma, self._no_comma = self._no_comma, True
        mode = self._set_mode(EXPRESSION)
        try:
            self._skip_newlines()
            attributes = self._attributes(False)
            self._skip_newlines()
            token = self._next()
            if token.kind is not K.Variable and token.kind is not K.SplattedVariable:
                self._unget(token)
                if not attributes:
                    return None
                first, last = attributes[0].extent, attributes[-1].extent
                self._incomplete_at(last.end_offset, "InvalidFunctionParameter")
                self._sync(True, K.RParen)
                extent = self._span(first.start_offset, last.end_offset)
                variable = ast.VariableExpressionAst(extent, split_variable_path("__error__"), False)
                return ast.ParameterAst(extent, attributes, variable)
            default: ast.ExpressionAst | None = None
            self._skip_newlines()
            equals = self._peek()
            if equals.kind is K.Equals:
                self._skip()
                self._skip_newlines()
                default = self._expression()
                if default is None:
                    self._incomplete_at(equals.end, "MissingExpressionAfterToken", "=")
        finally:
            self._no_comma = no_comma
            self._set_mode(mode)
        start = attributes[0].extent.start_offset if attributes else token.start
        end = default.extent.end_offset if default is not None else token.end
        return ast.ParameterAst(self._span(start, end), attributes, self._variable(token), default)

    def _close_script_block(self, left_curly: Token | None, named: bool) -> tuple[int, bool]:
        """Read the closing brace (or the script's end). Returns the end and whether the block is complete."""
        token = self._next()
        if left_curly is not None:
            if token.kind is K.RCurly:
                return token.end, True
            self._unget(token)
            if named and token.kind is not K.EndOfInput:
                self._report_token(token, "MissingNamedBlocks", token.text)
                self._sync(False, K.RCurly)
                closing = self._next()
                if closing.kind is K.RCurly:
                    return closing.end, True
                self._unget(closing)
                self._report_until(left_curly.start, left_curly.end, closing.end, "MissingEndCurlyBrace")
                return closing.start, True
            self._report_until(left_curly.start, left_curly.end, token.end, "MissingEndCurlyBrace")
            return -1, True
        if token.kind is not K.EndOfInput:
            self._report_token(token, "MissingNamedBlocks" if named else "UnexpectedToken", token.text)
            return -1, False
        return -1, True

    def _unnamed_block(
        self,
        left_curly: Token | None,
        param_block: ast.ParamBlockAst | None,
        is_filter: bool,
        predefined: ast.StatementAst | None,
    ) -> ast.ScriptBlockAst:
        statements: list[ast.StatementAst] = [predefined] if predefined is not None else []
        traps: list[ast.TrapStatementAst] = []
        list_start = param_block.extent.start_offset if param_block is not None else -1
        list_end = param_block.extent.end_offset if param_block is not None else -1
        while True:
            found = self._statement_list(statements, traps)
            if found is not None:
                if list_start < 0:
                    list_start = found[0]
                list_end = found[1]
            end, complete = self._close_script_block(left_curly, False)
            if complete:
                break
        extent = self._block_extent(left_curly, end, list_end)
        if list_start < 0:
            list_start = list_end = left_curly.end if left_curly is not None else 0
        kind = K.Process if is_filter else K.End
        body = ast.NamedBlockAst(self._span(list_start, list_end), kind, True, statements, traps)
        block = ast.ScriptBlockAst(extent, param_block=param_block, is_filter=is_filter)
        if is_filter:
            block.process_block = body
        else:
            block.end_block = body
        return block

    def _block_extent(self, left_curly: Token | None, end: int, body_end: int) -> Extent:
        if left_curly is None:
            return self._span(0, len(self.source.text))
        if end < 0:
            end = max(body_end, left_curly.end)
        return self._span(left_curly.start, end)

    def _named_blocks(self, left_curly: Token | None, param_block: ast.ParamBlockAst | None) -> ast.ScriptBlockAst:
        blocks: dict[TokenKind, ast.NamedBlockAst] = {}
        last = 0
        while True:
            name = self._next()
            if name.kind not in _BLOCK_NAMES:
                self._unget(name)
                break
            body = self._statement_block()
            if body is None:
                self._incomplete_at(name.end, "MissingNamedStatementBlock", name.kind.value)
                last = name.end
                body = ast.StatementBlockAst(name.extent, [], [])
            else:
                last = body.extent.end_offset
            extent = self._span(name.start, last)
            if name.kind in blocks:
                self.report(name.start, last, "DuplicateScriptCommandClause", name.kind.value)
            else:
                blocks[name.kind] = ast.NamedBlockAst(extent, name.kind, False, body.statements, body.traps)
            self._skip_newlines_and_semicolons()
        end, _ = self._close_script_block(left_curly, True)
        return ast.ScriptBlockAst(
            self._block_extent(left_curly, end, last),
            param_block=param_block,
            begin_block=blocks.get(K.Begin),
            process_block=blocks.get(K.Process),
            end_block=blocks.get(K.End),
            dynamic_param_block=blocks.get(K.Dynamicparam),
        )

    def _statement_block(self) -> ast.StatementBlockAst | None:
        self._skip_newlines()
        left = self._next()
        if left.kind is not K.LCurly:
            self._unget(left)
            return None
        statements: list[ast.StatementAst] = []
        traps: list[ast.TrapStatementAst] = []
        found = self._statement_list(statements, traps)
        right = self._next()
        if right.kind is not K.RCurly:
            self._unget(right)
            end = found[1] if found is not None else left.end
            self._report_until(left.start, left.end, right.end, "MissingEndCurlyBrace")
        else:
            end = right.end
        return ast.StatementBlockAst(self._span(left.start, end), statements, traps)

    def _statement_list(
        self, statements: list[ast.StatementAst], traps: list[ast.TrapStatementAst]
    ) -> tuple[int, int] | None:
        """Read statements into the lists; returns where they begin and end."""
        start = end = -1
        self._skip_newlines_and_semicolons()
        while True:
            statement = self._statement()
            if statement is None:
                break
            extent = statement.extent
            signature = self.tokenizer.signature_start
            if signature is not None and signature < extent.start_offset:
                self.report(extent.start_offset, extent.end_offset, "TokenAfterEndOfValidScriptText")
            if isinstance(statement, ast.TrapStatementAst):
                traps.append(statement)
            else:
                statements.append(statement)
            if start < 0:
                start = extent.start_offset
            end = extent.end_offset
            self._skip_newlines_and_semicolons()
            kind = self._peek().kind
            if kind is K.RParen or kind is K.RCurly:
                break
        return None if start < 0 else (start, end)

    # --- statements ---------------------------------------------------------------------------------------------------

    def _statement(self) -> ast.StatementAst | None:
        token = self._next()
        attributes: list[ast.AttributeBaseAst] = []
        restore = token.pos
        if token.kind is K.Generic and self.source.text[token.start : token.start + 1] == "[":
            self._resync(token.pos)
            attributes = self._attributes(False)
            token = self._next()
            if attributes:
                token = self._check_statement_attributes(attributes, token, restore)
        rule = _STATEMENT_RULES.get(token.kind)
        if rule is not None:
            return rule(self, token)
        kind = token.kind
        if kind is K.Class:
            return self._class_definition(attributes, token)
        if kind is K.Enum:
            return self._enum_definition(attributes, token)
        if kind is K.Configuration:
            return self._configuration(attributes, token)
        if kind is K.Label:
            self._skip_newlines()
            return self._labeled_statement(token)
        if kind is K.EndOfInput:
            if attributes:
                self._resync(restore)
                return self._pipeline()
            self._unget(token)
            return None
        if kind in (K.Else, K.ElseIf, K.Catch, K.Until) and self.errors:
            self._skip_newlines()
            return self._statement()
        if attributes:
            self._resync(restore)
        else:
            self._unget(token)
        return self._pipeline()

    def _check_statement_attributes(self, attributes: list[ast.AttributeBaseAst], token: Token, restore: int) -> Token:
        """Attributes in front of a statement: fine before a class, else a type literal or cast, or an error."""
        if token.kind in _KEYWORDS_WITHOUT_ATTRIBUTES:
            if any(isinstance(a, ast.TypeConstraintAst) for a in attributes):
                self._resync(restore)
                return self._next()
            first = attributes[0]
            assert isinstance(first, ast.AttributeAst)
            extent = first.extent
            self.report(extent.start_offset, extent.end_offset, "UnexpectedAttribute", first.type_name.full_name)
        elif token.kind in _ATTRIBUTABLE or token.kind.value in _KEYWORD_TEXTS:
            for attribute in attributes:
                if isinstance(attribute, ast.TypeConstraintAst):
                    extent = attribute.extent
                    name = attribute.type_name.full_name
                    self.report(extent.start_offset, extent.end_offset, "TypeNotAllowedBeforeStatement", name)
                    break
        else:
            self._resync(restore)
            return self._next()
        return token

    def _reserved_statement(self, token: Token) -> ast.StatementAst:
        self._report_token(token, "ReservedKeywordNotAllowed", token.kind.value)
        return ast.ErrorStatementAst(token.extent)

    def _misplaced_using(self, token: Token) -> ast.StatementAst:
        statement = self._using(token)
        extent = statement.extent
        self.report(extent.start_offset, extent.end_offset, "UsingMustBeAtStartOfScript")
        return statement

    def _simple_name_token(self) -> Token | None:
        tokenizer = self.tokenizer
        tokenizer.want_simple_name = True
        token = self._peek()
        tokenizer.want_simple_name = False
        if token.kind is K.Identifier:
            self._ungot = None
            return token
        return None

    def _bare_word(self, token: Token) -> ast.StringConstantExpressionAst:
        return ast.StringConstantExpressionAst(token.extent, token.text, ast.StringConstantType.BareWord)

    def _simple_name(self) -> ast.StringConstantExpressionAst | None:
        token = self._simple_name_token()
        return self._bare_word(token) if token is not None else None

    def _label_or_key(self) -> ast.ExpressionAst | None:
        name = self._simple_name()
        if name is not None:
            return name
        kind = self._peek().kind
        if kind is K.NewLine or kind is K.Semi:
            return None
        no_comma, self._no_comma = self._no_comma, True
        try:
            return self._unary_expression()
        finally:
            self._no_comma = no_comma

    def _break(self, token: Token) -> ast.StatementAst:
        label = self._label_or_key()
        extent = self._span(token.start, label.extent.end_offset if label is not None else token.end)
        if token.kind is K.Break:
            return ast.BreakStatementAst(extent, label)
        return ast.ContinueStatementAst(extent, label)

    def _flow(self, token: Token) -> ast.StatementAst:
        pipeline = self._pipeline()
        extent = self._span(token.start, pipeline.extent.end_offset if pipeline is not None else token.end)
        if token.kind is K.Return:
            return ast.ReturnStatementAst(extent, pipeline)
        if token.kind is K.Exit:
            return ast.ExitStatementAst(extent, pipeline)
        return ast.ThrowStatementAst(extent, pipeline)

    def _labeled_statement(self, label: Token) -> ast.StatementAst | None:
        token = self._next()
        if token.kind is K.Switch:
            return self._switch(token, label)
        if token.kind is K.Foreach:
            return self._foreach(token, label)
        if token.kind is K.For:
            return self._for(token, label)
        if token.kind is K.While:
            return self._while(token, label)
        if token.kind is K.Do:
            return self._do(token, label)
        self._resync(label.pos)
        return self._pipeline()

    def _block_statement(self, token: Token) -> ast.StatementAst:
        body = self._statement_block()
        if body is None:
            self._incomplete_at(token.end, "MissingStatementAfterKeyword", token.text)
            return ast.ErrorStatementAst(token.extent)
        return ast.BlockStatementAst(self._span(token.start, body.extent.end_offset), token.kind, body)

    def _error_statement(self, start: int, end: int, nested: Iterable[Any] = ()) -> ast.ErrorStatementAst:
        nodes = [node for node in nested if isinstance(node, ast.Ast)]
        return ast.ErrorStatementAst(self._span(start, end), None, nodes)

    def _if(self, if_token: Token) -> ast.StatementAst:
        clauses: list[tuple[ast.PipelineBaseAst, ast.StatementBlockAst]] = []
        parts: list[ast.Ast] = []
        else_clause: ast.StatementBlockAst | None = None
        keyword = if_token
        while True:
            self._skip_newlines()
            left = self._next()
            if left.kind is not K.LParen:
                self._unget(left)
                self._incomplete_at(keyword.end, "MissingOpenParenthesisInIfStatement", keyword.text)
                return self._error_statement(if_token.start, keyword.end, parts)
            self._skip_newlines()
            condition: ast.PipelineBaseAst | None = self._pipeline()
            missing = condition is None
            if condition is None:
                self._incomplete_at(left.end, "IfStatementMissingCondition", keyword.text)
                condition = self._error_statement(left.end, left.end)
            else:
                parts.append(condition)
            self._skip_newlines()
            right = self._next()
            if right.kind is not K.RParen:
                self._unget(right)
                if not missing:
                    self.report_incomplete(right.start, right.end, "MissingEndParenthesisAfterStatement", keyword.text)
                return self._error_statement(if_token.start, self._before(right), parts)
            self._skip_newlines()
            body = self._statement_block()
            if body is None:
                self.report_incomplete(right.start, right.end, "MissingStatementBlock", keyword.text)
                return self._error_statement(if_token.start, right.end, parts)
            parts.append(body)
            clauses.append((condition, body))
            self._skip_newlines()
            keyword = self._peek()
            if keyword.kind is K.ElseIf:
                self._skip()
                continue
            if keyword.kind is K.Else:
                self._skip()
                self._skip_newlines()
                else_clause = self._statement_block()
                if else_clause is None:
                    self._incomplete_at(keyword.end, "MissingStatementBlockAfterElse")
                    return self._error_statement(if_token.start, keyword.end, parts)
            break
        end = (else_clause or clauses[-1][1]).extent.end_offset
        return ast.IfStatementAst(self._span(if_token.start, end), clauses, else_clause)

    def _is_parameter(self, token: Token, name: str) -> bool:
        return name.startswith(str(token.value).lower())

    def _switch(self, token: Token, label: Token | None = None) -> ast.StatementAst:
        start = (label or token).start
        error_end = (label or token).end
        is_error = incomplete = False
        flags = ast.SwitchFlags.NoFlags
        condition: ast.PipelineBaseAst | None = None
        self._skip_newlines()
        parameter = self._peek()
        while parameter.kind is K.Parameter:
            self._skip()
            error_end = parameter.end
            if self._is_parameter(parameter, "regex"):
                flags = flags & ~ast.SwitchFlags.Wildcard | ast.SwitchFlags.Regex
            elif self._is_parameter(parameter, "wildcard"):
                flags = flags & ~ast.SwitchFlags.Regex | ast.SwitchFlags.Wildcard
            elif self._is_parameter(parameter, "exact"):
                flags &= ~(ast.SwitchFlags.Regex | ast.SwitchFlags.Wildcard)
            elif self._is_parameter(parameter, "casesensitive"):
                flags |= ast.SwitchFlags.CaseSensitive
            elif self._is_parameter(parameter, "parallel"):
                flags |= ast.SwitchFlags.Parallel
            elif self._is_parameter(parameter, "file"):
                flags |= ast.SwitchFlags.File
                self._skip_newlines()
                name = self._single_argument(_FILE_NAME)
                if name is None:
                    is_error = True
                    incomplete = self._incomplete_at(parameter.end, "MissingFilenameOption")
                else:
                    error_end = name.extent.end_offset
                    element = ast.CommandExpressionAst(name.extent, name)
                    condition = ast.PipelineAst(name.extent, [element])
            else:
                is_error = True
                self._report_token(parameter, "InvalidSwitchFlag", str(parameter.value))
            parameter = self._peek()

        left = self._peek()
        if left.kind is K.LParen:
            error_end = left.end
            self._skip()
            if flags & ast.SwitchFlags.File:
                is_error = True
                self._report_token(left, "PipelineValueRequired")
            self._skip_newlines()
            condition = self._pipeline()
            if condition is None:
                is_error = True
                incomplete = self._incomplete_at(left.end, "PipelineValueRequired")
            else:
                error_end = condition.extent.end_offset
            self._skip_newlines()
            right = self._next()
            if right.kind is not K.RParen:
                self._unget(right)
                if not incomplete:
                    is_error = True
                    incomplete = self._incomplete_at(error_end, "MissingEndParenthesisInSwitchStatement")
            else:
                error_end = right.end
        elif condition is None and not flags & ast.SwitchFlags.File:
            is_error = True
            incomplete = self._incomplete_at(error_end, "PipelineValueRequired")

        self._skip_newlines()
        left_curly = self._next()
        default: ast.StatementBlockAst | None = None
        clauses: list[tuple[ast.ExpressionAst, ast.StatementBlockAst]] = []
        nested: list[ast.Ast] = []
        end = error_end
        if left_curly.kind is not K.LCurly:
            self._unget(left_curly)
            if not incomplete:
                is_error = True
                self._incomplete_at(error_end, "MissingCurlyBraceInSwitchStatement")
        else:
            error_end = left_curly.end
            self._skip_newlines()
            while True:
                clause = self._single_argument(_SWITCH_CONDITION)
                if clause is None:
                    is_error = True
                    self._incomplete_at(error_end, "MissingSwitchConditionExpression")
                    if self._peek().kind is K.RCurly:
                        self._skip()
                    break
                nested.append(clause)
                error_end = clause.extent.end_offset
                body = self._statement_block()
                if body is None:
                    is_error = True
                    incomplete = self._incomplete_at(error_end, "MissingSwitchStatementClause")
                else:
                    nested.append(body)
                    error_end = body.extent.end_offset
                    if (
                        isinstance(clause, ast.StringConstantExpressionAst)
                        and clause.string_constant_type is ast.StringConstantType.BareWord
                        and clause.value.lower() == "default"
                    ):
                        if default is not None:
                            is_error = True
                            extent = clause.extent
                            self.report(extent.start_offset, extent.end_offset, "MultipleSwitchDefaultClauses")
                        default = body
                    else:
                        clauses.append((clause, body))
                self._skip_newlines_and_semicolons()
                token_after = self._peek()
                if token_after.kind is K.RCurly:
                    end = token_after.end
                    self._skip()
                    break
                if token_after.kind is K.EndOfInput:
                    if not incomplete:
                        is_error = True
                        self._report_until(left_curly.start, left_curly.end, token_after.end, "MissingEndCurlyBrace")
                    break
        if is_error or condition is None:
            return self._error_statement(start, error_end, [condition, *nested])
        name_of_label = label.value if label is not None else None
        return ast.SwitchStatementAst(self._span(start, end), name_of_label, condition, flags, clauses, default)

    def _foreach(self, token: Token, label: Token | None = None) -> ast.StatementAst:
        start = (label or token).start
        error_end: int | None = None
        flags = ast.ForEachFlags.NoFlags
        throttle: ast.ExpressionAst | None = None
        self._skip_newlines()
        parameter = self._peek()
        while parameter.kind is K.Parameter:
            self._skip()
            if self._is_parameter(parameter, "parallel"):
                flags |= ast.ForEachFlags.Parallel
            elif self._is_parameter(parameter, "throttlelimit"):
                self._skip_newlines()
                throttle = self._single_argument(_ARGUMENT)
                if throttle is None:
                    self._incomplete_at(parameter.end, "MissingThrottleLimit")
            else:
                error_end = parameter.end
                self._report_token(parameter, "InvalidForeachFlag", str(parameter.value))
            self._skip_newlines()
            parameter = self._peek()
        left = self._next()
        if left.kind is not K.LParen:
            self._unget(left)
            self._incomplete_at(token.end, "MissingOpenParenthesisAfterKeyword", token.kind.value)
            return self._error_statement(start, token.end)
        self._skip_newlines()
        name = self._next()
        if name.kind is not K.Variable and name.kind is not K.SplattedVariable:
            self._unget(name)
            self._incomplete_at(left.end, "MissingVariableNameAfterForeach")
            return self._error_statement(start, left.end)
        variable = self._variable(name)
        self._skip_newlines()
        pipeline: ast.PipelineBaseAst | None = None
        body: ast.StatementBlockAst | None = None
        in_token = self._next()
        if in_token.kind is not K.In:
            self._unget(in_token)
            error_end = name.end
            self._incomplete_at(error_end, "MissingInInForeach")
        else:
            self._skip_newlines()
            pipeline = self._pipeline()
            if pipeline is None:
                error_end = in_token.end
                self._incomplete_at(error_end, "MissingForeachExpression")
            else:
                self._skip_newlines()
                right = self._next()
                if right.kind is not K.RParen:
                    self._unget(right)
                    error_end = pipeline.extent.end_offset
                    self._incomplete_at(error_end, "MissingEndParenthesisAfterForeach")
                else:
                    body = self._statement_block()
                    if body is None:
                        error_end = right.end
                        self._incomplete_at(error_end, "MissingForeachStatement")
        if error_end is not None or pipeline is None or body is None:
            return self._error_statement(start, error_end or token.end, [variable, pipeline, body])
        extent = self._span(start, body.extent.end_offset)
        name_of_label = label.value if label is not None else None
        return ast.ForEachStatementAst(extent, name_of_label, flags, throttle, variable, pipeline, body)

    def _for(self, token: Token, label: Token | None = None) -> ast.StatementAst:
        start = (label or token).start
        self._skip_newlines()
        left = self._next()
        if left.kind is not K.LParen:
            self._unget(left)
            self._incomplete_at(token.end, "MissingOpenParenthesisAfterKeyword", token.kind.value)
            return self._error_statement(start, token.end)
        error_end = left.end
        parts: list[ast.PipelineBaseAst | None] = []
        for position in range(3):
            self._skip_newlines()
            part = self._pipeline()
            parts.append(part)
            if part is not None:
                error_end = part.extent.end_offset
            if position < 2 and self._peek().kind is K.Semi:
                error_end = self._next().end
        initializer, condition, iterator = parts
        self._skip_newlines()
        right = self._next()
        body: ast.StatementBlockAst | None = None
        if right.kind is not K.RParen:
            self._unget(right)
            self._incomplete_at(error_end, "MissingEndParenthesisAfterStatement", token.kind.value)
        else:
            body = self._statement_block()
            if body is None:
                error_end = right.end
                self._incomplete_at(error_end, "MissingLoopStatement", token.kind.value)
        if body is None:
            return self._error_statement(start, error_end, parts)
        extent = self._span(start, body.extent.end_offset)
        name = label.value if label is not None else None
        return ast.ForStatementAst(extent, name, initializer, condition, iterator, body)

    def _while(self, token: Token, label: Token | None = None) -> ast.StatementAst:
        start = (label or token).start
        self._skip_newlines()
        left = self._next()
        if left.kind is not K.LParen:
            self._unget(left)
            self._incomplete_at(token.end, "MissingOpenParenthesisAfterKeyword", token.text)
            return self._error_statement(start, token.end)
        self._skip_newlines()
        condition = self._pipeline()
        missing = condition is None
        if condition is None:
            self._incomplete_at(left.end, "MissingExpressionAfterKeyword", token.kind.value)
            condition = self._error_statement(left.end, left.end)
        self._skip_newlines()
        right = self._next()
        if right.kind is not K.RParen:
            self._unget(right)
            if not missing:
                end = condition.extent.end_offset
                self._incomplete_at(end, "MissingEndParenthesisAfterStatement", token.kind.value)
            return self._error_statement(start, condition.extent.end_offset, [condition])
        self._skip_newlines()
        body = self._statement_block()
        if body is None:
            self._incomplete_at(right.end, "MissingLoopStatement", token.kind.value)
            return self._error_statement(start, right.end, [condition])
        extent = self._span(start, body.extent.end_offset)
        return ast.WhileStatementAst(extent, label.value if label is not None else None, condition, body)

    def _do(self, token: Token, label: Token | None = None) -> ast.StatementAst:
        start = (label or token).start
        error_end: int | None = None
        condition: ast.PipelineBaseAst | None = None
        until = False
        end = token.end
        body = self._statement_block()
        if body is None:
            error_end = token.end
            self._incomplete_at(error_end, "MissingLoopStatement", "do")
        else:
            self._skip_newlines()
            keyword = self._next()
            until = keyword.kind is K.Until
            if keyword.kind is not K.While and not until:
                self._unget(keyword)
                error_end = body.extent.end_offset
                self._incomplete_at(error_end, "MissingWhileOrUntilInDoWhile")
            else:
                self._skip_newlines()
                left = self._next()
                if left.kind is not K.LParen:
                    self._unget(left)
                    error_end = keyword.end
                    self._incomplete_at(error_end, "MissingOpenParenthesisAfterKeyword", keyword.kind.value)
                else:
                    self._skip_newlines()
                    condition = self._pipeline()
                    if condition is None:
                        error_end = left.end
                        self._incomplete_at(error_end, "MissingExpressionAfterKeyword", keyword.kind.value)
                    self._skip_newlines()
                    right = self._next()
                    end = right.end
                    if right.kind is not K.RParen:
                        self._unget(right)
                        if condition is not None:
                            error_end = condition.extent.end_offset
                            self._incomplete_at(error_end, "MissingEndParenthesisAfterStatement", keyword.kind.value)
        if error_end is not None or body is None or condition is None:
            return self._error_statement(start, error_end or token.end, [body, condition])
        extent = self._span(start, end)
        name = label.value if label is not None else None
        if until:
            return ast.DoUntilStatementAst(extent, name, condition, body)
        return ast.DoWhileStatementAst(extent, name, condition, body)

    def _function(self, token: Token) -> ast.StatementAst:
        self._skip_newlines()
        name = self._next()
        if name.kind in _NOT_A_FUNCTION_NAME:
            self._unget(name)
            self._incomplete_at(token.end, "MissingNameAfterKeyword", token.text)
            return ast.ErrorStatementAst(token.extent)
        parameters, error_end, right = self._function_parameters()
        left_curly = self._next()
        if left_curly.kind is not K.LCurly:
            self._unget(left_curly)
            if error_end is None:
                error_end = (right or name).end
                self._incomplete_at(error_end, "MissingFunctionBody")
        if error_end is not None:
            return self._error_statement(token.start, error_end, parameters or ())
        is_filter, is_workflow = token.kind is K.Filter, token.kind is K.Workflow
        in_workflow, self.tokenizer.in_workflow = self.tokenizer.in_workflow, is_workflow
        try:
            body = self._script_block(left_curly, is_filter)
        finally:
            self.tokenizer.in_workflow = in_workflow
        text = name.value if name.kind is K.Generic else name.text
        extent = self._span(token.start, body.extent.end_offset)
        return ast.FunctionDefinitionAst(extent, is_filter, is_workflow, text, parameters, body)

    def _function_parameters(self) -> tuple[list[ast.ParameterAst] | None, int | None, Token | None]:
        """Parameters in parentheses, where an error was found, and the closing parenthesis."""
        self._skip_newlines()
        left = self._peek()
        if left.kind is not K.LParen:
            return None, None, None
        self._skip()
        parameters = self._parameter_list()
        self._skip_newlines()
        right = self._next()
        error_end: int | None = None
        if right.kind is not K.RParen:
            self._unget(right)
            error_end = parameters[-1].extent.end_offset if parameters else left.end
            self._incomplete_at(error_end, "MissingEndParenthesisInFunctionParameterList")
        self._skip_newlines()
        return parameters, error_end, right

    def _trap(self, token: Token) -> ast.StatementAst:
        restore = self._restore_point()
        self._skip_newlines()
        attribute = self._attribute()
        trap_type = attribute if isinstance(attribute, ast.TypeConstraintAst) else None
        if attribute is not None and trap_type is None:
            self._resync(restore)
        body = self._statement_block()
        if body is None:
            end = trap_type.extent.end_offset if trap_type is not None else token.end
            self._incomplete_at(end, "MissingTrapStatement")
            return self._error_statement(token.start, end, [trap_type])
        return ast.TrapStatementAst(self._span(token.start, body.extent.end_offset), trap_type, body)

    def _try(self, token: Token) -> ast.StatementAst:
        self._skip_newlines()
        body = self._statement_block()
        if body is None:
            self._incomplete_at(token.end, "MissingTryStatementBlock")
            return ast.ErrorStatementAst(token.extent)
        catches: list[ast.CatchClauseAst] = []
        error_end: int | None = None
        while True:
            clause, error = self._catch()
            if error is not None:
                error_end = error
            if clause is None:
                break
            catches.append(clause)
        self._skip_newlines()
        finally_token = self._peek()
        finally_block: ast.StatementBlockAst | None = None
        if finally_token.kind is K.Finally:
            self._skip()
            finally_block = self._statement_block()
            if finally_block is None:
                error_end = finally_token.end
                self._incomplete_at(error_end, "MissingFinallyStatementBlock", "finally")
        if not catches and finally_block is None and error_end is None:
            error_end = body.extent.end_offset
            self._incomplete_at(error_end, "MissingCatchOrFinally")
        if error_end is not None:
            return self._error_statement(token.start, error_end, [body, *catches])
        end = (finally_block or catches[-1]).extent.end_offset
        return ast.TryStatementAst(self._span(token.start, end), body, catches, finally_block)

    def _catch(self) -> tuple[ast.CatchClauseAst | None, int | None]:
        """One catch clause; the second value tells where an error was reported."""
        self._skip_newlines()
        token = self._next()
        if token.kind is not K.Catch:
            self._unget(token)
            return None, None
        types: list[ast.TypeConstraintAst] = []
        comma: Token | None = None
        error_end: int | None = None
        while True:
            restore = self._restore_point()
            self._skip_newlines()
            attribute = self._attribute()
            if attribute is None:
                if comma is not None:
                    error_end = comma.end
                    self._incomplete_at(error_end, "MissingTypeLiteralToken")
                break
            if not isinstance(attribute, ast.TypeConstraintAst):
                self._resync(restore)
                break
            types.append(attribute)
            self._skip_newlines()
            comma = self._peek()
            if comma.kind is not K.Comma:
                comma = None
                break
            self._skip()
        handler = self._statement_block()
        if handler is None:
            if error_end is None:
                error_end = types[-1].extent.end_offset if types else token.end
                self._incomplete_at(error_end, "MissingCatchHandlerBlock")
            return None, error_end
        clause = ast.CatchClauseAst(self._span(token.start, handler.extent.end_offset), types, handler)
        return clause, error_end

    def _data(self, token: Token) -> ast.StatementAst:
        error_end: int | None = None
        self._skip_newlines()
        name = self._simple_name()
        self._skip_newlines()
        parameter = self._peek()
        commands: list[ast.ExpressionAst] = []
        if parameter.kind is K.Parameter:
            self._skip()
            if not self._is_parameter(parameter, "supportedcommand"):
                error_end = parameter.end
                self._report_token(parameter, "InvalidParameterForDataSectionStatement", str(parameter.value))
            comma: Token | None = None
            while True:
                self._skip_newlines()
                command = self._single_argument(_NAME)
                if command is None:
                    after = (comma or parameter).end
                    if error_end is None:
                        self._incomplete_at(after, "MissingValueForSupportedCommandInDataSectionStatement")
                    error_end = after
                    break
                commands.append(command)
                comma = self._peek()
                if comma.kind is not K.Comma:
                    break
                self._skip()
        body: ast.StatementBlockAst | None = None
        if error_end is None:
            body = self._statement_block()
            if body is None:
                if commands:
                    error_end = commands[-1].extent.end_offset
                else:
                    error_end = name.extent.end_offset if name is not None else token.end
                self._incomplete_at(error_end, "MissingStatementBlockForDataSection")
        if error_end is not None or body is None:
            return self._error_statement(token.start, error_end or token.end, commands)
        extent = self._span(token.start, body.extent.end_offset)
        return ast.DataStatementAst(extent, name.value if name is not None else None, commands, body)

    # --- using, configuration, classes --------------------------------------------------------------------------------

    def _using(self, token: Token) -> ast.StatementAst:
        directive = self._next()
        kind = _USING_KINDS.get(directive.kind)
        if kind is None:
            self._unget(directive)
            self._incomplete_at(token.end, "MissingUsingStatementDirective")
            return ast.ErrorStatementAst(token.extent)
        alias_required = directive.kind in (K.Type, K.Command)
        alias_allowed = directive.kind in (K.Namespace, K.Module)
        item = self._next()
        if item.kind in (K.EndOfInput, K.NewLine, K.Comma, K.Semi):
            self._incomplete_at(directive.end, "MissingUsingItemName")
            if item.kind is K.EndOfInput:
                self._unget(item)
            return self._error_statement(token.start, directive.end)
        item_text = item.text
        name = self._argument(_ARGUMENT, item)
        if name is None:
            self._report_token(item, "InvalidValueForUsingItemName", item_text)
            self._sync(True, K.Semi, K.NewLine)
            return self._error_statement(token.start, item.end)
        is_table = isinstance(name, ast.HashtableAst) and kind is ast.UsingStatementKind.Module
        if not isinstance(name, ast.StringConstantExpressionAst) and not is_table:
            extent = name.extent
            self.report(extent.start_offset, extent.end_offset, "InvalidValueForUsingItemName", extent.text)
            return self._error_statement(token.start, extent.end_offset)
        alias: ast.ExpressionAst | None = None
        if (alias_allowed or alias_required) and not is_table:
            equals = self._peek()
            if equals.kind is K.Equals:
                self._skip()
                alias_token = self._next()
                if alias_token.kind is K.EndOfInput:
                    self._unget(alias_token)
                    self._incomplete_at(equals.end, "MissingNamespaceAlias")
                    return self._error_statement(token.start, equals.end)
                alias = self._argument(_ARGUMENT, alias_token)
                if not isinstance(alias, (ast.StringConstantExpressionAst, ast.HashtableAst)):
                    return self._error_statement(token.start, alias_token.end, [name, alias])
            elif alias_required:
                self._incomplete_at(item.end, "MissingEqualsInUsingAlias")
                return self._error_statement(token.start, name.extent.end_offset, [name])
        self._require_terminator()
        statement = ast.UsingStatementAst(self._span(token.start, (alias or name).extent.end_offset), kind)
        if isinstance(name, ast.HashtableAst):
            statement.module_specification = name
        elif isinstance(name, ast.StringConstantExpressionAst):
            statement.name = name
        if isinstance(alias, ast.HashtableAst):
            statement.module_specification = alias
        elif isinstance(alias, ast.StringConstantExpressionAst):
            statement.alias = alias
        return statement

    def _require_terminator(self) -> None:
        token = self._peek()
        if token.kind is K.NewLine or token.kind is K.Semi:
            self._skip()
        elif token.kind is not K.EndOfInput:
            self.report_incomplete(token.start, token.end, "MissingStatementTerminator")

    def _configuration(self, attributes: list[ast.AttributeBaseAst], token: Token) -> ast.StatementAst | None:
        self._skip_newlines()
        name_token = self._next()
        if name_token.kind is K.LCurly:
            self._incomplete_at(token.end, "MissingConfigurationName")
            self._script_block_expression(name_token)
            return self._error_statement(token.start, token.end)
        if name_token.kind is K.EndOfInput:
            self._unget(name_token)
            self._incomplete_at(name_token.end, "MissingConfigurationName")
            return None
        name = self._argument(_ARGUMENT, name_token)
        is_error = False
        if name is None:
            is_error = True
            self.report_incomplete(name_token.start, name_token.end, "MissingConfigurationName")
        elif isinstance(name, ast.ConstantExpressionAst):
            text = name.value if isinstance(name.value, str) else ""
            if not re.match(r"^[A-Za-z][A-Za-z0-9_./-]*$", text):
                is_error = True
                extent = name.extent
                self.report(extent.start_offset, extent.end_offset, "InvalidConfigurationName", text)
        self._skip_newlines()
        left = self._next()
        if left.kind is not K.LCurly:
            self._incomplete_at(left.end, "MissingCurlyInConfigurationStatement")
            self._unget(left)
            return self._error_statement(token.start, token.end)
        body = self._script_block_expression(left)
        if is_error or name is None:
            return self._error_statement(token.start, token.end)
        body.script_block.is_configuration = True
        meta = any(
            isinstance(a, ast.AttributeAst) and a.type_name.name.lower().endswith("dsclocalconfigurationmanager")
            for a in attributes
        )
        kind = ast.ConfigurationType.Meta if meta else ast.ConfigurationType.Resource
        return ast.ConfigurationDefinitionAst(self._span(token.start, body.extent.end_offset), body, kind, name)

    def _class_definition(self, attributes: list[ast.AttributeBaseAst], token: Token) -> ast.StatementAst:
        self._skip_newlines()
        name = self._simple_name()
        if name is None:
            self._incomplete_at(token.end, "MissingNameAfterKeyword", token.text)
            return ast.ErrorStatementAst(token.extent)
        self._skip_newlines()
        mode = self._set_mode(SIGNATURE)
        try:
            base_types = self._base_types()
            left = self._next()
            if left.kind is not K.LCurly:
                self._unget(left)
                last = base_types[-1].extent.end_offset if base_types else name.extent.end_offset
                self._incomplete_at(last, "MissingTypeBody", token.kind.value)
                return self._error_statement(token.start, last, base_types)
            members: list[ast.MemberAst] = []
            failed = False
            end = left.end
            while True:
                member, error = self._class_member(name.value)
                if member is None and not error:
                    break
                failed = failed or error
                if member is not None:
                    members.append(member)
                    end = member.extent.end_offset
            right = self._next()
            if right.kind is not K.RCurly:
                self._unget(right)
                self._report_until(left.end, left.end, right.end, "MissingEndCurlyBrace")
            else:
                end = right.end
        finally:
            self._set_mode(mode)
        start = attributes[0].extent.start_offset if attributes else token.start
        extent = self._span(start, end)
        own = [a for a in attributes if isinstance(a, ast.AttributeAst)]
        definition = ast.TypeDefinitionAst(extent, name.value, own, base_types, members, ast.TypeAttributes.Class)
        if failed or len(own) != len(attributes):
            return ast.ErrorStatementAst(extent, None, [definition])
        return definition

    def _base_types(self) -> list[ast.TypeConstraintAst]:
        found: list[ast.TypeConstraintAst] = []
        colon = self._peek()
        if colon.kind is not K.Colon:
            return found
        self._skip()
        self._skip_newlines()
        last = colon
        while True:
            type_name = self.type_name(allow_assembly=False)
            if type_name is None:
                self._incomplete_at(last.end, "TypeNameExpected")
                return found
            found.append(ast.TypeConstraintAst(type_name.extent, type_name))
            self._skip_newlines()
            last = self._peek()
            if last.kind is not K.Comma:
                return found
            self._skip()
            self._skip_newlines()

    def _class_member(self, class_name: str) -> tuple[ast.MemberAst | None, bool]:
        """A member; the second value is True when an error was met on the way and more members may follow."""
        start: int | None = None
        attributes: list[ast.AttributeAst] = []
        type_constraint: ast.TypeConstraintAst | None = None
        static = hidden = False
        last_end: int | None = None
        while True:
            self._skip_newlines()
            attribute = self._attribute()
            if attribute is not None:
                extent = attribute.extent
                last_end = extent.end_offset
                if start is None:
                    start = extent.start_offset
                if isinstance(attribute, ast.AttributeAst):
                    attributes.append(attribute)
                elif type_constraint is None:
                    assert isinstance(attribute, ast.TypeConstraintAst)
                    type_constraint = attribute
                else:
                    self.report(extent.start_offset, extent.end_offset, "TooManyTypes")
                continue
            token = self._peek()
            if start is None:
                start = token.start
            if token.kind is K.Hidden or token.kind is K.Static:
                if hidden if token.kind is K.Hidden else static:
                    self._report_token(token, "DuplicateQualifier", token.text)
                hidden = hidden or token.kind is K.Hidden
                static = static or token.kind is K.Static
                last_end = token.end
                self._skip()
                continue
            break
        failed = bool(attributes) or type_constraint is not None
        if token.kind is K.Variable:
            return self._property_member(start, attributes, type_constraint, static, hidden), False
        if token.kind is K.Identifier:
            self._skip()
            function = self._method(token, class_name, static)
            if function is None:
                self._sync(False, K.RCurly)
                return None, failed
            flags = ast.MethodAttributes.Public
            if static:
                flags |= ast.MethodAttributes.Static
            if hidden:
                flags |= ast.MethodAttributes.Hidden
            extent = self._span(start, function.extent.end_offset)
            return ast.FunctionMemberAst(extent, function, attributes, type_constraint, flags), False
        if last_end is not None:
            self._incomplete_at(last_end, "IncompleteMemberDefinition")
            return None, failed
        return None, False

    def _property_member(
        self,
        start: int,
        attributes: list[ast.AttributeAst],
        type_constraint: ast.TypeConstraintAst | None,
        static: bool,
        hidden: bool,
    ) -> ast.PropertyMemberAst:
        token = self._next()
        initial: ast.ExpressionAst | None = None
        if self._peek().kind is K.Equals:
            self._skip()
            self._skip_newlines()
            initial = self._expression()
        flags = ast.PropertyAttributes.Public
        if static:
            flags |= ast.PropertyAttributes.Static
        if hidden:
            flags |= ast.PropertyAttributes.Hidden
        end = initial.extent.end_offset if initial is not None else token.end
        end = self._property_terminator(end, True)
        extent = self._span(start, end)
        name = token.value.user_path
        return ast.PropertyMemberAst(extent, name, type_constraint, attributes, flags, initial)

    def _property_terminator(self, end: int, complain: bool) -> int:
        terminator = self._peek()
        if terminator.kind not in (K.NewLine, K.Semi, K.RCurly) and complain:
            self._incomplete_at(end, "MissingPropertyTerminator")
        self._skip_newlines_and_semicolons()
        return terminator.end if terminator.kind is K.Semi else end

    def _method(self, name: Token, class_name: str, static: bool) -> ast.FunctionDefinitionAst | None:
        error_end: int | None = None
        right: Token | None = None
        parameters: list[ast.ParameterAst] = []
        if self._peek().kind is K.LParen:
            found, error_end, right = self._function_parameters()
            parameters = found or []
        else:
            self._incomplete_at(name.end, "MissingMethodParameterList")
        constructor = name.text.lower() == class_name.lower() and not static
        base_call: ast.StatementAst | None = None
        if constructor:
            base_call, base_error = self._base_constructor_call(name)
            error_end = base_error if base_error is not None else error_end
        left = self._next()
        if left.kind is not K.LCurly:
            self._unget(left)
            if error_end is None:
                error_end = (right or name).end
                self._incomplete_at(error_end, "MissingFunctionBody")
        if error_end is not None:
            return None
        mode = self._set_mode(COMMAND)
        try:
            body = self._script_block(left, False, base_call)
        finally:
            self._set_mode(mode)
        extent = self._span(name.start, body.extent.end_offset)
        return ast.FunctionDefinitionAst(extent, False, False, name.text, parameters, body)

    def _base_constructor_call(self, name: Token) -> tuple[ast.StatementAst, int | None]:
        """`: base(...)` behind a constructor's parameters; without it the base's parameterless constructor is called."""
        self._skip_newlines()
        mode = self._set_mode(SIGNATURE)
        arguments: list[ast.ExpressionAst] = []
        error_end: int | None = None
        start = end = name.end
        try:
            colon = self._peek()
            if colon.kind is K.Colon:
                self._skip()
                self._skip_newlines()
                base = self._peek()
                if base.kind is K.Base:
                    self._skip()
                    self._skip_newlines()
                    left = self._peek()
                    if left.kind is K.LParen:
                        self._skip()
                        arguments, end = self._method_arguments(left)
                        start = base.start
                        self._skip_newlines()
                    else:
                        error_end = base.end
                        self._incomplete_at(error_end, "MissingMethodParameterList")
                else:
                    error_end = colon.end
                    self._incomplete_at(error_end, "MissingBaseCtorCall")
        finally:
            self._set_mode(mode)
        extent = self._span(start, end)
        target = ast.VariableExpressionAst(extent, split_variable_path("this"), False)
        member = ast.StringConstantExpressionAst(extent, ".ctor", ast.StringConstantType.BareWord)
        call = ast.BaseCtorInvokeMemberExpressionAst(extent, target, member, False, arguments)
        return ast.CommandExpressionAst(extent, call), error_end

    def _enum_definition(self, attributes: list[ast.AttributeBaseAst], token: Token) -> ast.StatementAst:
        self._skip_newlines()
        name = self._simple_name()
        if name is None:
            self._incomplete_at(token.end, "MissingNameAfterKeyword", token.text)
            return ast.ErrorStatementAst(token.extent)
        self._skip_newlines()
        left = self._next()
        if left.kind is not K.LCurly:
            self._unget(left)
            self._incomplete_at(name.extent.end_offset, "MissingTypeBody", token.kind.value)
            return self._error_statement(token.start, name.extent.end_offset)
        members: list[ast.MemberAst] = []
        while True:
            member = self._enum_member()
            if member is None:
                break
            members.append(member)
        right = self._next()
        if right.kind is not K.RCurly:
            self._unget(right)
            self._report_until(left.end, left.end, right.end, "MissingEndCurlyBrace")
        start = attributes[0].extent.start_offset if attributes else token.start
        own = [a for a in attributes if isinstance(a, ast.AttributeAst)]
        extent = self._span(start, right.end)
        definition = ast.TypeDefinitionAst(extent, name.value, own, [], members, ast.TypeAttributes.Enum)
        if len(own) != len(attributes):
            return ast.ErrorStatementAst(extent, None, [definition])
        return definition

    def _enum_member(self) -> ast.PropertyMemberAst | None:
        self._skip_newlines()
        name = self._simple_name()
        if name is None:
            return None
        end = name.extent.end_offset
        initial: ast.ExpressionAst | None = None
        missing = False
        mode = self._set_mode(EXPRESSION)
        try:
            equals = self._peek()
            if equals.kind is K.Equals:
                self._skip()
                initial = self._expression()
                if initial is None:
                    self.report(equals.end, equals.end, "ExpectedValueExpression", "=")
                    end = equals.end
                    missing = True
                else:
                    end = initial.extent.end_offset
        finally:
            self._set_mode(mode)
        end = self._property_terminator(end, not missing)
        flags = ast.PropertyAttributes.Public | ast.PropertyAttributes.Static | ast.PropertyAttributes.Literal
        extent = self._span(name.extent.start_offset, end)
        return ast.PropertyMemberAst(extent, name.value, None, [], flags, initial)

    # --- attributes and types -----------------------------------------------------------------------------------------

    def _attributes(self, in_expression: bool) -> list[ast.AttributeBaseAst]:
        found: list[ast.AttributeBaseAst] = []
        attribute = self._attribute()
        while attribute is not None:
            found.append(attribute)
            if not in_expression or isinstance(attribute, ast.AttributeAst):
                self._skip_newlines()
            attribute = self._attribute()
        return found

    def _attribute(self) -> ast.AttributeBaseAst | None:
        left = self._left_bracket()
        if left is None:
            return None
        self._skip_newlines()
        type_name = self.type_name()
        if type_name is None:
            self._resync(left.pos)
            self._incomplete_at(left.end, "MissingTypename")
            return None
        token = self._next()
        if token.kind is K.LParen:
            return self._attribute_arguments(left, type_name, token)
        end = token.end
        if token.kind is not K.RBracket:
            self._unget(token)
            before = self._before(token)
            self.report(before, before, "EndSquareBracketExpectedAtEndOfAttribute")
            end = type_name.extent.end_offset
        return ast.TypeConstraintAst(self._span(left.start, end), type_name)

    def _attribute_arguments(self, left: Token, type_name: ast.ITypeName, paren: Token) -> ast.AttributeAst:
        self._skip_newlines()
        positional: list[ast.ExpressionAst] = []
        named: list[ast.NamedAttributeArgumentAst] = []
        mode = self._set_mode(EXPRESSION)
        no_comma, self._no_comma = self._no_comma, True
        try:
            last_end = self._read_attribute_arguments(paren, positional, named)
        finally:
            self._no_comma = no_comma
            self._set_mode(mode)
        self._skip_newlines()
        right = self._next()
        closed = right.kind is K.RParen
        end = right.end
        if not closed:
            self._unget(right)
            self._incomplete_at(last_end, "MissingEndParenthesisInExpression")
            end = last_end
        self._skip_newlines()
        bracket = self._next()
        if bracket.kind is not K.RBracket:
            self._unget(bracket)
            if closed:
                self._incomplete_at(right.end, "EndSquareBracketExpectedAtEndOfAttribute")
        else:
            end = bracket.end
        return ast.AttributeAst(self._span(left.start, end), type_name, positional, named)

    def _read_attribute_arguments(
        self,
        paren: Token,
        positional: list[ast.ExpressionAst],
        named: list[ast.NamedAttributeArgumentAst],
    ) -> int:
        last_end = paren.end
        comma: Token | None = None
        while True:
            self._skip_newlines()
            name = self._simple_name()
            expression: ast.ExpressionAst | None
            if name is not None:
                omitted = False
                equals = self._peek()
                if equals.kind is K.Equals:
                    self._skip()
                    self._skip_newlines()
                    expression = self._expression()
                    if expression is None:
                        self._incomplete_at(equals.end, "MissingExpressionInNamedArgument")
                        expression = ast.ErrorExpressionAst(self._span(equals.end, equals.end))
                        self._sync(True, K.Comma, K.RParen, K.RBracket, K.NewLine)
                    last_end = expression.extent.end_offset
                else:
                    expression = ast.ConstantExpressionAst(name.extent, True)
                    omitted = True
                extent = self._span(name.extent.start_offset, expression.extent.end_offset)
                named.append(ast.NamedAttributeArgumentAst(extent, name.value, expression, omitted))
            else:
                expression = self._expression()
                if expression is not None:
                    positional.append(expression)
                    last_end = expression.extent.end_offset
                elif comma is not None:
                    self._incomplete_at(comma.end, "MissingExpressionAfterToken", ",")
                    positional.append(ast.ErrorExpressionAst(self._span(comma.end, comma.end)))
                    last_end = comma.end
            self._skip_newlines()
            comma = self._peek()
            if comma.kind is not K.Comma:
                return last_end
            last_end = comma.end
            self._skip()

    def type_name(self, allow_assembly: bool = True) -> ast.ITypeName | None:
        """A type's name, without the brackets around it."""
        mode = self._set_mode(TYPE_NAME)
        try:
            token = self._next()
            if token.kind is not K.Identifier:
                self._unget(token)
                return None
            return self._finish_type_name(token, False, allow_assembly)
        finally:
            self._set_mode(mode)

    def _finish_type_name(self, name: Token, bare_argument: bool = False, allow_assembly: bool = True) -> ast.ITypeName:
        token = self._peek()
        if token.kind is K.LBracket:
            bracket = token
            self._skip()
            self._skip_newlines()
            token = self._next()
            if token.kind is K.RBracket or token.kind is K.Comma:
                element = ast.TypeName(name.extent, name.text)
                return self._array_type_name(element, element, token)
            if token.kind is K.LBracket or token.kind is K.Identifier:
                return self._generic_type_name(name, token, bare_argument)
            if token.kind is not K.EndOfInput:
                self._report_token(token, "UnexpectedToken", token.text)
                self._sync(True, K.RBracket)
            else:
                self._unget(token)
                self._incomplete_at(bracket.end, "MissingTypename")
            return ast.TypeName(name.extent, name.text)
        if token.kind is K.Comma and allow_assembly and not bare_argument:
            self._skip()
            assembly = self.tokenizer.assembly_name()
            if not assembly.strip():
                self.report(token.end, token.end, "MissingAssemblyNameSpecification")
                return ast.TypeName(name.extent, name.text)
            end = self.tokenizer.absolute(self.tokenizer.i)
            return ast.TypeName(self._span(name.start, end), name.text, assembly)
        return ast.TypeName(name.extent, name.text)

    def _generic_argument(self, first: Token) -> ast.ITypeName:
        if first.kind is K.Identifier:
            return self._finish_type_name(first, bare_argument=True)
        token = self._next()
        if token.kind is not K.Identifier:
            self._unget(token)
            self._incomplete_at(token.end, "MissingTypename")
            return ast.TypeName(first.extent, ":ErrorTypeName:")
        type_name = self._finish_type_name(token)
        bracket = self._next()
        if bracket.kind is not K.RBracket:
            self._unget(bracket)
            before = self._before(bracket)
            self._incomplete_at(before, "EndSquareBracketExpectedAtEndOfType")
        return type_name

    def _generic_type_name(self, name: Token, first: Token, bare_argument: bool) -> ast.ITypeName:
        arguments = [self._generic_argument(first)]
        while True:
            self._skip_newlines()
            separator = self._next()
            if separator.kind is not K.Comma:
                break
            self._skip_newlines()
            token = self._peek()
            if token.kind is K.Identifier or token.kind is K.LBracket:
                self._skip()
                arguments.append(self._generic_argument(token))
            else:
                self._incomplete_at(separator.end, "MissingTypename")
                arguments.append(ast.TypeName(separator.extent, ":ErrorTypeName:"))
        end = separator.end
        if separator.kind is not K.RBracket:
            self._unget(separator)
            before = self._before(separator)
            self._incomplete_at(before, "EndSquareBracketExpectedAtEndOfAttribute")
            end = arguments[-1].extent.end_offset
        open_type = ast.TypeName(name.extent, name.text)
        result = ast.GenericTypeName(self._span(name.start, end), open_type, arguments)
        token = self._peek()
        if token.kind is K.LBracket:
            self._skip()
            return self._array_type_name(result, open_type, self._next())
        if token.kind is K.Comma and not bare_argument:
            self._skip()
            assembly = self.tokenizer.assembly_name()
            if not assembly:
                self.report(token.end, token.end, "MissingAssemblyNameSpecification")
            else:
                open_type.assembly_name = assembly
        return result

    def _array_type_name(self, element: ast.ITypeName, named: ast.TypeName, first: Token) -> ast.ITypeName:
        while True:
            if first.kind is K.Comma:
                rank = 1
                token = first
                while token.kind is K.Comma:
                    last_comma = token
                    rank += 1
                    token = self._next()
                if token.kind is not K.RBracket:
                    self._unget(token)
                    self.report(last_comma.end, last_comma.end, "EndSquareBracketExpectedAtEndOfAttribute")
                element = ast.ArrayTypeName(self._span(element.extent.start_offset, token.end), element, rank)
            elif first.kind is K.RBracket:
                element = ast.ArrayTypeName(self._span(element.extent.start_offset, first.end), element, 1)
            elif first.kind is K.EndOfInput:
                self._unget(first)
                before = self._before(first)
                self.report(before, before, "EndSquareBracketExpectedAtEndOfAttribute")
            else:
                self._report_token(first, "UnexpectedToken", first.text)
                self._sync(True, K.RBracket)
            token = self._peek()
            if token.kind is K.Comma:
                self._skip()
                assembly = self.tokenizer.assembly_name()
                if not assembly:
                    self.report(token.end, token.end, "MissingAssemblyNameSpecification")
                else:
                    named.assembly_name = assembly
                return element
            if token.kind is not K.LBracket:
                return element
            self._skip()
            first = self._next()

    # --- pipelines and commands ---------------------------------------------------------------------------------------

    def _pipeline(self) -> ast.PipelineBaseAst | None:
        elements: list[ast.CommandBaseAst] = []
        pipe: Token | None = None
        while True:
            assign: Token | None = None
            mode = self._set_mode(EXPRESSION)
            try:
                expression = self._expression()
                if expression is not None:
                    token = self._peek()  # in expression mode, so that =0 is not one word
                    if token.kind in _ASSIGNMENTS:
                        self._skip()
                        assign = token
            finally:
                self._set_mode(mode)
            element: ast.CommandBaseAst | None
            if expression is not None:
                if elements:
                    extent = expression.extent
                    self.report(extent.start_offset, extent.end_offset, "ExpressionsMustBeFirstInPipeline")
                if assign is not None:
                    return self._assignment(expression, assign)
                element = self._command_expression(expression)
            else:
                element = self._command()
            if element is not None:
                elements.append(element)
            elif elements or self._peek().kind is K.Pipe:
                if pipe is not None:
                    self._incomplete_at(pipe.end, "EmptyPipeElement")
                else:
                    token = self._peek()
                    self.report_incomplete(token.start, token.end, "EmptyPipeElement")
            pipe = self._peek()
            kind = pipe.kind
            if kind is K.NewLine or kind is K.Semi or kind is K.RParen or kind is K.RCurly or kind is K.EndOfInput:
                break
            if kind is K.Pipe:
                self._skip()
                self._skip_newlines()
                if self._peek().kind is K.EndOfInput:
                    self._incomplete_at(pipe.end, "EmptyPipeElement")
                    break
            elif kind is K.AndAnd or kind is K.OrOr:
                self._skip()
                self._skip_newlines()
                self._report_token(pipe, "InvalidEndOfLine", pipe.text)
                if self._peek().kind is K.EndOfInput:
                    break
            else:
                self._report_token(pipe, "UnexpectedToken", pipe.text)
                break
        if not elements:
            return None
        extent = self._span(elements[0].extent.start_offset, elements[-1].extent.end_offset)
        return ast.PipelineAst(extent, elements)

    def _assignment(self, target: ast.ExpressionAst, operator: Token) -> ast.AssignmentStatementAst:
        self._skip_newlines()
        statement = self._statement()
        if statement is None:
            self._incomplete_at(operator.end, "ExpectedValueExpression", operator.kind.value)
            statement = self._error_statement(operator.end, operator.end)
        extent = self._span(target.extent.start_offset, statement.extent.end_offset)
        return ast.AssignmentStatementAst(extent, target, operator.kind, statement, operator.extent)

    def _command_expression(self, expression: ast.ExpressionAst) -> ast.CommandExpressionAst:
        redirections: list[ast.RedirectionAst] = []
        end = expression.extent.end_offset
        token = self._peek()
        while token.kind is K.Redirection or token.kind is K.RedirectInStd:
            self._skip()
            end = self._redirection(token, redirections)
            token = self._peek()
        extent = self._span(expression.extent.start_offset, end)
        return ast.CommandExpressionAst(extent, expression, redirections)

    def _redirection(self, token: Token, redirections: list[ast.RedirectionAst]) -> int:
        """Read a redirection into the list; returns where it ends."""
        result: ast.MergingRedirectionAst | ast.FileRedirectionAst
        if token.kind is K.RedirectInStd or token.value[0] == "file":
            location = self._single_argument(_FILE_NAME)
            if location is None:
                self.report(token.end, token.end, "MissingFileSpecification")
                location = ast.ErrorExpressionAst(token.extent)
            end = location.extent.end_offset
            if token.kind is K.RedirectInStd:
                self._report_token(token, "RedirectionNotSupported", token.text)
                return end
            _, stream, append = token.value
            result = ast.FileRedirectionAst(
                self._span(token.start, end), ast.RedirectionStream(stream), location, append
            )
        else:
            _, stream, target = token.value
            if target != 1 or stream == target:
                self._report_token(token, "RedirectionNotSupported", token.text)
            end = token.end
            result = ast.MergingRedirectionAst(
                token.extent, ast.RedirectionStream(stream), ast.RedirectionStream.Output
            )
        if any(getattr(other, "from_stream", None) is result.from_stream for other in redirections):
            name = STREAM_NAMES[result.from_stream.value]
            extent = result.extent
            self.report(extent.start_offset, extent.end_offset, "StreamAlreadyRedirected", name)
        else:
            redirections.append(result)
        return end

    def _single_argument(self, context: int) -> ast.ExpressionAst | None:
        kind = self._peek().kind
        if kind is K.Comma or kind is K.EndOfInput:
            return None
        mode = self._set_mode(COMMAND)
        try:
            return self._argument(context, self._next())
        finally:
            self._set_mode(mode)

    def _argument(self, context: int, token: Token) -> ast.ExpressionAst | None:
        """A command's argument (with commas: an array), name or file name."""
        elements: list[ast.ExpressionAst] = []
        comma: Token | None = None
        while True:
            verbatim = False
            kind = token.kind
            if kind in _PRIMARY_START:
                self._ungot = token
                expression = self._primary_expression(True)
                assert expression is not None
            elif kind is K.Generic:
                if token.pieces is not None and context != _NAME:
                    expression = self._expandable(token)
                else:
                    expression = ast.StringConstantExpressionAst(
                        token.extent, token.value, ast.StringConstantType.BareWord
                    )
                    verbatim = token.value == "--%"
            elif kind in _NEVER_ARGUMENT:
                self._ungot = token
                if comma is None:
                    return None
                self._incomplete_at(comma.end, "MissingExpression", ",")
                extent = self._span(elements[0].extent.start_offset, comma.end)
                return ast.ErrorExpressionAst(extent, list(elements))
            else:
                expression = self._bare_word(token)
            if context != _ARGUMENT or verbatim:
                break
            token = self._peek()
            if token.kind is not K.Comma:
                break
            comma = token
            elements.append(expression)
            self._skip()
            self._skip_newlines()
            token = self._next()
        if elements:
            elements.append(expression)
            extent = self._span(elements[0].extent.start_offset, expression.extent.end_offset)
            return ast.ArrayLiteralAst(extent, elements)
        return expression

    def _command(self) -> ast.CommandAst | None:
        elements: list[ast.CommandElementAst] = []
        redirections: list[ast.RedirectionAst] = []
        saw_dashes = False
        mode = self._set_mode(COMMAND)
        try:
            token = first = self._next()
            end = token.end
            operator = K.Unknown
            context = _NAME
            if token.kind is K.Dot or token.kind is K.Ampersand:
                operator = token.kind
                token = self._next()
                context = _NAME_AFTER_OPERATOR
            while True:
                kind = token.kind
                naming = context != _ARGUMENT
                if kind in _ENDS_COMMAND:
                    self._ungot = token
                    break
                if kind is K.Parameter:
                    element: ast.CommandElementAst
                    if naming or saw_dashes:
                        element = self._bare_word(token)
                    else:
                        element = self._command_parameter(token)
                    end = element.extent.end_offset
                    elements.append(element)
                elif kind is K.Ampersand:
                    end = token.end
                    self._report_token(token, "AmpersandNotAllowed")
                elif kind is K.MinusMinus:
                    end = token.end
                    if saw_dashes:
                        elements.append(self._bare_word(token))
                    else:
                        elements.append(ast.CommandParameterAst(token.extent, "-", None, token.extent))
                    saw_dashes = True
                elif kind is K.Comma:
                    end = token.end
                    self._report_token(token, "MissingArgument")
                    self._skip_newlines()
                elif kind is K.Redirection or kind is K.RedirectInStd:
                    if naming:
                        end = token.end
                        elements.append(self._bare_word(token))
                    else:
                        end = self._redirection(token, redirections)
                elif kind is K.InlineScript and context == _NAME:
                    elements.append(self._bare_word(token))
                    self._skip_newlines()
                    left = self._next()
                    if left.kind is not K.LCurly:
                        self._unget(left)
                        self._incomplete_at(token.end, "MissingStatementAfterKeyword", token.text)
                        end = token.end
                        break
                    elements.append(self._script_block_expression(left))
                    end = elements[-1].extent.end_offset
                else:
                    argument = self._argument(context, token)
                    assert argument is not None
                    elements.append(argument)
                    end = argument.extent.end_offset
                    if kind is K.Generic and token.value == "--%":
                        rest = self._verbatim()
                        if rest is not None:
                            elements.append(rest)
                            end = rest.extent.end_offset
                            break
                context = _ARGUMENT
                token = self._next()
        finally:
            self._set_mode(mode)
        if not elements:
            if operator is not K.Unknown:
                self._report_token(first, "MissingExpression", first.text)
            return None
        return ast.CommandAst(self._span(first.start, end), elements, operator, redirections)

    def _verbatim(self) -> ast.StringConstantExpressionAst | None:
        if self._ungot is not None and self._ungot.kind is not K.Parameter:
            return None
        if self._ungot is not None:
            self._resync(self._ungot.pos)
        token = self.tokenizer.verbatim_argument()
        return ast.StringConstantExpressionAst(token.extent, token.value, ast.StringConstantType.BareWord)

    def _command_parameter(self, token: Token) -> ast.CommandParameterAst:
        argument: ast.ExpressionAst | None = None
        end = token.end
        if token.pieces and self._peek().kind is not K.Comma:
            argument = self._argument(_ARGUMENT, self._next())
            if argument is None:
                self.report(token.end, token.end, "ParameterRequiresArgument", token.text)
            else:
                end = argument.extent.end_offset
        return ast.CommandParameterAst(self._span(token.start, end), token.value, argument, token.extent)

    # --- expressions --------------------------------------------------------------------------------------------------

    def _expression(self) -> ast.ExpressionAst | None:
        mode = self._set_mode(EXPRESSION)
        try:
            expression = self._array_literal()
            if expression is None:
                return None
            token = self._peek()
            precedence = _PRECEDENCE.get(token.kind)
            if precedence is None:
                if token.kind is K.Parameter:
                    return self._parameter_in_expression(token, expression)
                return expression
            self._skip()
            operands: list[ast.ExpressionAst] = [expression]
            operators: list[Token] = [token]
            while True:
                self._skip_newlines()
                expression = self._array_literal()
                if expression is None:
                    self._incomplete_at(token.end, "ExpectedValueExpression", token.text)
                    expression = ast.ErrorExpressionAst(self._span(token.end, token.end))
                operands.append(expression)
                token = self._next()
                new_precedence = _PRECEDENCE.get(token.kind)
                if new_precedence is None:
                    self._unget(token)
                    break
                while operators and new_precedence <= precedence:
                    self._reduce(operands, operators)
                    if operators:
                        precedence = _PRECEDENCE[operators[-1].kind]
                operators.append(token)
                precedence = new_precedence
            while operators:
                self._reduce(operands, operators)
            if token.kind is K.Parameter:
                return self._parameter_in_expression(token, operands[0])
            return operands[0]
        finally:
            self._set_mode(mode)

    def _reduce(self, operands: list[ast.ExpressionAst], operators: list[Token]) -> None:
        right = operands.pop()
        left = operands.pop()
        operator = operators.pop()
        extent = self._span(left.extent.start_offset, right.extent.end_offset)
        operands.append(ast.BinaryExpressionAst(extent, left, operator.kind, right, operator.extent))

    def _parameter_in_expression(self, token: Token, expression: ast.ExpressionAst) -> ast.ExpressionAst:
        self._report_token(token, "UnexpectedToken", token.text)
        self._skip()
        extent = self._span(expression.extent.start_offset, token.end)
        return ast.ErrorExpressionAst(extent, [expression])

    def _array_literal(self) -> ast.ExpressionAst | None:
        last = first = self._unary_expression()
        comma = self._peek()
        if comma.kind is not K.Comma or self._no_comma:
            return last
        if first is None:
            return None
        elements = [first]
        while comma.kind is K.Comma:
            self._skip()
            self._skip_newlines()
            last = self._unary_expression()
            if last is None:
                self._incomplete_at(comma.end, "MissingExpressionAfterToken", comma.text)
                last = ast.ErrorExpressionAst(comma.extent)
                elements.append(last)
                break
            elements.append(last)
            comma = self._peek()
        extent = self._span(first.extent.start_offset, elements[-1].extent.end_offset)
        return ast.ArrayLiteralAst(extent, elements)

    def _unary_expression(self) -> ast.ExpressionAst | None:
        tokenizer = self.tokenizer
        signed = tokenizer.allow_signed_numbers
        tokenizer.allow_signed_numbers = True
        if self._ungot is not None and (self._ungot.kind is K.Minus or self._ungot.kind is K.Plus):
            self._resync(self._ungot.pos)
        token = self._peek()
        tokenizer.allow_signed_numbers = signed
        kind = token.kind
        expression: ast.ExpressionAst | None
        if kind in _UNARY:
            if kind is K.Comma and self._no_comma:
                return None
            self._skip()
            self._skip_newlines()
            child = self._unary_expression()
            if child is None:
                self._incomplete_at(token.end, "MissingExpressionAfterOperator", token.text)
                return ast.ErrorExpressionAst(token.extent)
            extent = self._span(token.start, child.extent.end_offset)
            if kind is K.Comma:
                expression = ast.ArrayLiteralAst(extent, [child])
            else:
                expression = ast.UnaryExpressionAst(extent, kind, child)
        elif kind is K.LBracket:
            expression = self._cast_or_type(token)
        else:
            expression = self._primary_expression(True)
        if expression is not None:
            token = self._peek()
            if token.kind is K.PlusPlus or token.kind is K.MinusMinus:
                self._skip()
                extent = self._span(expression.extent.start_offset, token.end)
                postfix = K.PostfixPlusPlus if token.kind is K.PlusPlus else K.PostfixMinusMinus
                expression = ast.UnaryExpressionAst(extent, postfix, expression)
        return expression

    def _cast_or_type(self, token: Token) -> ast.ExpressionAst | None:
        attributes = self._attributes(True)
        if not attributes:
            return None
        last = attributes[-1]
        expression: ast.ExpressionAst | None = None
        if isinstance(last, ast.AttributeAst):
            self._skip_newlines()
            child = self._unary_expression()
            extent = last.extent
            if child is None:
                self.report_incomplete(
                    extent.start_offset, extent.end_offset, "UnexpectedAttribute", last.type_name.full_name
                )
                return ast.ErrorExpressionAst(self._span(token.start, extent.end_offset))
            expression = ast.AttributedExpressionAst(
                self._span(extent.start_offset, child.extent.end_offset), last, child
            )
        else:
            assert isinstance(last, ast.TypeConstraintAst)
            literal = ast.TypeExpressionAst(last.extent, last.type_name)
            access = self._member_access(False)
            if access is not None:
                expression = self._postfix(access, literal)
            else:
                kind = self._peek().kind
                if kind is not K.NewLine and kind is not K.Comma:
                    child = self._unary_expression()
                    if child is not None:
                        extent = self._span(last.extent.start_offset, child.extent.end_offset)
                        expression = ast.ConvertExpressionAst(extent, last, child)
            if expression is None:
                expression = literal
        for attribute in reversed(attributes[:-1]):
            extent = self._span(attribute.extent.start_offset, expression.extent.end_offset)
            if isinstance(attribute, ast.TypeConstraintAst):
                expression = ast.ConvertExpressionAst(extent, attribute, expression)
            else:
                expression = ast.AttributedExpressionAst(extent, attribute, expression)
        return expression

    def _variable(self, token: Token) -> ast.VariableExpressionAst:
        return ast.VariableExpressionAst(token.extent, token.value, token.kind is K.SplattedVariable)

    def _primary_expression(self, with_member_access: bool) -> ast.ExpressionAst | None:
        token = self._next()
        kind = token.kind
        expression: ast.ExpressionAst
        if kind is K.Variable or kind is K.SplattedVariable:
            expression = self._variable_or_using(token, with_member_access)
        elif kind is K.StringLiteral or kind is K.HereStringLiteral:
            expression = ast.StringConstantExpressionAst(token.extent, token.value, _STRING_TYPES[kind])
        elif kind is K.Number:
            expression = ast.ConstantExpressionAst(token.extent, token.value)
        elif kind is K.StringExpandable or kind is K.HereStringExpandable:
            expression = self._expandable_string(token)
        elif kind is K.LParen:
            expression = self._parenthesized(token)
        elif kind is K.AtParen or kind is K.DollarParen:
            expression = self._sub_expression(token)
        elif kind is K.AtCurly:
            expression = self._hashtable(token)
        elif kind is K.LCurly:
            expression = self._script_block_expression(token)
        else:
            self._ungot = token
            return None
        if with_member_access:
            access = self._member_access(True)
            if access is not None:
                return self._postfix(access, expression)
        return expression

    def _variable_or_using(self, token: Token, with_member_access: bool) -> ast.ExpressionAst:
        path: ast.VariablePath = token.value
        if path.drive_name is not None and path.drive_name.lower() == "using" and path.unqualified_path:
            real = split_variable_path(path.unqualified_path)
            splatted = token.kind is K.SplattedVariable
            child: ast.ExpressionAst = ast.VariableExpressionAst(token.extent, real, splatted)
            if with_member_access:
                access = self._member_access(True)
                if access is not None:
                    child = self._postfix(access, child)
            return ast.UsingExpressionAst(child.extent, child)
        return self._variable(token)

    def _postfix(self, token: Token, expression: ast.ExpressionAst) -> ast.ExpressionAst:
        """Member accesses, calls and indexes behind an expression."""
        access: Token | None = token
        while access is not None:
            self._skip_newlines()
            if access.kind is K.LBracket:
                expression = self._element_access(expression, access)
            else:
                expression = self._member(expression, access)
            access = self._member_access(True)
        return expression

    def _member(self, target: ast.ExpressionAst, operator: Token) -> ast.ExpressionAst:
        start = target.extent.start_offset
        static = operator.kind is K.ColonColon
        member: ast.CommandElementAst | None = self._member_name()
        if member is None:
            self._incomplete_at(operator.end, "MissingPropertyName")
            member = self._single_argument(_ARGUMENT)
            if member is None:
                member = ast.ErrorExpressionAst(self._span(start, operator.end))
        elif self._ungot is None:
            left = self.tokenizer.invoke_member_open()
            if left is not None:
                if left.kind is K.LParen:
                    arguments, end = self._method_arguments(left)
                else:
                    self._skip_newlines()
                    block = self._script_block_expression(left)
                    arguments, end = [block], block.extent.end_offset
                return ast.InvokeMemberExpressionAst(self._span(start, end), target, member, static, arguments)
        return ast.MemberExpressionAst(self._span(start, member.extent.end_offset), target, member, static)

    def _member_name(self) -> ast.ExpressionAst | None:
        name = self._simple_name()
        if name is not None:
            return name
        token = self._peek()
        if token.kind in _UNARY or token.kind is K.LBracket:
            return self._unary_expression()
        return self._primary_expression(False)

    def _method_arguments(self, left: Token) -> tuple[list[ast.ExpressionAst], int]:
        """Arguments up to the closing parenthesis, and where they end."""
        arguments: list[ast.ExpressionAst] = []
        comma: Token | None = None
        reported = False
        no_comma, self._no_comma = self._no_comma, True
        try:
            while True:
                self._skip_newlines()
                argument = self._expression()
                if argument is None:
                    if comma is not None:
                        self._incomplete_at(comma.end, "MissingExpressionAfterToken", ",")
                        reported = True
                    break
                arguments.append(argument)
                self._skip_newlines()
                comma = self._next()
                if comma.kind is not K.Comma:
                    self._unget(comma)
                    break
            self._skip_newlines()
            right = self._next()
            if right.kind is K.RParen:
                return arguments, right.end
            self._unget(right)
            end = arguments[-1].extent.end_offset if arguments else left.end
            if not reported:
                self._incomplete_at(end, "MissingEndParenthesisInMethodCall")
            return arguments, end
        finally:
            self._no_comma = no_comma

    def _element_access(self, target: ast.ExpressionAst, left: Token) -> ast.IndexExpressionAst:
        self._skip_newlines()
        index = self._expression()
        missing = index is None
        if index is None:
            self._incomplete_at(left.end, "MissingArrayIndexExpression")
            index = ast.ErrorExpressionAst(left.extent)
        self._skip_newlines()
        right = self._next()
        end = right.end
        if right.kind is not K.RBracket:
            self._unget(right)
            end = index.extent.end_offset
            if not missing and not isinstance(index, ast.ErrorExpressionAst):
                self._incomplete_at(end, "MissingEndSquareBracket")
        return ast.IndexExpressionAst(self._span(target.extent.start_offset, end), target, index)

    def _hashtable(self, token: Token) -> ast.HashtableAst:
        self._skip_newlines()
        pairs: list[tuple[ast.ExpressionAst, ast.StatementAst]] = []
        while True:
            pair = self._key_value_pair()
            if pair is None:
                break
            pairs.append(pair)
            kind = self._peek().kind
            if kind is not K.NewLine and kind is not K.Semi:
                break
            self._skip_newlines_and_semicolons()
        right = self._next()
        end = right.end
        if right.kind is not K.RCurly:
            self._unget(right)
            self._report_until(token.end, token.end, right.end, "MissingEndCurlyBrace")
            end = max(right.start - 1, token.end)
        return ast.HashtableAst(self._span(token.start, end), pairs)

    def _key_value_pair(self) -> tuple[ast.ExpressionAst, ast.StatementAst] | None:
        mode = self._set_mode(EXPRESSION)
        try:
            key = self._label_or_key()
            if key is None:
                return None
            equals = self._next()
        finally:
            self._set_mode(mode)
        if equals.kind is not K.Equals:
            self._unget(equals)
            after = key.extent.end_offset
            self.report(after, after, "MissingEqualsInHashLiteral")
            self._sync(False, K.RCurly, K.Semi, K.NewLine)
            return key, self._error_statement(after, after)
        no_comma, self._no_comma = self._no_comma, False
        try:
            self._set_mode(COMMAND)
            self._skip_newlines()
            statement = self._statement()
            if statement is None:
                self._incomplete_at(equals.end, "MissingStatementInHashLiteral")
                statement = self._error_statement(equals.end, equals.end)
        finally:
            self._no_comma = no_comma
            self._set_mode(mode)
        return key, statement

    def _script_block_expression(self, left: Token) -> ast.ScriptBlockExpressionAst:
        no_comma, self._no_comma = self._no_comma, False
        mode = self._set_mode(COMMAND)
        try:
            self._skip_newlines()
            block = self._script_block(left, False)
        finally:
            self._no_comma = no_comma
            self._set_mode(mode)
        return ast.ScriptBlockExpressionAst(block.extent, block)

    def _sub_expression(self, token: Token) -> ast.ExpressionAst:
        statements: list[ast.StatementAst] = []
        traps: list[ast.TrapStatementAst] = []
        no_comma, self._no_comma = self._no_comma, False
        mode = self._set_mode(COMMAND)
        try:
            self._skip_newlines()
            found = self._statement_list(statements, traps)
            self._skip_newlines()
            right = self._next()
            if right.kind is not K.RParen:
                self._unget(right)
                self.report_incomplete(right.start, right.end, "MissingEndParenthesisInSubexpression")
        finally:
            self._no_comma = no_comma
            self._set_mode(mode)
        start, end = found if found is not None else (token.end, token.end)
        body = ast.StatementBlockAst(self._span(start, end), statements, traps)
        extent = self._span(token.start, right.end if right.kind is K.RParen else end)
        if token.kind is K.DollarParen:
            return ast.SubExpressionAst(extent, body)
        return ast.ArrayExpressionAst(extent, body)

    def _parenthesized(self, left: Token) -> ast.ParenExpressionAst:
        no_comma, self._no_comma = self._no_comma, False
        mode = self._set_mode(COMMAND)
        try:
            self._skip_newlines()
            pipeline = self._pipeline()
            if pipeline is None:
                self._incomplete_at(left.end, "ExpectedExpression")
                pipeline = self._error_statement(left.end, left.end)
            self._skip_newlines()
            right = self._next()
            end = right.end
            if right.kind is not K.RParen:
                self._unget(right)
                end = pipeline.extent.end_offset
                self._incomplete_at(end, "MissingEndParenthesisInExpression")
        finally:
            self._no_comma = no_comma
            self._set_mode(mode)
        return ast.ParenExpressionAst(self._span(left.start, end), pipeline)

    # --- strings with expressions in them -----------------------------------------------------------------------------

    def _expandable_string(self, token: Token) -> ast.ExpressionAst:
        if token.pieces is None:
            return ast.StringConstantExpressionAst(token.extent, token.value, _STRING_TYPES[token.kind])
        return self._expandable(token)

    def _expandable(self, token: Token) -> ast.ExpandableStringExpressionAst:
        nested: list[ast.ExpressionAst] = []
        pieces: list[str | ast.ExpressionAst] = []
        for piece in token.pieces:
            if isinstance(piece, str):
                if pieces and isinstance(pieces[-1], str):
                    pieces[-1] += piece
                else:
                    pieces.append(piece)
                continue
            if isinstance(piece, SubExpressionText):
                expression = self._nested_sub_expression(piece)
            elif piece.kind is K.Variable:
                expression = self._variable_or_using(piece, False)
            else:  # a braced name that is none
                expression = self._bare_word(piece)
            nested.append(expression)
            pieces.append(expression)
        return ast.ExpandableStringExpressionAst(token.extent, token.value, _STRING_TYPES[token.kind], nested, pieces)

    def _nested_sub_expression(self, piece: SubExpressionText) -> ast.ExpressionAst:
        ungot, self._ungot = self._ungot, None
        no_comma, self._no_comma = self._no_comma, False
        state = self.tokenizer.begin_nested(piece)
        try:
            expression = self._primary_expression(True)
        finally:
            self._ungot = ungot
            self._no_comma = no_comma
            self.tokenizer.end_nested(state)
        if expression is None:
            start = piece.adjust if piece.offsets is None else piece.offsets[0]
            expression = ast.ErrorExpressionAst(self._span(start, start))
        return expression

    # --- #requires ----------------------------------------------------------------------------------------------------

    def _requirements(self) -> ast.ScriptRequirements:
        found = ast.ScriptRequirements()
        for token in self.tokenizer.requires:
            state = self.tokenizer.begin_nested(SubExpressionText(token.text[1:], token.start + 1, None))
            try:
                self.tokenizer.mode = COMMAND
                command = self._command()
            finally:
                self._ungot = None
                self.tokenizer.end_nested(state)
            if command is not None:
                self._requirement(command, found)
        return found

    def _requirement(self, command: ast.CommandAst, found: ast.ScriptRequirements) -> None:
        elements = command.command_elements
        if (command.get_command_name() or "").lower() != "requires":
            self._report_node(command, "ScriptRequiresInvalidFormat")
        index = 1
        while index < len(elements):
            parameter = elements[index]
            index += 1
            if not isinstance(parameter, ast.CommandParameterAst):
                self._report_node(parameter, "ScriptRequiresInvalidFormat")
                continue
            argument: ast.Ast | None = parameter.argument
            if argument is None and index < len(elements):
                argument = elements[index]
                index += 1
            self._required(parameter, argument, found)

    def _report_node(self, node: ast.Ast, error_id: str, *arguments: str) -> None:
        self.report(node.extent.start_offset, node.extent.end_offset, error_id, *arguments)

    def _required(
        self, parameter: ast.CommandParameterAst, argument: ast.Ast | None, found: ast.ScriptRequirements
    ) -> None:
        name = parameter.parameter_name.lower()
        if "runasadministrator".startswith(name):
            found.is_elevation_required = True
            if argument is not None:
                self._report_node(parameter, "ParameterCannotHaveArgument", parameter.parameter_name)
            return
        if argument is None:
            self._report_node(parameter, "ParameterRequiresArgument", parameter.parameter_name)
            return
        values = _constant_values(argument)
        if values is None:
            self._report_node(argument, "RequiresArgumentMustBeConstant")
        elif "version".startswith(name):
            text = argument.extent.text.strip("'\"")
            if not re.match(r"^\d+(\.\d+){0,3}$", text):
                self._report_node(argument, "RequiresVersionInvalid")
            else:
                found.required_ps_version = text
        elif "modules".startswith(name):
            found.required_modules.extend(values)
        elif "psedition".startswith(name):
            found.required_ps_editions.extend(str(value) for value in values)
        elif "pssnapin".startswith(name):
            found.requires_ps_snap_ins.extend(values)
        elif "assembly".startswith(name):
            found.required_assemblies.extend(str(value) for value in values)
        elif "shellid".startswith(name):
            found.required_application_id = str(values[0])
        else:
            self._report_node(parameter, "ScriptRequiresInvalidFormat")


def _constant_values(node: ast.Ast) -> list[Any] | None:
    """The constants an argument consists of; hashtables of constants as dictionaries; None when it is not constant."""
    if isinstance(node, ast.ConstantExpressionAst):
        return [node.value]
    if isinstance(node, (ast.ArrayLiteralAst,)):
        values: list[Any] = []
        for element in node.elements:
            part = _constant_values(element)
            if part is None:
                return None
            values.extend(part)
        return values
    if isinstance(node, ast.HashtableAst):
        table: dict[str, Any] = {}
        for key, statement in node.key_value_pairs:
            value = statement.get_pure_expression() if isinstance(statement, ast.PipelineAst) else None
            keys = _constant_values(key)
            parts = _constant_values(value) if value is not None else None
            if keys is None or parts is None:
                return None
            table[str(keys[0])] = parts[0]
        return [table]
    return None


_USING_KINDS = {
    K.Namespace: ast.UsingStatementKind.Namespace,
    K.Type: ast.UsingStatementKind.Type,
    K.Module: ast.UsingStatementKind.Module,
    K.Command: ast.UsingStatementKind.Command,
    K.Assembly: ast.UsingStatementKind.Assembly,
}
_OTHER_KEYWORDS = "begin process end dynamicparam param public private static interface namespace module type assembly command hidden base"
_KEYWORD_TEXTS = frozenset(_OTHER_KEYWORDS.split())
_STATEMENT_RULES: dict[TokenKind, Callable[[Parser, Token], ast.StatementAst]] = {
    K.If: Parser._if,
    K.Switch: Parser._switch,
    K.Foreach: Parser._foreach,
    K.For: Parser._for,
    K.While: Parser._while,
    K.Do: Parser._do,
    K.Function: Parser._function,
    K.Filter: Parser._function,
    K.Workflow: Parser._function,
    K.Return: Parser._flow,
    K.Throw: Parser._flow,
    K.Exit: Parser._flow,
    K.Break: Parser._break,
    K.Continue: Parser._break,
    K.Trap: Parser._trap,
    K.Try: Parser._try,
    K.Data: Parser._data,
    K.Parallel: Parser._block_statement,
    K.Sequence: Parser._block_statement,
    K.From: Parser._reserved_statement,
    K.Define: Parser._reserved_statement,
    K.Var: Parser._reserved_statement,
    K.Using: Parser._misplaced_using,
}
