"""Where a program and a log are, as a web.config of somebody's own names them."""

from __future__ import annotations

import io

import pytest

from pyinfra_iis.powershell import literal, source
from winlab.scratch import run_powershell


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"C:\Python\python.exe", r"C:\Python\python.exe"),
        (r".\logs\stdout", r"C:\site\logs\stdout"),
        (r"..\venv\python.exe", r"C:\venv\python.exe"),
        ("python.exe", "python.exe"),
        # As people write one with spaces.
        (r'"C:\Program Files\Python\python.exe"', r"C:\Program Files\Python\python.exe"),
        (r"C:\Python\python.exe > C:\log.txt", ""),
        ("", ""),
    ],
)
def test_the_full_path_of_what_is_written(written: str, path: str) -> None:
    script = f"$ErrorActionPreference = 'Stop'\n{source('diagnose/target')}\nGet-FullPath (ConvertFrom-Json {literal([written])})[0] 'C:\\site'"
    out, err = io.BytesIO(), io.BytesIO()
    assert run_powershell(script, "2016", out, err) == 0, err.getvalue().decode()
    assert out.getvalue().decode().strip() == path
