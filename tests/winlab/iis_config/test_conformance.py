"""The recorded edits of IIS configuration, run by the lab's own PowerShell."""

from __future__ import annotations

from typing import Any

import pytest

from winlab.iis.conformance import run_case, xml_difference

from .conftest import DATA

pytest.importorskip("winlab.powershell.conformance")


@pytest.mark.timeout(300)
def test_no_case_without_a_doubt_is_wrong(vectors: dict[str, Any]) -> None:
    from winlab.powershell.conformance import run_file

    doubtful = {case["name"] for case in vectors["cases"] if "doubt" in case}
    outcomes = run_file(DATA, jobs=2).outcomes
    assert len(outcomes) == len(vectors["cases"])
    other = [(o.name, o.verdict, o.detail) for o in outcomes if o.verdict != "same" and o.name not in doubtful]
    assert other == []


def test_a_wrong_result_is_seen(vectors: dict[str, Any]) -> None:
    case = next(c for c in vectors["cases"] if c["name"] == "uint")
    for change in (
        {"stdout": ["4001 [System.Int64]"]},
        {"error": {"type": "x", "message": "y"}},
        {"files_after": {"applicationHost.config": None}},
    ):
        assert run_case(case | change, vectors).status == "wrong"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('<a x="1" y="2"/>', "<a y='2'\n x='1'></a>", True),
        ("<a><b/><c/></a>", "<a>\n<c/>\n<b/></a>", True),
        ("<a><add n='1'/><add n='2'/></a>", "<a><add n='2'/><add n='1'/></a>", False),
        ("<a><clear/><add n='1'/></a>", "<a><add n='1'/><clear/></a>", False),
        ("<a><!-- x --></a>", "<a/>", False),
        ("<!-- x --><a/>", "<a/>", False),
        ("<a x='1'/>", "<a x='2'/>", False),
    ],
)
def test_files_are_compared_as_xml(one: str, other: str, same: bool) -> None:
    assert (xml_difference(one, other) == "") is same
