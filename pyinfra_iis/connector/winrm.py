"""The ``@winrm`` connector."""

from __future__ import annotations

import atexit
import codecs
import contextlib
import logging
import os
import signal
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from io import BytesIO, IOBase
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

import gevent
import pyinfra
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.output import echo, format_text
from pyinfra.api.util import get_file_io
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput, OutputLine
from typing_extensions import Unpack, override

from . import files, frames, posix, programs
from .errors import LoopLost, MayHaveRun, TransferFailed, WireError
from .secret import Secret, reveal, scrub
from .session import NoLoop, Session
from .settings import ConnectorData, Settings, SettingsError, connector_data_meta, read_settings, unknown_keys
from .single import ProcessPerCommand

if TYPE_CHECKING:
    from pyinfra.api.arguments import ConnectorArguments
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

logger = logging.getLogger("pyinfra")

#: Long transfers say how far they are every so many seconds.
PROGRESS_EVERY = 5.0

_REFUSED = {
    "_sudo": "sudo", "_sudo_user": "sudo", "_use_sudo_login": "sudo", "_sudo_password": "sudo", "_preserve_sudo_env": "sudo",
    "_su_user": "su", "_use_su_login": "su", "_preserve_su_env": "su", "_su_shell": "su", "_su_password": "su",
    "_doas": "doas", "_doas_user": "doas", "_dzdo": "dzdo", "_dzdo_user": "dzdo",
}  # fmt: skip

_open_connectors: weakref.WeakSet[WinRMConnector] = weakref.WeakSet()


class SafeToRepeat(StringCommand):
    """A command that only looks: the connector may run it again when the connection was lost and nobody knows whether it ran.

    Any command with an attribute ``safe_to_repeat`` that is true is taken so."""

    safe_to_repeat = True


