"""Operations on IIS: sections, application pools, sites; all of one operation in one commit."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import Configuration, Health
from pyinfra_iis.operations import show_changes
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Binding, Certificate


@dataclass(frozen=True)
class AppPool:
    """An application pool.

    Attributes:
        name: its name.
        attributes: dotted name of IIS's schema -> value as IIS writes it (`{"processModel.idleTimeout": "00:00:00"}`).
        environment: environment variables of its processes; never shown.
        generate: variables that get a random value on the server when they have none.
    """

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    generate: Sequence[str] = ()


@dataclass(frozen=True)
class Site:
    """A site with its root application.

    Attributes:
        name: its name.
        path: the physical path of its root.
        pool: the application pool of its root.
        bindings: where it listens; others are taken away.
        certificate: the certificate of its https bindings.
    """

    name: str
    path: str
    pool: str
    bindings: Sequence[Binding]
    certificate: Certificate | None = None

    @property
    def request(self) -> dict[str, Any]:
        """The site in the terms of the scripts."""
        return {
            "name": self.name,
            "path": self.path,
            "pool": self.pool,
            "bindings": [
                {"protocol": binding.protocol, "information": binding.information} for binding in self.bindings
            ],
            "certificate": self.certificate.model_dump() if self.certificate else None,
        }


def configuration_request(
    sections: Sequence[str] = (), pools: Sequence[AppPool] = (), sites: Sequence[Site] = ()
) -> dict[str, Any]:
    """The arguments of the fact that the operations read."""
    return {
        "sections": list(sections),
        "pools": [{"name": pool.name, "attributes": sorted(pool.attributes)} for pool in pools],
        "certificate": next((site.request["certificate"] for site in sites if site.certificate), None),
    }


@operation()
def configuration(
    unlocked: Sequence[str] = (), pools: Sequence[AppPool] = (), sites: Sequence[Site] = ()
) -> Generator[PyinfraCommand, None, None]:
    """Bring IIS's configuration to what is wanted, in one commit; everything else in it stays.

    Args:
        unlocked: sections that web.config files may use (`system.webServer/handlers`).
        pools: application pools.
        sites: sites; they are started.
    """
    state = facts.read(host, Configuration, **configuration_request(unlocked, pools, sites))
    sections = [name for name in unlocked if state["sections"].get(name) != "Allow"]
    show_changes((f"section {name}", state["sections"].get(name), "Allow") for name in sections)
    secrets: dict[str, str] = {}
    request: dict[str, Any] = {"sections": sections, "pools": [], "sites": []}
    for pool in pools:
        request["pools"] += _pool_changes(pool, state["pools"].get(pool.name), secrets)
    for site in sites:
        request["sites"] += _site_changes(site, state)
    if any(request.values()):
        yield Script("iis/apply", request, secrets=secrets)


def _pool_changes(pool: AppPool, current: dict[str, Any] | None, secrets: dict[str, str]) -> list[dict[str, Any]]:
    attributes = current["attributes"] if current else {}
    environment = current["environment"] if current else {}
    changed = {name: value for name, value in pool.attributes.items() if attributes.get(name) != value}
    variables = [name for name, value in pool.environment.items() if environment.get(name) != _sum(value)]
    generated = [name for name in pool.generate if name not in environment]
    if current and current["state"] == "Started" and not (changed or variables or generated):
        return []
    what = f"app pool {pool.name}"
    if not current:
        show_changes([(what, None, "made")])
    elif current["state"] != "Started":
        show_changes([(f"{what} state", current["state"], "Started")])
    show_changes((f"{what} {name}", attributes.get(name), value) for name, value in changed.items())
    show_changes(
        (f"{what} environment {name}", "***" if name in environment else None, "***")
        for name in [*variables, *generated]
    )
    secrets.update({name: pool.environment[name] for name in variables})
    return [{"name": pool.name, "attributes": changed, "environment": variables, "generate": generated}]


def _site_changes(site: Site, state: dict[str, Any]) -> list[dict[str, Any]]:
    current = state["sites"].get(site.name)
    wanted = {
        f"{binding.protocol} {binding.information}": state["certificate"] if binding.protocol == "https" else ""
        for binding in site.bindings
    }
    found = (
        {f"{binding['protocol']} {binding['information']}": binding["certificate"] for binding in current["bindings"]}
        if current
        else {}
    )
    changes: list[tuple[str, object, object]] = []
    what = f"site {site.name}"
    if not current:
        changes.append((what, None, "made"))
    for name, old, new in (
        ("path", current and current["path"], site.path),
        ("pool", current and current["pool"], site.pool),
        ("state", current and current["state"], "Started"),
    ):
        if old != new:
            changes.append((f"{what} {name}", old, new))
    changes += [(f"{what} binding", binding, None) for binding in sorted(found.keys() - wanted.keys())]
    changes += [(f"{what} binding", None, binding) for binding in sorted(wanted.keys() - found.keys())]
    changes += [
        (f"{what} certificate of {binding}", found[binding] or None, wanted[binding] or "(not on the server)")
        for binding in sorted(found.keys() & wanted.keys())
        if found[binding] != wanted[binding]
    ]
    show_changes(changes)
    if not changes:
        return []
    return [site.request]


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class HealthCheck:
    """How to ask a site on its own server whether it works.

    Attributes:
        site: its name.
        address: the URL on the server (`http://localhost:8014/`).
        host: the Host header, or empty for the address's own.
        status: the status code that means healthy; 0 accepts every one below 500 except 400.
        timeout: seconds until it is given up.
        shared: the application's folder that outlives releases; a notice of maintenance there, and the log files of the site's process.
    """

    site: str
    address: str
    host: str = ""
    status: int = 0
    timeout: int = 120
    shared: str = ""

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of the fact."""
        return {
            **{"site": self.site, "address": self.address, "host": self.host},
            **{"timeout": min(self.timeout, 30), "shared": self.shared},
        }

    def accepts(self, status: int) -> bool:
        """Whether a status code means healthy."""
        return status == self.status if self.status else 100 <= status < 500 and status != 400


@operation()
def healthy(check: HealthCheck) -> Generator[PyinfraCommand, None, None]:
    """Wait until a site answers through its own binding; fail with the end of its log when it does not.

    Args:
        check: what to ask and for how long.
    """
    answer = facts.read(host, Health, **check.request)
    if check.accepts(answer["status"]):
        return
    show_changes([(f"site {check.site} answers", answer["status"] or answer["problem"], check.status or "healthy")])
    yield Script(
        "iis/await_health", {**check.request, "status": check.status, "timeout": check.timeout}
    )
