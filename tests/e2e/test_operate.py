"""What people ask of running servers: every command of docs/operating.md, done on one server that is deployed and one that is bare."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests import docs
from tests.labkit import BIN, ROOT, Lab, Run, get

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("deploy")]

PAGE = ROOT / "docs" / "operating.md"

# What differs from run to run.
VARIABLE = {
    r"\br[0-9a-f]{15}\b": "RELEASE",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?": "TIME",
    r"\bpage [0-9a-f]{12}\b": "page SUM",
    r"\b\d+[dhms](?: \d+[hms])?\b": "SPAN",
    r"\bafter [\d.]+ s\b": "after N s",
    r"\b\d+ ms\b": "N ms",
    r"\d+\.\d+ GiB": "SIZE",
    r"'\d+'": "'NUMBER'",
    r"(?<=process) \d+ -> \d+": " A -> B",
    r"(?<=\s)\d{3,5}(?= in worker \d+)": "PROCESS",
    r"in worker \d+": "in worker W",
    r"\bSRV\d\b": "SRV",
    # The example has no page at its root, which is as good a sign of life.
    r"(?<=[ (])(?:200|404)(?= |\))": "STATUS",
}


@pytest.fixture(scope="module")
def served(lab: Lab) -> Iterator[tuple[Lab, str, str]]:
    """A server with the example deployed, and a bare one."""
    address, bare = lab.addresses[:2]
    run = lab.pyinfra(address)
    assert run.code == 0, run.output
    # Something for the logs.
    assert get(address, "/")[0] == 404
    yield lab, address, bare


def plain(text: str) -> str:
    """A line without what is different in each run, and without what the width of columns makes of it."""
    for pattern, word in VARIABLE.items():
        text = re.sub(pattern, word, text)
    return " ".join(re.sub(r"(?<=TIME )\d+(?= SPAN)", "PROCESS", " ".join(text.split())).split())


def steps() -> list[docs.Command]:
    found = [step for step in docs.steps(PAGE) if isinstance(step, docs.Command)]
    return [step for step in found if "| jq" not in step.line or shutil.which("jq")]


def test_the_page_does_what_it_says(served: tuple[Lab, str, str], tmp_path: Path) -> None:
    """The whole page in its order, which ends with the application removed."""
    lab, address, bare = served
    inventory = tmp_path / "inventory.py"
    inventory.write_text(
        f"import runpy\nlab = runpy.run_path({str(ROOT / 'inventories/lab.py')!r})['lab']\n"
        f"web = ([name for name in lab[0] if name.endswith(({address!r}, {bare!r}))], lab[1])\n"
        "del lab\n"
    )
    replaced = {
        "inventories/prod.py": str(inventory),
        "web1.example.com": address,
        "web2.example.com": bare,
    }
    environment = {**lab.environment, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "250"}
    (tmp_path / "deploys").symlink_to(ROOT / "deploys")
    before = lab.hash(bare)
    secret = ""
    done = 0
    for step in steps():
        line = step.line
        for old, new in replaced.items():
            line = line.replace(old, new)
        if variable := re.fullmatch(r"export (\w+)=\$\((.+)\)", line):
            secret = subprocess.run(
                ["bash", "-c", variable[2]], capture_output=True, text=True, check=True
            ).stdout.strip()
            environment[variable[1]] = secret
            continue
        run = shell(line, tmp_path, environment)
        assert run.code == 0, f"{line}\n{run.output}"
        printed = [plain(text) for text in run.output.splitlines()]
        position = 0
        for text in step.expected:
            for old, new in replaced.items():
                text = text.replace(old, new)
            wanted = plain(text)
            assert wanted in printed[position:], f"{line}\ndid not print: {wanted}\n" + "\n".join(printed)
            position += printed[position:].index(wanted) + 1
        assert not secret or secret not in run.output
        done += 1
        check(line, run, tmp_path, address)
    assert done > 20
    assert lab.hash(bare) == before


def shell(line: str, folder: Path, environment: Mapping[str, str]) -> Run:
    result = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return Run(result.returncode, result.stdout)


def check(line: str, run: Run, folder: Path, address: str) -> None:
    """What a command did, beyond what it printed."""
    if "dumpdata" in line:
        dumped = json.loads((folder / f"dump-{address}.json").read_text(encoding="utf-8"))
        assert "grace" in [item["fields"].get("username") for item in dumped]
    if "deploys/django_iis.py" in line:
        assert get(address, "/admin/login/")[0] == 503
