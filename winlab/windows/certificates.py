"""Certificate stores of the machine: real certificates and keys, one file each below `certificates/`."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from winlab.windows.errors import WindowsError

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
STORES = {
    "my": "My",
    "root": "Root",
    "ca": "CA",
    "webhosting": "WebHosting",
    "trustedpeople": "TrustedPeople",
    "trustedpublisher": "TrustedPublisher",
    "disallowed": "Disallowed",
    "authroot": "AuthRoot",
    "remote desktop": "Remote Desktop",
}
LOCATIONS = ("LocalMachine", "CurrentUser")
_CRYPTOGRAPHY = "HKLM\\SOFTWARE\\Microsoft\\Cryptography"
_KEY_FOLDER = "C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys"
_CNG_KEY_FOLDER = "C:\\ProgramData\\Microsoft\\Crypto\\Keys"
_PBES2 = bytes.fromhex("06092a864886f70d01050d")  # its object identifier in DER: AES in a PKCS #12 file
_FIRST_WITH_PBES2 = 16299  # Windows 10 1709; of the servers, 2019


@dataclass
class Certificate:
    """A certificate in a store, with its private key where there is one. key_name: the key's file (it has an ACL)."""

    der: bytes
    key_pem: bytes | None = None
    friendly_name: str = ""
    exportable: bool = True
    key_name: str = ""

    @cached_property
    def x509(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @cached_property
    def thumbprint(self) -> str:
        """SHA-1 in upper-case hexadecimal."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def has_private_key(self) -> bool:
        return self.key_pem is not None

    @property
    def has_rsa_key(self) -> bool:
        return isinstance(self.x509.public_key(), rsa.RSAPublicKey)

    @property
    def key_path(self) -> str:
        """The key's file: keys on elliptic curves are none for the older providers, which have a folder of their own."""
        return f"{_KEY_FOLDER if self.has_rsa_key else _CNG_KEY_FOLDER}\\{self.key_name}"

    @property
    def subject(self) -> str:
        return _name(self.x509.subject)

    @property
    def issuer(self) -> str:
        return _name(self.x509.issuer)

    @property
    def not_before(self) -> datetime.datetime:
        return self.x509.not_valid_before_utc

    @property
    def not_after(self) -> datetime.datetime:
        return self.x509.not_valid_after_utc

    @property
    def serial_number(self) -> str:
        text = f"{self.x509.serial_number:X}"
        return text if len(text) % 2 == 0 else "0" + text

    @property
    def dns_names(self) -> list[str]:
        """Subject alternative names, else the common name."""
        try:
            extension = self.x509.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            return [str(item) for item in extension.value.get_values_for_type(x509.DNSName)]
        except x509.ExtensionNotFound:
            return [str(item.value) for item in self.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]

    @property
    def pem(self) -> bytes:
        return self.x509.public_bytes(serialization.Encoding.PEM)


def _name(name: x509.Name) -> str:
    """`CN=a, O=b` in the order Windows prints (as encoded, reversed by RFC 4514)."""
    return ", ".join(
        attribute.rfc4514_string({NameOID.EMAIL_ADDRESS: "E"}) for rdn in reversed(list(name.rdns)) for attribute in rdn
    )


class Certificates:
    """Stores by name (`My`, `Root`, ...; names compare without case)."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.folder = machine.state_dir / "certificates"

    def stores(self) -> list[str]:
        return list(STORES.values())

    def _store(self, store: str, location: str = "LocalMachine") -> Path:
        name = STORES.get(store.lower())
        if name is None or location.lower() not in (item.lower() for item in LOCATIONS):
            raise WindowsError(2, "The system cannot find the file specified.")
        return self.folder / location.lower() / name.lower()

    def all(self, store: str = "My", location: str = "LocalMachine") -> list[Certificate]:
        """Certificates of a store by thumbprint. WindowsError 2 for an unknown store."""
        folder = self._store(store, location)
        if not folder.is_dir():
            return []
        return [_read(path) for path in sorted(folder.glob("*.pem"))]

    def find(self, thumbprint: str, store: str = "My", location: str = "LocalMachine") -> Certificate | None:
        """By SHA-1 thumbprint; spaces and case do not matter."""
        wanted = thumbprint.replace(" ", "").upper()
        path = self._store(store, location) / f"{wanted}.pem"
        return _read(path) if wanted.isalnum() and path.is_file() else None

    def add(self, certificate: Certificate, store: str = "My", location: str = "LocalMachine") -> Certificate:
        """Puts a certificate into a store; one with the same thumbprint is replaced (and keeps its key when the new one has none)."""
        before = self.find(certificate.thumbprint, store, location)
        if before is not None and certificate.key_pem is None and before.key_pem is not None:
            certificate.key_pem, certificate.key_name = before.key_pem, before.key_name
        if certificate.key_pem is not None and not certificate.key_name:
            self.make_key_file(certificate)
        folder = self._store(store, location)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{certificate.thumbprint}.pem"
        path.touch(mode=0o600)
        path.write_bytes(_write(certificate))
        return certificate

    def make_key_file(self, certificate: Certificate) -> None:
        """The key's container: what rights on a private key are set on. Its content stays with the store."""
        digest = hashlib.md5(certificate.der, usedforsecurity=False).hexdigest()
        certificate.key_name = f"{digest}_{self.machine.registry.get(_CRYPTOGRAPHY, 'MachineGuid')}"
        path = certificate.key_path
        self.machine.fs.mkdir(path.rpartition("\\")[0], parents=True)
        if not self.machine.fs.exists(path):
            from winlab.windows.acl import Acl

            self.machine.fs.write_bytes(path, b"\x02\x00\x00\x00" + uuid.uuid4().bytes)
            self.machine.fs.set_acl(path, Acl.from_sddl("O:BAG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)"))

    def remove(
        self, thumbprint: str, store: str = "My", location: str = "LocalMachine", delete_key: bool = False
    ) -> None:
        """WindowsError 2 when it is not there."""
        found = self.find(thumbprint, store, location)
        if found is None:
            raise WindowsError(2)
        (self._store(store, location) / f"{found.thumbprint}.pem").unlink()
        if delete_key and found.key_name and self.machine.fs.exists(found.key_path):
            self.machine.fs.remove(found.key_path)

    def pem(self, thumbprint: str, store: str = "My") -> bytes | None:
        """Certificate, key and the chain that the machine knows, for a TLS listener; None without certificate or key."""
        found = self.find(thumbprint, store)
        if found is None or found.key_pem is None:
            return None
        return found.pem + found.key_pem + b"".join(item.pem for item in self.chain(found)[1:])

    def chain(self, certificate: Certificate) -> list[Certificate]:
        """The certificate and its issuers as far as the machine's stores have them."""
        known = [item for store in ("CA", "Root", "My") for item in self.all(store)]
        result = [certificate]
        while not _issued(result[-1], result[-1]):
            issuer = next((item for item in known if item not in result and _issued(result[-1], item)), None)
            if issuer is None:
                break
            result.append(issuer)
        return result

    def is_trusted(self, certificate: Certificate) -> bool:
        """The chain ends in the Root store and every certificate is within its dates."""
        chain = self.chain(certificate)
        now = self.machine.now()
        return self.find(chain[-1].thumbprint, "Root") is not None and all(
            item.not_before <= now <= item.not_after for item in chain
        )

    # -- making and importing --------------------------------------------------------------------------------------------------------

    def create_self_signed(
        self,
        dns_names: list[str] | None = None,
        subject: str | None = None,
        store: str = "My",
        *,
        not_before: datetime.datetime | None = None,
        not_after: datetime.datetime | None = None,
        friendly_name: str = "",
        key_length: int = 2048,
        exportable: bool = True,
        usages: list[x509.ObjectIdentifier] | None = None,
        location: str = "LocalMachine",
    ) -> Certificate:
        """As New-SelfSignedCertificate: one year from ten minutes ago unless said otherwise, SHA-256 RSA, server and client authentication."""
        names = dns_names or []
        now = self.machine.now().replace(microsecond=0)
        name = (
            x509.Name.from_rfc4514_string(subject)
            if subject
            else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else self.machine.name)])
        )
        key = rsa.generate_private_key(65537, key_length)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or now - datetime.timedelta(minutes=10))
            .not_valid_after(not_after or now + datetime.timedelta(days=365))
            .add_extension(x509.KeyUsage(True, False, True, False, False, False, False, False, False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(usages or [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(item) for item in names]), critical=False
            )
        signed = builder.sign(key, hashes.SHA256())
        return self.add(
            Certificate(signed.public_bytes(serialization.Encoding.DER), _key_pem(key), friendly_name, exportable),
            store,
            location,
        )

    def read_pfx(self, data: bytes, password: str | None) -> pkcs12.PKCS12KeyAndCertificates:
        """What a PKCS #12 file holds. WindowsError 86 (wrong password; older Windows says so of what is encrypted with AES, too), 13 (not a PFX)."""
        try:
            loaded = pkcs12.load_pkcs12(data, password.encode() if password is not None else None)
        except ValueError as exc:
            words = str(exc).lower()
            raise WindowsError(86 if "password" in words or "mac" in words else 13) from None
        if _PBES2 in data and self.machine.windows.build < _FIRST_WITH_PBES2:
            raise WindowsError(86)
        return loaded

    def import_pfx(
        self,
        data: bytes,
        password: str | None,
        store: str = "My",
        exportable: bool = False,
        location: str = "LocalMachine",
    ) -> list[Certificate]:
        """The certificate with its key, then the others of the file. WindowsError 86 (wrong password), 13 (not a PFX)."""
        loaded = self.read_pfx(data, password)
        result: list[Certificate] = []
        if loaded.cert is not None:
            key = loaded.key
            pem = _key_pem(key) if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None
            name = (loaded.cert.friendly_name or b"").decode("utf-8", "replace")
            der = loaded.cert.certificate.public_bytes(serialization.Encoding.DER)
            result.append(self.add(Certificate(der, pem, name, exportable), store, location))
        for extra in loaded.additional_certs:
            certificate = Certificate(extra.certificate.public_bytes(serialization.Encoding.DER))
            target = "Root" if certificate.subject == certificate.issuer else "CA"
            result.append(self.add(certificate, target, location))
        return result

    def import_certificate(self, data: bytes, store: str = "My", location: str = "LocalMachine") -> Certificate:
        """A certificate without key, DER or PEM. WindowsError 13 when it is none."""
        try:
            loaded = (
                x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
            )
        except ValueError:
            raise WindowsError(13) from None
        return self.add(Certificate(loaded.public_bytes(serialization.Encoding.DER)), store, location)

    def export_pfx(self, certificate: Certificate, password: str) -> bytes:
        """WindowsError 5 when the key is not exportable."""
        if certificate.key_pem is None or not certificate.exportable:
            raise WindowsError(5, "Cannot export non-exportable private key.")
        key = serialization.load_pem_private_key(certificate.key_pem, None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise WindowsError(13)
        name = certificate.friendly_name.encode() or None
        # Windows' own choice, on every version, unless another one is asked for.
        encryption = (
            serialization.PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2000)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())
            .build(password.encode())
        )
        return pkcs12.serialize_key_and_certificates(name, key, certificate.x509, None, encryption)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        certificate.x509.verify_directly_issued_by(issuer.x509)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(certificate: Certificate) -> bytes:
    head = f"FriendlyName: {certificate.friendly_name}\nExportable: {int(certificate.exportable)}\nKeyName: {certificate.key_name}\n"
    return head.encode() + certificate.pem + (certificate.key_pem or b"")


def _read(path: Path) -> Certificate:
    data = path.read_bytes()
    head, _, body = data.partition(b"-----BEGIN CERTIFICATE-----")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    text = b"-----BEGIN CERTIFICATE-----" + body
    certificate, _, key = text.partition(b"-----END CERTIFICATE-----\n")
    loaded = x509.load_pem_x509_certificate(certificate + b"-----END CERTIFICATE-----\n")
    return Certificate(
        loaded.public_bytes(serialization.Encoding.DER),
        key or None,
        fields.get("FriendlyName", ""),
        fields.get("Exportable", "1") == "1",
        fields.get("KeyName", ""),
    )
