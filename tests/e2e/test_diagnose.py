"""Diagnose names what is wrong with a site, and its advice mends it. All failures of the table run with DIAGNOSE_MATRIX=full, otherwise a selection."""

from __future__ import annotations

import http.client
import os
import random
from collections.abc import Iterator

import pytest

from pyinfra_iis.diagnosis import Diagnosis, examine
from tests.e2e.diagnose_cases import CASES, PORT, SITE, SOUND, TOOLS, Case
from tests.e2e.diagnoser import Diagnoser
from tests.labkit import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("diagnose")]

FULL = os.environ.get("DIAGNOSE_MATRIX") == "full"
PLAIN = [case for case in CASES if case.version == "1.2" and (FULL or case.default)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One server, on a network that no other lab of this machine is likely to use."""
    network = f"127.{random.randint(20, 29)}.{random.randint(1, 250)}"
    made = Lab(tmp_path_factory.mktemp("diagnose"), network, hosts=1)
    yield made
    made.down()


def make(there: Diagnoser, python: str, handler: str) -> None:
    """The site of the cases, on a server that has IIS, HttpPlatformHandler and a Python.

    Args:
        there: the server.
        python: the folder of its Python.
        handler: the address of HttpPlatformHandler's package.
    """
    there.powershell(f"[void] [IO.Directory]::CreateDirectory('C:\\sites'); Copy-Item -LiteralPath '{python}' C:\\sites\\python -Recurse")
    there.powershell(f"(New-Object Net.WebClient).DownloadFile('{handler}', 'C:\\sites\\handler.msi')")
    there.powershell(SOUND)


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


def diagnose(there: Diagnoser, case: Case) -> Diagnosis:
    """Ask as `deploys/diagnose.py` does."""
    options = {"timeout": 20, **dict(case.ask)}
    if options.pop("again", False):
        there.look(SITE, **options)
    return examine(there.look(SITE, **options))


def check(there: Diagnoser, address: str, case: Case) -> None:
    """Break the site, see that the diagnosis names it, follow the advice, see that the site works again."""
    there.powershell(TOOLS + case.arrange)
    try:
        if case.visit:
            method, path, status = case.visit
            assert visit(address, path, method) == status
        found = diagnose(there, case)
        said = found.notices if case.notice else found.causes
        names = [finding.rule for finding in said]
        assert case.rule in names if case.notice else case.rule == names[0], (names, found)
        finding = said[names.index(case.rule)]
        text = f"{finding.cause} {finding.evidence} {finding.fix}"
        for word in case.says:
            assert word in text
        assert case.notice or not found.healthy
        if case.repair:
            there.powershell(TOOLS + case.repair)
        else:
            assert finding.commands
            for command in finding.commands:
                assert command in finding.fix or command.partition(" ")[0] in finding.fix
                there.cmd(command)
        name = str(dict(case.ask).get("name", ""))
        mended = diagnose(there, Case(case.name, case.rule, "", ask=(("name", name),)))
        assert mended.healthy, mended
        # What a log tells of yesterday it still tells.
        assert case.visit or case.rule not in [finding.rule for finding in mended.notices]
        assert visit(address, host=name) == 200
    finally:
        if case.after:
            there.powershell(TOOLS + case.after)


@pytest.fixture(scope="module")
def there(server: Lab) -> Iterator[Diagnoser]:
    """The server with IIS, HttpPlatformHandler, Python and the site."""
    address = server.addresses[0]
    run = server.pyinfra(deploy="tests/e2e/platform_only.py")
    assert run.code == 0, run.output
    made = Diagnoser(address, server.password)
    make(made, r"C:\Python\made", server.status["artifacts"] + "httpPlatformHandler_amd64.msi")
    yield made
    made.close()


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
def test_a_failure_is_named_and_mended(server: Lab, there: Diagnoser, case: Case) -> None:
    there.powershell(SOUND)
    assert diagnose(there, case).healthy or case.ask
    check(there, server.addresses[0], case)
