"""IIS's own site: it has the binding `*:80:` on every new server, and only shows a welcome page."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from ipaddress import ip_address
from typing import Any

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.neighbours import Neighbours
from pyinfra_iis.operations.iis import edits
from pyinfra_iis.operations.iis.applying import bring
from pyinfra_iis.settings import Binding

SITE = "Default Web Site"
"""The site that IIS itself brings."""
BINDING = "http/*:80:"
"""Where it listens."""


def neighbours_request(site: str, bindings: Sequence[Binding]) -> dict[str, Any]:
    """The arguments of the fact that tells who has the bindings."""
    texts = [_text(binding) for binding in bindings]
    ports = {(binding.ip.strip("[]"), binding.port): None for binding in bindings}
    return {
        "site": site,
        "bindings": texts,
        "addresses": any(binding.ip != "*" for binding in bindings),
        "ports": [{"address": address, "port": port} for address, port in ports],
    }


def _text(binding: Binding) -> str:
    return f"{binding.protocol}/{binding.information}".lower()


def is_wanted(site: str, bindings: Sequence[Binding]) -> bool:
    """Whether a site is to listen where IIS's own does."""
    return site.lower() != SITE.lower() and BINDING in map(_text, bindings)


def taken(site: str, bindings: Sequence[Binding]) -> str:
    """What has a binding of a site on the host in context, another site or a program that is not IIS, in a sentence without a full stop.

    Empty for nothing.

    IIS's untouched welcome page does not count: it makes room, see `stopped`.
    """
    answer = facts.read(host, Neighbours, **neighbours_request(site, bindings))
    for other in answer["sites"]:
        for text in other["bindings"]:
            if not (other["untouched"] and text == BINDING):
                return f"the binding {text.partition('/')[2]} is taken by the site {other['name']}"
    for program in answer["programs"]:
        return f"port {program['port']} is taken by the process {program['name']} ({program['id']})"
    return ""


def unknown_address(site: str, bindings: Sequence[Binding], asked: Binding) -> str:
    """The address of a binding that the server in context does not have, so that nobody reaches the site there; empty for none.

    Args:
        site: the site's name.
        bindings: all its bindings.
        asked: the one by which the site is asked whether it works: others may be for addresses that come later, as in a cluster.
    """
    answer = facts.read(host, Neighbours, **neighbours_request(site, bindings))
    if asked.ip == "*" or not answer["addresses"]:
        return ""
    wanted = ip_address(asked.ip.strip("[]"))
    own = [ip_address(text.partition("%")[0]) for text in answer["addresses"]]
    return "" if wanted.is_loopback or wanted.is_unspecified or wanted in own else asked.ip


@operation()
def stopped(site: str, bindings: Sequence[Binding]) -> Generator[PyinfraCommand, None, None]:
    """Stop IIS's own site, also after a restart, where it is as IIS made it and listens where another site is to listen.

    Args:
        site: the site that is to listen there.
        bindings: its bindings.
    """
    answer = facts.read(host, Neighbours, **neighbours_request(site, bindings))
    if not answer["installed"] or any(other["name"] == SITE and other["untouched"] for other in answer["sites"]):
        yield from bring(edits.site(SITE, running=False, serverAutoStart=False))
