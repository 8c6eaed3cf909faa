"""Processes of one server: programs of the lab in threads, `python.exe` as real children of this machine.

Sources: the Win32 documentation of CreateProcess (how an image is found, what is inherited) and of job objects.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from winlab.windows import acl, cmdline, images, turns
from winlab.windows.current import check_killed, enter
from winlab.windows.environment import Environment
from winlab.windows.errors import ProcessKilled, WindowsError
from winlab.windows.filesystem import FileHandle
from winlab.windows.pipes import Pipe

if TYPE_CHECKING:
    from winlab.windows.accounts import Token
    from winlab.windows.machine import Machine
    from winlab.windows.native import NativeChild

Stream = Pipe | FileHandle
Main = Callable[["ProgramContext"], int]

STACK_SIZE = 16 << 20
BIG_STACK_SIZE = 512 << 20
_stack_lock = threading.Lock()
_programs: dict[str, Main | str] = {}
_big_stacks: set[str] = set()
PROGRAM_ROOM = "winlab.programs"
"""Imported when the first program is looked up: its registrations fill the table."""


def register_program(name: str, main: Main | str, *, big_stack: bool = False) -> None:
    """Says what runs when an image whose content names program `name` starts: a callable or `package.module:function`, imported on first use."""
    _programs[name] = main
    if big_stack:
        _big_stacks.add(name)


def find_program(name: str) -> Main | None:
    """The callable of a registered program; None when the lab lacks it."""
    if name not in _programs:
        importlib.import_module(PROGRAM_ROOM)
    main = _programs.get(name)
    if isinstance(main, str):
        module, _, attribute = main.partition(":")
        main = getattr(importlib.import_module(module), attribute)
        _programs[name] = main
    return main


class Console:
    """What processes of one console share: code pages and title."""

    def __init__(self, codepage: int = 437) -> None:
        self.input_codepage = codepage
        self.output_codepage = codepage
        self.title = ""

    @property
    def encoding(self) -> str:
        """Python's name for the output code page."""
        return codepage_encoding(self.output_codepage)

    @property
    def input_encoding(self) -> str:
        return codepage_encoding(self.input_codepage)


def codepage_encoding(codepage: int) -> str:
    """Python's codec for a Windows code page number. WindowsError 87 when there is none."""
    special = {65001: "utf-8", 1200: "utf-16-le", 1201: "utf-16-be", 20127: "ascii", 28591: "latin-1", 932: "cp932"}
    name = special.get(codepage, f"cp{codepage}")
    try:
        "".encode(name)
    except LookupError:
        raise WindowsError(87) from None
    return name


class Job:
    """A job object: its processes and all that they start end together."""

    def __init__(self, kill_on_close: bool = True) -> None:
        self.kill_on_close = kill_on_close
        self.processes: list[Process] = []

    def terminate(self, exit_code: int = 1) -> None:
        """Ends every process in the job."""
        for process in list(self.processes):
            process.kill(exit_code=exit_code)

    def close(self) -> None:
        if self.kill_on_close:
            self.terminate()


@dataclass
class Usage:
    """Host paths that processes keep in use."""

    images: set[str] = field(default_factory=set)
    directories: set[str] = field(default_factory=set)
    mapped: set[str] = field(default_factory=set)
    native_open: set[str] = field(default_factory=set)


