"""Background work of contacts."""

from __future__ import annotations

from uuid import UUID

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.contacts import import_store
from perigee.contacts.apply_import import apply_import
from perigee.contacts.bulk import APPLY_IMPORT
from perigee.db import statistics
from perigee.db.pool import Database
from perigee.jobs import app

log = structlog.get_logger()

ATTEMPTS = 10


@app.task(
    name=APPLY_IMPORT,
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def apply(context: JobContext, org_id: int, session_id: str) -> None:
    """Applies one stored import. A fault of ours ends it in the state ERROR, which the caller can see."""
    database: Database = context.additional_context["database"]
    try:
        await apply_import(database, org_id, UUID(session_id))
        await statistics.refresh(database)
    except Exception as error:
        if isinstance(error, OperationalError) and context.job.attempts < ATTEMPTS:
            raise
        log.error("import failed", org_id=org_id, session_id=session_id, exc_info=error)
        async with database.transaction() as conn:
            await import_store.fail(
                conn, org_id, UUID(session_id), "The import failed; the cause is in the log"
            )
