"""What people ask of running servers: every command of docs/operating.md, done on one server that is deployed and one that is bare."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from tests import docs
from tests.labkit import BIN, ROOT, Lab, Run, get

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("deploy"), pytest.mark.timeout(600)]

PAGE = ROOT / "docs" / "operating.md"

# What differs from run to run.
VARIABLE = {
    r"\br[0-9a-f]{15}\b": "RELEASE",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?": "TIME",
    r"\bpage [0-9a-f]{12}\b": "page SUM",
    r"\b\d+[dhms](?: \d+[hms])?\b": "SPAN",
    r"\bafter [\d.]+ s\b": "after N s",
    r"\b\d+ ms\b": "N ms",
    r"\d+\.\d+ GiB": "SIZE",
    r"'\d+'": "'NUMBER'",
    r"(?<=process) \d+ -> \d+": " A -> B",
    r"(?<=\s)\d{3,5}(?= in worker \d+)": "PROCESS",
    r"in worker \d+": "in worker W",
    r"\bSRV\d\b": "SRV",
    # A server that other tests have used knows an earlier release.
    r"(?<=since) +previous": "",
    r"(?<=TIME) +RELEASE": "",
    # The example has no page at its root, which is as good a sign of life.
    r"(?<=[ (])(?:200|404)(?= |\))": "STATUS",
}


@pytest.fixture(scope="module")
def served(lab: Lab) -> Iterator[tuple[Lab, str, str]]:
    """A server with the example deployed, and a bare one."""
    address, bare = lab.addresses[:2]
    run = lab.pyinfra(address)
    assert run.code == 0, run.output
    # Something for the logs.
    assert get(address, "/")[0] == 404
    yield lab, address, bare


def plain(text: str) -> str:
    """A line without what is different in each run, and without what the width of columns makes of it."""
    for pattern, word in VARIABLE.items():
        text = re.sub(pattern, word, text)
    return " ".join(re.sub(r"(?<=TIME )\d+(?= SPAN)", "PROCESS", " ".join(text.split())).split())


def steps() -> list[docs.Command]:
    found = [step for step in docs.steps(PAGE) if isinstance(step, docs.Command)]
    return [step for step in found if "| jq" not in step.line or shutil.which("jq")]


def answer(run: Run, code: int = 0) -> Any:
    """What a command told programs: the one document on its standard output."""
    assert run.code == code, run.output
    return json.loads(run.output)["plan"][0]["args"][0]


def ask(lab: Lab, *addresses: str, deploy: str, options: Sequence[str] = ("--dry", "--json"), **data: Any) -> Run:
    """Run a command as a program does: only its standard output counts."""
    limit = [item for address in addresses for item in ("--limit", f"@winrm/{address}")]
    given = [item for key, value in data.items() for item in ("--data", f"{key}={value}")]
    result = subprocess.run(
        [str(BIN / "pyinfra"), "inventories/lab.py", f"deploys/{deploy}.py", *limit, *given, *options],
        cwd=ROOT, env=lab.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return Run(result.returncode, result.stdout)


def of_release(lab: Lab, address: str, name: str) -> Path:
    """A file of the release that was made last, which is the live one, on this machine's disk."""
    found = (lab.state / "hosts" / lab.name(address)).rglob(f"mysite/releases/r*/{name}")
    return max(found, key=lambda path: path.parent.stat().st_ctime)


