"""A project as a commit has it, by `git archive`: nothing is checked out in the user's own tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import IO

from pyinfra_iis.release.names import visible
from pyinfra_iis.release.scan import cache_folder
from pyinfra_iis.release.tree import ProjectError

_KEPT = 86_400
"""Seconds after which an unpacked commit that nobody has used is removed."""

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_SIZE = 1024
"""Bytes: a Git LFS pointer is shorter (its specification, "The Pointer")."""

_SAME_EVERYWHERE = ("core.autocrlf=false", "core.eol=lf", f"core.attributesFile={os.devnull}", "tar.umask=0022")
"""What git's settings of a user must not change: the same commit is the same release wherever it is made."""


@dataclass
class Snapshot:
    """A project at one commit.

    Attributes:
        commit: its full name.
        root: the project's folder, unpacked in the user's cache.
        problems: paths that are not there as they should be, with what is wrong and what to do.
    """

    commit: str
    root: Path
    problems: dict[str, str] = field(default_factory=dict)


def unpack(project: Path, ref: str, cache: Path | None = None) -> Snapshot:
    """A project as a commit has it, with the rules of `git archive`: what has the attribute `export-ignore` is left out.

    Args:
        project: its folder in a work tree; nothing there is changed.
        ref: a branch, a tag or a commit.
        cache: where commits are unpacked; default `pyinfra-iis/commits` in the user's cache folder.

    Raises:
        ProjectError: no git, no repository, no such commit, or the project is not in it.
    """
    base = cache or cache_folder() / "commits"
    try:
        prefix = _git(project, "rev-parse", "--show-prefix")
    except _GitError as error:
        raise ProjectError(f"There is no {ref} of {project} to deploy: {error}.") from None
    try:
        commit = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except _GitError:
        raise ProjectError(
            f"'{ref}' names no commit in the repository of {project}; fetch it, or name another."
        ) from None
    try:
        _git(project, "cat-file", "-e", f"{commit}:{prefix}")
    except _GitError:
        raise ProjectError(f"{project} is not in {ref} (commit {commit[:12]}).") from None
    _forget(base)
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as stream:
        _archive(project, commit, prefix, stream)
        stream.seek(0)
        folder = base / file_digest(stream, "sha256").hexdigest()[:16]
        snapshot = Snapshot(commit, folder / prefix)
        stream.seek(0)
        if folder.is_dir():
            os.utime(folder)
            _read(stream, prefix, None, snapshot.problems)
        else:
            with tempfile.TemporaryDirectory(dir=base) as partial:
                _read(stream, prefix, Path(partial, prefix), snapshot.problems)
                try:
                    os.rename(partial, folder)
                    os.mkdir(partial)  # what the context manager removes
                except OSError:
                    if not folder.is_dir():
                        raise
    for path in _submodules(project, commit, prefix):
        if snapshot.root.joinpath(path).is_dir():
            snapshot.problems[path] = (
                "is a submodule, which no archive of a commit holds; keep it out, or put its files into the repository"
            )
    return snapshot


class _GitError(Exception):
    """Git's own reason."""


def _git(project: Path, *arguments: str, into: IO[bytes] | None = None) -> str:
    """What git prints, unless it goes into a file."""
    try:
        run = subprocess.run(
            ["git", *arguments], cwd=project, stdout=into or subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )
    except OSError:
        raise ProjectError("A commit can only be deployed with git, which is not installed here.") from None
    if run.returncode:
        lines = run.stderr.decode("utf-8", "replace").strip().splitlines() or ["git did not say why"]
        raise _GitError(visible(lines[0].removeprefix("fatal: ").rstrip(".")))
    return "" if into else os.fsdecode(run.stdout.rstrip(b"\n"))


def _archive(project: Path, commit: str, prefix: str, stream: IO[bytes]) -> None:
    # From the top folder, because attributes of the folders above the project count too.
    top = Path(_git(project, "rev-parse", "--show-toplevel"))
    settings = [part for setting in _SAME_EVERYWHERE for part in ("-c", setting)]
    paths = ["--", prefix] if prefix else []
    try:
        _git(top, *settings, "--literal-pathspecs", "archive", "--format=tar", commit, *paths, into=stream)
    except _GitError as error:
        raise ProjectError(f"git cannot make an archive of commit {commit[:12]} of {project}: {error}.") from None


def _read(stream: IO[bytes], prefix: str, target: Path | None, problems: dict[str, str]) -> None:
    """Look through an archive, and unpack it where there is a target."""
    if target is not None:
        target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            path = member.name.removeprefix(prefix)
            if not member.name.startswith(prefix) or not path or ".." in path.split("/"):
                continue
            if member.issym() or member.islnk():
                problems[path] = "is a symbolic link; put the file itself there or keep it out"
            elif member.isfile():
                source = archive.extractfile(member)
                assert source is not None
                start = source.read(_POINTER_SIZE)
                if len(start) < _POINTER_SIZE and start.startswith(_LFS_POINTER):
                    problems[path] = (
                        "is only a pointer, because Git LFS is not set up here; set it up, or keep the file out"
                    )
                if target is not None:
                    _write(target / path, start, source, path)
            elif member.isdir() and target is not None:
                (target / path).mkdir(parents=True, exist_ok=True)


def _write(target: Path, start: bytes, rest: IO[bytes], path: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as sink:
            sink.write(start)
            shutil.copyfileobj(rest, sink)
    except FileExistsError:
        raise ProjectError(
            f"{visible(path)} is one name with another file of the commit on this machine; rename one."
        ) from None
    except OSError as error:
        raise ProjectError(f"{visible(path)} of the commit cannot be written here: {error.strerror}.") from None


def _submodules(project: Path, commit: str, prefix: str) -> Iterator[str]:
    listed = _git(project, "ls-tree", "-r", "-z", "--full-tree", commit, *(["--", prefix] if prefix else []))
    for entry in listed.split("\0"):
        about, _, path = entry.partition("\t")
        if about.startswith("160000 "):
            yield path.removeprefix(prefix)


def _forget(base: Path) -> None:
    for folder in base.iterdir() if base.is_dir() else ():
        try:
            if folder.stat().st_mtime < time.time() - _KEPT:
                shutil.rmtree(folder)
        except OSError:
            continue
