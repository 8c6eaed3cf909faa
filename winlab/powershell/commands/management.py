"""Microsoft.PowerShell.Management: services, processes, event logs, the computer.

Sources: the parameter list of Server 2016 and the error texts of the real cmdlets' resources.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from winlab.powershell.commands.core import (
    Cmdlet,
    SetInfo,
    ValidateNotNullOrEmpty,
    ValidateRange,
    ValidateSet,
    cmdlet,
    parameter,
    switch,
)
from winlab.powershell.dotnet import load
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import PSCustomObject, unwrap
from winlab.powershell.runtime.wildcard import has_wildcards, wildcard
from winlab.windows.errors import WindowsError

load()

from winlab.powershell.dotnet.declare import win32  # noqa: E402
from winlab.powershell.dotnet.diagnostics import EventLog, EventLogEntry, FileVersionInfo, Process  # noqa: E402
from winlab.powershell.dotnet.net import connect_address, off_thread, resolve_host  # noqa: E402
from winlab.powershell.dotnet.services import ServiceController  # noqa: E402
from winlab.powershell.dotnet.threads import wait_until  # noqa: E402
from winlab.powershell.dotnet.time import DateTime  # noqa: E402
from winlab.powershell.dotnet.values import net_string  # noqa: E402

MANAGEMENT = "Microsoft.PowerShell.Management"
ERRORS = "Microsoft.PowerShell.Commands."
NOT_EMPTY = (ValidateNotNullOrEmpty(),)


def texts(values: Any) -> list[str]:
    return [net_string(value) for value in values or ()]


def local_only(cmdlet_object: Cmdlet, names: Any) -> None:
    """-ComputerName: this computer only; others are refused by name."""
    for name in texts(names):
        own = str(cmdlet_object.machine.name).lower()
        if name.lower() not in (".", "localhost", "127.0.0.1", own):
            raise LabUnsupported(f"{cmdlet_object.command_name} -ComputerName {name} (another computer)")


# ------------------------------------------------------------------------------------------------------------ services


class _ServiceCmdlet(Cmdlet):
    """What the service cmdlets share: finding services by name, display name or object."""

    include: Any = None
    exclude: Any = None

    def service_error(
        self, kind: str, service: Any, verb: str, error_id: str, inner: NetException | None, category: str
    ) -> Any:
        shown = f"{service.display_name} ({service.name})"
        reason = inner.message if inner is not None else ""
        if inner is not None and inner.inner is not None:
            reason = inner.message
        message = {
            "start": f"Service '{shown}' cannot be started due to the following error: {reason}",
            "stop": f"Service '{shown}' cannot be stopped due to the following error: {reason}",
            "configure": f"Service '{shown}' cannot be configured due to the following error: {reason}",
            "create": f"Service '{shown}' cannot be created due to the following error: {reason}",
            "query": f"Service '{shown}' cannot be queried due to the following error: {reason}",
        }[verb]
        return self.error(
            kind, message, error_id, category, ServiceController(service.name), inner, ServiceName=service.name
        )

    def matching(self, patterns: Iterable[str], by_display: bool) -> Iterator[Any]:
        for pattern in patterns:
            test = wildcard(pattern)
            found = [
                item for item in self.machine.services.all() if test(item.display_name if by_display else item.name)
            ]
            if not found and not has_wildcards(pattern):
                if by_display:
                    self.write_error(
                        self.error(
                            ERRORS + "ServiceCommandException",
                            f"Cannot find any service with display name '{pattern}'.",
                            "NoServiceFoundForGivenDisplayName",
                            "ObjectNotFound",
                            pattern,
                            ServiceName=pattern,
                        )
                    )
                else:
                    self.write_error(
                        self.error(
                            ERRORS + "ServiceCommandException",
                            f"Cannot find any service with service name '{pattern}'.",
                            "NoServiceFoundForGivenName",
                            "ObjectNotFound",
                            pattern,
                            ServiceName=pattern,
                        )
                    )
            yield from found

    def selected(self, name: Any, display_name: Any, input_object: Any) -> list[Any]:
        """The model's services that the parameters mean, each once."""
        if input_object is not None:
            found = [unwrap(item).inner for item in input_object]
        elif display_name is not None:
            found = list(self.matching(texts(display_name), True))
        else:
            found = list(self.matching(texts(name) or ["*"], False))
        chosen: dict[str, Any] = {}
        for service in found:
            if self.include and not any(wildcard(item)(service.name) for item in texts(self.include)):
                continue
            if self.exclude and any(wildcard(item)(service.name) for item in texts(self.exclude)):
                continue
            chosen.setdefault(service.name.lower(), service)
        return list(chosen.values())

    def may_control(self, service: Any, verb: str) -> bool:
        """Whether the user is an administrator; else the error that the control manager's refusal becomes."""
        if self.user is None or self.user.elevated or self.user.is_system:
            return True
        error_id = {"start": "CouldNotStartService", "stop": "CouldNotStopService", "configure": "CouldNotSetService"}[
            verb
        ]
        inner = NetException(
            "System.InvalidOperationException",
            f"Cannot open {service.name} service on computer '.'.",
            win32(WindowsError(5)),
        )
        category = "PermissionDenied" if verb == "configure" else "OpenError"
        self.write_error(
            self.service_error(ERRORS + "ServiceCommandException", service, verb, error_id, inner, category)
        )
        return False

    def start_one(self, service: Any) -> bool:
        """Start a service; one that runs is left alone. False after an error was reported."""
        if service.status == "Running":
            return True
        if not self.may_control(service, "start"):
            return False
        try:
            self.machine.services.start(service.name)
            return True
        except WindowsError as error:
            inner = NetException(
                "System.InvalidOperationException",
                f"Cannot start service {service.name} on computer '.'.",
                win32(error),
            )
            self.write_error(
                self.service_error(
                    ERRORS + "ServiceCommandException", service, "start", "CouldNotStartService", inner, "OpenError"
                )
            )
            return False

    def stop_one(self, service: Any, force: bool) -> bool:
        if service.status == "Stopped":
            return True
        if not self.may_control(service, "stop"):
            return False
        running = [item for item in service.dependents if item.status != "Stopped"]
        if running and not force:
            self.write_error(
                self.error(
                    ERRORS + "ServiceCommandException",
                    f"Cannot stop service '{service.display_name} ({service.name})' because it has dependent services. It can only be "
                    "stopped if the Force flag is set.",
                    "ServiceHasDependentServices",
                    "InvalidOperation",
                    ServiceController(service.name),
                    ServiceName=service.name,
                )
            )
            return False
        try:
            self.machine.services.stop(service.name, force=True)
            return True
        except WindowsError as error:
            inner = NetException(
                "System.InvalidOperationException", f"Cannot stop {service.name} service on computer '.'.", win32(error)
            )
            self.write_error(
                self.service_error(
                    ERRORS + "ServiceCommandException", service, "stop", "CouldNotStopService", inner, "CloseError"
                )
            )
            return False


