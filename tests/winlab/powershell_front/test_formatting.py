"""Tables and lists as Out-Default writes them."""

from __future__ import annotations

from typing import Any

from winlab.powershell import dotnet
from winlab.powershell.dotnet.core import get_type
from winlab.powershell.formatting import render
from winlab.powershell.objects import Hashtable, PSArray, PSCustomObject
from winlab.powershell.runtime.invoke import construct


class NoScript:
    """A runspace in which nothing is set."""

    def find_variable(self, name: str) -> None:
        return None


def lines(*values: Any) -> list[str]:
    return render(values, NoScript())  # type: ignore[arg-type]


def test_up_to_four_properties_are_a_table() -> None:
    assert lines(PSCustomObject.of({"Name": "x", "Value": 42}), PSCustomObject.of({"Name": "longer", "Value": 7})) == [
        "",
        "Name   Value",
        "----   -----",
        "x         42",
        "longer     7",
        "",
        "",
    ]


def test_more_are_a_list() -> None:
    found = lines(PSCustomObject.of({name: index for index, name in enumerate(("a", "bb", "c", "d", "e"))}))
    assert found == ["", "", "a  : 0", "bb : 1", "c  : 2", "d  : 3", "e  : 4", "", "", ""]


def test_columns_are_those_of_the_first_object() -> None:
    assert lines(PSCustomObject.of({"a": 1}), PSCustomObject.of({"b": 2}))[3:5] == ["1", " "]


def test_collections_show_four_elements() -> None:
    found = lines(PSCustomObject.of({"l": PSArray([1, 2, 3, 4, 5]), "e": PSArray()}))
    assert found[3] == "{1, 2, 3, 4...} {}"


def test_texts_stand_between_the_rows_of_a_table() -> None:
    assert lines(PSCustomObject.of({"a": 1}), "text", 5) == ["", "a", "-", "1", "text", "5", "", ""]


def test_long_values_are_wrapped_under_themselves() -> None:
    found = lines(PSCustomObject.of({"a": "word " * 20, "b": 1, "c": 1, "d": 1, "e": 1}))
    assert found[2] == "a : " + "word " * 15
    assert found[3] == "    " + "word " * 5


def test_enums_are_aligned_to_the_right() -> None:
    day = get_type("System.DayOfWeek").enum(1)
    assert lines(PSCustomObject.of({"a": day}))[1:4] == ["     a", "     -", "Monday"]


def test_headers_are_wrapped() -> None:
    found = lines(PSCustomObject.of({"a": "x" * 76, "bcd": "y"}))
    assert found[1] == "a" + " " * 76 + "bc"
    assert found[2] == " " * 77 + "d "
    assert found[3] == "-" + " " * 76 + "--"


def test_objects_of_other_types_are_lists_between_the_rows() -> None:
    dotnet.load()
    found = lines(Hashtable({"k": 1}), construct(get_type("System.Version"), ["1.2"]), Hashtable({"l": 2}))
    assert found[3].startswith("k ")
    assert found[4] == ""
    assert any(line.startswith("Major ") and line.endswith(": 1") for line in found[5:11])
    assert found[12].startswith("l ")
