"""IIS configuration schema: the .xml files of inetsrv/config/schema.

The files themselves document their format at the head of IIS_schema.xml. Several files may describe one section (rscaext.xml adds run-time attributes and
methods to sections that IIS_schema.xml declares); their elements are merged.

Values are Python's: bool, int (int, uint, int64, enum, flags), str and `timedelta`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

from winlab.iis.errors import E_BAD_DATA, ConfigError, cast_error

SCHEMA_DIR = Path(__file__).parent / "schemas"

Value = bool | int | str | timedelta

TIMESPAN_MAX = timedelta(days=10675199, hours=2, minutes=48, seconds=5, microseconds=477580)
UINT_MAX = 0xFFFFFFFF

_DEFAULT_BY_TYPE: dict[str, Value] = {
    "bool": False,
    "int": 0,
    "uint": 0,
    "int64": 0,
    "enum": 0,
    "flags": 0,
    "string": "",
    "timeSpan": timedelta(0),
}
_RANGES = {"int": (-(2**31), 2**31 - 1), "uint": (0, UINT_MAX), "int64": (-(2**63), 2**63 - 1)}


def invalid(text: str) -> ConfigError:
    return ConfigError(E_BAD_DATA, text, bare=True)


def parse_timespan(text: str) -> timedelta:
    """[-][d.]hh:mm[:ss[.fffffff]] as .NET writes it. Hours may be over 23, as the schema's own "29:00:00"."""
    match = re.fullmatch(r"(-?)(?:(\d+)\.)?(\d+):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?", text.strip())
    if not match:
        if re.fullmatch(r"-?\d+", text.strip()):
            return timedelta(days=int(text))
        raise ValueError(text)
    sign, days, hours, minutes, seconds, fraction = match.groups()
    value = timedelta(
        days=int(days or 0),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "0").ljust(7, "0")) // 10,
    )
    return -value if sign else value


