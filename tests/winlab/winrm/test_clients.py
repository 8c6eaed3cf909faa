"""pywinrm and pypsrp, unmodified, against the lab's WinRM."""

from __future__ import annotations

import base64
import os
import struct
import threading
import time
import xml.etree.ElementTree as ET

import pytest
import requests
import spnego
from pypsrp.exceptions import WSManFaultError as PypsrpFault
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import OptionSet
from spnego.exceptions import NegotiateOptions
from winrm import Protocol
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError, WSManFaultError

from tests.winlab.winrm.fakes import CMD, FakeServer
from winlab.winrm.uris import CMD_RESOURCE


def run(protocol: Protocol, shell: str, line: str) -> tuple[bytes, bytes, int]:
    command = protocol.run_command(shell, line, console_mode_stdin=False)
    try:
        return protocol.get_command_output(shell, command)
    finally:
        protocol.cleanup_command(shell, command)


@pytest.mark.parametrize(
    "user", ["Administrator", "administrator", ".\\Administrator", "FAKE\\Administrator", "ELSEWHERE\\ADMINISTRATOR"]
)
def test_pywinrm_runs_a_command(server: FakeServer, user: str) -> None:
    protocol = server.protocol(user, "S3cret!pass")
    shell = protocol.open_shell()
    assert run(protocol, shell, "echo hello") == (b"hello\r\n", b"", 0)
    assert run(protocol, shell, "exit 7") == (b"", b"", 7)
    assert run(protocol, shell, "nonsense")[2] == 1
    protocol.close_shell(shell)
    assert not server.service.shells


