"""What Windows setup writes when features of IIS are switched on or off, and what the HttpPlatformHandler packages add.

Everything ends up in the server's files and registry, edited through the configuration system like any other change: applicationHost.config with the
sections, modules and handlers of the installed features, schema files, DLLs (stubs), C:\\inetpub, HKLM\\SOFTWARE\\Microsoft\\InetStp.

Sources: "Discover installed components" and the configuration reference of the IIS documentation, the default applicationHost.config of IIS 10, and, for
HttpPlatformHandler, the published installers' behaviour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winlab.iis.config import APPHOST, CONFIG_DIR, Configuration
from winlab.iis.elements import Collection
from winlab.iis.errors import ConfigError
from winlab.iis.files import SCHEMA_FOLDER, machine_store
from winlab.iis.schema import SCHEMA_DIR
from winlab.windows.acl import Acl
from winlab.windows.images import program_stub

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

INETSRV = r"C:\Windows\System32\inetsrv"
INETSTP = r"HKLM\SOFTWARE\Microsoft\InetStp"
WWWROOT = r"C:\inetpub\wwwroot"
_DEFAULTS = Path(__file__).parent / "defaults"
_ADMINISTRATORS_ONLY = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
_WEB_CONTENT = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICI;0x1200a9;;;S-1-5-32-568)(A;OICIIO;FA;;;CO)"


@dataclass(frozen=True)
class Component:
    """One installable part of IIS.

    Attributes:
        server, client: feature names in Server Manager ("Web-Filtering") and as optional feature ("IIS-RequestFiltering").
        registry: names of the values below InetStp\\Components.
        modules: name -> DLL of native modules; `plain` modules are global modules only.
        sections: (group, name, allowDefinition, overrideModeDefault) that only exist with the component.
        files: DLLs and programs in inetsrv.
    """

    server: str
    client: str
    registry: tuple[str, ...] = ()
    modules: dict[str, str] = field(default_factory=dict)
    sections: tuple[tuple[str, str, str, str], ...] = ()
    files: tuple[str, ...] = ()


_TOOLS = ("Microsoft.Web.Administration.dll",)

COMPONENTS: tuple[Component, ...] = (
    Component("Web-Static-Content", "IIS-StaticContent", ("StaticContent",), {"StaticFileModule": "static.dll"}),
    Component("Web-Default-Doc", "IIS-DefaultDocument", ("DefaultDocument",), {"DefaultDocumentModule": "defdoc.dll"}),
    Component(
        "Web-Dir-Browsing", "IIS-DirectoryBrowsing", ("DirectoryBrowse",), {"DirectoryListingModule": "dirlist.dll"}
    ),
    Component("Web-Http-Errors", "IIS-HttpErrors", ("HttpErrors",), {"CustomErrorModule": "custerr.dll"}),
    Component("Web-Http-Redirect", "IIS-HttpRedirect", ("HttpRedirect",), {"HttpRedirectionModule": "redirect.dll"}),
    Component("Web-Http-Logging", "IIS-HttpLogging", ("HttpLogging",), {"HttpLoggingModule": "loghttp.dll"}),
    Component("Web-Custom-Logging", "IIS-CustomLogging", ("CustomLogging",), {"CustomLoggingModule": "logcust.dll"}),
    Component("Web-Log-Libraries", "IIS-LoggingLibraries", ("LoggingLibraries",)),
    Component(
        "Web-Request-Monitor", "IIS-RequestMonitor", ("RequestMonitor",), {"RequestMonitorModule": "iisreqs.dll"}
    ),
    Component(
        "Web-Http-Tracing",
        "IIS-HttpTracing",
        ("HttpTracing",),
        {"TracingModule": "iisetw.dll", "FailedRequestsTracingModule": "iisfreb.dll"},
    ),
    Component(
        "Web-Stat-Compression",
        "IIS-HttpCompressionStatic",
        ("HttpCompressionStatic",),
        {"StaticCompressionModule": "compstat.dll"},
    ),
    Component(
        "Web-Dyn-Compression",
        "IIS-HttpCompressionDynamic",
        ("HttpCompressionDynamic",),
        {"DynamicCompressionModule": "compdyn.dll"},
    ),
    Component(
        "Web-Filtering", "IIS-RequestFiltering", ("RequestFiltering",), {"RequestFilteringModule": "modrqflt.dll"}
    ),
    Component(
        "Web-Basic-Auth",
        "IIS-BasicAuthentication",
        ("BasicAuthentication",),
        {"BasicAuthenticationModule": "authbas.dll"},
    ),
    Component(
        "Web-Windows-Auth",
        "IIS-WindowsAuthentication",
        ("WindowsAuthentication",),
        {"WindowsAuthenticationModule": "authsspi.dll"},
    ),
    Component(
        "Web-Digest-Auth",
        "IIS-DigestAuthentication",
        ("DigestAuthentication",),
        {"DigestAuthenticationModule": "authmd5.dll"},
    ),
    Component(
        "Web-Client-Auth",
        "IIS-ClientCertificateMappingAuthentication",
        ("ClientCertificateMappingAuthentication",),
        {"CertificateMappingAuthenticationModule": "authcert.dll"},
    ),
    Component(
        "Web-Cert-Auth",
        "IIS-IISCertificateMappingAuthentication",
        ("IISClientCertificateMappingAuthentication",),
        {"IISCertificateMappingAuthenticationModule": "authmap.dll"},
    ),
    Component("Web-Url-Auth", "IIS-URLAuthorization", ("Authorization",), {"UrlAuthorizationModule": "urlauthz.dll"}),
    Component(
        "Web-IP-Security",
        "IIS-IPSecurity",
        ("IPSecurity",),
        {"IpRestrictionModule": "iprestr.dll", "DynamicIpRestrictionModule": "diprestr.dll"},
    ),
    Component("Web-CertProvider", "IIS-CertProvider", ("CertProvider",)),
    Component(
        "Web-AppInit",
        "IIS-ApplicationInit",
        ("ApplicationInitialization",),
        {"ApplicationInitializationModule": "warmup.dll"},
        (("system.webServer", "applicationInitialization", "MachineToApplication", "Allow"),),
    ),
    Component(
        "Web-WebSockets",
        "IIS-WebSockets",
        ("WebSockets",),
        {"WebSocketModule": "iiswsock.dll"},
        (("system.webServer", "webSocket", "", "Deny"),),
    ),
    Component("Web-CGI", "IIS-CGI", ("CGI",), {"CgiModule": "cgi.dll", "FastCgiModule": "iisfcgi.dll"}),
    Component("Web-ISAPI-Ext", "IIS-ISAPIExtensions", ("ISAPIExtensions",), {"IsapiModule": "isapi.dll"}),
    Component("Web-ISAPI-Filter", "IIS-ISAPIFilter", ("ISAPIFilter",), {"IsapiFilterModule": "filter.dll"}),
    Component(
        "Web-Includes", "IIS-ServerSideIncludes", ("ServerSideInclude",), {"ServerSideIncludeModule": "iis_ssi.dll"}
    ),
    Component("Web-ASP", "IIS-ASP", ("ASP",)),
    Component("Web-Net-Ext", "IIS-NetFxExtensibility", ("NetFxExtensibility",)),
    Component("Web-Net-Ext45", "IIS-NetFxExtensibility45", ("NetFxExtensibility45",)),
    Component("Web-Asp-Net", "IIS-ASPNET", ("ASPNET",)),
    Component("Web-Asp-Net45", "IIS-ASPNET45", ("ASPNET45",)),
    Component("Web-Mgmt-Console", "IIS-ManagementConsole", ("ManagementConsole",), files=(*_TOOLS, "InetMgr.exe")),
    Component("Web-Scripting-Tools", "IIS-ManagementScriptingTools", ("ManagementScriptingTools",), files=_TOOLS),
    Component("Web-Mgmt-Service", "IIS-ManagementService", ("ManagementService",), files=(*_TOOLS, "WMSvc.exe")),
)
_ROLES = ("Web-WebServer", "IIS-WebServer")
_CORE_REGISTRY = ("W3SVC", "CoreWebEngine", "ProcessModel", "NetFxEnvironment", "ConfigurationAPI")
_UNLOCKING = ("Web-Asp-Net", "Web-Asp-Net45")
_STATIC_HANDLER = "StaticFileModule,DefaultDocumentModule,DirectoryListingModule"

_HIDDEN_SEGMENTS = [
    "web.config",
    "bin",
    "App_code",
    "App_GlobalResources",
    "App_LocalResources",
    "App_WebReferences",
    "App_Data",
    "App_Browsers",
]
_DENIED_EXTENSIONS = [
    ".asa",
    ".asax",
    ".ascx",
    ".master",
    ".skin",
    ".browser",
    ".sitemap",
    ".config",
    ".cs",
    ".csproj",
    ".vb",
    ".vbproj",
    ".webinfo",
    ".licx",
    ".resx",
    ".resources",
    ".mdb",
    ".vjsproj",
    ".java",
    ".jsl",
    ".ldb",
    ".dsdgm",
    ".ssdgm",
    ".lsad",
    ".ssmap",
    ".cd",
    ".dsprototype",
    ".lsaprototype",
    ".sdm",
    ".sdmDocument",
    ".mdf",
    ".ldf",
    ".ad",
    ".dd",
    ".ldd",
    ".sd",
    ".adprototype",
    ".lddprototype",
    ".exclude",
    ".refresh",
    ".compiled",
    ".msgx",
    ".vsdisco",
    ".rules",
]
_ERROR_PAGES = {
    401: "Unauthorized: Access is denied due to invalid credentials.",
    403: "Forbidden: Access is denied.",
    404: "File or directory not found.",
    405: "HTTP verb used to access this page is not allowed.",
    406: "Client browser does not accept the MIME type of the requested page.",
    412: "Precondition set by the client failed when evaluated on the Web server.",
    500: "Internal server error.",
    501: "Header values specify a method that is not implemented.",
    502: "Web server received an invalid response while acting as a gateway or proxy server.",
}


def is_installed(machine: Machine) -> bool:
    """Whether the server has IIS's core (W3SVC)."""
    return machine.fs.is_file(APPHOST)


