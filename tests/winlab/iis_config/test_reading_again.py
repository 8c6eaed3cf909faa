"""Files are read once for many readers; what one of them changes is its own."""

from __future__ import annotations

from winlab.iis.xmltext import XmlDocument

TEXT = b"""<?xml version="1.0"?>
<a   one = 'x&amp;y'><!-- kept -->
    <b two="2"/><c>
        <d /></c>
</a>
<!-- end -->
"""


def test_the_same_bytes_give_trees_of_their_own() -> None:
    first, second = XmlDocument.parse(TEXT), XmlDocument.parse(TEXT)
    assert first.to_bytes() == second.to_bytes() == TEXT
    first.root.set("one", "changed")
    first.root.elements[0].set("three", "3")
    first.root.elements[1].remove(first.root.elements[1].elements[0])
    assert b'one = "changed"' in first.to_bytes()
    assert second.to_bytes() == XmlDocument.parse(TEXT).to_bytes() == TEXT
    assert second.root.get("one") == "x&y"


def test_elements_know_where_they_are() -> None:
    XmlDocument.parse(TEXT)
    root = XmlDocument.parse(TEXT).root
    inner = root.elements[1].elements[0]
    assert inner.line == 4
    assert inner.parent is root.elements[1] and inner.root() is root
    assert root.document is not None and root.document.unit == "    "
