"""Get-WmiObject, Get-CimInstance and the methods of a few classes: what a deployment reads of a server through WMI.

Classes of root\\cimv2 that are not here are refused by name. Times are DMTF texts in Get-WmiObject and DateTimes in Get-CimInstance, as on a real server.
"""

from __future__ import annotations

import datetime as _dt
import platform
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from winlab.powershell.commands.core import Cmdlet, SetInfo, cmdlet, parameter, switch
from winlab.powershell.commands.management import load, local_only, texts
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import (
    Dictionary,
    Int64,
    NetObject,
    PSArray,
    PSCustomObject,
    UInt16,
    UInt32,
    UInt64,
    unwrap,
)
from winlab.powershell.runtime.binder import binding_error
from winlab.windows.errors import WindowsError

load()

from winlab.powershell.dotnet.core import get_type, method, net_type  # noqa: E402
from winlab.powershell.dotnet.declare import need  # noqa: E402
from winlab.powershell.dotnet.diagnostics import Component, memory_of  # noqa: E402
from winlab.powershell.dotnet.system import build_number  # noqa: E402
from winlab.powershell.dotnet.time import DateTime  # noqa: E402
from winlab.powershell.dotnet.values import net_string  # noqa: E402

Rows = Iterator[dict[str, Any]]


# ------------------------------------------------------------------------------------------------------------ classes