def component(feature: str) -> Component | None:
    """The part of IIS that a feature name of either kind of Windows stands for."""
    lowered = feature.lower()
    return next((c for c in COMPONENTS if lowered in (c.server.lower(), c.client.lower())), None)


def feature_installed(machine: Machine, feature: str) -> None:
    """Does what setup does for one feature, after those that it depends on."""
    if feature.lower() in (r.lower() for r in _ROLES):
        install_core(machine)
        return
    found = component(feature)
    if found is None:
        return
    if not found.files:
        install_core(machine)
    _install_component(machine, found)


def feature_removed(machine: Machine, feature: str) -> None:
    """Takes the feature's modules, sections, files and registry values out again. Removing the web server leaves C:\\inetpub."""
    if feature.lower() in (r.lower() for r in _ROLES):
        remove_core(machine)
        return
    found = component(feature)
    if found is not None:
        _remove_component(machine, found)


# -- the core


def install_core(machine: Machine) -> None:
    """Files, registry and a bare applicationHost.config. Nothing happens when they are there."""
    if is_installed(machine):
        return
    fs = machine.fs
    for folder in (
        CONFIG_DIR,
        SCHEMA_FOLDER,
        CONFIG_DIR + r"\Export",
        INETSRV + r"\en-US",
        WWWROOT,
        r"C:\inetpub\custerr\en-US",
        r"C:\inetpub\history",
        r"C:\inetpub\logs\LogFiles",
        r"C:\inetpub\temp\appPools",
        r"C:\inetpub\temp\IIS Temporary Compressed Files",
    ):
        fs.mkdir(folder, parents=True)
    fs.set_acl(CONFIG_DIR, Acl.from_sddl(_ADMINISTRATORS_ONLY))
    fs.set_acl(WWWROOT, Acl.from_sddl(_WEB_CONTENT))
    for name in ("IIS_schema.xml", "rscaext.xml"):
        fs.write_bytes(f"{SCHEMA_FOLDER}\\{name}", _schema_of(name, machine.windows.build))
    fs.write_bytes(CONFIG_DIR + r"\redirection.config", _small_config("configurationRedirection"))
    version = machine.windows.full_version
    for name in ("w3wp.exe", "appcmd.exe", "inetinfo.exe", "iisrstas.exe"):
        fs.write_bytes(f"{INETSRV}\\{name}", program_stub(name.partition(".")[0], version, _DESCRIPTIONS.get(name, "")))
    for name in (
        "iiscore.dll",
        "nativerd.dll",
        "w3wphost.dll",
        "iisw3adm.dll",
        "cachuri.dll",
        "cachfile.dll",
        "cachtokn.dll",
        "cachhttp.dll",
        "protsup.dll",
        "authanon.dll",
    ):
        fs.write_bytes(f"{INETSRV}\\{name}", program_stub(name, version))
    if not fs.is_file(WWWROOT + r"\iisstart.htm"):
        fs.write_bytes(WWWROOT + r"\iisstart.htm", _start_page(machine.windows.is_server))
        fs.write_bytes(WWWROOT + r"\iisstart.png", _PIXEL)
    fs.write_bytes(
        APPHOST, (_DEFAULTS / "applicationHost.config").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    )
    _write_registry(machine)


