"""One simulated Windows server."""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winlab.windows import template
from winlab.windows.accounts import Accounts, Token
from winlab.windows.environment import Environment
from winlab.windows.errors import WindowsError
from winlab.windows.filesystem import FileSystem
from winlab.windows.processes import Processes
from winlab.windows.registry import Registry
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.certificates import Certificates
    from winlab.windows.eventlog import EventLog
    from winlab.windows.features import Features
    from winlab.windows.firewall import Firewall
    from winlab.windows.httpapi import HttpApi
    from winlab.windows.msi import Installer
    from winlab.windows.services import Services

_MACHINE_ENVIRONMENT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"


class Hooks:
    """Callables by the name of an event. `fire` calls them in the order they were added."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[..., Any]]] = {}

    def add(self, name: str, callback: Callable[..., Any]) -> None:
        self._callbacks.setdefault(name, []).append(callback)

    def get(self, name: str) -> list[Callable[..., Any]]:
        return list(self._callbacks.get(name, ()))

    def fire(self, name: str, *arguments: Any) -> list[Any]:
        """What each callback returned."""
        return [callback(*arguments) for callback in self.get(name)]


class Machine:
    """A server with its drives, registry, accounts and processes; made bare in `state_dir` on first use, as it was afterwards.

    name: the computer's name (up to 15 characters); version: a key of template.VERSIONS; address: the loopback address it listens on;
    loop: the asyncio loop of services that listen (None: a scratch machine); settings: attributes that count before the first boot.
    """

    def __init__(
        self,
        name: str,
        version: str = "2016",
        address: str = "127.0.0.1",
        state_dir: str | Path = ".winlab",
        loop: asyncio.AbstractEventLoop | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.iis_preload = True
        """Whether applications with preloadEnabled start by themselves."""
        for setting, value in (settings or {}).items():
            setattr(self, setting, value)
        self.name = name.upper()[:15]
        self.address = address
        self.loop = loop
        # links resolved: paths of real processes are compared with ours
        self.state_dir = Path(state_dir).resolve()
        self.lock = threading.RLock()
        self.hooks = Hooks()
        self.stopped = False
        self._shutdown_timer: threading.Timer | None = None
        self.iis: Any = None
        """The iis room's service; None until the feature is installed."""
        self.clock_skew = datetime.timedelta()
        """How far this server's clock is ahead."""
        self.on_log: Callable[[str], None] | None = None
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self._document = Document(self.state_dir / "machine.json", None)
        self.is_new = self._document.data is None
        if self.is_new:
            boot = datetime.datetime.now(datetime.UTC).timestamp()
            self._document.data = {
                "name": self.name,
                "version": version,
                "boot_time": boot,
                "installed": boot,
                "values": {},
            }
        self._booted = time.monotonic() - max(time.time() - self._document.data["boot_time"], 0.0)
        if self._document.data["version"] not in template.VERSIONS:
            raise ValueError(
                f"not a version of Windows that the lab has: {version} (known: {', '.join(template.VERSIONS)})"
            )
        self.windows = template.VERSIONS[self._document.data["version"]]
        self.accounts = Accounts(self)
        self.fs = FileSystem(self, template.default_acls(self.windows, self.accounts.machine_sid))
        self.registry = Registry(self, template.registry(self.windows, self.name))
        if self.is_new:
            self._make_bare()
        self.processes = Processes(self)
        if self.loop is not None:
            self._boot_services()

    def _boot_services(self) -> None:
        from winlab.windows import web

        web.attach(self)
        self.services.boot()

    def _make_bare(self) -> None:
        """Writes the files of a fresh installation."""
        root = self.state_dir / "C"
        for folder in template.FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        content = template.files(self.windows)
        for folder in {path.rpartition("/")[0] for path in content}:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for path, data in content.items():
            (root / path).write_bytes(data)
        self._document.save()

    # -- parts that are made when first asked for ---------------------------------------------------------------------------------

    @cached_property
    def services(self) -> Services:
        from winlab.windows.services import Services

        services = Services(self)
        services.attach_processes()
        if self.loop is None:
            # a scratch machine has booted when its services are first looked at
            services.boot()
        return services

    @cached_property
    def features(self) -> Features:
        from winlab.windows.features import Features

        return Features(self)

    @cached_property
    def eventlog(self) -> EventLog:
        from winlab.windows.eventlog import EventLog

        return EventLog(self)

    @cached_property
    def firewall(self) -> Firewall:
        from winlab.windows.firewall import Firewall

        return Firewall(self)

    @cached_property
    def certificates(self) -> Certificates:
        from winlab.windows.certificates import Certificates

        return Certificates(self)

    @cached_property
    def installer(self) -> Installer:
        from winlab.windows.msi import Installer

        return Installer(self)

    @cached_property
    def http(self) -> HttpApi:
        from winlab.windows.httpapi import HttpApi

        return HttpApi(self)

    # -- identity and time --------------------------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """`2016`, `10`, ...: the key of template.VERSIONS."""
        return self.windows.name

    def now(self) -> datetime.datetime:
        """This server's clock (UTC)."""
        return datetime.datetime.now(datetime.UTC) + self.clock_skew

    @property
    def boot_time(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._document.data["boot_time"], datetime.UTC)

    @property
    def uptime(self) -> float:
        """Seconds since the last boot: what Windows' tick and performance counters count, whatever the clock says."""
        return time.monotonic() - self._booted

    @property
    def install_time(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._document.data["installed"], datetime.UTC)

    def get_value(self, name: str, default: Any = None) -> Any:
        """A small persisted value of whoever asks (pending reboot, switches)."""
        return self._document.data["values"].get(name, default)

    def set_value(self, name: str, value: Any) -> None:
        with self.lock:
            self._document.data["values"][name] = value
            self._document.save()

    def has_module(self, name: str) -> bool:
        """Whether a module of PowerShell is there; those of IIS come with its management scripts and tools."""
        if name.lower() not in ("iisadministration", "webadministration"):
            return True
        components = "HKLM\\SOFTWARE\\Microsoft\\InetStp\\Components"
        return self.registry.exists(components) and self.registry.get(components, "ManagementScriptingTools", 0) == 1

    # -- environment --------------------------------------------------------------------------------------------------------------

    @property
    def env(self) -> Environment:
        """The machine's environment variables, expanded, as a new process of the system gets them."""
        env = Environment(
            {
                "SystemDrive": "C:",
                "SystemRoot": "C:\\Windows",
                "ProgramFiles": "C:\\Program Files",
                "ProgramFiles(x86)": "C:\\Program Files (x86)",
                "ProgramW6432": "C:\\Program Files",
                "CommonProgramFiles": "C:\\Program Files\\Common Files",
                "CommonProgramFiles(x86)": "C:\\Program Files (x86)\\Common Files",
                "CommonProgramW6432": "C:\\Program Files\\Common Files",
                "ProgramData": "C:\\ProgramData",
                "ALLUSERSPROFILE": "C:\\ProgramData",
                "PUBLIC": "C:\\Users\\Public",
                "COMPUTERNAME": self.name,
            }
        )
        self._add_environment(env, self.registry.open(_MACHINE_ENVIRONMENT))
        return env

    @staticmethod
    def _add_environment(env: Environment, key: Any) -> None:
        values = key.values()
        for expand in (False, True):
            for name, value in values.items():
                if (key.kind(name) == "ExpandString") == expand:
                    value = env.expand(str(value))
                    if name.upper() == "PATH" and "PATH" in env and not key.path.startswith("HKLM"):
                        value = env["PATH"].rstrip(";") + ";" + value
                    env[name] = value

    def environment_for(self, user: Token) -> Environment:
        """The environment block of a new logon of `user`."""
        env = self.env
        if user.is_system:
            profile = "C:\\Windows\\system32\\config\\systemprofile"
            env["USERNAME"], env["USERDOMAIN"] = self.name + "$", "WORKGROUP"
        else:
            profile = self.profile_of(user)
            env["USERNAME"], env["USERDOMAIN"] = user.username, user.domain
            env["USERDOMAIN_ROAMINGPROFILE"] = user.domain
            env["HOMEDRIVE"], env["HOMEPATH"] = "C:", profile[2:]
            env["LOGONSERVER"] = "\\\\" + self.name
        env["USERPROFILE"] = profile
        env["APPDATA"] = profile + "\\AppData\\Roaming"
        env["LOCALAPPDATA"] = profile + "\\AppData\\Local"
        if not user.is_system:
            env["TEMP"] = env["TMP"] = profile + "\\AppData\\Local\\Temp"
            path = f"HKU\\{user.sid}\\Environment"
            if self.registry.exists(path):
                self._add_environment(env, self.registry.open(path))
        return env

    def profile_of(self, user: Token) -> str:
        """The profile folder of an account; made for an ordinary user who logs on for the first time."""
        if user.is_system:
            return "C:\\Windows\\system32\\config\\systemprofile"
        if user.sid == "S-1-5-19":
            return "C:\\Windows\\ServiceProfiles\\LocalService"
        if user.sid == "S-1-5-20":
            return "C:\\Windows\\ServiceProfiles\\NetworkService"
        if user.sid.startswith(("S-1-5-82-", "S-1-5-80-")):
            return "C:\\Users\\Default"
        profile = f"C:\\Users\\{user.username}"
        if not self.fs.is_dir(profile):
            from winlab.windows.acl import Acl

            self.fs.mkdir(profile + "\\AppData\\Local\\Temp", parents=True)
            for name in ("AppData\\Roaming", "Desktop", "Documents", "Downloads"):
                self.fs.mkdir(f"{profile}\\{name}", parents=True)
            self.fs.set_acl(
                profile, Acl.from_sddl(f"O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{user.sid})")
            )
        return profile

    # -- life -----------------------------------------------------------------------------------------------------------------------

    def log(self, text: str) -> None:
        """A line for the lab's own log."""
        if self.on_log is not None:
            self.on_log(f"{self.name}: {text}")

    def shutdown(self) -> None:
        """Ends all processes; nothing starts afterwards until `start`."""
        self.stopped = True
        self.hooks.fire("shutdown")
        if "services" in self.__dict__:
            self.services.shutdown()
        self.processes.kill_all()
        self.fs.close_handles()

    def start(self) -> None:
        """Boots after `shutdown`: a new boot time, services as configured."""
        self.stopped = False
        self._document.data["boot_time"] = self.now().timestamp()
        self._booted = time.monotonic()
        self._document.save()
        self.processes = Processes(self)
        self.__dict__.pop("services", None)
        self.features.rebooted()
        self._boot_services()
        self._note_boot()
        self.hooks.fire("boot")

    def _note_boot(self) -> None:
        for event_id, message in (
            (6005, "The Event log service was started."),
            (6013, "The system uptime is 0 seconds."),
        ):
            self.eventlog.write("System", "EventLog", event_id, "Information", message)

    def schedule_shutdown(
        self, seconds: float, reboot: bool, comment: str = "", user: str = "NT AUTHORITY\\SYSTEM"
    ) -> None:
        """Shuts down (and boots again) after some seconds, in a thread of its own. WindowsError 1190 when one is scheduled, 1115 while it happens."""
        with self.lock:
            if self.stopped:
                raise WindowsError(1115)
            if self._shutdown_timer is not None:
                raise WindowsError(1190)
            action = self.reboot if reboot else self.shutdown
            self._shutdown_timer = threading.Timer(max(seconds, 0.01), self._shut_down_now, (action,))
            self._shutdown_timer.daemon = True
            kind = "restart" if reboot else "power off"
            self.eventlog.write(
                "System",
                "User32",
                1074,
                "Information",
                f"The process C:\\Windows\\system32\\shutdown.exe ({self.name}) has initiated the {kind} of computer {self.name} "
                f"on behalf of user {user} for the following reason: No title for this reason could be found\r\n "
                f"Reason Code: 0x800000ff\r\n Shutdown Type: {kind}\r\n Comment: {comment}",
                user=user,
            )
            self._shutdown_timer.start()

    def _shut_down_now(self, action: Callable[[], None]) -> None:
        self._shutdown_timer = None
        action()

    def abort_shutdown(self) -> None:
        """WindowsError 1116 when none is scheduled."""
        with self.lock:
            if self._shutdown_timer is None:
                raise WindowsError(1116)
            self._shutdown_timer.cancel()
            self._shutdown_timer = None

    def reboot(self) -> None:
        """Shuts down and boots at once; `shutdown`, `reboot` and `boot` hooks are fired in this order."""
        self.shutdown()
        self.hooks.fire("reboot")
        self.start()
