"""System.Diagnostics: Process, ProcessStartInfo, EventLog; System.ComponentModel.Win32Exception."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import Byte, EnumValue, Int64, NetObject, PSArray
from winlab.windows.errors import WindowsError
from winlab.windows.processes import Console

from . import context
from .collections import StringDictionary
from .console import source
from .core import ctor, indexer, method, net_type, prop, static
from .declare import argument, invalid_operation, need, overloads, win32
from .encodings import Encoding
from .streams import PipeStream, StreamReader, StreamWriter
from .system import Enumerator, IntPtr, build_number
from .threads import wait_until
from .time import DateTime, TimeSpan


@net_type("System.ComponentModel.Component", interfaces=("IDisposable",))
class Component(NetObject):
    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


# ------------------------------------------------------------------------------------------------------------ ProcessStartInfo

_FIELDS = (
    ("FileName", "String", ""),
    ("Arguments", "String", ""),
    ("WorkingDirectory", "String", ""),
    ("UseShellExecute", "Boolean", True),
    ("CreateNoWindow", "Boolean", False),
    ("RedirectStandardInput", "Boolean", False),
    ("RedirectStandardOutput", "Boolean", False),
    ("RedirectStandardError", "Boolean", False),
    ("StandardOutputEncoding", "Text.Encoding", None),
    ("StandardErrorEncoding", "Text.Encoding", None),
    ("UserName", "String", ""),
    ("Domain", "String", ""),
    ("Password", "Security.SecureString", None),
    ("LoadUserProfile", "Boolean", False),
    ("ErrorDialog", "Boolean", False),
    ("Verb", "String", ""),
    ("WindowStyle", "Diagnostics.ProcessWindowStyle", None),
)


def _start_field(name: str, kind: str, default: Any) -> Any:
    def read(self: Any) -> Any:
        value = self.values.get(name, default)
        if name == "WindowStyle" and value is None:
            return "Normal"
        return value

    def write(self: Any, value: Any) -> None:
        self.values[name] = value

    return prop(f"{name} : {kind}")(read).setter(write)


@net_type("System.Diagnostics.ProcessStartInfo")
class ProcessStartInfo(NetObject):
    for _name, _kind, _default in _FIELDS:
        locals()[f"field_{_name}"] = _start_field(_name, _kind, _default)
    del _name, _kind, _default

    def __init__(self, file_name: str = "", arguments: str = "") -> None:
        self.values: dict[str, Any] = {"FileName": file_name, "Arguments": arguments}
        self.block: Any = None

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @ctor("(String)")
    @ctor("(String,String)")
    def new_file(self, file_name: str, arguments: str = "") -> None:
        self.__init__(file_name, arguments)

    def get(self, name: str) -> Any:
        return self.values.get(name, next(default for own, _, default in _FIELDS if own == name))

    @property
    def own_block(self) -> Any:
        """The environment of the child, copied from this process at the first look."""
        if self.block is None:
            from winlab.windows.environment import Environment

            self.block = Environment(dict(context.runtime().env.items()))
        return self.block

    @prop("EnvironmentVariables : Collections.Specialized.StringDictionary get")
    def environment_variables(self) -> StringDictionary:
        return StringDictionary(self.own_block, keep_case=True)

    @prop("Environment : Collections.Generic.IDictionary`2<String,String> get")
    def environment(self) -> Any:
        return _EnvironmentView(self.own_block)


class _EnvironmentView(StringDictionary):
    """`Environment` of ProcessStartInfo: the same block as EnvironmentVariables."""

    def __init__(self, block: Any) -> None:
        super().__init__(block, keep_case=True)


# ------------------------------------------------------------------------------------------------------------ Process


def _quote_program(name: str) -> str:
    text = name.strip()
    return text if text.startswith('"') and text.endswith('"') else f'"{text}"'


def inherited(name: str) -> Any:
    """The standard stream that a child inherits: what SetStdHandle put there, else this process's own."""
    handles = getattr(context.runtime(), "process_state", {}).get("std-handles") or {}
    return handles[name] if name in handles else source(name)


