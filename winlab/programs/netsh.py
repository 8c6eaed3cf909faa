"""netsh.exe: `http` (sslcert, urlacl) and `advfirewall firewall` rules as far as deployments use them."""

from __future__ import annotations

from winlab.windows.errors import WindowsError
from winlab.windows.firewall import Rule
from winlab.windows.httpapi import IIS_APP_ID, SslBinding
from winlab.windows.processes import ProgramContext

_RULER = "-" * 37 + "\n"


def main(ctx: ProgramContext) -> int:
    """netsh http add|delete|show|update sslcert|urlacl ..., netsh http flush logbuffer, netsh advfirewall firewall add|delete|set|show rule ..."""
    words = [argument.lower() for argument in ctx.argv[1:]]
    options = {
        name.lower(): value for name, equals, value in (argument.partition("=") for argument in ctx.argv[1:]) if equals
    }
    try:
        if words == ["http", "flush", "logbuffer"]:
            _require(ctx)
            return _flush(ctx)
        if words[:1] == ["http"] and len(words) >= 3 and words[2] in ("sslcert", "urlacl"):
            action = {"sslcert": _sslcert, "urlacl": _urlacl}[words[2]]
            if words[1] in ("add", "delete", "show", "update"):
                if words[1] != "show":
                    _require(ctx)
                return action(ctx, words[1], options, ctx.argv[4:])
        if (
            words[:2] == ["advfirewall", "firewall"]
            and len(words) >= 4
            and words[3] == "rule"
            and words[2] in ("add", "delete", "set", "show")
        ):
            if words[2] != "show":
                _require(ctx)
            if words[2] == "set":
                return _set_rule(ctx, options)
            return _rule(ctx, words[2], options)
    except WindowsError as exc:
        ctx.out(_failure(words, exc))
        return 1
    ctx.out(
        f"The following command was not found: {' '.join(ctx.argv[1:])}.\n"
        "This lab knows `http` with sslcert, urlacl and flush logbuffer, and `advfirewall firewall` rules.\n"
    )
    return 1


def _flush(ctx: ProgramContext) -> int:
    """HTTP.sys keeps log lines for a while; this writes them."""
    if ctx.machine.iis is not None:
        ctx.machine.iis.flush_logs()
    ctx.out("\nLog buffers have been flushed.\n\n")
    return 0


def _require(ctx: ProgramContext) -> None:
    if not ctx.user.elevated:
        raise WindowsError(5, "The requested operation requires elevation (Run as administrator).")


def _failure(words: list[str], exc: WindowsError) -> str:
    if exc.code == 5 or words[:1] != ["http"]:
        return f"\n{exc.message}\n\n"
    what = "SSL Certificate" if "sslcert" in words else "Url reservation" if "urlacl" in words else ""
    verb = {"add": "add", "delete": "deletion" if what.startswith("SSL") else "delete", "update": "update"}.get(
        words[1], words[1]
    )
    return f"\n{what} {verb} failed, Error: {exc.code}\n{exc.message}\n\n"


def _sslcert(ctx: ProgramContext, verb: str, options: dict[str, str], rest: list[str]) -> int:
    http = ctx.machine.http
    kind = next((name for name in ("ipport", "hostnameport", "ccs") if name in options), "")
    endpoint = options.get(kind, "")
    if verb == "show":
        found = [
            item
            for item in http.ssl_bindings
            if not kind or (item.kind == kind and item.endpoint.lower() == endpoint.lower())
        ]
        ctx.out("\nSSL Certificate bindings: \n" + "-" * 25 + "\n\n")
        if not found and kind:
            ctx.out("The system cannot find the file specified.\n\n")
            return 1
        for item in found:
            ctx.out(_shown(item))
        return 0
    if not kind:
        raise WindowsError(87)
    if verb == "delete":
        http.remove(kind, endpoint)
        ctx.out("\nSSL Certificate successfully deleted\n\n")
        return 0
    if not options.get("appid") or (kind != "ccs" and not options.get("certhash")):
        raise WindowsError(87)
    default = "MY"
    binding = SslBinding(
        kind,
        endpoint,
        options.get("certhash", ""),
        options.get("appid", IIS_APP_ID),
        options.get("certstorename", default),
    )
    http.add(binding, replace=verb == "update")
    ctx.out(
        "\nSSL Certificate successfully added\n\n" if verb == "add" else "\nSSL Certificate successfully updated\n\n"
    )
    return 0


def _shown(item: SslBinding) -> str:
    title = {"ipport": "IP:port", "hostnameport": "Hostname:port", "ccs": "Central Certificate Store"}[item.kind]
    fields = {
        title: item.endpoint,
        "Certificate Hash": item.thumbprint or "(null)",
        "Application ID": item.app_id,
        "Certificate Store Name": item.store,
        "Verify Client Certificate Revocation": "Enabled",
        "Verify Revocation Using Cached Client Certificate Only": "Disabled",
        "Usage Check": "Enabled",
        "Revocation Freshness Time": "0",
        "URL Retrieval Timeout": "0",
        "Ctl Identifier": "(null)",
        "Ctl Store Name": "(null)",
        "DS Mapper Usage": "Disabled",
        "Negotiate Client Certificate": "Enabled" if item.client_negotiation else "Disabled",
    }
    return "".join(f"    {name:<29}: {value}\n" for name, value in fields.items()) + "\n"