def test_commands_start_through_cmd(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    run(protocol, shell, 'echo "a b" & x')
    assert server.logon.started[-1] == f'{CMD} /C "echo "a b" & x"'


def test_pypsrp_runs_a_command_and_signals_afterwards(server: FakeServer) -> None:
    with server.wsman() as wsman, WinRS(wsman) as shell:
        process = Process(shell, "echo", ["héllo", "wörld"])
        process.invoke()
        process.signal(SignalCode.CTRL_C)
        assert process.stdout.decode("utf-8") == "héllo wörld\r\n"
        assert process.rc == 0


@pytest.mark.parametrize("auth", ["negotiate", "ntlm"])
def test_pypsrp_over_spnego_and_plain_ntlm(server: FakeServer, auth: str) -> None:
    with server.wsman(auth=auth, encryption="always") as wsman, WinRS(wsman) as shell:
        for number in range(3):
            process = Process(shell, "echo", [str(number)])
            process.invoke()
            assert process.stdout == b"%d\r\n" % number


def test_unicode_account_name_and_password(server: FakeServer) -> None:
    protocol = server.protocol("Ünïcode")
    shell = protocol.open_shell()
    assert run(protocol, shell, "echo ok")[0] == b"ok\r\n"


@pytest.mark.parametrize("size", [1, 4096, 113_889, 5_000_000])
def test_output_of_any_size_arrives_whole(server: FakeServer, size: int) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    expected = (bytes(range(256)) * (size // 256 + 1))[:size]
    assert run(protocol, shell, f"flood {size}") == (expected, b"", 0)


def test_megabytes_of_input_arrive_whole(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    data = os.urandom(2_000_000)
    command = protocol.run_command(shell, "cat", console_mode_stdin=False)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(server.protocol().get_command_output(shell, command)[0]))
    reader.start()
    for start in range(0, len(data), 110_000):
        protocol.send_command_input(shell, command, data[start : start + 110_000], end=start + 110_000 >= len(data))
    reader.join(30)
    assert received == [data]


def test_envelope_limits_of_both_sides(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "count", console_mode_stdin=False)
    protocol.send_command_input(shell, command, b"x" * 380_000)
    with pytest.raises(WinRMTransportError) as error:
        protocol.send_command_input(shell, command, b"x" * 390_000)
    assert error.value.code == 413
    # The sealed connection is lost with it; a new one finds the shell as it was, without the refused input.
    protocol.transport.close_session()
    protocol.send_command_input(shell, command, b"", end=True)
    assert protocol.get_command_output(shell, command)[0] == b"380000\r\n"

    command = protocol.run_command(shell, "flood 1000000", console_mode_stdin=False)
    for _ in range(3):
        before = server.stats.bytes_out["Receive"]
        protocol.get_command_output_raw(shell, command)
        # What travels is the envelope plus its sealing frame.
        assert server.stats.bytes_out["Receive"] - before <= protocol.max_env_sz + 300


def test_streams_stay_in_the_order_of_writing(server: FakeServer) -> None:
    with server.wsman() as wsman, WinRS(wsman) as shell:
        process = Process(shell, "both", ["50"])
        process.invoke()
        assert process.stdout == b"".join(b"o%d;" % n for n in range(50))
        assert process.stderr == b"".join(b"e%d;" % n for n in range(50))


def test_a_command_may_last_longer_than_the_operation_timeout(server: FakeServer) -> None:
    protocol = server.protocol(operation_timeout_sec=1, read_timeout_sec=5)
    shell = protocol.open_shell()
    before = server.stats.faults[2150858793]
    assert run(protocol, shell, "sleep 2.3") == (b"slept\r\n", b"", 0)
    assert server.stats.faults[2150858793] - before >= 2


def test_end_of_input_and_console_mode(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "cat", console_mode_stdin=False)
    protocol.send_command_input(shell, command, b"one ")
    protocol.send_command_input(shell, command, b"two", end=True)
    assert protocol.get_command_output(shell, command) == (b"one two", b"", 0)

    # A console has no end of file: the command waits on.
    command = protocol.run_command(shell, "cat", console_mode_stdin=True)
    protocol.send_command_input(shell, command, b"three", end=True)
    assert protocol.get_command_output_raw(shell, command) == (b"three", b"", -1, False)
    protocol.cleanup_command(shell, command)


def test_input_for_a_process_that_has_ended(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "exit 0", console_mode_stdin=False)
    time.sleep(0.1)
    with pytest.raises(WSManFaultError, match="The pipe has been ended") as error:
        protocol.send_command_input(shell, command, b"late")
    assert error.value.wsman_fault_code == 109


def test_input_that_nobody_reads(server: FakeServer) -> None:
    protocol = server.protocol(operation_timeout_sec=1, read_timeout_sec=5)
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "deaf 20", console_mode_stdin=False)
    protocol.send_command_input(shell, command, b"fits into the pipe")
    with pytest.raises(Exception) as timeout:
        protocol.send_command_input(shell, command, b"x" * 100_000)
    assert type(timeout.value).__name__ == "WinRMOperationTimeoutError"
    with pytest.raises(WSManFaultError) as busy:
        protocol.send_command_input(shell, command, b"more")
    assert busy.value.wsman_fault_code == 170
    protocol.cleanup_command(shell, command)


@pytest.mark.parametrize(("signal", "code"), [(SignalCode.CTRL_C, 0xC000013A), (SignalCode.CTRL_BREAK, 0xC000013A)])
def test_interrupting_signals_end_the_command(server: FakeServer, signal: str, code: int) -> None:
    with server.wsman() as wsman, WinRS(wsman) as shell:
        process = Process(shell, "sleep", ["20"])
        process.begin_invoke()
        process.signal(signal)
        process.end_invoke()
        assert process.rc == code


def test_terminate_removes_the_command(server: FakeServer) -> None:
    with server.wsman() as wsman, WinRS(wsman) as shell:
        process = Process(shell, "sleep", ["20"])
        process.begin_invoke()
        process.signal(SignalCode.TERMINATE)
        with pytest.raises(PypsrpFault) as error:
            process.poll_invoke()
        assert error.value.code == 2150858843


def test_output_is_told_once(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "echo x", console_mode_stdin=False)
    protocol.get_command_output(shell, command)
    with pytest.raises(WSManFaultError) as error:
        protocol.get_command_output_raw(shell, command)
    assert error.value.wsman_fault_code == 2150858843


def test_who_hangs_up_while_waiting_takes_no_output_along(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "cat", console_mode_stdin=False)
    impatient = server.protocol(operation_timeout_sec=10, read_timeout_sec=11)
    impatient.open_shell()
    impatient.transport.read_timeout_sec = 0.3  # type: ignore[assignment]
    with pytest.raises(requests.exceptions.ReadTimeout):
        impatient.get_command_output_raw(shell, command)
    impatient.transport.close_session()
    time.sleep(0.1)
    protocol.send_command_input(shell, command, b"all of it", end=True)
    assert protocol.get_command_output(shell, command) == (b"all of it", b"", 0)


def test_two_connections_may_wait_for_one_command(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "cat", console_mode_stdin=False)
    received: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: received.append(server.protocol().get_command_output(shell, command)[0]))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    protocol.send_command_input(shell, command, b"once", end=True)
    for thread in threads:
        thread.join(10)
    assert sorted(received) == [b"", b"once"]


def test_deleting_a_shell_ends_its_commands_and_waiting_receives(server: FakeServer) -> None:
    protocol, other = server.protocol(), server.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "sleep 20")
    errors: list[Exception] = []

    def wait() -> None:
        try:
            other.get_command_output_raw(shell, command)
        except WSManFaultError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    protocol.close_shell(shell)
    thread.join(5)
    assert [error.wsman_fault_code for error in errors] == [995]  # type: ignore[attr-defined]
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, "echo x")
    assert error.value.wsman_fault_code == 2150858843


