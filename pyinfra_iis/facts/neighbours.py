"""What other sites of a server have that a site is to get."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Neighbours(ScriptFact):
    """Which other sites are started and have a binding that a site is to get.

    `installed` (whether IIS's management library is there), `sites`: a list of `name`, `bindings` (those, as `http/*:80:`), `untouched` (it is
    IIS's own welcome page, and nobody has put anything else there), `programs`: a list of `port`, `name`, `id` (processes which have its ports
    to themselves, so that IIS cannot listen there), `addresses` (IP addresses of the server, where they are asked for).
    Arguments: `site` (the one that gets them), `bindings`, `ports` (a list of `address`, `port`), `addresses` (whether they are asked for).
    """

    script = "iis/neighbours"
