"""System.IO.File, Directory, FileInfo, DirectoryInfo, DriveInfo and zip archives: the server's file system for scripts."""

from __future__ import annotations

import datetime as _dt
import fnmatch
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from winlab.powershell.errors import NetException
from winlab.powershell.objects import EnumValue, NetObject
from winlab.windows.errors import WindowsError

from . import context, paths
from . import timeformat as tf
from .collections import ReadOnlyCollection, elements, make
from .core import ctor, get_type, method, net_type, prop, static
from .declare import argument, io_exception, need, overloads, path_error
from .encodings import UTF8_NO_BOM, Encoding, detect, make_encoding
from .streams import FileStream, MemoryStream, Stream, StreamReader, StreamWriter, python_stream
from .time import DateTime, DateTimeOffset

READ_ONLY, DIRECTORY, ARCHIVE = 1, 16, 32
_FILE_TIME_ZERO = 504911232000000000


def file_system() -> Any:
    return context.machine().fs


def guarded(path: str, action: Callable[[str], Any], check: bool = True) -> Any:
    """Run `action` on the full path; Win32 errors become .NET's, shown with the full path."""
    if path == "" and check:
        raise argument("Empty path name is not legal.", "path")
    full = paths.full_path(path)
    try:
        return action(full)
    except WindowsError as error:
        raise path_error(error, full) from None


def read_file(path: str) -> bytes:
    with_stream = FileStream(path, 3, 1, 1)
    try:
        return with_stream.read_all()
    finally:
        with_stream.close()


def write_file(path: str, data: bytes, append: bool = False) -> None:
    stream = FileStream(path, 6 if append else 2, 2, 1)
    try:
        stream.write_bytes(data)
    finally:
        stream.close()


def decode(data: bytes, encoding: Encoding | None = None) -> str:
    """Text of a file: a byte order mark wins over the given encoding (UTF-8 by default)."""
    found = detect(data)
    if found is not None:
        return make_encoding(found[0]).decode(data[found[1] :])
    used = encoding or UTF8_NO_BOM
    if used.preamble and data.startswith(used.preamble):
        data = data[len(used.preamble) :]
    return used.decode(data)


def split_lines(text: str) -> list[str]:
    """Lines as TextReader.ReadLine gives them: CR, LF or CR LF end one."""
    if not text:
        return []
    lines = re.split(r"\r\n|\r|\n", text)
    if lines and lines[-1] == "":
        lines.pop()
    return lines


def _encoded(text: str, encoding: Encoding | None, append_to: str | None = None) -> bytes:
    used = encoding or UTF8_NO_BOM
    data = used.encode(text)
    mark = used.preamble
    if mark and append_to is not None:
        full = paths.full_path(append_to)
        if file_system().is_file(full) and file_system().stat(full).size > 0:
            mark = b""
    return mark + data


def entry_time(value: _dt.datetime, local: bool = True) -> DateTime:
    return DateTime.of(value, local)


NO_FILE = DateTime(_FILE_TIME_ZERO, tf.LOCAL)
NO_FILE_UTC = DateTime(_FILE_TIME_ZERO, tf.UTC)
_TIMES = {"CreationTime": "created", "LastWriteTime": "modified", "LastAccessTime": "accessed"}


def _get_time(path: str, kind: str, utc: bool) -> DateTime:
    full = paths.full_path(path)
    try:
        entry = file_system().stat(full, context.user())
    except WindowsError as error:
        if error.code in (2, 3):
            return NO_FILE_UTC if utc else NO_FILE
        raise path_error(error, full) from None
    return entry_time(getattr(entry, kind), not utc)


def set_time(path: str, kind: str, value: DateTime, utc: bool) -> None:
    moment = tf.to_python(value.ticks if utc else value.utc_ticks).replace(tzinfo=_dt.UTC)
    guarded(path, lambda full: file_system().set_times(full, **{kind: moment}, user=context.user()))


def _time_members() -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, kind in _TIMES.items():
        for utc in (False, True):
            suffix = "Utc" if utc else ""
            members[f"get_{name}{suffix}"] = static(f"Get{name}{suffix}(String) : DateTime")(
                lambda path, kind=kind, utc=utc: _get_time(path, kind, utc)
            )
            members[f"set_{name}{suffix}"] = static(f"Set{name}{suffix}(String,DateTime) : Void")(
                lambda path, value, kind=kind, utc=utc: set_time(path, kind, value, utc)
            )
    return members


# ------------------------------------------------------------------------------------------------------------ File


