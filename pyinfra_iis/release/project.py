"""A Django project on the controlling machine: what belongs to it, and what it says about itself."""

from __future__ import annotations

import ast
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import Literal

from pyinfra_iis.release import commits, names, tree
from pyinfra_iis.release.commits import Snapshot
from pyinfra_iis.release.scan import Hashes
from pyinfra_iis.release.servers import SERVERS
from pyinfra_iis.release.tree import ProjectError, ProjectFile
from pyinfra_iis.settings import DjangoSettings, WebSettings

_REQUIREMENTS = re.compile(r"(?:requirements/[^/]*|[^/]*requirements[^/]*)\.txt", re.IGNORECASE)
_ABOVE = ("requirements.txt", "pyproject.toml", "uv.lock")
"""What says which packages a project needs, in the folder above one called src."""
_MADE_BY = re.compile(r"using Django (\d+)\.(\d+)")


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
        self.warnings: list[str] = []

    @cached_property
    def _snapshot(self) -> Snapshot | None:
        return commits.unpack(self.settings.project, self.settings.ref) if self.settings.ref else None

    @property
    def root(self) -> Path:
        """The folder that holds its files: the user's own, or where a commit of it is unpacked."""
        return self._snapshot.root if self._snapshot else self.settings.project

    @property
    def commit(self) -> str:
        """The commit that it is read from; empty for the user's own folder, whatever is in it."""
        return self._snapshot.commit if self._snapshot else ""

    @property
    def place(self) -> str:
        """What the user knows its folder by."""
        return f"{self.settings.project}{f' at {self.settings.ref}' if self.settings.ref else ''}"

    def named(self, path: Path) -> str:
        """What the user knows one of its files by."""
        if self._snapshot and path.is_relative_to(self.root):
            return f"{self.settings.project / path.relative_to(self.root)} at {self.settings.ref}"
        return str(path)

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
            raise ProjectError(f"{self.named(path)} does not exist.") from None
        except SyntaxError as error:
            line = f", line {error.lineno}" if error.lineno else ""
            problem = f"{self.named(path)}{line}: {error.msg}"
            server = tuple(int(part) for part in self.settings.python.version.split(".")[:2])
            if server > sys.version_info[:2]:
                # Perhaps syntax that only the server's Python knows: the server will tell.
                self.warnings.append(f"{problem} for the Python of this machine; the server's is newer.")
                return ast.Module(body=[], type_ignores=[])
            raise ProjectError(f"Syntax error in {problem}.") from None
        except ValueError as error:
            raise ProjectError(f"{self.named(path)} is no Python source: {error}.") from None

    def _longest_path(self) -> int:
        return names.LONGEST_LONG_PATH if self.settings.long_paths else names.LONGEST_PATH

    @cached_property
    def files(self) -> dict[str, ProjectFile]:
        """Every file that belongs to a release, by its relative path."""
        # releases\\<id>.partial\\ stands before it.
        before = names.length(self.settings.root) + len(r"\releases\r0123456789abcde.partial") + 1
        found = tree.read(self.root, self._hashes or Hashes(self.root), self._longest_path() - before)
        if self._snapshot:
            ignored = tree.Ignored(self.root)
            found.problems += [item for item in self._snapshot.problems.items() if not ignored.covers(item[0])]
        found.refuse(self.place)
        self.warnings += [f"{names.visible(path)} stays here: {_why_private(path)}." for path in sorted(found.private)]
        return found.files


def _why_private(path: str) -> str:
    if path.rpartition("/")[2].startswith(".env"):
        return "what the site needs of its variables goes into the setting environment"
    return "databases do not belong to a release, and the site has its own on the server"


