"""System.Object, Enum, Array, Type, Exception, delegates, Environment, GC, Activator and other roots of mscorlib."""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import (
    ByteArray,
    Char,
    Delegate,
    EnumValue,
    Hashtable,
    Int64,
    MultiArray,
    NetObject,
    PSArray,
    unwrap,
)

from . import context
from .core import (
    NetType,
    api_type,
    ctor,
    define_interface,
    field,
    find_type,
    get_type,
    lookup,
    method,
    net_type,
    prop,
    static,
    static_prop,
    type_of,
)
from .declare import (
    argument,
    index_out_of_range,
    invalid_cast,
    invalid_operation,
    need,
    out_of_range,
    overloads,
)
from .numbers import INTEGERS
from .values import enum_string, exception_string, net_compare, net_equals, net_hash, net_string, type_text

for _interface, _bases in (
    ("System.IComparable", ()),
    ("System.IDisposable", ()),
    ("System.IFormattable", ()),
    ("System.IConvertible", ()),
    ("System.ICloneable", ()),
    ("System.IFormatProvider", ()),
    ("System.IAsyncResult", ()),
    ("System.Collections.IEnumerable", ()),
    ("System.Collections.IEnumerator", ()),
    ("System.Collections.IComparer", ()),
    ("System.Collections.IEqualityComparer", ()),
    ("System.Collections.IDictionaryEnumerator", ("Collections.IEnumerator",)),
    ("System.Collections.ICollection", ("Collections.IEnumerable",)),
    ("System.Collections.IList", ("Collections.ICollection",)),
    ("System.Collections.IDictionary", ("Collections.ICollection",)),
    ("System.Collections.Specialized.IOrderedDictionary", ("Collections.IDictionary",)),
    ("System.Collections.Generic.IEnumerable`1", ("Collections.IEnumerable",)),
    ("System.Collections.Generic.ICollection`1", ("Collections.Generic.IEnumerable`1<T>",)),
    ("System.Collections.Generic.IList`1", ("Collections.Generic.ICollection`1<T>",)),
    ("System.Collections.Generic.IReadOnlyCollection`1", ("Collections.Generic.IEnumerable`1<T>",)),
    ("System.Collections.Generic.IReadOnlyList`1", ("Collections.Generic.IReadOnlyCollection`1<T>",)),
    ("System.Collections.Generic.ISet`1", ("Collections.Generic.ICollection`1<T>",)),
    ("System.Collections.Generic.IDictionary`2", ("Collections.IEnumerable",)),
    ("System.Collections.Generic.IReadOnlyDictionary`2", ("Collections.IEnumerable",)),
    ("System.Collections.Generic.IEnumerator`1", ("Collections.IEnumerator", "IDisposable")),
    ("System.Collections.Generic.IComparer`1", ()),
    ("System.Collections.Generic.IEqualityComparer`1", ()),
):
    define_interface(_interface, *_bases)
for _interface in ("System.IComparable`1", "System.IEquatable`1"):
    if api_type(_interface) is not None or lookup(_interface) is not None:
        define_interface(_interface)


# ------------------------------------------------------------------------------------------------------------ Object


@net_type("System.Object", python=())
class ObjectType:
    """System.Object: the members of everything."""

    @ctor("()")
    def new() -> NetObject:
        return PlainObject()

    @method("Equals(Object) : Boolean")
    def equals(self: Any, other: Any) -> bool:
        return net_equals(self, other)

    @static("Equals(Object,Object) : Boolean")
    def both_equal(left: Any, right: Any) -> bool:
        return net_equals(left, right)

    @static("ReferenceEquals(Object,Object) : Boolean")
    def reference_equals(left: Any, right: Any) -> bool:
        left, right = unwrap(left), unwrap(right)
        if isinstance(left, (int, float)) or isinstance(right, (int, float)):
            return False  # each argument is boxed anew
        return left is right or (isinstance(left, str) and type(left) is type(right) and left == right == "")

    @method("GetHashCode() : Int32")
    def get_hash_code(self: Any) -> int:
        return net_hash(self)

    @method("GetType() : Type")
    def get_type(self: Any) -> NetType:
        return type_of(self)

    @method("ToString() : String")
    def to_string(self: Any) -> str:
        return net_string(self)


class PlainObject(NetObject):
    """An instance of System.Object itself."""


PlainObject.net_type = get_type("System.Object")


# ------------------------------------------------------------------------------------------------------------ Enum


def parse_enum(kind: NetType, text: str, ignore_case: bool = False) -> EnumValue:
    """`Enum.Parse`: names joined by commas, or a number. ArgumentException when it is none."""
    need(text, "value")
    body = text.strip()
    if not body:
        raise argument("Must specify valid information for parsing in the string.")
    if body[0].isdigit() or body[0] in "+-":
        try:
            return kind.enum(int(body))
        except ValueError:
            pass
    names = kind.enum_values
    folded = {name.lower(): name for name in names} if ignore_case else {}
    total = 0
    for part in body.split(","):
        name = part.strip()
        found = name if name in names else folded.get(name.lower())
        if found is None:
            raise argument(f"Requested value '{text}' was not found.")
        total |= names[found]
    return kind.enum(total)


def _enum_type(kind: NetType | None) -> NetType:
    if need(kind, "enumType").is_enum:
        return kind  # type: ignore[return-value]
    raise argument("Type provided must be an Enum.", "enumType")


def enum_members(kind: NetType) -> list[tuple[str, int]]:
    """Names and values in .NET's order: by unsigned value."""
    return sorted(kind.enum_values.items(), key=lambda item: item[1] & 0xFFFFFFFFFFFFFFFF)


