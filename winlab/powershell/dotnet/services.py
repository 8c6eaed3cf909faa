"""System.ServiceProcess.ServiceController over the server's service control manager."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue
from winlab.windows.errors import WindowsError

from . import context
from .core import ctor, method, net_type, prop, static
from .declare import argument, invalid_operation, need, win32
from .diagnostics import Component
from .threads import wait_until


def manager() -> Any:
    return context.machine().services


@net_type("System.ServiceProcess.ServiceController")
class ServiceController(Component):
    """A service by name; what it says is read when asked."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return "System.ServiceProcess.ServiceController"

    @staticmethod
    def convert_from(value: Any) -> Any:
        return ServiceController(value) if isinstance(value, str) else None

    @property
    def inner(self) -> Any:
        found = manager().find(self.name)
        if found is None:
            raise invalid_operation(f"Service {self.name} was not found on computer '.'.")
        return found

    @ctor("()")
    def new(self) -> None:
        self.name = ""

    @ctor("(String)")
    @ctor("(String,String)")
    def new_name(self, name: str, machine: str = ".") -> None:
        if not need(name, "name"):
            raise argument("Invalid value  for parameter name.")
        self.name = name

    @prop("ServiceName : String")
    def service_name(self) -> str:
        found = manager().find(self.name)
        return str(found.name) if found is not None else self.name

    @prop("DisplayName : String")
    def display_name(self) -> str:
        return str(self.inner.display_name)

    @prop("MachineName : String")
    def machine_name(self) -> str:
        return "."

    @prop("Status : ServiceProcess.ServiceControllerStatus get")
    def status(self) -> str:
        return str(self.inner.status)

    @prop("StartType : ServiceProcess.ServiceStartMode get")
    def start_type(self) -> str:
        return str(self.inner.start_type)

    @prop("CanStop : Boolean get")
    def can_stop(self) -> bool:
        return bool(self.inner.can_stop)

    @prop("CanPauseAndContinue : Boolean get")
    def can_pause_and_continue(self) -> bool:
        self.inner  # noqa: B018  # a service that is not there fails here too
        return False

    @prop("CanShutdown : Boolean get")
    def can_shutdown(self) -> bool:
        return self.inner.status == "Running"

    @prop("ServiceType : ServiceProcess.ServiceType get")
    def service_type(self) -> str:
        return "Win32ShareProcess" if "svchost" in self.inner.image_path.lower() else "Win32OwnProcess"

    @prop("DependentServices : ServiceProcess.ServiceController[] get")
    def dependent_services(self) -> list[ServiceController]:
        return [ServiceController(item.name) for item in self.inner.dependents]

    @prop("ServicesDependedOn : ServiceProcess.ServiceController[] get")
    def services_depended_on(self) -> list[ServiceController]:
        return [ServiceController(name) for name in self.inner.depends_on]

    def _act(self, verb: str, action: Any) -> None:
        inner = self.inner
        require_administrator(verb, inner.name)
        try:
            action(inner)
        except WindowsError as error:
            raise invalid_operation_inner(f"Cannot {verb} service {inner.name} on computer '.'.", error) from None

    @method("Start() : Void")
    def start(self) -> None:
        self._act("start", lambda inner: manager().start(inner.name))

    @method("Start(String[]) : Void")
    def start_arguments(self, arguments: Any) -> None:
        self.start()

    @method("Stop() : Void")
    def stop(self) -> None:
        self._act("stop", lambda inner: manager().stop(inner.name, force=True))

    @method("Pause() : Void")
    @method("Continue() : Void")
    def pause(self) -> None:
        raise invalid_operation_inner(f"Cannot pause {self.inner.name} service on computer '.'.", WindowsError(1052))

    @method("ExecuteCommand(Int32) : Void")
    def execute_command(self, command: int) -> None:
        raise LabUnsupported("ServiceController.ExecuteCommand")

    @method("WaitForStatus(ServiceProcess.ServiceControllerStatus) : Void")
    def wait_for_status_forever(self, wanted: EnumValue) -> None:
        wait_until(lambda: self.inner.status == wanted.name, None)

    @method("WaitForStatus(ServiceProcess.ServiceControllerStatus,TimeSpan) : Void")
    def wait_for_status(self, wanted: EnumValue, timeout: Any) -> None:
        if not wait_until(lambda: self.inner.status == wanted.name, timeout.seconds):
            raise NetException(
                "System.ServiceProcess.TimeoutException",
                "Time out has expired and the operation has not been completed.",
            )

    @method("Refresh() : Void")
    @method("Close() : Void")
    def refresh(self) -> None:
        pass

    @static("GetServices() : ServiceProcess.ServiceController[]")
    def get_services() -> list[ServiceController]:
        return [ServiceController(item.name) for item in manager().all()]


def invalid_operation_inner(message: str, error: WindowsError) -> NetException:
    return NetException("System.InvalidOperationException", message, win32(error))


def require_administrator(verb: str, name: str) -> None:
    """Services are controlled by administrators."""
    user = context.user()
    if user is not None and not user.elevated and not user.is_system:
        raise invalid_operation_inner(f"Cannot open {name} service on computer '.'.", WindowsError(5))
