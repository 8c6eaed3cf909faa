"""One process per command: slower, but all a server offers whose policy keeps PowerShell from running the loop."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import secrets as random_secrets
import time
from collections.abc import Iterator
from typing import IO

from . import errors
from .errors import (
    Dropped,
    Fault,
    LoopLost,
    MayHaveRun,
    OperationTimeout,
    TooLarge,
    TransferFailed,
    Unauthorized,
    Undecipherable,
    WireError,
)
from .files import beside, long_path
from .posix import literal
from .programs import Program
from .session import POWERSHELL, OnOutput
from .settings import Settings
from .wire import Wire

logger = logging.getLogger("pyinfra")

# The script comes through stdin, so that its text stands on no command line and may be of any length.
FROM_STDIN = f'{POWERSHELL} -Command "Invoke-Expression (@($input) -join [char]10)"'

_AFTER = "\nif (-not $?) { if ($LASTEXITCODE) { exit $LASTEXITCODE } ; exit 1 }\n"


class ProcessPerCommand:
    """Runs each command in a process of its own in one shell."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self.settings = settings
        self.wire = wire
        self.shell: str | None = None

    def open(self) -> None:
        if self.shell is None:
            self.shell = self._twice(lambda: self.wire.create(idle_timeout=self.settings.idle_timeout))

    def close(self) -> None:
        shell, self.shell = self.shell, None
        if shell is not None:
            with contextlib.suppress(WireError):
                self.wire.delete(shell)
        self.wire.reset()

    def run(
        self,
        raw: str,
        program: Program | None,
        chdir: str,
        env: dict[str, str],
        stdin: str,
        on_output: OnOutput,
        deadline: float | None = None,
    ) -> int:
        """Runs a script (``program`` None) or a program; returns its exit code."""
        if program is not None:
            # The shell's own cmd.exe runs every line: a second one within would have the quotes of the first.
            line = raw if program.file == "cmd.exe" else f"{_quoted(program.file)} {program.arguments}"
            given = stdin.encode("utf-8", "replace")
        elif stdin:
            raise TransferFailed(
                "_stdin and PowerShell do not go together where each command is a process of its own",
                "use _shell_executable='cmd', or put the input into the script",
            )
        else:
            line = FROM_STDIN
            given = ("$ProgressPreference='SilentlyContinue'\n" + raw + _AFTER).encode("utf-8", "replace")
        with self._place(chdir, env) as shell:
            return self._command(shell, line, given, on_output, deadline)

    def put(self, source: IO[bytes], path: str, chdir: str = "") -> None:
        """Writes a file through a script that reads lines of base64."""
        part = beside(path, random_secrets.token_hex(6))
        digest = hashlib.sha256()
        source.seek(0)

        def lines() -> Iterator[bytes]:
            while data := source.read(48000):
                digest.update(data)
                yield base64.b64encode(data) + b"\r\n"

        receive = (
            f"$s=[IO.File]::Create({literal(long_path(part))});try{{foreach($l in $input){{if($l){{"
            "$b=[Convert]::FromBase64String($l);$s.Write($b,0,$b.Length)}}}finally{$s.Close()}"
        )
        line = f'{POWERSHELL} -Command "{receive}"'
        output: list[bytes] = []
        with self._place(chdir, {}) as shell:
            code = self._command(shell, line, lines(), lambda _, data: output.append(data), None)
        if code:
            raise TransferFailed(f"cannot write {path}: {_words(output)}")
        finish = (
            f"$ErrorActionPreference='Stop'\n$p={literal(long_path(part))}\n$f={literal(long_path(path))}\n"
            f"if ((Get-FileHash -LiteralPath $p -Algorithm SHA256).Hash -ne '{digest.hexdigest()}') "
            "{ Remove-Item -LiteralPath $p; throw 'what arrived is not what was sent' }\n"
            "if ([IO.File]::Exists($f)) { [IO.File]::Replace($p, $f, [NullString]::Value) } else { [IO.File]::Move($p, $f) }"
        )
        if self.run(finish, None, chdir, {}, "", lambda _, data: output.append(data)):
            raise TransferFailed(f"cannot write {path}: {_words(output)}")

    def get(self, path: str, target: IO[bytes], chdir: str = "") -> None:
        """Reads a file through a script that writes lines of base64."""
        script = (
            f"$ErrorActionPreference='Stop'\n$s=[IO.File]::Open({literal(long_path(path))},'Open','Read','ReadWrite')\n$b=New-Object byte[] 48000\n"
            "while (($n=$s.Read($b,0,48000)) -gt 0) { [Convert]::ToBase64String($b,0,$n) }\n$s.Close()"
        )
        target.seek(0)
        target.truncate()
        rest = b""
        words: list[bytes] = []

        def take(stream: str, data: bytes) -> None:
            nonlocal rest
            if stream == "stderr":
                words.append(data)
                return
            whole, newline, rest = (rest + data).rpartition(b"\n")
            for one in whole.split(b"\n") if newline else ():
                target.write(base64.b64decode(one.strip()))

        code = self.run(script, None, chdir, {}, "", take)
        if rest.strip():
            target.write(base64.b64decode(rest.strip()))
        if code:
            raise TransferFailed(f"cannot read {path}: {_words(words)}")

    @contextlib.contextmanager
    def _place(self, chdir: str, env: dict[str, str]) -> Iterator[str]:
        """The common shell, or one of its own with folder and environment (which so stand on no command line)."""
        self.wire.refresh()
        if not chdir and not env:
            self.open()
            assert self.shell is not None
            yield self.shell
            return
        shell = self._twice(lambda: self.wire.create(self.settings.idle_timeout, chdir or None, env or None))
        try:
            yield shell
        finally:
            with contextlib.suppress(WireError):
                self.wire.delete(shell)

    def _command(
        self, shell: str, line: str, given: bytes | Iterator[bytes], on_output: OnOutput, deadline: float | None
    ) -> int:
        try:
            command = self.wire.command(shell, line)
        except (Undecipherable, Unauthorized):
            self.wire.reset()
            command = self.wire.command(shell, line)
        except Fault as fault:
            if fault.code not in errors.GONE:
                raise
            if shell != self.shell:
                raise LoopLost("the shell on the server is gone") from None
            self.shell = None
            self.open()
            assert self.shell is not None
            shell = self.shell
            command = self.wire.command(shell, line)
        except Dropped as error:
            raise _may_have_run(error) from None
        try:
            if isinstance(given, bytes):
                given = iter([given] if given else [])
            for data in given:
                self._send(shell, command, data)
            self._send(shell, command, b"", end=True)
            return self._receive(shell, command, on_output, deadline)
        except TimeoutError:
            with contextlib.suppress(WireError):
                self.wire.signal(shell, command)
            self._drop(shell)
            raise
        except BaseException:
            self._drop(shell)
            raise

    def _drop(self, shell: str) -> None:
        self.wire.reset()
        with contextlib.suppress(WireError):
            self.wire.delete(shell)
        if shell == self.shell:
            self.shell = None

    def _send(self, shell: str, command: str, data: bytes, end: bool = False) -> None:
        at = 0
        while at < len(data) or end:
            piece = data[at : at + self.wire.room(shell, command)]
            last = at + len(piece) >= len(data)
            try:
                self.wire.send(shell, command, piece, end=end and last)
            except OperationTimeout:
                pass
            except TooLarge:
                if not self.wire.shrink():
                    raise
                continue
            except (Undecipherable, Unauthorized):
                self.wire.reset()
                self.wire.send(shell, command, piece, end=end and last)
            except Fault as fault:
                if fault.code in errors.GONE:
                    return  # it has ended by itself; its last words are read next
                raise
            at += len(piece)
            if last:
                return

    def _receive(self, shell: str, command: str, on_output: OnOutput, deadline: float | None) -> int:
        while True:
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            try:
                left = None if deadline is None else deadline - time.monotonic()
                received = self.wire.receive(shell, command, left)
            except OperationTimeout:
                continue
            except (Undecipherable, Unauthorized):
                self.wire.reset()
                continue
            except WireError as error:
                raise _may_have_run(error) from None
            for stream, data in received.pieces:
                on_output(stream, data)
            if received.done:
                with contextlib.suppress(WireError):
                    self.wire.signal(shell, command)
                return received.exit_code

    def _twice(self, call):  # type: ignore[no-untyped-def]
        try:
            return call()
        except (Undecipherable, Unauthorized, Dropped):
            self.wire.reset()
            return call()


def _may_have_run(error: WireError) -> MayHaveRun:
    return MayHaveRun(
        f"{error.what}; the command may have run, wholly or in part, and is not run again",
        "look at the server, then run the deploy again",
    )


def _quoted(file: str) -> str:
    return f'"{file}"' if " " in file else file


def _words(output: list[bytes]) -> str:
    text = b"".join(output).decode("utf-8", "replace").strip()
    return text.splitlines()[0] if text else f"no reason given{os.linesep}".strip()
