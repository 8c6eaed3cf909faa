"""How the configuration system refuses: an HRESULT, a sentence, and where in which file."""

from __future__ import annotations

E_ACCESSDENIED = 0x80070005
E_BAD_DATA = 0x8007000D
E_FILE_NOT_FOUND = 0x80070002
E_PATH_NOT_FOUND = 0x80070003
E_SHARING_VIOLATION = 0x80070020
E_LOCK_VIOLATION = 0x80070021
E_NOT_SUPPORTED = 0x80070032
E_ALREADY_EXISTS = 0x800700B7
E_BAD_INDEX = 0x80070585
E_INVALID_ARGUMENT = 0x80070057

SECTION_LOCKED = (
    "This configuration section cannot be used at this path. This happens when the section is locked at a parent level. "
    'Locking is either by default (overrideModeDefault="Deny"), or set explicitly by a location tag with '
    'overrideMode="Deny" or the legacy allowOverride="false".'
)
LOCK_VIOLATION = "Lock violation"


class ConfigError(Exception):
    """A refusal of the configuration system.

    Attributes:
        hresult: the error code, e.g. 0x80070021.
        text: the sentence alone, as error page 500.19 shows it under "Config Error" (may be empty).
        file: Windows path of the file at fault; "" where IIS names none.
        line: line in that file; None where IIS names none.
        status, substatus: what a request that meets the error is answered with.
        cause: what it is, where the API reports it with another exception type than its HRESULT has: "required", "cast", "read-only", "index".
    """

    status = 500
    substatus = 19

    def __init__(
        self,
        hresult: int,
        text: str,
        file: str | None = None,
        line: int | None = None,
        *,
        bare: bool = False,
        cause: str = "",
    ):
        self.hresult = hresult
        self.text = text
        self.file = file or ""
        self.line = line
        self.bare = bare
        self.cause = cause
        super().__init__(self.message)

    @property
    def config_file(self) -> str:
        r"""The file as IIS shows it: \\?\C:\..."""
        return "\\\\?\\" + self.file if self.file else ""

    @property
    def message(self) -> str:
        """The text of the .NET exception, as Microsoft.Web.Administration forms it."""
        if self.bare:
            plain = self.cause in ("cast", "read-only") or self.text.endswith(f"HRESULT: 0x{self.hresult:08X})")
            return self.text if plain else self.text + "\r\n"
        line = "" if self.line is None else f"Line number: {self.line}\r\n"
        end = "\r\n\r\n" if self.text else "\r\n"
        return f"Filename: {self.config_file}\r\n{line}Error: {self.text}{end}"

    def at(self, file: str, line: int | None) -> ConfigError:
        """The same refusal with the place in a file where it was met."""
        return ConfigError(self.hresult, self.text, file, line, cause=self.cause)


def cast_error() -> ConfigError:
    return ConfigError(0x80004002, "Specified cast is not valid.", bare=True, cause="cast")


def invalid_index() -> ConfigError:
    """No such item, or no such child element."""
    return ConfigError(E_BAD_INDEX, "Invalid index. (Exception from HRESULT: 0x80070585)", bare=True)


def read_only_error() -> ConfigError:
    text = (
        "The configuration object is read only, because it has been committed by a call to ServerManager.CommitChanges(). "
        "If write access is required, use ServerManager to get a new reference."
    )
    return ConfigError(0x80131509, text, bare=True, cause="read-only")
