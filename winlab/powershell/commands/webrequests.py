"""Invoke-WebRequest and Invoke-RestMethod with basic parsing."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from winlab.powershell import json_text
from winlab.powershell.commands.core import (
    Cmdlet,
    ValidateNotNullOrEmpty,
    ValidateRange,
    cmdlet,
    find_cmdlet,
    parameter,
    switch,
)
from winlab.powershell.commands.management import load
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import ByteArray, Dictionary, PSArray, PSCustomObject, unwrap

load()

from winlab.powershell.dotnet.core import net_enum  # noqa: E402
from winlab.powershell.dotnet.encodings import _NAMES, make_encoding  # noqa: E402
from winlab.powershell.dotnet.identity import Uri  # noqa: E402
from winlab.powershell.dotnet.net import HttpWebRequest, HttpWebResponse, NetworkCredential, WebProxy, charset_of  # noqa: E402
from winlab.powershell.dotnet.values import net_string  # noqa: E402
from winlab.powershell.dotnet.xml import XmlDocument  # noqa: E402

UTILITY = "Microsoft.PowerShell.Utility"
net_enum(
    "Microsoft.PowerShell.Commands.WebRequestMethod",
    {
        name: number
        for number, name in enumerate(
            ("Default", "Get", "Head", "Post", "Put", "Delete", "Trace", "Options", "Merge", "Patch")
        )
    },
)
_AGENT = "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.14393.0"


class _WebCmdlet(Cmdlet):
    """What both share: the request."""

    uri = parameter("Uri", "Uri", position=0, mandatory=True, validate=(ValidateNotNullOrEmpty(),))
    basic_parsing = switch("UseBasicParsing")
    method = parameter("Method", "Microsoft.PowerShell.Commands.WebRequestMethod")
    headers = parameter("Headers", "Collections.IDictionary")
    body = parameter("Body", "Object", pipeline=True)
    content_type = parameter("ContentType", "String")
    user_agent = parameter("UserAgent", "String")
    timeout = parameter("TimeoutSec", "Int32", default=0, validate=(ValidateRange(0, 2**31 - 1),))
    max_redirection = parameter("MaximumRedirection", "Int32", default=-1)
    credential = parameter("Credential", "Management.Automation.PSCredential")
    default_credentials = switch("UseDefaultCredentials")
    keep_alive_off = switch("DisableKeepAlive")
    proxy = parameter("Proxy", "Uri")
    in_file = parameter("InFile", "String")
    out_file = parameter("OutFile", "String")
    pass_through = switch("PassThru")

    def verb(self) -> str:
        if self.method is None or self.method.name == "Default":
            return "GET"
        return str(self.method.name).upper()

    def request(self) -> HttpWebResponse:
        text = net_string(self.uri)
        uri = self.uri if self.uri.absolute else Uri("http://" + text)
        verb = self.verb()
        body = unwrap(self.body)
        if isinstance(body, Dictionary) and verb == "GET":
            query = _form(body)
            joined = uri.absolute_text + ("&" if uri.query_text else "?") + query
            uri, body = Uri(joined), None
        request = HttpWebRequest(uri)
        request.values["Method"] = verb
        request.values["UserAgent"] = self.user_agent or _AGENT
        if self.timeout:
            request.values["Timeout"] = int(self.timeout) * 1000
        if self.credential is not None:
            request.values["Credentials"] = NetworkCredential(self.credential.user_name, self.credential.password.text)
        if self.proxy is not None:
            proxy = WebProxy()
            proxy.new(self.proxy)
            request.values["Proxy"] = proxy
        if self.max_redirection == 0:
            request.values["AllowAutoRedirect"] = False
        elif self.max_redirection > 0:
            request.values["MaximumAutomaticRedirections"] = int(self.max_redirection)
        for key, value in self.headers.items() if self.headers is not None else ():
            self._header(request, net_string(key), net_string(value))
        if self.content_type:
            request.values["ContentType"] = self.content_type
        data = self._body(body, request)
        if data is not None:
            if verb == "GET":
                raise NetException(
                    "System.Net.ProtocolViolationException", "Cannot send a content-body with this verb-type."
                )
            request.get_request_stream().write_bytes(data)
        elif verb == "POST" and not request.values.get("ContentType"):
            request.values["ContentType"] = "application/x-www-form-urlencoded"
        return request.get_response()

    def _header(self, request: HttpWebRequest, name: str, value: str) -> None:
        own = {
            "accept": "Accept",
            "content-type": "ContentType",
            "host": "Host",
            "user-agent": "UserAgent",
            "referer": "Referer",
        }.get(name.lower())
        if own:
            request.values[own] = value
        else:
            request.header_list.add(name, value)

    def _body(self, body: Any, request: HttpWebRequest) -> bytes | None:
        if self.in_file:
            full = self.machine.fs.resolve(self.in_file, self.runtime.file_location)
            return bytes(self.machine.fs.read_bytes(full, self.user))
        if body is None:
            return None
        if isinstance(body, Dictionary):
            if not request.values.get("ContentType"):
                request.values["ContentType"] = "application/x-www-form-urlencoded"
            return _form(body).encode("ascii")
        if isinstance(body, ByteArray):
            return bytes(body)
        if isinstance(body, XmlDocument):
            return str(body.outer_xml).encode("utf-8")
        text = net_string(body)
        charset = charset_of(request.values.get("ContentType") or "")
        page = _NAMES.get((charset or "iso-8859-1").lower(), 28591)
        if not request.values.get("ContentType") and self.verb() == "POST":
            request.values["ContentType"] = "application/x-www-form-urlencoded"
        return make_encoding(page).encode(text)

    def sent(self) -> HttpWebResponse:
        """The response; a failure is the cmdlet's WebException."""
        try:
            return self.request()
        except NetException as error:
            record = self.error(
                error.type_name, error.message, "WebCmdletWebResponseException", "InvalidOperation", None
            )
            record.exception = error
            if error.type_name == "System.Net.WebException":
                response = error.properties.get("Response")
                if response is not None:
                    text = content_text(response)
                    record.details = text or None
            self.throw(record)

    def save(self, response: HttpWebResponse) -> None:
        full = self.machine.fs.resolve(self.out_file, self.runtime.file_location)
        from winlab.powershell.dotnet.files import write_file

        write_file(full, response.content)