@net_type("System.IO.File")
class File:
    """System.IO.File"""

    locals().update(_time_members())

    @static("Exists(String) : Boolean")
    def exists(path: str | None) -> bool:
        if not path:
            return False
        try:
            full = paths.full_path(path)
            return not full.endswith("\\") and bool(file_system().is_file(full, context.user()))
        except (NetException, WindowsError):
            return False

    @static("Delete(String) : Void")
    def delete(path: str) -> None:
        def run(full: str) -> None:
            try:
                file_system().remove(full, context.user())
            except WindowsError as error:
                if error.code != 2:
                    raise

        guarded(need(path, "path"), run)

    @static("Copy(String,String) : Void")
    @static("Copy(String,String,Boolean) : Void")
    def copy(source: str, target: str, overwrite: bool = False) -> None:
        copy_file(need(source, "sourceFileName"), need(target, "destFileName"), overwrite)

    @static("Move(String,String) : Void")
    def move(source: str, target: str) -> None:
        move_file(need(source, "sourceFileName"), need(target, "destFileName"))

    @static("Replace(String,String,String) : Void")
    @static("Replace(String,String,String,Boolean) : Void")
    def replace(source: str, target: str, backup: str | None, ignore: bool = False) -> None:
        replace_file(need(source, "sourceFileName"), need(target, "destinationFileName"), backup)

    @static("ReadAllBytes(String) : Byte[]")
    def read_all_bytes(path: str) -> bytes:
        return read_file(need(path, "path"))

    @static("ReadAllText(String) : String")
    @static("ReadAllText(String,Text.Encoding) : String")
    def read_all_text(path: str, encoding: Encoding | None = None) -> str:
        return decode(read_file(need(path, "path")), encoding)

    @static("ReadAllLines(String) : String[]")
    @static("ReadAllLines(String,Text.Encoding) : String[]")
    def read_all_lines(path: str, encoding: Encoding | None = None) -> list[str]:
        return split_lines(decode(read_file(need(path, "path")), encoding))

    @static("ReadLines(String) : Collections.Generic.IEnumerable`1<String>")
    @static("ReadLines(String,Text.Encoding) : Collections.Generic.IEnumerable`1<String>")
    def read_lines(path: str, encoding: Encoding | None = None) -> Any:
        return make(
            ReadOnlyCollection,
            get_type("System.String"),
            items=split_lines(decode(read_file(need(path, "path")), encoding)),
        )

    @static("WriteAllBytes(String,Byte[]) : Void")
    def write_all_bytes(path: str, data: Any) -> None:
        write_file(need(path, "path"), bytes(need(data, "bytes")))

    @static("WriteAllText(String,String) : Void")
    @static("WriteAllText(String,String,Text.Encoding) : Void")
    def write_all_text(path: str, text: str | None, encoding: Encoding | None = None) -> None:
        write_file(need(path, "path"), _encoded(text or "", encoding))

    @overloads("System.IO.File", "WriteAllLines")
    def write_all_lines(path: str, lines: Any, encoding: Encoding | None = None) -> None:
        need(path, "path")
        text = "".join(f"{'' if line is None else line}\r\n" for line in elements(need(lines, "contents")))
        write_file(path, _encoded(text, encoding))

    @static("AppendAllText(String,String) : Void")
    @static("AppendAllText(String,String,Text.Encoding) : Void")
    def append_all_text(path: str, text: str | None, encoding: Encoding | None = None) -> None:
        write_file(need(path, "path"), _encoded(text or "", encoding, path), append=True)

    @overloads("System.IO.File", "AppendAllLines")
    def append_all_lines(path: str, lines: Any, encoding: Encoding | None = None) -> None:
        text = "".join(f"{line}\r\n" for line in elements(need(lines, "contents")))
        write_file(need(path, "path"), _encoded(text, encoding, path), append=True)

    @static("Open(String,IO.FileMode) : IO.FileStream")
    @static("Open(String,IO.FileMode,IO.FileAccess) : IO.FileStream")
    @static("Open(String,IO.FileMode,IO.FileAccess,IO.FileShare) : IO.FileStream")
    def open(path: str, mode: EnumValue, access: Any = None, share: Any = None) -> FileStream:
        wanted = access.value if access is not None else (2 if mode.value == 6 else 3)
        return FileStream(path, mode.value, wanted, share.value if share is not None else 0)

    @static("OpenRead(String) : IO.FileStream")
    def open_read(path: str) -> FileStream:
        return FileStream(path, 3, 1, 1)

    @static("OpenWrite(String) : IO.FileStream")
    def open_write(path: str) -> FileStream:
        return FileStream(path, 4, 2, 0)

    @static("OpenText(String) : IO.StreamReader")
    def open_text(path: str) -> StreamReader:
        return StreamReader(FileStream(path, 3, 1, 1))

    @static("Create(String) : IO.FileStream")
    @static("Create(String,Int32) : IO.FileStream")
    @static("Create(String,Int32,IO.FileOptions) : IO.FileStream")
    def create(path: str, size: int = 4096, options: Any = None) -> FileStream:
        return FileStream(path, 2, 3, 0)

    @static("CreateText(String) : IO.StreamWriter")
    def create_text(path: str) -> StreamWriter:
        return StreamWriter(FileStream(path, 2, 2, 1))

    @static("AppendText(String) : IO.StreamWriter")
    def append_text(path: str) -> StreamWriter:
        return StreamWriter(FileStream(path, 6, 2, 1))

    @static("GetAttributes(String) : IO.FileAttributes")
    def get_attributes(path: str) -> int:
        return int(guarded(need(path, "path"), lambda full: file_system().attributes(full, context.user())))

    @static("SetAttributes(String,IO.FileAttributes) : Void")
    def set_attributes(path: str, attributes: EnumValue) -> None:
        set_file_attributes(need(path, "path"), attributes.value)

    @static("GetAccessControl(String) : Security.AccessControl.FileSecurity")
    @static(
        "GetAccessControl(String,Security.AccessControl.AccessControlSections) : Security.AccessControl.FileSecurity"
    )
    def get_access_control(path: str, sections: Any = None) -> Any:
        from .access import FileSecurity

        return FileSecurity.of_path(paths.full_path(need(path, "path")))

    @static("SetAccessControl(String,Security.AccessControl.FileSecurity) : Void")
    def set_access_control(path: str, security: Any) -> None:
        need(security, "fileSecurity").write(paths.full_path(need(path, "path")))


def set_file_attributes(path: str, number: int) -> None:
    def run(full: str) -> None:
        try:
            file_system().set_attributes(full, number & ~0x80, context.user())
        except WindowsError as error:
            if error.code == 87:
                raise argument("Invalid File or Directory attributes value.") from None
            raise

    guarded(path, run)


def copy_file(source: str, target: str, overwrite: bool) -> None:
    for name, text in (("sourceFileName", source), ("destFileName", target)):
        if not text:
            raise argument("Empty file name is not legal.", name)
    full, destination = paths.full_path(source), paths.full_path(target)
    server = file_system()
    if not server.is_file(full):
        error = WindowsError(5, path=full) if server.is_dir(full) else _missing(full)
        raise path_error(error, full)
    if server.is_dir(destination):
        raise io_exception(f"The target file '{destination}' is a directory, not a file.")
    try:
        server.copy(full, destination, overwrite, context.user())
    except WindowsError as error:
        shown = full if error.code == 32 and error.path and error.path.lower() == full.lower() else destination
        raise path_error(error, shown) from None


def _missing(full: str) -> WindowsError:
    try:
        file_system().stat(full)
    except WindowsError as error:
        return error
    return WindowsError(2, path=full)


