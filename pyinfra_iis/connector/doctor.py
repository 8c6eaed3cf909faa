"""``winrm-doctor HOST``: what stands between this machine and a server, one finding a line, each with the command that mends it."""

from __future__ import annotations

import argparse
import json
import os
import socket
import ssl
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from getpass import getpass
from typing import Any

import requests

from . import errors, frames
from .errors import Fault, Unauthorized, WireError
from .secret import scrub
from .session import NoLoop, Session
from .settings import TRANSPORTS, Settings, SettingsError, read_settings
from .wire import Wire

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
)

# Asked of PowerShell; plain text out, a name and a value a line.
ASK = """
$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object System.Security.Principal.WindowsPrincipal($identity)
'user=' + $identity.Name
'administrator=' + $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
'version=' + $PSVersionTable.PSVersion
'language=' + $ExecutionContext.SessionState.LanguageMode
'system=' + [Environment]::OSVersion.Version
'computer=' + [Environment]::MachineName
"""


@dataclass
class Finding:
    """One thing looked at. ``level`` is ok, note or bad; ``fix`` a command to run on the server, or what to change here."""

    level: str
    about: str
    what: str
    fix: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 0 when commands can be run on the server, 1 when not, 2 for wrong arguments."""
    options = _arguments(argv)
    data: dict[str, Any] = {
        "winrm_hostname": options.host,
        "winrm_user": options.user,
        "winrm_port": options.port,
        "winrm_https": options.https,
        "winrm_transport": options.transport or "ntlm",
        "winrm_ca_file": options.ca_file,
        "winrm_verify_certificate": not options.insecure,
        "winrm_proxy": options.proxy,
        "winrm_certificate": options.certificate,
        "winrm_certificate_key": options.certificate_key,
        "winrm_allow_unencrypted": options.allow_unencrypted,
        "winrm_start_timeout": 60,
    }
    if options.user and not os.environ.get("WINRM_PASSWORD") and sys.stdin.isatty():
        data["winrm_password"] = getpass(f"Password of {options.user}: ")
    findings = []
    for finding in examine(data, every_transport=options.transport is None):
        findings.append(finding)
        if not options.json:
            _show(finding)
    bad = any(finding.level == "bad" for finding in findings)
    if options.json:
        print(json.dumps({"host": options.host, "ok": not bad, "findings": [asdict(f) for f in findings]}, indent=2))
    return 1 if bad else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="winrm-doctor",
        description="Says what works and what does not between this machine and a Windows server's WinRM service. "
        "The password comes from the environment variable WINRM_PASSWORD or is asked for.",
    )
    parser.add_argument("host", help="name or address of the server")
    parser.add_argument("--user", default=None, help="user to log on as, for instance Administrator or DOMAIN\\user")
    parser.add_argument("--port", type=int, default=None, help="port, when it is neither 5985 nor 5986")
    parser.add_argument("--https", action="store_true", default=None, help="use HTTPS")
    parser.add_argument(
        "--transport", choices=TRANSPORTS, default=None, help="how to log on (default: what the server offers)"
    )
    parser.add_argument("--ca-file", default=None, help="PEM file of the authority of the server's certificate")
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")
    parser.add_argument("--certificate", default=None, help="PEM file of the client's certificate")
    parser.add_argument("--certificate-key", default=None, help="PEM file of its key")
    parser.add_argument(
        "--allow-unencrypted", action="store_true", help="also try what would cross the network in the clear"
    )
    parser.add_argument("--proxy", default=None, help="URL of an HTTP proxy")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(argv)


def _show(finding: Finding) -> None:
    print(f"{finding.level:5} {finding.about}: {finding.what}")
    if finding.fix:
        print(f"      -> {finding.fix}")
    sys.stdout.flush()


def examine(data: dict[str, Any], every_transport: bool = False) -> Iterable[Finding]:
    """Findings about one server, as they come.

    Args:
        data: the connector's data keys.
        every_transport: try each way to log on that the server offers, and go on with the first that works.
    """
    host = data["winrm_hostname"]
    addresses, finding = _resolve(host)
    yield finding
    if not addresses:
        return
    ports = [data["winrm_port"]] if data.get("winrm_port") else [5985, 5986]
    open_ports = []
    for port in ports:
        finding = _port(host, port, needed=len(ports) == 1)
        yield finding
        if finding.level == "ok":
            open_ports.append(port)
    if not open_ports:
        yield Finding("bad", "service", "no WinRM port can be reached", "Enable-PSRemoting -Force")
        return
    https = data.get("winrm_https")
    if https is None:
        https = 5985 not in open_ports if not data.get("winrm_port") else data["winrm_port"] == 5986
    port = data.get("winrm_port") or (5986 if https else 5985)
    if https:
        yield from _certificate(host, port, data)
    offered, found = _offers(host, port, https, data)
    yield from found
    if offered is None:
        return
    if not data.get("winrm_user") and data.get("winrm_transport") not in ("certificate", "kerberos"):
        yield Finding("note", "logon", "not tried, no user was given", "winrm-doctor HOST --user NAME")
        return
    data = {**data, "winrm_https": https, "winrm_port": port}
    transports = _worth_trying(offered, https, data) if every_transport else [data["winrm_transport"]]
    working: Settings | None = None
    for transport in transports:
        settings, found = _logon({**data, "winrm_transport": transport})
        yield from found
        working = working or settings
    if working is None:
        if not transports:
            yield Finding("bad", "logon", "the server offers no way to log on that this machine can use over this port",
                          "winrm set winrm/config/service/auth @{Negotiate=\"true\"}")  # fmt: skip
        return
    yield _sealing(working)
    yield from _inside(working)


def _resolve(host: str) -> tuple[list[str], Finding]:
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError as error:
        return [], Finding(
            "bad", "name", f"{host} is not known here ({error.strerror or error})", "use its address, or correct DNS"
        )
    return found, Finding("ok", "name", f"{host} is {', '.join(found)}")


def _port(host: str, port: int, needed: bool) -> Finding:
    start = time.monotonic()
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        why = "no answer (a firewall?)" if isinstance(error, TimeoutError) else "refused (no listener)"
        fix = (
            "Enable-PSRemoting -Force"
            if port == 5985
            else "New-Item WSMan:\\localhost\\Listener -Transport HTTPS -Address * -CertificateThumbPrint THUMBPRINT -Force"
        )
        return Finding("bad" if needed else "note", f"port {port}", why, fix)
    return Finding("ok", f"port {port}", f"open, {(time.monotonic() - start) * 1000:.0f} ms away")


def _certificate(host: str, port: int, data: dict[str, Any]) -> Iterable[Finding]:
    context = ssl.create_default_context(cafile=data.get("winrm_ca_file"))
    try:
        with (
            socket.create_connection((host, port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname=host) as sealed,
        ):
            certificate = sealed.getpeercert() or {}
            ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
            left = (ends - datetime.now(UTC)).days
            yield Finding("ok" if left > 30 else "note", "certificate", f"trusted, valid until {ends:%Y-%m-%d} ({left} days)",
                          "" if left > 30 else "renew it and give the new thumbprint to the listener")  # fmt: skip
    except ssl.SSLCertVerificationError as error:
        accepted = not data.get("winrm_verify_certificate", True)
        if "match" in error.verify_message or "mismatch" in error.verify_message:
            fix = "use the certificate's name as winrm_hostname, or make a certificate for this one"
        else:
            fix = "give the authority's PEM file as winrm_ca_file (for a self-signed one: Export-Certificate)"
        yield Finding("note" if accepted else "bad", "certificate", error.verify_message, fix)
    except OSError as error:
        yield Finding("bad", "certificate", f"port {port} does not speak TLS ({type(error).__name__})",
                      "winrm enumerate winrm/config/listener")  # fmt: skip


def _offers(host: str, port: int, https: bool, data: dict[str, Any]) -> tuple[list[str] | None, list[Finding]]:
    """What the service says before any logon: its version, the ways to log on, the time."""
    url = f"{'https' if https else 'http'}://{host}:{port}/wsman"
    proxy = data.get("winrm_proxy")
    session = requests.Session()
    session.trust_env = proxy == "environment"
    if proxy and proxy != "environment":
        session.proxies = {"http": proxy, "https": proxy}
    findings = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            headers = {"Content-Type": "application/soap+xml;charset=UTF-8", "WSMANIDENTIFY": "unauthenticated"}
            identify = session.post(url, data=IDENTIFY, headers=headers, verify=False, timeout=15)
            headers.pop("WSMANIDENTIFY")
            empty = session.post(url, headers=headers, verify=False, timeout=15)
    except requests.RequestException as error:
        what = f"port {port} does not answer as a WinRM service ({type(error).__name__})"
        return None, [Finding("bad", "service", what, "winrm quickconfig -force")]
    if "IdentifyResponse" in identify.text:
        product = identify.text.partition("ProductVersion>")[2].partition("<")[0]
        findings.append(Finding("ok", "service", f"WinRM, {product or 'version not said'}"))
    elif empty.status_code != 401:
        return None, [
            Finding(
                "bad",
                "service",
                f"port {port} answers with HTTP {empty.status_code}, not as WinRM does",
                "check host and port; leave a proxy out",
            )
        ]
    else:
        findings.append(Finding("note", "service", "WinRM, but it does not answer Identify"))
    offered = [
        part.split()[0] for value in empty.headers.get("WWW-Authenticate", "").split(",") if (part := value.strip())
    ]
    offered = [name for name in offered if "=" not in name]
    if offered:
        findings.append(Finding("ok", "logon", f"offered: {', '.join(offered)}"))
    else:
        findings.append(
            Finding("bad", "logon", "nothing offered", 'winrm set winrm/config/service/auth @{Negotiate="true"}')
        )
    if date := empty.headers.get("Date"):
        difference = abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
        findings.append(_clock(difference))
    return offered, findings


def _clock(seconds: float) -> Finding:
    if seconds < 60:
        return Finding("ok", "clock", f"{seconds:.0f} s apart")
    level = "bad" if seconds > 300 else "note"
    return Finding(level, "clock", f"{seconds:.0f} s apart; Kerberos allows 300", "w32tm /resync /force")


def _worth_trying(offered: list[str], https: bool, data: dict[str, Any]) -> list[str]:
    names = {name.lower() for name in offered}
    found = []
    if "negotiate" in names or "ntlm" in names:
        found.append("ntlm")
    if "kerberos" in names and _has("winrm.vendor.requests_kerberos"):
        found.append("kerberos")
    if "credssp" in names and _has("requests_credssp"):
        found.append("credssp")
    if "basic" in names and (https or data.get("winrm_allow_unencrypted")):
        found.append("basic")
    if https and data.get("winrm_certificate"):
        found.append("certificate")
    return found


def _has(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def _logon(data: dict[str, Any]) -> tuple[Settings | None, list[Finding]]:
    transport = data["winrm_transport"]
    about = f"logon {transport}"
    try:
        settings = read_settings(data["winrm_hostname"], data, ask=False)
    except SettingsError as error:
        return None, [Finding("bad", about, str(error))]
    try:
        wire = Wire(settings)
        shell = wire.create(idle_timeout=60)
        wire.delete(shell)
        wire.reset()
    except Unauthorized as error:
        return None, [
            Finding("bad", about, error.what, f'winrm set winrm/config/service/auth @{{{_setting(transport)}="true"}}')
        ]
    except Fault as fault:
        fix = fault.todo
        if fault.code == errors.ACCESS_DENIED:
            fix = (
                "New-ItemProperty -Path HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System "
                "-Name LocalAccountTokenFilterPolicy -PropertyType DWord -Value 1 -Force  (for a local account that is an "
                "administrator); or Add-LocalGroupMember -SID S-1-5-32-580 -Member NAME"
            )
        return None, [Finding("bad", about, f"logged on, but no shell: {fault.what}", fix)]
    except WireError as error:
        return None, [Finding("bad", about, scrub(error.what, settings.secrets), error.todo)]
    return settings, [Finding("ok", about, f"works as {settings.user or '(ticket)'}")]


def _setting(transport: str) -> str:
    return {"ntlm": "Negotiate", "credssp": "CredSSP"}.get(transport, transport.capitalize())


def _sealing(settings: Settings) -> Finding:
    if settings.sealed:
        return Finding("ok", "messages", f"sealed by {settings.transport}" + (" within TLS" if settings.https else ""))
    if settings.https:
        return Finding("ok", "messages", "protected by TLS")
    return Finding(
        "note",
        "messages",
        "cross the network in the clear",
        'winrm set winrm/config/service @{AllowUnencrypted="false"}',
    )


def _inside(settings: Settings) -> Iterable[Finding]:
    wire = Wire(settings)
    try:
        config = wire.config()
        size = int(config.get("MaxEnvelopeSizekb", "0"))
        yield Finding("ok" if size >= 500 else "note", "envelope", f"MaxEnvelopeSizekb is {size}",
                      "" if size >= 500 else 'winrm set winrm/config @{MaxEnvelopeSizekb="500"}')  # fmt: skip
        shells = int(config.get("MaxShellsPerUser", "30"))
        if shells < 5:
            yield Finding(
                "note",
                "shells",
                f"MaxShellsPerUser is {shells}",
                'winrm set winrm/config/winrs @{MaxShellsPerUser="30"}',
            )
    except (WireError, ValueError):
        yield Finding(
            "note", "envelope", "the server's settings can be read by administrators only; sizes are found by trying"
        )
    session = Session(replace(settings, compress=True), wire)
    try:
        start = time.monotonic()
        session.open()
        took = time.monotonic() - start
        lines: list[bytes] = []
        session.request(frames.RUN, {}, ASK.encode(), on_output=lambda name, data: lines.append(data))
        said = dict(
            line.split("=", 1) for line in b"".join(lines).decode("utf-8", "replace").splitlines() if "=" in line
        )
        yield from _powershell(session, said, took)
    except NoLoop as reason:
        yield Finding("note", "PowerShell", f"keeps no process for a connection ({reason}); commands work, slowly",
                      "[Environment]::GetEnvironmentVariable('__PSLockdownPolicy', 'Machine')  (and AppLocker or WDAC rules for scripts)")  # fmt: skip
    except WireError as error:
        yield Finding("bad", "PowerShell", scrub(error.what, settings.secrets), error.todo)
    finally:
        session.close()


def _powershell(session: Session, said: dict[str, str], took: float) -> Iterable[Finding]:
    if said.get("administrator") == "True":
        yield Finding("ok", "rights", f"{said.get('user')} is an administrator")
    else:
        yield Finding("note", "rights", f"{said.get('user')} is not an administrator",
                      "Add-LocalGroupMember -SID S-1-5-32-544 -Member NAME; for a local account also LocalAccountTokenFilterPolicy = 1")  # fmt: skip
    version = said.get("version", "unknown")
    old = version.split(".")[0].isdigit() and tuple(int(n) for n in version.split(".")[:2]) < (5, 1)
    yield Finding("bad" if old else "ok", "PowerShell", f"{version}, {said.get('language')}, Windows {said.get('system')}, started in {took:.1f} s",
                  "install Windows Management Framework 5.1" if old else "")  # fmt: skip
    raw = session._in_mode == "RAW"
    yield Finding(
        "ok" if raw else "note",
        "stdin",
        "carries all bytes as they are" if raw else "changes bytes; files go as base64, a third larger",
    )
    if session.facts.get("stdin_aside") != "True":
        yield Finding(
            "note",
            "programs",
            "get PowerShell's own stdin: one that reads it waits until _timeout, unless it begins a pipeline by name",
        )


if __name__ == "__main__":
    sys.exit(main())
