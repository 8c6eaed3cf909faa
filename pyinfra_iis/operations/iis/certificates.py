"""Certificates from PFX files, read here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pyinfra.api.exceptions import OperationValueError


@dataclass(frozen=True)
class Pfx:
    """What a PFX file holds.

    Attributes:
        thumbprint: the SHA-1 of the certificate that has the private key, as Windows writes it.
        subject: its subject (`CN=www.example.com`).
        expires: its last day, `YYYY-MM-DD`.
        data: the certificates and the key as a PFX file that every Windows can read: Server 2016 refuses AES, which OpenSSL 3 uses.
        password: that file's.
    """

    thumbprint: str
    subject: str
    expires: str
    data: bytes = field(repr=False)
    password: str = field(repr=False)

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
    password = password or secrets.token_urlsafe()
    return Pfx(thumbprint, name, f"{certificate.not_valid_after_utc:%Y-%m-%d}", _readable(loaded, password), password)


def _readable(loaded: pkcs12.PKCS12KeyAndCertificates, password: str) -> bytes:
    """With the encryption of old: what keeps the key from others on its way is that of the connection."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(password.encode())
    )
    name = loaded.cert.friendly_name if loaded.cert else None
    certificate = loaded.cert.certificate if loaded.cert else None
    return pkcs12.serialize_key_and_certificates(
        name, cast(Any, loaded.key), certificate, loaded.additional_certs, encryption
    )


def thumbprint(path: str, password: str = "") -> str:
    """The thumbprint of a PFX file's certificate, for bindings.

    Args:
        path: the file, on the controlling machine.
        password: its password.

    Raises:
        OperationValueError: the file cannot be used.
    """
    return read(path, password).thumbprint
