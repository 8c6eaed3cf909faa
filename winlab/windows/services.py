"""Windows services: configuration in the registry (as on Windows), state in memory.

Sources: documentation of ChangeServiceConfig, StartService and ControlService for rules and error codes; names, start types and accounts as on a fresh Server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from winlab.windows.errors import WindowsError

if TYPE_CHECKING:
    from winlab.windows.machine import Machine
    from winlab.windows.processes import Process

ROOT = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
START_TYPES = {"Boot": 0, "System": 1, "Automatic": 2, "Manual": 3, "Disabled": 4}
STATES = {
    "Stopped": 1,
    "StartPending": 2,
    "StopPending": 3,
    "Running": 4,
    "ContinuePending": 5,
    "PausePending": 6,
    "Paused": 7,
}
_SVCHOST = "C:\\Windows\\System32\\svchost.exe -k "
_BARE: tuple[tuple[str, str, str, str, str, tuple[str, ...], bool], ...] = (
    # name, display name, start type, image, account, depends on, runs
    ("BFE", "Base Filtering Engine", "Automatic", _SVCHOST + "LocalServiceNoNetwork", "NT AUTHORITY\\LocalService", ("RpcSs",), True),
    ("BITS", "Background Intelligent Transfer Service", "Manual", _SVCHOST + "netsvcs", "LocalSystem", ("RpcSs",), False),
    ("CryptSvc", "Cryptographic Services", "Automatic", _SVCHOST + "NetworkService", "NT Authority\\NetworkService", ("RpcSs",), True),
    ("Dhcp", "DHCP Client", "Automatic", _SVCHOST + "LocalServiceNetworkRestricted", "NT Authority\\LocalService", (), True),
    ("Dnscache", "DNS Client", "Automatic", _SVCHOST + "NetworkService", "NT AUTHORITY\\NetworkService", (), True),
    ("EventLog", "Windows Event Log", "Automatic", _SVCHOST + "LocalServiceNetworkRestricted", "NT AUTHORITY\\LocalService", (), True),
    ("LanmanServer", "Server", "Automatic", _SVCHOST + "netsvcs", "LocalSystem", (), True),
    ("LanmanWorkstation", "Workstation", "Automatic", _SVCHOST + "NetworkService", "NT AUTHORITY\\NetworkService", (), True),
    ("MpsSvc", "Windows Firewall", "Automatic", _SVCHOST + "LocalServiceNoNetwork", "NT Authority\\LocalService", ("BFE",), True),
    ("msiserver", "Windows Installer", "Manual", "C:\\Windows\\system32\\msiexec.exe /V", "LocalSystem", ("RpcSs",), False),
    ("Netlogon", "Netlogon", "Manual", "C:\\Windows\\system32\\lsass.exe", "LocalSystem", ("LanmanWorkstation",), False),
    ("RpcSs", "Remote Procedure Call (RPC)", "Automatic", _SVCHOST + "rpcss", "NT AUTHORITY\\NetworkService", (), True),
    ("Schedule", "Task Scheduler", "Automatic", _SVCHOST + "netsvcs", "LocalSystem", ("RpcSs",), True),
    ("seclogon", "Secondary Logon", "Manual", _SVCHOST + "netsvcs", "LocalSystem", (), False),
    ("Spooler", "Print Spooler", "Automatic", "C:\\Windows\\System32\\spoolsv.exe", "LocalSystem", ("RpcSs",), True),
    ("TermService", "Remote Desktop Services", "Manual", _SVCHOST + "termsvcs", "NT Authority\\NetworkService", ("RpcSs",), True),
    ("TrustedInstaller", "Windows Modules Installer", "Manual", "C:\\Windows\\servicing\\TrustedInstaller.exe", "localSystem", (), False),
    ("W32Time", "Windows Time", "Manual", _SVCHOST + "LocalService", "NT AUTHORITY\\LocalService", (), True),
    ("WinDefend", "Windows Defender Service", "Automatic", "C:\\Program Files\\Windows Defender\\MsMpEng.exe", "LocalSystem", ("RpcSs",), True),
    ("Winmgmt", "Windows Management Instrumentation", "Automatic", _SVCHOST + "netsvcs", "localSystem", ("RpcSs",), True),
    ("WinRM", "Windows Remote Management (WS-Management)", "Automatic", _SVCHOST + "NetworkService", "NT AUTHORITY\\NetworkService", ("RpcSs",), True),
    ("wuauserv", "Windows Update", "Manual", _SVCHOST + "netsvcs", "LocalSystem", ("RpcSs",), False),
)  # fmt: skip


@dataclass
class Controller:
    """What a service of the lab really does. Each may raise WindowsError to refuse."""

    start: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None


class Service:
    """A service as configured. `status` is one of STATES; `start_type` one of START_TYPES."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self.name = name
        self.status = "Stopped"
        self.exit_code = 0
        self.process: Process | None = None
        self.controller: Controller = Controller()

    @property
    def _key(self) -> Any:
        return self._services.machine.registry.open(f"{ROOT}\\{self.name}")

    def _get(self, value: str, default: Any) -> Any:
        return self._services.machine.registry.get(f"{ROOT}\\{self.name}", value, default)

    @property
    def display_name(self) -> str:
        return str(self._get("DisplayName", self.name))

    @property
    def description(self) -> str:
        return str(self._get("Description", ""))

    @property
    def image_path(self) -> str:
        return str(self._get("ImagePath", ""))

    @property
    def account(self) -> str:
        return str(self._get("ObjectName", "LocalSystem"))

    @property
    def delayed(self) -> bool:
        return bool(self._get("DelayedAutostart", 0))

    @property
    def start_type(self) -> str:
        number = int(self._get("Start", 3))
        return next(name for name, value in START_TYPES.items() if value == number)

    @property
    def depends_on(self) -> list[str]:
        return list(self._get("DependOnService", []))

    @property
    def dependents(self) -> list[Service]:
        """Services that need this one."""
        return [
            service
            for service in self._services.all()
            if self.name.lower() in (item.lower() for item in service.depends_on)
        ]

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None and self.status == "Running" else 0

    @property
    def can_stop(self) -> bool:
        return self.status == "Running" and self.name != "RpcSs"


