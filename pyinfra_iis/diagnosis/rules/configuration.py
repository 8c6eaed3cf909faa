"""What IIS is told to do with a request: web.config, sections, handlers, modules, request filtering."""

from __future__ import annotations

import re

from pyinfra_iis.diagnosis.evidence import (
    E_ACCESS_DENIED,
    E_ALREADY_EXISTS,
    E_BAD_DATA,
    E_LOCKED,
    E_PATH_NOT_FOUND,
    E_SHARING,
    READ,
    ConfigurationError,
    Evidence,
)
from pyinfra_iis.diagnosis.findings import Explanation, Rules
from pyinfra_iis.diagnosis.rules.words import APPCMD, grant, quoted

RULES = Rules()

_ATTRIBUTE = re.compile(r"attribute '[^']+'|'[^']+' attribute")
_ELEMENT = re.compile(r"element '[^']+'|'[^']+' element")
_OTHER_VERSION = {"startupRetryCount": 1, "handlerSettings": 2}


def _said(e: Evidence, error: ConfigurationError) -> str:
    text = f': "{" ".join(error.text.split())}"' if error.text else ""
    return f"{e.answer}; IIS says 0x{error.code:08X}{' about ' + error.place if error.file else ''}{text}"


def _invalid(e: Evidence) -> ConfigurationError | None:
    return None if e.healthy else e.refusal(E_BAD_DATA)


def _explained(e: Evidence) -> bool:
    """A rule that knows more than the position has a word for it."""
    return any(rule(e) for rule in (attribute_of_other_version, section_unknown, handler_not_installed))


@RULES.cause("site-folder-missing")
def site_folder_missing(e: Evidence) -> Explanation | None:
    if not e.target.get("application") or e.target["folder_exists"]:
        return None
    return Explanation(
        f"The site's folder {e.folder} does not exist.",
        f"IIS has it as the physical path of '{e.name}{e.application.rstrip('/')}', and {e.answer}.",
        "Put the folder back, roll back to a release that is there with deploys/rollback.py, or deploy again.",
    )


@RULES.cause("site-folder-access")
def site_folder_access(e: Evidence) -> Explanation | None:
    refused = e.refusal(E_ACCESS_DENIED)
    lacking = [item for item in e.items_of(("site", "web.config")) if item.lacks(READ)]
    if e.healthy or not (lacking or (refused and e.status == 500)):
        return None
    path = e.folder
    command = grant(path, e.identity, "RX")
    reset = f'icacls "{e.web_config.get("path")}" /reset' if [item.role for item in lacking] == ["web.config"] else ""
    commands = tuple(filter(None, (reset, command)))
    where = lacking[0].path if lacking else refused.file if refused else path
    return Explanation(
        f"The site's identity {e.identity} may not read {where}.",
        f"Its list of access grants {e.identity} nothing there, and {e.answer}." if lacking else f"{e.answer}.",
        f"Grant it: {' and '.join(f'`{item}`' for item in commands)}.",
        commands,
    )


@RULES.cause("section-locked")
def section_locked(e: Evidence) -> Explanation | None:
    error = e.refusal(E_LOCKED)
    if not error or e.healthy:
        return None
    names = [other.section for other in e.configuration_errors if other.code == E_LOCKED and other.section]
    section = f"system.webServer/{names[0]}" if names else "system.webServer/handlers"
    unlock = f"{APPCMD} unlock config -section:{section}"
    return Explanation(
        f"The section {section} is locked on this server, so a web.config may not hold it.",
        f"{_said(e, error)}.",
        f"Unlock it: `{unlock}`.",
        (unlock,),
    )


@RULES.cause("handler-not-installed")
def handler_not_installed(e: Evidence) -> Explanation | None:
    if e.healthy or not e.site or not e.is_platform or (e.schema and e.images):
        return None
    if not e.configuration:
        return None
    missing = "its schema" if not e.schema else "its module"
    return Explanation(
        "HttpPlatformHandler is not installed, or half installed.",
        f"{e.answer}, and IIS knows {'neither its module nor its schema' if not e.schema and not e.images else 'not ' + missing}; "
        f"Windows lists {quoted(product['name'] for product in e.products) or 'no such product'}.",
        "Run the deploy, which installs it, or install httpPlatformHandler_amd64.msi again.",
    )


@RULES.cause("two-handlers")
def two_handlers(e: Evidence) -> Explanation | None:
    versions = {product["version"].partition(".")[0] for product in e.products}
    if len(e.products) < 2 or len(versions) < 2 or e.healthy:
        return None
    return Explanation(
        "Both versions of HttpPlatformHandler are installed; they share the module's and the section's name and get in each other's way.",
        f"Windows lists {quoted(product['name'] + ' ' + product['version'] for product in e.products)}, and {e.answer}.",
        "Uninstall both and install the one that is wanted: the deploy does that with `handler` {'version': ..., 'replace': True}.",
    )


