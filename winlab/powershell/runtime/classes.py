"""Classes and enums that scripts define."""

from __future__ import annotations

from typing import Any

from winlab.powershell.errors import LabUnsupported


def define(runtime: Any, frame: Any, code: Any) -> None:
    """Take ``using`` statements into account and define the types of a script."""
    for using in code.usings:
        kind = using.using_statement_kind.name
        name = using.name.value if using.name is not None else ""
        if kind == "Namespace":
            if name not in runtime.namespaces:
                runtime.namespaces.append(name)
        elif kind == "Assembly":
            runtime.load_assembly(name)
        else:
            raise LabUnsupported(f"using {kind.lower()}", using.extent)
    for node in code.types:
        raise LabUnsupported("classes and enums in scripts", node.extent)
