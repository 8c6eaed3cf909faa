"""What a virtual environment must hold: the project's requirements and what the deploy adds."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from pyinfra_iis.release.project import Project, ProjectError
from pyinfra_iis.release.servers import SERVERS

_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]\s*(\S+)")
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Requirements:
    """Arguments for `pip install`, run in the release's folder, and the key of the virtual environment that they make.

    Attributes:
        arguments: `-r requirements.txt uvicorn>=0.36 ...`.
        key: 12 hexadecimal digits over the requirements, the Python and pip's options: equal keys are equal environments.
    """

    arguments: tuple[str, ...]
    key: str


def read(project: Project) -> Requirements:
    """Read a project's requirements.

    Raises:
        ProjectError: a requirements file that is not there, or no way to know which Django the project wants.
    """
    settings = project.settings
    name = settings.requirements or ("requirements.txt" if "requirements.txt" in project.files else "")
    texts: dict[str, str] = {}
    arguments: list[str] = []
    if name:
        _collect(project, name.replace("\\", "/"), texts)
        arguments += ["-r", name]
    elif project.implied_requirement:
        arguments.append(project.implied_requirement)
    named = {
        _canonical(match[1]) for text in texts.values() for line in text.splitlines() if (match := _NAME.match(line))
    }
    added = (*SERVERS[settings.server].packages, *project.added_requirements)
    arguments += [requirement for requirement in added if _canonical(_NAME.match(requirement)[1]) not in named]  # type: ignore[index]
    identity = [arguments, texts, settings.python.sha256, list(settings.pip_options)]
    return Requirements(
        tuple(arguments), hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    )


def _collect(project: Project, name: str, texts: dict[str, str]) -> None:
    if name in texts:
        return
    file = project.files.get(name)
    if file is None:
        raise ProjectError(f"The requirements file {name} is not in {project.place}.")
    texts[name] = file.read().decode("utf-8-sig", errors="replace")
    for line in texts[name].splitlines():
        if match := _INCLUDE.match(line):
            _collect(project, (Path(name).parent / match[1]).as_posix(), texts)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