_NAME_SETS = {"Default": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)}
_INPUT_SETS = {"InputObject": SetInfo(position=0, mandatory=True, pipeline=True)}


@cmdlet("Get-Service", module=MANAGEMENT, default_set="Default", aliases=("gsv",))
class GetService(_ServiceCmdlet):
    """Services, by name or display name."""

    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    name = parameter(
        "Name",
        "String[]",
        roles={"Default": SetInfo(position=0, pipeline=True, by_name=True)},
        aliases=("ServiceName",),
    )
    display_name = parameter("DisplayName", "String[]", mandatory=True, sets=("DisplayName",))
    input_object = parameter("InputObject", "ServiceProcess.ServiceController[]", pipeline=True, sets=("InputObject",))
    computer_name = parameter("ComputerName", "String[]", by_name=True, aliases=("Cn",))
    dependent = switch("DependentServices", aliases=("DS",))
    required = switch("RequiredServices", aliases=("SDO", "ServicesDependedOn"))

    def process(self) -> None:
        local_only(self, self.computer_name)
        chosen = self.selected(self.name, self.display_name, self.input_object)
        for service in sorted(chosen, key=lambda item: item.name.lower()):
            if not self.dependent and not self.required:
                self.write(ServiceController(service.name))
            if self.dependent:
                for item in service.dependents:
                    self.write(ServiceController(item.name))
            if self.required:
                for name in service.depends_on:
                    self.write(ServiceController(name))


class _ServiceAction(_ServiceCmdlet):
    include = parameter("Include", "String[]")
    exclude = parameter("Exclude", "String[]")
    name = parameter("Name", "String[]", roles=_NAME_SETS, aliases=("ServiceName",))
    display_name = parameter("DisplayName", "String[]", mandatory=True, sets=("DisplayName",))
    input_object = parameter("InputObject", "ServiceProcess.ServiceController[]", roles=_INPUT_SETS)
    pass_through = switch("PassThru")

    def act(self, service: Any) -> bool:
        raise NotImplementedError

    def process(self) -> None:
        for service in self.selected(self.name, self.display_name, self.input_object):
            self.check()
            if not self.should_process(f"{service.display_name} ({service.name})", self.command_name):
                continue
            if self.act(service) and self.pass_through:
                self.write(ServiceController(service.name))


@cmdlet("Start-Service", module=MANAGEMENT, default_set="InputObject", should_process=True, aliases=("sasv",))
class StartService(_ServiceAction):
    """Starts services."""

    def act(self, service: Any) -> bool:
        return self.start_one(service)


@cmdlet("Stop-Service", module=MANAGEMENT, default_set="InputObject", should_process=True, aliases=("spsv",))
class StopService(_ServiceAction):
    """Stops services."""

    force = switch("Force")
    no_wait = switch("NoWait")

    def act(self, service: Any) -> bool:
        return self.stop_one(service, bool(self.force))


@cmdlet("Restart-Service", module=MANAGEMENT, default_set="InputObject", should_process=True)
class RestartService(_ServiceAction):
    """Stops and starts services, with those that depended on them."""

    force = switch("Force")

    def act(self, service: Any) -> bool:
        dependents = [item for item in service.dependents if item.status != "Stopped"]
        if not self.stop_one(service, bool(self.force)):
            return False
        done = self.start_one(service)
        for item in dependents:
            done = self.start_one(item) and done
        return done


