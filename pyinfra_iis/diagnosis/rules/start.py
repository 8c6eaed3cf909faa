"""The process behind the site: why it does not start, or does not listen where it should."""

from __future__ import annotations

import ntpath
import re
from datetime import timedelta

from pyinfra_iis.diagnosis.evidence import (
    E_ACCESS_DENIED,
    E_ACTIVATION_TIMED_OUT,
    E_BAD_EXE,
    E_CREATE_FAILED,
    E_FILE_NOT_FOUND,
    E_PATH_NOT_FOUND,
    E_SERVER_DISABLED,
    E_TIMEOUT,
    MODIFY,
    PORT,
    READ,
    RUN,
    WRITE,
    Evidence,
    Item,
    Listener,
)
from pyinfra_iis.diagnosis.findings import Explanation, Rules
from pyinfra_iis.diagnosis.rules.words import grant, output_says, recycle, start_evidence

RULES = Rules()


def _profile(path: str) -> bool:
    return path.lower().startswith("c:\\users\\") and not path.lower().startswith("c:\\users\\public\\")


# -- the program --------------------------------------------------------------------------------------------------------------------------


@RULES.cause("program-missing")
def program_missing(e: Evidence) -> Explanation | None:
    item = e.item("program")
    if not e.start_failed or not item or (item.exists and item.kind != "folder"):
        return None
    if item.exists:
        return Explanation(
            f"What web.config starts is a folder, not a program: {item.path}.",
            f"{start_evidence(e)}; processPath is {e.setting('processPath')}.",
            "Let processPath in web.config name the program in it, such as python.exe.",
        )
    nearby = ""
    if e.environment:
        nearby = f"; the virtual environment {e.environment['path']} is there"
    return Explanation(
        f"The program that web.config starts does not exist: {item.path}.",
        f"{start_evidence(e)}; processPath is {e.setting('processPath')}{nearby}.",
        "Correct processPath in web.config, or put the program back: deploying again makes a missing virtual environment anew.",
    )


@RULES.cause("program-unset")
def program_unset(e: Evidence) -> Explanation | None:
    if e.healthy or not e.is_platform or not e.platform.get("source") or e.setting("processPath"):
        return None
    return Explanation(
        "httpPlatform has no processPath, so there is nothing to start.",
        f"{e.web_config.get('path')} names none, and {e.answer}.",
        'web.config needs <httpPlatform processPath="...\\python.exe" arguments="..." />.',
    )


@RULES.cause("base-python-missing")
def base_python_missing(e: Evidence) -> Explanation | None:
    base = e.item("base")
    said = e.said(r"No Python at .*$")
    if not e.start_failed or not base or base.exists or program_missing(e):
        return None
    evidence = f"{base.path} is not there; {e.environment['path']}\\pyvenv.cfg says home = {e.environment['home']}"
    return Explanation(
        f"The Python that the virtual environment was made from is gone: {e.environment['home']}.",
        f"{evidence}{'; ' + output_says(e, said[0]) if said else ''}.",
        "Put that Python back in the same place, or deploy again, which installs it.",
    )


@RULES.cause("base-python-in-profile")
def base_python_in_profile(e: Evidence) -> Explanation | None:
    places = [item for item in e.items_of(("program", "base")) if _profile(item.path)]
    if not e.start_failed or not places or not any(item.lacks(RUN) for item in places):
        return None
    return Explanation(
        f"Python lies in a user's profile, which the site's identity {e.identity} may not read.",
        f"{places[0].path} grants it nothing; {start_evidence(e)}.",
        "Install Python for all users outside of C:\\Users, as the deploy does, and make the virtual environment from that one.",
    )


def _denied(e: Evidence) -> Item | None:
    """The first thing that the identity cannot run or read; folders above do not matter to Windows."""
    for item in e.items_of(("program", "pyvenv.cfg", "base", "dll", "library", "packages")):
        if item.lacks(RUN if item.role in ("program", "base", "dll") else READ):
            return item
    return None