def move_file(source: str, target: str) -> None:
    for name, text in (("sourceFileName", source), ("destFileName", target)):
        if not text:
            raise argument("Empty file name is not legal.", name)
    full, destination = paths.full_path(source), paths.full_path(target)
    server = file_system()
    if not server.is_file(full):
        error = _missing(full)
        raise path_error(WindowsError(2, path=full) if server.is_dir(full) else error, full)
    try:
        server.move(full, destination, False, context.user())
    except WindowsError as error:
        if error.code == 183:
            raise io_exception("Cannot create a file when that file already exists.\r\n", error.hresult) from None
        if error.code == 32:
            raise io_exception(
                "The process cannot access the file because it is being used by another process.\r\n", error.hresult
            ) from None
        if error.code == 5:
            raise path_error(error, "") from None
        if error.code == 3:
            raise path_error(WindowsError(3), "") from None
        raise path_error(error, full) from None


def replace_file(source: str, target: str, backup: str | None) -> None:
    full, destination = paths.full_path(source), paths.full_path(target)
    server, user = file_system(), context.user()
    for path in (full, destination):
        if not server.is_file(path):
            raise path_error(WindowsError(2), "")
    try:
        security = server.get_acl(destination)
        created = server.stat(destination).created
        if backup:
            server.move(destination, paths.full_path(backup), True, user)
            server.move(full, destination, False, user)
        else:
            server.move(full, destination, True, user)
        if server.get_acl(destination) != security:
            server.set_acl(destination, security, None)
        server.set_times(destination, created=created)
    except WindowsError as error:
        if error.code in (32, 5):
            raise io_exception(
                "Unable to remove the file to be replaced. \r\n" if error.code == 32 else f"{error.message}\r\n",
                error.hresult,
            ) from None
        raise path_error(error, destination) from None


# ------------------------------------------------------------------------------------------------------------ Directory


def _match(pattern: str) -> Callable[[str], bool]:
    """A search pattern of Win32: `*.*` matches everything, `*.ext` of three letters longer extensions too."""
    need(pattern, "searchPattern")
    paths.check_characters(pattern)
    if ".." in pattern.split("\\"):
        raise argument(
            'Search pattern cannot contain ".." to move up directories and can be contained only internally in file/directory names, as in "a..b".'
        )
    if pattern in ("*", "*.*", ""):
        return (lambda name: True) if pattern else (lambda name: False)
    lowered = pattern.lower()
    expression = re.compile(fnmatch.translate(lowered.replace("[", "[[]")))
    extension = re.fullmatch(r"\*(\.[^.*?]{3})", lowered)

    def matches(name: str) -> bool:
        name = name.lower()
        if expression.match(name) or (lowered.endswith(".*") and "." not in name and expression.match(name + ".")):
            return True
        return bool(extension) and ("." + name.rpartition(".")[2])[:4] == extension.group(1) and "." in name  # type: ignore[union-attr]

    return matches


def walk(path: str, pattern: str, recurse: bool, files: bool, folders: bool) -> Iterator[Any]:
    """Entries below a folder in .NET's order: a folder's own first, then folder by folder."""
    full = paths.full_path(path)
    sub, _, last = pattern.replace("/", "\\").rpartition("\\")
    if sub:
        full, pattern = f"{full.rstrip(chr(92))}\\{sub}", last
    matches = _match(pattern)
    server, user = file_system(), context.user()
    queue = [full.rstrip("\\") if len(full) > 3 else full]
    while queue:
        folder = queue.pop(0)
        context.check()
        try:
            if server.is_file(folder):
                raise io_exception("The directory name is invalid.\r\n", WindowsError(267).hresult)
            entries = server.listdir(folder, user)
        except WindowsError as error:
            raise path_error(WindowsError(3) if error.code == 2 else error, folder) from None
        for entry in entries:
            # .NET Framework goes through links to folders as through any other.
            if entry.is_dir and recurse:
                queue.append(f"{folder.rstrip(chr(92))}\\{entry.name}")
            if ((entry.is_dir and folders) or (not entry.is_dir and files)) and matches(entry.name):
                yield f"{folder.rstrip(chr(92))}\\{entry.name}", entry


def _shown(given: str, full: str, found: str) -> str:
    """Results start with the path as it was given."""
    base = full.rstrip("\\")
    tail = found[len(base) :].lstrip("\\")
    return given + tail if given.endswith(("\\", "/", ":")) else f"{given}\\{tail}"


def _search(files: bool, folders: bool) -> Callable[..., list[str]]:
    def run(path: str, pattern: str = "*", option: Any = None) -> list[str]:
        need(path, "path")
        if not path.strip():
            raise argument(paths.NOT_LEGAL)
        full = paths.full_path(path)
        found = walk(path, pattern, option is not None and option.value == 1, files, folders)
        return [_shown(path, full, one) for one, _ in found]

    return run


def _lazily(files: bool, folders: bool) -> Callable[..., Any]:
    search = _search(files, folders)
    return lambda *arguments: make(ReadOnlyCollection, get_type("System.String"), items=search(*arguments))


def create_directory(path: str) -> DirectoryInfo:
    need(path, "path")
    if path == "":
        raise argument("Path cannot be the empty string or all whitespace.")
    full = paths.full_path(path)

    try:
        file_system().mkdir(full.rstrip("\\") if len(full) > 3 else full, True, context.user())
    except WindowsError as error:
        if not (error.code == 183 and file_system().is_dir(full)):
            raise path_error(error, full) from None
    return DirectoryInfo(path)


def delete_directory(path: str, recursive: bool) -> None:
    def run(full: str) -> None:
        server, user = file_system(), context.user()
        if not server.exists(full):
            raise WindowsError(3, path=full)
        if server.is_file(full):
            raise io_exception("The directory name is invalid.\r\n", WindowsError(267).hresult)
        try:
            if recursive:
                server.rmtree(full.rstrip("\\"), user)
            else:
                server.rmdir(full.rstrip("\\"), user)
        except WindowsError as error:
            if error.code == 145:
                raise io_exception("The directory is not empty.\r\n", error.hresult) from None
            if error.code == 5:
                raise path_error(error, paths.file_name(error.path or full)) from None
            if error.code == 32:
                name = (error.path or full).rpartition("\\")[2]
                raise path_error(error, name if error.path and error.path.lower() != full.lower() else full) from None
            raise

    guarded(need(path, "path"), run)


