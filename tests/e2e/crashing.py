"""pyinfra's command, with something that happens to the deploy at a chosen point.

A process that has imported all that a deploy needs waits on its standard input for lines of JSON: `arguments` of the command, `plan`, `environment`
and `output` (a file). For each it forks a client, a process of its own that can be killed, waits for its end and prints its exit code (negative: the signal).

The plan:

    host        the server's name in the lab
    trace       a file: each command that the deploy sends, and each step inside it, is written there as a line of JSON; nothing happens
    copies      with a trace: before each command that changes something, a copy of the server is made, and named in the trace
    looked      with a trace: somebody looks at the server at each statement
    command     the number of the command at which it happens, from 1
    begins      the number of the first command that changes something: where a deploy goes on with what another has begun
    name        of the command, to be sure that it is the one
    step        the number of the step inside that command, from 1; 0: when it is sent
    kind        of step: `python` (a change of the disk, or a program started, by the helper) or `powershell` (a statement)
    how         `client killed`, `client killed, its process goes on`, `python killed`, `child killed`, `powershell killed`, `server restarts`,
                or a switch of the lab
    flags       a folder for files by which the processes tell each other how far they are: `reached`, once it has happened

The steps are found in what is sent: no list of them is kept anywhere.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from gevent import monkey
from pyinfra_cli.main import main  # first: it prepares gevent

import pyinfra_iis.deploys  # noqa: F401 - what a client would import itself
from pyinfra_iis.connector.winrm import WinRMConnector
from pyinfra_iis.operations import release
from pyinfra_iis.powershell import Script
from winlab import daemon
from winlab.powershell.ast import NamedBlockAst, StatementBlockAst
from winlab.powershell.parser import parse

KILL = "Stop-Process -Id $PID -Force; "
STOPS = r"C:\Windows\Temp\crash"
"""Where a traced script says which statement it has come to, and waits until somebody has looked at the server."""
LONGEST = 280
"""Seconds after which a client is ended."""

_plan: dict[str, Any] = {}
_flags = Path()
_seen = 0
_changing = False


def before_command(name: str, command: Any) -> None:
    """Count a command, and let happen what is to happen."""
    here = _is_the_one(_count(command), name)
    watch: dict[str, Any] = {"flags": str(_flags)}
    if "trace" in _plan:
        watch |= {"trace": _plan["trace"], "command": _seen}
        _trace(name, command)
    elif here and _plan["kind"] == "powershell" and _plan["step"]:
        place = statements(command.text)[_plan["step"] - 1][0]
        command.text = command.text[:place] + KILL + command.text[place:]
        (_flags / "reached").touch()
    elif here and _plan["kind"] == "python" and _plan["step"]:
        watch |= {"step": _plan["step"], "how": _plan["how"]}
        if _plan["how"] not in ("python killed", "child killed"):
            threading.Thread(target=_at_the_step, daemon=True).start()
    elif here:
        (_flags / "reached").touch()
        _happen(0.3)
    (_flags / "watch.json").write_text(json.dumps(watch))


def _is_the_one(number: int, name: str) -> bool:
    """Whether something is to happen to a command.

    A deploy that begins with a copy of a server may do again what the traced one had behind it (a trial start), so what it sends has higher numbers.
    """
    if number != _plan.get("command"):
        return False
    if name != _plan["name"] and "begins" in _plan:
        _plan["command"] += 1
    return bool(name == _plan["name"])


def _count(command: Any) -> int:
    global _seen, _changing
    _seen += 1
    if not _changing and not getattr(command, "safe_to_repeat", False):
        _changing = True
        _seen = _plan.get("begins", _seen)
    return _seen


def _trace(name: str, command: Any) -> None:
    changing = not getattr(command, "safe_to_repeat", False)
    line = {"command": _seen, "name": name, "free": _free_space(), "changing": changing}
    if changing and _plan.get("copies"):
        line["copy"] = _copy()
    _write(line)
    if isinstance(command, Script) and not command.safe_to_repeat:
        _write({"command": _seen, "statements": [text for _, text in statements(command.text)]})
        command.text = traced(command.text, _seen, _plan["looked"])


def _at_the_step() -> None:
    """Wait until the helper has come to its step; then it waits for us."""
    while not (_flags / "reached").exists():
        time.sleep(0.01)
    _happen(0)
    if _plan["how"] != "client killed":
        (_flags / "go").touch()


def _happen(delay: float) -> None:
    how = _plan["how"]
    if how.startswith("client killed"):
        if "goes on" in how:
            (_flags / "go").touch()
        # Once it has been sent, so that the server is in the middle of it.
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        time.sleep(0 if delay else 5)
    elif how == "server restarts" and not delay:
        daemon.call(_state(), "reboot", hosts=[_plan["host"]], seconds=1)
    elif how == "server restarts":
        _switch("reboot=action:Receive,nth:1,seconds:1")
    elif not how.endswith(" killed"):
        _switch(how)


def _switch(switch: str) -> None:
    daemon.call(_state(), "set", hosts=[_plan["host"]], switches=[switch])


def _copy() -> str:
    """A copy of the server as it is now; gives its name."""
    count = len(daemon.call(_state(), "status")["hosts"]) + 1
    command = [sys.executable, "-m", "winlab", "up", "--hosts", str(count), "--like", _plan["host"], "--json"]
    for folder in _plan["copies"]:
        if (_state() / "hosts" / _plan["host"] / "C" / folder[3:].replace("\\", "/")).is_dir():
            command += ["--share", folder]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return str(json.loads(run.stdout)["hosts"][-1]["name"])


def _state() -> Path:
    return Path(os.environ["WINLAB_STATE"])


def _write(line: dict[str, Any]) -> None:
    with open(_plan["trace"], "a") as trace:
        trace.write(json.dumps(line) + "\n")


def _free_space() -> int:
    path = _state() / "hosts" / _plan["host"] / ".python" / "free-space"
    return int(path.read_text()) if path.exists() else -1


def statements(text: str) -> list[tuple[int, str]]:
    """Where the statements of a script begin, and their first lines."""
    tree, _, errors = parse(text)
    assert not errors, errors
    blocks = tree.find_all(lambda node: isinstance(node, NamedBlockAst | StatementBlockAst))
    found = {
        statement.extent.start_offset: statement.extent.text.splitlines()[0].strip()
        for block in blocks
        for statement in getattr(block, "statements")  # noqa: B009 - both kinds have them
    }
    return sorted(found.items())


def traced(text: str, command: int, looked: bool) -> str:
    """The script, noting on the server each statement that it comes to, and waiting until somebody has looked at the server, the first time."""
    for number, (place, _) in reversed([*enumerate(statements(text), 1)]):
        stop = rf"{STOPS}\{command}.{number}"
        mark = f"[IO.File]::WriteAllText('{stop}', '')"
        if looked:
            wait = f"{mark}; while (-not [IO.File]::Exists('{stop}.go')) {{ Start-Sleep -Milliseconds 10 }}"
            mark = f"if (-not [IO.File]::Exists('{stop}.go')) {{ {wait} }}"
        text = f"{text[:place]}{mark}; {text[place:]}"
    return text


def _counted(name: str) -> None:
    original = getattr(WinRMConnector, name)

    def wrapper(self: WinRMConnector, command: Any, *arguments: Any, **more: Any) -> Any:
        before_command(getattr(command, "name", name), command)
        return original(self, command, *arguments, **more)

    setattr(WinRMConnector, name, wrapper)


def _watched() -> None:
    """Have the helper run under the eyes of `crash_watch`."""
    original = release._program
    watch = Path(__file__).with_name("crash_watch.py")

    def program(*arguments: Any) -> str:
        first, text = original(*arguments).split("\n", 1)
        assert first.startswith("from __future__")
        return f"{first}\nFLAGS = {str(_flags)!r}\nexec(open({str(watch)!r}, encoding='utf-8').read())\n{text}"

    release._program = program  # type: ignore[assignment]


def serve() -> list[str] | None:
    """Fork clients until standard input ends. Returns in each client, with its arguments, and at the end, with None."""
    gc.freeze()
    # gevent's own ones would start its loop here, which a client must not share.
    fork, wait = monkey.get_original("os", "fork"), monkey.get_original("os", "waitpid")
    for line in sys.stdin:
        asked = json.loads(line)
        client = fork()
        if not client:
            _become_client(asked)
            return [str(argument) for argument in asked["arguments"]]
        print(os.waitstatus_to_exitcode(wait(client, 0)[1]), flush=True)
    return None


def _become_client(asked: dict[str, Any]) -> None:
    global _plan, _flags
    _plan, _flags = asked["plan"], Path(asked["plan"]["flags"])
    signal.alarm(3 * LONGEST if "trace" in _plan else LONGEST)
    os.environ.update(asked["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)


if __name__ == "__main__":
    _watched()
    _counted("run_shell_command")
    _counted("put_file")
    arguments = serve()
    if arguments is not None:
        sys.argv[1:] = arguments
        sys.exit(main())
