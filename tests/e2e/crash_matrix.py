"""Deploys that are cut off at each of their steps, by each mishap: `python -m tests.e2e.crash_matrix [SCENARIO ...]` tries them all and prints a table.

The steps come from what a deploy really does (`crashing`): the commands that it sends, the statements of each script, what the helper does to
the disk inside one command, and the bytes that each command writes. After each mishap nothing half done may look done, and the same deploy again must complete.

Of a script's statements each is a case before which something on the server has changed since the statement before, and the first and the last: to be
killed before one of the others leaves the same server. "Changed" is what a look at the server says each time that the traced deploy comes to a statement.

Where a deploy takes long it is made once, and the server copied before each of its commands that change something; a case begins with the copy made
before its command, as a deploy does which meets what one that was cut off has left. `--whole` makes each case from the beginning instead.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.labkit import ROOT, Lab, get
from tests.pyinfra_iis import projects
from winlab import cli, daemon

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
SERVER = """\
import http.server, re, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("shop/urls.py") as file:
            page = re.search('page [0-9]+', file.read())[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
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
"""The same at a change of the disk where a deploy takes long: what the others leave is met in another scenario; they happen where a program is started."""
SWITCHES = {
    "connection lost": "drop-before=count:always",
    "process killed": "process-killed=action:Receive,nth:1",
}
BUDGETS = (0.02, 0.2, 0.5, 0.8, 0.99)
"""Shares of the bytes that a command writes, after which the disk is full."""
PLENTY = 1 << 40
_NAMES = re.compile(r"\b(r[0-9a-f]{15}(-[0-9a-f]{8})?|[0-9a-f]{12})\b")
"""Names of releases, archives and virtual environments: others in each run."""
SHARED = (r"C:\Python", rf"C:\inetpub\{APP}\venvs")
"""Folders whose files copies of a server have in common: whole ones are never changed there."""
SPREAD = 7
FOREVER = 10**7
"""Seconds that a server stays down which is not needed any more."""
INVENTORY = "import json, runpy; print(json.dumps(runpy.run_path('inventories/lab.py')['lab'][1]))"


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
    met: bool = True
    """The mishap has happened; else the deploy ended before it could."""
    whole: bool = True
    """The deploy began where those of its scenario begin, not with a copy made before the command."""


@dataclass
class Scenario:
    """A deploy that is tried again and again on one server, each time with another change.

    Attributes:
        name: of the scenario.
        values: host data beside those of all.
        change: makes the project another one.
        bare: the server is bare before each deploy.
        copied: a case begins with a copy of the server as it is before the case's command.
        warm: how many deploys it takes until each has the same steps.
        in_helper: the mishaps at a change of the disk by the helper.
        files: of the project, beside the usual ones.
        settings: its settings module.
        django: it is a Django project.
    """

    name: str
    values: dict[str, Any]
    change: Callable[[Path, int], None]
    bare: bool = False
    copied: bool = False
    warm: int = 0
    in_helper: tuple[str, ...] = IN_HELPER
    files: dict[str, str] = field(default_factory=dict)
    settings: str = projects.SETTINGS
    django: bool = True


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
        # Nothing is installed by pip: that takes most of a first deploy, and is met in "everything".
        Scenario(
            "first",
            {"web_server": "command", "web_command": json.dumps(["server.py", "%HTTP_PLATFORM_PORT%"])},
            _another_page,
            bare=True,
            copied=True,
            in_helper=IN_HELPER_ONCE,
            files={"server.py": SERVER, "requirements.txt": ""},
            django=False,
        ),
        Scenario(
            "everything",
            {"django_keep": 1, "django_migrate": True},
            _everything,
            copied=True,
            in_helper=IN_HELPER_ONCE,
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

    def __init__(self, lab: Lab, address: str, scenario: Scenario, folder: Path, whole: bool = False) -> None:
        self.lab = lab
        self.scenario = scenario
        self.copied = scenario.copied and not whole
        self.folder = folder
        self.project = projects.make(folder / APP, settings=scenario.settings, **scenario.files)
        self.number = 0
        self.environment: dict[str, str] = {}
        """Environment variables of the client, besides those of the lab."""
        self.deployed: dict[str, str] = {}
        """The page of each release that was deployed, by the SHA-256 of its urls.py."""
        self.copies: dict[int, str] = {}
        """The server as it is before each command that changes something; 0: before any."""
        self.statements = (0, 0)
        """How many statements of scripts a deploy comes to, and how many of them are cases."""
        self.met = False
        """Whether what was to happen to the last deploy has happened."""
        self._clients: subprocess.Popen[str] | None = None
        self._data = ""
        self._is_copy = False
        self._begins = 0
        self._is_at(lab.name(address), address)

    def _is_at(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        self.drive = self.lab.state / "hosts" / host / "C"
        self.root = self.drive / "inetpub" / APP

    # -- deploys --------------------------------------------------------------------------------------------------

    def change(self) -> str:
        """Make the project another one; returns its page."""
        self.number += 1
        self.scenario.change(self.project, self.number)
        text = (self.project / "shop/urls.py").read_bytes()
        self.deployed[hashlib.sha256(text).hexdigest()] = f"page {self.number}"
        return f"page {self.number}"

    def deploy(self, file: str = "", **plan: Any) -> tuple[int, str]:
        """A deploy to which something happens, or nothing; its exit code (negative: killed) and output."""
        flags = Path(tempfile.mkdtemp(dir=self.folder))
        kind = "django" if self.scenario.django else "web"
        file = file or f"deploys/{'django_iis' if self.scenario.django else 'python_web'}.py"
        values = {
            f"{kind}_project": self.project,
            f"{kind}_bindings": f"*:{PORT}:",
            # Long enough for a deploy that is looked at.
            f"{kind}_health": json.dumps({"timeout": 240}),
            "winrm_reconnect_timeout": 1,
        }
        data = [
            item for key, value in {**values, **self.scenario.values}.items() for item in ("--data", f"{key}={value}")
        ]
        line = {
            "arguments": [self._inventory(), file, "-y", *data],
            "plan": {"host": self.host, "flags": str(flags), **plan},
            "environment": self.environment,
            "output": str(flags / "output"),
        }
        code = self._ask_client(json.dumps(line))
        self.met = (flags / "reached").exists()
        return code, (flags / "output").read_text(errors="replace")

    def _inventory(self) -> str:
        """What inventories/lab.py says, for the server in question: it is asked once, not by each client."""
        if not self._data:
            command = [sys.executable, "-c", INVENTORY]
            environment = {**self.lab.environment, "WINLAB_HOSTS": ""}  # as many as there are
            run = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            data = json.loads(run.stdout)
            data |= {f"web_{name}": data[f"django_{name}"] for name in ("python", "handler")}
            self._data = json.dumps(data)
        path = self.folder / "inventory.py"
        path.write_text(f"import json\nlab = (['@winrm/{self.address}'], json.loads({self._data!r}))\n")
        return str(path)

    def _ask_client(self, line: str) -> int:
        if self._clients is None:
            self._clients = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.crashing"],
                env=self.lab.environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            weakref.finalize(self, _end, self._clients)
        assert self._clients.stdin and self._clients.stdout
        self._clients.stdin.write(line + "\n")
        self._clients.stdin.flush()
        return int(self._clients.stdout.readline())

    def prepare(self, command: int = 0, back: int = 0) -> None:
        """The server as it is before a deploy of this scenario, or, where servers are copied, before one of its commands, or so many further back."""
        if self.copies:
            if self._is_copy:
                self._put_down(self.host)
            self._begins = sorted(number for number in self.copies if number <= command)[-1 - back]
            self._is_at(*self._copy(self.copies[self._begins]))
            self._is_copy = True
        elif self.scenario.bare:
            self.lab.winlab("reset", self.host)
        elif not self.number:
            self.change()
            code, output = self.deploy()
            assert code == 0, output

    def _copy(self, host: str) -> tuple[str, str]:
        """Another server like one; its name and address."""
        drive = self.lab.state / "hosts" / host / "C"
        shared = [folder for folder in SHARED if (drive / folder[3:].replace("\\", "/")).is_dir()]
        count = len(daemon.call(self.lab.state, "status")["hosts"]) + 1
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = cli.main(
                [
                    *("up", "--state", str(self.lab.state), "--hosts", str(count), "--like", host, "--json"),
                    *[word for folder in shared for word in ("--share", folder)],
                ]
            )
        assert code == 0, output.getvalue()
        made = json.loads(output.getvalue())["hosts"][-1]
        return made["name"], made["address"]

    def _put_down(self, host: str) -> None:
        """A server that is not needed any more, or only to be copied."""
        daemon.call(self.lab.state, "reboot", hosts=[host], seconds=FOREVER)
        deadline = time.monotonic() + 30
        while self._state_of(host) != "down" and time.monotonic() < deadline:
            time.sleep(0.05)
        if host not in self.copies.values():
            shutil.rmtree(self.lab.state / "hosts" / host, ignore_errors=True)

    def _state_of(self, name: str) -> str:
        hosts = daemon.call(self.lab.state, "status")["hosts"]
        return str(next(host["state"] for host in hosts if host["name"] == name))

    # -- where something can happen ---------------------------------------------------------------------------------

    def cases(self, looked: bool = False) -> list[Case]:
        """Every mishap at every step of this scenario's deploy, as a deploy without one shows them.

        Args:
            looked: look at the server at each statement, and leave those out between which nothing changes; it takes minutes.
        """
        self.prepare()
        for _ in range(self.scenario.warm):
            self.change()
            self.deploy()
        self.change()
        trace = self.folder / "trace"
        trace.write_text("")
        copies = {0: self._copy(self.host)[0]} if self.copied else {}
        self._switch(f"disk-free={PLENTY}")
        with self._looked_at(looked) as worlds:
            code, output = self.deploy(trace=str(trace), copies=SHARED if self.copied else (), looked=looked)
        left = int((self.drive.parent / ".python/free-space").read_text())
        self._switch("disk-free=off")
        assert code == 0, output
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        self.copies = copies | {line["command"]: line["copy"] for line in lines if "copy" in line}
        for name in self.copies.values():
            self._put_down(name)
        ran = _telling_statements(worlds) if looked else _by_command(worlds)
        self.statements = (len(worlds), sum(map(len, ran.values())))
        return [*_cases(lines, left, ran, self.scenario.in_helper)]

    def _switch(self, switch: str) -> None:
        daemon.call(self.lab.state, "set", hosts=[self.host], switches=[switch])

    @contextmanager
    def _looked_at(self, looked: bool) -> Iterator[dict[tuple[int, int], str]]:
        """Looks at the server at each statement that a traced deploy comes to; gives what it was like, by command and statement, in order."""
        folder = self.drive / "Windows/Temp/crash"
        folder.mkdir(parents=True)
        worlds: dict[tuple[int, int], str] = {}
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.01):
                for path in folder.glob("*.*"):
                    command, _, number = path.name.partition(".")
                    if number.isdigit() and (int(command), int(number)) not in worlds:
                        worlds[int(command), int(number)] = self._world(folder)
                        path.with_name(path.name + ".go").touch()

        thread = threading.Thread(target=look)
        if looked:
            thread.start()
        try:
            yield worlds
        finally:
            stop.set()
            if looked:
                thread.join()
            else:
                for path in folder.iterdir():
                    command, number = map(int, path.name.split("."))
                    worlds[command, number] = ""
            shutil.rmtree(folder)

    def _world(self, left_out: Path) -> str:
        """What the server is like: which files there are, when each was written, and which programs were started."""
        # GNU find: there are thousands of files, and hundreds of looks. What has its final name of Pythons and environments is not looked into: the
        # helper and Python's installation work below other names.
        whole = ["-regex", r".*/\(C/Python\|venvs\)/[^/]*", "!", "-name", "*.partial", "!", "-name", "*.old"]
        skip = [["-path", str(left_out)], ["-path", str(self.drive.parent / ".python/free-space")]]
        command = ["find", str(self.drive.parent), *skip[0], "-prune", "-o", *skip[1], "-o"]
        # When a folder was written counts unless it is the one of the marks.
        command += ["-path", str(left_out.parent), "-printf", "%p %i %m\\n", "-o"]
        command += ["-printf", "%p %i %s %m %T@\\n", *whole, "-prune"]
        found = subprocess.run(command, capture_output=True, check=False).stdout
        digest = hashlib.sha256(b"\n".join(sorted(found.split(b"\n"))))
        programs = daemon.call(self.lab.state, "stats", hosts=[self.host], reset=False)["total"]["programs"]
        digest.update(json.dumps(programs, sort_keys=True).encode())
        return digest.hexdigest()

    # -- one case -----------------------------------------------------------------------------------------------------

    def run(self, case: Case) -> Result:
        """Let the mishap happen to a deploy, look at what it left, deploy again, look again."""
        result = self._run(case)
        earlier = sum(0 < number <= case.point.command for number in self.copies)
        # A command may follow from one that the copy has behind it: it is met by a deploy that begins before that one.
        return result if result.met or result.wrong or earlier < 1 else self._run(case, back=1)

    def _run(self, case: Case, back: int = 0) -> Result:
        started = time.monotonic()
        self.prepare(case.point.command, back)
        before = self.page(wait=True) if not self.scenario.bare else ""
        page = f"page {self.number}" if self.copies else self.change()
        with visitors(self.address, not self.scenario.bare) as failed:
            code, output = self.interrupted(case)
        met, point = self.met, case.point
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
            round(time.monotonic() - started, 1), "; ".join(wrong), met, not self.copies,
        )  # fmt: skip

    def interrupted(self, case: Case) -> tuple[int, str]:
        """A deploy with a mishap."""
        point = case.point
        plan: dict[str, Any] = {"command": point.command, "name": point.name, "kind": point.kind, "step": point.step}
        if self._begins:
            plan["begins"] = self._begins
        plan["how"] = (
            f"disk-free={case.bytes}" if case.mishap == "disk full" else SWITCHES.get(case.mishap, case.mishap)
        )
        try:
            return self.deploy(**plan)
        finally:
            self._switch("clear")

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
                yield from _damages_of_environment(folder, "django" if self.scenario.django else "")

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


def _damages_of_environment(folder: Path, package: str) -> Iterator[str]:
    packages = folder / "Lib/site-packages"
    if not (folder / "Scripts/python.exe").is_file() or not (packages / package).is_dir():
        yield f"virtual environment {folder.name} is not complete"
    for record in packages.glob("*.dist-info/RECORD"):
        for line in record.read_text().splitlines():
            name, digest, size = line.rsplit(",", 2)
            file = packages / name
            if digest and (not file.is_file() or file.stat().st_size != int(size)):
                yield f"{name} of virtual environment {folder.name} is not whole"


def _end(clients: subprocess.Popen[str]) -> None:
    assert clients.stdin and clients.stdout
    clients.stdin.close()
    clients.wait()
    clients.stdout.close()


def _by_command(places: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for command, number in sorted(places):
        found.setdefault(command, []).append(number)
    return found


def _telling_statements(worlds: dict[tuple[int, int], str]) -> dict[int, list[int]]:
    """Of each command's statements the first, the last, and each before which the server has changed since the one before."""
    found: dict[int, list[int]] = {}
    places = list(worlds)
    for index, (command, number) in enumerate(places):
        ends = {places[near][0] if 0 <= near < len(places) else None for near in (index - 1, index + 1)} != {command}
        if ends or worlds[places[index - 1]] != worlds[command, number]:
            found.setdefault(command, []).append(number)
    return found


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
            step = Point(command, name, "python", number + 1, _NAMES.sub("ID", steps[number]))
            starts = steps[number].startswith("start ")
            yield from (Case(step, mishap) for mishap in (IN_HELPER if starts else in_helper))
            if starts:
                yield Case(step, "child killed")
        for number in ran.get(command, []):
            yield Case(
                Point(command, name, "powershell", number, statements[command][number - 1][:60]), "powershell killed"
            )


def _telling(steps: list[str]) -> list[int]:
    """Of steps of one kind in a row the first, one in the middle and the last."""
    kinds = [re.sub(r"(\.partial|\.json|\.zip).*", r"\1", re.sub("^rmdir ", "remove ", step)) for step in steps]
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
        whole = sum(row.whole for row in rows)
        lines.append(
            f"\n{len(rows)} cases, {whole} of them from the scenario's beginning; {sum(bool(row.wrong) for row in rows)} went wrong."
        )
        lines += [f"- {row.mishap} at {row.point}: {row.wrong}" for row in rows if row.wrong]
    return "\n".join(lines)


def _cell(cell: list[Result]) -> str:
    wrong = sum(bool(row.wrong) for row in cell)
    late = sum(not row.met and not row.wrong for row in cell)
    counts = {"{} ok": len(cell) - wrong - late, "{} too late": late, "**{} wrong**": wrong}
    return ", ".join(text.format(count) for text, count in counts.items() if count)


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
    parser.add_argument(
        "--whole", action="store_true", help="no case begins with a copy of a server made before its step"
    )
    parser.add_argument("--network", default="127.0.63", help="of the lab")
    given = parser.parse_args()
    if not given.table:
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(Path(folder) / "lab", given.network, 1)
            try:
                for name in given.scenario or SCENARIOS:
                    _try(Trial(lab, lab.addresses[0], SCENARIOS[name], Path(folder, name), given.whole), given)
            finally:
                lab.down()
    if given.list:
        return 0
    results = _known(given.results)
    print(table(results))
    return int(any(result.wrong for result in results))


def _try(trial: Trial, given: argparse.Namespace) -> None:
    cases = [case for case in trial.cases(looked=True) if re.search(given.only, f"{case.mishap} at {case.point}")]
    part, parts = map(int, given.part.split("/"))
    done = Counter((result.scenario, result.point, result.mishap) for result in _known(given.results))
    print(
        f"{trial.scenario.name}: {len(cases)} cases, {trial.statements[1]} of them at one of {trial.statements[0]} statements",
        file=sys.stderr,
    )
    chosen = cases[part - 1 :: parts]
    # A run that is broken off has tried some from everywhere.
    for case in [case for first in range(SPREAD) for case in chosen[first::SPREAD]]:
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