@RULES.cause("python-access")
def python_access(e: Evidence) -> Explanation | None:
    item = _denied(e)
    if not e.start_failed or item is None or base_python_in_profile(e):
        return None
    roots = {
        "program": e.environment.get("path"),
        "pyvenv.cfg": e.environment.get("path"),
        "packages": e.environment.get("path"),
    }
    root = roots.get(item.role) or (e.environment.get("home") if e.environment else "") or item.path.rpartition("\\")[0]
    what = "the virtual environment" if item.role in roots and e.environment else "Python itself"
    command = grant(root, e.identity, "RX")
    return Explanation(
        f"The site's identity {e.identity} may not run {what} in {root}.",
        f"{item.path} does not let it; {start_evidence(e)}.",
        f"Grant it, also for what is below: `{command} /T`, then `{recycle(e)}`.",
        (f"{command} /T", recycle(e)),
    )


@RULES.cause("program-denied")
def program_denied(e: Evidence) -> Explanation | None:
    if not e.start_failed or E_ACCESS_DENIED not in e.start_codes[:1] or _denied(e):
        return None
    command = grant(e.program, e.identity, "RX", folder=False)
    return Explanation(
        f"Windows does not let the site's identity {e.identity} start {e.program}.",
        f"{start_evidence(e)}.",
        f"Grant it (`{command}`); if it has that right, look for AppLocker or an antivirus program that forbids it.",
        (command,),
    )


@RULES.cause("program-invalid")
def program_invalid(e: Evidence) -> Explanation | None:
    if not e.start_failed or E_BAD_EXE not in e.start_codes:
        return None
    return Explanation(
        f"{e.program} is no program that this Windows can run: a script, a damaged file, or for another processor.",
        f"{start_evidence(e)}.",
        "Let processPath name python.exe itself and put the script into arguments.",
    )


@RULES.cause("virtual-environment-broken")
def virtual_environment_broken(e: Evidence) -> Explanation | None:
    said = e.said(r"^.*failed to locate pyvenv\.cfg.*$")
    scripts = e.program.lower().endswith("\\scripts\\python.exe")
    dll = e.item("dll")
    if not e.start_failed or not (said or (scripts and not e.environment and dll is None)):
        return None
    if not (item := e.item("program")) or not item.exists:
        return None
    folder = e.program.rpartition("\\")[0].rpartition("\\")[0]
    return Explanation(
        f"The virtual environment {folder} has lost its pyvenv.cfg.",
        f"{folder}\\pyvenv.cfg is not there; {output_says(e, said[0]) if said else start_evidence(e)}.",
        "Make the virtual environment anew: remove its folder and deploy again.",
    )


@RULES.cause("python-incomplete")
def python_incomplete(e: Evidence) -> Explanation | None:
    said = e.said(r"^.*(?:No module named 'encodings'|init_fs_encoding).*$")
    home = e.environment.get("home", "")
    library, base = e.item("library"), e.item("base") or e.item("program")
    gone = [item.path for item in (library,) if item and not item.exists]
    if e.is_python and home and base and base.exists and e.item("dll") is None:
        gone.append(f"{home}\\python3*.dll")
    if (
        not e.start_failed
        or not base
        or not base.exists
        or not e.is_python
        or _denied(e)
        or not (said or (gone and home))
    ):
        return None
    evidence = f"{', '.join(gone)} is not there" if gone else output_says(e, said[0] if said else "")
    return Explanation(
        f"The Python in {home or e.program.rpartition(chr(92))[0]} is not complete.",
        f"{evidence}; {start_evidence(e)}.",
        "Install that Python again: remove its folder and deploy again.",
    )


# -- where it listens ---------------------------------------------------------------------------------------------------------------------


def _told_port(e: Evidence) -> int:
    """The port that the handler gave to the process, as far as it shows."""
    for process in e.processes:
        pattern = re.escape(e.arguments).replace(re.escape(PORT), r"(\d+)", 1)
        if PORT in e.arguments and (found := re.search(pattern.replace(re.escape(PORT), r"\d+"), process["command"])):
            return int(found[1])
    for event in e.start_failures:
        if found := re.search(r"(?:Port = |port '?)(\d+)", event.text):
            return int(found[1])
    return 0


def _astray(e: Evidence) -> Listener | None:
    told = _told_port(e)
    return next((listener for listener in e.heard if listener.port != told), None)


_FIXED_PORT = re.compile(
    r"(?:--?(?:port|p|bind|b|listen|http)[ =]|\b(?:runserver|http\.server)\b.*?\s)(?:\S*:)?(?P<port>\d{2,5})(?![\d.:])"
)


