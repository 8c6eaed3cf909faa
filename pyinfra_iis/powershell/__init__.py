"""The scripts that run on a server, one .ps1 per unit of work, and what loads, quotes and calls them.

A script finds its arguments in `$Request` (made from JSON) and returns one object, which is printed as one JSON document. Its comment
lines `# uses: name` name scripts of shared functions that are put before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pyinfra.api import HiddenValue, StringCommand

SECRETS_VARIABLE = "PYINFRA_IIS_SECRETS"
"""The environment variable that carries a script's secrets; a script's text may end up in Windows' script block log, its environment does not."""

_USES = re.compile(r"^# uses: (?P<name>\S+)\s*$", re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
_COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)

_PROLOGUE = """\
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
"""

_ONE = """\
try {{
    $Result = & {{
param($Request)
{body}
    }} (ConvertFrom-Json {request})
    if ($null -ne $Result) {{ ConvertTo-Json -InputObject $Result -Depth 10 -Compress }}
}} catch {{
    [Console]::Error.WriteLine($_.Exception.Message)
    exit 1
}}
"""

_EACH = """\
$Results += , (& {{
    try {{
        @{{ result = (& {{
param($Request)
{body}
        }} (ConvertFrom-Json {request})) }}
    }} catch {{
        @{{ error = $_.Exception.Message }}
    }}
}})
"""


class Script(StringCommand):
    """A call of one script: shown as its name and arguments, sent as PowerShell.

    Args:
        name: the script below this package, without `.ps1` (`iis/apply`).
        request: its arguments, in JSON's terms.
        hidden: further arguments that only make what is shown unreadable, such as a program's text.
        secrets: further arguments that are shown nowhere; the script gets them as `$Secrets`.
        safe_to_repeat: the script only looks; a connector that lost its answer may run it again.
        skipped: scripts of shared functions that are not sent, since with these arguments nothing calls them.
    """

    def __init__(
        self,
        name: str,
        request: Mapping[str, Any] | None = None,
        hidden: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        safe_to_repeat: bool = False,
        skipped: Iterable[str] = (),
    ) -> None:
        self.safe_to_repeat = safe_to_repeat
        self.name = name
        self.request = dict(request or {})
        arguments: dict[str, Any] = {}
        prologue = _PROLOGUE
        if secrets:
            arguments["_env"] = {SECRETS_VARIABLE: HiddenValue(json.dumps(dict(secrets)))}
            prologue += (
                f"$Secrets = ConvertFrom-Json ([Environment]::GetEnvironmentVariable('{SECRETS_VARIABLE}'))\n"
                f"[Environment]::SetEnvironmentVariable('{SECRETS_VARIABLE}', $null)\n"
            )
        self.text = prologue + _ONE.format(
            body=source(name, frozenset(skipped)), request=literal({**self.request, **(hidden or {})})
        )
        super().__init__(self.text, **arguments)

    def get_masked_value(self) -> str:
        """What people see: the script's name and its arguments."""
        return f"{self.name} {json.dumps(self.request)}" if self.request else self.name

    def get_raw_value(self) -> str:
        """What the server runs."""
        return self.text


class Batch(StringCommand):
    """Several scripts in one request; prints a JSON array with `{"result": ...}` or `{"error": sentence}` for each.

    Args:
        calls: script names with their arguments; all of them only look.
    """

    safe_to_repeat = True

    def __init__(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self.calls = list(calls)
        # What several scripts use stands there once.
        used = list(dict.fromkeys(part for name, _ in self.calls for part in _parts(name)[:-1]))
        functions = "".join(_without_comments(part) for part in used)
        bodies = "".join(
            _EACH.format(body=_without_comments(name), request=literal(request)) for name, request in self.calls
        )
        self.text = f"{_PROLOGUE}{functions}$Results = @()\n{bodies}ConvertTo-Json -InputObject ([object[]] $Results) -Depth 12 -Compress\n"
        super().__init__(self.text)

    def get_masked_value(self) -> str:
        """What people see: the scripts' names and their arguments."""
        return "; ".join(f"{name} {json.dumps(request)}" if request else name for name, request in self.calls)

    def get_raw_value(self) -> str:
        """What the server runs."""
        return self.text


def literal(value: Any) -> str:
    """A value as a single-quoted PowerShell string that holds its JSON.

    JSON is written in ASCII, so the typographic quotes that PowerShell takes for quotes too cannot appear in it.
    """
    return "'" + json.dumps(value).replace("'", "''") + "'"


@cache
def source(name: str, skipped: frozenset[str] = frozenset()) -> str:
    """A script's text with the functions that it uses, but for those of skipped scripts, without full-line comments.

    Raises:
        FileNotFoundError: no such script.
    """
    return "".join(_without_comments(part) for part in _parts(name, skipped))


def _without_comments(name: str) -> str:
    """As it is sent: each byte travels with every call."""
    return _INDENT.sub("", _COMMENT.sub("", _read(name)))


def _parts(name: str, skipped: frozenset[str] = frozenset()) -> list[str]:
    """The scripts that make up one, each once, used ones first."""
    found: list[str] = []
    for match in _USES.finditer(_read(name)):
        if match["name"] not in skipped:
            found += [part for part in _parts(match["name"], skipped) if part not in found]
    return [*found, name]


@cache
def _read(name: str) -> str:
    return resources.files(__name__).joinpath(f"{name}.ps1").read_text(encoding="utf-8")
