"""When and by which clock a site's log is written."""

from __future__ import annotations

import datetime
import time

from tests.winlab.iis_http.harness import SITE, Web


def _logs(web: Web) -> list[str]:
    """Today's logs of all sites, by the server's clock."""
    root = r"C:\inetpub\logs\LogFiles"
    if not web.machine.fs.is_dir(root):
        return []
    day = web.machine.now().strftime("%y%m%d")
    paths = [rf"{entry.path}\u_ex{day}.log" for entry in web.machine.fs.listdir(root)]
    return [path for path in paths if web.machine.fs.is_file(path)]


def test_the_site_log_follows_the_servers_clock(web: Web) -> None:
    web.write(SITE + r"\index.html", "hello")
    web.start()
    web.machine.clock_skew = datetime.timedelta(days=2)
    assert web.request("/").status == 200
    # A request is noted after its answer has gone out.
    deadline = time.monotonic() + 5
    while not _logs(web) and time.monotonic() < deadline:
        web.service.flush_logs()
        time.sleep(0.02)
    assert _logs(web)


def test_the_log_buffer_is_written_when_asked(web: Web) -> None:
    web.write(SITE + r"\index.html", "hello")
    web.start()
    assert web.request("/asked").status == 404
    administrator = web.machine.accounts.token("Administrator")
    assert not any(b"/asked" in web.machine.fs.read_bytes(path) for path in _logs(web))
    # A request is noted after its answer has gone out.
    deadline = time.monotonic() + 5
    found = False
    while not found and time.monotonic() < deadline:
        flush = web.machine.processes.start("netsh http flush logbuffer", user=administrator)
        assert flush.wait(10) == 0
        found = any(b"/asked" in web.machine.fs.read_bytes(path) for path in _logs(web))
    assert found
