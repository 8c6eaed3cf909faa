"""powershell.exe: the console host of Windows PowerShell 5.1, as a program of the lab.

Sources: Microsoft's documentation of powershell.exe, and what a real one does with redirected streams: Write-Host, warnings, verbose and
debug text go to standard output; errors to standard error, as text or, with -EncodedCommand, everything but output as CLIXML.
"""

from __future__ import annotations

import codecs
import ntpath
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from winlab.powershell import clixml
from winlab.powershell.ast import Ast, ScriptBlockAst, VariableExpressionAst
from winlab.powershell.errors import (
    BreakException,
    ContinueException,
    ErrorRecord,
    ExitException,
    LabUnsupported,
    LimitExceeded,
    NetException,
    PipelineStopped,
    TerminatingError,
)
from winlab.powershell.formatting.errorview import error_text, parse_error_text
from winlab.powershell.formatting.output import Formatter
from winlab.powershell.formatting.text import wrap
from winlab.powershell.hostargs import BAD_START, Arguments, UsageError, parse_arguments
from winlab.powershell.objects import ScriptBlock
from winlab.powershell.parser import ParseError, parse
from winlab.powershell.runtime.binder import Argument
from winlab.powershell.runtime.commands import ExternalScriptInfo, HostInformationMessage, InformationRecord, Streams
from winlab.powershell.runtime.conversion import to_string
from winlab.windows.errors import WindowsError

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime
    from winlab.windows.processes import ProgramContext

Take = Callable[[Any], None]
_CONSOLE_WIDTH = 80
_UNHANDLED = "ParentContainsErrorRecordException"
_PROGRESS_DETAILS = ("activity_id", "current_operation", "parent_id", "percent", "seconds", "completed")
_LOGO = "Windows PowerShell \r\nCopyright (C) 2016 Microsoft Corporation. All rights reserved.\r\n\r\n"
_RESTRICTED = (
    "File {0} cannot be loaded because running scripts is disabled on this system. For more information, see "
    "about_Execution_Policies at http://go.microsoft.com/fwlink/?LinkID=135170."
)
_CLIENTS = ("10", "11")


class Recorder(Protocol):
    """Who wants the records of a run and not only their text: the conformance runs."""

    def error(self, record: ErrorRecord) -> None:
        """An error reached the host without ending the script."""

    def ended_by(self, record: ErrorRecord) -> None:
        """An error ended the script."""

    def refused(self, construct: str) -> None:
        """The lab lacks something that the script uses."""


class _NoRecorder:
    def error(self, record: ErrorRecord) -> None: ...

    def ended_by(self, record: ErrorRecord) -> None: ...

    def refused(self, construct: str) -> None: ...


