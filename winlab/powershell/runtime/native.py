"""Programs: how a name is found on PATH, and how a program runs in a pipeline of Windows PowerShell 5.1.

Sources: "about_Command_Precedence", "about_Redirection", and the known behaviour of 5.1: embedded quotes are passed on as they are, empty arguments
are dropped, redirected lines of standard error become ErrorRecords.
"""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from winlab.powershell.errors import (
    SMA,
    ErrorRecord,
    LabUnsupported,
    NetException,
    TerminatingError,
)
from winlab.powershell.objects import AutomationNull, PSCustomObject, unwrap
from winlab.powershell.runtime.binder import Argument
from winlab.powershell.runtime.commands import (
    ApplicationInfo,
    CommandInfo,
    CommandProcessor,
    ExternalScriptInfo,
    InvocationInfo,
)
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
from winlab.powershell.runtime.wildcard import has_wildcards

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Frame, Runtime

EXECUTABLES = (".com", ".exe", ".bat", ".cmd")


# ---------------------------------------------------------------------------------------------------------------- finding


def find(runtime: Runtime, name: str) -> CommandInfo | None:
    """A script file or program: by path, or by name in the folders of PATH (the current folder is not one of them)."""
    if runtime.machine is None or not name or has_wildcards(name):
        return None
    if name.startswith("\\\\") or any(mark in name for mark in '<>|"'):
        return None
    if "\\" in name or "/" in name or (len(name) > 1 and name[1] == ":"):
        base = name.replace("/", "\\")
        if base.startswith("~"):
            base = (runtime.get_env("USERPROFILE") or "") + base[1:]
        return _in_folder(runtime, base, runtime.file_location)
    for folder in (runtime.get_env("Path") or "").split(";"):
        folder = folder.strip().strip('"')
        if folder:
            found = _in_folder(runtime, folder.rstrip("\\") + "\\" + name, runtime.file_location)
            if found is not None:
                return found
    return None


def _in_folder(runtime: Runtime, path: str, cwd: str) -> CommandInfo | None:
    from winlab.windows.errors import WindowsError

    fs = runtime.machine.fs
    extensions = [e.lower() for e in (runtime.get_env("PATHEXT") or ";".join(EXECUTABLES)).split(";") if e]
    leaf = path.rpartition("\\")[2]
    candidates = [path] if "." in leaf else []
    candidates += [path + ".ps1", *(path + e for e in extensions if e in EXECUTABLES)]
    for candidate in candidates:
        try:
            full = fs.resolve(candidate, cwd)
            if not fs.is_file(full):
                continue
            full = fs.stored_path(full)
        except WindowsError:
            continue
        name = full.rpartition("\\")[2]
        lower = name.lower()
        if lower.endswith(".ps1"):
            return ExternalScriptInfo(name, full)
        return ApplicationInfo(name, full)
    return None


# -------------------------------------------------------------------------------------------------------------- arguments


def needs_quotes(text: str) -> bool:
    """Whether 5.1 puts quotes around an argument: white space outside of quotes that it brings itself."""
    quotes = 0
    after_backslash = False
    for ch in text:
        if ch == '"' and not after_backslash:
            quotes += 1
        elif ch.isspace() and quotes % 2 == 0:
            return True
        after_backslash = ch == "\\"
    return False


def quoted(text: str) -> str:
    """An argument as it goes onto the command line."""
    if needs_quotes(text):
        return f'"{text}\\"' if text.endswith("\\") else f'"{text}"'
    return text


def command_line(path: str, arguments: list[Argument]) -> str:
    """The command line that 5.1 makes of a program and its arguments."""
    parts = [f'"{path}"']
    for argument in arguments:
        if argument.name is not None:
            text = argument.text or f"-{argument.name}"
            if argument.has_value:
                value = argument.value
                parts.append(
                    quoted(
                        text
                        + (to_string(value) if not is_enumerable(value) else ",".join(map(to_string, iterate(value))))
                    )
                )
            else:
                parts.append(quoted(text))
            continue
        for text in _texts(argument.value):
            if text:
                parts.append(quoted(text))
    return " ".join(parts)


