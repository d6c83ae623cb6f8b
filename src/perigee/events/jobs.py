"""Background work of events: the history of a deleted type."""

from __future__ import annotations

from datetime import datetime, timedelta

from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.db.pool import Connection, Database
from perigee.events import store
from perigee.jobs import app, enqueue

DELETE_HISTORY = "events.delete_history"
STEP = timedelta(days=7)
"""Of events that go in one transaction."""


async def enqueue_delete_history(conn: Connection, org_id: int, event_type_id: int) -> None:
    """The events of a type, soon after the caller's transaction has committed."""
    await enqueue(conn, DELETE_HISTORY, org_id=org_id, event_type_id=event_type_id)


@app.task(
    name=DELETE_HISTORY,
    pass_context=True,
    retry=RetryStrategy(max_attempts=10, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def delete_history(context: JobContext, org_id: int, event_type_id: int) -> None:
    """Week by week, so that no transaction is long. May run twice: what is gone is gone."""
    database: Database = context.additional_context["database"]
    async with database.connection() as conn:
        span = await store.span(conn, org_id)
    if span is None:
        return
    at: datetime = span[0]
    while at <= span[1]:
        async with database.transaction() as conn:
            await store.delete_type_events(conn, org_id, event_type_id, at, at + STEP)
        at += STEP
