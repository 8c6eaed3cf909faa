"""Properties that Windows PowerShell's type files (types.ps1xml) add to .NET types."""

from __future__ import annotations

from typing import Any

from winlab.powershell.objects import PSArray, PSCustomObject
from winlab.powershell.runtime.members import extend_type

from .certificates import OID_NAMES
from .core import NetType, get_type, register_dynamic
from .diagnostics import FileVersionInfo
from .values import net_string

_READ_ONLY, _HIDDEN, _SYSTEM, _DIRECTORY, _ARCHIVE, _LINK = 1, 2, 4, 16, 32, 1024


def mode_text(info: Any) -> str:
    """`d-----`, `-a----`: directory, archive, read-only, hidden, system, link."""
    bits = info.attributes
    if bits == -1:
        return ""
    shown = ((_DIRECTORY, "d"), (_ARCHIVE, "a"), (_READ_ONLY, "r"), (_HIDDEN, "h"), (_SYSTEM, "s"), (_LINK, "l"))
    return "".join(letter if bits & bit else "-" for bit, letter in shown)


def _base_name(info: Any) -> str:
    name, extension = info.name, info.extension
    return name[: len(name) - len(extension)] if extension else name


def _link_type(info: Any) -> str | None:
    found = info.entry
    return (
        "Junction"
        if found is not None and found.is_link and found.is_dir
        else "SymbolicLink"
        if found is not None and found.is_link
        else None
    )


def _target(info: Any) -> Any:
    found = info.entry
    return PSArray([found.link_target], get_type("System.String")) if found is not None and found.link_target else None


for _name in ("System.IO.FileInfo", "System.IO.DirectoryInfo"):
    extend_type(_name, "Mode", mode_text, kind="CodeProperty")
    extend_type(_name, "LinkType", _link_type, kind="CodeProperty")
    extend_type(_name, "Target", _target, kind="CodeProperty")
extend_type("System.IO.FileInfo", "BaseName", _base_name)
extend_type("System.IO.FileInfo", "VersionInfo", lambda info: FileVersionInfo(info.full))
extend_type("System.IO.DirectoryInfo", "BaseName", lambda info: info.name)

_PROCESS = "System.Diagnostics.Process"
for _alias, _target_name in (
    ("Name", "ProcessName"),
    ("SI", "SessionId"),
    ("Handles", "HandleCount"),
    ("VM", "VirtualMemorySize64"),
    ("WS", "WorkingSet64"),
    ("PM", "PagedMemorySize64"),
    ("NPM", "NonpagedSystemMemorySize64"),
):
    extend_type(_PROCESS, _alias, _target_name)
extend_type(_PROCESS, "Path", lambda process: process.own().image)
extend_type(_PROCESS, "CPU", lambda process: process.time_TotalProcessorTime.seconds)
for _field in ("Company", "FileVersion", "ProductVersion", "Description", "Product"):
    _source = {"Company": "CompanyName", "Description": "FileDescription", "Product": "ProductName"}.get(_field, _field)
    extend_type(
        _PROCESS, _field, lambda process, _source=_source: FileVersionInfo(process.own().image).fields.get(_source)
    )
extend_type(_PROCESS, "__NounName", lambda process: "Process", kind="NoteProperty")

_SERVICE = "System.ServiceProcess.ServiceController"
extend_type(_SERVICE, "Name", "ServiceName")
extend_type(_SERVICE, "RequiredServices", "ServicesDependedOn")

extend_type("System.Net.IPAddress", "IPAddressToString", str)
extend_type("System.Diagnostics.EventLogEntry", "EventID", lambda entry: entry.event_id)
extend_type("System.Guid", "Guid", str)


class _DnsName(PSCustomObject):
    """A name of the list; its text is the name."""

    def __str__(self) -> str:
        return net_string(self.get_note("Unicode"))


def _dns_names(item: Any) -> PSArray:
    made = []
    for name in item.inner.dns_names:
        one = _DnsName.of({"Punycode": name, "Unicode": name}, "Microsoft.PowerShell.Commands.DnsNameRepresentation")
        made.append(one)
    return PSArray(made)


def _usages(item: Any) -> PSArray:
    from cryptography import x509

    names = {"1.3.6.1.5.5.7.3.1": "Server Authentication", "1.3.6.1.5.5.7.3.2": "Client Authentication"}
    try:
        usage = item.inner.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return PSArray()
    return PSArray(
        [
            PSCustomObject.of(
                {"FriendlyName": names.get(one.dotted_string, one.dotted_string), "ObjectId": one.dotted_string},
                "Microsoft.PowerShell.Commands.EnhancedKeyUsageRepresentation",
            )
            for one in usage
        ]
    )


extend_type("System.Security.Cryptography.X509Certificates.X509Certificate2", "DnsNameList", _dns_names)
extend_type("System.Security.Cryptography.X509Certificates.X509Certificate2", "EnhancedKeyUsageList", _usages)
extend_type("System.Security.Cryptography.X509Certificates.X509Certificate2", "SendAsTrustedIssuer", lambda item: False)


# ------------------------------------------------------------------------------------------------------------ access control

_SECURITY = "System.Security.AccessControl.ObjectSecurity"


def _nt_account() -> Any:
    return get_type("System.Security.Principal.NTAccount")


def _owner(security: Any) -> str | None:
    from .access import account_or_sid

    return net_string(account_or_sid(security.acl.owner)) if security.acl.owner else None


def _group(security: Any) -> str:
    from .access import account_or_sid

    return net_string(account_or_sid(security.acl.group))


