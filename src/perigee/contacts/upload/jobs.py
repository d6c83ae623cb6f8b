"""Background work of files of contacts."""

from __future__ import annotations

from uuid import UUID

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.contacts.upload import store
from perigee.contacts.upload.accept import APPLY_UPLOAD
from perigee.contacts.upload.apply import apply_upload
from perigee.db import statistics
from perigee.db.pool import Database
from perigee.errors import Invalid
from perigee.files.download import limits, rules
from perigee.jobs import app
from perigee.keys import Keys
from perigee.lib.outside import Outside, Unreachable
from perigee.settings import Settings

log = structlog.get_logger()

ATTEMPTS = 10
LINK_ATTEMPTS = 3
"""How often a link that does not answer is tried, seconds apart."""


@app.task(
    name=APPLY_UPLOAD,
    pass_context=True,
    retry=RetryStrategy(
        max_attempts=ATTEMPTS, exponential_wait=2, retry_exceptions={OperationalError, Unreachable}
    ),
)
async def apply(context: JobContext, org_id: int, session_id: str) -> None:
    """Applies one file. What ends it, the file's fault or ours, is told in the state ERROR."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    assert settings.secret_key is not None
    sealing = Keys.of(settings.secret_key).sealing
    attempts = context.job.attempts
    try:
        async with Outside(rules(settings)) as outside:
            most = limits(settings, settings.max_import_file_mb)
            await apply_upload(database, outside, sealing, most, org_id, UUID(session_id))
        await statistics.refresh(database)
    except Invalid as error:
        if isinstance(error, Unreachable) and attempts + 1 < LINK_ATTEMPTS:
            raise
        await _end(database, org_id, session_id, error.message)
    except Exception as error:
        if isinstance(error, OperationalError) and attempts < ATTEMPTS:
            raise
        log.error("import of a file failed", org_id=org_id, session_id=session_id, exc_info=error)
        await _end(database, org_id, session_id, "The import failed; the cause is in the log")


async def _end(database: Database, org_id: int, session_id: str, description: str) -> None:
    async with database.transaction() as conn:
        await store.end(conn, org_id, UUID(session_id), "ERROR", description)
