"""Projects as other people write them, deployed as the documentation says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import projects
from tests.e2e.projects import CASES, Visitor
from tests.labkit import Lab

# With the tests of variants, whose server has IIS, Python and an environment for these requirements already; alone, it gets them here.
pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("variants"), pytest.mark.timeout(900)]

CHOSEN = list(CASES) if os.environ.get("PROJECTS") == "full" else list(CASES)[:1]
APPCMD = r"%windir%\system32\inetsrv\appcmd"
BINDINGS = '["*:8015:", "*:80:"]'


@pytest.mark.parametrize("name", CHOSEN)
def test_a_project_is_served_whatever_it_is_like(lab: Lab, tmp_path: Path, name: str) -> None:
    address, case = lab.addresses[2], CASES[name]
    folder = projects.make(tmp_path / "Läden & Söhne" / "src", case.files)
    data: dict[str, Any] = {"django_project": str(folder), "django_app": "drift", "django_migrate": "true", **case.data}
    try:
        run = lab.pyinfra(address, django_bindings=BINDINGS, options=["-y", "--diff"], **data)
        assert run.code == 0, run.output
        assert ".env stays here" in run.output
        assert case.look(Visitor(address, 8015)) == []
        # Where IIS's own page was.
        assert Visitor(address, 80).ask("/")[0] == Visitor(address, 8015).ask("/")[0]
        if name == CHOSEN[0]:
            assert "~ site Default Web Site state: Started -> Stopped" in run.output
            again = lab.pyinfra(address, django_bindings=BINDINGS, **data)
            assert again.code == 0 and again.changed == [], again.output
            _check_that_nobody_takes_its_binding(lab, address, str(folder))
            _check_that_a_program_keeps_its_port(lab, address, str(folder))
    finally:
        lab.cmd(address, f"{APPCMD} set site drift \"/-bindings.[protocol='http',bindingInformation='*:80:']\"")
        lab.cmd(address, f'{APPCMD} set site "Default Web Site" /serverAutoStart:true')
        lab.cmd(address, f'{APPCMD} start site "Default Web Site"')


def _check_that_nobody_takes_its_binding(lab: Lab, address: str, folder: str) -> None:
    before = lab.hash(address)
    refused = lab.pyinfra(address, django_project=folder, django_app="other", django_bindings="*:8015:")
    assert refused.code != 0
    assert "the binding *:8015: is taken by the site drift" in refused.output
    assert "Traceback" not in refused.output
    assert lab.hash(address) == before


LISTENER = """\
$Script = '$Listener = New-Object Net.Sockets.TcpListener ([Net.IPAddress]::Any), 8016; $Listener.Start(); Start-Sleep -Seconds 600'
$Made = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = "powershell.exe -NoProfile -Command $Script" }
while (-not @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue | Where-Object LocalPort -EQ 8016).Count) { Start-Sleep -Milliseconds 200 }
$Made.ProcessId
"""


def _check_that_a_program_keeps_its_port(lab: Lab, address: str, folder: str) -> None:
    process = lab.powershell(address, LISTENER).strip()
    try:
        before = lab.hash(address)
        refused = lab.pyinfra(address, django_project=folder, django_app="other", django_bindings="*:8016:")
        assert refused.code != 0
        assert f"port 8016 is taken by the process powershell ({process}) on" in refused.output
        assert lab.hash(address) == before
    finally:
        lab.cmd(address, f"taskkill /F /PID {process}")


MISTAKES = {
    "drive": ({"django_root": r"E:\sites\shop"}, "has no drive E:"),
    "python's drive": ({"django_python_root": r"E:\Python"}, "has no drive E:"),
    "address": ({"django_bindings": "10.9.8.7:8099:"}, "has no address 10.9.8.7"),
    "password": ({"winrm_password": "wrong"}, "refused user Administrator"),
    "tls": ({"winrm_https": "true"}, "port 5986 is not reachable"),
    "key": ({"winrm_pasword": "x"}, "did you mean winrm_password?"),
    "settings module": ({"django_settings_module": "config.setings"}, "is no file below"),
    "device": ({"django_app": "con"}, "cannot exist on Windows because of 'con'"),
}


@pytest.mark.skipif(os.environ.get("PROJECTS") != "full", reason="PROJECTS=full tries them")
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_sentence_and_changes_nothing(lab: Lab, tmp_path: Path, name: str) -> None:
    address, (data, sentence) = lab.addresses[2], MISTAKES[name]
    folder = projects.make(tmp_path / "shop", projects.FILES)
    before = lab.hash(address)
    given: dict[str, Any] = {"django_project": folder, "django_bindings": "*:8099:", **data}
    run = lab.pyinfra(address, **given)
    assert run.code != 0
    assert sentence in run.output and "Traceback" not in run.output, run.output
    assert lab.hash(address) == before
