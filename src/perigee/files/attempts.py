"""One try of a job that fetches a caller's file, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from procrastinate import JobContext, RetryStrategy
from psycopg import OperationalError

from perigee.errors import Invalid
from perigee.files.download import rules
from perigee.lib.outside import Outside, Unreachable
from perigee.settings import Settings

log = structlog.get_logger()

ATTEMPTS = 10
LINK_ATTEMPTS = 3
"""How often a link that does not answer is tried, seconds apart."""

RETRY = RetryStrategy(
    max_attempts=ATTEMPTS, exponential_wait=2, retry_exceptions={OperationalError, Unreachable}
)


async def attempt(
    context: JobContext,
    work: Callable[[Outside], Awaitable[None]],
    fail: Callable[[str], Awaitable[None]],
    **about: Any,
) -> None:
    """Runs `work`; hands the reason to `fail` when that was the last try. What may pass is raised, for another try.

    `about` goes into the log beside a fault of ours.
    """
    settings: Settings = context.additional_context["settings"]
    tries = context.job.attempts + 1
    try:
        async with Outside(rules(settings)) as outside:
            await work(outside)
    except Invalid as error:
        if isinstance(error, Unreachable) and tries < LINK_ATTEMPTS:
            raise
        await fail(error.message)
    except Exception as error:
        if isinstance(error, OperationalError) and tries < ATTEMPTS:
            raise
        log.error("a file by link failed", exc_info=error, **about)
        await fail("The import failed; the cause is in the log")
