"""systeminfo, shutdown, timeout, chcp, setx, wevtutil, and programs that the lab refuses by name."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from winlab.programs import tables
from winlab.windows.errors import WindowsError
from winlab.windows.eventlog import Event
from winlab.windows.processes import ProgramContext, codepage_encoding


def systeminfo(ctx: ProgramContext) -> int:
    """/fo table|list|csv, /nh"""
    arguments = [item.lower() for item in ctx.argv[1:]]
    kind = arguments[arguments.index("/fo") + 1] if "/fo" in arguments[:-1] else "list"
    rest = [item for item in arguments if item not in ("/fo", "/nh", kind)]
    if rest or kind not in ("table", "list", "csv"):
        return ctx.fail(f"ERROR: Invalid argument/option - '{(rest or [kind])[0]}'.\nType \"SYSTEMINFO /?\" for usage.")
    machine, windows = ctx.machine, ctx.machine.windows
    stamp = "%m/%d/%Y, %I:%M:%S %p"
    fields = {
        "Host Name": machine.name,
        "OS Name": windows.caption,
        "OS Version": f"{windows.version} N/A Build {windows.build}",
        "OS Manufacturer": "Microsoft Corporation",
        "OS Configuration": "Standalone Server" if windows.is_server else "Standalone Workstation",
        "OS Build Type": "Multiprocessor Free",
        "Registered Owner": "Windows User",
        "Registered Organization": "",
        "Product ID": str(
            machine.registry.get("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "ProductId", "")
        ),
        "Original Install Date": machine.install_time.strftime(stamp),
        "System Boot Time": machine.boot_time.strftime(stamp),
        "System Manufacturer": "winlab",
        "System Model": "Simulated Server",
        "System Type": "x64-based PC",
        "Processor(s)": "1 Processor(s) Installed.",
        "BIOS Version": "winlab 1.0, 1/1/2020",
        "Windows Directory": "C:\\Windows",
        "System Directory": "C:\\Windows\\system32",
        "Boot Device": "\\Device\\HarddiskVolume1",
        "System Locale": "en-us;English (United States)",
        "Input Locale": "en-us;English (United States)",
        "Time Zone": "(UTC) Coordinated Universal Time",
        "Total Physical Memory": "8,192 MB",
        "Available Physical Memory": "6,144 MB",
        "Virtual Memory: Max Size": "9,472 MB",
        "Virtual Memory: Available": "7,424 MB",
        "Virtual Memory: In Use": "2,048 MB",
        "Page File Location(s)": "C:\\pagefile.sys",
        "Domain": "WORKGROUP",
        "Logon Server": f"\\\\{machine.name}",
        "Hotfix(s)": "N/A",
        "Network Card(s)": f"1 NIC(s) Installed. [01]: winlab Network Adapter {machine.address}",
    }
    if kind == "list":
        ctx.out("\n" + "".join(f"{name + ':':<27}{value}\n" for name, value in fields.items()))
    else:
        ctx.out(
            ("\n" if kind == "table" else "")
            + tables.formatted(kind, list(fields), [list(fields.values())], "/nh" not in arguments)
        )
    return 0


def shutdown(ctx: ProgramContext) -> int:
    """/r or /s with /t SECONDS, /f, /c COMMENT, /d REASON; /a"""
    arguments = ctx.argv[1:]
    action, seconds, comment = "", 30, ""
    index = 0
    while index < len(arguments):
        option = arguments[index].lower().replace("-", "/", 1)
        value = arguments[index + 1] if index + 1 < len(arguments) else ""
        if option in ("/r", "/s", "/a", "/g"):
            action = option[1]
        elif option == "/t" and value.isdigit():
            seconds, index = int(value), index + 1
        elif option in ("/c", "/d"):
            comment, index = (value if option == "/c" else comment), index + 1
        elif option == "/p":
            action, seconds = "s", 0
        elif option != "/f":
            return ctx.fail(f"shutdown {arguments[index]} is not simulated by this lab.", 87)
        index += 1
    if not action:
        return ctx.fail('Usage: shutdown [/r | /s | /a | /p] [/f] [/t xxx] [/c "comment"]', 1)
    if not ctx.user.elevated:
        return ctx.fail("Access is denied.(5)", 5)
    try:
        if action == "a":
            ctx.machine.abort_shutdown()
        else:
            ctx.machine.schedule_shutdown(seconds, action in ("r", "g"), comment, ctx.user.name)
    except WindowsError as exc:
        return ctx.fail(f"{exc.message}({exc.code})", exc.code)
    return 0


def timeout(ctx: ProgramContext) -> int:
    """timeout /t SECONDS [/nobreak]; without a console for input it refuses, as the real one does."""
    text = " ".join(ctx.argv[1:]).lower()
    match = re.search(r"(?:/t\s+)?(-?\d+)", text)
    if match is None:
        return ctx.fail(
            "ERROR: Invalid syntax. Default option is not allowed more than '1' time(s).\nType \"TIMEOUT /?\" for usage."
        )
    if ctx.stdin is not None:
        return ctx.fail("ERROR: Input redirection is not supported, exiting the process immediately.")
    ctx.sleep(max(0, int(match[1])))
    return 0


def chcp(ctx: ProgramContext) -> int:
    """chcp [NUMBER]"""
    if len(ctx.argv) < 2:
        ctx.out(f"Active code page: {ctx.console.output_codepage}\n")
        return 0
    try:
        number = int(ctx.argv[1])
        codepage_encoding(number)
    except (ValueError, WindowsError):
        return ctx.fail(
            "Invalid code page" if ctx.argv[1].isdigit() else f"Parameter format not correct - {ctx.argv[1]}"
        )
    ctx.console.output_codepage = ctx.console.input_codepage = number
    ctx.out(f"Active code page: {number}\n")
    return 0


def setx(ctx: ProgramContext) -> int:
    """setx NAME VALUE [/m]"""
    arguments = [item for item in ctx.argv[1:] if item.lower() not in ("/m", "-m")]
    whole = len(arguments) < len(ctx.argv) - 1
    if len(arguments) != 2 or any(item.startswith("/") for item in arguments):
        return ctx.fail('ERROR: Invalid syntax.\nType "SETX /?" for usage.')
    name, value = arguments
    path = (
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
        if whole
        else f"HKU\\{ctx.user.sid}\\Environment"
    )
    try:
        if whole:
            ctx.machine.registry.require_write(path, ctx.user)
        if len(value) > 1024:
            ctx.out("\nWARNING: The data being saved is truncated to 1024 characters.\n")
        kind = "ExpandString" if "%" in value else "String"
        ctx.machine.registry.create(path).set(name, value[:1024], kind)
    except WindowsError as exc:
        return ctx.fail(f"ERROR: {'Access to the registry path is denied.' if exc.code == 5 else exc.message}")
    ctx.out("\nSUCCESS: Specified value was saved.\n")
    return 0


def wevtutil(ctx: ProgramContext) -> int:
    """el, qe LOG [/c:n] [/rd:true] [/f:text|xml] [/q:*[System[...]]] by Provider, EventID and Level, cl LOG, gl LOG"""
    verb = ctx.argv[1].lower() if len(ctx.argv) > 1 else ""
    log = ctx.machine.eventlog
    try:
        if verb in ("el", "enum-logs"):
            ctx.out("".join(name + "\n" for name in log.logs))
            return 0
        if verb in ("qe", "query-events") and len(ctx.argv) > 2:
            return _query(ctx)
        if verb in ("cl", "clear-log") and len(ctx.argv) > 2:
            if not ctx.user.elevated:
                return ctx.fail(f"Failed to clear log {ctx.argv[2]}.\nAccess is denied.", 5)
            log.clear(ctx.argv[2])
            return 0
    except WindowsError:
        return ctx.fail("The specified channel could not be found. Check channel configuration.", 15007)
    return ctx.fail(f"wevtutil {verb}: this lab knows el, qe and cl.", 87)


def _query(ctx: ProgramContext) -> int:
    options = dict(item[1:].partition(":")[::2] for item in ctx.argv[3:])
    options = {name.lower(): value for name, value in options.items()}
    unknown = options.keys() - {"c", "count", "rd", "reversedirection", "f", "format", "q", "query", "e", "element"}
    if unknown:
        return ctx.fail(f"wevtutil qe /{sorted(unknown)[0]} is not simulated by this lab.", 87)
    events = ctx.machine.eventlog.entries(ctx.argv[2])
    query = options.get("q", options.get("query", "*"))
    if query != "*":
        selected = _select(query)
        if selected is None:
            return ctx.fail("The specified query is invalid, or uses what this lab does not simulate.", 15001)
        providers, ids, levels = selected
        events = [
            event
            for event in events
            if (not providers or event.source in providers)
            and (not ids or event.event_id in ids)
            and (not levels or event.level_number in levels)
        ]
    if options.get("rd", options.get("reversedirection", "false")).lower() == "true":
        events.reverse()
    count = options.get("c", options.get("count", ""))
    if count.isdigit():
        events = events[: int(count)]
    text = options.get("f", options.get("format", "xml")).lower() == "text"
    for index, event in enumerate(events):
        ctx.out(_text(event, index) if text else _xml(event) + "\n")
    return 0


def _select(query: str) -> tuple[set[str], set[int], set[int]] | None:
    """Provider names, ids and levels of `*[System[Provider[@Name='x'] and (EventID=1 or EventID=2) and (Level=2)]]`."""
    match = re.fullmatch(r"\s*(?:\*|Event)\[System\[(.*)\]\]\s*", query, re.DOTALL)
    if match is None:
        return None
    body = match[1]
    providers = set(re.findall(r"@Name\s*=\s*['\"]([^'\"]+)['\"]", body))
    ids = {int(item) for item in re.findall(r"EventID\s*=\s*(\d+)", body)}
    levels = {int(item) for item in re.findall(r"Level\s*=\s*(\d+)", body)}
    left = re.sub(
        r"Provider\[(?:\s*@Name\s*=\s*['\"][^'\"]+['\"]\s*(?:or)?)+\]|EventID\s*=\s*\d+|Level\s*=\s*\d+|\band\b|\bor\b|[()\s]",
        "",
        body,
    )
    return None if left else (providers, ids, levels)


def _text(event: Event, index: int) -> str:
    return (
        f"Event[{index}]:\n  Log Name: {event.log}\n  Source: {event.source}\n  Date: {event.time:%Y-%m-%dT%H:%M:%S}.{event.time.microsecond // 1000:03d}\n"
        f"  Event ID: {event.event_id}\n  Task: N/A\n  Level: {event.level}\n  Opcode: N/A\n  Keyword: Classic\n  User: {event.user or 'N/A'}\n"
        f"  User Name: {event.user or 'N/A'}\n  Computer: {event.computer}\n  Description: \n{event.message}\n\n"
    )


def _xml(event: Event) -> str:
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{escape(event.source)}'/><EventID "
        f"Qualifiers='0'>{event.event_id}</EventID><Level>{event.level_number}</Level><Task>{event.category}</Task>"
        "<Keywords>0x80000000000000</Keywords><TimeCreated "
        f"SystemTime='{event.time:%Y-%m-%dT%H:%M:%S.%f}000Z'/><EventRecordID>{event.record_id}</EventRecordID>"
        f"<Channel>{escape(event.log)}</Channel><Computer>{event.computer}</Computer><Security/></System>"
        f"<EventData><Data>{escape(event.message)}</Data></EventData></Event>"
    )


def refused(ctx: ProgramContext) -> int:
    """A program of Windows that the lab does not simulate."""
    return ctx.fail(f"{ctx.process.name}: this program is not simulated by this lab.")
