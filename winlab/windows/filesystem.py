"""The drives of one server: Windows paths over folders of this machine.

Contents, times and the read-only bit are the host file's own (so a real child process sees and makes them too). What the host cannot hold (hidden and
system attributes, creation times, owners and access control lists) is kept in `files.json` by path, each record tied to the inode it was made for.

Sources: the Win32 documentation of CreateFile, MoveFileEx, DeleteFile, RemoveDirectory, "Naming Files, Paths, and Namespaces", and of file security.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fnmatch
import functools
import io
import os
import re
import shutil
import stat as stat_module
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntFlag
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Concatenate, ParamSpec, TypeVar

from winlab.windows import acl as acl_module
from winlab.windows.acl import Acl
from winlab.windows.birth import birth_time
from winlab.windows.current import check_killed, current_process
from winlab.windows.errors import WindowsError
from winlab.windows.python_shim import FREE_SPACE, FreeSpace
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.accounts import Token
    from winlab.windows.machine import Machine

READONLY = 0x1
HIDDEN = 0x2
SYSTEM = 0x4
DIRECTORY = 0x10
ARCHIVE = 0x20
NORMAL = 0x80
TEMPORARY = 0x100
REPARSE_POINT = 0x400
COMPRESSED = 0x800
OFFLINE = 0x1000
NOT_CONTENT_INDEXED = 0x2000
ENCRYPTED = 0x4000
_SETTABLE = READONLY | HIDDEN | SYSTEM | ARCHIVE | TEMPORARY | OFFLINE | NOT_CONTENT_INDEXED | NORMAL
_STORED = HIDDEN | SYSTEM | TEMPORARY | OFFLINE | NOT_CONTENT_INDEXED

MAX_PATH = 260
MAX_COMPONENT = 255
MAX_EXTENDED_PATH = 32767
TOTAL_BYTES = 136_365_211_648
BASE_USED_BYTES = 12_884_901_888

DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}) | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"
}
_INVALID = re.compile(r'[<>"|?*\x00-\x1f]')
_DRIVE = re.compile(r"[A-Za-z]:")


class FileShare(IntFlag):
    """What others may do while a file is open; values as in .NET."""

    NONE = 0
    READ = 1
    WRITE = 2
    READ_WRITE = 3
    DELETE = 4

    @classmethod
    def of(cls, value: FileShare | int | str) -> FileShare:
        return cls(value) if isinstance(value, int) else _flags(cls, value)


class FileAccess(IntFlag):
    """What a handle is for; values as in .NET."""

    NONE = 0
    READ = 1
    WRITE = 2
    READ_WRITE = 3

    @classmethod
    def of(cls, value: FileAccess | int | str) -> FileAccess:
        return cls(value) if isinstance(value, int) else _flags(cls, value)


def _flags(kind: Any, text: str) -> Any:
    names = {"none": 0, "read": 1, "write": 2, "readwrite": 3, "delete": 4}
    value = 0
    for name in text.split(","):
        if name.strip().lower() not in names:
            raise WindowsError(87)
        value |= names[name.strip().lower()]
    return kind(value)


@dataclass(frozen=True)
class Entry:
    """A file or folder as a listing shows it. Times are UTC; size in bytes, 0 for folders."""

    name: str
    path: str
    is_dir: bool
    size: int
    created: datetime.datetime
    modified: datetime.datetime
    accessed: datetime.datetime
    attributes: int
    link_target: str | None = None
    links: int = 1

    @property
    def is_readonly(self) -> bool:
        return bool(self.attributes & READONLY)

    @property
    def is_link(self) -> bool:
        return bool(self.attributes & REPARSE_POINT)


class FileHandle:
    """An open file. Closing it (or the end of the process that opened it) ends its sharing restrictions."""

    def __init__(
        self,
        fs: FileSystem,
        path: str,
        file: BinaryIO,
        key: tuple[int, int],
        access: FileAccess,
        share: FileShare,
        append: bool,
    ) -> None:
        self.fs = fs
        self.path = path
        self.access = access
        self.share = share
        self.key = key
        self.append = append
        self.delete_on_close = False
        self.process = current_process()
        self._file = file
        self.closed = False

    def _need(self, access: FileAccess) -> None:
        check_killed()
        if self.closed:
            raise WindowsError(6, path=self.path)
        if not self.access & access:
            raise WindowsError(5, path=self.path)

    def read(self, n: int = -1) -> bytes:
        self._need(FileAccess.READ)
        return self._file.read(n)

    def write(self, data: bytes) -> int:
        """Writes all of `data` at the position; WindowsError 112 when the disk is full."""
        self._need(FileAccess.WRITE)
        self.fs.charge(len(data), self.path)
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as exc:
            raise self.fs.translate(exc, self.path) from None
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self.closed:
            raise WindowsError(6, path=self.path)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        self._need(FileAccess.WRITE)
        return self._file.truncate(size)

    @property
    def length(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def flush(self) -> None:
        if not self.closed:
            self._file.flush()

    def fileno(self) -> int:
        """The host's descriptor, for handing the file to a real child process."""
        return self._file.fileno()

    def close(self) -> None:
        # Whoever closes second comes back when the file is free, not before.
        with self.fs.machine.lock:
            if self.closed:
                return
            self.closed = True
            self._file.close()
            self.fs.forget_handle(self)
        if self.delete_on_close:
            self.fs.remove(self.path)

    def __enter__(self) -> FileHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class _Location:
    """A Windows path taken apart: drive letter, the components below it, whether it came with \\\\?\\."""

    drive: str
    parts: tuple[str, ...]
    extended: bool = False

    @property
    def path(self) -> str:
        return f"{self.drive}:\\" + "\\".join(self.parts)

    @property
    def parent(self) -> _Location:
        return replace(self, parts=self.parts[:-1])


P = ParamSpec("P")
R = TypeVar("R")


def _translated(method: Callable[Concatenate[FileSystem, str, P], R]) -> Callable[Concatenate[FileSystem, str, P], R]:
    """What the host refuses unexpectedly (a link to nothing, a file that a real child has just removed) as Windows' error for the path."""

    @functools.wraps(method)
    def wrapper(self: FileSystem, path: str, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, path, *args, **kwargs)
        except OSError as exc:
            raise self.translate(exc, path) from None

    return wrapper


