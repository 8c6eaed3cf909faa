"""Lines and cells as PowerShell fits them; errors as 5.1 shows them on a console of 80 columns."""

from __future__ import annotations

import pytest

from winlab.powershell.errors import ErrorRecord, NetException
from winlab.powershell.formatting.errorview import category_line, error_text, position_message
from winlab.powershell.formatting.output import share_out
from winlab.powershell.formatting.text import fit, truncate_at_newline, wrap
from winlab.powershell.parser import parse


def test_lines_break_at_blanks_that_stay() -> None:
    text = (
        "Bogus : The term 'Bogus' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    assert wrap(text, 79) == [
        "Bogus : The term 'Bogus' is not recognized as the name of a cmdlet, function, ",
        "script file, or operable program. Check the spelling of the name, or if a path ",
        "was included, verify that the path is correct and try again.",
    ]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("abc\r\ndef", 5, ["abc", "def"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a bcdefgh", 4, ["a bc", "defg", "h"]),
        ("one two", 4, ["one ", "two"]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


def test_cells() -> None:
    assert fit("abcdef", 5, right=False) == "ab..."
    assert fit("abcdef", 5, right=True) == "...ef"
    assert fit("ab", 4, right=True) == "  ab"
    assert truncate_at_newline("one\ntwo") == "one..."


def test_columns_share_a_line() -> None:
    assert share_out([0, 0], 79) == [39, 39]
    assert share_out([10, 0], 79) == [10, 68]
    assert share_out([50, 40], 79) == [50, 28]
    assert share_out([78, 10, 10], 79) == [78, -1, -1]


class Invocation:
    def __init__(self, extent: object, name: str) -> None:
        self.extent = extent
        self.invocation_name = name
        self.command = None


def record_at(script: str, name: str) -> ErrorRecord:
    tree = parse(script)[0]
    assert tree.end_block is not None
    record = ErrorRecord(
        NetException("System.Management.Automation.CommandNotFoundException", "The term 'Bogus' is not recognized."),
        "CommandNotFoundException",
        "ObjectNotFound",
        name,
    )
    record.target_type = "String"
    record.invocation_info = Invocation(tree.end_block.statements[-1].extent, name)
    return record


def test_normal_view() -> None:
    record = record_at("$ProgressPreference='SilentlyContinue';Bogus", "Bogus")
    lines = wrap(error_text(record, None, 80), 79)
    assert lines == [
        "Bogus : The term 'Bogus' is not recognized.",
        "At line:1 char:40",
        "+ $ProgressPreference='SilentlyContinue';Bogus",
        "+                                        ~~~~~",
        "    + CategoryInfo          : ObjectNotFound: (Bogus:String) [], CommandNotFou ",
        "   ndException",
        "    + FullyQualifiedErrorId : CommandNotFoundException",
        " ",
    ]


def test_long_names_keep_their_ends() -> None:
    record = ErrorRecord(
        NetException("System.Exception", "x"), "x", "NotSpecified", "C:\\Windows\\System32\\LogFiles\\WMI\\RtBackup"
    )
    assert "(C:\\Windows\\Syst...es\\WMI\\RtBackup:String)" in category_line(record)


def test_long_lines_are_cut_around_the_place() -> None:
    script = "$x = 1 # " + "-" * 100
    errors = parse("'" + "a" * 100 + "' + $b $c")[2]
    message = position_message(errors[0].extent)
    assert all(len(line) <= 79 for line in message.splitlines())
    assert message.splitlines()[1].startswith("+ ... ")
    assert message.splitlines()[2].strip("+ ") == "~~"
    assert parse(script)[2] == []
