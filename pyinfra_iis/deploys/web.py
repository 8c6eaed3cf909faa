"""A Python web application on IIS: the road from a bare Windows server to a served site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import DeployError, deploy
from pyinfra.api.exceptions import FactError
from pyinfra.api.operation import OperationMeta
from pyinfra.api.output import format_text

from pyinfra_iis import facts
from pyinfra_iis.facts.iis import Configuration, Health, HttpPlatformHandler, ParentSite
from pyinfra_iis.facts.neighbours import Neighbours
from pyinfra_iis.facts.python import Distribution
from pyinfra_iis.facts.release import Releases
from pyinfra_iis.facts.windows import Directories, Features, Files, FirewallRule, RegistryValue, Server
from pyinfra_iis.operations import changes, httpplatform, iis, python, release, rollout, windows
from pyinfra_iis.operations.access import Access
from pyinfra_iis.operations.iis import AppPool, Site, welcome
from pyinfra_iis.release import release as releases
from pyinfra_iis.release import wheels
from pyinfra_iis.release.project import ProjectError
from pyinfra_iis.release.release import Release
from pyinfra_iis.settings import AnySettings, Binding, SettingsError, WebSettings, build, from_data

SERVER_FEATURES = (
    "Web-Static-Content",
    "Web-Default-Doc",
    "Web-Http-Errors",
    "Web-Http-Logging",
    "Web-Filtering",
    "Web-AppInit",
    "Web-WebSockets",
    "Web-Scripting-Tools",
)
CLIENT_FEATURES = (
    "IIS-StaticContent",
    "IIS-DefaultDocument",
    "IIS-HttpErrors",
    "IIS-HttpLogging",
    "IIS-RequestFiltering",
    "IIS-ApplicationInit",
    "IIS-WebSockets",
    "IIS-ManagementScriptingTools",
)
LONG_PATHS = (r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem", "LongPathsEnabled")
UNLOCKED = ("system.webServer/handlers",)
HANDLER = "pyinfra-iis"
MAPPING = {
    "path": "*",
    "verb": "*",
    "modules": "httpPlatformHandler",
    "resourceType": "Unspecified",
    "requireAccess": "Script",
}
"""What web.config says by another name, where the section is unlocked: releases of both kinds can follow each other."""

_OLDEST_BUILD = 14393  # Windows Server 2016 and Windows 10 1607
POOL_ATTRIBUTES = {
    "managedRuntimeVersion": "",
    "startMode": "AlwaysRunning",
    "processModel.identityType": "ApplicationPoolIdentity",
    "processModel.idleTimeout": "00:00:00",
    "recycling.periodicRestart.time": "00:00:00",
}

_warned: set[str] = set()
_releases: dict[tuple[type[WebSettings], str, tuple[str, ...]], Release] = {}


@deploy("Python web application on IIS")
def python_web(**options: Any) -> None:
    """Bring a Windows server to a served Python web application; what is right already stays as it is.

    Args:
        options: attributes of `pyinfra_iis.settings.WebSettings`; without any, they come from host data with the prefix `web_`.

    Raises:
        DeployError: settings or a project that cannot be deployed; nothing has been changed.

    Example:
        python_web(project="shop", application="main:app", bindings=["*:80:www.example.com"])
    """
    add_steps(Steps, settings_from(options, WebSettings))


def settings_from(options: Mapping[str, Any], model: type[AnySettings]) -> AnySettings:
    """The settings that a deploy got as arguments, else those of the host's data.

    Raises:
        DeployError: settings that cannot be used.
    """
    try:
        return build(options, model) if options else from_data(host.data.dict(), model)
    except SettingsError as error:
        raise DeployError(f"{host.name}: {error}") from None


def add_steps(kind: type[Steps], settings: WebSettings) -> dict[str, OperationMeta]:
    """Add the operations of a deploy for the host in context; returns them by name.

    Args:
        kind: the steps.
        settings: what to deploy.

    Raises:
        DeployError: a project that cannot be deployed.
    """
    try:
        wanted = _release(settings)
    except ProjectError as error:
        raise DeployError(f"{host.name}: {error}") from None
    # Wherever they turn up, in a file of the project too.
    given = (value for name, value in settings.environment.items() if changes.sounds_secret(name))
    changes.hide(*settings.secret_values, *given)
    steps = kind(wanted)
    steps.warn()
    if settings.rollout:
        steps.fleet = rollout.join(settings.rollout, wanted, steps.site, steps.health)
    try:
        steps.read_facts()
    except FactError as error:
        fail_host(str(error))
        return {}
    if unfit := steps.unfit():
        fail_host(unfit)
        return {}
    return steps.add()


def fail_host(sentence: str) -> None:
    """Take the host in context out of the run, as pyinfra does when an operation fails; the others go on."""
    logger.error(f"{host.print_prefix}{format_text(sentence, 'red')}")
    state.fail_hosts({host})


def _release(settings: WebSettings) -> Release:
    """The release of some settings; the hosts of a fleet that have the same share one."""
    key = (type(settings), settings.model_dump_json(), settings.secret_values)
    if key not in _releases:
        made = releases.make(settings)
        if settings.packages == "offline":
            wheels.collect(made.project, made.requirements)
        made.id  # noqa: B018 - renders the templates: what fails, fails before anything runs
        _releases[key] = made
    return _releases[key]


class Steps:
    """The deploy of one release to the host in context."""

    fleet: rollout.Fleet | None = None
    """The hosts that go live with this one in waves, where that is asked for."""

    def __init__(self, wanted: Release) -> None:
        self.release = wanted
        self.settings = settings = wanted.settings
        self.pool = AppPool(settings.app, attributes=POOL_ATTRIBUTES, **self.variables())
        self.site = _site(wanted)
        self.folders = _folders(settings)
        self.health = release.health_check(settings)
        self.parent = {"site": settings.site_name, "application": settings.site_path, "pool": settings.app}
        # Below a site that somebody else made, who may come to it is a matter of that site.
        self.opens_firewall = settings.firewall and not settings.path
        self.takes_bindings = not settings.path
        self.firewall: dict[str, Any] = {
            "rule": f"pyinfra-iis-{settings.app}",
            "title": f"{settings.app} (HTTP traffic in)",
            "ports": [binding.port for binding in settings.bindings],
        }

    def add(self) -> dict[str, OperationMeta]:
        """Add the operations, in order; returns them by name."""
        settings = self.settings
        if self.fleet:
            rollout.begun(name="Begin the rollout", fleet=self.fleet)
        added = {
            "installers": windows.downloads(name="Fetch and check installers", files=self._missing_downloads()),
            "IIS's features": windows.features(
                name="Install IIS",
                server=SERVER_FEATURES,
                client=CLIENT_FEATURES,
                source=settings.features_source,
                reboot=settings.reboot,
            ),
            "HttpPlatformHandler": httpplatform.installed(
                name="Install HttpPlatformHandler",
                handler=settings.handler,
                site=settings.site_name,
                application=settings.site_path,
            ),
            "Python": python.installed(name="Install Python", python=settings.python, path=settings.python_directory),
            "handlers section and app pool": iis.configuration(
                name="Unlock handlers and make the app pool", unlocked=_unlocked(settings), pools=[self.pool]
            ),
            "folders and access": windows.directories(name="Make folders and grant access", folders=self.folders),
        }
        if settings.long_paths:
            added["long paths"] = windows.registry_value(
                name="Allow long paths", key=LONG_PATHS[0], value_name=LONG_PATHS[1], value=1, type="DWord"
            )
        if self.opens_firewall:
            added["firewall"] = windows.firewall_rule(name="Open the firewall", **self.firewall)
        if settings.certificate and settings.certificate.pfx:
            added["certificate"] = iis.certificate(
                name="Import the certificate",
                pfx=settings.certificate.pfx,
                password=settings.certificate.password.get_secret_value(),
            )
        added["release"] = release.prepared(name="Prepare the release", release=self.release)
        added |= self.add_before_live()
        if self.takes_bindings and welcome.is_wanted(settings.app, settings.bindings):
            added["welcome page"] = welcome.stopped(
                name="Stop IIS's welcome page", site=settings.app, bindings=settings.bindings
            )
        if self.fleet:
            added |= self._add_waves(self.fleet)
        else:
            added["site"] = release.live(
                name="Make the release live", release=self.release, site=self.site, check=self.health
            )
        added["old releases"] = release.pruned(name="Remove old releases", release=self.release)
        return added

    def _add_waves(self, fleet: rollout.Fleet) -> dict[str, OperationMeta]:
        """Add going live once per wave on every host; which host's turn it is shows when it is run."""
        added = {"trial start": rollout.tried(name="Try the release", fleet=fleet, release=self.release)}
        for wave in host.loop(fleet.waves):
            # A host that fails its turn drops out at the end, so that until then nothing keeps it from being put back.
            added[f"site in {wave.title}"] = rollout.went_live(
                name=f"Go live, {wave.title}", fleet=fleet, number=wave.number, _ignore_errors=True
            )
            if fleet.rollout.pause and wave is not fleet.waves[-1]:
                rollout.stayed_healthy(
                    name=f"Pause after {wave.title}", fleet=fleet, number=wave.number, _ignore_errors=True
                )
        rollout.ended(name="End the rollout", fleet=fleet)
        return added

    def add_before_live(self) -> dict[str, OperationMeta]:
        """Add what is done with a prepared release before visitors get it."""
        return {}

    def variables(self) -> dict[str, Any]:
        """The environment variables of the app pool, as `AppPool` takes them: `environment` and `generate`."""
        return {"environment": self.settings.environment}

    def warnings(self) -> list[str]:
        """What the user should know although it can be deployed."""
        return list(self.release.project.warnings)

    def warn(self) -> None:
        """Print the warnings, each once in a run."""
        for warning in self.warnings():
            if warning not in _warned:
                _warned.add(warning)
                logger.warning(warning)

    def read_facts(self) -> None:
        """Read what the operations will ask for, in one request."""
        settings = self.settings
        facts.prefetch(
            host,
            [
                (Server, {}),
                (Features, {"server": list(SERVER_FEATURES), "client": list(CLIENT_FEATURES)}),
                (HttpPlatformHandler, {}),
                (Distribution, {"path": settings.python_directory, "sha256": settings.python.sha256}),
                (Configuration, iis.configuration_request(_unlocked(settings), [self.pool])),
                (Configuration, iis.configuration_request(sites=[self.site])),
                (Directories, windows.directory_request(self.folders)),
                (Releases, release.state_request(settings, self.release.id)),
                (Health, self.health.request),
                *(
                    [(Neighbours, welcome.neighbours_request(settings.app, settings.bindings))]
                    if self.takes_bindings
                    else []
                ),
                *([(FirewallRule, {"name": self.firewall["rule"]})] if self.opens_firewall else []),
                *([(ParentSite, self.parent)] if settings.path else []),
                *([(RegistryValue, windows.registry_request(*LONG_PATHS))] if settings.long_paths else []),
            ],
        )
        release.note_site(self.site)

    def unfit(self) -> str:
        """Why this server cannot take the deploy, or nothing."""
        server = facts.read(host, Server)
        if server["build"] < _OLDEST_BUILD:
            return f"runs {server['product']}; Windows Server 2016 or later is needed."
        if not server["administrator"]:
            return f"{server['user']} is no administrator on {server['name']}; a deploy needs one."
        if server["architecture"] != "AMD64":
            return f"{server['name']} is a {server['architecture']} machine; only AMD64 is supported."
        if problem := self._unfit_disk(server):
            return problem
        if self.takes_bindings and (problem := welcome.taken(self.settings.app, self.settings.bindings)):
            return (
                f"{problem} on {server['name']}; set other {self.settings.prefix}bindings, or take it away there first."
            )
        if self.takes_bindings and (
            address := welcome.unknown_address(self.settings.app, self.settings.bindings, self._asked_binding)
        ):
            return f"{server['name']} has no address {address}, which {self._asked_binding} wants; set other {self.settings.prefix}bindings."
        return self._unfit_parent() if self.settings.path else ""

    def _unfit_parent(self) -> str:
        """Why the application cannot be below the site that is named, or nothing."""
        settings = self.settings
        site, there = settings.site, facts.read(host, ParentSite, **self.parent)
        if not there["installed"] and site == iis.DEFAULT_SITE:
            return ""  # comes with IIS
        if not there["exists"]:
            return (
                f"{host.name} has no site '{site}' that {settings.path} could be below; "
                f"make it first, or name another as {settings.prefix}site."
            )
        if there["state"] != "Started":
            return f"the site '{site}' on {host.name} is not started, so nothing below it can answer; start it first."
        wanted = [f"{binding.protocol}://{binding.information}" for binding in settings.bindings]
        if missing := [name for name in wanted if name.lower() not in map(str.lower, there["bindings"])]:
            return (
                f"the site '{site}' on {host.name} has no binding {', '.join(missing)}, by which {settings.path} is to be reached; "
                f"name some of its own as {settings.prefix}bindings: {', '.join(there['bindings'])}."
            )
        if there["path"] and not f"{there['path'].lower()}\\".startswith(f"{settings.root.lower()}\\"):
            return (
                f"{site}{settings.path} on {host.name} serves {there['path']}, which is none of this deploy's folders; "
                "take that away first, or choose another path."
            )
        if there["pool_users"]:
            users = ", ".join(there["pool_users"])
            return f"the app pool {settings.app} on {host.name} is used by {users}; take that away first, or choose another name as {settings.prefix}app."
        if there["problem"]:
            return (
                f"IIS on {host.name} cannot read the configuration of the site '{site}', "
                f"which what is below it inherits: {there['problem']}"
            )
        return ""

    @property
    def _asked_binding(self) -> Binding:
        bindings = self.settings.bindings
        return next((binding for binding in bindings if binding.protocol == "https"), bindings[0])

    def _unfit_disk(self, server: Mapping[str, Any]) -> str:
        """Why what the deploy brings has no place on the server, or nothing."""
        settings, drives = self.settings, server["drives"]
        for key, path in (("root", settings.root), ("python_root", settings.python_directory)):
            if path[:2].upper() not in drives:
                return f"{server['name']} has no drive {path[:2].upper()}, where {path} is to be; set another {settings.prefix}{key}."
        there = facts.read(host, Releases, **release.state_request(settings, self.release.id))
        # The archive and what comes out of it.
        needed = 2 * sum(file.size for file in self.release.files.values())
        free = drives[settings.root[:2].upper()]
        if self.release.id not in there["releases"] and free < needed:
            return f"{server['name']} has {free >> 20} MB free on {settings.root[:2]}, and the release takes up to {(needed >> 20) + 1} MB; make room first."
        return ""

    def _missing_downloads(self) -> list[Any]:
        """What something will be installed from; what is installed needs no file any more."""
        settings = self.settings
        missing: list[Any] = []
        python_there = facts.read(host, Distribution, path=settings.python_directory, sha256=settings.python.sha256)
        if settings.python.kind != "existing" and not python_there["present"]:
            missing.append(settings.python)
        if httpplatform.needs_package(facts.read(host, HttpPlatformHandler), settings.handler):
            missing.append(settings.handler)
        if missing:
            # Read at once with the other facts of the bare server.
            files = [{"path": windows.stored_path(file), "sha256": file.sha256} for file in missing]
            facts.prefetch(host, [(Files, {"files": files})])
        return missing


