"""When a campaign begins, and when it reaches people of each time zone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from perigee.campaigns.plan import Plan
from perigee.delivery import hours
from perigee.delivery.hours import Hours
from perigee.errors import Invalid

EARLIEST = timezone(timedelta(hours=14))
"""Where every hour of a day comes first."""


class Start(NamedTuple):
    at: datetime
    local_day: date | None


def start(plan: Plan, at: datetime | None, now: datetime, zone: tzinfo) -> Start:
    """When to freeze the audience. `local_day`: of campaigns with a local time, the day from which it counts; they begin
    where its hour comes first. Raises Invalid for a time in the past."""
    if plan.local_time is None:
        if at is not None and at < now:
            raise Invalid.of("at", at.astimezone(UTC).isoformat(), "is in the past")
        return Start(at or now, None)
    today = now.astimezone(zone).date()
    day = today if at is None else at.astimezone(zone).date()
    if day < today:
        raise Invalid.of("at", day.isoformat(), "is in the past")
    return Start(max(now, hours.at_clock(day, plan.local_time, EARLIEST)), day)


class Waits(NamedTuple):
    """How long after the launch people get the message: `zones` and `seconds` are parallel, `other` is for everybody
    else, those without a zone among them."""

    zones: list[str]
    seconds: list[float]
    other: float


NO_WAIT = Waits([], [], 0.0)


def waits(
    plan: Plan, local_day: date | None, allowed: Sequence[Hours], account: tzinfo, now: datetime
) -> Waits:
    """For a launch at `now`. Who would have to wait too long is let through here: the look right before sending decides."""
    if plan.local_time is None and not allowed:
        return NO_WAIT
    names = sorted(available_timezones())
    seconds = [_wait(plan, local_day, allowed, ZoneInfo(name), now) for name in names]
    other = _wait(plan, local_day, allowed, account, now)
    different = [number for number, one in enumerate(seconds) if one != other]
    return Waits([names[n] for n in different], [seconds[n] for n in different], other)


def _wait(plan: Plan, local_day: date | None, allowed: Sequence[Hours], zone: tzinfo, now: datetime) -> float:
    due = now
    if plan.local_time is not None:
        due = hours.next_clock(plan.local_time, zone, now, not_before=local_day or date.min)
    due += hours.wait(allowed, zone, due) or timedelta(0)
    return (due - now).total_seconds()
