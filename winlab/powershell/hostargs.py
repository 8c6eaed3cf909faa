"""powershell.exe's command line, read as Windows PowerShell 5.1's CommandLineParameterParser reads it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

BAD_START = -196608
"""Exit code (0xFFFD0000) of a command line that cannot be run."""

_POLICIES = ("Unrestricted", "RemoteSigned", "AllSigned", "Restricted", "Default", "Bypass", "Undefined")
_DASHES = "-/\u2013\u2014\u2015"


class UsageError(Exception):
    """A command line that powershell.exe refuses; `help` asks for the usage text as well."""

    def __init__(self, message: str, code: int = BAD_START, show_help: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.show_help = show_help


@dataclass
class Arguments:
    """What to run and how."""

    command: str | None = None  # -Command and -EncodedCommand
    encoded: bool = False
    from_stdin: bool = False  # -Command -
    file: str | None = None
    file_arguments: list[str] = field(default_factory=list)
    encoded_arguments: str | None = None
    no_profile: bool = False
    non_interactive: bool = False
    no_exit: bool = False
    no_logo: bool = False
    show_help: bool = False
    execution_policy: str | None = None
    output_format: str | None = None
    input_format: str | None = None
    version: str | None = None
    configuration_name: str | None = None


def _is(given: str, name: str, shortest: str) -> bool:
    """Whether the name is given, perhaps shortened, but not below `shortest`."""
    return name.startswith(given) and given.startswith(shortest)


def decode_command(text: str) -> str:
    """-EncodedCommand's argument: UTF-16LE in base64. ValueError when it is not."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None


def parse_arguments(argv: list[str]) -> Arguments:
    """Read the arguments (without the program's name). UsageError for those that 5.1 refuses."""
    return _Parser(argv).parse()


class _Parser:
    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        self.index = 0
        self.found = Arguments()

    def parse(self) -> Arguments:
        found = self.found
        while self.index < len(self.argv):
            given = self.argv[self.index].strip()
            if not given or given[0] not in _DASHES:
                # What is no parameter begins the command.
                self._command(self.index)
                return found
            name = given[1:]
            if given[0] == "-" and name.startswith("-"):
                name = name[1:]
            name = name.lower()
            if not self._take(name):
                return found
            self.index += 1
        return found

    def _value(self, message: str) -> str:
        self.index += 1
        if self.index >= len(self.argv):
            raise UsageError(message, show_help=True)
        return self.argv[self.index]

    def _take(self, name: str) -> bool:
        """Use one parameter; False when the rest of the line belongs to it."""
        found = self.found
        if _is(name, "help", "h") or name == "?":
            found.show_help = True
            return False
        if _is(name, "version", "v"):
            found.version = self._value("Missing argument for parameter Version.")
        elif _is(name, "nologo", "nol"):
            found.no_logo = True
        elif _is(name, "noexit", "noe"):
            found.no_exit = True
        elif _is(name, "noprofile", "nop"):
            found.no_profile = True
        elif _is(name, "noninteractive", "noni"):
            found.non_interactive = True
        elif _is(name, "sta", "s") or _is(name, "mta", "mta"):
            pass
        elif _is(name, "command", "c"):
            self._command(self.index + 1)
            return False
        elif _is(name, "windowstyle", "w"):
            self._window_style()
        elif _is(name, "file", "f"):
            self._file()
            return False
        elif _is(name, "outputformat", "o") or name == "of":
            found.output_format = self._format("OutputFormat")
        elif _is(name, "inputformat", "i") or name == "if":
            found.input_format = self._format("InputFormat")
        elif _is(name, "executionpolicy", "ex") or name == "ep":
            self._execution_policy()
        elif _is(name, "encodedarguments", "encodeda") or name == "ea":
            found.encoded_arguments = self._value("Cannot process the command because of a missing parameter.")
        elif _is(name, "encodedcommand", "e") or name == "ec":
            self._encoded()
        elif _is(name, "psconsolefile", "psc"):
            self._value("A console file must follow -PSConsoleFile.")
        elif _is(name, "configurationname", "config"):
            found.configuration_name = self._value("Missing argument for parameter ConfigurationName.")
        else:
            self._command(self.index)
            return False
        return True

    def _format(self, name: str) -> str:
        text = self._value(f"Missing argument for parameter {name}.")
        for full in ("Text", "XML"):
            if full.lower().startswith(text.lower()) and text:
                return full
        raise UsageError(
            f"Cannot process the command because the value specified with -{name} is not recognized. Use Text or XML."
        )

    def _window_style(self) -> None:
        text = self._value("Missing argument for parameter WindowStyle.")
        if text.lower() not in ("normal", "minimized", "maximized", "hidden"):
            raise UsageError(
                f'Cannot process the command because the value specified with -WindowStyle is not valid. Cannot convert value "{text}" '
                'to type "System.Diagnostics.ProcessWindowStyle". Error: "Unable to match the identifier name '
                f"{text} to a valid enumerator name. Specify one of the following enumerator names and try again: Normal, Hidden, "
                'Minimized, Maximized"'
            )

    def _execution_policy(self) -> None:
        text = self._value("Missing argument for parameter ExecutionPolicy.")
        for policy in _POLICIES:
            if policy.lower() == text.lower():
                self.found.execution_policy = policy
                return
        raise UsageError(
            f"Cannot process argument transformation: the execution policy {text} is not valid. Specify one of the following: "
            + ", ".join(_POLICIES)
        )

    def _encoded(self) -> None:
        text = self._value("Cannot process the command because of a missing parameter. A command must follow -Command.")
        try:
            self.found.command = decode_command(text)
        except ValueError:
            raise UsageError(
                "Cannot process the command because the value specified with -EncodedCommand is not properly encoded. The value must be "
                "Base64 encoded."
            ) from None
        self.found.encoded = True

    def _command(self, begin: int) -> None:
        rest = self.argv[begin:]
        if not rest:
            raise UsageError(
                "Cannot process the command because of a missing parameter. A command must follow -Command."
            )
        if rest[0] == "-":
            if len(rest) > 1:
                raise UsageError(
                    "'-' was specified with the -Command parameter; no other arguments to -Command are permitted."
                )
            self.found.from_stdin = True
            return
        self.found.command = " ".join(rest)

    def _file(self) -> None:
        path = self._value("Cannot process the command because of a missing parameter. A command must follow -File.")
        rest = self.argv[self.index + 1 :]
        if path == "-":
            self.found.from_stdin = True
            return
        self.found.file = path
        self.found.file_arguments = rest
