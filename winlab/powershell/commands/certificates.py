"""The PKI module (self-signed certificates, import and export) and Get-PfxCertificate."""

from __future__ import annotations

import datetime
from typing import Any, NoReturn

from winlab.powershell.commands.core import (
    Cmdlet,
    SetInfo,
    ValidateNotNullOrEmpty,
    ValidateSet,
    cmdlet,
    parameter,
    switch,
)
from winlab.powershell.commands.management import texts
from winlab.powershell.commands.security import SECURITY, _PathCmdlet
from winlab.powershell.dotnet.certificates import X509Certificate2, parse_certificate
from winlab.powershell.dotnet.files import FileInfo, read_file, write_file
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import unwrap
from winlab.powershell.providers import ItemError, Location, drives_of
from winlab.windows.certificates import Certificate
from winlab.windows.errors import WindowsError

PKI = "PKI"
SPACE = "Microsoft.CertificateServices.Commands"
NOT_EMPTY = (ValidateNotNullOrEmpty(),)
BAD_PASSWORD = (
    "The PFX file you are trying to import requires either a different password or membership in an Active Directory principal to which it "
    "is protected."
)


class _CertificateCmdlet(Cmdlet):
    """Stores named by `Cert:\\LocalMachine\\My`, certificates by object or path."""

    def fail(self, exception_type: str, message: str, category: str = "NotSpecified") -> NoReturn:
        self.throw(self.error(exception_type, message, exception_type, category))

    def resolve(self, text: str) -> Location:
        try:
            return drives_of(self.runtime).resolve(text)
        except ItemError as error:
            self.throw(error.record)

    def store(self, text: str | None) -> tuple[str, str]:
        """(store, location) of a -CertStoreLocation, or of the current path."""
        place = self.resolve(text or ".")
        parts = [part for part in place.path.split("\\") if part]
        if place.provider.name != "Certificate" or len(parts) != 2 or not place.provider.exists(place.path):
            if not text:
                raise LabUnsupported(f"{self.command_name} without -CertStoreLocation outside a certificate store")
            self.fail("System.IO.DirectoryNotFoundException", f"Cannot find path '{text}' because it does not exist.")
        location, name = place.provider.stored(place.path).split("\\")
        if location == "LocalMachine" and not (self.user is None or self.user.elevated or self.user.is_system):
            self.denied()
        return name, location

    def denied(self) -> NoReturn:
        self.fail("System.UnauthorizedAccessException", "Access is denied. 0x80070005 (WIN32: 5 ERROR_ACCESS_DENIED)")

    def file(self, text: str, missing: str) -> str:
        place = self.resolve(text)
        if place.provider.name != "FileSystem" or not self.machine.fs.is_file(place.path):
            self.fail("System.IO.FileNotFoundException", missing)
        return place.path

    def show(self, found: Certificate, store: tuple[str, str]) -> None:
        """The certificate as Get-ChildItem shows it."""
        drives = drives_of(self.runtime)
        place = drives.resolve(f"Cert:\\{store[1]}\\{store[0]}\\{found.thumbprint}")
        self.write(drives.show(place, X509Certificate2(found, store)))

    def certificate(self, value: Any) -> X509Certificate2:
        """-Cert: a certificate, or the path of one."""
        own = unwrap(value)
        if isinstance(own, X509Certificate2):
            return own
        place = self.resolve(str(own))
        found = place.provider.item(place.path) if place.provider.exists(place.path) else None
        if not isinstance(found, X509Certificate2):
            self.throw(
                self.error(
                    "System.Management.Automation.ItemNotFoundException",
                    f"Cannot find path '{own}' because it does not exist.",
                    "PathNotFound",
                    "ObjectNotFound",
                    own,
                )
            )
        return found

    def target(self, text: str, force: bool, no_clobber: bool) -> str:
        place = self.resolve(text)
        if place.provider.name != "FileSystem":
            raise LabUnsupported(f"{self.command_name} to the {place.provider.name} provider")
        if no_clobber and self.machine.fs.exists(place.path):
            self.fail("System.IO.IOException", f"The file '{place.path}' already exists.", "ResourceExists")
        return place.path

    def put(self, path: str, data: bytes) -> None:
        try:
            write_file(path, data)
        except NetException as error:
            self.fail(error.type_name, error.message)
        self.write(FileInfo(path, path))


def utc(value: Any) -> datetime.datetime | None:
    """A DateTime parameter as the model takes it."""
    return None if value is None else value.to_python()


