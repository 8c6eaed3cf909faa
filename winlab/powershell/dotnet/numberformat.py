"""Numbers to text and back as .NET Framework 4.6.2 does it: standard and custom numeric formats, NumberStyles parsing.

A double has 15 significant digits here (17 for `R` when 15 do not round-trip), as in the .NET Framework; .NET Core differs.
Source: "Standard numeric format strings" and "Custom numeric format strings" of the .NET documentation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction


class FormatError(ValueError):
    """The FormatException of .NET; the text is .NET's."""


class NumberOverflow(ValueError):
    """The OverflowException of .NET: a well-formed number that the type cannot hold."""


BAD_FORMAT = "Format specifier was invalid."
BAD_INPUT = "Input string was not in a correct format."


@dataclass(frozen=True)
class NumberFormat:
    """What NumberFormatInfo holds; the defaults are the invariant culture's."""

    decimal_separator: str = "."
    group_separator: str = ","
    group_sizes: tuple[int, ...] = (3,)
    decimal_digits: int = 2
    negative_sign: str = "-"
    positive_sign: str = "+"
    nan_symbol: str = "NaN"
    positive_infinity: str = "Infinity"
    negative_infinity: str = "-Infinity"
    currency_symbol: str = "¤"
    currency_positive: str = "$n"
    currency_negative: str = "($n)"
    percent_positive: str = "n %"
    percent_negative: str = "-n %"
    percent_symbol: str = "%"
    per_mille_symbol: str = "‰"
    currency_decimal_digits: int = 2
    percent_decimal_digits: int = 2


INVARIANT = NumberFormat()
EN_US = NumberFormat(currency_symbol="$", percent_positive="n%", percent_negative="-n%")


@dataclass
class _Number:
    """Sign, decimal digits without leading zeros, and the position of the decimal point in them."""

    digits: str
    scale: int
    negative: bool
    round_up_digits: int = field(default=0, repr=False)

    def rounded(self, position: int) -> _Number:
        """Rounded half away from zero to `position` digits (of `digits`)."""
        if position < 0:
            return _Number("", 0, False)
        digits = self.digits
        scale = self.scale
        if position < len(digits):
            kept = digits[:position]
            if digits[position] >= "5":
                if kept:
                    raised = str(int(kept) + 1).rjust(len(kept), "0")
                    if len(raised) > len(kept):
                        scale += 1
                    kept = raised
                else:
                    kept = "1"
                    scale += 1
            digits = kept
        digits = digits.rstrip("0")
        if not digits:
            return _Number("", 0, False)
        return _Number(digits, scale, self.negative)


def _from_decimal(value: Decimal) -> _Number:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return _Number("", 0, False)
    return _Number(text, len(text) + exponent, bool(sign))


def _from_double(value: float, precision: int) -> _Number:
    if value == 0:
        return _Number("", 0, False)
    mantissa, _, exponent = f"{abs(value):.{precision - 1}e}".partition("e")
    digits = mantissa.replace(".", "").rstrip("0")
    return _Number(digits, int(exponent) + 1, value < 0)


def _group(digits: str, sizes: tuple[int, ...], separator: str) -> str:
    if not sizes:
        return digits
    parts: list[str] = []
    index = 0
    while digits:
        size = sizes[min(index, len(sizes) - 1)]
        if size == 0 or len(digits) <= size:
            parts.append(digits)
            break
        parts.append(digits[-size:])
        digits = digits[:-size]
        index += 1
    return separator.join(reversed(parts))


def _fixed(number: _Number, decimals: int, info: NumberFormat, grouped: bool) -> str:
    """The digits without a sign: `1,234.50`."""
    if number.scale > 0:
        whole = number.digits[: number.scale].ljust(number.scale, "0")
    else:
        whole = "0"
    fraction = ""
    if decimals:
        if number.scale >= 0:
            fraction = number.digits[number.scale :]
        else:
            fraction = "0" * -number.scale + number.digits
        fraction = fraction.ljust(decimals, "0")[:decimals]
    if grouped:
        whole = _group(whole, info.group_sizes, info.group_separator)
    return whole + (info.decimal_separator + fraction if decimals else "")


