"""What sending costs: nothing. The balance is fixed, the daily figures are the ledger's (contract 8.3, 8.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta, tzinfo
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from perigee.db.pool import Connection
from perigee.errors import TooWide
from perigee.reports import store
from perigee.reports.period import midnight

FREE_MESSAGES = 1_000_000


class ReservedBalance(msgspec.Struct, rename="camel"):
    """Money kept for one sender."""

    sender_id: int
    balance: float
    sender_name: str


class Balance(msgspec.Struct, rename="camel"):
    """What an organisation may show to clients that look before they send; its setting `balance` changes it. Messages cost
    nothing, so by default there is no money and no end of free messages."""

    current_balance: float = 0.0
    credit_limit: float = 0.0
    bonus_emails: int = FREE_MESSAGES
    bonus_smses: int = FREE_MESSAGES
    senders_reserved_balances: dict[str, list[ReservedBalance]] | UnsetType = UNSET
    """By media type; absent when there is none."""


class DayCosts(msgspec.Struct):
    """Messages sent on one day, by channel."""

    day: date
    sent: dict[str, int]


def balance(settings: Mapping[str, Any]) -> Balance:
    """From the organisation's settings; what is no balance there counts as absent. Pure."""
    try:
        found = msgspec.convert(settings.get("balance") or {}, Balance, strict=False)
    except msgspec.ValidationError:
        return Balance()
    return found if found.senders_reserved_balances else replace(found, senders_reserved_balances=UNSET)


async def daily_costs(
    conn: Connection, org_id: int, first: date, last: date, zone: tzinfo, *, most_days: int
) -> list[DayCosts]:
    """The days on which something was sent, in the zone. Raises TooWide when `last` is more than `most_days` after `first`."""
    if (last - first).days > most_days:
        raise TooWide(
            f"dateTo: '{last}' is more than {most_days} days after dateFrom '{first}'", field="dateTo"
        )
    start, end = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    days: dict[date, DayCosts] = {}
    for day, channel, sent in await store.daily_messages(conn, org_id, first, last, start, end, zone):
        days.setdefault(day, DayCosts(day, {})).sent[channel] = sent
    return list(days.values())
