"""What a worker process does with a request: configuration, filtering, authentication, handler mapping, the handler, errors, logging."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import traceback
from typing import TYPE_CHECKING, Any

from winlab.iis import access, errorpages, httpplatform, requestfiltering, static
from winlab.iis.context import REASONS, SERVER, HttpError, RequestContext
from winlab.iis.errors import ConfigError
from winlab.iis.http11 import Headers
from winlab.iis.httpsys import ClientGone, Exchange
from winlab.iis.model import Application, Node, Sections, Site, VirtualDirectory, directory_at, map_path
from winlab.iis.threads import in_thread
from winlab.windows.errors import WindowsError

if TYPE_CHECKING:
    from winlab.iis.pools import WorkerProcess
    from winlab.iis.server import IISService

_STATIC_MODULES = {"StaticFileModule", "DefaultDocumentModule", "DirectoryListingModule"}
_OPTIONS = "OPTIONS, TRACE, GET, HEAD, POST"
IUSR = "NT AUTHORITY\\IUSR"
_SUBSTATUS_OF_ACCESS = {"Read": 2, "Write": 3}


class Pipeline:
    """Runs the requests of one service."""

    def __init__(self, service: IISService) -> None:
        self.service = service
        self.machine = service.machine

    async def run(self, exchange: Exchange, worker: WorkerProcess, site: Site, application: Application) -> None:
        """Answers one request, whatever happens."""
        context: RequestContext | None = None
        error: HttpError | None = None
        try:
            context = await self._begin(exchange, worker, site, application)
            await self._execute(context)
        except HttpError as refused:
            error = refused
        except ConfigError as refused:
            error = _config_error(refused)
        except ClientGone:
            exchange.close = True
        except Exception:
            self.machine.log(f"IIS: {exchange.method} {exchange.url.raw[:200]}: {traceback.format_exc()}")
            error = HttpError(500, 0, 0x8000FFFF, text="The lab failed; its log says where.")
        if error is not None:
            await self._refuse(exchange, context, error)
        substatus = error.substatus if error else 0
        self._log(exchange, context, site, substatus, error.hresult if error else 0)

    # -- begin ----------------------------------------------------------------------------------------------------------------------

    async def _begin(
        self, exchange: Exchange, worker: WorkerProcess, site: Site, application: Application
    ) -> RequestContext:
        path = exchange.url.path if exchange.url.path != "*" else "/"
        directory = directory_at(application, path)
        if directory is None or not directory.physical_path:
            raise HttpError(500, 19, 0x80070003)
        sections = await self._sections(site, application, path, worker)
        physical = map_path(application, directory, path)
        return RequestContext(exchange, worker, site, application, directory, path, physical, sections)

    async def _sections(self, site: Site, application: Application, path: str, worker: WorkerProcess) -> Sections:
        configuration = self.service.configuration
        known = configuration.cached(site, path, worker.token)
        if known is not None:
            return known
        return await in_thread(configuration.sections, site, application, path, worker.token)

    # -- the stages -----------------------------------------------------------------------------------------------------------------

    async def _execute(self, context: RequestContext) -> None:
        exchange = context.exchange
        modules = self._modules(context)
        if "RequestFilteringModule" in modules:
            section = context.section("system.webServer/security/requestFiltering")
            requestfiltering.check(section, exchange.head, exchange.url, exchange.body.length)
            context.body_limit = requestfiltering.content_limit(section)
        if self._sent_to_https(context):
            await self._send_to_https(context)
            return
        access.check_transport(context)
        if "IpRestrictionModule" in modules:
            access.check_address(context)
        self._authenticate(context, modules)
        if "UrlAuthorizationModule" in modules:
            access.check_user(context, self.machine.accounts)
        if self._redirected(context, modules):
            await self._redirect(context)
            return
        await self._run_handler(context, modules)

    def _modules(self, context: RequestContext) -> frozenset[str]:
        section = context.section("system.webServer/modules")
        return frozenset(item["name"] for item in section.items)

    def _authenticate(self, context: RequestContext, modules: frozenset[str]) -> None:
        """Who the content is read as: the anonymous user's token, the pool's identity, or the user of Basic authentication."""
        accounts = self.machine.accounts
        root = "system.webServer/security/authentication/"
        anonymous = context.section(root + "anonymousAuthentication")
        try:
            if anonymous.get("enabled", True):
                context.user = self._anonymous(context, anonymous)
            elif "BasicAuthenticationModule" in modules and context.section(root + "basicAuthentication").get(
                "enabled"
            ):
                name, password = _basic_credentials(context.exchange.head.get("authorization"))
                context.user, context.user_name = accounts.logon(name, password, "network"), name
            else:
                raise HttpError(401, 2, 0x80070005, notification="AuthenticateRequest")
            if context.directory.user_name:
                directory = context.directory
                context.user = accounts.logon(directory.user_name, directory.password, "interactive")
        except WindowsError as error:
            realm = (("WWW-Authenticate", f'Basic realm="{context.exchange.host}"'),)
            code = 0x80070000 | error.code
            raise HttpError(401, 1, code, notification="AuthenticateRequest", headers=realm) from error

    def _anonymous(self, context: RequestContext, section: Node) -> Any:
        name = section.get("userName", "IUSR")
        if not name:
            return context.worker.token
        if name.upper() in ("IUSR", IUSR.upper()):
            return self.service.iusr
        return self.machine.accounts.logon(name, section.get("password", ""), "network")

    def _sent_to_https(self, context: RequestContext) -> bool:
        hsts = context.site.hsts
        return not context.exchange.connection.secure and bool(hsts.get("enabled") and hsts.get("redirectHttpToHttps"))

    async def _send_to_https(self, context: RequestContext) -> None:
        """The site's hsts element: the same address with https, without a port. The status is chosen here, no source names it."""
        url = context.exchange.url
        target = f"https://{context.exchange.host.split(':')[0]}{url.raw_path}"
        await self._moved(context, 301, target + ("" if url.query is None else f"?{url.query}"))

    def _redirected(self, context: RequestContext, modules: frozenset[str]) -> bool:
        return "HttpRedirectionModule" in modules and bool(
            context.section("system.webServer/httpRedirect").get("enabled", False)
        )

    async def _redirect(self, context: RequestContext) -> None:
        """Section httpRedirect: a destination for all, exact or with the rest of the URL appended."""
        section = context.section("system.webServer/httpRedirect")
        url = context.exchange.url
        target = section.get("destination", "")
        if "$" not in target and not section.get("exactDestination", False):
            base = (context.application.path.rstrip("/") + context.directory.path).rstrip("/")
            target = target.rstrip("/") + url.raw_path[len(base) :]
            target += "" if url.query is None else f"?{url.query}"
        target = target.replace("$V", url.raw_path).replace("$Q", "" if url.query is None else f"?{url.query}")
        status = {"Permanent": 301, "Temporary": 307, "PermRedirect": 308}.get(section.get("httpResponseStatus"), 302)
        await self._moved(context, status, target)

    async def _moved(self, context: RequestContext, status: int, target: str) -> None:
        body = (
            "<head><title>Document Moved</title></head>\n"
            f'<body><h1>Object Moved</h1>This document may be found <a HREF="{target}">here</a></body>'
        )
        await context.respond(
            status, [("Content-Type", "text/html; charset=UTF-8"), ("Location", target)], body.encode()
        )

    # -- handlers -------------------------------------------------------------------------------------------------------------------

    async def _run_handler(self, context: RequestContext, modules: frozenset[str], depth: int = 0) -> None:
        section = context.section("system.webServer/handlers")
        context.handler = self._map_handler(context, section)
        self._check_access(section, context.handler)
        wanted = [m.strip() for m in context.handler.get("modules", "").split(",") if m.strip()]
        # setup lists all three for StaticFile, whichever of their features are installed
        optional = _STATIC_MODULES if modules & _STATIC_MODULES else frozenset[str]()
        for name in wanted:
            if name not in modules and name not in optional:
                text = f'Handler "{context.handler_name}" has a bad module "{name}" in its module list'
                raise HttpError(500, 21, 0x8007000D, notification="ExecuteRequestHandler", text=text)
        if httpplatform.MODULE in wanted:
            await self._platform(context, modules)
        elif _STATIC_MODULES & set(wanted):
            await self._static(context, modules, depth)
        elif "ProtocolSupportModule" in wanted:
            await self._protocol_support(context)
        else:
            raise HttpError(500, 0, 0x80004001, text=f"This lab does not simulate the module {', '.join(wanted)}.")

    async def _platform(self, context: RequestContext, modules: frozenset[str]) -> None:
        """HttpPlatformHandler. A request that meets the end of its application (the configuration changed) goes to the next one."""
        for _ in range(3):
            application = await self.service.platform_application(context, modules)
            try:
                await httpplatform.handle(context, application)
                return
            except HttpError:
                if not application.closed or context.exchange.started or context.exchange.body.received:
                    raise
        raise HttpError(503, 0, 0, module=httpplatform.MODULE)

    def _map_handler(self, context: RequestContext, section: Node) -> Node:
        kind = self._resource_kind(context)
        missing = False
        for handler in section.items:
            if not self._applies(context, handler):
                continue
            resource = handler.get("resourceType", "Unspecified")
            if resource == "Unspecified" or (resource == "Either" and kind) or resource == kind:
                return handler
            missing = True
        if missing:
            raise HttpError(404, 0, 0x80070002, notification="MapRequestHandler")
        raise HttpError(404, 4, 0x8007007B, notification="MapRequestHandler")

    def _resource_kind(self, context: RequestContext) -> str:
        fs = self.machine.fs
        if fs.is_dir(context.physical_path):
            return "Directory"
        return "File" if not context.path.endswith("/") and fs.is_file(context.physical_path) else ""

    def _applies(self, context: RequestContext, handler: Node) -> bool:
        verbs = [v.strip() for v in handler.get("verb", "*").split(",")]
        if "*" not in verbs and context.method not in verbs:
            return False
        if not self._precondition(context, handler.get("preCondition", "")):
            return False
        return any(_matches(p.strip(), context.path, handler) for p in handler.get("path", "*").split(","))

    def _precondition(self, context: RequestContext, text: str) -> bool:
        settings = context.worker.pool.settings
        for condition in text.split(","):
            name = condition.strip().lower()
            if name == "bitness32" and not settings.setting("", "enable32BitAppOnWin64", False):
                return False
            if name == "bitness64" and settings.setting("", "enable32BitAppOnWin64", False):
                return False
            if name in ("integratedmode", "classicmode"):
                mode = str(settings.setting("", "managedPipelineMode", "Integrated")).lower()
                if not name.startswith(mode):
                    return False
            if name.startswith("runtimeversion"):
                version = str(settings.setting("", "managedRuntimeVersion", "")).lower()
                if name.removeprefix("runtimeversion") != version:
                    return False
        return True

    def _check_access(self, section: Node, handler: Node) -> None:
        need = handler.get("requireAccess", "Script")
        granted = section.get("accessPolicy", frozenset(["Read"]))
        if need == "None" or need in granted or (need == "Script" and "Execute" in granted):
            return
        raise HttpError(403, _SUBSTATUS_OF_ACCESS.get(need, 1), 0x80070005, notification="MapRequestHandler")

    async def _static(self, context: RequestContext, modules: frozenset[str], depth: int) -> None:
        fs = self.machine.fs
        if not fs.is_dir(context.physical_path):
            await static.serve(context, fs)
            return
        if not context.path.endswith("/"):
            await static.redirect_to_folder(context)
            return
        try:
            name = static.default_document(context, fs) if "DefaultDocumentModule" in modules else None
            if name is None or depth:
                if "DirectoryListingModule" not in modules:
                    raise HttpError(403, 14, 0, module="StaticFileModule")
                await static.list_folder(context, fs)
                return
        except WindowsError as error:
            raise static.file_error(error, "DirectoryListingModule") from error
        context.path += name
        context.physical_path = context.physical_path.rstrip("\\") + "\\" + name
        await self._run_handler(context, modules, depth + 1)

    async def _protocol_support(self, context: RequestContext) -> None:
        if context.method != "OPTIONS":
            raise HttpError(501, 0, 0x80070032, module="ProtocolSupportModule")
        await context.respond(200, [("Allow", _OPTIONS), ("Public", _OPTIONS)])

    # -- refusals -------------------------------------------------------------------------------------------------------------------

    async def _refuse(self, exchange: Exchange, context: RequestContext | None, error: HttpError) -> None:
        if exchange.started:
            exchange.abort()
            return
        if exchange.body.present and not exchange.body.done:
            exchange.close = True
        headers: Headers = list(error.headers)
        try:
            page, more = await self._error_page(exchange, context, error)
            custom = context.custom_headers() if context else []
        except (ConfigError, WindowsError):
            page, more, custom = errorpages.INTERNAL_ERROR.encode(), [("Content-Type", "text/html")], []
        # an <error> of responseMode Redirect sends the client elsewhere
        status = 302 if more[0][0] == "Location" else error.status
        try:
            await exchange.respond(
                status, REASONS.get(status, ""), [*more, *headers, ("Server", SERVER), *custom], page
            )
        except ClientGone:
            exchange.close = True

    async def _error_page(
        self, exchange: Exchange, context: RequestContext | None, error: HttpError
    ) -> tuple[bytes, Headers]:
        html = [("Content-Type", "text/html")]
        if (error.status, error.substatus) == (502, 5):
            return errorpages.startup_failure_page(), html
        if "CustomErrorModule" not in self._known_modules(context):
            return errorpages.sentence(error).encode(), html
        section = self._http_errors(context)
        mode = section.get("errorMode", "DetailedLocalOnly")
        if mode == "Detailed" or (mode == "DetailedLocalOnly" and exchange.connection.local):
            return self._detailed(exchange, context, error), [("Content-Type", "text/html; charset=utf-8")]
        if context is None and (error.status, error.substatus) == (500, 19):
            return errorpages.INTERNAL_ERROR.encode(), html
        item = _custom_error(section, error)
        if item is None:
            return errorpages.NOT_RECOGNIZED.encode(), html
        if item.get("responseMode", "File") == "Redirect":
            return b"", [("Location", item["path"])]
        return await in_thread(self._custom_file, item, error.status), html

    def _known_modules(self, context: RequestContext | None) -> frozenset[str]:
        """The path's modules; the server's where the path's configuration cannot be read."""
        if context is not None:
            return self._modules(context)
        section = self.service.configuration.server_section("system.webServer/modules")
        return frozenset(item["name"] for item in section.items)

    def _http_errors(self, context: RequestContext | None) -> Node:
        name = "system.webServer/httpErrors"
        return context.section(name) if context is not None else self.service.configuration.server_section(name)

    def _detailed(self, exchange: Exchange, context: RequestContext | None, error: HttpError) -> bytes:
        connection = exchange.connection
        scheme = "https" if connection.secure else "http"
        url = f"{scheme}://{exchange.host.split(':')[0]}:{connection.port}{exchange.url.raw}"
        handler = context.handler_name if context else "Not yet determined"
        physical = context.physical_path if context else self._physical(exchange)
        user = (context.user_name if context.user is not None else "-") if context else "-"
        return errorpages.detailed_page(error, handler, url, physical, user)

    def _physical(self, exchange: Exchange) -> str:
        site = self.service.site_config(exchange.site)
        application = site.application_at(exchange.url.path) if site else None
        directory: VirtualDirectory | None = directory_at(application, exchange.url.path) if application else None
        return map_path(application, directory, exchange.url.path) if application and directory else ""

    def _custom_file(self, item: Node, status: int) -> bytes:
        """The page of an <error> element; the standard one where a fresh installation would have it."""
        expand = self.machine.env.expand
        prefix, path = expand(item.get("prefixLanguageFilePath", "")), expand(item["path"])
        full = f"{prefix}\\en-US\\{path}" if prefix else path
        try:
            return self.machine.fs.read_bytes(full)
        except WindowsError:
            standard = errorpages.custom_page(status) if prefix else None
            return standard or errorpages.INTERNAL_ERROR.encode()

    # -- log ------------------------------------------------------------------------------------------------------------------------

    def _log(
        self, exchange: Exchange, context: RequestContext | None, site: Site, substatus: int, hresult: int
    ) -> None:
        if exchange.status == 0:
            return
        try:
            if "HttpLoggingModule" not in self._known_modules(context):
                return
            if context is not None and context.section("system.webServer/httpLogging").get("dontLog", False):
                return
        except ConfigError:
            return
        self.service.log_of(site).write(exchange, context, substatus, hresult)


