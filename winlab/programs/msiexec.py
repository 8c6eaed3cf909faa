"""msiexec.exe: installs, repairs and removes packages without a user interface."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from winlab.windows import msi
from winlab.windows.errors import WindowsError
from winlab.windows.processes import ProgramContext


@dataclass
class _Request:
    action: str = ""
    target: str = ""
    log: str = ""
    quiet: bool = False
    properties: dict[str, str] = field(default_factory=dict)


def main(ctx: ProgramContext) -> int:
    """/i, /x, /f with /qn, /quiet, /passive, /l, /norestart and properties; ends with the installer's code."""
    request = _parse(ctx.argv[1:])
    if request is None or not request.action or not request.target:
        return msi.INVALID_COMMAND_LINE
    installer = ctx.machine.installer
    target = request.target if request.target.startswith("{") else ctx.resolve(request.target)
    if not request.quiet:
        outcome = msi.Outcome(
            msi.FAILURE, ["The user interface of Windows Installer is not simulated by this lab: give /qn or /quiet."]
        )
    elif request.action == "i":
        if target.startswith("{"):
            outcome = installer.repair(target, ctx.user)
        else:
            outcome = installer.install(target, ctx.user, request.properties)
    elif request.action == "x":
        outcome = installer.uninstall(target, ctx.user)
    else:
        outcome = installer.repair(target, ctx.user)
    if request.log:
        try:
            ctx.machine.fs.write_bytes(
                ctx.resolve(request.log), msi.log_text(ctx.machine, ctx.command_line, outcome), ctx.user
            )
        except WindowsError:
            return 1622
    return outcome.code


def _parse(arguments: list[str]) -> _Request | None:
    """None for a command line that msiexec does not understand."""
    request = _Request()
    waiting = ""
    for argument in arguments:
        lowered = argument.lower()
        if waiting == "target":
            request.target, waiting = argument, ""
        elif waiting == "log":
            request.log, waiting = argument, ""
        elif "=" in argument and not argument.startswith(("/", "-")):
            name, _, value = argument.partition("=")
            request.properties[name.upper()] = value
            if name.upper() == "REMOVE" and value.upper() == "ALL":
                request.action = "x"
        elif argument[:1] not in "/-":
            if request.target:
                return None
            request.target = argument
        elif match := re.fullmatch(r"[/-](i|package|x|uninstall|f[pocmsvuae]*)(\{.*\})?", lowered):
            request.action = {"p": "i", "u": "x"}.get(match[1][0], match[1][0])
            if match[2]:
                request.target = match[2].upper()
            else:
                waiting = "target"
        elif re.fullmatch(r"[/-]q(n|b|r|f)?[+\-!]*", lowered):
            request.quiet = lowered[1:3] in ("qn", "q", "qb")
        elif lowered[1:] in ("quiet", "passive"):
            request.quiet = True
        elif lowered[1:] in ("norestart", "forcerestart", "promptrestart"):
            continue
        elif re.fullmatch(r"[/-](l[iwearucmopvx+!*]*|log)", lowered):
            waiting = "log"
        else:
            return None
    return None if waiting else request