def _access_text(security: Any) -> str:
    lines = []
    for rule in security.get_access_rules(True, True, _nt_account()).items:
        kind = "Allow" if rule.ace.allow else "Deny"
        rights = get_type("System.Security.AccessControl.FileSystemRights").enum(rule.file_system_rights)
        lines.append(f"{rule.identity} {kind}  {rights}")
    return "\n".join(lines)


def _path(security: Any) -> str | None:
    return f"Microsoft.PowerShell.Core\\FileSystem::{security.path}" if security.path else None


extend_type(_SECURITY, "Path", _path, kind="CodeProperty")
extend_type(_SECURITY, "Owner", _owner, kind="CodeProperty")
extend_type(_SECURITY, "Group", _group, kind="CodeProperty")
extend_type(
    _SECURITY, "Access", lambda security: security.get_access_rules(True, True, _nt_account()), kind="CodeProperty"
)
extend_type(_SECURITY, "Sddl", lambda security: security.acl.to_sddl(), kind="CodeProperty")
extend_type(_SECURITY, "AccessToString", _access_text)
extend_type(_SECURITY, "AuditToString", lambda security: "")


# ------------------------------------------------------------------------------------------------------------ exceptions

# Properties of exception classes; their values travel with the NetException.
_EXCEPTIONS = {
    "System.ArgumentException": ("ParamName",),
    "System.ArgumentOutOfRangeException": ("ActualValue",),
    "System.ObjectDisposedException": ("ObjectName",),
    "System.IO.FileNotFoundException": ("FileName",),
    "System.ComponentModel.Win32Exception": ("NativeErrorCode", "ErrorCode"),
    "System.Net.Sockets.SocketException": ("SocketErrorCode",),
    "System.Net.WebException": ("Response", "Status"),
    "System.AggregateException": ("InnerExceptions",),
    "System.Xml.XmlException": ("LineNumber", "LinePosition"),
    "System.Globalization.CultureNotFoundException": ("InvalidCultureName",),
    "System.Threading.AbandonedMutexException": ("Mutex", "MutexIndex"),
}


def _exception_property(error: Any, name: str) -> Any:
    value = error.properties.get(name)
    if value is None and name == "Status":
        return get_type("System.Net.WebExceptionStatus").enum("UnknownError")
    if value is None and name in ("NativeErrorCode", "ErrorCode", "LineNumber", "LinePosition"):
        return 0
    return value


for _type, _names in _EXCEPTIONS.items():
    for _field in _names:
        extend_type(_type, _field, lambda error, _field=_field: _exception_property(error, _field), kind="Property")

# .NET's enums carry their number in a field of this name
extend_type("System.Enum", "value__", lambda value: value.value)


def _usages(certificate: Any) -> PSArray:
    """EnhancedKeyUsageList: what a certificate is for."""
    from cryptography import x509

    try:
        found = certificate.inner.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        found = ()
    kind = "Microsoft.PowerShell.Commands.EnhancedKeyUsageRepresentation"
    made = []
    for item in found:
        oid = item.dotted_string
        name = OID_NAMES.get(oid, "")
        made.append(PSCustomObject.of({"FriendlyName": name, "ObjectId": oid}, kind))
    return PSArray(made)


def _dns_names(certificate: Any) -> PSArray:
    """DnsNameList: the alternative names, or the subject's own name."""
    from cryptography.x509.oid import NameOID

    names = list(certificate.inner.dns_names)
    if not names:
        names = [str(item.value) for item in certificate.inner.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    kind = "Microsoft.PowerShell.Commands.DnsNameRepresentation"
    return PSArray([PSCustomObject.of({"Punycode": name, "Unicode": name}, kind) for name in names])


_CERTIFICATE = "System.Security.Cryptography.X509Certificates.X509Certificate2"
extend_type(_CERTIFICATE, "EnhancedKeyUsageList", _usages)
extend_type(_CERTIFICATE, "DnsNameList", _dns_names)

# exceptions of modules that are written in .NET, beside those that the engine declares
_ACCOUNTS = "Microsoft.PowerShell.Commands"
_MODULE_EXCEPTIONS = [
    ("Microsoft.Management.Infrastructure.CimException", "System.Exception", "Microsoft.Management.Infrastructure"),
    (
        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
        "System.SystemException",
        "Microsoft.PowerShell.Commands.Management",
    ),
    (f"{_ACCOUNTS}.LocalAccountsException", "System.Exception", "Microsoft.PowerShell.LocalAccounts"),
]
for _error in ("AccessDenied", "InvalidName", "InvalidOperation", "MemberExists", "MemberNotFound", "NameInUse"):
    _MODULE_EXCEPTIONS.append((_error, "LocalAccounts", ""))
for _error in ("ObjectExists", "ObjectNotFound", "InvalidPassword"):
    _MODULE_EXCEPTIONS.append((_error, "LocalAccounts", ""))
for _error in ("GroupExists", "UserExists"):
    _MODULE_EXCEPTIONS.append((_error, "ObjectExists", ""))
for _error in ("GroupNotFound", "PrincipalNotFound", "UserNotFound"):
    _MODULE_EXCEPTIONS.append((_error, "ObjectNotFound", ""))
for _error, _base, _assembly in _MODULE_EXCEPTIONS:
    if not _assembly:
        _error, _base = f"{_ACCOUNTS}.{_error}Exception", f"{_ACCOUNTS}.{_base}Exception"
        _assembly = "Microsoft.PowerShell.LocalAccounts"
    register_dynamic(NetType(_error, "class", get_type(_base), _assembly))
