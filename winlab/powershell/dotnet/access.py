"""System.Security.Principal and System.Security.AccessControl: accounts, SIDs, identities, access rules of files and folders."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, NetObject
from winlab.windows import acl as acls
from winlab.windows.acl import Ace, Acl
from winlab.windows.errors import WindowsError

from . import context, paths
from .collections import collection_of
from .core import NetType, ctor, get_type, indexer, method, net_type, prop, static_prop
from .declare import argument, need, out_of_range, overloads, path_error
from .system import Enumerator, IntPtr
from .values import net_hash

PRINCIPAL = "System.Security.Principal"
ACCESS = "System.Security.AccessControl"


def not_mapped() -> NetException:
    return NetException(
        f"{PRINCIPAL}.IdentityNotMappedException", "Some or all identity references could not be translated."
    )


# ------------------------------------------------------------------------------------------------------------ identities


@net_type(f"{PRINCIPAL}.IdentityReference")
class IdentityReference(NetObject):
    value = ""

    def __str__(self) -> str:
        return self.value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.value.lower() == self.value.lower()

    def __hash__(self) -> int:
        return hash(self.value.lower())

    @prop("Value : String get")
    def get_value(self) -> str:
        return self.value

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(self.value.lower())

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.value

    @method("IsValidTargetType(Type) : Boolean")
    def is_valid_target_type(self, kind: NetType) -> bool:
        return kind.full_name in (
            f"{PRINCIPAL}.SecurityIdentifier",
            f"{PRINCIPAL}.NTAccount",
            f"{PRINCIPAL}.IdentityReference",
        )

    @method("Translate(Type) : Security.Principal.IdentityReference")
    def translate(self, kind: NetType) -> IdentityReference:
        if not self.is_valid_target_type(need(kind, "targetType")):
            raise argument("The targetType parameter must be of IdentityReference type.", "targetType")
        if kind.full_name.endswith("SecurityIdentifier"):
            return SecurityIdentifier(self.sid())
        if kind.full_name.endswith("NTAccount"):
            return NTAccount(self.account())
        return self

    def sid(self) -> str:
        raise NotImplementedError

    def account(self) -> str:
        raise NotImplementedError


@net_type(f"{PRINCIPAL}.NTAccount")
class NTAccount(IdentityReference):
    def __init__(self, name: str) -> None:
        self.value = name

    @staticmethod
    def convert_from(value: Any) -> Any:
        return NTAccount(value) if isinstance(value, str) and value else None

    @ctor("(String)")
    def new(self, name: str) -> None:
        if not need(name, "name"):
            raise argument("The argument cannot be an empty string.", "name")
        self.value = name

    @ctor("(String,String)")
    def new_domain(self, domain: str | None, name: str) -> None:
        self.value = f"{domain}\\{name}" if domain else name

    def sid(self) -> str:
        try:
            return str(context.machine().accounts.sid_of(self.value))
        except WindowsError:
            raise not_mapped() from None

    def account(self) -> str:
        return self.value


_SID = re.compile(r"S-1-\d+(-\d+)*", re.IGNORECASE)


@net_type(f"{PRINCIPAL}.SecurityIdentifier", interfaces=("IComparable",))
class SecurityIdentifier(IdentityReference):
    def __init__(self, value: str) -> None:
        self.value = value.upper()

    @staticmethod
    def convert_from(value: Any) -> Any:
        if not isinstance(value, str):
            return None
        made = SecurityIdentifier.__new__(SecurityIdentifier)
        made.new(value)
        return made

    @ctor("(String)")
    def new(self, text: str) -> None:
        body = need(text, "sddlForm")
        body = acls.SDDL_SIDS.get(body.upper(), body)
        if not _SID.fullmatch(body) or body.count("-") < 2:
            raise argument("Value was invalid.", "sddlForm")
        self.value = body.upper()

    @ctor("(Byte[],Int32)")
    def new_bytes(self, data: Any, offset: int) -> None:
        body = bytes(need(data, "binaryForm"))[offset:]
        if len(body) < 8 or body[0] != 1 or len(body) < 8 + body[1] * 4:
            raise out_of_range("binaryForm", "Array size was not large enough.")
        authority = int.from_bytes(body[2:8], "big")
        parts = struct.unpack(f"<{body[1]}I", body[8 : 8 + body[1] * 4])
        self.value = "-".join(["S-1", str(authority), *map(str, parts)])

    @ctor("(Security.Principal.WellKnownSidType,Security.Principal.SecurityIdentifier)")
    def new_well_known(self, kind: EnumValue, domain: Any) -> None:
        found = _WELL_KNOWN.get(kind.name)
        if found is None:
            if kind.name.startswith("Account") and domain is not None:
                number = {"AccountAdministratorSid": 500, "AccountGuestSid": 501}.get(kind.name)
                if number is not None:
                    self.value = f"{domain.value}-{number}"
                    return
            raise LabUnsupported(f"the well-known SID {kind.name}")
        self.value = found

    def sid(self) -> str:
        return self.value

    def account(self) -> str:
        name = str(context.machine().accounts.name_of(self.value))
        if name.upper() == self.value.upper():
            raise not_mapped()
        return name

    @property
    def binary(self) -> bytes:
        _, _, authority, *parts = self.value.split("-")
        return (
            bytes([1, len(parts)])
            + int(authority).to_bytes(6, "big")
            + struct.pack(f"<{len(parts)}I", *map(int, parts))
        )

    @prop("BinaryLength : Int32 get")
    def binary_length(self) -> int:
        return len(self.binary)

    @prop("AccountDomainSid : Security.Principal.SecurityIdentifier get")
    def account_domain_sid(self) -> Any:
        return SecurityIdentifier(self.value.rpartition("-")[0]) if self.value.startswith("S-1-5-21-") else None

    @static_prop("MinBinaryLength : Int32")
    def min_binary_length() -> int:
        return 8

    @static_prop("MaxBinaryLength : Int32")
    def max_binary_length() -> int:
        return 68

    @method("GetBinaryForm(Byte[],Int32) : Void")
    def get_binary_form(self, target: Any, offset: int) -> None:
        target[offset : offset + len(self.binary)] = self.binary

    @method("IsAccountSid() : Boolean")
    def is_account_sid(self) -> bool:
        return self.value.startswith("S-1-5-21-") and self.value.count("-") == 7

    @method("IsWellKnown(Security.Principal.WellKnownSidType) : Boolean")
    def is_well_known(self, kind: EnumValue) -> bool:
        if kind.name == "AccountAdministratorSid":
            return self.is_account_sid() and self.value.endswith("-500")
        return _WELL_KNOWN.get(kind.name) == self.value

    @method("CompareTo(Security.Principal.SecurityIdentifier) : Int32")
    def compare_sid(self, other: SecurityIdentifier) -> int:
        return int(self.binary > other.binary) - int(self.binary < other.binary)

    @method("Equals(Security.Principal.SecurityIdentifier) : Boolean")
    def equals_sid(self, other: Any) -> bool:
        return self == other


_WELL_KNOWN = {
    "NullSid": "S-1-0-0",
    "WorldSid": "S-1-1-0",
    "LocalSid": "S-1-2-0",
    "CreatorOwnerSid": "S-1-3-0",
    "CreatorGroupSid": "S-1-3-1",
    "DialupSid": "S-1-5-1",
    "NetworkSid": "S-1-5-2",
    "BatchSid": "S-1-5-3",
    "InteractiveSid": "S-1-5-4",
    "ServiceSid": "S-1-5-6",
    "AnonymousSid": "S-1-5-7",
    "SelfSid": "S-1-5-10",
    "AuthenticatedUserSid": "S-1-5-11",
    "LocalSystemSid": "S-1-5-18",
    "LocalServiceSid": "S-1-5-19",
    "NetworkServiceSid": "S-1-5-20",
    "BuiltinAdministratorsSid": "S-1-5-32-544",
    "BuiltinUsersSid": "S-1-5-32-545",
    "BuiltinGuestsSid": "S-1-5-32-546",
    "BuiltinPowerUsersSid": "S-1-5-32-547",
    "BuiltinBackupOperatorsSid": "S-1-5-32-551",
    "BuiltinRemoteDesktopUsersSid": "S-1-5-32-555",
    "BuiltinNetworkConfigurationOperatorsSid": "S-1-5-32-556",
}


def identity_of(value: Any) -> IdentityReference:
    """An identity from a text (an account name) or an IdentityReference."""
    return value if isinstance(value, IdentityReference) else NTAccount(need(value, "identity"))


@net_type("System.Security.Claims.ClaimsIdentity")
class ClaimsIdentity(NetObject):
    pass


@net_type(f"{PRINCIPAL}.WindowsIdentity", interfaces=("IDisposable",))
class WindowsIdentity(ClaimsIdentity):
    def __init__(self, token: Any) -> None:
        self.token = token

    @overloads(f"{PRINCIPAL}.WindowsIdentity", "GetCurrent")
    def get_current(*arguments: Any) -> WindowsIdentity:
        user = context.user()
        return WindowsIdentity(user if user is not None else context.machine().accounts.system)

    @prop("Name : String get")
    def name(self) -> str:
        return str(self.token.name)

    @prop("User : Security.Principal.SecurityIdentifier get")
    def user(self) -> SecurityIdentifier:
        return SecurityIdentifier(self.token.sid)

    @prop("Owner : Security.Principal.SecurityIdentifier get")
    def owner(self) -> SecurityIdentifier:
        return SecurityIdentifier(acls.ADMINISTRATORS if self.token.elevated else self.token.sid)

    @prop("Groups : Security.Principal.IdentityReferenceCollection get")
    def groups(self) -> Any:
        items = [SecurityIdentifier(sid) for sid in sorted(self.token.groups) if not sid.startswith("S-1-16-")]
        return collection_of(f"{PRINCIPAL}.IdentityReference", items)

    @prop("IsSystem : Boolean get")
    def is_system(self) -> bool:
        return bool(self.token.is_system)

    @prop("IsAuthenticated : Boolean get")
    def is_authenticated(self) -> bool:
        return True

    @prop("IsAnonymous : Boolean get")
    def is_anonymous(self) -> bool:
        return self.token.sid == "S-1-5-7"

    @prop("IsGuest : Boolean get")
    def is_guest(self) -> bool:
        return bool("S-1-5-32-546" in self.token.groups)

    @prop("AuthenticationType : String get")
    def authentication_type(self) -> str:
        return "NTLM" if self.token.logon_type == "network" else "Negotiate"

    @prop("ImpersonationLevel : Security.Principal.TokenImpersonationLevel get")
    def impersonation_level(self) -> str:
        return "None"

    @prop("Token : IntPtr get")
    def handle(self) -> IntPtr:
        return IntPtr(0x2A4)

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


@net_type("System.Security.Claims.ClaimsPrincipal")
class ClaimsPrincipal(NetObject):
    pass


@net_type(f"{PRINCIPAL}.WindowsPrincipal")
class WindowsPrincipal(ClaimsPrincipal):
    @staticmethod
    def convert_from(value: Any) -> Any:
        if isinstance(value, WindowsIdentity):
            made = WindowsPrincipal()
            made.own_identity = value
            return made
        return None

    own_identity: WindowsIdentity

    @ctor("(Security.Principal.WindowsIdentity)")
    def new(self, identity: WindowsIdentity) -> None:
        self.own_identity = need(identity, "ntIdentity")

    @prop("Identity : Security.Principal.IIdentity get")
    def identity(self) -> WindowsIdentity:
        return self.own_identity

    def _holds(self, sid: str) -> bool:
        token = self.own_identity.token
        if sid == acls.ADMINISTRATORS:
            return bool(token.elevated or token.is_system)
        return sid in token.sids

    @method("IsInRole(Security.Principal.WindowsBuiltInRole) : Boolean")
    def is_in_built_in_role(self, role: EnumValue) -> bool:
        return self._holds(f"S-1-5-32-{role.value}")

    @method("IsInRole(Int32) : Boolean")
    def is_in_rid(self, rid: int) -> bool:
        return self._holds(f"S-1-5-32-{rid}")

    @method("IsInRole(String) : Boolean")
    def is_in_role(self, role: str) -> bool:
        if not role:
            return False
        try:
            return self._holds(str(context.machine().accounts.sid_of(role)))
        except WindowsError:
            return False

    @method("IsInRole(Security.Principal.SecurityIdentifier) : Boolean")
    def is_in_sid(self, sid: SecurityIdentifier) -> bool:
        return self._holds(need(sid, "sid").value)


# ------------------------------------------------------------------------------------------------------------ access rules


@net_type(f"{ACCESS}.AuthorizationRule")
class AuthorizationRule(NetObject):
    identity: IdentityReference
    ace: Ace

    @prop("IdentityReference : Security.Principal.IdentityReference get")
    def identity_reference(self) -> IdentityReference:
        return self.identity

    @prop("InheritanceFlags : Security.AccessControl.InheritanceFlags get")
    def inheritance_flags(self) -> int:
        return (1 if self.ace.container_inherit else 0) | (2 if self.ace.object_inherit else 0)

    @prop("PropagationFlags : Security.AccessControl.PropagationFlags get")
    def propagation_flags(self) -> int:
        return (1 if self.ace.no_propagate else 0) | (2 if self.ace.inherit_only else 0)

    @prop("IsInherited : Boolean get")
    def is_inherited(self) -> bool:
        return self.ace.inherited


@net_type(f"{ACCESS}.AccessRule")
class AccessRule(AuthorizationRule):
    @prop("AccessControlType : Security.AccessControl.AccessControlType get")
    def access_control_type(self) -> int:
        return 0 if self.ace.allow else 1


@net_type(f"{ACCESS}.FileSystemAccessRule")
class FileSystemAccessRule(AccessRule):
    def __init__(self, identity: IdentityReference, ace: Ace) -> None:
        self.identity, self.ace = identity, ace

    @overloads(f"{ACCESS}.FileSystemAccessRule", ".ctor")
    def new(self, identity: Any, rights: EnumValue, *arguments: EnumValue) -> None:
        inheritance, propagation = (0, 0) if len(arguments) == 1 else (arguments[0].value, arguments[1].value)
        allow = arguments[-1].value == 0
        if rights.value & ~0x1F01FF and not rights.value & 0xF0000000:
            raise out_of_range(
                "fileSystemRights",
                f"The value '{rights.name}' is not valid for this usage of the type FileSystemRights.",
            )
        self.identity = identity_of(identity)
        # the constructor adds Synchronize to what is allowed, and takes it from what is denied
        mask = rights.value | acls.SYNCHRONIZE if allow else rights.value
        if not allow and rights.value != acls.FULL_CONTROL and rights.value != (acls.FULL_CONTROL & ~acls.DELETE_CHILD):
            mask &= ~acls.SYNCHRONIZE
        self.ace = Ace(
            "",
            mask,
            allow,
            object_inherit=bool(inheritance & 2),
            container_inherit=bool(inheritance & 1),
            no_propagate=bool(propagation & 1) and bool(inheritance),
            inherit_only=bool(propagation & 2) and bool(inheritance),
        )

    @prop("FileSystemRights : Security.AccessControl.FileSystemRights get")
    def file_system_rights(self) -> int:
        mask = self.ace.mask
        return mask - (1 << 32) if mask & 0x80000000 else mask

    def resolved(self) -> Ace:
        """The entry with the SID of its identity; IdentityNotMappedException when there is none."""
        return replace(self.ace, sid=self.identity.sid())


@net_type(f"{ACCESS}.AuthorizationRuleCollection", interfaces=("Collections.ICollection",))
class AuthorizationRuleCollection(NetObject):
    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : Security.AccessControl.AuthorizationRule")
    def item(self, index: int) -> Any:
        if not 0 <= index < len(self.items):
            raise out_of_range(
                "index", "Index was out of range. Must be non-negative and less than the size of the collection."
            )
        return self.items[index]

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self.items)


def account_or_sid(sid: str) -> IdentityReference:
    """The account of a SID, the SID itself where no account belongs to it."""
    identity = SecurityIdentifier(sid)
    try:
        return NTAccount(identity.account())
    except NetException:
        return identity


@net_type(f"{ACCESS}.ObjectSecurity")
class ObjectSecurity(NetObject):
    """A security descriptor. `acl` is the model's; nothing reaches the file before it is written with Set-Acl or SetAccessControl."""

    acl: Acl
    is_container = False
    path: str | None = None
    owner_changed = False
    dacl_changed = False

    def setup(self, acl: Acl | None = None, path: str | None = None) -> None:
        self.acl = acl if acl is not None else Acl(owner="", aces=())
        self.path = path
        self.owner_changed = self.dacl_changed = False

    @prop("AreAccessRulesProtected : Boolean get")
    def are_access_rules_protected(self) -> bool:
        return self.acl.protected

    @prop("AreAccessRulesCanonical : Boolean get")
    def are_access_rules_canonical(self) -> bool:
        return self.acl.canonical().aces == self.acl.aces

    @prop("AreAuditRulesProtected : Boolean get")
    def are_audit_rules_protected(self) -> bool:
        return False

    @prop("AreAuditRulesCanonical : Boolean get")
    def are_audit_rules_canonical(self) -> bool:
        return True

    @method("GetOwner(Type) : Security.Principal.IdentityReference")
    def get_owner(self, kind: NetType) -> Any:
        return SecurityIdentifier(self.acl.owner).translate(kind) if self.acl.owner else None

    @method("GetGroup(Type) : Security.Principal.IdentityReference")
    def get_group(self, kind: NetType) -> Any:
        return SecurityIdentifier(self.acl.group).translate(kind)

    @method("SetOwner(Security.Principal.IdentityReference) : Void")
    def set_owner(self, identity: IdentityReference) -> None:
        self.acl = replace(self.acl, owner=need(identity, "identity").sid())
        self.owner_changed = True

    @method("SetGroup(Security.Principal.IdentityReference) : Void")
    def set_group(self, identity: IdentityReference) -> None:
        self.acl = replace(self.acl, group=need(identity, "identity").sid())

    @method("SetAccessRuleProtection(Boolean,Boolean) : Void")
    def set_access_rule_protection(self, protect: bool, keep: bool) -> None:
        self.dacl_changed = True
        if not protect:
            self.acl = replace(self.acl, protected=False)
            return
        inherited = tuple(replace(ace, inherited=False) for ace in self.acl.inherited) if keep else ()
        self.acl = replace(self.acl, protected=True, aces=(*self.acl.explicit, *inherited)).canonical()

    @method("PurgeAccessRules(Security.Principal.IdentityReference) : Void")
    def purge_access_rules(self, identity: IdentityReference) -> None:
        sid = need(identity, "identity").sid()
        self.change(tuple(ace for ace in self.acl.aces if ace.inherited or ace.sid != sid))

    def change(self, aces: tuple[Ace, ...]) -> None:
        self.acl = replace(self.acl, aces=aces).canonical()
        self.dacl_changed = True

    @method("GetSecurityDescriptorSddlForm(Security.AccessControl.AccessControlSections) : String")
    def get_sddl(self, sections: EnumValue) -> str:
        text = self.acl.to_sddl()
        found = re.match(r"(O:.*?)(G:.*?)(D:.*)", text)
        if found is None:
            return text
        owner, group, dacl = found.groups()
        flags = sections.value
        return (owner if flags & 4 else "") + (group if flags & 8 else "") + (dacl if flags & 2 else "")

    @method("SetSecurityDescriptorSddlForm(String) : Void")
    @method("SetSecurityDescriptorSddlForm(String,Security.AccessControl.AccessControlSections) : Void")
    def set_sddl(self, text: str, sections: EnumValue | None = None) -> None:
        try:
            made = Acl.from_sddl(need(text, "sddlForm"), self.acl.owner or acls.ADMINISTRATORS, self.acl.group)
        except ValueError:
            raise argument("The SDDL form of a security descriptor object is invalid.", "sddlForm") from None
        flags = sections.value if sections is not None else 15
        if flags & 4 and "O:" in text:
            self.acl = replace(self.acl, owner=made.owner)
            self.owner_changed = True
        if flags & 2 and "D:" in text:
            self.acl = replace(self.acl, aces=made.aces, protected=made.protected)
            self.dacl_changed = True

    @prop("AccessRightType : Type get")
    def access_right_type(self) -> NetType:
        return get_type(f"{ACCESS}.FileSystemRights")

    @prop("AccessRuleType : Type get")
    def access_rule_type(self) -> NetType:
        return get_type(f"{ACCESS}.FileSystemAccessRule")


