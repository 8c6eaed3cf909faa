"""Operations on Windows itself: features, downloads, folders and who may use them, firewall, registry, environment, services."""

from __future__ import annotations

import hashlib
import ipaddress
import ntpath
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pyinfra import host, logger, state
from pyinfra.api import FileUploadCommand, HiddenValue, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.operations import server as pyinfra_server

from pyinfra_iis import facts
from pyinfra_iis.facts.windows import (
    Directories,
    EnvironmentVariable,
    Features,
    Files,
    FirewallRule,
    RegistryValue,
    Service,
)
from pyinfra_iis.operations import access, refusal
from pyinfra_iis.operations.access import Access, AccessError
from pyinfra_iis.operations.changes import Change, show, sounds_secret
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Download

DOWNLOADS = r"C:\ProgramData\pyinfra-iis\downloads"
"""Where checked files wait on the server until something is installed from them."""

REBOOT_SECONDS = 900
"""How long a server may take to come back after a restart."""

_PENDING = ("InstallPending", "EnablePending", "UninstallPending", "DisablePending")


def stored_path(download: Download) -> str:
    """Where a download lies on the server; its hash is part of the name, so another file never takes its place."""
    return rf"{DOWNLOADS}\{download.sha256[:16]}-{download.name}"


@operation()
def features(
    server: Sequence[str], client: Sequence[str], source: str = "", present: bool = True, reboot: bool = False
) -> Generator[PyinfraCommand, None, None]:
    """Install Windows features, or remove them.

    Args:
        server: names as ServerManager has them, for Windows Server (`Web-WebServer`).
        client: names as DISM has them, for Windows 10 and 11 (`IIS-WebServer`).
        source: a folder with Windows' own files (`D:\\sources\\sxs`) for servers without Windows Update; empty uses Windows' default.
        present: False removes them, with the features that need them.
        reboot: restart the server when Windows needs that to finish, and wait until it is back; otherwise it is only reported.

    A name that this Windows does not know fails the host.

    Example:
        windows.features(server=["Web-WebServer"], client=["IIS-WebServer"])
    """
    names = {"server": list(server), "client": list(client)}
    now = facts.read(host, Features, **names)
    wanted = names["client" if now["kind"] == "Client" else "server"]
    if unknown := [name for name in wanted if present and not now["states"][name]]:
        yield refusal(f"{host.name} knows no Windows feature {', '.join(unknown)}; nothing was installed.")
        return
    missing = [name for name in wanted if now["features"][name] is not present]
    waiting = [name for name in wanted if now["states"][name] in _PENDING]
    words = {True: "installed", False: "absent"}
    changes = [Change(f"feature {name}", words[not present], words[present]) for name in missing]
    if reboot and missing:
        changes.append(Change("restart", None, "when Windows needs it for these features"))
    elif reboot and waiting:
        changes.append(Change(f"restart for {', '.join(waiting)}", "waiting", "done"))
    show(changes)
    if missing:
        request: dict[str, Any] = {"kind": now["kind"], "names": missing}
        if present:
            yield Script("windows/install_features", {**request, "source": source})
        else:
            yield Script("windows/remove_features", request)
        after = facts.read(host, Features, **names)
        waiting = [name for name in wanted if after["states"][name] in _PENDING]
    if waiting and reboot:
        yield from pyinfra_server.reboot._inner(delay=5, interval=2, reboot_timeout=REBOOT_SECONDS)
    elif waiting:
        say(f"has to be restarted before Windows has finished with {', '.join(waiting)}; reboot=True does that.")


def say(sentence: str) -> None:
    """Warn about the host in context: once, when changes are looked for, or with `-y`, when they are made."""
    if not (state.is_executing and state.should_check_for_changes()):
        logger.warning(f"{host.print_prefix}{host.name} {sentence}")