class FileSystem:
    """Absolute Windows paths in, WindowsError out. `user`: the Token whose rights count; None is the system itself, unchecked."""

    def __init__(self, machine: Machine, default_acls: dict[str, str]) -> None:
        self.machine = machine
        self.drives: dict[str, Path] = {"C": machine.state_dir / "C"}
        self._roots: dict[str, str] = {"C": str(machine.state_dir / "C")}
        self._handles: dict[tuple[int, int], list[FileHandle]] = {}
        self._document = Document(machine.state_dir / "files.json", {})
        self._records: dict[str, dict[str, Any]] = self._document.data
        self._defaults = {key.upper(): Acl.from_sddl(sddl) for key, sddl in default_acls.items()}
        self._acl_cache: dict[tuple[str, bool], Acl] = {}
        self._names = _Names()
        self._space = FreeSpace(str(machine.state_dir / FREE_SPACE))
        self.free_limit = None
        self.on_change: list[Callable[[str], None]] = []
        """Called with the Windows path after a file below a drive was written, replaced, renamed or removed through this object."""

    # -- paths ------------------------------------------------------------------------------------------------------------------

    def resolve(self, path: str, cwd: str = "C:\\") -> str:
        """The full path of `path` as GetFullPathName gives it: relative to `cwd`, `.` and `..` folded, trailing dots and spaces dropped."""
        if not path:
            raise WindowsError(123, path=path)
        if "\0" in path:
            raise WindowsError(123, path=path)
        if path.startswith("\\\\?\\"):
            return path
        path = path.replace("/", "\\")
        if path.startswith("\\\\"):
            return path
        if _DRIVE.match(path):
            drive, rest = path[0].upper(), path[2:]
            if not rest.startswith("\\"):
                base = cwd if cwd[:1].upper() == drive else drive + ":\\"
                rest = base[2:].rstrip("\\") + "\\" + rest
        else:
            drive, rest = cwd[0].upper(), path
            if not rest.startswith("\\"):
                rest = cwd[2:].rstrip("\\") + "\\" + rest
        parts: list[str] = []
        for part in rest.split("\\"):
            if part in ("", "."):
                continue
            if part == "..":
                if parts:
                    parts.pop()
                continue
            parts.append(part)
        cleaned = [part.rstrip(".") if i < len(parts) - 1 else part.rstrip(". ") for i, part in enumerate(parts)]
        cleaned = [part for part in cleaned if part]
        if cleaned and _device(cleaned[-1]):
            return "\\\\.\\" + _device(cleaned[-1])
        tail = "\\" if path.endswith("\\") and cleaned else ""
        return f"{drive}:\\" + "\\".join(cleaned) + tail

    def is_device(self, path: str) -> bool:
        """True for NUL, CON and the like, wherever they stand."""
        return path.startswith("\\\\.\\") or bool(_device(path.rpartition("\\")[2]))

    def _locate(self, path: str) -> _Location:
        """Takes an absolute path apart and refuses what Windows refuses (3, 15, 53, 123, 206)."""
        check_killed()
        extended = path.startswith("\\\\?\\")
        text = path[4:] if extended else path.replace("/", "\\")
        if not extended and text.startswith("\\\\"):
            raise WindowsError(53, path=path)
        if extended and text.upper().startswith("UNC\\"):
            raise WindowsError(53, path=path)
        if len(text) < 2 or text[1] != ":" or not text[0].isalpha():
            raise WindowsError(123 if ":" in text else 3, path=path)
        drive = text[0].upper()
        if drive not in self._roots:
            raise WindowsError(3, path=path)
        if len(path) > (MAX_EXTENDED_PATH if extended else MAX_PATH - 1):
            raise WindowsError(206, path=path)
        if not extended and (
            "\\." in text or ". " in text or text.endswith((".", " ")) or "//" in text or text[2:3] != "\\"
        ):
            text = self.resolve(text)
            if text.startswith("\\\\.\\"):
                raise WindowsError(2, path=path)
        parts = tuple(part for part in text[3:].split("\\") if part)
        for index, part in enumerate(parts):
            self._check_name(part, index == len(parts) - 1, path)
        return _Location(drive, parts, extended)

    def _check_name(self, part: str, last: bool, path: str) -> None:
        if _INVALID.search(part) or "/" in part:
            raise WindowsError(123, path=path)
        if ":" in part:
            raise WindowsError(123 if not last or not part.partition(":")[0] else 50, _STREAMS if last else None, path)
        if len(part) > MAX_COMPONENT or len(part.encode("utf-8", "surrogatepass")) > 255:
            raise WindowsError(123 if len(part) > MAX_COMPONENT else 206, path=path)

    def _host(self, location: _Location) -> tuple[str, int]:
        """(host path, number of components that exist). Existing ones are matched without regard to case."""
        root = self._roots[location.drive]
        parts = location.parts
        if not parts:
            return root, 0
        candidate = f"{root}/{'/'.join(parts)}"
        try:
            if os.path.lexists(candidate):
                return candidate, len(parts)
        except (ValueError, UnicodeEncodeError):
            raise WindowsError(123, path=location.path) from None
        host = root
        for index, part in enumerate(parts):
            step = f"{host}/{part}"
            if not os.path.lexists(step):
                found = self._names.find(host, part)
                if found is None:
                    return "/".join((host, *parts[index:])), index
                step = f"{host}/{found}"
            host = step
        return host, len(parts)

    def host_path(self, path: str) -> Path:
        """The host's path of a Windows path; components that exist are matched without regard to case."""
        return Path(self._host(self._locate(path))[0])

    def windows_path(self, real: str | os.PathLike[str]) -> str:
        """The Windows path of a host path below a drive. ValueError when it lies elsewhere."""
        text = os.path.abspath(os.fspath(real))
        for drive, root in self._roots.items():
            if text == root:
                return f"{drive}:\\"
            if text.startswith(root + "/"):
                return f"{drive}:\\" + text[len(root) + 1 :].replace("/", "\\")
        raise ValueError(f"{text} is not on a drive of {self.machine.name}")

    @_translated
    def stored_path(self, path: str) -> str:
        """The path with the case in which its existing components are stored (GetFinalPathNameByHandle-like; links are not followed)."""
        location = self._locate(path)
        return self.windows_path(self._host(location)[0])

    def _existing(self, path: str, location: _Location | None = None) -> tuple[_Location, str]:
        location = location or self._locate(path)
        host, found = self._host(location)
        missing = len(location.parts) - found
        if missing:
            if _SHORT_NAME.fullmatch(location.parts[found]):
                raise WindowsError(2, "Short (8.3) names are not simulated by this lab; the volume has none.", path)
            if missing == 1 and os.path.isdir(os.path.dirname(host)):
                raise WindowsError(2, path=path)
            raise WindowsError(3, path=path)
        return location, host

    # -- looking ----------------------------------------------------------------------------------------------------------------

    def _probe(self, path: str) -> str | None:
        try:
            location = self._locate(path)
            host, found = self._host(location)
        except WindowsError:
            return None
        return host if found == len(location.parts) else None

    def exists(self, path: str, user: Token | None = None) -> bool:
        """True when a file or folder is there; False too for a path that cannot be one."""
        return self._probe(path) is not None

    def is_file(self, path: str, user: Token | None = None) -> bool:
        host = self._probe(path)
        return host is not None and not path.endswith("\\") and not os.path.isdir(host)

    def is_dir(self, path: str, user: Token | None = None) -> bool:
        host = self._probe(path)
        return host is not None and os.path.isdir(host)

    @_translated
    def stat(self, path: str, user: Token | None = None) -> Entry:
        """The entry at `path`; WindowsError 2 or 3 when nothing is there."""
        location, host = self._existing(path)
        return self._entry(location, host)

    def _entry(self, location: _Location, host: str) -> Entry:
        try:
            info = os.lstat(host)
        except FileNotFoundError:
            raise WindowsError(2, path=location.path) from None
        target = None
        is_link = stat_module.S_ISLNK(info.st_mode)
        if is_link:
            target = self._link_target(host)
            try:
                info = os.stat(host)
            except OSError:
                pass
        is_dir = stat_module.S_ISDIR(info.st_mode)
        record = self._record(location, info)
        attributes = int(record.get("attributes", 0)) | (DIRECTORY if is_dir else 0)
        if not is_dir:
            attributes |= 0 if record.get("archived") else ARCHIVE
            attributes |= 0 if info.st_mode & 0o200 else READONLY
        attributes |= REPARSE_POINT if is_link else 0
        created = record.get("created")
        if created is None:
            created = birth_time(host)
        return Entry(
            name=os.path.basename(host) if location.parts else f"{location.drive}:\\",
            path=self.windows_path(host),
            is_dir=is_dir,
            size=0 if is_dir else info.st_size,
            created=_time(float(created)) if created is not None else _time(min(info.st_mtime, info.st_ctime)),
            modified=_time(info.st_mtime),
            accessed=_time(info.st_atime),
            attributes=attributes or NORMAL,
            link_target=target,
            links=1 if is_dir else info.st_nlink,
        )

    def _link_target(self, host: str) -> str | None:
        raw = os.readlink(host)
        full = os.path.normpath(os.path.join(os.path.dirname(host), raw))
        try:
            return self.windows_path(full)
        except ValueError:
            return None

    @_translated
    def listdir(self, path: str, user: Token | None = None) -> list[Entry]:
        """The entries of a folder in NTFS order (by upper-cased name). WindowsError 3 when it is not there, 267 when it is a file, 5 without the right."""
        location = self._locate(path)
        host, found = self._host(location)
        if found < len(location.parts):
            raise WindowsError(3, path=path)
        if not os.path.isdir(host):
            raise WindowsError(267, path=path)
        self._require(location, host, True, acl_module.LIST_DIRECTORY, user, path)
        result = []
        for name in sorted(os.listdir(host), key=_upper):
            child = _Location(location.drive, (*location.parts, name), location.extended)
            try:
                result.append(self._entry(child, f"{host}/{name}"))
            except WindowsError:
                continue
        return result

    def glob(self, folder: str, pattern: str, user: Token | None = None) -> list[Entry]:
        """Entries of a folder whose names match a Win32 wildcard pattern (* and ?; *.* matches every name)."""
        matches = wildcard(pattern)
        return [entry for entry in self.listdir(folder, user) if matches(entry.name)]

    def walk(self, path: str, user: Token | None = None) -> Iterator[tuple[str, list[Entry], list[Entry]]]:
        """(folder, folders in it, files in it), top down; links are not followed."""
        entries = self.listdir(path, user)
        folders = [entry for entry in entries if entry.is_dir]
        yield path, folders, [entry for entry in entries if not entry.is_dir]
        for folder in folders:
            if not folder.is_link:
                yield from self.walk(folder.path, user)

    # -- access -----------------------------------------------------------------------------------------------------------------

    def _key(self, location: _Location) -> str:
        return location.drive + ":" + "\\".join(_upper(part) for part in location.parts)

    def _record(self, location: _Location, info: os.stat_result | None = None) -> dict[str, Any]:
        record = self._records.get(self._key(location))
        if record is None:
            return {}
        if info is None:
            try:
                info = os.stat(self._host(location)[0])
            except OSError:
                return {}
        return record if record.get("ino") == info.st_ino else {}

    def _change_record(self, location: _Location, host: str, **values: Any) -> None:
        with self.machine.lock:
            info = os.stat(host)
            record = dict(self._record(location, info))
            record.update(values)
            record = {name: value for name, value in record.items() if value is not None}
            key = self._key(location)
            if record.keys() <= {"ino"}:
                self._records.pop(key, None)
            else:
                record["ino"] = info.st_ino
                self._records[key] = record
            self._acl_cache.clear()
            self._document.save()

    def _acl(self, location: _Location, is_dir: bool) -> Acl:
        """The security descriptor: what was set on the object, and what it inherits from its folder."""
        key = self._key(location)
        cached = self._acl_cache.get((key, is_dir))
        if cached is not None:
            return cached
        record = self._record(location) if key in self._records else {}
        if "acl" in record:
            own = Acl.from_sddl(record["acl"])
        else:
            own = self._defaults.get(key) or Acl(acl_module.ADMINISTRATORS)
            if "owner" in record:
                own = replace(own, owner=str(record["owner"]))
        if own.protected or not location.parts or (record.get("kept") and "acl" in record):
            result = own
        else:
            parent = self._acl(location.parent, True)
            inherited = acl_module.inherit(parent.aces, is_dir, own.owner)
            result = replace(own, aces=(*own.explicit, *inherited))
        if len(self._acl_cache) > 4096:
            self._acl_cache.clear()
        if is_dir or key in self._records:
            self._acl_cache[key, is_dir] = result
        return result

    @_translated
    def get_acl(self, path: str, user: Token | None = None) -> Acl:
        """The security descriptor of a file or folder, inherited entries included."""
        location, host = self._existing(path)
        is_dir = os.path.isdir(host)
        self._require(location, host, is_dir, acl_module.READ_CONTROL, user, path)
        return self._acl(location, is_dir)

    @_translated
    def set_acl(self, path: str, value: Acl, user: Token | None = None) -> None:
        """Replaces owner and explicit entries; inherited ones are worked out anew from the folder unless `value.protected`.

        Below a folder, inherited entries follow at once, as SetNamedSecurityInfo makes them."""
        location, host = self._existing(path)
        is_dir = os.path.isdir(host)
        before = self._acl(location, is_dir)
        if value.owner != before.owner:
            self._require(location, host, is_dir, acl_module.WRITE_OWNER, user, path)
            if user is not None and value.owner not in user.sids and not user.elevated:
                raise WindowsError(1307, path=path)
        if (value.aces, value.protected) != (before.aces, before.protected):
            self._require(location, host, is_dir, acl_module.WRITE_DAC, user, path)
        explicit = value.explicit if not value.protected else tuple(replace(ace, inherited=False) for ace in value.aces)
        stored = replace(value, aces=explicit).canonical()
        self._change_record(location, host, acl=stored.to_sddl(), owner=None, kept=None)
        if is_dir:
            self._drop_kept(location)

    def _drop_kept(self, location: _Location) -> None:
        """Inheritance was worked out anew: entries that moved objects had kept from their old folder are gone."""
        prefix = self._key(location).rstrip(":") + "\\" if location.parts else self._key(location)
        changed = False
        with self.machine.lock:
            for key, record in list(self._records.items()):
                if record.get("kept") and key.startswith(prefix):
                    own = Acl.from_sddl(record["acl"])
                    record.pop("kept")
                    record["acl"] = replace(own, aces=own.explicit).to_sddl()
                    changed = True
            if changed:
                self._acl_cache.clear()
                self._document.save()

    def batch(self) -> contextlib.AbstractContextManager[None]:
        """For many changes of attributes or access: what is kept of them is written once at the end."""
        return self._document.batch()

    def reset_acl(self, path: str, user: Token | None = None) -> None:
        """Drops explicit entries and protection: only inherited entries stay (icacls /reset)."""
        current = self.get_acl(path, user)
        self.set_acl(path, Acl(current.owner, (), current.group, False), user)

    @_translated
    def access(self, path: str, user: Token | None) -> int:
        """The access mask `user` has at an existing path (FILE_* bits of winlab.windows.acl)."""
        location, host = self._existing(path)
        return self._granted(location, host, os.path.isdir(host), user)

    def _granted(self, location: _Location, host: str, is_dir: bool, user: Token | None) -> int:
        if user is None:
            return acl_module.FULL_CONTROL
        mask = acl_module.granted(self._acl(location, is_dir), user.sids)
        if user.elevated:
            # SeTakeOwnership, SeBackup and SeRestore are not used by ordinary calls; owner rights of Administrators come from the list itself.
            mask |= acl_module.WRITE_OWNER
        if location.parts and (not mask & acl_module.DELETE or not mask & acl_module.READ_ATTRIBUTES):
            parent = acl_module.granted(self._acl(location.parent, True), user.sids)
            if parent & acl_module.DELETE_CHILD:
                mask |= acl_module.DELETE
            if parent & acl_module.LIST_DIRECTORY:
                mask |= acl_module.READ_ATTRIBUTES
        return mask

    def _require(self, location: _Location, host: str, is_dir: bool, mask: int, user: Token | None, path: str) -> None:
        if user is not None and self._granted(location, host, is_dir, user) & mask != mask:
            raise WindowsError(5, path=path)

    def paths_with_own_acl(self) -> list[str]:
        """Windows paths of existing objects that have entries of their own, folders before what is in them."""
        keys = sorted(
            {*self._defaults, *(key for key, record in self._records.items() if "acl" in record or "owner" in record)}
        )
        paths = [key[0] + ":\\" + key[2:] for key in keys]
        return [self.stored_path(path) for path in paths if self.exists(path)]

    def access_below(self, folder: str, user: Token | None, is_dir: bool) -> int:
        """The access mask `user` has on a file or folder directly in `folder` that has no entries of its own and belongs to Administrators."""
        if user is None:
            return acl_module.FULL_CONTROL
        inherited = acl_module.inherit(self.get_acl(folder).aces, is_dir, acl_module.ADMINISTRATORS)
        return acl_module.granted(Acl(acl_module.ADMINISTRATORS, inherited), user.sids)

    @_translated
    def check_access(self, path: str, mask: int, user: Token | None) -> None:
        """WindowsError 5 unless `user` has every right of `mask` at the existing path."""
        location, host = self._existing(path)
        self._require(location, host, os.path.isdir(host), mask, user, path)

    def _require_create(self, location: _Location, mask: int, user: Token | None, path: str) -> None:
        parent = location.parent
        host, found = self._host(parent)
        if found < len(parent.parts) or not os.path.isdir(host):
            raise WindowsError(3, path=path)
        self._require(parent, host, True, mask, user, path)

    def _own(self, location: _Location, host: str, user: Token | None) -> None:
        """Makes the creator the owner where that is not the Administrators group (which owns what administrators make)."""
        if user is not None and not user.elevated and not user.is_system:
            self._change_record(location, host, owner=user.sid)
        elif self._key(location) in self._records:
            with self.machine.lock:
                self._records.pop(self._key(location), None)
                self._acl_cache.clear()
                self._document.save()

    # -- use by others ----------------------------------------------------------------------------------------------------------

    def forget_handle(self, handle: FileHandle) -> None:
        with self.machine.lock:
            handles = self._handles.get(handle.key)
            if handles and handle in handles:
                handles.remove(handle)
                if not handles:
                    del self._handles[handle.key]

    def close_handles_of(self, process: object) -> None:
        """Closes what a process that has ended left open."""
        with self.machine.lock:
            left = [handle for handles in self._handles.values() for handle in handles if handle.process is process]
        for handle in left:
            handle.close()

    def close_handles(self) -> None:
        """Closes all files: the server goes down."""
        with self.machine.lock:
            left = [handle for handles in self._handles.values() for handle in handles]
        for handle in left:
            handle.close()

    def open_handles(self, path: str) -> list[FileHandle]:
        """Handles on a file by any of its names."""
        _, host = self._existing(path)
        info = os.stat(host)
        return list(self._handles.get((info.st_dev, info.st_ino), ()))

    def _check_sharing(self, host: str, access: FileAccess, share: FileShare, path: str) -> None:
        info = os.stat(host)
        for handle in self._handles.get((info.st_dev, info.st_ino), ()):
            if access & FileAccess.READ and not handle.share & FileShare.READ:
                raise WindowsError(32, path=path)
            if access & FileAccess.WRITE and not handle.share & FileShare.WRITE:
                raise WindowsError(32, path=path)
            if handle.access & FileAccess.READ and not share & FileShare.READ:
                raise WindowsError(32, path=path)
            if handle.access & FileAccess.WRITE and not share & FileShare.WRITE:
                raise WindowsError(32, path=path)
        usage = self.machine.processes.usage()
        if access & FileAccess.WRITE and (host in usage.images or host in usage.mapped):
            raise WindowsError(32, path=path)
        if host in usage.native_open and not share & FileShare.WRITE:
            raise WindowsError(32, path=path)

    def _check_removable(self, host: str, path: str) -> None:
        """A file can go (or be replaced): nobody has it open without FileShare.Delete, nobody runs it."""
        info = os.lstat(host)
        for handle in self._handles.get((info.st_dev, info.st_ino), ()):
            if not handle.share & FileShare.DELETE:
                raise WindowsError(32, path=path)
        usage = self.machine.processes.usage()
        if host in usage.native_open:
            raise WindowsError(32, path=path)
        if host in usage.images or host in usage.mapped:
            raise WindowsError(5, path=path)

    def _check_movable(self, host: str, path: str) -> None:
        """A file or folder can get another name: not open without FileShare.Delete, nothing below it open, no process standing in it.

        Only handles count: what runs, or is loaded as a DLL, is mapped without one."""
        usage = self.machine.processes.usage()
        if not os.path.isdir(host) or os.path.islink(host):
            info = os.lstat(host)
            if host in usage.native_open:
                raise WindowsError(32, path=path)
            for handle in self._handles.get((info.st_dev, info.st_ino), ()):
                if not handle.share & FileShare.DELETE:
                    raise WindowsError(32, path=path)
            return
        if host in usage.directories:
            raise WindowsError(32, path=path)
        prefix = host + "/"
        below = (*usage.directories, *usage.native_open)
        if any(used.startswith(prefix) for used in below):
            raise WindowsError(5, path=path)
        drive_path = self.windows_path(host).upper() + "\\"
        for handles in list(self._handles.values()):
            if any(handle.path.upper().startswith(drive_path) for handle in handles):
                raise WindowsError(5, path=path)

    @property
    def free_limit(self) -> int | None:
        """Bytes that may still be written before the disk is full; None: as much as the host takes. Python processes that start afterwards are
        held to it, too."""
        return self._space.change(lambda left: left)[1] if self._limited else None

    @free_limit.setter
    def free_limit(self, limit: int | None) -> None:
        self._limited = limit is not None
        path = Path(self._space.path)
        if limit is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_text(str(limit))
            partial.replace(path)

    def charge(self, count: int, path: str | None = None) -> None:
        """Takes `count` bytes of the free space; WindowsError 112 when they are not there."""
        if self._limited and not self._space.take_all(count):
            raise WindowsError(112, path=path)

    def _refund(self, count: int) -> None:
        if self._limited:
            self._space.give(count)

    @property
    def free_bytes(self) -> int:
        """What the volume reports as free."""
        limit = self.free_limit
        return TOTAL_BYTES - BASE_USED_BYTES if limit is None else limit

    @property
    def total_bytes(self) -> int:
        return TOTAL_BYTES

    def translate(self, exc: OSError, path: str | None = None) -> WindowsError:
        """The Windows error for what the host said."""
        codes = {
            errno.ENOENT: 2,
            errno.ENOTDIR: 3,
            errno.EACCES: 5,
            errno.EPERM: 5,
            errno.EEXIST: 183,
            errno.ENOTEMPTY: 145,
            errno.ENOSPC: 112,
            errno.EDQUOT: 112,
            errno.EISDIR: 5,
            errno.ENAMETOOLONG: 206,
            errno.EXDEV: 17,
            errno.EBUSY: 32,
            errno.ETXTBSY: 32,
            errno.EMLINK: 1142,
            errno.ELOOP: 1921,
        }
        return WindowsError(codes.get(exc.errno or 0, 31), path=path)

    # -- opening ----------------------------------------------------------------------------------------------------------------

    @_translated
    def open(
        self,
        path: str,
        mode: str = "Open",
        access: FileAccess | int | str = FileAccess.READ,
        share: FileShare | int | str = FileShare.READ,
        user: Token | None = None,
    ) -> FileHandle:
        """Opens a file. mode: CreateNew, Create, Open, OpenOrCreate, Truncate or Append, as in .NET's FileMode.

        WindowsError 2, 3, 5 (a folder, or no right), 32 (in use), 80 (CreateNew), 87, 112, 123, 206."""
        mode = mode.lower()
        access, share = FileAccess.of(access), FileShare.of(share)
        if mode not in ("createnew", "create", "open", "openorcreate", "truncate", "append"):
            raise WindowsError(87, path=path)
        if mode == "append":
            access |= FileAccess.WRITE
        if mode in ("createnew", "create", "truncate") and not access & FileAccess.WRITE:
            raise WindowsError(87, path=path)
        if path.endswith("\\"):
            raise WindowsError(123 if len(path) > 3 else 5, path=path)
        location = self._locate(path)
        with self.machine.lock:
            host, found = self._host(location)
            exists = found == len(location.parts)
            if exists and os.path.isdir(host):
                raise WindowsError(5, path=path)
            if exists and mode == "createnew":
                raise WindowsError(80, path=path)
            if not exists:
                if mode in ("open", "truncate"):
                    self._existing(path, location)
                self._require_create(location, acl_module.ADD_FILE, user, path)
            else:
                self._check_open(location, host, mode, access, share, user, path)
            return self._open(location, host, exists, mode, access, share, user, path)

    def _check_open(
        self,
        location: _Location,
        host: str,
        mode: str,
        access: FileAccess,
        share: FileShare,
        user: Token | None,
        path: str,
    ) -> None:
        mask = (acl_module.READ_DATA if access & FileAccess.READ else 0) | (
            (acl_module.APPEND_DATA if mode == "append" else acl_module.WRITE_DATA) if access & FileAccess.WRITE else 0
        )
        self._require(location, host, False, mask, user, path)
        if access & FileAccess.WRITE:
            entry = self._entry(location, host)
            if entry.attributes & READONLY or (mode == "create" and entry.attributes & (HIDDEN | SYSTEM)):
                raise WindowsError(5, path=path)
        self._check_sharing(host, access, share, path)

    def _open(
        self,
        location: _Location,
        host: str,
        exists: bool,
        mode: str,
        access: FileAccess,
        share: FileShare,
        user: Token | None,
        path: str,
    ) -> FileHandle:
        flags = os.O_CLOEXEC | getattr(os, "O_NOCTTY", 0)
        flags |= os.O_RDWR if access == FileAccess.READ_WRITE or mode == "append" else 0
        flags |= os.O_WRONLY if access == FileAccess.WRITE and mode != "append" else 0
        flags |= 0 if exists else os.O_CREAT | os.O_EXCL
        if exists and mode in ("create", "truncate"):
            self._refund(os.path.getsize(host))
            flags |= os.O_TRUNC
        try:
            descriptor = os.open(host, flags, 0o666)
        except OSError as exc:
            raise self.translate(exc, path) from None
        raw = "rb" if access == FileAccess.READ else ("r+b" if flags & os.O_RDWR else "wb")
        file: BinaryIO = os.fdopen(descriptor, raw, 0 if access & FileAccess.WRITE else -1)  # type: ignore[assignment]
        if mode == "append":
            file.seek(0, io.SEEK_END)
        info = os.fstat(descriptor)
        if not exists:
            self._names.created(host)
            self._own(location, host, user)
        handle = FileHandle(
            self, self.windows_path(host), file, (info.st_dev, info.st_ino), access, share, mode == "append"
        )
        self._handles.setdefault(handle.key, []).append(handle)
        if access & FileAccess.WRITE:
            self._changed(handle.path)
        return handle

    def _changed(self, path: str) -> None:
        for callback in list(self.on_change):
            callback(path)

    def read_bytes(self, path: str, user: Token | None = None) -> bytes:
        """The whole file."""
        with self.open(path, "Open", FileAccess.READ, FileShare.READ_WRITE | FileShare.DELETE, user) as handle:
            return handle.read()

    def read_text(self, path: str, encoding: str = "utf-8", user: Token | None = None) -> str:
        return self.read_bytes(path, user).decode(encoding)

    def write_bytes(self, path: str, data: bytes, user: Token | None = None) -> None:
        """Creates or overwrites a file."""
        with self.open(path, "Create", FileAccess.WRITE, FileShare.READ, user) as handle:
            handle.write(data)

    def write_text(self, path: str, text: str, encoding: str = "utf-8", user: Token | None = None) -> None:
        self.write_bytes(path, text.encode(encoding), user)

    def append_bytes(self, path: str, data: bytes, user: Token | None = None) -> None:
        with self.open(path, "Append", FileAccess.WRITE, FileShare.READ_WRITE, user) as handle:
            handle.write(data)

    # -- changing ---------------------------------------------------------------------------------------------------------------

    @_translated
    def mkdir(self, path: str, parents: bool = False, user: Token | None = None) -> bool:
        """Makes a folder. WindowsError 183 when something has that name (with `parents`, an existing folder is fine and False is returned)."""
        location = self._locate(path)
        if not location.extended and len(location.path) > MAX_PATH - 13:
            raise WindowsError(206, path=path)
        with self.machine.lock:
            host, found = self._host(location)
            if found == len(location.parts):
                if parents and os.path.isdir(host):
                    return False
                raise WindowsError(183, path=path)
            if parents and found < len(location.parts) - 1:
                self.mkdir(
                    location.parent.path if not location.extended else "\\\\?\\" + location.parent.path, True, user
                )
                host, _ = self._host(location)
            self._require_create(location, acl_module.ADD_SUBDIRECTORY, user, path)
            self.charge(0, path)
            try:
                os.mkdir(host)
            except OSError as exc:
                raise self.translate(exc, path) from None
            self._names.created(host)
            self._own(location, host, user)
        return True

    @_translated
    def remove(self, path: str, user: Token | None = None) -> None:
        """Deletes a file (a link itself, not its target). WindowsError 2, 3, 5 (folder, read-only, running, no right), 32 (in use)."""
        with self.machine.lock:
            location, host = self._existing(path)
            if os.path.isdir(host) and not os.path.islink(host):
                raise WindowsError(5, path=path)
            info = os.lstat(host)
            if not stat_module.S_ISLNK(info.st_mode) and not info.st_mode & 0o200:
                raise WindowsError(5, path=path)
            self._require(location, host, False, acl_module.DELETE, user, path)
            self._check_removable(host, path)
            try:
                os.unlink(host)
            except OSError as exc:
                raise self.translate(exc, path) from None
            self._names.removed(host)
            self._refund(info.st_size if info.st_nlink == 1 else 0)
            self._forget(location)
        self._changed(location.path)

    @_translated
    def rmdir(self, path: str, user: Token | None = None) -> None:
        """Removes an empty folder (or a link to one). WindowsError 2, 3, 5, 32 (a process stands in it), 145, 267 (a file)."""
        with self.machine.lock:
            location, host = self._existing(path)
            if os.path.islink(host):
                os.unlink(host)
                return
            if not os.path.isdir(host):
                raise WindowsError(267, path=path)
            if not location.parts:
                raise WindowsError(5, path=path)
            self._require(location, host, True, acl_module.DELETE, user, path)
            if self._record(location).get("attributes", 0) & READONLY:
                raise WindowsError(5, path=path)
            if host in self.machine.processes.usage().directories:
                raise WindowsError(32, path=path)
            try:
                os.rmdir(host)
            except OSError as exc:
                raise self.translate(exc, path) from None
            self._forget(location)
        self._changed(location.path)

    def rmtree(self, path: str, user: Token | None = None, force: bool = False) -> None:
        """Removes a folder with all below it, stopping at the first refusal. force: read-only files go too."""
        entry = self.stat(path)
        if not entry.is_dir:
            self._remove_forced(path, user, force)
            return
        if not entry.is_link:
            for child in self.listdir(path, user):
                child_path = path.rstrip("\\") + "\\" + child.name
                if child.is_dir:
                    self.rmtree(child_path, user, force)
                else:
                    self._remove_forced(child_path, user, force)
        self.rmdir(path, user)

    def _remove_forced(self, path: str, user: Token | None, force: bool) -> None:
        if force:
            attributes = self.attributes(path)
            if attributes & READONLY:
                self.set_attributes(path, attributes & ~READONLY, user)
        self.remove(path, user)

    def _forget(self, location: _Location) -> None:
        """Drops what is kept about an object that is gone, and about all that was below it."""
        key = self._key(location)
        stale = [item for item in self._records if item == key or item.startswith(key + "\\")]
        if stale:
            for item in stale:
                del self._records[item]
            self._document.save()
            self._acl_cache.clear()

    @_translated
    def move(self, src: str, dst: str, replace: bool = False, user: Token | None = None) -> None:
        """MoveFileEx: gives a file or folder another name on the same volume. Security stays with the object, inherited entries included.

        WindowsError 2, 3, 5 (no right; a folder with open files below; replacing a folder or a running file), 17 (other drive),
        32 (in use; into itself), 183."""
        with self.machine.lock:
            source, host = self._existing(src)
            target = self._locate(dst)
            if source.drive != target.drive:
                raise WindowsError(17, path=src)
            if not source.parts:
                raise WindowsError(5, path=src)
            is_dir = os.path.isdir(host) and not os.path.islink(host)
            target_host, found = self._host(target)
            exists = found == len(target.parts)
            same = (
                exists and os.path.lexists(target_host) and os.path.samefile(host, target_host) and host == target_host
            )
            self._require(source, host, is_dir, acl_module.DELETE, user, src)
            if is_dir and self._key(target).startswith(self._key(source) + "\\"):
                raise WindowsError(32, path=src)  # MoveFile into itself: the folder is in use by the move
            if exists and not same:
                if not replace:
                    raise WindowsError(183, path=dst)
                self._check_replaceable(target, target_host, user, dst)
            self._require_create(target, acl_module.ADD_SUBDIRECTORY if is_dir else acl_module.ADD_FILE, user, dst)
            self._check_movable(host, src)
            self._rename(
                source,
                host,
                target,
                target_host if not same else os.path.join(os.path.dirname(host), target.parts[-1]),
                is_dir,
            )
        self._changed(source.path)
        self._changed(target.path)

    def _check_replaceable(self, location: _Location, host: str, user: Token | None, path: str) -> None:
        if os.path.isdir(host):
            raise WindowsError(5, path=path)
        if not os.lstat(host).st_mode & 0o200:
            raise WindowsError(5, path=path)
        self._require(location, host, False, acl_module.DELETE, user, path)
        self._check_removable(host, path)

    def _rename(self, source: _Location, host: str, target: _Location, target_host: str, is_dir: bool) -> None:
        kept = self._acl(source, is_dir)
        record = dict(self._record(source))
        if os.path.lexists(target_host) and target_host != host:
            self._forget(target)
        elif self._key(target) in self._records:
            self._records.pop(self._key(target))
        with self.machine.processes.renaming(host, target_host):
            try:
                os.rename(host, target_host)
            except OSError as exc:
                raise self.translate(exc, source.path) from None
        self._names.removed(host)
        self._names.created(target_host)
        old, new = self._key(source), self._key(target)
        moved = {
            new + key[len(old) :]: value
            for key, value in self._records.items()
            if key == old or key.startswith(old + "\\")
        }
        if moved or record:
            for key in [key for key in self._records if key == old or key.startswith(old + "\\")]:
                del self._records[key]
            self._records.update(moved)
            self._acl_cache.clear()
        now = self._acl(target, is_dir)
        if now != kept:
            record.update(acl=kept.to_sddl(), kept=True, ino=os.lstat(target_host).st_ino)
            record.pop("owner", None)
            self._records[new] = record
            self._acl_cache.clear()
        if moved or now != kept:
            self._document.save()
        for handles in self._handles.values():
            for handle in handles:
                if handle.path.upper() == source.path.upper():
                    handle.path = target.path

    @_translated
    def copy(self, src: str, dst: str, overwrite: bool = True, user: Token | None = None) -> None:
        """CopyFile: contents, attributes and modification time; security comes from the new folder. WindowsError 80 when `dst` exists and not `overwrite`."""
        location, host = self._existing(src)
        if os.path.isdir(host):
            raise WindowsError(5, path=src)
        if not overwrite and self.exists(dst):
            raise WindowsError(80, path=dst)
        if self.is_dir(dst):
            raise WindowsError(5, path=dst)
        info = os.stat(host)
        with self.open(src, "Open", FileAccess.READ, FileShare.READ_WRITE | FileShare.DELETE, user) as reader:
            target = self._probe(dst)
            if target is not None and os.path.samefile(host, target):
                raise WindowsError(32, path=dst)
            with self.open(dst, "Create", FileAccess.WRITE, FileShare.NONE, user) as writer:
                while chunk := reader.read(1 << 20):
                    writer.write(chunk)
        target_location, target_host = self._existing(dst)
        os.utime(target_host, ns=(info.st_atime_ns, info.st_mtime_ns))
        os.chmod(target_host, stat_module.S_IMODE(info.st_mode))
        stored = self._record(location).get("attributes", 0)
        if stored:
            self._change_record(target_location, target_host, attributes=stored)

    @_translated
    def link(self, path: str, target: str, user: Token | None = None) -> None:
        """A hard link `path` to the existing file `target`. WindowsError 2, 3, 5 (a folder), 17, 183."""
        source, host = self._existing(target)
        location = self._locate(path)
        if source.drive != location.drive:
            raise WindowsError(17, path=path)
        if os.path.isdir(host):
            raise WindowsError(5, path=target)
        new_host, found = self._host(location)
        if found == len(location.parts):
            raise WindowsError(183, path=path)
        self._require_create(location, acl_module.ADD_FILE, user, path)
        self._require(source, host, False, acl_module.WRITE_ATTRIBUTES, user, target)
        try:
            os.link(host, new_host)
        except OSError as exc:
            raise self.translate(exc, path) from None

    @_translated
    def symlink(self, path: str, target: str, user: Token | None = None) -> None:
        """A junction or symbolic link `path` to the absolute path `target` on a simulated drive."""
        if user is not None and not user.elevated:
            raise WindowsError(1314, path=path)
        location = self._locate(path)
        new_host, found = self._host(location)
        if found == len(location.parts):
            raise WindowsError(183, path=path)
        self._require_create(location, acl_module.ADD_FILE, user, path)
        target_host, _ = self._host(self._locate(target))
        os.symlink(os.path.relpath(target_host, os.path.dirname(new_host)), new_host)

    # -- attributes and times ---------------------------------------------------------------------------------------------------

    def attributes(self, path: str, user: Token | None = None) -> int:
        """FILE_ATTRIBUTE_* bits."""
        return self.stat(path, user).attributes

    @_translated
    def set_attributes(self, path: str, attributes: int, user: Token | None = None) -> None:
        """Sets ReadOnly, Hidden, System, Archive, Temporary, Offline, NotContentIndexed; WindowsError 87 for others (Directory is ignored)."""
        if attributes & ~(_SETTABLE | DIRECTORY | REPARSE_POINT):
            raise WindowsError(87, path=path)
        location, host = self._existing(path)
        is_dir = os.path.isdir(host)
        self._require(location, host, is_dir, acl_module.WRITE_ATTRIBUTES, user, path)
        stored = attributes & _STORED | (attributes & READONLY if is_dir else 0)
        if not is_dir:
            mode = stat_module.S_IMODE(os.stat(host).st_mode)
            os.chmod(host, mode & ~0o222 if attributes & READONLY else mode | 0o200)
        current = self._record(location)
        archived = None if is_dir or attributes & ARCHIVE else True
        if current.get("attributes", 0) != stored or current.get("archived") != archived:
            self._change_record(location, host, attributes=stored or None, archived=archived)

    @_translated
    def set_times(
        self,
        path: str,
        created: datetime.datetime | None = None,
        modified: datetime.datetime | None = None,
        accessed: datetime.datetime | None = None,
        user: Token | None = None,
    ) -> None:
        """Sets any of the three times (aware datetimes; naive ones are taken as UTC)."""
        location, host = self._existing(path)
        self._require(location, host, os.path.isdir(host), acl_module.WRITE_ATTRIBUTES, user, path)
        info = os.stat(host)
        if modified is not None or accessed is not None:
            os.utime(
                host,
                ns=(
                    _nanoseconds(accessed) if accessed is not None else info.st_atime_ns,
                    _nanoseconds(modified) if modified is not None else info.st_mtime_ns,
                ),
            )
        if created is not None:
            self._change_record(location, host, created=_nanoseconds(created) / 1e9)

    # -- trees ------------------------------------------------------------------------------------------------------------------

    def size_of(self, path: str) -> int:
        """Bytes of all files below a folder."""
        return sum(entry.size for _, _, files in self.walk(path) for entry in files)

    def copy_host_tree(self, source: Path, path: str) -> None:
        """Copies a folder of this machine to a Windows path (for installers; unchecked)."""
        shutil.copytree(source, self.host_path(path), dirs_exist_ok=True)