class WinRMConnector(BaseConnector):
    """
    Connect to Windows servers over WinRM. Commands are PowerShell; one PowerShell process serves the whole connection.

    .. code:: shell

        pyinfra @winrm/win1.example.com --data winrm_user=Administrator exec -- Get-Service W3SVC
    """

    __examples_doc__ = """
    Servers with HTTPS listeners and one account, the password from the environment (``WINRM_PASSWORD``):

    .. code:: python

        hosts = (
            ["@winrm/web1.example.com", "@winrm/web2.example.com"],
            {"winrm_user": "EXAMPLE\\\\deploy", "winrm_https": True, "winrm_ca_file": "example-ca.pem"},
        )
    """

    handles_execution = True

    data_cls = ConnectorData
    data_meta = connector_data_meta
    data: ConnectorData

    def __init__(self, state: State, host: Host) -> None:
        super().__init__(state, host)
        self._hide_password()
        self.settings: Settings | None = None
        self.session: Session | None = None
        self.single: ProcessPerCommand | None = None
        #: Counts what may have changed something on the server: every command that is not safe to repeat, and every file put there.
        self.activity = 0

    @override
    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        yield f"@winrm/{name}", {"winrm_hostname": name}, []

    # -- connection -----------------------------------------------------------------------------------------------------

    @override
    def connect(self) -> None:
        """Logs on and starts the PowerShell process. Raises ConnectError with one sentence."""
        self._read_settings()
        assert self.settings is not None
        if self.session is None:
            self.session = Session(self.settings)
        _open_connectors.add(self)
        _end_waits_on_interrupt()
        try:
            with _interruptible():
                self._start()
        except WireError as error:
            self._forget()
            raise ConnectError(self._sentence(error)) from None

    def _start(self) -> None:
        assert self.settings is not None and self.session is not None
        if self.settings.process_per_command or self.single is not None:
            self.single = self.single or ProcessPerCommand(self.settings, self.session.wire)
            self.single.open()
            return
        try:
            self._open_session(self.session)
        except NoLoop as reason:
            self.single = ProcessPerCommand(self.settings, self.session.wire)
            self.single.open()
            self.host.log_styled(
                scrub(
                    f"PowerShell on this server keeps no process for us ({reason}); each command starts one of its own, which is slower, "
                    "and files go in small pieces",
                    self.settings.secrets,
                ),
                fg="yellow",
                log_func=logger.warning,
            )

    @staticmethod
    def _open_session(session: Session) -> None:
        """A process that was ended or cut off while it started gets a second chance; a policy does not."""
        try:
            session.open()
        except (LoopLost, NoLoop) as reason:
            if "language mode" in str(reason):
                raise
            logger.debug("%s: PowerShell did not start (%s), once more", session.settings.name, reason)
            session.open()

    @override
    def disconnect(self) -> None:
        """Ends the process and removes the shell on the server."""
        _open_connectors.discard(self)
        self._forget()

    def _forget(self) -> None:
        if self.single is not None:
            self.single.close()
            self.single = None
        if self.session is not None:
            self.session.close()

    def _read_settings(self) -> None:
        sentences = unknown_keys(self.host.data.dict())
        if sentences:
            raise ConnectError("; ".join(sentences))
        if self.settings is not None:
            return
        try:
            self.settings = read_settings(
                self.host.name.removeprefix("@winrm/"),
                self.data,
                getattr(self.state.config, "CONNECT_TIMEOUT", 10),
            )
        except SettingsError as error:
            raise ConnectError(str(error)) from None
        self.data["winrm_password"] = self.settings.password

    def _hide_password(self) -> None:
        """From here on the host's data show a mask: debug-inventory, --json, logs and templates print them."""
        password = self.data.get("winrm_password")
        if password is not None and not callable(password) and not isinstance(password, Secret):
            secret = Secret(reveal(password))
            self.data["winrm_password"] = secret
            self.host.data.winrm_password = secret

    def _sentence(self, error: WireError) -> str:
        assert self.settings is not None
        return scrub(error.sentence(f"{self.settings.host}"), self.settings.secrets)

    # -- commands -------------------------------------------------------------------------------------------------------

    @override
    def run_shell_command(
        self,
        command: StringCommand,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Unpack[ConnectorArguments],
    ) -> tuple[bool, CommandOutput]:
        """
        Run a command: PowerShell by default, for ``cmd`` or another program see ``_shell_executable``.

        Returns:
            tuple: (bool, CommandOutput). A lost connection is a failed command with one sentence on stderr.

        Raises:
            TimeoutError: the command did not end within ``_timeout``; it and its children have been ended.
        """
        if isinstance(command, str):
            command = StringCommand(command)
        shown = posix.answer(command)
        output = _Output(self.host, print_output)
        if print_input:
            echo(f"{self.host.print_prefix}>>> {command.get_masked_value()}", err=True)
        refusal = refused(arguments)
        if refusal:
            return self._failed(output, refusal)
        timeout = arguments.get("_timeout")
        success = list(arguments.get("_success_exit_codes") or [0])
        env = {str(name): reveal(value) for name, value in (arguments.get("_env") or {}).items()}
        output.secrets = list(self.settings.secrets) if self.settings else []
        raw = shown.script if shown else command.get_raw_value()
        program = programs.program_for(None if shown else arguments.get("_shell_executable"), raw)
        stdin = _stdin_text(arguments.get("_stdin"))
        safe = bool(getattr(command, "safe_to_repeat", False) or (shown and shown.safe))
        self.activity += not safe
        deadline = time.monotonic() + timeout if timeout else None
        logger.debug("Running command on %s: %s", self.host.name, command.get_masked_value())
        try:
            with _interruptible():
                code = self._run(raw, program, str(arguments.get("_chdir") or ""), env, stdin, output, deadline, safe)
        except WireError as error:
            return self._failed(output, self._sentence(error))
        except TimeoutError:
            raise TimeoutError(
                f"{self.host.name}: the command did not end within {timeout} s; it and the processes it started have been ended"
            ) from None
        finally:
            output.end()
        logger.debug("Command exit status: %i", code)
        return code in success, CommandOutput(output.lines)

    def _run(
        self,
        raw: str,
        program: programs.Program | None,
        chdir: str,
        env: dict[str, str],
        stdin: str,
        output: _Output,
        deadline: float | None,
        safe: bool,
    ) -> int:
        session = self._session()
        if self.single is not None:
            return self.single.run(raw, program, chdir, env, stdin, output.take, deadline)
        output.codepage = session.facts.get("codepage", "")
        head = {f"env:{name}": value for name, value in env.items()}
        if chdir:
            head["chdir"] = chdir
        if program is None:
            kind = frames.RUN
            if stdin:
                head["stdin"] = stdin
            data, flags = raw.encode("utf-8", "replace"), 0
            if session.settings.compress:
                data, flags = frames.pack(data)
        else:
            kind = frames.EXEC
            head["file"], head["arguments"] = program.file, program.arguments
            data, flags = stdin.encode("utf-8", "replace"), 0
        result = session.request(
            kind, head, data, flags, on_output=output.take, on_restart=output.restart, deadline=deadline, safe=safe
        )
        if result.head.get("error"):
            output.take("stderr", result.head["error"].encode() + b"\n")
        return result.exit_code

    def _session(self) -> Session:
        """The session, made anew when something ran before ``connect`` or after ``disconnect``."""
        self._read_settings()
        assert self.settings is not None
        if self.session is None:
            self.session = Session(self.settings)
        _open_connectors.add(self)
        if self.single is None and not self.session.is_open:
            self._start()
        return self.session

    def _failed(self, output: _Output, sentence: str) -> tuple[bool, CommandOutput]:
        output.take("stderr", sentence.encode() + b"\n")
        output.end()
        return False, CommandOutput(output.lines)

    # -- files ----------------------------------------------------------------------------------------------------------

    @override
    def put_file(
        self,
        filename_or_io: str | IOBase,
        remote_filename: str,
        remote_temp_filename: str | None = None,  # ours is beside the file, so that it can take its place in one step
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Unpack[ConnectorArguments],
    ) -> bool:
        """
        Upload a file or IO object: under a temporary name, checked by SHA-256, then put in its place in one step.
        """

        self.activity += 1

        def transfer() -> None:
            with get_file_io(filename_or_io) as source:  # type: ignore[arg-type]
                if self.single is not None:
                    self.single.put(source, remote_filename, str(arguments.get("_chdir") or ""))
                    return
                progress = self._progress("sent", remote_filename)
                files.put(self._session(), source, remote_filename, str(arguments.get("_chdir") or ""), progress)

        return self._transfer(transfer, f"file uploaded: {remote_filename}", print_output, arguments)

    @override
    def get_file(
        self,
        remote_filename: str,
        filename_or_io: str | IOBase,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Unpack[ConnectorArguments],
    ) -> bool:
        """
        Download a file into a file or IO object; a local file is replaced only when all of it has come and its SHA-256 is right.
        """
        chdir = str(arguments.get("_chdir") or "")

        def fetch(target: IO[bytes]) -> None:
            if self.single is not None:
                self.single.get(remote_filename, target, chdir)
                return
            files.get(self._session(), remote_filename, target, chdir, self._progress("read", remote_filename))

        def transfer() -> None:
            if isinstance(filename_or_io, str | os.PathLike):
                _replace_local(os.fspath(filename_or_io), fetch)
                return
            with get_file_io(filename_or_io, "wb") as target:  # type: ignore[arg-type]
                if isinstance(target, codecs.StreamReaderWriter) or hasattr(target, "encoding"):
                    buffer = BytesIO()
                    fetch(buffer)
                    target.write(buffer.getvalue().decode("utf-8"))
                else:
                    fetch(target)

        return self._transfer(transfer, f"file downloaded: {remote_filename}", print_output, arguments)

    def _transfer(
        self, transfer: Callable[[], None], done: str, print_output: bool, arguments: ConnectorArguments
    ) -> bool:
        sentence = refused(arguments)
        if not sentence:
            try:
                with _interruptible():
                    self._session()
                    transfer()
            except WireError as error:
                sentence = self._sentence(error)
        if sentence:
            logger.error(f"{self.host.print_prefix}{format_text(sentence, 'red')}")
            return False
        if print_output:
            echo(f"{self.host.print_prefix}{done}", err=True)
        return True

    def _progress(self, verb: str, name: str) -> files.Progress:
        last = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PROGRESS_EVERY and done < total:
                last = now
                self.host.log(f"{name}: {done >> 20} of {total >> 20} MiB {verb} ({done * 100 // total}%)", logger.info)

        return progress

    @override
    def check_can_rsync(self) -> None:
        raise NotImplementedError("There is no rsync over WinRM; files.sync sends only what differs.")


