"""Declaring cmdlets.

```python
@cmdlet("Get-Thing", module="Microsoft.PowerShell.Management", default_set="Path", aliases=("gt",))
class GetThing(Cmdlet):
    path = parameter("Path", "String[]", position=0, mandatory=True, sets=("Path",), pipeline=True, by_name=True)
    literal_path = parameter("LiteralPath", "String[]", mandatory=True, sets=("LiteralPath",), by_name=True, aliases=("PSPath",))
    force = switch("Force")

    def process(self) -> None:
        for name in self.path or self.literal_path:
            self.write(...)
```

Parameter types are written as in signatures of :mod:`winlab.powershell.dotnet.core` (``String[]``, ``Management.Automation.ScriptBlock`` ...). A parameter
that was not given reads as its ``default`` (None, False for switches); ``self.bound`` holds the names (lower case) that were given, with their values.

The commands of Windows PowerShell 5.1 travel with the package (``data/commands.json.gz``): every real parameter of a declared cmdlet that its class
does not declare is known to the binder and refused by name, as is every real command that nobody declared.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from winlab.powershell.dotnet.core import NetType, get_type
from winlab.powershell.errors import ErrorRecord, NetException, TerminatingError
from winlab.powershell.objects import AutomationNull, PSObject

if TYPE_CHECKING:
    from winlab.powershell.runtime.commands import CommandProcessor
    from winlab.powershell.runtime.engine import Runtime

ALL_SETS = "__AllParameterSets"

COMMON_PARAMETERS: dict[str, tuple[str, str]] = {
    "Verbose": ("vb", "Management.Automation.SwitchParameter"),
    "Debug": ("db", "Management.Automation.SwitchParameter"),
    "ErrorAction": ("ea", "Management.Automation.ActionPreference"),
    "WarningAction": ("wa", "Management.Automation.ActionPreference"),
    "InformationAction": ("infa", "Management.Automation.ActionPreference"),
    "ErrorVariable": ("ev", "String"),
    "WarningVariable": ("wv", "String"),
    "InformationVariable": ("iv", "String"),
    "OutVariable": ("ov", "String"),
    "OutBuffer": ("ob", "Int32"),
    "PipelineVariable": ("pv", "String"),
}
SHOULD_PROCESS_PARAMETERS: dict[str, tuple[str, str]] = {
    "WhatIf": ("wi", "Management.Automation.SwitchParameter"),
    "Confirm": ("cf", "Management.Automation.SwitchParameter"),
}


# ---------------------------------------------------------------------------------------------------------------- real commands


@dataclass(frozen=True)
class RealCommand:
    """A command of the real 5.1: its module, kind (Cmdlet, Function, Alias) and the syntax of its parameter sets."""

    name: str
    module: str
    kind: str
    syntax: tuple[str, ...]

    @property
    def parameter_names(self) -> list[str]:
        names: dict[str, str] = {}
        for text in self.syntax:
            for found in re.findall(r"(?<![\w<])-(\w+)", text):
                names.setdefault(found.lower(), found)
        return list(names.values())


@cache
def real_commands() -> dict[str, RealCommand]:
    """Every command of the list, by lower-case name."""
    packed = (files("winlab.powershell") / "data" / "commands.json.gz").read_bytes()
    raw = json.loads(gzip.decompress(packed))
    return {n.lower(): RealCommand(n, e["m"], e["k"], tuple(e["s"])) for n, e in raw.items()}


# ------------------------------------------------------------------------------------------------------------------- validation


class ValidationError(Exception):
    """An argument that a validation attribute refuses; the text is PowerShell's."""


class Validator:
    """Base of validation attributes. ``check`` gets the converted argument and the runtime; it raises ValidationError."""

    each = True  # for arrays: every element

    def check(self, value: Any, runtime: Runtime) -> None:
        raise NotImplementedError


