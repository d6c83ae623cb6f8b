"""Token buckets and warm-up, as plain arithmetic."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from perigee.delivery.destinations import BREAKER_REFUSED, Breaker, State, make_place
from perigee.delivery.pace import LONGEST, QUANTUM, Bucket, Day, Limits, Place, share, warm_up_cap
from perigee.lib.rate_rules import read_rules


def everybody(count: int, place: str = "") -> list[tuple[int, str]]:
    return [(index, place) for index in range(count)]


def test_warm_up_begins_with_a_thousand_and_ends_after_day_25() -> None:
    plan = [warm_up_cap(day) for day in range(1, 26)]
    assert plan[:3] == [1000, 2000, 4000]
    assert plan[-1] == 2_500_000
    assert plan == sorted(plan, key=lambda cap: cap or 0)
    assert len(set(plan)) == 25
    assert (warm_up_cap(0), warm_up_cap(26)) == (0, None)


def test_the_smaller_of_warm_up_and_daily_limit_counts() -> None:
    first = date(2026, 11, 1)
    limits = Limits(day=3000, warm_up_from=first)
    assert [limits.of_day(first + timedelta(days=n)) for n in (0, 1, 2, 40)] == [1000, 2000, 3000, 3000]
    assert Limits(warm_up_from=first).of_day(first + timedelta(days=25)) is None


def test_a_bucket_never_lets_through_more_than_its_rate_and_a_quantum() -> None:
    bucket, sent = Bucket("b", 14.0), 0
    for _ in range(400):  # a hundred seconds
        found = share(everybody(500), 500, [bucket], None, {})
        sent += len(found.begin)
        assert found.wait is not None
        bucket.refill(bucket.tokens, QUANTUM)
    assert 100 * 14 * 0.98 <= sent <= 100 * 14 + 14 * QUANTUM + 1


def test_a_slow_bucket_says_when_there_is_a_token() -> None:
    bucket = Bucket("b", 1 / 60)
    assert share(everybody(2), 2, [bucket], None, {}).begin == [0]
    assert bucket.wait() == pytest.approx(60, rel=0.01)
    bucket.refill(bucket.tokens, 60)
    assert bucket.wait() == 0


def test_the_tightest_of_several_limits_counts() -> None:
    buckets = Limits(second=400, minute=60).buckets("1")
    found = share(everybody(10), 10, buckets, None, {})
    assert found.begin == [0]
    assert found.wait == pytest.approx(1 - QUANTUM)


def test_a_day_ends_at_its_cap_and_goes_on_the_next_day() -> None:
    found = share(everybody(10), 10, [], Day("d", 1000, 997, 3600.0), {})
    assert (found.begin, found.wait) == ([0, 1, 2], 3600.0)


def test_a_throttled_destination_does_not_hold_up_its_neighbours() -> None:
    people = [(index, "slow.example" if index % 2 else "fast.example") for index in range(100)]
    places = {"slow.example": Place("slow.example", Bucket("s", 2.0))}
    found = share(people, 64, [], None, places)
    assert found.wait is None
    assert [index for index in found.begin if index % 2] == [1]
    assert len(found.begin) == 51
    waits = [wait for _, wait in found.held]
    assert len(waits) == 49
    assert waits == sorted(waits), "each its own time"
    assert waits[-1] == pytest.approx(49 / 2, abs=1)


def test_nobody_is_promised_a_time_farther_away_than_an_hour() -> None:
    found = share(everybody(500, "s"), 64, [], None, {"s": Place("s", Bucket("s", 0.01))})
    assert max(wait for _, wait in found.held) == LONGEST


def test_a_stopped_destination_takes_nobody() -> None:
    found = share(everybody(50, "s"), 64, [], None, {"s": Place("s", None, stopped=600.0)})
    assert found.begin == []
    assert len({wait for _, wait in found.held}) == 50
    assert all(600 < wait < 601 for _, wait in found.held)


@pytest.mark.parametrize(
    ("age", "rate"), [(0, 10.0), (29, 10.0), (30, 20.0), (60, 40.0), (90, None), (1e9, None)]
)
def test_a_slowed_destination_recovers_step_by_step(age: float, rate: float | None) -> None:
    assert State(10.0, 80.0, age, 0.0).now() == rate


def test_limit_and_trouble_of_a_destination_add_up() -> None:
    bucket = make_place("d", "1/d", 5.0, State(10.0, 80.0, 0, 0.0)).bucket
    assert bucket is not None
    assert bucket.rate == 5.0
    assert make_place("d", "1/d", None, State(None, None, 0, math.inf)).stopped == math.inf


def test_the_breaker_opens_above_five_per_cent_of_the_last_two_hundred() -> None:
    breaker, key = Breaker(), (1, 1, "d")
    assert not breaker.count(key, 1000, BREAKER_REFUSED)
    assert not breaker.count(key, 200, BREAKER_REFUSED), "the earlier ones are forgotten"
    assert breaker.count(key, 10, 1)
    assert not breaker.count(key, 10, 1), "whoever lifts it has looked: it counts anew"


def test_rules_of_operators_are_read() -> None:
    assert read_rules("gmail.com,googlemail.com=100 ukr.net=0.5") == (
        {"gmail.com": "gmail.com", "googlemail.com": "gmail.com", "ukr.net": "ukr.net"},
        {"gmail.com": 100.0, "ukr.net": 0.5},
    )


@pytest.mark.parametrize("broken", ["gmail.com", "=5", "a.com,=5", "a.com=0", "a.com=-1", "a.com=x"])
def test_a_broken_rule_is_refused(broken: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its text is the rule
        read_rules(broken)
