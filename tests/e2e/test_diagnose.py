"""Diagnose names what is wrong with a site, and its advice mends it. All failures of the table run with DIAGNOSE_MATRIX=full, otherwise a selection."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.diagnosis import Diagnosis, Finding, examine
from pyinfra_iis.diagnosis.rules import RULES, application, bindings, configuration, pool, start
from pyinfra_iis.diagnosis.rules import server as windows
from tests.e2e.diagnose_cases import CASES, DJANGO, DJANGO_TOOLS, PORT, PREPARE, SITE, TOOLS, Case, sound
from tests.e2e.diagnoser import Diagnoser
from tests.labkit import ROOT, Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("diagnose")]

FULL = os.environ.get("DIAGNOSE_MATRIX") == "full"
SELECTED = [case for case in CASES if FULL or case.default]
DJANGO_PORT = 8014
HANDLERS = {"1.2": "httpPlatformHandler_amd64.msi", "2.0": "httpbridge_x64.msi"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two servers, on a network that no other lab of this machine is likely to use."""
    network = f"127.{random.randint(20, 29)}.{random.randint(1, 250)}"
    made = Lab(tmp_path_factory.mktemp("diagnose"), network, hosts=2)
    yield made
    made.down()


def make(there: Diagnoser, artifacts: str, version: str) -> None:
    """IIS, HttpPlatformHandler, Python and the site of the cases, on a bare server.

    Args:
        there: the server.
        artifacts: where the lab serves the packages.
        version: of HttpPlatformHandler.
    """
    script = PREPARE.replace("{handler}", artifacts + HANDLERS[version]).replace("{artifacts}", artifacts)
    there.powershell(script.replace("{python}", f"{artifacts}python-{platform.python_version()}-amd64.zip"))
    there.powershell(sound(version))


