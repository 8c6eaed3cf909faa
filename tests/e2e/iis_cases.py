"""What test_iis_operations.py applies, undoes by hand as an administrator would, and applies again: every property that IIS's schema has for the operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pyinfra_iis.operations.iis import certificates

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "winlab" / "iis" / "schemas" / "IIS_schema.xml"
"""IIS's own schema file, as the lab's servers have it."""

APPCMD = r"& $env:windir\System32\inetsrv\appcmd.exe"
FOLDER = r"C:\inetpub\wwwroot"

HSTS = """<element name="hsts">
  <attribute name="enabled" type="bool" defaultValue="false" />
  <attribute name="max-age" type="uint" defaultValue="0" />
  <attribute name="includeSubDomains" type="bool" defaultValue="false" />
  <attribute name="preload" type="bool" defaultValue="false" />
  <attribute name="redirectHttpToHttps" type="bool" defaultValue="false" />
</element>"""
"""What later versions of IIS add to a site."""


@dataclass(frozen=True)
class Case:
    """One operation with its arguments, and how it comes undone.

    Attributes:
        name: of the operation in pyinfra's output.
        operation: of `pyinfra_iis.operations.iis`.
        arguments: what is wanted.
        by_hand: PowerShell of an administrator.
        shown: what the diff must then say, completely, without host.
        removed: arguments that take away what was made; None: another case takes it away.
    """

    name: str
    operation: str
    arguments: Mapping[str, Any]
    by_hand: str = ""
    shown: tuple[str, ...] = ()
    removed: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Property:
    """One attribute of the schema, with a value to be wanted and one to be set by hand, both as IIS writes them.

    Attributes:
        name: dotted, below its element.
        type: of the schema.
        wanted: by us.
        other: by hand.
        secret: never shown.
    """

    name: str
    type: str
    wanted: str
    other: str
    secret: bool = False

    def change(self, what: str) -> str:
        """What the diff says when it was changed by hand."""
        old, new = ("***", "***") if self.secret else (self.other, self.wanted)
        return f"~ {what} {self.name}: {old or '(empty)'} -> {new or '(empty)'}"


def _section(name: str) -> ElementTree.Element:
    tree = ElementTree.parse(SCHEMA)
    found = next(node for node in tree.iter("sectionSchema") if node.get("name") == name)
    for trace in found.findall(".//element[@name='traceFailedRequestsLogging']/.."):
        trace.append(ElementTree.fromstring(HSTS))
    return found


def properties(node: ElementTree.Element, prefix: str = "") -> Iterator[Property]:
    """All attributes of an element and of the elements in it, but not those of items in collections."""
    for child in node:
        if child.tag == "attribute" and not (
            prefix == "" and (child.get("isUniqueKey") == "true" or child.get("isCombinedKey") == "true")
        ):
            yield _property(child, prefix)
        elif child.tag == "element":
            yield from properties(child, f"{prefix}{child.get('name')}.")


def _property(node: ElementTree.Element, prefix: str) -> Property:
    name, kind, default = node.get("name", ""), node.get("type", ""), node.get("defaultValue", "")
    wanted, other = _values(node, name, kind, default)
    return Property(f"{prefix}{name}", kind, wanted, other, secret=node.get("encrypted") == "true")


def _values(node: ElementTree.Element, name: str, kind: str, default: str) -> tuple[str, str]:
    if kind == "bool":
        return ("false", "true") if default == "true" else ("true", "false")
    if kind in ("enum", "flags"):
        names = [value.get("name", "") for value in node if value.tag in ("enum", "flag")]
        parts = default.split(", ")
        others = [value for value in names if value != default]
        return (others or names)[-1], ", ".join(value for value in names if value in parts) if len(names) > 1 else ""
    limits = [int(limit) for limit in node.get("validationParameter", "").split(",") if limit.strip().isdigit()]
    if kind == "timeSpan":
        step = limits[2] if len(limits) > 2 else 1
        return _time(limits[0] + 2 * step), _time(limits[0] + 3 * step)
    if kind in ("uint", "int", "int64"):
        if "exclude" in node.get("validationParameter", ""):
            return "2048", "4096"
        low, high = limits[:2] if limits else (0, 4096)
        return str(min(high, low + 11)), str(min(high, low + 12))
    return _texts(node, name)


def _time(seconds: int) -> str:
    return str(timedelta(seconds=seconds)).rjust(8, "0")


def _texts(node: ElementTree.Element, name: str) -> tuple[str, str]:
    if name.endswith("Clsid"):
        return "{11111111-1111-1111-1111-111111111111}", "{22222222-2222-2222-2222-222222222222}"
    if node.get("validationType", "").endswith("Path"):
        return "/one", "/two"
    return f"{name}-one", f"{name}-two"


def _given(wanted: list[Property]) -> dict[str, Any]:
    """Properties as an operation gets them; numbers as numbers and switches as switches, as a person writes them."""
    given: dict[str, Any] = {}
    for one in wanted:
        value: Any = one.wanted
        if one.type == "bool":
            value = one.wanted == "true"
        elif one.type in ("uint", "int", "int64"):
            value = int(one.wanted)
        given[one.name] = value
    return given


def _by_appcmd(section: str, item: str, changed: list[Property], path: str = "") -> str:
    """One command line that changes properties; `item` is appcmd's name of the element with a dot behind it, or nothing."""
    settings = " ".join(f'"/{item}{one.name}:{one.other}"' for one in changed)
    where = f'"{path}" ' if path else ""
    return f"{APPCMD} set config {where}-section:{section} {settings} /commit:apphost"


