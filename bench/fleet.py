"""What a fleet costs: a run over many servers that changes nothing, and what visitors notice of a rollout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.labkit import BIN, ROOT, Lab, get

FLEET = 200
RTT = 30
PORT = 8017
# The smallest site there is: two hundred processes of it must run beside the lab and pyinfra.
SERVE = """\
import http.server, os
class Hello(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
http.server.HTTPServer(("127.0.0.1", int(os.environ["HTTP_PLATFORM_PORT"])), Hello).serve_forever()
"""


def run() -> dict[str, Any]:
    """The figures by key; see `docs/benchmarks.md`."""
    return _noop()


# -- nothing to change ------------------------------------------------------------------------------------------------


def _noop() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "hello"
        project.mkdir()
        (project / "serve.py").write_text(SERVE)
        # Applications wait for a visitor, so that they start a few at a time.
        lab = Lab(Path(folder) / "lab", "127.0.64", 1, "iis-preload=off")
        lab.environment["WINLAB_EXAMPLE"] = "flask"
        try:
            _require(_deploy(lab, project))
            _copies(lab, FLEET)
            _require(_deploy(lab, project))
            lab.winlab("set", f"rtt={RTT}")
            measured = _deploy(lab, project)
            _require(measured, changes=False)
            return {
                "fleet.noop200.seconds": round(measured.seconds - measured.lab_seconds, 1),
                "fleet.noop200.wall_seconds": round(measured.seconds, 1),
                "fleet.noop200.lab_cpu_seconds": round(measured.lab_seconds, 1),
                "fleet.noop200.client_cpu_seconds": round(measured.client_seconds, 1),
                "fleet.noop200.memory_mib": round(measured.memory),
            }
        finally:
            lab.down()


def _copies(lab: Lab, count: int) -> None:
    """The one server that is deployed becomes many. They share packages and Python, which nobody writes to: millions of files otherwise."""
    shared = ["--share", r"C:\inetpub\hello\venvs", "--share", r"C:\Python"]
    lab.environment["WINLAB_HOSTS"] = str(count)
    command = [sys.executable, "-m", "winlab", "up", "--json", "--hosts", str(count), "--like", "SRV1", *shared]
    done = subprocess.run(
        [*command, "iis-preload=off"], env=lab.environment, cwd=ROOT, check=True, capture_output=True, timeout=1200
    )
    lab.status = json.loads(done.stdout)
    # A run asks each site whether it is well; two hundred applications that start at that moment are not what is measured.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_visit, lab.addresses))


def _visit(address: str) -> None:
    status, _, text = get(address, "/", PORT)
    if status != 200:
        raise RuntimeError(f"{address} answers {status}: {text[:500]}")


# -- runs -------------------------------------------------------------------------------------------------------------


@dataclass
class _Measured:
    """A run of pyinfra.

    Attributes:
        seconds: wall time.
        client_seconds, lab_seconds: processor time of pyinfra and of the lab meanwhile.
        memory: the most that pyinfra had in use, in MiB.
    """

    code: int
    output: str
    seconds: float
    client_seconds: float
    lab_seconds: float
    memory: float


def _deploy(lab: Lab, project: Path) -> _Measured:
    """The site, deployed to all servers."""
    values = {
        "web_project": project,
        "web_application": "",
        "web_server": "command",
        "web_bindings": f"*:{PORT}:",
        "web_command": json.dumps(["serve.py"]),
        "web_health": json.dumps({"path": "/", "status": 200}),
    }
    data = [item for key, value in values.items() for item in ("--data", f"{key}={value}")]
    lab_pid = lab.status["pid"]
    with tempfile.TemporaryFile() as output:
        began, before = time.monotonic(), _cpu_seconds(lab_pid)
        process = subprocess.Popen(
            [str(BIN / "pyinfra"), "inventories/lab.py", "deploys/python_web.py", "-y", *data],
            env=lab.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        lab_seconds = _cpu_seconds(lab_pid) - before
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    memory = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return _Measured(process.returncode, text, seconds, usage.ru_utime + usage.ru_stime, lab_seconds, memory)


def _require(measured: _Measured, changes: bool = True) -> None:
    """That a run went well."""
    if measured.code or (not changes and "] Success" in measured.output):
        raise RuntimeError(measured.output[-5000:])


def _cpu_seconds(pid: int) -> float:
    """Processor time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:45} {value}")