def _exponent(letter: str, value: int, minimum: int, info: NumberFormat, plus: bool = True) -> str:
    sign = info.negative_sign if value < 0 else (info.positive_sign if plus else "")
    return f"{letter}{sign}{abs(value):0{minimum}d}"


def _scientific(number: _Number, decimals: int, letter: str, info: NumberFormat, minimum: int = 3) -> str:
    digits = number.digits or "0"
    text = digits[0]
    if decimals:
        text += info.decimal_separator + digits[1:].ljust(decimals, "0")[:decimals]
    exponent = number.scale - 1 if number.digits else 0
    return text + _exponent(letter, exponent, minimum, info)


def _general(number: _Number, limit: int, letter: str, info: NumberFormat, keep_scale: bool = False) -> str:
    digits, scale = number.digits, number.scale
    if not digits:
        return "0"
    if not keep_scale and (scale > limit or scale < -3):
        text = digits[0]
        if len(digits) > 1:
            text += info.decimal_separator + digits[1:]
        return text + _exponent(letter, scale - 1, 2, info)
    if scale > 0:
        whole = digits[:scale].ljust(scale, "0")
        fraction = digits[scale:]
    else:
        whole = "0"
        fraction = "0" * -scale + digits
    return whole + (info.decimal_separator + fraction if fraction else "")


def _pattern(pattern: str, text: str, symbol_place: str, symbol: str, info: NumberFormat) -> str:
    out = []
    for char in pattern:
        if char == "n":
            out.append(text)
        elif char == symbol_place:
            out.append(symbol)
        elif char == "-":
            out.append(info.negative_sign)
        else:
            out.append(char)
    return "".join(out)


def _split_format(fmt: str) -> tuple[str, int] | None:
    """The letter and precision (-1 when absent) of a standard format; None for a custom one."""
    if not fmt:
        return ("G", -1)
    if fmt[0].isascii() and fmt[0].isalpha():
        if len(fmt) == 1:
            return (fmt, -1)
        if len(fmt) <= 3 and fmt[1:].isascii() and fmt[1:].isdigit():
            return (fmt[0], int(fmt[1:]))
    return None


def _standard(number: _Number, letter: str, precision: int, info: NumberFormat, default_digits: int) -> str:
    """C, E, F, G, N and P; `default_digits` is what G shows when no precision is given (0: everything)."""
    upper = letter.upper()
    if upper == "F" or upper == "N":
        decimals = info.decimal_digits if precision < 0 else precision
        number = number.rounded(number.scale + decimals)
        return (info.negative_sign if number.negative else "") + _fixed(number, decimals, info, upper == "N")
    if upper == "C":
        decimals = info.currency_decimal_digits if precision < 0 else precision
        number = number.rounded(number.scale + decimals)
        text = _fixed(number, decimals, info, True)
        pattern = info.currency_negative if number.negative else info.currency_positive
        return _pattern(pattern, text, "$", info.currency_symbol, info)
    if upper == "P":
        decimals = info.percent_decimal_digits if precision < 0 else precision
        number = _Number(number.digits, number.scale + 2, number.negative).rounded(number.scale + 2 + decimals)
        text = _fixed(number, decimals, info, True)
        pattern = info.percent_negative if number.negative else info.percent_positive
        return _pattern(pattern, text, "%", info.percent_symbol, info)
    if upper == "E":
        decimals = 6 if precision < 0 else precision
        number = number.rounded(decimals + 1)
        text = _scientific(number, decimals, letter, info)
        return (info.negative_sign if number.negative else "") + text
    if upper == "G":
        everything = precision <= 0 and default_digits == 0
        limit = default_digits if precision <= 0 else precision
        if not everything:
            number = number.rounded(limit)
        text = _general(number, limit, "E" if letter == "G" else "e", info, keep_scale=everything)
        return (info.negative_sign if number.negative else "") + text
    raise FormatError(BAD_FORMAT)