class DjangoProject(Project):
    """A project as `startproject` makes it."""

    settings: DjangoSettings

    added_requirements = ("whitenoise>=6",)

    @cached_property
    def settings_module(self) -> str:
        """The project's own settings module, as manage.py names it unless the user does."""
        if self.settings.settings_module:
            return self.settings.settings_module
        named = _settings_module_in(self._parse(self.root / "manage.py"))
        if not named:
            raise ProjectError(
                f"{self.named(self.root / 'manage.py')} does not say which settings module it uses; set django_settings_module."
            )
        return named

    @cached_property
    def settings_file(self) -> Path:
        """The file of the settings module."""
        base = self.root.joinpath(*self.settings_module.split("."))
        for candidate in (base.with_name(base.name + ".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
        raise ProjectError(f"The settings module {self.settings_module} is no file below {self.place}.")

    @cached_property
    def application(self) -> str:
        """What the server runs, as `module:object`."""
        if self.settings.application:
            return self.settings.application
        interface = self.settings.interface or SERVERS[self.settings.server].interface
        modules = ("asgi", "wsgi") if interface == "either" else (interface,)
        # startproject puts them into the outermost package; where there is none, or they are not there, into the next one, and beside manage.py at last.
        packages = self.settings_module.split(".")[:-1]
        for depth in [*range(1, len(packages) + 1), 0]:
            for module in modules:
                if self.root.joinpath(*packages[:depth], f"{module}.py").is_file():
                    return f"{'.'.join([*packages[:depth], module])}:application"
        if self.settings.server == "runserver":
            return "django.core.wsgi:get_wsgi_application()"
        wanted = "neither asgi.py nor wsgi.py" if interface == "either" else f"no {interface}.py"
        raise ProjectError(f"{self.named(self.root.joinpath(*packages[:1]))} holds {wanted}; set django_application.")

    @cached_property
    def made_by_django(self) -> tuple[int, int] | None:
        """The Django version that wrote the settings file, where its heading still says so."""
        match = _MADE_BY.search(self.settings_file.read_text(encoding="utf-8", errors="replace")[:2000])
        return (int(match[1]), int(match[2])) if match else None

    @property
    def implied_requirement(self) -> str:
        """The Django that wrote the settings file."""
        if not self.made_by_django:
            others = [path for path in self.files if _REQUIREMENTS.fullmatch(path)]
            if not self.commit:
                others += [f"../{name}" for name in _ABOVE if (self.root.parent / name).is_file()]
            hint = f" to one that is there: {', '.join(others[:5])}" if others else ""
            raise ProjectError(
                f"{self.place} has no requirements.txt, so nothing says which Django it wants; add one or set django_requirements{hint}."
            )
        major, minor = self.made_by_django
        return f"Django~={major}.{minor}.0"

    def check(self) -> None:
        """As for any project; the settings must be there and parse too."""
        self._parse(self.settings_file)
        super().check()
        self._compare_settings_modules()

    def _compare_settings_modules(self) -> None:
        """Say so when manage.py is for developers and what the server runs names other settings: both are asked for, and only one can be meant."""
        if self.settings.settings_module:
            return
        path = self.root.joinpath(*self.application.partition(":")[0].split(".")).with_suffix(".py")
        other = _settings_module_in(self._parse(path)) if path.is_file() else ""
        if other and other != self.settings_module:
            self.warnings.append(
                f"manage.py names the settings {self.settings_module}, {path.relative_to(self.root).as_posix()} names {other}: "
                "the site gets the former; set django_settings_module to choose."
            )


def _settings_module_in(tree: ast.Module) -> str:
    """Which settings module some Python names, as manage.py and wsgi.py do; empty when it does not, or computes it.

    `setdefault("DJANGO_SETTINGS_MODULE", ...)`, `environ["DJANGO_SETTINGS_MODULE"] = ...`, and what is the default of asking for that variable.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            parts = [*node.args, *[keyword.value for keyword in node.keywords if keyword.arg == "default"]]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            parts = [node.targets[0].slice, node.value]
        elif isinstance(node, ast.Tuple):
            parts = node.elts
        else:
            continue
        values = [part.value for part in parts if isinstance(part, ast.Constant)]
        if len(values) == 2 and values[0] == "DJANGO_SETTINGS_MODULE" and isinstance(values[1], str):
            return values[1]
    return ""


__all__ = ["DjangoProject", "Project", "ProjectError", "ProjectFile"]
