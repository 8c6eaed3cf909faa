"""Other servers, the other handler, drift and its repair: variants of the whole path."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.variants import EXISTING, deploy, faults, handler, make_certificate, make_project, put_python, variants
from tests.labkit import Lab, get

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("variants")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("variants") / "shop")


CHOSEN = [
    ("waitress", "zip"), ("hypercorn", "nuget"), ("granian", "installer"), ("runserver", "existing"), ("command", "zip"),
]  # fmt: skip


def test_each_server_answers_behind_each_handler_with_each_python(lab: Lab, project: Path) -> None:
    """Each of them once; `python -m tests.e2e.variants` does them all, with each source of the files."""
    address = lab.addresses[3]
    chosen = variants(CHOSEN)
    thumbprint = make_certificate(lab, address)
    put_python(lab, address)
    version = platform.python_version()
    other = json.dumps({"kind": "existing", "version": "3.12.99", "path": EXISTING})
    refused = deploy(lab, address, project, chosen[3], thumbprint, django_python=other)
    assert refused.code != 0
    assert f"holds Python {version}, but 3.12.99 is wanted; set the version to {version}, or" in refused.output
    for variant in chosen:
        run = deploy(lab, address, project, variant, thumbprint)
        assert run.code == 0, run.output
        assert faults(address, variant) == [], variant
    given = json.loads(handler(lab)["django_handler"])
    kept = {"django_handler": json.dumps({**given, "replace": False})}

    refused = deploy(lab, address, project, chosen[0], thumbprint, **kept)
    assert refused.code != 0
    assert "has HttpPlatformHandler 1.2, but 2.0 is wanted" in refused.output
    assert "Traceback" not in refused.output

    done = deploy(lab, address, project, chosen[0], thumbprint, **handler(lab))
    assert done.code == 0, done.output
    for variant in chosen:
        assert faults(address, variant) == [], variant
    again = deploy(lab, address, project, chosen[0], thumbprint, **kept)
    assert again.changed == [], again.output


def test_drift_is_found_shown_and_repaired(lab: Lab, project: Path) -> None:
    address = lab.addresses[2]
    first = lab.pyinfra(address, django_project=project, django_app="drift", django_bindings="*:8015:")
    assert first.code == 0, first.output
    values: dict[str, Any] = {"django_project": project, "django_app": "drift", "django_bindings": "*:8015:"}
    clean = lab.pyinfra(address, options=["--dry"], deploy="deploys/verify.py", **values)
    assert clean.code == 0, clean.output

    lab.cmd(address, r"%windir%\system32\inetsrv\appcmd set apppool drift /processModel.idleTimeout:00:20:00")
    before = lab.hash(address)
    found = lab.pyinfra(address, options=["--dry"], deploy="deploys/verify.py", **values)
    assert found.code != 0
    assert "~ app pool drift processModel.idleTimeout: 00:20:00 -> 00:00:00" in found.output
    assert lab.hash(address) == before

    repaired = lab.pyinfra(address, **values)
    assert repaired.code == 0, repaired.output
    assert len(repaired.changed) == 1, repaired.output
    deadline = time.monotonic() + 10
    while get(address, "/", port=8015)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    clean = lab.pyinfra(address, options=["--dry"], deploy="deploys/verify.py", **values)
    assert clean.code == 0, clean.output