@net_type("System.Enum", python=EnumValue, interfaces=("IComparable", "IFormattable", "IConvertible"))
class EnumType:
    """System.Enum"""

    @method("CompareTo(Object) : Int32")
    def compare_to(self: EnumValue, other: Any) -> int:
        return net_compare(self, other)

    @method("Equals(Object) : Boolean")
    def equals(self: EnumValue, other: Any) -> bool:
        return isinstance(other, EnumValue) and self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self: EnumValue) -> int:
        return net_hash(self)

    @method("GetTypeCode() : TypeCode")
    def get_type_code(self: EnumValue) -> int:
        return 9

    @method("HasFlag(Enum) : Boolean")
    def has_flag(self: EnumValue, flag: EnumValue) -> bool:
        need(flag, "flag")
        if flag.net_type is not self.net_type:
            raise argument(
                f"The argument type, '{flag.net_type.full_name}', is not the same as the enum type '{self.net_type.full_name}'."
            )
        return self.value & flag.value == flag.value

    @static("Format(Type,Object,String) : String")
    def format(kind: NetType, value: Any, fmt: str) -> str:
        return enum_string(_enum_type(kind).enum(int(value)), fmt)

    @static("GetName(Type,Object) : String")
    def get_name(kind: NetType, value: Any) -> str | None:
        number = int(value)
        return next((name for name, own in _enum_type(kind).enum_values.items() if own == number), None)

    @static("GetNames(Type) : String[]")
    def get_names(kind: NetType) -> list[str]:
        return [name for name, _ in enum_members(_enum_type(kind))]

    @static("GetUnderlyingType(Type) : Type")
    def get_underlying_type(kind: NetType) -> NetType:
        _enum_type(kind)
        return get_type("System.Int32")

    @static("GetValues(Type) : Array")
    def get_values(kind: NetType) -> PSArray:
        _enum_type(kind)
        return PSArray([kind.enum(value) for _, value in enum_members(kind)], kind)

    @static("IsDefined(Type,Object) : Boolean")
    def is_defined(kind: NetType, value: Any) -> bool:
        values = _enum_type(kind).enum_values
        return value in values if isinstance(value, str) else int(value) in values.values()

    @static("Parse(Type,String) : Object")
    @static("Parse(Type,String,Boolean) : Object")
    def parse(kind: NetType, text: str, ignore_case: bool = False) -> EnumValue:
        return parse_enum(_enum_type(kind), text, ignore_case)

    @overloads("System.Enum", "ToObject")
    def to_object(kind: NetType, value: Any) -> EnumValue:
        return _enum_type(kind).enum(int(value))

    @static("TryParse(String,TEnum&) : Boolean")
    def try_parse(text: str, result: Any) -> bool:
        return _try_parse_enum(text, False, result)

    @static("TryParse(String,Boolean,TEnum&) : Boolean")
    def try_parse_case(text: str, ignore_case: bool, result: Any) -> bool:
        return _try_parse_enum(text, ignore_case, result)

    @overloads("System.Enum", "ToString")
    def to_string(self: EnumValue, *arguments: Any) -> str:
        return enum_string(self, next((item for item in arguments if isinstance(item, str)), None))


def _try_parse_enum(text: str | None, ignore_case: bool, result: Any) -> bool:
    """TEnum is told from the variable behind `[ref]`, as PowerShell infers it."""
    old = unwrap(result.value)
    if not isinstance(old, EnumValue):
        raise argument("Type provided must be an Enum.", "enumType")
    try:
        if text is None:
            raise argument("")
        result.value = parse_enum(old.net_type, text, ignore_case)
        return True
    except NetException:
        result.value = old.net_type.enum(0)
        return False


# ------------------------------------------------------------------------------------------------------------ Array


def default_value(kind: NetType) -> Any:
    """What a new array element or field of a type holds."""
    name = kind.name
    if kind.is_enum:
        return kind.enum(0)
    if name in INTEGERS and kind.namespace == "System":
        return INTEGERS[name][0](0)
    if kind.full_name == "System.Boolean":
        return False
    if kind.full_name in ("System.Double", "System.Single"):
        return kind.python(0.0) if kind.python else 0.0
    if kind.full_name == "System.Char":
        return Char("\0")
    if kind.full_name == "System.Decimal":
        from decimal import Decimal

        return Decimal(0)
    if kind.is_value_type and kind.cls is not None and hasattr(kind.cls, "default"):
        return kind.cls.default()
    return None


def new_array(kind: NetType, length: int) -> Any:
    """A .NET array of default values."""
    if length < 0:
        raise NetException("System.OverflowException", "Arithmetic operation resulted in an overflow.")
    if kind.full_name == "System.Byte":
        return ByteArray(length)
    return PSArray([default_value(kind)] * length, kind)


def like(source: Any, items: list[Any]) -> Any:
    """An array of the same type as `source`."""
    if isinstance(source, ByteArray):
        return ByteArray(items)
    return PSArray(items, source.element_type)


def _set_item(target: Any, index: int, value: Any) -> None:
    if isinstance(target, ByteArray):
        bytearray.__setitem__(target, index, int(value))
    else:
        target[index] = value


def _range(target: Any, index: int, length: int) -> None:
    if index < 0:
        raise out_of_range("index", "Non-negative number required.")
    if length < 0:
        raise out_of_range("length", "Non-negative number required.")
    if len(target) - index < length:
        raise argument(
            "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the "
            "end of the source collection."
        )


def copy_array(source: Any, start: int, target: Any, index: int, length: int) -> None:
    """`Array.Copy`, safe for overlapping ranges."""
    need(source, "sourceArray")
    need(target, "destinationArray")
    if length < 0 or start < 0 or index < 0:
        name = "length" if length < 0 else "sourceIndex" if start < 0 else "destinationIndex"
        raise out_of_range(name, "Non-negative number required.")
    if start + length > len(source):
        raise argument("Source array was not long enough. Check srcIndex and length, and the array's lower bounds.")
    if index + length > len(target):
        raise argument(
            "Destination array was not long enough. Check destIndex and length, and the array's lower bounds."
        )
    if isinstance(source, ByteArray) and isinstance(target, ByteArray):
        target[index : index + length] = bytes(memoryview(source)[start : start + length])
        return
    items = list(source[start : start + length])
    for offset, item in enumerate(items):
        _set_item(target, index + offset, _as_element(target, item))


def _as_element(target: Any, item: Any) -> Any:
    if isinstance(target, ByteArray) or target.is_object_array:
        return item
    kind = target.element_type
    if item is None or kind.is_assignable_from(type_of(item)):
        return item
    if kind.name in INTEGERS and isinstance(item, int):
        return INTEGERS[kind.name][0](item)
    if kind.full_name in ("System.Double", "System.Single") and isinstance(item, (int, float)):
        return kind.python(item) if kind.python else float(item)
    raise invalid_cast("At least one element in the source array could not be cast down to the destination array type.")


def _comparer(comparer: Any) -> Callable[[Any, Any], int]:
    if comparer is None:
        return net_compare
    if callable(comparer):
        return lambda left, right: int(comparer(left, right))
    compare = getattr(comparer, "compare", None)
    if compare is None:
        raise LabUnsupported(f"a comparer of type {type_of(comparer).full_name}")
    return lambda left, right: int(compare(left, right))


def sort_key(comparer: Any = None) -> Any:
    """A key for list.sort from a comparer, a Comparison or the default order; failures are .NET's InvalidOperationException."""
    compare = _comparer(comparer)

    def guarded(left: Any, right: Any) -> int:
        try:
            return compare(left, right)
        except NetException as error:
            if error.type_name == "System.ArgumentException":
                raise NetException(
                    "System.InvalidOperationException", "Failed to compare two elements in the array.", error
                ) from None
            raise

    return functools.cmp_to_key(guarded)


def _sort(arguments: tuple[Any, ...]) -> None:
    keys = need(arguments[0], "array")
    rest = list(arguments[1:])
    items = None
    if rest and (isinstance(rest[0], (PSArray, ByteArray)) or (rest[0] is None and len(rest) in (3, 4))):
        items = rest.pop(0)
    start, length = 0, len(keys)
    if len(rest) >= 2 and type(rest[0]) is int:
        start, length = rest[0], rest[1]
        rest = rest[2:]
    _range(keys, start, length)
    comparer = rest[0] if rest else None
    key = sort_key(comparer)
    order = sorted(range(start, start + length), key=lambda index: key(keys[index]))
    new_keys = [keys[index] for index in order]
    for offset, value in enumerate(new_keys):
        _set_item(keys, start + offset, value)
    if items is not None:
        new_items = [items[index] for index in order]
        for offset, value in enumerate(new_items):
            _set_item(items, start + offset, value)


