"""Commands as they run: what a name resolves to, and the processors that pipelines are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from winlab.powershell.commands.core import Cmdlet, CommandMetadata
from winlab.powershell.dotnet.core import get_type
from winlab.powershell.errors import (
    ErrorRecord,
    ExitException,
    LabUnsupported,
    NetException,
    StopUpstream,
    TerminatingError,
)
from winlab.powershell.objects import (
    AutomationNull,
    NetObject,
    PSArray,
    ScriptBlock,
    SwitchParameter,
    unwrap,
)
from winlab.powershell.runtime import conversion
from winlab.powershell.runtime.binder import Argument, Binder
from winlab.powershell.runtime.conversion import to_bool, to_string

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Frame, Runtime
    from winlab.powershell.runtime.script import ScriptMetadata


# ---------------------------------------------------------------------------------------------------------- command infos


class CommandInfo(NetObject):
    """What Get-Command returns."""

    command_type = ""

    def __init__(self, name: str, module: str = "") -> None:
        self.name = name
        self.module_name = module
        self.visibility = "Public"


class CmdletInfo(CommandInfo):
    command_type = "Cmdlet"

    def __init__(self, cls: type[Cmdlet]) -> None:
        super().__init__(cls.command_name, cls.module_name)
        self.cls = cls
        self.command_type = cls.kind


class FunctionInfo(CommandInfo):
    command_type = "Function"

    def __init__(self, name: str, block: ScriptBlock, module: str = "", is_filter: bool = False) -> None:
        super().__init__(name, module)
        self.block = block
        self.private = False
        self.read_only = False
        if is_filter:
            self.command_type = "Filter"


class AliasInfo(CommandInfo):
    command_type = "Alias"

    def __init__(self, name: str, definition: str, read_only: bool = False) -> None:
        super().__init__(name)
        self.definition = definition
        self.read_only = read_only


class ApplicationInfo(CommandInfo):
    command_type = "Application"

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self.path = path


class ExternalScriptInfo(CommandInfo):
    command_type = "ExternalScript"

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self.path = path


class ScriptInfo(CommandInfo):
    """A script block without a name (``powershell -Command``, AddScript)."""

    command_type = "Script"

    def __init__(self, block: ScriptBlock) -> None:
        super().__init__("")
        self.block = block


class InvocationInfo(NetObject):
    """``$MyInvocation`` and an error's position."""

    def __init__(self, command: Any = None, extent: Any = None, name: str = "") -> None:
        self.command = command
        self.extent = extent
        self.invocation_name = name
        self.bound_parameters: Any = None
        self.unbound_arguments: list[Any] = []
        self.expecting_input = False
        self.pipeline_position = 1
        self.pipeline_length = 1
        self.origin = "Runspace"

    def position_message(self) -> str:
        """``At line:1 char:1`` with the line and the tildes."""
        if self.extent is None:
            return ""
        from winlab.powershell.formatting.errorview import position_message

        return position_message(self.extent)


# ---------------------------------------------------------------------------------------------------------------- streams


class Streams:
    """Where the records of the streams go; each a function of one record."""

    __slots__ = (
        "debug",
        "error",
        "error_lists",
        "information",
        "information_lists",
        "progress",
        "verbose",
        "warning",
        "warning_lists",
    )

    def __init__(
        self,
        error: Callable[[Any], None],
        warning: Callable[[Any], None],
        verbose: Callable[[Any], None],
        debug: Callable[[Any], None],
        information: Callable[[Any], None],
        progress: Callable[[Any], None] | None = None,
    ) -> None:
        self.error = error
        self.warning = warning
        self.verbose = verbose
        self.debug = debug
        self.information = information
        self.progress = progress or (lambda record: None)
        # what -ErrorVariable and its kin of the functions that are running collect
        self.error_lists: tuple[list[Any], ...] = ()
        self.warning_lists: tuple[list[Any], ...] = ()
        self.information_lists: tuple[list[Any], ...] = ()

    def copy(self) -> Streams:
        made = Streams(self.error, self.warning, self.verbose, self.debug, self.information, self.progress)
        made.error_lists = self.error_lists
        made.warning_lists = self.warning_lists
        made.information_lists = self.information_lists
        return made

    def replace(self, name: str, sink: Callable[[Any], None]) -> None:
        setattr(self, name, sink)


class StreamRecord(NetObject):
    """A warning, verbose or debug record."""

    def __init__(self, message: str, kind: str) -> None:
        self.message = message
        self.kind = kind
        self.invocation_info: Any = None


