"""The lab and the product meet only on the wire."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported(package: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {node.module or ""}
            else:
                continue
            found.setdefault(str(path.relative_to(ROOT)), set()).update(names)
    return found


@pytest.mark.parametrize(("package", "other"), [("winlab", "pyinfra_iis"), ("pyinfra_iis", "winlab")])
def test_neither_package_imports_the_other(package: str, other: str) -> None:
    modules = imported(package)
    assert len(modules) > 10
    assert [path for path, names in modules.items() if any(name.split(".")[0] == other for name in names)] == []


def test_the_lab_does_not_name_the_product() -> None:
    files = [path for path in (ROOT / "winlab").rglob("*") if path.suffix in {".py", ".ps1", ".json", ".xml", ".txt"}]
    assert len(files) > 10
    text = re.compile(r"pyinfra", re.IGNORECASE)
    assert [str(path) for path in files if text.search(path.read_text(encoding="utf-8", errors="replace"))] == []


def test_no_line_of_the_products_scripts_stands_in_the_lab() -> None:
    lines = {
        line.strip()
        for script in (ROOT / "pyinfra_iis").rglob("*.ps1")
        for line in script.read_text(encoding="utf-8").splitlines()
        if len(line.strip()) >= 60
    }
    assert len(lines) > 50
    lab = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in (ROOT / "winlab").rglob("*.py"))
    assert [line for line in lines if line in lab] == []


def test_imports_of_the_product_go_one_way() -> None:
    order = ["deploys", "operations", "facts", "powershell"]
    wrong = []
    for path, names in imported("pyinfra_iis").items():
        room = Path(path).parts[1]
        for name in names:
            parts = name.split(".")
            if parts[0] != "pyinfra_iis" or len(parts) < 2:
                continue
            if room in order and parts[1] in order and order.index(parts[1]) < order.index(room):
                wrong.append((path, name))
            if room == "connector" and parts[1] != "connector":
                wrong.append((path, name))
    assert wrong == []
