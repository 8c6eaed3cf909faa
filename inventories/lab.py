"""Simulated Windows servers on this machine; they are started when they do not run yet.

WINLAB_HOSTS     how many servers (default 1)
WINLAB_WINDOWS   their Windows: 2016, 2019, 2022 (default), 2025, 10 or 11
WINLAB_STATE     the folder that keeps their state (default .winlab)
"""

import os
from pathlib import Path

from winlab.client import ensure_running

_lab = ensure_running(hosts=int(os.environ.get("WINLAB_HOSTS", "1")), windows=os.environ.get("WINLAB_WINDOWS", "2022"))

lab = (
    [f"@winrm/{host['address']}" for host in _lab["hosts"]],
    {
        "winrm_user": _lab["user"],
        "winrm_password": _lab["password"],
        "django_project": str(Path(__file__).parent.parent / "examples" / "mysite"),
        "django_bindings": ["*:8014:"],
        # The lab has no certificate, and its sites are only reached from this machine.
        "django_secure_cookies": False,
        "django_python": _lab["python"],
        "django_handler": _lab["handlers"]["1.2"],
    },
)
