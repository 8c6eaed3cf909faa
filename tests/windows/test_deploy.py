"""The example on a real Windows server. Without one (WINRM_TEST_HOST, see inventory.py) these tests skip: they have not run yet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.labkit import ROOT, get

HOST = os.environ.get("WINRM_TEST_HOST", "")
pytestmark = [
    pytest.mark.skipif(not HOST, reason="no real Windows server: WINRM_TEST_HOST is not set"),
    pytest.mark.timeout(1800),
]


def pyinfra(deploy: str, *options: str) -> str:
    run = subprocess.run(
        [str(Path(sys.executable).parent / "pyinfra"), "tests/windows/inventory.py", deploy, *options],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_a_bare_server_becomes_a_served_site_and_the_second_run_changes_nothing() -> None:
    first = pyinfra("deploys/django_iis.py", "-y")
    assert "] Success" in first
    status, headers, body = get(HOST, "/admin/login/")
    assert status == 200, body
    assert "Django administration" in body
    style = re.search(r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', body)
    assert style is not None
    assert get(HOST, style[1])[0] == 200
    assert "X-Powered-By" in headers
    again = pyinfra("deploys/django_iis.py", "-y")
    assert "] Success" not in again, again
    pyinfra("deploys/verify.py", "--dry")
