"""No complaint, no cause and no rule is without its case, or the reason why it has none."""

from __future__ import annotations

import re

import pytest

from pyinfra_iis.diagnosis.rules import RULES
from tests.e2e.diagnose_cases import CASES, DJANGO
from tests.labkit import ROOT
from tests.pyinfra_iis.diagnosis.complaints import CAUSES, COMPLAINTS, WITHOUT_A_CASE, Complaint

NOTES = ROOT.parent / "shared" / "reference" / "httpplatform.md"
KNOWN = {case.name for case in (*CASES, *DJANGO)}
TESTS = (ROOT / "tests" / "e2e" / "test_diagnose.py").read_text("utf-8")
_CODE = re.compile(r"(?<![\d.])[45]\d\d\.\d+(?!\.?\d)|0x[0-9a-f]{8}|-\d{10}")


def section(number: int) -> str:
    """A section of the notes."""
    if not NOTES.is_file():
        pytest.skip("the notes are not here")
    found = re.search(rf"^## {number}\. .*?\n(.*?)(?=^## )", NOTES.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("complaint", [*COMPLAINTS.values(), *CAUSES, *WITHOUT_A_CASE.values()])
def test_each_has_a_case_or_a_reason(complaint: Complaint) -> None:
    assert bool(complaint.reason) != bool(complaint.cases or complaint.tests)
    assert set(complaint.cases) <= KNOWN, set(complaint.cases) - KNOWN
    for test in complaint.tests:
        assert f"def {test}(" in TESTS


def test_case_names_are_unique() -> None:
    assert len(KNOWN) == len(CASES) + len(DJANGO)


def test_no_complaint_is_lost() -> None:
    lines = dict(re.findall(r"^(\d+)\. (.+)$", section(6), re.MULTILINE))
    assert {int(number) for number in lines} == set(COMPLAINTS)
    for number, complaint in COMPLAINTS.items():
        assert complaint.quote in lines[str(number)]


def test_no_cause_is_lost() -> None:
    text = section(3)
    for cause in CAUSES:
        assert cause.quote in text, cause.quote
    for line in (line.strip() for line in text.splitlines()):
        assert line in ("", "- Unlock:") or any(cause.quote in line for cause in CAUSES), line
    codes = set(_CODE.findall(text))
    assert len(codes) > 8
    assert codes == {code for cause in CAUSES for code in _CODE.findall(cause.quote)}


def test_no_rule_is_without_a_case() -> None:
    made = {case.rule for case in (*CASES, *DJANGO)}
    assert {rule.name for rule in RULES} == made | set(WITHOUT_A_CASE)
    assert not made & set(WITHOUT_A_CASE)
