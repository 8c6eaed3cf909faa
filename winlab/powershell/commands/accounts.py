"""Microsoft.PowerShell.LocalAccounts: what changes local users and groups, and their members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from winlab.powershell.commands.core import SetInfo, cmdlet, parameter, switch
from winlab.powershell.commands.windows import LOCAL_ACCOUNTS, _AccountsCmdlet
from winlab.powershell.dotnet.access import SecurityIdentifier
from winlab.powershell.objects import PSCustomObject, PSObject, unwrap
from winlab.powershell.runtime.wildcard import wildcard
from winlab.windows.errors import WindowsError

SPACE = "Microsoft.PowerShell.Commands"


def _note(value: Any, name: str) -> Any:
    found = value.get_note(name) if hasattr(value, "get_note") else None
    return str(unwrap(found)) if found is not None else None


class _Accounts(_AccountsCmdlet):
    """Named users and groups, and the module's errors."""

    def fail(self, name: str, message: str, category: str, target: Any) -> None:
        """The module's error `<name>Exception`."""
        self.write_error(self.error(f"{SPACE}.{name}Exception", message, name, category, target))

    def allowed(self, target: str) -> bool:
        if self.user is None or self.user.elevated or self.user.is_system:
            return True
        self.fail("AccessDenied", "Access denied.", "PermissionDenied", target)
        return False

    def named(self, kind: str) -> Iterator[str]:
        """The stored names that -Name, -SID or -InputObject give; errors for those that are not there."""
        accounts = self.machine.accounts
        find = accounts.find_user if kind == "User" else accounts.find_group
        given: list[str] = []
        for attribute in ("name", "group", "input_object"):
            value = getattr(self, attribute, None)
            if value is None:
                continue
            for item in value if isinstance(value, (list, tuple)) else [value]:
                own = item if isinstance(item, PSObject) else unwrap(item)
                given.append(own if isinstance(own, str) else _note(own, "Name") or str(own))
        for name in given:
            found = find(name)
            if found is None:
                self.missing(kind, name)
            else:
                yield found[0]
        sids = getattr(self, "sid", None)
        for sid in sids if isinstance(sids, (list, tuple)) else [] if sids is None else [sids]:
            short = accounts.name_of(str(unwrap(sid))).rpartition("\\")[2]
            found = find(short)
            if found is None:
                self.missing(kind, str(unwrap(sid)))
            else:
                yield found[0]


def _input(kind: str) -> parameter:
    return parameter(
        "InputObject",
        kind,
        roles={"InputObject": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)},
    )


def _name(kind: str = "String[]", set_name: str = "Default", by_name: bool = True) -> parameter:
    return parameter(
        "Name", kind, roles={set_name: SetInfo(position=0, mandatory=True, pipeline=True, by_name=by_name)}
    )


def _sid(kind: str = "Object[]") -> parameter:
    return parameter(
        "SID", kind, roles={"SecurityIdentifier": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)}
    )


@cmdlet("New-LocalUser", module=LOCAL_ACCOUNTS, default_set="Password", should_process=True)
class NewLocalUser(_Accounts):
    """Makes a local user."""

    name = parameter("Name", "String", position=0, mandatory=True, pipeline=True, by_name=True)
    password = parameter("Password", "Security.SecureString", mandatory=True, by_name=True, sets=("Password",))
    no_password = switch("NoPassword", sets=("NoPassword",))
    description = parameter("Description", "String", by_name=True, default="")
    full_name = parameter("FullName", "String", by_name=True, default="")
    disabled = switch("Disabled")
    never_expires = switch("AccountNeverExpires")
    password_never_expires = switch("PasswordNeverExpires", sets=("Password",))
    may_not_change = switch("UserMayNotChangePassword")

    def process(self) -> None:
        name = self.name
        if not self.should_process(name, "Create new local user") or not self.allowed(name):
            return
        try:
            self.machine.accounts.add_user(
                name,
                self.password.text if self.password is not None else "",
                self.description or "",
                full_name=self.full_name or "",
                password_never_expires=bool(self.password_never_expires),
                user_may_not_change_password=bool(self.may_not_change),
            )
        except WindowsError as error:
            if error.code == 2202:
                self.fail(
                    "InvalidName",
                    f"The name {name} is invalid.",
                    "InvalidArgument",
                    name,
                )
            elif self.machine.accounts.find_user(name):
                self.fail("UserExists", f"User {name} already exists.", "ResourceExists", name)
            else:
                self.fail("NameInUse", f"The name {name} is already in use.", "InvalidArgument", name)
            return
        stored, record = self.machine.accounts.find_user(name)
        if self.disabled:
            record["enabled"] = False
            self.machine.accounts.save()
        self.write(self.user_object(stored, record))


