"""WS-Management operations on a remote shell, over pywinrm's ``Protocol``: authentication, sealing and faults are its job.

Not safe for use by two threads or greenlets at once (pywinrm's Protocol is not)."""

from __future__ import annotations

import base64
import binascii
import logging
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

import requests.exceptions as http
import xmltodict
from spnego.exceptions import SpnegoError
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from . import errors
from .errors import (
    CertificateRefused,
    Dropped,
    Fault,
    Garbled,
    NameUnknown,
    OperationTimeout,
    TooLarge,
    Unauthorized,
    Undecipherable,
    Unreachable,
    WireError,
)
from .secret import scrub
from .settings import Settings

logger = logging.getLogger("pyinfra")

SHELL_URI = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
SHELL_ACTION = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
TRANSFER_ACTION = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
SIGNAL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/"

#: What every WinRM service takes, and what pywinrm asks for by itself.
SMALL_ENVELOPE = 153600
_PLACE = "@@DATA@@"
_MESSAGE = "@@MESSAGE@@"
#: Envelopes whose text is kept: those of the command that is used.
KEPT_TEXTS = 4


@dataclass
class Received:
    """One Receive: pieces of output in the order the server sent them, and the exit code when the command is done."""

    pieces: list[tuple[str, bytes]] = field(default_factory=list)
    done: bool = False
    exit_code: int = -1


_UNUSED_PREFIXES = ("xsd", "xsi", "b", "n", "x", "cfg")
"""Names that pywinrm declares in each message and no message of ours uses; they would be a tenth of a small one."""


