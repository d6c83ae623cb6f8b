"""Lists: made on demand, people attached and detached (contract 13.3, 13.4)."""

from __future__ import annotations

import asyncio

import pytest

from perigee.db.pool import Database
from perigee.errors import Invalid, NotFound
from perigee.segments import manage, static
from perigee.segments.static import People
from perigee.segments.tests.conftest import Shop
from perigee.segments.tests.population import MOMENT

RULE = {"is": "has_address", "kind": "email"}


async def make_list(shop: Shop, name: str = "VIP") -> int:
    return (await static.ensure_static(shop.conn, shop.org_id, [name]))[name]


async def test_lists_are_made_once_by_their_names(shop: Shop) -> None:
    first = await static.ensure_static(shop.conn, shop.org_id, ["VIP", "Київ", "VIP"])
    again = await static.ensure_static(shop.conn, shop.org_id, ["Київ", "vip"])
    assert set(first) == {"VIP", "Київ"}
    assert again["Київ"] == first["Київ"]
    assert again["vip"] not in first.values()
    assert await static.ensure_static(shop.conn, shop.org_id, []) == {}


async def test_a_dynamic_segment_of_the_name_is_not_the_list(shop: Shop) -> None:
    dynamic = await manage.create_dynamic(shop.conn, shop.org_id, "VIP", RULE, MOMENT.now)
    assert await make_list(shop, "VIP") != dynamic.segment_id


async def test_many_callers_make_one_list(db: Database) -> None:
    async with db.transaction() as conn:
        row = await (
            await conn.execute("insert into organisation (name) values ('S') returning org_id")
        ).fetchone()
    assert row is not None

    async def make(names: list[str]) -> dict[str, int]:
        async with db.transaction() as conn:
            return await static.ensure_static(conn, row[0], names)

    made = await asyncio.gather(*(make(["b", "a"] if n % 2 else ["a", "b"]) for n in range(16)))
    assert all(one == made[0] for one in made)


async def test_attach_takes_our_ids_and_the_callers(shop: Shop) -> None:
    segment_id = await make_list(shop)
    anna, bo, cleo = await shop.add(3)
    assert await static.attach(shop.conn, shop.org_id, segment_id, People([anna], [f"ext{bo}"])) == 2
    assert await static.attach(shop.conn, shop.org_id, segment_id, People([anna, cleo, anna])) == 1
    assert await shop.in_list(segment_id) == [anna, bo, cleo]


async def test_unknown_deleted_and_foreign_people_are_skipped(shop: Shop) -> None:
    segment_id = await make_list(shop)
    (anna,) = await shop.add()
    (gone,) = await shop.add(deleted=True)
    (foreign,) = await (await shop.other()).add()
    people = People([anna, gone, foreign, 0, -1, 2**63 - 1, 2**63], ["nobody", f"ext{gone}"])
    assert await static.attach(shop.conn, shop.org_id, segment_id, people) == 1
    assert await shop.in_list(segment_id) == [anna]


async def test_detach_takes_out_only_the_named(shop: Shop) -> None:
    segment_id = await make_list(shop)
    anna, bo, cleo = await shop.add(3)
    await static.attach(shop.conn, shop.org_id, segment_id, People([anna, bo, cleo]))
    assert await static.detach(shop.conn, shop.org_id, segment_id, People([anna, 1], [f"ext{bo}"])) == 2
    assert await static.detach(shop.conn, shop.org_id, segment_id, People()) == 0
    assert await shop.in_list(segment_id) == [cleo]


async def test_emptying_leaves_other_lists_alone(shop: Shop) -> None:
    segment_id, other = await make_list(shop), await make_list(shop, "Other")
    ids = await shop.add(3)
    for each in (segment_id, other):
        await static.attach(shop.conn, shop.org_id, each, People(ids))
    assert await static.empty(shop.conn, shop.org_id, segment_id) == 3
    assert await shop.in_list(segment_id) == []
    assert await shop.in_list(other) == ids


async def test_five_hundred_ids_and_no_more(shop: Shop) -> None:
    segment_id = await make_list(shop)
    await static.attach(shop.conn, shop.org_id, segment_id, People(range(1, 500), ["one"]))
    for change in (static.attach, static.detach):
        with pytest.raises(Invalid, match="501 ids are more than 500"):
            await change(shop.conn, shop.org_id, segment_id, People(range(1, 501), ["one"]))


async def test_nobody_named_is_refused_by_attach(shop: Shop) -> None:
    with pytest.raises(Invalid, match="contactIds"):
        await static.attach(shop.conn, shop.org_id, await make_list(shop), People())


async def test_only_lists_of_the_organisation_take_people(shop: Shop) -> None:
    (anna,) = await shop.add()
    dynamic = await manage.create_dynamic(shop.conn, shop.org_id, "Rule", RULE, MOMENT.now)
    foreign = await make_list(await shop.other())
    for change in (static.attach, static.detach):
        with pytest.raises(Invalid, match="dynamic"):
            await change(shop.conn, shop.org_id, dynamic.segment_id, People([anna]))
        for unknown in (foreign, 1, 2**70):
            with pytest.raises(NotFound):
                await change(shop.conn, shop.org_id, unknown, People([anna]))
    with pytest.raises(Invalid, match="dynamic"):
        await static.empty(shop.conn, shop.org_id, dynamic.segment_id)
    with pytest.raises(NotFound):
        await static.empty(shop.conn, shop.org_id, foreign)
