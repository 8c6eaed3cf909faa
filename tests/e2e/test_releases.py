"""A deployment's worst night: releases that cannot start, databases that do not migrate, deploys that are cut off anywhere."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.labkit import ROOT, Lab, get
from tests.pyinfra_iis import projects

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("releases")]

URLS = """\
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("{}", status={}))]
"""
PORT = 8031


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return projects.make(tmp_path_factory.mktemp("releases") / "night", **{"shop/urls.py": URLS.format("good", 200)})


@pytest.fixture(scope="module")
def address(lab: Lab, project: Path) -> str:
    """A server whose site serves a good release."""
    run = lab.pyinfra(lab.addresses[0], **values(project))
    assert run.code == 0, run.output
    assert get(lab.addresses[0], "/", PORT)[2] == "good"
    return lab.addresses[0]


def values(project: Path, **more: object) -> dict[str, Any]:
    return {"django_project": project, "django_bindings": f"*:{PORT}:", **more}


@contextmanager
def visitors(address: str) -> Iterator[list[int]]:
    """Somebody who asks the site all the time; gives the statuses that are not 200."""
    failed: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(0.05):
            try:
                status = get(address, "/", PORT)[0]
            except OSError:
                status = 0
            if status != 200:
                failed.append(status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failed
    finally:
        stop.set()
        thread.join()


BAD = {
    "import error": ({"shop/urls.py": "import no_such_module\n"}, {}, "No module named 'no_such_module'"),
    "missing setting": (
        {"shop/settings.py": projects.SETTINGS + "import os\nKEY = os.environ['SHOP_KEY']\n"}, {}, "KeyError: 'SHOP_KEY'",
    ),
    "health path 500": ({"shop/urls.py": URLS.format("broken", 500)}, {}, r"answers 500 to GET /; it was not made live"),
    "too slow": (
        {"shop/asgi.py": "import time\ntime.sleep(30)\n" + projects.ASGI}, {"django_health": json.dumps({"timeout": 3})},
        r"does not listen on its port after 3 seconds",
    ),
    "port ignored": (
        {}, {"django_server": "command", "django_command": json.dumps(["-m", "http.server", "--bind", "127.0.0.1", "18765"]),
             "django_health": json.dumps({"timeout": 3})},
        r"does not listen on its port after 3 seconds",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_a_release_that_cannot_start_never_gets_a_visitor(lab: Lab, address: str, project: Path, reason: str) -> None:
    files, more, cause = BAD[reason]
    before = {path: (project / path).read_text() for path in files}
    try:
        for path, text in files.items():
            (project / path).write_text(text)
        with visitors(address) as failed:
            run = lab.pyinfra(address, **values(project, **more))
    finally:
        for path, text in before.items():
            (project / path).write_text(text)
    assert run.code != 0
    assert re.search(cause, run.output), run.output
    assert failed == []
    assert get(address, "/", PORT)[2] == "good"


MIGRATION = """\
from django.db import migrations
def act(apps, editor):
    {}
class Migration(migrations.Migration):
    operations = [migrations.RunPython(act)]
"""


def test_the_database_is_migrated_once_and_a_failing_migration_stops_the_release(lab: Lab, tmp_path: Path) -> None:
    hosts = lab.addresses[:2]
    settings = projects.SETTINGS.replace('"django.contrib.staticfiles"]', '"django.contrib.staticfiles", "shop"]')
    files = {
        "shop/urls.py": URLS.format("good", 200),
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_x.py": MIGRATION.format("pass"),
    }
    data = tmp_path / "fleet"
    project = projects.make(data, settings=settings, **files)
    more = values(project, django_migrate=True, django_bindings="*:8032:")
    run = lab.pyinfra(*hosts, options=["-y", "-vvv"], **more)
    assert run.code == 0, run.output
    assert run.output.count("Applying shop.0001_x") == 1, run.output
    assert [get(host, "/", 8032)[2] for host in hosts] == ["good", "good"]

    (project / "shop/migrations/0002_y.py").write_text(
        MIGRATION.format("raise ValueError('the table is full')").replace(
            "operations", "dependencies = [('shop', '0001_x')]\n    operations"
        )
    )
    (project / "shop/urls.py").write_text(URLS.format("new", 200))
    run = lab.pyinfra(*hosts, **more)
    assert run.code != 0
    assert "the table is full" in run.output
    assert get(hosts[0], "/", 8032)[2] == "good"


MISHAPS = {
    "client killed": "client killed",
    "connection lost": "drop-after=action:Send,count:always",
    "process killed": "process-killed=action:Receive,nth:1",
    "server restarts": "reboot=action:Receive,nth:1,seconds:1",
    "disk full": "disk-free=2000",
}


def deploy(lab: Lab, address: str, project: Path, **environment: str) -> tuple[int, str]:
    """A deploy with something that happens in the middle."""
    data = [
        item
        for key, value in values(project, winrm_reconnect_timeout=3).items()
        for item in ("--data", f"{key}={value}")
    ]
    run = subprocess.run(
        [sys.executable, "-m", "tests.e2e.crashing", "inventories/lab.py", "deploys/django_iis.py", "-y", "--limit", f"@winrm/{address}", *data],
        env={**lab.environment, "CRASH_HOST": lab.name(address), **environment},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=200, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def change(project: Path, word: str) -> None:
    (project / "shop/urls.py").write_text(URLS.format(word, 200))


def test_a_deploy_that_is_cut_off_anywhere_harms_nothing_and_the_next_one_completes(
    lab: Lab, address: str, project: Path
) -> None:
    """Each command that a deploy sends, met by each mishap; unless CRASH_MATRIX=full each mishap once, at another command."""
    change(project, "whole")
    code, output = deploy(lab, address, project)
    assert code == 0, output
    commands = re.findall(r"^command (\d+): (.*)", output, re.MULTILINE)
    assert len(commands) >= 4, output
    hows = list(MISHAPS)
    cases = list(itertools.product(commands, hows))
    if os.environ.get("CRASH_MATRIX") != "full":
        order = sorted(commands, key=lambda command: (command[1] == "run_shell_command", -int(command[0])))
        cases = [(order[index % len(order)], how) for index, how in enumerate(hows)]
    for index, ((number, name), how) in enumerate(cases):
        case = f"{how} at {number} ({name})"
        word = f"crash{index}"
        served = get(address, "/", PORT)[2]
        change(project, word)
        with visitors(address) as failed:
            code, output = deploy(lab, address, project, CRASH_AT=number, CRASH_HOW=MISHAPS[how])
            lab.winlab("set", lab.name(address), "clear")
        assert how == "server restarts" or failed == [], (case, output)
        assert "Traceback" not in output, (case, output)
        answers = wait_for(address)
        assert answers in (served, word), case
        assert code != 0 or answers == word, case
        after, output = deploy(lab, address, project)
        assert after == 0, (case, output)
        assert get(address, "/", PORT)[2] == word, case
        folder = lab.cmd(
            address, r"dir /b /s C:\inetpub\night\releases\*.partial C:\inetpub\night\venvs\*.partial 2>nul & exit 0"
        )
        assert folder.strip() == "", case


def wait_for(address: str) -> str:
    """What the site says, once its server is up again."""
    deadline = time.monotonic() + 30
    while True:
        try:
            status, _, body = get(address, "/", PORT)
            if status == 200:
                return body
        except OSError:
            pass
        assert time.monotonic() < deadline, "the site does not come back"
        time.sleep(0.2)