@RULES.cause("port-ignored")
def port_ignored(e: Evidence) -> Explanation | None:
    """Nothing tells the process which port it is to listen on."""
    if not e.start_failed or PORT in e.arguments or e.platform.get("port_variables"):
        return None
    fixed = _FIXED_PORT.search(e.arguments)
    astray = _astray(e)
    said = e.said(r"^.*(?:running on|Serving|Listening|starting|server at)\D*https?://\S+:(\d{2,5}).*$")
    number = (fixed and fixed["port"]) or (astray and astray.port) or (said and said[1])
    if not number:
        return None
    seen = f"process {astray.process} listens on {astray.address}:{astray.port}" if astray else ""
    evidence = "; ".join(filter(None, (f"arguments are '{e.arguments}', without {PORT}", seen, start_evidence(e))))
    return Explanation(
        f"The application listens on port {number} instead of the one that HttpPlatformHandler gives it.",
        f"{evidence}.",
        f"Write {PORT} where the arguments name the port, or let the application read the environment variable HTTP_PLATFORM_PORT.",
    )


@RULES.cause("listens-elsewhere")
def listens_elsewhere(e: Evidence) -> Explanation | None:
    astray = _astray(e)
    told = _told_port(e)
    if (
        not e.start_failed
        or not astray
        or port_ignored(e)
        or port_in_use(e)
        or any(item.port == told for item in e.heard)
    ):
        return None
    return Explanation(
        f"The application listens on port {astray.port}, but HttpPlatformHandler waits for it on {'port ' + str(told) if told else 'another'}.",
        f"Process {astray.process} ({astray.name}) listens on {astray.address}:{astray.port}; {start_evidence(e)}.",
        f"Let it listen on the port in {PORT} (arguments) or HTTP_PLATFORM_PORT (environment variable), and on one port only.",
    )


@RULES.cause("listens-on-ipv6")
def listens_on_ipv6(e: Evidence) -> Explanation | None:
    told = _told_port(e)
    own = [item for item in e.heard if item.port == told]
    if not e.start_failed or not own or not all(":" in item.address for item in own):
        return None
    return Explanation(
        "The application listens by IPv6 only, and HttpPlatformHandler looks for it by IPv4.",
        f"Process {own[0].process} listens on [{own[0].address}]:{own[0].port}; {start_evidence(e)}.",
        "Let it listen on 127.0.0.1: `--host 127.0.0.1`, not `localhost` or `::1`.",
    )


@RULES.notice("listens-for-everybody")
def listens_for_everybody(e: Evidence) -> Explanation | None:
    wide = next((item for item in e.heard if item.address in ("0.0.0.0", "::")), None)
    if wide is None:
        return None
    return Explanation(
        "The application listens on all addresses of the server, so it can be reached past IIS where the firewall lets it.",
        f"Process {wide.process} ({wide.name}) listens on {wide.address}:{wide.port}.",
        "Let it listen on 127.0.0.1 only.",
    )


@RULES.cause("listener-not-child")
def listener_not_child(e: Evidence) -> Explanation | None:
    if not e.start_failed or E_CREATE_FAILED not in e.start_codes:
        return None
    return Explanation(
        "Another process than the one that HttpPlatformHandler has started listens on its port, so it starts it again and again.",
        f"{start_evidence(e)} (another listener).",
        "Let processPath start the server itself, not something that hands over to a service or a process that runs on; end stray processes.",
    )


# -- what it printed ----------------------------------------------------------------------------------------------------------------------


@RULES.cause("python-module-missing")
def python_module_missing(e: Evidence) -> Explanation | None:
    """`No module named x`, of python -m x or of an import."""
    found = e.said(r"^.*(?:ModuleNotFoundError: )?No module named '?([\w.]+)'?.*$")
    if not e.start_failed or not found or found[1] == "encodings":
        return None
    name = found[1]
    started = re.search(rf"-m {re.escape(name)}\b", e.arguments)
    python = f'"{e.program}" -m pip install {name.partition(".")[0]}'
    fix = (
        f"Put its package into the project's requirements and deploy again; by hand: `{python}`."
        if (started or not e.release) and not e.start
        else "Put the package that holds it into the project's requirements and deploy again; a module of the project has to lie in its folder."
    )
    return Explanation(
        f"The application does not start because its Python has no module '{name}'.",
        f"{output_says(e, found[0])}; {e.answer}.",
        fix,
        () if e.start else (python,),
    )


