"""The application answers, or its process does, but not as it should."""

from __future__ import annotations

import re
from datetime import timedelta

from pyinfra_iis.diagnosis.evidence import Evidence
from pyinfra_iis.diagnosis.findings import Explanation, Rules
from pyinfra_iis.diagnosis.rules.words import grant, output_says, recycle

RULES = Rules()

_TIMEOUT = 0x80072EE2
_LOST = (0x80072EFE, 0x80072EFD, 0x80072EFF)
_NOT_HTTP = 0x80072F78


@RULES.cause("allowed-hosts")
def allowed_hosts(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*Invalid HTTP_HOST header: '([^']*)'.*$")
    debug = re.search(r"Invalid HTTP_HOST header: (?:&#x27;|')([^&']*)", e.request.get("body", ""))
    if e.status != 400 or e.by_kernel or e.page or not (found or debug):
        return None
    name = (found or debug)[1].rpartition(":")[0] or (found or debug)[1]  # type: ignore[index]
    evidence = output_says(e, found[0]) if found else f"{e.answer} and says so in its page"
    return Explanation(
        f"Django refuses the host name '{name}' because ALLOWED_HOSTS does not have it.",
        f"{evidence}.",
        "Add it to the deploy's `allowed_hosts` setting (or to the site's bindings) and deploy again; to ask with the name that visitors "
        "use: --data hostname=NAME.",
    )


