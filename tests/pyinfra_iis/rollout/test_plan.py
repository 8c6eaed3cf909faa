"""Dividing a fleet into waves: examples, and what holds for every fleet."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_iis.rollout.plan import PlanError, Share, allowed_failures, check_share, count, plan

FLEET = [f"@winrm/web{number}" for number in range(1, 21)]

numbers = st.integers(1, 30)
percentages = st.integers(1, 100).map(lambda number: f"{number}%")
shares = st.one_of(numbers, percentages)
fleets = st.integers(0, 60).map(lambda number: [f"@winrm/h{index}" for index in range(number)])


def sizes(canary: int | list[str], waves: list[Share]) -> list[int]:
    return [len(wave.hosts) for wave in plan(FLEET, canary, waves)]


def test_examples() -> None:
    assert sizes(0, []) == [20]
    assert sizes(1, []) == [1, 19]
    assert sizes(1, [5, "25%"]) == [1, 5, 5, 5, 4]
    assert sizes(2, ["10%", "50%"]) == [2, 2, 10, 6]
    assert sizes(["web7", "@winrm/web3"], [10]) == [2, 10, 8]
    assert plan(FLEET, ["web7", "@winrm/web3"])[0].hosts == ("@winrm/web3", "@winrm/web7")
    assert sizes(99, [1]) == [20]
    assert [wave.title for wave in plan(FLEET[:2], 1)] == ["wave 1 (canary)", "wave 2"]


def test_a_canary_that_is_not_there() -> None:
    with pytest.raises(PlanError, match="canary web99 is not among the hosts of this run"):
        plan(FLEET, ["web1", "web99"])
    with pytest.raises(PlanError):
        plan([], ["web1"])


@given(fleets, st.integers(0, 10), st.lists(shares, max_size=6))
def test_every_host_has_one_turn_in_the_order_of_the_inventory(
    hosts: list[str], canary: int, waves: list[Share]
) -> None:
    planned = plan(hosts, canary, waves)
    assert [name for wave in planned for name in wave.hosts] == hosts
    assert all(wave.hosts for wave in planned)
    assert [wave.number for wave in planned] == list(range(1, len(planned) + 1))
    assert [wave.canary for wave in planned] == [index == 0 and canary > 0 for index in range(len(planned))]


@given(fleets.filter(bool), st.data())
def test_named_canaries_go_first_whatever_they_are(hosts: list[str], data: st.DataObject) -> None:
    named = data.draw(st.lists(st.sampled_from(hosts), min_size=1, unique=True))
    short = [name.removeprefix("@winrm/") for name in named]
    planned = plan(hosts, short, [3])
    assert set(planned[0].hosts) == set(named)
    assert sorted(name for wave in planned for name in wave.hosts) == sorted(hosts)
    assert all(len(wave.hosts) <= 3 for wave in planned[1:])


@given(fleets.filter(bool), st.lists(shares, min_size=1, max_size=6))
def test_no_wave_is_larger_than_asked(hosts: list[str], waves: list[Share]) -> None:
    for index, wave in enumerate(plan(hosts, 0, waves)):
        asked = waves[min(index, len(waves) - 1)]
        most = asked if isinstance(asked, int) else max(1, math.ceil(int(asked[:-1]) * len(hosts) / 100))
        assert len(wave.hosts) <= most


@given(st.integers(0, 100), st.integers(0, 300))
def test_a_budget_never_allows_more_than_its_part(percent: int, total: int) -> None:
    allowed = allowed_failures(f"{percent}%", total)
    assert allowed * 100 <= percent * total < (allowed + 1) * 100


def test_budgets() -> None:
    assert allowed_failures(0, 20) == 0
    assert allowed_failures(3, 20) == 3
    assert allowed_failures("10%", 19) == 1
    assert allowed_failures("2", 19) == 2
    assert count("12.5%", 40) == 5


@pytest.mark.parametrize("value", ["", "five", "101%", "-1", -1, True, 2.5, "0%", 0, "%", "10 percent"])
def test_what_is_no_share(value: object) -> None:
    with pytest.raises(ValueError):
        check_share(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1, "1", "1%", "100%", "12.5 %"])
def test_what_is_a_share(value: int | str) -> None:
    assert count(check_share(value), 100) >= 1
    assert check_share(0, least=0) == 0
