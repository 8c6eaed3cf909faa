"""A lab in this process: what a machine does to its WinRM, and what counters remember."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from tests.winlab.lab.conftest import free_network
from winlab.daemon import extend_plan
from winlab.lab import Host, Lab, LabError, Plan


def with_lab(tmp_path: Path, test: Callable[[Lab, Host], Awaitable[None]]) -> None:
    async def run() -> None:
        plan = Plan(network=free_network())
        extend_plan(plan, 2, "2019")
        lab = Lab(tmp_path, plan, "Secret!1")
        try:
            await lab.start(1, ["boot-time=0.3"])
            await test(lab, lab.hosts["SRV1"])
        finally:
            await lab.stop()

    asyncio.run(run())


async def answers(host: Host) -> bool:
    async with ClientSession() as session:
        try:
            async with session.post(f"http://{host.address}:5985/wsman") as reply:
                return reply.status == 401
        except ClientConnectionError:
            return False


async def becomes(host: Host, wanted: bool) -> None:
    deadline = time.monotonic() + 5
    while await answers(host) != wanted:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_a_machine_that_restarts_itself(tmp_path: Path) -> None:
    async def test(lab: Lab, host: Host) -> None:
        process = await asyncio.to_thread(host.machine.processes.start, "hostname")
        await asyncio.to_thread(process.wait, 5)
        assert await answers(host)
        await asyncio.to_thread(host.machine.reboot)
        await becomes(host, False)
        await becomes(host, True)
        assert host.boots == 2
        # A new process table, but what was started before the restart is still counted.
        assert host.stats_json()["programs"] == {"hostname.exe": 1}
        assert host.stats_json(reset=True)["programs"] == {"hostname.exe": 1}
        assert host.stats_json()["programs"] == {}

    with_lab(tmp_path, test)


def test_a_machine_that_is_switched_off_stays_off_until_it_boots(tmp_path: Path) -> None:
    async def test(lab: Lab, host: Host) -> None:
        await asyncio.to_thread(host.machine.shutdown)
        await becomes(host, False)
        await asyncio.sleep(0.5)
        assert not await answers(host) and host.status()["state"] == "down"
        await asyncio.to_thread(host.machine.start)
        await becomes(host, True)

    with_lab(tmp_path, test)


def test_two_reboots_at_once_are_one(tmp_path: Path) -> None:
    async def test(lab: Lab, host: Host) -> None:
        host.reboot(0.1)
        host.reboot(0.1)
        await becomes(host, False)
        await becomes(host, True)
        await asyncio.sleep(0.3)
        assert host.boots == 2 and await answers(host)

    with_lab(tmp_path, test)


def test_reset_while_it_is_down(tmp_path: Path) -> None:
    async def test(lab: Lab, host: Host) -> None:
        host.machine.fs.write_bytes(r"C:\note.txt", b"x")
        host.reboot(30)
        await becomes(host, False)
        await host.reset()
        assert await answers(host) and not host.machine.fs.exists(r"C:\note.txt")

    with_lab(tmp_path, test)


def test_switches_of_the_machine_hold_across_a_restart(tmp_path: Path) -> None:
    async def test(lab: Lab, host: Host) -> None:
        await lab.set(["SRV1"], ["clock-skew=3600", "max-shells=2", "basic=on"])
        host.reboot(0.2)
        await becomes(host, False)
        await becomes(host, True)
        assert host.machine.clock_skew.total_seconds() == 3600
        assert host.service.config.max_shells_per_user == 2 and host.service.config.auth_basic
        with pytest.raises(LabError, match="no switch"):
            await lab.set([], ["what=1"])

    with_lab(tmp_path, test)


def test_growing_into_a_taken_address_keeps_what_runs(tmp_path: Path) -> None:
    async def test(lab: Lab, host: Host) -> None:
        blocker = await asyncio.start_server(lambda *_: None, lab.plan.hosts[1]["address"], 5985)
        with pytest.raises(LabError, match="SRV2 cannot listen"):
            await lab.grow(2, [])
        blocker.close()
        assert await answers(host) and list(lab.hosts) == ["SRV1"]
        await lab.grow(2, [])
        assert await answers(lab.hosts["SRV2"])

    with_lab(tmp_path, test)
