"""Soft deletion: a list of the deleted, restoring them, and the end of the time for it (product 17)."""

from __future__ import annotations

from perigee.contacts.delete import purge
from perigee.testing.api import Api

PATH = "/api/v4/contacts"


async def person(api: Api, email: str = "anna@example.com") -> int:
    answer = await api.post(PATH, {"email": email, "lists": ["Customers"]})
    return int(answer.json()["contact_id"])


async def test_a_deleted_contact_is_listed_with_its_reason_and_restored_with_its_lists(api: Api) -> None:
    contact_id = await person(api)
    assert (await api.delete(f"{PATH}/{contact_id}?reason=asked%20by%20phone")).status_code == 204
    (deleted,) = (await api.get(f"{PATH}/deleted")).json()["items"]
    assert (deleted["contact_id"], deleted["email"]) == (contact_id, "anna@example.com")
    assert deleted["reason"] == "asked by phone"
    assert deleted["erased_at"] > deleted["deleted_at"]
    restored = (await api.post(f"{PATH}/{contact_id}/restore")).json()
    assert [one["name"] for one in restored["lists"]] == ["Customers"]
    assert (await api.get(f"{PATH}/deleted")).json() == {"items": []}


async def test_who_is_not_deleted_cannot_be_restored(api: Api) -> None:
    contact_id = await person(api)
    assert (await api.post(f"{PATH}/{contact_id}/restore")).status_code == 409
    assert (await api.post(f"{PATH}/5/restore")).status_code == 404


async def test_a_reason_goes_with_the_restoring(api: Api) -> None:
    contact_id = await person(api)
    await api.delete(f"{PATH}/{contact_id}?reason=first")
    await api.post(f"{PATH}/{contact_id}/restore")
    await api.delete(f"{PATH}/{contact_id}")
    (deleted,) = (await api.get(f"{PATH}/deleted")).json()["items"]
    assert deleted["reason"] is None
    assert (await api.delete(f"{PATH}/{contact_id}?reason={'x' * 501}")).status_code == 400


async def test_many_at_once_page_by_page(api: Api) -> None:
    ids = [await person(api, f"p{n}@example.com") for n in range(3)]
    answer = await api.post(f"{PATH}/delete", {"contact_ids": [*ids, 5], "reason": "test"})
    assert answer.json() == {"deleted": 3}
    first = (await api.get(f"{PATH}/deleted?limit=2")).json()
    assert ([one["contact_id"] for one in first["items"]], first["next"]) == (ids[:2], str(ids[1]))
    second = (await api.get(f"{PATH}/deleted?cursor={first['next']}")).json()
    assert [one["contact_id"] for one in second["items"]] == ids[2:]
    await api.post(f"{PATH}/delete", {"contact_ids": ids, "erase": True})
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(0,)]


async def test_after_thirty_days_the_deleted_are_erased(api: Api) -> None:
    old, fresh, alive = [await person(api, f"p{n}@example.com") for n in range(3)]
    await api.post(f"{PATH}/delete", {"contact_ids": [old, fresh]})
    await api.rows(
        "update contact set deleted_at = now() - interval '31 days' where org_id = %(org_id)s and contact_id = %(id)s",
        id=old,
    )
    assert await purge(api.db, 0) == 0
    assert await purge(api.db, 30) == 1
    left = await api.rows("select contact_id from contact where org_id = %(org_id)s order by 1")
    assert [row[0] for row in left] == [fresh, alive]
    assert await api.rows("select count(*) from address where org_id = %(org_id)s") == [(2,)]
