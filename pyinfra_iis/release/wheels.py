"""Packages for servers without an index: wheels for Windows and the server's Python, collected on the controlling machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from pyinfra_iis.release import pip_options
from pyinfra_iis.release.project import Project, ProjectError
from pyinfra_iis.release.requirement_files import without_credentials
from pyinfra_iis.release.requirements import Requirements
from pyinfra_iis.release.scan import cache_folder

FOLDER = "wheels"
"""The folder below the application's on the server."""

_PINNED = "pinned.txt"
_LIMITS = "limits.txt"
_SOURCES = ("--index-url", "--extra-index-url", "--find-links", "--trusted-host")
_INDEX = ("-i", "--index-url", "--no-index")
_FURTHER = ("--extra-index-url", "-f", "--find-links")
_SOURCE_ONLY = re.compile(r"(?P<what>[\w.-]+==[^\s,]+)\s+has\s+no\s+usable\s+wheels")
_YANKED = re.compile(r"warning: `(?P<what>[^`]+)` is yanked(?: \(reason: (?P<why>.*)\))?")


@dataclass(frozen=True)
class Wheel:
    """One wheel on this machine.

    Attributes:
        path: the file.
        sha256: of its content, hexadecimal.
    """

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def package(self) -> tuple[str, str]:
        """The package's name, as indexes write it, and its version."""
        name, version, _, _ = parse_wheel_filename(self.name)
        return name, str(version)


def collect(project: Project, requirements: Requirements, cache: Path | None = None) -> list[Wheel]:
    """The wheels that an environment needs on the server; they are resolved and fetched once for each key.

    Versions are resolved by uv for Windows and the server's Python, because pip looks at this machine where a requirement depends on the platform. Each
    wheel has the SHA-256 that the index told, and, where the project has a lock with hashes, one of those.

    Args:
        project: the project.
        requirements: its requirements.
        cache: where wheels are kept; default `pyinfra-iis/wheels` in the user's cache folder.

    Raises:
        ProjectError: a package that has no wheel for Windows, one that is not what the lock says, or an index that cannot be asked.
    """
    base = cache or cache_folder() / "wheels"
    folder = base / requirements.key
    if folder.is_dir() and not _is_whole(folder):
        shutil.rmtree(folder)
        _wheels.cache_clear()
    if not folder.is_dir():
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as partial:
            _fetch(project, requirements, Path(partial))
            try:
                os.rename(partial, folder)
                os.mkdir(partial)  # what the context manager removes
            except OSError:
                if not folder.is_dir():
                    raise
    return list(_wheels(folder))


def _is_whole(folder: Path) -> bool:
    """Whether kept wheels are still what the index told."""
    try:
        pinned = (folder / _PINNED).read_text(encoding="utf-8")
    except OSError:
        return False
    lines = [line for line in pinned.splitlines() if not line.startswith((" ", "#")) and line.strip()]
    found = _wheels(folder)
    return len(found) == len(lines) and all(f"sha256:{wheel.sha256}" in pinned for wheel in found)


def arguments(found: Iterable[Wheel]) -> list[str]:
    """The arguments of `pip install` on the server that install these wheels and nothing else, in the folder of a release."""
    return ["--no-index", "--no-deps", *(f"../../{FOLDER}/{wheel.name}" for wheel in found)]


@lru_cache(maxsize=16)
def _wheels(folder: Path) -> tuple[Wheel, ...]:
    return tuple(Wheel(path, _digest(path, "sha256")) for path in sorted(folder.glob("*.whl")))


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def _fetch(project: Project, requirements: Requirements, folder: Path) -> None:
    if importlib.util.find_spec("uv") is None:
        raise ProjectError("Packages for servers without an index are collected with uv; install pyinfra-iis[offline].")
    version = project.settings.python.version
    options = pip_options.with_files(project.settings.pip_options, requirements.options)
    for_uv, variables_of_uv = pip_options.for_uv(options)
    for_pip, variables_of_pip = pip_options.split(options)
    # uv reads what has been understood, not the files: of their encodings, paths and options it takes fewer than pip.
    limits = folder / _LIMITS
    limits.write_text("".join(f"{line}\n" for line in requirements.limits), encoding="utf-8")
    pinned = _run(
        project,
        [
            "uv",
            "pip",
            "compile",
            "--python",
            sys.executable,
            "--no-python-downloads",
            "--no-header",
            "--no-annotate",
            "--generate-hashes",
            "--only-binary",
            ":all:",
        ],
        [
            "--python-platform",
            "x86_64-pc-windows-msvc",
            "--python-version",
            version,
            *for_uv,
            *_indexes_of_pip(options),
            "--constraint",
            str(limits),
        ],
        ["-"],
        text="".join(f"{_placed(project, line)}\n" for line in requirements.asked),
        variables=variables_of_uv,
    )
    limits.unlink()
    (folder / _PINNED).write_text(pinned, encoding="utf-8")
    _run(
        project,
        ["pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--only-binary", ":all:"],
        [
            "--platform",
            "win_amd64",
            "--implementation",
            "cp",
            "--python-version",
            version,
            *for_pip,
        ],
        ["--dest", str(folder), "-r", str(folder / _PINNED)],
        variables=variables_of_pip,
    )
    _check_locked(project, requirements, _wheels(folder))


