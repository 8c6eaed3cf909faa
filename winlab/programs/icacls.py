"""icacls.exe: shows and changes access control lists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from winlab.windows import acl
from winlab.windows.acl import Ace, Acl
from winlab.windows.errors import WindowsError
from winlab.windows.processes import ProgramContext

_SIMPLE = {
    "F": acl.FULL_CONTROL,
    "M": acl.MODIFY,
    "RX": acl.READ_AND_EXECUTE,
    "R": acl.READ,
    "W": acl.WRITE,
    "D": 0x110000,
    "N": 0,
}
_SPECIFIC = {
    "DE": acl.DELETE,
    "RC": acl.READ_CONTROL,
    "WDAC": acl.WRITE_DAC,
    "WO": acl.WRITE_OWNER,
    "S": acl.SYNCHRONIZE,
    "AS": 0x1000000,
    "MA": 0x2000000,
    "GR": acl.GENERIC_READ,
    "GW": acl.GENERIC_WRITE,
    "GE": acl.GENERIC_EXECUTE,
    "GA": acl.GENERIC_ALL,
    "RD": acl.READ_DATA,
    "WD": acl.WRITE_DATA,
    "AD": acl.APPEND_DATA,
    "REA": acl.READ_EA,
    "WEA": acl.WRITE_EA,
    "X": acl.EXECUTE,
    "DC": acl.DELETE_CHILD,
    "RA": acl.READ_ATTRIBUTES,
    "WA": acl.WRITE_ATTRIBUTES,
}
_SHARED = acl.SYNCHRONIZE | acl.READ_CONTROL
_FLAGS = {"OI": "object_inherit", "CI": "container_inherit", "IO": "inherit_only", "NP": "no_propagate"}
_REFUSED = ("/save", "/restore", "/substitute", "/findsid", "/verify", "/setintegritylevel")


@dataclass
class _Change:
    """One option of the command line. kind: grant, grant:r, deny, remove, remove:g, remove:d, inheritance, setowner or reset."""

    kind: str
    value: str = ""
    aces: list[Ace] = field(default_factory=list)


class _Failure(Exception):
    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def main(ctx: ProgramContext) -> int:
    """icacls NAME [/grant[:r] ...] [/deny ...] [/remove[:g|:d] ...] [/inheritance:e|d|r] [/setowner USER] [/reset] [/T] [/C] [/L] [/Q]."""
    arguments = ctx.argv[1:]
    if not arguments or arguments[0] in ("/?", "-?"):
        ctx.out(
            "\nICACLS name [/grant[:r] Sid:perm[...]] [/deny Sid:perm [...]] "
            "[/remove[:g|:d]] Sid[...]] [/inheritance:e|d|r] [/setowner user] [/reset] [/T] [/C] [/L] [/Q]\n"
        )
        return 0 if arguments else 87
    try:
        changes, switches = _parse(ctx, arguments[1:])
    except _Failure as exc:
        ctx.err(f"{exc}\n")
        if exc.code == 1332:
            ctx.out("Successfully processed 0 files; Failed to process 1 files\n")
        return exc.code
    with ctx.machine.fs.batch():
        return _run(ctx, arguments[0], changes, switches)


def _parse(ctx: ProgramContext, arguments: list[str]) -> tuple[list[_Change], set[str]]:
    changes: list[_Change] = []
    switches: set[str] = set()
    index = 0
    while index < len(arguments):
        option = arguments[index].lower()
        index += 1
        if option in ("/t", "/c", "/l", "/q"):
            switches.add(option[1])
            continue
        if option.split(":")[0] in _REFUSED:
            raise _Failure(f"{arguments[index - 1]}: not simulated by this lab.", 87)
        if match := re.fullmatch(r"/inheritance:([edr])", option):
            changes.append(_Change("inheritance", match[1]))
        elif option == "/reset":
            changes.append(_Change("reset"))
        elif option == "/setowner" and index < len(arguments):
            changes.append(_Change("setowner", _sid(ctx, arguments[index])))
            index += 1
        elif re.fullmatch(r"/(grant(:r)?|deny|remove(:[gd])?)", option):
            start = index
            while index < len(arguments) and not arguments[index].startswith("/"):
                index += 1
            if start == index:
                raise _Failure(f'Invalid parameter "{arguments[start - 1]}"', 87)
            for text in arguments[start:index]:
                if option.startswith("/remove"):
                    changes.append(_Change(option[1:], _sid(ctx, text)))
                else:
                    changes.append(_Change(option[1:], aces=[_ace(ctx, text, option != "/deny")]))
        else:
            raise _Failure(f'Invalid parameter "{arguments[index - 1]}"', 87)
    return changes, switches


def _sid(ctx: ProgramContext, name: str) -> str:
    try:
        return ctx.machine.accounts.sid_of(name)
    except WindowsError as exc:
        raise _Failure(f"{name}: {exc.message}", exc.code) from None


def _ace(ctx: ProgramContext, text: str, allow: bool) -> Ace:
    """`Name:(OI)(CI)RX`, `*S-1-5-32-545:(RD,X)`, `Name:F`."""
    name, colon, rights = text.rpartition(":")
    if not colon or not name or not rights:
        raise _Failure(f'Invalid parameter "{text}"', 87)
    mask, flags, rest = 0, {}, rights.upper()
    seen = False
    while match := re.match(r"\(([A-Z,]+)\)|([A-Z]+)", rest):
        rest = rest[match.end() :]
        words = [match[2]] if match[2] else match[1].split(",")
        if len(words) == 1 and words[0] in _FLAGS and match[1]:
            flags[_FLAGS[words[0]]] = True
            continue
        for word in words:
            if word not in _SIMPLE and word not in _SPECIFIC:
                raise _Failure(f'Invalid parameter "{text}"', 87)
            mask |= _SIMPLE[word] if word in _SIMPLE else _SPECIFIC[word]
            seen = True
    if rest or not seen:
        raise _Failure(f'Invalid parameter "{text}"', 87)
    if allow and mask and not mask & (acl.GENERIC_ALL | acl.GENERIC_READ | acl.GENERIC_WRITE | acl.GENERIC_EXECUTE):
        mask |= acl.SYNCHRONIZE
    if not allow:
        # denying SYNCHRONIZE would deny every use of the file
        mask &= ~acl.SYNCHRONIZE
    return Ace(_sid(ctx, name), mask, allow, **flags)


def _run(ctx: ProgramContext, name: str, changes: list[_Change], switches: set[str]) -> int:
    processed = failed = code = 0
    for path in _targets(ctx, name, "t" in switches):
        if isinstance(path, WindowsError):
            ctx.err(f"{path.path}: {path.message}\n")
            failed, code = failed + 1, path.code
            if "c" not in switches:
                break
            continue
        try:
            if changes:
                _apply(ctx, path, changes)
                if "q" not in switches:
                    ctx.out(f"processed file: {path}\n")
            else:
                ctx.out(_shown(ctx, path) + "\n")
            processed += 1
        except WindowsError as exc:
            ctx.err(f"{path}: {exc.message}\n")
            failed, code = failed + 1, exc.code
            if "c" not in switches:
                break
    ctx.out(f"Successfully processed {processed} files; Failed to process {failed} files\n")
    return code


def _targets(ctx: ProgramContext, name: str, deep: bool) -> list[str | WindowsError]:
    """Paths as icacls shows them: as typed, what is below them with that in front."""
    fs = ctx.machine.fs
    result: list[str | WindowsError] = []
    try:
        full = ctx.resolve(name).rstrip("\\") if len(name) > 3 else ctx.resolve(name)
        if "*" in full or "?" in full:
            folder, _, pattern = full.rpartition("\\")
            typed = name.replace("/", "\\").rpartition("\\")
            names = [typed[0] + typed[1] + entry.name for entry in fs.glob(folder + "\\", pattern, ctx.user)]
            if not names:
                raise WindowsError(2, path=name)
        else:
            fs.stat(full)
            names = [name]
    except WindowsError as exc:
        return [WindowsError(exc.code, exc.message, name)]
    for item in names:
        result.append(item)
        full = ctx.resolve(item)
        if deep and fs.is_dir(full):
            for folder, folders, files in fs.walk(full, ctx.user):
                below = folder.rstrip("\\")[len(full.rstrip("\\")) :]
                result.extend(f"{item.rstrip(chr(92))}{below}\\{entry.name}" for entry in (*folders, *files))
    return result


def _apply(ctx: ProgramContext, name: str, changes: list[_Change]) -> None:
    fs = ctx.machine.fs
    path = ctx.resolve(name)
    is_dir = fs.is_dir(path)
    current = fs.get_acl(path, ctx.user)
    for change in changes:
        current = _changed(current, change, is_dir)
        if change.kind == "reset" or (change.kind == "inheritance" and change.value == "e"):
            fs.set_acl(path, current, ctx.user)
            current = fs.get_acl(path)
    fs.set_acl(path, current, ctx.user)


def _changed(current: Acl, change: _Change, is_dir: bool) -> Acl:
    aces = list(current.aces)
    if change.kind == "reset":
        return Acl(current.owner, (), current.group, False)
    if change.kind == "setowner":
        return replace(current, owner=change.value)
    if change.kind == "inheritance":
        if change.value == "e":
            return replace(current, protected=False)
        if change.value == "r":
            return replace(current, aces=current.explicit, protected=True)
        return replace(current, aces=tuple(replace(ace, inherited=False) for ace in aces), protected=True)
    if change.kind.startswith("remove"):
        sides = {"remove": (True, False), "remove:g": (True,), "remove:d": (False,)}[change.kind]
        return replace(
            current,
            aces=tuple(ace for ace in aces if ace.inherited or ace.sid != change.value or ace.allow not in sides),
        )
    for ace in change.aces:
        if not is_dir:
            ace = Ace(ace.sid, ace.mask, ace.allow)
        if change.kind == "grant:r":
            aces = [item for item in aces if item.inherited or item.sid != ace.sid or not item.allow]
        same = next(
            (
                i
                for i, item in enumerate(aces)
                if item.sid == ace.sid and item.allow == ace.allow and item.flags == ace.flags
            ),
            None,
        )
        if same is None:
            aces.insert(0, ace)
        else:
            aces[same] = replace(aces[same], mask=aces[same].mask | ace.mask)
    return replace(current, aces=tuple(aces)).canonical()


def rights(ace: Ace) -> str:
    """`(I)(OI)(CI)(RX)` as icacls writes an entry."""
    flags = "".join(
        f"({name})" for name, bit in (("I", 16), ("OI", 1), ("CI", 2), ("NP", 4), ("IO", 8)) if ace.flags & bit
    )
    deny = "" if ace.allow else "(DENY)"
    if ace.mask == acl.GENERIC_ALL:
        return f"{deny}{flags}(F)"
    if ace.mask == 0:
        return f"{deny}{flags}(N)"
    mask = ace.mask if ace.allow else ace.mask | acl.SYNCHRONIZE
    names: list[str] = []
    left = mask
    for name in ("F", "M", "RX", "R", "W"):
        # simple rights share bits (reading permissions, synchronizing), which do not make one of them say anything new
        if mask & _SIMPLE[name] == _SIMPLE[name] and left & _SIMPLE[name] & ~_SHARED:
            names.append(name)
            left &= ~_SIMPLE[name]
    if not names:
        if mask == _SIMPLE["D"]:
            return f"{deny}{flags}(D)"
        if mask & ~acl.SYNCHRONIZE in (acl.APPEND_DATA, acl.WRITE_DATA):
            left &= ~acl.SYNCHRONIZE
    names += [name for name, bit in _SPECIFIC.items() if left & bit & ~(_SHARED if names else 0)]
    return f"{deny}{flags}({','.join(names)})"


def _shown(ctx: ProgramContext, name: str) -> str:
    entries = ctx.machine.fs.get_acl(ctx.resolve(name), ctx.user).aces
    if not entries:
        return f"{name} \n"
    lines = [f"{ctx.machine.accounts.name_of(ace.sid)}:{rights(ace)}" for ace in entries]
    return "\n".join((name if i == 0 else " " * len(name)) + " " + line for i, line in enumerate(lines)) + "\n"
