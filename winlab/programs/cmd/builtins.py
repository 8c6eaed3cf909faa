"""The commands inside cmd.exe. Each gets the shell and the rest of its line and returns its code.

Messages are those of the English Windows Server 2016; which commands reset ERRORLEVEL when they succeed follows the public tables of D. Benham.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from winlab.programs.cmd.arithmetic import Arithmetic, ArithmeticError_
from winlab.windows import filesystem as fs_module
from winlab.windows.environment import Environment
from winlab.windows.errors import WindowsError
from winlab.windows.filesystem import Entry

if TYPE_CHECKING:
    from winlab.programs.cmd.shell import Shell

Command = Callable[["Shell", str], int]
COMMANDS: dict[str, Command] = {}
_SYNTAX = "The syntax of the command is incorrect."


def command(*names: str) -> Callable[[Command], Command]:
    """Registers a built-in command."""

    def register(function: Command) -> Command:
        for name in names:
            COMMANDS[name] = function
        return function

    return register


def decode(data: bytes, encoding: str) -> str:
    """Text of a file as cmd reads it: UTF-16 with a byte order mark, else the console's code page."""
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le", "replace")
    return data.decode(encoding, "replace")


def words(text: str) -> list[str]:
    """Arguments: split at blanks, commas, semicolons and equal signs; quotes kept together and on."""
    return [match[0] for match in re.finditer(r'(?:"[^"]*"?|[^\s,;="])+', text)]


def options(shell: Shell, text: str, known: str) -> tuple[dict[str, str], list[str]] | None:
    """Splits `/x` and `/x:value` options (letters of `known`) from operands; None after telling of one that is not known."""
    found: dict[str, str] = {}
    operands: list[str] = []
    for word in words(_space_options(text)):
        if word.startswith("/") and len(word) > 1:
            letter = word[1].lower()
            minus = letter == "-" and len(word) > 2
            letter = "-" + word[2].lower() if minus else letter
            if letter.lstrip("-") not in known and letter != "?":
                shell.err(f'Invalid switch - "{word[1:]}".\n')
                shell.errorlevel = 1
                return None
            found[letter] = word[3 if minus else 2 :].lstrip(":")
        else:
            operands.append(word.replace('"', ""))
    return found, operands


def _space_options(text: str) -> str:
    """`rd/s/q` and `dir/b`: a slash outside quotes starts a new word."""
    parts = re.split(r'("[^"]*"?)', text)
    return "".join(part if part.startswith('"') else part.replace("/", " /") for part in parts)


def version_text(shell: Shell) -> str:
    windows = shell.machine.windows
    return windows.version if windows.build < 17134 else windows.full_version


def banner(shell: Shell) -> str:
    owner = (
        "(c) 2016 Microsoft Corporation. All rights reserved."
        if shell.machine.windows.build < 17763
        else "(c) Microsoft Corporation. All rights reserved."
    )
    return f"Microsoft Windows [Version {version_text(shell)}]\n{owner}"


def serial_number(shell: Shell) -> str:
    digits = shell.machine.accounts.machine_sid.split("-")
    value = int(digits[-1])
    return f"{value >> 16:04X}-{value & 0xFFFF:04X}"


def _yes(shell: Shell, question: str) -> bool:
    shell.out(question)
    answer = shell.read_line()
    if answer is None:
        shell.out("\n")
        return False
    return answer.strip().lower().startswith(("y", "a"))


# -- text and variables -----------------------------------------------------------------------------------------------------------------


@command("echo")
def echo(shell: Shell, rest: str) -> int:
    if rest and rest[0] in ".:,;=/+([]\\":
        shell.out(rest[1:] + "\n")
        return 0
    text = rest[1:] if rest[:1] in (" ", "\t") else rest
    word = text.strip(" \t,;=").lower()
    if word in ("on", "off"):
        shell.echo = word == "on"
    elif not word:
        shell.out(f"ECHO is {'on' if shell.echo else 'off'}.\n")
    else:
        shell.out(text + "\n")
    return 0


@command("rem")
def rem(shell: Shell, rest: str) -> int:
    return 0


@command("cls", "color", "break")
def _nothing(shell: Shell, rest: str) -> int:
    return 0


@command("title")
def title(shell: Shell, rest: str) -> int:
    shell.ctx.console.title = rest.strip()
    return 0


@command("prompt")
def prompt(shell: Shell, rest: str) -> int:
    shell.env["PROMPT"] = rest.lstrip() or "$P$G"
    return 0


