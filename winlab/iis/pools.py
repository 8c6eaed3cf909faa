"""Application pools and their worker processes, as the Windows Process Activation Service (WAS) runs them.

A worker process (w3wp.exe) is an entry in the server's process table with the pool's identity; its work is done on the lab's loop. Event ids and
messages: Microsoft's "IIS Application Pool Availability" and "... Recycling" references.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from winlab.iis.events import ERROR, INFORMATION, W3SVC_WP, WARNING, WAS, report
from winlab.iis.model import Application, Pool, Site

if TYPE_CHECKING:
    from winlab.iis.httpplatform import PlatformApplication
    from winlab.iis.server import IISService
    from winlab.windows.accounts import Token

STARTING, STARTED, STOPPING, STOPPED = "Starting", "Started", "Stopping", "Stopped"
W3WP = r"C:\Windows\System32\inetsrv\w3wp.exe"


class PoolUnavailable(Exception):
    """No worker process takes the request; `reason` is HTTP.sys's word for it (AppOffline, QueueFull, Disabled)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WorkerProcess:
    """One w3wp.exe.

    Attributes:
        token: the pool's identity.
        environment: the environment block that its children inherit.
        applications: the running applications of HttpPlatformHandler by site and path.
        active: requests in progress.
    """

    def __init__(self, pool: AppPool, token: Token) -> None:
        machine = pool.service.machine
        self.pool = pool
        self.token = token
        self.environment = machine.environment_for(token)
        self.environment["APP_POOL_ID"] = pool.name
        self.environment["APP_POOL_CONFIG"] = pool.config_file
        for name, value in pool.settings.environment.items():
            self.environment[name] = self.environment.expand(value)
        self.process = machine.processes.create_service_process(W3WP, pool.command_line, token)
        self.process.env = self.environment
        self.process.on_exit.append(self._exited)
        self.pid: int = self.process.pid
        self.guid = str(uuid.uuid4())
        self.applications: dict[tuple[int, str], PlatformApplication] = {}
        self.active = 0
        self.requests = 0
        self.started = pool.service.clock.now()
        self.last_activity = self.started
        self.stopping = False
        self.ready = asyncio.Event()
        self._drained = asyncio.Event()
        self.preloading: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return bool(self.process.alive)

    def enter(self) -> None:
        self.active += 1
        self.requests += 1
        self.last_activity = self.pool.service.clock.now()

    def leave(self) -> None:
        self.active -= 1
        self.last_activity = self.pool.service.clock.now()
        if self.active == 0:
            self._drained.set()

    async def drain(self, seconds: float) -> bool:
        """Waits for the requests in progress; False when some are left after the time."""
        self._drained.clear()
        if self.active == 0:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._drained.wait()
        except TimeoutError:
            return False
        return True

    async def end(self) -> None:
        """Shuts the applications down and leaves the process table."""
        self.stopping = True
        if self.preloading is not None:
            self.preloading.cancel()
        await self.close_applications()
        self.process.finish(0)

    async def close_applications(self) -> None:
        applications = list(self.applications.values())
        self.applications.clear()
        if self.pool.service.hurried:
            for application in applications:
                application.kill()
            return
        await asyncio.gather(*(application.shutdown() for application in applications))

    def _exited(self, process: Any) -> None:
        if not self.stopping:
            self.pool.service.loop.call_soon_threadsafe(self.pool.worker_died, self)