_HSTS_BUILD = 16299  # IIS 10.0 version 1709 brought the element <hsts> of sites and siteDefaults
_HSTS = b"""
      <element name="hsts">
        <attribute name="enabled" type="bool" defaultValue="false" />
        <attribute name="max-age" type="uint" defaultValue="0" />
        <attribute name="includeSubDomains" type="bool" defaultValue="false" />
        <attribute name="preload" type="bool" defaultValue="false" />
        <attribute name="redirectHttpToHttps" type="bool" defaultValue="false" />
      </element>"""


def _schema_of(name: str, build: int) -> bytes:
    """A schema file as that build of Windows has it; the ones kept here are those of Server 2016."""
    text = (SCHEMA_DIR / name).read_bytes()
    if build < _HSTS_BUILD:
        return text
    return re.sub(
        rb'<element name="traceFailedRequestsLogging">.*?</element>', lambda m: m[0] + _HSTS, text, flags=re.DOTALL
    )


_DESCRIPTIONS = {"w3wp.exe": "IIS Worker Process", "appcmd.exe": "Application Server Command Line Admin Tool"}


def remove_core(machine: Machine) -> None:
    if not is_installed(machine):
        return
    for item in machine.fs.listdir(CONFIG_DIR):
        if not item.is_dir:
            machine.fs.remove(item.path)
    for name in ("w3wp.exe", "appcmd.exe", "inetinfo.exe"):
        if machine.fs.is_file(f"{INETSRV}\\{name}"):
            machine.fs.remove(f"{INETSRV}\\{name}")
    if machine.registry.exists(INETSTP):
        machine.registry.delete(INETSTP, recursive=True)


