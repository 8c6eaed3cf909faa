"""How scripts are loaded, quoted and called."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from pyinfra_iis import powershell
from pyinfra_iis.powershell import Batch, Script, literal, source
from winlab.powershell.ast import ExpandableStringExpressionAst, StringConstantExpressionAst
from winlab.powershell.parser import parse

NAMES = sorted(
    str(path.relative_to(str(resources.files(powershell)))).removesuffix(".ps1")
    for folder in resources.files(powershell).iterdir()
    if folder.is_dir()
    for path in folder.iterdir()  # type: ignore[union-attr]
    if path.name.endswith(".ps1")
)


@pytest.mark.parametrize("value", ["it's", "‘’‚‛“”", "a\nb`$(x)", {"ä": [None, True, 1.5]}])
def test_a_literal_holds_any_value(value: object) -> None:
    text = literal(value)
    assert text.isascii()
    assert json.loads(text[1:-1].replace("''", "'")) == value


def test_a_script_is_shown_without_its_text_and_secrets() -> None:
    script = Script("iis/apply", {"pools": []}, {"program": "print()"}, {"DJANGO_SECRET_KEY": "hush"})
    assert str(script) == 'iis/apply {"pools": []}'
    assert "hush" not in script.get_raw_value() + repr(script) + repr(script.connector_arguments)
    assert "hush" in script.connector_arguments["_env"][powershell.SECRETS_VARIABLE].unmask()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_sent_is_the_script_without_comments_and_indentation(name: str) -> None:
    """A text over several lines would lose its spaces."""
    whole = resources.files(powershell).joinpath(f"{name}.ps1").read_text(encoding="utf-8")
    assert _texts(powershell._without_comments(name)) == _texts(whole)


def _texts(script: str) -> list[str]:
    tree, _, errors = parse(script)
    assert not errors
    strings = tree.find_all(
        lambda node: isinstance(node, StringConstantExpressionAst | ExpandableStringExpressionAst), True
    )
    return [node.extent.text for node in strings]


def test_a_script_brings_the_functions_that_it_uses() -> None:
    assert "function Invoke-Program" in source("python/run")
    assert "# uses" not in source("python/run")


def test_a_batch_names_its_scripts() -> None:
    assert (
        str(Batch([("windows/server", {}), ("python/state", {"path": "x"})]))
        == 'windows/server; python/state {"path": "x"}'
    )


@pytest.mark.parametrize("name", NAMES)
def test_scripts_are_ascii_so_that_no_code_page_matters(name: str) -> None:
    assert source(name).isascii()
