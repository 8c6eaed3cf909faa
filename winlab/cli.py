"""The `winlab` command."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from winlab import daemon
from winlab.clone import CloneError, clone
from winlab.daemon import NotRunning
from winlab.lab import (
    DEFAULT_NETWORK,
    DEFAULT_VERSION,
    VERSIONS,
    LabError,
    Plan,
    address_of,
    check_network,
    set_switches,
)
from winlab.switches import FAULTS, SETTINGS, Switches

Handler = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; gives the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["conformance"]:
        from winlab.powershell import conformance

        return int(conformance.main(given[1:]) or 0)
    options = _parser().parse_args(given)
    try:
        handler: Handler = options.handler
        return handler(options)
    except LabError as error:
        print(f"winlab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="winlab", description="Simulated Windows servers with WinRM, PowerShell and IIS, on loopback addresses."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, handler: Handler, text: str, *, json_flag: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--state", type=Path, help="the lab's folder (default: $WINLAB_STATE, else .winlab here)")
        if json_flag:
            command.add_argument("--json", action="store_true", help="print JSON")
        command.set_defaults(handler=handler)
        return command

    up = add("up", _up, "start the lab, or add servers to the one that runs", json_flag=True)
    up.add_argument("--hosts", type=int, metavar="N", help="how many servers (default: as many as before, else 1)")
    up.add_argument("--windows", choices=VERSIONS, help=f"version of servers made new (default: {DEFAULT_VERSION})")
    up.add_argument(
        "--network",
        help=f"first three numbers of the servers' addresses (default: $WINLAB_NETWORK, else {DEFAULT_NETWORK})",
    )
    up.add_argument("--like", metavar="HOST", help="servers made new are copies of this one")
    up.add_argument(
        "--share",
        metavar="FOLDER",
        action="append",
        default=[],
        help="with --like: a folder whose files the copies share (hard links), because nobody changes them",
    )
    up.add_argument("--powershell", metavar="PATH", help="run powershell.exe as the real PowerShell at PATH")
    up.add_argument("--https", action="store_true", help="an HTTPS listener on every server (same as https=on)")
    up.add_argument("switches", nargs="*", metavar="NAME=VALUE", help="costs and faults, see `winlab set --list`")

    add("down", _down, "stop the lab; what the servers hold stays")
    add("status", _status, "servers, addresses and credentials", json_flag=True)
    reset = add("reset", _reset, "make servers bare again; they keep running when they run")
    reset.add_argument("hosts", nargs="*", metavar="HOST", help="which servers (default: all)")
    reboot = add("reboot", _reboot, "restart servers")
    reboot.add_argument("hosts", nargs="*", metavar="HOST", help="which servers (default: all)")
    reboot.add_argument("--seconds", type=float, default=5.0, help="how long they are away (default: 5)")
    stats = add("stats", _stats, "requests, bytes and processes since the start or the last reset", json_flag=True)
    stats.add_argument("hosts", nargs="*", metavar="HOST", help="which servers (default: all)")
    stats.add_argument("--reset", action="store_true", help="set them back to zero afterwards")
    switch = add("set", _set, "switch costs and faults on and off while the lab runs", json_flag=True)
    switch.add_argument(
        "items", nargs="*", metavar="HOST|NAME=VALUE", help="servers (default: all), then switches; `clear` ends all"
    )
    switch.add_argument("--list", action="store_true", help="name every switch")
    state = add("state-hash", _state_hash, "a hash over all that a server holds, volatile things apart", json_flag=True)
    state.add_argument("host", metavar="HOST")
    state.add_argument("--list", action="store_true", help="one line per file and record, fit for diff")
    state.add_argument("--volatile", action="store_true", help="with --list or --json: what changes by itself, too")
    logs = add("log", _log, "what the lab's process said")
    logs.add_argument("-n", type=int, default=50, metavar="LINES", help="how many of the last lines (default: 50)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
    shell = add("powershell", _powershell, "run a PowerShell script on a scratch server")
    shell.add_argument("file", nargs="?", help="a script of this machine; standard input when neither is given")
    shell.add_argument("-c", "--command", help="script text")
    shell.add_argument("--windows", choices=VERSIONS, default=DEFAULT_VERSION)
    certificate = add("map-certificate", _map_certificate, "let a client certificate log on as a local account")
    certificate.add_argument("host", metavar="HOST")
    certificate.add_argument("user")
    certificate.add_argument("pem", type=Path, help="the client's certificate")
    commands.add_parser("conformance", help="run recorded cases against the lab's PowerShell", add_help=False)
    return parser


# -- helpers --------------------------------------------------------------------------------------------------------------------------


def _state(options: argparse.Namespace) -> Path:
    return Path(options.state or os.environ.get("WINLAB_STATE") or ".winlab").absolute()


def _print_json(value: Any) -> int:
    print(json.dumps(value, indent=2, ensure_ascii=False))
    return 0


def _print_status(status: dict[str, Any], most: int | None = None) -> None:
    for host in status["hosts"][:most]:
        extra = "" if not host["switches"] else "  " + " ".join(f"{k}={v}" for k, v in host["switches"].items())
        print(f"{host['name']:<8} {host['address']:<15} Windows {host['windows']:<5} {host['state']}{extra}")
        for site in host["sites"]:
            print(f"         {site['name']}: {site['state']}  {' '.join(site['urls'])}")
    if most is not None and len(status["hosts"]) > most:
        print(
            f"... and {len(status['hosts']) - most} more, up to {status['hosts'][-1]['address']}; `winlab status` lists them"
        )
    print(f"user {status['user']}, password {status['password']}, artifacts {status['artifacts']}")


# -- commands -------------------------------------------------------------------------------------------------------------------------


def _up(options: argparse.Namespace) -> int:
    state = _state(options)
    switches = [*options.switches, *(["https=on"] if options.https else [])]
    set_switches(Switches(), switches)  # a wrong one is said before anything starts
    if options.hosts is not None and not 1 <= options.hosts <= 5000:
        raise LabError("--hosts takes a number from 1 to 5000.")
    if options.powershell and not os.access(options.powershell, os.X_OK):
        raise LabError(f"--powershell: there is nothing to run at {options.powershell}.")
    with daemon.exclusive(state):
        try:
            status = daemon.call(state, "status")
        except NotRunning:
            _start(state, options, switches)
        else:
            _adjust(state, status, options, switches)
        status = daemon.call(state, "status")
    if options.json:
        return _print_json(status)
    _print_status(status, most=20)
    return 0


def _start(state: Path, options: argparse.Namespace, switches: list[str]) -> None:
    given = options.network or os.environ.get("WINLAB_NETWORK")
    plan = daemon.read_plan(state) or Plan(network=check_network(given or DEFAULT_NETWORK))
    if not (state / "hosts").exists():
        plan.hosts.clear()  # an earlier start failed before there was a server
    if given and plan.network != check_network(given):
        plan.network = given
        for index, host in enumerate(plan.hosts):
            host["address"] = address_of(given, index)
    count = options.hosts or len(plan.hosts) or 1
    _check_version(plan.hosts[:count], options.windows)
    _extend(state, plan, count, options)
    plan.powershell = os.path.abspath(options.powershell) if options.powershell else None
    daemon.write_plan(state, plan)
    daemon.read_password(state)
    daemon.spawn(state, count, switches)


def _extend(state: Path, plan: Plan, count: int, options: argparse.Namespace) -> None:
    """Servers until there are so many: bare ones, or copies."""
    if not options.like:
        daemon.extend_plan(plan, count, options.windows or DEFAULT_VERSION)
        return
    wanted = options.like.lower()
    source = next((host for host in plan.hosts if wanted in (host["name"].lower(), host["address"])), None)
    if source is None:
        raise LabError(f"--like: there is no server {options.like!r} yet.")
    _check_version([source], options.windows)
    known = len(plan.hosts)
    daemon.extend_plan(plan, count, source["version"])
    folder = state / "hosts"
    for host in plan.hosts[known:count]:
        shutil.rmtree(folder / host["name"], ignore_errors=True)
        try:
            clone(folder / source["name"], folder / host["name"], host["name"], options.share)
        except (CloneError, OSError) as error:
            raise LabError(f"--like: {error}") from error


def _adjust(state: Path, status: dict[str, Any], options: argparse.Namespace, switches: list[str]) -> None:
    """The lab runs already: it may grow and be switched, not become another one."""
    running = len(status["hosts"])
    if options.network and options.network != status["network"]:
        raise LabError(f"The lab already runs in {status['network']}; `winlab down` first.")
    if options.powershell and os.path.abspath(options.powershell) != status["powershell"]:
        raise LabError("The lab already runs with another PowerShell; `winlab down` first.")
    if options.hosts is not None and options.hosts < running:
        raise LabError(
            f"The lab already runs with {running} servers; `winlab down` first, or ask for {running} or more."
        )
    _check_version(status["hosts"], options.windows, "windows")
    if os.environ.get("WINLAB_PASSWORD") not in (None, "", status["password"]):
        raise LabError("The lab already runs with another password than WINLAB_PASSWORD says; `winlab down` first.")
    if options.hosts is not None and options.hosts > running:
        version = options.windows or status["hosts"][-1]["windows"]
        if options.like:
            plan = daemon.read_plan(state)
            assert plan is not None
            _extend(state, plan, options.hosts, options)
            version = plan.hosts[-1]["version"]
        daemon.call(state, "grow", count=options.hosts, version=version, switches=switches)
    if switches:
        daemon.call(state, "set", hosts=[], switches=switches)


def _check_version(hosts: list[dict[str, Any]], wanted: str | None, key: str = "version") -> None:
    other = next((host for host in hosts if wanted and host[key] != wanted), None)
    if other is not None:
        raise LabError(
            f"{other['name']} is a Windows {other[key]}, not {wanted}; `winlab down` and `winlab reset` make room for new servers."
        )


def _down(options: argparse.Namespace) -> int:
    state = _state(options)
    if not state.exists():
        print("no lab is running")
        return 0
    with daemon.exclusive(state):
        try:
            status = daemon.call(state, "status")
            daemon.call(state, "stop")
        except NotRunning:
            print("no lab is running")
            return 0
        _wait_for_end(status["pid"])
    print(f"{len(status['hosts'])} servers down; their state stays in {state}")
    return 0


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if _is_zombie(pid):
            return
        time.sleep(0.02)
    raise LabError(f"The lab's process {pid} does not end.")


def _is_zombie(pid: int) -> bool:
    """A process whose parent has not fetched its exit code (in containers nobody may ever do so)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _status(options: argparse.Namespace) -> int:
    state = _state(options)
    try:
        status = daemon.call(state, "status")
    except NotRunning as error:
        if options.json:
            plan = daemon.read_plan(state) if state.exists() else None
            _print_json({"running": False, "state": str(state), "hosts": plan.hosts if plan else []})
            return 3
        print(error)
        return 3
    if options.json:
        return _print_json(status)
    _print_status(status)
    return 0


