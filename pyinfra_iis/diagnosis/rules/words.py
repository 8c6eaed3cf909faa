"""Sentences that several rules share."""

from __future__ import annotations

from collections.abc import Iterable

from pyinfra_iis.diagnosis.evidence import READ, RUN, WRITE, Evidence, Item

APPCMD = r"%windir%\system32\inetsrv\appcmd"


def quoted(names: Iterable[str]) -> str:
    """Names in quotes, separated by commas."""
    return ", ".join(f"'{name}'" for name in names)


def grant(path: str, identity: str, rights: str, folder: bool = True) -> str:
    """The command that lets an identity read and run (`RX`) or change (`M`) what is there and below."""
    inherit = "(OI)(CI)" if folder else ""
    return f'icacls "{path}" /grant "{identity}:{inherit}{rights}"'


def rights_needed(item: Item) -> int:
    """What a site's identity must be able to do with an item."""
    if item.role in ("program", "base", "dll"):
        return RUN
    if item.role in ("log", "shared"):
        return READ | WRITE
    return READ


def output_says(evidence: Evidence, line: str) -> str:
    """Evidence: a line of the process's output."""
    return f"{evidence.output_file} says: {line.strip()}"


def start_evidence(evidence: Evidence) -> str:
    """Evidence: how the start failed."""
    failures = evidence.start_failures
    text = evidence.answer
    if failures and failures[0].code:
        text += f", and the event log has {failures[0]} with 0x{failures[0].code:08X}"
    return text


def recycle(evidence: Evidence) -> str:
    """The command that makes a pool's processes start anew."""
    return f'{APPCMD} recycle apppool "{evidence.pool_name}"'
