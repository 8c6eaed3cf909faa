"""appcmd.exe: IIS's command line, as far as a deployer uses it (SITE, APP, VDIR, APPPOOL, WP and CONFIG objects).

Output, messages and exit codes follow the IIS documentation ("Getting started with AppCmd.exe") and the program's published output. Commands and objects
that the real program has and the lab lacks are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from winlab.iis.config import APPHOST_PATH, ConfigStore, Section, Session
from winlab.iis.elements import Collection, Element
from winlab.iis.errors import ConfigError
from winlab.iis.files import user_store
from winlab.iis.install import is_installed
from winlab.windows.processes import ProgramContext

_USAGE = """General purpose IIS command line administration tool.

APPCMD (command) (object-type) <identifier> </parameter1:value1 ...>

Supported object types:

  SITE      Administration of virtual sites
  APP       Administration of applications
  VDIR      Administration of virtual directories
  APPPOOL   Administration of application pools
  CONFIG    Administration of general configuration sections
  WP        Administration of worker processes
  REQUEST   Administration of HTTP requests
  MODULE    Administration of server modules
  BACKUP    Administration of server configuration backups
  TRACE     Working with failed request trace logs

(To list commands supported by each object use /?, e.g. 'appcmd.exe site /?')
"""
_OBJECTS = ("site", "app", "vdir", "apppool", "config", "wp", "request", "module", "backup", "trace")
_PLURALS = {"sites": "site", "apps": "app", "vdirs": "vdir", "apppools": "apppool", "wps": "wp", "section": "config"}
_COMMANDS: dict[str, tuple[str, ...]] = {
    "site": ("list", "add", "set", "delete", "start", "stop"),
    "app": ("list", "add", "set", "delete"),
    "vdir": ("list", "add", "set", "delete"),
    "apppool": ("list", "add", "set", "delete", "start", "stop", "recycle"),
    "config": ("list", "set", "lock", "unlock", "clear", "search", "reset", "migrate"),
    "wp": ("list",),
}
_LACKING = {"config": ("search", "reset", "migrate")}
_OUTPUT_PARAMETERS = ("xml", "text", "config", "in", "commit", "section")
_STATES = ("Starting", "Started", "Stopping", "Stopped", "Unknown")


class AppcmdError(Exception):
    """A refusal: what is printed between the brackets of ERROR ( ... ), and the exit code."""

    def __init__(self, message: str, code: int, hresult: int | None = None):
        super().__init__(message)
        self.code = code
        self.hresult = hresult

    @property
    def line(self) -> str:
        start = f"hresult:{self.hresult:08x}, " if self.hresult is not None else ""
        return f"ERROR ( {start}message:{self} )\n"


@dataclass
class Parameter:
    """`/name:value`, `/+path`, `/-path`. value is None when there is no colon."""

    name: str
    value: str | None

    @property
    def key(self) -> str:
        return self.name.lower()


@dataclass
class Arguments:
    command: str
    kind: str
    identifier: str | None = None
    parameters: list[Parameter] = field(default_factory=list)

    def take(self, *names: str) -> str | None:
        """The value of a parameter, which is then used up."""
        for parameter in self.parameters:
            if parameter.key in names:
                self.parameters.remove(parameter)
                return parameter.value or ""
        return None

    def has(self, name: str) -> bool:
        return any(p.key == name for p in self.parameters)


def main(ctx: ProgramContext) -> int:
    """Runs one command; the exit code is 0, 1 (a list without a match) or a Win32 error code."""
    try:
        arguments = _parse(ctx.argv[1:])
        if arguments is None:
            ctx.out(_USAGE)
            return 0
        if not is_installed(ctx.machine):
            raise AppcmdError(
                "Configuration error \nFilename: \nLine Number: 0\nDescription: Cannot read configuration file\n.", 2
            )
        return max((_Run(ctx, each).run() for each in _inputs(ctx, arguments)), default=0)
    except _InputError as error:
        ctx.out(f"{error}\n")
        return error.code
    except AppcmdError as error:
        ctx.out(error.line)
        return error.code
    except ConfigError as error:
        failure = _config_failure(error)
        ctx.out(failure.line)
        return failure.code


def _inputs(ctx: ProgramContext, arguments: Arguments) -> list[Arguments]:
    """The command itself, or with /in one for each object that another appcmd has printed with /xml."""
    if not arguments.has("in"):
        return [arguments]
    text = ctx.read_all().decode(ctx.console.encoding, "replace")
    try:
        objects = list(ElementTree.fromstring(text.strip()))
    except ElementTree.ParseError as error:
        raise _InputError("Failed to process input: The input is not valid XML (HRESULT=c00ce556).") from error
    own = f"{arguments.kind.upper()}.NAME"
    found = []
    for element in objects:
        parameters = [Parameter(p.name, p.value) for p in arguments.parameters if p.key != "in"]
        names = {n: v for n, v in element.attrib.items() if n.endswith(".NAME")}
        identifier = names.get(own, arguments.identifier)
        if own not in names:
            parameters += [Parameter(n, v) for n, v in names.items() if n == f"{element.tag}.NAME"]
        found.append(Arguments(arguments.command, arguments.kind, identifier, parameters))
    return found


class _InputError(Exception):
    def __init__(self, message: str, code: int = 87):
        super().__init__(message)
        self.code = code


def _config_failure(error: ConfigError) -> AppcmdError:
    code = error.hresult & 0xFFFF
    text = error.text.strip()
    if error.file:
        place = f"Filename: {error.config_file}\nLine Number: {error.line or 0}\nDescription: {text}\n."
        return AppcmdError(f"Configuration error \n{place}", code)
    return AppcmdError(f"Command execution failed.\n{text}\n", code, error.hresult)


def _parse(argv: list[str]) -> Arguments | None:
    words = [a for a in argv if a not in ("/?", "-?")]
    if not words or len(words) < len(argv):
        return None
    command = words[0].lower()
    if len(words) < 2:
        raise _InputError(
            f"Failed to process input: The command '{words[0]}' must be followed by an object type (HRESULT=80070057)."
        )
    kind = _PLURALS.get(words[1].lower(), words[1].lower())
    if kind not in _OBJECTS:
        raise _InputError(
            f"Object '{words[1].upper()}' is not supported.  Run 'appcmd.exe /?' to display supported objects."
        )
    if kind not in _COMMANDS or command in _LACKING.get(kind, ()):
        raise _InputError(f"appcmd: The lab does not support 'appcmd {command} {kind}'.", 50)
    if command not in _COMMANDS[kind]:
        raise _InputError(
            f"Command '{words[0]}' is not supported on object type '{kind.upper()}'.  Run 'appcmd.exe {kind} /?' to display supported commands."
        )
    arguments = Arguments(command, kind)
    for word in words[2:]:
        if word[:1] in "/-" and word:
            arguments.parameters.append(_parameter(word[1:]))
        elif arguments.identifier is None and not arguments.parameters:
            arguments.identifier = word
        else:
            raise _InputError(
                f"Failed to process input: The parameter '{word}' must begin with a / or - (HRESULT=80070057)."
            )
    return arguments


def _parameter(text: str) -> Parameter:
    """Splits at the first colon outside brackets and quotes."""
    depth, quote = 0, ""
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and depth:
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == ":" and depth == 0:
            return Parameter(text[:index], text[index + 1 :])
    return Parameter(text, None)


# -- paths into the configuration


@dataclass
class _Step:
    """One part of `a.[k='v'].b`: a name, or keys, or a position of an item."""

    name: str = ""
    keys: dict[str, str] | None = None
    index: int | None = None
    at: str = ""


def _steps(path: str) -> list[_Step]:
    steps: list[_Step] = []
    position = 0
    while position < len(path):
        if path[position] == ".":
            position += 1
        elif path[position] == "[":
            end = _closing(path, position)
            steps.append(_item_step(path[position + 1 : end]))
            position = end + 1
        else:
            match = re.compile(r"[^.\[]+").match(path, position)
            assert match is not None
            steps.append(_Step(name=match.group()))
            position = match.end()
    return steps


def _closing(path: str, start: int) -> int:
    quote = ""
    for index in range(start, len(path)):
        char = path[index]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "]":
            return index
    raise _InputError(
        f"Failed to process input: The parameter '{path}' is not in the expected format (HRESULT=80070057)."
    )


def _item_step(text: str) -> _Step:
    step = _Step(keys={})
    for name, single, double, plain in re.findall(
        r"([\w@]+)(?:\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\]]*)))?\s*,?", text
    ):
        if name.startswith("@"):
            step.at = name.lower()
        elif name.isdigit() and not (single or double or plain) and "=" not in text:
            step.index = int(name)
        else:
            assert step.keys is not None
            step.keys[name] = single or double or plain
    match = re.search(r"@(start|end|\d+)", text)
    if match:
        step.at = match.group(1)
    return step


def _set_text(element: Element, name: str, text: str) -> None:
    schema = element.schema.attribute(name)
    if schema is None:
        raise AppcmdError(f'Unknown attribute "{name}".  Replace with -? for help.', 87)
    element.set(name, schema.parse(text, validate=False))


def _find_item(collection: Collection, step: _Step) -> Element | None:
    if step.index is not None:
        return collection[step.index] if step.index < len(collection) else None
    for item in collection:
        if all(_equals(item, name, text) for name, text in (step.keys or {}).items()):
            return item
    return None


def _equals(item: Element, name: str, text: str) -> bool:
    schema = item.schema.attribute(name)
    if schema is None:
        raise AppcmdError(f'Unknown attribute "{name}".  Replace with -? for help.', 87)
    return schema.same(item.get(name), schema.parse(text, validate=False))


def _walk(element: Element, steps: list[_Step]) -> Element:
    for step in steps:
        if step.keys is not None:
            found = _find_item(element.collection, step)
            if found is None:
                raise AppcmdError("Cannot find requested collection element.", 4312)
            element = found
        else:
            element = _child(element, step.name)
    return element


def _child(element: Element, name: str) -> Element:
    if name.lower() not in (n.lower() for n in element.schema.children):
        raise AppcmdError(f'Unknown attribute "{name}".  Replace with -? for help.', 87)
    return element.child(name)


def apply_setting(element: Element, parameter: Parameter) -> None:
    """One `/a.b:value`, `/+collection.[k='v']` or `/-collection.[k='v']` on an element."""
    name = parameter.name
    if name.startswith("+"):
        _add_item(element, _steps(name[1:]))
    elif name.startswith("-"):
        _remove(element, _steps(name[1:]))
    else:
        steps = _steps(name)
        if not steps or steps[-1].keys is not None:
            raise _InputError(
                f"Failed to process input: The parameter '{name}' is not in the expected format (HRESULT=80070057)."
            )
        target = _walk(element, steps[:-1])
        _set_text(target, steps[-1].name, parameter.value or "")


def _add_item(element: Element, steps: list[_Step]) -> None:
    *before, last = steps
    if last.keys is None:
        raise _InputError(
            "Failed to process input: The collection element to be added must be given in brackets (HRESULT=80070057)."
        )
    collection = _walk(element, before).collection
    item = collection.create()
    for name, text in last.keys.items():
        _set_text(item, name, text)
    index = {"start": 0, "end": None}.get(last.at, int(last.at) if last.at.isdigit() else None)
    _add(collection, item, " ".join(last.keys.values()), index)


def _add(collection: Collection, item: Element, shown: str, index: int | None = None) -> None:
    try:
        collection.add(item, index)
    except ConfigError as error:
        if error.hresult == 0x800700B7:
            raise AppcmdError(f"New {item.tag} object missing required attributes. {error.text}\n.", 183) from error
        if error.cause == "required":
            names = error.text.rpartition(" ")[2]
            raise AppcmdError(f"New {item.tag} object missing required attributes {names}.", 87) from error
        raise


def _remove(element: Element, steps: list[_Step]) -> None:
    *before, last = steps
    target = _walk(element, before)
    if last.keys is not None:
        item = _find_item(target.collection, last)
        if item is None:
            raise AppcmdError("Cannot find requested collection element.", 4312)
        target.collection.remove(item)
    else:
        target.unset(last.name)


# -- objects


@dataclass
class _Object:
    """A line of a listing: identifier, its summary in order, and the configuration behind it."""

    kind: str
    name: str
    summary: list[tuple[str, str]]
    element: Element | None
    own_names: list[tuple[str, str]]

    def matches(self, parameter: Parameter) -> bool:
        key = parameter.key
        wanted = (parameter.value or "").lower()
        for name, value in [*self.own_names, *self.summary]:
            if name.lower() == key:
                return value.lower() == wanted
        steps = _steps(parameter.name)
        if self.element is None:
            return False
        try:
            target = _walk(self.element, steps[:-1])
            schema = target.schema.attribute(steps[-1].name)
        except (AppcmdError, ConfigError):
            return False
        return schema is not None and target.text(steps[-1].name).lower() == wanted


def _state(element: Element) -> str:
    try:
        return _STATES[int(element.get("state"))]  # type: ignore[arg-type]
    except ConfigError:
        return "Unknown"


class _Run:
    """One invocation: a session under the caller's rights, and where output goes."""

    def __init__(self, ctx: ProgramContext, arguments: Arguments):
        self.ctx = ctx
        self.arguments = arguments
        self.store: ConfigStore = user_store(ctx.machine, ctx.user)
        self.session: Session = self.store.session()

    def run(self) -> int:
        handler: Callable[[], int] = getattr(self, f"_{self.arguments.command}_{self.arguments.kind}", None) or getattr(
            self, f"_{self.arguments.command}"
        )
        return handler()

    # -- finding

    @property
    def _sites(self) -> Collection:
        return self.session.apphost().section("system.applicationHost/sites").collection

    @property
    def _pools(self) -> Collection:
        return self.session.apphost().section("system.applicationHost/applicationPools").collection

    def _objects(self, kind: str) -> Iterator[_Object]:
        if kind == "site":
            for site in self._sites:
                yield _site_object(site)
        elif kind == "app":
            for site in self._sites:
                for application in site.collection:
                    yield _application_object(site, application)
        elif kind == "vdir":
            for site in self._sites:
                for application in site.collection:
                    for directory in application.collection:
                        yield _directory_object(site, application, directory)
        elif kind == "apppool":
            for pool in self._pools:
                yield _pool_object(pool)
        else:
            section = self.session.apphost().section("system.applicationHost/applicationPools")
            for process in section.child("workerProcesses").collection:
                number, pool_name = str(process.get("processId")), str(process.get("appPoolName"))
                yield _Object(
                    "WP",
                    number,
                    [("applicationPool", pool_name)],
                    process,
                    [("WP.NAME", number), ("APPPOOL.NAME", pool_name)],
                )

    def _named(self, kind: str) -> _Object:
        """The object that the command is about."""
        label = kind.upper()
        identifier = self.arguments.identifier or self.arguments.take(f"{kind}.name")
        if identifier is None and kind == "site" and (number := self.arguments.take("site.id", "id")) is not None:
            found = next((o for o in self._objects(kind) if str(o.element and o.element.get("id")) == number), None)
        elif identifier is None:
            raise AppcmdError(
                f"Must specify the {label} object with identifier or -{label.lower()}.name parameter.", 87
            )
        else:
            found = next((o for o in self._objects(kind) if _same_identifier(kind, o.name, identifier)), None)
        if found is None:
            raise AppcmdError(f'Cannot find {label} object with identifier "{identifier}".', 1168)
        return found

    def _settings(self, element: Element) -> None:
        for parameter in self.arguments.parameters:
            if parameter.key == "bindings" and "bindings" in element.schema.children:
                _set_bindings(element, parameter.value or "")
            elif parameter.key != "commit":
                apply_setting(element, parameter)

    def _commit(self) -> None:
        try:
            self.session.commit()
        except ConfigError as error:
            text = error.text if error.text else "The data is invalid."
            raise AppcmdError(
                f"Failed to commit configuration changes.\n{text}\n", error.hresult & 0xFFFF, error.hresult
            ) from error

    # -- list

    def _list(self) -> int:
        arguments = self.arguments
        objects = list(self._objects(arguments.kind))
        if arguments.identifier is not None:
            wanted = arguments.identifier
            objects = [o for o in objects if _same_identifier(arguments.kind, o.name, wanted)]
        filters = [p for p in arguments.parameters if p.key not in _OUTPUT_PARAMETERS]
        objects = [o for o in objects if all(o.matches(p) for p in filters)]
        if arguments.has("xml"):
            self._print_xml(objects, with_config=arguments.has("config"))
        elif arguments.has("text"):
            self._print_text(objects, next(p.value for p in arguments.parameters if p.key == "text") or "")
        else:
            for item in objects:
                self.ctx.out(f'{item.kind} "{item.name}" ({",".join(f"{n}:{v}" for n, v in item.summary)})\n')
                if arguments.has("config") and item.element is not None:
                    self.ctx.out("\n".join(_xml(item.element, item.element.tag, 0)) + "\n")
        return 0 if objects or arguments.has("xml") else 1

    def _print_xml(self, objects: list[_Object], with_config: bool) -> None:
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<appcmd>"]
        for item in objects:
            names = [*item.own_names, *((n, v) for n, v in item.summary if n not in ("id",))]
            attributes = "".join(f" {n}={quoteattr(v)}" for n, v in names)
            if with_config and item.element is not None:
                lines.append(f"    <{item.kind}{attributes}>")
                lines += ["        " + line for line in _xml(item.element, item.element.tag, 0)]
                lines.append(f"    </{item.kind}>")
            else:
                lines.append(f"    <{item.kind}{attributes} />")
        lines.append("</appcmd>")
        self.ctx.out("\n".join(lines) + "\n")

    def _print_text(self, objects: list[_Object], name: str) -> None:
        for item in objects:
            if name == "*":
                self.ctx.out(f"{item.kind}\n")
                for key, value in [*item.own_names, *item.summary]:
                    self.ctx.out(f'  {key}:"{value}"\n')
                if item.element is not None:
                    self.ctx.out("\n".join(_text_tree(item.element, f"[{item.element.tag}]", 1)) + "\n")
            else:
                self.ctx.out(f"{self._text_value(item, name)}\n")

    def _text_value(self, item: _Object, name: str) -> str:
        for key, value in [*item.own_names, *item.summary]:
            if key.lower() == name.lower():
                return value
        if item.element is None:
            return ""
        steps = _steps(name)
        target = _walk(item.element, steps[:-1])
        if target.schema.attribute(steps[-1].name) is None:
            raise AppcmdError(f'Unknown attribute "{name}".  Replace with -? for help.', 87)
        return target.text(steps[-1].name)

    # -- sites, applications, directories, pools

    def _add_site(self) -> int:
        arguments = self.arguments
        name = arguments.take("name", "site.name") or arguments.identifier
        if not name:
            raise AppcmdError("Must specify value for NAME parameter.", 87)
        sites = self._sites
        site = sites.create()
        site.set("name", name)
        number = arguments.take("id", "site.id")
        _set_text(site, "id", number or str(max((int(s.get("id")) for s in sites), default=0) + 1))  # type: ignore[arg-type]
        physical_path = arguments.take("physicalpath")
        bindings = arguments.take("bindings")
        if bindings is not None:
            _set_bindings(site, bindings)
        self.ctx_lines = [f'SITE object "{name}" added']
        if physical_path is not None:
            _new_application(site, "/", physical_path)
            self.ctx_lines += [f'APP object "{name}/" added', f'VDIR object "{name}/" added']
        _add_named(sites, site, "site", name)
        self._settings(site)
        self._commit()
        self.ctx.out("\n".join(self.ctx_lines) + "\n")
        return 0

    def _add_app(self) -> int:
        arguments = self.arguments
        site_name, path = arguments.take("site.name"), arguments.take("path")
        if not site_name:
            raise AppcmdError("Must specify value for SITE.NAME parameter.", 87)
        site = self._sites.find(name=site_name)
        if site is None:
            raise AppcmdError(f'Cannot find SITE object with identifier "{site_name}".', 1168)
        path = path or "/"
        physical_path = arguments.take("physicalpath")
        application = _new_application(site, path, physical_path)
        self._settings(application)
        self._commit()
        name = site_name + path
        self.ctx.out(f'APP object "{name}" added\n')
        if physical_path is not None:
            self.ctx.out(f'VDIR object "{name.rstrip("/")}/" added\n')
        return 0

    def _add_vdir(self) -> int:
        arguments = self.arguments
        app_name, path = arguments.take("app.name"), arguments.take("path")
        if not app_name:
            raise AppcmdError("Must specify value for APP.NAME parameter.", 87)
        found = next((o for o in self._objects("app") if _same_identifier("app", o.name, app_name)), None)
        if found is None or found.element is None:
            raise AppcmdError(f'Cannot find APP object with identifier "{app_name}".', 1168)
        directories = found.element.collection
        directory = directories.create()
        directory.set("path", path or "/")
        physical_path = arguments.take("physicalpath")
        if physical_path is not None:
            directory.set("physicalPath", physical_path)
        name = found.name.rstrip("/") + (path or "/")
        _add_named(directories, directory, "virtualDirectory", path or "/")
        self._settings(directory)
        self._commit()
        self.ctx.out(f'VDIR object "{name}" added\n')
        return 0

    def _add_apppool(self) -> int:
        name = self.arguments.take("name", "apppool.name") or self.arguments.identifier
        if not name:
            raise AppcmdError("Must specify value for NAME parameter.", 87)
        pool = self._pools.create()
        pool.set("name", name)
        _add_named(self._pools, pool, "add", name)
        self._settings(pool)
        self._commit()
        self.ctx.out(f'APPPOOL object "{name}" added\n')
        return 0

    def _set(self) -> int:
        found = self._named(self.arguments.kind)
        assert found.element is not None
        self._settings(found.element)
        self._commit()
        self.ctx.out(f'{found.kind} object "{found.name}" changed\n')
        return 0

    def _delete(self) -> int:
        found = self._named(self.arguments.kind)
        assert found.element is not None and found.element.container is not None
        lines = [f'{found.kind} object "{found.name}" deleted']
        found.element.container.remove(found.element)
        self._commit()
        self.ctx.out("\n".join(lines) + "\n")
        return 0

    def _start(self) -> int:
        return self._control("Start", "started")

    def _stop(self) -> int:
        return self._control("Stop", "stopped")

    def _recycle(self) -> int:
        return self._control("Recycle", "recycled")

    def _control(self, method: str, done: str) -> int:
        found = self._named(self.arguments.kind)
        assert found.element is not None
        if method != "Start" and self.arguments.kind == "apppool" and _state(found.element) == "Stopped":
            if method == "Stop":
                raise AppcmdError("Application pool is already stopped.", 1062)
            raise AppcmdError("The service has not been started.", 1062, 0x80070426)
        try:
            self.store.invoke(found.element, method, {})
        except ConfigError as error:
            text = error.text.partition(" (Exception from HRESULT")[0].strip()
            raise AppcmdError(text, error.hresult & 0xFFFF, error.hresult) from error
        self.ctx.out(f'"{found.name}" successfully {done}' + ("." if method != "Recycle" else "") + "\n")
        return 0

    # -- configuration sections

    def _config_target(self) -> tuple[Section, str, str]:
        """The section asked for, the path it is for and the path it is committed to."""
        arguments = self.arguments
        name = arguments.take("section")
        if not name:
            raise AppcmdError("Must specify the -section parameter.", 87)
        path = (arguments.identifier or "").strip("/")
        path = re.sub(rf"^{APPHOST_PATH}/?", "", path, flags=re.IGNORECASE)
        commit = (arguments.take("commit") or "").strip("/")
        commit_path = self._commit_path(path, commit)
        name = self._full_section_name(name)
        if self.store.schema.section(name) is None:
            raise AppcmdError(f'Unknown config section "{name}".  Replace with -? for help.', 87)
        if not path:
            return self.session.apphost().section(name), path, ""
        if commit_path == "":
            return self.session.apphost().section(name, path), path, ""
        site, _, rest = commit_path.partition("/")
        location = path[len(commit_path) :].strip("/") or None
        return self.session.web(site, "/" + rest).section(name, location), path, commit_path

    def _full_section_name(self, name: str) -> str:
        """ "handlers" is short for "system.webServer/handlers" where only one section ends like that."""
        ends = [path for path in self.store.schema.sections if path.lower().endswith("/" + name.lower())]
        return ends[0] if len(ends) == 1 else name

    def _commit_path(self, path: str, commit: str) -> str:
        lowered = commit.lower()
        if not commit or lowered in ("url", "app", "parent"):
            return path if lowered != "parent" else path.rpartition("/")[0]
        if lowered == "site":
            return path.partition("/")[0]
        if lowered == "apphost" or lowered == APPHOST_PATH.lower():
            return ""
        if lowered in ("machine", "webroot"):
            raise _InputError(f"appcmd: The lab does not support '/commit:{commit}'.", 50)
        return re.sub(rf"^{APPHOST_PATH}/?", "", commit, flags=re.IGNORECASE)

    def _list_config(self) -> int:
        as_xml = self.arguments.has("xml")
        section, path, _ = self._config_target()
        section.validate()
        lines = _section_xml(section)
        if as_xml:
            where = "/".join([APPHOST_PATH, *([path] if path else [])])
            lines = [
                '<?xml version="1.0" encoding="UTF-8"?>',
                "<appcmd>",
                f"    <CONFIG CONFIG.SECTION={quoteattr(section.path)} path={quoteattr(where)}"
                f' overrideMode="{section.override_mode}" locked="{str(section.is_locked).lower()}">',
                *("        " + line for line in _xml(section, section.path.replace("/", "-"), 0)),
                "    </CONFIG>",
                "</appcmd>",
            ]
        self.ctx.out("\n".join(lines) + "\n")
        return 0

    def _set_config(self) -> int:
        section, path, commit = self._config_target()
        for parameter in self.arguments.parameters:
            apply_setting(section, parameter)
        self._commit()
        target = "/".join([APPHOST_PATH, *([path] if path else [])])
        where = "/".join([APPHOST_PATH, *([commit] if commit else [])])
        self.ctx.out(
            f'Applied configuration changes to section "{section.path}" for "{target}" at configuration commit path "{where}"\n'
        )
        return 0

    def _clear_config(self) -> int:
        section, path, commit = self._config_target()
        section.revert_to_parent()
        self._commit()
        where = "/".join([APPHOST_PATH, *([commit] if commit else [])])
        target = "/".join([APPHOST_PATH, *([path] if path else [])])
        self.ctx.out(
            f'Cleared configuration section "{section.path}" for "{target}" at configuration commit path "{where}"\n'
        )
        return 0

    def _unlock_config(self) -> int:
        return self._override("Allow", "Unlocked")

    def _lock_config(self) -> int:
        return self._override("Deny", "Locked")

    def _override(self, mode: str, done: str) -> int:
        section, path, _ = self._config_target()
        section.set_override_mode(mode)
        self._commit()
        where = "/".join([APPHOST_PATH, *([path] if path else [])])
        self.ctx.out(f'{done} section "{section.path}" at configuration path "{where}".\n')
        return 0


