"""What a fresh runspace of Windows PowerShell 5.1 on Server 2016 holds: variables, aliases, the modules of commands."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from winlab.powershell.commands.core import declared_aliases, find_cmdlet
from winlab.powershell.dotnet.core import _api, get_type
from winlab.powershell.objects import Hashtable, PSArray, ScriptBlock
from winlab.powershell.runtime.context import current_or_none
from winlab.powershell.runtime.conversion import to_enum
from winlab.powershell.runtime.scopes import DynamicVariable, Variable

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

COMMAND_MODULES = (
    "winlab.powershell.runtime.psobjects",
    "winlab.powershell.runtime.hosting",
    "winlab.powershell.runtime.astobjects",
    "winlab.powershell.commands.engine",
    "winlab.powershell.commands.objects",
    "winlab.powershell.commands.items",
    "winlab.powershell.commands.data",
    "winlab.powershell.commands.dates",
    "winlab.powershell.commands.management",
    "winlab.powershell.commands.security",
    "winlab.powershell.commands.webrequests",
    "winlab.powershell.commands.wmi",
    "winlab.powershell.commands.certificates",
    "winlab.powershell.commands.accounts",
    "winlab.powershell.commands.library",
    "winlab.powershell.commands.windows",
    "winlab.powershell.formatting.cmdlets",
    "winlab.iis.mwa",
    "winlab.iis.commands",
)
_loaded = False
_loading = threading.RLock()


def load_commands() -> None:
    """Import every module that declares commands; those that the lab does not have yet are left out."""
    global _loaded
    if _loaded:
        return
    with _loading:  # processes start on threads of their own: none may see half of the commands
        if _loaded:
            return
        for name in COMMAND_MODULES:
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
        _loaded = True


# Aliases of 5.1; those of commands that the lab lacks stay known, so that they are refused by the command's name.
_ALIASES = """
% ForEach-Object;? Where-Object;ac Add-Content;asnp Add-PSSnapin;cat Get-Content;cd Set-Location;
CFS ConvertFrom-String;chdir Set-Location;clc Clear-Content;clear Clear-Host;clhy Clear-History;cli Clear-Item;
clp Clear-ItemProperty;cls Clear-Host;clv Clear-Variable;cnsn Connect-PSSession;compare Compare-Object;
copy Copy-Item;cp Copy-Item;cpi Copy-Item;cpp Copy-ItemProperty;curl Invoke-WebRequest;cvpa Convert-Path;
dbp Disable-PSBreakpoint;del Remove-Item;diff Compare-Object;dir Get-ChildItem;dnsn Disconnect-PSSession;
ebp Enable-PSBreakpoint;echo Write-Output;epal Export-Alias;epcsv Export-Csv;epsn Export-PSSession;
erase Remove-Item;etsn Enter-PSSession;exsn Exit-PSSession;fc Format-Custom;fhx Format-Hex;fl Format-List;
foreach ForEach-Object;ft Format-Table;fw Format-Wide;gal Get-Alias;gbp Get-PSBreakpoint;gc Get-Content;
gci Get-ChildItem;gcm Get-Command;gcb Get-Clipboard;gcs Get-PSCallStack;gdr Get-PSDrive;ghy Get-History;
gi Get-Item;gin Get-ComputerInfo;gjb Get-Job;gl Get-Location;gm Get-Member;gmo Get-Module;gp Get-ItemProperty;
gps Get-Process;gpv Get-ItemPropertyValue;group Group-Object;gsn Get-PSSession;gsnp Get-PSSnapin;gsv Get-Service;
gtz Get-TimeZone;gu Get-Unique;gv Get-Variable;gwmi Get-WmiObject;h Get-History;history Get-History;
icm Invoke-Command;iex Invoke-Expression;ihy Invoke-History;ii Invoke-Item;ipal Import-Alias;ipcsv Import-Csv;
ipmo Import-Module;ipsn Import-PSSession;irm Invoke-RestMethod;ise powershell_ise.exe;iwmi Invoke-WmiMethod;
iwr Invoke-WebRequest;kill Stop-Process;lp Out-Printer;ls Get-ChildItem;man help;md mkdir;measure Measure-Object;
mi Move-Item;mount New-PSDrive;move Move-Item;mp Move-ItemProperty;mv Move-Item;nal New-Alias;ndr New-PSDrive;
ni New-Item;nmo New-Module;npssc New-PSSessionConfigurationFile;nsn New-PSSession;nv New-Variable;ogv Out-GridView;
oh Out-Host;popd Pop-Location;ps Get-Process;pushd Push-Location;pwd Get-Location;r Invoke-History;
rbp Remove-PSBreakpoint;rcjb Receive-Job;rcsn Receive-PSSession;rd Remove-Item;rdr Remove-PSDrive;ren Rename-Item;
ri Remove-Item;rjb Remove-Job;rm Remove-Item;rmdir Remove-Item;rmo Remove-Module;rni Rename-Item;
rnp Rename-ItemProperty;rp Remove-ItemProperty;rsn Remove-PSSession;rsnp Remove-PSSnapin;rujb Resume-Job;
rv Remove-Variable;rvpa Resolve-Path;rwmi Remove-WmiObject;sajb Start-Job;sal Set-Alias;saps Start-Process;
sasv Start-Service;sbp Set-PSBreakpoint;sc Set-Content;scb Set-Clipboard;select Select-Object;set Set-Variable;
shcm Show-Command;si Set-Item;sl Set-Location;sleep Start-Sleep;sls Select-String;sort Sort-Object;
sp Set-ItemProperty;spjb Stop-Job;spps Stop-Process;spsv Stop-Service;start Start-Process;stz Set-TimeZone;
sujb Suspend-Job;sv Set-Variable;swmi Set-WmiInstance;tee Tee-Object;trcm Trace-Command;type Get-Content;
wget Invoke-WebRequest;where Where-Object;wjb Wait-Job;write Write-Output;
"""


@cache
def alias_table() -> dict[str, tuple[str, str]]:
    """Lower-case alias -> (alias, command)."""
    table: dict[str, tuple[str, str]] = {}
    for pair in _ALIASES.replace("\n", "").split(";"):
        name, _, command = pair.strip().partition(" ")
        if name:
            table[name.lower()] = (name, command)
    for name, command in declared_aliases().items():
        table.setdefault(name.lower(), (name, command))
    return table


@cache
def _assemblies() -> dict[str, str]:
    names = {entry.assembly for entry in _api()[0].values()}
    names |= {
        "System.Windows.Forms",
        "System.Drawing",
        "System.Web",
        "System.Data",
        "System.Numerics",
        "System.Runtime.Serialization",
    }
    names |= {
        "PresentationFramework",
        "PresentationCore",
        "WindowsBase",
        "System.DirectoryServices",
        "Microsoft.VisualBasic",
        "System.Runtime",
    }
    names |= {
        "System.Management.Automation",
        "netstandard",
        "System.EnterpriseServices",
        "Microsoft.CSharp",
        "System.Web.Extensions",
    }
    return {name.lower(): name for name in names}


# Assemblies that come with a feature of the server: there when their file is.
_FEATURE_ASSEMBLIES = {
    "microsoft.web.administration": (
        "Microsoft.Web.Administration",
        r"C:\Windows\system32\inetsrv\Microsoft.Web.Administration.dll",
    )
}


def known_assembly(name: str) -> str | None:
    """The exact name of an assembly of the real server (a file path or a full name counts); None: no such assembly."""
    short = name.partition(",")[0].strip()
    short = short.replace("/", "\\").rpartition("\\")[2]
    if short.lower().endswith(".dll"):
        short = short[:-4]
    feature = _FEATURE_ASSEMBLIES.get(short.lower())
    if feature is not None:
        runtime = current_or_none()
        machine = runtime.machine if runtime is not None else None
        return feature[0] if machine is not None and machine.fs.is_file(feature[1]) else None
    return _assemblies().get(short.lower())


def is_part_of_windows(assembly: str) -> bool:
    """Whether an assembly means the same to every process, unlike one that Add-Type made."""
    return assembly.lower() in _FEATURE_ASSEMBLIES or assembly.lower() in _assemblies()


_PREFERENCES = {
    "ErrorActionPreference": "Continue",
    "WarningPreference": "Continue",
    "VerbosePreference": "SilentlyContinue",
    "DebugPreference": "SilentlyContinue",
    "InformationPreference": "SilentlyContinue",
    "ProgressPreference": "Continue",
}

VERSIONS = {
    "2016": "14393.693",
    "2019": "17763.1",
    "2022": "20348.1",
    "2025": "26100.1",
    "10": "19041.1",
    "11": "22621.1",
}


def reset_variables(runtime: Runtime) -> None:
    """Take away all variables and put the automatic and preference variables back."""
    runtime.session.top.vars.clear()
    runtime.errors = []
    runtime.success = True
    fill_variables(runtime)


def fill_session(runtime: Runtime) -> None:
    """Put the automatic and preference variables, the aliases and functions into the global scope."""
    fill_variables(runtime)
    fill_commands(runtime)


@cache
def _preferences() -> list[tuple[str, Any]]:
    """The preference variables that hold an enumeration's value."""
    preference = get_type("System.Management.Automation.ActionPreference")
    impact = get_type("System.Management.Automation.ConfirmImpact")
    levels = [(name, to_enum(value, preference)) for name, value in _PREFERENCES.items()]
    return [*levels, ("ConfirmPreference", to_enum("High", impact))]