def _memory() -> int:
    """This machine's memory in bytes."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) * 1024  # type: ignore[union-attr]
    except (OSError, AttributeError):
        return 4 * 1024**3


def operating_system(machine: Any) -> Rows:
    build = build_number(machine)
    server = machine.windows.is_server
    yield {
        "Caption": machine.windows.caption
        if hasattr(machine.windows, "caption")
        else f"Microsoft {machine.windows.product_name}",
        "Version": f"10.0.{build}",
        "BuildNumber": str(build),
        "BuildType": "Multiprocessor Free",
        "OSArchitecture": "64-bit",
        "ProductType": UInt32(3 if server else 1),
        "OperatingSystemSKU": UInt32(7 if server else 48),
        "ServicePackMajorVersion": UInt16(0),
        "ServicePackMinorVersion": UInt16(0),
        "CSName": str(machine.name).upper(),
        "SystemDirectory": "C:\\Windows\\system32",
        "WindowsDirectory": "C:\\Windows",
        "SystemDrive": "C:",
        "SystemDevice": "\\Device\\HarddiskVolume2",
        "BootDevice": "\\Device\\HarddiskVolume1",
        "CountryCode": "1",
        "CurrentTimeZone": 0,
        "Locale": "0409",
        "OSLanguage": UInt32(1033),
        "MUILanguages": PSArray(["en-US"], get_type("System.String")),
        "CodeSet": "1252",
        "OSType": UInt16(18),
        "Primary": True,
        "Status": "OK",
        "Name": f"{machine.windows.caption if hasattr(machine.windows, 'caption') else 'Microsoft Windows'}|C:\\Windows|\\Device\\Harddisk0\\Partition2",
        "Organization": "",
        "RegisteredUser": "Windows User",
        "SerialNumber": "00376-30000-00299-AA305",
        "NumberOfProcesses": UInt32(len(machine.processes.running())),
        "TotalVisibleMemorySize": UInt64(_memory() // 1024),
        "FreePhysicalMemory": UInt64(_memory() // 2048),
        "TotalVirtualMemorySize": UInt64(_memory() * 5 // 4096),
        "FreeVirtualMemory": UInt64(_memory() // 2048),
        "InstallDate": machine.install_time,
        "LastBootUpTime": machine.boot_time,
        "LocalDateTime": machine.now(),
    }


def computer_system(machine: Any) -> Rows:
    yield {
        "Name": str(machine.name).upper(),
        "DNSHostName": machine.name,
        "Domain": "WORKGROUP",
        "Workgroup": "WORKGROUP",
        "PartOfDomain": False,
        "DomainRole": UInt16(2 if machine.windows.is_server else 0),
        "Manufacturer": "Microsoft Corporation",
        "Model": "Virtual Machine",
        "SystemType": "x64-based PC",
        "TotalPhysicalMemory": UInt64(_memory()),
        "NumberOfProcessors": UInt32(1),
        "NumberOfLogicalProcessors": UInt32(2),
        "HypervisorPresent": True,
        "PrimaryOwnerName": "Windows User",
        "UserName": None,
        "BootupState": "Normal boot",
        "Status": "OK",
        "Caption": str(machine.name).upper(),
        "Description": "AT/AT COMPATIBLE",
        "AutomaticManagedPagefile": True,
        "CurrentTimeZone": 0,
        "EnableDaylightSavingsTime": True,
    }


def services(machine: Any) -> Rows:
    modes = {"Automatic": "Auto", "Manual": "Manual", "Disabled": "Disabled", "Boot": "Boot", "System": "System"}
    for item in machine.services.all():
        running = item.status == "Running"
        yield {
            "Name": item.name,
            "DisplayName": item.display_name,
            "Caption": item.display_name,
            "Description": item.description,
            "State": item.status,
            "Status": "OK",
            "Started": running,
            "StartMode": modes.get(item.start_type, item.start_type),
            "DelayedAutoStart": item.delayed,
            "StartName": item.account,
            "PathName": item.image_path,
            "ProcessId": UInt32(item.pid),
            "ExitCode": UInt32(item.exit_code),
            "AcceptStop": bool(item.can_stop),
            "AcceptPause": False,
            "ServiceType": "Share Process" if "svchost" in item.image_path.lower() else "Own Process",
            "ErrorControl": "Normal",
            "DesktopInteract": False,
            "SystemName": str(machine.name).upper(),
        }


def processes(machine: Any) -> Rows:
    for item in machine.processes.running():
        yield {
            "Name": item.name,
            "Caption": item.name,
            "ProcessId": UInt32(item.pid),
            "ParentProcessId": UInt32(item.parent.pid if item.parent is not None else 0),
            "CommandLine": item.command_line or None,
            "ExecutablePath": item.image or None,
            "SessionId": UInt32(item.session_id),
            "CreationDate": item.started,
            "WorkingSetSize": UInt64(memory_of(item, "WorkingSet64")),
            "VirtualSize": UInt64(memory_of(item, "VirtualMemorySize64")),
            "HandleCount": UInt32(100 + item.pid % 400),
            "ThreadCount": UInt32(4),
            "Priority": UInt32(8),
            "Handle": str(item.pid),
            "CSName": str(machine.name).upper(),
        }


def logical_disks(machine: Any) -> Rows:
    for letter in machine.fs.drives:
        yield {
            "DeviceID": f"{letter}:",
            "Name": f"{letter}:",
            "Caption": f"{letter}:",
            "Description": "Local Fixed Disk",
            "DriveType": UInt32(3),
            "MediaType": UInt32(12),
            "FileSystem": "NTFS",
            "Size": UInt64(machine.fs.total_bytes),
            "FreeSpace": UInt64(machine.fs.free_bytes),
            "VolumeName": "",
            "VolumeSerialNumber": "5E0C1A2B",
            "Compressed": False,
            "SystemName": str(machine.name).upper(),
        }


def bios(machine: Any) -> Rows:
    yield {
        "Manufacturer": "American Megatrends Inc.",
        "Name": "090008 ",
        "SMBIOSBIOSVersion": "090008 ",
        "Version": "VRTUAL - 12001807",
        "SerialNumber": "0000-0000-0000-0000-0000-0000-00",
        "ReleaseDate": _dt.datetime(2018, 12, 7, tzinfo=_dt.UTC),
        "PrimaryBIOS": True,
        "Status": "OK",
    }


def processors(machine: Any) -> Rows:
    yield {
        "DeviceID": "CPU0",
        "Name": platform.processor() or "Intel(R) Xeon(R) Processor",
        "Caption": "Intel64 Family 6 Model 85 Stepping 7",
        "Manufacturer": "GenuineIntel",
        "NumberOfCores": UInt32(1),
        "NumberOfLogicalProcessors": UInt32(2),
        "AddressWidth": UInt16(64),
        "Architecture": UInt16(9),
        "MaxClockSpeed": UInt32(2593),
        "LoadPercentage": UInt16(1),
        "Status": "OK",
    }


def network_adapters(machine: Any) -> Rows:
    strings = get_type("System.String")
    yield {
        "Index": UInt32(1),
        "InterfaceIndex": UInt32(5),
        "Description": "Microsoft Hyper-V Network Adapter",
        "Caption": "[00000001] Microsoft Hyper-V Network Adapter",
        "IPEnabled": True,
        "IPAddress": PSArray([str(machine.address or "127.0.0.1")], strings),
        "IPSubnet": PSArray(["255.0.0.0"], strings),
        "DefaultIPGateway": None,
        "DHCPEnabled": False,
        "DNSHostName": machine.name,
        "DNSServerSearchOrder": None,
        "MACAddress": "00:15:5D:00:00:01",
        "ServiceName": "netvsc",
    }


def products(machine: Any) -> Rows:
    for code, product in sorted(machine.installer.products.items()):
        yield {
            "IdentifyingNumber": code,
            "Name": product["name"],
            "Caption": product["name"],
            "Description": product["name"],
            "Version": product["version"],
            "Vendor": product.get("manufacturer"),
            "InstallState": Int64(5),
            "PackageCode": product.get("package_code"),
        }


def optional_features(machine: Any) -> Rows:
    for feature in machine.features.all():
        if feature.dism:
            state = {"Enabled": 1, "Disabled": 2}.get(machine.features.optional_state(feature), 3)
            yield {"Name": feature.dism, "Caption": feature.display_name, "InstallState": UInt32(state)}


def user_accounts(machine: Any) -> Rows:
    for name, record in machine.accounts.users.items():
        yield {
            "Name": name,
            "Caption": f"{str(machine.name).upper()}\\{name}",
            "Domain": str(machine.name).upper(),
            "SID": f"{machine.accounts.machine_sid}-{record['rid']}",
            "Disabled": not record["enabled"],
            "Description": record.get("description", ""),
            "FullName": record.get("full_name", ""),
            "LocalAccount": True,
            "Status": "OK" if record["enabled"] else "Degraded",
        }


def groups(machine: Any) -> Rows:
    for name, record in machine.accounts.groups.items():
        yield {
            "Name": name,
            "Caption": f"{str(machine.name).upper()}\\{name}",
            "Domain": str(machine.name).upper(),
            "SID": record["sid"],
            "Description": record.get("description", ""),
            "LocalAccount": True,
        }


def time_zones(machine: Any) -> Rows:
    yield {
        "Bias": 0,
        "Caption": "(UTC) Coordinated Universal Time",
        "StandardName": "Coordinated Universal Time",
        "DaylightName": "Coordinated Universal Time",
    }


def nothing(machine: Any) -> Rows:
    yield from ()


CLASSES: dict[str, tuple[str, Callable[[Any], Rows], str]] = {
    name.lower(): (name, source, key)
    for name, source, key in (
        ("Win32_OperatingSystem", operating_system, ""),
        ("Win32_ComputerSystem", computer_system, "Name"),
        ("Win32_Service", services, "Name"),
        ("Win32_Process", processes, "Handle"),
        ("Win32_LogicalDisk", logical_disks, "DeviceID"),
        ("Win32_BIOS", bios, "Name"),
        ("Win32_Processor", processors, "DeviceID"),
        ("Win32_NetworkAdapterConfiguration", network_adapters, "Index"),
        ("Win32_Product", products, "IdentifyingNumber"),
        ("Win32_OptionalFeature", optional_features, "Name"),
        ("Win32_UserAccount", user_accounts, "Name"),
        ("Win32_Group", groups, "Name"),
        ("Win32_TimeZone", time_zones, "StandardName"),
        ("Win32_QuickFixEngineering", nothing, "HotFixID"),
        ("Win32_PageFileUsage", nothing, "Name"),
    )
}


# ------------------------------------------------------------------------------------------------------------ WQL

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?)|(?P<op><=|>=|<>|!=|=|<|>|\(|\))|(?P<word>[\w.]+))"
)


class BadQuery(ValueError):
    """A WQL text that does not parse."""


class Condition:
    """The WHERE clause of WQL: comparisons, LIKE, IS [NOT] NULL, AND, OR, NOT, parentheses."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            found = _TOKEN.match(text, position)
            if not found:
                raise BadQuery(text)
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind)))
            position = found.end()
        self.at = 0
        self.test = self._or()
        if self.at != len(self.tokens):
            raise BadQuery(text)

    def _peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def _take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise BadQuery("")
        self.at += 1
        return self.tokens[self.at - 1]

    def _or(self) -> Callable[[dict[str, Any]], bool]:
        tests = [self._and()]
        while self._peek() == "OR":
            self._take()
            tests.append(self._and())
        return lambda row: any(test(row) for test in tests)

    def _and(self) -> Callable[[dict[str, Any]], bool]:
        tests = [self._not()]
        while self._peek() == "AND":
            self._take()
            tests.append(self._not())
        return lambda row: all(test(row) for test in tests)

    def _not(self) -> Callable[[dict[str, Any]], bool]:
        if self._peek() == "NOT":
            self._take()
            inner = self._not()
            return lambda row: not inner(row)
        if self._peek() == "(":
            self._take()
            inner = self._or()
            if self._take()[1] != ")":
                raise BadQuery("")
            return inner
        return self._comparison()

    def _comparison(self) -> Callable[[dict[str, Any]], bool]:
        kind, name = self._take()
        if kind != "word":
            raise BadQuery(name)
        operator = self._take()[1].upper()
        if operator == "IS":
            negated = self._peek() == "NOT"
            if negated:
                self._take()
            if self._take()[1].upper() != "NULL":
                raise BadQuery("")
            return lambda row: (_value(row, name) is None) != negated
        kind, literal = self._take()
        if kind == "op" or operator not in ("=", "<>", "!=", "<", ">", "<=", ">=", "LIKE"):
            raise BadQuery(literal)
        wanted: Any = re.sub(r"\\(.)", r"\1", literal[1:-1]) if kind == "text" else literal
        if operator == "LIKE":
            pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in str(wanted))
            program = re.compile(pattern, re.IGNORECASE | re.DOTALL)
            return lambda row: program.fullmatch(net_string(_value(row, name))) is not None
        return lambda row: _compare(_value(row, name), wanted, operator)