def format_integer(value: int, fmt: str | None = None, bits: int = 32, info: NumberFormat = EN_US) -> str:
    """An integer of `bits` bits (8 to 64; what `X` shows of a negative one depends on it)."""
    standard = _split_format(fmt or "")
    if standard is None:
        return _custom(_from_decimal(Decimal(value)), fmt or "", info)
    letter, precision = standard
    upper = letter.upper()
    if (upper == "G" and precision <= 0) or upper == "D":
        return (info.negative_sign if value < 0 else "") + str(abs(value)).rjust(max(precision, 0), "0")
    if upper == "X":
        digits = f"{value & ((1 << bits) - 1):x}".rjust(max(precision, 0), "0")
        return digits.upper() if letter == "X" else digits
    if upper == "R":
        raise FormatError(BAD_FORMAT)
    return _standard(_from_decimal(Decimal(int(value))), letter, precision, info, 0)


def format_bigint(value: int, fmt: str | None = None, info: NumberFormat = EN_US) -> str:
    """System.Numerics.BigInteger: R and G are all digits."""
    if not fmt or fmt.upper() in ("R", "G", "D"):
        return (info.negative_sign if value < 0 else "") + str(abs(value))
    if fmt[0] in "xX":
        length = (value.bit_length() + 8) // 8
        text = value.to_bytes(max(length, 1), "big", signed=True).hex().lstrip("0" if value >= 0 else "")
        text = ("0" + text if value >= 0 and (not text or text[0] in "89abcdef") else text).rjust(
            int(fmt[1:] or 0), "0"
        )
        return text.upper() if fmt[0] == "X" else text
    return format_integer(value, fmt, max(64, value.bit_length() + 1), info)


def format_decimal(value: Decimal, fmt: str | None = None, info: NumberFormat = EN_US) -> str:
    """System.Decimal: G keeps the scale (`1.50`)."""
    standard = _split_format(fmt or "")
    if standard is None:
        return _custom(_from_decimal(value), fmt or "", info)
    letter, precision = standard
    if letter.upper() == "G" and precision <= 0:
        text = f"{abs(value):f}"
        negative = value < 0
        return (info.negative_sign if negative else "") + text.replace(".", info.decimal_separator)
    if letter.upper() in "DXR":
        raise FormatError(BAD_FORMAT)
    return _standard(_from_decimal(value), letter, precision, info, 29)


def _special(value: float, info: NumberFormat) -> str | None:
    if value != value:
        return info.nan_symbol
    if value == float("inf"):
        return info.positive_infinity
    if value == float("-inf"):
        return info.negative_infinity
    return None


def format_double(value: float, fmt: str | None = None, info: NumberFormat = EN_US) -> str:
    """System.Double with the .NET Framework's 15 digits."""
    return _format_floating(value, fmt, info, 15, 17)


def format_single(value: float, fmt: str | None = None, info: NumberFormat = EN_US) -> str:
    """System.Single with the .NET Framework's 7 digits."""
    return _format_floating(value, fmt, info, 7, 9)


def _format_floating(value: float, fmt: str | None, info: NumberFormat, short: int, long: int) -> str:
    standard = _split_format(fmt or "")
    special = _special(value, info)
    if special is not None:
        return special
    if standard is None:
        return _custom(_from_double(value, short), fmt or "", info)
    letter, precision = standard
    upper = letter.upper()
    if upper == "R":
        text = _standard(_from_double(value, short), "G", short, info, short)
        if _round_trip(text, short) == value:
            return text
        return _standard(_from_double(value, long), "G", long, info, long)
    if upper in "DX":
        raise FormatError(BAD_FORMAT)
    digits = short
    if (upper == "E" and precision > short - 1) or (upper == "G" and precision > short):
        digits = long
    return _standard(_from_double(value, digits), letter, precision, info, short)


