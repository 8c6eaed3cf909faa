"""The record of a rollout, its report and its table."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pyinfra_iis.rollout import report
from pyinfra_iis.rollout.plan import plan
from pyinfra_iis.rollout.record import Record
from pyinfra_iis.rollout.table import Table, grid

HOSTS = [f"@winrm/web{number}" for number in range(1, 9)]
DIFF = ["@@ -1 +1 @@", "-<b>old</b>", "+<script>alert(1)</script>"]


def rolled_out() -> Record:
    """A canary that went well, one host that failed, one that was put back, one that was not reached; the others untouched."""
    record = Record("shop", by="ada@desk", commit="0123abc", settings={"canary": "1"}, waves=plan(HOSTS, 1, [3]))
    record.mask = lambda text: text.replace("hunter2", "***")
    for wave in record.waves:
        for name in wave.hosts:
            host = record.host(name)
            host.wave, host.old, host.new, host.runs = wave.number, "r1", "r2", "r1"
            record.end(name, record.begin(name, "Prepare the release"), "done")
    for name in HOSTS[:3]:
        record.end(name, record.begin(name, "drain", turn=True), "done")
        step = record.begin(name, "switch r1 -> r2", turn=True)
        record.end(name, step, "failed" if name == HOSTS[1] else "done")
    record.stopped = "1 host failed in its turn, 0 may"
    record.settle(HOSTS[0], "back", "r1", record.stopped)
    record.settle(HOSTS[1], "failed", "r1", "answers 500 with hunter2 & <b>", ["Traceback", "KeyError: 'hunter2'"])
    record.settle(HOSTS[2], "live", "r2")
    record.settle(HOSTS[3], "dropped", None, "it could not be reached")
    for name in HOSTS[4:]:
        record.settle(name, "untouched", "r1")
    return record


def changes() -> list[dict[str, Any]]:
    return [
        {"host": name, "operation": f"wave {index}", "what": "web.config", "old": "9 bytes", "new": "8 bytes", "outcome": "done", "diff": DIFF}
        for index, name in enumerate(HOSTS[:3])
    ] + [{"host": HOSTS[0], "operation": "x", "what": "pool PASSWORD", "old": "***", "new": "***", "outcome": "announced"}]  # fmt: skip


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_summary_says_which_host_runs_what_and_why() -> None:
    record = rolled_out()
    assert record.verdict() == (
        "Stopped: 1 host failed in its turn, 0 may (1 host live, 1 host failed, 1 host back, 4 hosts untouched, 1 host dropped)"
    )
    lines = record.summary()
    assert lines[1] == "web2  runs r1              failed in its turn: answers 500 with *** & <b>"
    assert lines[3].startswith("web4  runs unknown ")


def test_the_json_holds_everything_and_no_secret() -> None:
    document = json.loads(json.dumps(rolled_out().document(changes())))
    assert [host["name"] for host in document["hosts"]] == HOSTS
    assert document["hosts"][1]["detail"] == ["Traceback", "KeyError: '***'"]
    assert [step["result"] for step in document["hosts"][1]["steps"]] == ["done", "done", "failed"]
    assert document["hosts"][0]["changes"][0]["diff"] == DIFF
    assert document["waves"][0] == {"number": 1, "canary": True, "hosts": HOSTS[:1]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["started"])


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    paths = report.write(tmp_path / "a" / "b", rolled_out().document(changes()))
    assert [path.name for path in paths] == ["rollout.json", "rollout.html"]
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["rollout.html", "rollout.json"]
    text = paths[1].read_text(encoding="utf-8")
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "link", "img", "iframe", "b "} & set(tags)
    assert not [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert not re.search(r"@import|url\(", text)
    assert "hunter2" not in text
    assert "+<script>alert(1)</script>" in page.texts
    # One change on three hosts is told once, with all of them.
    assert sum("web.config" in data for data in page.texts) == 1
    assert any("web1, web2, web3" in data for data in page.texts)
    bars = [attributes for tag, attributes in page.tags if tag == "rect"]
    assert len(bars) == sum(len(host.steps) for host in rolled_out().hosts.values())
    assert [bar["class"] for bar in bars].count("failed") == 1


def test_the_page_tells_what_is_served_now_and_what_is_not_undone(tmp_path: Path) -> None:
    record = rolled_out()
    record.not_undone = [{"what": "app pool shop startMode", "hosts": ["web1", "web2"]}]
    texts = " ".join(" ".join(Page(report.html(record.document())).texts).split())
    assert "Not undone On hosts that do not run this release" in texts
    assert "app pool shop startMode web1, web2" in texts
    document = record.document()
    assert [(item["release"], item["wanted"], len(item["hosts"])) for item in report.serving(document["hosts"])] == [
        ("r1", False, 6), ("r2", True, 1), (None, False, 1),
    ]  # fmt: skip
    assert "r1 : 6 hosts (web1, web2, web5, web6, web7, web8)" in texts
    assert "Not undone" not in report.html(rolled_out().document())


def test_a_rollout_that_takes_no_time_and_one_that_takes_days_have_axes() -> None:
    for seconds in (0.0, 0.4, 59, 61, 3600, 400_000):
        record = rolled_out()
        record.ended = record.started + seconds
        ticks = report.timeline(record.document())["ticks"]
        assert 1 <= len(ticks) <= 12, (seconds, ticks)


def shown(record: Record, lines: int) -> list[str]:
    console = Console(width=100, file=None, record=True, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(grid(record, lines))
    return captured.get().splitlines()


def test_the_table_shows_wave_host_step_and_releases() -> None:
    lines = shown(rolled_out(), 50)
    assert re.match(r"Wave +Host +Step +Release +Seconds", lines[0].strip())
    assert re.match(r" *2 +web2 +failed +r1 → r2 +0\.\d", lines[2])
    assert len(lines) == 1 + len(HOSTS)


def test_a_table_that_does_not_fit_shows_what_is_going_on() -> None:
    record = rolled_out()
    record.host(HOSTS[7]).outcome = "turn"
    record.begin(HOSTS[7], "switch r1 -> r2", turn=True)
    lines = shown(record, 7)
    assert len(lines) == 7
    assert any("web8" in line for line in lines) and any("web2" in line for line in lines)
    assert lines[-1].strip() == "and 3 more"


def test_without_a_terminal_there_is_no_table() -> None:
    table = Table(rolled_out())
    table.start()
    table.update()
    table.stop()
    assert not table.is_live


def test_a_browser_draws_the_page_in_full_width(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("there is no chromium here (Debian's package chromium)")
    _, path = report.write(tmp_path, rolled_out().document(changes()))
    picture = tmp_path / "page.png"
    options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    subprocess.run(
        [browser, *options.split(), f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,1400", f"--screenshot={picture}", path.as_uri()],
        capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 30_000, "the page looks empty"
