"""The connector's data keys: what they are, what they default to, and whether they make sense together."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from getpass import getpass
from typing import Any, Literal, TypedDict, get_type_hints

from pyinfra.api.hiddenvalue import HiddenValue
from pyinfra.connectors.base import DataMeta

from .secret import Secret, reveal

Transport = Literal["ntlm", "kerberos", "credssp", "basic", "certificate"]
TRANSPORTS: tuple[str, ...] = ("ntlm", "kerberos", "credssp", "basic", "certificate")


class ConnectorData(TypedDict):
    winrm_hostname: str
    winrm_port: int
    winrm_user: str
    winrm_password: str | Callable[..., Any] | HiddenValue
    winrm_transport: str

    winrm_https: bool
    winrm_path: str
    winrm_verify_certificate: bool
    winrm_ca_file: str
    winrm_certificate: str
    winrm_certificate_key: str
    winrm_allow_unencrypted: bool
    winrm_message_encryption: str
    winrm_proxy: str

    winrm_kerberos_hostname: str
    winrm_kerberos_service: str
    winrm_kerberos_delegation: bool

    winrm_connect_timeout: float
    winrm_operation_timeout: int
    winrm_read_timeout: int
    winrm_start_timeout: int
    winrm_reconnect_timeout: int
    winrm_idle_timeout: int
    winrm_keep_alive: int
    winrm_envelope_size: int

    winrm_process_per_command: bool
    winrm_recycle_after: int
    winrm_recycle_memory: int
    winrm_compress: bool


connector_data_meta: dict[str, DataMeta] = {
    "winrm_hostname": DataMeta("Name or address of the server; the name in the inventory when not given"),
    "winrm_port": DataMeta("TCP port; 5986 with https, 5985 without"),
    "winrm_user": DataMeta("User name: ``Administrator``, ``DOMAIN\\user`` or ``user@domain``"),
    "winrm_password": DataMeta(
        "Password: text, a hidden value, or a function that returns it (it may take the host's name); "
        "otherwise the environment variable ``WINRM_PASSWORD``, otherwise asked for at a terminal"
    ),
    "winrm_transport": DataMeta(
        "How to log on: ``ntlm``, ``kerberos``, ``credssp``, ``basic`` or ``certificate``", "ntlm"
    ),
    "winrm_https": DataMeta(
        "Use HTTPS; by itself for port 5986, transports basic and certificate, or when a CA file is given"
    ),
    "winrm_path": DataMeta("Path of the service's URL", "wsman"),
    "winrm_verify_certificate": DataMeta("Check the server's certificate; ``False`` accepts any", True),
    "winrm_ca_file": DataMeta(
        "PEM file of the authorities that may sign the server's certificate; the system's when not given"
    ),
    "winrm_certificate": DataMeta("PEM file of the client's certificate, for transport ``certificate``"),
    "winrm_certificate_key": DataMeta("PEM file of its private key"),
    "winrm_allow_unencrypted": DataMeta(
        "Allow messages (and with ``basic`` the password) to cross the network in the clear", False
    ),
    "winrm_message_encryption": DataMeta("Seal messages: ``auto`` (over plain HTTP), ``always`` or ``never``", "auto"),
    "winrm_proxy": DataMeta(
        "URL of an HTTP proxy, or ``environment`` for the one of the environment; none when not given"
    ),
    "winrm_kerberos_hostname": DataMeta("Host name for the Kerberos ticket when it differs from the address"),
    "winrm_kerberos_service": DataMeta("Service name for the Kerberos ticket", "HTTP"),
    "winrm_kerberos_delegation": DataMeta("Delegate the ticket, so that the server can go on to other servers", False),
    "winrm_connect_timeout": DataMeta(
        "Seconds to wait for a TCP connection; pyinfra's ``CONNECT_TIMEOUT`` when not given"
    ),
    "winrm_operation_timeout": DataMeta("Seconds the server may hold a request open while there is no output", 20),
    "winrm_read_timeout": DataMeta("Seconds to wait for an answer; ten more than the operation timeout when not given"),
    "winrm_start_timeout": DataMeta("Seconds PowerShell may take to start", 90),
    "winrm_reconnect_timeout": DataMeta("Seconds to go on trying when a connection breaks in the middle", 30),
    "winrm_idle_timeout": DataMeta(
        "Seconds after which the server removes our shell when we are gone; a shell lost so is opened again by itself",
        1800,
    ),
    "winrm_keep_alive": DataMeta(
        "Seconds an unused connection is trusted; after that it is made anew (Windows closes it after 120)", 100
    ),
    "winrm_envelope_size": DataMeta(
        "Largest message in KiB, as ``MaxEnvelopeSizekb`` of the server; falls back by itself when the server takes less",
        500,
    ),
    "winrm_process_per_command": DataMeta(
        "Start a PowerShell process for every command instead of one per connection", False
    ),
    "winrm_recycle_after": DataMeta("Start the PowerShell process anew after so many requests", 1000),
    "winrm_recycle_memory": DataMeta("Start the PowerShell process anew when its memory has grown by so many MiB", 512),
    "winrm_compress": DataMeta("Compress files and scripts where it pays", True),
}


class SettingsError(ValueError):
    """A data key that is wrong or missing; the message names key and remedy."""


@dataclass(frozen=True)
class Settings:
    """Checked settings of one connection. Times in seconds, sizes in bytes."""

    name: str
    host: str
    port: int
    https: bool
    path: str
    user: str
    password: Secret = field(repr=False)
    transport: str
    verify: bool
    ca_file: str | None
    certificate: str | None
    certificate_key: str | None
    message_encryption: str
    proxy: str | None
    kerberos_hostname: str | None
    kerberos_service: str
    kerberos_delegation: bool
    connect_timeout: float
    operation_timeout: int
    read_timeout: int
    start_timeout: int
    reconnect_timeout: int
    idle_timeout: int
    keep_alive: int
    envelope_size: int
    process_per_command: bool
    recycle_after: int
    recycle_memory: int
    compress: bool

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.https else 'http'}://{host}:{self.port}/{self.path.lstrip('/')}"

    @property
    def sealed(self) -> bool:
        """Whether message bodies are sealed by the logon's own keys (beside or instead of TLS)."""
        if self.transport not in ("ntlm", "kerberos", "credssp"):
            return False
        return self.message_encryption == "always" or (self.message_encryption == "auto" and not self.https)

    @property
    def secrets(self) -> list[str]:
        """Texts that no message of ours may contain."""
        found = [self.password.unmask()]
        if self.proxy and (credentials := re.match(r"\w+://[^/@]*:([^/@]+)@", self.proxy)):
            found.append(credentials[1])
        return found