def _config_error(error: ConfigError) -> HttpError:
    rows = [("Config Error", error.text), ("Config File", error.config_file)]
    if error.line is not None:
        rows.append(("Config Line", str(error.line)))
    return HttpError(500, 19, error.hresult, notification="BeginRequest", rows=tuple(rows))


def _custom_error(section: Node, error: HttpError) -> Node | None:
    general = None
    for item in section.items:
        if item["statusCode"] == error.status:
            if item.get("subStatusCode", -1) == error.substatus:
                return item
            if item.get("subStatusCode", -1) == -1:
                general = item
    return general


def _matches(pattern: str, path: str, handler: Node) -> bool:
    """A handler's path against a URL path, without case; with allowPathInfo the URL may go on after the match."""
    if pattern == "*":
        return True
    pattern, path = pattern.lower(), path.lower()
    candidates = [path]
    if handler.get("allowPathInfo", False):
        parts = path.split("/")
        candidates += ["/".join(parts[:i]) for i in range(2, len(parts))]
    for candidate in candidates:
        subject = candidate if "/" in pattern else candidate.rpartition("/")[2]
        if fnmatch.fnmatchcase(subject, pattern) or fnmatch.fnmatchcase(subject, "/" + pattern.lstrip("/")):
            return True
    return False


def _basic_credentials(text: str) -> tuple[str, str]:
    """User and password of an Authorization header. WindowsError 1326 when there are none."""
    kind, _, value = text.partition(" ")
    try:
        if kind.lower() != "basic":
            raise ValueError(text)
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
        if not colon:
            raise ValueError(text)
    except (ValueError, binascii.Error) as error:
        raise WindowsError(1326) from error
    return name, password
