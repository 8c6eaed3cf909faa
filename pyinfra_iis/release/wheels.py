"""Packages for servers without an index: wheels for Windows and the server's Python, collected on the controlling machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyinfra_iis.release.project import Project, ProjectError
from pyinfra_iis.release.requirements import Requirements

FOLDER = "wheels"
"""The folder below the application's on the server."""


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


def collect(project: Project, requirements: Requirements, cache: Path | None = None) -> list[Wheel]:
    """The wheels that an environment needs on the server; they are resolved and fetched once for each key.

    Versions are resolved by uv for Windows and the server's Python, because pip looks at this machine where a requirement depends on the platform.

    Args:
        project: the project.
        requirements: its requirements.
        cache: where wheels are kept; default `pyinfra-iis/wheels` in the user's cache folder.

    Raises:
        ProjectError: a package that has no wheel for Windows, or an index that cannot be asked.
    """
    base = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pyinfra-iis" / "wheels"
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
    return [Wheel(path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sorted(folder.glob("*.whl"))]


def _fetch(project: Project, requirements: Requirements, folder: Path) -> None:
    if importlib.util.find_spec("uv") is None:
        raise ProjectError("Packages for servers without an index are collected with uv; install pyinfra-iis[offline].")
    version = ".".join(project.settings.python.version.split(".")[:2])
    files = [
        item for flag, item in zip(requirements.arguments, requirements.arguments[1:], strict=False) if flag == "-r"
    ]
    added = [item for item in requirements.arguments if item != "-r" and item not in files]
    pinned = _run(
        project,
        ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:"],
        ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", version, *project.settings.pip_options],
        [*files, "-"],
        text="".join(f"{requirement}\n" for requirement in added),
    )
    names = folder / "pinned.txt"
    names.write_text(pinned, encoding="utf-8")
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
            *project.settings.pip_options,
        ],
        ["--dest", str(folder), "-r", str(names)],
    )


def _run(
    project: Project, program: Sequence[str], options: Sequence[str], arguments: Sequence[str], text: str = ""
) -> str:
    run = subprocess.run(
        [sys.executable, "-m", *program, *options, *arguments],
        cwd=project.root,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise ProjectError(f"The packages of {project.place} cannot be collected for Windows: {_cause(run.stderr)}.")
    return run.stdout


def _cause(text: str) -> str:
    """The part of an error that says why, on one line and without credentials in addresses."""
    text = re.sub(r"://[^/@\s]+@", "://***@", text)
    match = re.search(r"Because (.*?)(?:\n\n|\nhint|\Z)", text, re.DOTALL)
    lines = [line.strip() for line in (match[1] if match else text).splitlines() if line.strip()]
    return re.sub(r"\s+", " ", " ".join(lines if match else lines[-1:])).rstrip(".") or "the index did not say why"
