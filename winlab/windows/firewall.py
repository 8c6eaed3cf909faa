"""Windows Firewall: profiles and rules, persisted."""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from winlab.windows.errors import WindowsError
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

PROFILES = ("Domain", "Private", "Public")


@dataclass
class Rule:
    """One rule. direction: Inbound or Outbound; action: Allow or Block; profiles: names or ["Any"]; ports as text ("80", "80,443", "5000-5010", "Any")."""

    name: str
    display_name: str
    direction: str = "Inbound"
    action: str = "Allow"
    enabled: bool = True
    protocol: str = "Any"
    local_port: list[str] = field(default_factory=lambda: ["Any"])
    remote_port: list[str] = field(default_factory=lambda: ["Any"])
    local_address: list[str] = field(default_factory=lambda: ["Any"])
    remote_address: list[str] = field(default_factory=lambda: ["Any"])
    profiles: list[str] = field(default_factory=lambda: ["Any"])
    program: str = "Any"
    service: str = "Any"
    group: str = ""
    display_group: str = ""
    description: str = ""
    edge_traversal: str = "Block"


_BARE = (
    Rule("WINRM-HTTP-In-TCP", "Windows Remote Management (HTTP-In)", protocol="TCP", local_port=["5985"], profiles=["Domain", "Private"], program="System",
         group="@FirewallAPI.dll,-30267", display_group="Windows Remote Management",
         description="Inbound rule for Windows Remote Management via WS-Management. [TCP 5985]"),
    Rule("WINRM-HTTP-In-TCP-PUBLIC", "Windows Remote Management (HTTP-In)", protocol="TCP", local_port=["5985"],
         remote_address=["LocalSubnet"], profiles=["Public"],
         program="System", group="@FirewallAPI.dll,-30267", display_group="Windows Remote Management",
         description="Inbound rule for Windows Remote Management via WS-Management. [TCP 5985]"),
    Rule("FPS-ICMP4-ERQ-In", "File and Printer Sharing (Echo Request - ICMPv4-In)", protocol="ICMPv4", enabled=False, group="@FirewallAPI.dll,-28502",
         display_group="File and Printer Sharing"),
    Rule("RemoteDesktop-UserMode-In-TCP", "Remote Desktop - User Mode (TCP-In)", protocol="TCP", local_port=["3389"], enabled=False,
         group="@FirewallAPI.dll,-28752",
         display_group="Remote Desktop", program="%SystemRoot%\\system32\\svchost.exe"),
)  # fmt: skip
IIS_RULES = (
    Rule("IIS-WebServerRole-HTTP-In-TCP", "World Wide Web Services (HTTP Traffic-In)", protocol="TCP", local_port=["80"], program="System",
         group="@%windir%\\system32\\inetsrv\\iisres.dll,-30500", display_group="World Wide Web Services (HTTP)",
         description="An inbound rule to allow HTTP traffic for Internet Information Services (IIS) [TCP 80]"),
    Rule("IIS-WebServerRole-HTTPS-In-TCP", "World Wide Web Services (HTTPS Traffic-In)", protocol="TCP", local_port=["443"], program="System",
         group="@%windir%\\system32\\inetsrv\\iisres.dll,-30501", display_group="Secure World Wide Web Services (HTTPS)",
         description="An inbound rule to allow HTTPS traffic for Internet Information Services (IIS) [TCP 443]"),
)  # fmt: skip


def canonical_address(text: str) -> str:
    """An address as the firewall keeps it: a network of IPv4 with its mask (`10.0.0.0/255.0.0.0`), one of IPv6 with its length; a host alone."""
    if "/" not in text:
        return text
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text
    if network.num_addresses == 1:
        return str(network.network_address)
    return network.with_netmask if network.version == 4 else network.with_prefixlen


class Firewall:
    """Rules by name (unique, without case) and the three profiles."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._document = Document(machine.state_dir / "firewall.json", None)
        if self._document.data is None:
            self._document.data = {
                "rules": [asdict(rule) for rule in _BARE],
                "profiles": {name: {"enabled": True, "inbound": "Block", "outbound": "Allow"} for name in PROFILES},
            }
        self._rules = [Rule(**record) for record in self._document.data["rules"]]

    @property
    def is_running(self) -> bool:
        """Whether its service runs; nothing can be asked of it or changed when it does not."""
        return self.machine.services.get("MpsSvc").status == "Running"

    @property
    def rules(self) -> list[Rule]:
        return list(self._rules)

    @property
    def profiles(self) -> dict[str, dict[str, Any]]:
        """Name -> enabled, inbound, outbound (default actions)."""
        return self._document.data["profiles"]

    def find(self, name: str) -> Rule | None:
        """By name."""
        return next((rule for rule in self._rules if rule.name.lower() == name.lower()), None)

    def by_display_name(self, display_name: str) -> list[Rule]:
        return [rule for rule in self._rules if rule.display_name.lower() == display_name.lower()]

    def add(self, rule: Rule) -> Rule:
        """WindowsError 183 when the name is taken. A rule without a name gets a GUID."""
        if not rule.name:
            rule.name = "{" + str(uuid.uuid4()).upper() + "}"
        if self.find(rule.name) is not None:
            raise WindowsError(183)
        self._rules.append(rule)
        self.save()
        return rule

    def remove(self, name: str) -> None:
        """WindowsError 2 when there is no such rule."""
        rule = self.find(name)
        if rule is None:
            raise WindowsError(2)
        self._rules.remove(rule)
        self.save()

    def save(self) -> None:
        """Writes changes made to rules or profiles."""
        for rule in self._rules:
            rule.local_address = [canonical_address(item) for item in rule.local_address]
            rule.remote_address = [canonical_address(item) for item in rule.remote_address]
        with self.machine.lock:
            self._document.data["rules"] = [asdict(rule) for rule in self._rules]
            self._document.save()

    def allows(self, port: int, protocol: str = "TCP", profile: str = "Public") -> bool:
        """Whether a connection from elsewhere to a local port would come in."""
        settings = self.profiles[profile]
        if not settings["enabled"]:
            return True
        hits = [
            rule
            for rule in self._rules
            if rule.enabled and rule.direction == "Inbound" and _covers(rule, port, protocol, profile)
        ]
        if any(rule.action == "Block" for rule in hits):
            return False
        return any(rule.action == "Allow" for rule in hits) or settings["inbound"] == "Allow"


def _covers(rule: Rule, port: int, protocol: str, profile: str) -> bool:
    if rule.protocol.upper() not in ("ANY", protocol.upper()) or not {"Any", profile} & set(rule.profiles):
        return False
    for item in rule.local_port:
        low, _, high = item.partition("-")
        if item == "Any" or (low.isdigit() and int(low) <= port <= int(high or low)):
            return True
    return False
