"""What test_windows_operations.py applies, undoes by hand as an administrator would, and applies again: a case per property of each Windows operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyinfra_iis.operations.windows import Access
from pyinfra_iis.settings import Download

FILE_SYSTEM = r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem"
KEY = r"HKLM\SOFTWARE\Example"


@dataclass(frozen=True)
class Case:
    """One operation with its arguments, and one way in which it comes undone.

    Attributes:
        name: of the operation in pyinfra's output.
        operation: of `pyinfra_iis.operations.windows`.
        arguments: what is wanted.
        by_hand: PowerShell or command lines of an administrator.
        shown: what the diff must then say, completely, without host.
        removed: arguments that take away what was made; None: it cannot be taken away.
    """

    name: str
    operation: str
    arguments: Mapping[str, Any]
    by_hand: str
    shown: tuple[str, ...]
    removed: Mapping[str, Any] | None = field(default=None)


def _rule(name: str, by_hand: str, *shown: str) -> Case:
    wanted: dict[str, Any] = {
        "rule": name,
        "title": f"Title of {name}",
        "ports": [8000, "9000-9010"],
        "remote_addresses": ["10.0.0.0/8", "192.0.2.1-192.0.2.9", "LocalSubnet"],
        "local_addresses": ["192.0.2.77"],
        "remote_ports": ["1024-65535"],
        "profiles": ["Domain", "Private"],
        "program": r"C:\Program Files\Example\example.exe",
        "service": "Spooler",
        "description": "Made by a test",
    }
    return Case(
        f"Rule: {name}",
        "firewall_rule",
        wanted,
        by_hand.format(title=wanted["title"], name=name),
        tuple(f"~ firewall rule {name} {line}" for line in shown),
        {"rule": name, "present": False},
    )


def _netsh(new: str) -> str:
    return f'netsh advfirewall firewall set rule name="{{title}}" new {new}'


_FIREWALL = [
    _rule(
        "whom",
        _netsh("remoteip=any localport=8000") + "\nSet-NetFirewallRule -Name {name} -LocalAddress 192.0.2.78",
        "ports: 8000 -> 8000, 9000-9010",
        "remote_addresses: Any -> 10.0.0.0/8, 192.0.2.1-192.0.2.9, LocalSubnet",
        "local_addresses: 192.0.2.78 -> 192.0.2.77",
    ),
    _rule(
        "what",
        "Set-NetFirewallRule -Name {name} -Protocol TCP -RemotePort 5000\n"
        + _netsh(r"profile=public program=C:\other.exe service=W32Time"),
        "profiles: Public -> Domain, Private",
        "remote_ports: 5000 -> 1024-65535",
        r"program: C:\other.exe -> C:\Program Files\Example\example.exe",
        "service: W32Time -> Spooler",
    ),
    _rule(
        "how",
        _netsh("enable=no action=block description=Mine") + "\nSet-NetFirewallRule -Name {name} -NewDisplayName Mine",
        "title: Mine -> Title of how",
        "enabled: false -> true",
        "action: Block -> Allow",
        "description: Mine -> Made by a test",
    ),
    _rule("where", _netsh("dir=out protocol=udp"), "direction: Outbound -> Inbound", "protocol: UDP -> TCP"),
    Case(
        "Rule that is gone",
        "firewall_rule",
        {"rule": "rule-gone", "ports": [81]},
        "Remove-NetFirewallRule -Name rule-gone",
        (
            "+ firewall rule rule-gone title: rule-gone",
            "+ firewall rule rule-gone enabled: true",
            "+ firewall rule rule-gone direction: Inbound",
            "+ firewall rule rule-gone action: Allow",
            "+ firewall rule rule-gone protocol: TCP",
            "+ firewall rule rule-gone ports: 81",
        ),
        {"rule": "rule-gone", "present": False},
    ),
]

USERS = r"BUILTIN\Users"


def _folder(name: str, what: Mapping[str, str | None] | Access, by_hand: str, *shown: str) -> Case:
    """`icacls` in `by_hand` is about the folder; lines of `shown` are too, `{users}` in them is what Users inherit from C:."""
    path = rf"C:\Example\{name}"
    return Case(
        f"Folder: {name}",
        "directories",
        {"folders": {path: what}},
        by_hand.replace("icacls", f"icacls {path}") if "icacls" in by_hand else f"{by_hand} {path}",
        tuple(f"{line[0]} {path}{line[1:]}" for line in shown),
        {"folders": {path: {}}, "present": False},
    )


SERVICE = "Network Service"
_FOLDERS = [
    _folder("gone", {USERS: "Modify"}, "Remove-Item -Recurse", "+: folder", "+ BUILTIN\\Users: Modify"),
    _folder("less", {USERS: "Modify"}, "icacls /remove:g Users", r"~ BUILTIN\Users: {users} -> Modify"),
    _folder(
        "more",
        {USERS: "Modify"},
        "icacls /grant '*S-1-5-32-545:(OI)(CI)F'",
        r"~ BUILTIN\Users: FullControl; {users} -> Modify",
    ),
    _folder(
        "other-right",
        {SERVICE: "RX"},
        f"icacls /grant:r '{SERVICE}:(OI)(CI)W'",
        f"~ {SERVICE}: Write -> ReadAndExecute",
    ),
    _folder(
        "denied",
        {SERVICE: "Modify"},
        f"icacls /deny '{SERVICE}:(OI)(CI)W'",
        f"~ {SERVICE}: deny Write; Modify -> Modify",
    ),
    _folder(
        "here-only",
        {SERVICE: "Modify"},
        f"icacls /grant:r '{SERVICE}:M'",
        f"~ {SERVICE}: Modify (this folder only) -> Modify",
    ),
    _folder("taken-away", {SERVICE: None}, f"icacls /grant '{SERVICE}:(OI)(CI)M'", f"- {SERVICE}: Modify"),
    _folder(
        "cut-off",
        Access({SERVICE: "R"}, inherit=False),
        "icacls /inheritance:e",
        "~ inheritance: on -> off, inherited entries stay as its own",
    ),
    _folder(
        "alone",
        Access({"Administrators": "F", "SYSTEM": "F", "Authenticated Users": "RX"}, inherit=False, keep=False),
        "icacls /inheritance:e",
        "~ inheritance: on -> off",
        r"- BUILTIN\Users: {users}",
        "- {creator}",
    ),
    _folder("inheriting", Access({SERVICE: "R"}, inherit=True), "icacls /inheritance:d", "~ inheritance: off -> on"),
    _folder("only", Access({SERVICE: "R"}, only=True), "icacls /grant 'Everyone:(OI)(CI)R'", "- Everyone: Read"),
    _folder(
        "owner",
        Access({}, owner="Administrators"),
        "icacls /setowner Administrator",
        r"~ owner: {server}\Administrator -> Administrators",
    ),
]


def _value(name: str, kind: str, value: Any, by_hand: str, *shown: str) -> Case:
    return Case(
        f"Registry: {name}",
        "registry_value",
        {"key": KEY, "value_name": name, "value": value, "type": kind},
        by_hand,
        shown,
        {"key": KEY, "value_name": name, "present": False},
    )


_REGISTRY = [
    _value("Text", "String", "a b", rf"reg add {KEY} /v Text /d other /f", rf"~ registry {KEY}\Text: other -> a b"),
    _value(
        "Expand",
        "ExpandString",
        r"%SystemRoot%\x",
        rf"reg add {KEY} /v Expand /t REG_SZ /d C:\Windows\x /f",
        rf"~ registry {KEY}\Expand: C:\Windows\x (String) -> %SystemRoot%\x (ExpandString)",
    ),
    _value("Several", "MultiString", ["a", "b"], rf"reg add {KEY} /v Several /t REG_MULTI_SZ /d a\0c /f", rf"~ registry {KEY}\Several: a, c -> a, b"),
    _value("Number", "DWord", 4294967295, rf"reg add {KEY} /v Number /t REG_DWORD /d 7 /f", rf"~ registry {KEY}\Number: 7 -> 4294967295"),
    _value("Long", "QWord", 2**63 + 1, rf"reg delete {KEY} /v Long /f", rf"+ registry {KEY}\Long: 9223372036854775809"),
    _value("Bytes", "Binary", b"\x00\xff", rf"reg add {KEY} /v Bytes /t REG_BINARY /d 00fe /f", rf"~ registry {KEY}\Bytes: 00fe -> 00ff"),
    _value("", "String", "x", rf"reg delete {KEY} /ve /f", rf"+ registry {KEY}\(default): x"),
    _value("Api Token", "String", "hunter2!", rf"reg add {KEY} /v 'Api Token' /d hunter3! /f", rf"~ registry {KEY}\Api Token: *** -> ***"),
    Case(
        "Long paths",
        "registry_value",
        {"key": FILE_SYSTEM, "value_name": "LongPathsEnabled", "value": 1, "type": "DWord"},
        rf"reg add {FILE_SYSTEM} /v LongPathsEnabled /t REG_DWORD /d 0 /f",
        (rf"~ registry {FILE_SYSTEM}\LongPathsEnabled: 0 -> 1",),
        {"key": FILE_SYSTEM, "value_name": "LongPathsEnabled", "value": 0, "type": "DWord"},
    ),
]  # fmt: skip

_ENVIRONMENT = [
    Case(
        "Variable",
        "environment_variable",
        {"variable": "EXAMPLE", "value": "a=b;c"},
        "setx EXAMPLE other /M",
        ("~ environment variable EXAMPLE: other -> a=b;c",),
        {"variable": "EXAMPLE", "present": False},
    ),
    Case(
        "Secret variable",
        "environment_variable",
        {"variable": "EXAMPLE_PASSWORD", "value": "hunter2!"},
        "[Environment]::SetEnvironmentVariable('EXAMPLE_PASSWORD', 'hunter3!', 'Machine')",
        ("~ environment variable EXAMPLE_PASSWORD: *** -> ***",),
        {"variable": "EXAMPLE_PASSWORD", "present": False},
    ),
    Case(
        "Variable that is gone",
        "environment_variable",
        {"variable": "EXAMPLE_GONE", "value": "x"},
        r"reg delete 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment' /v EXAMPLE_GONE /f",
        ("+ environment variable EXAMPLE_GONE: x",),
        {"variable": "EXAMPLE_GONE", "present": False},
    ),
]

_SERVICES = [
    Case(
        "Service start",
        "service",
        {"service": "W32Time", "start": "AutomaticDelayed"},
        "sc.exe config W32Time start= demand",
        ("~ service W32Time start: Manual -> AutomaticDelayed",),
        {"service": "W32Time", "start": "Manual"},
    ),
    Case(
        "Service runs",
        "service",
        {"service": "BITS", "start": "Automatic", "running": True},
        "net stop BITS",
        ("~ service BITS state: Stopped -> Running",),
        {"service": "BITS", "start": "Manual", "running": False},
    ),
    Case(
        "Service stopped and disabled",
        "service",
        {"service": "Spooler", "start": "Disabled", "running": False},
        "Set-Service Spooler -StartupType Manual; Start-Service Spooler",
        ("~ service Spooler start: Manual -> Disabled", "~ service Spooler state: Running -> Stopped"),
        {"service": "Spooler", "start": "Automatic", "running": True},
    ),
]

_FEATURES = [
    Case(
        "Features",
        "features",
        {"server": ["Telnet-Client", "Web-WebServer"], "client": ["TelnetClient", "IIS-WebServer"]},
        r"if ((Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').InstallationType -eq 'Client') "
        "{ Disable-WindowsOptionalFeature -Online -FeatureName TelnetClient -NoRestart } "
        "else { Uninstall-WindowsFeature Telnet-Client -Confirm:$false }",
        ("~ feature {telnet}: absent -> installed",),
        {"server": ["Telnet-Client"], "client": ["TelnetClient"], "present": False},
    ),
]


def downloads(artifacts: str, sums: Mapping[str, str]) -> list[Case]:
    """Cases with files of a lab's mirror."""
    name = "httpPlatformHandler_amd64.msi"
    file = Download(url=artifacts + name, sha256=sums[name])
    path = rf"C:\ProgramData\pyinfra-iis\downloads\{sums[name][:16]}-{name}"
    return [
        Case(
            "Download",
            "downloads",
            {"files": [file]},
            f"Set-Content {path} broken",
            (f"~ {path}: another content -> {file.url} (SHA-256 {file.sha256})",),
            {"files": [file], "present": False},
        )
    ]


CASES = [*_FEATURES, *_FOLDERS, *_FIREWALL, *_REGISTRY, *_ENVIRONMENT, *_SERVICES]