def start_process(info: ProcessStartInfo) -> tuple[Any, Any, Any, Any]:
    """CreateProcess for a ProcessStartInfo: `(process, stdin, stdout, stderr)` with the near ends of redirected pipes."""
    from winlab.windows.pipes import Pipe

    name = info.get("FileName")
    if not name:
        raise invalid_operation("Cannot start process because a file name has not been provided.")
    shell = bool(info.get("UseShellExecute"))
    redirects = [bool(info.get(f"RedirectStandard{which}")) for which in ("Input", "Output", "Error")]
    if shell and any(redirects):
        raise invalid_operation(
            "The Process object must have the UseShellExecute property set to false in order to redirect IO streams."
        )
    if shell and info.block is not None:
        raise invalid_operation(
            "The Process object must have the UseShellExecute property set to false in order to use environment variables."
        )
    if info.get("StandardOutputEncoding") is not None and not redirects[1]:
        raise invalid_operation("StandardOutputEncoding is only supported when standard output is redirected.")
    if info.get("StandardErrorEncoding") is not None and not redirects[2]:
        raise invalid_operation("StandardErrorEncoding is only supported when standard error is redirected.")
    user = None
    if info.get("UserName"):
        if shell:
            raise invalid_operation(
                "The Process object must have the UseShellExecute property set to false in order to start a process as a user."
            )
        password = info.get("Password")
        try:
            user = context.machine().accounts.logon(
                info.get("UserName"), password.text if password is not None else "", "interactive"
            )
        except WindowsError as error:
            raise win32(error) from None
    pipes: list[Any] = [Pipe(None if index else 1 << 20) if wanted else None for index, wanted in enumerate(redirects)]
    streams = [
        pipe if pipe is not None else (None if shell else inherited(which))
        for pipe, which in zip(pipes, ("stdin", "stdout", "stderr"), strict=True)
    ]
    if pipes[0] is not None:
        pipes[0].add_writer()
    runtime = context.runtime()
    parent = getattr(runtime, "process", None)
    directory = info.get("WorkingDirectory") or context.process_directory()
    command = _quote_program(name) + (f" {info.get('Arguments')}" if info.get("Arguments") else "")
    block = info.block if info.block is not None else dict(runtime.env.items())
    try:
        process = context.machine().processes.start(
            command,
            cwd=directory,
            env=block,
            user=user,
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            parent=parent,
            # CREATE_NO_WINDOW: a console of its own that nobody sees, with the OEM code page as any new one.
            console=Console() if info.get("CreateNoWindow") and not shell else None,
        )
    except WindowsError as error:
        if error.code == 267:
            raise NetException(
                "System.ComponentModel.Win32Exception", "The directory name is invalid", NativeErrorCode=267
            ) from None
        text = error.message.rstrip(".") if error.code in (2, 5, 193) else error.message
        if error.code == 193:
            text = "The specified executable is not a valid application for this OS platform."
        raise NetException("System.ComponentModel.Win32Exception", text, NativeErrorCode=error.code) from None
    return process, pipes[0], pipes[1], pipes[2]


class _OwnedPipe(PipeStream):
    """The near end of a redirected stream: closing it closes the pipe."""

    owned = True


net_type("System.IO.FileStream+Pipe", base="System.IO.Stream", kind="class", assembly="mscorlib")(_OwnedPipe)


class _Drained(PipeStream):
    """Output of a child, readable by several readers in turn."""