def _value(row: dict[str, Any], name: str) -> Any:
    for key, value in row.items():
        if key.lower() == name.lower():
            return value
    raise BadQuery(name)


def _compare(value: Any, wanted: str, operator: str) -> bool:
    if value is None:
        return operator in ("<>", "!=") and wanted.upper() != "NULL"
    left: Any
    right: Any
    if isinstance(value, bool):
        left, right = value, wanted.strip().lower() in ("true", "1", "-1")
    elif isinstance(value, int):
        try:
            left, right = int(value), int(float(wanted))
        except ValueError:
            return operator in ("<>", "!=")
    else:
        left, right = net_string(value).lower(), wanted.lower()
    return {
        "=": left == right,
        "<>": left != right,
        "!=": left != right,
        "<": left < right,
        ">": left > right,
        "<=": left <= right,
        ">=": left >= right,
    }[operator]


_QUERY = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<name>\w+)(?:\s+WHERE\s+(?P<where>.+))?\s*", re.IGNORECASE | re.DOTALL
)


# ------------------------------------------------------------------------------------------------------------ objects


def dmtf(moment: _dt.datetime) -> str:
    """`20240131120000.000000+000`"""
    return moment.astimezone(_dt.UTC).strftime("%Y%m%d%H%M%S.%f") + "+000"


