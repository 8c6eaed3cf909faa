"""Operations on Windows itself: features, downloads, installers, folders and who may use them."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from pyinfra import host
from pyinfra.api import FileUploadCommand, operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.windows import Directories, Features, Files, FirewallRule
from pyinfra_iis.operations import refusal, show_changes
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Download

DOWNLOADS = r"C:\ProgramData\pyinfra-iis\downloads"
"""Where checked files wait on the server until something is installed from them."""


def stored_path(download: Download) -> str:
    """Where a download lies on the server; its hash is part of the name, so another file never takes its place."""
    return rf"{DOWNLOADS}\{download.sha256[:16]}-{download.name}"


@operation()
def features(server: Sequence[str], client: Sequence[str], source: str = "") -> Generator[PyinfraCommand, None, None]:
    """Install Windows features.

    Args:
        server: names as ServerManager has them, for Windows Server (`Web-WebServer`).
        client: names as DISM has them, for Windows 10 and 11 (`IIS-WebServer`).
        source: a folder with Windows' own files for servers without Windows Update; empty uses Windows' default.

    Example:
        windows.features(server=["Web-WebServer"], client=["IIS-WebServer"])
    """
    state = facts.read(host, Features, server=list(server), client=list(client))
    missing = [name for name in (client if state["kind"] == "Client" else server) if not state["features"].get(name)]
    if missing:
        show_changes((f"feature {name}", "absent", "installed") for name in missing)
        yield Script("windows/install_features", {"kind": state["kind"], "names": missing, "source": source})


@operation()
def downloads(files: Sequence[Download]) -> Generator[PyinfraCommand, None, None]:
    """Bring files to the server, each checked by its SHA-256: all of them or none.

    Args:
        files: what to bring; a path of the controlling machine is uploaded, an address is fetched by the server itself.

    A local file that is not there or has another SHA-256 fails the host.
    """
    wanted = [{"path": stored_path(file), "sha256": file.sha256} for file in files]
    present = facts.read(host, Files, files=wanted)["present"] if wanted else {}
    missing = [file for file in files if not present[stored_path(file)]]
    local = [file for file in missing if not file.is_remote]
    for file in local:
        if problem := local_problem(file):
            yield refusal(f"{problem}; nothing was installed on {host.name}.")
            return
    show_changes((stored_path(file), None, f"{file.url} (SHA-256 {file.sha256})") for file in missing)
    fetch = [{"url": file.url, "path": stored_path(file), "sha256": file.sha256} for file in missing if file.is_remote]
    if fetch:
        yield Script("windows/download", {"files": fetch})
    if local:
        yield Script("windows/make_directories", {"folders": [{"path": DOWNLOADS, "grants": []}]})
    for file in local:
        yield FileUploadCommand(file.url, stored_path(file))


def local_problem(file: Download) -> str:
    """Why a file on this machine cannot be used, or nothing."""
    try:
        with Path(file.url).expanduser().open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"{file.url} on this machine cannot be read: {error.strerror}"
    return "" if found == file.sha256 else f"The SHA-256 of {file.url} is {found}, but {file.sha256} was expected"


@operation()
def directories(folders: Mapping[str, Mapping[str, str]]) -> Generator[PyinfraCommand, None, None]:
    """Make folders and grant access to them and everything below.

    Args:
        folders: path -> (identity -> rights); rights are names of .NET's FileSystemRights (`ReadAndExecute`, `Modify`). Other grants stay.

    Example:
        windows.directories({r"C:\\inetpub\\mysite\\shared": {r"IIS AppPool\\mysite": "Modify"}})
    """
    wanted = directory_request(folders)
    state = {folder["path"]: folder for folder in facts.read(host, Directories, **wanted)["folders"]}
    missing = [
        folder
        for folder in wanted["folders"]
        if not state[folder["path"]]["exists"] or state[folder["path"]]["missing"]
    ]
    if missing:
        show_changes((folder["path"], None, "folder") for folder in missing if not state[folder["path"]]["exists"])
        show_changes(
            (f"{folder['path']} {grant['identity']}", None, grant["rights"])
            for folder in missing
            for grant in folder["grants"]
            if not state[folder["path"]]["exists"] or grant["identity"] in state[folder["path"]]["missing"]
        )
        yield Script("windows/make_directories", {"folders": missing})


@operation()
def firewall_rule(rule: str, title: str, ports: Sequence[int]) -> Generator[PyinfraCommand, None, None]:
    """Let visitors through Windows Firewall.

    Args:
        rule: the rule's name, unique on the server.
        title: what administrators see.
        ports: TCP ports.
    """
    state = facts.read(host, FirewallRule, name=rule)
    wanted = sorted({str(port) for port in ports})
    if state["enabled"] and state["allows"] and sorted(state["ports"]) == wanted:
        return
    before = ", ".join(sorted(state["ports"])) if state["exists"] else None
    show_changes([(f"firewall rule {rule}", before, ", ".join(wanted))])
    yield Script("windows/set_firewall", {"name": rule, "title": title, "ports": wanted})


def directory_request(folders: Mapping[str, Mapping[str, str]]) -> dict[str, list[dict]]:
    """The arguments of the fact that `directories` reads."""
    return {
        "folders": [
            {"path": path, "grants": [{"identity": identity, "rights": rights} for identity, rights in grants.items()]}
            for path, grants in folders.items()
        ]
    }
