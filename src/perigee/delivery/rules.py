"""An organisation's rules for what it sends: hours, caps, credits, who may be sent what on which day, approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from perigee.delivery import hours
from perigee.delivery.hours import Hours, Weekday
from perigee.errors import Invalid

SETTING = "sending_rules"
"""Where they are among the organisation's settings."""

Channel = Literal["email", "sms", "viber", "mobilepush", "webpush", "telegram", "appinbox", "webhook"]
CREDIT_CHANNELS = ("email", "mobilepush")


class Cap(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """At most `count` marketing messages of the channel to a person in any `days` days, sent or perhaps sent. What is
    beyond is dropped (`skip`) or waits until there is room (`delay`)."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=31)]
    beyond: Literal["skip", "delay"] = "skip"


class Budget(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Annoyance credits of a person: `daily` begins anew at 00:00 UTC, `weekly` on Sundays at 23:59 UTC (product 7)."""

    daily: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    weekly: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None


class StrategyRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """On which ISO weekdays people of a segment may get messages of a tag; a tag that is not named, on none. Without
    `segment_id`: everybody else, which only the last row may be."""

    days: dict[str, list[Weekday]]
    segment_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None


class SendingRules(msgspec.Struct, forbid_unknown_fields=True):
    """All are for marketing messages; transactional ones go at any time, to anybody, as often as is asked for.

    `hours`, `caps`, `annoyance` by channel (credits: email and mobilepush). `strategy` is read from the top: the first
    row with a person decides; who is in no row is sent to. It looks at campaigns whose message has a tag that is named
    in it, on the day of their launch in the organisation's time zone. `approval`: somebody else must approve launches.
    """

    hours: dict[Channel, Hours] = {}
    caps: dict[Channel, Annotated[list[Cap], msgspec.Meta(max_length=5)]] = {}
    annoyance: dict[Channel, Budget] = {}
    strategy: Annotated[list[StrategyRow], msgspec.Meta(max_length=50)] = []
    approval: bool = False


def check(rules: SendingRules) -> None:
    """Raises Invalid for what could never be meant."""
    for channel, allowed in rules.hours.items():
        hours.check(f"hours.{channel}", allowed)
    for channel in rules.annoyance:
        if channel not in CREDIT_CHANNELS:
            raise Invalid.of(
                "annoyance", channel, "has no credits; these have: " + ", ".join(CREDIT_CHANNELS)
            )
    for number, row in enumerate(rules.strategy[:-1]):
        if row.segment_id is None:
            raise Invalid(
                f"strategy[{number}].segment_id: is required in all rows but the last",
                field=f"strategy[{number}].segment_id",
            )


def of_settings(settings: Mapping[str, Any]) -> SendingRules:
    """From the organisation's settings."""
    return of_stored(settings.get(SETTING))


def of_stored(stored: Any) -> SendingRules:
    return SendingRules() if stored is None else msgspec.convert(stored, SendingRules)
