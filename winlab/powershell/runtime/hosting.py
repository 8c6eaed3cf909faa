"""Hosting PowerShell from PowerShell: [powershell], runspaces, and the collections and streams that go with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from winlab.powershell.dotnet import context
from winlab.powershell.dotnet.collections import Collection, collection_of, make
from winlab.powershell.dotnet.core import (
    ctor,
    define_interface,
    get_type,
    indexer,
    method,
    net_enum,
    net_type,
    prop,
    static,
    static_prop,
)
from winlab.powershell.dotnet.threads import WaitHandle, wait_until
from winlab.powershell.errors import (
    SMA,
    ErrorRecord,
    ExitException,
    FlowControl,
    LabUnsupported,
    LimitExceeded,
    NetException,
    PipelineStopped,
    TerminatingError,
)
from winlab.powershell.objects import AutomationNull, Dictionary, NetObject, PSArray, unwrap
from winlab.powershell.runtime.binder import Argument
from winlab.powershell.runtime.commands import ScriptInfo, ScriptProcessor, Streams, run_pipeline
from winlab.powershell.runtime.context import set_current
from winlab.powershell.runtime.conversion import to_string
from winlab.powershell.runtime.engine import Runtime, run_in_thread
from winlab.powershell.runtime.psobjects import PathIntrinsics
from winlab.windows.turns import aside

RUNSPACES = SMA + "Runspaces."
ASSEMBLY = "System.Management.Automation"

net_enum(
    SMA + "PSInvocationState",
    {"NotStarted": 0, "Running": 1, "Stopping": 2, "Stopped": 3, "Completed": 4, "Failed": 5, "Disconnected": 6},
)
net_enum(SMA + "RunspaceMode", {"CurrentRunspace": 0, "NewRunspace": 1})
net_enum(
    RUNSPACES + "RunspaceState",
    {
        "BeforeOpen": 0,
        "Opening": 1,
        "Opened": 2,
        "Closed": 3,
        "Closing": 4,
        "Broken": 5,
        "Disconnecting": 6,
        "Disconnected": 7,
        "Connecting": 8,
    },
)
net_enum(RUNSPACES + "PSThreadOptions", {"Default": 0, "UseNewThread": 1, "ReuseThread": 2, "UseCurrentThread": 3})
net_enum(
    RUNSPACES + "PipelineResultTypes",
    {"None": 0, "Output": 1, "Error": 2, "Warning": 3, "Verbose": 4, "Debug": 5, "Information": 6, "All": 7, "Null": 8},
)
define_interface("System.IAsyncResult")
define_interface("System.IDisposable")


def _invalid(type_name: str, message: str) -> NetException:
    return NetException(type_name, message)


# ------------------------------------------------------------------------------------------------------------ collections


@net_type(
    SMA + "PSDataCollection`1",
    base="System.Object",
    interfaces=("Collections.Generic.IList`1<T>", "IDisposable"),
    assembly=ASSEMBLY,
)
class PSDataCollection(NetObject):
    """A collection that one thread fills while another reads."""

    items: list[Any]
    open = True

    def setup(self) -> PSDataCollection:
        self.items = []
        self.lock = threading.RLock()
        self.open = True
        return self

    def __iter__(self) -> Iterator[Any]:
        with self.lock:
            return iter(list(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    def take(self, value: Any) -> None:
        with self.lock:
            self.items.append(value)

    @ctor("()")
    @ctor("(Int32)")
    def new(self, capacity: int = 0) -> None:
        self.setup()

    @ctor("(Collections.Generic.IEnumerable`1<T>)")
    def new_of(self, source: Any) -> None:
        self.setup()
        self.items.extend(source)

    @method("Add(T) : Void")
    def add(self, value: Any) -> None:
        if not self.open:
            raise _invalid(
                SMA + "PSInvalidOperationException",
                "Objects cannot be added to a closed buffer. Make sure the buffer is open for Add and Insert operations to succeed.",
            )
        self.take(value)

    @method("Complete() : Void")
    def complete(self) -> None:
        self.open = False

    @method("ReadAll() : Collections.ObjectModel.Collection`1<T>")
    def read_all(self) -> Collection:
        with self.lock:
            items, self.items[:] = list(self.items), []
        return collection_of(get_type("System.Object"), items)

    @method("Clear() : Void")
    def clear(self) -> None:
        with self.lock:
            self.items.clear()

    @method("Dispose() : Void")
    def dispose(self) -> None:
        self.items.clear()

    @prop("Count : Int32 get")
    def count(self) -> int:
        return len(self.items)

    @prop("IsOpen : Boolean get")
    def is_open(self) -> bool:
        return self.open

    @indexer("Item[Int32] : T")
    def item(self, index: int) -> Any:
        with self.lock:
            if not 0 <= index < len(self.items):
                raise _invalid(
                    "System.ArgumentOutOfRangeException",
                    "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index",
                )
            return self.items[index]


def data_collection(element: str = "System.Object") -> PSDataCollection:
    made: PSDataCollection = make(PSDataCollection, get_type(element))
    return made.setup()


# -------------------------------------------------------------------------------------------------------------- runspaces


@net_type(RUNSPACES + "InitialSessionState", base="System.Object", assembly=ASSEMBLY)
class InitialSessionState(NetObject):
    @static(f"CreateDefault() : {RUNSPACES}InitialSessionState")
    def create_default() -> InitialSessionState:
        return InitialSessionState()

    @static(f"CreateDefault2() : {RUNSPACES}InitialSessionState")
    def create_default2() -> InitialSessionState:
        return InitialSessionState()


@net_type(RUNSPACES + "RunspaceStateInfo", base="System.Object", assembly=ASSEMBLY)
class RunspaceStateInfo(NetObject):
    def __init__(self, state: str) -> None:
        self.value = state

    @prop(f"State : {RUNSPACES}RunspaceState get")
    def state(self) -> str:
        return self.value


@net_type(RUNSPACES + "Runspace", base="System.Object", interfaces=("IDisposable",), assembly=ASSEMBLY)
class Runspace(NetObject):
    """A runspace of this process beside the one that made it."""

    def __init__(self, parent: Runtime) -> None:
        self.runtime: Runtime | None = None
        self.parent = parent
        self.current_state = "BeforeOpen"
        self.options = "Default"
        self.busy = False

    def opened(self) -> Runtime:
        if self.current_state != "Opened" or self.runtime is None:
            raise _invalid(
                RUNSPACES + "InvalidRunspaceStateException",
                f"Cannot perform operation because runspace is not in the Opened state. Current state of the runspace is '{self.current_state}'.",
            )
        return self.runtime

    @method("Open() : Void")
    @method("OpenAsync() : Void")
    def open(self) -> None:
        if self.current_state != "BeforeOpen":
            raise _invalid(
                RUNSPACES + "InvalidRunspaceStateException",
                f"Cannot open the runspace because the runspace is not in the BeforeOpen state. Current state of the runspace is '{self.current_state}'.",
            )
        # Its first location is the current directory of the process, as .NET has it.
        self.runtime = Runtime(parent=self.parent, location=self.parent.process_directory, host=_SilentHost())
        self.current_state = "Opened"

    @method("Close() : Void")
    @method("CloseAsync() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        if self.runtime is not None:
            if self.busy:
                self.runtime.stop()
            self.runtime.close()
        self.current_state = "Closed"

    @method("ResetRunspaceState() : Void")
    def reset(self) -> None:
        """Variables, the location and errors as in a new runspace; functions, aliases and modules stay."""
        from winlab.powershell.runtime.setup import reset_variables

        runtime = self.opened()
        reset_variables(runtime)
        runtime.set_location(self.parent.process_directory)

    @prop(f"SessionStateProxy : {RUNSPACES}SessionStateProxy get")
    def proxy(self) -> Any:
        return SessionStateProxy(self.opened())

    @prop(f"RunspaceStateInfo : {RUNSPACES}RunspaceStateInfo get")
    def state_info(self) -> Any:
        return RunspaceStateInfo(self.current_state)

    @prop("Id : Int32 get")
    def id(self) -> int:
        return self.runtime.runspace_id if self.runtime is not None else 0

    @prop(f"ThreadOptions : {RUNSPACES}PSThreadOptions")
    def thread_options(self) -> str:
        return self.options

    @thread_options.setter
    def thread_options(self, value: Any) -> None:
        self.options = value.name

    @static_prop(f"DefaultRunspace : {RUNSPACES}Runspace get")
    def default() -> Any:
        return _current_runspace(context.runtime())


def _current_runspace(runtime: Runtime) -> Runspace:
    found: Runspace | None = runtime.state.get("runspace")
    if found is None:
        found = Runspace(runtime)
        found.runtime = runtime
        found.current_state = "Opened"
        runtime.state["runspace"] = found
    return found


class _SilentHost:
    """The host of a runspace that nobody gave one: it shows nothing and has no answers."""

    name = "Default Host"
    buffer_width = 120
    interactive = False
    exit_code: int | None = None

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        return None

    write_error = write_warning = write_verbose = write_debug = write_host = write_line = write_progress = (
        write_information
    ) = _nothing

    def read_line(self) -> str | None:
        raise _invalid(
            SMA + "Host.HostException",
            "A command that prompts the user failed because the host program or the command type does not support user interaction.",
        )

    def set_should_exit(self, code: int) -> None:
        self.exit_code = code


@net_type(RUNSPACES + "SessionStateProxy", base="System.Object", assembly=ASSEMBLY)
class SessionStateProxy(NetObject):
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @method("SetVariable(String,Object) : Void")
    def set_variable(self, name: str, value: Any) -> None:
        self.runtime.set_global(name, value)

    @method("GetVariable(String) : Object")
    def get_variable(self, name: str) -> Any:
        if name == "?":
            return self.runtime.success
        return self.runtime.get_variable(name)

    @prop("Path : Object get")
    def path(self) -> Any:
        return PathIntrinsics(self.runtime)

    @prop(f"LanguageMode : {SMA}PSLanguageMode get")
    def language_mode(self) -> str:
        return "FullLanguage"


@net_type(RUNSPACES + "RunspaceFactory", base="System.Object", assembly=ASSEMBLY)
class RunspaceFactory(NetObject):
    @static(f"CreateRunspace() : {RUNSPACES}Runspace")
    @static(f"CreateRunspace({RUNSPACES}InitialSessionState) : {RUNSPACES}Runspace")
    def create(state: Any = None) -> Runspace:
        return Runspace(context.runtime())

    @static(f"CreateRunspacePool() : {RUNSPACES}RunspacePool")
    @static(f"CreateRunspacePool(Int32,Int32) : {RUNSPACES}RunspacePool")
    def create_pool(*arguments: Any) -> Any:
        most = arguments[1] if len(arguments) == 2 else 1
        if most < 1:
            raise _invalid(
                "System.ArgumentException",
                "The maximum pool size cannot be less than 1.\r\nParameter name: maxRunspaces",
            )
        return RunspacePool(context.runtime(), most)


@net_type(RUNSPACES + "RunspacePool", base="System.Object", interfaces=("IDisposable",), assembly=ASSEMBLY)
class RunspacePool(NetObject):
    """Runspaces that pipelines take turns with, ``most`` of them at a time."""

    def __init__(self, parent: Runtime, most: int) -> None:
        self.parent = parent
        self.most = most
        self.current_state = "BeforeOpen"
        self.free: list[Runspace] = []
        self.made: list[Runspace] = []
        self.lock = threading.Condition()

    @method("Open() : Void")
    def open(self) -> None:
        self.current_state = "Opened"

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.current_state = "Closed"
        for runspace in self.made:
            runspace.close()

    @method("GetMaxRunspaces() : Int32")
    def maximum(self) -> int:
        return self.most

    @method("SetMaxRunspaces(Int32) : Boolean")
    def set_maximum(self, most: int) -> bool:
        self.most = most
        return True

    @method("GetAvailableRunspaces() : Int32")
    def available(self) -> int:
        return self.most - len(self.made) + len(self.free)

    @prop(f"RunspacePoolStateInfo : {RUNSPACES}RunspaceStateInfo get")
    def state_info(self) -> Any:
        return RunspaceStateInfo(self.current_state)

    def take(self) -> Runspace:
        """A runspace of this pool, as soon as one is free."""
        while True:
            with self.lock:
                if self.current_state != "Opened":
                    raise _invalid(
                        RUNSPACES + "InvalidRunspacePoolStateException",
                        "The state of the runspace pool is not valid for this operation.",
                    )
                if self.free:
                    return self.free.pop()
                if len(self.made) < self.most:
                    runspace = Runspace(self.parent)
                    runspace.open()
                    self.made.append(runspace)
                    return runspace
            with aside(), self.lock:
                if not self.free:
                    self.lock.wait(0.1)
            self.parent.check()

    def give(self, runspace: Runspace) -> None:
        with self.lock:
            self.free.append(runspace)
            self.lock.notify_all()


# --------------------------------------------------------------------------------------------------------------- commands


@net_type(RUNSPACES + "CommandParameter", base="System.Object", assembly=ASSEMBLY)
class CommandParameter(NetObject):
    def __init__(self, name: str | None, value: Any, has_value: bool) -> None:
        self.parameter_name = name
        self.parameter_value = value
        self.has_value = has_value

    @prop("Name : String get")
    def name(self) -> str | None:
        return self.parameter_name

    @prop("Value : Object get")
    def value(self) -> Any:
        return self.parameter_value


@net_type(RUNSPACES + "Command", base="System.Object", assembly=ASSEMBLY)
class Command(NetObject):
    """One command of a [powershell]: a script's text or a command's name, with parameters and merged streams."""

    def __init__(self, text: str, is_script: bool, local_scope: bool = False) -> None:
        self.text = text
        self.script = is_script
        self.local_scope = local_scope
        self.arguments: list[CommandParameter] = []
        self.merged: dict[str, str] = {}

    @prop("CommandText : String get")
    def command_text(self) -> str:
        return self.text

    @prop("IsScript : Boolean get")
    def is_script(self) -> bool:
        return self.script

    @prop("UseLocalScope : Boolean get")
    def use_local_scope(self) -> bool:
        return self.local_scope

    @prop("Parameters : Object get")
    def parameters(self) -> Any:
        return collection_of(get_type("System.Object"), self.arguments)

    @method(f"MergeMyResults({RUNSPACES}PipelineResultTypes,{RUNSPACES}PipelineResultTypes) : Void")
    def merge(self, mine: Any, target: Any) -> None:
        if mine.name == "None" and target.name == "None":
            self.merged.clear()
            return
        if mine.name in ("None", "Output"):
            raise _invalid(
                "System.ArgumentException",
                'The only legal values for "MyResult" are "Error", "Warning", "Verbose", "Debug" and "All".',
            )
        if target.name not in ("Output", "Null"):
            raise _invalid("System.ArgumentException", 'The only legal value for "toResult" is "Output" or "Null".')
        names = ("error", "warning", "verbose", "debug", "information") if mine.name == "All" else (mine.name.lower(),)
        for name in names:
            self.merged[name] = target.name


@net_type(SMA + "PSCommand", base="System.Object", assembly=ASSEMBLY)
class PSCommand(NetObject):
    def __init__(self) -> None:
        self.statements: list[list[Command]] = [[]]

    @prop("Commands : Object get")
    def commands(self) -> Any:
        return collection_of(
            get_type("System.Object"), [command for statement in self.statements for command in statement]
        )

    @method("Clear() : Void")
    def clear(self) -> None:
        self.statements = [[]]


@net_type(SMA + "PSDataStreams", base="System.Object", assembly=ASSEMBLY)
class PSDataStreams(NetObject):
    def __init__(self) -> None:
        self.records = {
            name: data_collection() for name in ("error", "warning", "verbose", "debug", "information", "progress")
        }

    @prop("Error : Object get")
    def error(self) -> Any:
        return self.records["error"]

    @prop("Warning : Object get")
    def warning(self) -> Any:
        return self.records["warning"]

    @prop("Verbose : Object get")
    def verbose(self) -> Any:
        return self.records["verbose"]

    @prop("Debug : Object get")
    def debug(self) -> Any:
        return self.records["debug"]

    @prop("Information : Object get")
    def information(self) -> Any:
        return self.records["information"]

    @prop("Progress : Object get")
    def progress(self) -> Any:
        return self.records["progress"]

    @method("ClearStreams() : Void")
    def clear(self) -> None:
        for records in self.records.values():
            records.clear()


@net_type(SMA + "PSInvocationStateInfo", base="System.Object", assembly=ASSEMBLY)
class PSInvocationStateInfo(NetObject):
    def __init__(self, state: str, reason: NetException | None) -> None:
        self.value = state
        self.cause = reason

    @prop(f"State : {SMA}PSInvocationState get")
    def state(self) -> str:
        return self.value

    @prop("Reason : Exception get")
    def reason(self) -> Any:
        return self.cause


class _Finished(WaitHandle):
    """Signalled when an invocation has ended."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def try_take(self) -> bool:
        return self.event.is_set()

    def wait(self, seconds: float | None) -> bool:
        # The thread wakes with the event itself; the runtime's stop is looked at between.
        return wait_until(self.event.is_set, seconds, _Wakes(self.event))  # type: ignore[arg-type]


