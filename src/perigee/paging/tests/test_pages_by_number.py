"""Listings of the old wire page by number and are served by key (contract 11.1, 13.2): nobody twice, nobody missed,
whatever changes meanwhile, and a total that is right."""

from __future__ import annotations

from typing import Any

import pytest

from perigee import upkeep
from perigee.paging import marks
from perigee.testing.api import SETTINGS, Api


async def add(api: Api, count: int, first: str = "Anna") -> list[int]:
    """Contacts whose last updates are a second apart, oldest first."""
    rows = await api.rows(
        "insert into contact (org_id, external_id, first_name, last_name, updated_at) "
        "select %(org_id)s, %(first)s || n, %(first)s, 'Koval', now() - interval '1 day' + n * interval '1 second' "
        "from generate_series(1, %(count)s) n returning contact_id",
        count=count,
        first=first,
    )
    return [int(row[0]) for row in rows]


async def page(api: Api, path: str) -> tuple[list[int], int]:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()], int(answer.headers["TotalCount"])


async def walk(api: Api, path: str, rows: int) -> list[int]:
    found: list[int] = []
    while True:
        ids, _ = await page(api, f"{path}maxrows={rows}&startindex={len(found) + 1}")
        if not ids:
            return found
        found += ids


PATHS = ["/api/v1/contacts?", "/api/v1/contacts?sortBy=contactId&", "/api/v1/contacts?firstname=an&"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_walk_meets_everybody_once(api: Api, path: str) -> None:
    ids = await add(api, 25)
    expected = ids if "sortBy" in path else ids[::-1]
    assert await walk(api, path, 4) == expected
    assert await page(api, path + "startindex=11&maxrows=5") == (expected[10:15], 25)


async def test_a_walk_misses_nobody_who_was_not_touched(api: Api) -> None:
    """By skipping, the contacts that move to the front would push others onto the next page again."""
    ids = await add(api, 20)
    first, _ = await page(api, "/api/v1/contacts?maxrows=5")
    await api.rows(
        "update contact set updated_at = now() where org_id = %(org_id)s and contact_id = any(%(ids)s)",
        ids=ids[:4],
    )
    rest, _ = await page(api, "/api/v1/contacts?maxrows=50&startindex=6")
    assert first == ids[:-6:-1]
    assert rest == ids[4:15][::-1]


async def test_a_new_walk_begins_anew(api: Api) -> None:
    ids = await add(api, 12)
    await walk(api, "/api/v1/contacts?", 3)
    newer = await add(api, 1, "Newer")
    await api.rows(
        "update contact set updated_at = now() where contact_id = any(%(ids)s) and org_id = %(org_id)s",
        ids=newer,
    )
    assert await walk(api, "/api/v1/contacts?", 3) == [*newer, *ids[::-1]]


async def test_far_pages_plant_their_marks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "FAR", 10)
    ids = await add(api, 1100)
    segment = (await api.post("/api/v4/segments", {"name": "All"})).json()["segment_id"]
    await api.rows(
        "insert into segment_member (org_id, segment_id, contact_id, joined_at) "
        "select org_id, %(s)s, contact_id, now() - contact_id * interval '1 second' from contact where org_id = %(org_id)s",
        s=segment,
    )
    group = f"/api/v1/group/{segment}/contacts?"
    for path, order in (
        ("/api/v1/contacts?", ids[::-1]),
        ("/api/v1/contacts?sortBy=contactId&", ids),
        (group, ids),
        (group + "asc=false&", ids[::-1]),
        (group + "orderByTs=true&", ids[::-1]),
        (group + "orderByTs=true&asc=false&", ids),
    ):
        before = await marks_kept(api)
        assert await page(api, path + "startindex=1051&maxrows=20") == (order[1050:1070], 1100)
        assert await marks_kept(api) == before + 3  # at 500, at 1000, and behind the page
        assert await page(api, path + "startindex=701&maxrows=2") == (order[700:702], 1100)


async def marks_kept(api: Api) -> int:
    return int((await api.rows("select count(*) from page_mark where org_id = %(org_id)s"))[0][0])


async def test_old_marks_are_not_used_and_go(api: Api) -> None:
    ids = await add(api, 10)
    await page(api, "/api/v1/contacts?maxrows=5")
    await api.rows("update page_mark set key_id = 0, key_time = 'epoch', at = now() - interval '11 minutes'")
    assert (await page(api, "/api/v1/contacts?maxrows=5&startindex=6"))[0] == ids[4::-1]
    await api.rows("update page_mark set at = now() - interval '11 minutes'")
    async with api.db.transaction() as connection:
        await marks.prune(connection)
    assert await marks_kept(api) == 0


async def total(api: Api) -> int:
    return (await page(api, "/api/v1/contacts?maxrows=1"))[1]


async def true_total(api: Api) -> int:
    query = "select count(*) from contact where org_id = %(org_id)s and deleted_at is null"
    return int((await api.rows(query))[0][0])


async def test_the_total_follows_every_way_in_and_out(api: Api) -> None:
    body: dict[str, Any] = {
        "contacts": [{"channels": [{"type": "email", "value": f"p{n}@example.com"}]} for n in range(30)],
        "dedupeOn": "email",
        "groupNames": ["Import"],
        "restoreDeleted": True,
    }
    assert (await api.post("/api/v1/contacts", body)).status_code == 200
    await api.run_jobs()
    assert await total(api) == await true_total(api) == 30
    one = (
        await api.post("/api/v1/contact", {"channels": [{"type": "sms", "value": "380501112233"}]})
    ).json()["id"]
    assert await total(api) == await true_total(api) == 31
    group = (await api.get("/api/v1/groups")).json()[0]["id"]
    people = [contact["id"] for contact in (await api.get(f"/api/v1/group/{group}/contacts")).json()]

    async def members() -> int:
        return (await page(api, f"/api/v1/group/{group}/contacts?maxrows=1"))[1]

    assert await members() == 30
    for contact_id in people[:3]:
        await api.delete(f"/api/v1/contact/{contact_id}")
        await api.delete(f"/api/v1/contact/{contact_id}")  # twice is once
    assert (await total(api), await members()) == (await true_total(api), 27) == (28, 27)
    await api.delete(f"/api/v1/contact/{one}?erase=true")
    await api.delete(f"/api/v1/contact/{people[0]}?erase=true")
    await api.post(f"/api/v1/group/{group}/contacts/detach", {"contactIds": people[3:5]})
    assert (await total(api), await members()) == (await true_total(api), 25) == (27, 25)
    await api.post("/api/v1/contacts", body)  # restores the deleted, makes the erased one anew
    await api.run_jobs()
    assert (await total(api), await members()) == (await true_total(api), 30) == (30, 30)
    await upkeep.run(api.db, SETTINGS, now=await now(api))
    assert (await api.rows("select count(*) from contact_tally where org_id = %(org_id)s"))[0][0] == 1
    assert (await total(api), await members()) == (30, 30)
    await api.post(f"/api/v1/group/{group}/contacts/detach")
    assert await members() == 0


async def now(api: Api) -> Any:
    return (await api.rows("select now()"))[0][0]


async def test_names_are_found_by_their_beginning_in_any_case(api: Api) -> None:
    await add(api, 2, "Żaneta")
    await add(api, 3, "Anna")
    assert (await page(api, "/api/v1/contacts?firstname=ŻAN"))[1] == 2
    assert (await page(api, "/api/v1/contacts?firstname=A%25"))[1] == 0
    assert (await page(api, "/api/v1/contacts?firstname=anna&lastname=kov&maxrows=2"))[1] == 3
