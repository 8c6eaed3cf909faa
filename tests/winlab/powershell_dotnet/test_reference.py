"""Properties of the declared types against the reference list (methods and constructors: tests of the engine)."""

from __future__ import annotations

from pathlib import Path

import pytest

from winlab.powershell import dotnet
from winlab.powershell.dotnet.core import NetType, declared_types

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"

# Members that PowerShell reaches although .NET implements them explicitly (through ICollection and the like).
EXPLICIT = {"Count", "IsSynchronized", "SyncRoot", "IsReadOnly"}


def _offered(kind: NetType) -> set[str]:
    names = {f"static {item.name}" for item in kind._static_props.values()}
    return names | {item.name for item in kind._props.values()}


def _listed(kind: NetType) -> set[str]:
    names: set[str] = set()
    for own in kind.bases():
        entry = own.api
        for line in entry.lines if entry is not None else ():
            if line[0] in "PF":
                names.add(line[2:].partition(" : ")[0].partition("[")[0])
    return names


def test_properties_are_in_the_reference_list() -> None:
    if not (REFERENCE / "netfx-4.6.2-api.txt").exists():
        pytest.skip("the reference list is not here")
    dotnet.load()
    wrong = []
    for kind in declared_types():
        if kind.api is None or kind.cls is None or not kind.cls.__module__.startswith("winlab.powershell.dotnet"):
            continue
        listed = _listed(kind)
        wrong += [f"{kind.full_name}.{name}" for name in _offered(kind) if name not in listed and name not in EXPLICIT]
    assert not wrong, "\n".join(sorted(wrong))


def test_types_of_the_list_only() -> None:
    """Types that a script can name are in the list; those that .NET keeps internal carry names that it does not offer either."""
    dotnet.load()
    internal = {
        kind.full_name
        for kind in declared_types()
        if kind.cls is not None and kind.cls.__module__.startswith("winlab.powershell.dotnet") and kind.api is None
    }
    assert internal <= INTERNAL, "\n".join(sorted(internal - INTERNAL))


INTERNAL = {
    "System.Array+SZArrayEnumerator",
    "System.Collections.Hashtable+HashtableEnumerator",
    "System.Collections.Hashtable+KeyCollection",
    "System.Collections.Hashtable+ValueCollection",
    "System.Collections.Specialized.OrderedDictionary+OrderedDictionaryKeyValueCollection",
    "System.IO.Compression.WrappedStream",
    "System.IO.FileStream+Pipe",
    "System.IO.Stream+NullStream",
    "System.IO.TextWriter+SyncTextWriter",
    "System.IO.__ConsoleStream",
    "System.IO.__ConsoleStream+Captured",
    "System.Net.ConnectStream",
    "System.Net.Sockets.ConnectAsyncResult",
    "System.Text.SBCSCodePageEncoding",
    "System.Xml.XPath.XPathNodeList",
    "System.Xml.XmlWellFormedWriter",
}