def move_directory(source: str, target: str) -> None:
    for name, text in (("sourceDirName", source), ("destDirName", target)):
        need(text, name)
        if not text:
            raise argument("Empty file name is not legal.", name)
    full, destination = paths.full_path(source).rstrip("\\"), paths.full_path(target).rstrip("\\")
    if full.lower() == destination.lower():
        raise io_exception("Source and destination path must be different.")
    if full[:1].lower() != destination[:1].lower():
        raise io_exception("Source and destination path must have identical roots. Move will not work across volumes.")
    try:
        file_system().move(full, destination, False, context.user())
    except WindowsError as error:
        if error.code == 2:
            raise path_error(WindowsError(3), full) from None
        if error.code == 183:
            raise io_exception("Cannot create a file when that file already exists.\r\n", error.hresult) from None
        if error.code == 5:
            raise io_exception(f"Access to the path '{source}' is denied.", error.hresult) from None
        if error.code == 32:
            raise io_exception(
                "The process cannot access the file because it is being used by another process.\r\n", error.hresult
            ) from None
        raise path_error(error, full) from None


@net_type("System.IO.Directory")
class Directory:
    """System.IO.Directory"""

    locals().update(_time_members())
    get_files = overloads("System.IO.Directory", "GetFiles")(_search(True, False))
    get_directories = overloads("System.IO.Directory", "GetDirectories")(_search(False, True))
    get_entries = overloads("System.IO.Directory", "GetFileSystemEntries")(_search(True, True))
    enumerate_files = overloads("System.IO.Directory", "EnumerateFiles")(_lazily(True, False))
    enumerate_directories = overloads("System.IO.Directory", "EnumerateDirectories")(_lazily(False, True))
    enumerate_entries = overloads("System.IO.Directory", "EnumerateFileSystemEntries")(_lazily(True, True))

    @static("Exists(String) : Boolean")
    def exists(path: str | None) -> bool:
        if not path:
            return False
        try:
            return bool(file_system().is_dir(paths.full_path(path), context.user()))
        except (NetException, WindowsError):
            return False

    @static("CreateDirectory(String) : IO.DirectoryInfo")
    def create(path: str) -> DirectoryInfo:
        return create_directory(path)

    @static("CreateDirectory(String,Security.AccessControl.DirectorySecurity) : IO.DirectoryInfo")
    def create_secured(path: str, security: Any) -> DirectoryInfo:
        fresh = not Directory.exists(path)
        made = create_directory(path)
        if fresh and security is not None:
            security.write(paths.full_path(path))
        return made

    @static("Delete(String) : Void")
    @static("Delete(String,Boolean) : Void")
    def delete(path: str, recursive: bool = False) -> None:
        delete_directory(path, recursive)

    @static("Move(String,String) : Void")
    def move(source: str, target: str) -> None:
        move_directory(source, target)

    @static("GetCurrentDirectory() : String")
    def get_current_directory() -> str:
        return context.process_directory()

    @static("SetCurrentDirectory(String) : Void")
    def set_current_directory(path: str) -> None:
        full = paths.full_path(need(path, "path"))
        if not file_system().is_dir(full):
            raise path_error(WindowsError(3), path)
        context.set_process_directory(full)

    @static("GetDirectoryRoot(String) : String")
    def get_directory_root(path: str) -> str:
        return paths.full_path(need(path, "path"))[:3]

    @static("GetParent(String) : IO.DirectoryInfo")
    def get_parent(path: str) -> DirectoryInfo | None:
        parent = paths.directory_name(paths.full_path(need(path, "path")))
        return DirectoryInfo(parent) if parent is not None else None

    @static("GetLogicalDrives() : String[]")
    def get_logical_drives() -> list[str]:
        return [f"{drive}:\\" for drive in file_system().drives]

    @static("GetAccessControl(String) : Security.AccessControl.DirectorySecurity")
    @static(
        "GetAccessControl(String,Security.AccessControl.AccessControlSections) : Security.AccessControl.DirectorySecurity"
    )
    def get_access_control(path: str, sections: Any = None) -> Any:
        from .access import DirectorySecurity

        return DirectorySecurity.of_path(paths.full_path(need(path, "path")))

    @static("SetAccessControl(String,Security.AccessControl.DirectorySecurity) : Void")
    def set_access_control(path: str, security: Any) -> None:
        need(security, "directorySecurity").write(paths.full_path(need(path, "path")))


# ------------------------------------------------------------------------------------------------------------ FileInfo, DirectoryInfo


