"""System.IO.Path of .NET Framework 4.6.2, and full paths for the file classes."""

from __future__ import annotations

import re
import secrets
from typing import Any

from winlab.powershell.errors import NetException
from winlab.powershell.objects import Char
from winlab.windows.errors import WindowsError

from . import context
from .core import net_type, static, static_prop
from .declare import argument, need, not_supported, overloads, path_error

INVALID_PATH = '"<>|' + "".join(chr(code) for code in range(32))
INVALID_NAME = '"<>|' + "".join(chr(code) for code in range(32)) + ":*?\\/"
ILLEGAL = "Illegal characters in path."
NOT_LEGAL = "The path is not of a legal form."


def check_characters(path: str) -> None:
    if any(char in INVALID_PATH for char in path):
        raise argument(ILLEGAL)


def combine(*parts: str) -> str:
    for index, part in enumerate(parts):
        need(part, f"path{index + 1}" if len(parts) < 5 else "paths")
        check_characters(part)
    result = ""
    for part in parts:
        if not part:
            continue
        if is_rooted(part) or not result:
            result = part
        elif result[-1] in "\\/:":
            result += part
        else:
            result += "\\" + part
    return result


def is_rooted(path: str) -> bool:
    return path[:1] in ("\\", "/") or path[1:2] == ":"


def file_name(path: str) -> str:
    return re.split(r"[\\/:]", path)[-1]


def extension(path: str) -> str:
    name = file_name(path)
    dot = name.rfind(".")
    return name[dot:] if 0 <= dot < len(name) - 1 else ""


def root_length(path: str) -> int:
    """How many characters of a normalised path are its root."""
    if path.startswith("\\\\?\\"):
        return 7 if path[5:6] == ":" else 4
    if path.startswith("\\\\"):
        match = re.match(r"\\\\[^\\]*(?:\\[^\\]*)?", path)
        return match.end() if match else 2
    if path.startswith("\\"):
        return 1
    if path[1:2] == ":":
        return 3 if path[2:3] == "\\" else 2
    return 0


def directory_name(path: str) -> str | None:
    check_characters(path)
    if not path.strip(" "):
        raise argument(NOT_LEGAL)
    text = path.replace("/", "\\")
    if not text.startswith("\\\\?\\"):
        head = "\\\\" if text.startswith("\\\\") else ""
        text = head + re.sub(r"\\+", r"\\", text[len(head) :])
    root = root_length(text)
    if len(text) <= root:
        return None
    cut = text.rfind("\\")
    if cut < root:
        return text[:root]
    return text[:cut]


def full_path(path: str) -> str:
    """`GetFullPath`: relative paths are relative to the process's directory, not to PowerShell's location."""
    need(path, "path")
    check_characters(path)
    if not path.strip(" \t"):
        raise argument(NOT_LEGAL)
    if ":" in path[2:] and not path.startswith("\\\\?\\"):
        raise not_supported("The given path's format is not supported.")
    if (
        path.startswith("\\\\")
        and not path.startswith(("\\\\?\\", "\\\\.\\"))
        and not re.match(r"\\\\[^\\]+\\[^\\]+", path)
    ):
        raise argument("The UNC path should be of the form \\\\server\\share.")
    try:
        full = str(context.machine().fs.resolve(path, context.process_directory()))
    except WindowsError as error:
        raise path_error(error, path) from None
    if len(full) >= 260 and not full.startswith("\\\\?\\") and not long_paths():
        raise path_error(WindowsError(206, path=path))
    return full


def long_paths() -> bool:
    """powershell.exe of 5.1 targets .NET 4.x without the switch for long paths: 260 characters hold, `\\\\?\\` lifts them."""
    return False


def temp_path() -> str:
    values = context.runtime().env
    path = values.get("TMP") or values.get("TEMP") or values.get("USERPROFILE") or "C:\\Windows"
    return full_path(str(path).rstrip("\\")) + "\\"


