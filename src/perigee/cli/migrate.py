"""`perigee migrate`: the database's schema."""

from __future__ import annotations

import asyncio

from perigee.cli.start import start
from perigee.db.embedded import database_url
from perigee.db.prepare import prepare
from perigee.retention.rules import months_made


def migrate() -> None:
    """Bring the database to the schema of this version.

    `perigee up` does it by itself. Safe while other processes run, and by several at once.
    """
    done = asyncio.run(prepare(database_url(settings := start()), months_made(settings)))
    for name in done.applied:
        print(f"applied {name}")
    if done.queue_made:
        print("made the tables of the job queue")
    if not done.applied and not done.queue_made:
        print("nothing to do")
