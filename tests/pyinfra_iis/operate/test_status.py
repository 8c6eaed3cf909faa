"""What a fleet's status looks like."""

from __future__ import annotations

from typing import Any

import pytest

from pyinfra_iis.deploys.operate.report import table
from pyinfra_iis.deploys.operate.status import show


def answer(**more: Any) -> dict[str, Any]:
    return {
        "state": "healthy",
        "app": "shop",
        "server": {"name": "WEB1", "product": "Windows Server 2022 Standard"},
        "time": "2026-07-01T12:00:00Z",
        "release": "r0123456789abcde",
        "live_since": "2026-07-01T10:00:00Z",
        "previous": "",
        "site": "Started",
        "pool": "Started",
        "processes": [{"id": 4711, "worker": 4700, "image": "python.exe", "started": "", "seconds": 7260}],
        "health": {"status": 200, "healthy": True, "problem": "", "address": "http://localhost:80/"},
        "python": "3.14.6",
        "handler": "1.2",
        "certificates": [],
        "disk": {"drive": "C:\\", "free": 40 << 30, "total": 100 << 30},
        "maintenance": None,
        "draining": False,
        "deploying": None,
        "problems": [],
        **more,
    }


SILENT = {"state": "no answer", "app": "shop", "problems": ["web3 cannot be reached."]}


def test_a_fleet_is_a_table_with_the_columns_that_say_something() -> None:
    lines = show({"web1": answer(), "web2": answer(), "web3": SILENT}).splitlines()
    heading = " ".join(lines[0].split())
    assert heading == "host app state release live since process up health Python handler disk free"
    assert lines[1].split("  ")[0] == "web1"
    assert "2h 1m" in lines[1]
    assert lines[3].split() == ["web3", "shop", "no", "answer"]
    assert lines[4:] == ["web3: web3 cannot be reached."]


@pytest.mark.parametrize(
    ("found", "note"),
    [
        ({"maintenance": {"since": "2026-07-01T11:00:00Z", "retry_after": 60}}, "maintenance since 2026-07-01T11:00:00Z"),
        ({"draining": True}, "draining"),
        ({"deploying": {"by": "ann@desk", "since": "2026-07-01T11:59:00Z", "process": 1}}, "ann@desk deploys since 2026-07-01T11:59:00Z"),
        ({"deploying": {"by": "", "since": "", "process": 0}}, "somebody deploys since just now"),
        ({"disk": {"drive": "C:\\", "free": 5, "total": 100 << 30}}, "disk nearly full"),
        ({"certificates": [{"binding": "*:443:", "thumbprint": "AB", "subject": "CN=x", "expires": "", "days": 29}]}, "certificate ends soon"),
        (
            {"certificates": [{"binding": "*:443:", "thumbprint": "AB", "subject": "CN=x", "expires": "", "days": 99, "faults": ["is self-signed"]}]},
            "certificate is self-signed",
        ),
        ({"certificates": [{"binding": "*:443:", "thumbprint": "AB", "subject": "", "expires": "", "days": None}]}, "certificate ends soon"),
    ],
)  # fmt: skip
def test_what_needs_attention_is_noted(found: dict[str, Any], note: str) -> None:
    assert f"notes:               {note}" in show({"web1": answer(**found)}).splitlines()
    assert show({"web1": answer(**found), "web2": answer()}).splitlines()[1].endswith(note)


@pytest.mark.parametrize(
    ("days", "text"), [(80, "80 days"), (0, "0 days"), (-1, "expired"), (None, "not in the store")]
)
def test_when_a_certificate_ends(days: int | None, text: str) -> None:
    certificate = {"binding": "*:443:", "thumbprint": "AB", "subject": "CN=x", "expires": "", "days": days}
    assert f"certificate:         *:443: {text}" in show({"web1": answer(certificates=[certificate])}).splitlines()


def test_a_site_that_does_not_answer_says_why() -> None:
    health = {"status": 0, "healthy": False, "problem": "the site is not started", "address": "http://localhost:80/"}
    text = show({"web1": answer(state="stopped", health=health, processes=[])})
    assert "health:              no answer: the site is not started" in text.splitlines()
    assert "process:" not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3599, "59m 59s"), (3600, "1h"), (90061, "1d 1h"), (864000, "10d"), (-5, "0s")],
)  # fmt: skip
def test_how_long_a_process_is_up(seconds: int, text: str) -> None:
    processes = [{"id": 1, "worker": 2, "image": "", "started": "", "seconds": seconds}]
    assert f"process:             1 in worker 2, up {text}" in show({"web1": answer(processes=processes)}).splitlines()


def test_empty_columns_are_left_out() -> None:
    assert table([["a", "b", "c"], ["1", "", "3"], ["10", "", ""]]) == "a   c\n1   3\n10"
