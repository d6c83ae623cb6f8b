"""`perigee worker`: one worker alone; run as many as you like, on any machine."""

from __future__ import annotations

import asyncio
import os

import uvloop

from perigee import worker as worker_module
from perigee.cli.start import start
from perigee.db.embedded import database_url
from perigee.db.migrate import require_migrated
from perigee.secret_key import with_secret_key
from perigee.settings import Settings
from perigee.supervise import SUPERVISED, stop_signals, when_orphaned


def worker() -> None:
    """Start one worker alone: jobs, campaigns, schedules.

    Ctrl-C lets it finish what is in flight. The database must be migrated before.
    """
    settings = with_secret_key(start(), create=False)
    url = database_url(settings)
    if os.environ.get(SUPERVISED) != "1":
        require_migrated(url)
    uvloop.run(_work(settings, url))


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    when_orphaned(stop.set)
    with stop_signals(stop.set):
        await worker_module.run(settings, url, stop=stop)
