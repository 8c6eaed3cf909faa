"""Facts for those who run a site: how it does just now, what its logs say."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Operation(ScriptFact):
    """How an application does just now.

    `time` (the server's, UTC), `installed` (IIS is), `pool` and `site` (their states, empty when they do not exist), `workers` (process ids of the pool),
    `processes` (of the application: `id`, `worker`, `image`, `started`, `seconds`), `interpreter` and `python` (path and version of the live release's
    Python), `certificates` (of https bindings: `binding`, `thumbprint`, `subject`, `expires`, `days`), `disk` (`drive`, `free` and `total` in bytes),
    `maintenance` (`since`, `retry_after`; or null), `draining`, `deploying` (`by`, `since`, `process`; or null), `problems` (sentences: what could not be told).
    Arguments: `root`, `site`, `pool`.
    """

    script = "operate/status"
