"""reg.exe: query, add, delete, copy; import, export, save and load are refused."""

from __future__ import annotations

import re
from typing import Any

from winlab.windows.errors import WindowsError
from winlab.windows.processes import ProgramContext
from winlab.windows.registry import REG_NAMES, RegistryKey

_KINDS = {name: kind for kind, name in REG_NAMES.items()}
_NOT_FOUND = "ERROR: The system was unable to find the specified registry key or value."
_DONE = "The operation completed successfully.\n\n"


def main(ctx: ProgramContext) -> int:
    """reg QUERY|ADD|DELETE|COPY KEY [/v NAME | /ve] [/t TYPE] [/d DATA] [/s] [/f] [/va]"""
    verb = ctx.argv[1].lower() if len(ctx.argv) > 1 else ""
    verbs = {"query": _query, "add": _add, "delete": _delete}
    if verb in ("export", "import", "save", "restore", "load", "unload", "compare", "flags", "copy"):
        return ctx.fail(f"ERROR: REG {verb.upper()} is not simulated by this lab.")
    if verb not in verbs or len(ctx.argv) < 3:
        return ctx.fail('ERROR: Invalid syntax.\nType "REG /?" for usage.')
    try:
        options = _options(ctx.argv[3:])
    except ValueError as exc:
        return ctx.fail(f'ERROR: Invalid syntax. {exc}\nType "REG {verb.upper()} /?" for usage.')
    try:
        if re.match(r"(HKEY_\w+|HK\w+)(\\|$)", ctx.argv[2], re.IGNORECASE) is None:
            return ctx.fail(f'ERROR: Invalid key name.\nType "REG {verb.upper()} /?" for usage.')
        return verbs[verb](ctx, ctx.argv[2], options)
    except WindowsError as exc:
        return ctx.fail(_NOT_FOUND if exc.code == 2 else f"ERROR: {exc.message}")


def _options(arguments: list[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    index = 0
    while index < len(arguments):
        option = arguments[index].lower()
        if option in ("/v", "/t", "/d", "/f", "/se") and option != "/f":
            if index + 1 >= len(arguments):
                raise ValueError(f"Value expected for '{arguments[index]}'.")
            result[option], index = arguments[index + 1], index + 1
        elif option in ("/ve", "/va", "/s", "/f", "/z", "/reg:64"):
            result[option] = ""
        elif option == "/reg:32":
            raise ValueError("/reg:32 is not simulated by this lab.")
        else:
            raise ValueError(f"'{arguments[index]}' is not recognized by this lab.")
        index += 1
    return result


def _shown(name: str, key: RegistryKey) -> str:
    kind, data = key.kind(name), key.get(name)
    return f"    {name or '(Default)'}    {REG_NAMES[kind]}    {_data(kind, data)}\n"


def _data(kind: str, data: Any) -> str:
    if kind in ("DWord", "QWord"):
        return f"0x{data:x}"
    if kind in ("Binary", "None"):
        return bytes(data).hex().upper()
    return "\\0".join(data) if isinstance(data, list) else str(data)


def _query(ctx: ProgramContext, path: str, options: dict[str, str]) -> int:
    registry = ctx.machine.registry
    key = registry.open(path, ctx.user)
    name = options.get("/v", "" if "/ve" in options else None)
    keys = list(registry.walk(path, ctx.user)) if "/s" in options else [key]
    found = 0
    for item in keys:
        names = [value for value in item.value_names() if name is None or value.upper() == name.upper()]
        if names or (name is None and "/s" not in options):
            ctx.out(f"\n{item.full_name}\n" if names or "/s" in options else "\n")
            ctx.out("".join(_shown(value, item) for value in names))
        found += len(names)
    if name is not None and not found:
        if "/ve" in options and "/s" not in options:
            ctx.out(f"\n{key.full_name}\n    (Default)    REG_SZ    (value not set)\n\n")
            return 0
        return ctx.fail(_NOT_FOUND)
    if name is None and "/s" not in options:
        subkeys = "".join(f"{key.full_name}\\{child}\n" for child in key.subkeys())
        ctx.out(("\n" if found and subkeys else "") + subkeys)
    if "/s" in options or name is not None:
        ctx.out(f"\nEnd of search: {found} match(es) found.\n" if "/s" in options and name is not None else "\n")
    return 0


def _add(ctx: ProgramContext, path: str, options: dict[str, str]) -> int:
    registry = ctx.machine.registry
    registry.require_write(registry.normalize(path), ctx.user)
    key = registry.create(path, ctx.user)
    if "/v" in options or "/ve" in options or "/d" in options:
        name = options.get("/v", "")
        kind = options.get("/t", "REG_SZ").upper()
        if kind not in _KINDS:
            return ctx.fail("ERROR: Invalid syntax. Specify valid type for '/t'.\nType \"REG ADD /?\" for usage.")
        if key.has(name) and "/f" not in options:
            return ctx.fail(f"Value {name} exists, overwrite(Yes/No)? The operation was canceled by the user.")
        data = _parse(_KINDS[kind], options.get("/d", ""))
        if data is None:
            return ctx.fail(
                "ERROR: Invalid syntax. Specify valid numeric value for '/d'.\nType \"REG ADD /?\" for usage."
            )
        key.set(name, data, _KINDS[kind])
    ctx.out(_DONE)
    return 0


def _parse(kind: str, text: str) -> Any:
    if kind in ("DWord", "QWord"):
        match = re.fullmatch(r"0[xX]([0-9a-fA-F]+)|(\d+)|", text)
        if match is None:
            return None
        return int(match[1], 16) if match[1] else int(match[2] or 0)
    if kind in ("Binary", "None"):
        return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text) else None
    return text.split("\\0") if kind == "MultiString" else text


def _delete(ctx: ProgramContext, path: str, options: dict[str, str]) -> int:
    registry = ctx.machine.registry
    key = registry.open(path, ctx.user)
    if "/f" not in options:
        return ctx.fail(
            f"Permanently delete the registry key {key.full_name} (Yes/No)? The operation was canceled by the user."
        )
    if "/v" in options or "/ve" in options:
        key.delete_value(options.get("/v", ""))
    elif "/va" in options:
        for name in key.value_names():
            key.delete_value(name)
    else:
        registry.delete(path, recursive=True, user=ctx.user)
    ctx.out(_DONE)
    return 0