@net_type("System.IO.Path")
class Path:
    """System.IO.Path"""

    for _name, _value in {
        "DirectorySeparatorChar": "\\",
        "AltDirectorySeparatorChar": "/",
        "VolumeSeparatorChar": ":",
        "PathSeparator": ";",
    }.items():
        locals()[f"field_{_name}"] = static_prop(f"{_name} : Char")(lambda _value=_value: Char(_value))
    del _name, _value

    @static_prop("InvalidPathChars : Char[]")
    def invalid_path_chars_field() -> list[Char]:
        return [Char(char) for char in INVALID_PATH]

    @static("ChangeExtension(String,String) : String")
    def change_extension(path: str | None, new: str | None) -> str | None:
        if path is None:
            return None
        check_characters(path)
        name = file_name(path)
        dot = name.rfind(".")
        stem = path[: len(path) - len(name) + dot] if dot >= 0 else path
        if new is None:
            return stem
        return stem + ("" if new.startswith(".") or not path else ".") + new

    @overloads("System.IO.Path", "Combine", skip=("String[]",))
    def combine(*parts: str) -> str:
        return combine(*parts)

    @static("Combine(String[]) : String", params=True)
    def combine_array(parts: Any) -> str:
        return combine(*need(parts, "paths"))

    @static("GetDirectoryName(String) : String")
    def get_directory_name(path: str | None) -> str | None:
        return None if path is None else directory_name(path)

    @static("GetExtension(String) : String")
    def get_extension(path: str | None) -> str | None:
        if path is None:
            return None
        check_characters(path)
        return extension(path)

    @static("GetFileName(String) : String")
    def get_file_name(path: str | None) -> str | None:
        if path is None:
            return None
        check_characters(path)
        return file_name(path)

    @static("GetFileNameWithoutExtension(String) : String")
    def get_file_name_without_extension(path: str | None) -> str | None:
        if path is None:
            return None
        check_characters(path)
        name = file_name(path)
        dot = name.rfind(".")
        return name if dot < 0 else name[:dot]

    @static("GetFullPath(String) : String")
    def get_full_path(path: str) -> str:
        return full_path(path)

    @static("GetInvalidFileNameChars() : Char[]")
    def get_invalid_file_name_chars() -> list[Char]:
        return [Char(char) for char in INVALID_NAME]

    @static("GetInvalidPathChars() : Char[]")
    def get_invalid_path_chars() -> list[Char]:
        return [Char(char) for char in INVALID_PATH]

    @static("GetPathRoot(String) : String")
    def get_path_root(path: str | None) -> str | None:
        if path is None:
            return None
        check_characters(path)
        if not path.strip(" "):
            raise argument(NOT_LEGAL)
        text = path.replace("/", "\\")
        return text[: root_length(text)]

    @static("GetRandomFileName() : String")
    def get_random_file_name() -> str:
        letters = "abcdefghijklmnopqrstuvwxyz012345"
        text = "".join(secrets.choice(letters) for _ in range(11))
        return f"{text[:8]}.{text[8:]}"

    @static("GetTempFileName() : String")
    def get_temp_file_name() -> str:
        folder = temp_path()
        server = context.machine()
        while True:
            path = f"{folder}tmp{secrets.randbelow(0x10000):X}.tmp"
            try:
                server.fs.open(path, "CreateNew", "Write", "None", context.user()).close()
                return path
            except WindowsError as error:
                if error.code != 80:
                    raise path_error(error, path) from None

    @static("GetTempPath() : String")
    def get_temp_path() -> str:
        return temp_path()

    @static("HasExtension(String) : Boolean")
    def has_extension(path: str | None) -> bool:
        if path is None:
            return False
        check_characters(path)
        return bool(extension(path))

    @static("IsPathRooted(String) : Boolean")
    def is_path_rooted(path: str | None) -> bool:
        if path is None:
            return False
        check_characters(path)
        return is_rooted(path)


def not_found(path: str) -> NetException:
    return path_error(WindowsError(2, path=path))