def _write_registry(machine: Machine) -> None:
    key = machine.registry.create(INETSTP)
    for name, value, kind in (
        ("MajorVersion", 10, "DWord"),
        ("MinorVersion", 0, "DWord"),
        ("VersionString", "Version 10.0", "String"),
        ("ProductString", "Internet Information Services", "String"),
        ("SetupString", "IIS 10.0", "String"),
        ("IISProgramGroup", "Administrative Tools", "String"),
        ("InstallPath", r"%windir%\system32\inetsrv", "ExpandString"),
        ("PathWWWRoot", r"%SystemDrive%\inetpub\wwwroot", "ExpandString"),
        ("MachineName", machine.name, "String"),
    ):
        key.set(name, value, kind)
    components = machine.registry.create(INETSTP + r"\Components")
    for name in _CORE_REGISTRY:
        components.set(name, 1, "DWord")


def _small_config(section: str) -> bytes:
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\r\n<configuration>\r\n    <configSections>\r\n'
        f'        <section name="{section}" />\r\n    </configSections>\r\n\r\n    <{section} />\r\n</configuration>\r\n'
    )
    return text.encode()


def _start_page(is_server: bool) -> bytes:
    title = "IIS Windows Server" if is_server else "IIS Windows"
    return (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n'
        '<html xmlns="http://www.w3.org/1999/xhtml">\r\n<head>\r\n'
        '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1" />\r\n'
        f'<title>{title}</title>\r\n</head>\r\n<body>\r\n<div id="container">\r\n'
        '<a href="http://go.microsoft.com/fwlink/?linkid=66138&amp;clcid=0x409"><img src="iisstart.png" alt="IIS" width="960" height="600" /></a>\r\n'
        "</div>\r\n</body>\r\n</html>\r\n"
    ).encode()