@net_type("System.IO.FileSystemInfo")
class FileSystemInfo(NetObject):
    """An entry by path; what it knows is cached at the first look until Refresh()."""

    is_directory = False

    def __init__(self, path: str, full: str | None = None, entry: Any = None) -> None:
        self.original = path
        self.full = (
            full if full is not None else paths.full_path(need(path, "path" if self.is_directory else "fileName"))
        )
        self.cached: Any = entry
        self.looked = entry is not None

    def __str__(self) -> str:
        return self.original

    @property
    def entry(self) -> Any:
        """The cached entry, None when nothing is there."""
        if not self.looked:
            self.looked = True
            try:
                self.cached = file_system().stat(
                    self.full.rstrip("\\") if len(self.full) > 3 else self.full, context.user()
                )
            except WindowsError:
                self.cached = None
        return self.cached

    def forget(self) -> None:
        self.looked = False

    def required(self) -> Any:
        found = self.entry
        if found is None:
            raise path_error(_missing(self.full), self.full)
        return found

    @prop("Attributes : IO.FileAttributes")
    def attributes(self) -> int:
        found = self.entry
        return -1 if found is None else int(found.attributes)

    @attributes.setter
    def attributes(self, value: EnumValue) -> None:
        set_file_attributes(self.full, int(value))
        self.forget()

    @prop("Exists : Boolean get")
    def exists(self) -> bool:
        found = self.entry
        return found is not None and bool(found.is_dir) == self.is_directory

    @prop("Extension : String get")
    def extension(self) -> str:
        return paths.extension(self.full)

    @prop("FullName : String get")
    def full_name(self) -> str:
        return self.full

    @prop("Name : String get")
    def name(self) -> str:
        return paths.file_name(self.full)

    for _name, _kind in _TIMES.items():
        for _utc in (False, True):

            def _read(self: Any, _kind: str = _kind, _utc: bool = _utc) -> DateTime:
                found = self.entry
                if found is None:
                    return NO_FILE_UTC if _utc else NO_FILE
                return entry_time(getattr(found, _kind), not _utc)

            def _write(self: Any, value: DateTime, _kind: str = _kind, _utc: bool = _utc) -> None:
                set_time(self.full, _kind, value, _utc)
                self.forget()

            locals()[f"{_kind}_utc" if _utc else _kind] = prop(f"{_name}{'Utc' if _utc else ''} : DateTime")(
                _read
            ).setter(_write)
    del _name, _kind, _utc, _read, _write

    @method("Delete() : Void")
    def delete(self) -> None:
        File.delete(self.full)

    @method("Refresh() : Void")
    def refresh(self) -> None:
        self.forget()
        _ = self.entry


@net_type("System.IO.FileInfo")
class FileInfo(FileSystemInfo):
    @ctor("(String)")
    def new(self, path: str) -> None:
        if need(path, "fileName") == "":
            raise argument(paths.NOT_LEGAL)
        self.__init__(path)

    @staticmethod
    def convert_from(value: Any) -> Any:
        return FileInfo(value) if isinstance(value, str) else None

    @prop("Directory : IO.DirectoryInfo get")
    def directory(self) -> DirectoryInfo | None:
        parent = paths.directory_name(self.full)
        return DirectoryInfo(parent) if parent is not None else None

    @prop("DirectoryName : String get")
    def directory_name(self) -> str | None:
        return paths.directory_name(self.full)

    @prop("IsReadOnly : Boolean")
    def is_read_only(self) -> bool:
        return bool(self.attributes & READ_ONLY)

    @is_read_only.setter
    def is_read_only(self, value: bool) -> None:
        current = int(self.required().attributes)
        set_file_attributes(self.full, current | READ_ONLY if value else current & ~READ_ONLY)
        self.forget()

    @prop("Length : Int64 get")
    def length(self) -> int:
        found = self.entry
        if found is None or found.is_dir:
            raise path_error(WindowsError(2), self.original)
        return int(found.size)

    @method("Open(IO.FileMode) : IO.FileStream")
    @method("Open(IO.FileMode,IO.FileAccess) : IO.FileStream")
    @method("Open(IO.FileMode,IO.FileAccess,IO.FileShare) : IO.FileStream")
    def open(self, *arguments: Any) -> FileStream:
        return File.open(self.full, *arguments)

    @method("OpenRead() : IO.FileStream")
    def open_read(self) -> FileStream:
        return FileStream(self.full, 3, 1, 1)

    @method("OpenWrite() : IO.FileStream")
    def open_write(self) -> FileStream:
        return FileStream(self.full, 4, 2, 0)

    @method("OpenText() : IO.StreamReader")
    def open_text(self) -> StreamReader:
        return File.open_text(self.full)

    @method("Create() : IO.FileStream")
    def create(self) -> FileStream:
        self.forget()
        return FileStream(self.full, 2, 3, 0)

    @method("CreateText() : IO.StreamWriter")
    def create_text(self) -> StreamWriter:
        self.forget()
        return File.create_text(self.full)

    @method("AppendText() : IO.StreamWriter")
    def append_text(self) -> StreamWriter:
        return File.append_text(self.full)

    @method("CopyTo(String) : IO.FileInfo")
    @method("CopyTo(String,Boolean) : IO.FileInfo")
    def copy_to(self, target: str, overwrite: bool = False) -> FileInfo:
        copy_file(self.full, need(target, "destFileName"), overwrite)
        return FileInfo(target)

    @method("MoveTo(String) : Void")
    def move_to(self, target: str) -> None:
        move_file(self.full, need(target, "destFileName"))
        self.original, self.full = target, paths.full_path(target)
        self.forget()

    @method("Replace(String,String) : IO.FileInfo")
    def replace(self, target: str, backup: str | None) -> FileInfo:
        replace_file(self.full, target, backup)
        return FileInfo(target)

    @method("GetAccessControl() : Security.AccessControl.FileSecurity")
    @method("GetAccessControl(Security.AccessControl.AccessControlSections) : Security.AccessControl.FileSecurity")
    def get_access_control(self, sections: Any = None) -> Any:
        return File.get_access_control(self.full)

    @method("SetAccessControl(Security.AccessControl.FileSecurity) : Void")
    def set_access_control(self, security: Any) -> None:
        need(security, "fileSecurity").write(self.full)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


def _infos(files: bool, folders: bool) -> Callable[..., list[Any]]:
    def run(self: DirectoryInfo, pattern: str = "*", option: Any = None) -> list[Any]:
        found = walk(self.full, pattern, option is not None and option.value == 1, files, folders)
        return [info_of(path, entry) for path, entry in found]

    return run


def info_of(path: str, entry: Any = None) -> Any:
    """A FileInfo or DirectoryInfo for an entry, as listings give it: ToString() shows the name alone."""
    if entry is None:
        entry = file_system().stat(path.rstrip("\\") if len(path) > 3 else path)
    cls = DirectoryInfo if entry.is_dir else FileInfo
    made: Any = cls(path, path, entry)
    made.original = entry.name or path
    return made


def _lazy_infos(files: bool, folders: bool, kind: str) -> Callable[..., Any]:
    search = _infos(files, folders)
    return lambda self, *arguments: make(
        ReadOnlyCollection, get_type(f"System.IO.{kind}"), items=search(self, *arguments)
    )


