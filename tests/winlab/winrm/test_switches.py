"""Every switch that WinRM knows, seen from a client."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests
from winrm import Protocol
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError

from tests.winlab.winrm.fakes import FakeServer
from winlab.switches import FAULTS, SETTINGS, SwitchError, Switches, parse_fault

SLACK = 1.9
"""Seconds within which something without delay is over, on a busy machine, too."""


def seconds(action: Callable[[], object]) -> float:
    start = time.monotonic()
    action()
    return time.monotonic() - start


def output(protocol: Protocol, shell: str, line: str = "echo x") -> bytes:
    return protocol.get_command_output(shell, protocol.run_command(shell, line, console_mode_stdin=False))[0]


# -- settings -------------------------------------------------------------------------------------------------------------------------


def test_rtt_is_paid_per_request_and_connection(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("rtt", "100")
    assert 0.2 <= seconds(lambda: output(protocol, shell)) < SLACK  # Command and Receive
    # Connecting costs a round trip, NTLM three requests, then Create.
    assert 0.5 <= seconds(lambda: server.protocol().open_shell()) < SLACK


def test_waiting_costs_no_processor_time(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("rtt", "500")
    used = time.process_time()
    output(protocol, shell)
    assert time.process_time() - used < 0.25


def test_bandwidth(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "count", console_mode_stdin=False)
    server.switches.set("bandwidth", "4000")  # 500 kB/s
    taken = seconds(lambda: protocol.send_command_input(shell, command, b"x" * 110_000))
    assert 0.27 <= taken < SLACK


def test_slow_server_and_delay(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("slow-server", "150")
    assert 0.3 <= seconds(lambda: output(protocol, shell)) < SLACK
    server.switches.set("slow-server", "off")
    server.switches.set("delay", "action:Receive,ms:2000")
    assert seconds(lambda: output(protocol, shell)) >= 2
    assert seconds(lambda: output(protocol, shell)) < SLACK


def test_slow_done(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("slow-done", "1000")
    start = time.monotonic()
    command = protocol.run_command(shell, "echo x", console_mode_stdin=False)
    assert protocol.get_command_output_raw(shell, command) == (b"x\r\n", b"", -1, False)
    assert protocol.get_command_output_raw(shell, command)[3]
    assert 1 <= time.monotonic() - start < 1 + SLACK


def test_connection_idle(server: FakeServer) -> None:
    server.switches.set("connection-idle", "0.3")
    protocol = server.protocol()
    shell = protocol.open_shell()
    time.sleep(0.6)
    with pytest.raises(WinRMTransportError) as error:
        protocol.run_command(shell, "echo x")
    assert error.value.code == 400


def test_clock_skew_shows_in_the_date(server: FakeServer) -> None:
    server.switches.set("clock-skew", "7200")
    import email.utils

    told = email.utils.parsedate_to_datetime(requests.post(server.url, timeout=5).headers["Date"])
    assert 7190 < told.timestamp() - time.time() < 7210


# -- faults -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["drop-before", "drop-after", "drop-during"])
def test_dropped_connections(server: FakeServer, switch: str) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    started = len(server.logon.started)
    server.switches.set(switch, "action:Command")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        protocol.run_command(shell, "echo x")
    # Whether the command runs is the difference that a client must live with.
    assert len(server.logon.started) - started == (0 if switch == "drop-before" else 1)
    protocol.transport.close_session()
    assert output(protocol, shell) == b"x\r\n"


@pytest.mark.parametrize(
    ("switch", "status"), [("http-400", 400), ("http-413", 413), ("http-500", 500), ("http-503", 503)]
)
def test_http_errors(server: FakeServer, switch: str, status: int) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set(switch, "1")
    with pytest.raises(WinRMTransportError) as error:
        protocol.run_command(shell, "echo x")
    assert error.value.code == status
    protocol.transport.close_session()
    assert output(protocol, shell) == b"x\r\n"


def test_http_400_lasts_until_a_new_session(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("http-400", "1")
    for _ in range(3):
        with pytest.raises(WinRMTransportError):
            protocol.run_command(shell, "echo x")


def test_http_401(server: FakeServer) -> None:
    server.switches.set("http-401", "action:Authenticate,count:always")
    with pytest.raises(InvalidCredentialsError):
        server.protocol().open_shell()
    server.switches.set("http-401", "off")
    assert server.protocol().open_shell()


def test_a_page_of_a_proxy(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("proxy-html", "1")
    with pytest.raises(WinRMTransportError, match="502") as error:
        protocol.run_command(shell, "echo x")
    assert error.value.code == 502
    assert "<html>" in error.value.response_text


@pytest.mark.parametrize(
    ("switch", "code"),
    [("busy", 170), ("quota-shells", 2150859173), ("quota-operations", 2150859174), ("shell-gone", 2150858843)],
)
def test_faults(server: FakeServer, switch: str, code: int) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set(switch, "action:Command")
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, "echo x")
    assert code in (error.value.wsman_fault_code, error.value.wmierror_code)
    assert (shell in server.service.shells) == (switch != "shell-gone")


def test_timeout_after_the_request_was_accepted(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "count", console_mode_stdin=False)
    server.switches.set("timeout", "action:Send")
    with pytest.raises(WinRMOperationTimeoutError):
        protocol.send_command_input(shell, command, b"12345")
    protocol.send_command_input(shell, command, b"67", end=True)
    assert protocol.get_command_output(shell, command)[0] == b"7\r\n"


def test_a_killed_process(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "sleep 30")
    server.switches.set("process-killed", "action:Receive")
    assert protocol.get_command_output(shell, command) == (b"", b"", 1)


def test_a_reboot_is_asked_of_the_server(server: FakeServer) -> None:
    asked: list[float] = []
    server.endpoint.reboot = asked.append
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("reboot", "action:Command,seconds:3")
    with pytest.raises(requests.ConnectionError):
        protocol.run_command(shell, "echo x")
    assert asked == [3]


def test_nth_and_count(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    server.switches.set("busy", "action:command,nth:2,count:2")
    outcomes = []
    for _ in range(5):
        try:
            protocol.run_command(shell, "echo x")
            outcomes.append("ran")
        except WSManFaultError:
            outcomes.append("busy")
    assert outcomes == ["ran", "busy", "busy", "ran", "ran"]


# -- the values ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("nonsense", "1", "no switch 'nonsense'"),
        ("rtt", "fast", "rtt takes a number"),
        ("https", "maybe", "https takes on or off"),
        ("https-certificate", "red", "takes good, wrong-name, expired"),
        ("busy", "-1", "whole number"),
        ("busy", "nth:0", "whole number"),
        ("busy", "colour:red", "not 'colour'"),
        ("reboot", "seconds:soon", "seconds takes a number"),
    ],
)
def test_wrong_switches_are_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SwitchError, match=says):
        Switches().set(name, value)


def test_switches_describe_themselves() -> None:
    switches = Switches()
    for name, setting in SETTINGS.items():
        switches.set(name, "on" if setting.kind is bool else setting.choices[-1] if setting.choices else "3")
    for name in FAULTS:
        switches.set(name, "action:Send,nth:2,count:always")
    told = switches.to_json()
    assert set(told) >= set(FAULTS) and told["rtt"] == 3
    again = parse_fault(FAULTS["busy"], told["busy"])
    assert again is not None and (again.action, again.nth, again.count) == ("Send", 2, -1)
    for name in (*SETTINGS, *FAULTS):
        switches.set(name, "off")
    assert switches.to_json() == {"iis-preload": False, "negotiate": False}  # the settings that are on by default
