"""Arguments of a management command arrive as they were given."""

from __future__ import annotations

import base64
import io
import json
import random
import shlex
from subprocess import list2cmdline

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyinfra.api import DeployError

from pyinfra_iis.deploys.operate.manage import read_arguments
from pyinfra_iis.powershell import literal
from winlab.scratch import run_powershell
from winlab.windows.cmdline import split

# Anything that a JSON list can hold, and more often what quoting stumbles over.
TEXT = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    | st.sampled_from("\"\\ '%^&|<>!$`\t\n\u2019\u201d")
)
ARGUMENTS = st.lists(TEXT, max_size=6).map(lambda rest: ["command", *rest])


@given(ARGUMENTS)
@example(
    ["c", "", "a b", 'say "x"', "back\\", 'back\\"', "a\\ b\\", "%PATH%", "$env:x", "`", "größe ☃ 🎉", "'", "--x=a b"]
)
def test_a_list_arrives(arguments: list[str]) -> None:
    found = read_arguments(json.loads(json.dumps(arguments)))
    assert found == arguments
    # The program's C runtime splits what Windows hands it.
    assert split("python.exe manage.py " + list2cmdline(found))[2:] == arguments


@given(ARGUMENTS)
def test_a_text_is_split_as_a_shell_would(arguments: list[str]) -> None:
    assert read_arguments(shlex.join(arguments)) == arguments


def test_they_pass_through_powershell() -> None:
    chance = random.Random(8)
    alphabet = "\"\\ '%^&|<>!$`\t\n\r\u2018\u2019\u201c\u201d\u2028äЖ☃🎉{}()@#;,ab"
    wanted = ["".join(chance.choices(alphabet, k=chance.randrange(30))) for _ in range(300)]
    script = (
        f"$Request = ConvertFrom-Json {literal({'all': wanted})}\n"
        "foreach ($Item in $Request.all) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($Item)) }\n"
        f"[Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes('end'))\n"
    )
    out, err = io.BytesIO(), io.BytesIO()
    assert run_powershell(script, "2022", out, err) == 0, err.getvalue()
    lines = [base64.b64decode(line).decode() for line in out.getvalue().decode().splitlines()]
    assert lines[-1] == "end"
    assert lines[:-1] == wanted


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("check --deploy", ["check", "--deploy"]),
        ('createsuperuser --username "x y" --email ""', ["createsuperuser", "--username", "x y", "--email", ""]),
        (["sqlmigrate", "shop", 1], ["sqlmigrate", "shop", "1"]),
        (True, ["true"]),
        (7, ["7"]),
    ],
)
def test_what_a_command_line_of_pyinfra_makes_of_it(command: object, arguments: list[str]) -> None:
    assert read_arguments(command) == arguments


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (None, "Say which command"),
        ("", "Say which command"),
        ([], "Say which command"),
        ([""], "Say which command"),
        ('check "x', "cannot be split into arguments: No closing quotation"),
        (["check", None], "write each argument as a text"),
        ([["check"]], "write each argument as a text"),
        (["check", "a\x00b"], "null character"),
        (["check", "\ud800"], "half of a character"),
        (["check", "x" * 33000], "longer than a command line"),
    ],
)
def test_what_cannot_be_a_command_is_said(command: object, sentence: str) -> None:
    with pytest.raises(DeployError, match=sentence):
        read_arguments(command)
