"""Facts for those who run a site: how it does just now, what its logs say."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Operation(ScriptFact):
    """How an application does just now.

    `time` (the server's, UTC), `installed` (IIS is), `pool` and `site` (their states, empty when they do not exist), `workers` (process ids of the
    pool), `processes` (of the application: `id`, `worker`, `image`, `started`, `seconds`), `interpreter` and `python` (path and version of the live
    release's Python), `gate` (the live release has the gate of `templates/gate.py.j2`), `certificates` (of https bindings: `binding`, `thumbprint`,
    `subject`, `expires`, `days`, `faults` (what visitors may be warned of)), `disk` (`drive`, `free` and `total` in bytes), `maintenance` (`since`,
    `retry_after`, `page` (SHA-256 of its text);
    or null), `draining`, `deploying` (`by`, `since`, `process`; or null), `problems` (sentences: what could not be told).
    Arguments: `root`, `site`, `application` (its path), `pool`.
    """

    script = "operate/status"


class Logs(ScriptFact):
    """The ends of an application's logs, or what has come since an earlier answer.

    `now` (the server's time, UTC), `files` (a list of `source`, `path`, `text`, `zone` (minutes from UTC of times without a zone), `created` (UTC),
    `cut` (older lines were left out)), `events` (of the Windows event log, oldest first: `log`, `source`, `id`, `level` (1 critical to 4
    information), `time`, `message`), `position` (for the next question), `site_id`, `ports`, `problems` (sentences).
    Arguments: `root`, `site`, `pool`, `lines` (at most so many of each file; 0: all), `seconds` (not older than this; 0: any age) or `since` (UTC, or
    empty), `bytes` (at most so many of each file), `status` (requests with this status code and above, in hundreds), `position` (of the answer
    before; null), `follow`.
    """

    script = "operate/logs"


class Removal(ScriptFact):
    """What belongs to an application on a server, and who else uses it.

    `path` (what its site serves, or empty), `applications` (paths of further ones in its site), `pool_users` (applications of other sites in its pool),
    `folders` and `files` (of the application, to be removed), `shared` (the folder that stays, or empty), `python` (`exists`, `made` (by a deploy),
    `users` (who else uses it)).
    Arguments: `root`, `site`, `pool`, `python` (its folder), `purge`.
    """

    script = "operate/removal"
