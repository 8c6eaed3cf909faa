"""TLS of https bindings: certificates by endpoint, by host name where the binding asks for SNI."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winlab.iis import sslcerts

if TYPE_CHECKING:
    from winlab.iis.httpsys import Endpoint


class TlsContexts:
    """Makes the TLS contexts of https ports from the server's certificate stores."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}

    def forget(self) -> None:
        """Certificates may have been replaced."""
        self._contexts.clear()

    def context(self, endpoint: Endpoint) -> ssl.SSLContext:
        """The context of a port. Which certificate is presented is decided with each connection, by the client's server name."""
        front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            chosen = self._choose(endpoint, (name or "").lower())
            if chosen is None:
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
            connection.context = chosen
            return None

        front.sni_callback = choose
        return front

    def _choose(self, endpoint: Endpoint, name: str) -> ssl.SSLContext | None:
        """The certificate of the binding by that name, else the one of the address; None when there is none."""
        default: ssl.SSLContext | None = None
        for (_, host), (_, binding) in endpoint.routes.items():
            by_name = binding.sni and host
            if by_name and host != name:
                continue
            entry = sslcerts.of_binding(self.machine, binding)
            context = self._of(entry.thumbprint, entry.store) if entry is not None else None
            if context is not None and by_name:
                return context
            default = default or context
        return default

    def _of(self, thumbprint: str, store: str) -> ssl.SSLContext | None:
        key = (thumbprint.lower(), (store or "MY").lower())
        if key not in self._contexts:
            pem = self._pem(thumbprint, store or "MY")
            if pem is None:
                return None
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "certificate.pem"
                path.touch(mode=0o600)
                path.write_bytes(pem)
                context.load_cert_chain(path)
            self._contexts[key] = context
        return self._contexts[key]

    def _pem(self, thumbprint: str, store: str) -> bytes | None:
        """Certificate and private key, None when the store has no such certificate with a key."""
        return self.machine.certificates.pem(thumbprint, store)