def _same_identifier(kind: str, name: str, wanted: str) -> bool:
    if kind in ("app", "vdir"):
        return name.rstrip("/").lower() == wanted.rstrip("/").lower()
    return name.lower() == wanted.lower()


def _add_named(collection: Collection, item: Element, label: str, name: str) -> None:
    try:
        collection.add(item)
    except ConfigError as error:
        if error.hresult == 0x800700B7:
            raise AppcmdError(f'Failed to add duplicate collection element "{name}".', 183) from error
        raise


def _new_application(site: Element, path: str, physical_path: str | None) -> Element:
    application = site.collection.create()
    application.set("path", path)
    if physical_path is not None:
        directory = application.collection.create()
        directory.set("path", "/")
        directory.set("physicalPath", physical_path)
        application.collection.add(directory)
    _add_named(site.collection, application, "application", path)
    return application


def _set_bindings(site: Element, text: str) -> None:
    """`http/*:80:,https/*:443:host` or `http://host:80` in the place of all bindings."""
    bindings = site.child("bindings").collection
    while len(bindings):
        bindings.remove_at(0)
    for part in filter(None, (p.strip() for p in text.split(","))):
        url = re.fullmatch(r"(https?)://([^:/]*):(\d+)/?", part)
        if url:
            protocol, information = url.group(1), f"*:{url.group(3)}:{'' if url.group(2) == '*' else url.group(2)}"
        else:
            protocol, _, information = part.partition("/")
        if not information:
            raise AppcmdError(f'The binding "{part}" is not in the expected format (protocol/bindingInformation).', 87)
        item = bindings.create()
        item.set("protocol", protocol)
        item.set("bindingInformation", information)
        bindings.add(item)


