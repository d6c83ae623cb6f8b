"""/api/v4/recommendation-sources."""

from __future__ import annotations

from perigee.http.v4 import PAGE, Call, Created, Page, cursor_page, operation
from perigee.products import sources
from perigee.products.sources import Source, SourceCreate


@operation(
    "POST",
    "/recommendation-sources",
    body=SourceCreate,
    answer=Source,
    example={
        "name": "Best sellers",
        "kind": "best_sellers",
        "settings": {"days": 30, "category": "Mugs", "limit": 6},
    },
)
async def create_recommendation_source(call: Call) -> Created:
    """Define a data source of recommendations."""
    wanted = await call.json(SourceCreate)
    async with call.context.database.transaction() as conn:
        return Created(await sources.create(conn, call.org_id, wanted))


@operation("GET", "/recommendation-sources", answer=Page[Source], query=PAGE)
async def list_recommendation_sources(call: Call) -> Page[Source]:
    """List data sources by id."""
    after, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        rows = await sources.list_sources(conn, call.org_id, after=after, limit=limit + 1)
    page: Page[Source] = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].source_id)
    return page


@operation("DELETE", "/recommendation-sources/{source_id:int}", refusals=(404,))
async def delete_recommendation_source(call: Call) -> None:
    """Delete a data source."""
    async with call.context.database.transaction() as conn:
        await sources.delete(conn, call.org_id, call.path["source_id"])