_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


# -- components


def _install_component(machine: Machine, part: Component) -> None:
    for name in part.files:
        machine.fs.mkdir(INETSRV, parents=True)
        machine.fs.write_bytes(
            f"{INETSRV}\\{name}", program_stub(name.removesuffix(".exe"), machine.windows.full_version)
        )
    if is_installed(machine):
        _configure_component(machine, part)
    key = machine.registry.create(INETSTP + r"\Components")
    for name in part.registry:
        key.set(name, 1, "DWord")


def _configure_component(machine: Machine, part: Component) -> None:
    session = machine_store(machine).session()
    configuration = session.apphost()
    for group, name, allow_definition, mode in part.sections:
        _declare(configuration, group, name, allow_definition, mode)
    for name, dll in part.modules.items():
        machine.fs.write_bytes(f"{INETSRV}\\{dll}", program_stub(dll, machine.windows.full_version))
        _add_module(configuration, name, f"%windir%\\System32\\inetsrv\\{dll}", lock=True)
    _CONTENT.get(part.server, lambda _machine, _configuration: None)(machine, configuration)
    if part.server in _UNLOCKING:
        for section in ("handlers", "modules"):
            configuration.section(f"system.webServer/{section}").set_override_mode("Allow")
    session.commit()


def _remove_component(machine: Machine, part: Component) -> None:
    if is_installed(machine):
        _unconfigure_component(machine, part)
    if machine.registry.exists(INETSTP + r"\Components"):
        key = machine.registry.open(INETSTP + r"\Components")
        for name in part.registry:
            if key.has(name):
                key.delete_value(name)
    kept = {f for c in COMPONENTS if c is not part and _is_registered(machine, c) for f in c.files}
    for name in part.files:
        if name not in kept and machine.fs.is_file(f"{INETSRV}\\{name}"):
            machine.fs.remove(f"{INETSRV}\\{name}")


def _unconfigure_component(machine: Machine, part: Component) -> None:
    session = machine_store(machine).session()
    configuration = session.apphost()
    for name in part.modules:
        _drop_module(configuration, name)
    for group, name, _, _ in part.sections:
        _undeclare(configuration, group, name)
    if part.server == "Web-Static-Content":
        _drop(configuration.section("system.webServer/handlers").collection, name="StaticFile")
    session.commit()


def _is_registered(machine: Machine, part: Component) -> bool:
    path = INETSTP + r"\Components"
    return machine.registry.exists(path) and any(n in machine.registry.open(path).values() for n in part.registry)


def _declare(configuration: Configuration, group: str, name: str, allow_definition: str, mode: str) -> None:
    for definition in configuration.sections().walk():
        if definition.path == f"{group}/{name}":
            return
    definition = configuration.add_section_definition(group, name)
    if allow_definition:
        definition.xml.set("allowDefinition", allow_definition)
    definition.xml.set("overrideModeDefault", mode)


def _undeclare(configuration: Configuration, group: str, name: str) -> None:
    """The declaration and whatever applicationHost.config holds of the section."""
    path = f"{group}/{name}"
    for container in [configuration.file.root, *configuration.file.locations()]:
        found = container.find(group)
        content = found.find(name) if found is not None else None
        if found is not None and content is not None:
            found.remove(content)
    for definition in configuration.sections().walk():
        if definition.path == path and definition.xml.parent is not None:
            definition.xml.parent.remove(definition.xml)


