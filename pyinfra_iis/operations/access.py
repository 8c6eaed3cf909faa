"""Access control lists of folders: what is granted, what is inherited, and what has to change.

Pure functions over what the fact `Directories` tells. Rights are .NET's FileSystemRights, compared as sets of bits. A grant holds for the folder and
everything below it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyinfra_iis.operations.changes import Change

RIGHTS = {
    "FullControl": 0xF01FF,
    "Modify": 0x301BF,
    "ReadAndExecute": 0x200A9,
    "Read": 0x20089,
    "Write": 0x116,
    "ReadData": 0x1,
    "CreateFiles": 0x2,
    "AppendData": 0x4,
    "ReadExtendedAttributes": 0x8,
    "WriteExtendedAttributes": 0x10,
    "ExecuteFile": 0x20,
    "DeleteSubdirectoriesAndFiles": 0x40,
    "ReadAttributes": 0x80,
    "WriteAttributes": 0x100,
    "Delete": 0x10000,
    "ReadPermissions": 0x20000,
    "ChangePermissions": 0x40000,
    "TakeOwnership": 0x80000,
}
"""Names of rights and their bits, wide ones first."""

_ALIASES = {
    "ListDirectory": "ReadData",
    "WriteData": "CreateFiles",
    "CreateDirectories": "AppendData",
    "Traverse": "ExecuteFile",
    "F": "FullControl",
    "M": "Modify",
    "RX": "ReadAndExecute",
    "R": "Read",
    "W": "Write",
}
_BY_NAME = {name.lower(): bits for name, bits in RIGHTS.items()}
_BY_NAME |= {alias.lower(): RIGHTS[name] for alias, name in _ALIASES.items()}

# Generic rights stand in entries that programs made; Synchronize goes along with every grant and says nothing.
_GENERIC = {0x10000000: 0xF01FF, 0x20000000: 0x200A0, 0x40000000: 0x116 | 0x20000, 0x80000000: 0x20089}


class AccessError(ValueError):
    """Access that cannot be asked for; the text is one sentence."""


@dataclass(frozen=True)
class Access:
    """What a folder's access control list should be like; what is not named stays as it is.

    Attributes:
        grants: identity -> rights as .NET or icacls name them (`Modify`, `ReadAndExecute, Write`, `RX`); None takes the identity's own entries away.
        inherit: False cuts the folder off from its parent's entries, True lets them in; None leaves it as it is.
        keep: with `inherit=False`: the entries inherited so far stay as the folder's own.
        only: take own entries of all other identities away.
        owner: an identity; empty leaves it as it is.
        made_before: an earlier operation of the deploy makes the folder, so that it is not announced here.
    """

    grants: Mapping[str, str | None] = field(default_factory=dict)
    inherit: bool | None = None
    keep: bool = True
    only: bool = False
    owner: str = ""
    made_before: bool = False


@dataclass(frozen=True)
class _Entry:
    """One entry: who, which bits, and where it holds."""

    sid: str
    rights: int
    allow: bool
    inherited: bool
    inheritance: int
    propagation: int

    @property
    def scopes(self) -> frozenset[str]:
        found = set()
        if not self.propagation & 2:
            found.add("folder")
        if self.inheritance & 1 and not self.propagation & 1:
            found.add("folders")
        if self.inheritance & 2 and not (self.propagation & 1 and not self.inheritance & 1):
            found.add("files")
        return frozenset(found)

    @property
    def where(self) -> str:
        names = {"folder": "this folder", "folders": "subfolders", "files": "files"}
        return (
            "" if len(self.scopes) == 3 else f" ({', '.join(names[key] for key in names if key in self.scopes)} only)"
        )


_EVERYWHERE = ("folder", "folders", "files")


def bits(rights: str) -> int:
    """The bits of named rights.

    Args:
        rights: names, with commas between several.

    Raises:
        AccessError: a name that Windows does not know.
    """
    total = 0
    for name in rights.split(","):
        if name.strip().lower() not in _BY_NAME:
            raise AccessError(
                f"'{name.strip()}' is no right of a folder; write for example Modify, ReadAndExecute or Read"
            )
        total |= _BY_NAME[name.strip().lower()]
    return total


def app_pool_sid(identity: str) -> str:
    """The SID of `IIS AppPool\\<name>`, which follows from the pool's name whether there is such a pool or not; empty for other identities."""
    domain, _, name = identity.partition("\\")
    if domain.lower() != "iis apppool" or not name:
        return ""
    numbers = struct.unpack("<5I", hashlib.sha1(name.lower().encode("utf-16-le"), usedforsecurity=False).digest())
    return "-".join(["S-1-5-82", *map(str, numbers)])


