"""pyinfra's command, with something that happens to the deploy at a chosen point.

`CRASH_PLAN` names a JSON file:

    host        the server's name in the lab
    trace       a file: each command that the deploy sends, and each step inside it, is written there as a line of JSON; nothing happens
    command     the number of the command at which it happens, from 1
    step        the number of the step inside that command, from 1; 0: when it is sent
    kind        of step: `python` (a change of the disk, or a program started, by the helper) or `powershell` (a statement)
    how         `client killed`, `client killed, its process goes on`, `python killed`, `child killed`, `powershell killed`, `server restarts`,
                or a switch of the lab
    flags       a folder for files by which the processes tell each other how far they are

The steps are found in what is sent: no list of them is kept anywhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pyinfra_cli.main import main  # first: it prepares gevent

from pyinfra_iis.connector.winrm import WinRMConnector
from pyinfra_iis.operations import release
from pyinfra_iis.powershell import Script
from winlab.powershell.ast import NamedBlockAst, StatementBlockAst
from winlab.powershell.parser import parse

KILL = "Stop-Process -Id $PID -Force; "
TRACE = r"C:\Windows\Temp\crash-trace.txt"

_plan: dict[str, Any] = json.loads(Path(os.environ["CRASH_PLAN"]).read_text())
_flags = Path(_plan["flags"])
_seen = 0


def before_command(name: str, command: Any) -> None:
    """Count a command, and let happen what is to happen."""
    global _seen
    _seen += 1
    here = _seen == _plan.get("command")
    watch: dict[str, Any] = {"flags": str(_flags)}
    if "trace" in _plan:
        watch |= {"trace": _plan["trace"], "command": _seen}
        _write({"command": _seen, "name": name, "free": _free_space()})
        if isinstance(command, Script) and not command.safe_to_repeat:
            _write({"command": _seen, "statements": [text for _, text in statements(command.text)]})
            command.text = traced(command.text, _seen)
    elif here and _plan["kind"] == "powershell" and _plan["step"]:
        place = statements(command.text)[_plan["step"] - 1][0]
        command.text = command.text[:place] + KILL + command.text[place:]
    elif here and _plan["kind"] == "python" and _plan["step"]:
        watch |= {"step": _plan["step"], "how": _plan["how"]}
        threading.Thread(target=_at_the_step, daemon=True).start()
    elif here:
        _happen(0.3)
    (_flags / "watch.json").write_text(json.dumps(watch))


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
        _winlab("reboot", _plan["host"], "--seconds", "1")
    elif how == "server restarts":
        _winlab("set", _plan["host"], "reboot=action:Receive,nth:1,seconds:1")
    elif not how.endswith(" killed"):
        _winlab("set", _plan["host"], how)


def _winlab(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "winlab", *arguments], check=True, stdout=subprocess.DEVNULL)


def _write(line: dict[str, Any]) -> None:
    with open(_plan["trace"], "a") as trace:
        trace.write(json.dumps(line) + "\n")


def _free_space() -> int:
    path = Path(os.environ["WINLAB_STATE"], "hosts", _plan["host"], ".python", "free-space")
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


def traced(text: str, command: int) -> str:
    """The script, noting on the server each statement that it comes to."""
    for number, (place, _) in reversed([*enumerate(statements(text), 1)]):
        text = f"{text[:place]}[IO.File]::AppendAllText('{TRACE}', '{command} {number};'); {text[place:]}"
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


if __name__ == "__main__":
    _watched()
    _counted("run_shell_command")
    _counted("put_file")
    sys.exit(main())
