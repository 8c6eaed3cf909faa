"""What can go wrong on the way to a server, each as one sentence for the person at the keyboard."""

from __future__ import annotations


class WireError(Exception):
    """A request that did not come back with an answer. ``delivered`` says what is known about it: False when the server
    certainly did not act on it, None when nobody knows."""

    delivered: bool | None = None

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo

    def sentence(self, host: str) -> str:
        return f"{host}: {self.what}" + (f" - {self.todo}" if self.todo else "")


class Unreachable(WireError):
    """No connection came about: nothing was sent."""

    delivered = False


class NameUnknown(Unreachable):
    """DNS does not know the host."""


class CertificateRefused(Unreachable):
    """TLS: the server's certificate is not trusted or is somebody else's."""


class Unauthorized(WireError):
    """401: user name, password or transport not accepted."""

    delivered = False


class Undecipherable(WireError):
    """400: the server could not open the sealed message; the connection it was sealed for is gone."""

    delivered = False


class TooLarge(WireError):
    """413: the message is larger than the server's MaxEnvelopeSizekb."""

    delivered = False


class Dropped(WireError):
    """The connection broke, or no answer came in time, after the request had been sent."""


class Garbled(WireError):
    """The answer is not WS-Management (a proxy's HTML page, for instance)."""


class OperationTimeout(WireError):
    """The server's own time limit for one operation: for Receive it means no output yet, for Send that the bytes are in the pipe."""

    delivered = True


class Fault(WireError):
    """A SOAP fault with a WS-Management code."""

    delivered = False

    def __init__(self, code: int, what: str, todo: str = "") -> None:
        super().__init__(what, todo)
        self.code = code


BUSY = 170
ABORTED = 995
ACCESS_DENIED = 5
BROKEN_PIPE = 109
PIPE_ENDED = 2147942509
NO_SHELL = 2150858843
TOO_MANY_SHELLS = 2150859173
TOO_MANY_OPERATIONS = 2150859174
SCHEMA = 2150858817
COMMAND_LINE_TOO_LONG = 2147942606

#: Faults that mean: this shell or command is gone.
GONE = frozenset({NO_SHELL, BROKEN_PIPE, PIPE_ENDED, ABORTED, 2147943395, 2150858844, 2150859113})

TODO = {
    ACCESS_DENIED: "use a member of Administrators; for a local account other than Administrator set LocalAccountTokenFilterPolicy "
    "to 1 on the server (winrm quickconfig does)",
    TOO_MANY_SHELLS: "close other sessions of this user or raise winrm/config/winrs MaxShellsPerUser on the server",
    TOO_MANY_OPERATIONS: "raise winrm/config/service MaxConcurrentOperationsPerUser on the server, or restart its WinRM service",
    BUSY: "another program holds the server's WinRM resource; try again in a moment",
    SCHEMA: "the server does not accept a setting of the shell; check winrm_idle_timeout",
}


class LoopLost(WireError):
    """The PowerShell process or its shell ended while we needed it."""


class ReplyLost(WireError):
    """A part of a reply was lost on the way and cannot be had again."""


class MayHaveRun(WireError):
    """A command was on its way or running when the connection or the process was lost; it is not run again."""


class TransferFailed(WireError):
    """A file could not be written or read on the server."""
