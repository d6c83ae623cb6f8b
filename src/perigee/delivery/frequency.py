"""How often a person may be written to: caps and annoyance credits, counted in the ledger, as SQL.

A message counts that was sent or perhaps was (*uncertain*), once per send however many devices it went to. What is in
flight at this very moment in another campaign is not in the ledger yet and does not count.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from perigee.delivery.rules import Cap, Channel, SendingRules

SENDS_LAST_DAYS = 45
"""Messages of sends that began longer before the days that are looked at are not seen: no send lasts so long."""

_TODAY = "date_trunc('day', now(), 'UTC')"
_WEEK = "date_trunc('week', now() + interval '1 minute', 'UTC') - interval '1 minute'"


class Limits(NamedTuple):
    """`join` brings what a person (`contact c`) got lately as `got_lately`; `rules` go into the `case` of reasons; `until`
    is when somebody who may not be sent to now may be, or null. They take the parameters `send_id` and `credits`."""

    join: str
    rules: tuple[tuple[str, str], ...]
    until: str


NONE = Limits("", (), "null::timestamptz")


def limits(rules: SendingRules, channel: str) -> Limits:
    """Those of a channel. The numbers are the organisation's own, checked, and part of the SQL: it is prepared once."""
    caps = rules.caps.get(cast("Channel", channel), [])
    budget = rules.annoyance.get(cast("Channel", channel))
    spent = []
    if budget is not None and budget.daily is not None:
        spent.append(("today", budget.daily, 1))
    if budget is not None and budget.weekly is not None:
        spent.append(("this_week", budget.weekly, 8))
    if not caps and not spent:
        return NONE
    days = max([cap.days for cap in caps] + [back for _, _, back in spent])
    exhausted = [
        f"got_lately.{column} >= {most} or got_lately.{column} + %(credits)s > {most}"
        for column, most, _ in spent
    ]
    skipping = [_reached(cap) for cap in caps if cap.beyond == "skip"]
    delaying = [cap for cap in caps if cap.beyond == "delay"]
    found = [
        (reason, " or ".join(when))
        for reason, when in (("annoyance", exhausted), ("frequency", skipping))
        if when
    ]
    waits = ", ".join(f"case when {_reached(cap)} then {_free(cap)} end" for cap in delaying)
    return Limits(_got_lately(channel, days), tuple(found), f"greatest({waits})" if waits else NONE.until)


def _free(cap: Cap) -> str:
    """When the oldest of the messages that fill the cap counts no more."""
    return f"got_lately.times[{cap.count:d}] + interval '{cap.days:d} days'"


def _reached(cap: Cap) -> str:
    return f"{_free(cap)} > now()"


def _got_lately(channel: str, days: int) -> str:
    return f"""cross join lateral (
        select array_agg(at order by at desc) as times,
               coalesce(sum(credits) filter (where at >= {_TODAY}), 0) as today,
               coalesce(sum(credits) filter (where at >= {_WEEK}), 0) as this_week
        from (
            select max(d.at) as at, s.credits
            from delivery d
            cross join lateral (
                select credits from send
                where org_id = d.org_id and send_id = d.send_id and channel = '{channel}' and marketing offset 0
            ) s
            where d.org_id = c.org_id and d.contact_id = c.contact_id
              and d.at > now() - interval '{days:d} days'
              and d.send_started_at > now() - interval '{days + SENDS_LAST_DAYS:d} days'
              and d.outcome in ('sent', 'uncertain') and d.send_id <> %(send_id)s
            group by d.send_id, s.credits
        ) got
    ) got_lately"""  # noqa: S608  # numbers and the channel's own name
