"""Facts about Python on the server."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Distribution(ScriptFact):
    """Whether a folder holds a Python made from the distribution that is wanted: `present`; whether it holds any python.exe: `executable`; whether it `exists`.

    `version` and `kind` of what this project put there, empty when it did not; then `found`, the version that a python.exe there tells, or why it tells
    none, or cannot make virtual environments (`problem`).

    Arguments: `path`, `sha256`.
    """

    script = "python/state"


class Environments(ScriptFact):
    """Which virtual environments use a Python: `environments` (folders).

    Arguments: `path`, its folder; `below`, folders that hold applications with a folder `venvs` each.
    """

    script = "python/environments"