@command("set")
def set_(shell: Shell, rest: str) -> int:
    text = rest.lstrip(" \t,;=")
    lowered = text.lower()
    if lowered.startswith("/a"):
        return _set_arithmetic(shell, text[2:])
    if lowered.startswith("/p"):
        return _set_prompt(shell, text[2:].lstrip())
    if not text.strip():
        for name in sorted(shell.env, key=str.upper):
            shell.out(f"{name}={shell.env[name]}\n")
        return 0
    if text.startswith('"'):
        closing = text.rfind('"')
        text = text[1:closing] if closing > 0 else text[1:]
    name, equals, value = text.partition("=")
    if not name:
        return shell.fail(_SYNTAX)
    if equals:
        if value:
            shell.env[name] = value
        else:
            shell.env.pop(name, None)
        return 0
    prefix = name.rstrip().upper()
    found = [item for item in sorted(shell.env, key=str.upper) if item.upper().startswith(prefix)]
    for item in found:
        shell.out(f"{item}={shell.env[item]}\n")
    return 0 if found else shell.fail(f"Environment variable {name.rstrip()} not defined")


def _set_arithmetic(shell: Shell, text: str) -> int:
    def assign(name: str, value: str) -> None:
        shell.env[name] = value

    try:
        value = Arithmetic(text, shell.lookup, assign).run()
    except ArithmeticError_ as exc:
        return shell.fail(str(exc), exc.code)
    if shell.batch is None or shell.command_line_mode:
        shell.out(str(value))
    return 0


def _set_prompt(shell: Shell, text: str) -> int:
    if text.startswith('"'):
        closing = text.rfind('"')
        text = text[1:closing] if closing > 0 else text[1:]
    name, equals, question = text.partition("=")
    if not equals or not name:
        return shell.fail(_SYNTAX)
    shell.out(question.strip('"') if question.startswith('"') else question)
    answer = shell.read_line()
    if not answer:
        shell.errorlevel = 1
        return 1
    shell.env[name] = answer
    return 0


@command("path")
def path(shell: Shell, rest: str) -> int:
    text = rest.strip()
    if not text:
        value = shell.env.get("PATH")
        shell.out(f"PATH={value}\n" if value is not None else "No Path\n")
    elif text == ";":
        shell.env.pop("PATH", None)
    else:
        shell.env["PATH"] = text.lstrip("=")
    return 0


@command("setlocal")
def setlocal(shell: Shell, rest: str) -> int:
    from winlab.programs.cmd.shell import Local

    local = Local(Environment(shell.env), shell.cwd, shell.delayed, shell.extensions)
    for word in rest.lower().split():
        if word == "enabledelayedexpansion":
            shell.delayed = True
        elif word == "disabledelayedexpansion":
            shell.delayed = False
        elif word in ("enableextensions", "disableextensions"):
            shell.extensions = word.startswith("enable")
        else:
            return shell.fail(_SYNTAX)
    if shell.batch is not None and not shell.command_line_mode:
        shell.batch.locals.append(local)
    return 0


@command("endlocal")
def endlocal(shell: Shell, rest: str) -> int:
    if shell.batch is not None and shell.batch.locals:
        shell.restore_local(shell.batch.locals.pop())
    return 0


@command("ver")
def ver(shell: Shell, rest: str) -> int:
    shell.out(f"\nMicrosoft Windows [Version {version_text(shell)}]\n")
    shell.errorlevel = 0
    return 0


@command("vol")
def vol(shell: Shell, rest: str) -> int:
    drive = rest.strip()[:1].upper() or shell.cwd[0]
    if drive not in shell.fs.drives:
        return shell.fail("The system cannot find the path specified.")
    shell.out(f" Volume in drive {drive} has no label.\n Volume Serial Number is {serial_number(shell)}\n")
    shell.errorlevel = 0
    return 0


@command("verify")
def verify(shell: Shell, rest: str) -> int:
    word = rest.strip().lower()
    if not word:
        shell.out(f"VERIFY is {'on' if shell.verify else 'off'}.\n")
    elif word in ("on", "off"):
        shell.verify = word == "on"
    else:
        return shell.fail("An incorrect parameter was\nentered for the command.")
    return 0


@command("date")
def date(shell: Shell, rest: str) -> int:
    shell.out(("" if "/t" in rest.lower() else "The current date is: ") + f"{shell.machine.now():%a %m/%d/%Y} \n")
    if "/t" in rest.lower():
        return 0
    return shell.fail("Setting the date is not simulated by this lab.")


@command("time")
def time_(shell: Shell, rest: str) -> int:
    if "/t" in rest.lower():
        shell.out(f"{shell.machine.now():%I:%M %p}\n")
        return 0
    shell.out(f"The current time is: {shell.lookup('TIME')}\n")
    return shell.fail("Setting the time is not simulated by this lab.")


