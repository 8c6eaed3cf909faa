"""Operations on an application's releases. PowerShell carries the archive to the server's own Python, which does the work."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import FileUploadCommand, operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.release import Releases
from pyinfra_iis.operations import show_changes
from pyinfra_iis.powershell import Script
from pyinfra_iis.release.release import Release


@operation()
def prepared(release: Release) -> Generator[PyinfraCommand, None, None]:
    """Bring a release to the server and make it ready: files, virtual environment, Django's check, static files.

    It goes to a partial name and gets its own when it is complete; nothing that runs is touched.

    Args:
        release: what to bring.
    """
    root = release.settings.root
    state = facts.read(host, Releases, root=root)
    if release.id in state["releases"] and release.requirements.key in state["environments"]:
        return
    if release.requirements.key not in state["environments"]:
        show_changes(
            [(release.environment, None, f"virtual environment with {' '.join(release.requirements.arguments)}")]
        )
    if release.id not in state["releases"]:
        size = sum(file.size for file in release.files.values())
        show_changes([(release.directory, None, f"{len(release.files)} files, {size} bytes")])
    archive = rf"{root}\incoming\{release.id}.zip"
    yield FileUploadCommand(io.BytesIO(release.archive()), archive)
    yield _run(release, archive, "assemble")
    yield _run(release, archive, "environment", *release.settings.pip_options, *release.requirements.arguments)
    if release.settings.server != "runserver":
        yield _run(release, archive, "manage", "check", "--deploy")
        yield _run(release, archive, "manage", "collectstatic", "--noinput", "--verbosity", "0")
    yield _run(release, archive, "complete")


def _run(release: Release, archive: str, *arguments: str) -> Script:
    return Script(
        "python/run",
        {
            "interpreter": rf"{release.settings.python_directory}\python.exe",
            "arguments": _command_line(["-X", "utf8", archive, *arguments]),
            "folder": release.settings.root,
        },
    )


def _command_line(arguments: Sequence[str]) -> str:
    """Quote arguments as Windows programs split them."""
    return subprocess.list2cmdline(arguments)
