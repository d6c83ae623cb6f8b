"""/api/v4/contacts and /api/v4/fields."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

PATH = "/api/v4/contacts"


async def add(api: Api, **contact: Any) -> dict[str, Any]:
    answer = await api.post(PATH, contact)
    assert answer.status_code in (200, 201), answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def patch(api: Api, contact_id: int, **changes: Any) -> dict[str, Any]:
    answer = await api.call("PATCH", f"{PATH}/{contact_id}", changes)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def test_a_contact_is_added_then_updated(api: Api) -> None:
    answer = await api.post(PATH, {"email": "Anna@example.com", "first_name": "Anna", "lists": ["VIP"]})
    assert answer.status_code == 201
    contact = answer.json()
    assert contact["email"]["value"] == "Anna@example.com"
    assert contact["email"]["confirmed"] is True
    assert [one["name"] for one in contact["lists"]] == ["VIP"]
    again = await api.post(PATH, {"email": "anna@example.com", "last_name": "Koval"})
    assert again.status_code == 200
    assert again.json()["contact_id"] == contact["contact_id"]
    assert (await api.get(f"{PATH}/{contact['contact_id']}")).json()["last_name"] == "Koval"


async def test_null_takes_a_value_away_and_absence_does_not(api: Api) -> None:
    ((bonus,),) = await api.rows("select field_id from field where org_id = %(org_id)s and key = 'BONUS'")
    contact = await add(
        api, external_id="A", email="a@example.com", phone="+380 50 111 22 33", fields={str(bonus): 5}
    )
    assert (contact["phone"]["value"], contact["fields"]) == ("380501112233", {str(bonus): 5})
    changed = await patch(
        api, contact["contact_id"], phone=None, fields={str(bonus): None}, town="Exampleton"
    )
    assert (changed["phone"], changed["fields"], changed["town"]) == (None, {}, "Exampleton")
    assert (changed["external_id"], changed["email"]["value"]) == ("A", "a@example.com")
    cleared = await patch(api, contact["contact_id"], email=None, town=" ")
    assert (cleared["email"], cleared["town"]) == (None, None)


@pytest.mark.parametrize(
    ("contact", "field"),
    [
        ({}, "email"),
        ({"email": None}, "email"),
        ({"email": "x@@y"}, "email"),
        ({"email": "a@example.com", "first_name": "123456"}, "first_name"),
        ({"email": "a@example.com", "language": "?"}, "language"),
        ({"email": "a@example.com", "fields": {"level": 1}}, "fields"),
        ({"email": "a@example.com", "shoe": 1}, None),
        ({"email": 5}, "email"),
    ],
)
async def test_bad_contacts_are_problems(api: Api, contact: dict[str, Any], field: str | None) -> None:
    answer = await api.post(PATH, contact)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().get("field") == field or field is None
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_pages_by_cursor(api: Api) -> None:
    ids = [(await add(api, email=f"p{n}@example.com"))["contact_id"] for n in range(5)]
    first = (await api.get(f"{PATH}?limit=2")).json()
    assert [one["contact_id"] for one in first["items"]] == ids[:2]
    second = (await api.get(f"{PATH}?limit=3&cursor={first['next']}")).json()
    assert [one["contact_id"] for one in second["items"]] == ids[2:]
    assert "next" not in second
    found = (await api.get(f"{PATH}?email=P3@example.com")).json()
    assert [one["contact_id"] for one in found["items"]] == [ids[3]]
    assert (await api.get(f"{PATH}?phone=1")).json() == {"items": []}


async def test_deletion_and_unknown_contacts(api: Api) -> None:
    contact_id = (await add(api, email="a@example.com"))["contact_id"]
    assert (await api.delete(f"{PATH}/{contact_id}")).status_code == 204
    assert (await api.get(f"{PATH}/{contact_id}")).status_code == 404
    assert (await api.delete(f"{PATH}/{contact_id}?erase=true")).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        for number in (contact_id, 10**30):
            answer = await api.call(method, f"{PATH}/{number}", {} if method == "PATCH" else None)
            assert answer.status_code == 404


async def test_a_foreign_external_id_is_refused(api: Api) -> None:
    await add(api, external_id="A")
    b = await add(api, external_id="B")
    answer = await api.call("PATCH", f"{PATH}/{b['contact_id']}", {"external_id": "A"})
    assert answer.status_code == 400
    assert "belongs to another contact" in answer.json()["detail"]


async def test_fields_are_listed_and_made(api: Api) -> None:
    group = (await api.post("/api/v4/fields/groups", {"name": "Card"})).json()
    made = await api.post(
        "/api/v4/fields",
        {"group_id": group["group_id"], "name": "Level", "type": "combobox", "choices": ["a", "b"]},
    )
    assert made.status_code == 201
    groups = (await api.get("/api/v4/fields")).json()["groups"]
    assert [one["key"] for one in groups] == ["PERSONAL", "SHOP", "CARD"]
    assert groups[2]["fields"][0] == {
        "field_id": made.json()["field_id"],
        "name": "Level",
        "key": "LEVEL",
        "type": "combobox",
        "choices": ["a", "b"],
        "min": None,
        "max": None,
    }
    assert (await api.post("/api/v4/fields", {"group_id": 5, "name": "x", "type": "date"})).status_code == 404
    assert (await api.post("/api/v4/fields", {"group_id": 5, "name": "x", "type": "z"})).status_code == 400