@command("pause")
def pause(shell: Shell, rest: str) -> int:
    shell.out("Press any key to continue . . . ")
    shell.read_line()
    shell.out("\n")
    return 0


@command("assoc", "ftype")
def _associations(shell: Shell, rest: str) -> int:
    return shell.fail("File associations are not simulated by this lab.")


# -- flow -----------------------------------------------------------------------------------------------------------------------------------


@command("exit")
def exit_(shell: Shell, rest: str) -> int:
    from winlab.programs.cmd.shell import ExitBatch, ExitShell

    parts = rest.split()
    inner = bool(parts) and parts[0].lower() == "/b"
    numbers = parts[1:] if inner else parts
    code: int | None = None
    if numbers:
        match = re.match(r"[-+]?\d+", numbers[0])
        code = int(match[0]) if match else (shell.errorlevel if not inner else 0)
    if inner:
        if code is not None:
            shell.errorlevel = code
        raise ExitBatch(code)
    raise ExitShell(shell.errorlevel if code is None else code)


@command("goto")
def goto(shell: Shell, rest: str) -> int:
    if not rest.strip(" :"):
        return shell.fail("No batch label specified to GOTO command.")
    shell.goto(rest)
    return 0


@command("call")
def call(shell: Shell, rest: str) -> int:
    text = rest.lstrip(" \t,;=")
    if not text:
        return 0
    text = shell._percent(text)
    if text.startswith(":"):
        return shell.call_label(text)
    match = re.match(r"([A-Za-z]+)(?=[\s,;=/.:+\\\[\]()\"]|$)", text)
    if match and match[1].lower() in COMMANDS and not shell._is_program_file(text, len(match[1])):
        return COMMANDS[match[1].lower()](shell, text[len(match[1]) :])
    code = shell.run_program(text, call=True)
    shell.errorlevel = code if code else shell.errorlevel
    return code


@command("shift")
def shift(shell: Shell, rest: str) -> int:
    batch = shell.batch
    if batch is None:
        return 0
    match = re.search(r"/(\d)", rest)
    start = int(match[1]) if match else 0
    if start < len(batch.arguments):
        del batch.arguments[start]
    return 0


@command("start")
def start(shell: Shell, rest: str) -> int:
    text = rest.lstrip()
    cwd, wait = shell.cwd, False
    if text.startswith('"'):
        text = text[text.find('"', 1) + 1 :].lstrip() if text.count('"') > 1 else ""
    while match := re.match(r'/(\w+)\s*("[^"]*"|\S+)?\s*', text):
        option = match[1].lower()
        if option in (
            "b",
            "min",
            "max",
            "low",
            "normal",
            "high",
            "realtime",
            "abovenormal",
            "belownormal",
            "i",
            "shared",
            "separate",
        ):
            text = text[match.end(1) :].lstrip()
        elif option in ("wait", "w"):
            wait, text = True, text[match.end(1) :].lstrip()
        elif option == "d":
            cwd, text = shell.full(match[2] or ""), text[match.end() :]
        elif option.startswith("d") and len(option) > 1 and not match[2]:
            return shell.fail(f"Invalid switch - /{option}.")
        else:
            return shell.fail(f"Invalid switch - /{option}.")
    if not text:
        return shell.fail("A window for START is not simulated by this lab.")
    name, arguments = shell.split_program(text)
    bare = name.replace('"', "").lower()
    if bare in COMMANDS:
        line = f"cmd /K {text}" if not wait else f"cmd /c {text}"
        found, name, arguments = shell.find_program("cmd"), line.split(" ")[0], " /c " + text
    else:
        found = shell.find_program(name)
    if found is None:
        return shell.fail(f"The system cannot find the file {name}.", 9059)
    try:
        process = shell.ctx.start(
            name + arguments,
            image=found,
            cwd=cwd,
            env=shell.env,
            stdin=shell.stdin,
            stdout=shell.stdout,
            stderr=shell.stderr,
        )
    except WindowsError as exc:
        return shell.fail(exc)
    if wait:
        shell.errorlevel = process.wait() or 0
        return shell.errorlevel
    return 0


# -- folders --------------------------------------------------------------------------------------------------------------------------------


