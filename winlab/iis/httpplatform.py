"""HttpPlatformHandler: starts an application's own server process and forwards requests to it.

Two products share the name, the section and the module name: Microsoft's 1.2 and LeXtudio's 2.0 (also "HTTP Bridge"). What differs between them
is in `Version`. Facts: the schemas of both; the sources of version 2 and of AspNetCoreModule 1, a fork of version 1.2; error reports that
quote version 1.2's event log entries.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import socket
import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from winlab.iis.context import HttpError, RequestContext
from winlab.iis.events import ERROR, INFORMATION, WARNING, report
from winlab.iis.http11 import ProtocolError, format_head, parse_response
from winlab.iis.model import Application, Node, Site
from winlab.iis.threads import in_thread
from winlab.windows.errors import WindowsError
from winlab.windows.processes import Job, Process, listening_ports

if TYPE_CHECKING:
    from winlab.iis.pools import WorkerProcess

MODULE = "httpPlatformHandler"
SECTION = "system.webServer/httpPlatform"
PORT_VARIABLE = "%HTTP_PLATFORM_PORT%"

E_FAIL = 0x80004005
E_INVALIDARG = 0x80070057
E_CREATE_FAILED = 0x8007065F
E_SERVER_DISABLED = 0x8007053D
E_TIMEOUT = 0x800705B4
E_PORT_NOT_SET = 0x800702C2
E_ACTIVATION_TIMED_OUT = 0x8027025A
E_ACTIVATION_EXEC_FAILURE = 0x8027025B

POLL_FIRST, POLL_LAST = 0.02, 0.25
GRACEFUL_SECONDS = 10.0
CAPTURED_OUTPUT = 30000


@dataclass(frozen=True)
class Version:
    """What sets the two products apart.

    Attributes:
        number: 1 or 2.
        event_source: their name in the Application log.
        registered: whether that name is registered there; for version 1.2 Windows says that it "cannot find the description" of its events, on
            servers with its setup too (aspnet/IISIntegration issue 32, dotnet/aspnetcore issue 1336).
        ports: first and last port they choose from.
        buffer: bytes of the response that are held back until so many are there (0: none).
        substatus: of the 502 that a failed start is answered with.
    """

    number: int
    event_source: str
    registered: bool
    ports: tuple[int, int]
    buffer: int
    substatus: int
    graceful: bool
    token: bool


V1 = Version(1, "HttpPlatformHandler", False, (1025, 48000), 8192, 3, graceful=False, token=False)
V2 = Version(2, "IIS HttpPlatformHandler Module V2", True, (10000, 48000), 0, 5, graceful=True, token=True)


def version_of(image: str) -> Version:
    """The product that a module's DLL is, by its file name as the installers name it."""
    name = image.replace("/", "\\").rpartition("\\")[2].lower()
    return V2 if name.startswith(("httpplatformhandlerv2", "httpbridge")) else V1


def signed(hresult: int) -> int:
    return hresult - (1 << 32) if hresult & 0x80000000 else hresult


class StartFailure(Exception):
    """The process did not come up; `hresult` says why."""

    def __init__(self, hresult: int) -> None:
        super().__init__(f"0x{hresult:08x}")
        self.hresult = hresult


@dataclass(frozen=True)
class Settings:
    """The section's values, environment variables of the worker process put in where the schema says so."""

    process_path: str
    arguments: str
    startup_seconds: float
    retries: int
    rapid_fails: int
    request_seconds: float
    processes: int
    log_enabled: bool
    log_file: str
    environment: tuple[tuple[str, str], ...]
    watched: tuple[str, ...]

    @classmethod
    def of(cls, section: Node, expand: Callable[[str], str]) -> Settings:
        variables = section.child("environmentVariables").items
        return cls(
            process_path=expand(section.get("processPath", "")),
            arguments=expand(section.get("arguments", "")),
            startup_seconds=float(section.get("startupTimeLimit", 120)),
            retries=int(section.get("startupRetryCount", 0)),
            rapid_fails=int(section.get("rapidFailsPerMinute", 10)),
            request_seconds=section["requestTimeout"].total_seconds() if section.get("requestTimeout") else 120.0,
            processes=int(section.get("processesPerApplication", 1)),
            log_enabled=bool(section.get("stdoutLogEnabled", False)),
            log_file=expand(section.get("stdoutLogFile", "")) or r".\httpplatform-stdout",
            environment=tuple((item["name"], expand(item["value"])) for item in variables),
            watched=tuple(expand(item["path"]) for item in section.child("recycleOnFileChange").items),
        )