@cmdlet(
    "New-SelfSignedCertificate", module=PKI, should_process=True, type_name=f"{SPACE}.NewSelfSignedCertificateCommand"
)
class NewSelfSignedCertificate(_CertificateCmdlet):
    """Makes a certificate signed by its own key in a My store."""

    dns_name = parameter("DnsName", "String[]")
    subject = parameter("Subject", "String")
    friendly_name = parameter("FriendlyName", "String")
    not_before = parameter("NotBefore", "DateTime")
    not_after = parameter("NotAfter", "DateTime")
    key_length = parameter("KeyLength", "Int32", default=2048)
    key_algorithm = parameter("KeyAlgorithm", "String", default="RSA")
    hash_algorithm = parameter("HashAlgorithm", "String", default="SHA256")
    key_export_policy = parameter(
        "KeyExportPolicy", "String[]", validate=(ValidateSet("NonExportable", "ExportableEncrypted", "Exportable"),)
    )
    key_usage = parameter("KeyUsage", "String[]")
    key_spec = parameter("KeySpec", "String")
    provider = parameter("Provider", "String")
    of_type = parameter("Type", "String", default="SSLServerAuthentication")
    cert_store_location = parameter("CertStoreLocation", "String")

    def process(self) -> None:
        if (self.key_algorithm or "RSA").upper() != "RSA":
            raise LabUnsupported(f"New-SelfSignedCertificate -KeyAlgorithm {self.key_algorithm}")
        if (self.hash_algorithm or "SHA256").upper() != "SHA256":
            raise LabUnsupported(f"New-SelfSignedCertificate -HashAlgorithm {self.hash_algorithm}")
        usual = {"digitalsignature", "keyencipherment"}
        if self.key_usage is not None and {item.lower() for item in texts(self.key_usage)} != usual:
            raise LabUnsupported("New-SelfSignedCertificate -KeyUsage other than DigitalSignature, KeyEncipherment")
        if (self.of_type or "SSLServerAuthentication").lower() not in ("sslserverauthentication", "custom"):
            raise LabUnsupported(f"New-SelfSignedCertificate -Type {self.of_type}")
        names = texts(self.dns_name) if self.dns_name is not None else []
        if not names and not self.subject:
            self.fail(
                "System.ArgumentException",
                "The DnsName parameter or the Subject parameter has to be specified.",
                "InvalidArgument",
            )
        store = self.store(self.cert_store_location or self._default())
        if store[0] != "My":
            self.fail(
                "System.ArgumentException", "A new certificate can only be installed into MY store.", "InvalidArgument"
            )
        subject = self.subject
        if subject and "=" not in subject:
            subject = f"CN={subject}"
        if not self.should_process(subject or f"CN={names[0]}", "New-SelfSignedCertificate"):
            return
        policy = [item.lower() for item in texts(self.key_export_policy)] if self.key_export_policy is not None else []
        try:
            made = self.machine.certificates.create_self_signed(
                names,
                subject,
                store[0],
                not_before=utc(self.not_before),
                not_after=utc(self.not_after),
                friendly_name=self.friendly_name or "",
                key_length=self.key_length,
                exportable="nonexportable" not in policy,
                location=store[1],
            )
        except WindowsError as error:
            self.fail("System.ComponentModel.Win32Exception", error.message)
        except ValueError as error:
            raise LabUnsupported(f"New-SelfSignedCertificate: {error}") from None
        self.show(made, store)

    def _default(self) -> str:
        """The My store of the current location's side, the machine's elsewhere."""
        place = self.resolve(".")
        if place.provider.name == "Certificate" and place.path.lower().startswith("currentuser"):
            return "Cert:\\CurrentUser\\My"
        return "Cert:\\LocalMachine\\My"


@cmdlet("Import-PfxCertificate", module=PKI, should_process=True, type_name=f"{SPACE}.ImportPfxCertificate")
class ImportPfxCertificate(_CertificateCmdlet):
    """Puts a PFX file's certificates and keys into a store."""

    file_path = parameter(
        "FilePath",
        "String",
        position=0,
        mandatory=True,
        pipeline=True,
        by_name=True,
        aliases=("FullName",),
        validate=NOT_EMPTY,
    )
    cert_store_location = parameter("CertStoreLocation", "String", position=1, validate=NOT_EMPTY)
    exportable = switch("Exportable")
    password = parameter("Password", "Security.SecureString")

    def process(self) -> None:
        path = self.file(self.file_path, "The PFX file could not be found.")
        store = self.store(self.cert_store_location)
        if not self.should_process(path, "Import certificate"):
            return
        password = self.password.text if self.password is not None else None
        try:
            found = self.machine.certificates.import_pfx(
                read_file(path), password, store[0], bool(self.exportable), store[1]
            )
        except NetException as error:
            self.fail(error.type_name, error.message)
        except WindowsError as error:
            if error.code == 5:
                self.denied()
            self.fail(
                "System.ComponentModel.Win32Exception",
                BAD_PASSWORD if error.code == 86 else "The data is invalid. 0x8007000d (WIN32: 13 ERROR_INVALID_DATA)",
            )
        for item in found:
            self.show(item, store)


