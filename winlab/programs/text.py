"""find, findstr, sort, more: filters over text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winlab.windows.errors import WindowsError
from winlab.windows.processes import ProgramContext


def _decode(ctx: ProgramContext, data: bytes) -> str:
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le", "replace")
    return data.decode(ctx.console.encoding, "replace")


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _inputs(ctx: ProgramContext, names: list[str]) -> Iterator[tuple[str, str | WindowsError]]:
    """(name as typed or '', text or error) of files with wildcards, or of standard input."""
    if not names:
        yield "", _decode(ctx, ctx.read_all())
        return
    fs = ctx.machine.fs
    for name in names:
        try:
            full = ctx.resolve(name)
            if "*" in full or "?" in full:
                folder, _, pattern = full.rpartition("\\")
                prefix = name.replace("/", "\\").rpartition("\\")
                found = [
                    (prefix[0] + prefix[1] + entry.name, entry.path)
                    for entry in fs.glob(folder + "\\", pattern, ctx.user)
                    if not entry.is_dir
                ]
                if not found:
                    raise WindowsError(2)
            else:
                found = [(name, full)]
            for shown, path in found:
                yield shown, _decode(ctx, fs.read_bytes(path, ctx.user))
        except WindowsError as exc:
            yield name, exc


def find(ctx: ProgramContext) -> int:
    """find [/v] [/c] [/n] [/i] "string" [files]"""
    rest = ctx.command_line.split(None, 1)[1] if len(ctx.command_line.split(None, 1)) > 1 else ""
    match = re.search(r'"((?:[^"]|"")*)"', rest)
    if match is None:
        return ctx.fail("FIND: Parameter format not correct", 2)
    wanted = match[1].replace('""', '"')
    others = (rest[: match.start()] + " " + rest[match.end() :]).split()
    switches = {item.lower() for item in others if item.startswith("/")}
    if unknown := switches - {"/v", "/c", "/n", "/i", "/off", "/offline"}:
        return ctx.fail(f"FIND: Invalid switch {sorted(unknown)[0]}", 2)
    needle = wanted.lower() if "/i" in switches else wanted
    total = 0
    for name, text in _inputs(ctx, [item for item in others if not item.startswith("/")]):
        if isinstance(text, WindowsError):
            ctx.err(f"File not found - {name.upper()}\n")
            continue
        hits = [
            (i, line)
            for i, line in enumerate(_lines(text), 1)
            if (needle in (line.lower() if "/i" in switches else line)) != ("/v" in switches)
        ]
        total += len(hits)
        if "/c" in switches:
            ctx.out(f"\n---------- {name.upper()}: {len(hits)}\n" if name else f"{len(hits)}\n")
            continue
        if name:
            ctx.out(f"\n---------- {name.upper()}\n")
        ctx.out("".join((f"[{i}]" if "/n" in switches else "") + line + "\n" for i, line in hits))
    return 0 if total else 1


def findstr(ctx: ProgramContext) -> int:
    """/i /v /n /m /x /b /e /r /l /s /c:text /g:file /o: lines by words or expressions."""
    switches: set[str] = set()
    literals: list[str] = []
    operands: list[str] = []
    for argument in ctx.argv[1:]:
        lowered = argument.lower()
        if argument[:1] in ("/", "-") and len(argument) > 1 and not operands:
            if lowered[1:3] == "c:":
                literals.append(argument[3:])
                continue
            if lowered[1:3] == "g:":
                try:
                    literals += _lines(_decode(ctx, ctx.machine.fs.read_bytes(ctx.resolve(argument[3:]), ctx.user)))
                except WindowsError:
                    return ctx.fail(f"FINDSTR: Cannot open {argument[3:]}", 2)
                continue
            letters = set(lowered[1:].replace("/", "").replace("offline", "").replace("off", ""))
            if unknown := letters - set("ivnmxberlsop"):
                return ctx.fail(f"FINDSTR: /{sorted(unknown)[0]} ignored: not simulated by this lab", 2)
            switches |= letters
        else:
            operands.append(argument)
    by_words = not literals
    if by_words:
        if not operands:
            return ctx.fail("FINDSTR: Bad command line", 2)
        literals = operands.pop(0).split(" ")
    expression = "r" in switches or (
        "l" not in switches and by_words and any(c in "".join(literals) for c in ".*[^$\\")
    )
    patterns = [_pattern(text, expression, switches) for text in literals if text or not by_words]
    names = operands
    if "s" in switches:
        names = [entry.path for item in operands for entry in _below(ctx, item)]
    matched = False
    for name, text in _inputs(ctx, names):
        if isinstance(text, WindowsError):
            ctx.err(f"FINDSTR: Cannot open {name}\n")
            continue
        many = len(names) > 1 or any("*" in item or "?" in item for item in names)
        for number, line in enumerate(_lines(text), 1):
            if any(pattern.search(line) for pattern in patterns) == ("v" in switches):
                continue
            matched = True
            if "m" in switches:
                ctx.out(name + "\n")
                break
            ctx.out((f"{name}:" if many else "") + (f"{number}:" if "n" in switches else "") + line + "\n")
    return 0 if matched else 1


def _below(ctx: ProgramContext, name: str) -> list:
    from winlab.windows.filesystem import wildcard

    folder, _, pattern = ctx.resolve(name).rpartition("\\")
    check = wildcard(pattern)
    return [
        entry for _, _, files in ctx.machine.fs.walk(folder + "\\", ctx.user) for entry in files if check(entry.name)
    ]


def _pattern(text: str, expression: bool, switches: set[str]) -> re.Pattern[str]:
    """findstr's own expressions: . * ^ $ [class] [^class] \\x \\< \\>."""
    result = ""
    index = 0
    while index < len(text):
        char = text[index]
        if not expression:
            if char == "\\" and index + 1 < len(text) and text[index + 1] in '\\"':
                index += 1
                char = text[index]
            result += re.escape(char)
        elif char == "\\" and index + 1 < len(text):
            index += 1
            result += {"<": r"\b(?=\w)", ">": r"\b(?<=\w)"}.get(text[index], re.escape(text[index]))
        elif char == "[" and "]" in text[index + 1 :]:
            end = text.index("]", index + 1)
            body = text[index + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            result += f"[{body}]"
            index = end
        elif char in ".*^$":
            result += char
        else:
            result += re.escape(char)
        index += 1
    if "x" in switches:
        result = f"^(?:{result})$"
    elif "b" in switches:
        result = f"^(?:{result})"
    elif "e" in switches:
        result = f"(?:{result})$"
    return re.compile(result, re.IGNORECASE if "i" in switches else 0)


def sort(ctx: ProgramContext) -> int:
    """sort [/r] [/unique] [/+n] [file] [/o file]"""
    reverse, unique, start, output = False, False, 0, ""
    names: list[str] = []
    arguments = ctx.argv[1:]
    index = 0
    while index < len(arguments):
        option = arguments[index].lower()
        if option in ("/r", "/reverse"):
            reverse = True
        elif option in ("/u", "/unique", "/uniq"):
            unique = True
        elif match := re.fullmatch(r"/\+(\d+)", option):
            start = int(match[1]) - 1
        elif option in ("/o", "/output") and index + 1 < len(arguments):
            output, index = arguments[index + 1], index + 1
        elif option.startswith("/"):
            return ctx.fail(f"Invalid switch: {arguments[index]} is not simulated by this lab.")
        else:
            names.append(arguments[index])
        index += 1
    lines: list[str] = []
    for name, text in _inputs(ctx, names):
        if isinstance(text, WindowsError):
            return ctx.fail(f"{name}{text.message}")
        lines += _lines(text)
    lines.sort(key=lambda line: line[start:].lower(), reverse=reverse)
    if unique:
        seen: set[str] = set()
        lines = [line for line in lines if not (line.lower() in seen or seen.add(line.lower()))]  # type: ignore[func-returns-value]
    result = "".join(line + "\n" for line in lines)
    if output:
        ctx.machine.fs.write_bytes(ctx.resolve(output), ctx.encode(result), ctx.user)
    else:
        ctx.out(result)
    return 0


def more(ctx: ProgramContext) -> int:
    """more [file...]: everything at once, as when output is not a console."""
    for name, text in _inputs(ctx, [item for item in ctx.argv[1:] if not item.startswith(("/", "+"))]):
        if isinstance(text, WindowsError):
            return ctx.fail(f"Cannot access file {ctx.resolve(name)}")
        ctx.out("".join(line + "\n" for line in _lines(text)))
    return 0