def test_status_of_healthy_stopped_broken_and_bare_servers(served: tuple[Lab, str, str]) -> None:
    lab, address, bare = served
    before = lab.stats(address)["requests"]
    told = answer(ask(lab, address, bare, deploy="status"))
    requests = lab.stats(address)["requests"] - before
    assert list(told) == [f"@winrm/{address}", f"@winrm/{bare}"]
    healthy = told[f"@winrm/{address}"]
    assert healthy["state"] == "healthy"
    assert healthy["problems"] == []
    assert (healthy["site"], healthy["pool"], healthy["handler"]) == ("Started", "Started", "1.2")
    assert re.fullmatch(r"r[0-9a-f]{15}", healthy["release"])
    assert re.fullmatch(r"3\.\d+\.\d+", healthy["python"])
    assert healthy["processes"][0]["image"].endswith(r"\Scripts\python.exe")
    assert 0 < healthy["disk"]["free"] <= healthy["disk"]["total"]
    assert told[f"@winrm/{bare}"]["state"] == "bare"
    assert told[f"@winrm/{bare}"]["problems"] == []
    # A connection takes 9 requests, one question 2 or 3.
    assert requests <= 13, requests

    lab.powershell(address, POOL.format(action="Stop"))
    stopped = answer(ask(lab, address, deploy="status"))[f"@winrm/{address}"]
    assert (stopped["state"], stopped["pool"], stopped["processes"]) == ("stopped", "Stopped", [])
    assert get(address, "/nobody-home")[0] == 503
    # Windows answers 503 too, but not with the page.
    run = lab.pyinfra(address, deploy="deploys/maintenance.py", maintenance="on")
    assert run.code == 1
    assert (
        "visitors do not see the page, because the application's process does not run: the site answers 503."
        in run.output
    )
    config = rf"C:\inetpub\mysite\releases\{healthy['release']}\web.config"
    lab.powershell(
        address,
        POOL.format(action="Start")
        + f"Rename-Item -LiteralPath {config} -NewName web.old; Set-Content -LiteralPath {config} -Value '<no'",
    )
    broken = answer(ask(lab, address, deploy="status"))[f"@winrm/{address}"]
    assert broken["state"] == "unhealthy"
    assert broken["health"]["status"] == 500
    assert any(problem.startswith("web.config: ") for problem in broken["problems"])
    assert broken["release"] == healthy["release"]
    lines = answer(ask(lab, address, deploy="logs", since="5m"))["lines"]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert any(line["source"] == "http.sys" and "/nobody-home" in line["text"] for line in lines)
    assert any(line["source"] == "requests" and line["text"].startswith("500.19  GET") for line in lines)
    assert {line["host"] for line in lines} == {f"@winrm/{address}"}
    lab.powershell(
        address, f"Remove-Item -LiteralPath {config}; Rename-Item -LiteralPath {config[:-6]}old -NewName web.config"
    )
    assert lab.pyinfra(address, deploy="deploys/maintenance.py", maintenance="off").code == 0
    assert get(address, "/admin/login/")[0] == 200


POOL = """
[void] [Reflection.Assembly]::LoadFrom("$env:SystemRoot\\System32\\inetsrv\\Microsoft.Web.Administration.dll")
$Pool = (New-Object Microsoft.Web.Administration.ServerManager).ApplicationPools['mysite']
[void] $Pool.{action}()
"""


def test_a_restart_changes_the_process_and_nothing_else(served: tuple[Lab, str, str]) -> None:
    lab, address, bare = served
    get(address, "/admin/login/")
    before = lab.hash(address)
    told = answer(ask(lab, address, deploy="restart", options=["-y", "--json"]))[f"@winrm/{address}"]
    old, new = ([process["id"] for process in told[key]] for key in ("before", "after"))
    assert old
    assert new
    assert not set(old) & set(new)
    # The project need not be on this machine.
    now = answer(ask(lab, address, deploy="status", django_project="/nowhere/mysite"))[f"@winrm/{address}"]
    assert now["state"] == "healthy"
    assert [process["id"] for process in now["processes"]] == new
    assert answer(ask(lab, address, deploy="diagnose", django_project="/nowhere/mysite"))[f"@winrm/{address}"][
        "healthy"
    ]
    held = answer(ask(lab, address, deploy="releases", django_project="/nowhere/mysite"))[f"@winrm/{address}"]
    assert now["release"] in [release["release"] for release in held["releases"]]
    assert lab.hash(address) == before
    run = lab.pyinfra(address, bare, deploy="deploys/restart.py", options=["--dry", "--diff"])
    assert f"{bare} has no application mysite; deploy it first." in run.output
    assert lab.hash(address) == before


def test_a_restart_after_which_the_site_does_not_answer_names_the_cause(served: tuple[Lab, str, str]) -> None:
    lab, address, _ = served
    config = of_release(lab, address, "web.config")
    original = config.read_bytes()
    config.write_text("<no")
    try:
        run = ask(lab, address, deploy="restart", options=["-y", "--json"], django_health='{"timeout": 3}')
    finally:
        config.write_bytes(original)
    error = answer(run, code=1)[f"@winrm/{address}"]["error"]
    assert "answers 500" in error
    assert "web.config" in error and "0x8007000d" in error.lower(), error
    assert '"seen"' not in error + run.output
    # Told in both forms alike.
    config.write_text("<no")
    try:
        run = lab.pyinfra(address, deploy="deploys/restart.py", django_health='{"timeout": 3}')
    finally:
        config.write_bytes(original)
    assert run.code == 1
    assert "0x8007000d" in run.output.lower()
    assert lab.pyinfra(address, deploy="deploys/restart.py").code == 0
    assert get(address, "/admin/login/")[0] == 200


