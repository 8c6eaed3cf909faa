"""Whatever is deployed, edited, cut off, pruned, rolled back and damaged in any order: a complete release is always one of the trees that were deployed.

The helper runs as it is, in a folder of its own. It dies before any operation on the disk that Python's audit events tell of, the file that it was
writing left half done; and the power goes, which takes away what was not written through to the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from pyinfra_iis.release import helper, origin
from pyinfra_iis.release.project import ProjectFile
from pyinfra_iis.release.release import Release
from pyinfra_iis.release.requirements import Requirements

Tree = dict[str, str]
NAMES = st.sampled_from(["a", "A.B", "b.py", "ä b", "x/a", "x/b.py", "x/y/a", "z/x/y/ä", "x.partial", "index.txt"])
CONTENTS = st.sampled_from(["", "one", "two", "three" * 100])
EDITS = st.dictionaries(NAMES, st.none() | CONTENTS, max_size=4)
"""What becomes of files: another content, or none."""
DIES = st.none() | st.tuples(st.integers(0, 60), st.booleans())
"""Before which operation on the disk the process dies, and whether the file that it wrote last is left half done."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Killed(BaseException):
    """The process has been ended."""


class Disk:
    """The folder's disk: counts what is done to it, ends the process, and knows what has been written through."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.left: int | None = None
        self.seen = 0
        self.last: tuple[str, int] | None = None
        self.through: dict[int, bytes] = {}

    def told(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python tells of everything that it is about to do."""
        if self.left is None or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        if event == "open":
            if not isinstance(arguments[2], int) or not arguments[2] & WRITING:
                return
        elif event not in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.chmod"):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if not path.startswith(self.root + os.sep):
            return
        self.seen += 1
        if self.seen > self.left:
            raise Killed
        if event == "open":
            self.last = (path, os.path.getsize(path) if os.path.exists(path) else 0)

    def fsync(self, descriptor: int) -> None:
        """Stands for `os.fsync`."""
        self.through[os.fstat(descriptor).st_ino] = Path(f"/proc/self/fd/{descriptor}").read_bytes()
        if self.last and self.last[0] == os.readlink(f"/proc/self/fd/{descriptor}"):
            self.last = None

    def is_lost(self, path: Path) -> bool:
        """Whether a file would be lost when the power went now."""
        return self.through.get(path.stat().st_ino) != path.read_bytes()

    def cut_power(self) -> None:
        """Take away what has not been written through: the file has its length, and nothing in it."""
        for path in Path(self.root).rglob("*"):
            if path.is_file() and self.is_lost(path):
                before = self.through.get(path.stat().st_ino, b"")
                size = path.stat().st_size
                path.write_bytes(before[:size] + b"\0" * (size - len(before)))

    def tear(self) -> None:
        """The file that was being written last has half of that."""
        if self.last and os.path.isfile(self.last[0]):
            path, before = self.last
            os.truncate(path, before + (max(os.path.getsize(path) - before, 0)) // 2)

    @contextlib.contextmanager
    def dying(self, dies: tuple[int, bool] | None) -> Iterator[Callable[[], bool]]:
        """Let the process die in this block; gives whether it has."""
        self.left, self.seen, self.last = dies[0] if dies else 1 << 30, 0, None
        died = False
        try:
            yield lambda: died
        except Killed:
            died = True
        finally:
            self.left = None
        if died and dies and dies[1]:
            self.tear()


_disks: list[Disk] = []
"""The one that is looked at, if any: an audit hook stays for good."""
sys.addaudithook(lambda event, arguments: _disks[-1].told(event, arguments) if _disks else None)


class Server(RuleBasedStateMachine):
    """An application's folder on a server, and what it may look like."""

    def __init__(self) -> None:
        super().__init__()
        self.before = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name).resolve()
        os.chdir(root)
        self.disk = Disk(root)
        _disks.append(self.disk)
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(origin, "describe", lambda _root: {})
        self.patch.setattr(os, "fsync", self.disk.fsync)
        self.tree: Tree = {"manage.py": "one"}
        self.key = "k0"
        self.deployed: dict[str, Tree] = {}
        self.keys: dict[str, str] = {}
        self.live = ""
        self.bad: set[str] = set()
        self.damaged: set[str] = set()
        Path("incoming").mkdir()
        self._write_history("")

    def teardown(self) -> None:
        """In the end a deploy completes, whatever was before."""
        try:
            self.tree = {**self.tree, "last": str(len(self.deployed))}
            if not self._deploy(1, None, 1000):
                assert self.damaged  # then all is sent
                assert self._deploy(0, None, 1000)
            self.complete_releases_are_whole()
            assert not [path for path in Path().glob("*/*.partial") if not path.name.startswith("x")]
        finally:
            _disks.remove(self.disk)
            self.patch.undo()
            os.chdir(self.before)
            self.folder.cleanup()

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(
        edits=EDITS, key=st.sampled_from(["k0", "k1", "k2"]), back=st.integers(0, 3), dies=DIES, keep=st.integers(1, 4)
    )
    def deploy(
        self, edits: dict[str, str | None], key: str, back: int, dies: tuple[int, bool] | None, keep: int
    ) -> None:
        """A deploy of the tree with some changes, made from a release that is there (0: from none); what is not needed any more goes."""
        folders = {parent for name in self.tree for parent in _parents(name)}
        for name, content in edits.items():
            if content is None:
                self.tree.pop(name, None)
            elif name not in folders and not any(parent in self.tree for parent in _parents(name)):
                self.tree[name] = content
        self.tree = self.tree or {"manage.py": "one"}
        self.key = key
        self._deploy(back, dies, keep)

    @rule(dies=DIES, keep=st.integers(0, 3))
    def prune(self, dies: tuple[int, bool] | None, keep: int) -> None:
        """Old releases and environments go."""
        with self.disk.dying(dies):
            helper.COMMANDS["remove"](*self._unneeded(keep))

    @rule()
    def go_back(self) -> None:
        """The good release before is live again; the one that was is bad."""
        order = [line.split()[1] for line in Path("history.txt").read_text().splitlines()]
        there = [name for name in reversed(order) if name not in {*self.bad, self.live} and name in self._complete()]
        if there:
            self.bad.add(self.live)
            self._go_live(there[0])

    @rule(which=st.integers(0, 20), how=st.sampled_from(["remove", "change", "add", "folder", "record"]))
    def damage(self, which: int, how: str) -> None:
        """Somebody works in a release that is not live."""
        old = [name for name in self._complete() if name != self.live]
        if not old:
            return
        name = old[which % len(old)]
        folder = Path("releases") / name
        self.damaged.add(name)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if how == "folder" or not files:
            shutil.rmtree(folder)
        elif how == "record":
            Path(f"{folder}.json").unlink(missing_ok=True)
        elif how == "add":
            (folder / "added").write_text("by hand")
        elif how == "change":
            files[which % len(files)].write_text("by hand")
        else:
            files[which % len(files)].unlink()

    @rule()
    def power_cut(self) -> None:
        """The power goes."""
        self.disk.cut_power()

    # -- what holds always --------------------------------------------------------------------------------------------

    @invariant()
    def complete_releases_are_whole(self) -> None:
        """And the live one is there, with its virtual environment."""
        self.damaged &= {path.name for path in Path("releases").glob("*")}
        assert not self.live or self.live in self._complete()
        index = dict(line.split() for line in self._lines(Path("releases/index.txt")))
        for name in self._complete():
            folder = Path("releases") / name
            assert index[name] == self.keys[name]
            assert (Path("venvs") / self.keys[name] / "python.exe").read_text() == "python"
            if name not in self.damaged:
                assert content(folder) == self.deployed[name]
                assert json.loads(Path(f"{folder}.json").read_text())["id"] == name
                kept = (*folder.rglob("*"), Path(f"{folder}.json"), Path("releases/index.txt"))
                assert not [path for path in kept if path.is_file() and self.disk.is_lost(path)]

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _deploy(self, back: int, dies: tuple[int, bool] | None, keep: int) -> bool:
        """Whether it came to its end; a release is live then, unless it is a bad one."""
        made = release(self.tree, self.key)
        self.deployed[made.id], self.keys[made.id] = dict(self.tree), self.key
        if made.id not in self._complete() or not (Path("venvs") / self.key).is_dir():
            made_from = [name for name in self._complete() if Path(f"releases/{name}.json").exists()]
            base = made_from[-back] if 0 < back <= len(made_from) else ""
            archive = f"incoming/{made.id}-{len(list(Path('incoming').iterdir()))}.zip"
            Path(archive).write_bytes(
                made.archive(json.loads(Path(f"releases/{base}.json").read_text()) if base else None)
            )
            with self.disk.dying(dies) as died:
                try:
                    helper.COMMANDS["assemble"](archive)
                    self._make_environment()
                    helper.COMMANDS["complete"](archive)
                    gone, environments, _ = self._unneeded(keep, made.id)
                    helper.COMMANDS["remove"](gone, environments, str(keep - 1))
                except helper.Failure as error:
                    # What is damaged is not made anything from again.
                    assert base in self.damaged, error
                    assert not Path(f"releases/{base}.json").exists()
                    return False
            if died():
                return False
            assert content(Path("releases") / made.id) == self.tree
        elif made.id != self.live:
            with self.disk.dying(dies) as died:
                try:
                    helper.check_files(made.id)
                except helper.Failure as error:
                    # What is damaged is brought anew.
                    assert made.id in self.damaged, error
                    assert made.id not in self._complete()
                    return False
            if died():
                return False
            assert self.tree.items() <= content(Path("releases") / made.id).items()
        if made.id not in self.bad:
            self._go_live(made.id)
        return True

    def _make_environment(self) -> None:
        """As the helper does it, with a file in the place of what takes long."""
        final = Path("venvs") / self.key
        if not final.is_dir():
            helper.remove(f"{final}.partial")
            os.makedirs(f"{final}.partial")
            Path(f"{final}.partial/python.exe").write_text("python")
            helper.flush_folder(f"{final}.partial")
            helper.rename(f"{final}.partial", str(final))

    def _unneeded(self, keep: int, coming: str = "") -> tuple[str, str, str]:
        """The arguments of `remove`, as a deploy finds them."""
        order = [line.split()[1] for line in reversed(self._lines(Path("history.txt")))]
        order = list(dict.fromkeys([*filter(None, [coming, self.live]), *order]))
        good = [name for name in order if name not in self.bad]
        kept = {*order[:keep], *good[:3], self.live}
        gone = [name for name in self._complete() if name not in kept and name in order]
        index = dict(line.split() for line in self._lines(Path("releases/index.txt")))
        used = {self.key, *[index.get(name) for name in self._complete() if name not in gone]}
        environments = [path.name for path in sorted(Path("venvs").glob("*")) if path.name not in used]
        return ",".join(gone), ",".join(environments), str(keep)

    def _go_live(self, name: str) -> None:
        self.live = name
        self._write_history(Path("history.txt").read_text() + f"now {name}\n")

    def _write_history(self, text: str) -> None:
        """What the server's PowerShell does."""
        with open("history.txt", "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())

    def _complete(self) -> list[str]:
        folders = (path for path in Path("releases").glob("r*") if path.is_dir() and not path.name.endswith(".partial"))
        return [path.name for path in sorted(folders, key=lambda path: list(self.deployed).index(path.name))]

    def _lines(self, path: Path) -> list[str]:
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return [line for line in lines if len(line.split()) == 2]


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def release(tree: Tree, key: str = "k") -> Any:
    made = Release(None, SimpleNamespace(root=Path()), Requirements((), key))  # type: ignore[arg-type]
    made.__dict__["files"] = {path: ProjectFile.rendered(path, text) for path, text in sorted(tree.items())}
    return made


def content(folder: Path) -> Tree:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_complete_release_is_one_that_was_deployed() -> None:
    run_state_machine_as_test(
        Server,
        settings=settings(
            max_examples=int(os.environ.get("HELPER_WALKS", "40")),
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("torn", [False, True], ids=["before it", "within the one before"])
def test_a_death_at_each_operation_on_the_disk(torn: bool) -> None:
    """One after the other, until there is none left; after each the power goes, and the next deploy completes."""
    edits: dict[str, str | None] = {"a": "one", "x/a": "two", "x/y/a": "", "b.py": "three" * 100}
    place, died = 0, True
    while died:
        server = Server()
        server.deploy({"a": "zero", "x/b.py": "two"}, "k0", 0, None, 1)
        server.deploy({"x/b.py": None}, "k1", 1, None, 1)
        server.deploy({"ä b": "two"}, "k1", 1, None, 1)
        server.deploy(edits, "k2", 1, (place, torn), 1)
        died = server.live != list(server.deployed)[-1]
        server.complete_releases_are_whole()
        server.power_cut()
        server.complete_releases_are_whole()
        server.teardown()
        place += 1
    assert place > 30