class ConsoleHost:
    """The host of one powershell.exe: where output and records go, as bytes of its standard streams."""

    name = "ConsoleHost"
    buffer_width = _CONSOLE_WIDTH

    def __init__(self, ctx: ProgramContext, recorder: Recorder, xml_errors: bool, interactive: bool) -> None:
        self.ctx = ctx
        self.recorder = recorder
        self.xml = xml_errors
        self.non_interactive = not interactive
        self.exit_code: int | None = None
        self.runtime: Runtime | None = None
        self._xml_open = False
        self._output: clixml.ElementWriter | None = None
        self._progress = clixml.ProgressWriter()
        self._stdin = _LineReader(ctx)

    # --- output -------------------------------------------------------------------------------------------------------

    def write_host(self, text: str, newline: bool = True) -> None:
        """Text to standard output; line feeds inside it stay as they are."""
        self._out(text + "\r\n" if newline else text)

    def _out(self, text: str) -> None:
        self.ctx.write_out(text.encode(self.ctx.console.encoding, "replace"))

    def _err(self, text: str) -> None:
        self.ctx.write_err(text.encode(self.ctx.console.encoding, "replace"))

    def _xml_out(self, element: str) -> None:
        if not self._xml_open:
            self._xml_open = True
            self._err(clixml.PREAMBLE + clixml.HEADER)
        self._err(element)

    def write_object(self, value: Any) -> None:
        """An output object as CLIXML on standard output (-OutputFormat XML)."""
        if self._output is None:
            self._output = clixml.ElementWriter()
            self._out(clixml.PREAMBLE + clixml.HEADER)
        self._out(self._output.element(value))

    def close(self) -> None:
        """End the CLIXML documents, if any were begun."""
        if self._output is not None:
            self._out(clixml.FOOTER)
            self._output = None
        if self._xml_open:
            self._err(clixml.FOOTER)
            self._xml_open = False

    # --- records ------------------------------------------------------------------------------------------------------

    def write_error(self, record: ErrorRecord) -> None:
        """Show an error that did not end the script."""
        self.recorder.error(record)
        self.show_error(record)

    def show_error(self, record: ErrorRecord) -> None:
        """Write an error's text to standard error."""
        self.show_error_text(error_text(record, self.runtime, self.buffer_width))

    def show_error_text(self, text: str) -> None:
        for line in wrap(text, self.buffer_width - 1):
            if self.xml:
                self._xml_out(clixml.stream_text(line + "\r\n", "Error"))
            else:
                self._err(line + "\r\n")

    def write_warning(self, text: str) -> None:
        self._message(text, "warning", "WARNING: ")

    def write_verbose(self, text: str) -> None:
        self._message(text, "verbose", "VERBOSE: ")

    def write_debug(self, text: str) -> None:
        self._message(text, "debug", "DEBUG: ")

    def _message(self, text: str, stream: str, prefix: str) -> None:
        if self.xml:
            self._xml_out(clixml.stream_text(text, stream))
        else:
            for line in wrap(prefix + text, self.buffer_width - 1):
                self.write_host(line)

    def write_progress(self, record: Any) -> None:
        """A progress record: only CLIXML shows it, there is no screen."""
        if not self.xml:
            return
        details = {name: getattr(record, name) for name in _PROGRESS_DETAILS if getattr(record, name, None) is not None}
        activity, status = getattr(record, "activity", ""), getattr(record, "status", "")
        self._xml_out(self._progress.record(to_string(activity), to_string(status), **details))

    def modules_prepared(self, runtime: Runtime) -> None:
        """The first command of a module was looked up: 5.1 reads the modules then, and says so as progress."""
        if (
            self.xml
            and runtime.preference_variable(runtime.frame.scope, "progresspreference", "continue") == "continue"
        ):
            self._xml_out(self._progress.record("Preparing modules for first use.", completed=True))

    def write_line(self, text: str) -> None:
        self.write_host(text)

    def write_information(self, record: InformationRecord) -> None:
        """What Write-Host and Write-Information say."""
        data = record.data
        if isinstance(data, HostInformationMessage):
            self.write_host(data.message, not data.no_newline)
        else:
            self.write_host(to_string(data))

    def streams(self) -> Streams:
        """The sinks of a runspace whose records this host shows."""
        return Streams(
            self.write_error,
            lambda record: self.write_warning(record.message),
            lambda record: self.write_verbose(record.message),
            lambda record: self.write_debug(record.message),
            self.write_information,
            self.write_progress,
        )

    # --- input --------------------------------------------------------------------------------------------------------

    def read_line(self) -> str | None:
        """A line of standard input; None at its end."""
        return self._stdin.read_line()

    def input_lines(self) -> list[str]:
        """All that is left of standard input, by lines ($input of a script)."""
        text = self.ctx.read_all().decode(self.ctx.console.input_encoding, "replace").removeprefix("\ufeff")
        lines = text.replace("\r\n", "\n").split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    def set_should_exit(self, code: int) -> None:
        self.exit_code = code


class _LineReader:
    """Lines of a process's standard input, read no further than asked for."""

    def __init__(self, ctx: ProgramContext) -> None:
        self.ctx = ctx
        self._decoder = codecs.getincrementaldecoder(ctx.console.input_encoding)("replace")

    def read_line(self) -> str | None:
        stream = self.ctx.stdin
        if stream is None:
            return None
        text = ""
        while True:
            data = stream.read(1)
            self.ctx.check()
            char = self._decoder.decode(data, not data)
            if not data:
                text += char
                return text.lstrip("\ufeff").rstrip("\r") if text else None
            if char == "\n":
                return text.lstrip("\ufeff").rstrip("\r")
            text += char


# --- the program ----------------------------------------------------------------------------------------------------------


def main(ctx: ProgramContext) -> int:
    """powershell.exe."""
    recorder = getattr(ctx.machine, "powershell_recorder", None)
    if recorder is not None:
        ctx.machine.powershell_recorder = None  # type: ignore[attr-defined]  # only the first process is the one asked about
    return run(ctx, recorder)


def run(ctx: ProgramContext, recorder: Recorder | None = None) -> int:
    """Run powershell.exe with the process's command line. Returns the exit code."""
    try:
        arguments = parse_arguments(ctx.argv[1:])
    except UsageError as error:
        ctx.err(f"{error}\n")
        if error.show_help:
            ctx.out(_USAGE)
        return error.code
    if arguments.show_help:
        ctx.out(_USAGE)
        return 0
    if arguments.version is not None and not _version_available(arguments.version):
        return ctx.fail(f"Windows PowerShell {arguments.version} is not installed on this server.", BAD_START)
    return _Session(ctx, arguments, recorder or _NoRecorder()).run()


def _version_available(text: str) -> bool:
    """3.0 to 5.1 all start 5.1; the old engine needs a feature that the lab does not install."""
    return text.partition(".")[0] in ("3", "4", "5")


