"""A small web application that is edited, deployed, cut off, rolled back and damaged: for random walks over releases (`test_walk`).

It needs no packages, so that a deploy is cheap, and tells by `/tree` which files it is served with.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyinfra_iis.release.names import folded
from tests.e2e.crash_matrix import Case, Scenario, Trial
from tests.e2e.variants import handler, python
from tests.labkit import Lab, get

Tree = dict[str, str]
"""The SHA-256 of each file, by its path."""
Edit = tuple[str, int, str, bytes | int]
"""What is done, to which of the files that are there, with which name, with which content (a number: as many bytes as nobody compresses)."""

SERVE = """\
import importlib, os, sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
module, _, name = sys.argv[1].partition(":")
application = getattr(importlib.import_module(module), name)
make_server("127.0.0.1", int(os.environ["HTTP_PLATFORM_PORT"]), application, Server, Quiet).serve_forever()
"""
APP = """\
import hashlib, json, os
ROOT = os.path.dirname(os.path.abspath(__file__))
def tree():
    found = {}
    for folder, _, names in os.walk(ROOT):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                found[os.path.relpath(path, ROOT).replace(os.sep, "/")] = hashlib.sha256(stream.read()).hexdigest()
    return found
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(tree() if environ["PATH_INFO"] == "/tree" else {}).encode()]
"""
NAMES = (
    "a.txt", "F.TXT", "no_ending", ".hidden", "ä b.html", "résumé.md", "cafe\u0301.txt", "日本語/😀.txt", " leads.txt", "a..b", "-rf", "@at",
    "100% & #1 (copy).txt", "'it' `s`.txt", "$HOME;[x]{y}.txt", "%PATH%.txt", "x^y!,=+~.txt", "console.txt", "com10", "auxiliary/nul1.txt",
    "deep/d.txt", "deep/er/c.bin", "deep/er/" + "x" * 60 + "/" + "y" * 60, "static/app/e.css", "half.partial", "releases/index.txt", "x.partial/z.json",
    "package/__init__.py", "b.py",
)  # fmt: skip
"""What Windows can hold."""
STAYING = (".env", "db.sqlite3", "x.pyc", "__pycache__/y.txt", "node_modules/z.js", "deep/a~")
"""What is no part of a release."""
UNFIT = (
    "aux.txt", "deep/con", "Com1.tar.gz", "trailing.", "deep/space ", "folder./x", "what?.txt", "a:b", "pipe|", 'quo"te', "tab\t", "back\\slash",
    "SERVE.PY", "App.py", "link", "d/" * 110 + "x",
)  # fmt: skip
"""What Windows cannot hold, or not beside the files that are always there, or what is no file; `link` becomes a symbolic link."""
OWN = ("pyinfra_iis_", "web.config")
"""What the deploy puts into a release."""


class Site(Trial):
    """An application of its own on a server of the lab.

    Args:
        lab: the lab.
        address: the server's.
        folder: for files of this machine.
        number: of the application, from 0.
    """

    def __init__(self, lab: Lab, address: str, folder: Path, number: int) -> None:
        self.app, self.port = f"walk{number}", 8300 + number
        super().__init__(lab, address, Scenario("walk", {}, _note), folder)
        self.root = self.drive / "inetpub" / self.app
        self.project = folder / self.app
        self.project.mkdir()
        (self.project / "serve.py").write_text(SERVE)
        (self.project / "app.py").write_text(APP)
        self.file = "deploys/python_web.py"
        self.scenario.values.update(
            {
                "web_app": self.app,
                "web_project": str(self.project),
                "web_application": "app:application",
                "web_interface": "wsgi",
                "web_server": "command",
                "web_command": ["serve.py", "pyinfra_iis_gate:application"],
                "web_bindings": [f"*:{self.port}:"],
                "web_health": {"path": "/", "status": 200, "timeout": 20},
                "web_python": python(lab, "zip"),
                "web_handler": json.loads(handler(lab, "1.2")["django_handler"]),
                "web_keep": 1000,
                "winrm_user": "Administrator",
                "winrm_password": lab.password,
                "winrm_reconnect_timeout": 1,
            }
        )

    # -- what is done to it -------------------------------------------------------------------------------------------

    def change(self) -> str:
        """Make the project one that it has never been."""
        self.number += 1
        self.scenario.change(self.project, self.number)
        return ""

    def deploy(self, file: str = "", **plan: Any) -> tuple[int, str]:
        """A deploy to which something happens, or nothing; its exit code (negative: killed) and output."""
        flags = Path(tempfile.mkdtemp(dir=self.folder))
        inventory = flags / "inventory.py"
        inventory.write_text(f"lab = (['@winrm/{self.address}'], {self.scenario.values!r})\n")
        line = {
            "arguments": [str(inventory), file or self.file, "-y"],
            "plan": {"host": self.host, "flags": str(flags), **plan},
            "environment": self.environment,
            "output": str(flags / "output"),
        }
        code = self._ask_client(json.dumps(line))
        self.met = (flags / "reached").exists()
        return code, (flags / "output").read_text(errors="replace")

    def cases_of(self, file: str) -> list[Case]:
        """Every mishap at every step of a deploy by another file."""
        before, self.file = self.file, file
        try:
            return self.cases()
        finally:
            self.file = before

    def interrupted_by(self, case: Case, file: str) -> tuple[int, str]:
        """A deploy by another file with a mishap."""
        before, self.file = self.file, file
        try:
            return self.interrupted(case)
        finally:
            self.file = before

    def edit(self, edits: Sequence[Edit]) -> None:
        """Add, change, rename and remove files; what cannot be, because something is in the way, is left out."""
        for act, which, name, content in edits:
            own = [path for path in self.paths() if path not in ("serve.py", "app.py")]
            if act == "write":
                self._write(name, content)
            elif own:
                self._change(act, self.project / own[which % len(own)], name)

    def _change(self, act: str, file: Path, name: str) -> None:
        if act == "remove":
            file.unlink()
        elif act == "append":
            file.write_bytes(file.read_bytes() + b"more\n")
        elif act == "rename" and self._is_free(name):
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            file.rename(self.project / name)
        elif act == "case" and not (other := file.with_name(file.name.swapcase())).exists():
            file.rename(other)

    def _write(self, name: str, content: bytes | int) -> None:
        file = self.project / name
        if file.is_file() or self._is_free(name):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else random.Random(content).randbytes(content))

    def _is_free(self, name: str) -> bool:
        """Whether nothing there is the same on Windows, a folder in the place of a file or a file in the place of a folder."""
        paths = [*self.paths(), *STAYING]
        taken = {folded(path) for path in paths if path not in STAYING or (self.project / path).exists()}
        above = {folded("/".join(path.split("/")[:count])) for path in taken for count in range(1, path.count("/") + 1)}
        folders = [folded("/".join(name.split("/")[:count])) for count in range(1, name.count("/") + 1)]
        return folded(name) not in taken | above and not taken.intersection(folders) and not self._other_case(name)

    def _other_case(self, name: str) -> bool:
        """Whether a folder of the name is there in other letters."""
        folders = {path.relative_to(self.project).as_posix() for path in self.project.rglob("*") if path.is_dir()}
        wanted = ["/".join(name.split("/")[:count]) for count in range(1, name.count("/") + 1)]
        return any(folded(one) == folded(other) and one != other for one in wanted for other in folders)

    def put_unfit(self, name: str) -> Path:
        """Put something that Windows cannot hold into the project; returns what is to be removed again."""
        file = self.project / name
        top = self.project / name.split("/")[0]
        there = top.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to("serve.py") if name == "link" else file.write_text("x")
        return file if there else top

    # -- what there is ------------------------------------------------------------------------------------------------

    def paths(self) -> list[str]:
        """The files of the project that belong to a release."""
        found = (path.relative_to(self.project).as_posix() for path in self.project.rglob("*") if path.is_file())
        return sorted(path for path in found if path not in STAYING)

    def wanted(self) -> Tree:
        """What a deploy would bring."""
        return {path: _sha256(self.project / path) for path in self.paths()}

    def live(self) -> str:
        """The release that the site serves, as IIS is configured; empty when there is no such site."""
        deadline = time.monotonic() + 5
        while True:
            try:
                config = ET.parse(self.drive / "Windows/System32/inetsrv/config/applicationHost.config")
                break
            except (OSError, ET.ParseError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        found = config.find(f".//site[@name='{self.app}']/application/virtualDirectory")
        return "" if found is None else found.get("physicalPath", "").rpartition("\\")[2]

    def releases(self) -> list[str]:
        """The complete releases."""
        return sorted(path.stem for path in (self.root / "releases").glob("r*.json") if path.with_suffix("").is_dir())

    def on_disk(self, release: str) -> Tree:
        """The files of a release, but those that the deploy makes."""
        folder = self.root / "releases" / release
        found = (path for path in folder.rglob("*") if path.is_file())
        return _without_own({path.relative_to(folder).as_posix(): _sha256(path) for path in found})

    def served(self) -> Tree | None:
        """The files that the process which answers has around it, as it says itself; None when nobody answers."""
        deadline = time.monotonic() + 30
        while True:
            try:
                status, _, body = get(self.address, "/tree", self.port)
                if status == 200:
                    return _without_own(json.loads(body))
            except (OSError, ValueError):
                pass
            if time.monotonic() > deadline:
                return None
            time.sleep(0.2)

    def is_bad(self, release: str) -> bool:
        """Whether a release is marked as one that must not go live again."""
        return (self.root / "releases" / f"{release}.bad").exists()


def _note(project: Path, number: int) -> None:
    (project / "number.txt").write_text(f"{number}\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _without_own(tree: Tree) -> Tree:
    return {path: digest for path, digest in tree.items() if not path.startswith(OWN)}


def take_off(site: Site) -> None:
    """Take an application off its server, so that the next one has room."""
    appcmd = r"%windir%\system32\inetsrv\appcmd.exe"
    site.lab.cmd(site.address, f'{appcmd} delete site "{site.app}" & {appcmd} delete apppool "{site.app}"')
    deadline = time.monotonic() + 15
    while site.root.exists():
        # Its process takes a moment to end.
        try:
            site.lab.cmd(site.address, f"rd /s /q {_windows(site.root)}")
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _windows(path: Path) -> str:
    return "C:\\" + os.sep.join(path.parts[path.parts.index("C") + 1 :]).replace(os.sep, "\\")
