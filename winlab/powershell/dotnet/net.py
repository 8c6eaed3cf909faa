"""System.Net: HTTP requests, names and addresses, TCP sockets.

Requests to the server's own names (127.0.0.1, localhost, ::1, its computer name) go to the address the simulated server listens on, with the Host header
as it was asked for; all others go out of this machine as they are.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import ipaddress
import select as _select
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, NetObject, SecureString

from . import context
from .collections import NameValueCollection
from .core import ctor, get_type, method, net_type, prop, static, static_prop
from .declare import argument, format_exception, invalid_operation, need, not_supported, out_of_range, overloads
from .diagnostics import Component
from .encodings import ANSI, Encoding, make_encoding
from .identity import Uri
from .streams import FileStream, MemoryStream, Stream
from .threads import Task, wait_until
from .time import DateTime
from .values import net_hash

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]", "loopback")


def connect_address(host: str) -> str:
    """Where a host name leads: the simulated server's own names mean its listening address."""
    server = context.machine()
    name = host.lower().rstrip(".")
    if name in _LOOPBACK or name == str(server.name).lower():
        return str(server.address or "127.0.0.1")
    return host.strip("[]")


def connector(timeout: float | None) -> Callable[[str, int], socket.socket]:
    """Opens TCP connections for a process of the server; one to the server itself comes from its own address, as Windows chooses it."""
    own = str(context.machine().address)

    def connect(address: str, port: int) -> socket.socket:
        return socket.create_connection((address, port), timeout, (own, 0) if address == own else None)

    return connect


def off_thread(work: Callable[[], Any]) -> Any:
    """Run blocking work on another thread while this one keeps looking at stop and kill."""
    box: list[Any] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            box.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=body, daemon=True, name="net")
    thread.start()
    wait_until(lambda: not thread.is_alive(), None)
    if failure:
        raise failure[0]
    return box[0] if box else None


# ------------------------------------------------------------------------------------------------------------ credentials


@net_type("System.Net.NetworkCredential")
class NetworkCredential(NetObject):
    def __init__(self, user: str = "", password: str = "", domain: str = "") -> None:
        self.user, self.secret, self.domain_name = user, password, domain

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @overloads("System.Net.NetworkCredential", ".ctor", only="String,")
    def new_user(self, user: str | None, password: Any, domain: str | None = "") -> None:
        self.__init__(user or "", password.text if isinstance(password, SecureString) else password or "", domain or "")

    @prop("UserName : String")
    def user_name(self) -> str:
        return self.user

    @user_name.setter
    def user_name(self, value: str | None) -> None:
        self.user = value or ""

    @prop("Password : String")
    def password(self) -> str:
        return self.secret

    @password.setter
    def password(self, value: str | None) -> None:
        self.secret = value or ""

    @prop("Domain : String")
    def domain(self) -> str:
        return self.domain_name

    @domain.setter
    def domain(self, value: str | None) -> None:
        self.domain_name = value or ""

    @prop("SecurePassword : Security.SecureString")
    def secure_password(self) -> SecureString:
        return SecureString(self.secret)

    @secure_password.setter
    def secure_password(self, value: SecureString | None) -> None:
        self.secret = value.text if value is not None else ""

    @overloads("System.Net.NetworkCredential", "GetCredential")
    def get_credential(self, *arguments: Any) -> NetworkCredential:
        return self


@net_type("System.Net.CredentialCache")
class CredentialCache(NetObject):
    @static_prop("DefaultCredentials : Net.ICredentials get")
    @static_prop("DefaultNetworkCredentials : Net.NetworkCredential get")
    def default_credentials() -> NetworkCredential:
        return NetworkCredential()


@net_type("System.Net.WebProxy")
class WebProxy(NetObject):
    @overloads("System.Net.WebProxy", ".ctor", skip=("SerializationInfo", "String[]"))
    def new(self, *arguments: Any) -> None:
        self.target: Uri | None = None
        if arguments and arguments[0] is not None:
            first = arguments[0]
            self.target = first if isinstance(first, Uri) else Uri(first if "://" in first else f"http://{first}")
        self.own_credentials: Any = None

    @prop("Address : Uri")
    def address(self) -> Any:
        return self.target

    @prop("Credentials : Net.ICredentials")
    def credentials(self) -> Any:
        return self.own_credentials

    @credentials.setter
    def credentials(self, value: Any) -> None:
        self.own_credentials = value


# ------------------------------------------------------------------------------------------------------------ headers

_COMMON = {
    "Authorization": "Authorization",
    "Accept": "Accept",
    "UserAgent": "User-Agent",
    "ContentType": "Content-Type",
    "ContentLength": "Content-Length",
    "ContentEncoding": "Content-Encoding",
    "LastModified": "Last-Modified",
    "ETag": "ETag",
    "Location": "Location",
    "Server": "Server",
    "Host": "Host",
    "Cookie": "Cookie",
    "SetCookie": "Set-Cookie",
    "CacheControl": "Cache-Control",
    "AcceptEncoding": "Accept-Encoding",
    "RetryAfter": "Retry-After",
    "Referer": "Referer",
    "WwwAuthenticate": "WWW-Authenticate",
    "Date": "Date",
    "Via": "Via",
    "Expires": "Expires",
    "Vary": "Vary",
}
_RESTRICTED = {
    "accept",
    "connection",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "if-modified-since",
    "range",
    "referer",
    "transfer-encoding",
    "user-agent",
    "proxy-connection",
}


def _header_name(header: EnumValue) -> str:
    if header.name not in _COMMON:
        raise LabUnsupported(f"the header {header.name} by enum")
    return _COMMON[header.name]


