"""Certificates from PFX files, read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import pkcs12
from pyinfra.api.exceptions import OperationValueError


@dataclass(frozen=True)
class Pfx:
    """What a PFX file holds.

    Attributes:
        thumbprint: the SHA-1 of the certificate that has the private key, as Windows writes it.
        subject: its subject (`CN=www.example.com`).
        expires: its last day, `YYYY-MM-DD`.
        data: the file.
    """

    thumbprint: str
    subject: str
    expires: str
    data: bytes = field(repr=False)

    @property
    def description(self) -> str:
        """As certificates are shown in differences."""
        return describe(self.thumbprint, self.subject, self.expires)


def describe(thumbprint: str, subject: str, expires: str) -> str:
    """A certificate as it is shown in differences."""
    return f"{thumbprint} ({subject}, expires {expires})"


def read(path: str, password: str) -> Pfx:
    """Read a PFX file of the controlling machine.

    Raises:
        OperationValueError: it is not there, the password is wrong, or it holds no certificate with a private key.
    """
    try:
        data = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise OperationValueError(f"the PFX file {path} cannot be read: {error.strerror}") from None
    try:
        loaded = pkcs12.load_pkcs12(data, password.encode() if password else None)
    except ValueError:
        raise OperationValueError(f"{path} is no PFX file, or its password is another one") from None
    if loaded.cert is None or loaded.key is None:
        raise OperationValueError(f"{path} holds no certificate with a private key")
    certificate = loaded.cert.certificate
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()
    name = ", ".join(part.rfc4514_string({}) for group in reversed(list(certificate.subject.rdns)) for part in group)
    return Pfx(thumbprint, name, f"{certificate.not_valid_after_utc:%Y-%m-%d}", data)


def thumbprint(path: str, password: str = "") -> str:
    """The thumbprint of a PFX file's certificate, for bindings.

    Args:
        path: the file, on the controlling machine.
        password: its password.

    Raises:
        OperationValueError: the file cannot be used.
    """
    return read(path, password).thumbprint