@RULES.cause("variable-missing")
def variable_missing(e: Evidence) -> Explanation | None:
    """os.environ['X'] while starting."""
    found = e.said(r"^KeyError: '([A-Za-z_]\w*)'$")
    from_environment = re.search(r"\bin __getitem__|os\.environ|environ\[", e.output)
    improper = e.said(r"^.*ImproperlyConfigured: .*?(?:environment variable|Set the) '?(\w+)'?.*$")
    match = found if found and from_environment else improper
    if not e.start_failed or not match:
        return None
    names = e.platform.get("environment", [])
    there = ", though web.config sets it" if match[1] in names else ""
    return Explanation(
        f"The application needs the environment variable {match[1]}, which its process does not have.",
        f"{output_says(e, match[0])}{there}; {e.answer}.",
        f"Add {match[1]} to the deploy's `environment` setting (it is kept in the app pool) and deploy again.",
    )


@RULES.cause("application-not-found")
def application_not_found(e: Evidence) -> Explanation | None:
    """The server's `module:attribute` is wrong."""
    found = e.said(
        r"^.*(?:Error loading ASGI app\. (.*)|Attribute \"(\w+)\" not found in module.*|module '\S+' has no attribute '(\w+)'.*)$"
    )
    if not e.start_failed or not found or python_module_missing(e):
        return None
    return Explanation(
        "The server does not find the application object that its arguments name.",
        f"{output_says(e, found[0])}; arguments are '{e.arguments}'.",
        "Correct the deploy's `application` setting (module:attribute, such as mysite.asgi:application).",
    )


