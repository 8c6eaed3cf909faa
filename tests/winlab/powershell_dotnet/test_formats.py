"""Numbers, dates, regular expressions, encodings and comparison: the pure functions.

Expected values: .NET's documentation of format strings, and well-known results of the .NET Framework.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winlab.powershell.dotnet import encodings, regexes
from winlab.powershell.dotnet import numberformat as nf
from winlab.powershell.dotnet import timeformat as tf
from winlab.powershell.dotnet.numbers import Random, round_double
from winlab.powershell.dotnet.values import culture_compare, format_composite
from winlab.powershell.errors import LabUnsupported, NetException

MOMENT = tf.from_fields(2024, 3, 5, 14, 7, 9, 123)
NOW = tf.from_fields(2026, 11, 22)


@pytest.mark.parametrize(
    ("value", "fmt", "expected"),
    [
        (2.675, "F2", "2.68"),  # the 15-digit form is rounded, not the exact binary value
        (1.005, "F2", "1.01"),
        (0.1 + 0.2, None, "0.3"),
        (1e15, None, "1E+15"),
        (123456789012345.0, None, "123456789012345"),
        (1 / 3, "R", "0.33333333333333331"),
        (0.1, "R", "0.1"),
        (1e-5, None, "1E-05"),
        (-0.4, "F0", "0"),
        (-0.0, None, "0"),
        (1234.5, "E", "1.234500E+003"),
        (1234.5, "N2", "1,234.50"),
        (0.5, "P0", "50%"),
        (-1234.5, "C", "($1,234.50)"),
        (3.14159, "0.00", "3.14"),
        (0.5, "#.##", ".5"),
        (0.0, "#.##", ""),
        (1234567.0, "#,##0,", "1,235"),
        (0.256, "0.0%", "25.6%"),
        (-5.0, "0;(0);zero", "(5)"),
        (0.0, "0;(0);zero", "zero"),
        (12345.678, "0.###E+0", "1.235E+4"),
        (123.456, "G4", "123.5"),
        (float("nan"), None, "NaN"),
    ],
)
def test_doubles(value: float, fmt: str | None, expected: str) -> None:
    assert nf.format_double(value, fmt) == expected


@pytest.mark.parametrize(
    ("value", "fmt", "bits", "expected"),
    [
        (255, "X4", 32, "00FF"),
        (-1, "x", 32, "ffffffff"),
        (-1, "X", 64, "FFFFFFFFFFFFFFFF"),
        (42, "D5", 32, "00042"),
        (1234567, "N0", 32, "1,234,567"),
        (5551234, "###-####", 32, "555-1234"),
        (7, "0' units'", 32, "7 units"),
        (1234, "G2", 32, "1.2E+03"),
        (12, "0,000", 32, "0,012"),
    ],
)
def test_integers(value: int, fmt: str, bits: int, expected: str) -> None:
    assert nf.format_integer(value, fmt, bits) == expected


def test_decimals_keep_their_scale() -> None:
    assert nf.format_decimal(Decimal("1.50")) == "1.50"
    assert nf.parse_decimal("1.50") == Decimal("1.50")
    assert str(nf.parse_decimal("1.50")) == "1.50"


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_read_back(value: int) -> None:
    assert nf.parse_integer(nf.format_integer(value, "N0"), -(2**31), 2**31 - 1, "Int32", nf.STYLE_NUMBER) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_read_back_from_r(value: float) -> None:
    assert nf.parse_double(nf.format_double(value, "R", nf.INVARIANT), info=nf.INVARIANT) == value


@pytest.mark.parametrize("text", ["abc", "", "1.5", "0x10", "1 2"])
def test_bad_integers(text: str) -> None:
    with pytest.raises(nf.FormatError, match="Input string was not in a correct format"):
        nf.parse_integer(text, -(2**31), 2**31 - 1, "Int32")


def test_overflow_says_the_type() -> None:
    with pytest.raises(nf.NumberOverflow, match="too small for an Int32"):
        nf.parse_integer("99999999999", -(2**31), 2**31 - 1, "Int32")


def test_composite_formats() -> None:
    assert format_composite("{0,-8:N1}|{1,5}|{{x}}|{2:X4}", [1234.5, "ab", 255]) == "1,234.5 |   ab|{x}|00FF"
    with pytest.raises(NetException, match="Index \\(zero based\\)"):
        format_composite("{1}", ["a"])
    with pytest.raises(NetException, match="correct format"):
        format_composite("{0", ["a"])


def test_rounding_is_the_framework_s() -> None:
    assert [round_double(value) for value in (0.5, 1.5, 2.5, -0.5)] == [0.0, 2.0, 2.0, 0.0]
    assert round_double(2.5, 0, away=True) == 3.0


def test_random_numbers_of_a_seed_are_net_s() -> None:
    """Values of `new Random(42).Next(100)` that the .NET Framework gives."""
    made = Random(42)
    assert [made.next_below(100) for _ in range(5)] == [66, 14, 12, 52, 16]


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        ("d", "3/5/2024"),
        ("D", "Tuesday, March 5, 2024"),
        ("F", "Tuesday, March 5, 2024 2:07:09 PM"),
        ("o", "2024-03-05T14:07:09.1230000Z"),
        ("R", "Tue, 05 Mar 2024 14:07:09 GMT"),
        ("s", "2024-03-05T14:07:09"),
        ("u", "2024-03-05 14:07:09Z"),
        ("yyyy-MM-dd HH:mm:ss.fff", "2024-03-05 14:07:09.123"),
        ("ddd dd MMM yy h:mm tt", "Tue 05 Mar 24 2:07 PM"),
        ("%d", "5"),
        ("HH:mm:ss.FFFF", "14:07:09.123"),
        ("yyyyMMdd'T'HHmmss", "20240305T140709"),
    ],
)
def test_dates(fmt: str, expected: str) -> None:
    assert tf.format_date(MOMENT, tf.UTC, fmt) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-05", "2024-03-05T00:00:00"),
        ("2024-03-05T14:07:09", "2024-03-05T14:07:09"),
        ("3/5/2024 2:07 PM", "2024-03-05T14:07:00"),
        ("5 Mar 2024", "2024-03-05T00:00:00"),
        ("March 5, 2024", "2024-03-05T00:00:00"),
        ("Tue, 05 Mar 2024 14:07:09 GMT", "2024-03-05T14:07:09"),
        ("14:07", "2026-11-22T14:07:00"),
        ("2024-03-05T14:07:09Z", "2024-03-05T14:07:09"),
        ("2024-03-05T14:07:09+02:00", "2024-03-05T12:07:09"),
    ],
)
def test_dates_read(text: str, expected: str) -> None:
    ticks, _, _ = tf.parse_date(text, NOW)
    assert tf.format_date(ticks, 0, "s") == expected


@pytest.mark.parametrize("text", ["", "abc", "20240305", "2024-13-01", "25:00", "Mon, 05 Mar 2024"])
def test_dates_refused(text: str) -> None:
    with pytest.raises(tf.FormatError):
        tf.parse_date(text, NOW)


def test_exact_dates() -> None:
    assert tf.parse_exact("05/03/2024 2:07 PM", "dd/MM/yyyy h:mm tt", NOW)[0] == tf.from_fields(2024, 3, 5, 14, 7)
    with pytest.raises(tf.FormatError):
        tf.parse_exact("5/3/2024", "dd/MM/yyyy", NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.02:03:04", "1.02:03:04"),
        ("02:03", "02:03:00"),
        ("5", "5.00:00:00"),
        ("-00:00:01.5", "-00:00:01.5000000"),
        ("24:00:00", "24.00:00:00"),
    ],
)
def test_spans(text: str, expected: str) -> None:
    assert tf.format_span(tf.parse_span(text)) == expected


def _groups(pattern: str, text: str, options: int = 0) -> Any:
    compiled = regexes.compile_pattern(pattern, options)
    found = compiled.search(text)
    return (
        None
        if found is None
        else {compiled.names[number]: compiled.group(found, number) for number in compiled.numbers}
    )


def test_named_groups_come_after_unnamed_ones() -> None:
    assert _groups(r"(?<year>\d+)-(\d+)", "2024-05") == {"0": "2024-05", "1": "05", "year": "2024"}


@pytest.mark.parametrize(
    ("pattern", "text", "options", "expected"),
    [
        (r"a(?i)b|c", "C", 0, "C"),
        (r"^a$", "x\na\ny", regexes.MULTILINE, "a"),
        (r"a$", "a\n", 0, "a"),
        (r"a\z", "a\n", 0, None),
        (r"[a-z-[aeiou]]+", "aabcd", 0, "bcd"),
        (r"{,3}", "x{,3}", 0, "{,3}"),
        (r"(?x) a b # c", "ab", 0, "ab"),
        (r"\p{Lu}+", "abCDe", 0, "CD"),
        (r"[]a]+", "]a", 0, "]a"),
        (r"(?n)(a)b", "ab", 0, "ab"),
        (r"\u0041\x42", "AB", 0, "AB"),
    ],
)
def test_regex_syntax(pattern: str, text: str, options: int, expected: str | None) -> None:
    found = _groups(pattern, text, options)
    assert (found["0"] if found else None) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a", "Not enough )'s."),
        ("a)", "Too many )'s."),
        ("[a", "Unterminated [] set."),
        ("*a", "Quantifier {x,y} following nothing."),
        ("a**", "Nested quantifier *."),
        ("a++", "Nested quantifier +."),
        ("a{3,2}", "Illegal {x,y} with x > y."),
        ("\\y", "Unrecognized escape sequence \\y."),
        ("(?P<x>a)", "Unrecognized grouping construct."),
        ("[z-a]", "[x-y] range in reverse order."),
        (r"\1", "Reference to undefined group number 1."),
    ],
)
def test_regex_errors(pattern: str, reason: str) -> None:
    with pytest.raises(regexes.RegexError) as caught:
        regexes.compile_pattern(pattern)
    assert str(caught.value) == f'parsing "{pattern}" - {reason}'


def test_regex_refusals() -> None:
    with pytest.raises(LabUnsupported):
        regexes.compile_pattern("(?<a-b>x)")
    with pytest.raises(LabUnsupported):
        regexes.compile_pattern("a", regexes.RIGHT_TO_LEFT)


def test_regex_replacements() -> None:
    compiled = regexes.compile_pattern(r"(?<a>\w)(\d)")
    assert compiled.replace("x1y2", "[$1-${a}-$$-$&-$3]") == "[1-x-$-x1-$3][2-y-$-y2-$3]"
    assert regexes.compile_pattern("x*").replace("abc", "-") == "-a-b-c-"
    assert regexes.compile_pattern("(,)").split("a,b") == ["a", ",", "b"]


@given(st.text(max_size=20))
def test_escaped_text_matches_itself(text: str) -> None:
    assert regexes.compile_pattern(f"\\A{regexes.escape(text)}\\z").search(text) is not None


def test_code_pages() -> None:
    assert encodings.encode_text("é€→", 1252) == b"\xe9\x80?"
    assert encodings.decode_text(b"\x80\x81", 1252) == "€\x81"
    assert encodings.encode_text("é", 20127) == b"?"
    assert encodings.make_encoding(1200).encode("aé") == b"a\x00\xe9\x00"
    assert encodings.make_encoding(65001).preamble == b"\xef\xbb\xbf"
    assert encodings.make_encoding(65001, False).preamble == b""


def test_word_sort() -> None:
    assert culture_compare("coop", "co-op") < 0 < culture_compare("Coop", "coop")
    assert culture_compare("a", "B") < 0
    assert culture_compare("abc", "ABC", ignore_case=True) == 0
    assert culture_compare("_a", "1") < 0 < culture_compare("a", "1")