def _reset(options: argparse.Namespace) -> int:
    state = _state(options)
    if not state.exists():
        print("there is nothing to reset")
        return 0
    with daemon.exclusive(state):
        try:
            names = daemon.call(state, "reset", hosts=options.hosts)
        except NotRunning:
            names = _reset_stopped(state, options.hosts)
    print(f"bare again: {', '.join(names) or 'nothing'}")
    return 0


def _reset_stopped(state: Path, wanted: list[str]) -> list[str]:
    plan = daemon.read_plan(state)
    hosts = plan.hosts if plan else []
    if not wanted:
        # Without servers the folder is free for another network and other versions of Windows.
        shutil.rmtree(state / "hosts", ignore_errors=True)
        (state / "lab.json").unlink(missing_ok=True)
        return [host["name"] for host in hosts]
    names = []
    for name in wanted:
        host = next((h for h in hosts if name.lower() in (h["name"].lower(), h["address"])), None)
        if host is None:
            raise LabError(
                f"There is no server {name!r}; this lab has {', '.join(h['name'] for h in hosts) or 'none'}."
            )
        shutil.rmtree(state / "hosts" / host["name"], ignore_errors=True)
        names.append(host["name"])
    return names


def _reboot(options: argparse.Namespace) -> int:
    names = daemon.call(_state(options), "reboot", hosts=options.hosts, seconds=options.seconds)
    print(f"rebooting: {', '.join(names)}")
    return 0


