"""Deploys that are cut off at each of their steps, by each mishap: `python -m tests.e2e.crash_matrix [SCENARIO ...]` tries them all and prints a table.

The steps come from what a deploy really does (`crashing`): the commands that it sends, the statements of each script, what the helper does to
the disk inside one command, and the bytes that each command writes. After each mishap nothing half done may look done, and the same deploy again must complete.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.labkit import ROOT, Lab, get
from tests.pyinfra_iis import projects

APP, PORT = "crash", 8033
URLS = """\
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("{}"))]
"""
MIGRATION = """\
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = {}
    operations = [migrations.RunPython(lambda apps, editor: None)]
"""
SENT = ("client killed", "connection lost", "process killed", "server restarts")
"""Mishaps while a command runs."""
IN_HELPER = (
    "python killed",
    "client killed",
    "client killed, its process goes on",
    "connection lost",
    "server restarts",
)
"""Mishaps at a step of the helper."""
IN_HELPER_ONCE = ("python killed", "server restarts")
"""The same where each deploy takes long: the others meet the same steps in another scenario."""
SWITCHES = {
    "connection lost": "drop-before=count:always",
    "process killed": "process-killed=action:Receive,nth:1",
}
BUDGETS = (0.02, 0.2, 0.5, 0.8, 0.99)
"""Shares of the bytes that a command writes, after which the disk is full."""
PLENTY = 1 << 40


@dataclass(frozen=True)
class Point:
    """A step of a deploy: the command's number and name; the step inside it, from 1 (0: the command as a whole), its kind and what it does."""

    command: int
    name: str
    kind: str = ""
    step: int = 0
    what: str = ""

    def __str__(self) -> str:
        return f"{self.command} {self.name}" + (f", {self.kind} step {self.step} ({self.what})" if self.step else "")


@dataclass(frozen=True)
class Case:
    """A mishap at a step; `bytes`: how many may still be written, for a full disk."""

    point: Point
    mishap: str
    bytes: int = 0


@dataclass
class Result:
    """What became of a case: nothing wrong, or what."""

    scenario: str
    command: str
    point: str
    mishap: str
    code: int
    answers: str
    seconds: float
    wrong: str = ""


@dataclass
class Scenario:
    """A deploy that is tried again and again on one server, each time with another change.

    Attributes:
        name: of the scenario.
        values: host data beside those of all.
        change: makes the project another one.
        bare: the server is bare before each deploy.
        warm: how many deploys it takes until each has the same steps.
        in_helper: the mishaps at a step of the helper.
        files: of the project, beside the usual ones.
        settings: its settings module.
    """

    name: str
    values: dict[str, Any]
    change: Callable[[Path, int], None]
    bare: bool = False
    warm: int = 0
    in_helper: tuple[str, ...] = IN_HELPER
    files: dict[str, str] = field(default_factory=dict)
    settings: str = projects.SETTINGS


def _another_page(project: Path, number: int) -> None:
    (project / "shop/urls.py").write_text(URLS.format(f"page {number}"))


def _everything(project: Path, number: int) -> None:
    _another_page(project, number)
    (project / "requirements.txt").write_text(f"Django~=5.2.0  # {number}\n")
    folder = project / "shop/migrations"
    before = sorted(path.stem for path in folder.glob("0*.py"))
    (folder / f"{len(before) + 1:04}_m.py").write_text(MIGRATION.format([("shop", name) for name in before[-1:]]))


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("one file", {"django_keep": 1000}, _another_page),
        Scenario("first", {}, _another_page, bare=True, in_helper=IN_HELPER_ONCE),
        Scenario(
            "everything",
            {"django_keep": 1, "django_migrate": True},
            _everything,
            warm=2,
            files={"shop/migrations/__init__.py": ""},
            settings=projects.SETTINGS.replace(
                '"django.contrib.staticfiles"]', '"django.contrib.staticfiles", "shop"]'
            ),
        ),
    )
}


