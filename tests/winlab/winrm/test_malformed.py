"""Requests with something missing or wrong: always an answer in the protocol's own terms, never a failure of the lab."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import requests
import yaml
from lxml import etree

from tests.winlab.winrm.fakes import USERS, FakeServer
from tests.winlab.winrm.test_captures import CAPTURES


def recorded_requests() -> list[bytes]:
    return [
        message["request"].encode()
        for path in CAPTURES
        for message in yaml.safe_load(path.read_text("utf-8"))["messages"]
    ]


def mutilated(request: bytes) -> Iterator[bytes]:
    """The request without one of its elements or attributes, or with one of its texts replaced."""
    root = etree.fromstring(request)
    for index in range(1, len(list(root.iter()))):
        for change in ("remove", "text", "attributes"):
            tree = copy.deepcopy(root)
            node = list(tree.iter())[index]
            if change == "remove":
                parent = node.getparent()
                assert parent is not None
                parent.remove(node)
            elif change == "text":
                node.text = "\N{SNOWMAN} <&> ''"
            else:
                node.attrib.clear()
            yield etree.tostring(tree)


def test_nothing_upsets_the_service(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    server.config(
        allow_unencrypted=True, auth_basic=True, max_concurrent_operations_per_user=10**6, max_shells_per_user=10**6
    )
    headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
    with requests.Session() as session:
        session.auth = ("Administrator", USERS["Administrator"])
        live = session.post(server.url, data=recorded_requests()[0], headers=headers, timeout=10)
        shell = etree.fromstring(live.content).findtext(".//{*}ShellId")
        assert shell is not None
        sent = 0
        for request in recorded_requests():
            recorded = etree.fromstring(request).findtext(".//{*}Selector")
            if recorded:
                request = request.replace(recorded.encode(), shell.encode())
            if b"transfer/Delete" in request:
                continue
            for variant in mutilated(request.replace(b"PT20S", b"PT0.5S")):
                reply = session.post(server.url, data=variant, headers=headers, timeout=10)
                sent += 1
                assert reply.status_code in (200, 500), variant
                answer = etree.fromstring(reply.content)
                assert (answer.find(".//{*}Fault") is not None) == (reply.status_code == 500), variant
                if reply.status_code == 500:
                    assert answer.find(".//{*}WSManFault") is not None
        assert sent > 500
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("text", ["20", "PT", "P", "PT20", "twenty", "-", "PTS", "PT1M2"])
def test_durations_that_are_none(server: FakeServer, text: str) -> None:
    server.config(allow_unencrypted=True, auth_basic=True)
    request = recorded_requests()[0].replace(b"PT20S", text.encode())
    reply = requests.post(server.url, data=request, auth=("Administrator", USERS["Administrator"]), timeout=10)
    assert reply.status_code == 500
    assert 'Code="2150858817"' in reply.text


def test_envelopes_that_are_too_small(server: FakeServer) -> None:
    server.config(allow_unencrypted=True, auth_basic=True)
    request = recorded_requests()[0].replace(b">153600<", b">8191<")
    reply = requests.post(server.url, data=request, auth=("Administrator", USERS["Administrator"]), timeout=10)
    assert 'Code="2150858878"' in reply.text


def test_utf16_envelopes(server: FakeServer) -> None:
    """Windows' own clients write UTF-16."""
    server.config(allow_unencrypted=True, auth_basic=True)
    reply = requests.post(
        server.url,
        data=recorded_requests()[0].decode().encode("utf-16"),
        headers={"Content-Type": "application/soap+xml;charset=UTF-16"},
        auth=("Administrator", USERS["Administrator"]),
        timeout=10,
    )
    assert reply.status_code == 200


def test_entities_are_not_expanded(server: FakeServer) -> None:
    server.config(allow_unencrypted=True, auth_basic=True)
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY f SYSTEM "file:///etc/passwd">]>' + recorded_requests()[
        0
    ].replace(b"stdout stderr", b"&f;")
    reply = requests.post(server.url, data=bomb, auth=("Administrator", USERS["Administrator"]), timeout=10)
    assert b"root:" not in reply.content
