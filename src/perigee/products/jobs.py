"""Background work of products: feeds are imported when they are set, and daily."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext

from perigee.db.pool import Connection, Database
from perigee.files.attempts import RETRY, attempt
from perigee.files.download import limits
from perigee.jobs import app, enqueue
from perigee.lib.outside import Outside
from perigee.products import feeds
from perigee.products.import_feed import fail, import_feed
from perigee.settings import Settings

IMPORT_FEED = "products.import_feed"


async def enqueue_import(conn: Connection, org_id: int) -> None:
    """Imports the organisation's default feed soon after the caller's transaction has committed."""
    await enqueue(conn, IMPORT_FEED, lock=f"feed of {org_id}", org_id=org_id)


async def enqueue_due(conn: Connection, hours: int) -> None:
    """Imports what has not been imported for so long."""
    for org_id in await feeds.take_due(conn, hours):
        await enqueue_import(conn, org_id)


@app.task(name=IMPORT_FEED, pass_context=True, retry=RETRY)
async def run(context: JobContext, org_id: int) -> None:
    """One import. What ends it, the feed's fault or ours, is told with the feed."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    most = limits(settings, settings.max_feed_mb)

    async def work(outside: Outside) -> None:
        await import_feed(database, outside, most, org_id, datetime.now(UTC))

    async def failed(reason: str) -> None:
        await fail(database, org_id, reason)

    await attempt(context, work, failed, org_id=org_id)
