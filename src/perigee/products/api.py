"""/api/v4/recommendation-sources and /api/v4/product-feeds."""

from __future__ import annotations

from perigee.errors import NotFound
from perigee.http.v4 import PAGE, Call, Created, Page, cursor_page, operation
from perigee.products import feeds, sources
from perigee.products.feeds import FeedState
from perigee.products.jobs import enqueue_import
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


@operation("GET", "/product-feeds", answer=Page[FeedState])
async def list_product_feeds(call: Call) -> Page[FeedState]:
    """List the product feeds, and what became of their last import."""
    async with call.context.database.connection() as conn:
        return Page(await feeds.feed_states(conn, call.org_id))


@operation("POST", "/product-feeds/import", refusals=(404,))
async def import_product_feed(call: Call) -> None:
    """Import the default feed now, in the background."""
    async with call.context.database.transaction() as conn:
        if not await feeds.list_feeds(conn, call.org_id):
            raise NotFound("there is no product feed")
        await enqueue_import(conn, call.org_id)
