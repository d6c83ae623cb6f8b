"""Handing codes out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from perigee.contacts.erasure.erase import erase_all
from perigee.db.pool import Database
from perigee.promocodes.store import list_codes, upsert_codes
from perigee.promocodes.take import take, take_all
from perigee.promocodes.types import Filters, NewCode
from perigee.testing.api import make_organisation

NOW = datetime(2025, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
async def org_id(db: Database) -> int:
    return (await make_organisation(db))[0]


async def fill(db: Database, org_id: int, *codes: NewCode) -> None:
    async with db.transaction() as conn:
        await upsert_codes(conn, org_id, codes)


def code(name: str, days: int = 30, *, discount: int = 10, type: str | None = None) -> NewCode:
    return NewCode(name, discount, NOW + timedelta(days=days), type)


async def test_a_code_is_handed_out_once_and_is_the_persons(db: Database, org_id: int) -> None:
    await fill(db, org_id, code("A"))
    async with db.transaction() as conn:
        assert await take(conn, org_id, 7, now=NOW) == "A"
        assert await take(conn, org_id, 8, now=NOW) is None
    async with db.transaction() as conn:
        (held,) = await list_codes(conn, org_id, Filters(in_use=True), rows=5)
    assert (held.code, held.contact_id, held.taken_at is not None) == ("A", 7, True)


async def test_what_runs_out_first_goes_first(db: Database, org_id: int) -> None:
    await fill(db, org_id, code("LATE", 20), code("SOON", 3))
    async with db.transaction() as conn:
        assert [await take(conn, org_id, 7, now=NOW) for _ in range(2)] == ["SOON", "LATE"]


async def test_expired_codes_and_those_of_another_type_or_discount_stay(db: Database, org_id: int) -> None:
    await fill(db, org_id, code("OVER", -1), code("OTHER", type="b"), code("MORE", discount=20, type="a"))
    async with db.transaction() as conn:
        assert await take(conn, org_id, 7, type="a", discount=10, now=NOW) is None
        assert await take(conn, org_id, 7, type="b", discount=10, now=NOW) == "OTHER"


async def test_a_code_must_hold_for_the_days_asked_for(db: Database, org_id: int) -> None:
    await fill(db, org_id, code("SHORT", 2), code("LONG", 9))
    async with db.transaction() as conn:
        assert await take(conn, org_id, 7, days=3, now=NOW) == "LONG"
        assert await take(conn, org_id, 7, days=3, now=NOW) is None
        assert await take(conn, org_id, 7, days=2, now=NOW) == "SHORT"


async def test_a_set_gets_different_codes_as_far_as_they_go(db: Database, org_id: int) -> None:
    await fill(db, org_id, *(code(f"C{number}") for number in range(3)))
    async with db.transaction() as conn:
        taken = await take_all(conn, org_id, [1, 2, 3, 4, 4, 1], now=NOW)
        assert len(taken) == 3
        assert set(taken.values()) == {"C0", "C1", "C2"}
        assert await take_all(conn, org_id, [], now=NOW) == {}


async def test_a_transaction_that_fails_leaves_its_code_free(db: Database, org_id: int) -> None:
    await fill(db, org_id, code("A"))

    async def take_and_fail() -> None:
        async with db.transaction() as conn:
            assert await take(conn, org_id, 7, now=NOW) == "A"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await take_and_fail()
    async with db.transaction() as conn:
        assert await take(conn, org_id, 8, now=NOW) == "A"


async def test_who_comes_while_another_holds_a_code_gets_the_next_one_at_once(
    db: Database, org_id: int
) -> None:
    await fill(db, org_id, code("A", 1), code("B", 2))
    async with db.transaction() as first:
        assert await take(first, org_id, 1, now=NOW) == "A"
        async with db.transaction() as second:
            assert await take(second, org_id, 2, now=NOW) == "B"
            assert await take(second, org_id, 3, now=NOW) is None


async def test_many_at_once_never_get_the_same_code(db: Database, org_id: int) -> None:
    await fill(db, org_id, *(code(f"C{number:03}") for number in range(60)))

    async def worker(first: int) -> dict[int, str]:
        taken: dict[int, str] = {}
        for person in range(first, first + 10):
            async with db.transaction() as conn:
                found = await take(conn, org_id, person, now=NOW)
            if found is not None:
                taken[person] = found
        return taken

    results = await asyncio.gather(*(worker(number * 10 + 1) for number in range(8)))
    handed = [given for result in results for given in result.values()]
    assert len(handed) == len(set(handed)) == 60


async def test_only_the_own_organisations_codes_are_taken(db: Database, org_id: int) -> None:
    other, _ = await make_organisation(db, "Other")
    await fill(db, other, code("A"))
    async with db.transaction() as conn:
        assert await take(conn, org_id, 7, now=NOW) is None


async def test_an_erased_person_is_forgotten_and_the_code_stays_used(db: Database, org_id: int) -> None:
    await fill(db, org_id, code("A"))
    async with db.transaction() as conn:
        row = await (
            await conn.execute(
                "insert into contact (org_id) values (%(org)s) returning contact_id", {"org": org_id}
            )
        ).fetchone()
        assert row is not None
        assert await take(conn, org_id, row[0], now=NOW) == "A"
        await erase_all(conn, org_id, [row[0]])
        (held,) = await list_codes(conn, org_id, Filters(), rows=5)
    assert (held.in_use, held.contact_id) == (True, None)
