"""Costs and faults that a lab adds to its servers on request: `winlab up NAME=VALUE ...`, `winlab set [HOST ...] NAME=VALUE ...`.

A *setting* holds until it is changed (round-trip time, quotas, clock skew). A *fault* meets chosen requests and is used up:
`drop-after=2` meets the next two, `drop-after=action:Send,nth:3,count:always` every Send from the third one on. `off` takes
either away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ALWAYS = -1


class SwitchError(ValueError):
    """A switch that does not exist, or a value that it does not take; the text says which and what it takes."""


@dataclass(frozen=True)
class Setting:
    """A switch that holds a value."""

    name: str
    kind: type
    default: Any
    help: str
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class FaultKind:
    """A switch that meets chosen requests."""

    name: str
    help: str
    parameters: tuple[str, ...] = ()


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("rtt", float, 0.0, "round-trip time of every request, and of opening a connection", "ms"),
        Setting("bandwidth", float, 0.0, "speed of the server's link in each direction, 0 for no limit", "kbit/s"),
        Setting("powershell-start", float, 0.0, "time that a PowerShell process takes before it reads its input", "ms"),
        Setting("slow-server", float, 0.0, "time that every request takes before it is worked on", "ms"),
        Setting("boot-time", float, 5.0, "how long a restart takes when nothing else is said", "s"),
        Setting("slow-done", float, 0.0, "time between the end of a command and the news of it", "ms"),
        Setting("clock-skew", float, 0.0, "how far the server's clock is ahead (negative: behind)", "s"),
        Setting(
            "disk-free", float, -1.0, "bytes that may still be written to C: before error 112, -1 for no limit", "bytes"
        ),
        Setting("iis-state-delay", float, 0.0, "time until a site or pool shows the state it was asked for", "ms"),
        Setting(
            "iis-preload", bool, True, "applications with preloadEnabled start with their pool, not with a request"
        ),
        Setting(
            "powershell-timeout", float, 0.0, "a PowerShell process ends itself after this long, 0 for no limit", "s"
        ),
        Setting(
            "powershell-memory",
            float,
            0.0,
            "a PowerShell process ends itself above this much data, 0 for no limit",
            "MB",
        ),
        Setting("allow-unencrypted", bool, False, "WinRM's AllowUnencrypted"),
        Setting("basic", bool, False, "WinRM's Basic authentication"),
        Setting("negotiate", bool, True, "WinRM's Negotiate authentication"),
        Setting("certificate", bool, False, "WinRM's client certificate authentication (HTTPS only)"),
        Setting("https", bool, False, "an HTTPS listener on port 5986 with a self-signed certificate"),
        Setting(
            "https-certificate",
            str,
            "good",
            "what the HTTPS listener shows: good, wrong-name or expired",
            choices=("good", "wrong-name", "expired"),
        ),
        Setting("max-envelope", int, 0, "WinRM's MaxEnvelopeSizekb, 0 for the version's default", "kB"),
        Setting("max-shells", int, 0, "WinRM's MaxShellsPerUser, 0 for the version's default"),
        Setting("max-processes", int, 0, "WinRM's MaxProcessesPerShell, 0 for the version's default"),
        Setting("max-operations", int, 0, "WinRM's MaxConcurrentOperationsPerUser, 0 for the version's default"),
        Setting("shell-idle", float, 0.0, "idle timeout of shells that ask for none, 0 for the default", "s"),
        Setting(
            "connection-idle", float, 0.0, "a connection without requests is closed after this long, 0 for 120", "s"
        ),
    )
}

FAULTS: dict[str, FaultKind] = {
    fault.name: fault
    for fault in (
        FaultKind("drop-before", "the connection is cut before the request is worked on"),
        FaultKind("drop-after", "the request is worked on, then the connection is cut instead of a reply"),
        FaultKind("drop-during", "the request is worked on, the connection is cut in the middle of the reply"),
        FaultKind("http-400", "HTTP 400, as on a connection whose sealing keys are lost"),
        FaultKind("http-401", "HTTP 401, as when the logon has expired"),
        FaultKind("http-413", "HTTP 413, as for an envelope above MaxEnvelopeSizekb"),
        FaultKind("http-500", "HTTP 500 without a body"),
        FaultKind("http-503", "HTTP 503, as while the service starts"),
        FaultKind("proxy-html", "HTTP 502 with an HTML page, as from a proxy in between"),
        FaultKind("busy", "fault 170, the requested resource is in use"),
        FaultKind("timeout", "the request is worked on, the reply is the operation timeout's fault 2150858793"),
        FaultKind("quota-shells", "fault 2150859173, too many shells"),
        FaultKind("quota-operations", "fault 2150859174, too many operations"),
        FaultKind("shell-gone", "the shell and its processes vanish: fault 2150858843"),
        FaultKind("process-killed", "the shell's processes are ended before the request is worked on"),
        FaultKind("reboot", "the server goes down before the request is worked on", ("seconds",)),
        FaultKind("delay", "the request waits before it is worked on", ("ms",)),
    )
}


@dataclass
class Fault:
    """An armed fault."""

    kind: str
    action: str | None = None
    nth: int = 1
    count: int = 1
    parameters: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    def meets(self, action: str) -> bool:
        """Whether this request is one that the fault is for; counts it."""
        if self.action is not None and self.action.lower() != action.lower():
            return False
        self.seen += 1
        if self.seen < self.nth or (self.count != ALWAYS and self.fired >= self.count):
            return False
        self.fired += 1
        return True

    @property
    def spent(self) -> bool:
        return self.count != ALWAYS and self.fired >= self.count

    def describe(self) -> str:
        """The value that would arm what is left of it."""
        parts = [f"action:{self.action}"] if self.action else []
        if self.nth - self.seen > 1:
            parts.append(f"nth:{self.nth - self.seen}")
        parts.append("count:always" if self.count == ALWAYS else f"count:{self.count - self.fired}")
        return ",".join(parts + [f"{name}:{value:g}" for name, value in self.parameters.items()])


class Switches:
    """The switches of one server."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}
        self.faults: list[Fault] = []

    def set(self, name: str, value: str) -> None:
        """Sets a switch as the command line gives it.

        Raises:
            SwitchError: unknown name, or a value that it does not take.
        """
        name = name.strip().lower().replace("_", "-")
        if name in SETTINGS:
            self.values[name] = parse_setting(SETTINGS[name], value)
        elif name in FAULTS:
            self.faults = [fault for fault in self.faults if fault.kind != name or fault.spent]
            armed = parse_fault(FAULTS[name], value)
            if armed is not None:
                self.faults.append(armed)
        else:
            raise SwitchError(f"there is no switch {name!r}; `winlab set --list` names them all")

    def clear(self) -> None:
        """Back to a server without costs and faults."""
        self.__init__()  # type: ignore[misc]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def meeting(self, action: str, handshake: bool = False) -> Iterator[Fault]:
        """The armed faults that this request meets, in the order in which they were armed.

        An exchange that only authenticates (`handshake`) meets those that name it.
        """
        met = [fault for fault in self.faults if (fault.action or not handshake) and fault.meets(action)]
        self.faults = [fault for fault in self.faults if not fault.spent]
        yield from met

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults."""
        changed = {name: value for name, value in self.values.items() if value != SETTINGS[name].default}
        return changed | {fault.kind: fault.describe() for fault in self.faults}


def parse_setting(setting: Setting, value: str) -> Any:
    """The value of a setting from text; `off` and an empty text give the default (for yes/no settings: no)."""
    text = value.strip().lower()
    if setting.kind is bool:
        if text in ("on", "true", "yes", "1"):
            return True
        if text in ("off", "false", "no", "0", ""):
            return False
        raise SwitchError(f"{setting.name} takes on or off, not {value!r}")
    if text in ("off", ""):
        return setting.default
    if setting.choices:
        if text not in setting.choices:
            raise SwitchError(f"{setting.name} takes {', '.join(setting.choices)}, not {value!r}")
        return text
    try:
        return setting.kind(text)
    except ValueError as error:
        unit = f" ({setting.unit})" if setting.unit else ""
        raise SwitchError(f"{setting.name} takes a number{unit}, not {value!r}") from error


def parse_fault(kind: FaultKind, value: str) -> Fault | None:
    """An armed fault from text: a count, or `action:NAME,nth:N,count:N` in any order; None for `off`."""
    text = value.strip()
    if text.lower() in ("off", "0", "false"):
        return None
    fault = Fault(kind.name)
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, colon, given = part.partition(":")
        key = key.strip().lower()
        if not colon:
            fault.count = _count(kind, part)
        elif key == "action":
            fault.action = None if given.lower() in ("any", "*") else given
        elif key == "nth":
            fault.nth = _count(kind, given)
        elif key == "count":
            fault.count = _count(kind, given)
        elif key in kind.parameters:
            try:
                fault.parameters[key] = float(given)
            except ValueError as error:
                raise SwitchError(f"{kind.name}: {key} takes a number, not {given!r}") from error
        else:
            takes = ", ".join(("action", "nth", "count", *kind.parameters))
            raise SwitchError(f"{kind.name} takes {takes}, not {key!r}")
    return fault


def _count(kind: FaultKind, text: str) -> int:
    if text.strip().lower() in ("always", "on", "true"):
        return ALWAYS
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise SwitchError(f"{kind.name} takes a whole number from 1 on or `always`, not {text!r}")
    return number


class Link:
    """The wire to one server: transfers in one direction queue behind each other, as on a real line."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._free_at = {"in": 0.0, "out": 0.0}

    async def carry(self, size: int, direction: str) -> None:
        """Waits as long as `size` bytes take ("in": to the server, "out": from it)."""
        rate = self._switches["bandwidth"] * 125  # kbit/s to bytes/s
        if rate <= 0:
            return
        now = time.monotonic()
        done = max(now, self._free_at[direction]) + size / rate
        self._free_at[direction] = done
        await asyncio.sleep(done - now)

    async def round_trip(self) -> None:
        """Waits for one round trip."""
        delay = self._switches["rtt"] / 1000
        if delay > 0:
            await asyncio.sleep(delay)
