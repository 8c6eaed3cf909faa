"""A release: the project's files with the settings overlay and web.config, named by its content."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyinfra_iis.release import helper, origin, requirements
from pyinfra_iis.release.project import DjangoProject, Project, ProjectError, ProjectFile
from pyinfra_iis.release.requirements import Requirements
from pyinfra_iis.release.servers import SERVERS
from pyinfra_iis.rendering import render
from pyinfra_iis.settings import DjangoSettings, WebSettings

SETTINGS_OVERLAY = "pyinfra_iis_settings.py"
WEB_CONFIG = "web.config"
GATE = "pyinfra_iis_gate.py"
"""The module in front of the application, see templates/gate.py.j2."""
SECRET_KEY_VARIABLE = "DJANGO_SECRET_KEY"

_GATE_MODULE = GATE.removesuffix(".py")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Release:
    """What one deploy puts on a server.

    Attributes:
        settings: the deploy's settings.
        project: the project on this machine.
        requirements: what its virtual environment holds.
    """

    settings: WebSettings
    project: Project
    requirements: Requirements

    @cached_property
    def environment(self) -> str:
        """The virtual environment's folder on the server."""
        return rf"{self.settings.root}\venvs\{self.requirements.key}"

    @cached_property
    def interpreter(self) -> str:
        """The Python of the virtual environment."""
        return rf"{self.environment}\Scripts\python.exe"

    has_lifespan = True
    """Whether an ASGI application may want to be told when its server starts and ends."""

    @property
    def command(self) -> tuple[str, ...]:
        """The arguments of the interpreter that start the site's process."""
        settings = self.settings
        return settings.command or SERVERS[settings.server].command(
            f"{_GATE_MODULE}:application", self.project.interface, self.has_lifespan
        )

    @property
    def is_gated(self) -> bool:
        """Whether requests come to the application through the gate; a command of the user's own has to name it."""
        return self.settings.server != "command" or any(_GATE_MODULE in argument for argument in self.settings.command)

    @property
    def arguments(self) -> str:
        """The same as one command line, as web.config has it."""
        return subprocess.list2cmdline(self.command)

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of the site's process; what is secret is in the app pool's."""
        return {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}

    @property
    def preparation(self) -> list[list[str]]:
        """Arguments of manage.py, in order, before the release is started for the first time."""
        return []

    @property
    def templates(self) -> dict[str, str]:
        """The files that the deploy makes, each with its template."""
        return {WEB_CONFIG: "web.config.j2", **({GATE: "gate.py.j2"} if self.is_gated else {})}

    @cached_property
    def files(self) -> dict[str, ProjectFile]:
        """Every file of the release by its path: the project's, and those of the deploy."""
        files = dict(self.project.files)
        for name, template in self.templates.items():
            for existing in [path for path in files if path.lower() == name.lower()]:
                del files[existing]
                self.project.warnings.append(f"{existing} of the project is replaced by the deploy's own.")
            files[name] = ProjectFile.rendered(name, self._render(template))
        if self.requirements.rendered:
            files[requirements.RENDERED] = ProjectFile.rendered(requirements.RENDERED, self.requirements.rendered)
        return dict(sorted(files.items()))

    def _render(self, template: str) -> str:
        server = SERVERS[self.settings.server]
        return render(template, release=self, settings=self.settings, project=self.project, server=server)

    @cached_property
    def entries(self) -> dict[str, list[Any]]:
        """What the release consists of: path -> [SHA-256, size]."""
        return {path: [file.sha256, file.size] for path, file in self.files.items()}

    @cached_property
    def id(self) -> str:
        """The release's name, `r` and 15 hexadecimal digits: the same content has the same name."""
        return helper.release_id(self.requirements.key, self.entries)

    @cached_property
    def directory(self) -> str:
        """The release's folder on the server."""
        return rf"{self.settings.root}\releases\{self.id}"

    def archive(self, base: Mapping[str, Any] | None = None) -> bytes:
        """What a server needs to put the release together, as a zip of `delta.json` and `contents/SHA256`.

        Args:
            base: the record of a release that the server has; what it holds is not sent again.
        """
        identifier = base["id"] if base else ""
        if identifier not in self._archives:
            self._archives.clear()
            self._archives[identifier] = self._archive(base)
        return self._archives[identifier]

    @cached_property
    def _archives(self) -> dict[str, bytes]:
        """The last archive by its base: asked for when changes are looked for and when they are made, and by each host of a fleet."""
        return {}

    def _archive(self, base: Mapping[str, Any] | None) -> bytes:
        known = base["files"] if base else {}
        held = {entry[0] for entry in known.values()}
        delta = {
            "id": self.id,
            "environment": self.requirements.key,
            "base": base["id"] if base else "",
            "changed": {path: entry for path, entry in self.entries.items() if known.get(path) != entry},
            "removed": sorted(set(known) - set(self.entries)),
            "about": {**origin.describe(self.project), "size": sum(file.size for file in self.files.values())},
        }
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            _add(archive, "delta.json", json.dumps(delta, sort_keys=True).encode())
            for sha256, file in {file.sha256: file for file in self.files.values()}.items():
                if sha256 not in held:
                    content = file.read()
                    if hashlib.sha256(content).hexdigest() != sha256:
                        raise ProjectError(
                            f"{file.path} in {self.project.place} changed while it was deployed; deploy again."
                        )
                    _add(archive, f"contents/{sha256}", content)
        return stream.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


class DjangoRelease(Release):
    """A release of a Django project: with a settings module of the deploy around the project's own."""

    settings: DjangoSettings
    project: DjangoProject
    has_lifespan = False

    @property
    def variables(self) -> dict[str, str]:
        """As for any release, and the settings module."""
        return {"DJANGO_SETTINGS_MODULE": SETTINGS_OVERLAY.removesuffix(".py"), **super().variables}

    @property
    def preparation(self) -> list[list[str]]:
        """Django's own check, and the static files."""
        if self.settings.server == "runserver":
            return []
        level = self.settings.check_level
        return [["check", "--deploy", "--fail-level", level], ["collectstatic", "--noinput", "--verbosity", "0"]]

    @property
    def templates(self) -> dict[str, str]:
        """As for any release, and the settings module."""
        return {SETTINGS_OVERLAY: "settings_overlay.py.j2", **super().templates}


def make(settings: WebSettings) -> Release:
    """Read the project that `settings` names and make a release of it.

    Raises:
        ProjectError: the project cannot be deployed.
    """
    if isinstance(settings, DjangoSettings):
        project: Project = DjangoProject(settings)
        project.check()
        return DjangoRelease(settings, project, requirements.read(project))
    project = Project(settings)
    project.check()
    return Release(settings, project, requirements.read(project))


__all__ = [
    "GATE",
    "SECRET_KEY_VARIABLE",
    "SETTINGS_OVERLAY",
    "WEB_CONFIG",
    "DjangoRelease",
    "ProjectError",
    "Release",
    "make",
]
