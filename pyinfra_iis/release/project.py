"""A Django project on the controlling machine: what belongs to it, and what it says about itself."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import pathspec

from pyinfra_iis.release.scan import Hashes
from pyinfra_iis.release.servers import SERVERS
from pyinfra_iis.settings import DjangoSettings, WebSettings

IGNORED_DIRECTORIES = frozenset(
    {
        ".git", ".hg", ".svn", ".idea", ".vscode", ".vs", ".tox", ".nox", ".venv", "venv", "__pycache__", "node_modules",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
    }
)  # fmt: skip
"""Folders that are no part of a release, wherever they stand in the project."""

IGNORE_FILE = ".deployignore"
"""A file of the project with patterns as git's .gitignore has them: what they match does not go along."""


def _names(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


IGNORED_FILES = _names(IGNORE_FILE, "*.pyc", "*.pyo", "*~", "*.swp", ".DS_Store", "Thumbs.db", ".coverage")
PRIVATE_FILES = _names("*.sqlite3", "*.sqlite3-journal", "*.sqlite3-wal", "*.sqlite3-shm", ".env", ".env.*")
"""Files that stay on the controlling machine too, but with a warning: a user may have meant them to go along."""

_SPECIAL_FILES = re.compile(f"{IGNORED_FILES.pattern}|{PRIVATE_FILES.pattern}")

_DEVICE = r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])"
_UNFIT = re.compile(
    rf"(?:^|(?<=/))(?:{_DEVICE}(?:\.[^/]*)?|[^/]*[. ])(?=/|$)|[^/]*[<>:\"\\|?*\x00-\x1f][^/]*", re.IGNORECASE
)
"""A part of a path that Windows cannot hold: a device's name, a dot or space at the end, a forbidden character."""

_SUSPICIOUS = re.compile(rf'[<>:"\\|?*\x00-\x1f]|[. ]/|(?:^|/){_DEVICE}[./]', re.IGNORECASE)
"""Finds quickly that some path of many, with `/` between and behind them, may not fit."""

_MADE_BY = re.compile(r"using Django (\d+)\.(\d+)")


class ProjectError(Exception):
    """A project that cannot be deployed; the text is one sentence that names file and fix."""


@dataclass(slots=True)
class ProjectFile:
    """One file of a release.

    Attributes:
        path: relative to the release, with `/`.
        sha256: of the content, hexadecimal.
        size: bytes.
        source: the file on this machine, or None when `content` holds it.
        content: the bytes of a file that the deploy renders.
    """

    path: str
    sha256: str
    size: int
    source: str | None = None
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def rendered(cls, path: str, text: str) -> ProjectFile:
        """A file whose content the deploy made."""
        content = text.encode()
        return cls(path, hashlib.sha256(content).hexdigest(), len(content), content=content)

    def read(self) -> bytes:
        """The content."""
        if self.content is not None:
            return self.content
        assert self.source is not None
        with open(self.source, "rb") as stream:
            return stream.read()


