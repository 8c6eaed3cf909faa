"""Rollouts without servers: pyinfra runs as always, and a connector answers the scripts as a server would that has releases and a site.

What the scripts themselves do is not seen here; `tests/e2e/test_rollout.py` runs them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import pytest
from pyinfra import host
from pyinfra.api import Config, DeployError, Inventory, State, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.deploy import add_deploy
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.api.operation import OperationMeta
from pyinfra.api.operations import run_ops
from pyinfra.connectors.util import CommandOutput, OutputLine
from pyinfra.context import ctx_state

from pyinfra_iis import facts
from pyinfra_iis.connector.winrm import WinRMConnector
from pyinfra_iis.deploys.web import Steps, add_steps, settings_from
from pyinfra_iis.facts.release import Wheels
from pyinfra_iis.operations import release as releases
from pyinfra_iis.operations import rollout
from pyinfra_iis.powershell import Batch, Script
from pyinfra_iis.rollout.fleet import Fleet
from pyinfra_iis.settings import WebSettings

OLD = "r00000000000000a"
PREPARE = "windows/make_directories"
LATER = "windows/remove_directories"


@dataclass
class Server:
    """What one server is like and does.

    Attributes:
        name: in the inventory, without `@winrm/`.
        live: the release that its site serves.
        fails: what a script prints when it fails, by the script's name.
        dies_at: the script during which it goes away for good.
        does: called before a script is run, with its arguments, by the script's name.
        is_there: whether it answers.
        ran: the scripts, in order.
        draining: seconds for which it drains.
        migrated: how often its database was migrated.
    """

    name: str
    live: str = OLD
    releases: list[str] = field(default_factory=lambda: [OLD])
    environment: str = ""
    fails: dict[str, list[str]] = field(default_factory=dict)
    dies_at: str = ""
    does: dict[str, Callable[[dict[str, Any]], object]] = field(default_factory=dict)
    is_there: bool = True
    ran: list[str] = field(default_factory=list)
    draining: float = 0
    migrated: int = 0

    def run(self, script: Script) -> tuple[bool, list[str]]:
        """What a script prints."""
        gevent.sleep(0.001)
        name = "migrate" if '"migrate' in str(script.request.get("arguments", "")).replace("\\", "") else script.name
        self.ran.append(name)
        if name in self.does:
            self.does[name](script.request)
        if name == self.dies_at:
            self.is_there = False
        if not self.is_there:
            return False, [f"{self.name} does not answer any more"]
        if name in self.fails:
            return False, self.fails[name]
        if name in ("release/go_live", "release/switch"):
            self.live = script.request["release"]
        if name == "rollout/drain":
            self.draining = script.request["seconds"]
        self.migrated += name == "migrate"
        return True, [json.dumps(self.tell(name))]

    def tell(self, name: str) -> dict[str, Any]:
        """What a fact tells."""
        if name == "release/state":
            return {
                "releases": self.releases, "environments": [self.environment], "bad": [], "history": [f"t {self.live}"], "live": self.live,
                "index": [f"{release} {self.environment}" for release in self.releases], "partials": [], "folders": [], "record": "", "packages": [],
            }  # fmt: skip
        if name == "iis/health":
            return {"status": 0 if "iis/await_health" in self.fails else 200, "problem": ""}
        return {}


@operation()
def ready() -> Generator[PyinfraCommand, None, None]:
    """Something that is done on every host before its turn; it reads a fact first, as operations do."""
    facts.read(host, Wheels, path="C:\\wheels")
    yield Script(PREPARE, {"folders": []})


@operation()
def later() -> Generator[PyinfraCommand, None, None]:
    """Something that the user does after the rollout."""
    yield Script(LATER, {"folders": []})


class FewSteps(Steps):
    """The deploy's own waves, and little before them."""

    migrates = False

    def read_facts(self) -> None: ...

    def unfit(self) -> str:
        return ""

    def add(self) -> dict[str, OperationMeta]:
        assert self.fleet is not None
        rollout.begun(name="Begin the rollout", fleet=self.fleet)
        ready(name="Prepare")
        if self.migrates:
            rollout.migrated(name="Migrate", fleet=self.fleet, release=self.release)
        made = self._add_waves(self.fleet)
        later(name="Later")
        return made


