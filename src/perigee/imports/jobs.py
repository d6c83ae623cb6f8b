"""Background work of imports of files."""

from __future__ import annotations

from typing import Final

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.db import statistics
from perigee.db.pool import Database
from perigee.errors import Invalid
from perigee.imports import store
from perigee.imports.run import run_import
from perigee.imports.start import RUN_IMPORT
from perigee.jobs import app

log = structlog.get_logger()

ATTEMPTS: Final = 10


@app.task(
    name=RUN_IMPORT,
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def run(context: JobContext, org_id: int, import_id: int) -> None:
    """Runs one import. What ends it, the file's fault or ours, is told in the status `failed`."""
    database: Database = context.additional_context["database"]
    try:
        await run_import(database, org_id, import_id)
        await statistics.refresh(database)
    except Exception as error:
        if isinstance(error, OperationalError) and context.job.attempts + 1 < ATTEMPTS:
            raise
        reason = error.message if isinstance(error, Invalid) else "The import failed; the cause is in the log"
        if not isinstance(error, Invalid):
            log.error("import of a file failed", org_id=org_id, import_id=import_id, exc_info=error)
        async with database.transaction() as conn:
            await store.end(conn, org_id, import_id, "failed", reason)
