"""The tree that keeps a file's text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winlab.iis.xmltext import XmlDocument, XmlElement, XmlError, escape, unescape

ODD = (
    b"<?xml version='1.0'?>\r\n<!-- head -->\r\n<configuration\r\n   a = 'x &amp; \"y\"'  b=\"1\" >\r\n\t<!-- in -->\r\n\r\n"
    b"\t<one  x='1'/><two></two >\r\n\t<three>text &lt; <![CDATA[<raw>]]></three>\r\n</configuration>\r\n<!-- end -->\r\n"
)


@pytest.mark.parametrize(
    "data",
    [
        ODD,
        b"\xef\xbb\xbf" + ODD,
        "<a ü='é'/>".encode(),
        b"\xff\xfe" + '<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16-le"),
    ],
)
def test_unchanged_text_is_written_byte_for_byte(data: bytes) -> None:
    assert XmlDocument.parse(data).to_bytes() == data


def test_recorded_files_round_trip(vectors: dict[str, Any]) -> None:
    for config in vectors["configs"].values():
        data = config["applicationHost.config"].encode()
        assert XmlDocument.parse(data).to_bytes() == data


def test_set_changes_only_the_value() -> None:
    document = XmlDocument.parse(ODD)
    document.root.set("a", "z")
    document.root.elements[0].set("y", "<&>")
    assert document.to_bytes() == ODD.replace(b"'x &amp; \"y\"'", b'"z"').replace(
        b"x='1'/>", b"x='1' y=\"&lt;&amp;&gt;\"/>"
    )


def test_new_elements_take_the_indentation_of_their_place() -> None:
    document = XmlDocument.parse(b"<a>\n  <b>\n    <c />\n  </b>\n  <d />\n</a>")
    new = XmlElement("e")
    new.append(XmlElement("f"))
    document.root.elements[1].append(new)
    document.root.elements[0].insert_before(XmlElement("x"), document.root.elements[0].elements[0])
    assert document.to_bytes() == (
        b"<a>\n  <b>\n    <x />\n    <c />\n  </b>\n  <d>\n    <e>\n      <f />\n    </e>\n  </d>\n</a>"
    )


def test_remove_takes_the_line_and_leaves_comments() -> None:
    document = XmlDocument.parse(b"<a>\n  <!-- note -->\n  <b />\n  <c />\n</a>")
    document.root.remove(document.root.elements[0])
    assert document.to_bytes() == b"<a>\n  <!-- note -->\n  <c />\n</a>"


def test_an_element_without_content_closes_itself() -> None:
    document = XmlDocument.parse(b"<a>\r\n    <b>\r\n        <c />\r\n    </b>\r\n</a>")
    b = document.root.elements[0]
    b.remove(b.elements[0])
    assert document.to_bytes() == b"<a>\r\n    <b />\r\n</a>"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<a>\n<b>\n</a>", 3),
        (b"<a x=1/>", 1),
        (b"<a>&nope;</a>", 1),
        (b"", 1),
        (b"<a/>\n<b/>", 2),
        (b'<a x="1"\n x="2"/>', 2),
        (b'<!DOCTYPE a [<!ENTITY e "x">]>\n<a/>', 1),
    ],
)
def test_what_is_not_xml_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(XmlError) as caught:
        XmlDocument.parse(data)
    assert caught.value.line == line


def test_values_survive_escaping() -> None:
    value = "a<b> & \"c\" 'd'\r\n\tü"
    assert unescape(escape(value)) == value


_names = st.sampled_from(["add", "site", "b-c", "x.y"])
_space = st.sampled_from(["", " ", "\n    ", "\r\n\t", "\n\n  "])
_values = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff<&'"), max_size=8
)


@st.composite
def _elements(draw: st.DrawFn, depth: int = 0) -> str:
    name, attributes = draw(_names), draw(st.dictionaries(_names, _values, max_size=3))
    start = f"<{name}" + "".join(
        f"{draw(_space) or ' '}{n}{draw(st.sampled_from(['=', ' = ']))}'{v}'" for n, v in attributes.items()
    )
    children = (
        draw(st.lists(st.one_of(_space, st.just("<!-- note -->"), _elements(depth + 1)), max_size=4))
        if depth < 3
        else []
    )
    return f"{start}{draw(_space)}/>" if not children else f"{start}>{''.join(children)}</{name}{draw(_space)}>"


@settings(deadline=None)
@given(_elements())
def test_any_layout_survives(text: str) -> None:
    document = XmlDocument.parse(text.encode())
    assert document.to_bytes() == text.encode()
    document.root.set("z", "new")
    assert document.to_bytes().replace(b' z="new"', b"", 1) == text.encode()


@settings(deadline=None)
@given(_elements(), st.data())
def test_what_is_added_and_removed_again_leaves_the_rest(text: str, data: st.DataObject) -> None:
    document = XmlDocument.parse(text.encode())
    before = [list(e.attributes()) for e in _all(document.root)]
    place = data.draw(st.sampled_from(_all(document.root)))
    new = XmlElement("new")
    place.append(new)
    again = XmlDocument.parse(document.to_bytes())
    assert sum(e.name == "new" for e in _all(again.root)) == 1
    place.remove(new)
    assert [list(e.attributes()) for e in _all(XmlDocument.parse(document.to_bytes()).root)] == before


def _all(element: XmlElement) -> list[XmlElement]:
    return [element, *(e for child in element.elements for e in _all(child))]