@net_type("System.IO.DirectoryInfo")
class DirectoryInfo(FileSystemInfo):
    is_directory = True

    get_files = overloads("System.IO.DirectoryInfo", "GetFiles")(_infos(True, False))
    get_directories = overloads("System.IO.DirectoryInfo", "GetDirectories")(_infos(False, True))
    get_infos = overloads("System.IO.DirectoryInfo", "GetFileSystemInfos")(_infos(True, True))
    enumerate_files = overloads("System.IO.DirectoryInfo", "EnumerateFiles")(_lazy_infos(True, False, "FileInfo"))
    enumerate_directories = overloads("System.IO.DirectoryInfo", "EnumerateDirectories")(
        _lazy_infos(False, True, "DirectoryInfo")
    )
    enumerate_infos = overloads("System.IO.DirectoryInfo", "EnumerateFileSystemInfos")(
        _lazy_infos(True, True, "FileSystemInfo")
    )

    @ctor("(String)")
    def new(self, path: str) -> None:
        if need(path, "path") == "":
            raise argument(paths.NOT_LEGAL)
        self.__init__(path)

    @staticmethod
    def convert_from(value: Any) -> Any:
        return DirectoryInfo(value) if isinstance(value, str) else None

    @prop("Name : String get")
    def name(self) -> str:
        trimmed = self.full.rstrip("\\")
        return f"{trimmed}\\" if len(trimmed) <= 2 else paths.file_name(trimmed)

    @prop("Extension : String get")
    def extension(self) -> str:
        return paths.extension(self.full.rstrip("\\"))

    @prop("Parent : IO.DirectoryInfo get")
    def parent(self) -> DirectoryInfo | None:
        parent = paths.directory_name(self.full.rstrip("\\") if len(self.full) > 3 else self.full)
        if parent is None:
            return None
        made = DirectoryInfo(parent)
        made.original = made.name
        return made

    @prop("Root : IO.DirectoryInfo get")
    def root(self) -> DirectoryInfo:
        return DirectoryInfo(self.full[:3])

    @method("Create() : Void")
    def create(self) -> None:
        create_directory(self.full)
        self.forget()

    @method("CreateSubdirectory(String) : IO.DirectoryInfo")
    def create_subdirectory(self, path: str) -> DirectoryInfo:
        return create_directory(paths.combine(self.full, need(path, "path")))

    @method("Delete() : Void")
    @method("Delete(Boolean) : Void")
    def delete(self, recursive: bool = False) -> None:
        delete_directory(self.full, recursive)

    @method("MoveTo(String) : Void")
    def move_to(self, target: str) -> None:
        move_directory(self.full, need(target, "destDirName"))
        self.original, self.full = target, paths.full_path(target)
        self.forget()

    @method("GetAccessControl() : Security.AccessControl.DirectorySecurity")
    @method("GetAccessControl(Security.AccessControl.AccessControlSections) : Security.AccessControl.DirectorySecurity")
    def get_access_control(self, sections: Any = None) -> Any:
        return Directory.get_access_control(self.full)

    @method("SetAccessControl(Security.AccessControl.DirectorySecurity) : Void")
    def set_access_control(self, security: Any) -> None:
        need(security, "directorySecurity").write(self.full)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


@net_type("System.IO.DriveInfo")
class DriveInfo(NetObject):
    def __init__(self, letter: str) -> None:
        self.letter = letter

    def __str__(self) -> str:
        return f"{self.letter}:\\"

    @ctor("(String)")
    def new(self, name: str) -> None:
        found = re.fullmatch(r"([A-Za-z])(?::\\?.*)?", need(name, "driveName"))
        if not found:
            raise argument('Object must be a root directory ("C:\\") or a drive letter ("C").')
        self.letter = found.group(1).upper()

    @static("GetDrives() : IO.DriveInfo[]")
    def get_drives() -> list[DriveInfo]:
        return [DriveInfo(letter) for letter in file_system().drives]

    def _ready(self) -> None:
        if self.letter not in file_system().drives:
            raise path_error(WindowsError(15), f"{self.letter}:\\")

    @prop("Name : String get")
    def name(self) -> str:
        return str(self)

    @prop("IsReady : Boolean get")
    def is_ready(self) -> bool:
        return self.letter in file_system().drives

    @prop("DriveType : IO.DriveType get")
    def drive_type(self) -> str:
        return "Fixed" if self.is_ready else "NoRootDirectory"

    @prop("DriveFormat : String get")
    def drive_format(self) -> str:
        self._ready()
        return "NTFS"

    @prop("AvailableFreeSpace : Int64 get")
    def available_free_space(self) -> int:
        self._ready()
        return int(file_system().free_bytes)

    @prop("TotalFreeSpace : Int64 get")
    def total_free_space(self) -> int:
        self._ready()
        return int(file_system().free_bytes)

    @prop("TotalSize : Int64 get")
    def total_size(self) -> int:
        self._ready()
        return int(file_system().total_bytes)

    @prop("VolumeLabel : String")
    def volume_label(self) -> str:
        self._ready()
        return ""

    @prop("RootDirectory : IO.DirectoryInfo get")
    def root_directory(self) -> DirectoryInfo:
        return DirectoryInfo(str(self))

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


# ------------------------------------------------------------------------------------------------------------ zip archives


def _zip_error(error: Exception) -> NetException:
    return NetException("System.IO.InvalidDataException", "End of Central Directory record could not be found.")