class Project:
    """The project that `settings` names, read once.

    Args:
        settings: the deploy's settings.
        hashes: what is known of the files' content; default what earlier runs have kept.

    Raises:
        ProjectError: from the properties, when the project cannot be deployed.
    """

    added_requirements: tuple[str, ...] = ()
    """What the deploy's own way of serving needs besides the server package."""

    def __init__(self, settings: WebSettings, hashes: Hashes | None = None) -> None:
        self.settings = settings
        self._hashes = hashes
        self.root = settings.project
        self.warnings: list[str] = []

    @property
    def application(self) -> str:
        """What the server runs, as `module:object`; empty when the command says so by itself."""
        return self.settings.application

    @cached_property
    def interface(self) -> Literal["asgi", "wsgi"]:
        """What the application speaks."""
        spoken = self.settings.interface or SERVERS[self.settings.server].interface
        if spoken == "either":
            return "wsgi" if self.application.partition(":")[0].endswith("wsgi") else "asgi"
        return spoken

    @property
    def implied_requirement(self) -> str:
        """What is installed when the project has no requirements; empty for nothing."""
        return ""

    def check(self) -> None:
        """Find what would only fail on a server: files that do not parse, names that Windows cannot hold.

        Raises:
            ProjectError: the first problem found.
        """
        spoken = SERVERS[self.settings.server].interface
        if spoken != "either" and self.interface != spoken:
            raise ProjectError(
                f"{self.settings.server} serves {spoken.upper()} applications, not {self.interface.upper()} ones; take another server."
            )
        module = self.application.partition(":")[0]
        if module and not module.startswith("django."):
            base = self.root.joinpath(*module.split("."))
            self._parse(base / "__init__.py" if base.is_dir() else base.with_name(base.name + ".py"))
        _ = self.files

    def _parse(self, path: Path) -> ast.Module:
        try:
            return ast.parse(path.read_bytes(), filename=str(path))
        except FileNotFoundError:
            raise ProjectError(f"{path} does not exist.") from None
        except SyntaxError as error:
            problem = f"{path}, line {error.lineno}: {error.msg}"
            server = tuple(int(part) for part in self.settings.python.version.split(".")[:2])
            if server > sys.version_info[:2]:
                # Perhaps syntax that only the server's Python knows: the server will tell.
                self.warnings.append(f"{problem} for the Python of this machine; the server's is newer.")
                return ast.Module(body=[], type_ignores=[])
            raise ProjectError(f"Syntax error in {problem}.") from None
        except ValueError as error:
            raise ProjectError(f"{path} is no Python source: {error}.") from None

    @cached_property
    def files(self) -> dict[str, ProjectFile]:
        """Every file that belongs to a release, by its relative path."""
        found: dict[str, ProjectFile] = {}
        folded: dict[str, str] = {}
        hashes = self._hashes or Hashes(self.root)
        entries = list(self._walk())
        self._check_names([relative for relative, _ in entries])
        sha256 = hashes.sha256
        for relative, entry in entries:
            if (other := folded.setdefault(relative.lower(), relative)) is not relative:
                raise ProjectError(f"{other} and {relative} in {self.root} are one name on Windows; rename one.")
            try:
                status = entry.stat(follow_symlinks=False)
                digest = sha256(relative, entry.path, status)
            except OSError as error:
                raise ProjectError(f"{entry.path} cannot be read: {error.strerror}.") from None
            found[relative] = ProjectFile(relative, digest, status.st_size, entry.path)
        hashes.save()
        return found

    def _walk(self, folder: str = "", prefix: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
        ignored = self._ignored
        with os.scandir(folder or self.root) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        for entry in ordered:
            relative = prefix + entry.name
            directory = entry.is_dir(follow_symlinks=False)
            if ignored and ignored.match_file(relative + "/" if directory else relative):
                continue
            if directory:
                if entry.name not in IGNORED_DIRECTORIES and not os.path.isfile(os.path.join(entry.path, "pyvenv.cfg")):
                    yield from self._walk(entry.path, relative + "/")
                continue
            if entry.is_symlink():
                raise ProjectError(
                    f"{relative} in {self.root} is a symbolic link; put the file itself there or keep it out."
                )
            if not _SPECIAL_FILES.fullmatch(entry.name):
                pass
            elif IGNORED_FILES.fullmatch(entry.name):
                continue
            else:
                self.warnings.append(f"{relative} stays here: databases and .env files do not belong to a release.")
                continue
            if not entry.is_file(follow_symlinks=False):
                raise ProjectError(f"{relative} in {self.root} is no ordinary file; keep it out of the project.")
            yield relative, entry

    @cached_property
    def _ignored(self) -> pathspec.GitIgnoreSpec | None:
        try:
            lines = (self.root / IGNORE_FILE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeError) as error:
            raise ProjectError(f"{self.root / IGNORE_FILE} cannot be read: {error}.") from None
        return pathspec.GitIgnoreSpec.from_lines(lines)

    def _check_names(self, paths: list[str]) -> None:
        long = max(map(len, paths), default=0) + len(self.settings.root) >= 200
        if long or _SUSPICIOUS.search("/".join(paths) + "/"):
            for relative in paths:
                self._check_name(relative)

    def _check_name(self, relative: str) -> None:
        if unfit := _UNFIT.search(relative):
            raise ProjectError(f"{relative} in {self.root} cannot exist on Windows because of '{unfit[0]}'; rename it.")
        # releases\\<id>.partial\\ stands before it.
        length = len(self.settings.root) + len("\\releases\\") + 16 + len(".partial\\") + len(relative)
        if length >= 260:
            raise ProjectError(
                f"{relative} in {self.root} would be a path of {length} characters on the server, Windows takes 259; "
                "set django_root to a shorter folder."
            )


class DjangoProject(Project):
    """A project as `startproject` makes it."""

    settings: DjangoSettings

    added_requirements = ("whitenoise>=6",)

    @cached_property
    def settings_module(self) -> str:
        """The project's own settings module, as manage.py names it unless the user does."""
        if self.settings.settings_module:
            return self.settings.settings_module
        for node in ast.walk(self._parse(self.root / "manage.py")):
            if isinstance(node, ast.Call | ast.Assign | ast.Tuple):
                values = [child.value for child in ast.iter_child_nodes(node) if isinstance(child, ast.Constant)]
                if len(values) == 2 and values[0] == "DJANGO_SETTINGS_MODULE" and isinstance(values[1], str):
                    return values[1]
        raise ProjectError(
            f"{self.root / 'manage.py'} does not say which settings module it uses; set django_settings_module."
        )

    @cached_property
    def settings_file(self) -> Path:
        """The file of the settings module."""
        base = self.root.joinpath(*self.settings_module.split("."))
        for candidate in (base.with_name(base.name + ".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
        raise ProjectError(f"The settings module {self.settings_module} is no file below {self.root}.")

    @cached_property
    def application(self) -> str:
        """What the server runs, as `module:object`."""
        if self.settings.application:
            return self.settings.application
        package = self.settings_module.split(".")[0]
        interface = self.settings.interface or SERVERS[self.settings.server].interface
        for module in ("asgi", "wsgi") if interface == "either" else (interface,):
            if (self.root / package / f"{module}.py").is_file():
                return f"{package}.{module}:application"
        if self.settings.server == "runserver":
            return "django.core.wsgi:get_wsgi_application()"
        wanted = "neither asgi.py nor wsgi.py" if interface == "either" else f"no {interface}.py"
        raise ProjectError(f"{self.root / package} holds {wanted}; set django_application.")

    @cached_property
    def made_by_django(self) -> tuple[int, int] | None:
        """The Django version that wrote the settings file, where its heading still says so."""
        match = _MADE_BY.search(self.settings_file.read_text(encoding="utf-8", errors="replace")[:2000])
        return (int(match[1]), int(match[2])) if match else None

    @property
    def implied_requirement(self) -> str:
        """The Django that wrote the settings file."""
        if not self.made_by_django:
            raise ProjectError(
                f"{self.root} has no requirements.txt, so nothing says which Django it wants; add one or set django_requirements."
            )
        major, minor = self.made_by_django
        return f"Django~={major}.{minor}.0"

    def check(self) -> None:
        """As for any project; the settings must be there and parse too."""
        self._parse(self.settings_file)
        super().check()
