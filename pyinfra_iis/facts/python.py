"""Facts about Python on the server."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Distribution(ScriptFact):
    """Whether a folder holds a Python made from the distribution that is wanted: `present`; whether it holds any python.exe: `executable`; whether it `exists`.

    `version` and `kind` of what this project put there, empty when it did not.

    Arguments: `path`, `sha256`.
    """

    script = "python/state"


class Environments(ScriptFact):
    """Which virtual environments use a Python: `environments` (folders).

    Arguments: `path`, its folder; `below`, folders that hold applications with a folder `venvs` each.
    """

    script = "python/environments"
