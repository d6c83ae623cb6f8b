"""The old wire's methods of activity, message history and money (contract 8.3, 8.4, 11.3, 11.4)."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from perigee.errors import Invalid
from perigee.esputnik.face import Answer, Call, Query, Right, operation
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.scalars import split_list, to_id, to_int, to_text
from perigee.reports import activity, activity_wire, costs, history, history_wire
from perigee.reports.activity import Filters, SentTo
from perigee.reports.activity_wire import Activity
from perigee.reports.costs import Balance
from perigee.reports.cursor import read as read_offset
from perigee.reports.history_wire import HistoryEntry, write_history
from perigee.reports.media import CHANNELS, media_type
from perigee.reports.period import read_days, read_period

_DATES = (
    Query(
        "dateFrom",
        str,
        "date, or date and time, in the organisation's zone",
        required=True,
        example="2026-05-01",
    ),
    Query("dateTo", str, "the same; a bare date includes its day", required=True, example="2026-05-31"),
)
_ACTIVITY_QUERY = (
    *_DATES,
    Query("email", str, "only messages to this address", example="anna@example.com"),
    Query("sms", str, "only messages to this phone", example="380501112233"),
    Query("webPushToken", str, "only messages to this token"),
    Query("mobPushToken", str, "only messages to this token"),
    Query("messageTag", str, "only messages with this tag", example="promo"),
    Query("activityStatus", str, "one of " + ", ".join(activity.STATUSES), example="CLICKED"),
    Query("offset", str, "the `offset` of the last row seen; rows after it follow"),
    Query("maxrows", int, "most rows of the answer", default=25_000, example=1000),
)


async def _activity(call: Call) -> Answer:
    if call.principal.settings.get("contact_activity") is False:
        raise Invalid("Contact support to enable ContactActivity.")
    settings = call.context.settings
    zone = ZoneInfo(call.principal.time_zone)
    period = read_period(
        call.query.get("dateFrom"), call.query.get("dateTo"), zone, months=settings.max_activity_months
    )
    offset = to_text("offset", call.query.get("offset"))
    async with call.context.database.transaction() as conn:
        page = await activity.read_activity(
            conn,
            call.org_id,
            period,
            _filters(call),
            after=read_offset(offset) if offset else None,
            rows=_rows(call, settings.max_activity_rows, settings.max_activity_rows),
        )
    writer = activity_wire.Writer(call.org_id, zone, call.context.keys, settings.public_url, page)
    return await activity_wire.answer(writer)


@operation(
    "GET",
    "/v2/contacts/activity",
    section="11.3",
    right=Right.ACTIVITY,
    answer=list[Activity],
    query=_ACTIVITY_QUERY,
    answer_example=activity_wire.EXAMPLE,
)
async def list_activity(call: Call) -> Answer:
    """What recipients did with messages, in the order of time."""
    return await _activity(call)


@operation(
    "GET",
    "/v1/contacts/activity",
    section="11.3",
    right=Right.ACTIVITY,
    answer=list[Activity],
    query=_ACTIVITY_QUERY,
    answer_example=activity_wire.EXAMPLE,
)
async def list_activity_v1(call: Call) -> Answer:
    """What recipients did with messages, by its older address."""
    return await _activity(call)


@operation(
    "GET",
    "/v1/contactActivity",
    section="11.3",
    right=Right.ACTIVITY,
    answer=list[Activity],
    query=_ACTIVITY_QUERY,
    answer_example=activity_wire.EXAMPLE,
)
async def list_activity_legacy(call: Call) -> Answer:
    """What recipients did with messages, as an old library asks for it."""
    return await _activity(call)


def _filters(call: Call) -> Filters:
    """An address that is none is looked for as it stands: in vain."""
    email = to_text("email", call.query.get("email"))
    phone = to_text("sms", call.query.get("sms"))
    web = to_text("webPushToken", call.query.get("webPushToken"))
    mobile = to_text("mobPushToken", call.query.get("mobPushToken"))
    addresses = [
        email and SentTo("email", normal_email(email) or email, ("email",)),
        phone and SentTo("phone", normal_phone(phone) or phone, ("sms", "viber")),
        web and SentTo("token", web, ("webpush",)),
        mobile and SentTo("token", mobile, ("mobilepush",)),
    ]
    return Filters(
        addresses=tuple(one for one in addresses if isinstance(one, SentTo)),
        tag=to_text("messageTag", call.query.get("messageTag")),
        status=_status(call),
    )


def _status(call: Call) -> str | None:
    given = to_text("activityStatus", call.query.get("activityStatus"))
    if given is None:
        return None
    if given.upper() not in activity.STATUSES:
        raise Invalid.of("activityStatus", given, "is not one of " + ", ".join(activity.STATUSES))
    return given.upper()


def _rows(call: Call, default: int, most: int) -> int:
    """`maxrows`; more than there may be is as many as there may be."""
    return min(to_int("maxrows", call.query.get("maxrows"), low=1) or default, most)


@operation(
    "GET",
    "/v2/contacts/messages",
    section="11.4",
    right=Right.FULL,
    answer=list[HistoryEntry],
    query=(
        *_DATES,
        Query("contactId", int, "whose messages; exactly one of these four", example=100001),
        Query("externalCustomerId", str, "the same, by the shop's id"),
        Query("email", str, "the same, by email"),
        Query("phone", str, "the same, by phone"),
        Query("channelTypes", list[str], "only these, of " + ", ".join(CHANNELS), example="email,sms"),
        Query("offset", int, "rows to skip", default=0),
        Query("maxrows", int, "rows of the page, at most 100", default=10),
    ),
    answer_example=history_wire.EXAMPLE,
    refusals=(404,),
)
async def list_message_history(call: Call) -> list[HistoryEntry]:
    """A contact's messages, the newest first."""
    zone = ZoneInfo(call.principal.time_zone)
    period = read_period(call.query.get("dateFrom"), call.query.get("dateTo"), zone)
    by, value = _person(call)
    channels = _channels(call)
    skip = to_int("offset", call.query.get("offset"), low=0, high=2**31) or 0
    rows = _rows(call, 10, call.context.settings.max_history_rows)
    async with call.context.database.transaction() as conn:
        contacts = await history.find_person(conn, call.org_id, by, value)
        entries = await history.read_history(
            conn,
            call.org_id,
            contacts,
            period,
            channels=channels,
            skip=skip,
            rows=rows,
        )
        return await write_history(
            conn, call.org_id, entries, zone, call.context.keys, call.context.settings.public_url
        )


