"""The ends of log files, read by the script that runs on a server."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from pyinfra_iis.powershell import literal, source
from winlab.scratch import run_powershell

FIELDS = "#Fields: date time cs-uri-stem sc-status time-taken"
MOVED = "#Fields: sc-status date time cs-uri-stem"


def read(steps: list[dict[str, Any]]) -> list[Any]:
    """What the script tells of one file at each step: `text` is appended (`new`: put in place of what was there), then it is read from where it was left."""
    body = """
    $At = 0
    $Known = $null
    foreach ($Step in $Request.steps) {
        if ($Step.new) { [IO.File]::WriteAllText('C:\\log', $Step.text) } else { [IO.File]::AppendAllText('C:\\log', $Step.text) }
        $Same = $true
        if ($null -ne $Known) { $Same = Test-Head 'C:\\log' $Known }
        if (-not $Same) { $At = 0 }
        $Options = @{ Lines = $Step.lines; Bytes = $Step.bytes; Whole = $Step.whole; Pattern = $Step.pattern }
        $Fields = ''
        if ($Same -and $null -ne $Known) { $Fields = $Known.fields }
        $Part = Read-Log 'log' 'C:\\log' $Options $At $Fields
        $Known = $Part.known
        $At = $Known.at
        ConvertTo-Json -Compress @{ text = $Part.file.text; cut = $Part.file.cut; at = $At; same = $Same }
    }
    """
    full = [{"lines": 0, "bytes": 1 << 20, "whole": False, "pattern": "", "new": False, **step} for step in steps]
    script = f"$ErrorActionPreference = 'Stop'\n{source('operate/read_log')}\n$Request = ConvertFrom-Json {literal({'steps': full})}\n{body}"
    out, err = io.BytesIO(), io.BytesIO()
    assert run_powershell(script, "2022", out, err) == 0, err.getvalue().decode()
    return [json.loads(line) for line in out.getvalue().decode().splitlines()]


def test_the_last_lines() -> None:
    text = "one\r\ntwo\r\nthree\r\n"
    told = read([{"text": text, "lines": 2, "new": True}, {"text": "", "lines": 2}, {"text": "four", "lines": 1}])
    assert [(part["text"], part["cut"]) for part in told] == [("two\r\nthree\r\n", True), ("", False), ("four", False)]


def test_a_beginning_that_was_cut_is_no_line() -> None:
    (told,) = read([{"text": "a long first line\nsecond\nthird\n", "bytes": 16, "new": True}])
    assert (told["text"], told["cut"]) == ("second\nthird\n", True)


def test_half_a_line_waits_for_its_end_and_a_character_is_never_cut() -> None:
    told = read(
        [
            {"text": "one\nzw", "whole": True, "new": True},
            {"text": "ölf ☃", "whole": True},
            {"text": "\nx", "whole": True},
        ]
    )
    assert [part["text"] for part in told] == ["one\n", "", "zwölf ☃\n"]


@pytest.mark.parametrize("new", ["other\n", "another file, longer than what was read of the first one\n"])
def test_a_new_file_of_the_same_name_is_read_from_its_beginning(new: str) -> None:
    told = read([{"text": "the first file\n", "new": True}, {"text": new, "new": True}])
    assert [(part["text"], part["same"]) for part in told] == [("the first file\n", True), (new, False)]


def test_only_requests_that_failed() -> None:
    first = f"#Software: x\n{FIELDS}\n2026-07-01 12:00:00 /a 200 5\n2026-07-01 12:00:01 /500 404 500\n2026-07-01 12:00:02 /b 502 500\n"
    second = f"{MOVED}\n500 2026-07-01 12:00:03 /c\n200 2026-07-01 12:00:04 /500\n"
    told = read(
        [
            {"text": first, "pattern": "[5-9]", "new": True},
            {"text": second, "pattern": "[4-9]"},
            {"text": "404 2026-07-01 12:00:05 /d", "pattern": "[4-9]"},
        ]
    )
    assert [part["text"].split("\n") for part in told] == [
        [FIELDS, "2026-07-01 12:00:02 /b 502 500"],
        [FIELDS, MOVED, "500 2026-07-01 12:00:03 /c"],
        [MOVED, "404 2026-07-01 12:00:05 /d"],
    ]


def test_the_last_requests_keep_the_names_of_their_fields() -> None:
    text = f"{FIELDS}\n2026-07-01 12:00:00 /a 500 5\n{MOVED}\n" + "".join(
        f"500 2026-07-01 12:00:0{number} /{number}\n" for number in range(5)
    )
    (told,) = read([{"text": text, "pattern": "[5-9]", "lines": 2, "new": True}])
    assert told["text"].split("\n") == [MOVED, "500 2026-07-01 12:00:03 /3", "500 2026-07-01 12:00:04 /4"]
    (told,) = read([{"text": text, "pattern": "*", "lines": 1, "new": True}])
    assert told["text"].split("\n") == [MOVED, "500 2026-07-01 12:00:04 /4"]
