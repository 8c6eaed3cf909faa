"""The whole path: a bare server becomes a served site; the second run changes nothing; a change arrives; mistakes leave all as it was."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.labkit import BIN, ROOT, Lab, get
from tests.pyinfra_iis import projects

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("deploy")]

VIEWS = """\
from django.shortcuts import render
def home(request):
    return render(request, "home.html")
"""
URLS = "from django.urls import path\nfrom shop.views import home\nurlpatterns = [path('', home)]\n"
TEMPLATES = """
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"]}]
"""


@pytest.fixture(scope="module")
def served(lab: Lab) -> tuple[Lab, str, str]:
    """A server with the example deployed, and what the run printed."""
    address = lab.addresses[0]
    run = lab.pyinfra(address, options=["-y", "-vvv", "--debug"])
    assert run.code == 0, run.output
    return lab, address, run.output


def test_the_site_answers_through_iis(served: tuple[Lab, str, str]) -> None:
    _, address, _ = served
    status, headers, body = get(address, "/admin/login/")
    assert status == 200
    # The handler takes the Server header away with the application's own; this one stands in IIS's configuration.
    assert headers["X-Powered-By"] == "ASP.NET"
    assert "Django administration" in body
    style = re.search(r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', body)
    assert style is not None
    status, headers, _ = get(address, style[1])
    assert status == 200
    assert re.search(r"max-age=\d{8,}.*immutable", headers["Cache-Control"])


def test_the_second_run_changes_nothing(served: tuple[Lab, str, str]) -> None:
    lab, address, _ = served
    before = lab.hash(address)
    run = lab.pyinfra(address)
    assert run.code == 0, run.output
    assert run.changed == []
    assert run.output.count("No changes") >= 8
    assert lab.hash(address) == before


def test_a_dry_run_on_a_bare_server_shows_everything_and_touches_nothing(lab: Lab) -> None:
    address = lab.addresses[1]
    before = lab.hash(address)
    run = lab.pyinfra(address, options=["--dry", "--diff"])
    assert run.code == 0, run.output
    for step in ("Fetch and check installers", "Install IIS", "Install HttpPlatformHandler", "Install Python", "Unlock handlers", "Make folders",
                 "Prepare the release", "Make the release live"):  # fmt: skip
        assert step in run.output, run.output
    assert lab.hash(address) == before


def test_a_changed_template_arrives(lab: Lab, tmp_path: Path) -> None:
    address = lab.addresses[2]
    project = projects.make(
        tmp_path / "shop",
        settings=projects.SETTINGS + TEMPLATES,
        **{"shop/views.py": VIEWS, "shop/urls.py": URLS, "templates/home.html": "<p>first</p>"},
    )
    run = lab.pyinfra(address, django_project=project)
    assert run.code == 0, run.output
    assert get(address, "/")[2] == "<p>first</p>"
    (project / "templates/home.html").write_text("<p>second</p>")
    run = lab.pyinfra(address, django_project=project)
    assert run.code == 0, run.output
    assert get(address, "/")[2] == "<p>second</p>"
    assert len(run.changed) == 2, run.output

    # A release that cannot start never receives a request, and the one before stays.
    (project / "shop/urls.py").write_text("import no_such_module\n")
    run = lab.pyinfra(address, django_project=project)
    assert run.code != 0
    assert "no_such_module" in run.output
    assert get(address, "/")[2] == "<p>second</p>"
    (project / "shop/urls.py").write_text(URLS)

    # Back to the first.
    run = lab.pyinfra(address, deploy="deploys/rollback.py", django_project=project)
    assert run.code == 0, run.output
    assert get(address, "/")[2] == "<p>first</p>"

    # What was taken back does not come again by itself.
    run = lab.pyinfra(address, django_project=project)
    assert run.code != 0
    assert "try it again with --data django_retry=true" in run.output
    assert get(address, "/")[2] == "<p>first</p>"
    run = lab.pyinfra(address, django_project=project, django_retry="true")
    assert run.code == 0, run.output
    assert get(address, "/")[2] == "<p>second</p>"
    assert lab.cmd(address, r"dir /b C:\inetpub\shop\releases").count(".bad") == 0


MISTAKES = {
    "no manage.py": ({"django_project": "templates"}, r"the project folder \S+templates holds no manage\.py"),
    "wrong password": (
        {"winrm_password": "wrong"},
        r"127\.\d+\.\d+\.\d+: the server refused user Administrator .* check winrm_user and winrm_password",
    ),
    "wrong sum": ({"django_handler": None}, r"The SHA-256 of http://\S+\.msi is [0-9a-f]{64}, but 0{64} was expected"),
    "syntax error": ({"django_project": None}, r"Syntax error in \S+settings\.py, line \d+: "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_and_changes_nothing(lab: Lab, tmp_path: Path, mistake: str) -> None:
    address = lab.addresses[1]
    values, sentence = MISTAKES[mistake]
    data = dict(values)
    if mistake == "syntax error":
        shutil.copytree(ROOT / "examples/mysite", tmp_path / "mysite")
        with (tmp_path / "mysite/mysite/settings.py").open("a") as stream:
            stream.write("X = (\n")
        data["django_project"] = str(tmp_path / "mysite")
    if mistake == "wrong sum":
        data["django_handler"] = json.dumps(
            {"url": lab.status["artifacts"] + "httpPlatformHandler_amd64.msi", "sha256": "0" * 64}
        )
    before = lab.hash(address)
    run = lab.pyinfra(address, **data)
    assert run.code != 0, run.output
    assert len(re.findall(sentence, run.output)) >= 1, run.output
    assert "Traceback" not in run.output
    assert lab.hash(address) == before


def test_an_unreachable_host_is_named(lab: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "nowhere.py"
    inventory.write_text(
        "hosts = [('@winrm/127.0.39.99', {'winrm_user': 'Administrator', 'winrm_password': 'x', "
        f"'django_project': '{ROOT / 'examples/mysite'}'}})]\n"
    )
    run = subprocess.run(
        [str(BIN / "pyinfra"), str(inventory), "deploys/django_iis.py", "-y"],
        cwd=ROOT, env=lab.environment, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert re.search(r"127\.0\.39\.99.*5985", output), output
    assert "Traceback" not in output


PROCESSES = "Get-WmiObject Win32_Process | ForEach-Object { $_.ProcessId, $_.Name, $_.CommandLine -join ' ' }"
EVENTS = "foreach ($Log in 'Application', 'System') { Get-EventLog -LogName $Log | ForEach-Object { $_.Message } }"


def test_no_secret_is_seen_anywhere(served: tuple[Lab, str, str], tmp_path: Path) -> None:
    lab, address, output = served
    given = {"DB_PASSWORD": "hunter2!", "DATABASE_URL": "postgres://shop:hunter3!@db.example/shop"}
    record = tmp_path / "changes.json"
    run = lab.pyinfra(
        address,
        options=["-y", "--diff", "-vvv", "--debug"],
        django_environment=json.dumps(given),
        changes_file=record,
    )
    assert run.code == 0, run.output
    # What changes is told, without what it is.
    assert "environment DB_PASSWORD: ***" in run.output
    assert [change["new"] for change in json.loads(record.read_text())["changes"]] == ["***", "***"]
    server = lab.state / "hosts" / lab.name(address)
    config = next(server.rglob("applicationHost.config")).read_text(encoding="utf-8")
    key = re.search(r'name="DJANGO_SECRET_KEY" value="([^"]+)"', config)
    assert key is not None and "hunter2!" in config
    assert get(address, "/admin/login/")[0] == 200
    releases = server / "C" / "inetpub" / "mysite" / "releases"
    files = [path for path in releases.rglob("*") if path.suffix in (".config", ".py", ".json", ".txt")]
    places = {
        "output": output + run.output,
        "record": record.read_text(),
        "processes": lab.powershell(address, PROCESSES),
        "events": lab.powershell(address, EVENTS),
        "log": lab.winlab("log"),
        "statistics": lab.winlab("stats", "--json"),
        "files of releases": "".join(path.read_text(encoding="utf-8", errors="replace") for path in files),
        "logs of the site": "".join(
            path.read_text(errors="replace") for path in (releases.parent / "shared" / "logs").glob("*")
        ),
    }
    # The process of the site runs, and the deploy left its events: there is something to search.
    assert "uvicorn" in places["processes"]
    assert "iis/apply" in output
    assert places["events"].strip()
    assert "httpPlatform" in places["files of releases"]
    for place, text in places.items():
        for secret in (lab.password, key[1], "hunter2!", "hunter3!"):
            assert secret not in text, place
