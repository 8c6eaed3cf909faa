"""What the lab offers of Microsoft.Web.Administration is there in the real assembly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from winlab.iis import mwa
from winlab.powershell.dotnet.core import NetType, declared_types

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "mwa-api.txt"
# Constructors that the list, taken from a reimplementation, has on another class.
KNOWN = {("ServerManager", ".ctor")}
# Names that only the reimplementation has.
FOREIGN = {
    "Apply",
    "Match",
    "Element",
    "Flag",
    "Save",
    "Mode",
    "Status",
    "Title",
    "SupportsSni",
    "SupportsWildcard",
    "RawAttributes",
}


def _list() -> dict[str, tuple[list[str], set[str]]]:
    types: dict[str, tuple[list[str], set[str]]] = {}
    current = ""
    for line in REFERENCE.read_text("utf-8").splitlines():
        if line.startswith("T "):
            match = re.match(r"T (\w+) \w+(?: : (.*))?", line)
            assert match is not None
            current = match.group(1)
            bases = [re.sub(r"<.*", "", b).strip() for b in re.split(r",(?![^<]*>)", match.group(2) or "")]
            types[current] = (bases, set())
        elif line.startswith("  "):
            kind, rest = line.strip()[0], line.strip()[2:].removeprefix("static ")
            name = {"C": ".ctor", "I": "Item"}.get(kind) or re.split(r"[(\[ :]", rest)[0]
            types[current][1].add(name)
    return types


def _names(t: NetType) -> set[str]:
    names = {p.name for p in t._props.values()} | {p.name for p in t._static_props.values()}
    names |= {o.name for overloads in (*t._methods.values(), *t._static_methods.values()) for o in overloads}
    if t._indexers:
        names.add("Item")
    if t._ctors:
        names.add(".ctor")
    return names


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the list of members is not beside this repository")
def test_every_member_is_in_the_list() -> None:
    listed = _list()

    def known(name: str) -> set[str]:
        bases, members = listed.get(name, ([], set()))
        return members.union(*(known(b) for b in bases)) if bases else set(members)

    unknown = []
    ours = [t for t in declared_types() if t.full_name.startswith(mwa.MWA)]
    assert len(ours) > 40
    for t in ours:
        members = known(t.name)
        unknown += [(t.name, n) for n in sorted(_names(t)) if n not in members and (t.name, n) not in KNOWN]
        assert not _names(t) & FOREIGN
    assert unknown == []
