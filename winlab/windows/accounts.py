"""Users, groups, security identifiers and tokens of one server.

Well-known SIDs: [MS-DTYP] 2.4.2.4. SIDs of `IIS AppPool\\<name>` and `NT SERVICE\\<name>`: S-1-5-82 and S-1-5-80 with the SHA-1 of the lower-case (pools) or
upper-case (services) name in UTF-16LE.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from winlab.windows import acl
from winlab.windows.errors import WindowsError
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

WELL_KNOWN: dict[str, str] = {
    "S-1-0-0": "NULL SID",
    "S-1-1-0": "Everyone",
    "S-1-2-0": "LOCAL",
    "S-1-2-1": "CONSOLE LOGON",
    "S-1-3-0": "CREATOR OWNER",
    "S-1-3-1": "CREATOR GROUP",
    "S-1-3-4": "OWNER RIGHTS",
    "S-1-5-1": "NT AUTHORITY\\DIALUP",
    "S-1-5-2": "NT AUTHORITY\\NETWORK",
    "S-1-5-3": "NT AUTHORITY\\BATCH",
    "S-1-5-4": "NT AUTHORITY\\INTERACTIVE",
    "S-1-5-6": "NT AUTHORITY\\SERVICE",
    "S-1-5-7": "NT AUTHORITY\\ANONYMOUS LOGON",
    "S-1-5-10": "NT AUTHORITY\\SELF",
    "S-1-5-11": "NT AUTHORITY\\Authenticated Users",
    "S-1-5-12": "NT AUTHORITY\\RESTRICTED",
    "S-1-5-13": "NT AUTHORITY\\TERMINAL SERVER USER",
    "S-1-5-14": "NT AUTHORITY\\REMOTE INTERACTIVE LOGON",
    "S-1-5-15": "NT AUTHORITY\\This Organization",
    "S-1-5-17": "NT AUTHORITY\\IUSR",
    "S-1-5-18": "NT AUTHORITY\\SYSTEM",
    "S-1-5-19": "NT AUTHORITY\\LOCAL SERVICE",
    "S-1-5-20": "NT AUTHORITY\\NETWORK SERVICE",
    "S-1-5-64-10": "NT AUTHORITY\\NTLM Authentication",
    "S-1-5-113": "NT AUTHORITY\\Local account",
    "S-1-5-114": "NT AUTHORITY\\Local account and member of Administrators group",
    "S-1-5-80-0": "NT SERVICE\\ALL SERVICES",
    "S-1-15-2-1": "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES",
    "S-1-15-2-2": "APPLICATION PACKAGE AUTHORITY\\ALL RESTRICTED APPLICATION PACKAGES",
    "S-1-16-4096": "Mandatory Label\\Low Mandatory Level",
    "S-1-16-8192": "Mandatory Label\\Medium Mandatory Level",
    "S-1-16-12288": "Mandatory Label\\High Mandatory Level",
    "S-1-16-16384": "Mandatory Label\\System Mandatory Level",
}
BUILTIN_GROUPS: dict[str, tuple[str, str]] = {
    "Access Control Assistance Operators": (
        "S-1-5-32-579",
        "Members of this group can remotely query authorization attributes and permissions for resources on this computer.",
    ),
    "Administrators": ("S-1-5-32-544", "Administrators have complete and unrestricted access to the computer/domain"),
    "Backup Operators": (
        "S-1-5-32-551",
        "Backup Operators can override security restrictions for the sole purpose of backing up or restoring files",
    ),
    "Cryptographic Operators": ("S-1-5-32-569", "Members are authorized to perform cryptographic operations."),
    "Distributed COM Users": (
        "S-1-5-32-562",
        "Members are allowed to launch, activate and use Distributed COM objects on this machine.",
    ),
    "Event Log Readers": ("S-1-5-32-573", "Members of this group can read event logs from local machine"),
    "Guests": (
        "S-1-5-32-546",
        "Guests have the same access as members of the Users group by default, except for the Guest account which is further restricted",
    ),
    "IIS_IUSRS": ("S-1-5-32-568", "Built-in group used by Internet Information Services."),
    "Network Configuration Operators": (
        "S-1-5-32-556",
        "Members in this group can have some administrative privileges to manage configuration of networking features",
    ),
    "Performance Log Users": (
        "S-1-5-32-559",
        (
            "Members of this group may schedule logging of performance counters, enable trace providers, and collect "
            "event traces both locally and via remote access to this computer"
        ),
    ),
    "Performance Monitor Users": (
        "S-1-5-32-558",
        "Members of this group can access performance counter data locally and remotely",
    ),
    "Power Users": (
        "S-1-5-32-547",
        "Power Users are included for backwards compatibility and possess limited administrative powers",
    ),
    "Remote Desktop Users": ("S-1-5-32-555", "Members in this group are granted the right to logon remotely"),
    "Remote Management Users": (
        "S-1-5-32-580",
        (
            "Members of this group can access WMI resources over management protocols (such as WS-Management via the "
            "Windows Remote Management service). This applies only to WMI namespaces that grant access to the "
            "user."
        ),
    ),
    "Replicator": ("S-1-5-32-552", "Supports file replication in a domain"),
    "System Managed Accounts Group": ("S-1-5-32-581", "Members of this group are managed by the system."),
    "Users": (
        "S-1-5-32-545",
        "Users are prevented from making accidental or intentional system-wide changes and can run most applications",
    ),
}
DEFAULT_PASSWORD = "Passw0rd!"


@dataclass(frozen=True)
class Token:
    """Who a process runs as. groups: SIDs (the user's own not among them); elevated: the Administrators group is enabled in it."""

    name: str
    sid: str
    groups: frozenset[str] = field(default_factory=frozenset)
    elevated: bool = False
    logon_type: str = "network"

    @property
    def sids(self) -> frozenset[str]:
        return self.groups | {self.sid}

    @property
    def domain(self) -> str:
        return self.name.rpartition("\\")[0]

    @property
    def username(self) -> str:
        return self.name.rpartition("\\")[2]

    @property
    def is_system(self) -> bool:
        return self.sid == acl.SYSTEM


def _hashed_sid(authority: int, text: str) -> str:
    digest = hashlib.sha1(text.encode("utf-16-le"), usedforsecurity=False).digest()
    return f"S-1-5-{authority}-" + "-".join(str(part) for part in struct.unpack("<5I", digest))


def app_pool_sid(name: str) -> str:
    """The SID of the virtual account `IIS AppPool\\<name>`."""
    return _hashed_sid(82, name.lower())


def service_sid(name: str) -> str:
    """The SID of the virtual account `NT SERVICE\\<name>`."""
    return _hashed_sid(80, name.upper())


def _may_be_name(name: str, longest: int) -> bool:
    return 0 < len(name) <= longest and not any(c in '"/\\[]:;|=,+*?<>@' or ord(c) < 32 for c in name)


class Accounts:
    """The security accounts manager: users and groups persist, virtual accounts are remembered when they are first named."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._document = Document(machine.state_dir / "accounts.json", None)
        if self._document.data is None:
            self._document.data = self._bare()
        self._well_known = dict(WELL_KNOWN)
        self._sids = {name.rpartition("\\")[2].lower(): sid for sid, name in WELL_KNOWN.items()}
        self._sids |= {name.lower(): sid for sid, name in WELL_KNOWN.items()}

    def _bare(self) -> dict[str, Any]:
        digest = hashlib.sha256(f"machine {self.machine.name.upper()}".encode()).digest()
        machine_sid = "S-1-5-21-" + "-".join(str(part) for part in struct.unpack("<3I", digest[:12]))
        users = {
            "Administrator": {
                "rid": 500,
                "password": DEFAULT_PASSWORD,
                "enabled": True,
                "description": "Built-in account for administering the computer/domain",
            },
            "Guest": {
                "rid": 501,
                "password": "",
                "enabled": False,
                "description": "Built-in account for guest access to the computer/domain",
            },
            "DefaultAccount": {
                "rid": 503,
                "password": "",
                "enabled": False,
                "description": "A user account managed by the system.",
            },
        }
        groups: dict[str, dict[str, Any]] = {
            name: {"sid": sid, "description": description, "members": []}
            for name, (sid, description) in BUILTIN_GROUPS.items()
        }
        groups["Administrators"]["members"] = [f"{machine_sid}-500"]
        groups["Guests"]["members"] = [f"{machine_sid}-501"]
        groups["IIS_IUSRS"]["members"] = ["S-1-5-17"]
        groups["System Managed Accounts Group"]["members"] = [f"{machine_sid}-503"]
        groups["Users"]["members"] = ["S-1-5-4", "S-1-5-11"]
        return {"machine_sid": machine_sid, "next_rid": 1000, "users": users, "groups": groups, "virtual": {}}

    # -- looking up -------------------------------------------------------------------------------------------------------------

    @property
    def machine_sid(self) -> str:
        return str(self._document.data["machine_sid"])

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """Name -> rid, password, enabled, description (and full_name, password_never_expires where set)."""
        return self._document.data["users"]

    @property
    def groups(self) -> dict[str, dict[str, Any]]:
        """Name -> sid, description, members (SIDs)."""
        return self._document.data["groups"]

    def find_user(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """(stored name, record) of a local user by name, with or without the computer's name."""
        domain, _, short = name.rpartition("\\")
        if domain and domain.lower() not in (self.machine.name.lower(), "."):
            return None
        for stored, record in self.users.items():
            if stored.lower() == short.lower():
                return stored, record
        return None

    def find_group(self, name: str) -> tuple[str, dict[str, Any]] | None:
        domain, _, short = name.rpartition("\\")
        if domain and domain.lower() not in (self.machine.name.lower(), ".", "builtin"):
            return None
        for stored, record in self.groups.items():
            if stored.lower() == short.lower():
                is_builtin = record["sid"].startswith("S-1-5-32-")
                if not domain or (domain.lower() == "builtin") == is_builtin or not is_builtin:
                    return stored, record
        return None

    def user_sid(self, name: str) -> str:
        found = self.find_user(name)
        if found is None:
            raise WindowsError(1317)
        return f"{self.machine_sid}-{found[1]['rid']}"

    def sid_of(self, name: str) -> str:
        """The SID of an account by name (or a SID as text, with or without a leading *). WindowsError 1332 when there is none."""
        text = name.strip()
        bare = text[1:] if text.startswith("*") else text
        if bare.upper().startswith("S-1-"):
            return bare.upper()
        user = self.find_user(text)
        if user is not None:
            return f"{self.machine_sid}-{user[1]['rid']}"
        group = self.find_group(text)
        if group is not None:
            return str(group[1]["sid"])
        domain, _, short = text.rpartition("\\")
        lowered = domain.lower()
        if lowered == "iis apppool" and short:
            from winlab.windows.web import app_pool_exists

            if not app_pool_exists(self.machine, short):
                return self._none()
            return self._virtual(app_pool_sid(short), f"IIS APPPOOL\\{short}")
        if lowered == "nt service" and short and short.lower() != "all services":
            known = short.lower() == "trustedinstaller" or self.machine.services.exists(short)
            return self._virtual(service_sid(short), f"NT SERVICE\\{short}") if known else self._none()
        sid = self._sids.get(text.lower() if domain else short.lower())
        return sid if sid is not None else self._none()

    def _none(self) -> str:
        raise WindowsError(1332)

    def _virtual(self, sid: str, name: str) -> str:
        known = self._document.data["virtual"]
        if sid not in known:
            known[sid] = name
            self.save()
        return sid

    def name_of(self, sid: str) -> str:
        """`DOMAIN\\name` of a SID; the SID itself when nothing maps to it."""
        if sid in self._well_known:
            return self._well_known[sid]
        if sid == acl.TRUSTED_INSTALLER:
            return "NT SERVICE\\TrustedInstaller"
        prefix = self.machine_sid + "-"
        if sid.startswith(prefix):
            for name, record in self.users.items():
                if str(record["rid"]) == sid[len(prefix) :]:
                    return f"{self.machine.name}\\{name}"
            for name, record in self.groups.items():
                if record["sid"] == sid:
                    return f"{self.machine.name}\\{name}"
        for name, record in self.groups.items():
            if record["sid"] == sid:
                return f"BUILTIN\\{name}"
        return str(self._document.data["virtual"].get(sid, sid))

    # -- tokens -----------------------------------------------------------------------------------------------------------------

    @property
    def system(self) -> Token:
        return Token(
            "NT AUTHORITY\\SYSTEM",
            acl.SYSTEM,
            frozenset({acl.ADMINISTRATORS, acl.EVERYONE, acl.AUTHENTICATED_USERS, "S-1-16-16384"}),
            elevated=True,
            logon_type="service",
        )

    def token(self, name: str, logon_type: str = "network") -> Token:
        """A token for a local user, a well-known service account or a virtual account, without asking for a password."""
        lowered = name.lower().rpartition("\\")[2]
        if lowered in ("system", "localsystem"):
            return self.system
        if lowered in ("local service", "localservice", "network service", "networkservice"):
            full = "LOCAL SERVICE" if lowered.startswith("local") else "NETWORK SERVICE"
            sid = "S-1-5-19" if full == "LOCAL SERVICE" else "S-1-5-20"
            base = {acl.EVERYONE, acl.USERS, acl.AUTHENTICATED_USERS, "S-1-5-6", "S-1-5-15", "S-1-16-16384"}
            return Token(f"NT AUTHORITY\\{full}", sid, frozenset(base), logon_type="service")
        domain, _, short = name.rpartition("\\")
        if domain.lower() == "iis apppool":
            # whoever runs the pool has it, whatever the configuration says by now
            return self._virtual_token(self._virtual(app_pool_sid(short), f"IIS APPPOOL\\{short}"))
        sid = self.sid_of(name)
        if sid.startswith(("S-1-5-82-", "S-1-5-80-")):
            return self._virtual_token(sid)
        groups = {acl.EVERYONE, acl.AUTHENTICATED_USERS, "S-1-5-15", "S-1-5-113", "S-1-5-64-10"}
        groups.add({"network": "S-1-5-2", "interactive": "S-1-5-4", "batch": "S-1-5-3"}.get(logon_type, "S-1-5-6"))
        groups |= self.groups_of(sid, groups)
        elevated = acl.ADMINISTRATORS in groups
        if elevated:
            groups.add("S-1-5-114")
        groups.add("S-1-16-12288" if elevated else "S-1-16-8192")
        return Token(self.name_of(sid), sid, frozenset(groups), elevated, logon_type)

    def _virtual_token(self, sid: str) -> Token:
        groups = {acl.EVERYONE, acl.USERS, acl.AUTHENTICATED_USERS, "S-1-5-6", "S-1-2-1", "S-1-5-15", "S-1-16-12288"}
        if sid.startswith("S-1-5-82-"):
            groups |= {"S-1-5-32-568", "S-1-5-82-0"}
        else:
            groups.add("S-1-5-80-0")
        return Token(self.name_of(sid), sid, frozenset(groups), logon_type="service")

    def groups_of(self, sid: str, also: set[str] | None = None) -> set[str]:
        """SIDs of the local groups that have `sid` (or one of `also`) as a member."""
        members = {sid} | (also or set())
        return {record["sid"] for record in self.groups.values() if members & set(record["members"])}

    def logon(self, name: str, password: str, logon_type: str = "network") -> Token:
        """A token for a user with a password. WindowsError 1326 (unknown user or wrong password), 1331 (disabled)."""
        found = self.find_user(name)
        if found is None or found[1]["password"] != password:
            raise WindowsError(1326)
        if not found[1]["enabled"]:
            raise WindowsError(1331)
        return self.token(found[0], logon_type)

    # -- changing ---------------------------------------------------------------------------------------------------------------

    def add_user(self, name: str, password: str = "", description: str = "", **more: Any) -> str:
        """Creates a local user and returns its SID. WindowsError 2224 when the name is taken, 2202 when it cannot be one."""
        if not _may_be_name(name, 20):
            raise WindowsError(2202)
        if self.find_user(name) or self.find_group(name):
            raise WindowsError(2224)
        rid = self._next_rid()
        self.users[name] = {"rid": rid, "password": password, "enabled": True, "description": description, **more}
        sid = f"{self.machine_sid}-{rid}"
        self.save()
        return sid

    def remove_user(self, name: str) -> None:
        found = self.find_user(name)
        if found is None:
            raise WindowsError(2221)
        sid = f"{self.machine_sid}-{found[1]['rid']}"
        del self.users[found[0]]
        for record in self.groups.values():
            record["members"] = [member for member in record["members"] if member != sid]
        self.save()

    def add_group(self, name: str, description: str = "") -> str:
        """Creates a local group and returns its SID. WindowsError 1379 when the name is taken, 2202 when it cannot be one."""
        if not _may_be_name(name, 256):
            raise WindowsError(2202)
        if self.find_group(name) or self.find_user(name):
            raise WindowsError(1379)
        sid = f"{self.machine_sid}-{self._next_rid()}"
        self.groups[name] = {"sid": sid, "description": description, "members": []}
        self.save()
        return sid

    def remove_group(self, name: str) -> None:
        found = self.find_group(name)
        if found is None:
            raise WindowsError(1376)
        if found[1]["sid"].startswith("S-1-5-32-"):
            raise WindowsError(1371, "Cannot perform this operation on built-in accounts.")
        del self.groups[found[0]]
        self.save()

    def add_member(self, group: str, account: str) -> None:
        """Puts an account into a local group. WindowsError 1376, 1332 or 1378."""
        record = self._group(group)
        sid = self.sid_of(account)
        if sid in record["members"]:
            raise WindowsError(1378)
        record["members"].append(sid)
        self.save()

    def remove_member(self, group: str, account: str) -> None:
        record = self._group(group)
        sid = self.sid_of(account)
        if sid not in record["members"]:
            raise WindowsError(1377)
        record["members"].remove(sid)
        self.save()

    def _group(self, name: str) -> dict[str, Any]:
        found = self.find_group(name)
        if found is None:
            raise WindowsError(1376)
        return found[1]

    def _next_rid(self) -> int:
        rid = int(self._document.data["next_rid"])
        self._document.data["next_rid"] = rid + 1
        return rid

    def save(self) -> None:
        with self.machine.lock:
            self._document.save()