def _site_object(site: Element) -> _Object:
    name, number = str(site.get("name")), str(site.get("id"))
    bindings = ",".join(f"{b.get('protocol')}/{b.get('bindingInformation')}" for b in site.child("bindings").collection)
    summary = [("id", number), ("bindings", bindings), ("state", _state(site))]
    return _Object("SITE", name, summary, site, [("SITE.NAME", name), ("SITE.ID", number)])


def _application_object(site: Element, application: Element) -> _Object:
    site_name, path, pool = str(site.get("name")), str(application.get("path")), str(application.get("applicationPool"))
    names = [("path", path), ("APP.NAME", site_name + path), ("APPPOOL.NAME", pool), ("SITE.NAME", site_name)]
    return _Object("APP", site_name + path, [("applicationPool", pool)], application, names)


def _directory_object(site: Element, application: Element, directory: Element) -> _Object:
    site_name, app_path, path = str(site.get("name")), str(application.get("path")), str(directory.get("path"))
    physical = str(directory.get("physicalPath"))
    name = site_name + app_path.rstrip("/") + path
    names = [("VDIR.NAME", name), ("path", path), ("APP.NAME", site_name + app_path), ("SITE.NAME", site_name)]
    return _Object("VDIR", name, [("physicalPath", physical)], directory, names)


