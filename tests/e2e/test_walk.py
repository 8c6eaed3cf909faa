"""Random edits, deployed and rolled back in a random order, cut off at random: what visitors get is always one of the trees that were deployed.

`WALK=SEED:STEPS` takes another or a longer walk."""

from __future__ import annotations

import hashlib
import os
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.e2e.crash_matrix import APP, SCENARIOS, Case, Trial
from tests.labkit import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("releases")]

NAMES = ["a.txt", "b.py", "ä b.html", "deep/er/c.bin", "deep/d.txt", "static/app/e.css", "F.TXT"]
OWN = ("pyinfra_iis_", "web.config", "collected_static/")


@pytest.mark.timeout(0 if "WALK" in os.environ else 900)
def test_visitors_always_get_a_tree_that_was_deployed(lab: Lab, tmp_path: Path) -> None:
    seed, steps = map(int, os.environ.get("WALK", "1:5").split(":"))
    dice = random.Random(seed)
    trial = Trial(lab, lab.addresses[2], SCENARIOS["one file"], tmp_path)
    cases = trial.cases()
    known = [tree(trial.project)]
    for step in range(steps):
        act = dice.choice(["deploy", "deploy", "cut off", "cut off", "back"])
        if act == "back":
            code, output = trial.deploy("deploys/rollback.py")
            assert code == 0 or "holds no good release" in output, (seed, step, output)
        else:
            trial.change()
            edit(trial.project, dice)
            known.append(tree(trial.project))
            if act == "cut off":
                cut_off(trial, dice.choice(cases))
            code, output = trial.deploy() if act == "deploy" or dice.random() < 0.5 else (0, "")
            assert code == 0, (seed, step, output)
        assert trial.page(wait=True) in trial.deployed.values(), (seed, step)
        found = served(trial)
        assert found in known, (seed, step, act, [sorted(found.items() ^ one.items()) for one in known[-2:]])
        assert list(trial.damages()) == [], (seed, step, act)


def edit(project: Path, dice: random.Random) -> None:
    """Add, change and remove some files."""
    for name in dice.sample(NAMES, dice.randint(0, 4)):
        file = project / name
        if file.exists() and dice.random() < 0.5:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(dice.randbytes(dice.choice([0, 10, 5000])))


def cut_off(trial: Trial, case: Case) -> None:
    """A deploy with a mishap; the mishap may come too late."""
    trial.interrupted(case)


def tree(project: Path) -> dict[str, str]:
    """What a deploy brings: the SHA-256 of each file."""
    return {
        path.relative_to(project).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.rglob("*")
        if path.is_file()
    }


def served(trial: Trial) -> dict[str, str]:
    """The same of the folder that the site serves, without what the deploy makes itself."""
    config = ET.parse(trial.drive / "Windows/System32/inetsrv/config/applicationHost.config")
    path = config.find(f".//site[@name='{APP}']/application/virtualDirectory").get("physicalPath")  # type: ignore[union-attr]
    assert path is not None
    found = tree(trial.drive / path[3:].replace("\\", "/"))
    return {name: digest for name, digest in found.items() if not name.startswith(OWN)}
