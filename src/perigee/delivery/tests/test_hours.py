"""Time arithmetic of allowed hours and local times, over all zones, gaps and doubles included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.hours import Hours, at_clock, check, next_allowed, next_clock, wait
from perigee.errors import Invalid

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
DAYS = st.lists(st.integers(1, 7), min_size=1, unique=True)
KYIV, NEW_YORK, APIA = ZoneInfo("Europe/Kyiv"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # in Kyiv 03:00 becomes 04:00, and 04:00 becomes 03:00


def is_open(hours: Hours, zone: ZoneInfo, moment: datetime) -> bool:
    """By what the clock on the wall shows."""
    local = moment.astimezone(zone)
    clock, day = f"{local:%H:%M}", local.isoweekday()
    before = 7 if day == 1 else day - 1
    if hours.start < hours.end:
        return day in hours.days and hours.start <= clock < hours.end
    return (day in hours.days and clock >= hours.start) or (before in hours.days and clock < hours.end)


@st.composite
def allowed(draw: st.DrawFn) -> Hours:
    start, end = draw(CLOCKS), draw(CLOCKS.map(lambda clock: "24:00" if clock == "00:00" else clock))
    return Hours(start, "12:01" if start == end else end, draw(DAYS))


@given(allowed(), ZONES, MOMENTS)
def test_whoever_is_sent_to_sees_an_allowed_hour_on_the_clock(
    hours: Hours, zone: ZoneInfo, now: datetime
) -> None:
    found = next_allowed([hours], zone, now)
    if found is None:
        return  # a window that lies in a jump of the clocks on its only day
    assert found >= now
    assert is_open(hours, zone, found)
    assert next_allowed([hours], zone, found) == found, "there it stays"


@given(allowed(), ZONES, MOMENTS)
def test_nobody_waits_past_a_whole_hour_of_the_window(hours: Hours, zone: ZoneInfo, now: datetime) -> None:
    found = next_allowed([hours], zone, now) or now + timedelta(days=3)
    step = timedelta(minutes=15)
    open_for = 0
    for number in range(int(min(found - now, timedelta(days=3)) / step)):
        open_for = open_for + 1 if is_open(hours, zone, now + number * step) else 0
        # Two hours: a double hour at the window's edge counts as closed.
        assert open_for <= 9, now + number * step


@given(allowed(), allowed(), ZONES, MOMENTS)
def test_all_hours_must_agree(one: Hours, two: Hours, zone: ZoneInfo, now: datetime) -> None:
    found = next_allowed([one, two], zone, now)
    if found is not None:
        assert is_open(one, zone, found)
        assert is_open(two, zone, found)


@given(CLOCKS, ZONES, MOMENTS, st.dates(date(2024, 1, 1), date(2027, 12, 31)))
def test_a_local_time_is_that_time_on_the_clock_and_never_before(
    clock: str, zone: ZoneInfo, now: datetime, day: date
) -> None:
    found = next_clock(clock, zone, now, not_before=day)
    local = found.astimezone(zone)
    assert found >= now
    assert local.date() >= day
    if f"{local:%H:%M}" != clock:
        before = (found - timedelta(seconds=1)).astimezone(zone)
        assert f"{before:%H:%M}" < clock <= f"{local:%H:%M}" or before.date() < local.date(), (
            "the clock jumped"
        )
    assert found - max(now, at_clock(day, clock, zone)) < timedelta(hours=49)


def test_an_hour_that_is_skipped_begins_with_the_jump() -> None:
    assert at_clock(SPRING, "03:30", KYIV) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_clock("03:30", KYIV, datetime(2026, 3, 28, 22, tzinfo=UTC), not_before=SPRING) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_an_hour_that_comes_twice_is_the_first_for_a_time_and_the_strict_one_for_a_window() -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert (at_clock(AUTUMN, "03:30", KYIV), at_clock(AUTUMN, "03:30", KYIV, last=True)) == (first, second)
    night = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert next_allowed([Hours("03:30", "05:00")], KYIV, night) == second
    closing = Hours("01:00", "03:30")
    assert next_allowed([closing], KYIV, first - timedelta(seconds=1)) == first - timedelta(seconds=1)
    assert next_allowed([closing], KYIV, first) == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    friday = Hours("22:00", "02:00", [5])
    saturday_one = datetime(2026, 5, 2, 1, tzinfo=UTC)
    assert next_allowed([friday], ZoneInfo("UTC"), saturday_one) == saturday_one
    assert next_allowed([friday], ZoneInfo("UTC"), saturday_one + timedelta(days=1)) == datetime(
        2026, 5, 8, 22, tzinfo=UTC
    )


def test_who_would_wait_too_long_does_not_wait() -> None:
    night = datetime(2026, 5, 5, 2, tzinfo=NEW_YORK)
    assert wait([Hours("08:00", "21:00")], NEW_YORK, night) == timedelta(hours=6)
    assert wait([Hours("08:00", "21:00", wait_at_most_hours=6)], NEW_YORK, night) == timedelta(hours=6)
    assert wait([Hours("08:00", "21:00", wait_at_most_hours=5)], NEW_YORK, night) is None
    assert wait([Hours("08:00", "09:00"), Hours("10:00", "11:00")], NEW_YORK, night) is None, "never"
    assert wait([], NEW_YORK, night) == timedelta(0)


@pytest.mark.parametrize(("start", "end"), [("08:00", "08:00"), ("24:00", "08:00")])
def test_hours_that_are_none_are_refused(start: str, end: str) -> None:
    with pytest.raises(Invalid):
        check("hours.sms", Hours(start, end))