class Run:
    """A fleet of servers, and one run of pyinfra over it.

    Attributes:
        servers: by name.
        state: pyinfra's, of the last run.
        error: how pyinfra ended the last run, or empty.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        self.folder = folder
        self.caplog = caplog
        self.servers: dict[str, Server] = {}
        self.error = ""
        self.state = State()
        (folder / "shop").mkdir()
        (folder / "shop" / "main.py").write_text("def app(environ, start_response): ...\n")
        (folder / "shop" / "requirements.txt").write_text("")

        def connect(connector: WinRMConnector) -> None:
            self._connect(connector)

        def run(connector: WinRMConnector, command: Any, **arguments: Any) -> tuple[bool, CommandOutput]:
            return self._run(connector, command)

        monkeypatch.setattr(WinRMConnector, "connect", connect)
        monkeypatch.setattr(WinRMConnector, "disconnect", lambda connector: None)
        monkeypatch.setattr(WinRMConnector, "run_shell_command", run)
        monkeypatch.setattr(releases, "_unmigrated", {})

    def __call__(
        self,
        hosts: int = 4,
        serial: bool = False,
        no_wait: bool = False,
        parallel: int = 0,
        fail_percent: int | None = None,
        dry: bool = False,
        limit: Sequence[str] = (),
        retries: int = 0,
        migrates: bool = False,
        at_first: Callable[[dict[str, Server]], object] = lambda servers: None,
        prepare: Callable[[dict[str, Server]], object] = lambda servers: None,
        before_run: Callable[[State], object] = lambda state: None,
        **settings: Any,
    ) -> Fleet:
        """Roll a release out; `settings` are the rollout's.

        Args:
            hosts: how many servers there are: web1, web2 ...
            serial: host by host.
            no_wait: no host waits for another.
            parallel: how many at once.
            fail_percent: as pyinfra's option.
            dry: only prepare.
            limit: names of hosts.
            retries: as pyinfra's option.
            migrates: whether there is a database.
            at_first: makes the servers what they are before pyinfra connects to them.
            prepare: the same, when it has.
            before_run: called when all is prepared.
            settings: the setting `rollout`.
        """
        self.caplog.clear()
        self.caplog.set_level("INFO", logger="pyinfra")
        self.servers = {f"web{number}": Server(f"web{number}") for number in range(1, hosts + 1)}
        at_first(self.servers)
        rollout_settings = {"record": str(self.folder / "records"), **settings}
        data = {"web_project": self.folder / "shop", "web_application": "main:app", "web_server": "waitress", "web_rollout": rollout_settings}  # fmt: skip
        names = [f"@winrm/{name}" for name in self.servers]
        logins = {"winrm_user": "deploy", "winrm_password": "hunter2!"}
        inventory = Inventory((names, {}), web=(names, {**data, **logins}))
        config = Config(
            FAIL_PERCENT=fail_percent, RETRY=retries, RETRY_DELAY=0, **({"PARALLEL": parallel} if parallel else {})
        )
        self.state = state = State(check_for_changes=dry)
        chosen = [inventory.get_host(f"@winrm/{name}") for name in limit]
        state.init(inventory, config, initial_limit=chosen or None)
        self.error = ""
        kind = type("Kind", (FewSteps,), {"migrates": migrates})
        found: list[Fleet] = []

        def deploy() -> None:
            settings_ = settings_from({}, WebSettings)
            wanted = _release_of(settings_)
            for server in self.servers.values():
                server.releases = [OLD, wanted.id]
                server.environment = wanted.requirements.key
            prepare(self.servers)
            add_steps(kind, settings_)
            found.append(_fleet_of(state))

        with ctx_state.use(state):
            try:
                connect_all(state)
                add_deploy(state, deploy)
                before_run(state)
                if not dry:
                    run_ops(state, serial=serial, no_wait=no_wait)
            except DeployError:
                raise
            except PyinfraError as error:
                self.error = str(error)
            finally:
                disconnect_all(state)
        return found[0]

    @property
    def lines(self) -> list[str]:
        """What was printed."""
        return self.caplog.messages

    @property
    def failed(self) -> list[str]:
        """The hosts that pyinfra counts as failed; any makes its exit code 1."""
        return sorted(host.name.rpartition("/")[2] for host in self.state.failed_hosts)

    def outcomes(self, fleet: Fleet) -> list[str]:
        """What became of each host, in the order of the inventory."""
        found = {entry.short: entry.outcome for entry in fleet.record.hosts.values()}
        return [found[name] for name in self.servers if name in found]

    def document(self) -> dict[str, Any]:
        """The last rollout.json."""
        return json.loads(max((self.folder / "records").glob("*/rollout.json")).read_text(encoding="utf-8"))

    def _connect(self, connector: WinRMConnector) -> None:
        connector._read_settings()
        if not self._server(connector).is_there:
            raise ConnectError("it does not answer")

    def _run(self, connector: WinRMConnector, command: Any) -> tuple[bool, CommandOutput]:
        server = self._server(connector)
        connector.activity += not getattr(command, "safe_to_repeat", False)
        if isinstance(command, Batch):
            answers = [server.run(Script(name, request)) for name, request in command.calls]
            if not all(ok for ok, _ in answers):
                return _output(False, [line for _, lines in answers for line in lines])
            return _output(True, [json.dumps([{"result": json.loads(lines[0])} for _, lines in answers])])
        return _output(*server.run(command))

    def _server(self, connector: WinRMConnector) -> Server:
        return self.servers[connector.host.name.rpartition("/")[2]]


def _output(ok: bool, lines: Sequence[str]) -> tuple[bool, CommandOutput]:
    return ok, CommandOutput([OutputLine("stdout" if ok else "stderr", line) for line in lines])


def _release_of(settings: WebSettings) -> Any:
    from pyinfra_iis.deploys.web import _release

    return _release(settings)


def _fleet_of(state: State) -> Fleet:
    from pyinfra_iis.rollout.joining import _watches

    (watch,) = _watches[state].values()
    return watch.fleet