@RULES.cause("attribute-of-other-version")
def attribute_of_other_version(e: Evidence) -> Explanation | None:
    """startupRetryCount is version 1.2's, handlerSettings version 2.0's."""
    foreign = [name for name in e.web_config.get("platform", []) if name in _OTHER_VERSION and name not in e.schema]
    error = _invalid(e)
    if not e.schema or not foreign or not error:
        return None
    versions = {1: "1.2", 2: "2.0"}
    installed = versions.get(e.handler_version, "of this server")
    return Explanation(
        f"web.config uses {quoted(foreign)} of httpPlatform, which HttpPlatformHandler {installed} does not know.",
        f"{_said(e, error)}; {e.web_config['path']} has it, the installed schema has not.",
        f"Take {quoted(foreign)} out of web.config, or install version {versions[_OTHER_VERSION[foreign[0]]]}, which knows it.",
    )


@RULES.cause("section-unknown")
def section_unknown(e: Evidence) -> Explanation | None:
    unknown = e.configuration.get("unknown", [])
    error = _invalid(e)
    if not unknown or not error or handler_not_installed(e):
        return None
    return Explanation(
        f"web.config has the section {quoted(unknown)}, which this IIS does not know: its module is not installed, or the name is wrong.",
        f"{_said(e, error)}; no section of that name is declared.",
        "Install the module that it belongs to (rewrite: URL Rewrite, aspNetCore: the ASP.NET Core module), or take the section out.",
    )


@RULES.cause("web-config-malformed")
def web_config_malformed(e: Evidence) -> Explanation | None:
    if e.healthy or not e.web_config.get("problem"):
        return None
    line = f", line {e.web_config['line']}" if e.web_config.get("line") else ""
    return Explanation(
        "web.config is not well-formed XML.",
        f"{e.web_config['path']}{line}: {e.web_config['problem'].rstrip('.')}; {e.answer}.",
        "Correct that line, or deploy again, which writes a new release with a web.config of its own.",
    )


@RULES.cause("duplicate-entry")
def duplicate_entry(e: Evidence) -> Explanation | None:
    error = e.refusal(E_ALREADY_EXISTS)
    if not error or e.healthy:
        return None
    return Explanation(
        "web.config adds something to a list of IIS that has it already.",
        f"{_said(e, error)}.",
        "Remove that line, or put a <remove> of it before.",
    )


@RULES.cause("web-config-unknown-name")
def web_config_unknown_name(e: Evidence) -> Explanation | None:
    error = _invalid(e)
    if not error or e.web_config.get("problem") or _explained(e):
        return None
    name = _ATTRIBUTE.search(error.text) or _ELEMENT.search(error.text)
    if not name or "nrecognized" not in error.text:
        return None
    return Explanation(
        f"web.config has the {name[0]}, which IIS does not know.",
        f"{_said(e, error)}.",
        "Correct the name: IIS is particular about capital letters.",
    )


@RULES.cause("web-config-value")
def web_config_value(e: Evidence) -> Explanation | None:
    error = _invalid(e)
    if not error or e.web_config.get("problem") or _explained(e) or web_config_unknown_name(e):
        return None
    name = _ATTRIBUTE.search(error.text)
    if not name:
        return None
    return Explanation(
        f"web.config gives the {name[0]} a value that IIS does not take.",
        f"{_said(e, error)}.",
        "Correct the value: numbers within their range, times as hh:mm:ss (requestTimeout of version 1.2 in whole minutes), true or false.",
    )


@RULES.general("configuration-invalid")
def configuration_invalid(e: Evidence) -> Explanation | None:
    if not e.page or (e.page.status, e.page.substatus) != (500, 19):
        return None
    error = e.configuration_errors[0] if e.configuration_errors else None
    evidence = _said(e, error) if error else e.answer
    unread = f"; {e.web_config['unread'].rstrip('.')}" if e.web_config.get("unread") else ""
    why, fix = {
        E_PATH_NOT_FOUND: (", because a folder of it is missing", "Correct the place that IIS names"),
        E_SHARING: (
            ", because a program has a file of it for itself",
            "Close the program that has it open: an editor, a backup, a scanner",
        ),
    }.get(e.code or 0, ("", "Correct the place that IIS names"))
    return Explanation(f"IIS cannot use the site's configuration{why}.", f"{evidence}{unread}.", f"{fix}.")