class PlatformApplication:
    """An IIS application whose requests go to processes of its own, inside one worker process.

    Args:
        stamp: stands for the configuration it was made from; with another one it is shut down.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        site: Site,
        application: Application,
        section: Node,
        version: Version,
        stamp: Hashable,
        websockets: bool,
    ) -> None:
        self.worker = worker
        self.machine = worker.pool.service.machine
        self.site = site
        self.application = application
        self.version = version
        self.stamp = stamp
        self.websockets = websockets
        self.root = application.physical_path
        self.settings = Settings.of(section, worker.environment.expand)
        self.config_path = f"MACHINE/WEBROOT/APPHOST/{site.name}{application.path.rstrip('/')}".upper()
        self.closed = False
        self.authentication = "anonymous;"
        self.checked: tuple[int, float] = (-1, 0.0)
        """When its files were last looked at: the configuration's version, and the time."""
        self._backends: list[Backend | None] = [None] * self.settings.processes
        self._turn = itertools.count(1)
        self._lock = asyncio.Lock()
        self._fails = 0
        self._fails_since = worker.pool.service.clock.now()
        self._watched = self._file_stamps()

    # -- requests -----------------------------------------------------------------------------------------------------------------

    async def backend(self) -> Backend:
        """The process whose turn it is, started when it does not run.

        Raises:
            HttpError: 502.3 (version 1.2) or 502.5 (version 2) when it cannot be had.
        """
        index = next(self._turn) % len(self._backends)
        backend = self._backends[index]
        if backend is not None and backend.ready:
            return backend
        async with self._lock:
            backend = self._backends[index]
            if backend is not None and backend.ready:
                return backend
            try:
                started = await self._start()
            except StartFailure as failure:
                raise self.start_error(failure.hresult) from failure
            if self.closed:
                await in_thread(started.kill)
                raise HttpError(503, 0, 0, module=MODULE)
            self._backends[index] = started
            return started

    def start_error(self, hresult: int) -> HttpError:
        return HttpError(502, self.version.substatus, hresult, module=MODULE)

    async def _start(self) -> Backend:
        if self.version.number == 1:
            return await self._start_v1()
        if self._rapid_fails_exceeded(strictly=True):
            raise StartFailure(E_SERVER_DISABLED)
        backend = Backend(self)
        try:
            await backend.start_v2()
        except StartFailure:
            self._report(
                1020,
                ERROR,
                f"{backend.subject} failed to start process with commandline '{backend.command_line}' with multiple retries. "
                f"Failed to bind to port '{backend.port}'. First 30KB characters of captured stdout and stderr logs from multiple "
                f"retries:\r\n{backend.captured}",
            )
            raise
        return backend

    async def _start_v1(self) -> Backend:
        """Version 1.2 tries startupRetryCount times more, each failure counting as a rapid fail."""
        attempt = 0
        backend = Backend(self)
        while True:
            if self._rapid_fails_exceeded(strictly=False):
                backend.kill()
                raise StartFailure(E_SERVER_DISABLED)
            try:
                await backend.start_once()
                return backend
            except StartFailure as failure:
                self.count_failure()
                text = f"Process '{backend.pid}' failed to start. Port = {backend.port}, Error Code = '{signed(failure.hresult)}'."
                self._report(1000, ERROR, text)
                attempt += 1
                if attempt > self.settings.retries or self.closed:
                    backend.kill()
                    raise

    def count_failure(self) -> None:
        self._fails += 1

    def _rapid_fails_exceeded(self, strictly: bool) -> bool:
        now = self.worker.pool.service.clock.now()
        if now - self._fails_since >= 60:
            self._fails, self._fails_since = 0, now
        limit = self.settings.rapid_fails
        if self._fails > limit or (not strictly and self._fails >= max(limit, 1)):
            self._report(1003, INFORMATION, f"Maximum rapid fail count per minute of '{limit}' exceeded.")
            return True
        return False

    def backend_exited(self, backend: Backend) -> None:
        """A process ended on its own: the next request in its turn starts another."""
        if not backend.ready:
            return
        backend.ready = False
        self.count_failure()
        self._forget(backend)
        self.worker.pool.service.spawn(in_thread(backend.kill))

    def _forget(self, backend: Backend) -> None:
        self._backends = [None if b is backend else b for b in self._backends]

    # -- the end ------------------------------------------------------------------------------------------------------------------

    async def shutdown(self) -> None:
        """Ends the processes: version 2 asks them first, version 1.2 terminates them."""
        self.closed = True
        backends = [b for b in self._backends if b is not None]
        self._backends = [None] * len(self._backends)
        if self.version.graceful:
            await asyncio.gather(*(b.stop_gracefully() for b in backends))
        else:
            await asyncio.gather(*(in_thread(b.kill) for b in backends))

    def kill(self) -> None:
        """The worker process is gone, and with it the job object of each process."""
        self.closed = True
        for backend in self._backends:
            if backend is not None:
                backend.ready = False
                self.worker.pool.service.spawn(in_thread(backend.kill))
        self._backends = [None] * len(self._backends)

    @property
    def running(self) -> list[Backend]:
        return [b for b in self._backends if b is not None and b.ready]

    # -- files that matter --------------------------------------------------------------------------------------------------------

    @property
    def offline_page(self) -> str:
        return self.root.rstrip("\\") + "\\app_offline.htm"

    def is_offline(self) -> bool:
        """app_offline.htm lies in the application's folder (version 2 looks for it)."""
        return self.version.number == 2 and bool(self.machine.fs.is_file(self.offline_page))

    def files_changed(self) -> bool:
        """A file of recycleOnFileChange is not as it was."""
        return bool(self.settings.watched) and self._file_stamps() != self._watched

    def _file_stamps(self) -> list[tuple[str, Hashable]]:
        stamps: list[tuple[str, Hashable]] = []
        for path in self.settings.watched:
            full = self.machine.fs.resolve(path, self.root)
            try:
                status = os.stat(self.machine.fs.host_path(full))
                stamps.append((full, (status.st_mtime_ns, status.st_size, status.st_ino)))
            except (OSError, WindowsError):
                stamps.append((full, None))
        return stamps

    def _report(self, event: int, level: str, text: str) -> None:
        report(self.machine, self.version.event_source, event, level, text, "Application", self.version.registered)

    report = _report


