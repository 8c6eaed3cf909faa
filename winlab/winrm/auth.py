"""Who is calling: Negotiate (NTLM), Basic and client certificates, per TCP connection, and sealed messages.

NTLM is pyspnego's. It looks accounts up in a file that `NTLM_USER_FILE` names; the lab writes that file for one exchange at
a time, with the hash of the one account that the client names, on the loop's thread only.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import struct
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import spnego
from spnego.exceptions import NegotiateOptions, SpnegoError

SPNEGO_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_KNOWN_PROTOCOLS = (SPNEGO_PROTOCOL.lower(), "application/http-kerberos-session-encrypted")


@dataclass(frozen=True)
class Identity:
    """Someone who has proven who they are: a local account."""

    name: str
    """The account's name as stored, without the computer's name."""


class AccountSource(Protocol):
    """What authentication needs of a server's accounts."""

    def nt_hash(self, domain: str, user: str) -> tuple[str, bytes] | None:
        """The stored name and NT hash of the account that `domain` and `user` mean; None when there is none to log on."""

    def check_password(self, domain: str, user: str, password: str) -> str | None:
        """The stored name when the password is right."""


class AuthenticationFailed(Exception):
    """The credentials are no good."""


class Undecryptable(Exception):
    """A sealed message that the connection's keys do not open."""


class NtlmExchange:
    """One Negotiate handshake and the sealing keys that come out of it."""

    def __init__(self, accounts: AccountSource) -> None:
        self._accounts = accounts
        self._context: spnego._context.ContextProxy | None = None
        self.identity: Identity | None = None

    @property
    def complete(self) -> bool:
        return self.identity is not None

    def step(self, token: bytes) -> bytes | None:
        """Takes the client's token, gives the server's.

        Raises:
            AuthenticationFailed: wrong password, unknown account, Kerberos, or no token at all.
        """
        account = None
        claimed = claimed_account(token)
        if claimed is not None:
            account = self._accounts.nt_hash(*claimed)
        with _user_file(claimed, account[1] if account else None):
            try:
                if self._context is None:
                    options = NegotiateOptions.use_negotiate | NegotiateOptions.wrapping_winrm
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        self._context = spnego.server(protocol="negotiate", options=options)
                reply = self._context.step(token)
            except (SpnegoError, ValueError, struct.error, IndexError, KeyError, TypeError) as error:
                raise AuthenticationFailed(str(error)) from error
        if self._context.complete:
            if account is None:
                raise AuthenticationFailed("no such account")
            self.identity = Identity(account[0])
        return reply

    def unseal(self, signature: bytes, data: bytes) -> bytes:
        """Opens a sealed message.

        Raises:
            Undecryptable: these are not its keys, or it was changed on its way.
        """
        if self._context is None or not self.complete:
            raise Undecryptable("the connection has no security context")
        try:
            return self._context.unwrap_winrm(signature, data)
        except (SpnegoError, ValueError) as error:
            raise Undecryptable(str(error)) from error

    def seal(self, data: bytes) -> tuple[bytes, bytes]:
        """Signature and sealed bytes."""
        assert self._context is not None
        result = self._context.wrap_winrm(data)
        return result.header, result.data


def claimed_account(token: bytes) -> tuple[str, str] | None:
    """Domain and user of an NTLM type 3 message, raw or inside SPNEGO; None for every other token (MS-NLMP 2.2.1.3)."""
    start = token.find(b"NTLMSSP\x00\x03\x00\x00\x00")
    if start < 0:
        return None
    message = token[start:]
    try:
        encoding = "utf-16-le" if struct.unpack_from("<I", message, 60)[0] & 1 else "cp437"

        def field(offset: int) -> str:
            length, _, position = struct.unpack_from("<HHI", message, offset)
            return message[position : position + length].decode(encoding)

        domain, user = field(28), field(36)
    except (struct.error, UnicodeDecodeError):
        return None
    return domain, user