def _unlocked(settings: WebSettings) -> tuple[str, ...]:
    return UNLOCKED if settings.handlers == "unlock" else ()


def _site(wanted: Release) -> Site:
    settings = wanted.settings
    more = iis.edits.entry(
        UNLOCKED[0],
        "",
        # What is below a site inherits the site's own entries, and a name may only be there once.
        {"name": f"{HANDLER}-{settings.app}" if settings.path else HANDLER},
        present=settings.handlers == "location",
        location=settings.title,
        first=True,
        **MAPPING,
    )
    if settings.max_content_length is not None:
        more += iis.edits.request_filtering(settings.title, max_content_length=settings.max_content_length)
    if settings.hsts:
        more += iis.edits.hsts(settings.app, max_age=settings.hsts)
    return Site(
        settings.site_name,
        wanted.directory,
        settings.app,
        settings.bindings,
        settings.certificate,
        preload=settings.preload or None,
        more=more,
        application=settings.site_path,
    )


def _folders(settings: WebSettings) -> dict[str, Access]:
    identity = rf"IIS AppPool\{settings.app}"
    return {
        settings.python_directory: Access({identity: "ReadAndExecute"}, made_before=True),
        settings.root: Access({identity: "ReadAndExecute"}),
        **{rf"{settings.root}\shared\{name}": Access({identity: "Modify"}) for name in ("data", "logs", "media")},
    }
