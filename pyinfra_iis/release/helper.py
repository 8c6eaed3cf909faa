"""Runs on the server, by the server's own Python: puts releases together and tries them. Standard library only, any Python from 3.9.

It is read from standard input (`python.exe - COMMAND ...`) and works in the application's folder; all paths are relative to that. Every
command can be repeated after a crash: what is half done has another name (`.partial`) than what is complete.

    releases/ID         a complete release, never changed
    releases/ID.json    its record: `id`, `environment`, `files` (path -> [sha256, size]), who made it when and from what
    releases/ID.bad     why it must not go live again
    releases/index.txt  lines `ID KEY`: which virtual environment a release uses
    venvs/KEY           a complete virtual environment, never changed; its packages.txt tells what it holds

Before something gets the name of a complete thing, its files are on the disk, not only in Windows' cache: a power cut afterwards cannot leave a
complete release with holes. Lists that grow line by line may end in half a line then; it counts as not there.

Commands:
    steps JSON               a list of the commands below with their arguments, in this order; the first that fails is the last
    receive PATH             write a file that came with this program's text
    assemble ARCHIVE         unpack a release beside its final place and check every file
    environment ID KEY ARG...  make the virtual environment; ARGs are those of `pip install`, none when nothing is to be installed
    manage ID KEY ARG...     run manage.py of the release in that environment
    trial ID JSON            start the release on a spare port and ask it whether it is healthy
    complete ARCHIVE         give the release its final name
    remove RELEASE,... KEY,... KEEP  remove releases but the newest KEEP, and virtual environments that no release uses any more
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

RECEIVED: dict[str, str] = {}
"""Files that came with this program's text, in base64 by their paths: whoever sends it fills this in."""
SETTINGS_OVERLAY = "pyinfra_iis_settings"
REPORTED = ("check", "migrate")
"""Commands of manage.py whose output the person at the keyboard shall see: it is marked with their names."""
RETRIES = 80
PAUSE = 0.25
"""Seconds between tries while a virus scanner or an indexer holds a file; what has just been written may be held for many seconds."""
FORGOTTEN = 24 * 3600
"""Seconds after which an archive that nobody has used is removed."""
FLUSHES = 16
"""Files that are written through to the disk at once: it takes them together."""
TAIL = 30
"""Lines of a log that tell why something failed."""


class Failure(Exception):
    """What went wrong, as one sentence."""


def release_path(identifier: str) -> str:
    """Where a complete release is."""
    return os.path.join("releases", identifier)


def partial_path(identifier: str) -> str:
    """Where a release is while it is put together."""
    return os.path.join("releases", identifier + ".partial")


def record_path(identifier: str) -> str:
    """Where a release's record is."""
    return os.path.join("releases", identifier + ".json")


def files_path(identifier: str) -> str:
    """Where a release's files are now."""
    return partial_path(identifier) if os.path.isdir(partial_path(identifier)) else release_path(identifier)


def interpreter(key: str) -> str:
    """The Python of a virtual environment."""
    return os.path.abspath(os.path.join("venvs", key, "Scripts", "python.exe"))


def release_id(environment: str, files: Mapping[str, Any]) -> str:
    """A release's name, the hash of what it consists of; the letter keeps it from looking like a number."""
    content = {"format": 1, "environment": environment, "files": files}
    return "r" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:15]


def read_record(identifier: str) -> dict[str, Any]:
    """A release's record."""
    with open(record_path(identifier), encoding="utf-8") as stream:
        return json.load(stream)


def receive(path: str) -> None:
    """Write a file that came with this program's text: a small one is not worth requests of its own."""
    with open(path, "wb") as stream:
        stream.write(base64.b64decode(RECEIVED[path]))


