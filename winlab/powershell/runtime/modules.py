"""Modules and closures: session states of their own."""

from __future__ import annotations

from typing import Any

from winlab.powershell.objects import NetObject, ScriptBlock
from winlab.powershell.runtime.scopes import SessionState, Variable


class ModuleInfo(NetObject):
    """A loaded module (PSModuleInfo)."""

    def __init__(self, name: str, session: SessionState | None, path: str = "", kind: str = "Script") -> None:
        self.name = name
        self.session = session
        self.path = path
        self.kind = kind
        self.exported_functions: dict[str, Any] = {}
        self.exported_variables: dict[str, Any] = {}
        self.exported_aliases: dict[str, Any] = {}
        self.exported_cmdlets: dict[str, Any] = {}
        self.version = "0.0"
        self.explicit_exports = False
        self.nested: list[ModuleInfo] = []


def new_session(runtime: Any, name: str, path: str = "") -> ModuleInfo:
    """An empty module whose scope hangs below the global one."""
    session = SessionState(runtime.session)
    module = ModuleInfo(name, session, path)
    session.module = module
    return module


def closure_of(block: ScriptBlock, frame: Any) -> ScriptBlock:
    """``GetNewClosure()``: a module of its own that holds the values of the variables now in the local scope."""
    module = new_session(frame.runtime, "__DynamicModule_closure")
    session = module.session
    assert session is not None
    session.module = None
    scope = frame.scope
    for name, variable in scope.vars.items():
        if name in ("_",) or variable.constant:
            continue
        copy = Variable(variable.name, variable.value)
        copy.constraint = variable.constraint
        session.top.vars[name] = copy
    made = ScriptBlock(block.ast, session, block.file)
    return made