@operation()
def downloads(files: Sequence[Download], present: bool = True) -> Generator[PyinfraCommand, None, None]:
    """Bring files to the server, each checked by its SHA-256: all of them or none.

    Args:
        files: what to bring; a path of the controlling machine is uploaded, an address is fetched by the server itself.
        present: False removes them from the server.

    A local file that is not there or has another SHA-256 fails the host.
    """
    wanted = [{"path": stored_path(file), "sha256": file.sha256} for file in files]
    there = facts.read(host, Files, files=wanted) if wanted else {"exists": {}, "present": {}}
    if not present:
        gone = [stored_path(file) for file in files if there["exists"][stored_path(file)]]
        show(Change(path, "file", None) for path in gone)
        if gone:
            yield Script("windows/remove_files", {"paths": gone})
        return
    missing = [file for file in files if not there["present"][stored_path(file)]]
    local = [file for file in missing if not file.is_remote]
    for file in local:
        if problem := local_problem(file):
            yield refusal(f"{problem}; nothing was installed on {host.name}.")
            return
    show(
        Change(
            stored_path(file),
            "another content" if there["exists"][stored_path(file)] else None,
            f"{file.url} (SHA-256 {file.sha256})",
        )
        for file in missing
    )
    fetch = [{"url": file.url, "path": stored_path(file), "sha256": file.sha256} for file in missing if file.is_remote]
    if fetch:
        yield Script("windows/download", {"files": fetch})
    if local:
        yield Script("windows/make_directories", {"folders": [{"path": DOWNLOADS}]})
    for file in local:
        yield FileUploadCommand(file.url, stored_path(file))


def local_problem(file: Download) -> str:
    """Why a file on this machine cannot be used, or nothing."""
    try:
        with Path(file.url).expanduser().open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"{file.url} on this machine cannot be read: {error.strerror}"
    return "" if found == file.sha256 else f"The SHA-256 of {file.url} is {found}, but {file.sha256} was expected"


Folders = Mapping[str, Mapping[str, str | None] | Access]

_PROTECTED = re.compile(
    r"[A-Z]:\\?|[A-Z]:\\(?:Program Files|Program Files \(x86\)|ProgramData|Users|inetpub)|[A-Z]:\\(?:Windows|System Volume Information)(?:\\.*)?",
    re.IGNORECASE,
)


def is_protected(path: str) -> bool:
    """Whether a folder is never removed: drives, Windows' own folders, and what is no absolute path."""
    plain = ntpath.normpath(path)
    return not re.match(r"[A-Za-z]:\\", plain) or _PROTECTED.fullmatch(plain) is not None


@operation()
def directories(folders: Folders, present: bool = True) -> Generator[PyinfraCommand, None, None]:
    """Make folders and grant access to them and everything below, or remove folders with all they hold.

    Rights are compared as sets, per identity: what an identity inherits counts, own entries that say more or deny are brought back to what is wanted.
    Other identities' entries stay.

    Args:
        folders: path -> (identity -> rights, names of .NET's FileSystemRights or icacls' letters such as `Modify` or `M`; None takes the identity's
            own entries away); or path -> `Access` for inheritance and owner too.
        present: False removes the folders; drives and Windows' own folders are refused.

    Rights that do not exist, and inherited ones that cannot be taken away, fail the host.

    Example:
        windows.directories({r"C:\\inetpub\\mysite\\shared": {r"IIS AppPool\\mysite": "Modify"}})
    """
    wanted = _accesses(folders)
    if not present:
        yield from _removed(list(wanted))
        return
    now = facts.read(host, Directories, **access.request(wanted))
    changes: list[Change] = []
    requests = []
    for path, one in wanted.items():
        try:
            more, request = access.plan(path, one, now)
        except AccessError as error:
            yield refusal(f"{host.name}: {error}.")
            return
        changes += more
        requests += [request] if request else []
    show(changes)
    if requests:
        yield Script("windows/set_access", {"folders": requests})


def _accesses(folders: Folders) -> dict[str, Access]:
    return {path: one if isinstance(one, Access) else Access(one) for path, one in folders.items()}


def _removed(paths: list[str]) -> Generator[PyinfraCommand, None, None]:
    if kept := [path for path in paths if is_protected(path)]:
        yield refusal(f"{', '.join(kept)} on {host.name} is not removed: more than this deploy made lives there.")
        return
    request = {**access.request({path: Access() for path in paths}), "contents": True}
    there = [folder for folder in facts.read(host, Directories, **request)["folders"] if folder["exists"]]
    show(Change(folder["path"], f"folder with {folder['files']} files", None) for folder in there)
    if there:
        yield Script("windows/remove_directories", {"paths": [folder["path"] for folder in there]})


def directory_request(folders: Folders) -> dict[str, Any]:
    """The arguments of the fact that `directories` reads."""
    return access.request(_accesses(folders))


