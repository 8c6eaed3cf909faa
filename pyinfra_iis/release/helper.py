"""Runs on the server: puts a release together. Standard library only, any Python from 3.9.

It travels as `__main__.py` of the release's archive, so the server's own Python runs it, in the application's folder:
`python.exe incoming\\<id>.zip assemble`. All paths here are relative to that folder. Every command can be repeated after a
crash: what is half done has another name (`.partial`) than what is complete.

Commands:
    assemble            unpack the release beside its final place and check every file
    environment ARG...  make the virtual environment; ARGs are those of `pip install`
    manage ARG...       run manage.py of the assembled release in that environment
    complete            give the release its final name
    discard             remove what is half done
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

SETTINGS_OVERLAY = "pyinfra_iis_settings"
RETRIES = 20
PAUSE = 0.25
"""Seconds between tries while a virus scanner or an indexer holds a file."""


class Failure(Exception):
    """What went wrong, as one sentence."""


class Assembly:
    """One release on its way from an archive to its place.

    Args:
        archive: path of the archive, with `manifest.json` (`id`, `environment`, `files`: path -> [sha256, size]) and `files/`.
    """

    def __init__(self, archive: str) -> None:
        self.path = archive
        self.archive = zipfile.ZipFile(archive)
        self.manifest: dict[str, Any] = json.loads(self.archive.read("manifest.json").decode("utf-8"))
        self.release = os.path.join("releases", self.manifest["id"])
        self.environment = os.path.join("venvs", self.manifest["environment"])

    def assemble(self) -> None:
        """Unpack the release beside its final place and check every file against the manifest."""
        if os.path.isdir(self.release):
            print(f"{self.release} is there already")
            return
        partial = self.release + ".partial"
        remove(partial)
        for path, (sha256, _size) in sorted(self.manifest["files"].items()):
            target = os.path.join(partial, *path.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            digest = hashlib.sha256()
            with self.archive.open("files/" + path) as source, open(target, "wb") as sink:
                for block in iter(lambda: source.read(1 << 20), b""):
                    digest.update(block)
                    sink.write(block)
            if digest.hexdigest() != sha256:
                raise Failure(f"{path} did not arrive whole: its SHA-256 is not the manifest's")
        print(f"unpacked {len(self.manifest['files'])} files into {partial}")

    def make_environment(self, arguments: Sequence[str]) -> None:
        """Make the virtual environment and install into it; pip runs in the release's folder."""
        if os.path.isdir(self.environment):
            print(f"{self.environment} is there already")
            return
        partial = self.environment + ".partial"
        remove(partial)
        run([sys.executable, "-m", "venv", partial])
        pip = [interpreter(partial), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        run([*pip, "install", "--no-warn-script-location", "--quiet", *arguments], cwd=self._files())
        run([*pip, "freeze"], cwd=self._files())
        rename(partial, self.environment)

    def manage(self, arguments: Sequence[str]) -> None:
        """Run manage.py of the assembled release, with a secret key that lives as long as this process."""
        if not os.path.isdir(self.release + ".partial"):
            print(f"{self.release} is complete already")
            return
        variables = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": SETTINGS_OVERLAY,
            "DJANGO_SECRET_KEY": hashlib.sha256(os.urandom(64)).hexdigest(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
        }
        run([interpreter(self.environment), "manage.py", *arguments], cwd=self._files(), env=variables)

    def complete(self) -> None:
        """Give the release its final name, and remove the archive."""
        if os.path.isdir(self.release):
            remove(self.release + ".partial")
        else:
            rename(self.release + ".partial", self.release)
        self._remove_archive()
        print(f"{self.release} is complete")

    def discard(self) -> None:
        """Remove what is half done."""
        remove(self.release + ".partial")
        remove(self.environment + ".partial")
        self._remove_archive()

    def _files(self) -> str:
        """Where the release's files are now."""
        partial = self.release + ".partial"
        return partial if os.path.isdir(partial) else self.release

    def _remove_archive(self) -> None:
        self.archive.close()
        os.remove(self.path)
        folder = os.path.dirname(self.path)
        if folder and not os.listdir(folder):
            os.rmdir(folder)


def interpreter(environment: str) -> str:
    """The Python of a virtual environment."""
    return os.path.abspath(os.path.join(environment, "Scripts", "python.exe"))


def run(command: Sequence[str], cwd: str | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a program; what it prints goes where our own output goes."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = result.stdout.decode("utf-8", "replace").rstrip()
    if result.returncode:
        print(text, file=sys.stderr)
        line = " ".join([os.path.basename(command[0]), *command[1:]])
        raise Failure(f"{line} failed with exit code {result.returncode}")
    if text:
        print(text)


def rename(source: str, target: str) -> None:
    """Rename a folder."""
    for attempt in range(RETRIES):
        try:
            os.rename(source, target)
            return
        except PermissionError:
            if attempt == RETRIES - 1:
                raise Failure(f"{source} cannot be renamed to {target}: a file in it is in use") from None
            time.sleep(PAUSE)


def remove(folder: str) -> None:
    """Remove a folder with everything in it, read-only files too."""

    def make_writable(function: Any, path: str, _error: object) -> None:
        os.chmod(path, stat.S_IWRITE)
        function(path)

    for attempt in range(RETRIES):
        if not os.path.lexists(folder):
            return
        try:
            shutil.rmtree(folder, onerror=make_writable)
        except PermissionError:
            if attempt == RETRIES - 1:
                raise Failure(f"{folder} cannot be removed: a file in it is in use") from None
            time.sleep(PAUSE)


def main(arguments: Sequence[str]) -> int:
    """Run one command of the archive that this program came in; returns the exit code."""
    command, rest = arguments[0], arguments[1:]
    try:
        assembly = Assembly(sys.argv[0])
        if command == "environment":
            assembly.make_environment(rest)
        elif command == "manage":
            assembly.manage(rest)
        else:
            {"assemble": assembly.assemble, "complete": assembly.complete, "discard": assembly.discard}[command]()
    except Failure as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or sys.argv[0]}: {error.strerror or error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
