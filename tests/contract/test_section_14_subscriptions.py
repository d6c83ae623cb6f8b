"""Contract section 14 on the wire: subscription categories."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import categories
from perigee.segments.types import Category
from perigee.testing.api import Api
from perigee.testing.wire import data, listed, refused, sentence


async def category(api: Api, title: str) -> Category:
    async with api.db.transaction() as conn:
        return await categories.create(conn, api.org_id, title)


async def anna(api: Api) -> int:
    channels = [{"type": "email", "value": "anna@example.com"}]
    return int(data(await api.post("/api/v1/contact", {"channels": channels}))["id"])


async def keys(api: Api, contact_id: int) -> list[str]:
    return [one["key"] for one in data(await api.get(f"/api/v1/contact/{contact_id}/subscriptions"))]


async def test_a_category_is_a_key_from_its_title_and_a_static_segment_of_its_name(api: Api) -> None:
    news = await category(api, "Weekly News")
    assert news.key != "Weekly News"
    groups, _ = listed(await api.get("/api/v1/groups"))
    assert groups == [{"id": news.segment_id, "name": "Weekly News", "type": "Static"}]


async def test_categories_have_the_members_of_the_example(api: Api) -> None:
    news = await category(api, "News")
    await api.rows(
        "update subscription_category set created_at = '2025-01-02T03:04:05Z', updated_at = '2025-02-02T03:04:05Z'"
        " where org_id = %(org_id)s"
    )
    contact = await anna(api)
    sentence(await api.put(f"/api/v1/contact/{contact}/subscriptions", {"subscriptions": ["news"]}))
    assert data(await api.get("/api/v1/subscriptions")) == [
        {
            "id": news.category_id,
            "key": "news",
            "groupId": news.segment_id,
            "name": "News",
            "contactsCount": 1,
            "createdDate": "2025-01-02T03:04:05",
            "updatedDate": "2025-02-02T03:04:05",
        }
    ]


async def test_without_categories_the_list_is_empty(api: Api) -> None:
    assert data(await api.get("/api/v1/subscriptions")) == []


async def test_categories_of_a_contact_are_an_array_also_of_one_and_of_none(api: Api) -> None:
    news, promo = await category(api, "News"), await category(api, "Promo")
    path = f"/api/v1/contact/{await anna(api)}/subscriptions"
    assert data(await api.get(path)) == []
    first = {"id": news.category_id, "key": "news", "groupId": news.segment_id, "name": "News"}
    second = {"id": promo.category_id, "key": "promo", "groupId": promo.segment_id, "name": "Promo"}
    sentence(await api.put(path, {"subscriptions": ["news"]}))
    assert data(await api.get(path)) == [first]
    sentence(await api.put(path, {"subscriptions": ["news", "promo"]}))
    assert data(await api.get(path)) == [first, second]


async def test_an_unknown_contact_is_not_found(api: Api) -> None:
    await category(api, "News")
    path = "/api/v1/contact/404/subscriptions"
    refused(await api.get(path), 404, "not found")
    refused(await api.put(path, {"subscriptions": ["news"]}), 404, "not found")


async def test_the_whole_set_is_replaced_and_an_empty_list_removes_all(api: Api) -> None:
    for title in ("News", "Promo", "Sale"):
        await category(api, title)
    contact = await anna(api)
    path = f"/api/v1/contact/{contact}/subscriptions"
    for wanted in (["news", "promo"], ["promo", "sale"], ["sale"], []):
        sentence(await api.put(path, {"subscriptions": wanted}))
        assert await keys(api, contact) == wanted


async def test_categories_are_also_the_contacts_groups(api: Api) -> None:
    news = await category(api, "News")
    contact = await anna(api)
    sentence(await api.put(f"/api/v1/contact/{contact}/subscriptions", {"subscriptions": ["news"]}))
    rows, total = listed(await api.get(f"/api/v1/group/{news.segment_id}/contacts"))
    assert ([row["id"] for row in rows], total) == ([contact], 1)


@pytest.mark.parametrize("body", [{"subscriptions": ["news", "nope"]}, {}, {"subscriptions": [{}]}])
async def test_an_unknown_key_is_refused_and_changes_nothing(api: Api, body: Any) -> None:
    await category(api, "News")
    await category(api, "Promo")
    contact = await anna(api)
    path = f"/api/v1/contact/{contact}/subscriptions"
    sentence(await api.put(path, {"subscriptions": ["promo"]}))
    refused(await api.put(path, body), 400)
    assert await keys(api, contact) == ["promo"]