def _round_trip(text: str, short: int) -> float:
    number = float(text)
    if short == 7:
        try:
            return float(struct.unpack("<f", struct.pack("<f", number))[0])
        except OverflowError:
            return number
    return number


# --- custom formats ---------------------------------------------------------------------------------------------------


def _sections(fmt: str) -> list[str]:
    """The sections of a custom format, split at `;` outside of literals."""
    sections = [""]
    index = 0
    while index < len(fmt):
        char = fmt[index]
        if char == "\\" and index + 1 < len(fmt):
            sections[-1] += fmt[index : index + 2]
            index += 2
            continue
        if char in "'\"":
            end = fmt.find(char, index + 1)
            end = len(fmt) if end < 0 else end + 1
            sections[-1] += fmt[index:end]
            index = end
            continue
        if char == ";":
            sections.append("")
        else:
            sections[-1] += char
        index += 1
    return sections


def _custom(number: _Number, fmt: str, info: NumberFormat) -> str:
    sections = _sections(fmt)
    chosen = 0
    if not number.digits:
        chosen = 2
    elif number.negative:
        chosen = 1
    if chosen >= len(sections) or not sections[chosen]:
        chosen = 0
    section = sections[chosen]
    shape = _Shape(section)
    scaled = _Number(number.digits, number.scale + shape.scale_adjust, number.negative)
    if not number.digits:
        scaled.scale = 0
    if shape.scientific:
        rounded = scaled.rounded(shape.digit_count)
    else:
        rounded = scaled.rounded(scaled.scale + shape.digit_count - shape.decimal_position)
    if number.digits and not rounded.digits and chosen != 2 and len(sections) > 2 and sections[2]:
        chosen, section = 2, sections[2]
        shape = _Shape(section)
    negative = rounded.negative and chosen == 0
    return shape.render(rounded, negative, info)


