"""where, attrib, takeown, certutil (hashes and base64), xcopy: programs about files."""

from __future__ import annotations

import base64
import hashlib

from winlab.windows import filesystem
from winlab.windows.acl import Acl
from winlab.windows.errors import WindowsError
from winlab.windows.filesystem import wildcard
from winlab.windows.processes import ProgramContext


def where(ctx: ProgramContext) -> int:
    """where [/q] [/r FOLDER] PATTERN...: files in the current directory and on PATH."""
    quiet, root = False, ""
    patterns: list[str] = []
    arguments = ctx.argv[1:]
    index = 0
    while index < len(arguments):
        option = arguments[index].lower()
        if option == "/q":
            quiet = True
        elif option == "/r" and index + 1 < len(arguments):
            root, index = arguments[index + 1], index + 1
        elif option.startswith("/"):
            return ctx.fail(
                f"ERROR: Invalid argument or option - '{arguments[index]}'.\nType \"WHERE /?\" for usage help.", 2
            )
        else:
            patterns.append(arguments[index])
        index += 1
    if not patterns:
        return ctx.fail('ERROR: The syntax of the command is incorrect.\nType "WHERE /?" for usage help.', 2)
    code = 0
    for pattern in patterns:
        found = _found(ctx, pattern, root)
        if not found:
            code = 1
            if not quiet:
                ctx.err("INFO: Could not find files for the given pattern(s).\n")
        elif not quiet:
            ctx.out("".join(path + "\n" for path in found))
    return code


def _found(ctx: ProgramContext, pattern: str, root: str) -> list[str]:
    fs = ctx.machine.fs
    names = [pattern] + (
        [pattern + extension for extension in ctx.env.get("PATHEXT", "").split(";")] if "." not in pattern else []
    )
    checks = [wildcard(name) for name in names]
    if root:
        return [
            entry.path
            for _, _, files in fs.walk(ctx.resolve(root), ctx.user)
            for entry in files
            if any(check(entry.name) for check in checks)
        ]
    result: list[str] = []
    for folder in [ctx.cwd, *(item for item in ctx.env.get("PATH", "").split(";") if item)]:
        try:
            entries = fs.listdir(fs.resolve(folder.strip('"'), ctx.cwd), ctx.user)
        except WindowsError:
            continue
        for entry in entries:
            if not entry.is_dir and any(check(entry.name) for check in checks) and entry.path not in result:
                result.append(entry.path)
    return result


_LETTERS = {
    "r": filesystem.READONLY,
    "h": filesystem.HIDDEN,
    "s": filesystem.SYSTEM,
    "a": filesystem.ARCHIVE,
    "i": filesystem.NOT_CONTENT_INDEXED,
}


def attrib(ctx: ProgramContext) -> int:
    """attrib [+|-r|a|s|h|i] [NAME] [/s] [/d]"""
    fs = ctx.machine.fs
    add = remove = 0
    name, deep, folders = "*", False, False
    for argument in ctx.argv[1:]:
        lowered = argument.lower()
        if len(argument) == 2 and argument[0] in "+-":
            if lowered[1] not in _LETTERS:
                return ctx.fail(f"Parameter format not correct - {argument}")
            add, remove = (
                (add | _LETTERS[lowered[1]], remove) if argument[0] == "+" else (add, remove | _LETTERS[lowered[1]])
            )
        elif lowered in ("/s", "/d", "/l"):
            deep, folders = deep or lowered == "/s", folders or lowered == "/d"
        else:
            name = argument
    try:
        full = ctx.resolve(name)
        folder, _, pattern = full.rpartition("\\")
        exact = "*" not in pattern and "?" not in pattern
        entries = [fs.stat(full)] if exact and not deep else fs.glob(folder + "\\", pattern, ctx.user)
        if deep:
            check = wildcard(pattern)
            entries = [
                entry
                for _, below, files in fs.walk(folder + "\\", ctx.user)
                for entry in (*(below if folders else ()), *files)
                if check(entry.name)
            ]
        for entry in entries:
            if add or remove:
                fs.set_attributes(entry.path, (entry.attributes | add) & ~remove, ctx.user)
            elif exact or not entry.is_dir or folders:
                shown = "".join(letter.upper() if entry.attributes & _LETTERS[letter] else " " for letter in "ashri")
                ctx.out(f"{shown[0]}  {shown[1]}{shown[2]}{shown[3]}  {shown[4]}            {entry.path}\n")
        if not entries:
            ctx.out(f"File not found - {name}\n")
    except WindowsError as exc:
        ctx.out(f"File not found - {name}\n" if exc.code in (2, 3) else f"{exc.message} - {name}\n")
        return 1 if exc.code not in (2, 3) else 0
    return 0


