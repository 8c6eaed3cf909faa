"""Operations on an application's releases. PowerShell only starts the server's own Python, which does the work (`release/helper.py`)."""

from __future__ import annotations

import ast
import base64
import gzip
import io
import json
import re
import subprocess
from collections.abc import Generator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from importlib import resources
from string import ascii_letters
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra import host, logger, state
from pyinfra.api import FileUploadCommand, Host, State, operation
from pyinfra.api.arguments import ConnectorArguments
from pyinfra.api.command import PyinfraCommand
from pyinfra.connectors.util import CommandOutput

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import Configuration
from pyinfra_iis.facts.release import MigrationPlan, Releases, Wheels
from pyinfra_iis.operations import iis, refusal, show_changes
from pyinfra_iis.operations.changes import Change, show
from pyinfra_iis.operations.explained import WaitingScript, start_causes
from pyinfra_iis.operations.iis import HealthCheck, Site
from pyinfra_iis.operations.iis.applying import differences
from pyinfra_iis.operations.rendered import rendered_changes
from pyinfra_iis.powershell import Script
from pyinfra_iis.release import pip_options, wheels
from pyinfra_iis.release.origin import run_note
from pyinfra_iis.release.packages import changes, listing
from pyinfra_iis.release.release import SETTINGS_OVERLAY, Release
from pyinfra_iis.release.wheels import FOLDER
from pyinfra_iis.settings import DjangoSettings, WebSettings

UPLOADS = "incoming"
"""The folder for archives that have arrived."""

ALONG = 1 << 16
"""Bytes of an archive that goes along with the command which unpacks it; a larger one is uploaded first."""


_ISSUE = re.compile(r"\(\w+\.[CDEIW]\d+\)")


_reported: set[tuple[str, ...]] = set()
"""What has been printed of Django's reports in this run."""


_INSTALLER_FAILED = re.compile(r" -m (pip|venv) .* failed with exit code -?\d+\.$")
_CHAINED = re.compile(r"(During handling of the above exception|The above exception was the direct cause)")
_INDENT = re.compile(r"^(?: {4})+", re.MULTILINE)
_MIGRATION = re.compile(r"(^|/)migrations/[0-9][^/]*\.py$")


_known: WeakKeyDictionary[Host, dict[str, dict[str, Any]]] = WeakKeyDictionary()
"""What this run knows of the releases on a host, by the application's folder."""


_others: WeakKeyDictionary[Host, dict[str, tuple[list[Change], bool]]] = WeakKeyDictionary()
"""What was not as wanted of each site, besides its folder, when this run began, and whether all was."""


_locked: WeakKeyDictionary[Host, set[str]] = WeakKeyDictionary()
"""Applications' folders that this run has locked on a host: its process there holds them until it ends."""


_unmigrated: dict[str, str] = {}
"""Releases whose database is to be migrated in this run, on one host for all, and is not yet, by the application's folder."""


def state_request(settings: WebSettings, wanted: str = "") -> dict[str, str]:
    """The arguments of the fact that the operations read.

    Args:
        settings: the deploy's settings.
        wanted: a release; when the server lacks it, the fact tells what it can be made from.
    """
    return {"root": settings.root, "site": settings.site_name, "application": settings.site_path, "wanted": wanted}


def _look(settings: WebSettings, wanted: str = "") -> dict[str, Any]:
    """What a server holds. In a run it is read once: one deploy at a time changes it, and the operations note what they have changed."""
    if not state.is_executing:
        return facts.read(host, Releases, **state_request(settings, wanted))
    known = _known.setdefault(host, {})
    if settings.root not in known:
        known[settings.root] = deepcopy(facts.read(host, Releases, **state_request(settings, wanted)))
        known[settings.root]["tried"] = []
    return known[settings.root]


def _note_prepared(release: Release, tried: bool) -> None:
    if state.is_executing:
        known = _look(release.settings)
        known.update(_when_prepared(release, known))
        known["tried"] += [release.id] * tried