class AppPool:
    """An application pool with its state and worker process."""

    def __init__(self, service: IISService, settings: Pool) -> None:
        self.service = service
        self.settings = settings
        self.name = settings.name
        self.state = STOPPED
        self.worker: WorkerProcess | None = None
        self.disabled = False
        self._old_workers: list[WorkerProcess] = []
        self._starting: asyncio.Future[WorkerProcess] | None = None
        self._waiting = 0
        self._failures: deque[float] = deque()
        self._last_schedule = ""

    # -- what it is ---------------------------------------------------------------------------------------------------------------

    @property
    def config_file(self) -> str:
        return rf"C:\inetpub\temp\apppools\{self.name}\{self.name}.config"

    @property
    def command_line(self) -> str:
        version = self.settings.setting("", "managedRuntimeVersion", "")
        return (
            rf'c:\windows\system32\inetsrv\w3wp.exe -ap "{self.name}" -v "{version}" -l "webengine4.dll" '
            rf'-a \\.\pipe\iisipm{self.service.machine.name.lower()} -h "{self.config_file}" -w "" -m 0 -t 20 -ta 0'
        )

    @property
    def workers(self) -> list[WorkerProcess]:
        """Running worker processes; two while a recycle overlaps."""
        current = [self.worker] if self.worker is not None else []
        return [w for w in [*self._old_workers, *current] if w.alive]

    def _limit(self, name: str, default: float) -> float:
        value = self.settings.setting("processModel", name, timedelta(seconds=default))
        return float(value.total_seconds())

    # -- start and stop -----------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Takes requests from now on; a pool that is always running gets its worker process at once."""
        if self.state in (STARTED, STARTING):
            return
        self.state = STARTING
        await self.service.wait(self.service.delay("pool_start"))
        self.disabled = False
        self._failures.clear()
        self.state = STARTED
        if self.settings.always_running:
            self.warm_up()

    def warm_up(self) -> None:
        """Starts a worker process without a request."""
        self.service.spawn(self._warm_up())

    async def _warm_up(self) -> None:
        try:
            await self.get_worker()
        except PoolUnavailable:
            pass

    async def stop(self) -> None:
        """Refuses new requests, waits for those in progress, ends the worker process."""
        if self.state == STOPPED:
            return
        self.state = STOPPING
        await self.service.wait(self.service.delay("pool_stop"))
        worker, self.worker = self.worker, None
        if worker is not None:
            await self._retire(worker)
        for old in list(self._old_workers):
            await self._retire(old)
        self.state = STOPPED

    async def recycle(self, reason: str = "OnDemand") -> None:
        """Replaces the worker process; by default the new one starts before the old one ends."""
        worker = self.worker
        if self.state != STARTED or worker is None:
            return
        self._log_recycle(worker, reason)
        self.worker = None
        if self.settings.setting("recycling", "disallowOverlappingRotation", False):
            await self._retire(worker)
            return
        self._old_workers.append(worker)
        try:
            await self.get_worker()
        except PoolUnavailable:
            pass
        self.service.spawn(self._retire(worker))

    async def _retire(self, worker: WorkerProcess) -> None:
        limit = 0.0 if self.service.hurried else self._limit("shutdownTimeLimit", 90)
        worker.stopping = True
        drained = await worker.drain(limit)
        if not drained and not self.service.hurried:
            self._report(
                5013,
                WARNING,
                f"{self._a_process} exceeded time limits during shut down. The process id was '{worker.pid}'.",
            )
        await worker.end()
        if worker in self._old_workers:
            self._old_workers.remove(worker)

    async def reconfigure(self, settings: Pool) -> None:
        """Takes new settings; a running worker process is recycled for most of them."""
        before, self.settings = self.settings, settings
        if before.settings == settings.settings:
            return
        changed = _without(before, "autoStart") != _without(settings, "autoStart")
        if changed and self.worker is not None and self.state == STARTED:
            if not settings.setting("recycling", "disallowRotationOnConfigChange", False):
                await self.recycle("ConfigChange")
        elif settings.always_running and self.state == STARTED and self.worker is None:
            self.warm_up()

    # -- worker processes ---------------------------------------------------------------------------------------------------------

    async def get_worker(self) -> WorkerProcess:
        """The worker process that takes the next request; started when there is none.

        Raises:
            PoolUnavailable: the pool is stopped or disabled, or its queue is full.
        """
        if self.state not in (STARTED, STARTING):
            raise PoolUnavailable("Disabled" if self.disabled else "AppOffline")
        worker = self.worker
        if worker is not None and worker.ready.is_set():
            return worker
        if self._waiting >= self.settings.queue_length:
            raise PoolUnavailable("QueueFull")
        self._waiting += 1
        try:
            if self._starting is None:
                self._starting = asyncio.ensure_future(self._start_worker())
                self._starting.add_done_callback(self._started)
            return await asyncio.shield(self._starting)
        finally:
            self._waiting -= 1

    def _started(self, task: asyncio.Future[WorkerProcess]) -> None:
        self._starting = None
        if not task.cancelled():
            task.exception()

    async def _start_worker(self) -> WorkerProcess:
        while True:
            if self.state not in (STARTED, STARTING):
                raise PoolUnavailable("Disabled" if self.disabled else "AppOffline")
            token = self._identity()
            worker = WorkerProcess(self, token)
            if await self._start_in_time(worker):
                break
        self.worker = worker
        worker.ready.set()
        self.service.preload(worker)
        return worker

    async def _start_in_time(self, worker: WorkerProcess) -> bool:
        """False when the worker process failed to start; the failure has been counted."""
        limit = self._limit("startupTimeLimit", 90)
        delay = self.service.delays.worker_start
        await self.service.wait(min(delay, limit))
        if delay > limit:
            text = f"{self._a_process} exceeded time limits during start up. The process id was '{worker.pid}'."
            self._fail(worker, 5012, text)
            return False
        missing = self.service.missing_module()
        if missing:
            message = f"The Module DLL {missing} failed to load.  The data is the error."
            report(self.service.machine, W3SVC_WP, 2280, ERROR, message, "Application")
            self._fail(worker, 5009, self._terminated(worker, 0xFF))
            return False
        return worker.alive

    def _fail(self, worker: WorkerProcess, event: int, text: str) -> None:
        worker.stopping = True
        worker.process.finish(1)
        self._report(event, WARNING, text)
        self._count_failure()

    def _identity(self) -> Token:
        """The token of the pool's identity. Without one the pool is disabled."""
        from winlab.windows.errors import WindowsError

        accounts = self.service.machine.accounts
        kind = self.settings.identity_type
        model = self.settings.settings.child("processModel")
        try:
            if kind == "ApplicationPoolIdentity":
                return accounts.token(f"IIS AppPool\\{self.name}")
            if kind == "SpecificUser":
                return accounts.logon(model.get("userName", ""), model.get("password", ""), "batch")
            return accounts.token(
                {"LocalSystem": "SYSTEM", "LocalService": "LOCAL SERVICE"}.get(kind, "NETWORK SERVICE")
            )
        except WindowsError as error:
            self._report(
                5021,
                WARNING,
                f"The identity of application pool {self.name} is invalid. The user name or password that is specified for the "
                "identity may be incorrect, or the user may not have batch logon rights. If the identity is not corrected, the "
                "application pool will be disabled when the application pool receives its first request.  If batch logon rights "
                "are causing the problem, the identity in the IIS configuration store must be changed after rights have been "
                "granted before Windows Process Activation Service (WAS) can retry the logon. If the identity remains invalid "
                "after the first request for the application pool is processed, the application pool will be disabled. The data "
                "field contains the error number.",
            )
            self._disable(
                5057,
                f"Application pool {self.name} has been disabled. Windows Process Activation Service (WAS) did not create a "
                "worker process to serve the application pool because the application pool identity is invalid.",
            )
            raise PoolUnavailable("Disabled") from error

    def worker_died(self, worker: WorkerProcess) -> None:
        """A worker process ended by itself or was killed: its children go with it, and the failure counts."""
        if worker is self.worker:
            self.worker = None
        if worker in self._old_workers:
            self._old_workers.remove(worker)
        for application in worker.applications.values():
            application.kill()
        worker.applications.clear()
        code = (worker.process.exit_code or 0) & 0xFFFFFFFF
        self._report(5009, WARNING, self._terminated(worker, code))
        self._count_failure()
        if self.settings.always_running and self.state == STARTED:
            self.warm_up()

    @property
    def _a_process(self) -> str:
        return f"A process serving application pool '{self.name}'"

    def _terminated(self, worker: WorkerProcess, code: int) -> str:
        return (
            f"{self._a_process} terminated unexpectedly. The process id was '{worker.pid}'. "
            f"The process exit code was '0x{code:x}'."
        )

    def _count_failure(self) -> None:
        """Rapid-fail protection: too many failures within the interval disable the pool."""
        now = self.service.clock.now()
        self._failures.append(now)
        if not self.settings.setting("failure", "rapidFailProtection", True):
            return
        interval = self.settings.setting("failure", "rapidFailProtectionInterval", timedelta(minutes=5)).total_seconds()
        while self._failures and now - self._failures[0] > interval:
            self._failures.popleft()
        if len(self._failures) >= self.settings.setting("failure", "rapidFailProtectionMaxCrashes", 5):
            self._disable(
                5002,
                f"Application pool '{self.name}' is being automatically disabled due to a series of failures in the "
                "process(es) serving that application pool.",
            )

    def _disable(self, event: int, text: str) -> None:
        self.disabled = True
        self.state = STOPPED
        self._report(event, ERROR, text)

    # -- time ---------------------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Called about once a second: idle time-out, periodic recycling."""
        worker = self.worker
        if worker is None or not worker.ready.is_set() or self.state != STARTED:
            return
        now = self.service.clock.now()
        idle = self._limit("idleTimeout", 1200)
        if idle and worker.active == 0 and now - worker.last_activity >= idle and not self.settings.always_running:
            await self._idle_out(worker, idle)
            return
        reason = self._due(worker, now)
        if reason:
            await self.recycle(reason)

    async def _idle_out(self, worker: WorkerProcess, idle: float) -> None:
        self.worker = None
        if "IdleTimeout" in self.settings.setting("processModel", "logEventOnProcessModel", frozenset(["IdleTimeout"])):
            self._report(
                5186,
                INFORMATION,
                f"A worker process with process id of '{worker.pid}' serving application pool '{self.name}' was shutdown due to "
                f"inactivity.  Application Pool timeout configuration was set to {int(idle // 60)} minutes.  A new worker process "
                "will be started when needed.",
            )
        self.service.spawn(self._retire(worker))

    def _due(self, worker: WorkerProcess, now: float) -> str:
        restart = self.settings.settings.child("recycling").child("periodicRestart")
        every = restart.get("time", timedelta(hours=29)).total_seconds()
        if every and now - worker.started >= every:
            return "Time"
        requests = restart.get("requests", 0)
        if requests and worker.requests >= requests:
            return "Requests"
        clock = time.strftime("%H:%M", self.service.clock.wall())
        for item in restart.child("schedule").items:
            minutes = int(item["value"].total_seconds() // 60)
            at = f"{minutes // 60:02d}:{minutes % 60:02d}"
            day = time.strftime("%j ") + at
            if at == clock and self._last_schedule != day:
                self._last_schedule = day
                return "Schedule"
        return ""

    def _log_recycle(self, worker: WorkerProcess, reason: str) -> None:
        logged = self.settings.setting("recycling", "logEventOnRecycle", frozenset())
        if reason not in logged:
            return
        head = (
            f"A worker process with process id of '{worker.pid}' serving application pool '{self.name}' "
            "has requested a recycle because "
        )
        texts = {
            "Time": (5074, head + "the worker process reached its allowed processing time limit."),
            "Requests": (5075, head + "it reached its allowed request limit."),
            "Schedule": (5076, head + "it reached its scheduled recycle time."),
            "OnDemand": (
                5079,
                f"An administrator has requested a recycle of all worker processes in application pool '{self.name}'.",
            ),
            "ConfigChange": (
                5080,
                f"The worker processes serving application pool '{self.name}' are being recycled due to 1 or more configuration "
                "changes in the application pool properties which necessitate a restart of the processes.",
            ),
        }
        event, text = texts[reason]
        self._report(event, INFORMATION, text)

    def _report(self, event: int, level: str, text: str) -> None:
        report(self.service.machine, WAS, event, level, text)


def _without(pool: Pool, name: str) -> tuple[Any, ...]:
    attributes = {k: v for k, v in pool.settings.attributes.items() if k != name}
    return attributes, pool.settings.elements, pool.settings.items


def applications_of(pool: str, sites: tuple[Site, ...]) -> list[tuple[Site, Application]]:
    """The applications that a pool serves."""
    return [(s, a) for s in sites for a in s.applications if a.pool.lower() == pool.lower()]
