"""Binding arguments to parameters as PowerShell does: names and unique beginnings, positions per parameter set, the pipeline, mandatory ones.

Source: "about_Parameters", "about_Parameter_Sets", "How parameters are bound", and recorded behaviour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from winlab.powershell.commands.core import (
    ALL_SETS,
    CommandMetadata,
    ParameterInfo,
    SetInfo,
    ValidationError,
)
from winlab.powershell.dotnet.core import type_of
from winlab.powershell.errors import LabUnsupported, NetException, TerminatingError
from winlab.powershell.objects import (
    AutomationNull,
    PSArray,
    PSCustomObject,
    SwitchParameter,
    unwrap,
)
from winlab.powershell.providers import NOT_SIMULATED
from winlab.powershell.runtime import conversion, members
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string

if TYPE_CHECKING:
    from winlab.powershell.runtime.engine import Runtime

_PSOBJECT = "System.Management.Automation.PSObject"


class Argument:
    """One argument: a value, a parameter (``name`` without dash), or both (``-Name:value``, splatting)."""

    __slots__ = ("extent", "has_value", "name", "splatted", "text", "value")

    def __init__(
        self,
        name: str | None = None,
        value: Any = None,
        has_value: bool = False,
        extent: Any = None,
        text: str | None = None,
        splatted: bool = False,
    ) -> None:
        self.name = name
        self.value = value
        self.has_value = has_value
        self.extent = extent
        self.text = text  # how the parameter was written, for simple functions' $args
        self.splatted = splatted


def binding_error(
    error_id: str,
    message: str,
    *,
    kind: str = "ParameterBindingException",
    category: str = "InvalidArgument",
    inner: NetException | None = None,
    **more: Any,
) -> NetException:
    return NetException(
        f"System.Management.Automation.{kind}", message, inner, error_id=error_id, category=category, **more
    )


def placed(error: NetException, extent: Any) -> NetException:
    """The error with the place of the argument that it is about."""
    if getattr(error, "position", None) is None:
        error.position = extent  # type: ignore[attr-defined]
    return error


class Binder:
    """Binds one command's arguments. ``bound`` is the result: parameter name (lower case) -> converted value."""

    def __init__(self, metadata: CommandMetadata, runtime: Runtime, is_function: bool) -> None:
        self.metadata = metadata
        self.runtime = runtime
        self.is_function = is_function
        self.bound: dict[str, Any] = {}
        self.extents: dict[str, Any] = {}
        self.left_over: list[Argument] = []
        self.sets: set[str] | None = None  # None: all still possible
        self.chosen: str = ALL_SETS
        self.from_pipeline: list[str] = []

    # -- arguments

    def bind(self, arguments: list[Argument], expecting_input: bool) -> None:
        """Bind everything that is not pipeline input."""
        positional = self._bind_named(arguments)
        rest = self._bind_positional(positional)
        rest = self._bind_remaining(rest)
        if rest:
            self._too_many(rest)
        self._bind_defaults()
        self._check_sets(expecting_input)

    def _find(self, name: str) -> ParameterInfo | None:
        lower = name.lower()
        parameters = self.metadata.parameters
        found = parameters.get(lower)
        if found is not None:
            return found
        partial: dict[str, ParameterInfo] = {}
        for key, info in parameters.items():
            for alias in info.aliases:
                if alias.lower() == lower:
                    return info
            if key.startswith(lower) or any(a.lower().startswith(lower) for a in info.aliases):
                partial[key] = info
        if len(partial) == 1:
            return next(iter(partial.values()))
        if len(partial) > 1:
            uncommon = [p for p in partial.values() if not p.is_common]
            if len(uncommon) == 1:
                return uncommon[0]
            names = " ".join(f"-{p.name}" for p in partial.values())
            raise binding_error(
                "AmbiguousParameter",
                f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. "
                f"Possible matches include: {names}.",
            )
        return None

    def _bind_named(self, arguments: list[Argument]) -> list[Argument]:
        positional: list[Argument] = []
        i = 0
        while i < len(arguments):
            argument = arguments[i]
            i += 1
            if argument.name is None:
                positional.append(argument)
                continue
            info = self._find(argument.name)
            if info is None:
                if self.is_function and not self.metadata.cmdlet_binding:
                    positional.append(argument)
                    if argument.has_value and argument.splatted:
                        positional.append(Argument(None, argument.value, True, argument.extent))
                        positional[-2].has_value = False
                    continue
                if drive := _foreign_drive(arguments):
                    raise LabUnsupported(f"the drive {drive}: (whose provider adds parameters)", argument.extent)
                missing = binding_error(
                    "NamedParameterNotFound",
                    f"A parameter cannot be found that matches parameter name '{argument.name}'.",
                    ParameterName=argument.name,
                )
                raise placed(missing, argument.extent)
            if argument.has_value:
                value = argument.value
            elif info.is_switch:
                value = SwitchParameter(True)
            elif i < len(arguments) and arguments[i].name is None:
                value = arguments[i].value
                argument = arguments[i]
                i += 1
            else:
                type_name = info.net_type.full_name
                raise binding_error(
                    "MissingArgument",
                    f"Missing an argument for parameter '{info.name}'. Specify a parameter of type '{type_name}' and try again.",
                    ParameterName=info.name,
                )
            if info.name.lower() in self.bound:
                raise binding_error(
                    "ParameterAlreadyBound",
                    f"Cannot bind parameter because parameter '{info.name}' is specified more than once. To provide multiple "
                    "values to parameters that can accept multiple values, use the array syntax. For example, "
                    '"-parameter value1,value2,value3".',
                    ParameterName=info.name,
                )
            self._set(info, value, argument.extent)
        return positional

    def _set(self, info: ParameterInfo, value: Any, extent: Any = None) -> None:
        if not info.supported:
            raise LabUnsupported(f"the parameter -{info.name} of {self.metadata.name}", extent)
        try:
            self.bound[info.name.lower()] = self.convert(info, value)
        except NetException as error:
            raise placed(error, extent) from None
        self.extents[info.name.lower()] = extent
        self._narrow(info)

    def _narrow(self, info: ParameterInfo) -> None:
        if ALL_SETS in info.sets:
            return
        names = set(info.sets)
        remaining = names if self.sets is None else self.sets & names
        if not remaining:
            raise self._ambiguous_set()
        self.sets = remaining

    def _ambiguous_set(self) -> NetException:
        return binding_error(
            "AmbiguousParameterSet",
            "Parameter set cannot be resolved using the specified named parameters.",
        )

    def _valid_sets(self) -> list[str]:
        names = [n for n in self.metadata.set_names if self.sets is None or n in self.sets]
        default = self.metadata.default_set
        if default in names:
            names.remove(default)
            names.insert(0, default)
        return names or [ALL_SETS]

    def _bind_positional(self, positional: list[Argument]) -> list[Argument]:
        rest = list(positional)
        while rest and rest[0].name is None:
            argument = rest[0]
            if not self._bind_one_position(argument):
                break
            rest.pop(0)
        if (
            rest and rest[0].name is not None
        ):  # an unknown -name of a simple function: values after it may still be positional
            head = rest.pop(0)
            return [head, *self._bind_positional(rest)]
        return rest

    def _bind_one_position(self, argument: Argument) -> bool:
        choices: list[tuple[int, ParameterInfo]] = []
        seen: set[str] = set()
        for set_name in self._valid_sets():
            lowest: int | None = None
            found: list[ParameterInfo] = []
            for position, key, info in self.metadata.by_position(set_name):
                if key in self.bound or not info.supported:
                    continue
                if lowest is None or position < lowest:
                    lowest, found = position, [info]
                elif position == lowest:
                    found.append(info)
            for info in found:
                if info.name not in seen:
                    assert lowest is not None
                    seen.add(info.name)
                    choices.append((lowest, info))
        if not choices:
            return False
        choices.sort(key=lambda item: item[0])
        error: NetException | None = None
        for strict in (True, False):
            for _, info in choices:
                if strict and not self._fits_without_conversion(info, argument.value):
                    continue
                try:
                    self._set(info, argument.value, argument.extent)
                    return True
                except NetException as failure:
                    self.bound.pop(info.name.lower(), None)
                    if error is None:
                        error = failure
        if error is not None:
            raise error
        return False

    def _fits_without_conversion(self, info: ParameterInfo, value: Any) -> bool:
        value = unwrap(value)
        if value is None:
            return True
        t = info.net_type
        if t.full_name == _PSOBJECT or t.is_assignable_from(type_of(value)):
            return True
        if t.is_array and t.element_type is not None:
            if t.element_type.full_name == _PSOBJECT:
                return True
            if is_enumerable(value):
                return all(v is None or t.element_type.is_assignable_from(type_of(unwrap(v))) for v in iterate(value))
            return t.element_type.is_assignable_from(type_of(value))
        return False

    def _bind_remaining(self, rest: list[Argument]) -> list[Argument]:
        if not rest:
            return rest
        for info in self.metadata.parameters.values():
            for set_name in self._valid_sets():
                role = info.sets.get(set_name) or info.sets.get(ALL_SETS)
                if role is not None and role.remaining and info.name.lower() not in self.bound and info.supported:
                    items: list[Any] = []
                    for argument in rest:
                        if argument.name is not None:
                            items.append(argument.text or f"-{argument.name}")
                            if argument.has_value:
                                items.append(argument.value)
                        else:
                            items.append(argument.value)
                    value = items[0] if len(items) == 1 and is_enumerable(items[0]) else PSArray(items)
                    self._set(info, value)
                    return []
        return rest

    def _too_many(self, rest: list[Argument]) -> None:
        if self.is_function and not self.metadata.cmdlet_binding:
            self.left_over = rest
            return
        argument = rest[0]
        if argument.name is not None:
            raise binding_error(
                "NamedParameterNotFound",
                f"A parameter cannot be found that matches parameter name '{argument.name}'.",
                ParameterName=argument.name,
            )
        raise binding_error(
            "PositionalParameterNotFound",
            f"A positional parameter cannot be found that accepts argument '{to_string(argument.value)}'.",
        )

    def _bind_defaults(self) -> None:
        """``$PSDefaultParameterValues``."""
        table = self.runtime.default_parameter_values()
        if not table:
            return
        from winlab.powershell.runtime.wildcard import wildcard

        for key, value in table:
            command, _, name = key.rpartition(":")
            if not command or not wildcard(command)(self.metadata.name):
                continue
            info = self.metadata.parameters.get(name.lower())
            if info is not None and info.name.lower() not in self.bound:
                self._set(info, value)

    # -- parameter sets and mandatory parameters

    def _roles(self, info: ParameterInfo, set_name: str) -> SetInfo | None:
        return info.sets.get(set_name) or info.sets.get(ALL_SETS)

    def _missing(self, set_name: str, by_pipeline: bool) -> list[ParameterInfo]:
        """Mandatory parameters of a set that are unbound; ``by_pipeline``: leave out those that input can still bind."""
        found: list[ParameterInfo] = []
        for info in self.metadata.parameters.values():
            role = self._roles(info, set_name)
            if role is None or not role.mandatory or info.name.lower() in self.bound:
                continue
            if by_pipeline and (role.pipeline or role.by_name):
                continue
            found.append(info)
        return found

    def _check_sets(self, expecting_input: bool) -> None:
        candidates = self._valid_sets()
        if len(candidates) > 1:
            complete = [s for s in candidates if not self._missing(s, expecting_input)]
            default = self.metadata.default_set
            if default in candidates and not expecting_input:
                candidates = [default]  # whether or not it is complete
            elif complete:
                if default in complete:
                    candidates = [default, *[s for s in complete if s != default]]
                else:
                    if not expecting_input and len(complete) > 1:
                        chosen = self._most_specific(complete)
                        if chosen is None:
                            raise self._ambiguous_set()
                        complete = [chosen]
                    candidates = complete
                if expecting_input:
                    self.sets = set(candidates)
            else:
                candidates = [default] if default in candidates else candidates[:1]
        chosen = candidates[0]
        missing = self._missing(chosen, expecting_input)
        if missing and not expecting_input and len(self._valid_sets()) > 1 and self.metadata.default_set == ALL_SETS:
            raise self._ambiguous_set()
        if missing:
            names = " ".join(p.name for p in missing)
            raise binding_error(
                "MissingMandatoryParameter",
                f"Cannot process command because of one or more missing mandatory parameters: {names}.",
            )
        self.chosen = chosen

    def _most_specific(self, names: list[str]) -> str | None:
        """Among complete sets without a default, one that every bound parameter names explicitly and that has mandatory parameters bound."""
        scored = []
        for name in names:
            explicit = sum(
                1
                for info in self.metadata.parameters.values()
                if name in info.sets and info.sets[name].mandatory and info.name.lower() in self.bound
            )
            scored.append((explicit, name))
        best = max(score for score, _ in scored)
        winners = [name for score, name in scored if score == best]
        return winners[0] if len(winners) == 1 else None

    # -- the pipeline

    def wants_input(self) -> bool:
        """Whether any unbound parameter takes pipeline input."""
        for info in self.metadata.parameters.values():
            if info.name.lower() in self.bound:
                continue
            for set_name in self._valid_sets():
                role = self._roles(info, set_name)
                if role is not None and (role.pipeline or role.by_name):
                    return True
        return False

    def direct_parameter(self) -> str | None:
        """The one parameter that takes every pipeline object as it is, when binding can have no other outcome."""
        candidates = self._pipeline_parameters()
        if len(candidates) != 1:
            return None
        info, _ = candidates[0]
        if (
            info.net_type.full_name not in ("System.Object", "System.Management.Automation.PSObject")
            or info.validators
            or info.attributes
        ):
            return None
        roles = [self._roles(info, s) for s in self._valid_sets()]
        if not all(role is not None and role.pipeline for role in roles):
            return None
        if self._missing(self.chosen, True):
            return None
        return info.name.lower()

    def bind_input(self, value: Any) -> bool:
        """Bind one pipeline object; False when no parameter takes it."""
        for name in self.from_pipeline:
            self.bound.pop(name, None)
        self.from_pipeline = []
        saved = self.sets
        try:
            candidates = self._pipeline_parameters()
            for by_value, convert_types in ((True, False), (False, False), (True, True), (False, True)):
                self._bind_phase(candidates, value, by_value, convert_types)
            if not self.from_pipeline:
                return False
            self._finish_input()
        finally:
            self.sets = saved
        return True

    def _pipeline_parameters(self) -> list[tuple[ParameterInfo, SetInfo]]:
        found: list[tuple[ParameterInfo, SetInfo]] = []
        for set_name in self._valid_sets():
            for info in self.metadata.parameters.values():
                role = self._roles(info, set_name)
                if (
                    role is not None
                    and (role.pipeline or role.by_name)
                    and info.name.lower() not in self.bound
                    and info.supported
                    and not any(i is info for i, _ in found)
                ):
                    found.append((info, role))
        return found

    def _bind_phase(
        self, candidates: list[tuple[ParameterInfo, SetInfo]], value: Any, by_value: bool, convert_types: bool
    ) -> None:
        for info, _ in candidates:
            name = info.name.lower()
            if name in self.bound:
                continue
            role = None
            for set_name in self._valid_sets():
                role = self._roles(info, set_name)
                if role is not None and (role.pipeline if by_value else role.by_name):
                    break
                role = None
            if role is None:
                continue
            if by_value:
                item = value
            else:
                item = self._property_for(info, value)
                if item is members.MISSING:
                    continue
            if not convert_types and not self._exact(info, item):
                continue
            if (
                item is None
                and by_value
                and not (info.allow_null or info.net_type.full_name == "System.Object" or self._nullable(info))
            ):
                continue
            try:
                self.bound[name] = self.convert(info, item, from_pipeline=True)
            except NetException as error:
                if convert_types and error.error_id == "ParameterArgumentValidationError" and not by_value:
                    raise
                if error.error_id and error.error_id.startswith("ParameterArgumentValidationError"):
                    raise
                continue
            self.from_pipeline.append(name)
            if ALL_SETS not in info.sets:
                names = set(info.sets)
                narrowed = names if self.sets is None else self.sets & names
                if narrowed:
                    self.sets = narrowed

    @staticmethod
    def _nullable(info: ParameterInfo) -> bool:
        return info.net_type.full_name == "System.Management.Automation.PSObject" or info.allow_null

    def _exact(self, info: ParameterInfo, value: Any) -> bool:
        return self._fits_without_conversion(info, value)

    @staticmethod
    def _property_for(info: ParameterInfo, value: Any) -> Any:
        if value is None:
            return members.MISSING
        for name in (info.name, *info.aliases):
            found = members.find_member(value, name)
            if found is not members.MISSING and not isinstance(found, (members.PSMethodInfo, members.PSObjectView)):
                if (
                    unwrap(value) is not None
                    and not isinstance(value, PSCustomObject)
                    and name.lower() in ("count", "length")
                ):
                    item = type_of(unwrap(value)).find_prop(name)
                    if item is None:
                        continue
                return found
        return members.MISSING

    def _finish_input(self) -> None:
        candidates = self._valid_sets()
        complete = [s for s in candidates if not self._missing(s, False)]
        if not complete:
            missing = self._missing(candidates[0], False)
            names = " ".join(p.name for p in missing)
            raise binding_error(
                "MissingMandatoryParameter",
                f"Cannot process command because of one or more missing mandatory parameters: {names}.",
            )
        self.chosen = complete[0]

    # -- values

    def convert(self, info: ParameterInfo, value: Any, from_pipeline: bool = False) -> Any:
        """An argument as the parameter wants it: converted, checked for null and emptiness, validated."""
        if value is AutomationNull:
            value = None
        converted = self._typed(info, value)
        self._check_empty(info, converted)
        if info.validators:
            self._validate(info, converted)
        return converted

    def _typed(self, info: ParameterInfo, value: Any) -> Any:
        if info.attributes:  # a script parameter: conversions in order
            for convert in info.attributes:
                try:
                    value = convert(value)
                except NetException as error:
                    raise self._transformation_failed(info, error) from None
                except TerminatingError as error:
                    raise self._transformation_failed(info, error.record.exception) from None
            return value
        t = info.net_type
        name = t.full_name
        if name == "System.Object" or name == "System.Management.Automation.PSObject":
            return value
        base = unwrap(value)
        if base is None and (not t.is_value_type or info.allow_null):
            return None
        if name == "System.String" and is_enumerable(base) and not isinstance(base, str):
            raise self._cannot_convert(info, value, "CannotConvertArgument", "Specified method is not supported.")
        if name == "System.Boolean" and not isinstance(base, bool):
            if isinstance(base, str) or base is None or not isinstance(base, (int, float, SwitchParameter)):
                raise self._cannot_convert(info, value, "CannotConvertArgumentNoMessage", self._bool_message(value))
        try:
            return conversion.convert(value, t)
        except NetException as error:
            raise self._cannot_convert(info, value, "CannotConvertArgumentNoMessage", error.message, error) from None

    @staticmethod
    def _bool_message(value: Any) -> str:
        return (
            f'Cannot convert value "{to_string(value)}" to type "System.Boolean". Boolean parameters accept only Boolean values '
            "and numbers, such as $True, $False, 1 or 0."
        )

    def _cannot_convert(
        self, info: ParameterInfo, value: Any, error_id: str, reason: str, inner: NetException | None = None
    ) -> NetException:
        if error_id == "CannotConvertArgument":
            shown = type_of(value).full_name if value is not None else "null"
            message = f"Cannot convert '{shown}' to the type '{info.net_type.full_name}' required by parameter '{info.name}'. {reason}"
        else:
            message = f"Cannot bind parameter '{info.name}'. {reason}"
        return binding_error(error_id, message, inner=inner, ParameterName=info.name)

    def _transformation_failed(self, info: ParameterInfo, error: NetException) -> NetException:
        return binding_error(
            "ParameterArgumentTransformationError",
            f"Cannot process argument transformation on parameter '{info.name}'. {error.message}",
            kind="ParameterBindingArgumentTransformationException",
            category="InvalidData",
            inner=error,
            ParameterName=info.name,
        )

    def _mandatory(self, info: ParameterInfo) -> bool:
        return any(role.mandatory for role in info.sets.values())

    def _check_empty(self, info: ParameterInfo, value: Any) -> None:
        if not self._mandatory(info) and not any(type(v).__name__ == "_Never" for v in info.validators):
            return
        base = unwrap(value)
        t = info.net_type
        if base is None:
            if not info.allow_null and not t.is_value_type:
                if t.full_name == "System.String" and info.allow_empty_string:
                    return
                raise self._empty("ParameterArgumentValidationErrorNullNotAllowed", info, "it is null")
        elif isinstance(base, str):
            if base == "" and not info.allow_empty_string and t.full_name == "System.String":
                raise self._empty(
                    "ParameterArgumentValidationErrorEmptyStringNotAllowed", info, "it is an empty string"
                )
        elif (
            type(base) is PSArray
            or (isinstance(base, (bytearray,)))
            or (conversion.is_list(base) and t.full_name != "System.Object")
        ):
            if t.full_name in ("System.Object", "System.Management.Automation.PSObject"):
                return
            if not t.is_array and not conversion.is_list(base):
                return
            items = list(iterate(base))
            if not items and not info.allow_empty_collection:
                raise self._empty("ParameterArgumentValidationErrorEmptyArrayNotAllowed", info, "it is an empty array")
            element = t.element_type
            if element is not None and element.full_name == "System.String" and not info.allow_empty_string:
                for item in items:
                    if item == "":
                        raise self._empty(
                            "ParameterArgumentValidationErrorEmptyStringNotAllowed", info, "it is an empty string"
                        )
            if element is not None and not element.is_value_type and not info.allow_null:
                for item in items:
                    if item is None:
                        raise self._empty("ParameterArgumentValidationErrorNullNotAllowed", info, "it is null")

    def _empty(self, error_id: str, info: ParameterInfo, why: str) -> NetException:
        return binding_error(
            error_id,
            f"Cannot bind argument to parameter '{info.name}' because {why}.",
            kind="ParameterBindingValidationException",
            category="InvalidData",
            ParameterName=info.name,
        )

    def _validate(self, info: ParameterInfo, value: Any) -> None:
        for validator in info.validators:
            try:
                if validator.each and is_enumerable(value):
                    for item in iterate(value):
                        validator.check(item, self.runtime)
                else:
                    validator.check(value, self.runtime)
            except (ValidationError, NetException, TerminatingError) as error:
                reason = error.record.message if isinstance(error, TerminatingError) else str(error)
                raise binding_error(
                    "ParameterArgumentValidationError",
                    f"Cannot validate argument on parameter '{info.name}'. {reason}",
                    kind="ParameterBindingValidationException",
                    category="InvalidData",
                    ParameterName=info.name,
                ) from None


def _foreign_drive(arguments: list[Argument]) -> str:
    """A drive that the lab lacks and an argument names, whose provider may know parameters that the command itself does not; or nothing."""
    drives = (str(argument.value).partition(":")[0] for argument in arguments if isinstance(argument.value, str))
    return next((drive for drive in drives if drive.lower() in NOT_SIMULATED), "")
