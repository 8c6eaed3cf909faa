"""The command processor itself: options, lines, batch files, and running the tree of commands."""

from __future__ import annotations

import contextlib
import functools
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from winlab.programs.cmd import builtins, expand
from winlab.programs.cmd.parser import Binary, Block, CmdSyntaxError, For, If, Node, Parser, Redirection, Simple
from winlab.windows.environment import Environment
from winlab.windows.errors import WindowsError
from winlab.windows.filesystem import FileAccess, FileHandle, FileShare
from winlab.windows.pipes import Pipe
from winlab.windows.processes import Process, ProgramContext, Stream

MAX_LINE = 8191
MAX_DEPTH = 250
_RECURSION = (
    "******  B A T C H   R E C U R S I O N  exceeds STACK limits ******\nRecursion Count={0}, Stack Usage=90 percent\n"
    "******       B A T C H   PROCESSING IS   A B O R T E D      ******\n"
)
CMD_EXE = "C:\\Windows\\system32\\cmd.exe"
_SPECIAL = set("&<>()@^|")


class ExitShell(Exception):
    """EXIT: the shell ends with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ExitBatch(Exception):
    """EXIT /B and GOTO :EOF: the batch file or subroutine ends. code None leaves ERRORLEVEL as it is."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Transfer(Exception):
    """A batch file was started without CALL: it takes the place of the one that did so."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch.path)
        self.batch = batch


class Goto(Exception):
    """GOTO: the batch file goes on at its position, loops and blocks around are left."""


@dataclass
class Local:
    """What SETLOCAL keeps."""

    env: Environment
    cwd: str
    delayed: bool
    extensions: bool


@dataclass
class Batch:
    """A running batch file, or a subroutine in it."""

    path: str
    lines: list[str]
    arguments: list[str]
    raw_arguments: str
    position: int = 0
    locals: list[Local] = field(default_factory=list)


class Shell:
    """One command processor: its variables, streams and the batch files it is in."""

    def __init__(self, ctx: ProgramContext, parent: Shell | None = None) -> None:
        self.ctx = ctx
        self.machine = ctx.machine
        self.fs = ctx.machine.fs
        self.env = ctx.process.env
        self.user = ctx.user
        self.stdin: Stream | None = ctx.stdin
        self.stdout: Stream | None = ctx.stdout
        self.stderr: Stream | None = ctx.stderr
        self.errorlevel: int = parent.errorlevel if parent else 0
        self.echo: bool = parent.echo if parent else True
        self.delayed = False
        self.extensions = True
        self.unicode: bool = parent.unicode if parent else False
        self.batch: Batch | None = parent.batch if parent else None
        self.in_pipe = parent is not None
        self.folders: list[str] = []
        self.variables: dict[str, str] = dict(parent.variables) if parent else {}
        self.files = expand.Files(self.fs, lambda: self.cwd, self.lookup)
        self.command_line_mode: bool = parent.command_line_mode if parent else True
        self.verify = False
        self.depth = 0
        if "PROMPT" not in self.env:
            self.env["PROMPT"] = "$P$G"
        for name, value in (("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"), ("COMSPEC", CMD_EXE)):
            if name not in self.env:
                self.env[name] = value

    # -- state ----------------------------------------------------------------------------------------------------------------------

    @property
    def cwd(self) -> str:
        return self.ctx.cwd

    @cwd.setter
    def cwd(self, path: str) -> None:
        self.ctx.cwd = path

    def full(self, path: str) -> str:
        """The full path of a path as typed (quotes taken off)."""
        return self.fs.resolve(path.replace('"', ""), self.cwd)

    def lookup(self, name: str) -> str | None:
        """A variable's value, the dynamic ones included."""
        value = self.env.get(name)
        if value is not None:
            return value
        now = self.machine.now()
        dynamic: dict[str, Callable[[], str]] = {
            "CD": lambda: self.cwd,
            "DATE": lambda: now.strftime("%a %m/%d/%Y"),
            "TIME": lambda: f"{now.hour:2d}:{now:%M:%S}.{now.microsecond // 10000:02d}",
            "RANDOM": lambda: str(random.randrange(32768)),
            "ERRORLEVEL": lambda: str(self.errorlevel),
            "CMDEXTVERSION": lambda: "2",
            "CMDCMDLINE": lambda: self.ctx.command_line,
            "HIGHESTNUMANODENUMBER": lambda: "0",
        }
        found = dynamic.get(name.upper())
        return found() if found else None

    # -- output ---------------------------------------------------------------------------------------------------------------------

    def _encode(self, text: str) -> bytes:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        return (
            text.encode("utf-16-le", "replace") if self.unicode else text.encode(self.ctx.console.encoding, "replace")
        )

    def write(self, data: bytes) -> None:
        self.ctx.check()
        if self.stdout is not None:
            self.stdout.write(data)

    def out(self, text: str) -> None:
        self.write(self._encode(text))

    def err(self, text: str) -> None:
        self.ctx.check()
        if self.stderr is not None:
            self.stderr.write(self._encode(text))

    def fail(self, error: WindowsError | str, code: int = 1) -> int:
        """Prints a message and returns a failure; ERRORLEVEL follows."""
        self.err((error if isinstance(error, str) else error.message) + "\n")
        self.errorlevel = code
        return code

    def read_line(self) -> str | None:
        """A line of standard input without its end; None at the end of input."""
        stream = self.stdin
        if stream is None:
            return None
        if isinstance(stream, Pipe):
            data = stream.readline()
        else:
            parts = []
            while (byte := stream.read(1)) not in (b"", b"\n"):
                parts.append(byte)
            data = b"".join(parts) + byte
        if not data:
            return None
        return data.decode(self.ctx.console.input_encoding, "replace").rstrip("\r\n")

    # -- lines ------------------------------------------------------------------------------------------------------------------------

    def run_line(self, line: str, more: Callable[[], str | None] | None = None) -> int:
        """Expands, parses and runs one line (with the lines it goes on over)."""
        try:
            if len(line) > MAX_LINE:
                return self.fail("The input line is too long." if self.batch else "The command line is too long.")
            text = self._percent(line)
            if len(text) > MAX_LINE:
                return self.fail("The input line is too long.")
            node = Parser(text, self._continuation(more)).parse()
        except CmdSyntaxError as exc:
            self.err(f"{exc}\n" if str(exc) else "")
            self.errorlevel = 255 if "unexpected" in str(exc) else 1
            if self.batch is not None:
                raise ExitShell(255) from None
            return self.errorlevel if str(exc) else 0
        if node is None:
            return 0
        self._show(node)
        return self.execute(node)

    def _percent(self, line: str) -> str:
        return expand.percent(
            line, self.lookup, self._argument if self.batch is not None and not self.command_line_mode else None
        )

    def _continuation(self, more: Callable[[], str | None] | None) -> Callable[[], str | None]:
        def following() -> str | None:
            line = more() if more is not None else None
            return None if line is None else self._percent(line)

        return following

    def _argument(self, text: str) -> str | None:
        """%0-%9, %* and their modified forms in a batch file."""
        batch = self.batch
        if batch is None:
            return None
        if text == "*":
            return batch.raw_arguments
        number = int(text[-1]) if text[-1].isdigit() else -1
        value = batch.arguments[number] if 0 <= number < len(batch.arguments) else ""
        if text.startswith("~"):
            modifiers = text[1:-1]
            if number == 0 and modifiers:
                return self.files.modify(batch.path, modifiers)
            return self.files.modify(value, modifiers)
        return value

    # -- running the tree --------------------------------------------------------------------------------------------------------------

    def execute(self, node: Node) -> int:
        """Runs a command and returns its return code (which && and || look at)."""
        self.ctx.check()
        if isinstance(node, Binary):
            return self._binary(node)
        try:
            with self._redirected(node.redirections):
                if isinstance(node, Simple):
                    return self._simple(node)
                if isinstance(node, Block):
                    code = 0
                    for item in node.body:
                        code = self.execute(item)
                    return code
                if isinstance(node, If):
                    return self._if(node)
                if isinstance(node, For):
                    return self._for(node)
        except _RedirectionError as exc:
            return self.fail(exc.error)
        raise AssertionError(f"unknown node {node!r}")

    def _show(self, node: Node, repeated: bool = False) -> None:
        """Echoes a command before it runs: those of a batch file, and everywhere what FOR repeats."""
        first = node
        while isinstance(first, Binary):
            first = first.left
        in_batch = self.batch is not None and not self.command_line_mode
        if self.echo and (in_batch or repeated) and not first.quiet and not self.in_pipe:
            self.out(f"\n{self.prompt()}{expand.for_variables(node.source, self.variables, self.files)} \n")

    def _binary(self, node: Binary) -> int:
        if node.operator == "|":
            return self._pipe(node)
        code = self.execute(node.left)
        if node.operator == "&&":
            return self.execute(node.right) if code == 0 else code
        if node.operator == "||":
            if code == 0:
                return 0
            self.errorlevel = code
            return self.execute(node.right)
        return self.execute(node.right)

    def _text(self, text: str) -> str:
        """FOR variables and delayed expansion, when a command is about to run."""
        text = expand.for_variables(text, self.variables, self.files)
        return expand.delayed(text, self.lookup) if self.delayed else text

    def _if(self, node: If) -> int:
        if self._condition(node) != node.negate:
            return self.execute(node.then)
        return self.execute(node.otherwise) if node.otherwise is not None else 0

    def _condition(self, node: If) -> bool:
        left, right = self._text(node.left), self._text(node.right)
        if node.kind == "exist":
            return self._exists(left)
        if node.kind == "defined":
            return self.lookup(left) is not None
        if node.kind == "errorlevel":
            return self.errorlevel >= _integer(left, 0)
        if node.kind == "cmdextversion":
            return _integer(left, 0) <= 2
        if node.kind == "==":
            return left.lower() == right.lower() if node.ignore_case else left == right
        a: int | str
        b: int | str
        try:
            a, b = _number(left), _number(right)
        except ValueError:
            a, b = (left.lower(), right.lower()) if node.ignore_case else (left, right)
        # both are of one kind here
        return {
            "equ": a == b,
            "neq": a != b,
            "lss": a < b,  # type: ignore[operator]
            "leq": a <= b,  # type: ignore[operator]
            "gtr": a > b,  # type: ignore[operator]
            "geq": a >= b,  # type: ignore[operator]
        }[node.kind]

    def _exists(self, name: str) -> bool:
        path = name.replace('"', "")
        if not path:
            return False
        try:
            full = self.fs.resolve(path, self.cwd)
        except WindowsError:
            return False
        if self.fs.is_device(full):
            return True
        if "*" in path or "?" in path:
            folder, _, pattern = full.rpartition("\\")
            try:
                return bool(self.fs.glob(folder + "\\" if folder.endswith(":") else folder, pattern))
            except WindowsError:
                return False
        return self.fs.exists(full.rstrip("\\") if len(full) > 3 else full)

    # -- FOR ----------------------------------------------------------------------------------------------------------------------------

    def _for(self, node: For) -> int:
        items = self._text(node.items)
        if "l" in node.kind:
            values: Iterator[list[str]] = self._for_numbers(items)
        elif "f" in node.kind:
            values = self._for_file(items, self._text(node.options))
        elif "r" in node.kind:
            values = self._for_tree(items, self._text(node.options), "d" in node.kind)
        else:
            values = self._for_items(items, "d" in node.kind)
        code = 0
        saved = dict(self.variables)
        try:
            for row in values:
                for offset, value in enumerate(row):
                    self.variables[chr(ord(node.variable) + offset)] = value
                self._show(node.body, repeated=True)
                code = self.execute(node.body)
        except _ForError as exc:
            return self.fail(str(exc))
        finally:
            self.variables = saved
        return code

    @staticmethod
    def _for_numbers(items: str) -> Iterator[list[str]]:
        numbers = [_integer(item, 0) for item in re.split(r"[\s,;=]+", items.strip()) if item] + [0, 0, 0]
        value, step, end = numbers[:3]
        while (value <= end) if step >= 0 else (value >= end):
            yield [str(value)]
            value += step

    def _words(self, items: str) -> list[str]:
        return [match[0] for match in re.finditer(r'(?:"[^"]*"?|[^\s,;="])+', items)]

    def _for_items(self, items: str, folders: bool) -> Iterator[list[str]]:
        for word in self._words(items):
            if "*" not in word and "?" not in word:
                if not folders or not _wild(word):
                    yield [word]
                continue
            yield from ([path] for path in self._matches(word, self.cwd, folders))

    def _matches(self, word: str, base: str, folders: bool) -> list[str]:
        """What a wildcard stands for, as typed up to the last backslash."""
        quoted = word.startswith('"')
        bare = word.replace('"', "")
        prefix, backslash, pattern = bare.rpartition("\\")
        try:
            entries = self.fs.glob(
                self.fs.resolve(prefix + backslash if prefix or backslash else ".", base), pattern, self.user
            )
        except WindowsError:
            return []
        names = [prefix + backslash + entry.name for entry in entries if entry.is_dir == folders]
        return (
            [f'"{name}"' if quoted and " " in name else name for name in names]
            if not quoted
            else [f'"{name}"' for name in names]
        )

    def _for_tree(self, items: str, root: str, folders: bool) -> Iterator[list[str]]:
        top = self.full(root) if root else self.cwd
        if not self.fs.is_dir(top):
            return
        for folder, _, _ in self.fs.walk(top, self.user):
            base = folder.rstrip("\\")
            for word in self._words(items):
                if "*" in word or "?" in word:
                    yield from ([f"{base}\\{name.strip(chr(34))}"] for name in self._matches(word, folder, folders))
                else:
                    yield [f"{base}\\{word.strip(chr(34))}"]

    def _for_file(self, items: str, options: str) -> Iterator[list[str]]:
        settings = _ForOptions(options)
        items = items.strip()
        for line in self._for_lines(items, settings):
            row = settings.split(line)
            if row is not None:
                yield row

    def _for_lines(self, items: str, settings: _ForOptions) -> list[str]:
        quote = items[:1]
        if len(items) > 1 and quote == items[-1] and quote in "'`\"":
            inner = items[1:-1]
            if quote == ("`" if settings.usebackq else "'"):
                return self.capture(inner).splitlines()[settings.skip :]
            if quote == ("'" if settings.usebackq else '"'):
                return [inner]
            if quote == '"' and settings.usebackq:
                return self._file_lines([inner])[settings.skip :]
        return self._file_lines([word.strip('"') for word in self._words(items)])[settings.skip :]

    def _file_lines(self, names: list[str]) -> list[str]:
        lines: list[str] = []
        for name in names:
            try:
                data = self.fs.read_bytes(self.full(name), self.user)
            except WindowsError:
                raise _ForError(f"The system cannot find the file {name}.") from None
            lines.extend(builtins.decode(data, self.ctx.console.encoding).splitlines())
        return lines

    def capture(self, command: str) -> str:
        """What a command prints, run in a shell of its own as FOR /F does."""
        pipe = Pipe(None)
        process = self._child(
            lambda shell: shell.run_line(command), f"{CMD_EXE} /c {command}", stdout=pipe, captured=True
        )
        data = pipe.read_all()
        process.wait()
        return data.decode(self.ctx.console.encoding, "replace")

    # -- children ---------------------------------------------------------------------------------------------------------------------

    def _child(
        self,
        action: Callable[[Shell], int],
        command_line: str,
        *,
        stdin: Stream | None = None,
        stdout: Stream | None = None,
        captured: bool = False,
    ) -> Process:
        """A second command processor that runs a part of this one's work."""

        def entry(ctx: ProgramContext) -> int:
            shell = Shell(ctx, self)
            shell.command_line_mode = captured or self.command_line_mode
            try:
                return action(shell)
            except ExitShell as exc:
                return exc.code
            except ExitBatch as exc:
                return exc.code if exc.code is not None else shell.errorlevel
            except Goto:
                return shell.errorlevel
            except Transfer as exc:
                return shell.run_lines(exc.batch)

        return self.ctx.start(
            command_line,
            image="C:\\Windows\\System32\\cmd.exe",
            stdin=stdin if stdin is not None else self.stdin,
            stdout=stdout if stdout is not None else self.stdout,
            stderr=self.stderr,
            env=self.env,
            entry=entry,
        )

    def _pipe(self, node: Binary) -> int:
        pipe = Pipe()
        pipe.add_writer()
        pipe.add_reader()
        try:
            left = self._side(node.left, stdout=pipe)
            right = self._side(node.right, stdin=pipe)
        finally:
            pipe.release_writer()
            pipe.release_reader()
        left.wait()
        self.errorlevel = right.wait() or 0
        return self.errorlevel

    def _side(self, node: Node, stdin: Stream | None = None, stdout: Stream | None = None) -> Process:
        return self._child(
            lambda shell: shell.execute(node), f'{CMD_EXE}  /S /D /c" {node.source}"', stdin=stdin, stdout=stdout
        )

    # -- redirections -------------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _redirected(self, redirections: list[Redirection]) -> Iterator[None]:
        if not redirections:
            yield
            return
        saved = (self.stdin, self.stdout, self.stderr)
        opened: list[FileHandle] = []
        try:
            for redirection in redirections:
                self._redirect(redirection, opened)
            yield
        finally:
            self.stdin, self.stdout, self.stderr = saved
            for handle in opened:
                handle.close()

    def _redirect(self, redirection: Redirection, opened: list[FileHandle]) -> None:
        stream: Stream | None
        if redirection.target.startswith("&"):
            number = int(redirection.target[1:])
            stream = {0: self.stdin, 1: self.stdout, 2: self.stderr}.get(number)
        else:
            name = self._text(redirection.target).replace('"', "")
            try:
                stream = self._file(name, redirection.mode, opened)
            except WindowsError as exc:
                raise _RedirectionError(exc) from None
        if redirection.handle == 0:
            self.stdin = stream
        elif redirection.handle == 1:
            self.stdout = stream
        elif redirection.handle == 2:
            self.stderr = stream

    def _file(self, name: str, mode: str, opened: list[FileHandle]) -> Stream | None:
        full = self.fs.resolve(name, self.cwd)
        if self.fs.is_device(full):
            return self.stdout if full.upper().endswith("CON") else None
        share = FileShare.READ | FileShare.DELETE
        if mode == "<":
            handle = self.fs.open(full, "Open", FileAccess.READ, FileShare.READ_WRITE | FileShare.DELETE, self.user)
        elif mode == ">":
            handle = self.fs.open(full, "Create", FileAccess.WRITE, share, self.user)
        else:
            handle = self.fs.open(full, "Append", FileAccess.WRITE, share, self.user)
        opened.append(handle)
        return handle

    # -- simple commands ----------------------------------------------------------------------------------------------------------------

    def _simple(self, node: Simple) -> int:
        text = self._text(node.text)
        return self.run_command(text)

    def run_command(self, text: str) -> int:
        """Runs a simple command whose text is fully expanded."""
        text = text.lstrip(" \t,;=")
        if not text or text.startswith(":"):
            return 0
        match = re.match(r"([A-Za-z]+)(?=[\s,;=/.:+\\\[\]()\"]|$)", text)
        name = match[1].lower() if match else ""
        if name in builtins.COMMANDS and not self._is_program_file(text, len(name)):
            return builtins.COMMANDS[name](self, text[len(name) :])
        if re.fullmatch(r"[A-Za-z]:", text.strip()):
            return self._change_drive(text.strip())
        return self.run_program(text)

    def _is_program_file(self, text: str, length: int) -> bool:
        """`start.bat` is a file although START is a command."""
        if text[length : length + 1] != ".":
            return False
        word = re.split(r"[\s,;=/\"]", text)[0]
        return len(word) > length + 1 and self.find_program(word) is not None

    def _change_drive(self, drive: str) -> int:
        if drive[0].upper() not in self.fs.drives:
            return self.fail("The system cannot find the drive specified.")
        if self.cwd[0].upper() != drive[0].upper():
            self.cwd = drive.upper() + "\\"
        return 0

    def split_program(self, text: str) -> tuple[str, str]:
        """(program as typed, the rest of the line)."""
        quoted = False
        for index, char in enumerate(text):
            if char == '"':
                quoted = not quoted
            elif not quoted and (char in " \t,;=" or (char == "/" and index)):
                return text[:index], text[index:]
        return text, ""

    def find_program(self, name: str) -> str | None:
        """The file that a command name stands for: the current directory, then PATH, with the extensions of PATHEXT."""
        name = name.replace('"', "")
        if not name:
            return None
        extensions = [item for item in (self.env.get("PATHEXT") or ".COM;.EXE;.BAT;.CMD").split(";") if item]
        base = name.replace("/", "\\").rpartition("\\")[2]
        if any(mark in name for mark in "\\/:"):
            folders = [""]
        else:
            folders = [
                self.cwd,
                *(item.strip('"') for item in (self.env.get("PATH") or "").split(";") if item.strip('" ')),
            ]
        names = [name + extension for extension in extensions]
        if "." in base:
            names.insert(0, name)
        for folder in folders:
            for candidate in names:
                try:
                    full = self.fs.resolve(f"{folder.rstrip(chr(92))}\\{candidate}" if folder else candidate, self.cwd)
                except WindowsError:
                    continue
                if self.fs.is_file(full):
                    return self.fs.stored_path(full)
        return None

    def run_program(self, text: str, call: bool = False) -> int:
        """Runs a program or batch file; 9009 when there is none of that name."""
        name, rest = self.split_program(text)
        path = self.find_program(name)
        if path is None:
            return self._not_found(name)
        if path.lower().endswith((".bat", ".cmd")):
            return self.run_batch(path, name, rest, call)
        return self.run_image(path, name, rest)

    def _not_found(self, name: str) -> int:
        bare = name.replace('"', "")
        if "\\" in bare and not self.fs.is_dir(self.full(bare.rpartition("\\")[0] + "\\")):
            return self.fail("The system cannot find the path specified.")
        self.err(f"'{name}' is not recognized as an internal or external command,\noperable program or batch file.\n")
        self.errorlevel = 9009
        return 1 if self.batch is None else 9009

    def run_image(self, path: str, name: str, rest: str) -> int:
        """Starts an executable, waits, and takes its exit code."""
        try:
            process = self.start_image(path, name, rest)
        except WindowsError as exc:
            return self.fail(f"{exc.message}", exc.code if exc.code != 193 else 216)
        self.errorlevel = process.wait() or 0
        return self.errorlevel

    def start_image(self, path: str, name: str, rest: str) -> Process:
        if not path.lower().endswith((".exe", ".com")):
            raise WindowsError(
                193, f"'{name}' has no program associated with it in this lab: call its interpreter.", path
            )
        return self.ctx.start(
            f"{name}{rest}" if not rest or rest[0] in " \t" else f"{name} {rest}",
            image=path,
            stdin=self.stdin,
            stdout=self.stdout,
            stderr=self.stderr,
            env=self.env,
        )

    # -- batch files ----------------------------------------------------------------------------------------------------------------------

    def run_batch(self, path: str, name: str, rest: str, call: bool = False) -> int:
        """Runs a batch file. Without CALL from inside another, that one is not gone back to."""
        try:
            data = self.fs.read_bytes(path, self.user)
        except WindowsError as exc:
            return self.fail(exc)
        lines = builtins.decode(data, self.ctx.console.encoding).replace("\r\n", "\n").split("\n")
        arguments = [name, *self._words(rest)]
        batch = Batch(path, lines, arguments, rest.lstrip(" \t,;="))
        if self.batch is not None and not self.command_line_mode and not call:
            raise Transfer(batch)
        return self.run_lines(batch)

    def run_lines(self, batch: Batch) -> int:
        """Runs a batch file from its position to its end."""
        saved = (self.batch, self.command_line_mode, self.variables)
        outermost = self.batch is None or self.command_line_mode
        self.batch, self.command_line_mode, self.variables = batch, False, {}
        code = 0
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                self.err(_RECURSION.format(self.depth))
                raise ExitShell(1)
            while batch.position < len(batch.lines):
                line = batch.lines[batch.position]
                batch.position += 1
                try:
                    code = self.run_line(line, functools.partial(_next_line, batch))
                except Goto:
                    continue
                except Transfer as exc:
                    while batch.locals:
                        self.restore_local(batch.locals.pop())
                    batch = self.batch = exc.batch
        except ExitBatch as exc:
            if exc.code is not None:
                self.errorlevel = exc.code
            code = self.errorlevel
        finally:
            self.depth -= 1
            while batch.locals:
                self.restore_local(batch.locals.pop())
            self.batch, self.command_line_mode, self.variables = saved
            if outermost:
                self.echo = True
        # the code of a batch file is that of its last command, or ERRORLEVEL where that did not say
        return code or self.errorlevel

    def goto(self, label: str) -> None:
        """Moves the batch file to a label, looking from here to the end and then from the top."""
        batch = self.batch
        wanted = re.split(r"[\s:+,;=&|<>]", label.strip().lstrip(":").strip())[0].lower()
        if batch is None:
            return
        if wanted == "eof":
            raise ExitBatch(None)
        order = [*range(batch.position, len(batch.lines)), *range(batch.position)]
        for index in order:
            line = batch.lines[index].lstrip(" \t,;=")
            if line.startswith(":") and re.split(r"[\s:+,;=&|<>]", line[1:].strip())[0].lower() == wanted:
                batch.position = index + 1
                raise Goto
        self.err(f"The system cannot find the batch label specified - {wanted}\n")
        raise ExitBatch(1)

    def call_label(self, text: str) -> int:
        """CALL :label arguments"""
        batch = self.batch
        if batch is None or self.command_line_mode:
            return self.fail("Invalid attempt to call batch label outside of batch script.")
        words = self._words(text)
        inner = Batch(batch.path, batch.lines, words, text[len(words[0]) :].lstrip(" \t,;="), batch.position)
        outer, self.batch = self.batch, inner
        try:
            self.goto(words[0])
        except Goto:
            pass
        except ExitBatch:
            if words[0].lower() != ":eof":
                self.errorlevel = 1
                return 1
            return 0
        finally:
            self.batch = outer
        return self.run_lines(inner)

    def restore_local(self, local: Local) -> None:
        for name in [name for name in self.env if name not in local.env]:
            del self.env[name]
        self.env.update(local.env)
        self.delayed, self.extensions = local.delayed, local.extensions
        if self.fs.is_dir(local.cwd):
            self.cwd = local.cwd

    # -- the prompt -------------------------------------------------------------------------------------------------------------------------

    def prompt(self) -> str:
        codes: dict[str, Callable[[], str]] = {
            "P": lambda: self.cwd,
            "G": lambda: ">",
            "L": lambda: "<",
            "S": lambda: " ",
            "N": lambda: self.cwd[0],
            "V": lambda: f"Microsoft Windows [Version {builtins.version_text(self)}]",
            "T": lambda: self.lookup("TIME") or "",
            "D": lambda: self.lookup("DATE") or "",
            "A": lambda: "&",
            "B": lambda: "|",
            "C": lambda: "(",
            "F": lambda: ")",
            "E": lambda: "\x1b",
            "H": lambda: "\b",
            "Q": lambda: "=",
            "_": lambda: "\n",
            "$": lambda: "$",
            "+": lambda: "+" * len(self.folders),
            "M": lambda: "",
        }
        return re.sub(
            r"\$(.)",
            lambda match: codes[match[1].upper()]() if match[1].upper() in codes else "",
            self.env.get("PROMPT", "$P$G"),
        )

    def interact(self) -> int:
        """Reads commands from standard input to its end."""
        self.command_line_mode = True
        while True:
            if self.echo:
                self.out(f"\n{self.prompt()}")
            line = self.read_line()
            if line is None:
                return self.errorlevel
            if self.echo:
                self.out(line + "\n")
            self.run_line(line, self._more_input)

    def _more_input(self) -> str | None:
        self.out("More? ")
        return self.read_line()


