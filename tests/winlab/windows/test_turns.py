"""Turns at the processor for threads of simulated processes."""

from __future__ import annotations

import threading
import time

from winlab.windows import turns
from winlab.windows.pipes import Pipe
from winlab.windows.turns import Turns


def _threads(count: int, work: object) -> list[threading.Thread]:
    made = [threading.Thread(target=work, daemon=True) for _ in range(count)]  # type: ignore[arg-type]
    for thread in made:
        thread.start()
    return made


def test_no_more_than_so_many_at_a_time() -> None:
    some = Turns(2, patience=60)
    lock = threading.Lock()
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        for _ in range(20):
            turn = some.take()
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.0005)
            with lock:
                running -= 1
            some.give(turn)

    for thread in _threads(6, work):
        thread.join(30)
        assert not thread.is_alive()
    assert most == 2
    assert not some.wanted


def test_who_waits_without_saying_so_holds_up_nobody_for_long() -> None:
    some = Turns(2, patience=0.3)
    stuck = [some.take(), some.take()]
    began = time.monotonic()

    def work() -> None:
        for _ in range(50):
            some.give(some.take())

    for thread in _threads(3, work):
        thread.join(10)
        assert not thread.is_alive()
    assert 0.3 <= time.monotonic() - began < 10  # not once more for each
    for turn in stuck:
        some.give(turn)
    last = [some.take(), some.take()]  # as many as at first, and no more
    later = _threads(1, work)[0]
    later.join(0.02)
    assert later.is_alive()
    for turn in last:
        some.give(turn)
    later.join(10)
    assert not later.is_alive()


def test_the_order_is_that_of_asking() -> None:
    some = Turns(1, patience=60)
    first = some.take()
    order: list[int] = []

    def ask(number: int) -> None:
        turn = some.take()
        order.append(number)
        some.give(turn)

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=ask, args=(number,), daemon=True))
        threads[-1].start()
        while len(some._queue) <= number:
            time.sleep(0.001)
    some.give(first)
    for thread in threads:
        thread.join(10)
    assert order == list(range(5))


def test_waiting_for_a_pipe_takes_no_turn() -> None:
    pipe = Pipe()
    read: list[bytes] = []

    def reader() -> None:
        turns.enter()
        read.append(pipe.read())
        turns.leave()

    readers = _threads(turns.COUNT * 3, reader)
    done = threading.Event()

    def other() -> None:
        turns.enter()
        done.set()
        turns.leave()

    began = time.monotonic()
    _threads(1, other)
    assert done.wait(10)
    assert time.monotonic() - began < turns.PATIENCE
    for _ in readers:
        pipe.write(b"x" * 65536)
    pipe.close_write()
    for thread in readers:
        thread.join(10)
        assert not thread.is_alive()


def test_threads_that_take_no_part_do_not_wait() -> None:
    with turns.aside():
        pass
    turns.pass_on()
    turns.leave()
    assert turns._thread.turn is None
