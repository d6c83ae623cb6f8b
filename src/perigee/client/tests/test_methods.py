"""How methods speak the wire: pages, the old wire's collapsed lists, bulk calls in parts."""

from __future__ import annotations

import json

from perigee.client import AsyncClient
from perigee.client.tests.conftest import Script

SESSION = "6f2b6b0e-8d0f-4a57-9f1e-2c3d4e5f6a7b"


def _recipient(ordinal: int) -> dict[str, object]:
    return {
        "send_id": 1,
        "ordinal": ordinal,
        "contact_id": ordinal,
        "address": None,
        "outcome": "sent",
        "reason": None,
        "provider_text": None,
        "language": "en",
        "attempts": 1,
        "at": "2026-01-01T00:00:00Z",
    }


async def test_pages_are_read_to_the_end(script: Script) -> None:
    script.answer({"items": [_recipient(0), _recipient(1)], "next": "2"})
    script.answer({"items": [_recipient(2)]})
    async with AsyncClient(script.url, "k") as perigee:
        found = await perigee.campaign_recipients(9, outcome="sent")
    assert [line.ordinal for line in found] == [0, 1, 2]
    assert [asked.query for asked in script.asked] == [
        {"outcome": "sent", "limit": "500"},
        {"outcome": "sent", "limit": "500", "cursor": "2"},
    ]


async def test_a_limit_ends_the_reading(script: Script) -> None:
    script.answer({"items": [_recipient(0), _recipient(1)], "next": "2"})
    async with AsyncClient(script.url, "k") as perigee:
        assert len(await perigee.campaign_recipients(9, limit=2)) == 2
    assert script.asked[0].query["limit"] == "2"
    assert len(script.asked) == 1


async def test_the_old_wire_counts_from_one(script: Script) -> None:
    script.answer([{"id": 1, "channels": []}], TotalCount="2")
    script.answer([{"id": 2, "channels": [], "firstName": "Bo"}], TotalCount="2")
    async with AsyncClient(script.url, "k") as perigee:
        found = await perigee.search_contacts(first_name="Bo")
    assert [contact.id for contact in found] == [1, 2]
    assert [asked.query["startindex"] for asked in script.asked] == ["1", "2"]
    assert script.asked[0].query["firstname"] == "Bo"


async def test_one_refusal_comes_without_its_list(script: Script) -> None:
    refused = {
        "channels": [{"type": "email", "value": "bad@@example"}],
        "error": "'bad@@example' is not valid email",
    }
    script.answer({"id": 0, "asyncSessionId": SESSION, "failedContacts": refused})
    script.answer({"id": 0, "asyncSessionId": SESSION, "failedContacts": [refused, refused]})
    script.answer({"id": 0, "asyncSessionId": SESSION})
    async with AsyncClient(script.url, "k") as perigee:
        accepted = [await perigee.import_contacts([{}]) for _ in range(3)]
    assert [len(one.refused) for one in accepted] == [1, 2, 0]
    assert accepted[0].session_id == SESSION
    assert accepted[0].refused[0].error == "'bad@@example' is not valid email"
    assert accepted[0].refused[0].contact == {"channels": [{"type": "email", "value": "bad@@example"}]}


async def test_an_import_is_waited_for(script: Script) -> None:
    script.answer({"status": "STARTED", "timestamp": "2026-01-01T00:00:00"})
    script.answer({"status": "IMPORTING", "timestamp": "2026-01-01T00:00:00"})
    done = {
        "status": "FINISHED",
        "timestamp": "2026-01-01T00:00:00",
        "mapping": [{"dedupeValue": "a", "contactId": 4}],
    }
    script.answer(done)
    async with AsyncClient(script.url, "k") as perigee:
        status = await perigee.wait_for_import(SESSION)
    assert [one.contact_id for one in status.mapping] == [4]
    assert len(script.asked) == 3


async def test_people_are_attached_in_calls_of_five_hundred(script: Script) -> None:
    for attached in (500, 200, 3):
        script.answer({"attached": attached})
    async with AsyncClient(script.url, "k") as perigee:
        ids = [f"CRM-{n}" for n in range(701)]
        assert await perigee.attach_contacts(7, contact_ids=[1, 2, 3], external_ids=ids) == 703
    bodies = [json.loads(asked.body) for asked in script.asked]
    assert bodies[0] == {"contact_ids": [1, 2, 3]}
    assert [len(body["external_ids"]) for body in bodies[1:]] == [500, 201]


async def test_refused_orders_come_back(script: Script) -> None:
    script.answer({"failedOrders": [{"order": {"externalOrderId": "1"}, "error": "status: is required"}]})
    async with AsyncClient(script.url, "k") as perigee:
        refused = await perigee.add_orders([{"externalOrderId": "1"}])
    assert refused[0].error == "status: is required"


async def test_a_run_over_all_duplicates_is_waited_for(script: Script) -> None:
    run = {
        "run_id": 7,
        "by": "email",
        "keep": "earlier",
        "state": "running",
        "groups": 2,
        "seen": 0,
        "merged": 0,
        "refused": 0,
        "asked_by": "key 1",
        "created_at": "2026-03-10T09:00:00Z",
        "updated_at": "2026-03-10T09:00:00Z",
    }
    script.answer(run)
    script.answer({**run, "state": "done", "seen": 2})
    async with AsyncClient(script.url, "k") as perigee:
        done = await perigee.wait_for_merge_run(7)
    assert (done.state, done.seen, len(script.asked)) == ("done", 2, 2)
