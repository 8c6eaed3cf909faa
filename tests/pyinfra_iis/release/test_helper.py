"""The helper that runs on the server, run here by this machine's Python."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.operations.release import _program
from pyinfra_iis.release import helper, release
from pyinfra_iis.release.release import Release
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects

PROGRAM = resources.files("pyinfra_iis.release").joinpath("helper.py").read_text(encoding="utf-8")
ARCHIVE = "incoming/release.zip"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return projects.make(tmp_path / "project", **{"shop/templates/ä b.html": "<p>"})


def make(project: Path) -> Release:
    return release.make(build({"project": project}, DjangoSettings))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/incoming").mkdir(parents=True)
    return tmp_path / "root"


def send(root: Path, made: Release, base: dict[str, Any] | None = None) -> int:
    content = made.archive(base)
    (root / ARCHIVE).parent.mkdir(exist_ok=True)
    (root / ARCHIVE).write_bytes(content)
    return len(content)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "utf8", "-", *arguments]
    return subprocess.run(command, cwd=root, input=PROGRAM, capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def deploy(root: Path, made: Release, base: dict[str, Any] | None = None) -> int:
    size = send(root, made, base)
    for command in ("assemble", "complete"):
        result = run(root, command, ARCHIVE)
        assert result.returncode == 0, result.stderr
    assert files(root / "releases" / made.id) == {path: file.read() for path, file in made.files.items()}
    return size


def record(root: Path, made: Release) -> dict[str, Any]:
    return json.loads((root / "releases" / f"{made.id}.json").read_text())


def test_a_release_is_assembled_and_completed(root: Path, project: Path) -> None:
    made = make(project)
    send(root, made)
    assert run(root, "assemble", ARCHIVE).returncode == 0
    assert not (root / "releases" / made.id).exists()
    assert run(root, "complete", ARCHIVE).stdout == f"release {made.id} is complete\n"
    assert files(root / "releases" / made.id) == {path: file.read() for path, file in made.files.items()}
    assert record(root, made)["files"] == made.entries


def test_only_what_no_release_has_is_sent(root: Path, project: Path) -> None:
    (project / "shop/big.bin").write_bytes(bytes(range(256)) * 400)
    first = make(project)
    whole = deploy(root, first)
    (project / "shop/urls.py").write_text("urlpatterns = [] \n")
    (project / "shop/big.bin").rename(project / "shop/renamed.bin")
    (project / "shop/templates/ä b.html").unlink()
    second = make(project)
    assert deploy(root, second, record(root, first)) < whole / 2
    assert record(root, second)["files"] == second.entries


@pytest.mark.parametrize("by_hand", ["changed by hand", None])
def test_a_changed_base_is_found_and_not_used_again(root: Path, project: Path, by_hand: str | None) -> None:
    first = make(project)
    deploy(root, first)
    base = record(root, first)
    file = root / "releases" / first.id / "manage.py"
    file.unlink() if by_hand is None else file.write_text(by_hand)
    (project / "shop/urls.py").write_text("urlpatterns = [] \n")
    second = make(project)
    send(root, second, base)
    result = run(root, "assemble", ARCHIVE)
    assert result.stderr == f"manage.py of release {first.id} has been changed on this server; deploy again.\n"
    assert not (root / "releases" / f"{first.id}.json").exists()
    deploy(root, second)


def test_what_a_crash_left_is_done_again(root: Path, project: Path) -> None:
    made = make(project)
    stale = root / "releases" / f"{made.id}.partial" / "stale.txt"
    stale.parent.mkdir(parents=True)
    stale.touch()
    deploy(root, made)


def test_what_is_half_made_or_half_removed_is_swept_away(root: Path, project: Path) -> None:
    made = make(project)
    deploy(root, made)
    kept = sorted(path for path in root.rglob("*") if path.is_file())
    for name in ("releases/r0.partial/shop/x.py", "venvs/abc.partial/Lib/y.py", "releases/r1.json", "incoming/old.zip"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        path.chmod(0o444)
    os.utime(root / "incoming/old.zip", (0, 0))
    result = run(root, "sweep", "incoming")
    assert result.returncode == 0, result.stderr
    assert sorted(path for path in root.rglob("*") if path.is_file()) == kept
    assert not [*root.glob("*/*.partial")]


def test_a_file_that_is_not_the_manifests_stops_it(root: Path, project: Path, tmp_path: Path) -> None:
    made = make(project)
    send(root, made)
    name = f"contents/{made.files['shop/urls.py'].sha256}"
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(root / ARCHIVE) as source, zipfile.ZipFile(broken, "w") as target:
        for entry in source.namelist():
            target.writestr(entry, b"other" if entry == name else source.read(entry))
    broken.replace(root / ARCHIVE)
    result = run(root, "assemble", ARCHIVE)
    assert result.returncode == 1
    assert result.stderr == "shop/urls.py did not arrive whole: its SHA-256 is not the manifest's.\n"
    assert not (root / "releases" / made.id).exists()


def test_what_is_not_needed_goes(root: Path, project: Path) -> None:
    first = make(project)
    deploy(root, first)
    (project / "shop/urls.py").write_text("urlpatterns = [] \n")
    second = make(project)
    deploy(root, second)
    assert run(root, "remove", first.id, "").stdout == f"removed releases/{first.id}\n"
    assert sorted(path.name for path in (root / "releases").iterdir()) == sorted(
        [second.id, f"{second.id}.json", "index.txt"]
    )


def test_the_same_project_makes_the_same_release(project: Path) -> None:
    assert make(project).id == make(project).id


def test_one_changed_byte_makes_another_release(project: Path) -> None:
    before = make(project).id
    (project / "shop/urls.py").write_text("urlpatterns = [] \n")
    assert make(project).id != before


SERVER = """\
import http.server, sys, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ["ANSWER"]))
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.parametrize(
    ("program", "answer", "problem"),
    [
        (SERVER, "404", ""),
        (SERVER, "500", "answers 500 to GET /x; it was not made live.\n"),
        (
            "print('no module named shop'); raise SystemExit(3)",
            "",
            "ends with exit code 3 when it is started; it was not made live.\n",
        ),
        ("import time; time.sleep(60)", "", "does not listen on its port after 2 seconds; it was not made live.\n"),
    ],
)
def test_a_trial_start(root: Path, program: str, answer: str, problem: str) -> None:
    (root / "releases/r").mkdir(parents=True)
    (root / "releases/r/server.py").write_text(program)
    sha256 = hashlib.sha256(program.encode()).hexdigest()
    (root / "releases/r.json").write_text(json.dumps({"files": {"server.py": [sha256, len(program)]}}))
    (root / "venvs/k/Scripts").mkdir(parents=True)
    (root / "venvs/k/Scripts/python.exe").symlink_to(sys.executable)
    want = {"key": "k", "arguments": ["server.py", "%HTTP_PLATFORM_PORT%"], "environment": {"ANSWER": answer}}
    want |= {"host": "shop.example", "path": "/x", "status": 0, "timeout": 2}
    result = run(root, "trial", "r", json.dumps(want))
    assert (result.returncode == 0) is (problem == "")
    assert result.stderr.endswith(problem)
    if "module" in program:
        assert "no module named shop" in result.stderr