def _next_line(batch: Batch) -> str | None:
    if batch.position >= len(batch.lines):
        return None
    batch.position += 1
    return batch.lines[batch.position - 1]


class _RedirectionError(Exception):
    def __init__(self, error: WindowsError) -> None:
        super().__init__(str(error))
        self.error = error


class _ForError(Exception):
    pass


class _ForOptions:
    """The options of FOR /F."""

    def __init__(self, text: str) -> None:
        self.eol: str | None = ";"
        self.skip = 0
        self.delims = " \t"
        self.tokens: list[int] = [1]
        self.rest = False
        self.usebackq = False
        body = text.strip().strip('"').strip("'") if text.strip()[:1] in ("'",) else text.strip().strip('"')
        while body:
            body = body.lstrip()
            lowered = body.lower()
            if lowered.startswith("usebackq"):
                self.usebackq, body = True, body[8:]
            elif lowered.startswith("eol="):
                self.eol = body[4] if len(body) > 4 else None
                body = body[5:]
            elif match := re.match(r"skip=(\d+)", lowered):
                self.skip, body = int(match[1]), body[match.end() :]
            elif match := re.match(r"tokens=([\d,\-*]+)", lowered):
                self._set_tokens(match[1])
                body = body[match.end() :]
            elif lowered.startswith("delims="):
                value, body = body[7:], ""
                # a further option may follow after a space; delims at the end may hold one
                if further := re.search(r" (?=(?:tokens=|skip=|eol=|usebackq))", value, re.IGNORECASE):
                    value, body = value[: further.start()], value[further.end() :]
                self.delims = value
            elif body:
                raise _ForError(f"{body} was unexpected at this time.")

    def _set_tokens(self, text: str) -> None:
        self.tokens, self.rest = [], text.endswith("*")
        for part in text.rstrip("*").split(","):
            if "-" in part:
                start, _, end = part.partition("-")
                self.tokens.extend(range(int(start), int(end) + 1))
            elif part:
                self.tokens.append(int(part))
        self.tokens = sorted(set(self.tokens))

    def split(self, line: str) -> list[str] | None:
        """The values of a line; None when it is to be left out."""
        if not line or (self.eol and line.lstrip(self.delims).startswith(self.eol)):
            return None
        pieces: list[tuple[str, int]] = []
        position = 0
        highest = max(self.tokens, default=0)
        while len(pieces) < highest:
            while position < len(line) and line[position] in self.delims:
                position += 1
            if position >= len(line):
                break
            start = position
            while position < len(line) and line[position] not in self.delims:
                position += 1
            pieces.append((line[start:position], position))
        if not self.delims and not pieces and line:
            pieces = [(line, len(line))]
        if not pieces and not self.rest:
            return None
        values = [pieces[number - 1][0] if number <= len(pieces) else "" for number in self.tokens]
        if self.rest:
            after = pieces[-1][1] if pieces and len(pieces) >= highest else (0 if not highest else len(line))
            values.append(line[after:].lstrip(self.delims))
        return values if any(values) else None


