"""Making, changing and deleting segments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.errors import Conflict, Invalid, NotFound
from perigee.segments import categories, manage, static
from perigee.segments.static import People
from perigee.segments.tests.conftest import Shop
from perigee.segments.tests.population import MOMENT
from perigee.segments.types import SegmentRow

NOW = MOMENT.now
RULE = {"is": "has_address", "kind": "email"}


def in_segment(segment_id: int) -> dict[str, Any]:
    return {"is": "segment", "id": segment_id}


async def dynamic(shop: Shop, name: str = "Rule", condition: Any = RULE) -> SegmentRow:
    return await manage.create_dynamic(shop.conn, shop.org_id, name, condition, NOW)


async def test_a_list_and_a_dynamic_segment(shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "  VIP \n", "The best\nones")
    assert (made.name, made.kind, made.condition, made.description) == (
        "VIP",
        "static",
        None,
        "The best\nones",
    )
    made = await dynamic(shop)
    assert (made.kind, json.loads(made.condition or "")) == ("dynamic", RULE)
    assert await manage.get(shop.conn, shop.org_id, made.segment_id) == made


@pytest.mark.parametrize("name", ["", "  ", "\0", "x" * 256])
async def test_a_name_must_be_there_and_not_too_long(shop: Shop, name: str) -> None:
    with pytest.raises(Invalid, match="name: "):
        await manage.create_list(shop.conn, shop.org_id, name)


async def test_two_lists_have_two_names_and_the_transaction_goes_on(shop: Shop) -> None:
    await manage.create_list(shop.conn, shop.org_id, "VIP")
    with pytest.raises(Conflict, match="'VIP' is the name of another list"):
        await manage.create_list(shop.conn, shop.org_id, "VIP")
    other = await manage.create_list(shop.conn, shop.org_id, "Other")
    with pytest.raises(Conflict, match="'VIP' is the name of another list"):
        await manage.change(shop.conn, shop.org_id, other.segment_id, NOW, name="VIP")
    await dynamic(shop, "VIP")


async def test_a_condition_is_checked_when_it_is_written(shop: Shop) -> None:
    with pytest.raises(Invalid, match=r"condition.of\[0\].id: '404' is not the id of a segment"):
        await dynamic(shop, condition={"is": "all", "of": [in_segment(404)]})
    foreign = await manage.create_list((await shop.other()).conn, (await shop.other()).org_id, "Foreign")
    with pytest.raises(Invalid, match="is not the id of a segment"):
        await dynamic(shop, condition=in_segment(foreign.segment_id))


async def test_a_change_touches_what_is_given(shop: Shop) -> None:
    made = await dynamic(shop)
    changed = await manage.change(shop.conn, shop.org_id, made.segment_id, NOW, name="New")
    assert (changed.name, changed.condition) == ("New", made.condition)
    phone = {"is": "has_address", "kind": "phone"}
    changed = await manage.change(
        shop.conn, shop.org_id, made.segment_id, NOW, condition=phone, description="why"
    )
    assert (changed.name, json.loads(changed.condition or ""), changed.description) == ("New", phone, "why")


async def test_a_list_takes_no_condition(shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "VIP")
    with pytest.raises(Invalid, match="is not taken by a list"):
        await manage.change(shop.conn, shop.org_id, made.segment_id, NOW, condition=RULE)


async def test_no_change_may_close_a_circle(shop: Shop) -> None:
    first = await dynamic(shop, "First")
    second = await dynamic(shop, "Second", in_segment(first.segment_id))
    third = await dynamic(shop, "Third", {"is": "not", "of": in_segment(second.segment_id)})
    for closing in (first, second, third):
        with pytest.raises(Invalid, match="names itself"):
            await manage.change(
                shop.conn, shop.org_id, first.segment_id, NOW, condition=in_segment(closing.segment_id)
            )


async def test_a_deleted_list_takes_its_memberships_along(shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "VIP")
    (anna,) = await shop.add()
    await static.attach(shop.conn, shop.org_id, made.segment_id, People([anna]))
    await manage.delete(shop.conn, shop.org_id, made.segment_id, NOW)
    assert await shop.in_list(made.segment_id) == []
    with pytest.raises(NotFound):
        await manage.get(shop.conn, shop.org_id, made.segment_id)


async def test_what_something_is_built_on_stays(shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "VIP")
    user = await dynamic(shop, condition={"is": "any", "of": [RULE, in_segment(made.segment_id)]})
    with pytest.raises(Conflict, match=f"named by the condition of segment {user.segment_id}"):
        await manage.delete(shop.conn, shop.org_id, made.segment_id, NOW)
    await manage.delete(shop.conn, shop.org_id, user.segment_id, NOW)

    await shop.rows(
        "with m as (insert into message (org_id, channel, name, language) values (%(org_id)s, 'email', 'M', 'en') returning *) "
        "insert into campaign (org_id, title, message_id, channel, include, exclude) "
        "select org_id, 'C', message_id, 'email', '{1}', array[%(id)s::bigint] from m returning 1",
        id=made.segment_id,
    )
    with pytest.raises(Conflict, match="still to be launched"):
        await manage.delete(shop.conn, shop.org_id, made.segment_id, NOW)


async def test_the_list_of_a_category_keeps_its_name_and_stays(shop: Shop) -> None:
    news = await categories.create(shop.conn, shop.org_id, "News")
    with pytest.raises(Conflict, match="belongs to the subscription category 'news'"):
        await manage.change(shop.conn, shop.org_id, news.segment_id, NOW, name="Other")
    with pytest.raises(Conflict, match="belongs to the subscription category 'news'"):
        await manage.delete(shop.conn, shop.org_id, news.segment_id, NOW)
    changed = await manage.change(
        shop.conn, shop.org_id, news.segment_id, NOW, name="News", description="why"
    )
    assert changed.description == "why"


async def test_another_organisations_segment_is_not_there(shop: Shop) -> None:
    other = await shop.other()
    foreign = await manage.create_list(other.conn, other.org_id, "Foreign")
    with pytest.raises(NotFound):
        await manage.get(shop.conn, shop.org_id, foreign.segment_id)
    with pytest.raises(NotFound):
        await manage.delete(shop.conn, shop.org_id, foreign.segment_id, NOW)
    with pytest.raises(NotFound):
        await manage.change(shop.conn, shop.org_id, foreign.segment_id, NOW, name="Mine")
