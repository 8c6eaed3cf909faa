"""A deployment's worst night: releases that cannot start, databases that do not migrate, deploys that are cut off anywhere."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.crash_matrix import SCENARIOS, SENT, Case, Trial, sample, visitors
from tests.labkit import Lab, get
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


BAD = {
    "import error": ({"shop/urls.py": "import no_such_module\n"}, {}, r"(?s)No module named 'no_such_module'.*\(docs/failures/python-module-missing.md\)"),
    "missing setting": (
        {"shop/settings.py": projects.SETTINGS + "import os\nKEY = os.environ['SHOP_KEY']\n"},
        {},
        r"(?s)KeyError: 'SHOP_KEY'.*\(docs/failures/variable-missing.md\)",
    ),
    "health path 500": ({"shop/urls.py": URLS.format("broken", 500)}, {}, r"answers 500 to GET /; it was not made live"),
    "check's level": (
        {"shop/urls.py": URLS.format("checked", 200)}, {"django_check_level": "WARNING"}, r"check --deploy --fail-level WARNING failed with exit code 1",
    ),
    "too slow": (
        {"shop/asgi.py": "import time\ntime.sleep(30)\n" + projects.ASGI}, {"django_health": json.dumps({"timeout": 3})},
        r"(?s)\(docs/failures/start-too-slow.md\).*does not listen on its port after 3 seconds",
    ),
    "port ignored": (
        {}, {"django_server": "command", "django_command": json.dumps(["-m", "http.server", "--bind", "127.0.0.1", "18765"]),
             "django_health": json.dumps({"timeout": 3})},
        r"(?s)port 18765 instead.*\(docs/failures/port-ignored.md\).*does not listen on its port after 3 seconds",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_a_release_that_cannot_start_never_gets_a_visitor(lab: Lab, address: str, project: Path, reason: str) -> None:
    files, more, cause = BAD[reason]
    before = {path: (project / path).read_text() for path in files}
    try:
        for path, text in files.items():
            (project / path).write_text(text)
        with visitors(address, port=PORT) as failed:
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
    # What the check found is told without being asked for, once for all hosts.
    assert run.output.count("security.W008") == 1

    # The release is prepared, so its plan is known.
    # Which host migrated is pyinfra's choice; each has a database file of its own here.
    name = r"C:\inetpub\fleet\shared\data\db.sqlite3"
    chosen = next(host for host in hosts if "yes" in lab.cmd(host, f"if exist {name} (echo yes) else (echo no)"))
    before = lab.hash(chosen)
    run = lab.pyinfra(chosen, options=["--dry", "--diff"], **more)
    assert "fleet database migration shop.0002_y: Raw Python operation" in run.output, run.output
    assert lab.hash(chosen) == before
    # Of one that is not, which migrations it brings.
    (project / "shop/migrations/0003_z.py").write_text("")
    run = lab.pyinfra(hosts[0], options=["--dry", "--diff"], **more)
    assert "fleet database migration shop/migrations/0002_y.py: new in this release" in run.output
    assert "fleet database migration shop/migrations/0003_z.py: new in this release" in run.output


@pytest.mark.timeout(0 if os.environ.get("CRASH_MATRIX") == "full" else 900)
@pytest.mark.parametrize("name", SCENARIOS if os.environ.get("CRASH_MATRIX") == "full" else ["one file"])
def test_a_deploy_that_is_cut_off_anywhere_harms_nothing_and_the_next_one_completes(
    lab: Lab, tmp_path: Path, name: str
) -> None:
    """Each step of a deploy, met by each mishap; unless CRASH_MATRIX=full each mishap once, at another step."""
    trial = Trial(lab, lab.addresses[1], SCENARIOS[name], tmp_path)
    full = os.environ.get("CRASH_MATRIX") == "full"
    cases = trial.cases(looked=full)
    assert len({case.point for case in cases}) > 50
    assert {case.mishap for case in cases} >= {*SENT, "disk full", "python killed", "child killed", "powershell killed"}
    for case in cases if full else sample(cases):
        result = trial.run(case)
        assert result.wrong == "", f"{case.mishap} at {case.point}: {result.wrong}"
    if name == "one file":
        from_another_machine(
            lab, trial, next(case for case in cases if case.mishap == "client killed" and case.point.kind)
        )


def from_another_machine(lab: Lab, trial: Trial, case: Case) -> None:
    """What a killed client left running is known to its own machine only; from another one it is named."""
    trial.prepare()
    page = trial.change()
    assert trial.interrupted(case)[0] != 0
    trial.environment = {"XDG_CACHE_HOME": str(trial.folder / "another")}
    code, output = trial.deploy()
    assert code != 0
    said = re.search(r"\S+@\S+ has been deploying to \S+ on \S+ since \S+; wait .* or end process (\d+) there", output)
    assert said, output
    lab.cmd(trial.address, f"taskkill /F /T /PID {said[1]}")
    code, output = trial.deploy()
    assert code == 0, output
    assert trial.page() == page
