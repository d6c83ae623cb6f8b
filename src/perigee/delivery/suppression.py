"""Who may be sent to: the one rule, as SQL, used when an audience is counted, frozen at launch and checked again
with every window right before sending.

The order is the order of the report (product 7): the first reason that holds is the reason that is written.
Transactional messages ignore consent but obey the blacklist.
"""

from __future__ import annotations

from enum import StrEnum

from perigee.delivery.frequency import NONE, Limits


class Drop(StrEnum):
    """Reasons for not sending that are known before a provider is asked."""

    DELETED = "deleted"
    NO_ADDRESS = "no_address"
    UNCONFIRMED = "unconfirmed"
    UNSUBSCRIBED = "unsubscribed"
    CATEGORY = "category"
    COMPLAINED = "complained"
    BLACKLISTED = "blacklisted"
    BLOCKED = "blocked"
    INACTIVE = "inactive"
    MUTED = "muted"
    EXCLUDED = "excluded"
    STRATEGY = "strategy"
    ANNOYANCE = "annoyance"
    FREQUENCY = "frequency"
    HOLDOUT = "holdout"
    DUPLICATE_ADDRESS = "duplicate_address"
    QUIET_HOURS = "quiet_hours"


_NOT_IN_CATEGORY = """(cardinality(%(categories)s::text[]) > 0 and not exists (
    select from segment_member sm join subscription_category sc
        on sc.org_id = sm.org_id and sc.segment_id = sm.segment_id
    where sm.org_id = c.org_id and sm.contact_id = c.contact_id and sc.key = any(%(categories)s::text[])))"""

ADDRESS_KIND = {"email": "email", "sms": "phone", "viber": "phone"}
"""Channel → kind of its address rows: one per contact."""
TOKEN_KIND = {"mobilepush": "mobilepush", "webpush": "webpush", "telegram": "telegram"}
"""Channel → kind of its push tokens: many per contact, each a recipient of its own."""

WITHOUT_ADDRESS = frozenset({"appinbox", "webhook"})
"""Channels whose address is the contact itself: one per contact."""

_COLUMN = {"email": "email", "phone": "phone"}


def by_token(channel: str) -> bool:
    """Whether the recipients of a send are push tokens (`token_id`); else they are contacts."""
    return channel in TOKEN_KIND


def address_join(channel: str) -> str:
    """Joins `contact c` with where this channel reaches it: `a.recipient` (what a batch holds), `a.address`, and the
    columns that `reason_case` looks at. A contact that it cannot reach has one row of nulls.

    Looked up by its whole key for each person whatever the statistics say (decision 3): one by one, or for a new
    organisation an audience against itself. For tokens it takes the parameter `app_id` (one application, or null).
    """
    if kind := ADDRESS_KIND.get(channel):
        return f"""left join lateral (
        select c.contact_id as recipient, value as address, address.*
        from address where org_id = c.org_id and kind = '{kind}' and value = c.{_COLUMN[kind]} offset 0
    ) a on true"""  # noqa: S608
    if kind := TOKEN_KIND.get(channel):
        return f"""left join lateral (
        select token_id as recipient, token as address, push_token.*
        from push_token where org_id = c.org_id and contact_id = c.contact_id and kind = '{kind}' and active
            and (%(app_id)s::text is null or app_id = %(app_id)s) offset 0
    ) a on true"""  # noqa: S608
    # App Inbox and webhook: the contact is its own address.
    return "cross join lateral (select c.contact_id as recipient, c.contact_id::text as address) a"


def recipients_from(channel: str, often: Limits = NONE) -> str:
    """`from … where` over `contact c` and `a` as in `address_join`, for the recipients `ids` of a batch; with what these
    people got lately."""
    if by_token(channel):
        return f"""from (select token_id as recipient, token as address, * from push_token) a
        cross join lateral (
            select * from contact where org_id = a.org_id and contact_id = a.contact_id offset 0
        ) c
        {often.join}
        where a.org_id = %(org_id)s and a.token_id = any(%(ids)s::bigint[])"""  # noqa: S608
    return f"""from contact c {address_join(channel)} {often.join}
        where c.org_id = %(org_id)s and c.contact_id = any(%(ids)s::bigint[])"""


def reason_case(channel: str, often: Limits = NONE) -> str:
    """A `case` over `contact c` and `a`: the reason not to send, or null.

    Takes the parameters `marketing` (bool), `categories` (text[]: the message's categories) and `bulk` (bool: a
    campaign's send, not an API call's). `often`: rules of frequency, whose `join` stands beside the address's.
    """
    rules = [
        f"when c.deleted_at is not null then '{Drop.DELETED}'",
        f"when a.address is null then '{Drop.NO_ADDRESS}'",
    ]
    in_category = f"when %(marketing)s and {_NOT_IN_CATEGORY} then '{Drop.CATEGORY}'"
    if channel in ADDRESS_KIND:
        rules += [
            f"when %(marketing)s and not a.confirmed then '{Drop.UNCONFIRMED}'",
            f"when %(marketing)s and a.unsubscribed_at is not null then '{Drop.UNSUBSCRIBED}'",
            in_category,
            f"when %(marketing)s and a.complained_at is not null then '{Drop.COMPLAINED}'",
            f"when a.blacklisted_at is not null then '{Drop.BLACKLISTED}'",
            f"when a.blocked_until > now() then '{Drop.BLOCKED}'",
        ]
    else:
        rules.append(in_category)
        if by_token(channel):
            rules.append(f"when not a.active then '{Drop.INACTIVE}'")
        if (
            channel == "telegram"
        ):  # what people asked for themselves reaches them all the same (contract 19.1)
            rules.append(f"when %(bulk)s and a.muted_until > now() then '{Drop.MUTED}'")
    rules += [f"when %(marketing)s and ({when}) then '{reason}'" for reason, when in often.rules]
    return "case " + "\n        ".join(rules) + " end"