class Wire:
    """One authenticated connection to a WinRM service.

    Attributes:
        envelope_size: the message size in bytes that we ask for and believe the server takes.
        requests: WS-Management requests sent so far (authentication not counted).
    """

    def __init__(self, settings: Settings, protocol: Protocol | None = None) -> None:
        self.settings = settings
        self.envelope_size = settings.envelope_size
        self.requests = 0
        self.last_used = 0.0
        self.server_date: str | None = None
        self.protocol = protocol or make_protocol(settings)
        self._texts: dict[tuple[Any, ...], str] = {}

    # -- operations ---------------------------------------------------------------------------------------------------

    def create(
        self, idle_timeout: int | None = None, directory: str | None = None, env: dict[str, str] | None = None
    ) -> str:
        """A new cmd shell (code page 65001, no profile); returns its ShellId."""
        envelope, header = self._envelope(TRANSFER_ACTION + "Create")
        header["w:OptionSet"] = {
            "w:Option": [
                {"@Name": "WINRS_NOPROFILE", "#text": "TRUE"},
                {"@Name": "WINRS_CODEPAGE", "#text": "65001"},
            ]
        }
        shell: dict[str, Any] = {}
        if directory:
            shell["rsp:WorkingDirectory"] = directory
        if env:
            shell["rsp:Environment"] = {"rsp:Variable": [{"@Name": k, "#text": v} for k, v in env.items()]}
        if idle_timeout:
            shell["rsp:IdleTimeOut"] = f"PT{idle_timeout}S"
        shell["rsp:InputStreams"] = "stdin"
        shell["rsp:OutputStreams"] = "stdout stderr"
        envelope["env:Body"] = {"rsp:Shell": shell}
        root = self._call(envelope)
        for node in root.iter():
            if node.get("Name") == "ShellId" and node.text:
                return node.text
            if node.tag.endswith("}ShellId") and node.text:
                return node.text
        raise Garbled("the server's answer to opening a shell names no ShellId")

    def command(self, shell: str, line: str) -> str:
        """Starts a command line in the shell (through its cmd.exe, stdin as a pipe); returns the CommandId."""
        envelope, header = self._envelope(SHELL_ACTION + "Command", shell)
        header["w:OptionSet"] = {
            "w:Option": [
                {"@Name": "WINRS_CONSOLEMODE_STDIN", "#text": "FALSE"},
                {"@Name": "WINRS_SKIP_CMD_SHELL", "#text": "FALSE"},
            ]
        }
        envelope["env:Body"] = {"rsp:CommandLine": {"rsp:Command": line}}
        root = self._call(envelope)
        for node in root.iter():
            if node.tag.endswith("}CommandId") and node.text:
                return node.text
        raise Garbled("the server's answer to starting a command names no CommandId")

    def send(self, shell: str, command: str, data: bytes, end: bool = False) -> None:
        """Bytes for the command's stdin, in one request."""
        envelope = self._send_envelope(shell, command, end)
        self._call_text(envelope.replace(_PLACE, base64.b64encode(data).decode("ascii")))

    def receive(self, shell: str, command: str, timeout: float | None = None) -> Received:
        """The next output; waits up to ``timeout`` seconds (the operation timeout when not given), then raises OperationTimeout."""
        seconds = f"PT{self.settings.operation_timeout}S"
        if timeout is not None:
            seconds = f"PT{max(0.5, min(timeout, self.settings.operation_timeout)):.3f}S"
        root = self._call_text(self._receive_envelope(shell, command, seconds))
        received = Received()
        for node in root.iter():
            tag = node.tag.rpartition("}")[2]
            if tag == "Stream" and node.text:
                received.pieces.append((node.get("Name", "stdout"), base64.b64decode(node.text)))
            elif tag == "CommandState" and (node.get("State") or "").endswith("CommandState/Done"):
                received.done = True
            elif tag == "ExitCode" and node.text:
                received.exit_code = int(node.text)
        return received

    def signal(self, shell: str, command: str, code: str = "terminate") -> None:
        envelope, _ = self._envelope(SHELL_ACTION + "Signal", shell)
        envelope["env:Body"] = {"rsp:Signal": {"@CommandId": command, "rsp:Code": SIGNAL + code}}
        self._call(envelope)

    def delete(self, shell: str) -> None:
        """Removes the shell and every process in it."""
        envelope, _ = self._envelope(TRANSFER_ACTION + "Delete", shell)
        envelope["env:Body"] = None
        self._call(envelope)

    def config(self) -> dict[str, str]:
        """``winrm get winrm/config`` as flat names; needs an administrator."""
        envelope, _ = self._envelope(
            TRANSFER_ACTION + "Get", resource="http://schemas.microsoft.com/wbem/wsman/1/config"
        )
        envelope["env:Body"] = None
        found: dict[str, str] = {}
        for node in self._call(envelope).iter():
            if node.text and node.text.strip():
                found.setdefault(node.tag.rpartition("}")[2], node.text.strip())
        return found

    # -- sizes --------------------------------------------------------------------------------------------------------

    def room(self, shell: str, command: str) -> int:
        """The most bytes that one :meth:`send` can carry within the envelope size."""
        overhead = len(self._send_envelope(shell, command, False).encode()) - len(_PLACE)
        return (self.envelope_size - self._seal() - overhead) // 4 * 3

    def _seal(self) -> int:
        """The most bytes that sealing adds to a message of full size, for Windows may count them: a frame, with CredSSP one for each 16 KiB."""
        if not self.settings.sealed:
            return 0
        return self.envelope_size // 40 if self.settings.transport == "credssp" else 1024

    def shrink(self) -> bool:
        """After a 413: the next smaller envelope. False when there is none."""
        if self.envelope_size > SMALL_ENVELOPE:
            self.envelope_size = SMALL_ENVELOPE
        elif self.envelope_size >= 32768:
            self.envelope_size //= 2
        else:
            return False
        return True

    # -- the connection -----------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forgets the TCP connection and the keys of its logon; the next request makes new ones."""
        try:
            self.protocol.transport.close_session()
        except Exception as error:
            logger.debug("closing the connection: %s", type(error).__name__)
        self.protocol.transport.encryption = None

    def refresh(self) -> None:
        """Lets go of a connection that has been unused so long that the server may have closed it."""
        if self.settings.keep_alive and self.last_used and time.monotonic() - self.last_used > self.settings.keep_alive:
            self.reset()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _envelope(
        self, action: str, shell: str | None = None, resource: str = SHELL_URI
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        envelope = self.protocol.build_wsman_header(action, resource, shell)
        for prefix in _UNUSED_PREFIXES:
            envelope.pop(f"@xmlns:{prefix}", None)
        header = envelope["env:Header"]
        header["a:To"] = self.settings.endpoint
        header["w:MaxEnvelopeSize"]["#text"] = str(self.envelope_size)
        header["w:OperationTimeout"] = f"PT{self.settings.operation_timeout}S"
        return envelope, header

    def _send_envelope(self, shell: str, command: str, end: bool) -> str:
        def build() -> dict[str, Any]:
            envelope, _ = self._envelope(SHELL_ACTION + "Send", shell)
            stream = {"@Name": "stdin", "@CommandId": command, "#text": _PLACE}
            if end:
                stream["@End"] = "true"
            envelope["env:Body"] = {"rsp:Send": {"rsp:Stream": stream}}
            return envelope

        return self._written(("Send", shell, command, end, self.envelope_size), build)

    def _receive_envelope(self, shell: str, command: str, seconds: str) -> str:
        def build() -> dict[str, Any]:
            envelope, header = self._envelope(SHELL_ACTION + "Receive", shell)
            header["w:OperationTimeout"] = seconds
            envelope["env:Body"] = {
                "rsp:Receive": {"rsp:DesiredStream": {"@CommandId": command, "#text": "stdout stderr"}},
            }
            return envelope

        return self._written(("Receive", shell, command, seconds, self.envelope_size), build)

    def _written(self, key: tuple[Any, ...], build: Callable[[], dict[str, Any]]) -> str:
        """An envelope as text. Those of one command differ only in their MessageID, so the last of them are kept."""
        text = self._texts.pop(key, None)
        if text is None:
            envelope = build()
            envelope["env:Header"]["a:MessageID"] = _MESSAGE
            text = str(xmltodict.unparse({"env:Envelope": envelope}))
        self._texts[key] = text
        while len(self._texts) > KEPT_TEXTS:
            del self._texts[next(iter(self._texts))]
        return text.replace(_MESSAGE, f"uuid:{uuid.uuid4()}")

    def _call(self, envelope: dict[str, Any]) -> ET.Element:
        return self._call_text(xmltodict.unparse({"env:Envelope": envelope}))

    def _call_text(self, text: str) -> ET.Element:
        self.requests += 1
        try:
            answer = self.protocol.send_message(text)
            root = ET.fromstring(answer)
        except Exception as error:
            translated = translate(error, self.settings)
            if translated is None:
                raise
            logger.debug("WinRM request to %s failed: %s", self.settings.host, translated.what)
            raise translated from None
        self.last_used = time.monotonic()
        return root


def make_protocol(settings: Settings) -> Protocol:
    """pywinrm's Protocol for these settings."""
    try:
        protocol = Protocol(
            endpoint=settings.endpoint,
            transport=settings.transport,  # type: ignore[arg-type]
            username=settings.user or None,
            password=settings.password.unmask(),
            service=settings.kerberos_service,
            ca_trust_path=settings.ca_file,  # type: ignore[arg-type]
            cert_pem=settings.certificate,
            cert_key_pem=settings.certificate_key,
            server_cert_validation="validate" if settings.verify else "ignore",
            kerberos_delegation=settings.kerberos_delegation,
            kerberos_hostname_override=settings.kerberos_hostname,
            read_timeout_sec=settings.read_timeout,
            operation_timeout_sec=settings.operation_timeout,
            message_encryption=settings.message_encryption,  # type: ignore[arg-type]
            proxy="legacy_requests" if settings.proxy == "environment" else settings.proxy,
        )
    except (WinRMError, ImportError) as error:
        raise Unreachable(scrub(str(error), settings.secrets)) from None
    transport = protocol.transport
    transport.read_timeout_sec = (settings.connect_timeout, settings.read_timeout)  # type: ignore[assignment]
    return protocol


def translate(error: Exception, settings: Settings) -> WireError | None:
    """An exception of pywinrm, requests or spnego as one of ours; None when it is none of theirs."""
    where = f"port {settings.port}"
    if isinstance(error, WireError):
        return error
    if isinstance(error, WinRMOperationTimeoutError):
        return OperationTimeout("the server's time for one operation is over")
    if isinstance(error, WSManFaultError):
        return _fault(error, settings)
    if isinstance(error, InvalidCredentialsError | PermissionError):
        return Unauthorized(
            f"the server refused user {settings.user or '(ticket)'} with transport {settings.transport} (401)",
            "check winrm_user and winrm_password, and that the server allows this transport (winrm get winrm/config/service/auth)",
        )
    if isinstance(error, WinRMTransportError):
        return _http_status(error, settings)
    if isinstance(error, http.SSLError):
        text = str(error)
        if "match" in text or "IP address mismatch" in text or "Hostname" in text:
            why = "the server's certificate is for another name"
            todo = (
                "use the name in the certificate as winrm_hostname, or give the listener a certificate with this name"
            )
        elif "wrong version number" in text or "UNKNOWN_PROTOCOL" in text or "record layer" in text:
            why, todo = (
                f"{where} does not speak TLS",
                "set winrm_https to False, or use the port of the HTTPS listener (5986)",
            )
        elif "expired" in text:
            why, todo = "the server's certificate has expired", "renew the certificate of the HTTPS listener"
        else:
            why = "the server's certificate is not signed by an authority we trust"
            todo = "give its authority's PEM file as winrm_ca_file, or accept any certificate with winrm_verify_certificate=False"
        return CertificateRefused(why, todo)
    if isinstance(error, http.ProxyError):
        return Unreachable(
            "the proxy did not connect us to the server", "check winrm_proxy; leave it out for a direct connection"
        )
    if isinstance(error, http.ConnectTimeout):
        return Unreachable(
            f"no connection to {where} within {settings.connect_timeout:g} s",
            "check the address, that the server is up, and its firewall rule for Windows Remote Management",
        )
    if isinstance(error, http.ReadTimeout):
        return Dropped(
            f"no answer within {settings.read_timeout} s", "raise winrm_read_timeout if the server or the line is slow"
        )
    if isinstance(
        error, http.ConnectionError | http.ChunkedEncodingError | http.ContentDecodingError | ConnectionError | EOFError
    ):
        return _connection(error, where)
    if isinstance(error, http.RequestException):
        return Unreachable(scrub(f"{type(error).__name__}: {error}", settings.secrets))
    if isinstance(error, SpnegoError):
        return Garbled("the sealed answer could not be opened", "something between us and the server changes messages")
    if isinstance(error, WinRMError) and "not installed" in str(error):
        return Unreachable(
            f"transport {settings.transport} needs a package that is not installed here",
            f"pip install 'pyinfra-iis[{settings.transport}]'",
        )
    if isinstance(
        error,
        ET.ParseError | ExpatError | KeyError | IndexError | ValueError | AttributeError | binascii.Error | WinRMError,
    ):
        return Garbled(
            f"the answer from {where} is not WS-Management",
            "check host, port and winrm_proxy: a proxy or another web server may have answered",
        )
    return None


def _connection(error: Exception, where: str) -> WireError:
    text = str(error)
    if any(
        s in text
        for s in (
            "Name or service not known",
            "getaddrinfo",
            "nodename nor servname",
            "NameResolution",
            "Temporary failure in name",
        )
    ):
        return NameUnknown("the host's name is not known (DNS)", "check the name in the inventory or winrm_hostname")
    if "NewConnectionError" in text or "Connection refused" in text or "unreachable" in text or "No route" in text:
        return Unreachable(
            f"{where} is not reachable ({'refused' if 'refused' in text else 'no route'})",
            "check that the server is up and WinRM is on (Enable-PSRemoting), and its firewall",
        )
    return Dropped("the connection broke")


def _http_status(error: WinRMTransportError, settings: Settings) -> WireError:
    code, body = error.code, (error.response_text or "").lstrip().lower()
    html = body.startswith(("<!doctype", "<html")) or "<html" in body[:500]
    if code == 413:
        return TooLarge(
            "the server takes no message of this size (413)",
            "set winrm_envelope_size to the server's MaxEnvelopeSizekb",
        )
    if code == 407:
        return Unreachable(
            "the proxy wants a logon of its own (407)", "put user and password into winrm_proxy, or leave the proxy out"
        )
    if code == 503 and not html:
        return Unreachable("the WinRM service is not ready (503)", "wait until the server has started, then try again")
    if html or code in (301, 302, 403, 404, 405, 502, 503, 504):
        what = "a web page" if html else f"HTTP {code}"
        return Garbled(
            f"port {settings.port} answered with {what} instead of WS-Management (HTTP {code})",
            "check host, port, winrm_path and winrm_proxy: a proxy or another web server may have answered",
        )
    if code == 400:
        return Undecipherable(
            "the server could not read the request (400)",
            "check that the clocks agree and that nothing between us and the server changes messages",
        )
    if code == 500 and not settings.sealed and not settings.https:
        return Fault(
            0, "the server refuses unencrypted messages (500)", "use HTTPS or leave winrm_message_encryption at auto"
        )
    return Garbled(
        f"the server answered with HTTP {code} and no fault", "see its event log Microsoft-Windows-WinRM/Operational"
    )


def _fault(error: WSManFaultError, settings: Settings) -> Fault:
    code = error.wsman_fault_code or error.wmierror_code or 0
    if error.wmierror_code in (errors.TOO_MANY_OPERATIONS, errors.TOO_MANY_SHELLS):
        code = error.wmierror_code or code
    reason = " ".join((error.reason or "").split()) or "no reason given"
    return Fault(
        code,
        scrub(f"the server says: {reason.rstrip('.')} (fault {code})", settings.secrets),
        errors.TODO.get(code, ""),
    )


__all__ = ["SMALL_ENVELOPE", "Received", "Wire", "make_protocol", "translate"]
