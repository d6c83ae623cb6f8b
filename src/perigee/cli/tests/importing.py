"""A command that waits for an import, and the jobs that it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from perigee.testing.api import Api


async def exit_code(api: Api, command: Callable[[], None]) -> Any:
    """Runs the command in a thread, and the jobs that come up meanwhile."""

    def run() -> Any:
        try:
            command()
        except SystemExit as ended:
            return ended.code
        return 0

    work = asyncio.create_task(asyncio.to_thread(run))
    while not work.done():
        await api.run_jobs()
        await asyncio.sleep(0.01)
    return await work