def format_timespan(value: timedelta) -> str:
    """As System.TimeSpan's ToString() writes it: 1.05:00:00."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06d}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


@dataclass
class AttributeSchema:
    """One <attribute> of the schema. `dynamic` attributes are answered by the running service and never stored."""

    name: str
    type: str
    default_text: str | None = None
    required: bool = False
    is_unique_key: bool = False
    is_combined_key: bool = False
    case_sensitive: bool = False
    encrypted: bool = False
    expanded: bool = False
    allow_infinite: bool = False
    timespan_format: str = "string"
    validation_type: str = ""
    validation_parameter: str = ""
    values: list[tuple[str, int]] = field(default_factory=list)
    dynamic: bool = False

    @property
    def default(self) -> Value:
        if self.default_text is None:
            return _DEFAULT_BY_TYPE[self.type]
        if self.encrypted and re.fullmatch(r"\[enc:\w+::enc\]", self.default_text):
            return ""
        return self.parse(self.default_text, validate=False)

    @property
    def encryption_provider(self) -> str:
        """Name of the provider, from the schema's empty default ([enc:AesProvider::enc])."""
        match = re.match(r"\[enc:(\w+):", self.default_text or "")
        return match.group(1) if match else "AesProvider"

    def parse(self, text: str, validate: bool = True) -> Value:
        """A value from a file's text.

        Raises:
            ConfigError: bare, with the sentence that follows "The 'x' attribute is invalid.  ".
        """
        value = self._parse(text)
        if validate:
            self.validate(value)
        return value

    def _parse(self, text: str) -> Value:
        if self.type == "string":
            return text
        if self.type == "bool":
            lowered = text.strip().lower()
            if lowered in ("true", "1"):
                return True
            if lowered in ("false", "0"):
                return False
            raise invalid("Not a valid boolean")
        if self.type == "enum":
            for name, number in self.values:
                if name.lower() == text.strip().lower():
                    return number
            raise self._not_in_enum()
        if self.type == "flags":
            return self._parse_flags(text)
        if self.type == "timeSpan":
            return self._parse_timespan(text)
        return self._parse_integer(text)

    def _parse_flags(self, text: str) -> int:
        total = 0
        for part in filter(None, (p.strip() for p in text.split(","))):
            for name, number in self.values:
                if name.lower() == part.lower():
                    total |= number
                    break
            else:
                if part.isdigit():
                    total |= int(part)
                elif part.lower() != "none":
                    raise self._not_in_flags()
        return total

    def _parse_timespan(self, text: str) -> timedelta:
        if self.allow_infinite and text.strip().lower() == "infinite":
            return TIMESPAN_MAX
        if self.timespan_format in ("seconds", "minutes") and re.fullmatch(r"\d+", text.strip()):
            return timedelta(**{self.timespan_format: int(text)})
        try:
            return parse_timespan(text)
        except (ValueError, OverflowError):
            raise invalid("Not a valid time span") from None

    def _parse_integer(self, text: str) -> int:
        text = text.strip()
        if self.allow_infinite and text.lower() == "infinite":
            return UINT_MAX
        low, high = _RANGES[self.type]
        try:
            value = int(text, 16) if text.lower().startswith("0x") else int(text)
        except ValueError:
            value = high + 1
        if not low <= value <= high:
            names = {"uint": "unsigned integer", "int": "integer", "int64": "64-bit integer"}
            raise invalid(f"Not a valid {names[self.type]}")
        return value

    def check(self, value: object) -> Value:
        """A value given through the API, brought to the stored type.

        Enums and flags come by name or number; an integer fits every integer type; nothing else is converted.

        Raises:
            ConfigError: of the wrong type (cause "cast"), or out of the range that the schema gives.
        """
        result = self._convert(value)
        self.validate(result)
        return result

    def _convert(self, value: object) -> Value:
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        if self.type in ("enum", "flags"):
            if isinstance(value, str):
                # Names are compared exactly here, unlike in files.
                known = dict(self.values)
                if self.type == "enum":
                    if value not in known:
                        raise self._not_in_enum()
                    return known[value]
                parts = [p.strip() for p in value.split(",") if p.strip()]
                if any(p not in known and p != "None" for p in parts):
                    raise self._not_in_flags()
                total = 0
                for part in parts:
                    total |= known.get(part, 0)
                return total
            if not is_integer:
                raise cast_error()
            return self._checked_number(int(value))  # type: ignore[call-overload]
        if self.type == "bool" and isinstance(value, bool):
            return value
        if self.type == "string" and isinstance(value, str):
            return str(value)
        if self.type == "timeSpan" and isinstance(value, timedelta):
            return value
        if self.type in _RANGES and is_integer:
            number = int(value)  # type: ignore[call-overload]
            low, high = _RANGES[self.type]
            if not low <= number <= high:
                raise cast_error()
            return int(number)
        raise cast_error()

    def _checked_number(self, number: int) -> int:
        if self.type == "enum":
            if all(number != n for _, n in self.values):
                raise self._not_in_enum()
            return number
        mask = 0
        for _, flag in self.values:
            mask |= flag
        if number & ~mask:
            raise self._not_in_flags()
        return number

    def format(self, value: Value) -> str:
        """The text that is stored for a value."""
        if self.type == "bool":
            return "true" if value else "false"
        if self.type == "enum":
            return next((name for name, number in self.values if number == value), str(value))
        if self.type == "flags":
            assert isinstance(value, int)
            return self._format_flags(value)
        if self.type == "timeSpan":
            assert isinstance(value, timedelta)
            return self._format_timespan(value)
        if self.type in _RANGES and self.allow_infinite and value == UINT_MAX:
            return "Infinite"
        return str(value)

    def _format_flags(self, value: int) -> str:
        if value == 0:
            return next((name for name, number in self.values if number == 0), "None" if self.values else "")
        names: list[str] = []
        covered = 0
        for name, number in self.values:
            if number and number & value == number and not number & covered:
                names.append(name)
                covered |= number
        return ", ".join(names)

    def _format_timespan(self, value: timedelta) -> str:
        if self.allow_infinite and value == TIMESPAN_MAX:
            return "Infinite"
        if self.timespan_format == "seconds":
            return str(int(value.total_seconds()))
        if self.timespan_format == "minutes":
            return str(int(value.total_seconds() // 60))
        return format_timespan(value)

    def same(self, one: Value, other: Value) -> bool:
        """Whether two key values are equal: strings without case unless the schema says caseSensitive."""
        return self.folded(one) == self.folded(other)

    def folded(self, value: Value) -> Value:
        """A key value in the form in which keys are compared."""
        return value.lower() if isinstance(value, str) and not self.case_sensitive else value

    def validate(self, value: Value) -> None:
        validator = _VALIDATORS.get(self.validation_type)
        if validator:
            validator(self, value)

    def _not_in_enum(self) -> ConfigError:
        return invalid("Enum must be one of " + ", ".join(name for name, _ in self.values))

    def _not_in_flags(self) -> ConfigError:
        return invalid("Flags must be some combination of " + ", ".join(name for name, _ in self.values))


def _integer_range(schema: AttributeSchema, value: Value) -> None:
    assert isinstance(value, int)
    parts = [p.strip() for p in schema.validation_parameter.split(",")]
    low, high = int(parts[0]), int(parts[1])
    excluded = len(parts) > 2 and parts[2] == "exclude"
    if excluded and low <= value <= high:
        raise invalid(f"Integer value must not be between {low} and {high} inclusive")
    if not excluded and not low <= value <= high:
        raise invalid(f"Integer value must be between {low} and {high} inclusive")


def _timespan_range(schema: AttributeSchema, value: Value) -> None:
    assert isinstance(value, timedelta)
    parts = [p.strip() for p in schema.validation_parameter.split(",")]
    low, high = timedelta(seconds=int(parts[0])), timedelta(seconds=int(parts[1]))
    step = int(parts[2]) if len(parts) > 2 else 1
    excluded = len(parts) > 3 and parts[3] == "exclude"
    if schema.allow_infinite and value == TIMESPAN_MAX:
        return
    inside = low <= value <= high
    even = step == 0 or value % timedelta(seconds=step) == timedelta(0)
    if inside is not excluded and even:
        return
    not_ = "not " if excluded else ""
    raise invalid(
        f"Timespan value must {not_}be between {format_timespan(low)} and {format_timespan(high)} seconds inclusive, "
        f"with a granularity of {step} seconds"
    )


def _non_empty(schema: AttributeSchema, value: Value) -> None:
    if value == "":
        raise invalid("String must not be empty")


def _trimmed(schema: AttributeSchema, value: Value) -> None:
    if isinstance(value, str) and value != value.strip():
        raise invalid("String must not have leading or trailing spaces")


APPLICATION_POOL_NAME_CHARACTERS = '\\/"|<>:*?][+=;,@&'
SITE_NAME_CHARACTERS = '\\/?;:@&=+$,|"<>'
PATH_CHARACTERS = '\\?;:@&=+$,|"<>*'


def _pool_name(schema: AttributeSchema, value: Value) -> None:
    assert isinstance(value, str)
    if not value or len(value) > 64 or any(c in APPLICATION_POOL_NAME_CHARACTERS for c in value):
        raise invalid("Invalid application pool name")


def _site_name(schema: AttributeSchema, value: Value) -> None:
    assert isinstance(value, str)
    if not value or len(value) > 260 or any(c in SITE_NAME_CHARACTERS for c in value):
        raise invalid("Invalid site name")


def _virtual_path(text: str, value: str) -> None:
    segments = value.split("/")
    malformed = not value.startswith("/") or (value != "/" and value.endswith("/"))
    if malformed or any(s in (".", "..") for s in segments) or any(c in PATH_CHARACTERS for c in value):
        raise invalid(text)


def _application_path(schema: AttributeSchema, value: Value) -> None:
    _virtual_path("Invalid application path", str(value))


def _virtual_directory_path(schema: AttributeSchema, value: Value) -> None:
    _virtual_path("Invalid virtual directory path", str(value))


_VALIDATORS = {
    "integerRange": _integer_range,
    "timeSpanRange": _timespan_range,
    "nonEmptyString": _non_empty,
    "requireTrimmedString": _trimmed,
    "applicationPoolName": _pool_name,
    "siteName": _site_name,
    "applicationPath": _application_path,
    "virtualDirectoryPath": _virtual_directory_path,
}


@dataclass
class MethodSchema:
    name: str
    input: ElementSchema | None = None
    output: ElementSchema | None = None


@dataclass
class CollectionSchema:
    """The <collection> of an element: names of its directives, its rules, and what its items look like."""

    add_names: list[str]
    remove_name: str
    clear_name: str
    default_element: str
    merge_append: bool
    allow_duplicates: bool
    item: ElementSchema

    @cached_property
    def unique_keys(self) -> list[AttributeSchema]:
        return [a for a in self.item.attributes.values() if a.is_unique_key]

    @cached_property
    def combined_keys(self) -> list[AttributeSchema]:
        return [a for a in self.item.attributes.values() if a.is_combined_key]

    @property
    def keys(self) -> list[AttributeSchema]:
        return self.unique_keys or self.combined_keys


@dataclass
class ElementSchema:
    """A <sectionSchema>, <element> or the items of a <collection>. Attributes are found without regard to case."""

    name: str
    attributes: dict[str, AttributeSchema] = field(default_factory=dict)
    children: dict[str, ElementSchema] = field(default_factory=dict)
    collection: CollectionSchema | None = None
    methods: dict[str, MethodSchema] = field(default_factory=dict)
    is_collection_default: bool = False
    allow_unrecognized_attributes: bool = False
    dynamic: bool = False

    def attribute(self, name: str) -> AttributeSchema | None:
        found = self.attributes.get(name)
        if found:
            return found
        lowered = name.lower()
        return next((a for n, a in self.attributes.items() if n.lower() == lowered), None)


class Schema:
    """All sections that a set of schema files declares, by path ("system.webServer/handlers")."""

    def __init__(self) -> None:
        self.sections: dict[str, ElementSchema] = {}

    @classmethod
    def load(cls, texts: Iterable[bytes | str]) -> Schema:
        """Reads schema files in the order given.

        Raises:
            xml.etree.ElementTree.ParseError: a file is not XML.
        """
        schema = cls()
        for text in texts:
            schema.add(text)
        return schema

    def add(self, text: bytes | str) -> None:
        for node in ElementTree.fromstring(text).iter("sectionSchema"):
            path = node.get("name", "")
            section = self.sections.setdefault(path, ElementSchema(path))
            _fill(section, node)

    def section(self, path: str) -> ElementSchema | None:
        found = self.sections.get(path)
        if found:
            return found
        return next((s for p, s in self.sections.items() if p.lower() == path.lower()), None)


def _fill(target: ElementSchema, node: ElementTree.Element) -> None:
    for child in node:
        if child.tag == "attribute":
            attribute = _attribute(child)
            target.attributes.setdefault(attribute.name, attribute)
        elif child.tag == "element":
            name = child.get("name", "")
            element = target.children.setdefault(name, ElementSchema(name))
            element.is_collection_default |= _flag(child, "isCollectionDefault")
            element.dynamic |= child.get("extension") is not None
            _fill(element, child)
        elif child.tag == "collection":
            _collection(target, child)
        elif child.tag == "method":
            target.methods[child.get("name", "")] = _method(child)


def _collection(target: ElementSchema, node: ElementTree.Element) -> None:
    names = [n.strip() for n in node.get("addElement", "").split(",") if n.strip()]
    if target.collection is None:
        target.collection = CollectionSchema(
            add_names=names,
            remove_name=node.get("removeElement", ""),
            clear_name=node.get("clearElement", ""),
            default_element=node.get("defaultElement", ""),
            merge_append=node.get("mergeAppend", "true").lower() != "false",
            allow_duplicates=_flag(node, "allowDuplicates"),
            item=ElementSchema(names[0] if names else ""),
        )
    item = target.collection.item
    item.allow_unrecognized_attributes |= _flag(node, "allowUnrecognizedAttributes")
    _fill(item, node)


def _method(node: ElementTree.Element) -> MethodSchema:
    method = MethodSchema(node.get("name", ""))
    for child in node:
        schema = ElementSchema(child.tag)
        _fill(schema, child)
        if child.tag == "inputElement":
            method.input = schema
        else:
            method.output = schema
    return method


def _attribute(node: ElementTree.Element) -> AttributeSchema:
    return AttributeSchema(
        name=node.get("name", ""),
        type=node.get("type", "string"),
        default_text=node.get("defaultValue"),
        required=_flag(node, "required"),
        is_unique_key=_flag(node, "isUniqueKey"),
        is_combined_key=_flag(node, "isCombinedKey"),
        case_sensitive=_flag(node, "caseSensitive"),
        encrypted=_flag(node, "encrypted"),
        expanded=_flag(node, "expanded"),
        allow_infinite=_flag(node, "allowInfinite"),
        timespan_format=node.get("timeSpanFormat", "string"),
        validation_type=node.get("validationType", ""),
        validation_parameter=node.get("validationParameter", ""),
        values=[(v.get("name", ""), int(v.get("value", "0"))) for v in node if v.tag in ("enum", "flag")],
        dynamic=node.get("extension") is not None,
    )


def _flag(node: ElementTree.Element, name: str) -> bool:
    return node.get(name, "false").lower() == "true"
