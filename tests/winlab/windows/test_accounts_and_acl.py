from __future__ import annotations

import pytest

from winlab.windows import acl
from winlab.windows.accounts import app_pool_sid, service_sid
from winlab.windows.acl import Ace, Acl
from winlab.windows.errors import WindowsError
from winlab.windows.machine import Machine


def test_known_virtual_accounts() -> None:
    assert app_pool_sid("DefaultAppPool") == "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415"
    assert service_sid("TrustedInstaller") == acl.TRUSTED_INSTALLER


def test_names_and_sids(machine: Machine) -> None:
    accounts = machine.accounts
    assert accounts.sid_of("Administrators") == accounts.sid_of("BUILTIN\\administrators") == "S-1-5-32-544"
    assert accounts.sid_of("Everyone") == accounts.sid_of("*S-1-1-0") == "S-1-1-0"
    assert accounts.sid_of("SRV1\\Administrator") == accounts.sid_of("administrator") == accounts.machine_sid + "-500"
    assert accounts.name_of("S-1-5-32-568") == "BUILTIN\\IIS_IUSRS"
    assert accounts.name_of("S-1-5-99") == "S-1-5-99"
    assert accounts.sid_of("NT SERVICE\\W32Time") == service_sid("W32Time")
    for unknown in ("nobody", "OTHER\\Administrator", "IIS AppPool\\nope", "NT SERVICE\\nope"):
        with pytest.raises(WindowsError) as caught:
            accounts.sid_of(unknown)
        assert caught.value.code == 1332


def test_pool_accounts_exist_with_their_pools(machine: Machine) -> None:
    machine.features.install(["Web-Server"])
    assert machine.accounts.sid_of("IIS AppPool\\DefaultAppPool") == app_pool_sid("defaultapppool")
    assert machine.accounts.name_of(app_pool_sid("DefaultAppPool")) == "IIS APPPOOL\\DefaultAppPool"


def test_users_groups_and_logon(machine: Machine) -> None:
    accounts = machine.accounts
    sid = accounts.add_user("deploy", "secret")
    accounts.add_member("Remote Management Users", "deploy")
    token = accounts.logon("srv1\\deploy", "secret")
    assert token.sid == sid and not token.elevated and "S-1-5-32-580" in token.groups
    accounts.add_member("Administrators", "deploy")
    assert accounts.token("deploy").elevated
    for password, enabled, code in (("wrong", True, 1326), ("secret", False, 1331)):
        accounts.users["deploy"]["enabled"] = enabled
        with pytest.raises(WindowsError) as caught:
            accounts.logon("deploy", password)
        assert caught.value.code == code
    with pytest.raises(WindowsError):
        accounts.add_user("DEPLOY")
    accounts.remove_user("deploy")
    assert sid not in accounts.groups["Administrators"]["members"]


def test_accounts_survive_a_restart(machine: Machine) -> None:
    sid = machine.accounts.add_user("deploy", "secret")
    again = Machine("SRV1", "2016", "127.0.0.1", machine.state_dir)
    assert again.accounts.logon("deploy", "secret").sid == sid
    assert again.accounts.machine_sid == machine.accounts.machine_sid


def test_inheritance_flags() -> None:
    parent = (
        Ace("A", acl.FULL_CONTROL, object_inherit=True, container_inherit=True),
        Ace("B", acl.READ, object_inherit=True),
        Ace("C", acl.READ, container_inherit=True, no_propagate=True),
        Ace("D", acl.READ),
        Ace(acl.CREATOR_OWNER, acl.GENERIC_ALL, object_inherit=True, container_inherit=True, inherit_only=True),
    )
    folder = {(ace.sid, ace.flags) for ace in acl.inherit(parent, True, "OWNER")}
    assert folder == {("A", 19), ("B", 25), ("C", 16), ("OWNER", 16), (acl.CREATOR_OWNER, 27)}
    file = {(ace.sid, ace.flags, ace.mask) for ace in acl.inherit(parent, False, "OWNER")}
    assert file == {("A", 16, acl.FULL_CONTROL), ("B", 16, acl.READ), ("OWNER", 16, acl.FULL_CONTROL)}


def test_denials_and_owner() -> None:
    list_ = Acl("OWNER", (Ace("A", acl.WRITE_DATA, allow=False), Ace("A", acl.FULL_CONTROL)))
    assert acl.granted(list_, {"A"}) == acl.FULL_CONTROL & ~acl.WRITE_DATA
    assert acl.granted(list_, {"OWNER"}) == acl.READ_CONTROL | acl.WRITE_DAC
    assert acl.granted(list_, {"B"}) == 0


def test_sddl_round_trip() -> None:
    text = "O:BAG:SYD:PAI(D;OICI;0x100116;;;BU)(A;OICIIO;GA;;;CO)(A;;FA;;;S-1-5-82-1-2-3-4-5)"
    assert Acl.from_sddl(text).to_sddl() == text
    assert Acl.from_sddl("D:(A;;CCLC;;;WD)").aces[0].mask == 5
    for wrong in ("D:(X;;FA;;;BA)", "D:(A;ZZ;FA;;;BA)", "D:(A;;QQ;;;BA)", "nonsense"):
        with pytest.raises(ValueError):
            Acl.from_sddl(wrong)
