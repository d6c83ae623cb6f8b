"""Indexes of additional fields come when rules compare them and go when none does; nobody waits for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from perigee.db.pool import Database
from perigee.segments import manage
from perigee.segments.compile import compile_ids
from perigee.segments.field_indexes.keep import FieldIndexes
from perigee.segments.reading import read_segment
from perigee.settings import Settings

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PEOPLE = 3000
TYPES = ("textfield", "decimal", "date", "checkboxlist")


class Place:
    """An organisation with four additional fields and people that differ in them."""

    def __init__(self, db: Database, settings: Settings, org_id: int, fields: dict[str, int]) -> None:
        self.db, self.org_id, self.fields = db, org_id, fields
        self.settings = replace(settings, field_index_contacts=PEOPLE, field_indexes=10)

    def leaf(self, type_: str, op: str, **operands: Any) -> dict[str, Any]:
        return {"is": "additional", "id": self.fields[type_], "test": {"op": op, **operands}}

    async def segment(self, condition: Any, name: str = "S") -> int:
        async with self.db.transaction() as conn:
            return (await manage.create_dynamic(conn, self.org_id, name, condition, NOW)).segment_id

    async def forget(self) -> None:
        async with self.db.transaction() as conn:
            await conn.execute("delete from segment where org_id = %s", [self.org_id])

    async def turn(self, now: datetime = NOW, **settings: Any) -> None:
        await FieldIndexes(self.db, replace(self.settings, **settings), patience="100ms").turn(now)

    async def indexes(self) -> list[tuple[str, bool, int]]:
        """Name, whether it is valid, and its oid."""
        async with self.db.connection() as conn:
            cursor = await conn.execute(
                "select indexrelid::regclass::text, indisvalid, indexrelid::bigint from pg_index "
                "where indrelid = 'contact'::regclass and indexrelid::regclass::text ~ '^contact_field_' order by 1"
            )
            return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]

    async def plan(self, segment_id: int) -> str:
        async with self.db.connection() as conn:
            compiled = compile_ids(*await read_segment(conn, self.org_id, segment_id, NOW))
            cursor = await conn.execute(b"explain " + compiled.sql.encode(), compiled.values, prepare=False)
            return "\n".join(row[0] for row in await cursor.fetchall())

    async def count(self, segment_id: int) -> int:
        async with self.db.connection() as conn:
            compiled = compile_ids(*await read_segment(conn, self.org_id, segment_id, NOW))
            return len(
                await (await conn.execute(compiled.sql.encode(), compiled.values, prepare=False)).fetchall()
            )


_PEOPLE = """
insert into contact (org_id, fields)
select %(org)s, jsonb_build_object(
    %(textfield)s::text, 'Name ' || n, %(decimal)s::text, n / 4.0, %(date)s::text, (date '2000-01-01' + n)::text,
    %(checkboxlist)s::text, jsonb_build_array('c' || n %% 500))