def _schema_case(
    name: str,
    operation: str,
    arguments: Mapping[str, Any],
    what: str,
    section: str,
    item: str,
    node: ElementTree.Element,
    removed: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
    path: str = "",
) -> Case:
    """All attributes that the schema has for one element, in one operation."""
    found = [one for one in properties(node) if not one.name.startswith(without or ("-",))]
    return Case(
        name,
        operation,
        {**arguments, **_given(found)},
        _by_appcmd(section, item, found, path),
        tuple(one.change(what) for one in found),
        removed,
    )


POOLS = "system.applicationHost/applicationPools"
SITES = "system.applicationHost/sites"
FILTERING = "system.webServer/security/requestFiltering"


def _item(section: str, *path: str) -> ElementTree.Element:
    node = _section(section)
    for part in ("collection", *path):
        found = node.find(part)
        assert found is not None
        node = found
    return node


_POOL = _schema_case(
    "Pool",
    "app_pool",
    {"pool": "matrix"},
    "app pool matrix",
    POOLS,
    "[name='matrix'].",
    _item(POOLS),
    {"pool": "matrix", "present": False},
)
_ROOT = Property("physicalPath", "string", FOLDER, r"C:\inetpub")
_SITE = _schema_case(
    "Site",
    "site",
    {"site": "matrix", "path": FOLDER, "pool": "matrix"},
    "site matrix",
    SITES,
    "[name='matrix'].",
    _item(SITES),
    {"site": "matrix", "present": False},
)
_SITE = replace(
    _SITE,
    by_hand=f"{_SITE.by_hand}\n" + _by_appcmd(SITES, "[name='matrix'].[path='/'].[path='/'].", [_ROOT]),
    shown=(*_SITE.shown, _ROOT.change("site matrix")),
)
_APPLICATION = _schema_case(
    "Application",
    "application",
    {"site": "matrix", "path": "/app", "physical_path": FOLDER},
    "site matrix application /app",
    SITES,
    "[name='matrix'].[path='/app'].",
    _item(SITES, "collection"),
    {"site": "matrix", "path": "/app", "present": False},
    without=("virtualDirectoryDefaults.",),
)
_DIRECTORY = _schema_case(
    "Virtual directory",
    "virtual_directory",
    {"site": "matrix", "path": "/media", "application": "/app"},
    "site matrix application /app virtual directory /media",
    SITES,
    "[name='matrix'].[path='/app'].[path='/media'].",
    _item(SITES, "collection", "collection"),
    {"site": "matrix", "path": "/media", "application": "/app", "present": False},
)
_FILTERING = _schema_case(
    "Request filtering",
    "request_filtering",
    {"site": "matrix"},
    f"section {FILTERING} of matrix",
    FILTERING,
    "",
    _section(FILTERING),
    {"site": "matrix", "present": False},
    path="matrix",
)

