"""Providers over what a session holds (Env, Variable, Function, Alias), and the certificate stores."""

from __future__ import annotations

from typing import Any

from winlab.powershell.dotnet.certificates import X509Certificate2
from winlab.powershell.dotnet.core import get_type
from winlab.powershell.objects import PSCustomObject, PSMember
from winlab.powershell.providers import Child, Drive, Provider, path_not_found
from winlab.powershell.runtime.invoke import construct
from winlab.powershell.runtime.members import ensure_members
from winlab.powershell.runtime.scopes import Scope
from winlab.windows.errors import WindowsError


class _FlatProvider(Provider):
    """One level of named things."""

    has_content = True

    def names(self) -> list[str]:
        """The names that exist."""
        raise NotImplementedError

    def find(self, name: str) -> str | None:
        """A name as it is stored."""
        lowered = name.lower()
        return next((known for known in self.names() if known.lower() == lowered), None)

    def exists(self, path: str) -> bool:
        return not path or self.find(path) is not None

    def is_container(self, path: str) -> bool:
        return not path

    def stored(self, path: str) -> str:
        return self.find(path) or path

    def children(self, path: str) -> list[Child]:
        return [Child(name, False) for name in self.names()]

    def with_drive(self, drive: Drive, path: str) -> str:
        return f"{drive.name}:{path}" if path else f"{drive.name}:\\"

    def value(self, path: str) -> Any:
        """What Get-Content gives."""
        raise NotImplementedError

    def new(self, path: str, kind: str, value: Any, force: bool) -> Any:
        return self.set(path, value)

    def clear(self, path: str) -> None:
        self.set(path, None)


class EnvironmentProvider(_FlatProvider):
    """The environment of the process."""

    name = "Environment"

    def names(self) -> list[str]:
        return sorted(self.runtime.env.keys(), key=str.upper)

    def item(self, path: str) -> Any:
        name = self.stored(path)
        entry = construct(get_type("System.Collections.DictionaryEntry"), [name, self.runtime.get_env(name)])
        holder, members = ensure_members(entry)
        members["name"] = PSMember("AliasProperty", "Name", "Key")
        return holder

    def value(self, path: str) -> Any:
        return self.runtime.get_env(path)

    def set(self, path: str, value: Any) -> Any:
        self.runtime.set_env(path, value)
        return self.item(path) if self.exists(path) else None

    def remove(self, path: str, recurse: bool, force: bool) -> None:
        self.runtime.set_env(path, None)

    def rename(self, path: str, name: str, force: bool) -> str:
        value = self.runtime.get_env(path)
        self.runtime.set_env(path, None)
        self.runtime.set_env(name, value)
        return name


class _ScopeProvider(_FlatProvider):
    """Names that the scopes of a session hold."""

    def table(self, scope: Scope) -> dict[str, Any]:
        """What one scope holds, by lower-case name."""
        raise NotImplementedError

    def visible(self) -> dict[str, Any]:
        """What is seen from the running scope."""
        found: dict[str, Any] = {}
        for scope in self.runtime.frame.scope.chain():
            for name, value in self.table(scope).items():
                found.setdefault(name, value)
        return found

    def names(self) -> list[str]:
        return sorted((entry.name for entry in self.visible().values()), key=str.upper)

    def item(self, path: str) -> Any:
        return self.visible()[path.lower()]

    def remove(self, path: str, recurse: bool, force: bool) -> None:
        for scope in self.runtime.frame.scope.chain():
            if path.lower() in self.table(scope):
                del self.table(scope)[path.lower()]
                return


class VariableProvider(_ScopeProvider):
    """The variables of the session."""

    name = "Variable"

    def table(self, scope: Scope) -> dict[str, Any]:
        return scope.vars

    def value(self, path: str) -> Any:
        return self.runtime.get_variable(path)

    def set(self, path: str, value: Any) -> Any:
        self.runtime.set_variable(path, value)
        return self.runtime.find_variable(path)