class _Shape:
    """What a custom section asks for: how many digits where, grouping, scaling, scientific notation."""

    def __init__(self, section: str) -> None:
        self.section = section
        self.digit_count = 0
        self.first_zero = -1
        self.last_zero = 0
        self.scientific = False
        self.scale_adjust = 0
        self.thousands = False
        decimal_position = -1
        comma_position, comma_count = -1, 0
        index = 0
        while index < len(section):
            char = section[index]
            index += 1
            if char == "#":
                self.digit_count += 1
            elif char == "0":
                if self.first_zero < 0:
                    self.first_zero = self.digit_count
                self.digit_count += 1
                self.last_zero = self.digit_count
            elif char == ".":
                if decimal_position < 0:
                    decimal_position = self.digit_count
            elif char == ",":
                if self.digit_count > 0 and decimal_position < 0:
                    if comma_position >= 0:
                        if comma_position == self.digit_count:
                            comma_count += 1
                            continue
                        self.thousands = True
                    comma_position, comma_count = self.digit_count, 1
            elif char == "%":
                self.scale_adjust += 2
            elif char == "‰":
                self.scale_adjust += 3
            elif char in "'\"":
                end = section.find(char, index)
                index = len(section) if end < 0 else end + 1
            elif char == "\\":
                index += 1
            elif char in "eE":
                rest = section[index:]
                if rest[:1] == "0" or (rest[:1] in ("+", "-") and rest[1:2] == "0"):
                    index += 1
                    while section[index : index + 1] == "0":
                        index += 1
                    self.scientific = True
        self.decimal_position = self.digit_count if decimal_position < 0 else decimal_position
        if comma_position >= 0:
            if comma_position == self.decimal_position:
                self.scale_adjust -= comma_count * 3
            else:
                self.thousands = True

    def render(self, number: _Number, negative: bool, info: NumberFormat) -> str:
        section = self.section
        if self.first_zero < 0:
            first, last = 0, 0
        elif self.first_zero < self.decimal_position:
            first, last = self.decimal_position - self.first_zero, 0
        else:
            first, last = 0, 0
        if self.last_zero > self.decimal_position:
            last = self.decimal_position - self.last_zero
        if self.scientific:
            digit_position, adjust = self.decimal_position, 0
        else:
            digit_position = max(number.scale, self.decimal_position)
            adjust = number.scale - self.decimal_position
        separators: set[int] = set()
        if self.thousands and info.group_separator:
            total = max(first, digit_position if not self.scientific else self.decimal_position)
            if self.thousands:
                position, index = 0, 0
                while info.group_sizes:
                    size = info.group_sizes[min(index, len(info.group_sizes) - 1)]
                    if size == 0:
                        break
                    position += size
                    if position >= total:
                        break
                    separators.add(position)
                    index += 1
        out: list[str] = []
        if negative:
            out.append(info.negative_sign)
        digits = iter(number.digits)
        point_written = False
        index = 0

        def emit(digit: str) -> None:
            nonlocal digit_position
            out.append(digit)
            if self.thousands and digit_position > 1 and digit_position - 1 in separators:
                out.append(info.group_separator)
            digit_position -= 1

        while index < len(section):
            char = section[index]
            index += 1
            if adjust > 0 and char in "#0.":
                while adjust > 0:
                    emit(next(digits, "0"))
                    adjust -= 1
            if char in "#0":
                if adjust < 0:
                    adjust += 1
                    digit = "0" if digit_position <= first else ""
                else:
                    digit = next(digits, "")
                    if not digit:
                        digit = "0" if digit_position > last else ""
                if digit:
                    if digit_position == 0 and not point_written and last <= 0:
                        pass
                    emit(digit)
                else:
                    digit_position -= 1
            elif char == ".":
                if digit_position == 0 and not point_written:
                    if last < 0 or (self.decimal_position < self.digit_count and self._rest(number)):
                        out.append(info.decimal_separator)
                        point_written = True
            elif char == "‰":
                out.append(info.per_mille_symbol)
            elif char == "%":
                out.append(info.percent_symbol)
            elif char == ",":
                pass
            elif char in "'\"":
                end = section.find(char, index)
                end = len(section) if end < 0 else end
                out.append(section[index:end])
                index = end + 1
            elif char == "\\":
                out.append(section[index : index + 1])
                index += 1
            elif char in "eE":
                index = self._render_exponent(number, char, index, out, info)
            else:
                out.append(char)
        return "".join(out)

    def _rest(self, number: _Number) -> bool:
        """Are digits left for the part after the decimal point?"""
        if self.scientific:
            return len(number.digits) > self.decimal_position
        return bool(number.digits) and len(number.digits) > number.scale

    def _render_exponent(self, number: _Number, letter: str, index: int, out: list[str], info: NumberFormat) -> int:
        section = self.section
        start = index
        plus = False
        if self.scientific:
            if section[index : index + 1] == "0":
                pass
            elif section[index : index + 1] == "+" and section[index + 1 : index + 2] == "0":
                plus = True
                index += 1
            elif section[index : index + 1] == "-" and section[index + 1 : index + 2] == "0":
                index += 1
            else:
                out.append(letter)
                return start
            width = 0
            while section[index : index + 1] == "0":
                width += 1
                index += 1
            exponent = number.scale - self.decimal_position if number.digits else 0
            out.append(_exponent(letter, exponent, width, info, plus))
            return index
        out.append(letter)
        if section[index : index + 1] in ("+", "-"):
            out.append(section[index])
            index += 1
        while section[index : index + 1] == "0":
            out.append("0")
            index += 1
        return index


# --- parsing ----------------------------------------------------------------------------------------------------------

ALLOW_LEADING_WHITE = 1
ALLOW_TRAILING_WHITE = 2
ALLOW_LEADING_SIGN = 4
ALLOW_TRAILING_SIGN = 8
ALLOW_PARENTHESES = 16
ALLOW_DECIMAL_POINT = 32
ALLOW_THOUSANDS = 64
ALLOW_EXPONENT = 128
ALLOW_CURRENCY = 256
ALLOW_HEX = 512
STYLE_INTEGER = 7
STYLE_NUMBER = 111
STYLE_FLOAT = 167
STYLE_FLOAT_THOUSANDS = 231

