"""Operations on IIS: application pools, sites and what is below them, bindings, sections; all of one operation in one commit.

Properties have the names of IIS's configuration schema, nested as there: `startMode="AlwaysRunning"`, `processModel={"idleTimeout": 0}`; `start_mode` and
`processModel__idleTimeout` do as well. What is not named stays as it is. Values are compared as IIS compares them.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import HiddenValue, operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import CertificateFile, CertificateState, Health
from pyinfra_iis.operations import refusal, show_changes
from pyinfra_iis.operations.changes import Change, show
from pyinfra_iis.operations.explained import WaitingScript
from pyinfra_iis.operations.iis import certificates, edits
from pyinfra_iis.operations.iis.applying import bring, discreet
from pyinfra_iis.operations.iis.certificates import thumbprint as thumbprint
from pyinfra_iis.operations.iis.edits import Edits, Value
from pyinfra_iis.operations.trust import tell_faults
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Binding, Certificate

DEFAULT_SITE = "Default Web Site"
"""The site that IIS itself brings."""


@dataclass(frozen=True)
class AppPool:
    """An application pool, started.

    Attributes:
        name: its name.
        attributes: dotted name of IIS's schema -> value (`{"processModel.idleTimeout": "00:00:00"}`).
        environment: environment variables of its processes; never shown.
        generate: variables that get a random value on the server when they have none.
    """

    name: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    generate: Sequence[str] = ()

    @property
    def edits(self) -> Edits:
        """What is wanted."""
        return edits.app_pool(
            self.name,
            running=True,
            secret_environment=self.environment,
            generated=self.generate,
            **self.attributes,  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class Site:
    """A site with its root application, started.

    Attributes:
        name: its name.
        path: the physical path of its root.
        pool: the application pool of its root.
        bindings: where it listens; others are taken away.
        certificate: the certificate of its https bindings.
        preload: whether its root application is initialized when the worker process starts; None: as it is.
        more: what else is wanted with it, in the same commit.
        application: the path of the application that is meant; one below a site that somebody else made, which must be there: of it nothing changes.
    """

    name: str
    path: str
    pool: str
    bindings: Sequence[Binding]
    certificate: Certificate | None = None
    preload: bool | None = None
    more: Edits = field(default_factory=Edits)
    application: str = "/"

    @property
    def edits(self) -> Edits:
        """What is wanted."""
        if self.application != "/":
            made = edits.application(
                self.name, self.application, physical_path=self.path, pool=self.pool, preload=self.preload
            )
            return made + self.more
        own = edits.site(
            self.name,
            path=self.path,
            pool=self.pool,
            bindings=self.bindings,
            certificate=self.certificate,
            running=True,
            preload=self.preload,
        )
        return own + self.more

    @property
    def title(self) -> str:
        """What people call it: its name, and the application's path."""
        return self.name + self.application.rstrip("/")

    @property
    def request(self) -> dict[str, Any]:
        """The site in the terms of the scripts: what is wanted of it, and the folder of its root, which a script may set to another."""
        return {"name": self.name, "application": self.application, "path": self.path, "wish": self.edits.request}


def configuration_request(
    unlocked: Sequence[str] = (),
    pools: Sequence[AppPool] = (),
    sites: Sequence[Site] = (),
    more: Sequence[Edits] = (),
) -> dict[str, Any]:
    """The arguments of the fact that `configuration` reads."""
    return _all(unlocked, pools, sites, more).request


def _all(unlocked: Sequence[str], pools: Sequence[AppPool], sites: Sequence[Site], more: Sequence[Edits]) -> Edits:
    sections = [edits.section(name, unlocked=True) for name in unlocked]
    return edits.merged([*sections, *[pool.edits for pool in pools], *[site.edits for site in sites], *more])


@operation()
def configuration(
    unlocked: Sequence[str] = (),
    pools: Sequence[AppPool] = (),
    sites: Sequence[Site] = (),
    more: Sequence[Edits] = (),
) -> Generator[PyinfraCommand, None, None]:
    r"""Bring IIS's configuration to what is wanted, in one commit; everything else in it stays.

    Args:
        unlocked: sections that web.config files may use (`system.webServer/handlers`).
        pools: application pools; they are started.
        sites: sites; they are started.
        more: anything else that `pyinfra_iis.operations.iis.edits` describes.

    Example:
        iis.configuration(more=[
            iis.edits.app_pool("shop", start_mode="AlwaysRunning"),
            iis.edits.site("shop", path=r"C:\inetpub\shop", pool="shop", bindings=["*:80:shop.example.com"]),
        ])
    """
    yield from bring(_all(unlocked, pools, sites, more))