class _Instance:
    """An instance of a class: its values, shown as properties."""

    class_name: str
    rows: dict[str, Any]
    machine: Any

    def fill(self, class_name: str, rows: dict[str, Any], machine: Any) -> None:
        self.class_name, self.rows, self.machine = class_name, rows, machine

    def ps_names(self) -> list[str]:
        return list(self.rows)

    def ps_get(self, name: str) -> Any:
        for key, value in self.rows.items():
            if key.lower() == name.lower():
                return value
        return NotImplemented

    def ps_set(self, name: str, value: Any) -> Any:
        for key in self.rows:
            if key.lower() == name.lower():
                self.rows[key] = value
                return True
        return False

    def key_text(self) -> str:
        key = CLASSES[self.class_name.lower()][2]
        return f'{self.class_name}.{key}="{net_string(self.rows.get(key))}"' if key else f"{self.class_name}=@"


@net_type("System.Management.ManagementBaseObject")
class ManagementBaseObject(_Instance, Component):
    @method("GetPropertyValue(String) : Object")
    def get_property_value(self, name: str) -> Any:
        found = self.ps_get(need(name, "propertyName"))
        if found is NotImplemented:
            raise NetException("System.Management.ManagementException", "Not found ")
        return found

    @method("SetPropertyValue(String,Object) : Void")
    def set_property_value(self, name: str, value: Any) -> None:
        self.ps_set(name, value)


