"""System.Text.RegularExpressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from winlab.powershell.objects import EnumValue, NetObject, PSArray

from . import regexes
from .core import ctor, indexer, method, net_type, prop, static, static_prop
from .declare import need, net_errors, out_of_range, overloads
from .system import Enumerator, copy_array
from .time import TimeSpan


class _Results(NetObject):
    """A read-only list of captures, groups or matches."""

    items: list[Any]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    def at(self, index: int) -> Any:
        if not 0 <= index < len(self.items):
            raise out_of_range("i")
        return self.items[index]

    def copy(self, target: Any, index: int) -> None:
        copy_array(PSArray(self.items), 0, need(target, "array"), index, len(self.items))


@net_type("System.Text.RegularExpressions.Capture")
class Capture(NetObject):
    def __init__(self, index: int, text: str) -> None:
        self.index = index
        self.text = text

    def __str__(self) -> str:
        return self.text

    @prop("Index : Int32 get")
    def get_index(self) -> int:
        return self.index

    @prop("Length : Int32 get")
    def length(self) -> int:
        return len(self.text)

    @prop("Value : String get")
    def value(self) -> str:
        return self.text

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.text


@net_type("System.Text.RegularExpressions.CaptureCollection", interfaces=("Collections.ICollection",))
class CaptureCollection(_Results):
    def __init__(self, items: list[Any]) -> None:
        self.items = items

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : Text.RegularExpressions.Capture")
    def item(self, index: int) -> Any:
        return self.at(index)

    @method("CopyTo(Array,Int32) : Void")
    def copy_to(self, target: Any, index: int) -> None:
        self.copy(target, index)

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


@net_type("System.Text.RegularExpressions.Group")
class Group(Capture):
    def __init__(self, index: int, text: str, success: bool, captures: list[tuple[int, str]]) -> None:
        super().__init__(index, text)
        self.success = success
        self.spans = captures

    @prop("Success : Boolean get")
    def get_success(self) -> bool:
        return self.success

    @prop("Captures : Text.RegularExpressions.CaptureCollection get")
    def captures(self) -> CaptureCollection:
        return CaptureCollection([Capture(index, text) for index, text in self.spans])


@net_type("System.Text.RegularExpressions.GroupCollection", interfaces=("Collections.ICollection",))
class GroupCollection(_Results):
    def __init__(self, items: list[Any], compiled: regexes.Compiled | None) -> None:
        self.items = items
        self.compiled = compiled

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self) -> bool:
        return True

    @indexer("Item[Int32] : Text.RegularExpressions.Group")
    def item(self, number: int) -> Any:
        if self.compiled is not None and number in self.compiled.groups:
            return self.items[self.compiled.numbers.index(number)]
        return FAILED

    @indexer("Item[String] : Text.RegularExpressions.Group")
    def named(self, name: str) -> Any:
        return self.item(self.compiled.number_of(name) if self.compiled is not None else -1)

    @method("CopyTo(Array,Int32) : Void")
    def copy_to(self, target: Any, index: int) -> None:
        self.copy(target, index)

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


FAILED = Group(0, "", False, [])


@net_type("System.Text.RegularExpressions.Match")
class Match(Group):
    """A match; `found` is the Python match or None for a failed one."""

    def __init__(self, compiled: regexes.Compiled | None, found: Any, end: int | None = None) -> None:
        self.compiled = compiled
        self.found = found
        self.end = end
        if found is None:
            super().__init__(0, "", False, [])
        else:
            super().__init__(found.start(), found.group(), True, [(found.start(), found.group())])

    @static_prop("Empty : Text.RegularExpressions.Match get")
    def empty() -> Match:
        return Match(None, None)

    @prop("Groups : Text.RegularExpressions.GroupCollection get")
    def groups(self) -> GroupCollection:
        if self.compiled is None or self.found is None:
            return GroupCollection([self], None)
        items: list[Any] = [self]
        for number in self.compiled.numbers[1:]:
            spans = self.compiled.captures(self.found, number)
            if spans and self.compiled.group(self.found, number) is not None:
                items.append(Group(spans[-1][0], spans[-1][1], True, spans))
            else:
                items.append(FAILED)
        return GroupCollection(items, self.compiled)

    @method("NextMatch() : Text.RegularExpressions.Match")
    def next_match(self) -> Match:
        if self.compiled is None or self.found is None:
            return self
        start = self.found.end() + (1 if self.found.end() == self.found.start() else 0)
        if start > len(self.found.string):
            return Match(self.compiled, None)
        return Match(self.compiled, self.compiled.search(self.found.string, start, self.end), self.end)

    @method("Result(String) : String")
    def result(self, replacement: str) -> str:
        from .declare import not_supported

        if self.compiled is None or self.found is None:
            raise not_supported("Result cannot be called on a failed Match.")
        return self.compiled.expand(
            self.found, regexes.parse_replacement(self.compiled, need(replacement, "replacement"))
        )


@net_type("System.Text.RegularExpressions.MatchCollection", interfaces=("Collections.ICollection",))
class MatchCollection(_Results):
    def __init__(self, items: list[Any]) -> None:
        self.items = items

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self) -> bool:
        return True

    @indexer("Item[Int32] : Text.RegularExpressions.Match")
    def item(self, index: int) -> Any:
        return self.at(index)

    @method("CopyTo(Array,Int32) : Void")
    def copy_to(self, target: Any, index: int) -> None:
        self.copy(target, index)

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


def compile_net(pattern: str, options: Any = 0) -> regexes.Compiled:
    """A compiled pattern; ArgumentException of .NET when it does not parse."""
    number = options.value if isinstance(options, EnumValue) else int(options)
    with net_errors():
        return regexes.compile_pattern(need(pattern, "pattern"), number)


def _static_arguments(arguments: tuple[Any, ...]) -> int:
    return next((item.value for item in arguments if isinstance(item, EnumValue)), 0)


def _replace(compiled: regexes.Compiled, text: str, replacement: Any, count: int = -1, start: int = 0) -> str:
    need(text, "input")
    if isinstance(replacement, str):
        return compiled.replace(text, replacement, count, start)
    need(replacement, "evaluator" if callable(replacement) else "replacement")
    out: list[str] = []
    position = 0
    for found in compiled.find_all(text, start):
        if count == 0:
            break
        count -= 1
        out.append(text[position : found.start()])
        out.append(_text_of(replacement, Match(compiled, found)))
        position = found.end()
    out.append(text[position:])
    return "".join(out)


def _text_of(evaluator: Callable[[Match], Any], match: Match) -> str:
    from .values import net_string

    return net_string(evaluator(match))


@net_type("System.Text.RegularExpressions.Regex")
class Regex(NetObject):
    def __init__(self, compiled: regexes.Compiled) -> None:
        self.compiled = compiled

    def __str__(self) -> str:
        return self.compiled.pattern

    @ctor("(String)")
    @ctor("(String,Text.RegularExpressions.RegexOptions)")
    @ctor("(String,Text.RegularExpressions.RegexOptions,TimeSpan)")
    def new(self, pattern: str, options: Any = 0, timeout: Any = None) -> None:
        self.compiled = compile_net(pattern, options)

    @static_prop("CacheSize : Int32")
    def cache_size() -> int:
        return 15

    @static_prop("InfiniteMatchTimeout : TimeSpan")
    def infinite() -> TimeSpan:
        return TimeSpan(-10000)

    @prop("MatchTimeout : TimeSpan get")
    def match_timeout(self) -> TimeSpan:
        return TimeSpan(-10000)

    @prop("Options : Text.RegularExpressions.RegexOptions get")
    def options(self) -> int:
        return self.compiled.options

    @prop("RightToLeft : Boolean get")
    def right_to_left(self) -> bool:
        return False

    @static("Escape(String) : String")
    def escape(text: str) -> str:
        return regexes.escape(need(text, "str"))

    @static("Unescape(String) : String")
    def unescape(text: str) -> str:
        with net_errors():
            return regexes.unescape(need(text, "str"))

    @method("GetGroupNames() : String[]")
    def get_group_names(self) -> list[str]:
        return [self.compiled.names[number] for number in self.compiled.numbers]

    @method("GetGroupNumbers() : Int32[]")
    def get_group_numbers(self) -> list[int]:
        return list(self.compiled.numbers)

    @method("GroupNameFromNumber(Int32) : String")
    def group_name_from_number(self, number: int) -> str:
        return self.compiled.names.get(number, "")

    @method("GroupNumberFromName(String) : Int32")
    def group_number_from_name(self, name: str) -> int:
        return self.compiled.number_of(need(name, "name"))

    @overloads("System.Text.RegularExpressions.Regex", "IsMatch", only="String,String")
    def is_match_static(text: str, pattern: str, *arguments: Any) -> bool:
        return compile_net(pattern, _static_arguments(arguments)).search(need(text, "input")) is not None

    @method("IsMatch(String) : Boolean")
    @method("IsMatch(String,Int32) : Boolean")
    def is_match(self, text: str, start: int = 0) -> bool:
        return self.compiled.search(need(text, "input"), _start(text, start)) is not None

    @overloads("System.Text.RegularExpressions.Regex", "Match", only="String,String")
    def match_static(text: str, pattern: str, *arguments: Any) -> Match:
        compiled = compile_net(pattern, _static_arguments(arguments))
        return Match(compiled, compiled.search(need(text, "input")))

    @method("Match(String) : Text.RegularExpressions.Match")
    @method("Match(String,Int32) : Text.RegularExpressions.Match")
    def match(self, text: str, start: int = 0) -> Match:
        return Match(self.compiled, self.compiled.search(need(text, "input"), _start(text, start)))

    @method("Match(String,Int32,Int32) : Text.RegularExpressions.Match")
    def match_part(self, text: str, start: int, length: int) -> Match:
        end = _start(need(text, "input"), start) + length
        return Match(self.compiled, self.compiled.search(text, start, end), end)

    @overloads("System.Text.RegularExpressions.Regex", "Matches", only="String,String")
    def matches_static(text: str, pattern: str, *arguments: Any) -> MatchCollection:
        compiled = compile_net(pattern, _static_arguments(arguments))
        return MatchCollection([Match(compiled, found) for found in compiled.find_all(need(text, "input"))])

    @method("Matches(String) : Text.RegularExpressions.MatchCollection")
    @method("Matches(String,Int32) : Text.RegularExpressions.MatchCollection")
    def matches(self, text: str, start: int = 0) -> MatchCollection:
        found = self.compiled.find_all(need(text, "input"), _start(text, start))
        return MatchCollection([Match(self.compiled, one) for one in found])

    @overloads("System.Text.RegularExpressions.Regex", "Replace", only="String,String,", skip=("Int32",))
    def replace_static(text: str, pattern: str, replacement: Any, *arguments: Any) -> str:
        return _replace(compile_net(pattern, _static_arguments(arguments)), text, replacement)

    @overloads(
        "System.Text.RegularExpressions.Regex",
        "Replace",
        skip=("String,String,String", "String,String,Text", "RegexOptions"),
    )
    def replace(self, text: str, replacement: Any, count: int = -1, start: int = 0) -> str:
        return _replace(self.compiled, text, replacement, count, start)

    @overloads("System.Text.RegularExpressions.Regex", "Split", only="String,String")
    def split_static(text: str, pattern: str, *arguments: Any) -> list[str]:
        return compile_net(pattern, _static_arguments(arguments)).split(need(text, "input"))

    @method("Split(String) : String[]")
    @method("Split(String,Int32) : String[]")
    @method("Split(String,Int32,Int32) : String[]")
    def split(self, text: str, count: int = 0, start: int = 0) -> list[str]:
        if count < 0:
            raise out_of_range("count", "Count cannot be less than -1.")
        return self.compiled.split(need(text, "input"), count, start)

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.compiled.pattern


def _start(text: str, start: int) -> int:
    if not 0 <= start <= len(text):
        raise out_of_range("startat", "Start index cannot be less than 0 or greater than input length.")
    return start