_STREAMS = "Alternate data streams are not simulated by this lab."
_TICK = 50_000_000
"""Nanoseconds: more than a tick of the clock that the host's file systems write times by."""

_UNSURE_FOR = 0.2
"""Seconds for which a list of names that may lack one is still used."""

_SHORT_NAME = re.compile(r"[^.~ ]{1,6}~[1-9](\.[^.~ ]{1,3})?")


def _device(name: str) -> str:
    """The device a file name means (`nul.txt` is NUL too), or ''."""
    base = name.partition(".")[0].rstrip(" ").upper()
    if len(base) > 7 or base.rstrip(":") not in DEVICES:
        return ""
    return base.rstrip(":")


def _upper(name: str) -> str:
    """Upper case as NTFS compares: one character stays one character."""
    upper = name.upper()
    if len(upper) == len(name):
        return upper
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in name)


@dataclass
class _Listing:
    """The names in a folder by their upper-case form, as last read.

    Attributes:
        changed: the folder's modification time when these names were known to be all, in nanoseconds.
        names: the stored names.
        read: when the folder was read, in seconds of the monotonic clock.
        sure: a name that is not here is not there: nothing can have changed in the same tick of the host's clock, nobody but the reader noted changes.
    """

    changed: int
    names: dict[str, str]
    read: float
    sure: bool