class Services:
    """The service control manager."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._services: dict[str, Service] = {}
        self._controllers: dict[str, Controller] = {}
        if not machine.registry.exists(f"{ROOT}\\RpcSs"):
            self._make_bare()
        for name in machine.registry.open(ROOT).subkeys():
            if machine.registry.get(f"{ROOT}\\{name}", "ImagePath") is not None:
                self._services[name.lower()] = Service(self, name)
        self._running_bare = {name.lower() for name, *_, runs in _BARE if runs}
        for service in self._services.values():
            if service.name.lower() in self._running_bare and service.start_type != "Disabled":
                self._mark_running(service)

    def _make_bare(self) -> None:
        with self.machine.registry.batch():
            for name, display, start, image, account, depends, _ in _BARE:
                self._write(name, display, start, image, account, list(depends))

    def _write(
        self, name: str, display: str, start: str, image: str, account: str, depends: list[str], description: str = ""
    ) -> None:
        key = self.machine.registry.create(f"{ROOT}\\{name}")
        key.set("DisplayName", display)
        key.set("ErrorControl", 1)
        key.set("ImagePath", image, "ExpandString")
        key.set("Start", START_TYPES[start])
        key.set("Type", 32 if "svchost" in image else 16)
        key.set("ObjectName", account)
        if depends:
            key.set("DependOnService", depends)
        if description:
            key.set("Description", description)

    # -- looking up -----------------------------------------------------------------------------------------------------------------

    def all(self) -> list[Service]:
        """Services by name."""
        return sorted(self._services.values(), key=lambda service: service.name.lower())

    def find(self, name: str) -> Service | None:
        """By name, or by display name."""
        found = self._services.get(name.lower())
        if found is None:
            found = next((item for item in self.all() if item.display_name.lower() == name.lower()), None)
        return found

    def exists(self, name: str) -> bool:
        return name.lower() in self._services

    def get(self, name: str) -> Service:
        """WindowsError 1060 when there is none of that name."""
        found = self._services.get(name.lower())
        if found is None:
            raise WindowsError(1060)
        return found

    # -- configuration ------------------------------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        image_path: str,
        display_name: str | None = None,
        start_type: str = "Manual",
        account: str = "LocalSystem",
        depends_on: list[str] | None = None,
        description: str = "",
        controller: Controller | None = None,
    ) -> Service:
        """WindowsError 1073 when the name is taken."""
        if self.exists(name):
            raise WindowsError(1073)
        self._write(name, display_name or name, start_type, image_path, account, depends_on or [], description)
        service = self._services[name.lower()] = Service(self, name)
        if controller is not None:
            service.controller = controller
        return service

    def delete(self, name: str) -> None:
        """Removes a stopped service; WindowsError 1072 for a running one (Windows marks it for deletion; here it goes when it stops)."""
        service = self.get(name)
        if service.status != "Stopped":
            self.stop(name)
        self.machine.registry.delete(f"{ROOT}\\{service.name}", recursive=True)
        del self._services[name.lower()]

    def configure(
        self,
        name: str,
        *,
        start_type: str | None = None,
        delayed: bool | None = None,
        display_name: str | None = None,
        image_path: str | None = None,
        account: str | None = None,
        depends_on: list[str] | None = None,
        description: str | None = None,
    ) -> None:
        """Changes what is given. WindowsError 87 for an unknown start type."""
        service = self.get(name)
        key = self.machine.registry.open(f"{ROOT}\\{service.name}")
        if start_type is not None:
            if start_type not in START_TYPES:
                raise WindowsError(87)
            key.set("Start", START_TYPES[start_type])
            if start_type != "Automatic" and key.has("DelayedAutostart"):
                key.delete_value("DelayedAutostart")
        for value, data in (("DisplayName", display_name), ("ObjectName", account), ("Description", description)):
            if data is not None:
                key.set(value, data)
        if image_path is not None:
            key.set("ImagePath", image_path, "ExpandString")
        if depends_on is not None:
            key.set("DependOnService", depends_on)
        if delayed is not None:
            key.set("DelayedAutostart", int(delayed))

    def set_controller(self, name: str, controller: Controller) -> None:
        """Gives an existing service something to do when it starts and stops."""
        self.get(name).controller = controller

    # -- state --------------------------------------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Starts a service and those it depends on. WindowsError 1056 (runs already), 1058 (disabled), 1068 (a dependency failed), 1075."""
        service = self.get(name)
        if service.status == "Running":
            raise WindowsError(1056)
        if service.start_type == "Disabled":
            raise WindowsError(1058)
        for dependency in service.depends_on:
            if not self.exists(dependency):
                raise WindowsError(1075)
            if self.get(dependency).status != "Running":
                try:
                    self.start(dependency)
                except WindowsError:
                    raise WindowsError(1068) from None
        service.controller.start()
        self._mark_running(service)
        self._note(service, "running")

    def _mark_running(self, service: Service) -> None:
        service.status = "Running"
        service.exit_code = 0

    def attach_processes(self) -> None:
        """Gives running services their processes (once the process table is there)."""
        for service in self._services.values():
            if service.status == "Running" and (service.process is None or not service.process.alive):
                service.process = self._process(service)

    def _process(self, service: Service) -> Process | None:
        hosts = self.machine.processes.find("svchost.exe")
        if "svchost" in service.image_path and hosts:
            return hosts[sum(map(ord, service.name)) % len(hosts)]
        found = self.machine.processes.find(service.image_path.rpartition("\\")[2].partition(" ")[0])
        return found[0] if found else None

    def stop(self, name: str, force: bool = False) -> None:
        """Stops a service; with `force`, those that depend on it first. WindowsError 1062 (not running), 1051 (others depend on it), 1052 (cannot be)."""
        service = self.get(name)
        if service.status == "Stopped":
            raise WindowsError(1062)
        if not service.can_stop:
            raise WindowsError(1052)
        running = [item for item in service.dependents if item.status != "Stopped"]
        if running and not force:
            raise WindowsError(1051)
        for item in running:
            self.stop(item.name, force=True)
        service.controller.stop()
        service.status = "Stopped"
        self._note(service, "stopped")

    def restart(self, name: str) -> None:
        if self.get(name).status != "Stopped":
            self.stop(name, force=True)
        self.start(name)

    def _note(self, service: Service, state: str) -> None:
        self.machine.eventlog.write(
            "System",
            "Service Control Manager",
            7036,
            "Information",
            f"The {service.display_name} service entered the {state} state.",
        )

    def boot(self) -> None:
        """Starts what starts by itself."""
        for service in self.all():
            if service.start_type == "Automatic" and service.status != "Running":
                try:
                    self.start(service.name)
                except WindowsError as exc:
                    self.machine.eventlog.write(
                        "System",
                        "Service Control Manager",
                        7000,
                        "Error",
                        f"The {service.display_name} service failed to start due to the following error: \r\n{exc.message}",
                    )

    def shutdown(self) -> None:
        """Stops those that the lab really runs."""
        for service in reversed(self.all()):
            if service.status == "Running" and service.name.lower() not in self._running_bare:
                try:
                    service.controller.stop()
                except WindowsError:
                    pass
                service.status = "Stopped"