class Process:
    """One simulated process. Times are UTC; exit codes are signed 32-bit numbers."""

    def __init__(
        self,
        machine: Machine,
        pid: int,
        image: str,
        command_line: str,
        cwd: str,
        env: Environment,
        user: Token,
        parent: Process | None = None,
        job: Job | None = None,
        console: Console | None = None,
        stdin: Stream | None = None,
        stdout: Stream | None = None,
        stderr: Stream | None = None,
    ) -> None:
        self.machine = machine
        self.pid = pid
        self.image = image
        self.command_line = command_line
        self.env = env
        self.user = user
        self.parent = parent
        self.job = job
        self.console = console or Console()
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.started = machine.now()
        self.session_id = 0
        self.killed = False
        self.exit_code: int | None = None
        self.native: NativeChild | None = None
        self.base_python: str | None = None
        """Windows path of the interpreter that runs, when the image is a virtual environment's python.exe or a script launcher."""
        self.moved: dict[str, str] = {}
        """Where on this machine an image is now, by the Windows path that it was started from, when it was renamed meanwhile."""
        self.on_exit: list[Callable[[Process], None]] = []
        self.listeners: list[tuple[str, int]] = []
        """(address, port) of the TCP sockets on which simulated code of the process itself listens; of native children see `native`."""
        self._cwd = cwd
        self._done = threading.Event()

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.name}>"

    @property
    def name(self) -> str:
        """The image's file name, `cmd.exe`."""
        return self.image.rpartition("\\")[2]

    @property
    def cwd(self) -> str:
        return self._cwd

    @cwd.setter
    def cwd(self, path: str) -> None:
        self._cwd = path
        self.machine.processes.changed()

    @property
    def alive(self) -> bool:
        return not self._done.is_set()

    @property
    def children(self) -> list[Process]:
        """Running processes that this one started."""
        return [process for process in self.machine.processes.running() if process.parent is self]

    @property
    def tree(self) -> list[Process]:
        """This process and its running descendants."""
        result = [self]
        for child in self.children:
            result.extend(child.tree)
        return result

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code, or None when the process still runs after `timeout` seconds. A waiting process that is killed leaves with ProcessKilled."""
        if not self._done.is_set():
            with turns.aside():
                self._wait_for_end(None if timeout is None else time.monotonic() + timeout)
        check_killed()
        return self.exit_code if self._done.is_set() else None

    def _wait_for_end(self, deadline: float | None) -> None:
        while not self._done.is_set():
            remaining = 0.25 if deadline is None else min(0.25, deadline - time.monotonic())
            if remaining <= 0 or self._done.wait(remaining):
                return
            check_killed()

    def kill(self, tree: bool = False, exit_code: int = 1) -> None:
        """TerminateProcess; with `tree`, all descendants too."""
        if tree:
            for child in self.children:
                child.kill(True, exit_code)
        with self.machine.lock:
            if self._done.is_set() or self.killed:
                return
            self.killed = True
        if self.native is not None:
            self.native.kill()
        self.finish(exit_code)
        for stream in (self.stdin, self.stdout, self.stderr):
            if isinstance(stream, Pipe):
                stream.wake()

    def send_ctrl_break(self) -> None:
        """CTRL_BREAK_EVENT to the process group: Python gets SIGTERM (its SIGBREAK), a program of the lab ends with STATUS_CONTROL_C_EXIT."""
        for process in self.tree:
            if process.native is not None:
                process.native.interrupt()
            else:
                process.kill(exit_code=0xC000013A)

    def finish(self, exit_code: int) -> None:
        """Marks the end: releases streams and open files, tells who waits. Called once by whoever ends the process."""
        with self.machine.lock:
            if self._done.is_set():
                return
            self.exit_code = signed32(exit_code)
            self.machine.processes.forget(self)
            self._done.set()
        self.machine.fs.close_handles_of(self)
        if self.native is None:
            self.release_streams()
        for callback in list(self.on_exit):
            callback(self)

    def acquire_streams(self) -> None:
        if isinstance(self.stdin, Pipe):
            self.stdin.add_reader()
        for stream in (self.stdout, self.stderr):
            if isinstance(stream, Pipe):
                stream.add_writer()

    def release_streams(self) -> None:
        if isinstance(self.stdin, Pipe):
            self.stdin.release_reader()
        for stream in (self.stdout, self.stderr):
            if isinstance(stream, Pipe):
                stream.release_writer()


def signed32(code: int) -> int:
    code &= 0xFFFFFFFF
    return code - (1 << 32) if code & 0x80000000 else code


class ProgramContext:
    """What a program of the lab is given: `def main(ctx: ProgramContext) -> int`."""

    def __init__(self, process: Process) -> None:
        self.machine = process.machine
        self.process = process
        self.command_line = process.command_line
        self.argv = cmdline.split(process.command_line)
        self.env = process.env
        self.user = process.user

    @property
    def cwd(self) -> str:
        return self.process.cwd

    @cwd.setter
    def cwd(self, path: str) -> None:
        self.process.cwd = path

    @property
    def stdin(self) -> Stream | None:
        return self.process.stdin

    @property
    def stdout(self) -> Stream | None:
        return self.process.stdout

    @property
    def stderr(self) -> Stream | None:
        return self.process.stderr

    @property
    def console(self) -> Console:
        return self.process.console

    def check(self) -> None:
        """Raises ProcessKilled when the process has been terminated."""
        check_killed()

    def write_out(self, data: bytes) -> None:
        """Bytes to standard output as they are; dropped when there is none."""
        check_killed()
        if self.process.stdout is not None:
            self.process.stdout.write(data)

    def write_err(self, data: bytes) -> None:
        check_killed()
        if self.process.stderr is not None:
            self.process.stderr.write(data)

    def out(self, text: str) -> None:
        """Text to standard output in the console's code page; line feeds become CR LF."""
        self.write_out(self.encode(text))

    def err(self, text: str) -> None:
        """Text to standard error in the console's code page; line feeds become CR LF."""
        self.write_err(self.encode(text))

    def encode(self, text: str) -> bytes:
        return text.replace("\r\n", "\n").replace("\n", "\r\n").encode(self.console.encoding, "replace")

    def read_all(self) -> bytes:
        """Standard input up to its end; b'' when there is none."""
        stream = self.process.stdin
        if stream is None:
            return b""
        if isinstance(stream, Pipe):
            return stream.read_all()
        return stream.read()

    def resolve(self, path: str) -> str:
        """The full path of a path as typed, from the current directory."""
        return self.machine.fs.resolve(path, self.cwd)

    def sleep(self, seconds: float) -> None:
        """Waits, leaving at once when the process is terminated."""
        deadline = time.monotonic() + seconds
        with turns.aside():
            while (left := deadline - time.monotonic()) > 0:
                check_killed()
                time.sleep(min(left, 0.05))
        check_killed()

    def start(self, command_line: str, **options: Any) -> Process:
        """Starts a child that inherits directory, environment, user, streams, job and console unless told otherwise."""
        inherited = {
            "cwd": self.cwd,
            "env": self.env,
            "stdin": self.process.stdin,
            "stdout": self.process.stdout,
            "stderr": self.process.stderr,
        }
        return self.machine.processes.start(command_line, parent=self.process, **{**inherited, **options})

    def fail(self, message: str, code: int = 1) -> int:
        """Prints a sentence to standard error and returns `code`."""
        self.err(message + "\n")
        return code


