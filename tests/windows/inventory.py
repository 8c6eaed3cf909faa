"""A real Windows server for tests; nothing here knows the lab.

WINRM_TEST_HOST    its name; WINRM_TEST_USER its administrator; WINRM_PASSWORD the password
WINRM_TEST_CA      a PEM file with the authority of its HTTPS listener; without it: HTTP with sealed messages
WINDOWS_HANDLER    1.2 (default) or 2.0
"""

import os
from pathlib import Path

_ca = os.environ.get("WINRM_TEST_CA")

windows = (
    [f"@winrm/{os.environ['WINRM_TEST_HOST']}"],
    {
        "winrm_user": os.environ["WINRM_TEST_USER"],
        **({"winrm_ca_file": _ca} if _ca else {}),
        "django_project": str(Path(__file__).parents[2] / "examples" / "mysite"),
        "django_bindings": ["*:8014:"],
        "django_secure_cookies": False,
        "django_handler": {"version": os.environ.get("WINDOWS_HANDLER", "1.2"), "replace": True},
    },
)
