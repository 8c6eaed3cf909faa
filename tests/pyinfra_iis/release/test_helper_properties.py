"""Whatever is deployed, edited and cut off in any order: a complete release is always one of the trees that were deployed."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import MonkeyPatch

from pyinfra_iis.release import helper, origin
from pyinfra_iis.release.project import ProjectFile
from pyinfra_iis.release.release import Release
from pyinfra_iis.release.requirements import Requirements

NAMES = st.sampled_from(["a", "b.py", "ä b", "x/a", "x/b.py", "x/y/a", "z/x/y/ä"])
TREES = st.dictionaries(NAMES, st.sampled_from(["", "one", "two", "three" * 100]), min_size=1)
# A tree, the base (how far back, among the complete ones; 0: all is sent), the calls of the file system after which the process dies (None: never).
DEPLOYS = st.tuples(TREES, st.integers(0, 3), st.none() | st.integers(0, 25))


class Killed(BaseException):
    """The process has been ended."""


def release(tree: dict[str, str]) -> Any:
    made = Release(None, SimpleNamespace(root=Path()), Requirements((), "k"))  # type: ignore[arg-type]
    made.__dict__["files"] = {path: ProjectFile.rendered(path, text) for path, text in sorted(tree.items())}
    return made


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


class Disk:
    """Which contents of files have been written through to the disk: the others are lost when the power goes."""

    def __init__(self) -> None:
        self.written: dict[int, bytes] = {}

    def fsync(self, descriptor: int) -> None:
        self.written[os.fstat(descriptor).st_ino] = Path(f"/proc/self/fd/{descriptor}").read_bytes()

    def lost(self, path: Path) -> bool:
        return self.written.get(path.stat().st_ino) != path.read_bytes()


def run_until(calls: int | None, *commands: tuple[str, str]) -> bool:
    """Run commands of the helper; before the given call that changes a file or folder the process dies."""
    left = [calls]

    def counted(original: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
            return original(*arguments, **more)

        return call

    with MonkeyPatch.context() as patch:
        for name in ("rename", "replace", "remove", "makedirs", "rmdir", "unlink"):
            patch.setattr(helper.os, name, counted(getattr(os, name)))
        patch.setattr(helper, "copy", counted(helper.copy))
        try:
            for command, argument in commands:
                helper.COMMANDS[command](argument)
        except Killed:
            return False
    return True


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DEPLOYS, min_size=1, max_size=6))
def test_a_complete_release_is_one_that_was_deployed(deploys: list[tuple[dict[str, str], int, int | None]]) -> None:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, MonkeyPatch.context() as patch:
        patch.setattr(origin, "describe", lambda _root: {})
        disk = Disk()
        patch.setattr(os, "fsync", disk.fsync)
        os.chdir(folder)
        try:
            deployed: dict[str, dict[str, str]] = {}
            for tree, back, dies in deploys:
                made = release(tree)
                deployed[made.id] = tree
                finished = deploy(made, list(deployed), back, dies)
                check(deployed, disk)
                assert not finished or content(Path("releases") / made.id) == tree
            # The last one, at last without a mishap.
            assert deploy(made, list(deployed), 1, None)
            check(deployed, disk)
            assert content(Path("releases") / made.id) == tree
            assert not list(Path().rglob("*.partial"))
        finally:
            os.chdir(before)


def deploy(made: Any, known: list[str], back: int, dies: int | None) -> bool:
    complete = [name for name in known if (Path("releases") / name).is_dir() and Path(f"releases/{name}.json").exists()]
    base = json.loads(Path(f"releases/{complete[-back]}.json").read_text()) if 0 < back <= len(complete) else None
    Path("incoming").mkdir(exist_ok=True)
    archive = f"incoming/{made.id}.zip"
    Path(archive).write_bytes(made.archive(base))
    return run_until(dies, ("assemble", archive), ("complete", archive))


def check(deployed: dict[str, dict[str, str]], disk: Disk) -> None:
    for folder in Path("releases").glob("*"):
        if folder.is_dir() and not folder.name.endswith(".partial"):
            assert content(folder) == deployed[folder.name]
            assert f"{folder.name} k" in Path("releases/index.txt").read_text().splitlines()
            record, index = folder.with_suffix(".json"), Path("releases/index.txt")
            assert not [path for path in (*folder.rglob("*"), record, index) if path.is_file() and disk.lost(path)]