class WarningRecord(StreamRecord):
    def __init__(self, message: str) -> None:
        super().__init__(message, "Warning")


class VerboseRecord(StreamRecord):
    def __init__(self, message: str) -> None:
        super().__init__(message, "Verbose")


class DebugRecord(StreamRecord):
    def __init__(self, message: str) -> None:
        super().__init__(message, "Debug")


class HostInformationMessage(NetObject):
    """What Write-Host puts into an information record."""

    def __init__(self, message: str, no_newline: bool = False, foreground: Any = None, background: Any = None) -> None:
        self.message = message
        self.no_newline = no_newline
        self.foreground = foreground
        self.background = background


class InformationRecord(NetObject):
    def __init__(self, data: Any, source: str = "") -> None:
        self.data = data
        self.source = source
        self.tags: list[str] = []


def discard(record: Any) -> None:
    """A sink that keeps nothing."""


# ------------------------------------------------------------------------------------------------------------- processors


class CommandProcessor:
    """One command of a running pipeline."""

    def __init__(self, runtime: Runtime, frame: Frame, info: CommandInfo | None, extent: Any) -> None:
        self.runtime = runtime
        self.frame = frame
        self.info = info
        self.extent = extent
        self.streams: Any = runtime.streams  # a Streams
        self.downstream: Callable[[Any], None] = discard
        self.failed = False
        self.error_action: str | None = None
        self.warning_action: str | None = None
        self.information_action: str | None = None
        self.verbose_flag: bool | None = None
        self.debug_flag: bool | None = None
        self.confirm_flag: bool | None = None
        self.what_if_flag: bool | None = None
        self.out_variable: list[Any] | None = None
        self.error_variable: Any = None
        self.warning_variable: Any = None
        self.information_variable: Any = None
        self.pipeline_variable: str | None = None
        self.invocation = InvocationInfo(info, extent, info.name if info is not None else "")
        self.closers: list[Callable[[], None]] = []
        self.position = 1
        self.length = 1
        self.begun = False

    # -- life

    def begin_once(self) -> None:
        if not self.begun:
            self.begun = True
            self.begin()

    def begin(self) -> None:
        pass

    def process(self, value: Any) -> None:
        """One object from upstream."""

    def process_no_input(self) -> None:
        """The one call of a command at the head of the pipeline."""

    def end(self) -> None:
        pass

    def dispose(self) -> None:
        for close in reversed(self.closers):
            close()
        self.closers.clear()

    # -- output

    def write(self, value: Any) -> None:
        if value is AutomationNull:
            return
        if self.out_variable is not None:
            self.out_variable.append(value)
        if self.pipeline_variable is not None:
            self.frame.scope.put(self.pipeline_variable, value)
        saved = self.runtime.streams
        try:
            self.downstream(value)
        finally:
            self.runtime.streams = saved

    def set_common(self, bound: dict[str, Any], metadata: CommandMetadata) -> None:
        """Take the common parameters out of what was bound."""
        get: Callable[[str], Any] = bound.get
        if "erroraction" in bound and metadata.parameters["erroraction"].is_common:
            self.error_action = get("erroraction").name.lower()
        if "warningaction" in bound:
            self.warning_action = get("warningaction").name.lower()
        if "informationaction" in bound:
            self.information_action = get("informationaction").name.lower()
        if "verbose" in bound:
            self.verbose_flag = to_bool(get("verbose"))
        if "debug" in bound:
            self.debug_flag = to_bool(get("debug"))
        if "whatif" in bound:
            self.what_if_flag = to_bool(get("whatif"))
        if "confirm" in bound:
            self.confirm_flag = to_bool(get("confirm"))
        if get("errorvariable"):
            self.error_variable = self._variable_list(get("errorvariable"))
        if get("warningvariable"):
            self.warning_variable = self._variable_list(get("warningvariable"))
        if get("informationvariable"):
            self.information_variable = self._variable_list(get("informationvariable"))
        if (
            self.error_variable is not None
            or self.warning_variable is not None
            or self.information_variable is not None
        ):
            self.streams = self.streams.copy()
            if self.error_variable is not None:
                self.streams.error_lists += (self.error_variable,)
            if self.warning_variable is not None:
                self.streams.warning_lists += (self.warning_variable,)
            if self.information_variable is not None:
                self.streams.information_lists += (self.information_variable,)
        if get("outvariable"):
            self.out_variable = self._variable_list(get("outvariable"))
        if get("pipelinevariable"):
            self.pipeline_variable = to_string(get("pipelinevariable"))

    def _variable_list(self, name: str) -> list[Any]:
        """The list behind an ArrayList that a variable is set to; ``+name`` appends to what is there."""
        append = name.startswith("+")
        name = name.lstrip("+")
        if append:
            old = self.frame.scope.find(name.lower())
            if old is not None and hasattr(old.value, "items") and isinstance(old.value.items, list):
                return old.value.items
        made = self.runtime.new_array_list()
        self.runtime.assign_variable(self.frame.scope, name, made)
        return made.items

    # -- errors

    @property
    def error_suffix(self) -> str:
        """What follows the comma in the FullyQualifiedErrorId."""
        return self.info.name if self.info is not None else ""

    def decorate(self, record: ErrorRecord) -> None:
        """Say which command an error came from and where it was called."""
        if record.invocation_info is None:
            record.invocation_info = self.invocation
            if not record.command and record.fully_qualified_override is None:
                record.command = self.error_suffix
            if not record.activity and self.info is not None:
                record.activity = self.info.name
        if record.script_stack_trace is None:
            record.script_stack_trace = self.runtime.script_stack_trace()

    def binding_record(self, error: NetException) -> ErrorRecord:
        """The record of a failed binding: it stands at the argument that it is about."""
        record = ErrorRecord(error, error.error_id or error.short_name, error.category or "InvalidArgument")
        self.decorate(record)
        position = getattr(error, "position", None)
        if position is not None:
            record.invocation_info = InvocationInfo(self.info, position, self.invocation.invocation_name)
        return record

    def preference(self) -> str:
        """What to do with a non-terminating error, lower case."""
        if self.error_action is not None:
            return self.error_action
        return self.runtime.error_preference(self.frame.scope)

    def write_error(self, record: ErrorRecord) -> None:
        self.decorate(record)
        self.failed = True
        action = self.preference()
        if action == "ignore":
            return
        for collected in self.streams.error_lists:
            collected.append(record)
        if action == "stop":
            error = TerminatingError(record, script_terminating=True)
            error.by_preference = True  # type: ignore[attr-defined]
            raise error
        self.runtime.add_error(record)
        if action == "silentlycontinue":
            return
        if action == "inquire":
            raise LabUnsupported("-ErrorAction Inquire: there is nobody to ask")
        self.streams.error(record)

    # -- other streams

    def write_warning(self, text: str) -> None:
        action = self.warning_action or self.runtime.preference_variable(
            self.frame.scope, "warningpreference", "continue"
        )
        record = WarningRecord(text)
        record.invocation_info = self.invocation
        for collected in self.streams.warning_lists:
            collected.append(record)
        self._by_preference(action, record, self.streams.warning, "WarningPreference", text)

    def write_verbose(self, text: str) -> None:
        self._by_preference(
            self._flag(self.verbose_flag, "verbosepreference"),
            VerboseRecord(text),
            self.streams.verbose,
            "VerbosePreference",
            text,
        )

    def write_debug(self, text: str) -> None:
        action = self._flag(self.debug_flag, "debugpreference")
        if action == "inquire":
            action = "continue"
        self._by_preference(action, DebugRecord(text), self.streams.debug, "DebugPreference", text)

    def write_information(self, record: InformationRecord, always: bool = False) -> None:
        for collected in self.streams.information_lists:
            collected.append(record)
        action = self.information_action or self.runtime.preference_variable(
            self.frame.scope, "informationpreference", "silentlycontinue"
        )
        if action == "ignore" and not always:
            return
        root = self.runtime.root_streams
        if self.streams.information == root.information and getattr(self.runtime.host, "name", "") == "ConsoleHost":
            if (
                action == "continue" or always
            ):  # a console shows what is asked for; redirected or hosted, every record arrives
                self.streams.information(record)
            return
        self.streams.information(record)

    def _flag(self, flag: bool | None, variable: str) -> str:
        if flag is not None:
            return "continue" if flag else "silentlycontinue"
        return self.runtime.preference_variable(self.frame.scope, variable, "silentlycontinue")

    def _by_preference(self, action: str, record: Any, sink: Callable[[Any], None], name: str, text: str) -> None:
        if action in ("silentlycontinue", "ignore"):
            return
        sink(record)
        if action == "stop":
            message = f'The running command stopped because the preference variable "{name}" or common parameter is set to Stop: {text}'
            error = NetException("System.Management.Automation.ActionPreferenceStopException", message)
            made = ErrorRecord(error, "ActionPreferenceStop", "OperationStopped")
            self.decorate(made)
            raise TerminatingError(made, script_terminating=True)

    # -- ShouldProcess

    def should_process(self, target: str, action: str) -> bool:
        what_if = self.what_if_flag
        if what_if is None:
            found = self.frame.scope.find("whatifpreference")
            what_if = found is not None and to_bool(found.value)
        if what_if:
            self.runtime.host_line(f'What if: Performing the operation "{action}" on target "{target}".')
            return False
        if self.confirm_needed():
            raise LabUnsupported(f'a question of -Confirm ("{action}" on "{target}"): there is nobody to answer')
        self.write_verbose(f'Performing the operation "{action}" on target "{target}".')
        return True

    def confirm_needed(self) -> bool:
        if self.confirm_flag is not None:
            return self.confirm_flag
        impact = self.impact()
        preference = self.runtime.preference_variable(self.frame.scope, "confirmpreference", "high")
        order = ["none", "low", "medium", "high"]
        return preference != "none" and order.index(impact) >= order.index(preference)

    def impact(self) -> str:
        return "medium"