@RULES.cause("web-config-missing")
def web_config_missing(e: Evidence) -> Explanation | None:
    if e.healthy or not e.web_config or e.web_config["exists"] or not e.target.get("folder_exists") or e.is_platform:
        return None
    if e.status and e.status < 400:
        return None
    return Explanation(
        f"The site's folder {e.folder} has no web.config, so IIS takes it for a folder of static files.",
        f"{e.web_config['path']} is not there, and {e.answer}.",
        "Deploy again, or point the site at the folder that holds web.config.",
    )


def _handler(e: Evidence) -> str:
    """The modules of the handler that IIS takes for any path, or nothing."""
    for handler in e.handlers:
        if handler["path"] == "*" and handler["verb"] == "*" and "staticfile" not in handler["modules"].lower():
            return handler["modules"]
    return ""


@RULES.cause("other-handler")
def other_handler(e: Evidence) -> Explanation | None:
    """FastCGI's handler, or another one, where HttpPlatformHandler is configured."""
    first = _handler(e)
    mixed = [item for item in e.web_config.get("handlers", []) if "httpplatformhandler" not in item["modules"].lower()]
    if e.healthy or not e.setting("processPath") or not mixed or "httpplatformhandler" in first.lower():
        return None
    name = mixed[0]["name"]
    return Explanation(
        f"web.config sends requests to the handler '{name}' ({mixed[0]['modules']}) while httpPlatform is configured for the application.",
        f"The first handler for every path is '{first or mixed[0]['modules']}', and {e.answer}.",
        f"Replace it: in <handlers>, '{name}' needs modules=\"httpPlatformHandler\" and no scriptProcessor.",
    )


@RULES.cause("handler-missing")
def handler_missing(e: Evidence) -> Explanation | None:
    """httpPlatform is configured, and nothing leads to it."""
    if e.healthy or not e.setting("processPath") or not e.handlers or other_handler(e):
        return None
    if any("httpplatformhandler" in handler["modules"].lower() for handler in e.handlers):
        return None
    return Explanation(
        "web.config configures httpPlatform, but no handler sends requests to it.",
        f"The handlers are {quoted(handler['name'] for handler in e.handlers)}, and {e.answer}.",
        '<handlers> needs <add name="django" path="*" verb="*" modules="httpPlatformHandler" resourceType="Unspecified" />.',
    )


@RULES.cause("handler-order")
def handler_order(e: Evidence) -> Explanation | None:
    """The handler is there, but does not get every request."""
    own = next((handler for handler in e.handlers if "httpplatformhandler" in handler["modules"].lower()), None)
    if (
        e.healthy
        or own is None
        or not e.page
        or e.page.status not in (403, 404, 405)
        or (e.page.status, e.page.substatus) in _FILTERS
    ):
        return None
    if e.page.substatus not in (0, 1, 3, 4, 14):
        return None
    before = e.handlers[: e.handlers.index(own)]
    if not before and own["path"] == "*" and own["verb"] == "*":
        return None
    why = f"it only gets path '{own['path']}', verb '{own['verb']}'"
    if own["path"] == "*" and own["verb"] == "*":
        why = f"{quoted(handler['name'] for handler in before)} stand before it"
    return Explanation(
        f"The request does not reach HttpPlatformHandler: {why}.",
        f"{e.answer}, from IIS itself.",
        f'Put \'{own["name"]}\' first in <handlers> with path="*" verb="*".',
    )


@RULES.cause("module-not-listed")
def module_not_listed(e: Evidence) -> Explanation | None:
    if e.healthy or not e.page or (e.page.status, e.page.substatus) != (500, 21) or other_handler(e):
        return None
    wanted = _handler(e) or "httpPlatformHandler"
    return Explanation(
        f"The handler names the module '{wanted}', which this site does not have.",
        f"{e.answer}; the site's modules are {quoted(e.configuration.get('modules', []))}.",
        "Install the module (run the deploy for HttpPlatformHandler), and take a <remove> or <clear> of it out of <modules>.",
    )


_FILTERS = {
    (404, 5): ("a denied sequence in the URL", "denyUrlSequences"),
    (404, 6): ("a verb that is not allowed", "verbs"),
    (404, 7): ("a file extension that is denied", "fileExtensions"),
    (404, 8): ("a path segment that is hidden", "hiddenSegments"),
    (404, 10): ("a header that is too long", "requestLimits/headerLimits"),
    (404, 11): ("a URL that is escaped twice", "allowDoubleEscaping"),
    (404, 12): ("characters beyond ASCII in the URL", "allowHighBitCharacters"),
    (404, 13): ("a body that is larger than maxAllowedContentLength", "requestLimits"),
    (404, 14): ("a URL that is longer than maxUrl", "requestLimits"),
    (404, 15): ("a query that is longer than maxQueryString", "requestLimits"),
    (404, 18): ("a denied sequence in the query", "denyQueryStringSequences"),
    (404, 19): ("a filtering rule", "filteringRules"),
    (413, 1): ("a body that is larger than maxAllowedContentLength", "requestLimits"),
}
_LIMITS = {13: "maxAllowedContentLength", 14: "maxUrl", 15: "maxQueryString", 1: "maxAllowedContentLength"}


