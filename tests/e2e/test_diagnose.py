"""Diagnose names what is wrong with a site, and its advice mends it. All failures of the table run with DIAGNOSE_MATRIX=full, otherwise a selection."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import random
from collections.abc import Iterator

import pytest

from pyinfra_iis.diagnosis import Diagnosis, examine
from tests.e2e.diagnose_cases import CASES, DJANGO, DJANGO_TOOLS, PORT, PREPARE, SITE, TOOLS, Case, sound
from tests.e2e.diagnoser import Diagnoser
from tests.labkit import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("diagnose")]

FULL = os.environ.get("DIAGNOSE_MATRIX") == "full"
SELECTED = [case for case in CASES if FULL or case.default]
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


def visit(address: str, path: str = "/", method: str = "GET", host: str = "") -> int:
    """What a visitor gets: the status code, 0 without an answer."""
    connection = http.client.HTTPConnection(address, PORT, timeout=60)
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
    options = {"timeout": 20, **({} if site == SITE else {"name": "localhost"}), **dict(case.ask)}
    if options.pop("again", False):
        there.look(site, **options)
    return examine(there.look(site, **options))


def check(there: Diagnoser, case: Case, site: str = SITE, tools: str = TOOLS) -> None:
    """Break a site, see that the diagnosis names it, follow the advice, see that the site works again."""
    there.powershell(tools + case.arrange)
    try:
        if case.visit:
            method, path, status = case.visit
            assert visit(there.address, path, method) == status
        found = diagnose(there, case, site)
        said = found.notices if case.notice else found.causes
        names = [finding.rule for finding in said]
        assert case.rule in names if case.notice else case.rule == names[0], (names, found)
        finding = said[names.index(case.rule)]
        text = f"{finding.cause} {finding.evidence} {finding.fix}"
        for word in case.says:
            assert word in text
        assert case.notice or not found.healthy
        if case.repair:
            there.powershell(tools + case.repair)
        else:
            assert finding.commands
            for command in finding.commands:
                assert command in finding.fix
                there.cmd(command)
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
def servers(server: Lab) -> Iterator[dict[str, tuple[str, Diagnoser]]]:
    """By version of HttpPlatformHandler: the address of a server with it and the site, and a connection."""
    made = {}
    wanted = sorted({case.version for case in SELECTED})
    for version, address in zip(wanted, server.addresses, strict=False):
        made[version] = address, Diagnoser(address, server.password)
        make(made[version][1], server.status["artifacts"], version)
    yield made
    for _, connection in made.values():
        connection.close()


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
