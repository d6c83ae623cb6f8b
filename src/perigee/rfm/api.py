"""/api/v4/rfm."""

from __future__ import annotations

from datetime import UTC, datetime

from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Page, Query, cursor_page, operation
from perigee.lib.scalars import to_id
from perigee.lib.text import clean_or_none
from perigee.rfm import read_store as store
from perigee.rfm.show import change, put_on_list, show, to_cell, to_grid
from perigee.rfm.types import RfmContact, RfmExport, RfmExported, RfmGrid, RfmGridUpdate, RfmMove

MOST_DAYS = 3650


@operation(
    "GET",
    "/rfm/{grid:str}",
    answer=RfmGrid,
    query=(
        Query("segment_id", int, "only contacts of this segment"),
        Query("sent_days", int, "only contacts who were sent a message in the last so many days", example=30),
    ),
    refusals=(404, 503),
)
async def get_rfm_grid(call: Call) -> RfmGrid:
    """Show the grid `sales` (delivered orders) or `mail` (opened mails): how many contacts stand in each cell."""
    grid, days = to_grid(call.path["grid"]), _days(call.query.get("sent_days"))
    segment_id = to_id("segment_id", call.query.get("segment_id"))
    async with call.context.database.connection() as conn:
        return await show(conn, call.org_id, grid, datetime.now(UTC), segment_id=segment_id, sent_days=days)


@operation(
    "PATCH",
    "/rfm/{grid:str}",
    body=RfmGridUpdate,
    answer=RfmGrid,
    example={"raise_events": True, "moves": [{"from": {"recency": 1}, "to": {"recency": 2}}]},
    refusals=(404,),
)
async def change_rfm_grid(call: Call) -> RfmGrid:
    """Say whether contacts that go from one cell to another raise an event, and for which moves."""
    grid = to_grid(call.path["grid"])
    wanted = await call.json(RfmGridUpdate)
    async with call.context.database.transaction() as conn:
        await change(conn, call.org_id, grid, raise_events=wanted.raise_events, moves=wanted.moves)
        return await show(conn, call.org_id, grid, datetime.now(UTC))


@operation(
    "GET",
    "/rfm/{grid:str}/cells/{recency:int}/{frequency:int}/contacts",
    answer=Page[RfmContact],
    query=PAGE,
    refusals=(404,),
)
async def list_rfm_contacts(call: Call) -> Page:
    """List the contacts of a cell by id."""
    grid, cell = to_grid(call.path["grid"]), to_cell(call.path["recency"], call.path["frequency"])
    behind, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        found = await store.in_cell(conn, call.org_id, grid, cell, behind=behind, limit=limit + 1)
    page = Page(found[:limit])
    if len(found) > limit:
        page.next = str(found[limit - 1].contact_id)
    return page


@operation(
    "POST",
    "/rfm/{grid:str}/cells/{recency:int}/{frequency:int}/export",
    body=RfmExport,
    answer=RfmExported,
    example={"segment_id": 12},
    refusals=(404,),
)
async def export_rfm_cell(call: Call) -> RfmExported:
    """Put the contacts of a cell on a list."""
    grid, cell = to_grid(call.path["grid"]), to_cell(call.path["recency"], call.path["frequency"])
    wanted = await call.json(RfmExport)
    async with call.context.database.transaction() as conn:
        return RfmExported(await put_on_list(conn, call.org_id, grid, cell, wanted.segment_id))


@operation(
    "GET",
    "/rfm/{grid:str}/moves",
    answer=Page[RfmMove],
    query=(Query("contact_id", int, "moves of one contact"), *PAGE),
    refusals=(404,),
)
async def list_rfm_moves(call: Call) -> Page:
    """List moves from one cell to another, newest first. They are kept for two years."""
    grid = to_grid(call.path["grid"])
    before, limit = cursor_page(call)
    contact_id = to_id("contact_id", call.query.get("contact_id"))
    async with call.context.database.connection() as conn:
        found = await store.moves(
            conn, call.org_id, grid, before=before, limit=limit + 1, contact_id=contact_id
        )
    page = Page(found[:limit])
    if len(found) > limit:
        page.next = str(found[limit - 1].move_id)
    return page


def _days(given: str | None) -> int | None:
    text = clean_or_none(given)
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_DAYS:
        raise Invalid.of("sent_days", text, f"must be from 1 to {MOST_DAYS}")
    return int(text)
