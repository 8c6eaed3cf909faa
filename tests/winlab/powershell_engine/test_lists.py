"""The lab's tables against the lists of what the real server has."""

from __future__ import annotations

from pathlib import Path

import pytest

from winlab.powershell import dotnet
from winlab.powershell.commands.core import declared_cmdlets, real_commands
from winlab.powershell.dotnet.core import declared_types, parse_parameters
from winlab.powershell.runtime import setup

# Explicit implementations of ICollection and IList: no public members of the class, but PowerShell calls them all the same.
EXPLICIT = {
    "System.Array": {"Add", "Insert", "Remove", "RemoveAt", "Contains", "IndexOf", "Clear"},
    "KeyCollection": {"CopyTo", "IsSynchronized", "SyncRoot"},
    "ValueCollection": {"CopyTo", "IsSynchronized", "SyncRoot"},
}
# Parameters that a provider adds while it is bound: real, but no part of the syntax that the list was made from.
DYNAMIC = {("Set-ItemProperty", "Type")}
REFERENCE = Path(__file__).parents[4] / "shared" / "reference"


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    dotnet.load()
    setup.load_commands()


OF_PROVIDERS = {"Set-ItemProperty": {"type"}}
"""Dynamic parameters, which are there where the path's provider has them."""


def test_cmdlets_take_only_parameters_of_the_real_ones() -> None:
    wrong = []
    for name, cls in declared_cmdlets().items():
        real = real_commands().get(name)
        if real is None:
            continue  # ServerManager, WebAdministration: not in the list
        known = {p.lower() for p in real.parameter_names} | OF_PROVIDERS.get(cls.command_name, set())
        wrong += [
            f"{cls.command_name} -{p.name}"
            for p in cls.metadata.parameters.values()
            if p.supported
            and not p.is_common
            and p.name.lower() not in known
            and (cls.command_name, p.name) not in DYNAMIC
        ]
    assert not wrong, "\n".join(wrong)


def test_cmdlets_that_the_list_lacks_belong_to_server_modules() -> None:
    wrong = [
        cls.command_name
        for name, cls in declared_cmdlets().items()
        if name not in real_commands()
        and cls.module_name not in ("ServerManager", "WebAdministration", "IISAdministration")
    ]
    assert not wrong, "\n".join(wrong)


def test_cmdlets_are_in_the_module_of_the_real_ones() -> None:
    wrong = [
        f"{cls.command_name}: {cls.module_name}, not {real_commands()[name].module}"
        for name, cls in declared_cmdlets().items()
        if name in real_commands() and real_commands()[name].module.lower() != cls.module_name.lower()
    ]
    assert not wrong, "\n".join(wrong)


def _lines(name: str) -> list[str]:
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"the reference list {name} is not here")
    return path.read_text(encoding="utf-8").splitlines()


def _explicit(member: str) -> bool:
    name = member.partition("(")[0].rpartition(".")
    return name[2] in EXPLICIT.get(name[0].rpartition("+")[2], ())


def test_dotnet_members_are_in_the_reference_list() -> None:
    """Every method and constructor that a declared type of the list offers stands there with the same parameters."""
    _lines("netfx-4.6.2-api.txt")
    wrong = []
    for t in declared_types():
        if t.api is None:
            continue
        members = t.api_members()
        for table in (t._methods, t._static_methods):
            for lower, overloads in table.items():
                real = {
                    tuple(parse_parameters(line[line.index("(") + 1 : line.rindex(") : ")]))
                    for base in t.bases()
                    for line in base.api_members().get(lower, ())
                    if line[0] == "M"
                }
                wrong += [f"{t.full_name}.{o.name}({','.join(o.params)})" for o in overloads if o.key not in real]
        ctors = {tuple(parse_parameters(line[line.index("(") + 1 : -1])) for line in members.get(".ctor", ())}
        wrong += [f"{t.full_name}({','.join(o.params)})" for o in t._ctors if o.key not in ctors and o.params]
        for lower, item in {**t._props, **t._static_props}.items():
            if not any(line[0] in "PF" for base in t.bases() for line in base.api_members().get(lower, ())):
                wrong.append(f"{t.full_name}.{item.name}")
    wrong = [w for w in wrong if not w.startswith("Microsoft.Web.Administration.") and not _explicit(w)]
    assert not wrong, "\n".join(wrong)
