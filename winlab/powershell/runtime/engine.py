"""A runspace: session state, the evaluator's state, and the services that cmdlets and .NET types use."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from winlab.powershell import ast
from winlab.powershell.commands.core import ParameterInfo, find_cmdlet, real_commands
from winlab.powershell.dotnet.core import DEFAULT_ASSEMBLIES, NetType, find_type, get_type
from winlab.powershell.errors import (
    SMA,
    ErrorRecord,
    LabUnsupported,
    LimitExceeded,
    NetException,
    PipelineStopped,
    TerminatingError,
    runtime_error,
)
from winlab.powershell.objects import (
    AutomationNull,
    Dictionary,
    Hashtable,
    PSArray,
    PSMember,
    ScriptBlock,
    SwitchParameter,
    unwrap,
)
from winlab.powershell.runtime import compiler, conversion, members, operators, script
from winlab.powershell.runtime.binder import Argument, Binder
from winlab.powershell.runtime.commands import (
    AliasInfo,
    ApplicationInfo,
    CmdletInfo,
    CmdletProcessor,
    CommandInfo,
    CommandProcessor,
    ExternalScriptInfo,
    FunctionInfo,
    InvocationInfo,
    ScriptInfo,
    ScriptProcessor,
    Streams,
    discard,
    run_pipeline,
)
from winlab.powershell.runtime.context import set_current
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
from winlab.powershell.runtime.scopes import Scope, SessionState, Variable
from winlab.windows import turns

# Exceptions of PowerShell's that are no RuntimeException: a statement reports them inside one.
_CARRIERS = frozenset(
    SMA + name
    for name in (
        "PSInvalidCastException",
        "PSArgumentException",
        "PSInvalidOperationException",
        "PSNotSupportedException",
    )
)

STACK_BYTES = 512 * 1024 * 1024
MAX_DEPTH = 1000

sys.setrecursionlimit(max(sys.getrecursionlimit(), 400_000))


class Frame:
    """One activation of a script block."""

    __slots__ = (
        "args",
        "block",
        "bound",
        "call_extent",
        "caller",
        "caught",
        "file",
        "input",
        "invocation",
        "name",
        "processor",
        "runtime",
        "scope",
        "session",
        "this",
    )

    def __init__(
        self, runtime: Runtime, scope: Scope, caller: Frame | None = None, block: ScriptBlock | None = None
    ) -> None:
        self.runtime = runtime
        self.scope = scope
        self.session = scope.session
        self.caller = caller
        self.block = block
        self.file: str | None = block.file if block is not None else None
        self.processor: Any = None
        self.invocation: Any = None
        self.input: Any = None
        self.bound: Any = None
        self.args: Any = None
        self.caught: TerminatingError | None = None
        self.this: Any = None
        self.name = "<ScriptBlock>"
        self.call_extent: Any = None


class PSBoundParametersDictionary(Dictionary):
    """``$PSBoundParameters``."""

    def __init__(self) -> None:
        super().__init__(ignore_case=True)


class EnvironmentBlock:
    """Environment variables of a process: names without case, order kept."""

    def __init__(self, values: Any = ()) -> None:
        self._names: dict[str, tuple[str, str]] = {}
        items = values.items() if hasattr(values, "items") else values
        for name, value in items:
            self[name] = value

    def __getitem__(self, name: str) -> str:
        return self._names[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        old = self._names.get(name.lower())
        self._names[name.lower()] = (old[0] if old else name, value)

    def __delitem__(self, name: str) -> None:
        del self._names[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def get(self, name: str, default: Any = None) -> Any:
        found = self._names.get(name.lower())
        return default if found is None else found[1]

    def pop(self, name: str, default: Any = None) -> Any:
        found = self._names.pop(name.lower(), None)
        return default if found is None else found[1]

    def items(self) -> list[tuple[str, str]]:
        return list(self._names.values())

    def keys(self) -> list[str]:
        return [name for name, _ in self._names.values()]

    def __iter__(self) -> Any:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._names)


class Limits:
    """What a script may use. ``seconds`` of wall time and ``megabytes`` of memory growth; None: no limit."""

    def __init__(self, seconds: float | None = None, megabytes: int | None = None) -> None:
        self.seconds = seconds
        self.megabytes = megabytes
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.start_memory = _resident() if megabytes is not None else 0

    def check(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise LimitExceeded(f"The script was ended by the lab: it ran longer than {self.seconds:g} seconds.")
        if self.megabytes is not None and _resident() - self.start_memory > self.megabytes:
            raise LimitExceeded(f"The script was ended by the lab: it used more than {self.megabytes} MB of memory.")


def _resident() -> int:
    """Megabytes of memory that this process has in use."""
    try:
        with open("/proc/self/statm", encoding="ascii") as status:
            return int(status.read().split()[1]) * 4096 // (1024 * 1024)
    except OSError:
        return 0


class SharedProcess:
    """What all runspaces of one powershell.exe share: server, identity, environment, loaded assemblies."""

    def __init__(
        self, machine: Any = None, user: Any = None, env: Any = None, program: Any = None, process: Any = None
    ) -> None:
        self.machine = machine
        self.user = user
        self.program = program
        self.process = process
        if env is None:
            env = machine.env if machine is not None and hasattr(machine, "env") else {}
            env = EnvironmentBlock(env)
        self.env: Any = EnvironmentBlock(env) if type(env) is dict else env
        self.assemblies: set[str] = set(DEFAULT_ASSEMBLIES)
        self.state: dict[str, Any] = {}
        self.directory: str | None = None
        self.limits = Limits()
        self.runspaces = 0
        self.type_epoch = 0
        self.modules_prepared = False


class TypeWorld:
    """A set of types that names are looked up in: that of some assemblies, or with classes and namespaces of one runspace."""

    def __init__(self, common: bool) -> None:
        self.common = common
        self.types: dict[Any, NetType] = {}
        """What has been found by which place in a script; of one runspace only."""


@cache
def common_types(assemblies: frozenset[str]) -> TypeWorld:
    """The types of these assemblies."""
    return TypeWorld(common=True)


class Runtime:
    """A runspace.

    Args:
        machine: the simulated server, None for an evaluator without one.
        user: token of the identity that scripts run as (None: SYSTEM).
        env: environment variables (a mapping; the machine's when left out).
        location: the first current location.
        program: ProgramContext of the powershell.exe that this is (streams of the process).
        host: what shows things (``host.py``); None shows nothing.
        parent: another runspace of the same process.
    """

    def __init__(
        self,
        machine: Any = None,
        *,
        user: Any = None,
        env: Any = None,
        location: str | None = None,
        program: Any = None,
        process: Any = None,
        host: Any = None,
        parent: Runtime | None = None,
        limits: Limits | None = None,
    ) -> None:
        from winlab.powershell import dotnet

        load = getattr(dotnet, "load", None)
        if load is not None:
            load()
        from winlab.powershell.runtime import setup

        setup.load_commands()
        self.shared: SharedProcess = (
            parent.shared if parent is not None else SharedProcess(machine, user, env, program, process)
        )
        if limits is not None:
            self.shared.limits = limits
        self.shared.runspaces += 1
        self.runspace_id = self.shared.runspaces
        self.host: Any = host if host is not None else (parent.host if parent is not None else None)
        self.session = SessionState()
        self.success = True
        self.propagate = False
        self.depth = 0
        self.max_depth = MAX_DEPTH
        self.stopping = False
        self.killed: Callable[[], None] | None = None
        self.running_thread: threading.Thread | None = None
        self.on_stop: list[Callable[[], None]] = []
        self.errors: list[Any] = []
        self.streams = Streams(discard, discard, discard, discard, discard)
        self.root_streams = self.streams
        self.frame = Frame(self, self.session.top)
        self.modules: dict[str, Any] = {}
        self.namespaces: list[str] = []
        self.script_types: dict[str, NetType] = {}
        self.prepared: WeakKeyDictionary[script.ScriptCode, script.ScriptMetadata] = WeakKeyDictionary()
        self._type_world = TypeWorld(common=False)
        self._type_world_epoch = -1
        self.script_name: str | None = None
        self.drives: dict[str, Any] = {}
        self.location_stack: dict[str, list[str]] = {}
        self._checks = 0
        self.history_id = 1
        self.job_table: dict[int, Any] = {}
        self.providers: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        start = location or (parent.file_location if parent is not None else self.default_location())
        self._file_location = start
        self._location = start
        setup.fill_session(self)

    # -- the process and the server

    @property
    def machine(self) -> Any:
        return self.shared.machine

    @property
    def user(self) -> Any:
        return self.shared.user

    @property
    def program(self) -> Any:
        return self.shared.program

    @property
    def process(self) -> Any:
        return self.shared.process

    @property
    def env(self) -> Any:
        return self.shared.env

    @property
    def process_state(self) -> dict[str, Any]:
        return self.shared.state

    @property
    def type_epoch(self) -> int:
        return self.shared.type_epoch + len(self.script_types) * 1_000_003 + len(self.namespaces)

    @property
    def type_world(self) -> TypeWorld:
        """What types' names mean here just now: the same object for runspaces in which all names mean the same."""
        epoch = self.type_epoch
        if epoch != self._type_world_epoch:
            ours = self.script_types or self.namespaces
            self._type_world = TypeWorld(common=False) if ours else common_types(frozenset(self.shared.assemblies))
            self._type_world_epoch = epoch
        return self._type_world

    @property
    def process_directory(self) -> str:
        return self.shared.directory or self._file_location

    @process_directory.setter
    def process_directory(self, path: str) -> None:
        self.shared.directory = path

    def default_location(self) -> str:
        return "C:\\Windows\\system32"

    @property
    def location(self) -> str:
        """The current location: a path of the file system, or of another provider with its drive (``HKLM:\\SOFTWARE``)."""
        return self._location

    @property
    def file_location(self) -> str:
        """The current location of the file system's drive."""
        return self._file_location

    def set_location(self, path: str) -> None:
        """Change the current location; ``path`` is absolute and exists."""
        self._location = path
        if len(path) > 1 and (path[1] == ":" or path.startswith("\\\\")):
            self._file_location = path

    def check(self) -> None:
        """Raise when the pipeline is to stop, the process was killed, or a limit is reached."""
        if self.stopping:
            raise PipelineStopped
        self._checks += 1
        if self._checks >= 200:
            self._checks = 0
            turns.pass_on()
            if self.killed is not None:
                self.killed()
            program = self.shared.program
            if program is not None:
                program.check()
            self.shared.limits.check()

    def check_now(self) -> None:
        """As :meth:`check`, but looks at everything at once; for waits."""
        self._checks = 200
        self.check()

    def stop(self) -> None:
        """Ask the running pipeline to stop; called from another thread."""
        self.stopping = True
        for callback in list(self.on_stop):
            callback()

    def sleep(self, seconds: float) -> None:
        """Wait, ready to be stopped."""
        end = time.monotonic() + seconds
        with turns.aside():
            while True:
                self.check_now()
                left = end - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(left, 0.02))

    # -- environment

    def get_env(self, name: str) -> str | None:
        return self.env.get(name)

    def set_env(self, name: str, value: Any) -> None:
        """``$env:NAME = value``: null or an empty string takes it away."""
        text = to_string(value)
        if value is None or value is AutomationNull or text == "":
            self.env.pop(name, None)
        else:
            self.env[name] = text

    # -- types

    def resolve_type(self, text: str, frame: Frame | None = None) -> NetType | None:
        """A type that a script names: its own classes, accelerators, loaded assemblies."""
        if self.script_types:
            found = self._script_type(text)
            if found is not None:
                return found
        name = text
        if "," in text and "[" not in text:
            name, _, assembly = text.partition(",")
            self.load_assembly(assembly.strip().partition(",")[0])
        return find_type(name, namespaces=self.namespaces, assemblies=self.shared.assemblies)

    def _script_type(self, text: str) -> NetType | None:
        found = self.script_types.get(text.lower())
        if found is not None:
            return found
        if text.endswith("[]"):
            element = self._script_type(text[:-2])
            return element.array if element is not None else None
        if "[" in text and text.endswith("]"):
            head, _, inner = text.partition("[")
            arguments = [self.resolve_type(part.strip()) for part in inner[:-1].split(",")]
            definition = find_type(
                f"{head}`{len(arguments)}", namespaces=self.namespaces, assemblies=self.shared.assemblies
            )
            if (
                definition is not None
                and all(a is not None for a in arguments)
                and any(a is not None and a.script_class is not None for a in arguments)
            ):
                return definition.make_generic([a for a in arguments if a is not None])
        return None

    def load_assembly(self, name: str) -> bool:
        """Make an assembly's types known; False when the lab knows of no such assembly."""
        from winlab.powershell.runtime.setup import known_assembly

        found = known_assembly(name)
        if found is None:
            return False
        if found.lower() not in self.shared.assemblies:
            self.shared.assemblies.add(found.lower())
            self.shared.type_epoch += 1
        return True

    # -- variables

    def find_variable(self, name: str) -> Variable | None:
        return self.frame.scope.find(name.lower())

    def get_variable(self, name: str, default: Any = None) -> Any:
        """The value of a variable seen from the running scope."""
        found = self.frame.scope.find(name.lower())
        return default if found is None else found.value

    def set_variable(self, name: str, value: Any) -> None:
        """Assign a variable of the running scope."""
        self.frame.scope.set(name, value)

    def set_global(self, name: str, value: Any) -> None:
        self.session.top.put(name, value)

    def assign_variable(self, scope: Scope, name: str, value: Any) -> None:
        """Assign by a name that may have a scope in front (``script:x``)."""
        prefix, colon, rest = name.partition(":")
        if colon:
            which = prefix.lower()
            if which == "global":
                scope, name = scope.top(), rest
            elif which == "script":
                scope, name = scope.script(), rest
            elif which in ("local", "private"):
                name = rest
        scope.set(name, value)

    def undefined(self, frame: Frame, name: str, shown: str) -> Any:
        """A variable that does not exist: null, or strict mode's error."""
        strict = frame.scope.strict_version()
        if strict is not None and strict >= 1:
            raise runtime_error(
                "VariableIsUndefined",
                f"The variable '${shown}' cannot be retrieved because it has not been set.",
                target=shown,
            )
        return None

    def automatic(self, frame: Frame, name: str, extent: Any = None) -> Any:
        """Variables that belong to an activation: ``$args``, ``$input``, ``$PSCmdlet`` ..."""
        scope: Scope | None = frame.scope
        if frame.processor is not None or frame.args is not None:
            found = frame.scope.vars.get(name)
            value = found.value if found is not None else self._of_frame(frame, name, extent)
            if value is not members.MISSING:
                return value
        while scope is not None:
            found = scope.vars.get(name)
            if found is not None:
                return found.value
            owner = scope.frame
            if owner is not None:
                value = self._of_frame(owner, name, extent)
                if value is not members.MISSING:
                    return value
            scope = scope.parent
        if name in ("psscriptroot", "pscommandpath"):
            return ""
        if name == "args":
            return PSArray()
        return self.undefined(frame, name, name) if name in ("pscmdlet", "this", "foreach", "switch") else None

    def _of_frame(self, owner: Frame, name: str, extent: Any) -> Any:
        if name == "args":
            return owner.args if owner.args is not None else members.MISSING
        if name == "input":
            return owner.input if owner.input is not None else PSArray()
        if name == "psboundparameters":
            if owner.bound is None:
                owner.bound = PSBoundParametersDictionary()
            return owner.bound
        if name == "pscmdlet":
            processor = owner.processor
            if processor is not None and processor.metadata is not None and processor.metadata.cmdlet_binding:
                from winlab.powershell.runtime.psobjects import ScriptCmdlet

                cmdlet = getattr(processor, "script_cmdlet", None)
                if cmdlet is None:
                    cmdlet = processor.script_cmdlet = ScriptCmdlet(processor)
                return cmdlet
            return members.MISSING
        if name == "myinvocation":
            if owner.invocation is None:
                owner.invocation = InvocationInfo(None, None)
            return owner.invocation
        if name == "this":
            return owner.this if owner.this is not None else members.MISSING
        if name == "pscommandpath":
            return owner.file or ("" if owner.caller is None else members.MISSING)
        if name == "psscriptroot":
            if owner.file:
                return folder_of(owner.file)
            return members.MISSING
        return members.MISSING

    def set_matches(self, table: Hashtable) -> None:
        self.frame.scope.put("Matches", table)

    def preference_variable(self, scope: Scope, name: str, default: str) -> str:
        """A preference variable's value in lower case."""
        found = scope.find(name)
        if found is None or found.value is None:
            return default
        value = found.value
        text = (value.name if hasattr(value, "name") and hasattr(value, "net_type") else to_string(value)).lower()
        if text.isdigit():
            text = (
                ["silentlycontinue", "stop", "continue", "inquire", "ignore", "suspend"][int(text)]
                if int(text) < 6
                else default
            )
        return text

    def error_preference(self, scope: Scope) -> str:
        return self.preference_variable(scope, "erroractionpreference", "continue")

    def default_parameter_values(self) -> list[tuple[str, Any]]:
        found = self.frame.scope.find("psdefaultparametervalues")
        if found is None or not isinstance(found.value, Dictionary) or not len(found.value):
            return []
        return [(to_string(k), v) for k, v in found.value.items()]

    def last_exit_code(self) -> Any:
        found = self.session.top.vars.get("lastexitcode")
        return found.value if found is not None else 0

    # -- errors

    def new_array_list(self, items: list[Any] | None = None) -> Any:
        """A System.Collections.ArrayList whose ``items`` is a Python list."""
        from winlab.powershell.runtime.invoke import construct

        made = construct(get_type("System.Collections.ArrayList"), [])
        if items is not None:
            made.items = items
        return made

    def add_error(self, record: ErrorRecord) -> None:
        """Put a record first into ``$Error``."""
        errors = self.errors
        if errors and errors[0] is record:
            return
        if getattr(record, "recorded_in", None) is self:
            return
        record.recorded_in = self  # type: ignore[attr-defined]
        errors.insert(0, record)
        if len(errors) > 256:
            del errors[256:]

    def report(self, record: ErrorRecord, frame: Frame) -> None:
        """Show an error that does not unwind."""
        self.success = False
        for collected in self.streams.error_lists:
            collected.append(record)
        self.streams.error(record)

    def make_record(self, error: NetException, frame: Frame, extent: Any) -> ErrorRecord:
        """The ErrorRecord that PowerShell makes of an exception in a statement."""
        record = error.error_record
        if record is None:
            own = error.type_name.startswith(SMA)
            error_id = error.error_id or ("RuntimeException" if own else error.type_name)
            category = error.category or ("NotSpecified" if own else "OperationStopped")
            record = ErrorRecord(error, error_id, category, error.target)
            error.error_record = record
        if record.invocation_info is None:
            record.invocation_info = self._position(frame, extent)
        if record.script_stack_trace is None:
            record.script_stack_trace = self.script_stack_trace(extent, frame)
        return record

    def _position(self, frame: Frame, extent: Any) -> InvocationInfo:
        made = InvocationInfo(None, extent)
        return made

    def script_stack_trace(self, extent: Any = None, frame: Frame | None = None) -> str:
        """``at F, file: line 3`` for each activation, the innermost first."""
        lines: list[str] = []
        current: Frame | None = frame or self.frame
        while current is not None and (current.processor is not None or not lines):
            where = current.file or "<No file>"
            number = extent.start_line_number if extent is not None else 1
            lines.append(f"at {current.name}, {where}: line {number}")
            extent = current.call_extent
            current = current.caller
            if len(lines) > 50:
                break
        return "\r\n".join(lines)

    def terminating(self, error: BaseException, frame: Frame, extent: Any) -> TerminatingError:
        """Whatever failed as a TerminatingError with a record and a position."""
        if isinstance(error, TerminatingError):
            record = error.record
            if record.invocation_info is None:
                record.invocation_info = self._position(frame, extent)
            if record.script_stack_trace is None:
                record.script_stack_trace = self.script_stack_trace(extent, frame)
            return error
        if isinstance(error, RecursionError):
            return TerminatingError(self.make_record(self.depth_overflow(), frame, extent))
        assert isinstance(error, NetException)
        if error.type_name in _CARRIERS and error.error_record is None:
            wrapped = NetException(
                SMA + "RuntimeException",
                error.message,
                error,
                error_id=error.error_id,
                category=error.category,
                target=error.target,
            )
            return TerminatingError(self.make_record(wrapped, frame, extent))
        return TerminatingError(self.make_record(error, frame, extent))

    def depth_overflow(self) -> NetException:
        return runtime_error(
            "CallDepthOverflow",
            "The script failed due to call depth overflow.",
            kind="ScriptCallDepthException",
            category="InvalidOperation",
        )

    def statement_failed(self, frame: Frame, error: BaseException, extent: Any) -> None:
        """A statement failed: unwind, or report it and let the next one run."""
        failure = self.terminating(error, frame, extent)
        if self.propagate or getattr(failure, "leave", None) is not None:
            raise failure
        record = failure.record
        self.add_error(record)
        self.success = False
        if getattr(failure, "by_preference", False):
            raise failure
        action = self.error_preference(frame.scope)
        if action in ("silentlycontinue", "ignore"):
            return
        if action == "stop" or failure.script_terminating:
            failure.script_terminating = True
            raise failure
        self.report(record, frame)

    def thrown(self, value: Any, frame: Frame, extent: Any, bare: bool = False) -> TerminatingError:
        """What ``throw`` raises."""
        base = unwrap(value)
        if isinstance(base, ErrorRecord):
            record = base
            if record.invocation_info is None:
                record.invocation_info = self._position(frame, extent)
            if record.script_stack_trace is None:
                record.script_stack_trace = self.script_stack_trace(extent, frame)
            record.recorded_in = None  # type: ignore[attr-defined]
            return TerminatingError(record, script_terminating=True)
        if isinstance(base, NetException):
            record = base.error_record or ErrorRecord(base, base.message, "OperationStopped")
            if base.error_record is not None and base.error_id is None:
                record = base.error_record
            base.error_record = record
        else:
            text = "ScriptHalted" if base is None else to_string(value)
            error = NetException(
                SMA + "RuntimeException", text, error_id=text, category="OperationStopped", target=base
            )
            record = ErrorRecord(error, text, "OperationStopped", base)
            error.error_record = record
        record.invocation_info = self._position(frame, extent)
        if record.script_stack_trace is None:
            record.script_stack_trace = self.script_stack_trace(extent, frame)
        return TerminatingError(record, script_terminating=True)

    def matching_record(self, failure: TerminatingError, types: list[NetType]) -> ErrorRecord | None:
        """The record that a ``catch`` with these types gets; None when it does not catch this failure."""
        record = failure.record
        if not types:
            return record
        exception = record.exception
        wrapper = exception.net_type.is_subclass_of(SMA + "RuntimeException")
        inner = exception.inner
        if wrapper and inner is not None:
            for t in types:
                if t.is_assignable_from(inner.net_type):
                    if t.full_name == "System.Exception":
                        return record
                    return self._with_exception(record, inner)
        for t in types:
            if t.is_assignable_from(exception.net_type):
                return record
        if not wrapper and any(t.full_name == SMA + "RuntimeException" for t in types):
            return record
        return None

    @staticmethod
    def _with_exception(record: ErrorRecord, exception: NetException) -> ErrorRecord:
        made = ErrorRecord(exception, record.error_id, record.category, record.target)
        made.__dict__.update({k: v for k, v in record.__dict__.items() if k != "exception"})
        return made

    # -- script blocks

    def compile_block(self, block: ScriptBlock) -> script.ScriptCode:
        """The compiled form of a script block, made once per tree."""
        tree = block.ast
        if isinstance(tree, ast.FunctionDefinitionAst):
            tree = tree.body
        code = tree.cache
        if code is None:
            code = tree.cache = script.ScriptCode(tree, script.function_parameters(tree))
        return code

    def enter_script(self, processor: ScriptProcessor) -> Frame:
        """The frame that a script block will run in."""
        caller = processor.frame
        block = processor.block
        session = block.session if block.session is not None else caller.session
        if processor.dot_sourced and session is caller.session:
            scope = caller.scope
        elif processor.dot_sourced:
            scope = session.current
        else:
            parent = caller.scope if session is caller.session else session.current
            scope = Scope(parent, session, is_script=processor.file_scope)
        frame = Frame(self, scope, caller, block)
        frame.processor = processor
        frame.call_extent = processor.extent
        info = processor.info
        if info is not None and info.name:
            frame.name = info.name if not isinstance(info, ExternalScriptInfo) else "<ScriptBlock>"
        frame.invocation = processor.invocation
        if not processor.dot_sourced:
            scope.frame = frame
        elif processor.file_scope:
            frame.file = block.file
        return frame

    def leave_script(self, processor: ScriptProcessor) -> None:
        """After a script block has run."""

    def bind_script(self, processor: ScriptProcessor) -> None:
        """Bind a script block's arguments to its parameters in its own scope."""
        code = processor.code
        frame = processor.own
        if code.tree.script_requirements is not None:
            self._check_requirements(code.tree.script_requirements, processor)
        if code.usings or code.types:
            from winlab.powershell.runtime import classes

            classes.define(self, frame, code)
        metadata = processor.metadata = code.prepare(frame)
        if code.dynamic:
            raise LabUnsupported(
                "dynamicparam", code.tree.dynamic_param_block.extent if code.tree.dynamic_param_block else None
            )
        arguments = processor.arguments
        if code.simple:
            frame.args = PSArray([self._loose(a) for a in self._loosened(arguments)]) if arguments else PSArray()
            if not processor.dot_sourced:
                processor.invocation.unbound_arguments = list(frame.args)
            return
        if processor.info is not None:
            metadata.name = processor.info.name
        binder = Binder(metadata, self, True)
        processor.binder = binder
        saved = self.frame
        self.frame = frame
        try:
            binder.bind(arguments, processor.expecting_input)
        except NetException as error:
            raise TerminatingError(processor.binding_record(error)) from None
        finally:
            self.frame = saved
        if metadata.cmdlet_binding:
            processor.set_common(binder.bound, metadata)
            frame.args = None
        else:
            frame.args = PSArray([self._loose(a) for a in self._loosened(binder.left_over)])
        self._fill_parameters(processor, frame, binder, metadata.order)

    def _check_requirements(self, wanted: ast.ScriptRequirements, processor: ScriptProcessor) -> None:
        """``#requires``: a script that asks for what is not there does not run."""
        name = processor.info.name if processor.info is not None else ""
        error_id = message = ""
        version = wanted.required_ps_version
        if version is not None:
            parts = tuple(int(p) for p in str(version).split(".") if p.isdigit())
            if parts > (5, 1, 99999):
                error_id = "ScriptRequiresUnmatchedPSVersion"
                message = (
                    f"The script '{name}' cannot be run because it contained a \"#requires\" statement for Windows PowerShell {version}. The "
                    "version of Windows PowerShell that is required by the script does not match the currently running version of Windows "
                    "PowerShell 5.1.14393.693."
                )
        if wanted.is_elevation_required and self.user is not None and not self.user.elevated:
            error_id = "ScriptRequiresElevation"
            message = (
                f"The script '{name}' cannot be run because it contains a \"#requires\" statement for running as Administrator. The current "
                "Windows PowerShell session is not running as Administrator. Start Windows PowerShell by  using the Run as Administrator "
                "option, and then try running the script again."
            )
        if any(edition.lower() != "desktop" for edition in wanted.required_ps_editions):
            error_id = "ScriptRequiresUnmatchedPSEdition"
            message = f"The script '{name}' cannot be run because it requires another edition of Windows PowerShell."
        if error_id:
            error = NetException(
                SMA + "ScriptRequiresException", message, error_id=error_id, category="ResourceUnavailable"
            )
            record = ErrorRecord(error, error_id, "ResourceUnavailable", name)
            record.invocation_info = InvocationInfo(None, processor.extent, name)
            raise TerminatingError(record)

    @staticmethod
    def _loosened(arguments: list[Argument]) -> list[Argument]:
        """Arguments for ``$args``: ``-name value`` pairs stay apart."""
        result: list[Argument] = []
        for argument in arguments:
            if argument.name is not None and argument.has_value:
                result.append(Argument(argument.name, None, False, argument.extent, argument.text))
                result.append(Argument(None, argument.value, True, argument.extent))
            else:
                result.append(argument)
        return result

    @staticmethod
    def _loose(argument: Argument) -> Any:
        if argument.name is not None:
            return compiler.parameter_text(argument)
        return argument.value

    def _fill_parameters(
        self, processor: ScriptProcessor, frame: Frame, binder: Binder, order: list[ParameterInfo]
    ) -> None:
        scope = frame.scope
        bound = PSBoundParametersDictionary()
        declared = {info.name.lower() for info in order}
        for name, value in binder.bound.items():
            info = binder.metadata.parameters[name]
            bound[info.name] = value
            if name in declared:
                variable = scope.put(info.name, value)
                variable.constraint = script.parameter_constraint(info, self)
        frame.bound = bound
        processor.invocation.bound_parameters = bound
        if binder.metadata.cmdlet_binding:
            self._preferences(processor, scope)
        saved = self.frame
        self.frame = frame
        try:
            for info in order:
                key = info.name.lower()
                if key in binder.bound:
                    continue
                if info.default_code is not None:
                    value = info.default_code(frame)
                    value = self._converted_default(info, value)
                else:
                    value = script.unbound_default(info)
                variable = scope.put(info.name, value)
                variable.constraint = script.parameter_constraint(info, self)
        finally:
            self.frame = saved

    @staticmethod
    def _converted_default(info: Any, value: Any) -> Any:
        if value is AutomationNull:
            value = None
        for convert in info.attributes:
            value = (
                conversion.convert(value, info.net_type)
                if info.net_type.full_name != "System.Object"
                else convert(value)
            )
        return value

    def _preferences(self, processor: ScriptProcessor, scope: Scope) -> None:
        """Common parameters of an advanced function become preference variables of its scope."""
        preference = get_type(SMA + "ActionPreference")
        for attribute, name in (
            (processor.error_action, "ErrorActionPreference"),
            (processor.warning_action, "WarningPreference"),
            (processor.information_action, "InformationPreference"),
        ):
            if attribute is not None:
                scope.put(name, conversion.to_enum(attribute, preference))
        if processor.verbose_flag is not None:
            scope.put(
                "VerbosePreference",
                conversion.to_enum("Continue" if processor.verbose_flag else "SilentlyContinue", preference),
            )
        if processor.debug_flag is not None:
            scope.put(
                "DebugPreference",
                conversion.to_enum("Inquire" if processor.debug_flag else "SilentlyContinue", preference),
            )
        if processor.what_if_flag is not None:
            scope.put("WhatIfPreference", processor.what_if_flag)
        if processor.confirm_flag is not None:
            impact = get_type(SMA + "ConfirmImpact")
            scope.put("ConfirmPreference", conversion.to_enum("Low" if processor.confirm_flag else "None", impact))

    def show_pipeline_parameters(self, processor: ScriptProcessor, previous: list[str]) -> None:
        """Put what a pipeline object bound into the function's variables."""
        binder = processor.binder
        assert binder is not None
        scope = processor.own.scope
        for name in previous:
            if name not in binder.bound:
                info = binder.metadata.parameters[name]
                processor.own.bound.remove(info.name)
                value = script.unbound_default(info) if info.default_code is None else info.default_code(processor.own)
                scope.put(info.name, value)
        for name in binder.from_pipeline:
            info = binder.metadata.parameters[name]
            scope.put(info.name, binder.bound[name])
            processor.own.bound[info.name] = binder.bound[name]

    def define_function(self, frame: Frame, name: str, node: ast.FunctionDefinitionAst) -> None:
        """``function name {}``; ``name`` may have a scope in front."""
        prefix, colon, rest = name.partition(":")
        scope = frame.scope
        private = False
        if colon and prefix.lower() in ("global", "script", "local", "private"):
            name = rest
            if prefix.lower() == "global":
                scope = frame.scope.top()
            elif prefix.lower() == "script":
                scope = frame.scope.script()
            private = prefix.lower() == "private"
        block = ScriptBlock(node.body, frame.scope.session, frame.file)
        module = frame.session.module.name if frame.session.module is not None else ""
        made = FunctionInfo(name, block, module, node.is_filter)
        made.private = private
        scope.set_function(name, made)

    def make_constraint(self, frame: Frame, attributes: list[Any], name: str) -> Callable[[Any], Any]:
        return script.make_constraint(frame, attributes, name)

    # -- calling script blocks from Python

    def call_block(
        self,
        block: ScriptBlock,
        *args: Any,
        underscore: Any = members.MISSING,
        this: Any = None,
        new_scope: bool = True,
        as_delegate: bool = False,
        input: Any = None,  # the name of the variable it sets
    ) -> Any:
        """Run a script block and return its output as a value (nothing: AutomationNull)."""
        items: list[Any] = []
        self.block_into(block, items.append, args, underscore=underscore, this=this, new_scope=new_scope, input=input)
        return compiler.collected(items)

    def block_into(
        self,
        block: ScriptBlock,
        out: Callable[[Any], None],
        args: Iterable[Any] = (),
        *,
        underscore: Any = members.MISSING,
        this: Any = None,
        new_scope: bool = True,
        input: Any = None,
    ) -> None:
        """Run a script block; each object it puts out goes to ``out``."""
        code = self.compile_block(block)
        caller = self.frame
        arguments = [Argument(None, a, True) for a in args]
        if (
            not new_scope
            and code.simple
            and code.end is not None
            and code.begin is None
            and code.process is None
            and not code.usings
        ):
            self._run_in_place(block, code, caller, out, arguments, underscore)
            return
        processor = ScriptProcessor(self, caller, ScriptInfo(block), block, arguments, None, dot_sourced=not new_scope)
        processor.downstream = out
        saved_dot = None
        processor.own = self.enter_script(processor)
        frame = processor.own
        if this is not None:
            frame.this = this
        try:
            if underscore is not members.MISSING:
                if not new_scope:
                    saved_dot = frame.scope.vars.pop("_", None)
                frame.scope.put("_", underscore)
            self.bind_script(processor)
            if input is not None:
                frame.input = input
            for body in (code.begin, code.process, code.end):
                if body is not None:
                    processor._run(body)
        finally:
            if not new_scope and underscore is not members.MISSING:
                if saved_dot is not None:
                    frame.scope.vars["_"] = saved_dot
                else:
                    frame.scope.vars.pop("_", None)

    def _run_in_place(
        self,
        block: ScriptBlock,
        code: Any,
        caller: Frame,
        out: Callable[[Any], None],
        arguments: list[Argument],
        underscore: Any,
    ) -> None:
        """A block of ForEach-Object, Where-Object and the like: in the caller's scope, without a frame of its own scope."""
        session = block.session
        scope = caller.scope if session is None or session is caller.session else session.current
        frame = Frame(self, scope, caller, block)
        frame.caught = caller.caught
        code.prepare(frame)
        saved = scope.vars.get("_")
        saved_value = saved.value if saved is not None else None
        if underscore is not members.MISSING:
            if saved is None:
                scope.vars["_"] = Variable("_", underscore)
            else:
                saved.value = underscore
        saved_args = scope.vars.get("args")
        if arguments:
            scope.put("args", PSArray([a.value for a in arguments]))
        current = self.frame
        self.frame = frame
        self.check()
        try:
            code.end(frame, out)
        finally:
            self.frame = current
            if arguments:
                if saved_args is None:
                    scope.vars.pop("args", None)
                else:
                    scope.vars["args"] = saved_args
            if underscore is not members.MISSING:
                if saved is None:
                    scope.vars.pop("_", None)
                else:
                    saved.value = saved_value
                    scope.vars["_"] = saved

    def invoke_script_method(self, value: Any, method: PSMember, args: list[Any]) -> Any:
        return members.call_script_method(value, method, args)

    def get_member_value(self, value: Any, member: PSMember) -> Any:
        return members.member_value(value, member)

    def set_property(self, value: Any, name: str, new: Any) -> None:
        members.set_member(value, name, new)

    # -- services for cmdlets

    def to_string(self, value: Any) -> str:
        return to_string(value)

    def to_bool(self, value: Any) -> bool:
        return conversion.to_bool(value)

    def compare(self, left: Any, right: Any) -> int:
        return operators.compare(left, right)

    def regex_search(self, pattern: str, text: str, ignore_case: bool) -> bool:
        return operators.regex(pattern, ignore_case).search(text) is not None

    @staticmethod
    def enumerate_into(value: Any, out: Callable[[Any], None]) -> None:
        """Put a value out, collections element by element."""
        if value is AutomationNull:
            return
        if is_enumerable(value):
            for item in iterate(value):
                out(item)
        else:
            out(value)

    def host_line(self, text: str) -> None:
        """A line on the host (Write-Host, -WhatIf)."""
        if self.host is not None:
            self.host.write_line(text)

    def run(self, frame: Frame, processors: list[CommandProcessor], out: Callable[[Any], None], runner: Any) -> None:
        """Run a pipeline of a statement."""
        saved_frame, saved_streams = self.frame, self.streams
        self.frame = frame
        try:
            runner(self, processors, out)
        finally:
            self.frame, self.streams = saved_frame, saved_streams

    # -- commands

    def resolve_command(self, name: str, frame: Frame | None = None) -> CommandInfo | None:
        """What a command name stands for: alias, function, cmdlet, script or program; None when there is none."""
        scope = (frame or self.frame).scope
        lower = name.lower()
        seen: set[str] = set()
        alias = scope.find_alias(lower)
        while alias is not None:
            if lower in seen:
                return None
            seen.add(lower)
            name = alias.definition
            lower = name.lower()
            alias = scope.find_alias(lower)
        prefix, colon, rest = lower.partition(":")
        if colon and prefix in ("global", "script", "local", "private") and rest:
            owner = scope.top() if prefix == "global" else scope.script() if prefix == "script" else scope
            found = owner.functions.get(rest) if owner.functions else None
            if found is not None:
                return found
        function = scope.find_function(lower)
        if function is not None:
            return function
        cls = find_cmdlet(name)
        if cls is not None and (self.machine is None or self.machine.has_module(cls.module_name)):
            if not self.shared.modules_prepared and cls.module_name != "Microsoft.PowerShell.Core":
                self._prepare_modules()
            return CmdletInfo(cls)
        if "\\" in name:
            module, _, short = name.rpartition("\\")
            found = self.module_command(module, short)
            if found is not None:
                return found
        return self.find_external(name)

    def _prepare_modules(self) -> None:
        """5.1 reads its modules when the first command of one is looked up, which its host shows as progress."""
        self.shared.modules_prepared = True
        show = getattr(self.host, "modules_prepared", None)
        if show is not None:
            show(self)

    def module_command(self, module: str, name: str) -> CommandInfo | None:
        """A command by ``module\\name``."""
        loaded = self.modules.get(module.lower())
        if loaded is not None:
            function = loaded.exported_functions.get(name.lower())
            if function is not None:
                return function
        return None

    def find_external(self, name: str) -> CommandInfo | None:
        """A script file or a program, by path or found on PATH."""
        from winlab.powershell.runtime import native

        return native.find(self, name)

    def command_missing(self, name: str) -> NetException:
        error = NetException(
            SMA + "CommandNotFoundException",
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling "
            "of the name, or if a path was included, verify that the path is correct and try again.",
            error_id="CommandNotFoundException",
            category="ObjectNotFound",
            target=name,
            CommandName=name,
        )
        return error

    def make_processor(
        self,
        frame: Frame,
        target: Any,
        arguments: list[Argument],
        extent: Any,
        dotted: bool = False,
        name_extent: Any = None,
        called: bool = False,
    ) -> CommandProcessor:
        """The processor of a command given by name, command info or script block."""
        base = unwrap(target)
        if isinstance(base, ScriptBlock):
            return ScriptProcessor(self, frame, ScriptInfo(base), base, arguments, extent, dotted)
        if isinstance(base, CommandInfo):
            return self.processor_of(frame, base, arguments, extent, dotted)
        if isinstance(base, members.PSMethodInfo) or base is None:
            raise runtime_error(
                "BadExpression",
                "The expression after '"
                + (". " if dotted else "&").strip()
                + "' in a pipeline element produced an object that was not "
                "valid. It must result in a command name, a script block, or a CommandInfo object.",
            )
        name = to_string(base)
        if name == "":
            raise runtime_error(
                "BadExpression",
                "The expression after '"
                + ("." if dotted else "&")
                + "' in a pipeline element produced an object that was not valid. It "
                "must result in a command name, a script block, or a CommandInfo object.",
            )
        from winlab.powershell.runtime.modules import ModuleInfo

        if isinstance(base, ModuleInfo):
            return self._module_call(frame, base, arguments, extent)
        info = self.resolve_command(name, frame)
        if info is None:
            info = self._last_resort(name, frame, extent, name_extent)
        processor = self.processor_of(frame, info, arguments, extent, dotted)
        processor.invocation.invocation_name = name
        processor.called_by_name = name  # type: ignore[attr-defined]
        return processor

    def _module_call(self, frame: Frame, module: Any, arguments: list[Argument], extent: Any) -> CommandProcessor:
        block = arguments[0].value
        bound = ScriptBlock(block.ast, module.session, block.file)
        return ScriptProcessor(self, frame, ScriptInfo(bound), bound, arguments[1:], extent)

    def _last_resort(self, name: str, frame: Frame, extent: Any, name_extent: Any) -> CommandInfo:
        seen: set[str] = set()
        alias = frame.scope.find_alias(name.lower())
        while alias is not None and name.lower() not in seen:
            seen.add(name.lower())
            name = alias.definition
            alias = frame.scope.find_alias(name.lower())
        if "\\" not in name and "/" not in name and "-" not in name:
            info = self.resolve_command(f"get-{name}", frame)
            if info is not None:
                return info
        real = real_commands().get(name.rpartition("\\")[2].lower())
        if real is not None:
            raise LabUnsupported(f"the command {real.name}", extent)
        error = self.command_missing(name)
        record = ErrorRecord(error, "CommandNotFoundException", "ObjectNotFound", name)
        record.invocation_info = InvocationInfo(None, name_extent or extent, name)
        record.activity = ""
        record.target_type = "String"
        error.error_record = record
        raise error

    def processor_of(
        self, frame: Frame, info: CommandInfo, arguments: list[Argument], extent: Any, dotted: bool = False
    ) -> CommandProcessor:
        """The processor of a command."""
        if isinstance(info, CmdletInfo):
            return CmdletProcessor(self, frame, info, arguments, extent)
        if isinstance(info, FunctionInfo):
            return ScriptProcessor(self, frame, info, info.block, arguments, extent, dotted)
        if isinstance(info, AliasInfo):
            found = self.resolve_command(info.definition, frame)
            if found is None:
                raise self.command_missing(info.definition)
            return self.processor_of(frame, found, arguments, extent, dotted)
        if isinstance(info, ExternalScriptInfo):
            block = self.load_script_file(info.path)
            processor = ScriptProcessor(self, frame, info, block, arguments, extent, dotted)
            processor.file_scope = not dotted
            return processor
        if isinstance(info, ScriptInfo):
            return ScriptProcessor(self, frame, info, info.block, arguments, extent, dotted)
        if isinstance(info, ApplicationInfo):
            from winlab.powershell.runtime.native import NativeProcessor

            return NativeProcessor(self, frame, info, arguments, extent)
        raise LabUnsupported(f"commands of the kind {info.command_type}", extent)

    def load_script_file(self, path: str) -> ScriptBlock:
        """A script file, parsed."""
        text = self.read_text(path)
        return self.parse(text, path)

    def read_text(self, path: str) -> str:
        """A text file as 5.1 reads scripts: by its byte order mark, else in the ANSI code page."""
        data = self.machine.fs.read_bytes(path, user=self.user)
        return decode_script(data)

    def read_lines(self, path: str) -> list[str]:
        """The lines of a file, for ``switch -File``."""
        from winlab.powershell.dotnet.declare import net_errors

        with net_errors(path):
            full = self.machine.fs.resolve(path, self.file_location)
        if not self.machine.fs.is_file(full):
            raise NetException(
                "System.IO.FileNotFoundException",
                f"Could not find file '{full}'.",
                error_id="FileNotFoundException",
            )
        return self.read_text(full).splitlines()

    # -- scripts

    def parse(self, text: str, file: str | None = None) -> ScriptBlock:
        """Parse a script; a ParseException with the parser's errors when it is not valid."""
        from winlab.powershell.parser import parse

        tree, _, errors = parse(text, file)
        if errors:
            raise parse_exception(errors)
        return ScriptBlock(tree, None, file)

    def run_block(
        self,
        block: ScriptBlock,
        out: Callable[[Any], None],
        arguments: list[Argument] | None = None,
        values: Iterable[Any] | None = None,
        *,
        dot: bool = True,
        info: CommandInfo | None = None,
    ) -> None:
        """Run a whole script in this runspace: in the global scope (``dot``), or in a script scope of its own (a file).

        Errors that no one caught come out as TerminatingError; ``exit`` as ExitException; Stop() as PipelineStopped.
        """
        saved = set_current(self)
        self.running_thread = threading.current_thread()
        frame = Frame(self, self.session.top)
        frame.file = block.file
        self.session.current = self.session.top
        self.frame = frame
        self.depth = 0
        self.propagate = False
        self.root_streams = self.streams
        processor = ScriptProcessor(
            self, frame, info or ScriptInfo(block), block, arguments or [], block.ast.extent, dot
        )
        processor.file_scope = not dot
        processor.is_root = True
        processor.invocation.extent = None  # no line of a script called it
        if isinstance(info, ExternalScriptInfo):
            processor.invocation.invocation_name = info.path
        if dot:
            frame.invocation = processor.invocation
            self.session.top.frame = frame
        if values is not None:
            processor.expecting_input = True
            values = list(values)
            frame.input = PSArray(values)
        try:
            run_pipeline(self, [processor], out, values)
            self.success = processor.left_success
        finally:
            self.running_thread = None
            set_current(saved)

    def run_script(
        self, tree: ast.ScriptBlockAst, take: Callable[[Any], None], input: Iterable[Any] | None = None
    ) -> None:
        """Run a parsed script in the global scope; each object it puts out goes to ``take``, ``input`` is its ``$input``.

        Input is read only when the script has a process block or names ``$input``.
        """
        values = input if input is not None and _reads_input(tree) else None
        self.run_block(ScriptBlock(tree, self.session), take, [], values)

    def run_file(
        self,
        tree: ast.ScriptBlockAst,
        path: str,
        args: list[str],
        take: Callable[[Any], None],
        input: Iterable[Any] | None = None,
    ) -> None:
        """Run a parsed script file with arguments as typed on the command line of powershell.exe -File."""
        values = input if input is not None and _reads_input(tree) else None
        name = path.replace("/", "\\").rpartition("\\")[2]
        self.run_block(
            ScriptBlock(tree, self.session, path),
            take,
            file_arguments(args),
            values,
            info=ExternalScriptInfo(name, path),
        )

    @property
    def last_success(self) -> bool:
        """``$?`` after the last script."""
        return self.success

    def close(self) -> None:
        """The runspace is used no more."""
        self.shared.runspaces -= 0

    # -- hooks that other modules fill

    def get_drive_item(self, drive: str, name: str, extent: Any) -> Any:
        """``${drive:name}`` as a value."""
        if drive == "function":
            found = self.frame.scope.find_function(name.lower())
            return found.block if found is not None else None
        if drive == "alias":
            found = self.frame.scope.find_alias(name.lower())
            return found.definition if found is not None else None
        if not self._has_drive(drive):
            return None
        return self._content_command("Get-Content", [Argument("LiteralPath", f"{drive}:{name}", True)], extent)

    def set_drive_item(self, drive: str, name: str, value: Any, extent: Any) -> None:
        """``${drive:name} = value``."""
        if drive == "function":
            base = unwrap(value)
            if base is None or base is AutomationNull:
                if self.frame.scope.functions:
                    self.frame.scope.functions.pop(name.lower(), None)
                return
            block = base if isinstance(base, ScriptBlock) else self.parse(to_string(base))
            self.frame.scope.set_function(name, FunctionInfo(name, block))
            return
        if drive == "alias":
            self.frame.scope.set_alias(name, AliasInfo(name, to_string(value)))
            return
        if not self._has_drive(drive):
            raise runtime_error(
                "DriveNotFound",
                f"Cannot find drive. A drive with the name '{drive}' does not exist.",
                kind="DriveNotFoundException",
                category="ObjectNotFound",
                target=drive,
            )
        arguments = [Argument("LiteralPath", f"{drive}:{name}", True), Argument("Value", value, True)]
        self._content_command("Set-Content", arguments, extent)

    def _has_drive(self, name: str) -> bool:
        """Whether a drive of that name exists in this runspace."""
        from winlab.powershell.providers import drives_of

        return any(drive.name.lower() == name for drive in drives_of(self).drives.values())

    def _content_command(self, name: str, arguments: list[Argument], extent: Any) -> Any:
        cls = find_cmdlet(name)
        if cls is None:
            raise LabUnsupported(f"the command {name}", extent)
        items: list[Any] = []
        processor = CmdletProcessor(self, self.frame, CmdletInfo(cls), arguments, extent)
        self.run(self.frame, [processor], items.append, run_pipeline)
        return compiler.collected(items)

    def open_redirection(self, frame: Frame, path: str, append: bool, owner: CommandProcessor) -> Callable[[Any], None]:
        """What ``> path`` writes to: Out-File, closed when the command is done."""
        cls = find_cmdlet("Out-File")
        if cls is None:
            raise LabUnsupported("redirection to a file", owner.extent)
        arguments = [
            Argument("FilePath", path, True),
            *([Argument("Append", SwitchParameter(True), True)] if append else []),
        ]
        processor = CmdletProcessor(self, frame, CmdletInfo(cls), arguments, owner.extent)
        processor.expecting_input = True
        processor.begin()

        def close() -> None:
            try:
                processor.end()
            finally:
                processor.dispose()

        owner.closers.append(close)
        return processor.process


