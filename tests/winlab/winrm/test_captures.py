"""Each request recorded from a real Windows Server, sent to the lab: its replies must have the recorded structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from lxml import etree

from tests.winlab.winrm.fakes import USERS, FakeServer, serve

CAPTURES = sorted((Path(__file__).parents[2] / "data" / "wsman-captures").glob("*.yml"))
# What differs from one exchange to the next: identifiers, times, who and where, output.
VOLATILE_TEXT = {
    "MessageID",
    "ActivityId",
    "ShellId",
    "CommandId",
    "Owner",
    "ClientIP",
    "Stream",
    "Selector",
    "RelatesTo",
}
VOLATILE_ATTRIBUTES = {"CommandId"}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve("2016") as running:
        running.config(allow_unencrypted=True, auth_basic=True)
        yield running


def structure(node: etree._Element) -> Any:
    """Names, attributes, texts and order of a tree, without what is volatile."""
    name = etree.QName(node).localname
    attributes = {key: "*" if key in VOLATILE_ATTRIBUTES else value for key, value in node.attrib.items()}
    if name == "Variable":  # the recorded server lost a backslash in an attribute; its text is whole
        attributes = {"Name": re.sub(r"[\\/]", "", attributes["Name"])}
    text = "*" if name in VOLATILE_TEXT and (node.text or "").strip() else (node.text or "").strip()
    children = [structure(child) for child in node]
    merged: list[Any] = []
    for child in children:
        # Where output is cut into pieces is a matter of time.
        if merged and child == merged[-1] and child[0].endswith("}Stream") and child[2] == "*":
            continue
        merged.append(child)
    return (node.tag, attributes, text, merged)


def without_activity(envelope: Any) -> Any:
    """Server 2008 R2 sends no ActivityId; every later one does."""
    tag, attributes, text, (header, body) = envelope
    kept = [child for child in header[3] if not child[0].endswith("}ActivityId")]
    return (tag, attributes, text, [(*header[:3], kept), body])


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_replies_have_the_recorded_structure(path: Path, server: FakeServer) -> None:
    replay(path, server.url, USERS["Administrator"])


def replay(path: Path, url: str, password: str) -> None:
    """Sends the recorded requests and compares each reply; identifiers are replaced by those that the server gave."""
    session = requests.Session()
    session.auth = ("Administrator", password)
    identifiers: dict[str, str] = {}
    compared = 0
    for message in yaml.safe_load(path.read_text("utf-8"))["messages"]:
        request = message["request"]
        for recorded, ours in identifiers.items():
            request = request.replace(recorded, ours)
        reply = session.post(
            url,
            data=request.encode(),
            headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
            timeout=10,
        )
        expected_status = message.get("transport_error", {}).get("code", 200)
        assert reply.status_code == expected_status
        assert reply.headers["Content-Type"] == "application/soap+xml;charset=UTF-8"

        wanted, got = etree.fromstring(message["response"].encode()), etree.fromstring(reply.content)
        for tag in ("ShellId", "CommandId"):
            recorded, ours = (tree.findtext(f".//{{*}}{tag}") for tree in (wanted, got))
            if recorded and ours:
                identifiers[recorded] = ours
        sent = etree.fromstring(request.encode()).findtext(".//{*}MessageID")
        assert got.findtext(".//{*}RelatesTo") == sent
        wanted_structure, got_structure = structure(wanted), structure(got)
        if "ActivityId" not in message["response"]:
            wanted_structure, got_structure = without_activity(wanted_structure), without_activity(got_structure)
        assert got_structure == wanted_structure
        assert got.nsmap == wanted.nsmap
        compared += 1
    assert compared >= 5


def test_all_captures_are_there() -> None:
    assert len(CAPTURES) == 4
