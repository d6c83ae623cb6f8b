"""One round of retention, by one worker at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from perigee.db.partitions import COLUMNS
from perigee.db.pool import Database
from perigee.orders import store as orders
from perigee.orders.delete import Period, delete_some
from perigee.retention.old_months import drop_before
from perigee.retention.rules import first_kept, kept_months
from perigee.settings import Settings

SECONDS = 600.0

_LOCK = "hashtext('perigee retention')"
_FIRST = datetime(1, 1, 2, tzinfo=UTC)


async def run(database: Database, settings: Settings, now: datetime) -> list[str]:
    """Names of the months that are gone. Does nothing while another process is at it."""
    async with database.connection() as guard:
        row = await (await guard.execute(f"select pg_try_advisory_lock({_LOCK})")).fetchone()
        if not (row and row[0]):
            return []
        try:
            return await _round(database, settings, now)
        finally:
            await guard.execute(f"select pg_advisory_unlock({_LOCK})")


async def _round(database: Database, settings: Settings, now: datetime) -> list[str]:
    folder = Path(settings.keep_export_folder) if settings.keep_export_folder else None
    dropped = []
    for table, kept in kept_months(settings).items():
        if first := first_kept(kept, now):
            dropped += await drop_before(database, table, COLUMNS[table], first, folder=folder)
    if first := first_kept(settings.keep_order_months, now):
        await _delete_orders(database, first)
    return dropped


async def _delete_orders(database: Database, first: datetime) -> None:
    """Chunk by chunk, the figures of their contacts with them."""
    async with database.connection() as conn:
        organisations = await orders.organisations_with_orders_before(conn, first)
    period = Period(_FIRST, first - timedelta(microseconds=1))
    for org_id in organisations:
        gone = 1
        while gone:
            async with database.transaction() as conn:
                gone = await delete_some(conn, org_id, period)