@net_type("System.IO.Compression.ZipArchiveEntry")
class ZipArchiveEntry(NetObject):
    def __init__(self, archive: ZipArchive, info: zipfile.ZipInfo, data: bytes | None = None) -> None:
        self.archive_of = archive
        self.info = info
        self.data = data
        self.deleted = False

    def __str__(self) -> str:
        return self.info.filename

    @prop("Archive : IO.Compression.ZipArchive get")
    def archive(self) -> ZipArchive | None:
        return None if self.deleted else self.archive_of

    @prop("FullName : String get")
    def full_name(self) -> str:
        return self.info.filename

    @prop("Name : String get")
    def name(self) -> str:
        return self.info.filename.rpartition("/")[2]

    @prop("Length : Int64 get")
    def length(self) -> int:
        if self.archive_of.mode == 1:
            raise NetException(
                "System.InvalidOperationException",
                "Length properties are unavailable once an entry has been opened for writing.",
            )
        return len(self.data) if self.data is not None else self.info.file_size

    @prop("CompressedLength : Int64 get")
    def compressed_length(self) -> int:
        return self.info.compress_size

    @prop("LastWriteTime : DateTimeOffset")
    def last_write_time(self) -> DateTimeOffset:
        ticks = tf.from_fields(*self.info.date_time)
        return DateTimeOffset(ticks, tf.local_offset(ticks))

    @last_write_time.setter
    def last_write_time(self, value: DateTimeOffset) -> None:
        fields = tf.to_fields(value.ticks)
        self.info.date_time = (fields.year, fields.month, fields.day, fields.hour, fields.minute, fields.second)

    @method("Open() : IO.Stream")
    def open(self) -> Stream:
        archive = self.archive_of
        if archive.mode == 0:
            return MemoryStream(archive.read(self), writable=False)
        return _EntryStream(self, b"" if archive.mode == 1 else archive.read(self))

    @method("Delete() : Void")
    def delete(self) -> None:
        if self.archive_of.mode != 2:
            raise NetException(
                "System.NotSupportedException", "Delete can only be used when the archive is in Update mode."
            )
        self.archive_of.entries.remove(self)
        self.deleted = True

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)


class _EntryStream(MemoryStream):
    """What is written to an entry; kept when the stream is closed."""

    def __init__(self, entry: ZipArchiveEntry, data: bytes) -> None:
        super().__init__()
        self.entry = entry
        if data:
            self.write_bytes(data)
            self.at = 0

    def close_stream(self) -> None:
        self.entry.data = self.to_array()
        super().close_stream()


net_type(
    "System.IO.Compression.WrappedStream", base="System.IO.Stream", kind="class", assembly="System.IO.Compression"
)(_EntryStream)


@net_type("System.IO.Compression.ZipArchive", interfaces=("IDisposable",))
class ZipArchive(NetObject):
    """mode: 0 Read, 1 Create, 2 Update. What was added is written when the archive is disposed."""

    def __init__(self, stream: Stream, mode: int = 0, leave_open: bool = False) -> None:
        self.stream, self.mode, self.leave_open = need(stream, "stream"), mode, leave_open
        self.zip: zipfile.ZipFile | None = None
        self.entries: list[ZipArchiveEntry] = []
        self.done = False
        if (mode == 0 and not stream.readable) or (mode == 1 and not stream.writable):
            raise argument(
                "Cannot use read mode on a non-readable stream."
                if mode == 0
                else "Cannot use create mode on a non-writeable stream."
            )
        if mode == 0 or (mode == 2 and stream.get_length() > 0):
            source = stream if stream.seekable else MemoryStream(stream.read_all())
            try:
                self.zip = zipfile.ZipFile(python_stream(source))
            except (zipfile.BadZipFile, OSError, ValueError) as error:
                raise _zip_error(error) from None
            self.entries = [ZipArchiveEntry(self, info) for info in self.zip.infolist()]

    @ctor("(IO.Stream)")
    @ctor("(IO.Stream,IO.Compression.ZipArchiveMode)")
    @ctor("(IO.Stream,IO.Compression.ZipArchiveMode,Boolean)")
    def new(self, stream: Stream, mode: EnumValue | None = None, leave_open: bool = False) -> None:
        self.__init__(stream, mode.value if mode is not None else 0, leave_open)

    @ctor("(IO.Stream,IO.Compression.ZipArchiveMode,Boolean,Text.Encoding)")
    def new_encoding(self, stream: Stream, mode: EnumValue, leave_open: bool, encoding: Any) -> None:
        self.__init__(stream, mode.value, leave_open)

    def read(self, entry: ZipArchiveEntry) -> bytes:
        if entry.data is not None or self.zip is None:
            return entry.data or b""
        try:
            return self.zip.read(entry.info)
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            if isinstance(error, NotImplementedError):
                raise NetException(
                    "System.IO.InvalidDataException",
                    "The archive entry was compressed using an unsupported compression method.",
                ) from None
            raise NetException("System.IO.InvalidDataException", "A local file header is corrupt.") from None

    @prop("Entries : Collections.ObjectModel.ReadOnlyCollection`1<IO.Compression.ZipArchiveEntry> get")
    def net_entries(self) -> Any:
        if self.mode == 1:
            raise NetException("System.NotSupportedException", "Cannot access entries in Create mode.")
        return make(ReadOnlyCollection, get_type("System.IO.Compression.ZipArchiveEntry"), items=list(self.entries))

    @prop("Mode : IO.Compression.ZipArchiveMode get")
    def net_mode(self) -> int:
        return self.mode

    @method("GetEntry(String) : IO.Compression.ZipArchiveEntry")
    def get_entry(self, name: str) -> ZipArchiveEntry | None:
        return next((entry for entry in self.entries if entry.info.filename == need(name, "entryName")), None)

    @method("CreateEntry(String) : IO.Compression.ZipArchiveEntry")
    @method("CreateEntry(String,IO.Compression.CompressionLevel) : IO.Compression.ZipArchiveEntry")
    def create_entry(self, name: str, level: EnumValue | None = None) -> ZipArchiveEntry:
        if self.mode == 0:
            raise NetException(
                "System.NotSupportedException", "Cannot create entries on an archive opened in read mode."
            )
        if not need(name, "entryName"):
            raise argument("String cannot be empty.", "entryName")
        now = _dt.datetime.now(_dt.UTC)
        info = zipfile.ZipInfo(name, now.timetuple()[:6])
        info.compress_type = zipfile.ZIP_STORED if level is not None and level.value == 2 else zipfile.ZIP_DEFLATED
        entry = ZipArchiveEntry(self, info, b"")
        self.entries.append(entry)
        return entry

    @method("Dispose() : Void")
    def dispose(self) -> None:
        if self.done:
            return
        self.done = True
        if self.mode != 0:
            contents = [(entry, self.read(entry)) for entry in self.entries]
            if self.mode == 2:
                self.stream.set_length(0)
                self.stream.set_position(0)
            buffer = MemoryStream()
            with zipfile.ZipFile(python_stream(buffer), "w", zipfile.ZIP_DEFLATED) as out:
                for entry, data in contents:
                    out.writestr(entry.info, data)
            self.stream.write_bytes(buffer.to_array())
        if not self.leave_open:
            self.stream.close()


