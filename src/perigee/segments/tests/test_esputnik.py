"""The old wire's methods of segments and categories, as clients call them (contract 13 and 14)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import categories, manage, static
from perigee.segments.static import People
from perigee.segments.tests.population import MOMENT
from perigee.segments.types import Category
from perigee.testing.api import Api, make_organisation

RULE = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}


class Groups:
    """What the tests of one organisation need, made below the wire."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def make_list(self, name: str = "Customers") -> int:
        async with self.api.db.transaction() as conn:
            return (await static.ensure_static(conn, self.api.org_id, [name]))[name]

    async def dynamic(self, name: str = "In Kyiv") -> int:
        async with self.api.db.transaction() as conn:
            return (await manage.create_dynamic(conn, self.api.org_id, name, RULE, MOMENT.now)).segment_id

    async def contacts(self, count: int, town: str | None = None) -> list[int]:
        rows = await self.api.rows(
            "insert into contact (org_id, external_id, email, town) "
            "select %(org_id)s, 'CRM-' || n, 'c' || n || '@example.com', %(town)s from generate_series(1, %(count)s) n "
            "returning contact_id",
            count=count,
            town=town,
        )
        return [row[0] for row in rows]

    async def members(self, segment_id: int) -> list[int]:
        rows = await self.api.rows(
            "select contact_id from segment_member where org_id = %(org_id)s and segment_id = %(id)s order by 1",
            id=segment_id,
        )
        return [row[0] for row in rows]

    async def attach(self, segment_id: int, ids: list[int]) -> None:
        async with self.api.db.transaction() as conn:
            await static.attach(conn, self.api.org_id, segment_id, People(ids))

    async def category(self, name: str) -> Category:
        async with self.api.db.transaction() as conn:
            return await categories.create(conn, self.api.org_id, name)


@pytest.fixture
def groups(api: Api) -> Groups:
    return Groups(api)


async def test_groups_with_their_types(api: Api, groups: Groups) -> None:
    static_id = await groups.make_list("Customers")
    dynamic_id = await groups.dynamic("Buyers 30 days")
    answer = await api.get("/api/v1/groups")
    assert answer.json() == [
        {"id": static_id, "name": "Customers", "type": "Static"},
        {"id": dynamic_id, "name": "Buyers 30 days", "type": "Dynamic"},
    ]
    assert answer.headers["TotalCount"] == "2"
    assert (b"TotalCount", b"2") in answer.headers.raw


async def test_groups_by_a_part_of_the_name_and_in_pages(api: Api, groups: Groups) -> None:
    ids = {name: await groups.make_list(name) for name in ("Alpha", "Alphabet", "Beta", "Альфа")}
    for query, expected, total in (
        ("name=alpha", ["Alpha", "Alphabet"], 2),
        ("name=АЛЬ", ["Альфа"], 1),
        ("name=%25", [], 0),
        ("name=", ["Alpha", "Alphabet", "Beta", "Альфа"], 4),
        ("startindex=2&maxrows=2", ["Alphabet", "Beta"], 4),
        ("startindex=5", [], 4),
    ):
        answer = await api.get(f"/api/v1/groups?{query}")
        assert [group["name"] for group in answer.json()] == expected, query
        assert [group["id"] for group in answer.json()] == [ids[name] for name in expected]
        assert answer.headers["TotalCount"] == str(total)


async def test_contacts_of_a_group_are_full_contacts(api: Api, groups: Groups) -> None:
    segment_id = await groups.make_list("Customers")
    first, second = await groups.contacts(2)
    await groups.attach(segment_id, [first, second])
    answer = await api.get(f"/api/v1/group/{segment_id}/contacts")
    assert answer.headers["TotalCount"] == "2"
    assert [contact["id"] for contact in answer.json()] == [first, second]
    assert answer.json()[0] == {
        "id": first,
        "channels": [{"type": "email", "value": "c1@example.com"}],
        "addressBookId": 7200,
        "externalCustomerId": "CRM-1",
        "groups": [{"id": segment_id, "name": "Customers", "type": "Static"}],
    }


async def test_contacts_of_a_dynamic_group(api: Api, groups: Groups) -> None:
    ids = await groups.contacts(3, town="Kyiv")
    segment_id = await groups.dynamic()
    answer = await api.get(f"/api/v1/group/{segment_id}/contacts?maxrows=2&orderByTs=true")
    assert [contact["id"] for contact in answer.json()] == ids[:2]
    assert answer.headers["TotalCount"] == "3"