@net_type("System.Net.WebHeaderCollection")
class WebHeaderCollection(NameValueCollection):
    restricted = False

    def __str__(self) -> str:
        return "".join(f"{name}: {', '.join(values)}\r\n" for name, values in self.names) + "\r\n"

    def _check(self, name: str) -> None:
        if self.restricted and name.lower() in _RESTRICTED:
            raise argument(f"The '{name}' header must be modified using the appropriate property or method.", "name")

    @ctor("()")
    def new_headers(self) -> None:
        self.names = []

    @method("Add(String,String) : Void")
    def add_header(self, name: str, value: str) -> None:
        self._check(need(name, "name"))
        self.add(name, value)

    @method("Add(String) : Void")
    def add_line(self, line: str) -> None:
        name, colon, value = need(line, "header").partition(":")
        if not colon:
            raise argument("Specified value does not have a ':' separator.", "header")
        self._check(name.strip())
        self.add(name.strip(), value.strip())

    @method("Add(Net.HttpRequestHeader,String) : Void")
    @method("Add(Net.HttpResponseHeader,String) : Void")
    def add_enum(self, header: EnumValue, value: str) -> None:
        self.add_header(_header_name(header), value)

    @method("Set(String,String) : Void")
    def set_header(self, name: str, value: str) -> None:
        self._check(name)
        self.set_item(name, value)

    @method("Set(Net.HttpRequestHeader,String) : Void")
    def set_enum(self, header: EnumValue, value: str) -> None:
        self.set_item(_header_name(header), value)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)

    def __iter__(self) -> Iterator[Any]:
        yield from [name for name, _ in self.names]


# ------------------------------------------------------------------------------------------------------------ ServicePointManager


class _Manager:
    """What [Net.ServicePointManager] of one process holds. 240 is Ssl3, Tls: what the .NET Framework of PowerShell 5.1 starts with."""

    def __init__(self) -> None:
        self.protocol = 48 | 192
        self.callback: Any = None
        self.expect = True
        self.limit = 2


def manager() -> _Manager:
    found: _Manager = context.per_process("service points", _Manager)
    return found


def _manager_property(name: str) -> Callable[[Any], None]:
    return lambda value: setattr(manager(), name, value.value if isinstance(value, EnumValue) else value)


@net_type("System.Net.ServicePointManager")
class ServicePointManager:
    """System.Net.ServicePointManager"""

    @static_prop("SecurityProtocol : Net.SecurityProtocolType", setter=_manager_property("protocol"))
    def security_protocol() -> int:
        return manager().protocol

    @static_prop(
        "ServerCertificateValidationCallback : Net.Security.RemoteCertificateValidationCallback",
        setter=_manager_property("callback"),
    )
    def callback() -> Any:
        return manager().callback

    @static_prop("Expect100Continue : Boolean", setter=_manager_property("expect"))
    def expect() -> bool:
        return manager().expect

    @static_prop("DefaultConnectionLimit : Int32", setter=_manager_property("limit"))
    def limit() -> int:
        return manager().limit

    @static_prop("CheckCertificateRevocationList : Boolean", setter=lambda value: None)
    def check_revocation() -> bool:
        return False

    @static_prop("MaxServicePointIdleTime : Int32", setter=lambda value: None)
    def idle_time() -> int:
        return 100000

    @static_prop("UseNagleAlgorithm : Boolean", setter=lambda value: None)
    def nagle() -> bool:
        return True


def tls_context(verify: bool = True) -> ssl.SSLContext:
    """TLS as this process is set up: enabled versions, the server's own trusted roots; `verify` is left out where a callback decides."""
    made = ssl.create_default_context()
    server = context.machine()
    for store in ("Root", "CA"):
        with contextlib.suppress(ssl.SSLError):
            roots = "".join(item.pem.decode("ascii") for item in server.certificates.all(store))
            if roots:
                made.load_verify_locations(cadata=roots)
    protocol = manager().protocol
    if protocol and not protocol & 0xC00:
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1 if protocol & 0x300 else ssl.TLSVersion.TLSv1
    elif protocol:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


# ------------------------------------------------------------------------------------------------------------ requests


def _not_trusted() -> NetException:
    inner = NetException(
        "System.Security.Authentication.AuthenticationException",
        "The remote certificate is invalid according to the validation procedure.",
    )
    text = (
        "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel."
    )
    return web_exception(text, "TrustFailure", None, inner)


def _is_accepted(callback: Any, sender: Any, der: bytes | None, name: str) -> bool:
    """What a validation callback says of the certificate that a server has sent; it hears what Windows itself finds wrong with it."""
    from winlab.windows.certificates import Certificate

    from .certificates import X509Certificate2, X509Chain, chain_status, has_name

    certificate, chain, errors = None, X509Chain(), 1
    if der:
        certificate = X509Certificate2(Certificate(der=der))
        chain.policy.mode = 0
        chain.build(certificate)
        errors = 2 * (not has_name(certificate.inner, name)) + 4 * bool(chain_status(certificate.inner))
    try:
        return bool(callback(sender, certificate, chain, get_type("System.Net.Security.SslPolicyErrors").enum(errors)))
    except NetException:
        return False


def web_exception(message: str, status: str, response: Any = None, inner: NetException | None = None) -> NetException:
    return NetException(
        "System.Net.WebException",
        message,
        inner,
        Status=get_type("System.Net.WebExceptionStatus").enum(status),
        Response=response,
    )


def socket_exception(error: OSError, address: str = "") -> NetException:
    import errno

    if isinstance(error, socket.gaierror):
        return NetException(
            "System.Net.Sockets.SocketException", "No such host is known", NativeErrorCode=11001, ErrorCode=11001
        )
    if error.errno == errno.ECONNREFUSED:
        shown = f" {address}" if address else ""
        text = f"No connection could be made because the target machine actively refused it{shown}"
        return NetException("System.Net.Sockets.SocketException", text, NativeErrorCode=10061, ErrorCode=10061)
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        text = (
            "A connection attempt failed because the connected party did not properly respond after a period of time, or established "
            f"connection failed because connected host has failed to respond {address}"
        ).rstrip()
        return NetException("System.Net.Sockets.SocketException", text, NativeErrorCode=10060, ErrorCode=10060)
    if error.errno == errno.EADDRINUSE:
        text = "Only one usage of each socket address (protocol/network address/port) is normally permitted"
        return NetException("System.Net.Sockets.SocketException", text, NativeErrorCode=10048, ErrorCode=10048)
    if error.errno in (errno.ECONNRESET, errno.EPIPE):
        text = "An existing connection was forcibly closed by the remote host"
        return NetException("System.Net.Sockets.SocketException", text, NativeErrorCode=10054, ErrorCode=10054)
    return NetException(
        "System.Net.Sockets.SocketException",
        f"A socket operation was attempted to an unreachable network {address}",
        NativeErrorCode=10051,
        ErrorCode=10051,
    )


