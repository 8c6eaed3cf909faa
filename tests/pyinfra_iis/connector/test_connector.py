from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import click
import pytest
from pyinfra.api import Config, HiddenValue, Inventory, State, StringCommand, output
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host

from pyinfra_iis.connector import SafeToRepeat, WinRMConnector, wire

from .fake import FakeProtocol, FakeServer

PASSWORD = "S3cret-Passw0rd"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    found = FakeServer()
    monkeypatch.setattr(wire, "make_protocol", lambda settings: FakeProtocol(found))
    monkeypatch.setenv("WINRM_PASSWORD", PASSWORD)
    monkeypatch.setattr(output, "_echo", click.echo)
    return found


def host(**data: Any) -> Host:
    data = {"winrm_user": "Administrator", "winrm_reconnect_timeout": 1, **data}
    inventory = Inventory((["@winrm/win1"], data))
    State(inventory, Config())
    return inventory.get_host("@winrm/win1")


def test_names() -> None:
    assert list(WinRMConnector.make_names_data("win1")) == [("@winrm/win1", {"winrm_hostname": "win1"}, [])]


def test_a_command(server: FakeServer) -> None:
    one = host()
    one.connect(raise_exceptions=True)
    status, came = one.run_shell_command(StringCommand("out a\nerr b\nexit 0"))
    assert status and came.stdout == "a" and came.stderr == "b"
    status, came = one.run_shell_command("exit 3")
    assert not status
    assert one.run_shell_command("exit 3", _success_exit_codes=[0, 3])[0]
    one.disconnect()
    assert not server.shells


def test_env_may_be_hidden(server: FakeServer, capfd: pytest.CaptureFixture[str]) -> None:
    one = host()
    status, came = one.run_shell_command("env A", _env={"A": HiddenValue("h1dden")}, print_input=True)
    assert status and came.stdout == "h1dden"
    assert "h1dden" not in "".join(capfd.readouterr())


def test_hidden_parts_of_a_command_are_sent_and_not_shown(
    server: FakeServer, capfd: pytest.CaptureFixture[str]
) -> None:
    one = host()
    one.run_shell_command(StringCommand("out", HiddenValue("h1dden")), print_input=True)
    assert server.ran == ["out h1dden"]
    err = capfd.readouterr().err
    assert "h1dden" not in err and "out *MASKED*" in err


@pytest.mark.parametrize(
    ("argument", "word"),
    [("_sudo", "sudo"), ("_sudo_user", "sudo"), ("_su_user", "su"), ("_doas", "doas"), ("_use_sudo_login", "sudo"),
     ("_use_su_login", "su"), ("_get_pty", "terminal")],
)  # fmt: skip
def test_what_windows_does_not_have_is_refused(server: FakeServer, argument: str, word: str) -> None:
    one = host()
    status, came = one.run_shell_command("out a", **{argument: True})
    assert not status and word in came.stderr and argument in came.stderr and len(came.stderr_lines) == 1
    assert not server.ran
    assert not one.put_file(io.BytesIO(b"x"), "C:\\x", **{argument: True})


def test_output_is_printed_as_lines(server: FakeServer, capfd: pytest.CaptureFixture[str]) -> None:
    host().run_shell_command("out a\nerr b", print_output=True)
    err = capfd.readouterr().err
    assert "win1" in err and "a" in err and "b" in err


def test_a_lost_connection_is_a_failed_command_with_one_sentence(server: FakeServer) -> None:
    one = host()
    one.connect(raise_exceptions=True)
    status, came = one.run_shell_command("out half\ndie")
    assert not status
    assert came.stdout == "half"
    assert len(came.stderr_lines) == 1 and came.stderr.startswith("win1: ") and "not run again" in came.stderr


def test_safe_commands_are_repeated(server: FakeServer) -> None:
    one = host()
    one.connect(raise_exceptions=True)
    server.trouble["Send"] = ["lose-shell"]
    assert one.run_shell_command(SafeToRepeat("out a"))[0]
    assert server.ran == ["out a", "out a"]


def test_timeout(server: FakeServer) -> None:
    one = host()
    with pytest.raises(TimeoutError, match="did not end within 1 s"):
        one.run_shell_command("hang", _timeout=1)
    assert one.run_shell_command("out a")[0]


def test_a_failed_connection_is_one_sentence(server: FakeServer) -> None:
    server.trouble["Create"] = ["unreachable"] * 9
    with pytest.raises(ConnectError, match=r"win1: port 5985 is not reachable .* - check"):
        host().connect(show_errors=False, raise_exceptions=True)


def test_the_process_per_command_is_said_once(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    server.refuses_loop = "only on core types in this language mode"
    one = host()
    with caplog.at_level(logging.WARNING, "pyinfra"):
        one.connect(raise_exceptions=True)
    assert "each command starts one of its own" in caplog.text
    status, came = one.run_shell_command("anything")
    assert not status and "core types" in came.stderr
    one.run_shell_command("anything")
    assert caplog.text.count("each command starts one of its own") == 1
    assert server.starts == 3


def test_files(server: FakeServer, tmp_path: Path) -> None:
    one = host()
    (tmp_path / "a").write_bytes(b"hello")
    assert one.put_file(str(tmp_path / "a"), "C:\\a")
    assert one.put_file(io.StringIO("text ü"), "C:\\b")
    assert server.files == {"C:\\a": b"hello", "C:\\b": "text ü".encode()}
    assert one.get_file("C:\\a", str(tmp_path / "c"))
    assert (tmp_path / "c").read_bytes() == b"hello"
    target, text = io.BytesIO(), io.StringIO()
    assert one.get_file("C:\\b", target) and one.get_file("C:\\b", text)
    assert target.getvalue() == "text ü".encode() and text.getvalue() == "text ü"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "c"]


def test_settings_that_are_wrong_are_named(server: FakeServer) -> None:
    for data, words in (
        ({"winrm_transport": "magic"}, "winrm_transport"),
        ({"winrm_transport": "basic", "winrm_port": 5985, "winrm_https": False}, "in the clear"),
        ({"winrm_message_encryption": "never"}, "in the clear"),
        ({"winrm_usr": "a"}, "did you mean winrm_user"),
        ({"winrm_ca_file": "/no/such"}, "winrm_ca_file"),
        ({"winrm_user": ""}, "winrm_user"),
        ({"winrm_transport": "certificate", "winrm_https": True}, "winrm_certificate"),
    ):
        with pytest.raises(ConnectError, match=words):
            host(**data).connect(show_errors=False, raise_exceptions=True)


@pytest.mark.parametrize("how", ["text", "hidden", "function", "function of the host", "environment"])
def test_the_password_is_shown_nowhere(
    server: FakeServer, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WINRM_PASSWORD", PASSWORD if how == "environment" else "other")
    password: Any = {
        "text": PASSWORD, "hidden": HiddenValue(PASSWORD), "function": lambda: PASSWORD,
        "function of the host": lambda name: PASSWORD if name == "win1" else "",
    }.get(how)  # fmt: skip
    with caplog.at_level(logging.DEBUG):
        one = host(**({} if how == "environment" else {"winrm_password": password}))
        one.connect(raise_exceptions=True)
        one.run_shell_command("out a")
    connector = one.connector
    assert isinstance(connector, WinRMConnector) and connector.settings is not None
    assert connector.settings.password.unmask() == PASSWORD
    shown = [
        json.dumps(one.data.dict(), default=repr), str(one.data.dict()), repr(connector.data), repr(connector.settings),
        repr(vars(connector)), caplog.text,
    ]  # fmt: skip
    assert PASSWORD not in "".join(shown)
