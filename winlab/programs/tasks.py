"""tasklist.exe and taskkill.exe"""

from __future__ import annotations

import re
from collections.abc import Callable

from winlab.programs import tables
from winlab.windows.filesystem import wildcard
from winlab.windows.processes import Process, ProgramContext

Filter = Callable[[Process], bool]


def tasklist(ctx: ProgramContext) -> int:
    """/fo table|list|csv, /nh, /svc, /v and /fi filters on IMAGENAME, PID, SESSION, USERNAME, STATUS, SERVICES."""
    kind, headers, view = "table", True, ""
    filters: list[Filter] = []
    arguments = ctx.argv[1:]
    index = 0
    while index < len(arguments):
        option = arguments[index].lower().replace("-", "/", 1)
        value = arguments[index + 1] if index + 1 < len(arguments) else ""
        if option == "/fo" and value.lower() in ("table", "list", "csv"):
            kind, index = value.lower(), index + 1
        elif option == "/nh":
            headers = False
        elif option in ("/svc", "/v"):
            view = option
        elif option == "/fi":
            parsed = _filter(ctx, value)
            if parsed is None:
                return ctx.fail("ERROR: The search filter cannot be recognized.")
            filters.append(parsed)
            index += 1
        else:
            return ctx.fail(f"ERROR: Invalid argument/option - '{arguments[index]}'.\nType \"TASKLIST /?\" for usage.")
        index += 1
    found = [process for process in ctx.machine.processes.running() if all(check(process) for check in filters)]
    if not found:
        ctx.out("INFO: No tasks are running which match the specified criteria.\n")
        return 0
    columns, rows, widths, right = _view(ctx, view, found)
    if kind == "table":
        ctx.out("\n")
    ctx.out(tables.formatted(kind, columns, rows, headers, right, widths if kind == "table" else None))
    return 0


def _memory(process: Process) -> str:
    size = {0: 8, 4: 140}.get(process.pid, 4_000 + (process.pid * 37) % 9000)
    return f"{size:,} K"


def _view(
    ctx: ProgramContext, view: str, found: list[Process]
) -> tuple[list[str], list[list[str]], list[int], frozenset[int]]:
    if view == "/svc":
        rows = [[process.name, str(process.pid), _services_of(ctx, process) or "N/A"] for process in found]
        return ["Image Name", "PID", "Services"], rows, [25, 8, 44], frozenset({1})
    base = [[process.name, str(process.pid), "Services", "0", _memory(process)] for process in found]
    columns = ["Image Name", "PID", "Session Name", "Session#", "Mem Usage"]
    if view == "/v":
        for row, process in zip(base, found, strict=True):
            row += ["Unknown", process.user.name, "0:00:00", "N/A"]
        return (
            [*columns, "Status", "User Name", "CPU Time", "Window Title"],
            base,
            [25, 8, 16, 11, 12, 15, 50, 12, 72],
            frozenset({1, 3, 4, 7}),
        )
    return columns, base, [25, 8, 16, 11, 12], frozenset({1, 3, 4})


def _services_of(ctx: ProgramContext, process: Process) -> str:
    return ", ".join(
        service.name
        for service in ctx.machine.services.all()
        if service.process is process and service.status == "Running"
    )


def _filter(ctx: ProgramContext, text: str) -> Filter | None:
    match = re.fullmatch(r'\s*(\w+)\s+(eq|ne|gt|lt|ge|le)\s+"?([^"]*)"?\s*', text, re.IGNORECASE)
    if match is None:
        return None
    name, operator, value = match[1].upper(), match[2].lower(), match[3]
    texts: dict[str, Callable[[Process], str]] = {
        "IMAGENAME": lambda process: process.name,
        "USERNAME": lambda process: process.user.name if "\\" in value else process.user.username,
        "STATUS": lambda process: "RUNNING",
        "SERVICES": lambda process: _services_of(ctx, process),
    }
    numbers: dict[str, Callable[[Process], int]] = {
        "PID": lambda process: process.pid,
        "SESSION": lambda process: process.session_id,
    }
    if name in texts and operator in ("eq", "ne"):
        matches, get = wildcard(value), texts[name]
        return lambda process: matches(get(process)) == (operator == "eq")
    if name in numbers and value.isdigit():
        number, get_number = int(value), numbers[name]
        compare: dict[str, Callable[[int], bool]] = {
            "eq": lambda item: item == number,
            "ne": lambda item: item != number,
            "gt": lambda item: item > number,
            "lt": lambda item: item < number,
            "ge": lambda item: item >= number,
            "le": lambda item: item <= number,
        }
        return lambda process: compare[operator](get_number(process))
    return None


def taskkill(ctx: ProgramContext) -> int:
    """/pid, /im (with wildcards), /fi, /f, /t."""
    targets: list[tuple[str, str]] = []
    filters: list[Filter] = []
    force = tree = False
    arguments = ctx.argv[1:]
    index = 0
    while index < len(arguments):
        option = arguments[index].lower().replace("-", "/", 1)
        value = arguments[index + 1] if index + 1 < len(arguments) else ""
        if option in ("/pid", "/im"):
            targets.append((option, value))
            index += 1
        elif option == "/fi":
            parsed = _filter(ctx, value)
            if parsed is None:
                return ctx.fail("ERROR: The search filter cannot be recognized.")
            filters.append(parsed)
            index += 1
        elif option == "/f":
            force = True
        elif option == "/t":
            tree = True
        else:
            return ctx.fail(f"ERROR: Invalid argument/option - '{arguments[index]}'.\nType \"TASKKILL /?\" for usage.")
        index += 1
    if not targets and not filters:
        return ctx.fail(
            'ERROR: Invalid syntax. Neither /FI nor /PID nor /IM were specified.\nType "TASKKILL /?" for usage.'
        )
    code = 0
    for kind, value in targets or [("/im", "*")]:
        code = max(code, _end(ctx, kind, value, filters, force, tree))
    return code


def _end(ctx: ProgramContext, kind: str, value: str, filters: list[Filter], force: bool, tree: bool) -> int:
    if kind == "/pid":
        process = ctx.machine.processes.get(int(value)) if value.isdigit() else None
        found = [process] if process is not None else []
    else:
        matches = wildcard(value)
        found = [process for process in ctx.machine.processes.running() if matches(process.name)]
    found = [process for process in found if all(check(process) for check in filters)]
    if not found:
        ctx.err(f'ERROR: The process "{value}" not found.\n')
        return 128
    code = 0
    for process in found:
        label = f'"{process.name}" with PID {process.pid}' if kind == "/im" else f"with PID {process.pid}"
        foreign = process.user.sid != ctx.user.sid and not ctx.user.elevated
        if process.pid < 1000 or foreign:
            ctx.err(f"ERROR: The process {label} could not be terminated.\nReason: Access is denied.\n")
            code = 1
        elif not force:
            ctx.err(
                f"ERROR: The process {label} could not be terminated.\nReason: This process can only be terminated forcefully (with /F option).\n"
            )
            code = 1
        elif tree:
            for child in reversed(process.tree):
                ctx.out(
                    f"SUCCESS: The process with PID {child.pid} (child process of PID {child.parent.pid if child.parent else 0}) has been terminated.\n"
                )
            process.kill(tree=True)
        else:
            ctx.out(f"SUCCESS: The process {label} has been terminated.\n")
            process.kill()
    return code