@command("cd", "chdir")
def cd(shell: Shell, rest: str) -> int:
    text = rest.strip()
    change_drive = text.lower().startswith("/d")
    target = text[2:].strip().replace('"', "") if change_drive else text.replace('"', "")
    if not target:
        shell.out(shell.cwd + "\n")
        return 0
    if re.fullmatch(r"[A-Za-z]:", target) and not change_drive:
        shell.out((shell.cwd if target[0].upper() == shell.cwd[0] else target.upper() + "\\") + "\n")
        return 0
    return _enter(shell, target)


def _enter(shell: Shell, target: str) -> int:
    try:
        full = shell.fs.resolve(target, shell.cwd)
        if full.startswith("\\\\"):
            return shell.fail(f"'{target}'\nCMD does not support UNC paths as current directories.")
        if full[0] not in shell.fs.drives:
            return shell.fail("The system cannot find the drive specified.")
        full = full.rstrip("\\") if len(full) > 3 else full
        if not shell.fs.exists(full):
            return shell.fail("The system cannot find the path specified.")
        if not shell.fs.is_dir(full):
            return shell.fail("The directory name is invalid.")
        shell.fs.check_access(full, 0x20, shell.user)
        shell.cwd = shell.fs.stored_path(full)
    except WindowsError as exc:
        return shell.fail(exc)
    shell.errorlevel = 0
    return 0


@command("pushd")
def pushd(shell: Shell, rest: str) -> int:
    target = rest.strip().replace('"', "")
    if not target:
        for folder in reversed(shell.folders):
            shell.out(folder + "\n")
        return 0
    before = shell.cwd
    code = _enter(shell, target)
    if code == 0:
        shell.folders.append(before)
    return code


@command("popd")
def popd(shell: Shell, rest: str) -> int:
    if not shell.folders:
        return 1
    return _enter(shell, shell.folders.pop())


@command("md", "mkdir")
def md(shell: Shell, rest: str) -> int:
    targets = words(rest)
    if not targets:
        return shell.fail(_SYNTAX)
    code = 0
    for target in targets:
        name = target.replace('"', "")
        try:
            full = shell.full(name)
            if shell.fs.exists(full.rstrip("\\")):
                code = shell.fail(f"A subdirectory or file {name} already exists.")
                continue
            shell.fs.mkdir(full.rstrip("\\"), parents=True, user=shell.user)
        except WindowsError as exc:
            code = shell.fail(exc)
    if code == 0:
        shell.errorlevel = 0
    return code


@command("rd", "rmdir")
def rd(shell: Shell, rest: str) -> int:
    parsed = options(shell, rest, "sq")
    if parsed is None:
        return 1
    switches, targets = parsed
    if not targets:
        return shell.fail(_SYNTAX)
    code = 0
    for name in targets:
        try:
            full = shell.full(name).rstrip("\\")
            if len(full) < 3:
                raise WindowsError(5)
            if "s" in switches:
                if not shell.fs.is_dir(full):
                    shell.fs.stat(full)
                    raise WindowsError(267)
                if "q" not in switches and not _yes(shell, f"{name}, Are you sure (Y/N)? "):
                    continue
                code = _remove_tree(shell, full) or code
            else:
                shell.fs.rmdir(full, shell.user)
        except WindowsError as exc:
            shell.err(exc.message + "\n")
            code = exc.code
    return code


def _remove_tree(shell: Shell, folder: str) -> int:
    """RD /S: goes on after what cannot be removed, telling of each."""
    code = 0
    if not shell.fs.stat(folder).is_link:
        for entry in shell.fs.listdir(folder, shell.user):
            path = f"{folder}\\{entry.name}"
            if entry.is_dir:
                code = _remove_tree(shell, path) or code
                continue
            try:
                if entry.attributes & fs_module.READONLY:
                    shell.fs.set_attributes(path, entry.attributes & ~fs_module.READONLY, shell.user)
                shell.fs.remove(path, shell.user)
            except WindowsError as exc:
                shell.err(f"{path} - {exc.message}\n")
                code = exc.code
    try:
        shell.fs.rmdir(folder, shell.user)
    except WindowsError as exc:
        shell.err(f"{folder} - {exc.message}\n")
        code = exc.code
    return code


# -- listing ----------------------------------------------------------------------------------------------------------------------------------

_ATTRIBUTES = {"d": 0x10, "r": 0x1, "h": 0x2, "s": 0x4, "a": 0x20, "l": 0x400, "i": 0x2000}


@command("dir")
def dir_(shell: Shell, rest: str) -> int:
    parsed = options(shell, rest, "abcdlnopqrstwx4")
    if parsed is None:
        return 1
    switches, targets = parsed
    if switches.keys() & {"q", "r", "x", "d"}:
        return shell.fail(
            f"DIR /{next(iter(switches.keys() & {'q', 'r', 'x', 'd'})).upper()} is not simulated by this lab."
        )
    return _Listing(shell, switches).run(targets or ["."])


