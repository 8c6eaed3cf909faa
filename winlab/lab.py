"""A lab: simulated servers with their WinRM endpoints, and the mirror of artifacts, in one loop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
import importlib
import logging
import os
import resource
import secrets
import shutil
import signal
import string
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from winlab.artifacts import PORT as ARTIFACTS_PORT
from winlab.artifacts import Artifacts
from winlab.stats import Stats, total
from winlab.switches import FAULTS, SwitchError, Switches
from winlab.windows.errors import WindowsError
from winlab.windows.machine import Machine
from winlab.windows.processes import ProgramContext
from winlab.winrm.config import WinRMConfig
from winlab.winrm.http import Endpoint
from winlab.winrm.logon import MachineLogon
from winlab.winrm.service import Service
from winlab.winrm.tls import ClientCertificates, ensure_certificate

log = logging.getLogger("winlab")

VERSIONS = ("2016", "2019", "2022", "2025", "10", "11")
BUILDS = {
    "2016": "10.0.14393",
    "2019": "10.0.17763",
    "2022": "10.0.20348",
    "2025": "10.0.26100",
    "10": "10.0.19045",
    "11": "10.0.22631",
}
DEFAULT_VERSION = "2022"
DEFAULT_NETWORK = "127.0.1"
HOSTS_PER_NETWORK = 253
ADMINISTRATOR = "Administrator"
_TLS_SWITCHES = ("https", "certificate", "https-certificate")
"""Those that need new listeners."""
_ENGINE = "powershell, once started"


class LabError(Exception):
    """Something the operator must know; the text is a sentence."""


@dataclass
class Plan:
    """What a lab consists of; kept in `lab.json` of its state folder."""

    network: str = DEFAULT_NETWORK
    hosts: list[dict[str, str]] = field(default_factory=list)
    """name, address, version of each server that has been made so far."""
    powershell: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def address_of(network: str, index: int) -> str:
    """The address of the index-th server (from 0): .1 to .253 of the network, then the next networks."""
    parts = [int(part) for part in network.split(".")]
    third = parts[2] + index // HOSTS_PER_NETWORK
    if third > 255:
        raise LabError(f"The network {network} has no room for {index + 1} servers; choose a lower one.")
    return f"{parts[0]}.{parts[1]}.{third}.{index % HOSTS_PER_NETWORK + 1}"


def check_network(network: str) -> str:
    """The network as given, when it is three numbers of 127.x.y.

    Raises:
        LabError: it is not.
    """
    parts = network.split(".")
    if len(parts) != 3 or parts[0] != "127" or not all(part.isdigit() and int(part) < 256 for part in parts):
        raise LabError(f"--network takes the first three numbers of loopback addresses, like 127.0.9, not {network!r}.")
    return network


def new_password() -> str:
    """A password that Windows' complexity rules accept."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(16)) + "aA1!"


