"""Modules and closures: session states of their own."""

from __future__ import annotations

from typing import Any

from winlab.powershell.objects import NetObject, ScriptBlock
from winlab.powershell.runtime.scopes import SessionState, Variable
from winlab.powershell.runtime.wildcard import wildcard


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


def run_module(runtime: Any, name: str, path: str, block: ScriptBlock, arguments: list[Any], out: Any) -> ModuleInfo:
    """Run a module's code in a session state of its own and collect what it exports."""
    from winlab.powershell.runtime.binder import Argument
    from winlab.powershell.runtime.commands import ScriptInfo, ScriptProcessor
    from winlab.powershell.runtime.engine import Frame

    module = new_session(runtime, name, path)
    session = module.session
    assert session is not None
    bound = ScriptBlock(block.ast, session, path or block.file)
    frame = Frame(runtime, session.top, runtime.frame, bound)
    processor = ScriptProcessor(
        runtime, frame, ScriptInfo(bound), bound, [Argument(None, a, True) for a in arguments], None, True
    )
    processor.file_scope = True
    processor.downstream = out
    processor.begin()
    session.top.frame = processor.own
    processor.process_no_input()
    processor.end()
    if not module.explicit_exports:
        module.exported_functions = dict(session.top.functions or {})
    for function in (session.top.functions or {}).values():
        function.module_name = name
    return module


def load_script(runtime: Any, name: str, path: str, arguments: list[Any]) -> ModuleInfo:
    """Load a ``.psm1`` file."""
    from winlab.powershell.runtime.commands import discard

    return run_module(runtime, name, path, runtime.load_script_file(path), arguments, discard)


def export(module: ModuleInfo, functions: list[str], variables: list[str], aliases: list[str]) -> None:
    """Export-ModuleMember: only what is named is visible outside."""
    session = module.session
    assert session is not None
    module.explicit_exports = True
    for key, function in (session.top.functions or {}).items():
        if any(wildcard(p)(function.name) for p in functions):
            module.exported_functions[key] = function
    for key, variable in session.top.vars.items():
        if any(wildcard(p)(variable.name) for p in variables):
            module.exported_variables[key] = variable
    for key, alias in (session.top.aliases or {}).items():
        if any(wildcard(p)(alias.name) for p in aliases):
            module.exported_aliases[key] = alias


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
