"""Many hosts in one run, under gevent as pyinfra's command patches it: no host gets another's answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labkit import ROOT, Lab

HOSTS = 20

RUN = """
from gevent import monkey
monkey.patch_all()
import json, resource, sys
import gevent
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all, disconnect_all

addresses, user, password = json.loads(sys.argv[1])
inventory = Inventory(([f"@winrm/{a}" for a in addresses], {"winrm_user": user, "winrm_password": password}))
state = State(inventory, Config())
connect_all(state)
assert not state.failed_hosts, state.failed_hosts

def work(host):
    for number in range(5):
        status, output = host.run_shell_command(f"'{host.name} {number}'; Start-Sleep -Milliseconds 20; $env:WHO", _env={"WHO": f"{host.name}#{number}"})
        assert status, output.output
        assert output.stdout_lines == [f"{host.name} {number}", f"{host.name}#{number}"], output.output
    return host.name

names = [g.get() for g in [state.pool.spawn(work, host) for host in inventory]]
assert len(set(names)) == len(addresses)
disconnect_all(state)
print(len(names), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("many"), f"127.12.{os.getpid() % 250}", HOSTS)
    yield found
    found.down()


def test_many_hosts_at_once(many: Lab, tmp_path: Path) -> None:
    arguments = json.dumps([many.addresses, many.status["user"], many.password])
    done = subprocess.run(
        [sys.executable, "-c", RUN, arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=250
    )
    assert done.returncode == 0, done.stderr[-3000:]
    count, memory = map(int, done.stdout.split())
    assert count == HOSTS
    assert memory < 400
    assert many.stats()["powershell_starts"] == HOSTS