class _Session:
    """One run of powershell.exe."""

    def __init__(self, ctx: ProgramContext, arguments: Arguments, recorder: Recorder) -> None:
        from winlab.powershell.runtime.engine import Limits, Runtime

        self.ctx = ctx
        self.arguments = arguments
        self.recorder = recorder
        self.reads_statements = False
        xml_errors = arguments.encoded or arguments.output_format == "XML"
        self.host = ConsoleHost(ctx, recorder, xml_errors and ctx.stderr is not None, not arguments.non_interactive)
        self.runtime = Runtime(
            ctx.machine,
            user=ctx.user,
            env=ctx.env,
            location=ctx.cwd,
            program=ctx,
            process=ctx.process,
            host=self.host,
            limits=Limits(**getattr(ctx.machine, "powershell_limits", {})),
        )
        self.runtime.streams = self.host.streams()
        self.host.runtime = self.runtime

    def run(self) -> int:
        try:
            return self._run()
        finally:
            self.host.close()

    def _run(self) -> int:
        arguments = self.arguments
        if arguments.file is not None:
            return self._file(arguments.file)
        if arguments.command is not None:
            return self._exit_code(self._command(arguments.command))
        if arguments.from_stdin:
            return self._exit_code(self._loop(prompt=False))
        if not arguments.no_logo:
            self.host.write_host(_LOGO, newline=False)
        return self._exit_code(self._loop(prompt=True))

    def _exit_code(self, code: int) -> int:
        return self.host.exit_code if self.host.exit_code is not None else code

    # --- modes --------------------------------------------------------------------------------------------------------

    def _command(self, text: str) -> int:
        tree, _, errors = parse(text)
        if errors:
            self._parse_errors(errors)
            return 1
        return self._guarded(partial(self._run_tree, tree), fails_with_success=True)

    def _run_tree(self, tree: ScriptBlockAst, take: Take, info: Any = None, arguments: list[Any] | None = None) -> None:
        """Run a script at global scope; standard input is its $input where it asks for that."""
        block = ScriptBlock(tree, None, tree.extent.file)
        values = self.host.input_lines() if not self.reads_statements and _takes_input(tree) else None
        self.runtime.run_block(block, take, arguments, values, info=info)

    def _file(self, path: str) -> int:
        full = self.ctx.resolve(path)
        fs = self.ctx.machine.fs
        if not fs.is_file(full):
            return self.ctx.fail(
                f"The argument '{path}' to the -File parameter does not exist. Provide the path to an existing '.ps1' file as an argument "
                "to the -File parameter.",
                BAD_START,
            )
        if ntpath.splitext(full)[1].lower() != ".ps1":
            return self.ctx.fail(
                f"Processing -File '{path}' failed because the file does not have a '.ps1' extension. Specify a valid Windows PowerShell "
                "script file name, and then try again.",
                BAD_START,
            )
        if self._scripts_disabled():
            self._fail("System.Management.Automation.PSSecurityException", _RESTRICTED.format(full))
            return 1
        try:
            text = decode_script(fs.read_bytes(full, user=self.ctx.user))
        except WindowsError as error:
            return self.ctx.fail(str(error), BAD_START)
        tree, _, errors = parse(text, full)
        if errors:
            self._parse_errors(errors)
            return 1
        info = ExternalScriptInfo(ntpath.basename(full), full)
        arguments = script_arguments(self.arguments.file_arguments)
        work = partial(self._run_tree, tree, info=info, arguments=arguments)
        return self._exit_code(self._guarded(work, fails_with_success=False))

    def _scripts_disabled(self) -> bool:
        policy = self.arguments.execution_policy
        if policy in (None, "Default", "Undefined"):
            policy = self._machine_policy()
        return policy == "Restricted"

    def _machine_policy(self) -> str:
        """The policy of the machine's registry; servers come with RemoteSigned, clients with Restricted."""
        registry = self.ctx.machine.registry
        try:
            key = registry.open(r"HKLM\SOFTWARE\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell")
            value = key.get("ExecutionPolicy")
        except (WindowsError, AttributeError):
            value = None
        stored = getattr(value, "data", value)
        if isinstance(stored, str) and stored:
            return stored
        return "Restricted" if self.ctx.machine.version in _CLIENTS else "RemoteSigned"

    def _loop(self, prompt: bool) -> int:
        """Statements from standard input, one by one. A statement of several lines ends with an empty line."""
        self.reads_statements = True
        block: list[str] = []
        code = 0
        while True:
            if prompt:
                self.host.write_host(">> " if block else f"PS {self.runtime.location}> ", newline=False)
            line = self.host.read_line()
            if line is None:
                return code
            if prompt:
                self.host.write_host(line)
            if block and line:
                block.append(line)
                continue
            block.append(line)
            text = "\n".join(block)
            tree, _, errors = parse(text)
            if errors and errors[0].incomplete_input and line:
                continue
            block = []
            if errors:
                self._parse_errors(errors)
                continue
            ended: list[int] = []
            code = self._guarded(partial(self._run_tree, tree), fails_with_success=False, ended=ended)
            if ended or self.host.exit_code is not None:
                return code
            code = 0

    # --- running ------------------------------------------------------------------------------------------------------

    def _guarded(
        self,
        work: Callable[[Take], Any],
        *,
        fails_with_success: bool,
        ended: list[int] | None = None,
    ) -> int:
        """Run a script with its output to the console; what ends it becomes the exit code.

        Args:
            work: runs the script; gets the function that takes each output object.
            fails_with_success: exit with 1 when the last statement left `$?` false.
            ended: gets the code when the script called `exit`.
        """
        formatter = Formatter(self.runtime, self.host.write_host, self.host.buffer_width - 1)
        take = self.host.write_object if self.arguments.output_format == "XML" else formatter.write
        try:
            try:
                work(take)
            finally:
                formatter.finish()
        except ExitException as leave:
            code = exit_code_of(leave.code)
            if ended is not None:
                ended.append(code)
            return code
        except TerminatingError as error:
            self.recorder.ended_by(error.record)
            self.host.show_error(error.record)
            return 1
        except LabUnsupported as lacking:
            self.recorder.refused(lacking.construct)
            self.host.show_error_text(lacking.message)
            return 1
        except LimitExceeded as limit:
            self.host.show_error_text(limit.message)
            return 1
        except PipelineStopped:
            return 1
        except (BreakException, ContinueException):
            return 0  # outside of any loop they end the script
        return 0 if self.runtime.success or not fails_with_success else 1

    def _parse_errors(self, errors: list[ParseError]) -> None:
        exception = NetException("System.Management.Automation.ParseException", parse_error_text(errors))
        record = ErrorRecord(exception, errors[0].error_id, "ParserError")
        record.reason = _UNHANDLED
        self.recorder.ended_by(record)
        self.host.show_error(record)

    def _fail(self, type_name: str, message: str) -> None:
        record = ErrorRecord(NetException(type_name, message), "UnauthorizedAccess", "SecurityError")
        record.reason = _UNHANDLED
        self.recorder.ended_by(record)
        self.host.show_error(record)


