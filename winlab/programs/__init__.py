"""The programs of C:\\Windows\\System32 and which code runs them."""

from __future__ import annotations

from winlab.windows.processes import register_program

_HERE = {
    "cmd": "cmd:main",
    "hostname": "hostname:main",
    "whoami": "whoami:main",
    "ipconfig": "network:ipconfig",
    "ping": "network:ping",
    "netstat": "network:netstat",
    "systeminfo": "system:systeminfo",
    "shutdown": "system:shutdown",
    "timeout": "system:timeout",
    "chcp": "system:chcp",
    "setx": "system:setx",
    "wevtutil": "system:wevtutil",
    "where": "files:where",
    "attrib": "files:attrib",
    "takeown": "files:takeown",
    "certutil": "files:certutil",
    "xcopy": "files:xcopy",
    "find": "text:find",
    "findstr": "text:findstr",
    "sort": "text:sort",
    "more": "text:more",
    "tasklist": "tasks:tasklist",
    "taskkill": "tasks:taskkill",
    "sc": "services:sc",
    "net": "services:net",
    "net1": "services:net",
    "iisreset": "services:iisreset",
    "icacls": "icacls:main",
    "netsh": "netsh:main",
    "reg": "reg:main",
    "msiexec": "msiexec:main",
    "python-setup": "python_setup:main",
    "appcmd": "appcmd:main",
}
REFUSED = (
    *("comp", "curl", "dism", "explorer", "fc", "fsutil", "robocopy", "schtasks"),
    *("tar", "tree", "w32tm", "winrs", "wmic"),
)

for _name, _target in _HERE.items():
    register_program(_name, f"winlab.programs.{_target}")
for _name in REFUSED:
    register_program(_name, "winlab.programs.system:refused")
register_program("powershell", "winlab.powershell.host:main", big_stack=True)
