"""What the scripts on the server tell of the Windows event log."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from pyinfra_iis.powershell import Script
from winlab.scratch import run_powershell

SOURCE = "HttpPlatformHandler"
TEXT = "Process was created with commandline x but failed to get started and listen on the port."
WRITTEN = f"""
New-EventLog -LogName Application -Source '{SOURCE}'
Write-EventLog -LogName Application -Source '{SOURCE}' -EventId 1000 -EntryType Error -Message '{TEXT}'
Write-EventLog -LogName Application -Source 'MsiInstaller' -EventId 1033 -EntryType Information -Message 'somebody else'
"""
# Windows has no words for it then, only what the program has said.
NOT_REGISTERED = f"[Diagnostics.EventLog]::DeleteEventSource('{SOURCE}')\n"
REQUESTS: dict[str, dict[str, Any]] = {
    "diagnose/logs": {"site": "shop", "application": "/", "folder": "", "hours": 1},
    "operate/logs": {
        "root": r"C:\inetpub\shop",
        "site": "shop",
        "pool": "shop",
        "lines": 10,
        "seconds": 0,
        "since": "",
        "bytes": 1000,
        "status": 400,
        "position": None,
        "follow": False,
    },
}


@pytest.mark.parametrize("before", [WRITTEN, WRITTEN + NOT_REGISTERED], ids=["registered", "not registered"])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_handlers_events_are_told_whether_its_source_is_registered_or_not(name: str, before: str) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    assert run_powershell(before + Script(name, REQUESTS[name]).text, "2016", out, err) == 0, err.getvalue().decode()
    (event,) = json.loads(out.getvalue())["events"]
    assert (event["source"], event["id"], event.get("text", event.get("message"))) == (SOURCE, 1000, TEXT)
