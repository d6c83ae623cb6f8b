"""How the pace falls and comes back."""

from __future__ import annotations

import math

import pytest

from perigee.delivery.channels.smpp.pace import Pace


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def passed(pace: Pace, clock: Clock, seconds: float) -> int:
    """How many parts go in a time, when each is sent as soon as it may."""
    until, count = clock.now + seconds, 0
    while clock.now < until:
        wait = pace.wait()
        count += wait == 0
        clock.now += wait or 0.001
    return count


def test_a_rate_is_kept() -> None:
    clock = Clock()
    assert passed(Pace(50, clock), clock, 10) == pytest.approx(500, abs=6)


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace(0, Clock())
    assert [pace.wait() for _ in range(1000)] == [0.0] * 1000


def test_a_throttling_reply_halves_what_went_and_a_burst_of_them_counts_once() -> None:
    clock = Clock()
    pace = Pace(0, clock)
    passed(pace, clock, 3)  # a thousand a second
    for _ in range(20):
        pace.slow_down()
    assert pace.rate == pytest.approx(500, rel=0.01)
    clock.now += 1.1
    pace.slow_down()
    assert pace.rate == pytest.approx(250, rel=0.01)


def test_a_quarter_comes_back_each_second_up_to_the_rate() -> None:
    clock = Clock()
    pace = Pace(100, clock)
    passed(pace, clock, 3)
    pace.slow_down()
    slowed = pace.rate
    assert slowed == pytest.approx(50, rel=0.1)
    clock.now += 2.5
    pace.wait()
    assert pace.rate == pytest.approx(slowed * 1.25**1)
    clock.now += 30
    pace.wait()
    assert pace.rate == 100


def test_without_a_rate_the_limit_goes_away_again() -> None:
    clock = Clock()
    pace = Pace(0, clock)
    passed(pace, clock, 2)
    pace.slow_down()
    clock.now += 60
    pace.wait()
    assert pace.rate == math.inf


def test_it_never_stops_altogether() -> None:
    clock = Clock()
    pace = Pace(2, clock)
    for _ in range(20):
        clock.now += 1.5
        pace.slow_down()
    assert pace.rate == 1.0
