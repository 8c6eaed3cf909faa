"""System.Security.Cryptography.X509Certificates over the server's certificate stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, NetObject, PSArray, SecureString
from winlab.windows.certificates import Certificate
from winlab.windows.errors import WindowsError

from . import context
from .core import ctor, get_type, indexer, method, net_type, prop, static
from .cryptography import crypto_error
from .declare import need, overloads
from .files import read_file
from .system import Enumerator
from .time import DateTime
from .values import net_hash

SPACE = "System.Security.Cryptography.X509Certificates"
_MACHINE_KEY_SET = 2
_PERSIST_KEY_SET = 16
_EPHEMERAL_KEY_SET = 32


def _password(value: Any) -> str:
    return value.text if isinstance(value, SecureString) else value or ""


def parse_certificate(data: bytes, password: str = "", flags: int = 0) -> Certificate:
    """DER, PEM or PKCS #12 as a certificate; CryptographicException as Windows words it."""
    import base64
    import re

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        if data.lstrip().startswith(b"-----BEGIN CERTIFICATE"):
            body = re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", data, re.DOTALL)
            data = base64.b64decode(body.group(1)) if body else data
        x509.load_der_x509_certificate(data)
        return Certificate(der=data)
    except ValueError:
        pass
    found = _read_pfx(data, password)
    if found.cert is None:
        raise crypto_error("Cannot find the requested object.\r\n")
    key = None
    if found.key is not None:
        _need_key_set(flags)
        key = found.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    friendly = found.cert.friendly_name.decode("utf-8", "replace") if found.cert.friendly_name else ""
    made = Certificate(
        der=found.cert.certificate.public_bytes(serialization.Encoding.DER),
        key_pem=key,
        friendly_name=friendly,
        exportable=bool(flags & 4),
    )
    if key is not None and flags & _PERSIST_KEY_SET:
        context.machine().certificates.make_key_file(made)
    return made


def _read_pfx(data: bytes, password: str) -> Any:
    try:
        return context.machine().certificates.read_pfx(data, password or None)
    except WindowsError as error:
        if error.code == 86:
            raise crypto_error("The specified network password is not correct.\r\n") from None
        raise crypto_error("Cannot find the requested object.\r\n") from None


def _need_key_set(flags: int) -> None:
    """A key that a file brings is put into a key set, for a while at least; that of a user who is logged on over the network cannot be opened.

    Windows protects it with the user's password, which such a logon does not have; EphemeralKeySet keeps the key in memory.
    """
    user = context.user()
    if not flags & (_MACHINE_KEY_SET | _EPHEMERAL_KEY_SET) and user is not None and user.logon_type == "network":
        raise crypto_error("Access denied.\r\n")


def _others(data: bytes, password: str) -> list[Certificate]:
    """The further certificates of a PKCS #12 file."""
    from cryptography.hazmat.primitives import serialization

    try:
        found = _read_pfx(data, password)
    except NetException:
        return []
    return [Certificate(der=one.certificate.public_bytes(serialization.Encoding.DER)) for one in found.additional_certs]


