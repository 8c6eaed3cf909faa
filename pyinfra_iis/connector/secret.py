"""Values that must never be shown."""

from __future__ import annotations

from typing import Any

from pyinfra.api.hiddenvalue import HiddenValue

MASK = "*MASKED*"


class Secret(str):
    """A password or token. As a string it is only a mask, whoever prints, logs, copies, pickles or serialises it;
    :meth:`unmask` gives the value to the one place that needs it."""

    __slots__ = ("_value",)
    _value: str

    def __new__(cls, value: str) -> Secret:
        self = super().__new__(cls, MASK)
        self._value = value
        return self

    def unmask(self) -> str:
        return self._value

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return (str, (MASK,))

    def __reduce_ex__(self, protocol: object) -> tuple[type[str], tuple[str]]:
        return self.__reduce__()


def reveal(value: object) -> str:
    """The real text of a string, a :class:`Secret` or one of pyinfra's hidden values."""
    if isinstance(value, Secret | HiddenValue):
        return str(value.unmask())
    return str(value)


def scrub(text: str, secrets: list[str]) -> str:
    """``text`` with every secret of three characters or more replaced by a mask."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) >= 3:
            text = text.replace(secret, MASK)
    return text