class Processes:
    """The process table."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.started: Counter[str] = Counter()
        """How many processes have been started, by image file name in lower case."""
        self._table: dict[int, Process] = {}
        self._pids = itertools.count(1000, 4)
        self._version = 0
        self._usage: tuple[int, float, Usage] | None = None
        self._system_processes()

    def _system_processes(self) -> None:
        """The processes every server has; nothing runs in them."""
        root = "C:\\Windows\\System32\\"
        system = self.machine.accounts.system
        for pid, name in ((0, "System Idle Process"), (4, "System")):
            self._add_idle(pid, name, name, system)
        for name in (
            "smss",
            "csrss",
            "wininit",
            "winlogon",
            "services",
            "lsass",
            "svchost",
            "svchost",
            "svchost",
            "spoolsv",
        ):
            self._add_idle(next(self._pids) - 600, root + name + ".exe", root + name + ".exe", system)

    def _add_idle(self, pid: int, image: str, command_line: str, user: Token) -> Process:
        process = Process(self.machine, pid, image, command_line, "C:\\Windows\\System32", Environment(), user)
        process.started = self.machine.boot_time
        self._table[pid] = process
        return process

    # -- the table --------------------------------------------------------------------------------------------------------------

    def running(self) -> list[Process]:
        """Running processes by pid."""
        with self.machine.lock:
            return sorted(self._table.values(), key=lambda process: process.pid)

    def get(self, pid: int) -> Process | None:
        return self._table.get(pid)

    def find(self, name: str) -> list[Process]:
        """Running processes by image file name, with or without `.exe`."""
        wanted = name.lower()
        return [item for item in self.running() if item.name.lower() in (wanted, wanted + ".exe")]

    def forget(self, process: Process) -> None:
        with self.machine.lock:
            self._table.pop(process.pid, None)
            if process.job is not None and process in process.job.processes:
                process.job.processes.remove(process)
            self.changed()

    def changed(self) -> None:
        """What is in use may have changed."""
        self._version += 1

    def next_pid(self) -> int:
        return next(self._pids)

    def create_service_process(
        self, image: str, command_line: str, user: Token, parent: Process | None = None
    ) -> Process:
        """A process without code of its own (w3wp.exe, a service): it is in the table until `finish` or `kill`."""
        process = Process(
            self.machine,
            self.next_pid(),
            image,
            command_line,
            "C:\\Windows\\System32",
            self.machine.environment_for(user),
            user,
            parent,
        )
        with self.machine.lock:
            self._table[process.pid] = process
            self.started[process.name.lower()] += 1
            self.changed()
        return process

    def kill_all(self) -> None:
        """Ends everything that was started (shutdown, reboot)."""
        for process in self.running():
            if process.pid >= 1000 or process.native is not None:
                process.kill()

    # -- files in use -----------------------------------------------------------------------------------------------------------

    def usage(self) -> Usage:
        """What running processes keep in use; native children are looked at no more than ten times a second."""
        now = time.monotonic()
        cached = self._usage
        if cached is not None and cached[0] == self._version and now - cached[1] < 0.1:
            return cached[2]
        with self.machine.lock:
            version, table = self._version, list(self._table.values())
        has_native = any(process.native is not None for process in table)
        if cached is not None and cached[0] == version and not has_native:
            return cached[2]
        usage = Usage()
        fs = self.machine.fs
        for process in table:
            if process.pid < 1000:
                continue
            usage.images.update(self._images(process).values())
            if process.cwd:
                with contextlib.suppress(WindowsError):
                    usage.directories.add(str(fs.host_path(process.cwd)))
            if process.native is not None:
                process.native.add_usage(usage)
        self._usage = (version, now, usage)
        return usage

    def _images(self, process: Process) -> dict[str, str]:
        """Where on this machine the files are that a process runs, by their Windows paths."""
        found = {}
        for path in filter(None, (process.image, process.base_python)):
            with contextlib.suppress(WindowsError):
                found[path] = process.moved.get(path) or str(self.machine.fs.host_path(path))
        return found

    @contextlib.contextmanager
    def renaming(self, old: str, new: str) -> Iterator[None]:
        """While a file or folder of this machine gets another name: what runs from it, or from below it, runs from there afterwards."""
        held = [(process, self._images(process)) for process in self.running() if process.pid >= 1000]
        yield
        for process, images_of in held:
            for path, host in images_of.items():
                if host == old or host.startswith(old + "/"):
                    process.moved[path] = new + host[len(old) :]
                    self.changed()

    # -- starting ---------------------------------------------------------------------------------------------------------------

    def find_image(self, name: str, cwd: str, env: Mapping[str, str], parent: Process | None = None) -> str | None:
        """The image for a program name as CreateProcess searches: the parent's folder, the current directory, System32, Windows, PATH."""
        fs = self.machine.fs
        names = [name] if "." in name.rpartition("\\")[2].rpartition("/")[2] else [name + ".exe", name + ".com"]
        if any(mark in name for mark in "\\/:"):
            for candidate in (*names, name):
                try:
                    full = fs.resolve(candidate, cwd)
                except WindowsError:
                    continue
                if fs.is_file(full):
                    return fs.stored_path(full)
            return None
        folders = [parent.image.rpartition("\\")[0]] if parent is not None and "\\" in parent.image else []
        folders += [cwd, "C:\\Windows\\System32", "C:\\Windows"]
        folders += [item.strip('"') for item in env.get("Path", "").split(";") if item.strip('" ')]
        for folder in folders:
            for candidate in names:
                try:
                    full = fs.resolve(folder.rstrip("\\") + "\\" + candidate, cwd)
                except WindowsError:
                    continue
                if fs.is_file(full):
                    return fs.stored_path(full)
        return None

    def _image_of(self, command_line: str, cwd: str, env: Mapping[str, str], parent: Process | None) -> str:
        """The image that a command line names; an unquoted path with spaces is tried up to each space."""
        text = command_line.lstrip()
        if not text:
            raise WindowsError(87)
        if text.startswith('"'):
            name = text[1:].partition('"')[0]
            image = self.find_image(name, cwd, env, parent)
            if image is None:
                raise WindowsError(2, path=name)
            return image
        words = text.split(" ")
        for count in range(1, len(words) + 1):
            name = " ".join(words[:count]).strip("\t")
            if name and (image := self.find_image(name, cwd, env, parent)) is not None:
                return image
        raise WindowsError(2, path=words[0])

    def start(
        self,
        command_line: str,
        *,
        image: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        user: Token | None = None,
        stdin: Stream | None = None,
        stdout: Stream | None = None,
        stderr: Stream | None = None,
        parent: Process | None = None,
        job: Job | None = None,
        console: Console | None = None,
        entry: Main | None = None,
    ) -> Process:
        """CreateProcess. Directory, environment, user, job and console come from the parent unless given; streams do not (None is NUL).

        image: the executable's path where the command line does not say it. entry: code to run instead of the image's own (a program's inner parts).
        WindowsError 2 (not found), 5 (no right to execute), 87, 193 (not an executable), 206 (over 32,767 characters), 267 (no such directory)."""
        check_killed()
        machine = self.machine
        if machine.stopped:
            raise WindowsError(1115)
        if len(command_line) > 32766:
            raise WindowsError(206)
        user = user or (parent.user if parent is not None else machine.accounts.system)
        if env is None:
            env = parent.env if parent is not None else machine.environment_for(user)
        if cwd is None:
            cwd = parent.cwd if parent is not None else "C:\\Windows\\System32"
        if not machine.fs.is_dir(cwd):
            raise WindowsError(267, path=cwd)
        image = machine.fs.resolve(image, cwd) if image is not None else self._image_of(command_line, cwd, env, parent)
        if not machine.fs.is_file(image):
            raise WindowsError(2, path=image)
        image = machine.fs.stored_path(image)
        if image.lower().endswith((".bat", ".cmd")):
            image, command_line = (
                "C:\\Windows\\System32\\cmd.exe",
                f'C:\\Windows\\system32\\cmd.exe /c "{command_line}"',
            )
        machine.fs.check_access(image, acl.EXECUTE | acl.READ_DATA, user)
        process = Process(
            machine,
            self.next_pid(),
            image,
            command_line,
            machine.fs.stored_path(cwd),
            Environment(env),
            user,
            parent,
            job or (parent.job if parent is not None else None),
            console or (parent.console if parent is not None else None),
            stdin,
            stdout,
            stderr,
        )
        self._launch(process, entry)
        return process

    def _launch(self, process: Process, entry: Main | None) -> None:
        kind = images.Image("program", process.name) if entry is not None else self._identify(process.image)
        if kind.kind in ("python", "launcher"):
            from winlab.windows.python import start_python

            self._enlist(process)
            try:
                start_python(process, kind)
            except BaseException:
                process.finish(1)
                raise
            return
        main = entry or find_program(kind.name) or _missing(kind.name)
        self._enlist(process)
        self._run_in_thread(process, main, kind.name in _big_stacks)

    def _identify(self, image: str) -> images.Image:
        kind = images.identify(str(self.machine.fs.host_path(image)))
        if kind.kind == "none":
            raise WindowsError(193, f"{image} is not a valid Win32 application.", image)
        if kind.kind == "foreign":
            raise WindowsError(
                193,
                f"{image} is a Windows program that this lab cannot run: it runs its own programs and Python.",
                image,
            )
        return kind

    def _enlist(self, process: Process) -> None:
        process.acquire_streams()
        with self.machine.lock:
            self._table[process.pid] = process
            self.started[process.name.lower()] += 1
            if process.job is not None:
                process.job.processes.append(process)
            self.changed()

    def _run_in_thread(self, process: Process, main: Main, big_stack: bool) -> None:
        thread = threading.Thread(
            target=_run, args=(process, main), name=f"{self.machine.name}:{process.pid}", daemon=True
        )
        with _stack_lock:
            before = threading.stack_size(BIG_STACK_SIZE if big_stack else STACK_SIZE)
            try:
                thread.start()
            finally:
                threading.stack_size(before)