@pytest.mark.parametrize("file", ["shop/urls.py", "record"])
@pytest.mark.parametrize("by_hand", ["changed by hand", None])
def test_a_complete_release_that_somebody_has_changed_is_brought_anew(
    root: Path, project: Path, file: str, by_hand: str | None
) -> None:
    made = make(project)
    deploy(root, made)
    place = root / "releases" / (f"{made.id}.json" if file == "record" else f"{made.id}/{file}")
    place.unlink() if by_hand is None else place.write_text(by_hand)
    what = "the record" if file == "record" else file
    result = run(root, "trial", made.id, "{}")
    assert result.stderr == f"{what} of release {made.id} has been changed on this server; deploy again.\n"
    deploy(root, made)
    assert files(root / "releases" / made.id) == {path: file.read() for path, file in made.files.items()}
    assert [path.name for path in (root / "releases").iterdir() if path.name.endswith(".partial")] == []


def test_commands_go_with_the_part_of_the_helper_that_they_need(root: Path) -> None:
    whole = set(helper.COMMANDS)
    for command in sorted(whole - {"steps"}):
        program = _program(frozenset({"steps", command}))
        assert len(program) < len(PROGRAM) * 0.7
        names: dict[str, Any] = {"__name__": "part"}
        exec(compile(program, "part", "exec"), names)  # noqa: S102
        assert set(names["COMMANDS"]) == {"steps", command}
    program = _program(frozenset({"steps", "remove"}))
    (root / "releases/old").mkdir(parents=True)
    (root / "releases/recent").mkdir()
    (root / "history.txt").write_text("t old\nt recent\n")
    steps = json.dumps([["remove", "old,recent", "", "1"]])
    result = subprocess.run(
        [sys.executable, "-", "steps", steps], cwd=root, input=program, capture_output=True, text=True, check=True
    )
    # What went live last stays, whatever is asked for.
    assert result.stdout == "removed releases/old\n"
    assert (root / "releases/recent").is_dir()


FORKING = """\
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("child.txt", "w").write(str(child.pid))
time.sleep(60)
"""