def _form(body: Dictionary) -> str:
    return "&".join(
        f"{quote(net_string(key), safe='-_.!*()')}={quote(net_string(value), safe='-_.!*()')}".replace("%20", "+")
        for key, value in body.items()
    )


def content_text(response: HttpWebResponse) -> str:
    """The body as text: the charset of the header, else ISO-8859-1 as 5.1 assumes; a byte order mark of UTF-8 wins."""
    data = response.content
    charset = charset_of(response.content_type)
    if charset is None and data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    page = _NAMES.get((charset or "iso-8859-1").lower(), 28591)
    return make_encoding(page).decode(data)


def _is_text(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return (
        not media or media.startswith("text/") or media.endswith(("xml", "json", "javascript", "x-www-form-urlencoded"))
    )


@cmdlet("Invoke-WebRequest", module=UTILITY, aliases=("iwr", "wget", "curl"))
class InvokeWebRequest(_WebCmdlet):
    """A request and its response object. Without -UseBasicParsing the real cmdlet parses HTML with Internet Explorer, which the lab has not."""

    def process(self) -> None:
        response = self.sent()
        if self.out_file:
            self.save(response)
            if not self.pass_through:
                return
        if not self.basic_parsing and not self.out_file and "html" in response.content_type.lower():
            raise LabUnsupported(
                "Invoke-WebRequest without -UseBasicParsing for HTML (it needs Internet Explorer's engine)"
            )
        self.write(self._result(response))

    def _result(self, response: HttpWebResponse) -> Any:
        from winlab.powershell.dotnet.collections import generic_dictionary

        headers = generic_dictionary("System.String", "System.String")
        for name, value in response.exchange.reply_headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        textual = _is_text(response.content_type)
        content: Any = content_text(response) if textual else ByteArray(response.content)
        raw = f"HTTP/1.1 {response.exchange.status} {response.exchange.reason}\r\n"
        raw += "".join(f"{name}: {value}\r\n" for name, value in response.exchange.reply_headers) + "\r\n"
        if textual:
            raw += content
        properties: dict[str, Any] = {
            "StatusCode": response.exchange.status,
            "StatusDescription": response.exchange.reason,
            "Content": content,
            "RawContent": raw,
        }
        name = "Microsoft.PowerShell.Commands.WebResponseObject"
        if textual:
            name = "Microsoft.PowerShell.Commands.BasicHtmlWebResponseObject"
            properties |= {
                "Forms": None,
                "Headers": headers,
                "Images": _elements(content, "img"),
                "InputFields": _elements(content, "input"),
                "Links": _elements(content, "a"),
                "ParsedHtml": None,
            }
        else:
            properties["Headers"] = headers
        properties["RawContentLength"] = len(response.content)
        properties["BaseResponse"] = response
        return PSCustomObject.of(properties, name)


def _elements(text: str, tag: str) -> PSArray:
    """Tags with their attributes, as basic parsing finds them: by pattern."""
    pattern = rf"<{tag}\b[^>]*?>.*?</{tag}>" if tag == "a" else rf"<{tag}\b[^>]*?>"
    found = []
    for match in re.finditer(pattern, text, re.IGNORECASE | re.DOTALL):
        opening = re.match(r"<[^>]*>", match.group())
        properties: dict[str, Any] = {"outerHTML": match.group(), "tagName": tag.upper()}
        for name, _, double, single, bare in re.findall(
            r"""([\w:-]+)\s*=\s*("([^"]*)"|'([^']*)'|([^\s>"']+))""", opening.group() if opening else ""
        ):
            properties.setdefault(name, double or single or bare)
        found.append(PSCustomObject.of(properties))
    return PSArray(found)


@cmdlet("Invoke-RestMethod", module=UTILITY, aliases=("irm",))
class InvokeRestMethod(_WebCmdlet):
    """A request whose JSON or XML comes as objects."""

    def process(self) -> None:
        response = self.sent()
        if self.out_file:
            self.save(response)
            if not self.pass_through:
                return
        text = content_text(response)
        media = response.content_type.lower()
        if "xml" in media:
            made = XmlDocument()
            try:
                made.load_text(text)
                self.write(made)
                return
            except NetException:
                pass
        if "json" in media or text.lstrip()[:1] in ("{", "["):
            try:
                self._json(text)
                return
            except json_text.JsonError:
                pass
        self.write(text)

    def _json(self, text: str) -> None:
        json_text.loads(text)
        command = find_cmdlet("ConvertFrom-Json")
        if command is None:
            raise LabUnsupported("ConvertFrom-Json")
        converter = command(self.runtime, self.processor)
        converter.bound = {"inputobject": text}
        converter.__dict__[command.metadata.parameters["inputobject"].attribute] = text
        converter.begin()
        converter.process()
        converter.end()