from generate_series(1, %(people)s) n
"""


@pytest.fixture
async def place(db: Database, settings: Settings) -> Place:
    async with db.transaction() as conn:
        one = await (
            await conn.execute(
                "with o as (insert into organisation (name, time_zone, currency) values ('Shop', 'Europe/Kyiv', 'UAH') "
                "returning org_id) insert into field_group (org_id, name, key) select org_id, 'G', 'G' from o "
                "returning org_id, group_id"
            )
        ).fetchone()
        assert one is not None
        cursor = await conn.execute(
            "insert into field (org_id, group_id, name, key, type) select %s, %s, t, upper(t), t "
            "from unnest(%s::text[]) t returning type, field_id",
            [*one, list(TYPES)],
        )
        fields = dict(await cursor.fetchall())
        values = {"org": one[0], "people": PEOPLE, **{name: str(key) for name, key in fields.items()}}
        await conn.execute(_PEOPLE, values)
        await conn.execute("analyze contact")
    return Place(db, settings, one[0], fields)


LONG = "x" * 100
SERVED: dict[str, tuple[str, dict[str, Any], int]] = {
    "equals": ("textfield", {"value": "NAME 7"}, 1),
    "one_of": ("textfield", {"values": ["name 7", "Name 8"]}, 2),
    "greater": ("decimal", {"value": 749}, 4),
    "between": ("decimal", {"value": 10, "to": 11}, 5),
    "on": ("date", {"value": "2000-01-11"}, 1),
    "last_days": ("date", {"days": 7000}, 0),
    "anniversary": ("date", {"days": 0}, 8),
    "has": ("checkboxlist", {"value": "c7"}, 6),
    "has_any": ("checkboxlist", {"values": ["c7", "c8"]}, 12),
}


@pytest.mark.parametrize("op", SERVED)
async def test_a_selective_comparison_is_looked_up_in_an_index_of_its_field(place: Place, op: str) -> None:
    type_, operands, people = SERVED[op]
    segment = await place.segment(place.leaf(type_, op, **operands))
    before = await place.count(segment)
    assert "contact_field_" not in await place.plan(segment)
    await place.turn()
    ((name, valid, _),) = await place.indexes()
    assert valid
    assert name.startswith(f"contact_field_{place.org_id}_{place.fields[type_]}_")
    assert name in await place.plan(segment)
    assert await place.count(segment) == before
    if people:
        assert before == people


async def test_no_index_for_what_none_serves(place: Place) -> None:
    await place.segment(
        {
            "is": "all",
            "of": [
                place.leaf("textfield", "contains", value="a"),
                place.leaf("textfield", "equals", value=LONG),
                place.leaf("decimal", "filled"),
                {"is": "not", "of": place.leaf("decimal", "equals", value=7)},
            ],
        }
    )
    await place.turn()
    assert await place.indexes() == []


async def test_texts_of_any_length_are_told_apart_and_written(place: Place) -> None:
    short = await place.segment(place.leaf("textfield", "equals", value="y" * 99), "short")
    exact = await place.segment(place.leaf("textfield", "equals", value="y" * 100), "exact")
    await place.turn()
    async with place.db.transaction() as conn:
        for text in (
            "y" * 99,
            "y" * 100,
            "y" * 101,
            "".join(chr(0x4E00 + n * 7 % 9000) for n in range(1000)),
        ):
            await conn.execute(
                "insert into contact (org_id, fields) values (%s, jsonb_build_object(%s::text, %s::text))",
                [place.org_id, str(place.fields["textfield"]), text],
            )
    assert (await place.count(short), await place.count(exact)) == (1, 1)


async def test_a_small_organisation_gets_none(place: Place) -> None:
    await place.segment(place.leaf("decimal", "equals", value=7))
    await place.turn(field_index_contacts=PEOPLE + 1)
    assert await place.indexes() == []


async def test_the_most_used_come_first_and_no_more_than_the_limit(place: Place) -> None:
    await place.segment(place.leaf("textfield", "equals", value="a"), "A")
    for n in range(2):
        await place.segment(place.leaf("decimal", "equals", value=n), f"B{n}")
    await place.turn(field_indexes=1)
    ((name, *_),) = await place.indexes()
    assert f"_{place.fields['decimal']}_" in name


async def test_an_index_that_a_crash_left_half_done_is_built_anew(place: Place) -> None:
    segment = await place.segment(place.leaf("decimal", "equals", value=7))
    await place.turn()
    ((name, _, oid),) = await place.indexes()
    async with place.db.transaction() as conn:
        await conn.execute("update pg_index set indisvalid = false where indexrelid = %s", [oid])
    await place.turn()
    ((again, valid, other),) = await place.indexes()
    assert (again, valid) == (name, True)
    assert other != oid
    assert name in await place.plan(segment)


async def test_an_index_that_no_rule_wants_goes_after_a_day(place: Place) -> None:
    await place.segment(place.leaf("decimal", "equals", value=7))
    await place.turn()
    made = await place.indexes()
    await place.forget()
    await place.turn()
    await place.turn(NOW + timedelta(hours=23))
    assert await place.indexes() == made
    await place.turn(NOW + timedelta(hours=25))
    assert await place.indexes() == []


async def test_an_index_that_is_wanted_again_in_time_stays(place: Place) -> None:
    await place.segment(place.leaf("decimal", "equals", value=7))
    await place.turn()
    made = await place.indexes()
    await place.forget()
    await place.turn()
    await place.segment(place.leaf("decimal", "equals", value=8), "again")
    await place.turn(NOW + timedelta(hours=23))
    await place.forget()
    await place.turn(NOW + timedelta(hours=25))
    assert await place.indexes() == made


async def test_an_open_transaction_that_wrote_holds_up_only_the_index(place: Place) -> None:
    await place.segment(place.leaf("decimal", "equals", value=7))
    keeper = FieldIndexes(place.db, place.settings, patience="100ms")
    write = "update contact set town = 'Kyiv' where contact_id = (select min(contact_id) + %s from contact)"
    async with await psycopg.AsyncConnection.connect(place.db.url) as writer:
        await writer.execute(write, [0])
        await keeper.turn(NOW)
        async with place.db.transaction() as conn:
            await conn.execute("select set_config('lock_timeout', '100ms', true)")
            await conn.execute(write, [1])
        assert all(not valid for _, valid, _ in await place.indexes())
    await keeper.turn(NOW + timedelta(minutes=1))
    assert all(not valid for _, valid, _ in await place.indexes())  # rests after the failure
    await keeper.turn(NOW + timedelta(minutes=10))
    assert [valid for _, valid, _ in await place.indexes()] == [True]


async def test_one_worker_at_a_time(place: Place) -> None:
    await place.segment(place.leaf("decimal", "equals", value=7))
    async with await psycopg.AsyncConnection.connect(place.db.url) as other:
        await other.execute("select pg_advisory_lock(hashtext('perigee field indexes'))")
        await place.turn()
        assert await place.indexes() == []
    await place.turn()
    assert len(await place.indexes()) == 1