def takeown(ctx: ProgramContext) -> int:
    """takeown /f NAME [/a] [/r [/d y]]"""
    arguments = [item.lower() for item in ctx.argv[1:]]
    if "/f" not in arguments or arguments.index("/f") + 1 >= len(arguments):
        return ctx.fail('ERROR: Invalid syntax. Mandatory option /F is missing.\nType "TAKEOWN /?" for usage.')
    name = ctx.argv[2 + arguments.index("/f")]
    owner = "S-1-5-32-544" if "/a" in arguments else ctx.user.sid
    fs = ctx.machine.fs
    if not ctx.user.elevated:
        return ctx.fail("ERROR: The current logged on user does not have administrative privileges.")
    try:
        full = ctx.resolve(name)
        paths = [full]
        fs.stat(full)
        if "/r" in arguments and fs.is_dir(full):
            paths += [entry.path for _, folders, files in fs.walk(full) for entry in (*folders, *files)]
        for path in paths:
            current = fs.get_acl(path)
            fs.set_acl(path, Acl(owner, current.aces, current.group, current.protected))
            ctx.out(
                f'\nSUCCESS: The file (or folder): "{path}" now owned by user "{ctx.machine.accounts.name_of(owner)}".\n'
            )
    except WindowsError as exc:
        return ctx.fail(f"ERROR: {exc.message}")
    return 0


_HASHES = ("MD2", "MD4", "MD5", "SHA1", "SHA256", "SHA384", "SHA512")


def certutil(ctx: ProgramContext) -> int:
    """-hashfile FILE [ALGORITHM], -encode IN OUT, -decode IN OUT, -store [NAME]; the rest is refused."""
    arguments = ctx.argv[1:]
    flags = [item.lower() for item in arguments if item.lower() in ("-f", "/f", "-v")]
    arguments = [item for item in arguments if item.lower() not in ("-f", "/f", "-v")]
    verb = arguments[0].lower().replace("/", "-", 1) if arguments else ""
    try:
        if verb == "-hashfile" and len(arguments) in (2, 3):
            return _hash(ctx, arguments[1], arguments[2].upper() if len(arguments) > 2 else "SHA1")
        if verb in ("-encode", "-decode") and len(arguments) == 3:
            return _encode(ctx, verb, arguments[1], arguments[2], bool(flags))
        if verb == "-store":
            return _store(ctx, arguments[1] if len(arguments) > 1 else "My")
    except WindowsError as exc:
        hresult = exc.hresult & 0xFFFFFFFF
        ctx.out(
            f"CertUtil: {verb} command FAILED: 0x{hresult:08x} (WIN32: {exc.code} {_NAMES.get(exc.code, 'ERROR')})\nCertUtil: {exc.message}\n"
        )
        return exc.hresult
    ctx.out(
        f"CertUtil: Unknown verb or arguments: {' '.join(arguments)} (this lab knows -hashfile, -encode, -decode, -store)\n"
    )
    return -2147024809


_NAMES = {
    2: "ERROR_FILE_NOT_FOUND",
    3: "ERROR_PATH_NOT_FOUND",
    5: "ERROR_ACCESS_DENIED",
    32: "ERROR_SHARING_VIOLATION",
    80: "ERROR_FILE_EXISTS",
    87: "ERROR_INVALID_PARAMETER",
    13: "ERROR_INVALID_DATA",
}


def _hash(ctx: ProgramContext, name: str, algorithm: str) -> int:
    if algorithm not in _HASHES or algorithm in ("MD2", "MD4"):
        raise WindowsError(87)
    data = ctx.machine.fs.read_bytes(ctx.resolve(name), ctx.user)
    digest = hashlib.new(algorithm.lower(), data, usedforsecurity=False).hexdigest()
    ctx.out(f"{algorithm} hash of {name}:\n{digest}\nCertUtil: -hashfile command completed successfully.\n")
    return 0


