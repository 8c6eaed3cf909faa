"""Small helpers for declaring .NET types: overload families straight from the reference list, and .NET's usual exceptions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from winlab.powershell.errors import NetException
from winlab.windows.errors import WindowsError

from . import core, numberformat, regexes

F = TypeVar("F", bound=Callable[..., Any])


def overloads(
    type_name: str, *names: str, params: bool = False, only: str | None = None, skip: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Declare a function for every overload of `names` that the reference list has for a type (`.ctor` for constructors).

    The function takes the arguments as they come. `params`: overloads that end in an array take loose arguments too. `only`: a text that
    the parameter list must contain; `skip`: texts that it must not contain.
    """
    entry = core.api_type(type_name)
    if entry is None:
        raise KeyError(type_name)
    lines: list[str] = []
    wanted = set(names)
    for line in entry.lines:
        kind, _, rest = line.partition(" ")
        if (kind == "C" and ".ctor" in wanted) or (
            kind == "M" and rest.removeprefix("static ").partition("(")[0] in wanted
        ):
            lines.append(line)
    if not lines:
        raise KeyError(f"{type_name}: {names}")

    def mark(fn: F) -> F:
        for line in reversed(lines):
            kind, _, rest = line.partition(" ")
            arguments = rest[rest.index("(") : rest.rindex(")") + 1]
            if "*" in arguments or (only is not None and only not in arguments):
                continue
            if any(text in arguments for text in skip):
                continue
            loose = params and arguments.endswith("[])")
            if kind == "C":
                core.ctor(arguments, params=loose)(fn)
            elif rest.startswith("static "):
                core.static(rest, params=loose)(fn)
            else:
                core.method(rest, params=loose)(fn)
        return fn

    return mark


# ------------------------------------------------------------------------------------------------------------ exceptions


def argument(message: str, name: str | None = None) -> NetException:
    text = f"{message}\r\nParameter name: {name}" if name else message
    return NetException("System.ArgumentException", text, ParamName=name)


def argument_null(name: str, message: str = "Value cannot be null.") -> NetException:
    return NetException("System.ArgumentNullException", f"{message}\r\nParameter name: {name}", ParamName=name)


def out_of_range(
    name: str, message: str = "Specified argument was out of the range of valid values.", actual: Any = None
) -> NetException:
    text = f"{message}\r\nParameter name: {name}"
    if actual is not None:
        text += f"\r\nActual value was {actual}."
    return NetException("System.ArgumentOutOfRangeException", text, ParamName=name, ActualValue=actual)


def index_out_of_range(name: str = "index") -> NetException:
    return out_of_range(name, "Index was out of range. Must be non-negative and less than the size of the collection.")


def format_exception(message: str = numberformat.BAD_INPUT) -> NetException:
    return NetException("System.FormatException", message)


def overflow(message: str = "Arithmetic operation resulted in an overflow.") -> NetException:
    return NetException("System.OverflowException", message)


def invalid_operation(message: str) -> NetException:
    return NetException("System.InvalidOperationException", message)


def invalid_cast(message: str) -> NetException:
    return NetException("System.InvalidCastException", message)


def not_supported(message: str = "Specified method is not supported.") -> NetException:
    return NetException("System.NotSupportedException", message)


def disposed(name: str | None = None, message: str = "Cannot access a disposed object.") -> NetException:
    text = f"{message}\r\nObject name: '{name}'." if name else message
    return NetException("System.ObjectDisposedException", text, ObjectName=name)


def io_exception(message: str, hresult: int | None = None) -> NetException:
    return (
        NetException("System.IO.IOException", message)
        if hresult is None
        else NetException("System.IO.IOException", message, HResult=hresult)
    )


def need(value: Any, name: str) -> Any:
    """The value, or an ArgumentNullException for null."""
    if value is None:
        raise argument_null(name)
    return value


def path_error(error: WindowsError, path: str | None = None) -> NetException:
    """The exception that .NET's file classes make of a Win32 error (`__Error.WinIOError`)."""
    shown = path if path is not None else (error.path or "")
    code = error.code
    if code == 2:
        text = f"Could not find file '{shown}'." if shown else "Unable to find the specified file."
        return NetException("System.IO.FileNotFoundException", text, FileName=shown or None)
    if code == 3:
        text = f"Could not find a part of the path '{shown}'." if shown else "Could not find a part of the path."
        return NetException("System.IO.DirectoryNotFoundException", text)
    if code == 5:
        text = f"Access to the path '{shown}' is denied." if shown else "Access to the path is denied."
        return NetException("System.UnauthorizedAccessException", text)
    if code == 15:
        return NetException(
            "System.IO.DriveNotFoundException",
            f"Could not find the drive '{shown}'. The drive might not be ready or might not be mapped.",
        )
    if code == 206:
        return NetException(
            "System.IO.PathTooLongException",
            "The specified path, file name, or both are too long. The fully qualified file name must be less than 260 "
            "characters, and the directory name must be less than 248 characters.",
        )
    if code == 183 and shown:
        text = f"Cannot create '{shown}' because a file or directory with the same name already exists."
    elif code == 32 and shown:
        text = f"The process cannot access the file '{shown}' because it is being used by another process."
    elif code == 80 and shown:
        text = f"The file '{shown}' already exists."
    elif code == 32:
        text = "The process cannot access the file because it is being used by another process."
    elif code == 995:
        return NetException("System.OperationCanceledException", "The operation was canceled.")
    else:
        text = error.message if error.message.endswith("\r\n") else f"{error.message}\r\n"
    return io_exception(text, error.hresult)


def win32(error: WindowsError) -> NetException:
    """A System.ComponentModel.Win32Exception for a Win32 error."""
    return NetException("System.ComponentModel.Win32Exception", error.message, NativeErrorCode=error.code)


@contextlib.contextmanager
def net_errors(path: str | None = None) -> Iterator[None]:
    """Turns refusals of the simulated kernel and of the pure helpers into .NET's exceptions."""
    try:
        yield
    except WindowsError as error:
        raise path_error(error, path) from None
    except numberformat.FormatError as error:
        raise format_exception(str(error)) from None
    except numberformat.NumberOverflow as error:
        raise overflow(str(error)) from None
    except regexes.RegexError as error:
        raise argument(str(error)) from None
