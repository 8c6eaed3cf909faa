"""hostname.exe"""

from __future__ import annotations

from winlab.windows.processes import ProgramContext


def main(ctx: ProgramContext) -> int:
    """Prints the computer's name."""
    arguments = ctx.argv[1:]
    if any(argument.lower() in ("/?", "-?") for argument in arguments):
        ctx.out("\nPrints the name of the current host.\n\nhostname\n")
        return 0
    if arguments:
        return ctx.fail(
            "sethostname: Use the Network Control Panel Applet to set hostname.\nhostname -s is not supported."
        )
    ctx.out(ctx.machine.name + "\n")
    return 0