@RULES.cause("settings-invalid")
def settings_invalid(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*(?:ImproperlyConfigured: .*|django\.core\.exceptions\.\w+: .*)$")
    if not e.start_failed or not found or variable_missing(e):
        return None
    return Explanation(
        "Django does not start with the settings that it has.",
        f"{output_says(e, found[0])}; {e.answer}.",
        "Correct the settings module or its environment variables and deploy again.",
    )


@RULES.cause("port-forbidden")
def port_forbidden(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*(?:WinError 10013|Errno 13\].*bind|error while attempting to bind.*permission).*$")
    if not e.start_failed or not found:
        return None
    return Explanation(
        "Windows does not let the application listen on its port: another program has it for itself, or the port is reserved.",
        f"{output_says(e, found[0])}.",
        f"Let it listen on {PORT}, which HttpPlatformHandler has found free; `netsh int ipv4 show excludedportrange tcp` lists what is reserved.",
    )


@RULES.cause("port-in-use")
def port_in_use(e: Evidence) -> Explanation | None:
    found = e.said(
        r"^.*(?:WinError 10048|Errno 98|Errno 10048|[Aa]ddress already in use|Only one usage of each socket address).*$"
    )
    if not e.start_failed or not found:
        return None
    port = re.search(r"'[\d.:]+', (\d+)\)", found[0])
    holder = next((item for item in [*e.heard, *e.listeners] if port and item.port == int(port[1])), None)
    who = f"; process {holder.process} ({holder.name}) has port {holder.port}" if holder else ""
    return Explanation(
        "The application wants a port that another process listens on already.",
        f"{output_says(e, found[0])}{who}.",
        f"Let it listen on {PORT} instead of a fixed port, with one process; end what holds the port if it is a leftover.",
    )


@RULES.cause("worker-processes")
def worker_processes(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*WinError (?:87|5)\b.*$")
    if not e.start_failed or not found or not re.search(r"--workers[ =](?!1\b)\d+|-w ?(?!1\b)\d+", e.arguments):
        return None
    return Explanation(
        "The server's own worker processes do not work on Windows behind HttpPlatformHandler.",
        f"{output_says(e, found[0])}; arguments are '{e.arguments}'.",
        "Take `--workers` out; for more processes raise processesPerApplication of httpPlatform.",
    )


@RULES.cause("autoreload")
def autoreload(e: Evidence) -> Explanation | None:
    """A reloader serves from a child that it ends and starts anew: HttpPlatformHandler then ends the whole process."""
    reloads = re.search(r"--reload\b", e.arguments) or ("runserver" in e.arguments and "--noreload" not in e.arguments)
    if not reloads or e.healthy:
        return None
    return Explanation(
        "The application runs with automatic reloading, whose child processes come and go, so HttpPlatformHandler takes it for dead.",
        f"arguments are '{e.arguments}'; {e.answer}.",
        "Take `--reload` out, and give runserver `--noreload`; the deploy's server `uvicorn` is the one for production.",
    )


@RULES.notice("autoreload-on")
def autoreload_on(e: Evidence) -> Explanation | None:
    reloads = re.search(r"--reload\b", e.arguments) or ("runserver" in e.arguments and "--noreload" not in e.arguments)
    if not reloads or not e.healthy:
        return None
    return Explanation(
        "The application runs with automatic reloading, which makes HttpPlatformHandler restart it now and then.",
        f"arguments are '{e.arguments}'.",
        "Take `--reload` out, and give runserver `--noreload`.",
    )


@RULES.cause("standard-input-missing")
def standard_input_missing(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*AttributeError: 'NoneType' object has no attribute 'fileno'.*$")
    if not e.start_failed or not found:
        return None
    return Explanation(
        "This version of uvicorn needs a standard input, which a process of HttpPlatformHandler does not have.",
        f"{output_says(e, found[0])}.",
        "Ask for uvicorn 0.22 or later in the project's requirements and deploy again.",
    )


@RULES.cause("output-encoding")
def output_encoding(e: Evidence) -> Explanation | None:
    found = e.said(r"^.*UnicodeEncodeError: 'charmap' codec.*$")
    if not found or e.healthy:
        return None
    return Explanation(
        "The application prints characters that the server's code page does not have, and stops there.",
        f"{output_says(e, found[0])}.",
        "Set PYTHONUTF8=1 among the environment variables of web.config or the deploy's `environment`.",
    )


@RULES.cause("file-denied")
def file_denied(e: Evidence) -> Explanation | None:
    """A file that the process itself could not open."""
    found = e.said(r"^.*PermissionError: \[(?:Errno 13|WinError 5)\][^'\n]*'([^'\n]+)'.*$")
    # What is started without IIS runs as somebody else.
    if e.healthy or e.start or not found or port_forbidden(e):
        return None
    path = found[1].replace("\\\\", "\\")
    if ":" not in path and not path.startswith("/"):
        path = ntpath.normpath(f"{e.folder}\\{path}")
    folder = path.rpartition("\\")[0] or path
    command = grant(folder, e.identity, "M")
    return Explanation(
        f"The site's identity {e.identity} may not open {path}.",
        f"{output_says(e, found[0])}.",
        f"Write to a folder that it may change (the deploy's shared\\data, shared\\media, shared\\logs), or grant it: `{command}`, then `{recycle(e)}`.",
        (command, recycle(e)),
    )


@RULES.cause("syntax-error")
def syntax_error(e: Evidence) -> Explanation | None:
    found = e.said(r"^((?:Syntax|Indentation|Tab)Error: .*)$")
    if not e.start_failed or not found:
        return None
    places = re.findall(r'File "([^"]+)", line (\d+)', e.output[: found.start()])
    where = f"{places[-1][0]}, line {places[-1][1]}" if places else e.output_file
    return Explanation(
        f"Python cannot read the application's code: {found[1]}.",
        f"{e.output_file} names {where}.",
        "Correct that line and deploy again; code for a later Python needs the deploy's `python` setting.",
    )


@RULES.general("exception-at-start")
def exception_at_start(e: Evidence) -> Explanation | None:
    found = e.said(r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Exit|Warning|Interrupt|Configured)): ?.*$")
    if not e.start_failed or not found:
        return None
    return Explanation(
        f"The application ends while it starts, with {found[0].strip()[:300]}",
        f"{output_says(e, e.last_lines)}; {start_evidence(e)}.",
        "Correct what this exception names and deploy again; the traceback stands in that log.",
    )


# -- how it failed, when nothing says why ---------------------------------------------------------------------------------------------------


@RULES.cause("start-too-slow")
def start_too_slow(e: Evidence) -> Explanation | None:
    """It runs, and does not listen in time."""
    codes = e.start_codes[:3]
    late = E_TIMEOUT in codes or E_ACTIVATION_TIMED_OUT in codes or "does not listen" in e.start.get("problem", "")
    waiting = e.timed_out and bool(e.running) and not e.start_failures
    if not e.start_failed or not (late or waiting) or e.heard or port_ignored(e) or listens_elsewhere(e):
        return None
    limit = e.start.get("timeout") or e.setting("startupTimeLimit") or "120"
    giver = "the deploy's `health` setting gives it (timeout)" if e.start else "startupTimeLimit gives it"
    more = "give it more there" if e.start else "raise startupTimeLimit in web.config (at most 3600)"
    last = f"; its last lines are: {e.last_lines}" if e.last_lines else ""
    return Explanation(
        f"The application does not listen on its port within the {limit} seconds that {giver}.",
        f"{start_evidence(e)}, while its process runs{last}.",
        f"Find what it waits for while starting (a database, a download, migrations), or {more}.",
    )


@RULES.general("rapid-fails")
def rapid_fails(e: Evidence) -> Explanation | None:
    """Nothing is tried any more within this minute, and nothing tells why the attempts failed."""
    if not e.start_failed or e.code != E_SERVER_DISABLED or e.start_codes or e.last_lines:
        return None
    limit = e.setting("rapidFailsPerMinute") or "10"
    return Explanation(
        f"The application's process has failed {limit} times within a minute, so HttpPlatformHandler does not start it again for now.",
        f"{start_evidence(e)}.",
        "Switch stdoutLogEnabled on in web.config to see why, then ask again after a minute.",
    )


@RULES.general("process-ended")
def process_ended(e: Evidence) -> Explanation | None:
    if not e.start_failed or not (e.start_failures or e.code or e.start):
        return None
    last = f"its last lines are: {e.last_lines}" if e.last_lines else "it printed nothing"
    hint = "" if e.logs_output or e.start else " Switch stdoutLogEnabled on in web.config to see what it prints."
    missing = {E_FILE_NOT_FOUND, E_PATH_NOT_FOUND} & set(e.start_codes)
    if missing:
        return Explanation(
            f"Windows does not find the program that web.config starts, or its folder: {e.program}.",
            f"{start_evidence(e)}.",
            "Correct processPath in web.config.",
        )
    return Explanation(
        "The application's process ends before it listens on its port.",
        f"{start_evidence(e)}; {last}.",
        f'Correct what it says, or run `"{e.program}" {e.arguments}` by hand in {e.folder} with HTTP_PLATFORM_PORT set.{hint}',
    )


# -- its log ------------------------------------------------------------------------------------------------------------------------------


@RULES.notice("log-not-written")
def log_not_written(e: Evidence) -> Explanation | None:
    """The process's output goes nowhere, though web.config wants a log."""
    folder = e.item("log")
    if not e.logs_output or not folder:
        return None
    event = next(iter(e.find_events("HttpPlatformHandler", 1004, since=timedelta(hours=24))), None)
    gone = not folder.exists and e.handler_version == 1
    denied = folder.lacks(WRITE)
    if not gone and not denied:
        return None
    command = grant(folder.path, e.identity, "M")
    commands = (f'mkdir "{folder.path}"', command, recycle(e)) if gone else (command, recycle(e))
    why = "does not exist" if gone else f"may not be written by the site's identity {e.identity}"
    told = f"; the event log has {event}" if event else ""
    return Explanation(
        f"What the application prints is lost, because the folder of its log {why}.",
        f"stdoutLogFile is {e.log_base}{told}.",
        f"{' and '.join(f'`{item}`' for item in commands)}.",
        commands,
    )


@RULES.notice("log-off")
def log_off(e: Evidence) -> Explanation | None:
    if e.healthy or e.start or not e.is_platform or e.logs_output or not e.setting("processPath"):
        return None
    return Explanation(
        "Nothing that the application prints is kept.",
        "stdoutLogEnabled is off in web.config.",
        "Switch stdoutLogEnabled on, with a stdoutLogFile in a folder that the site's identity may write.",
    )


@RULES.notice("data-access")
def data_access(e: Evidence) -> Explanation | None:
    lacking = [item for item in e.items if item.role == "shared" and item.lacks(MODIFY)]
    if not lacking:
        return None
    commands = tuple(grant(item.path, e.identity, "M") for item in lacking)
    return Explanation(
        f"The site's identity {e.identity} may not write to {', '.join(item.path for item in lacking)}.",
        "Its list of access does not grant it.",
        f"Run the deploy, which grants it, or {' and '.join(f'`{item}`' for item in commands)}.",
        commands,
    )
