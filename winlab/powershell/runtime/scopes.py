"""Variables, functions and aliases in their scopes; session states of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from winlab.powershell.errors import NetException, runtime_error
from winlab.powershell.objects import AutomationNull, NetObject


class Variable(NetObject):
    """A variable (PSVariable). ``constraint`` converts and checks what is assigned."""

    __slots__ = (
        "attributes",
        "constant",
        "constraint",
        "description",
        "name",
        "options",
        "private",
        "read_only",
        "value",
    )

    def __init__(
        self, name: str, value: Any = None, *, read_only: bool = False, constant: bool = False, private: bool = False
    ) -> None:
        self.name = name
        self.value = value
        self.read_only = read_only
        self.constant = constant
        self.private = private
        self.constraint: Callable[[Any], Any] | None = None
        self.attributes: list[Any] = []
        self.options: set[str] = set()
        self.description = ""

    def assign(self, value: Any) -> None:
        """Set the value as a script's assignment does."""
        if self.read_only or self.constant:
            raise not_writable(self.name, self.constant)
        if self.constraint is not None:
            value = self.constraint(None if value is AutomationNull else value)
        self.value = value


class DynamicVariable(Variable):
    """A variable whose value is looked up when it is read ($PWD, $Host ...)."""

    __slots__ = ("getter",)

    def __init__(self, name: str, getter: Callable[[], Any], *, constant: bool = True) -> None:
        self.getter = getter
        super().__init__(name, None, constant=constant)

    @property
    def value(self) -> Any:
        return self.getter()

    @value.setter
    def value(self, new: Any) -> None:
        pass


def not_writable(name: str, constant: bool = False) -> NetException:
    """The error of writing to a read-only variable."""
    return runtime_error(
        "VariableNotWritable",
        f"Cannot overwrite variable {name} because it is read-only or constant.",
        kind="SessionStateUnauthorizedAccessException",
        category="WriteError",
        target=name,
    )


class Scope:
    """One scope: what it holds, and the scope that is searched next."""

    __slots__ = ("aliases", "frame", "functions", "is_script", "parent", "session", "strict", "vars")

    def __init__(self, parent: Scope | None, session: SessionState, is_script: bool = False) -> None:
        self.parent = parent
        self.session = session
        self.vars: dict[str, Variable] = {}
        self.functions: dict[str, Any] | None = None
        self.aliases: dict[str, Any] | None = None
        self.is_script = is_script
        self.strict: int | None = None  # None: inherits
        self.frame: Any = None

    def chain(self) -> Iterator[Scope]:
        """This scope and those above it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, name: str) -> Variable | None:
        """A variable by lower-case name in this scope or above."""
        found = self.vars.get(name)
        if found is not None:
            return found
        scope = self.parent
        while scope is not None:
            found = scope.vars.get(name)
            if found is not None and not found.private:
                return found
            scope = scope.parent
        return None

    def set(self, name: str, value: Any) -> None:
        """Assign in this scope (``name`` as written)."""
        key = name.lower()
        found = self.vars.get(key)
        if found is not None:
            found.assign(value)
            return
        above = self.find(key)
        if above is not None and (
            "AllScope" in above.options or (above.constant and isinstance(above, DynamicVariable))
        ):
            above.assign(value)
            return
        self.vars[key] = Variable(name, value)

    def put(self, name: str, value: Any) -> Variable:
        """Set without any check: automatic variables."""
        key = name.lower()
        found = self.vars.get(key)
        if found is None:
            found = self.vars[key] = Variable(name, value)
        else:
            found.value = value
        return found

    def script(self) -> Scope:
        """The script (or module, or global) scope that ``$script:`` means."""
        scope: Scope = self
        while not scope.is_script and scope.parent is not None:
            scope = scope.parent
        return scope

    def top(self) -> Scope:
        scope: Scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def find_function(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if scope.functions is not None:
                found = scope.functions.get(name)
                if found is not None and (not getattr(found, "private", False) or scope is self):
                    return found
            scope = scope.parent
        return None

    def find_alias(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if scope.aliases is not None:
                found = scope.aliases.get(name)
                if found is not None:
                    return found
            scope = scope.parent
        return None

    def set_function(self, name: str, function: Any) -> None:
        if self.functions is None:
            self.functions = {}
        self.functions[name.lower()] = function

    def set_alias(self, name: str, alias: Any) -> None:
        if self.aliases is None:
            self.aliases = {}
        self.aliases[name.lower()] = alias

    def strict_version(self) -> int | None:
        """The version of strict mode in force (None: off)."""
        scope: Scope | None = self
        while scope is not None:
            if scope.strict is not None:
                return scope.strict or None
            scope = scope.parent
        return None


class SessionState:
    """Where names of a script's or module's commands live: ``top`` is its outermost scope, ``current`` the one in use."""

    def __init__(self, parent: SessionState | None = None, module: Any = None) -> None:
        self.parent = parent
        self.module = module
        self.top = Scope(parent.global_scope if parent is not None else None, self, is_script=True)
        self.current = self.top

    @property
    def global_scope(self) -> Scope:
        return self.top.top()