@net_type("System.Management.ManagementObject")
class ManagementObject(ManagementBaseObject):
    """What Get-WmiObject gives; methods of the class are methods of the object."""

    def __str__(self) -> str:
        return f"\\\\{str(self.machine.name).upper()}\\root\\cimv2:{self.key_text()}"

    def ps_get(self, name: str) -> Any:
        found = super().ps_get(name)
        if found is not NotImplemented:
            return found
        system = {
            "__class": self.class_name,
            "__server": str(self.machine.name).upper(),
            "__namespace": "root\\cimv2",
            "__relpath": self.key_text(),
            "__path": str(self),
            "pscomputername": str(self.machine.name).upper(),
        }
        return system.get(name.lower(), NotImplemented)

    def ps_invoke(self, name: str, args: Any) -> Any:
        lower = name.lower()
        if lower in ("converttodatetime", "todatetime"):
            return DateTime.of(
                _dt.datetime.strptime(net_string(args[0])[:21], "%Y%m%d%H%M%S.%f").replace(tzinfo=_dt.UTC)
            )
        if lower in METHODS.get(self.class_name.lower(), {}):
            return invoke_method(self.machine, self.class_name, self.rows, lower, list(args))
        return NotImplemented

    @method("InvokeMethod(String,Object[]) : Object")
    def invoke(self, name: str, arguments: Any) -> Any:
        result = invoke_method(self.machine, self.class_name, self.rows, name.lower(), list(arguments or ()))
        return result.get_note("ReturnValue")


class CimInstance(_Instance, NetObject):
    """What Get-CimInstance gives."""

    def __str__(self) -> str:
        key = CLASSES[self.class_name.lower()][2]
        return (
            f'{self.class_name}: {net_string(self.rows.get(key))} ({key} = "{net_string(self.rows.get(key))}")'
            if key
            else self.class_name
        )

    def ps_get(self, name: str) -> Any:
        found = super().ps_get(name)
        if found is not NotImplemented:
            return found
        lower = name.lower()
        if lower == "pscomputername":
            return None
        if lower == "cimclass":
            return PSCustomObject.of({"CimClassName": self.class_name}, "Microsoft.Management.Infrastructure.CimClass")
        if lower in ("ciminstanceproperties", "cimsystemproperties"):
            raise LabUnsupported(f"CimInstance.{name}")
        return NotImplemented


net_type(
    "Microsoft.Management.Infrastructure.CimInstance", kind="class", assembly="Microsoft.Management.Infrastructure"
)(CimInstance)


# ------------------------------------------------------------------------------------------------------------ methods


def _create_process(machine: Any, rows: dict[str, Any], arguments: list[Any], user: Any) -> dict[str, Any]:
    try:
        made = machine.processes.start(
            net_string(arguments[0]),
            cwd=net_string(arguments[1]) if len(arguments) > 1 and arguments[1] else "C:\\Windows\\System32",
            user=user,
        )
    except WindowsError as error:
        return {"ProcessId": None, "ReturnValue": UInt32({2: 9, 5: 2, 267: 9}.get(error.code, 8))}
    return {"ProcessId": UInt32(made.pid), "ReturnValue": UInt32(0)}


