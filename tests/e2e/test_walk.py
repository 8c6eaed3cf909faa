"""Random edits, deployed, cut off, rolled back, pruned and damaged in any order: what visitors get is always one of the trees that were deployed.

`WALK=EXAMPLES:STEPS` takes other walks, each time new ones: so many applications, up to so many deploys and other acts with each.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.e2e.crash_matrix import Case
from tests.e2e.walk import NAMES, STAYING, UNFIT, Edit, Site, Tree, take_off
from tests.labkit import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("releases")]

EXAMPLES, STEPS = map(int, os.environ.get("WALK", "1:4").split(":"))
ACTS = ("write", "write", "write", "append", "remove", "rename", "case")
CONTENTS = st.one_of(st.just(b""), st.binary(max_size=40), st.binary(max_size=40), st.integers(1, 90_000))
EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 50), st.sampled_from([*NAMES, *STAYING]), CONTENTS), max_size=5
)
KEEP = st.sampled_from([1, 2, 3, 1000])
PLACES = st.integers(0, 10_000)
BACK = "deploys/rollback.py"
RUNNING = ("serve.py", "app.py", "pyinfra_iis_gate.py", "web.config")


class Walk(RuleBasedStateMachine):
    """One application, and what it may look like."""

    lab: ClassVar[Lab]
    folder: ClassVar[Path]
    cases: ClassVar[list[Case]] = []
    cases_of_back: ClassVar[list[Case]] = []
    number: ClassVar[int] = 0
    acts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.site = Site(self.lab, self.lab.addresses[2], self.folder, Walk.number)
        Walk.number += 1
        self.known: list[Tree] = []
        """Every tree that a deploy was asked to bring."""
        self.names: dict[str, Tree] = {}
        """The releases that were live and right, and the tree of each."""
        self.damaged: dict[str, Tree] = {}
        """Releases that somebody has changed by hand, and what they were before."""

    # -- acts ---------------------------------------------------------------------------------------------------------

    @initialize()
    def first(self) -> None:
        """The application is there."""
        self._deploy()

    @rule(edits=EDITS, keep=KEEP)
    def deploy(self, edits: list[Edit], keep: int) -> None:
        """A deploy without a mishap."""
        self._count("deploy")
        self.site.scenario.values["web_keep"] = keep
        self.site.edit(edits)
        self._deploy()

    @rule(edits=EDITS, keep=KEEP, place=PLACES)
    def deploy_cut_off(self, edits: list[Edit], keep: int, place: int) -> None:
        """A deploy with a mishap; the mishap may come too late."""
        self._count("deploy cut off")
        self.site.scenario.values["web_keep"] = keep
        self.site.edit(edits)
        self.known.append(self.site.wanted())
        case = self.cases[place % len(self.cases)]
        code, output = self.site.interrupted(case)
        self._count("of them met a mishap", self.site.met)
        print(f"{case.mishap} at {case.point}: exit code {code}")
        assert "Traceback" not in output, output
        if code == 0:
            self._is_live(self.known[-1])

    @rule(place=st.none() | PLACES)
    def go_back(self, place: int | None) -> None:
        """Back to the release before, perhaps with a mishap."""
        self._count("back" if place is None else "back cut off")
        before = self.site.live()
        if place is None:
            code, output = self.site.deploy(BACK)
        else:
            case = self.cases_of_back[place % len(self.cases_of_back)]
            code, output = self.site.interrupted_by(case, BACK)
            self._count("of them met a mishap", self.site.met)
            print(f"{case.mishap} at {case.point}: exit code {code}")
        assert "Traceback" not in output, output
        if code == 0:
            assert self.site.live() != before, output
            assert self.site.is_bad(before), output
        elif place is None:
            assert "holds no good release" in output or self.damaged, output

    @rule(name=st.sampled_from(UNFIT))
    def refused(self, name: str) -> None:
        """What Windows cannot hold is named, and nothing happens."""
        self._count("refused")
        before = (self.site.live(), self.site.releases())
        bad = self.site.put_unfit(name)
        code, output = self.site.deploy()
        shutil.rmtree(bad) if bad.is_dir() and not bad.is_symlink() else bad.unlink()
        assert code != 0 and "Traceback" not in output, output
        assert repr(name.rpartition("/")[2])[1:-1].replace("\\\\", "\\").lower() in output.lower(), output
        assert (self.site.live(), self.site.releases()) == before, output

    @rule(which=st.integers(0, 50), how=st.sampled_from(["remove", "change", "add", "folder"]))
    def spoil(self, which: int, how: str) -> None:
        """Somebody works in a release; in the live one only where it goes on serving."""
        self._count("damage")
        there = self.site.releases()
        if not there:
            return
        name = there[which % len(there)]
        is_live = name == self.site.live()
        folder = self.site.root / "releases" / name
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not (is_live and path.name in RUNNING))
        if how == "folder" or not files:
            if not is_live:
                shutil.rmtree(folder)
            return
        self.damaged.setdefault(name, self.site.on_disk(name))
        if how == "add":
            (folder / "added.txt").write_text("by hand\n")
        elif how == "change":
            files[which % len(files)].write_bytes(b"by hand\n")
        else:
            files[which % len(files)].unlink()

    # -- what holds always --------------------------------------------------------------------------------------------

    @invariant()
    def a_deployed_tree_is_served(self) -> None:
        """The live release on the disk and what answers are one of the trees that were deployed; of a damaged release, what was made of it."""
        if not self.known:
            return
        # One that is gone may be brought again, and is whole then.
        self.damaged = {
            name: tree for name, tree in self.damaged.items() if (self.site.root / "releases" / name).is_dir()
        }
        live = self.site.live()
        tree = self.site.on_disk(live)
        if live not in self.damaged:
            assert tree in self.known, self._nearest(tree)
            self.names.setdefault(live, tree)
            assert self.site.served() == tree
        for name in self.site.releases():
            if name not in self.damaged:
                found = self.site.on_disk(name)
                assert found in self.known, (name, self._nearest(found))
                assert self.names.get(name, found) == found, name

    def teardown(self) -> None:
        """In the end a deploy completes, whatever was before."""
        if self.known:
            self.site.change()
            self._deploy()
            self.a_deployed_tree_is_served()
            assert self.site.partials() == []
            take_off(self.site)

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _deploy(self) -> None:
        wanted = self.site.wanted()
        self.known.append(wanted)
        before = self.site.live()
        for _ in range(3):
            # What is damaged is found one after the other: the release itself, then what it would be made from.
            code, output = self.site.deploy()
            if not code or "has been changed on this server; deploy again" not in output:
                break
            assert self.damaged, output
        if code:
            names = [name for name, tree in {**self.names, **self.damaged}.items() if tree == wanted]
            assert "did not work on" in output and any(map(self.site.is_bad, names)), output
        elif self.site.live() not in self.damaged:
            self._is_live(wanted)
        elif self.site.live() != before:
            # Somebody has put something beside what was deployed.
            assert wanted.items() <= self.site.on_disk(self.site.live()).items()

    def _is_live(self, wanted: Tree) -> None:
        live = self.site.live()
        if live in self.damaged:
            return
        tree = self.site.on_disk(live)
        assert tree == wanted, sorted(tree.items() ^ wanted.items())
        assert self.site.served() == wanted

    def _nearest(self, tree: Tree) -> list[list[tuple[str, str]]]:
        return [sorted(tree.items() ^ other.items()) for other in self.known[-3:]]

    def _count(self, act: str, times: int = 1) -> None:
        Walk.acts[act] += times


@pytest.fixture(scope="module")
def ready(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is known where a deploy and a rollback can be cut off."""
    Walk.lab, Walk.folder = lab, tmp_path_factory.mktemp("walk")
    traced = Site(lab, lab.addresses[2], Walk.folder, 99)
    Walk.cases, Walk.cases_of_back = traced.cases(), traced.cases_of(BACK)
    take_off(traced)


