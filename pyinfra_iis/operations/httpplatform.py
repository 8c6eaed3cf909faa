"""Operations on HttpPlatformHandler."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import HandlerUsers, HttpPlatformHandler
from pyinfra_iis.operations import refusal
from pyinfra_iis.operations.changes import Change, show
from pyinfra_iis.operations.windows import DOWNLOADS, stored_path
from pyinfra_iis.powershell import Script
from pyinfra_iis.settings import Handler


def installed_version(products: list[dict[str, str]]) -> str:
    """`1.2`, `2.0` or empty, from what Windows lists as installed.

    Microsoft's package calls itself 1.2 and has versions 1.2.*; the later one's versions start with 2, 8 or 10.
    """
    for product in products:
        return "1.2" if product["version"].startswith("1.") else "2.0"
    return ""


def needs_package(state: Mapping[str, Any], handler: Handler) -> bool:
    """Whether the server needs the msi, by what the fact says: another version is there, or none, or a damaged one."""
    return installed_version(state["products"]) != handler.version or bool(state["missing"])


@operation()
def installed(
    handler: Handler, site: str = "", present: bool = True, application: str = "/"
) -> Generator[PyinfraCommand, None, None]:
    """Install HttpPlatformHandler from its msi, which `windows.downloads` has brought; or take it off.

    Args:
        handler: which one.
        site: the site that it is for; others that use the handler are named when they get another version or lose it.
        present: False takes every version off.
        application: the path of the application in that site that it is for; another than the site's own leaves the site itself among the others.

    One server holds only one version. Another one fails the host, unless `handler.replace` is set: then the old one goes first. So does one of which a part is
    missing (module, configuration section, schema). What other sites use is taken off with `handler.replace` only.
    """
    state = facts.read(host, HttpPlatformHandler)
    found = installed_version(state["products"])
    if (found == handler.version and not state["missing"]) if present else not found:
        return
    to_another = bool(found) and (not present or found != handler.version)
    others = _other_sites(site, application) if to_another else []
    if (others or present) and to_another and not handler.replace:
        yield refusal(_unasked(found, handler.version if present else "", others))
        return
    wanted = handler.version if present else None
    changes = [Change(f"site {name} uses HttpPlatformHandler", found, wanted) for name in others]
    changes += [Change(product["name"], product["version"], None) for product in state["products"]]
    changes += [Change(f"HttpPlatformHandler {part}", "missing", "installed") for part in state["missing"] if present]
    if present:
        changes.append(Change("HttpPlatformHandler", None, handler.version))
    show(changes)
    for product in state["products"]:
        yield Script("windows/remove_msi", {"code": product["code"], "log": rf"{DOWNLOADS}\uninstall.log"})
    if present:
        path = stored_path(handler)
        yield Script("windows/install_msi", {"path": path, "log": path + ".log"})
        yield Script("httpplatform/check", {"version": handler.version})


def _other_sites(site: str, application: str) -> list[str]:
    """Sites and applications below them that use the handler, but for one."""
    names = []
    for user in facts.read(host, HandlerUsers)["users"]:
        is_own = user["site"].lower() == site.lower() and application in ("/", user["application"])
        if not is_own:
            name = user["site"] if user["application"] == "/" else user["site"] + user["application"]
            names.append(name if user["known"] else f"{name} (its web.config cannot be read)")
    return names


def _unasked(found: str, wanted: str, others: list[str]) -> str:
    users = f"; these use it too: {', '.join(others)}" if others else ""
    if not wanted:
        return f"HttpPlatformHandler {found} is not taken off {host.name}{users}. Set `replace` in the handler's settings if that is meant."
    return (
        f"{host.name} has HttpPlatformHandler {found}, but {wanted} is wanted; every site of that server would get the other version{users}. "
        "Set `replace` in the handler's settings if that is meant."
    )