@cmdlet("Set-LocalUser", module=LOCAL_ACCOUNTS, default_set="Name", should_process=True)
class SetLocalUser(_Accounts):
    """Changes a local user."""

    name = _name("String", "Name")
    input_object = _input("Object")
    sid = _sid("Object")
    password = parameter("Password", "Security.SecureString")
    description = parameter("Description", "String")
    full_name = parameter("FullName", "String")
    never_expires = switch("AccountNeverExpires")
    password_never_expires = parameter("PasswordNeverExpires", "Boolean")
    may_change = parameter("UserMayChangePassword", "Boolean")

    def process(self) -> None:
        for name in self.named("User"):
            if not self.should_process(name, "Modify local user") or not self.allowed(name):
                continue
            record = self.machine.accounts.users[name]
            if self.password is not None:
                record["password"] = self.password.text
            if "description" in self.bound:
                record["description"] = self.description or ""
            if "fullname" in self.bound:
                record["full_name"] = self.full_name or ""
            if self.password_never_expires is not None:
                record["password_never_expires"] = bool(self.password_never_expires)
            if self.may_change is not None:
                record["user_may_not_change_password"] = not self.may_change
            self.machine.accounts.save()


class _UserSwitch(_Accounts):
    name = _name()
    input_object = _input("Object[]")
    sid = _sid()
    state = True
    action = ""

    def process(self) -> None:
        for name in self.named("User"):
            if self.should_process(name, self.action) and self.allowed(name):
                self.machine.accounts.users[name]["enabled"] = self.state
                self.machine.accounts.save()


@cmdlet("Enable-LocalUser", module=LOCAL_ACCOUNTS, default_set="Default", should_process=True)
class EnableLocalUser(_UserSwitch):
    """Enables local users."""

    action = "Enable local user"


@cmdlet("Disable-LocalUser", module=LOCAL_ACCOUNTS, default_set="Default", should_process=True)
class DisableLocalUser(_UserSwitch):
    """Disables local users."""

    state = False
    action = "Disable local user"


@cmdlet("Remove-LocalUser", module=LOCAL_ACCOUNTS, default_set="Default", should_process=True)
class RemoveLocalUser(_Accounts):
    """Removes local users."""

    name = _name()
    input_object = _input("Object[]")
    sid = _sid()

    def process(self) -> None:
        for name in list(self.named("User")):
            if self.should_process(name, "Remove local user") and self.allowed(name):
                self.machine.accounts.remove_user(name)


@cmdlet("New-LocalGroup", module=LOCAL_ACCOUNTS, should_process=True)
class NewLocalGroup(_Accounts):
    """Makes a local group."""

    name = parameter("Name", "String", position=0, mandatory=True, pipeline=True, by_name=True)
    description = parameter("Description", "String", by_name=True, default="")

    def process(self) -> None:
        name = self.name
        if not self.should_process(name, "Create new local group") or not self.allowed(name):
            return
        try:
            self.machine.accounts.add_group(name, self.description or "")
        except WindowsError as error:
            if error.code == 2202:
                self.fail("InvalidName", f"The name {name} is invalid.", "InvalidArgument", name)
            elif self.machine.accounts.find_group(name):
                self.fail("GroupExists", f"Group {name} already exists.", "ResourceExists", name)
            else:
                self.fail("NameInUse", f"The name {name} is already in use.", "InvalidArgument", name)
            return
        self.write(self.group_object(*self.machine.accounts.find_group(name)))


