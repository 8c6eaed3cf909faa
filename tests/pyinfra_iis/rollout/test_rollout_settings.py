"""The setting `rollout`: what is taken, and what is refused with one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.settings import Rollout, SettingsError, WebSettings, from_data


def settings(tmp_path: Path, rollout: Any) -> WebSettings:
    return from_data({"web_project": tmp_path, "web_application": "main:app", "web_rollout": rollout}, WebSettings)


def test_all_of_it(tmp_path: Path) -> None:
    def hook(event: object) -> None: ...

    given = {
        "canary": ["web1"], "waves": [5, "25%"], "pause": 60, "budget": "10%", "on_failure": "keep", "drain": 15,
        "before": "lb out $PYINFRA_IIS_HOST", "after": hook, "hook_timeout": 20, "record": "",
    }  # fmt: skip
    made = settings(tmp_path, given).rollout
    assert made is not None
    assert made.canary == ("web1",) and made.waves == (5, "25%") and made.budget == "10%" and made.after is hook
    assert settings(tmp_path, {"canary": "web1", "waves": "50%"}).rollout == Rollout(canary=("web1",), waves=("50%",))
    assert settings(tmp_path, {"before": ["lb", "out"]}).rollout == Rollout(before=("lb", "out"))


def test_it_is_no_part_of_the_release(tmp_path: Path) -> None:
    assert settings(tmp_path, {"canary": 1}).model_dump_json() == settings(tmp_path, None).model_dump_json()


@pytest.mark.parametrize(
    ("rollout", "sentence"),
    [
        ({"canary": -1}, "web_rollout.canary: -1 is no number of hosts"),
        ({"canary": True}, "web_rollout.canary: True is no number of hosts"),
        ({"waves": [5, "a few"]}, "web_rollout.waves: 'a few' is neither a number of hosts nor a percentage"),
        ({"waves": [0]}, "web_rollout.waves: 0 is less than 1"),
        ({"waves": ["120%"]}, "web_rollout.waves: '120%' is not between 1% and 100%"),
        ({"budget": "many"}, "web_rollout.budget: 'many' is neither"),
        ({"pause": -5}, "web_rollout.pause: input should be greater than or equal to 0"),
        ({"on_failure": "cry"}, "web_rollout.on_failure: input should be 'back' or 'keep'"),
        ({"before": " "}, "web_rollout.before: is empty"),
        ({"canaries": 1}, "web_rollout.canaries is no setting of this deploy"),
    ],
)
def test_refusals(tmp_path: Path, rollout: Any, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings(tmp_path, rollout)
    assert str(error.value).startswith(sentence)