# A backslash alone would be a path to the lab, which it translates for this machine's Python.
NASTY = [
    "",
    " ",
    'say "x"',
    '"back\\',
    'back\\"',
    "%PATH%",
    "^&|<>",
    "$env:x `",
    "größe ☃ 🎉",
    "'",
    "a\nb",
    "-",
    "\u201ctypographic\u201d",
]
ECHO = "import sys, json, os; print(json.dumps([sys.argv[1:], sorted(os.environ)])); sys.exit(9)"


def test_arguments_arrive_and_the_exit_code_is_passed_on(served: tuple[Lab, str, str]) -> None:
    lab, address, _ = served
    script = of_release(lab, address, "manage.py")
    original = script.read_bytes()
    script.write_text(f"{ECHO}\n")
    try:
        run = ask(lab, address, deploy="manage", options=["-y", "--json"], command=json.dumps(["echo", *NASTY]))
    finally:
        script.write_bytes(original)
    told = answer(run, code=1)[f"@winrm/{address}"]
    assert told["exit_code"] == 9
    assert told["stderr"] == []
    arguments, names = json.loads(told["stdout"][0])
    assert arguments == ["echo", *NASTY]
    assert {"DJANGO_SECRET_KEY", "DJANGO_SETTINGS_MODULE"} <= set(names)
    run = lab.pyinfra(address, deploy="deploys/manage.py", command="nonsense")
    assert run.code == 1
    assert "Unknown command: 'nonsense'" in run.output
    assert re.search(r"manage\.py ended with exit code 1 on SRV\d\.", run.output)


