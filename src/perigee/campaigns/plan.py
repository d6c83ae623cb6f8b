"""How a campaign is planned beyond its message and segments: hours, time zones, credits (product 7)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from perigee.delivery import hours
from perigee.delivery.hours import Clock, Hours
from perigee.errors import Invalid


class Plan(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`local_time`: the time of day at which everybody gets it by the clock of their own time zone (`10:00`), from the
    day of the launch on; people without a zone have the organisation's; where the hour has passed it is the next day's.
    Not together with a pace. `hours`: the campaign's own, beside the organisation's. `credits`: how much of a person's
    annoyance budget a message costs."""

    local_time: Clock | None = None
    hours: Hours | None = None
    credits: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1


def check(plan: Plan, *, paced: bool) -> None:
    """Raises Invalid for what does not go together."""
    if plan.local_time is not None and paced:
        raise Invalid.of("plan.local_time", plan.local_time, "cannot be combined with a pace")
    if plan.local_time == "24:00":
        raise Invalid.of("plan.local_time", plan.local_time, "must be a time of day, 00:00 to 23:59")
    if plan.hours is not None:
        hours.check("plan.hours", plan.hours)
