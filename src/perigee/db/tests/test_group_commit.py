"""Group commit: answers follow the commit, arrivals share a transaction, a poisoned item hurts only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from psycopg import errors as pg

from perigee.db.group_commit import GroupCommit, run_set
from perigee.db.pool import Connection, Database
from perigee.errors import Invalid


@pytest.fixture
async def numbers(db: Database) -> Database:
    async with db.transaction() as connection:
        await connection.execute("create table number (org_id bigint, n int, primary key (org_id, n))")
    return db


async def add(connection: Connection, org_id: int, items: Sequence[int]) -> list[int | Exception]:
    """Refuses negative numbers one by one; 666 breaks the whole statement."""
    good = [n for n in items if n >= 0]
    if 666 in good:
        raise ValueError("666")
    await connection.execute(
        "insert into number select %s, unnest(%s::int[]) on conflict do nothing", [org_id, good]
    )
    return [Invalid.of("n", n, "is negative") if n < 0 else n * 2 for n in items]


async def stored(db: Database, org_id: int = 1) -> list[int]:
    async with db.connection() as connection:
        cursor = await connection.execute("select n from number where org_id = %s order by n", [org_id])
        return [row[0] for row in await cursor.fetchall()]


async def test_each_caller_gets_its_own_result_after_the_commit(numbers: Database) -> None:
    commit: GroupCommit[int, int] = GroupCommit(numbers, add)
    assert await asyncio.gather(*[commit.submit(1, n) for n in range(100)]) == [n * 2 for n in range(100)]
    assert await stored(numbers) == list(range(100))


async def test_arrivals_share_transactions(numbers: Database) -> None:
    sizes = []

    async def counting(connection: Connection, org_id: int, items: Sequence[int]) -> list[int | Exception]:
        sizes.append(len(items))
        return await add(connection, org_id, items)

    commit: GroupCommit[int, int] = GroupCommit(numbers, counting)
    await asyncio.gather(*[commit.submit(1, n) for n in range(100)])
    assert sizes == [100]


async def test_a_refused_item_is_its_own_error(numbers: Database) -> None:
    commit: GroupCommit[int, int] = GroupCommit(numbers, add)
    good, bad = await asyncio.gather(commit.submit(1, 1), commit.submit(1, -1), return_exceptions=True)
    assert good == 2
    assert isinstance(bad, Invalid)


async def test_a_poisoned_item_hurts_only_itself(numbers: Database) -> None:
    commit: GroupCommit[int, int] = GroupCommit(numbers, add)
    results = await asyncio.gather(*[commit.submit(1, n) for n in (12, 666, 14)], return_exceptions=True)
    assert results[0] == 24
    assert isinstance(results[1], ValueError)
    assert results[2] == 28
    assert await stored(numbers) == [12, 14]


async def test_organisations_do_not_mix(numbers: Database) -> None:
    commit: GroupCommit[int, int] = GroupCommit(numbers, add)
    await asyncio.gather(commit.submit(1, 1), commit.submit(2, 2))
    assert await stored(numbers, 1) == [1]
    assert await stored(numbers, 2) == [2]


async def test_a_caller_that_left_does_not_stop_the_others(numbers: Database) -> None:
    commit: GroupCommit[int, int] = GroupCommit(numbers, add)
    leaving = asyncio.create_task(commit.submit(1, 1))
    staying = asyncio.create_task(commit.submit(1, 2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4


async def test_a_lost_race_is_run_again(numbers: Database) -> None:
    tries = []

    async def racing(connection: Connection, org_id: int, items: Sequence[int]) -> list[int | Exception]:
        tries.append(len(items))
        if len(tries) < 3:
            raise pg.UniqueViolation
        return await add(connection, org_id, items)

    assert await run_set(numbers, racing, 1, [5]) == [10]
    assert len(tries) == 3


async def test_close_waits_for_everything_submitted(numbers: Database) -> None:
    commit: GroupCommit[int, int] = GroupCommit(numbers, add)
    waiting = [asyncio.create_task(commit.submit(1, n)) for n in range(10)]
    await asyncio.sleep(0)
    await commit.close()
    assert await stored(numbers) == list(range(10))
    await asyncio.gather(*waiting)
