"""Two contacts become one with everything of both; undone, everything is where it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perigee.contacts.merging.merge import sweep
from perigee.contacts.merging.places import PLACES
from perigee.contacts.merging.tests.conftest import PATH, Twins
from perigee.testing.api import Api, make_organisation

EMAIL = "anna@example.com"
CELLS = (
    "select grid, contact_id, recency, frequency, times, total from contact_rfm"
    " where org_id = %(org_id)s and grid = 'sales' order by 2"
)


async def fill(api: Api, contact_id: int) -> None:
    """A row of this contact wherever one can be."""
    for statement in (
        "insert into event (org_id, occurred_at, event_type_id, contact_id) values (%(org_id)s, now(), 1, %(id)s)",
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)"
        " values (%(org_id)s, now(), 1, 1, %(id)s, 'email', 'READ')",
        "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, at)"
        " values (%(org_id)s, now(), 1, %(id)s - 100000, %(id)s, 'sent', now())",
        "insert into consent_log (org_id, kind, value, contact_id, action, source)"
        " values (%(org_id)s, 'email', 'x', %(id)s, 'unsubscribed', 'api')",
        "insert into inbox_message (org_id, send_id, ordinal, contact_id, inbox_id, title, content, expires_at)"
        " values (%(org_id)s, 1, %(id)s - 100000, %(id)s, gen_random_uuid(), 'T', 'C', now() + interval '1 day')",
        "insert into promo_code (org_id, code, discount, expires_at, contact_id)"
        " values (%(org_id)s, 'C' || %(id)s, 5, now() + interval '1 day', %(id)s)",
        "insert into push_token (org_id, kind, token, contact_id) values (%(org_id)s, 'webpush', 't' || %(id)s, %(id)s)",
        "insert into rfm_move (org_id, grid, at, contact_id, from_recency, from_frequency, to_recency, to_frequency)"
        " values (%(org_id)s, 'sales', now(), %(id)s, 1, 1, 2, 1)",
        "insert into sandbox_message (org_id, send_id, ordinal, contact_id, channel, address, body)"
        " values (%(org_id)s, 1, 1, %(id)s, 'sms', '1', 'x')",
        "insert into send_recipient (org_id, send_id, ordinal, contact_id)"
        " values (%(org_id)s, 1, %(id)s - 100000, %(id)s)",
        "insert into smpp_stray (org_id, provider_id, contact_id, type) values (%(org_id)s, 1, %(id)s, 'x')",
        "insert into visitor (org_id, visitor_id, contact_id, bound_by) values (%(org_id)s, 'v' || %(id)s, %(id)s, 1)",
        "insert into bounce_mail (org_id, contact_id, raw) values (%(org_id)s, %(id)s, 'x')",
    ):
        await api.rows(statement, id=contact_id)
    order = {
        "externalOrderId": f"SO-{contact_id}",
        "totalCost": 5,
        "currency": "USD",
        "status": "DELIVERED",
        "date": "2026-01-01T10:00:00Z",
        "externalCustomerId": f"CRM-{contact_id}",
    }
    await api.rows(
        "update contact set external_id = 'CRM-' || %(id)s where org_id = %(org_id)s and contact_id = %(id)s",
        id=contact_id,
    )
    answer = await api.post("/api/v1/orders", {"orders": [order]})
    assert answer.status_code == 200, answer.text


async def two(twins: Twins, **of_second: Any) -> tuple[int, int]:
    first = await twins.contact(
        firstName="Ann",
        groups=[{"name": "A"}, {"name": "Both"}],
        channels=[{"type": "email", "value": EMAIL}],
    )
    second = await twins.contact(
        channels=[{"type": "sms", "value": "380501112233"}],
        groups=[{"name": "Both"}, {"name": "B"}],
        firstName="Anna",
        **of_second,
    )
    return first, second


async def test_the_survivor_has_everything_of_both(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    for one in (first, second):
        await fill(api, one)
    done = await twins.merge(first, second, forget_external_id=True)
    assert (done["survivor_id"], done["merged_id"], done["can_be_undone"]) == (first, second, True)
    assert await twins.card(second) is None
    found = await twins.card(first)
    assert found is not None
    assert (found["first_name"], found["email"], found["phone"]) == ("Anna", EMAIL, "380501112233")
    for table in PLACES:
        rows = await api.rows(f"select contact_id from {table} where org_id = %(org_id)s")
        assert len(rows) >= 2, table
        assert {row[0] for row in rows} == {first}, table
    members = "select count(*) from segment_member where org_id = %(org_id)s and contact_id = %(id)s"
    assert await api.rows(members, id=first) == [(3,)]
    facts = "select contact_id, orders, delivered_total from contact_orders where org_id = %(org_id)s"
    assert await api.rows(facts) == [(first, 2, 10)]


async def test_a_merge_and_its_undoing_leave_everything_as_it_was(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    for one in (first, second):
        await fill(api, one)
    before, cells = await twins.everything(), await api.rows(CELLS)
    done = await twins.merge(first, second, forget_external_id=True)
    assert await twins.everything() != before
    undone = await twins.undo(done["merge_id"])
    after = await twins.everything()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, changed
    assert await api.rows(CELLS) == cells
    assert undone["undone_at"]
    assert not undone["can_be_undone"]
    tallies = "select (select sum(delta) from contact_tally where org_id = %(org_id)s)"
    assert await api.rows(tallies) == [(2,)]
    again = await api.post(f"/api/v4/merges/{done['merge_id']}/undo")
    assert again.status_code == 409


async def test_what_came_after_the_merge_stays_the_survivors(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    done = await twins.merge(first, second)
    await api.post("/api/v3/event", {"eventTypeKey": "Later", "params": {"phone": "380501112233"}})
    await twins.undo(done["merge_id"])
    events = await api.rows("select contact_id from event where org_id = %(org_id)s")
    assert events == [(first,)]


async def test_a_category_that_the_survivor_left_stays_left(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    key = (await api.post("/api/v4/categories", {"name": "News"})).json()["key"]
    for one in (first, second):
        await api.put(f"{PATH}/{one}/categories", {"keys": [key]})
    await api.put(f"{PATH}/{first}/categories", {"keys": []})
    await twins.merge(first, second)
    assert (await api.get(f"{PATH}/{first}/categories")).json() == []


async def test_an_upsert_that_arrives_at_the_same_moment_is_not_lost(api: Api, twins: Twins) -> None:
    first, second = await two(twins, externalCustomerId="B")
    channels = [{"type": "sms", "value": "380501112233"}]
    body = {"externalCustomerId": "B", "lastName": "Koval", "channels": channels}
    merging = asyncio.create_task(twins.merge(first, second))
    answers = await asyncio.gather(
        *(api.post("/api/v1/contact", {**body, "address": {"town": f"T{n}"}}) for n in range(5))
    )
    await merging
    assert {answer.status_code: answer.text for answer in answers}.keys() == {200}
    found = await twins.card(first)
    assert found is not None
    assert (found["external_id"], found["last_name"]) == ("B", "Koval")
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(1,)]


async def test_what_comes_late_for_the_merged_contact_is_swept_to_the_survivor(
    api: Api, twins: Twins
) -> None:
    first, second = await two(twins)
    done = await twins.merge(first, second)
    await api.rows(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)"
        " values (%(org_id)s, now(), 1, 1, %(id)s, 'email', 'READ')",
        id=second,
    )
    await sweep(api.db, 30, 0)
    owner = "select contact_id from activity where org_id = %(org_id)s and status = 'READ'"
    assert await api.rows(owner) == [(first,)]
    await twins.undo(done["merge_id"])
    assert await api.rows(owner) == [(second,)]


async def test_after_the_window_only_the_line_is_left(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    done = await twins.merge(first, second)
    await api.rows("update contact_merge set at = at - interval '31 days' where org_id = %(org_id)s")
    await sweep(api.db, 30)
    answer = await api.post(f"/api/v4/merges/{done['merge_id']}/undo")
    assert (answer.status_code, "too long ago" in answer.json()["detail"]) == (409, True)
    (line,) = (await api.get(f"/api/v4/merges?contact_id={second}")).json()["items"]
    assert (line["can_be_undone"], line["merged_by"][:3]) == (False, "key")
    assert await api.rows("select count(*) from contact_moved where org_id = %(org_id)s") == [(0,)]


async def test_merges_upon_merges_are_undone_from_the_last(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    third = await twins.contact(channels=[{"type": "email", "value": "third@example.com"}])
    earlier, later = await twins.merge(second, third), await twins.merge(first, second)
    answer = await api.post(f"/api/v4/merges/{earlier['merge_id']}/undo")
    assert (answer.status_code, f"undo merge {later['merge_id']} first" in answer.text) == (409, True)
    await twins.undo(later["merge_id"])
    await twins.undo(earlier["merge_id"])
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(3,)]


async def test_an_external_id_given_away_meanwhile_holds_up_the_undoing(api: Api, twins: Twins) -> None:
    first, second = await two(twins, externalCustomerId="B")
    done = await twins.merge(first, second)
    await api.call("PATCH", f"{PATH}/{first}", {"external_id": None})
    await twins.contact(externalCustomerId="B", channels=[{"type": "email", "value": "other@example.com"}])
    answer = await api.post(f"/api/v4/merges/{done['merge_id']}/undo")
    assert (answer.status_code, "another contact's" in answer.text) == (409, True)
    assert await twins.card(second) is None


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"contact_id": 5}, 404, "not found"),
        ({"contact_id": "self"}, 400, "another contact"),
        ({"contact_id": "second", "take": ["source"]}, 400, "take[0]"),
        ({"contact_id": "second", "prefer": "oldest"}, 400, "prefer"),
        ({"contact_id": "second"}, 409, "forget_external_id"),
    ],
)
async def test_a_merge_that_cannot_be(
    api: Api, twins: Twins, body: dict[str, Any], status: int, says: str
) -> None:
    first, second = await two(twins, externalCustomerId="B")
    await api.call("PATCH", f"{PATH}/{first}", {"external_id": "A"})
    named = {"self": first, "second": second}
    before = await twins.everything()
    answer = await api.post(f"{PATH}/{first}/merge", {**body, "contact_id": named.get(body["contact_id"], 5)})
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert await twins.everything() == before


async def test_another_organisations_contact_is_not_found(api: Api, twins: Twins) -> None:
    first, second = await two(twins)
    _, key = await make_organisation(api.db, "Other Shop")
    answer = await api.post(f"{PATH}/{first}/merge", {"contact_id": second}, key=key)
    assert answer.status_code == 404


async def test_erasing_the_survivor_erases_those_merged_into_it(api: Api, twins: Twins) -> None:
    first, second = await two(twins, externalCustomerId="CRM-9")
    third = await twins.contact(channels=[{"type": "email", "value": "third@example.com"}])
    await twins.merge(second, third, take=["email"])
    await twins.merge(first, second)
    await api.delete(f"{PATH}/{first}?erase=true")
    assert await api.rows("select count(*) from address where org_id = %(org_id)s") == [(0,)]
    assert await api.rows("select count(*) from contact_merge where org_id = %(org_id)s") == [(0,)]
