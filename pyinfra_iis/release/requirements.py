"""What a virtual environment must hold: the project's requirements and what the deploy adds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from pyinfra_iis.release import requirement_files
from pyinfra_iis.release.project import Project, ProjectError
from pyinfra_iis.release.requirement_files import RENDERED, Entry, Listing, without_credentials
from pyinfra_iis.release.servers import SERVERS
from pyinfra_iis.release.tree import listed

DJANGO_PYTHONS = {
    "3.2": ("3.6", "3.10"),
    "4.0": ("3.8", "3.10"),
    "4.1": ("3.8", "3.11"),
    "4.2": ("3.8", "3.12"),
    "5.0": ("3.10", "3.12"),
    "5.1": ("3.10", "3.13"),
    "5.2": ("3.10", "3.14"),
    "6.0": ("3.12", "3.14"),
}
"""The first and the last Python of each series of Django: Django's documentation, "What Python version can I use with Django?"."""

_ON_WINDOWS = {"django": ("4.0", "tzdata"), "click": ("8.0", "colorama")}
"""What packages that many sites have need on Windows only, as their metadata says, and from which version on."""

_WORKERS = ("celery", "dramatiq", "huey", "django-q2", "django-rq")
"""Packages whose work is done by processes of their own, beside the web application."""


@dataclass(frozen=True)
class Requirements:
    """Arguments for `pip install`, run in the release's folder, and the key of the virtual environment that they make.

    Attributes:
        arguments: `-r requirements.txt uvicorn>=0.36 ...`.
        key: 12 hexadecimal digits over the requirements, the Python and pip's options: equal keys are equal environments.
        rendered: the text of the file `pyinfra_iis_requirements.txt` that belongs to the release, or empty.
        packages: what is asked for on Windows: a package's name -> `==5.2.8`, `>=5.2` or empty.
        with_hashes: whether pip takes nothing but what has a hash.
        hashes: what a package may have, as `sha256:...`, by its name; none for those that may have any.
        asked: the same as the arguments, one requirement each, without what is not for Windows; a wheel of the project as `name @ path`.
        limits: the same of what only limits versions.
        options: of pip, that stand in the files and say where packages come from and which of them count.
    """

    arguments: tuple[str, ...]
    key: str
    rendered: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    with_hashes: bool = False
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """The requirements files among the arguments."""
        return [value for flag, value in self._pairs if flag == "-r"]

    @property
    def constraints(self) -> list[str]:
        """The files among the arguments that only limit versions."""
        return [value for flag, value in self._pairs if flag == "-c"]

    @property
    def texts(self) -> list[str]:
        """The requirements among the arguments."""
        return [value for flag, value in self._pairs if not flag]

    @property
    def _pairs(self) -> Iterator[tuple[str, str]]:
        arguments = iter(self.arguments)
        for argument in arguments:
            yield (argument, next(arguments)) if argument in ("-r", "-c") else ("", argument)


def read(project: Project) -> Requirements:
    """Read a project's requirements.

    Raises:
        ProjectError: a requirements file that is not there, lines that cannot work on the server, no way to know which Django the project wants, or a
            Django that the server's Python is too old for.
    """
    settings = project.settings
    listing = requirement_files.read(project)
    if not listing.arguments and project.implied_requirement:
        listing.entries.append(Entry("the project", Requirement(project.implied_requirement)))
        listing.arguments.append(project.implied_requirement)
    listing.with_hashes |= "--require-hashes" in settings.pip_options
    arguments = [*listing.arguments, *_added(project, listing)]
    problems = [*listing.problems, *(_without_hash(listing) if listing.with_hashes else ())]
    if problems:
        raise ProjectError(listed(f"The requirements of {project.place} cannot be installed on the servers", problems))
    _check_django(project, listing)
    _tell_of_workers(project, listing)
    _tell_of_windows(project, listing)
    options = [without_credentials(option) for option in settings.pip_options]
    identity = [arguments, listing.contents, settings.python.version, settings.python.sha256, options]
    added = [Entry("the deploy", Requirement(text)) for text in arguments[len(listing.arguments) :]]
    return Requirements(
        tuple(arguments),
        hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12],
        listing.rendered,
        _packages([*listing.entries, *added]),
        listing.with_hashes,
        _hashes(listing.entries),
        tuple(map(_line, [*listing.entries, *added])),
        tuple(f"{one.requirement.name}{one.requirement.specifier}" for one in listing.constraints),
        tuple(listing.options),
    )


def _line(entry: Entry) -> str:
    """A requirement without its marker, which has been looked at."""
    found = Requirement(str(entry.requirement))
    found.marker = None
    return f"{found} @ {entry.path}" if entry.path else str(found)


