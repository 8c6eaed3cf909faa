"""What visitors of a fleet notice while a release goes live over it in waves, behind a balancer that looks at the health path."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.labkit import BIN, ROOT, Lab

HOSTS = 40
RATE = 50
DRAIN = 6
LOOK_EVERY = 2
PAGE = "/admin/login/"
# While a server drains its health path is not well, so it is none that visitors use.
HEALTH: dict[str, Any] = {"path": "/admin/", "status": 302}
PORT = 8014


def run() -> dict[str, Any]:
    """The figures by key; see `docs/benchmarks.md`."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "mysite"
        shutil.copytree(ROOT / "examples/mysite", project)
        lab = Lab(Path(folder) / "lab", "127.0.65", 1)
        try:
            data = _data(lab, project)
            _deploy(lab, data)
            _copies(lab)
            with (project / "mysite/urls.py").open("a") as urls:
                urls.write("# changed\n")
            with Visitors(lab.addresses) as visitors:
                _deploy(lab, data)
                time.sleep(1)
            return {
                "fleet.rollout.requests": visitors.asked,
                "fleet.rollout.failed_requests": visitors.failed,
                "fleet.rollout.longest": round(visitors.longest, 2),
            }
        finally:
            lab.down()


def _data(lab: Lab, project: Path) -> dict[str, Any]:
    handler = {"version": "2.0", "url": lab.status["artifacts"] + "httpbridge_x64.msi"}
    handler["sha256"] = lab.artifact_sums()["httpbridge_x64.msi"]
    rollout = {"waves": ["25%"], "drain": DRAIN, "record": ""}
    return {
        "django_project": project,
        "django_handler": json.dumps(handler),
        "django_rollout": json.dumps(rollout),
        "django_health": json.dumps(HEALTH),
    }


def _deploy(lab: Lab, data: dict[str, Any]) -> None:
    given = [item for key, value in data.items() for item in ("--data", f"{key}={value}")]
    command = [str(BIN / "pyinfra"), "inventories/lab.py", "deploys/django_iis.py", "-y", *given]
    done = subprocess.run(command, env=lab.environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _copies(lab: Lab) -> None:
    shared = ["--share", r"C:\inetpub\mysite\venvs", "--share", r"C:\Python"]
    command = [sys.executable, "-m", "winlab", "up", "--json", "--hosts", str(HOSTS), "--like", "SRV1", *shared]
    lab.environment["WINLAB_HOSTS"] = str(HOSTS)
    done = subprocess.run(command, env=lab.environment, cwd=ROOT, check=True, capture_output=True, timeout=600)
    lab.status = json.loads(done.stdout)


class Visitors:
    """Requests at a steady rate to those servers in turn whose health path answers 200."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.healthy: set[str] = set()
        self.asked = self.failed = 0
        self.longest = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Visitors:
        watchers = [threading.Thread(target=self._watch, args=(address,), daemon=True) for address in self.addresses]
        for watcher in watchers:
            watcher.start()
        deadline = time.monotonic() + 300
        while len(self.healthy) < len(self.addresses):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not healthy: {sorted(set(self.addresses) - self.healthy)}")
            time.sleep(0.1)
        self._threads = [threading.Thread(target=self._ask_on, daemon=True), *watchers]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _watch(self, address: str) -> None:
        while not self._stop.wait(LOOK_EVERY):
            (self.healthy.add if _visit(address, HEALTH["path"], 5) == HEALTH["status"] else self.healthy.discard)(
                address
            )

    def _ask_on(self) -> None:
        due = time.monotonic()
        started: list[threading.Thread] = []
        for address in itertools.cycle(self.addresses):
            if self._stop.is_set():
                break
            if address not in self.healthy and self.healthy:
                continue
            started.append(threading.Thread(target=self._ask, args=(address,), daemon=True))
            started[-1].start()
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))
        for thread in started:
            thread.join(60)

    def _ask(self, address: str) -> None:
        began = time.monotonic()
        status = _visit(address, PAGE, 30)
        with self._lock:
            self.asked += 1
            self.failed += status != 200
            self.longest = max(self.longest, time.monotonic() - began)


def _visit(address: str, path: str, timeout: float) -> int:
    """The status of one request; 0: no answer."""
    connection = http.client.HTTPConnection(address, PORT, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:45} {value}")