@discreet
@operation()
def app_pool(
    pool: str,
    present: bool = True,
    running: bool | None = None,
    identity: str | None = None,
    password: str | HiddenValue | SecretStr | None = None,
    environment: Mapping[str, Value] | None = None,
    secret_environment: Mapping[str, Value] | None = None,
    generated: Sequence[str] = (),
    exact_environment: bool = False,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    r"""An application pool.

    Args:
        pool: its name.
        present: whether it is there.
        running: True: started; False: stopped; None: as it is.
        identity: `ApplicationPoolIdentity`, `NetworkService`, `LocalService`, `LocalSystem`, or an account (`CONTOSO\web`; a group managed service
            account ends with `$` and has no password).
        password: the account's password; shown nowhere.
        environment: environment variables of its worker processes; None takes one away, others stay. Those whose names sound secret are shown nowhere.
        secret_environment: the same, shown nowhere.
        generated: variables that get a random value on the server when they have none.
        exact_environment: take away all other variables.
        properties: any property of the schema (`queueLength`, `recycling={"periodicRestart": {"schedule": ["03:00:00"]}}`); a list is a collection's whole
            content; None is IIS's default.

    Example:
        iis.app_pool("shop", start_mode="AlwaysRunning", processModel={"idleTimeout": 0}, environment={"SHOP_COLOUR": "red"})
    """
    yield from bring(
        edits.app_pool(
            pool,
            present,
            running,
            identity,
            password,
            environment,
            secret_environment,
            generated,
            exact_environment,
            **properties,
        )
    )


@discreet
@operation()
def site(
    site: str,
    present: bool = True,
    path: str | None = None,
    pool: str | None = None,
    bindings: Sequence[str | Binding] | None = None,
    certificate: Certificate | str | None = None,
    running: bool | None = None,
    preload: bool | None = None,
    application: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    r"""A site with its root application and the virtual directory of its root.

    Args:
        site: its name.
        present: whether it is there; without it, `location` settings for it and paths below it go as well.
        path: the physical path of its root.
        pool: the application pool of its root application.
        bindings: all its bindings (`*:80:www.example.com`, `https://*:443:www.example.com`); others are taken away. None: as they are.
        certificate: the certificate of its https bindings in LocalMachine\My: a thumbprint, or a host name, which means the one for it that is valid longest.
        running: True: started; False: stopped (set `serverAutoStart=False` as well to keep it so after a restart); None: as it is.
        preload: whether its root application is initialized when the worker process starts.
        application: further properties of its root application.
        properties: any property of the schema (`limits={"connectionTimeout": "00:01:00"}`, `logFile={"period": "Weekly"}`).

    Example:
        iis.site("shop", path=r"C:\inetpub\shop", pool="shop", bindings=["*:80:shop.example.com"], logFile={"directory": r"D:\logs"})
    """
    yield from bring(
        edits.site(site, present, path, pool, bindings, certificate, running, preload, application, **properties)
    )


@discreet
@operation()
def application(
    site: str,
    path: str,
    present: bool = True,
    physical_path: str | None = None,
    pool: str | None = None,
    preload: bool | None = None,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    """An application below a site. Its path is the script name that the application sees.

    Args:
        site: the site's name; it must be there.
        path: the application's path (`/shop`).
        present: whether it is there; without it, `location` settings for its path go as well.
        physical_path: the folder of its root.
        pool: its application pool.
        preload: whether it is initialized when the worker process starts.
        properties: any other property of the schema (`enabledProtocols`).
    """
    yield from bring(edits.application(site, path, present, physical_path, pool, preload, **properties))


@discreet
@operation()
def virtual_directory(
    site: str,
    path: str,
    present: bool = True,
    physical_path: str | None = None,
    application: str = "/",
    password: str | HiddenValue | SecretStr | None = None,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    """A virtual directory of an application.

    Args:
        site: the site's name; it must be there.
        path: its path inside the application (`/media`).
        present: whether it is there.
        physical_path: its folder.
        application: the path of the application that it belongs to, which must be there.
        password: the password of `userName`, with which its files are read; shown nowhere.
        properties: any other property of the schema (`userName`, `logonMethod`, `allowSubDirConfig`).
    """
    yield from bring(edits.virtual_directory(site, path, present, physical_path, application, password, **properties))


@operation()
def binding(
    site: str,
    binding: str | Binding,
    present: bool = True,
    certificate: Certificate | str | None = None,
    flags: int | None = None,
) -> Generator[PyinfraCommand, None, None]:
    r"""One binding of a site; its others stay.

    Args:
        site: the site's name; it must be there.
        binding: `ip:port:host` as IIS writes it, with `https://` before it for TLS (`https://*:443:www.example.com`).
        present: whether it is there.
        certificate: the certificate of an https binding in LocalMachine\My: a thumbprint, or a host name, which means the one for it that is valid longest.
        flags: IIS's `sslFlags`: 1 for Server Name Indication, 2 for the central certificate store; by default 1 when the binding has a host name.
    """
    yield from bring(edits.binding(site, binding, present, certificate, flags))


@discreet
@operation()
def section(
    section: str,
    present: bool = True,
    location: str = "",
    unlocked: bool | None = None,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    """A section of IIS's configuration, for the whole server or for one path.

    Args:
        section: its full name (`system.webServer/handlers`).
        present: False takes away what is set for the location, or whether the section is locked for the whole server.
        location: a site, or a site's path (`shop/api`), that the settings are for; they stand in applicationHost.config. Empty: the whole server.
        unlocked: True: web.config files may use it; False: they may not; None: as it is.
        properties: properties of the section; a list is a collection's whole content.

    Example:
        iis.section("system.webServer/handlers", unlocked=True)
        iis.section("system.webServer/httpErrors", location="shop", errorMode="Detailed")
    """
    yield from bring(edits.section(section, present, location, unlocked, **properties))


@discreet
@operation()
def entry(
    section: str,
    collection: str,
    key: Mapping[str, Any],
    present: bool = True,
    location: str = "",
    first: bool = False,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    """One item of a section's collection; the others stay.

    Args:
        section: the section's full name (`system.webServer/handlers`).
        collection: the element that has the collection (`customHeaders`, `requestLimits.headerLimits`); empty for the section's own.
        key: the attributes that tell the item from the others (`{"name": "X-Powered-By"}`).
        present: whether it is there.
        location: a site, or a site's path, that it is for; empty: the whole server.
        first: when it is made, put it before all others; handlers are tried in order.
        properties: its other properties.

    Example:
        iis.entry("system.webServer/httpProtocol", "customHeaders", {"name": "X-Powered-By"}, present=False)
        iis.entry("system.webServer/staticContent", "", {"fileExtension": ".avif"}, mimeType="image/avif")
    """
    yield from bring(edits.entry(section, collection, key, present, location, first, **properties))


@operation()
def request_filtering(
    site: str = "",
    present: bool = True,
    max_content_length: int | None = None,
    max_url: int | None = None,
    max_query_string: int | None = None,
    **properties: Any,
) -> Generator[PyinfraCommand, None, None]:
    """What requests may be before IIS refuses them (404.13, 404.14, 404.15).

    Args:
        site: a site, or a site's path; empty: the whole server.
        present: False takes away what is set for the site.
        max_content_length: bytes of a request's body; IIS's default is 30,000,000.
        max_url: characters of a path; IIS's default is 4096.
        max_query_string: characters of a query; IIS's default is 2048.
        properties: other properties of `system.webServer/security/requestFiltering`.
    """
    yield from bring(
        edits.request_filtering(site, present, max_content_length, max_url, max_query_string, **properties)
    )


@operation()
def redirect(
    site: str,
    to: str = "",
    bindings: Sequence[str | Binding] = (),
    present: bool = True,
    status: str | int = "Permanent",
    path: str = r"%SystemDrive%\inetpub\wwwroot",
) -> Generator[PyinfraCommand, None, None]:
    """A site, with an application pool of the same name, that redirects all requests: http to https on every version of IIS.

    The feature Web-Http-Redirect must be installed. Path and query are kept.

    Args:
        site: its name, another one than that of the site which it leads to.
        to: where it leads to (`https://www.example.com`).
        bindings: all its bindings (`*:80:www.example.com`); that site may not have them.
        present: whether it is there.
        status: `Permanent` (301), `Found` (302), `Temporary` (307) or `PermRedirect` (308).
        path: a folder for its root; nothing in it is served.

    Example:
        iis.redirect("shop-http", "https://shop.example.com", ["*:80:shop.example.com"])
    """
    yield from bring(edits.redirect(site, to, bindings, present, status, path))


@operation()
def hsts(
    site: str,
    present: bool = True,
    max_age: int = 31_536_000,
    include_subdomains: bool = False,
    preload: bool = False,
    redirect: bool = False,
) -> Generator[PyinfraCommand, None, None]:
    """The header Strict-Transport-Security of a site, sent by IIS.

    By the site's own `hsts` element, which IIS has since version 10.0.1709 (Windows Server 2019); before, by a custom header for the site. Let only one
    send it: with Django, leave `SECURE_HSTS_SECONDS` at 0.

    Args:
        site: the site's name; it must be there.
        present: whether it is sent.
        max_age: seconds for which browsers remember it.
        include_subdomains: whether it holds for subdomains.
        preload: whether it consents to the browsers' preload lists.
        redirect: redirect http to https on port 443 as well; not before IIS 10.0.1709. With Django, leave `SECURE_SSL_REDIRECT` off.
    """
    yield from bring(edits.hsts(site, present, max_age, include_subdomains, preload, redirect))


@discreet
@operation()
def certificate(
    pfx: str = "",
    password: str | HiddenValue | SecretStr = "",
    present: bool = True,
    on_server: bool = False,
    thumbprint: str = "",
    readers: Sequence[str] = (),
    exportable: bool = False,
) -> Generator[PyinfraCommand, None, None]:
    r"""A certificate with its private key in LocalMachine\My, from a PFX file. It is imported once; certificates of its chain go to the store CA.

    The file does not stay on the server: its content travels as the password does, and is written nowhere but into Windows' own key store.

    Args:
        pfx: the file.
        password: its password; shown nowhere.
        present: False takes the certificate away, with its key; a site that still has it stops that.
        on_server: the file is on the server already, not on the controlling machine. Windows Server 2016 cannot read one that is encrypted with AES and
            says that the password is wrong; `openssl pkcs12 -export -legacy` makes one that it can.
        thumbprint: instead of a file, where it is taken away, or where only `readers` matter.
        readers: accounts that may read the private key (`IIS AppPool\shop`); IIS itself needs none.
        exportable: whether the key may be exported from the server again.

    Example:
        iis.certificate("certificates/shop.pfx", password=host.data.shop_pfx_password)
        iis.binding("shop", "https://*:443:shop.example.com", certificate=iis.thumbprint("certificates/shop.pfx", host.data.shop_pfx_password))
    """
    secret = edits.plain(password)
    description = thumbprint.upper()
    data = b""
    if pfx and not on_server:
        read = certificates.read(pfx, secret)
        thumbprint, description, data, secret = read.thumbprint, read.description, read.data, read.password
    elif pfx:
        found = host.get_fact(CertificateFile, path=pfx, password=HiddenValue(secret)) or {"found": False}
        if found["found"]:
            thumbprint = found["thumbprint"]
            description = certificates.describe(thumbprint, found["subject"], found["expires"])
        else:
            thumbprint, description = "", pfx
    there: dict[str, Any] = {"present": False}
    if thumbprint:
        there = facts.read(host, CertificateState, thumbprint=thumbprint.upper(), readers=list(readers))
    if not present:
        if there["present"]:
            show([Change(f"certificate {thumbprint.upper()}", there["description"], None)])
            yield Script("iis/remove_certificate", {"thumbprint": thumbprint.upper()})
        return
    imported = not (there["present"] and there["key"])
    if imported and not pfx:
        yield refusal(f"{host.name} has no certificate {thumbprint} with a private key in LocalMachine\\My.")
        return
    missing = list(readers) if imported else there["missing"]
    if not imported and not missing:
        return
    show([Change(f"certificate {thumbprint or pfx}", None, description)] if imported else [])
    show(Change(f"certificate {thumbprint or pfx} reader", None, reader) for reader in missing)
    request = {
        "path": pfx if on_server else "",
        "thumbprint": thumbprint.upper(),
        "exportable": exportable,
        "readers": list(readers),
    }
    yield Script(
        "iis/import_certificate", request, secrets={"password": secret, "data": base64.b64encode(data).decode()}
    )


@dataclass(frozen=True)
class HealthCheck:
    """How to ask a site on its own server whether it works.

    Attributes:
        site: its name.
        address: the URL on the server (`http://localhost:8014/`).
        host: the Host header, or empty for the address's own.
        status: the status code that means healthy; 0 accepts every one below 500 except 400.
        timeout: seconds until it is given up.
        shared: the application's folder that outlives releases; a notice of maintenance there, and the log files of the site's process.
        application: the path of the application that is asked.
    """

    site: str
    address: str
    host: str = ""
    status: int = 0
    timeout: int = 120
    shared: str = ""
    application: str = "/"

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of the fact."""
        return {
            "site": self.site,
            "address": self.address,
            "host": self.host,
            "timeout": min(self.timeout, 30),
            "shared": self.shared,
        }

    @property
    def path(self) -> str:
        """What is asked for."""
        return "/" + self.address.partition("://")[2].partition("/")[2]

    def accepts(self, status: int) -> bool:
        """Whether a status code means healthy."""
        return status == self.status if self.status else 100 <= status < 500 and status != 400


@operation()
def healthy(check: HealthCheck) -> Generator[PyinfraCommand, None, None]:
    """Wait until a site answers through its own binding; fail with the end of its log when it does not.

    Args:
        check: what to ask and for how long.
    """
    answer = facts.read(host, Health, **check.request)
    if check.accepts(answer["status"]):
        tell_faults(host, check.site, answer["certificate"])
        return
    show_changes([(f"site {check.site} answers", answer["status"] or answer["problem"], check.status or "healthy")])
    yield WaitingScript("iis/await_health", {}, check)