@cmdlet("Suspend-Service", module=MANAGEMENT, default_set="InputObject", should_process=True)
class SuspendService(_ServiceAction):
    """Pausing: no service of the lab can be paused."""

    def act(self, service: Any) -> bool:
        self.write_error(
            self.error(
                ERRORS + "ServiceCommandException",
                f"Service '{service.display_name} ({service.name})' cannot be suspended because the service does not support being "
                "suspended or resumed.",
                "CouldNotSuspendServiceNotSupported",
                "CloseError",
                ServiceController(service.name),
                ServiceName=service.name,
            )
        )
        return False


@cmdlet("Set-Service", module=MANAGEMENT, default_set="Name", should_process=True)
class SetService(_ServiceCmdlet):
    """Changes a service's display name, description, start type and state."""

    name = parameter(
        "Name",
        "String",
        roles={"Name": SetInfo(position=0, mandatory=True, pipeline=True, by_name=True)},
        aliases=("ServiceName", "SN"),
    )
    input_object = parameter("InputObject", "ServiceProcess.ServiceController", pipeline=True, sets=("InputObject",))
    computer_name = parameter("ComputerName", "String[]", by_name=True, aliases=("cn",))
    display_name = parameter("DisplayName", "String", aliases=("DN",))
    description = parameter("Description", "String")
    startup_type = parameter("StartupType", "ServiceProcess.ServiceStartMode", aliases=("StartMode", "SM", "ST"))
    status = parameter("Status", "String", validate=(ValidateSet("Running", "Stopped", "Paused"),))
    pass_through = switch("PassThru")

    def process(self) -> None:
        local_only(self, self.computer_name)
        if self.input_object is not None:
            service = unwrap(self.input_object).inner
        else:
            service = self.machine.services.find(self.name or "")
            if service is None:
                self.write_error(
                    self.error(
                        "System.InvalidOperationException",
                        f"Service {self.name} was not found on computer '.'.",
                        "InvalidOperationException",
                        "ObjectNotFound",
                        self.name,
                    )
                )
                return
        if not self.should_process(f"{service.display_name} ({service.name})", "Set-Service"):
            return
        if not self.may_control(service, "configure"):
            return
        changes: dict[str, Any] = {}
        if "displayname" in self.bound:
            changes["display_name"] = self.display_name
        if "description" in self.bound:
            changes["description"] = self.description
        if "startuptype" in self.bound:
            changes["start_type"] = self.startup_type.name
        try:
            if changes:
                self.machine.services.configure(service.name, **changes)
        except WindowsError as error:
            inner = win32(error)
            self.write_error(
                self.service_error(
                    ERRORS + "ServiceCommandException",
                    service,
                    "configure",
                    "CouldNotSetService",
                    inner,
                    "PermissionDenied",
                )
            )
            return
        if self.status == "Running":
            self.start_one(service)
        elif self.status == "Stopped":
            self.stop_one(service, False)
        elif self.status == "Paused":
            raise LabUnsupported("Set-Service -Status Paused")
        if self.pass_through:
            self.write(ServiceController(service.name))


@cmdlet("New-Service", module=MANAGEMENT, should_process=True)
class NewService(_ServiceCmdlet):
    """Creates a service."""

    name = parameter("Name", "String", position=0, mandatory=True, aliases=("ServiceName",))
    path = parameter("BinaryPathName", "String", position=1, mandatory=True)
    display_name = parameter("DisplayName", "String")
    description = parameter("Description", "String")
    startup_type = parameter("StartupType", "ServiceProcess.ServiceStartMode")
    credential = parameter("Credential", "Management.Automation.PSCredential")
    depends_on = parameter("DependsOn", "String[]")

    def process(self) -> None:
        if not self.should_process(f"{self.display_name or self.name} ({self.name})", "New-Service"):
            return
        try:
            if self.user is not None and not self.user.elevated and not self.user.is_system:
                raise WindowsError(5)
            self.machine.services.create(
                self.name,
                self.path,
                display_name=self.display_name,
                start_type=self.startup_type.name if self.startup_type is not None else "Automatic",
                account=self.credential.user_name if self.credential is not None else "LocalSystem",
                depends_on=texts(self.depends_on),
                description=self.description or "",
            )
        except WindowsError as error:
            shown = f"{self.display_name or self.name} ({self.name})"
            self.write_error(
                self.error(
                    ERRORS + "ServiceCommandException",
                    f"Service '{shown}' cannot be created due to the following error: {error.message.rstrip('.')}",
                    "CouldNotNewService",
                    "PermissionDenied",
                    None,
                    win32(error),
                    ServiceName=self.name,
                )
            )
            return
        self.write(ServiceController(self.name))


# ------------------------------------------------------------------------------------------------------------ processes


