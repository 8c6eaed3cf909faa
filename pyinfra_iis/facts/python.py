"""Facts about Python on the server."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Distribution(ScriptFact):
    """Whether a folder holds a Python made from the distribution that is wanted: `present`; whether it holds any python.exe: `executable`.

    Arguments: `path`, `sha256`.
    """

    script = "python/state"
