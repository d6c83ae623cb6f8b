"""/api/v4/campaigns/{campaign_id}/…: breakdowns, people, revenue."""

from __future__ import annotations

import re
from typing import Any, get_args

from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Csv, Download, Page, Query, Right, operation, page_limit
from perigee.reports.campaign import breakdowns, people, revenue
from perigee.reports.campaign.people import ENGAGED, OUTCOMES, Filter, Place
from perigee.reports.campaign.types import (
    Dimension,
    Person,
    Purchase,
    Revenue,
    RevenueRules,
    Slice,
)

_FILTERS = (
    Query("outcome", str, "sent, failed, dropped or uncertain"),
    Query("reason", str, "as the report names it"),
    Query("domain", str, "part of the address behind the @"),
    Query("address", str, "one address, whole"),
    Query("engaged", str, "opened, clicked, unsubscribed or complained"),
)
_PLACE = re.compile(r"([0-9]{1,18})-([0-9]{1,9})\Z")


@operation(
    "GET",
    "/campaigns/{campaign_id:int}/breakdown",
    right=Right.MESSAGES,
    answer=Page[Slice],
    query=(Query("by", str, ", ".join(get_args(Dimension)), default="domain"),),
)
async def get_breakdown(call: Call) -> Page[Slice]:
    """The campaign's figures by domain, language, link, device, hour and so on; the largest 500."""
    by: Dimension = _one_of(call, "by", get_args(Dimension)) or "domain"
    async with call.context.database.connection() as connection:
        return Page(await breakdowns.breakdown(connection, call.org_id, call.path["campaign_id"], by))


@operation(
    "GET",
    "/campaigns/{campaign_id:int}/recipients",
    right=Right.MESSAGES,
    answer=Page[Person],
    query=(*_FILTERS, *PAGE),
)
async def list_recipients(call: Call) -> Page[Person]:
    """The ledger: everybody, what became of them and what they did."""
    wanted, after, limit = _filter(call), _place(call), page_limit(call)
    async with call.context.database.connection() as connection:
        rows = await people.people(
            connection,
            call.org_id,
            call.path["campaign_id"],
            wanted=wanted,
            after=after,
            limit=limit + 1,
        )
    page: Page[Person] = Page(rows[:limit])
    if len(rows) > limit:
        page.next = f"{rows[limit - 1].send_id}-{rows[limit - 1].ordinal}"
    return page


@operation(
    "GET",
    "/campaigns/{campaign_id:int}/recipients.csv",
    right=Right.MESSAGES,
    answer=Csv,
    query=_FILTERS,
)
async def export_recipients(call: Call) -> Download:
    """The same as a CSV file, which is safe to open in a spreadsheet."""
    wanted, campaign_id = _filter(call), call.path["campaign_id"]
    async with call.context.database.connection() as connection:
        await people.people(
            connection, call.org_id, campaign_id, limit=1
        )  # what is not there is a 404, not half a file
    return Download(
        f"campaign-{campaign_id}.csv",
        people.export(call.context.database, call.org_id, campaign_id, wanted),
    )


@operation("GET", "/campaigns/{campaign_id:int}/revenue", right=Right.MESSAGES, answer=Revenue)
async def get_revenue(call: Call) -> Revenue:
    """The delivered orders that the campaign brought: last touch, within the organisation's window."""
    async with call.context.database.connection() as connection:
        return await revenue.revenue(connection, call.org_id, call.path["campaign_id"])


@operation(
    "GET",
    "/campaigns/{campaign_id:int}/purchases",
    right=Right.MESSAGES,
    answer=Page[Purchase],
    query=(Query("limit", int, "1 to 500", default=100),),
)
async def list_purchases(call: Call) -> Page[Purchase]:
    """The orders behind the revenue, the latest first."""
    async with call.context.database.connection() as connection:
        return Page(
            await revenue.purchases(connection, call.org_id, call.path["campaign_id"], limit=page_limit(call))
        )


@operation("GET", "/revenue-rules", right=Right.FULL, answer=RevenueRules)
async def get_revenue_rules(call: Call) -> RevenueRules:
    """Show when an order counts as brought by a message."""
    async with call.context.database.connection() as connection:
        return await revenue.rules(connection, call.org_id)


@operation(
    "PUT",
    "/revenue-rules",
    right=Right.FULL,
    body=RevenueRules,
    answer=RevenueRules,
    example={"channels": {"email": {"event": "clicked", "days": 7}}, "exclude_tags": ["service"]},
)
async def set_revenue_rules(call: Call) -> RevenueRules:
    """Say when an order counts as brought by a message. Reports follow at once, earlier campaigns' too."""
    wanted = await call.json(RevenueRules)
    async with call.context.database.transaction() as connection:
        return await revenue.set_rules(connection, call.org_id, wanted)


def _filter(call: Call) -> Filter:
    return Filter(
        _one_of(call, "outcome", OUTCOMES),
        call.query.get("reason") or None,
        (call.query.get("domain") or "").lower() or None,
        (call.query.get("address") or "").lower() or None,
        _one_of(call, "engaged", tuple(ENGAGED)),
    )


def _one_of(call: Call, name: str, values: tuple[Any, ...]) -> Any:
    given = call.query.get(name) or None
    if given is not None and given not in values:
        raise Invalid.of(name, given, "must be one of " + ", ".join(values))
    return given


def _place(call: Call) -> Place:
    cursor = call.query.get("cursor") or ""
    if not cursor:
        return Place()
    found = _PLACE.match(cursor)
    if found is None or int(found[2]) > 2**31 - 1:
        raise Invalid.of("cursor", cursor, "must be a cursor of an earlier page")
    return Place(int(found[1]), int(found[2]))