def _encode(ctx: ProgramContext, verb: str, source: str, target: str, force: bool) -> int:
    fs = ctx.machine.fs
    data = fs.read_bytes(ctx.resolve(source), ctx.user)
    if fs.exists(ctx.resolve(target)) and not force:
        raise WindowsError(80)
    if verb == "-encode":
        text = base64.b64encode(data).decode()
        lines = [text[i : i + 64] for i in range(0, len(text), 64)]
        result = "".join(
            line + "\r\n" for line in ("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----")
        ).encode()
    else:
        body = b"".join(line for line in data.splitlines() if not line.startswith(b"-----"))
        try:
            result = base64.b64decode(body, validate=True)
        except ValueError:
            raise WindowsError(13) from None
    fs.write_bytes(ctx.resolve(target), result, ctx.user)
    ctx.out(
        f"Input Length = {len(data)}\nOutput Length = {len(result)}\nCertUtil: {verb} command completed successfully.\n"
    )
    return 0


def _store(ctx: ProgramContext, name: str) -> int:
    found = ctx.machine.certificates.all(name)
    ctx.out(f'{name} "Personal"\n' if name.lower() == "my" else f"{name}\n")
    for index, certificate in enumerate(found):
        thumbprint = certificate.thumbprint.lower()
        ctx.out(
            f"================ Certificate {index} ================\nSerial Number: {certificate.serial_number.lower()}\nIssuer: {certificate.issuer}\n"
            f" NotBefore: {certificate.not_before:%m/%d/%Y %I:%M %p}\n NotAfter: {certificate.not_after:%m/%d/%Y %I:%M %p}\nSubject: {certificate.subject}\n"
            f"Cert Hash(sha1): {thumbprint}\n\n"
        )
    ctx.out("CertUtil: -store command completed successfully.\n")
    return 0


def xcopy(ctx: ProgramContext) -> int:
    """/s /e /i /y /q /h /r /k /c /f /d (newer files only): copies files and folders."""
    switches = [item.lower() for item in ctx.argv[1:] if item.startswith("/")]
    operands = [item for item in ctx.argv[1:] if not item.startswith("/")]
    known = {"/s", "/e", "/i", "/y", "/-y", "/q", "/h", "/r", "/k", "/c", "/f", "/d", "/v"}
    unknown = next((item for item in switches if item not in known), None)
    if unknown:
        return ctx.fail(f"Invalid switch - {unknown}: not simulated by this lab.\n0 File(s) copied", 4)
    if not operands or len(operands) > 2:
        return ctx.fail("Invalid number of parameters\n0 File(s) copied", 4)
    fs = ctx.machine.fs
    source = ctx.resolve(operands[0]).rstrip("\\")
    target = ctx.resolve(operands[1] if len(operands) > 1 else ".")
    folder, pattern = (source, "*") if fs.is_dir(source) else (source.rpartition("\\")[0], source.rpartition("\\")[2])
    if not fs.is_dir(folder) or (not fs.is_dir(source) and not fs.glob(folder + "\\", pattern)):
        return ctx.fail(f"File not found - {pattern}\n0 File(s) copied", 4)
    if (
        not fs.is_dir(target)
        and not target.endswith("\\")
        and "/i" not in switches
        and (fs.is_dir(source) or "*" in pattern)
    ):
        return ctx.fail(
            f"Does {operands[1]} specify a file name or directory name on the target: give /i, a question is not simulated by this lab.",
            4,
        )
    single = fs.is_file(source) and not fs.is_dir(target) and not target.endswith("\\")
    count = 0
    check = wildcard(pattern)
    try:
        for current, _, files in fs.walk(folder, ctx.user):
            below = current[len(folder) :].strip("\\")
            if below and not {"/s", "/e"} & set(switches):
                break
            destination = f"{target.rstrip(chr(92))}\\{below}".rstrip("\\")
            wanted = [entry for entry in files if check(entry.name)]
            if not single and (wanted or "/e" in switches):
                fs.mkdir(destination, parents=True, user=ctx.user)
            for entry in wanted:
                path = target if single else f"{destination}\\{entry.name}"
                if "/d" in switches and fs.exists(path) and fs.stat(path).modified >= entry.modified:
                    continue
                fs.copy(entry.path, path, True, ctx.user)
                count += 1
                if "/q" not in switches:
                    ctx.out(f"{entry.path}\n")
    except WindowsError as exc:
        ctx.out(f"{count} File(s) copied\n")
        return ctx.fail(exc.message, 4)
    ctx.out(f"{count} File(s) copied\n")
    return 0