class ValidateSet(Validator):
    def __init__(self, *values: str, ignore_case: bool = True) -> None:
        self.values = values
        self.ignore_case = ignore_case

    def check(self, value: Any, runtime: Runtime) -> None:
        text = runtime.to_string(value)
        for allowed in self.values:
            if text == allowed or (self.ignore_case and text.lower() == allowed.lower()):
                return
        joined = ",".join(self.values)
        raise ValidationError(
            f'The argument "{text}" does not belong to the set "{joined}" specified by the ValidateSet attribute. '
            "Supply an argument that is in the set and then try the command again."
        )


class ValidateRange(Validator):
    def __init__(self, minimum: Any, maximum: Any) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def check(self, value: Any, runtime: Runtime) -> None:
        shown = runtime.to_string(value)
        if runtime.compare(value, self.minimum) < 0:
            raise ValidationError(
                f"The {shown} argument is less than the minimum allowed range of {runtime.to_string(self.minimum)}. Supply an argument "
                f"that is greater than or equal to {runtime.to_string(self.minimum)} and then try the command again."
            )
        if runtime.compare(value, self.maximum) > 0:
            raise ValidationError(
                f"The {shown} argument is greater than the maximum allowed range of {runtime.to_string(self.maximum)}. Supply an "
                f"argument that is less than or equal to {runtime.to_string(self.maximum)} and then try the command again."
            )


class ValidateLength(Validator):
    def __init__(self, minimum: int, maximum: int) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def check(self, value: Any, runtime: Runtime) -> None:
        if not isinstance(value, str):
            raise ValidationError(
                "The argument cannot be validated because the ValidateLength attribute can only be applied to a string."
            )
        size = len(value)
        if size < self.minimum:
            raise ValidationError(
                f'The character length ({size}) of the "{value}" argument is shorter than the minimum allowed length of '
                f'"{self.minimum}" characters.'
            )
        if size > self.maximum:
            raise ValidationError(
                f"The character length of the {size} argument is too long. Shorten the character length of the argument so it is "
                f'fewer than or equal to "{self.maximum}" characters, and then try the command again.'
            )


class ValidateCount(Validator):
    each = False

    def __init__(self, minimum: int, maximum: int) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def check(self, value: Any, runtime: Runtime) -> None:
        count = len(value) if isinstance(value, (list, bytearray)) else 0 if value is None else 1
        if count < self.minimum or count > self.maximum:
            if self.minimum == self.maximum:
                raise ValidationError(
                    f"The number of provided arguments, ({count}), does not match the number of allowed arguments, ({self.minimum})."
                )
            if count < self.minimum:
                raise ValidationError(
                    f"The number of supplied arguments ({count}) is less than the minimum number of allowed arguments "
                    f"({self.minimum}). Specify more than {self.minimum} arguments and then try the command again."
                )
            raise ValidationError(
                f"The number of supplied arguments ({count}) exceeds the maximum number of allowed arguments ({self.maximum}). "
                f"Specify fewer than {self.maximum} arguments and then try the command again."
            )


class ValidatePattern(Validator):
    def __init__(self, pattern: str, options: str = "IgnoreCase") -> None:
        self.pattern = pattern
        self.options = options

    def check(self, value: Any, runtime: Runtime) -> None:
        text = runtime.to_string(value)
        if not runtime.regex_search(self.pattern, text, "ignorecase" in self.options.lower()):
            raise ValidationError(
                f'The argument "{text}" does not match the "{self.pattern}" pattern. Supply an argument that matches '
                f'"{self.pattern}" and try the command again.'
            )


class ValidateScript(Validator):
    def __init__(self, script: Any) -> None:
        self.script = script

    def check(self, value: Any, runtime: Runtime) -> None:
        if not runtime.to_bool(runtime.call_block(self.script, underscore=value)):
            raise ValidationError(
                f'The "{self.script.text}" validation script for the argument with value "{runtime.to_string(value)}" did not '
                "return a result of True. Determine why the validation script failed, and then try the command again."
            )


class ValidateNotNull(Validator):
    each = False

    def check(self, value: Any, runtime: Runtime) -> None:
        if value is None or value is AutomationNull:
            raise ValidationError(
                "The argument is null. Provide a valid value for the argument, and then try running the command again."
            )
        if isinstance(value, list) and any(item is None for item in value):
            raise ValidationError(
                "The argument collection contains a null value. Provide a collection that does not contain any null values and then "
                "try the command again."
            )


