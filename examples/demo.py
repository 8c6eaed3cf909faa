"""`make demo`: a bare simulated Windows Server becomes a served Django site; everything printed was observed."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
WINLAB = [sys.executable, "-m", "winlab"]
DEPLOY = [
    str(Path(sys.executable).with_name("pyinfra")),
    "inventories/lab.py",
    "deploys/django_iis.py",
]


def main() -> int:
    """Show the whole way; returns the exit code."""
    os.environ.setdefault("WINLAB_HOSTS", "1")
    os.environ.setdefault("WINLAB_WINDOWS", "2022")
    say("A bare Windows server of the lab")
    run([*WINLAB, "up", "--hosts", os.environ["WINLAB_HOSTS"], "--windows", os.environ["WINLAB_WINDOWS"]])
    run([*WINLAB, "reset"])
    say("The deploy: " + " ".join(["pyinfra", *DEPLOY[1:], "-y"]))
    started = time.monotonic()
    deploy()
    print(f"It took {time.monotonic() - started:.0f} seconds.")

    address = json.loads(run([*WINLAB, "status", "--json"], quiet=True))["hosts"][0]["address"]
    url = f"http://{address}:8014/admin/login/"
    say(f"A plain HTTP request: GET {url}")
    page = get(url)
    style = re.search(r'href="(/static/[^"]+/base\.[0-9a-f]+\.css)"', page)
    if style is None:
        sys.exit("The page names no hashed style sheet.")
    get(f"http://{address}:8014{style[1]}")

    say("The same deploy again")
    again = deploy()
    if "] Success" in again or again.count("] No changes") != again.count("--> Starting operation"):
        sys.exit("The second run changed something.")

    say("Look at it")
    print(f"In a browser on this machine: {url}")
    print("What the simulated server holds: .venv/bin/winlab status; what it did: .venv/bin/winlab log")
    print("Stop it: .venv/bin/winlab down")
    return 0


def say(text: str) -> None:
    """A heading."""
    print(f"\n== {text}", flush=True)


def run(command: list[str], quiet: bool = False) -> str:
    """Run a command, show what it prints, and give it back."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if not quiet:
            print(line, end="", flush=True)
    if process.wait():
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}.")
    return "".join(lines)


def deploy() -> str:
    """The deploy, confirmed as somebody at the keyboard would."""
    return run([*DEPLOY, "-y"])


def get(url: str) -> str:
    """One HTTP request; prints status and telling headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("GET", parts.path)
    response = connection.getresponse()
    body = response.read().decode("utf-8", "replace")
    print(f"{response.status} {response.reason} {parts.path}")
    for name in ("X-Powered-By", "Content-Type", "Cache-Control"):
        if response.headers[name]:
            print(f"  {name}: {response.headers[name]}")
    if title := re.search(r"<title>(.*?)</title>", body, re.DOTALL):
        print(f"  {title[1].strip()}")
    if response.status != 200:
        sys.exit(f"{url} did not answer 200.")
    return body


if __name__ == "__main__":
    sys.exit(main())