def _terminate(machine: Any, rows: dict[str, Any], arguments: list[Any], user: Any) -> dict[str, Any]:
    found = machine.processes.get(int(rows["ProcessId"]))
    if found is None:
        return {"ReturnValue": UInt32(9)}
    found.kill(exit_code=int(arguments[0]) if arguments else 0)
    return {"ReturnValue": UInt32(0)}


def _reboot(machine: Any, rows: dict[str, Any], arguments: list[Any], user: Any) -> dict[str, Any]:
    _later(machine.reboot)
    return {"ReturnValue": UInt32(0)}


def _win32_shutdown(machine: Any, rows: dict[str, Any], arguments: list[Any], user: Any) -> dict[str, Any]:
    flags = int(arguments[0]) if arguments else 0
    if not flags & 3:
        raise LabUnsupported("Win32Shutdown with these flags")
    _later(machine.reboot if flags & 2 else machine.shutdown)
    return {"ReturnValue": UInt32(0)}


def _later(action: Callable[[], Any]) -> None:
    def run() -> None:
        time.sleep(0.5)
        action()

    threading.Thread(target=run, daemon=True, name="shutdown").start()


def _service(action: str) -> Callable[..., dict[str, Any]]:
    def run(machine: Any, rows: dict[str, Any], arguments: list[Any], user: Any) -> dict[str, Any]:
        codes = {1056: 10, 1058: 14, 1062: 6, 1051: 3, 1052: 2, 1068: 7, 1060: 5}
        name = rows["Name"]
        try:
            if action == "start":
                machine.services.start(name)
            elif action == "stop":
                machine.services.stop(name)
            elif action == "delete":
                machine.services.delete(name)
            else:
                modes = {"automatic": "Automatic", "manual": "Manual", "disabled": "Disabled", "auto": "Automatic"}
                wanted = modes.get(net_string(arguments[0]).lower())
                if wanted is None:
                    return {"ReturnValue": UInt32(21)}
                machine.services.configure(name, start_type=wanted)
        except WindowsError as error:
            return {"ReturnValue": UInt32(codes.get(error.code, 8))}
        return {"ReturnValue": UInt32(0)}

    return run


METHODS: dict[str, dict[str, Callable[..., dict[str, Any]]]] = {
    "win32_process": {"create": _create_process, "terminate": _terminate},
    "win32_operatingsystem": {"reboot": _reboot, "win32shutdown": _win32_shutdown},
    "win32_service": {
        "startservice": _service("start"),
        "stopservice": _service("stop"),
        "delete": _service("delete"),
        "changestartmode": _service("mode"),
    },
}


def invoke_method(
    machine: Any, class_name: str, rows: dict[str, Any], name: str, arguments: list[Any]
) -> PSCustomObject:
    found = METHODS.get(class_name.lower(), {}).get(name.lower())
    if found is None:
        raise LabUnsupported(f"the method {name} of {class_name}")
    from winlab.powershell.dotnet import context

    user = context.user()
    if user is not None and not user.elevated and not user.is_system:
        return PSCustomObject.of({"ReturnValue": UInt32(2), "PSComputerName": None})
    result = found(machine, rows, [unwrap(item) for item in arguments], user)
    return PSCustomObject.of({**result, "PSComputerName": None}, "Microsoft.Management.Infrastructure.CimMethodResult")


# ------------------------------------------------------------------------------------------------------------ cmdlets


