"""Background work of data files."""

from __future__ import annotations

from uuid import UUID

from procrastinate import JobContext

from perigee.db.pool import Database
from perigee.files import store
from perigee.files.accept import LOAD_DATA
from perigee.files.attempts import RETRY, attempt
from perigee.files.download import limits
from perigee.files.load import load_data
from perigee.jobs import app
from perigee.keys import Keys
from perigee.lib.outside import Outside
from perigee.settings import Settings


@app.task(name=LOAD_DATA, pass_context=True, retry=RETRY)
async def apply(context: JobContext, org_id: int, session_id: str) -> None:
    """Loads one file. What ends it, the file's fault or ours, is told in the state ERROR."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    sealing = Keys.from_settings(settings).sealing
    most = limits(settings, settings.max_data_file_mb)

    async def work(outside: Outside) -> None:
        await load_data(database, outside, sealing, most, org_id, UUID(session_id))

    async def fail(reason: str) -> None:
        async with database.transaction() as conn:
            await store.fail(conn, org_id, UUID(session_id), reason)

    await attempt(context, work, fail, org_id=org_id, session_id=session_id)
