"""A server as a copy of another, as a virtual machine is cloned: everything that it holds, under a name of its own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_NOT_COPIED = (".python", "winrm-https.pem", "certmapping.json")
"""What belongs to the lab or to the server's name; it is made again."""


class CloneError(Exception):
    """Why there is no copy, as a sentence."""


def clone(source: Path, target: Path, name: str, shared: Sequence[str] = ()) -> None:
    """Copies a server's folder.

    Like a virtual machine that was cloned without sysprep the copy keeps the machine's SID, accounts and certificates; only its name is new.

    Args:
        source: the folder of the server; one that runs may be in the middle of something.
        target: the folder of the copy, which is not there yet.
        name: the copy's computer name.
        shared: folders of drive C: (`C:\\Python`) whose files both servers share, as hard links: less to write where nobody changes them.

    Raises:
        CloneError: the source has never run, or lacks a shared folder.
    """
    if not (source / "machine.json").is_file():
        raise CloneError(f"{source.name} has never run, so there is nothing to copy.")
    linked = [_folder(source, path) for path in shared]
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    inodes: dict[int, int] = {}
    _copy(source, partial, linked, inodes, {}, _NOT_COPIED)
    _rename(partial, name)
    _tell_files(partial, inodes)
    partial.replace(target)


def _folder(source: Path, path: str) -> Path:
    """The real folder of a Windows path."""
    drive, _, rest = path.partition(":")
    found = source / drive.upper()
    for part in filter(None, rest.replace("/", "\\").split("\\")):
        names = {name.lower(): name for name in os.listdir(found)} if found.is_dir() else {}
        found /= names.get(part.lower(), part)
    if not rest.strip("\\/") or not found.is_dir():
        raise CloneError(f"{source.name} has no folder {path}; what copies share is named like C:\\Python.")
    return found


def _copy(
    source: Path,
    target: Path,
    linked: Sequence[Path],
    inodes: dict[int, int],
    links: dict[int, Path],
    left_out: Sequence[str] = (),
) -> None:
    """inodes: gets the number of each copy by that of its source; links: files with several names, by number."""
    share = source in linked
    target.mkdir()
    inodes[source.stat().st_ino] = target.stat().st_ino
    with os.scandir(source) as entries:
        for entry in entries:
            there = target / entry.name
            if entry.name in left_out:
                continue
            if entry.is_symlink():
                there.symlink_to(os.readlink(entry.path))
            elif entry.is_dir():
                below = Path(entry.path)
                _copy(below, there, [below] if share else linked, inodes, links)
            elif share:
                os.link(entry.path, there)
                inodes[entry.inode()] = entry.inode()
            else:
                _copy_file(entry, there, inodes, links)
    shutil.copystat(source, target)


def _copy_file(entry: os.DirEntry[str], target: Path, inodes: dict[int, int], links: dict[int, Path]) -> None:
    try:
        status = entry.stat()
        if status.st_nlink > 1 and status.st_ino in links:
            os.link(links[status.st_ino], target)
            return
        shutil.copy2(entry.path, target)
        links[status.st_ino] = target
        inodes[status.st_ino] = target.stat().st_ino
    except FileNotFoundError:
        return  # removed meanwhile by the server that runs


def _rename(folder: Path, name: str) -> None:
    machine = _read(folder / "machine.json")
    old, machine["name"] = machine["name"], name
    _write(folder / "machine.json", machine)
    if (folder / "registry.json").is_file():
        registry = _read(folder / "registry.json")
        _write(folder / "registry.json", _replaced(registry, old, name))


def _tell_files(folder: Path, inodes: dict[int, int]) -> None:
    """What is known of files (owners, access lists, attributes) is kept with the number of the file that it is about."""
    if not (folder / "files.json").is_file():
        return
    records = _read(folder / "files.json")
    for record in records.values():
        if record.get("ino") in inodes:
            record["ino"] = inodes[record["ino"]]
    _write(folder / "files.json", records)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    return new if value == old else value


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), "utf-8")