def _wild(word: str) -> bool:
    return "*" in word or "?" in word


def _integer(text: str, default: int) -> int:
    try:
        return _number(text)
    except ValueError:
        return default


def _number(text: str) -> int:
    match = re.fullmatch(r"\s*([-+]?)(0[xX][0-9a-fA-F]+|\d+)\s*", text)
    if not match:
        raise ValueError(text)
    digits = match[2]
    base = 16 if digits.lower().startswith("0x") else 8 if len(digits) > 1 and digits[0] == "0" else 10
    return int(digits, base) * (-1 if match[1] == "-" else 1)


# -- the program ----------------------------------------------------------------------------------------------------------------------------


def main(ctx: ProgramContext) -> int:
    """cmd.exe with its options."""
    if sys.getrecursionlimit() < 20 * MAX_DEPTH:
        sys.setrecursionlimit(20 * MAX_DEPTH)
    shell = Shell(ctx)
    rest = _after_program(ctx.command_line)
    quiet = strip = False
    command: str | None = None
    keep = False
    while True:
        rest = rest.lstrip(" \t,;=")
        match = re.match(r"/([A-Za-z?])(?::(\w+))?", rest)
        if match is None:
            break
        option, value = match[1].lower(), (match[2] or "").lower()
        if option in "ckr":
            keep, command = option == "k", rest[2:]
            break
        rest = rest[match.end() :]
        if option == "v":
            shell.delayed = value != "off"
        elif option == "e":
            shell.extensions = value != "off"
        elif option == "q":
            quiet = True
        elif option == "s":
            strip = True
        elif option in "au":
            shell.unicode = option == "u"
        elif option == "?":
            ctx.out(_HELP)
            return 0
        elif option not in "dtfyxi":
            break
    shell.echo = not quiet
    try:
        if command is not None:
            line = _strip_quotes(command.lstrip(" \t,;=") if not strip else command.strip(" \t"), strip, shell)
            code = shell.run_line(line)
            if not keep:
                return code
        else:
            shell.out(f"{builtins.banner(shell)}\n")
        return shell.interact()
    except ExitShell as exc:
        return exc.code
    except ExitBatch as exc:
        return exc.code if exc.code is not None else shell.errorlevel
    except Goto:
        return shell.errorlevel