@net_type(f"{SPACE}.X509Certificate", interfaces=("IDisposable",))
class X509Certificate(NetObject):
    inner: Certificate

    def __str__(self) -> str:
        return f"[Subject]\r\n  {self.inner.subject}\r\n\r\n[Issuer]\r\n  {self.inner.issuer}\r\n\r\n[Serial Number]\r\n  {self.inner.serial_number}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, X509Certificate) and other.inner.der == self.inner.der

    def __hash__(self) -> int:
        return hash(self.inner.der)

    @overloads(f"{SPACE}.X509Certificate", ".ctor", skip=("IntPtr", "SerializationInfo", "()"))
    def new_any(self, source: Any, password: Any = None, flags: Any = None) -> None:
        self.load(source, password, flags)

    def load(self, source: Any, password: Any, flags: Any) -> None:
        if isinstance(source, X509Certificate):
            self.inner = source.inner
            return
        data = read_file(source) if isinstance(source, str) else bytes(need(source, "rawData"))
        self.inner = parse_certificate(data, _password(password), flags.value if flags is not None else 0)

    @prop("Subject : String get")
    def subject(self) -> str:
        return self.inner.subject

    @prop("Issuer : String get")
    def issuer(self) -> str:
        return self.inner.issuer

    @method("GetCertHashString() : String")
    def get_cert_hash_string(self) -> str:
        return self.inner.thumbprint

    @method("GetCertHash() : Byte[]")
    def get_cert_hash(self) -> bytes:
        return bytes.fromhex(self.inner.thumbprint)

    @method("GetSerialNumberString() : String")
    def get_serial_number_string(self) -> str:
        return self.inner.serial_number

    @method("GetEffectiveDateString() : String")
    def get_effective_date_string(self) -> str:
        return str(DateTime.of(self.inner.not_before))

    @method("GetExpirationDateString() : String")
    def get_expiration_date_string(self) -> str:
        return str(DateTime.of(self.inner.not_after))

    @method("GetRawCertData() : Byte[]")
    def get_raw_cert_data(self) -> bytes:
        return self.inner.der

    @method("GetRawCertDataString() : String")
    def get_raw_cert_data_string(self) -> str:
        return self.inner.der.hex().upper()

    @method("GetName() : String")
    def get_name(self) -> str:
        return self.inner.subject

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(hash(self.inner.der))

    @method("Export(Security.Cryptography.X509Certificates.X509ContentType) : Byte[]")
    @method("Export(Security.Cryptography.X509Certificates.X509ContentType,String) : Byte[]")
    @method("Export(Security.Cryptography.X509Certificates.X509ContentType,Security.SecureString) : Byte[]")
    def export(self, kind: EnumValue, password: Any = None) -> bytes:
        if kind.name == "Cert":
            return self.inner.der
        if kind.name in ("Pfx", "Pkcs12"):
            if self.inner.has_private_key and not self.inner.exportable:
                raise crypto_error("Key not valid for use in specified state.\r\n")
            return bytes(context.machine().certificates.export_pfx(self.inner, _password(password)))
        raise crypto_error("Invalid content type.")

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)

    @method("Dispose() : Void")
    @method("Reset() : Void")
    def dispose(self) -> None:
        pass


@net_type("System.Security.Cryptography.Oid")
class Oid(NetObject):
    def __init__(self, value: str, name: str) -> None:
        self.oid, self.name = value, name

    @prop("Value : String")
    def value(self) -> str:
        return self.oid

    @prop("FriendlyName : String")
    def friendly_name(self) -> str:
        return self.name


OID_NAMES = {
    "2.5.29.37": "Enhanced Key Usage",
    "2.5.29.17": "Subject Alternative Name",
    "2.5.29.15": "Key Usage",
    "2.5.29.19": "Basic Constraints",
    "2.5.29.14": "Subject Key Identifier",
    "1.3.6.1.5.5.7.3.1": "Server Authentication",
    "1.3.6.1.5.5.7.3.2": "Client Authentication",
    "1.2.840.113549.1.1.11": "sha256RSA",
    "1.2.840.113549.1.1.5": "sha1RSA",
    "1.2.840.113549.1.1.1": "RSA",
}


@net_type(f"{SPACE}.X500DistinguishedName")
class X500DistinguishedName(NetObject):
    def __init__(self, name: str) -> None:
        self.own_name = name

    def __str__(self) -> str:
        return "System.Security.Cryptography.X509Certificates.X500DistinguishedName"

    @prop("Name : String get")
    def name(self) -> str:
        return self.own_name