class _Listing:
    """One DIR command."""

    def __init__(self, shell: Shell, switches: dict[str, str]) -> None:
        self.shell = shell
        self.switches = switches
        self.bare = "b" in switches
        self.deep = "s" in switches
        self.found = False
        self.files = self.bytes = self.folders = 0

    def run(self, targets: list[str]) -> int:
        drive = ""
        for target in targets:
            try:
                full = self.shell.fs.resolve(target, self.shell.cwd)
                folder, pattern = self._split(full)
                if folder[:1].upper() not in self.shell.fs.drives:
                    return self.shell.fail("The system cannot find the path specified.")
                if not self.bare and folder[0] != drive:
                    drive = folder[0]
                    self.shell.out(
                        f" Volume in drive {drive} has no label.\n Volume Serial Number is {serial_number(self.shell)}\n"
                    )
                if not self.shell.fs.is_dir(folder):
                    return self._missing(
                        "The system cannot find the path specified." if not self.bare else "File Not Found", folder
                    )
                before = self.found
                self._folder(folder, pattern)
                if not self.found or (len(targets) > 1 and self.found == before and not self.found):
                    return self._missing("File Not Found", folder)
            except WindowsError as exc:
                return self.shell.fail(exc if exc.code == 5 else "File Not Found")
        if not self.bare:
            self._totals()
        self.shell.errorlevel = 0
        return 0

    def _missing(self, message: str, folder: str) -> int:
        if not self.bare and message == "File Not Found" and not self.deep:
            self.shell.out(f"\n Directory of {folder}\n\n")
        return self.shell.fail(message)

    def _split(self, full: str) -> tuple[str, str]:
        if full.endswith("\\") or self.shell.fs.is_dir(full):
            return (full.rstrip("\\") if len(full) > 3 else full), "*"
        folder, _, pattern = full.rpartition("\\")
        return (folder + "\\" if folder.endswith(":") else folder), pattern

    def _shown(self, entry: Entry) -> bool:
        spec = self.switches.get("a")
        if spec is None:
            return not entry.attributes & 0x6
        return all(
            bool(entry.attributes & _ATTRIBUTES.get(letter, 0)) != (sign == "-")
            for sign, letter in re.findall(r"(-?)([a-z])", spec.lower())
        )

    def _order(self, entries: list[Entry]) -> list[Entry]:
        spec = self.switches.get("o")
        if spec is None:
            return entries
        for sign, letter in reversed(re.findall(r"(-?)([a-z])", spec.lower() or "gn")):
            keys: dict[str, Callable[[Entry], object]] = {
                "n": lambda entry: entry.name.upper(),
                "e": lambda entry: entry.name.upper().rpartition(".")[2] if "." in entry.name else "",
                "s": lambda entry: entry.size,
                "d": self._stamp,
                "g": lambda entry: not entry.is_dir,
            }
            if letter in keys:
                entries = sorted(entries, key=keys[letter], reverse=sign == "-")  # type: ignore[arg-type]
        return entries

    def _stamp(self, entry: Entry) -> datetime.datetime:
        return {"c": entry.created, "a": entry.accessed}.get(self.switches.get("t", "").lower()[:1], entry.modified)

    def _folder(self, folder: str, pattern: str) -> None:
        shell = self.shell
        everything = shell.fs.listdir(folder, shell.user)
        matches = fs_module.wildcard(pattern)
        entries = self._order([entry for entry in everything if matches(entry.name) and self._shown(entry)])
        dots = [] if self.bare or len(folder) <= 3 or pattern != "*" or not self._dots_shown() else [".", ".."]
        if entries or dots:
            self.found = True
            if self.bare:
                for entry in entries:
                    name = f"{folder.rstrip(chr(92))}\\{entry.name}" if self.deep else entry.name
                    shell.out((name.lower() if "l" in self.switches else name) + "\n")
            else:
                self._print(folder, entries, dots)
        elif self.bare and pattern == "*" and not self.deep:
            self.found = len(folder) > 3 and "a" not in self.switches
        if self.deep:
            for entry in everything:
                if entry.is_dir and not entry.is_link and (not entry.attributes & 0x6 or "a" in self.switches):
                    shell.ctx.check()
                    try:
                        self._folder(f"{folder.rstrip(chr(92))}\\{entry.name}", pattern)
                    except WindowsError:
                        continue

    def _dots_shown(self) -> bool:
        spec = self.switches.get("a")
        return spec is None or (not spec.replace("-", "").strip("d") and "-d" not in spec.lower())

    def _print(self, folder: str, entries: list[Entry], dots: list[str]) -> None:
        self.shell.out(f"\n Directory of {folder}\n\n")
        own = self._stamp(self.shell.fs.stat(folder))
        for name in dots:
            self.shell.out(f"{own:%m/%d/%Y  %I:%M %p}    <DIR>          {name}\n")
        for entry in entries:
            stamp = f"{self._stamp(entry):%m/%d/%Y  %I:%M %p}"
            if entry.is_link and entry.is_dir:
                self.shell.out(f"{stamp}    <JUNCTION>     {entry.name} [{entry.link_target or ''}]\n")
            elif entry.is_dir:
                self.shell.out(f"{stamp}    <DIR>          {entry.name}\n")
            else:
                size = f"{entry.size}" if "-c" in self.switches else f"{entry.size:,}"
                self.shell.out(f"{stamp}{size:>18} {entry.name}\n")
        files = [entry for entry in entries if not entry.is_dir]
        total = sum(entry.size for entry in files)
        self.files += len(files)
        self.bytes += total
        self.folders += len(entries) - len(files) + len(dots)
        self.shell.out(f"{len(files):>16} File(s) {total:>14,} bytes\n")

    def _totals(self) -> None:
        if self.deep:
            self.shell.out(f"\n     Total Files Listed:\n{self.files:>16} File(s) {self.bytes:>14,} bytes\n")
        self.shell.out(f"{self.folders:>16} Dir(s) {self.shell.fs.free_bytes:>15,} bytes free\n")


