"""System.Console: the standard streams of the simulated powershell.exe."""

from __future__ import annotations

import threading
from typing import Any

from winlab.powershell.errors import NetException

from . import context
from .core import net_type, static, static_prop
from .declare import need, overloads
from .encodings import Encoding, make_encoding
from .streams import PipeStream, Stream, StreamReader, TextReader, TextWriter
from .strings import _flat
from .values import format_composite


class ConsoleState:
    """What `[Console]` of one process holds. Writers are made when first asked for."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reader: TextReader | None = None
        self.writers: dict[str, TextWriter] = {}


def state() -> ConsoleState:
    found: ConsoleState = context.per_process("console", ConsoleState)
    return found


def program() -> Any:
    return getattr(context.runtime(), "program", None)


def source(name: str) -> Any:
    """The pipe or file behind stdin, stdout or stderr of the process; None is NUL."""
    own = program()
    return getattr(own, name, None) if own is not None else None


def output_encoding() -> Encoding:
    own = program()
    return make_encoding(own.console.output_codepage) if own is not None else make_encoding(65001, False)


def input_encoding() -> Encoding:
    own = program()
    return make_encoding(own.console.input_codepage) if own is not None else make_encoding(65001, False)


class ConsoleWriter(TextWriter):
    """Writes to the process's stdout or stderr at once, in the console's output encoding of that moment."""

    def __init__(self, name: str) -> None:
        self.stream_name = name

    def put(self, text: str) -> None:
        if not text:
            return
        writer = getattr(context.runtime(), "console_write", None)
        if writer is not None and program() is None:
            writer(self.stream_name, text)
            return
        target = PipeStream(source(self.stream_name), False)
        target.write_bytes(output_encoding().encode(text))


net_type("System.IO.TextWriter+SyncTextWriter", base="System.IO.TextWriter", kind="class", assembly="mscorlib")(
    ConsoleWriter
)


def writer(name: str) -> TextWriter:
    """The writer that Console.Out (`stdout`) or Console.Error (`stderr`) is now."""
    own = state()
    with own.lock:
        return own.writers.setdefault(name, ConsoleWriter(name))


def reader() -> TextReader:
    own = state()
    with own.lock:
        if own.reader is None:
            own.reader = StreamReader(PipeStream(source("stdin"), True), input_encoding())
        return own.reader


def _set_code_page(name: str, value: Encoding) -> None:
    own = program()
    if own is not None:
        setattr(own.console, name, need(value, "value").page)


def _no_console() -> NetException:
    return NetException("System.IO.IOException", "The handle is invalid.\r\n", HResult=-2147024890)


def _console_size(value: int) -> Any:
    def read() -> int:
        raise _no_console()

    return read


@net_type("System.Console")
class Console:
    """System.Console. Standard handles are pipes or files here, never a screen buffer: members that need one fail as on a server."""

    @static_prop("Out : IO.TextWriter get")
    def out() -> TextWriter:
        return writer("stdout")

    @static_prop("Error : IO.TextWriter get")
    def error() -> TextWriter:
        return writer("stderr")

    @static_prop("In : IO.TextReader get")
    def console_in() -> TextReader:
        return reader()

    @static_prop("OutputEncoding : Text.Encoding", setter=lambda value: _set_code_page("output_codepage", value))
    def get_output_encoding() -> Encoding:
        return output_encoding()

    @static_prop("InputEncoding : Text.Encoding", setter=lambda value: _set_code_page("input_codepage", value))
    def get_input_encoding() -> Encoding:
        return input_encoding()

    @static_prop("IsInputRedirected : Boolean get")
    def is_input_redirected() -> bool:
        return True

    @static_prop("IsOutputRedirected : Boolean get")
    def is_output_redirected() -> bool:
        return True

    @static_prop("IsErrorRedirected : Boolean get")
    def is_error_redirected() -> bool:
        return True

    def _set_title(value: str) -> None:
        own = program()
        if own is not None:
            own.console.title = need(value, "value")

    @static_prop("Title : String", setter=_set_title)
    def title() -> str:
        own = program()
        return str(own.console.title) if own is not None else ""

    @static_prop("TreatControlCAsInput : Boolean", setter=lambda value: None)
    def treat_control_c() -> bool:
        return False

    @static_prop("KeyAvailable : Boolean get")
    def key_available() -> bool:
        raise NetException(
            "System.InvalidOperationException",
            "Cannot see if a key has been pressed when either application does not have a console or when console input has been "
            "redirected from a file. Try Console.In.Peek.",
        )

    for _name in (
        "BufferHeight",
        "BufferWidth",
        "CursorLeft",
        "CursorTop",
        "WindowHeight",
        "WindowWidth",
        "WindowLeft",
        "WindowTop",
    ):
        locals()[f"size_{_name}"] = static_prop(f"{_name} : Int32", setter=lambda value: None)(_console_size(0))
    del _name

    @static_prop("ForegroundColor : ConsoleColor", setter=lambda value: None)
    def foreground() -> str:
        return "Gray"

    @static_prop("BackgroundColor : ConsoleColor", setter=lambda value: None)
    def background() -> str:
        return "Black"

    @static("ResetColor() : Void")
    def reset_color() -> None:
        pass

    @static("Clear() : Void")
    def clear() -> None:
        raise _no_console()

    @static("OpenStandardInput() : IO.Stream")
    @static("OpenStandardInput(Int32) : IO.Stream")
    def open_standard_input(size: int = 0) -> Stream:
        return PipeStream(source("stdin"), True)

    @static("OpenStandardOutput() : IO.Stream")
    @static("OpenStandardOutput(Int32) : IO.Stream")
    def open_standard_output(size: int = 0) -> Stream:
        return _standard("stdout")

    @static("OpenStandardError() : IO.Stream")
    @static("OpenStandardError(Int32) : IO.Stream")
    def open_standard_error(size: int = 0) -> Stream:
        return _standard("stderr")

    @static("Read() : Int32")
    def read() -> int:
        return reader().read()

    @static("ReadLine() : String")
    def read_line() -> str | None:
        return reader().read_line()

    @static("ReadKey() : ConsoleKeyInfo")
    @static("ReadKey(Boolean) : ConsoleKeyInfo")
    def read_key(intercept: bool = False) -> Any:
        raise NetException(
            "System.InvalidOperationException",
            "Cannot read keys when either application does not have a console or when console input has been redirected from a file. Try "
            "Console.Read.",
        )

    @static("SetIn(IO.TextReader) : Void")
    def set_in(new: TextReader) -> None:
        state().reader = need(new, "newIn")

    @static("SetOut(IO.TextWriter) : Void")
    def set_out(new: TextWriter) -> None:
        state().writers["stdout"] = need(new, "newOut")

    @static("SetError(IO.TextWriter) : Void")
    def set_error(new: TextWriter) -> None:
        state().writers["stderr"] = need(new, "newError")

    @overloads("System.Console", "Write", skip=("String,Object", "Char[],Int32"))
    def write(value: Any) -> None:
        writer("stdout").write(value)

    @overloads("System.Console", "Write", only="String,Object", params=True)
    def write_format(template: str, *arguments: Any) -> None:
        writer("stdout").put(format_composite(need(template, "format"), _flat(arguments)))

    @overloads("System.Console", "WriteLine", skip=("String,Object", "Char[],Int32"))
    def write_line(value: Any = "") -> None:
        writer("stdout").write_line(value)

    @overloads("System.Console", "WriteLine", only="String,Object", params=True)
    def write_line_format(template: str, *arguments: Any) -> None:
        writer("stdout").write_line(format_composite(need(template, "format"), _flat(arguments)))

    @static("Beep() : Void")
    def beep() -> None:
        pass


class _CapturedStream(Stream):
    """Standard output of a runtime without a process (conformance runs): bytes go where its console text goes."""

    writable = True

    def __init__(self, name: str) -> None:
        self.name = name

    def write_bytes(self, data: bytes) -> None:
        target = getattr(context.runtime(), "console_write", None)
        if target is not None:
            target(self.name, data.decode("utf-8", "replace"))


net_type("System.IO.__ConsoleStream+Captured", base="System.IO.Stream", kind="class", assembly="mscorlib")(
    _CapturedStream
)


def _standard(name: str) -> Stream:
    return PipeStream(source(name), False) if program() is not None else _CapturedStream(name)