@net_type(f"{SPACE}.X509Certificate2")
class X509Certificate2(X509Certificate):
    """`inner` is the model's certificate; `store` where it came from."""

    def __init__(self, inner: Certificate, store: tuple[str, str] | None = None) -> None:
        self.inner = inner
        self.store = store

    store: tuple[str, str] | None = None

    @staticmethod
    def convert_from(value: Any) -> Any:
        if isinstance(value, str):
            return X509Certificate2(parse_certificate(read_file(value)))
        return None

    @overloads(f"{SPACE}.X509Certificate2", ".ctor", skip=("IntPtr", "()"))
    def new(self, source: Any, password: Any = None, flags: Any = None) -> None:
        self.load(source, password, flags)

    @ctor("()")
    def new_empty(self) -> None:
        self.inner = Certificate(der=b"")

    @overloads(f"{SPACE}.X509Certificate2", "Import")
    def import_data(self, source: Any, password: Any = None, flags: Any = None) -> None:
        self.load(source, password, flags)

    @prop("Thumbprint : String get")
    def thumbprint(self) -> str:
        return self.inner.thumbprint

    @prop("SerialNumber : String get")
    def serial_number(self) -> str:
        return self.inner.serial_number

    @prop("NotBefore : DateTime get")
    def not_before(self) -> DateTime:
        return DateTime.of(self.inner.not_before)

    @prop("NotAfter : DateTime get")
    def not_after(self) -> DateTime:
        return DateTime.of(self.inner.not_after)

    @prop("HasPrivateKey : Boolean get")
    def has_private_key(self) -> bool:
        return self.inner.has_private_key

    @prop("PrivateKey : Security.Cryptography.AsymmetricAlgorithm")
    def private_key(self) -> Any:
        if not self.inner.has_private_key:
            return None
        return RSACryptoServiceProvider(self.inner)

    @prop("FriendlyName : String")
    def friendly_name(self) -> str:
        return self.inner.friendly_name

    @friendly_name.setter
    def friendly_name(self, value: str | None) -> None:
        self.inner.friendly_name = value or ""
        if self.store is not None:
            context.machine().certificates.add(self.inner, *self.store)

    @prop("Archived : Boolean")
    def archived(self) -> bool:
        return False

    @prop("RawData : Byte[] get")
    def raw_data(self) -> bytes:
        return self.inner.der

    @prop("Version : Int32 get")
    def version(self) -> int:
        return int(self.inner.x509.version.value) + 1

    @prop("SubjectName : Security.Cryptography.X509Certificates.X500DistinguishedName get")
    def subject_name(self) -> X500DistinguishedName:
        return X500DistinguishedName(self.inner.subject)

    @prop("IssuerName : Security.Cryptography.X509Certificates.X500DistinguishedName get")
    def issuer_name(self) -> X500DistinguishedName:
        return X500DistinguishedName(self.inner.issuer)

    @prop("SignatureAlgorithm : Security.Cryptography.Oid get")
    def signature_algorithm(self) -> Oid:
        dotted = self.inner.x509.signature_algorithm_oid.dotted_string
        return Oid(dotted, OID_NAMES.get(dotted, dotted))

    @method("GetNameInfo(Security.Cryptography.X509Certificates.X509NameType,Boolean) : String")
    def get_name_info(self, kind: EnumValue, issuer: bool) -> str:
        from cryptography.x509.oid import NameOID

        name = self.inner.x509.issuer if issuer else self.inner.x509.subject
        common = [str(item.value) for item in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if kind.name == "SimpleName":
            return common[0] if common else ""
        if kind.name in ("DnsName", "DnsFromAlternativeName"):
            names = [] if issuer else self.inner.dns_names
            return names[0] if names else (common[0] if common and kind.name == "DnsName" else "")
        raise LabUnsupported(f"GetNameInfo({kind.name})")

    @method("Verify() : Boolean")
    def verify(self) -> bool:
        return bool(context.machine().certificates.is_trusted(self.inner))

    @static("GetCertContentType(Byte[]) : Security.Cryptography.X509Certificates.X509ContentType")
    def get_cert_content_type(data: Any) -> str:
        try:
            parsed = parse_certificate(bytes(data), flags=_EPHEMERAL_KEY_SET)
        except NetException as error:
            if "password" in error.message:
                return "Pfx"
            raise
        return "Pfx" if parsed.has_private_key else "Cert"


@net_type("System.Security.Cryptography.AsymmetricAlgorithm", interfaces=("IDisposable",))
class AsymmetricAlgorithm(NetObject):
    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


@net_type("System.Security.Cryptography.CspKeyContainerInfo")
class CspKeyContainerInfo(NetObject):
    def __init__(self, inner: Certificate) -> None:
        self.inner = inner

    @prop("UniqueKeyContainerName : String get")
    def unique_key_container_name(self) -> str:
        return self.inner.key_name

    @prop("KeyContainerName : String get")
    def key_container_name(self) -> str:
        return self.inner.key_name

    @prop("MachineKeyStore : Boolean get")
    def machine_key_store(self) -> bool:
        return True

    @prop("Exportable : Boolean get")
    def exportable(self) -> bool:
        return self.inner.exportable


@net_type("System.Security.Cryptography.RSA")
class RSA(AsymmetricAlgorithm):
    pass


@net_type("System.Security.Cryptography.RSACryptoServiceProvider")
class RSACryptoServiceProvider(RSA):
    def __init__(self, inner: Certificate) -> None:
        self.inner = inner

    @prop("CspKeyContainerInfo : Security.Cryptography.CspKeyContainerInfo get")
    def csp_key_container_info(self) -> CspKeyContainerInfo:
        return CspKeyContainerInfo(self.inner)

    @prop("KeySize : Int32 get")
    def key_size(self) -> int:
        return int(getattr(self.inner.x509.public_key(), "key_size", 2048))


@net_type(f"{SPACE}.RSACertificateExtensions", kind="class")
class RSACertificateExtensions(NetObject):
    @static("GetRSAPrivateKey(Security.Cryptography.X509Certificates.X509Certificate2) : Security.Cryptography.RSA")
    def private_key_of(certificate: Any) -> Any:
        """None where the key is of another kind."""
        inner = need(certificate, "certificate").inner
        return RSACryptoServiceProvider(inner) if inner.has_private_key and inner.has_rsa_key else None


@net_type("System.Security.Cryptography.CngKey", interfaces=("IDisposable",))
class CngKey(NetObject):
    def __init__(self, inner: Certificate) -> None:
        self.inner = inner

    @prop("UniqueName : String get")
    def unique_name(self) -> str:
        return self.inner.key_name

    @prop("IsMachineKey : Boolean get")
    def is_machine_key(self) -> bool:
        return True

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


@net_type("System.Security.Cryptography.ECDsa")
class ECDsa(AsymmetricAlgorithm):
    pass


@net_type("System.Security.Cryptography.ECDsaCng")
class ECDsaCng(ECDsa):
    def __init__(self, inner: Certificate) -> None:
        self.inner = inner

    @prop("Key : Security.Cryptography.CngKey get")
    def key(self) -> CngKey:
        return CngKey(self.inner)

    @prop("KeySize : Int32 get")
    def key_size(self) -> int:
        return int(getattr(self.inner.x509.public_key(), "key_size", 256))


@net_type(f"{SPACE}.ECDsaCertificateExtensions", kind="class")
class ECDsaCertificateExtensions(NetObject):
    @static("GetECDsaPrivateKey(Security.Cryptography.X509Certificates.X509Certificate2) : Security.Cryptography.ECDsa")
    def private_key_of(certificate: Any) -> Any:
        """None where the key is of another kind."""
        inner = need(certificate, "certificate").inner
        return ECDsaCng(inner) if inner.has_private_key and not inner.has_rsa_key else None


@net_type(f"{SPACE}.X509CertificateCollection", interfaces=("Collections.IList",))
class X509CertificateCollection(NetObject):
    items: list[Any]

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    @method("Clear() : Void")
    def clear(self) -> None:
        self.items.clear()

    @method("RemoveAt(Int32) : Void")
    def remove_at(self, index: int) -> None:
        del self.items[index]


@net_type(f"{SPACE}.X509Certificate2Collection")
class X509Certificate2Collection(X509CertificateCollection):
    def __init__(self, items: list[Any] | None = None) -> None:
        self.items = items or []

    @ctor("()")
    def new(self) -> None:
        self.items = []

    @ctor("(Security.Cryptography.X509Certificates.X509Certificate2)")
    def new_one(self, one: X509Certificate2) -> None:
        self.items = [one]

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : Security.Cryptography.X509Certificates.X509Certificate2")
    def item(self, index: int) -> Any:
        if not 0 <= index < len(self.items):
            raise NetException(
                "System.ArgumentOutOfRangeException",
                "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index",
            )
        return self.items[index]

    @method("Add(Security.Cryptography.X509Certificates.X509Certificate2) : Int32")
    def add(self, one: X509Certificate2) -> int:
        self.items.append(need(one, "certificate"))
        return len(self.items) - 1

    @overloads(f"{SPACE}.X509Certificate2Collection", "Import")
    def import_data(self, source: Any, password: Any = None, flags: Any = None) -> None:
        data = read_file(source) if isinstance(source, str) else bytes(source)
        own = parse_certificate(data, _password(password), flags.value if flags is not None else 0)
        self.items += [X509Certificate2(one) for one in [own, *_others(data, _password(password))]]

    @method("Contains(Security.Cryptography.X509Certificates.X509Certificate2) : Boolean")
    def contains(self, one: X509Certificate2) -> bool:
        return any(item == one for item in self.items)

    @method(
        "Find(Security.Cryptography.X509Certificates.X509FindType,Object,Boolean) : Security.Cryptography.X509Certificates.X509Certificate2Collection"
    )
    def find(self, kind: EnumValue, value: Any, valid_only: bool) -> X509Certificate2Collection:
        text = str(value)
        tests: dict[str, Any] = {
            "FindByThumbprint": lambda item: item.inner.thumbprint == text.replace(" ", "").upper(),
            "FindBySubjectName": lambda item: text.lower() in item.inner.subject.lower().replace("cn=", ""),
            "FindBySubjectDistinguishedName": lambda item: item.inner.subject.lower() == text.lower(),
            "FindByIssuerName": lambda item: text.lower() in item.inner.issuer.lower(),
            "FindByIssuerDistinguishedName": lambda item: item.inner.issuer.lower() == text.lower(),
            "FindBySerialNumber": lambda item: item.inner.serial_number == text.upper(),
        }
        if kind.name not in tests:
            raise LabUnsupported(f"X509FindType.{kind.name}")
        found = [item for item in self.items if tests[kind.name](item)]
        return X509Certificate2Collection([item for item in found if not valid_only or item.verify()])

    @method("Remove(Security.Cryptography.X509Certificates.X509Certificate2) : Void")
    def remove(self, one: X509Certificate2) -> None:
        self.items = [item for item in self.items if item != one]

    @method("GetEnumerator() : Security.Cryptography.X509Certificates.X509Certificate2Enumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self.items)


_STORES = {
    "My": "My",
    "Root": "Root",
    "CertificateAuthority": "CA",
    "TrustedPeople": "TrustedPeople",
    "TrustedPublisher": "TrustedPublisher",
}


@net_type(f"{SPACE}.X509Store", interfaces=("IDisposable",))
class X509Store(NetObject):
    def setup(self, name: str = "My", location: str = "CurrentUser") -> None:
        self.store_name, self.place = name, location
        self.mode: int | None = None

    @overloads(f"{SPACE}.X509Store", ".ctor", skip=("IntPtr",))
    def new(self, *arguments: Any) -> None:
        self.setup()
        for item in arguments:
            if isinstance(item, EnumValue) and item.net_type.name == "StoreLocation":
                self.place = item.name
            elif isinstance(item, EnumValue):
                self.store_name = _STORES.get(item.name, item.name)
            else:
                self.store_name = need(item, "storeName")

    def _open(self) -> None:
        if self.mode is None:
            raise crypto_error("The X509 certificate store has not been opened.")

    @prop("Name : String get")
    def name(self) -> str:
        return self.store_name

    @prop("Location : Security.Cryptography.X509Certificates.StoreLocation get")
    def location(self) -> str:
        return self.place

    @prop("Certificates : Security.Cryptography.X509Certificates.X509Certificate2Collection get")
    def certificates(self) -> X509Certificate2Collection:
        if self.mode is None:
            return X509Certificate2Collection()
        found = context.machine().certificates.all(self.store_name, self.place)
        return X509Certificate2Collection([X509Certificate2(item, (self.store_name, self.place)) for item in found])

    @method("Open(Security.Cryptography.X509Certificates.OpenFlags) : Void")
    def open(self, flags: EnumValue) -> None:
        user = context.user()
        if (
            flags.value & 3
            and self.place == "LocalMachine"
            and user is not None
            and not user.elevated
            and not user.is_system
        ):
            raise crypto_error("Access is denied.\r\n")
        if flags.value & 4 and self.store_name.lower() not in (
            item.lower() for item in context.machine().certificates.stores()
        ):
            raise crypto_error("The system cannot find the file specified.\r\n")
        self.mode = flags.value

    def _writable(self) -> None:
        self._open()
        if not (self.mode or 0) & 3:
            raise crypto_error("Access is denied.\r\n")

    @method("Add(Security.Cryptography.X509Certificates.X509Certificate2) : Void")
    def add(self, one: X509Certificate2) -> None:
        self._writable()
        try:
            context.machine().certificates.add(need(one, "certificate").inner, self.store_name, self.place)
        except WindowsError as error:
            raise crypto_error(f"{error.message}\r\n") from None

    @method("Remove(Security.Cryptography.X509Certificates.X509Certificate2) : Void")
    def remove(self, one: X509Certificate2) -> None:
        self._writable()
        try:
            context.machine().certificates.remove(
                need(one, "certificate").inner.thumbprint, self.store_name, self.place
            )
        except WindowsError:
            pass

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.mode = None


# What Windows says of each status (CERT_E_*), in the order in which .NET lists them.
_CHAIN_STATUS = {
    "UntrustedRoot": "A certificate chain processed, but terminated in a root certificate which is not trusted by the trust provider.\r\n",
    "PartialChain": "A certificate chain could not be built to a trusted root authority.\r\n",
    "NotTimeValid": "A required certificate is not within its validity period when verifying against the current system clock or the "
    "timestamp in the signed file.\r\n",
}
_IGNORED = {"NotTimeValid": 1, "UntrustedRoot": 16, "PartialChain": 16}
"""Which X509VerificationFlags let a status pass."""


def chain_status(inner: Certificate) -> list[str]:
    """What is wrong with a certificate's chain, as X509ChainStatusFlags; the machine's stores hold its issuers."""
    known = context.machine().certificates
    chain = known.chain(inner)
    now = context.machine().now()
    found = set()
    if chain[-1].subject != chain[-1].issuer:
        found.add("PartialChain")
    elif known.find(chain[-1].thumbprint, "Root") is None:
        found.add("UntrustedRoot")
    if not all(item.not_before <= now <= item.not_after for item in chain):
        found.add("NotTimeValid")
    return [name for name in _CHAIN_STATUS if name in found]


def has_name(inner: Certificate, name: str) -> bool:
    """Whether a certificate is for a host; `*` stands for one label, the first."""
    labels = name.lower().partition(".")
    return any(
        item.lower() == name.lower() or (item.startswith("*.") and labels[1] and item[2:].lower() == labels[2])
        for item in inner.dns_names
    )


@net_type(f"{SPACE}.X509ChainStatus", kind="struct")
class X509ChainStatus(NetObject):
    def __init__(self, name: str = "NoError") -> None:
        self.name = name

    @prop("Status : Security.Cryptography.X509Certificates.X509ChainStatusFlags")
    def status(self) -> str:
        return self.name

    @prop("StatusInformation : String")
    def status_information(self) -> str:
        return _CHAIN_STATUS.get(self.name, "")


@net_type(f"{SPACE}.X509ChainElement")
class X509ChainElement(NetObject):
    def __init__(self, inner: Certificate) -> None:
        self.inner = inner

    @prop("Certificate : Security.Cryptography.X509Certificates.X509Certificate2 get")
    def certificate(self) -> X509Certificate2:
        return X509Certificate2(self.inner)


@net_type(f"{SPACE}.X509ChainElementCollection", interfaces=("Collections.ICollection",))
class X509ChainElementCollection(NetObject):
    def __init__(self, items: list[X509ChainElement]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[X509ChainElement]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : Security.Cryptography.X509Certificates.X509ChainElement")
    def item(self, index: int) -> X509ChainElement:
        if not 0 <= index < len(self.items):
            raise NetException(
                "System.InvalidOperationException", "Enumeration has either not started or has already finished."
            )
        return self.items[index]


@net_type(f"{SPACE}.X509ChainPolicy")
class X509ChainPolicy(NetObject):
    def __init__(self) -> None:
        self.mode, self.flags = 1, 0

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @prop("RevocationMode : Security.Cryptography.X509Certificates.X509RevocationMode")
    def revocation_mode(self) -> int:
        return self.mode

    @revocation_mode.setter
    def revocation_mode(self, value: EnumValue) -> None:
        self.mode = value.value

    @prop("VerificationFlags : Security.Cryptography.X509Certificates.X509VerificationFlags")
    def verification_flags(self) -> int:
        return self.flags

    @verification_flags.setter
    def verification_flags(self, value: EnumValue) -> None:
        self.flags = value.value


@net_type(f"{SPACE}.X509Chain", interfaces=("IDisposable",))
class X509Chain(NetObject):
    def __init__(self) -> None:
        self.policy = X509ChainPolicy()
        self.reset()

    @ctor("()")
    @ctor("(Boolean)")
    def new(self, machine: bool = False) -> None:
        self.__init__()

    @static("Create() : Security.Cryptography.X509Certificates.X509Chain")
    def create() -> X509Chain:
        return X509Chain()

    @method("Reset() : Void")
    def reset(self) -> None:
        self.elements: list[X509ChainElement] = []
        self.found: list[str] = []

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass

    @method("Build(Security.Cryptography.X509Certificates.X509Certificate2) : Boolean")
    def build(self, one: X509Certificate2 | None) -> bool:
        if one is None or not one.inner.der:
            raise NetException(
                "System.ArgumentException", "The certificate context is invalid.\r\nParameter name: certificate"
            )
        chain = context.machine().certificates.chain(one.inner)
        if self.policy.mode and len(chain) > 1:
            raise LabUnsupported("X509Chain.Build with a check of revocation")
        self.elements = [X509ChainElement(item) for item in chain]
        self.found = chain_status(one.inner)
        return all(_IGNORED[name] & self.policy.flags for name in self.found)

    @prop("ChainPolicy : Security.Cryptography.X509Certificates.X509ChainPolicy")
    def chain_policy(self) -> X509ChainPolicy:
        return self.policy

    @chain_policy.setter
    def chain_policy(self, value: X509ChainPolicy | None) -> None:
        self.policy = need(value, "value")

    @prop("ChainElements : Security.Cryptography.X509Certificates.X509ChainElementCollection get")
    def chain_elements(self) -> X509ChainElementCollection:
        return X509ChainElementCollection(self.elements)

    @prop("ChainStatus : Security.Cryptography.X509Certificates.X509ChainStatus[] get")
    def chain_status(self) -> PSArray:
        return PSArray([X509ChainStatus(name) for name in self.found], get_type(f"{SPACE}.X509ChainStatus"))