def _filtered(e: Evidence, status: int, substatus: int) -> tuple[str, str, tuple[str, ...]]:
    """What request filtering refused, how to allow it, and a command."""
    what, where = _FILTERS[status, substatus]
    limit = _LIMITS.get(substatus)
    if limit:
        value = int(e.configuration.get("limits", {}).get(limit, 0))
        larger = max(value * 4, 1000)
        section = "system.webServer/security/requestFiltering"
        command = f'{APPCMD} set config "{e.name}{e.application.rstrip("/")}" -section:{section} /requestLimits.{limit}:{larger}'
        return f"{what} ({value})", f"Raise {limit} in web.config or with `{command}`", (command,)
    return what, f"Allow it in web.config under security/requestFiltering/{where}", ()


@RULES.cause("request-filtered")
def request_filtered(e: Evidence) -> Explanation | None:
    if not e.page or (e.page.status, e.page.substatus) not in _FILTERS:
        return None
    what, fix, commands = _filtered(e, e.page.status, e.page.substatus)
    return Explanation(
        f"IIS's request filtering refuses the request because of {what}.",
        f"{e.answer}, from IIS itself.",
        f"{fix}.",
        commands,
    )


@RULES.notice("requests-filtered")
def requests_filtered(e: Evidence) -> Explanation | None:
    """Visitors met it, the diagnosis' own request did not."""
    for status, substatus in _FILTERS:
        met = e.refused(status, substatus)
        if met and (status, substatus) != (e.page and (e.page.status, e.page.substatus)):
            what, fix, commands = _filtered(e, status, substatus)
            return Explanation(
                f"IIS's request filtering has refused requests of visitors because of {what}.",
                f"The site's log has {len(met)} answered {status}.{substatus}, last {met[0].method} {met[0].path} at {met[0].at:%Y-%m-%d %H:%M:%S} UTC.",
                f"{fix} if they were meant to work.",
                commands,
            )
    return None


@RULES.cause("anonymous-off")
def anonymous_off(e: Evidence) -> Explanation | None:
    if e.status != 401 or e.configuration.get("switches", {}).get("anonymous") is not False:
        return None
    command = f'{APPCMD} set config "{e.name}" -section:system.webServer/security/authentication/anonymousAuthentication /enabled:true /commit:apphost'
    return Explanation(
        "Anonymous authentication is switched off, so IIS refuses every visitor before the application sees them.",
        f"{e.answer}, and anonymousAuthentication is not enabled.",
        f"Switch it on: `{command}`; the application does its own logging on.",
        (command,),
    )


_REFUSALS = {
    (401, 3): (
        "file-access",
        "The anonymous user IUSR may not read the file",
        "Grant Users or IUSR read access to it, or let the application serve it",
    ),
    (401, 2): (
        "authorization",
        "IIS's URL authorization does not let the visitor in",
        "Correct <authorization> in web.config",
    ),
    (403, 4): ("tls-required", "The site takes https only", "Ask with https, or clear sslFlags in security/access"),
    (403, 6): ("address-denied", "IIS does not let this address in", "Correct <ipSecurity>"),
    (403, 8): ("address-denied", "IIS does not let this host name in", "Correct <ipSecurity>"),
    (403, 14): (
        "folder-listed",
        "A folder was asked for that has no default document",
        "Give it one, or let the application answer",
    ),
}


@RULES.cause("visitor-refused")
def visitor_refused(e: Evidence) -> Explanation | None:
    key = (e.page.status, e.page.substatus) if e.page else (0, 0)
    if (
        key not in _REFUSALS
        or anonymous_off(e)
        or web_config_missing(e)
        or handler_missing(e)
        or handler_order(e)
        or other_handler(e)
    ):
        return None
    _, cause, fix = _REFUSALS[key]
    return Explanation(f"{cause}.", f"{e.answer}, from IIS itself.", f"{fix}.")


@RULES.cause("app-offline")
def app_offline(e: Evidence) -> Explanation | None:
    """Version 2 looks for app_offline.htm."""
    offline = e.item("offline")
    if e.handler_version != 2 or e.status != 503 or e.by_kernel or not offline or not offline.exists:
        return None
    return Explanation(
        "The application is offline because app_offline.htm lies in its folder.",
        f"{offline.path} is there, and {e.answer}.",
        f'Remove it: `del "{offline.path}"`.',
        (f'del "{offline.path}"',),
    )
