"""Microsoft.PowerShell.Utility's cmdlets for objects, variables, streams and scripts."""

from __future__ import annotations

import random
import time
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from winlab.powershell.commands.core import (
    Cmdlet,
    SetInfo,
    ValidateNotNullOrEmpty,
    ValidateRange,
    ValidationError,
    Validator,
    cmdlet,
    parameter,
    switch,
)
from winlab.powershell.dotnet.core import NetType, find_type, get_type, net_type, prop, type_of
from winlab.powershell.errors import SMA, ErrorRecord, LabUnsupported, NetException, StopUpstream, TerminatingError
from winlab.powershell.objects import (
    AutomationNull,
    Char,
    Dictionary,
    Hashtable,
    Int64,
    NetObject,
    PSArray,
    PSCustomObject,
    PSMember,
    ScriptBlock,
    unwrap,
)
from winlab.powershell.runtime import conversion, members, operators
from winlab.powershell.runtime.commands import AliasInfo, HostInformationMessage, InformationRecord
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_bool, to_string
from winlab.powershell.runtime.invoke import construct, new_array
from winlab.powershell.runtime.scopes import DynamicVariable, Scope, Variable
from winlab.powershell.runtime.wildcard import has_wildcards, wildcard

UTILITY = "Microsoft.PowerShell.Utility"
PSOBJECT = "Management.Automation.PSObject"
SCRIPT_BLOCK = "Management.Automation.ScriptBlock"
MISSING = members.MISSING


# --------------------------------------------------------------------------------------------------- property expressions


class Expression:
    """One item of ``-Property``: a name, a wildcard, a script block, or a hashtable of these with options."""

    def __init__(self, value: Any, allowed: tuple[str, ...]) -> None:
        self.options: dict[str, Any] = {}
        self.label: str | None = None
        base = unwrap(value)
        if isinstance(base, Dictionary):
            for key, item in base.items():
                self._option(to_string(key), item, allowed)
            base = unwrap(self.options.get("expression", self.label))
        self.block = base if isinstance(base, ScriptBlock) else None
        self.name = to_string(base) if self.block is None else ""

    def _option(self, key: str, value: Any, allowed: tuple[str, ...]) -> None:
        lower = key.lower()
        for name in allowed:
            if name.startswith(lower):
                if name in ("name", "label"):
                    self.label = to_string(value)
                else:
                    self.options[name] = value
                return
        raise NetException(
            "System.NotSupportedException",
            f"The {key} key is not valid.",
            error_id="DictionaryKeyUnknown",
            category="InvalidArgument",
        )

    @property
    def shown(self) -> str:
        """The name of the column."""
        if self.label is not None:
            return self.label
        return self.block.text.strip() if self.block is not None else self.name

    def value(self, runtime: Any, item: Any) -> Any:
        """The value for an object; MISSING when it has no such property."""
        if self.block is not None:
            result = runtime.call_block(self.block, underscore=item)
            return None if result is AutomationNull else result
        base = unwrap(item)
        if base is None:
            return MISSING
        if isinstance(base, Dictionary) and self.name in base:
            return base[self.name]
        found = members.find_member(item, self.name)
        if found is MISSING or isinstance(found, members.PSMethodInfo):
            if not isinstance(base, PSCustomObject):
                members.refuse_if_real(type_of(base), self.name)
            return MISSING
        return found

    def expand(self, item: Any) -> list[str]:
        """The names of an object's properties that a wildcard stands for."""
        test = wildcard(self.name)
        return [p.name for p in members.properties(item) if test(p.name)]


def expressions(values: Any, *allowed: str) -> list[Expression]:
    """The items of a ``-Property`` argument."""
    result: list[Expression] = []
    for value in values or []:
        if is_enumerable(value):
            result.extend(Expression(v, allowed) for v in iterate(value))
        else:
            result.append(Expression(value, allowed))
    return result


# --------------------------------------------------------------------------------------------------------- Select-Object


