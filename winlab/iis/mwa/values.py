"""Values, enums and exceptions of Microsoft.Web.Administration, and what its small collections share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from winlab.iis import schema as schemas
from winlab.iis.errors import ConfigError, invalid_index
from winlab.powershell.dotnet.core import get_type, net_enum, net_type
from winlab.powershell.dotnet.declare import argument_null
from winlab.powershell.dotnet.time import TimeSpan
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, Int64, NetObject, PSObject

ASSEMBLY = "Microsoft.Web.Administration"
DLL = r"C:\Windows\system32\inetsrv\Microsoft.Web.Administration.dll"
MWA = ASSEMBLY + "."

_EXCEPTIONS = {
    0x80070002: "System.IO.FileNotFoundException",
    0x80070003: "System.IO.DirectoryNotFoundException",
    0x80070005: "System.UnauthorizedAccessException",
    0x80070020: "System.IO.FileLoadException",
    0x80070021: "System.IO.FileLoadException",
    0x80070057: "System.ArgumentException",
    0x80004002: "System.InvalidCastException",
    0x80131509: "System.InvalidOperationException",
}


def net_exception(error: ConfigError) -> NetException:
    """The exception .NET makes of an HRESULT of the configuration system."""
    name = _EXCEPTIONS.get(error.hresult, "System.Runtime.InteropServices.COMException")
    signed = error.hresult - (1 << 32) if error.hresult >= 1 << 31 else error.hresult
    properties: dict[str, Any] = {"HResult": signed}
    if name.endswith("COMException"):
        properties["ErrorCode"] = signed
    return NetException(name, error.message, **properties)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Lets what the configuration system refuses arrive as .NET exceptions."""
    try:
        yield
    except ConfigError as error:
        raise net_exception(error) from None


def to_net(schema: schemas.AttributeSchema, value: schemas.Value) -> Any:
    """A value as the real assembly boxes it."""
    if isinstance(value, timedelta):
        return timespan(value)
    if schema.type in ("uint", "int64"):
        return Int64(value)
    return value


def from_net(value: Any) -> Any:
    """A value of a script for the configuration system. What it has no type for stays and is refused there."""
    if type(value) is PSObject:
        value = value.base
    if isinstance(value, EnumValue):
        return int(value)
    if isinstance(value, TimeSpan):
        return timedelta(microseconds=value.ticks // 10) if value.ticks < 2**63 - 8 else schemas.TIMESPAN_MAX
    return value


def timespan(value: timedelta) -> Any:
    return TimeSpan(2**63 - 1 if value == schemas.TIMESPAN_MAX else (value // timedelta(microseconds=1)) * 10)


def construct(type_name: str, params: list[str], *arguments: Any) -> Any:
    """Calls a constructor of a .NET type that another module declares."""
    t = get_type(type_name)
    overload = next((o for o in t.ctors() if o.params == params and o.fn is not None), None)
    if overload is None or overload.fn is None:
        raise LabUnsupported(f"a value of the type {type_name}")
    if t.cls is not None and t.python is None and issubclass(t.cls, NetObject):
        made = t.cls.__new__(t.cls)
        result = overload.fn(made, *arguments)
        return made if result is None else result
    return overload.fn(*arguments)


for _name, _values in {
    "AuthenticationLogonMethod": "Interactive Batch Network ClearText",
    "CustomLogFieldSourceType": "RequestHeader ResponseHeader ServerVariable",
    "IdleTimeoutAction": "Terminate Suspend",
    "LoadBalancerCapabilities": {"TcpLevel": 1, "HttpLevel": 2},
    "LogFormat": "Iis Ncsa W3c Custom",
    "LogTargetW3C": {"File": 1, "ETW": 2},
    "LoggingRolloverPeriod": "MaxSize Daily Weekly Monthly Hourly",
    "ManagedPipelineMode": "Integrated Classic",
    "ObjectState": "Starting Started Stopping Stopped Unknown",
    "OverrideMode": "Unknown Inherit Allow Deny",
    "ProcessModelIdentityType": "LocalSystem LocalService NetworkService SpecificUser ApplicationPoolIdentity",
    "ProcessModelLogEventOnProcessModel": {"None": 0, "IdleTimeout": 1},
    "ProcessorAction": "NoAction KillW3wp Throttle ThrottleUnderLoad",
    "RecyclingLogEventOnRecycle": {
        "None": 0,
        "Time": 1,
        "Requests": 2,
        "Schedule": 4,
        "Memory": 8,
        "IsapiUnhealthy": 16,
        "OnDemand": 32,
        "ConfigChange": 64,
        "PrivateMemory": 128,
    },
    "SslFlags": {"None": 0, "Sni": 1, "CentralCertStore": 2},
    "StartMode": "OnDemand AlwaysRunning",
    "WorkerProcessState": "Starting Running Stopping Unknown",
    "PipelineState": {
        "Unknown": 0,
        "BeginRequest": 1,
        "AuthenticateRequest": 2,
        "AuthorizeRequest": 4,
        "ResolveRequestCache": 8,
        "MapRequestHandler": 16,
        "AcquireRequestState": 32,
        "PreExecuteRequestHandler": 64,
        "ExecuteRequestHandler": 128,
        "ReleaseRequestState": 256,
        "UpdateRequestCache": 512,
        "LogRequest": 1024,
        "EndRequest": 2048,
        "SendResponse": 536870912,
    },
    "LogExtFileFlags": {
        name: 1 << bit
        for bit, name in enumerate(
            [
                "Date",
                "Time",
                "ClientIP",
                "UserName",
                "SiteName",
                "ComputerName",
                "ServerIP",
                "Method",
                "UriStem",
                "UriQuery",
                "HttpStatus",
                "Win32Status",
                "BytesSent",
                "BytesRecv",
                "TimeTaken",
                "ServerPort",
                "UserAgent",
                "Cookie",
                "Referer",
                "ProtocolVersion",
                "Host",
                "HttpSubStatus",
            ]
        )
    },
}.items():
    _numbers = _values if isinstance(_values, dict) else {n: i for i, n in enumerate(str(_values).split())}
    _flags = _name in (
        "LogExtFileFlags",
        "LogTargetW3C",
        "RecyclingLogEventOnRecycle",
        "SslFlags",
        "ProcessModelLogEventOnProcessModel",
    )
    net_enum(MWA + _name, _numbers, flags=_flags).assembly = ASSEMBLY


def enum(name: str, value: int) -> EnumValue:
    return get_type(MWA + name).enum(value)


def mwa_type(name: str, base: str = "System.Object", **more: Any) -> Callable[[Any], Any]:
    return net_type(MWA + name, base=base, assembly=ASSEMBLY, kind="class", **more)


COLLECTION = ("Collections.ICollection", "Collections.IEnumerable")


class Sequence(NetObject):
    """Count, index and enumeration for the API's small read-only collections. Subclasses give `_items()`."""

    def _items(self) -> list[Any]:
        raise NotImplementedError

    def _by_name(self, name: str) -> Any:
        return next((i for i in self._items() if i.name.lower() == name.lower()), None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __len__(self) -> int:
        return len(self._items())


def item_at(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise net_exception(invalid_index())
    return items[index]


def no_metadata(name: str) -> Any:
    raise LabUnsupported(f"the metadata '{name}' of Microsoft.Web.Administration")


def needed(value: str | None, name: str) -> str:
    if value is None or value == "":
        raise argument_null(name)
    return value
