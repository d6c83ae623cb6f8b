"""The worker process: background jobs, the sender, the scheduler. All state is in PostgreSQL; it may be killed at
any moment and started anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta

import procrastinate
import structlog
from psycopg import errors as pg

from perigee import jobs, upkeep
from perigee.bounces import effect as come_back
from perigee.bounces import listener, mailboxes
from perigee.campaigns import experiments
from perigee.campaigns.launch import launch_due
from perigee.db.pool import Database
from perigee.delivery.events import waiting
from perigee.delivery.providers import Channels, built_in_settings
from perigee.delivery.sender import Sender
from perigee.delivery.sends import Sends
from perigee.domains.manage import Checks
from perigee.keys import Keys
from perigee.lib import garbage
from perigee.retention import work as retention
from perigee.segments.field_indexes import keep as field_indexes
from perigee.segments.limits import Limits
from perigee.segments.live import check, evaluate, follow
from perigee.segments.live.evaluate import Evaluator
from perigee.segments.live.follow import Follower
from perigee.settings import Settings

log = structlog.get_logger()

MATCH_SECONDS = 3.0
"""How often reports that came before their message are looked at again."""
TICK_SECONDS = 0.5
"""How often the scheduler looks for due campaigns and retries."""
DOMAIN_SECONDS = 30.0
"""How often sender domains are looked for whose check is due."""
STAND_SECONDS = 5.0
"""How often new providers that must stay connected are looked for."""
JOBS_AT_ONCE = 2
RESCUE_SECONDS = 10.0
MAILBOX_SECONDS = 15.0
"""How often mailboxes are looked for that nobody looked into for a minute."""
COME_BACK_SECONDS = 2.0
"""How often mail that came back is looked for."""


async def run(settings: Settings, database_url: str, *, stop: asyncio.Event) -> None:
    """Works until `stop` is set: then begins nothing new and ends when what is in flight has its outcome."""
    keys = Keys.from_settings(settings)
    garbage.calm()
    async with (
        Database(database_url, size=settings.pool_size, name="perigee worker") as database,
        Database(database_url, size=1, name="perigee live segments") as live,
    ):
        channels = Channels(database, keys.sealing, built_in_settings(settings))
        sends = Sends(
            database,
            keys,
            settings.public_url,
            bounce_domain=settings.bounce_domain,
            short_url=settings.short_url,
        )
        sender = Sender(settings, database, sends, channels)
        follower = Follower(live)
        indexes = field_indexes.FieldIndexes(database, settings)
        evaluator = Evaluator(database, Limits.of(settings), timedelta(hours=settings.segment_recheck_hours))
        brakes = settings.campaign_brake == "on"
        await asyncio.gather(
            sender.run(),
            _run_jobs(settings, database_url, database, stop),
            _every(TICK_SECONDS, stop, lambda: _tick(settings, database)),
            _every(STAND_SECONDS, stop, channels.keep_standing),
            _every(MATCH_SECONDS, stop, lambda: waiting.match(database)),
            _every(upkeep.SECONDS, stop, lambda: upkeep.run(database, settings, datetime.now(UTC))),
            _every(retention.SECONDS, stop, lambda: retention.run(database, settings, datetime.now(UTC))),
            _every(DOMAIN_SECONDS, stop, Checks(database, settings).check_due),
            _every(COME_BACK_SECONDS, stop, lambda: come_back.work(database, keys, brakes=brakes)),
            _every(MAILBOX_SECONDS, stop, lambda: mailboxes.poll(database, keys)),
            _every(COME_BACK_SECONDS, stop, lambda: listener.listen(settings, database, keys, stop)),
            _every(follow.SECONDS, stop, follower.turn),
            _every(evaluate.SECONDS, stop, evaluator.turn),
            _every(check.SECONDS, stop, lambda: check.check_due(database, datetime.now(UTC))),
            _every(field_indexes.SECONDS, stop, lambda: _until(stop, indexes.turn(datetime.now(UTC)))),
            _pass_on(stop, sender.stop),
        )
        await channels.close()


async def _pass_on(stop: asyncio.Event, to: asyncio.Event) -> None:
    await stop.wait()
    to.set()


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Work that may take minutes and may be broken off at any point: it is, when the process is to end."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    else:
        await working


async def _tick(settings: Settings, database: Database) -> None:
    await launch_due(
        database,
        now=datetime.now(UTC),
        grace=timedelta(seconds=settings.schedule_grace_seconds),
        batch_size=settings.batch_size,
        public_url=settings.public_url,
    )
    await experiments.decide_due(database, datetime.now(UTC))
    await upkeep.move_retries(database)


async def _every(seconds: float, stop: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Runs `work` again and again; a failure is logged and the next turn tries again."""
    while not stop.is_set():
        try:
            await work()
        except pg.OperationalError as error:
            log.warning(
                "periodic work waits for the database",
                work=getattr(work, "__qualname__", "?"),
                error=str(error).split("\n")[0],
            )
            await asyncio.sleep(1)
        except Exception as error:
            log.error("periodic work failed", work=getattr(work, "__qualname__", "?"), exc_info=error)
            await asyncio.sleep(1)
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue


async def _rescue(app: procrastinate.App) -> None:
    if rescued := await jobs.rescue(app):
        log.warning("jobs of a dead worker queued again", jobs=rescued)


async def _run_jobs(settings: Settings, database_url: str, database: Database, stop: asyncio.Event) -> None:
    connector = procrastinate.PsycopgConnector(conninfo=database_url, min_size=1, max_size=JOBS_AT_ONCE + 2)
    app = jobs.app.with_connector(connector)
    while not stop.is_set():
        try:
            async with app.open_async():
                worker = asyncio.create_task(
                    app.run_worker_async(
                        concurrency=JOBS_AT_ONCE,
                        fetch_job_polling_interval=1.0,
                        install_signal_handlers=False,
                        delete_jobs="successful",
                        additional_context={"database": database, "settings": settings},
                        shutdown_graceful_timeout=20,
                    )
                )
                rescuing = asyncio.create_task(_every(RESCUE_SECONDS, stop, lambda: _rescue(app)))
                await asyncio.wait([worker, rescuing], return_when=asyncio.FIRST_COMPLETED)
                for task in (worker, rescuing):
                    task.cancel()
                await asyncio.gather(worker, rescuing, return_exceptions=True)
                if stop.is_set():
                    return
                log.warning("job runner ended, starting it again")
        except Exception as error:
            log.warning("job runner failed, starting it again", error=str(error).split("\n")[0])
        await asyncio.sleep(1)
