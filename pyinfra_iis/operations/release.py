"""Operations on an application's releases. PowerShell only starts the server's own Python, which does the work (`release/helper.py`)."""

from __future__ import annotations

import base64
import gzip
import io
import json
import subprocess
from collections.abc import Generator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pyinfra import host
from pyinfra.api import FileUploadCommand, operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.release import Record, Releases, Wheels
from pyinfra_iis.operations import iis, refusal, show_changes
from pyinfra_iis.operations.iis import HealthCheck, Site
from pyinfra_iis.powershell import Script
from pyinfra_iis.release import wheels
from pyinfra_iis.release.origin import deployer
from pyinfra_iis.release.release import SETTINGS_OVERLAY, Release
from pyinfra_iis.release.wheels import FOLDER
from pyinfra_iis.settings import Settings


def state_request(settings: Settings) -> dict[str, str]:
    """The arguments of the fact that the operations read."""
    return {"root": settings.root, "site": settings.app}


@operation()
def prepared(release: Release) -> Generator[PyinfraCommand, None, None]:
    """Bring a release to the server and make it ready: files, virtual environment, Django's check, static files.

    It goes to a partial name and gets its own when it is complete; nothing that runs is touched. Only files that no release on the server has are sent.

    Args:
        release: what to bring.
    """
    settings = release.settings
    state = facts.read(host, Releases, **state_request(settings))
    if release.id in state["releases"] and release.requirements.key in state["environments"]:
        return
    base = _base(release, state)
    _show(release, base, state)
    archive = rf"incoming\{release.id}.zip"
    folders = ["incoming", *([FOLDER] if settings.packages == "offline" else [])]
    yield Script(
        "windows/make_directories",
        {"folders": [{"path": rf"{settings.root}\{name}", "grants": []} for name in folders]},
    )
    yield FileUploadCommand(io.BytesIO(release.archive(base)), rf"{settings.root}\{archive}")
    yield _helper(settings, "assemble", archive)
    where = [release.id, release.requirements.key]
    if release.requirements.key not in state["environments"]:
        yield from _send_wheels(release)
        sources = (
            ["--no-index", "--find-links", f"../../{FOLDER}"]
            if settings.packages == "offline"
            else settings.pip_options
        )
        yield _helper(settings, "environment", *where, *sources, *release.requirements.arguments)
    if settings.server != "runserver" and release.id not in state["releases"]:
        yield _manage(release, "check", "--deploy")
        yield _manage(release, "collectstatic", "--noinput", "--verbosity", "0")
    yield _helper(settings, "complete", archive)


def _send_wheels(release: Release) -> Generator[PyinfraCommand, None, None]:
    """For servers without an index: the wheels that are not there yet."""
    if release.settings.packages != "offline":
        return
    folder = rf"{release.settings.root}\{FOLDER}"
    there = facts.read(host, Wheels, path=folder)["wheels"]
    for wheel in wheels.collect(release.project, release.requirements):
        if there.get(wheel.name) != wheel.sha256:
            yield FileUploadCommand(str(wheel.path), rf"{folder}\{wheel.name}")


