"""Looking for duplicates, and merging all of them as a job."""

from __future__ import annotations

from typing import Any

from perigee.contacts.merging import runs
from perigee.contacts.merging.tests.conftest import PATH, Twins
from perigee.testing.api import Api


async def shared(twins: Twins, email: str, *external: str | None) -> list[int]:
    """So many contacts with one email."""
    found = []
    for number, external_id in enumerate(external):
        body: dict[str, Any] = {"channels": [{"type": "email", "value": f"{number}-{email}"}]}
        if external_id:
            body["externalCustomerId"] = external_id
        found.append(await twins.contact(**body))
        await twins.separate(found[-1], email)
    return found


async def test_groups_come_page_by_page(api: Api, twins: Twins) -> None:
    a = await shared(twins, "a@example.com", None, None, None)
    b = await shared(twins, "b@example.com", None, None)
    await shared(twins, "c@example.com", None)
    gone = await shared(twins, "d@example.com", None, None)
    await api.delete(f"{PATH}/{gone[0]}")
    first = (await api.get("/api/v4/duplicates?limit=1")).json()
    assert first["items"] == [{"value": "a@example.com", "count": 3, "contact_ids": a}]
    second = (await api.get(f"/api/v4/duplicates?limit=1&cursor={first['next']}")).json()
    assert second == {"items": [{"value": "b@example.com", "count": 2, "contact_ids": b}]}
    counts = (await api.get("/api/v4/duplicates/count")).json()
    assert counts == {"email": {"groups": 2, "contacts": 5}, "phone": {"groups": 0, "contacts": 0}}
    assert (await api.get("/api/v4/duplicates?by=name")).status_code == 400
    assert (await api.get("/api/v4/duplicates?cursor=77")).status_code == 400


async def test_all_duplicates_are_merged_and_refusals_counted(api: Api, twins: Twins) -> None:
    a = await shared(twins, "a@example.com", None, "A", None)
    b = await shared(twins, "b@example.com", "B1", "B2")
    started = (await api.post("/api/v4/duplicates/merge", {})).json()
    assert (started["state"], started["groups"]) == ("waiting", 2)
    await api.run_jobs()
    done = (await api.get(f"/api/v4/duplicates/merge/{started['run_id']}")).json()
    assert (done["state"], done["seen"], done["merged"], done["refused"]) == ("done", 2, 2, 1)
    left = await api.rows("select contact_id from contact where org_id = %(org_id)s order by 1")
    assert [row[0] for row in left] == sorted([a[1], *b])
    assert (await api.post(f"/api/v4/duplicates/merge/{started['run_id']}/cancel")).status_code == 409


async def test_the_later_ones_stay_where_that_is_asked_for(api: Api, twins: Twins) -> None:
    a = await shared(twins, "a@example.com", None, None)
    await api.post("/api/v4/duplicates/merge", {"keep": "later"})
    await api.run_jobs()
    assert await api.rows("select contact_id from contact where org_id = %(org_id)s") == [(a[1],)]


async def test_a_cancelled_run_merges_no_more(api: Api, twins: Twins) -> None:
    await shared(twins, "a@example.com", None, None)
    run_id = (await api.post("/api/v4/duplicates/merge", {})).json()["run_id"]
    assert (await api.post(f"/api/v4/duplicates/merge/{run_id}/cancel")).json()["state"] == "cancelled"
    await runs.work(api.db, api.org_id, run_id)
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(2,)]


async def test_a_run_begun_again_goes_on(api: Api, twins: Twins) -> None:
    await shared(twins, "a@example.com", None, None)
    run_id = (await api.post("/api/v4/duplicates/merge", {})).json()["run_id"]
    await api.rows("update merge_run set state = 'running' where org_id = %(org_id)s")
    await runs.work(api.db, api.org_id, run_id)
    await runs.work(api.db, api.org_id, run_id)
    assert (await api.get(f"/api/v4/duplicates/merge/{run_id}")).json()["merged"] == 1