def _when_prepared(release: Release, there: Mapping[str, Any]) -> dict[str, Any]:
    """What the server holds once a release has been prepared there."""
    gone, environments = _unneeded(release, there)
    return {
        **there,
        "releases": [name for name in there["releases"] if name not in gone] + [release.id],
        "environments": [key for key in there["environments"] if key not in environments] + [release.requirements.key],
        "index": [*there["index"], f"{release.id} {release.requirements.key}"],
        "partials": [],
    }


def _note_live(settings: WebSettings, identifier: str) -> None:
    if state.is_executing:
        known = _look(settings)
        known["live"] = identifier
        known["history"].append(f"now {identifier}")


@operation()
def prepared(release: Release) -> Generator[PyinfraCommand, None, None]:
    """Bring a release to the server and make it ready: files, virtual environment, the release's own preparation, a trial start.

    It goes to a partial name and gets its own when it is complete; nothing that runs is touched. Only files that no release on the server has are sent.
    Where the database is to be migrated first, the trial start is left to `live`.

    Args:
        release: what to bring.
    """
    settings = release.settings
    there = _look(settings, release.id)
    environment_there = release.requirements.key in there["environments"]
    if release.id in there["releases"] and environment_there:
        return
    base = _base(there)
    _show(release, base, there)
    gone, environments = _unneeded(release, there)
    _show_removal(gone, environments)
    folders = [UPLOADS, *([FOLDER] if settings.packages == "offline" else [])]
    if missing := [name for name in folders if name not in there["folders"]]:
        yield Script(
            "windows/make_directories",
            {"folders": [{"path": rf"{settings.root}\{name}", "grants": []} for name in missing]},
        )
    # A run that was killed may have left a process that still reads the archive which it brought.
    name = f"{release.id}-{run_note()['run']}.zip"
    archive = f"{UPLOADS}/{name}"
    content = release.archive(base)
    steps = [["assemble", archive]]
    along = {}
    if len(content) <= ALONG:
        along = {archive: content}
        steps.insert(0, ["receive", archive])
    else:
        yield FileUploadCommand(io.BytesIO(content), rf"{settings.root}\{UPLOADS}\{name}")
    if not environment_there:
        yield from _send_wheels(release)
        make = ["environment", *_where(release), *_pip_arguments(release)]
        yield _helper(settings, *steps, make, along=along, secrets=_pip_variables(release))
        steps, along = [], {}
    if release.id not in there["releases"]:
        steps += [["manage", *_where(release), *arguments] for arguments in release.preparation]
    tried = release.id not in there["releases"] and not is_migrated_first(settings)
    if tried:
        steps.append(_trial(release))
    # What is not needed any more goes in the same process: a command of its own costs requests.
    after = _removal(gone, environments, settings.keep - 1)
    yield _helper(settings, *steps, ["complete", archive], *after, as_site=True, along=along)
    _note_prepared(release, tried)


def is_migrated_first(settings: WebSettings) -> bool:
    """Whether a database is migrated between a release's preparation and its first start."""
    return isinstance(settings, DjangoSettings) and settings.migrate


def _where(release: Release) -> list[str]:
    return [release.id, release.requirements.key]


def _pip_arguments(release: Release) -> list[str]:
    settings = release.settings
    if not release.requirements.arguments:  # the standard library is enough for it
        return []
    if settings.packages == "offline":
        return wheels.arguments(wheels.collect(release.project, release.requirements))
    return [*pip_options.split(settings.pip_options)[0], *release.requirements.arguments]


def _pip_variables(release: Release) -> dict[str, str]:
    """Environment variables for what pip's options would show to everybody."""
    settings = release.settings
    return {} if settings.packages == "offline" else pip_options.split(settings.pip_options)[1]


