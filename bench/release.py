"""What releases cost: the first upload, one changed file, a rollback, a scan of a large project, and a switch under load."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from pyinfra_iis.release.project import DjangoProject
from pyinfra_iis.release.release import make
from pyinfra_iis.release.scan import Hashes
from pyinfra_iis.settings import DjangoSettings, build
from tests.labkit import Lab
from tests.pyinfra_iis import projects

FILES, BYTES = 2000, 20_000_000
SCANNED = 20_000
RATE = 50
URLS = """\
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("ok"))]
"""


def run() -> dict[str, Any]:
    """The figures by key; see `docs/benchmarks.md`."""
    figures = {"release.scan_ratio": _scan_ratio()}
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "state", "127.0.62", 1)
        try:
            figures |= _releases(lab, _large_project(Path(folder) / "project"))
        finally:
            lab.down()
    return figures


def _large_project(folder: Path) -> Path:
    project = projects.make(folder, **{"shop/urls.py": URLS})
    source = random.Random(1)
    size = BYTES // FILES
    for index in range(FILES):
        target = project / "assets" / f"{index % 40:02}" / f"{index:04}.bin"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.randbytes(size))
    (project / "assets/small.bin").write_bytes(source.randbytes(2048))
    return project


def _releases(lab: Lab, project: Path) -> dict[str, Any]:
    address = lab.addresses[0]
    prepared = projects.make(project.parent / "prepared", **{"shop/urls.py": URLS})
    _run(lab, django_project=prepared, django_app="project")
    (prepared / "shop/urls.py").write_text(URLS + "# changed\n")
    _run(lab, django_project=prepared, django_app="project")

    before = _sent(lab)
    _run(lab, django_project=project)
    first = _difference(before, _sent(lab))
    archive = len(make(build({"project": project}, DjangoSettings)).archive())

    (project / "assets/small.bin").write_bytes(random.Random(2).randbytes(2048))
    # The first of the four releases is removed by the way.
    before = _sent(lab)
    _run(lab, django_project=project, django_keep=3)
    one_file = _difference(before, _sent(lab))

    # Twice, as there are two releases to go back to; the better one counts, the machine does other things too.
    lab.winlab("set", "rtt=30")
    rollbacks = [_rollback(lab, project, address) for _ in range(2)]
    lab.winlab("set", "clear")

    first_version = _switch_under_load(lab, project, address)
    handler = {"version": "2.0", "url": lab.status["artifacts"] + "httpbridge_x64.msi", "replace": True}
    handler["sha256"] = lab.artifact_sums()["httpbridge_x64.msi"]
    newer = {"django_handler": json.dumps(handler)}
    _run(lab, django_project=project, **newer)
    second_version = _switch_under_load(lab, project, address, **newer)
    return {
        "release.first.extra_requests": round(first["requests"] - 2.9 * archive / (1 << 20)),
        "release.one_file.bytes_sent": one_file["bytes_in"],
        "release.one_file.requests": one_file["requests"],
        "release.rollback.requests": min(requests for requests, _ in rollbacks),
        "release.rollback.seconds": round(min(seconds for _, seconds in rollbacks), 2),
        **{f"release.switch.{key}_v1": value for key, value in first_version.items()},
        **{f"release.switch.{key}_v2": value for key, value in second_version.items()},
    }


def _rollback(lab: Lab, project: Path, address: str) -> tuple[int, float]:
    before = _sent(lab)
    started = time.monotonic()
    _run(lab, deploy="deploys/rollback.py", django_project=project)
    while visit(address)[0] != 200:
        time.sleep(0.05)
    return _difference(before, _sent(lab))["requests"], time.monotonic() - started


def _run(lab: Lab, **values: Any) -> None:
    result = lab.pyinfra(lab.addresses[0], **values)
    if result.code:
        raise RuntimeError(result.output)


def _sent(lab: Lab) -> dict[str, int]:
    return lab.stats(lab.addresses[0])


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {key: after[key] - before[key] for key in ("requests", "bytes_in")}


def visit(address: str) -> tuple[int, float]:
    """One request to the site: its status (0: no answer) and the seconds it took."""
    started = time.monotonic()
    connection = http.client.HTTPConnection(address, 8014, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status, time.monotonic() - started
    except OSError:
        return 0, time.monotonic() - started
    finally:
        connection.close()


def _switch_under_load(lab: Lab, project: Path, address: str, **values: Any) -> dict[str, Any]:
    """Requests at a steady rate while a new release goes live: how many, how many failed, the longest wait in seconds."""
    with (project / "shop/urls.py").open("a") as urls:
        urls.write("# changed\n")
    seen: list[tuple[int, float]] = []
    stop = threading.Event()
    visitors: list[threading.Thread] = []

    def load() -> None:
        due = time.monotonic()
        while not stop.is_set():
            visitors.append(threading.Thread(target=lambda: seen.append(visit(address)), daemon=True))
            visitors[-1].start()
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))

    source = threading.Thread(target=load)
    source.start()
    try:
        _run(lab, django_project=project, **values)
        time.sleep(1)
    finally:
        stop.set()
        source.join()
        for visitor in visitors:
            visitor.join(30)
    return {
        "requests": len(visitors),
        "failed": len(visitors) - sum(status == 200 for status, _ in seen),
        "longest": round(max(seconds for _, seconds in seen), 2),
    }


def _scan_ratio() -> float:
    """Time to hash and compare an unchanged project, relative to `git status` on the same tree, both warm."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        for index in range(SCANNED):
            target = root / f"{index % 200:03}" / f"file{index:05}.txt"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(f"{index}\n")

        def git(*arguments: str) -> None:
            subprocess.run(["git", *arguments], cwd=root, check=True, stdout=subprocess.DEVNULL)

        git("init", "-q")
        git("add", "-A")
        time.sleep(2.5)
        projects.make(root)
        settings = build({"project": root}, DjangoSettings)
        cache = Path(folder) / "cache"

        def scan() -> None:
            DjangoProject(settings, Hashes(root, cache)).files  # noqa: B018

        def status() -> None:
            git("status", "--porcelain")

        scan()
        status()
        pairs = [(_time(scan), _time(status)) for _ in range(7)]
        return round(min(mine for mine, _ in pairs) / min(git for _, git in pairs), 2)


def _time(action: Any) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