@net_type("System.Diagnostics.Process")
class Process(Component):
    """A process of the server; `inner` is the simulated process."""

    def __init__(self, inner: Any = None) -> None:
        self.inner = inner
        self.info = ProcessStartInfo()
        self.started_here = False
        self.writer: StreamWriter | None = None
        self.readers: dict[str, StreamReader] = {}

    def __str__(self) -> str:
        if self.inner is None:
            return "System.Diagnostics.Process"
        return f"System.Diagnostics.Process ({self.process_name})"

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    def own(self) -> Any:
        if self.inner is None:
            raise invalid_operation("No process is associated with this object.")
        return self.inner

    def launch(self) -> None:
        inner, stdin, stdout, stderr = start_process(self.info)
        self.inner = inner
        self.started_here = True
        if stdin is not None:
            page = 437
            program = getattr(context.runtime(), "program", None)
            if program is not None:
                page = program.console.input_codepage
            from .encodings import make_encoding

            self.writer = StreamWriter(_OwnedPipe(stdin, False), make_encoding(page, False), auto_flush=True)
            self.writer.mark_due = False
        for name, pipe, encoding in (
            ("StandardOutput", stdout, self.info.get("StandardOutputEncoding")),
            ("StandardError", stderr, self.info.get("StandardErrorEncoding")),
        ):
            if pipe is not None:
                self.readers[name] = StreamReader(_OwnedPipe(pipe, True), encoding or self._console_encoding())

    def _console_encoding(self) -> Encoding:
        from .console import output_encoding

        return output_encoding()

    @static("Start(Diagnostics.ProcessStartInfo) : Diagnostics.Process")
    def start_info(info: ProcessStartInfo) -> Process:
        made = Process()
        made.info = need(info, "startInfo")
        made.launch()
        return made

    @static("Start(String) : Diagnostics.Process")
    @static("Start(String,String) : Diagnostics.Process")
    def start_file(name: str, arguments: str = "") -> Process:
        return Process.start_info(ProcessStartInfo(name, arguments))

    @method("Start() : Boolean")
    def start(self) -> bool:
        self.launch()
        return True

    @static("GetCurrentProcess() : Diagnostics.Process")
    def get_current_process() -> Process:
        inner = getattr(context.runtime(), "process", None)
        if inner is None:
            raise LabUnsupported("[Diagnostics.Process]::GetCurrentProcess() outside of a simulated process")
        return Process(inner)

    @static("GetProcesses() : Diagnostics.Process[]")
    def get_processes() -> list[Process]:
        return [Process(inner) for inner in context.machine().processes.running()]

    @static("GetProcessesByName(String) : Diagnostics.Process[]")
    def get_processes_by_name(name: str) -> list[Process]:
        return [item for item in Process.get_processes() if item.process_name.lower() == (name or "").lower()]

    @static("GetProcessById(Int32) : Diagnostics.Process")
    def get_process_by_id(pid: int) -> Process:
        inner = context.machine().processes.get(pid)
        if inner is None:
            raise argument(f"Process with an Id of {pid} is not running.")
        return Process(inner)

    @prop("Id : Int32 get")
    def id(self) -> int:
        return int(self.own().pid)

    @prop("ProcessName : String get")
    def process_name(self) -> str:
        name = str(self.own().name)
        return name[:-4] if name.lower().endswith(".exe") else name

    @prop("HasExited : Boolean get")
    def has_exited(self) -> bool:
        return not self.own().alive

    @prop("ExitCode : Int32 get")
    def exit_code(self) -> int:
        if self.own().alive:
            raise invalid_operation("Process must exit before requested information can be determined.")
        return int(self.own().exit_code or 0)

    @prop("ExitTime : DateTime get")
    def exit_time(self) -> DateTime:
        if self.own().alive:
            raise invalid_operation("Process must exit before requested information can be determined.")
        ended = getattr(self.own(), "ended", None)
        return DateTime.of(ended) if ended is not None else DateTime.now()

    @prop("StartTime : DateTime get")
    def start_time(self) -> DateTime:
        inner = self.own()
        if inner.name.lower() in _PROTECTED and inner.user is not None and inner.user.is_system:
            raise win32(WindowsError(5))
        return DateTime.of(inner.started)

    @prop("StartInfo : Diagnostics.ProcessStartInfo")
    def start_info_property(self) -> ProcessStartInfo:
        return self.info

    @start_info_property.setter
    def start_info_property(self, value: ProcessStartInfo) -> None:
        self.info = need(value, "value")

    @prop("EnableRaisingEvents : Boolean")
    def enable_raising_events(self) -> bool:
        return False

    @enable_raising_events.setter
    def enable_raising_events(self, value: bool) -> None:
        pass

    @prop("MachineName : String get")
    def machine_name(self) -> str:
        return "."

    @prop("SessionId : Int32 get")
    def session_id(self) -> int:
        return int(getattr(self.own(), "session_id", 0))

    @prop("Handle : IntPtr get")
    def handle(self) -> IntPtr:
        return IntPtr(self.own().pid * 4)

    @prop("HandleCount : Int32 get")
    def handle_count(self) -> int:
        return 100 + self.own().pid % 400

    @prop("Responding : Boolean get")
    def responding(self) -> bool:
        return True

    @prop("MainWindowTitle : String get")
    def main_window_title(self) -> str:
        return ""

    @prop("MainWindowHandle : IntPtr get")
    def main_window_handle(self) -> IntPtr:
        return IntPtr(0)

    @prop("PriorityClass : Diagnostics.ProcessPriorityClass")
    def priority_class(self) -> str:
        return "Normal"

    @prop("BasePriority : Int32 get")
    def base_priority(self) -> int:
        return 8

    @prop("MainModule : Diagnostics.ProcessModule get")
    def main_module(self) -> ProcessModule:
        return ProcessModule(self.own().image)

    for _name in (
        "WorkingSet64",
        "PrivateMemorySize64",
        "PagedMemorySize64",
        "PeakWorkingSet64",
        "PeakPagedMemorySize64",
        "VirtualMemorySize64",
        "PeakVirtualMemorySize64",
        "NonpagedSystemMemorySize64",
        "PagedSystemMemorySize64",
    ):
        locals()[f"memory_{_name}"] = prop(f"{_name} : Int64 get")(
            lambda self, _name=_name: memory_of(self.own(), _name)
        )
    for _name in ("WorkingSet", "PrivateMemorySize", "PagedMemorySize", "PeakWorkingSet", "VirtualMemorySize"):
        locals()[f"memory_{_name}"] = prop(f"{_name} : Int32 get")(
            lambda self, _name=_name: min(memory_of(self.own(), _name + "64"), 2**31 - 1)
        )
    for _name in ("TotalProcessorTime", "UserProcessorTime", "PrivilegedProcessorTime"):
        locals()[f"time_{_name}"] = prop(f"{_name} : TimeSpan get")(
            lambda self, _name=_name: processor_time(self.own(), _name)
        )
    del _name

    @prop("StandardInput : IO.StreamWriter get")
    def standard_input(self) -> StreamWriter:
        if self.writer is None:
            raise invalid_operation("StandardIn has not been redirected.")
        return self.writer

    @prop("StandardOutput : IO.StreamReader get")
    def standard_output(self) -> StreamReader:
        if "StandardOutput" not in self.readers:
            raise invalid_operation("StandardOut has not been redirected or the process hasn't started yet.")
        return self.readers["StandardOutput"]

    @prop("StandardError : IO.StreamReader get")
    def standard_error(self) -> StreamReader:
        if "StandardError" not in self.readers:
            raise invalid_operation("StandardError has not been redirected.")
        return self.readers["StandardError"]

    @method("WaitForExit() : Void")
    def wait_for_exit(self) -> None:
        inner = self.own()
        wait_until(lambda: not inner.alive, None)

    @method("WaitForExit(Int32) : Boolean")
    def wait_for_exit_in(self, milliseconds: int) -> bool:
        inner = self.own()
        return wait_until(lambda: not inner.alive, None if milliseconds < 0 else milliseconds / 1000)

    @method("Kill() : Void")
    def kill(self) -> None:
        inner = self.own()
        if not inner.alive:
            raise invalid_operation("Cannot process request because the process has exited.")
        try:
            inner.kill(exit_code=-1)
        except WindowsError as error:
            raise win32(error) from None

    @method("CloseMainWindow() : Boolean")
    def close_main_window(self) -> bool:
        return False

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.inner = self.inner  # the handle goes; the process goes on

    @method("Refresh() : Void")
    def refresh(self) -> None:
        pass

    @method("BeginOutputReadLine() : Void")
    @method("BeginErrorReadLine() : Void")
    def begin_read_line(self) -> None:
        raise LabUnsupported("asynchronous line events of a process (BeginOutputReadLine)")

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