class ExpressionProcessor(CommandProcessor):
    """An expression at the head of a pipeline: its value is enumerated into the next command."""

    def __init__(self, runtime: Runtime, frame: Frame, evaluate: Callable[[Any], Any], extent: Any) -> None:
        super().__init__(runtime, frame, None, extent)
        self.evaluate = evaluate

    def process_no_input(self) -> None:
        saved = self.runtime.streams
        self.runtime.streams = self.streams
        try:
            self.runtime.enumerate_into(self.evaluate(self.frame), self.write)
        finally:
            self.runtime.streams = saved

    def process(self, value: Any) -> None:
        raise NetException(
            "System.Management.Automation.RuntimeException",
            "Expressions are only allowed as the first element of a pipeline.",
            error_id="ExpressionsMustBeFirstInPipeline",
        )


class CmdletProcessor(CommandProcessor):
    """A cmdlet of the lab."""

    def __init__(
        self, runtime: Runtime, frame: Frame, info: CmdletInfo, arguments: list[Argument], extent: Any
    ) -> None:
        super().__init__(runtime, frame, info, extent)
        self.cls = info.cls
        self.arguments = arguments
        self.cmdlet = self.cls(runtime, self)
        self.binder = Binder(self.cls.metadata, runtime, self.cls.kind == "Function")
        self.expecting_input = False
        self.direct: str | None = None

    @property
    def error_suffix(self) -> str:
        return self.cls.type_name

    def impact(self) -> str:
        return self.cls.metadata.confirm_impact.lower()

    def bind(self) -> None:
        try:
            self.binder.bind(self.arguments, self.expecting_input)
        except NetException as error:
            self.throw_binding(error)
        except LabUnsupported as unsupported:
            unsupported.extent = unsupported.extent or self.extent
            raise
        self.set_common(self.binder.bound, self.cls.metadata)
        self._show_bound()

    def throw_binding(self, error: NetException) -> None:
        raise TerminatingError(self.binding_record(error)) from None

    def _show_bound(self) -> None:
        cmdlet = self.cmdlet
        parameters = self.cls.metadata.parameters
        values = cmdlet.__dict__
        for name, value in self.binder.bound.items():
            info = parameters[name]
            if info.attribute:
                values[info.attribute] = value.is_present if type(value) is SwitchParameter else value
        cmdlet.bound = self.binder.bound
        cmdlet.parameter_set = self.binder.chosen

    def begin(self) -> None:
        self.bind()
        self._run(self.cmdlet.begin)

    def _run(self, what: Callable[[], None]) -> None:
        runtime = self.runtime
        saved = runtime.streams
        runtime.streams = self.streams
        runtime.check()
        try:
            what()
        except NetException as error:
            record = error.error_record or ErrorRecord(
                error, error.error_id or error.short_name, error.category or "NotSpecified", error.target
            )
            self.decorate(record)
            raise TerminatingError(record) from None
        except LabUnsupported as unsupported:
            unsupported.extent = unsupported.extent or self.extent
            raise
        finally:
            runtime.streams = saved

    def process_no_input(self) -> None:
        if self.binder.chosen and self.binder._missing(self.binder.chosen, False):
            missing = self.binder._missing(self.binder.chosen, False)
            names = " ".join(p.name for p in missing)
            self.throw_binding(
                NetException(
                    "System.Management.Automation.ParameterBindingException",
                    f"Cannot process command because of one or more missing mandatory parameters: {names}.",
                    error_id="MissingMandatoryParameter",
                    category="InvalidArgument",
                )
            )
        self._run(self.cmdlet.process)

    def process(self, value: Any) -> None:
        binder = self.binder
        if self.direct is None:
            self.direct = binder.direct_parameter() or ""
            if self.direct:
                binder.from_pipeline = [self.direct]
        if self.direct:  # one parameter takes any object as it is
            if value is AutomationNull:
                value = None
            info = self.cls.metadata.parameters[self.direct]
            if value is not None or info.allow_null or not binder._mandatory(info):
                binder.bound[self.direct] = value
                self.cmdlet.__dict__[info.attribute] = value
                self._run(self.cmdlet.process)
                return
        if binder.wants_input() or binder.from_pipeline:
            previous = binder.from_pipeline
            try:
                taken = binder.bind_input(value)
            except NetException as error:
                record = ErrorRecord(
                    error, error.error_id or error.short_name, error.category or "InvalidArgument", value
                )
                self.decorate(record)
                self.write_error(record)
                return
            for name in previous:
                if name not in binder.bound:
                    self.cmdlet.__dict__.pop(self.cls.metadata.parameters[name].attribute, None)
            if not taken:
                self._not_bound(value)
                return
            self._show_bound()
        else:
            self._not_bound(value)
            return
        self._run(self.cmdlet.process)

    def _not_bound(self, value: Any) -> None:
        error = NetException(
            "System.Management.Automation.ParameterBindingException",
            "The input object cannot be bound to any parameters for the command either because the command does not take pipeline input "
            "or the input and its properties do not match any of the parameters that take pipeline input.",
        )
        record = ErrorRecord(error, "InputObjectNotBound", "InvalidArgument", value)
        self.decorate(record)
        self.write_error(record)

    def end(self) -> None:
        self._run(self.cmdlet.end)

    def dispose(self) -> None:
        stop = getattr(self.cmdlet, "dispose", None)
        if stop is not None:
            stop()
        super().dispose()


