"""Contract section 13 on the wire: segments and the contacts in them."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import manage, static
from perigee.segments.tests.population import MOMENT
from perigee.testing.api import Api
from perigee.testing.wire import data, listed, refused, sentence

RULE = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}


async def make_list(api: Api, *names: str) -> int:
    """The id of the last."""
    async with api.db.transaction() as conn:
        return (await static.ensure_static(conn, api.org_id, names))[names[-1]]


async def make_dynamic(api: Api, name: str) -> int:
    async with api.db.transaction() as conn:
        return (await manage.create_dynamic(conn, api.org_id, name, RULE, MOMENT.now)).segment_id


async def people(api: Api, count: int) -> list[int]:
    rows = await api.rows(
        "insert into contact (org_id, external_id, email)"
        " select %(org_id)s, 'CRM-' || 1000 + n, 'c' || n || '@example.com' from generate_series(1, %(n)s) n"
        " returning contact_id",
        n=count,
    )
    return [row[0] for row in rows]


async def members(api: Api, segment_id: int, query: str = "") -> list[int]:
    rows, _ = listed(await api.get(f"/api/v1/group/{segment_id}/contacts{query}"))
    return [row["id"] for row in rows]


async def attach(api: Api, segment_id: int, body: Any) -> str:
    return sentence(await api.post(f"/api/v1/group/{segment_id}/contacts/attach", body))


async def detach(api: Api, segment_id: int, body: Any = None) -> str:
    return sentence(await api.post(f"/api/v1/group/{segment_id}/contacts/detach", body))


async def test_groups_have_the_members_of_the_example(api: Api) -> None:
    customers, buyers = await make_list(api, "Customers"), await make_dynamic(api, "Buyers 30 days")
    expected = [
        {"id": customers, "name": "Customers", "type": "Static"},
        {"id": buyers, "name": "Buyers 30 days", "type": "Dynamic"},
    ]
    assert listed(await api.get("/api/v1/groups")) == (expected, 2)
    assert listed(await api.get("/api/v1/groups?name=")) == (expected, 2)


async def test_groups_are_found_by_a_part_of_the_name(api: Api) -> None:
    await make_list(api, "Customers", "VIP customers")
    await make_list(api, "Buyers")
    rows, total = listed(await api.get("/api/v1/groups?name=ustom"))
    assert (sorted(row["name"] for row in rows), total) == (["Customers", "VIP customers"], 2)
    assert listed(await api.get("/api/v1/groups?name=100%25")) == ([], 0)


async def test_groups_are_counted_from_one_and_500_is_the_default_and_the_most(api: Api) -> None:
    await make_list(api, *(f"List {n:03}" for n in range(501)))
    for query, count in (
        ("", 500),
        ("?maxrows=499", 499),
        ("?maxrows=500", 500),
        ("?maxrows=501", 500),
        ("?startindex=1", 500),
        ("?startindex=501", 1),
        ("?startindex=502", 0),
    ):
        rows, total = listed(await api.get(f"/api/v1/groups{query}"))
        assert (len(rows), total) == (count, 501), query
    refused(await api.get("/api/v1/groups?startindex=0"), 400, "startindex")


async def test_contacts_of_a_group_are_contacts_as_they_are_read(api: Api) -> None:
    customers = await make_list(api, "Customers")
    (anna,) = await people(api, 1)
    await attach(api, customers, {"contactIds": [anna]})
    rows, total = listed(await api.get(f"/api/v1/group/{customers}/contacts"))
    assert (rows, total) == ([data(await api.get(f"/api/v1/contact/{anna}"))], 1)
    assert rows[0]["groups"] == [{"id": customers, "name": "Customers", "type": "Static"}]


async def test_contacts_of_a_group_come_by_id_or_by_the_time_of_joining_both_ways(api: Api) -> None:
    customers = await make_list(api, "Customers")
    first, second, third = await people(api, 3)
    for one in (second, third, first):
        await attach(api, customers, {"contactIds": [one]})
    for query, expected in (
        ("", [first, second, third]),
        ("?orderByTs=false", [first, second, third]),
        ("?asc=true", [first, second, third]),
        ("?asc=false", [third, second, first]),
        ("?orderByTs=true", [second, third, first]),
        ("?orderByTs=1&asc=0", [first, third, second]),
        ("?orderByTs=true&startindex=2&maxrows=1", [third]),
    ):
        assert await members(api, customers, query) == expected, query


async def test_contacts_of_a_group_come_500_at_most(api: Api) -> None:
    customers = await make_list(api, "Customers")
    await people(api, 501)
    await api.rows(
        "insert into segment_member (org_id, segment_id, contact_id)"
        " select org_id, %(segment)s, contact_id from contact where org_id = %(org_id)s",
        segment=customers,
    )
    for query, count in (("", 500), ("?maxrows=499", 499), ("?maxrows=501", 500), ("?startindex=501", 1)):
        rows, total = listed(await api.get(f"/api/v1/group/{customers}/contacts{query}"))
        assert (len(rows), total) == (count, 501), query


async def test_an_unknown_group_is_not_found(api: Api) -> None:
    refused(await api.get("/api/v1/group/404/contacts"), 404)
    for action in ("attach", "detach"):
        refused(await api.post(f"/api/v1/group/404/contacts/{action}", {"contactIds": [1]}), 404)


async def test_contacts_are_attached_by_our_ids_and_by_the_callers(api: Api) -> None:
    customers = await make_list(api, "Customers")
    first, second, third = await people(api, 3)
    assert await attach(api, customers, {"contactIds": [first, str(second)]}) == "Contacts were attached"
    assert await members(api, customers) == [first, second]
    await attach(api, customers, {"externalCustomerIds": ["CRM-1003"]})
    assert await members(api, customers) == [first, second, third]


async def test_contacts_are_detached_by_our_ids_and_by_the_callers(api: Api) -> None:
    customers = await make_list(api, "Customers")
    first, second, third = await people(api, 3)
    await attach(api, customers, {"contactIds": [first, second, third]})
    assert await detach(api, customers, {"externalCustomerIds": ["CRM-1001"]}) == "Contacts were detached"
    assert await members(api, customers) == [second, third]
    await detach(api, customers, {"contactIds": [third], "externalCustomerIds": []})
    assert await members(api, customers) == [second]


@pytest.mark.parametrize(
    "body", [None, {}, {"contactIds": None}, {"contactIds": [], "externalCustomerIds": []}]
)
async def test_a_detach_with_neither_list_empties_the_segment(api: Api, body: Any) -> None:
    customers, others = await make_list(api, "Customers"), await make_list(api, "Others")
    ids = await people(api, 3)
    for segment in (customers, others):
        await attach(api, segment, {"contactIds": ids})
    await detach(api, customers, body)
    assert await members(api, customers) == []
    assert await members(api, others) == ids


async def test_unknown_contacts_are_skipped(api: Api) -> None:
    customers = await make_list(api, "Customers")
    (anna,) = await people(api, 1)
    await attach(api, customers, {"contactIds": [anna, 999999999]})
    await attach(api, customers, {"externalCustomerIds": ["CRM-9"]})
    assert await members(api, customers) == [anna]
    await detach(api, customers, {"contactIds": [999999999]})
    await detach(api, customers, {"externalCustomerIds": ["CRM-9"]})
    assert await members(api, customers) == [anna]


@pytest.mark.parametrize("action", ["attach", "detach"])
async def test_a_dynamic_segment_takes_nobody_by_hand(api: Api, action: str) -> None:
    path = f"/api/v1/group/{await make_dynamic(api, 'Buyers')}/contacts/{action}"
    refused(await api.post(path, {"contactIds": await people(api, 1)}), 400, "dynamic")
    refused(await api.post(path, {}), 400)


@pytest.mark.parametrize("action", ["attach", "detach"])
async def test_500_ids_are_the_most_in_all(api: Api, action: str) -> None:
    customers = await make_list(api, "Customers")
    ids = await people(api, 501)
    if action == "detach":
        await attach(api, customers, {"contactIds": ids[:500]})
    path = f"/api/v1/group/{customers}/contacts/{action}"
    before = len(await members(api, customers))
    refused(await api.post(path, {"contactIds": ids}), 400, "500")
    refused(await api.post(path, {"contactIds": ids[:499], "externalCustomerIds": ["x", "y"]}), 400, "500")
    assert len(await members(api, customers)) == before
    for few in (ids[:499], ids[:500]):
        sentence(await api.post(path, {"contactIds": few}))
    assert len(await members(api, customers)) == (500 if action == "attach" else 0)
