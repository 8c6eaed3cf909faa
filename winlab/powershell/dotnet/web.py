"""System.Net.WebUtility, JavaScriptSerializer and System.Linq.Enumerable."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from winlab.powershell import json_text
from winlab.powershell.errors import NetException
from winlab.powershell.objects import ByteArray, Char, Dictionary, EnumValue, Int64, NetObject, PSArray, unwrap

from . import timeformat as tf
from .collections import elements, generic_dictionary, generic_list
from .core import ctor, get_type, method, net_type, prop, static, type_of
from .declare import argument, invalid_operation, need, out_of_range, overflow, overloads
from .identity import Guid, Uri
from .strings import StringBuilder
from .system import sort_key
from .time import DateTime, DateTimeOffset
from .values import net_equals


def html_encode(text: str) -> str:
    """`<`, `>`, `&`, quotes, and Latin-1 letters above 160 as numbers."""
    out = []
    for char in text:
        if char in "<>&\"'":
            out.append({"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&#39;"}[char])
        elif 160 <= ord(char) < 256 or ord(char) > 0xFFFF:
            out.append(f"&#{ord(char)};")
        else:
            out.append(char)
    return "".join(out)


def url_encode(text: str, upper: bool, safe: str = "-_.!*()") -> str:
    encoded = quote(text, safe=safe + " ").replace("~", "%7E").replace(" ", "+")
    return encoded if upper else re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), encoded)


def url_decode(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8")).decode("utf-8", "replace")


@net_type("System.Net.WebUtility")
class WebUtility:
    """System.Net.WebUtility"""

    @static("HtmlEncode(String) : String")
    def html_encode(text: str | None) -> str | None:
        return None if text is None else html_encode(text)

    @static("HtmlDecode(String) : String")
    def html_decode(text: str | None) -> str | None:
        return None if text is None else html.unescape(text)

    @static("UrlEncode(String) : String")
    def url_encode(text: str | None) -> str | None:
        return None if text is None else url_encode(text, True)

    @static("UrlDecode(String) : String")
    def url_decode(text: str | None) -> str | None:
        return None if text is None else url_decode(text)


# ------------------------------------------------------------------------------------------------------------ JavaScriptSerializer


def plain_json(value: Any, depth: int, seen: tuple[int, ...] = ()) -> Any:
    """A value as JavaScriptSerializer sees it, for json_text: dictionaries, lists and scalars."""
    value = unwrap(value)
    if value is None or (isinstance(value, (bool, str, int, float, Decimal)) and not isinstance(value, Char)):
        return value
    if isinstance(value, Char):
        return str(value)
    if isinstance(value, EnumValue):
        return value.value
    if isinstance(value, DateTime):
        return json_text.Raw(f'"\\/Date({(value.utc_ticks - tf.UNIX_EPOCH_TICKS) // tf.TICKS_PER_MILLISECOND})\\/"')
    if isinstance(value, DateTimeOffset):
        return json_text.Raw(f'"\\/Date({(value.key - tf.UNIX_EPOCH_TICKS) // tf.TICKS_PER_MILLISECOND})\\/"')
    if isinstance(value, Guid):
        return str(value)
    if isinstance(value, Uri):
        return value.absolute_text if value.absolute else value.original
    if depth <= 0:
        raise argument("RecursionLimit exceeded.")
    if id(value) in seen:
        raise invalid_operation(
            f"A circular reference was detected while serializing an object of type '{type_of(value).full_name}'."
        )
    seen = (*seen, id(value))
    if isinstance(value, Dictionary):
        made: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise argument(
                    f"Type '{type_of(value).full_name}' is not supported for serialization/deserialization of a dictionary, keys must be "
                    "strings or objects."
                )
            made[key] = plain_json(item, depth - 1, seen)
        return made
    if isinstance(value, (PSArray, ByteArray)) or hasattr(value, "__iter__"):
        return [plain_json(item, depth - 1, seen) for item in elements(value)]
    return {
        item.name: plain_json(item.fget(value), depth - 1, seen)
        for item in type_of(value).all_props()
        if item.fget is not None
    }


def to_net(value: Any) -> Any:
    """What DeserializeObject gives: Dictionary[string,object], object arrays, scalars."""
    if isinstance(value, dict):
        return generic_dictionary(
            "System.String", "System.Object", [(key, to_net(item)) for key, item in value.items()]
        )
    if isinstance(value, list):
        return PSArray([to_net(item) for item in value])
    if isinstance(value, json_text.Date):
        return DateTime(tf.UNIX_EPOCH_TICKS + value.milliseconds * tf.TICKS_PER_MILLISECOND, tf.UTC)
    return value


@net_type("System.Web.Script.Serialization.JavaScriptSerializer")
class JavaScriptSerializer(NetObject):
    @ctor("()")
    def new(self) -> None:
        self.max_length, self.limit = 2097152, 100

    @prop("MaxJsonLength : Int32")
    def max_json_length(self) -> int:
        return self.max_length

    @max_json_length.setter
    def max_json_length(self, value: int) -> None:
        if value < 1:
            raise out_of_range("value", "Value must be a positive integer.")
        self.max_length = value

    @prop("RecursionLimit : Int32")
    def recursion_limit(self) -> int:
        return self.limit

    @recursion_limit.setter
    def recursion_limit(self, value: int) -> None:
        self.limit = value

    def _check(self, text: str) -> str:
        if len(text) > self.max_length:
            raise invalid_operation(
                "Error during serialization or deserialization using the JSON JavaScriptSerializer. The length of the string exceeds the "
                "value set on the maxJsonLength property."
            )
        return text

    @method("Serialize(Object) : String")
    def serialize(self, value: Any) -> str:
        return self._check(json_text.compact(plain_json(value, self.limit)))

    @method("Serialize(Object,Text.StringBuilder) : Void")
    def serialize_into(self, value: Any, target: StringBuilder) -> None:
        need(target, "output")._add(self.serialize(value))

    @method("DeserializeObject(String) : Object")
    def deserialize_object(self, text: str) -> Any:
        self._check(need(text, "input"))
        try:
            return to_net(json_text.loads(text, self.limit))
        except json_text.JsonError as error:
            raise argument(str(error)) from None

    @method("Deserialize(String,Type) : Object")
    def deserialize(self, text: str, kind: Any) -> Any:
        from winlab.powershell.runtime import conversion

        return conversion.convert(self.deserialize_object(text), kind)


# ------------------------------------------------------------------------------------------------------------ Enumerable


def _number_sum(items: Iterable[Any]) -> Any:
    values = list(items)
    first = values[0] if values else 0
    total = sum(values)
    if isinstance(first, (float, Decimal)):
        return type(first)(total)
    low, high = (-(2**63), 2**63 - 1) if isinstance(first, Int64) else (-(2**31), 2**31 - 1)
    if not low <= total <= high:
        raise overflow()
    return type(first)(total)


def _same_kind(source: Any, items: list[Any]) -> Any:
    source = unwrap(source)
    kind = source.element_type if isinstance(source, (PSArray, ByteArray)) else getattr(source, "element_type", None)
    return PSArray(items, kind)


def _no_elements() -> NetException:
    return invalid_operation("Sequence contains no elements")


@net_type("System.Linq.Enumerable")
class Enumerable:
    """The operators that take no lambda, or a script block where PowerShell can make one of it."""

    @overloads("System.Linq.Enumerable", "Sum", skip=("TSource", "Nullable"))
    def sum(source: Any) -> Any:
        return _number_sum(elements(need(source, "source")))

    @static("Range(Int32,Int32) : Collections.Generic.IEnumerable`1<Int32>")
    def range(start: int, count: int) -> Any:
        if count < 0:
            raise out_of_range("count")
        return PSArray([start + index for index in range(count)], get_type("System.Int32"))

    @static("Repeat(TResult,Int32) : Collections.Generic.IEnumerable`1<TResult>")
    def repeat(value: Any, count: int) -> Any:
        if count < 0:
            raise out_of_range("count")
        return PSArray([value] * count)

    @static(
        "SequenceEqual(Collections.Generic.IEnumerable`1<TSource>,Collections.Generic.IEnumerable`1<TSource>) : Boolean"
    )
    def sequence_equal(first: Any, second: Any) -> bool:
        left, right = elements(first), elements(second)
        return len(left) == len(right) and all(net_equals(a, b) for a, b in zip(left, right, strict=True))

    @static("Count(Collections.Generic.IEnumerable`1<TSource>) : Int32")
    def count(source: Any) -> int:
        return len(elements(source))

    @static("Any(Collections.Generic.IEnumerable`1<TSource>) : Boolean")
    def any(source: Any) -> bool:
        return bool(elements(source))

    @static("First(Collections.Generic.IEnumerable`1<TSource>) : TSource")
    def first(source: Any) -> Any:
        items = elements(source)
        if not items:
            raise _no_elements()
        return items[0]

    @static("Last(Collections.Generic.IEnumerable`1<TSource>) : TSource")
    def last(source: Any) -> Any:
        items = elements(source)
        if not items:
            raise _no_elements()
        return items[-1]

    @static("Contains(Collections.Generic.IEnumerable`1<TSource>,TSource) : Boolean")
    def contains(source: Any, value: Any) -> bool:
        return any(net_equals(item, value) for item in elements(source))

    @static("Distinct(Collections.Generic.IEnumerable`1<TSource>) : Collections.Generic.IEnumerable`1<TSource>")
    def distinct(source: Any) -> Any:
        found: list[Any] = []
        for item in elements(source):
            if not any(net_equals(item, one) for one in found):
                found.append(item)
        return _same_kind(source, found)

    @static("Reverse(Collections.Generic.IEnumerable`1<TSource>) : Collections.Generic.IEnumerable`1<TSource>")
    def reverse(source: Any) -> Any:
        return _same_kind(source, elements(source)[::-1])

    @static("Skip(Collections.Generic.IEnumerable`1<TSource>,Int32) : Collections.Generic.IEnumerable`1<TSource>")
    def skip(source: Any, count: int) -> Any:
        return _same_kind(source, elements(source)[max(count, 0) :])

    @static("Take(Collections.Generic.IEnumerable`1<TSource>,Int32) : Collections.Generic.IEnumerable`1<TSource>")
    def take(source: Any, count: int) -> Any:
        return _same_kind(source, elements(source)[: max(count, 0)])

    @static("ToArray(Collections.Generic.IEnumerable`1<TSource>) : TSource[]")
    def to_array(source: Any) -> Any:
        return _same_kind(source, elements(source))

    @static("ToList(Collections.Generic.IEnumerable`1<TSource>) : Collections.Generic.List`1<TSource>")
    def to_list(source: Any) -> Any:
        items = elements(source)
        kind = getattr(unwrap(source), "element_type", None) or get_type("System.Object")
        return generic_list(kind, items)

    @static(
        "Concat(Collections.Generic.IEnumerable`1<TSource>,Collections.Generic.IEnumerable`1<TSource>) : "
        "Collections.Generic.IEnumerable`1<TSource>"
    )
    def concat(first: Any, second: Any) -> Any:
        return _same_kind(first, elements(first) + elements(second))

    @static(
        "Union(Collections.Generic.IEnumerable`1<TSource>,Collections.Generic.IEnumerable`1<TSource>) : "
        "Collections.Generic.IEnumerable`1<TSource>"
    )
    def union(first: Any, second: Any) -> Any:
        return Enumerable.distinct(_same_kind(first, elements(first) + elements(second)))

    @static(
        "Except(Collections.Generic.IEnumerable`1<TSource>,Collections.Generic.IEnumerable`1<TSource>) : "
        "Collections.Generic.IEnumerable`1<TSource>"
    )
    def except_(first: Any, second: Any) -> Any:
        other = elements(second)
        return Enumerable.distinct(
            _same_kind(first, [item for item in elements(first) if not any(net_equals(item, one) for one in other)])
        )

    @static(
        "Intersect(Collections.Generic.IEnumerable`1<TSource>,Collections.Generic.IEnumerable`1<TSource>) : "
        "Collections.Generic.IEnumerable`1<TSource>"
    )
    def intersect(first: Any, second: Any) -> Any:
        other = elements(second)
        return Enumerable.distinct(
            _same_kind(first, [item for item in elements(first) if any(net_equals(item, one) for one in other)])
        )

    @overloads("System.Linq.Enumerable", "Max", skip=("TSource", "Nullable"))
    def max(source: Any) -> Any:
        items = elements(source)
        if not items:
            raise _no_elements()
        return max(items, key=sort_key())

    @overloads("System.Linq.Enumerable", "Min", skip=("TSource", "Nullable"))
    def min(source: Any) -> Any:
        items = elements(source)
        if not items:
            raise _no_elements()
        return min(items, key=sort_key())
