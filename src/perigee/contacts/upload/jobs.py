"""Background work of files of contacts."""

from __future__ import annotations

from uuid import UUID

from procrastinate import JobContext

from perigee.contacts.upload import store
from perigee.contacts.upload.accept import APPLY_UPLOAD
from perigee.contacts.upload.apply import apply_upload
from perigee.db import statistics
from perigee.db.pool import Database
from perigee.files.attempts import RETRY, attempt
from perigee.files.download import limits
from perigee.jobs import app
from perigee.keys import Keys
from perigee.lib.outside import Outside
from perigee.settings import Settings


@app.task(name=APPLY_UPLOAD, pass_context=True, retry=RETRY)
async def apply(context: JobContext, org_id: int, session_id: str) -> None:
    """Applies one file. What ends it, the file's fault or ours, is told in the state ERROR."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    sealing = Keys.from_settings(settings).sealing
    most = limits(settings, settings.max_import_file_mb)

    async def work(outside: Outside) -> None:
        await apply_upload(database, outside, sealing, most, org_id, UUID(session_id))
        await statistics.refresh(database)

    async def fail(reason: str) -> None:
        async with database.transaction() as conn:
            await store.end(conn, org_id, UUID(session_id), "ERROR", reason)

    await attempt(context, work, fail, org_id=org_id, session_id=session_id)