_PERSON = {
    "contactId": "contact_id",
    "externalCustomerId": "external_id",
    "email": "email",
    "phone": "phone",
}


def _person(call: Call) -> tuple[str, int | str]:
    given = {name: to_text(name, call.query.get(name)) for name in _PERSON}
    named = [(name, value) for name, value in given.items() if value is not None]
    if len(named) != 1:
        what = "several are" if named else "none is"
        raise Invalid(f"{', '.join(_PERSON)}: {what} given, exactly one is required", field="contactId")
    ((name, value),) = named
    match name:
        case "contactId":
            return "contact_id", to_id(name, value) or 0
        case "email":
            return "email", normal_email(value) or value
        case "phone":
            return "phone", normal_phone(value) or value
    return _PERSON[name], value


def _channels(call: Call) -> list[str] | None:
    given = split_list(call.query.getall("channelTypes", []), field="channelTypes")
    for one in given:
        if one.lower() not in CHANNELS:
            raise Invalid.of("channelTypes", one, "is not one of " + ", ".join(CHANNELS))
    return [CHANNELS[one.lower()] for one in given] or None


class CurrentBalance(Balance, rename="camel", kw_only=True):
    """Contract 8.3. `sendersReservedBalances` is there only where the organisation's setting `balance` names some."""

    currency: str


@operation(
    "GET",
    "/v1/balance",
    section="8.3",
    right=Right.GENERAL,
    answer=CurrentBalance,
    answer_example={
        "currentBalance": 0.0,
        "creditLimit": 0.0,
        "currency": "EUR",
        "bonusEmails": 1_000_000,
        "bonusSmses": 1_000_000,
    },
)
async def get_balance(call: Call) -> CurrentBalance:
    """Money and free messages. Sending is free here: the figures are fixed, by the organisation's setting."""
    fixed = costs.balance(call.principal.settings)
    return CurrentBalance(**msgspec.structs.asdict(fixed), currency=call.principal.currency)


class ChannelCosts(msgspec.Struct, rename="camel"):
    media_type: str
    total_sent: int
    total_parts: int
    bonus_spent: int
    funds_withdrawal: float = 0.0
    funds_refund: float = 0.0
    bonus_received: int = 0
    reserved_funds_withdrawal: float = 0.0
    reserved_funds_refund: float = 0.0


class DailyCosts(msgspec.Struct, rename="camel"):
    date: str
    channel_details: list[ChannelCosts]


class BalanceHistory(msgspec.Struct, rename="camel"):
    currency: str
    daily_costs: list[DailyCosts]


@operation(
    "GET",
    "/v1/balance/history",
    section="8.4",
    right=Right.FULL,
    answer=BalanceHistory,
    query=(
        Query(
            "dateFrom",
            date,
            "first day, in the organisation's zone; today where absent",
            example="2026-05-01",
        ),
        Query("dateTo", date, "last day; today where absent", example="2026-05-31"),
    ),
    answer_example={
        "currency": "EUR",
        "dailyCosts": [
            {
                "date": "2026-05-04T00:00:00",
                "channelDetails": [
                    {
                        "mediaType": "email",
                        "totalSent": 120,
                        "totalParts": 120,
                        "bonusSpent": 120,
                        "fundsWithdrawal": 0.0,
                        "fundsRefund": 0.0,
                        "bonusReceived": 0,
                        "reservedFundsWithdrawal": 0.0,
                        "reservedFundsRefund": 0.0,
                    }
                ],
            }
        ],
    },
    refusals=(419,),
)
async def get_balance_history(call: Call) -> BalanceHistory:
    """Messages sent per day and channel, and what they cost: nothing. Days without messages are left out."""
    zone = ZoneInfo(call.principal.time_zone)
    today = call.context.now().astimezone(zone).date()
    first, last = read_days(call.query.get("dateFrom"), call.query.get("dateTo"), today)
    async with call.context.database.connection() as conn:
        days = await costs.daily_costs(
            conn, call.org_id, first, last, zone, most_days=call.context.settings.max_balance_days
        )
    return BalanceHistory(
        call.principal.currency,
        [
            DailyCosts(
                f"{day.day}T00:00:00",
                [ChannelCosts(media_type(channel), sent, sent, sent) for channel, sent in day.sent.items()],
            )
            for day in days
        ],
    )