class Exchange:
    """One HTTP request without redirects: what the request classes build on. All times in seconds."""

    def __init__(
        self,
        uri: Uri,
        verb: str = "GET",
        headers: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
        timeout: float | None = 100,
        host: str | None = None,
        callback: Any = None,
        proxy: Any = None,
        sender: Any = None,
    ) -> None:
        self.uri, self.verb, self.headers, self.body = uri, verb, headers or [], body
        self.timeout, self.host, self.callback, self.proxy = timeout, host, callback, proxy
        self.sender = sender
        self.certificate: bytes | None = None
        self.status = 0
        self.reason = ""
        self.version = 11
        self.reply_headers: list[tuple[str, str]] = []
        self.content = b""

    def run(self) -> Exchange:
        address = connect_address(self.uri.host_text)
        callback = self.callback or manager().callback
        security = tls_context(verify=callback is None) if self.uri.scheme == "https" else None
        connect = connector(self.timeout)
        connection = off_thread(lambda: self._connect(address, security, connect))
        if security is not None:
            self.certificate = connection.getpeercert(binary_form=True)
            if callback is not None and not _is_accepted(callback, self.sender, self.certificate, self._name()):
                connection.close()
                raise _not_trusted()
        off_thread(lambda: self._exchange(connection))
        return self

    def _name(self) -> str:
        """A Host header of one's own is also the name that is asked for, and that the certificate must have."""
        return (Uri(f"https://{self.host}").host_text if self.host else self.uri.host_text).strip("[]")

    def _connect(
        self, address: str, security: ssl.SSLContext | None, connect: Callable[[str, int], socket.socket]
    ) -> Any:
        port = self.uri.port_number
        shown = f"{address}:{port}"
        connect_to, connect_port = address, port
        proxied = getattr(self.proxy, "target", None)
        if proxied is not None:
            connect_to, connect_port = connect_address(proxied.host_text), proxied.port_number
        try:
            raw: Any = connect(connect_to, connect_port)
        except socket.gaierror:
            raise web_exception(
                f"The remote name could not be resolved: '{self.uri.host_text}'", "NameResolutionFailure"
            ) from None
        except TimeoutError:
            raise web_exception("The operation has timed out", "Timeout") from None
        except OSError as error:
            raise web_exception(
                "Unable to connect to the remote server", "ConnectFailure", None, socket_exception(error, shown)
            ) from None
        if security is not None:
            if proxied is not None:
                raise web_exception(
                    "The ServicePointManager does not support proxies with the https scheme.", "ConnectFailure"
                )
            try:
                raw = security.wrap_socket(raw, server_hostname=self._name())
            except ssl.SSLCertVerificationError:
                raise _not_trusted() from None
            except (ssl.SSLError, OSError):
                raise web_exception(
                    "The request was aborted: Could not create SSL/TLS secure channel.", "SecureChannelFailure"
                ) from None
        return raw

    def _exchange(self, raw: Any) -> None:
        target = self.uri.path_text + self.uri.query_text
        if self.uri.scheme != "https" and getattr(self.proxy, "target", None) is not None:
            target = f"http://{self.uri.authority_text}{target}"
        connection = http.client.HTTPConnection(
            self.uri.host_text.strip("[]"), self.uri.port_number, timeout=self.timeout
        )
        connection.sock = raw
        try:
            connection.putrequest(self.verb, target or "/", skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self.host or self.uri.authority_text)
            for name, value in self.headers:
                connection.putheader(name, value)
            if self.body is not None and not any(name.lower() == "content-length" for name, _ in self.headers):
                connection.putheader("Content-Length", str(len(self.body)))
            connection.putheader("Connection", "Close")
            connection.endheaders(self.body)
            reply = connection.getresponse()
            self.content = reply.read()
        except TimeoutError:
            raise web_exception("The operation has timed out", "Timeout") from None
        except (http.client.HTTPException, OSError) as error:
            text = "The underlying connection was closed: The connection was closed unexpectedly."
            cause = socket_exception(error) if isinstance(error, OSError) else None
            raise web_exception(text, "ConnectionClosed", None, cause) from None
        finally:
            connection.close()
        self.status, self.reason, self.version = reply.status, reply.reason, reply.version
        self.reply_headers = [(str(name), str(value)) for name, value in reply.getheaders()]

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.reply_headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None


@net_type("System.Net.WebResponse", interfaces=("IDisposable",))
class WebResponse(NetObject):
    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        pass


@net_type("System.Net.HttpWebResponse")
class HttpWebResponse(WebResponse):
    def __init__(self, exchange: Exchange, decompress: int = 0) -> None:
        self.exchange = exchange
        self.content = exchange.content
        coding = (exchange.header("Content-Encoding") or "").lower()
        if decompress & 1 and coding == "gzip":
            self.content = gzip.decompress(self.content)
        elif decompress & 2 and coding == "deflate":
            self.content = zlib.decompress(self.content, -15 if self.content[:1] != b"\x78" else 15)

    @prop("StatusCode : Net.HttpStatusCode get")
    def status_code(self) -> int:
        return self.exchange.status

    @prop("StatusDescription : String get")
    def status_description(self) -> str:
        return self.exchange.reason

    @prop("Headers : Net.WebHeaderCollection get")
    def headers(self) -> WebHeaderCollection:
        return WebHeaderCollection(self.exchange.reply_headers)

    @prop("ContentLength : Int64 get")
    def content_length(self) -> int:
        value = self.exchange.header("Content-Length")
        return int(value) if value is not None and value.isdigit() else -1

    @prop("ContentType : String get")
    def content_type(self) -> str:
        return self.exchange.header("Content-Type") or ""

    @prop("ContentEncoding : String get")
    def content_encoding(self) -> str:
        return self.exchange.header("Content-Encoding") or ""

    @prop("CharacterSet : String get")
    def character_set(self) -> str | None:
        return charset_of(self.content_type)

    @prop("Server : String get")
    def server(self) -> str | None:
        return self.exchange.header("Server")

    @prop("Method : String get")
    def http_method(self) -> str:
        return self.exchange.verb

    @prop("ResponseUri : Uri get")
    def response_uri(self) -> Uri:
        return self.exchange.uri

    @prop("LastModified : DateTime get")
    def last_modified(self) -> DateTime:
        import email.utils

        value = self.exchange.header("Last-Modified")
        return DateTime.of(email.utils.parsedate_to_datetime(value)) if value else DateTime.now()

    @prop("ProtocolVersion : Version get")
    def protocol_version(self) -> Any:
        from .identity import Version

        return Version(1, 1 if self.exchange.version == 11 else 0)

    @method("GetResponseStream() : IO.Stream")
    def get_response_stream(self) -> Stream:
        return MemoryStream(self.content, writable=False)

    @method("GetResponseHeader(String) : String")
    def get_response_header(self, name: str) -> str:
        return self.exchange.header(name) or ""

    @method("Close() : Void")
    def close_response(self) -> None:
        pass


