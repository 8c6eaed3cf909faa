"""What a new virtual environment changes: packages with their versions, as far as they are known before it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pyinfra_iis.release.requirements import Requirements, pinned
from pyinfra_iis.release.wheels import Wheel


def listing(lines: Iterable[str]) -> dict[str, str]:
    """Versions by package.

    Args:
        lines: `Django==5.2.8`, as `pip list --format=freeze` prints them.
    """
    pairs = (line.strip().partition("==") for line in lines)
    return {str(canonicalize_name(name)): version for name, _, version in pairs if version}


def changes(
    before: Mapping[str, str], requirements: Requirements, wheels: Sequence[Wheel] | None = None
) -> list[tuple[str, str | None, str | None]]:
    """Each package that changes, with its version before and afterwards; None where it is not there.

    Afterwards is known for wheels that are sent and for locks with hashes, which name everything. Else the server's index decides: then only packages
    that the project asks for are told, as they are asked for (`>=5.2`, `newest`), when what is there does not fit.

    Args:
        before: versions by package, of the environment that is used now.
        requirements: what is asked for.
        wheels: what is sent; None where servers ask an index.
    """
    exact = {name: pinned(SpecifierSet(text)) for name, text in requirements.packages.items()}
    if wheels is not None:
        after: dict[str, str] = dict(wheel.package for wheel in wheels)
    elif requirements.with_hashes and all(exact.values()):
        after = exact
    else:
        return [
            (name, before.get(name), exact[name] or text or "newest")
            for name, text in sorted(requirements.packages.items())
            if not _fits(before.get(name), text)
        ]
    names = sorted(before.keys() | after.keys())
    return [(name, before.get(name), after.get(name)) for name in names if not _same(before.get(name), after.get(name))]


def _same(one: str | None, other: str | None) -> bool:
    try:
        return one == other or (one is not None and other is not None and Version(one) == Version(other))
    except InvalidVersion:
        return False


def _fits(version: str | None, text: str) -> bool:
    try:
        return version is not None and SpecifierSet(text).contains(version, prereleases=True)
    except InvalidVersion:
        return False
