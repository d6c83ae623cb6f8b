"""Workflows by name: /api/v4, and the list of the old wire (contract 20.7)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api, make_organisation


async def add(api: Api, name: str, *tags: str, status: str = "active") -> int:
    answer = await api.post("/api/v4/workflows", {"name": name, "status": status, "tags": list(tags)})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["workflow_id"])


async def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer = await api.get(f"/api/v1/workflows?{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


async def test_the_list_has_the_documented_members(api: Api) -> None:
    first = await add(api, "Welcome series", "promo", "welcome")
    second = await add(api, "Win back", status="inactive")
    assert await listed(api) == [
        {"id": first, "name": "Welcome series", "status": "active", "tags": ["promo", "welcome"]},
        {"id": second, "name": "Win back", "status": "inactive", "tags": []},
    ]


async def test_one_tag_stands_without_its_list(api: Api) -> None:
    await add(api, "Welcome", "promo", "promo")
    assert (await listed(api))[0]["tags"] == "promo"


async def test_an_organisation_may_always_have_lists(api: Api) -> None:
    await api.rows(
        "update organisation set settings = settings || '{\"always_arrays\": true}' where org_id = %(org_id)s"
    )
    await add(api, "Welcome", "promo")
    assert (await listed(api))[0]["tags"] == ["promo"]


async def test_organisations_have_their_own_workflows(api: Api) -> None:
    await add(api, "Welcome")
    _, key = await make_organisation(api.db, "Other")
    assert (await api.get("/api/v1/workflows", key=key)).json() == []


async def test_names_are_found_by_a_part_in_any_case(api: Api) -> None:
    for name in ("Вітальна серія", "Welcome series", "Abandoned cart 100%"):
        await add(api, name)
    assert [row["name"] for row in await listed(api, "name=СЕРІЯ")] == ["Вітальна серія"]
    assert [row["name"] for row in await listed(api, "name=100%25")] == ["Abandoned cart 100%"]
    assert await listed(api, "name=nothing") == []


async def test_pages_count_from_one(api: Api) -> None:
    for number in range(4):
        await add(api, f"W{number}")
    assert [row["name"] for row in await listed(api, "startindex=2&maxrows=2")] == ["W1", "W2"]
    assert len(await listed(api, "maxrows=9999")) == 4
    first = (await api.get("/api/v4/workflows?limit=3&name=w")).json()
    rest = (await api.get(f"/api/v4/workflows?name=w&cursor={first['next']}")).json()
    assert [row["name"] for row in first["items"] + rest["items"]] == ["W0", "W1", "W2", "W3"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a", "status": "running"}, "status"),
        ({"name": "a", "tags": [" "]}, "tags"),
    ],
)
async def test_bad_workflows_are_refused(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.post("/api/v4/workflows", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await listed(api) == []