def _texts(value: Any) -> list[str]:
    base = unwrap(value)
    if base is None or base is AutomationNull:
        return []
    if is_enumerable(base) and not isinstance(base, str):
        return [text for item in iterate(base) for text in _texts(item)]
    return [to_string(value)]


# -------------------------------------------------------------------------------------------------------------- processor


class LineSplitter:
    """Bytes to lines in a code page; what follows the last line end waits for more."""

    def __init__(self, encoding: str, take: Callable[[str], None]) -> None:
        self.decoder = codecs.getincrementaldecoder(encoding)("replace")
        self.take = take
        self.rest = ""

    def feed(self, data: bytes, final: bool = False) -> None:
        text = self.rest + self.decoder.decode(data, final)
        lines = text.split("\n")
        self.rest = lines.pop()
        for line in lines:
            self.take(line.removesuffix("\r"))
        if final and self.rest:
            self.take(self.rest.removesuffix("\r"))
            self.rest = ""


class NativeProcessor(CommandProcessor):
    """A program in a pipeline."""

    expecting_input = False

    def __init__(
        self, runtime: Runtime, frame: Frame, info: ApplicationInfo, arguments: list[Argument], extent: Any
    ) -> None:
        super().__init__(runtime, frame, info, extent)
        self.path = info.path
        self.arguments = arguments
        self.child: Any = None
        self.feed: Any = None
        self.merged: frozenset[str] = frozenset()
        self.error_lines = 0
        self.changed = threading.Event()
        self.output: Any = None
        self.errors: Any = None

    # -- life

    def begin(self) -> None:
        lower = self.path.lower()
        if not lower.endswith(EXECUTABLES):
            raise LabUnsupported(f"opening the document {self.path} with its program", self.extent)
        self._start()

    def _encoding(self) -> str:
        """The console's output code page, or what [Console]::OutputEncoding was set to."""
        process = self.runtime.process
        chosen = self.runtime.process_state.get("console-output-encoding")
        if chosen:
            return str(chosen)
        return process.console.encoding if process is not None else "cp437"

    def _start(self) -> None:
        from winlab.windows.errors import WindowsError
        from winlab.windows.pipes import Pipe

        runtime = self.runtime
        self.output = Pipe(None)
        self.shown_errors = self._errors_on_console()
        parent = runtime.process
        if self.shown_errors:
            stderr = parent.stderr if parent is not None else None
        else:
            self.errors = Pipe(None)
            stderr = self.errors
        if self.expecting_input:
            self.feed = Pipe(None)
            stdin = self.feed
        else:
            stdin = self._inherited_input()
        try:
            self.child = runtime.machine.processes.start(
                command_line(self.path, self.arguments),
                image=self.path,
                cwd=runtime.file_location,
                env=dict(runtime.env.items()),
                user=runtime.user,
                stdin=stdin,
                stdout=self.output,
                stderr=stderr,
                parent=parent,
            )
        except WindowsError as error:
            self._failed_to_start(error.message.rstrip("\r\n"))
        for pipe in (self.output, self.errors):
            if pipe is not None:
                pipe.add_listener(self.changed.set)
        runtime.on_stop.append(self._kill)
        self.closers.append(self._gone)
        encoding = self._encoding()
        self.out_lines = LineSplitter(encoding, self.write)
        self.err_lines = LineSplitter(encoding, self._error_line)

    def _inherited_input(self) -> Any:
        """What a program gets as standard input when nothing is piped to it: that of the process."""
        handles = self.runtime.process_state.get("std-handles")
        if handles and "stdin" in handles:
            return handles["stdin"]
        process = self.runtime.process
        return process.stdin if process is not None else None

    def _errors_on_console(self) -> bool:
        """Whether standard error goes straight to that of powershell.exe: a console host, and no redirection of the error stream."""
        runtime = self.runtime
        if getattr(runtime.host, "name", "") != "ConsoleHost" or runtime.process is None:
            return False
        root = getattr(runtime, "root_streams", None)
        return root is not None and self.streams.error == root.error and not self.merged

    def _failed_to_start(self, reason: str) -> None:
        name = self.path.rpartition("\\")[2]
        message = f"Program '{name}' failed to run: {reason}"
        error = NetException(
            SMA + "ApplicationFailedException", message, NetException("System.ComponentModel.Win32Exception", reason)
        )
        record = ErrorRecord(error, "NativeCommandFailed", "ResourceUnavailable")
        record.invocation_info = InvocationInfo(self.info, self.extent, name)
        raise TerminatingError(record)

    def _kill(self) -> None:
        if self.child is not None and self.child.alive:
            self.child.kill()
        self.changed.set()

    def _gone(self) -> None:
        if self._kill in self.runtime.on_stop:
            self.runtime.on_stop.remove(self._kill)
        if self.feed is not None:
            self.feed.close_write()
        if self.child is not None and self.child.alive:  # the pipeline ended without it
            self.child.kill()

    # -- data

    def process(self, value: Any) -> None:
        """Input goes to the program as lines of text."""
        from winlab.windows.errors import WindowsError

        if self.feed is None:
            return
        try:
            for line in self._input_lines(value):
                self.feed.write(
                    line.encode("ascii", "replace") + b"\r\n"
                    if self._ascii()
                    else (line + "\r\n").encode(self._input_encoding(), "replace")
                )
        except WindowsError:
            pass  # the program has closed its input
        self._drain()

    def _ascii(self) -> bool:
        found = self.runtime.find_variable("outputencoding")
        return found is None or found.value is None

    def _input_encoding(self) -> str:
        found = self.runtime.find_variable("outputencoding")
        value = unwrap(found.value) if found is not None else None
        return str(getattr(value, "codec", None) or getattr(value, "python_name", None) or "ascii")

    def _input_lines(self, value: Any) -> list[str]:
        base = unwrap(value)
        if base is None:
            return []
        if isinstance(base, (PSCustomObject,)) or (not isinstance(base, (str, int, float)) and not is_enumerable(base)):
            return self._formatted(value)
        if is_enumerable(base):
            return [line for item in iterate(base) for line in self._input_lines(item)]
        return [to_string(value)]

    def _formatted(self, value: Any) -> list[str]:
        """Objects as they would be shown."""
        from winlab.powershell.commands.core import find_cmdlet
        from winlab.powershell.runtime.commands import CmdletInfo, CmdletProcessor

        cls = find_cmdlet("Out-String")
        if cls is None:
            return [to_string(value)]
        texts: list[Any] = []
        shown = CmdletProcessor(self.runtime, self.frame, CmdletInfo(cls), [], self.extent)
        shown.expecting_input = True
        shown.downstream = texts.append
        shown.begin()
        shown.process(value)
        shown.end()
        return [line for text in texts for line in to_string(text).rstrip("\r\n").split("\r\n")]

    def process_no_input(self) -> None:
        self._wait()

    def end(self) -> None:
        if self.feed is not None:
            self.feed.close_write()
        self._wait()
        self.out_lines.feed(b"", True)
        self.err_lines.feed(b"", True)
        code = self.child.wait()
        self.runtime.session.top.put("LASTEXITCODE", code)
        if code != 0:
            self.failed = True

    def _drain(self) -> bool:
        """Pass on what has arrived; whether there was anything."""
        any_data = False
        for pipe, lines in ((self.output, self.out_lines), (self.errors, self.err_lines)):
            if pipe is not None:
                data = pipe.read_available()
                if data:
                    any_data = True
                    lines.feed(data)
        return any_data

    def _wait(self) -> None:
        """Until the program has ended and closed its output."""
        while True:
            self.changed.clear()
            drained = self._drain()
            if self._finished():
                self._drain()
                return
            if not drained:
                self.runtime.check_now()
                self.changed.wait(0.05)

    def _finished(self) -> bool:
        done = self.output.at_eof and (self.errors is None or self.errors.at_eof)
        return bool(done and not self.child.alive)

    def _error_line(self, line: str) -> None:
        """A line of standard error as 5.1 reports it."""
        error = NetException(SMA + "RemoteException", line)
        first = self.error_lines == 0
        self.error_lines += 1
        record = ErrorRecord(
            error, "NativeCommandError" if first else "NativeCommandErrorMessage", "NotSpecified", line
        )
        record.command = ""
        record.fully_qualified_override = record.error_id
        record.invocation_info = self.invocation
        if not first:
            record.invocation_info = InvocationInfo(self.info, None, self.info.name if self.info else "")
        self.write_error(record)