def test_logs_are_followed_through_rotation(served: tuple[Lab, str, str]) -> None:
    lab, address, bare = served
    (folder,) = (lab.state / "hosts" / lab.name(address)).rglob("mysite/shared/logs")
    log = folder / "django.log"
    log.write_text("2026-01-01 10:00:00,000 ERROR before\n")
    command = [
        str(BIN / "pyinfra"),
        "inventories/lab.py",
        "deploys/logs.py",
        "--dry",
        "-y",
        "--data",
        "follow=1",
        "--data",
        "lines=500",
    ]
    limit = [item for name in (address, bare) for item in ("--limit", f"@winrm/{name}")]
    with subprocess.Popen(
        [*command, *limit], cwd=ROOT, env=lab.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        seen = _until(process.stdout, "ERROR before")
        with log.open("a") as stream:
            stream.write("2026-01-01 10:00:01,000 ERROR last of the old\n")
        log.rename(folder / "django.log.1")
        log.write_text("2026-01-01 10:00:02,000 ERROR first of the new\nof two li")
        seen += _until(process.stdout, "first of the new")
        with log.open("a") as stream:
            stream.write("nes\n")
        (folder / "stdout_1_20260101.log").write_text("another process\n")
        seen += _until(process.stdout, "another process")
        seen += _until(process.stdout, "of two lines") if "of two lines" not in seen else ""
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(20) == 0
    for text in ("ERROR before", "last of the old", "first of the new", "of two lines", "another process"):
        assert (seen + rest).count(text) == 1, seen + rest
    for name in ("django.log", "django.log.1", "stdout_1_20260101.log"):
        (folder / name).unlink()


def _until(stream: IO[str], text: str) -> str:
    """What comes up to the line that holds a text."""
    found = ""
    for line in stream:
        found += line
        if text in line:
            return found
    raise AssertionError(f"'{text}' did not come:\n{found}")


def test_a_release_without_the_gate_is_refused(served: tuple[Lab, str, str]) -> None:
    lab, address, _ = served
    gate = of_release(lab, address, "pyinfra_iis_gate.py")
    gate.rename(gate.with_suffix(".away"))
    before = lab.hash(address)
    run = lab.pyinfra(address, deploy="deploys/maintenance.py", maintenance="on")
    assert lab.hash(address) == before
    gate.with_suffix(".away").rename(gate)
    assert run.code == 1
    assert (
        "cannot show a page of maintenance: it was deployed by an earlier version of this module; deploy again first."
        in run.output
    )


def test_what_others_use_is_not_removed(served: tuple[Lab, str, str]) -> None:
    lab, address, _ = served
    python = next((lab.state / "hosts" / lab.name(address)).rglob("Python/*/python.exe")).parent.name
    lab.powershell(
        address,
        r"[void] (New-Item -ItemType Directory C:\inetpub\other\venvs\one); "
        rf"Set-Content -LiteralPath C:\inetpub\other\venvs\one\pyvenv.cfg -Value 'home = C:\Python\{python}'",
    )
    run = lab.pyinfra(address, deploy="deploys/remove.py", options=["--dry", "--diff"])
    assert run.code == 0, run.output
    # Other tests may have left applications that use it too; the one that goes is not named.
    others = (
        rf"stays: C:\\Python\\{re.escape(python)} \(used by [^)]*virtual environment C:\\inetpub\\other\\venvs\\one\b"
    )
    assert r"virtual environment C:\inetpub\mysite" not in run.output
    assert re.search(others, run.output), run.output
    assert f"{python}: folder" not in run.output
    assert "- site mysite: present" in run.output
    lab.powershell(address, "$Mine = 'mysite'; " + APPLICATION)
    run = lab.pyinfra(address, deploy="deploys/remove.py", options=["-y"])
    assert run.code == 1
    assert "the site mysite holds /reports, which this deploy did not make; remove that first." in run.output
    lab.powershell(address, "$Mine = ''; " + APPLICATION + r"; Remove-Item -LiteralPath C:\inetpub\other -Recurse")
    assert get(address, "/admin/login/")[0] == 200


APPLICATION = r"""
[void] [Reflection.Assembly]::LoadFrom("$env:SystemRoot\System32\inetsrv\Microsoft.Web.Administration.dll")
$Manager = New-Object Microsoft.Web.Administration.ServerManager
$Applications = $Manager.Sites['mysite'].Applications
if ($Mine) { [void] $Applications.Add('/reports', 'C:\inetpub\wwwroot') } else { [void] $Applications.Remove($Applications['/reports']) }
$Manager.CommitChanges()
"""


def test_the_page_does_what_it_says(served: tuple[Lab, str, str], tmp_path: Path) -> None:
    """The whole page in its order, which ends with the application removed."""
    lab, address, bare = served
    inventory = tmp_path / "inventory.py"
    inventory.write_text(
        f"import runpy\nlab = runpy.run_path({str(ROOT / 'inventories/lab.py')!r})['lab']\n"
        f"web = ([name for name in lab[0] if name.endswith(({address!r}, {bare!r}))], lab[1])\n"
        "del lab\n"
    )
    replaced = {
        "inventories/prod.py": str(inventory),
        "web1.example.com": address,
        "web2.example.com": bare,
    }
    environment = {**lab.environment, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "250"}
    (tmp_path / "deploys").symlink_to(ROOT / "deploys")
    before = lab.hash(bare)
    secret = ""
    done = 0
    for step in steps():
        line = step.line
        for old, new in replaced.items():
            line = line.replace(old, new)
        if variable := re.fullmatch(r"export (\w+)=\$\((.+)\)", line):
            secret = subprocess.run(
                ["bash", "-c", variable[2]], capture_output=True, text=True, check=True
            ).stdout.strip()
            environment[variable[1]] = secret
            continue
        run = shell(line, tmp_path, environment)
        assert run.code == 0, f"{line}\n{run.output}"
        printed = [plain(text) for text in run.output.splitlines()]
        position = 0
        for text in step.expected:
            for old, new in replaced.items():
                text = text.replace(old, new)
            wanted = plain(text)
            assert wanted in printed[position:], f"{line}\ndid not print: {wanted}\n" + "\n".join(printed)
            position += printed[position:].index(wanted) + 1
        assert not secret or secret not in run.output
        done += 1
        check(line, run, tmp_path, address)
    assert done > 20
    assert lab.hash(bare) == before


def shell(line: str, folder: Path, environment: Mapping[str, str]) -> Run:
    result = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return Run(result.returncode, result.stdout)


def check(line: str, run: Run, folder: Path, address: str) -> None:
    """What a command did, beyond what it printed."""
    if "dumpdata" in line:
        dumped = json.loads((folder / f"dump-{address}.json").read_text(encoding="utf-8"))
        assert "grace" in [item["fields"].get("username") for item in dumped]
    if "deploys/django_iis.py" in line:
        assert get(address, "/admin/login/")[0] == 503