class ScriptProcessor(CommandProcessor):
    """A function, script block or script file."""

    def __init__(
        self,
        runtime: Runtime,
        frame: Frame,
        info: CommandInfo,
        block: ScriptBlock,
        arguments: list[Argument],
        extent: Any,
        dot_sourced: bool = False,
    ) -> None:
        super().__init__(runtime, frame, info, extent)
        self.block = block
        self.arguments = arguments
        self.dot_sourced = dot_sourced
        self.code = runtime.compile_block(block)
        self.metadata: ScriptMetadata | None = None  # once its arguments are bound
        self.expecting_input = False
        self.input: list[Any] = []
        self.own: Any = None  # the frame the body runs in
        self.binder: Binder | None = None
        self.file_scope = False
        self.is_root = False
        self.left_by: Any = None
        self.left_success = True  # $? as the body's last statement left it

    def impact(self) -> str:
        assert self.metadata is not None
        return str(self.metadata.confirm_impact).lower()

    def begin(self) -> None:
        runtime = self.runtime
        self.own = runtime.enter_script(self)
        saved = runtime.streams
        runtime.streams = self.streams
        try:
            runtime.bind_script(self)
            if self.code.begin is not None:
                self._run(self.code.begin, PSArray())
        finally:
            runtime.streams = saved

    def _run(self, body: Any, values: Any = None) -> None:
        runtime = self.runtime
        own = self.own
        saved_frame, saved_streams, saved_propagate = runtime.frame, runtime.streams, runtime.propagate
        saved_current = own.session.current
        own.session.current = own.scope
        runtime.frame = own
        runtime.streams = self.streams
        runtime.depth += 1
        if runtime.depth > runtime.max_depth:
            runtime.depth -= 1
            runtime.frame, runtime.streams = saved_frame, saved_streams
            own.session.current = saved_current
            raise runtime.depth_overflow()
        try:
            body(own, self.write)
            self.left_success = runtime.success
        except TerminatingError as error:
            if getattr(error, "leave", None) is self:
                error.leave = None  # type: ignore[attr-defined]
            raise
        except ExitException as stop:
            if self.is_root or not isinstance(self.info, ExternalScriptInfo):
                raise
            self._exited(stop)
        finally:
            runtime.depth -= 1
            runtime.frame, runtime.streams, runtime.propagate = saved_frame, saved_streams, saved_propagate
            own.session.current = saved_current

    def _exited(self, stop: ExitException) -> None:
        """``exit`` in a script file ends that file."""
        try:
            code = 0 if unwrap(stop.code) is None else int(conversion.convert(stop.code, get_type("System.Int32")))
        except NetException:
            code = 0
        self.runtime.session.top.put("LASTEXITCODE", code)
        self.failed = self.failed or code != 0

    def process_no_input(self) -> None:
        if self.code.process is not None:
            if self.expecting_input:
                return
            self._run_process(AutomationNull)

    def process(self, value: Any) -> None:
        if self.code.process is None:
            if self._is_advanced():
                self._bind_input(value)
            self.input.append(value)
            return
        if self._is_advanced() and not self._bind_input(value):
            return
        self._run_process(value)

    def _is_advanced(self) -> bool:
        return self.binder is not None and self.metadata is not None and self.metadata.cmdlet_binding

    def _bind_input(self, value: Any) -> bool:
        binder = self.binder
        assert binder is not None
        if not (binder.wants_input() or binder.from_pipeline):
            self._not_bound(value)
            return False
        previous = list(binder.from_pipeline)
        try:
            taken = binder.bind_input(value)
        except NetException as error:
            record = ErrorRecord(error, error.error_id or error.short_name, error.category or "InvalidArgument", value)
            self.write_error(record)
            return False
        if not taken:
            self._not_bound(value)
            return False
        self.runtime.show_pipeline_parameters(self, previous)
        return True

    def _not_bound(self, value: Any) -> None:
        error = NetException(
            "System.Management.Automation.ParameterBindingException",
            "The input object cannot be bound to any parameters for the command either because the command does not take pipeline input "
            "or the input and its properties do not match any of the parameters that take pipeline input.",
        )
        self.write_error(ErrorRecord(error, "InputObjectNotBound", "InvalidArgument", value))

    def _run_process(self, value: Any) -> None:
        own = self.own
        own.input = PSArray() if value is AutomationNull else PSArray([value])
        if value is not AutomationNull or not self.dot_sourced:
            own.scope.put("_", None if value is AutomationNull else value)
        self._run(self.code.process)

    def end(self) -> None:
        if self.code.end is not None:
            own = self.own
            if self.code.process is None:
                own.input = PSArray(self.input)
            self._run(self.code.end)

    def dispose(self) -> None:
        if self.own is not None:
            self.runtime.leave_script(self)
        super().dispose()


