"""What an executable file is: told by its content, so that a copied or renamed program still works.

A program of the lab is a small file with an `MZ` head that names the program. The Python interpreter and the launchers in a `Scripts` folder are shell
scripts for this machine (real child processes start them too), recognised by their second line.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

_PROGRAM = b"winlab-program: "
_PYTHON = b"#!/bin/sh\n# winlab-python: "
_LAUNCHER = b"#!/bin/sh\n# winlab-launcher: "


@dataclass(frozen=True)
class Image:
    """kind: `program` (name of a simulated program), `python` (its version), `launcher` (Windows path of its interpreter), `batch`, `foreign`
    (an MZ file that is none of the lab's) or `none` (no executable at all)."""

    kind: str
    name: str = ""


_cache: dict[tuple[int, int, int, int], Image] = {}


def program_stub(
    name: str, version: str = "10.0.14393.0", description: str = "", company: str = "Microsoft Corporation"
) -> bytes:
    """The content of an executable that runs the simulated program `name`."""
    return (
        b"MZ\x90\x00\x03\x00\x00\x00This program cannot be run in DOS mode.\r\n"
        + _PROGRAM
        + f"{name}\r\nFileVersion: {version}\r\nFileDescription: {description or name}\r\nCompanyName: {company}\r\n".encode()
    )


def identify(host_path: str) -> Image:
    """What the file at a path of this machine is."""
    try:
        info = os.stat(host_path)
    except OSError:
        return Image("none")
    key = (info.st_dev, info.st_ino, info.st_mtime_ns, info.st_size)
    known = _cache.get(key)
    if known is None:
        if len(_cache) > 65536:
            _cache.clear()
        known = _cache[key] = _read(host_path)
    return known


def _read(host_path: str) -> Image:
    with open(host_path, "rb") as file:
        head = file.read(1024)
    for marker, kind in ((_PYTHON, "python"), (_LAUNCHER, "launcher")):
        if head.startswith(marker):
            return Image(kind, head[len(marker) :].partition(b"\n")[0].decode().strip())
    if head.startswith(b"MZ"):
        _, found, rest = head.partition(_PROGRAM)
        return Image("program", rest.partition(b"\r\n")[0].decode()) if found else Image("foreign")
    return Image("none")


def version_info(host_path: str) -> dict[str, str]:
    """FileVersion, FileDescription and CompanyName of a program of the lab; {} for other files."""
    with open(host_path, "rb") as file:
        head = file.read(1024)
    if _PROGRAM not in head:
        return {}
    lines = head.partition(_PROGRAM)[2].decode("utf-8", "replace").split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines if ": " in line)
