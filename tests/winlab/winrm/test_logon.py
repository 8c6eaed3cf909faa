"""Who may log on over the network, and as what, on a simulated server."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import spnego
from spnego.exceptions import NegotiateOptions

from winlab.windows.machine import Machine
from winlab.winrm.auth import AuthenticationFailed, Identity, NtlmExchange, basic_credentials, claimed_account
from winlab.winrm.logon import MachineLogon

POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine("SRV1", "2022", "127.0.0.1", tmp_path)
    accounts = made.accounts
    accounts.add_user("deployer", "Deploy!1")
    accounts.add_member("Administrators", "deployer")
    accounts.add_user("reader", "Reader!1")
    accounts.add_user("blank", "")
    accounts.add_user("gone", "Gone!1")
    accounts.users["gone"]["enabled"] = False
    return made


def log_on(logon: MachineLogon, user: str, password: str) -> str:
    """The name that a client gets in as, by NTLM."""
    client = spnego.client(user, password, protocol="ntlm", options=NegotiateOptions.wrapping_winrm)
    server = NtlmExchange(logon)
    token = client.step()
    while token is not None:
        answer = server.step(token)
        token = None if server.complete else client.step(answer)
    assert server.identity is not None
    return server.identity.name


@pytest.mark.parametrize("user", ["deployer", "DEPLOYER", "SRV1\\Deployer", ".\\deployer", "ANYWHERE\\deployer"])
def test_accounts_by_any_domain_name(machine: Machine, user: str) -> None:
    logon = MachineLogon(machine)
    assert log_on(logon, user, "Deploy!1") == "deployer"
    assert logon.check_password("", user.rpartition("\\")[2], "Deploy!1") == "deployer"


@pytest.mark.parametrize(
    ("user", "password"),
    [("deployer", "wrong"), ("nobody", "x"), ("gone", "Gone!1"), ("deployer@srv1", "Deploy!1"), ("blank", " ")],
)
def test_refused(machine: Machine, user: str, password: str) -> None:
    with pytest.raises(AuthenticationFailed):
        log_on(MachineLogon(machine), user, password)


def test_an_account_without_a_password_stays_outside(machine: Machine) -> None:
    assert MachineLogon(machine).nt_hash("", "blank") is None
    assert MachineLogon(machine).check_password("", "blank", "") is None


def test_only_the_built_in_administrator_keeps_a_full_token(machine: Machine) -> None:
    logon = MachineLogon(machine)
    assert logon.token(Identity("Administrator")).elevated
    assert not logon.token(Identity("reader")).elevated
    filtered = logon.token(Identity("deployer"))
    assert not filtered.elevated and "S-1-5-32-544" not in filtered.groups

    machine.registry.create(POLICIES).set("LocalAccountTokenFilterPolicy", 1)
    assert logon.token(Identity("deployer")).elevated
    assert not logon.token(Identity("reader")).elevated
    machine.registry.open(POLICIES).set("LocalAccountTokenFilterPolicy", 0)
    assert not logon.token(Identity("deployer")).elevated


def test_an_account_that_was_removed_meanwhile_may_nothing(machine: Machine) -> None:
    machine.accounts.remove_user("deployer")
    assert not MachineLogon(machine).token(Identity("deployer")).elevated


def test_environment_with_and_without_a_profile(machine: Machine) -> None:
    logon = MachineLogon(machine)
    token = logon.token(Identity("Administrator"))
    full = {name.upper(): value for name, value in logon.environment(token, True).items()}
    assert full["USERPROFILE"] == r"C:\Users\Administrator" and full["USERNAME"] == "Administrator"
    assert full["APPDATA"].startswith(full["USERPROFILE"])
    bare = {name.upper(): value for name, value in logon.environment(token, False).items()}
    assert bare["USERPROFILE"] == r"C:\Users\Default" and bare["TEMP"] == r"C:\Windows\TEMP"
    assert "APPDATA" not in bare
    assert machine.fs.is_dir(logon.directory(token, True)) and machine.fs.is_dir(logon.directory(token, False))


def test_claims_are_read_from_the_token() -> None:
    assert claimed_account(b"NTLMSSP\x00\x01\x00\x00\x00") is None
    assert claimed_account(b"NTLMSSP\x00\x03\x00\x00\x00short") is None
    assert claimed_account(b"") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("user:pa:ss", ("", "user", "pa:ss")), ("SRV1\\user:", ("SRV1", "user", "")), ("ü:ö", ("", "ü", "ö"))],
)
def test_basic_header(text: str, expected: tuple[str, str, str]) -> None:
    assert basic_credentials("Basic " + base64.b64encode(text.encode()).decode()) == expected


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic " + base64.b64encode(b"nocolon").decode()])
def test_broken_basic_header(header: str) -> None:
    with pytest.raises(AuthenticationFailed):
        basic_credentials(header)
