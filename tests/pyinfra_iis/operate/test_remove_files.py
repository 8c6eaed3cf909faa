"""Taking an application's folders away, on a server where something still holds a file."""

from __future__ import annotations

import io
import json

from pyinfra_iis.powershell import Script
from winlab.scratch import run_powershell

ROOT = r"C:\inetpub\shop"
MADE = rf"""
foreach ($Name in 'venvs', 'venvs.removed') {{
    [void] [IO.Directory]::CreateDirectory("{ROOT}\$Name\a")
    [IO.File]::WriteAllText("{ROOT}\$Name\a\b.txt", 'x')
    (New-Object IO.FileInfo "{ROOT}\$Name\a\b.txt").IsReadOnly = $true
}}
"""


def remove(before: str) -> tuple[int, str, str]:
    request = {"root": ROOT, "folders": [rf"{ROOT}\venvs"], "files": [], "timeout": 5}
    after = f"\n[IO.Directory]::Exists('{ROOT}')"
    out, err = io.BytesIO(), io.BytesIO()
    code = run_powershell(MADE + before + Script("operate/remove_files", request).text + after, "2016", out, err)
    return code, out.getvalue().decode().strip(), err.getvalue().decode()


def test_what_an_earlier_removal_left_goes_too_whatever_its_attributes_are() -> None:
    assert remove("") == (0, "False", "")


def test_a_file_that_stays_in_use_is_told_in_one_sentence() -> None:
    code, _, errors = remove(rf"$Open = [IO.File]::Open('{ROOT}\venvs.removed\a\b.txt', 'Open', 'Read', 'None')" + "\n")
    assert code == 1
    assert errors.startswith(rf"{ROOT}\venvs on SCRATCH is not removed, because something in it is in use: ")
    assert len(errors.strip().splitlines()) == 1


def test_services_with_a_command_line_for_a_path_are_looked_at() -> None:
    python = r"C:\Program Files\Python-3.14.6"
    before = rf"""
    [void] [IO.Directory]::CreateDirectory('{python}')
    [IO.File]::WriteAllText('{python}\pyinfra-iis.json', '{{}}')
    $Lines = @{{ odd = 'run /c "C:\Tools\a.exe" -x'; quoted = '"{python}\python.exe" C:\jobs\a.py'; plain = 'C:\Windows\System32\svchost.exe -k x' }}
    foreach ($Name in $Lines.Keys) {{ [void] (New-Service -Name $Name -BinaryPathName $Lines[$Name]) }}
    """
    request = {"root": ROOT, "site": "shop", "application": "/", "pool": "shop", "python": python, "purge": False}
    out, err = io.BytesIO(), io.BytesIO()
    assert run_powershell(before + Script("operate/removal", request).text, "2016", out, err) == 0, err.getvalue()
    assert json.loads(out.getvalue())["python"]["users"] == ["service quoted"]