def _base(release: Release, state: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of the release on the server that the new one is made from: the live one, else the newest that has a record."""
    candidates = [state["live"], *reversed([line.split()[-1] for line in state["history"]])]
    for identifier in dict.fromkeys(candidates):
        if identifier in state["releases"]:
            packed = facts.read(host, Record, root=release.settings.root, id=identifier)["record"]
            if packed:
                return json.loads(gzip.decompress(base64.b64decode(packed)))
    return None


def _show(release: Release, base: Mapping[str, Any] | None, state: Mapping[str, Any]) -> None:
    if release.requirements.key not in state["environments"]:
        packages = " ".join(release.requirements.arguments)
        show_changes([(release.environment, None, f"virtual environment with {packages}")])
    if release.id not in state["releases"]:
        size = sum(file.size for file in release.files.values())
        show_changes([(release.directory, None, f"{len(release.files)} files, {size} bytes")])
        if base:
            known = base["files"]
            show_changes(
                (path, known.get(path) and f"{known[path][1]} bytes", f"{entry[1]} bytes")
                for path, entry in release.entries.items()
                if known.get(path) != entry
            )
            show_changes((path, f"{known[path][1]} bytes", None) for path in sorted(set(known) - set(release.entries)))


@operation()
def migrated(release: Release) -> Generator[PyinfraCommand, None, None]:
    """Bring the database to what a prepared release needs, unless that release is live already.

    Args:
        release: which release; its migrations run with the environment variables of its app pool.
    """
    settings = release.settings
    state = facts.read(host, Releases, **state_request(settings))
    if state["live"] == release.id:
        return
    show_changes([(f"{settings.app} database", None, "migrate")])
    yield _manage(release, "migrate", "--noinput")


@operation()
def live(release: Release, site: Site, check: HealthCheck) -> Generator[PyinfraCommand, None, None]:
    """Make a prepared release the one that visitors get.

    It must start on a spare port first; then the site's path is switched in one commit, and the site itself must answer from the new
    release. If it does not, the release before is put back and the operation fails. When it is live already, the site's configuration is
    brought to what is wanted and the site must be healthy.

    Args:
        release: which release.
        site: the site, with the release's folder as path.
        check: how the site is asked.
    """
    settings = release.settings
    state = facts.read(host, Releases, **state_request(settings))
    if state["live"] != release.id:
        if release.id in state["bad"]:
            yield refusal(
                f"Release {release.id} did not work on {host.name} before, see {release.directory}.bad there; "
                "change the project, or remove that file to try again."
            )
            return
        show_changes([(f"site {site.name} release", state["live"] or None, release.id)])
        yield _trial(release, check)
        yield switch(settings, release.id, site, check)
        return
    yield from iis.configuration._inner(sites=[site])
    yield from iis.healthy._inner(check)


def previous_good(state: Mapping[str, Any]) -> str:
    """The release that was live and good before the live one, or empty."""
    order = dict.fromkeys(reversed([line.split()[-1] for line in state["history"]]))
    for name in order:
        if name != state["live"] and name in state["releases"] and name not in state["bad"]:
            return name
    return ""


@operation()
def rolled_back(
    settings: Settings, target: str, site: Site, check: HealthCheck, mark: bool = False
) -> Generator[PyinfraCommand, None, None]:
    """Make an earlier release live again.

    Args:
        settings: the deploy's settings.
        target: the release, complete on the server.
        site: the site, with the release's folder as path.
        check: how the site is asked.
        mark: mark the release that is live now as bad, so that no deploy makes it live again.
    """
    state = facts.read(host, Releases, **state_request(settings))
    if state["live"] == target:
        return
    show_changes([(f"site {site.name} release", state["live"] or None, target)])
    yield switch(settings, target, site, check, bad=state["live"] if mark else "")


def switch(settings: Settings, identifier: str, site: Site, check: HealthCheck, bad: str = "") -> Script:
    """The command that makes a complete release live, and puts the one before back when it is not healthy; `bad` is marked as bad then."""
    return Script(
        "release/go_live",
        {
            "root": settings.root,
            "release": identifier,
            "bad": bad,
            "by": deployer(),
            "site": {**site.request, "path": rf"{settings.root}\releases\{identifier}"},
            "health": {**check.request, "status": check.status, "timeout": check.timeout, "log": check.log},
        },
    )


def _trial(release: Release, check: HealthCheck) -> Script:
    settings = release.settings
    want = {
        "key": release.requirements.key,
        "arguments": list(release.command),
        "environment": release.variables,
        "host": check.host,
        "path": settings.health.path,
        "status": check.status,
        "timeout": check.timeout,
    }
    return _helper(settings, "trial", release.id, json.dumps(want), script="python/run_for_site", pool=settings.app)


@operation()
def pruned(settings: Settings) -> Generator[PyinfraCommand, None, None]:
    """Remove releases and virtual environments that are not needed any more.

    The newest `keep` releases stay, the live one, and the one before it that was good; so do the environments that they use.

    Args:
        settings: the deploy's settings.
    """
    state = facts.read(host, Releases, **state_request(settings))
    order = list(dict.fromkeys(reversed([line.split()[-1] for line in state["history"]])))
    keep = {state["live"], *order[: settings.keep], *[name for name in order if name not in state["bad"]][:2]}
    releases = [name for name in state["releases"] if name not in keep and (name in order or name in state["bad"])]
    if not releases:
        return
    uses = dict(line.split() for line in state["index"])
    used = {uses.get(name) for name in state["releases"] if name not in releases}
    environments = [key for key in state["environments"] if key not in used]
    show_changes((name, "release", None) for name in releases)
    show_changes((key, "virtual environment", None) for key in environments)
    yield _helper(settings, "remove", ",".join(releases), ",".join(environments))


def _manage(release: Release, *arguments: str) -> Script:
    """Run manage.py of a release with the environment of its app pool: settings may need what stands there."""
    where = [release.id, release.requirements.key]
    return _helper(
        release.settings, "manage", *where, *arguments, script="python/run_for_site", pool=release.settings.app
    )


def _helper(settings: Settings, *arguments: str, script: str = "python/run", **request: Any) -> Script:
    return Script(
        script,
        {
            **request,
            "interpreter": rf"{settings.python_directory}\python.exe",
            "arguments": _command_line(["-X", "utf8", "-", *arguments]),
            "folder": settings.root,
            "by": deployer(),
        },
        hidden={"program": _program()},
    )


@cache
def _program() -> str:
    return resources.files("pyinfra_iis.release").joinpath("helper.py").read_text(encoding="utf-8")


def _command_line(arguments: Sequence[str]) -> str:
    """Quote arguments as Windows programs split them."""
    return subprocess.list2cmdline(arguments)


__all__ = ["SETTINGS_OVERLAY", "live", "prepared", "previous_good", "pruned", "rolled_back", "state_request"]
