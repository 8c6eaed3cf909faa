"""The lab's background process, and how a command talks to it: JSON lines over a socket in the state folder."""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import fcntl
import gc
import hashlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from winlab.lab import Lab, LabError, Plan, address_of, new_password

log = logging.getLogger("winlab")

_BOOTSTRAP = f"import sys; sys.path.insert(0, {os.fspath(Path(__file__).resolve().parent.parent)!r}); import winlab.daemon as d; d.main()"
READY = "ready"
SOCKET_LIMIT = 100
"""Longest path that a Unix socket takes everywhere (108 bytes on Linux, 104 on the BSDs)."""


class NotRunning(LabError):
    """No lab runs in this state folder."""


# -- the state folder -----------------------------------------------------------------------------------------------------------------


def socket_path(state: Path) -> Path:
    """Where the lab of a state folder listens: in the folder, or in a private temporary one when that path is too long."""
    path = state / "control.sock"
    if len(os.fsencode(path)) <= SOCKET_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"winlab-{os.getuid()}-{digest}" / "control.sock"


def read_plan(state: Path) -> Plan | None:
    """The plan kept in the folder, when a lab has been there."""
    path = state / "lab.json"
    return Plan(**json.loads(path.read_text())) if path.exists() else None


def write_plan(state: Path, plan: Plan) -> None:
    """Keeps the plan."""
    partial = state / "lab.json.partial"
    partial.write_text(json.dumps(plan.to_json(), indent=1))
    partial.replace(state / "lab.json")


def extend_plan(plan: Plan, count: int, version: str) -> None:
    """Adds servers until the plan has `count`."""
    for index in range(len(plan.hosts), count):
        plan.hosts.append({"name": f"SRV{index + 1}", "address": address_of(plan.network, index), "version": version})


def read_password(state: Path) -> str:
    """The Administrator's password: WINLAB_PASSWORD, the kept one, or a new one, which is kept."""
    path = state / "password"
    given = os.environ.get("WINLAB_PASSWORD")
    if not given and path.exists():
        return path.read_text().rstrip("\n")
    password = given or new_password()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password + "\n")
    return password