def _added(project: Project, listing: Listing) -> list[str]:
    """What the deploy's own way of serving needs and the project does not ask for."""
    missing = []
    for text in (
        *SERVERS[project.settings.server].packages,
        *project.added_requirements,
        *_for_websockets(project, listing),
    ):
        needed = Requirement(text)
        if not listing.asks_for(needed.name):
            missing.append(text)
        version = pinned(listing.limits(needed.name, (*listing.entries, *listing.constraints)))
        if version and not needed.specifier.contains(version, prereleases=True):
            listing.problems.append(f"{needed.name} {version} is too old for this deploy, which needs {text}")
    if missing and listing.with_hashes:
        listing.problems.append(
            f"{', '.join(missing)} must be among them, because the deploy needs {'it' if len(missing) == 1 else 'them'} and pip takes nothing without a hash "
            "here; add to what the lock is made from, and lock again"
        )
    return missing


def _for_websockets(project: Project, listing: Listing) -> tuple[str, ...]:
    """What uvicorn needs to speak WebSocket, for a project that does: Channels' documentation assumes another server, which has that built in."""
    libraries = listing.asks_for("wsproto") or any(
        canonicalize_name(entry.requirement.name) == "uvicorn" and "standard" in entry.requirement.extras
        for entry in listing.entries
    )
    wanted = project.settings.server == "uvicorn" and project.interface == "asgi" and listing.asks_for("channels")
    return ("websockets>=13",) if wanted and not libraries else ()


def _tell_of_workers(project: Project, listing: Listing) -> None:
    for name in filter(listing.asks_for, _WORKERS):
        project.warnings.append(
            f"{project.place} asks for {name}: the deploy serves the web application only, and starts no workers or schedulers."
        )


def _tell_of_windows(project: Project, listing: Listing) -> None:
    """A lock made on another system lacks what packages need on Windows only; pip takes nothing then that is not in it."""
    if not listing.with_hashes:
        return
    for name, (first, needed) in _ON_WINDOWS.items():
        version = pinned(listing.limits(name, listing.entries))
        if version and Version(version) >= Version(first) and not listing.asks_for(needed):
            project.warnings.append(
                f"The lock of {project.place} has {name}, but not {needed}, which that needs on Windows: it was made for another system; lock for Windows."
            )


def _without_hash(listing: Listing) -> Iterator[str]:
    for entry in listing.entries:
        if not entry.hashes:
            yield f"{entry.where} asks for {entry.requirement.name} without a hash, but others have one, so pip wants one for each"
        elif not pinned(entry.requirement.specifier) and entry.requirement.specifier:
            yield f"{entry.where} asks for {entry.requirement} with a hash, but for no single version (==)"


def pinned(specifier: SpecifierSet) -> str:
    """The one version that fits, where `==` says it; else empty."""
    exact = [one.version for one in specifier if one.operator in ("==", "===") and not one.version.endswith(".*")]
    return exact[0] if exact else ""


def _hashes(entries: Iterable[Entry]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for entry in entries:
        name = canonicalize_name(entry.requirement.name)
        if entry.hashes:
            found[name] = found.get(name, frozenset()) | entry.hashes
    return found


def _packages(entries: Iterable[Entry]) -> dict[str, str]:
    found: dict[str, SpecifierSet] = {}
    for entry in entries:
        name = canonicalize_name(entry.requirement.name)
        found[name] = found.get(name, SpecifierSet()) & entry.requirement.specifier
    return {name: str(found[name]) for name in sorted(found)}


def _check_django(project: Project, listing: Listing) -> None:
    asked = listing.specifier("django")
    if asked is None:
        return
    python = Version(project.settings.python.version)
    series = [
        name
        for name in DJANGO_PYTHONS
        if any(asked.contains(f"{name}.{patch}") for patch in range(100)) or asked.contains(name)
    ]
    if not series:
        return
    first = min(Version(DJANGO_PYTHONS[name][0]) for name in series)
    last = max(Version(DJANGO_PYTHONS[name][1]) for name in series)
    if python.release[:2] < first.release[:2]:
        raise ProjectError(
            f"{project.place} asks for Django{asked}, which needs Python {first} or later, and the servers get {python}; take another Django or another python."
        )
    if python.release[:2] > last.release[:2] and series[-1] != list(DJANGO_PYTHONS)[-1]:
        project.warnings.append(
            f"Django {series[-1]} is made for Python up to {last}, and the servers get {python}; it may work, a Python that it is made for is safer."
        )


__all__ = ["RENDERED", "Requirements", "pinned", "read"]
