"""Packages old -> new, before a new environment is made."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pyinfra_iis.release import packages
from pyinfra_iis.release.requirements import Requirements
from pyinfra_iis.release.wheels import Wheel

BEFORE = packages.listing(["Django==5.2.7", "asgiref==3.9", "uvicorn==0.40", "Old_Thing==1", "", "# nothing"])


def wheel(name: str, version: str) -> Wheel:
    return Wheel(Path(f"{name.replace('-', '_')}-{version}-py3-none-any.whl"), "0" * 64)


def test_what_pip_lists() -> None:
    assert BEFORE == {"django": "5.2.7", "asgiref": "3.9", "uvicorn": "0.40", "old-thing": "1"}


def test_wheels_tell_everything() -> None:
    sent = [wheel("django", "5.2.8"), wheel("asgiref", "3.9.0"), wheel("uvicorn", "0.40"), wheel("h11", "1.0")]
    assert packages.changes(BEFORE, Requirements((), ""), sent) == [
        ("django", "5.2.7", "5.2.8"),
        ("h11", None, "1.0"),
        ("old-thing", "1", None),
    ]


def test_so_does_a_lock_with_hashes() -> None:
    locked = Requirements((), "", packages={"django": "==5.2.8", "asgiref": "==3.9"}, with_hashes=True)
    assert packages.changes(BEFORE, locked) == [
        ("django", "5.2.7", "5.2.8"),
        ("old-thing", "1", None),
        ("uvicorn", "0.40", None),
    ]


def test_else_what_is_asked_for_and_not_there() -> None:
    asked = Requirements((), "", packages={"django": "==5.2.8", "asgiref": ">=3", "uvicorn": ">=0.41", "idna": ""})
    assert packages.changes(BEFORE, asked) == [
        ("django", "5.2.7", "5.2.8"),
        ("idna", None, "newest"),
        ("uvicorn", "0.40", ">=0.41"),
    ]


VERSIONS = st.dictionaries(st.sampled_from(["a", "b-c", "d"]), st.sampled_from(["1", "1.0", "2.0", "2.0.post1"]))


@given(VERSIONS, VERSIONS)
def test_the_changes_make_one_of_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    found = packages.changes(before, Requirements((), ""), [wheel(*item) for item in after.items()])
    made = dict(before)
    for name, old, new in found:
        assert made.pop(name, None) == old != new
        if new is not None:
            made[name] = new
    assert {name: made[name].removesuffix(".0") for name in made} == {
        name: after[name].removesuffix(".0") for name in after
    }
