r"""IIS on one server: the services W3SVC and WAS, its sites and pools, and the listeners below them.

`IISService(machine)` follows applicationHost.config. It lives on `machine.loop`; its plain methods may be called from any thread, those ending in
`_async` on the loop only.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Awaitable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from winlab.iis import httpplatform
from winlab.iis.clock import Clock
from winlab.iis.configsource import StoreConfiguration
from winlab.iis.context import RequestContext
from winlab.iis.errors import ConfigError
from winlab.iis.events import ERROR, W3SVC, WAS, report
from winlab.iis.httpplatform import PlatformApplication, version_of
from winlab.iis.httpsys import E_ACCESS_DENIED, E_ALREADY_EXISTS, E_SHARING_VIOLATION, Exchange, HttpSys
from winlab.iis.model import Application, Binding, Configuration, Host, Node, Sections, Site
from winlab.iis.pipeline import IUSR, Pipeline
from winlab.iis.pools import (
    STARTED,
    STARTING,
    STOPPED,
    STOPPING,
    AppPool,
    PoolUnavailable,
    WorkerProcess,
    applications_of,
)
from winlab.iis.threads import in_thread
from winlab.iis.tls import TlsContexts
from winlab.iis.w3clog import HTTPERR, LogWriter, SiteLog
from winlab.iis.warmup import InternalExchange
from winlab.windows.errors import WindowsError
from winlab.windows.turns import aside

T = TypeVar("T")

TICK = 0.5
CHECKED_FOR = 0.2
E_NOT_FOUND_OBJECT = 0x800710D8
E_SERVICE_NOT_ACTIVE = 0x80070426
CALL_TIMEOUT = 120.0

_HTTPERR_HEADER = (
    "#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n"
    "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename\r\n"
)


@dataclass
class Delays:
    """Seconds that things take; 0 by default, to be set by whoever tests waiting.

    Attributes:
        state: from a commit until the services act on it (and know new sites and pools).
        site_start, site_stop, pool_start, pool_stop: from the call until the state is reached.
        worker_start: until a new worker process takes requests.
    """

    state: float = 0.0
    site_start: float = 0.0
    site_stop: float = 0.0
    pool_start: float = 0.0
    pool_stop: float = 0.0
    worker_start: float = 0.0


class StateError(Exception):
    """A site or pool cannot do what is asked; `hresult` is what callers of the API get."""

    def __init__(self, hresult: int, message: str = "") -> None:
        super().__init__(message or f"0x{hresult:08x}")
        self.hresult = hresult


class SiteRuntime:
    """A site as the service runs it."""

    def __init__(self, config: Site) -> None:
        self.config = config
        self.state = STOPPED
        self.error = 0
        self.log: SiteLog | None = None


class IISService:
    """The web server of one simulated machine.

    Args:
        machine: the server; `machine.loop` runs everything here.
        configuration: where sites, pools and sections come from; by default the machine's own configuration files.
    """

    def __init__(self, machine: Any, configuration: Configuration | None = None) -> None:
        self.machine = machine
        self.delays = Delays()
        self.clock = Clock()
        self.running = False
        self.hurried = False
        self.sites: dict[int, SiteRuntime] = {}
        self.pools: dict[str, AppPool] = {}
        self._configuration = configuration
        self._host = Host()
        self._stamp: Hashable = None
        self._apply_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._following: asyncio.Task[None] | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._logs = LogWriter(machine)
        self._iusr: Any = None
        self.tls = TlsContexts(machine)
        self.httpsys = HttpSys(machine.address, self.dispatch, self.tls.context, self._note_http_error)
        self.pipeline = Pipeline(self)
        self._life = asyncio.Lock()
        if configuration is None:
            from winlab.iis.runtime import connect

            connect(self)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        loop = self.machine.loop
        assert loop is not None, "this server has no loop: it is a scratch machine that cannot listen"
        return loop

    @property
    def configuration(self) -> Configuration:
        if self._configuration is None:
            self._configuration = StoreConfiguration(self.machine)
        return self._configuration

    @property
    def state_delay(self) -> float:
        """Seconds from a commit until it shows; the machine's switch counts too."""
        return self.delay("state")

    def delay(self, name: str) -> float:
        """Seconds until a site or pool has reached the state asked for: of `delays`, and the machine's switch."""
        return max(float(getattr(self.delays, name)), float(getattr(self.machine, "iis_state_delay", 0) or 0))

    @property
    def iusr(self) -> Any:
        """The token of the anonymous user."""
        if self._iusr is None:
            self._iusr = self.machine.accounts.token(IUSR)
        return self._iusr

    # -- from other threads ---------------------------------------------------------------------------------------------------------

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the loop and waits for it; not to be called on the loop."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            with aside():
                return future.result(CALL_TIMEOUT)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise StateError(0x800705B4, "The operation did not complete in time.") from None

    def start(self) -> None:
        """Starts the services: pools and sites that start by themselves do."""
        self._run(self.start_async())

    def stop(self) -> None:
        """Stops the services: no listener, no worker process is left."""
        self._run(self.stop_async())

    def apply(self) -> None:
        """Tells the services that applicationHost.config has changed; returns at once."""
        if self.running:
            self.loop.call_soon_threadsafe(lambda: self.spawn(self._follow()))

    def machine_stopped(self) -> None:
        """The server goes down and nothing is waited for: its processes are ended, the listeners are ours to close."""
        if self.running:
            self.hurried = True
            self._run(self.stop_async())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """From another thread: waits. On the loop: begins, and goes on while the caller does."""
        try:
            on_the_loop = asyncio.get_running_loop() is self.loop
        except RuntimeError:
            on_the_loop = False
        if on_the_loop:
            self.spawn(work)
        else:
            self.call(work)

    # -- life -----------------------------------------------------------------------------------------------------------------------

    async def start_async(self) -> None:
        async with self._life:
            if self.running:
                return
            self.running = True
            self.hurried = False
            self._stamp = object()
            await self.apply_async(wait=False)
            self._ticker = asyncio.create_task(self._tick_forever())

    async def stop_async(self) -> None:
        async with self._life:
            if self.running:
                await self._stop()

    async def _stop(self) -> None:
        self.running = False
        if self._ticker is not None:
            self._ticker.cancel()
        for site in self.sites.values():
            await self.httpsys.unregister(site.config.id)
            site.state = STOPPED
        await asyncio.gather(*(pool.stop() for pool in self.pools.values()))
        await self.httpsys.close()
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        await in_thread(self._logs.flush)
        self.sites.clear()
        self.pools.clear()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs `work` beside what is going on; its failures go to the lab's log."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.machine.log(f"IIS: {task.exception()!r}")

    async def wait(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)

    # -- following the configuration ------------------------------------------------------------------------------------------------

    async def apply_async(self, wait: bool = True) -> None:
        """Brings sites and pools in line with applicationHost.config."""
        if wait:
            await self.wait(self.state_delay)
        async with self._apply_lock:
            stamp = self.configuration.stamp()
            if stamp == self._stamp or not self.running:
                return
            try:
                host = await in_thread(self.configuration.host)
            except ConfigError as error:
                self._stamp = stamp
                self._report_bad_config(error)
                return
            self._host = host
            self.tls.forget()
            await self._apply_pools(host)
            await self._apply_sites(host)
            await self._close_outdated()
            self._stamp = stamp

    async def _follow(self) -> None:
        """Takes a changed file in that nobody has told us of; with a delay set, after that time."""
        if self.configuration.stamp() == self._stamp:
            return
        if not self.state_delay:
            await self.apply_async(wait=False)
        elif self._following is None or self._following.done():
            self._following = self.spawn(self.apply_async())

    def _report_bad_config(self, error: ConfigError) -> None:
        text = (
            "The Windows Process Activation Service encountered an error trying to read configuration data from file "
            f"'{error.config_file}', line number '{error.line or 0}'.  The error message is: '{error.text}'.  "
            "The data field contains the error number."
        )
        report(self.machine, WAS, 5172, ERROR, text)

    async def _apply_pools(self, host: Host) -> None:
        wanted = {name.lower(): pool for name, pool in host.pools.items()}
        for key in [k for k in self.pools if k not in wanted]:
            await self.pools.pop(key).stop()
        for key, settings in wanted.items():
            pool = self.pools.get(key)
            if pool is None:
                pool = self.pools[key] = AppPool(self, settings)
                if settings.auto_start:
                    await self._begin(pool.start(), self.delay("pool_start"))
            else:
                await pool.reconfigure(settings)

    async def _apply_sites(self, host: Host) -> None:
        wanted = {site.id: site for site in host.sites}
        for number in [n for n in self.sites if n not in wanted]:
            del self.sites[number]
            await self.httpsys.unregister(number)
        moved = []
        for number, config in sorted(wanted.items()):
            site = self.sites.get(number)
            if site is None:
                self.sites[number] = SiteRuntime(config)
                if config.auto_start:
                    moved.append(number)
                continue
            before, site.config = site.config, config
            site.log = None
            if before.bindings != config.bindings and (site.state == STARTED or site.error):
                await self.httpsys.unregister(number)
                moved.append(number)
        for number in moved:
            await self._bind(self.sites[number])

    async def _bind(self, site: SiteRuntime) -> None:
        """Starts a site: all of its bindings or none."""
        error, binding = await self.httpsys.register(site.config.id, site.config.http_bindings)
        site.error = error
        site.state = STOPPED if error else STARTED
        if error and binding is not None:
            self._report_unbound(site.config, binding, error)

    def _report_unbound(self, site: Site, binding: Binding, error: int) -> None:
        scheme = "https" if binding.secure else "http"
        prefix = f"{scheme}://{binding.host or binding.ip}:{binding.port}/"
        head = (
            "The World Wide Web Publishing Service (WWW Service) did not register the URL prefix "
            f"{prefix} for site {site.id}. "
        )
        if error == E_ALREADY_EXISTS:
            event, why = 1004, "The site has been disabled. "
        elif error == E_ACCESS_DENIED:
            event = 1004
            why = f"This machine does not let the lab listen on port {binding.port}. The site has been disabled. "
        elif error == E_SHARING_VIOLATION:
            event = 1007
            why = "The necessary network binding may already be in use. The site has been disabled. "
        else:
            event, why = 1004, "The site has been disabled. "
        report(self.machine, W3SVC, event, ERROR, head + why + "The data field contains the error number.")

    async def _close_outdated(self) -> None:
        """Shuts down applications of HttpPlatformHandler whose configuration or files have changed."""
        for pool in self.pools.values():
            for worker in pool.workers:
                for key, application in list(worker.applications.items()):
                    if await self._is_outdated(application):
                        worker.applications.pop(key, None)
                        self.spawn(self._recycle_application(application))

    def _just_checked(self, application: PlatformApplication) -> bool:
        """Its files were looked at a moment ago, and no configuration file has been written inside the server since."""
        version, at = application.checked
        return version == self.configuration.version and time.monotonic() - at < CHECKED_FOR

    async def _is_outdated(self, application: PlatformApplication) -> bool:
        application.checked = (self.configuration.version, time.monotonic())
        if application.stamp != self._application_stamp(application.site, application.application):
            return True
        # One that was made while the configuration changed may have the new file's stamp and the old folders.
        if self._as_configured(application.site, application.application)[1].directories != (
            application.application.directories
        ):
            return True
        if application.files_changed():
            return True
        return bool(application.running) and application.is_offline()

    def _as_configured(self, site: Site, application: Application) -> tuple[Site, Application]:
        """What a site and its application have become since a request came for them."""
        current = self.sites.get(site.id)
        found = current and next((a for a in current.config.applications if a.path == application.path), None)
        return (current.config, found) if current and found else (site, application)

    async def _recycle_application(self, application: PlatformApplication) -> None:
        if application.version.number == 2 and application.running:
            if application.is_offline():
                text = f"Application '{application.config_path}' was recycled after detecting app_offline.htm."
                application.report(1012, "Information", text)
            elif application.files_changed():
                text = f"Application '{application.root}\\' was recycled after detecting file change in application directory."
                application.report(1021, "Information", text)
            else:
                text = f"Application '{application.config_path}' was recycled due to configuration change"
                application.report(1021, "Information", text)
        await application.shutdown()

    def _application_stamp(self, site: Site, application: Application) -> Hashable:
        """Stands for the files that an application's configuration comes from, and for its folder."""
        return self.configuration.stamp(), self.configuration.application_stamp(site, application)

    # -- sites and pools for administrators -----------------------------------------------------------------------------------------

    def site_config(self, number: int) -> Site | None:
        site = self.sites.get(number)
        return site.config if site else None

    def _site(self, name: str) -> SiteRuntime:
        for site in self.sites.values():
            if site.config.name.lower() == name.lower():
                return site
        raise StateError(E_NOT_FOUND_OBJECT, "The object identifier does not represent a valid object.")

    def _pool(self, name: str) -> AppPool:
        pool = self.pools.get(name.lower())
        if pool is None:
            raise StateError(E_NOT_FOUND_OBJECT, "The object identifier does not represent a valid object.")
        return pool

    def need_running(self) -> None:
        """StateError 0x80070426 unless the services run."""
        if not self.running:
            raise StateError(E_SERVICE_NOT_ACTIVE, "The service has not been started.")

    def site_state(self, name: str) -> str:
        """Starting, Started, Stopping or Stopped. StateError 0x800710D8 while the service does not know the site (yet)."""
        self.need_running()
        return self._site(name).state

    def pool_state(self, name: str) -> str:
        self.need_running()
        return self._pool(name).state

    def start_site(self, name: str) -> str:
        """Starts a site and returns its state. StateError with the HRESULT when its bindings cannot be had."""
        return self.call(self._start_site(name))

    def stop_site(self, name: str) -> str:
        return self.call(self._stop_site(name))

    def start_pool(self, name: str) -> str:
        return self.call(self._start_pool(name))

    def stop_pool(self, name: str) -> str:
        return self.call(self._stop_pool(name))

    def recycle_pool(self, name: str) -> str:
        """Recycles a pool. StateError 0x80070425 when it is stopped."""
        return self.call(self._recycle_pool(name))

    async def _start_site(self, name: str) -> str:
        self.need_running()
        await self._catch_up()
        site = self._site(name)
        if site.state in (STARTED, STARTING):
            return site.state
        site.state = STARTING

        async def work() -> None:
            await self.wait(self.delay("site_start"))
            await self._bind(site)

        await self._begin(work(), self.delay("site_start"))
        if site.error:
            raise StateError(site.error)
        return site.state

    async def _stop_site(self, name: str) -> str:
        self.need_running()
        await self._catch_up()
        site = self._site(name)
        if site.state == STOPPED:
            return site.state
        site.state = STOPPING
        site.error = 0

        async def work() -> None:
            await self.wait(self.delay("site_stop"))
            await self.httpsys.unregister(site.config.id)
            site.state = STOPPED

        await self._begin(work(), self.delay("site_stop"))
        return site.state

    async def _start_pool(self, name: str) -> str:
        self.need_running()
        await self._catch_up()
        pool = self._pool(name)
        await self._begin(pool.start(), self.delay("pool_start"))
        return pool.state

    async def _stop_pool(self, name: str) -> str:
        self.need_running()
        await self._catch_up()
        pool = self._pool(name)
        if pool.state == STOPPED:
            raise StateError(0x80070426, "The service has not been started.")
        await self._begin(pool.stop(), self.delay("pool_stop"), patience=2.0)
        return pool.state

    async def _recycle_pool(self, name: str) -> str:
        self.need_running()
        await self._catch_up()
        pool = self._pool(name)
        if pool.state != STARTED:
            raise StateError(0x80070426, "The service has not been started.")
        await pool.recycle()
        return pool.state

    async def _begin(self, work: Awaitable[None], delay: float, patience: float = 5.0) -> None:
        """Waits for `work` unless it is delayed or takes long; then the caller sees Starting or Stopping."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        await asyncio.wait([task], timeout=0 if delay > 0 else patience)
        if not task.done():
            await asyncio.sleep(0)

    async def _catch_up(self) -> None:
        """A change of the file that nobody has told us of is taken in first."""
        if not self.state_delay and self.configuration.stamp() != self._stamp:
            await self.apply_async(wait=False)

    def worker_processes(self, pool: str | None = None) -> list[WorkerProcess]:
        """Running worker processes, of one pool or of all."""
        pools = [self._pool(pool)] if pool is not None else list(self.pools.values())
        return [worker for item in pools for worker in item.workers]

    # -- requests -------------------------------------------------------------------------------------------------------------------

    async def dispatch(self, exchange: Exchange) -> None:
        """A request that HTTP.sys has routed to a site: finds its application, pool and worker process."""
        await self._follow()
        site = self.sites.get(exchange.site)
        if site is None:
            await exchange.kernel_answer("NotFound")
            return
        application = site.config.application_at("/" if exchange.url.path == "*" else exchange.url.path)
        pool = self.pools.get(application.pool.lower()) if application is not None else None
        if application is None or pool is None:
            await exchange.kernel_answer("N/A")
            return
        try:
            worker = await pool.get_worker()
        except PoolUnavailable as unavailable:
            await exchange.kernel_answer(unavailable.reason)
            return
        worker.enter()
        try:
            await self.pipeline.run(exchange, worker, site.config, application)
        finally:
            worker.leave()

    async def platform_application(self, context: RequestContext, modules: frozenset[str]) -> PlatformApplication:
        """The application of HttpPlatformHandler that a request belongs to, made on its first request."""
        worker = context.worker
        site, application = self._as_configured(context.site, context.application)
        key = (site.id, application.path)
        found = worker.applications.get(key)
        if found is not None and not found.closed and (self._just_checked(found) or not await self._is_outdated(found)):
            return found
        if found is not None:
            worker.applications.pop(key, None)
            self.spawn(self._recycle_application(found))
        stamp = self._application_stamp(site, application)
        sections = await in_thread(self.configuration.sections, site, application, application.path, worker.token)
        section = sections.section(httpplatform.SECTION)
        websockets = "WebSocketModule" in modules and bool(
            sections.section("system.webServer/webSocket").get("enabled", True)
        )
        version = version_of(self._module_image(httpplatform.MODULE))
        existing = worker.applications.get(key)
        if existing is not None and not existing.closed:
            return existing
        made = PlatformApplication(worker, site, application, section, version, stamp, websockets)
        made.authentication = self._authentication(sections)
        worker.applications[key] = made
        return made

    @staticmethod
    def _authentication(sections: Sections) -> str:
        """The kinds of authentication that are on, as HTTP_PLATFORM_IIS_HTTPAUTH lists them."""
        root = "system.webServer/security/authentication/"
        kinds = (("windows", False), ("basic", False), ("anonymous", True))
        on = [k for k, default in kinds if sections.section(f"{root}{k}Authentication").get("enabled", default)]
        return "".join(f"{kind};" for kind in on) or "none"

    def _module_image(self, name: str) -> str:
        for item in self._global_modules():
            if item["name"] == name:
                return str(item.get("image", ""))
        return ""

    def _global_modules(self) -> list[Node]:
        return list(self.configuration.server_section("system.webServer/globalModules").items)

    def missing_module(self) -> str:
        """DLL of a native module that is configured but not on the disk; "" when all are there.

        Modules of Windows itself are part of the lab and have no files of their own.
        """
        for item in self._global_modules():
            image = self.machine.env.expand(item.get("image", ""))
            lower = image.lower()
            own = lower.startswith("c:\\windows\\system32\\inetsrv\\") and not lower.endswith(
                "\\httpplatformhandler.dll"
            )
            if image and not own and not self.machine.fs.is_file(image):
                return image
        return ""

    # -- warming up -----------------------------------------------------------------------------------------------------------------

    def preload(self, worker: WorkerProcess) -> None:
        """Sends the requests of preloadEnabled and applicationInitialization into a new worker process."""
        work = applications_of(worker.pool.name, self._host.sites)
        if work and self.machine.iis_preload:
            worker.preloading = self.spawn(self._preload(worker, work))

    async def _preload(self, worker: WorkerProcess, work: list[tuple[Site, Application]]) -> None:
        for site, application in work:
            pages = await self._initialization_pages(worker, site, application)
            for path, host in pages:
                await self._warm(worker, site, application, path, host)

    async def _initialization_pages(
        self, worker: WorkerProcess, site: Site, application: Application
    ) -> list[tuple[str, str]]:
        """(path, host name) of the pages to ask for; none where neither preloadEnabled nor doAppInitAfterRestart is set."""
        root = application.path.rstrip("/")
        try:
            sections = await in_thread(self.configuration.sections, site, application, application.path, worker.token)
            names = {item["name"] for item in sections.section("system.webServer/modules").items}
            section = sections.section("system.webServer/applicationInitialization")
        except ConfigError:
            return [(root + "/", "")] if application.preload else []
        wanted = application.preload or section.get("doAppInitAfterRestart", False)
        if "ApplicationInitializationModule" not in names or not wanted:
            return []
        listed = [(root + item["initializationPage"], item.get("hostName", "")) for item in section.items]
        return listed or [(root + "/", "")]

    async def _warm(self, worker: WorkerProcess, site: Site, application: Application, path: str, host: str) -> None:
        binding = next(iter(site.http_bindings), None)
        if binding is None:
            return
        exchange = InternalExchange(self.httpsys, path, host or "localhost", site.id, binding)
        worker.enter()
        try:
            await self.pipeline.run(exchange, worker, site, application)
        finally:
            worker.leave()

    # -- time and logs --------------------------------------------------------------------------------------------------------------

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            with contextlib.suppress(WindowsError, ConfigError):
                await self.tick()

    async def tick(self) -> None:
        """What is due: configuration changed by hand, idle time-outs, recycling, changed files, log lines."""
        await self._follow()
        for pool in list(self.pools.values()):
            await pool.tick()
        await self._close_outdated()
        if self._logs.pending:
            await in_thread(self._logs.flush)

    def log_of(self, site: Site) -> SiteLog:
        runtime = self.sites.get(site.id)
        if runtime is None:
            return SiteLog(self._logs, site, self.machine.env.expand)
        if runtime.log is None:
            runtime.log = SiteLog(self._logs, site, self.machine.env.expand)
        return runtime.log

    def flush_logs(self) -> None:
        """Writes collected log lines now."""
        self._logs.flush()

    def _note_http_error(self, line: str) -> None:
        self._logs.add(HTTPERR, _HTTPERR_HEADER, line)
