"""System.Collections, .Generic, .Specialized, .Concurrent and .ObjectModel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from winlab.powershell.errors import NetException
from winlab.powershell.objects import (
    ByteArray,
    Dictionary,
    DictionaryEntry,
    Hashtable,
    NetObject,
    OrderedDictionary,
    PSArray,
    dictionary_key,
    unwrap,
)

from .core import (
    DeclaredProperty,
    NetType,
    ctor,
    get_type,
    indexer,
    method,
    net_type,
    prop,
    static,
    static_prop,
    type_of,
)
from .declare import (
    argument,
    argument_null,
    index_out_of_range,
    invalid_operation,
    need,
    not_supported,
    out_of_range,
    overloads,
)
from .strings import StringComparer
from .system import ArrayType, Enumerator, copy_array, default_value, new_array, sort_key
from .values import net_compare, net_equals, net_hash, net_string

C = TypeVar("C")
_MISSING: Any = object()
OFFSET = (
    "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the "
    "source collection."
)
COUNT = "Count must be positive and count must refer to a location within the string/array/collection."


def make(cls: type[C], *arguments: NetType, **attributes: Any) -> C:
    """A fresh instance of a generic collection class, closed over `arguments`, with these attributes."""
    made: Any = cls.__new__(cls)
    made.net_type = cls.net_type.make_generic(list(arguments)) if arguments else cls.net_type  # type: ignore[attr-defined]
    made.setup()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def elements(source: Any) -> list[Any]:
    """The elements of anything enumerable."""
    source = unwrap(source)
    if source is None:
        raise argument_null("collection")
    if isinstance(source, Dictionary):
        return [entry_of(source, key, value) for key, value in source.items()]
    if isinstance(source, str):
        from winlab.powershell.objects import Char

        return [Char(char) for char in source]
    return list(source)


def entry_of(source: Dictionary, key: Any, value: Any) -> Any:
    """The element that enumerating a dictionary gives: a KeyValuePair of generic ones, else a DictionaryEntry."""
    if isinstance(source, _Generic) and len(source.generic_args) == 2:
        return make(KeyValuePair, *source.generic_args, key=key, value=value)
    return DictionaryEntry(key, value)


def _bind(type_name: str, members: dict[str, Callable[..., Any]], **options: Any) -> dict[str, Any]:
    """Fresh functions for a class body, each declared for every overload that the reference list has under its name."""
    made = {}
    for name, function in members.items():

        def call(*arguments: Any, function: Callable[..., Any] = function) -> Any:
            return function(*arguments)

        made[f"net_{name}"] = overloads(type_name, name, **options)(call)
    return made


class _Sequence(NetObject):
    """What the list-like classes share: `items` holds the elements."""

    items: list[Any]

    def setup(self) -> None:
        self.items = []
        self.spare = 0

    def __iter__(self) -> Iterator[Any]:
        size = len(self.items)
        index = 0
        while index < len(self.items):
            yield self.items[index]
            index += 1
            if len(self.items) != size:
                raise invalid_operation("Collection was modified; enumeration operation may not execute.")

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    @property
    def element_type(self) -> NetType:
        return self.generic_args[0] if self.generic_args else get_type("System.Object")

    # -- shared implementations

    def at(self, index: int) -> Any:
        if not 0 <= index < len(self.items):
            raise index_out_of_range()
        return self.items[index]

    def put(self, index: int, value: Any) -> None:
        if not 0 <= index < len(self.items):
            raise index_out_of_range()
        self.items[index] = value

    def add_range(self, source: Any) -> None:
        self.items.extend(elements(source))

    def clear(self) -> None:
        self.items.clear()

    def contains(self, value: Any) -> bool:
        return any(net_equals(item, value) for item in self.items)

    def index_of(self, value: Any, start: int = 0, count: int | None = None) -> int:
        end = len(self.items) if count is None else start + count
        if not 0 <= start <= len(self.items):
            raise index_out_of_range("startIndex" if self.generic_args == () else "index")
        if end > len(self.items) or end < start:
            raise out_of_range("count", COUNT)
        return next((index for index in range(start, end) if net_equals(self.items[index], value)), -1)

    def last_index_of(self, value: Any, start: int | None = None, count: int | None = None) -> int:
        if not self.items:
            return -1
        start = len(self.items) - 1 if start is None else start
        if not 0 <= start < len(self.items):
            raise index_out_of_range("startIndex")
        low = 0 if count is None else start - count + 1
        if low < 0:
            raise out_of_range("count", COUNT)
        return next((index for index in range(start, low - 1, -1) if net_equals(self.items[index], value)), -1)

    def insert(self, index: int, value: Any) -> None:
        if not 0 <= index <= len(self.items):
            if self.generic_args:
                raise out_of_range("index", "Index must be within the bounds of the List.")
            raise out_of_range(
                "index", "Insertion index was out of range. Must be non-negative and less than or equal to size."
            )
        self.items.insert(index, value)

    def insert_range(self, index: int, source: Any) -> None:
        added = elements(source)
        if not 0 <= index <= len(self.items):
            raise index_out_of_range()
        self.items[index:index] = added

    def remove(self, value: Any) -> bool:
        position = self.index_of(value)
        if position < 0:
            return False
        del self.items[position]
        return True

    def remove_at(self, index: int) -> None:
        if not 0 <= index < len(self.items):
            raise index_out_of_range()
        del self.items[index]

    def check_range(self, index: int, count: int) -> None:
        if index < 0 or count < 0:
            raise out_of_range("index" if index < 0 else "count", "Non-negative number required.")
        if len(self.items) - index < count:
            raise argument(OFFSET)

    def remove_range(self, index: int, count: int) -> None:
        self.check_range(index, count)
        del self.items[index : index + count]

    def reverse(self, index: int = 0, count: int | None = None) -> None:
        count = len(self.items) - index if count is None else count
        self.check_range(index, count)
        self.items[index : index + count] = self.items[index : index + count][::-1]

    def sort(self, *arguments: Any) -> None:
        index, count, comparer = 0, len(self.items), None
        rest = list(arguments)
        if len(rest) == 3:
            index, count = rest[0], rest[1]
            rest = rest[2:]
            self.check_range(index, count)
        if rest:
            comparer = rest[0]
        self.items[index : index + count] = sorted(self.items[index : index + count], key=sort_key(comparer))

    def copy_to(self, *arguments: Any) -> None:
        if len(arguments) == 4:
            start, target, index, count = arguments
            self.check_range(start, count)
        else:
            target = arguments[0]
            start, count = 0, len(self.items)
            index = arguments[1] if len(arguments) > 1 else 0
        copy_array(
            PSArray(self.items[start : start + count], self.element_type), 0, need(target, "array"), index, count
        )

    def binary_search(self, *arguments: Any) -> int:
        return ArrayType.binary_search(PSArray(self.items), *arguments)

    def to_array(self, kind: NetType | None = None) -> Any:
        element = kind or self.element_type
        if element.full_name == "System.Byte":
            return ByteArray(self.items)
        made = new_array(element, len(self.items))
        if kind is None:
            made[:] = self.items
        else:
            copy_array(PSArray(self.items), 0, made, 0, len(self.items))
        return made

    def get_enumerator(self, *arguments: Any) -> Enumerator:
        if arguments:
            self.check_range(*arguments)
            return Enumerator(self.items[arguments[0] : arguments[0] + arguments[1]])
        return Enumerator(self)

    def count_of(self) -> int:
        return len(self.items)

    def get_capacity(self) -> int:
        while self.spare < len(self.items):
            self.spare = max(4, self.spare * 2)
        return self.spare

    def set_capacity(self, value: int) -> None:
        if value < len(self.items):
            raise out_of_range("value", "capacity was less than the current size.")
        self.spare = value

    def trim(self) -> None:
        self.spare = len(self.items)


def _sequence_ctor(self: Any, *arguments: Any) -> None:
    self.setup()
    if arguments and not isinstance(arguments[0], int):
        self.items.extend(elements(arguments[0]))
    elif arguments:
        if arguments[0] < 0:
            raise out_of_range("capacity", "Non-negative number required.")
        self.spare = arguments[0]


_LIST_MEMBERS: dict[str, Callable[..., Any]] = {
    ".ctor": _sequence_ctor,
    "AddRange": _Sequence.add_range,
    "Clear": _Sequence.clear,
    "Contains": _Sequence.contains,
    "CopyTo": _Sequence.copy_to,
    "IndexOf": _Sequence.index_of,
    "LastIndexOf": _Sequence.last_index_of,
    "Insert": _Sequence.insert,
    "InsertRange": _Sequence.insert_range,
    "RemoveAt": _Sequence.remove_at,
    "RemoveRange": _Sequence.remove_range,
    "Reverse": _Sequence.reverse,
    "Sort": _Sequence.sort,
    "BinarySearch": _Sequence.binary_search,
    "GetEnumerator": _Sequence.get_enumerator,
}
LIST_INTERFACES = ("Collections.IList",)
GENERIC_LIST = ("Collections.IList", "Collections.Generic.IList`1<T>", "Collections.Generic.IReadOnlyList`1<T>")


@net_type("System.Collections.ArrayList", interfaces=("Collections.IList", "ICloneable"))
class ArrayList(_Sequence):
    locals().update(_bind("System.Collections.ArrayList", _LIST_MEMBERS))
    fixed = False
    read_only = False

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.setup()
        self.items.extend(items)

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @prop("Capacity : Int32")
    def capacity(self) -> int:
        return self.get_capacity()

    @capacity.setter
    def capacity(self, value: int) -> None:
        self.set_capacity(value)

    @prop("IsFixedSize : Boolean get")
    def is_fixed_size(self) -> bool:
        return self.fixed

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self) -> bool:
        return self.read_only

    shared = False  # made by Synchronized

    @prop("IsSynchronized : Boolean get")
    def is_synchronized(self) -> bool:
        return self.shared

    @prop("SyncRoot : Object get")
    def sync_root(self) -> Any:
        return self

    @indexer("Item[Int32] : Object", setter="put")
    def item(self, index: int) -> Any:
        return self.at(index)

    @method("Add(Object) : Int32")
    def add(self, value: Any) -> int:
        if self.fixed or self.read_only:
            raise not_supported("Collection was of a fixed size.")
        self.items.append(value)
        return len(self.items) - 1

    @method("Remove(Object) : Void")
    def remove_item(self, value: Any) -> None:
        self.remove(value)

    @method("Clone() : Object")
    def clone(self) -> ArrayList:
        return ArrayList(self.items)

    @method("GetRange(Int32,Int32) : Collections.ArrayList")
    def get_range(self, index: int, count: int) -> ArrayList:
        self.check_range(index, count)
        return ArrayList(self.items[index : index + count])

    @method("SetRange(Int32,Collections.ICollection) : Void")
    def set_range(self, index: int, source: Any) -> None:
        added = elements(source)
        if index < 0 or index + len(added) > len(self.items):
            raise index_out_of_range()
        self.items[index : index + len(added)] = added

    @overloads("System.Collections.ArrayList", "ToArray")
    def to_net_array(self, kind: NetType | None = None) -> Any:
        return self.to_array(kind)

    @method("TrimToSize() : Void")
    def trim_to_size(self) -> None:
        self.trim()

    @static("Adapter(Collections.IList) : Collections.ArrayList")
    def adapter(source: Any) -> ArrayList:
        return ArrayList(elements(source))

    @static("Repeat(Object,Int32) : Collections.ArrayList")
    def repeat(value: Any, count: int) -> ArrayList:
        if count < 0:
            raise out_of_range("count", "Non-negative number required.")
        return ArrayList([value] * count)

    @overloads("System.Collections.ArrayList", "Synchronized")
    def synchronized(source: Any) -> Any:
        made = ArrayList(())
        made.items = need(source, "list").items if isinstance(source, _Sequence) else elements(source)
        made.shared = True
        return made

    @overloads("System.Collections.ArrayList", "ReadOnly", "FixedSize")
    def wrapped(source: Any) -> ArrayList:
        made = ArrayList(())
        made.items = source.items if isinstance(source, _Sequence) else elements(source)
        made.fixed = made.read_only = True
        return made


def _predicate_members() -> dict[str, Callable[..., Any]]:
    def find(self: Any, match: Any) -> Any:
        return next((item for item in list(self.items) if match(item)), default_value(self.element_type))

    def find_last(self: Any, match: Any) -> Any:
        return next((item for item in self.items[::-1] if match(item)), default_value(self.element_type))

    def span(self: Any, arguments: tuple[Any, ...]) -> tuple[int, int]:
        start = arguments[0] if arguments else 0
        count = arguments[1] if len(arguments) > 1 else len(self.items) - start
        if not 0 <= start <= len(self.items):
            raise index_out_of_range("startIndex")
        if count < 0 or start + count > len(self.items):
            raise out_of_range("count", COUNT)
        return start, start + count

    def find_index(self: Any, *arguments: Any) -> int:
        start, end = span(self, arguments[:-1])
        return next((index for index in range(start, end) if arguments[-1](self.items[index])), -1)

    def find_last_index(self: Any, *arguments: Any) -> int:
        start = arguments[0] if len(arguments) > 1 else len(self.items) - 1
        low = start - arguments[1] + 1 if len(arguments) > 2 else 0
        return next((index for index in range(start, low - 1, -1) if arguments[-1](self.items[index])), -1)

    def for_each(self: Any, action: Any) -> None:
        for item in self:
            action(item)

    def remove_all(self: Any, match: Any) -> int:
        kept = [item for item in self.items if not match(item)]
        removed = len(self.items) - len(kept)
        self.items[:] = kept
        return removed

    return {
        "Exists": lambda self, match: any(match(item) for item in list(self.items)),
        "Find": find,
        "FindLast": find_last,
        "FindIndex": find_index,
        "FindLastIndex": find_last_index,
        "ForEach": for_each,
        "RemoveAll": remove_all,
        "TrueForAll": lambda self, match: all(match(item) for item in list(self.items)),
        "FindAll": lambda self, match: self.same([item for item in list(self.items) if match(item)]),
    }


@net_type("System.Collections.Generic.List`1", interfaces=GENERIC_LIST)
class GenericList(_Sequence):
    locals().update(_bind("System.Collections.Generic.List`1", {**_LIST_MEMBERS, **_predicate_members()}))

    def same(self, items: list[Any]) -> GenericList:
        made = GenericList.__new__(GenericList)
        made.net_type = self.net_type
        made.setup()
        made.items.extend(items)
        return made

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @prop("Capacity : Int32")
    def capacity(self) -> int:
        return self.get_capacity()

    @capacity.setter
    def capacity(self, value: int) -> None:
        self.set_capacity(value)

    @indexer("Item[Int32] : T", setter="put")
    def item(self, index: int) -> Any:
        return self.at(index)

    @method("Add(T) : Void")
    def add(self, value: Any) -> None:
        self.items.append(value)

    @method("Remove(T) : Boolean")
    def remove_item(self, value: Any) -> bool:
        return self.remove(value)

    @method("GetRange(Int32,Int32) : Collections.Generic.List`1<T>")
    def get_range(self, index: int, count: int) -> GenericList:
        self.check_range(index, count)
        return self.same(self.items[index : index + count])

    @method("ConvertAll(Converter`2<T,TOutput>) : Collections.Generic.List`1<TOutput>")
    def convert_all(self, converter: Any) -> GenericList:
        return make(GenericList, get_type("System.Object"), items=[converter(item) for item in self.items])

    @method("AsReadOnly() : Collections.ObjectModel.ReadOnlyCollection`1<T>")
    def as_read_only(self) -> ReadOnlyCollection:
        return make(ReadOnlyCollection, self.element_type, items=self.items)

    @method("ToArray() : T[]")
    def to_net_array(self) -> Any:
        return self.to_array()

    @method("TrimExcess() : Void")
    def trim_excess(self) -> None:
        self.trim()


def generic_list(kind: NetType | str, items: Iterable[Any] = ()) -> GenericList:
    """A List<T> for Python code."""
    element = get_type(kind) if isinstance(kind, str) else kind
    return make(GenericList, element, items=list(items))


_COLLECTION_MEMBERS = {
    key: value
    for key, value in _LIST_MEMBERS.items()
    if key in ("Clear", "Contains", "CopyTo", "IndexOf", "Insert", "RemoveAt", "GetEnumerator", ".ctor")
}


@net_type("System.Collections.ObjectModel.Collection`1", interfaces=GENERIC_LIST)
class Collection(_Sequence):
    locals().update(_bind("System.Collections.ObjectModel.Collection`1", _COLLECTION_MEMBERS))

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : T", setter="put")
    def item(self, index: int) -> Any:
        return self.at(index)

    @method("Add(T) : Void")
    def add(self, value: Any) -> None:
        self.items.append(value)

    @method("Remove(T) : Boolean")
    def remove_item(self, value: Any) -> bool:
        return self.remove(value)


def collection_of(kind: NetType | str, items: Iterable[Any] = ()) -> Collection:
    """A Collection<T> for Python code."""
    element = get_type(kind) if isinstance(kind, str) else kind
    return make(Collection, element, items=list(items))


@net_type("System.Collections.ObjectModel.ReadOnlyCollection`1", interfaces=GENERIC_LIST)
class ReadOnlyCollection(_Sequence):
    locals().update(
        _bind(
            "System.Collections.ObjectModel.ReadOnlyCollection`1",
            {key: _LIST_MEMBERS[key] for key in (".ctor", "Contains", "CopyTo", "IndexOf", "GetEnumerator")},
        )
    )

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : T")
    def item(self, index: int) -> Any:
        return self.at(index)


@net_type("System.Collections.Specialized.StringCollection", interfaces=LIST_INTERFACES)
class StringCollection(_Sequence):
    locals().update(
        _bind(
            "System.Collections.Specialized.StringCollection",
            {
                key: _LIST_MEMBERS[key]
                for key in (
                    ".ctor",
                    "AddRange",
                    "Clear",
                    "Contains",
                    "CopyTo",
                    "IndexOf",
                    "Insert",
                    "RemoveAt",
                    "GetEnumerator",
                )
            },
        )
    )

    def __init__(self, items: Iterable[str] = ()) -> None:
        self.setup()
        self.items.extend(items)

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : String", setter="put")
    def item(self, index: int) -> Any:
        return self.at(index)

    @method("Add(String) : Int32")
    def add(self, value: str) -> int:
        self.items.append(value)
        return len(self.items) - 1

    @method("Remove(String) : Void")
    def remove_item(self, value: str) -> None:
        self.remove(value)


# ------------------------------------------------------------------------------------------------------------ queues and stacks


def _take(self: Any, position: int, message: str) -> Any:
    if not self.items:
        raise invalid_operation(message)
    return self.items.pop(position)


def _peek(self: Any, position: int, message: str) -> Any:
    if not self.items:
        raise invalid_operation(message)
    return self.items[position]


def _declare_queue(type_name: str, class_name: str, interfaces: tuple[str, ...]) -> Any:
    members: dict[str, Any] = {
        **_bind(
            type_name,
            {
                ".ctor": _sequence_ctor,
                "Clear": _Sequence.clear,
                "Contains": _Sequence.contains,
                "CopyTo": _Sequence.copy_to,
                "GetEnumerator": _Sequence.get_enumerator,
                "ToArray": lambda self: self.to_array(),
                "Enqueue": lambda self, value: self.items.append(value),
                "Dequeue": lambda self: _take(self, 0, "Queue empty."),
                "Peek": lambda self: _peek(self, 0, "Queue empty."),
            },
        ),
        "count": prop("Count : Int32 get")(lambda self: len(self.items)),
        "__doc__": type_name,
    }
    return net_type(type_name, interfaces=interfaces)(type(class_name, (_Sequence,), members))


def _stack_ctor(self: Any, *arguments: Any) -> None:
    _sequence_ctor(self, *arguments)
    self.items.reverse()


def _declare_stack(type_name: str, class_name: str, interfaces: tuple[str, ...]) -> Any:
    """Stacks keep their top at index 0, which is how they enumerate."""
    members: dict[str, Any] = {
        **_bind(
            type_name,
            {
                ".ctor": _stack_ctor,
                "Clear": _Sequence.clear,
                "Contains": _Sequence.contains,
                "CopyTo": _Sequence.copy_to,
                "GetEnumerator": _Sequence.get_enumerator,
                "ToArray": lambda self: self.to_array(),
                "Push": lambda self, value: self.items.insert(0, value),
                "Pop": lambda self: _take(self, 0, "Stack empty."),
                "Peek": lambda self: _peek(self, 0, "Stack empty."),
            },
        ),
        "count": prop("Count : Int32 get")(lambda self: len(self.items)),
        "__doc__": type_name,
    }
    return net_type(type_name, interfaces=interfaces)(type(class_name, (_Sequence,), members))


Queue = _declare_queue("System.Collections.Queue", "Queue", ("Collections.ICollection", "ICloneable"))
GenericQueue = _declare_queue(
    "System.Collections.Generic.Queue`1",
    "GenericQueue",
    ("Collections.ICollection", "Collections.Generic.IReadOnlyCollection`1<T>"),
)
Stack = _declare_stack("System.Collections.Stack", "Stack", ("Collections.ICollection", "ICloneable"))
GenericStack = _declare_stack(
    "System.Collections.Generic.Stack`1",
    "GenericStack",
    ("Collections.ICollection", "Collections.Generic.IReadOnlyCollection`1<T>"),
)


def _try_take(self: Any, result: Any, position: int, remove: bool) -> bool:
    try:
        result.value = self.items.pop(position) if remove else self.items[position]
        return True
    except IndexError:
        result.value = default_value(self.element_type)
        return False


def _declare_concurrent(type_name: str, class_name: str, members: dict[str, Callable[..., Any]]) -> Any:
    shared: dict[str, Callable[..., Any]] = {
        ".ctor": _sequence_ctor,
        "CopyTo": _Sequence.copy_to,
        "GetEnumerator": lambda self: Enumerator(list(self.items)),
        "ToArray": lambda self: self.to_array(),
    }
    body: dict[str, Any] = {
        **_bind(type_name, {**shared, **members}),
        "count": prop("Count : Int32 get")(lambda self: len(self.items)),
        "is_empty": prop("IsEmpty : Boolean get")(lambda self: not self.items),
        "__iter__": lambda self: iter(list(self.items)),
        "__doc__": type_name,
    }
    return net_type(type_name, interfaces=("Collections.ICollection", "Collections.Generic.IEnumerable`1<T>"))(
        type(class_name, (_Sequence,), body)
    )


ConcurrentQueue = _declare_concurrent(
    "System.Collections.Concurrent.ConcurrentQueue`1",
    "ConcurrentQueue",
    {
        "Enqueue": lambda self, value: self.items.append(value),
        "TryDequeue": lambda self, result: _try_take(self, result, 0, True),
        "TryPeek": lambda self, result: _try_take(self, result, 0, False),
    },
)
ConcurrentStack = _declare_concurrent(
    "System.Collections.Concurrent.ConcurrentStack`1",
    "ConcurrentStack",
    {
        ".ctor": _stack_ctor,
        "Push": lambda self, value: self.items.insert(0, value),
        "TryPop": lambda self, result: _try_take(self, result, 0, True),
        "TryPeek": lambda self, result: _try_take(self, result, 0, False),
        "Clear": _Sequence.clear,
    },
)
ConcurrentBag = _declare_concurrent(
    "System.Collections.Concurrent.ConcurrentBag`1",
    "ConcurrentBag",
    {
        "Add": lambda self, value: self.items.insert(0, value),
        "TryTake": lambda self, result: _try_take(self, result, 0, True),
        "TryPeek": lambda self, result: _try_take(self, result, 0, False),
    },
)


# ------------------------------------------------------------------------------------------------------------ dictionaries


class KeyValueCollection(NetObject):
    """Keys or Values of a dictionary: a live view."""

    def __init__(self, source: Dictionary, keys: bool) -> None:
        self.source = source
        self.keys = keys

    def snapshot(self) -> list[Any]:
        return self.source.keys() if self.keys else self.source.values()

    def __iter__(self) -> Iterator[Any]:
        size = len(self.source)
        for item in self.snapshot():
            if len(self.source) != size:
                raise invalid_operation("Collection was modified; enumeration operation may not execute.")
            yield item

    def __len__(self) -> int:
        return len(self.source)

    def __bool__(self) -> bool:
        return True

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.source)

    @prop("IsSynchronized : Boolean get")
    def is_synchronized(self) -> bool:
        return False

    @prop("SyncRoot : Object get")
    def sync_root(self) -> Any:
        return self.source

    @method("CopyTo(Array,Int32) : Void")
    def copy_to(self, target: Any, index: int) -> None:
        items = self.snapshot()
        copy_array(PSArray(items), 0, need(target, "array"), index, len(items))

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


def _view_type(full_name: str, generic: bool = False) -> type[KeyValueCollection]:
    body = {"__doc__": full_name}
    interfaces = ("Collections.ICollection",)
    name = full_name.rpartition("+")[2]
    return net_type(full_name, interfaces=interfaces, kind="class", base="System.Object", assembly="mscorlib")(
        type(
            name,
            (KeyValueCollection,),
            {
                **{
                    k: v
                    for k, v in vars(KeyValueCollection).items()
                    if isinstance(v, DeclaredProperty) or hasattr(v, "__net__")
                },
                **body,
            },
        )
    )


_HASH_KEYS = _view_type("System.Collections.Hashtable+KeyCollection")
_HASH_VALUES = _view_type("System.Collections.Hashtable+ValueCollection")
_ORDERED_VIEW = _view_type("System.Collections.Specialized.OrderedDictionary+OrderedDictionaryKeyValueCollection")
_DICT_KEYS = _view_type("System.Collections.Generic.Dictionary`2+KeyCollection")
_DICT_VALUES = _view_type("System.Collections.Generic.Dictionary`2+ValueCollection")
_SORTED_KEYS = _view_type("System.Collections.Generic.SortedDictionary`2+KeyCollection")
_SORTED_VALUES = _view_type("System.Collections.Generic.SortedDictionary`2+ValueCollection")


class DictionaryEnumerator(Enumerator):
    """IDictionaryEnumerator."""

    @prop("Key : Object get")
    def key(self) -> Any:
        return self._entry().key

    @prop("Value : Object get")
    def entry_value(self) -> Any:
        return self._entry().value

    @prop("Entry : Collections.DictionaryEntry get")
    def entry(self) -> Any:
        entry = self._entry()
        return DictionaryEntry(entry.key, entry.value)

    def _entry(self) -> Any:
        if self.state == 0:
            raise invalid_operation("Enumeration has not started. Call MoveNext.")
        if self.state == 2:
            raise invalid_operation("Enumeration already finished.")
        return self.value


net_type(
    "System.Collections.Hashtable+HashtableEnumerator",
    base="System.Array+SZArrayEnumerator",
    interfaces=("Collections.IDictionaryEnumerator",),
    kind="class",
    assembly="mscorlib",
)(DictionaryEnumerator)


def _entries(source: Dictionary) -> Iterator[Any]:
    size = len(source)
    for key, value in source.items():
        if len(source) != size:
            raise invalid_operation("Collection was modified; enumeration operation may not execute.")
        yield entry_of(source, key, value)


class _Entries:
    def __init__(self, source: Dictionary) -> None:
        self.source = source

    def __iter__(self) -> Iterator[Any]:
        return _entries(self.source)


def _ignores_case(comparer: Any) -> bool:
    return isinstance(comparer, (StringComparer, CaseInsensitiveComparer)) and getattr(comparer, "ignore_case", True)


def _key(key: Any) -> Any:
    if key is None:
        raise argument_null("key", "Key cannot be null.")
    return unwrap(key)


def _duplicate(self: Dictionary, key: Any) -> NetException:
    own = self.entries[dictionary_key(key, self.ignore_case)][0]
    return argument(
        f"Item has already been added. Key in dictionary: '{net_string(own)}'  Key being added: '{net_string(key)}'"
    )


def _add(self: Dictionary, key: Any, value: Any) -> None:
    key = _key(key)
    if key in self:
        raise _duplicate(self, key)
    self[key] = value


def _copy_entries(self: Dictionary, target: Any, index: int) -> None:
    items = [entry_of(self, key, value) for key, value in self.items()]
    copy_array(PSArray(items), 0, need(target, "array"), index, len(items))


@net_type("System.Collections.Hashtable", python=Hashtable, interfaces=("Collections.IDictionary", "ICloneable"))
class HashtableType:
    """System.Collections.Hashtable"""

    @overloads("System.Collections.Hashtable", ".ctor", skip=("IHashCodeProvider",))
    def new(*arguments: Any) -> Hashtable:
        made = Hashtable(ignore_case=any(_ignores_case(item) for item in arguments))
        for item in arguments:
            if isinstance(item, Dictionary):
                for key, value in item.items():
                    made[key] = value
        return made

    @prop("Count : Int32 get")
    def count(self: Hashtable) -> int:
        return len(self)

    @prop("Keys : Collections.ICollection get")
    def keys(self: Hashtable) -> Any:
        return _HASH_KEYS(self, True)

    @prop("Values : Collections.ICollection get")
    def values(self: Hashtable) -> Any:
        return _HASH_VALUES(self, False)

    @prop("IsFixedSize : Boolean get")
    def is_fixed_size(self: Hashtable) -> bool:
        return False

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self: Hashtable) -> bool:
        return False

    @prop("IsSynchronized : Boolean get")
    def is_synchronized(self: Hashtable) -> bool:
        return bool(self.__dict__.get("synchronized", False))

    @prop("SyncRoot : Object get")
    def sync_root(self: Hashtable) -> Any:
        return self

    def set_item(self: Hashtable, key: Any, value: Any) -> None:
        self[_key(key)] = value

    @indexer("Item[Object] : Object", setter="set_item")
    def item(self: Hashtable, key: Any) -> Any:
        return self.get(_key(key))

    @method("Add(Object,Object) : Void")
    def add(self: Hashtable, key: Any, value: Any) -> None:
        _add(self, key, value)

    @method("Clear() : Void")
    def clear(self: Hashtable) -> None:
        self.clear()

    @method("Clone() : Object")
    def clone(self: Hashtable) -> Hashtable:
        return Hashtable(self.items(), self.ignore_case)

    @method("Contains(Object) : Boolean")
    @method("ContainsKey(Object) : Boolean")
    def contains(self: Hashtable, key: Any) -> bool:
        return _key(key) in self

    @method("ContainsValue(Object) : Boolean")
    def contains_value(self: Hashtable, value: Any) -> bool:
        return any(net_equals(item, value) for item in self.values())

    @method("CopyTo(Array,Int32) : Void")
    def copy_to(self: Hashtable, target: Any, index: int) -> None:
        _copy_entries(self, target, index)

    @method("GetEnumerator() : Collections.IDictionaryEnumerator")
    def get_enumerator(self: Hashtable) -> DictionaryEnumerator:
        return DictionaryEnumerator(_Entries(self))

    @method("Remove(Object) : Void")
    def remove(self: Hashtable, key: Any) -> None:
        self.remove(_key(key))

    @static("Synchronized(Collections.Hashtable) : Collections.Hashtable")
    def synchronized(source: Hashtable) -> Hashtable:
        made = Hashtable(ignore_case=need(source, "table").ignore_case)
        made.entries = source.entries
        made.__dict__["synchronized"] = True
        return made


@net_type(
    "System.Collections.Specialized.OrderedDictionary",
    python=OrderedDictionary,
    interfaces=("Collections.Specialized.IOrderedDictionary",),
)
class OrderedDictionaryType:
    """System.Collections.Specialized.OrderedDictionary"""

    @overloads("System.Collections.Specialized.OrderedDictionary", ".ctor")
    def new(*arguments: Any) -> OrderedDictionary:
        return OrderedDictionary(ignore_case=any(_ignores_case(item) for item in arguments))

    @prop("Count : Int32 get")
    def count(self: OrderedDictionary) -> int:
        return len(self)

    @prop("Keys : Collections.ICollection get")
    def keys(self: OrderedDictionary) -> Any:
        return _ORDERED_VIEW(self, True)

    @prop("Values : Collections.ICollection get")
    def values(self: OrderedDictionary) -> Any:
        return _ORDERED_VIEW(self, False)

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self: OrderedDictionary) -> bool:
        return bool(self.__dict__.get("read_only", False))

    def set_at(self: OrderedDictionary, index: int, value: Any) -> None:
        key = OrderedDictionaryType._position(self, index)
        self.entries[key] = (self.entries[key][0], value)

    def set_item(self: OrderedDictionary, key: Any, value: Any) -> None:
        self[_key(key)] = value

    def _position(self: OrderedDictionary, index: int) -> Any:
        try:
            return self.key_at(index)
        except IndexError:
            raise index_out_of_range() from None

    @indexer("Item[Int32] : Object", setter="set_at")
    def at(self: OrderedDictionary, index: int) -> Any:
        return self.entries[OrderedDictionaryType._position(self, index)][1]

    @indexer("Item[Object] : Object", setter="set_item")
    def item(self: OrderedDictionary, key: Any) -> Any:
        return self.get(_key(key))

    @method("Add(Object,Object) : Void")
    def add(self: OrderedDictionary, key: Any, value: Any) -> None:
        if OrderedDictionaryType.is_read_only.fget(self):
            raise not_supported("The OrderedDictionary is readonly and cannot be modified.")
        _add(self, key, value)

    @method("AsReadOnly() : Collections.Specialized.OrderedDictionary")
    def as_read_only(self: OrderedDictionary) -> OrderedDictionary:
        made = OrderedDictionary(ignore_case=self.ignore_case)
        made.entries = self.entries
        made.__dict__["read_only"] = True
        return made

    @method("Clear() : Void")
    def clear(self: OrderedDictionary) -> None:
        self.clear()

    @method("Contains(Object) : Boolean")
    def contains(self: OrderedDictionary, key: Any) -> bool:
        return _key(key) in self

    @method("CopyTo(Array,Int32) : Void")
    def copy_to(self: OrderedDictionary, target: Any, index: int) -> None:
        _copy_entries(self, target, index)

    @method("GetEnumerator() : Collections.IDictionaryEnumerator")
    def get_enumerator(self: OrderedDictionary) -> DictionaryEnumerator:
        return DictionaryEnumerator(_Entries(self))

    @method("Insert(Int32,Object,Object) : Void")
    def insert(self: OrderedDictionary, index: int, key: Any, value: Any) -> None:
        if not 0 <= index <= len(self):
            raise out_of_range("index")
        if _key(key) in self:
            raise _duplicate(self, key)
        self.insert(index, key, value)

    @method("Remove(Object) : Void")
    def remove(self: OrderedDictionary, key: Any) -> None:
        self.remove(_key(key))

    @method("RemoveAt(Int32) : Void")
    def remove_at(self: OrderedDictionary, index: int) -> None:
        try:
            del self.entries[self.key_at(index)]
        except IndexError:
            raise index_out_of_range() from None


@net_type("System.Collections.DictionaryEntry", python=DictionaryEntry)
class DictionaryEntryType:
    """System.Collections.DictionaryEntry"""

    @ctor("(Object,Object)")
    def new(key: Any, value: Any) -> DictionaryEntry:
        return DictionaryEntry(key, value)

    @prop("Key : Object")
    def key(self: DictionaryEntry) -> Any:
        return self.key

    @key.setter
    def key(self: DictionaryEntry, value: Any) -> None:
        self.key = value

    @prop("Value : Object")
    def value(self: DictionaryEntry) -> Any:
        return self.value

    @value.setter
    def value(self: DictionaryEntry, value: Any) -> None:
        self.value = value


@net_type("System.Collections.Generic.KeyValuePair`2")
class KeyValuePair(NetObject):
    def setup(self) -> None:
        self.key: Any = None
        self.value: Any = None

    def __str__(self) -> str:
        return f"[{net_string(self.key)}, {net_string(self.value)}]"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, KeyValuePair) and net_equals(self.key, other.key) and net_equals(self.value, other.value)
        )

    def __hash__(self) -> int:
        return net_hash(self.key)

    @ctor("(TKey,TValue)")
    def new(self, key: Any, value: Any) -> None:
        self.key, self.value = key, value

    @prop("Key : TKey get")
    def get_key(self) -> Any:
        return self.key

    @prop("Value : TValue get")
    def get_value(self) -> Any:
        return self.value

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


class _Generic(Dictionary):
    """What the generic dictionaries share."""

    comparer: Any = None
    missing = "The given key was not present in the dictionary."
    duplicate = "An item with the same key has already been added."

    def setup(self) -> None:
        Dictionary.__init__(self)

    def build(self, *arguments: Any) -> None:
        self.setup()
        for item in arguments:
            if isinstance(item, StringComparer) or hasattr(item, "compare"):
                self.comparer = item
                self.ignore_case = _ignores_case(item)
        for item in arguments:
            if isinstance(item, Dictionary):
                for key, value in item.items():
                    self.add(key, value)
            elif isinstance(item, int):
                if item < 0:
                    raise out_of_range("capacity", "Non-negative number required.")
            elif item is not None and not hasattr(item, "compare"):
                for pair in elements(item):
                    self.add(pair.key, pair.value)

    def check_key(self, key: Any) -> Any:
        return need(unwrap(key), "key")

    def at(self, key: Any) -> Any:
        key = self.check_key(key)
        if key not in self:
            raise NetException("System.Collections.Generic.KeyNotFoundException", self.missing)
        return self[key]

    def put(self, key: Any, value: Any) -> None:
        self[self.check_key(key)] = value

    def add(self, key: Any, value: Any) -> None:
        key = self.check_key(key)
        if key in self:
            raise argument(self.duplicate)
        self[key] = value

    def try_get(self, key: Any, result: Any) -> bool:
        key = self.check_key(key)
        found = key in self
        result.value = self[key] if found else default_value(self.generic_args[1])
        return found

    def has_value(self, value: Any) -> bool:
        return any(net_equals(item, value) for item in self.values())

    def view(self, cls: type[KeyValueCollection], keys: bool) -> KeyValueCollection:
        made = cls(self, keys)
        definition = made.net_type
        if definition.parameter_names and self.generic_args:
            made.net_type = definition.make_generic(list(self.generic_args))
        return made

    def pairs(self) -> Any:
        return DictionaryEnumerator(_Entries(self))


_DICTIONARY_MEMBERS: dict[str, Callable[..., Any]] = {
    ".ctor": lambda self, *arguments: self.build(*arguments),
    "Add": _Generic.add,
    "Clear": Dictionary.clear,
    "ContainsKey": lambda self, key: self.check_key(key) in self,
    "ContainsValue": _Generic.has_value,
    "GetEnumerator": _Generic.pairs,
    "Remove": lambda self, key: self.remove(self.check_key(key)),
    "TryGetValue": _Generic.try_get,
}
DICTIONARY_INTERFACES = (
    "Collections.IDictionary",
    "Collections.Generic.IDictionary`2<TKey,TValue>",
    "Collections.Generic.IReadOnlyDictionary`2<TKey,TValue>",
)


@net_type("System.Collections.Generic.Dictionary`2", interfaces=DICTIONARY_INTERFACES)
class GenericDictionary(_Generic):
    locals().update(_bind("System.Collections.Generic.Dictionary`2", _DICTIONARY_MEMBERS))

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self)

    @prop("Comparer : Collections.Generic.IEqualityComparer`1<TKey> get")
    def get_comparer(self) -> Any:
        return self.comparer or StringComparer(True, False)

    @prop("Keys : Collections.Generic.Dictionary`2.KeyCollection<TKey,TValue> get")
    def net_keys(self) -> Any:
        return self.view(_DICT_KEYS, True)

    @prop("Values : Collections.Generic.Dictionary`2.ValueCollection<TKey,TValue> get")
    def net_values(self) -> Any:
        return self.view(_DICT_VALUES, False)

    @indexer("Item[TKey] : TValue", setter="put")
    def item(self, key: Any) -> Any:
        return self.at(key)


def generic_dictionary(key: str, value: str, items: Iterable[tuple[Any, Any]] = ()) -> GenericDictionary:
    """A Dictionary<K,V> for Python code."""
    made = make(GenericDictionary, get_type(key), get_type(value))
    for name, item in items:
        made[name] = item
    return made


class _Sorted(_Generic):
    """Dictionaries in key order."""

    duplicate = "An entry with the same key already exists."

    def _ordered(self) -> list[tuple[Any, Any]]:
        order = sort_key(self.comparer)
        return sorted(self.entries.values(), key=lambda item: order(item[0]))

    def keys(self) -> list[Any]:
        return [key for key, _ in self._ordered()]

    def values(self) -> list[Any]:
        return [value for _, value in self._ordered()]

    def items(self) -> list[tuple[Any, Any]]:
        return self._ordered()


@net_type("System.Collections.Generic.SortedDictionary`2", interfaces=DICTIONARY_INTERFACES, generic=("TKey", "TValue"))
class SortedDictionary(_Sorted):
    locals().update(
        _bind("System.Collections.Generic.SortedDictionary`2", {**_DICTIONARY_MEMBERS, "CopyTo": _copy_entries})
    )

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self)

    @prop("Keys : Collections.Generic.SortedDictionary`2.KeyCollection<TKey,TValue> get")
    def net_keys(self) -> Any:
        return self.view(_SORTED_KEYS, True)

    @prop("Values : Collections.Generic.SortedDictionary`2.ValueCollection<TKey,TValue> get")
    def net_values(self) -> Any:
        return self.view(_SORTED_VALUES, False)

    @indexer("Item[TKey] : TValue", setter="put")
    def item(self, key: Any) -> Any:
        return self.at(key)


def _index_key(self: _Generic, key: Any) -> int:
    return next((index for index, own in enumerate(self.keys()) if net_equals(own, unwrap(key))), -1)


def _index_value(self: _Generic, value: Any) -> int:
    return next((index for index, own in enumerate(self.values()) if net_equals(own, value)), -1)


def _remove_position(self: _Generic, index: int) -> None:
    keys = self.keys()
    if not 0 <= index < len(keys):
        raise index_out_of_range()
    self.remove(keys[index])


@net_type("System.Collections.Generic.SortedList`2", interfaces=DICTIONARY_INTERFACES)
class GenericSortedList(_Sorted):
    locals().update(
        _bind(
            "System.Collections.Generic.SortedList`2",
            {
                **_DICTIONARY_MEMBERS,
                "IndexOfKey": _index_key,
                "IndexOfValue": _index_value,
                "RemoveAt": _remove_position,
            },
        )
    )

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self)

    @prop("Keys : Collections.Generic.IList`1<TKey> get")
    def net_keys(self) -> Any:
        return make(ReadOnlyCollection, self.generic_args[0], items=self.keys())

    @prop("Values : Collections.Generic.IList`1<TValue> get")
    def net_values(self) -> Any:
        return make(ReadOnlyCollection, self.generic_args[1], items=self.values())

    @indexer("Item[TKey] : TValue", setter="put")
    def item(self, key: Any) -> Any:
        return self.at(key)


@net_type("System.Collections.SortedList", interfaces=("Collections.IDictionary", "ICloneable"))
class SortedList(_Sorted):
    locals().update(
        _bind(
            "System.Collections.SortedList",
            {
                **{
                    key: value
                    for key, value in _DICTIONARY_MEMBERS.items()
                    if key not in ("TryGetValue", "Add", "Remove")
                },
                "Contains": lambda self, key: self.check_key(key) in self,
                "CopyTo": _copy_entries,
                "IndexOfKey": _index_key,
                "IndexOfValue": _index_value,
                "RemoveAt": _remove_position,
            },
        )
    )

    def __init__(self) -> None:
        self.setup()

    def check_key(self, key: Any) -> Any:
        return _key(key)

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self)

    @prop("Keys : Collections.ICollection get")
    def net_keys(self) -> Any:
        return _HASH_KEYS(self, True)

    @prop("Values : Collections.ICollection get")
    def net_values(self) -> Any:
        return _HASH_VALUES(self, False)

    @indexer("Item[Object] : Object", setter="put")
    def item(self, key: Any) -> Any:
        return self.get(_key(key))

    @method("Add(Object,Object) : Void")
    def net_add(self, key: Any, value: Any) -> None:
        _add(self, key, value)

    @method("Remove(Object) : Void")
    def net_remove(self, key: Any) -> None:
        self.remove(_key(key))

    @method("GetByIndex(Int32) : Object")
    def get_by_index(self, index: int) -> Any:
        values = self.values()
        if not 0 <= index < len(values):
            raise index_out_of_range()
        return values[index]

    @method("GetKey(Int32) : Object")
    def get_key(self, index: int) -> Any:
        keys = self.keys()
        if not 0 <= index < len(keys):
            raise index_out_of_range()
        return keys[index]

    @method("SetByIndex(Int32,Object) : Void")
    def set_by_index(self, index: int, value: Any) -> None:
        self[self.get_key(index)] = value

    @method("GetKeyList() : Collections.IList")
    def get_key_list(self) -> ArrayList:
        return ArrayList(self.keys())

    @method("GetValueList() : Collections.IList")
    def get_value_list(self) -> ArrayList:
        return ArrayList(self.values())


@net_type(
    "System.Collections.Concurrent.ConcurrentDictionary`2",
    interfaces=("Collections.IDictionary", "Collections.Generic.IDictionary`2<TKey,TValue>"),
)
class ConcurrentDictionary(_Generic):
    locals().update(
        _bind(
            "System.Collections.Concurrent.ConcurrentDictionary`2",
            {
                key: _DICTIONARY_MEMBERS[key]
                for key in (".ctor", "Clear", "ContainsKey", "GetEnumerator", "TryGetValue")
            },
        )
    )

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self)

    @prop("IsEmpty : Boolean get")
    def is_empty(self) -> bool:
        return len(self) == 0

    @prop("Keys : Collections.Generic.ICollection`1<TKey> get")
    def net_keys(self) -> Any:
        return make(ReadOnlyCollection, self.generic_args[0], items=self.keys())

    @prop("Values : Collections.Generic.ICollection`1<TValue> get")
    def net_values(self) -> Any:
        return make(ReadOnlyCollection, self.generic_args[1], items=self.values())

    @indexer("Item[TKey] : TValue", setter="put")
    def item(self, key: Any) -> Any:
        return self.at(key)

    @method("TryAdd(TKey,TValue) : Boolean")
    def try_add(self, key: Any, value: Any) -> bool:
        key = self.check_key(key)
        if key in self:
            return False
        self[key] = value
        return True

    @method("TryRemove(TKey,TValue&) : Boolean")
    def try_remove(self, key: Any, result: Any) -> bool:
        found = self.try_get(key, result)
        self.remove(key)
        return found

    @method("TryUpdate(TKey,TValue,TValue) : Boolean")
    def try_update(self, key: Any, value: Any, comparison: Any) -> bool:
        key = self.check_key(key)
        if key not in self or not net_equals(self[key], comparison):
            return False
        self[key] = value
        return True

    @method("GetOrAdd(TKey,TValue) : TValue")
    def get_or_add(self, key: Any, value: Any) -> Any:
        key = self.check_key(key)
        if key not in self:
            self[key] = value
        return self[key]

    @method("GetOrAdd(TKey,Func`2<TKey,TValue>) : TValue")
    def get_or_make(self, key: Any, factory: Any) -> Any:
        key = self.check_key(key)
        if key not in self:
            self[key] = factory(key)
        return self[key]

    @method("AddOrUpdate(TKey,TValue,Func`3<TKey,TValue,TValue>) : TValue")
    def add_or_update(self, key: Any, value: Any, update: Any) -> Any:
        key = self.check_key(key)
        self[key] = update(key, self[key]) if key in self else value
        return self[key]

    @method("AddOrUpdate(TKey,Func`2<TKey,TValue>,Func`3<TKey,TValue,TValue>) : TValue")
    def make_or_update(self, key: Any, factory: Any, update: Any) -> Any:
        key = self.check_key(key)
        self[key] = update(key, self[key]) if key in self else factory(key)
        return self[key]

    @method("ToArray() : Collections.Generic.KeyValuePair`2<TKey,TValue>[]")
    def to_array(self) -> list[Any]:
        return [entry_of(self, key, value) for key, value in self.items()]


# ------------------------------------------------------------------------------------------------------------ sets


class _Set(NetObject):
    def setup(self) -> None:
        self.entries: dict[Any, Any] = {}
        self.ignore_case = False
        self.comparer: Any = None

    def build(self, *arguments: Any) -> None:
        self.setup()
        for item in arguments:
            if hasattr(item, "compare"):
                self.comparer = item
                self.ignore_case = _ignores_case(item)
        for item in arguments:
            if item is not None and not hasattr(item, "compare"):
                self.union(item)

    def key(self, value: Any) -> Any:
        return dictionary_key(unwrap(value), self.ignore_case)

    def keys_of(self, source: Any) -> dict[Any, Any]:
        return {self.key(item): item for item in elements(source)}

    def ordered(self) -> list[Any]:
        return list(self.entries.values())

    def __iter__(self) -> Iterator[Any]:
        size = len(self.entries)
        for item in self.ordered():
            if len(self.entries) != size:
                raise invalid_operation("Collection was modified; enumeration operation may not execute.")
            yield item

    def __len__(self) -> int:
        return len(self.entries)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, value: Any) -> bool:
        return self.key(value) in self.entries

    def add(self, value: Any) -> bool:
        key = self.key(value)
        if key in self.entries:
            return False
        self.entries[key] = unwrap(value)
        return True

    def union(self, source: Any) -> None:
        for key, value in self.keys_of(source).items():
            self.entries.setdefault(key, value)

    def except_with(self, source: Any) -> None:
        for key in self.keys_of(source):
            self.entries.pop(key, None)

    def intersect(self, source: Any) -> None:
        other = self.keys_of(source)
        self.entries = {key: value for key, value in self.entries.items() if key in other}

    def symmetric(self, source: Any) -> None:
        for key, value in self.keys_of(source).items():
            if key in self.entries:
                del self.entries[key]
            else:
                self.entries[key] = value

    def remove_where(self, match: Any) -> int:
        gone = [key for key, value in self.entries.items() if match(value)]
        for key in gone:
            del self.entries[key]
        return len(gone)

    def copy_to(self, target: Any, index: int = 0, count: int | None = None) -> None:
        items = self.ordered()[: len(self.entries) if count is None else count]
        copy_array(PSArray(items), 0, need(target, "array"), index, len(items))


_SET_MEMBERS: dict[str, Callable[..., Any]] = {
    ".ctor": lambda self, *arguments: self.build(*arguments),
    "Add": _Set.add,
    "Clear": lambda self: self.entries.clear(),
    "Contains": lambda self, value: value in self,
    "CopyTo": _Set.copy_to,
    "ExceptWith": _Set.except_with,
    "GetEnumerator": Enumerator,
    "IntersectWith": _Set.intersect,
    "IsProperSubsetOf": lambda self, other: self.entries.keys() < self.keys_of(other).keys(),
    "IsProperSupersetOf": lambda self, other: self.entries.keys() > self.keys_of(other).keys(),
    "IsSubsetOf": lambda self, other: self.entries.keys() <= self.keys_of(other).keys(),
    "IsSupersetOf": lambda self, other: self.entries.keys() >= self.keys_of(other).keys(),
    "Overlaps": lambda self, other: bool(self.entries.keys() & self.keys_of(other).keys()),
    "Remove": lambda self, value: self.entries.pop(self.key(value), _MISSING) is not _MISSING,
    "RemoveWhere": _Set.remove_where,
    "SetEquals": lambda self, other: self.entries.keys() == self.keys_of(other).keys(),
    "SymmetricExceptWith": _Set.symmetric,
    "UnionWith": _Set.union,
}


@net_type(
    "System.Collections.Generic.HashSet`1",
    interfaces=("Collections.Generic.ISet`1<T>", "Collections.Generic.IReadOnlyCollection`1<T>"),
)
class HashSet(_Set):
    locals().update(_bind("System.Collections.Generic.HashSet`1", {**_SET_MEMBERS, "TrimExcess": lambda self: None}))

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.entries)

    @prop("Comparer : Collections.Generic.IEqualityComparer`1<T> get")
    def get_comparer(self) -> Any:
        return self.comparer or StringComparer(True, False)


@net_type(
    "System.Collections.Generic.SortedSet`1",
    interfaces=(
        "Collections.Generic.ISet`1<T>",
        "Collections.ICollection",
        "Collections.Generic.IReadOnlyCollection`1<T>",
    ),
)
class SortedSet(_Set):
    locals().update(_bind("System.Collections.Generic.SortedSet`1", _SET_MEMBERS))

    def ordered(self) -> list[Any]:
        return sorted(self.entries.values(), key=sort_key(self.comparer))

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.entries)

    @prop("Max : T get")
    def maximum(self) -> Any:
        return self.ordered()[-1] if self.entries else None

    @prop("Min : T get")
    def minimum(self) -> Any:
        return self.ordered()[0] if self.entries else None


# ------------------------------------------------------------------------------------------------------------ linked list


@net_type("System.Collections.Generic.LinkedListNode`1")
class LinkedListNode(NetObject):
    def setup(self) -> None:
        self.owner: LinkedList | None = None
        self.value: Any = None

    @ctor("(T)")
    def new(self, value: Any) -> None:
        self.setup()
        self.value = value

    @prop("List : Collections.Generic.LinkedList`1<T> get")
    def get_list(self) -> Any:
        return self.owner

    @prop("Value : T")
    def get_value(self) -> Any:
        return self.value

    @get_value.setter
    def get_value(self, value: Any) -> None:
        self.value = value

    def _neighbour(self, step: int) -> LinkedListNode | None:
        if self.owner is None:
            return None
        position = self.owner.position(self) + step
        return self.owner.nodes[position] if 0 <= position < len(self.owner.nodes) else None

    @prop("Next : Collections.Generic.LinkedListNode`1<T> get")
    def next_node(self) -> Any:
        return self._neighbour(1)

    @prop("Previous : Collections.Generic.LinkedListNode`1<T> get")
    def previous_node(self) -> Any:
        return self._neighbour(-1)


@net_type(
    "System.Collections.Generic.LinkedList`1",
    interfaces=("Collections.ICollection", "Collections.Generic.ICollection`1<T>"),
)
class LinkedList(NetObject):
    def setup(self) -> None:
        self.nodes: list[LinkedListNode] = []

    def __iter__(self) -> Iterator[Any]:
        for node in list(self.nodes):
            yield node.value

    def __len__(self) -> int:
        return len(self.nodes)

    def __bool__(self) -> bool:
        return True

    def position(self, node: LinkedListNode) -> int:
        for index, own in enumerate(self.nodes):
            if own is node:
                return index
        raise invalid_operation("The LinkedList node does not belong to current LinkedList.")

    def node(self, value: Any) -> LinkedListNode:
        if isinstance(value, LinkedListNode):
            if value.owner is not None:
                raise invalid_operation("The LinkedList node already belongs to a LinkedList.")
            made = value
        else:
            made = make(LinkedListNode, *self.generic_args, value=value)
        made.owner = self
        return made

    @overloads("System.Collections.Generic.LinkedList`1", ".ctor")
    def new(self, source: Any = _MISSING) -> None:
        self.setup()
        if source is not _MISSING:
            for item in elements(source):
                self.nodes.append(self.node(item))

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.nodes)

    @prop("First : Collections.Generic.LinkedListNode`1<T> get")
    def first(self) -> Any:
        return self.nodes[0] if self.nodes else None

    @prop("Last : Collections.Generic.LinkedListNode`1<T> get")
    def last(self) -> Any:
        return self.nodes[-1] if self.nodes else None

    def _insert(self, index: int, value: Any) -> Any:
        made = self.node(value)
        self.nodes.insert(index, made)
        return made if not isinstance(value, LinkedListNode) else None

    @overloads("System.Collections.Generic.LinkedList`1", "AddFirst")
    def add_first(self, value: Any) -> Any:
        return self._insert(0, value)

    @overloads("System.Collections.Generic.LinkedList`1", "AddLast")
    def add_last(self, value: Any) -> Any:
        return self._insert(len(self.nodes), value)

    @overloads("System.Collections.Generic.LinkedList`1", "AddAfter")
    def add_after(self, node: LinkedListNode, value: Any) -> Any:
        return self._insert(self.position(need(node, "node")) + 1, value)

    @overloads("System.Collections.Generic.LinkedList`1", "AddBefore")
    def add_before(self, node: LinkedListNode, value: Any) -> Any:
        return self._insert(self.position(need(node, "node")), value)

    @method("Clear() : Void")
    def clear(self) -> None:
        for node in self.nodes:
            node.owner = None
        self.nodes.clear()

    @method("Find(T) : Collections.Generic.LinkedListNode`1<T>")
    def find(self, value: Any) -> Any:
        return next((node for node in self.nodes if net_equals(node.value, value)), None)

    @method("Contains(T) : Boolean")
    def contains(self, value: Any) -> bool:
        return self.find(value) is not None

    @method("GetEnumerator() : Collections.Generic.LinkedList`1.Enumerator<T>")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)

    @overloads("System.Collections.Generic.LinkedList`1", "Remove")
    def remove(self, value: Any) -> Any:
        node = value if isinstance(value, LinkedListNode) else self.find(value)
        if node is None:
            return False
        del self.nodes[self.position(node)]
        node.owner = None
        return True if not isinstance(value, LinkedListNode) else None

    @method("RemoveFirst() : Void")
    def remove_first(self) -> None:
        if not self.nodes:
            raise invalid_operation("The LinkedList is empty.")
        self.remove(self.nodes[0])

    @method("RemoveLast() : Void")
    def remove_last(self) -> None:
        if not self.nodes:
            raise invalid_operation("The LinkedList is empty.")
        self.remove(self.nodes[-1])


# ------------------------------------------------------------------------------------------------------------ names and values


@net_type("System.Collections.Specialized.NameObjectCollectionBase", interfaces=("Collections.ICollection",))
class NameObjectCollectionBase(NetObject):
    names: list[tuple[str | None, list[str]]]

    def __iter__(self) -> Iterator[Any]:
        yield from [name for name, _ in self.names]

    def __len__(self) -> int:
        return len(self.names)

    def __bool__(self) -> bool:
        return True

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.names)

    @prop("Keys : Collections.Specialized.NameObjectCollectionBase.KeysCollection get")
    def net_keys(self) -> Any:
        return PSArray([name for name, _ in self.names], get_type("System.String"))

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


@net_type("System.Collections.Specialized.NameValueCollection")
class NameValueCollection(NameObjectCollectionBase):
    def __init__(self, items: Iterable[tuple[str | None, str]] = ()) -> None:
        self.names = []
        for name, value in items:
            self.add(name, value)

    def _find(self, name: str | None) -> tuple[str | None, list[str]] | None:
        for entry in self.names:
            if (entry[0] or "").lower() == (name or "").lower() and (entry[0] is None) == (name is None):
                return entry
        return None

    def add(self, name: str | None, value: str | None) -> None:
        entry = self._find(name)
        if entry is None:
            self.names.append((name, [] if value is None else [value]))
        elif value is not None:
            entry[1].append(value)

    @overloads("System.Collections.Specialized.NameValueCollection", ".ctor", skip=("IHashCodeProvider",))
    def new(self, *arguments: Any) -> None:
        self.names = []
        for item in arguments:
            if isinstance(item, NameValueCollection):
                self.names.extend((name, list(values)) for name, values in item.names)

    @prop("AllKeys : String[] get")
    def all_keys(self) -> list[str | None]:
        return [name for name, _ in self.names]

    def set_item(self, name: str, value: str) -> None:
        entry = self._find(name)
        if entry is None:
            self.names.append((name, [value]))
        else:
            entry[1][:] = [value]

    @method("Get(String) : String")
    @indexer("Item[String] : String", setter="set_item")
    def get(self, name: str | None) -> str | None:
        entry = self._find(name)
        return None if entry is None or not entry[1] else ",".join(entry[1])

    @method("Get(Int32) : String")
    @indexer("Item[Int32] : String")
    def get_at(self, index: int) -> str:
        if not 0 <= index < len(self.names):
            raise index_out_of_range()
        return ",".join(self.names[index][1])

    @method("Add(String,String) : Void")
    def add_item(self, name: str | None, value: str | None) -> None:
        self.add(name, value)

    @method("Add(Collections.Specialized.NameValueCollection) : Void")
    def add_all(self, other: NameValueCollection) -> None:
        for name, values in need(other, "c").names:
            for value in values:
                self.add(name, value)

    @method("Set(String,String) : Void")
    def set_value(self, name: str, value: str) -> None:
        self.set_item(name, value)

    @method("Remove(String) : Void")
    def remove(self, name: str) -> None:
        entry = self._find(name)
        if entry is not None:
            self.names.remove(entry)

    @method("Clear() : Void")
    def clear(self) -> None:
        self.names.clear()

    @method("GetKey(Int32) : String")
    def get_key(self, index: int) -> str | None:
        if not 0 <= index < len(self.names):
            raise index_out_of_range()
        return self.names[index][0]

    @method("GetValues(String) : String[]")
    def get_values(self, name: str) -> list[str] | None:
        entry = self._find(name)
        return None if entry is None else list(entry[1])

    @method("GetValues(Int32) : String[]")
    def get_values_at(self, index: int) -> list[str]:
        return list(self.names[index][1])

    @method("HasKeys() : Boolean")
    def has_keys(self) -> bool:
        return any(name is not None for name, _ in self.names)


@net_type("System.Collections.Specialized.StringDictionary", interfaces=("Collections.IEnumerable",))
class StringDictionary(NetObject):
    """Keys are kept in lower case, as the real class keeps them; `table` may be a live mapping."""

    def __init__(self, table: Any = None, keep_case: bool = False) -> None:
        self.table: Any = {} if table is None else table
        self.keep_case = keep_case

    def __iter__(self) -> Iterator[Any]:
        for key, value in list(self.table.items()):
            yield DictionaryEntry(key, value)

    def __len__(self) -> int:
        return len(self.table)

    def __bool__(self) -> bool:
        return True

    def _key(self, key: str) -> str:
        return need(key, "key") if self.keep_case else need(key, "key").lower()

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.table)

    def set_item(self, key: str, value: str) -> None:
        self.table[self._key(key)] = value

    @indexer("Item[String] : String", setter="set_item")
    def item(self, key: str) -> Any:
        return self.table.get(self._key(key))

    @prop("Keys : Collections.ICollection get")
    def net_keys(self) -> Any:
        return PSArray(list(self.table.keys()), get_type("System.String"))

    @prop("Values : Collections.ICollection get")
    def net_values(self) -> Any:
        return PSArray(list(self.table.values()), get_type("System.String"))

    @method("Add(String,String) : Void")
    def add(self, key: str, value: str) -> None:
        if self._key(key) in self.table:
            raise argument(
                f"Item has already been added. Key in dictionary: '{self._key(key)}'  Key being added: '{self._key(key)}'"
            )
        self.table[self._key(key)] = value

    @method("Clear() : Void")
    def clear(self) -> None:
        self.table.clear()

    @method("ContainsKey(String) : Boolean")
    def contains_key(self, key: str) -> bool:
        return self._key(key) in self.table

    @method("ContainsValue(String) : Boolean")
    def contains_value(self, value: str) -> bool:
        return value in self.table.values()

    @method("Remove(String) : Void")
    def remove(self, key: str) -> None:
        self.table.pop(self._key(key), None)

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self)


# ------------------------------------------------------------------------------------------------------------ comparers


@net_type("System.Collections.CaseInsensitiveComparer", interfaces=("Collections.IComparer",))
class CaseInsensitiveComparer(NetObject):
    ignore_case = True

    @ctor("()")
    def new(self) -> None:
        pass

    @static_prop("Default : Collections.CaseInsensitiveComparer get")
    @static_prop("DefaultInvariant : Collections.CaseInsensitiveComparer get")
    def default_comparer() -> CaseInsensitiveComparer:
        return CaseInsensitiveComparer()

    @method("Compare(Object,Object) : Int32")
    def compare(self, left: Any, right: Any) -> int:
        if isinstance(left, str) and isinstance(right, str):
            from .values import culture_compare

            return culture_compare(left, right, True)
        return net_compare(left, right)


@net_type("System.Collections.Comparer", interfaces=("Collections.IComparer",))
class Comparer(NetObject):
    @static_prop("Default : Collections.Comparer")
    @static_prop("DefaultInvariant : Collections.Comparer")
    def default_comparer() -> Comparer:
        return Comparer()

    @method("Compare(Object,Object) : Int32")
    def compare(self, left: Any, right: Any) -> int:
        return net_compare(left, right)


# ------------------------------------------------------------------------------------------------------------ arrays as IList

_FIXED = "Collection was of a fixed size."


class _ArrayAsList:
    """Members that arrays have through IList; PowerShell reaches them although they are implemented explicitly."""

    @method("Add(Object) : Int32")
    def add(self: Any, value: Any) -> int:
        raise not_supported(_FIXED)

    @method("Insert(Int32,Object) : Void")
    def insert(self: Any, index: int, value: Any) -> None:
        raise not_supported(_FIXED)

    @method("Remove(Object) : Void")
    def remove(self: Any, value: Any) -> None:
        raise not_supported(_FIXED)

    @method("RemoveAt(Int32) : Void")
    def remove_at(self: Any, index: int) -> None:
        raise not_supported(_FIXED)

    @method("Contains(Object) : Boolean")
    def contains(self: Any, value: Any) -> bool:
        return any(net_equals(item, value) for item in self)

    @method("IndexOf(Object) : Int32")
    def index_of(self: Any, value: Any) -> int:
        return next((index for index, item in enumerate(self) if net_equals(item, value)), -1)

    @method("Clear() : Void")
    def clear(self: Any) -> None:
        ArrayType.clear(self, 0, len(self))


def _extend_array() -> None:
    from .core import _collect

    _collect(get_type("System.Array"), _ArrayAsList, factory=True)


_extend_array()


def enumerable(value: Any) -> bool:
    """Whether a value can be enumerated as IEnumerable."""
    value = unwrap(value)
    return isinstance(value, (PSArray, ByteArray, str, Dictionary)) or (
        isinstance(value, NetObject) and hasattr(value, "__iter__")
    )


def kind_of(value: Any) -> NetType:
    return type_of(value) if value is not None else get_type("System.Object")