class _ProcessCmdlet(Cmdlet):
    def by_name(self, patterns: Iterable[str]) -> Iterator[Process]:
        for pattern in patterns:
            short = pattern[:-4] if pattern.lower().endswith(".exe") and self.command_name != "Get-Process" else pattern
            test = wildcard(short)
            found = [item for item in Process.get_processes() if test(item.process_name)]
            if not found and not has_wildcards(pattern):
                self.write_error(
                    self.error(
                        ERRORS + "ProcessCommandException",
                        f'Cannot find a process with the name "{pattern}". Verify the process name and call the cmdlet again.',
                        "NoProcessFoundForGivenName",
                        "ObjectNotFound",
                        pattern,
                        ProcessName=pattern,
                    )
                )
            yield from found

    def by_id(self, numbers: Iterable[int]) -> Iterator[Process]:
        for pid in numbers:
            inner = self.machine.processes.get(int(pid))
            if inner is None or not inner.alive:
                self.write_error(
                    self.error(
                        ERRORS + "ProcessCommandException",
                        f"Cannot find a process with the process identifier {int(pid)}.",
                        "NoProcessFoundForGivenId",
                        "ObjectNotFound",
                        int(pid),
                        ProcessName=str(int(pid)),
                    )
                )
                continue
            yield Process(inner)

    def selected(self, name: Any, ids: Any, input_object: Any) -> list[Process]:
        if input_object is not None:
            found = [unwrap(item) for item in input_object]
        elif ids is not None:
            found = list(self.by_id(ids))
        else:
            found = list(self.by_name(texts(name) or ["*"]))
        chosen: dict[int, Process] = {}
        for item in found:
            chosen.setdefault(item.own().pid, item)
        return list(chosen.values())


_GET_NAME = {"Name": SetInfo(position=0, by_name=True), "NameWithUserName": SetInfo(position=0, by_name=True)}
_GET_ID = {"Id": SetInfo(mandatory=True, by_name=True), "IdWithUserName": SetInfo(mandatory=True, by_name=True)}
_GET_INPUT = {
    "InputObject": SetInfo(mandatory=True, pipeline=True),
    "InputObjectWithUserName": SetInfo(mandatory=True, pipeline=True),
}
_WITH_USER = {
    name: SetInfo(mandatory=True) for name in ("NameWithUserName", "IdWithUserName", "InputObjectWithUserName")
}


@cmdlet("Get-Process", module=MANAGEMENT, default_set="Name", aliases=("gps", "ps"))
class GetProcess(_ProcessCmdlet):
    """Processes of the server."""

    name = parameter("Name", "String[]", roles=_GET_NAME, aliases=("ProcessName",))
    id = parameter("Id", "Int32[]", roles=_GET_ID, aliases=("PID",))
    input_object = parameter("InputObject", "Diagnostics.Process[]", roles=_GET_INPUT)
    include_user = switch("IncludeUserName", roles=_WITH_USER)
    computer_name = parameter(
        "ComputerName", "String[]", by_name=True, sets=("Name", "Id", "InputObject"), aliases=("Cn",)
    )
    module_info = switch("Module", sets=("Name", "Id", "InputObject"))
    version_info = switch("FileVersionInfo", sets=("Name", "Id", "InputObject"), aliases=("FV", "FVI"))

    def process(self) -> None:
        local_only(self, self.computer_name)
        found = self.selected(self.name, self.id, self.input_object)
        for item in sorted(found, key=lambda one: (one.process_name.lower(), one.own().pid)):
            self.check()
            if self.version_info:
                self.write(FileVersionInfo(item.own().image))
            elif self.module_info:
                self.write(item.main_module)
            elif self.include_user:
                self.write(self._with_user(item))
            else:
                self.write(item)

    def _with_user(self, item: Process) -> Any:
        from winlab.powershell.runtime.members import add_type_name, ensure_members

        holder, members = ensure_members(item)
        from winlab.powershell.objects import PSMember

        members["username"] = PSMember(
            "NoteProperty", "UserName", item.own().user.name if item.own().user is not None else None
        )
        return add_type_name(holder, "System.Diagnostics.Process#IncludeUserName")


@cmdlet("Stop-Process", module=MANAGEMENT, default_set="Id", should_process=True, aliases=("kill", "spps"))
class StopProcess(_ProcessCmdlet):
    """Ends processes at once."""

    name = parameter("Name", "String[]", mandatory=True, by_name=True, sets=("Name",), aliases=("ProcessName",))
    id = parameter("Id", "Int32[]", roles={"Id": SetInfo(position=0, mandatory=True, by_name=True)})
    input_object = parameter(
        "InputObject",
        "Diagnostics.Process[]",
        roles={"InputObject": SetInfo(position=0, mandatory=True, pipeline=True)},
    )
    pass_through = switch("PassThru")
    force = switch("Force")

    def process(self) -> None:
        own = getattr(self.runtime, "process", None)
        for item in self.selected(self.name, self.id, self.input_object):
            inner = item.own()
            if not self.should_process(f"{item.process_name} ({inner.pid})", "Stop-Process"):
                continue
            if not inner.alive:
                continue
            if not self._may_stop(inner):
                self.write_error(
                    self.error(
                        ERRORS + "ProcessCommandException",
                        f'Cannot stop process "{item.process_name} ({inner.pid})" because of the following error: Access is denied',
                        "CouldNotStopProcess",
                        "CloseError",
                        item,
                        win32(WindowsError(5)),
                        ProcessName=item.process_name,
                    )
                )
                continue
            if self.pass_through:
                self.write(item)
            inner.kill(exit_code=-1)
            if inner is own:
                self.check()

    def _may_stop(self, inner: Any) -> bool:
        if inner.name.lower() in ("system", "smss.exe", "csrss.exe", "wininit.exe", "services.exe"):
            return False
        if self.user is None or self.user.elevated or self.user.is_system:
            return True
        return inner.user is not None and inner.user.sid == self.user.sid


