"""A page for each failure that the diagnosis knows: what is printed, which is what the rule says, why, how it is proven, the fix."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from pathlib import Path

import pytest

from docs import reference
from pyinfra_iis.diagnosis import examine
from pyinfra_iis.diagnosis.findings import Rule
from pyinfra_iis.diagnosis.rules import RULES

FAILURES = reference.FAILURES
PARTS = ["What you see", "Why", "How it is proven", "Fix", "To prevent it"]


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    pages = {path.stem for path in FAILURES.glob("*.md")} - {"index"}
    assert pages == {rule.name for rule in RULES}


def test_the_index_is_made_from_the_pages() -> None:
    text = (FAILURES / "index.md").read_text(encoding="utf-8")
    assert reference.between(text, reference.failures()) == text, "run: make reference"
    assert set(reference.GROUPS) == {rule.function.__module__.rpartition(".")[2] for rule in RULES}


def causes(rule: Rule) -> list[str]:
    """Patterns of the sentences that a rule prints: what is not written out in its code may be anything."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(rule.function)))
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Explanation"
    ]
    return [_pattern(call.args[0]).rstrip(".").removesuffix("\\") + r"\.?" for call in calls]


def _pattern(node: ast.expr) -> str:
    match node:
        case ast.Constant():
            return re.escape(str(node.value))
        case ast.JoinedStr():
            return "".join(_pattern(part) for part in node.values)
        case _:
            return ".*?"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_page_tells_what_is_printed_and_all_that_belongs_to_it(rule: Rule) -> None:
    text = (FAILURES / f"{rule.name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^\*\*([^*]+)\.\*\* \S", text, re.MULTILINE) == PARTS
    _, printed = reference.failure(rule.name)
    patterns = causes(rule)
    assert any(re.fullmatch(pattern, printed) for pattern in patterns), (printed, patterns)


RECORDED = sorted((Path(__file__).parent / "pyinfra_iis" / "diagnosis" / "recorded").glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_commands_of_a_fix_are_those_that_the_diagnosis_prints(path: Path) -> None:
    """With names of an example; on evidence that was recorded from a server."""
    told = examine(json.loads(path.read_text(encoding="utf-8")))
    for finding in (*told.causes, *told.notices):
        page = (FAILURES / f"{finding.rule}.md").read_text(encoding="utf-8").partition("**Fix.**")[2]
        found = re.findall(r"^(?!```)(\S.*)$", page, re.MULTILINE) + re.findall(r"`([^`\n]+)`", page)
        shown = {_shape(line) for line in found}
        assert {_shape(command) for command in finding.commands} <= shown, finding.rule


def _shape(command: str) -> str:
    """A command without the names in it."""
    return re.sub(r'"[^"]*"|<[^>]*>|\b\d+\b|(?<= install )\S+', "X", command)
