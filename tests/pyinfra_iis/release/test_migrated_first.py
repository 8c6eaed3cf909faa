"""No host gets a release whose database was not migrated: neither when the migration fails, nor when the host that pyinfra chose for it drops out before.

pyinfra runs as always; a connector answers the scripts as servers would.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import Config, Inventory, State
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.deploy import add_deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operation import OperationMeta
from pyinfra.api.operations import run_ops
from pyinfra.connectors.util import CommandOutput, OutputLine
from pyinfra.context import ctx_state

from pyinfra_iis.connector.winrm import WinRMConnector
from pyinfra_iis.deploys import web
from pyinfra_iis.deploys.django import DjangoSteps
from pyinfra_iis.operations import release as releases
from pyinfra_iis.powershell import Batch, Script
from pyinfra_iis.settings import DjangoSettings
from tests.pyinfra_iis import projects
from tests.pyinfra_iis.rollout import servers as fakes
from tests.pyinfra_iis.rollout.servers import OLD, PREPARE, ready

NOT_MIGRATED = "because its database was not migrated"


class Server(fakes.Server):
    """One that tells which migrations there are, and that its site is well, too."""

    def tell(self, name: str) -> dict[str, Any]:
        if name == "release/plan":
            return {"plan": [["shop.0001_x", ["Raw SQL"]]], "problem": ""}
        if name == "iis/state":
            return {"installed": True, "changes": [], "problems": [], "missing": [], "states": [{"state": "Started"}]}
        if name == "iis/health":
            return {"status": 200, "problem": "", "certificate": []}
        return super().tell(name)


Servers = dict[str, Server]
Mishap = Callable[[Server, str], object]
"""What happens to the server that is to migrate, before anything runs, given the release's name."""
Deploy = Callable[..., tuple[Servers, str]]


class FewSteps(DjangoSteps):
    """Something that is done on every host, the migration on one for all, and going live."""

    def read_facts(self) -> None: ...

    def unfit(self) -> str:
        return ""

    def add(self) -> dict[str, OperationMeta]:
        ready(name="Prepare")
        made = self.add_before_live()
        made["site"] = releases.live(name="Go live", release=self.release, site=self.site, check=self.health)
        return made


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Deploy:
    """A deploy to three servers that hold the release already; gives them, and the release's name."""
    servers = {name: Server(name) for name in ("web1", "web2", "web3")}
    project = projects.make(tmp_path / "shop")

    def server_of(connector: WinRMConnector) -> Server:
        return servers[connector.host.name.rpartition("/")[2]]

    def run(connector: WinRMConnector, command: PyinfraCommand, **_: Any) -> tuple[bool, CommandOutput]:
        connector.activity += not getattr(command, "safe_to_repeat", False)
        if isinstance(command, Batch):
            told = [{"result": json.loads(server_of(connector).run(Script(*call))[1][0])} for call in command.calls]
            ok, lines = True, [json.dumps(told)]
        else:
            assert isinstance(command, Script)
            ok, lines = server_of(connector).run(command)
        return ok, CommandOutput([OutputLine("stdout" if ok else "stderr", line) for line in lines])

    monkeypatch.setattr(WinRMConnector, "connect", WinRMConnector._read_settings)
    monkeypatch.setattr(WinRMConnector, "disconnect", lambda connector: None)
    monkeypatch.setattr(WinRMConnector, "run_shell_command", run)
    monkeypatch.setattr(releases, "_unmigrated", {})

    def deploy(mishap: Mishap = lambda chosen, wanted: None) -> tuple[Servers, str]:
        caplog.set_level("INFO", logger="pyinfra")
        names = [f"@winrm/{name}" for name in servers]
        data = {"winrm_user": "deploy", "winrm_password": "hunter2!", "django_project": project, "django_migrate": True}
        state = State()
        state.init(Inventory((names, {}), web=(names, data)), Config())
        found: list[str] = []

        def add() -> None:
            settings = web.settings_from({}, DjangoSettings)
            wanted = web._release(settings)
            if not found:
                found.append(wanted.id)
                for server in servers.values():
                    server.releases, server.environment = [OLD, wanted.id], wanted.requirements.key
            web.add_steps(FewSteps, settings)

        with ctx_state.use(state):
            try:
                connect_all(state)
                add_deploy(state, add)
                mishap(servers[_chosen(state)], found[0])
                run_ops(state)
            except PyinfraError:
                pass
            finally:
                disconnect_all(state)
        return servers, found[0]

    return deploy


def _chosen(state: State) -> str:
    """The server on which pyinfra runs what runs once."""
    migrate = next(key for key, meta in state.op_meta.items() if any("Migrate" in name for name in meta.names))
    (chosen,) = [host.name for host in state.inventory if migrate in state.ops[host]]
    return chosen.rpartition("/")[2]


def test_one_host_migrates_for_all(deploy: Deploy) -> None:
    servers, wanted = deploy()
    assert sum(server.migrated for server in servers.values()) == 1
    assert [server.live for server in servers.values()] == [wanted] * 3


def _drops_out(chosen: Server, _: str) -> None:
    chosen.fails[PREPARE] = ["the disk is broken"]


def _goes_away(chosen: Server, _: str) -> None:
    chosen.dies_at = PREPARE


def _cannot_migrate(chosen: Server, _: str) -> None:
    chosen.fails["migrate"] = ["the table is full"]


@pytest.mark.parametrize("mishap", [_drops_out, _goes_away, _cannot_migrate])
def test_without_its_migration_no_host_makes_the_release_live(
    deploy: Deploy, caplog: pytest.LogCaptureFixture, mishap: Mishap
) -> None:
    servers, wanted = deploy(mishap)
    assert [server.live for server in servers.values()] == [OLD] * 3
    assert not {"release/switch", "release/go_live"} & {name for server in servers.values() for name in server.ran}
    refused = [line for line in caplog.messages if "because its database was not migrated" in line]
    # The one that dropped out says what happened to it.
    assert len(refused) == 2 and f"Release {wanted} does not go live on" in refused[0], caplog.messages


def test_where_the_chosen_host_serves_the_release_already_the_others_go_on(deploy: Deploy) -> None:
    """A deploy of somebody else may have ended there meanwhile; the database is one for all."""
    servers, wanted = deploy(lambda chosen, wanted: setattr(chosen, "live", wanted))
    assert sum(server.migrated for server in servers.values()) == 0
    assert [server.live for server in servers.values()] == [wanted] * 3


def test_which_runs_have_ended_is_told_until_the_lock_is_taken(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte travels with every command, and the lock is taken once."""
    monkeypatch.setattr(releases, "run_note", lambda: {"user": "x", "run": "new", "ended": ["old"]})
    told: list[tuple[str, list[str]]] = []

    def listen(chosen: Server, _: str) -> None:
        for name in ("migrate", "python/run_for_site", "release/switch", "release/go_live"):
            chosen.does[name] = lambda request, name=name: told.append((name, request["by"]["ended"]))  # type: ignore[misc]

    deploy(listen)
    assert [name for name, _ in told][:2] == ["migrate", "python/run_for_site"]
    assert [ended for _, ended in told] == [["old"], [], []]
