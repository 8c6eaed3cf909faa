"""Requirements as a project writes them: requirements files and locks of pip, pyproject.toml, uv.lock, pylock.toml.

Each is read as the server's pip will read it, on Windows and with the server's Python; what cannot work there is named. Sources: pip's documentation
("Requirements File Format", "Secure installs"), PEP 508, PEP 621, PEP 735, PEP 751.
"""

from __future__ import annotations

import codecs
import hashlib
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from pyinfra_iis.release import pip_options
from pyinfra_iis.release.project import Project, ProjectError

RENDERED = "pyinfra_iis_requirements.txt"
"""The file of a release that holds what a lock of another format says, as pip reads it."""

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(?P<name>\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+|\b)(?P<what>.*)")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_OPTIONS = re.compile(r"\s+(?=--?[A-Za-z])")
_HASH = re.compile(r"--hash(?:=|\s+)(\S+:[0-9A-Fa-f]+)")
_CONTROLLED = re.compile(r"(?:git|hg|svn|bzr)\+", re.IGNORECASE)
_EXTRAS = re.compile(r"\[[^\]]*\]\s*$")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*)://", re.IGNORECASE)
_PATH = re.compile(
    r"^(?:\.{1,2}(?:[/\\].*)?|[/~\\].*|[A-Za-z]:[/\\].*|[^\s;@\[]*[/\\][^;]*|[^\s;@]+\.(?:whl|zip|tar\.gz|tgz|tar\.bz2))(?:\[|\s*;|\s*$)"
)
_ON_SERVER = re.compile(r"^(?:file:///?)?[A-Za-z]:[/\\]", re.IGNORECASE)
_LOCKS = {
    "poetry.lock": "poetry export --format requirements.txt --output requirements.txt",
    "Pipfile.lock": "pipenv requirements --hash > requirements.txt",
    "pdm.lock": "pdm export --output requirements.txt",
}


_OTHERS = re.compile(
    r"^(?:requirements/[^/]*|[^/]*requirements[^/]*)\.(?:txt|in)$|^Pipfile$|^setup\.(?:py|cfg)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Entry:
    """One requirement.

    Attributes:
        where: the place, for the reader (`requirements.txt, line 3`).
        requirement: what it says.
        hashes: `sha256:...`, as the line has them.
        path: of a wheel of the project, relative to it, or empty.
    """

    where: str
    requirement: Requirement
    hashes: frozenset[str] = frozenset()
    path: str = ""


@dataclass
class Listing:
    """What a project's files ask for.

    Attributes:
        arguments: of `pip install` in the release's folder.
        entries: what is to be installed on Windows with the server's Python.
        constraints: what only limits versions.
        contents: whatever of the files says what is installed: a name and a text or a hash.
        with_hashes: whether pip takes nothing but what has a hash.
        rendered: the text of `RENDERED`, or empty.
        options: of pip that stand in files and say where packages come from and which of them count.
        problems: sentences without a full stop.
    """

    arguments: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    constraints: list[Entry] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)
    with_hashes: bool = False
    rendered: str = ""
    options: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def specifier(self, name: str) -> SpecifierSet | None:
        """All that is said about the version of a package; None when it is not asked for."""
        return self.limits(name, (*self.entries, *self.constraints)) if self.asks_for(name) else None

    def asks_for(self, name: str) -> bool:
        """Whether a package is to be installed."""
        return any(canonicalize_name(entry.requirement.name) == canonicalize_name(name) for entry in self.entries)

    def limits(self, name: str, entries: Iterable[Entry]) -> SpecifierSet:
        """What some entries say about the version of a package."""
        found = SpecifierSet()
        for entry in entries:
            if canonicalize_name(entry.requirement.name) == canonicalize_name(name):
                found &= entry.requirement.specifier
        return found


def read(project: Project) -> Listing:
    """Read the files that the settings name, or those that are there.

    Raises:
        ProjectError: a file that is not there or cannot be used; for every line that cannot work on the server, a sentence.
    """
    reader = _Reader(project)
    for name in project.settings.requirements or reader.usual():
        reader.add(name.replace("\\", "/").removeprefix("./"))
    for name in project.settings.constraints:
        reader.constrain(name.replace("\\", "/").removeprefix("./"))
    return reader.listing