# -------------------------------------------------------------------------------------------------------------- pipelines


def run_pipeline(
    runtime: Runtime,
    processors: list[CommandProcessor],
    out: Callable[[Any], None],
    values: Iterable[Any] | None = None,
) -> None:
    """Run commands: begin all, feed the first one, end in order. ``values``: input for the first (None: it has none)."""
    count = len(processors)
    for i in range(count - 1):
        processors[i].downstream = _first_begun(processors[i + 1])
    processors[-1].downstream = out
    stopped_at = -1
    try:
        for i, processor in enumerate(processors):
            processor.position, processor.length = i + 1, count
        try:
            for i, processor in enumerate(processors):
                processor.begin_once()
                if i:
                    processors[i - 1].downstream = processor.process
            if values is None:
                processors[0].process_no_input()
            else:
                first = processors[0]
                for value in values:
                    first.process(value)
        except StopUpstream as stop:
            stopped_at = _position(processors, stop)
            for processor in processors[stopped_at + 1 :]:
                processor.begin_once()
        i = max(stopped_at, 0)
        while i < count:
            try:
                processors[i].end()
                i += 1
            except StopUpstream as stop:
                i = max(_position(processors, stop), i + 1)
    finally:
        for processor in processors:
            processor.dispose()
    runtime.success = not any(p.failed for p in processors)


def _first_begun(processor: CommandProcessor) -> Callable[[Any], None]:
    """What takes the objects that a command writes while it begins: the next one begins before it has the first of them."""

    def take(value: Any) -> None:
        processor.begin_once()
        processor.process(value)

    return take


def _position(processors: list[CommandProcessor], stop: StopUpstream) -> int:
    for i, processor in enumerate(processors):
        if processor is stop.requester:
            return i
    raise stop
