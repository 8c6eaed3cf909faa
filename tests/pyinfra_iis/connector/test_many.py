"""Two hundred hosts in one run under gevent, each against a service of its own: no cross-talk, bounded memory."""

from __future__ import annotations

import subprocess
import sys

from tests.labkit import ROOT

RUN = """
from gevent import monkey
monkey.patch_all()
import resource, time
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra_iis.connector import wire
from tests.pyinfra_iis.connector.fake import FakeProtocol, FakeServer

servers = {}

class Slow(FakeProtocol):
    def send_message(self, message):
        time.sleep(0.002)
        return super().send_message(message)

wire.make_protocol = lambda settings: Slow(servers.setdefault(settings.host, FakeServer()))
names = [f"@winrm/h{n}" for n in range(200)]
state = State(Inventory((names, {"winrm_user": "a", "winrm_password": "b"})), Config())
connect_all(state)
assert not state.failed_hosts
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def work(host):
    for number in range(5):
        status, output = host.run_shell_command(f"out {host.name} {number}")
        assert status and output.stdout == f"{host.name} {number}", output.output

greenlets = [state.pool.spawn(work, host) for host in state.inventory]
for greenlet in greenlets:
    greenlet.get()
disconnect_all(state)
assert len(servers) == 200
assert all(server.starts == 1 and not server.shells and len(server.ran) == 5 for server in servers.values())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_two_hundred_hosts() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 100