def names(rights: int) -> str:
    """The names of bits, as few as possible."""
    found = []
    left = rights
    for name, mask in RIGHTS.items():
        if left & mask and rights & mask == mask:
            found.append(name)
            left &= ~mask
    if left:
        found.append(hex(left))
    return ", ".join(found)


def request(folders: Mapping[str, Access]) -> dict[str, Any]:
    """The arguments of the fact for some folders."""
    wanted = [
        {"path": path, "identities": sorted({*access.grants, *([access.owner] if access.owner else [])})}
        for path, access in folders.items()
    ]
    return {"folders": wanted, "contents": False}


def plan(path: str, access: Access, fact: Mapping[str, Any]) -> tuple[list[Change], dict[str, Any] | None]:
    """What has to change at one folder.

    Args:
        path: the folder.
        access: what is wanted.
        fact: what the fact says.

    Returns:
        The changes, and the folder in the terms of the script; None when nothing has to change.

    Raises:
        AccessError: rights that do not exist, or that cannot be taken away because they are inherited.
    """
    folder = next(item for item in fact["folders"] if item["path"] == path)
    wanted = {name: bits(rights) if rights else 0 for name, rights in access.grants.items()}
    if not folder["exists"]:
        return _new(path, access, wanted)
    return _Plan(path, access, folder, fact).made(wanted)


def _new(path: str, access: Access, wanted: Mapping[str, int]) -> tuple[list[Change], dict[str, Any]]:
    changes = [] if access.made_before else [Change(path, None, "folder")]
    if access.inherit is False:
        changes.append(Change(f"{path} inheritance", "on", "off"))
    if access.owner:
        changes.append(Change(f"{path} owner", None, access.owner))
    changes += [Change(f"{path} {name}", None, names(rights)) for name, rights in wanted.items() if rights]
    entries = [_entry(name, [], rights) for name, rights in wanted.items() if rights]
    protect = True if access.inherit is False else None
    return changes, {"path": path, "protect": protect, "keep": access.keep, "owner": access.owner, "entries": entries}


def _entry(identity: str, remove: Iterable[str], rights: int) -> dict[str, Any]:
    return {"identity": identity, "remove": list(remove), "rights": rights}