_ANY = ("Any",)
_PARAMETERS = {
    "title": "DisplayName",
    "description": "Description",
    "direction": "Direction",
    "action": "Action",
    "enabled": "Enabled",
    "profiles": "Profile",
    "protocol": "Protocol",
    "ports": "LocalPort",
    "remote_ports": "RemotePort",
    "local_addresses": "LocalAddress",
    "remote_addresses": "RemoteAddress",
    "program": "Program",
    "service": "Service",
}
"""Properties of a rule and the parameters of PowerShell's commands that set them."""


@operation()
def firewall_rule(
    rule: str,
    title: str = "",
    ports: Sequence[int | str] | None = None,
    *,
    protocol: str = "TCP",
    direction: Literal["Inbound", "Outbound"] = "Inbound",
    action: Literal["Allow", "Block"] = "Allow",
    enabled: bool = True,
    profiles: Sequence[str] | None = None,
    remote_addresses: Sequence[str] | None = None,
    local_addresses: Sequence[str] | None = None,
    remote_ports: Sequence[int | str] | None = None,
    program: str | None = None,
    service: str | None = None,
    description: str | None = None,
    present: bool = True,
) -> Generator[PyinfraCommand, None, None]:
    """A rule of Windows Firewall. Properties that are None stay as they are, in a new rule as Windows has them by default.

    Lists are compared as sets: ports with their ranges, networks however they are written, all three profiles as `Any`.

    Args:
        rule: the rule's name, unique on the server.
        title: what administrators see; default the name.
        ports: local ports or ranges (`80`, `"5000-5010"`).
        protocol: `TCP`, `UDP`, `ICMPv4`, ... or `Any`.
        direction: `Inbound` or `Outbound`.
        action: `Allow` or `Block`.
        enabled: whether it is in force.
        profiles: `Domain`, `Private`, `Public`, or `Any`.
        remote_addresses: addresses, networks (`10.0.0.0/8`), ranges (`10.0.0.1-10.0.0.9`) or names such as `LocalSubnet`; `Any` lifts a restriction.
        local_addresses: the same for the server's side.
        remote_ports: ports of the other side.
        program: the path of the program that it is for; `Any` for all.
        service: the name of the service that it is for; `Any` for all.
        description: more text for administrators.
        present: False removes the rule.

    Where the firewall's service does not run, nothing is filtered and nothing is done; that is said.
    """
    now = facts.read(host, FirewallRule, name=rule)
    what = f"firewall rule {rule}"
    if not now["running"]:
        say("does not run Windows Firewall's service, so its rules are left alone.")
        return
    if not present:
        if now["exists"]:
            show([Change(what, now["title"], None)])
            yield Script("windows/remove_firewall", {"name": rule})
        return
    asked = {
        "title": title or rule,
        "enabled": enabled,
        "direction": direction,
        "action": action,
        "protocol": protocol,
        "ports": ports,
        "profiles": profiles,
        "remote_addresses": remote_addresses,
        "local_addresses": local_addresses,
        "remote_ports": remote_ports,
        "program": program,
        "service": service,
        "description": description,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    changed = [name for name, value in wanted.items() if not now["exists"] or not _same(name, value, now[name])]
    if not changed:
        return
    show(
        Change(f"{what} {name}", _told(name, now[name]) if now["exists"] else None, _told(name, wanted[name]))
        for name in changed
    )
    given = set(changed)
    if given & {"protocol", "ports", "remote_ports"}:
        # Windows takes ports only together with the protocol that they are of.
        given |= {"protocol"} | ({"ports", "remote_ports"} & wanted.keys() if "protocol" in changed else set())
    properties = {_PARAMETERS[name]: _sent(name, wanted[name]) for name in wanted if name in given}
    yield Script("windows/set_firewall", {"name": rule, "exists": now["exists"], "properties": properties})


def _same(name: str, wanted: Any, found: Any) -> bool:
    if name in ("ports", "remote_ports"):
        return _ports(wanted) == _ports(found)
    if name in ("remote_addresses", "local_addresses"):
        return {_address(item) for item in wanted} == {_address(item) for item in found}
    if name == "profiles":
        return _profiles(wanted) == _profiles(found)
    if name in ("title", "description"):
        return bool(wanted == found)
    return str(wanted).lower() == str(found).lower()


def _ports(items: Iterable[int | str]) -> set[int | str]:
    """Each port by itself; names such as `RPC` as they are."""
    found: set[int | str] = set()
    for item in items:
        for part in str(item).split(","):
            low, _, high = part.strip().partition("-")
            if low.isdigit() and (high.isdigit() or not high):
                found |= set(range(int(low), int(high or low) + 1))
            else:
                found.add(part.strip().lower())
    return found


def _address(text: str) -> str:
    """An address, network or range in one form."""
    try:
        if "-" in text:
            low, high = (ipaddress.ip_address(part.strip()) for part in text.split("-", 1))
            return f"{low}-{high}"
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return text.strip().lower()


def _profiles(items: str | Iterable[str]) -> frozenset[str]:
    texts = items.split(",") if isinstance(items, str) else items
    found = frozenset(text.strip().lower() for text in texts)
    return frozenset({"any"}) if found >= {"domain", "private", "public"} or "any" in found else found


def _told(name: str, value: Any) -> Any:
    """A property for people."""
    if name == "profiles":
        return sorted(profile.title() for profile in _profiles(value))
    return value if isinstance(value, bool | str) else [str(item) for item in value]


def _sent(name: str, value: Any) -> Any:
    """A property as PowerShell's commands take it."""
    if name == "enabled":
        return "True" if value else "False"
    if name == "profiles":
        return ",".join(_told(name, value))
    return value if isinstance(value, str) else [str(item) for item in value] or list(_ANY)


F = TypeVar("F", bound=Callable[..., Any])


def _discreet(named_by: str) -> Callable[[F], F]:
    """Keep a secret `value` out of what pyinfra prints of an operation's arguments; `named_by` is the argument whose name tells that it is one."""

    def decorator(operation: F) -> F:
        parameters = list(signature(operation).parameters)

        @wraps(operation)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = {**dict(zip(parameters, args, strict=False)), **kwargs}
            if "value" in given and (given.get("secret") or sounds_secret(_one_word(str(given[named_by])))):
                hidden = given["value"] if isinstance(given["value"], HiddenValue) else HiddenValue(given["value"])
                return operation(**{**given, "value": hidden})
            return operation(*args, **kwargs)

        return cast(F, call)

    return decorator


def _one_word(name: str) -> str:
    return name.replace(" ", "_")


def _revealed(value: Any, secret: bool, name: str) -> tuple[Any, bool]:
    """A value and whether it is a secret."""
    if isinstance(value, HiddenValue):
        return value.unmask(), True
    return value, secret or sounds_secret(_one_word(name))


RegistryType = Literal["String", "ExpandString", "MultiString", "DWord", "QWord", "Binary"]


@_discreet("value_name")
@operation()
def registry_value(
    key: str,
    value_name: str,
    value: str | int | bytes | Sequence[str] | HiddenValue = "",
    type: RegistryType = "String",
    present: bool = True,
    secret: bool = False,
) -> Generator[PyinfraCommand, None, None]:
    """A value in the registry (64 bits); keys above it are made when they are missing.

    Args:
        key: `HKLM\\...` or `HKU\\...`.
        value_name: the value's name; empty for the key's default.
        value: a text; a number for DWord and QWord; texts for MultiString; bytes for Binary.
        type: as .NET's RegistryValueKind names it.
        present: False removes the value; the key stays.
        secret: show it nowhere; values whose names sound secret never are, nor is pyinfra's HiddenValue.

    Example:
        windows.registry_value(r"HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem", "LongPathsEnabled", 1, "DWord")
    """
    value, secret = _revealed(value, secret, value_name)
    now = facts.read(host, RegistryValue, **registry_request(key, value_name, secret))
    what = rf"registry {key}\{value_name or '(default)'}"
    if not present:
        if now["exists"]:
            show([Change(what, _registry_text(now["type"], now["value"]), None, secret=secret)])
            yield Script("windows/set_registry_value", {"key": key, "name": value_name, "present": False})
        return
    try:
        wanted = _registry_value(type, value)
    except (TypeError, ValueError):
        yield refusal(
            f"{'It' if secret else repr(value)} is no value of the type {type} for {key}\\{value_name} on {host.name}."
        )
        return
    found = now["value"] if now["exists"] else None
    if type in ("DWord", "QWord") and isinstance(found, int):
        found = str(found % 2 ** (32 if type == "DWord" else 64))
    expected = _sum(wanted) if secret else wanted
    if now["exists"] and now["type"] == type and found == expected:
        return
    before = _registry_text(now["type"], now["value"], type) if now["exists"] else None
    show([Change(what, before, _registry_text(type, wanted, now.get("type", type)), secret=secret)])
    request = {"key": key, "name": value_name, "type": type, "present": True, "secret": secret}
    if secret:
        yield Script(
            "windows/set_registry_value",
            request,
            secrets={"value": wanted if isinstance(wanted, str) else "\0".join(wanted)},
        )
    else:
        yield Script("windows/set_registry_value", {**request, "value": wanted})


def registry_request(key: str, value_name: str, secret: bool = False) -> dict[str, Any]:
    """The arguments of the fact that `registry_value` reads."""
    return {"key": key, "name": value_name, "hash": secret or sounds_secret(_one_word(value_name))}


def _registry_value(kind: str, value: Any) -> str | list[str]:
    if kind in ("DWord", "QWord"):
        limit = 2 ** (32 if kind == "DWord" else 64)
        if isinstance(value, str) or not -limit // 2 <= int(value) < limit:
            raise ValueError
        return str(int(value) % limit)
    if kind == "MultiString":
        return [value] if isinstance(value, str) else [str(item) for item in value]
    if kind == "Binary":
        return bytes(value).hex()
    if not isinstance(value, str):
        raise TypeError
    return value


def _registry_text(kind: str, value: Any, other: str = "") -> Any:
    """A value for people; with its type when that is about to become another."""
    if kind in ("DWord", "QWord") and isinstance(value, int):
        value %= 2 ** (32 if kind == "DWord" else 64)
    shown = ", ".join(value) if isinstance(value, list) else str(value)
    return f"{shown} ({kind})" if other and other != kind else shown


def _sum(value: str | Sequence[str]) -> str:
    text = value if isinstance(value, str) else "\0".join(value)
    return hashlib.sha256(text.encode()).hexdigest()


@_discreet("variable")
@operation()
def environment_variable(
    variable: str, value: str | HiddenValue = "", present: bool = True, secret: bool = False
) -> Generator[PyinfraCommand, None, None]:
    """An environment variable of the whole machine. Processes that run already, IIS among them, see it after their next start.

    Args:
        variable: its name.
        value: its value; `%OTHER%` in it is kept as it is written.
        present: False removes it.
        secret: show it nowhere; a name that sounds secret makes it one. Every program on the server can read it: an app pool's variables are the better place.
    """
    text, secret = _revealed(value, secret, variable)
    if present and not text:
        yield refusal(
            f"The environment variable {variable} of {host.name} cannot be empty: Windows has none such; present=False removes it."
        )
        return
    now = facts.read(host, EnvironmentVariable, name=variable, hash=secret)
    what = f"environment variable {variable}"
    found = now["value"] if now["exists"] else None
    if found == ((_sum(text) if secret else text) if present else None):
        return
    show([Change(what, found, text if present else None, secret=secret)])
    request = {"name": variable, "present": present, "secret": secret and present}
    if secret and present:
        yield Script("windows/set_environment", request, secrets={"value": text})
    else:
        yield Script("windows/set_environment", {**request, "value": text})


@operation()
def service(
    service: str,
    start: Literal["Automatic", "AutomaticDelayed", "Manual", "Disabled"] | None = None,
    running: bool | None = None,
    timeout: int = 60,
) -> Generator[PyinfraCommand, None, None]:
    """How a Windows service starts, and whether it runs.

    Args:
        service: its name, not the one it displays (`W3SVC`).
        start: when it starts; None leaves it as it is.
        running: True starts it, False stops it, None leaves it as it is.
        timeout: seconds until a service that does not get there fails the host.

    A service that does not exist fails the host.
    """
    now = facts.read(host, Service, name=service)
    if not now["exists"]:
        yield refusal(f"{host.name} has no service {service}.")
        return
    changes = []
    if start and now["start"] != start:
        changes.append(Change(f"service {service} start", now["start"], start))
    if running is not None and (now["state"] == "Running") is not running:
        changes.append(Change(f"service {service} state", now["state"], "Running" if running else "Stopped"))
    show(changes)
    if changes:
        yield Script("windows/set_service", {"name": service, "start": start, "running": running, "timeout": timeout})


__all__ = [
    "DOWNLOADS",
    "Access",
    "directories",
    "directory_request",
    "downloads",
    "environment_variable",
    "features",
    "firewall_rule",
    "local_problem",
    "registry_request",
    "registry_value",
    "service",
    "stored_path",
]