def test_shell_options(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell(
        env_vars={"GREETING": "Grüß", "path": r"C:\x"}, working_directory=r"C:\work", noprofile=True
    )
    output = run(protocol, shell, "set")[0].decode()
    assert "GREETING=Grüß" in output
    assert r"Path=C:\x" in output and "path=" not in output
    assert r"USERPROFILE=C:\Users\Default" in output
    assert run(protocol, shell, "cd")[0] == b"C:\\work\r\n"


def test_options_that_a_server_lacks(server: FakeServer) -> None:
    with pytest.raises(WSManFaultError) as error:
        server.protocol().open_shell(codepage=12345)
    assert error.value.wsman_fault_code == 87
    body = ET.Element("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}Shell")
    for attributes, refused in (({}, False), ({"MustComply": "true"}, True)):
        options = OptionSet()
        options.add_option("WINRS_TELEPATHY", "TRUE", attributes)
        with server.wsman() as wsman:
            if not refused:
                wsman.create(CMD_RESOURCE, body, option_set=options)
                continue
            with pytest.raises(PypsrpFault) as fault:
                wsman.create(CMD_RESOURCE, body, option_set=options)
            assert fault.value.code == 2150858834


def test_an_integer_idle_timeout_is_a_schema_fault(server: FakeServer) -> None:
    with pytest.raises(WSManFaultError) as error:
        server.protocol().open_shell(idle_timeout=3600)
    assert error.value.wsman_fault_code == 2150858817
    assert server.protocol().open_shell(idle_timeout="PT3600S")


def test_an_idle_shell_ends_with_its_processes(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell(idle_timeout="PT2S")
    protocol.run_command(shell, "sleep 30")
    time.sleep(1.2)
    protocol.run_command(shell, "echo in time")
    time.sleep(1.2)
    kept = next(iter(server.service.shells.values()))
    time.sleep(1.6)
    assert not server.service.shells
    assert not kept.commands
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, "echo late")
    assert error.value.wsman_fault_code == 2150858843


def test_a_waiting_receive_keeps_a_shell_from_being_idle(server: FakeServer) -> None:
    protocol = server.protocol(operation_timeout_sec=3, read_timeout_sec=6)
    shell = protocol.open_shell(idle_timeout="PT1S")
    assert run(protocol, shell, "sleep 2.5")[0] == b"slept\r\n"


def test_command_line_limits(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    fits = "echo " + "x" * (8191 - 5)
    assert len(run(protocol, shell, fits)[0]) == 8191 - 5 + 2
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, fits + "x")
    assert error.value.wsman_fault_code == 2147942606


def test_skipping_cmd_needs_a_full_path(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, "hostname", skip_cmd_shell=True)
    assert error.value.wsman_fault_code == 2147942402


def test_other_users_shells_are_as_good_as_none(server: FakeServer) -> None:
    shell = server.protocol().open_shell()
    with pytest.raises(WSManFaultError) as error:
        server.protocol("Ünïcode").run_command(shell, "echo x")
    assert error.value.wsman_fault_code == 2150858843


def test_wrong_password_unknown_user_and_no_rights(server: FakeServer) -> None:
    for user, password in (("Administrator", "wrong"), ("nobody", "x"), ("Administrator", "")):
        with pytest.raises(InvalidCredentialsError):
            server.protocol(user, password or " ").open_shell()
    with pytest.raises(WSManFaultError) as error:
        server.protocol("guestuser").open_shell()
    assert error.value.wsman_fault_code == 5


def test_unencrypted_messages_are_refused_by_default(server: FakeServer) -> None:
    plain = server.protocol(message_encryption="never")
    with pytest.raises(WinRMTransportError) as error:
        plain.open_shell()
    assert error.value.code == 500
    server.config(allow_unencrypted=True)
    assert plain.open_shell()


def test_basic_is_off_by_default(server: FakeServer) -> None:
    with pytest.raises(InvalidCredentialsError):
        server.protocol(transport="basic").open_shell()
    server.config(auth_basic=True)
    with pytest.raises(WinRMTransportError):
        server.protocol(transport="basic").open_shell()
    server.config(allow_unencrypted=True)
    assert server.protocol(transport="basic").open_shell()
    with pytest.raises(InvalidCredentialsError):
        server.protocol(password="wrong", transport="basic").open_shell()


def test_what_a_stranger_is_offered(server: FakeServer) -> None:
    reply = requests.post(server.url, timeout=5)
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Negotiate, Kerberos"
    assert not reply.content
    for header in (
        "Kerberos YII=",
        "NTLM TlRMTVNTUAABAAAA",
        "CredSSP AA==",
        "Negotiate !!",
        "Negotiate AAAA",
        "Bearer x",
    ):
        refused = requests.post(server.url, headers={"Authorization": header}, timeout=5)
        assert refused.status_code == 401
    assert requests.get(server.url, timeout=5).status_code == 405
    assert requests.post(server.url + "/other", timeout=5).status_code == 404


def test_a_sealed_message_on_a_new_connection_is_400(server: FakeServer) -> None:
    protocol = server.protocol()
    shell = protocol.open_shell()
    for connection in list(server.endpoint.connections):
        server.on_loop(connection.drop)
    # The first attempt may meet the reset itself; from then on every message is sealed with keys that nobody knows.
    with pytest.raises((requests.ConnectionError, WinRMTransportError)):
        protocol.run_command(shell, "echo x")
    for _ in range(2):
        with pytest.raises(WinRMTransportError) as error:
            protocol.run_command(shell, "echo x")
        assert error.value.code == 400
    protocol.transport.close_session()
    assert run(protocol, shell, "echo again")[0] == b"again\r\n"


def test_identify(server: FakeServer) -> None:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/>'
        "<s:Body><wsmid:Identify/></s:Body></s:Envelope>"
    )
    headers = {"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml;charset=UTF-8"}
    reply = requests.post(server.url, data=body, headers=headers, timeout=5)
    assert reply.status_code == 200
    assert "OS: 0.0.0 SP: 0.0 Stack: 3.0" in reply.text
    server.config(allow_unencrypted=True, auth_basic=True)
    known = requests.post(server.url, data=body, auth=("Administrator", "S3cret!pass"), timeout=5)
    assert "OS: 10.0.20348" in known.text


