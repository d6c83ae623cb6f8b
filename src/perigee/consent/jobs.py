"""Background work of consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.consent.confirmation import ask
from perigee.contacts.subscribe import ASK_CONFIRMATION
from perigee.db.pool import Database
from perigee.errors import Invalid
from perigee.jobs import app
from perigee.settings import Settings

log = structlog.get_logger()


@app.task(
    name=ASK_CONFIRMATION,
    pass_context=True,
    retry=RetryStrategy(max_attempts=10, exponential_wait=2, retry_exceptions={OperationalError}),
)
async def ask_confirmation(context: JobContext, org_id: int, contact_ids: Sequence[int]) -> None:
    """Whoever was asked is marked in the transaction that queues the mail, so running twice asks once."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    try:
        async with database.transaction() as conn:
            await ask(conn, org_id, contact_ids, now=datetime.now(UTC), public_url=settings.public_url)
    except Invalid as error:  # no provider, or a message that does not compile: nothing a retry would mend
        log.warning("no confirmation mail", org_id=org_id, error=error.message)
