"""A server's state as hashes, so that "a second run changes nothing" can be checked and what did change can be named.

Durable state is every file and folder, and every part of the server's own records (registry, accounts, features, services,
ACLs, certificates, ...). What changes by itself while a server runs (logs, temporary files, compiled Python, times, boot,
event log) is kept apart as volatile.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

VOLATILE_FILES = (
    "*.log",
    "*.etl",
    "*.pyc",
    "*/__pycache__",
    "Windows/Temp/*",
    "Windows/Logs/*",
    "Windows/System32/LogFiles/*",
    "Windows/System32/winevt/*",
    "Windows/Prefetch/*",
    "Users/*/AppData/Local/Temp/*",
    "Users/*/AppData/Local/pip/*",
    "inetpub/logs/*",
    "inetpub/temp/*",
)
VOLATILE_RECORDS = ("eventlog*", "processes*")
VOLATILE_PARTS = ("accounts:/virtual",)
"""Names of virtual accounts are remembered when they are first met: that is no change of the server."""
VOLATILE_KEYS = frozenset(
    (
        *("boot_time", "boot", "time", "times", "created", "modified", "accessed", "written", "last_write"),
        *("mtime", "ctime", "atime", "pid", "last_logon", "inode", "ino", "size", "archived", "last_run"),
    )
)
_RECORD_DEPTH = 3


def machine_state(machine: Machine) -> dict[str, Any]:
    """Hashes of everything: `hash` and `durable` (name -> hash), `volatile_hash` and `volatile`."""
    with machine.lock:
        # Services first: a scratch server writes theirs into the registry when it is first asked for them.
        parts = _services(machine) | _registry(machine) | _records(machine.state_dir)
    parts |= _files(machine.state_dir / "C")
    durable = {name: value for name, (value, volatile) in sorted(parts.items()) if not volatile}
    volatile = {name: value for name, (value, volatile) in sorted(parts.items()) if volatile}
    return {
        "host": machine.name,
        "hash": _hash_of(durable),
        "volatile_hash": _hash_of(volatile),
        "durable": durable,
        "volatile": volatile,
    }


def _hash_of(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _is_volatile(relative: str) -> bool:
    lowered = relative.lower()
    return any(fnmatch.fnmatchcase(lowered, pattern.lower()) for pattern in VOLATILE_FILES)


def _files(root: Path) -> dict[str, tuple[str, bool]]:
    result: dict[str, tuple[str, bool]] = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        inside = "" if relative == "." else relative + "/"
        for name in list(folders):
            path = Path(folder, name)
            target = f"link {os.readlink(path)}" if path.is_symlink() else "folder"
            result[_windows_name(inside + name)] = (target, _is_volatile(inside + name))
        for name in files:
            path = Path(folder, name)
            result[_windows_name(inside + name)] = (_content(path), _is_volatile(inside + name))
    return result


def _windows_name(relative: str) -> str:
    return "C:\\" + relative.replace("/", "\\")


def _content(path: Path) -> str:
    try:
        if path.is_symlink():
            return f"link {os.readlink(path)}"
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "gone while looked at"


def _records(folder: Path) -> dict[str, tuple[str, bool]]:
    """The server's own records: JSON documents beside its drive, in parts small enough to see what differs."""
    result: dict[str, tuple[str, bool]] = {}
    for path in sorted(folder.rglob("*.json")):
        relative = path.relative_to(folder)
        # `.python` is the lab's own: what it tells the real interpreters of this machine.
        if relative.parts[0] in ("C", ".python") or relative.name == "registry.json":
            continue
        volatile = any(
            fnmatch.fnmatchcase(part.lower(), pattern) for part in relative.parts for pattern in VOLATILE_RECORDS
        )
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            continue
        _split(f"{relative.with_suffix('').as_posix()}:", _durable(content), _RECORD_DEPTH, volatile, result)
    return result


def _durable(value: Any) -> Any:
    """The value without what changes by itself."""
    if isinstance(value, dict):
        return {key: _durable(item) for key, item in value.items() if key.lower() not in VOLATILE_KEYS}
    if isinstance(value, list):
        return [_durable(item) for item in value]
    return value


def _split(name: str, value: Any, depth: int, volatile: bool, result: dict[str, tuple[str, bool]]) -> None:
    if isinstance(value, dict) and value and depth:
        for key, item in value.items():
            _split(f"{name}/{key}", item, depth - 1, volatile or _names_volatile_file(key), result)
    else:
        result[name] = (_hash_of(value), volatile or name.startswith(VOLATILE_PARTS))


def _names_volatile_file(key: str) -> bool:
    """Whether a record is about a file that changes by itself (owner and ACL of a log)."""
    return key[1:2] == ":" and _is_volatile(key[2:].replace("\\", "/").lstrip("/"))


def _registry(machine: Machine) -> dict[str, tuple[str, bool]]:
    """One entry per key: its values and their kinds."""
    result = {}
    for hive in ("HKLM", "HKU"):
        for key in machine.registry.walk(hive):
            values = {name: [key.kind(name), repr(value)] for name, value in key.values().items()}
            result[f"registry: {key.full_name}"] = (_hash_of(values), False)
    return result


def _services(machine: Machine) -> dict[str, tuple[str, bool]]:
    """Which services run; how they are set up stands in the registry. Sites and pools of IIS likewise."""
    settled = {"Starting": "Started", "Stopping": "Stopped", "StartPending": "Running", "StopPending": "Stopped"}
    states = {f"service: {service.name}": service.status for service in machine.services.all()}
    if machine.iis is not None:
        states |= {f"iis: site {site.config.name}": site.state for site in list(machine.iis.sites.values())}
        states |= {f"iis: pool {name}": pool.state for name, pool in list(machine.iis.pools.items())}
    return {name: (settled.get(state, state), False) for name, state in states.items()}