def folder_of(path: str) -> str:
    """The folder of a file; that of a file at the root of a drive keeps its backslash."""
    folder = path.rpartition("\\")[0]
    return folder + "\\" if folder.endswith(":") else folder


def decode_script(data: bytes) -> str:
    """Script text from bytes: UTF-8 or UTF-16 by its mark, else Windows-1252."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le", "replace")
    if data.startswith(b"\xfe\xff"):
        return data[2:].decode("utf-16-be", "replace")
    return data.decode("cp1252", "replace")


def _reads_input(tree: ast.ScriptBlockAst) -> bool:
    """Whether a script takes pipeline input: it has a process block, or names ``$input``."""
    if tree.process_block is not None:
        return True
    return bool(
        tree.find_all(
            lambda node: isinstance(node, ast.VariableExpressionAst) and node.variable_path.user_path.lower() == "input"
        )
    )


def file_arguments(args: list[str]) -> list[Argument]:
    """Arguments of ``powershell -File``: ``-Name value``, ``-Switch``, ``-Name:value``; all else is text."""
    result: list[Argument] = []
    for text in args:
        if len(text) > 1 and text[0] == "-" and (text[1].isalpha() or text[1] == "_"):
            name, colon, value = text[1:].partition(":")
            if colon:
                lower = value.lower()
                typed: Any = {"$true": True, "$false": False}.get(lower, value)
                result.append(Argument(name, typed, True, None, f"-{name}:"))
            else:
                result.append(Argument(name, None, False, None, text))
        else:
            result.append(Argument(None, text, True))
    return result


def parse_exception(errors: list[Any]) -> NetException:
    """The ParseException for a script that does not parse."""
    from winlab.powershell.formatting.errorview import parse_error_text

    first = errors[0]
    message = parse_error_text(errors)
    error = NetException(
        SMA + "ParseException", message, error_id=first.error_id, category="ParserError", Errors=errors
    )
    record = ErrorRecord(error, first.error_id, "ParserError")
    record.invocation_info = InvocationInfo(None, first.extent)
    record.activity = ""
    error.error_record = record
    return error


def run_in_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """A thread with a stack deep enough for recursive scripts."""
    old = threading.stack_size(STACK_BYTES)
    try:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
    finally:
        threading.stack_size(old)
    return thread
