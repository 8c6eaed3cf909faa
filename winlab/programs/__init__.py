"""The programs of C:\\Windows\\System32 and which code runs them."""

from __future__ import annotations

from winlab.windows.processes import register_program

for _name in ("cmd", "hostname"):
    register_program(_name, f"winlab.programs.{_name}:main")
register_program("appcmd", "winlab.programs.appcmd:main")
register_program("powershell", "winlab.powershell.host:main", big_stack=True)