@cmdlet("Import-Certificate", module=PKI, should_process=True, type_name=f"{SPACE}.ImportCertificateCommand")
class ImportCertificate(_CertificateCmdlet):
    """Puts a certificate file into a store."""

    file_path = parameter(
        "FilePath",
        "String",
        position=0,
        mandatory=True,
        pipeline=True,
        by_name=True,
        aliases=("FullName",),
        validate=NOT_EMPTY,
    )
    cert_store_location = parameter("CertStoreLocation", "String", validate=NOT_EMPTY)

    def process(self) -> None:
        path = self.file(self.file_path, "The certificate file could not be found.")
        store = self.store(self.cert_store_location)
        if not self.should_process(path, "Import certificate"):
            return
        try:
            made = self.machine.certificates.import_certificate(read_file(path), store[0], store[1])
        except NetException as error:
            self.fail(error.type_name, error.message)
        except WindowsError as error:
            if error.code == 5:
                self.denied()
            self.fail(
                "System.ComponentModel.Win32Exception", "The data is invalid. 0x8007000d (WIN32: 13 ERROR_INVALID_DATA)"
            )
        self.show(made, store)


@cmdlet("Export-PfxCertificate", module=PKI, should_process=True, type_name=f"{SPACE}.ExportPfxCertificate")
class ExportPfxCertificate(_CertificateCmdlet):
    """Writes a certificate and its key to a PFX file."""

    cert = parameter("Cert", "Object", position=0, mandatory=True, pipeline=True, validate=NOT_EMPTY)
    file_path = parameter("FilePath", "String", position=1, mandatory=True, aliases=("FullName",), validate=NOT_EMPTY)
    force = switch("Force")
    no_clobber = switch("NoClobber")
    no_properties = switch("NoProperties")
    chain_option = parameter("ChainOption", "String")
    password = parameter("Password", "Security.SecureString")

    def process(self) -> None:
        if self.password is None:
            raise LabUnsupported("Export-PfxCertificate without -Password")
        if self.chain_option is not None and self.chain_option.lower() not in ("buildchain", "endentitycertonly"):
            raise LabUnsupported(f"Export-PfxCertificate -ChainOption {self.chain_option}")
        own = self.certificate(self.cert)
        path = self.target(self.file_path, bool(self.force), bool(self.no_clobber))
        if not self.should_process(path, "Export certificate"):
            return
        try:
            data = self.machine.certificates.export_pfx(own.inner, self.password.text)
        except WindowsError:
            self.fail("System.ComponentModel.Win32Exception", "Cannot export non-exportable private key.")
        self.put(path, data)


@cmdlet("Export-Certificate", module=PKI, should_process=True, type_name=f"{SPACE}.ExportCertificateCommand")
class ExportCertificate(_CertificateCmdlet):
    """Writes a certificate without its key to a file."""

    cert = parameter("Cert", "Object", mandatory=True, pipeline=True, validate=NOT_EMPTY)
    file_path = parameter("FilePath", "String", mandatory=True, aliases=("FullName",), validate=NOT_EMPTY)
    of_type = parameter("Type", "String", default="CERT")
    force = switch("Force")
    no_clobber = switch("NoClobber")

    def process(self) -> None:
        if self.of_type.upper() != "CERT":
            raise LabUnsupported(f"Export-Certificate -Type {self.of_type}")
        own = self.certificate(self.cert)
        path = self.target(self.file_path, bool(self.force), bool(self.no_clobber))
        if self.should_process(path, "Export certificate"):
            self.put(path, own.inner.der)


@cmdlet("Get-PfxCertificate", module=SECURITY, default_set="ByPath")
class GetPfxCertificate(_PathCmdlet):
    """Reads certificate files."""

    path = parameter(
        "FilePath", "String[]", roles={"ByPath": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)}
    )
    literal_path = parameter(
        "LiteralPath", "String[]", mandatory=True, by_name=True, sets=("ByLiteralPath",), aliases=("PSPath",)
    )

    def process(self) -> None:
        for place in self.places():
            full = self.need_file_system(place, "certificates")
            try:
                self.write(X509Certificate2(parse_certificate(read_file(full))))
            except NetException as error:
                if "password" in error.message:
                    raise LabUnsupported("Get-PfxCertificate for a file with a password asks for it") from None
                self.write_error(
                    self.error(error.type_name, error.message, "GetPfxCertificateUnknownCryptoError", "NotSpecified")
                )