_WHITE = " \t\n\v\f\r"


def _scan(text: str, style: int, info: NumberFormat, currency_ok: bool = False) -> tuple[bool, str, int]:
    """`(negative, digits, exponent)` of a decimal number; raises FormatError."""
    index, length = 0, len(text)
    negative = False
    signed = False
    parens = False
    currency = not style & ALLOW_CURRENCY
    symbol = info.currency_symbol
    while index < length:
        char = text[index]
        if char in _WHITE and style & ALLOW_LEADING_WHITE:
            index += 1
        elif not signed and style & ALLOW_LEADING_SIGN and text.startswith(info.positive_sign, index):
            signed = True
            index += len(info.positive_sign)
        elif not signed and style & ALLOW_LEADING_SIGN and text.startswith(info.negative_sign, index):
            signed = negative = True
            index += len(info.negative_sign)
        elif not signed and char == "(" and style & ALLOW_PARENTHESES:
            signed = negative = parens = True
            index += 1
        elif not currency and symbol and text.startswith(symbol, index):
            currency = True
            index += len(symbol)
        else:
            break
    digits = ""
    exponent = 0
    seen_digit = seen_point = False
    while index < length:
        char = text[index]
        if "0" <= char <= "9":
            digits += char
            seen_digit = True
            if seen_point:
                exponent -= 1
            index += 1
        elif style & ALLOW_DECIMAL_POINT and not seen_point and text.startswith(info.decimal_separator, index):
            seen_point = True
            index += len(info.decimal_separator)
        elif style & ALLOW_THOUSANDS and seen_digit and not seen_point and text.startswith(info.group_separator, index):
            index += len(info.group_separator)
        else:
            break
    if not seen_digit:
        raise FormatError(BAD_INPUT)
    if style & ALLOW_EXPONENT and index < length and text[index] in "eE":
        end = index + 1
        exponent_negative = False
        if text.startswith(info.positive_sign, end):
            end += len(info.positive_sign)
        elif text.startswith(info.negative_sign, end):
            exponent_negative = True
            end += len(info.negative_sign)
        start = end
        while end < length and "0" <= text[end] <= "9":
            end += 1
        if end > start:
            amount = min(int(text[start:end]), 99999)
            exponent += -amount if exponent_negative else amount
            index = end
    while index < length:
        char = text[index]
        if char in _WHITE and style & ALLOW_TRAILING_WHITE:
            index += 1
        elif not signed and style & ALLOW_TRAILING_SIGN and text.startswith(info.positive_sign, index):
            signed = True
            index += 1
        elif not signed and style & ALLOW_TRAILING_SIGN and text.startswith(info.negative_sign, index):
            signed = negative = True
            index += 1
        elif parens and char == ")":
            parens = False
            index += 1
        elif not currency and symbol and text.startswith(symbol, index):
            currency = True
            index += len(symbol)
        else:
            break
    if parens or text[index:].strip("\0"):
        raise FormatError(BAD_INPUT)
    return negative, digits, exponent


