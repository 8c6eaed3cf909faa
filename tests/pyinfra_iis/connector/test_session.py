from __future__ import annotations

import io
import os
import time

import pytest

from pyinfra_iis.connector import files, frames, session
from pyinfra_iis.connector.errors import LoopLost, MayHaveRun, Unauthorized, WireError
from pyinfra_iis.connector.session import NoLoop, Session
from pyinfra_iis.connector.wire import Wire

from .fake import FakeProtocol, FakeServer, settings


def connect(**more: object) -> tuple[FakeServer, Session]:
    server = FakeServer()
    config = settings(**more)
    return server, Session(config, Wire(config, FakeProtocol(server)))


def run(one: Session, script: str, **more: object) -> tuple[int, list[tuple[str, bytes]]]:
    got: list[tuple[str, bytes]] = []
    result = one.request(
        frames.RUN,
        {},
        script.encode(),
        on_output=lambda name, data: got.append((name, data)),
        on_restart=got.clear,
        **more,
    )
    return result.exit_code, got


def test_a_hundred_commands_are_one_process_and_two_requests_each() -> None:
    server, one = connect()
    one.open()
    before = len(server.actions)
    for number in range(100):
        assert run(one, f"out {number}") == (0, [("stdout", b"%d\n" % number)])
    assert len(server.actions) - before == 200
    assert server.starts == 1


def test_streams_exit_code_and_stray_output() -> None:
    _, one = connect()
    assert run(one, "out a\nerr b\nraw stray\nout c\nexit 7") == (
        7,
        [("stdout", b"a\n"), ("stderr", b"b\n"), ("stdout", b"stray\n"), ("stdout", b"c\n")],
    )


@pytest.mark.parametrize("action", ["Send", "Receive"])
@pytest.mark.parametrize("trouble", ["drop-before", "drop-after", 400, 170, "slow", 401, "html"])
def test_trouble_with_one_request_is_survived_and_the_command_runs_once(action: str, trouble: object) -> None:
    server, one = connect()
    run(one, "out before")
    server.trouble[action] = [trouble]
    assert run(one, "out a\nout b") == (0, [("stdout", b"a\n"), ("stdout", b"b\n")])
    assert server.ran.count("out a\nout b") == 1
    assert server.starts == 1


def test_first_request_of_a_process_may_arrive_twice() -> None:
    server, one = connect()
    one.open()
    server.trouble["Send"] = ["drop-after"]
    assert run(one, "out a")[0] == 0
    assert server.ran == ["out a"]


@pytest.mark.parametrize("action", ["Create", "Command"])
@pytest.mark.parametrize("trouble", ["drop-before", "drop-after", 400, 170])
def test_trouble_while_connecting(action: str, trouble: object) -> None:
    server, one = connect()
    server.trouble[action] = [trouble]
    assert run(one, "out a")[0] == 0


def test_a_lost_shell_before_a_command_is_opened_again() -> None:
    server, one = connect()
    run(one, "out a")
    server.shells.clear()
    assert run(one, "out b") == (0, [("stdout", b"b\n")])
    assert server.ran == ["out a", "out b"]


def test_a_command_that_may_have_run_is_not_run_again() -> None:
    server, one = connect()
    run(one, "out a")
    with pytest.raises(MayHaveRun, match="not run again"):
        run(one, "out half\ndie")
    assert server.ran == ["out a", "out half\ndie"]
    assert run(one, "out b")[0] == 0


def test_a_command_marked_safe_is_run_again() -> None:
    server, one = connect()
    run(one, "out a")
    server.trouble["Send"] = ["lose-shell"]
    assert run(one, "out b", safe=True) == (0, [("stdout", b"b\n")])
    assert server.ran == ["out a", "out b", "out b"]


def test_a_server_that_goes_away_after_the_command_was_sent() -> None:
    server, one = connect()
    run(one, "out a")
    server.trouble["Receive"] = ["drop-after"]
    server.trouble["Send"] = [None] + ["unreachable"] * 1000
    with pytest.raises(MayHaveRun, match="may have run"):
        run(one, "out b")
    assert server.ran.count("out b") == 1


def test_a_wrong_password_says_so() -> None:
    server, one = connect()
    server.trouble["Create"] = [401] * 9
    with pytest.raises(Unauthorized) as caught:
        one.open()
    assert "winrm_password" in caught.value.sentence("win1")
    assert "S3cret" not in caught.value.sentence("win1") + repr(caught.value)


def test_a_deadline_ends_the_process_and_the_next_command_works() -> None:
    server, one = connect()
    run(one, "out a")
    with pytest.raises(TimeoutError):
        run(one, "hang", deadline=time.monotonic() + 0.1)
    assert not server.shells
    assert run(one, "out b")[0] == 0
    assert server.starts == 2


