"""What a bare server has: versions of Windows, programs in System32, folders, access control lists, registry, environment.

Sources: Microsoft's release-information pages (build numbers), the .NET Framework's registry Release values, and the default lists of access that
`icacls` prints on a fresh installation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from winlab.windows.images import program_stub


@dataclass(frozen=True)
class WindowsVersion:
    """One release. build: CurrentBuild; ubr: update build revision; dotnet: Release of .NET Framework 4.x."""

    name: str
    product: str
    caption: str
    build: int
    ubr: int
    release_id: str
    display_version: str | None
    dotnet: int
    dotnet_version: str
    edition: str
    is_server: bool

    @property
    def version(self) -> str:
        """`10.0.14393`"""
        return f"10.0.{self.build}"

    @property
    def full_version(self) -> str:
        """`10.0.14393.5582`, as `ver` and files show it."""
        return f"10.0.{self.build}.{self.ubr}"


VERSIONS: dict[str, WindowsVersion] = {
    "2016": WindowsVersion(
        "2016",
        "Windows Server 2016 Standard",
        "Microsoft Windows Server 2016 Standard",
        14393,
        5582,
        "1607",
        None,
        394802,
        "4.6.01586",
        "ServerStandard",
        True,
    ),
    "2019": WindowsVersion(
        "2019",
        "Windows Server 2019 Standard",
        "Microsoft Windows Server 2019 Standard",
        17763,
        4010,
        "1809",
        None,
        461814,
        "4.7.03190",
        "ServerStandard",
        True,
    ),
    "2022": WindowsVersion(
        "2022",
        "Windows Server 2022 Standard",
        "Microsoft Windows Server 2022 Standard",
        20348,
        1547,
        "2009",
        "21H2",
        528449,
        "4.8.04161",
        "ServerStandard",
        True,
    ),
    "2025": WindowsVersion(
        "2025",
        "Windows Server 2025 Standard",
        "Microsoft Windows Server 2025 Standard",
        26100,
        1742,
        "2009",
        "24H2",
        533325,
        "4.8.09032",
        "ServerStandard",
        True,
    ),
    "10": WindowsVersion(
        "10",
        "Windows 10 Pro",
        "Microsoft Windows 10 Pro",
        19045,
        2604,
        "2009",
        "22H2",
        533325,
        "4.8.09037",
        "Professional",
        False,
    ),
    "11": WindowsVersion(
        "11",
        "Windows 10 Pro",
        "Microsoft Windows 11 Pro",
        22631,
        2428,
        "2009",
        "23H2",
        533320,
        "4.8.09032",
        "Professional",
        False,
    ),
}

SYSTEM32 = "Windows/System32"
PROGRAMS: dict[str, tuple[str, str]] = {
    # program: (folder below C:, description)
    "attrib": (SYSTEM32, "Attribute Utility"),
    "certutil": (SYSTEM32, "CertUtil.exe"),
    "chcp": (SYSTEM32, "Change CodePage Utility"),
    "cmd": (SYSTEM32, "Windows Command Processor"),
    "comp": (SYSTEM32, "File Compare Utility"),
    "curl": (SYSTEM32, "The curl executable"),
    "dism": (SYSTEM32, "Dism Image Servicing Utility"),
    "fc": (SYSTEM32, "DOS 5 File Compare Utility"),
    "find": (SYSTEM32, "Find String (grep) Utility"),
    "findstr": (SYSTEM32, "Find String (QGREP) Utility"),
    "fsutil": (SYSTEM32, "fsutil.exe"),
    "hostname": (SYSTEM32, "Hostname APP"),
    "icacls": (SYSTEM32, ""),
    "ipconfig": (SYSTEM32, "IP Configuration Utility"),
    "iisreset": (SYSTEM32, "IIS Reset Control"),
    "more": (SYSTEM32, "More Utility"),
    "msiexec": (SYSTEM32, "Windows installer"),
    "net": (SYSTEM32, "Net Command"),
    "net1": (SYSTEM32, "Net Command"),
    "netsh": (SYSTEM32, "Network Command Shell"),
    "netstat": (SYSTEM32, "TCP/IP Netstat Command"),
    "ping": (SYSTEM32, "TCP/IP Ping Command"),
    "reg": (SYSTEM32, "Registry Console Tool"),
    "robocopy": (SYSTEM32, "Microsoft Robocopy"),
    "sc": (SYSTEM32, "Service Control Manager Configuration Tool"),
    "schtasks": (SYSTEM32, "Task Scheduler Configuration Tool"),
    "setx": (SYSTEM32, "Setx - Sets environment variables"),
    "shutdown": (SYSTEM32, "Windows Shutdown and Annotation Tool"),
    "sort": (SYSTEM32, "Sort Utility"),
    "systeminfo": (SYSTEM32, "Displays system information"),
    "takeown": (SYSTEM32, "Takes ownership of a file"),
    "tar": (SYSTEM32, "bsdtar archive tool"),
    "taskkill": (SYSTEM32, "Terminates Processes"),
    "tasklist": (SYSTEM32, "Lists the current running tasks"),
    "timeout": (SYSTEM32, "timeout - pauses command processing"),
    "tree": (SYSTEM32, "Tree Walk Utility"),
    "w32tm": (SYSTEM32, "Windows Time Service Diagnostic Tool"),
    "wevtutil": (SYSTEM32, "Eventing Command Line Utility"),
    "where": (SYSTEM32, "Where - Lists location of files"),
    "whoami": (SYSTEM32, "whoami - displays logged on user information"),
    "winrs": (SYSTEM32, "winrs"),
    "xcopy": (SYSTEM32, "Extended Copy Utility"),
    "wmic": (SYSTEM32 + "/wbem", "WMI Commandline Utility"),
    "powershell": (SYSTEM32 + "/WindowsPowerShell/v1.0", "Windows PowerShell"),
}
_EXTENSIONS = {"chcp": ".com", "more": ".com", "tree": ".com"}
_NEWER = {"curl": 17763, "tar": 17763}
FOLDERS = (
    "PerfLogs",
    "Program Files/Common Files",
    "Program Files/Internet Explorer",
    "Program Files (x86)/Common Files",
    "ProgramData",
    "Users/Administrator/AppData/Local/Temp",
    "Users/Administrator/AppData/Roaming",
    "Users/Administrator/Desktop",
    "Users/Administrator/Documents",
    "Users/Administrator/Downloads",
    "Users/Default",
    "Users/Public/Documents",
    "Windows/Installer",
    "Windows/Logs",
    "Windows/Microsoft.NET/Framework64/v4.0.30319",
    "Windows/ServiceProfiles/LocalService",
    "Windows/ServiceProfiles/NetworkService",
    "Windows/System32/config/systemprofile/AppData/Local/Temp",
    "Windows/System32/drivers/etc",
    "Windows/SysWOW64",
    "Windows/Temp",
)
HOSTS_FILE = (
    "# Copyright (c) 1993-2009 Microsoft Corp.\r\n#\r\n# This is a sample HOSTS file used by Microsoft TCP/IP for Windows.\r\n#\r\n"
    "# localhost name resolution is handled within DNS itself.\r\n#\t127.0.0.1       localhost\r\n#\t::1             localhost\r\n"
)


def files(version: WindowsVersion) -> dict[str, bytes]:
    """Path below C: (with slashes) -> content."""
    result = {
        f"{folder}/{_file_name(name)}": program_stub(name, version.full_version, description)
        for name, (folder, description) in PROGRAMS.items()
        if version.build >= _NEWER.get(name, 0)
    }
    result["Windows/System32/drivers/etc/hosts"] = HOSTS_FILE.encode()
    result["Windows/win.ini"] = (
        b"; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n[mci extensions]\r\n[files]\r\n[Mail]\r\nMAPI=1\r\n"
    )
    result["Windows/explorer.exe"] = program_stub("explorer", version.full_version, "Windows Explorer")
    for name in ("smss", "csrss", "wininit", "winlogon", "services", "lsass", "svchost", "spoolsv"):
        result[f"{SYSTEM32}/{name}.exe"] = program_stub(name, version.full_version)
    for name in ("kernel32", "ntdll", "user32", "vcruntime140"):
        if name != "vcruntime140" or not version.is_server:
            result[f"{SYSTEM32}/{name}.dll"] = program_stub(f"{name}.dll", version.full_version)
    return result


def _file_name(program: str) -> str:
    return program + _EXTENSIONS.get(program, ".exe")


_WINDOWS_ACL = (
    "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    "D:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;CIIO;GA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;BA)(A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)"
    "(A;;0x1200a9;;;AC)(A;OICIIO;GXGR;;;AC)"
)
_PROFILE_ACL = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
_TRUSTED = "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:SY"
_SERVER_ROOT = (
    _TRUSTED
    + "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;CI;LC;;;BU)(A;CIIO;DC;;;BU)(A;OICIIO;GA;;;CO)"
)
_CLIENT_ROOT = (
    _TRUSTED + "D:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)(A;OICIIO;0x1301bf;;;AU)(A;;LC;;;AU)"
)
INETPUB_ACL = (
    "O:SYG:SYD:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;OICIIO;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;;FA;;;SY)(A;OICIIO;FA;;;SY)(A;;FA;;;BA)(A;OICIIO;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)"
)


def default_acls(version: WindowsVersion, machine_sid: str) -> dict[str, str]:
    """Key of winlab.windows.filesystem (`C:WINDOWS\\SYSTEM32`) -> SDDL of folders that differ from what they would inherit."""
    return {
        "C:": _SERVER_ROOT if version.is_server else _CLIENT_ROOT,
        "C:WINDOWS": _WINDOWS_ACL,
        "C:PROGRAM FILES": _WINDOWS_ACL,
        "C:PROGRAM FILES (X86)": _WINDOWS_ACL,
        "C:PROGRAMDATA": "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)(A;CI;DCLCRPCR;;;BU)",
        "C:USERS": "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;;0x1200a9;;;WD)(A;OICIIO;GXGR;;;WD)",
        "C:USERS\\ADMINISTRATOR": _PROFILE_ACL + f"(A;OICI;FA;;;{machine_sid}-500)",
        "C:WINDOWS\\TEMP": "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;CI;0x100026;;;BU)(A;OICIIO;GA;;;CO)",
        "C:WINDOWS\\SYSTEM32\\CONFIG": "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)",
        "C:WINDOWS\\SERVICEPROFILES\\LOCALSERVICE": _PROFILE_ACL + "(A;OICI;FA;;;LS)",
        "C:WINDOWS\\SERVICEPROFILES\\NETWORKSERVICE": _PROFILE_ACL + "(A;OICI;FA;;;NS)",
        "C:INETPUB": INETPUB_ACL,
    }


SYSTEM_PATH = (
    "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\"
)


def registry(version: WindowsVersion, name: str) -> dict[str, dict[str, Any]]:
    """Key -> values ((data, kind) where the kind does not follow from the data) of a fresh installation, as far as programs look at it."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    current = {
        "SystemRoot": "C:\\Windows",
        "ProductName": version.product,
        "EditionID": version.edition,
        "InstallationType": "Server" if version.is_server else "Client",
        "CurrentVersion": "6.3",
        "CurrentBuild": str(version.build),
        "CurrentBuildNumber": str(version.build),
        "CurrentMajorVersionNumber": 10,
        "CurrentMinorVersionNumber": 0,
        "ReleaseId": version.release_id,
        "UBR": version.ubr,
        "RegisteredOwner": "Windows User",
        "RegisteredOrganization": "",
        "ProductId": "00377-60000-00000-AA" + digest[:3].upper(),
        "PathName": "C:\\Windows",
        "InstallDate": 1500000000,
    }
    if version.display_version:
        current["DisplayVersion"] = version.display_version
    environment = {
        "ComSpec": ("%SystemRoot%\\system32\\cmd.exe", "ExpandString"),
        "OS": "Windows_NT",
        "Path": (SYSTEM_PATH, "ExpandString"),
        "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
        "PROCESSOR_ARCHITECTURE": "AMD64",
        "PROCESSOR_IDENTIFIER": "Intel64 Family 6 Model 85 Stepping 7, GenuineIntel",
        "PROCESSOR_LEVEL": "6",
        "PROCESSOR_REVISION": "5507",
        "PSModulePath": (
            "%ProgramFiles%\\WindowsPowerShell\\Modules;%SystemRoot%\\system32\\WindowsPowerShell\\v1.0\\Modules",
            "ExpandString",
        ),
        "TEMP": ("%SystemRoot%\\TEMP", "ExpandString"),
        "TMP": ("%SystemRoot%\\TEMP", "ExpandString"),
        "USERNAME": "SYSTEM",
        "windir": ("%SystemRoot%", "ExpandString"),
        "NUMBER_OF_PROCESSORS": "2",
    }
    software = "HKLM\\SOFTWARE\\Microsoft\\"
    dotnet = {
        "Release": version.dotnet,
        "Version": version.dotnet_version,
        "Install": 1,
        "InstallPath": "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\",
        "TargetVersion": "4.0.0",
    }
    return {
        software + "Windows NT\\CurrentVersion": current,
        software + "Windows\\CurrentVersion": {
            "ProgramFilesDir": "C:\\Program Files",
            "ProgramFilesDir (x86)": "C:\\Program Files (x86)",
            "CommonFilesDir": "C:\\Program Files\\Common Files",
        },
        software + "Windows\\CurrentVersion\\Uninstall": {},
        "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall": {},
        software + "Windows\\CurrentVersion\\Policies\\System": {"EnableLUA": 1},
        software + "NET Framework Setup\\NDP\\v4\\Full": dotnet,
        software + "NET Framework Setup\\NDP\\v4\\Client": dotnet,
        software + "Cryptography": {
            "MachineGuid": f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
        },
        software + "PowerShell\\3\\PowerShellEngine": {"PowerShellVersion": "5.1." + f"{version.build}.{version.ubr}"},
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName": {"ComputerName": name.upper()},
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ActiveComputerName": {"ComputerName": name.upper()},
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem": {
            "NtfsDisable8dot3NameCreation": 1,
            "Win31FileSystem": 0,
        },
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage": {"ACP": "1252", "OEMCP": "437"},
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager": {"ProtectionMode": 1},
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment": environment,
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation": {"TimeZoneKeyName": "UTC", "Bias": 0},
        "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters": {"Hostname": name, "Domain": ""},
        "HKU\\.DEFAULT\\Environment": {},
    }
