"""Errors and flow control of the interpreter.

A .NET exception is a :class:`NetException`: at once the Python exception that unwinds and the object that a script sees as
``$_.Exception``. :class:`ErrorRecord` is what PowerShell makes of it. Flow control and :class:`LabUnsupported` derive from
``BaseException`` so that no ``except Exception`` and no ``catch`` block of a script can swallow them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from winlab.powershell.objects import NetObject, PSMember

if TYPE_CHECKING:
    from winlab.powershell.dotnet.core import NetType

SMA = "System.Management.Automation."


class NetException(Exception):
    """An exception of .NET by its full type name. ``inner`` is its InnerException; further properties as keywords, spelled as in .NET.

    ``error_id`` and ``category`` are used when PowerShell makes an ErrorRecord of it (default: the type's short name, NotSpecified).
    """

    ps_members: dict[str, PSMember] | None = None
    ps_type_names: list[str] | None = None

    def __init__(
        self,
        type_name: str,
        message: str,
        inner: NetException | None = None,
        *,
        error_id: str | None = None,
        category: str | None = None,
        target: Any = None,
        **properties: Any,
    ) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.message = message
        self.inner = inner
        self.error_id = error_id
        self.category = category
        self.target = target
        self.properties = properties
        self.error_record: ErrorRecord | None = None
        self.stack_trace: str | None = None
        self.data: Any = None
        self._net_type: NetType | None = None

    @property
    def net_type(self) -> NetType:
        if self._net_type is None:
            from winlab.powershell.dotnet.core import get_type

            self._net_type = get_type(self.type_name)
        return self._net_type

    @property
    def short_name(self) -> str:
        return self.type_name.rpartition(".")[2]


class ErrorRecord(NetObject):
    """What PowerShell reports: an exception with an id, a category, a target and the place it happened."""

    def __init__(
        self,
        exception: NetException,
        error_id: str = "",
        category: str = "NotSpecified",
        target: Any = None,
    ) -> None:
        self.exception = exception
        self.error_id = error_id
        self.category = category
        self.target = target
        self.command: str = ""  # appended to the id: full type name of the cmdlet, or the function's name
        self.activity: str = ""
        self.reason: str = ""
        self.target_name: str | None = None
        self.target_type: str | None = None
        self.details: str | None = None
        self.recommended_action: str = ""
        self.invocation_info: Any = None
        self.script_stack_trace: str | None = None
        self.fully_qualified_override: str | None = None
        self.preserve_invocation = False

    @property
    def fully_qualified_error_id(self) -> str:
        if self.fully_qualified_override is not None:
            return self.fully_qualified_override
        return f"{self.error_id},{self.command}" if self.command else self.error_id

    @property
    def message(self) -> str:
        return self.details if self.details is not None else self.exception.message


def runtime_error(
    error_id: str,
    message: str,
    *,
    kind: str = "RuntimeException",
    category: str = "InvalidOperation",
    target: Any = None,
) -> NetException:
    """A RuntimeException (or another class of System.Management.Automation named by ``kind``) of PowerShell itself, with its error id."""
    name = kind if "." in kind else SMA + kind
    return NetException(name, message, error_id=error_id, category=category, target=target)


class TerminatingError(Exception):
    """An ErrorRecord that unwinds: ``throw``, a cmdlet's ThrowTerminatingError, a runtime error of a statement, or -ErrorAction Stop.

    ``script_terminating`` is False for errors that end only their statement (runtime errors of expressions, .NET method calls, cmdlets'
    terminating errors): outside ``try`` they are reported and the next statement runs.
    """

    def __init__(self, record: ErrorRecord, script_terminating: bool = False) -> None:
        super().__init__(record.message)
        self.record = record
        self.script_terminating = script_terminating
        self.reported = False  # already in $Error


# -------------------------------------------------------------------------------------------------------------------- flow control


class FlowControl(BaseException):
    """Base of what unwinds without being an error."""


class BreakException(FlowControl):
    def __init__(self, label: str = "") -> None:
        self.label = label


class ContinueException(FlowControl):
    def __init__(self, label: str = "") -> None:
        self.label = label


class ReturnException(FlowControl):
    """``return``: its values have gone to the output already."""


class ExitException(FlowControl):
    """``exit``: ``code`` is the exit code."""

    def __init__(self, code: Any = 0) -> None:
        self.code = code


class StopUpstream(FlowControl):
    """A command (Select-Object -First) needs no more input: ``requester`` is its processor."""

    def __init__(self, requester: Any) -> None:
        self.requester = requester


class PipelineStopped(FlowControl):
    """Stop() was called, or the process is being killed."""


class LimitExceeded(FlowControl):
    """The script ran into a limit of the host (time or memory); ``message`` says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LabUnsupported(FlowControl):
    """A real feature of Windows PowerShell or .NET that the lab lacks. Ends the script; scripts cannot catch it.

    ``construct`` names the feature; ``extent`` is where the script uses it (filled in by the evaluator when the raiser does not know).
    """

    def __init__(self, construct: str, extent: Any = None) -> None:
        super().__init__(construct)
        self.construct = construct
        self.extent = extent

    @property
    def message(self) -> str:
        where = ""
        if self.extent is not None:
            where = f" (line {self.extent.start_line_number}: {_first_line(self.extent.text)})"
        return f"The lab does not support {self.construct}{where}."


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= 100 else line[:97] + "..."
