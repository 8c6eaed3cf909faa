"""Servers without any package index: wheels are collected here; what is missing is named before a server is touched."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labkit import Lab, get
from tests.pyinfra_iis import projects
from tests.pyinfra_iis.release.index import Index, serve

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("offline")]

URLS = """\
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("ok"))]
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose servers reach no index, as their pip's own settings say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", "")
        made = Lab(
            tmp_path_factory.mktemp("offline"), f"127.{random.randint(20, 29)}.{random.randint(1, 250)}", hosts=1
        )
    # What collects here has one.
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        del made.environment[name]
        if name in os.environ:
            made.environment[name] = os.environ[name]
    yield made
    made.down()


def wheels_of(lab: Lab) -> set[str]:
    folder = next(lab.state.rglob("inetpub/offline/wheels"))
    return {path.name.split("-")[0].lower() for path in folder.iterdir()}


def test_a_server_without_an_index(bare: Lab, tmp_path: Path) -> None:
    address = bare.addresses[0]
    project = projects.make(
        tmp_path / "shop", **{"shop/urls.py": URLS, "requirements.txt": "Django~=5.2.0\nonly-source\n"}
    )
    values = {"django_project": project, "django_packages": "offline", "django_app": "offline"}

    before = bare.hash(address)
    index = Index()
    for name in ("django", "uvicorn", "whitenoise"):
        index.add(name, "99.0" if name != "django" else "5.2.99")
    index.add_source("only_source")
    with serve(index):
        run = bare.pyinfra(address, django_pip_options=f"--index-url={index.url}", **values)
    assert run.code != 0
    assert "cannot be collected for Windows: " in run.output and "only-source" in run.output, run.output
    assert "Traceback" not in run.output
    assert bare.hash(address) == before

    (project / "requirements.txt").write_text("Django~=5.2.0\n")
    run = bare.pyinfra(address, **values)
    assert run.code == 0, run.output
    assert get(address, "/")[0] == 200
    first = wheels_of(bare)
    assert {"django", "tzdata", "uvicorn", "whitenoise"} <= first

    # Only what the server lacks is sent, and shown with versions.
    (project / "requirements.txt").write_text("Django~=5.2.0\niniconfig==2.1.0\n")
    sent = bare.stats(address)["bytes_in"]
    run = bare.pyinfra(address, options=["-y", "--diff"], **values)
    assert run.code == 0, run.output
    assert "+ package iniconfig: 2.1.0" in run.output and "package django" not in run.output, run.output
    assert wheels_of(bare) == first | {"iniconfig"}, run.output
    assert bare.stats(address)["bytes_in"] - sent < 400_000
    assert "No matching distribution" in bare.powershell(
        address,
        r"& (Get-Item C:\Python\*\python.exe).FullName -m pip download --no-deps iniconfig 2>&1 | Out-String; exit 0",
    )
