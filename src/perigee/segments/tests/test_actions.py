"""What is done with a whole segment: split, copy, delete with its people, tags (product 1 and 4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib.tags import clean_tags
from perigee.segments.actions import Part, _ends
from perigee.testing.api import Api, make_organisation

PATH = "/api/v4/segments"
RULE = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}


async def people(api: Api, count: int, name: str = "Customers") -> tuple[int, list[int]]:
    """(a list, its people)."""
    rows = await api.rows(
        "insert into contact (org_id, town) select %(org_id)s, 'Kyiv' from generate_series(1, %(n)s)"
        " returning contact_id",
        n=count,
    )
    segment_id = (await api.post(PATH, {"name": name})).json()["segment_id"]
    ids = [row[0] for row in rows]
    await api.post(f"{PATH}/{segment_id}/members", {"contact_ids": ids})
    return segment_id, ids


async def members(api: Api, segment_id: int) -> set[int]:
    found = (await api.get(f"{PATH}/{segment_id}/members")).json()["items"]
    return {one["id"] for one in found}


async def test_everybody_of_a_split_is_in_one_part_and_the_segment_stays(api: Api) -> None:
    segment_id, ids = await people(api, 20)
    parts = [{"name": "A", "percent": 50}, {"name": "B", "percent": 30}, {"name": "C", "percent": 20}]
    answer = await api.post(f"{PATH}/{segment_id}/split", {"parts": parts})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert [(one["name"], one["count"]) for one in made] == [("A", 10), ("B", 6), ("C", 4)]
    found = [await members(api, one["segment_id"]) for one in made]
    assert sum(map(len, found)) == 20
    assert set.union(*found) == set(ids) == await members(api, segment_id)


async def test_a_dynamic_segment_is_split_evenly_into_lists(api: Api) -> None:
    await people(api, 11)
    segment_id = (await api.post(PATH, {"name": "Kyiv", "condition": RULE})).json()["segment_id"]
    made = (await api.post(f"{PATH}/{segment_id}/split", {"parts": [{"name": "A"}, {"name": "B"}]})).json()
    assert sorted(one["count"] for one in made) == [5, 6]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([("A", None)], 400),
        ([(name, None) for name in "ABCD"], 400),
        ([("A", 50), ("B", None)], 400),
        ([("A", 50), ("B", 40)], 400),
        ([("A", 0), ("B", 100)], 400),
        ([("A", None), ("A", None)], 409),
    ],
)
async def test_parts_that_make_no_split(api: Api, parts: list[tuple[str, Any]], status: int) -> None:
    segment_id, _ = await people(api, 11)
    body = {"parts": [{"name": name, "percent": percent} for name, percent in parts]}
    assert (await api.post(f"{PATH}/{segment_id}/split", body)).status_code == status
    assert await api.rows("select count(*) from segment where org_id = %(org_id)s") == [(1,)]


async def test_ten_people_are_too_few(api: Api) -> None:
    segment_id, _ = await people(api, 10)
    answer = await api.post(f"{PATH}/{segment_id}/split", {"parts": [{"name": "A"}, {"name": "B"}]})
    assert (answer.status_code, "10 people" in answer.text) == (409, True)


@given(st.integers(11, 100_000), st.lists(st.integers(1, 100), min_size=2, max_size=3))
def test_parts_add_up_to_everybody(total: int, weights: list[int]) -> None:
    percents = [100 * weight / sum(weights) for weight in weights]
    ends = _ends([Part("x", percent) for percent in percents], total)
    assert (ends, ends[-1]) == (sorted(ends), total)


async def test_a_dynamic_segment_is_copied_a_list_is_not(api: Api) -> None:
    body = {"name": "Kyiv", "condition": RULE, "description": "People of Kyiv", "tags": ["city"]}
    segment = (await api.post(PATH, body)).json()
    copy = (await api.post(f"{PATH}/{segment['segment_id']}/copy", {})).json()
    assert (copy["name"], copy["condition"]) == ("Copy of Kyiv", segment["condition"])
    assert (copy["description"], copy["tags"]) == ("People of Kyiv", ["city"])
    named = (await api.post(f"{PATH}/{segment['segment_id']}/copy", {"name": "Other"})).json()
    assert named["name"] == "Other"
    segment_id, _ = await people(api, 1)
    assert (await api.post(f"{PATH}/{segment_id}/copy", {})).status_code == 400


@pytest.mark.parametrize("kind", ["static", "dynamic"])
async def test_a_segment_is_deleted_with_its_people_who_can_be_restored(api: Api, kind: str) -> None:
    segment_id, ids = await people(api, 3)
    if kind == "dynamic":
        segment_id = (await api.post(PATH, {"name": "Kyiv", "condition": RULE})).json()["segment_id"]
    await api.rows("insert into contact (org_id, town) values (%(org_id)s, 'Lviv')")
    assert (await api.delete(f"{PATH}/{segment_id}?contacts=true")).status_code == 204
    deleted = (await api.get("/api/v4/contacts/deleted")).json()["items"]
    assert [one["contact_id"] for one in deleted] == ids
    assert "with the segment" in deleted[0]["reason"]
    assert (await api.get(f"{PATH}/{segment_id}")).status_code == 404
    assert (await api.post(f"/api/v4/contacts/{ids[0]}/restore")).status_code == 200


async def test_a_segment_that_may_not_go_keeps_its_people(api: Api) -> None:
    category = (await api.post("/api/v4/categories", {"name": "News"})).json()
    contact_id = (await api.post("/api/v4/contacts", {"email": "a@example.com"})).json()["contact_id"]
    await api.put(f"/api/v4/contacts/{contact_id}/categories", {"keys": [category["key"]]})
    path = f"{PATH}/{category['segment_id']}"
    assert (await api.delete(f"{path}?contacts=true")).status_code == 409
    assert (await api.call("PATCH", path, {"name": "Other"})).status_code == 409
    assert (await api.get("/api/v4/contacts/deleted")).json() == {"items": []}
    assert (await api.delete(f"/api/v4/categories/{category['category_id']}")).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.get(f"/api/v4/contacts/{contact_id}")).status_code == 200


async def test_segments_have_tags_and_are_found_by_them(api: Api) -> None:
    one = (await api.post(PATH, {"name": "A", "tags": ["vip"]})).json()
    two = (await api.post(PATH, {"name": "B"})).json()
    ids = [one["segment_id"], two["segment_id"]]
    body = {"segment_ids": [*ids, 5], "add": ["spring", "vip"], "remove": ["old"]}
    assert (await api.post(f"{PATH}/tags", body)).json() == {"segments": 2}
    assert (await api.get(f"{PATH}/{ids[0]}")).json()["tags"] == ["vip", "spring"]
    await api.post(f"{PATH}/tags", {"segment_ids": ids[:1], "remove": ["vip"]})
    found = (await api.get(f"{PATH}?tag=vip")).json()["items"]
    assert [segment["name"] for segment in found] == ["B"]
    changed = await api.call("PATCH", f"{PATH}/{ids[1]}", {"name": "C", "tags": ["new"]})
    assert (changed.json()["name"], changed.json()["tags"]) == ("C", ["new"])


async def test_messages_are_tagged_many_at_once(api: Api) -> None:
    body = {"name": "Hi", "from": "Shop", "text": "Hi"}
    ids = [(await api.post("/api/v1/messages/sms", {**body, "tags": ["a"]})).json()["id"] for _ in range(2)]
    answer = await api.post("/api/v4/messages/tags", {"message_ids": ids, "add": ["b"], "remove": ["a"]})
    assert answer.json() == {"messages": 2}
    assert {
        tuple(row[0]) for row in await api.rows("select tags from message where org_id = %(org_id)s")
    } == {("b",)}
    refused = await api.post("/api/v4/messages/tags", {"message_ids": ids, "add": ["#b"]})
    assert (refused.status_code, refused.json()["field"]) == (400, "add[0]")


async def test_more_than_a_hundred_tags_are_refused(api: Api) -> None:
    segment_id = (await api.post(PATH, {"name": "A"})).json()["segment_id"]
    for start, status in ((0, 200), (100, 400)):
        body = {"segment_ids": [segment_id], "add": [f"t{n}" for n in range(start, start + 100)]}
        assert (await api.post(f"{PATH}/tags", body)).status_code == status
    assert len((await api.get(f"{PATH}/{segment_id}")).json()["tags"]) == 100


@pytest.mark.parametrize("tag", ["", " ", "x" * 51, "a,b", "a#b", "<b>", "a/b", "a'b"])
def test_a_tag_is_short_and_without_special_signs(tag: str) -> None:
    with pytest.raises(Invalid, match=r"add\[0\]"):
        clean_tags("add", [tag])
    assert clean_tags("add", ["Весна 2026", "a-b_c.d", "a-b_c.d"]) == ["Весна 2026", "a-b_c.d"]


async def test_another_organisations_segment_is_not_touched(api: Api) -> None:
    segment_id, ids = await people(api, 11)
    _, key = await make_organisation(api.db, "Other Shop")
    tagged = await api.post(f"{PATH}/tags", {"segment_ids": [segment_id], "add": ["x"]}, key=key)
    assert tagged.json() == {"segments": 0}
    assert (await api.delete(f"{PATH}/{segment_id}?contacts=true", key=key)).status_code == 404
    assert await members(api, segment_id) == set(ids)
