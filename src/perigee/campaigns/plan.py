"""How a campaign is planned beyond its message and segments: hours, time zones, credits (product 7)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from perigee.delivery import hours
from perigee.delivery.hours import Clock, Hours
from perigee.errors import Invalid
from perigee.lib.text import clean_json


class FollowUp(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """People of an earlier campaign. `not_opened`: who received it; `not_sent`: who waited when it was stopped and those of
    whom nobody knows whether they got it. `links`: of `clicked`, only clicks on one of these addresses."""

    campaign_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    who: Literal["opened", "clicked", "not_opened", "opened_not_clicked", "failed", "not_sent"]
    links: Annotated[list[str], msgspec.Meta(max_length=100)] = []


class Goal(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What people are wanted to do within `days` of the launch: raise an event of the type with this key or, without one,
    order something that is not cancelled."""

    event: Annotated[str, msgspec.Meta(max_length=250)] | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7


class Variant(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is different: another message of the same channel, another subject (email), another sender. None of them: the
    campaign's message as it is."""

    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    message_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None
    sender: Annotated[str, msgspec.Meta(min_length=1, max_length=320)] | None = None


class Experiment(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`test_share` percent of those who will be sent to are split evenly over the variants; with 100 nobody is left. The
    rest gets the winner: `after_minutes` from the launch the one with the most opens, clicks or people who reached the
    plan's goal, per message sent, the first of equals; or, by hand, the one that somebody chooses."""

    variants: Annotated[list[Variant], msgspec.Meta(min_length=2, max_length=8)]
    test_share: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100
    winner: Literal["opens", "clicks", "conversions", "hand"] = "hand"
    after_minutes: Annotated[int, msgspec.Meta(ge=5, le=43_200)] = 240


class Plan(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`local_time`: the time of day at which everybody gets it by the clock of their own time zone (`10:00`), from the
    day of the launch on; people without a zone have the organisation's; where the hour has passed it is the next day's.
    Not together with a pace. `hours`: the campaign's own, beside the organisation's. `credits`: how much of a person's
    annoyance budget a message costs. `follow`: people of an earlier campaign; segments to include then narrow them.
    `holdout`: percent of those who could be sent to that get nothing, to be compared with the others by `goal`.
    `experiment`: not together with a pace and, where a rest waits for the winner, with a local time."""

    local_time: Clock | None = None
    hours: Hours | None = None
    credits: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    follow: FollowUp | None = None
    holdout: Annotated[float, msgspec.Meta(ge=0, le=90)] = 0
    goal: Goal | None = None
    experiment: Experiment | None = None


def cleaned(plan: Plan) -> Plan:
    """Without signs that no text may have. Raises Invalid."""
    try:
        return msgspec.convert(clean_json(msgspec.to_builtins(plan)), Plan)
    except msgspec.ValidationError as error:
        raise Invalid(f"plan: {error}", field="plan") from None


def check(plan: Plan, *, paced: bool) -> None:
    """Raises Invalid for what does not go together."""
    if plan.local_time is not None and paced:
        raise Invalid.of("plan.local_time", plan.local_time, "cannot be combined with a pace")
    if plan.local_time == "24:00":
        raise Invalid.of("plan.local_time", plan.local_time, "must be a time of day, 00:00 to 23:59")
    if plan.experiment is not None and paced:
        raise Invalid("plan.experiment: cannot be combined with a pace", field="plan.experiment")
    if plan.experiment is not None and plan.experiment.test_share < 100 and plan.local_time is not None:
        raise Invalid(
            "plan.experiment: a rest that waits for the winner cannot have a local time",
            field="plan.experiment",
        )
    if plan.hours is not None:
        hours.check("plan.hours", plan.hours)