def charset_of(content_type: str) -> str | None:
    import re

    found = re.search(r"charset=\"?([^\s;\"]+)", content_type, re.IGNORECASE)
    return found.group(1) if found else None


@net_type("System.Net.WebRequest")
class WebRequest(NetObject):
    @overloads("System.Net.WebRequest", "Create", "CreateHttp", "CreateDefault")
    def create(target: Any) -> HttpWebRequest:
        uri = target if isinstance(need(target, "requestUriString"), Uri) else Uri(target)
        if uri.scheme not in ("http", "https"):
            if uri.scheme in ("ftp", "file"):
                raise LabUnsupported(f"WebRequest.Create for {uri.scheme}:")
            raise not_supported("The URI prefix is not recognized.")
        return HttpWebRequest(uri)

    @static_prop("DefaultWebProxy : Net.IWebProxy", setter=lambda value: None)
    def default_proxy() -> Any:
        return None

    @static("GetSystemWebProxy() : Net.IWebProxy")
    def get_system_web_proxy() -> Any:
        return None


_REQUEST_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("Method", "String", "GET"),
    ("ContentType", "String", None),
    ("Accept", "String", None),
    ("UserAgent", "String", None),
    ("Referer", "String", None),
    ("Host", "String", None),
    ("AllowAutoRedirect", "Boolean", True),
    ("MaximumAutomaticRedirections", "Int32", 50),
    ("KeepAlive", "Boolean", True),
    ("Timeout", "Int32", 100000),
    ("ReadWriteTimeout", "Int32", 300000),
    ("ContentLength", "Int64", -1),
    ("UseDefaultCredentials", "Boolean", False),
    ("PreAuthenticate", "Boolean", False),
    ("SendChunked", "Boolean", False),
    ("AllowWriteStreamBuffering", "Boolean", True),
    ("Credentials", "Net.ICredentials", None),
    ("Proxy", "Net.IWebProxy", None),
    ("ServerCertificateValidationCallback", "Net.Security.RemoteCertificateValidationCallback", None),
)


def _request_field(name: str, kind: str, default: Any) -> Any:
    def read(self: Any) -> Any:
        if name == "Host" and not self.values.get(name):
            return self.uri.authority_text
        return self.values.get(name, default)

    def write(self: Any, value: Any) -> None:
        if name == "Method" and not value:
            raise argument("Cannot set null or blank methods on request.", "value")
        if name in ("Timeout", "ReadWriteTimeout") and value < 0 and value != -1:
            raise out_of_range(
                "value", "Timeout can be only be set to 'System.Threading.Timeout.Infinite' or a value >= 0."
            )
        self.values[name] = value

    made: Any = prop(f"{name} : {kind}")(read).setter(write)
    return made


class _RequestStream(MemoryStream):
    """The body of a request; kept when it is closed."""


net_type("System.Net.ConnectStream", base="System.IO.Stream", kind="class", assembly="System")(_RequestStream)


@net_type("System.Net.ServicePoint")
class ServicePoint(NetObject):
    """Where a request goes: it keeps the certificate that the server there has sent last."""

    def __init__(self, uri: Uri, certificate: bytes | None) -> None:
        self.uri, self.der = uri, certificate

    @prop("Address : Uri get")
    def address(self) -> Uri:
        return Uri(f"{self.uri.scheme}://{self.uri.authority_text}/")

    @prop("Certificate : Security.Cryptography.X509Certificates.X509Certificate get")
    def certificate(self) -> Any:
        from winlab.windows.certificates import Certificate

        from .certificates import X509Certificate2

        return X509Certificate2(Certificate(der=self.der)) if self.der else None


