"""Microsoft.PowerShell.Core: the commands of the engine itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from winlab.powershell.commands.core import (
    Cmdlet,
    SetInfo,
    cmdlet,
    declared_cmdlets,
    parameter,
    real_commands,
    switch,
)
from winlab.powershell.dotnet.core import get_type, type_of
from winlab.powershell.errors import LabUnsupported
from winlab.powershell.objects import (
    Dictionary,
    PSCustomObject,
    PSMember,
    ScriptBlock,
    unwrap,
)
from winlab.powershell.runtime import members, modules, operators
from winlab.powershell.runtime.binder import Argument
from winlab.powershell.runtime.commands import CmdletInfo, CommandInfo, ScriptInfo, ScriptProcessor
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_bool, to_string
from winlab.powershell.runtime.wildcard import has_wildcards, wildcard

CORE = "Microsoft.PowerShell.Core"
PSOBJECT = "Management.Automation.PSObject"
SCRIPT_BLOCK = "Management.Automation.ScriptBlock"


@cmdlet("Out-Null", module=CORE)
class OutNull(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True)

    def process(self) -> None:
        """Whatever comes is dropped."""


@cmdlet("ForEach-Object", module=CORE, default_set="ScriptBlockSet", should_process=True, aliases=("%", "foreach"))
class ForEachObject(Cmdlet):
    input_object = parameter(
        "InputObject",
        PSOBJECT,
        roles={"ScriptBlockSet": SetInfo(pipeline=True), "PropertyAndMethodSet": SetInfo(pipeline=True)},
        allow_null=True,
    )
    process_blocks = parameter(
        "Process",
        f"{SCRIPT_BLOCK}[]",
        position=0,
        mandatory=True,
        sets=("ScriptBlockSet",),
        allow_null=True,
        allow_empty_collection=True,
    )
    begin_block = parameter("Begin", SCRIPT_BLOCK, sets=("ScriptBlockSet",))
    end_block = parameter("End", SCRIPT_BLOCK, sets=("ScriptBlockSet",))
    remaining = parameter(
        "RemainingScripts",
        f"{SCRIPT_BLOCK}[]",
        remaining=True,
        sets=("ScriptBlockSet",),
        allow_null=True,
        allow_empty_collection=True,
    )
    member_name = parameter("MemberName", "String", position=0, mandatory=True, sets=("PropertyAndMethodSet",))
    argument_list = parameter(
        "ArgumentList", "Object[]", remaining=True, sets=("PropertyAndMethodSet",), aliases=("Args",)
    )

    def begin(self) -> None:
        if self.parameter_set == "PropertyAndMethodSet":
            return
        scripts: list[Any] = []
        for name in self.bound:  # in the order in which they were bound
            if name == "process":
                scripts.extend(self.process_blocks or [])
            elif name == "remainingscripts":
                scripts.extend(self.remaining or [])
            elif name == "begin":
                scripts.insert(0, self.begin_block)
        ending = self.end_block
        end = len(scripts)
        start = 1 if len(scripts) > 1 else 0
        if "end" not in self.bound and len(scripts) > 2:
            end = len(scripts) - 1
            ending = scripts[end]
        self.blocks = [b for b in scripts[start:end] if b is not None]
        self.ending = ending
        if end >= 2 and scripts[0] is not None:
            self.run(scripts[0], None)

    def run(self, block: ScriptBlock, value: Any) -> None:
        self.runtime.block_into(block, self.write, (), underscore=value, new_scope=False)

    def process(self) -> None:
        if self.parameter_set == "PropertyAndMethodSet":
            self.member()
            return
        value = self.input_object
        for block in self.blocks:
            self.run(block, value)

    def end(self) -> None:
        if self.parameter_set != "PropertyAndMethodSet" and self.ending is not None:
            self.run(self.ending, None)

    def member(self) -> None:
        value = self.input_object
        name = self.member_name
        if value is None:
            if self.runtime.frame.scope.strict_version():
                self.write_error(
                    self.error(
                        "System.Management.Automation.PSArgumentNullException",
                        'Cannot process argument because the value of argument "InputObject" is null.',
                        "InputObjectIsNull",
                        "InvalidArgument",
                    )
                )
            return
        arguments = self.argument_list
        if arguments is not None:
            self.write_all(members.invoke_member(value, name, list(arguments)))
            return
        base = unwrap(value)
        if isinstance(base, Dictionary) and name in base:
            self.write_all(base[name])
            return
        found = self._find(value, name)
        if isinstance(found, members.PSMethodInfo):
            self.write_all(members.invoke_member(value, found.name, []))
        elif found is not members.MISSING:
            self.write_all(found)
        else:
            if not isinstance(base, PSCustomObject):
                members.refuse_if_real(type_of(base), name)
            if (
                self.runtime.frame.scope.strict_version() is not None
                and (self.runtime.frame.scope.strict_version() or 0) >= 2
            ):
                self.write_error(
                    self.error(
                        "System.Management.Automation.PropertyNotFoundException",
                        f"The property '{name}' cannot be found on this object. Verify that the property exists.",
                        "PropertyNotFoundStrict",
                        "InvalidOperation",
                    )
                )
            else:
                self.write(None)

    def _find(self, value: Any, name: str) -> Any:
        if has_wildcards(name):
            test = wildcard(name)
            every: list[Any] = [*members.properties(value), *members.methods(value)]
            found = [i for i in every if test(i.name)]
            if len(found) > 1:
                listed = " ".join(f"{i.name}" for i in found)
                self.throw(
                    self.error(
                        "System.ArgumentException",
                        f'Input name "{name}" is ambiguous. It can be resolved to multiple matched members. Possible matches include: {listed}.',
                        "AmbiguousPropertyOrMethodName",
                        "InvalidArgument",
                    )
                )
            if found:
                return found[0].getter() if isinstance(found[0], members.PSPropertyInfo) else found[0]
            return members.MISSING
        return members.find_member(value, name)


_COMPARISONS = {
    "EQ": operators.eq,
    "CEQ": lambda a, b: operators.eq(a, b, False),
    "NE": operators.ne,
    "CNE": lambda a, b: operators.ne(a, b, False),
    "GT": operators.gt,
    "CGT": lambda a, b: operators.gt(a, b, False),
    "LT": operators.lt,
    "CLT": lambda a, b: operators.lt(a, b, False),
    "GE": operators.ge,
    "CGE": lambda a, b: operators.ge(a, b, False),
    "LE": operators.le,
    "CLE": lambda a, b: operators.le(a, b, False),
    "Like": operators.like,
    "CLike": lambda a, b: operators.like(a, b, False),
    "NotLike": operators.notlike,
    "CNotLike": lambda a, b: operators.notlike(a, b, False),
    "Match": operators.match,
    "CMatch": lambda a, b: operators.match(a, b, False),
    "NotMatch": operators.notmatch,
    "CNotMatch": lambda a, b: operators.notmatch(a, b, False),
    "Contains": operators.contains,
    "CContains": lambda a, b: operators.contains(a, b, False),
    "NotContains": lambda a, b: not operators.contains(a, b),
    "CNotContains": lambda a, b: not operators.contains(a, b, False),
    "In": lambda a, b: operators.contains(b, a),
    "CIn": lambda a, b: operators.contains(b, a, False),
    "NotIn": lambda a, b: not operators.contains(b, a),
    "CNotIn": lambda a, b: not operators.contains(b, a, False),
    "Is": operators.is_type,
    "IsNot": lambda a, b: not operators.is_type(a, b),
}
_ALIASES = {
    "EQ": ("IEQ",),
    "NE": ("INE",),
    "GT": ("IGT",),
    "LT": ("ILT",),
    "GE": ("IGE",),
    "LE": ("ILE",),
    "Like": ("ILike",),
    "NotLike": ("INotLike",),
    "Match": ("IMatch",),
    "NotMatch": ("INotMatch",),
    "Contains": ("IContains",),
    "NotContains": ("INotContains",),
    "In": ("IIn",),
    "NotIn": ("INotIn",),
}


def _set_of(name: str) -> str:
    return "EqualSet" if name == "EQ" else f"{name}Set"


_PROPERTY_SETS = {_set_of(name): SetInfo(position=0, mandatory=True) for name in _COMPARISONS}
_VALUE_SETS = {_set_of(name): SetInfo(position=1) for name in _COMPARISONS}


@cmdlet("Where-Object", module=CORE, default_set="EqualSet", aliases=("?", "where"))
class WhereObject(Cmdlet):
    input_object = parameter("InputObject", PSOBJECT, pipeline=True, allow_null=True)
    filter_script = parameter("FilterScript", SCRIPT_BLOCK, position=0, mandatory=True, sets=("ScriptBlockSet",))
    property = parameter("Property", "String", roles=_PROPERTY_SETS)
    value = parameter("Value", "Object", roles=_VALUE_SETS)
    for _name in _COMPARISONS:
        _mandatory = {_set_of(_name): SetInfo(mandatory=_name != "EQ")}
        locals()[f"op_{_name.lower()}"] = switch(_name, roles=_mandatory, aliases=_ALIASES.get(_name, ()))
    del _name, _mandatory

    def begin(self) -> None:
        self.operator = None
        for name in _COMPARISONS:
            if name.lower() in self.bound:
                self.operator = _COMPARISONS[name]

    def process(self) -> None:
        value = self.input_object
        if self.filter_script is not None:
            if to_bool(self.runtime.call_block(self.filter_script, underscore=value, new_scope=False)):
                self.write(value)
            return
        found = self._property(value)
        if self.operator is None:
            if to_bool(found):
                self.write(value)
        elif to_bool(self.operator(found, self.value)):
            self.write(value)

    def _property(self, value: Any) -> Any:
        base = unwrap(value)
        if base is None:
            return None
        if isinstance(base, Dictionary) and self.property in base:
            return base[self.property]
        found = members.find_member(value, self.property)
        if found is members.MISSING or isinstance(found, members.PSMethodInfo):
            if not isinstance(base, PSCustomObject):
                members.refuse_if_real(type_of(base), self.property)
            strict = self.runtime.frame.scope.strict_version()
            if strict is not None and strict >= 2 and found is members.MISSING:
                self.write_error(
                    self.error(
                        "System.Management.Automation.PropertyNotFoundException",
                        f"The property '{self.property}' cannot be found on this object. Verify that the property exists.",
                        "PropertyNotFound",
                        "InvalidArgument",
                    )
                )
            return None
        return found


@cmdlet("Set-StrictMode", module=CORE, default_set="Version")
class SetStrictMode(Cmdlet):
    version = parameter("Version", "Object", mandatory=True, sets=("Version",), aliases=("v",))
    off = switch("Off", roles={"Off": SetInfo(mandatory=True)})

    def end(self) -> None:
        scope = self.processor.frame.scope
        if self.off:
            scope.strict = 0
            return
        text = to_string(self.version)
        if text.lower() == "latest":
            scope.strict = 3
            return
        major = text.partition(".")[0]
        if not major.isdigit() or not 1 <= int(major) <= 5:
            self.throw(
                self.error(
                    "System.Management.Automation.ValidationMetadataException",
                    f"Cannot validate argument on parameter 'Version'. The '{text}' argument does not contain a valid Windows PowerShell version.",
                    "ParameterArgumentValidationError",
                    "InvalidData",
                )
            )
        scope.strict = int(major)


# --------------------------------------------------------------------------------------------------------------- Get-Command


@cmdlet("Get-Command", module=CORE, default_set="CmdletSet", aliases=("gcm",))
class GetCommand(Cmdlet):
    names = parameter("Name", "String[]", roles={"AllCommandSet": SetInfo(position=0, pipeline=True, by_name=True)})
    verb = parameter("Verb", "String[]", sets=("CmdletSet",), by_name=True)
    noun = parameter("Noun", "String[]", sets=("CmdletSet",), by_name=True)
    modules = parameter("Module", "String[]", by_name=True, aliases=("PSSnapin",))
    command_type = parameter(
        "CommandType", "Management.Automation.CommandTypes", sets=("AllCommandSet",), by_name=True, aliases=("Type",)
    )
    total = parameter("TotalCount", "Int32", by_name=True)
    all = switch("All")

    def process(self) -> None:
        if self.names is None:
            for info in self._everything():
                if self._fits(info):
                    self.write(info)
            return
        for name in self.names:
            self._by_name(name)

    def _by_name(self, name: str) -> None:
        if has_wildcards(name):
            test = wildcard(name)
            for one in self._everything():
                if test(one.name) and self._fits(one):
                    self.write(one)
            return
        info: Any = self._resolve(name)
        if info is None or not self._fits(info):
            real = real_commands().get(name.lower())
            if real is not None and info is None:
                raise LabUnsupported(f"the command {real.name}")
            self.write_error(
                self.error(
                    "System.Management.Automation.CommandNotFoundException",
                    f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the "
                    "spelling of the name, or if a path was included, verify that the path is correct and try again.",
                    "CommandNotFoundException",
                    "ObjectNotFound",
                    name,
                    CommandName=name,
                )
            )
            return
        self.write(info)

    def _resolve(self, name: str) -> CommandInfo | None:
        alias = self.processor.frame.scope.find_alias(name.lower())
        if alias is not None:
            return alias
        if self.command_type is not None and self.command_type.name == "Application":
            return self.runtime.find_external(name)
        return self.runtime.resolve_command(name, self.processor.frame)

    def _fits(self, info: CommandInfo) -> bool:
        if self.command_type is not None:
            kind = get_type("System.Management.Automation.CommandTypes").enum(info.command_type)
            if not self.command_type.value & kind.value:
                return False
        if self.modules is not None and not any(wildcard(m)(info.module_name) for m in self.modules):
            return False
        verb, _, noun = info.name.partition("-")
        if self.verb is not None and not any(wildcard(v)(verb) for v in self.verb):
            return False
        return not (self.noun is not None and not any(wildcard(n)(noun) for n in self.noun))

    def _everything(self) -> Iterator[CommandInfo]:
        seen: set[str] = set()
        if self.names is not None:
            for scope in self.processor.frame.scope.chain():
                for alias in (scope.aliases or {}).values():
                    if alias.name.lower() not in seen:
                        seen.add(alias.name.lower())
                        yield alias
        for scope in self.processor.frame.scope.chain():
            for function in (scope.functions or {}).values():
                if function.name.lower() not in seen:
                    seen.add(function.name.lower())
                    yield function
        for cls in sorted(declared_cmdlets().values(), key=lambda c: c.command_name):
            if cls.command_name.lower() not in seen:
                yield CmdletInfo(cls)


# ------------------------------------------------------------------------------------------------------------------- modules

# Modules of Server 2016 that come as part of the lab: their commands are declared, importing them changes nothing.
BUILT_IN = {
    "Microsoft.PowerShell.Core": "3.0.0.0",
    "Microsoft.PowerShell.Management": "3.1.0.0",
    "Microsoft.PowerShell.Utility": "3.1.0.0",
    "Microsoft.PowerShell.Security": "3.0.0.0",
    "Microsoft.PowerShell.Host": "3.0.0.0",
    "Microsoft.PowerShell.Diagnostics": "3.0.0.0",
    "Microsoft.PowerShell.Archive": "1.0.1.0",
    "Microsoft.PowerShell.LocalAccounts": "1.0.0.0",
    "Microsoft.WSMan.Management": "3.0.0.0",
    "CimCmdlets": "1.0.0.0",
    "Dism": "3.0",
    "DnsClient": "1.0.0.0",
    "NetSecurity": "2.0.0.0",
    "NetTCPIP": "1.0.0.0",
    "PKI": "1.0.0.0",
    "ServerManager": "2.0.0.0",
    "ScheduledTasks": "1.0.0.0",
    "WebAdministration": "1.0.0.0",
    "IISAdministration": "1.0.0.0",
    "Appx": "2.0.0.0",
}


def built_in(name: str) -> str | None:
    """The exact name of a module of the real server."""
    for known in BUILT_IN:
        if known.lower() == name.lower():
            return known
    return None


def _declares(name: str) -> bool:
    return any(c.module_name.lower() == name.lower() for c in declared_cmdlets().values())


def _built_in_info(name: str) -> modules.ModuleInfo:
    info = modules.ModuleInfo(
        name, None, f"C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules\\{name}\\{name}.psd1", "Manifest"
    )
    info.version = BUILT_IN.get(name, "1.0")
    for cls in declared_cmdlets().values():
        if cls.module_name.lower() == name.lower():
            table = info.exported_cmdlets if cls.kind == "Cmdlet" else info.exported_functions
            table[cls.command_name.lower()] = CmdletInfo(cls)
    return info


@cmdlet("Import-Module", module=CORE, default_set="Name", aliases=("ipmo",))
class ImportModule(Cmdlet):
    names = parameter("Name", "String[]", position=0, mandatory=True, sets=("Name",), pipeline=True)
    module_info = parameter(
        "ModuleInfo",
        "Management.Automation.PSModuleInfo[]",
        position=0,
        mandatory=True,
        sets=("ModuleInfo",),
        pipeline=True,
    )
    everywhere = switch("Global")
    function = parameter("Function", "String[]")
    cmdlets = parameter("Cmdlet", "String[]")
    variable = parameter("Variable", "String[]")
    alias = parameter("Alias", "String[]")
    force = switch("Force")
    pass_thru = switch("PassThru")
    minimum = parameter("MinimumVersion", "Version", aliases=("Version",))
    arguments = parameter("ArgumentList", "Object[]", aliases=("Args",))
    no_check = switch("DisableNameChecking")
    no_clobber = switch("NoClobber", aliases=("NoOverwrite",))
    scope = parameter("Scope", "String")

    def process(self) -> None:
        for name in self.names or []:
            found = self._import(name)
            if found is not None and self.pass_thru:
                self.write(found)
        for info in self.module_info or []:
            self._publish(info)
            if self.pass_thru:
                self.write(info)

    def _import(self, name: str) -> modules.ModuleInfo | None:
        runtime = self.runtime
        if "\\" not in name and "/" not in name and not name.lower().endswith((".psm1", ".psd1", ".ps1", ".dll")):
            exact = built_in(name)
            loaded = runtime.modules.get(name.lower())
            if loaded is not None and not self.force:
                return loaded
            if exact is not None:
                if not self._available(exact):
                    self._missing(name)
                    return None
                if not _declares(exact):
                    raise LabUnsupported(f"the module {exact}")
                info = _built_in_info(exact)
                runtime.modules[exact.lower()] = info
                return info
            path = self._search(name)
            if path is None:
                self._missing(name)
                return None
            return self._load_file(path)
        fs = self.machine.fs
        full = fs.resolve(name, self.runtime.file_location)
        if fs.is_dir(full):
            leaf = full.rstrip("\\").rpartition("\\")[2]
            for extension in (".psd1", ".psm1"):
                if fs.is_file(f"{full}\\{leaf}{extension}"):
                    return self._load_file(f"{full}\\{leaf}{extension}")
            self._missing(name)
            return None
        if not fs.is_file(full):
            self._missing(name)
            return None
        return self._load_file(full)

    def _available(self, name: str) -> bool:
        """Modules that a feature brings exist only once it is installed."""
        hook = getattr(self.machine, "has_module", None)
        return hook is None or bool(hook(name))

    def _search(self, name: str) -> str | None:
        fs = self.machine.fs if self.machine is not None else None
        for folder in (self.runtime.get_env("PSModulePath") or "").split(";"):
            if not folder or fs is None:
                continue
            for extension in (".psd1", ".psm1"):
                path = f"{folder}\\{name}\\{name}{extension}"
                if fs.is_file(path):
                    return path
        return None

    def _missing(self, name: str) -> None:
        """Report that there is no such module."""
        self.write_error(
            self.error(
                "System.IO.FileNotFoundException",
                f"The specified module '{name}' was not loaded because no valid module file was found in any module directory.",
                "Modules_ModuleNotFound",
                "ResourceUnavailable",
                name,
            )
        )

    def _load_file(self, path: str) -> modules.ModuleInfo:
        name = path.rpartition("\\")[2].rpartition(".")[0]
        loaded = self.runtime.modules.get(name.lower())
        if loaded is not None and not self.force:
            self._publish(loaded)
            return loaded
        if path.lower().endswith(".dll"):
            raise LabUnsupported(f"the binary module {path}")
        if path.lower().endswith(".psd1"):
            return self._load_manifest(path, name)
        module = modules.load_script(self.runtime, name, path, list(self.arguments or []))
        self._publish(module)
        return module

    def _load_manifest(self, path: str, name: str) -> modules.ModuleInfo:
        data = self.runtime.call_block(self.runtime.load_script_file(path))
        table = unwrap(data)
        if not isinstance(table, Dictionary):
            self.throw(
                self.error(
                    "System.InvalidOperationException",
                    f"The module manifest '{path}' is not valid.",
                    "Modules_InvalidManifest",
                    "ResourceUnavailable",
                )
            )
        root = table.get("RootModule") or table.get("ModuleToProcess")
        if root is None:
            raise LabUnsupported(f"a module manifest without RootModule ({path})")
        folder = path.rpartition("\\")[0]
        module = modules.load_script(
            self.runtime, name, self.machine.fs.resolve(to_string(root), folder), list(self.arguments or [])
        )
        module.kind = "Script"
        module.version = to_string(table.get("ModuleVersion") or "0.0")
        wanted = table.get("FunctionsToExport")
        if wanted is not None:
            patterns = [to_string(p) for p in (iterate(wanted) if is_enumerable(wanted) else [wanted])]
            module.exported_functions = {
                k: f for k, f in module.exported_functions.items() if any(wildcard(p)(f.name) for p in patterns)
            }
        self._publish(module)
        return module

    def _publish(self, module: modules.ModuleInfo) -> None:
        """Make what a module exports visible to the caller."""
        frame = self.processor.frame
        target = frame.scope.top() if self.everywhere or frame.session.module is None else frame.session.top
        for function in module.exported_functions.values():
            if self.function is None or any(wildcard(p)(function.name) for p in self.function):
                target.set_function(function.name, function)
        for alias in module.exported_aliases.values():
            target.set_alias(alias.name, alias)
        for variable in module.exported_variables.values():
            target.vars[variable.name.lower()] = variable
        self.runtime.modules[module.name.lower()] = module


@cmdlet("Get-Module", module=CORE, default_set="Loaded", aliases=("gmo",))
class GetModule(Cmdlet):
    names = parameter(
        "Name",
        "String[]",
        roles={"Loaded": SetInfo(position=0, pipeline=True), "Available": SetInfo(position=0, pipeline=True)},
    )
    list_available = switch("ListAvailable", roles={"Available": SetInfo(mandatory=True)})
    all = switch("All", sets=("Loaded", "Available"))
    refresh = switch("Refresh", sets=("Available",))

    def process(self) -> None:
        patterns = [wildcard(n) for n in self.names or ["*"]]
        if self.list_available:
            hook = getattr(self.machine, "has_module", None)
            for name in sorted(BUILT_IN):
                if (hook is None or hook(name)) and _declares(name) and any(p(name) for p in patterns):
                    self.write(_built_in_info(name))
            return
        for module in list(self.runtime.modules.values()):
            if any(p(module.name) for p in patterns):
                self.write(module)


@cmdlet("Remove-Module", module=CORE, default_set="name", should_process=True, aliases=("rmo",))
class RemoveModule(Cmdlet):
    names = parameter("Name", "String[]", position=0, mandatory=True, sets=("name",), pipeline=True)
    module_info = parameter(
        "ModuleInfo",
        "Management.Automation.PSModuleInfo[]",
        position=0,
        mandatory=True,
        sets=("ModuleInfo",),
        pipeline=True,
    )
    force = switch("Force")

    def process(self) -> None:
        found = list(self.module_info or [])
        for name in self.names or []:
            matches = [m for m in self.runtime.modules.values() if wildcard(name)(m.name)]
            if not matches and not has_wildcards(name):
                self.write_error(
                    self.error(
                        "System.InvalidOperationException",
                        "No modules were removed. Verify that the specification of modules to remove is correct and those modules exist in "
                        "the runspace.",
                        "Modules_NoModulesRemoved",
                        "ResourceUnavailable",
                        name,
                    )
                )
            found.extend(matches)
        for module in found:
            if not self.should_process(module.name, "Remove-Module"):
                continue
            self.runtime.modules.pop(module.name.lower(), None)
            for scope in self.processor.frame.scope.chain():
                functions = scope.functions or {}
                for key, function in list(functions.items()):
                    if any(function is f for f in module.exported_functions.values()):
                        del functions[key]


@cmdlet("New-Module", module=CORE, default_set="ScriptBlock", aliases=("nmo",))
class NewModule(Cmdlet):
    name = parameter("Name", "String", position=0, mandatory=True, sets=("Name",), pipeline=True)
    block = parameter(
        "ScriptBlock",
        SCRIPT_BLOCK,
        roles={"Name": SetInfo(position=1, mandatory=True), "ScriptBlock": SetInfo(position=0, mandatory=True)},
    )
    function = parameter("Function", "String[]")
    return_result = switch("ReturnResult")
    as_object = switch("AsCustomObject")
    arguments = parameter("ArgumentList", "Object[]", remaining=True, aliases=("Args",))

    def process(self) -> None:
        name = self.name or f"__DynamicModule_{id(self.block)}"
        items: list[Any] = []
        module = modules.run_module(self.runtime, name, "", self.block, list(self.arguments or []), items.append)
        if self.function is not None:
            module.exported_functions = {
                k: f for k, f in module.exported_functions.items() if any(wildcard(p)(f.name) for p in self.function)
            }
        if self.as_object:
            made = PSCustomObject()
            for function in module.exported_functions.values():
                made.ps_members[function.name.lower()] = PSMember("ScriptMethod", function.name, function.block)
            for variable in module.exported_variables.values():
                made.ps_members[variable.name.lower()] = PSMember("NoteProperty", variable.name, variable.value)
            self.write(made)
            return
        top = self.processor.frame.scope.top()
        for function in module.exported_functions.values():
            top.set_function(function.name, function)
        self.runtime.modules[name.lower()] = module
        if self.return_result:
            for item in items:
                self.write(item)
        else:
            self.write(module)


@cmdlet("Export-ModuleMember", module=CORE)
class ExportModuleMember(Cmdlet):
    function = parameter("Function", "String[]", position=0, pipeline=True, by_name=True, allow_empty_collection=True)
    cmdlets = parameter("Cmdlet", "String[]", by_name=True, allow_empty_collection=True)
    variable = parameter("Variable", "String[]", by_name=True)
    alias = parameter("Alias", "String[]", by_name=True)

    def process(self) -> None:
        module = self.processor.frame.session.module
        if module is None:
            self.throw(
                self.error(
                    "System.InvalidOperationException",
                    "The Export-ModuleMember cmdlet can only be called from inside a module.",
                    "Modules_CanOnlyExecuteExportModuleMemberInsideAModule",
                    "PermissionDenied",
                )
            )
        modules.export(module, self.function or [], self.variable or [], self.alias or [])


# ------------------------------------------------------------------------------------------------------------- Invoke-Command


@cmdlet("Invoke-Command", module=CORE, default_set="InProcess", aliases=("icm",))
class InvokeCommand(Cmdlet):
    block = parameter(
        "ScriptBlock", SCRIPT_BLOCK, position=0, mandatory=True, sets=("InProcess",), aliases=("Command",)
    )
    no_new_scope = switch("NoNewScope", sets=("InProcess",))
    input_object = parameter("InputObject", PSOBJECT, sets=("InProcess",), pipeline=True)
    arguments = parameter("ArgumentList", "Object[]", sets=("InProcess",), aliases=("Args",))

    def begin(self) -> None:
        self.items: list[Any] = []

    def process(self) -> None:
        if "inputobject" in self.bound:
            self.items.append(self.input_object)

    def end(self) -> None:
        arguments = [Argument(None, a, True) for a in self.arguments or []]
        block = self.block
        processor = ScriptProcessor(
            self.runtime, self.processor.frame, ScriptInfo(block), block, arguments, None, self.no_new_scope
        )
        processor.downstream = self.write
        processor.begin()
        if self.items or "inputobject" in self.bound:
            for item in self.items:
                processor.process(item)
        else:
            processor.process_no_input()
        processor.end()
        processor.dispose()


@cmdlet("Get-History", module=CORE, aliases=("ghy", "h", "history"))
class GetHistory(Cmdlet):
    ids = parameter("Id", "Int64[]", position=0, pipeline=True)
    count = parameter("Count", "Int32", position=1)

    def process(self) -> None:
        """A process that is not interactive has no history."""