def _search_range(arguments: tuple[Any, ...], length: int) -> tuple[int, int]:
    start = int(arguments[0]) if arguments else 0
    count = int(arguments[1]) if len(arguments) > 1 else length - start
    if start < 0 or start > length:
        raise index_out_of_range("startIndex")
    if count < 0 or start + count > length:
        raise out_of_range(
            "count", "Count must be positive and count must refer to a location within the string/array/collection."
        )
    return start, start + count


def _indexes(self: Any, indexes: Any) -> int:
    if isinstance(self, MultiArray):
        try:
            return self.offset(tuple(int(index) for index in indexes))
        except (IndexError, ValueError):
            raise NetException(
                "System.IndexOutOfRangeException", "Index was outside the bounds of the array."
            ) from None
    (index,) = indexes
    if not 0 <= index < len(self):
        raise NetException("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
    return int(index)


@net_type("System.Array", python=(), interfaces=("Collections.IList", "ICloneable"))
class ArrayType:
    """System.Array"""

    @prop("Length : Int32 get")
    def length(self: Any) -> int:
        return len(self.items) if isinstance(self, MultiArray) else len(self)

    @prop("LongLength : Int64 get")
    def long_length(self: Any) -> int:
        return len(self.items) if isinstance(self, MultiArray) else len(self)

    @prop("Rank : Int32 get")
    def rank(self: Any) -> int:
        return len(self.lengths) if isinstance(self, MultiArray) else 1

    @prop("IsFixedSize : Boolean get")
    def is_fixed_size(self: Any) -> bool:
        return True

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self: Any) -> bool:
        return False

    @prop("IsSynchronized : Boolean get")
    def is_synchronized(self: Any) -> bool:
        return False

    @prop("SyncRoot : Object get")
    def sync_root(self: Any) -> Any:
        return self

    @static("AsReadOnly(T[]) : Collections.ObjectModel.ReadOnlyCollection`1<T>")
    def as_read_only(array: Any) -> Any:
        from .collections import ReadOnlyCollection, make

        return make(ReadOnlyCollection, array.element_type, items=array)

    @overloads("System.Array", "BinarySearch")
    def binary_search(array: Any, *arguments: Any) -> int:
        rest = list(arguments)
        start, length = 0, len(array)
        if len(rest) >= 3 and type(rest[0]) is int and type(rest[1]) is int:
            start, length = rest[0], rest[1]
            rest = rest[2:]
        compare = _comparer(rest[1] if len(rest) > 1 else None)
        low, high = start, start + length - 1
        while low <= high:
            middle = (low + high) // 2
            order = compare(array[middle], rest[0])
            if order == 0:
                return middle
            if order < 0:
                low = middle + 1
            else:
                high = middle - 1
        return ~low

    @static("Clear(Array,Int32,Int32) : Void")
    def clear(array: Any, index: int, length: int) -> None:
        need(array, "array")
        if index < 0 or length < 0 or index + length > len(array):
            raise NetException("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
        empty = 0 if isinstance(array, ByteArray) else default_value(array.element_type)
        for position in range(index, index + length):
            _set_item(array, position, empty)

    @method("Clone() : Object")
    def clone(self: Any) -> Any:
        if isinstance(self, MultiArray):
            made = MultiArray(self.lengths, self.element_type)
            made.items = list(self.items)
            return made
        return ByteArray(bytes(self)) if isinstance(self, ByteArray) else like(self, list(self))

    @overloads("System.Array", "Copy", "ConstrainedCopy")
    def copy(source: Any, *arguments: Any) -> None:
        if len(arguments) == 2:
            copy_array(source, 0, arguments[0], 0, int(arguments[1]))
        else:
            start, target, index, length = arguments
            copy_array(source, int(start), target, int(index), int(length))

    @overloads("System.Array", "CopyTo")
    def copy_to(self: Any, target: Any, index: int) -> None:
        copy_array(self, 0, target, int(index), len(self))

    @static("CreateInstance(Type,Int32) : Array")
    def create_instance(kind: NetType, length: int) -> Any:
        return new_array(need(kind, "elementType"), length)

    @static("CreateInstance(Type,Int32,Int32) : Array")
    @static("CreateInstance(Type,Int32,Int32,Int32) : Array")
    def create_multi(kind: NetType, *lengths: int) -> MultiArray:
        return MultiArray(tuple(lengths), kind, default_value(kind))

    @static("CreateInstance(Type,Int32[]) : Array")
    def create_lengths(kind: NetType, lengths: Any) -> Any:
        if len(lengths) == 1:
            return new_array(kind, lengths[0])
        return MultiArray(tuple(lengths), kind, default_value(kind))

    @static("Empty() : T[]")
    def empty() -> PSArray:
        return PSArray()

    @static("Exists(T[],Predicate`1<T>) : Boolean")
    def exists(array: Any, match: Any) -> bool:
        return any(match(item) for item in array)

    @static("Find(T[],Predicate`1<T>) : T")
    def find(array: Any, match: Any) -> Any:
        return next((item for item in array if match(item)), default_value(array.element_type))

    @static("FindAll(T[],Predicate`1<T>) : T[]")
    def find_all(array: Any, match: Any) -> Any:
        return like(array, [item for item in array if match(item)])

    @overloads("System.Array", "FindIndex")
    def find_index(array: Any, *arguments: Any) -> int:
        start, end = _search_range(arguments[:-1], len(array))
        return next((index for index in range(start, end) if arguments[-1](array[index])), -1)

    @static("FindLast(T[],Predicate`1<T>) : T")
    def find_last(array: Any, match: Any) -> Any:
        return next((item for item in reversed(list(array)) if match(item)), default_value(array.element_type))

    @static("FindLastIndex(T[],Predicate`1<T>) : Int32")
    def find_last_index(array: Any, match: Any) -> int:
        return next((index for index in range(len(array) - 1, -1, -1) if match(array[index])), -1)

    @static("ForEach(T[],Action`1<T>) : Void")
    def for_each(array: Any, action: Any) -> None:
        for item in array:
            action(item)

    @static("TrueForAll(T[],Predicate`1<T>) : Boolean")
    def true_for_all(array: Any, match: Any) -> bool:
        return all(match(item) for item in array)

    @static("ConvertAll(TInput[],Converter`2<TInput,TOutput>) : TOutput[]")
    def convert_all(array: Any, converter: Any) -> PSArray:
        return PSArray([converter(item) for item in array])

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self: Any) -> Enumerator:
        return Enumerator(self.items if isinstance(self, MultiArray) else self)

    @method("GetLength(Int32) : Int32")
    def get_length(self: Any, dimension: int) -> int:
        lengths = self.lengths if isinstance(self, MultiArray) else (len(self),)
        if not 0 <= dimension < len(lengths):
            raise NetException("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
        return lengths[dimension]

    @method("GetLongLength(Int32) : Int64")
    def get_long_length(self: Any, dimension: int) -> int:
        return ArrayType.get_length(self, dimension)

    @method("GetLowerBound(Int32) : Int32")
    def get_lower_bound(self: Any, dimension: int) -> int:
        ArrayType.get_length(self, dimension)
        return 0

    @method("GetUpperBound(Int32) : Int32")
    def get_upper_bound(self: Any, dimension: int) -> int:
        return ArrayType.get_length(self, dimension) - 1

    @overloads("System.Array", "GetValue")
    def get_value(self: Any, *indexes: Any) -> Any:
        if len(indexes) == 1 and isinstance(indexes[0], PSArray):
            indexes = tuple(indexes[0])
        position = _indexes(self, indexes)
        return self.items[position] if isinstance(self, MultiArray) else self[position]

    @overloads("System.Array", "SetValue")
    def set_value(self: Any, value: Any, *indexes: Any) -> None:
        if len(indexes) == 1 and isinstance(indexes[0], PSArray):
            indexes = tuple(indexes[0])
        position = _indexes(self, indexes)
        if isinstance(self, MultiArray):
            self.items[position] = value
        else:
            _set_item(self, position, _as_element(self, value))

    @overloads("System.Array", "IndexOf")
    def index_of(array: Any, value: Any, *arguments: Any) -> int:
        start, end = _search_range(arguments, len(need(array, "array")))
        return next((index for index in range(start, end) if net_equals(array[index], value)), -1)

    @static("LastIndexOf(Array,Object) : Int32")
    @static("LastIndexOf(T[],T) : Int32")
    def last_index_of(array: Any, value: Any) -> int:
        return next((index for index in range(len(array) - 1, -1, -1) if net_equals(array[index], value)), -1)

    @method("Initialize() : Void")
    def initialize(self: Any) -> None:
        pass

    @static("Resize(T[]&,Int32) : Void")
    def resize(reference: Any, size: int) -> None:
        if size < 0:
            raise out_of_range("newSize", "Non-negative number required.")
        old = unwrap(reference.value)
        if old is None:
            reference.value = PSArray([None] * size)
        elif isinstance(old, ByteArray):
            reference.value = ByteArray(bytes(old)[:size].ljust(size, b"\0"))
        else:
            items = list(old)[:size]
            reference.value = like(old, items + [default_value(old.element_type)] * (size - len(items)))

    @overloads("System.Array", "Reverse")
    def reverse(array: Any, index: int = 0, length: int | None = None) -> None:
        need(array, "array")
        length = len(array) - index if length is None else length
        _range(array, index, length)
        for offset, item in enumerate(list(array[index : index + length])[::-1]):
            _set_item(array, index + offset, item)

    @overloads("System.Array", "Sort")
    def sort(*arguments: Any) -> None:
        _sort(arguments)


class Enumerator(NetObject):
    """An IEnumerator over anything Python can iterate."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.iterator: Iterator[Any] | None = None
        self.value: Any = None
        self.state = 0  # 0 before the first element, 1 on one, 2 behind the last

    def __iter__(self) -> Iterator[Any]:
        while self.move_next():
            yield self.value

    @prop("Current : Object get")
    def current(self) -> Any:
        if self.state == 0:
            raise invalid_operation("Enumeration has not started. Call MoveNext.")
        if self.state == 2:
            raise invalid_operation("Enumeration already finished.")
        return self.value

    @method("MoveNext() : Boolean")
    def move_next(self) -> bool:
        if self.state == 2:
            return False
        if self.iterator is None:
            self.iterator = iter(self.source)
        try:
            self.value = next(self.iterator)
            self.state = 1
            return True
        except StopIteration:
            self.state = 2
            return False
        except RuntimeError:
            raise invalid_operation("Collection was modified; enumeration operation may not execute.") from None

    @method("Reset() : Void")
    def reset(self) -> None:
        self.iterator = None
        self.state = 0

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


net_type(
    "System.Array+SZArrayEnumerator",
    interfaces=("Collections.IEnumerator", "ICloneable", "IDisposable"),
    kind="class",
    assembly="mscorlib",
)(Enumerator)


@net_type("System.Buffer")
class Buffer:
    """System.Buffer"""

    @static("BlockCopy(Array,Int32,Array,Int32,Int32) : Void")
    def block_copy(source: Any, start: int, target: Any, index: int, count: int) -> None:
        need(source, "src")
        need(target, "dst")
        if start < 0 or index < 0 or count < 0:
            name = "srcOffset" if start < 0 else "dstOffset" if index < 0 else "count"
            raise out_of_range(name, "Non-negative number required.")
        raw = bytearray(_raw_bytes(source)) if not isinstance(source, ByteArray) else source
        if isinstance(target, ByteArray):
            if start + count > len(raw) or index + count > len(target):
                raise argument(
                    "Offset and length were out of bounds for the array or count is greater than the number of elements from "
                    "index to the end of the source collection."
                )
            target[index : index + count] = bytes(memoryview(raw)[start : start + count])
            return
        body = bytearray(_raw_bytes(target))
        if start + count > len(raw) or index + count > len(body):
            raise argument(
                "Offset and length were out of bounds for the array or count is greater than the number of elements from index to "
                "the end of the source collection."
            )
        body[index : index + count] = raw[start : start + count]
        _from_raw(target, body)

    @static("ByteLength(Array) : Int32")
    def byte_length(array: Any) -> int:
        return len(array) if isinstance(array, ByteArray) else len(_raw_bytes(array))

    @static("GetByte(Array,Int32) : Byte")
    def get_byte(array: Any, index: int) -> int:
        return int(_raw_bytes(array)[index])

    @static("SetByte(Array,Int32,Byte) : Void")
    def set_byte(array: Any, index: int, value: int) -> None:
        body = bytearray(_raw_bytes(array))
        body[index] = value
        _from_raw(array, body)


_SIZES = {
    "SByte": "b",
    "Int16": "h",
    "UInt16": "H",
    "Int32": "i",
    "UInt32": "I",
    "Int64": "q",
    "UInt64": "Q",
    "Single": "f",
    "Double": "d",
}


def _raw_bytes(array: Any) -> bytes:
    import struct

    if isinstance(array, ByteArray):
        return bytes(array)
    name = array.element_type.name
    if name == "Char":
        return "".join(array).encode("utf-16-le", "surrogatepass")
    if name not in _SIZES:
        raise argument("Object must be an array of primitives.", "src")
    return struct.pack(f"<{len(array)}{_SIZES[name]}", *array)


def _from_raw(array: Any, body: bytearray) -> None:
    import struct

    if isinstance(array, ByteArray):
        array[:] = body
        return
    name = array.element_type.name
    if name == "Char":
        for index, char in enumerate(bytes(body).decode("utf-16-le", "surrogatepass")):
            array[index] = Char(char)
        return
    kind = array.element_type.python or float
    for index, value in enumerate(struct.unpack(f"<{len(array)}{_SIZES[name]}", bytes(body))):
        array[index] = kind(value)


# ------------------------------------------------------------------------------------------------------------ Type

_PRIMITIVES = {f"System.{name}" for name in (*INTEGERS, "Boolean", "Char", "Double", "Single", "IntPtr", "UIntPtr")}


@net_type("System.Type", python=())
class TypeType:
    """System.Type: `self` is a core.NetType."""

    @prop("FullName : String get")
    def full_name(self: NetType) -> str:
        return self.full_name

    @prop("Namespace : String get")
    def namespace(self: NetType) -> str:
        return self.namespace

    @prop("AssemblyQualifiedName : String get")
    def assembly_qualified_name(self: NetType) -> str:
        from .reflection import assembly_full_name

        return f"{self.full_name}, {assembly_full_name(self.assembly)}"

    @prop("Assembly : Reflection.Assembly get")
    def assembly(self: NetType) -> Any:
        from .reflection import assembly_of

        return assembly_of(self)

    @prop("BaseType : Type get")
    def base_type(self: NetType) -> NetType | None:
        return self.base

    @prop("UnderlyingSystemType : Type get")
    def underlying(self: NetType) -> NetType:
        return self

    @prop("DeclaringType : Type get")
    def declaring_type(self: NetType) -> NetType | None:
        head, plus, _ = self.full_name.partition("[")[0].rpartition("+")
        return lookup(head) if plus else None

    @prop("GenericTypeArguments : Type[] get")
    def generic_type_arguments(self: NetType) -> list[NetType]:
        return list(self.arguments)

    @prop("IsArray : Boolean get")
    def is_array(self: NetType) -> bool:
        return self.is_array

    @prop("HasElementType : Boolean get")
    def has_element_type(self: NetType) -> bool:
        return self.is_array

    @prop("IsEnum : Boolean get")
    def is_enum(self: NetType) -> bool:
        return self.is_enum

    @prop("IsClass : Boolean get")
    def is_class(self: NetType) -> bool:
        return not self.is_value_type and not self.is_interface

    @prop("IsInterface : Boolean get")
    def is_interface(self: NetType) -> bool:
        return self.is_interface

    @prop("IsValueType : Boolean get")
    def is_value_type(self: NetType) -> bool:
        return self.is_value_type

    @prop("IsPrimitive : Boolean get")
    def is_primitive(self: NetType) -> bool:
        return self.full_name in _PRIMITIVES

    @prop("IsGenericType : Boolean get")
    def is_generic_type(self: NetType) -> bool:
        return self.definition is not None or self.is_generic_definition

    @prop("IsGenericTypeDefinition : Boolean get")
    def is_generic_type_definition(self: NetType) -> bool:
        return self.is_generic_definition

    @prop("IsPublic : Boolean get")
    def is_public(self: NetType) -> bool:
        return "+" not in self.full_name

    @prop("IsNested : Boolean get")
    def is_nested(self: NetType) -> bool:
        return "+" in self.full_name

    @prop("IsNestedPublic : Boolean get")
    def is_nested_public(self: NetType) -> bool:
        return "+" in self.full_name

    @prop("IsSerializable : Boolean get")
    def is_serializable(self: NetType) -> bool:
        return (
            self.is_value_type
            or self.is_array
            or self.full_name in ("System.String", "System.Object", "System.Collections.Hashtable")
        )

    @prop("IsByRef : Boolean get")
    def is_by_ref(self: NetType) -> bool:
        return False

    @prop("IsAbstract : Boolean get")
    def is_abstract(self: NetType) -> bool:
        return self.is_interface

    @method("Equals(Object) : Boolean")
    @method("Equals(Type) : Boolean")
    def equals(self: NetType, other: Any) -> bool:
        return self is other

    @method("GetArrayRank() : Int32")
    def get_array_rank(self: NetType) -> int:
        return self.rank

    @method("GetElementType() : Type")
    def get_element_type(self: NetType) -> NetType | None:
        return self.element_type

    @method("GetEnumName(Object) : String")
    def get_enum_name(self: NetType, value: Any) -> str | None:
        return EnumType.get_name(self, value)

    @method("GetEnumNames() : String[]")
    def get_enum_names(self: NetType) -> list[str]:
        return EnumType.get_names(self)

    @method("GetEnumValues() : Array")
    def get_enum_values(self: NetType) -> PSArray:
        return EnumType.get_values(self)

    @method("GetEnumUnderlyingType() : Type")
    def get_enum_underlying_type(self: NetType) -> NetType:
        return EnumType.get_underlying_type(self)

    @method("IsEnumDefined(Object) : Boolean")
    def is_enum_defined(self: NetType, value: Any) -> bool:
        return EnumType.is_defined(self, value)

    @method("GetGenericArguments() : Type[]")
    def get_generic_arguments(self: NetType) -> list[NetType]:
        return list(self.arguments)

    @method("GetGenericTypeDefinition() : Type")
    def get_generic_type_definition(self: NetType) -> NetType:
        if self.definition is not None:
            return self.definition
        if self.is_generic_definition:
            return self
        raise invalid_operation("This operation is only valid on generic types.")

    @method("MakeGenericType(Type[]) : Type", params=True)
    def make_generic_type(self: NetType, arguments: Any) -> NetType:
        return self.make_generic(list(arguments))

    @method("MakeArrayType() : Type")
    def make_array_type(self: NetType) -> NetType:
        return self.array

    @method("GetInterfaces() : Type[]")
    def get_interfaces(self: NetType) -> list[NetType]:
        return self.interfaces()

    @overloads("System.Type", "GetInterface")
    def get_interface(self: NetType, name: str, ignore_case: bool = False) -> NetType | None:
        for one in self.interfaces():
            for spelled in (one.name, one.full_name):
                if spelled == name or (ignore_case and spelled.lower() == name.lower()):
                    return one
        return None

    @method("GetHashCode() : Int32")
    def get_hash_code(self: NetType) -> int:
        return net_hash(self.full_name)

    @static("GetType(String) : Type")
    @static("GetType(String,Boolean) : Type")
    @static("GetType(String,Boolean,Boolean) : Type")
    def get_type_by_name(name: str, throw: bool = False, ignore_case: bool = False) -> NetType | None:
        need(name, "typeName")
        short = name.partition(",")[0].strip() if "[[" not in name else name
        found = lookup(short) or find_type(short)
        if found is not None and not ignore_case and "[" not in short and found.full_name != short:
            found = None
        if found is None and throw:
            raise NetException("System.TypeLoadException", f"Could not load type '{name}' from assembly 'mscorlib'.")
        return found

    @method("GetType() : Type")
    def get_type(self: NetType) -> NetType:
        return get_type("System.RuntimeType")

    @static("GetTypeCode(Type) : TypeCode")
    def get_type_code(kind: NetType | None) -> int:
        from .numbers import _TYPE_CODES

        if kind is None:
            return 0
        if kind.is_enum:
            return 9
        return _TYPE_CODES.get(kind.name, 1) if kind.namespace == "System" else 1

    @method("IsAssignableFrom(Type) : Boolean")
    def is_assignable_from(self: NetType, other: NetType | None) -> bool:
        return other is not None and self.is_assignable_from(other)

    @method("IsInstanceOfType(Object) : Boolean")
    def is_instance_of_type(self: NetType, value: Any) -> bool:
        return value is not None and self.is_assignable_from(type_of(value))

    @method("GetMethod(String) : Reflection.MethodInfo")
    @method("GetMethod(String,Type[]) : Reflection.MethodInfo")
    def get_method(self: NetType, name: str, types: Any = None) -> Any:
        from .methods import find_method

        return find_method(self, name, types)

    @method("IsSubclassOf(Type) : Boolean")
    def is_subclass_of(self: NetType, other: NetType) -> bool:
        return other is not self and any(one is other for one in self.bases())

    @method("ToString() : String")
    def to_string(self: NetType) -> str:
        return type_text(self)


@net_type("System.Reflection.MemberInfo")
class MemberInfo(NetObject):
    """System.Reflection.MemberInfo, the base of Type: `self` may be a NetType."""

    @prop("Name : String get")
    def name(self: Any) -> str:
        return self.name if isinstance(self, NetType) else str(self.member_name)

    @prop("MemberType : Reflection.MemberTypes get")
    def member_type(self: Any) -> str:
        if isinstance(self, NetType):
            return "NestedType" if "+" in self.full_name else "TypeInfo"
        return str(self.member_kind)


# ------------------------------------------------------------------------------------------------------------ Exception


def base_exception(error: NetException) -> NetException:
    while error.inner is not None:
        error = error.inner
    return error


@net_type("System.Exception", python=())
class ExceptionType:
    """System.Exception: `self` is a NetException."""

    @prop("Message : String get")
    def message(self: NetException) -> str:
        return self.message

    @prop("InnerException : Exception get")
    def inner_exception(self: NetException) -> NetException | None:
        return self.inner

    @prop("StackTrace : String get")
    def stack_trace(self: NetException) -> str | None:
        return self.stack_trace

    @prop("Data : Collections.IDictionary get")
    def data(self: NetException) -> Any:
        if self.data is None:
            self.data = Hashtable(ignore_case=False)
        return self.data

    @prop("HResult : Int32 get")
    def hresult(self: NetException) -> int:
        value = self.properties.get("HResult")
        return int(value) if value is not None else _hresult(self)

    @prop("HelpLink : String")
    def help_link(self: NetException) -> Any:
        return self.properties.get("HelpLink")

    @help_link.setter
    def help_link(self: NetException, value: Any) -> None:
        self.properties["HelpLink"] = value

    @prop("Source : String")
    def source(self: NetException) -> Any:
        return self.properties.get("Source")

    @source.setter
    def source(self: NetException, value: Any) -> None:
        self.properties["Source"] = value

    @prop("TargetSite : Reflection.MethodBase get")
    def target_site(self: NetException) -> Any:
        return None

    @method("GetBaseException() : Exception")
    def get_base_exception(self: NetException) -> NetException:
        return base_exception(self)

    @method("GetType() : Type")
    def get_type(self: NetException) -> NetType:
        return self.net_type

    @method("ToString() : String")
    def to_string(self: NetException) -> str:
        return exception_string(self)


_HRESULTS = {
    "System.ArgumentException": 0x80070057,
    "System.ArgumentNullException": 0x80004003,
    "System.ArgumentOutOfRangeException": 0x80131502,
    "System.ArithmeticException": 0x80070216,
    "System.DivideByZeroException": 0x80020012,
    "System.FormatException": 0x80131537,
    "System.IndexOutOfRangeException": 0x80131508,
    "System.InvalidCastException": 0x80004002,
    "System.InvalidOperationException": 0x80131509,
    "System.NotImplementedException": 0x80004001,
    "System.NotSupportedException": 0x80131515,
    "System.NullReferenceException": 0x80004003,
    "System.ObjectDisposedException": 0x80131622,
    "System.OutOfMemoryException": 0x8007000E,
    "System.OverflowException": 0x80131516,
    "System.TimeoutException": 0x80131505,
    "System.UnauthorizedAccessException": 0x80070005,
    "System.IO.IOException": 0x80131620,
    "System.IO.FileNotFoundException": 0x80070002,
    "System.IO.DirectoryNotFoundException": 0x80070003,
    "System.IO.PathTooLongException": 0x800700CE,
    "System.Collections.Generic.KeyNotFoundException": 0x80131577,
    "System.Security.SecurityException": 0x8013150A,
    "System.ComponentModel.Win32Exception": 0x80004005,
    "System.Net.WebException": 0x80131509,
    "System.Xml.XmlException": 0x80131940,
}


def _hresult(error: NetException) -> int:
    for kind in error.net_type.bases():
        if kind.full_name in _HRESULTS:
            value = _HRESULTS[kind.full_name]
            return value - (1 << 32)
    if error.net_type.is_subclass_of("System.SystemException"):
        return 0x80131501 - (1 << 32)
    return 0x80131500 - (1 << 32)


# ------------------------------------------------------------------------------------------------------------ delegates


@net_type("System.Delegate", python=Delegate, interfaces=("ICloneable",))
class DelegateType:
    """System.Delegate"""

    @method("DynamicInvoke(Object[]) : Object", params=True)
    def dynamic_invoke(self: Delegate, arguments: Any) -> Any:
        return self(*(arguments or ()))

    @prop("Target : Object get")
    def target(self: Delegate) -> Any:
        return self.script_block

    @method("Equals(Object) : Boolean")
    def equals(self: Delegate, other: Any) -> bool:
        return self is other


# ------------------------------------------------------------------------------------------------------------ Environment


def environment() -> Any:
    """The process's environment: a case-insensitive mapping of the runtime."""
    return context.runtime().env


def expand_variables(text: str, lookup_variable: Callable[[str], str | None]) -> str:
    """`%NAME%` replaced where the variable exists."""
    out: list[str] = []
    index = 0
    while index < len(text):
        if text[index] == "%":
            end = text.find("%", index + 1)
            if end > index + 1:
                value = lookup_variable(text[index + 1 : end])
                if value is not None:
                    out.append(value)
                    index = end + 1
                    continue
                out.append(text[index:end])
                index = end
                continue
            if end == index + 1:
                out.append("%")
                index = end
                continue
        out.append(text[index])
        index += 1
    return "".join(out)


_REGISTRY_ENVIRONMENT = {
    1: "HKEY_CURRENT_USER\\Environment",
    2: "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment",
}


def _profile() -> str:
    return str(environment().get("USERPROFILE") or "C:\\Windows\\system32\\config\\systemprofile")


def special_folder(name: str) -> str:
    """The path of an Environment.SpecialFolder; empty when the server has none."""
    profile = _profile()
    system = "C:\\Windows\\system32"
    known = {
        "Desktop": f"{profile}\\Desktop",
        "DesktopDirectory": f"{profile}\\Desktop",
        "MyDocuments": f"{profile}\\Documents",
        "Personal": f"{profile}\\Documents",
        "MyMusic": f"{profile}\\Music",
        "MyPictures": f"{profile}\\Pictures",
        "MyVideos": f"{profile}\\Videos",
        "Favorites": f"{profile}\\Favorites",
        "UserProfile": profile,
        "ApplicationData": f"{profile}\\AppData\\Roaming",
        "LocalApplicationData": f"{profile}\\AppData\\Local",
        "Programs": f"{profile}\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs",
        "StartMenu": f"{profile}\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu",
        "Startup": f"{profile}\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup",
        "CommonApplicationData": "C:\\ProgramData",
        "CommonDesktopDirectory": "C:\\Users\\Public\\Desktop",
        "CommonDocuments": "C:\\Users\\Public\\Documents",
        "CommonStartMenu": "C:\\ProgramData\\Microsoft\\Windows\\Start Menu",
        "CommonPrograms": "C:\\ProgramData\\Microsoft\\Windows\\Start Menu\\Programs",
        "ProgramFiles": "C:\\Program Files",
        "ProgramFilesX86": "C:\\Program Files (x86)",
        "CommonProgramFiles": "C:\\Program Files\\Common Files",
        "CommonProgramFilesX86": "C:\\Program Files (x86)\\Common Files",
        "System": system,
        "SystemX86": "C:\\Windows\\SysWOW64",
        "Windows": "C:\\Windows",
        "Fonts": "C:\\Windows\\Fonts",
    }
    return known.get(name, "")


@net_type("System.Environment")
class Environment:
    """System.Environment"""

    @static_prop("CommandLine : String get")
    def command_line() -> str:
        process = getattr(context.runtime(), "process", None)
        return str(process.command_line) if process is not None else "powershell.exe"

    def _set_directory(path: str) -> None:
        from . import paths

        if not need(path, "value"):
            raise argument("Path cannot be the empty string or all whitespace.")
        full = paths.full_path(path)
        server = context.machine()
        if not server.fs.is_dir(full):
            raise NetException("System.IO.DirectoryNotFoundException", f"Could not find a part of the path '{path}'.")
        context.set_process_directory(full)

    @static_prop("CurrentDirectory : String", setter=_set_directory)
    def current_directory() -> str:
        return context.process_directory()

    @static_prop("CurrentManagedThreadId : Int32 get")
    def current_managed_thread_id() -> int:
        return threading.get_ident() & 0x7FFF

    def _set_exit_code(value: int) -> None:
        context.per_process("exit code", dict)["value"] = value

    @static_prop("ExitCode : Int32", setter=_set_exit_code)
    def exit_code() -> int:
        return int(context.per_process("exit code", dict).get("value", 0))

    @static_prop("HasShutdownStarted : Boolean get")
    def has_shutdown_started() -> bool:
        return False

    @static_prop("Is64BitOperatingSystem : Boolean get")
    def is_64_bit_operating_system() -> bool:
        return True

    @static_prop("Is64BitProcess : Boolean get")
    def is_64_bit_process() -> bool:
        return True

    @static_prop("MachineName : String get")
    def machine_name() -> str:
        return str(context.machine().name).upper()

    @static_prop("NewLine : String get")
    def new_line() -> str:
        return "\r\n"

    @static_prop("OSVersion : OperatingSystem get")
    def os_version() -> OperatingSystem:
        return OperatingSystem(context.machine())

    @static_prop("ProcessorCount : Int32 get")
    def processor_count() -> int:
        return int(environment().get("NUMBER_OF_PROCESSORS") or 2)

    @static_prop("StackTrace : String get")
    def stack_trace() -> str:
        return "   at System.Environment.GetStackTrace(Exception e, Boolean needFileInfo)\r\n   at System.Environment.get_StackTrace()"

    @static_prop("SystemDirectory : String get")
    def system_directory() -> str:
        return "C:\\Windows\\system32"

    @static_prop("SystemPageSize : Int32 get")
    def system_page_size() -> int:
        return 4096

    @static_prop("TickCount : Int32 get")
    def tick_count() -> int:
        return int(context.machine().uptime * 1000) & 0x7FFFFFFF

    @static_prop("UserDomainName : String get")
    def user_domain_name() -> str:
        return str(context.user().domain) if context.user() is not None else "NT AUTHORITY"

    @static_prop("UserName : String get")
    def user_name() -> str:
        user = context.user()
        if user is None:
            return "SYSTEM"
        return f"{context.machine().name.upper()}$" if user.is_system else str(user.username)

    @static_prop("UserInteractive : Boolean get")
    def user_interactive() -> bool:
        return True

    @static_prop("Version : Version get")
    def version() -> Any:
        from .identity import Version

        return Version(4, 0, 30319, 42000)

    @static_prop("WorkingSet : Int64 get")
    def working_set() -> int:
        return working_set()

    @static("Exit(Int32) : Void")
    def exit(code: int) -> None:
        from winlab.powershell.errors import ExitException

        quit_process = getattr(context.runtime(), "exit_process", None)
        if quit_process is not None:
            quit_process(code)
        raise ExitException(code)

    @static("ExpandEnvironmentVariables(String) : String")
    def expand_environment_variables(text: str) -> str:
        values = environment()
        return expand_variables(need(text, "name"), values.get)

    @static("GetCommandLineArgs() : String[]")
    def get_command_line_args() -> list[str]:
        from winlab.windows.cmdline import split

        return list(split(Environment.command_line()))

    @static("GetEnvironmentVariable(String) : String")
    def get_environment_variable(name: str) -> str | None:
        return environment().get(need(name, "variable"))

    @static("GetEnvironmentVariable(String,EnvironmentVariableTarget) : String")
    def get_environment_variable_of(name: str, target: EnumValue) -> str | None:
        need(name, "variable")
        if target.value == 0:
            return environment().get(name)
        values = _stored_environment(target.value)
        return next((value for key, value in values.items() if key.lower() == name.lower()), None)

    @static("GetEnvironmentVariables() : Collections.IDictionary")
    def get_environment_variables() -> Hashtable:
        return Hashtable(list(environment().items()), ignore_case=False)

    @static("GetEnvironmentVariables(EnvironmentVariableTarget) : Collections.IDictionary")
    def get_environment_variables_of(target: EnumValue) -> Hashtable:
        if target.value == 0:
            return Hashtable(list(environment().items()), ignore_case=False)
        return Hashtable(list(_stored_environment(target.value).items()), ignore_case=False)

    @overloads("System.Environment", "GetFolderPath")
    def get_folder_path(folder: EnumValue, option: Any = None) -> str:
        return special_folder(folder.name)

    @static("GetLogicalDrives() : String[]")
    def get_logical_drives() -> list[str]:
        return ["C:\\"]

    @static("SetEnvironmentVariable(String,String) : Void")
    def set_environment_variable(name: str, value: str | None) -> None:
        _check_variable(name)
        values = environment()
        if not value:
            values.pop(name, None)
        else:
            values[name] = value

    @static("SetEnvironmentVariable(String,String,EnvironmentVariableTarget) : Void")
    def set_environment_variable_of(name: str, value: str | None, target: EnumValue) -> None:
        if target.value == 0:
            Environment.set_environment_variable(name, value)
            return
        _check_variable(name)
        _store_environment(target.value, name, value)


def _check_variable(name: str) -> None:
    if not need(name, "variable"):
        raise argument("String cannot be of zero length.", "variable")
    if "=" in name or name[0] == "\0":
        raise argument("Environment variable name cannot contain equal character.", "variable")


def _stored_environment(target: int) -> dict[str, str]:
    from .registry import environment_values

    return environment_values(_REGISTRY_ENVIRONMENT[target], context.runtime())


def _store_environment(target: int, name: str, value: str | None) -> None:
    from .registry import store_environment_value

    store_environment_value(_REGISTRY_ENVIRONMENT[target], name, value, context.runtime())


def working_set() -> int:
    """Resident memory of this machine's process that plays the server, in bytes."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 64 * 1024 * 1024


@net_type("System.OperatingSystem", interfaces=("ICloneable",))
class OperatingSystem(NetObject):
    def __init__(self, server: Any) -> None:
        self.build = build_number(server)

    def __str__(self) -> str:
        return f"Microsoft Windows NT 10.0.{self.build}.0"

    @prop("Platform : PlatformID get")
    def platform(self) -> str:
        return "Win32NT"

    @prop("ServicePack : String get")
    def service_pack(self) -> str:
        return ""

    @prop("Version : Version get")
    def version(self) -> Any:
        from .identity import Version

        return Version(10, 0, self.build, 0)

    @prop("VersionString : String get")
    def version_string(self) -> str:
        return str(self)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


def build_number(server: Any) -> int:
    """The build of Windows that the server plays."""
    known = {"2016": 14393, "2019": 17763, "2022": 20348, "2025": 26100, "10": 19045, "11": 22631}
    found = getattr(server, "build", None)
    return int(found) if found else known.get(str(getattr(server, "version", "2016")), 14393)


# ------------------------------------------------------------------------------------------------------------ GC, Activator, others


@net_type("System.GC")
class GarbageCollector:
    """System.GC"""

    @static_prop("MaxGeneration : Int32 get")
    def max_generation() -> int:
        return 2

    @overloads("System.GC", "Collect")
    def collect(*arguments: Any) -> None:
        gc.collect(1)

    @static("CollectionCount(Int32) : Int32")
    def collection_count(generation: int) -> int:
        return int(gc.get_stats()[min(generation, 2)]["collections"])

    @static("GetTotalMemory(Boolean) : Int64")
    def get_total_memory(wait: bool) -> int:
        return working_set()

    @static("WaitForPendingFinalizers() : Void")
    def wait_for_pending_finalizers() -> None:
        pass

    @static("KeepAlive(Object) : Void")
    @static("SuppressFinalize(Object) : Void")
    @static("ReRegisterForFinalize(Object) : Void")
    def keep_alive(value: Any) -> None:
        pass

    @static("GetGeneration(Object) : Int32")
    def get_generation(value: Any) -> int:
        return 0


@net_type("System.Activator")
class Activator:
    """System.Activator"""

    @static("CreateInstance(Type) : Object")
    @static("CreateInstance(Type,Boolean) : Object")
    def create_instance(kind: NetType, non_public: bool = False) -> Any:
        return _construct(kind, [])

    @static("CreateInstance(Type,Object[]) : Object", params=True)
    def create_instance_with(kind: NetType, arguments: Any) -> Any:
        return _construct(kind, list(arguments or ()))


def _construct(kind: NetType, arguments: list[Any]) -> Any:
    from winlab.powershell.runtime.invoke import construct

    return construct(need(kind, "type"), arguments)


@net_type("System.EventArgs")
class EventArgs(NetObject):
    @ctor("()")
    def new(self) -> None:
        pass

    @field("Empty : EventArgs")
    def empty() -> EventArgs:
        return EventArgs()


@net_type("System.Nullable")
class NullableStatics:
    """System.Nullable"""

    @static("GetUnderlyingType(Type) : Type")
    def get_underlying_type(kind: NetType) -> NetType | None:
        if kind.definition is not None and kind.definition.full_name == "System.Nullable`1":
            return kind.arguments[0]
        return None


@net_type("System.IntPtr")
class IntPtr(NetObject):
    def __init__(self, value: int = 0) -> None:
        self.value = int(value)

    def __str__(self) -> str:
        return str(self.value)

    def __int__(self) -> int:
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntPtr) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    @staticmethod
    def default() -> IntPtr:
        return IntPtr(0)

    @ctor("(Int32)")
    @ctor("(Int64)")
    def new(self, value: int) -> None:
        self.value = int(value)

    @static_prop("Zero : IntPtr")
    def zero() -> IntPtr:
        return IntPtr(0)

    @static_prop("Size : Int32 get")
    def size() -> int:
        return 8

    @static("Add(IntPtr,Int32) : IntPtr")
    def add(pointer: IntPtr, offset: int) -> IntPtr:
        return IntPtr(pointer.value + offset)

    @static("Subtract(IntPtr,Int32) : IntPtr")
    def subtract(pointer: IntPtr, offset: int) -> IntPtr:
        return IntPtr(pointer.value - offset)

    @method("ToInt32() : Int32")
    def to_int32(self) -> int:
        return self.value

    @method("ToInt64() : Int64")
    def to_int64(self) -> int:
        return self.value

    @overloads("System.IntPtr", "ToString")
    def to_string(self, fmt: str | None = None) -> str:
        return net_string(Int64(self.value), fmt)

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(Int64(self.value))


def _declare_tuple(count: int) -> None:
    names = [f"T{index}" for index in range(1, count + 1)]

    def new(self: Any, *items: Any) -> None:
        self.items = items

    def to_string(self: Any) -> str:
        return "(" + ", ".join(net_string(item) for item in self.items) + ")"

    members: dict[str, Any] = {
        "items": (),
        "__str__": to_string,
        "__eq__": lambda self, other: type(self) is type(other) and self.items == other.items,
        "__hash__": lambda self: hash(self.items),
        "new": ctor(f"({','.join(names)})")(new),
        "to_string": method("ToString() : String")(to_string),
        "equals": method("Equals(Object) : Boolean")(lambda self, other: self == other),
        "get_hash_code": method("GetHashCode() : Int32")(lambda self: net_hash(hash(self))),
        "__doc__": f"A tuple of {count}.",
    }
    for index, name in enumerate(names):
        members[f"item{index + 1}"] = prop(f"Item{index + 1} : {name} get")(lambda self, index=index: self.items[index])
    made = type(f"Tuple{count}", (NetObject,), members)
    net_type(f"System.Tuple`{count}", generic=tuple(names))(made)
    TUPLES[count] = made


TUPLES: dict[int, Any] = {}
for _count in range(1, 8):
    _declare_tuple(_count)


def make_tuple(*items: Any) -> Any:
    made = TUPLES[len(items)].__new__(TUPLES[len(items)])
    made.net_type = get_type(f"System.Tuple`{len(items)}").make_generic(
        [type_of(item) if item is not None else get_type("System.Object") for item in items]
    )
    made.items = items
    return made


@net_type("System.Tuple")
class TupleStatics:
    """System.Tuple"""

    @overloads("System.Tuple", "Create")
    def create(*items: Any) -> Any:
        if len(items) > 7:
            raise LabUnsupported("tuples of more than seven items")
        return make_tuple(*items)