@net_type("System.Net.HttpWebRequest")
class HttpWebRequest(WebRequest):
    for _name, _kind, _default in _REQUEST_FIELDS:
        locals()[f"field_{_name}"] = _request_field(_name, _kind, _default)
    del _name, _kind, _default

    def __init__(self, uri: Uri) -> None:
        self.uri = uri
        self.final = uri
        self.values: dict[str, Any] = {}
        self.header_list = WebHeaderCollection()
        self.header_list.restricted = True
        self.body: _RequestStream | None = None
        self.range_text = ""
        self.decompression = 0
        self.aborted = False
        self.point: ServicePoint | None = None

    @prop("ServicePoint : Net.ServicePoint get")
    def service_point(self) -> ServicePoint:
        return self.point or ServicePoint(self.final, None)

    @prop("RequestUri : Uri get")
    def request_uri(self) -> Uri:
        return self.uri

    @prop("Address : Uri get")
    def address(self) -> Uri:
        return self.final

    @prop("Headers : Net.WebHeaderCollection")
    def headers(self) -> WebHeaderCollection:
        return self.header_list

    @headers.setter
    def headers(self, value: WebHeaderCollection) -> None:
        self.header_list = WebHeaderCollection((name, item) for name, items in value.names for item in items)
        self.header_list.restricted = True

    @prop("AutomaticDecompression : Net.DecompressionMethods")
    def automatic_decompression(self) -> int:
        return self.decompression

    @automatic_decompression.setter
    def automatic_decompression(self, value: EnumValue) -> None:
        self.decompression = value.value

    @method("AddRange(Int32) : Void")
    @method("AddRange(Int64) : Void")
    def add_range(self, start: int) -> None:
        self.range_text = f"bytes={int(start)}-" if start >= 0 else f"bytes={int(start)}"

    @method("AddRange(Int32,Int32) : Void")
    @method("AddRange(Int64,Int64) : Void")
    def add_range_part(self, start: int, end: int) -> None:
        self.range_text = f"bytes={int(start)}-{int(end)}"

    @method("Abort() : Void")
    def abort(self) -> None:
        self.aborted = True

    @method("GetRequestStream() : IO.Stream")
    def get_request_stream(self) -> Stream:
        if self.values.get("Method", "GET").upper() in ("GET", "HEAD"):
            raise NetException(
                "System.Net.ProtocolViolationException", "Cannot send a content-body with this verb-type."
            )
        self.body = _RequestStream()
        return self.body

    def _headers(self, authorization: str | None) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for name, header in (
            ("ContentType", "Content-Type"),
            ("Accept", "Accept"),
            ("UserAgent", "User-Agent"),
            ("Referer", "Referer"),
        ):
            if self.values.get(name):
                found.append((header, self.values[name]))
        for own, values in self.header_list.names:
            if own is not None:
                found.extend((own, value) for value in values)
        if self.range_text:
            found.append(("Range", self.range_text))
        if self.decompression:
            names = [name for bit, name in ((1, "gzip"), (2, "deflate")) if self.decompression & bit]
            found.append(("Accept-Encoding", ", ".join(names)))
        if authorization:
            found.append(("Authorization", authorization))
        return found

    @method("GetResponse() : Net.WebResponse")
    def get_response(self) -> HttpWebResponse:
        if self.aborted:
            raise web_exception("The request was aborted: The request was canceled.", "RequestCanceled")
        verb = self.values.get("Method", "GET").upper()
        body = self.body.to_array() if self.body is not None else (b"" if verb in ("POST", "PUT") else None)
        timeout = self.values.get("Timeout", 100000)
        seconds = None if timeout == -1 else timeout / 1000
        uri, redirects, authorization = self.uri, 0, None
        while True:
            exchange = Exchange(
                uri,
                verb,
                self._headers(authorization),
                body,
                seconds,
                self.values.get("Host") if redirects == 0 else None,
                self.values.get("ServerCertificateValidationCallback"),
                self.values.get("Proxy"),
                self,
            ).run()
            self.final = uri
            self.point = ServicePoint(uri, exchange.certificate)
            location = exchange.header("Location")
            if (
                exchange.status in (301, 302, 303, 307, 308)
                and location
                and self.values.get("AllowAutoRedirect", True)
                and exchange.status != 308
            ):
                redirects += 1
                if redirects > self.values.get("MaximumAutomaticRedirections", 50):
                    raise web_exception(
                        "Too many automatic redirections were attempted.", "ProtocolError", HttpWebResponse(exchange)
                    )
                uri = Uri(_resolve(uri, location))
                if (exchange.status in (301, 302, 303) and verb == "POST") or exchange.status == 303:
                    verb, body = "GET", None
                continue
            if exchange.status == 401 and authorization is None:
                credentials = self.values.get("Credentials")
                challenge = (exchange.header("WWW-Authenticate") or "").lower()
                if isinstance(credentials, NetworkCredential) and credentials.user and "basic" in challenge:
                    pair = f"{credentials.user}:{credentials.secret}".encode()
                    authorization = "Basic " + base64.b64encode(pair).decode("ascii")
                    continue
            break
        response = HttpWebResponse(exchange, self.decompression)
        if exchange.status >= 400:
            text = f"The remote server returned an error: ({exchange.status}) {_status_text(exchange.status, exchange.reason)}."
            raise web_exception(text, "ProtocolError", response)
        return response


def _resolve(base: Uri, location: str) -> str:
    from .identity import resolve_uri

    return resolve_uri(base, location)


_STATUS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    414: "Request-Uri Too Long",
    415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable",
    417: "Expectation Failed",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Server Unavailable",
    504: "Gateway Timeout",
    505: "Http Version Not Supported",
}


def _status_text(status: int, reason: str) -> str:
    return _STATUS.get(status, reason)


# ------------------------------------------------------------------------------------------------------------ WebClient


