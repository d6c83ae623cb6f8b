"""/api/v4/segments and /api/v4/categories."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api, make_organisation

KYIV = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}


async def make(api: Api, **given: Any) -> dict[str, Any]:
    answer = await api.post("/api/v4/segments", given)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def contacts(api: Api, count: int, town: str = "Kyiv") -> list[int]:
    rows = await api.rows(
        "insert into contact (org_id, town) select %(org_id)s, %(town)s from generate_series(1, %(count)s) returning contact_id",
        town=town,
        count=count,
    )
    return [row[0] for row in rows]


async def test_the_life_of_a_dynamic_segment(api: Api) -> None:
    made = await make(api, name="In Kyiv", condition=KYIV)
    path = f"/api/v4/segments/{made['segment_id']}"
    assert (made["kind"], made["condition"], made["description"]) == ("dynamic", KYIV, "")
    assert (await api.get(path)).json() == made

    changed = (await api.call("PATCH", path, {"name": "Kyiv"})).json()
    assert (changed["name"], changed["condition"]) == ("Kyiv", KYIV)
    negated = {"is": "not", "of": KYIV}
    assert (await api.call("PATCH", path, {"condition": negated})).json()["condition"] == negated

    answer = await api.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.get(path)).status_code == 404


async def test_a_refused_condition_is_a_problem_that_names_the_field(api: Api) -> None:
    condition = {"is": "all", "of": [KYIV, {**KYIV, "field": "shoe"}]}
    for path, body in (
        ("/api/v4/segments", {"name": "X", "condition": condition}),
        ("/api/v4/segments/preview", {"condition": condition}),
        ("/api/v4/segments/explain", {"condition": condition, "contact_id": 1}),
    ):
        answer = await api.post(path, body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["field"] == "condition.of[1].field"
        assert answer.json()["detail"].startswith("condition.of[1].field: 'shoe' must be one of")
    assert (await api.get("/api/v4/segments")).json() == {"items": []}


async def test_a_name_in_use_is_a_conflict(api: Api) -> None:
    await make(api, name="VIP")
    answer = await api.post("/api/v4/segments", {"name": "VIP"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_segments_come_in_pages(api: Api) -> None:
    ids = [(await make(api, name=name))["segment_id"] for name in ("Alpha", "Beta", "Alphabet")]
    first = (await api.get("/api/v4/segments?limit=2")).json()
    assert [item["segment_id"] for item in first["items"]] == ids[:2]
    second = (await api.get(f"/api/v4/segments?limit=2&cursor={first['next']}")).json()
    assert [item["segment_id"] for item in second["items"]] == ids[2:]
    assert "next" not in second
    found = (await api.get("/api/v4/segments?name=alpha")).json()["items"]
    assert [item["name"] for item in found] == ["Alpha", "Alphabet"]


async def test_preview_and_count(api: Api) -> None:
    ids = await contacts(api, 3)
    await contacts(api, 2, "Lviv")
    made = await make(api, name="In Kyiv", condition=KYIV)
    answer = (await api.post("/api/v4/segments/preview", {"condition": KYIV, "rows": 2})).json()
    assert answer["count"] == 3
    assert [contact["id"] for contact in answer["sample"]] == ids[:2]
    assert answer["at"].startswith("20")
    stored = (await api.get(f"/api/v4/segments/{made['segment_id']}/preview")).json()
    assert (stored["count"], len(stored["sample"])) == (3, 3)
    assert (await api.get(f"/api/v4/segments/{made['segment_id']}/count")).json()["count"] == 3
    assert (await api.post("/api/v4/segments/preview", {"condition": KYIV, "rows": 101})).status_code == 400


async def test_explain(api: Api) -> None:
    (bo,) = await contacts(api, 1, "Lviv")
    made = await make(api, name="In Kyiv", condition=KYIV)
    expected = {
        "path": "condition",
        "is": "segment",
        "holds": False,
        "segment": made["segment_id"],
        "of": [
            {
                "path": "condition.of",
                "is": "field",
                "holds": False,
                "condition": KYIV,
                "found": "Lviv",
                "decides": True,
            }
        ],
    }
    assert (await api.get(f"/api/v4/segments/{made['segment_id']}/explain/{bo}")).json() == expected
    answer = await api.post("/api/v4/segments/explain", {"condition": KYIV, "contact_id": bo})
    assert (answer.json()["holds"], answer.json()["found"]) == (False, "Lviv")
    assert (await api.get(f"/api/v4/segments/{made['segment_id']}/explain/404")).status_code == 404
    assert (await api.get(f"/api/v4/segments/404/explain/{bo}")).status_code == 404


async def test_members_of_a_list(api: Api) -> None:
    made = await make(api, name="VIP")
    ids = await contacts(api, 3)
    path = f"/api/v4/segments/{made['segment_id']}"
    assert (await api.post(f"{path}/members", {"contact_ids": [*ids, 404]})).json() == {"attached": 3}
    first = (await api.get(f"{path}/members?limit=2")).json()
    assert [contact["id"] for contact in first["items"]] == ids[:2]
    second = (await api.get(f"{path}/members?limit=2&cursor={first['next']}")).json()
    assert [contact["id"] for contact in second["items"]] == ids[2:]
    assert (await api.post(f"{path}/members/remove", {"contact_ids": ids[:1]})).json() == {"detached": 1}
    assert (await api.post(f"{path}/members/remove", {"contact_ids": []})).json() == {"detached": 0}
    assert (await api.post(f"{path}/members", {"external_ids": [" "]})).status_code == 400
    assert (await api.post(f"{path}/empty")).json() == {"detached": 2}


async def test_categories(api: Api) -> None:
    made = (await api.post("/api/v4/categories", {"name": "Spring news"})).json()
    assert (made["key"], made["name"]) == ("spring-news", "Spring news")
    (anna,) = await contacts(api, 1)
    answer = await api.put(f"/api/v4/contacts/{anna}/categories", {"keys": ["spring-news"]})
    assert [category["key"] for category in answer.json()] == ["spring-news"]
    assert (await api.get(f"/api/v4/contacts/{anna}/categories")).json() == answer.json()
    (listed,) = (await api.get("/api/v4/categories")).json()
    assert listed == {**made, "contacts": 1}
    path = f"/api/v4/categories/{made['category_id']}"
    renamed = (await api.call("PATCH", path, {"name": "News"})).json()
    assert (renamed["key"], renamed["name"]) == ("spring-news", "News")
    assert (await api.delete(path)).status_code == 204
    assert (await api.get("/api/v4/categories")).json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/count"), ("GET", "/preview"), ("GET", "/members"),
        ("POST", "/members"), ("POST", "/members/remove"), ("POST", "/empty"), ("GET", "/explain/1"),
    ],
)  # fmt: skip
async def test_another_organisations_segment_looks_absent(api: Api, method: str, path: str) -> None:
    _, key = await make_organisation(api.db, "Other")
    made = await make(api, name="In Kyiv", condition=KYIV)
    body = (
        {"contact_ids": [1]} if "members" in path and method == "POST" else {} if method == "PATCH" else None
    )
    foreign = await api.call(method, f"/api/v4/segments/{made['segment_id']}{path}", body, key=key)
    absent = await api.call(method, f"/api/v4/segments/404{path}", body, key=key)
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json()["detail"].replace(str(made["segment_id"]), "404") == absent.json()["detail"]
