"""Logs are written by the server's clock."""

from __future__ import annotations

import datetime

from tests.winlab.iis_http.harness import SITE, Web


def test_the_site_log_follows_the_servers_clock(web: Web) -> None:
    web.write(SITE + r"\index.html", "hello")
    web.start()
    web.machine.clock_skew = datetime.timedelta(days=2)
    assert web.request("/").status == 200
    web.service.flush_logs()
    day = web.machine.now().strftime("%y%m%d")
    folders = [entry.path for entry in web.machine.fs.listdir(r"C:\inetpub\logs\LogFiles")]
    assert any(web.machine.fs.is_file(rf"{folder}\u_ex{day}.log") for folder in folders)