def _after_program(command_line: str) -> str:
    text = command_line.lstrip()
    if text.startswith('"'):
        end = text.find('"', 1)
        return "" if end < 0 else text[end + 1 :]
    match = re.match(r"[^\s/]+", text)
    return text[match.end() :] if match else ""


def _strip_quotes(command: str, always: bool, shell: Shell) -> str:
    """The rule of `cmd /?` for a command that starts with a quote."""
    if not command.startswith('"'):
        return command
    inner = command[1 : command.rfind('"')] if command.count('"') > 1 else command[1:]
    if (
        not always
        and command.count('"') == 2
        and not _SPECIAL & set(inner)
        and re.search(r"\s", inner)
        and shell.find_program(inner)
    ):
        return command
    last = command.rfind('"')
    return command[1:] if last == 0 else command[1:last] + command[last + 1 :]


_HELP = """Starts a new instance of the Windows command interpreter

CMD [/A | /U] [/Q] [/D] [/E:ON | /E:OFF] [/F:ON | /F:OFF] [/V:ON | /V:OFF]
    [[/S] [/C | /K] string]

/C      Carries out the command specified by string and then terminates
/K      Carries out the command specified by string but remains
/S      Modifies the treatment of string after /C or /K (see below)
/Q      Turns echo off
/D      Disable execution of AutoRun commands from registry (see below)
/A      Causes the output of internal commands to a pipe or file to be ANSI
/U      Causes the output of internal commands to a pipe or file to be
        Unicode
/E:ON   Enable command extensions (see below)
/E:OFF  Disable command extensions (see below)
/V:ON   Enable delayed environment variable expansion using ! as the
        delimiter.
/V:OFF  Disable delayed environment expansion.
"""
