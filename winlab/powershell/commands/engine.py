"""Microsoft.PowerShell.Core: the commands of the engine."""

from __future__ import annotations

from winlab.powershell.commands.core import Cmdlet, cmdlet, parameter

CORE = "Microsoft.PowerShell.Core"


@cmdlet("Out-Null", module=CORE)
class OutNull(Cmdlet):
    input_object = parameter("InputObject", "Management.Automation.PSObject", pipeline=True)

    def process(self) -> None:
        """Whatever comes is dropped."""
