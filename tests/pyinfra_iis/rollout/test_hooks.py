"""Hooks: commands and functions on the controlling machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pyinfra_iis.rollout.hooks import Event, HookError, run

EVENT = Event("before", "web1", "r2", "r1", "shop", 3)


def test_a_command_finds_the_event_in_its_environment() -> None:
    lines = run(
        'echo "$PYINFRA_IIS_WHEN $PYINFRA_IIS_HOST"; echo "$PYINFRA_IIS_RELEASE $PYINFRA_IIS_PREVIOUS"', EVENT, 5
    )
    assert lines == ["before web1", "r2 r1"]
    lines = run(["sh", "-c", 'echo "$0 $PYINFRA_IIS_APP $PYINFRA_IIS_WAVE [$PYINFRA_IIS_OUTCOME]"', "a b"], EVENT, 5)
    assert lines == ["a b shop 3 []"]


def test_a_function_gets_the_event() -> None:
    seen: list[Event] = []
    run(seen.append, EVENT, 5)
    assert seen == [EVENT]


def no(event: Event) -> bool:
    return False


def broken(event: Event) -> None:
    raise KeyError(event.host)


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ("echo first; echo pool is locked >&2; exit 7", "the hook 'echo' ended with exit code 7: pool is locked"),
        (["no-such-program", "x"], "the hook 'no-such-program' cannot be run: No such file or directory"),
        (no, "the hook no said no"),
        (broken, "the hook broken failed: KeyError: 'web1'"),
    ],
)
def test_failures_are_one_sentence(hook: object, sentence: str) -> None:
    with pytest.raises(HookError) as error:
        run(hook, EVENT, 5)  # type: ignore[arg-type]
    assert str(error.value) == sentence


def test_a_hook_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    began = time.monotonic()
    with pytest.raises(HookError, match=r"did not end within 0\.5 s and was ended"):
        run(f"(sleep 2; touch {mark}) & sleep 60", EVENT, 0.5)
    assert time.monotonic() - began < 5
    time.sleep(2)
    assert not mark.exists()