def _stats(options: argparse.Namespace) -> int:
    stats = daemon.call(_state(options), "stats", hosts=options.hosts, reset=options.reset)
    if options.json:
        return _print_json(stats)
    columns = ("requests", "bytes_in", "bytes_out", "connections", "processes", "powershell_starts")
    print(f"{'':<10}" + "".join(f"{name:>18}" for name in columns))
    for name, host in [*stats["hosts"].items(), ("total", stats["total"])]:
        print(f"{name:<10}" + "".join(f"{host.get(column, 0):>18}" for column in columns))
    for action, counts in stats["total"].get("actions", {}).items():
        print(
            f"  {action}: {counts['requests']} requests, {counts['bytes_in']} bytes in, {counts['bytes_out']} bytes out"
        )
    return 0


def _set(options: argparse.Namespace) -> int:
    if options.list:
        return _list_switches()
    switches = [item for item in options.items if "=" in item or item in ("clear", *SETTINGS, *FAULTS)]
    hosts = [item for item in options.items if item not in switches]
    values = daemon.call(_state(options), "set", hosts=hosts, switches=switches)
    if options.json:
        return _print_json(values)
    for name, switched in values.items():
        print(f"{name:<8} " + (" ".join(f"{key}={value}" for key, value in switched.items()) or "no switches"))
    return 0


