"""Application pools: identity, state, recycling, time limits, rapid-fail protection, preload; what the configuration API sees of them."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.winlab.iis_http.harness import PORT, SITE, Web, set_all
from winlab.iis.files import machine_store
from winlab.iis.server import StateError

WAS = "Microsoft-Windows-WAS"


def worker_pids(web: Web) -> list[int]:
    return [p.pid for p in web.processes("w3wp.exe")]


def test_worker_starts_with_the_first_request(web: Web) -> None:
    web.start()
    assert worker_pids(web) == []
    web.request("/")
    (worker,) = web.processes("w3wp.exe")
    assert worker.user.name == "IIS APPPOOL\\DefaultAppPool"
    assert '-ap "DefaultAppPool"' in worker.command_line


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("LocalSystem", "NT AUTHORITY\\SYSTEM"),
        ("NetworkService", "NT AUTHORITY\\NETWORK SERVICE"),
        ("SpecificUser", "WEB1\\svc"),
    ],
)
def test_identities(web: Web, kind: str, name: str) -> None:
    web.machine.accounts.add_user("svc", "pw")
    web.set_pool(processModel__identityType=kind, processModel__userName="svc", processModel__password="pw")
    web.start()
    assert web.request("/").status == 403
    assert web.processes("w3wp.exe")[0].user.name == name


def test_stop_and_start(web: Web) -> None:
    web.write(SITE + r"\a.txt", "A")
    web.start()
    assert web.request("/a.txt").text == "A"
    assert web.service.stop_pool("DefaultAppPool") == "Stopped"
    assert worker_pids(web) == []
    assert web.request("/a.txt").status == 503
    with pytest.raises(StateError):
        web.service.stop_pool("DefaultAppPool")
    assert web.service.start_pool("DefaultAppPool") == "Started"
    assert web.request("/a.txt").text == "A"


def test_delays_show_the_states_between(web: Web) -> None:
    web.start()
    web.service.delays.pool_stop = web.service.delays.site_stop = 0.3
    assert web.service.stop_pool("DefaultAppPool") == "Stopping"
    assert web.service.stop_site("Site") == "Stopping"
    web.wait_for(lambda: web.service.pool_state("DefaultAppPool") == web.service.site_state("Site") == "Stopped")
    web.service.delays.pool_start = web.service.delays.site_start = 0.3
    assert web.service.start_pool("DefaultAppPool") == "Starting"
    assert web.service.start_site("Site") == "Starting"
    web.wait_for(lambda: web.service.pool_state("DefaultAppPool") == web.service.site_state("Site") == "Started")


def test_recycle_overlaps(web: Web) -> None:
    web.start()
    web.request("/")
    (before,) = worker_pids(web)
    web.service.recycle_pool("DefaultAppPool")
    web.wait_for(lambda: len(worker_pids(web)) == 1 and before not in worker_pids(web))
    assert web.events(WAS, 5079)
    web.set_pool(recycling__disallowOverlappingRotation=True)
    web.settle()
    web.service.recycle_pool("DefaultAppPool")
    web.wait_for(lambda: worker_pids(web) == [])


def test_changed_settings_recycle(web: Web) -> None:
    web.start()
    web.request("/")
    (before,) = worker_pids(web)
    web.set_pool(processModel__loadUserProfile=False)
    web.wait_for(lambda: worker_pids(web) and before not in worker_pids(web))
    assert web.events(WAS, 5080)
    (now,) = worker_pids(web)
    web.set_pool(recycling__disallowRotationOnConfigChange=True)
    web.settle()
    web.set_pool(enable32BitAppOnWin64=True)
    web.settle()
    web.request("/")
    assert now not in worker_pids(web) or worker_pids(web) == [now]


def test_idle_time_out(web: Web) -> None:
    web.start()
    web.request("/")
    web.advance(19 * 60)
    assert len(worker_pids(web)) == 1
    web.advance(60)
    web.wait_for(lambda: worker_pids(web) == [])
    (event,) = web.events(WAS, 5186)
    assert "20 minutes" in event.message
    assert web.request("/").status == 403


def test_idle_time_out_of_zero_is_none(web: Web) -> None:
    from datetime import timedelta

    web.set_pool(processModel__idleTimeout=timedelta(0))
    web.start()
    web.request("/")
    web.advance(28 * 3600)
    assert len(worker_pids(web)) == 1
    web.advance(3600)
    web.wait_for(lambda: web.events(WAS, 5074))


def test_recycling_by_requests(web: Web) -> None:
    web.set_pool(recycling__periodicRestart__requests=3)
    web.start()
    for _ in range(3):
        web.request("/")
    (before,) = worker_pids(web)
    web.advance(1)
    web.wait_for(lambda: before not in worker_pids(web))
    assert web.events(WAS, 5075)


def test_killed_worker_is_replaced(web: Web) -> None:
    web.start()
    web.request("/")
    web.processes("w3wp.exe")[0].kill(exit_code=0xFF)
    web.wait_for(lambda: web.events(WAS, 5009))
    assert "exit code was '0xff'" in web.events(WAS, 5009)[0].message
    assert web.request("/").status == 403


def test_rapid_fail_protection_and_its_end(web: Web) -> None:
    web.start()
    for _ in range(5):
        web.request("/")
        web.processes("w3wp.exe")[0].kill()
        web.wait_for(lambda: not worker_pids(web))
    web.wait_for(lambda: web.service.pool_state("DefaultAppPool") == "Stopped")
    assert web.request("/").status == 503
    web.service.start_pool("DefaultAppPool")
    assert web.request("/").status == 403


def test_rapid_fail_protection_counts_within_the_interval(web: Web) -> None:
    web.start()
    for _ in range(6):
        web.request("/")
        web.processes("w3wp.exe")[0].kill()
        web.wait_for(lambda: not worker_pids(web))
        web.advance(100)
    assert web.service.pool_state("DefaultAppPool") == "Started"


def test_queue_length(web: Web) -> None:
    web.set_pool(queueLength=10)
    web.service.delays.worker_start = 1.0
    web.start()
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(web.request("/").status)) for _ in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [403] * 10 + [503] * 4
    web.service.flush_logs()
    assert "QueueFull" in web.machine.fs.read_text(r"C:\Windows\System32\LogFiles\HTTPERR\httperr1.log")


def test_startup_time_limit(web: Web) -> None:
    from datetime import timedelta

    web.set_pool(processModel__startupTimeLimit=timedelta(seconds=1), failure__rapidFailProtectionMaxCrashes=1)
    web.service.delays.worker_start = 1.5
    web.start()
    assert web.request("/").status == 503
    assert web.events(WAS, 5012) and web.events(WAS, 5002)


def test_always_running(web: Web) -> None:
    web.set_pool(startMode="AlwaysRunning")
    web.start()
    web.wait_for(lambda: len(worker_pids(web)) == 1)
    web.advance(3600)
    assert len(worker_pids(web)) == 1


def test_invalid_identity_disables_the_pool(web: Web) -> None:
    web.set_pool(processModel__identityType="SpecificUser", processModel__userName="nobody", processModel__password="x")
    web.start()
    assert web.request("/").status == 503
    assert web.events(WAS, 5021) and web.events(WAS, 5057)
    assert web.service.pool_state("DefaultAppPool") == "Stopped"


def test_sites_and_pools_come_and_go_with_the_file(web: Web) -> None:
    web.start()
    web.add_pool("Second", startMode="AlwaysRunning")
    web.add_site("Second", 2, f"*:{PORT + 1}:", path=r"C:\inetpub\second", pool="Second")
    web.write(r"C:\inetpub\second\index.html", "second")
    web.settle()
    web.wait_for(lambda: len(worker_pids(web)) == 1)
    assert web.request("/", port=PORT + 1).text == "second"

    def drop(c: Any) -> None:
        for section, name in (("sites", "Second"), ("applicationPools", "Second")):
            collection = c.section(f"system.applicationHost/{section}").collection
            collection.remove(collection.find(name=name))

    web.edit(drop)
    web.settle()
    with pytest.raises(ConnectionRefusedError):
        web.request("/", port=PORT + 1)
    web.wait_for(lambda: worker_pids(web) == [])


def test_new_bindings_are_taken_at_once(web: Web) -> None:
    web.start()
    web.edit(
        lambda c: (
            web.find(c, "sites", "Site").child("bindings").collection[0].set("bindingInformation", f"*:{PORT + 5}:")
        )
    )
    web.settle()
    assert web.request("/", port=PORT + 5).status == 403
    with pytest.raises(ConnectionRefusedError):
        web.request("/")


def test_broken_configuration_leaves_things_as_they_are(web: Web) -> None:
    from winlab.iis.config import APPHOST

    web.start()
    good = web.machine.fs.read_bytes(APPHOST)
    web.write(APPHOST, good.replace(b"</configuration>", b""))
    web.settle()
    assert web.service.site_state("Site") == "Started"
    assert web.events(WAS, 5172)
    web.write(APPHOST, good)
    assert web.request("/").status == 403


# -- through the configuration API -----------------------------------------------------------------------------------------------


def element(web: Web, section: str, name: str) -> Any:
    found = (
        machine_store(web.machine)
        .session()
        .apphost()
        .section(f"system.applicationHost/{section}")
        .collection.find(name=name)
    )
    assert found is not None
    return found


def test_state_and_methods_of_the_api(web: Web) -> None:
    web.start()
    site, pool = element(web, "sites", "Site"), element(web, "applicationPools", "DefaultAppPool")
    assert (site.text("state"), pool.text("state")) == ("Started", "Started")
    store = machine_store(web.machine)
    store.invoke(site, "Stop", {})
    store.invoke(pool, "Stop", {})
    assert (site.text("state"), pool.text("state")) == ("Stopped", "Stopped")
    store.invoke(site, "Start", {})
    store.invoke(pool, "Start", {})
    web.request("/")
    (process,) = pool.child("workerProcesses").collection
    assert process.get("processId") == worker_pids(web)[0]
    assert (process.text("state"), process.get("appPoolName")) == ("Running", "DefaultAppPool")


def test_state_of_a_new_site_arrives_late(web: Web) -> None:
    from winlab.iis.errors import ConfigError

    web.start()
    web.service.delays.state = 0.4
    web.add_site("New", 7, f"*:{PORT + 2}:", path=r"C:\inetpub\new")
    with pytest.raises(ConfigError) as refused:
        element(web, "sites", "New").get("state")
    assert refused.value.hresult == 0x800710D8
    web.wait_for(lambda: web.service.running and any(s.config.name == "New" for s in web.service.sites.values()))
    assert element(web, "sites", "New").text("state") == "Started"


def test_clash_of_bindings_in_the_api(web: Web) -> None:
    from winlab.iis.errors import ConfigError

    web.add_site("Second", 2, f"*:{PORT}:", path=r"C:\inetpub\second")
    web.start()
    with pytest.raises(ConfigError) as refused:
        machine_store(web.machine).invoke(element(web, "sites", "Second"), "Start", {})
    assert refused.value.hresult == 0x800700B7


def test_stopped_services_answer_so(web: Web) -> None:
    from winlab.iis.errors import ConfigError

    with pytest.raises(ConfigError) as refused:
        machine_store(web.machine).invoke(element(web, "sites", "Site"), "Start", {})
    assert refused.value.hresult == 0x80070426


def test_certificate_of_a_binding(web: Web) -> None:
    web.add_site("Secure", 3, f"https/*:{PORT + 3}:", path=r"C:\inetpub\secure")
    certificate = web.machine.certificates.create_self_signed(["example.com"])
    web.start()
    store = machine_store(web.machine)
    binding = element(web, "sites", "Secure").child("bindings").collection[0]
    assert binding.get("certificateHash") == ""
    store.invoke(
        binding, "AddSslCertificate", {"certificateHash": certificate.thumbprint, "certificateStoreName": "My"}
    )
    assert binding.get("certificateHash") == certificate.thumbprint
    store.invoke(binding, "RemoveSslCertificate", {})
    assert binding.get("certificateHash") == ""


def test_shutdown_waits_for_requests(web: Web) -> None:
    """A pool that is stopped lets the request in progress end."""
    data = b"x" * 30_000_000
    web.write(SITE + r"\big.txt", data)
    web.start()
    import socket

    with socket.create_connection((web.address, PORT), 10) as connection:
        connection.sendall(b"GET /big.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000)
        stopping = threading.Thread(target=web.service.stop_pool, args=("DefaultAppPool",))
        stopping.start()
        time.sleep(0.2)
        assert web.service.pool_state("DefaultAppPool") == "Stopping"
        received = 1000
        while piece := connection.recv(1 << 20):
            received += len(piece)
        assert received > len(data)
        stopping.join()
    web.wait_for(lambda: web.service.pool_state("DefaultAppPool") == "Stopped")


def test_set_all_reaches_children(web: Web) -> None:
    web.edit(lambda c: set_all(web.find(c, "applicationPools", "DefaultAppPool"), failure__rapidFailProtection=False))
    assert element(web, "applicationPools", "DefaultAppPool").child("failure").get("rapidFailProtection") is False


def test_the_switch_for_late_states(web: Web) -> None:
    """iis-state-delay: a commit, a start and a stop show later."""
    web.start()
    web.machine.iis_state_delay = 0.4  # type: ignore[attr-defined]
    assert web.service.stop_site("Site") == "Stopping"
    web.wait_for(lambda: web.service.site_state("Site") == "Stopped")
    assert web.service.start_site("Site") == "Starting"
    web.wait_for(lambda: web.service.site_state("Site") == "Started")
    web.add_site("Late", 9, f"*:{PORT + 9}:", path=r"C:\inetpub\late")
    with pytest.raises(StateError):
        web.service.site_state("Late")
    web.wait_for(lambda: any(s.config.name == "Late" and s.state == "Started" for s in web.service.sites.values()))