def _takes_input(tree: ScriptBlockAst) -> bool:
    """Whether a script reads its input: only then is standard input read for it, others may want it themselves."""
    if tree.process_block is not None:
        return True
    return bool(tree.find_all(_is_input, search_nested_script_blocks=False))


def _is_input(node: Ast) -> bool:
    return isinstance(node, VariableExpressionAst) and node.variable_path.user_path.lower() == "input"


def script_arguments(texts: list[str]) -> list[Argument]:
    """What follows a script's path on the command line, as its arguments: `-Name value`, `-Switch`, `-Name:value`."""
    found: list[Argument] = []
    for text in texts:
        match = _PARAMETER.match(text)
        if match is None:
            found.append(Argument(None, text, True))
        elif match.group(2) is None:
            found.append(Argument(match.group(1), None, False, text=text))
        else:
            value: Any = match.group(2)
            if value.lower() in ("$true", "$false"):
                value = value.lower() == "$true"
            found.append(Argument(match.group(1), value, True, text=text))
    return found


def exit_code_of(value: Any) -> int:
    """The process's exit code for what `exit` was given: numbers as they are, texts that are none 0."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    try:
        code = int(str(value))
    except ValueError:
        return 0
    return code if -(1 << 31) <= code < 1 << 31 else 0


def decode_script(data: bytes) -> str:
    """A script file's text: by its byte order mark, else in the ANSI code page (Windows-1252)."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return "".join(_ANSI[byte] for byte in data) if any(byte > 0x7F for byte in data) else data.decode("ascii")


_ANSI = [
    bytes([byte]).decode("cp1252", "replace") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
    for byte in range(256)
]

_PARAMETER = re.compile(r"^[-\u2013\u2014\u2015]([A-Za-z_?][^:\s]*)(?::(.*))?$", re.DOTALL)

_USAGE = """
PowerShell[.exe] [-PSConsoleFile <file> | -Version <version>]
    [-NoLogo] [-NoExit] [-Sta] [-Mta] [-NoProfile] [-NonInteractive]
    [-InputFormat {Text | XML}] [-OutputFormat {Text | XML}]
    [-WindowStyle <style>] [-EncodedCommand <Base64EncodedCommand>]
    [-ConfigurationName <string>]
    [-File <filePath> <args>] [-ExecutionPolicy <ExecutionPolicy>]
    [-Command { - | <script-block> [-args <arg-array>]
                  | <string> [<CommandParameters>] } ]

PowerShell[.exe] -Help | -? | /?
"""
