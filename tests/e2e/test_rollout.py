"""Rollouts over a fleet on the lab: releases that are only seen to be broken when they are live, hosts that drop out, hooks, records.

The application is the smallest that there is (wsgiref, no packages), and the servers are copies of one that was deployed to. ROLLOUT_HOSTS=20 runs
everything on 20 servers; the default is a selection on 6.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.labkit import BIN, ROOT, Lab, Run, get
from tests.pyinfra_iis import projects

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("rollout")]

HOSTS = int(os.environ.get("ROLLOUT_HOSTS", "6"))
PORT = 8061
FULL = pytest.mark.skipif(
    "ROLLOUT_HOSTS" not in os.environ, reason="takes minutes; ROLLOUT_HOSTS=20 runs it, on 20 servers"
)

SERVE = """\
import sys
from importlib import import_module
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

module, _, name = sys.argv[1].partition(":")


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


make_server("127.0.0.1", int(sys.argv[2]), getattr(import_module(module), name), server_class=Server).serve_forever()
"""
GOOD = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{word}"]
"""
# Started by an administrator, as every trial is, it works; behind IIS it runs as the pool's identity, which may not write there.
BAD = """\
from pathlib import Path


def app(environ, start_response):
    with (Path(__file__).parents[2] / "shared" / "visits.txt").open("a") as visits:
        visits.write("{word}\\n")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{word}"]
"""
INVENTORY = """\
import json, os, subprocess, sys
up = subprocess.run([sys.executable, "-m", "winlab", "status", "--json"], stdout=subprocess.PIPE, check=True)
lab = json.loads(up.stdout)
{code}
fleet = ([f"@winrm/{{host['address']}}" for host in lab["hosts"]] + {more!r}, {{
    "winrm_user": lab["user"], "winrm_password": lab["password"], "winrm_reconnect_timeout": 4, "winrm_connect_timeout": 3,
    **{data!r}, {rollout}
}})
"""