class FunctionProvider(_ScopeProvider):
    """The functions of the session."""

    name = "Function"

    def table(self, scope: Scope) -> dict[str, Any]:
        return scope.functions or {}

    def value(self, path: str) -> Any:
        return self.runtime.get_drive_item("function", path, None)

    def set(self, path: str, value: Any) -> Any:
        self.runtime.set_drive_item("function", path, value, None)
        return self.visible().get(path.lower())


class AliasProvider(_ScopeProvider):
    """The aliases of the session."""

    name = "Alias"

    def table(self, scope: Scope) -> dict[str, Any]:
        return scope.aliases or {}

    def value(self, path: str) -> Any:
        return self.runtime.get_drive_item("alias", path, None)

    def set(self, path: str, value: Any) -> Any:
        self.runtime.set_drive_item("alias", path, value, None)
        return self.visible().get(path.lower())


_LOCATIONS = ("CurrentUser", "LocalMachine")


class CertificateProvider(Provider):
    """Certificate stores: `LocalMachine\\My\\<thumbprint>`."""

    name = "Certificate"
    module = "Microsoft.PowerShell.Security"

    def _parts(self, path: str) -> list[str]:
        return [part for part in path.split("\\") if part]

    def _certificate(self, path: str) -> Any:
        parts = self._parts(path)
        if len(parts) != 3:
            return None
        if self._location(parts[0]) not in _LOCATIONS or self._store(parts) is None:
            return None
        return self.runtime.machine.certificates.find(parts[2], parts[1], self._location(parts[0]))

    @staticmethod
    def _location(name: str) -> str:
        return next((known for known in _LOCATIONS if known.lower() == name.lower()), name)

    def _store(self, parts: list[str]) -> str | None:
        names = self.runtime.machine.certificates.stores()
        return next((name for name in names if name.lower() == parts[1].lower()), None)

    def exists(self, path: str) -> bool:
        parts = self._parts(path)
        if not parts:
            return True
        if self._location(parts[0]) not in _LOCATIONS:
            return False
        if len(parts) == 1:
            return True
        if len(parts) == 2:
            return self._store(parts) is not None
        return self._certificate(path) is not None

    def is_container(self, path: str) -> bool:
        return len(self._parts(path)) < 3

    def item(self, path: str) -> Any:
        certificate = self._certificate(path)
        parts = self._parts(path)
        if certificate is not None:
            return X509Certificate2(certificate, (parts[1], self._location(parts[0])))
        if len(parts) == 2:
            return PSCustomObject.of(
                {"Name": self._store(parts)}, "System.Security.Cryptography.X509Certificates.X509Store"
            )
        return PSCustomObject.of(
            {"Location": self._location(parts[0]) if parts else ""},
            "Microsoft.PowerShell.Commands.X509StoreLocation",
        )

    def children(self, path: str) -> list[Child]:
        parts = self._parts(path)
        certificates = self.runtime.machine.certificates
        if not parts:
            return [Child(name, True) for name in _LOCATIONS]
        if len(parts) == 1:
            return [Child(name, True) for name in certificates.stores()]
        found = certificates.all(parts[1], self._location(parts[0]))
        return [Child(certificate.thumbprint, False) for certificate in found]

    def stored(self, path: str) -> str:
        parts = self._parts(path)
        if parts:
            parts[0] = self._location(parts[0])
        if len(parts) > 1:
            parts[1] = self._store(parts) or parts[1]
        if len(parts) > 2:
            parts[2] = parts[2].upper()
        return "\\".join(parts)

    def remove(self, path: str, recurse: bool, force: bool) -> None:
        parts = self._parts(path)
        try:
            self.runtime.machine.certificates.remove(parts[2], parts[1], self._location(parts[0]))
        except (WindowsError, IndexError):
            raise path_not_found(self.qualified(path)) from None