@cmdlet("Select-Object", module=UTILITY, default_set="DefaultParameter", aliases=("select",))
class SelectObject(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    property = parameter(
        "Property",
        "Object[]",
        roles={"DefaultParameter": SetInfo(position=0), "SkipLastParameter": SetInfo(position=0)},
    )
    exclude = parameter("ExcludeProperty", "String[]", sets=("DefaultParameter", "SkipLastParameter"))
    expand = parameter("ExpandProperty", "String", sets=("DefaultParameter", "SkipLastParameter"))
    unique = switch("Unique")
    last = parameter("Last", "Int32", sets=("DefaultParameter",), validate=(ValidateRange(0, 2**31 - 1),))
    first = parameter("First", "Int32", sets=("DefaultParameter",), validate=(ValidateRange(0, 2**31 - 1),))
    skip = parameter("Skip", "Int32", sets=("DefaultParameter",), default=0, validate=(ValidateRange(0, 2**31 - 1),))
    skip_last = parameter(
        "SkipLast", "Int32", sets=("SkipLastParameter",), default=0, validate=(ValidateRange(0, 2**31 - 1),)
    )
    wait = switch("Wait", sets=("DefaultParameter", "IndexParameter"))
    index = parameter("Index", "Int32[]", sets=("IndexParameter",), validate=(ValidateRange(0, 2**31 - 1),))

    def begin(self) -> None:
        self.expressions = expressions(self.property, "expression", "name", "label")
        self.skipped = 0
        self.taken = 0
        self.held: list[Any] = []
        self.seen: list[Any] = []
        self.position = -1
        self.wanted = sorted(set(self.index)) if self.index is not None else None
        if self.first == 0 and self.last is None and not self.wait and self.first is not None:
            self.done = True
        else:
            self.done = False

    def process(self) -> None:
        if "inputobject" not in self.bound:
            return
        if self.done:
            raise StopUpstream(self.processor)
        value = self.input_object
        self.position += 1
        if self.wanted is not None:
            self._by_index(value)
        elif self.skip_last:
            self.held.append(value)
            if len(self.held) > self.skip_last:
                self._select(self.held.pop(0))
        elif self.last is not None:
            self._with_last(value)
        elif self.skipped < self.skip:
            self.skipped += 1
        elif self.first is not None:
            if self.taken < self.first:
                self.taken += 1
                self._select(value)
            if self.taken >= self.first and not self.wait:
                raise StopUpstream(self.processor)
        else:
            self._select(value)

    def _by_index(self, value: Any) -> None:
        assert self.wanted is not None
        if self.position in self.wanted:
            self._select(value)
        if self.wanted and self.position >= self.wanted[-1] and not self.wait:
            raise StopUpstream(self.processor)

    def _with_last(self, value: Any) -> None:
        if self.first is not None and self.taken < self.first:
            if self.skipped < self.skip:
                self.skipped += 1
                return
            self.taken += 1
            self._select(value)
            return
        self.held.append(value)
        if len(self.held) > (self.last or 0) + self.skip:
            self.held.pop(0)

    def end(self) -> None:
        if self.last is not None:
            items = self.held
            if self.skip and self.first is None:
                items = items[: max(len(items) - self.skip, 0)]
            for value in items[-self.last :] if self.last else []:
                self._select(value)
        if self.unique:
            for item in self.seen:
                self.write(item)

    def _select(self, value: Any) -> None:
        if value is None and not self.expressions:
            self._out(value)
            return
        if self.expand is not None:
            self._expand(value)
            return
        if not self.expressions and self.exclude is None:
            self._out(value)
            return
        self._out(self._project(value))

    def _project(self, value: Any) -> PSCustomObject:
        made = PSCustomObject()
        excluded = [wildcard(e) for e in self.exclude or []]
        items = self.expressions or expressions(["*"])
        for item in items:
            if item.block is None and has_wildcards(item.name):
                for name in item.expand(value):
                    if not any(e(name) for e in excluded):
                        self._add(made, name, members.get_member(value, name))
                continue
            found = self._evaluate(item, value)
            name = item.shown
            if not any(e(name) for e in excluded):
                self._add(made, name, None if found is MISSING else found)
        kind = members.type_names(value)[0] if unwrap(value) is not None else "System.Object"
        made.ps_type_names = [f"Selected.{kind}", SMA + "PSCustomObject", "System.Object"]
        return made

    def _evaluate(self, item: Expression, value: Any) -> Any:
        try:
            return item.value(self.runtime, value)
        except (TerminatingError, NetException):
            return None  # a calculated property that fails is null

    def _add(self, made: PSCustomObject, name: str, value: Any) -> None:
        if name.lower() in made.ps_members:
            self.write_error(
                self.error(
                    SMA + "PSArgumentException",
                    f'The property cannot be processed because the property "{name}" already exists.',
                    "AlreadyExistingUserSpecifiedPropertyNoExpand",
                    "InvalidOperation",
                    made,
                )
            )
            return
        made.ps_members[name.lower()] = PSMember("NoteProperty", name, value)

    def _expand(self, value: Any) -> None:
        item = Expression(self.expand, ())
        found = item.value(self.runtime, value)
        if found is MISSING and has_wildcards(item.name):
            names = item.expand(value)
            found = members.get_member(value, names[0]) if len(names) == 1 else MISSING
        if found is MISSING:
            self.write_error(
                self.error(
                    SMA + "PSArgumentException",
                    f'Property "{self.expand}" cannot be found.',
                    "ExpandPropertyNotFound",
                    "InvalidArgument",
                    value,
                )
            )
            return
        parts = list(iterate(found)) if is_enumerable(found) else [found]
        for part in parts:
            if self.expressions:
                target, own = members.ensure_members(part)
                for note in self._project(value).ps_members.values():
                    own.setdefault(note.name.lower(), note)
                part = target
            self._out(part)

    def _out(self, value: Any) -> None:
        if not self.unique:
            self.write(value)
            return
        if not any(_same(value, other) for other in self.seen):
            self.seen.append(value)


def _same(one: Any, two: Any) -> bool:
    """Select-Object -Unique: custom objects by their properties, all else by comparison with case."""
    if isinstance(one, PSCustomObject) and isinstance(two, PSCustomObject):
        if list(one.ps_members) != list(two.ps_members):
            return False
        return all(_same_value(m.value, two.ps_members[k].value) for k, m in one.ps_members.items())
    return _same_value(one, two)


def _same_value(one: Any, two: Any) -> bool:
    try:
        return operators.equals(one, two, False)
    except NetException:
        return False


# ----------------------------------------------------------------------------------------------------------- Sort-Object


def compare_values(left: Any, right: Any, ignore_case: bool) -> int:
    """The order of Sort-Object: null first, then by comparison; what does not compare, as text."""
    left, right = unwrap(left), unwrap(right)
    if left is None or right is None:
        return (left is not None) - (right is not None)
    try:
        return operators.compare(left, right, ignore_case)
    except (NetException, TypeError):
        return operators.compare(to_string(left), to_string(right), ignore_case)


@cmdlet("Sort-Object", module=UTILITY, aliases=("sort",))
class SortObject(Cmdlet):
    property = parameter("Property", "Object[]", position=0)
    descending = switch("Descending")
    unique = switch("Unique")
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    culture = parameter("Culture", "String")
    case_sensitive = switch("CaseSensitive")

    def begin(self) -> None:
        self.items: list[Any] = []

    def process(self) -> None:
        if "inputobject" in self.bound and self.input_object is not None:
            self.items.append(self.input_object)

    def end(self) -> None:
        keys = expressions(self.property, "expression", "ascending", "descending")
        ignore_case = not self.case_sensitive
        if len(keys) == 1 and keys[0].block is None and has_wildcards(keys[0].name) and self.items:
            keys = [Expression(name, ()) for name in keys[0].expand(self.items[0])]
        directions = [self._descending(k) for k in keys]
        rows: list[tuple[list[Any], Any]] = []
        for item in self.items:
            values = []
            for key in keys:
                value = key.value(self.runtime, item)
                values.append(value)
            rows.append((values if keys else [item], item))
        if not keys:
            directions = [self.descending]

        def order(one: tuple[list[Any], Any], two: tuple[list[Any], Any]) -> int:
            for a, b, down in zip(one[0], two[0], directions, strict=True):
                if a is MISSING or b is MISSING:
                    if a is b:
                        continue
                    return 1 if a is MISSING else -1  # objects without the property come last
                result = compare_values(a, b, ignore_case)
                if result:
                    return -result if down else result
            return 0

        rows.sort(key=cmp_to_key(order))
        previous: tuple[list[Any], Any] | None = None
        for row in rows:
            if self.unique and previous is not None and order(previous, row) == 0:
                continue
            previous = row
            self.write(row[1])

    def _descending(self, key: Expression) -> bool:
        if "descending" in key.options:
            return to_bool(key.options["descending"])
        if "ascending" in key.options:
            return not to_bool(key.options["ascending"])
        return bool(self.descending)


# ---------------------------------------------------------------------------------------------------------- Group-Object


class GroupInfo(NetObject):
    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self.items: list[Any] = []


@net_type(
    "Microsoft.PowerShell.Commands.GroupInfo", base="System.Object", assembly="Microsoft.PowerShell.Commands.Utility"
)
class _GroupInfo(GroupInfo):
    @prop("Values : Collections.ArrayList get")
    def value_list(self) -> Any:
        from winlab.powershell.runtime.context import current

        return current().new_array_list(list(self.values))

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @prop("Group : Object get")
    def group(self) -> Any:
        from winlab.powershell.runtime.psobjects import collection

        return collection(self.items)

    @prop("Name : String get")
    def name(self) -> str:
        return ", ".join(to_string(v) for v in self.values)


GroupInfo.net_type = _GroupInfo.net_type


@net_type(
    "Microsoft.PowerShell.Commands.GroupInfoNoElement",
    base="Microsoft.PowerShell.Commands.GroupInfo",
    assembly="Microsoft.PowerShell.Commands.Utility",
)
class _GroupInfoNoElement(_GroupInfo):
    @prop("Group : Object get")
    def group(self) -> Any:
        from winlab.powershell.runtime.psobjects import collection

        return collection([])


@cmdlet("Group-Object", module=UTILITY, default_set="HashTable", aliases=("group",))
class GroupObject(Cmdlet):
    property = parameter("Property", "Object[]", position=0)
    no_element = switch("NoElement")
    as_hashtable = switch("AsHashTable", sets=("HashTable",), aliases=("AHT",))
    as_string = switch("AsString", sets=("HashTable",))
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    culture = parameter("Culture", "String")
    case_sensitive = switch("CaseSensitive")

    def begin(self) -> None:
        self.keys = expressions(self.property, "expression")
        self.groups: list[GroupInfo] = []
        self.by_text: dict[str, list[GroupInfo]] = {}

    def process(self) -> None:
        if "inputobject" not in self.bound or self.input_object is None:
            return
        item = self.input_object
        values = []
        for key in self.keys:
            value = key.value(self.runtime, item)
            values.append(None if value is MISSING else value)
        if not self.keys:
            values = [item]
        text = "\0".join(to_string(v) for v in values)
        if not self.case_sensitive:
            text = text.lower()
        for group in self.by_text.get(text, ()):
            if self._equal(group.values, values):
                group.items.append(item)
                return
        made = (_GroupInfoNoElement if self.no_element else _GroupInfo)(values)
        made.items.append(item)
        self.groups.append(made)
        self.by_text.setdefault(text, []).append(made)

    def _equal(self, one: list[Any], two: list[Any]) -> bool:
        return all(compare_values(a, b, not self.case_sensitive) == 0 for a, b in zip(one, two, strict=True))

    def end(self) -> None:
        if not self.as_hashtable:
            for group in self.groups:
                self.write(group)
            return
        table = Hashtable(ignore_case=not self.case_sensitive)
        from winlab.powershell.runtime.psobjects import collection

        for group in self.groups:
            key = (
                group.values[0]
                if len(group.values) == 1 and not self.as_string
                else ", ".join(to_string(v) for v in group.values)
            )
            if unwrap(key) is None:
                key = ""
            table[key] = collection(group.items)
        self.write(table)


# -------------------------------------------------------------------------------------------------------- Measure-Object


class MeasureInfo(NetObject):
    def __init__(self) -> None:
        self.count = 0
        self.average: Any = None
        self.sum: Any = None
        self.maximum: Any = None
        self.minimum: Any = None
        self.property: Any = None


@net_type(
    "Microsoft.PowerShell.Commands.GenericMeasureInfo",
    base="System.Object",
    assembly="Microsoft.PowerShell.Commands.Utility",
)
class _MeasureInfo(MeasureInfo):
    @prop("Count : Int32 get")
    def count_of(self) -> int:
        return self.count

    @prop("Average : Object")
    def average_of(self) -> Any:
        return self.average

    @prop("Sum : Object")
    def sum_of(self) -> Any:
        return self.sum

    @prop("Maximum : Object")
    def maximum_of(self) -> Any:
        return self.maximum

    @prop("Minimum : Object")
    def minimum_of(self) -> Any:
        return self.minimum

    @prop("Property : String")
    def property_of(self) -> Any:
        return self.property


class TextMeasureInfo(NetObject):
    lines: Any = None
    words: Any = None
    characters: Any = None
    property: Any = None


@net_type(
    "Microsoft.PowerShell.Commands.TextMeasureInfo",
    base="System.Object",
    assembly="Microsoft.PowerShell.Commands.Utility",
)
class _TextMeasureInfo(TextMeasureInfo):
    @prop("Lines : Object")
    def line_count(self) -> Any:
        return self.lines

    @prop("Words : Object")
    def word_count(self) -> Any:
        return self.words

    @prop("Characters : Object")
    def character_count(self) -> Any:
        return self.characters

    @prop("Property : String")
    def property_of(self) -> Any:
        return self.property


@cmdlet("Measure-Object", module=UTILITY, default_set="GenericMeasure", aliases=("measure",))
class MeasureObject(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    property = parameter("Property", "String[]", position=0, validate=(ValidateNotNullOrEmpty(),))
    sum = switch("Sum", sets=("GenericMeasure",))
    average = switch("Average", sets=("GenericMeasure",))
    maximum = switch("Maximum", sets=("GenericMeasure",))
    minimum = switch("Minimum", sets=("GenericMeasure",))
    line = switch("Line", sets=("TextMeasure",))
    word = switch("Word", sets=("TextMeasure",))
    character = switch("Character", sets=("TextMeasure",))
    ignore_space = switch("IgnoreWhiteSpace", sets=("TextMeasure",))

    def begin(self) -> None:
        self.values: dict[str, list[Any]] = {}
        self.order: list[str] = []

    def process(self) -> None:
        if "inputobject" not in self.bound or self.input_object is None:
            return
        item = self.input_object
        if self.property is None:
            self._take("", item)
            return
        for name in self.property:
            key = Expression(name, ())
            if has_wildcards(name):
                for expanded in key.expand(item):
                    self._take(expanded, members.get_member(item, expanded))
                continue
            value = key.value(self.runtime, item)
            if value is not MISSING and value is not None:
                self._take(name, value)

    def _take(self, name: str, value: Any) -> None:
        if name not in self.values:
            self.values[name] = []
            self.order.append(name)
        self.values[name].append(value)

    def end(self) -> None:
        if self.property is None and not self.order:
            self.order.append("")
            self.values[""] = []
        for name in self.property or []:
            if name not in self.values and not has_wildcards(name):
                self.write_error(
                    self.error(
                        SMA + "PSArgumentException",
                        f'The property "{name}" cannot be found in the input for any objects.',
                        "GenericMeasurePropertyNotFound",
                        "InvalidArgument",
                        name,
                    )
                )
        for name in self.order:
            values = self.values[name]
            if self.parameter_set == "TextMeasure":
                self._text(name, values)
            else:
                self._generic(name, values)

    def _generic(self, name: str, values: list[Any]) -> None:
        made = _MeasureInfo()
        made.property = name or None
        made.count = len(values)
        if self.sum or self.average:
            total = 0.0
            good = 0
            for value in values:
                number = self._number(value)
                if number is not None:
                    total += number
                    good += 1
            if self.sum:
                made.sum = total if values else None
            if self.average and values:
                made.average = total / good if good else None
        if self.maximum and values:
            made.maximum = self._extreme(values, 1)
        if self.minimum and values:
            made.minimum = self._extreme(values, -1)
        self.write(made)

    def _number(self, value: Any) -> float | None:
        try:
            return float(conversion.convert(unwrap(value), get_type("System.Double")))
        except NetException:
            self.write_error(
                self.error(
                    SMA + "PSInvalidCastException",
                    f'Input object "{to_string(value)}" is not numeric.',
                    "NonNumericInputObject",
                    "InvalidType",
                    value,
                )
            )
            return None

    def _extreme(self, values: list[Any], sign: int) -> Any:
        best = unwrap(values[0])
        for value in values[1:]:
            value = unwrap(value)
            if sign * compare_values(value, best, True) > 0:
                best = value
        if isinstance(best, (int, float, Decimal)) and not isinstance(best, (bool, Char)):
            return float(best)
        return best

    def _text(self, name: str, values: list[Any]) -> None:
        lines = words = characters = 0
        for value in values:
            text = to_string(value)
            lines += len([part for part in text.split("\n") if part.strip() or not self.ignore_space]) if text else 0
            words += len(text.split())
            characters += len("".join(text.split())) if self.ignore_space else len(text)
        made = _TextMeasureInfo()
        made.property = name or None
        if self.line:
            made.lines = lines
        if self.word:
            made.words = words
        if self.character:
            made.characters = characters
        self.write(made)


@cmdlet("Measure-Command", module=UTILITY)
class MeasureCommand(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True)
    expression = parameter("Expression", SCRIPT_BLOCK, position=0, mandatory=True)

    def begin(self) -> None:
        self.elapsed = 0.0

    def process(self) -> None:
        start = time.perf_counter()
        underscore = self.input_object if "inputobject" in self.bound else AutomationNull
        try:
            self.runtime.block_into(
                self.expression,
                lambda value: None,
                (),
                new_scope=False,
                **({} if underscore is AutomationNull else {"underscore": underscore}),
            )
        finally:
            self.elapsed += time.perf_counter() - start

    def end(self) -> None:
        self.write(construct(get_type("System.TimeSpan"), [Int64(int(self.elapsed * 10_000_000))]))


# -------------------------------------------------------------------------------------------------------- Compare-Object


@cmdlet("Compare-Object", module=UTILITY, aliases=("compare", "diff"))
class CompareObject(Cmdlet):
    reference = parameter("ReferenceObject", f"{PSOBJECT}[]", position=0, mandatory=True, allow_empty_collection=True)
    difference = parameter(
        "DifferenceObject", f"{PSOBJECT}[]", position=1, mandatory=True, pipeline=True, allow_empty_collection=True
    )
    sync_window = parameter("SyncWindow", "Int32", default=2**31 - 1)
    property = parameter("Property", "Object[]")
    exclude_different = switch("ExcludeDifferent")
    include_equal = switch("IncludeEqual")
    pass_thru = switch("PassThru")
    culture = parameter("Culture", "String")
    case_sensitive = switch("CaseSensitive")

    def begin(self) -> None:
        self.keys = expressions(self.property, "expression")
        self.right: list[Any] = []

    def process(self) -> None:
        self.right.extend(self.difference)

    def _key(self, item: Any) -> list[Any]:
        if not self.keys:
            return [item]
        return [None if (v := key.value(self.runtime, item)) is MISSING else v for key in self.keys]

    def _equal(self, one: list[Any], two: list[Any]) -> bool:
        for a, b in zip(one, two, strict=True):
            if isinstance(a, PSCustomObject) and isinstance(b, PSCustomObject):
                if to_string(a).lower() != to_string(b).lower():
                    return False
                continue
            try:
                if not operators.equals(a, b, not self.case_sensitive):
                    return False
            except NetException:
                return False
        return True

    def end(self) -> None:
        left = [(self._key(i), i) for i in self.reference]
        right: list[tuple[list[Any], Any]] = [(self._key(i), i) for i in self.right]
        include_equal = self.include_equal or (self.exclude_different and "includeequal" not in self.bound)
        equal: list[Any] = []
        only_left: list[Any] = []
        unmatched = list(range(len(right)))
        for position, (key, item) in enumerate(left):
            found = None
            for place in unmatched:
                if abs(place - position) <= self.sync_window and self._equal(key, right[place][0]):
                    found = place
                    break
            if found is None:
                only_left.append((key, item))
            else:
                unmatched.remove(found)
                equal.append((key, item))
        if include_equal:
            for key, item in equal:
                self._emit(key, item, "==")
        if not self.exclude_different:
            for place in unmatched:
                self._emit(*right[place], "=>")
            for key, item in only_left:
                self._emit(key, item, "<=")

    def _emit(self, key: list[Any], item: Any, side: str) -> None:
        if self.pass_thru:
            target, own = members.ensure_members(item)
            own["sideindicator"] = PSMember("NoteProperty", "SideIndicator", side)
            self.write(target)
            return
        if self.keys:
            pairs = [(k.shown, v) for k, v in zip(self.keys, key, strict=True)]
        else:
            pairs = [("InputObject", item)]
        self.write(PSCustomObject.of([*pairs, ("SideIndicator", side)]))


@cmdlet("Get-Unique", module=UTILITY, default_set="AsString", aliases=("gu",))
class GetUnique(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    as_string = switch("AsString", sets=("AsString",))
    on_type = switch("OnType", roles={"UniqueByType": SetInfo(mandatory=True)})

    def begin(self) -> None:
        self.previous: Any = MISSING

    def process(self) -> None:
        value = self.input_object
        if self.previous is not MISSING:
            if self.on_type:
                same = members.type_names(value)[0] == members.type_names(self.previous)[0]
            elif self.as_string:
                same = to_string(value) == to_string(self.previous)
            else:
                same = compare_values(value, self.previous, False) == 0
            if same:
                return
        self.previous = value
        self.write(value)


# ------------------------------------------------------------------------------------------------------------ New-Object


@cmdlet("New-Object", module=UTILITY, default_set="Net")
class NewObject(Cmdlet):
    type_text = parameter("TypeName", "String", position=0, mandatory=True, sets=("Net",))
    com_object = parameter("ComObject", "String", position=0, mandatory=True, sets=("Com",))
    arguments = parameter("ArgumentList", "Object[]", position=1, sets=("Net",), aliases=("Args",))
    strict = switch("Strict", sets=("Com",))
    property = parameter("Property", "Collections.IDictionary")

    def begin(self) -> None:
        if self.com_object is not None:
            raise LabUnsupported(f"the COM object {self.com_object}")
        name = self.type_text.strip()
        if name.startswith("[") and name.endswith("]"):
            name = name[1:-1]
        t = self.runtime.resolve_type(name)
        if t is None:
            if find_type(name) is None:
                pass
            self.throw(
                self.error(
                    SMA + "PSArgumentException",
                    f"Cannot find type [{self.type_text}]: verify that the assembly containing this type is loaded.",
                    "TypeNotFound",
                    "InvalidType",
                )
            )
        made = self._make(t)
        if self.property is not None:
            made = self._set_properties(made)
        self.write(made)

    def _make(self, t: NetType) -> Any:
        arguments = [unwrap(a) if not isinstance(a, PSCustomObject) else a for a in self.arguments or []]
        if t.full_name in (SMA + "PSObject", SMA + "PSCustomObject"):
            if arguments:
                return conversion.convert(arguments[0], t)
            return PSCustomObject()
        if t.is_array:
            assert t.element_type is not None
            return new_array(t.element_type, [conversion.to_integer(a, get_type("System.Int32")) for a in arguments])
        try:
            return construct(t, arguments)
        except NetException as error:
            inner = error.inner
            if error.type_name == SMA + "MethodInvocationException":
                failure = NetException(error.type_name, error.message, inner)
                self.throw(ErrorRecord(failure, "ConstructorInvokedThrowException", "InvalidOperation"))
            if error.error_id == "MethodCountCouldNotFindBest":
                text = (
                    "A constructor was not found. Cannot find an appropriate constructor for type "
                    f"{t.full_name if '`' not in t.full_name else conversion.type_display(t)}."
                )
                failure = NetException(SMA + "PSArgumentException", text)
                self.throw(ErrorRecord(failure, "CannotFindAppropriateCtor", "ObjectNotFound"))
            self.throw(ErrorRecord(error, "ConstructorInvokedThrowException", "InvalidOperation"))

    def _set_properties(self, made: Any) -> Any:
        for key, value in self.property.items():
            name = to_string(key)
            if isinstance(made, PSCustomObject):
                made.ps_members[name.lower()] = PSMember("NoteProperty", name, value)
                continue
            found = members.find_member(made, name)
            if isinstance(found, members.PSMethodInfo):
                members.invoke_member(made, name, list(iterate(value)) if is_enumerable(value) else [value])
                continue
            try:
                members.set_member(made, name, value)
            except NetException as error:
                if error.error_id in ("PropertyNotFound",):
                    self.write_error(
                        self.error(
                            "System.InvalidOperationException",
                            f'The member "{name}" was not found for the specified .NET object.',
                            "InvalidOperationException",
                            "InvalidOperation",
                        )
                    )
                else:
                    raise
        return made


@cmdlet("Add-Type", module=UTILITY, default_set="FromSource")
class AddType(Cmdlet):
    assembly_name = parameter("AssemblyName", "String[]", mandatory=True, sets=("FromAssemblyName",), aliases=("AN",))
    type_definition = parameter("TypeDefinition", "String", position=0, mandatory=True, sets=("FromSource",))
    name = parameter("Name", "String", position=0, mandatory=True, sets=("FromMember",))
    member_definition = parameter("MemberDefinition", "String[]", position=1, mandatory=True, sets=("FromMember",))
    namespace = parameter("Namespace", "String", sets=("FromMember",), aliases=("NS",))
    path = parameter("Path", "String[]", position=0, mandatory=True, sets=("FromPath",))
    literal_path = parameter("LiteralPath", "String[]", mandatory=True, sets=("FromLiteralPath",), aliases=("PSPath",))
    pass_thru = switch("PassThru")

    def end(self) -> None:
        if self.assembly_name is not None:
            for name in self.assembly_name:
                if not self.runtime.load_assembly(name):
                    self.throw(
                        self.error(
                            "System.Exception",
                            f"Cannot add type. The assembly '{name}' could not be found.",
                            "ASSEMBLY_NOT_FOUND",
                            "ObjectNotFound",
                            name,
                        )
                    )
            return
        if self.path is not None or self.literal_path is not None:
            for path in self.path or self.literal_path:
                if not self.runtime.load_assembly(path):
                    raise LabUnsupported(f"loading the assembly {path}")
            return
        if self.member_definition is not None:
            from winlab.powershell.runtime import interop

            made = interop.define(self.runtime, self.namespace, self.name, "\n".join(self.member_definition))
            if self.pass_thru:
                self.write(made)
            return
        raise LabUnsupported("compiling C# (Add-Type -TypeDefinition)")


# ------------------------------------------------------------------------------------------------------------ members


class _NoMemberType(Validator):
    """A note property may not be called like a kind of member: ``Add-Member NoteProperty a 1`` means the other parameter set."""

    def check(self, value: Any, runtime: Any) -> None:
        if any(value.lower() == name.lower() for name in get_type(SMA + "PSMemberTypes").enum_values):
            raise ValidationError(f"The parameter cannot be processed because the name {value} is a member type.")


@cmdlet("Add-Member", module=UTILITY, default_set="TypeNameSet")
class AddMember(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, mandatory=True, pipeline=True)
    member_type = parameter(
        "MemberType",
        "Management.Automation.PSMemberTypes",
        position=0,
        mandatory=True,
        sets=("MemberSet",),
        aliases=("Type",),
    )
    name = parameter("Name", "String", position=1, mandatory=True, sets=("MemberSet",))
    value = parameter("Value", "Object", position=2, sets=("MemberSet",))
    second_value = parameter("SecondValue", "Object", position=3, sets=("MemberSet",))
    type_name_of = parameter(
        "TypeName",
        "String",
        roles={
            "TypeNameSet": SetInfo(mandatory=True),
            "MemberSet": SetInfo(),
            "NotePropertySingleMemberSet": SetInfo(),
            "NotePropertyMultiMemberSet": SetInfo(),
        },
    )
    force = switch("Force", sets=("MemberSet", "NotePropertySingleMemberSet", "NotePropertyMultiMemberSet"))
    pass_thru = switch("PassThru")
    note_name = parameter(
        "NotePropertyName",
        "String",
        position=0,
        mandatory=True,
        sets=("NotePropertySingleMemberSet",),
        validate=(_NoMemberType(), ValidateNotNullOrEmpty()),
    )
    note_value = parameter(
        "NotePropertyValue",
        "Object",
        position=1,
        mandatory=True,
        sets=("NotePropertySingleMemberSet",),
        allow_null=True,
    )
    note_members = parameter(
        "NotePropertyMembers",
        "Collections.IDictionary",
        position=0,
        mandatory=True,
        sets=("NotePropertyMultiMemberSet",),
    )

    def process(self) -> None:
        target, own = members.ensure_members(self.input_object)
        if self.note_members is not None:
            for key, value in self.note_members.items():
                self._add(target, own, PSMember("NoteProperty", to_string(key), value))
        elif self.note_name is not None:
            self._add(target, own, PSMember("NoteProperty", self.note_name, self.note_value))
        elif self.member_type is not None:
            self._add(target, own, self._member())
        if self.type_name_of:
            members.add_type_name(target, self.type_name_of)
        if self.pass_thru:
            self.write(target)

    def _member(self) -> PSMember:
        kind = self.member_type.name
        if kind in ("ScriptProperty", "ScriptMethod"):
            block = conversion.convert(self.value, get_type(SMA + "ScriptBlock"))
            return PSMember(kind, self.name, block, self.second_value)
        if kind == "AliasProperty":
            return PSMember(kind, self.name, to_string(self.value))
        if kind == "NoteProperty":
            return PSMember(kind, self.name, self.value)
        raise LabUnsupported(f"Add-Member -MemberType {kind}")

    def _add(self, target: Any, own: dict[str, PSMember], member: PSMember) -> None:
        key = member.name.lower()
        if key in own and not self.force:
            self.write_error(
                self.error(
                    "System.InvalidOperationException",
                    f'Cannot add a member with the name "{member.name}" because a member with that name already exists. To overwrite the '
                    "member anyway, add the Force parameter to your command.",
                    "MemberAlreadyExists",
                    "InvalidOperation",
                    target,
                )
            )
            return
        own.pop(key, None)
        own[key] = member


class MemberDefinition(NetObject):
    """One line of Get-Member."""

    def __init__(self, type_name: str, name: str, kind: str, definition: str) -> None:
        self.type_name = type_name
        self.name = name
        self.kind = kind
        self.definition = definition


@net_type(
    "Microsoft.PowerShell.Commands.MemberDefinition",
    base="System.Object",
    assembly="Microsoft.PowerShell.Commands.Utility",
)
class _MemberDefinition(MemberDefinition):
    @prop("TypeName : String get")
    def type_of_owner(self) -> str:
        return self.type_name

    @prop("Name : String get")
    def member_name(self) -> str:
        return self.name

    @prop("MemberType : Management.Automation.PSMemberTypes get")
    def member_kind(self) -> str:
        return self.kind

    @prop("Definition : String get")
    def member_definition(self) -> str:
        return self.definition

    def __str__(self) -> str:
        return self.definition


@cmdlet("Get-Member", module=UTILITY, aliases=("gm",))
class GetMember(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    names = parameter("Name", "String[]", position=0)
    member_type = parameter("MemberType", "Management.Automation.PSMemberTypes", aliases=("Type",))
    static = switch("Static")
    force = switch("Force")

    def begin(self) -> None:
        self.seen: set[str] = set()
        self.any = False

    def process(self) -> None:
        if "inputobject" not in self.bound or self.input_object is None:
            return
        self.any = True
        value = self.input_object
        type_name = members.type_names(value)[0]
        if self.static and isinstance(unwrap(value), NetType):
            type_name = unwrap(value).full_name
        if type_name in self.seen:
            return
        self.seen.add(type_name)
        found = self._static(unwrap(value)) if self.static else self._instance(value)
        tests = [wildcard(n) for n in self.names or ["*"]]
        kinds = get_type(SMA + "PSMemberTypes")
        wanted = self.member_type.value if self.member_type is not None else 8191
        for kind, name, definition in sorted(
            found, key=lambda m: (kinds.enum_values[m[0]] not in (64, 128, 256), kinds.enum_values[m[0]], m[1].lower())
        ):
            if any(t(name) for t in tests) and kinds.enum_values[kind] & wanted:
                self.write(_MemberDefinition(type_name, name, kind, definition))

    def _instance(self, value: Any) -> list[tuple[str, str, str]]:
        from winlab.powershell.dotnet.core import ACCELERATOR_BY_TYPE
        from winlab.powershell.runtime.psobjects import overload_definitions

        found = []
        for item in members.properties(value):
            if item.kind == "Property" and item.type_text is not None:
                try:
                    t = conversion.resolve_parameter(item.type_text, type_of(unwrap(value)))
                    shown = ACCELERATOR_BY_TYPE.get(t.full_name, conversion.type_display(t))
                except KeyError:
                    shown = item.type_text
                definition = f"{shown} {item.name} {{get;{'set;' if item.setter else ''}}}"
            elif item.kind == "NoteProperty":
                current = unwrap(item.getter())
                shown = (
                    "object"
                    if current is None
                    else ACCELERATOR_BY_TYPE.get(type_of(current).full_name, conversion.type_display(type_of(current)))
                )
                definition = f"{shown} {item.name}={to_string(item.getter())}"
            elif item.kind == "AliasProperty" and item.member is None:
                definition = f"{item.name} = Length"
            elif item.kind == "AliasProperty":
                definition = f"{item.name} = {item.member.value}"
            elif item.member is not None and isinstance(item.member.value, ScriptBlock):
                definition = f"System.Object {item.name} {{get={item.member.value.text};}}"
            else:
                definition = f"System.Object {item.name} {{get;}}"
            found.append((item.kind, item.name, definition))
        if isinstance(value, PSCustomObject):
            for name, text in (
                ("Equals", "bool Equals(System.Object obj)"),
                ("GetHashCode", "int GetHashCode()"),
                ("GetType", "type GetType()"),
                ("ToString", "string ToString()"),
            ):
                found.append(("Method", name, text))
        for entry in members.methods(value):
            kind = "ScriptMethod" if entry.member is not None else "Method"
            if entry.group is not None or entry.member is not None:
                found.append((kind, entry.name, ", ".join(overload_definitions(entry))))
        return found

    def _static(self, value: Any) -> list[tuple[str, str, str]]:
        t = value if isinstance(value, NetType) else type_of(value)
        found = [("Property", p.name, f"static {p.type_text} {p.name} {{get;}}") for p in t.all_props(True)]
        found += [
            ("Property", name, f"static {t.full_name} {name} {{get;}}") for name in (t.enum_values if t.is_enum else ())
        ]
        found += [("Method", name, name) for name in t.method_names(True)]
        return found

    def end(self) -> None:
        if not self.any:
            self.write_error(
                self.error(
                    "System.InvalidOperationException",
                    "You must specify an object for the Get-Member cmdlet.",
                    "NoObjectInGetMember",
                    "CloseError",
                )
            )


# ----------------------------------------------------------------------------------------------------------- variables


def scope_of(cmdlet_object: Cmdlet, text: str | None) -> Scope:
    """The scope that ``-Scope`` means: Global, Local, Script, or how many levels up."""
    scope = cmdlet_object.processor.frame.scope
    if text is None or text.lower() == "local" or text.lower() == "private":
        return scope
    lower = text.lower()
    if lower == "global":
        return scope.top()
    if lower == "script":
        return scope.script()
    if lower.isdigit():
        for _ in range(int(lower)):
            if scope.parent is None:
                cmdlet_object.throw(
                    cmdlet_object.error(
                        SMA + "PSArgumentOutOfRangeException",
                        f"The scope number '{text}' exceeds the number of active scopes.",
                        "ScopeIDExceedsAvailableScopes",
                        "InvalidArgument",
                    )
                )
            scope = scope.parent
        return scope
    cmdlet_object.throw(
        cmdlet_object.error(
            SMA + "PSArgumentException",
            'Cannot process argument because the value of argument "scope" is not valid. Change the value of the "scope" argument and run '
            "the operation again.",
            "Argument",
            "InvalidArgument",
        )
    )


class _VariableCommand(Cmdlet):
    names: Any = None
    include: Any = None
    exclude: Any = None
    scope: Any = None
    force: Any = False

    def matching(self, names: Any, *, missing: bool = True) -> list[tuple[Scope, Variable]]:
        """Variables by name or wildcard, in the named scope or as they are seen."""
        found: list[tuple[Scope, Variable]] = []
        scopes = [scope_of(self, self.scope)] if self.scope is not None else list(self.processor.frame.scope.chain())
        for name in names or ["*"]:
            before = len(found)
            name = name.partition(":")[2] if name.lower().startswith(("variable:",)) else name
            if has_wildcards(name):
                test = wildcard(name)
                seen: set[str] = set()
                for scope in scopes:
                    for key, variable in scope.vars.items():
                        if test(variable.name) and key not in seen:
                            seen.add(key)
                            found.append((scope, variable))
            else:
                for scope in scopes:
                    if name.lower() in scope.vars:
                        found.append((scope, scope.vars[name.lower()]))
                        break
                if len(found) == before and missing:
                    self.write_error(
                        self.error(
                            SMA + "ItemNotFoundException",
                            f"Cannot find a variable with the name '{name}'.",
                            "VariableNotFound",
                            "ObjectNotFound",
                            name,
                        )
                    )
        return [
            (s, v)
            for s, v in found
            if (not self.include or any(wildcard(p)(v.name) for p in self.include))
            and not (self.exclude and any(wildcard(p)(v.name) for p in self.exclude))
        ]


@cmdlet("Get-Variable", module=UTILITY, aliases=("gv",))
class GetVariable(_VariableCommand):
    names = parameter("Name", "String[]", position=0, pipeline=True, by_name=True)
    value_only = switch("ValueOnly")
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    scope = parameter("Scope", "String")

    def process(self) -> None:
        found = self.matching(self.names)
        if self.names is None or any(has_wildcards(n) for n in self.names):
            found.sort(key=lambda item: item[1].name.lower())
        for _, variable in found:
            self.write(variable.value if self.value_only else variable)


class _SetVariableCommand(_VariableCommand):
    value: Any = None
    option: Any = None
    description: Any = None
    pass_thru: Any = False

    def put(self, name: str, value: Any, must_be_new: bool) -> None:
        prefix, colon, rest = name.partition(":")
        scope = scope_of(self, self.scope)
        if colon and prefix.lower() in ("global", "script", "local", "private"):
            scope, name = scope_of(self, prefix), rest
        existing = scope.vars.get(name.lower())
        if existing is None and not must_be_new and self.scope is None and not colon:
            above = scope.find(name.lower())
            if above is not None and "AllScope" in above.options:
                existing = above
        if must_be_new and existing is not None and not (self.force and not existing.constant):
            self.write_error(
                self.error(
                    SMA + "SessionStateException",
                    f"A variable with name '{name}' already exists.",
                    "VariableAlreadyExists",
                    "ResourceExists",
                    name,
                )
            )
            return
        if (
            existing is not None
            and (existing.read_only or existing.constant)
            and not (self.force and not existing.constant)
        ):
            self.write_error(
                self.error(
                    SMA + "SessionStateUnauthorizedAccessException",
                    f"Cannot overwrite variable {name} because it is read-only or constant.",
                    "VariableNotWritable",
                    "WriteError",
                    name,
                )
            )
            return
        if existing is None or must_be_new:
            existing = scope.put(name, None) if existing is None else existing
            existing.read_only = False
        if isinstance(existing, DynamicVariable):
            return
        existing.read_only = False
        if "value" in self.bound or must_be_new or value is not None:
            if existing.constraint is not None:
                value = existing.constraint(value)
            existing.value = value
        if self.option is not None:
            bits = self.option.value
            existing.read_only = bool(bits & 1)
            existing.constant = bool(bits & 2)
            existing.private = bool(bits & 4)
            existing.options = {"AllScope"} if bits & 8 else set()
        if self.description is not None:
            existing.description = self.description
        if self.pass_thru:
            self.write(existing)


@cmdlet("Set-Variable", module=UTILITY, should_process=True, aliases=("sv", "set"))
class SetVariable(_SetVariableCommand):
    names = parameter("Name", "String[]", position=0, mandatory=True, by_name=True)
    value = parameter("Value", "Object", position=1, pipeline=True, by_name=True, allow_null=True)
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    description = parameter("Description", "String")
    option = parameter("Option", "Management.Automation.ScopedItemOptions")
    force = switch("Force")
    pass_thru = switch("PassThru")
    scope = parameter("Scope", "String")

    def begin(self) -> None:
        self.items: list[Any] = []
        self.from_input = False

    def process(self) -> None:
        if self.processor.binder.from_pipeline:  # type: ignore[attr-defined]
            self.from_input = True
            self.items.append(self.value)

    def end(self) -> None:
        value = self.value
        if self.from_input:
            value = self.items[0] if len(self.items) == 1 else PSArray(self.items)
            self.bound["value"] = value
        for name in self.names or ():
            if self.should_process(f"Name: {name} Value: {to_string(value)}", "Set variable"):
                self.put(name, value, False)


@cmdlet("New-Variable", module=UTILITY, should_process=True, aliases=("nv",))
class NewVariable(_SetVariableCommand):
    name = parameter("Name", "String", position=0, mandatory=True, by_name=True)
    value = parameter("Value", "Object", position=1, pipeline=True, by_name=True, allow_null=True)
    description = parameter("Description", "String")
    option = parameter("Option", "Management.Automation.ScopedItemOptions")
    force = switch("Force")
    pass_thru = switch("PassThru")
    scope = parameter("Scope", "String")

    def process(self) -> None:
        if self.should_process(f"Name: {self.name} Value: {to_string(self.value)}", "New variable"):
            self.put(self.name, self.value, True)


@cmdlet("Remove-Variable", module=UTILITY, should_process=True, aliases=("rv",))
class RemoveVariable(_VariableCommand):
    names = parameter("Name", "String[]", position=0, mandatory=True, by_name=True)
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    force = switch("Force")
    scope = parameter("Scope", "String")

    def process(self) -> None:
        for scope, variable in self.matching(self.names):
            if variable.constant or (variable.read_only and not self.force):
                self.write_error(
                    self.error(
                        SMA + "SessionStateUnauthorizedAccessException",
                        f"Cannot remove variable {variable.name} because it is constant or read-only. If the variable is read-only, try the "
                        "operation again specifying the Force option.",
                        "VariableNotRemovable",
                        "WriteError",
                        variable.name,
                    )
                )
            elif self.should_process(f"Name: {variable.name}", "Remove variable"):
                scope.vars.pop(variable.name.lower(), None)


@cmdlet("Clear-Variable", module=UTILITY, should_process=True, aliases=("clv",))
class ClearVariable(_VariableCommand):
    names = parameter("Name", "String[]", position=0, mandatory=True, by_name=True)
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    force = switch("Force")
    pass_thru = switch("PassThru")
    scope = parameter("Scope", "String")

    def process(self) -> None:
        for _, variable in self.matching(self.names):
            if (variable.read_only or variable.constant) and not self.force:
                self.write_error(
                    self.error(
                        SMA + "SessionStateUnauthorizedAccessException",
                        f"Cannot overwrite variable {variable.name} because it is read-only or constant.",
                        "VariableNotWritable",
                        "WriteError",
                        variable.name,
                    )
                )
                continue
            if self.should_process(f"Name: {variable.name}", "Clear variable"):
                variable.value = None
                if self.pass_thru:
                    self.write(variable)


# ------------------------------------------------------------------------------------------------------------- aliases


@cmdlet("Get-Alias", module=UTILITY, default_set="Default", aliases=("gal",))
class GetAlias(Cmdlet):
    names = parameter("Name", "String[]", position=0, sets=("Default",), pipeline=True, by_name=True)
    definition = parameter("Definition", "String[]", sets=("Definition",))
    exclude = parameter("Exclude", "String[]")
    scope = parameter("Scope", "String")

    def process(self) -> None:
        table: dict[str, AliasInfo] = {}
        for scope in reversed(list(scope_of(self, self.scope).chain())):
            table.update(scope.aliases or {})
        infos = sorted(table.values(), key=lambda a: a.name.lower())
        if self.definition is not None:
            for info in infos:
                if any(wildcard(d)(info.definition) for d in self.definition):
                    self.write(info)
            return
        for name in self.names or ["*"]:
            found = [i for i in infos if wildcard(name)(i.name)]
            for info in found:
                if not any(wildcard(e)(info.name) for e in self.exclude or []):
                    self.write(info)
            if not found and not has_wildcards(name):
                self.write_error(
                    self.error(
                        SMA + "ItemNotFoundException",
                        f"This command cannot find a matching alias because an alias with the name '{name}' does not exist.",
                        "ItemNotFoundException",
                        "ObjectNotFound",
                        name,
                    )
                )


class _AliasCommand(Cmdlet):
    name = parameter("Name", "String", position=0, mandatory=True, by_name=True)
    value = parameter("Value", "String", position=1, mandatory=True, by_name=True)
    description = parameter("Description", "String")
    option = parameter("Option", "Management.Automation.ScopedItemOptions")
    pass_thru = switch("PassThru")
    scope = parameter("Scope", "String")
    force = switch("Force")

    def make(self, must_be_new: bool) -> None:
        scope = scope_of(self, self.scope)
        found = scope.find_alias(self.name.lower())
        if must_be_new and found is not None and not self.force:
            self.write_error(
                self.error(
                    SMA + "SessionStateException",
                    f"The alias is not allowed, because an alias with the name '{self.name}' already exists.",
                    "AliasAlreadyExists",
                    "ResourceExists",
                    self.name,
                )
            )
            return
        made = AliasInfo(self.name, self.value)
        scope.set_alias(self.name, made)
        if self.pass_thru:
            self.write(made)


@cmdlet("Set-Alias", module=UTILITY, should_process=True, aliases=("sal",))
class SetAlias(_AliasCommand):
    def process(self) -> None:
        self.make(False)


@cmdlet("New-Alias", module=UTILITY, should_process=True, aliases=("nal",))
class NewAlias(_AliasCommand):
    def process(self) -> None:
        self.make(True)


# ------------------------------------------------------------------------------------------------------------- streams


@cmdlet("Write-Output", module=UTILITY, aliases=("echo", "write"))
class WriteOutput(Cmdlet):
    input_object = parameter(
        "InputObject",
        f"{PSOBJECT}[]",
        position=0,
        mandatory=True,
        pipeline=True,
        remaining=True,
        allow_null=True,
        allow_empty_collection=True,
    )
    no_enumerate = switch("NoEnumerate")

    def process(self) -> None:
        if self.input_object is None:
            self.write(None)
            return
        if self.no_enumerate:
            self.write(PSArray(self.input_object))
            return
        for item in self.input_object:
            self.write(item)


@cmdlet("Write-Error", module=UTILITY, default_set="NoException")
class WriteError(Cmdlet):
    exception = parameter("Exception", "Exception", mandatory=True, sets=("WithException",))
    message = parameter(
        "Message",
        "String",
        roles={"NoException": SetInfo(position=0, mandatory=True, pipeline=True), "WithException": SetInfo()},
        allow_null=True,
        allow_empty_string=True,
        aliases=("Msg",),
    )
    record = parameter("ErrorRecord", "Management.Automation.ErrorRecord", mandatory=True, sets=("ErrorRecord",))
    category = parameter("Category", "Management.Automation.ErrorCategory", sets=("NoException", "WithException"))
    error_id = parameter("ErrorId", "String", sets=("NoException", "WithException"), default="")
    target = parameter("TargetObject", "Object", sets=("NoException", "WithException"))
    recommended = parameter("RecommendedAction", "String", default="")
    activity = parameter("CategoryActivity", "String", default="", aliases=("Activity",))
    reason = parameter("CategoryReason", "String", default="", aliases=("Reason",))
    target_name = parameter("CategoryTargetName", "String", aliases=("TargetName",))
    target_type = parameter("CategoryTargetType", "String", aliases=("TargetType",))

    def process(self) -> None:
        if self.record is not None:
            old: ErrorRecord = self.record
            made = ErrorRecord(old.exception, old.error_id, old.category, old.target)
            made.__dict__.update({k: v for k, v in old.__dict__.items() if k not in ("recorded_in",)})
            made.invocation_info = None
        else:
            exception = self.exception
            if exception is None:
                exception = NetException("Microsoft.PowerShell.Commands.WriteErrorException", to_string(self.message))
            error_id = self.error_id or exception.type_name
            category = self.category.name if self.category is not None else "NotSpecified"
            made = ErrorRecord(exception, error_id, category, self.target)
            if self.exception is not None and self.message:
                made.details = self.message
        if self.recommended:
            made.details = made.message
            made.recommended_action = self.recommended
        made.activity = self.activity or "Write-Error"
        made.reason = self.reason or made.reason
        if self.target_name is not None:
            made.target_name = self.target_name
        if self.target_type is not None:
            made.target_type = self.target_type
        self._place(made)
        self.write_error(made)

    def _place(self, made: ErrorRecord) -> None:
        """The error is that of the calling function or script, not of Write-Error."""
        frame = self.processor.frame
        owner = frame.scope.frame
        scope = frame.scope
        while owner is None and scope.parent is not None:
            scope = scope.parent
            owner = scope.frame
        invocation = owner.invocation if owner is not None else None
        if invocation is not None and invocation.command is not None and invocation.command.name:
            made.command = invocation.command.name
            made.invocation_info = invocation
        else:
            made.invocation_info = invocation or self.processor.invocation


@cmdlet("Write-Warning", module=UTILITY)
class WriteWarning(Cmdlet):
    message = parameter(
        "Message", "String", position=0, mandatory=True, pipeline=True, allow_empty_string=True, aliases=("Msg",)
    )

    def process(self) -> None:
        self.write_warning(self.message)


@cmdlet("Write-Verbose", module=UTILITY)
class WriteVerbose(Cmdlet):
    message = parameter(
        "Message", "String", position=0, mandatory=True, pipeline=True, allow_empty_string=True, aliases=("Msg",)
    )

    def process(self) -> None:
        self.write_verbose(self.message)


@cmdlet("Write-Debug", module=UTILITY)
class WriteDebug(Cmdlet):
    message = parameter(
        "Message", "String", position=0, mandatory=True, pipeline=True, allow_empty_string=True, aliases=("Msg",)
    )

    def process(self) -> None:
        self.write_debug(self.message)


@cmdlet("Write-Information", module=UTILITY)
class WriteInformation(Cmdlet):
    data = parameter("MessageData", "Object", position=0, mandatory=True, pipeline=True, aliases=("Msg",))
    tags = parameter("Tags", "String[]", position=1)

    def process(self) -> None:
        record = InformationRecord(self.data, "Write-Information")
        record.tags = list(self.tags or [])
        self.processor.write_information(record)


@cmdlet("Write-Host", module=UTILITY)
class WriteHost(Cmdlet):
    value = parameter("Object", "Object", position=0, pipeline=True, remaining=True)
    no_newline = switch("NoNewline")
    separator = parameter("Separator", "Object", default=" ")
    foreground = parameter("ForegroundColor", "ConsoleColor")
    background = parameter("BackgroundColor", "ConsoleColor")

    def process(self) -> None:
        text = self._text(self.value)
        message = HostInformationMessage(text, bool(self.no_newline), self.foreground, self.background)
        record = InformationRecord(message, "Write-Host")
        record.tags = ["PSHOST"]
        self.processor.write_information(record, always=True)

    def _text(self, value: Any) -> str:
        base = unwrap(value)
        if base is None:
            return ""
        if isinstance(base, str):
            return to_string(value)
        if is_enumerable(base):
            return to_string(self.separator).join(self._text(v) for v in iterate(base))
        return to_string(value)


class ProgressRecord(NetObject):
    """What Write-Progress reports."""

    def __init__(self, activity: str, status: str, activity_id: int) -> None:
        self.activity = activity
        self.status = status
        self.activity_id = activity_id
        self.current_operation = ""
        self.parent_id = -1
        self.percent = -1
        self.seconds = -1
        self.completed = False


@net_type(SMA + "ProgressRecord", base="System.Object")
class _ProgressRecord(ProgressRecord):
    @prop("Activity : String")
    def activity_of(self) -> str:
        return self.activity

    @prop("StatusDescription : String")
    def status_of(self) -> str:
        return self.status

    @prop("ActivityId : Int32 get")
    def id_of(self) -> int:
        return self.activity_id

    @prop("PercentComplete : Int32")
    def percent_of(self) -> int:
        return self.percent

    @prop("CurrentOperation : String")
    def operation_of(self) -> str:
        return self.current_operation

    @prop("ParentActivityId : Int32")
    def parent_of(self) -> int:
        return self.parent_id

    @prop("SecondsRemaining : Int32")
    def seconds_of(self) -> int:
        return self.seconds


@cmdlet("Write-Progress", module=UTILITY)
class WriteProgress(Cmdlet):
    activity = parameter("Activity", "String", position=0, mandatory=True)
    status = parameter("Status", "String", position=1, default="Processing")
    identifier = parameter("Id", "Int32", position=2, default=0)
    percent = parameter("PercentComplete", "Int32", default=-1)
    seconds = parameter("SecondsRemaining", "Int32", default=-1)
    operation = parameter("CurrentOperation", "String", default="")
    parent = parameter("ParentId", "Int32", default=-1)
    completed = switch("Completed")
    source = parameter("SourceId", "Int32")

    def process(self) -> None:
        if self.runtime.preference_variable(self.processor.frame.scope, "progresspreference", "continue") in (
            "silentlycontinue",
            "ignore",
        ):
            return
        record = _ProgressRecord(self.activity, self.status, self.identifier)
        record.percent = self.percent
        record.seconds = self.seconds
        record.current_operation = self.operation
        record.parent_id = self.parent
        record.completed = bool(self.completed)
        self.processor.streams.progress(record)


# ------------------------------------------------------------------------------------------------------------- scripts


@cmdlet("Invoke-Expression", module=UTILITY, aliases=("iex",))
class InvokeExpression(Cmdlet):
    command = parameter("Command", "String", position=0, mandatory=True, pipeline=True)

    def process(self) -> None:
        block = self.runtime.parse(self.command)
        block.session = self.processor.frame.session
        saved = self.runtime.frame
        self.runtime.frame = self.processor.frame
        try:
            self.runtime.block_into(block, self.write, (), new_scope=False)
        finally:
            self.runtime.frame = saved


@cmdlet("Start-Sleep", module=UTILITY, default_set="Seconds", aliases=("sleep",))
class StartSleep(Cmdlet):
    seconds = parameter(
        "Seconds",
        "Int32",
        position=0,
        mandatory=True,
        sets=("Seconds",),
        pipeline=True,
        by_name=True,
        validate=(ValidateRange(0, 2**31 - 1),),
    )
    milliseconds = parameter(
        "Milliseconds",
        "Int32",
        mandatory=True,
        sets=("Milliseconds",),
        by_name=True,
        validate=(ValidateRange(0, 2**31 - 1),),
        aliases=("ms",),
    )

    def process(self) -> None:
        self.runtime.sleep(self.seconds if self.seconds is not None else self.milliseconds / 1000)


@cmdlet("Get-Random", module=UTILITY, default_set="RandomNumberParameterSet")
class GetRandom(Cmdlet):
    seed = parameter("SetSeed", "Int32")
    maximum = parameter("Maximum", "Object", position=0, sets=("RandomNumberParameterSet",))
    minimum = parameter("Minimum", "Object", sets=("RandomNumberParameterSet",))
    items = parameter(
        "InputObject", "Object[]", position=0, mandatory=True, sets=("RandomListItemParameterSet",), pipeline=True
    )
    count = parameter(
        "Count", "Int32", sets=("RandomListItemParameterSet",), default=1, validate=(ValidateRange(1, 2**31 - 1),)
    )

    def begin(self) -> None:
        generator = self.runtime.state.setdefault("random", random.Random())
        if self.seed is not None:
            generator.seed(self.seed)
        self.generator: random.Random = generator
        self.pool: list[Any] = []

    def process(self) -> None:
        if self.parameter_set == "RandomListItemParameterSet":
            self.pool.extend(self.items)

    def end(self) -> None:
        if self.parameter_set == "RandomListItemParameterSet":
            for item in self.generator.sample(self.pool, min(self.count, len(self.pool))):
                self.write(item)
            return
        low = self._number(self.minimum, 0)
        high = self._number(self.maximum, 2**31 - 1)
        if low >= high:
            self.throw(
                self.error(
                    "System.ArgumentException",
                    f"The Minimum value ({to_string(low)}) cannot be greater than or equal to the Maximum value ({to_string(high)}).",
                    "MinGreaterThanOrEqualMax",
                    "InvalidArgument",
                )
            )
        if isinstance(low, float) or isinstance(high, float):
            self.write(self.generator.uniform(float(low), float(high)))
            return
        number = self.generator.randrange(int(low), int(high))
        self.write(number if type(low) is int and type(high) is int else Int64(number))

    @staticmethod
    def _number(value: Any, default: int) -> Any:
        base = unwrap(value)
        if base is None:
            return default
        if isinstance(base, str):
            return operators._text_to_number(base)
        if operators.is_number(base):
            return base
        return conversion.convert(base, get_type("System.Double"))


@cmdlet("Get-Host", module=UTILITY)
class GetHost(Cmdlet):
    def end(self) -> None:
        from winlab.powershell.runtime.psobjects import host_object

        self.write(host_object(self.runtime))


@cmdlet("Read-Host", module=UTILITY)
class ReadHost(Cmdlet):
    prompt = parameter("Prompt", "Object", position=0, remaining=True)
    secure = switch("AsSecureString")

    def end(self) -> None:
        host = self.runtime.host
        if host is None or getattr(host, "non_interactive", False):
            self.throw(
                self.error(
                    "System.Management.Automation.PSInvalidOperationException",
                    "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
                    "InvalidOperation",
                    "InvalidOperation",
                )
            )
        if self.prompt is not None:
            host.write_host(f"{to_string(self.prompt)}: ", False)
        line = host.read_line()
        if self.secure:
            from winlab.powershell.objects import SecureString

            self.write(SecureString(line or ""))
            return
        self.write(line if line is not None else "")


@cmdlet("Get-Culture", module=UTILITY)
class GetCulture(Cmdlet):
    def end(self) -> None:
        self.write(conversion.convert("en-US", get_type("System.Globalization.CultureInfo")))


@cmdlet("Get-UICulture", module=UTILITY)
class GetUICulture(Cmdlet):
    def end(self) -> None:
        self.write(conversion.convert("en-US", get_type("System.Globalization.CultureInfo")))


@cmdlet("Get-PSCallStack", module=UTILITY, aliases=("gcs",))
class GetPSCallStack(Cmdlet):
    def end(self) -> None:
        frame: Any = self.processor.frame
        extent = self.processor.extent
        while frame is not None:
            line = extent.start_line_number if extent is not None else 0
            where = f"{(frame.file or '').rpartition(chr(92))[2]}: line {line}" if frame.file else "<No file>"
            self.write(
                PSCustomObject.of(
                    [
                        ("Command", frame.name),
                        ("Location", where),
                        ("FunctionName", frame.name),
                        ("ScriptLineNumber", line),
                        ("ScriptName", frame.file),
                    ],
                    SMA + "CallStackFrame",
                )
            )
            extent = frame.call_extent
            frame = frame.caller


@cmdlet("Update-TypeData", module=UTILITY, default_set="FileSet", should_process=True)
class UpdateTypeData(Cmdlet):
    member_type = parameter("MemberType", "Management.Automation.PSMemberTypes", sets=("DynamicTypeSet",))
    member_name = parameter("MemberName", "String", sets=("DynamicTypeSet",))
    value = parameter("Value", "Object", sets=("DynamicTypeSet",))
    second_value = parameter("SecondValue", "Object", sets=("DynamicTypeSet",))
    type_name_of = parameter("TypeName", "String", mandatory=True, sets=("DynamicTypeSet",), by_name=True)
    display_set = parameter("DefaultDisplayPropertySet", "String[]", sets=("DynamicTypeSet",))
    force = switch("Force", sets=("DynamicTypeSet",))

    def process(self) -> None:
        raise LabUnsupported("Update-TypeData")