class _Wakes:
    """An event where `wait_until` expects a condition."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        return None

    def wait(self, seconds: float) -> None:
        self.event.wait(seconds)


@net_type(SMA + "PowerShellAsyncResult", base="System.Object", interfaces=("IAsyncResult",), assembly=ASSEMBLY)
class PowerShellAsyncResult(NetObject):
    def __init__(self, owner: PowerShell, output: PSDataCollection) -> None:
        self.owner = owner
        self.output = output
        self.event = threading.Event()

    @prop("IsCompleted : Boolean get")
    def is_completed(self) -> bool:
        return self.event.is_set()

    @prop("AsyncWaitHandle : Threading.WaitHandle get")
    def wait_handle(self) -> Any:
        return _Finished(self.event)

    @prop("AsyncState : Object get")
    def async_state(self) -> Any:
        return None

    @prop("CompletedSynchronously : Boolean get")
    def completed_synchronously(self) -> bool:
        return False


# ------------------------------------------------------------------------------------------------------------- PowerShell


@net_type(SMA + "PowerShell", base="System.Object", interfaces=("IDisposable",), assembly=ASSEMBLY)
class PowerShell(NetObject):
    """Commands to run in a runspace, at once or on a thread of their own."""

    def __init__(self, parent: Runtime) -> None:
        self.parent = parent
        self.own: Runspace | None = None
        self.command = PSCommand()
        self.stream_records = PSDataStreams()
        self.state = "NotStarted"
        self.reason: NetException | None = None
        self.errors = False
        self.fatal: BaseException | None = None
        self.running: PowerShellAsyncResult | None = None
        self.pool: RunspacePool | None = None
        self.nested = False  # runs in the runspace that made it, inside the pipeline that calls Invoke()

    @static(f"Create() : {SMA}PowerShell")
    @static(f"Create({RUNSPACES}InitialSessionState) : {SMA}PowerShell")
    def create(state: Any = None) -> PowerShell:
        return PowerShell(context.runtime())

    @static(f"Create({SMA}RunspaceMode) : {SMA}PowerShell")
    def create_in(mode: Any) -> PowerShell:
        made = PowerShell(context.runtime())
        if mode.name == "CurrentRunspace":
            made.nested = True
            made.own = _current_runspace(context.runtime())
        return made

    # -- what to run

    def _append(self, command: Command) -> PowerShell:
        self.command.statements[-1].append(command)
        return self

    def _last(self) -> Command:
        statement = self.command.statements[-1]
        if not statement:
            raise _invalid(
                SMA + "PSInvalidOperationException",
                "A command is required to add a parameter. A command must be added to the PowerShell instance before adding a parameter.",
            )
        return statement[-1]

    @method(f"AddScript(String) : {SMA}PowerShell")
    @method(f"AddScript(String,Boolean) : {SMA}PowerShell")
    def add_script(self, text: str, local_scope: bool = False) -> PowerShell:
        return self._append(Command(text, True, local_scope))

    @method(f"AddCommand(String) : {SMA}PowerShell")
    @method(f"AddCommand(String,Boolean) : {SMA}PowerShell")
    def add_command(self, name: str, local_scope: bool = False) -> PowerShell:
        return self._append(Command(name, False, local_scope))

    @method(f"AddParameter(String) : {SMA}PowerShell")
    def add_switch(self, name: str) -> PowerShell:
        self._last().arguments.append(CommandParameter(name.lstrip("-"), None, False))
        return self

    @method(f"AddParameter(String,Object) : {SMA}PowerShell")
    def add_parameter(self, name: str, value: Any) -> PowerShell:
        self._last().arguments.append(CommandParameter(name.lstrip("-"), value, True))
        return self

    @method(f"AddParameters(Collections.IDictionary) : {SMA}PowerShell")
    def add_parameters(self, values: Any) -> PowerShell:
        source = unwrap(values)
        if not isinstance(source, Dictionary):
            raise LabUnsupported("PowerShell.AddParameters of this kind of dictionary")
        for name, value in source.items():
            self.add_parameter(to_string(name), value)
        return self

    @method(f"AddArgument(Object) : {SMA}PowerShell")
    def add_argument(self, value: Any) -> PowerShell:
        self._last().arguments.append(CommandParameter(None, value, True))
        return self

    @method(f"AddStatement() : {SMA}PowerShell")
    def add_statement(self) -> PowerShell:
        if self.command.statements[-1]:
            self.command.statements.append([])
        return self

    @prop("Commands : Object")
    def commands(self) -> Any:
        return self.command

    @commands.setter
    def commands(self, value: Any) -> None:
        self.command = unwrap(value)

    @prop(f"Runspace : {RUNSPACES}Runspace")
    def runspace(self) -> Any:
        return self._runspace()

    @runspace.setter
    def runspace(self, value: Any) -> None:
        self.own = unwrap(value)

    @prop(f"RunspacePool : {RUNSPACES}RunspacePool")
    def runspace_pool(self) -> Any:
        return self.pool

    @runspace_pool.setter
    def runspace_pool(self, value: Any) -> None:
        self.pool = unwrap(value)

    def _runspace(self) -> Runspace:
        if self.own is None:
            self.own = Runspace(self.parent)
            self.own.open()
        return self.own

    # -- what came of it

    @prop("Streams : Object get")
    def streams(self) -> Any:
        return self.stream_records

    @prop("HadErrors : Boolean get")
    def had_errors(self) -> bool:
        return self.errors

    @prop(f"InvocationStateInfo : {SMA}PSInvocationStateInfo get")
    def invocation_state(self) -> Any:
        return PSInvocationStateInfo(self.state, self.reason)

    # -- running

    @method(f"Invoke() : Collections.ObjectModel.Collection`1<{SMA}PSObject>")
    def invoke(self) -> Any:
        return self._invoke(None)

    @method(f"Invoke(Collections.IEnumerable) : Collections.ObjectModel.Collection`1<{SMA}PSObject>")
    def invoke_with(self, values: Any) -> Any:
        return self._invoke(values)

    def _invoke(self, values: Any) -> Any:
        output = data_collection()
        self._begin()
        if self.nested:
            self._run_nested(self._runspace().opened(), values, output)
        elif self.pool is not None:
            self._run_pooled(values, output)
        else:
            self._run(self._runspace().opened(), values, output)
        self._raise()
        return collection_of(get_type("System.Object"), list(output))

    @method("BeginInvoke() : IAsyncResult")
    def begin(self) -> Any:
        return self._start(None, data_collection())

    @method("BeginInvoke(Object) : IAsyncResult")
    def begin_with(self, values: Any) -> Any:
        return self._start(values, data_collection())

    @method("BeginInvoke(Object,Object) : IAsyncResult")
    def begin_into(self, values: Any, output: Any) -> Any:
        target = unwrap(output)
        return self._start(values, target if isinstance(target, PSDataCollection) else data_collection())

    def _run_pooled(self, values: Any, output: PSDataCollection) -> None:
        """As :meth:`_run`, in a runspace of the pool."""
        assert self.pool is not None
        try:
            runspace = self.own = self.pool.take()
        except NetException as error:
            self.state, self.reason = "Failed", error
            output.complete()
            return
        try:
            self._run(runspace.opened(), values, output)
        finally:
            self.pool.give(runspace)

    def _run_nested(self, runtime: Runtime, values: Any, output: PSDataCollection) -> None:
        """As :meth:`_run`, in the middle of a pipeline of the same runspace: all that it changes there is put back."""
        top = runtime.session.top
        saved = (runtime.frame, runtime.streams, runtime.depth, runtime.propagate, runtime.session.current, top.frame)
        try:
            self._run_statements(runtime, values, output)
            self.state = "Completed"
        except TerminatingError as error:
            self._failed(_carrier(error), error.record)
        except NetException as error:
            self._failed(error, runtime.make_record(error, runtime.frame, None))
        finally:
            runtime.frame, runtime.streams, runtime.depth, runtime.propagate, runtime.session.current, top.frame = saved
            output.complete()

    def _start(self, values: Any, output: PSDataCollection) -> PowerShellAsyncResult:
        if self.nested:
            raise LabUnsupported("BeginInvoke of a [powershell] in the current runspace")
        self._begin()
        runtime = self._runspace().opened() if self.pool is None else None
        result = self.running = PowerShellAsyncResult(self, output)
        from winlab.windows import current as kernel

        process = kernel.current_process()

        def body() -> None:
            kernel.enter(process)
            try:
                if runtime is None:
                    self._run_pooled(values, output)
                else:
                    self._run(runtime, values, output)
            finally:
                result.event.set()
                kernel.enter(None)

        run_in_thread(body, "pipeline")
        return result

    @method("EndInvoke(IAsyncResult) : Object")
    def end(self, result: Any) -> Any:
        pending = unwrap(result)
        if not isinstance(pending, PowerShellAsyncResult):
            raise _invalid("System.ArgumentNullException", "Value cannot be null.\r\nParameter name: asyncResult")
        _Finished(pending.event).wait(None)
        self._raise()
        return pending.output

    @method("Stop() : Void")
    def stop(self) -> None:
        pending = self._request_stop()
        if pending is not None:
            _Finished(pending.event).wait(None)

    @method("BeginStop(AsyncCallback,Object) : IAsyncResult")
    def begin_stop(self, callback: Any, state: Any) -> Any:
        pending = self._request_stop()
        if pending is None:
            pending = PowerShellAsyncResult(self, data_collection())
            pending.event.set()
        return pending

    @method("EndStop(IAsyncResult) : Void")
    def end_stop(self, result: Any) -> None:
        _Finished(unwrap(result).event).wait(None)

    def _request_stop(self) -> PowerShellAsyncResult | None:
        pending = self.running
        if pending is None or pending.event.is_set():
            return None
        self.state = "Stopping"
        self._runspace().opened().stop()
        return pending

    @method("Dispose() : Void")
    def dispose(self) -> None:
        self._request_stop()

    def _begin(self) -> None:
        if self.state in ("Running", "Stopping"):
            raise _invalid(
                SMA + "InvalidPowerShellStateException",
                "The state of the current PowerShell instance is not valid for this operation.",
            )
        if not any(self.command.statements):
            raise _invalid(SMA + "PSInvalidOperationException", "The pipeline does not contain a command.")
        runspace = self._runspace()
        runspace.opened()
        if self.nested or self.pool is not None:
            self.state, self.reason, self.errors, self.fatal = "Running", None, False, None
            return
        if runspace.busy:
            raise _invalid(
                SMA + "PSInvalidOperationException",
                "The state of the current runspace is not valid: a pipeline is already running. Concurrent pipelines are not allowed.",
            )
        runspace.busy = True
        self.state, self.reason, self.errors, self.fatal = "Running", None, False, None

    def _raise(self) -> None:
        if self.fatal is not None:
            raise self.fatal
        if self.reason is not None:
            raise self.reason

    def _run(self, runtime: Runtime, values: Any, output: PSDataCollection) -> None:
        """Run all statements; how it ends is left in the state."""
        saved = set_current(runtime)
        saved_streams = runtime.streams
        runtime.stopping = False
        runtime.running_thread = threading.current_thread()
        try:
            self._run_statements(runtime, values, output)
            self.state = "Completed"
        except ExitException as leave:
            if runtime.host is not None:
                runtime.host.set_should_exit(leave.code)
            self.state = "Completed"
        except PipelineStopped:
            self.state = "Stopped"
            self.reason = _invalid(SMA + "PipelineStoppedException", "The pipeline has been stopped.")
        except TerminatingError as error:
            self._failed(_carrier(error), error.record)
        except NetException as error:
            self._failed(error, runtime.make_record(error, runtime.frame, None))
        except LabUnsupported as lacking:
            error = NetException(
                SMA + "RuntimeException", lacking.message, error_id="LabUnsupported", category="NotImplemented"
            )
            self._failed(error, ErrorRecord(error, "LabUnsupported", "NotImplemented"))
        except LimitExceeded as limit:
            self.state, self.fatal = "Failed", limit
        except FlowControl:
            self.state = "Completed"  # break or continue outside of a loop ends the script
        except BaseException as fatal:
            self.state, self.fatal = "Failed", fatal
        finally:
            runtime.streams = saved_streams
            runtime.running_thread = None
            runtime.stopping = False
            self._runspace().busy = False
            set_current(saved)
            output.complete()

    def _failed(self, exception: NetException, record: ErrorRecord) -> None:
        self.state, self.errors = "Failed", True
        if exception.error_record is None:
            exception.error_record = record
        self.reason = exception

    def _run_statements(self, runtime: Runtime, values: Any, output: PSDataCollection) -> None:
        records = self.stream_records.records

        def failing(record: Any) -> None:
            self.errors = True
            records["error"].take(record)

        streams = Streams(
            failing,
            records["warning"].take,
            records["verbose"].take,
            records["debug"].take,
            records["information"].take,
            records["progress"].take,
        )
        top = runtime.session.top
        for statement in filter(None, self.command.statements):
            runtime.streams = streams
            runtime.session.current = top
            runtime.depth = 0
            runtime.propagate = False
            frame = runtime.frame = type(runtime.frame)(runtime, top)
            top.frame = frame
            given = _input_values(values)
            processors = [self._processor(runtime, frame, command, given is not None) for command in statement]
            for command, processor in zip(statement, processors, strict=True):
                self._merge(command, processor)
            if given is not None:
                frame.input = PSArray(given)
            run_pipeline(runtime, processors, output.take, given)
            if isinstance(processors[-1], ScriptProcessor):
                runtime.success = processors[-1].left_success
            values = None

    def _processor(self, runtime: Runtime, frame: Any, command: Command, expects: bool) -> Any:
        arguments = [
            Argument(
                item.parameter_name,
                item.parameter_value,
                item.has_value,
                None,
                f"-{item.parameter_name}" if item.parameter_name else None,
            )
            for item in command.arguments
        ]
        if command.script:
            block = runtime.parse(command.text)
            processor: Any = ScriptProcessor(
                runtime, frame, ScriptInfo(block), block, arguments, block.ast.extent, not command.local_scope
            )
            processor.expecting_input = expects
        else:
            processor = runtime.make_processor(frame, command.text, arguments, None, dotted=not command.local_scope)
            if expects:
                processor.expecting_input = True
        return processor

    def _merge(self, command: Command, processor: Any) -> None:
        if not command.merged:
            return
        processor.streams = processor.streams.copy()

        def put(record: Any) -> None:
            processor.write(record)

        def put_error(record: Any) -> None:
            self.errors = True
            processor.write(record)

        for name, target in command.merged.items():
            sink: Callable[[Any], None] = (
                (lambda record: None) if target == "Null" else (put_error if name == "error" else put)
            )
            setattr(processor.streams, name, sink)
        processor.merged = frozenset(command.merged)


def _carrier(error: TerminatingError) -> NetException:
    """The RuntimeException that a terminating error leaves a pipeline in."""
    record = error.record
    exception = record.exception
    if getattr(error, "by_preference", False):
        made = NetException(
            SMA + "ActionPreferenceStopException",
            'The running command stopped because the preference variable "ErrorActionPreference" or common parameter is set to Stop: '
            + record.message,
        )
    elif exception.net_type.is_subclass_of(SMA + "RuntimeException"):
        return exception
    else:
        made = NetException(SMA + "RuntimeException", exception.message, exception)
    made.error_record = record
    return made


def _input_values(values: Any) -> list[Any] | None:
    """The objects of an input collection; None where there is no input."""
    source = unwrap(values)
    if source is None or source is AutomationNull:
        return None
    if isinstance(source, PSDataCollection):
        if source.open:
            raise LabUnsupported("an input collection that is not complete (call Complete() before BeginInvoke)")
        return list(source) or None
    items: Iterable[Any] = source if not isinstance(source, str) else [source]
    return list(items)
