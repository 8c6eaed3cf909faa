"""What the running service answers to the configuration API: state, Start, Stop, Recycle, worker processes, certificates of bindings."""

from __future__ import annotations

from typing import Any

from winlab.iis import sslcerts
from winlab.iis.config import Element
from winlab.iis.errors import ConfigError
from winlab.iis.files import machine_store
from winlab.iis.model import Binding
from winlab.iis.schema import Value
from winlab.iis.server import IISService, StateError
from winlab.windows.accounts import app_pool_sid
from winlab.windows.errors import WindowsError, system_message
from winlab.windows.httpapi import SslBinding

_STATES = {"Starting": 0, "Started": 1, "Stopping": 2, "Stopped": 3}
_OBJECT_INVALID = "The object identifier does not represent a valid object."


def connect(service: IISService) -> None:
    """Lets the configuration API reach the service, and the service hear of commits."""
    machine = service.machine
    store = machine_store(machine)
    before = store.runtime
    if isinstance(before, ServiceRuntime):
        store.on_commit.remove(before.committed)
    runtime = ServiceRuntime(service)
    store.runtime = runtime
    store.on_commit.append(runtime.committed)
    machine.hooks.add("shutdown", service.machine_stopped)


def refusal(error: StateError) -> ConfigError:
    """A refusal of the service as the API reports it."""
    text = _OBJECT_INVALID if error.hresult == 0x800710D8 else system_message(error.hresult & 0xFFFF)
    return ConfigError(error.hresult, f"{text} (Exception from HRESULT: 0x{error.hresult:08X})", bare=True)


class ServiceRuntime:
    """`config.Runtime` over an IISService. Called by the threads of scripts."""

    def __init__(self, service: IISService) -> None:
        self.service = service

    def committed(self, paths: list[str]) -> None:
        self.service.apply()

    def get(self, element: Element, name: str) -> Value:
        if name == "state":
            return self._state(element)
        if name == "applicationPoolSid":
            return app_pool_sid(str(element.get("name")))
        if name in ("certificateHash", "certificateStoreName"):
            entry = sslcerts.of_binding(self.service.machine, _binding(element)) if _is_https(element) else None
            if name == "certificateHash":
                return entry.thumbprint.upper() if entry else ""
            return entry.store if entry else ""
        if name == "isDsMapperEnabled":
            return False
        raise ConfigError(0x80070032, "The request is not supported. (Exception from HRESULT: 0x80070032)", bare=True)

    def _state(self, element: Element) -> int:
        name = str(element.get("name"))
        try:
            if element.tag == "site":
                return _STATES[self.service.site_state(name)]
            return _STATES[self.service.pool_state(name)]
        except StateError as error:
            raise refusal(error) from error

    def items(self, element: Element) -> list[dict[str, Value]]:
        if element.tag != "workerProcesses" or not self.service.running:
            return []
        pool = None if element.parent is element.section or element.parent is None else str(element.parent.get("name"))
        try:
            workers = self.service.worker_processes(pool)
        except StateError:
            return []
        return [
            {"processId": w.pid, "guid": w.guid, "state": 2 if w.stopping else 1, "appPoolName": w.pool.name}
            for w in workers
        ]

    def invoke(self, element: Element, method: str, arguments: dict[str, Value]) -> dict[str, Value]:
        if method in ("AddSslCertificate", "RemoveSslCertificate", "SetCertificateHash"):
            self._certificate(element, method, arguments)
            return {}
        name = str(element.get("name"))
        actions: dict[tuple[bool, str], Any] = {
            (True, "Start"): self.service.start_site,
            (True, "Stop"): self.service.stop_site,
            (False, "Start"): self.service.start_pool,
            (False, "Stop"): self.service.stop_pool,
            (False, "Recycle"): self.service.recycle_pool,
        }
        action = actions.get((element.tag == "site", method))
        if action is None:
            text = f"This lab does not simulate the method {method}. (Exception from HRESULT: 0x80070032)"
            raise ConfigError(0x80070032, text, bare=True)
        try:
            self.service.need_running()
            action(name)
        except StateError as error:
            raise refusal(error) from error
        return {}

    def _certificate(self, element: Element, method: str, arguments: dict[str, Value]) -> None:
        """Certificates of https bindings stand in HTTP.sys's own table, not in the configuration file."""
        http = self.service.machine.http
        kind, endpoint = sslcerts.endpoint_of(_binding(element))
        thumbprint = str(arguments.get("certificateHash") or "").replace(" ", "")
        if method == "RemoveSslCertificate" or not thumbprint:
            if http.find(kind, endpoint) is not None:
                http.remove(kind, endpoint)
            return
        store = str(arguments.get("certificateStoreName") or "MY")
        try:
            http.add(SslBinding(kind, endpoint, thumbprint, store=store), replace=True)
        except WindowsError as error:
            code = 0x80070000 | error.code
            raise ConfigError(code, f"{error.message} (Exception from HRESULT: 0x{code:08X})", bare=True) from error


def _is_https(element: Element) -> bool:
    return str(element.get("protocol")).lower() == "https"


def _binding(element: Element) -> Binding:
    flags = element.get("sslFlags")
    assert isinstance(flags, int)
    return Binding(str(element.get("protocol")), str(element.get("bindingInformation")), flags)
