"""An organisation with live segments, and the two workers of theirs, turned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.contacts.policy import ADD_OR_UPDATE
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Done, upsert
from perigee.db.pool import Database
from perigee.events.record import record
from perigee.events.types import Identity, NewEvent
from perigee.orders.types import CleanOrder
from perigee.orders.upsert import upsert as upsert_orders
from perigee.segments import manage, store
from perigee.segments.compile import compile_ids
from perigee.segments.limits import Limits
from perigee.segments.live import check, follow
from perigee.segments.live.evaluate import Evaluator
from perigee.segments.live.plans import Planner
from perigee.segments.live.store import standing
from perigee.segments.live.types import Standing
from perigee.segments.reading import read_segment

RECHECK = timedelta(hours=6)


class Room:
    def __init__(self, db: Database, org_id: int) -> None:
        self.db = db
        self.org_id = org_id
        self.planner = Planner()
        self.limits = Limits()

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.db.connection() as conn:
            cursor = await conn.execute(query.encode(), {"org_id": self.org_id, **values})
            return await cursor.fetchall() if cursor.description else []

    async def segment(self, condition: Any, name: str = "S") -> int:
        async with self.db.transaction() as conn:
            made = await manage.create_dynamic(conn, self.org_id, name, condition, datetime.now(UTC))
        return made.segment_id

    async def people(self, *rows: ContactRow) -> list[int]:
        async with self.db.transaction() as conn:
            results = await upsert(conn, self.org_id, rows, ADD_OR_UPDATE)
        return [result.contact_id for result in results if isinstance(result, Done)]

    async def event(self, contact_id: int, key: str, at: datetime | None = None, **params: Any) -> None:
        async with self.db.transaction() as conn:
            await record(
                conn, self.org_id, [NewEvent(key, None, contact_id=contact_id, occurred_at=at, params=params)]
            )

    async def order(self, contact_id: int, number: str, status: str = "DELIVERED", total: str = "10") -> None:
        one = CleanOrder(
            number, Identity(contact_id=contact_id), status, total, None, datetime.now(UTC), None, {}, None
        )
        async with self.db.transaction() as conn:
            await upsert_orders(conn, self.org_id, [one])

    async def evaluate(self, now: datetime | None = None) -> int:
        """What is due at this moment; returns how often something was."""
        evaluator = Evaluator(self.db, self.limits, RECHECK)
        turns = 0
        while await evaluator.evaluate_due(now or datetime.now(UTC)) and turns < 50:
            turns += 1
        return turns

    async def follow(self, lane: int = 0) -> int:
        return await follow.drain(self.db, self.planner, self.org_id, lane, datetime.now(UTC))

    async def check(self, now: datetime | None = None) -> None:
        async with self.db.transaction() as conn:
            await check.check(conn, self.org_id, now or datetime.now(UTC))

    async def made(self, condition: Any, name: str = "S") -> int:
        """A segment that is followed."""
        segment_id = await self.segment(condition, name)
        await self.evaluate()
        return segment_id

    async def held(self, segment_id: int) -> list[int]:
        found = await self.rows(
            "select contact_id from segment_live where org_id = %(org_id)s and segment_id = %(id)s order by 1",
            id=segment_id,
        )
        return [row[0] for row in found]

    async def true(self, segment_id: int, now: datetime | None = None) -> list[int]:
        """Asked of the rule itself."""
        async with self.db.connection() as conn:
            reading = await read_segment(conn, self.org_id, segment_id, now or datetime.now(UTC))
            compiled = compile_ids(*reading)
            return sorted(await store.column(conn, compiled.sql, compiled.values))

    async def standing(self, segment_id: int) -> Standing:
        async with self.db.connection() as conn:
            return (await standing(conn, self.org_id, [segment_id]))[segment_id]

    async def waiting(self) -> list[tuple[int, int]]:
        return [
            (row[0], row[1])
            for row in await self.rows(
                "select contact_id, kinds from segment_dirty where org_id = %(org_id)s order by 1, 2"
            )
        ]


@pytest.fixture
async def room(db: Database) -> Room:
    async with db.transaction() as conn:
        cursor = await conn.execute(
            "insert into organisation (name, time_zone, currency) values ('Shop', 'Europe/Kyiv', 'UAH') returning org_id"
        )
        row = await cursor.fetchone()
        assert row is not None
    return Room(db, row[0])