@net_type("System.Net.WebClient")
class WebClient(Component):
    def __init__(self) -> None:
        self.header_list = WebHeaderCollection()
        self.encoding_value: Encoding = make_encoding(ANSI)
        self.base = ""
        self.credentials_value: Any = None
        self.proxy_value: Any = None
        self.default_credentials = False
        self.reply: WebHeaderCollection | None = None

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @prop("Headers : Net.WebHeaderCollection")
    def headers(self) -> WebHeaderCollection:
        return self.header_list

    @headers.setter
    def headers(self, value: WebHeaderCollection) -> None:
        self.header_list = value

    @prop("Encoding : Text.Encoding")
    def encoding(self) -> Encoding:
        return self.encoding_value

    @encoding.setter
    def encoding(self, value: Encoding) -> None:
        self.encoding_value = need(value, "Encoding")

    @prop("BaseAddress : String")
    def base_address(self) -> str:
        return self.base

    @base_address.setter
    def base_address(self, value: str | None) -> None:
        self.base = value or ""

    @prop("Credentials : Net.ICredentials")
    def credentials(self) -> Any:
        return self.credentials_value

    @credentials.setter
    def credentials(self, value: Any) -> None:
        self.credentials_value = value

    @prop("Proxy : Net.IWebProxy")
    def proxy(self) -> Any:
        return self.proxy_value

    @proxy.setter
    def proxy(self, value: Any) -> None:
        self.proxy_value = value

    @prop("UseDefaultCredentials : Boolean")
    def use_default_credentials(self) -> bool:
        return self.default_credentials

    @use_default_credentials.setter
    def use_default_credentials(self, value: bool) -> None:
        self.default_credentials = value

    @prop("IsBusy : Boolean get")
    def is_busy(self) -> bool:
        return False

    @prop("ResponseHeaders : Net.WebHeaderCollection get")
    def response_headers(self) -> Any:
        return self.reply

    def fetch(
        self, address: Any, verb: str = "GET", body: bytes | None = None, content_type: str | None = None
    ) -> bytes:
        if isinstance(address, Uri):
            uri = address
        else:
            text = need(address, "address")
            uri = Uri(_resolve(Uri(self.base), text)) if self.base else Uri(text)
        if uri.scheme == "file":
            stream = FileStream(uri.local_path)
            try:
                return stream.read_all()
            finally:
                stream.close()
        request = WebRequest.create(uri)
        request.values["Method"] = verb
        request.values["Credentials"] = self.credentials_value
        request.values["Proxy"] = self.proxy_value
        for name, values in self.header_list.names:
            lower = (name or "").lower()
            own = {
                "content-type": "ContentType",
                "accept": "Accept",
                "user-agent": "UserAgent",
                "referer": "Referer",
                "host": "Host",
            }.get(lower)
            if own:
                request.values[own] = ", ".join(values)
            elif name:
                for value in values:
                    request.header_list.add(name, value)
        if content_type and not request.values.get("ContentType"):
            request.values["ContentType"] = content_type
        if body is not None:
            request.body = _RequestStream()
            request.body.write_bytes(body)
        response = request.get_response()
        self.reply = response.headers
        self.header_list = WebHeaderCollection()
        return response.content

    def _text(self, data: bytes) -> str:
        charset = charset_of(self.reply.get("Content-Type") or "") if self.reply is not None else None
        encoding = self.encoding_value
        if charset:
            from .encodings import _NAMES

            page = _NAMES.get(charset.lower())
            if page is not None:
                encoding = make_encoding(page)
        mark = encoding.preamble
        for page in (65001, 1200, 1201):
            own = make_encoding(page)
            if data.startswith(own.preamble):
                return own.decode(data[len(own.preamble) :])
        return encoding.decode(data[len(mark) :] if mark and data.startswith(mark) else data)

    @overloads("System.Net.WebClient", "DownloadData")
    def download_data(self, address: Any) -> bytes:
        return self.fetch(address)

    @overloads("System.Net.WebClient", "DownloadString")
    def download_string(self, address: Any) -> str:
        return self._text(self.fetch(address))

    @overloads("System.Net.WebClient", "DownloadFile")
    def download_file(self, address: Any, path: str) -> None:
        need(path, "fileName")
        stream = None
        try:
            try:
                stream = FileStream(path, 2, 2, 1)
            except NetException as error:
                raise web_exception(
                    "An exception occurred during a WebClient request.", "UnknownError", None, error
                ) from None
            try:
                data = self.fetch(address)
            except NetException:
                stream.close()
                from .files import File

                File.delete(path)
                raise
            stream.write_bytes(data)
        finally:
            if stream is not None:
                stream.close()

    @overloads("System.Net.WebClient", "OpenRead")
    def open_read(self, address: Any) -> Stream:
        return MemoryStream(self.fetch(address), writable=False)

    @overloads("System.Net.WebClient", "UploadData")
    def upload_data(self, address: Any, *arguments: Any) -> bytes:
        verb, data = arguments if len(arguments) == 2 else ("POST", arguments[0])
        return self.fetch(address, verb or "POST", bytes(need(data, "data")))

    @overloads("System.Net.WebClient", "UploadString")
    def upload_string(self, address: Any, *arguments: Any) -> str:
        verb, text = arguments if len(arguments) == 2 else ("POST", arguments[0])
        return self._text(self.fetch(address, verb or "POST", self.encoding_value.encode(need(text, "data"))))

    @overloads("System.Net.WebClient", "UploadFile")
    def upload_file(self, address: Any, *arguments: Any) -> bytes:
        verb, path = arguments if len(arguments) == 2 else ("POST", arguments[0])
        if (verb or "POST").upper() == "POST":
            raise LabUnsupported("WebClient.UploadFile with POST (multipart)")
        stream = FileStream(path)
        try:
            return self.fetch(address, verb, stream.read_all())
        finally:
            stream.close()

    @overloads("System.Net.WebClient", "UploadValues")
    def upload_values(self, address: Any, *arguments: Any) -> bytes:
        from urllib.parse import quote_plus

        verb, values = arguments if len(arguments) == 2 else ("POST", arguments[0])
        text = "&".join(
            f"{quote_plus(name or '')}={quote_plus(item)}" for name, items in values.names for item in items
        )
        return self.fetch(address, verb or "POST", text.encode("ascii"), "application/x-www-form-urlencoded")

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


# ------------------------------------------------------------------------------------------------------------ addresses


@net_type("System.Net.IPAddress")
class IPAddress(NetObject):
    def __init__(self, value: Any) -> None:
        self.value = ipaddress.ip_address(value)

    def __str__(self) -> str:
        return str(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IPAddress) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    @ctor("(Byte[])")
    def new_bytes(self, data: Any) -> None:
        if len(need(data, "address")) not in (4, 16):
            raise argument("An invalid IP address was specified.", "address")
        self.value = ipaddress.ip_address(bytes(data))

    @ctor("(Int64)")
    def new_number(self, value: int) -> None:
        self.value = ipaddress.ip_address(int(value).to_bytes(4, "little"))

    for _name, _value in {
        "Any": "0.0.0.0",
        "Loopback": "127.0.0.1",
        "Broadcast": "255.255.255.255",
        "None": "255.255.255.255",
        "IPv6Any": "::",
        "IPv6Loopback": "::1",
        "IPv6None": "::",
    }.items():
        locals()[f"static_{_name}"] = static_prop(f"{_name} : Net.IPAddress")(lambda _value=_value: IPAddress(_value))
    del _name, _value

    @prop("AddressFamily : Net.Sockets.AddressFamily get")
    def address_family(self) -> str:
        return "InterNetwork" if self.value.version == 4 else "InterNetworkV6"

    @prop("IsIPv6LinkLocal : Boolean get")
    def is_link_local(self) -> bool:
        return self.value.version == 6 and self.value.is_link_local

    @method("GetAddressBytes() : Byte[]")
    def get_address_bytes(self) -> bytes:
        return self.value.packed

    @static("IsLoopback(Net.IPAddress) : Boolean")
    def is_loopback(address: IPAddress) -> bool:
        return bool(need(address, "address").value.is_loopback)

    @static("Parse(String) : Net.IPAddress")
    def parse(text: str) -> IPAddress:
        try:
            return IPAddress(need(text, "ipString").strip("[]"))
        except ValueError:
            raise format_exception("An invalid IP address was specified.") from None

    @static("TryParse(String,Net.IPAddress&) : Boolean")
    def try_parse(text: str | None, result: Any) -> bool:
        try:
            result.value = IPAddress((text or "").strip("[]"))
            return True
        except ValueError:
            result.value = None
            return False

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(hash(self.value))

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self.value)


