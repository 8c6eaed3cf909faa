"""The values PowerShell scripts work on.

Int32 is ``int``, Boolean ``bool``, Double ``float``, String ``str``, null ``None``; the other numbers are subclasses of ``int``, ``float`` and
``str`` so that Python code may use them as they are. Everything else is a :class:`NetObject`, an array or a dictionary of this module. The
members that scripts see (methods, properties) are declared with the decorators of :mod:`winlab.powershell.dotnet.core`, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from winlab.powershell.dotnet.core import NetType


class _AutomationNull:
    """The "no value" that a command without output leaves; reads as null, enumerates as nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "AutomationNull"

    def __bool__(self) -> bool:
        return False


AutomationNull = _AutomationNull()


class _NullString:
    """``[NullString]::Value``: null where PowerShell would pass an empty string."""

    __slots__ = ()


NullString = _NullString()


class SizedInt(int):
    """An integer type of .NET other than Int32. ``minimum`` and ``maximum`` bound it; the constructor does not check them."""

    __slots__ = ()
    minimum = 0
    maximum = 0
    type_name = ""


class Byte(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = 0, 0xFF, "System.Byte"


class SByte(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = -0x80, 0x7F, "System.SByte"


class Int16(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = -0x8000, 0x7FFF, "System.Int16"


class UInt16(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = 0, 0xFFFF, "System.UInt16"


class UInt32(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = 0, 0xFFFFFFFF, "System.UInt32"


class Int64(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = -(2**63), 2**63 - 1, "System.Int64"


class UInt64(SizedInt):
    __slots__ = ()
    minimum, maximum, type_name = 0, 2**64 - 1, "System.UInt64"


class BigInteger(SizedInt):
    __slots__ = ()
    type_name = "System.Numerics.BigInteger"


INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Single(float):
    """A Double rounded to what 32 bits hold."""

    __slots__ = ()

    def __new__(cls, value: float = 0.0) -> Single:
        import math
        import struct

        number = float(value)
        if math.isfinite(number):
            try:
                number = struct.unpack("<f", struct.pack("<f", number))[0]
            except OverflowError:
                number = math.copysign(math.inf, number)
        return super().__new__(cls, number)


class Char(str):
    """One UTF-16 unit (a character beyond the BMP is two of them in .NET; here strings hold such a pair as one character)."""

    __slots__ = ()


BYTES: tuple[Byte, ...] = tuple(Byte(i) for i in range(256))


class NetObject:
    """Base of every object of .NET that is not one of Python's own. ``net_type`` is its type; ``ps_members`` what Add-Member added."""

    net_type: NetType = None  # type: ignore[assignment]  # set by the @net_type decorator; generic instances set it per object
    ps_members: dict[str, PSMember] | None = None
    ps_type_names: list[str] | None = None

    @property
    def generic_args(self) -> tuple[NetType, ...]:
        return self.net_type.generic_args if self.net_type is not None else ()


# ---------------------------------------------------------------------------------------------------------------- members of PSObject


class PSMember:
    """A member of PowerShell's own on an object. ``kind`` is its MemberType: NoteProperty, ScriptProperty, AliasProperty, ScriptMethod, ..."""

    __slots__ = ("kind", "name", "second", "value")

    def __init__(self, kind: str, name: str, value: Any, second: Any = None) -> None:
        self.kind = kind
        self.name = name
        self.value = (
            value  # note: the value; script property: getter; alias: the other name; script method: the script block
        )
        self.second = second  # script property: setter

    def copy(self) -> PSMember:
        return PSMember(self.kind, self.name, self.value, self.second)


class PSObject(NetObject):
    """A wrapper that carries members (``ps_members``, keyed in lower case, in order) for ``base``; a custom object has no base."""

    __slots__ = ("base", "ps_members", "ps_type_names")

    def __init__(self, base: Any = None) -> None:
        self.base = base
        self.ps_members: dict[str, PSMember] = {}
        self.ps_type_names: list[str] | None = None

    def get_note(self, name: str) -> Any:
        member = self.ps_members.get(name.lower())
        return member.value if member is not None else None

    def set_note(self, name: str, value: Any) -> None:
        key = name.lower()
        member = self.ps_members.get(key)
        if member is None:
            self.ps_members[key] = PSMember("NoteProperty", name, value)
        else:
            member.value = value


class PSCustomObject(PSObject):
    """``[pscustomobject]@{...}`` and whatever cmdlets build from properties alone."""

    __slots__ = ()

    @classmethod
    def of(cls, properties: Iterable[tuple[str, Any]] | dict[str, Any], type_name: str | None = None) -> PSCustomObject:
        """A custom object with these note properties in this order, and ``type_name`` before PSCustomObject in its type names."""
        made = cls()
        items = properties.items() if isinstance(properties, dict) else properties
        for name, value in items:
            made.ps_members[name.lower()] = PSMember("NoteProperty", name, value)
        if type_name:
            made.ps_type_names = [type_name, "System.Management.Automation.PSCustomObject", "System.Object"]
        return made


def unwrap(value: Any) -> Any:
    """The base object of a PSObject; a custom object and everything else is itself."""
    if type(value) is PSObject:
        return value.base
    return None if value is AutomationNull else value


# -------------------------------------------------------------------------------------------------------------------- arrays


class PSArray(list[Any]):
    """A one-dimensional .NET array: fixed in length, with an element type (None means Object). Never grow or shrink one in place."""

    __slots__ = ("_element_type", "ps_members", "ps_type_names")

    def __init__(self, items: Iterable[Any] = (), element_type: NetType | None = None) -> None:
        super().__init__(items)
        self._element_type = element_type
        self.ps_members: dict[str, PSMember] | None = None
        self.ps_type_names: list[str] | None = None

    @property
    def element_type(self) -> NetType:
        if self._element_type is None:
            from winlab.powershell.dotnet.core import get_type

            self._element_type = get_type("System.Object")
        return self._element_type

    @property
    def is_object_array(self) -> bool:
        return self._element_type is None or self._element_type.full_name == "System.Object"

    def __hash__(self) -> int:  # type: ignore[override]  # arrays compare by identity in .NET
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


class ByteArray(bytearray):
    """``byte[]``: a bytearray whose single elements read as :class:`Byte`. Use it as a buffer; never change its length."""

    ps_members: dict[str, PSMember] | None = None
    ps_type_names: list[str] | None = None

    @property
    def element_type(self) -> NetType:
        from winlab.powershell.dotnet.core import get_type

        return get_type("System.Byte")

    is_object_array = False

    def __getitem__(self, index: Any) -> Any:
        item = bytearray.__getitem__(self, index)
        return BYTES[item] if type(item) is int else item

    def __iter__(self) -> Iterator[Any]:
        return map(BYTES.__getitem__, bytearray.__iter__(self))

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


class MultiArray(NetObject):
    """A rectangular array of rank 2 or more (``New-Object 'int[,]' 2,3``): row-major ``items``."""

    def __init__(self, lengths: tuple[int, ...], element_type: NetType, default: Any = None) -> None:
        size = 1
        for length in lengths:
            size *= length
        self.lengths = lengths
        self.element_type = element_type
        self.items: list[Any] = [default] * size

    def offset(self, index: tuple[int, ...]) -> int:
        """Position of an index in ``items``; IndexError outside the bounds."""
        position = 0
        for i, length in zip(index, self.lengths, strict=True):
            if not 0 <= i < length:
                raise IndexError(i)
            position = position * length + i
        return position


# -------------------------------------------------------------------------------------------------------------------- dictionaries


def dictionary_key(key: Any, ignore_case: bool) -> Any:
    """What a .NET hashtable compares by: the type counts (1 and 1L and $true are three keys); arrays by identity."""
    kind = type(key)
    if kind is str:
        return key.lower() if ignore_case else key
    if kind is int:
        return key
    if kind is PSObject:
        return dictionary_key(key.base, ignore_case)
    if kind is PSArray or kind is ByteArray:
        return (kind, id(key))
    return (kind, key)


class DictionaryEntry(NetObject):
    """A key and its value as ``GetEnumerator()`` of a dictionary gives them."""

    def __init__(self, key: Any = None, value: Any = None) -> None:
        self.key = key
        self.value = value


class Dictionary(NetObject):
    """Base of every IDictionary here. Keys keep their own spelling; ``ignore_case`` tells how strings are compared."""

    def __init__(self, ignore_case: bool = False) -> None:
        self.ignore_case = ignore_case
        self.entries: dict[Any, tuple[Any, Any]] = {}

    def get(self, key: Any, default: Any = None) -> Any:
        found = self.entries.get(dictionary_key(key, self.ignore_case))
        return default if found is None else found[1]

    def __getitem__(self, key: Any) -> Any:
        return self.entries[dictionary_key(key, self.ignore_case)][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Set; the spelling of a key that is there already stays."""
        normal = dictionary_key(key, self.ignore_case)
        old = self.entries.get(normal)
        self.entries[normal] = (key if old is None else old[0], value)

    def __contains__(self, key: Any) -> bool:
        return dictionary_key(key, self.ignore_case) in self.entries

    def remove(self, key: Any) -> bool:
        return self.entries.pop(dictionary_key(key, self.ignore_case), None) is not None

    def clear(self) -> None:
        self.entries.clear()

    def keys(self) -> list[Any]:
        return [key for key, _ in self.entries.values()]

    def values(self) -> list[Any]:
        return [value for _, value in self.entries.values()]

    def items(self) -> list[tuple[Any, Any]]:
        return list(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def __bool__(self) -> bool:
        return True


class Hashtable(Dictionary):
    """``@{}`` ignores case (``Hashtable(ignore_case=True)``); ``New-Object Hashtable`` does not."""

    def __init__(self, items: Iterable[tuple[Any, Any]] | dict[str, Any] = (), ignore_case: bool = True) -> None:
        super().__init__(ignore_case)
        for key, value in items.items() if isinstance(items, dict) else items:
            self[key] = value


class OrderedDictionary(Dictionary):
    """``[ordered]@{}`` (ignores case) and ``New-Object System.Collections.Specialized.OrderedDictionary`` (does not)."""

    def __init__(self, items: Iterable[tuple[Any, Any]] | dict[str, Any] = (), ignore_case: bool = True) -> None:
        super().__init__(ignore_case)
        for key, value in items.items() if isinstance(items, dict) else items:
            self[key] = value

    def __setitem__(self, key: Any, value: Any) -> None:
        """Set; a key that is there already takes the new spelling, as the real class does."""
        self.entries[dictionary_key(key, self.ignore_case)] = (key, value)

    def key_at(self, index: int) -> Any:
        """The normalised key at a position; IndexError outside."""
        if not 0 <= index < len(self.entries):
            raise IndexError(index)
        from itertools import islice

        return next(islice(self.entries, index, None))

    def insert(self, index: int, key: Any, value: Any) -> None:
        pairs = list(self.entries.items())
        pairs.insert(index, (dictionary_key(key, self.ignore_case), (key, value)))
        self.entries = dict(pairs)


# -------------------------------------------------------------------------------------------------------------------- others


class EnumValue(NetObject):
    """A value of a .NET enum. Made by ``NetType.enum(value)``, which returns the same object for the same value."""

    __slots__ = ("net_type", "value")

    def __init__(self, net_type: NetType, value: int) -> None:
        self.net_type = net_type
        self.value = value

    @property
    def name(self) -> str:
        return self.net_type.enum_text(self.value)

    def has(self, flag: str) -> bool:
        """Whether the bits of the named value are all set."""
        bits = self.net_type.enum_values[flag]
        return self.value & bits == bits

    def __str__(self) -> str:
        return self.name

    def __int__(self) -> int:
        return self.value

    def __index__(self) -> int:
        return self.value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EnumValue):
            return other.net_type is self.net_type and other.value == self.value
        if isinstance(other, str):
            return self.name == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash((id(self.net_type), self.value))

    def __repr__(self) -> str:
        return f"{self.net_type.full_name}.{self.name}"


class Delegate(NetObject):
    """A script block (or method) converted to a delegate type; call it as a Python function."""

    def __init__(self, net_type: NetType, target: Callable[..., Any], script_block: Any = None) -> None:
        self.net_type = net_type
        self.target = target
        self.script_block = script_block

    def __call__(self, *args: Any) -> Any:
        return self.target(*args)


class PSReference(NetObject):
    """``[ref]``: a box whose ``value`` may be a variable of the script."""

    def __init__(
        self, value: Any = None, getter: Callable[[], Any] | None = None, setter: Callable[[Any], None] | None = None
    ) -> None:
        self._value = value
        self._getter = getter
        self._setter = setter

    @property
    def value(self) -> Any:
        return self._getter() if self._getter else self._value

    @value.setter
    def value(self, new: Any) -> None:
        if self._setter:
            self._setter(new)
        else:
            self._value = new


class ScriptBlock(NetObject):
    """A script block: its tree, and the session state (module) it is bound to. The evaluator hangs its compiled form on ``code``."""

    def __init__(self, ast: Any, session: Any = None, file: str | None = None, code: Any = None) -> None:
        self.ast = ast
        self.session = session
        self.file = file
        self.code = code
        self.strict_version: Any = None
        self.is_filter = False

    @property
    def text(self) -> str:
        """The source between the braces, as ToString() gives it."""
        text: str = self.ast.extent.text
        if text.startswith("{") and text.endswith("}"):
            return text[1:-1]
        return text


class SwitchParameter(NetObject):
    """``[switch]``."""

    __slots__ = ("is_present",)

    def __init__(self, is_present: bool = False) -> None:
        self.is_present = is_present

    def __bool__(self) -> bool:
        return self.is_present

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SwitchParameter):
            return self.is_present == other.is_present
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.is_present)


class SecureString(NetObject):
    """Keeps ``text``; never shows it."""

    def __init__(self, text: str = "") -> None:
        self.text = text