class _Query(Cmdlet):
    """What both query cmdlets share."""

    cim = False

    def invalid_class(self, name: str) -> None:
        if re.match(r"(Win32|CIM|MSFT|Win32Reg|MSCluster|WMI)_", name, re.IGNORECASE):
            raise LabUnsupported(f"the WMI class {name}")
        if self.cim:
            record = self.error(
                "Microsoft.Management.Infrastructure.CimException",
                "Invalid class ",
                "HRESULT 0x80041010",
                "MetadataError",
                f"root\\cimv2:{name}",
            )
        else:
            record = self.error(
                "System.Management.ManagementException",
                f'Invalid class "{name}"',
                "GetWMIManagementException",
                "InvalidType",
            )
        self.write_error(record)

    def invalid_query(self, text: str) -> None:
        if self.cim:
            record = self.error(
                "Microsoft.Management.Infrastructure.CimException",
                "Invalid query ",
                "HRESULT 0x80041017",
                "InvalidArgument",
            )
        else:
            record = self.error(
                "System.Management.ManagementException",
                f'Invalid query "{text}"',
                "GetWMIManagementException",
                "InvalidOperation",
            )
        self.write_error(record)

    def check_namespace(self, name: Any) -> None:
        if name and net_string(name).lower().replace("/", "\\").strip("\\") not in ("root\\cimv2",):
            raise LabUnsupported(f"the WMI namespace {name}")

    def run(self, class_name: str, where: str | None, columns: list[str] | None) -> None:
        found = CLASSES.get(class_name.lower())
        if found is None:
            self.invalid_class(class_name)
            return
        name, source, _ = found
        try:
            condition = Condition(where) if where else None
            for rows in source(self.machine):
                self.check()
                if condition is not None and not condition.test(rows):
                    continue
                self.write(self.instance(name, rows, columns))
        except BadQuery:
            self.invalid_query(f"select * from {class_name} where {where}")

    def instance(self, name: str, rows: dict[str, Any], columns: list[str] | None) -> Any:
        wanted = [column.lower() for column in columns] if columns and "*" not in columns else None
        shown: dict[str, Any] = {}
        for key, value in rows.items():
            if wanted is not None and key.lower() not in wanted:
                if not self.cim:
                    continue
                value = None
            if isinstance(value, _dt.datetime):
                value = DateTime.of(value) if self.cim else dmtf(value)
            shown[key] = value
        made: Any = CimInstance() if self.cim else ManagementObject()
        made.fill(name, shown, self.machine)
        space = "Microsoft.Management.Infrastructure.CimInstance" if self.cim else "System.Management.ManagementObject"
        separator = "/" if self.cim else "\\"
        made.ps_type_names = [f"{space}#root{separator}cimv2{separator}{name}", space, "System.Object"]
        return made

    def query(self, text: str) -> None:
        found = _QUERY.fullmatch(text)
        if not found:
            self.invalid_query(text)
            return
        columns = [item.strip() for item in found.group("columns").split(",")]
        self.run(found.group("name"), found.group("where"), columns)


@cmdlet("Get-WmiObject", module="Microsoft.PowerShell.Management", default_set="query", aliases=("gwmi",))
class GetWmiObject(_Query):
    """Instances of a WMI class."""

    class_name = parameter(
        "Class",
        "String",
        roles={"query": SetInfo(position=0, mandatory=True), "list": SetInfo(position=1)},
        aliases=("ClassName",),
    )
    properties = parameter("Property", "String[]", position=1, sets=("query",))
    filter = parameter("Filter", "String", sets=("query",))
    query_text = parameter("Query", "String", mandatory=True, sets=("WQLQuery",))
    namespace = parameter("Namespace", "String", aliases=("NS",))
    computer_name = parameter("ComputerName", "String[]", aliases=("Cn",))
    list_classes = switch("List", sets=("list",))

    def end(self) -> None:
        local_only(self, self.computer_name)
        self.check_namespace(self.namespace)
        if self.list_classes:
            raise LabUnsupported("Get-WmiObject -List")
        if self.query_text:
            self.query(self.query_text)
        else:
            self.run(str(self.class_name), self.filter, texts(self.properties) or None)


