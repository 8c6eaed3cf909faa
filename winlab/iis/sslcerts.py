"""Which entry of HTTP.sys's certificate table (`machine.http`) an https binding uses."""

from __future__ import annotations

from typing import Any

from winlab.iis.model import Binding
from winlab.windows.httpapi import SslBinding


def endpoint_of(binding: Binding) -> tuple[str, str]:
    """(kind, endpoint) of a binding: by server name where it asks for SNI, else by address and port."""
    if binding.sni:
        return "hostnameport", f"{binding.host}:{binding.port}"
    return "ipport", f"{'0.0.0.0' if binding.ip == '*' else binding.ip}:{binding.port}"


def of_binding(machine: Any, binding: Binding) -> SslBinding | None:
    """The certificate that is presented for a binding; an address without an entry has the one for all addresses."""
    kind, endpoint = endpoint_of(binding)
    found: SslBinding | None = machine.http.find(kind, endpoint)
    if found is None and kind == "ipport":
        found = machine.http.find(kind, f"0.0.0.0:{binding.port}")
    return found