def _add(collection: Collection, **values: Any) -> None:
    """Adds an item unless one with its name (its first value) is there."""
    name = next(iter(values))
    if collection.find(**{name: values[name]}) is not None:
        return
    item = collection.create()
    for attribute, value in values.items():
        item.set(attribute, value)
    collection.add(item)


def _drop(collection: Collection, **keys: Any) -> None:
    found = collection.find(**keys)
    if found is not None:
        collection.remove(found)


def _add_module(configuration: Configuration, name: str, image: str, lock: bool) -> None:
    _add(configuration.section("system.webServer/globalModules").collection, name=name, image=image)
    modules = configuration.section("system.webServer/modules").collection
    if modules.find(name=name) is None:
        item = modules.create()
        item.set("name", name)
        if lock and item.own is not None:
            item.own.set("lockItem", "true")
        modules.add(item)


def _drop_module(configuration: Configuration, name: str) -> None:
    _drop(configuration.section("system.webServer/modules").collection, name=name)
    _drop(configuration.section("system.webServer/globalModules").collection, name=name)


def _static_content(machine: Machine, configuration: Configuration) -> None:
    handlers = configuration.section("system.webServer/handlers").collection
    _add(
        handlers,
        name="StaticFile",
        path="*",
        verb="*",
        modules=_STATIC_HANDLER,
        resourceType="Either",
        requireAccess="Read",
    )
    types = configuration.section("system.webServer/staticContent").collection
    for line in (_DEFAULTS / "mimetypes.txt").read_text("ascii").splitlines():
        extension, _, mime = line.partition(" ")
        if types.find(fileExtension=extension) is None:
            _add(types, fileExtension=extension, mimeType=mime)


def _request_filtering(machine: Machine, configuration: Configuration) -> None:
    section = configuration.section("system.webServer/security/requestFiltering")
    for name in ("fileExtensions", "verbs", "hiddenSegments"):
        if name != "hiddenSegments":
            section.child(name).set("allowUnlisted", True)
        section.child(name).set("applyToWebDAV", True)
    for extension in _DENIED_EXTENSIONS:
        _add(section.child("fileExtensions").collection, fileExtension=extension, allowed=False)
    for segment in _HIDDEN_SEGMENTS:
        _add(section.child("hiddenSegments").collection, segment=segment)


def _http_errors(machine: Machine, configuration: Configuration) -> None:
    errors = configuration.section("system.webServer/httpErrors").collection
    for status, text in _ERROR_PAGES.items():
        if errors.find(statusCode=status) is None:
            item = errors.create()
            item.set("statusCode", status)
            item.set("prefixLanguageFilePath", r"%SystemDrive%\inetpub\custerr")
            item.set("path", f"{status}.htm")
            errors.add(item)
        page = f"<html><head><title>{status} - {text}</title></head><body><h1>Server Error</h1><h2>{status} - {text}</h2></body></html>\r\n"
        machine.fs.write_bytes(rf"C:\inetpub\custerr\en-US\{status}.htm", page.encode())


def _static_compression(machine: Machine, configuration: Configuration) -> None:
    section = configuration.section("system.webServer/httpCompression")
    _add(section.collection, name="gzip", dll=r"%Windir%\system32\inetsrv\gzip.dll")
    for mime, enabled in (
        ("text/*", True),
        ("message/*", True),
        ("application/javascript", True),
        ("application/atom+xml", True),
        ("application/xaml+xml", True),
        ("image/svg+xml", True),
        ("*/*", False),
    ):
        _add(section.child("staticTypes").collection, mimeType=mime, enabled=enabled)


def _dynamic_compression(machine: Machine, configuration: Configuration) -> None:
    section = configuration.section("system.webServer/httpCompression")
    _add(section.collection, name="gzip", dll=r"%Windir%\system32\inetsrv\gzip.dll")
    for mime, enabled in (
        ("text/*", True),
        ("message/*", True),
        ("application/x-javascript", True),
        ("application/javascript", True),
        ("*/*", False),
    ):
        _add(section.child("dynamicTypes").collection, mimeType=mime, enabled=enabled)