@cmdlet("Remove-LocalGroup", module=LOCAL_ACCOUNTS, default_set="Default", should_process=True)
class RemoveLocalGroup(_Accounts):
    """Removes local groups."""

    name = _name()
    input_object = _input("Object[]")
    sid = _sid()

    def process(self) -> None:
        for name in list(self.named("Group")):
            if not self.should_process(name, "Remove local group") or not self.allowed(name):
                continue
            try:
                self.machine.accounts.remove_group(name)
            except WindowsError as error:
                self.fail("InvalidOperation", error.message, "InvalidOperation", name)


class _GroupCmdlet(_Accounts):
    name = _name("String", "Default")
    group = parameter(
        "Group", "Object", roles={"Group": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)}
    )
    sid = _sid("Object")


class _MembersCmdlet(_GroupCmdlet):
    member = parameter("Member", "Object[]", position=1, mandatory=True, pipeline=True, by_name=True)
    name = _name("String", "Default", by_name=False)
    action = ""

    def process(self) -> None:
        accounts = self.machine.accounts
        for group in self.named("Group"):
            for given in self.member or ():
                own = given if isinstance(given, PSObject) else unwrap(given)
                text = own if isinstance(own, str) else _note(own, "SID") or str(own)
                try:
                    sid = accounts.sid_of(text)
                except WindowsError:
                    self.fail("PrincipalNotFound", f"Principal {text} was not found.", "ObjectNotFound", text)
                    continue
                if not self.should_process(f"{accounts.name_of(sid)}", self.action) or not self.allowed(group):
                    continue
                self.change_member(group, sid, text)

    def change_member(self, group: str, sid: str, text: str) -> None:
        raise NotImplementedError


@cmdlet("Add-LocalGroupMember", module=LOCAL_ACCOUNTS, default_set="Group", should_process=True)
class AddLocalGroupMember(_MembersCmdlet):
    """Puts accounts into a local group."""

    action = "Add member"

    def change_member(self, group: str, sid: str, text: str) -> None:
        try:
            self.machine.accounts.add_member(group, sid)
        except WindowsError:
            name = self.machine.accounts.name_of(sid)
            self.fail("MemberExists", f"{name} is already a member of group {group}.", "ResourceExists", group)


@cmdlet("Remove-LocalGroupMember", module=LOCAL_ACCOUNTS, default_set="Group", should_process=True)
class RemoveLocalGroupMember(_MembersCmdlet):
    """Takes accounts out of a local group."""

    action = "Remove member"

    def change_member(self, group: str, sid: str, text: str) -> None:
        try:
            self.machine.accounts.remove_member(group, sid)
        except WindowsError:
            self.fail("MemberNotFound", f"Member {text} was not found in group {group}.", "ObjectNotFound", group)


@cmdlet("Get-LocalGroupMember", module=LOCAL_ACCOUNTS, default_set="Default")
class GetLocalGroupMember(_GroupCmdlet):
    """The members of a local group."""

    member = parameter("Member", "String", position=1)

    def process(self) -> None:
        accounts = self.machine.accounts
        for group in self.named("Group"):
            shown = [(accounts.name_of(sid), sid) for sid in accounts.groups[group]["members"]]
            if self.member:
                wanted = self.member.lower()
                matches = wildcard(self.member)
                shown = [
                    (name, sid)
                    for name, sid in shown
                    if matches(name) or matches(name.rpartition("\\")[2]) or sid.lower() == wanted
                ]
                if not shown and not any(char in self.member for char in "*?["):
                    self.fail(
                        "MemberNotFound",
                        f"Member {self.member} was not found in group {group}.",
                        "ObjectNotFound",
                        self.member,
                    )
            for name, sid in sorted(shown, key=lambda item: item[0].lower()):
                local = sid.startswith(accounts.machine_sid)
                is_user = local and accounts.find_user(name) is not None
                self.write(
                    PSCustomObject.of(
                        {
                            "Name": name,
                            "SID": SecurityIdentifier(sid),
                            "PrincipalSource": "Local" if local else "Unknown",
                            "ObjectClass": "User" if is_user else "Group",
                        },
                        "Microsoft.PowerShell.Commands.LocalPrincipal",
                    )
                )
