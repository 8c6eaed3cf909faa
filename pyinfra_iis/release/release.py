"""A release: the project's files with the settings overlay and web.config, named by its content."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from pyinfra_iis.release import requirements
from pyinfra_iis.release.project import Project, ProjectError, ProjectFile
from pyinfra_iis.release.requirements import Requirements
from pyinfra_iis.settings import Settings

SETTINGS_OVERLAY = "pyinfra_iis_settings.py"
WEB_CONFIG = "web.config"
SECRET_KEY_VARIABLE = "DJANGO_SECRET_KEY"

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Release:
    """What one deploy puts on a server.

    Attributes:
        settings: the deploy's settings.
        project: the project on this machine.
        requirements: what its virtual environment holds.
    """

    settings: Settings
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

    @property
    def arguments(self) -> str:
        """The command line of the site's process, after the interpreter."""
        if self.settings.server == "runserver":
            return "manage.py runserver --noreload 127.0.0.1:%HTTP_PLATFORM_PORT%"
        application = self.project.application
        interface = " --interface wsgi" if application.partition(":")[0].endswith("wsgi") else ""
        # The selector loop: Windows' default loop loses its listener on a broken connection (cpython issue 93821).
        return (
            f"-m uvicorn {application}{interface} --host 127.0.0.1 --port %HTTP_PLATFORM_PORT% --lifespan off "
            "--loop asyncio:SelectorEventLoop --timeout-graceful-shutdown 8 --no-access-log"
        )

    @cached_property
    def files(self) -> dict[str, ProjectFile]:
        """Every file of the release by its path: the project's, the overlay, web.config."""
        files = dict(self.project.files)
        rendered = (
            (
                SETTINGS_OVERLAY,
                _render("settings_overlay.py.j2", release=self, settings=self.settings, project=self.project),
            ),
            (WEB_CONFIG, _render("web.config.j2", release=self, settings=self.settings)),
        )
        for name, text in rendered:
            for existing in [path for path in files if path.lower() == name.lower()]:
                del files[existing]
                self.project.warnings.append(f"{existing} of the project is replaced by the deploy's own.")
            files[name] = ProjectFile.rendered(name, text)
        return dict(sorted(files.items()))

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The release in JSON's terms: format, key of the environment, files with hash and size."""
        files = {path: [file.sha256, file.size] for path, file in self.files.items()}
        return {"format": 1, "environment": self.requirements.key, "files": files}

    @cached_property
    def id(self) -> str:
        """The release's name, 16 hexadecimal digits: the same content has the same name."""
        return hashlib.sha256(json.dumps(self.manifest, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def directory(self) -> str:
        """The release's folder on the server."""
        return rf"{self.settings.root}\releases\{self.id}"

    def archive(self) -> bytes:
        """The release as a zip that the server's own Python can run (`python.exe <file> <arguments>`)."""
        helper = resources.files("pyinfra_iis.release").joinpath("helper.py").read_bytes()
        manifest = json.dumps({**self.manifest, "id": self.id}, sort_keys=True).encode()
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            entries: Iterable[tuple[str, bytes]] = (
                ("__main__.py", helper),
                ("manifest.json", manifest),
                *((f"files/{path}", file.read()) for path, file in self.files.items()),
            )
            for name, content in entries:
                info = zipfile.ZipInfo(name, _EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        return stream.getvalue()


def make(settings: Settings) -> Release:
    """Read the project that `settings` names and make a release of it.

    Raises:
        ProjectError: the project cannot be deployed.
    """
    project = Project(settings)
    project.check()
    return Release(settings, project, requirements.read(project))


def _render(name: str, **context: object) -> str:
    return _templates().get_template(name).render(**context)


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    packaged = Path(str(resources.files("pyinfra_iis"))) / "templates"
    checkout = packaged.parent.parent / "templates"
    folder = packaged if packaged.is_dir() else checkout
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".config.j2"),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


__all__ = ["SECRET_KEY_VARIABLE", "SETTINGS_OVERLAY", "WEB_CONFIG", "ProjectError", "Release", "make"]
