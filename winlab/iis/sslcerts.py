r"""HTTP.sys's table of certificates by endpoint, where Windows keeps it: HKLM\SYSTEM\CurrentControlSet\Services\HTTP\Parameters.

`SslBindingInfo\<ip:port>` and, chosen by server name, `SslSniBindingInfo\<host:port>`. `netsh http ... sslcert` and IIS both work on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from winlab.iis.model import Binding

PARAMETERS = r"HKLM\SYSTEM\CurrentControlSet\Services\HTTP\Parameters"
IIS_APP_ID = "{4dc3e181-e14b-4a21-b022-59fc669b0914}"
CHANGED = "ssl-certificates-changed"


@dataclass(frozen=True)
class SslCertificate:
    """One entry: endpoint "0.0.0.0:443" or "www.example.com:443" (`sni`), thumbprint in upper case, store, application id."""

    endpoint: str
    thumbprint: str
    store: str = "MY"
    app_id: str = IIS_APP_ID
    sni: bool = False


def _folder(sni: bool) -> str:
    return PARAMETERS + ("\\SslSniBindingInfo" if sni else "\\SslBindingInfo")


def entries(machine: Any) -> list[SslCertificate]:
    """All entries, those by address first."""
    found = []
    for sni in (False, True):
        if machine.registry.exists(_folder(sni)):
            found += [
                e for n in machine.registry.open(_folder(sni)).subkeys() if (e := get(machine, n, sni)) is not None
            ]
    return found


def get(machine: Any, endpoint: str, sni: bool = False) -> SslCertificate | None:
    """The entry of an endpoint."""
    path = f"{_folder(sni)}\\{endpoint}"
    if not machine.registry.exists(path):
        return None
    key = machine.registry.open(path)
    data = bytes(key.get("SslCertHash", b""))
    return SslCertificate(endpoint, data.hex().upper(), key.get("SslCertStoreName", "MY"), key.get("AppId", ""), sni)


def put(machine: Any, entry: SslCertificate) -> None:
    """Adds or replaces an entry; listeners take it over."""
    key = machine.registry.create(f"{_folder(entry.sni)}\\{entry.endpoint}")
    key.set("AppId", entry.app_id, "String")
    key.set("SslCertHash", bytes.fromhex(entry.thumbprint), "Binary")
    key.set("SslCertStoreName", entry.store, "String")
    machine.hooks.fire(CHANGED)


def delete(machine: Any, endpoint: str, sni: bool = False) -> bool:
    """Removes an entry; False when there was none."""
    path = f"{_folder(sni)}\\{endpoint}"
    if not machine.registry.exists(path):
        return False
    machine.registry.delete(path, recursive=True)
    machine.hooks.fire(CHANGED)
    return True


def endpoint_of(binding: Binding) -> tuple[str, bool]:
    """The table's endpoint for an IIS binding, and whether it is one by server name."""
    if binding.sni:
        return f"{binding.host}:{binding.port}", True
    return f"{'0.0.0.0' if binding.ip == '*' else binding.ip}:{binding.port}", False


def of_binding(machine: Any, binding: Binding) -> SslCertificate | None:
    """The certificate that HTTP.sys presents for an https binding; an endpoint by address falls back to any address."""
    endpoint, sni = endpoint_of(binding)
    return get(machine, endpoint, sni) or (None if sni else get(machine, f"0.0.0.0:{binding.port}"))
