"""Security descriptors of files and folders: access control entries, inheritance, SDDL, access checks.

Sources: [MS-DTYP] sections 2.4 (SIDs, ACEs, SDDL) and 2.5.3 (access check), and the documentation of icacls and of file access rights.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

READ_DATA = LIST_DIRECTORY = 0x1
WRITE_DATA = ADD_FILE = 0x2
APPEND_DATA = ADD_SUBDIRECTORY = 0x4
READ_EA = 0x8
WRITE_EA = 0x10
EXECUTE = TRAVERSE = 0x20
DELETE_CHILD = 0x40
READ_ATTRIBUTES = 0x80
WRITE_ATTRIBUTES = 0x100
DELETE = 0x10000
READ_CONTROL = 0x20000
WRITE_DAC = 0x40000
WRITE_OWNER = 0x80000
SYNCHRONIZE = 0x100000
GENERIC_ALL = 0x10000000
GENERIC_EXECUTE = 0x20000000
GENERIC_WRITE = 0x40000000
GENERIC_READ = 0x80000000

FULL_CONTROL = 0x1F01FF
MODIFY = 0x1301BF
READ_AND_EXECUTE = 0x1200A9
READ = 0x120089
WRITE = 0x100116
FILE_EXECUTE = 0x1200A0

_GENERIC = {GENERIC_ALL: FULL_CONTROL, GENERIC_READ: READ, GENERIC_WRITE: 0x120116, GENERIC_EXECUTE: FILE_EXECUTE}

CREATOR_OWNER = "S-1-3-0"
CREATOR_GROUP = "S-1-3-1"
OWNER_RIGHTS = "S-1-3-4"
SYSTEM = "S-1-5-18"
ADMINISTRATORS = "S-1-5-32-544"
USERS = "S-1-5-32-545"
EVERYONE = "S-1-1-0"
AUTHENTICATED_USERS = "S-1-5-11"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
ALL_APPLICATION_PACKAGES = "S-1-15-2-1"
ALL_RESTRICTED_APPLICATION_PACKAGES = "S-1-15-2-2"


def map_generic(mask: int) -> int:
    """Replaces generic rights by the file rights they stand for."""
    for generic, specific in _GENERIC.items():
        if mask & generic:
            mask = (mask & ~generic) | specific
    return mask


@dataclass(frozen=True)
class Ace:
    """One entry. mask: file access rights (generic ones allowed); the flags as in icacls: (OI) (CI) (NP) (IO) (I)."""

    sid: str
    mask: int
    allow: bool = True
    object_inherit: bool = False
    container_inherit: bool = False
    no_propagate: bool = False
    inherit_only: bool = False
    inherited: bool = False

    @property
    def inherits(self) -> bool:
        return self.object_inherit or self.container_inherit

    @property
    def flags(self) -> int:
        """AceFlags as in the binary form."""
        return (
            (1 if self.object_inherit else 0)
            | (2 if self.container_inherit else 0)
            | (4 if self.no_propagate else 0)
            | (8 if self.inherit_only else 0)
            | (16 if self.inherited else 0)
        )

    def with_flags(self, flags: int) -> Ace:
        return replace(
            self,
            object_inherit=bool(flags & 1),
            container_inherit=bool(flags & 2),
            no_propagate=bool(flags & 4),
            inherit_only=bool(flags & 8),
            inherited=bool(flags & 16),
        )


@dataclass(frozen=True)
class Acl:
    """Owner, group and discretionary entries. protected: entries of the parent are not inherited (SE_DACL_PROTECTED)."""

    owner: str
    aces: tuple[Ace, ...] = ()
    group: str = SYSTEM
    protected: bool = False

    @property
    def explicit(self) -> tuple[Ace, ...]:
        return tuple(ace for ace in self.aces if not ace.inherited)

    @property
    def inherited(self) -> tuple[Ace, ...]:
        return tuple(ace for ace in self.aces if ace.inherited)

    def canonical(self) -> Acl:
        """The entries in the order Windows keeps: explicit denials, explicit grants, then inherited ones as they are."""
        explicit = sorted(self.explicit, key=lambda ace: ace.allow)
        return replace(self, aces=(*explicit, *self.inherited))

    def to_sddl(self) -> str:
        return f"O:{_sid_to_sddl(self.owner)}G:{_sid_to_sddl(self.group)}" + self.dacl_sddl()

    def dacl_sddl(self) -> str:
        control = "PAI" if self.protected else "AI"
        return f"D:{control}" + "".join(_ace_to_sddl(ace) for ace in self.aces)

    @staticmethod
    def from_sddl(text: str, owner: str = ADMINISTRATORS, group: str = SYSTEM) -> Acl:
        """Reads O:, G: and D: of an SDDL string; ValueError when it cannot be read. S: is skipped."""
        match = re.fullmatch(
            r"\s*(?:O:(?P<o>[A-Z]{2}|S-[\d-]+|S-1-0x[\da-fA-F]+[\d-]*))?\s*(?:G:(?P<g>[A-Z]{2}|S-[\d-]+))?\s*"
            r"(?:D:(?P<c>[A-Z]*)(?P<d>(?:\([^()]*\))*))?\s*(?:S:.*)?",
            text,
        )
        if match is None:
            raise ValueError(f"not an SDDL string: {text}")
        aces = tuple(_ace_from_sddl(item) for item in re.findall(r"\(([^()]*)\)", match["d"] or ""))
        control = match["c"] or ""
        return Acl(
            owner=_sid_from_sddl(match["o"]) if match["o"] else owner,
            group=_sid_from_sddl(match["g"]) if match["g"] else group,
            aces=aces,
            protected=control.startswith("P"),
        )


def inherit(parent_aces: Iterable[Ace], is_dir: bool, owner: str) -> tuple[Ace, ...]:
    """The entries a new object gets from its folder's entries ([MS-DTYP] 2.5.3.4.2): CREATOR OWNER becomes the object's owner."""
    result: list[Ace] = []
    for ace in parent_aces:
        passes_on = is_dir and ace.inherits and not ace.no_propagate
        applies = ace.container_inherit if is_dir else ace.object_inherit
        if applies:
            creator = ace.sid in (CREATOR_OWNER, CREATOR_GROUP)
            mapped = map_generic(ace.mask)
            if creator:
                result.append(Ace(owner, mapped, ace.allow, inherited=True))
            elif not passes_on or mapped == ace.mask:
                result.append(_inherited(ace, passes_on, inherit_only=False, mask=mapped))
            else:
                result.append(Ace(ace.sid, mapped, ace.allow, inherited=True))
            if passes_on and (creator or mapped != ace.mask):
                result.append(_inherited(ace, True, inherit_only=True, mask=ace.mask))
        elif passes_on and ace.object_inherit:
            result.append(_inherited(ace, True, inherit_only=True, mask=ace.mask))
    return tuple(dict.fromkeys(result))


def _inherited(ace: Ace, passes_on: bool, inherit_only: bool, mask: int) -> Ace:
    return Ace(
        ace.sid,
        mask,
        ace.allow,
        object_inherit=ace.object_inherit and passes_on,
        container_inherit=ace.container_inherit and passes_on,
        inherit_only=inherit_only and passes_on,
        inherited=True,
    )


def granted(acl: Acl, sids: Collection[str]) -> int:
    """The access mask that the entries give to someone holding `sids` (owner's implicit rights included)."""
    allowed = denied = 0
    for ace in acl.aces:
        if ace.inherit_only or ace.sid not in sids:
            continue
        mask = map_generic(ace.mask)
        if ace.allow:
            allowed |= mask & ~denied
        else:
            denied |= mask & ~allowed
    if acl.owner in sids and not any(ace.sid == OWNER_RIGHTS for ace in acl.aces):
        allowed |= READ_CONTROL | WRITE_DAC
    return allowed


# -- SDDL -----------------------------------------------------------------------------------------------------------------------

SDDL_SIDS = {
    "AN": "S-1-5-7",
    "AU": AUTHENTICATED_USERS,
    "BA": ADMINISTRATORS,
    "BG": "S-1-5-32-546",
    "BO": "S-1-5-32-551",
    "BU": USERS,
    "CG": CREATOR_GROUP,
    "CO": CREATOR_OWNER,
    "IU": "S-1-5-4",
    "LS": "S-1-5-19",
    "NS": "S-1-5-20",
    "NU": "S-1-5-2",
    "OW": OWNER_RIGHTS,
    "PU": "S-1-5-32-547",
    "RD": "S-1-5-32-555",
    "IS": "S-1-5-32-568",
    "RC": "S-1-5-12",
    "SU": "S-1-5-6",
    "SY": SYSTEM,
    "WD": EVERYONE,
    "AC": ALL_APPLICATION_PACKAGES,
}
_SIDS_SDDL = {sid: alias for alias, sid in SDDL_SIDS.items()}
_RIGHTS = {
    "GA": GENERIC_ALL,
    "GR": GENERIC_READ,
    "GW": GENERIC_WRITE,
    "GX": GENERIC_EXECUTE,
    "FA": FULL_CONTROL,
    "FR": READ,
    "FW": 0x120116,
    "FX": FILE_EXECUTE,
    "RC": READ_CONTROL,
    "SD": DELETE,
    "WD": WRITE_DAC,
    "WO": WRITE_OWNER,
    "CC": 0x1,
    "DC": 0x2,
    "LC": 0x4,
    "SW": 0x8,
    "RP": 0x10,
    "WP": 0x20,
    "DT": 0x40,
    "LO": 0x80,
    "CR": 0x100,
}
_RIGHTS_OUT = {FULL_CONTROL: "FA", READ: "FR", 0x120116: "FW", FILE_EXECUTE: "FX"}
_RIGHTS_OUT |= {
    0x4: "LC",
    0x2: "DC",
    0x6: "DCLC",
    GENERIC_ALL: "GA",
    GENERIC_READ | GENERIC_EXECUTE: "GXGR",
    GENERIC_READ: "GR",
    GENERIC_WRITE: "GW",
}


def _sid_to_sddl(sid: str) -> str:
    return _SIDS_SDDL.get(sid, sid)


def _sid_from_sddl(text: str) -> str:
    if text.startswith("S-"):
        return text
    if text not in SDDL_SIDS:
        raise ValueError(f"not a SID in SDDL: {text}")
    return SDDL_SIDS[text]


def _ace_to_sddl(ace: Ace) -> str:
    names = ((1, "OI"), (2, "CI"), (4, "NP"), (8, "IO"), (16, "ID"))
    flags = "".join(name for bit, name in names if ace.flags & bit)
    rights = _RIGHTS_OUT.get(ace.mask) or f"0x{ace.mask:x}"
    return f"({'A' if ace.allow else 'D'};{flags};{rights};;;{_sid_to_sddl(ace.sid)})"


def _ace_from_sddl(text: str) -> Ace:
    fields = text.split(";")
    if len(fields) < 6 or fields[0] not in ("A", "D"):
        raise ValueError(f"not an access control entry that this lab knows: ({text})")
    flags = 0
    for i in range(0, len(fields[1]), 2):
        name = fields[1][i : i + 2]
        if name not in ("OI", "CI", "NP", "IO", "ID"):
            raise ValueError(f"not an inheritance flag: {name}")
        flags |= {"OI": 1, "CI": 2, "NP": 4, "IO": 8, "ID": 16}[name]
    rights = fields[2]
    if rights.lower().startswith("0x"):
        mask = int(rights, 16)
    elif rights.isdigit():
        mask = int(rights)
    else:
        mask = 0
        for i in range(0, len(rights), 2):
            if rights[i : i + 2] not in _RIGHTS:
                raise ValueError(f"not an access right: {rights[i : i + 2]}")
            mask |= _RIGHTS[rights[i : i + 2]]
    return Ace(_sid_from_sddl(fields[5]), mask, fields[0] == "A").with_flags(flags)