@cmdlet("Wait-Process", module=MANAGEMENT, default_set="Name")
class WaitProcess(_ProcessCmdlet):
    """Waits for the end of processes."""

    name = parameter(
        "Name", "String[]", roles={"Name": SetInfo(position=0, mandatory=True, by_name=True)}, aliases=("ProcessName",)
    )
    id = parameter(
        "Id", "Int32[]", roles={"Id": SetInfo(position=0, mandatory=True, by_name=True)}, aliases=("PID", "ProcessId")
    )
    input_object = parameter(
        "InputObject", "Diagnostics.Process[]", mandatory=True, pipeline=True, sets=("InputObject",)
    )
    timeout = parameter("Timeout", "Int32", position=1, aliases=("TimeoutSec",), validate=(ValidateRange(0, 32767),))

    def begin(self) -> None:
        self.waited: list[Process] = []

    def process(self) -> None:
        self.waited += self.selected(self.name, self.id, self.input_object)

    def end(self) -> None:
        limit = self.timeout if "timeout" in self.bound else None
        if wait_until(lambda: all(not item.own().alive for item in self.waited), limit):
            return
        for item in self.waited:
            if item.own().alive:
                self.write_error(
                    self.error(
                        "System.TimeoutException",
                        f'This command stopped operation of "{item.process_name} ({item.own().pid})" because the process was not stopped in '
                        "the specified time-out.",
                        "ProcessNotTerminated",
                        "CloseError",
                        item,
                    )
                )


@cmdlet("Start-Process", module=MANAGEMENT, default_set="Default", aliases=("saps", "start"))
class StartProcess(Cmdlet):
    """Starts a program."""

    file_path = parameter("FilePath", "String", position=0, mandatory=True, aliases=("PSPath",), validate=NOT_EMPTY)
    argument_list = parameter("ArgumentList", "String[]", position=1, aliases=("Args",), validate=NOT_EMPTY)
    credential = parameter("Credential", "Management.Automation.PSCredential", sets=("Default",), aliases=("RunAs",))
    directory = parameter("WorkingDirectory", "String")
    load_profile = switch("LoadUserProfile", sets=("Default",), aliases=("Lup",))
    no_window = switch("NoNewWindow", sets=("Default",), aliases=("nnw",))
    pass_through = switch("PassThru")
    redirect_error = parameter("RedirectStandardError", "String", sets=("Default",), aliases=("RSE",))
    redirect_input = parameter("RedirectStandardInput", "String", sets=("Default",), aliases=("RSI",))
    redirect_output = parameter("RedirectStandardOutput", "String", sets=("Default",), aliases=("RSO",))
    verb = parameter("Verb", "String", sets=("UseShellExecute",))
    window_style = parameter("WindowStyle", "Diagnostics.ProcessWindowStyle")
    wait = switch("Wait")
    new_environment = switch("UseNewEnvironment", sets=("Default",))

    def _full(self, path: str) -> str:
        return str(self.machine.fs.resolve(path, self.runtime.file_location))

    def process(self) -> None:
        file_path = self._program()
        directory = self._full(self.directory) if self.directory else self.runtime.file_location
        if not self.machine.fs.is_dir(directory):
            self._failed("The directory name is invalid.")
        command = f'"{file_path}"'
        if self.argument_list is not None:
            command += " " + " ".join(texts(self.argument_list))
        streams: dict[str, Any] = {}
        handles: list[Any] = []
        own = getattr(self.runtime, "program", None)
        hidden = not self.no_window and not (self.redirect_output or self.redirect_error or self.redirect_input)
        for name, path, mode, access in (
            ("stdin", self.redirect_input, "Open", "Read"),
            ("stdout", self.redirect_output, "Create", "Write"),
            ("stderr", self.redirect_error, "Create", "Write"),
        ):
            if path:
                try:
                    handle = self.machine.fs.open(self._full(path), mode, access, "ReadWrite", self.user)
                except WindowsError as error:
                    self._failed(error.message)
                streams[name] = handle
                handles.append(handle)
            elif own is not None and not hidden:
                streams[name] = getattr(own, name)
        user = None
        if self.credential is not None:
            try:
                user = self.machine.accounts.logon(
                    self.credential.user_name, self.credential.password.text, "interactive"
                )
            except WindowsError as error:
                self._failed(error.message)
        if self.new_environment:
            env: Any = self.machine.environment_for(user or self.user)
        else:
            env = dict(self.runtime.env.items())
        try:
            started = self.machine.processes.start(
                command, cwd=directory, env=env, user=user, parent=getattr(self.runtime, "process", None), **streams
            )
        except WindowsError as error:
            for handle in handles:
                handle.close()
            text = "%1 is not a valid Win32 application" if error.code == 193 else error.message
            self._failed(text)
        made = Process(started)
        made.started_here = True
        if handles:
            _close_after(started, handles)
        if self.pass_through:
            self.write(made)
        if self.wait:
            wait_until(lambda: not any(item.alive for item in _family(started)), None)
            for handle in handles:
                handle.close()

    def _program(self) -> str:
        """A path as given, or a program found on the PATH."""
        text = str(self.file_path)
        if "\\" in text or "/" in text or text[1:2] == ":":
            return self._full(text)
        found = self.machine.processes.find_image(text, self.runtime.file_location, dict(self.runtime.env.items()))
        return str(found) if found else text

    def _failed(self, reason: str) -> None:
        self.throw(
            self.error(
                "System.InvalidOperationException",
                f"This command cannot be run due to the error: {reason}",
                "InvalidOperationException",
                "InvalidOperation",
            )
        )