@net_type("System.Net.IPEndPoint")
class IPEndPoint(NetObject):
    def __init__(self, address: IPAddress, port: int) -> None:
        self.own_address, self.own_port = address, port

    def __str__(self) -> str:
        return (
            f"[{self.own_address}]:{self.own_port}"
            if self.own_address.value.version == 6
            else f"{self.own_address}:{self.own_port}"
        )

    @ctor("(Net.IPAddress,Int32)")
    def new(self, address: IPAddress, port: int) -> None:
        if not 0 <= port <= 65535:
            raise out_of_range("port")
        self.__init__(need(address, "address"), port)

    @prop("Address : Net.IPAddress")
    def address(self) -> IPAddress:
        return self.own_address

    @prop("Port : Int32")
    def port(self) -> int:
        return self.own_port

    @prop("AddressFamily : Net.Sockets.AddressFamily get")
    def address_family(self) -> str:
        return self.own_address.address_family

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


@net_type("System.Net.IPHostEntry")
class IPHostEntry(NetObject):
    def __init__(self, name: str, addresses: list[IPAddress]) -> None:
        self.name, self.addresses = name, addresses

    @prop("HostName : String")
    def host_name(self) -> str:
        return self.name

    @prop("AddressList : Net.IPAddress[]")
    def address_list(self) -> list[IPAddress]:
        return self.addresses

    @prop("Aliases : String[]")
    def aliases(self) -> list[str]:
        return []


