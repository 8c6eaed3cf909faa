"""Runs command lines on a scratch server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from winlab.windows.accounts import Token
from winlab.windows.machine import Machine
from winlab.windows.pipes import Pipe


@dataclass
class Result:
    code: int | None
    out: str
    err: str


class Runner:
    """Callable: runs a command line as Administrator in C:\\work and gives code and text (line ends as \\n)."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.fs.mkdir("C:\\work")

    def __call__(
        self, line: str, stdin: str = "", user: Token | None = None, cwd: str = "C:\\work", **env: str
    ) -> Result:
        user = user or self.machine.accounts.token("Administrator")
        out, err, source = Pipe(None), Pipe(None), Pipe(None)
        source.write(stdin.replace("\n", "\r\n").encode("cp437"))
        source.close_write()
        block = self.machine.environment_for(user)
        block.update(env)
        process = self.machine.processes.start(
            line, user=user, cwd=cwd, env=block, stdin=source, stdout=out, stderr=err
        )
        code = process.wait(20)
        return Result(code, _text(out), _text(err))

    def cmd(self, line: str, **options) -> Result:
        return self("cmd /c " + line, **options)

    def batch(self, text: str, arguments: str = "", name: str = "t.cmd") -> Result:
        """Writes a batch file and runs it."""
        self.machine.fs.write_text(f"C:\\work\\{name}", "@echo off\r\n" + text.replace("\n", "\r\n"))
        return self(f"cmd /c {name} {arguments}")


def _text(pipe: Pipe) -> str:
    return pipe.read_all(5).decode("cp437").replace("\r\n", "\n")


@pytest.fixture
def machine(tmp_path: Path):
    made = Machine("SRV1", "2016", "127.0.0.1", tmp_path / "srv1")
    yield made
    made.shutdown()


@pytest.fixture
def run(machine: Machine) -> Runner:
    return Runner(machine)