def _family(process: Any) -> list[Any]:
    return [process, *process.tree] if hasattr(process, "tree") else [process]


def _close_after(process: Any, handles: list[Any]) -> None:
    """Close redirected files when the process has ended."""

    def run() -> None:
        process.wait(None)
        for handle in handles:
            handle.close()

    threading.Thread(target=run, daemon=True, name="redirect").start()


# ------------------------------------------------------------------------------------------------------------ event log


class _EventLogCmdlet(Cmdlet):
    def log_missing(self, name: str) -> Any:
        return self.error(
            "System.InvalidOperationException",
            f"The event log '{name}' on computer '.' does not exist.",
            "System.InvalidOperationException",
            "NotSpecified",
        )


@cmdlet("Get-EventLog", module=MANAGEMENT, default_set="LogName")
class GetEventLog(_EventLogCmdlet):
    """Entries of a classic event log, newest first."""

    log_name = parameter("LogName", "String", position=0, mandatory=True, sets=("LogName",), aliases=("LN",))
    instance_id = parameter("InstanceId", "Int64[]", position=1, sets=("LogName",))
    computer_name = parameter("ComputerName", "String[]", aliases=("Cn",))
    newest = parameter("Newest", "Int32", sets=("LogName",), validate=(ValidateRange(0, 2**31 - 1),))
    after = parameter("After", "DateTime", sets=("LogName",))
    before = parameter("Before", "DateTime", sets=("LogName",))
    user_name = parameter("UserName", "String[]", sets=("LogName",))
    index = parameter("Index", "Int32[]", sets=("LogName",))
    entry_type = parameter(
        "EntryType",
        "String[]",
        sets=("LogName",),
        aliases=("ET",),
        validate=(ValidateSet("Error", "Information", "FailureAudit", "SuccessAudit", "Warning"),),
    )
    source = parameter("Source", "String[]", sets=("LogName",), aliases=("ABO",))
    message = parameter("Message", "String", sets=("LogName",), aliases=("MSG",))
    base_object = switch("AsBaseObject", sets=("LogName",))
    list_logs = switch("List", sets=("List",))
    as_string = switch("AsString", sets=("List",))

    def process(self) -> None:
        local_only(self, self.computer_name)
        log = self.machine.eventlog
        if self.parameter_set == "List":
            for name in log.logs:
                self.write(name if self.as_string else EventLog(name))
            return
        name = log.find_log(self.log_name)
        if name is None:
            self.write_error(self.log_missing(self.log_name))
            return
        limit = self.newest if "newest" in self.bound else None
        written = 0
        for event in log.newest(name):
            self.check()
            if limit is not None and written >= limit:
                break
            if self._wanted(event):
                self.write(EventLogEntry(event))
                written += 1
        if not written and any(
            key in self.bound for key in ("entrytype", "source", "message", "after", "before", "instanceid", "username")
        ):
            self.write_error(
                self.error(
                    "System.ArgumentException", "No matches found", "GetEventLogNoEntriesFound", "ObjectNotFound"
                )
            )

    def _wanted(self, event: Any) -> bool:
        moment = DateTime.of(event.time)
        if self.after is not None and not moment.ticks > self.after.ticks:
            return False
        if self.before is not None and not moment.ticks < self.before.ticks:
            return False
        if self.instance_id is not None and event.event_id not in [int(item) for item in self.instance_id]:
            return False
        if self.index is not None and event.record_id not in [int(item) for item in self.index]:
            return False
        if self.entry_type is not None and str(event.level).lower() not in [
            item.lower() for item in texts(self.entry_type)
        ]:
            return False
        if self.source is not None and not any(wildcard(item)(event.source) for item in texts(self.source)):
            return False
        if self.user_name is not None and not any(wildcard(item)(event.user or "") for item in texts(self.user_name)):
            return False
        return self.message is None or bool(wildcard(self.message)(event.message))


@cmdlet("Write-EventLog", module=MANAGEMENT)
class WriteEventLog(_EventLogCmdlet):
    """Writes an entry to a log, under a registered source."""

    log_name = parameter("LogName", "String", position=0, mandatory=True, aliases=("LN",))
    source = parameter("Source", "String", position=1, mandatory=True, aliases=("SRC",))
    event_id = parameter(
        "EventId", "Int32", position=2, mandatory=True, aliases=("ID", "EID"), validate=(ValidateRange(0, 65535),)
    )
    entry_type = parameter("EntryType", "Diagnostics.EventLogEntryType", position=3, aliases=("ET",))
    message = parameter("Message", "String", position=4, mandatory=True, aliases=("MSG",))
    category = parameter("Category", "Int16")
    raw_data = parameter("RawData", "Byte[]", aliases=("RD",))
    computer_name = parameter("ComputerName", "String", aliases=("CN",))

    def process(self) -> None:
        local_only(self, [self.computer_name] if self.computer_name else None)
        log = self.machine.eventlog
        found = log.source_log(self.source)
        if found is None:
            self.write_error(
                self.error(
                    "System.InvalidOperationException",
                    f'The source name "{self.source}" does not exist on computer "localhost".',
                    "The source does not exist",
                    "InvalidOperation",
                )
            )
            return
        if found.lower() != self.log_name.lower():
            self.write_error(
                self.error(
                    "System.InvalidOperationException",
                    f'The source name "{self.source}" is not registered in log "{self.log_name}". (It is registered in log "{found}".) '
                    "The Source and Log properties must be matched, or you may set Log to the empty string, and it will automatically be "
                    "matched to the Source property.",
                    "WriteEventlog",
                    "InvalidOperation",
                )
            )
            return
        level = self.entry_type.name if self.entry_type is not None else "Information"
        log.write(found, self.source, int(self.event_id), level, self.message, category=int(self.category or 0))