def memory_of(inner: Any, name: str) -> int:
    """Plausible sizes in bytes: the process's own resident memory where it is a real child, else a figure by program."""
    native = getattr(inner, "native", None)
    pid = getattr(native, "pid", None)
    if pid is not None:
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                pages = file.read().split()
            return int(pages[0 if "Virtual" in name else 1]) * 4096
        except OSError:
            pass
    if inner is getattr(context.current(), "process", None):
        from .system import working_set

        return working_set()
    base = {
        "system": 1,
        "smss.exe": 1,
        "lsass.exe": 14,
        "svchost.exe": 12,
        "powershell.exe": 62,
        "w3wp.exe": 24,
        "services.exe": 8,
    }
    megabytes = base.get(str(inner.name).lower(), 6)
    return (megabytes * 1024 + inner.pid % 512) * 1024 * (40 if "Virtual" in name else 1)


def processor_time(inner: Any, name: str) -> TimeSpan:
    native = getattr(inner, "native", None)
    pid = getattr(native, "pid", None)
    ticks = 156250 * (1 + inner.pid % 20)
    if pid is not None:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            ticks = (int(fields[11]) + int(fields[12])) * 100000
        except OSError:
            pass
    return TimeSpan(ticks if name == "TotalProcessorTime" else ticks // 2)


@net_type("System.Diagnostics.ProcessModule")
class ProcessModule(Component):
    def __init__(self, path: str) -> None:
        self.path = path

    def __str__(self) -> str:
        return f"System.Diagnostics.ProcessModule ({self.module_name})"

    @prop("FileName : String get")
    def file_name(self) -> str:
        return self.path

    @prop("ModuleName : String get")
    def module_name(self) -> str:
        return self.path.rpartition("\\")[2]

    @prop("FileVersionInfo : Diagnostics.FileVersionInfo get")
    def file_version_info(self) -> FileVersionInfo:
        return FileVersionInfo(self.path)


@net_type("System.Diagnostics.FileVersionInfo")
class FileVersionInfo(NetObject):
    """Version resources: the lab's own programs carry the system's version, Python its own; other files have none."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fields: dict[str, Any] = version_resource(path)

    def __str__(self) -> str:
        return self.path

    @static("GetVersionInfo(String) : Diagnostics.FileVersionInfo")
    def get_version_info(path: str) -> FileVersionInfo:
        from . import paths

        full = paths.full_path(need(path, "fileName"))
        if not context.machine().fs.is_file(full):
            raise NetException("System.IO.FileNotFoundException", full, FileName=full)
        return FileVersionInfo(full)

    for _name in (
        "FileVersion",
        "ProductVersion",
        "ProductName",
        "CompanyName",
        "FileDescription",
        "InternalName",
        "OriginalFilename",
        "LegalCopyright",
        "Language",
        "Comments",
    ):
        locals()[f"text_{_name}"] = prop(f"{_name} : String get")(lambda self, _name=_name: self.fields.get(_name))
    for _index, _name in enumerate(("Major", "Minor", "Build", "Private")):
        for _kind in ("File", "Product"):
            locals()[f"part_{_kind}{_name}"] = prop(f"{_kind}{_name}Part : Int32 get")(
                lambda self, _index=_index: self.fields.get("parts", (0, 0, 0, 0))[_index]
            )
    del _name, _index, _kind

    @prop("FileName : String get")
    def file_name(self) -> str:
        return self.path


def version_resource(path: str) -> dict[str, Any]:
    """The version block of a file, empty when it has none."""
    machine = context.machine()
    installed = getattr(machine, "file_versions", None)
    if isinstance(installed, dict) and path.lower() in installed:
        text = str(installed[path.lower()])
        parts = tuple(int(part) for part in text.split(".")[:4])
        return {"FileVersion": text, "ProductVersion": text, "parts": (*parts, 0, 0, 0, 0)[:4]}
    reader = getattr(machine, "file_version", None)
    if callable(reader):
        found = reader(path)
        if found:
            parts = tuple(int(part) for part in str(found).split(".") if part.isdigit())
            return {"FileVersion": str(found), "ProductVersion": str(found), "parts": (*parts, 0, 0, 0, 0)[:4]}
    if path.lower().startswith("c:\\windows\\") and path.lower().endswith((".exe", ".dll")):
        build = build_number(machine)
        text = f"10.0.{build}.0"
        return {
            "FileVersion": f"{text} (rs1_release.160715-1616)" if build == 14393 else text,
            "ProductVersion": text,
            "ProductName": "Microsoft® Windows® Operating System",
            "CompanyName": "Microsoft Corporation",
            "LegalCopyright": "© Microsoft Corporation. All rights reserved.",
            "Language": "English (United States)",
            "InternalName": path.rpartition("\\")[2],
            "OriginalFilename": path.rpartition("\\")[2],
            "parts": (10, 0, build, 0),
        }
    return {}


# ------------------------------------------------------------------------------------------------------------ EventLog

_PROTECTED = frozenset(("system idle process", "system", "smss.exe", "csrss.exe", "wininit.exe", "services.exe"))
"""Windows' processes that no administrator may open with PROCESS_QUERY_INFORMATION, as .NET Framework does for a process's times."""
_ENTRY_TYPES = {"Error": 1, "Warning": 2, "Information": 4, "SuccessAudit": 8, "FailureAudit": 16}


@net_type("System.Diagnostics.Eventing.Reader.EventProperty")
class EventProperty(NetObject):
    def __init__(self, content: Any) -> None:
        self.content = content

    @prop("Value : Object get")
    def value(self) -> Any:
        return self.content


@net_type("System.Diagnostics.Eventing.Reader.EventRecord", interfaces=("IDisposable",))
class EventRecord(NetObject):
    """An event as Get-WinEvent gives it."""

    event: Any

    @prop("Id : Int32 get")
    def id(self) -> int:
        return int(self.event.event_id)

    @prop("Version : Nullable`1<Byte> get")
    def version(self) -> Any:
        return None

    @prop("Level : Nullable`1<Byte> get")
    def level(self) -> Any:
        return Byte(self.event.level_number)

    @prop("LevelDisplayName : String get")
    def level_display_name(self) -> str:
        level = str(self.event.level)
        return "Information" if level.endswith("Audit") else level

    @prop("Task : Nullable`1<Int32> get")
    def task(self) -> int:
        return int(self.event.category)

    @prop("LogName : String get")
    def log_name(self) -> str:
        return str(self.event.log)

    @prop("ProviderName : String get")
    def provider_name(self) -> str:
        return str(self.event.source)

    @prop("RecordId : Nullable`1<Int64> get")
    def record_id(self) -> Any:
        return Int64(self.event.record_id)

    @prop("MachineName : String get")
    def machine_name(self) -> str:
        return str(self.event.computer)

    @prop("ProcessId : Nullable`1<Int32> get")
    def process_id(self) -> Any:
        return int(self.event.pid) if self.event.pid else None

    @prop("TimeCreated : Nullable`1<DateTime> get")
    def time_created(self) -> DateTime:
        return DateTime.of(self.event.time)

    @prop("UserId : Security.Principal.SecurityIdentifier get")
    def user_id(self) -> Any:
        if not self.event.user:
            return None
        from .access import SecurityIdentifier

        return SecurityIdentifier(context.machine().accounts.sid_of(self.event.user))

    @prop("Properties : Collections.Generic.IList`1<Diagnostics.Eventing.Reader.EventProperty> get")
    def properties(self) -> PSArray:
        return PSArray([EventProperty(item) for item in self.event.data or [self.event.message]])

    @method("FormatDescription() : String")
    def format_description(self) -> str | None:
        return context.machine().eventlog.description(self.event)

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


@net_type("System.Diagnostics.Eventing.Reader.EventLogRecord")
class EventLogRecord(EventRecord):
    def __init__(self, event: Any) -> None:
        self.event = event

    @prop("ContainerLog : String get")
    def container_log(self) -> str:
        return str(self.event.log)


@net_type("System.Diagnostics.EventLogEntry")
class EventLogEntry(Component):
    def __init__(self, event: Any) -> None:
        self.event = event

    @prop("MachineName : String get")
    def machine_name(self) -> str:
        return str(self.event.computer)

    @prop("Data : Byte[] get")
    def data(self) -> bytes:
        return b""

    @prop("Index : Int32 get")
    def index(self) -> int:
        return int(self.event.record_id)

    @prop("Category : String get")
    def category(self) -> str:
        return f"({self.event.category})"

    @prop("CategoryNumber : Int16 get")
    def category_number(self) -> int:
        return int(self.event.category)

    @prop("EventID : Int32 get")
    def event_id(self) -> int:
        return int(self.event.event_id)

    @prop("EntryType : Diagnostics.EventLogEntryType get")
    def entry_type(self) -> int:
        return _ENTRY_TYPES.get(str(self.event.level), 4)

    @prop("Message : String get")
    def message(self) -> str:
        text = context.machine().eventlog.description(self.event)
        if text is not None:
            return text
        strings = ", ".join(f"'{item}'" for item in self.replacement_strings)
        return (
            f"The description for Event ID '{self.event.event_id}' in Source '{self.event.source}' cannot be found.  The local computer may not "
            "have the necessary registry information or message DLL files to display the message, or you may not have permission to access them.  "
            f"The following information is part of the event:{strings}"
        )

    @prop("Source : String get")
    def source(self) -> str:
        return str(self.event.source)

    @prop("ReplacementStrings : String[] get")
    def replacement_strings(self) -> list[str]:
        return list(self.event.data) or [str(self.event.message)]

    @prop("InstanceId : Int64 get")
    def instance_id(self) -> int:
        return int(self.event.event_id)

    @prop("TimeGenerated : DateTime get")
    def time_generated(self) -> DateTime:
        return _whole_second(self.event.time)

    @prop("TimeWritten : DateTime get")
    def time_written(self) -> DateTime:
        return _whole_second(self.event.time)

    @prop("UserName : String get")
    def user_name(self) -> str | None:
        return self.event.user


def _whole_second(moment: Any) -> DateTime:
    made = DateTime.of(moment)
    return DateTime(made.ticks - made.ticks % 10_000_000, made.kind)


@net_type("System.Diagnostics.EventLogEntryCollection", interfaces=("Collections.ICollection",))
class EventLogEntryCollection(NetObject):
    def __init__(self, items: list[EventLogEntry]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[EventLogEntry]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @indexer("Item[Int32] : Diagnostics.EventLogEntry")
    def item(self, index: int) -> EventLogEntry:
        if not 0 <= index < len(self.items):
            raise argument(f"Index {index} is out of bounds.")
        return self.items[index]

    @method("GetEnumerator() : Collections.IEnumerator")
    def get_enumerator(self) -> Enumerator:
        return Enumerator(self.items)


def event_log() -> Any:
    return context.machine().eventlog


@net_type("System.Diagnostics.EventLog")
class EventLog(Component):
    def __init__(self, log: str = "", source: str = "") -> None:
        self.log_name = log
        self.source_name = source

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @ctor("(String)")
    @ctor("(String,String)")
    @ctor("(String,String,String)")
    def new_log(self, log: str, machine: str = ".", source_name: str = "") -> None:
        self.__init__(need(log, "logName"), source_name)

    @prop("Log : String")
    def log(self) -> str:
        return self.log_name or (event_log().source_log(self.source_name) or "" if self.source_name else "")

    @log.setter
    def log(self, value: str) -> None:
        self.log_name = value

    @prop("Source : String")
    def source(self) -> str:
        return self.source_name

    @source.setter
    def source(self, value: str) -> None:
        self.source_name = value

    @prop("LogDisplayName : String get")
    def log_display_name(self) -> str:
        return self.log

    @prop("MachineName : String")
    def machine_name(self) -> str:
        return "."

    @prop("MaximumKilobytes : Int64")
    def maximum_kilobytes(self) -> int:
        return 20480

    @prop("Entries : Diagnostics.EventLogEntryCollection get")
    def entries(self) -> EventLogEntryCollection:
        found = event_log().find_log(self.log)
        if found is None:
            raise invalid_operation(f"The event log '{self.log}' on computer '.' does not exist.")
        return EventLogEntryCollection([EventLogEntry(event) for event in event_log().entries(found)])

    @static("SourceExists(String) : Boolean")
    @static("SourceExists(String,String) : Boolean")
    def source_exists(name: str, machine: str = ".") -> bool:
        return event_log().source_log(name or "") is not None

    @static("Exists(String) : Boolean")
    @static("Exists(String,String) : Boolean")
    def exists(name: str, machine: str = ".") -> bool:
        return event_log().find_log(name or "") is not None

    @static("LogNameFromSourceName(String,String) : String")
    def log_name_from_source(name: str, machine: str) -> str:
        return event_log().source_log(name) or ""

    @static("CreateEventSource(String,String) : Void")
    def create_event_source(name: str, log: str) -> None:
        if event_log().source_log(need(name, "source")) is not None:
            raise argument(f"Source {name} already exists on the local computer.")
        event_log().create_source(name, log or "Application")

    @static("DeleteEventSource(String) : Void")
    def delete_event_source(name: str) -> None:
        if event_log().source_log(name) is None:
            raise argument(f"The source '{name}' is not registered on machine '.'.")
        event_log().delete_source(name)

    @static("GetEventLogs() : Diagnostics.EventLog[]")
    def get_event_logs() -> list[EventLog]:
        return [EventLog(name) for name in event_log().logs]

    @overloads("System.Diagnostics.EventLog", "WriteEntry")
    def write_entry(self: Any, *arguments: Any) -> None:
        if not isinstance(self, EventLog):
            arguments = (self, *arguments)
            name, message, *rest = arguments
        else:
            name, (message, *rest) = self.source_name, arguments
        if not name:
            raise argument("Source property was not set before writing to the event log.")
        level = next((item.name for item in rest if isinstance(item, EnumValue)), "Information")
        numbers = [int(item) for item in rest if isinstance(item, int) and not isinstance(item, bool)]
        log = event_log().source_log(name)
        if log is None:
            event_log().create_source(name, getattr(self, "log_name", "") or "Application")
            log = event_log().source_log(name)
        event_log().write(
            log,
            name,
            numbers[0] if numbers else 0,
            level,
            message or "",
            category=numbers[1] if len(numbers) > 1 else 0,
        )

    @method("Clear() : Void")
    def clear(self) -> None:
        event_log().clear(self.log)

    @method("Close() : Void")
    def close(self) -> None:
        pass