def fill_variables(runtime: Runtime) -> None:
    """Put the automatic and preference variables into the global scope."""
    from winlab.powershell.runtime import psobjects

    top = runtime.session.top
    for name, level in _preferences():
        top.vars[name.lower()] = Variable(name, level)
    plain: dict[str, Any] = {
        "WhatIfPreference": False,
        "OutputEncoding": None,
        "MaximumHistoryCount": 4096,
        "MaximumErrorCount": 256,
        "MaximumVariableCount": 4096,
        "MaximumFunctionCount": 4096,
        "MaximumAliasCount": 4096,
        "MaximumDriveCount": 4096,
        "FormatEnumerationLimit": 4,
        "PSDefaultParameterValues": psobjects.default_parameter_dictionary(),
        "PSSessionConfigurationName": "http://schemas.microsoft.com/powershell/Microsoft.PowerShell",
        "PSSessionApplicationName": "wsman",
        "PSEmailServer": "",
        "NestedPromptLevel": 0,
        "ConsoleFileName": "",
        "StackTrace": "",
    }
    for name, value in plain.items():
        top.vars[name.lower()] = Variable(name, value)
    errors = runtime.new_array_list(runtime.errors)
    runtime.errors = errors.items
    top.vars["error"] = Variable("Error", errors, constant=True)
    dynamic: dict[str, Any] = {
        "PWD": lambda: psobjects.path_info(runtime),
        "Host": lambda: psobjects.host_object(runtime),
        "ExecutionContext": lambda: psobjects.engine_intrinsics(runtime),
        "PID": lambda: runtime.process.pid if runtime.process is not None else 4242,
        "HOME": lambda: runtime.get_env("USERPROFILE") or "C:\\Users\\Administrator",
        "PSVersionTable": lambda: version_table(runtime),
        "PSHOME": lambda: "C:\\Windows\\System32\\WindowsPowerShell\\v1.0",
        "PSCulture": lambda: "en-US",
        "PSUICulture": lambda: "en-US",
        "ShellId": lambda: "Microsoft.PowerShell",
        "PSEdition": lambda: "Desktop",
        "true": lambda: True,
        "false": lambda: False,
        "null": lambda: None,
        "PROFILE": lambda: (
            (runtime.get_env("USERPROFILE") or "C:\\Users\\Administrator")
            + "\\Documents\\WindowsPowerShell\\Microsoft.PowerShell_profile.ps1"
        ),
    }
    for name, getter in dynamic.items():
        top.vars[name.lower()] = DynamicVariable(name, getter)