def test_config_shells_and_their_enumeration(server: FakeServer) -> None:
    with server.wsman() as wsman:
        wsman.update_max_payload_size()
        assert wsman.max_envelope_size == 500 * 1024
        with WinRS(wsman, name="mine") as shell:
            state = shell._get_shell()
            assert state["Name"] == "mine" and state["ShellId"] == shell.id
            assert state["IdleTimeOut"] == "PT7200.000S"
            listed = wsman.enumerate("http://schemas.microsoft.com/wbem/wsman/1/windows/shell")
            assert listed is not None
        with pytest.raises(PypsrpFault) as error:
            wsman.get("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service")
        assert error.value.code == 2150858752


def test_quotas(server: FakeServer) -> None:
    server.config(max_shells_per_user=2)
    protocol = server.protocol()
    first = protocol.open_shell()
    protocol.open_shell()
    with pytest.raises(WSManFaultError) as shells:
        protocol.open_shell()
    assert shells.value.wmierror_code == 2150859173

    server.config(max_processes_per_shell=1)
    protocol.run_command(first, "sleep 20")
    with pytest.raises(WSManFaultError):
        protocol.run_command(first, "echo x")


def test_operations_are_only_given_back_with_the_shell(server: FakeServer) -> None:
    server.config(max_concurrent_operations_per_user=5)
    protocol = server.protocol()
    shell = protocol.open_shell()
    for _ in range(5):
        assert run(protocol, shell, "exit 0")[2] == 0  # each is cleaned up, which gives nothing back
    with pytest.raises(WSManFaultError) as error:
        protocol.run_command(shell, "exit 0")
    assert error.value.wmierror_code == 2150859174
    protocol.close_shell(shell)
    assert run(protocol, protocol.open_shell(), "exit 0")[2] == 0