class ValidateNotNullOrEmpty(Validator):
    each = False

    def check(self, value: Any, runtime: Runtime) -> None:
        if isinstance(value, PSObject) and value.base is not None:
            value = value.base
        if value is None or value is AutomationNull or (isinstance(value, str) and value == ""):
            raise ValidationError(
                "The argument is null or empty. Provide an argument that is not null or empty, and then try the command again."
            )
        if isinstance(value, (list, bytearray)):
            if len(value) == 0:
                raise ValidationError(
                    "The argument is null, empty, or an element of the argument collection contains a null value. Supply a collection "
                    "that does not contain any null values and then try the command again."
                )
            if isinstance(value, list) and any(item is None or item == "" for item in value):
                raise ValidationError(
                    "The argument is null, empty, or an element of the argument collection contains a null value. Supply a collection "
                    "that does not contain any null values and then try the command again."
                )


# ---------------------------------------------------------------------------------------------------------------------- metadata


@dataclass
class SetInfo:
    """How a parameter takes part in one parameter set."""

    position: int | None = None
    mandatory: bool = False
    pipeline: bool = False
    by_name: bool = False
    remaining: bool = False
    help: str = ""


@dataclass
class ParameterInfo:
    """A parameter as the binder knows it. ``sets`` maps set names (or ``__AllParameterSets``) to its role there."""

    name: str
    type_text: str = "Object"
    sets: dict[str, SetInfo] = dataclass_field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    validators: tuple[Validator, ...] = ()
    attributes: tuple[Any, ...] = ()  # argument transformations of script functions, in order with the type conversions
    default: Any = None
    allow_null: bool = False
    allow_empty_string: bool = False
    allow_empty_collection: bool = False
    supported: bool = True
    is_common: bool = False
    dont_show: bool = False
    attribute: str = ""  # where a cmdlet's class keeps it
    resolved: NetType | None = None
    default_code: Any = None
    extent: Any = None

    @property
    def net_type(self) -> NetType:
        if self.resolved is None:
            self.resolved = get_type(self.type_text)
        return self.resolved

    @property
    def is_switch(self) -> bool:
        return self.net_type.full_name == "System.Management.Automation.SwitchParameter"

    def in_set(self, name: str) -> SetInfo | None:
        return self.sets.get(name) or self.sets.get(ALL_SETS)


@dataclass
class CommandMetadata:
    """A command's parameters and binding options. Common parameters are part of ``parameters``."""

    name: str
    parameters: dict[str, ParameterInfo] = dataclass_field(default_factory=dict)  # lower-case name -> parameter
    default_set: str = ALL_SETS
    supports_should_process: bool = False
    confirm_impact: str = "Medium"
    positional_binding: bool = True
    cmdlet_binding: bool = True
    _set_names: tuple[str, ...] | None = dataclass_field(default=None, init=False, repr=False, compare=False)
    _by_position: dict[str, list[tuple[int, str, ParameterInfo]]] = dataclass_field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def set_names(self) -> tuple[str, ...]:
        """The parameter sets by name. The parameters are complete when this is first asked for."""
        if self._set_names is None:
            names = {name: None for p in self.parameters.values() for name in p.sets if name != ALL_SETS}
            self._set_names = tuple(names)
        return self._set_names

    def by_position(self, set_name: str) -> list[tuple[int, str, ParameterInfo]]:
        """(position, name in lower case, parameter) of a set's parameters that have a position. Complete, likewise."""
        found = self._by_position.get(set_name)
        if found is None:
            found = self._by_position[set_name] = []
            for info in self.parameters.values():
                role = info.in_set(set_name)
                if role is not None and role.position is not None and not role.remaining:
                    found.append((role.position, info.name.lower(), info))
        return found

    def add_common(self) -> None:
        """Add the common parameters (and -WhatIf, -Confirm where ShouldProcess is supported)."""
        wanted = dict(COMMON_PARAMETERS)
        if self.supports_should_process:
            wanted.update(SHOULD_PROCESS_PARAMETERS)
        for name, (alias, type_text) in wanted.items():
            if name.lower() not in self.parameters:
                self.parameters[name.lower()] = ParameterInfo(
                    name, type_text, {ALL_SETS: SetInfo()}, (alias,), is_common=True
                )