# -- files ------------------------------------------------------------------------------------------------------------------------------------


def _expand(shell: Shell, name: str, folders: bool = False) -> list[str]:
    """Full paths of what a name with wildcards stands for; without wildcards, the path itself."""
    full = shell.full(name)
    if "*" not in full and "?" not in full:
        return [full]
    folder, _, pattern = full.rpartition("\\")
    base = folder + "\\" if folder.endswith(":") else folder
    return [
        f"{folder}\\{entry.name}" for entry in shell.fs.glob(base, pattern, shell.user) if folders or not entry.is_dir
    ]


@command("type")
def type_(shell: Shell, rest: str) -> int:
    names = words(rest)
    if not names:
        return shell.fail(_SYNTAX)
    code = 0
    for name in names:
        bare = name.replace('"', "")
        try:
            full = shell.full(bare)
            if shell.fs.is_device(full):
                continue
            paths = _expand(shell, bare)
            if not paths:
                raise WindowsError(2)
            for path_ in paths:
                if len(names) > 1 or len(paths) > 1:
                    shell.err(f"\n{bare if len(paths) == 1 else path_.rpartition(chr(92))[2]}\n\n\n")
                data = shell.fs.read_bytes(path_, shell.user)
                if data.startswith(b"\xff\xfe"):
                    data = decode(data, "").encode(shell.ctx.console.encoding, "replace")
                shell.write(data)
        except WindowsError as exc:
            code = shell.fail(exc)
            if len(names) > 1:
                shell.err(f"Error occurred while processing: {bare}.\n")
    if code == 0:
        shell.errorlevel = 0
    return code


@command("copy")
def copy(shell: Shell, rest: str) -> int:
    overwrite = "/y" in rest.lower() or (
        shell.batch is not None and not shell.command_line_mode and "/-y" not in rest.lower()
    )
    overwrite = overwrite or "/y" in shell.env.get("COPYCMD", "").lower()
    joined = re.sub(
        r"\s*\+\s*",
        "+",
        re.sub(r"(?<!\S)/(?:-?y|[abvnzdl])(?!\S)|/(?:-?y|[abv])(?=\s|$)", " ", rest, flags=re.IGNORECASE),
    )
    operands = [match[0] for match in re.finditer(r'(?:"[^"]*"?|[^\s,;"])+', joined)]
    if any(operand.startswith("/") for operand in operands):
        return shell.fail(f'Invalid switch - "{next(item for item in operands if item.startswith("/"))[1:]}".')
    if not operands or len(operands) > 2:
        return shell.fail(_SYNTAX)
    sources = [item.replace('"', "") for item in _split_plus(operands[0])]
    target = operands[1].replace('"', "") if len(operands) > 1 else "."
    try:
        return _copy(shell, sources, target, overwrite)
    except WindowsError as exc:
        return shell.fail(f"{exc.message}\n        0 file(s) copied.")


def _split_plus(text: str) -> list[str]:
    return [part for part in re.split(r'\+(?=(?:[^"]*"[^"]*")*[^"]*$)', text) if part]