@cmdlet(
    "Get-CimInstance",
    module="CimCmdlets",
    default_set="ClassNameComputerSet",
    aliases=("gcim",),
    type_name="Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand",
)
class GetCimInstance(_Query):
    """Instances of a CIM class."""

    cim = True
    class_name = parameter(
        "ClassName", "String", position=0, mandatory=True, by_name=True, sets=("ClassNameComputerSet",)
    )
    filter = parameter("Filter", "String", by_name=True, sets=("ClassNameComputerSet",))
    properties = parameter(
        "Property", "String[]", by_name=True, sets=("ClassNameComputerSet",), aliases=("SelectProperties",)
    )
    query_text = parameter("Query", "String", mandatory=True, by_name=True, sets=("QueryComputerSet",))
    namespace = parameter("Namespace", "String", by_name=True)
    computer_name = parameter("ComputerName", "String[]", aliases=("CN", "ServerName"))
    timeout = parameter("OperationTimeoutSec", "UInt32", aliases=("OT",))
    key_only = switch("KeyOnly", sets=("ClassNameComputerSet",))

    def process(self) -> None:
        local_only(self, self.computer_name)
        self.check_namespace(self.namespace)
        if self.query_text:
            self.query(self.query_text)
        else:
            self.run(str(self.class_name), self.filter, texts(self.properties) or None)


@cmdlet(
    "Invoke-WmiMethod",
    module="Microsoft.PowerShell.Management",
    default_set="class",
    should_process=True,
    aliases=("iwmi",),
)
class InvokeWmiMethod(Cmdlet):
    """A method of a class or an object."""

    class_name = parameter("Class", "String", roles={"class": SetInfo(position=0, mandatory=True)})
    input_object = parameter(
        "InputObject", "Management.ManagementObject", mandatory=True, pipeline=True, sets=("object",)
    )
    name = parameter(
        "Name",
        "String",
        roles={"class": SetInfo(position=1, mandatory=True), "object": SetInfo(position=0, mandatory=True)},
    )
    arguments = parameter(
        "ArgumentList", "Object[]", roles={"class": SetInfo(position=2), "object": SetInfo()}, aliases=("Args",)
    )

    def process(self) -> None:
        given = list(self.arguments or ())
        if self.input_object is not None:
            item = unwrap(self.input_object)
            self.write(invoke_method(self.machine, item.class_name, item.rows, self.name, given))
            return
        self.write(invoke_method(self.machine, self.class_name, {}, self.name, given))


@cmdlet(
    "Invoke-CimMethod",
    module="CimCmdlets",
    default_set="ClassNameComputerSet",
    should_process=True,
    aliases=("icim",),
    type_name="Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand",
)
class InvokeCimMethod(Cmdlet):
    """A method of a class or an instance."""

    class_name = parameter(
        "ClassName", "String", position=0, mandatory=True, sets=("ClassNameComputerSet",), aliases=("Class",)
    )
    input_object = parameter(
        "InputObject",
        "Object",
        position=0,
        mandatory=True,
        pipeline=True,
        sets=("CimInstanceComputerSet",),
        aliases=("CimInstance",),
    )
    method_name = parameter(
        "MethodName",
        "String",
        mandatory=True,
        aliases=("Name",),
        roles={
            "ClassNameComputerSet": SetInfo(position=2, mandatory=True),
            "CimInstanceComputerSet": SetInfo(position=2, mandatory=True),
        },
    )
    arguments = parameter("Arguments", "Collections.IDictionary", position=1)

    _ORDER: ClassVar[dict[str, tuple[str, ...]]] = {
        "create": ("CommandLine", "CurrentDirectory"),
        "terminate": ("Reason",),
        "win32shutdown": ("Flags",),
        "changestartmode": ("StartMode",),
    }

    def process(self) -> None:
        given: list[Any] = []
        if isinstance(self.arguments, Dictionary):
            order = self._ORDER.get(str(self.method_name).lower(), ())
            values = {net_string(key).lower(): value for key, value in self.arguments.items()}
            given = [values.get(name.lower()) for name in order]
            while given and given[-1] is None:
                given.pop()
        item = unwrap(self.input_object)
        if isinstance(item, _Instance):
            self.write(invoke_method(self.machine, item.class_name, item.rows, self.method_name, given))
            return
        if "inputobject" in self.bound:
            raise binding_error(
                "CannotConvertArgument",
                f"Cannot bind parameter 'InputObject'. Cannot convert the \"{net_string(item)}\" value to type "
                '"Microsoft.Management.Infrastructure.CimInstance".',
                ParameterName="InputObject",
            )
        self.write(invoke_method(self.machine, self.class_name, {}, self.method_name, given))
