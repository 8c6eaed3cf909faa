"""SOAP envelopes: what a request says, and replies as Windows writes them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from winlab.winrm import faults
from winlab.winrm.uris import ACTIONS, ANONYMOUS, FAULT_ACTION, NAMESPACES

MIN_ENVELOPE_SIZE = 8192
"""Bytes; no client may ask for smaller replies (DSP0226 6.2)."""
_DURATION = re.compile(
    r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?", re.ASCII
)
# No entities, no network: a request is data from anyone who can reach the port.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True)


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def child(parent: etree._Element | None, name: str) -> etree._Element | None:
    """The first child with this local name."""
    return None if parent is None else next((node for node in parent if local(node) == name), None)


def children(parent: etree._Element, name: str) -> list[etree._Element]:
    """All children with this local name, in order."""
    return [node for node in parent if local(node) == name]


def text(parent: etree._Element | None, name: str) -> str | None:
    """The text of the first child with this local name; None when there is no such child."""
    node = child(parent, name)
    return None if node is None else (node.text or "").strip()


def parse_duration(value: str) -> float | None:
    """Seconds of an xs:duration (`PT20S`, `PT1M`, `P1DT2H`); None when it is none."""
    match = _DURATION.fullmatch(value.strip())
    if match is None or value.strip()[-1] in "PT-":
        return None
    sign, years, months, days, hours, minutes, seconds = match.groups()
    total = int(years or 0) * 31536000 + int(months or 0) * 2592000 + int(days or 0) * 86400
    total_seconds = total + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)
    return -total_seconds if sign else total_seconds


def elapsed_duration(seconds: float) -> str:
    """How Windows writes a shell's age: `P0DT0H0M0S`."""
    whole = max(0, int(seconds))
    return f"P{whole // 86400}DT{whole // 3600 % 24}H{whole // 60 % 60}M{whole % 60}S"


def new_id() -> str:
    """A fresh identifier as Windows writes them: upper case GUID."""
    return str(uuid.uuid4()).upper()


def is_true(value: str | None) -> bool:
    """Booleans of options come in any case (`TRUE`, `True`, `1`)."""
    return (value or "").strip().lower() in ("true", "1")


@dataclass
class Request:
    """One request as read from the wire."""

    action: str
    """Short name (`Receive`), `Identify`, or the address itself when it is none of the known ones."""
    message_id: str = ""
    to: str = ""
    resource_uri: str = ""
    operation_timeout: float | None = None
    max_envelope_size: int | None = None
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    must_comply: set[str] = field(default_factory=set)
    """Names of options that the service must either honour or refuse."""
    body: etree._Element | None = None
    header: etree._Element | None = None

    @property
    def machine(self) -> str:
        """The name that the client called the server by."""
        return urlsplit(self.to).hostname or ""

    @property
    def shell_id(self) -> str | None:
        """The ShellId selector."""
        return next((value for name, value in self.selectors.items() if name.lower() == "shellid"), None)

    def option(self, name: str) -> str | None:
        """An option's value; names are compared without case."""
        return next((value for key, value in self.options.items() if key.lower() == name.lower()), None)


def parse_request(data: bytes) -> Request:
    """Reads an envelope.

    Raises:
        Fault: it is no SOAP envelope, or says nothing that the service can act on.
    """
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        raise faults.not_xml() from error
    if local(root) != "Envelope":
        raise faults.not_xml()
    header, body = child(root, "Header"), child(root, "Body")
    content = None if body is None else next(iter(body), None)
    if content is not None and local(content) == "Identify":
        return Request("Identify", body=content)
    if header is None:
        raise faults.missing_header("Action")
    action = text(header, "Action")
    if not action:
        raise faults.missing_header("Action")
    request = Request(
        ACTIONS.get(action, action),
        message_id=text(header, "MessageID") or "",
        to=text(header, "To") or "",
        resource_uri=text(header, "ResourceURI") or "",
        selectors=_named(header, "SelectorSet", "Selector"),
        options=_named(header, "OptionSet", "Option"),
        body=content,
        header=header,
    )
    options = child(header, "OptionSet")
    for node in [] if options is None else children(options, "Option"):
        if is_true(node.get("MustComply")):
            request.must_comply.add(node.get("Name", ""))
    timeout = text(header, "OperationTimeout")
    if timeout:
        request.operation_timeout = parse_duration(timeout)
        if request.operation_timeout is None:
            raise in_reply_to(request, faults.schema("OperationTimeout"))
    size = text(header, "MaxEnvelopeSize")
    if size:
        if not size.isdigit():
            raise in_reply_to(request, faults.schema("MaxEnvelopeSize"))
        request.max_envelope_size = int(size)
        if request.max_envelope_size < MIN_ENVELOPE_SIZE:
            raise in_reply_to(request, faults.small_envelope())
    return request


def in_reply_to(request: Request, fault: faults.Fault) -> faults.Fault:
    """The fault, with the request that it answers noted on it (for faults found while reading the request)."""
    fault.request = request  # type: ignore[attr-defined]
    return fault


def _named(header: etree._Element, collection: str, item: str) -> dict[str, str]:
    parent = child(header, collection)
    if parent is None:
        return {}
    return {node.get("Name", ""): (node.text or "") for node in children(parent, item)}


def envelope(
    request: Request, action: str, body: str, prefixes: Iterable[str], activity_id: str | None = None
) -> bytes:
    """A reply to `request`.

    Args:
        action: the reply's a:Action.
        body: content of s:Body, with the prefixes of `uris.NAMESPACES`.
        prefixes: those declared on the envelope besides s and a, in order.
        activity_id: GUID of the p:ActivityId header; one is made when left out.
    """
    declared = "".join(f' xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in ("s", "a", *prefixes))
    relates = f"<a:RelatesTo>{escape(request.message_id)}</a:RelatesTo>" if request.message_id else ""
    return (
        f'<s:Envelope xml:lang="en-US"{declared}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{new_id()}</a:MessageID><p:ActivityId>{activity_id or new_id()}</p:ActivityId>"
        f"<a:To>{ANONYMOUS}</a:To>{relates}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault_envelope(request: Request, fault: faults.Fault, machine: str = "") -> bytes:
    """The fault as a reply to `request`."""
    return envelope(request, FAULT_ACTION, fault.body(request.machine or machine), ("x", "e", "n", "w", "p"))
