"""Passwords in pip's options are seen nowhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_iis.release import pip_options

SECRET = "https://me:hush-hush@index.example/simple"


@pytest.mark.parametrize(
    ("options", "plain", "variables"),
    [
        (["--index-url", SECRET, "--pre"], ["--pre"], {"PIP_INDEX_URL": SECRET}),
        ([f"--index-url={SECRET}"], [], {"PIP_INDEX_URL": SECRET}),
        (["-i", "https://index.example/simple"], ["-i", "https://index.example/simple"], {}),
        (
            ["--extra-index-url", SECRET, f"--extra-index-url={SECRET}2"],
            [],
            {"PIP_EXTRA_INDEX_URL": f"{SECRET} {SECRET}2"},
        ),
        (["--proxy=http://me:hush@proxy.example:8080"], [], {"PIP_PROXY": "http://me:hush@proxy.example:8080"}),
        (["--trusted-host", "a@b", "--index-url"], ["--trusted-host", "a@b", "--index-url"], {}),
    ],
)
def test_what_holds_a_password_becomes_a_variable(
    options: list[str], plain: list[str], variables: dict[str, str]
) -> None:
    assert pip_options.split(options) == (plain, variables)


def test_pip_takes_the_variables_for_the_options() -> None:
    _, variables = pip_options.split(
        ["--index-url", SECRET, "--extra-index-url", SECRET, "--extra-index-url", SECRET + "2"]
    )
    command = [sys.executable, "-m", "pip", "config", "list"]
    run = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    assert f":env:.index-url='{SECRET}'" in run.stdout
    assert f":env:.extra-index-url='{SECRET} {SECRET}2'" in run.stdout


NAMES = st.sampled_from(["--index-url", "-i", "--extra-index-url", "-f", "--find-links", "--proxy"])
VALUES = st.sampled_from([SECRET, "https://index.example/simple"])
FORMS = st.one_of(
    st.tuples(NAMES, VALUES).map(list),
    st.tuples(NAMES.filter(lambda name: name.startswith("--")), VALUES).map(lambda pair: ["=".join(pair)]),
    st.tuples(st.sampled_from(["-i", "-f"]), VALUES).map(lambda pair: ["".join(pair)]),
    st.sampled_from([["--pre"], ["--timeout", "5"], ["--trusted-host=index.example"], ["--no-index"]]),
)


@given(st.lists(FORMS).map(lambda forms: [part for form in forms for part in form]))
def test_no_password_is_left_and_nothing_is_lost(options: list[str]) -> None:
    plain, variables = pip_options.split(options)
    assert not any("hush" in option for option in plain)
    told = " ".join([*plain, *variables.values()])
    assert told.count("index.example/simple") == " ".join(options).count("index.example/simple")
    assert not any("hush" in option for option in pip_options.for_uv(options)[0])


@pytest.mark.parametrize(
    ("given", "of_files", "together"),
    [
        (["-i", "a", "--pre"], [], ["-i", "a", "--pre"]),
        (["-i", "a", "--extra-index-url=b"], ["--index-url", "c"], ["--extra-index-url", "b", "--index-url", "c"]),
        (["--no-index", "-f", "x"], ["-i", "c", "-f", "y"], ["-f", "x", "--index-url", "c", "-f", "y"]),
        (["--index-url=a"], ["-i", "b", "--index-url", "c", "--no-index"], ["--index-url", "c", "--no-index"]),
        (["--index-url=a"], ["--extra-index-url", "b"], ["--index-url", "a", "--extra-index-url", "b"]),
    ],
)
def test_options_of_files_come_to_those_that_are_set(
    given: list[str], of_files: list[str], together: list[str]
) -> None:
    assert pip_options.with_files(given, of_files) == together