def _urlacl(ctx: ProgramContext, verb: str, options: dict[str, str], rest: list[str]) -> int:
    http = ctx.machine.http
    url = options.get("url") or (rest[0] if rest and "=" not in rest[0] else "")
    if verb == "show":
        ctx.out("\nURL Reservations: \n" + "-" * 17 + "\n\n")
        for known, sddl in http.urls.items():
            if not url or known.lower() == url.lower():
                ctx.out(f"    Reserved URL            : {known} \n        SDDL: {sddl} \n\n")
        return 0
    if verb == "delete":
        http.release(url)
        ctx.out("\nURL reservation successfully deleted\n\n")
        return 0
    if "user" in options:
        sddl = f"D:(A;;GX;;;{ctx.machine.accounts.sid_of(options['user'])})"
    elif "sddl" in options:
        sddl = options["sddl"]
    else:
        raise WindowsError(87)
    http.reserve(url, sddl)
    ctx.out("\nURL reservation successfully added\n\n")
    return 0


def _set_rule(ctx: ProgramContext, options: dict[str, str]) -> int:
    """`set rule name=... new property=value ...`."""
    words = [argument.lower() for argument in ctx.argv[1:]]
    if "new" not in words:
        raise WindowsError(
            87, "For 'set' commands, the 'new' keyword must be present and must not be the last argument provided."
        )
    firewall = ctx.machine.firewall
    if not firewall.is_running:
        return _no_service(ctx)
    split = ctx.argv[words.index("new") + 2 :]
    new = {name.lower(): value for name, equals, value in (argument.partition("=") for argument in split) if equals}
    chosen = {
        name.lower(): value for name, _, value in (item.partition("=") for item in ctx.argv[1 : words.index("new") + 1])
    }
    known = {"name", "dir", "action", "protocol", "localport", "remoteport", "localip", "remoteip", "profile", "enable"}
    if not new or (unknown := new.keys() - known - {"program", "service", "description"}):
        raise WindowsError(87, f"A specified value is not valid: {', '.join(sorted(unknown)) if new else 'new'}.")
    found = firewall.by_display_name(chosen.get("name", ""))
    if not found:
        ctx.out("\nNo rules match the specified criteria.\n\n")
        return 1
    lists = {
        "localport": "local_port",
        "remoteport": "remote_port",
        "localip": "local_address",
        "remoteip": "remote_address",
    }
    texts = {"program": "program", "service": "service", "description": "description", "name": "display_name"}
    for rule in found:
        for name, value in new.items():
            if name in lists:
                setattr(rule, lists[name], ["Any"] if value.lower() == "any" else value.split(","))
            elif name in texts:
                setattr(rule, texts[name], value)
            elif name == "enable":
                rule.enabled = value.lower() == "yes"
            elif name == "dir":
                rule.direction = "Inbound" if value.lower() == "in" else "Outbound"
            elif name == "action":
                rule.action = value.title()
            elif name == "protocol":
                rule.protocol = value.upper().replace("ANY", "Any")
            elif name == "profile":
                rule.profiles = [item.title() for item in value.split(",")]
    firewall.save()
    ctx.out(f"\nUpdated {len(found)} rule(s).\nOk.\n\n")
    return 0


def _no_service(ctx: ProgramContext) -> int:
    ctx.out(
        "\nAn error occurred while attempting to contact the  Windows Firewall service. Make sure that the service is running and try your "
        "request again.\n\n"
    )
    return 1


def _rule(ctx: ProgramContext, verb: str, options: dict[str, str]) -> int:
    firewall = ctx.machine.firewall
    if not firewall.is_running:
        return _no_service(ctx)
    name = options.get("name", "")
    if not name:
        raise WindowsError(87, "A specified value is not valid: name.")
    found = firewall.rules if name.lower() == "all" else firewall.by_display_name(name)
    if verb == "add":
        unknown = options.keys() - {
            "name",
            "dir",
            "action",
            "protocol",
            "localport",
            "remoteport",
            "profile",
            "enable",
            "program",
            "description",
            "remoteip",
            "localip",
        }
        if unknown or options.get("dir") not in ("in", "out") or options.get("action") not in ("allow", "block"):
            raise WindowsError(87, f"A specified value is not valid: {', '.join(sorted(unknown)) or 'dir, action'}.")
        firewall.add(
            Rule(
                "",
                name,
                "Inbound" if options["dir"] == "in" else "Outbound",
                options["action"].title(),
                options.get("enable", "yes") == "yes",
                options.get("protocol", "any").upper().replace("ANY", "Any"),
                options.get("localport", "Any").split(","),
                options.get("remoteport", "Any").split(","),
                remote_address=options.get("remoteip", "Any").split(","),
                local_address=options.get("localip", "Any").split(","),
                profiles=[item.title() for item in options.get("profile", "any").split(",")],
                program=options.get("program", "Any"),
                description=options.get("description", ""),
            )
        )
        ctx.out("Ok.\n\n")
        return 0
    if not found:
        ctx.out("\nNo rules match the specified criteria.\n\n")
        return 1
    if verb == "delete":
        for rule in found:
            firewall.remove(rule.name)
        ctx.out(f"\nDeleted {len(found)} rule(s).\nOk.\n\n")
        return 0
    for rule in found:
        ctx.out(
            f"\nRule Name:                            {rule.display_name}\n" + "-" * 70 + "\n"
            f"Enabled:                              {'Yes' if rule.enabled else 'No'}\nDirection:                      "
            f"      {rule.direction.removesuffix('bound')}\n"
            f"Profiles:                             {','.join(rule.profiles)}\nProtocol:                             {rule.protocol}\n"
            f"LocalPort:                            {','.join(rule.local_port)}\nAction:                               {rule.action}\n"
        )
    ctx.out("Ok.\n\n")
    return 0