def _placed(project: Project, line: str) -> str:
    """A requirement; a wheel of the project by its address on this machine."""
    name, at, path = line.partition(" @ ")
    return f"{name} @ {(project.root / path).resolve().as_uri()}" if at else line


def _indexes_of_pip(options: Sequence[str]) -> list[str]:
    """Where this machine's pip is configured to look, as options, unless an index is given: uv does not read pip's configuration."""
    given = {name for name, _ in pip_options.pairs(options)}
    if not given.isdisjoint(_INDEX):
        return []
    run = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, str] = {}
    for section in ("global", "download", ":env:"):  # the later ones count more
        for line in run.stdout.splitlines():
            if match := re.fullmatch(rf"{section}\.(?P<name>[a-z-]+)=(?P<quote>['\"])(?P<value>.*)(?P=quote)", line):
                found[match["name"]] = match["value"].replace("\\n", " ")
    names = ("--index-url", "--trusted-host") if not given.isdisjoint(_FURTHER) else _SOURCES
    result = [part for name in names for value in found.get(name[2:], "").split() for part in (name, value)]
    return result + ["--no-index"] * (found.get("no-index", "").lower() in ("1", "true", "yes", "on"))


def _check_locked(project: Project, requirements: Requirements, found: Iterable[Wheel]) -> None:
    for wheel in found:
        name, version = wheel.package
        locked = requirements.hashes.get(canonicalize_name(name))
        found_here = {f"{kind}:{_digest(wheel.path, kind)}" for kind in _kinds(locked or ())}
        if found_here and locked and locked.isdisjoint(found_here):
            raise ProjectError(
                f"The index gives a wheel {wheel.name} with the SHA-256 {wheel.sha256}, which is not among those that {project.place} has locked for "
                f"{name} {version}; lock again for Windows, or find out who changed it."
            )


def _kinds(hashes: Iterable[str]) -> set[str]:
    """The algorithms of hashes, as far as pip takes them."""
    return {text.partition(":")[0] for text in hashes} & {"sha256", "sha384", "sha512"}


def _run(
    project: Project,
    program: Sequence[str],
    options: Sequence[str],
    arguments: Sequence[str],
    variables: Mapping[str, str],
    text: str = "",
) -> str:
    run = subprocess.run(
        [sys.executable, "-m", *program, *options, *arguments],
        cwd=project.root,
        env={**os.environ, **variables},
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if run.returncode:
        raise ProjectError(f"The packages of {project.place} cannot be collected for Windows: {_cause(run.stderr)}.")
    for match in _YANKED.finditer(run.stderr):
        why = f": {match['why'].strip(chr(34))}" if match["why"] else ""
        project.warnings.append(f"{match['what']} has been withdrawn by its authors{why}.")
    return run.stdout


def _cause(text: str) -> str:
    """The part of an error that says why, on one line and without credentials in addresses."""
    text = without_credentials(text)
    if "DO NOT MATCH THE HASHES" in text:
        what = re.search(r"^\s+(\S+) from (\S+?)(?:#\S*)?(?: .*)?:?$", text, re.MULTILINE)
        named = f"{what[1].split('=')[0]} from {what[2].rstrip(':')}" if what else "a package"
        return f"{named} does not have the hash that it must have; somebody may have changed it"
    if match := _SOURCE_ONLY.search(text):
        return (
            f"{match['what']} has no wheel, only source archives; where it is pure Python, make a wheel of it here (pip wheel --no-deps {match['what']}), "
            "put that into the project and name it by its path in the requirements"
        )
    match = re.search(r"Because (.*?)(?:\n\n|\n\s*hint|\Z)", text, re.DOTALL)
    lines = [line.strip(" ╰─▶│├×") for line in (match[1] if match else text).splitlines() if line.strip()]
    return re.sub(r"\s+", " ", " ".join(lines if match else lines[-1:])).rstrip(".") or "the index did not say why"