class _user_file:
    """`NTLM_USER_FILE` with the one account of this exchange; restored afterwards."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def __init__(self, claimed: tuple[str, str] | None, nt_hash: bytes | None) -> None:
        self._line = "\\:0:" + "0" * 32 + ":" + "0" * 32 + ":[U]:LCT-0"
        if claimed is not None and nt_hash is not None:
            domain, user = claimed
            name = f"{domain}\\{user}" if domain else user
            self._line = f"{name}:0:{'0' * 32}:{nt_hash.hex()}:[U]:LCT-0"
        self._saved: str | None = None

    def __enter__(self) -> None:
        cls = type(self)
        if cls._folder is None:
            cls._folder = tempfile.TemporaryDirectory(prefix="winlab-")
        path = Path(cls._folder.name) / "accounts"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._line)
        self._saved = os.environ.get("NTLM_USER_FILE")
        os.environ["NTLM_USER_FILE"] = str(path)

    def __exit__(self, *_: object) -> None:
        if self._saved is None:
            del os.environ["NTLM_USER_FILE"]
        else:
            os.environ["NTLM_USER_FILE"] = self._saved


def basic_credentials(header: str) -> tuple[str, str, str]:
    """Domain, user and password of an `Authorization: Basic` header.

    Raises:
        AuthenticationFailed: it is not one.
    """
    try:
        name, colon, password = base64.b64decode(header.split(None, 1)[1], validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, IndexError) as error:
        raise AuthenticationFailed("not a Basic header") from error
    if not colon:
        raise AuthenticationFailed("not a Basic header")
    domain, backslash, user = name.rpartition("\\")
    return (domain, user, password) if backslash else ("", name, password)


def is_sealed(content_type: str) -> bool:
    """Whether the body is a sealed message."""
    lowered = content_type.lower()
    return lowered.startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


_PART = re.compile(
    rb"--Encrypted Boundary\r?\n"
    rb"[ \t]*Content-Type:[ \t]*(?P<protocol>[^\r\n]+)\r?\n"
    rb"[ \t]*OriginalContent:[ \t]*(?P<original>[^\r\n]+)\r?\n"
    rb"(?:\r?\n)?"
    rb"--Encrypted Boundary\r?\n"
    rb"[ \t]*Content-Type:[ \t]*application/octet-stream\r?\n",
    re.IGNORECASE,
)
_LENGTH = re.compile(rb"Length=(\d+)", re.IGNORECASE)
_END = re.compile(rb"(?:\r?\n)?--Encrypted Boundary--(?:\r?\n)?\Z")


def unseal_body(exchange: NtlmExchange | None, body: bytes) -> tuple[bytes, str]:
    """Plaintext and part protocol of a sealed request (MS-WSMV 2.2.9.1). Leading tabs of the part headers are optional.

    Raises:
        Undecryptable: no context on this connection, a broken frame, or a wrong signature.
    """
    head = _PART.match(body)
    if head is None or exchange is None:
        raise Undecryptable("no sealed message" if head is None else "the connection has no security context")
    protocol = head["protocol"].decode("latin-1").strip()
    if protocol.lower() not in _KNOWN_PROTOCOLS:
        raise Undecryptable(f"{protocol} is not spoken here")
    length = _LENGTH.search(head["original"])
    # The sealed bytes may contain anything, so the end is taken from the length and not by searching.
    data = body[head.end() :]
    if length is None or len(data) < 4:
        raise Undecryptable("no sealed message")
    signature_length = struct.unpack_from("<I", data)[0]
    end = 4 + signature_length + int(length[1])
    if not _END.fullmatch(data, end):
        raise Undecryptable("the message does not have the length that it names")
    return exchange.unseal(data[4 : 4 + signature_length], data[4 + signature_length : end]), protocol


def seal_body(exchange: NtlmExchange, plaintext: bytes, protocol: str = SPNEGO_PROTOCOL) -> tuple[bytes, str]:
    """A sealed reply and its Content-Type."""
    signature, sealed = exchange.seal(plaintext)
    body = (
        b"--Encrypted Boundary\r\n\tContent-Type: "
        + protocol.encode()
        + b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
        + str(len(plaintext)).encode()
        + b"\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        + struct.pack("<I", len(signature))
        + signature
        + sealed
        + b"--Encrypted Boundary--\r\n"
    )
    return body, f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"'
