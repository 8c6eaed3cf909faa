from __future__ import annotations

import threading

import pytest

from winlab.windows.errors import WindowsError
from winlab.windows.pipes import Pipe


def test_order_and_end_of_file() -> None:
    pipe = Pipe()
    pipe.write(b"hello ")
    pipe.write(b"world")
    assert pipe.read(3) == b"hel"
    pipe.close_write()
    assert pipe.read_all() == b"lo world"
    assert pipe.read() == b"" and pipe.at_eof


def test_reader_waits_for_the_last_writer() -> None:
    pipe = Pipe()
    pipe.add_writer()
    pipe.add_writer()
    pipe.write(b"x")
    pipe.release_writer()
    assert pipe.read() == b"x"
    with pytest.raises(TimeoutError):
        pipe.read(timeout=0.02)
    pipe.release_writer()
    assert pipe.read() == b""


def test_writer_waits_for_room_and_learns_of_a_closed_reader() -> None:
    pipe = Pipe(capacity=4)
    pipe.write(b"12345")
    with pytest.raises(WindowsError) as caught:
        pipe.write(b"6", timeout=0.02)
    assert caught.value.code == 121
    thread = threading.Thread(target=lambda: (pipe.read(5), pipe.close_read()))
    thread.start()
    thread.join()
    with pytest.raises(WindowsError) as caught:
        pipe.write(b"7")
    assert caught.value.code == 232


def test_lines_unread_and_listeners() -> None:
    pipe = Pipe()
    seen = []
    pipe.add_listener(lambda: seen.append(pipe.available))
    pipe.write(b"one\ntw")
    pipe.write(b"o\nrest")
    assert pipe.readline() == b"one\n"
    assert pipe.readline() == b"two\n"
    pipe.unread(b"un")
    pipe.close_write()
    assert pipe.readline() == b"unrest"
    assert seen
