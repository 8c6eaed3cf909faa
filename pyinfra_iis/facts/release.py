"""Facts about an application's releases."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Releases(ScriptFact):
    """The complete releases and virtual environments on the server.

    `releases` and `environments` (names), `partials` (names of those that are half made or half removed), `bad` (releases that must
    not go live), `index` (lines `release environment`),
    `history` (lines `time release`, oldest first), `live` (the release that the site serves, or empty), `folders` (names beside `releases`), `record` (of
    the live release, else of the last one that was, when `wanted` is not there: JSON compressed with gzip in base64; else empty), `packages` (of that
    one's virtual environment: lines `Django==5.2.8`).
    Arguments: `root`, the application's folder; `site`, the site's name; `application`, its path in it; `wanted`, a release, or empty.
    """

    script = "release/state"


class Records(ScriptFact):
    """What is known of the releases on the server besides their files: `records` (release -> `made` (UTC, ISO 8601), `by`, `commit`, `ref`, `size` (bytes)).

    A key that a record has not is not there. Arguments: `root`, the application's folder.
    """

    script = "release/records"


class Wheels(ScriptFact):
    """The wheels that lie on the server: `wheels` (name -> SHA-256).

    Arguments: `path`, their folder.
    """

    script = "release/wheels"


class MigrationPlan(ScriptFact):
    """The migrations that a prepared release would make: `plan` (pairs: `app.migration`, what its operations do), `problem` (why there is no plan, or empty).

    Arguments: `pool`, the app pool; `interpreter`, the Python of the release's virtual environment; `folder`, the release's; `variables`, of the site's
    process; `program`, the text of `release/migration_plan.py`.
    """

    script = "release/plan"