def fill_commands(runtime: Runtime) -> None:
    """Put the aliases and functions of 5.1 into the global scope."""
    from winlab.powershell.runtime.commands import FunctionInfo

    top = runtime.session.top
    top.aliases = dict(_alias_infos())
    for name, tree in _function_trees().items():
        if find_cmdlet(name) is None:
            top.set_function(name, FunctionInfo(name, ScriptBlock(tree)))


@cache
def _alias_infos() -> dict[str, Any]:
    """The aliases as every runspace begins with them (an alias that a script sets replaces its entry)."""
    from winlab.powershell.runtime.commands import AliasInfo

    return {lower: AliasInfo(name, command) for lower, (name, command) in alias_table().items()}


@cache
def _function_trees() -> dict[str, Any]:
    from winlab.powershell.parser import parse

    return {name: parse(text)[0] for name, text in _FUNCTIONS.items()}


# Functions that powershell.exe itself defines.
_FUNCTIONS = {
    "prompt": "\"PS $($executionContext.SessionState.Path.CurrentLocation)$('>' * ($nestedPromptLevel + 1)) \"",
    "mkdir": (
        "[CmdletBinding(SupportsShouldProcess = $true)] param([Parameter(ValueFromPipeline = $true, Position = 0)][string[]]$Path, "
        "[string]$Name, [Parameter(ValueFromPipeline = $true)]$Value, [switch]$Force) process { New-Item -ItemType Directory @PSBoundParameters }"
    ),
    "cd..": "Set-Location ..",
    "cd\\": "Set-Location \\",
}


def version_table(runtime: Runtime) -> Hashtable:
    """``$PSVersionTable``."""
    cached: Hashtable | None = runtime.state.get("version-table")
    if cached is not None:
        return cached
    from winlab.powershell.runtime.conversion import convert

    version = get_type("System.Version")
    kind = str(getattr(runtime.machine, "version", "2016"))
    build = VERSIONS.get(kind, VERSIONS["2016"])

    def make(text: str) -> Any:
        return convert(text, version)

    table = Hashtable(
        [
            ("PSVersion", make(f"5.1.{build}")),
            ("PSEdition", "Desktop"),
            (
                "PSCompatibleVersions",
                PSArray([make(v) for v in ("1.0", "2.0", "3.0", "4.0", "5.0")] + [make(f"5.1.{build}")], version),
            ),
            ("BuildVersion", make(f"10.0.{build}")),
            ("CLRVersion", make("4.0.30319.42000")),
            ("WSManStackVersion", make("3.0")),
            ("PSRemotingProtocolVersion", make("2.3")),
            ("SerializationVersion", make("1.1.0.1")),
        ]
    )
    runtime.state["version-table"] = table
    return table
