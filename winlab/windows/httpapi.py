"""HTTP.sys' own configuration: certificates for IP:port and hostname:port, and URL reservations. Persisted in `http.json`."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from winlab.windows.errors import WindowsError
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

IIS_APP_ID = "{4dc3e181-e14b-4a21-b022-59fc669b0914}"


@dataclass
class SslBinding:
    """kind: `ipport`, `hostnameport` or `ccs`; endpoint: `0.0.0.0:443`, `www.example.com:443` or `443`; thumbprint in lower-case hexadecimal."""

    kind: str
    endpoint: str
    thumbprint: str
    app_id: str = IIS_APP_ID
    store: str = "MY"
    client_negotiation: bool = False


class HttpApi:
    """Certificate bindings and URL reservations of one server."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._document = Document(machine.state_dir / "http.json", {"ssl": [], "urls": {}})
        if not self._document.data["urls"]:
            self._document.data["urls"] = {
                "http://+:5985/wsman/": "D:(A;;GX;;;S-1-5-80-569256582-2953403351-2909559716-1301513147-412116970)(A;;GX;;;NS)",
                "http://+:47001/wsman/": "D:(A;;GX;;;S-1-5-80-569256582-2953403351-2909559716-1301513147-412116970)(A;;GX;;;NS)",
            }

    @property
    def ssl_bindings(self) -> list[SslBinding]:
        return [SslBinding(**record) for record in self._document.data["ssl"]]

    def find(self, kind: str, endpoint: str) -> SslBinding | None:
        return next(
            (item for item in self.ssl_bindings if item.kind == kind and item.endpoint.lower() == endpoint.lower()),
            None,
        )

    def add(self, binding: SslBinding, replace: bool = False) -> None:
        """WindowsError 183 when the endpoint has one, 1312 when the store has no such certificate with its key, 87 for a bad endpoint."""
        if not re.fullmatch(r"(.+:)?\d+", binding.endpoint):
            raise WindowsError(87)
        if binding.kind != "ccs":
            certificate = self.machine.certificates.find(binding.thumbprint, binding.store)
            if certificate is None or not certificate.has_private_key:
                raise WindowsError(1312)
        if self.find(binding.kind, binding.endpoint) is not None:
            if not replace:
                raise WindowsError(183)
            self.remove(binding.kind, binding.endpoint)
        binding.thumbprint = binding.thumbprint.lower()
        self._document.data["ssl"].append(asdict(binding))
        self._save()

    def remove(self, kind: str, endpoint: str) -> None:
        """WindowsError 2 when there is none."""
        found = self.find(kind, endpoint)
        if found is None:
            raise WindowsError(2)
        self._document.data["ssl"].remove(asdict(found))
        self._save()

    @property
    def urls(self) -> dict[str, str]:
        """Reserved URL -> SDDL."""
        return self._document.data["urls"]

    def reserve(self, url: str, sddl: str) -> None:
        """WindowsError 183 when it is reserved, 87 for something that is no URL prefix."""
        if not re.fullmatch(r"https?://[^/]+:\d+/.*", url):
            raise WindowsError(87)
        if url.lower() in (known.lower() for known in self.urls):
            raise WindowsError(183)
        self.urls[url] = sddl
        self._save()

    def release(self, url: str) -> None:
        """WindowsError 2 when it is not reserved."""
        for known in list(self.urls):
            if known.lower() == url.lower():
                del self.urls[known]
                self._save()
                return
        raise WindowsError(2)

    def _save(self) -> None:
        with self.machine.lock:
            self._document.save()