_BY_HAND_POOL = f"{APPCMD} set config -section:{POOLS}"
_BY_HAND_SITE = f"{APPCMD} set config -section:{SITES}"

CASES: list[Case] = [
    Case(
        "Section",
        "section",
        {"section": "system.webServer/handlers", "unlocked": True},
        f"{APPCMD} lock config -section:system.webServer/handlers",
        ("~ section system.webServer/handlers override mode: Deny -> Allow",),
        {"section": "system.webServer/handlers", "present": False},
    ),
    _POOL,
    Case(
        "Pool in other words",
        "app_pool",
        {
            "pool": "words",
            "queue_length": "21",
            "process_model": {"identity_type": 3, "idleTimeout": timedelta(minutes=2)},
            "recycling.logEventOnRecycle": [128],
            "cpu__action": "throttleunderload",
            "failure": {"rapid_fail_protection": "False"},
        },
        removed={"pool": "words", "present": False},
    ),
    Case(
        "Pool's collections",
        "app_pool",
        {
            "pool": "collections",
            "running": False,
            "recycling": {"periodicRestart": {"schedule": ["03:00", timedelta(hours=15)]}},
            "environment": {"COLOUR": "red", "DB_PASSWORD": "hunter1", "GONE": None},
            "secret_environment": {"PLAIN": "hunter2"},
            "generated": ["MADE"],
        },
        f"{_BY_HAND_POOL} \"/-[name='collections'].recycling.periodicRestart.schedule.[value='03:00:00']\" "
        f"\"/+[name='collections'].recycling.periodicRestart.schedule.[value='04:00:00']\" "
        f"\"/[name='collections'].environmentVariables.[name='COLOUR'].value:blue\" "
        f"\"/[name='collections'].environmentVariables.[name='DB_PASSWORD'].value:other\" "
        f"\"/-[name='collections'].environmentVariables.[name='PLAIN']\" "
        f"\"/+[name='collections'].environmentVariables.[name='GONE',value='mine']\" "
        f"\"/+[name='collections'].environmentVariables.[name='FOREIGN',value='mine']\" /commit:apphost",
        (
            "+ app pool collections recycling.periodicRestart.schedule: 03:00:00",
            "- app pool collections recycling.periodicRestart.schedule: 04:00:00",
            "~ app pool collections environment COLOUR: blue -> red",
            "~ app pool collections environment DB_PASSWORD: *** -> ***",
            "- app pool collections environment GONE: ***",
            "+ app pool collections environment PLAIN: ***",
        ),
        {"pool": "collections", "present": False},
    ),
    Case(
        "Pool of an account",
        "app_pool",
        {"pool": "account", "running": False, "autoStart": False, "identity": r"CONTOSO\web$"},
        f"{_BY_HAND_POOL} \"/[name='account'].processModel.identityType:NetworkService\" /commit:apphost",
        ("~ app pool account processModel.identityType: NetworkService -> SpecificUser",),
        {"pool": "account", "present": False},
    ),
    Case(
        "Running pool",
        "app_pool",
        {"pool": "running", "running": True},
        f"{APPCMD} stop apppool running",
        ("~ app pool running state: Stopped -> Started",),
        {"pool": "running", "present": False},
    ),
    _SITE,
    Case(
        "Site's collections",
        "site",
        {
            "site": "matrix",
            "bindings": ["*:8031:", "127.0.0.1:8032:www.example.com"],
            "logFile": {
                "customFields": {
                    "entries": [{"logFieldName": "id", "sourceName": "X-Id", "sourceType": "RequestHeader"}]
                }
            },
        },
        f"{_BY_HAND_SITE} \"/-[name='matrix'].bindings.[protocol='http',bindingInformation='*:8031:']\" "
        f"\"/+[name='matrix'].bindings.[protocol='http',bindingInformation='*:8033:']\" "
        f"\"/[name='matrix'].logFile.customFields.[logFieldName='id'].sourceName:X-Other\" /commit:apphost",
        (
            "~ site matrix logFile.customFields.entries id sourceName: X-Other -> X-Id",
            "+ site matrix binding: http *:8031:",
            "- site matrix binding: http *:8033:",
        ),
    ),
    Case(
        "Running site",
        "site",
        {
            "site": "running",
            "path": FOLDER,
            "pool": "running",
            "bindings": ["*:8034:"],
            "preload": True,
            "running": True,
        },
        f"{APPCMD} stop site running\n{_BY_HAND_SITE} \"/[name='running'].[path='/'].preloadEnabled:false\" /commit:apphost",
        ("~ site running preloadEnabled: false -> true", "~ site running state: Stopped -> Started"),
        {"site": "running", "present": False},
    ),
    Case(
        "Stopped site",
        "site",
        {"site": "stopped", "path": FOLDER, "pool": "running", "bindings": ["*:8035:"], "running": False},
        f"{APPCMD} start site stopped",
        ("~ site stopped state: Started -> Stopped",),
        {"site": "stopped", "present": False},
    ),
    Case(
        "Site with loose bindings",
        "site",
        {"site": "loose", "path": FOLDER, "pool": "running", "serverAutoStart": False},
        removed={"site": "loose", "present": False},
    ),
    _APPLICATION,
    _DIRECTORY,
    Case(
        "Binding",
        "binding",
        {"site": "loose", "binding": "https://*:8443:www.example.com", "certificate": "www.example.com"},
        f"{_BY_HAND_SITE} \"/[name='loose'].bindings.[protocol='https',bindingInformation='*:8443:www.example.com'].sslFlags:0\" /commit:apphost",
        ("~ site loose binding https *:8443:www.example.com sslFlags: 0 -> 1",),
        {"site": "loose", "binding": "https://*:8443:www.example.com", "present": False},
    ),
    Case(
        "Binding's certificate",
        "binding",
        {"site": "loose", "binding": "https://127.0.0.1:8444:", "certificate": "*.www.example.com"},
        "netsh http delete sslcert ipport=127.0.0.1:8444",
        ("+ site loose binding https 127.0.0.1:8444: certificate: {certificate}",),
        {"site": "loose", "binding": "https://127.0.0.1:8444:", "present": False},
    ),
    Case(
        "Binding that is gone",
        "binding",
        {"site": "loose", "binding": "*:8036:"},
        f"{_BY_HAND_SITE} \"/-[name='loose'].bindings.[protocol='http',bindingInformation='*:8036:']\" /commit:apphost",
        ("+ site loose binding: http *:8036:",),
        {"site": "loose", "binding": "*:8036:", "present": False},
    ),
    _FILTERING,
    Case(
        "Request filtering's collections",
        "request_filtering",
        {
            "site": "stopped",
            "max_content_length": 50_000_000,
            "verbs": {
                "allowUnlisted": False,
                "entries": [{"verb": "GET", "allowed": True}, {"verb": "POST", "allowed": True}],
            },
            "requestLimits": {"headerLimits": [{"header": "X-Id", "sizeLimit": 20}]},
            "filteringRules": [{"name": "rule", "scanUrl": True, "denyStrings": ["--"]}],
        },
        f"{APPCMD} set config stopped -section:{FILTERING} \"/-verbs.[verb='POST']\" \"/+verbs.[verb='PUT',allowed='true']\" "
        f"\"/requestLimits.headerLimits.[header='X-Id'].sizeLimit:30\" \"/-filteringRules.[name='rule']\" /commit:apphost",
        (
            f"+ section {FILTERING} of stopped verbs.entries: POST",
            f"+ section {FILTERING} of stopped verbs.entries POST allowed: true",
            f"- section {FILTERING} of stopped verbs.entries: PUT",
            f"~ section {FILTERING} of stopped requestLimits.headerLimits X-Id sizeLimit: 30 -> 20",
            f"+ section {FILTERING} of stopped filteringRules: rule",
            f"+ section {FILTERING} of stopped filteringRules rule scanUrl: true",
            f"+ section {FILTERING} of stopped filteringRules rule denyStrings: --",
        ),
        {"site": "stopped", "present": False},
    ),
    Case(
        "HSTS",
        "hsts",
        {"site": "stopped", "max_age": 300, "include_subdomains": True},
        f"{_BY_HAND_SITE} \"/[name='stopped'].hsts.max-age:60\" /commit:apphost",
        ("~ site stopped hsts.max-age: 60 -> 300",),
        {"site": "stopped", "present": False},
    ),
    Case(
        "Redirect",
        "redirect",
        {"site": "to-https", "to": "https://www.example.com", "bindings": ["*:8037:"], "status": 308},
        f"{APPCMD} set config to-https -section:system.webServer/httpRedirect /enabled:false /httpResponseStatus:Found /commit:apphost",
        (
            "~ section system.webServer/httpRedirect of to-https enabled: false -> true",
            "~ section system.webServer/httpRedirect of to-https httpResponseStatus: Found -> PermRedirect",
        ),
        {"site": "to-https", "present": False},
    ),
    Case(
        "Entry",
        "entry",
        {
            "section": "system.webServer/handlers",
            "collection": "",
            "key": {"name": "python"},
            "location": "stopped",
            "first": True,
            "path": "*",
            "verb": "*",
            "modules": "httpPlatformHandler",
            "resourceType": "Unspecified",
            "requireAccess": "Script",
        },
        f"{APPCMD} set config stopped -section:system.webServer/handlers \"/[name='python'].requireAccess:None\" /commit:apphost",
        ("~ section system.webServer/handlers of stopped entry python requireAccess: None -> Script",),
        {
            "section": "system.webServer/handlers",
            "collection": "",
            "key": {"name": "python"},
            "location": "stopped",
            "present": False,
        },
    ),
    Case(
        "Entry that goes",
        "entry",
        {
            "section": "system.webServer/httpProtocol",
            "collection": "customHeaders",
            "key": {"name": "X-Powered-By"},
            "present": False,
        },
        f"{APPCMD} set config -section:system.webServer/httpProtocol \"/+customHeaders.[name='X-Powered-By',value='Me']\" /commit:apphost",
        ("- section system.webServer/httpProtocol customHeaders: X-Powered-By",),
    ),
    Case(
        "Section for a path",
        "section",
        {
            "section": "system.webServer/httpErrors",
            "location": "stopped/api",
            "errorMode": "detailed",
            "existingResponse": 2,
        },
        f"{APPCMD} set config stopped/api -section:system.webServer/httpErrors /errorMode:Custom /commit:apphost",
        ("~ section system.webServer/httpErrors of stopped/api errorMode: Custom -> Detailed",),
        {"section": "system.webServer/httpErrors", "location": "stopped/api", "present": False},
    ),
]


def certificate_cases(folder: Path) -> list[Case]:
    """Two PFX files of the controlling machine: one that bindings need, and one that is taken away by hand."""
    www, other = (certificates.read(str(folder / f"{name}.pfx"), "hunter3") for name in ("www", "other"))
    arguments = {"password": "hunter3", "readers": [r"IIS AppPool\running"]}
    return [
        Case(
            "Certificate",
            "certificate",
            {"pfx": str(folder / "www.pfx"), **arguments},
            removed={"thumbprint": www.thumbprint, "present": False},
        ),
        Case(
            "Other certificate",
            "certificate",
            {"pfx": str(folder / "other.pfx"), **arguments},
            f"Remove-Item -LiteralPath Cert:\\LocalMachine\\My\\{other.thumbprint}",
            (
                f"+ certificate {other.thumbprint}: {other.description}",
                rf"+ certificate {other.thumbprint} reader: IIS AppPool\running",
            ),
            {"thumbprint": other.thumbprint, "present": False},
        ),
    ]