class _Names:
    """Names in folders by their upper-case form, read again when a folder has changed."""

    def __init__(self) -> None:
        self._folders: dict[str, _Listing] = {}

    def find(self, folder: str, name: str) -> str | None:
        """The stored name that `name` means there; None when there is none."""
        try:
            known = self._current(folder)
            found = known.names.get(_upper(name))
            if found is not None and os.path.lexists(f"{folder}/{found}"):
                return found
            # Changed by another process within one tick of the host's clock, or between two changes that were noted here.
            if found is not None or os.path.lexists(f"{folder}/{name}"):
                return self._read(folder).names.get(_upper(name))
            if not known.sure and time.monotonic() - known.read > _UNSURE_FOR:
                return self._read(folder).names.get(_upper(name))
        except OSError:
            pass
        return None

    def _current(self, folder: str) -> _Listing:
        known = self._folders.get(folder)
        if known is None or known.changed != os.stat(folder).st_mtime_ns:
            known = self._read(folder)
        return known

    def _read(self, folder: str) -> _Listing:
        if len(self._folders) > 512:
            self._folders.clear()
        changed = os.stat(folder).st_mtime_ns
        sure = time.time_ns() - changed > _TICK
        names = {_upper(item): item for item in os.listdir(folder)}
        self._folders[folder] = known = _Listing(changed, names, time.monotonic(), sure)
        return known

    def created(self, host: str) -> None:
        """Takes note of a file or folder that was just made, so that a folder being filled is not read each time."""
        folder, _, name = host.rpartition("/")
        self._note(folder, lambda names: names.update({_upper(name): name}))

    def removed(self, host: str) -> None:
        """Takes note that a name is gone."""
        folder, _, name = host.rpartition("/")
        self._note(folder, lambda names: names.pop(_upper(name), None))

    def _note(self, folder: str, change: Callable[[dict[str, str]], object]) -> None:
        known = self._folders.get(folder)
        if known is not None:
            change(known.names)
            known.changed = os.stat(folder).st_mtime_ns
            known.sure = False


def wildcard(pattern: str) -> Callable[[str], bool]:
    """A predicate for names by Win32's rules: `*.*` is everything, `name.*` also matches `name`, case does not matter."""
    if pattern in ("*", "*.*", ""):
        return lambda _: True
    patterns = [pattern]
    if pattern.endswith(".*"):
        patterns.append(pattern[:-2])
    compiled = [re.compile(fnmatch.translate(item.replace("[", "[[]")), re.IGNORECASE | re.DOTALL) for item in patterns]
    return lambda name: any(regex.match(name) for regex in compiled)


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _nanoseconds(value: datetime.datetime) -> int:
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.UTC)
    delta = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (delta.days * 86400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000