def test_several_shells_and_connections_at_once(server: FakeServer) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            protocol = server.protocol()
            shell = protocol.open_shell()
            for round_ in range(5):
                assert run(protocol, shell, f"echo {number}-{round_}")[0] == f"{number}-{round_}\r\n".encode()
            protocol.close_shell(shell)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert not server.service.shells


def test_authenticating_again_on_the_same_connection(server: FakeServer) -> None:
    """Some clients do that before every message (Go's winrm)."""
    identify = (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
        b'<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
    )
    connections = server.stats.connections
    contexts = []
    with requests.Session() as session:
        for _ in range(3):
            context = spnego.client(
                "Administrator", "S3cret!pass", protocol="ntlm", options=NegotiateOptions.wrapping_winrm
            )
            token, status = context.step(), 401
            while token is not None:
                reply = session.post(server.url, headers={"Authorization": "Negotiate " + b64(token)}, timeout=5)
                status = reply.status_code
                offered = reply.headers.get("WWW-Authenticate", "").partition(" ")[2]
                token = context.step(base64.b64decode(offered)) if status == 401 else None
            assert status == 200
            contexts.append(context)
            reply = session.post(server.url, data=sealed(context, identify), headers=SEALED, timeout=5)
            assert reply.status_code == 200 and reply.headers["Content-Type"] == SEALED["Content-Type"]
        # Only the latest keys open anything.
        assert (
            session.post(server.url, data=sealed(contexts[0], identify), headers=SEALED, timeout=5).status_code == 400
        )
    assert server.stats.connections == connections + 1


SEALED = {
    "Content-Type": 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sealed(context: spnego.ContextProxy, message: bytes) -> bytes:
    """A sealed message whose part headers have no leading tab, as Ruby's client writes them."""
    result = context.wrap_winrm(message)
    return (
        b"--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
        b"OriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
        b"--Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n"
        % len(message)
        + struct.pack("<I", len(result.header))
        + result.header
        + result.data
        + b"--Encrypted Boundary--\r\n"
    )


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "length", "boundary"])
def test_a_damaged_sealed_message_is_400(server: FakeServer, damage: str) -> None:
    protocol = server.protocol()
    protocol.open_shell()
    session = protocol.transport.session
    assert session is not None and protocol.transport.encryption is not None
    prepared = protocol.transport.encryption.prepare_encrypted_request(session, server.url, b"<x/>")
    body = prepared.body
    assert isinstance(body, bytes)
    prepared.body = {
        "cut": body[:-30],
        "changed": body[:-30] + bytes([body[-30] ^ 1]) + body[-29:],
        "empty": b"--Encrypted Boundary--\r\n",
        "length": body.replace(b"Length=4", b"Length=99999"),
        "boundary": body.replace(b"Encrypted Boundary", b"Other Boundary"),
    }[damage]
    prepared.headers["Content-Length"] = str(len(prepared.body))
    assert session.send(prepared).status_code == 400


@pytest.mark.parametrize(
    "body", [b"<not xml", b"<other/>", b"<s:Envelope xmlns:s='x'><s:Header/></s:Envelope>", b"\xff\xfe"]
)
def test_what_is_no_envelope_is_a_fault(server: FakeServer, body: bytes) -> None:
    server.config(allow_unencrypted=True, auth_basic=True)
    reply = requests.post(server.url, data=body, auth=("Administrator", "S3cret!pass"), timeout=5)
    assert reply.status_code == 500
    assert "WSManFault" in reply.text


def test_passwords_do_not_reach_the_log(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="winlab")
    server.config(allow_unencrypted=True, auth_basic=True)
    for transport in ("ntlm", "basic"):
        protocol = server.protocol(transport=transport)
        shell = protocol.open_shell(env_vars={"SECRET": "hunter2-in-env"})
        run(protocol, shell, "echo hunter2-in-command")
        with pytest.raises(InvalidCredentialsError):
            server.protocol(password="hunter2-wrong", transport=transport).open_shell()
    assert caplog.text
    assert "S3cret!pass" not in caplog.text and "hunter2" not in caplog.text
