"""Hours in which people may be written to, in their own time zones. Pure; zones come from `zoneinfo` alone.

Clocks jump: an hour that a zone skips begins when the clock jumps over it; of an hour that comes twice, a window
begins with the last and ends with the first, so that inside a window no clock shows an hour outside of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

import msgspec

from perigee.errors import Invalid

DAY = timedelta(days=1)
LOOK_AHEAD = 15
"""Days in which a moment must be found: every weekday twice, whatever the clocks do."""

Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$", examples=["08:00"])]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]


class Hours(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Messages leave from `start` until right before `end` (HH:MM, 24:00 is the day's end) of the recipient's clock.

    `start` after `end` goes over midnight and belongs to the day it begins on. `days`: ISO weekdays, Monday is 1.
    `wait_at_most_hours`: who would have to wait longer is dropped; absent, everybody waits.
    """

    start: Clock
    end: Clock
    days: Annotated[list[Weekday], msgspec.Meta(min_length=1, max_length=7)] = msgspec.field(
        default_factory=lambda: [1, 2, 3, 4, 5, 6, 7]
    )
    wait_at_most_hours: Annotated[int, msgspec.Meta(ge=0, le=720)] | None = None


def check(field: str, hours: Hours) -> None:
    """Raises Invalid for hours that nobody is in."""
    if hours.start == hours.end or hours.start == "24:00":
        raise Invalid.of(
            f"{field}.start", hours.start, f"must be a time of day other than the end, {hours.end}"
        )


def at_clock(day: date, clock: str, zone: tzinfo, *, last: bool = False) -> datetime:
    """When the clocks of `zone` show `clock` on `day`, in UTC; the first or, with `last`, the last time they do. When
    they skip it: the moment of the jump."""
    hour, minute = int(clock[:2]), int(clock[3:])
    local = datetime.combine(day + DAY if hour == 24 else day, time(hour % 24, minute), zone)
    before, after = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if before <= after:
        return after if last else before
    # Skipped: read with the offset of after the jump it is before the jump, and the other way around.
    return _jump(zone, after, before)


def _jump(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset between two moments."""
    new = after.astimezone(zone).utcoffset()
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == new:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)


def next_allowed(hours: Sequence[Hours], zone: tzinfo, now: datetime) -> datetime | None:
    """The first moment from `now` on that lies in all of `hours`; None when there is none within two weeks."""
    moment = now
    limit = now + LOOK_AHEAD * DAY
    while moment < limit:
        later = moment
        for one in hours:
            opened = _next_open(one, zone, later)
            if opened is None:
                return None
            later = opened
        if later == moment:
            return moment
        moment = later
    return None


def _next_open(hours: Hours, zone: tzinfo, now: datetime) -> datetime | None:
    today = now.astimezone(zone).date()
    for offset in range(-1, 9):
        day = today + offset * DAY
        if day.isoweekday() not in hours.days:
            continue
        opens = at_clock(day, hours.start, zone, last=True)
        closes = at_clock(day + DAY if hours.end <= hours.start else day, hours.end, zone)
        if now < closes and opens < closes:
            return max(now, opens)
    return None


def wait(hours: Sequence[Hours], zone: tzinfo, now: datetime) -> timedelta | None:
    """How long somebody must wait from `now` on, 0 when now is right; None when that is longer than may be waited."""
    if not hours:
        return timedelta(0)
    moment = next_allowed(hours, zone, now)
    if moment is None:
        return None
    for one in hours:
        longest = one.wait_at_most_hours
        if longest is not None and moment - now > timedelta(hours=longest):
            return None
    return moment - now


def next_clock(clock: str, zone: tzinfo, now: datetime, *, not_before: date) -> datetime:
    """The first moment from `now` on at which clocks of `zone` show `clock`, on the day `not_before` or later: where
    the hour of the day has passed, it is the next day's."""
    day = max(not_before, now.astimezone(zone).date() - DAY)
    while (moment := at_clock(day, clock, zone)) < now:
        day += DAY
    return moment
