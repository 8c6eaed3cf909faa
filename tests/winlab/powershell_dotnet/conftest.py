"""Scripts run on a scratch server; their output comes back as texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from winlab.powershell.errors import LabUnsupported, NetException, TerminatingError
from winlab.powershell.runtime.commands import Streams, discard
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
from winlab.powershell.runtime.engine import Runtime, run_in_thread
from winlab.windows.machine import Machine
from winlab.windows.processes import Process

Run = Callable[[str], list[str]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A bare Windows Server 2016 without listeners."""
    folder: Path = tmp_path_factory.mktemp("server")
    return Machine("SCRATCH", "2016", "127.0.0.1", folder)


def _show(value: Any, into: list[str]) -> None:
    if is_enumerable(value):
        for item in iterate(value):
            _show(item, into)
    elif value is not None:
        into.append(to_string(value))


def run_on(machine: Machine, script: str, process: Process | None = None) -> list[str]:
    """A script's output; error records as `! id: message`, what ended it as `!! id: message`, a refusal as `? text`."""
    lines: list[str] = []

    def body() -> None:
        user = machine.accounts.token("Administrator")
        runtime = Runtime(machine, user=user, location="C:\\Users\\Administrator", process=process)
        runtime.streams = Streams(
            lambda record: lines.append(f"! {record.fully_qualified_error_id}: {record.message}"),
            lambda record: lines.append(f"warning: {record.message}"),
            discard,
            discard,
            discard,
        )
        try:
            runtime.run_block(runtime.parse(script), lambda value: _show(value, lines))
        except TerminatingError as error:
            lines.append(f"!! {error.record.fully_qualified_error_id}: {error.record.message}")
        except NetException as error:
            lines.append(f"!! {error.error_id}: {error.message}")
        except LabUnsupported as unsupported:
            lines.append(f"? {unsupported.message}")

    thread = run_in_thread(body, "test")
    thread.join(60)
    assert not thread.is_alive(), "the script did not end"
    return lines


@pytest.fixture
def run(server: Machine) -> Run:
    return lambda script: run_on(server, script)
