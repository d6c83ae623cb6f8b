"""Background work of merges."""

from __future__ import annotations

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.contacts.merging import runs, store
from perigee.db.pool import Database
from perigee.jobs import app

log = structlog.get_logger()

ATTEMPTS = 10


@app.task(
    name=runs.MERGE_DUPLICATES,
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def merge_duplicates(context: JobContext, org_id: int, run_id: int) -> None:
    """Merges the duplicates of one run. A fault of ours ends it as failed; what was merged stays merged."""
    database: Database = context.additional_context["database"]
    try:
        await runs.work(database, org_id, run_id)
    except Exception as error:
        if isinstance(error, OperationalError) and context.job.attempts < ATTEMPTS:
            raise
        log.error("merging duplicates failed", org_id=org_id, run_id=run_id, exc_info=error)
        async with database.transaction() as conn:
            await store.end_run(conn, org_id, run_id, "failed")