def _copy(shell: Shell, sources: list[str], target: str, overwrite: bool) -> int:
    paths: list[str] = []
    for source in sources:
        full = shell.full(source)
        if shell.fs.is_dir(full):
            source = source.rstrip("\\") + "\\*"
        if shell.fs.is_device(full):
            paths.append(full)
            continue
        found = _expand(shell, source)
        if not found or not shell.fs.is_file(found[0]):
            shell.err(f"{source}\n")
            shell.err("The system cannot find the file specified.\n")
            shell.out("        0 file(s) copied.\n")
            shell.errorlevel = 1
            return 1
        paths.extend(found)
    full = shell.full(target)
    into_folder = shell.fs.is_dir(full) or target.endswith("\\")
    if target.endswith("\\") and not shell.fs.is_dir(full.rstrip("\\")):
        raise WindowsError(3)
    if not into_folder and (len(sources) > 1 or len(paths) > 1):
        return _concatenate(shell, paths, full, overwrite)
    count = 0
    for item in paths:
        name = item.rpartition("\\")[2]
        destination = f"{full.rstrip(chr(92))}\\{name}" if into_folder else full
        if len(paths) > 1 or "*" in sources[0]:
            shell.out(f"{item if chr(92) in sources[0] else name}\n")
        if shell.fs.is_device(item):
            data = shell.ctx.read_all() if item.upper().endswith("CON") else b""
            shell.fs.write_bytes(destination, data, shell.user)
        elif shell.fs.is_device(destination):
            if destination.upper().endswith("CON"):
                shell.write(shell.fs.read_bytes(item, shell.user))
        else:
            if item.lower() == destination.lower():
                shell.err("The file cannot be copied onto itself.\n")
                continue
            if (
                shell.fs.exists(destination)
                and not overwrite
                and not _yes(shell, f"Overwrite {destination}? (Yes/No/All): ")
            ):
                continue
            shell.fs.copy(item, destination, True, shell.user)
        count += 1
    shell.out(f"{count:>9} file(s) copied.\n")
    shell.errorlevel = 0 if count else 1
    return 0 if count else 1


def _concatenate(shell: Shell, paths: list[str], full: str, overwrite: bool) -> int:
    if shell.fs.exists(full) and not overwrite and full.lower() not in [item.lower() for item in paths]:
        if not _yes(shell, f"Overwrite {full}? (Yes/No/All): "):
            shell.out("        0 file(s) copied.\n")
            return 1
    data = b"".join(shell.fs.read_bytes(item, shell.user) for item in paths)
    shell.fs.write_bytes(full, data, shell.user)
    shell.out("        1 file(s) copied.\n")
    shell.errorlevel = 0
    return 0


@command("move")
def move(shell: Shell, rest: str) -> int:
    parsed = options(shell, rest, "y")
    if parsed is None:
        return 1
    switches, operands = parsed
    if not operands or len(operands) > 2:
        return shell.fail(_SYNTAX)
    source, target = operands[0], operands[1] if len(operands) > 1 else "."
    asked = "y" not in switches and (shell.batch is None or shell.command_line_mode)
    try:
        paths = _expand(shell, source)
        if not paths:
            raise WindowsError(2)
        folder_moved = shell.fs.stat(paths[0].rstrip("\\")).is_dir
        full = shell.full(target).rstrip("\\")
        count = 0
        for item in paths:
            item = item.rstrip("\\")
            inside = shell.fs.is_dir(full) and item.lower() != full.lower()
            destination = f"{full}\\{item.rpartition(chr(92))[2]}" if inside else full
            if shell.fs.exists(destination) and destination.lower() != item.lower():
                if shell.fs.is_dir(destination):
                    raise WindowsError(5)
                if asked and not _yes(shell, f"Overwrite {destination}? (Yes/No/All): "):
                    continue
            if len(paths) > 1:
                shell.out(f"{item}\n")
            shell.fs.move(item, destination, replace=True, user=shell.user)
            count += 1
    except WindowsError as exc:
        return shell.fail(f"{exc.message}\n        0 file(s) moved." if exc.code not in (2, 3) else exc)
    shell.out(f"{count:>9} {'dir' if folder_moved else 'file'}(s) moved.\n")
    shell.errorlevel = 0
    return 0


@command("del", "erase")
def del_(shell: Shell, rest: str) -> int:
    parsed = options(shell, rest, "pfsqa")
    if parsed is None:
        return 1
    switches, operands = parsed
    if not operands:
        return shell.fail(_SYNTAX)
    for name in operands:
        _delete(shell, name, switches)
    return 0