def resolve_host(name: str) -> list[IPAddress]:
    server = context.machine()
    if not name or name.lower() == str(server.name).lower():
        return [IPAddress(server.address or "127.0.0.1")]
    if name.lower() == "localhost":
        return [IPAddress("::1"), IPAddress("127.0.0.1")]
    try:
        return [IPAddress(name.strip("[]"))]
    except ValueError:
        pass
    try:
        found = off_thread(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except OSError as error:
        raise socket_exception(error) from None
    return [IPAddress(address) for address in dict.fromkeys(item[4][0] for item in found)]


@net_type("System.Net.Dns")
class Dns:
    """System.Net.Dns"""

    @static("GetHostName() : String")
    def get_host_name() -> str:
        return str(context.machine().name)

    @static("GetHostAddresses(String) : Net.IPAddress[]")
    def get_host_addresses(name: str) -> list[IPAddress]:
        return resolve_host(need(name, "hostNameOrAddress"))

    @overloads("System.Net.Dns", "GetHostEntry", "GetHostByName", "Resolve")
    def get_host_entry(target: Any) -> IPHostEntry:
        if isinstance(target, IPAddress):
            own = str(target) in (str(context.machine().address), "127.0.0.1", "::1")
            return IPHostEntry(str(context.machine().name) if own else str(target), [target])
        name = need(target, "hostNameOrAddress")
        addresses = resolve_host(name)
        shown = str(context.machine().name) if name.lower() in ("localhost", "", "127.0.0.1") else name
        return IPHostEntry(shown, addresses)


# ------------------------------------------------------------------------------------------------------------ sockets


@net_type("System.Net.Sockets.NetworkStream")
class NetworkStream(Stream):
    readable = writable = True

    def __init__(self, connection: socket.socket, client: Any = None) -> None:
        self.connection = connection
        self.client = client
        self.read_timeout = self.write_timeout = -1

    def read_bytes(self, count: int) -> bytes:
        limit = None if self.read_timeout < 0 else self.read_timeout / 1000
        self.connection.setblocking(False)
        box: list[bytes] = []

        def ready() -> bool:
            try:
                box.append(self.connection.recv(count))
                return True
            except BlockingIOError:
                return False

        try:
            if not wait_until(ready, limit):
                inner = socket_exception(TimeoutError())
                raise NetException(
                    "System.IO.IOException",
                    f"Unable to read data from the transport connection: {inner.message}.",
                    inner,
                )
        except OSError as error:
            inner = socket_exception(error)
            raise NetException(
                "System.IO.IOException", f"Unable to read data from the transport connection: {inner.message}.", inner
            ) from None
        return box[0]

    def write_bytes(self, data: bytes) -> None:
        self.connection.setblocking(True)
        try:
            self.connection.sendall(data)
        except OSError as error:
            inner = socket_exception(error)
            raise NetException(
                "System.IO.IOException", f"Unable to write data to the transport connection: {inner.message}.", inner
            ) from None

    def close_stream(self) -> None:
        self.connection.close()

    @prop("DataAvailable : Boolean get")
    def data_available(self) -> bool:
        return bool(_select.select([self.connection], [], [], 0)[0])

    @prop("ReadTimeout : Int32")
    def get_read_timeout(self) -> int:
        return self.read_timeout

    @get_read_timeout.setter
    def get_read_timeout(self, value: int) -> None:
        self.read_timeout = value

    @prop("WriteTimeout : Int32")
    def get_write_timeout(self) -> int:
        return self.write_timeout

    @get_write_timeout.setter
    def get_write_timeout(self, value: int) -> None:
        self.write_timeout = value


@net_type("System.Net.Sockets.TcpClient", interfaces=("IDisposable",))
class TcpClient(NetObject):
    def __init__(self, connection: socket.socket | None = None) -> None:
        self.connection = connection
        self.stream: NetworkStream | None = None
        self.timeouts = {"ReceiveTimeout": 0, "SendTimeout": 0}

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @ctor("(String,Int32)")
    def new_connected(self, host: str, port: int) -> None:
        self.__init__()
        self.connect(host, port)

    def open(self, address: str, port: int) -> socket.socket:
        connect = connector(21)
        try:
            return off_thread(lambda: connect(address, port))
        except OSError as error:
            raise socket_exception(error, f"{address}:{port}") from None

    @method("Connect(String,Int32) : Void")
    @method("Connect(Net.IPAddress,Int32) : Void")
    def connect(self, host: Any, port: int) -> None:
        self.connection = self.open(connect_address(str(need(host, "hostname"))), port)

    @method("ConnectAsync(String,Int32) : Threading.Tasks.Task")
    @method("ConnectAsync(Net.IPAddress,Int32) : Threading.Tasks.Task")
    def connect_async(self, host: Any, port: int) -> Task:
        return Task.run(lambda: self.connect(host, port))

    @method("BeginConnect(String,Int32,AsyncCallback,Object) : IAsyncResult")
    def begin_connect(self, host: str, port: int, callback: Any, state: Any) -> Any:
        task = Task.run(lambda: self.connect(host, port))
        return _ConnectResult(task)

    @method("EndConnect(IAsyncResult) : Void")
    def end_connect(self, result: Any) -> None:
        task = result.task if isinstance(result, _ConnectResult) else result
        task.wait(None)
        if task.failure is not None:
            raise task.failure

    @prop("Connected : Boolean get")
    def connected(self) -> bool:
        return self.connection is not None and self.connection.fileno() >= 0

    @prop("Available : Int32 get")
    def available(self) -> int:
        return 1 if self.stream is not None and self.stream.data_available else 0

    @prop("ReceiveTimeout : Int32")
    def receive_timeout(self) -> int:
        return self.timeouts["ReceiveTimeout"]

    @receive_timeout.setter
    def receive_timeout(self, value: int) -> None:
        self.timeouts["ReceiveTimeout"] = value

    @prop("SendTimeout : Int32")
    def send_timeout(self) -> int:
        return self.timeouts["SendTimeout"]

    @send_timeout.setter
    def send_timeout(self, value: int) -> None:
        self.timeouts["SendTimeout"] = value

    @prop("NoDelay : Boolean")
    def no_delay(self) -> bool:
        return False

    @no_delay.setter
    def no_delay(self, value: bool) -> None:
        pass

    @method("GetStream() : Net.Sockets.NetworkStream")
    def get_stream(self) -> NetworkStream:
        if self.connection is None:
            raise invalid_operation("The operation is not allowed on non-connected sockets.")
        if self.stream is None:
            self.stream = NetworkStream(self.connection, self)
            if self.timeouts["ReceiveTimeout"]:
                self.stream.read_timeout = self.timeouts["ReceiveTimeout"]
        return self.stream

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


class _ConnectResult(NetObject):
    """The IAsyncResult of BeginConnect."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @prop("IsCompleted : Boolean get")
    def is_completed(self) -> bool:
        return self.task.done

    @prop("AsyncWaitHandle : Threading.WaitHandle get")
    def async_wait_handle(self) -> Any:
        return _TaskHandle(self.task)


net_type(
    "System.Net.Sockets.ConnectAsyncResult",
    base="System.Object",
    interfaces=("IAsyncResult",),
    kind="class",
    assembly="System",
)(_ConnectResult)


def _task_handle() -> Any:
    from .threads import WaitHandle

    class TaskHandle(WaitHandle):
        """Signalled when a task is done."""

        def __init__(self, task: Task) -> None:
            self.task = task

        def try_take(self) -> bool:
            return self.task.done

    return TaskHandle


_TaskHandle = _task_handle()


@net_type("System.Net.Sockets.TcpListener")
class TcpListener(NetObject):
    """Listens on the simulated server's address; Any and Loopback mean that address."""

    @ctor("(Net.IPAddress,Int32)")
    def new(self, address: IPAddress, port: int) -> None:
        TcpListener._set(self, need(address, "localaddr"), port)

    @ctor("(Int32)")
    def new_port(self, port: int) -> None:
        TcpListener._set(self, IPAddress("0.0.0.0"), port)

    def _set(self, address: IPAddress, port: int) -> None:
        self.own_address, self.port = address, port
        self.listener: Any = None
        self.process: Any = None
        self.shown = (str(address), port)

    @method("Start() : Void")
    @method("Start(Int32) : Void")
    def start(self, backlog: int = 100) -> None:
        if self.listener is not None:
            return
        address = str(context.machine().address or "127.0.0.1")
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.bind((address, self.port))
            made.listen(min(backlog, 128))
        except OSError as error:
            made.close()
            raise socket_exception(error) from None
        self.listener = made
        process = context.runtime().process
        if process is not None:
            self.shown = (str(self.own_address), made.getsockname()[1])
            process.listeners.append(self.shown)
            process.on_exit.append(lambda _: made.close())
            self.process = process

    @prop("LocalEndpoint : Net.EndPoint get")
    def local_endpoint(self) -> IPEndPoint:
        port = self.listener.getsockname()[1] if self.listener is not None else self.port
        return IPEndPoint(self.own_address, port)

    @method("Stop() : Void")
    def stop(self) -> None:
        if self.listener is not None:
            self.listener.close()
            self.listener = None
            if self.process is not None:
                self.process.listeners.remove(self.shown)

    @method("Pending() : Boolean")
    def pending(self) -> bool:
        if self.listener is None:
            raise invalid_operation("Not listening. You must call the Start() method before calling this method.")
        return bool(_select.select([self.listener], [], [], 0)[0])

    @method("AcceptTcpClient() : Net.Sockets.TcpClient")
    def accept_tcp_client(self) -> TcpClient:
        wait_until(self.pending, None)
        connection, _ = self.listener.accept()
        return TcpClient(connection)


@net_type("System.Net.NetworkInformation.IPGlobalProperties")
class IPGlobalProperties(NetObject):
    @static("GetIPGlobalProperties() : Net.NetworkInformation.IPGlobalProperties")
    def get() -> IPGlobalProperties:
        return IPGlobalProperties()

    @prop("HostName : String get")
    def host_name(self) -> str:
        return str(context.machine().name)

    @prop("DomainName : String get")
    def domain_name(self) -> str:
        return ""

    @method("GetActiveTcpListeners() : Net.IPEndPoint[]")
    def get_active_tcp_listeners(self) -> list[IPEndPoint]:
        from winlab.windows.native import listening_sockets, shown_address

        return [
            IPEndPoint(IPAddress(shown_address(address, pid)), port)
            for address, port, pid in listening_sockets(context.machine())
        ]
