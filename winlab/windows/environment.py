"""Environment blocks: names compare without case, keep the case they were first set with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping


class Environment(MutableMapping[str, str]):
    """A case-insensitive dictionary of environment variables."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values: dict[str, tuple[str, str]] = {}
        if isinstance(values, Environment):
            self._values = dict(values._values)
        elif values:
            self.update(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name.upper()][1]

    def __setitem__(self, name: str, value: str) -> None:
        upper = name.upper()
        stored = self._values[upper][0] if upper in self._values else name
        self._values[upper] = (stored, value)

    def __delitem__(self, name: str) -> None:
        del self._values[name.upper()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.upper() in self._values

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Environment({dict(self)!r})"

    def copy(self) -> Environment:
        return Environment(self)

    def expand(self, text: str) -> str:
        """ExpandEnvironmentStrings: `%NAME%` becomes its value, unknown names stay as they are."""
        return re.sub(r"%([^%]+)%", lambda match: self.get(match[1], match[0]), text)