def test_a_trial_leaves_no_process_behind(root: Path) -> None:
    (root / "releases/r").mkdir(parents=True)
    (root / "releases/r/server.py").write_text(FORKING)
    (root / "releases/r.json").write_text('{"files": {}}')
    (root / "venvs/k/Scripts").mkdir(parents=True)
    (root / "venvs/k/Scripts/python.exe").symlink_to(sys.executable)
    want = {
        "key": "k",
        "arguments": ["server.py"],
        "environment": {},
        "host": "",
        "path": "/",
        "status": 0,
        "timeout": 2,
    }
    assert run(root, "trial", "r", json.dumps(want)).returncode == 1
    child = Path("/proc", (root / "releases/r/child.txt").read_text())
    assert not child.exists() or "Z" in (child / "stat").read_text().rpartition(")")[2]


def test_half_a_line_does_not_count(root: Path, project: Path) -> None:
    made = make(project)
    (root / "releases").mkdir()
    index = root / "releases/index.txt"
    index.write_text("rold kold\nrhalf")
    deploy(root, made)
    assert index.read_text().splitlines() == ["rold kold", "rhalf", f"{made.id} {made.requirements.key}"]
    (root / "releases/rold").mkdir()
    (root / "venvs/kold").mkdir(parents=True)
    (root / "history.txt").write_text("t rold\nt")
    assert "removed" not in run(root, "remove", "rold", "kold", "1").stdout
    assert run(root, "remove", "rold", "kold", "0").stdout == "removed releases/rold\nremoved venvs/kold\n"


def test_files_that_nobody_may_write_to_are_written_through(tmp_path: Path) -> None:
    file = tmp_path / "a/b"
    file.parent.mkdir()
    file.touch()
    file.chmod(0o444)
    helper.flush_folder(str(tmp_path))
    assert file.stat().st_mode & 0o777 == 0o444


def test_an_application_without_packages_gets_an_environment_without_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    helper.make_environment("r1", "v1")
    assert (tmp_path / "venvs/v1/pyvenv.cfg").is_file()
    assert not list((tmp_path / "venvs/v1").glob("lib/*/site-packages/*"))


class Busy:
    """An operation on the disk that Windows refuses at first."""

    def __init__(self, operation: Callable[..., Any], error: OSError) -> None:
        self.operation = operation
        self.errors = [error, error]

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        if self.errors:
            raise self.errors.pop()
        return self.operation(*arguments, **more)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("shutil.rmtree", PermissionError(errno.EACCES, "The process cannot access the file")),
        # While a virus scanner has a removed file open, its name stays.
        ("shutil.rmtree", OSError(errno.ENOTEMPTY, "The directory is not empty")),
        ("shutil.rmtree", FileNotFoundError(errno.ENOENT, "The system cannot find the file specified")),
    ],
)
def test_a_folder_that_is_in_use_for_a_moment_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: OSError
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(helper, "PAUSE", 0)
    monkeypatch.setattr(name, Busy(shutil.rmtree, error))
    helper.remove(str(tmp_path / "folder"))
    assert not (tmp_path / "folder").exists()


def test_a_record_and_an_archive_that_a_virus_scanner_holds_do_not_fail_a_release(
    root: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(project)
    send(root, made)
    assert run(root, "assemble", ARCHIVE).returncode == 0
    monkeypatch.chdir(root)
    monkeypatch.setattr(helper, "PAUSE", 0)
    held = PermissionError(errno.EACCES, "The process cannot access the file")
    monkeypatch.setattr("os.replace", Busy(os.replace, held))
    monkeypatch.setattr("os.remove", Busy(os.remove, held))
    helper.complete(ARCHIVE)
    assert (root / "releases" / made.id).is_dir()
    assert record(root, made)["files"] == made.entries


def test_a_process_that_is_ending_when_it_is_ended_is_no_failure() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    # TerminateProcess: ERROR_ACCESS_DENIED for a process that is being terminated.
    process.kill = Busy(process.kill, PermissionError(errno.EACCES, "Access is denied"))  # type: ignore[method-assign]
    helper.end_tree(process)
    process.communicate()
    assert process.returncode


def test_programs_speak_utf_8(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    program = "import locale, sys; print(sys.flags.utf8_mode, locale.getpreferredencoding(False).lower())"
    for env in (None, {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}):
        helper.run([sys.executable, "-c", program], env=env)
        assert capsys.readouterr().out == "1 utf-8\n"


def test_an_environment_whose_python_runs_stays_whole(root: Path) -> None:
    """Windows renames a folder whatever runs from it, and removes all of it but the program that runs."""
    scripts = root / "venvs/k/Scripts"
    scripts.mkdir(parents=True)
    (root / "venvs/k/Lib").mkdir()
    shutil.copy(shutil.which("sleep") or "", scripts / "python.exe")
    process = subprocess.Popen([scripts / "python.exe", "60"])
    try:
        assert run(root, "remove", "", "k", "0").stdout == "venvs/k is in use and stays\n"
        assert (root / "venvs/k/Lib").is_dir()
    finally:
        process.kill()
        process.wait()
    assert run(root, "remove", "", "k", "0").stdout == "removed venvs/k\n"
