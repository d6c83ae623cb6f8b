"""Background work of exports."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.db.pool import Connection, Database
from perigee.errors import PerigeeError
from perigee.exports import store
from perigee.exports.run import run
from perigee.jobs import app, enqueue

log = structlog.get_logger()

RUN = "exports.run"
ATTEMPTS = 10


async def enqueue_run(conn: Connection, org_id: int, export_id: int) -> None:
    """One export of an organisation at a time."""
    await enqueue(conn, RUN, lock=f"exports of {org_id}", org_id=org_id, export_id=export_id)


@app.task(
    name=RUN,
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def run_export(context: JobContext, org_id: int, export_id: int) -> None:
    """One export. What ends it, the request's fault or ours, is told with it."""
    database: Database = context.additional_context["database"]
    try:
        await run(database, org_id, export_id, datetime.now(UTC))
    except PerigeeError as error:
        await _fail(database, org_id, export_id, error.message)
    except Exception as error:
        if isinstance(error, OperationalError) and context.job.attempts + 1 < ATTEMPTS:
            raise
        log.error("an export failed", exc_info=error, org_id=org_id, export_id=export_id)
        await _fail(database, org_id, export_id, "The export failed; the cause is in the log")


async def _fail(database: Database, org_id: int, export_id: int, reason: str) -> None:
    async with database.transaction() as conn:
        await store.end(conn, org_id, export_id, "failed", reason)