@cmdlet("New-EventLog", module=MANAGEMENT)
class NewEventLog(_EventLogCmdlet):
    """Registers sources, and the log when it is new."""

    log_name = parameter("LogName", "String", position=0, mandatory=True, aliases=("LN",))
    source = parameter("Source", "String[]", position=1, mandatory=True, aliases=("SRC",))
    computer_name = parameter("ComputerName", "String[]", position=2, aliases=("CN",))
    category_file = parameter("CategoryResourceFile", "String", aliases=("CRF",))
    message_file = parameter("MessageResourceFile", "String", aliases=("MRF",))
    parameter_file = parameter("ParameterResourceFile", "String", aliases=("PRF",))

    def process(self) -> None:
        local_only(self, self.computer_name)
        if self.user is not None and not self.user.elevated and not self.user.is_system:
            self.throw(
                self.error(
                    "System.UnauthorizedAccessException",
                    "Access is denied. Please try performing this operation again after running the shell with elevated permissions.",
                    "NewEventlogException",
                    "InvalidArgument",
                )
            )
        for name in texts(self.source):
            if self.machine.eventlog.source_log(name) is not None:
                self.write_error(
                    self.error(
                        "System.InvalidOperationException",
                        f'The "{name}" source is already registered on the "localhost" computer.',
                        "EventSourceAlreadyExists",
                        "InvalidOperation",
                    )
                )
                continue
            self.machine.eventlog.create_source(name, self.log_name)


@cmdlet("Clear-EventLog", module=MANAGEMENT, should_process=True)
class ClearEventLog(_EventLogCmdlet):
    """Empties logs."""

    log_name = parameter("LogName", "String[]", position=0, mandatory=True, by_name=True, aliases=("LN",))
    computer_name = parameter("ComputerName", "String[]", position=1, aliases=("CN",))

    def process(self) -> None:
        local_only(self, self.computer_name)
        for name in texts(self.log_name):
            found = self.machine.eventlog.find_log(name)
            if found is None:
                self.write_error(self.log_missing(name))
            elif self.should_process(found, "Clear-EventLog"):
                self.machine.eventlog.clear(found)


# ------------------------------------------------------------------------------------------------------------ the computer


class _ComputerCmdlet(Cmdlet):
    def require_privilege(self) -> None:
        if self.user is not None and not self.user.elevated and not self.user.is_system:
            self.throw(
                self.error(
                    "System.InvalidOperationException",
                    f"Failed to restart the computer {self.machine.name} with the following error message: Access is denied.",
                    "RestartcomputerFailed",
                    "OperationStopped",
                    self.machine.name,
                )
            )

    def later(self, action: Any) -> None:
        """The machine goes down after the command has answered."""

        def run() -> None:
            time.sleep(0.5)
            action()

        threading.Thread(target=run, daemon=True, name="shutdown").start()


@cmdlet("Restart-Computer", module=MANAGEMENT, default_set="DefaultSet", should_process=True)
class RestartComputer(_ComputerCmdlet):
    """Reboots the server."""

    computer_name = parameter(
        "ComputerName",
        "String[]",
        position=0,
        pipeline=True,
        by_name=True,
        aliases=("CN", "__SERVER", "Server", "IPAddress"),
    )
    force = switch("Force")
    delay = parameter("Delay", "Int16", sets=("DefaultSet",))
    protocol = parameter("Protocol", "String", sets=("DefaultSet",), validate=(ValidateSet("DCOM", "WSMan"),))

    def process(self) -> None:
        local_only(self, self.computer_name)
        self.require_privilege()
        if self.should_process(f"localhost ({self.machine.name})", "Restart-Computer"):
            self.later(self.machine.reboot)


@cmdlet("Stop-Computer", module=MANAGEMENT, should_process=True)
class StopComputer(_ComputerCmdlet):
    """Shuts the server down."""

    computer_name = parameter("ComputerName", "String[]", position=0, aliases=("CN", "__SERVER", "Server", "IPAddress"))
    force = switch("Force")

    def process(self) -> None:
        local_only(self, self.computer_name)
        self.require_privilege()
        if self.should_process(f"localhost ({self.machine.name})", "Stop-Computer"):
            self.later(self.machine.shutdown)