def refused(arguments: ConnectorArguments) -> str | None:
    """One sentence when something is asked for that Windows does not have."""
    for name, program in _REFUSED.items():
        if arguments.get(name):
            return f"{name} asks for {program}, which Windows does not have - connect as the user that the command needs (winrm_user)"
    if arguments.get("_get_pty"):
        return "_get_pty asks for a terminal, which WinRM does not have - leave it out; programs get their input from _stdin"
    return None


class _Output:
    """Output as it comes: cut into lines, printed when asked for, stdout and stderr in order."""

    def __init__(self, host: Host, print_output: bool) -> None:
        self.host = host
        self.print_output = print_output
        self.lines: list[OutputLine] = []
        self.codepage = ""
        self.secrets: list[str] = []
        self._rest = {"stdout": b"", "stderr": b""}

    def take(self, stream: str, data: bytes) -> None:
        whole, newline, rest = (self._rest[stream] + data).rpartition(b"\n")
        self._rest[stream] = rest
        if newline:
            for line in whole.split(b"\n"):
                self._line(stream, line)

    def end(self) -> None:
        for stream, rest in self._rest.items():
            if rest:
                self._line(stream, rest)
            self._rest[stream] = b""

    def restart(self) -> None:
        """The command is run from its beginning once more."""
        self.lines.clear()
        self._rest = {"stdout": b"", "stderr": b""}

    def _line(self, stream: str, data: bytes) -> None:
        text = self._decode(data.rstrip(b"\r"))
        self.lines.append(OutputLine(stream, text))
        if self.print_output:
            shown = format_text(text, "red") if stream == "stderr" else text
            echo(f"{self.host.print_prefix}{shown}", err=True)

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            try:
                return data.decode(f"cp{self.codepage}" if self.codepage else "cp1252", "replace")
            except LookupError:
                return data.decode("utf-8", "replace")