def unknown_keys(data: Mapping[str, Any]) -> list[str]:
    """A sentence for each key that begins with ``winrm_`` and is none of ours."""
    known = list(get_type_hints(ConnectorData))
    sentences = []
    for key in data:
        if key.startswith("winrm_") and key not in known:
            near = difflib.get_close_matches(key, known, 1)
            sentences.append(f"there is no data key {key}" + (f", did you mean {near[0]}?" if near else ""))
    return sentences


def read_settings(name: str, data: Mapping[str, Any], config_connect_timeout: float = 10, ask: bool = True) -> Settings:
    """Settings of a host from its connector data.

    Args:
        name: the host's name for messages and prompts.
        data: values of the keys of :class:`ConnectorData`; missing ones and None take their defaults.
        config_connect_timeout: pyinfra's ``CONNECT_TIMEOUT``, seconds.
        ask: whether a missing password may be asked for at the terminal.

    Raises:
        SettingsError: one sentence naming the key and what it should be.
    """

    def get(key: str) -> Any:
        value = data.get(key)
        return connector_data_meta[key].default if value is None else value

    def number(key: str, low: float, high: float) -> Any:
        value = get(key)
        if not low <= value <= high:
            raise SettingsError(f"{key} is {value}, it must be between {low} and {high}")
        return value

    transport = str(get("winrm_transport")).lower()
    if transport not in TRANSPORTS:
        raise SettingsError(f"winrm_transport is {transport!r}, it must be one of {', '.join(TRANSPORTS)}")
    encryption = str(get("winrm_message_encryption")).lower()
    if encryption not in ("auto", "always", "never"):
        raise SettingsError(f"winrm_message_encryption is {encryption!r}, it must be auto, always or never")

    https = get("winrm_https")
    port = get("winrm_port")
    if https is None:
        https = port == 5986 or (port is None and bool(transport in ("basic", "certificate") or get("winrm_ca_file")))
    if port is None:
        port = 5986 if https else 5985
    if not 0 < port < 65536:
        raise SettingsError(f"winrm_port is {port}, it must be between 1 and 65535")

    if not https and not get("winrm_allow_unencrypted"):
        if transport == "basic":
            raise SettingsError(
                "transport basic over plain HTTP would send the password in the clear - set winrm_https, use another "
                "transport, or allow it with winrm_allow_unencrypted"
            )
        if encryption == "never":
            raise SettingsError(
                "plain HTTP without message encryption would send everything in the clear - set winrm_https, leave "
                "winrm_message_encryption at auto, or allow it with winrm_allow_unencrypted"
            )
    if transport == "certificate" and not https:
        raise SettingsError(
            "transport certificate needs HTTPS - set winrm_https and the port of the HTTPS listener (5986)"
        )
    if encryption == "always" and transport in ("basic", "certificate"):
        raise SettingsError(
            f"transport {transport} cannot seal messages - leave winrm_message_encryption at auto and use HTTPS"
        )

    files = {key: get(key) for key in ("winrm_ca_file", "winrm_certificate", "winrm_certificate_key")}
    for key, path in files.items():
        if path and not os.path.exists(path):
            raise SettingsError(f"{key}: there is no file {path}")
    if transport == "certificate":
        for key in ("winrm_certificate", "winrm_certificate_key"):
            if not files[key]:
                raise SettingsError(f"transport certificate needs {key}, a PEM file")

    user = get("winrm_user") or ""
    if not user and transport not in ("kerberos", "certificate"):
        raise SettingsError("winrm_user is missing - give the user to log on as, for instance Administrator")

    operation = number("winrm_operation_timeout", 1, 60)
    read = get("winrm_read_timeout") or operation + 10
    if read <= operation:
        raise SettingsError(f"winrm_read_timeout is {read}, it must be more than winrm_operation_timeout ({operation})")

    return Settings(
        name=name,
        host=get("winrm_hostname") or name,
        port=port,
        https=bool(https),
        path=get("winrm_path"),
        user=user,
        password=_password(name, user, transport, data.get("winrm_password"), ask),
        transport=transport,
        verify=bool(get("winrm_verify_certificate")),
        ca_file=files["winrm_ca_file"],
        certificate=files["winrm_certificate"],
        certificate_key=files["winrm_certificate_key"],
        message_encryption=encryption,
        proxy=get("winrm_proxy"),
        kerberos_hostname=get("winrm_kerberos_hostname"),
        kerberos_service=get("winrm_kerberos_service"),
        kerberos_delegation=bool(get("winrm_kerberos_delegation")),
        connect_timeout=get("winrm_connect_timeout") or config_connect_timeout or 10,
        operation_timeout=operation,
        read_timeout=read,
        start_timeout=number("winrm_start_timeout", 1, 3600),
        reconnect_timeout=number("winrm_reconnect_timeout", 0, 3600),
        idle_timeout=number("winrm_idle_timeout", 1, 2147483),
        keep_alive=number("winrm_keep_alive", 0, 86400),
        envelope_size=int(number("winrm_envelope_size", 32, 8192)) * 1024,
        process_per_command=bool(get("winrm_process_per_command")),
        recycle_after=number("winrm_recycle_after", 1, 1_000_000),
        recycle_memory=number("winrm_recycle_memory", 32, 65536),
        compress=bool(get("winrm_compress")),
    )


def _password(name: str, user: str, transport: str, value: Any, ask: bool) -> Secret:
    if transport == "certificate":
        return Secret("")
    if callable(value):
        try:
            value = value(name)
        except TypeError:
            value = value()
    if value is None:
        value = os.environ.get("WINRM_PASSWORD")
    if value is None and transport == "kerberos":
        return Secret("")  # the ticket of kinit
    if value is None and ask and os.isatty(0):
        value = getpass(f"[{name}] password of {user}: ")
    if value is None or reveal(value) == "":
        raise SettingsError(
            "no password - set winrm_password (text or a function), or the environment variable WINRM_PASSWORD"
        )
    return Secret(reveal(value))
