"""Subscription categories (contract 14)."""

from __future__ import annotations

import pytest

from perigee.errors import Conflict, Invalid, NotFound
from perigee.segments import categories, manage, static
from perigee.segments.static import People
from perigee.segments.tests.conftest import Shop


async def keys(shop: Shop, contact_id: int) -> list[str]:
    return [category.key for category in await categories.of_contact(shop.conn, shop.org_id, contact_id)]


async def log(shop: Shop) -> list[tuple[str, str, int]]:
    rows = await shop.rows(
        "select action, value, contact_id from consent_log where org_id = %(org_id)s and kind = 'category' order by value"
    )
    return [(action, value, contact_id) for action, value, contact_id in rows]


@pytest.mark.parametrize(
    ("name", "key"),
    [("News", "news"), ("Spring  sale -50%!", "spring-sale-50"), ("Новини", "новини"), ("!!!", "category")],
)
def test_the_key_is_made_from_the_title(name: str, key: str) -> None:
    assert categories.make_key(name) == key


async def test_a_category_has_a_list_of_the_same_name(shop: Shop) -> None:
    news = await categories.create(shop.conn, shop.org_id, "News")
    row = await manage.get(shop.conn, shop.org_id, news.segment_id)
    assert (news.key, news.name, row.name, row.kind) == ("news", "News", "News", "static")


async def test_an_existing_list_becomes_the_categorys(shop: Shop) -> None:
    made = await manage.create_list(shop.conn, shop.org_id, "News")
    (anna,) = await shop.add()
    await static.attach(shop.conn, shop.org_id, made.segment_id, People([anna]))
    await categories.create(shop.conn, shop.org_id, "News", "n")
    assert await keys(shop, anna) == ["n"]


async def test_keys_and_names_are_used_once(shop: Shop) -> None:
    await categories.create(shop.conn, shop.org_id, "News")
    with pytest.raises(Conflict, match="key: 'news'"):
        await categories.create(shop.conn, shop.org_id, "Other", "news")
    with pytest.raises(Conflict, match="name: 'News'"):
        await categories.create(shop.conn, shop.org_id, "News", "other")
    for key in ("", "a,b", "x" * 101):
        with pytest.raises(Invalid, match="key: "):
            await categories.create(shop.conn, shop.org_id, "Third", key)


async def test_the_list_counts_living_subscribers(shop: Shop) -> None:
    news = await categories.create(shop.conn, shop.org_id, "News")
    promo = await categories.create(shop.conn, shop.org_id, "Promo")
    ids = await shop.add(3)
    await static.attach(shop.conn, shop.org_id, news.segment_id, People(ids))
    await shop.rows(
        "update contact set deleted_at = now() where contact_id = %(id)s and org_id = %(org_id)s returning 1",
        id=ids[0],
    )
    assert await categories.list_all(shop.conn, shop.org_id) == [(news, 2), (promo, 0)]


async def test_setting_replaces_the_whole_set_and_logs_the_difference(shop: Shop) -> None:
    for name in ("News", "Promo", "Events"):
        await categories.create(shop.conn, shop.org_id, name)
    anna, bo = await shop.add(2)
    await categories.set_for_contact(shop.conn, shop.org_id, anna, ["promo", "news", "news"])
    await categories.set_for_contact(shop.conn, shop.org_id, bo, ["news"])
    assert await keys(shop, anna) == ["news", "promo"]
    assert await log(shop) == [
        ("subscribed", "news", anna),
        ("subscribed", "news", bo),
        ("subscribed", "promo", anna),
    ]

    await shop.rows("delete from consent_log where org_id = %(org_id)s returning 1")
    await categories.set_for_contact(shop.conn, shop.org_id, anna, ["events", "news"])
    assert await keys(shop, anna) == ["news", "events"]
    assert await log(shop) == [("subscribed", "events", anna), ("unsubscribed", "promo", anna)]

    await categories.set_for_contact(shop.conn, shop.org_id, anna, [])
    assert await keys(shop, anna) == []
    assert await keys(shop, bo) == ["news"]


async def test_other_lists_are_not_touched(shop: Shop) -> None:
    vip = await manage.create_list(shop.conn, shop.org_id, "VIP")
    (anna,) = await shop.add()
    await static.attach(shop.conn, shop.org_id, vip.segment_id, People([anna]))
    await categories.create(shop.conn, shop.org_id, "News")
    await categories.set_for_contact(shop.conn, shop.org_id, anna, [])
    assert await shop.in_list(vip.segment_id) == [anna]


async def test_an_unknown_key_or_contact_changes_nothing(shop: Shop) -> None:
    await categories.create(shop.conn, shop.org_id, "News")
    (anna,) = await shop.add()
    with pytest.raises(Invalid, match=r"subscriptions\[1\]: 'nope'"):
        await categories.set_for_contact(shop.conn, shop.org_id, anna, ["news", "nope"])
    assert await keys(shop, anna) == []
    (gone,) = await shop.add(deleted=True)
    (foreign,) = await (await shop.other()).add()
    for unknown in (gone, foreign, 404):
        with pytest.raises(NotFound):
            await categories.set_for_contact(shop.conn, shop.org_id, unknown, ["news"])
        with pytest.raises(NotFound):
            await categories.of_contact(shop.conn, shop.org_id, unknown)


async def test_renaming_renames_the_list_and_keeps_the_key(shop: Shop) -> None:
    news = await categories.create(shop.conn, shop.org_id, "News")
    renamed = await categories.rename(shop.conn, shop.org_id, news.category_id, "Updates")
    assert (renamed.key, renamed.name) == ("news", "Updates")
    assert (await manage.get(shop.conn, shop.org_id, news.segment_id)).name == "Updates"
    with pytest.raises(NotFound):
        await categories.rename(shop.conn, shop.org_id, 404, "X")


async def test_deleting_takes_the_list_along_and_leaves_the_people(shop: Shop) -> None:
    news = await categories.create(shop.conn, shop.org_id, "News")
    (anna,) = await shop.add()
    await categories.set_for_contact(shop.conn, shop.org_id, anna, ["news"])
    await categories.delete(shop.conn, shop.org_id, news.category_id)
    with pytest.raises(NotFound):
        await manage.get(shop.conn, shop.org_id, news.segment_id)
    assert await keys(shop, anna) == []
    with pytest.raises(NotFound):
        await categories.delete(shop.conn, shop.org_id, news.category_id)