class Host:
    """One simulated server on the network."""

    def __init__(self, lab: Lab, name: str, address: str, version: str) -> None:
        self.lab = lab
        self.name = name
        self.address = address
        self.version = version
        self.folder = lab.state / "hosts" / name
        self.switches = Switches()
        self.stats = Stats()
        self.running = False
        self.boots = 0
        self.stopping = False
        self._disk_free = -1.0
        self._rebooting: asyncio.Task[None] | None = None
        self._down: asyncio.Task[None] | None = None
        self._up: asyncio.Task[None] | None = None
        self._counting = threading.Lock()
        self._counted: tuple[Any, Counter[str]] = (None, Counter())
        self.machine: Machine
        self.endpoint: Endpoint
        self.service: Service

    # -- power ----------------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Makes the machine and listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.machine = await asyncio.to_thread(self._make_machine)
        certificates = ClientCertificates(self.folder / "certmapping.json")
        logon = MachineLogon(self.machine)
        self.service = Service(WinRMConfig.for_version(self.version), logon, BUILDS[self.version])
        self.service.slow_done = lambda: self.switches["slow-done"] / 1000
        self.endpoint = Endpoint(
            self.name,
            self.service,
            logon,
            self.switches,
            self.stats,
            certificates=certificates.account,
            reboot=self.reboot,
        )
        self.apply_switches()
        await self.listen()

    def _make_machine(self) -> Machine:
        # known before the machine boots, which starts IIS
        preload = {"iis_preload": self.switches["iis-preload"]}
        machine = Machine(self.name, self.version, self.address, self.folder, loop=self.lab.loop, settings=preload)
        machine.on_log = log.info
        user = machine.accounts.find_user(ADMINISTRATOR)
        if user is not None and user[1].get("password") != self.lab.password:
            user[1]["password"] = self.lab.password
            machine.accounts.save()
        # Whoever shuts the machine down or boots it (an operator, a switch, a script's Restart-Computer), WinRM goes with it.
        machine.hooks.add("shutdown", lambda *_: self._shut_down())
        machine.hooks.add("boot", lambda *_: self._on_loop(self._came_up))
        return machine

    def _shut_down(self) -> None:
        self._count_processes()  # at once: the next boot begins with a new process table
        self._on_loop(self._went_down)

    def _on_loop(self, callback: Callable[[], None]) -> None:
        if not self.lab.loop.is_closed():
            self.lab.loop.call_soon_threadsafe(callback)

    async def listen(self) -> None:
        """Opens WinRM's listeners.

        Raises:
            LabError: the address is taken.
        """
        config = self.service.config
        try:
            await self.endpoint.start(self.address, config.http_port)
            if self.switches["https"]:
                pem = ensure_certificate(self.folder, self.name, self.address, self.switches["https-certificate"])
                certificates = ClientCertificates(self.folder / "certmapping.json")
                self.endpoint.certificates = certificates.account
                await self.endpoint.start(self.address, config.https_port, certificates.context(pem))
        except OSError as error:
            await self.endpoint.stop()
            raise LabError(_cannot_listen(self.name, self.address, config.http_port, error)) from error
        self.boots += 1
        self.running = True

    async def stop(self) -> None:
        """Ends its processes and stops listening."""
        self.stopping = True
        if self._rebooting is not None:
            self._rebooting.cancel()
            self._rebooting = None
        if hasattr(self, "endpoint"):
            self.running = False
            self.service.close()
            await self.endpoint.stop()
        if hasattr(self, "machine") and not self.machine.stopped:
            await asyncio.to_thread(self.machine.shutdown)

    def _went_down(self) -> None:
        """The machine has shut down: so does WinRM."""
        if not self.running or self.stopping:
            return
        log.info("%s goes down", self.name)
        self.running = False
        self.service.close()
        self._down = self.lab.loop.create_task(self.endpoint.stop())

    def _came_up(self) -> None:
        """The machine has booted: WinRM follows, after the boot time when the machine itself took none."""
        if not self.stopping:
            self._up = self.lab.loop.create_task(
                self._listen_again(0 if self._rebooting else self.switches["boot-time"])
            )

    async def _listen_again(self, delay: float) -> None:
        if self._down is not None:
            await self._down
        await asyncio.sleep(delay)
        if not self.stopping and not self.running:
            await self.listen()
            log.info("%s is back", self.name)

    def reboot(self, seconds: float | None = None) -> None:
        """Goes down at once and comes back after `seconds` (the boot time when left out)."""
        if self._rebooting is None and self.running:
            wait = float(self.switches["boot-time"]) if seconds is None else seconds
            self._rebooting = self.lab.loop.create_task(self._reboot(wait))

    async def _reboot(self, seconds: float) -> None:
        try:
            await asyncio.to_thread(self.machine.shutdown)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.machine.start)
            await asyncio.sleep(0)  # lets the boot hook run while this is still the reboot
        except Exception:
            log.exception("%s did not come back", self.name)
        finally:
            self._rebooting = None

    async def reset(self) -> None:
        """A bare server again."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, True)
        self.stats.reset()
        self.stopping = False
        self._disk_free = -1.0
        await self.start()

    # -- switches and counters --------------------------------------------------------------------------------------------------------

    def apply_switches(self) -> None:
        """Takes the switches that are settings of the service or the machine over to them."""
        self._apply_to_machine(self.machine)
        defaults = WinRMConfig.for_version(self.version)
        switches, config = self.switches, self.service.config
        config.allow_unencrypted = switches["allow-unencrypted"]
        config.auth_basic = switches["basic"]
        config.auth_negotiate = switches["negotiate"]
        config.auth_certificate = switches["certificate"]
        config.max_envelope_size_kb = switches["max-envelope"] or defaults.max_envelope_size_kb
        config.max_shells_per_user = switches["max-shells"] or defaults.max_shells_per_user
        config.max_processes_per_shell = switches["max-processes"] or defaults.max_processes_per_shell
        config.max_concurrent_operations_per_user = (
            switches["max-operations"] or defaults.max_concurrent_operations_per_user
        )
        config.idle_timeout_ms = int(switches["shell-idle"] * 1000) or defaults.idle_timeout_ms

    def _apply_to_machine(self, machine: Any) -> None:
        switches = self.switches
        machine.clock_skew = datetime.timedelta(seconds=switches["clock-skew"])
        machine.powershell_start = switches["powershell-start"] / 1000
        if switches["disk-free"] != self._disk_free:  # it is used up by writing, so it is set once only
            self._disk_free = switches["disk-free"]
            machine.fs.free_limit = None if self._disk_free < 0 else int(self._disk_free)
        machine.iis_state_delay = switches["iis-state-delay"] / 1000
        machine.iis_preload = switches["iis-preload"]
        machine.powershell_limits = {
            "seconds": switches["powershell-timeout"] or None,
            "megabytes": int(switches["powershell-memory"]) or None,
        }

    def _count_processes(self) -> None:
        """Takes over what the process table has counted since it was last looked at. Any thread."""
        with self._counting:
            table, started = self.machine.processes, Counter(self.machine.processes.started)
            known = self._counted[1] if self._counted[0] is table else Counter()
            self._counted = (table, started)
            self.stats.add_programs(started - known)

    def stats_json(self, reset: bool = False) -> dict[str, Any]:
        """Its counters; `reset` sets them back afterwards."""
        self._count_processes()
        result = self.stats.to_json()
        if reset:
            self.stats.reset()
        return result

    def status(self) -> dict[str, Any]:
        """Where it is and how it is."""
        return {
            "name": self.name,
            "address": self.address,
            "windows": self.version,
            "state": "running" if self.running else "down",
            "winrm": f"http://{self.address}:5985/wsman",
            "winrm_https": f"https://{self.address}:5986/wsman" if self.switches["https"] else None,
            "user": ADMINISTRATOR,
            "shells": len(self.service.shells) if self.running else 0,
            "boots": self.boots,
            "sites": self._sites(),
            "switches": self.switches.to_json(),
        }

    def _sites(self) -> list[dict[str, Any]]:
        """IIS's sites: name, state and the addresses that reach them from this machine."""
        if not self.running or self.machine.iis is None:
            return []
        return [
            {
                "name": site.config.name,
                "state": site.state,
                "urls": [f"{b.protocol}://{self.address}:{b.port}/" for b in site.config.http_bindings],
            }
            for site in list(self.machine.iis.sites.values())
        ]