def visit(address: str, path: str = "/", method: str = "GET", host: str = "", port: int = PORT) -> int:
    """What a visitor gets: the status code, 0 without an answer."""
    connection = http.client.HTTPConnection(address, port, timeout=60)
    try:
        body = b"x" * 1000 if method == "POST" else None
        connection.request(method, path, body, {"Host": host} if host else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def diagnose(there: Diagnoser, case: Case, site: str = SITE) -> Diagnosis:
    """Ask as `deploys/diagnose.py` does."""
    options = {"timeout": 30, **({} if site == SITE else {"name": "localhost"}), **dict(case.ask)}
    if options.pop("again", False):
        there.look(site, **options)
    found = examine(there.look(site, **options))
    assert found.blind == {}
    return found


def follow(there: Diagnoser, case: Case, finding: Finding, tools: str = TOOLS) -> None:
    """Do what a finding advises."""
    if case.repair:
        there.powershell(tools + case.repair)
        return
    assert finding.commands
    for command in finding.commands:
        assert command in finding.fix
        there.cmd(command)


def check(there: Diagnoser, case: Case, site: str = SITE, tools: str = TOOLS) -> None:
    """Break a site, see that the diagnosis names it, follow the advice, see that the site works again."""
    there.powershell(tools + case.arrange)
    try:
        if case.visit:
            method, path, status = case.visit
            host, port = ("", PORT) if site == SITE else ("localhost", DJANGO_PORT)
            assert visit(there.address, path, method, host, port) == status
        found = diagnose(there, case, site)
        said = found.notices if case.notice else found.causes
        names = [finding.rule for finding in said]
        assert case.rule in names if case.notice else case.rule == names[0], (names, found)
        if site == SITE:  # and nothing else is
            others = {finding.rule for finding in found.causes} - {case.rule, *case.also}
            assert case.notice or not others, found
        finding = said[names.index(case.rule)]
        text = f"{finding.cause} {finding.evidence} {finding.fix}"
        for word in case.says:
            assert word in text
        assert case.notice or not found.healthy
        follow(there, case, finding, tools)
        name = str(dict(case.ask).get("name", "")) if site == SITE else "localhost"
        mended = diagnose(there, Case(case.name, case.rule, "", ask=(("name", name),)), site)
        assert mended.healthy, mended
        # What a log tells of yesterday it still tells.
        assert case.visit or case.rule not in [item.rule for item in mended.notices]
        assert site != SITE or visit(there.address, host=name) == 200
    except AssertionError:
        with contextlib.suppress(AssertionError):
            there.powershell(tools + case.repair)
        raise
    finally:
        if case.after:
            there.powershell(tools + case.after)


@pytest.fixture(scope="module")
def connections(server: Lab) -> Iterator[dict[str, tuple[str, Diagnoser]]]:
    """By version of HttpPlatformHandler: the address of a bare server that will have it, and a connection."""
    wanted = sorted({case.version for case in SELECTED})
    made = {}
    for version, address in zip(wanted, server.addresses, strict=False):
        made[version] = address, Diagnoser(address, server.password)
    yield made
    for _, connection in made.values():
        connection.close()


@pytest.fixture(scope="module")
def bare(connections: dict[str, tuple[str, Diagnoser]]) -> Diagnosis:
    """What is said of a server that has nothing yet."""
    return examine(connections["1.2"][1].look(SITE))


@pytest.fixture(scope="module")
def servers(
    server: Lab, connections: dict[str, tuple[str, Diagnoser]], bare: Diagnosis
) -> dict[str, tuple[str, Diagnoser]]:
    """By version of HttpPlatformHandler: the address of a server with it and the site, and a connection."""
    for version, (_, connection) in connections.items():
        make(connection, server.status["artifacts"], version)
    return connections


def test_a_bare_server_has_no_iis(bare: Diagnosis) -> None:
    assert ([finding.rule for finding in bare.causes], bare.notices) == (["iis-missing"], ())


def test_of_a_new_and_sound_site_nothing_is_said(servers: dict[str, tuple[str, Diagnoser]]) -> None:
    for _, there in servers.values():
        assert examine(there.look(SITE)) == Diagnosis(SITE, True, f"http://localhost:{PORT}/ answers 200", (), (), {})


def test_what_no_rule_knows_is_said_to_be_unknown(servers: dict[str, tuple[str, Diagnoser]]) -> None:
    told = servers["1.2"][1].look(SITE)
    assert [finding.rule for finding in examine(told, status=204).causes] == ["unknown"]


@pytest.mark.parametrize("case", SELECTED, ids=lambda case: case.name)
def test_a_failure_is_named_and_mended(servers: dict[str, tuple[str, Diagnoser]], case: Case) -> None:
    _, there = servers[case.version]
    there.powershell(sound(case.version))
    check(there, case)


def test_the_command_says_it_and_its_exit_code_too(server: Lab, servers: dict[str, tuple[str, Diagnoser]]) -> None:
    address, there = servers["1.2"]
    there.powershell(sound("1.2"))
    healthy = server.pyinfra(address, deploy="deploys/diagnose.py", options=("--dry",), site=SITE)
    assert healthy.code == 0
    assert f"@winrm/{address}: plain is healthy (http://localhost:8020/ answers 200)" in healthy.output
    before = server.hash(address)["hash"]
    broken = server.pyinfra(address, deploy="deploys/diagnose.py", options=("--dry", "--json"), site="nothing")
    assert broken.code == 1
    document = json.loads(next(line for line in broken.output.splitlines() if line.startswith("{")))
    answer = document["plan"][0]["args"][0][f"@winrm/{address}"]
    assert (answer["healthy"], answer["causes"][0]["rule"]) == (False, "site-missing")
    assert server.hash(address)["hash"] == before


def test_values_of_environment_variables_stay_on_the_server(servers: dict[str, tuple[str, Diagnoser]]) -> None:
    _, there = servers["1.2"]
    there.powershell(sound("1.2"))
    there.powershell(
        TOOLS + 'Edit-Config \'name="PYTHONUNBUFFERED" value="1"\' \'name="DATABASE_URL" value="hush-hush"\''
    )
    told = json.dumps(there.look(SITE))
    assert "DATABASE_URL" in told
    assert "hush-hush" not in told


def test_a_wrong_clock_and_a_full_disk(server: Lab, servers: dict[str, tuple[str, Diagnoser]]) -> None:
    address, there = servers["1.2"]
    there.powershell(sound("1.2"))
    name = server.name(address)
    server.winlab("set", name, "clock-skew=3600")
    try:
        assert "clock-wrong" in [finding.rule for finding in examine(there.look(SITE)).notices]
    finally:
        server.winlab("set", name, "clock-skew=off")
    server.winlab("set", name, "disk-free=500000000")
    try:
        assert "disk-scarce" in [finding.rule for finding in examine(there.look(SITE)).notices]
    finally:
        server.winlab("set", name, "disk-free=off")
    server.winlab("set", name, "disk-free=1000000")
    try:
        assert examine(there.look(SITE)).causes[0].rule == "disk-full"
    finally:
        server.winlab("set", name, "disk-free=off")
    assert examine(there.look(SITE)).healthy


@pytest.fixture(scope="module")
def django(server: Lab) -> Iterator[Diagnoser]:
    """The example of the tutorial, deployed."""
    address = server.addresses[0]
    run = server.pyinfra(address, django_allowed_hosts="localhost")
    assert run.code == 0, run.output
    connection = Diagnoser(address, server.password)
    yield connection
    connection.close()


@pytest.mark.skipif(not FULL, reason="a deploy for it alone: DIAGNOSE_MATRIX=full")
@pytest.mark.parametrize("case", DJANGO, ids=lambda case: case.name)
def test_a_failure_of_django_is_named_and_mended(django: Diagnoser, case: Case) -> None:
    check(django, case, "mysite", DJANGO_TOOLS)


# -- several at once ------------------------------------------------------------------------------------------------------------------------

STAGES = {
    rule.name: stage
    for stage, table in enumerate((windows, bindings, pool, configuration, start, application))
    for rule in table.RULES
}
"""How far a request comes before it meets a failure, by its rule."""

PAIRS = int(os.environ.get("DIAGNOSE_PAIRS", "12"))


def _pairs() -> list[tuple[Case, Case]]:
    """Two failures that do not know of each other, the one that a request meets first in front; always the same ones for the same seed."""
    chance = random.Random(int(os.environ.get("DIAGNOSE_SEED", "8")))
    alone = ("DownloadString", "Start-Process", "Clear-EventLog", "stop site")
    fit = [
        case
        for case in CASES
        if not (case.notice or case.visit or case.ask or case.version != "1.2")
        and not any(word in case.arrange for word in alone)
    ]
    found: list[tuple[Case, Case]] = []
    while len(found) < PAIRS:
        first, second = sorted(chance.sample(fit, 2), key=lambda case: STAGES[case.rule])
        apart = not any(one in other or other in one for one in _edited(first) for other in _edited(second))
        if STAGES[first.rule] < STAGES[second.rule] and apart and (first, second) not in found:
            found.append((first, second))
    return found


def _edited(case: Case) -> list[str]:
    """The texts that a case puts others in place of."""
    return re.findall(r"Edit-(?:App|Config) '((?:[^']|'')*)'", case.arrange)


def test_every_rule_has_a_stage() -> None:
    assert set(STAGES) == {rule.name for rule in RULES}


@pytest.mark.skipif(not FULL, reason="takes long: DIAGNOSE_MATRIX=full")
@pytest.mark.parametrize("pair", _pairs(), ids=lambda pair: " + ".join(case.name for case in pair))
def test_of_two_failures_the_one_that_visitors_meet_is_named_first(
    servers: dict[str, tuple[str, Diagnoser]], pair: tuple[Case, Case]
) -> None:
    _, there = servers["1.2"]
    there.powershell(sound("1.2"))
    try:
        for case in reversed(pair):
            there.powershell(TOOLS + case.arrange)
        for case in pair:
            found = diagnose(there, case)
            assert found.causes[0].rule == case.rule, found
            follow(there, case, found.causes[0])
        assert diagnose(there, Case("", "", "")).healthy
    finally:
        for case in pair:
            if case.after:
                there.powershell(TOOLS + case.after)


# -- where nothing is wrong -----------------------------------------------------------------------------------------------------------------

PAST = {"process-restarts", "shutdown-slow", "requests-filtered"}
"""What the event log and the site's log still tell of other tests."""

# The same application again, below the site; it has inherited the site's handlers.
BELOW = r"""
if (Test-Path C:\sites\below) { Remove-Item C:\sites\below -Recurse -Force }
Copy-Item $folder C:\sites\below -Recurse
& icacls C:\sites\below /grant 'IIS AppPool\plain:(OI)(CI)M' | Out-Null
Edit-File C:\sites\below\web.config '<handlers>' '<handlers><clear />'
Edit-File C:\sites\below\web.config 'C:\sites\plain\logs' 'C:\sites\below\logs'
Edit-File C:\sites\below\web.config '<environmentVariables>' '<environmentVariables><clear />'
appcmd add app /site.name:plain /path:/below /physicalPath:C:\sites\below
appcmd set app plain/below /applicationPool:plain
"""


def said(there: Diagnoser, site: str = SITE, **options: object) -> tuple[bool, list[str], set[str]]:
    """Whether a site is found healthy, the causes, and the notices that are not of the past."""
    found = examine(there.look(site, **options))
    notices = {finding.rule for finding in found.notices} - PAST
    return found.healthy, [finding.rule for finding in found.causes], notices


@pytest.mark.skipif(not FULL, reason="takes long: DIAGNOSE_MATRIX=full")
@pytest.mark.parametrize("version", HANDLERS)
def test_of_an_application_below_a_site_nothing_is_said(
    servers: dict[str, tuple[str, Diagnoser]], version: str
) -> None:
    _, there = servers[version]
    there.powershell(sound(version))
    there.powershell(TOOLS + BELOW)
    try:
        assert said(there, application="/below") == (True, [], set())
        assert said(there) == (True, [], set())
        there.powershell(TOOLS + "Edit-File C:\\sites\\below\\app.py 'print(' 'import nothing_below; print('")
        there.powershell(TOOLS + "appcmd recycle apppool plain")
        assert said(there) == (True, [], set())
        assert said(there, application="/below")[1] == ["python-module-missing"]
    finally:
        there.powershell(TOOLS + "appcmd delete app plain/below")


@pytest.mark.skipif(not FULL, reason="takes long: DIAGNOSE_MATRIX=full")
def test_of_a_site_with_https_only_what_is_true_is_said(servers: dict[str, tuple[str, Diagnoser]]) -> None:
    _, there = servers["1.2"]
    there.powershell(sound("1.2"))
    case = next(case for case in CASES if case.rule == "certificate-untrusted")
    there.powershell(TOOLS + case.arrange)
    try:
        assert said(there) == (True, [], {"certificate-untrusted"})
    finally:
        there.powershell(TOOLS + case.after)


@pytest.mark.skipif(not FULL, reason="a deploy for it alone: DIAGNOSE_MATRIX=full")
def test_of_a_deployed_django_site_only_what_is_true_is_said(django: Diagnoser) -> None:
    django.powershell(DJANGO_TOOLS + "Restart-Pool")  # and with it a new log
    assert said(django, "mysite", name="localhost") == (True, [], set())
    case = next(case for case in DJANGO if case.rule == "maintenance")
    django.powershell(DJANGO_TOOLS + case.arrange)
    try:
        assert said(django, "mysite", name="localhost") == (False, ["maintenance"], set())
    finally:
        django.powershell(DJANGO_TOOLS + '[IO.File]::Delete("$root\\shared\\maintenance.json")')


@pytest.mark.skipif(not FULL, reason="a deploy for it alone: DIAGNOSE_MATRIX=full")
@pytest.mark.parametrize(("example", "version"), [("fastapi", "1.2"), ("flask", "2.0")])
def test_of_other_deployed_applications_nothing_is_said(
    server: Lab, servers: dict[str, tuple[str, Diagnoser]], example: str, version: str
) -> None:
    address, there = servers[version]
    there.powershell(sound(version))
    handler = {"version": version, "url": server.status["artifacts"] + HANDLERS[version]}
    handler["sha256"] = server.artifact_sums()[HANDLERS[version]]
    data = {"web_handler": json.dumps(handler)}
    run = server.pyinfra(address, deploy="deploys/python_web.py", example=example, **data)
    assert run.code == 0, run.output
    assert said(there, f"{example}_app") == (True, [], set())
    assert said(there) == (True, [], set())


# -- a deploy that fails --------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not FULL, reason="a deploy for it alone: DIAGNOSE_MATRIX=full")
def test_a_release_that_only_fails_behind_iis_is_explained(server: Lab, django: Diagnoser, tmp_path: Path) -> None:
    """It starts on the spare port; as the site's identity it may not. Nothing of what is said is about the release that is put back."""
    project = tmp_path / "mysite"
    shutil.copytree(ROOT / "examples" / "mysite", project)
    line = "import os\nif 'APP_POOL_ID' in os.environ: raise RuntimeError('not behind IIS')\n"
    (project / "mysite" / "asgi.py").write_text(line + (project / "mysite" / "asgi.py").read_text("utf-8"), "utf-8")
    data: dict[str, Any] = {
        "django_project": project,
        "django_allowed_hosts": "localhost",
        "django_health": '{"timeout": 10}',
    }
    run = server.pyinfra(django.address, **data)
    assert run.code == 1
    said = [line.partition("] ")[2] for line in run.output.splitlines() if "] " in line]
    number = next(number for number, line in enumerate(said) if line.startswith("Cause: "))
    assert "RuntimeError: not behind IIS" in said[number]
    assert "stdout_" in said[number + 1]
    assert said[number + 2].endswith("(docs/failures/exception-at-start.md)")
    assert re.search(r"answers 502 at .* Release r[0-9a-f]{15} is live again\.$", said[number + 3])
    assert sum(line.startswith("Cause: ") for line in said) == 1
    assert examine(django.look("mysite", name="localhost")).healthy