def _send_wheels(release: Release) -> Generator[PyinfraCommand, None, None]:
    """For servers without an index: the wheels that are not there yet."""
    if release.settings.packages != "offline":
        return
    folder = rf"{release.settings.root}\{FOLDER}"
    there = facts.read(host, Wheels, path=folder)["wheels"]
    for wheel in wheels.collect(release.project, release.requirements):
        if there.get(wheel.name) != wheel.sha256:
            yield FileUploadCommand(str(wheel.path), rf"{folder}\{wheel.name}")


def _base(there: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of the release on the server that the new one is made from."""
    return json.loads(gzip.decompress(base64.b64decode(there["record"]))) if there["record"] else None


def _show(release: Release, base: Mapping[str, Any] | None, there: Mapping[str, Any]) -> None:
    if release.requirements.key not in there["environments"]:
        packages = " ".join(release.requirements.arguments)
        show_changes([(release.environment, None, f"virtual environment with {packages}")])
        before = listing(there.get("packages", ()))
        offline = release.settings.packages == "offline"
        sent = wheels.collect(release.project, release.requirements) if offline else None
        show(Change(f"package {name}", old, new) for name, old, new in changes(before, release.requirements, sent))
    if release.id not in there["releases"]:
        size = sum(file.size for file in release.files.values())
        show_changes([(release.directory, None, f"{len(release.files)} files, {size} bytes")])
        show(rendered_changes(release, base))
        if base:
            known = base["files"]
            show_changes(
                (path, known.get(path) and f"{known[path][1]} bytes", f"{entry[1]} bytes")
                for path, entry in release.entries.items()
                if known.get(path) != entry and release.files[path].content is None
            )
            show_changes((path, f"{known[path][1]} bytes", None) for path in sorted(set(known) - set(release.entries)))


@operation()
def migrated(release: Release) -> Generator[PyinfraCommand, None, None]:
    """Bring the database to what a prepared release needs, unless that release is live already.

    Args:
        release: which release; its migrations run with the environment variables of its app pool.
    """
    settings = release.settings
    if _look(settings, release.id)["live"] == release.id:
        _unmigrated.pop(settings.root, None)
        return
    show_changes(_migrations(release))
    if state.is_executing:
        expect_migration(release)
    yield _helper(settings, ["manage", *_where(release), "migrate", "--noinput"], as_site=True)
    if state.is_executing:
        del _unmigrated[settings.root]


def is_live(release: Release) -> bool:
    """Whether the host in context serves a release already."""
    return bool(_look(release.settings, release.id)["live"] == release.id)


def expect_migration(release: Release) -> None:
    """From now on no host of this run makes a release live before `migrated` has succeeded on one of them: that one may drop out before its turn."""
    _unmigrated[release.settings.root] = release.id


def _migrations(release: Release) -> Sequence[tuple[str, object, object]]:
    """What migrating will do, as far as that can be told without changing anything: a release that is on the server already tells its plan; of another
    one it is known which migrations the release that it is made from did not have.
    """
    there = _look(release.settings, release.id)
    what = f"{release.settings.app} database"
    if state.is_executing and not state.config.DIFF:
        return [(what, None, "migrate")]
    if release.id in there["releases"] and release.requirements.key in there["environments"]:
        answer = facts.read(host, MigrationPlan, **_plan_request(release))
        steps = [(f"{what} migration {name}", None, "; ".join(operations)) for name, operations in answer["plan"]]
        return steps or [(what, None, f"migrate ({answer['problem'] or 'nothing to do'})")]
    base = _base(there)
    known = base["files"] if base else {}
    new = [path for path in release.entries if _MIGRATION.search(path) and path not in known]
    return [(what, None, "migrate"), *[(f"{what} migration {path}", None, "new in this release") for path in new]]


def _plan_request(release: Release) -> dict[str, Any]:
    return {
        "pool": release.settings.app,
        "interpreter": release.interpreter,
        "folder": release.directory,
        "variables": release.variables,
        "program": resources.files("pyinfra_iis.release").joinpath("migration_plan.py").read_text(encoding="utf-8"),
    }


def is_refused(release: Release, there: Mapping[str, Any]) -> bool:
    """Whether a release does not go live because it did not work before.

    Args:
        release: which.
        there: the state of the host, as the fact tells it.
    """
    return release.id in there["bad"] and not release.settings.retry


@operation()
def live(release: Release, site: Site, check: HealthCheck) -> Generator[PyinfraCommand, None, None]:
    """Make a prepared release the one that visitors get.

    It must start on a spare port first, unless `prepared` has just seen that; then the site's path is switched in one commit, and the site itself must
    answer from the new release. If it does not, the release before is put back and the operation fails. When it is live already, the site's
    configuration is brought to what is wanted and the site must be healthy.

    Args:
        release: which release.
        site: the site, with the release's folder as path.
        check: how the site is asked.
    """
    settings = release.settings
    there = _look(settings, release.id)
    if there["live"] == release.id and there["history"] and there["history"][-1].split()[-1] == release.id:
        yield from iis.configuration._inner(sites=[site])
        yield from iis.healthy._inner(check)
        return
    if is_refused(release, there):
        yield refusal(
            f"Release {release.id} did not work on {host.name} before, see {release.directory}.bad there; "
            f"change the project, or try it again with --data {settings.prefix}retry=true once the cause is mended."
        )
        return
    if state.is_executing and _unmigrated.get(settings.root) == release.id:
        yield refusal(f"Release {release.id} does not go live on {host.name}, because its database was not migrated.")
        return
    # It may be live already by a deploy that was broken off before it saw the site answer.
    show_changes([(f"site {site.title} release", there["live"] or None, release.id)])
    others, only_path = _others.get(host, {}).get(site.name + site.application, ([], False))
    show(others)
    if release.id not in there.get("tried", ()) and there["live"] != release.id:
        yield _helper(settings, _trial(release), as_site=True)
    yield switch(settings, release.id, site, check, only_path=only_path)
    _note_live(settings, release.id)


def previous_good(state: Mapping[str, Any]) -> str:
    """The release that was live and good before the live one, or empty."""
    order = dict.fromkeys(reversed([line.split()[-1] for line in state["history"]]))
    for name in order:
        if name != state["live"] and name in state["releases"] and name not in state["bad"]:
            return name
    return ""


@operation()
def rolled_back(
    settings: WebSettings, target: str, site: Site, check: HealthCheck, mark: bool = False
) -> Generator[PyinfraCommand, None, None]:
    """Make an earlier release live again.

    Args:
        settings: the deploy's settings.
        target: the release, complete on the server.
        site: the site, with the release's folder as path.
        check: how the site is asked.
        mark: mark the release that is live now as bad, so that no deploy makes it live again.
    """
    there = _look(settings)
    if there["live"] == target:
        return
    show_changes([(f"site {site.title} release", there["live"] or None, target)])
    yield switch(settings, target, site, check, bad=there["live"] if mark else "")
    _note_live(settings, target)


def note_site(site: Site) -> None:
    """Remember how a site differs from what is wanted besides its folder, while that is known: before anything has run on its host.

    Args:
        site: the site.
    """
    answer = facts.read(host, Configuration, **site.edits.request)
    others = [change for change in differences(site.edits, answer) if not change.what.endswith(" physicalPath")]
    _others.setdefault(host, {})[site.name + site.application] = (others, not others and not answer["problems"])


def switch(
    settings: WebSettings, identifier: str, site: Site, check: HealthCheck, bad: str = "", only_path: bool = False
) -> Script:
    """The command that makes a complete release live, and puts the one before back when it is not healthy.

    Args:
        settings: the deploy's settings.
        identifier: the release.
        site: the site.
        check: how it is asked.
        bad: a release that is marked as bad then.
        only_path: the site is there and right but for its folder.
    """
    wanted = site.request
    if only_path:
        del wanted["wish"]
    folder = rf"{settings.root}\releases\{identifier}"
    return WaitingScript(
        "release/switch" if only_path else "release/go_live",
        {
            "root": settings.root,
            "release": identifier,
            "bad": bad,
            "by": _who(settings),
            "site": {**wanted, "path": folder},
        },
        check,
        folder,
    )


def _who(settings: WebSettings) -> dict[str, Any]:
    """Who deploys, for the lock; which earlier runs have ended matters only until it is taken."""
    taken = state.is_executing and settings.root in _locked.get(host, ())
    return {**run_note(), "ended": []} if taken else run_note()


def _trial(release: Release) -> list[str]:
    """The helper's command that starts a release on a spare port and asks it."""
    settings = release.settings
    check = health_check(settings)
    want = {
        "key": release.requirements.key,
        "arguments": list(release.command),
        "environment": {**release.variables, **({"HTTP_PLATFORM_APPL_PATH": settings.path} if settings.path else {})},
        "host": check.host,
        "https": check.address.startswith("https:"),
        "path": check.path,
        "status": check.status,
        "timeout": check.timeout,
    }
    return ["trial", release.id, json.dumps(want)]


def health_check(settings: WebSettings) -> HealthCheck:
    """How the site of some settings is asked: over TLS where it can be, for there visitors are sent by the application or by IIS."""
    binding = next((binding for binding in settings.bindings if binding.protocol == "https"), settings.bindings[0])
    address = "localhost" if binding.ip == "*" else binding.ip
    name = binding.host or next((name for name in settings.hosts if name != "*"), "")
    # Any name that a wildcard stands for.
    name = f"www{name[1:]}" if name.startswith("*.") else name.removeprefix(".")
    return HealthCheck(
        settings.site_name,
        f"{binding.protocol}://{address}:{binding.port}{settings.path}{settings.health.path}",
        name and f"{name}:{binding.port}",
        settings.health.status or 0,
        settings.health.timeout,
        rf"{settings.root}\shared",
        settings.site_path,
    )


@operation()
def pruned(release: Release) -> Generator[PyinfraCommand, None, None]:
    """Remove releases and virtual environments that are not needed any more.

    The newest `keep` releases stay, the live one, and the one before it that was good; so do the environments that they use. What earlier runs have
    left half done goes, too; a release that was made in this run has taken that away already.

    Args:
        release: the release that is live when this runs.
    """
    settings = release.settings
    there = _look(settings, release.id)
    if release.id not in there["releases"]:
        # Before anything runs: what `prepared` and `live` will have made of it.
        there = {**_when_prepared(release, there), "live": release.id}
    gone, environments = _unneeded(release, there)
    _show_removal(gone, environments)
    show_changes((name, "left half done", None) for name in there["partials"])
    steps = [["sweep", UPLOADS]] if there["partials"] else []
    if steps := [*steps, *_removal(gone, environments, settings.keep)]:
        yield _helper(settings, *steps)


def _unneeded(release: Release, there: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The releases and virtual environments that nobody needs when a release is live or about to be.

    The newest ones stay, this one among them, the live one, and what can be gone back to: the last that was good before this one, and, before this one
    is live, the last that was good before the live one.
    """
    order = list(dict.fromkeys([release.id, *reversed([line.split()[-1] for line in there["history"]])]))
    good = [name for name in order if name not in there["bad"]]
    keep = {*order[: release.settings.keep], *good[: 2 if there["live"] == release.id else 3], there["live"]}
    gone = [name for name in there["releases"] if name not in keep and (name in order or name in there["bad"])]
    uses = dict(line.split() for line in there["index"])
    used = {release.requirements.key, *[uses.get(name) for name in there["releases"] if name not in gone]}
    return gone, [key for key in there["environments"] if key not in used] if gone else []


def _show_removal(gone: Sequence[str], environments: Sequence[str]) -> None:
    show_changes((name, "release", None) for name in gone)
    show_changes((key, "virtual environment", None) for key in environments)


def _removal(gone: Sequence[str], environments: Sequence[str], keep: int) -> list[list[str]]:
    """The helper's command that removes something, or none."""
    return [["remove", ",".join(gone), ",".join(environments), str(keep)]] if gone else []


class HelperScript(Script):
    """A script that runs the helper: what Django says that concerns the person at the keyboard is printed without -v, too.

    Attributes:
        started: what it starts of the application, as `start_causes` gets it.
    """

    started: Mapping[str, Any] = MappingProxyType({})

    def execute(self, state: State, host: Host, connector_arguments: ConnectorArguments) -> tuple[bool, CommandOutput]:
        """Run it, as pyinfra does."""
        status, output = super().execute(state, host, connector_arguments)
        if status:
            _locked.setdefault(host, set()).add(self.request["folder"])
        if not status:
            output = without_tracebacks(output)
        if not status and self.started:
            output = start_causes(state, host, output, self.started)
        if status and not state.print_output:
            report = _report(output.stdout_lines)
            # A fleet gets the same release, and the same report.
            if report and report not in _reported:
                _reported.add(report)
                for line in report:
                    logger.warning(f"{host.print_prefix}{line}")
        return status, output


def without_tracebacks(output: CommandOutput) -> CommandOutput:
    """What pip or venv said when it failed, without where in its own code it was; of the application's code that is of interest."""
    lines = list(output.combined_lines)
    if not any(_INSTALLER_FAILED.search(line.line) for line in lines):
        return output
    kept, inside = [], False
    for line in lines:
        inside = line.line.startswith("Traceback (") or (inside and (not line.line or line.line[0].isspace()))
        if not inside and not _CHAINED.match(line.line):
            kept.append(line)
    return CommandOutput(kept)


def _report(lines: Sequence[str]) -> tuple[str, ...]:
    """What Django's check has found, and the migrations that were made, of what the helper printed."""
    checked = [line for line in lines if line.startswith("check: ") and line != "check: "]
    found = checked if any(_ISSUE.search(line) for line in checked) else []
    return (*found, *[line for line in lines if line.startswith("migrate:   Applying ")])


def _helper(
    settings: WebSettings,
    *steps: Sequence[str],
    as_site: bool = False,
    along: Mapping[str, bytes] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Script:
    """The command that lets the server's Python take some steps.

    Args:
        settings: the deploy's settings.
        steps: commands of the helper with their arguments.
        as_site: with the environment variables of the app pool, where the site's own code runs.
        along: files for its command `receive`, by their paths.
        secrets: environment variables that are shown nowhere; not together with `as_site`.
    """
    script = HelperScript(
        "python/run_for_site" if as_site else "python/run",
        {
            **({"pool": settings.app} if as_site else {}),
            "interpreter": rf"{settings.python_directory}\python.exe",
            "arguments": _command_line(["-X", "utf8", "-", "steps", json.dumps(steps, separators=(",", ":"))]),
            "folder": settings.root,
            "by": _who(settings),
        },
        hidden={"program": _program(frozenset({"steps", *[command for command, *_ in steps]}), along or {})},
        secrets=secrets,
    )
    if as_site:
        script.started = _started(settings, steps)
    return script


def _started(settings: WebSettings, steps: Sequence[Sequence[str]]) -> dict[str, Any]:
    """What some steps start of the application, for what is said when it fails."""
    wanted: dict[str, Any] = next((json.loads(step[2]) for step in steps if step[0] == "trial"), {})
    key = next((step[2] for step in steps if step[0] == "manage"), wanted.get("key", ""))
    return {
        "pool": settings.app,
        "program": rf"{settings.root}\venvs\{key}\Scripts\python.exe",
        "arguments": wanted.get("arguments", []),
        "environment": wanted.get("environment", {}),
        "timeout": settings.health.timeout,
    }


def _program(commands: frozenset[str], along: Mapping[str, bytes] | None = None) -> str:
    """As much of the helper as some of its commands need, and files for it: it is sent each time."""
    received = {path: base64.b64encode(content).decode() for path, content in (along or {}).items()}
    empty = "\nRECEIVED = {}\n"
    return _part(commands).replace(empty, empty.replace("{}", json.dumps(received)), 1)


@cache
def _part(commands: frozenset[str]) -> str:
    """As much of the helper as some of its commands need, without comments, docstrings and types."""
    tree = ast.parse(resources.files("pyinfra_iis.release").joinpath("helper.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [part for part in body if not _is_text(part)] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.Dict) and node in _values(tree, "COMMANDS"):
            kept = [
                pair
                for pair in zip(node.keys, node.values, strict=True)
                if isinstance(pair[0], ast.Constant) and pair[0].value in commands
            ]
            node.keys, node.values = [key for key, _ in kept], [value for _, value in kept]
    functions = {part.name: part for part in tree.body if isinstance(part, ast.FunctionDef)}
    used: set[str] = set()
    waiting = [part for part in tree.body if not isinstance(part, ast.FunctionDef)]
    while waiting:
        names = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)}
        waiting += [functions[name] for name in sorted(names & functions.keys() - used)]
        used |= names
    tree.body = [_untyped(part) for part in tree.body if not isinstance(part, ast.FunctionDef) or part.name in used]
    _drop_unused(tree)
    _shorten(tree)
    text = ast.unparse(ast.fix_missing_locations(tree))
    return _INDENT.sub(lambda match: " " * (len(match[0]) // 4), text) + "\n"


def _drop_unused(tree: ast.Module) -> None:
    """Take out imports and constants of a module that nothing in it uses."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for part in tree.body:
        if isinstance(part, ast.Import) or (isinstance(part, ast.ImportFrom) and part.module != "__future__"):
            part.names = [name for name in part.names if (name.asname or name.name.partition(".")[0]) in used]
    tree.body = [
        part
        for part in tree.body
        if not (isinstance(part, ast.Import | ast.ImportFrom) and not part.names)
        and not (
            isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and part.targets[0].id not in used
        )
    ]


def _shorten(tree: ast.Module) -> None:
    """Give the local names of a module's functions one letter each, but for those by which arguments are given."""
    given = {keyword.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords}
    known = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for function in [part for part in tree.body if isinstance(part, ast.FunctionDef)]:
        nodes = list(ast.walk(function))
        if any(isinstance(node, ast.Global | ast.Nonlocal) for node in nodes):
            continue
        local = [name for node in nodes if (name := _local_name(node)) and name not in given]
        short = dict(
            zip(dict.fromkeys(local), (letter for letter in ascii_letters if letter not in known), strict=False)
        )
        for node in nodes:
            if isinstance(node, ast.arg):
                node.arg = short.get(node.arg, node.arg)
            elif isinstance(node, ast.Name):
                node.id = short.get(node.id, node.id)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                node.name = short.get(node.name, node.name)


def _local_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.ExceptHandler):
        return node.name
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None


def _untyped(part: ast.stmt) -> ast.stmt:
    if isinstance(part, ast.AnnAssign) and part.value:
        return ast.Assign([part.target], part.value)
    return part


def _values(tree: ast.Module, name: str) -> list[ast.expr | None]:
    return [
        part.value
        for part in tree.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id == name
    ]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _command_line(arguments: Sequence[str]) -> str:
    """Quote arguments as Windows programs split them."""
    return subprocess.list2cmdline(arguments)


__all__ = [
    "SETTINGS_OVERLAY",
    "health_check",
    "is_migrated_first",
    "live",
    "note_site",
    "prepared",
    "previous_good",
    "pruned",
    "rolled_back",
    "state_request",
]