def _delete(shell: Shell, name: str, switches: dict[str, str]) -> None:
    try:
        full = shell.full(name)
    except WindowsError as exc:
        shell.err(exc.message + "\n")
        return
    if shell.fs.is_dir(full):
        full = full.rstrip("\\") + "\\*"
    folder, _, pattern = full.rpartition("\\")
    base = folder + "\\" if folder.endswith(":") else folder
    if not shell.fs.is_dir(base):
        shell.err("The system cannot find the path specified.\n")
        shell.errorlevel = 1
        return
    if pattern in ("*", "*.*") and "q" not in switches and not _yes(shell, f"{folder}\\*, Are you sure (Y/N)? "):
        return
    if not _delete_in(shell, base, pattern, switches):
        shell.err(f"Could Not Find {full}\n")


def _delete_in(shell: Shell, folder: str, pattern: str, switches: dict[str, str]) -> bool:
    found = False
    matches = fs_module.wildcard(pattern)
    for entry in shell.fs.listdir(folder, shell.user):
        path_ = f"{folder.rstrip(chr(92))}\\{entry.name}"
        if entry.is_dir:
            if "s" in switches and not entry.is_link:
                found = _delete_in(shell, path_, pattern, switches) or found
            continue
        if not matches(entry.name) or (entry.attributes & 0x6 and "a" not in switches):
            continue
        found = True
        if "p" in switches and not _yes(shell, f"{path_}, Delete (Y/N)? "):
            continue
        try:
            if "f" in switches and entry.attributes & fs_module.READONLY:
                shell.fs.set_attributes(path_, entry.attributes & ~fs_module.READONLY, shell.user)
            shell.fs.remove(path_, shell.user)
            if "s" in switches:
                shell.out(f"Deleted file - {path_}\n")
        except WindowsError as exc:
            shell.err(f"{path_}\n{exc.message}\n")
    return found


@command("ren", "rename")
def ren(shell: Shell, rest: str) -> int:
    operands = [word.replace('"', "") for word in words(rest)]
    if len(operands) != 2 or any(mark in operands[1] for mark in "\\/:"):
        return shell.fail(_SYNTAX)
    duplicate = "A duplicate file name exists, or the file\ncannot be found."
    try:
        paths = _expand(shell, operands[0], folders=True)
        if not paths:
            return shell.fail("The system cannot find the file specified.")
        for item in paths:
            folder, _, name = item.rstrip("\\").rpartition("\\")
            new = f"{folder}\\{_renamed(name, operands[1])}"
            if not shell.fs.exists(item):
                return shell.fail("The system cannot find the file specified.")
            shell.fs.move(item, new, user=shell.user)
    except WindowsError as exc:
        return shell.fail(duplicate if exc.code == 183 else exc)
    shell.errorlevel = 0
    return 0


def _renamed(name: str, pattern: str) -> str:
    """The new name of a file by a pattern with wildcards."""
    if "*" not in pattern and "?" not in pattern:
        return pattern
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    new_stem, new_dot, new_extension = pattern.rpartition(".")
    if not new_dot:
        new_stem, new_extension = pattern, ""
    parts = [_fill(stem, new_stem), _fill(extension, new_extension)]
    return parts[0] + ("." + parts[1] if new_dot and parts[1] else "")


def _fill(old: str, pattern: str) -> str:
    result: list[str] = []
    for index, char in enumerate(pattern):
        if char == "*":
            result.append(old[index:])
            break
        result.append(old[index : index + 1] if char == "?" else char)
    return "".join(result)


@command("mklink")
def mklink(shell: Shell, rest: str) -> int:
    parsed = options(shell, rest, "dhj")
    if parsed is None:
        return 1
    switches, operands = parsed
    if len(operands) != 2:
        return shell.fail(_SYNTAX)
    link, target = operands
    try:
        full, destination = shell.full(link), shell.full(target)
        if "h" in switches:
            shell.fs.link(full, destination, shell.user)
            shell.out(f"Hardlink created for {link} <<===>> {target}\n")
        elif "j" in switches:
            if shell.fs.exists(full):
                raise WindowsError(183)
            shell.fs.symlink(full, destination)
            shell.out(f"Junction created for {link} <<===>> {target}\n")
        else:
            shell.fs.symlink(full, destination, shell.user)
            shell.out(f"symbolic link created for {link} <<===>> {target}\n")
    except WindowsError as exc:
        return shell.fail(
            "You do not have sufficient privilege to perform this operation." if exc.code == 1314 else exc
        )
    return 0
