"""Background jobs on PostgreSQL (procrastinate): enqueued in the caller's transaction, run by the worker.

A package defines its tasks in `jobs.py` with `@task(...)`; the worker imports the modules of `MODULES`.
"""

from __future__ import annotations

from typing import Any

from procrastinate import App, PsycopgConnector

from perigee.db.pool import Connection

MODULES = (
    "perigee.consent.jobs",
    "perigee.contacts.jobs",
    "perigee.contacts.upload.jobs",
    "perigee.contacts.merging.jobs",
    "perigee.exports.jobs",
    "perigee.files.jobs",
    "perigee.imports.jobs",
    "perigee.events.jobs",
    "perigee.orders.jobs",
    "perigee.products.jobs",
)

app = App(connector=PsycopgConnector(), import_paths=list(MODULES))
"""The registry of tasks. The worker runs it with its own connector; enqueueing uses the caller's connection."""


async def enqueue(
    connection: Connection,
    task: str,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    **arguments: Any,
) -> int:
    """Adds a job inside the caller's transaction: it exists exactly when that commits. Returns its id.

    `lock`: jobs with the same lock run one after the other. `arguments` must be JSON.
    """
    deferrer = app.configure_task(
        task, allow_unknown=True, lock=lock, queueing_lock=queueing_lock, connection=connection
    )
    return await deferrer.defer_async(**arguments)


async def rescue(app: App, *, silent_seconds: float = 30.0) -> int:
    """Puts jobs of dead workers back into the queue; returns how many. Every task of ours may run twice."""
    manager = app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=silent_seconds))
    for job in stalled:
        await manager.retry_job(job)
    return len(stalled)
