"""The certificate of a server's HTTPS listener, and accounts that client certificates stand for."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


def ensure_certificate(folder: Path, name: str, address: str, kind: str = "good") -> Path:
    """A PEM file with certificate and key in `folder`, made when there is none: self-signed, for the name and the address.

    Args:
        kind: `good`, `wrong-name` (for another server) or `expired` (since yesterday).
    """
    path = folder / ("winrm-https.pem" if kind == "good" else f"winrm-https-{kind}.pem")
    if path.exists():
        return path
    if kind == "wrong-name":
        name, address = f"not-{name}.example", "192.0.2.1"
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=400))
        .not_valid_after(now + datetime.timedelta(days=-1 if kind == "expired" else 3650))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]), False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return path


class ClientCertificates:
    """Client certificates that stand for local accounts (`winrm/config/service/certmapping`), kept in a file of the server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mappings: list[dict[str, str]] = json.loads(path.read_text()) if path.exists() else []

    def add(self, user: str, pem: bytes) -> str:
        """Maps a certificate (PEM) to a user; gives its subject. ValueError when it is no certificate."""
        certificate = x509.load_pem_x509_certificate(pem)
        self.mappings = [item for item in self.mappings if item["thumbprint"] != _thumbprint(certificate)]
        self.mappings.append(
            {
                "user": user,
                "thumbprint": _thumbprint(certificate),
                "pem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
            }
        )
        self.path.write_text(json.dumps(self.mappings))
        return principal_name(certificate) or certificate.subject.rfc4514_string()

    def account(self, der: bytes) -> str | None:
        """The user that a presented certificate stands for."""
        thumbprint = _thumbprint(x509.load_der_x509_certificate(der))
        return next((item["user"] for item in self.mappings if item["thumbprint"] == thumbprint), None)

    def context(self, server: Path) -> ssl.SSLContext:
        """TLS settings of the listener: a client certificate is asked for, and must be one of the mapped ones when sent."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(server)
        if self.mappings:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.load_verify_locations(cadata="\n".join(item["pem"] for item in self.mappings))
        return context


def _thumbprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex().upper()


def principal_name(certificate: x509.Certificate) -> str | None:
    """The user principal name in the certificate's alternative names, as WinRM's mapping wants it."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    for other in names.get_values_for_type(x509.OtherName):
        if other.type_id == _UPN:
            return other.value[2:].decode("utf-8", "replace")
    return None
