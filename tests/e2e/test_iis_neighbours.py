"""IIS operations on a server that is full of other people's sites: nothing of theirs changes by a byte; what cannot be done is said in a sentence."""

from __future__ import annotations

import base64
import difflib
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.labkit import Lab, Run, get

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("iis-operations"), pytest.mark.timeout(900)]

DEPLOY = "tests/e2e/iis_neighbours.py"
APPHOST = r"C:\Windows\System32\inetsrv\config\applicationHost.config"

OTHERS = r"""
$appcmd = "$env:windir\System32\inetsrv\appcmd.exe"
$setup = {
    param($n)
    & $appcmd add apppool /name:other$n /queueLength:50$n /processModel.idleTimeout:00:0$n`:00 | Out-Null
    & $appcmd add site /name:other$n /bindings:http/*:810$n`: /physicalPath:C:\inetpub\wwwroot | Out-Null
    & $appcmd set app other$n/ /applicationPool:other$n | Out-Null
    & $appcmd set config other$n -section:system.webServer/security/requestFiltering /requestLimits.maxUrl:100$n /commit:apphost | Out-Null
}
0..9 | ForEach-Object { & $setup $_ }
$file = "$env:windir\System32\inetsrv\config\applicationHost.config"
$text = [IO.File]::ReadAllText($file)
$text = $text.Replace('<site name="other3"', "<!-- third: ask Mrs. Smith before you touch it -->`n`t`t<site   name=`"other3`"")
$text = $text.Replace('queueLength="504"', "queueLength='504'`r`n                 autoStart=`"true`"")
[IO.File]::WriteAllText($file, $text)
"""
"""Ten sites as administrators leave them, some of it with an editor."""


class Server:
    """One server with the sites of others."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.address = lab.addresses[0]

    def run(self, step: str, *options: str, **data: str) -> Run:
        return self.lab.pyinfra(options=("--diff", *(options or ("-y",))), deploy=DEPLOY, step=step, **data)

    def configuration(self) -> str:
        text = self.lab.powershell(self.address, f"[Convert]::ToBase64String([IO.File]::ReadAllBytes('{APPHOST}'))")
        return base64.b64decode(text).decode("utf-8-sig")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    lab = Lab(Path(tmp_path_factory.mktemp("lab")), f"127.{random.randint(40, 49)}.{random.randint(1, 250)}", 1)
    made = Server(lab)
    try:
        assert made.run("features").code == 0
        lab.powershell(made.address, OTHERS)
        yield made
    finally:
        lab.down()


def test_two_runs_at_once_and_nothing_of_others_changes(server: Server) -> None:
    before = server.configuration()
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda number: server.run("ours", number=number), ("31", "32")))
    for run in runs:
        assert run.code == 0, run.output
    after = server.configuration()
    changes = difflib.SequenceMatcher(
        None, before.splitlines(True), after.splitlines(True), autojunk=False
    ).get_opcodes()
    assert {kind for kind, *_ in changes} == {"equal", "insert"}, "a line that was there changed or went"
    for number in ("31", "32"):
        assert f'<site name="ours{number}"' in after
        assert get(server.address, "/iisstart.htm", port=int(f"80{number}"))[0] == 200
        again = server.run("ours", "--dry", number=number)
        assert again.code == 0, again.output
        assert not re.search(r"\]   [+~-] ", again.output), again.output
    for number in ("31", "32"):
        assert server.run("nothing", number=number).code == 0
    assert server.configuration() == before


def test_what_cannot_be_is_refused_before_anything_is_written(server: Server) -> None:
    before = server.configuration()
    output = server.run("refused").output
    for sentence in (
        "app pool new queueLength cannot be '5': permitted are 10 to 65535.",
        "app pool new processModel.idleTimeout cannot be '00:00:30': permitted are 00:00:00 to 30.00:00:00 in steps of 00:01:00.",
        "app pool new startMode cannot be 'Sometimes': permitted are OnDemand, AlwaysRunning.",
        "app pool new has no property processModel.idleTimeOuts in the IIS of SRV1; there are identityType, ",
        "site nobody's is not there on SRV1.",
        "The IIS of SRV1 has no section system.webServer/httpPlatform",
        "SRV1 has no valid certificate 'www.example.com' with a private key in LocalMachine\\My.",
    ):
        assert sentence in output
    assert "Traceback" not in output
    assert server.configuration() == before


def test_a_start_that_fails_is_explained(server: Server) -> None:
    output = server.run("failing").output
    for sentence in (
        "Site first does not become Started on SRV1: its binding *:8100: is taken by the site other0.",
        "Site second does not become Started on SRV1: port 5985 is taken by another user of HTTP.sys",
        "App pool third does not become Started on SRV1: its identity is invalid: the user name or password is wrong.",
    ):
        assert sentence in output
    assert "hunter" not in output