@net_type(f"{ACCESS}.CommonObjectSecurity")
class CommonObjectSecurity(ObjectSecurity):
    @method("GetAccessRules(Boolean,Boolean,Type) : Security.AccessControl.AuthorizationRuleCollection")
    def get_access_rules(self, explicit: bool, inherited: bool, kind: NetType) -> AuthorizationRuleCollection:
        rules: list[Any] = []
        for ace in self.acl.aces:
            if (ace.inherited and not inherited) or (not ace.inherited and not explicit):
                continue
            identity = account_or_sid(ace.sid) if kind.full_name.endswith("NTAccount") else SecurityIdentifier(ace.sid)
            rules.append(FileSystemAccessRule(identity, ace))
        return AuthorizationRuleCollection(rules)


@net_type(f"{ACCESS}.NativeObjectSecurity")
class NativeObjectSecurity(CommonObjectSecurity):
    pass


_INHERITANCE = 0x3 | 0x4 | 0x8


@net_type(f"{ACCESS}.FileSystemSecurity")
class FileSystemSecurity(NativeObjectSecurity):
    def own(self, rule: FileSystemAccessRule) -> Ace:
        # an inherited rule that is put into another list becomes one of that list's own
        ace = replace(need(rule, "rule").resolved(), inherited=False)
        if not self.is_container and ace.inherits:
            raise argument("No flags can be set.", "inheritanceFlags")
        return ace

    @method("AddAccessRule(Security.AccessControl.FileSystemAccessRule) : Void")
    def add_access_rule(self, rule: FileSystemAccessRule) -> None:
        """Rights are merged into an explicit entry of the same kind and inheritance."""
        ace = self.own(rule)
        aces = list(self.acl.aces)
        for index, item in enumerate(aces):
            if _alike(item, ace):
                aces[index] = replace(item, mask=item.mask | ace.mask)
                self.change(tuple(aces))
                return
        self.change((*aces, ace))

    @method("SetAccessRule(Security.AccessControl.FileSystemAccessRule) : Void")
    def set_access_rule(self, rule: FileSystemAccessRule) -> None:
        ace = self.own(rule)
        kept = tuple(item for item in self.acl.aces if item.inherited or item.sid != ace.sid or item.allow != ace.allow)
        self.change((*kept, ace))

    @method("ResetAccessRule(Security.AccessControl.FileSystemAccessRule) : Void")
    def reset_access_rule(self, rule: FileSystemAccessRule) -> None:
        ace = self.own(rule)
        self.change((*(item for item in self.acl.aces if item.inherited or item.sid != ace.sid), ace))

    @method("RemoveAccessRule(Security.AccessControl.FileSystemAccessRule) : Boolean")
    def remove_access_rule(self, rule: FileSystemAccessRule) -> bool:
        ace = self.own(rule)
        # Synchronize stays with what remains, unless everything is taken away
        mask = (
            ace.mask
            if ace.mask & ~acls.SYNCHRONIZE == acls.FULL_CONTROL & ~acls.SYNCHRONIZE
            else ace.mask & ~acls.SYNCHRONIZE
        )
        aces: list[Ace] = []
        for item in self.acl.aces:
            if (
                item.inherited
                or item.sid != ace.sid
                or item.allow != ace.allow
                or item.flags & _INHERITANCE != ace.flags & _INHERITANCE
            ):
                aces.append(item)
                continue
            left = item.mask & ~mask
            if left & ~acls.SYNCHRONIZE:
                aces.append(replace(item, mask=left))
        self.change(tuple(aces))
        return True

    @method("RemoveAccessRuleAll(Security.AccessControl.FileSystemAccessRule) : Void")
    def remove_access_rule_all(self, rule: FileSystemAccessRule) -> None:
        ace = self.own(rule)
        self.change(
            tuple(item for item in self.acl.aces if item.inherited or item.sid != ace.sid or item.allow != ace.allow)
        )

    @method("RemoveAccessRuleSpecific(Security.AccessControl.FileSystemAccessRule) : Void")
    def remove_access_rule_specific(self, rule: FileSystemAccessRule) -> None:
        ace = self.own(rule)
        self.change(
            tuple(item for item in self.acl.aces if item.inherited or item.mask != ace.mask or not _alike(item, ace))
        )

    def write(self, path: str) -> None:
        """Give a file or folder this descriptor: the owner and the entries that were changed."""
        server, user = context.machine().fs, context.user()
        try:
            current = server.get_acl(path)
            wanted = current
            if self.dacl_changed or self.path is None or self.path.lower() != path.lower():
                own = tuple(ace for ace in self.acl.aces if not ace.inherited)
                if self.acl.protected:
                    wanted = replace(wanted, aces=own, protected=True)
                else:
                    parent = paths.directory_name(path)
                    inherited = current.inherited
                    if current.protected and parent is not None:
                        inherited = acls.inherit(server.get_acl(parent).aces, server.is_dir(path), wanted.owner)
                    wanted = replace(wanted, aces=(*own, *inherited), protected=False)
            if self.owner_changed and self.acl.owner:
                wanted = replace(wanted, owner=self.acl.owner)
            if wanted != current:
                server.set_acl(path, wanted.canonical(), user)
        except WindowsError as error:
            if error.code == 5:
                raise NetException(
                    "System.UnauthorizedAccessException", "Attempted to perform an unauthorized operation."
                ) from None
            if error.code == 1307:
                raise NetException(
                    "System.InvalidOperationException",
                    "The security identifier is not allowed to be the owner of this object.",
                ) from None
            raise path_error(error, path) from None
        self.dacl_changed = self.owner_changed = False