# -------------------------------------------------------------------------------------------------------------------- declaration


class parameter:  # reads as a declaration
    """Declare a parameter (see the module's head).

    Args:
        name: as the real command spells it.
        type_text: its type, as signatures write it.
        position, mandatory, pipeline (by value), by_name (pipeline by property name), remaining: its role in ``sets`` (all sets when empty).
        roles: instead of those, per set: ``roles={"Path": SetInfo(position=0, mandatory=True), "Other": SetInfo()}``.
    """

    def __init__(
        self,
        name: str,
        type_text: str = "Object",
        *,
        position: int | None = None,
        mandatory: bool = False,
        pipeline: bool = False,
        by_name: bool = False,
        remaining: bool = False,
        sets: Sequence[str] = (),
        roles: dict[str, SetInfo] | None = None,
        aliases: Sequence[str] = (),
        validate: Sequence[Validator] = (),
        default: Any = None,
        allow_null: bool = False,
        allow_empty_string: bool = False,
        allow_empty_collection: bool = False,
    ) -> None:
        role = SetInfo(position, mandatory, pipeline, by_name, remaining)
        self.info = ParameterInfo(
            name,
            type_text,
            dict(roles) if roles is not None else dict.fromkeys(sets or (ALL_SETS,), role),
            tuple(aliases),
            tuple(validate),
            (),
            default,
            allow_null,
            allow_empty_string,
            allow_empty_collection,
        )

    def __set_name__(self, owner: type, name: str) -> None:
        self.info.attribute = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return instance.__dict__.get(self.info.attribute, self.info.default)


def switch(
    name: str, *, sets: Sequence[str] = (), aliases: Sequence[str] = (), roles: dict[str, SetInfo] | None = None
) -> Any:
    """A switch parameter; reads as ``bool``."""
    return parameter(
        name, "Management.Automation.SwitchParameter", sets=sets, aliases=aliases, roles=roles, default=False
    )


C = TypeVar("C", bound="type[Cmdlet]")

_cmdlets: dict[str, type[Cmdlet]] = {}
_aliases: dict[str, str] = {}


def cmdlet(
    name: str,
    *,
    module: str,
    default_set: str = ALL_SETS,
    should_process: bool = False,
    confirm_impact: str = "Medium",
    aliases: Sequence[str] = (),
    type_name: str | None = None,
    kind: str = "Cmdlet",
    dynamic: Iterable[str] = (),
) -> Callable[[C], C]:
    """Register a cmdlet class.

    Args:
        name: ``Verb-Noun``.
        module: the module it comes from; commands of modules other than the four core ones are found by auto-loading.
        default_set: the default parameter set.
        should_process: has -WhatIf and -Confirm; ask ``self.should_process(target, action)``.
        aliases: aliases of Windows PowerShell 5.1 for it.
        type_name: full .NET type name for error ids; default ``Microsoft.PowerShell.Commands.<Verb><Noun>Command``.
        kind: ``Function`` for commands that are functions on the real server (their errors carry the function's name).
        dynamic: names of real dynamic parameters (of a provider, say) that the reference list leaves out and the lab lacks.
    """

    def apply(cls: C) -> C:
        cls.command_name = name
        cls.module_name = module
        cls.kind = kind
        verb, _, noun = name.partition("-")
        cls.type_name = type_name or (
            name if kind == "Function" else f"Microsoft.PowerShell.Commands.{verb}{noun}Command"
        )
        metadata = CommandMetadata(name, {}, default_set, should_process, confirm_impact)
        for klass in reversed(cls.__mro__):
            for value in vars(klass).values():
                if isinstance(value, parameter):
                    metadata.parameters[value.info.name.lower()] = value.info
        metadata.add_common()
        real = real_commands().get(name.lower())
        known = {a.lower() for p in metadata.parameters.values() for a in p.aliases} | set(metadata.parameters)
        for extra in [*(real.parameter_names if real else ()), *dynamic]:
            if extra.lower() not in known:
                metadata.parameters[extra.lower()] = ParameterInfo(
                    extra, "Object", {ALL_SETS: SetInfo()}, supported=False
                )
        cls.metadata = metadata
        _cmdlets[name.lower()] = cls
        for alias in aliases:
            _aliases[alias.lower()] = name
        return cls

    return apply