async def test_order_of_the_contacts_of_a_group(api: Api, groups: Groups) -> None:
    segment_id = await groups.make_list()
    first, second, third = await groups.contacts(3)
    for contact_id in (second, third, first):
        await groups.attach(segment_id, [contact_id])
    for query, expected in (
        ("", [first, second, third]),
        ("asc=false", [third, second, first]),
        ("orderByTs=true", [second, third, first]),
        ("orderByTs=1&asc=0", [first, third, second]),
        ("startindex=2&maxrows=1", [second]),
    ):
        answer = await api.get(f"/api/v1/group/{segment_id}/contacts?{query}")
        assert [contact["id"] for contact in answer.json()] == expected, query
        assert answer.headers["TotalCount"] == "3"


async def test_attach_by_contact_ids(api: Api, groups: Groups) -> None:
    segment_id = await groups.make_list()
    first, second, _ = await groups.contacts(3)
    answer = await api.post(
        f"/api/v1/group/{segment_id}/contacts/attach", {"contactIds": [first, str(second), 1]}
    )
    assert (answer.status_code, answer.text) == (200, "Contacts were attached")
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert await groups.members(segment_id) == [first, second]


@pytest.mark.parametrize("given", [["CRM-1", "nobody"], "CRM-1", ["CRM-1", "CRM-1", None, " "]])
async def test_attach_by_external_ids(api: Api, groups: Groups, given: Any) -> None:
    segment_id = await groups.make_list()
    first, *_ = await groups.contacts(2)
    answer = await api.post(f"/api/v1/group/{segment_id}/contacts/attach/", {"externalCustomerIds": given})
    assert answer.text == "Contacts were attached"
    assert await groups.members(segment_id) == [first]


async def test_external_ids_may_be_numbers(api: Api, groups: Groups) -> None:
    segment_id = await groups.make_list()
    rows = await api.rows(
        "insert into contact (org_id, external_id) values (%(org_id)s, '77') returning contact_id"
    )
    await api.post(f"/api/v1/group/{segment_id}/contacts/attach", {"externalCustomerIds": [77]})
    assert await groups.members(segment_id) == [rows[0][0]]


async def test_detach_the_named(api: Api, groups: Groups) -> None:
    segment_id = await groups.make_list()
    ids = await groups.contacts(4)
    await groups.attach(segment_id, ids)
    answer = await api.post(f"/api/v1/group/{segment_id}/contacts/detach", {"contactIds": [ids[0]]})
    assert (answer.status_code, answer.text) == (200, "Contacts were detached")
    await api.post(f"/api/v1/group/{segment_id}/contacts/detach", {"externalCustomerIds": ["CRM-3"]})
    assert await groups.members(segment_id) == [ids[1], ids[3]]


@pytest.mark.parametrize(
    "body", [None, {}, {"contactIds": None}, {"contactIds": [], "externalCustomerIds": []}]
)
async def test_detach_with_nobody_named_empties_the_group(api: Api, groups: Groups, body: Any) -> None:
    segment_id = await groups.make_list()
    await groups.attach(segment_id, await groups.contacts(3))
    answer = await api.post(f"/api/v1/group/{segment_id}/contacts/detach", body)
    assert (answer.status_code, answer.text) == (200, "Contacts were detached")
    assert await groups.members(segment_id) == []


async def test_detach_of_people_we_do_not_know_empties_nothing(api: Api, groups: Groups) -> None:
    segment_id = await groups.make_list()
    ids = await groups.contacts(2)
    await groups.attach(segment_id, ids)
    for body in ({"contactIds": [999]}, {"externalCustomerIds": ["nobody"]}):
        await api.post(f"/api/v1/group/{segment_id}/contacts/detach", body)
    assert await groups.members(segment_id) == ids