@dataclass
class Fleet:
    """A lab whose servers all serve the same release, and the ways to roll another one out."""

    lab: Lab
    folder: Path
    data: dict[str, Any]

    @property
    def project(self) -> Path:
        return self.folder / "fleet"

    @property
    def records(self) -> Path:
        return self.folder / "rollouts"

    def write(self, text: str, word: str) -> None:
        (self.project / "main.py").write_text(text.format(word=word))

    def run(
        self,
        *options: str,
        code: str = "",
        more: tuple[str, ...] = (),
        rollout: dict[str, Any] | None = None,
        hooks: str = "",
        yes: bool = True,
        interrupt: Sequence[str] = (),
        **data: Any,
    ) -> Run:
        """Run the deploy with an inventory of its own.

        Args:
            options: pyinfra's.
            code: put into the inventory.
            more: names of further hosts.
            rollout: the setting.
            hooks: more of it, as the inventory's text.
            yes: without asking.
            interrupt: texts; when one has been printed, Ctrl-C is pressed, and then the next one is waited for.
            data: further host data.
        """
        shutil.rmtree(self.records, ignore_errors=True)
        inventory = self.folder / "fleet_inventory.py"
        settings = (
            f'"web_rollout": {{**{ {"record": str(self.records), **rollout}!r}, {hooks}}}'
            if rollout is not None
            else ""
        )
        inventory.write_text(INVENTORY.format(code=code, more=list(more), data={**self.data, **data}, rollout=settings))
        command = [str(BIN / "pyinfra"), str(inventory), "deploys/python_web.py", *(["-y"] if yes else []), *options]
        process = subprocess.Popen(
            command, env=self.lab.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        timer = threading.Timer(280, process.kill)
        timer.start()
        assert process.stdout is not None
        output, waiting = "", list(interrupt)
        for line in process.stdout:
            output += line
            if waiting and waiting[0] in line:
                waiting.pop(0)
                process.send_signal(signal.SIGINT)
        timer.cancel()
        return Run(process.wait(), output)

    def served(self) -> list[str]:
        """What each server answers."""
        return [get(address, "/", PORT)[2] for address in self.lab.addresses]

    def record(self) -> dict[str, Any]:
        paths = list(self.records.glob("*/rollout.json"))
        assert len(paths) == 1, "no record was written; did the run begin?"
        path = paths[0]
        assert path.with_suffix(".html").is_file()
        return json.loads(path.read_text(encoding="utf-8"))

    def outcomes(self) -> list[str]:
        """What became of each server of the lab, in its order."""
        found = {host["name"].rpartition("/")[2]: host["outcome"] for host in self.record()["hosts"]}
        return [found[address] for address in self.lab.addresses]

    def limited(self, *numbers: int) -> list[str]:
        """pyinfra's options for some servers only, the first is 0."""
        return [item for number in numbers for item in ("--limit", f"@winrm/{self.lab.addresses[number]}")]

    def health(self, count: int) -> list[int]:
        """What the first servers' health paths answer."""
        return [get(address, "/health", PORT)[0] for address in self.lab.addresses[:count]]

    def may_write(self, address: str) -> None:
        """What an administrator did by hand on some of the servers."""
        self.lab.cmd(address, r'icacls C:\inetpub\fleet\shared /grant "IIS AppPool\fleet:(OI)(CI)M"')


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("rollout")
    network = f"127.{random.randint(10, 19)}.{random.randint(1, 250)}"
    lab = Lab(folder / "lab", network, 1)
    (folder / "fleet").mkdir()
    (folder / "fleet" / "serve.py").write_text(SERVE)
    python = ".".join(map(str, sys.version_info[:3]))
    sums = lab.artifact_sums()
    data = {
        "web_project": str(folder / "fleet"), "web_application": "main:app", "web_interface": "wsgi", "web_server": "command",
        "web_command": ["-m", "serve", "pyinfra_iis_gate:application", "%HTTP_PLATFORM_PORT%"],
        "web_bindings": [f"*:{PORT}:"], "web_health": {"path": "/health", "timeout": 8},
        "web_python": {"url": lab.status["artifacts"] + f"python-{python}-amd64.zip", "sha256": sums[f"python-{python}-amd64.zip"], "version": python},
        "web_handler": {"url": lab.status["artifacts"] + "httpPlatformHandler_amd64.msi", "sha256": sums["httpPlatformHandler_amd64.msi"]},
    }  # fmt: skip
    made = Fleet(lab, folder, data)
    made.write(GOOD, "good")
    run = made.run()
    assert run.code == 0, run.output
    lab.winlab("up", "--hosts", str(HOSTS), "--like", "SRV1", "--share", r"C:\Python")
    lab.status = json.loads(lab.winlab("status", "--json"))
    yield made
    lab.down()


@contextmanager
def visitors(fleet: Fleet) -> Iterator[dict[str, int]]:
    """Visitors behind a load balancer that asks every server's health path and sends nobody to one that does not answer 200."""
    healthy = set(fleet.lab.addresses)
    counted = {"asked": 0, "failed": 0, "turned away": 0}
    stop = threading.Event()

    def watch(address: str) -> None:
        while not stop.wait(0.2):
            try:
                good = get(address, "/health", PORT)[0] == 200
            except OSError:
                good = False
            (healthy.add if good else healthy.discard)(address)
            counted["turned away"] += not good

    def visit() -> None:
        while not stop.wait(0.03):
            address = random.choice(sorted(healthy))
            try:
                status = get(address, "/", PORT)[0]
            except OSError:
                status = 0
            counted["asked"] += 1
            counted["failed"] += status != 200

    threads = [threading.Thread(target=watch, args=[address]) for address in fleet.lab.addresses]
    threads += [threading.Thread(target=visit) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        stop.set()
        for thread in threads:
            thread.join()


WAVES = {"canary": 1, "waves": [2, "50%"], "drain": 1}


def test_a_dry_run_prints_the_waves_and_changes_nothing(fleet: Fleet) -> None:
    fleet.write(GOOD, "planned")
    before = [fleet.lab.hash(address) for address in fleet.lab.addresses[:2]]
    run = fleet.run("--dry", rollout=WAVES, yes=False)
    assert run.code == 0, run.output
    first, *others = fleet.lab.addresses
    assert f"wave 1 (canary): {first}\n" in run.output
    assert f"wave 2: {', '.join(others[:2])}\n" in run.output
    assert re.search(rf"Go live, wave 1 \(canary\) +1 \(@winrm/{first}\)", run.output), run.output
    assert not fleet.records.exists()
    assert [fleet.lab.hash(address) for address in fleet.lab.addresses[:2]] == before


def test_a_release_that_only_fails_live_stops_at_the_canary(fleet: Fleet) -> None:
    before = fleet.served()
    fleet.write(BAD, "broken")
    with visitors(fleet) as counted:
        run = fleet.run(rollout=WAVES)
    assert run.code == 1, run.output
    assert "stopped: the canary" in run.output
    assert "PermissionError" in run.output
    assert fleet.outcomes() == ["failed"] + ["untouched"] * (HOSTS - 1)
    assert fleet.served() == before
    assert counted["asked"] > 50 and counted["turned away"] > 0
    assert counted["failed"] == 0, (counted, run.output)
    record = fleet.record()
    assert record["stopped"].startswith("the canary ")
    canary = record["hosts"][0]
    assert canary["runs"] == canary["old"] != canary["new"]
    assert "answers 500" in canary["reason"]
    assert [step["name"] for step in canary["steps"] if step["turn"]] == [
        "drain", f"switch {canary['old']} -> {canary['new']}",
    ]  # fmt: skip
    assert not [step for host in record["hosts"][1:] for step in host["steps"] if step["turn"]]


def test_a_release_that_fails_in_the_second_wave_is_taken_back_from_the_first(fleet: Fleet) -> None:
    before = fleet.served()
    for address in fleet.lab.addresses[:2]:
        fleet.may_write(address)
    fleet.write(BAD, "half broken")
    with visitors(fleet) as counted:
        run = fleet.run(rollout=WAVES)
    assert run.code == 1, run.output
    assert fleet.outcomes() == ["back", "back", "failed"] + ["untouched"] * (HOSTS - 3), run.output
    assert fleet.served() == before
    assert counted["failed"] == 0, (counted, run.output)
    assert "1 host failed in its turn, 0 may" in fleet.record()["stopped"]
    assert fleet.lab.password not in (next(fleet.records.glob("*/rollout.html"))).read_text()


@FULL
def test_a_server_that_restarts_while_it_drains_stops_nobody_else(fleet: Fleet) -> None:
    fleet.write(GOOD, "restarted")
    victim = fleet.lab.addresses[1]
    command = f"sleep 1; {sys.executable} -m winlab reboot {fleet.lab.name(victim)} --seconds 15"
    code = f"""
def restart(event):
    if event.host == {victim!r}:
        subprocess.Popen(["sh", "-c", {command!r}])
"""
    run = fleet.run(
        *fleet.limited(0, 1, 2), code=code, hooks='"before": restart', rollout={"waves": [2], "budget": 1, "drain": 6}
    )
    assert run.code == 1 and "Traceback" not in run.output, run.output
    hosts = fleet.record()["hosts"]
    assert [host["outcome"] for host in hosts] in (["live", "failed", "live"], ["live", "unknown", "live"]), run.output
    assert not [step for step in hosts[1]["steps"] if step["name"].startswith("switch") and step["result"] == "done"]
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError):
            if get(victim, "/", PORT)[2] == fleet.served()[3]:
                break
        assert time.monotonic() < deadline
        time.sleep(0.5)
    # Nobody could end its drain, which ends by itself after a while; the next turn ends it at once.
    run = fleet.run(*fleet.limited(0, 1, 2), rollout={"drain": 1})
    assert run.code == 0, run.output
    assert fleet.health(3) == [200] * 3


@FULL
def test_kept_where_that_is_asked_for_and_within_the_budget_others_go_on(fleet: Fleet) -> None:
    for address in fleet.lab.addresses[:2]:
        fleet.may_write(address)
    fleet.write(BAD, "kept")  # the third server still refuses
    run = fleet.run(rollout={"canary": 1, "waves": [2, 1], "budget": 1, "on_failure": "keep"})
    assert run.code == 1, run.output
    # The third failed and was within the budget, the fourth was one too many.
    assert fleet.outcomes() == ["kept", "kept", "failed", "failed"] + ["untouched"] * (HOSTS - 4), run.output
    served = fleet.served()
    assert served[:2] == ["kept", "kept"] and "kept" not in served[2:]


def test_a_server_that_reboots_in_its_turn_and_one_that_is_not_there_stop_nobody_else(fleet: Fleet) -> None:
    """The hook before the switch restarts one server, as an update would."""
    fleet.write(GOOD, "rebooted")
    victim = fleet.lab.addresses[3]
    code = f"""
def restart(event):
    if event.host == {victim!r}:
        subprocess.run([sys.executable, "-m", "winlab", "reboot", {fleet.lab.name(victim)!r}, "--seconds", "15"], check=True)
"""
    absent = fleet.lab.addresses[0].rpartition(".")[0] + ".250"
    began = time.monotonic()
    run = fleet.run(code=code, more=(f"@winrm/{absent}",), hooks='"before": restart', rollout={**WAVES, "budget": 1})
    assert run.code == 1, run.output
    assert "Traceback" not in run.output, run.output
    assert time.monotonic() - began < 120
    last = fleet.record()["hosts"][-1]
    assert last["name"] == f"@winrm/{absent}" and last["outcome"] == "dropped"
    outcomes = fleet.outcomes()
    assert outcomes[3] in ("failed", "unknown"), run.output
    assert outcomes[:3] + outcomes[4:] == ["live"] * (HOSTS - 1), run.output
    deadline = time.monotonic() + 60
    while True:
        try:
            served = fleet.served()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert served[:3] + served[4:] == ["rebooted"] * (HOSTS - 1)
    # The next run brings the one that was away along, and finds nothing else to do.
    run = fleet.run(rollout=WAVES)
    assert run.code == 0, run.output
    assert fleet.outcomes() == ["unchanged"] * 3 + ["live"] + ["unchanged"] * (HOSTS - 4), run.output
    assert set(fleet.served()) == {"rebooted"}


def test_hooks_know_host_and_release_and_one_that_fails_keeps_its_host_as_it_is(fleet: Fleet) -> None:
    fleet.write(GOOD, "hooked")
    log = fleet.folder / "hooks.log"
    victim = fleet.lab.addresses[2]
    hook = f'echo "$PYINFRA_IIS_WHEN $PYINFRA_IIS_HOST $PYINFRA_IIS_RELEASE $PYINFRA_IIS_PREVIOUS $PYINFRA_IIS_OUTCOME" >> {log}; '
    refuse = f'if [ "$PYINFRA_IIS_HOST" = {victim} ]; then echo the balancer says no; exit 3; fi'
    run = fleet.run(
        rollout={"canary": 1, "waves": [2, "100%"], "budget": 1, "pause": 1, "before": hook + refuse, "after": hook}
    )
    assert run.code == 1, run.output
    assert "ended with exit code 3: the balancer says no" in run.output
    assert fleet.outcomes() == ["live", "live", "failed"] + ["live"] * (HOSTS - 3)
    record = fleet.record()
    lines = log.read_text().splitlines()
    for host in record["hosts"]:
        name = host["name"].rpartition("/")[2]
        mine = [line.split() for line in lines if f" {name} " in line]
        assert mine[0] == ["before", name, host["new"], host["old"]]
        assert mine[1:] == ([["after", name, host["new"], host["old"], "live"]] if name != victim else [])
        # After a wave its hosts are asked once more, and so are all that were live before.
        looks = [step["result"] for step in host["steps"] if step["name"] == "look again"]
        assert looks == ["done"] * {1: 2, 2: 1, 3: 0}[host["wave"]] * (name != victim)


def test_without_waiting_there_is_no_rollout(fleet: Fleet) -> None:
    before = fleet.served()
    fleet.write(GOOD, "not waited for")
    run = fleet.run("--no-wait", rollout=WAVES)
    assert run.code == 1 and "with --no-wait no host waits for another" in run.output, run.output
    assert fleet.served() == before


def test_one_at_a_time_and_not_beyond_the_percentage_that_may_fail(fleet: Fleet) -> None:
    """`--limit`, `--parallel` and `--fail-percent` together, on three servers."""
    before = fleet.served()
    fleet.may_write(fleet.lab.addresses[0])
    fleet.write(BAD, "one at a time")  # works on the first
    options = [*fleet.limited(0, 2, 3), "--parallel", "1", "--fail-percent", "30"]
    run = fleet.run(*options, rollout={"budget": "100%"}, web_environment={"SHADE": "blue"})
    assert run.code == 1, run.output
    assert fleet.record()["stopped"] == "over 30% of hosts failed"
    hosts = fleet.record()["hosts"]
    assert [host["outcome"] for host in hosts] == ["back", "failed", "untouched"], run.output
    assert [host["succeeded"] for host in hosts] == [False] * 3
    (variable,) = [item for item in fleet.record()["not_undone"] if "SHADE" in item["what"]]
    assert variable["hosts"] == [fleet.lab.addresses[number] for number in (0, 2, 3)]
    assert f"Not undone on {', '.join(variable['hosts'])}: {variable['what']}" in run.output
    assert fleet.served() == before


def test_after_ctrl_c_no_further_host_is_touched_and_none_stays_drained(fleet: Fleet) -> None:
    before = fleet.served()
    fleet.write(GOOD, "interrupted")
    rollout = {"canary": 1, "waves": [2], "drain": 4}
    run = fleet.run(*fleet.limited(0, 1, 2), rollout=rollout, interrupt=["wave 2, drain"])
    assert run.code == 1, run.output
    assert "Hosts in their turn end it, no further host is touched" in run.output
    assert "Traceback" not in run.output, run.output
    record = fleet.record()
    assert record["stopped"] == "the user has interrupted it"
    assert [host["outcome"] for host in record["hosts"]] == ["back", "untouched", "untouched"], run.output
    assert fleet.served() == before
    assert fleet.health(3) == [200] * 3


@FULL
def test_after_a_second_ctrl_c_the_run_ends_and_the_record_names_who_is_unknown(fleet: Fleet) -> None:
    fleet.write(GOOD, "interrupted twice")
    wait = 'if [ "$PYINFRA_IIS_WAVE" = 2 ]; then sleep 20; fi'
    began = time.monotonic()
    run = fleet.run(
        *fleet.limited(0, 1, 2),
        rollout={"canary": 1, "waves": [2], "before": wait},
        interrupt=["wave 2, hook", "Ctrl-C again"],
    )
    assert run.code == 1, run.output
    assert time.monotonic() - began < 15
    first, second, third = fleet.record()["hosts"]
    assert (first["outcome"], second["outcome"]) == ("kept", "unknown"), run.output
    assert "the run ended in the middle of its turn (hook before)" in second["reason"]
    assert third["outcome"] in ("untouched", "unknown"), run.output
    run = fleet.run(*fleet.limited(0, 1, 2), rollout={})
    assert run.code == 0, run.output
    assert fleet.served()[:3] == ["interrupted twice"] * 3


@FULL
def test_host_by_host_in_the_order_of_the_plan(fleet: Fleet) -> None:
    before = fleet.served()
    fleet.write(GOOD, "serial")
    hosts = fleet.lab.addresses[:3]
    canary = hosts[2]
    run = fleet.run("--serial", *fleet.limited(0, 1, 2), rollout={"canary": [canary], "waves": [1]})
    assert run.code == 0, run.output
    turns = re.findall(r"\[@winrm/(\S+)\] +wave (\d), switch \S+ -> \S+$", run.output, re.MULTILINE)
    assert [turn[0] for turn in turns] == [canary, hosts[0], hosts[1]], run.output
    assert fleet.served()[:3] == ["serial"] * 3 and fleet.served()[3:] == before[3:]


@FULL
def test_with_serial_too_a_failure_takes_the_others_back(fleet: Fleet) -> None:
    before = fleet.served()
    for address in fleet.lab.addresses[:2]:
        fleet.may_write(address)
    hosts = fleet.lab.addresses[:4]
    fleet.write(BAD, "serial broken")  # works on the first two
    run = fleet.run("--serial", *fleet.limited(0, 1, 2, 3), rollout={"canary": 1, "waves": [1]})
    assert run.code == 1, run.output
    found = {host["name"].rpartition("/")[2]: host["outcome"] for host in fleet.record()["hosts"]}
    assert [found[address] for address in hosts] == ["back", "back", "failed", "untouched"], run.output
    assert fleet.served() == before


MIGRATION = """\
from pathlib import Path
from django.conf import settings
from django.db import migrations

def mark(apps, editor):
    with (Path(settings.DATABASES["default"]["NAME"]).parent / "migrated.txt").open("a") as marks:
        marks.write("{name}\\n")
    {last}

class Migration(migrations.Migration):
    dependencies = [{needs}]
    operations = [migrations.RunPython(mark)]
"""


def migration(project: Path, name: str, needs: str = "", last: str = "") -> None:
    """Let a project have a migration that writes its name to a file beside the database of its server."""
    text = MIGRATION.format(name=name, needs=f"('shop', '{needs}')" if needs else "", last=last)
    (project / f"shop/migrations/{name}.py").write_text(text)


@FULL
def test_a_fleet_of_five_is_migrated_once_before_any_host_switches(tmp_path: Path) -> None:
    """Each server has a database of its own here, so the file beside it tells which of them have been migrated, and how often."""
    lab = Lab(tmp_path / "lab", f"127.{random.randint(10, 19)}.{random.randint(1, 250)}", 1)
    try:
        settings = projects.SETTINGS.replace('staticfiles"]', 'staticfiles", "shop"]')
        project = projects.make(tmp_path / "five", settings=settings, **{"shop/migrations/__init__.py": ""})
        records = tmp_path / "rollouts"
        data: dict[str, Any] = {
            "django_project": project, "django_migrate": True, "django_bindings": "*:8062:", "django_health": json.dumps({"path": "/", "status": 404}),
            "django_rollout": json.dumps({"canary": 1, "waves": [2], "record": str(records)}),
        }  # fmt: skip
        run = lab.pyinfra(**data)
        assert run.code == 0, run.output
        shared = ["--share", r"C:\Python", "--share", r"C:\inetpub\five\venvs"]
        lab.winlab("up", "--hosts", "5", "--like", "SRV1", *shared)
        lab.status = json.loads(lab.winlab("status", "--json"))
        lab.environment["WINLAB_HOSTS"] = "5"

        def marks() -> list[list[str]]:
            name = r"C:\inetpub\five\shared\data\migrated.txt"
            return [lab.cmd(address, f"if exist {name} (type {name})").split() for address in lab.addresses]

        def last_record() -> dict[str, Any]:
            return json.loads(max(records.glob("*/rollout.json")).read_text())

        migration(project, "0001_first")
        run = lab.pyinfra(**data)
        assert run.code == 0, run.output
        assert marks() == [["0001_first"], [], [], [], []]
        assert [host["outcome"] for host in last_record()["hosts"]] == ["live"] * 5
        (migrated,) = [
            step
            for step in last_record()["hosts"][0]["steps"]
            if step["name"].startswith("Migrate") and step["result"] == "done"
        ]
        switches = [step["started"] for host in last_record()["hosts"] for step in host["steps"] if step["turn"]]
        assert len(switches) == 5 and migrated["ended"] <= min(switches)

        migration(project, "0002_fails", needs="0001_first", last="raise ValueError('the table is full')")
        run = lab.pyinfra(**data)
        assert run.code == 1 and "the table is full" in run.output
        assert marks() == [["0001_first", "0002_fails"], [], [], [], []]
        record = last_record()
        assert record["stopped"].startswith("the database was not migrated on ")
        assert [host["outcome"] for host in record["hosts"]] == ["dropped"] + ["untouched"] * 4
        assert not [step for host in record["hosts"] for step in host["steps"] if step["turn"]]

        # The first server drops out while it is prepared, because a file lies where its uploads go; so the second one migrates.
        (project / "shop/migrations/0002_fails.py").unlink()
        migration(project, "0002_second", needs="0001_first")
        lab.cmd(lab.addresses[0], r"rd /s /q C:\inetpub\five\incoming && echo in the way> C:\inetpub\five\incoming")
        run = lab.pyinfra(**data)
        assert run.code == 1, run.output
        assert [host["outcome"] for host in last_record()["hosts"]] == ["dropped"] + ["live"] * 4, run.output
        assert marks()[1] == ["0001_first", "0002_second"] and marks()[2:] == [[], [], []]
    finally:
        lab.down()
