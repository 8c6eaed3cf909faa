"""Who may ask at all: TLS required, addresses, users (sections access, ipSecurity and authorization below security)."""

from __future__ import annotations

import ipaddress
from typing import Any

from winlab.iis.context import HttpError, RequestContext
from winlab.iis.model import Node

_SECURITY = "system.webServer/security/"


def check_transport(context: RequestContext) -> None:
    """403.4 for plain HTTP where sslFlags has Ssl."""
    flags = context.section(_SECURITY + "access").get("sslFlags", frozenset())
    if "Ssl" in flags and not context.exchange.connection.secure:
        raise HttpError(403, 4, 0, notification="BeginRequest")


def check_address(context: RequestContext) -> None:
    """403.6 (or what denyAction says) for an address that ipSecurity does not let in."""
    section = context.section(_SECURITY + "ipSecurity")
    address = ipaddress.ip_address(context.exchange.connection.client)
    allowed = bool(section.get("allowUnlisted", True))
    for item in section.items:
        if _in_network(item, address):
            allowed = bool(item.get("allowed", False))
            break
    if not allowed:
        status = {"Unauthorized": 401, "NotFound": 404}.get(section.get("denyAction", "Forbidden"), 403)
        raise HttpError(status, 6 if status == 403 else 0, 0, module="IpRestrictionModule", notification="BeginRequest")


def _in_network(item: Node, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    text = item.get("ipAddress", "")
    if not text:
        return False
    return address in ipaddress.ip_network(f"{text}/{item.get('subnetMask', '255.255.255.255')}", strict=False)


def check_user(context: RequestContext, accounts: Any) -> None:
    """401.2 for a user that the authorization rules do not let in: those that deny count first, then those that allow."""
    rules = context.section(_SECURITY + "authorization").items
    fitting = [rule for rule in rules if _fits(rule, context, accounts)]
    if any(rule["accessType"] == "Deny" for rule in fitting) or not fitting:
        raise HttpError(401, 2, 0x80070005, module="UrlAuthorizationModule", notification="AuthorizeRequest")


def _fits(rule: Node, context: RequestContext, accounts: Any) -> bool:
    verbs = [v.strip().upper() for v in rule.get("verbs", "").split(",") if v.strip()]
    if verbs and context.method not in verbs:
        return False
    users = [u.strip().lower() for u in rule.get("users", "").split(",") if u.strip()]
    name = context.user_name.lower()
    if "*" in users or ("?" in users and not name) or (name and name in users):
        return True
    if not name:
        return False
    roles = {r.strip().lower() for r in rule.get("roles", "").split(",") if r.strip()}
    groups = {accounts.name_of(sid).lower() for sid in context.user.groups}
    return bool(roles & (groups | {g.rpartition("\\")[2] for g in groups}))