class _Reader:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.listing = Listing()
        self.seen: set[tuple[str, bool]] = set()
        self.markers = markers(project.settings.python.version)

    def usual(self) -> Iterator[str]:
        """What a project is taken to mean when nothing is set."""
        files = self.project.files
        if "requirements.txt" in files:
            yield "requirements.txt"
        elif "uv.lock" in files:
            yield "uv.lock"
        elif "pylock.toml" in files:
            yield "pylock.toml"
        elif self.asks_pyproject():
            for name in filter(files.__contains__, _LOCKS):
                self.project.warnings.append(
                    f"{name} of {self.project.place} is not read, so the servers get the newest that pyproject.toml allows; to have what it says, make a "
                    f"requirements.txt of it: {_LOCKS[name]}."
                )
            yield "pyproject.toml"
        else:
            for name, command in _LOCKS.items():
                if name in files:
                    raise ProjectError(
                        f"{name} of {self.project.place} is not read; make a requirements.txt of it: {command}."
                    )
            if others := [path for path in files if _OTHERS.search(path)]:
                self.project.warnings.append(
                    f"{', '.join(others[:5])} of {self.project.place} is not read; set requirements to what the site needs."
                )

    def asks_pyproject(self) -> bool:
        """Whether the project's own file says what it needs, where pip can read it."""
        if "pyproject.toml" not in self.project.files:
            return False
        table = self.toml("pyproject.toml")
        project = table.get("project", {})
        if project.get("dependencies") or "dependencies" in project.get("dynamic", ()):
            return True
        if table.get("tool", {}).get("poetry", {}).get("dependencies"):
            raise ProjectError(
                f"pyproject.toml of {self.project.place} is not read, only Poetry knows it; make a requirements.txt of it: {_LOCKS['poetry.lock']}."
            )
        return False

    def add(self, name: str) -> None:
        base = PurePosixPath(name).name
        if base == "pyproject.toml":
            self.add_pyproject(name)
        elif base == "uv.lock":
            self.add_uv_lock(name)
        elif re.fullmatch(r"pylock(\.[^.]+)?\.toml", base):
            self.add_pylock(name)
        elif base in _LOCKS:
            raise ProjectError(
                f"{name} of {self.project.place} is not read; make a requirements.txt of it: {_LOCKS[base]}."
            )
        elif name.startswith("../"):
            # It does not come along, but what it says does.
            self.add_rendered(name, "".join(f"{line}\n" for line in self.lines_above(name, set())))
        else:
            self.text(name)
            self.listing.arguments += ["-r", name]
            self.add_file(name, self.listing.entries)

    def constrain(self, name: str) -> None:
        self.text(name)
        self.listing.arguments += ["-c", name]
        self.add_file(name, self.listing.constraints)

    def lines_above(self, name: str, seen: set[str]) -> Iterator[str]:
        """The lines of a file in a folder above the project, with those of the files that it includes."""
        if name in seen:
            return
        seen.add(name)
        for number, line in logical_lines(self.text(name)):
            match = _INCLUDE.fullmatch(line)
            if not match:
                yield line
            elif line.startswith(("-c", "--c")) or _ADDRESS.match(match["name"]):
                self.problem(
                    f"{name}, line {number}",
                    "limits or includes what does not come along; write it out, or put the files into the project",
                )
            else:
                yield from self.lines_above(_joined(name, match["name"].strip("\"'")), seen)

    def has(self, name: str) -> bool:
        """Whether a file can be read: one of the project, or, as projects in a folder `src` have them, one above it. A commit is read by itself."""
        above = name.startswith("../") and not self.project.commit
        return name in self.project.files or (above and (self.project.root / name).is_file())

    def content(self, name: str) -> bytes:
        if not self.has(name):
            raise ProjectError(f"The requirements file {name} is not in {self.project.place}.")
        file = self.project.files.get(name)
        return file.read() if file else (self.project.root / name).read_bytes()

    def text(self, name: str) -> str:
        content = self.content(name)
        for mark, encoding in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            if content.startswith(mark):
                return content[len(mark) :].decode(encoding, errors="replace")
        if b"\0" in content:
            raise ProjectError(f"{name} of {self.project.place} is no text that pip can read; save it as UTF-8.")
        return content.decode("utf-8", errors="replace")

    def toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self.content(name).decode("utf-8"))
        except ValueError as error:
            raise ProjectError(f"{name} of {self.project.place} is no TOML: {error}.") from None

    # Files of pip

    def add_file(self, name: str, into: list[Entry]) -> None:
        read = (name, into is self.listing.entries)
        if read in self.seen:
            return
        self.seen.add(read)
        text = self.text(name)
        self.listing.contents[name] = text
        for number, line in logical_lines(text):
            self.add_line(name, f"{name}, line {number}", line, into)

    def add_line(self, name: str, where: str, line: str, into: list[Entry]) -> None:
        problem = self.problem
        if match := _VARIABLE.search(line):
            problem(
                where,
                f"wants {match[0]}, which no server has; write it out, or give an index by the setting pip_options",
            )
        elif match := _INCLUDE.fullmatch(line):
            target = match["name"].strip("\"'")
            if _ADDRESS.match(target):
                problem(where, f"takes requirements from {without_credentials(target)}; put that file into the project")
                return
            included = _joined(name, target)
            if included not in self.project.files:
                problem(where, f"names {target}, which is not in {self.project.place}")
                return
            self.add_file(included, self.listing.constraints if line.startswith(("-c", "--c")) else into)
        elif (match := _EDITABLE.match(line)) and not _CONTROLLED.match(match["what"]):
            problem(
                where,
                "installs for development; what is in the project can be imported as it is, so leave the line out on servers",
            )
        elif match:
            self.add_place(where, match["what"], "", frozenset(), into)
        elif line.startswith("-"):
            self.add_options(name, line)
        else:
            self.add_requirement(where, line, into)

    def add_options(self, name: str, line: str) -> None:
        """What a line of options says to this machine: the server's pip reads it itself."""
        try:
            words = shlex.split(line)
        except ValueError:
            return  # pip says what is wrong with it
        for option, value in pip_options.pairs(words):
            self.listing.with_hashes |= option == "--require-hashes"
            if option in pip_options.OF_FILES:
                # As in pip, from the file's own folder, where there is such a one.
                place = _joined(name, value or "")
                found = value and any(path == place or path.startswith(place + "/") for path in self.project.files)
                self.listing.options += [option, *([place if found else value] if value is not None else [])]

    def add_requirement(self, where: str, line: str, into: list[Entry]) -> None:
        text, *options = _OPTIONS.split(line)
        hashes = frozenset(match[1].lower() for option in options if (match := _HASH.fullmatch(option)))
        # Whatever the line's marker says, as in pip.
        self.listing.with_hashes |= bool(hashes) and into is self.listing.entries
        if _PATH.match(text) or (_ADDRESS.match(text) and "@" not in text.split("://")[0]) or _CONTROLLED.match(text):
            self.add_place(where, text, "", hashes, into)
            return
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            self.problem(where, f"is no requirement: '{without_credentials(text)}'")
            return
        if requirement.marker and not requirement.marker.evaluate(self.markers):
            return
        if requirement.url:
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            self.add_place(where, requirement.url + extras, requirement.name, hashes, into)
        else:
            into.append(Entry(where, requirement, hashes))

    def add_place(self, where: str, text: str, name: str, hashes: frozenset[str], into: list[Entry]) -> None:
        """A requirement that says where its package lies."""
        path, _, marker = text.partition(";") if not name else (text, "", "")
        if marker.strip() and not self.holds(marker):
            return
        extras = match[0].strip() if (match := _EXTRAS.search(path)) else ""
        path = _EXTRAS.sub("", path).strip()
        shown = without_credentials(path)
        offline = self.project.settings.packages == "offline"
        if _CONTROLLED.match(path):
            self.problem(
                where,
                f"wants {shown} from a version control system, which servers do not have; put a wheel of it into the project",
            )
        elif _ON_SERVER.match(path) or re.match(r"https?://", path, re.IGNORECASE):
            if offline:
                self.problem(
                    where,
                    f"wants {shown}, which is not collected for servers without an index; put a wheel of it into the project",
                )
            elif found := name or _wheel_name(path):
                into.append(Entry(where, Requirement(found), hashes))
        elif _ADDRESS.match(path):
            self.problem(
                where,
                f"wants {shown}, which is on this machine; put a wheel of it into the project and name it by its path there",
            )
        else:
            relative = PurePosixPath(path.replace("\\", "/")).as_posix()
            if relative not in self.project.files:
                folder = relative == "." or any(file.startswith(relative + "/") for file in self.project.files)
                what = "is a folder" if folder else f"is not in {self.project.place}"
                self.problem(
                    where,
                    f"wants {shown}, which {what}; put a wheel of it into the project and name it by its path there",
                )
            elif not (found := _wheel_name(relative)):
                self.problem(where, f"wants {shown}, which is no wheel; make one of it with pip wheel")
            else:
                self.listing.contents[relative] = self.project.files[relative].sha256
                into.append(Entry(where, Requirement(found + extras), hashes, relative))

    def holds(self, marker: str) -> bool:
        try:
            return Marker(marker).evaluate(self.markers)
        except InvalidMarker:
            return True  # pip says what is wrong with it

    def problem(self, where: str, text: str) -> None:
        self.listing.problems.append(f"{where} {text}")

    # Other formats

    def add_pyproject(self, name: str) -> None:
        table = self.toml(name)
        project = table.get("project")
        if not isinstance(project, dict):
            raise ProjectError(
                f"{name} of {self.project.place} has no table [project]; make a requirements.txt of what it asks for."
            )
        if "dependencies" in project.get("dynamic", ()):
            raise ProjectError(
                f"{name} of {self.project.place} leaves its dependencies to its build; set requirements to the file that holds them."
            )
        self.check_python(name, project.get("requires-python"))
        found = [*_strings(name, project.get("dependencies", [])), *self.chosen(name, table)]
        sources = table.get("tool", {}).get("uv", {}).get("sources", {})
        elsewhere = {
            canonicalize_name(key)
            for key, source in sources.items()
            if not (isinstance(source, dict) and "index" in source)
        }
        for text in found:
            before = len(self.listing.entries)
            self.add_requirement(f"{name}, '{text}',", text, self.listing.entries)
            for entry in self.listing.entries[before:]:
                if canonicalize_name(entry.requirement.name) in elsewhere:
                    self.problem(
                        entry.where,
                        "comes from [tool.uv.sources]; put a wheel of it into the project and name that in a requirements file",
                    )
        self.listing.arguments += found
        self.listing.contents[name] = "\n".join(found)

    def chosen(self, name: str, table: Mapping[str, Any]) -> list[str]:
        """What the extras and groups of the settings ask for."""
        project = table.get("project", {})
        own = canonicalize_name(project.get("name", ""))
        extras: dict[str, Any] = {
            canonicalize_name(key): value for key, value in project.get("optional-dependencies", {}).items()
        }
        groups: dict[str, Any] = {
            canonicalize_name(key): value for key, value in table.get("dependency-groups", {}).items()
        }
        settings = self.project.settings
        return [
            *(text for extra in settings.extras for text in self.extra(name, own, extras, extra, [])),
            *(text for group in settings.dependency_groups for text in self.group(name, groups, group, [])),
        ]

    def extra(self, name: str, own: str, extras: Mapping[str, Any], extra: str, path: list[str]) -> list[str]:
        key = canonicalize_name(extra)
        if key not in extras:
            raise ProjectError(
                f"{name} of {self.project.place} has no extra {extra}; it has {', '.join(extras) or 'none'}."
            )
        found = []
        for text in _strings(name, extras[key]):
            match = re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", text)
            if match and own and canonicalize_name(match[1]) == own:
                further = [
                    part.strip() for part in match[2].split(",") if canonicalize_name(part.strip()) not in (*path, key)
                ]
                for part in further:
                    found += self.extra(name, own, extras, part, [*path, key])
            else:
                found.append(text)
        return found

    def group(self, name: str, groups: Mapping[str, Any], group: str, path: list[str]) -> list[str]:
        key = canonicalize_name(group)
        if key not in groups:
            raise ProjectError(
                f"{name} of {self.project.place} has no dependency group {group}; it has {', '.join(groups) or 'none'}."
            )
        if key in path:
            raise ProjectError(f"The dependency group {group} in {name} of {self.project.place} includes itself.")
        found: list[str] = []
        for item in groups[key] if isinstance(groups[key], list) else []:
            if isinstance(item, dict) and isinstance(item.get("include-group"), str):
                found += self.group(name, groups, item["include-group"], [*path, key])
            else:
                found += _strings(name, [item])
        return found

    def add_uv_lock(self, name: str) -> None:
        beside = _joined(name, "pyproject.toml")
        if not self.has(beside):
            raise ProjectError(f"{name} of {self.project.place} has no pyproject.toml beside it.")
        self.chosen(beside, self.toml(beside))  # uv does not mind names that are none
        self.check_python(name, self.toml(name).get("requires-python"))
        settings = self.project.settings
        choice = [part for extra in settings.extras for part in ("--extra", extra)]
        choice += [part for group in settings.dependency_groups for part in ("--group", group)]
        if importlib.util.find_spec("uv") is None:
            command = " ".join(
                ["uv export --frozen --no-dev --no-emit-project", *choice, "--output-file requirements.txt"]
            )
            raise ProjectError(
                f"{name} is read with uv; install pyinfra-iis[offline], or make a requirements.txt of it: {command}."
            )
        export = [
            "--no-python-downloads",
            "export",
            "--quiet",
            "--frozen",
            "--offline",
            "--no-dev",
            "--no-emit-project",
            "--no-editable",
            "--no-header",
            "--no-annotate",
        ]
        run = subprocess.run(
            [sys.executable, "-m", "uv", *export, "--format", "requirements-txt", *choice],
            cwd=(self.project.root / name).parent,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if run.returncode:
            lines = [line.strip() for line in run.stderr.splitlines() if line.strip()] or ["uv did not say why"]
            raise ProjectError(
                f"uv cannot read {name} of {self.project.place}: {without_credentials(lines[0].removeprefix('error: ')).rstrip('.')}."
            )
        self.add_rendered(name, run.stdout)

    def add_pylock(self, name: str) -> None:
        lock = self.toml(name)
        if not str(lock.get("lock-version", "")).startswith("1."):
            raise ProjectError(f"{name} of {self.project.place} is no lock file of version 1.")
        self.check_python(name, lock.get("requires-python"))
        lines = []
        for package in lock.get("packages", ()):
            title = f"{name}, package {package.get('name', '?')},"
            wheels = [wheel.get("hashes", {}).get("sha256") for wheel in package.get("wheels", ())]
            hashes = [*wheels, package.get("sdist", {}).get("hashes", {}).get("sha256")]
            if "version" not in package or not any(hashes):
                self.problem(
                    title,
                    "lies in a place of its own; put a wheel of it into the project and name that in a requirements file",
                )
                continue
            marker = f" ; {package['marker']}" if package.get("marker") else ""
            lines.append(
                " ".join(
                    [
                        f"{package['name']}=={package['version']}{marker}",
                        *[f"--hash=sha256:{one}" for one in hashes if one],
                    ]
                )
            )
        self.add_rendered(name, "\n".join(lines) + "\n")

    def add_rendered(self, name: str, text: str) -> None:
        if RENDERED not in self.listing.arguments:
            self.listing.arguments += ["-r", RENDERED]
        self.listing.rendered += text
        self.listing.contents[name] = text
        for _, line in logical_lines(text):
            self.add_line(name, f"{name}, package {line.split()[0]},", line, self.listing.entries)

    def check_python(self, name: str, wanted: object) -> None:
        if not isinstance(wanted, str):
            return
        version = self.project.settings.python.version
        try:
            fits = SpecifierSet(wanted).contains(version)
        except InvalidSpecifier:
            return
        if not fits:
            raise ProjectError(
                f"{name} of {self.project.place} wants Python {wanted}, the servers get {version}; set another python."
            )


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a requirements file as pip has them, without comments, each with the number of its first."""
    start, parts = 0, []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        start = start or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        joined = _COMMENT.sub("", "".join([*parts, line])).strip()
        if joined:
            yield start, joined
        start, parts = 0, []


def markers(version: str) -> dict[str, str]:
    """The environment markers (PEP 508) of CPython on Windows x64.

    Args:
        version: `3.14.6`.
    """
    return {
        "implementation_name": "cpython",
        "implementation_version": version,
        "os_name": "nt",
        "platform_machine": "AMD64",
        "platform_python_implementation": "CPython",
        "platform_release": "10",
        "platform_system": "Windows",
        "platform_version": "10.0",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "win32",
        "extra": "",
    }


def without_credentials(text: str) -> str:
    """A text without the user and password of its addresses."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)


def digest(values: Iterable[str]) -> str:
    """One hash over texts."""
    found = hashlib.sha256()
    for value in values:
        found.update(f"{len(value)} {value}".encode())
    return found.hexdigest()


def _strings(name: str, values: object) -> Iterator[str]:
    for value in values if isinstance(values, list) else [None]:
        if not isinstance(value, str):
            raise ProjectError(f'{name}: dependencies are a list of texts such as "Django>=5.2".')
        yield value


def _joined(name: str, target: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(name).parent.parts, *target.replace("\\", "/").split("/")):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _wheel_name(path: str) -> str:
    try:
        return parse_wheel_filename(path.replace("\\", "/").split("#")[0].split("?")[0].rpartition("/")[2])[0]
    except InvalidWheelFilename:
        return ""
