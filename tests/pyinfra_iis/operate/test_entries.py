"""Log lines of many sources become one list by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_iis.deploys.operate.entries import Entry, line_time, merged, of_answer, parse_time, stamp

BERLIN = timezone(timedelta(hours=2))
NOON = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-07-01 14:00:05,123 WARNING django.request Not Found: /", "2026-07-01T12:00:05.123Z"),
        ("WARNING 2026-07-01 14:00:05,123 views 4711 a message", "2026-07-01T12:00:05.123Z"),
        ('[01/Jul/2026 14:00:05] "GET / HTTP/1.1" 200 17', "2026-07-01T12:00:05.000Z"),
        ('127.0.0.1 - - [01/Jul/2026:14:00:05 +0000] "GET / HTTP/1.1" 200 17', "2026-07-01T14:00:05.000Z"),
        ("[2026-07-01 14:00:05 +0300] [12] [INFO] Running on http://127.0.0.1", "2026-07-01T11:00:05.000Z"),
        ('{"time": "2026-07-01T14:00:05.5Z", "level": "error"}', "2026-07-01T14:00:05.500Z"),
        ("2026-07-01T14:00:05.123456789+02:00 x", "2026-07-01T12:00:05.123Z"),
        ("2026/07/01 14:00:05 nginx's way", "2026-07-01T12:00:05.000Z"),
    ],
)
def test_the_time_of_a_line(line: str, time: str) -> None:
    found = line_time(line, BERLIN)
    assert found is not None
    assert stamp(found) == time


@pytest.mark.parametrize(
    "line",
    [
        "INFO:     Started server process [4711]",
        '  File "x.py", line 3, in <module>',
        "2026-13-01 14:00:05 no such month",
        "2026-07-01 24:61:05 no such time",
        "call 12026-07-01 14:00:05",
        "x" * 101 + "2026-07-01 14:00:05",
        "",
    ],
)
def test_a_line_without_a_time(line: str) -> None:
    assert line_time(line, UTC) is None


def file(source: str, text: str, **more: Any) -> dict[str, Any]:
    path = rf"C:\inetpub\shop\shared\logs\{source}.log"
    return {
        "source": source,
        "path": path,
        "text": text,
        "zone": 120,
        "created": "2026-07-01T12:00:00.0000000Z",
        **more,
    }


def answer(*files: dict[str, Any], events: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"files": files, "events": events or [], "site_id": 2, "ports": ["8014"]}


def texts(found: dict[str, Any]) -> list[str]:
    return [f"{stamp(entry.time)[11:19]} {entry.source} {entry.text}" for entry in merged(of_answer("web1", found))]


def test_a_traceback_stays_with_its_line_and_the_beginning_has_the_files_time() -> None:
    text = "INFO: up\r\n2026-07-01 14:00:05,000 ERROR broken\r\nTraceback:\r\n  here\r\n\r\nValueError\r\n"
    other = file("log", "2026-07-01 14:00:05,500 ERROR other\n", path=r"C:\x\shared\logs\django.log")
    assert texts(answer(file("stdout", text), other)) == [
        "12:00:00 stdout INFO: up",
        "12:00:05 stdout 2026-07-01 14:00:05,000 ERROR broken",
        "12:00:05 stdout Traceback:",
        "12:00:05 stdout   here",
        "12:00:05 stdout ValueError",
        "12:00:05 django.log 2026-07-01 14:00:05,500 ERROR other",
    ]


FIELDS = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip sc-status sc-substatus sc-win32-status time-taken\n"


def test_requests_by_the_fields_that_the_log_names() -> None:
    text = (
        FIELDS
        + "2026-07-01 12:00:05 10.0.0.1 GET /a x=1 8014 10.0.0.9 500 19 2147942413 12\n"
        + "#Fields: date time sc-status cs-uri-stem\n2026-07-01 12:00:06 502 /b\n"
    )
    assert texts(answer(file("requests", text))) == [
        "12:00:05 requests 500.19  GET  /a?x=1  win32 0x8007000d  12 ms  from 10.0.0.9",
        "12:00:06 requests 502  /b",
    ]


def test_http_sys_tells_of_this_site_and_of_its_ports() -> None:
    fields = "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\n"
    line = "2026-07-01 12:00:05 10.0.0.9 5000 10.0.0.1 {port} HTTP/1.1 GET / {status} {site} {reason} {queue}\n"
    text = fields + "".join(
        [
            line.format(port=8014, status=503, site=2, reason="AppOffline", queue="shop"),
            line.format(port=80, status=503, site=1, reason="AppOffline", queue="other"),
            line.format(port=8014, status=400, site="-", reason="Hostname", queue="-"),
            line.format(port=80, status=400, site="-", reason="Hostname", queue="-"),
            line.format(port=8014, status="-", site="-", reason="Timer_ConnectionIdle", queue="-"),
        ]
    )
    assert texts(answer(file("http.sys", text))) == [
        "12:00:05 http.sys 503  AppOffline  GET  /  from 10.0.0.9",
        "12:00:05 http.sys 400  Hostname  GET  /  from 10.0.0.9",
    ]


def test_events_are_one_line() -> None:
    event = {"log": "System", "source": "WAS", "id": 5002, "level": 2, "time": "2026-07-01T12:00:05.1234567Z"}
    assert texts(answer(events=[{**event, "message": "Pool 'shop' stopped.\r\n\r\n  Why.\r\n"}])) == [
        "12:00:05 event ERROR WAS 5002: Pool 'shop' stopped. | Why."
    ]


def test_a_time_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="'yesterday' is no time"):
        parse_time("yesterday")


SECONDS = st.lists(st.lists(st.integers(0, 20), max_size=8), max_size=5)


@given(SECONDS)
def test_merging_keeps_each_logs_order_and_all_lines(logs: list[list[int]]) -> None:
    batches = [
        [Entry(NOON + timedelta(seconds=second), "web1", str(number), str(line)) for line, second in enumerate(seconds)]
        for number, seconds in enumerate(logs)
    ]
    found = merged(batches)
    assert sorted(found) == sorted(entry for batch in batches for entry in batch)
    for number, batch in enumerate(batches):
        assert [entry for entry in found if entry.source == str(number)] == batch
    if all(seconds == sorted(seconds) for seconds in logs):
        assert [entry.time for entry in found] == sorted(entry.time for entry in found)
