"""Logging on to a simulated server over the network: its accounts, tokens, environments and processes as WinRM uses them."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spnego._ntlm_raw.crypto import ntowfv1

from winlab.windows import acl
from winlab.windows.errors import WindowsError
from winlab.windows.processes import Console, Job
from winlab.winrm.auth import Identity
from winlab.winrm.shell import Command

if TYPE_CHECKING:
    from winlab.windows.accounts import Token
    from winlab.windows.machine import Machine

_POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_MEDIUM, _HIGH = "S-1-16-8192", "S-1-16-12288"


class MachineLogon:
    """A machine as WinRM sees it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    # -- accounts -----------------------------------------------------------------------------------------------------------------

    def _account(self, domain: str, user: str) -> tuple[str, dict[str, Any]] | None:
        """A local account that may log on over the network.

        A server in a workgroup knows no other authority: whatever domain a client names, the local accounts are asked.
        An account without a password may not come over the network (policy LimitBlankPasswordUse).
        """
        found = self.machine.accounts.find_user(user)
        if found is None or "\\" in user or not found[1].get("enabled", True) or not found[1].get("password"):
            return None
        return found

    def nt_hash(self, domain: str, user: str) -> tuple[str, bytes] | None:
        """Stored name and NT hash of an account; None when there is none that may log on."""
        found = self._account(domain, user)
        return None if found is None else (found[0], ntowfv1(found[1]["password"]))

    def check_password(self, domain: str, user: str, password: str) -> str | None:
        """The stored name when the password is right."""
        found = self._account(domain, user)
        if found is None or not hmac.compare_digest(found[1]["password"].encode(), password.encode()):
            return None
        return found[0]

    def token(self, identity: Identity) -> Token:
        """The token of a network logon: administrators other than the built-in one get it filtered unless
        LocalAccountTokenFilterPolicy is 1."""
        try:
            token = self.machine.accounts.token(identity.name)
        except WindowsError:  # removed since it logged on
            return self.machine.accounts.token("Guest")
        if token.elevated and not token.sid.endswith("-500") and not self._keeps_full_tokens():
            groups = (token.groups - {acl.ADMINISTRATORS, "S-1-5-114", _HIGH}) | {_MEDIUM}
            token = replace(token, elevated=False, groups=frozenset(groups))
        return token

    def _keeps_full_tokens(self) -> bool:
        try:
            value = self.machine.registry.open(_POLICIES).get("LocalAccountTokenFilterPolicy")
        except (WindowsError, KeyError):
            return False
        return value == 1

    # -- processes ----------------------------------------------------------------------------------------------------------------

    def environment(self, token: Token, profile: bool) -> dict[str, str]:
        """The environment block of a fresh logon; without a profile that of the default one, as WINRS_NOPROFILE gives."""
        block = dict(self.machine.environment_for(token))
        if not profile:
            default = {"USERPROFILE": r"C:\Users\Default", "TEMP": r"C:\Windows\TEMP", "TMP": r"C:\Windows\TEMP"}
            block = {name: value for name, value in block.items() if name.upper() not in ("APPDATA", "LOCALAPPDATA")}
            block = _merged(block, default)
        return block

    def directory(self, token: Token, profile: bool) -> str:
        """Where a fresh logon stands: in its profile, which the first logon creates."""
        if not profile:
            return r"C:\Windows"
        return self.machine.profile_of(token)

    def start(
        self,
        command_line: str,
        *,
        image: str | None,
        cwd: str,
        env: dict[str, str],
        token: Token,
        command: Command,
        codepage: int,
    ) -> Any:
        """Starts a process of a shell, in a job of its own. WindowsError when Windows would not."""
        command.job = Job()
        console = Console(codepage)
        console.stdin_is_console = command.console  # type: ignore[attr-defined]
        return self.machine.processes.start(
            command_line,
            image=image,
            cwd=cwd,
            env=env,
            user=token,
            stdin=command.stdin,
            stdout=command.stdout,
            stderr=command.stderr,
            job=command.job,
            console=console,
        )


def _merged(block: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    names = {name.lower(): name for name in block}
    for name, value in more.items():
        block[names.get(name.lower(), name)] = value
    return block