def test_mangled_bytes_make_it_fall_back_to_base64() -> None:
    server, one = connect()
    server.mangle = lambda data: bytes(b if b < 128 else 63 for b in data)
    assert run(one, "out a" + "x" * 500_000)[0] == 0
    assert one._in_mode == "B64"


def test_a_policy_that_forbids_the_loop_is_noticed() -> None:
    server, one = connect()
    server.refuses_loop = (
        "Cannot invoke method. Method invocation is supported only on core types in this language mode."
    )
    with pytest.raises(NoLoop, match="language mode"):
        one.open()
    assert not server.shells


def test_a_smaller_envelope_is_found_by_itself() -> None:
    server, one = connect()
    server.envelope = 153_600
    script = "out a\n" + "\n".join(f"# {os.urandom(30).hex()}" for _ in range(9000))
    assert run(one, script)[0] == 0
    assert one.wire.envelope_size == 153_600
    assert server.ran == [script]


def test_the_process_is_recycled() -> None:
    server, one = connect(winrm_recycle_after=3)
    for _ in range(7):
        run(one, "out a")
    assert server.starts == 3
    assert len(server.shells) == 1


CONTENTS = {
    "empty": b"",
    "small": b"hello\r\n",
    "random": os.urandom(3_000_001),
    "text": b"a line of text that packs well\n" * 100_000,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_files_there_and_back(name: str) -> None:
    server, one = connect()
    files.put(one, io.BytesIO(CONTENTS[name]), "C:\\x y\\ö.bin")
    assert server.files["C:\\x y\\ö.bin"] == CONTENTS[name]
    target = io.BytesIO()
    files.get(one, "C:\\x y\\ö.bin", target)
    assert target.getvalue() == CONTENTS[name]
    assert not server.parts


def test_text_is_packed() -> None:
    server, one = connect()
    one.open()
    before = server.actions.count("Send")
    files.put(one, io.BytesIO(CONTENTS["text"]), "C:\\t")
    assert server.actions.count("Send") - before == 1


@pytest.mark.parametrize("trouble", ["drop-before", "drop-after", 400, 413, 170, "slow", "lose-shell"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_file_arrives_whole_through_trouble(trouble: object, at: int) -> None:
    server, one = connect()
    one.open()
    server.trouble["Send"] = [None] * at + [trouble]
    files.put(one, io.BytesIO(CONTENTS["random"]), "C:\\r")
    assert server.files["C:\\r"] == CONTENTS["random"]


@pytest.mark.parametrize("trouble", ["drop-before", "drop-after", 400, 170, "slow", "lose-shell"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_file_comes_back_whole_through_trouble(trouble: object, at: int) -> None:
    server, one = connect()
    server.files["C:\\r"] = CONTENTS["random"]
    one.open()
    server.trouble["Receive"] = [None] * at + [trouble]
    target = io.BytesIO()
    files.get(one, "C:\\r", target)
    assert target.getvalue() == CONTENTS["random"]


def test_an_interrupted_upload_leaves_the_old_file_and_goes_on_where_it_stopped() -> None:
    server, one = connect()
    server.files["C:\\r"] = b"old"
    one.open()
    server.trouble["Send"] = [None] * 4 + ["unreachable"] * 1000
    with pytest.raises(WireError):
        files.put(one, io.BytesIO(CONTENTS["random"]), "C:\\r")
    assert server.files["C:\\r"] == b"old"
    server.trouble["Send"].clear()
    server.trouble["Send"] = [None] * 5 + ["lose-shell"]
    before = server.actions.count("Send")
    files.put(one, io.BytesIO(CONTENTS["random"]), "C:\\r")
    assert server.files["C:\\r"] == CONTENTS["random"]
    assert server.actions.count("Send") - before < 16  # not all of it twice


def test_the_loop_is_ascii_and_the_loader_short() -> None:
    assert len(session.loader(len(session.loop_text()), "a" * 16)) < 1000
    assert "$input" not in session.loader(1, "a").lower()
    assert session.loop_text().isascii()


def test_lost_loop_has_a_sentence() -> None:
    assert LoopLost("gone", "do").sentence("h") == "h: gone - do"


def test_a_transfer_outlives_the_time_for_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHECK_EVERY", 2)
    server, one = connect(winrm_recycle_after=2)
    for _ in range(2):
        run(one, "out a")
    files.put(one, io.BytesIO(CONTENTS["random"]), "C:\\r")
    assert server.files["C:\\r"] == CONTENTS["random"]
    assert server.starts == 2
