"""Count, preview, members and explain."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.db.pool import Database
from perigee.errors import Invalid, NotFound, Unavailable
from perigee.segments import limits, listing, manage, people, static
from perigee.segments.conditions import read
from perigee.segments.explain import Explained
from perigee.segments.reading import read_segment
from perigee.segments.static import People
from perigee.segments.tests.conftest import Shop
from perigee.segments.tests.population import MOMENT

NOW = MOMENT.now


def town(name: str) -> dict[str, Any]:
    return {"is": "field", "field": "town", "test": {"op": "equals", "value": name}}


async def in_kyiv(shop: Shop) -> int:
    return (await manage.create_dynamic(shop.conn, shop.org_id, "In Kyiv", town("Kyiv"), NOW)).segment_id


async def test_count_and_preview_of_a_condition(shop: Shop) -> None:
    ids = await shop.add(3, town="Kyiv")
    await shop.add(2, town="Lviv")
    await shop.add(1, town="Kyiv", deleted=True)
    assert await people.preview(shop.conn, shop.org_id, read(town("Kyiv")), NOW, rows=2) == (3, ids[:2])
    assert await people.count(shop.conn, shop.org_id, await in_kyiv(shop), NOW) == 3


async def test_a_list_counts_its_living_members(shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "VIP")
    ids = await shop.add(3)
    await static.attach(shop.conn, shop.org_id, made.segment_id, People(ids))
    await shop.rows(
        "update contact set deleted_at = now() where contact_id = %(id)s and org_id = %(org_id)s returning 1",
        id=ids[0],
    )
    assert await people.count(shop.conn, shop.org_id, made.segment_id, NOW) == 2
    assert await people.members(shop.conn, shop.org_id, made.segment_id, NOW, rows=10) == ids[1:]


@pytest.mark.parametrize("kind", ["static", "dynamic"])
async def test_members_come_in_pages(shop: Shop, kind: str) -> None:
    ids = await shop.add(5, town="Kyiv")
    if kind == "dynamic":
        segment_id = await in_kyiv(shop)
    else:
        segment_id = (await manage.create_list(shop.conn, shop.org_id, "VIP")).segment_id
        await static.attach(shop.conn, shop.org_id, segment_id, People(ids))

    async def page(**where: Any) -> list[int]:
        return await people.members(shop.conn, shop.org_id, segment_id, NOW, rows=2, **where)

    assert await page() == ids[:2]
    assert await page(after=ids[1]) == ids[2:4]
    assert await page(skip=4) == ids[4:]
    assert await page(descending=True) == [ids[4], ids[3]]
    assert await page(descending=True, after=ids[3]) == [ids[2], ids[1]]
    assert await page(skip=10**9) == []


async def test_members_by_the_time_of_joining(db: Database, shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "VIP")
    first, second, third = await shop.add(3)
    await shop.rows(
        "insert into segment_member (org_id, segment_id, contact_id, joined_at) values "
        "(%(org_id)s, %(id)s, %(a)s, '2026-03-03'), (%(org_id)s, %(id)s, %(b)s, '2026-03-01'), "
        "(%(org_id)s, %(id)s, %(c)s, '2026-03-02') returning 1",
        id=made.segment_id, a=first, b=second, c=third,
    )  # fmt: skip

    async def page(skip: int, descending: bool) -> list[int]:
        ids, total = await listing.page(
            shop.conn,
            shop.org_id,
            made.segment_id,
            NOW,
            rows=2,
            skip=skip,
            by_joining=True,
            descending=descending,
        )
        assert total == 3
        return ids

    assert await page(0, False) == [second, third]
    assert await page(2, False) == [first]
    assert await page(0, True) == [first, third]


async def test_an_unknown_segment_is_not_found(shop: Shop) -> None:
    foreign = await in_kyiv(await shop.other())
    for segment_id in (404, foreign, 2**80, -1):
        with pytest.raises(NotFound):
            await people.count(shop.conn, shop.org_id, segment_id, NOW)


async def test_a_preview_refuses_unknown_names_and_a_stored_segment_does_not(shop: Shop) -> None:
    vip = await manage.create_list(shop.conn, shop.org_id, "VIP")
    condition = {"is": "any", "of": [{"is": "segment", "id": vip.segment_id}, town("Kyiv")]}
    stored = await manage.create_dynamic(shop.conn, shop.org_id, "Any", condition, NOW)
    await shop.add(1, town="Kyiv")
    await shop.rows(
        "delete from segment where org_id = %(org_id)s and segment_id = %(id)s returning 1", id=vip.segment_id
    )
    with pytest.raises(Invalid, match=r"condition.of\[0\].id"):
        await people.preview(shop.conn, shop.org_id, read(condition), NOW)
    assert await people.count(shop.conn, shop.org_id, stored.segment_id, NOW) == 1


async def test_matching_answers_for_a_set_of_people(shop: Shop) -> None:
    (anna,) = await shop.add(town="Kyiv")
    (bo,) = await shop.add(town="Lviv")
    (gone,) = await shop.add(town="Kyiv", deleted=True)
    reading = await read_segment(shop.conn, shop.org_id, await in_kyiv(shop), NOW)
    assert await people.matching(shop.conn, shop.org_id, reading, [anna, bo, gone, 404]) == {
        anna: True,
        bo: False,
    }


async def test_a_segment_that_takes_too_long_is_given_up_and_the_transaction_goes_on(
    shop: Shop,
) -> None:
    before = await shop.rows("show statement_timeout")
    with pytest.raises(Unavailable, match="takes longer"):
        async with limits.bounded(shop.conn, limits.Limits(seconds=1)):
            await shop.rows("select pg_sleep(9)")
    assert await shop.rows("show statement_timeout") == before


async def test_limits_do_not_outlast_the_question(shop: Shop) -> None:
    before = await shop.rows("select current_setting('statement_timeout'), current_setting('work_mem')")
    await people.count(shop.conn, shop.org_id, await in_kyiv(shop), NOW)
    assert (
        await shop.rows("select current_setting('statement_timeout'), current_setting('work_mem')") == before
    )


class Answers:
    """An explanation by paths."""

    def __init__(self, explained: Explained) -> None:
        self.parts: dict[str, Explained] = {}
        self._add(explained)

    def _add(self, part: Explained) -> None:
        self.parts[part.path.removeprefix("condition").removeprefix(".")] = part
        for inner in part.of:
            self._add(inner)

    def holds(self) -> dict[str, bool]:
        return {path: part.holds for path, part in self.parts.items()}

    def deciding(self) -> list[str]:
        return [path for path, part in self.parts.items() if part.decides]


async def explained(shop: Shop, condition: Any, contact_id: int) -> Answers:
    return Answers(await people.explain_tree(shop.conn, shop.org_id, read(condition), contact_id, NOW))


async def test_explain_has_an_answer_at_every_node(shop: Shop) -> None:
    (bo,) = await shop.add(town="Lviv")
    segment = {"is": "segment", "id": await in_kyiv(shop)}
    named = {"is": "field", "field": "firstName", "test": {"op": "filled"}}
    answers = await explained(
        shop, {"is": "all", "of": [{"is": "any", "of": [segment, town("Lviv")]}, named]}, bo
    )
    assert answers.holds() == {
        "": False, "of[0]": True, "of[0].of[0]": False, "of[0].of[0].of": False, "of[0].of[1]": True, "of[1]": False
    }  # fmt: skip
    assert answers.deciding() == ["of[0].of[0].of", "of[0].of[1]", "of[1]"]
    inlined = answers.parts["of[0].of[0]"]
    assert (inlined.kind, inlined.segment) == ("segment", segment["id"])
    leaf = answers.parts["of[0].of[1]"]
    assert (leaf.condition, leaf.found) == (town("Lviv"), "Lviv")


async def test_explain_exclusion(shop: Shop) -> None:
    (bo,) = await shop.add(town="Lviv")
    everybody = {"is": "field", "field": "id", "test": {"op": "filled"}}
    answers = await explained(shop, {"is": "exclude", "of": everybody, "minus": town("Lviv")}, bo)
    assert answers.holds() == {"": False, "of": True, "minus": True}
    assert answers.deciding() == ["minus"]


async def test_explain_says_what_is_gone(shop: Shop) -> None:
    (bo,) = await shop.add()
    vip = await manage.create_list(shop.conn, shop.org_id, "VIP")
    rule = {"is": "segment", "id": vip.segment_id}
    stored = await manage.create_dynamic(shop.conn, shop.org_id, "Any", rule, NOW)
    await shop.rows(
        "delete from segment where org_id = %(org_id)s and segment_id = %(id)s returning 1", id=vip.segment_id
    )
    top = await people.explain_segment(shop.conn, shop.org_id, stored.segment_id, bo, NOW)
    (leaf,) = top.of
    assert (top.holds, leaf.holds, leaf.condition) == (False, False, rule)
    assert "is not the id of a segment" in leaf.found


async def test_explain_wants_a_living_contact(shop: Shop) -> None:
    (gone,) = await shop.add(deleted=True)
    for contact_id in (gone, 404, 2**62):
        with pytest.raises(NotFound, match="Contact"):
            await people.explain_segment(shop.conn, shop.org_id, await in_kyiv(shop), contact_id, NOW)
