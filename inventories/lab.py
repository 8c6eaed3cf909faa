"""Simulated Windows servers on this machine; they are started when they do not run yet.

WINLAB_HOSTS     how many servers (default as many as there are, else 1)
WINLAB_WINDOWS   their Windows: 2016, 2019, 2022, 2025, 10 or 11 (default what they have, else 2022)
WINLAB_EXAMPLE   what is deployed: mysite (default), fastapi or flask; the latter two by deploys/python_web.py
WINLAB_STATE     the folder that keeps their state (default .winlab in the working directory)
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

_asked = {"--hosts": os.environ.get("WINLAB_HOSTS"), "--windows": os.environ.get("WINLAB_WINDOWS")}
_up = subprocess.run(
    [
        *[sys.executable, "-m", "winlab", "up", "--json"],
        *[word for option, value in _asked.items() if value for word in (option, value)],
    ],
    stdout=subprocess.PIPE,
    text=True,
    check=False,
)
if _up.returncode:
    sys.exit("The lab does not start.")
_lab = json.loads(_up.stdout)
with urlopen(_lab["artifacts"] + "SHA256SUMS") as _answer:
    _sums = dict(reversed(line.split()) for line in _answer.read().decode().splitlines())


def _artifact(name, **more):
    return {"url": _lab["artifacts"] + name, "sha256": _sums[name], **more}


_examples = Path(__file__).parent.parent / "examples"
_chosen = os.environ.get("WINLAB_EXAMPLE", "mysite")
_data = {
    "mysite": {
        "django_project": str(_examples / "mysite"),
        "django_bindings": ["*:8014:"],
        # The lab's sites are only reached from this machine, and have no certificate.
        "django_secure_cookies": False,
    },
    "fastapi": {
        "web_project": str(_examples / "fastapi_app"),
        "web_application": "main:app",
        "web_bindings": ["*:8015:"],
        "web_health": {"path": "/health", "status": 200},
    },
    "flask": {
        "web_project": str(_examples / "flask_app"),
        "web_application": "app:create_app()",
        "web_server": "waitress",
        "web_bindings": ["*:8016:"],
        "web_health": {"path": "/health", "status": 200},
    },
}
if _chosen not in _data:
    sys.exit(f"WINLAB_EXAMPLE is {_chosen}; it can be {', '.join(_data)}.")
_python = platform.python_version()
_kind = "django" if _chosen == "mysite" else "web"

lab = (
    [f"@winrm/{_host['address']}" for _host in _lab["hosts"]],
    {
        "winrm_user": _lab["user"],
        "winrm_password": _lab["password"],
        **_data[_chosen],
        # The lab has no internet; its own mirror serves what a server would fetch.
        f"{_kind}_python": _artifact(f"python-{_python}-amd64.zip", version=_python),
        f"{_kind}_handler": _artifact("httpPlatformHandler_amd64.msi"),
    },
)