class _Plan:
    def __init__(self, path: str, access: Access, folder: Mapping[str, Any], fact: Mapping[str, Any]) -> None:
        self.path, self.access, self.folder = path, access, folder
        self.accounts = fact["accounts"]
        # PowerShell's tables do not tell names apart by case.
        self.sids = {name.lower(): sid for name, sid in fact["identities"].items()}
        self.changes: list[Change] = []
        self.entries: list[dict[str, Any]] = []
        self.acl = [_Entry(**{**entry, "rights": _plain(entry["rights"])}) for entry in folder["entries"]]

    def made(self, wanted: Mapping[str, int]) -> tuple[list[Change], dict[str, Any] | None]:
        protect = self._inheritance()
        for name, rights in wanted.items():
            self._grant(name, rights)
        if self.access.only:
            self._others(set(wanted))
        owner = self._owner()
        if not self.changes:
            return [], None
        folder = {"path": self.path, "protect": protect, "keep": self.access.keep, "owner": owner}
        return self.changes, {**folder, "entries": self.entries}

    def _inheritance(self) -> bool | None:
        protected = self.folder["protected"]
        if self.access.inherit is None or self.access.inherit is not protected:
            return None
        if protected:
            self.changes.append(Change(f"{self.path} inheritance", "off", "on"))
            return False
        inherited = [entry for entry in self.acl if entry.inherited]
        self.acl = [entry for entry in self.acl if not entry.inherited]
        if self.access.keep:
            self.changes.append(Change(f"{self.path} inheritance", "on", "off, inherited entries stay as its own"))
            self.acl += [_own(entry) for entry in inherited]
            return True
        self.changes.append(Change(f"{self.path} inheritance", "on", "off"))
        for sid in dict.fromkeys(entry.sid for entry in inherited):
            if not any(self._sid(name) == sid for name in self.access.grants):
                self.changes.append(Change(f"{self.path} {self._name(sid)}", self._text(inherited, sid), None))
        if not self.acl and not any(self.access.grants.values()):
            raise AccessError(
                f"nobody would have access to {self.path} without inherited entries; grant somebody access"
            )
        return True

    def _grant(self, name: str, wanted: int) -> None:
        sid = self._sid(name)
        if not sid:
            # An account that an earlier step makes, or that the script will miss.
            if wanted:
                self.changes.append(Change(f"{self.path} {name}", None, names(wanted)))
                self.entries.append(_entry(name, [], wanted))
            return
        mine = [entry for entry in self.acl if entry.sid == sid]
        own = [entry for entry in mine if not entry.inherited]
        denied = any(not entry.allow and entry.rights & wanted for entry in own)
        too_much = any(entry.allow and entry.rights & ~wanted for entry in own)
        inherited = [entry for entry in mine if entry.inherited and entry.allow]
        if not wanted and inherited:
            raise AccessError(
                f"{self._name(sid)} has access to {self.path} by inheritance ({self._text(inherited, sid)}); inherit=False cuts that off"
            )
        if not denied and not too_much and _covers(mine, wanted):
            return
        remove = (["Allow"] if any(entry.allow for entry in own) else []) + (["Deny"] if denied else [])
        left = [entry for entry in mine if entry.inherited or (not entry.allow and not denied)]
        rights = 0 if _covers(left, wanted) else wanted
        before = self._text(mine, sid) or None
        after = names(wanted) if rights else self._text(left, sid) or None
        self.changes.append(Change(f"{self.path} {name}", before, after))
        self.entries.append(_entry(name, remove, rights))

    def _others(self, named: set[str]) -> None:
        known = {self._sid(name) for name in named}
        own = [entry for entry in self.acl if not entry.inherited and entry.sid not in known]
        for sid in dict.fromkeys(entry.sid for entry in own):
            self.changes.append(Change(f"{self.path} {self._name(sid)}", self._text(own, sid), None))
            self.entries.append(_entry(sid, ["Allow", "Deny"], 0))

    def _owner(self) -> str:
        owner = self.access.owner
        if not owner or self._sid(owner) == self.folder["owner"]:
            return ""
        self.changes.append(Change(f"{self.path} owner", self._name(self.folder["owner"]), owner))
        return owner

    def _sid(self, name: str) -> str:
        """The SID of an identity, empty when it is not known yet."""
        return self.sids[name.lower()] or app_pool_sid(name)

    def _name(self, sid: str) -> str:
        return self.accounts.get(sid) or sid

    def _text(self, entries: Iterable[_Entry], sid: str) -> str:
        """What some entries give an identity, for people."""
        parts: dict[str, int] = {}
        for entry in entries:
            if entry.sid == sid:
                kind = f"{'' if entry.allow else 'deny '}%s{entry.where}{' (inherited)' if entry.inherited else ''}"
                parts[kind] = parts.get(kind, 0) | entry.rights
        return "; ".join(kind % names(rights) for kind, rights in parts.items())


def _plain(rights: int) -> int:
    """Bits without generic rights, which stand for others, and without Synchronize."""
    found = rights & RIGHTS["FullControl"]
    for generic, meaning in _GENERIC.items():
        if rights & generic:
            found |= meaning
    return found


def _own(entry: _Entry) -> _Entry:
    return _Entry(entry.sid, entry.rights, entry.allow, False, entry.inheritance, entry.propagation)


def _covers(entries: Iterable[_Entry], wanted: int) -> bool:
    """Whether entries of one identity give it rights in the folder and everything below, as Windows evaluates them: own ones before inherited ones."""
    entries = list(entries)
    for scope in _EVERYWHERE:
        given = refused = 0
        for inherited in (False, True):
            here = [entry for entry in entries if entry.inherited is inherited and scope in entry.scopes]
            for entry in here:
                if not entry.allow:
                    refused |= entry.rights & ~given
            for entry in here:
                if entry.allow:
                    given |= entry.rights & ~refused
        if wanted & ~given:
            return False
    return True


__all__ = ["RIGHTS", "Access", "AccessError", "app_pool_sid", "bits", "names", "plan", "request"]