def assemble(archive_path: str) -> None:
    """Unpack a release beside its final place and check every file.

    The archive holds `delta.json` and `contents/SHA256` for what no earlier release has. The delta tells `id`, `environment`, `base` (an earlier
    release or empty), `changed` (path -> [sha256, size]), `removed` (paths) and `about` (what the record says besides).
    """
    with zipfile.ZipFile(archive_path) as archive:
        delta = json.loads(archive.read("delta.json").decode("utf-8"))
        identifier = delta["id"]
        remove(partial_path(identifier))
        sweep(os.path.dirname(archive_path))
        if os.path.isdir(release_path(identifier)):
            print(f"release {identifier} is there already")
            return
        base = read_record(delta["base"])["files"] if delta["base"] else {}
        files = {path: entry for path, entry in base.items() if path not in set(delta["removed"])}
        files.update(delta["changed"])
        if release_id(delta["environment"], files) != identifier:
            raise Failure(f"the files of release {delta['base']} here are not what this delta was made from")
        sent = set(archive.namelist())
        kept = {entry[0]: path for path, entry in base.items()}
        for path, (sha256, _size) in sorted(files.items()):
            target = os.path.join(partial_path(identifier), *path.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if "contents/" + sha256 in sent:
                with archive.open("contents/" + sha256) as source:
                    found = copy(source, target)
            else:
                try:
                    with open(os.path.join(release_path(delta["base"]), *kept[sha256].split("/")), "rb") as source:
                        found = copy(source, target)
                except FileNotFoundError:
                    found = ""
                if found != sha256:
                    # The next deploy then sends everything again.
                    os.remove(record_path(delta["base"]))
                    raise Failure(
                        f"{kept[sha256]} of release {delta['base']} has been changed on this server; deploy again"
                    )
            if found != sha256:
                raise Failure(f"{path} did not arrive whole: its SHA-256 is not the manifest's")
        record = {**delta["about"], "id": identifier, "environment": delta["environment"], "files": files}
        with open(record_path(identifier) + ".partial", "w", encoding="utf-8") as stream:
            json.dump(record, stream, sort_keys=True)
            to_disk(stream)
        print(f"put {len(files)} files together, {len(sent) - 1} of them sent")


def sweep(uploads: str) -> None:
    """Remove what deploys that did not get to their end have left, unless it is open: one deploy runs at a time, so nobody works on it."""
    for folder in ("releases", "venvs", uploads):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            # Somebody may bring an archive before it is his turn.
            forgotten = folder == uploads and os.path.getmtime(path) < time.time() - FORGOTTEN
            orphaned = folder == "releases" and name.endswith(".json") and not os.path.isdir(path[: -len(".json")])
            if name.endswith(".partial") or forgotten or orphaned:
                try:
                    remove(path, attempts=1) if os.path.isdir(path) else os.remove(path)
                except (Failure, OSError):
                    print(f"{path} is in use and stays")


def copy(source: Any, target: str) -> str:
    """Copy a stream into a file; returns the SHA-256."""
    digest = hashlib.sha256()
    with open(target, "wb") as sink:
        while block := source.read(1 << 20):
            digest.update(block)
            sink.write(block)
    return digest.hexdigest()


def make_environment(identifier: str, key: str, *arguments: str) -> None:
    """Make the virtual environment and install into it; pip runs in the release's folder."""
    final = os.path.join("venvs", key)
    if os.path.isdir(final):
        print(f"virtual environment {key} is there already")
        return
    partial = final + ".partial"
    remove(partial)
    run([sys.executable, "-m", "venv", *([] if arguments else ["--without-pip"]), partial])
    if arguments:
        pip = [
            os.path.abspath(os.path.join(partial, "Scripts", "python.exe")),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
        ]
        run([*pip, "install", "--no-warn-script-location", "--quiet", *arguments], cwd=files_path(identifier))
        list_packages(pip, os.path.join(partial, "packages.txt"))
    flush_folder(partial)
    rename(partial, final)


def list_packages(pip: Sequence[str], path: str) -> None:
    """Write which packages an environment holds, as lines `Django==5.2.8`."""
    command = [*pip, "list", "--format=freeze", "--exclude", "pip", "--exclude", "setuptools"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if result.returncode:
        print(result.stderr.decode("utf-8", "replace").rstrip(), file=sys.stderr)
        raise Failure("pip cannot list the packages that it has installed")
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        stream.write("".join(line + "\n" for line in lines))
    print("\n".join(lines))


def manage(identifier: str, key: str, *arguments: str) -> None:
    """Run manage.py of a release; without a secret key in the environment, with one that lives as long as this process."""
    variables = {
        "DJANGO_SECRET_KEY": hashlib.sha256(os.urandom(64)).hexdigest(),
        **os.environ,
        "DJANGO_SETTINGS_MODULE": SETTINGS_OVERLAY,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    prefix = f"{arguments[0]}: " if arguments[0] in REPORTED else ""
    # A project without django.contrib.staticfiles has nothing to collect, and no command for it.
    unless = "Unknown command: 'collectstatic'" if arguments[0] == "collectstatic" else ""
    run(
        [interpreter(key), "manage.py", *arguments],
        cwd=files_path(identifier),
        env=variables,
        prefix=prefix,
        unless=unless,
    )


def trial(identifier: str, wanted: str) -> None:
    """Start the release on a spare port and ask it whether it is healthy; one that has been complete for some time must still be what it was.

    `wanted` is JSON: `key`, `arguments` (with %HTTP_PLATFORM_PORT%), `environment`, `host`, `https` (it is asked as for a visitor over TLS), `path`,
    `status` (0: any below 500 but 400), `timeout` (seconds).
    """
    want = json.loads(wanted)
    if not os.path.isdir(partial_path(identifier)):
        check_files(identifier)
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    variables = {**os.environ, **want["environment"], "HTTP_PLATFORM_PORT": str(port)}
    arguments = [argument.replace("%HTTP_PLATFORM_PORT%", str(port)) for argument in want["arguments"]]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [interpreter(want["key"]), *arguments],
            cwd=files_path(identifier),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
        )
        try:
            problem = ask_until_healthy(process, port, want)
        finally:
            end_tree(process)
            process.wait()
        if problem:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").rstrip().splitlines()
            print("\n".join(lines[-TAIL:]), file=sys.stderr)
            raise Failure(f"release {identifier} {problem}; it was not made live")
    print(f"release {identifier} starts and is healthy")


def check_files(identifier: str) -> None:
    """Find what somebody has changed in a complete release: it is put aside then, and the next deploy brings it anew."""
    try:
        files = read_record(identifier)["files"]
    except (OSError, ValueError, KeyError):
        files, changed = {}, "the record"
    else:
        changed = ""
    for path, (sha256, _size) in sorted(files.items()):
        if digest_of(os.path.join(release_path(identifier), *path.split("/"))) != sha256:
            changed = path
            break
    if changed:
        rename(release_path(identifier), partial_path(identifier))
        if os.path.exists(record_path(identifier)):
            os.remove(record_path(identifier))
        raise Failure(f"{changed} of release {identifier} has been changed on this server; deploy again")


def digest_of(path: str) -> str:
    """The SHA-256 of a file; empty when it is not there."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process with everything it has started: some servers work in processes of their own, which would live on."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/PID", str(process.pid), "/T", "/F"], capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    # Windows refuses to end what is ending already.
    with contextlib.suppress(PermissionError):
        process.kill()


def ask_until_healthy(process: subprocess.Popen[bytes], port: int, want: Mapping[str, Any]) -> str:
    """Ask until the answer is the wanted one; returns what is wrong, or nothing."""
    deadline = time.monotonic() + want["timeout"]
    problem = f"does not listen on its port after {want['timeout']} seconds"
    headers = {"X-Release-Probe": "1", **({"X-Forwarded-Proto": "https"} if want.get("https") else {})}
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return f"ends with exit code {process.returncode} when it is started"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=max(1, deadline - time.monotonic()))
        try:
            connection.request("GET", want["path"], headers={"Host": want["host"] or f"localhost:{port}", **headers})
            status = connection.getresponse().status
        except OSError:
            time.sleep(PAUSE)
            continue
        except http.client.HTTPException as error:
            return f"answers something that is no HTTP: {error!r}"
        finally:
            connection.close()
        healthy = status == want["status"] if want["status"] else status < 500 and status != 400
        return "" if healthy else f"answers {status} to GET {want['path']}"
    return problem


def complete(archive_path: str) -> None:
    """Give the release its final name, and remove the archive."""
    with zipfile.ZipFile(archive_path) as archive:
        delta = json.loads(archive.read("delta.json").decode("utf-8"))
    identifier = delta["id"]
    if os.path.isdir(partial_path(identifier)):
        flush_folder(partial_path(identifier))
    add_line(os.path.join("releases", "index.txt"), f"{identifier} {delta['environment']}")
    record = record_path(identifier)
    if os.path.exists(record + ".partial"):
        rename(record + ".partial", record)
    if os.path.isdir(release_path(identifier)):
        remove(partial_path(identifier))
    else:
        rename(partial_path(identifier), release_path(identifier))
    # One that a virus scanner holds is swept away another day: the release is complete all the same.
    with contextlib.suppress(OSError):
        os.remove(archive_path)
    print(f"release {identifier} is complete")


def flush_folder(folder: str) -> None:
    """Write all files of a folder through to the disk."""
    with ThreadPoolExecutor(FLUSHES) as pool:
        for _ in pool.map(flush_file, files_below(folder)):
            pass


def files_below(folder: str) -> Iterator[str]:
    """The files in a folder and the folders in it."""
    for parent, _, names in os.walk(folder):
        yield from (path for path in (os.path.join(parent, name) for name in names) if not os.path.islink(path))


def flush_file(path: str) -> None:
    """Write a file through to the disk; Windows wants it open for writing for that."""
    mode = os.stat(path).st_mode
    if not mode & stat.S_IWRITE:
        os.chmod(path, mode | stat.S_IWRITE)
    with open_patiently(path) as stream:
        to_disk(stream)
    if not mode & stat.S_IWRITE:
        os.chmod(path, mode)


def open_patiently(path: str) -> Any:
    """Open a file for writing, also when a virus scanner holds it just now."""
    for attempt in range(RETRIES):
        try:
            return open(path, "rb+")
        except PermissionError:
            if attempt == RETRIES - 1:
                raise
            time.sleep(PAUSE)
    return None


def to_disk(stream: Any) -> None:
    """Have what was written to an open file on the disk."""
    stream.flush()
    os.fsync(stream.fileno())


def add_line(path: str, line: str) -> None:
    """Add a line to a list unless it is there, after half a line on one of its own."""
    with open(path, "a+", encoding="ascii", errors="replace") as stream:
        stream.seek(0)
        text = stream.read()
        if line not in text.splitlines() or not text.endswith("\n"):
            stream.write(("" if text.endswith("\n") or not text else "\n") + line + "\n")
        to_disk(stream)


def remove_unneeded(releases: str, environments: str, keep: str = "0") -> None:
    """Remove releases but those that were live last, and environments that no release uses; what is open stays for the next time.

    Args:
        releases: names with commas.
        environments: names with commas.
        keep: how many of the newest stay whatever `releases` says: a deploy may have ended since that was found.
    """
    recent = list(dict.fromkeys(reversed([name for _, name in read_pairs("history.txt")])))[: int(keep)]
    for name in filter(None, releases.split(",")):
        if name not in recent:
            remove_one(release_path(name), record_path(name), release_path(name) + ".bad")
    uses = dict(read_pairs(os.path.join("releases", "index.txt")))
    used = {uses.get(name) for name in (os.listdir("releases") if os.path.isdir("releases") else [])}
    for name in filter(None, environments.split(",")):
        if name not in used:
            remove_one(os.path.join("venvs", name))


def remove_one(folder: str, *files: str) -> None:
    """Remove a folder and what belongs to it, unless something in it is open."""
    try:
        # A folder is renamed whatever runs from it; what runs cannot be written to.
        with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, "Scripts", "python.exe"), "rb+"):
            pass
        if os.path.isdir(folder):
            os.rename(folder, folder + ".partial")
        remove(folder + ".partial")
        for file in files:
            if os.path.exists(file):
                os.remove(file)
    except (Failure, OSError):
        print(f"{folder} is in use and stays")
    else:
        print(f"removed {folder}")


def read_pairs(path: str) -> list[list[str]]:
    """The lines of a file that have two words, as words; none when it is not there. Half a line, left by a power cut, does not count."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii", errors="replace") as stream:
        return [line.split() for line in stream.read().splitlines() if len(line.split()) == 2]


def run(
    command: Sequence[str],
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    prefix: str = "",
    unless: str = "",
) -> None:
    """Run a program; what it prints goes where our own output goes, each line after `prefix`. It has failed unless it prints `unless`.

    Python reads and writes UTF-8 in it whatever the server's code page is: requirements, what pip builds, output.
    """
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**(env or os.environ), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = result.stdout.decode("utf-8", "replace").rstrip()
    if result.returncode and not (unless and unless in text):
        print(text, file=sys.stderr)
        line = " ".join([os.path.basename(command[0]), *command[1:]])
        raise Failure(f"{hide_credentials(line)} failed with exit code {result.returncode}")
    for line in text.splitlines():
        print(prefix + line)


def hide_credentials(line: str) -> str:
    """A command line without the user and password of its addresses."""
    return re.sub(r"://[^/@\s]+@", "://***@", line)


def rename(source: str, target: str) -> None:
    """Rename a folder, or a file over another one."""
    for attempt in range(RETRIES):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if attempt == RETRIES - 1:
                raise Failure(f"{source} cannot be renamed to {target}: a file in it is in use") from None
            time.sleep(PAUSE)


def remove(folder: str, attempts: int = RETRIES) -> None:
    """Remove a folder with everything in it, read-only files too."""

    def make_writable(function: Any, path: str, _error: object) -> None:
        os.chmod(path, stat.S_IWRITE)
        function(path)

    for attempt in range(attempts):
        if not os.path.lexists(folder):
            return
        try:
            shutil.rmtree(folder, onerror=make_writable)
        except OSError:
            # Also a folder that is not empty yet: a removed file stays in it while somebody has it open.
            if attempt == attempts - 1:
                raise Failure(f"{folder} cannot be removed: a file in it is in use") from None
            time.sleep(PAUSE)


def take_steps(steps: str) -> None:
    """Run several commands in one process.

    Args:
        steps: JSON, a list of lists: a command's name and its arguments.
    """
    for command, *arguments in json.loads(steps):
        COMMANDS[command](*arguments)
        sys.stdout.flush()


COMMANDS: dict[str, Any] = {
    "steps": take_steps,
    "receive": receive,
    "assemble": assemble,
    "environment": make_environment,
    "manage": manage,
    "trial": trial,
    "complete": complete,
    "remove": remove_unneeded,
    "sweep": sweep,
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    try:
        COMMANDS[arguments[0]](*arguments[1:])
    except Failure as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'the server'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