class Backend:
    """One process that serves the application."""

    def __init__(self, application: PlatformApplication) -> None:
        self.application = application
        self.settings = application.settings
        self.version = application.version
        self.machine = application.machine
        self.loop = application.worker.pool.service.loop
        self.port = 0
        self.pid = 0
        self.command_line = ""
        self.token = ""
        self.ready = False
        self.process: Process | None = None
        self.job: Job | None = None
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.listener: Process | None = None
        self._log: Any = None
        self._log_tried = False
        self._output: Any = None
        self._captured = b""

    @property
    def subject(self) -> str:
        return f"Application '{self.application.config_path}' with physical root '{self.application.root}\\'"

    @property
    def captured(self) -> str:
        """What version 2 keeps of the output of a process without a log."""
        if self._output is not None:
            self._captured += self._output.read_available() or b""
        return self._captured[:CAPTURED_OUTPUT].decode("utf-8", "replace")

    # -- starting -----------------------------------------------------------------------------------------------------------------

    async def start_once(self) -> None:
        """One attempt. StartFailure when it fails; the process has been ended then."""
        try:
            if not self._log_tried:
                await in_thread(self._open_log)
            self.pid = 0
            self.port = self._choose_port()
            await in_thread(self._create)
            await self._await_listener()
        except StartFailure:
            await in_thread(self.end_process)
            raise
        self.ready = True
        assert self.process is not None
        if self.version.number == 1:
            text = f"Process '{self.pid}' started successfully and is listening on port '{self.port}'."
        else:
            listener = self.listener.pid if self.listener else self.pid
            text = (
                f"Application '{self.application.config_path}' started process '{self.pid}' successfully and process "
                f"'{listener}' is listening on port '{self.port}'."
            )
        self.application.report(1001, INFORMATION, text)
        self.process.on_exit.append(self._exited)
        if self.listener is not None and self.listener is not self.process:
            self.listener.on_exit.append(self._exited)
        if not self.process.alive:
            self._exited(self.process)

    async def start_v2(self) -> None:
        """Version 2 makes two attempts, each with a port of its own."""
        for left in (1, 0):
            try:
                await self.start_once()
                return
            except StartFailure as failure:
                stage = "CreateProcessW" if self.pid == 0 else "PostStartCheck"
                critical = failure.hresult == E_INVALIDARG
                stage = "SetupListenPort" if critical else stage
                self.application.report(
                    1000,
                    WARNING,
                    f"{self.subject} failed to start process with commandline '{self.command_line}' at stage '{stage}', "
                    f"ErrorCode = '0x{failure.hresult:x}', assigned port {self.port}, retryCounter '{0 if critical else left}'.",
                )
                if left == 0 or critical or self.application.closed:
                    self.kill()
                    raise

    def _choose_port(self) -> int:
        first, last = self.version.ports
        for _ in range(10):
            port = random.randint(first, last)
            if _is_free(port):
                return port
        raise StartFailure(E_PORT_NOT_SET)

    def _create(self) -> None:
        environment = self._environment()
        self.job = Job()
        try:
            self.command_line = f'"{self._image()}" {self.settings.arguments}'
            command_line = self.command_line.replace(PORT_VARIABLE, str(self.port))
            if self.version.number == 1:
                self.command_line = command_line
            self.process = self.machine.processes.start(
                command_line,
                cwd=self.application.root,
                env=environment,
                user=self.application.worker.token,
                stdout=self._log or self._output,
                stderr=self._log or self._output,
                parent=self.application.worker.process,
                job=self.job,
            )
        except WindowsError as error:
            raise StartFailure(0x80070000 | error.code) from error
        self.pid = self.process.pid

    def _image(self) -> str:
        """processPath; a relative one is taken from the application's folder when it is there, else searched for as Windows does."""
        path = self.settings.process_path
        if ":" not in path and "%" not in path:
            full = str(self.machine.fs.resolve(path, self.application.root))
            if self.machine.fs.is_file(full):
                return full
        return path

    def _environment(self) -> dict[str, str]:
        """The worker process's variables, the section's, and the module's own."""
        worker = self.application.worker
        environment = worker.environment.copy()
        configured = {name.upper() for name, _ in self.settings.environment}
        own = {"HTTP_PLATFORM_APPL_PATH": self.application.application.path}
        if self.version.number == 2:
            self._take_configured_port(configured)
            own |= self._iis_variables()
        for name, value in self.settings.environment:
            environment[name] = value.replace(PORT_VARIABLE, str(self.port))
        if self.version.token:
            self.token = self.token or environment.get("HTTP_PLATFORM_TOKEN") or str(uuid.uuid4())
            own["HTTP_PLATFORM_TOKEN"] = self.token
        own["HTTP_PLATFORM_PORT"] = str(self.port)
        for name, value in own.items():
            environment[name] = value
        return environment

    def _take_configured_port(self, configured: set[str]) -> None:
        if "HTTP_PLATFORM_PORT" not in configured:
            return
        value = next(v for n, v in self.settings.environment if n.upper() == "HTTP_PLATFORM_PORT")
        if not value:
            return
        self.port = int(value) if value.isdigit() else 0
        if not 1025 <= self.port <= 48000:
            raise StartFailure(E_INVALIDARG)

    def _iis_variables(self) -> dict[str, str]:
        """What version 2 tells its processes about where they run."""
        site, application, pool = self.application.site, self.application.application, self.application.worker.pool
        path = f"MACHINE/WEBROOT/APPHOST/{site.name}{application.path.rstrip('/')}"
        return {
            "HTTP_PLATFORM_IIS_VERSION": "10.0",
            "HTTP_PLATFORM_IIS_APP_POOL_ID": pool.name,
            "HTTP_PLATFORM_IIS_APP_POOL_CONFIG_FILE": pool.config_file,
            "HTTP_PLATFORM_IIS_SITE_NAME": site.name,
            "HTTP_PLATFORM_IIS_SITE_ID": str(site.id),
            "HTTP_PLATFORM_IIS_APP_CONFIG_PATH": path,
            "HTTP_PLATFORM_IIS_APPLICATION_ID": f"/LM/W3SVC/{site.id}/ROOT{application.path.rstrip('/')}",
            "HTTP_PLATFORM_IIS_APPLICATION_VIRTUAL_PATH": application.path,
            "HTTP_PLATFORM_IIS_HTTPAUTH": self.application.authentication,
            "HTTP_PLATFORM_IIS_WEBSOCKETS_SUPPORTED": "true" if self.application.websockets else "false",
        }

    async def _await_listener(self) -> None:
        """Waits until the process, or one that it has started, listens on the port."""
        process = self.process
        assert process is not None
        deadline = self.loop.time() + self.settings.startup_seconds
        pause = POLL_FIRST
        while True:
            if not process.alive:
                raise StartFailure(E_FAIL if self.version.number == 1 else E_ACTIVATION_EXEC_FAILURE)
            if self.application.closed:
                raise StartFailure(E_FAIL)
            if await in_thread(self._find_listener):
                return
            if await self._is_taken_by_another():
                raise StartFailure(E_CREATE_FAILED)
            left = deadline - self.loop.time()
            if left <= 0:
                raise StartFailure(E_TIMEOUT if self.version.number == 1 else E_ACTIVATION_TIMED_OUT)
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_LAST)

    def _find_listener(self) -> bool:
        """Looks for the process of our tree that listens on the port by IPv4."""
        assert self.process is not None
        for item in self.process.tree:
            own = listening_ports(item)
            if any(port == self.port and ":" not in address for address, port in own):
                self.listener = item
        return self.listener is not None

    async def _is_taken_by_another(self) -> bool:
        """Something answers on the port that is not of our tree."""
        if _is_free(self.port):
            return False
        return not await in_thread(self._find_listener)

    # -- its output ---------------------------------------------------------------------------------------------------------------

    def _open_log(self) -> None:
        """Opens the standard output log as the pool's identity; event 1004 when that cannot be."""
        self._log_tried = True
        if not self.settings.log_enabled:
            if self.version.number == 2:
                from winlab.windows.pipes import Pipe

                self._output = Pipe()
                self._output.add_listener(self._capture)
            return
        fs, user = self.machine.fs, self.application.worker.token
        path = ""
        try:
            path = self._log_path(fs.resolve(self.settings.log_file, self.application.root))
            if self.version.number == 2:
                fs.mkdir(path.rpartition("\\")[0], parents=True, user=user)
            self._log = fs.open(path, mode="Create", access="Write", share="Read", user=user)
        except WindowsError as error:
            code = 0x80070000 | error.code
            if self.version.number == 1:
                text = f"Warning: Could not create stdoutLogFile \\\\?\\{path}, ErrorCode = {signed(code)}."
            else:
                text = f"Could not create stdoutLogFile {path or self.settings.log_file}, ErrorCode = '0x{code:x}'."
            self.application.report(1004, WARNING, text)

    def _log_path(self, base: str) -> str:
        now = time.gmtime(self.machine.now().timestamp())
        worker = self.application.worker.pid
        if self.version.number == 1:
            stamp = f"{now.tm_year}{now.tm_mon}{now.tm_mday}{now.tm_hour}{now.tm_min}{now.tm_sec}"
            return f"{base}_{worker}_{stamp}.log"
        return f"{base}_{time.strftime('%Y%m%d%H%M%S', now)}_{worker}.log"

    def _capture(self) -> None:
        """Keeps the first of the output, drops the rest so that the process never waits for a reader."""
        output = self._output
        if output is not None:
            data = output.read_available()
            if data and len(self._captured) < CAPTURED_OUTPUT:
                self._captured += data

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    # -- the end ------------------------------------------------------------------------------------------------------------------

    def _exited(self, process: Process) -> None:
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.application.backend_exited, self)

    def kill(self) -> None:
        """Terminates the process and all that it has started, and closes its log."""
        self.end_process()
        self._close_log()

    def end_process(self) -> None:
        self.ready = False
        for _, writer in self.idle:
            self.loop.call_soon_threadsafe(writer.transport.abort)
        self.idle.clear()
        job, process = self.job, self.process
        if process is not None:
            process.kill(tree=True, exit_code=0)
        if job is not None:
            job.terminate(0)

    async def stop_gracefully(self) -> None:
        """Version 2's way: a shutdown message, else CTRL+BREAK, ten seconds, then termination."""
        self.ready = False
        process = self.process
        if process is None:
            return
        if process.alive:
            status = await self._send_shutdown_message()
            if status is not None:
                text = (
                    f"Sent shutdown HTTP message to process with Id '{self.pid}' and received http status '{status}'."
                )
                self.application.report(1006, INFORMATION, text)
            if status != 202:
                await in_thread(process.send_ctrl_break)
            deadline = self.loop.time() + GRACEFUL_SECONDS
            while process.alive and self.loop.time() < deadline:
                await asyncio.sleep(0.05)
            if process.alive:
                text = f"Failed to gracefully shutdown process with Id '{self.pid}'."
                self.application.report(1005, WARNING, text)
            else:
                text = f"{self.subject} shut down process with Id '{self.pid}' listening on port '{self.port}'"
                self.application.report(1030, INFORMATION, text)
        await in_thread(self.kill)

    async def _send_shutdown_message(self) -> int | None:
        """POST /iisintegration; the status of the answer, None without one."""
        path = self.application.application.path.rstrip("/") + "/iisintegration"
        headers = [
            ("Connection", "Keep-Alive"),
            ("MS-ASPNETCORE-EVENT", "shutdown"),
            ("MS-ASPNETCORE-TOKEN", self.token),
            ("Content-Length", "0"),
            ("Host", f"127.0.0.1:{self.port}"),
        ]
        try:
            async with asyncio.timeout(GRACEFUL_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(format_head(f"POST {path} HTTP/1.1", headers))
                    return parse_response(await reader.readuntil(b"\r\n\r\n")).status
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ProtocolError):
            return None


def _is_free(port: int) -> bool:
    """Nothing listens on the loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def handle(context: RequestContext, application: PlatformApplication) -> None:
    """Answers one request by way of the application's process."""
    from winlab.iis.proxy import forward

    if application.is_offline():
        await _answer_offline(context, application)
        return
    backend = await application.backend()
    await forward(context, application, backend)


async def _answer_offline(context: RequestContext, application: PlatformApplication) -> None:
    try:
        page = application.machine.fs.read_bytes(application.offline_page, user=application.worker.token)
    except WindowsError:
        page = b""
    await context.respond(503, [("Content-Type", "text/html")], page)