def _list_switches() -> int:
    print("settings (hold until changed; off takes them away):")
    for setting in SETTINGS.values():
        unit = f" [{setting.unit}]" if setting.unit else ""
        print(f"  {setting.name:<20} {setting.help}{unit}")
    print("faults (NAME=COUNT, or NAME=action:Send,nth:3,count:2; count:always):")
    for fault in FAULTS.values():
        extra = f" [{', '.join(fault.parameters)}]" if fault.parameters else ""
        print(f"  {fault.name:<20} {fault.help}{extra}")
    return 0


def _state_hash(options: argparse.Namespace) -> int:
    result = daemon.call(_state(options), "state", host=options.host)
    if not options.volatile:
        del result["volatile"], result["volatile_hash"]
    if options.json:
        return _print_json(result)
    if options.list:
        for kind in ("durable", *(("volatile",) if options.volatile else ())):
            for name, value in result[kind].items():
                print(f"{value[:64]:<64}  {name}")
        return 0
    print(result["hash"])
    return 0


def _log(options: argparse.Namespace) -> int:
    path = _state(options) / "lab.log"
    if not path.exists():
        raise LabError(f"There is no log in {path.parent}.")
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file.readlines()[-options.n :]:
            print(line, end="")
        while options.follow:
            line = file.readline()
            if line:
                print(line, end="", flush=True)
            else:
                time.sleep(0.2)
    return 0


def _powershell(options: argparse.Namespace) -> int:
    from winlab.scratch import run_powershell

    if options.command is not None:
        text = options.command
    elif options.file is not None:
        try:
            text = Path(options.file).read_text("utf-8-sig")
        except OSError as error:
            raise LabError(f"{options.file}: {error.strerror}.") from error
    else:
        text = sys.stdin.read()
    return run_powershell(text, options.windows, sys.stdout.buffer, sys.stderr.buffer)


def _map_certificate(options: argparse.Namespace) -> int:
    from winlab.winrm.tls import ClientCertificates

    state = _state(options)
    plan = daemon.read_plan(state)
    host = next(
        (h for h in (plan.hosts if plan else []) if options.host.lower() in (h["name"].lower(), h["address"])), None
    )
    if host is None:
        raise LabError(f"There is no server {options.host!r} in {state}.")
    folder = state / "hosts" / host["name"]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subject = ClientCertificates(folder / "certmapping.json").add(options.user, options.pem.read_bytes())
    except (OSError, ValueError) as error:
        raise LabError(f"{options.pem} is no certificate: {error}.") from error
    try:
        daemon.call(state, "set", hosts=[host["name"]], switches=["certificate=off"])
        daemon.call(state, "set", hosts=[host["name"]], switches=["https=on", "certificate=on"])
    except NotRunning:
        print("the lab does not run: start it with https=on certificate=on")
    print(f"{subject} logs on to {host['name']} as {options.user}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
