"""The FileSystem provider, over the simulated server's disks and with the rights of the script's identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from winlab.powershell.dotnet.core import get_type
from winlab.powershell.dotnet.declare import path_error
from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.providers import Child, Drive, ItemError, Provider
from winlab.powershell.runtime.invoke import construct
from winlab.windows.errors import WindowsError

HIDDEN, SYSTEM, READONLY, DIRECTORY = 0x2, 0x4, 0x1, 0x10


def net_exception(error: WindowsError, path: str) -> NetException:
    """A refusal of the file system as .NET reports it; the cmdlets look at a path's characters before they ask."""
    if error.code == 123:
        return NetException("System.ArgumentException", "Illegal characters in path.")
    return path_error(error, path)


class FileSystemProvider(Provider):
    """Files and folders."""

    name = "FileSystem"
    has_content = True

    @property
    def fs(self) -> Any:
        return self.runtime.machine.fs

    @property
    def user(self) -> Any:
        return self.runtime.user

    # -- paths

    def full(self, path: str) -> str:
        """The full path that some text names."""
        try:
            return self.fs.resolve(path, "C:\\")
        except WindowsError as error:
            raise ItemError(net_exception(error, path), "ItemExistsArgumentError", "InvalidArgument", path) from None

    def parent(self, path: str) -> str:
        head = path.rstrip("\\").rpartition("\\")[0]
        if len(path) <= 3:
            return ""
        return head + "\\" if head.endswith(":") else head

    def with_drive(self, drive: Drive, path: str) -> str:
        return path

    def stored(self, path: str) -> str:
        return self.fs.stored_path(path)

    # -- items

    def exists(self, path: str) -> bool:
        return self.fs.exists(path, self.user)

    def is_container(self, path: str) -> bool:
        return self.fs.is_dir(path, self.user)

    def item(self, path: str) -> Any:
        stored = self.stored(path)
        kind = "DirectoryInfo" if self.is_container(path) else "FileInfo"
        return construct(get_type(f"System.IO.{kind}"), [stored])

    def children(self, path: str) -> list[Child]:
        """Folders first, then files, each in the order of their names."""
        try:
            entries = self.fs.listdir(path, self.user)
        except WindowsError as error:
            raise ItemError(
                net_exception(error, path),
                "DirUnauthorizedAccessError" if error.code == 5 else "DirIOError",
                "PermissionDenied" if error.code == 5 else "ReadError",
                path,
            ) from None
        entries.sort(key=lambda entry: (not entry.is_dir, entry.name.upper()))
        return [Child(entry.name, entry.is_dir, bool(entry.attributes & (HIDDEN | SYSTEM))) for entry in entries]

    def new(self, path: str, kind: str, value: Any, force: bool) -> Any:
        lowered = (kind or "file").lower()
        if "directory".startswith(lowered) or lowered in ("container",):
            self._new_directory(path, force)
            return construct(get_type("System.IO.DirectoryInfo"), [self.stored(path)])
        if "file".startswith(lowered) or lowered == "leaf":
            self._new_file(path, value, force)
            return construct(get_type("System.IO.FileInfo"), [self.stored(path)])
        if lowered in ("symboliclink", "hardlink", "junction"):
            self._new_link(path, lowered, value)
            return self.item(path)
        raise ItemError(
            NetException(
                "System.Management.Automation.PSArgumentException",
                f'The type is not a known type for the file system. Only "file","directory" or "symboliclink" can be specified: {kind}.',
            ),
            "Argument",
            "InvalidArgument",
            kind,
        )

    def _new_directory(self, path: str, force: bool) -> None:
        if self.fs.exists(path, self.user) and not (force and self.is_container(path)):
            raise ItemError(
                NetException("System.IO.IOException", f"An item with the specified name {path} already exists."),
                "DirectoryExist",
                "ResourceExists",
                path,
            )
        try:
            self.fs.mkdir(path, parents=True, user=self.user)
        except WindowsError as error:
            raise self.failed(error, path, "CreateDirectory") from None

    def _new_file(self, path: str, value: Any, force: bool) -> None:
        if self.fs.exists(path, self.user) and not force:
            raise ItemError(
                NetException("System.IO.IOException", f"The file '{path}' already exists."),
                "NewItemIOError",
                "WriteError",
                path,
            )
        try:
            if force:
                self.fs.mkdir(self.parent(path) or path, parents=True, user=self.user)
            data = b"" if value is None else self.runtime.to_string(value).encode("utf-8")
            self.fs.write_bytes(path, data, self.user)
        except WindowsError as error:
            raise self.failed(error, path, "NewItem") from None

    def _new_link(self, path: str, kind: str, value: Any) -> None:
        target = self.full(self.runtime.to_string(value))
        try:
            if kind == "hardlink":
                self.fs.link(path, target, self.user)
            else:
                self.fs.symlink(path, target, self.user)
        except WindowsError as error:
            raise self.failed(error, path, "NewItem") from None

    def remove(self, path: str, recurse: bool, force: bool) -> None:
        try:
            if not self.is_container(path):
                self._remove_file(path, force)
                return
            if recurse:
                self.fs.rmtree(path, self.user, force=force)
            else:
                self.fs.rmdir(path, self.user)
        except WindowsError as error:
            where = error.path or path
            cause = net_exception(error, where)
            raise ItemError(
                NetException(cause.type_name, f"Cannot remove item {path}: {cause.message}", cause),
                "RemoveFileSystemItemUnAuthorizedAccess" if error.code == 5 else "RemoveFileSystemItemIOError",
                "PermissionDenied" if error.code == 5 else "WriteError",
                path,
            ) from None

    def _remove_file(self, path: str, force: bool) -> None:
        attributes = self.fs.attributes(path, self.user)
        if attributes & (READONLY | HIDDEN | SYSTEM):
            if not force:
                raise ItemError(
                    NetException(
                        "System.IO.IOException",
                        f"Cannot remove item {path}: You do not have sufficient access rights to perform this operation.",
                    ),
                    "RemoveFileSystemItemUnAuthorizedAccess",
                    "PermissionDenied",
                    path,
                )
            self.fs.set_attributes(path, attributes & ~READONLY, self.user)
        self.fs.remove(path, self.user)

    def copy(self, path: str, target: str, recurse: bool, force: bool) -> Iterator[str]:
        if self.is_container(target):
            target = self.join(target, self.leaf(self.stored(path)))
        try:
            if self.is_container(path):
                yield from self._copy_folder(path, target, recurse, force)
            else:
                yield self._copy_file(path, target, force)
        except WindowsError as error:
            raise self.failed(error, error.path or target, "CopyFileInfoItem") from None

    def _copy_file(self, path: str, target: str, force: bool) -> str:
        if self.stored(path).lower() == self.stored(target).lower():
            raise ItemError(
                NetException("System.IO.IOException", f"Cannot overwrite the item {path} with itself."),
                "CopyError",
                "WriteError",
                path,
            )
        if force and self.fs.is_file(target, self.user):
            self.fs.set_attributes(target, self.fs.attributes(target, self.user) & ~READONLY, self.user)
        self.fs.copy(path, target, True, self.user)
        return target

    def _copy_folder(self, path: str, target: str, recurse: bool, force: bool) -> Iterator[str]:
        self.fs.mkdir(target, parents=True, user=self.user)
        yield target
        if recurse:
            for child in self.children(path):
                source = self.join(path, child.name)
                place = self.join(target, child.name)
                if child.is_container:
                    yield from self._copy_folder(source, place, recurse, force)
                else:
                    yield self._copy_file(source, place, force)

    def move(self, path: str, target: str, force: bool) -> str:
        if self.is_container(target):
            target = self.join(target, self.leaf(self.stored(path)))
        try:
            if force and self.fs.is_file(target, self.user) and self.fs.is_file(path, self.user):
                self.fs.remove(target, self.user)
            self.fs.move(path, target, False, self.user)
        except WindowsError as error:
            kind = "MoveDirectoryItem" if self.is_container(path) else "MoveFileInfoItem"
            if error.code in (80, 183):
                text = "Cannot create a file when that file already exists.\r\n"
                raise ItemError(
                    NetException("System.IO.IOException", text), f"{kind}IOError", "WriteError", path
                ) from None
            raise self.failed(error, error.path or path, kind) from None
        return target

    def rename(self, path: str, name: str, force: bool) -> str:
        if "\\" in name or "/" in name or ":" in name:
            raise ItemError(
                NetException(
                    "System.Management.Automation.PSArgumentException",
                    "Cannot rename the specified target, because it represents a path or device name.",
                ),
                "Argument",
                "InvalidArgument",
                name,
            )
        target = self.join(self.parent(path), name)
        try:
            self.fs.move(path, target, False, self.user)
        except WindowsError as error:
            if error.code in (80, 183):
                text = "Cannot create a file when that file already exists.\r\n"
                raise ItemError(
                    NetException("System.IO.IOException", text), "RenameItemIOError", "WriteError", path
                ) from None
            raise self.failed(error, path, "RenameItem") from None
        return target

    # -- properties

    def get_properties(self, path: str, names: list[str] | None) -> Any:
        from winlab.powershell.objects import PSCustomObject
        from winlab.powershell.runtime.members import find_member, get_member

        item = self.item(path)
        if names is None:
            return item
        found = {}
        for name in names:
            if find_member(item, name) is None:
                raise no_property(name, path)
            found[name] = get_member(item, name)
        return PSCustomObject.of(found)

    def set_property(self, path: str, name: str, value: Any, kind: str | None) -> None:
        from winlab.powershell.runtime.members import set_member

        set_member(self.item(path), name, value)

    # -- content

    def read(self, path: str) -> bytes:
        """A file's bytes.

        Raises:
            ItemError: as Get-Content reports it.
        """
        if self.is_container(path):
            raise ItemError(
                NetException("System.UnauthorizedAccessException", f"Access to the path '{path}' is denied."),
                "GetContentReaderUnauthorizedAccessError",
                "PermissionDenied",
                path,
            )
        try:
            return self.fs.read_bytes(path, self.user)
        except WindowsError as error:
            raise self.failed(error, path, "GetContentReader", "OpenError") from None

    def write(self, path: str, data: bytes, append: bool, force: bool) -> None:
        """Write or append to a file.

        Raises:
            ItemError: as Set-Content reports it.
        """
        try:
            if force and self.fs.is_file(path, self.user):
                self.fs.set_attributes(path, self.fs.attributes(path, self.user) & ~READONLY, self.user)
            if append:
                self.fs.append_bytes(path, data, self.user)
            else:
                self.fs.write_bytes(path, data, self.user)
        except WindowsError as error:
            raise self.failed(error, path, "GetContentWriter", "OpenError") from None

    def failed(self, error: WindowsError, path: str, what: str, category: str = "WriteError") -> ItemError:
        """A refusal of the file system as an error of the cmdlets: `<what>IOError` and the like."""
        if error.code == 50:
            raise LabUnsupported(error.message)
        cause = net_exception(error, path)
        kind = cause.type_name.rpartition(".")[2]
        endings = {
            "UnauthorizedAccessException": ("UnauthorizedAccessError", "PermissionDenied"),
            "FileNotFoundException": ("FileNotFoundError", "ObjectNotFound"),
            "DirectoryNotFoundException": ("DirectoryNotFoundError", "ObjectNotFound"),
            "ArgumentException": ("ArgumentError", "InvalidArgument"),
        }
        ending, kind_of = endings.get(kind, ("IOError", category))
        return ItemError(cause, what + ending, kind_of, path)


def no_property(name: str, path: str) -> ItemError:
    """An item has no such property."""
    return ItemError(
        NetException(
            "System.Management.Automation.PSArgumentException", f"Property {name} does not exist at path {path}."
        ),
        "System.Management.Automation.PSArgumentException",
        "InvalidArgument",
        name,
    )
