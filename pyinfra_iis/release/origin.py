"""Where a release comes from: who made it, when, from which commit."""

from __future__ import annotations

import getpass
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def describe(project: Path) -> dict[str, str]:
    """What a release's record says besides its files: `made` (UTC, ISO 8601), `by` (user@machine), `commit` (empty outside git; `+` when files differ from it).

    Args:
        project: the project's folder.
    """
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "by": deployer(),
        "commit": _commit(project),
    }


def deployer() -> str:
    """Who deploys, as `user@machine`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _commit(project: Path) -> str:
    commit = _git(project, "rev-parse", "HEAD")
    return commit + ("+" if commit and _git(project, "status", "--porcelain", "--", ".") else "")


def _git(project: Path, *arguments: str) -> str:
    try:
        run = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
