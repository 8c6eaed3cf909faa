"""Where Windows meets its web server role: setup, the services W3SVC and WAS, application pool accounts, HttpPlatformHandler.

The role's code belongs to the `iis` room; it is reached by its import path, when it is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from winlab.windows.errors import WindowsError
from winlab.windows.firewall import IIS_RULES
from winlab.windows.services import Controller

if TYPE_CHECKING:
    from winlab.windows.machine import Machine

INSTALL = "winlab.iis.install"
SERVER = "winlab.iis.server"
FILES = "winlab.iis.files"
APPHOST = "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config"
_SERVICES: tuple[tuple[str, str, str, str, list[str]], ...] = (
    ("WAS", "Windows Process Activation Service", "Manual", "C:\\Windows\\system32\\svchost.exe -k iissvcs", ["RpcSs"]),
    ("AppHostSvc", "Application Host Helper Service", "Automatic", "C:\\Windows\\system32\\svchost.exe -k apphost", []),
    (
        "W3SVC",
        "World Wide Web Publishing Service",
        "Automatic",
        "C:\\Windows\\system32\\svchost.exe -k iissvcs",
        ["WAS"],
    ),
    ("w3logsvc", "W3C Logging Service", "Manual", "C:\\Windows\\system32\\svchost.exe -k apphost", []),
)


def is_installed(machine: Machine) -> bool:
    return machine.fs.is_file(APPHOST)


def feature_installed(machine: Machine, name: str) -> None:
    """Setup's work for one web feature."""
    importlib.import_module(INSTALL).feature_installed(machine, name)
    if name in ("Web-WebServer", "IIS-WebServer"):
        for service, display, start, image, depends in _SERVICES:
            if not machine.services.exists(service):
                machine.services.create(service, image, display, start, "LocalSystem", depends)
        for rule in IIS_RULES:
            if machine.firewall.find(rule.name) is None:
                machine.firewall.add(rule)
        attach(machine)


def feature_removed(machine: Machine, name: str) -> None:
    if name in ("Web-WebServer", "IIS-WebServer"):
        for service in ("W3SVC", "WAS", "AppHostSvc", "w3logsvc"):
            if machine.services.exists(service):
                if machine.services.get(service).status == "Running":
                    machine.services.stop(service, force=True)
                machine.services.delete(service)
        for rule in IIS_RULES:
            if machine.firewall.find(rule.name) is not None:
                machine.firewall.remove(rule.name)
        machine.iis = None
    importlib.import_module(INSTALL).feature_removed(machine, name)


def start_services(machine: Machine) -> None:
    """Starts the web server once setup has finished."""
    for service in ("AppHostSvc", "W3SVC"):
        if machine.services.exists(service) and machine.services.get(service).status == "Stopped":
            machine.services.start(service)


def attach(machine: Machine) -> None:
    """Ties W3SVC to the server side. A machine without a loop has the configuration, but nothing listens."""
    if machine.services.exists("W3SVC"):
        machine.services.set_controller("W3SVC", Controller(lambda: _start(machine), lambda: _stop(machine)))


def _service(machine: Machine) -> Any:
    if machine.iis is None:
        machine.iis = importlib.import_module(SERVER).IISService(machine)
    return machine.iis


def _start(machine: Machine) -> None:
    if machine.loop is not None:
        _service(machine).start()


def _stop(machine: Machine) -> None:
    if machine.loop is not None and machine.iis is not None:
        machine.iis.stop()


def app_pool_exists(machine: Machine, name: str) -> bool:
    """Whether applicationHost.config has an application pool of that name."""
    if not is_installed(machine):
        return False
    return name.lower() in importlib.import_module(FILES).pool_names(machine)


def install_platform_handler(machine: Machine, version: str) -> None:
    """version: "1.2" or "2". WindowsError 1603 without IIS."""
    if not is_installed(machine):
        raise WindowsError(1603)
    importlib.import_module(INSTALL).install_platform_handler(machine, version)


def remove_platform_handler(machine: Machine, version: str) -> None:
    if is_installed(machine):
        importlib.import_module(INSTALL).remove_platform_handler(machine, version)