class Trial:
    """One scenario on one server of a lab."""

    def __init__(self, lab: Lab, address: str, scenario: Scenario, folder: Path) -> None:
        self.lab = lab
        self.address = address
        self.host = lab.name(address)
        self.drive = lab.state / "hosts" / self.host / "C"
        self.root = self.drive / "inetpub" / APP
        self.scenario = scenario
        self.folder = folder
        self.project = projects.make(folder / APP, settings=scenario.settings, **scenario.files)
        self.number = 0
        self.environment: dict[str, str] = {}
        """Environment variables of the client, besides those of the lab."""
        self.deployed: dict[str, str] = {}
        """The page of each release that was deployed, by the SHA-256 of its urls.py."""

    # -- deploys --------------------------------------------------------------------------------------------------

    def change(self) -> str:
        """Make the project another one; returns its page."""
        self.number += 1
        self.scenario.change(self.project, self.number)
        text = (self.project / "shop/urls.py").read_bytes()
        self.deployed[hashlib.sha256(text).hexdigest()] = f"page {self.number}"
        return f"page {self.number}"

    def deploy(self, file: str = "deploys/django_iis.py", **plan: Any) -> tuple[int, str]:
        """A deploy to which something happens, or nothing; its exit code (negative: killed) and output."""
        flags = Path(tempfile.mkdtemp(dir=self.folder))
        (self.folder / "plan.json").write_text(json.dumps({"host": self.host, "flags": str(flags), **plan}))
        values = {"django_project": self.project, "django_bindings": f"*:{PORT}:", "winrm_reconnect_timeout": 3}
        data = [
            item for key, value in {**values, **self.scenario.values}.items() for item in ("--data", f"{key}={value}")
        ]
        run = subprocess.run(
            [sys.executable, "-m", "tests.e2e.crashing", "inventories/lab.py", file, "-y", "--limit", f"@winrm/{self.address}", *data],
            env={**self.lab.environment, **self.environment, "CRASH_PLAN": str(self.folder / "plan.json")},
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=280, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return run.returncode, run.stdout + run.stderr

    def prepare(self) -> None:
        """The server as it is before a deploy of this scenario."""
        if self.scenario.bare:
            self.lab.winlab("reset", self.host)
        elif not self.number:
            self.change()
            code, output = self.deploy()
            assert code == 0, output

    # -- where something can happen ---------------------------------------------------------------------------------

    def cases(self) -> list[Case]:
        """Every mishap at every step of this scenario's deploy, as a deploy without one shows them."""
        self.prepare()
        for _ in range(self.scenario.warm):
            self.change()
            self.deploy()
        self.change()
        trace = self.folder / "trace"
        trace.write_text("")
        self.lab.winlab("set", self.host, f"disk-free={PLENTY}")
        code, output = self.deploy(trace=str(trace))
        left = int((self.drive.parent / ".python/free-space").read_text())
        self.lab.winlab("set", self.host, "disk-free=off")
        assert code == 0, output
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        return [*_cases(lines, left, self._statements(), self.scenario.in_helper)]

    def _statements(self) -> dict[int, list[int]]:
        """Which statements of which command have run, in order."""
        path = self.drive / "Windows/Temp/crash-trace.txt"
        pairs = dict.fromkeys(path.read_text().strip(";").split(";"))
        path.unlink()
        found: dict[int, list[int]] = {}
        for pair in pairs:
            command, number = map(int, pair.split())
            found.setdefault(command, []).append(number)
        return found

    # -- one case -----------------------------------------------------------------------------------------------------

    def run(self, case: Case) -> Result:
        """Let the mishap happen to a deploy, look at what it left, deploy again, look again."""
        self.prepare()
        before = self.page() if not self.scenario.bare else ""
        page = self.change()
        started = time.monotonic()
        with visitors(self.address, not self.scenario.bare) as failed:
            code, output = self.interrupted(case)
        point = case.point
        wrong = [*self._unharmed(case, failed, output, code)]
        answers = self.page(wait=bool(before))
        if answers not in (before, page):
            wrong.append(f"the site answers {answers!r}")
        if code == 0 and answers != page:
            wrong.append("it reports success, but the new release is not live")
        wrong += self.damages()
        again, more = self.deploy()
        if again:
            wrong.append(f"the next run fails: {_last_lines(more)}")
        elif self.page(wait=True) != page:
            wrong.append("after the next run the site does not answer from the new release")
        else:
            wrong += self.damages()
            wrong += [f"{path} is left" for path in self.partials()]
        return Result(
            self.scenario.name, f"{point.command:02} {point.name}", str(point), case.mishap, code, "new" if answers == page else "old" if answers else "none",
            round(time.monotonic() - started, 1), "; ".join(wrong),
        )  # fmt: skip

    def interrupted(self, case: Case) -> tuple[int, str]:
        """A deploy with a mishap."""
        point = case.point
        plan: dict[str, Any] = {"command": point.command, "kind": point.kind, "step": point.step}
        plan["how"] = (
            f"disk-free={case.bytes}" if case.mishap == "disk full" else SWITCHES.get(case.mishap, case.mishap)
        )
        try:
            return self.deploy(**plan)
        finally:
            self.lab.winlab("set", self.host, "clear")

    def _unharmed(self, case: Case, failed: list[int], output: str, code: int) -> Iterator[str]:
        if failed and case.mishap != "server restarts":
            yield f"visitors got {dict(Counter(failed))}"
        if "Traceback" in output:
            yield f"a traceback: {_last_lines(output)}"
        if code > 0 and not re.search(r"error|fail|lost|not ", output, re.IGNORECASE):
            yield "it fails without a word"

    def page(self, wait: bool = False) -> str:
        """What the site says, empty when it does not answer."""
        deadline = time.monotonic() + (30 if wait else 0)
        while True:
            try:
                status, _, body = get(self.address, "/", PORT)
                if status == 200:
                    return body
            except OSError:
                pass
            if time.monotonic() >= deadline:
                return ""
            time.sleep(0.2)

    def damages(self) -> Iterator[str]:
        """What looks complete on the server and is not."""
        releases = self.root / "releases"
        for folder in sorted(releases.glob("*")) if releases.is_dir() else []:
            if folder.is_dir() and folder.suffix != ".partial":
                yield from self._damages_of_release(folder)
        venvs = self.root / "venvs"
        for folder in sorted(venvs.glob("*")) if venvs.is_dir() else []:
            if folder.suffix != ".partial":
                yield from _damages_of_environment(folder)

    def _damages_of_release(self, folder: Path) -> Iterator[str]:
        try:
            record = json.loads(folder.with_suffix(".json").read_text())
        except (OSError, ValueError) as error:
            yield f"release {folder.name} has no record: {error}"
            return
        for path, (sha256, _) in record["files"].items():
            file = folder / path
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
                yield f"{path} of release {folder.name} is not what was deployed"
        if record["files"]["shop/urls.py"][0] not in self.deployed:
            yield f"release {folder.name} was never deployed"
        if not (self.root / "venvs" / record["environment"]).is_dir() and folder.name == self.live():
            yield f"the live release {folder.name} has no virtual environment"

    def live(self) -> str:
        """The release that history says is live."""
        history = self.root / "history.txt"
        lines = history.read_text().split() if history.exists() else []
        return lines[-1] if lines else ""

    def partials(self) -> list[str]:
        """Half done things on the server."""
        return [path.name for path in self.root.glob("*/*.partial")]


def _damages_of_environment(folder: Path) -> Iterator[str]:
    packages = folder / "Lib/site-packages"
    if not (folder / "Scripts/python.exe").is_file() or not (packages / "django").is_dir():
        yield f"virtual environment {folder.name} is not complete"
    for record in packages.glob("*.dist-info/RECORD"):
        for line in record.read_text().splitlines():
            name, digest, size = line.rsplit(",", 2)
            file = packages / name
            if digest and (not file.is_file() or file.stat().st_size != int(size)):
                yield f"{name} of virtual environment {folder.name} is not whole"


def _last_lines(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("command ")]
    return " / ".join(line.strip() for line in lines[-6:])


def _cases(
    trace: list[dict[str, Any]], left: int, ran: dict[int, list[int]], in_helper: tuple[str, ...]
) -> Iterator[Case]:
    names = {line["command"]: line["name"] for line in trace if "name" in line}
    free = {line["command"]: line["free"] for line in trace if "free" in line}
    free[max(free) + 1] = left
    statements = {line["command"]: line["statements"] for line in trace if "statements" in line}
    for command, name in names.items():
        point = Point(command, name)
        yield from (Case(point, mishap) for mishap in SENT)
        written = free[command] - free[command + 1]
        if written > 0:
            yield from (Case(point, "disk full", int(written * share)) for share in BUDGETS)
        steps = [line["step"] for line in trace if line["command"] == command and "step" in line]
        for number in _telling(steps):
            step = Point(command, name, "python", number + 1, steps[number])
            yield from (Case(step, mishap) for mishap in in_helper)
            if steps[number].startswith("start "):
                yield Case(step, "child killed")
        for number in ran.get(command, []):
            yield Case(
                Point(command, name, "powershell", number, statements[command][number - 1][:60]), "powershell killed"
            )


def _telling(steps: list[str]) -> list[int]:
    """Of steps of one kind in a row the first, one in the middle and the last."""
    kinds = [re.sub(r"(\.partial|\.json|\.zip).*", r"\1", step) for step in steps]
    found: set[int] = set()
    start = 0
    for index in range(1, len(steps) + 1):
        if index == len(steps) or kinds[index] != kinds[start]:
            found |= {start, (start + index - 1) // 2, index - 1}
            start = index
    return sorted(found)


@contextmanager
def visitors(address: str, there: bool = True, port: int = PORT) -> Iterator[list[int]]:
    """Somebody who asks the site all the time, unless nobody is to be there; gives the statuses that are not 200."""
    failed: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(0.05):
            try:
                status = get(address, "/", port)[0]
            except OSError:
                status = 0
            if status != 200:
                failed.append(status)

    thread = threading.Thread(target=ask)
    if there:
        thread.start()
    try:
        yield failed
    finally:
        stop.set()
        if there:
            thread.join()


def sample(cases: list[Case]) -> list[Case]:
    """Each mishap once, each at another place."""
    mishaps = list(dict.fromkeys(case.mishap for case in cases))
    found = []
    for index, mishap in enumerate(mishaps):
        places = [case for case in cases if case.mishap == mishap]
        found.append(places[len(places) * index // len(mishaps)])
    return found


def table(results: Iterable[Result]) -> str:
    """The results as Markdown: for each command of each scenario, how many cases of each mishap, and how many of them went wrong."""
    results = list(results)
    lines = []
    for scenario in dict.fromkeys(result.scenario for result in results):
        rows = [result for result in results if result.scenario == scenario]
        mishaps = list(dict.fromkeys(result.mishap for result in rows))
        lines += [f"\n### {scenario}\n", "| command | " + " | ".join(mishaps) + " |", "|---" * (len(mishaps) + 1) + "|"]
        for command in sorted({result.command for result in rows}):
            cells = [[row for row in rows if (row.command, row.mishap) == (command, mishap)] for mishap in mishaps]
            lines.append(f"| {command} | " + " | ".join(_cell(cell) for cell in cells) + " |")
        lines.append(f"\n{len(rows)} cases, {sum(bool(row.wrong) for row in rows)} went wrong.")
        lines += [f"- {row.mishap} at {row.point}: {row.wrong}" for row in rows if row.wrong]
    return "\n".join(lines)


def _cell(cell: list[Result]) -> str:
    wrong = sum(bool(row.wrong) for row in cell)
    return "" if not cell else f"{len(cell)} ok" if not wrong else f"{len(cell) - wrong} ok, **{wrong} wrong**"


def main() -> int:
    """Try cases and print the table; exit code 1 when something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("crash-matrix.jsonl"),
        help="results are added there; a case that is there is not tried again",
    )
    parser.add_argument("--list", action="store_true", help="only say which cases there are")
    parser.add_argument("--table", action="store_true", help="only print the table of the results")
    parser.add_argument("--only", default="", help="a regular expression that `MISHAP at STEP` has to match")
    parser.add_argument("--part", default="1/1", help="K/N: every Nth case, beginning with the Kth")
    parser.add_argument("--network", default="127.0.63", help="of the lab")
    given = parser.parse_args()
    if not given.table:
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(Path(folder) / "lab", given.network, 1)
            try:
                for name in given.scenario or SCENARIOS:
                    _try(Trial(lab, lab.addresses[0], SCENARIOS[name], Path(folder)), given)
            finally:
                lab.down()
    if given.list:
        return 0
    results = _known(given.results)
    print(table(results))
    return int(any(result.wrong for result in results))


def _try(trial: Trial, given: argparse.Namespace) -> None:
    cases = [case for case in trial.cases() if re.search(given.only, f"{case.mishap} at {case.point}")]
    part, parts = map(int, given.part.split("/"))
    done = Counter((result.scenario, result.point, result.mishap) for result in _known(given.results))
    for case in cases[part - 1 :: parts]:
        print(
            f"{trial.scenario.name}: {case.mishap} at {case.point}",
            end="" if not given.list else "\n",
            file=sys.stderr,
            flush=True,
        )
        if given.list:
            continue
        key = (trial.scenario.name, str(case.point), case.mishap)
        if done[key]:
            done[key] -= 1
            print("  known", file=sys.stderr)
            continue
        result = trial.run(case)
        print(f"  {result.seconds} s  {result.wrong or 'ok'}", file=sys.stderr, flush=True)
        with given.results.open("a") as stream:
            stream.write(json.dumps(asdict(result)) + "\n")


def _known(path: Path) -> list[Result]:
    return [Result(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