def _windows_authentication(machine: Machine, configuration: Configuration) -> None:
    section = configuration.section("system.webServer/security/authentication/windowsAuthentication")
    section.set("enabled", False)
    for provider in ("Negotiate", "NTLM"):
        _add(section.child("providers").collection, value=provider)


def _url_authorization(machine: Machine, configuration: Configuration) -> None:
    rules = configuration.section("system.webServer/security/authorization").collection
    if not len(rules):
        rule = rules.create()
        rule.set("accessType", "Allow")
        rule.set("users", "*")
        rules.add(rule)


def _cgi(machine: Machine, configuration: Configuration) -> None:
    handlers = configuration.section("system.webServer/handlers").collection
    _add(
        handlers,
        name="CGI-exe",
        path="*.exe",
        verb="*",
        modules="CgiModule",
        resourceType="File",
        requireAccess="Execute",
        allowPathInfo=True,
    )


_CONTENT = {
    "Web-Static-Content": _static_content,
    "Web-Filtering": _request_filtering,
    "Web-Http-Errors": _http_errors,
    "Web-Stat-Compression": _static_compression,
    "Web-Dyn-Compression": _dynamic_compression,
    "Web-Windows-Auth": _windows_authentication,
    "Web-Url-Auth": _url_authorization,
    "Web-CGI": _cgi,
}


# -- HttpPlatformHandler

HANDLER = "httpPlatformHandler"
HANDLER_SCHEMA = SCHEMA_FOLDER + r"\httpplatform_schema.xml"
HANDLER_DLLS = {
    "1.2": INETSRV + r"\httpPlatformHandler.dll",
    "2": r"C:\Program Files\IIS\HttpPlatformHandler Module\V2\httpplatformhandlerv2.dll",
}
_HANDLER_IMAGES = {
    "1.2": r"%windir%\System32\inetsrv\httpPlatformHandler.dll",
    "2": r"%ProgramFiles%\IIS\HttpPlatformHandler Module\V2\httpplatformhandlerv2.dll",
}
_HANDLER_SCHEMAS = {"1.2": "httpplatform_schema.v1.2.xml", "2": "httpplatform_schema.v2.xml"}


def install_platform_handler(machine: Machine, version: str) -> None:
    """What the package of HttpPlatformHandler 1.2 or of HttpPlatformHandler (HTTP Bridge) 2 does. version: "1.2" or "2".

    Both write the same schema file, section and module name. An entry that is there already stays as it is: version 2 on top of 1.2 goes on
    using the old DLL, and taking 1.2 off afterwards takes section and schema away from version 2.
    """
    dll = HANDLER_DLLS[version]
    machine.fs.mkdir(dll.rpartition("\\")[0], parents=True)
    machine.fs.write_bytes(dll, program_stub(dll.rpartition("\\")[2], version, "IIS HttpPlatformHandler Module"))
    machine.fs.write_bytes(HANDLER_SCHEMA, (SCHEMA_DIR / _HANDLER_SCHEMAS[version]).read_bytes())
    session = machine_store(machine).session()
    configuration = session.apphost()
    _declare(configuration, "system.webServer", "httpPlatform", "", "Allow")
    _add_module(configuration, HANDLER, _HANDLER_IMAGES[version], lock=False)
    if version == "2":
        configuration.section("system.webServer/handlers").set_override_mode("Allow")
    session.commit()


def remove_platform_handler(machine: Machine, version: str) -> None:
    """Uninstalls: section declaration, module, schema file and DLL go, whoever else uses them."""
    session = machine_store(machine).session()
    try:
        configuration = session.apphost()
        _drop_module(configuration, HANDLER)
        _undeclare(configuration, "system.webServer", "httpPlatform")
        session.commit()
    except ConfigError:
        machine.log("HttpPlatformHandler: applicationHost.config could not be changed while uninstalling")
    for path in (HANDLER_SCHEMA, HANDLER_DLLS[version]):
        if machine.fs.is_file(path):
            machine.fs.remove(path)