@contextlib.contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """One command at a time may start, stop or empty the lab of a folder."""
    state.mkdir(parents=True, exist_ok=True)
    with open(state / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# -- the client's side ----------------------------------------------------------------------------------------------------------------


def call(state: Path, command: str, timeout: float = 600.0, **arguments: Any) -> Any:
    """What the running lab answers.

    Raises:
        NotRunning: there is none.
        LabError: it refuses; the text says why.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(os.fspath(socket_path(state)))
            connection.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            with connection.makefile("rb") as file:
                line = file.readline()
        # Broken off: it was killed, and its socket was still there for a moment.
        except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
            raise NotRunning(f"No lab runs in {state}; `winlab up` starts one.") from None
    if not line:
        raise LabError("The lab ended before it answered; `winlab log` shows why.")
    answer = json.loads(line)
    if not answer["ok"]:
        raise LabError(answer["error"])
    return answer["result"]


def spawn(state: Path, count: int, switches: list[str]) -> None:
    """Starts the background process and waits until it answers.

    Raises:
        LabError: it did not come up; the text is what it said.
    """
    read_end, write_end = os.pipe()
    with open(read_end, encoding="utf-8") as news, open(state / "lab.log", "ab") as output:
        try:
            # This process only forks the lab and ends, so that the lab is nobody's child.
            subprocess.run(
                [sys.executable, "-c", _BOOTSTRAP, os.fspath(state), str(count), str(write_end), *switches],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(write_end,),
                cwd="/",
                env={name: value for name, value in os.environ.items() if name != "WINLAB_PASSWORD"},
                check=True,
            )
        except subprocess.CalledProcessError:
            raise LabError("The lab did not start; `winlab log` shows why.") from None
        finally:
            os.close(write_end)
        ready, _, _ = select.select([news], [], [], 60 + count)
        said = news.read() if ready else "The lab did not come up in time; `winlab log` shows why."
    if said != READY:
        raise LabError(said or "The lab did not start; `winlab log` shows why.")


# -- the background process -----------------------------------------------------------------------------------------------------------


class Control:
    """Answers commands."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one command, one answer."""
        answer: dict[str, Any]
        try:
            request = json.loads(await reader.readline())
            command = request.pop("command")
            answer = {"ok": True, "result": await self._run(command, request)}
        except LabError as error:
            answer = {"ok": False, "error": str(error)}
        except Exception as error:
            log.exception("a command failed")
            answer = {"ok": False, "error": f"The lab failed: {type(error).__name__}: {error}"}
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _run(self, command: str, arguments: dict[str, Any]) -> Any:
        lab = self.lab
        match command:
            case "ping":
                return "pong"
            case "status":
                return lab.status()
            case "stop":
                self.ended.set()
                return None
            case "grow":
                extend_plan(lab.plan, arguments["count"], arguments["version"])
                write_plan(lab.state, lab.plan)
                await lab.grow(arguments["count"], arguments["switches"])
                return lab.status()
            case "reset":
                hosts = lab.select(arguments["hosts"])
                for host in hosts:
                    await host.reset()
                return [host.name for host in hosts]
            case "reboot":
                hosts = lab.select(arguments["hosts"])
                for host in hosts:
                    host.reboot(arguments["seconds"])
                return [host.name for host in hosts]
            case "set":
                return await lab.set(arguments["hosts"], arguments["switches"])
            case "stats":
                return lab.stats(arguments["hosts"], arguments["reset"])
            case "state":
                from winlab.fingerprint import machine_state

                host = lab.select([arguments["host"]])[0]
                return await asyncio.to_thread(machine_state, host.machine)
            case _:
                raise LabError(
                    f"The running lab does not know the command {command!r}; was it started by another version?"
                )


async def run(state: Path, count: int, switches: list[str], ready: Callable[[str], None]) -> None:
    """The lab until it is told to stop; `ready` hears when it answers."""
    plan = read_plan(state)
    if plan is None:
        raise LabError(f"{state} holds no lab.")
    lab = Lab(state, plan, read_password(state))
    control = Control(lab)
    loop = asyncio.get_running_loop()
    # Process starts and shutdowns wait in threads; the default pool would let a few slow ones hold up many servers.
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(64, thread_name_prefix="lab"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, control.ended.set)
    started = time.monotonic()
    try:
        await lab.start(count, switches)
        path = socket_path(state)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(control.serve, path, limit=1 << 24)
        path.chmod(0o600)
        ready(READY)
        log.info("%d servers up after %.2f s, process %d", len(lab.hosts), time.monotonic() - started, os.getpid())
        await control.ended.wait()
        log.info("going down")
        server.close()
        path.unlink(missing_ok=True)
    finally:
        await lab.stop()


def main() -> None:
    """The process that `winlab up` starts; its arguments are STATE COUNT DESCRIPTOR [SWITCH ...].

    What there is to say about the start (that it is ready, or why not) goes to the descriptor.
    """
    parser = argparse.ArgumentParser(prog="winlab.daemon")
    parser.add_argument("state", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("news", type=int)
    parser.add_argument("switches", nargs="*")
    arguments = parser.parse_args()
    if os.fork():
        os._exit(0)
    os.set_inheritable(arguments.news, False)
    news = [arguments.news]

    def tell(text: str) -> None:
        if news:
            os.write(news[0], text.encode())
            os.close(news.pop())

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stderr
    )
    # Simulated processes compute in threads of this process; the loop must get its turn between them. Measured with four of
    # them at work: a command takes 80 ms instead of 500, for a tenth of the throughput.
    sys.setswitchinterval(0.001)
    # What many servers remember is much and lasts; looking through it for garbage all the time took most of the time of twenty servers.
    gc.set_threshold(50_000, 20, 50)
    # spnego and aiohttp say a lot at levels below, tokens among it.
    for name in ("spnego", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        asyncio.run(run(arguments.state, arguments.count, arguments.switches, tell))
    except LabError as error:
        tell(str(error))
        sys.exit(f"winlab: {error}")


if __name__ == "__main__":
    main()