class Lab:
    """All servers of one state folder."""

    def __init__(self, state: Path, plan: Plan, password: str) -> None:
        self.state = state
        self.plan = plan
        self.password = password
        self.hosts: dict[str, Host] = {}
        self.artifacts = Artifacts(state / "artifacts")
        self.loop: asyncio.AbstractEventLoop = asyncio.get_event_loop()

    async def start(self, count: int, switches: list[str]) -> None:
        """Starts the first `count` servers of the plan.

        Raises:
            LabError: an address is taken.
        """
        self.loop = asyncio.get_running_loop()
        _raise_file_limit()
        _end_leftovers(self.state)
        _prepare_powershell(self.plan.powershell)
        address = self.artifacts_address
        try:
            await self.artifacts.serve(address, ARTIFACTS_PORT)
        except OSError as error:
            raise LabError(_cannot_listen("The mirror of artifacts", address, ARTIFACTS_PORT, error)) from error
        await self.grow(count, switches)

    @property
    def artifacts_address(self) -> str:
        return f"{self.plan.network}.254"

    @property
    def artifacts_url(self) -> str:
        return f"http://{self.artifacts_address}:{ARTIFACTS_PORT}/"

    async def grow(self, count: int, switches: list[str]) -> None:
        """Starts servers until there are `count`."""
        for entry in self.plan.hosts[len(self.hosts) : count]:
            host = Host(self, entry["name"], entry["address"], entry["version"])
            set_switches(host.switches, switches)
            self.hosts[host.name] = host
            try:
                await host.start()
            except BaseException:
                del self.hosts[host.name]
                raise

    async def stop(self) -> None:
        """Everything down."""
        await asyncio.gather(*(host.stop() for host in self.hosts.values()), return_exceptions=True)
        await self.artifacts.close()
        # Whose own parent has ended is in no server's list of processes.
        _end_leftovers(self.state)

    def select(self, names: list[str]) -> list[Host]:
        """Servers by name or address; all when none is named.

        Raises:
            LabError: there is no such server.
        """
        if not names:
            return list(self.hosts.values())
        chosen = []
        for name in names:
            host = next((h for h in self.hosts.values() if name.lower() in (h.name.lower(), h.address)), None)
            if host is None:
                raise LabError(f"There is no server {name!r}; this lab has {', '.join(self.hosts) or 'none'}.")
            chosen.append(host)
        return chosen

    async def set(self, names: list[str], switches: list[str]) -> dict[str, Any]:
        """Sets switches on servers.

        Raises:
            LabError: unknown server, switch or value.
        """
        hosts = self.select(names)
        for host in hosts:
            before = [host.switches[name] for name in _TLS_SWITCHES]
            set_switches(host.switches, switches)
            if before != [host.switches[name] for name in _TLS_SWITCHES] and host.running:
                await host.endpoint.stop()
                host.apply_switches()
                await host.listen()
            elif host.running:
                host.apply_switches()
        return {host.name: host.switches.to_json() for host in hosts}

    def status(self) -> dict[str, Any]:
        """The lab as a whole."""
        return {
            "running": True,
            "pid": os.getpid(),
            "state": str(self.state),
            "network": self.plan.network,
            "artifacts": self.artifacts_url,
            "powershell": self.plan.powershell,
            "user": ADMINISTRATOR,
            "password": self.password,
            "hosts": [host.status() for host in self.hosts.values()],
        }

    def stats(self, names: list[str], reset: bool) -> dict[str, Any]:
        """Counters per server and in total."""
        per_host = {host.name: host.stats_json(reset) for host in self.select(names)}
        return {"total": total(list(per_host.values())), "hosts": per_host}


