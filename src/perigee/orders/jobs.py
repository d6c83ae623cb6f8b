"""Background work of orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.db.pool import Connection, Database
from perigee.jobs import app, enqueue
from perigee.orders.delete import DELETE_ORDERS, Period, delete_one, delete_some


async def enqueue_delete(conn: Connection, org_id: int, asked: str | Period) -> None:
    """Deletes an order, or a period's, soon after the caller's transaction has committed."""
    if isinstance(asked, str):
        await enqueue(conn, DELETE_ORDERS, org_id=org_id, external_order_id=asked)
    else:
        period = [asked.first.isoformat(), asked.last.isoformat()]
        await enqueue(conn, DELETE_ORDERS, org_id=org_id, period=period)


@app.task(
    name=DELETE_ORDERS,
    pass_context=True,
    retry=RetryStrategy(max_attempts=10, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def delete_orders(
    context: JobContext, org_id: int, external_order_id: str = "", period: Sequence[str] = ()
) -> None:
    """The one order, or those between the two moments, a chunk per transaction. May run twice: what is gone is gone."""
    database: Database = context.additional_context["database"]
    if external_order_id:
        async with database.transaction() as conn:
            await delete_one(conn, org_id, external_order_id)
    if period:
        first, last = map(datetime.fromisoformat, period)
        deleted = 1
        while deleted:
            async with database.transaction() as conn:
                deleted = await delete_some(conn, org_id, Period(first, last))