def find_cmdlet(name: str) -> type[Cmdlet] | None:
    """A declared cmdlet by name (any case), ``Module\\Name`` allowed."""
    if "\\" in name:
        module, _, short = name.rpartition("\\")
        found = _cmdlets.get(short.lower())
        return found if found is not None and found.module_name.lower() == module.lower() else None
    return _cmdlets.get(name.lower())


def declared_cmdlets() -> dict[str, type[Cmdlet]]:
    """All declared cmdlets by lower-case name."""
    return _cmdlets


def declared_aliases() -> dict[str, str]:
    """Aliases that declarations brought: lower-case alias -> command."""
    return _aliases


# ------------------------------------------------------------------------------------------------------------------------ cmdlets


class Cmdlet:
    """Base of cmdlets. Override ``begin``, ``process`` (once per input object, parameters bound from it) and ``end``."""

    command_name = ""
    module_name = ""
    kind = "Cmdlet"
    type_name = ""
    metadata: CommandMetadata

    def __init__(self, runtime: Runtime, processor: CommandProcessor) -> None:
        self.runtime = runtime
        self.processor = processor
        self.bound: dict[str, Any] = {}
        self.parameter_set = ALL_SETS

    # -- to override

    def begin(self) -> None:
        pass

    def process(self) -> None:
        pass

    def end(self) -> None:
        pass

    # -- output

    def write(self, value: Any) -> None:
        """Send one object down the pipeline; arrays go as one object."""
        self.processor.write(value)

    def write_all(self, value: Any) -> None:
        """Send an object down the pipeline, collections element by element (WriteObject(value, true))."""
        self.runtime.enumerate_into(value, self.processor.write)

    def error(
        self,
        exception_type: str,
        message: str,
        error_id: str,
        category: str = "NotSpecified",
        target: Any = None,
        inner: NetException | None = None,
        **properties: Any,
    ) -> ErrorRecord:
        """An ErrorRecord for :meth:`write_error` or :meth:`throw`; ``exception_type`` is a full type name."""
        return ErrorRecord(NetException(exception_type, message, inner, **properties), error_id, category, target)

    def write_error(self, record: ErrorRecord) -> None:
        """Report a non-terminating error (which -ErrorAction Stop turns into a terminating one)."""
        self.processor.write_error(record)

    def throw(self, record: ErrorRecord) -> NoReturn:
        """End the command with a terminating error."""
        self.processor.decorate(record)
        raise TerminatingError(record)

    def write_warning(self, text: str) -> None:
        self.processor.write_warning(text)

    def write_verbose(self, text: str) -> None:
        self.processor.write_verbose(text)

    def write_debug(self, text: str) -> None:
        self.processor.write_debug(text)

    def write_progress(self, activity: str, status: str = "", percent: int = -1) -> None:
        """Progress is accepted and shown nowhere."""

    def should_process(self, target: str, action: str | None = None) -> bool:
        """Whether to do it: False under -WhatIf (which is told on the host) or when -Confirm cannot be answered with yes."""
        return self.processor.should_process(target, action or self.command_name)

    def check(self) -> None:
        """Raise when the pipeline has been stopped or the process killed; call it in loops and waits."""
        self.runtime.check()

    # -- the server

    @property
    def machine(self) -> Any:
        return self.runtime.machine

    @property
    def user(self) -> Any:
        return self.runtime.user

    @property
    def location(self) -> str:
        return self.runtime.location
