"""Other servers, the other handler, drift and its repair: variants of the whole path."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path

import pytest

from tests.labkit import Lab, get
from tests.pyinfra_iis import projects

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("variants")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return projects.make(tmp_path_factory.mktemp("variants") / "shop", **{"shop/wsgi.py": WSGI, "shop/urls.py": URLS})


WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
"""
URLS = """\
from django.http import JsonResponse
from django.urls import path
def seen(request):
    return JsonResponse({"server": request.META.get("SERVER_SOFTWARE", ""), "secure": request.is_secure(), "host": request.get_host()})
urlpatterns = [path("", seen)]
"""


@pytest.mark.parametrize("server", ["waitress", "hypercorn", "granian"])
def test_each_server_answers_behind_the_handler(lab: Lab, project: Path, server: str) -> None:
    address = lab.addresses[3]
    run = lab.pyinfra(address, django_project=project, django_server=server)
    assert run.code == 0, run.output
    status, _, body = get(address, "/", headers={"X-Forwarded-Proto": "https"})
    assert status in (200, 400)
    if status == 200:
        # What a visitor claims about TLS is not believed.
        assert json.loads(body)["secure"] is False
    assert get(address, "/")[0] == 200


def test_a_handler_is_replaced_only_when_that_is_said(lab: Lab, project: Path) -> None:
    address = lab.addresses[3]
    before = lab.pyinfra(address, django_project=project, django_server="waitress")
    assert before.code == 0, before.output
    sums = lab.artifact_sums()
    handler = {
        "version": "2.0",
        "url": lab.status["artifacts"] + "httpbridge_x64.msi",
        "sha256": sums["httpbridge_x64.msi"],
    }
    options = {"django_project": project, "django_server": "waitress"}
    refused = lab.pyinfra(address, **options, django_handler=json.dumps(handler))
    assert refused.code != 0
    assert "has HttpPlatformHandler 1.2, but 2.0 is wanted" in refused.output
    assert "Traceback" not in refused.output
    done = lab.pyinfra(address, **options, django_handler=json.dumps({**handler, "replace": True}))
    assert done.code == 0, done.output
    assert get(address, "/")[0] == 200
    again = lab.pyinfra(address, **options, django_handler=json.dumps(handler))
    assert again.changed == [], again.output


def test_drift_is_found_shown_and_repaired(lab: Lab, project: Path) -> None:
    address = lab.addresses[2]
    first = lab.pyinfra(address, django_project=project, django_app="drift", django_bindings="*:8015:")
    assert first.code == 0, first.output
    values = {"django_project": project, "django_app": "drift", "django_bindings": "*:8015:"}
    clean = lab.pyinfra(address, options=["--dry"], deploy="deploys/verify.py", **values)
    assert clean.code == 0, clean.output

    lab.cmd(address, r"%windir%\system32\inetsrv\appcmd set apppool drift /processModel.idleTimeout:00:20:00")
    before = lab.hash(address)
    found = lab.pyinfra(address, options=["--dry"], deploy="deploys/verify.py", **values)
    assert found.code != 0
    assert "processModel.idleTimeout: 00:20:00" in found.output
    assert "processModel.idleTimeout: 00:00:00" in found.output
    assert lab.hash(address) == before

    repaired = lab.pyinfra(address, **values)
    assert repaired.code == 0, repaired.output
    assert len(repaired.changed) == 1, repaired.output
    deadline = time.monotonic() + 10
    while get(address, "/", port=8015)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    clean = lab.pyinfra(address, options=["--dry"], deploy="deploys/verify.py", **values)
    assert clean.code == 0, clean.output


@pytest.mark.parametrize(("kind", "ending", "port"), [("nuget", ".nupkg", 8016), ("installer", ".exe", 8017)])
def test_python_comes_from_other_packages(lab: Lab, project: Path, kind: str, ending: str, port: int) -> None:
    address = lab.addresses[1]
    (name,) = [name for name in lab.artifact_sums() if name.endswith(ending)]
    source = {"kind": kind, "version": platform.python_version(), "url": lab.status["artifacts"] + name}
    source["sha256"] = lab.artifact_sums()[name]
    options = {"django_project": project, "django_python": json.dumps(source), "django_app": f"python-{kind}"}
    options["django_bindings"] = f"*:{port}:"
    run = lab.pyinfra(address, **options)
    assert run.code == 0, run.output
    assert get(address, "/", port)[0] == 200
    assert lab.pyinfra(address, **options).changed == []