@cmdlet("Test-Connection", module=MANAGEMENT, default_set="Default")
class TestConnection(Cmdlet):
    """Ping: names that resolve to this server or to a loopback address answer, others are tried as they are."""

    computer_name = parameter(
        "ComputerName",
        "String[]",
        position=0,
        mandatory=True,
        by_name=True,
        aliases=("CN", "IPAddress", "__SERVER", "Server", "Destination"),
        validate=NOT_EMPTY,
    )
    count = parameter("Count", "Int32", default=4, validate=(ValidateRange(1, 2**31 - 1),))
    buffer_size = parameter("BufferSize", "Int32", default=32, aliases=("Size", "Bytes", "BS"))
    delay = parameter("Delay", "Int32", default=1)
    time_to_live = parameter("TimeToLive", "Int32", default=80, aliases=("TTL",))
    quiet = switch("Quiet", sets=("Quiet",))

    def process(self) -> None:
        for name in texts(self.computer_name):
            address = self._answers(name)
            if self.quiet:
                self.write(address is not None)
                continue
            if address is None:
                self.write_error(
                    self.error(
                        "System.Net.NetworkInformation.PingException",
                        f"Testing connection to computer '{name}' failed: No such host is known",
                        "TestConnectionException",
                        "ResourceUnavailable",
                        name,
                    )
                )
                continue
            for _ in range(int(self.count)):
                self.check()
                self.write(
                    PSCustomObject.of(
                        {
                            "__SERVER": str(self.machine.name).upper(),
                            "PSComputerName": self.machine.name,
                            "Address": name,
                            "BufferSize": int(self.buffer_size),
                            "IPV4Address": address,
                            "ProtocolAddress": str(address),
                            "ResponseTime": 0,
                            "ResponseTimeToLive": 128,
                            "StatusCode": 0,
                            "TimeToLive": int(self.time_to_live),
                        },
                        "System.Management.ManagementObject#root\\cimv2\\Win32_PingStatus",
                    )
                )

    def _answers(self, name: str) -> Any:
        try:
            found = resolve_host(name)
        except NetException:
            return None
        address = next((item for item in found if item.value.version == 4), found[0] if found else None)
        if address is None or not (address.value.is_loopback or str(address) == str(self.machine.address)):
            return None
        return address


@cmdlet("Test-NetConnection", module="NetTCPIP", kind="Function", default_set="ICMP", aliases=("TNC",))
class TestNetConnection(Cmdlet):
    """A TCP connection to a port."""

    computer_name = parameter(
        "ComputerName",
        "String",
        position=0,
        pipeline=True,
        by_name=True,
        default="internetbeacon.msedge.net",
        aliases=("RemoteAddress", "cn"),
    )
    port = parameter(
        "Port",
        "Int32",
        mandatory=True,
        sets=("RemotePort",),
        aliases=("RemotePort",),
        validate=(ValidateRange(1, 65535),),
    )
    common = parameter(
        "CommonTCPPort",
        "String",
        position=1,
        mandatory=True,
        sets=("CommonTCPPort",),
        validate=(ValidateSet("HTTP", "RDP", "SMB", "WINRM"),),
    )
    level = parameter(
        "InformationLevel", "String", default="Standard", validate=(ValidateSet("Quiet", "Detailed", "Standard"),)
    )

    def process(self) -> None:
        name = str(self.computer_name)
        port = (
            int(self.port)
            if self.port is not None
            else {"HTTP": 80, "RDP": 3389, "SMB": 445, "WINRM": 5985}.get((self.common or "").upper(), 0)
        )
        try:
            addresses = resolve_host(name)
        except NetException:
            addresses = []
        address = addresses[0] if addresses else None
        reached = bool(port and address is not None and self._connects(name, port))
        if str(self.level).lower() == "quiet":
            self.write(reached if port else address is not None)
            return
        if address is None:
            self.write_warning(f"Name resolution of {name} failed")
        elif port and not reached:
            self.write_warning(f"TCP connect to ({address} : {port}) failed")
        result: dict[str, Any] = {"ComputerName": name, "RemoteAddress": address}
        if port:
            result["RemotePort"] = port
        result |= {"InterfaceAlias": "Ethernet", "SourceAddress": resolve_host("")[0]}
        if port:
            result["TcpTestSucceeded"] = reached
        else:
            result |= {"PingSucceeded": address is not None, "PingReplyDetails": None}
        self.write(PSCustomObject.of(result, "TestNetConnectionResult"))

    def _connects(self, name: str, port: int) -> bool:
        target = (connect_address(name), port)

        def attempt() -> bool:
            try:
                socket.create_connection(target, 5).close()
                return True
            except OSError:
                return False

        return bool(off_thread(attempt))


@cmdlet("Get-HotFix", module=MANAGEMENT, default_set="Default")
class GetHotFix(Cmdlet):
    """Installed updates: the lab's servers have none."""

    id = parameter("Id", "String[]", position=0, sets=("Default",), aliases=("HFID",))
    description = parameter("Description", "String[]", sets=("Description",))
    computer_name = parameter("ComputerName", "String[]", by_name=True, aliases=("CN", "__Server", "IPAddress"))

    def process(self) -> None:
        local_only(self, self.computer_name)
        for name in texts(self.id):
            if not has_wildcards(name):
                self.write_error(
                    self.error(
                        "System.ArgumentException",
                        "Cannot find the requested hotfix on the 'localhost' computer. Verify the input and run the command again.",
                        "GetHotFixNoEntriesFound",
                        "ObjectNotFound",
                    )
                )
