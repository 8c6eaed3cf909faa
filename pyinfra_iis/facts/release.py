"""Facts about an application's releases."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Releases(ScriptFact):
    """The complete releases and virtual environments on the server: `releases`, `environments` (lists of names).

    Arguments: `root`, the application's folder.
    """

    script = "release/state"
