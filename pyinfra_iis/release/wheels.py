"""Packages for servers without an index: wheels for Windows and the server's Python, collected on the controlling machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
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
from pyinfra_iis.release.requirements import RENDERED, Requirements
from pyinfra_iis.release.scan import cache_folder

FOLDER = "wheels"
"""The folder below the application's on the server."""

_PINNED = "pinned.txt"
_SOURCES = {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index"}
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


def arguments(found: Iterable[Wheel]) -> list[str]:
    """The arguments of `pip install` on the server that install these wheels and nothing else, in the folder of a release."""
    return ["--no-index", "--no-deps", *(f"../../{FOLDER}/{wheel.name}" for wheel in found)]


@lru_cache(maxsize=16)
def _wheels(folder: Path) -> tuple[Wheel, ...]:
    return tuple(Wheel(path, _sha256(path)) for path in sorted(folder.glob("*.whl")))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch(project: Project, requirements: Requirements, folder: Path) -> None:
    if importlib.util.find_spec("uv") is None:
        raise ProjectError("Packages for servers without an index are collected with uv; install pyinfra-iis[offline].")
    version = project.settings.python.version
    for_uv, variables_of_uv = pip_options.for_uv(project.settings.pip_options)
    for_pip, variables_of_pip = pip_options.split(project.settings.pip_options)
    files = [str(_placed(name, requirements, folder)) for name in requirements.files]
    limits = [part for name in requirements.constraints for part in ("--constraint", name)]
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
            *_indexes_of_pip(project.settings.pip_options),
            *limits,
        ],
        [*files, "-"],
        text="".join(f"{requirement}\n" for requirement in requirements.texts),
        variables=variables_of_uv,
    )
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
    (folder / RENDERED).unlink(missing_ok=True)
    _check_locked(project, requirements, _wheels(folder))


def _placed(name: str, requirements: Requirements, folder: Path) -> Path:
    """A requirements file on this machine."""
    if name != RENDERED:
        return Path(name)
    target = folder / RENDERED
    target.write_text(requirements.rendered, encoding="utf-8")
    return target


def _indexes_of_pip(options: Sequence[str]) -> list[str]:
    """Where this machine's pip is configured to look, as options, unless there are such options: uv does not read pip's configuration."""
    if not _SOURCES.isdisjoint(option.partition("=")[0] for option in options):
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
    names = ("index-url", "extra-index-url", "find-links", "trusted-host")
    result = [part for name in names for value in found.get(name, "").split() for part in (f"--{name}", value)]
    return result + ["--no-index"] * (found.get("no-index", "").lower() in ("1", "true", "yes", "on"))


def _check_locked(project: Project, requirements: Requirements, found: Iterable[Wheel]) -> None:
    for wheel in found:
        name, version = wheel.package
        locked = requirements.hashes.get(canonicalize_name(name))
        if locked and wheel.sha256 not in locked:
            raise ProjectError(
                f"The index gives a wheel {wheel.name} with the SHA-256 {wheel.sha256}, which is not among those that {project.place} has locked for "
                f"{name} {version}; lock again for Windows, or find out who changed it."
            )


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
    match = re.search(r"Because (.*?)(?:\n\n|\n\s*hint|\Z)", text, re.DOTALL)
    lines = [line.strip(" ╰─▶│├×") for line in (match[1] if match else text).splitlines() if line.strip()]
    return re.sub(r"\s+", " ", " ".join(lines if match else lines[-1:])).rstrip(".") or "the index did not say why"