@pytest.mark.parametrize("action", ["attach", "detach"])
async def test_refusals_of_attach_and_detach(api: Api, groups: Groups, action: str) -> None:
    segment_id = await groups.make_list()
    dynamic_id = await groups.dynamic()
    for path_id, body, status, words in (
        (segment_id, {"contactIds": list(range(1, 502))}, 400, "501 ids are more than 500"),
        (segment_id, {"contactIds": list(range(1, 500)), "externalCustomerIds": ["a", "b"]}, 400, "501 ids"),
        (segment_id, {"contactIds": ["x"]}, 400, "contactIds"),
        (segment_id, {"externalCustomerIds": [{}]}, 400, "externalCustomerIds"),
        (segment_id, [], 400, ""),
        (dynamic_id, {"contactIds": [1]}, 400, "dynamic"),
        (404, {"contactIds": [1]}, 404, "not found"),
        (2**70, {"contactIds": [1]}, 404, "not found"),
    ):
        answer = await api.post(f"/api/v1/group/{path_id}/contacts/{action}", body)
        assert answer.status_code == status, body
        assert answer.json()["status"] == status
        assert words in answer.json()["message"]


async def test_attach_with_nobody_named_is_refused(api: Api, groups: Groups) -> None:
    answer = await api.post(f"/api/v1/group/{await groups.make_list()}/contacts/attach", {})
    assert answer.status_code == 400
    assert "contactIds" in answer.json()["message"]


async def test_another_organisation_sees_and_changes_nothing(api: Api, groups: Groups) -> None:
    _, key = await make_organisation(api.db, "Other")
    segment_id = await groups.make_list()
    ids = await groups.contacts(1, town="Kyiv")
    await groups.attach(segment_id, ids)
    dynamic_id = await groups.dynamic()
    assert (await api.get("/api/v1/groups", key=key)).json() == []
    assert (await api.get("/api/v1/subscriptions", key=key)).json() == []
    for path in (
        f"group/{segment_id}/contacts",
        f"group/{dynamic_id}/contacts",
        f"contact/{ids[0]}/subscriptions",
    ):
        assert (await api.get(f"/api/v1/{path}", key=key)).status_code == 404
    for action in ("attach", "detach"):
        path = f"/api/v1/group/{segment_id}/contacts/{action}"
        assert (await api.post(path, {"contactIds": ids}, key=key)).status_code == 404
    assert (
        await api.put(f"/api/v1/contact/{ids[0]}/subscriptions", {"subscriptions": []}, key=key)
    ).status_code == 404
    assert await groups.members(segment_id) == ids


async def test_unknown_segments_have_no_contacts(api: Api) -> None:
    for segment_id in (404, 2**70):
        assert (await api.get(f"/api/v1/group/{segment_id}/contacts")).status_code == 404


async def test_subscription_categories(api: Api, groups: Groups) -> None:
    news = await groups.category("News")
    ids = await groups.contacts(2)
    await groups.attach(news.segment_id, ids)
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    await api.rows(
        "update subscription_category set created_at = '2025-01-02T01:04:05.9Z', updated_at = '2025-07-02T00:04:05Z' "
        "where org_id = %(org_id)s"
    )
    (category,) = (await api.get("/api/v1/subscriptions")).json()
    assert category == {
        "id": news.category_id,
        "key": "news",
        "groupId": news.segment_id,
        "name": "News",
        "contactsCount": 2,
        "createdDate": "2025-01-02T03:04:05",
        "updatedDate": "2025-07-02T03:04:05",
    }


async def test_subscriptions_of_a_contact_are_always_an_array(api: Api, groups: Groups) -> None:
    news = await groups.category("News")
    (contact_id,) = await groups.contacts(1)
    path = f"/api/v1/contact/{contact_id}/subscriptions"
    assert (await api.get(path)).json() == []
    answer = await api.put(path, {"subscriptions": ["news"]})
    assert answer.status_code == 200
    assert str(contact_id) in answer.text
    assert (await api.get(path)).json() == [
        {"id": news.category_id, "key": "news", "groupId": news.segment_id, "name": "News"}
    ]
    await api.put(path, {"subscriptions": []})
    assert (await api.get(path)).json() == []


async def test_refusals_of_setting_subscriptions(api: Api, groups: Groups) -> None:
    await groups.category("News")
    (contact_id,) = await groups.contacts(1)
    path = f"/api/v1/contact/{contact_id}/subscriptions"
    refused: list[Any] = [
        {"subscriptions": ["news", "nope"]},
        {},
        {"subscriptions": "x"},
        {"subscriptions": [{}]},
    ]
    for body in refused:
        assert (await api.put(path, body)).status_code == 400
    assert (await api.get(path)).json() == []
    assert (
        await api.put("/api/v1/contact/404/subscriptions", {"subscriptions": ["news"]})
    ).status_code == 404
    assert (await api.get("/api/v1/contact/404/subscriptions")).status_code == 404
