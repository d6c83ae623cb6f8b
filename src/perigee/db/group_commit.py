"""Group commit: single-row writes that arrive together share one transaction.

`submit` returns after the commit that holds the item, so an answer built on it is durable. While one transaction
runs, the next arrivals gather; under load the batch size follows the load by itself; a lone caller waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from psycopg import errors as pg

from perigee.db.pool import Connection, Database
from perigee.observe import GROUP_COMMIT_ITEMS

Item = TypeVar("Item")
Result = TypeVar("Result")
Apply = Callable[[Connection, int, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""(connection, org_id, items) → one result per item, in order; a refused item is its own exception."""

# Two processes may insert the same person at the same moment: one of them starts over and finds the row.
RACES = (pg.UniqueViolation, pg.DeadlockDetected, pg.SerializationFailure)
TRIES = 5
GATHER_SECONDS = 0.002


class GroupCommit(Generic[Item, Result]):
    """Gathers items per organisation and applies them set-wise.

    A batch that fails as a whole is split: its items run alone, so one poisoned item hurts only itself.
    """

    def __init__(self, database: Database, apply: Apply[Item, Result], *, max_items: int = 256) -> None:
        self._database = database
        self._apply = apply
        self._max_items = max_items
        self._waiting: dict[int, deque[tuple[Item, asyncio.Future[Result]]]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._busy: set[int] = set()

    async def submit(self, org_id: int, item: Item) -> Result:
        """Raises what `apply` gave for this item, or what its own transaction failed with."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(org_id, deque()).append((item, future))
        if org_id not in self._busy:
            self._busy.add(org_id)
            task = asyncio.create_task(self._drain(org_id))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def close(self) -> None:
        """Waits until everything submitted is committed."""
        while self._running:
            await asyncio.gather(*self._running)

    async def _drain(self, org_id: int) -> None:
        # Requests that became readable in the same turn of the loop join the first batch.
        await asyncio.sleep(0)
        queue = self._waiting[org_id]
        while queue:
            batch = [queue.popleft() for _ in range(min(len(queue), self._max_items))]
            batch = [(item, future) for item, future in batch if not future.done()]
            if batch:
                GROUP_COMMIT_ITEMS.observe(len(batch))
                await self._commit(org_id, batch)
            if len(batch) > 1:
                # Under load, callers who just got their answer send the next request at once: a moment lets them
                # into this batch instead of the one after it. A lone caller does not wait.
                await asyncio.sleep(GATHER_SECONDS)
        # No await between the last look at the queue and here, so no submit can fall between.
        del self._waiting[org_id]
        self._busy.discard(org_id)

    async def _commit(self, org_id: int, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await run_set(self._database, self._apply, org_id, [item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0][1], error)
            else:
                for single in batch:
                    await self._commit(org_id, [single])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                _fail(future, result)
            else:
                future.set_result(result)


def _fail(future: asyncio.Future[Result], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


async def run_set(
    database: Database, apply: Apply[Item, Result], org_id: int, items: Sequence[Item]
) -> Sequence[Result | Exception]:
    """One set in one transaction, started over when it lost a race for a unique key or a lock."""
    for attempt in range(1, TRIES + 1):
        try:
            async with database.transaction() as connection:
                return await apply(connection, org_id, items)
        except RACES:
            if attempt == TRIES:
                raise
            await asyncio.sleep(0.002 * 2**attempt)
    raise AssertionError("unreachable")