def set_switches(switches: Switches, assignments: list[str]) -> None:
    """Sets `NAME=VALUE` switches, or clears all with `clear`.

    Raises:
        LabError: one of them is wrong.
    """
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals and name.strip().lower() == "clear":
            switches.clear()
            continue
        try:
            switches.set(name, value if equals else "1" if name in FAULTS else "on")
        except SwitchError as error:
            raise LabError(f"{error}.") from error


def _cannot_listen(what: str, address: str, port: int, error: OSError) -> str:
    """One sentence on why a listener did not come up, and one on what to do."""
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{what} cannot listen on {address}: this system does not have that address. On macOS, "
            f"`sudo ifconfig lo0 alias {address} up` adds it."
        )
    return (
        f"{what} cannot listen on {address}:{port}: the address is taken. Where another lab uses the same network, `winlab down` in "
        "its folder ends it, and `--network 127.0.9` or the like puts this one beside it."
        if error.errno == errno.EADDRINUSE
        else f"{what} cannot listen on {address}:{port}: {error.strerror}."
    )


def _raise_file_limit() -> None:
    """Hundreds of servers with their connections need more open files than many systems allow at first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65536, hard))


def _end_leftovers(state: Path) -> None:
    """Ends real processes of simulated servers of this folder: what nobody minds any more, or a lab left behind that was killed."""
    mark = b"WINLAB_IMAGE=" + os.fsencode(state / "hosts") + b"/"
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if any(entry.startswith(mark) for entry in environment.read_bytes().split(b"\0")):
                os.kill(int(environment.parent.name), signal.SIGKILL)
                log.info("ended process %s, left behind", environment.parent.name)
        except OSError:  # it has just ended, or belongs to someone else
            continue


def _prepare_powershell(path: str | None) -> None:
    """Puts the cost of starting in front of powershell.exe, and a real PowerShell in its place where one is given."""
    from winlab.windows import processes
    from winlab.winrm.real_powershell import program

    importlib.import_module(processes.PROGRAM_ROOM)  # registers the lab's own, which what follows replaces
    processes.register_program(_ENGINE, program(path) if path else "winlab.powershell.host:main")

    def start(ctx: processes.ProgramContext) -> int:
        delay = getattr(ctx.machine, "powershell_start", 0.0)
        if delay:
            ctx.sleep(delay)
        main = processes.find_program(_ENGINE)
        assert main is not None
        limit = (getattr(ctx.machine, "powershell_limits", None) or {}).get("seconds")
        if not limit:
            return main(ctx)
        # The lab's engine ends a script by itself; this is for what does not listen, and for a real PowerShell.
        timer = threading.Timer(limit if path else limit + 3, _end_runaway, (ctx, limit))
        timer.daemon = True
        timer.start()
        try:
            return main(ctx)
        finally:
            timer.cancel()

    processes.register_program("powershell", start, big_stack=not path)


def _end_runaway(ctx: ProgramContext, limit: float) -> None:
    """A script ran longer than the lab allows: its process ends, and says why."""
    with contextlib.suppress(WindowsError):
        ctx.err(f"powershell.exe: ended by the lab after {limit:g} s (switch powershell-timeout).\n")
    ctx.process.kill(tree=True, exit_code=1)