@pytest.mark.usefixtures("ready")
@pytest.mark.timeout(900)
def test_each_act_once() -> None:
    """In an order in which each has something to do."""
    walk = Walk()
    acts: list[Callable[[], None]] = [
        walk.first,
        lambda: walk.deploy([("write", 0, name, name.encode()) for name in (*NAMES, *STAYING)], 2),
        lambda: walk.deploy_cut_off([("case", 3, "", b""), ("rename", 5, "new/name", b"")], 2, len(walk.cases) // 2),
        lambda: walk.deploy([("write", 0, "big.bin", 90_000), ("remove", 0, "", b"")], 2),
        lambda: walk.spoil(0, "change"),
        lambda: walk.go_back(None),
        lambda: walk.refused("aux.txt"),
        lambda: walk.spoil(1, "remove"),
        lambda: walk.go_back(len(walk.cases_of_back) // 2),
        lambda: walk.deploy([], 1),
    ]
    for act in acts:
        act()
        walk.a_deployed_tree_is_served()
    walk.teardown()


@pytest.mark.usefixtures("ready")
@pytest.mark.timeout(0 if "WALK" in os.environ else 900)
def test_visitors_always_get_a_tree_that_was_deployed() -> None:
    try:
        run_state_machine_as_test(
            Walk,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                derandomize="WALK" not in os.environ,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        print(
            f"{Walk.number} applications: {dict(Walk.acts)}; {len(Walk.cases)} and {len(Walk.cases_of_back)} mishaps to choose from"
        )
