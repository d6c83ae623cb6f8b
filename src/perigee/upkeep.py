"""Housekeeping that must happen now and then: partitions ahead, stale marks away, sends finished."""

from __future__ import annotations

from datetime import datetime, timedelta

from perigee.appinbox import store as inboxes
from perigee.bounces import mails as come_back
from perigee.campaigns.manage import settle_stopped
from perigee.contacts.delete import purge
from perigee.contacts.erasure.erase import sweep
from perigee.contacts.import_store import prune_imports
from perigee.contacts.merging.merge import sweep as sweep_merges
from perigee.contacts.read_store import fold_tally as fold_contact_tally
from perigee.db import partitions, statistics
from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.delivery import consequences
from perigee.delivery.channels.smpp import strays
from perigee.delivery.events import waiting
from perigee.esputnik import repeat
from perigee.events import refused as refused_events
from perigee.exports import store as exports
from perigee.files import preprocessor
from perigee.http import idempotency
from perigee.imports import store as imports
from perigee.paging import marks
from perigee.products.jobs import enqueue_due
from perigee.products.store import prune_changes
from perigee.retention.rules import months_made
from perigee.rfm import day as rfm_day
from perigee.rfm import store as rfm
from perigee.segments.live import store as live_segments
from perigee.segments.store import fold_tally as fold_member_tally
from perigee.settings import Settings
from perigee.site import store as visitors

SECONDS = 30.0
RFM_MOVES = timedelta(days=731)
"""How long moves between RFM cells are kept: as long as events."""

delivery = load("perigee.delivery")


async def run(database: Database, settings: Settings, now: datetime) -> None:
    """One round; each part is a transaction of its own, so one that fails does not hold up the others."""
    async with database.transaction() as connection:
        await partitions.ensure(connection, now, months_made(settings))
    async with database.transaction() as connection:
        await repeat.prune(connection, settings.repeat_guard_seconds)
        await idempotency.prune(connection)
        await prune_imports(connection)
        await preprocessor.prune(connection)
        await marks.prune(connection)
    async with database.transaction() as connection:
        await imports.prune(connection)
    async with database.transaction() as connection:
        await fold_contact_tally(connection)
        await fold_member_tally(connection)
    async with database.transaction() as connection:
        await refused_events.prune(connection)
    async with database.transaction() as connection:
        await inboxes.prune(connection)
    async with database.transaction() as connection:
        await waiting.prune(connection)
    async with database.transaction() as connection:
        await come_back.prune(connection)
    async with database.transaction() as connection:
        await visitors.prune(connection, settings.visitor_days)
    async with database.transaction() as connection:
        await exports.prune(connection, settings.export_days)
    async with database.transaction() as connection:
        await prune_changes(connection)
    async with database.transaction() as connection:
        await enqueue_due(connection, settings.feed_hours)
    async with database.transaction() as connection:
        await live_segments.prune_changes(connection, now - timedelta(days=settings.segment_change_days))
    async with database.transaction() as connection:
        await settle_stopped(connection)
    async with database.transaction() as connection:
        await rfm.prune(connection, now - RFM_MOVES)
    await rfm_day.keep(database, now)
    await purge(database, settings.deleted_contact_days)
    await sweep(database)
    await sweep_merges(database, settings.merge_undo_days)
    await strays.settle(database)
    await consequences.finish(database)
    await statistics.refresh(database)


async def move_retries(database: Database) -> None:
    """Messages whose time to be tried again has come become batches."""
    async with database.transaction() as connection:
        await connection.execute(delivery.gather_retries)
