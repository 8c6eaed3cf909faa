"""Facts about IIS and HttpPlatformHandler."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Configuration(ScriptFact):
    """What IIS is configured to do: `installed`, `sections` (name -> effective override mode), `pools`, `sites`.

    A pool has `attributes` (dotted name -> text as IIS writes it), `environment` (name -> SHA-256 of the value) and
    `state`; a site has `id`, `path`, `pool`, `bindings` and `state`.
    Arguments: `sections` (names), `pools` (list of `name` and `attributes`).
    """

    script = "iis/state"


class HttpPlatformHandler(ScriptFact):
    """The HttpPlatformHandlers that Windows lists as installed: `products`, a list of `name`, `version`, `code`."""

    script = "httpplatform/state"


class Health(ScriptFact):
    """What a site answers through its own binding: `status` (0 when nothing), `problem`.

    Arguments: `site`, `address` (URL), `host` (Host header or empty), `timeout` (seconds).
    """

    script = "iis/health"