def _pool_object(pool: Element) -> _Object:
    name = str(pool.get("name"))
    version, mode, state = str(pool.get("managedRuntimeVersion")), pool.text("managedPipelineMode"), _state(pool)
    summary = [("MgdVersion", version), ("MgdMode", mode), ("state", state)]
    names = [("APPPOOL.NAME", name), ("PipelineMode", mode), ("RuntimeVersion", version)]
    return _Object("APPPOOL", name, summary, pool, names)


# -- sections as XML


def _section_xml(section: Section) -> list[str]:
    parts = section.path.split("/")
    lines = ["  " * depth + f"<{part}>" for depth, part in enumerate(parts[:-1])]
    lines += ["  " * (len(parts) - 1) + line for line in _xml(section, parts[-1], 0)]
    lines += ["  " * depth + f"</{part}>" for depth, part in reversed(list(enumerate(parts[:-1])))]
    return lines


def _xml(element: Element, tag: str, depth: int) -> list[str]:
    """What is set, here or above, as XML."""
    indent = "  " * depth
    attributes = "".join(
        f" {name}={quoteattr(element.text(name))}"
        for name, schema in element.schema.attributes.items()
        if not schema.dynamic and element.is_set(name)
    )
    inner: list[str] = []
    for child in element.children():
        if not child.schema.dynamic and not child.schema.is_collection_default:
            inner += _xml(child, child.tag, depth + 1)
    if element.has_collection:
        for item in element.collection:
            inner += _xml(item, item.tag, depth + 1)
    if not inner:
        empty = not attributes and depth > 0 and element.container is None
        return [f"{indent}<{tag}>", f"{indent}</{tag}>"] if empty else [f"{indent}<{tag}{attributes} />"]
    return [f"{indent}<{tag}{attributes}>", *inner, f"{indent}</{tag}>"]


def _text_tree(element: Element, label: str, depth: int) -> list[str]:
    indent = "  " * depth
    lines = [indent + label]
    for name, schema in element.schema.attributes.items():
        if not schema.dynamic:
            lines.append(f'{indent}  {name}:"{element.text(name)}"')
    for child in element.children():
        if not child.schema.dynamic:
            lines += _text_tree(child, f"[{child.tag}]", depth + 1)
    if element.has_collection:
        for item in element.collection:
            lines += _text_tree(item, f"[{item.tag}]", depth + 1)
    return lines


__all__ = ["AppcmdError", "Parameter", "apply_setting", "main"]
