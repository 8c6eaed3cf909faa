"""The file that lets the health path answer 503, while the application may be reading it."""

from __future__ import annotations

import io

from pyinfra_iis.powershell import Script
from winlab.scratch import run_powershell

ROOT = r"C:\inetpub\shop"
FILE = rf"{ROOT}\shared\draining"
# As Python opens it: others may read and write, but not remove it.
READING = rf"""
$Read = "`$f = [IO.File]::Open('{FILE}', 'Open', 'Read', 'ReadWrite'); [IO.File]::WriteAllText('C:\ready', '')"
$Reader = [Diagnostics.Process]::Start('powershell.exe', "-Command `"$Read; Start-Sleep -Milliseconds 700; `$f.Dispose()`"")
while (-not [IO.File]::Exists('C:\ready')) {{ Start-Sleep -Milliseconds 50 }}
"""


def run(*parts: str) -> list[str]:
    out, err = io.BytesIO(), io.BytesIO()
    assert run_powershell("".join(parts), "2016", out, err) == 0, err.getvalue().decode()
    return out.getvalue().decode().split()


def drain(seconds: int) -> str:
    return Script("rollout/drain", {"root": ROOT, "seconds": seconds}).text


def test_a_drain_begins_and_ends_while_the_application_reads_its_file() -> None:
    there = f"[IO.File]::Exists('{FILE}')\n"
    assert run(drain(60), there, READING, drain(90), drain(0), there) == ["True", "False"]


def test_the_end_of_a_drain_that_never_began() -> None:
    assert run(drain(0)) == []
