"""The examples of docs/operations.md about IIS, one after another on one server: each does what stands below it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_iis_operations import make_pfx
from tests.labkit import ROOT, Lab

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("iis-operations"), pytest.mark.timeout(900)]

BEGIN = """\
from pyinfra import host
from pyinfra_iis.operations import iis, windows
windows.features(name="IIS", server=["Web-Static-Content", "Web-Http-Errors", "Web-Http-Redirect", "Web-Filtering", "Web-Scripting-Tools"], client=[])
"""


def blocks(kind: str) -> list[str]:
    """The page's code blocks of a kind, in its part about IIS."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    part = re.search(r"^## IIS$(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert part is not None
    found = re.findall(r"^```(\w*)\n(.*?)^```$", part[1], re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == kind]


def plain(line: str) -> str:
    """Without what differs from one certificate to the next."""
    return re.sub(r"expires \d{4}-\d\d-\d\d", "expires ...", re.sub(r"\b[0-9A-F]{40}\b", "...", line))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "lab", f"127.{random.randint(50, 59)}.{random.randint(1, 250)}", 1)
    yield made
    made.down()


def test_the_examples_do_what_stands_below_them(lab: Lab, tmp_path: Path) -> None:
    make_pfx(tmp_path, "shop.example.com")
    code = "".join(blocks("python")).replace("certificates/shop.pfx", str(tmp_path / "shop.pfx"))
    deploy = tmp_path / "examples.py"
    deploy.write_text(BEGIN + code, encoding="utf-8")
    run = lab.pyinfra(options=("-y", "--diff"), deploy=str(deploy), pfx_password="hunter3")
    assert run.code == 0, run.output
    said = [plain(line) for line in re.findall(r"\]   ([+~-] (?!feature).*)", run.output)]
    promised = [plain(line) for text in blocks("") for line in text.splitlines() if line[:2] in ("+ ", "~ ", "- ")]
    assert said == promised
    assert "hunter" not in run.output and "horse" not in run.output and "staple" not in run.output
