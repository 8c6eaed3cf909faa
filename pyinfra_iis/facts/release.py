"""Facts about an application's releases."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Releases(ScriptFact):
    """The complete releases and virtual environments on the server.

    `releases` and `environments` (names), `bad` (releases that must not go live), `index` (lines `release environment`),
    `history` (lines `time release`, oldest first), `live` (the release that the site serves, or empty).
    Arguments: `root`, the application's folder; `site`, the site's name.
    """

    script = "release/state"


class Record(ScriptFact):
    """The record of one release: `record`, its JSON compressed with gzip in base64, or empty when there is none.

    Arguments: `root`, the application's folder; `id`, the release.
    """

    script = "release/record"


class Wheels(ScriptFact):
    """The wheels that lie on the server: `wheels` (name -> SHA-256).

    Arguments: `path`, their folder.
    """

    script = "release/wheels"
