"""Event log entries of IIS's services and modules."""

from __future__ import annotations

from typing import Any

INFORMATION = "Information"
WARNING = "Warning"
ERROR = "Error"

WAS = "Microsoft-Windows-WAS"
W3SVC = "Microsoft-Windows-IIS-W3SVC"
W3SVC_WP = "Microsoft-Windows-IIS-W3SVC-WP"
HTTP = "Microsoft-Windows-HttpEvent"


def report(
    machine: Any, source: str, event_id: int, level: str, message: str, log: str = "System", registered: bool = True
) -> None:
    """Writes one entry to a server's event log, under a source that is registered from then on, unless its setup does not do that."""
    if registered and machine.eventlog.source_log(source) is None:
        machine.eventlog.create_source(source, log)
    machine.eventlog.write(log, source, event_id, level, message)
