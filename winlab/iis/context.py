"""A request inside a worker process: where it belongs, what its configuration says, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from winlab.iis.http11 import Headers
from winlab.iis.httpsys import Exchange
from winlab.iis.model import EMPTY, Application, Node, Sections, Site, VirtualDirectory

if TYPE_CHECKING:
    from winlab.iis.pools import WorkerProcess

SERVER = "Microsoft-IIS/10.0"

REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Redirect",
    304: "Not Modified",
    307: "Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    416: "Requested Range Not Satisfiable",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class HttpError(Exception):
    """A request that IIS or one of its modules refuses.

    Args:
        status, substatus: e.g. 404, 13.
        hresult: the error code of the detailed page.
        module, notification: who refused it and at which stage, as the detailed page names them.
        text: a sentence in place of the usual one for this status.
        rows: further lines of the detailed page, e.g. ("Config Error", ...).
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        substatus: int = 0,
        hresult: int = 0,
        *,
        module: str = "IIS Web Core",
        notification: str = "ExecuteRequestHandler",
        text: str = "",
        rows: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{status}.{substatus} 0x{hresult:08x}")
        self.status = status
        self.substatus = substatus
        self.hresult = hresult
        self.module = module
        self.notification = notification
        self.text = text
        self.rows = rows
        self.headers = headers


@dataclass
class RequestContext:
    """One request on its way through the worker process.

    Attributes:
        path: the cooked URL path from the site's root; changes when a default document is served.
        physical_path: what it maps to.
        user: token that content is read with.
        user_name: "" for an anonymous request.
        handler: the handler mapping that was chosen.
        body_limit: the most bytes a request's body may have; None: any number.
    """

    exchange: Exchange
    worker: WorkerProcess
    site: Site
    application: Application
    directory: VirtualDirectory
    path: str
    physical_path: str
    sections: Sections
    user: Any = None
    user_name: str = ""
    handler: Node = EMPTY
    substatus: int = 0
    hresult: int = 0
    extra_headers: Headers = field(default_factory=list)
    body_limit: int | None = None

    @property
    def replaces_errors(self) -> bool:
        """Error answers of a backend give way to IIS's own pages."""
        return bool(self.section("system.webServer/httpErrors").get("existingResponse", "Auto") == "Replace")

    @property
    def method(self) -> str:
        return self.exchange.method

    @property
    def handler_name(self) -> str:
        return str(self.handler.get("name", "Not yet determined"))

    def section(self, name: str) -> Node:
        return self.sections.section(name)

    def response_headers(self, headers: Headers, server: str | None = SERVER) -> Headers:
        """The answer's headers with those that IIS adds: Server (as given; None leaves it out) and the custom headers."""
        result = list(headers)
        if server is not None:
            result.append(("Server", server))
        if self.section("system.webServer/security/requestFiltering").get("removeServerHeader", False):
            result = [(n, v) for n, v in result if n.lower() != "server"]
        result += self.custom_headers()
        result += self.extra_headers
        return result

    def custom_headers(self) -> Headers:
        custom = self.section("system.webServer/httpProtocol").child("customHeaders").items
        return [(item["name"], item["value"]) for item in custom] + self._strict_transport_security()

    def _strict_transport_security(self) -> Headers:
        hsts = self.site.hsts
        if not self.exchange.connection.secure or not hsts.get("enabled", False):
            return []
        more = "; includeSubDomains" if hsts["includeSubDomains"] else ""
        more += "; preload" if hsts["preload"] else ""
        return [("Strict-Transport-Security", f"max-age={hsts['max-age']}{more}")]

    async def respond(self, status: int, headers: Headers, body: bytes = b"", reason: str = "") -> None:
        """Sends a complete answer of IIS's own."""
        phrase = reason or REASONS.get(status, "")
        await self.exchange.respond(status, phrase, self.response_headers(headers), body)