def parse_integer(
    text: str, minimum: int, maximum: int, type_name: str, style: int = STYLE_INTEGER, info: NumberFormat = EN_US
) -> int:
    """`[int]::Parse`: `type_name` is the word of the overflow message (`Int32`); bounds tell the range."""
    article = "an" if type_name[0] in "IUA" and not type_name.startswith("UI") else "a"
    if type_name in ("Byte", "SByte"):
        overflow = f"Value was either too large or too small for {'an unsigned' if minimum == 0 else 'a signed'} byte."
    else:
        overflow = f"Value was either too large or too small for {article} {type_name}."
    if style & ALLOW_HEX:
        body = text
        if style & ALLOW_LEADING_WHITE:
            body = body.lstrip(_WHITE)
        if style & ALLOW_TRAILING_WHITE:
            body = body.rstrip(_WHITE)
        body = body.rstrip("\0")
        if not body or any(char not in "0123456789abcdefABCDEF" for char in body):
            raise FormatError(BAD_INPUT)
        value = int(body, 16)
        bits = (maximum - minimum + 1).bit_length() - 1
        if value >= 1 << bits:
            raise NumberOverflow(overflow)
        if minimum < 0 and value > maximum:
            value -= 1 << bits
        return value
    negative, digits, exponent = _scan(text, style, info)
    if exponent < 0:
        if digits[exponent:].strip("0"):
            raise NumberOverflow(overflow)
        digits, exponent = digits[:exponent] or "0", 0
    if exponent > 40 and digits.strip("0"):
        raise NumberOverflow(overflow)
    value = int(digits) * 10 ** min(exponent, 40)
    value = -value if negative else value
    if not minimum <= value <= maximum:
        raise NumberOverflow(overflow)
    return value


def parse_double(
    text: str, style: int = STYLE_FLOAT_THOUSANDS, info: NumberFormat = EN_US, type_name: str = "Double"
) -> float:
    """`[double]::Parse`; a number beyond the range overflows, as in the .NET Framework."""
    try:
        negative, digits, exponent = _scan(text, style, info)
    except FormatError:
        stripped = text.strip()
        for symbol, value in (
            (info.positive_infinity, float("inf")),
            (info.negative_infinity, float("-inf")),
            (info.nan_symbol, float("nan")),
        ):
            if stripped == symbol:
                return value
        raise
    value = float(f"{'-' if negative else ''}{digits}e{exponent}")
    if type_name == "Single":
        try:
            value = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            value = float("inf")
    if value in (float("inf"), float("-inf")):
        raise NumberOverflow(f"Value was either too large or too small for a {type_name}.")
    return value


DECIMAL_MAX = 79228162514264337593543950335


def fit_decimal(value: Decimal | Fraction | int) -> Decimal:
    """`value` rounded (half to even) to what System.Decimal holds: 96 bits, at most 28 decimals."""
    if isinstance(value, Decimal):
        sign, digit_tuple, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise NumberOverflow("Value was either too large or too small for a Decimal.")
        coefficient = int("".join(map(str, digit_tuple)) or "0")
        if exponent > 0:
            coefficient, exponent = coefficient * 10**exponent, 0
        while exponent < -28 or coefficient > DECIMAL_MAX:
            if exponent >= 0:
                raise NumberOverflow("Value was either too large or too small for a Decimal.")
            drop = max(1, -28 - exponent, len(str(coefficient)) - 29)
            drop = min(drop, -exponent)
            quotient, rest = divmod(coefficient, 10**drop)
            half = 5 * 10 ** (drop - 1)
            if rest > half or (rest == half and quotient & 1):
                quotient += 1
            coefficient, exponent = quotient, exponent + drop
        return Decimal((sign, tuple(int(digit) for digit in str(coefficient)), exponent))
    if isinstance(value, int):
        return fit_decimal(Decimal(value))
    scaled = value * 10**28
    quotient, rest = divmod(abs(scaled.numerator), scaled.denominator)
    if rest * 2 > scaled.denominator or (rest * 2 == scaled.denominator and quotient & 1):
        quotient += 1
    return fit_decimal(Decimal((int(value < 0), tuple(int(d) for d in str(quotient)), -28)))


def parse_decimal(text: str, style: int = STYLE_NUMBER, info: NumberFormat = EN_US) -> Decimal:
    """`[decimal]::Parse`; the scale of the text is kept (`1.50`)."""
    negative, digits, exponent = _scan(text, style, info)
    if exponent > 40 and digits.strip("0"):
        raise NumberOverflow("Value was either too large or too small for a Decimal.")
    return fit_decimal(Decimal((int(negative), tuple(int(digit) for digit in digits), min(exponent, 40))))