def _missing(name: str) -> Main:
    def main(ctx: ProgramContext) -> int:
        return ctx.fail(f"{ctx.process.name}: this program is not simulated by this lab ({name}).", 1)

    return main


def _run(process: Process, main: Main) -> None:
    enter(process)
    code = 1
    try:
        code = main(ProgramContext(process))
    except ProcessKilled:
        code = process.exit_code if process.exit_code is not None else 1
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    except WindowsError as exc:
        code = _refused(process, exc)
    except Exception as exc:
        code = _died(process, exc)
    finally:
        enter(None)
        process.finish(code)


def _refused(process: Process, exc: WindowsError) -> int:
    """A program did not expect a refusal of the system: it says so and ends with the code. Nothing is said when its reader has gone."""
    if exc.code in (109, 232):
        return 255
    if process.stderr is not None:
        with contextlib.suppress(WindowsError, ProcessKilled):
            process.stderr.write(f"{exc}\r\n".encode(process.console.encoding, "replace"))
    return exc.code


def _died(process: Process, exc: Exception) -> int:
    """A program of the lab raised: the lab has a bug, which it says."""
    process.machine.log(f"{process.name} ({process.pid}): {traceback.format_exc()}")
    if process.stderr is not None:
        with contextlib.suppress(WindowsError, ProcessKilled):
            process.stderr.write(
                f"{process.name}: the lab failed: {type(exc).__name__}: {exc}\r\n".encode("utf-8", "replace")
            )
    return 255


def listening_ports(process: Process) -> list[tuple[str, int]]:
    """(address, port) of the TCP sockets on which a process or one of its descendants listens."""
    result: list[tuple[str, int]] = []
    for item in process.tree:
        result.extend(item.listeners)
        if item.native is not None:
            result.extend(item.native.listening())
    return result
