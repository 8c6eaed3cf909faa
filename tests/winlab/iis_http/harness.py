"""A scratch server with IIS on a loopback address, real HTTP requests to it, and small backends for HttpPlatformHandler."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from winlab.iis.config import APPHOST, CONFIG_DIR
from winlab.iis.schema import SCHEMA_DIR
from winlab.iis.server import IISService
from winlab.windows.machine import Machine

ROOT = Path(__file__).parents[3]
DEFAULTS = ROOT / "winlab" / "iis" / "defaults"
_addresses = itertools.count(1)

_MODULES = (
    "StaticFileModule DefaultDocumentModule DirectoryListingModule CustomErrorModule HttpLoggingModule RequestFilteringModule "
    "HttpRedirectionModule BasicAuthenticationModule"
).split()
_ERRORS = (401, 403, 404, 405, 406, 412, 500, 501, 502)
_HIDDEN = (
    "web.config",
    "bin",
    "App_code",
    "App_GlobalResources",
    "App_LocalResources",
    "App_WebReferences",
    "App_Data",
)
DLL_V1 = r"C:\Windows\System32\inetsrv\httpPlatformHandler.dll"
DLL_V2 = r"C:\Program Files\IIS\HttpPlatformHandler Module\V2\httpplatformhandlerv2.dll"


@dataclass
class Reply:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def code(self) -> str:
        """status.substatus as the detailed error page says it."""
        match = re.search(r"HTTP Error (\d+\.\d+)", self.text)
        return match[1] if match else f"{self.status}"

    @property
    def hresult(self) -> str:
        match = re.search(r"Error Code</th><td>(0x[0-9a-f]{8})", self.text)
        return match[1] if match else ""

    def row(self, name: str) -> str:
        match = re.search(rf"{name}</th><td>([^<]*)", self.text)
        return match[1] if match else ""


@dataclass
class SiteSpec:
    name: str
    id: int
    bindings: str
    path: str = r"C:\inetpub\site"
    pool: str = "DefaultAppPool"
    applications: str = ""
    attributes: str = ""
    preload: bool = False
    more: str = ""


@dataclass
class Spec:
    """What applicationHost.config is made of."""

    sites: list[SiteSpec] = field(default_factory=list)
    pools: str = '<add name="DefaultAppPool" managedRuntimeVersion="" />'
    locations: str = ""
    modules: list[str] = field(default_factory=list)
    handlers_locked: bool = False
    platform: int = 1
    platform_image: str = ""
    error_mode: str = "Detailed"
    edit: Callable[[str], str] | None = None


class Web:
    """A server with IIS.

    Args:
        folder: where its state lives.
        platform: which HttpPlatformHandler is installed: 1, 2 or 0 (none).
    """

    def __init__(self, folder: Path, platform: int = 1, version: str = "2016", **spec: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, daemon=True)
        self._thread.start()
        self.address = f"127.0.8.{next(_addresses)}"
        self.machine = Machine("WEB1", version, self.address, folder, self.loop)
        self.logged: list[str] = []
        self.machine.on_log = self.logged.append
        self.spec = Spec(platform=platform, **spec)
        self.port = 8000
        self._install()
        self.service = IISService(self.machine)
        self.machine.iis = self.service

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _install(self) -> None:
        fs = self.machine.fs
        for folder in (CONFIG_DIR + r"\schema", r"C:\inetpub\wwwroot", r"C:\inetpub\temp\apppools", r"C:\inetpub\site"):
            fs.mkdir(folder, parents=True)
        for name in ("IIS_schema.xml", "rscaext.xml"):
            fs.write_bytes(CONFIG_DIR + "\\schema\\" + name, (SCHEMA_DIR / name).read_bytes())
        if self.spec.platform:
            source = "httpplatform_schema.v1.2.xml" if self.spec.platform == 1 else "httpplatform_schema.v2.xml"
            fs.write_bytes(CONFIG_DIR + r"\schema\httpplatform_schema.xml", (SCHEMA_DIR / source).read_bytes())
            dll = DLL_V1 if self.spec.platform == 1 else DLL_V2
            fs.mkdir(dll.rpartition("\\")[0], parents=True)
            fs.write_bytes(dll, b"MZ")

    # -- configuration ------------------------------------------------------------------------------------------------------------

    def configure(self, **changes: Any) -> None:
        """Writes applicationHost.config from the spec with these changes."""
        for name, value in changes.items():
            setattr(self.spec, name, value)
        self.machine.fs.write_bytes(APPHOST, self._render().encode("utf-8"))

    def site(
        self, name: str = "Site", number: int = 1, bindings: str = "", path: str = r"C:\inetpub\site", **more: Any
    ) -> SiteSpec:
        """Adds a site to the spec (configure() writes it)."""
        info = bindings or f"*:{self.port}:"
        texts = "".join(_binding(b) for b in info.split())
        spec = SiteSpec(name, number, texts, path, **more)
        self.spec.sites = [s for s in self.spec.sites if s.id != number] + [spec]
        if not self.machine.fs.is_dir(path):
            self.machine.fs.mkdir(path, parents=True)
        return spec

    def _render(self) -> str:
        spec = self.spec
        text = (DEFAULTS / "applicationHost.config").read_text(encoding="utf-8")
        modules = [*_MODULES, *spec.modules]
        images = [(m, rf"%windir%\System32\inetsrv\{m.lower()}.dll") for m in modules]
        if spec.platform:
            images.append(("httpPlatformHandler", spec.platform_image or (DLL_V1 if spec.platform == 1 else DLL_V2)))
        text = text.replace(
            "</globalModules>", "".join(f'<add name="{n}" image="{i}" />' for n, i in images) + "</globalModules>"
        )
        text = text.replace("</modules>", "".join(f'<add name="{n}" />' for n, _ in images) + "</modules>")
        text = text.replace(
            "</handlers>",
            '<add name="StaticFile" path="*" verb="*" modules="StaticFileModule,DefaultDocumentModule,DirectoryListingModule" '
            'resourceType="Either" requireAccess="Read" /></handlers>',
        )
        declared = '<section name="applicationInitialization" overrideModeDefault="Allow" /><section name="webSocket" overrideModeDefault="Deny" />'
        declared += '<section name="httpPlatform" overrideModeDefault="Allow" />' if spec.platform else ""
        text = text.replace('<section name="asp" ', declared + '<section name="asp" ', 1)
        if not spec.handlers_locked:
            text = text.replace(
                '<section name="handlers" overrideModeDefault="Deny" />',
                '<section name="handlers" overrideModeDefault="Allow" />',
            )
        errors = "".join(
            f'<error statusCode="{c}" prefixLanguageFilePath="%SystemDrive%\\inetpub\\custerr" path="{c}.htm" />'
            for c in _ERRORS
        )
        text = re.sub(
            r'<httpErrors lockAttributes="allowAbsolutePathsWhenDelegated,defaultPath">\s*</httpErrors>',
            lambda _: (
                f'<httpErrors errorMode="{spec.error_mode}" lockAttributes="allowAbsolutePathsWhenDelegated,defaultPath">{errors}</httpErrors>'
            ),
            text,
        )
        hidden = "".join(f'<add segment="{s}" />' for s in _HIDDEN)
        text = text.replace(
            "<requestFiltering />",
            '<requestFiltering><fileExtensions allowUnlisted="true"><add fileExtension=".config" allowed="false" />'
            f'<add fileExtension=".cs" allowed="false" /></fileExtensions><verbs allowUnlisted="true" /><hiddenSegments>{hidden}</hiddenSegments></requestFiltering>',
        )
        mimes = "".join(
            f'<mimeMap fileExtension="{e}" mimeType="{t}" />'
            for e, t in (
                (".html", "text/html"),
                (".htm", "text/html"),
                (".txt", "text/plain"),
                (".css", "text/css"),
                (".png", "image/png"),
            )
        )
        text = re.sub(r'(<staticContent lockAttributes="isDocFooterFileName">)\s*', lambda m: m[1] + mimes, text)
        text = re.sub(
            r'<site name="Default Web Site".*?</site>',
            lambda _: "".join(map(_site_text, spec.sites)),
            text,
            flags=re.DOTALL,
        )
        text = text.replace('<add name="DefaultAppPool" />', spec.pools, 1)
        text = text.replace("</configuration>", spec.locations + "</configuration>")
        return spec.edit(text) if spec.edit else text

    def web_config(self, text: str, folder: str = r"C:\inetpub\site") -> None:
        """Writes a web.config around the content of system.webServer."""
        whole = f"<configuration><system.webServer>{text}</system.webServer></configuration>"
        self.write(folder + r"\web.config", whole)

    def write(self, path: str, data: str | bytes) -> None:
        self.machine.fs.write_bytes(path, data.encode("utf-8") if isinstance(data, str) else data)

    # -- life ---------------------------------------------------------------------------------------------------------------------

    def start(self) -> Web:
        self.configure()
        self.service.start()
        return self

    def close(self) -> None:
        try:
            self.service.stop()
            self.machine.shutdown()
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(5)

    def call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def settle(self) -> None:
        """Lets the services take a changed applicationHost.config in."""
        self.call(self.service.apply_async(wait=False))

    # -- requests -----------------------------------------------------------------------------------------------------------------

    def request(
        self,
        path: str = "/",
        method: str = "GET",
        *,
        port: int = 0,
        host: str = "",
        headers: dict[str, str] | None = None,
        body: Any = None,
        local: bool = False,
        timeout: float = 30,
    ) -> Reply:
        """One request on a connection of its own; `local` comes from the server's own address."""
        source = (self.address, 0) if local else None
        connection = http.client.HTTPConnection(self.address, port or self.port, timeout=timeout, source_address=source)
        try:
            sent = dict(headers or {})
            if host:
                sent["Host"] = host
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Reply(response.status, response.reason, response.headers, response.read())
        finally:
            connection.close()

    def raw(self, data: bytes, port: int = 0, timeout: float = 10) -> bytes:
        """What comes back for raw bytes, up to the end of the connection or a second's silence."""
        with socket.create_connection((self.address, port or self.port), timeout) as connection:
            connection.sendall(data)
            connection.settimeout(1)
            parts = []
            try:
                while piece := connection.recv(65536):
                    parts.append(piece)
            except TimeoutError:
                pass
            return b"".join(parts)

    def events(self, source: str = "", event_id: int = 0) -> list[Any]:
        """Event log entries, oldest first, of a source (a part of its name) and id."""
        found = []
        for log in ("Application", "System"):
            for entry in self.machine.eventlog.read(log):
                if source.lower() in entry.source.lower() and event_id in (0, entry.event_id):
                    found.append(entry)
        return found

    def wait_for(self, condition: Callable[[], Any], seconds: float = 10) -> Any:
        """The first true value of `condition`; fails when there is none in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"did not happen within {seconds} seconds")


def _binding(text: str) -> str:
    protocol, _, information = text.rpartition("/")
    return f'<binding protocol="{protocol or "http"}" bindingInformation="{information}" />'


def _site_text(spec: SiteSpec) -> str:
    preload = ' preloadEnabled="true"' if spec.preload else ""
    return (
        f'<site name="{spec.name}" id="{spec.id}" {spec.attributes}>'
        f'<application path="/" applicationPool="{spec.pool}"{preload}><virtualDirectory path="/" physicalPath="{spec.path}" />'
        f"</application>{spec.applications}<bindings>{spec.bindings}</bindings>{spec.more}</site>"
    )


PYTHON = sys.executable
