"""Bindings that a new site wants and another one has."""

from __future__ import annotations

from typing import Any

import pytest

from pyinfra_iis.operations.iis import welcome
from pyinfra_iis.settings import Binding

PAGE = {"name": "Default Web Site", "bindings": ["http/*:80:"], "untouched": True}


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sites: list[dict[str, Any]] = []
    monkeypatch.setattr(welcome.facts, "read", lambda *_, **__: {"installed": True, "sites": sites, "programs": []})
    return sites


def taken(*bindings: str) -> str:
    return welcome.taken("shop", [Binding.parse(text) for text in bindings])


def test_a_binding_of_somebody_else_is_named(answer: list[dict[str, Any]]) -> None:
    assert taken("*:80:", "*:8014:") == ""
    answer += [PAGE, {"name": "wiki", "bindings": ["http/*:8014:"], "untouched": False}]
    assert taken("*:80:", "*:8014:") == "the binding *:8014: is taken by the site wiki"


def test_only_an_untouched_welcome_page_makes_room(answer: list[dict[str, Any]]) -> None:
    answer.append(PAGE)
    assert taken("*:80:") == ""
    answer[:] = [{**PAGE, "untouched": False}]
    assert taken("*:80:") == "the binding *:80: is taken by the site Default Web Site"


@pytest.mark.parametrize(
    ("site", "binding", "wanted"),
    [
        ("shop", "*:80:", True),
        ("shop", "*:80:www.example.com", False),
        ("shop", "10.0.0.5:80:", False),
        ("shop", "https://*:80:", False),
        ("Default Web Site", "*:80:", False),
    ],
)
def test_only_the_same_binding_is_in_the_way(site: str, binding: str, wanted: bool) -> None:
    assert welcome.is_wanted(site, [Binding.parse(binding)]) is wanted


def test_names_are_compared_without_case() -> None:
    request = welcome.neighbours_request("shop", [Binding.parse("https://*:443:WWW.example.com")])
    assert request == {
        "site": "shop",
        "bindings": ["https/*:443:www.example.com"],
        "addresses": False,
        "ports": [{"address": "*", "port": 443}],
    }


def test_a_port_is_asked_for_once_per_address() -> None:
    bindings = [Binding.parse(text) for text in ("*:80:a", "*:80:b", "[::1]:80:", "10.0.0.5:80:")]
    assert [port["address"] for port in welcome.neighbours_request("shop", bindings)["ports"]] == [
        "*",
        "::1",
        "10.0.0.5",
    ]


def test_a_program_that_has_the_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"installed": False, "sites": [], "programs": [{"port": 80, "name": "httpd", "id": 1234}]}
    monkeypatch.setattr(welcome.facts, "read", lambda *_, **__: answer)
    assert taken("*:80:") == "port 80 is taken by the process httpd (1234)"


@pytest.mark.parametrize(
    ("asked", "unknown"),
    [
        ("*:80:", ""),
        ("10.0.0.5:80:", ""),
        ("[FE80::1]:80:", ""),
        ("127.0.0.1:80:", ""),
        ("[::]:80:", ""),
        ("10.0.0.6:80:", "10.0.0.6"),
    ],
)
def test_the_site_is_asked_at_an_address_that_is_there(
    monkeypatch: pytest.MonkeyPatch, asked: str, unknown: str
) -> None:
    answer = {"installed": True, "sites": [], "addresses": ["10.0.0.5", "fe80::1"]}
    monkeypatch.setattr(welcome.facts, "read", lambda *_, **__: answer)
    binding = Binding.parse(asked)
    assert welcome.unknown_address("shop", [binding], binding) == unknown