@RULES.cause("upload-too-large")
def upload_too_large(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*(?:RequestDataTooBig|exceeded settings\.(DATA_UPLOAD_\w+)).*$")
    if not found or e.healthy:
        return None
    return Explanation(
        "Django refuses a request that is larger than its own limits.",
        f"{output_says(e, found[0])}.",
        f"Raise {found[1] or 'DATA_UPLOAD_MAX_MEMORY_SIZE'} in the project's settings; IIS has a limit of its own (maxAllowedContentLength).",
    )


@RULES.general("bad-request")
def bad_request(e: Evidence) -> Explanation | None:
    if e.status != 400 or e.by_kernel or e.page:
        return None
    said = f"; {output_says(e, e.last_lines)}" if e.last_lines else ""
    return Explanation(
        "The application refuses the request as a bad one; Django does that to a host name that ALLOWED_HOSTS does not have.",
        f"{e.answer}{said}.",
        "Ask with the host name that visitors use (--data hostname=NAME), or add this one to the deploy's `allowed_hosts` setting.",
    )


@RULES.cause("interface-wrong")
def interface_wrong(e: Evidence) -> Explanation | None:
    """A WSGI application under an ASGI server, or the other way round."""
    found = e.said(
        r"^.*TypeError: .*__call__\(\) "
        r"(?:missing \d+ required positional arguments?: .*'(?:send|receive|start_response)'|takes .* positional arguments? but \d+ were given).*$"
    )
    found = found or e.said(r"^.*TypeError: .*(?:application|app)\(\) (?:missing|takes) .*$")
    if e.healthy or not found:
        return None
    return Explanation(
        "The server and the application do not speak the same interface: one is ASGI, the other WSGI.",
        f"{output_says(e, found[0])}; arguments are '{e.arguments}'.",
        "Give uvicorn, hypercorn or granian the ASGI application (mysite.asgi:application), waitress the WSGI one (mysite.wsgi:application).",
    )


@RULES.cause("database-read-only")
def database_read_only(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*(?:attempt to write a readonly database|unable to open database file).*$")
    if e.healthy or e.start or not found:
        return None
    root = e.release.get("root")
    folder = f"{root}\\shared\\data" if root else "the database's folder"
    command = grant(folder, e.identity, "M") if root else ""
    return Explanation(
        f"The site's identity {e.identity} may not write the SQLite database or its folder.",
        f"{output_says(e, found[0])}.",
        f"Grant it: `{command}`, then `{recycle(e)}`."
        if command
        else "Grant it Modify on the folder: SQLite makes further files there.",
        (command, recycle(e)) if command else (),
    )


@RULES.cause("database-not-migrated")
def database_not_migrated(e: Evidence) -> Explanation | None:
    found = e.said(
        r"^.*(?:no such (?:table|column): \S+|relation \"[^\"]+\" does not exist|Invalid object name '[^']+').*$"
    )
    if e.healthy or not found:
        return None
    return Explanation(
        "The database lacks a table or column that the application wants: its migrations have not run.",
        f"{output_says(e, found[0])}.",
        "Deploy with the `migrate` setting on, or run manage.py migrate in the live release's environment.",
    )


@RULES.cause("database-unreachable")
def database_unreachable(e: Evidence) -> Explanation | None:
    found = e.said(
        r"^.*(?:OperationalError: (?!no such|attempt|unable to open)|InterfaceError: |could not connect to server|Connection refused"
        r"|WinError 10061|Login failed for user).*$"
    )
    if e.healthy or not found or database_not_migrated(e) or database_read_only(e):
        return None
    return Explanation(
        "The application cannot reach its database, or is not let in.",
        f"{output_says(e, found[0])}.",
        "Check the database's address, name and password in the `environment` setting, and that this server may reach it.",
    )


@RULES.cause("static-files-missing")
def static_files_missing(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*Missing staticfiles manifest entry for '([^']+)'.*$")
    if e.healthy or not found:
        return None
    return Explanation(
        f"A template asks for the static file '{found[1]}', which was not collected.",
        f"{output_says(e, found[0])}.",
        "Correct the name in the template, or add the file to the project, and deploy again, which collects static files.",
    )


@RULES.cause("listener-dead")
def listener_dead(e: Evidence) -> Explanation | None:
    """asyncio's Proactor loop lost its listener (cpython 93821); the process lives on, so nobody restarts it."""
    found = e.said(r"^.*(?:WinError 64|Accept failed on a socket).*$")
    if e.healthy or not found:
        return None
    return Explanation(
        "The application's event loop has lost its listening socket while the process lives on, so HttpPlatformHandler does not restart it.",
        f"{output_says(e, found[0])}.",
        f"Restart it now with `{recycle(e)}`; `--loop asyncio:SelectorEventLoop` (uvicorn 0.36 or later), which the deploy sets, avoids it.",
        (recycle(e),),
    )


@RULES.cause("forwarded-for-port")
def forwarded_for_port(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*'?(\d+\.\d+\.\d+\.\d+:\d+)'? does not appear to be an IPv4 or IPv6 address.*$")
    if not found:
        return None
    return Explanation(
        "The application takes the client's address from X-Forwarded-For, where HttpPlatformHandler writes the port behind it.",
        f"{output_says(e, found[0])}.",
        "Cut the port off before the address is used, or let the server read the header (uvicorn 0.45 or later does) and use REMOTE_ADDR.",
    )


@RULES.cause("exception")
def exception(e: Evidence) -> Explanation | None:
    """500 from the application, with a traceback in its log."""
    found = e.said(r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|DoesNotExist|NotFound|Configured)): ?.*$")
    special = (
        interface_wrong,
        database_read_only,
        database_not_migrated,
        database_unreachable,
        static_files_missing,
        upload_too_large,
        forwarded_for_port,
    )
    if e.status < 500 or e.page or e.by_kernel or not found or e.start_failed or any(rule(e) for rule in special):
        return None
    return Explanation(
        f"The application fails with {found[0].strip()[:300].rstrip('.')}.",
        f"{e.answer}; the traceback stands in {e.output_file}.",
        "Correct what the exception names and deploy again, or roll back with deploys/rollback.py.",
    )


@RULES.cause("process-lost")
def process_lost(e: Evidence) -> Explanation | None:
    """It ended, or closed the connection, while it answered."""
    if e.code not in _LOST or forwarded_for_port(e) or listener_dead(e):
        return None
    last = f"its last lines are: {e.last_lines}" if e.last_lines else "it printed nothing"
    return Explanation(
        "The application's process ended or closed the connection in the middle of the request.",
        f"{e.answer}; {last}.",
        "Look for a crash in native code (Application Error in the event log), too little memory, or code that calls os._exit.",
    )


@RULES.cause("request-too-slow")
def request_too_slow(e: Evidence) -> Explanation | None:
    if e.code != _TIMEOUT and not (e.timed_out and e.heard):
        return None
    return Explanation(
        f"The application does not answer the request within {'requestTimeout, ' + e.setting('requestTimeout') if e.code == _TIMEOUT else 'the time given'}.",
        f"{e.answer}, while its process runs.",
        "Make that request faster or do the work in the background; requestTimeout in web.config gives more time (version 1.2: whole minutes).",
    )


@RULES.cause("answer-not-http")
def answer_not_http(e: Evidence) -> Explanation | None:
    if e.code != _NOT_HTTP:
        return None
    return Explanation(
        "What listens on the application's port does not speak HTTP.",
        f"{e.answer}.",
        "Let arguments start a server of plain HTTP: no TLS certificate, no other protocol.",
    )


@RULES.notice("csrf-origin")
def csrf_origin(e: Evidence) -> Explanation | None:
    found = e.said_before(
        r"^.*(?:Origin checking failed - (\S+) does not match|CSRF verification failed|Forbidden \(CSRF).*$"
    )
    if not found:
        return None
    return Explanation(
        "Django refuses forms because it does not trust the origin that they come from.",
        f"{output_says(e, found[0])}.",
        f"Add {found[1] or 'the origin, with its scheme,'} to CSRF_TRUSTED_ORIGINS, and see that Django knows of https (the deploy's settings do that).",
    )


@RULES.notice("iterator-under-asgi")
def iterator_under_asgi(e: Evidence) -> Explanation | None:
    found = e.said_before(r"^.*StreamingHttpResponse must consume synchronous iterators.*$")
    if not found:
        return None
    return Explanation(
        "Files and streams go through a synchronous iterator under ASGI, which works but costs memory and threads.",
        f"{output_says(e, found[0])}.",
        "Serve the application by WSGI (the deploy's server `waitress`), or static files with ServeStatic instead of WhiteNoise.",
    )


@RULES.notice("websocket-library")
def websocket_library(e: Evidence) -> Explanation | None:
    found = e.said_before(r"^.*(?:No supported WebSocket library detected|Unsupported upgrade request).*$")
    off = e.configuration.get("switches", {}).get("websocket") is False or (
        e.configuration.get("modules") and "WebSocketModule" not in e.configuration["modules"]
    )
    if not found:
        return None
    return Explanation(
        "Browsers ask for WebSockets, which the application's server cannot do.",
        f"{output_says(e, found[0])}{'; IIS has WebSockets off, too' if off else ''}.",
        "Add `websockets` to the project's requirements and deploy again; IIS needs the feature Web-WebSockets.",
    )


@RULES.notice("process-restarts")
def process_restarts(e: Evidence) -> Explanation | None:
    """It starts well, again and again. Version 1.2 does not say whose process it was."""
    started = e.starts(timedelta(minutes=10))
    if len(started) < 4 or not e.healthy:
        return None
    whose = "the application's process" if e.handler_version == 2 else "processes on this server"
    return Explanation(
        f"HttpPlatformHandler has started {whose} again and again.",
        f"The event log has {len(started)} starts within ten minutes, the last at {started[0].time:%H:%M:%S} UTC.",
        "Look for what ends it: autoreload, a crash in its log, configuration that changes, a child that listens and ends.",
    )


@RULES.general("application-error")
def application_error(e: Evidence) -> Explanation | None:
    if e.status < 500 or e.page or e.by_kernel:
        return None
    last = f"its last lines are: {e.last_lines}" if e.last_lines else "its log is empty"
    return Explanation(
        f"The application itself answers {e.status}.",
        f"{e.answer}; {last}.",
        "Look at the application's own log; Django writes errors to standard output with the deploy's settings.",
    )


@RULES.general("unreachable")
def unreachable(e: Evidence) -> Explanation | None:
    if e.status or not e.requests:
        return None
    return Explanation(
        "The site does not answer on its own server.",
        f"{e.answer}.",
        "See that the site's port is not taken by somebody else and that its bindings name addresses of this server.",
    )


@RULES.general("unknown")
def unknown(e: Evidence) -> Explanation | None:
    if e.healthy:
        return None
    return Explanation(
        "None of the known failures fits.",
        f"{e.answer}; {e.last_lines or 'the application printed nothing'}.",
        "The status and sub-status of IIS's page, the event log and the application's log say more.",
    )
