"""Where a release comes from: who made it, when, from which commit."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pyinfra_iis.release.project import Project
from pyinfra_iis.release.scan import cache_folder

_REMEMBERED = 20
"""How many runs on one machine are known to the next ones."""


def describe(project: Project) -> dict[str, str]:
    """What a release's record says besides its files: `made` (UTC, ISO 8601), `by` (user@machine), `commit` (empty outside git; `+` when files differ from it),
    and `ref`, where one was asked for.

    Args:
        project: the project.
    """
    ref = project.settings.ref
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "by": deployer(),
        "commit": project.commit or _commit(project.root),
        **({"ref": ref} if ref else {}),
    }


def deployer() -> str:
    """Who deploys, as `user@machine`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


@cache
def run_note() -> dict[str, Any]:
    """Who deploys, for the lock on the servers: `user` (as `deployer`), `run` (this run's own name), `ended` (names of earlier runs on this machine
    whose process is gone: killed, perhaps, in the middle of a deploy; what they left running on a server ends when the next one comes).
    """
    run = secrets.token_hex(4)
    path = cache_folder() / "runs.json"
    earlier = _runs(path)
    ended = [name for name, process in earlier if not _runs_here(process)]
    _write(path, [*earlier, (run, os.getpid())][-_REMEMBERED:])
    return {"user": deployer(), "run": run, "ended": ended}


def _runs(path: Path) -> list[tuple[str, int]]:
    try:
        return [(str(name), int(process)) for name, process in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, runs: list[tuple[str, int]]) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(runs), encoding="utf-8")
        partial.replace(path)
    except OSError:
        pass


def _runs_here(process: int) -> bool:
    if sys.platform == "win32":
        return True  # there, os.kill(..., 0) would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _commit(project: Path) -> str:
    commit = _git(project, "rev-parse", "HEAD")
    return commit + ("+" if commit and _git(project, "status", "--porcelain", "--", ".") else "")


def _git(project: Path, *arguments: str) -> str:
    try:
        run = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