def _stdin_text(value: str | Iterable[str] | None) -> str:
    """pyinfra's ``_stdin``: a string, lines, or something with ``readlines``; each line ends with a newline."""
    if not value:
        return ""
    if hasattr(value, "readlines"):
        value = value.readlines()
    lines = [value] if isinstance(value, str) else list(value)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _replace_local(name: str, fetch: Callable[[IO[bytes]], None]) -> None:
    part = f"{name}.{os.getpid()}.part"
    try:
        with open(part, "w+b") as target:
            fetch(target)
        os.replace(part, name)
    except BaseException:
        if os.path.exists(part):
            os.remove(part)
        raise


# Greenlets that wait for a server just now.
_waiting: set[Any] = set()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """What runs in here ends on Ctrl-C: pyinfra disconnects from a host only when nothing runs on it any more."""
    greenlet = gevent.getcurrent()
    _waiting.add(greenlet)
    try:
        yield
    finally:
        _waiting.discard(greenlet)


@cache
def _end_waits_on_interrupt() -> None:
    """Puts itself before pyinfra's own handler of Ctrl-C, once, and only within its command."""
    previous = signal.getsignal(signal.SIGINT)
    if not pyinfra.is_cli or not callable(previous):
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        for greenlet in list(_waiting):
            if isinstance(greenlet, gevent.Greenlet):
                gevent.kill(greenlet)
        previous(number, frame)

    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, interrupted)


@atexit.register
def _close_all() -> None:
    """A run that was broken off: no process of ours stays on a server."""
    for connector in list(_open_connectors):
        try:
            connector.disconnect()
        except Exception as error:
            logger.debug("closing %s: %s", connector.host, type(error).__name__)


__all__ = ["MayHaveRun", "SafeToRepeat", "TransferFailed", "WinRMConnector"]
