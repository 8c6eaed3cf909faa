"""Commands on whole simulated servers, over the wire: text, bytes, input, exit codes, many at once."""

from __future__ import annotations

import threading
import time

import pytest
import requests
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from winrm import Protocol

from tests.winlab.lab.conftest import LabCommand


def run(
    protocol: Protocol, line: str, *, stdin: list[bytes] | None = None, codepage: int = 65001
) -> tuple[str, str, int]:
    shell = protocol.open_shell(codepage=codepage)
    command = protocol.run_command(shell, line, console_mode_stdin=False)
    for number, part in enumerate(stdin or []):
        protocol.send_command_input(shell, command, part, end=number == len(stdin or []) - 1)
    out, err, code = protocol.get_command_output(shell, command)
    protocol.close_shell(shell, close_session=False)
    encoding = "utf-8" if codepage == 65001 else f"cp{codepage}"
    return out.decode(encoding), err.decode(encoding), code


@pytest.mark.parametrize(
    ("line", "out", "code"),
    [
        ("echo hello", "hello\r\n", 0),
        ("exit 3", "", 3),
        ("exit -1", "", 4294967295),
        ("cmd /c exit 5 & exit /b 6", "", 6),
        ("hostname", "SRV1\r\n", 0),
        ("echo %COMPUTERNAME%\\%USERNAME%", "SRV1\\Administrator\r\n", 0),
        ("cd", "C:\\Users\\Administrator\r\n", 0),
        ('if 1==1 (echo "yes & no") else echo no', '"yes & no"\r\n', 0),
        ("echo ünï 日本 🙂", "ünï 日本 🙂\r\n", 0),
    ],
)
def test_commands(running_lab: LabCommand, line: str, out: str, code: int) -> None:
    assert run(running_lab.protocol(), line) == (out, "", code)


def test_an_unknown_command(running_lab: LabCommand) -> None:
    out, err, code = run(running_lab.protocol(), "nonsense")
    assert (out, code) == ("", 1)
    assert "'nonsense' is not recognized as an internal or external command" in err


def test_the_console_code_page(running_lab: LabCommand) -> None:
    assert run(running_lab.protocol(), "echo üß", codepage=437)[0] == "üß\r\n"
    assert run(running_lab.protocol(), "echo üß日", codepage=850)[0] == "üß?\r\n"


def test_input(running_lab: LabCommand) -> None:
    out, _, code = run(
        running_lab.protocol(), 'cmd /v:on /c "set /p x=& set /p y=& echo !y! !x!"', stdin=[b"one\r\ntw", b"o\r\n"]
    )
    assert (out, code) == ("two one\r\n", 0)


def test_megabytes_of_output(running_lab: LabCommand) -> None:
    line = "for /L %i in (1,1,20000) do @echo %i " + "x" * 80
    out, _, _ = run(running_lab.protocol(), line)
    assert out == "".join(f"{number} {'x' * 80}\r\n" for number in range(1, 20001))


def test_both_streams(running_lab: LabCommand) -> None:
    assert run(running_lab.protocol(), "echo out& echo err>&2& exit 2") == ("out\r\n", "err\r\n", 2)


def test_a_command_longer_than_the_operation_timeout(running_lab: LabCommand) -> None:
    protocol = running_lab.protocol(operation_timeout_sec=1, read_timeout_sec=5)
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "set /p x=& echo done", console_mode_stdin=False)
    other = running_lab.protocol()
    timer = threading.Timer(2.5, other.send_command_input, (shell, command, b"go\r\n"))
    timer.start()
    assert protocol.get_command_output(shell, command) == (b"done\r\n", b"", 0)
    timer.join()


@pytest.mark.parametrize("signal", [SignalCode.CTRL_C, SignalCode.CTRL_BREAK])
def test_signals_end_the_whole_tree(running_lab: LabCommand, signal: str) -> None:
    status = running_lab.json("status")
    address = status["hosts"][0]["address"]
    with (
        WSMan(
            address, port=5985, ssl=False, auth="ntlm", username="Administrator", password=status["password"]
        ) as wsman,
        WinRS(wsman) as shell,
    ):
        process = Process(shell, "cmd", ["/c", "cmd /c set /p x="])
        process.begin_invoke()
        time.sleep(0.2)
        process.signal(signal)
        process.end_invoke()
        assert process.rc == 0xC000013A


def test_deleting_the_shell_ends_its_processes(running_lab: LabCommand) -> None:
    def shells() -> int:
        return int(running_lab.json("status")["hosts"][0]["shells"])

    before = shells()
    protocol = running_lab.protocol()
    shell = protocol.open_shell()
    protocol.run_command(shell, "set /p x=")
    assert shells() == before + 1
    protocol.close_shell(shell)
    assert shells() == before


def test_many_clients_on_all_servers(running_lab: LabCommand) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            protocol = running_lab_protocols[number]
            for round_ in range(3):
                expected = f"SRV{number % 2 + 1} {number}.{round_}\r\n"
                got = run(protocol, f"echo %COMPUTERNAME% {number}.{round_}")[0]
                if got != expected:
                    wrong.append((got, expected))
        except Exception as error:
            wrong.append(error)

    running_lab_protocols = [running_lab.protocol(number % 2 + 1) for number in range(16)]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


def test_state_hash_names_what_a_command_changed(running_lab: LabCommand) -> None:
    def state() -> dict[str, str]:
        return dict(running_lab.json("state-hash", "SRV1")["durable"])

    protocol = running_lab.protocol()
    run(protocol, "ver")  # the first logon makes a profile
    before = state()
    assert run(protocol, "sc stop Spooler")[2] == 0
    assert {name for name, value in state().items() if before.get(name) != value} == {"service: Spooler"}
    assert run(protocol, "sc start Spooler")[2] == 0
    assert state() == before
    script = r"New-Item -Path HKLM:\SOFTWARE\Acme | Out-Null"
    assert run(protocol, f'powershell -NoProfile -Command "{script}"')[2] == 0
    assert {name for name, value in state().items() if before.get(name) != value} == {
        r"registry: HKEY_LOCAL_MACHINE\SOFTWARE\Acme"
    }


def test_status_shows_sites(running_lab: LabCommand) -> None:
    script = "Install-WindowsFeature Web-Server | Out-Null"
    assert run(running_lab.protocol(2), f'powershell -NoProfile -Command "{script}"')[2] == 0
    address = running_lab.json("status")["hosts"][1]["address"]
    sites = running_lab.json("status")["hosts"][1]["sites"]
    assert sites == [{"name": "Default Web Site", "state": "Started", "urls": [f"http://{address}:80/"]}]
    assert requests.get(sites[0]["urls"][0], timeout=10).status_code == 200
    assert f"http://{address}:80/" in running_lab("status")