def extract_archive(archive: ZipArchive, folder: str, overwrite: bool = False) -> None:
    """Everything in an archive below `folder`; entries that would leave it are refused."""
    root = paths.full_path(folder).rstrip("\\")
    create_directory(root)
    for entry in archive.entries:
        context.check()
        name = entry.info.filename.replace("/", "\\")
        target = paths.full_path(paths.combine(root, name))
        if not target.lower().startswith(root.lower() + "\\"):
            raise io_exception(
                "Extracting Zip entry would have resulted in a file outside the specified destination directory."
            )
        if name.endswith("\\"):
            create_directory(target.rstrip("\\"))
        else:
            extract_entry(entry, target, overwrite)


def extract_entry(entry: ZipArchiveEntry, target: str, overwrite: bool) -> None:
    parent = paths.directory_name(target)
    if parent is not None:
        create_directory(parent)
    stream = FileStream(target, 2 if overwrite else 1, 2, 0)
    try:
        stream.write_bytes(entry.archive_of.read(entry))
    finally:
        stream.close()
    stamp = DateTime(tf.from_fields(*entry.info.date_time))
    set_time(target, "modified", stamp, False)


def add_to_archive(archive: ZipArchive, path: str, name: str, level: EnumValue | None = None) -> ZipArchiveEntry:
    entry = archive.create_entry(name, level)
    entry.data = read_file(path)
    modified = tf.to_fields(_get_time(path, "modified", False).ticks)
    entry.info.date_time = (
        max(modified.year, 1980),
        modified.month,
        modified.day,
        modified.hour,
        modified.minute,
        modified.second,
    )
    return entry


@net_type("System.IO.Compression.ZipFile")
class ZipFile:
    """System.IO.Compression.ZipFile"""

    @static("OpenRead(String) : IO.Compression.ZipArchive")
    def open_read(path: str) -> ZipArchive:
        return _open_archive(path, 0)

    @static("Open(String,IO.Compression.ZipArchiveMode) : IO.Compression.ZipArchive")
    @static("Open(String,IO.Compression.ZipArchiveMode,Text.Encoding) : IO.Compression.ZipArchive")
    def open(path: str, mode: EnumValue, encoding: Any = None) -> ZipArchive:
        return _open_archive(path, mode.value)

    @static("ExtractToDirectory(String,String) : Void")
    @static("ExtractToDirectory(String,String,Text.Encoding) : Void")
    def extract_to_directory(path: str, folder: str, encoding: Any = None) -> None:
        archive = _open_archive(need(path, "sourceArchiveFileName"), 0)
        try:
            extract_archive(archive, need(folder, "destinationDirectoryName"))
        finally:
            archive.dispose()

    @overloads("System.IO.Compression.ZipFile", "CreateFromDirectory")
    def create_from_directory(
        folder: str, path: str, level: Any = None, include_base: bool = False, encoding: Any = None
    ) -> None:
        full = paths.full_path(need(folder, "sourceDirectoryName")).rstrip("\\")
        archive = _open_archive(need(path, "destinationArchiveFileName"), 1)
        base = full.rpartition("\\")[0] if include_base else full
        try:
            empty = True
            for found, entry in walk(full, "*", True, True, True):
                empty = False
                # the .NET Framework before 4.6.1 wrote backslashes; 4.6.2 writes slashes
                name = posixpath.join(*found[len(base) + 1 :].split("\\"))
                if not entry.is_dir:
                    add_to_archive(archive, found, name, level)
                elif not file_system().listdir(found):
                    archive.create_entry(name + "/")
            if include_base and empty:
                archive.create_entry(paths.file_name(full) + "/")
        finally:
            archive.dispose()


def _open_archive(path: str, mode: int) -> ZipArchive:
    if mode == 0:
        stream = FileStream(path, 3, 1, 1)
    elif mode == 1:
        stream = FileStream(path, 1, 2, 0)
    else:
        stream = FileStream(path, 4, 3, 0)
    try:
        return ZipArchive(stream, mode)
    except NetException:
        stream.close()
        raise


@net_type("System.IO.Compression.ZipFileExtensions")
class ZipFileExtensions:
    """System.IO.Compression.ZipFileExtensions"""

    @static("ExtractToDirectory(IO.Compression.ZipArchive,String) : Void")
    def extract_to_directory(archive: ZipArchive, folder: str) -> None:
        extract_archive(need(archive, "source"), need(folder, "destinationDirectoryName"))

    @static("ExtractToFile(IO.Compression.ZipArchiveEntry,String) : Void")
    @static("ExtractToFile(IO.Compression.ZipArchiveEntry,String,Boolean) : Void")
    def extract_to_file(entry: ZipArchiveEntry, path: str, overwrite: bool = False) -> None:
        extract_entry(need(entry, "source"), paths.full_path(need(path, "destinationFileName")), overwrite)

    @static("CreateEntryFromFile(IO.Compression.ZipArchive,String,String) : IO.Compression.ZipArchiveEntry")
    @static(
        "CreateEntryFromFile(IO.Compression.ZipArchive,String,String,IO.Compression.CompressionLevel) : IO.Compression.ZipArchiveEntry"
    )
    def create_entry_from_file(archive: ZipArchive, path: str, name: str, level: Any = None) -> ZipArchiveEntry:
        return add_to_archive(need(archive, "destination"), need(path, "sourceFileName"), name, level)
