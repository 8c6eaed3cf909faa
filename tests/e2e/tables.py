"""Tables that commands print, in the documentation: between comments that name them."""

from __future__ import annotations

from pathlib import Path

from tests.labkit import ROOT

PAGE = ROOT / "docs/django-versions.md"


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Put a text in the place of what stands between `<!-- NAME begins -->` and `<!-- NAME ends -->`."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} begins -->\n")
    _, end, after = rest.partition(f"<!-- {name} ends -->")
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for {name}")
    page.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")
