"""Tables and lists as Out-Default writes them."""

from __future__ import annotations

from typing import Any

from winlab.powershell.formatting import render
from winlab.powershell.objects import PSArray, PSCustomObject


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
