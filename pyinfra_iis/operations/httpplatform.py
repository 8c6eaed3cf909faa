"""Operations on HttpPlatformHandler."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import HttpPlatformHandler
from pyinfra_iis.operations import refusal, show_changes
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


@operation()
def installed(handler: Handler) -> Generator[PyinfraCommand, None, None]:
    """Install HttpPlatformHandler from its msi, which `windows.downloads` has brought.

    Args:
        handler: which one.

    A server with another version fails, unless that shall be replaced: one server holds only one.
    """
    products = facts.read(host, HttpPlatformHandler)["products"]
    found = installed_version(products)
    if found == handler.version:
        return
    if found and not handler.replace:
        yield refusal(
            f"{host.name} has HttpPlatformHandler {found}, but {handler.version} is wanted; every site of that server would get the other "
            "version, so say `replace` in django_handler if that is meant."
        )
        return
    for product in products:
        show_changes([(product["name"], product["version"], None)])
        yield Script("windows/remove_msi", {"code": product["code"], "log": rf"{DOWNLOADS}\uninstall.log"})
    path = stored_path(handler)
    show_changes([("HttpPlatformHandler", found or None, handler.version)])
    yield Script("windows/install_msi", {"path": path, "log": path + ".log"})
