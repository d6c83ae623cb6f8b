"""Who may be sent to: the one rule, as SQL, used when an audience is counted, frozen at launch and checked again
with every window right before sending.

The order is the order of the report (product 7): the first reason that holds is the reason that is written.
Transactional messages ignore consent but obey the blacklist.
"""

from __future__ import annotations

from enum import StrEnum


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
    EXCLUDED = "excluded"
    DUPLICATE_ADDRESS = "duplicate_address"


_NOT_IN_CATEGORY = """(cardinality(%(categories)s::text[]) > 0 and not exists (
    select from segment_member sm join subscription_category sc
        on sc.org_id = sm.org_id and sc.segment_id = sm.segment_id
    where sm.org_id = c.org_id and sm.contact_id = c.contact_id and sc.key = any(%(categories)s::text[])))"""

ADDRESS_KIND = {"email": "email", "sms": "phone", "viber": "phone"}
"""Channel → kind of its address rows."""

_COLUMN = {"email": "email", "phone": "phone"}


def address_join(channel: str) -> str:
    """Joins `contact c` with its address row `a` of this channel, looked up by its whole key for each person
    whatever the statistics say (decision 3): one by one, or for a new organisation an audience against itself."""
    kind = ADDRESS_KIND[channel]
    return f"""left join lateral (
        select * from address where org_id = c.org_id and kind = '{kind}' and value = c.{_COLUMN[kind]} offset 0
    ) a on true"""  # noqa: S608


def address_column(channel: str) -> str:
    return f"c.{_COLUMN[ADDRESS_KIND[channel]]}"


def reason_case(channel: str) -> str:
    """A `case` over `contact c` and `address a`: the reason not to send, or null.

    Takes the parameters `marketing` (bool) and `categories` (text[]: the message's categories).
    """
    return f"""case
        when c.deleted_at is not null then '{Drop.DELETED}'
        when a.value is null then '{Drop.NO_ADDRESS}'
        when %(marketing)s and not a.confirmed then '{Drop.UNCONFIRMED}'
        when %(marketing)s and a.unsubscribed_at is not null then '{Drop.UNSUBSCRIBED}'
        when %(marketing)s and {_NOT_IN_CATEGORY} then '{Drop.CATEGORY}'
        when %(marketing)s and a.complained_at is not null then '{Drop.COMPLAINED}'
        when a.blacklisted_at is not null then '{Drop.BLACKLISTED}'
        when a.blocked_until > now() then '{Drop.BLOCKED}'
    end"""
