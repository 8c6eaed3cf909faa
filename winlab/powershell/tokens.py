"""Token kinds, flags and tokens, named as in System.Management.Automation.Language (Windows PowerShell 5.1)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum, IntFlag


class TokenKind(Enum):
    """Every kind of token of 5.1's tokenizer; the value is the text (or the name, where the text varies)."""

    Unknown = "Unknown"
    Variable = "Variable"
    SplattedVariable = "SplattedVariable"
    Parameter = "Parameter"
    Number = "Number"
    Label = "Label"
    Identifier = "Identifier"
    Generic = "Generic"
    NewLine = "NewLine"
    LineContinuation = "LineContinuation"
    Comment = "Comment"
    EndOfInput = "EndOfInput"
    StringLiteral = "StringLiteral"
    StringExpandable = "StringExpandable"
    HereStringLiteral = "HereStringLiteral"
    HereStringExpandable = "HereStringExpandable"
    LParen = "("
    RParen = ")"
    LCurly = "{"
    RCurly = "}"
    LBracket = "["
    RBracket = "]"
    AtParen = "@("
    AtCurly = "@{"
    DollarParen = "$("
    Semi = ";"
    AndAnd = "&&"
    OrOr = "||"
    Ampersand = "&"
    Pipe = "|"
    Comma = ","
    MinusMinus = "--"
    PlusPlus = "++"
    DotDot = ".."
    ColonColon = "::"
    Dot = "."
    Exclaim = "!"
    Multiply = "*"
    Divide = "/"
    Rem = "%"
    Plus = "+"
    Minus = "-"
    Equals = "="
    PlusEquals = "+="
    MinusEquals = "-="
    MultiplyEquals = "*="
    DivideEquals = "/="
    RemainderEquals = "%="
    Redirection = "Redirection"
    RedirectInStd = "<"
    Format = "-f"
    Not = "-not"
    Bnot = "-bnot"
    And = "-and"
    Or = "-or"
    Xor = "-xor"
    Band = "-band"
    Bor = "-bor"
    Bxor = "-bxor"
    Join = "-join"
    Ieq = "-eq"
    Ine = "-ne"
    Ige = "-ge"
    Igt = "-gt"
    Ilt = "-lt"
    Ile = "-le"
    Ilike = "-like"
    Inotlike = "-notlike"
    Imatch = "-match"
    Inotmatch = "-notmatch"
    Ireplace = "-replace"
    Icontains = "-contains"
    Inotcontains = "-notcontains"
    Iin = "-in"
    Inotin = "-notin"
    Isplit = "-split"
    Ceq = "-ceq"
    Cne = "-cne"
    Cge = "-cge"
    Cgt = "-cgt"
    Clt = "-clt"
    Cle = "-cle"
    Clike = "-clike"
    Cnotlike = "-cnotlike"
    Cmatch = "-cmatch"
    Cnotmatch = "-cnotmatch"
    Creplace = "-creplace"
    Ccontains = "-ccontains"
    Cnotcontains = "-cnotcontains"
    Cin = "-cin"
    Cnotin = "-cnotin"
    Csplit = "-csplit"
    Is = "-is"
    IsNot = "-isnot"
    As = "-as"
    PostfixPlusPlus = "postfix ++"
    PostfixMinusMinus = "postfix --"
    Shl = "-shl"
    Shr = "-shr"
    Colon = ":"
    Begin = "begin"
    Break = "break"
    Catch = "catch"
    Class = "class"
    Continue = "continue"
    Data = "data"
    Define = "define"
    Do = "do"
    Dynamicparam = "dynamicparam"
    Else = "else"
    ElseIf = "elseif"
    End = "end"
    Exit = "exit"
    Filter = "filter"
    Finally = "finally"
    For = "for"
    Foreach = "foreach"
    From = "from"
    Function = "function"
    If = "if"
    In = "in"
    Param = "param"
    Process = "process"
    Return = "return"
    Switch = "switch"
    Throw = "throw"
    Trap = "trap"
    Try = "try"
    Until = "until"
    Using = "using"
    Var = "var"
    While = "while"
    Workflow = "workflow"
    Parallel = "parallel"
    Sequence = "sequence"
    InlineScript = "inlinescript"
    Configuration = "configuration"
    DynamicKeyword = "<dynamic keyword>"
    Public = "public"
    Private = "private"
    Static = "static"
    Interface = "interface"
    Enum = "enum"
    Namespace = "namespace"
    Module = "module"
    Type = "type"
    Assembly = "assembly"
    Command = "command"
    Hidden = "hidden"
    Base = "base"

    __hash__ = object.__hash__  # Members are singletons; Enum's own hash is Python code and slow.


class TokenFlags(IntFlag):
    """What the parser may do with a token."""

    NoFlags = 0
    PrecedenceLogical = 1
    PrecedenceBitwise = 2
    PrecedenceComparison = 3
    PrecedenceAdd = 4
    PrecedenceMultiply = 5
    PrecedenceComma = 6
    PrecedenceFormat = 7
    PrecedenceRange = 8
    PrecedenceMask = 15
    Keyword = 16
    ScriptBlockBlockName = 32
    BinaryOperator = 256
    UnaryOperator = 512
    CaseSensitiveOperator = 1024
    SpecialOperator = 4096
    AssignmentOperator = 8192
    ParseModeInvariant = 32768
    TokenInError = 65536
    DisallowedInRestrictedMode = 131072
    PrefixOrPostfixOperator = 262144
    CommandName = 524288
    MemberName = 1048576
    TypeName = 2097152
    AttributeName = 4194304
    CanConstantFold = 8388608
    StatementDoesntSupportAttributes = 16777216


@dataclass(slots=True, eq=False)
class ScriptSource:
    """A script's text, its file (None for typed text) and where its lines start."""

    text: str
    file: str | None = None
    line_starts: list[int] = field(default_factory=list, repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both counted from 1, of a character offset."""
        line = bisect_right(self.line_starts, offset)
        if line == 0:
            return 1, offset + 1
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1) without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class Extent:
    """IScriptExtent: a stretch of a script. Offsets are 0-based, lines and columns 1-based."""

    __slots__ = ("end_offset", "source", "start_offset")

    def __init__(self, source: ScriptSource, start_offset: int, end_offset: int) -> None:
        self.source = source
        self.start_offset = start_offset
        self.end_offset = end_offset

    @property
    def text(self) -> str:
        return self.source.text[self.start_offset : self.end_offset]

    @property
    def file(self) -> str | None:
        return self.source.file

    @property
    def start_line_number(self) -> int:
        return self.source.position(self.start_offset)[0]

    @property
    def start_column_number(self) -> int:
        return self.source.position(self.start_offset)[1]

    @property
    def end_line_number(self) -> int:
        return self.source.position(self.end_offset)[0]

    @property
    def end_column_number(self) -> int:
        return self.source.position(self.end_offset)[1]

    def __repr__(self) -> str:
        text = self.text
        return f"<{self.start_offset}-{self.end_offset} {text[:40]!r}>"