def _alike(item: Ace, ace: Ace) -> bool:
    return not item.inherited and item.sid == ace.sid and item.allow == ace.allow and item.flags == ace.flags


def _read(path: str) -> Acl:
    try:
        return context.machine().fs.get_acl(path, context.user())
    except WindowsError as error:
        if error.code == 5:
            raise NetException(
                "System.UnauthorizedAccessException", "Attempted to perform an unauthorized operation."
            ) from None
        raise path_error(error, path) from None


@net_type(f"{ACCESS}.FileSecurity")
class FileSecurity(FileSystemSecurity):
    @staticmethod
    def of_path(path: str) -> FileSecurity:
        made = FileSecurity()
        made.setup(_read(path), path)
        return made

    @ctor("()")
    def new(self) -> None:
        self.setup()

    @ctor("(String,Security.AccessControl.AccessControlSections)")
    def new_path(self, path: str, sections: EnumValue) -> None:
        full = paths.full_path(path)
        self.setup(_read(full), full)


@net_type(f"{ACCESS}.DirectorySecurity")
class DirectorySecurity(FileSystemSecurity):
    is_container = True

    @staticmethod
    def of_path(path: str) -> DirectorySecurity:
        made = DirectorySecurity()
        made.setup(_read(path), path)
        return made

    @ctor("()")
    def new(self) -> None:
        self.setup()

    @ctor("(String,Security.AccessControl.AccessControlSections)")
    def new_path(self, path: str, sections: EnumValue) -> None:
        full = paths.full_path(path)
        self.setup(_read(full), full)


def security_of(path: str) -> Any:
    """The FileSecurity or DirectorySecurity of a full path."""
    return DirectorySecurity.of_path(path) if context.machine().fs.is_dir(path) else FileSecurity.of_path(path)
