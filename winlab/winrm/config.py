"""The service's configuration (`winrm/config`): defaults per Windows version, kept with the server, shown by Get."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from winlab.winrm.uris import NAMESPACES

UNLIMITED = 2147483647

# Quotas as dumped from a real server of that version, else as documented since 2012: the stricter of both is what a client
# must cope with. The dump of Server 2016 shows no limits on shells, processes, memory and users.
_BY_VERSION: dict[str, dict[str, int]] = {
    "2016": {
        "max_shells_per_user": UNLIMITED,
        "max_processes_per_shell": UNLIMITED,
        "max_memory_per_shell_mb": UNLIMITED,
        "max_concurrent_users": UNLIMITED,
    }
}


@dataclass
class WinRMConfig:
    """Settings of one server's WinRM service; names follow `winrm get winrm/config`."""

    max_envelope_size_kb: int = 500
    max_timeout_ms: int = 60000
    max_concurrent_operations_per_user: int = 1500
    max_connections: int = 300
    allow_unencrypted: bool = False
    auth_basic: bool = False
    auth_negotiate: bool = True
    auth_certificate: bool = False
    http_port: int = 5985
    https_port: int = 5986
    https_listener: bool = False
    idle_timeout_ms: int = 7200000
    max_shells_per_user: int = 30
    max_processes_per_shell: int = 25
    max_memory_per_shell_mb: int = 1024
    max_concurrent_users: int = 10
    connection_idle_seconds: int = 120
    """After this long without a request http.sys closes a connection."""

    @classmethod
    def for_version(cls, version: str) -> WinRMConfig:
        """The defaults of a Windows version (`2016`, `2019`, ...)."""
        config = cls()
        config.update(_BY_VERSION.get(version, {}))
        return config

    @classmethod
    def load(cls, path: Path, version: str) -> WinRMConfig:
        """The configuration kept at `path`, or the version's defaults."""
        config = cls.for_version(version)
        if path.exists():
            config.update(json.loads(path.read_text()))
        return config

    def save(self, path: Path) -> None:
        """Keeps what differs from nothing at all: every value, so that a later change of defaults leaves a server alone."""
        path.write_text(json.dumps(asdict(self), indent=1))

    def update(self, values: dict[str, Any]) -> None:
        """Takes known names over and ignores others (written by another version of the lab)."""
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name in known:
                setattr(self, name, value)

    @property
    def max_envelope_size(self) -> int:
        """Bytes."""
        return self.max_envelope_size_kb * 1024

    def xml(self) -> str:
        """The cfg:Config element."""

        def flag(value: bool) -> str:
            return "true" if value else "false"

        return (
            f'<cfg:Config xmlns:cfg="{NAMESPACES["cfg"]}" xml:lang="en-US">'
            f"<cfg:MaxEnvelopeSizekb>{self.max_envelope_size_kb}</cfg:MaxEnvelopeSizekb>"
            f"<cfg:MaxTimeoutms>{self.max_timeout_ms}</cfg:MaxTimeoutms>"
            "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems>"
            "<cfg:MaxProviderRequests>4294967295</cfg:MaxProviderRequests>"
            "<cfg:Client><cfg:NetworkDelayms>5000</cfg:NetworkDelayms><cfg:URLPrefix>wsman</cfg:URLPrefix>"
            "<cfg:AllowUnencrypted>false</cfg:AllowUnencrypted><cfg:Auth><cfg:Basic>true</cfg:Basic>"
            "<cfg:Digest>true</cfg:Digest><cfg:Kerberos>true</cfg:Kerberos><cfg:Negotiate>true</cfg:Negotiate>"
            "<cfg:Certificate>true</cfg:Certificate><cfg:CredSSP>false</cfg:CredSSP></cfg:Auth>"
            f"<cfg:DefaultPorts><cfg:HTTP>{self.http_port}</cfg:HTTP><cfg:HTTPS>{self.https_port}</cfg:HTTPS></cfg:DefaultPorts>"
            "<cfg:TrustedHosts></cfg:TrustedHosts></cfg:Client>"
            "<cfg:Service><cfg:RootSDDL>O:NSG:BAD:P(A;;GA;;;BA)(A;;GR;;;IU)S:P(AU;FA;GA;;;WD)(AU;SA;GXGW;;;WD)</cfg:RootSDDL>"
            "<cfg:MaxConcurrentOperations>4294967295</cfg:MaxConcurrentOperations>"
            f"<cfg:MaxConcurrentOperationsPerUser>{self.max_concurrent_operations_per_user}</cfg:MaxConcurrentOperationsPerUser>"
            "<cfg:EnumerationTimeoutms>240000</cfg:EnumerationTimeoutms>"
            f"<cfg:MaxConnections>{self.max_connections}</cfg:MaxConnections>"
            "<cfg:MaxPacketRetrievalTimeSeconds>120</cfg:MaxPacketRetrievalTimeSeconds>"
            f"<cfg:AllowUnencrypted>{flag(self.allow_unencrypted)}</cfg:AllowUnencrypted>"
            f"<cfg:Auth><cfg:Basic>{flag(self.auth_basic)}</cfg:Basic><cfg:Kerberos>true</cfg:Kerberos>"
            f"<cfg:Negotiate>{flag(self.auth_negotiate)}</cfg:Negotiate>"
            f"<cfg:Certificate>{flag(self.auth_certificate)}</cfg:Certificate><cfg:CredSSP>false</cfg:CredSSP>"
            "<cfg:CbtHardeningLevel>Relaxed</cfg:CbtHardeningLevel></cfg:Auth>"
            f"<cfg:DefaultPorts><cfg:HTTP>{self.http_port}</cfg:HTTP><cfg:HTTPS>{self.https_port}</cfg:HTTPS></cfg:DefaultPorts>"
            "<cfg:IPv4Filter>*</cfg:IPv4Filter><cfg:IPv6Filter>*</cfg:IPv6Filter>"
            "<cfg:EnableCompatibilityHttpListener>false</cfg:EnableCompatibilityHttpListener>"
            "<cfg:EnableCompatibilityHttpsListener>false</cfg:EnableCompatibilityHttpsListener>"
            "<cfg:CertificateThumbprint></cfg:CertificateThumbprint>"
            "<cfg:AllowRemoteAccess>true</cfg:AllowRemoteAccess></cfg:Service>"
            "<cfg:Winrs><cfg:AllowRemoteShellAccess>true</cfg:AllowRemoteShellAccess>"
            f"<cfg:IdleTimeout>{self.idle_timeout_ms}</cfg:IdleTimeout>"
            f"<cfg:MaxConcurrentUsers>{self.max_concurrent_users}</cfg:MaxConcurrentUsers>"
            "<cfg:MaxShellRunTime>2147483647</cfg:MaxShellRunTime>"
            f"<cfg:MaxProcessesPerShell>{self.max_processes_per_shell}</cfg:MaxProcessesPerShell>"
            f"<cfg:MaxMemoryPerShellMB>{self.max_memory_per_shell_mb}</cfg:MaxMemoryPerShellMB>"
            f"<cfg:MaxShellsPerUser>{self.max_shells_per_user}</cfg:MaxShellsPerUser></cfg:Winrs></cfg:Config>"
        )
